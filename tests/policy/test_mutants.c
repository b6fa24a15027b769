/* SPDX-License-Identifier: Apache-2.0
 * Mutated hostile scripts: none gets out, none stays, none goes on for longer than it may.
 *
 *   test_policy_mutants [COUNT [FIRST]]
 *
 * Without arguments some thousands on a small budget. With a count each has the budget of a server, CPU time is held
 * against its limit too (but for sanitizers, which have a time of their own), and the largest figures are printed. A mutant that fails is shown; FIRST begins there. */
#include "box.h"
#include "mutants.h"

#include "engine/policy/library.h"

enum { QUICK = 4000, QUICK_STEPS = 20000, BOX_MUTANTS = 50 };
/* What may come on top: the price of one C call. */
enum { SLACK_STEPS = 20000, SLACK_US = 5000 };

struct search {
    struct mutants *mutants;
    struct cg_box_limits limits;
    uint64_t first, count;
    bool timed;
    struct cg_box *box;
    unsigned in_box;
    char *world; /* of the box when it was new */
    size_t compiled, fine, by_end[5];
    int64_t most_steps, most_us;
    size_t most_bytes;
    uint64_t slowest;
};

static struct search search;

/* --- the world that scripts share --- */

static void add_table(lua_State *L, int index, int depth, json_t *out);

static void add_value(lua_State *L, int index, const char *name, int depth, json_t *out)
{
    char text[64];
    snprintf(text, sizeof text, "%s %p", luaL_typename(L, index), lua_topointer(L, index));
    json_object_set_new(out, name, json_string(text));
    if (depth < 4 && lua_istable(L, index)) {
        json_t *below = json_object();
        char key[80];
        add_table(L, index, depth + 1, below);
        snprintf(key, sizeof key, "%.60s/", name);
        json_object_set_new(out, key, below);
    }
}

static void add_table(lua_State *L, int index, int depth, json_t *out)
{
    luaL_checkstack(L, 10, NULL);
    index = lua_absindex(L, index);
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pushvalue(L, -2);
        add_value(L, -2, lua_tostring(L, -1), depth, out);
        lua_pop(L, 2);
    }
    if (lua_getmetatable(L, index)) {
        add_value(L, -1, "(metatable)", depth, out);
        lua_pop(L, 1);
    }
}

/* What scripts find and share: the bases, the metatables of texts, lists, users and the helpers' own values. */
static char *world(struct cg_box *box)
{
    static char *const keys[] = { &cg_key_globals, &cg_key_list, &cg_key_user };
    static const char *const names[] = { "money", "date", "verdict" };
    lua_State *L = box->lua;
    cg_auto_json all = json_object();
    struct cg_buf out = { 0 };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char name[8];
        snprintf(name, sizeof name, "%zu", i);
        lua_rawgetp(L, LUA_REGISTRYINDEX, keys[i]);
        add_value(L, -1, name, 0, all);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        luaL_getmetatable(L, names[i]);
        add_value(L, -1, names[i], 0, all);
    }
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    add_value(L, -1, "text", 0, all);
    lua_settop(L, 0);
    cg_json_canonical(&out, all);
    return cg_buf_steal(&out);
}

/* --- one mutant --- */

static void ask(const char *body, size_t number, struct cg_answer *answer)
{
    static struct cg_script scripts[BOX_MUTANTS + 1];
    const struct cg_bundle bundle = { .decisions = scripts, .n = BOX_MUTANTS + 1 };
    cg_auto_buf source = { 0 };
    cg_auto_json subject = parse("{\"tool\":\"t\",\"args\":{\"list\":[1,2,3],\"text\":\"x\"}}");
    cg_auto_json ctx = parse("{\"user\":{\"permissions\":[\"a.*\"]},\"now\":\"2026-01-31\"}");
    cg_buf_printf(&source, "return { on = 'tool_call', decide = function(call, ctx) %s\nend }", body);
    snprintf(scripts[number].file, sizeof scripts[number].file, "h/x.lua");
    scripts[number].source = source.ptr;
    scripts[number].len = source.len;
    cg_ask(search.box, &bundle, number, CG_POINT_TOOL_CALL, subject, ctx, answer);
}

static void fail_mutant(uint64_t number, bool tame, const char *what, const struct cg_answer *a)
{
    cg_auto_buf body = { 0 };
    mutants_body(search.mutants, number, tame, &body);
    fail_msg("mutant %llu: %s: %s, %s, %s, %lld steps, %zu bytes, %lld us\n%s", (unsigned long long)number,
             what, cg_verdict_name(a->verdict), cg_end_name(a->end), a->reason, (long long)a->steps, a->peak,
             (long long)a->us, body.ptr);
}

static void fresh_box(void)
{
    struct cg_answer a;
    if (search.box && !search.box->broken && search.in_box < BOX_MUTANTS)
        return;
    cg_box_destroy(search.box);
    free(search.world);
    assert_int_equal(cg_box_create(&search.limits, &search.box), 0);
    search.in_box = 0;
    /* The user's metatable is made with the first question; so is the benign decision compiled. */
    ask("if left then return deny 'left' end return allow { reason = ('x'):rep(3) .. money('1.50') .. date(ctx.now) }",
        BOX_MUTANTS, &a);
    assert_int_equal(a.verdict, CG_ALLOW);
    cg_answer_finish(&a);
    search.world = world(search.box);
}

static void benign_as_ever(uint64_t number)
{
    struct cg_answer a;
    ask("", BOX_MUTANTS, &a); /* as it was compiled */
    if (a.verdict != CG_ALLOW || strcmp(a.reason, "xxx1.502026-01-31") != 0)
        fail_mutant(number, false, "the next script is not as ever", &a);
    cg_answer_finish(&a);
}

static void count_in(uint64_t number, const struct cg_answer *a)
{
    search.compiled += !strstr(a->reason, "near") || a->steps > 100;
    search.fine += a->end == CG_END_FINE;
    search.by_end[a->end]++;
    if (a->steps > search.most_steps)
        search.most_steps = a->steps;
    if (a->peak > search.most_bytes)
        search.most_bytes = a->peak;
    if (a->us > search.most_us) {
        search.most_us = a->us;
        search.slowest = number;
    }
}

static void try_mutant(uint64_t number)
{
    struct cg_answer a;
    cg_auto_buf body = { 0 };
    bool tame = number % 2;
    fresh_box();
    mutants_body(search.mutants, number, tame, &body);
    ask(body.ptr, search.in_box++, &a);
    count_in(number, &a);
    if (a.end != CG_END_FINE && (a.verdict != CG_DENY || !a.reason[0] || a.table))
        fail_mutant(number, tame, "it failed and was not denied with a reason", &a);
    if (tame && (a.verdict == CG_ALLOW || a.verdict == CG_ASK))
        fail_mutant(number, tame, "it can only deny", &a);
    if (a.steps > search.limits.steps + SLACK_STEPS || a.peak > search.limits.memory)
        fail_mutant(number, tame, "it went over its limits", &a);
    if (search.timed && a.us > search.limits.us + SLACK_US)
        fail_mutant(number, tame, "it took too long", &a);
    cg_answer_finish(&a);
    if (search.box->broken)
        return;
    cg_auto_free char *now = world(search.box);
    if (strcmp(now, search.world) != 0)
        fail_mutant(number, tame, "the shared world is not as it was", &a);
    benign_as_ever(number);
}

static void no_mutant_does_harm(void **state)
{
    (void)state;
    search.mutants = mutants_create();
    for (uint64_t i = 0; i < search.count; i++)
        try_mutant(search.first + i);
    print_message(
        "%llu mutants, %zu of them well-formed, %zu ended by themselves, %zu by an error, %zu by steps, %zu by "
        "time, %zu by memory; at most %lld steps, %zu bytes, %lld us (mutant %llu)\n",
        (unsigned long long)search.count, search.compiled, search.fine, search.by_end[CG_END_ERROR],
        search.by_end[CG_END_STEPS], search.by_end[CG_END_TIME], search.by_end[CG_END_MEMORY],
        (long long)search.most_steps, search.most_bytes, (long long)search.most_us,
        (unsigned long long)search.slowest);
    cg_box_destroy(search.box);
    free(search.world);
    mutants_destroy(search.mutants);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(no_mutant_does_harm) };
    search.limits = cg_box_tenant;
    bool asked = argc > 1;
    search.timed = asked && search.limits.us == 5000;
    search.count = argc > 1 ? strtoull(argv[1], NULL, 10) : QUICK;
    search.first = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    if (!asked)
        search.limits.steps = QUICK_STEPS;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
