/* SPDX-License-Identifier: Apache-2.0
 * Errors as HTTP and the stream have them: one table from our short list to status, code and type. */
#include "run.h"

static const struct {
    int err, status;
    const char *code, *title, *type;
    bool retryable;
} errors[] = {
    { COGENT_INVALID, 400, "invalid_request", "Invalid request", "invalid_request_error", false },
    { COGENT_DENIED, 403, "permission_denied", "Not allowed", "permission_error", false },
    { COGENT_NOT_FOUND, 404, "not_found", "Not found", "invalid_request_error", false },
    { COGENT_CONFLICT, 409, "conflict", "Conflict", "invalid_request_error", false },
    { COGENT_AUTH, 401, "token_invalid", "Not authenticated", "authentication_error", false },
    { COGENT_LIMIT, 429, "rate_limited", "Too many requests", "rate_limit_error", true },
    { COGENT_BUDGET, 402, "budget_spent", "Budget spent", "insufficient_quota", false },
    { COGENT_TIMEOUT, 504, "timeout", "Timed out", "server_error", true },
    { COGENT_UNAVAILABLE, 503, "unavailable", "Unavailable", "server_error", true },
    { COGENT_UPSTREAM, 502, "upstream_failed", "Upstream failed", "server_error", true },
    { COGENT_UNKNOWN, 502, "outcome_unknown", "Outcome unknown", "server_error", false },
    { COGENT_CANCELLED, 499, "cancelled", "Cancelled", "invalid_request_error", false },
    { COGENT_NO_MEMORY, 503, "unavailable", "Out of memory", "server_error", true },
    { COGENT_INTERNAL, 500, "internal", "Internal error", "server_error", false },
};

static size_t error_index(int err)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (errors[i].err == err)
            return i;
    }
    return sizeof errors / sizeof errors[0] - 1;
}

int cg_error_status(int err)
{
    return errors[error_index(err)].status;
}

json_t *cg_error_body(int err, const char *code, const char *detail, const char *request_id)
{
    size_t i = error_index(err);
    cg_auto_buf type = { 0 };
    if (!code)
        code = errors[i].code;
    cg_buf_printf(&type, "https://cogent.example/errors/%s", code);
    return json_pack("{s:s, s:s, s:i, s:s, s:{s:s, s:s, s:n, s:s}, s:b, s:s*}", "type",
                     type.failed ? "about:blank" : type.ptr, "title", errors[i].title, "status",
                     errors[i].status, "detail", detail, "error", "message", detail, "type", errors[i].type,
                     "param", "code", code, "retryable", (int)errors[i].retryable, "request_id", request_id);
}
