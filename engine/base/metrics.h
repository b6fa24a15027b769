/* SPDX-License-Identifier: Apache-2.0
 * Metrics: families stand in one table, series live on the board, any worker renders the sum (Prometheus text
 * 0.0.4). Labels are few and bounded: when a worker's 384 series are taken, new ones count under "other". */
#ifndef CG_BASE_METRICS_H
#define CG_BASE_METRICS_H

#include "board.h"
#include "buf.h"

enum cg_metric {
    CG_M_LLM_REQUESTS,   /* provider, model, outcome */
    CG_M_LLM_LATENCY,    /* provider, model */
    CG_M_LLM_TOKENS,     /* provider, model, kind */
    CG_M_LLM_COST,       /* provider, model; in millionths */
    CG_M_RUNS,           /* status */
    CG_M_RUN_SECONDS,    /* status */
    CG_M_RUN_STATES,     /* state */
    CG_M_TOOL_CALLS,     /* tool, status */
    CG_M_TOOL_SECONDS,   /* tool */
    CG_M_POLICY,         /* point, verdict */
    CG_M_POLICY_STOPPED, /* point, why */
    CG_M_APPROVALS,      /* state */
    CG_M_HTTP_REQUESTS,  /* route, status */
    CG_M_HTTP_REFUSED,   /* status */
    CG_M_LOOP_STALL,     /* gauge, per worker: slot */
    CG_M_CONNECTIONS,    /* gauge: slot */
    CG_M_QUESTIONS,      /* gauge: slot */
    CG_M_LOAD_MARK,      /* gauge: slot */
    CG_M_RECORDS,        /* type, outcome */
    CG_M_FEED,           /* type, outcome */
    CG_M_WORKER_STARTS,  /* role */
    CG_M_WORKER_ENDS,    /* role, reason: crash, stall, memory */
    CG_M_PLUGIN_CRASHES, /* plugin */
    CG_M_PLUGIN_HOLDS,   /* plugin */
    CG_M_FAMILIES
};

struct cg_metrics {
    struct cg_slot *slot; /* NULL: nothing is counted (command line, tests) */
};

/* labels: the values in the order of the table above, NULL-ended by the family's number of labels. */
void cg_metric_add(struct cg_metrics *m, enum cg_metric family, int64_t by, const char *a, const char *b,
                   const char *c);
void cg_metric_set(struct cg_metrics *m, enum cg_metric family, int64_t value, const char *a);
void cg_metric_time(struct cg_metrics *m, enum cg_metric family, int64_t us, const char *a, const char *b);

/* The sum over all slots. */
void cg_metrics_render(const struct cg_board *board, struct cg_buf *out);

#endif
