/* SPDX-License-Identifier: Apache-2.0 */
#include "id.h"

#include "hash.h"

#include <stdio.h>

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

const char *cg_id_spell(const char *prefix, const unsigned char bytes[16], char out[CG_ID_SIZE])
{
    size_t n = strlen(prefix);
    memcpy(out, prefix, n);
    for (unsigned i = 0; i < CG_ID_BITS_LEN; i++) {
        unsigned bit = i * 5, byte = bit / 8, shift = bit % 8;
        unsigned pair = (unsigned)bytes[byte] << 8 | (byte + 1 < 16 ? bytes[byte + 1] : 0u);
        out[n++] = alphabet[pair >> (11 - shift) & 31];
    }
    out[n] = '\0';
    return out;
}

const char *cg_id_make(const char *prefix, char out[CG_ID_SIZE])
{
    unsigned char bytes[16];
    cg_random(bytes, sizeof bytes);
    return cg_id_spell(prefix, bytes, out);
}

bool cg_id_valid(const char *prefix, struct cogent_str text)
{
    size_t n = strlen(prefix);
    if (text.len != n + CG_ID_BITS_LEN || memcmp(text.ptr, prefix, n) != 0)
        return false;
    for (size_t i = n; i < text.len; i++) {
        if (!text.ptr[i] || !strchr(alphabet, text.ptr[i]))
            return false;
    }
    return true;
}

const char *cg_uuid_make(char out[CG_UUID_SIZE])
{
    unsigned char b[16];
    char hex[33];
    cg_random(b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    cg_hex(b, sizeof b, hex);
    snprintf(out, CG_UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
    return out;
}
