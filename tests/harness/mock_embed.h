/* SPDX-License-Identifier: Apache-2.0
 * The mock's embeddings: the same vector for the same text, as long as is asked for, in both forms.
 */
#ifndef MOCK_EMBED_H
#define MOCK_EMBED_H

#include <event2/http.h>
#include <jansson.h>

void mock_embed(struct evhttp_request *req, json_t *body);

#endif
