/* SPDX-License-Identifier: Apache-2.0
 * A schema and an instance, {"schema": ..., "value": ...}: compiled, asked, filled. What `not` and `allOf` say must
 * follow from what the schema itself says. */
#include "fuzz.h"

#include "engine/base/schema.h"
#include "engine/base/utf8.h"

static int ask(const json_t *schema, const json_t *value, bool *compiled)
{
    struct cg_schema *s = NULL;
    struct cg_err err = { 0 };
    *compiled = cg_schema_compile(schema, &s, &err) == 0;
    if (!*compiled) {
        FUZZ_REQUIRE(!s && err.message[0] && cg_utf8_valid(cogent_str(err.message)));
        return 0;
    }
    int rc = cg_schema_check(s, value, &err), again = cg_schema_check(s, value, NULL);
    FUZZ_REQUIRE(rc == again && (rc == 0 || rc == COGENT_INVALID || rc == COGENT_LIMIT));
    FUZZ_REQUIRE(rc == 0 || (err.message[0] && cg_utf8_valid(cogent_str(err.message))));
    cg_schema_destroy(s);
    return rc;
}

/* A pointer from the root means something else when the schema stands one floor lower. */
static bool points_to_root(const json_t *schema)
{
    cg_auto_free char *text = cg_json_text(schema);
    return strstr(text, "$ref") || strstr(text, "\"default\"");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cg_err err = { 0 };
    bool compiled, inner;
    cg_auto_json both = cg_json_parse(fuzz_text(data, size), &err);
    json_t *schema = json_object_get(both, "schema"), *value = json_object_get(both, "value");
    if (!schema || !value)
        return 0;
    int rc = ask(schema, value, &compiled);
    if (!compiled)
        return 0;
    struct cg_schema *s;
    FUZZ_REQUIRE(cg_schema_compile(schema, &s, &err) == 0);
    cg_auto_json filled = json_deep_copy(value);
    int fill = cg_schema_fill(s, filled);
    FUZZ_REQUIRE(fill == 0 || fill == COGENT_LIMIT);
    cg_schema_destroy(s);
    if (rc == COGENT_LIMIT || points_to_root(schema))
        return 0;
    cg_auto_json contrary = json_pack("{s:O}", "not", schema);
    int not_rc = ask(contrary, value, &inner);
    FUZZ_REQUIRE(!inner || not_rc == COGENT_LIMIT || (not_rc == 0) == (rc != 0));
    cg_auto_json wrapped = json_pack("{s:[O, O]}", "allOf", schema, schema);
    int all_rc = ask(wrapped, value, &inner);
    FUZZ_REQUIRE(!inner || all_rc == COGENT_LIMIT || all_rc == rc);
    return 0;
}
