/* SPDX-License-Identifier: Apache-2.0
 * Runs: one question from admission to its settled end. The driver (run.c) knows when; each step, a file each, knows
 * what. A run speaks to the outside in events, through a sink; dialects are sinks of api.
 *
 * Everything that happens is a journal row, and the run's state is the fold of its rows (fold.c): a run loaded on
 * another worker goes on from its rows alone. */
#ifndef CG_RUN_RUN_H
#define CG_RUN_RUN_H

#include "engine/base/keys.h"
#include "engine/base/metrics.h"
#include "engine/plugin/invoke.h"
#include "engine/policy/policy.h"
#include "engine/svc/auth.h"
#include "engine/svc/kinds.h"

struct cg_run;
struct cg_runs; /* all that live in this worker */

struct cg_run_limits {
    int64_t steps;          /* model turns */
    int64_t calls;          /* tool calls */
    int64_t tokens;         /* input and output together */
    int64_t seconds;        /* wall time, without waiting for people */
    int64_t runs;           /* of one tenant at a time, over all workers */
    int64_t calls_per_hour; /* questions of one tenant */
    int64_t question_bytes;
    int64_t approval_ms; /* how long an approval waits */
};

/* What runs work with: one a worker, borrowed for its life. */
struct cg_run_env {
    struct cg_loop *loop;
    struct cg_db *db;
    struct cg_policy *policy;
    struct cg_plugins *plugins;
    struct cg_invoke_env invoke;
    const struct cg_keys *keys;
    const struct cg_tenants *tenants;
    const struct cg_kinds *kinds;
    struct cg_board *board;
    unsigned slot;
    struct cg_metrics *metrics;
    const char *owner;    /* "machine/slot/incarnation": who holds a run */
    const json_t *models; /* {"main": ["openai/gpt", "rules"]} */
    const json_t
        *prices; /* {"openai/gpt": {"input": 2.0, "cached": 0.5, "output": 8.0}}: dollars a million tokens */
    struct cg_run_limits limits;
};

enum cg_event_kind {
    CG_EV_START,
    CG_EV_STEP,
    CG_EV_TOOL_CALL,
    CG_EV_TOOL_RESULT,
    CG_EV_CITATION,
    CG_EV_MESSAGE,
    CG_EV_USAGE,
    CG_EV_APPROVAL,
    CG_EV_RESTART,
    CG_EV_DONE,
    CG_EV_ERROR,
    CG_EV_KINDS
};

struct cg_event {
    enum cg_event_kind kind;
    const char *id;         /* "run_...-4"; NULL for steps */
    const json_t *data;     /* NULL for messages */
    struct cogent_str text; /* messages */
};

const char *cg_event_name(enum cg_event_kind kind);

struct cg_sink {
    void (*event)(void *arg, const struct cg_event *event);
    void *arg;
    bool firm; /* text that went out cannot be taken back: no restart, the turn fails instead */
    /* Admission failed after cg_run_start had returned: no event came and none will. COGENT_CONFLICT: the key is
     * another run's. Needed only with a key. */
    void (*refused)(void *arg, int err);
};

struct cg_run_request {
    struct cg_caller *caller;
    struct cogent_str query;
    const json_t *history;          /* [{"role", "content"}] or NULL */
    const json_t *needs;            /* permissions that the history rests on, or NULL (session.h) */
    const json_t *context;          /* {"type", "id"} or NULL */
    const json_t *tools;            /* NULL or true: all; false: none; array of names */
    const char *model;              /* chain; NULL: main */
    const char *session;            /* NULL: a new one */
    const char *locale, *time_zone; /* NULL: the caller's */
    bool detach;
    bool keeps; /* the turn is kept in the session; history holds its last ones already (session.h) */
    /* The client's Idempotency-Key and the hash of what came with it: asked once, and answered though the client
     * leaves. NULL: none. */
    const char *key, *hash;
};

struct cg_runs *cg_runs_create(const struct cg_run_env *env);
/* Ends what is left: runs that survive their client are written down for another worker. */
void cg_runs_destroy(struct cg_runs *runs);
/* Ends those that nobody takes up again when this worker goes: their clients are told. */
void cg_runs_end(struct cg_runs *runs);
size_t cg_runs_live(const struct cg_runs *runs);

/* Admits and starts a run. The sink's events come later, `start` first; exactly one `done` or `error` ends them. On
 * failure nothing started: err and *code say why (429, 403, 404 model). */
int cg_run_start(struct cg_runs *runs, const struct cg_run_request *request, const struct cg_sink *sink,
                 struct cg_run **out, const char **code, struct cg_err *err);
const char *cg_run_id(const struct cg_run *run);
const char *cg_run_session(const struct cg_run *run);
/* The client has gone: the sink is used no more; the run goes on only when it is detached or an effect is under way. */
void cg_run_leave(struct cg_run *run);

/* From now on the run's events go to this sink. */
void cg_run_listen(struct cg_run *run, const struct cg_sink *sink);

/* The caller has come with a fresh credential: runs of theirs that waited for one go on with it. Cheap where none
 * waits. */
void cg_runs_signed_in(struct cg_runs *runs, struct cg_caller *caller);

/* Cancels a live run of this worker. false: it is not here. */
bool cg_run_cancel_here(struct cg_runs *runs, const char *tenant_id, const char *run_id);

/* Takes up a run that waits or whose worker is gone: loads its journal, folds it and goes on. credential: the asker's
 * own, fresh; NULL: the sealed one. started(arg, run, err, until): without a run, 0: somebody has it;
 * COGENT_NOT_FOUND: it has ended; COGENT_CONFLICT: it waits for people, at most until then (microseconds since 1970).
 * Never before this returns. */
typedef void (*cg_resumed_fn)(void *arg, struct cg_run *run, int err, int64_t until);
void cg_run_resume(struct cg_runs *runs, const struct cg_tenant *tenant, const char *run_id,
                   struct cg_caller *credential, cg_resumed_fn started, void *arg);

/* Whether the worker that holds a run still lives, as far as this machine can see. */
bool cg_run_owner_lives(const struct cg_run_env *env, struct cogent_str holder);

/* The events of journal rows, as the live run emitted them: for reading a run again. */
struct cg_replay {
    const char *run; /* id; borrowed */
    int64_t row,
        byte; /* what the reader has: rows up to this one, and of its text so many bytes; -1: nothing */
    struct cg_sink sink;
    json_t *cites, *shown; /* its own: NULL at first; finish frees them */
};

/* rows: a JSON array of {"row", "kind", "body"}, in order; several calls go on from one another. Of the places where
 * the run waited only one at the very end is told, when `waits`. */
void cg_replay_rows(struct cg_replay *replay, const json_t *rows, bool waits);
void cg_replay_finish(struct cg_replay *replay);

/* The body of an error, as HTTP has it and the stream has it: {"type", "title", "status", "detail", "error": {...},
 * "retryable", "request_id"}. */
json_t *cg_error_body(int err, const char *code, const char *detail, const char *request_id);
int cg_error_status(int err);

#endif
