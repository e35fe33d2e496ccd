<?php
// SPDX-License-Identifier: GPL-2.0-only
// What a page's script polls for: a small answer, but through the session like any other page.
declare(strict_types=1);
require __DIR__ . '/lib.php';

$user = require_login();
$open = row('SELECT count(*) AS n FROM attempts a WHERE a.id > (SELECT max(id) FROM attempts) - 100
	AND a.user_id = ? AND a.finished_at IS NULL', [$user['id']]);
header('Content-Type: application/json');
echo json_encode(['open_attempts' => (int)$open['n'],
	'attempt' => isset($_SESSION['attempt'])]), "\n";
