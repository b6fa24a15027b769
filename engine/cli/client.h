/* SPDX-License-Identifier: Apache-2.0
 * The commands' way to the server: one loop, one client, answers as JSON. */
#ifndef CG_CLI_CLIENT_H
#define CG_CLI_CLIENT_H

#include "engine/base/json.h"
#include "engine/io/http_client.h"
#include "place.h"

struct cg_client {
    struct cg_place place;
    struct cg_loop *loop;
    struct cg_http_client *http;
    const char *command; /* for messages */
    bool broke;          /* the last stream began, and broke off */
};

/* 0, or CG_EXIT_FAILED when it has said what is wrong. */
int cg_client_open(struct cg_client *client, const char *command);
void cg_client_close(struct cg_client *client);

/* One answer. body may be NULL. Gives the answer's JSON in *out (NULL when it has none); says what went wrong and
 * returns CG_EXIT_FAILED otherwise. */
int cg_client_call(struct cg_client *client, const char *method, const char *path, const json_t *body,
                   json_t **out);

/* A stream of events: event(arg, name, data) for each. One that breaks off is told by `broke` alone: whoever reads it
 * knows what is lost. */
typedef void (*cg_client_event_fn)(void *arg, struct cogent_str name, const json_t *data);
int cg_client_stream(struct cg_client *client, const char *method, const char *path, const json_t *body,
                     cg_client_event_fn event, void *arg);

/* Several at a time: done(arg, result) later, while cg_loop_run turns. false: it could not be sent. */
bool cg_client_send(struct cg_client *client, const char *method, const char *path, struct cogent_str body,
                    void (*done)(void *arg, const struct cogent_http_result *result), void *arg);

/* What went wrong, in words: an error body's detail and what to do. */
void cg_client_explain(const struct cg_client *client, const struct cogent_http_result *result,
                       struct cg_buf *out);

/* "/v1/documents/" + type + "/" + id, encoded. To free. */
char *cg_client_path(const char *before, const char *first, const char *second);

#endif
