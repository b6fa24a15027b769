/* SPDX-License-Identifier: Apache-2.0
 * Gzip (RFC 1952), inflated as it comes and as much as is asked for: what a small piece may grow to is the reader's
 * to bound. */
#ifndef CG_IO_GUNZIP_H
#define CG_IO_GUNZIP_H

#include <cogent/types.h>
#include <stdbool.h>

struct cg_gunzip;

struct cg_gunzip *cg_gunzip_create(void);
void cg_gunzip_destroy(struct cg_gunzip *gunzip);

/* Takes what it needs off *in and writes at most size bytes to out. Returns how many; 0: *in is used up; or
 * COGENT_INVALID: this is no gzip, or a broken one. */
int cg_gunzip_read(struct cg_gunzip *gunzip, struct cogent_str *in, char *out, size_t size);
/* Whether the last member has come to its end: false when the rest is missing. */
bool cg_gunzip_whole(const struct cg_gunzip *gunzip);

#endif
