/* SPDX-License-Identifier: Apache-2.0
 * Asking: what stands between a request with a question and its run: the session it goes on in, and the
 * Idempotency-Key under which it may have been asked before. */
#ifndef CG_API_QUESTION_H
#define CG_API_QUESTION_H

#include "stream.h"

/* Starts a run for the request and answers with its stream, or with the error. A request that was asked before under
 * its key is answered with what came of it then. What question points to must live as long as the request, but for its
 * history. */
void cg_question_ask(struct cg_request *r, const struct cg_run_request *question, enum cg_dialect_kind kind,
                     bool include_usage);

#endif
