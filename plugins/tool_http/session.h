/* SPDX-License-Identifier: Apache-2.0
 * Sessions and tokens: what a login or a token server gave, kept for those who may share it. A session belongs to one
 * tenant and one service, a token exchanged for a user's to that token alone. One login at a time is on its way for
 * each; whoever needs it meanwhile waits. The request is a wait below the call that came first; when that call ends
 * early, the next one makes its own.
 */
#ifndef TOOL_HTTP_SESSION_H
#define TOOL_HTTP_SESSION_H

#include "tool_http.h"

struct th_session;

/* One call that needs a session. Part of the call's own state; zeroed at first, but for `call`, `tool` and `ready`. */
struct th_waiter {
    struct cogent_call *call;
    const struct th_tool *tool;
    /* There is one now: ask again. Or problem says why there is none. Never called by a function of this header that
     * was given the same waiter. */
    void (*ready)(struct th_waiter *waiter, const struct th_problem *problem);
    struct th_session *session; /* it waits for this one; NULL: it does not wait */
    struct th_waiter *next;
};

/* 1: there is one: login is a new reference, serial says which. 0: ready will be called. Negative: problem->err. */
int th_session_get(struct th_waiter *waiter, json_t **login, uint64_t *serial, struct th_problem *problem);
/* The service refused the session of this serial: it is forgotten, unless another has taken its place. */
void th_session_refused(struct th_waiter *waiter, uint64_t serial);
/* The call is over: it waits no longer. */
void th_session_leave(struct th_waiter *waiter);

void th_sessions_destroy(struct th_sessions *sessions);

#endif
