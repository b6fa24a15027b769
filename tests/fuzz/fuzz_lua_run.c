/* SPDX-License-Identifier: Apache-2.0
 * A decision asked about a call, the input its body: an answer within its limits, and a box that answers the next
 * question as if it had never been. */
#include "fuzz.h"

#include "engine/base/utf8.h"
#include "engine/policy/ask.h"

static const char subject_text[] =
    "{\"tool\":\"create_invoice\",\"effect\":\"write\",\"args\":{\"customer_id\":\"17850\",\"line_items\":[{"
    "\"item_id\":\"85123A\",\"quantity\":6,\"unit_price\":\"2.55\"},{\"item_id\":\"x\",\"quantity\":1,"
    "\"unit_price\":\"0.10\"}],\"note\":null,\"paid\":true,\"rate\":0.25},\"labels\":{\"/customer_id\":\"user\"}}";
static const char ctx_text[] =
    "{\"user\":{\"id\":\"u1\",\"roles\":[\"sales\"],\"permissions\":[\"sales.*\",\"-sales.delete\"]},"
    "\"tenant\":{\"currency\":\"GBP\"},\"now\":\"2026-11-22T07:30:04Z\",\"run\":\"run_1\",\"labels\":{}}";

static json_t *subject, *ctx;

static void ask(struct cg_box *box, struct cogent_str body, size_t number, struct cg_answer *answer)
{
    struct cg_script scripts[2] = { { .name = "h/x", .file = "h/x.lua" },
                                    { .name = "h/y", .file = "h/y.lua" } };
    struct cg_bundle bundle = { .decisions = scripts, .n = 2 };
    struct cg_buf source = { 0 };
    cg_buf_text(&source, "return { on = 'tool_call', decide = function(call, ctx) ");
    cg_buf_str(&source, body);
    cg_buf_text(&source, "\nend }");
    scripts[number].len = source.len;
    scripts[number].source = source.ptr;
    cg_ask(box, &bundle, number, CG_POINT_TOOL_CALL, subject, ctx, answer);
    cg_buf_finish(&source);
}

static void check_benign(struct cg_box *box)
{
    static const char body[] =
        "local t = money(0) for _, l in ipairs(call.args.line_items) do t = t + money(l.unit_price) * l.quantity "
        "end if not ctx.user:can 'sales.read' or ctx.user:can 'sales.delete' then return deny 'can' end "
        "note(('x'):rep(3)) return ask { role = 'boss', reason = t .. ' ' .. string.format('%05d', #call.args) }";
    struct cg_answer answer;
    ask(box, cogent_str(body), 1, &answer);
    FUZZ_REQUIRE(answer.end == CG_END_FINE && answer.verdict == CG_ASK);
    FUZZ_REQUIRE(strcmp(answer.reason, "15.40 00000") == 0 && strcmp(answer.note, "xxx") == 0);
    cg_answer_finish(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cg_box *box;
    struct cg_answer answer;
    if (!subject) {
        subject = cg_json_parse(cogent_str(subject_text), NULL);
        ctx = cg_json_parse(cogent_str(ctx_text), NULL);
    }
    if (size > CG_BUNDLE_FILE)
        return 0;
    FUZZ_REQUIRE(cg_box_create(&cg_box_tenant, &box) == 0);
    ask(box, fuzz_text(data, size), 0, &answer);
    FUZZ_REQUIRE(answer.steps <= 2 * cg_box_tenant.steps && answer.peak <= cg_box_tenant.memory);
    FUZZ_REQUIRE(answer.end == CG_END_FINE ||
                 (answer.verdict == CG_DENY && answer.reason[0] && !answer.table));
    FUZZ_REQUIRE(cg_utf8_valid(cogent_str(answer.reason)));
    FUZZ_REQUIRE(!answer.note || cg_utf8_valid(cogent_str(answer.note)));
    if (answer.table) {
        cg_auto_buf text = { 0 };
        cg_json_canonical(&text, answer.table);
        FUZZ_REQUIRE(!text.failed && text.len <= 2 * cg_box_tenant.output);
    }
    cg_answer_finish(&answer);
    if (!box->broken)
        check_benign(box);
    cg_box_destroy(box);
    return 0;
}
