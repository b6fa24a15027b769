/* SPDX-License-Identifier: Apache-2.0
 * A prompt template: a text that holds only what may stand in it, or a sentence. */
#include "operator_file.h"

#include "engine/policy/template.h"

static const char vars_text[] =
    "{\"now\":{\"date\":\"2026-11-22\",\"time\":\"07:30\"},\"tenant\":{\"name\":\"ACME\",\"tone\":\"warm\"},"
    "\"user\":{\"name\":\"A\\u0001B\",\"roles\":[\"sales\"]},\"vars\":{\"tone\":\"cold\",\"n\":3,\"x\":2.5}}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cg_box *box;
    struct cg_err err = { 0 };
    struct cg_template template = { 0 };
    struct cg_prompt prompt = { 0 };
    struct cogent_str source = fuzz_text(data, size);
    cg_auto_json table = operator_file(source, "templates/assistant.lua", &box);
    cg_auto_json roles = json_object();
    cg_auto_json vars = cg_json_parse(cogent_str(vars_text), &err);
    int rc = table ? cg_template_read(&template, "templates/assistant.lua", source, table, roles, &err) : 0;
    FUZZ_REQUIRE(rc == 0 || (err.message[0] && cg_utf8_valid(cogent_str(err.message))));
    if (table && rc == 0) {
        rc = cg_template_fill(&template, vars, &prompt, &err);
        FUZZ_REQUIRE(rc == 0 ? cg_utf8_valid(cogent_str(prompt.system)) : err.message[0]);
        cg_prompt_finish(&prompt);
    }
    cg_template_finish(&template);
    cg_box_destroy(box);
    return 0;
}
