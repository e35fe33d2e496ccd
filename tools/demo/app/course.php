<?php
// SPDX-License-Identifier: GPL-2.0-only
// One course: its text and its quizzes with the user's grades, in one query.
declare(strict_types=1);
require __DIR__ . '/lib.php';

$user = require_login();
$course = require_course($user, id_param());
$quizzes = rows('SELECT q.id, q.title, g.grade FROM quizzes q LEFT JOIN grades g ON g.quiz_id = q.id
	AND g.user_id = ? WHERE q.course_id = ? ORDER BY q.id', [$user['id'], $course['id']]);
$body = '<p>' . html($course['summary']) . '</p><ul>';
foreach ($quizzes as $q) {
	$body .= '<li><a href="/quiz_start.php?id=' . $q['id'] . '">' . html($q['title']) . '</a> '
		. ($q['grade'] ?? 'not yet tried') . '</li>';
}
page($course['title'], $body . '</ul>');
