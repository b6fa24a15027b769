/* SPDX-License-Identifier: Apache-2.0
 * One decision in a box, without a door. */
#ifndef TESTS_POLICY_BOX_H
#define TESTS_POLICY_BOX_H

#include "room.h"

#include "engine/policy/ask.h"

/* The answer of a decision whose body this is, asked about a call of the tool t. */
static inline struct cg_answer run(struct cg_box *box, const char *body)
{
    struct room room;
    struct cg_bundle *bundle;
    struct cg_err err = { 0 };
    struct cg_answer answer;
    cg_auto_buf text = { 0 };
    room_open(&room);
    cg_buf_printf(&text, "return { on = 'tool_call', decide = function(call, ctx) %s\nend }", body);
    room_write(&room, "policies/h/x.lua", text.ptr);
    if (cg_bundle_load(room.path, &bundle, &err))
        fail_msg("%s: %s", body, err.message);
    cg_auto_json subject = parse("{\"tool\":\"t\",\"args\":{}}");
    cg_auto_json ctx = parse("{\"user\":{\"permissions\":[\"a.*\"]}}");
    cg_ask(box, bundle, 0, CG_POINT_TOOL_CALL, subject, ctx, &answer);
    cg_bundle_destroy(bundle);
    room_close(&room);
    return answer;
}

#endif
