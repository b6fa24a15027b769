/* SPDX-License-Identifier: Apache-2.0
 * GET /v1/effects, /v1/effects/{id}; POST /v1/effects/{id}. What was written and is in doubt: one's own, and with
 * cogent.effects everybody's. A word on one never sends anything. */
#include "engine/run/effects.h"
#include "engine/svc/store.h"
#include "page.h"

enum { NOTE_MAX = 2000 };

static const char permission[] = "cogent.effects";

static void unknown(struct cg_request *r)
{
    cg_answer_error(r, COGENT_NOT_FOUND, NULL, "There is no such effect that you may see.");
}

static json_t *listed(const struct cg_request *r, struct cogent_row row)
{
    (void)r;
    return cg_effect_object(row);
}

static void on_list(void *arg, const struct cogent_db_result *result)
{
    cg_answer_page(arg, result, listed, 5);
}

void cg_route_effects(struct cg_request *r)
{
    char state[16] = "unknown";
    cg_query_param(r, "state", state, sizeof state);
    bool all = cg_caller_may(r->caller, permission);
    const struct cogent_value v[4] = { cogent_text(cogent_str(state)),
                                       all ? cogent_null() : cogent_text(cogent_str(r->caller->user)),
                                       cg_page_before(r), cg_page_limit(r) };
    const struct cg_db_step step = { &cg_store[CG_ST_EFFECT_LIST], v, 4 };
    cg_db_run(r->env->run->db, r->op, r->caller->tenant, CG_DB_READ, &step, 1, on_list, r);
}

static void on_one(void *arg, const struct cogent_db_result *result)
{
    struct cg_request *r = arg;
    struct cogent_row row = result->err == 0 ? result->row(result, 0, 0) : (struct cogent_row){ NULL, 0 };
    if (result->err < 0)
        cg_answer_unavailable(r, result->err);
    else if (row.n == 0 ||
             !(cg_str_eq(row.values[7].str, r->caller->user) || cg_caller_may(r->caller, permission)))
        unknown(r);
    else
        cg_answer_data(r, 200, cg_effect_object(row));
}

void cg_route_effect(struct cg_request *r)
{
    const struct cogent_value id = cogent_text(cogent_str(r->params[0]));
    const struct cg_db_step step = { &cg_store[CG_ST_EFFECT_GET], &id, 1 };
    cg_db_run(r->env->run->db, r->op, r->caller->tenant, CG_DB_READ, &step, 1, on_one, r);
}

static void on_resolved(void *arg, int err)
{
    struct cg_request *r = arg;
    if (err == COGENT_NOT_FOUND)
        unknown(r);
    else if (err == COGENT_CONFLICT)
        cg_answer_error(r, err, "effect_settled",
                        "This effect is in no doubt: GET it to see what became of it.");
    else if (err < 0)
        cg_answer_unavailable(r, err);
    else
        cg_route_effect(r);
}

void cg_route_effect_resolve(struct cg_request *r)
{
    const char *outcome = cg_json_str(r->body, "outcome", "");
    const json_t *note = json_object_get(r->body, "note");
    if (strcmp(outcome, "done") != 0 && strcmp(outcome, "failed") != 0) {
        cg_answer_error(r, COGENT_INVALID, "body_invalid",
                        "outcome must be \"done\" (it happened) or \"failed\" (it did not).");
        return;
    }
    if (note && (!json_is_string(note) || json_string_length(note) > NOTE_MAX)) {
        cg_answer_error(r, COGENT_INVALID, "body_invalid", "note must be a text of at most %d bytes.",
                        NOTE_MAX);
        return;
    }
    const struct cg_effect_word word = { .effect = r->params[0],
                                         .state = outcome,
                                         .by = r->caller->user,
                                         .note = json_string_value(note),
                                         .result = json_object_get(r->body, "result") };
    cg_effect_resolve(r->env->run, r->op, r->caller->tenant, &word, on_resolved, r);
}
