/* SPDX-License-Identifier: Apache-2.0
 * Each start makes a struct around what the plugin sees. It is freed when the call is over and the plugin's function
 * has returned, whichever is later; its answer is delivered at the end of the turn, so that a plugin that answers in
 * its call and one that answers later look the same. */
#include "invoke.h"

#include "engine/base/clock.h"
#include "engine/base/holds.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/utf8.h"
#include "turn.h"

#include <math.h>
#include <stdlib.h>

enum {
    TOOL_MS = 10000,
    GRACE_MS = 2000,
    SEARCH_MS = 10000,
    CHAT_MS = 600000,
    MESSAGE_MAX = 500,
    SHELLS = 64,
    WIDTH_MAX = 65536
};

/* What call, chat, embed and search have in common. */
struct common {
    const struct cg_invoke_env *env;
    const char *plugin;
    struct cogent_op op;
    struct cg_task deliver;
    struct cg_buf text; /* result or message */
    void **data;
    void (**release)(void *data);
    void (*tell)(struct common *c, int err);
    void (*dispose)(struct common *c); /* of the struct around it; NULL: free */
    void *arg;
    struct cg_turn turn;
    int err;
    bool in_plugin, completed, over;
};

struct tool_call {
    struct common c;
    struct cogent_call call;
    char *args, *effect_key;
    void (*done)(void *arg, int err, struct cogent_str text);
};

struct chat_call {
    struct common c;
    struct cogent_chat chat;
    struct cg_chat_events events;
    int finish;
    uint32_t retry_ms;
};

struct embed_call {
    struct common c;
    struct cogent_embed embed;
    struct cg_embed_events events;
    bool *seen; /* which inputs have their vector */
    size_t n_seen, width;
    int64_t tokens;
    uint32_t retry_ms;
};

struct search_call {
    struct common c;
    struct cogent_search search;
    void (*found)(void *arg, const struct cogent_found *found);
    void (*done)(void *arg, int err, const char *why);
};

/* The newest tool calls that are over, as empty shells: a tool that completes one of them all the same (from a wait
 * that is not below it) is told off and writes over nobody's memory. A net: after 64 further calls it is gone. */
static struct tool_call *shells[SHELLS];

static void keep_shell(struct common *c)
{
    static size_t next;
    struct tool_call *t = (struct tool_call *)c;
    free(t->args);
    free(t->effect_key);
    t->args = t->effect_key = NULL;
    t->call.args = cogent_str("{}");
    t->call.effect_key = "";
    t->call.asker = NULL;
    t->call.data = NULL;
    t->call.release = NULL;
    free(shells[next]);
    shells[next] = t;
    next = (next + 1) % SHELLS;
}

static void call_free(struct common *c)
{
    if (*c->release) {
        struct cg_turn turn;
        cg_turn_begin(&turn, c->env->running, c->plugin);
        (*c->release)(*c->data);
        cg_turn_end(&turn, c->env->running);
    }
    cg_task_cancel(c->env->loop, &c->deliver);
    cg_buf_finish(&c->text);
    if (c->dispose)
        c->dispose(c);
    else
        free(c);
}

static void over(struct common *c)
{
    c->over = true;
    if (!c->in_plugin)
        call_free(c);
}

/* The wait ended from outside. */
static void on_ended(void *arg, int why)
{
    struct common *c = arg;
    if (why == COGENT_TIMEOUT) {
        c->completed = true; /* a write that was let go of may have happened: see tell_tool */
        cg_buf_clear(&c->text);
        cg_buf_text(&c->text, "it did not answer in time");
        c->tell(c, COGENT_TIMEOUT);
    }
    over(c);
}

static void on_deliver(void *arg)
{
    struct common *c = arg;
    if (c->over || !cg_op_finish(c->env->loop, c->op))
        return;
    c->tell(c, c->text.failed ? COGENT_NO_MEMORY : c->err);
    over(c);
}

/* The plugin says it is done. Returns whether this was the first time. */
static bool complete(struct common *c, int err)
{
    if (c->over || c->completed) {
        bool late = c->over && !c->in_plugin;
        if (late || !c->over)
            cg_log(CG_ERROR, late ? "plugin.completes_late" : "plugin.completes_twice",
                   CG_S("plugin", c->plugin));
        return false;
    }
    c->completed = true;
    c->err = err;
    cg_task_later(c->env->loop, &c->deliver);
    return true;
}

/* What a plugin said in words: whole characters, not more than a message's worth. */
static void add_words(struct common *c, const char *message)
{
    struct cogent_str words = cogent_str(message ? message : "");
    words.len = cg_utf8_cut(words, MESSAGE_MAX);
    cg_buf_str(&c->text, cg_utf8_valid(words) ? words : cogent_str("its message is not UTF-8"));
}

static bool begin(struct common *c, const struct cg_invoke_env *env, struct cogent_op parent,
                  const char *label, const char *plugin, uint32_t ms, void *arg)
{
    c->env = env;
    c->plugin = plugin;
    c->arg = arg;
    c->deliver = (struct cg_task){ .fn = on_deliver, .arg = c };
    c->op = cg_op_start(env->loop, parent, label, ms, on_ended, c);
    return !cogent_op_none(c->op);
}

/* Whether the plugin's code may run. If not, the call is over before it began. */
static bool enter(struct common *c)
{
    uint32_t ms = c->env->board ? cg_holds_left(c->env->board, c->plugin, cg_mono_us()) : 0;
    if (ms && complete(c, COGENT_UNAVAILABLE)) {
        cg_buf_printf(&c->text,
                      "plugin %s is held back because it made the server crash; it is tried again in %u s",
                      c->plugin, (ms + 999) / 1000);
        return false;
    }
    c->in_plugin = true;
    cg_turn_begin(&c->turn, c->env->running, c->plugin);
    return true;
}

/* rc: what the plugin's function returned. An error that it did not complete the call with is the call's end: it is
 * what `return COGENT_INVALID;` means, and nobody would ever complete it. */
static void leave(struct common *c, int rc)
{
    c->in_plugin = false;
    if (rc < 0 && !c->completed && !c->over) {
        complete(c, rc);
        add_words(c, "it returned an error and no words");
    }
    cg_turn_end(&c->turn, c->env->running);
    if (c->over)
        call_free(c);
}

/* Tools. */

static void tell_tool(struct common *c, int err)
{
    struct tool_call *t = (struct tool_call *)c;
    bool doubt = err == COGENT_TIMEOUT && t->effect_key[0];
    t->done(c->arg, doubt ? COGENT_UNKNOWN : err, cg_buf_view(&c->text));
}

/* set: the toolset whose reach is wanted instead of the tool's call; NULL: the call. */
static struct cogent_op start_tool(const struct cg_invoke_env *env, struct cogent_op parent,
                                   const struct cg_tool *tool, struct cogent_str args,
                                   const struct cogent_asker *asker, const char *effect_key,
                                   const struct cogent_toolset *set, void *self,
                                   void (*done)(void *arg, int err, struct cogent_str text), void *arg)
{
    struct tool_call *t = cg_calloc(1, sizeof *t);
    uint32_t ms =
        COGENT_HAS(tool->api, timeout_ms) && tool->api->timeout_ms ? tool->api->timeout_ms : TOOL_MS;
    if (!t)
        return (struct cogent_op){ 0, 0 };
    t->args = cg_str_dup(args);
    t->effect_key = cg_str_dup(cogent_str(effect_key));
    t->done = done;
    t->c.tell = tell_tool;
    t->c.dispose = keep_shell;
    t->c.data = &t->call.data;
    t->c.release = &t->call.release;
    /* The tool keeps its own time and says what became of it; ours is the net below it. */
    if (!t->args || !t->effect_key || !begin(&t->c, env, parent, "tool", tool->plugin, ms + GRACE_MS, arg)) {
        free(t->args);
        free(t->effect_key);
        free(t);
        return (struct cogent_op){ 0, 0 };
    }
    t->call = (struct cogent_call){ .size = sizeof t->call,
                                    .host = env->host,
                                    .tool = tool->api,
                                    .op = t->c.op,
                                    .args = cogent_str(t->args),
                                    .asker = asker,
                                    .effect_key = t->effect_key,
                                    .deadline_ms = ms };
    struct cogent_op op = t->c.op;
    if (enter(&t->c))
        leave(&t->c, set ? set->reach(self, &t->call) : tool->api->call(&t->call));
    return op;
}

struct cogent_op cg_invoke_tool(const struct cg_invoke_env *env, struct cogent_op parent,
                                const struct cg_tool *tool, struct cogent_str args,
                                const struct cogent_asker *asker, const char *effect_key,
                                void (*done)(void *arg, int err, struct cogent_str text), void *arg)
{
    return start_tool(env, parent, tool, args, asker, effect_key, NULL, NULL, done, arg);
}

struct cogent_op cg_invoke_reach(const struct cg_invoke_env *env, struct cogent_op parent,
                                 const struct cg_plugins *plugins, const struct cg_tool *tool,
                                 const struct cogent_asker *asker,
                                 void (*done)(void *arg, int err, struct cogent_str text), void *arg)
{
    void *self = NULL;
    const struct cogent_toolset *set = cg_tool_set(plugins, tool, &self);
    if (!set || !COGENT_HAS(set, reach) || !set->reach)
        return (struct cogent_op){ 0, 0 };
    return start_tool(env, parent, tool, cogent_str("{}"), asker, "", set, self, done, arg);
}

static struct tool_call *tool_of(struct cogent_call *call)
{
    return (struct tool_call *)((char *)call - offsetof(struct tool_call, call));
}

static int call_done(struct cogent_call *call, struct cogent_str json)
{
    struct tool_call *t = tool_of(call);
    struct cg_err why;
    cg_auto_json value = cg_json_parse(json, &why);
    /* What a write that is done has answered is not known without memory to read it; that is no failure of its. */
    bool memory = !value && why.code == COGENT_NO_MEMORY;
    int err = value ? 0 : !memory ? COGENT_UPSTREAM : t->effect_key[0] ? COGENT_UNKNOWN : COGENT_NO_MEMORY;
    if (!complete(&t->c, err))
        return COGENT_CANCELLED;
    if (value)
        cg_json_add(&t->c.text, value);
    else
        cg_buf_printf(&t->c.text, "the tool's result is %s", why.message);
    return 0;
}

static int call_fail(struct cogent_call *call, int err, const char *message)
{
    struct tool_call *t = tool_of(call);
    if (!complete(&t->c, err < 0 ? err : COGENT_INTERNAL))
        return COGENT_CANCELLED;
    add_words(&t->c, message);
    return 0;
}

/* Model turns. */

static void tell_chat(struct common *c, int err)
{
    struct chat_call *t = (struct chat_call *)c;
    t->events.done(c->arg, err, t->finish, t->retry_ms, cg_buf_view(&c->text).ptr);
}

struct cogent_op cg_invoke_chat(const struct cg_invoke_env *env, struct cogent_op parent,
                                const struct cg_provider *provider, const struct cogent_chat *request,
                                const struct cg_chat_events *events, void *arg)
{
    struct chat_call *t = calloc(1, sizeof *t);
    if (!t)
        return (struct cogent_op){ 0, 0 };
    t->events = *events;
    t->c.tell = tell_chat;
    t->c.data = &t->chat.data;
    t->c.release = &t->chat.release;
    if (!begin(&t->c, env, parent, "provider", provider->plugin, CHAT_MS, arg)) {
        free(t);
        return (struct cogent_op){ 0, 0 };
    }
    t->chat = *request;
    t->chat.size = sizeof t->chat;
    t->chat.host = env->host;
    t->chat.op = t->c.op;
    t->chat.data = NULL;
    t->chat.release = NULL;
    struct cogent_op op = t->c.op;
    if (enter(&t->c)) {
        int rc = provider->api->chat(provider->self, &t->chat);
        t->chat.messages = NULL;
        t->chat.tools = NULL;
        t->chat.withheld = NULL;
        t->chat.n_messages = t->chat.n_tools = t->chat.n_withheld = 0;
        leave(&t->c, rc);
    }
    return op;
}

static struct chat_call *chat_of(struct cogent_chat *chat)
{
    return (struct chat_call *)((char *)chat - offsetof(struct chat_call, chat));
}

static void chat_text(struct cogent_chat *chat, struct cogent_str text)
{
    struct chat_call *t = chat_of(chat);
    if (!t->c.over && !t->c.completed)
        t->events.text(t->c.arg, text);
}

static void chat_call(struct cogent_chat *chat, struct cogent_str id, struct cogent_str name,
                      struct cogent_str args, struct cogent_str verbatim)
{
    struct chat_call *t = chat_of(chat);
    struct cogent_tool_use use = { id, name, args, verbatim };
    if (!t->c.over && !t->c.completed)
        t->events.call(t->c.arg, &use);
}

static void chat_usage(struct cogent_chat *chat, const struct cogent_turn_usage *usage)
{
    struct chat_call *t = chat_of(chat);
    if (!t->c.over && !t->c.completed)
        t->events.usage(t->c.arg, usage);
}

static int chat_done(struct cogent_chat *chat, int finish)
{
    struct chat_call *t = chat_of(chat);
    t->finish = finish;
    return complete(&t->c, 0) ? 0 : COGENT_CANCELLED;
}

static int chat_fail(struct cogent_chat *chat, int err, uint32_t retry_after_ms, const char *message)
{
    struct chat_call *t = chat_of(chat);
    if (!complete(&t->c, err < 0 ? err : COGENT_INTERNAL))
        return COGENT_CANCELLED;
    t->retry_ms = retry_after_ms;
    add_words(&t->c, message);
    return 0;
}

/* Vectors. */

static void tell_embed(struct common *c, int err)
{
    struct embed_call *t = (struct embed_call *)c;
    t->events.done(c->arg, err, t->tokens, t->retry_ms, cg_buf_view(&c->text).ptr);
}

static void dispose_embed(struct common *c)
{
    struct embed_call *t = (struct embed_call *)c;
    free(t->seen);
    free(t);
}

bool cg_provider_embeds(const struct cg_provider *provider)
{
    return COGENT_HAS(provider->api, embed) && provider->api->embed;
}

struct cogent_op cg_invoke_embed(const struct cg_invoke_env *env, struct cogent_op parent,
                                 const struct cg_provider *provider, const struct cogent_embed *request,
                                 const struct cg_embed_events *events, void *arg)
{
    struct embed_call *t = calloc(1, sizeof *t);
    bool *seen = t ? calloc(request->n_inputs + 1, sizeof *seen) : NULL;
    if (!seen) {
        free(t);
        return (struct cogent_op){ 0, 0 };
    }
    t->seen = seen;
    t->events = *events;
    t->c.tell = tell_embed;
    t->c.dispose = dispose_embed;
    t->c.data = &t->embed.data;
    t->c.release = &t->embed.release;
    if (!begin(&t->c, env, parent, "provider", provider->plugin, CHAT_MS, arg)) {
        free(seen);
        free(t);
        return (struct cogent_op){ 0, 0 };
    }
    t->embed = *request;
    t->embed.size = sizeof t->embed;
    t->embed.host = env->host;
    t->embed.op = t->c.op;
    t->embed.data = NULL;
    t->embed.release = NULL;
    struct cogent_op op = t->c.op;
    if (enter(&t->c))
        leave(&t->c, provider->api->embed(provider->self, &t->embed));
    return op;
}

static struct embed_call *embed_of(struct cogent_embed *embed)
{
    return (struct embed_call *)((char *)embed - offsetof(struct embed_call, embed));
}

/* A vector that fits no input, comes twice or has another length than the first: all of them are worth nothing then. */
static bool vector_fits(struct embed_call *t, size_t index, const float *values, size_t n)
{
    if (index >= t->embed.n_inputs || t->seen[index] || n == 0 || n > WIDTH_MAX ||
        (t->n_seen && n != t->width))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i]))
            return false;
    }
    return true;
}

static int embed_vector(struct cogent_embed *embed, size_t index, const float *values, size_t n)
{
    struct embed_call *t = embed_of(embed);
    if (t->c.over || t->c.completed)
        return COGENT_CANCELLED;
    if (!vector_fits(t, index, values, n)) {
        complete(&t->c, COGENT_UPSTREAM);
        add_words(&t->c, "it gave a vector that fits no input, or is no vector");
        return COGENT_UPSTREAM;
    }
    t->seen[index] = true;
    t->n_seen++;
    t->width = n;
    t->events.vector(t->c.arg, index, values, n);
    return 0;
}

static int embed_done(struct cogent_embed *embed, int64_t tokens)
{
    struct embed_call *t = embed_of(embed);
    bool all = t->n_seen == embed->n_inputs;
    if (!complete(&t->c, all ? 0 : COGENT_UPSTREAM))
        return COGENT_CANCELLED;
    t->tokens = tokens > 0 ? tokens : 0;
    if (!all)
        add_words(&t->c, "it did not give every input its vector");
    return 0;
}

static int embed_fail(struct cogent_embed *embed, int err, uint32_t retry_after_ms, const char *message)
{
    struct embed_call *t = embed_of(embed);
    if (!complete(&t->c, err < 0 ? err : COGENT_INTERNAL))
        return COGENT_CANCELLED;
    t->retry_ms = retry_after_ms;
    add_words(&t->c, message);
    return 0;
}

/* Searches. */

static void tell_search(struct common *c, int err)
{
    struct search_call *t = (struct search_call *)c;
    t->done(c->arg, err, err == 0 && t->search.unchanged ? "unchanged" : cg_buf_view(&c->text).ptr);
}

struct cogent_op cg_invoke_search(const struct cg_invoke_env *env, struct cogent_op parent,
                                  const struct cg_retriever *retriever, const struct cogent_search *request,
                                  uint32_t deadline_ms,
                                  void (*found)(void *arg, const struct cogent_found *found),
                                  void (*done)(void *arg, int err, const char *why), void *arg)
{
    struct search_call *t = calloc(1, sizeof *t);
    if (!t)
        return (struct cogent_op){ 0, 0 };
    t->found = found;
    t->done = done;
    t->c.tell = tell_search;
    t->c.data = &t->search.data;
    t->c.release = &t->search.release;
    if (!begin(&t->c, env, parent, "retriever", retriever->plugin, deadline_ms ? deadline_ms : SEARCH_MS,
               arg)) {
        free(t);
        return (struct cogent_op){ 0, 0 };
    }
    t->search = *request;
    t->search.size = sizeof t->search;
    t->search.host = env->host;
    t->search.op = t->c.op;
    t->search.data = NULL;
    t->search.release = NULL;
    struct cogent_op op = t->c.op;
    if (enter(&t->c))
        leave(&t->c, retriever->api->request(retriever->self, &t->search));
    return op;
}

static struct search_call *search_of(struct cogent_search *search)
{
    return (struct search_call *)((char *)search - offsetof(struct search_call, search));
}

static void search_found(struct cogent_search *search, const struct cogent_found *found)
{
    struct search_call *t = search_of(search);
    if (!t->c.over && !t->c.completed && t->found)
        t->found(t->c.arg, found);
}

static int search_done(struct cogent_search *search)
{
    return complete(&search_of(search)->c, 0) ? 0 : COGENT_CANCELLED;
}

static int search_fail(struct cogent_search *search, int err, const char *message)
{
    struct search_call *t = search_of(search);
    if (!complete(&t->c, err < 0 ? err : COGENT_INTERNAL))
        return COGENT_CANCELLED;
    add_words(&t->c, message);
    return 0;
}

const struct cogent_complete_api cg_invoke_complete = {
    sizeof cg_invoke_complete,
    call_done,
    call_fail,
    chat_text,
    chat_call,
    chat_usage,
    chat_done,
    chat_fail,
    search_found,
    search_done,
    search_fail,
    embed_vector,
    embed_done,
    embed_fail,
};
