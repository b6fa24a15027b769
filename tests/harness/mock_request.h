/* SPDX-License-Identifier: Apache-2.0
 * What is asked of the mock: read, checked as the service itself would, and matched with a turn of the script.
 */
#ifndef MOCK_REQUEST_H
#define MOCK_REQUEST_H

#include <event2/http.h>
#include <jansson.h>

/* Takes body. */
void mock_reply_json(struct evhttp_request *req, int status, json_t *body);
void mock_reply_error(struct evhttp_request *req, int status, const char *type, const char *code,
                      const char *message);

/* The body, or NULL once the refusal is on its way. */
json_t *mock_request_read(struct evhttp_request *req);
/* The steps to play (borrowed), or NULL once the refusal is on its way. */
json_t *mock_request_turn(struct evhttp_request *req, json_t *models, json_t *body);
/* "{{tool:/pointer}}" in text filled in from the last tool result, "{{request:/pointer}}" from the request. The caller
 * frees it. */
char *mock_request_fill(json_t *body, const char *text);

#endif
