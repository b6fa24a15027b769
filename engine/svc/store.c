/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

const struct cogent_statement cg_store[CG_ST_STATEMENTS] = {
    /* run, user, session, owner, now, survives */
    [CG_ST_RUN_OPEN] = { .name = "run.open",
                         .text =
                             "insert into run(tenant_id, run_id, user_id, session_id, status, owner, created, "
                             "updated, rows, cancel, survives) values ($1, $2, $3, $4, 'running', $5, $6, $6, 0, 0, $7)",
                         .params = "ttttii",
                         .columns = "" },
    /* run, status, now, rows, sealed credential, survives */
    [CG_ST_RUN_UPDATE] = { .name = "run.update",
                           .text =
                               "update run set status = $3, updated = $4, rows = $5, sealed = $6, survives = $7 "
                               "where tenant_id = $1 and run_id = $2",
                           .params = "ttiiti",
                           .columns = "" },
    [CG_ST_RUN_GET] = { .name = "run.get",
                        .text =
                            "select tenant_id, user_id, session_id, status, owner, created, updated, rows, cancel, "
                            "sealed, survives from run where tenant_id = $1 and run_id = $2",
                        .params = "t",
                        .columns = "ttttiiiiti" },
    /* user, before (created), limit */
    [CG_ST_RUN_LIST] = { .name = "run.list",
                         .text =
                             "select tenant_id, run_id, session_id, status, created, updated from run where "
                             "tenant_id = $1 and user_id = $2 and created < $3 order by created desc limit $4",
                         .params = "tii",
                         .columns = "tttii" },
    /* run, owner as it was, new owner, now, status as it was: who takes a run up again */
    [CG_ST_RUN_CLAIM] = { .name = "run.claim",
                          .text =
                              "update run set owner = $4, updated = $5, takes = takes + case status when 'running' "
                              "then 1 else 0 end, status = 'running' where tenant_id = $1 and run_id = $2 and "
                              "owner = $3 and status = $6 returning tenant_id, run_id, takes",
                          .params = "tttit",
                          .columns = "ti" },
    [CG_ST_RUN_CANCEL] = { .name = "run.cancel",
                           .text =
                               "update run set cancel = 1 where tenant_id = $1 and run_id = $2 and user_id = $3 and "
                               "status in ('running', 'waiting') returning tenant_id, status, owner",
                           .params = "tt",
                           .columns = "tt" },
    /* run, row, at, kind, body, owner: who no longer holds the run violates a constraint, and nothing of its group
     * is written */
    [CG_ST_ROW_ADD] = { .name = "run_row.add",
                        .text =
                            "insert into run_row(tenant_id, run_id, row, at, kind, body) values ($1, (select r.run_id "
                            "from run r where r.tenant_id = $1 and r.run_id = $2 and r.owner = $7), $3, $4, $5, $6)",
                        .params = "tiittt",
                        .columns = "" },
    [CG_ST_ROW_LIST] = { .name = "run_row.list",
                         .text =
                             "select tenant_id, row, at, kind, body from run_row where tenant_id = $1 and run_id = $2 "
                             "and row >= $3 order by row",
                         .params = "ti",
                         .columns = "iitt" },
    /* approval, run, user, call, body, mac, created, expires */
    [CG_ST_APPROVAL_ADD] = { .name = "approval.add",
                             .text =
                                 "insert into approval(tenant_id, approval_id, run_id, user_id, call, state, body, mac, "
                                 "created, expires) values ($1, $2, $3, $4, $5, 'waiting', $6, $7, $8, $9)",
                             .params = "ttttttii",
                             .columns = "" },
    [CG_ST_APPROVAL_GET] = { .name = "approval.get",
                             .text =
                                 "select tenant_id, run_id, user_id, call, state, body, mac, created, expires, "
                                 "decided_by, decision from approval where tenant_id = $1 and approval_id = $2",
                             .params = "t",
                             .columns = "ttttttiitt" },
    /* state, limit, now: what waited too long is not listed, newest first */
    [CG_ST_APPROVAL_LIST] = { .name = "approval.list",
                              .text =
                                  "select tenant_id, approval_id, run_id, user_id, state, body, expires from approval "
                                  "where tenant_id = $1 and state = $2 and (state <> 'waiting' or expires > $4) "
                                  "order by created desc limit $3",
                              .params = "tii",
                              .columns = "ttttti" },
    /* approval, new state, decider, decision, now: the one conditional update that settles who decided */
    [CG_ST_APPROVAL_DECIDE] = { .name = "approval.decide",
                                .text =
                                    "update approval set state = $3, decided_by = $4, decision = $5 where tenant_id = $1 "
                                    "and approval_id = $2 and state = 'waiting' and expires > $6 "
                                    "returning tenant_id, run_id",
                                .params = "tttti",
                                .columns = "t" },
    /* approval, from, to */
    [CG_ST_APPROVAL_STATE] = { .name = "approval.state",
                               .text =
                                   "update approval set state = $4, body = coalesce($5, body) where tenant_id = $1 and "
                                   "approval_id = $2 and state = $3",
                               .params = "tttt",
                               .columns = "" },
    [CG_ST_APPROVAL_OF_RUN] = { .name = "approval.of_run",
                                .text =
                                    "select tenant_id, approval_id, call, state, body, mac, expires, decided_by, decision "
                                    "from approval where tenant_id = $1 and run_id = $2 order by created",
                                .params = "t",
                                .columns = "tttttitt" },
    /* run: its question was cancelled, nobody is to decide any more */
    [CG_ST_APPROVAL_VOID] = { .name = "approval.void",
                              .text =
                                  "update approval set state = 'expired' where tenant_id = $1 and run_id = $2 and "
                                  "state = 'waiting'",
                              .params = "t",
                              .columns = "" },
    /* effect, run, call, tool, hash, now */
    [CG_ST_EFFECT_PLAN] = { .name = "effect.plan",
                            .text =
                                "insert into effect(tenant_id, effect_id, run_id, call, tool, args_hash, state, created, "
                                "updated) values ($1, $2, $3, $4, $5, $6, 'dispatched', $7, $7) "
                                "on conflict(tenant_id, effect_id) do nothing",
                            .params = "ttttti",
                            .columns = "" },
    /* effect, new state, now */
    [CG_ST_EFFECT_STATE] = { .name = "effect.state",
                             .text =
                                 "update effect set state = $3, updated = $4 where tenant_id = $1 and effect_id = $2 "
                                 "and state in ('dispatched', 'unknown')",
                             .params = "tti",
                             .columns = "" },
    [CG_ST_EFFECT_GET] = { .name = "effect.get",
                           .text =
                               "select tenant_id, run_id, call, tool, args_hash, state from effect where tenant_id = $1 "
                               "and effect_id = $2",
                           .params = "t",
                           .columns = "ttttt" },
    [CG_ST_EFFECT_LIST] = { .name = "effect.list",
                            .text =
                                "select tenant_id, effect_id, run_id, call, tool, state, created, updated from effect "
                                "where tenant_id = $1 and state = $2 order by created limit $3",
                            .params = "ti",
                            .columns = "tttttii" },
    [CG_ST_FEED_GET] = { .name = "feed.get",
                         .text =
                             "select tenant_id, position, polled, swept from feed where tenant_id = $1 and kind = $2",
                         .params = "t",
                         .columns = "tii" },
    [CG_ST_FEED_PUT] = { .name = "feed.put",
                         .text =
                             "insert into feed(tenant_id, kind, position, polled, swept) values ($1, $2, $3, $4, $5) on "
                             "conflict(tenant_id, kind) do update set position = excluded.position, polled = "
                             "excluded.polled, swept = excluded.swept",
                         .params = "ttii",
                         .columns = "" },
};
