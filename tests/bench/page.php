<?php
// SPDX-License-Identifier: GPL-2.0-only
// A page that computes as a course page does: builds lists, filters, sorts, formats and escapes.
// About 5 to 10 ms on one CPU of 2020.
$rows = [];
$seed = 42;
for ($i = 0; $i < 4000; $i++) {
	$seed = ($seed * 1103515245 + 12345) & 0x7fffffff;
	$rows[] = ['id' => $i, 'grade' => $seed % 101, 'name' => 'Student ' . dechex($seed)];
}
usort($rows, fn($a, $b) => $b['grade'] <=> $a['grade'] ?: strcmp($a['name'], $b['name']));
$html = '';
foreach ($rows as $row) {
	if ($row['grade'] < 20)
		continue;
	$cell = htmlspecialchars(ucwords(str_replace('_', ' ', $row['name'])), ENT_QUOTES);
	$html .= sprintf("<tr><td>%d</td><td>%s</td><td>%.1f</td></tr>\n", $row['id'], $cell,
		$row['grade'] / 10);
}
header('Content-Type: text/html; charset=utf-8');
echo '<!DOCTYPE html><html><title>Grades</title><p>', md5($html), '</p><table>',
	substr($html, 0, 4000), "</table></html>\n";
