/* SPDX-License-Identifier: Apache-2.0
 * Plays one turn to one client, step by step on the loop's timer.
 */
#ifndef MOCK_PLAY_H
#define MOCK_PLAY_H

#include <event2/http.h>
#include <jansson.h>

struct event_base;

struct mock {
    struct event_base *base;
    json_t *models;
    long long requests;
    long long open;         /* answers under way */
    long long closed_early; /* clients that went before the end */
};

void mock_play(struct mock *m, struct evhttp_request *req, json_t *body, json_t *turn);

#endif
