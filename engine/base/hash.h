/* SPDX-License-Identifier: Apache-2.0
 * Hashes, random bytes and their spellings. */
#ifndef CG_BASE_HASH_H
#define CG_BASE_HASH_H

#include "buf.h"

enum { CG_SHA256_SIZE = 32 };

int cg_sha256(struct cogent_str data, unsigned char out[CG_SHA256_SIZE]);
int cg_hmac_sha256(struct cogent_str key, struct cogent_str data, unsigned char out[CG_SHA256_SIZE]);
/* Time does not depend on the contents. */
bool cg_bytes_equal(const void *a, const void *b, size_t len);
/* Overwrites a secret so that no optimiser leaves it. */
void cg_wipe(void *data, size_t len);
/* Kernel's randomness; aborts when there is none, since no promise can be kept without. */
void cg_random(void *out, size_t len);

void cg_hex(const void *data, size_t len, char *out); /* 2 * len + 1 bytes */
/* Strict base64url without padding (RFC 7515). Returns bytes written or COGENT_INVALID. */
int cg_base64url_decode(struct cogent_str text, void *out, size_t size);
void cg_base64url_encode(const void *data, size_t len, struct cg_buf *out);
void cg_base64_encode(const void *data, size_t len, struct cg_buf *out);

#endif
