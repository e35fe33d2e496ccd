<?php
// SPDX-License-Identifier: GPL-2.0-only
// A student's progress against the year: aggregates in SQL, then ranks and a bootstrap in PHP. Real
// work of some fifth of a second, all of it with the session open, though it only reads: every
// other request of the same browser waits for PHP's lock on the session file meanwhile.
declare(strict_types=1);
require __DIR__ . '/lib.php';

const RESAMPLES = 400;

/** The rank correlation (Spearman) of two lists of the same length. */
function rank_correlation(array $x, array $y): float
{
	$n = count($x);
	asort($x);
	asort($y);
	$rank_x = array_flip(array_keys($x));
	$rank_y = array_flip(array_keys($y));
	$sum = 0;
	foreach ($rank_x as $key => $rank) {
		$sum += ($rank - $rank_y[$key]) ** 2;
	}
	return $n > 1 ? 1 - 6 * $sum / ($n * ($n * $n - 1)) : 0.0;
}

/** How far the mean of the scores is from certain: half of the width of its 90 % interval. */
function mean_spread(array $scores): float
{
	$scores = array_values($scores);
	$last = count($scores) - 1;
	$means = [];
	for ($i = 0; $i < RESAMPLES; $i++) {
		$sum = 0.0;
		for ($k = 0; $k <= $last; $k++) {
			$sum += $scores[mt_rand(0, $last)];
		}
		$means[] = $sum / ($last + 1);
	}
	sort($means);
	return ($means[(int)(RESAMPLES * 0.95)] - $means[(int)(RESAMPLES * 0.05)]) / 2;
}

$user = require_login();
$years = rows('SELECT q.course_id, a.user_id, avg(a.score) AS score, count(*) AS tries
	FROM attempts a JOIN quizzes q ON q.id = a.quiz_id WHERE a.finished_at IS NOT NULL
	GROUP BY q.course_id, a.user_id');
$scores = $tries = [];
foreach ($years as $line) {
	$scores[$line['course_id']][$line['user_id']] = (float)$line['score'];
	$tries[$line['course_id']][$line['user_id']] = (int)$line['tries'];
}
ksort($scores);
$body = '<table>';
foreach ($scores as $course_id => $of_course) {
	$own = $of_course[$user['id']] ?? null;
	$spread = $own === null ? '' : sprintf(' of %.2f', mean_spread($of_course));
	$body .= sprintf('<tr><td>%d</td><td>%.2f%s</td><td>%.3f</td></tr>', $course_id, $own ?? 0,
		$spread, rank_correlation($of_course, $tries[$course_id]));
}
page('Your year', $body . '</table>');
