/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum kind { COUNTER, GAUGE, TIMER };

static const struct family {
    const char *name, *help;
    enum kind kind;
    const char *labels[3];
    double unit; /* what one of value means */
} families[CG_M_FAMILIES] = {
    [CG_M_LLM_REQUESTS] = { "llm_requests_total",
                            "Model turns asked of a provider.",
                            COUNTER,
                            { "provider", "model", "outcome" },
                            1 },
    [CG_M_LLM_LATENCY] = { "llm_latency_seconds",
                           "From asking a provider to the end of its turn.",
                           TIMER,
                           { "provider", "model" },
                           1e-6 },
    [CG_M_LLM_TOKENS] = { "llm_tokens_total",
                          "Tokens that providers counted.",
                          COUNTER,
                          { "provider", "model", "kind" },
                          1 },
    [CG_M_LLM_COST] = { "llm_cost_dollars_total",
                        "What the tokens cost by the configured prices.",
                        COUNTER,
                        { "provider", "model" },
                        1e-6 },
    [CG_M_RUNS] = { "cogent_runs_total", "Runs that ended, by status.", COUNTER, { "status" }, 1 },
    [CG_M_RUN_SECONDS] = { "cogent_run_seconds",
                           "From admission to the end of a run.",
                           TIMER,
                           { "status" },
                           1e-6 },
    [CG_M_RUN_STATES] = { "cogent_run_states_total",
                          "Times that runs entered a state.",
                          COUNTER,
                          { "state" },
                          1 },
    [CG_M_TOOL_CALLS] = { "cogent_tool_calls_total",
                          "Tool calls by outcome.",
                          COUNTER,
                          { "tool", "status" },
                          1 },
    [CG_M_TOOL_SECONDS] = { "cogent_tool_seconds",
                            "From dispatch to outcome of a tool call.",
                            TIMER,
                            { "tool" },
                            1e-6 },
    [CG_M_POLICY] = { "cogent_policy_verdicts_total",
                      "Verdicts of policies.",
                      COUNTER,
                      { "point", "verdict" },
                      1 },
    [CG_M_POLICY_STOPPED] = { "cogent_policy_stopped_total",
                              "Denials because a policy was at a limit, or is quarantined for that.",
                              COUNTER,
                              { "point", "why" },
                              1 },
    [CG_M_APPROVALS] = { "cogent_approvals_total",
                         "Approvals that entered a state.",
                         COUNTER,
                         { "state" },
                         1 },
    [CG_M_HTTP_REQUESTS] = { "cogent_http_requests_total",
                             "Requests answered.",
                             COUNTER,
                             { "route", "status" },
                             1 },
    [CG_M_HTTP_REFUSED] = { "cogent_http_refused_total",
                            "Requests that the reader refused.",
                            COUNTER,
                            { "status" },
                            1 },
    [CG_M_LOOP_STALL] = { "cogent_loop_stall_seconds",
                          "Longest time something held the loop, last second.",
                          GAUGE,
                          { "slot" },
                          1e-6 },
    [CG_M_CONNECTIONS] = { "cogent_connections", "Open client connections.", GAUGE, { "slot" }, 1 },
    [CG_M_QUESTIONS] = { "cogent_questions", "Questions being answered.", GAUGE, { "slot" }, 1 },
    [CG_M_LOAD_MARK] = { "cogent_questions_mark",
                         "How many questions the worker has learned to take; 0: it has not met its limit.",
                         GAUGE,
                         { "slot" },
                         1 },
    [CG_M_RECORDS] = { "cogent_records_total",
                       "Records put, dropped or refused.",
                       COUNTER,
                       { "type", "outcome" },
                       1 },
    [CG_M_FEED] = { "cogent_feed_polls_total",
                    "Polls of the ERP's feeds.",
                    COUNTER,
                    { "type", "outcome" },
                    1 },
    [CG_M_WORKER_STARTS] = { "cogent_worker_starts_total", "Workers started.", COUNTER, { "role" }, 1 },
    [CG_M_WORKER_ENDS] = { "cogent_worker_ends_total",
                           "Workers that ended unasked, or were replaced for their memory.",
                           COUNTER,
                           { "role", "reason" },
                           1 },
    [CG_M_PLUGIN_CRASHES] = { "cogent_plugin_crashes_total",
                              "Workers that ended in a plugin's code.",
                              COUNTER,
                              { "plugin" },
                              1 },
    [CG_M_PLUGIN_HOLDS] = { "cogent_plugin_holds_total",
                            "Times that a plugin was held back.",
                            COUNTER,
                            { "plugin" },
                            1 },
};

static const double bounds[CG_BUCKETS] = { 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                           1,     2.5,  5,     10,   30,  60,   120 };

static void clean(char *dst, size_t size, const char *src)
{
    size_t n = 0;
    for (; *src && n + 1 < size; src++) {
        unsigned char c = (unsigned char)*src;
        dst[n++] = c < 0x20 || c >= 0x7f || c == '"' || c == '\\' ? '_' : (char)c;
    }
    dst[n] = '\0';
}

static void spell(char out[CG_LABELS_SIZE], const struct family *f, const char *const values[3])
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < 3 && f->labels[i]; i++) {
        char value[43]; /* three of them fit, with their names */
        clean(value, sizeof value, values[i] ? values[i] : "");
        n += (size_t)snprintf(out + n, CG_LABELS_SIZE - n, "%s%s=\"%s\"", i ? "," : "", f->labels[i], value);
        if (n >= CG_LABELS_SIZE) {
            out[0] = '\0';
            return;
        }
    }
}

static struct cg_series *find(struct cg_slot *slot, enum cg_metric family, const char *const values[3])
{
    static const char *const others[3] = { "other", "other", "other" };
    char labels[CG_LABELS_SIZE];
    spell(labels, &families[family], values);
    for (size_t i = 0; i < CG_SERIES_MAX; i++) {
        struct cg_series *s = &slot->series[i];
        uint32_t have = atomic_load_explicit(&s->family, memory_order_acquire);
        if (have == (uint32_t)family + 1 && strcmp(s->labels, labels) == 0)
            return s;
        /* The last places belong to "other". */
        if (have == 0 && (i < CG_SERIES_MAX - CG_M_FAMILIES || values == others)) {
            memcpy(s->labels, labels, sizeof labels);
            atomic_store_explicit(&s->family, (uint32_t)family + 1, memory_order_release);
            return s;
        }
    }
    return values == others ? NULL : find(slot, family, others);
}

void cg_metric_add(struct cg_metrics *m, enum cg_metric family, int64_t by, const char *a, const char *b,
                   const char *c)
{
    const char *const values[3] = { a, b, c };
    struct cg_series *s = m->slot ? find(m->slot, family, values) : NULL;
    if (s)
        atomic_fetch_add(&s->value, by);
}

void cg_metric_set(struct cg_metrics *m, enum cg_metric family, int64_t value, const char *a)
{
    const char *const values[3] = { a, NULL, NULL };
    struct cg_series *s = m->slot ? find(m->slot, family, values) : NULL;
    if (s)
        atomic_store(&s->value, value);
}

void cg_metric_time(struct cg_metrics *m, enum cg_metric family, int64_t us, const char *a, const char *b)
{
    const char *const values[3] = { a, b, NULL };
    struct cg_series *s = m->slot ? find(m->slot, family, values) : NULL;
    if (!s)
        return;
    atomic_fetch_add(&s->value, us);
    atomic_fetch_add(&s->count, 1);
    for (size_t i = 0; i < CG_BUCKETS; i++) {
        if ((double)us * 1e-6 <= bounds[i]) {
            atomic_fetch_add(&s->bucket[i], 1);
            break;
        }
    }
}

/* Rendering: series of one family with the same labels in several slots are added up. */

struct sum {
    uint32_t family;
    const char *labels;
    int64_t value, count, bucket[CG_BUCKETS];
};

static int by_family(const void *a, const void *b)
{
    const struct sum *x = a, *y = b;
    return x->family != y->family ? (x->family > y->family) - (x->family < y->family)
                                  : strcmp(x->labels, y->labels);
}

static size_t collect(const struct cg_board *board, struct sum *sums)
{
    size_t n = 0;
    for (size_t w = 0; w < CG_WORKERS_MAX; w++) {
        for (size_t i = 0; i < CG_SERIES_MAX; i++) {
            const struct cg_series *s = &board->slots[w].series[i];
            uint32_t family = atomic_load_explicit(&s->family, memory_order_acquire);
            if (family == 0 || family > CG_M_FAMILIES)
                continue;
            /* A dead worker's counts stay; how long its loop stalls and who is connected ended with it. */
            if (families[family - 1].kind == GAUGE && !atomic_load(&board->slots[w].pid))
                continue;
            struct sum *sum = &sums[n++];
            *sum =
                (struct sum){ family - 1, s->labels, atomic_load(&s->value), atomic_load(&s->count), { 0 } };
            for (size_t k = 0; k < CG_BUCKETS; k++)
                sum->bucket[k] = atomic_load(&s->bucket[k]);
        }
    }
    return n;
}

static size_t merge(struct sum *sums, size_t n)
{
    size_t kept = 0;
    qsort(sums, n, sizeof *sums, by_family);
    for (size_t i = 0; i < n; i++) {
        if (kept && by_family(&sums[kept - 1], &sums[i]) == 0) {
            sums[kept - 1].value += sums[i].value;
            sums[kept - 1].count += sums[i].count;
            for (size_t k = 0; k < CG_BUCKETS; k++)
                sums[kept - 1].bucket[k] += sums[i].bucket[k];
        } else {
            sums[kept++] = sums[i];
        }
    }
    return kept;
}

static void render_timer(const struct family *f, const struct sum *s, struct cg_buf *out)
{
    int64_t below = 0;
    for (size_t k = 0; k < CG_BUCKETS; k++) {
        below += s->bucket[k];
        cg_buf_printf(out, "%s_bucket{%s,le=\"%g\"} %" PRId64 "\n", f->name, s->labels, bounds[k], below);
    }
    cg_buf_printf(out, "%s_bucket{%s,le=\"+Inf\"} %" PRId64 "\n", f->name, s->labels, s->count);
    cg_buf_printf(out, "%s_sum{%s} %.6f\n", f->name, s->labels, (double)s->value * f->unit);
    cg_buf_printf(out, "%s_count{%s} %" PRId64 "\n", f->name, s->labels, s->count);
}

void cg_metrics_render(const struct cg_board *board, struct cg_buf *out)
{
    static const char *const kinds[] = { "counter", "gauge", "histogram" };
    struct sum *sums = calloc((size_t)CG_WORKERS_MAX * CG_SERIES_MAX, sizeof *sums);
    if (!sums)
        return;
    size_t n = merge(sums, collect(board, sums));
    for (size_t i = 0; i < n; i++) {
        const struct family *f = &families[sums[i].family];
        if (i == 0 || sums[i].family != sums[i - 1].family)
            cg_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, kinds[f->kind]);
        if (f->kind == TIMER)
            render_timer(f, &sums[i], out);
        else if (f->unit == 1)
            cg_buf_printf(out, "%s{%s} %" PRId64 "\n", f->name, sums[i].labels, sums[i].value);
        else
            cg_buf_printf(out, "%s{%s} %.6f\n", f->name, sums[i].labels, (double)sums[i].value * f->unit);
    }
    free(sums);
}
