/* SPDX-License-Identifier: Apache-2.0
 * PLAN: one model turn. The chain of the model's providers is tried in order; a provider that fails before its first
 * text is followed by the next, silently. After that the client has seen words that nobody else may continue: it is
 * told that they are void, and the next begins anew; a client that cannot be told so gets an error. */
#include "state.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"

#include <stdio.h>
#include <stdlib.h>

struct cg_plan {
    struct cg_run *run;
    const struct cg_provider *provider;
    const char *link; /* "openai/gpt-4.1" */
    struct cogent_op op;
    struct cg_guard guard;
    struct cg_buf raw, text; /* as the provider said it; as it went out */
    json_t *calls, *shown, *usage;

    int64_t began_us;
};

static void plan_free(struct cg_plan *p)
{
    if (!p)
        return;
    cg_buf_finish(&p->raw);
    cg_buf_finish(&p->text);
    json_decref(p->calls);
    json_decref(p->shown);
    json_decref(p->usage);
    free(p);
}

void cg_plan_cancel(struct cg_run *run)
{
    struct cg_plan *p = run->plan;
    run->plan = NULL;
    plan_free(p);
}

/* Text that passed the guard. */
static void out_text(void *arg, struct cogent_str text)
{
    struct cg_plan *p = arg;
    struct cg_run *run = p->run;
    if (p->text.len == 0)
        cg_run_emit_step(run, "answer", "started", -1, -1);
    if (p->text.len == 0 && run->content.len) { /* an earlier turn spoke too */
        cg_buf_text(&p->text, "\n\n");
        cg_run_emit_text(run, (int64_t)run->n_rows, 0, cogent_str("\n\n"));
    }
    size_t at = p->text.len;
    cg_buf_str(&p->text, text);
    cg_run_emit_text(run, (int64_t)run->n_rows, at, text);
}

/* A right that was taken away while the run waited counts. */
static bool may_cite(const struct cg_run *run, unsigned n)
{
    const char *type = cg_json_str(json_array_get(run->cites, n - 1), "type", "");
    const struct cg_kind *kind = cg_kind_find(run->env->kinds, type);
    return kind && cg_caller_may(run->caller, kind->read);
}

/* Which number the reader sees for candidate n; its citation goes out before its first marker. */
static unsigned out_marker(void *arg, unsigned n)
{
    struct cg_plan *p = arg;
    struct cg_run *run = p->run;
    if (n == 0 || n > json_array_size(run->cites) || !may_cite(run, n))
        return 0;
    for (size_t i = 0; i < json_array_size(run->shown); i++) {
        if (json_integer_value(json_array_get(run->shown, i)) == (json_int_t)n)
            return (unsigned)i + 1;
    }
    json_array_append_new(run->shown, json_integer(n));
    cg_run_emit_citation(run, (int64_t)run->n_rows, p->text.len, n);
    return (unsigned)json_array_size(run->shown);
}

static void on_text(void *arg, struct cogent_str text)
{
    struct cg_plan *p = arg;
    if (p->raw.len == 0 && !cogent_op_none(p->op)) /* not while the provider is still being asked */
        cg_run_rest(p->run);
    cg_buf_str(&p->raw, text);
    cg_guard_feed(&p->guard, text);
}

static void on_call(void *arg, const struct cogent_tool_use *use)
{
    struct cg_plan *p = arg;
    json_t *call = json_pack("{s:o?, s:o?, s:o?}", "id", cg_json_strn(use->id), "name",
                             cg_json_strn(use->name), "args", cg_json_strn(use->args));
    if (call && use->verbatim.len)
        json_object_set_new(call, "verbatim", cg_json_strn(use->verbatim));
    if (call)
        json_array_append_new(p->calls, call);
}

/* What the tokens cost by the configured prices, in millionths of a dollar. */
static int64_t cost_of(const struct cg_plan *p, const struct cogent_turn_usage *u)
{
    const json_t *price = json_object_get(p->run->env->prices, p->link);
    double in = json_number_value(json_object_get(price, "input"));
    const json_t *cached = json_object_get(price, "cached");
    double hit = cached ? json_number_value(cached) : in;
    double out = json_number_value(json_object_get(price, "output"));
    return (int64_t)((double)(u->input_tokens - u->cached_tokens) * in + (double)u->cached_tokens * hit +
                     (double)u->output_tokens * out + 0.5);
}

static void on_usage(void *arg, const struct cogent_turn_usage *u)
{
    struct cg_plan *p = arg;
    struct cg_metrics *m = p->run->env->metrics;
    const char *provider = p->provider->name, *model = p->link;
    int64_t cost = cost_of(p, u);
    json_decref(p->usage);
    p->usage = json_pack("{s:s, s:I, s:I, s:I, s:b}", "model", p->link, "input_tokens",
                         (json_int_t)u->input_tokens, "cached_tokens", (json_int_t)u->cached_tokens,
                         "output_tokens", (json_int_t)u->output_tokens, "estimated", u->estimated);
    if (json_object_get(p->run->env->prices, p->link))
        json_object_set_new(
            p->usage, "cost",
            json_sprintf("%lld.%06lld", (long long)cost / 1000000, (long long)cost % 1000000));
    cg_metric_add(m, CG_M_LLM_TOKENS, u->input_tokens, provider, model, "input");
    cg_metric_add(m, CG_M_LLM_TOKENS, u->output_tokens, provider, model, "output");
    cg_metric_add(m, CG_M_LLM_COST, cost, provider, model, NULL);
}

static void measure(const struct cg_plan *p, const char *outcome)
{
    struct cg_metrics *m = p->run->env->metrics;
    int64_t us = cg_mono_us() - p->began_us;
    cg_metric_add(m, CG_M_LLM_REQUESTS, 1, p->provider->name, p->link, outcome);
    cg_metric_time(m, CG_M_LLM_LATENCY, us, p->provider->name, p->link);
    cg_log(CG_INFO, "provider.turn", CG_S("run", p->run->id), CG_S("model", p->link),
           CG_S("outcome", outcome), CG_I("ms", us / 1000));
}

/* Of a turn that its provider cut short; the others ended by themselves. */
static const char *cut_name(int finish)
{
    return finish == COGENT_FINISH_LENGTH ? "length" : finish == COGENT_FINISH_FILTER ? "filter" : NULL;
}

static void answered(struct cg_plan *p, int finish)
{
    struct cg_run *run = p->run;
    int64_t ms = (cg_mono_us() - p->began_us) / 1000;
    cg_guard_close(&p->guard);
    struct cogent_str text =
        cg_buf_view(&p->text); /* empty when memory failed: its length is not the buffer's */
    json_t *body =
        json_pack("{s:s%, s:O, s:O, s:O?, s:s, s:I}", "text", text.ptr, text.len, "calls", p->calls, "shown",
                  run->shown, "usage", p->usage, "model", p->link, "ms", (json_int_t)ms);
    if (body && !cg_str_same(cg_buf_view(&p->raw), cg_buf_view(&p->text)))
        json_object_set_new(body, "raw", cg_json_strn(cg_buf_view(&p->raw)));
    if (body && cut_name(finish))
        json_object_set_new(body, "finish", json_string(cut_name(finish)));
    if (body) /* the row must not change with the run's own list */
        json_object_set_new(body, "shown", json_deep_copy(run->shown));
    if (p->text.len)
        cg_run_emit_step(run, "answer", "done", ms, -1);
    cg_run_emit_step(run, "plan", "done", ms, -1);
    cg_plan_cancel(run);
    run->link = 0;
    if (cg_run_row(run, CG_ROW_ANSWER, body, false) < 0)
        cg_run_stop(run, "failed");
    cg_run_next(run);
}

static void ask_link(struct cg_run *run);

static const char *link_at(const struct cg_run *run, size_t i)
{
    const json_t *chain =
        json_object_get(run->env->models, cg_json_str(cg_run_opening(run), "model", "main"));
    return json_string_value(json_array_get(chain, i));
}

/* Characters, as a reader counts them: code points. */
static size_t characters(struct cogent_str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return n;
}

/* What was said of this turn is void, its citations too. The row stands where the turn's own would have stood, so a
 * reader who comes back in the middle of the void text is told. */
static int restart(struct cg_run *run, const struct cg_plan *p, int err)
{
    const json_t *before =
        run->n_turns ? json_object_get(cg_run_body(run, run->turns[run->n_turns - 1].row), "shown") : NULL;
    json_array_clear(run->shown);
    json_array_extend(run->shown, (json_t *)before);
    return cg_run_row(run, CG_ROW_RESTART,
                      json_pack("{s:s, s:s, s:s, s:s*, s:I}", "reason", "provider_failed", "error",
                                cogent_err_name(err), "from", p->link, "to", link_at(run, run->link), "keep",
                                (json_int_t)characters(cg_buf_view(&run->content))),
                      false);
}

int cg_plan_lost(struct cg_run *run)
{
    return cg_run_row(run, CG_ROW_RESTART,
                      json_pack("{s:s, s:s*, s:s*, s:I}", "reason", "worker_lost", "from", link_at(run, 0),
                                "to", link_at(run, 0), "keep",
                                (json_int_t)characters(cg_buf_view(&run->content))),
                      false);
}

static void next_link(struct cg_run *run, const struct cg_plan *p, int err)
{
    run->link++;
    int rc = p->text.len ? restart(run, p, err) : 0;
    cg_plan_cancel(run);
    cg_run_work(run);
    if (rc < 0)
        cg_run_stop(run, "failed");
    else
        ask_link(run);
}

static void failed(struct cg_plan *p, int err, const char *why)
{
    struct cg_run *run = p->run;
    bool final = p->text.len > 0 && run->sink.firm;
    cg_log(CG_WARN, "provider.failed", CG_S("run", run->id), CG_S("model", p->link),
           CG_S("error", cogent_err_name(err)));
    if (!final && link_at(run, run->link + 1)) {
        next_link(run, p, err);
        return;
    }
    char words[200];
    snprintf(words, sizeof words, "The model did not answer: %s.", why && *why ? why : cogent_err_name(err));
    cg_plan_cancel(run);
    /* A provider's own refusal of our key or wish is not the caller's error. */
    int shown =
        err == COGENT_LIMIT || err == COGENT_TIMEOUT || err == COGENT_UNAVAILABLE ? err : COGENT_UPSTREAM;
    cg_auto_json body =
        cg_error_body(shown == COGENT_LIMIT ? COGENT_UNAVAILABLE : shown, "provider_failed", words, NULL);
    cg_settle_start(run, "failed", NULL, body);
}

static void on_done(void *arg, int err, int finish, uint32_t retry_ms, const char *why)
{
    struct cg_plan *p = arg;
    (void)retry_ms;
    measure(p, err == 0 ? "ok" : cogent_err_name(err));
    if (err < 0) {
        failed(p, err, why);
        return;
    }
    /* A turn cut by its length with calls in it: the calls are whole, or the provider would have failed. */
    answered(p, finish);
}

/* "openai/gpt-4.1" -> provider "openai", model "gpt-4.1"; "rules" -> provider "rules". */
static const struct cg_provider *split_link(const struct cg_run *run, const char *link, const char **model)
{
    char name[64];
    size_t n = strcspn(link, "/");
    cg_str_copy(name, sizeof name, (struct cogent_str){ link, n });
    *model = link[n] ? link + n + 1 : "";
    return cg_provider_find(run->env->plugins, name);
}

static void ask_link(struct cg_run *run)
{
    const char *model, *link = link_at(run, run->link);
    const struct cg_provider *provider = link ? split_link(run, link, &model) : NULL;
    struct cg_plan *p = provider ? calloc(1, sizeof *p) : NULL;
    struct cg_messages messages;
    size_t n_offers, n_withheld;
    bool composed = p && cg_compose_messages(run, &messages) == 0;
    if (composed && cg_run_half(run)) { /* a model must not answer from half of it */
        cg_messages_finish(&messages);
        composed = false;
        run->fault = COGENT_NO_MEMORY;
    }
    if (!composed) {
        free(p);
        cg_auto_json body = cg_error_body(COGENT_INTERNAL, NULL, "The model could not be asked.", NULL);
        cg_settle_start(run, "failed", NULL, body);
        return;
    }
    run->plan = p;
    p->run = run;
    p->provider = provider;
    p->link = link;
    struct cogent_offer *offers = cg_compose_offers(run, &n_offers);
    struct cogent_withheld *withheld = cg_compose_withheld(run, &n_withheld);
    p->guard = (struct cg_guard){ .marker = out_marker, .text = out_text, .arg = p };
    p->calls = json_array();
    p->began_us = cg_mono_us();
    const struct cogent_chat chat = {
        .model = model,
        .messages = messages.list,
        .n_messages = messages.n,
        .tools = offers,
        .n_tools = n_offers,
        .withheld = withheld,
        .n_withheld = n_withheld,
        .max_tokens = (uint32_t)cg_json_int(cg_run_context(run), "max_tokens", 0),
        .temperature = json_number_value(json_object_get(cg_run_context(run), "temperature")),
        .asker = &run->asker.abi,
        .now = run->rows[0].at_us,
    };
    static const struct cg_chat_events events = { on_text, on_call, on_usage, on_done };
    p->op = cg_invoke_chat(&run->env->invoke, run->work, provider, &chat, &events, p);
    cg_messages_finish(&messages);
    free(offers);
    free(withheld);
    if (cogent_op_none(p->op))
        failed(p, COGENT_NO_MEMORY, "out of memory");
    else if (run->n_turns) /* what there is before the first turn, the second asks for again */
        cg_run_rest(run);
}

void cg_plan_start(struct cg_run *run)
{
    cg_run_work(run);
    cg_run_emit_step(run, "plan", "started", -1, -1);
    ask_link(run);
}
