<?php
// SPDX-License-Identifier: GPL-2.0-only
// Hands in the attempt that quiz_start.php left in the session: answers, score and grade in one
// transaction, whose commit waits for the disk.
declare(strict_types=1);
require __DIR__ . '/lib.php';

$user = require_login();
$attempt = $_SESSION['attempt'] ?? fail(409, 'No quiz is open.');
$given = is_array($_POST['a'] ?? null) ? $_POST['a'] : [];

db()->beginTransaction();
foreach ($attempt['questions'] as $n => $question_id) {
	query('INSERT INTO answers (attempt_id, question_id, choice) VALUES (?, ?, ?)',
		[$attempt['id'], $question_id, (int)($given[$n] ?? 0) & 3]);
}
$result = row('SELECT
	coalesce(sum(q.points) FILTER (WHERE q.correct_choice = a.choice), 0) AS score,
	sum(q.points) AS most FROM answers a JOIN questions q ON q.id = a.question_id
	WHERE a.attempt_id = ?', [$attempt['id']]);
$grade = $result['most'] > 0 ? round(100 * $result['score'] / $result['most'], 2) : 0;
query('UPDATE attempts SET finished_at = now(), score = ? WHERE id = ?',
	[$result['score'], $attempt['id']]);
query('INSERT INTO grades (user_id, quiz_id, grade) VALUES (?, ?, ?) ON CONFLICT (user_id, quiz_id)
	DO UPDATE SET grade = greatest(grades.grade, excluded.grade), updated_at = now()',
	[$user['id'], $attempt['quiz_id'], $grade]);
db()->commit();
unset($_SESSION['attempt']);
page('Handed in', '<p>Your grade: ' . $grade . '</p>');
