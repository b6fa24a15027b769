<?php
// SPDX-License-Identifier: Apache-2.0
if ($_SERVER['REQUEST_METHOD'] !== 'POST' || $_SERVER['REQUEST_URI'] !== '/api/v1/cognitive/assistant/chat/stream') {
    http_response_code(404);
    exit;
}
$body = file_get_contents('php://input');
$cogent = @stream_socket_client('unix:///run/cogent/cogent.sock', $errno, $why, 10);
if (!$cogent) {
    http_response_code(503);
    header('Content-Type: application/problem+json');
    exit(json_encode(['title' => 'Unavailable', 'status' => 503, 'detail' => 'The assistant cannot be reached.']));
}
fwrite($cogent, "POST /v1/assistant/chat/stream HTTP/1.0\r\nHost: cogent\r\nContent-Type: application/json\r\n" .
    'Authorization: ' . ($_SERVER['HTTP_AUTHORIZATION'] ?? '') . "\r\nContent-Length: " . strlen($body) . "\r\n\r\n" . $body);
stream_set_timeout($cogent, 60);                 // a heartbeat comes every 15 s

http_response_code((int) explode(' ', fgets($cogent))[1]);
while (($line = rtrim(fgets($cogent))) !== '') {
    if (stripos($line, 'Content-Type:') === 0) {
        header($line);
    }
}
header('X-Accel-Buffering: no');
while (ob_get_level()) {
    ob_end_flush();
}
while (!feof($cogent) && !connection_aborted()) { // a browser that has gone ends the loop, or the script: the socket closes with it
    echo fread($cogent, 8192);
    flush();
}
fclose($cogent);
