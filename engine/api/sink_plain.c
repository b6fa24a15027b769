/* SPDX-License-Identifier: Apache-2.0
 * The whole answer in one body. */
#include "sink.h"

/* After a restart a number may be given again: the last one counts. */
static void add_citation(struct cg_plain_sink *s, json_t *citation)
{
    size_t n = (size_t)cg_json_int(citation, "n", 1);
    if (!s->citations)
        s->citations = json_array();
    while (n && json_array_size(s->citations) >= n)
        json_array_remove(s->citations, json_array_size(s->citations) - 1);
    json_array_append(s->citations, citation);
}

static bool on_event(void *self, const struct cg_event *ev, struct cg_buf *out)
{
    struct cg_plain_sink *s = self;
    (void)out;
    switch (ev->kind) {
    case CG_EV_CITATION:
        add_citation(s, (json_t *)ev->data);
        return false;
    case CG_EV_APPROVAL:
        if (!s->approvals)
            s->approvals = json_array();
        json_array_append(s->approvals, (json_t *)ev->data);
        return false;
    case CG_EV_USAGE:
        if (!s->usage)
            s->usage = json_array();
        json_array_append(s->usage, (json_t *)ev->data);
        return false;
    case CG_EV_DONE:
        while (json_array_size(s->citations) > json_array_size(json_object_get(ev->data, "citations")))
            json_array_remove(s->citations, json_array_size(s->citations) - 1);
        s->end = json_incref((json_t *)ev->data);
        return true;
    case CG_EV_ERROR:
        s->error = json_incref((json_t *)ev->data);
        return true;
    default:
        return false;
    }
}

const struct cg_dialect cg_dialect_plain = { on_event };

void cg_plain_sink_finish(struct cg_plain_sink *s)
{
    json_decref(s->citations);
    json_decref(s->approvals);
    json_decref(s->usage);
    json_decref(s->end);
    json_decref(s->error);
    cg_buf_finish(&s->text);
}

static void add_up(const json_t *turns, json_int_t *input, json_int_t *output)
{
    size_t i;
    json_t *turn;
    *input = *output = 0;
    json_array_foreach (turns, i, turn) {
        *input += cg_json_int(turn, "input_tokens", 0);
        *output += cg_json_int(turn, "output_tokens", 0);
    }
}

json_t *cg_plain_sink_body(struct cg_plain_sink *s)
{
    json_int_t input, output;
    const char *content = cg_json_str(s->end, "content", ""),
               *status = cg_json_str(s->end, "status", "complete");
    add_up(s->usage, &input, &output);
    if (s->openai)
        return json_pack(
            "{s:s, s:s, s:I, s:s, s:[{s:i, s:{s:s, s:s}, s:s}], s:{s:I, s:I, s:I}, s:{s:s, s:s, s:O*, s:O*}}",
            "id", s->run, "object", "chat.completion", "created", (json_int_t)s->created, "model", s->model,
            "choices", "index", 0, "message", "role", "assistant", "content", content, "finish_reason",
            cg_openai_finish(s->end), "usage", "prompt_tokens", input, "completion_tokens", output,
            "total_tokens", input + output, "cogent", "status", status, "run", s->run, "citations",
            s->citations, "approvals", s->approvals);
    return json_pack("{s:{s:s, s:s, s:o, s:o, s:o, s:s, s:s?}}", "data", "content", content, "status", status,
                     "citations", s->citations ? json_incref(s->citations) : json_array(), "approvals",
                     s->approvals ? json_incref(s->approvals) : json_array(), "usage",
                     s->usage ? json_incref(s->usage) : json_array(), "run", s->run, "session",
                     s->session[0] ? s->session : NULL);
}
