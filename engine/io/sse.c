/* SPDX-License-Identifier: Apache-2.0 */
#include "sse.h"

#include <cogent/error.h>

void cg_sse_init(struct cg_sse *sse, size_t max,
                 void (*fn)(void *arg, struct cogent_str event, struct cogent_str data, struct cogent_str id),
                 void *arg)
{
    *sse = (struct cg_sse){ .max = max, .fn = fn, .arg = arg };
}

void cg_sse_finish(struct cg_sse *sse)
{
    cg_buf_finish(&sse->line);
    cg_buf_finish(&sse->event);
    cg_buf_finish(&sse->data);
    cg_buf_finish(&sse->id);
}

static void dispatch(struct cg_sse *sse)
{
    struct cogent_str data = cg_buf_view(&sse->data);
    if (sse->any) {
        if (data.len)
            data.len--; /* the last line's end */
        sse->fn(sse->arg, cg_buf_view(&sse->event), data, cg_buf_view(&sse->id));
    }
    sse->any = false;
    cg_buf_clear(&sse->event);
    cg_buf_clear(&sse->data);
}

static void field(struct cg_sse *sse, struct cogent_str name, struct cogent_str value)
{
    if (cg_str_eq(name, "data")) {
        cg_buf_str(&sse->data, value);
        cg_buf_char(&sse->data, '\n');
        sse->any = true;
    } else if (cg_str_eq(name, "event")) {
        cg_buf_clear(&sse->event);
        cg_buf_str(&sse->event, value);
    } else if (cg_str_eq(name, "id") && (!value.len || !memchr(value.ptr, '\0', value.len))) {
        cg_buf_clear(&sse->id);
        cg_buf_str(&sse->id, value);
    }
}

static void end_line(struct cg_sse *sse, struct cogent_str line)
{
    if (!sse->started) {
        sse->started = true;
        if (line.len >= 3 && memcmp(line.ptr, "\xef\xbb\xbf", 3) == 0) {
            line.ptr += 3;
            line.len -= 3;
        }
    }
    if (line.len == 0) {
        dispatch(sse);
        return;
    }
    const char *colon = memchr(line.ptr, ':', line.len);
    struct cogent_str name = { line.ptr, colon ? (size_t)(colon - line.ptr) : line.len };
    struct cogent_str value = { line.ptr + line.len, 0 };
    if (colon) {
        value = (struct cogent_str){ colon + 1, line.len - name.len - 1 };
        if (value.len && value.ptr[0] == ' ') {
            value.ptr++;
            value.len--;
        }
    }
    field(sse, name, value); /* a comment has an empty name and matches nothing */
}

int cg_sse_feed(struct cg_sse *sse, struct cogent_str bytes)
{
    const char *at = bytes.ptr, *end = bytes.ptr + bytes.len;
    while (at < end) {
        if (sse->after_cr && *at == '\n') {
            sse->after_cr = false;
            at++;
            continue;
        }
        sse->after_cr = false;
        const char *stop = at;
        while (stop < end && *stop != '\n' && *stop != '\r')
            stop++;
        struct cogent_str part = { at, (size_t)(stop - at) };
        if (sse->line.len + part.len + sse->data.len > sse->max)
            return COGENT_LIMIT;
        if (stop == end) {
            cg_buf_str(&sse->line, part);
            break;
        }
        sse->after_cr = *stop == '\r';
        if (sse->line.len) {
            cg_buf_str(&sse->line, part);
            part = cg_buf_view(&sse->line);
        }
        end_line(sse, part);
        cg_buf_clear(&sse->line);
        at = stop + 1;
    }
    return sse->line.failed || sse->data.failed || sse->event.failed || sse->id.failed ? COGENT_NO_MEMORY : 0;
}

void cg_sse_frame(struct cg_buf *out, struct cogent_str id, const char *event, struct cogent_str data)
{
    if (id.len) {
        cg_buf_text(out, "id: ");
        cg_buf_str(out, id);
        cg_buf_char(out, '\n');
    }
    if (event && *event)
        cg_buf_printf(out, "event: %s\n", event);
    cg_buf_text(out, "data: ");
    cg_buf_str(out, data);
    cg_buf_text(out, "\n\n");
}
