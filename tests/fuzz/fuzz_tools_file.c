/* SPDX-License-Identifier: Apache-2.0
 * A file of tools: a service whose tools are well-formed, or a sentence that says what is wrong. */
#include "operator_file.h"

#include "engine/base/schema.h"

#include "tool_http/declaration.h"

static const struct cogent_host host = { .size = sizeof host };

static void check_tool(const struct cogent_tool *tool)
{
    struct cg_err err = { 0 };
    struct cg_schema *schema = NULL;
    FUZZ_REQUIRE(tool->name && *tool->name && tool->permission && *tool->permission);
    cg_auto_json args = cg_json_parse(cogent_str(tool->args), &err);
    FUZZ_REQUIRE(json_is_object(args));
    cg_schema_compile(args, &schema, &err);
    cg_schema_destroy(schema);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cg_box *box;
    char why[600] = "";
    struct th_error error = { .text = why, .size = sizeof why };
    json_t *table = operator_file(fuzz_text(data, size), "tools/x", &box);
    if (json_is_object(table)) {
        struct th_service *service = th_service_create(&host, table, &error);
        FUZZ_REQUIRE(service || (why[0] && cg_utf8_valid(cogent_str(why))));
        for (size_t i = 0; service && i < service->n_tools; i++)
            check_tool(&service->tools[i]->abi);
        th_service_destroy(service);
    } else {
        json_decref(table);
    }
    cg_box_destroy(box);
    return 0;
}
