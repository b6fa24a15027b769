/* SPDX-License-Identifier: Apache-2.0
 * A model's text becomes a tool's arguments: parsed, checked against the tool's schema, filled, read by pointer. */
#include "fuzz.h"

#include "engine/base/schema.h"
#include "engine/base/utf8.h"

static const char args_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"customer_id\",\"line_items\"],"
    "\"properties\":{\"customer_id\":{\"type\":\"string\",\"pattern\":\"^[A-Z0-9-]{1,12}$\"},"
    "\"currency\":{\"enum\":[\"GBP\",\"EUR\",\"USD\"],\"default\":\"GBP\"},"
    "\"due\":{\"type\":\"string\",\"format\":\"date\"},"
    "\"express\":{\"type\":\"boolean\",\"default\":false},"
    "\"line_items\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":20,\"uniqueItems\":true,\"items\":{"
    "\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"item_id\",\"quantity\"],\"properties\":{"
    "\"item_id\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":20},"
    "\"quantity\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":10000},"
    "\"unit_price\":{\"type\":\"string\",\"format\":\"decimal\",\"minimum\":0,\"maximum\":1000000,"
    "\"multipleOf\":0.01,\"default\":\"0.00\"}}}}}}";

static const struct cg_schema *schema(void)
{
    static struct cg_schema *compiled;
    struct cg_err err = { 0 };
    if (!compiled) {
        cg_auto_json text = cg_json_parse(cogent_str(args_schema), &err);
        FUZZ_REQUIRE(text && cg_schema_compile(text, &compiled, &err) == 0);
    }
    return compiled;
}

/* What the schema promises, looked at without it: in the tree and by the readers that tools use. */
static void promises_hold(const json_t *args)
{
    cg_auto_free char *text = cg_json_text(args);
    struct cogent_str json = cogent_str(text);
    char word[128]; /* a decimal has at most a hundred digits */
    int64_t n;
    int b;
    size_t i;
    json_t *item, *items = json_object_get(args, "line_items");
    FUZZ_REQUIRE(json_object_size(args) <= 5);
    int len = cg_read_string(json, "/customer_id", word, sizeof word);
    FUZZ_REQUIRE(len >= 1 && len <= 12 &&
                 strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == (size_t)len);
    FUZZ_REQUIRE(cg_read_string(json, "/currency", word, sizeof word) == 3);
    FUZZ_REQUIRE(cg_read_boolean(json, "/express", &b) == 0);
    FUZZ_REQUIRE(json_array_size(items) >= 1 && json_array_size(items) <= 20);
    json_array_foreach (items, i, item) {
        char pointer[64];
        snprintf(pointer, sizeof pointer, "/line_items/%zu/quantity", i);
        FUZZ_REQUIRE(cg_read_integer(json, pointer, &n) == 0 && n >= 1 && n <= 10000);
        snprintf(pointer, sizeof pointer, "/line_items/%zu/unit_price", i);
        FUZZ_REQUIRE(cg_read_decimal(json, pointer, word, sizeof word) > 0);
        FUZZ_REQUIRE(word[0] != '-' || strspn(word + 1, "0.") == strlen(word + 1)); /* "-0" is not below 0 */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cg_err err = { 0 };
    cg_auto_json args = cg_json_parse(fuzz_text(data, size), &err);
    if (!args)
        return 0;
    int rc = cg_schema_check(schema(), args, &err);
    if (rc) {
        FUZZ_REQUIRE((rc == COGENT_INVALID || rc == COGENT_LIMIT) && err.message[0] &&
                     cg_utf8_valid(cogent_str(err.message)));
        return 0;
    }
    FUZZ_REQUIRE(cg_schema_fill(schema(), args) == 0);
    FUZZ_REQUIRE(cg_schema_check(schema(), args, &err) == 0);
    promises_hold(args);
    cg_auto_buf canonical = { 0 };
    cg_json_canonical(&canonical, args);
    cg_auto_json again = cg_json_parse(cg_buf_view(&canonical), &err);
    FUZZ_REQUIRE(again && cg_schema_check(schema(), again, &err) == 0);
    return 0;
}
