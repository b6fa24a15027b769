/* SPDX-License-Identifier: Apache-2.0
 * The run's inside, shared by the steps of this room and nobody else. */
#ifndef CG_RUN_STATE_H
#define CG_RUN_STATE_H

#include "asker.h"
#include "guard.h"
#include "run.h"

enum cg_run_state {
    CG_RUN_ADMIT,
    CG_RUN_TAKEN, /* loaded from its journal, nothing started yet */
    CG_RUN_RETRIEVE,
    CG_RUN_PLAN,
    CG_RUN_GATE,
    CG_RUN_ACT,
    CG_RUN_SUSPEND,
    CG_RUN_SETTLE,
    CG_RUN_OVER,
};

/* Kinds of journal rows. The body of each is described where it is made. */
enum cg_row_kind {
    CG_ROW_OPEN,     /* admit.c: the question and whose it is */
    CG_ROW_CONTEXT,  /* retrieve.c: records, the system text */
    CG_ROW_ANSWER,   /* plan.c: one model turn: text, calls, usage */
    CG_ROW_VERDICT,  /* gate.c: what may become of a call, and why */
    CG_ROW_DISPATCH, /* act.c: a call is about to be sent */
    CG_ROW_OUTCOME,  /* act.c: what became of it */
    CG_ROW_AGAIN, /* act.c: the service refused the credential, so nothing was done: it is planned as before */
    CG_ROW_ASK,   /* suspend.c: the approval a call waits for */
    CG_ROW_DECISION, /* resume.c: what a person said */
    CG_ROW_WAIT,     /* suspend.c: the run waits: for approvals, or for its user to sign in again */
    CG_ROW_RESTART,  /* plan.c: the text of a turn is void, another model or worker begins it anew */
    CG_ROW_END,      /* settle.c: status, content */
    CG_ROW_KINDS
};

enum cg_call_state {
    CG_CALL_PROPOSED,
    CG_CALL_DENIED,
    CG_CALL_ASKING,
    CG_CALL_PLANNED,
    CG_CALL_DISPATCHED,
    CG_CALL_DONE,
    CG_CALL_FAILED,
    CG_CALL_UNKNOWN,
};

struct cg_call {
    struct cg_run *run;
    char id[12];                /* "c1": counts through the run */
    const struct cg_tool *tool; /* NULL: there is none of this name */
    struct {
        unsigned answer, verdict, args, ask, votes, outcome;
    } in;        /* the rows that say it; 0: none does yet */
    unsigned at; /* its place among the calls of its turn */
    enum cg_call_state state;
    char effect[CG_ID_SIZE]; /* writes; "" for reads */
    struct cogent_op op;
    int64_t began_us;
    unsigned write; /* that put its effect on disk */
    char *lost;     /* what was said of an answer that was lost, while the record is looked for */
    bool edited;    /* its args are those of the person who decided */
    bool running;   /* in this process: a fold never sets it */
};

struct cg_turn {
    unsigned row;    /* its answer */
    size_t first, n; /* its calls */
};

struct cg_row {
    int64_t at_us;
    json_t *body; /* NULL: it rests as its text; read it with cg_run_body */
    char *text;   /* as it is written; NULL: not made yet */
    enum cg_row_kind kind;
    unsigned write; /* the write that took it along; 0: none yet, or it failed */
};

struct cg_run_writing;

struct cg_run {
    struct cg_runs *runs;
    const struct cg_run_env *env;
    struct cg_run *next, **prev;
    char id[CG_ID_SIZE], session[CG_ID_SIZE + 32];
    struct cg_caller *caller;
    struct cg_asker asker;
    struct cg_sink sink;
    enum cg_run_state state;
    int64_t began_us, state_us;
    struct cogent_op root, work; /* all waits of the current step lie below work */
    struct cogent_op wall;

    /* The journal. */
    struct cg_row *rows;
    size_t n_rows, cap_rows;
    unsigned writes;                /* number of the last write begun */
    unsigned wrote_first, wrote;    /* of those that have just ended */
    struct cg_run_writing *writing; /* those on their way */

    /* The fold. */
    struct {
        unsigned context, end;
    } in;          /* the rows that say it; 0: none does yet */
    json_t *cites; /* candidates in order: n = index + 1 */
    json_t *shown; /* candidates' numbers in the order of their first marker */
    struct cg_turn *turns;
    size_t n_turns;
    struct cg_call **calls;
    size_t n_calls;
    struct cg_buf content; /* all text shown */
    int64_t input_tokens, cached_tokens, output_tokens;
    bool effects; /* one was dispatched */
    bool keeps;   /* it is a turn of its session */

    /* This process's own: lost and not missed when the run moves. */
    struct cg_plan *plan; /* the model turn under way */
    size_t link;          /* in the chain */
    int fault;            /* why it fails when it does, a cogent_err; 0: nobody knows */
    const char *stop;     /* status that the run ends with as soon as no effect is under way; NULL: goes on */
    bool detached, gone;  /* gone: nobody listens */
    bool keyed;           /* opened under an Idempotency-Key */
    bool fresh;           /* its credential came with a request that this process has seen */
    bool unsigned_in;     /* its user did not sign in again in time: what needs that fails */
    bool lost;            /* its worker died while it ran: what that one had said of an answer is void */
    bool counted, due;
    bool loading; /* a resume holds it and has not claimed it: nothing is done with it yet */
    struct cg_task next_task;
    uint32_t memory; /* cg_memory_failures when it began here */
    /* A write for which there was no memory: who waits for it is told at the end of this turn. */
    struct cg_task unwritten;
    unsigned unwritten_first,
        unwritten_last; /* their numbers; those between that are on their way are not meant */
    void (*unwritten_done)(struct cg_run *run, int err);
};

/* run.c: the driver. */
const char *cg_run_state_name(enum cg_run_state state);
/* The one place where the state changes; traced. */
void cg_run_enter(struct cg_run *run, enum cg_run_state state, const char *why);
/* Looks at the fold and starts the step that it calls for, at the end of this turn. */
void cg_run_next(struct cg_run *run);
/* Ends the run with this status as soon as no effect is under way. */
void cg_run_stop(struct cg_run *run, const char *status);
/* New parent for the waits of a step; what was left of the last one is cancelled. */
struct cogent_op cg_run_work(struct cg_run *run);
struct cg_run *cg_run_create(struct cg_runs *runs, struct cg_caller *caller, const char *id);
void cg_run_destroy(struct cg_run *run);

/* journal.c */
/* Appends a row (takes body), folds it, tells the sink unless quiet. Returns 0 or COGENT_NO_MEMORY, also when body may
 * lack a piece. What became of a call and how the run ended are kept with what there is. */
int cg_run_row(struct cg_run *run, enum cg_row_kind kind, json_t *body, bool quiet);
/* Whether this write is one of those that have just ended: what its done is told is about it. */
bool cg_run_wrote(const struct cg_run *run, unsigned no);
/* Whether memory ran out since the run began here: what was made from then on may lack a piece. */
bool cg_run_half(const struct cg_run *run);
/* A row as it was loaded: folded, told to nobody. Takes body. */
int cg_run_row_loaded(struct cg_run *run, enum cg_row_kind kind, int64_t at_us, json_t *body);
/* A row's body, borrowed until the run rests; NULL: there is no such row, or no memory to read it again. */
json_t *cg_run_body(const struct cg_run *run, size_t row);
/* Keeps of all rows the text alone: the trees of a row take five times as much, and while a model speaks nobody looks at
 * them. What was borrowed from a body is gone. */
void cg_run_rest(struct cg_run *run);
void cg_run_rows_finish(struct cg_run *run);
const char *cg_row_name(enum cg_row_kind kind);
int cg_row_kind_of(struct cogent_str name);
/* Writes what is not yet written, with `extra` steps before it, in one group. done may be NULL. */
void cg_run_write(struct cg_run *run, enum cg_durable durable, const struct cg_db_step *extra, size_t n_extra,
                  const char *status, void (*done)(struct cg_run *run, int err));

/* All rows so far are in the database already. */
void cg_run_rows_kept(struct cg_run *run);
/* Forgets what is on its way: it is written, and nobody is told. */
void cg_run_writing_free(struct cg_run *run);

/* Puts the run where another worker finds it when this one dies; taken out at its end. */
void cg_run_survives(struct cg_run *run);

/* fold.c */
int cg_fold_row(struct cg_run *run, const struct cg_row *row);
/* What the rows say, borrowed as a body is. NULL: nothing yet. */
json_t *cg_run_opening(const struct cg_run *run); /* the question and whose it is */
json_t *cg_run_context(const struct cg_run *run);
json_t *cg_run_ending(const struct cg_run *run);
json_t *
cg_call_use(const struct cg_call *call); /* {"id", "name", "args", "verbatim"?} as the provider gave it */
json_t *cg_call_args(const struct cg_call *call); /* canonical, defaults filled in */
json_t *cg_call_verdict(const struct cg_call *call);
json_t *cg_call_approval(const struct cg_call *call); /* the approval object */
json_t *cg_call_votes(const struct cg_call *call);    /* who said yes to it */
json_t *cg_call_outcome(const struct cg_call *call);
const char *cg_call_state_name(enum cg_call_state state);
struct cg_call *cg_run_call(struct cg_run *run, const char *id);

/* events.c */
void cg_run_emit_row(struct cg_run *run, size_t row);
void cg_run_emit(struct cg_run *run, enum cg_event_kind kind, const char *id, const json_t *data);
void cg_run_emit_step(struct cg_run *run, const char *step, const char *state, int64_t ms, int64_t records);
void cg_run_emit_text(struct cg_run *run, int64_t row, size_t byte, struct cogent_str text);
/* bytes: of the row's text, that the reader has before it. */
void cg_run_emit_citation(struct cg_run *run, int64_t row, size_t bytes, unsigned candidate);

/* The steps. */
int cg_admit_open(struct cg_run *run, const struct cg_run_request *request, struct cg_err *err,
                  const char **code);
/* What the caller's token grants, and its roles: what roles grant is looked up when a run is taken up. A new
 * reference: {"permissions", "roles"}. */
json_t *cg_run_rights(const struct cg_caller *caller);
void cg_retrieve_start(struct cg_run *run);
void cg_plan_start(struct cg_run *run);
void cg_plan_cancel(struct cg_run *run);
/* A turn is begun anew that a worker now dead may have shown words of. */
int cg_plan_lost(struct cg_run *run);
void cg_gate_calls(struct cg_run *run);
/* Whether what a person approved under older policies is not denied by those of today; else why says so. */
bool cg_gate_still(const struct cg_call *call, char *why, size_t size);
void cg_act_start(struct cg_run *run);
void cg_act_abandon(struct cg_run *run); /* what was sent and is not to be taken up again */
void cg_suspend_start(struct cg_run *run);
/* Waits until the user comes with a credential that holds. */
void cg_suspend_for_credential(struct cg_run *run);
/* [1, 2, ...]: the numbers of the citations shown so far. A new reference. */
json_t *cg_run_cited(const struct cg_run *run);
/* effects.c */
/* The tool that looks after a call whose answer was lost; NULL: its promise is another, or the user may not. */
const struct cg_tool *cg_effect_finder(const struct cg_run_env *env, const struct cg_caller *caller,
                                       const struct cg_tool *tool);
/* Steps that say what became of an effect: in its own row, and in the approval that allowed it (NULL: none). They
 * borrow from `out`, which is to be finished when they have been handed over. */
struct cg_effect_note {
    struct cg_db_step steps[2];
    struct cogent_value effect[5], approval[4];
    struct cg_buf result, object;
};
size_t cg_effect_note(const struct cg_call *call, const char *state, struct cg_effect_note *out);
void cg_effect_note_finish(struct cg_effect_note *note);
/* An approval's step from one state to another, and the object it then has: with the call's result, which may be NULL. */
struct cg_db_step cg_effect_approval_step(const char *approval, const char *from, const char *state,
                                          const struct cg_buf *object, struct cogent_value values[4]);
void cg_effect_approval_object(const json_t *approval, const json_t *result, struct cg_buf *out);
/* effect_look.c: looks after an effect in doubt once more, and later again. */
void cg_effect_later(const struct cg_run *run, const char *effect);

/* suspend.c: what binds an approval to tenant, user, run, call, tool, arguments and policy. */
int cg_approval_mac(const struct cg_run *run, const struct cg_call *call, struct cg_buf *out);
bool cg_approval_mac_ok(const struct cg_run *run, const struct cg_call *call, struct cogent_str mac);
/* err: NULL for a proper end; else {"err", "code", "detail"} goes to the client as an error event. */
void cg_settle_start(struct cg_run *run, const char *status, const char *words, const json_t *error);

/* session.c */
/* The session of a run that keeps one, written with its opening row. */
void cg_session_open_step(const struct cg_run *run, struct cogent_value values[4], struct cg_db_step *out);
/* The run's turn in its session, written when it waits and at its end, if the session is still there. Returns 1, or 0
 * when it keeps none. */
struct cg_session_write {
    struct cg_db_step step;
    struct cogent_value values[8];
    json_t *texts; /* what they borrow: unref when the step has been handed over */
};
size_t cg_session_turn_step(const struct cg_run *run, const char *status, const char *content,
                            struct cg_session_write *out);

/* compose.c */
struct cg_messages {
    struct cogent_message *list;
    size_t n, cap;
    struct cogent_tool_use *uses; /* of all assistant messages */
    json_t *texts;                /* keeps made texts alive */
};
int cg_compose_messages(struct cg_run *run, struct cg_messages *out);
void cg_messages_finish(struct cg_messages *messages);
/* The tools this caller is offered. To free. */
struct cogent_offer *cg_compose_offers(struct cg_run *run, size_t *n);
/* Those that it would be offered if its user had the right; to free. */
struct cogent_withheld *cg_compose_withheld(struct cg_run *run, size_t *n);

/* decide.c: the tenant's policies are asked and counted. Finish out. */
void cg_run_decide(const struct cg_run *run, enum cg_point point, const json_t *subject,
                   struct cg_decision *out);

/* trace.c */
/* Where each scalar of args came from: {"/customer_id": "user", ...}; a new reference. *traced: all leaves under the
 * pointers in `trusted` (NULL: all) come from the user or a trusted tool. */
json_t *cg_trace_args(const struct cg_run *run, const struct cg_call *call, const json_t *args,
                      const char *const *trusted, bool *traced);

/* cite.c */
/* Candidates of a result of a tool that cites: an array, empty when it cites nothing. */
json_t *cg_cite_result(const struct cg_run *run, const struct cg_tool *tool, const json_t *result);

#endif
