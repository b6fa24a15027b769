/* SPDX-License-Identifier: Apache-2.0 */
#include "records.h"

#include "common/json.h"

int records_list(struct cp_buf *out, struct cogent_str json)
{
    size_t i;
    json_t *entry;
    if (!json.len) {
        cp_buf_text(out, "[]");
        return 0;
    }
    json_t *list = cp_json_load(json);
    int err = json_is_array(list) ? 0 : COGENT_INVALID;
    json_array_foreach (list, i, entry)
        if (!json_is_string(entry))
            err = COGENT_INVALID;
    if (!err)
        cp_buf_str(out, json);
    json_decref(list);
    return err;
}

int records_run(struct cogent_search *search, const struct cogent_db_step *steps, size_t n, int reads,
                void (*done)(void *arg, const struct cogent_db_result *result))
{
    struct cogent_op op = search->host->db->run(search->op, RECORDS_PLUGIN, steps, n, reads, done, search);
    return cogent_op_none(op) ? cogent_search_fail(search, COGENT_UNAVAILABLE, "records: no database") : 0;
}
