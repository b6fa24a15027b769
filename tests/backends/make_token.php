<?php
// SPDX-License-Identifier: Apache-2.0
function part(string $data): string
{
    return rtrim(strtr(base64_encode($data), '+/', '-_'), '=');
}

// key: a shared secret (HS256), or a private key in PEM (RS256)
function token(string $key, array $claims): string
{
    $rsa = str_starts_with($key, '-----BEGIN');
    $head = part(json_encode(['alg' => $rsa ? 'RS256' : 'HS256', 'typ' => 'JWT']));
    $signed = $head . '.' . part(json_encode(['exp' => time() + 600] + $claims));
    if ($rsa) {
        openssl_sign($signed, $mac, $key, OPENSSL_ALGO_SHA256);
    } else {
        $mac = hash_hmac('sha256', $signed, $key, true);
    }
    return $signed . '.' . part($mac);
}

[, $file, $user, $tenant] = $argv;
echo token(rtrim(file_get_contents($file)), ['sub' => $user, 'tenant_id' => $tenant, 'permissions' => array_slice($argv, 4)]), "\n";
