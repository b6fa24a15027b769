/* SPDX-License-Identifier: Apache-2.0 */
#include "run_rows.h"

#include "engine/base/clock.h"

json_t *cg_run_rows_json(const struct cogent_db_result *result, size_t step)
{
    char at[CG_TIME_SIZE];
    json_t *rows = json_array();
    for (size_t i = 0; i < result->rows(result, step); i++) {
        struct cogent_row row = result->row(result, step, i);
        json_t *body = cg_json_reread(row.values[3].str);
        json_array_append_new(rows,
                              json_pack("{s:I, s:o, s:o, s:o}", "row", (json_int_t)row.values[0].num, "at",
                                        json_string(cg_time_format(row.values[1].num, at)), "kind",
                                        cg_json_strn(row.values[2].str), "body", body ? body : json_null()));
    }
    return rows;
}

/* A run that nobody holds any more, and that was not to survive its client, was cancelled with its worker. */
const char *cg_run_status_of(const struct cg_request *r, struct cogent_str status, struct cogent_str owner,
                             bool survives)
{
    static const char *const known[] = { "running", "waiting",   "complete", "limited",
                                         "refused", "cancelled", "failed" };
    if (cg_str_eq(status, "auth_required"))
        return "waiting";
    if (cg_str_eq(status, "running") && !survives && !cg_run_owner_lives(r->env->run, owner))
        return "cancelled";
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (cg_str_eq(status, known[i]))
            return known[i];
    }
    return "failed";
}

const char *cg_run_status(const struct cg_request *r, struct cogent_row head)
{
    return cg_run_status_of(r, head.values[2].str, head.values[3].str, head.values[9].num != 0);
}
