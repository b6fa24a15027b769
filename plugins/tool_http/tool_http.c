/* SPDX-License-Identifier: Apache-2.0
 * The toolset `http`: tools declared in a file, reached over HTTP. Opening, listing, and running examples.
 */
#include "tool_http.h"

#include "call.h"
#include "common/json.h"
#include "declaration.h"
#include "pages.h"
#include "result.h"
#include "trace.h"

#include <stdio.h>

static int open_service(const struct cogent_host *host, struct cogent_str declaration, void **self,
                        char *error, size_t error_size)
{
    struct th_error at = { .text = error, .size = error_size };
    json_error_t why;
    if (error_size)
        error[0] = '\0';
    json_t *json =
        json_loadb(declaration.ptr ? declaration.ptr : "", declaration.len, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(json)) {
        snprintf(error, error_size, "the declaration is no table: %s", json ? "a list" : why.text);
        json_decref(json);
        return COGENT_INVALID;
    }
    struct th_service *service = th_service_create(host, json, &at);
    if (!service && error_size && !error[0])
        snprintf(error, error_size, "out of memory");
    *self = service;
    return service ? 0 : COGENT_INVALID;
}

static void close_service(void *self)
{
    th_service_destroy(self);
}

static size_t count(void *self)
{
    const struct th_service *service = self;
    return service->n_tools;
}

static const struct cogent_tool *get(void *self, size_t i)
{
    const struct th_service *service = self;
    return i < service->n_tools ? &service->tools[i]->abi : NULL;
}

/* --- examples --- */

/* What a reply gives. For pages: {"items", "more"}, or the list alone when `gives` is one. */
static int show_result(const struct th_tool *tool, json_t *reply, json_t *wanted, json_t **out,
                       struct th_problem *problem)
{
    json_t *value = th_result_at(tool, reply), *shaped = NULL;
    int again, err = th_result_shape(tool, value, &shaped, problem);
    if (err || !tool->pages.size || !shaped || json_is_array(wanted)) {
        *out = shaped;
        return err;
    }
    struct th_pages_read read = { .number = 1 };
    struct th_page page = { reply, value, shaped, NULL, "http://example" };
    err = th_pages_take(tool, &read, &page, &again, problem);
    *out = err ? NULL : th_pages_result(&read);
    th_pages_finish(&read);
    json_decref(shaped);
    return err;
}

static int run_example(const struct th_tool *tool, json_t *shown)
{
    json_t *reply = json_object_get(tool->example, "reply"),
           *wanted = json_object_get(tool->example, "gives");
    json_t *gives = NULL;
    struct th_request request = { 0 };
    struct th_problem problem = { 0, "" };
    struct th_vars vars = { .host = tool->service->host,
                            .args = json_object_get(tool->example, "args"),
                            .effect_key = tool->writes ? "example-effect-key-0000000000" : "",
                            .paged = tool->pages.size > 0,
                            .page_size = tool->pages.size,
                            .page_number = 1,
                            .call_name = tool->call_name,
                            .params = tool->params,
                            .masked = 1,
                            .sample = 1 };
    int err = th_request_build(tool, &vars, NULL, &request, &problem);
    if (!err)
        json_object_set_new(shown, "request", th_request_shown(tool, &request));
    th_request_finish(&request);
    if (!err && reply)
        err = show_result(tool, reply, wanted, &gives, &problem);
    if (gives)
        json_object_set_new(shown, "gives", gives);
    if (!err && wanted && !json_equal(gives, wanted)) {
        json_object_set(shown, "wanted", wanted);
        err = th_problem(&problem, COGENT_INVALID, "the reply gives something else than the example says");
    }
    if (err)
        json_object_set_new(shown, "error", json_string(problem.message));
    return err;
}

static int check(void *self, size_t i, char *out, size_t size)
{
    const struct th_service *service = self;
    if (i >= service->n_tools || !service->tools[i]->example)
        return COGENT_NOT_FOUND;
    struct cp_buf text = { 0 };
    json_t *shown = json_object();
    int err = run_example(service->tools[i], shown);
    cp_json_write(&text, shown);
    json_decref(shown);
    if (text.failed)
        err = COGENT_NO_MEMORY;
    else if (text.len >= size)
        err = err ? err : COGENT_LIMIT;
    else
        memcpy(out, text.ptr, text.len + 1);
    cp_buf_finish(&text);
    return err;
}

static int reach(void *self, struct cogent_call *call)
{
    (void)self; /* the tool knows its service */
    return th_reach(call);
}

static const struct cogent_toolset toolset = {
    .size = sizeof toolset,
    .name = "http",
    .open = open_service,
    .close = close_service,
    .count = count,
    .get = get,
    .check = check,
    .reach = reach,
};

COGENT_EXPORT const struct cogent_plugin *cogent_plugin_entry(uint32_t oldest, uint32_t newest)
{
    static const struct cogent_toolset *const toolsets[] = { &toolset, NULL };
    static const struct cogent_plugin plugin = {
        .size = sizeof plugin,
        .abi = COGENT_ABI,
        .name = "tool_http",
        .version = "0.1.0",
        .license = "Apache-2.0",
        .toolsets = toolsets,
    };
    return oldest <= plugin.abi && plugin.abi <= newest ? &plugin : NULL;
}
