/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include "common/json.h"
#include "errors.h"

static const struct cogent_trace_api *watcher(const struct cogent_call *call)
{
    return COGENT_HAS(call->host, trace) ? call->host->trace : NULL;
}

/* Takes json. */
static int tell(const struct cogent_call *call, const char *what, json_t *json)
{
    struct cp_buf text = { .secret = 1 };
    cp_json_write(&text, json);
    int rc = text.failed ? COGENT_NO_MEMORY : watcher(call)->told(call, what, cp_buf_peek(&text));
    cp_buf_finish(&text);
    cp_json_drop(json);
    return rc;
}

json_t *th_request_shown(const struct th_tool *tool, const struct th_request *request)
{
    json_t *headers = json_object();
    for (size_t i = 0; i < request->n_headers; i++)
        json_object_set_new(headers, request->headers[i].name, json_string(request->headers[i].value));
    json_t *out =
        json_pack("{s:s, s:s, s:o}", "method", tool->method, "url", request->url.ptr, "headers", headers);
    json_t *body = tool->form ? NULL : cp_json_load(cp_buf_peek(&request->body));
    if (!body && request->body.len)
        body = json_stringn(request->body.ptr, request->body.len);
    if (body)
        json_object_set_new(out, "body", body);
    return out;
}

int th_trace_request(const struct cogent_call *call, const struct th_tool *tool, const struct th_vars *vars,
                     const char *next)
{
    struct th_request built = { 0 };
    struct th_problem problem;
    struct th_vars shown = *vars;
    shown.masked = 1;
    if (!watcher(call))
        return 0;
    int rc = th_request_build(tool, &shown, next, &built, &problem);
    if (rc == 0)
        rc = tell(call, "request", th_request_shown(tool, &built));
    th_request_finish(&built);
    return rc;
}

void th_trace_reply(const struct cogent_call *call, const struct th_tool *tool, const struct th_vars *vars,
                    const char *credential, const struct cogent_http_result *result)
{
    struct cp_buf words = { .secret = 1 };
    if (!watcher(call))
        return;
    cp_buf_str(&words, result->body);
    th_hide(tool, vars, credential, &words);
    json_t *body = cp_json_load(cp_buf_peek(&words));
    if (!body)
        body = json_stringn(cp_buf_peek(&words).ptr, words.len);
    json_t *reply = json_pack("{s:i}", "status", result->status);
    if (reply && body)
        json_object_set_new(reply, "body", body);
    else
        json_decref(body);
    tell(call, "reply", reply);
    cp_buf_finish(&words);
}

void th_trace_status(const struct cogent_call *call, const char *what, int status)
{
    if (watcher(call))
        tell(call, what, json_pack("{s:i}", "status", status));
}
