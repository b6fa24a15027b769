/* SPDX-License-Identifier: Apache-2.0 */
#include "errors.h"

#include "common/json.h"
#include "common/words.h"

#include <stdarg.h>
#include <stdio.h>

int th_problem(struct th_problem *problem, int err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(problem->message, sizeof problem->message, format, args);
    va_end(args);
    problem->err = err;
    return err;
}

int th_class(const char *name)
{
    static const int classes[] = { COGENT_INVALID,  COGENT_DENIED,      COGENT_NOT_FOUND,
                                   COGENT_CONFLICT, COGENT_AUTH,        COGENT_LIMIT,
                                   COGENT_TIMEOUT,  COGENT_UNAVAILABLE, COGENT_UPSTREAM };
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strcmp(cogent_err_name(classes[i]), name) == 0)
            return classes[i];
    return 0;
}

static int by_status(int status)
{
    switch (status) {
    case 400:
    case 422:
        return COGENT_INVALID;
    case 401:
        return COGENT_AUTH;
    case 403:
        return COGENT_DENIED;
    case 404:
    case 410:
        return COGENT_NOT_FOUND;
    case 408:
        return COGENT_TIMEOUT;
    case 409:
    case 412:
        return COGENT_CONFLICT;
    case 429:
        return COGENT_LIMIT;
    case 503:
        return COGENT_UNAVAILABLE;
    default:
        return status >= 200 && status < 300 ? 0 : COGENT_UPSTREAM;
    }
}

static int mapped(const struct th_tool *tool, int status, json_t *body)
{
    struct cp_buf key = { 0 };
    const char *name = NULL;
    json_t *code = tool->errors.code ? cp_json_at(body, tool->errors.code) : NULL;
    if (json_is_string(code) || json_is_integer(code)) {
        cp_json_text(&key, code);
        name = json_string_value(json_object_get(tool->errors.map, key.ptr ? key.ptr : ""));
    }
    if (!name) {
        cp_buf_clear(&key);
        cp_buf_format(&key, "%d", status);
        name = json_string_value(json_object_get(tool->errors.map, key.ptr ? key.ptr : ""));
    }
    cp_buf_finish(&key);
    return name ? th_class(name) : 0;
}

/* One entry of a list of complaints: its words, after the place they are about. */
static void complaint(struct cp_buf *out, json_t *entry)
{
    static const char *const places[] = { "/msg", "/message", "/detail" };
    json_t *words = json_is_string(entry) ? entry : NULL, *loc = cp_json_at(entry, "/loc"), *step;
    size_t i;
    for (i = 0; !words && i < 3; i++)
        words = cp_json_at(entry, places[i]);
    if (out->len)
        cp_buf_text(out, "; ");
    json_array_foreach (loc, i, step) {
        if (i)
            cp_buf_byte(out, '.');
        cp_json_text(out, step);
    }
    if (json_array_size(loc))
        cp_buf_text(out, ": ");
    cp_json_text(out, words ? words : entry);
}

static void hide_names(const struct cogent_asker *asker, json_t *names, struct cp_buf *words)
{
    const char *name;
    json_t *unused;
    json_object_foreach (names, name, unused) {
        cp_words_hide(words, asker->secret ? asker->secret(asker, name) : NULL);
    }
}

/* What is short or has a space is a name, no credential, and would blacken ordinary words. */
static void hide_login(json_t *value, struct cp_buf *words)
{
    enum { SHORT = 8 };
    const char *key;
    json_t *member;
    size_t i;
    if (json_string_length(value) >= SHORT && !strchr(json_string_value(value), ' '))
        cp_words_hide(words, json_string_value(value));
    json_array_foreach (value, i, member) {
        hide_login(member, words);
    }
    json_object_foreach (value, key, member) {
        hide_login(member, words);
    }
}

/* The value of a header, and what follows its scheme. */
static void hide_header(const char *value, struct cp_buf *words)
{
    const char *space = value ? strchr(value, ' ') : NULL;
    cp_words_hide(words, value);
    cp_words_hide(words, space ? space + 1 : NULL);
}

void th_hide(const struct th_tool *tool, const struct th_vars *vars, const char *credential,
             struct cp_buf *words)
{
    if (!vars->asker)
        return;
    hide_header(vars->asker->authorization, words);
    hide_header(credential, words);
    hide_login(vars->login, words);
    hide_names(vars->asker, tool->secrets, words);
    hide_names(vars->asker, tool->auth->secrets, words);
}

static void collect(const struct th_tool *tool, const struct th_vars *vars, const char *credential,
                    json_t *body, struct cp_buf *out)
{
    json_t *message = tool->errors.message ? cp_json_at(body, tool->errors.message) : NULL, *entry;
    struct cp_buf raw = { 0 };
    size_t i;
    if (json_is_array(message)) {
        json_array_foreach (message, i, entry) {
            complaint(&raw, entry);
        }
    } else if (message) {
        complaint(&raw, message);
    }
    th_hide(tool, vars, credential, &raw);
    cp_words(out, cp_buf_peek(&raw), CP_WORDS_MAX);
    cp_buf_finish(&raw);
}

int th_judge(const struct th_tool *tool, const struct th_vars *vars, const char *credential, int status,
             json_t *body, struct th_problem *problem)
{
    json_t *flag = tool->errors.at ? cp_json_at(body, tool->errors.at) : NULL;
    int flagged = flag && !json_is_false(flag);
    int err = by_status(status);
    if (!err && !flagged)
        return 0;
    int better = mapped(tool, status, body);
    err = better ? better : err ? err : COGENT_UPSTREAM;
    struct cp_buf words = { 0 };
    if (err == COGENT_INVALID || err == COGENT_DENIED || err == COGENT_NOT_FOUND || err == COGENT_CONFLICT)
        collect(tool, vars, credential, body, &words);
    if (words.len)
        th_problem(problem, err, "%s", words.ptr);
    else if (flagged && status < 300)
        th_problem(problem, err, "%s answered with an error", tool->service->name);
    else
        th_problem(problem, err, "%s answered %d", tool->service->name, status);
    cp_buf_finish(&words);
    return err;
}
