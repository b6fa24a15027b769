/* SPDX-License-Identifier: Apache-2.0
 * Chat completion chunks. Named events would break the official client's helper; an extra top-level member does not. */
#include "sink.h"

#include "engine/io/sse.h"

/* What every chunk begins with; its choices come next. */
static void begin_chunk(const struct cg_openai_sink *s, struct cg_buf *out)
{
    cg_buf_printf(
        out, "data: {\"id\":\"%s\",\"object\":\"chat.completion.chunk\",\"created\":%lld,\"model\":", s->id,
        (long long)s->created);
    cg_buf_json(out, cogent_str(s->model));
    cg_buf_text(out, ",\"choices\":[");
}

static void frame(struct cg_openai_sink *s, struct cogent_str delta, const char *finish,
                  const struct cg_event *ev, struct cg_buf *out)
{
    begin_chunk(s, out);
    if (delta.ptr || finish) {
        cg_buf_text(out, "{\"index\":0,\"delta\":{");
        if (!s->role_sent)
            cg_buf_text(out, delta.ptr ? "\"role\":\"assistant\"," : "\"role\":\"assistant\"");
        s->role_sent = true;
        if (delta.ptr) {
            cg_buf_text(out, "\"content\":");
            cg_buf_json(out, delta);
        }
        cg_buf_printf(out, "},\"finish_reason\":%s%s%s}", finish ? "\"" : "", finish ? finish : "null",
                      finish ? "\"" : "");
    }
    cg_buf_char(out, ']');
    if (ev) {
        cg_buf_printf(out, ",\"cogent\":{\"event\":\"%s\",\"data\":", cg_event_name(ev->kind));
        cg_json_add(out, ev->data);
        cg_buf_char(out, '}');
    }
    cg_buf_text(out, "}\n\n");
}

static void usage_frame(struct cg_openai_sink *s, struct cg_buf *out)
{
    begin_chunk(s, out);
    cg_buf_printf(
        out, "],\"usage\":{\"prompt_tokens\":%lld,\"completion_tokens\":%lld,\"total_tokens\":%lld}}\n\n",
        (long long)s->input_tokens, (long long)s->output_tokens,
        (long long)(s->input_tokens + s->output_tokens));
}

const char *cg_openai_finish(const json_t *done)
{
    const char *status = cg_json_str(done, "status", "complete");
    return strcmp(status, "limited") == 0   ? "length"
           : strcmp(status, "refused") == 0 ? "content_filter"
                                            : "stop";
}

/* What the end says and the deltas did not: that it waits for a person, that nothing came. These clients show text
 * alone. */
static void last_words(struct cg_openai_sink *s, const json_t *done, struct cg_buf *out)
{
    struct cogent_str words = cogent_str(cg_json_str(done, "content", ""));
    if (words.len == s->sent || words.len == 0)
        return;
    if (s->sent)
        frame(s, cogent_str("\n\n"), NULL, NULL, out);
    frame(s, words, NULL, NULL, out);
}

static bool on_event(void *self, const struct cg_event *ev, struct cg_buf *out)
{
    struct cg_openai_sink *s = self;
    const struct cogent_str none = { NULL, 0 };
    switch (ev->kind) {
    case CG_EV_START:
        frame(s, cogent_str(""), NULL, ev, out);
        return false;
    case CG_EV_MESSAGE:
        s->sent += ev->text.len;
        frame(s, ev->text, NULL, NULL, out);
        return false;
    case CG_EV_USAGE:
        s->input_tokens += cg_json_int(ev->data, "input_tokens", 0);
        s->output_tokens += cg_json_int(ev->data, "output_tokens", 0);
        frame(s, none, NULL, ev, out);
        return false;
    case CG_EV_ERROR: {
        cg_auto_buf data = { 0 };
        cg_json_add(&data, ev->data);
        cg_sse_frame(out, (struct cogent_str){ "", 0 }, NULL, cg_buf_view(&data));
        cg_buf_text(out, "data: [DONE]\n\n");
        return true;
    }
    case CG_EV_DONE:
        last_words(s, ev->data, out);
        frame(s, none, cg_openai_finish(ev->data), ev, out);
        if (s->include_usage)
            usage_frame(s, out);
        cg_buf_text(out, "data: [DONE]\n\n");
        return true;
    default:
        frame(s, none, NULL, ev, out);
        return false;
    }
}

const struct cg_dialect cg_dialect_openai = { on_event };
