<?php
// SPDX-License-Identifier: GPL-2.0-only
// The first page after login: the user's courses and latest grades.
declare(strict_types=1);
require __DIR__ . '/lib.php';

$user = require_login();
$courses = rows('SELECT c.id, c.title FROM courses c WHERE c.teacher_id = :u OR c.id IN (SELECT
	course_id FROM enrolments WHERE user_id = :u) ORDER BY c.id', ['u' => $user['id']]);
$grades = rows('SELECT q.title, g.grade FROM grades g JOIN quizzes q ON q.id = g.quiz_id
	WHERE g.user_id = ? ORDER BY g.updated_at DESC, q.id LIMIT 10', [$user['id']]);
$body = '<ul class="courses">';
foreach ($courses as $c) {
	$body .= '<li><a href="/course.php?id=' . $c['id'] . '">' . html($c['title']) . '</a></li>';
}
$body .= '</ul><table>';
foreach ($grades as $g) {
	$body .= '<tr><td>' . html($g['title']) . '</td><td>' . $g['grade'] . '</td></tr>';
}
page('Hello, ' . $user['full_name'], $body . '</table>');
