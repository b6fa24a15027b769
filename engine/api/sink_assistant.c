/* SPDX-License-Identifier: Apache-2.0 */
#include "sink.h"

#include "engine/io/sse.h"

static bool on_event(void *self, const struct cg_event *ev, struct cg_buf *out)
{
    (void)self;
    char memory[512];
    cg_auto_buf data = cg_buf_in(memory, sizeof memory);
    if (ev->kind == CG_EV_MESSAGE) {
        cg_buf_text(&data, "{\"content\":");
        cg_buf_json(&data, ev->text);
        cg_buf_char(&data, '}');
    } else {
        cg_json_add(&data, ev->data);
    }
    if (data.failed || !data.len) /* for want of memory */
        out->failed = true;
    else
        cg_sse_frame(out, cogent_str(ev->id), cg_event_name(ev->kind), cg_buf_view(&data));
    return ev->kind == CG_EV_DONE || ev->kind == CG_EV_ERROR;
}

const struct cg_dialect cg_dialect_assistant = { on_event };
