/* SPDX-License-Identifier: Apache-2.0
 * The loaded plugin before a tool is called: the entry's numbers, the descriptor, and what it has beside tools. */
#include "plugin_kit.h"

#include "engine/base/options.h"
#include "engine/io/loop.h"
#include "engine/plugin/loader.h"

#include <stdlib.h>

enum { TURN_MS = 5000, FAR = 7 };

static const struct cogent_op none = { 0, 0 };

/* The entry. */

static void check_numbers(struct cg_kit *kit, cogent_plugin_entry_fn entry)
{
    const struct cogent_plugin *mine = entry(CG_ABI_OLDEST, COGENT_ABI);
    cg_kit_at(kit, "the call of cogent_plugin_entry with numbers of a later engine");
    if (entry(COGENT_ABI + 1 + FAR, COGENT_ABI + 2 + FAR))
        cg_kit_say(kit, CG_KIT_WRONG, "entry",
                   "return oldest <= plugin.abi && plugin.abi <= newest ? &plugin : NULL",
                   "it answers an engine that speaks only numbers %u to %u, which it cannot know",
                   COGENT_ABI + 1 + FAR, COGENT_ABI + 2 + FAR);
    else if (entry(CG_ABI_OLDEST, COGENT_ABI + FAR) != mine || entry(CG_ABI_OLDEST, COGENT_ABI) != mine)
        cg_kit_say(kit, CG_KIT_WRONG, "entry", "return one static const descriptor",
                   "it gives another descriptor, or none, to an engine that speaks more numbers");
    else
        cg_kit_say(kit, CG_KIT_OK, "entry", "", "it answers for its own ABI number and no other");
}

static void check_size(struct cg_kit *kit, const struct cogent_plugin *plugin)
{
    if (plugin->size == sizeof *plugin)
        cg_kit_say(kit, CG_KIT_OK, "descriptor", "", "%s %s, %s, ABI %u", plugin->name, plugin->version,
                   plugin->license, (unsigned)plugin->abi);
    else
        cg_kit_say(kit, CG_KIT_NOTE, "descriptor", "build it against this release's headers",
                   "%s %s, %s, ABI %u: built with %s headers than this engine's", plugin->name,
                   plugin->version, plugin->license, (unsigned)plugin->abi,
                   plugin->size < sizeof *plugin ? "older" : "newer");
}

void cg_kit_descriptor(struct cg_kit *kit, size_t unused)
{
    struct cg_err err = { 0 };
    (void)unused;
    cg_kit_at(kit, "the entry");
    cogent_plugin_entry_fn entry = cg_loader_entry(kit->path, &err);
    struct cg_room *room = entry ? cg_room_open(kit->path, &err) : NULL;
    if (!room) {
        cg_kit_say(kit, CG_KIT_WRONG, "load", "mend this; the engine refuses the plugin with the same words",
                   "%s", err.message);
        return;
    }
    const char *path;
    const struct cogent_plugin *plugin = cg_plugin_get(room->plugins, 0, &path);
    const size_t tools = cg_tool_count(room->plugins);
    cg_kit_say(kit, CG_KIT_OK, "load", "", "it loads as the engine loads it, %zu tool%s", tools,
               tools == 1 ? "" : "s");
    check_size(kit, plugin);
    check_numbers(kit, entry);
    kit->page->tools = (uint32_t)cg_tool_count(room->plugins);
    kit->page->loaded = true;
}

/* Options. */

static void check_unknown_key(struct cg_kit *kit, const char *what, const struct cogent_option *table,
                              size_t size)
{
    static const struct cogent_option empty[] = { { 0 } };
    struct cg_err err = { 0 };
    cg_auto_json extra = json_pack("{s:i}", "no_such_option_of_anybody", 1);
    void *options = calloc(1, size + sizeof(void *));
    int rc = options ? cg_options_fill(table ? table : empty, extra, options, what, &err) : 0;
    cg_kit_say(kit, rc < 0 ? CG_KIT_OK : CG_KIT_WRONG, "options",
               "end the table with an entry whose key is NULL", "%s: %s", what,
               rc < 0 ? "a key that it does not know is refused" : "it takes any key");
    free(options);
}

static void check_offsets(struct cg_kit *kit, const char *what, const struct cogent_option *table,
                          size_t size)
{
    for (const struct cogent_option *o = table; o && o->key; o++) {
        size_t need = o->type == COGENT_OPT_BOOL ? sizeof(int) : sizeof(void *);
        if (o->type < COGENT_OPT_STRING || o->type > COGENT_OPT_JSON)
            cg_kit_say(kit, CG_KIT_WRONG, "options", "use an enum cogent_option_type",
                       "%s: %s has no known type", what, o->key);
        else if (o->offset > size || size - o->offset < need)
            cg_kit_say(kit, CG_KIT_WRONG, "options", "options_size is sizeof the struct that offsetof names",
                       "%s: %s lies behind options_size", what, o->key);
        else if (!o->help || !o->help[0])
            cg_kit_say(kit, CG_KIT_NOTE, "options", "say it in a sentence",
                       "%s: %s says nothing about itself", what, o->key);
    }
}

/* Providers. */

struct turn {
    int dones;
    bool half; /* a call came whose arguments are no JSON object */
};

static void on_text(void *arg, struct cogent_str text)
{
    (void)arg, (void)text;
}

static void on_call(void *arg, const struct cogent_tool_use *use)
{
    struct turn *t = arg;
    cg_auto_json args = cg_json_parse(use->args, NULL);
    t->half = t->half || !json_is_object(args) || use->name.len == 0;
}

static void on_usage(void *arg, const struct cogent_turn_usage *usage)
{
    (void)arg, (void)usage;
}

static void on_chat_done(void *arg, int err, int finish, uint32_t retry_ms, const char *why)
{
    struct turn *t = arg;
    (void)err, (void)finish, (void)retry_ms, (void)why;
    t->dones++;
}

static bool chat_over(void *arg)
{
    return ((struct turn *)arg)->dones > 0;
}

static const struct cogent_message question[] = {
    { .role = COGENT_SYSTEM, .text = { "You answer.", 11 } },
    { .role = COGENT_USER, .text = { "How much stock of item 85123A?", 30 } },
};

static const struct cogent_offer offer = { { "kit_tool", 8 },
                                           { "Stock of an item.", 17 },
                                           { "{\"type\":\"object\",\"properties\":{}}", 33 },
                                           COGENT_READ };

static const struct turn_fault {
    const char *says, *what;
} faults[] = {
    { "a turn has no end", "end every turn with cogent_chat_done or cogent_chat_fail" },
    { "it handed over half a call", "hand a call over only when its arguments are complete" },
    { "it ended a turn twice", "complete each turn once" },
};

/* What was wrong with a turn, or NULL. */
static const struct turn_fault *chat_once(struct cg_kit *kit, struct cg_room *room,
                                          const struct cg_provider *provider, enum cg_answers answers)
{
    const struct cg_chat_events events = { on_text, on_call, on_usage, on_chat_done };
    const struct cogent_chat chat = { .size = sizeof chat,
                                      .model = "kit",
                                      .messages = question,
                                      .n_messages = 2,
                                      .tools = &offer,
                                      .n_tools = 1,
                                      .temperature = -1,
                                      .asker = room->asker };
    struct turn turn = { 0 };
    struct cogent_op root = cg_op_start(room->loop, none, "kit", 0, NULL, NULL);
    room->answers = answers;
    cg_kit_at(kit, "a turn of provider %s", provider->name);
    cg_invoke_chat(&room->invoke, root, provider, &chat, &events, &turn);
    bool came = cg_room_until(room, TURN_MS, chat_over, &turn);
    cg_op_finish(room->loop, root);
    bool is[] = { !came, turn.half, cg_kit_logged(kit, "plugin.completes_twice") };
    for (size_t i = 0; i < sizeof is / sizeof is[0]; i++) {
        if (is[i])
            return &faults[i];
    }
    return NULL;
}

static void check_provider(struct cg_kit *kit, struct cg_room *room, const struct cogent_provider *api)
{
    struct cg_err err = { 0 };
    cg_auto_json defaults = json_object();
    check_offsets(kit, api->name, api->options, api->options_size);
    check_unknown_key(kit, api->name, api->options, api->options_size);
    cg_kit_at(kit, "the opening of provider %s", api->name);
    if (cg_plugins_provide(room->plugins, api->name, api->name, defaults, &err) < 0) {
        cg_kit_say(kit, CG_KIT_NOTE, "provider",
                   "nothing, when it cannot work without options; its turns were not tried", "%s",
                   err.message);
        return;
    }
    const struct cg_provider *provider = cg_provider_find(room->plugins, api->name);
    const struct turn_fault *fault = NULL;
    for (int answers = CG_ANSWER_NOTHING; !fault && answers <= CG_ANSWER_CUT; answers++)
        fault = chat_once(kit, room, provider, (enum cg_answers)answers);
    if (fault)
        cg_kit_say(kit, CG_KIT_WRONG, "provider", fault->what, "%s: %s", api->name, fault->says);
    else
        cg_kit_say(kit, CG_KIT_OK, "provider", "", "%s: it opens with its defaults, and 4 turns were tried",
                   api->name);
}

/* Retrievers. */

struct searching {
    int dones, found;
};

static void on_found(void *arg, const struct cogent_found *found)
{
    (void)found;
    ((struct searching *)arg)->found++;
}

static void on_search_done(void *arg, int err, const char *why)
{
    (void)err, (void)why;
    ((struct searching *)arg)->dones++;
}

static bool search_over(void *arg)
{
    return ((struct searching *)arg)->dones > 0;
}

static void check_retriever(struct cg_kit *kit, struct cg_room *room, const struct cogent_retriever *api)
{
    struct cg_err err = { 0 };
    const char *name = api->name ? api->name : "retriever";
    cg_auto_json defaults = json_object();
    check_offsets(kit, name, api->options, api->options_size);
    cg_kit_at(kit, "the opening of retriever %s", name);
    if (cg_plugins_retrieve(room->plugins, defaults, &err) < 0) {
        cg_kit_say(kit, CG_KIT_WRONG, "retriever", "open with the defaults of its options", "%s",
                   err.message);
        return;
    }
    bool ended = true;
    for (int what = COGENT_SEARCH; what <= COGENT_IDS; what++) {
        const struct cogent_search search = { .what = what,
                                              .query = cogent_str("invoice 536365"),
                                              .kinds = cogent_str("[\"invoice\"]"),
                                              .principals = cogent_str("[\"user:kit\"]"),
                                              .limit = 8,
                                              .type = cogent_str("invoice"),
                                              .id = cogent_str("1"),
                                              .stamp = cogent_str("1"),
                                              .title = cogent_str("Invoice 1"),
                                              .columns = cogent_str("{}") };
        struct searching s = { 0 };
        struct cogent_op root = cg_op_start(room->loop, none, "kit", 0, NULL, NULL);
        cg_kit_at(kit, "request %d of retriever %s", what, name);
        cg_invoke_search(&room->invoke, root, cg_retriever_get(room->plugins), &search, TURN_MS, on_found,
                         on_search_done, &s);
        ended = cg_room_until(room, TURN_MS, search_over, &s) && ended;
        cg_op_finish(room->loop, root);
    }
    cg_kit_say(kit, ended ? CG_KIT_OK : CG_KIT_WRONG, "retriever",
               "end every request with cogent_search_done or cogent_search_fail",
               "%s: its seven requests %s without a database", name, ended ? "end" : "do not all end");
}

/* Toolsets. */

static void check_toolset(struct cg_kit *kit, struct cg_room *room, const struct cogent_toolset *api)
{
    char why[300] = "";
    void *self = NULL;
    const char *name = api->name ? api->name : "toolset";
    cg_kit_at(kit, "the opening of toolset %s", name);
    int rc = api->open(room->host, cogent_str("{}"), &self, why, sizeof why);
    if (rc < 0 && !why[0]) {
        cg_kit_say(kit, CG_KIT_WRONG, "toolset", "say in error what is wrong and where",
                   "%s: it refuses an empty declaration without a word", name);
        return;
    }
    if (rc >= 0) {
        cg_kit_at(kit, "the list of toolset %s", name);
        size_t n = api->count(self);
        for (size_t i = 0; i < n; i++)
            api->get(self, i);
        api->close(self);
    }
    cg_kit_say(kit, CG_KIT_OK, "toolset", "", "%s: it %s an empty declaration", name,
               rc < 0 ? "refuses" : "opens");
}

#define EACH(plugin, member, at)                                                                             \
    for (at = COGENT_HAS(plugin, member) ? (plugin)->member : NULL; at && *at; at++)

void cg_kit_parts(struct cg_kit *kit, size_t unused)
{
    struct cg_err err = { 0 };
    const char *path;
    (void)unused;
    struct cg_room *room = cg_room_open(kit->path, &err);
    if (!room)
        return;
    const struct cogent_plugin *plugin = cg_plugin_get(room->plugins, 0, &path);
    const struct cogent_toolset *const *set;
    const struct cogent_provider *const *provider;
    const struct cogent_retriever *const *retriever;
    EACH(plugin, toolsets, set)
    {
        check_toolset(kit, room, *set);
    }
    EACH(plugin, providers, provider)
    {
        check_provider(kit, room, *provider);
    }
    EACH(plugin, retrievers, retriever)
    {
        check_retriever(kit, room, *retriever);
    }
}
