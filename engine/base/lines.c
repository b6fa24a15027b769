/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"

#include <string.h>

static void hold(struct cg_lines *l, struct cogent_str piece)
{
    l->over = l->over || l->held.len + piece.len > l->max;
    if (l->over)
        cg_buf_finish(&l->held);
    else
        cg_buf_add(&l->held, piece.ptr, piece.len);
}

static int tell(struct cg_lines *l, struct cogent_str *line)
{
    bool over = l->over, failed = l->held.failed;
    l->number++;
    l->over = false;
    l->told = true;
    *line = cg_buf_view(&l->held);
    return over ? COGENT_LIMIT : failed ? COGENT_NO_MEMORY : 1;
}

static void forget(struct cg_lines *l)
{
    if (l->told && l->held.failed)
        cg_buf_finish(&l->held);
    else if (l->told)
        cg_buf_clear(&l->held);
    l->told = false;
}

int cg_lines_next(struct cg_lines *l, struct cogent_str *in, struct cogent_str *line)
{
    forget(l);
    const char *end = in->len ? memchr(in->ptr, '\n', in->len) : NULL;
    struct cogent_str piece = { in->ptr, end ? (size_t)(end - in->ptr) : in->len };
    size_t used = piece.len + (end != NULL);
    in->ptr += used;
    in->len -= used;
    if (end && l->held.len == 0 && !l->over && piece.len <= l->max) { /* whole in one piece: no copy */
        l->number++;
        *line = piece;
        return 1;
    }
    if (piece.len)
        hold(l, piece);
    return end ? tell(l, line) : 0;
}

int cg_lines_last(struct cg_lines *l, struct cogent_str *line)
{
    forget(l);
    return l->held.len || l->held.failed || l->over ? tell(l, line) : 0;
}

void cg_lines_finish(struct cg_lines *l)
{
    cg_buf_finish(&l->held);
}
