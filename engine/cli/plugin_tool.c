/* SPDX-License-Identifier: Apache-2.0
 * What a tool says of itself, beyond what the engine refuses. */
#include "plugin_kit.h"

enum { ABOUT_MOST = 1024, TIMEOUT_MOST_MS = 120000 };

static const char *const effects[] = { "read", "write", "external" };
static const char *const typing[] = { "type", "enum", "const", "$ref", "anyOf", "oneOf", "allOf" };

static bool is_typed(const json_t *property)
{
    for (size_t i = 0; i < sizeof typing / sizeof typing[0]; i++) {
        if (json_object_get(property, typing[i]))
            return true;
    }
    return false;
}

static const json_t *properties_of(const struct cg_tool *tool)
{
    return json_object_get(tool->args, "properties");
}

static void check_arguments(struct cg_kit *kit, const struct cg_tool *tool)
{
    const char *name;
    size_t i;
    json_t *property;
    json_object_foreach ((json_t *)properties_of(tool), name, property) {
        if (!is_typed(property))
            cg_kit_say(kit, CG_KIT_NOTE, "args", "give it a type; the engine then refuses all others",
                       "%s: argument %s has no type, so anything reaches the tool", tool->api->name, name);
    }
    json_array_foreach (json_object_get(tool->args, "required"), i, property) {
        if (!json_object_get(properties_of(tool), json_string_value(property)))
            cg_kit_say(kit, CG_KIT_WRONG, "args", "add it to properties, or take it off required",
                       "%s: it requires %s and has no such argument, so it can never be called",
                       tool->api->name, json_string_value(property));
    }
}

static void check_trusted(struct cg_kit *kit, const struct cg_tool *tool)
{
    const char *const *t = COGENT_HAS(tool->api, trusted) ? tool->api->trusted : NULL;
    for (; t && *t; t++) {
        if (!json_object_get(properties_of(tool), *t))
            cg_kit_say(kit, CG_KIT_WRONG, "args", "name arguments of the tool",
                       "%s: trusted names %s, and there is no "
                       "such argument",
                       tool->api->name, *t);
    }
}

/* {name} in the sentence of the approval. */
static void check_ask(struct cg_kit *kit, const struct cg_tool *tool)
{
    const char *ask = COGENT_HAS(tool->api, ask) ? tool->api->ask : NULL;
    if (!ask && tool->api->effect != COGENT_READ)
        cg_kit_say(kit, CG_KIT_NOTE, "ask", "set ask to a sentence a person can decide by",
                   "%s: an approval of it shows only its name and arguments", tool->api->name);
    for (const char *at = ask ? strchr(ask, '{') : NULL; at; at = strchr(at + 1, '{')) {
        char name[64];
        struct cogent_str word = { at + 1, strcspn(at + 1, "}{") };
        if (at[1] != '{' && cg_str_copy(name, sizeof name, word) &&
            !json_object_get(properties_of(tool), name))
            cg_kit_say(kit, CG_KIT_WRONG, "ask", "name arguments of the tool",
                       "%s: ask names {%s}, and there is no such argument", tool->api->name, name);
    }
}

void cg_kit_tool(struct cg_kit *kit, size_t i)
{
    struct cg_room *room = cg_room_open(kit->path, NULL);
    if (!room)
        return;
    const struct cg_tool *tool = cg_tool_get(room->plugins, i);
    cg_kit_at(kit, "reading tool %s", tool->api->name);
    cg_kit_say(kit, CG_KIT_OK, "tool", "", "%s: %s, for those with %s", tool->api->name,
               effects[tool->api->effect], tool->api->permission);
    if (strlen(tool->api->about) > ABOUT_MOST)
        cg_kit_say(kit, CG_KIT_NOTE, "about", "say when to use it, in a sentence or two",
                   "%s: its about is longer than %d bytes and goes to the model with every question",
                   tool->api->name, ABOUT_MOST);
    if (COGENT_HAS(tool->api, timeout_ms) && tool->api->timeout_ms > TIMEOUT_MOST_MS)
        cg_kit_say(kit, CG_KIT_NOTE, "timeout", "answer sooner, with the id of what goes on elsewhere",
                   "%s: it may take longer than a question lives (limits.seconds)", tool->api->name);
    check_arguments(kit, tool);
    check_trusted(kit, tool);
    check_ask(kit, tool);
}
