/* SPDX-License-Identifier: Apache-2.0
 * Looking without a question: how many, one record's chunks, the ids that are there.
 */
#include "records.h"

#include "rows.h"

enum { IDS_PRESET = 5000 };

struct lists {
    struct cp_buf kinds, principals;
};

static void finish(struct lists *lists)
{
    cp_buf_finish(&lists->kinds);
    cp_buf_finish(&lists->principals);
}

static int read_lists(struct lists *lists, const struct cogent_search *s)
{
    memset(lists, 0, sizeof *lists);
    int err = records_list(&lists->kinds, s->kinds);
    return err ? err : records_list(&lists->principals, s->principals);
}

static void on_count(void *arg, const struct cogent_db_result *result)
{
    struct cogent_search *s = arg;
    if (result->err || !result->rows(result, 0)) {
        cogent_search_fail(s, result->err ? result->err : COGENT_INTERNAL,
                           "records: they could not be counted");
        return;
    }
    struct cogent_found found = { .size = sizeof found, .type = s->type };
    found.score = (double)result->row(result, 0, 0).values[0].num;
    cogent_search_found(s, &found);
    cogent_search_done(s);
}

int records_count(struct cogent_search *s)
{
    struct lists lists;
    int err = read_lists(&lists, s);
    if (err) {
        finish(&lists);
        return cogent_search_fail(s, err, "records: kinds or principals are not a JSON array of strings");
    }
    struct cogent_value values[] = { cogent_text(s->type.len ? s->type : cogent_str("")),
                                     cogent_text(cp_buf_peek(&lists.kinds)),
                                     cogent_text(cp_buf_peek(&lists.principals)) };
    const struct cogent_db_step step = { RECORDS_COUNT, values, 3 };
    err = records_run(s, &step, 1, 1, on_count);
    finish(&lists);
    return err;
}

static void on_show(void *arg, const struct cogent_db_result *result)
{
    struct cogent_search *s = arg;
    if (result->err) {
        cogent_search_fail(s, result->err, "records: the record could not be read");
        return;
    }
    for (size_t i = 0; i < result->rows(result, 0); i++) {
        struct cogent_found found = records_row(result->row(result, 0, i));
        cogent_search_found(s, &found);
    }
    cogent_search_done(s);
}

int records_show(struct cogent_search *s)
{
    struct lists lists;
    int err = read_lists(&lists, s);
    if (err) {
        finish(&lists);
        return cogent_search_fail(s, err, "records: kinds or principals are not a JSON array of strings");
    }
    struct cogent_value values[] = { cogent_text(s->type), cogent_text(s->id),
                                     cogent_text(cp_buf_peek(&lists.kinds)),
                                     cogent_text(cp_buf_peek(&lists.principals)) };
    const struct cogent_db_step step = { RECORDS_SHOW, values, 4 };
    err = records_run(s, &step, 1, 1, on_show);
    finish(&lists);
    return err;
}

static void on_ids(void *arg, const struct cogent_db_result *result)
{
    struct cogent_search *s = arg;
    if (result->err) {
        cogent_search_fail(s, result->err, "records: the ids could not be read");
        return;
    }
    for (size_t i = 0; i < result->rows(result, 0); i++) {
        struct cogent_row row = result->row(result, 0, i);
        struct cogent_found found = {
            .size = sizeof found, .type = s->type, .id = row.values[0].str, .stamp = row.values[1].str
        };
        cogent_search_found(s, &found);
    }
    cogent_search_done(s);
}

int records_ids(struct cogent_search *s)
{
    struct cogent_value values[] = { cogent_text(s->type),
                                     cogent_text(s->after.len ? s->after : cogent_str("")),
                                     cogent_int(s->limit ? s->limit : IDS_PRESET) };
    const struct cogent_db_step step = { RECORDS_IDS, values, 3 };
    return records_run(s, &step, 1, 1, on_ids);
}
