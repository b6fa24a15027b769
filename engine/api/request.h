/* SPDX-License-Identifier: Apache-2.0
 * A request on its way to its handler, and the manners of answering. For the routes of this room. */
#ifndef CG_API_REQUEST_H
#define CG_API_REQUEST_H

#include "api.h"

enum { CG_PARAMS_MAX = 2, CG_PARAM_SIZE = 200, CG_ALLOW_SIZE = 48 };

struct cg_route;

struct cg_request {
    const struct cg_api_env *env;
    struct cg_exchange *x;
    const struct cg_route *route;
    struct cg_caller *caller;                  /* NULL on public routes */
    char params[CG_PARAMS_MAX][CG_PARAM_SIZE]; /* path segments in braces, decoded */
    json_t *body;                              /* parsed; NULL when the route takes none */
    struct cogent_op op;                       /* ends with the request or when the client goes */
    void (*gone)(
        struct cg_request *request); /* the client has left; NULL: the op is cancelled and that is all */
    void *data;                      /* the handler's; freed by it before it answers or in gone */
    int64_t began_us;
    bool
        unknown_key; /* its token names a key that we do not have: it is admitted when we have looked for it */
    bool counted;    /* in the worker's load */
    bool turned_away; /* its body is read, so that the connection can be kept, and nothing is made of it */
    char allow[CG_ALLOW_SIZE]; /* of a path that does not take the method: those that it takes */
    int status;
    uint32_t memory; /* cg_memory_failures when it began */
};

enum cg_route_flags {
    CG_PUBLIC = 1 << 0, /* no token */
    CG_BODY = 1 << 1,   /* a JSON object is required */
    CG_WORK = 1 << 2,   /* a question, or as much work: turned away when the worker has enough of them */
};

struct cg_route {
    const char *method, *path;
    const char *permission; /* of Cogent's own doors; NULL: any valid token */
    unsigned flags;
    size_t body_max;
    void (*handle)(struct cg_request *request);
    /* Set: the body is not collected; begin takes it (cg_exchange_on_body) when the head is there, and handle comes
     * behind its last piece. false: it has answered. */
    bool (*begin)(struct cg_request *request);
};

/* NULL ends the table. */
extern const struct cg_route cg_routes[];

/* Answers; the request is gone afterwards. */
void cg_answer_json(struct cg_request *r, int status, const json_t *body);
void cg_answer_text(struct cg_request *r, int status, struct cogent_str json); /* as it stands */
/* {"data": data}; takes data. */
void cg_answer_data(struct cg_request *r, int status, json_t *data);
void cg_answer_list(struct cg_request *r, json_t *data, const char *next);
void cg_answer_error(struct cg_request *r, int err, const char *code, const char *format, ...)
    COGENT_PRINTF(4, 5);
/* The database did not answer: err says how. */
void cg_answer_unavailable(struct cg_request *r, int err);
void cg_answer_error_body(struct cg_request *r, int status, const json_t *body);
void cg_answer_empty(struct cg_request *r);
/* A stream of events: headers now. */
void cg_answer_stream(struct cg_request *r, const char *extra);
void cg_answer_bytes(struct cg_request *r, struct cogent_str bytes);
void cg_answer_end(struct cg_request *r);

/* Query parameter, decoded; false when absent or too long. */
bool cg_query_param(const struct cg_request *r, const char *name, char *out, size_t size);
int64_t cg_query_int(const struct cg_request *r, const char *name, int64_t preset, int64_t max);

/* The routes' handlers, by file. */
void cg_route_chat_completions(struct cg_request *r);
void cg_route_embeddings(struct cg_request *r);
void cg_route_models(struct cg_request *r);
void cg_route_assistant_chat(struct cg_request *r);
void cg_route_assistant_stream(struct cg_request *r);
void cg_route_approvals(struct cg_request *r);
void cg_route_approval(struct cg_request *r);
void cg_route_approval_decide(struct cg_request *r);
void cg_route_me(struct cg_request *r);
void cg_route_tools(struct cg_request *r);
void cg_route_search(struct cg_request *r);
bool cg_route_documents_batch_begin(struct cg_request *r);
void cg_route_documents_batch(struct cg_request *r);
void cg_route_document_get(struct cg_request *r);
void cg_route_document_put(struct cg_request *r);
void cg_route_document_delete(struct cg_request *r);
void cg_route_runs(struct cg_request *r);
void cg_route_run(struct cg_request *r);
void cg_route_run_events(struct cg_request *r);
void cg_route_run_cancel(struct cg_request *r);
void cg_route_sessions(struct cg_request *r);
void cg_route_session(struct cg_request *r);
void cg_route_session_rename(struct cg_request *r);
void cg_route_session_delete(struct cg_request *r);
void cg_route_effects(struct cg_request *r);
void cg_route_effect(struct cg_request *r);
void cg_route_effect_resolve(struct cg_request *r);
void cg_route_openapi(struct cg_request *r);
void cg_route_healthz(struct cg_request *r);
void cg_route_readyz(struct cg_request *r);

#endif
