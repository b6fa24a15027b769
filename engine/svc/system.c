/* SPDX-License-Identifier: Apache-2.0 */
#include "system.h"

const struct cogent_statement cg_system[CG_SYS_STATEMENTS] = {
    [CG_SYS_TENANT_ADD] = { .name = "tenant.add",
                            .text =
                                "insert into tenant(name, id, created) values ($1, $2, $3) on conflict(name) do nothing",
                            .params = "tti",
                            .columns = "" },
    [CG_SYS_TENANT_GET] = { .name = "tenant.get",
                            .text = "select id from tenant where name = $1",
                            .params = "t",
                            .columns = "t" },
    /* id, kind, at, fair_key, ticket */
    [CG_SYS_DUE_PUT] = { .name = "due.put",
                         .text = "insert into due(id, kind, at, lease_until, owner, fair_key, ticket) "
                                 "values ($1, $2, $3, 0, $6, $4, $5) on conflict(id) do update set at = "
                                 "case when excluded.at < due.at then excluded.at else due.at end",
                         .params = "ttittt",
                         .columns = "" },
    /* kind, now, new lease end, owner: claims the oldest that is due and free */
    [CG_SYS_DUE_TAKE] = { .name = "due.take",
                          .text =
                              "update due set lease_until = $3, owner = $4 where id = (select id from due where "
                              "kind = $1 and at <= $2 and lease_until <= $2 order by at limit 1) "
                              "returning id, at, ticket",
                          .params = "tiit",
                          .columns = "tit" },
    [CG_SYS_DUE_LEASE] = { .name = "due.lease",
                           .text = "update due set lease_until = $2 where id = $1 and owner = $3",
                           .params = "tit",
                           .columns = "" },
    [CG_SYS_DUE_BACK] = { .name = "due.back",
                          .text =
                              "update due set at = $2, lease_until = 0, owner = '' where id = $1 and owner = $3",
                          .params = "tit",
                          .columns = "" },
    [CG_SYS_DUE_DROP] = { .name = "due.drop",
                          .text = "delete from due where id = $1",
                          .params = "t",
                          .columns = "" },
    [CG_SYS_DUE_LIST] = { .name = "due.list",
                          .text = "select id, owner, ticket from due where kind = $1 order by at limit 1000",
                          .params = "t",
                          .columns = "ttt" },
    [CG_SYS_ALIVE] = { .name = "db.alive", .text = "select 1", .params = "", .columns = "i" },
};
