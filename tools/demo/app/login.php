<?php
// SPDX-License-Identifier: GPL-2.0-only
// Login with a bcrypt password; the session id changes, as it should at a change of rights.
declare(strict_types=1);
require __DIR__ . '/lib.php';

if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
	page('Log in', '<form method="post"><input name="username"><input name="password"'
		. ' type="password"><button>Log in</button></form>');
	exit;
}
$user = row('SELECT * FROM users WHERE username = ?', [(string)($_POST['username'] ?? '')]);
$password = (string)($_POST['password'] ?? '');
if ($user === null || !password_verify($password, $user['password_hash'])) {
	fail(401, 'Wrong name or password.');
}
session_start();
session_regenerate_id(true);
unset($user['password_hash']);
$_SESSION['user'] = $user;
header('Location: /dashboard.php', true, 303);
