/* SPDX-License-Identifier: Apache-2.0
 * Growing bytes. A failed allocation sticks: add as much as you like and look at `failed` once, at the end.
 * A zeroed struct is an empty buffer.
 */
#ifndef COGENT_COMMON_BUF_H
#define COGENT_COMMON_BUF_H

#include <cogent/types.h>

struct cp_buf {
    char *ptr; /* NUL-terminated whenever it is not NULL */
    size_t len;
    size_t cap;
    int failed;
    int secret; /* set it before the first byte: what moves or ends is overwritten */
};

void cp_buf_finish(struct cp_buf *buf);
void cp_buf_clear(struct cp_buf *buf);
void cp_buf_add(struct cp_buf *buf, const char *ptr, size_t len);
void cp_buf_text(struct cp_buf *buf, const char *text);
void cp_buf_str(struct cp_buf *buf, struct cogent_str str);
void cp_buf_byte(struct cp_buf *buf, char byte);
void cp_buf_format(struct cp_buf *buf, const char *format, ...) COGENT_PRINTF(2, 3);
/* A code point as UTF-8. */
void cp_buf_point(struct cp_buf *buf, uint32_t point);
/* Percent-encodes all but the unreserved characters of RFC 3986 and those in `also`. */
void cp_buf_percent(struct cp_buf *buf, struct cogent_str str, const char *also);

void cp_buf_base64(struct cp_buf *buf, struct cogent_str str);

/* The bytes, borrowed. */
struct cogent_str cp_buf_peek(const struct cp_buf *buf);
/* The bytes, now the caller's to free; NULL when an allocation failed. The buffer is empty afterwards. */
char *cp_buf_take(struct cp_buf *buf);

#endif
