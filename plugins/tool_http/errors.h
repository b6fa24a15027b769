/* SPDX-License-Identifier: Apache-2.0
 * Whether an answer is an error, of which class, and in which words.
 */
#ifndef TOOL_HTTP_ERRORS_H
#define TOOL_HTTP_ERRORS_H

#include "tool_http.h"

/* A class by its name as a declaration writes it; 0 when it is none. */
int th_class(const char *name);
/* Judges an HTTP answer. body may be NULL (empty, or no JSON). credential: the one that was sent, or NULL.
 * Returns 0, or the class with problem filled. */
int th_judge(const struct th_tool *tool, const struct th_vars *vars, const char *credential, int status,
             json_t *body, struct th_problem *problem);
/* Writes over every credential that the call knows: a service may repeat them. */
void th_hide(const struct th_tool *tool, const struct th_vars *vars, const char *credential,
             struct cp_buf *words);

#endif
