/* SPDX-License-Identifier: Apache-2.0
 * One JSON object a line on stderr. Fields are typed; texts are capped and escaped. What a user, a record, a model
 * or a service said is never a field: names, ids, counts, times and fixed sentences are. Any thread. */
#ifndef CG_BASE_LOG_H
#define CG_BASE_LOG_H

#include <cogent/types.h>
#include <stdbool.h>

enum cg_level { CG_ERROR = 0, CG_WARN = 1, CG_INFO = 2, CG_DEBUG = 3 };

struct cg_field {
    const char *key; /* NULL ends a list */
    const char *text;
    int64_t num;
    bool is_text;
};

#define CG_S(k, v) ((struct cg_field){ .key = (k), .text = (v), .is_text = true })
#define CG_I(k, v) ((struct cg_field){ .key = (k), .num = (int64_t)(v) })

/* cg_log(CG_INFO, "run.end", CG_S("run", id), CG_I("ms", 12)); */
#define cg_log(level, ...) cg_log_event(level, CG_LOG_SPLIT(__VA_ARGS__, { 0 }))
#define CG_LOG_SPLIT(event, ...)                                                                             \
    event, (const struct cg_field[])                                                                         \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }

void cg_log_event(enum cg_level level, const char *event, const struct cg_field *fields);

/* Everything above `level` is dropped. Who: "master", "serve-1", ... (copied). */
void cg_log_setup(enum cg_level level, const char *who);
enum cg_level cg_log_level(void);
/* "error" ... "debug"; -1 when it is none of them. */
int cg_log_level_parse(const char *word);

#endif
