/* SPDX-License-Identifier: Apache-2.0
 * cogent import: records from a file of lines, sent in pieces of whole lines, one after the other. A line that is wrong
 * costs that line; the server says which. */
#include "client.h"
#include "command.h"
#include "out.h"

#include "engine/base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE_BYTES = 1024 * 1024, ERRORS_SHOWN = 20, TRIES = 5, AGAIN_MS = 500, AGAIN_MAX_MS = 5000 };

struct import {
    struct cg_client client;
    FILE *file;
    char *line;
    size_t line_size;
    struct cg_buf piece; /* on its way */
    size_t before;       /* lines before it */
    size_t number;       /* lines read */
    size_t accepted, unchanged, rejected;
    unsigned tries;
    json_t *errors;
    int64_t began_us;
    bool json, people, any, over, stopped;
};

static void tell_progress(struct import *in, bool last)
{
    if (!in->people)
        return;
    double seconds = (double)(cg_mono_us() - in->began_us) / 1e6;
    fprintf(stderr, "\r  %zu lines, %.0f a second, %zu rejected ", in->number,
            seconds > 0.01 ? (double)in->number / seconds : 0.0, in->rejected);
    if (last)
        fputc('\n', stderr);
}

static void tell_error(struct import *in, json_t *error)
{
    size_t line = in->before + (size_t)cg_json_int(error, "line", 0), n = json_array_size(in->errors);
    json_object_set_new(error, "line", json_integer((json_int_t)line));
    json_array_append(in->errors, error);
    if (in->json || n >= ERRORS_SHOWN)
        return;
    fprintf(stderr, "%sline %zu: %s\n", in->people ? "\r" : "", line, cg_json_str(error, "message", ""));
    if (n + 1 == ERRORS_SHOWN)
        fprintf(stderr, "more lines are counted, not shown (--json lists more)\n");
}

static void send_piece(void *arg);
static void next_piece(struct import *in);

/* Busy or not there for a moment: the same piece once more. What is stored already costs nothing. */
static bool try_again(struct import *in, const struct cogent_http_result *result)
{
    bool busy = result->status == 429 || result->status == 503 || (result->err < 0 && in->any);
    if (!busy || ++in->tries >= TRIES)
        return false;
    uint32_t ms = result->retry_after_ms ? result->retry_after_ms : AGAIN_MS;
    return !cogent_op_none(cg_timer_after(in->client.loop, (struct cogent_op){ 0, 0 }, "again",
                                          ms < AGAIN_MAX_MS ? ms : AGAIN_MAX_MS, send_piece, in));
}

static void stop(struct import *in, const char *why)
{
    fprintf(stderr, "%scogent import: %s\n", in->people ? "\n" : "", why);
    in->stopped = true;
    cg_loop_stop(in->client.loop);
}

static void on_done(void *arg, const struct cogent_http_result *result)
{
    struct import *in = arg;
    size_t i;
    json_t *error;
    if (try_again(in, result))
        return;
    cg_auto_json answer =
        result->err == 0 && result->status == 200 ? cg_json_parse(result->body, NULL) : NULL;
    const json_t *data = answer ? json_object_get(answer, "data") : NULL;
    if (!data) {
        cg_auto_buf why = { 0 };
        cg_client_explain(&in->client, result, &why);
        stop(in, why.ptr ? why.ptr : "out of memory");
        return;
    }
    in->any = true;
    in->accepted += (size_t)cg_json_int(data, "accepted", 0);
    in->unchanged += (size_t)cg_json_int(data, "unchanged", 0);
    in->rejected += (size_t)cg_json_int(data, "rejected", 0);
    json_array_foreach (json_object_get(data, "errors"), i, error)
        tell_error(in, error);
    tell_progress(in, false);
    next_piece(in);
}

static void send_piece(void *arg)
{
    struct import *in = arg;
    if (!cg_client_send(&in->client, "POST", "/v1/documents/batch", cg_buf_view(&in->piece), on_done, in))
        stop(in, "out of memory");
}

/* Whole lines, as many as make a piece. */
static void next_piece(struct import *in)
{
    cg_buf_clear(&in->piece);
    in->before = in->number;
    in->tries = 0;
    while (!in->over && in->piece.len < PIECE_BYTES) {
        ssize_t n = getline(&in->line, &in->line_size, in->file);
        in->over = n < 0;
        in->number += n > 0;
        if (n > 0)
            cg_buf_add(&in->piece, in->line, (size_t)n);
    }
    if (in->piece.len)
        send_piece(in);
    else if (in->piece.failed)
        stop(in, "out of memory");
    else
        cg_loop_stop(in->client.loop);
}

static int report(struct import *in)
{
    double seconds = (double)(cg_mono_us() - in->began_us) / 1e6;
    if (!in->stopped)
        tell_progress(in, true);
    if (in->stopped)
        fprintf(
            stderr,
            "cogent import: stopped behind line %zu; begin again when that is mended, what is stored costs "
            "nothing\n",
            in->before);
    if (in->json) {
        cg_auto_json all =
            json_pack("{s:I, s:I, s:I, s:I, s:b, s:O}", "lines", (json_int_t)in->number, "accepted",
                      (json_int_t)in->accepted, "unchanged", (json_int_t)in->unchanged, "rejected",
                      (json_int_t)in->rejected, "stopped", (int)in->stopped, "errors", in->errors);
        cg_out_json(all);
    } else {
        printf("%zu accepted, %zu unchanged, %zu rejected in %.1f s\n", in->accepted, in->unchanged,
               in->rejected, seconds);
    }
    return in->rejected || in->stopped ? CG_EXIT_FAILED : CG_EXIT_OK;
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
        in.people = isatty(STDERR_FILENO) && !in.json;
        in.began_us = cg_mono_us();
        next_piece(&in);
        if (in.piece.len && !in.stopped)
            cg_loop_run(in.client.loop);
        rc = report(&in);
        cg_client_close(&in.client);
    }
    json_decref(in.errors);
    cg_buf_finish(&in.piece);
    free(in.line);
    if (!from_stdin)
        fclose(in.file);
    return rc;
}
