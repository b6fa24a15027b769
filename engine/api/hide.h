/* SPDX-License-Identifier: Apache-2.0
 * What a reader may no longer read is not shown by an old run either, nor are the words that rest on it. */
#ifndef CG_API_HIDE_H
#define CG_API_HIDE_H

#include "request.h"

/* rows: {"row", "kind", "body"}, changed in place. *hidden stays true from the first thing that was taken out: what
 * comes after may rest on it. */
void cg_hide_lost(const struct cg_request *r, json_t *rows, bool *hidden);

#endif
