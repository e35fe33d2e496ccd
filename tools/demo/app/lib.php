<?php
// SPDX-License-Identifier: GPL-2.0-only
// What every page of the demo classroom shares: configuration, one database connection, PHP's own
// file sessions, and the page frame. Plain functions; nothing here knows about modes of trouble.
declare(strict_types=1);

/** The settings that `classroom up` wrote beside the application. */
function conf(): array
{
	static $conf = null;
	return $conf ??= require __DIR__ . '/../conf/app.php';
}

function db(): PDO
{
	static $db = null;
	return $db ??= new PDO(conf()['dsn'], conf()['user'], conf()['password'], [
		PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
		PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
		PDO::ATTR_EMULATE_PREPARES => false,
		PDO::ATTR_PERSISTENT => conf()['persistent'],
	]);
}

/** Runs one statement. It is prepared once per request however often it is executed. */
function query(string $sql, array $params = []): PDOStatement
{
	static $prepared = [];
	$stmt = $prepared[$sql] ??= db()->prepare($sql);
	$stmt->execute($params);
	return $stmt;
}

function rows(string $sql, array $params = []): array
{
	return query($sql, $params)->fetchAll();
}

/** The first row, or null. */
function row(string $sql, array $params = []): ?array
{
	return rows($sql, $params)[0] ?? null;
}

/**
 * Opens the session and gives the user. Like most applications, a page keeps the session (and so
 * PHP's exclusive flock on its file) until it ends, whether or not it will write to it.
 */
function require_login(): array
{
	session_start();
	if (!isset($_SESSION['user'])) {
		header('Location: /login.php', true, 303);
		exit;
	}
	return $_SESSION['user'];
}

function fail(int $status, string $message): never
{
	http_response_code($status);
	page('Error', '<p>' . html($message) . '</p>');
	exit;
}

function id_param(): int
{
	$id = filter_input(INPUT_GET, 'id', FILTER_VALIDATE_INT);
	return is_int($id) ? $id : fail(400, 'A number is needed in id.');
}

/** The course, if this user studies or teaches it. */
function require_course(array $user, int $course_id): array
{
	$course = row('SELECT c.* FROM courses c WHERE c.id = ? AND (c.teacher_id = ? OR EXISTS
		(SELECT 1 FROM enrolments e WHERE e.course_id = c.id AND e.user_id = ?))',
		[$course_id, $user['id'], $user['id']]);
	return $course ?? fail(403, 'This is not one of your courses.');
}

function html(string $text): string
{
	return htmlspecialchars($text, ENT_QUOTES);
}

function page(string $title, string $body): void
{
	echo '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>', html($title),
		'</title><link rel="stylesheet" href="/static/classroom.css">',
		'<script src="/static/classroom.js" defer></script></head><body>',
		'<img src="/static/logo.png" alt="" width="64" height="64"><h1>',
		html($title), '</h1>', $body, "</body></html>\n";
}
