/* SPDX-License-Identifier: Apache-2.0
 * GET /v1/me, /v1/tools, /v1/models: what this caller is, may do, may ask. */
#include "request.h"

static json_t *tool_names(const struct cg_request *r)
{
    json_t *list = json_array();
    const struct cg_plugins *plugins = r->env->run->plugins;
    for (size_t i = 0; i < cg_tool_count(plugins); i++) {
        const struct cogent_tool *t = cg_tool_get(plugins, i)->api;
        if (!(COGENT_HAS(t, hidden) && t->hidden) && cg_caller_may(r->caller, t->permission))
            json_array_append_new(list, json_string(t->name));
    }
    return list;
}

void cg_route_me(struct cg_request *r)
{
    const struct cg_run_limits *l = &r->env->run->limits;
    const struct cg_caller *c = r->caller;
    cg_answer_data(r, 200,
                   json_pack("{s:s, s:s, s:s, s:s, s:s, s:O, s:O, s:o, s:{s:I, s:I, s:I}}", "tenant",
                             cg_tenant_name(c->tenant), "user", c->user, "name", c->name, "locale", c->locale,
                             "time_zone", c->time_zone, "roles", c->roles, "permissions", c->permissions,
                             "tools", tool_names(r), "limits", "calls_per_hour",
                             (json_int_t)l->calls_per_hour, "steps", (json_int_t)l->steps, "seconds",
                             (json_int_t)l->seconds));
}

static json_t *tool_row(const struct cg_tool *tool)
{
    static const char *const effects[] = { "read", "write", "external" };
    static const char *const onces[] = { NULL, "header", "find", "never" };
    const struct cogent_tool *t = tool->api;
    json_t *row =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:O}", "name", t->name, "about", t->about, "permission",
                  t->permission, "effect", effects[t->effect], "service", tool->service, "args", tool->args);
    if (row && COGENT_HAS(t, once) && t->once > 0 && t->once <= COGENT_ONCE_NEVER)
        json_object_set_new(row, "once", json_string(onces[t->once]));
    if (row && COGENT_HAS(t, as) && t->as)
        json_object_set_new(row, "as", json_string(t->as));
    return row;
}

void cg_route_tools(struct cg_request *r)
{
    json_t *list = json_array();
    const struct cg_plugins *plugins = r->env->run->plugins;
    for (size_t i = 0; i < cg_tool_count(plugins); i++) {
        const struct cg_tool *tool = cg_tool_get(plugins, i);
        if (!(COGENT_HAS(tool->api, hidden) && tool->api->hidden) &&
            cg_caller_may(r->caller, tool->api->permission))
            json_array_append_new(list, tool_row(tool));
    }
    cg_answer_list(r, list, NULL);
}

void cg_route_models(struct cg_request *r)
{
    const char *name;
    json_t *chain;
    json_t *list = json_array();
    json_object_foreach ((json_t *)r->env->run->models, name, chain)
        json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:s, s:O}", "id", name, "object", "model",
                                              "created", 0, "owned_by", "cogent", "chain", chain));
    json_object_foreach ((json_t *)r->env->embeddings, name, chain)
        json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:s, s:[O], s:O*}", "id", name, "object",
                                              "model", "created", 0, "owned_by", "cogent", "chain",
                                              json_object_get(chain, "link"), "dimensions",
                                              json_object_get(chain, "dimensions")));
    cg_auto_json body = json_pack("{s:s, s:o}", "object", "list", "data", list);
    cg_answer_json(r, 200, body);
}
