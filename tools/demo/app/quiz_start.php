<?php
// SPDX-License-Identifier: GPL-2.0-only
// Opens an attempt at a quiz: checks the exam's access code (bcrypt, as learning platforms keep
// it), draws the questions, and works out each question's numbers. It is the expensive page of an
// exam: about a tenth of a second of processor time and no sleep, so that a pool of a few workers
// is exhausted when everybody opens it at once.
declare(strict_types=1);
require __DIR__ . '/lib.php';

const STEPS = 20000;	// of the numerical integration, for three good digits

/** A calculated question: the value of an integral (the first choice) and three wrong values. */
function make_choices(int $question_id, int $user_id): array
{
	$a = 1 + ($question_id * 31 + $user_id * 17) % 9;
	$b = 1 + ($question_id * 13 + $user_id * 7) % 5;
	$sum = 0.0;
	for ($i = 0; $i < STEPS; $i++) {
		$x = ($i + 0.5) / STEPS;
		$sum += sin($a * $x) * exp(-$b * $x);
	}
	$value = $sum / STEPS;
	return array_map(fn($f) => round($value * $f, 3), [1.0, 1.1, 0.9, -1.0]);
}

$user = require_login();
$quiz = row('SELECT * FROM quizzes WHERE id = ?', [id_param()]) ?? fail(404, 'No such quiz.');
require_course($user, $quiz['course_id']);
if (!password_verify((string)($_POST['code'] ?? ''), $quiz['access_hash'])) {
	fail(403, 'Wrong access code.');
}
$questions = rows('SELECT id, body FROM questions WHERE quiz_id = ? ORDER BY random() LIMIT ?',
	[$quiz['id'], $quiz['question_count']]);
$attempt = row('INSERT INTO attempts (quiz_id, user_id) VALUES (?, ?) RETURNING id',
	[$quiz['id'], $user['id']]);
$_SESSION['attempt'] = ['id' => $attempt['id'], 'quiz_id' => $quiz['id'],
	'questions' => array_column($questions, 'id')];

$body = '<form method="post" action="/quiz_submit.php">';
foreach ($questions as $n => $q) {
	$body .= '<p>' . html($q['body']) . '</p>';
	foreach (make_choices($q['id'], $user['id']) as $choice => $value) {
		$body .= "<label><input type='radio' name='a[$n]' value='$choice'> $value</label>";
	}
}
page($quiz['title'], $body . '<button>Submit</button></form>');
