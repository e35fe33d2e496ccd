<?php
// SPDX-License-Identifier: GPL-2.0-only
// The teacher's gradebook: one page of students by all quizzes of a course. It is written the way
// that an object mapper with lazy relations behaves: one query for the list, then one for each
// student and one for each cell (the "N+1" pattern): some 900 small statements for a page.
declare(strict_types=1);
require __DIR__ . '/lib.php';

const STUDENTS_PER_PAGE = 100;

$user = require_login();
$course = require_course($user, id_param());
if ($user['role'] !== 'teacher') {
	fail(403, 'Only for teachers.');
}
$quizzes = rows('SELECT id, title FROM quizzes WHERE course_id = ? ORDER BY id', [$course['id']]);
$members = rows('SELECT user_id FROM enrolments WHERE course_id = ? ORDER BY user_id LIMIT ?',
	[$course['id'], STUDENTS_PER_PAGE]);
$body = '<table><tr><th></th>';
foreach ($quizzes as $q) {
	$body .= '<th>' . html($q['title']) . '</th>';
}
foreach ($members as $m) {
	$student = row('SELECT full_name FROM users WHERE id = ?', [$m['user_id']]);
	$body .= '</tr><tr><td>' . html($student['full_name']) . '</td>';
	foreach ($quizzes as $q) {
		$cell = row('SELECT count(*) AS tries, max(score) AS best FROM attempts
			WHERE quiz_id = ? AND user_id = ?', [$q['id'], $m['user_id']]);
		$body .= '<td>' . ($cell['best'] ?? '-') . ' (' . $cell['tries'] . ')</td>';
	}
}
page('Grades of ' . $course['title'], $body . '</tr></table>');
