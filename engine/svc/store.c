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
                             "select tenant_id, run_id, session_id, status, created, updated, owner, survives from run where "
                             "tenant_id = $1 and user_id = $2 and created < $3 order by created desc limit $4",
                         .params = "tii",
                         .columns = "tttiiti" },
    /* run, owner as it was, new owner, now, status and rows as they were: who takes a run up again, and knows all of it */
    [CG_ST_RUN_CLAIM] = { .name = "run.claim",
                          .text =
                              "update run set owner = $4, updated = $5, takes = takes + case status when 'running' "
                              "then 1 else 0 end, status = 'running', survives = 1 where tenant_id = $1 and run_id = $2 "
                              "and owner = $3 and status = $6 and rows = $7 returning tenant_id, run_id, takes, cancel",
                          .params = "tttiti",
                          .columns = "tii" },
    [CG_ST_RUN_CANCEL] = { .name = "run.cancel",
                           .text =
                               "update run set cancel = 1 where tenant_id = $1 and run_id = $2 and user_id = $3 and "
                               "status in ('running', 'waiting', 'auth_required') returning tenant_id, status, owner",
                           .params = "tt",
                           .columns = "tt" },
    /* those that wait until their user signs in again */
    [CG_ST_RUN_AWAITS] = { .name = "run.awaits",
                           .text =
                               "select tenant_id, run_id, user_id from run where tenant_id = $1 and status = "
                               "'auth_required' order by created limit 1000",
                           .params = "",
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
                                 "decided_by, decision, votes, edited, note from approval where tenant_id = $1 and "
                                 "approval_id = $2",
                             .params = "t",
                             .columns = "ttttttiittttt" },
    /* state, limit, now: what waited too long is not listed, newest first */
    [CG_ST_APPROVAL_LIST] = { .name = "approval.list",
                              .text =
                                  "select tenant_id, approval_id, run_id, user_id, state, body, expires, votes, edited from "
                                  "approval where tenant_id = $1 and state = $2 and (state <> 'waiting' or expires > $4) "
                                  "order by created desc limit $3",
                              .params = "tii",
                              .columns = "tttttitt" },
    /* approval, new state, decider, decision, now, votes as they were, votes, edited, note: the one conditional update
     * that settles who decided; a yes that others must join leaves it waiting */
    [CG_ST_APPROVAL_DECIDE] = { .name = "approval.decide",
                                .text =
                                    "update approval set state = $3, decided_by = $4, decision = $5, votes = $8, edited = "
                                    "coalesce($9, edited), note = coalesce($10, note) where tenant_id = $1 and "
                                    "approval_id = $2 and state = 'waiting' and expires > $6 and votes = $7 "
                                    "returning tenant_id, run_id",
                                .params = "ttttitttt",
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
                                    "select tenant_id, approval_id, call, state, body, mac, expires, decided_by, decision, "
                                    "edited, votes from approval where tenant_id = $1 and run_id = $2 order by created",
                                .params = "t",
                                .columns = "tttttitttt" },
    /* run: it ended in the middle of its questions: nobody is to decide any more, and what was allowed is not done */
    [CG_ST_APPROVAL_VOID] = { .name = "approval.void",
                              .text =
                                  "update approval set state = 'expired' where tenant_id = $1 and run_id = $2 and "
                                  "state in ('waiting', 'approved')",
                              .params = "t",
                              .columns = "" },
    /* effect, run, call, tool, hash, now, user, sealed credential */
    [CG_ST_EFFECT_PLAN] = { .name = "effect.plan",
                            .text =
                                "insert into effect(tenant_id, effect_id, run_id, call, tool, args_hash, state, created, "
                                "updated, user_id, sealed) values ($1, $2, $3, $4, $5, $6, 'dispatched', $7, $7, $8, $9) "
                                "on conflict(tenant_id, effect_id) do nothing",
                            .params = "tttttitt",
                            .columns = "" },
    /* effect, new state, now, result, state that keeps its credential: whoever looks after it later needs it */
    [CG_ST_EFFECT_STATE] = { .name = "effect.state",
                             .text =
                                 "update effect set state = $3, updated = $4, result = $5, sealed = case when $3 = $6 "
                                 "then sealed end where tenant_id = $1 and effect_id = $2 and state in ('dispatched', "
                                 "'unknown')",
                             .params = "ttitt",
                             .columns = "" },
    /* effect, now: it was looked for and not found */
    [CG_ST_EFFECT_LOOKED] = { .name = "effect.looked",
                              .text =
                                  "update effect set looks = looks + 1, updated = $3 where tenant_id = $1 and "
                                  "effect_id = $2 and state = 'unknown' returning tenant_id, looks",
                              .params = "ti",
                              .columns = "i" },
    /* effect, new state, now, result, who says so, note: a person's word ends the doubt, once */
    [CG_ST_EFFECT_RESOLVE] = { .name = "effect.resolve",
                               .text =
                                   "update effect set state = $3, updated = $4, result = coalesce($5, result), "
                                   "decided_by = $6, note = $7, sealed = null where tenant_id = $1 and effect_id = $2 "
                                   "and state = 'unknown' returning tenant_id, run_id",
                               .params = "ttittt",
                               .columns = "t" },
    [CG_ST_EFFECT_GET] = { .name = "effect.get",
                           .text =
                               "select tenant_id, effect_id, run_id, call, tool, state, created, updated, user_id, "
                               "looks, decided_by, note, result, sealed from effect where tenant_id = $1 and "
                               "effect_id = $2",
                           .params = "t",
                           .columns = "tttttiititttt" },
    /* state, user or null for all, before (created), limit */
    [CG_ST_EFFECT_LIST] = { .name = "effect.list",
                            .text =
                                "select tenant_id, effect_id, run_id, call, tool, state, created, updated, user_id, "
                                "looks, decided_by, note, result from effect where tenant_id = $1 and state = $2 and "
                                "($3 is null or user_id = $3) and created < $4 order by created desc limit $5",
                            .params = "ttii",
                            .columns = "tttttiitittt" },
    /* session, user, title, now */
    [CG_ST_SESSION_PUT] = { .name = "session.put",
                            .text =
                                "insert into session(tenant_id, session_id, user_id, title, created, updated) values "
                                "($1, $2, $3, $4, $5, $5) on conflict(tenant_id, session_id) do update set updated = "
                                "excluded.updated where session.user_id = excluded.user_id",
                            .params = "ttti",
                            .columns = "" },
    [CG_ST_SESSION_GET] = { .name = "session.get",
                            .text =
                                "select tenant_id, title, created, updated from session where tenant_id = $1 and "
                                "session_id = $2 and user_id = $3",
                            .params = "tt",
                            .columns = "tii" },
    /* user, before (updated), limit */
    [CG_ST_SESSION_LIST] = { .name = "session.list",
                             .text =
                                 "select s.tenant_id, s.session_id, s.title, s.created, s.updated, (select count(*) from "
                                 "turn t where t.tenant_id = s.tenant_id and t.session_id = s.session_id) from session s "
                                 "where s.tenant_id = $1 and s.user_id = $2 and s.updated < $3 order by s.updated desc "
                                 "limit $4",
                             .params = "tii",
                             .columns = "ttiii" },
    [CG_ST_SESSION_TITLE] = { .name = "session.title",
                              .text =
                                  "update session set title = $4 where tenant_id = $1 and session_id = $2 and "
                                  "user_id = $3 returning tenant_id, title, created, updated",
                              .params = "ttt",
                              .columns = "tii" },
    [CG_ST_SESSION_DROP] = { .name = "session.drop",
                             .text =
                                 "delete from session where tenant_id = $1 and session_id = $2 and user_id = $3 "
                                 "returning tenant_id, session_id",
                             .params = "tt",
                             .columns = "t" },
    /* session, user: the journals of its ended runs */
    [CG_ST_SESSION_ROWS_DROP] = { .name = "session.rows_drop",
                                  .text =
                                      "delete from run_row where tenant_id = $1 and run_id in (select r.run_id from run r "
                                      "where r.tenant_id = $1 and r.session_id = $2 and r.user_id = $3 and r.status not "
                                      "in ('running', 'waiting', 'auth_required'))",
                                  .params = "tt",
                                  .columns = "" },
    [CG_ST_SESSION_RUNS_DROP] = { .name = "session.runs_drop",
                                  .text =
                                      "delete from run where tenant_id = $1 and session_id = $2 and user_id = $3 and "
                                      "status not in ('running', 'waiting', 'auth_required')",
                                  .params = "tt",
                                  .columns = "" },
    /* session, run, at, status, query, content, citations, needs: the conversation must still be there */
    [CG_ST_TURN_PUT] = { .name = "turn.put",
                         .text =
                             "insert into turn(tenant_id, session_id, run_id, at, status, query, content, citations, "
                             "needs) select s.tenant_id, s.session_id, $3, $4, $5, $6, $7, $8, $9 from session s where "
                             "s.tenant_id = $1 and s.session_id = $2 on conflict(tenant_id, session_id, run_id) do "
                             "update set status = excluded.status, content = excluded.content, citations = "
                             "excluded.citations, needs = excluded.needs",
                         .params = "ttittttt",
                         .columns = "" },
    /* session, user, limit: newest first */
    [CG_ST_TURN_LIST] = { .name = "turn.list",
                          .text =
                              "select t.tenant_id, t.run_id, t.at, t.status, t.query, t.content, t.citations, t.needs "
                              "from turn t join session s on s.tenant_id = t.tenant_id and s.session_id = t.session_id "
                              "where t.tenant_id = $1 and t.session_id = $2 and s.user_id = $3 order by t.at desc "
                              "limit $4",
                          .params = "tti",
                          .columns = "tittttt" },
    [CG_ST_TURN_DROP] = { .name = "turn.drop",
                          .text =
                              "delete from turn where tenant_id = $1 and session_id in (select s.session_id from session "
                              "s where s.tenant_id = $1 and s.session_id = $2 and s.user_id = $3)",
                          .params = "tt",
                          .columns = "" },
    /* user, key, hash of the request, run, now: a key that is taken is a conflict, and nothing of the group is written */
    [CG_ST_KEY_ADD] = { .name = "idempotency.add",
                        .text =
                            "insert into idempotency(tenant_id, user_id, request_key, hash, run_id, created) values ($1, "
                            "$2, $3, $4, $5, $6)",
                        .params = "tttti",
                        .columns = "" },
    [CG_ST_KEY_GET] = { .name = "idempotency.get",
                        .text =
                            "select tenant_id, hash, run_id from idempotency where tenant_id = $1 and user_id = $2 and "
                            "request_key = $3",
                        .params = "tt",
                        .columns = "tt" },
    /* user, before */
    [CG_ST_KEY_EXPIRE] = { .name = "idempotency.expire",
                           .text =
                               "delete from idempotency where tenant_id = $1 and user_id = $2 and created < $3",
                           .params = "ti",
                           .columns = "" },
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
