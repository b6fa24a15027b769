/* SPDX-License-Identifier: Apache-2.0 */
#include "hash.h"

#include "err.h"
#include "memory.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

int cg_sha256(struct cogent_str data, unsigned char out[CG_SHA256_SIZE])
{
    if (EVP_Digest(data.ptr, data.len, out, NULL, EVP_sha256(), NULL) == 1)
        return 0;
    cg_memory_failed();
    return COGENT_NO_MEMORY;
}

int cg_hmac_sha256(struct cogent_str key, struct cogent_str data, unsigned char out[CG_SHA256_SIZE])
{
    unsigned len = CG_SHA256_SIZE;
    const void *ok =
        HMAC(EVP_sha256(), key.ptr, (int)key.len, (const unsigned char *)data.ptr, data.len, out, &len);
    if (ok)
        return 0;
    cg_memory_failed();
    return COGENT_NO_MEMORY;
}

bool cg_bytes_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void cg_wipe(void *data, size_t len)
{
    OPENSSL_cleanse(data, len);
}

void cg_random(void *out, size_t len)
{
    char *p = out;
    while (len) {
        ssize_t n = getrandom(p, len, 0);
        CG_REQUIRE(n > 0);
        p += n;
        len -= (size_t)n;
    }
}

void cg_hex(const void *data, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = data;
    for (size_t i = 0; i < len; i++) {
        *out++ = digits[p[i] >> 4];
        *out++ = digits[p[i] & 15];
    }
    *out = '\0';
}

static const char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char std_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int cg_base64url_decode(struct cogent_str text, void *out, size_t size)
{
    unsigned char *dst = out;
    uint32_t acc = 0;
    unsigned bits = 0;
    size_t n = 0;
    if (text.len % 4 == 1)
        return COGENT_INVALID;
    for (size_t i = 0; i < text.len; i++) {
        const char *at = text.ptr[i] ? strchr(url_alphabet, text.ptr[i]) : NULL;
        if (!at)
            return COGENT_INVALID;
        acc = acc << 6 | (uint32_t)(at - url_alphabet);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            if (n == size)
                return COGENT_INVALID;
            dst[n++] = (unsigned char)(acc >> bits);
            acc &= (1u << bits) - 1;
        }
    }
    return acc ? COGENT_INVALID : (int)n; /* left-over bits must be zero: one text, one value */
}

static void encode(const void *data, size_t len, const char *alphabet, bool pad, struct cg_buf *out)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t v =
            (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0u);
        for (size_t k = 0; k < 4; k++) {
            if (k <= left)
                cg_buf_char(out, alphabet[v >> (18 - 6 * k) & 63]);
            else if (pad)
                cg_buf_char(out, '=');
        }
    }
}

void cg_base64url_encode(const void *data, size_t len, struct cg_buf *out)
{
    encode(data, len, url_alphabet, false, out);
}

void cg_base64_encode(const void *data, size_t len, struct cg_buf *out)
{
    encode(data, len, std_alphabet, true, out);
}
