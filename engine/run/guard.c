/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"

#include <stdio.h>

enum { DIGITS_MAX = 4, DELTA_SIZE = 512 };

static void hold(struct cg_guard *g, char c)
{
    g->held[g->n_held++] = c;
}

/* What is held was no match after all. A held "!" before "[" is what makes an image: it goes. */
static void release(struct cg_guard *g, struct cg_buf *out)
{
    cg_buf_add(out, g->held, g->n_held);
    g->n_held = 0;
}

static void close_marker(struct cg_guard *g, struct cg_buf *out)
{
    unsigned n = 0;
    for (size_t i = 1; i < g->n_held; i++)
        n = n * 10 + (unsigned)(g->held[i] - '0');
    g->n_held = 0;
    /* What stands before the marker must reach the client before the citation does not matter; the citation must
     * come before the marker, so the text so far goes first. */
    if (out->len) {
        g->text(g->arg, cg_buf_view(out));
        cg_buf_clear(out);
    }
    unsigned shown = g->marker(g->arg, n);
    if (shown)
        cg_buf_printf(out, "[%u]", shown);
}

static bool control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
}

static void step(struct cg_guard *g, char c, struct cg_buf *out)
{
    if (g->n_held && g->held[0] == '[') {
        if (c >= '0' && c <= '9' && g->n_held <= DIGITS_MAX) {
            hold(g, c);
            return;
        }
        if (c == ']' && g->n_held > 1) {
            close_marker(g, out);
            return;
        }
        release(g, out);
    } else if (g->n_held) { /* "!" */
        if (c == '[') {
            g->n_held = 0;
            hold(g, c);
            return;
        }
        release(g, out);
    }
    if (c == '[' || c == '!')
        hold(g, c);
    else if (!control(c))
        cg_buf_char(out, c);
}

void cg_guard_feed(struct cg_guard *g, struct cogent_str text)
{
    char memory[DELTA_SIZE];
    cg_auto_buf out = cg_buf_in(memory, sizeof memory);
    for (size_t i = 0; i < text.len; i++)
        step(g, text.ptr[i], &out);
    if (out.len)
        g->text(g->arg, cg_buf_view(&out));
}

void cg_guard_close(struct cg_guard *g)
{
    cg_auto_buf out = { 0 };
    release(g, &out);
    if (out.len)
        g->text(g->arg, cg_buf_view(&out));
}
