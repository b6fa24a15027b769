/* SPDX-License-Identifier: Apache-2.0
 * A growing byte buffer. A failed allocation makes it `failed`: later additions do nothing and the data is NULL
 * at the end, so a chain of additions needs one check. */
#ifndef CG_BASE_BUF_H
#define CG_BASE_BUF_H

#include <cogent/types.h>
#include <stdarg.h>
#include <stdbool.h>

struct cg_buf {
    char *ptr; /* NUL-terminated when not NULL */
    size_t len;
    size_t cap;
    bool failed;
    bool lent; /* ptr is the caller's own memory: see cg_buf_in */
};

/* A buffer that begins in memory of the caller's, an array on the stack as a rule, and moves to the heap when that is full:
 * what is short and made for every token costs no allocation. Finish it like any other. */
static inline struct cg_buf cg_buf_in(char *memory, size_t size)
{
    memory[0] = '\0';
    return (struct cg_buf){ .ptr = memory, .cap = size, .lent = true };
}

void cg_buf_finish(struct cg_buf *buf); /* frees and zeroes */
void cg_buf_clear(struct cg_buf *buf);  /* keeps the memory */

void cg_buf_add(struct cg_buf *buf, const void *data, size_t len);
void cg_buf_str(struct cg_buf *buf, struct cogent_str s);
void cg_buf_text(struct cg_buf *buf, const char *text);
void cg_buf_char(struct cg_buf *buf, char c);
void cg_buf_printf(struct cg_buf *buf, const char *format, ...) COGENT_PRINTF(2, 3);
/* "..." with everything escaped that JSON wants escaped; U+2028, U+2029 and DEL too. */
void cg_buf_json(struct cg_buf *buf, struct cogent_str s);
/* RFC 3986: everything but unreserved characters as %XX. */
void cg_buf_percent(struct cg_buf *buf, struct cogent_str s);

/* The text so far; empty when failed. Borrowed until the next addition. */
struct cogent_str cg_buf_view(const struct cg_buf *buf);
/* The text as a string of the caller's to free; NULL when failed. The buffer is empty after. */
char *cg_buf_steal(struct cg_buf *buf);

/* NUL-terminated copy to free, NULL without memory. */
char *cg_str_dup(struct cogent_str s);
bool cg_str_eq(struct cogent_str a, const char *b);
bool cg_str_same(struct cogent_str a, struct cogent_str b);
/* Whether two words are equal but for ASCII case. */
bool cg_str_caseeq(struct cogent_str a, const char *b);
/* Copies as much as fits and ends with NUL. Returns whether all fitted. */
bool cg_str_copy(char *dst, size_t size, struct cogent_str s);

/* Memory that is freed at the end of the scope. */
void cg_free_ptr(void *p);
#define cg_auto_free __attribute__((cleanup(cg_free_ptr)))
#define cg_auto_buf  __attribute__((cleanup(cg_buf_finish))) struct cg_buf

#endif
