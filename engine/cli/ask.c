/* SPDX-License-Identifier: Apache-2.0
 * cogent ask: a question, or a conversation from standard input. */
#include "ask.h"

#include "command.h"
#include "out.h"

#include "engine/base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUESTION_MAX = 32 * 1024, DECISIONS_MAX = 16 };

static void forget_question(struct cg_ask *ask)
{
    json_decref(ask->citations);
    json_decref(ask->approvals);
    free(ask->status);
    free(ask->content);
    free(ask->run);
    free(ask->answered);
    ask->citations = ask->approvals = NULL;
    ask->status = ask->content = ask->run = ask->answered = NULL;
    ask->in_text = ask->told = ask->failed = ask->ended = false;
}

/* What waits is decided one by one; each decision goes on with the run, which may ask again. */
static int settle_all(struct cg_ask *ask)
{
    int rc = CG_EXIT_OK;
    for (int i = 0; rc == CG_EXIT_OK && i < DECISIONS_MAX && json_array_size(ask->approvals); i++) {
        bool decided;
        json_t *approval = json_incref(json_array_get(ask->approvals, 0));
        json_array_remove(ask->approvals, 0);
        ask->ended = false;
        ask->in_text = ask->told = false;
        rc = cg_ask_settle(ask, approval, &decided);
        json_decref(approval);
        if (!decided)
            ask->ended = true;
    }
    return rc;
}

/* The stream ended, and the run did not. */
static int say_cut(const struct cg_ask *ask)
{
    const char *run = ask->run && *ask->run ? ask->run : NULL;
    if (!ask->json && ask->in_text)
        putchar('\n');
    fflush(stdout);
    fprintf(stderr,
            "cogent ask: the answer broke off: the worker that gave it was lost, or the connection to it");
    if (run)
        fprintf(
            stderr,
            " (%s). Ask again; if it was writing, `cogent runs %s --events` says first what became of it.\n",
            run, run);
    else
        fprintf(stderr, ". Ask again; `cogent runs` lists what was asked.\n");
    return CG_EXIT_FAILED;
}

static int ask_one(struct cg_ask *ask, const char *question)
{
    forget_question(ask);
    ask->citations = json_array();
    ask->approvals = json_array();
    ask->began_us = cg_mono_us();
    cg_auto_json query = json_string(question);
    if (!query) {
        fprintf(stderr, "cogent ask: the question is not valid UTF-8\n");
        return CG_EXIT_USAGE;
    }
    cg_auto_json body =
        json_pack("{s:O, s:s*, s:s*}", "query", query, "session", ask->session, "model", ask->model);
    if (ask->no_tools)
        json_object_set_new(body, "tools", json_false());
    int rc = cg_client_stream(&ask->client, "POST", "/v1/assistant/chat/stream", body, cg_ask_show, ask);
    if (rc == CG_EXIT_OK ||
        (ask->client.broke && ask->ended)) /* what breaks off behind the end is not missed */
        rc = settle_all(ask);
    if (!ask->ended && (rc == CG_EXIT_OK || ask->client.broke))
        return say_cut(ask);
    if (rc == CG_EXIT_OK && ask->status)
        cg_ask_show_end(ask);
    return rc == CG_EXIT_OK && ask->failed ? CG_EXIT_FAILED : rc;
}

static int ask_lines(struct cg_ask *ask)
{
    static char line[QUESTION_MAX];
    int worst = CG_EXIT_OK;
    bool people = isatty(STDIN_FILENO) && !ask->json;
    for (;;) {
        if (people) {
            printf("> ");
            fflush(stdout);
        }
        if (!fgets(line, sizeof line, stdin))
            break;
        line[strcspn(line, "\r\n")] = '\0';
        if (!*line)
            continue;
        int rc = ask_one(ask, line);
        worst = rc > worst ? rc : worst;
    }
    return worst;
}

int cg_cli_ask(int argc, char **argv)
{
    bool missing = false;
    struct cg_ask ask = { .decide = CG_ASK_PROMPT };
    ask.json = cg_take_flag(&argc, argv, "--json");
    ask.no_tools = cg_take_flag(&argc, argv, "--no-tools");
    bool yes = cg_take_flag(&argc, argv, "--yes"), no = cg_take_flag(&argc, argv, "--no");
    const char *session = cg_take_option(&argc, argv, "--session", &missing);
    ask.model = cg_take_option(&argc, argv, "--model", &missing);
    const char *unknown = cg_unknown_option(argc, argv);
    if (missing || unknown)
        return cg_usage_word("ask", unknown, "--session and --model need a value");
    if (argc > 2)
        return cg_usage("ask", "the question is one argument: put it in quotes");
    if (yes && no)
        return cg_usage("ask", "either --yes or --no");
    ask.decide = yes ? CG_ASK_YES : no ? CG_ASK_NO : CG_ASK_PROMPT;
    int rc = cg_client_open(&ask.client, "ask");
    if (rc != CG_EXIT_OK)
        return rc;
    ask.session = session ? cg_str_dup(cogent_str(session)) : NULL;
    bool from_stdin = argc < 2 || strcmp(argv[1], "-") == 0;
    rc = from_stdin ? ask_lines(&ask) : ask_one(&ask, argv[1]);
    forget_question(&ask);
    free(ask.session);
    cg_client_close(&ask.client);
    return rc;
}
