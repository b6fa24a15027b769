/* SPDX-License-Identifier: Apache-2.0
 * The engine key ring: what MACs and seals are made with. A file of lines "ID HEX CREATED", newest first in use;
 * old keys go on verifying. Made once by the master, shared by all machines.
 *
 * A MAC covers a purpose and fields, each with its length before it, so no two lists of fields give one text. */
#ifndef CG_BASE_KEYS_H
#define CG_BASE_KEYS_H

#include "buf.h"
#include "err.h"

struct cg_keys;

enum { CG_MAC_SIZE = 32, CG_KEYS_PRINT_SIZE = 17 };

/* Reads the ring. The file must not be readable by others than its owner and group. */
int cg_keys_load(const char *path, struct cg_keys **out, struct cg_err *err);
/* Makes a ring with one key unless the file exists (0600, complete or not there). */
int cg_keys_make(const char *path, struct cg_err *err);
void cg_keys_destroy(struct cg_keys *keys);

/* 16 hex digits that name the ring without telling it. */
const char *cg_keys_fingerprint(const struct cg_keys *keys);

/* MAC by the newest key: `out` is "KEYID.HEX" as text. fields ends at n. */
int cg_keys_sign(const struct cg_keys *keys, const char *purpose, const struct cogent_str *fields, size_t n,
                 struct cg_buf *out);
/* 0, or COGENT_DENIED. Any key of the ring. */
int cg_keys_verify(const struct cg_keys *keys, const char *purpose, const struct cogent_str *fields, size_t n,
                   struct cogent_str mac);
/* The raw MAC by the ring's oldest key: stable for as long as the ring lives through rotations. */
int cg_keys_derive(const struct cg_keys *keys, const char *purpose, const struct cogent_str *fields, size_t n,
                   unsigned char out[CG_MAC_SIZE]);

/* AES-256-GCM, bound to purpose and context; out is base64url text with the key's id. */
int cg_keys_seal(const struct cg_keys *keys, const char *purpose, struct cogent_str context,
                 struct cogent_str plain, struct cg_buf *out);
int cg_keys_open(const struct cg_keys *keys, const char *purpose, struct cogent_str context,
                 struct cogent_str sealed, struct cg_buf *out);

#endif
