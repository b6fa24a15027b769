/* SPDX-License-Identifier: Apache-2.0
 * A cursor over JSON text that allocates nothing: for deltas, where a tree per event would cost more than the
 * text it carries. Strict (RFC 8259, UTF-8), one pass. An error sticks: everything after it returns 0, and
 * cp_scan_end tells.
 *
 *     struct cp_scan scan = cp_scan_begin(data);
 *     struct cogent_str key;
 *     for (int first = cp_scan_open(&scan, '{'); cp_scan_member(&scan, &first, &key);)
 *         if (cp_scan_is(key, "id")) ... else cp_scan_skip(&scan, NULL);
 */
#ifndef COGENT_COMMON_SCAN_H
#define COGENT_COMMON_SCAN_H

#include "buf.h"

struct cp_scan {
    const char *at;
    const char *end;
    int bad;
    unsigned depth;
};

struct cp_scan cp_scan_begin(struct cogent_str json);
/* What comes next: '{', '[', '"', 'n', 't', 'f', '0' for a number, or 0. */
int cp_scan_next(struct cp_scan *scan);
/* Enters an object or array. Returns 1, the start value of `first` below. */
int cp_scan_open(struct cp_scan *scan, char bracket);
/* The next member or element; 0 at the closing bracket, which is consumed. Its value must then be consumed. */
int cp_scan_member(struct cp_scan *scan, int *first, struct cogent_str *key);
int cp_scan_element(struct cp_scan *scan, int *first);
/* A string: the bytes between the quotes, still escaped. */
int cp_scan_string(struct cp_scan *scan, struct cogent_str *raw);
int cp_scan_integer(struct cp_scan *scan, int64_t *out);
/* Any value; its text into raw unless raw is NULL. */
int cp_scan_skip(struct cp_scan *scan, struct cogent_str *raw);
/* Whether all was well and nothing is left. */
int cp_scan_end(struct cp_scan *scan);

int cp_scan_is(struct cogent_str raw, const char *text);

/* Appends the unescaped string. `high` carries the first half of a surrogate pair from one piece to the next, as
 * some services cut between the halves; start with 0. A half without its other becomes U+FFFD. */
void cp_unescape(struct cp_buf *out, struct cogent_str raw, uint32_t *high);
/* The end of the pieces: a half that still waits becomes U+FFFD. */
void cp_unescape_end(struct cp_buf *out, uint32_t *high);

#endif
