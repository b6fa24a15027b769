/* SPDX-License-Identifier: Apache-2.0
 * cogent import: records from a file of lines, some in flight at a time. A line that is wrong costs that line. */
#include "client.h"
#include "command.h"
#include "out.h"

#include "engine/base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IN_FLIGHT = 16, LINE_MAX_BYTES = 1024 * 1024, ERRORS_SHOWN = 20, TRIES = 5, AGAIN_MS = 500 };

struct sending;

struct import {
    struct cg_client client;
    FILE *file;
    char *line;
    size_t line_size;
    struct sending *held; /* waits: the same record is on its way */
    json_t *paths;        /* those on their way */
    size_t number, under_way, put, dropped, refused;
    json_t *errors;
    int64_t began_us, told_us;
    bool json, people, over, stopped;
};

/* One line on its way. */
struct sending {
    struct import *import;
    size_t number;
    char *path, *body;
    bool drops;
    int tries;
};

static void sending_free(struct sending *s)
{
    free(s->path);
    free(s->body);
    free(s);
}

static void tell_progress(struct import *in, bool last)
{
    int64_t now = cg_mono_us();
    if (!in->people || (!last && now - in->told_us < 200000))
        return;
    in->told_us = now;
    double seconds = (double)(now - in->began_us) / 1e6;
    fprintf(stderr, "\r  %zu lines, %.0f a second, %zu refused ", in->number,
            seconds > 0.01 ? (double)in->number / seconds : 0.0, in->refused);
    if (last)
        fputc('\n', stderr);
}

static void refuse(struct import *in, size_t number, const char *why)
{
    in->refused++;
    json_array_append_new(in->errors, json_pack("{s:I, s:s}", "line", (json_int_t)number, "message", why));
    if (in->json || in->refused > ERRORS_SHOWN)
        return;
    fprintf(stderr, "%sline %zu: %s\n", in->people ? "\r" : "", number, why);
    if (in->refused == ERRORS_SHOWN)
        fprintf(stderr, "more lines are counted, not shown (--json lists all)\n");
}

static void fill(struct import *in);
static bool send_one(struct sending *s);

static void again(void *arg)
{
    struct sending *s = arg;
    if (!send_one(s)) {
        s->import->under_way--;
        json_object_del(s->import->paths, s->path);
        refuse(s->import, s->number, "out of memory");
        sending_free(s);
    }
}

/* Busy or not there for a moment: the same line once more. Putting a record twice changes nothing. */
static bool try_again(struct sending *s, const struct cogent_http_result *result)
{
    bool busy = result->status == 429 || result->status == 503 || (result->err < 0 && s->tries > 0);
    if (!busy || ++s->tries >= TRIES)
        return false;
    uint32_t ms = result->retry_after_ms && result->retry_after_ms < 5000 ? result->retry_after_ms : AGAIN_MS;
    return !cogent_op_none(
        cg_timer_after(s->import->client.loop, (struct cogent_op){ 0, 0 }, "again", ms, again, s));
}

static void on_done(void *arg, const struct cogent_http_result *result)
{
    struct sending *s = arg;
    struct import *in = s->import;
    if (try_again(s, result))
        return;
    in->under_way--;
    json_object_del(in->paths, s->path);
    if (result->err == 0 && result->status == 200) {
        if (s->drops)
            in->dropped++;
        else
            in->put++;
    } else {
        cg_auto_buf why = { 0 };
        cg_client_explain(&in->client, result, &why);
        refuse(in, s->number, why.ptr ? why.ptr : "out of memory");
        /* Not this line's fault: the next would fare no better. */
        if (result->err < 0 || result->status == 401 || result->status == 403)
            in->stopped = true;
    }
    sending_free(s);
    fill(in);
}

static bool send_one(struct sending *s)
{
    return cg_client_send(&s->import->client, s->drops ? "DELETE" : "PUT", s->path,
                          s->body ? cogent_str(s->body) : (struct cogent_str){ NULL, 0 }, on_done, s);
}

/* What the line must be, or NULL. */
static const char *read_line(const json_t *line, struct sending *s)
{
    const char *type = cg_json_str(line, "type", NULL);
    const json_t *id = json_object_get(line, "id"), *record = json_object_get(line, "record");
    s->drops = cg_json_bool(line, "delete", false);
    cg_auto_free char *number = json_is_integer(id) ? cg_json_text(id) : NULL;
    const char *name = json_is_string(id) ? json_string_value(id) : number;
    if (!json_is_object(line) || !type || !*type)
        return "type must be a string (a kind of record, as entities/ names it)";
    if (!name || !*name)
        return "id must be a string or an integer";
    if (!s->drops && !json_is_object(record))
        return "record must be an object, or delete must be true";
    s->path = cg_client_path("/v1/documents/", type, name);
    cg_auto_json body = s->drops ? NULL : json_pack("{s:O}", "record", (json_t *)record);
    s->body = body ? cg_json_text(body) : NULL;
    return s->path && (s->drops || s->body) ? NULL : "out of memory";
}

static void take_line(struct import *in, struct cogent_str text)
{
    struct cg_err err = { 0 };
    struct sending *s = calloc(1, sizeof *s);
    if (!s) {
        refuse(in, in->number, "out of memory");
        return;
    }
    s->import = in;
    s->number = in->number;
    cg_auto_json line = text.len <= LINE_MAX_BYTES ? cg_json_parse(text, &err) : NULL;
    const char *why = text.len > LINE_MAX_BYTES ? "the line is longer than 1 MiB"
                      : !line                   ? err.message
                                                : read_line(line, s);
    if (!why) {
        in->held = s;
        return;
    }
    refuse(in, s->number, why);
    sending_free(s);
}

/* Lines about one record keep their order: the later waits for the earlier. false: it waits. */
static bool release(struct import *in)
{
    struct sending *s = in->held;
    if (!s || json_object_get(in->paths, s->path))
        return !s;
    in->held = NULL;
    in->under_way++;
    json_object_set_new(in->paths, s->path, json_true());
    again(s);
    return true;
}

static void fill(struct import *in)
{
    while (!in->over && !in->stopped && in->under_way < IN_FLIGHT && release(in)) {
        ssize_t n = getline(&in->line, &in->line_size, in->file);
        if (n < 0) {
            in->over = true;
            break;
        }
        in->number++;
        while (n && strchr("\r\n \t", in->line[n - 1]))
            n--;
        if (n)
            take_line(in, (struct cogent_str){ in->line, (size_t)n });
    }
    if (!in->stopped)
        release(in);
    tell_progress(in, false);
    if (in->under_way == 0 && (in->over || in->stopped))
        cg_loop_stop(in->client.loop);
}

static int report(struct import *in)
{
    double seconds = (double)(cg_mono_us() - in->began_us) / 1e6;
    tell_progress(in, true);
    if (in->stopped)
        fprintf(stderr, "cogent import: stopped at line %zu: the rest would be refused likewise\n",
                in->number);
    if (in->json) {
        cg_auto_json all =
            json_pack("{s:I, s:I, s:I, s:I, s:b, s:O}", "lines", (json_int_t)in->number, "put",
                      (json_int_t)in->put, "deleted", (json_int_t)in->dropped, "refused",
                      (json_int_t)in->refused, "stopped", (int)in->stopped, "errors", in->errors);
        cg_out_json(all);
    } else {
        printf("%zu put, %zu deleted, %zu refused in %.1f s\n", in->put, in->dropped, in->refused, seconds);
    }
    return in->refused || in->stopped ? CG_EXIT_FAILED : CG_EXIT_OK;
}

int cg_cli_import(int argc, char **argv)
{
    struct import in = { .json = cg_take_flag(&argc, argv, "--json") };
    const char *unknown = cg_unknown_option(argc, argv);
    if (unknown || argc != 2)
        return cg_usage_word("import", unknown, "name one file, or - for standard input");
    bool from_stdin = strcmp(argv[1], "-") == 0;
    in.file = from_stdin ? stdin : fopen(argv[1], "re");
    if (!in.file) {
        fprintf(stderr, "cogent import: %s: %s\n", argv[1], strerror(errno));
        return CG_EXIT_FAILED;
    }
    int rc = cg_client_open(&in.client, "import");
    if (rc == CG_EXIT_OK) {
        in.errors = json_array();
        in.paths = json_object();
        in.people = isatty(STDERR_FILENO) && !in.json;
        in.began_us = cg_mono_us();
        fill(&in);
        if (in.under_way)
            cg_loop_run(in.client.loop);
        rc = report(&in);
        cg_client_close(&in.client);
    }
    if (in.held)
        sending_free(in.held);
    json_decref(in.errors);
    json_decref(in.paths);
    free(in.line);
    if (!from_stdin)
        fclose(in.file);
    return rc;
}
