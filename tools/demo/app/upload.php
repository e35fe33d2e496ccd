<?php
// SPDX-License-Identifier: GPL-2.0-only
// Takes a student's file and makes sure that it is on disk before it says so. Each user has four
// places that are used in turn, which bounds the disk space whatever the load does.
declare(strict_types=1);
require __DIR__ . '/lib.php';

$user = require_login();
$file = $_FILES['file'] ?? fail(400, 'No file.');
if ($file['error'] !== UPLOAD_ERR_OK) {
	fail(400, 'The upload did not arrive whole.');
}
$slot = $_SESSION['upload_slot'] = (($_SESSION['upload_slot'] ?? -1) + 1) % 4;
$path = sprintf('%s/user-%d-%d.bin', conf()['uploads'], $user['id'], $slot);
if (!move_uploaded_file($file['tmp_name'], $path)) {
	fail(500, 'The file could not be kept.');
}
$handle = fopen($path, 'r+');
fsync($handle);
fclose($handle);
page('Uploaded', '<p>' . hash_file('sha256', $path) . '</p>');
