/* SPDX-License-Identifier: Apache-2.0
 * SQL text on its way to a driver. */
#ifndef CG_IO_DB_TEXT_H
#define CG_IO_DB_TEXT_H

/* $n as ?n: SQLite numbers $n by first appearance, so values would swap silently. Quoted text stays. To free. */
char *cg_sql_question_marks(const char *sql);

#endif
