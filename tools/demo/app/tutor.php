<?php
// SPDX-License-Identifier: GPL-2.0-only
// An "AI tutor": asks a model that somebody else runs, and passes its words on as they come (server-
// sent events). The session is closed first, or the student's other pages would wait meanwhile.
declare(strict_types=1);
require __DIR__ . '/lib.php';

$user = require_login();
$course = require_course($user, id_param());
session_write_close();

$url = trim((string)@file_get_contents(__DIR__ . '/../conf/tutor.url'));
$question = json_encode(['course' => $course['title'], 'text' => $course['summary']]);
$answer = $url === '' ? false : fopen($url, 'r', false, stream_context_create(['http' => [
	'method' => 'POST',
	'header' => 'Content-Type: application/json',
	'content' => $question,
	'timeout' => 30,
]]));
if ($answer === false) {
	fail(503, 'The tutor is not here today.');
}
header('Content-Type: text/event-stream');
header('Cache-Control: no-store');
header('X-Accel-Buffering: no');
while (($line = fgets($answer)) !== false) {
	echo $line;
	if ($line === "\n") {	// the end of an event
		flush();
	}
}
