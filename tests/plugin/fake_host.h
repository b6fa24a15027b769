/* SPDX-License-Identifier: Apache-2.0
 * A host in memory for plugin tests: requests wait until the test answers them, timers until the test runs them,
 * completions are recorded. As in the engine, completing a call or chat ends all waits below it at once.
 */
#ifndef COGENT_TEST_FAKE_HOST_H
#define COGENT_TEST_FAKE_HOST_H

#include <cogent/plugin.h>
#include <cogent/provider.h>
#include <cogent/tool.h>

#include <jansson.h>

enum { FAKE_MAX = 64, FAKE_TEXT = 1 << 16 };

struct fake_request {
    char method[8];
    char url[2048];
    char body[FAKE_TEXT];
    char headers[4096]; /* "Name: value\n" each */
    uint32_t flags, total_ms;
    int live;
    struct cogent_op parent;
    struct cogent_http_events events;
    void *arg;
};

struct fake_timer {
    uint32_t ms;
    int live;
    struct cogent_op parent;
    void (*fn)(void *arg);
    void *arg;
};

struct fake {
    struct fake_request requests[FAKE_MAX];
    size_t n_requests;
    struct fake_timer timers[FAKE_MAX];
    size_t n_timers;
    int64_t now;
    int refuse_send; /* send gives no wait */

    /* what was completed */
    int completed; /* how often */
    int err;
    char message[2048];
    char result[FAKE_TEXT];
    char text[FAKE_TEXT];
    size_t n_texts;
    char calls[FAKE_TEXT]; /* "id|name|args\n" each */
    size_t n_calls;
    int n_usage;
    struct cogent_turn_usage usage;
    int finish;
    uint32_t retry_after_ms;
    int leave_after; /* the user goes after so many texts */
    char log[FAKE_TEXT];

    struct cogent_embed *embed;
    char vectors[FAKE_TEXT]; /* "index:1,0.5,\n" each */
    size_t n_vectors;
    int64_t tokens;

    struct cogent_call *call; /* the newest; others may live beside it */
    struct cogent_chat *chat;
    struct cogent_call *finished; /* completed last */
    /* Lua functions: reference -> C. Gets the first argument. */
    const char *(*function)(const char *reference, json_t *arg);
    int hold_back;        /* what the trace answers */
    char told[FAKE_TEXT]; /* "what json\n" each, when a trace watches */
};

extern struct fake fake;
extern const struct cogent_host fake_host;
extern const struct cogent_host fake_watched_host; /* the same, with a trace */

void fake_reset(void);
/* Loads a plugin; NULL when it cannot be loaded. */
const struct cogent_plugin *fake_load(const char *path);

/* Answers the newest request. */
void fake_event(const char *data);
void fake_answer(int status, const char *body);
void fake_answer_header(int status, const char *body, const char *name, const char *value);
void fake_broken(int err, int sent);
/* What is needed for odd ones. */
void fake_finish(const struct cogent_http_result *result);
/* Runs the newest timer; returns its delay, 0 when there is none. */
uint32_t fake_tick(void);
struct fake_request *fake_last(void);
size_t fake_live(void);

/* Ends the call or chat as the engine would when nobody waits any more. */
void fake_cancel(void);
void fake_cancel_embed(void);
void fake_cancel_call(struct cogent_call *call);
/* Answers below: the newest request, or that of `i`. */
void fake_choose(size_t i);

#endif
