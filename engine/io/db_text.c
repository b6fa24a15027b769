/* SPDX-License-Identifier: Apache-2.0 */
#include "db_text.h"

#include "engine/base/buf.h"

char *cg_sql_question_marks(const char *sql)
{
    struct cg_buf out = { 0 };
    char quote = 0;
    for (; *sql; sql++) {
        if (quote)
            quote = *sql == quote ? 0 : quote;
        else if (*sql == '\'' || *sql == '"')
            quote = *sql;
        cg_buf_char(&out, !quote && *sql == '$' && sql[1] >= '1' && sql[1] <= '9' ? '?' : *sql);
    }
    return cg_buf_steal(&out);
}
