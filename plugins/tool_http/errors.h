/* SPDX-License-Identifier: Apache-2.0
 * Whether an answer is an error, of which class, and in which words.
 */
#ifndef TOOL_HTTP_ERRORS_H
#define TOOL_HTTP_ERRORS_H

#include "tool_http.h"

/* A class by its name as a declaration writes it; 0 when it is none. */
int th_class(const char *name);
/* Judges an HTTP answer. body may be NULL (empty, or no JSON). Returns 0, or the class with problem filled. */
int th_judge(const struct th_tool *tool, const struct cogent_asker *asker, int status, json_t *body,
             struct th_problem *problem);

#endif
