/* SPDX-License-Identifier: Apache-2.0
 * Calling a tool as the engine does: well, oddly, cancelled, and often. */
#include "plugin_kit.h"

#include "engine/base/clock.h"
#include "engine/io/loop.h"

#include <dirent.h>
#include <malloc.h>
#include <stdlib.h>

enum {
    CALL_MS = 3000,   /* services answer at once here: what is not over by then waits for nothing */
    AFTER_MS = 500,   /* how long waits that outlive their call are watched */
    BLOCK_MS = 300,   /* a function that holds the loop so long is told so */
    CALLS = 200,      /* of a round that looks for leaks */
    BATCH = 20,       /* of these at a time */
    LEAK_LEAST = 1600 /* bytes a round: eight a call */
};

static const struct cogent_op none = { 0, 0 };
static const char effect_key[] = "ef_00000000000000000000000000";

struct call {
    struct cg_room *room;
    const struct cg_tool *tool;
    struct cogent_op root, op;
    int dones, err;
    unsigned idle; /* looks at which it was open and waited for nothing */
    char *said;
    int64_t held_us;
};

static void on_done(void *arg, int err, struct cogent_str text)
{
    struct call *c = arg;
    c->dones++;
    c->err = err;
    c->said = cg_str_dup(text);
}

static void call_begin(struct call *c, struct cg_room *room, const struct cg_tool *tool, const json_t *args)
{
    cg_auto_free char *text = cg_json_text(args);
    *c = (struct call){ .room = room,
                        .tool = tool,
                        .root = cg_op_start(room->loop, none, "kit", 0, NULL, NULL) };
    int64_t began = cg_mono_us();
    c->op = cg_invoke_tool(&room->invoke, c->root, tool, cogent_str(text), room->asker,
                           tool->api->effect == COGENT_READ ? "" : effect_key, on_done, c);
    c->held_us = cg_mono_us() - began;
}

static void call_finish(struct call *c)
{
    cg_op_finish(c->room->loop, c->root);
    free(c->said);
}

/* Over, or open with nothing at all that could end it. The call and its root are two waits. */
static bool is_decided(void *arg)
{
    struct call *c = arg;
    c->idle = c->dones == 0 && cg_room_waits(c->room) <= 2 ? c->idle + 1 : 0;
    return c->dones > 0 || c->idle > 3;
}

static bool no_waits(void *arg)
{
    return cg_room_waits(arg) == 0;
}

/* What a call left behind: waits that are not below it. */
static bool left_waits(struct cg_kit *kit, struct cg_room *room, const char *tool)
{
    if (cg_room_waits(room) == 0)
        return false;
    cg_kit_at(kit, "a callback of tool %s that comes after its call", tool);
    cg_room_until(room, AFTER_MS, no_waits, room);
    cg_kit_say(kit, CG_KIT_WRONG, "waits", "begin every wait of a call below call->op",
               "%s: a wait of it goes on when its call is over, and its callback would touch what is freed",
               tool);
    return true;
}

/* The table of what is tried. */

struct trial {
    const char *with;
    enum cg_args_kind args;
    enum cg_answers answers;
};

static const struct trial trials[] = {
    { "what it requires, no service answering", CG_ARGS_LEAST, CG_ANSWER_NOTHING },
    { "all arguments, services answering JSON", CG_ARGS_ALL, CG_ANSWER_JSON },
    { "the longest arguments, services answering JSON", CG_ARGS_LONGEST, CG_ANSWER_JSON },
    { "quotes, backslashes and line ends in its texts", CG_ARGS_ODD, CG_ANSWER_JSON },
    { "services answering a page of HTML", CG_ARGS_ALL, CG_ANSWER_OTHER },
    { "a connection that breaks after the request", CG_ARGS_ALL, CG_ANSWER_CUT },
};

struct finding {
    enum cg_kit_state state;
    const char *what, *says;
    bool (*is)(const struct call *c, const struct trial *t);
};

static bool never_ends(const struct call *c, const struct trial *t)
{
    (void)t;
    return c->dones == 0 && c->idle > 0;
}

static bool ends_late(const struct call *c, const struct trial *t)
{
    (void)t;
    return c->dones == 0 && c->idle == 0;
}

static bool is_no_json(const struct call *c, const struct trial *t)
{
    (void)t;
    return c->err == COGENT_UPSTREAM && c->said && strncmp(c->said, "the tool's result is", 20) == 0;
}

static bool has_no_words(const struct call *c, const struct trial *t)
{
    (void)t;
    return c->err < 0 && c->said && (c->said[0] == '\0' || strncmp(c->said, "it returned an error", 20) == 0);
}

static bool is_no_text(const struct call *c, const struct trial *t)
{
    (void)t;
    return c->err < 0 && c->said && strcmp(c->said, "its message is not UTF-8") == 0;
}

static bool denies_a_doubt(const struct call *c, const struct trial *t)
{
    return t->answers == CG_ANSWER_CUT && c->tool->api->effect != COGENT_READ && c->room->sent > 0 &&
           c->dones > 0 && c->err != COGENT_UNKNOWN;
}

static bool is_unguarded(const struct call *c, const struct trial *t)
{
    (void)t;
    return c->tool->api->effect != COGENT_READ && c->room->unguarded > 0;
}

static bool blocks(const struct call *c, const struct trial *t)
{
    (void)t;
    return c->held_us > (int64_t)BLOCK_MS * 1000;
}

static const struct finding findings[] = {
    { CG_KIT_WRONG,
      "complete it with cogent_done or cogent_fail, at once or in the callback of a wait below call->op",
      "it returns 0, waits for nothing, and never completes", never_ends },
    { CG_KIT_NOTE, "end it before call->deadline_ms; two seconds later the engine gives it up",
      "it had not completed after three seconds, though every service answers at once here", ends_late },
    { CG_KIT_WRONG, "give JSON; escape what you put into a string", "its result is no JSON", is_no_json },
    { CG_KIT_NOTE, "cogent_fail(call, class, \"what is wrong and what to do\")", "it fails without words",
      has_no_words },
    { CG_KIT_WRONG, "give UTF-8, and no text of somebody else's", "the words it fails with are not UTF-8",
      is_no_text },
    { CG_KIT_WRONG, "fail it with COGENT_UNKNOWN when result->sent is set and no answer came",
      "a write that was sent and not answered is told as if nobody doubted its end", denies_a_doubt },
    { CG_KIT_NOTE, "set COGENT_HTTP_ONCE in the flags of the request that writes",
      "a request of it that is no GET could be sent twice below", is_unguarded },
    { CG_KIT_NOTE, "wait with a timer or a transfer; what computes long belongs into a service",
      "its function holds the loop for more than 300 ms", blocks },
};

/* told: a bit a finding, so that each is said once a tool. */
static bool report_call(struct cg_kit *kit, const struct call *c, const struct trial *t, unsigned *told)
{
    bool wrong = false;
    const char *name = c->tool->api->name;
    for (size_t i = 0; i < sizeof findings / sizeof findings[0]; i++) {
        const struct finding *f = &findings[i];
        if (!f->is(c, t) || (*told & 1u << i))
            continue;
        *told |= 1u << i;
        cg_kit_say(kit, f->state, "call", f->what, "%s: with %s: %s", name, t->with, f->says);
        wrong = wrong || f->state == CG_KIT_WRONG || f->is == ends_late;
    }
    if (c->room->bad_request)
        cg_kit_say(kit, CG_KIT_WRONG, "call", "see struct cogent_http_request in cogent/host.h",
                   "%s: with %s: %s", name, t->with, c->room->bad_request);
    return wrong || c->room->bad_request;
}

static bool report_log(struct cg_kit *kit, const char *name, const struct trial *t)
{
    static const struct {
        const char *event, *says, *what;
    } events[] = {
        { "plugin.completes_twice", "it completes twice",
          "complete each call once: return after cogent_done" },
        { "plugin.completes_late", "it completes a call that is over", "touch no call after its release" },
    };
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (cg_kit_logged(kit, events[i].event)) {
            cg_kit_say(kit, CG_KIT_WRONG, "call", events[i].what, "%s: with %s: %s", name, t->with,
                       events[i].says);
            return true;
        }
    }
    return false;
}

struct seen {
    unsigned told, done;
};

/* One trial; false: another would show the same. */
static bool try_call(struct cg_kit *kit, struct cg_room *room, const struct cg_tool *tool,
                     const struct trial *t, struct seen *seen)
{
    struct call c;
    cg_auto_json args = cg_args_make(tool, t->args);
    if (!args) {
        if (t->args == CG_ARGS_LEAST)
            cg_kit_say(kit, CG_KIT_NOTE, "call", "put `examples` into the properties that are hard to guess",
                       "%s: no arguments could be made from its schema, so it was not called",
                       tool->api->name);
        return t->args != CG_ARGS_LEAST;
    }
    room->answers = t->answers;
    room->sent = room->unguarded = 0;
    room->bad_request = NULL;
    cg_kit_at(kit, "a call of tool %s with %s", tool->api->name, t->with);
    call_begin(&c, room, tool, args);
    cg_room_until(room, CALL_MS, is_decided, &c);
    bool wrong = report_call(kit, &c, t, &seen->told);
    call_finish(&c);
    wrong = left_waits(kit, room, tool->api->name) || wrong;
    wrong = report_log(kit, tool->api->name, t) || wrong;
    seen->done += !wrong;
    return !wrong;
}

void cg_kit_calls(struct cg_kit *kit, size_t i)
{
    struct cg_room *room = cg_room_open(kit->path, NULL);
    const struct cg_tool *tool = room ? cg_tool_get(room->plugins, i) : NULL;
    struct seen seen = { 0 };
    bool more = tool != NULL;
    for (size_t t = 0; more && t < sizeof trials / sizeof trials[0]; t++)
        more = try_call(kit, room, tool, &trials[t], &seen);
    if (more)
        cg_kit_say(kit, CG_KIT_OK, "call", "", "%s: called in %u ways, it completes each time, once",
                   tool->api->name, seen.done);
}

/* Cancel. */

static bool at_once(void *arg)
{
    (void)arg;
    return true;
}

static void cancel_after(struct cg_room *room, const struct cg_tool *tool, const json_t *args, int turns,
                         int why)
{
    struct call c;
    call_begin(&c, room, tool, args);
    while (turns-- > 0)
        cg_room_until(room, CALL_MS, at_once, NULL);
    cg_op_cancel(room->loop, c.op, why);
    call_finish(&c);
}

void cg_kit_cancel(struct cg_kit *kit, size_t i)
{
    static const int reasons[] = { COGENT_CANCELLED, COGENT_TIMEOUT };
    struct cg_room *room = cg_room_open(kit->path, NULL);
    const struct cg_tool *tool = room ? cg_tool_get(room->plugins, i) : NULL;
    cg_auto_json args = tool ? cg_args_make(tool, CG_ARGS_LEAST) : NULL;
    if (!args)
        return;
    room->answers = CG_ANSWER_JSON;
    for (int turns = 0; turns < 3; turns++) {
        for (size_t r = 0; r < sizeof reasons / sizeof reasons[0]; r++) {
            cg_kit_at(kit, "a call of tool %s that is %s in the middle", tool->api->name,
                      reasons[r] == COGENT_TIMEOUT ? "given up" : "cancelled");
            cancel_after(room, tool, args, turns, reasons[r]);
        }
    }
    if (left_waits(kit, room, tool->api->name))
        return;
    if (cg_kit_logged(kit, "plugin.completes_late"))
        cg_kit_say(kit, CG_KIT_WRONG, "cancel", "touch no call after its release",
                   "%s: it completes a call that was cancelled", tool->api->name);
    else
        cg_kit_say(kit, CG_KIT_OK, "cancel", "",
                   "%s: cancelled and given up in the middle, nothing of it goes on", tool->api->name);
}

/* Leaks. */

#if defined(__SANITIZE_ADDRESS__)
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

static size_t allocated(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return __sanitizer_get_current_allocated_bytes();
#else
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
#endif
}

static size_t open_files(void)
{
    size_t n = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        n++;
    if (folder)
        closedir(folder);
    return n;
}

struct batch {
    struct call calls[BATCH];
    unsigned idle;
};

static bool are_decided(void *arg)
{
    struct batch *b = arg;
    size_t open = 0;
    for (size_t i = 0; i < BATCH; i++)
        open += cg_op_alive(b->calls[i].room->loop, b->calls[i].op);
    b->idle = cg_room_waits(b->calls[0].room) <= BATCH + open ? b->idle + 1
                                                              : 0; /* roots and calls, and no wait below */
    return open == 0 || b->idle > 3;
}

/* Several at a time; one in four is cancelled. */
static void call_often(struct cg_room *room, const struct cg_tool *tool, const json_t *args)
{
    for (int round = 0; round < CALLS / BATCH; round++) {
        struct batch b = { .idle = 0 };
        for (size_t i = 0; i < BATCH; i++)
            call_begin(&b.calls[i], room, tool, args);
        for (size_t i = 3; i < BATCH; i += 4)
            cg_op_cancel(room->loop, b.calls[i].op, COGENT_CANCELLED);
        cg_room_until(room, CALL_MS, are_decided, &b);
        for (size_t i = 0; i < BATCH; i++)
            call_finish(&b.calls[i]);
    }
}

void cg_kit_leaks(struct cg_kit *kit, size_t i)
{
    struct cg_room *room = cg_room_open(kit->path, NULL);
    const struct cg_tool *tool = room ? cg_tool_get(room->plugins, i) : NULL;
    cg_auto_json args = tool ? cg_args_make(tool, CG_ARGS_ALL) : NULL;
    size_t bytes[3], files[3];
    if (!args)
        return;
    room->answers = CG_ANSWER_JSON;
    for (int round = 0; round < 3; round++) {
        cg_kit_at(kit, "%d calls of tool %s in a row", CALLS, tool->api->name);
        call_often(room, tool, args);
        bytes[round] = allocated();
        files[round] = open_files();
    }
    bool grows = bytes[1] >= bytes[0] + LEAK_LEAST && bytes[2] >= bytes[1] + LEAK_LEAST;
    if (grows)
        cg_kit_say(kit, CG_KIT_WRONG, "leaks", "free what a call holds in its release",
                   "%s: %d calls leave %zu bytes behind", tool->api->name, CALLS, bytes[2] - bytes[1]);
    if (files[2] > files[1] && files[1] > files[0])
        cg_kit_say(kit, CG_KIT_WRONG, "leaks", "close what a call opens in its release",
                   "%s: %d calls leave %zu files open", tool->api->name, CALLS, files[2] - files[1]);
    else if (!grows)
        cg_kit_say(kit, CG_KIT_OK, "leaks", "", "%s: %d calls leave nothing behind", tool->api->name, CALLS);
}
