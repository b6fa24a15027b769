/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "engine/base/decimal.h"
#include "engine/base/schema.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *parse(const char *text)
{
    struct cg_err err = { 0 };
    json_t *value = cg_json_parse(cogent_str(text), &err);
    if (!value)
        fail_msg("%s: %s", text, err.message);
    return value;
}

static struct cg_schema *compiled(const char *text)
{
    struct cg_err err = { 0 };
    cg_auto_json source = parse(text);
    struct cg_schema *schema = NULL;
    if (cg_schema_compile(source, &schema, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return schema;
}

static const struct row {
    const char *schema, *value;
    const char *error; /* NULL: fits */
} rows[] = {
    { "true", "1", NULL },
    { "false", "1", "the value is not accepted" },
    { "{}", "null", NULL },
    { "{\"type\":\"string\"}", "1", "the value must be text" },
    { "{\"type\":[\"string\",\"null\"]}", "1", "the value must be null or text" },
    { "{\"type\":\"integer\"}", "1.0", NULL },
    { "{\"type\":\"integer\"}", "1.5", "the value must be a whole number" },
    { "{\"type\":\"number\"}", "1", NULL },
    { "{\"type\":\"boolean\"}", "0", "the value must be true or false" },
    { "{\"enum\":[\"a\",\"b\"]}", "\"c\"", "the value must be one of \"a\", \"b\"" },
    { "{\"enum\":[1,{\"a\":[1.0]}]}", "{\"a\":[1]}", NULL },
    { "{\"enum\":[0]}", "false", "the value must be 0" },
    { "{\"const\":2}", "2.0", NULL },
    { "{\"const\":2,\"enum\":[1,3]}", "3", "the value must be 2" },
    { "{\"const\":null}", "0", "the value must be null" },
    { "{\"required\":[\"a\"]}", "{}", "/a is missing" },
    { "{\"required\":[\"a\"]}", "[]", NULL },
    { "{\"properties\":{\"a\":{\"type\":\"array\"}}}", "{\"a\":{}}", "/a must be a list" },
    { "{\"properties\":{\"a/b~\":{\"type\":\"null\"}}}", "{\"a/b~\":1}", "/a~1b~0 must be null" },
    { "{\"properties\":{\"customer\":{}},\"required\":[\"customer\"],\"additionalProperties\":false}",
      "{\"custmer\":1}", "/custmer is not known; did you mean customer?" },
    { "{\"additionalProperties\":{\"type\":\"null\"}}", "{\"x\":1}", "/x must be null" },
    { "{\"minProperties\":1}", "{}", "the value must have at least 1 member" },
    { "{\"maxProperties\":1}", "{\"a\":1,\"b\":1}", "the value must have at most 1 member" },
    { "{\"properties\":{\"line_items\":{\"items\":{\"properties\":{\"quantity\":{\"exclusiveMinimum\":0}}}}}}",
      "{\"line_items\":[{\"quantity\":0}]}", "/line_items/0/quantity must be greater than 0" },
    { "{\"prefixItems\":[{\"type\":\"null\"}],\"items\":{\"type\":\"string\"}}", "[null,\"a\"]", NULL },
    { "{\"prefixItems\":[{\"type\":\"null\"}],\"items\":false}", "[null,1]", "/1 is not accepted" },
    { "{\"minItems\":2}", "[1]", "the value must have at least 2 items" },
    { "{\"maxItems\":0}", "[1]", "the value must have at most 0 items" },
    { "{\"uniqueItems\":true}", "[1,2,1.0]", "/2 is the same as item 0; all must differ" },
    { "{\"uniqueItems\":true}", "[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1}]",
      "/1 is the same as item 0; all must differ" },
    { "{\"uniqueItems\":true}", "[1,true,\"1\",[1],{\"1\":1}]", NULL },
    { "{\"uniqueItems\":false}", "[1,1]", NULL },
    { "{\"minLength\":2}", "\"\\u00e9\"", "the value must have at least 2 characters" },
    { "{\"maxLength\":2}", "\"\\u00e9\\ud83d\\ude00\"", NULL },
    { "{\"maxLength\":2.0}", "\"abc\"", "the value must have at most 2 characters" },
    { "{\"pattern\":\"^[A-Z]{2}-\\\\d+$\"}", "\"SO-17\"", NULL },
    { "{\"pattern\":\"^[A-Z]{2}-\\\\d+$\"}", "\"SO-17\\n\"", "the value must match ^[A-Z]{2}-\\d+$" },
    { "{\"pattern\":\"b\"}", "\"abc\"", NULL },
    { "{\"pattern\":\"(a+)+$\"}", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"",
      "the value must match (a+)+$" },
    { "{\"minimum\":1}", "0.9", "the value must be at least 1" },
    { "{\"maximum\":9007199254740993}", "9007199254740994", "the value must be at most 9007199254740993" },
    { "{\"maximum\":1}", "\"2\"", NULL },
    { "{\"exclusiveMaximum\":1.5}", "1.5", "the value must be less than 1.5" },
    { "{\"multipleOf\":0.1}", "0.3", NULL },
    { "{\"multipleOf\":0.01}", "19.99", NULL },
    { "{\"multipleOf\":0.01}", "19.999", "the value must be a multiple of 0.01" },
    { "{\"multipleOf\":2.5}", "5", NULL },
    { "{\"multipleOf\":10}", "15", "the value must be a multiple of 10" },
    { "{\"multipleOf\":3}", "1e300", "the value must be a multiple of 3" },
    { "{\"format\":\"decimal\"}", "\"-12.50\"", NULL },
    { "{\"format\":\"decimal\"}", "\"+3\"", "the value must be a decimal such as \"12.50\"" },
    { "{\"format\":\"decimal\"}", "\"1.\"", "the value must be a decimal such as \"12.50\"" },
    { "{\"format\":\"decimal\"}", "\".5\"", "the value must be a decimal such as \"12.50\"" },
    { "{\"format\":\"decimal\"}", "\"1e3\"", "the value must be a decimal such as \"12.50\"" },
    { "{\"format\":\"decimal\"}", "\"\"", "the value must be a decimal such as \"12.50\"" },
    { "{\"format\":\"decimal\"}", "\" 1\"", "the value must be a decimal such as \"12.50\"" },
    { "{\"format\":\"decimal\",\"exclusiveMinimum\":0}", "\"0.00\"", "the value must be greater than 0" },
    { "{\"format\":\"decimal\",\"exclusiveMinimum\":0}", "\"-0\"", "the value must be greater than 0" },
    { "{\"format\":\"decimal\",\"multipleOf\":0.01}", "\"99999999999999999999.99\"", NULL },
    { "{\"format\":\"decimal\",\"multipleOf\":0.01}", "\"1.001\"", "the value must be a multiple of 0.01" },
    { "{\"format\":\"decimal\",\"maximum\":100}", "\"100.000000000000000000001\"",
      "the value must be at most 100" },
    { "{\"format\":\"date\"}", "\"2024-02-29\"", NULL },
    { "{\"format\":\"date\"}", "\"2026-02-29\"", "the value must be a date such as 2026-11-22" },
    { "{\"format\":\"date\"}", "\"2026-11-22x\"", "the value must be a date such as 2026-11-22" },
    { "{\"format\":\"date-time\"}", "\"2026-11-22T07:30:04.25+01:00\"", NULL },
    { "{\"format\":\"date-time\"}", "\"2026-11-22T24:30:04Z\"",
      "the value must be a time such as 2026-11-22T07:30:04Z" },
    { "{\"format\":\"date-time\"}", "\"2026-11-22T07:30:04\"",
      "the value must be a time such as 2026-11-22T07:30:04Z" },
    { "{\"format\":\"email\"}", "\"a.b@example.com\"", NULL },
    { "{\"format\":\"email\"}", "\"a..b@example.com\"", "the value must be an e-mail address" },
    { "{\"format\":\"email\"}", "\"a@b@c\"", "the value must be an e-mail address" },
    { "{\"format\":\"uuid\"}", "\"6fa459ea-ee8a-3ca4-894e-db77e160355e\"", NULL },
    { "{\"format\":\"uuid\"}", "\"6fa459eaeee8a-3ca4-894e-db77e160355e\"", "the value must be a UUID" },
    { "{\"format\":\"uri\"}", "\"anything\"", NULL },
    { "{\"allOf\":[{\"minimum\":1},{\"maximum\":3}]}", "4", "the value must be at most 3" },
    { "{\"anyOf\":[{\"type\":\"null\"},{\"properties\":{\"a\":{\"type\":\"null\"}}}]}", "{\"a\":1}",
      "/a must be null" },
    { "{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]}", "\"\"", NULL },
    { "{\"oneOf\":[{\"minimum\":1},{\"maximum\":3}]}", "2",
      "the value fits more than one of the forms of which it must fit exactly one" },
    { "{\"oneOf\":[{\"minimum\":1},{\"maximum\":3}]}", "4", NULL },
    { "{\"not\":{\"type\":\"string\"}}", "\"a\"", "the value has a form that is not accepted" },
    { "{\"$ref\":\"#/$defs/a%20b\",\"$defs\":{\"a b\":{\"type\":\"null\"}}}", "1", "the value must be null" },
    { "{\"properties\":{\"next\":{\"$ref\":\"#\"},\"v\":{\"type\":\"integer\"}}}",
      "{\"next\":{\"next\":{\"v\":\"x\"}}}", "/next/next/v must be a whole number" },
    { "{\"title\":\"t\",\"description\":\"d\",\"examples\":[1],\"default\":1,\"$comment\":\"c\",\"deprecated\":true,"
      "\"readOnly\":true,\"writeOnly\":false,\"$schema\":\"s\"}",
      "1", NULL },
};

static void fits_and_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cg_err err = { 0 };
        struct cg_schema *schema = compiled(rows[i].schema);
        cg_auto_json value = parse(rows[i].value);
        int rc = cg_schema_check(schema, value, &err);
        if (!rows[i].error && rc < 0)
            fail_msg("%s, %s: %s", rows[i].schema, rows[i].value, err.message);
        if (rows[i].error && (rc != COGENT_INVALID || strcmp(rows[i].error, err.message) != 0))
            fail_msg("%s, %s: wanted \"%s\", got %d \"%s\"", rows[i].schema, rows[i].value, rows[i].error, rc,
                     err.message);
        assert_int_equal(cg_schema_check(schema, value, NULL), rc);
        cg_schema_destroy(schema);
    }
}

static const struct row refused[] = {
    { "1", NULL, "the schema must be a schema: an object, true or false" },
    { "{\"minimun\":1}", NULL, "/minimun is no keyword that is checked here; did you mean minimum?" },
    { "{\"properties\":{\"a\":{\"patternProperties\":{}}}}", NULL,
      "/properties/a/patternProperties is no keyword that is checked here; did you mean maxProperties?" },
    { "{\"type\":\"text\"}", NULL, NULL },
    { "{\"type\":[]}", NULL, NULL },
    { "{\"type\":[\"string\",1]}", NULL, NULL },
    { "{\"enum\":[]}", NULL, "/enum must be a list of at least one value" },
    { "{\"required\":\"a\"}", NULL, "/required must be a list of names" },
    { "{\"required\":[1]}", NULL, "/required must be a list of names" },
    { "{\"properties\":[]}", NULL, "/properties must be an object of schemas" },
    { "{\"properties\":{\"a\":1}}", NULL, "/properties/a must be a schema: an object, true or false" },
    { "{\"items\":[{}]}", NULL, "/items must be a schema: an object, true or false" },
    { "{\"allOf\":[]}", NULL, "/allOf must be a list of at least one schema" },
    { "{\"anyOf\":[{},2]}", NULL, "/anyOf/1 must be a schema: an object, true or false" },
    { "{\"pattern\":\"(\"}", NULL, NULL },
    { "{\"pattern\":\"\\\\C\"}", NULL, NULL },
    { "{\"minLength\":-1}", NULL, "/minLength must be a whole number, 0 or more" },
    { "{\"minLength\":1.5}", NULL, "/minLength must be a whole number, 0 or more" },
    { "{\"minimum\":\"1\"}", NULL, "/minimum must be a number" },
    { "{\"multipleOf\":0}", NULL, "/multipleOf must be greater than 0" },
    { "{\"uniqueItems\":1}", NULL, "/uniqueItems must be true or false" },
    { "{\"$ref\":\"other.json\"}", NULL, "/$ref must be # or #/ and a path in this document" },
    { "{\"$ref\":\"#/$defs/%zz\"}", NULL, "/$ref must be # or #/ and a path in this document" },
    { "{\"$ref\":\"#/$defs/%00\"}", NULL, "/$ref must be # or #/ and a path in this document" },
    { "{\"$ref\":\"#/$defs/a\"}", NULL, "/$ref leads to nothing in this document" },
    { "{\"$ref\":\"#\"}", NULL, "the schema: a $ref leads back to itself" },
    { "{\"$defs\":{\"a\":{\"anyOf\":[{\"$ref\":\"#/$defs/b\"}]},\"b\":{\"not\":{\"$ref\":\"#/$defs/a\"}}}}",
      NULL, "the schema: a $ref leads back to itself" },
    { "{\"$defs\":{\"a\":{\"typ\":1}}}", NULL,
      "/$defs/a/typ is no keyword that is checked here; did you mean type?" },
    { "{\"type\":\"string\",\"default\":1}", NULL,
      "a default does not fit its own schema: the value must be text" },
};

static void does_not_compile(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct cg_err err = { 0 };
        struct cg_schema *schema = NULL;
        cg_auto_json source = parse(refused[i].schema);
        int rc = cg_schema_compile(source, &schema, &err);
        if (rc != COGENT_INVALID || schema ||
            (refused[i].error && strcmp(refused[i].error, err.message) != 0))
            fail_msg("%s: %d %s", refused[i].schema, rc, err.message);
    }
}

static void defaults(void **state)
{
    (void)state;
    static const struct row cases[] = {
        { "{\"properties\":{\"a\":{\"default\":1},\"b\":{}}}", "{}", "{\"a\":1}" },
        { "{\"properties\":{\"a\":{\"default\":1}}}", "{\"a\":null}", "{\"a\":null}" },
        { "{\"properties\":{\"a\":{\"properties\":{\"b\":{\"default\":[]}}}}}", "{\"a\":{}}",
          "{\"a\":{\"b\":[]}}" },
        { "{\"items\":{\"properties\":{\"b\":{\"default\":2}}}}", "[{},{}]", "[{\"b\":2},{\"b\":2}]" },
        { "{\"properties\":{\"a\":{\"$ref\":\"#/$defs/d\"}},\"$defs\":{\"d\":{\"default\":3}}}", "{}",
          "{\"a\":3}" },
        { "{\"properties\":{\"a\":{\"$ref\":\"#\",\"default\":{}}}}", "{}", "{\"a\":{}}" },
        { "{\"allOf\":[{\"properties\":{\"a\":{\"default\":1}}}]}", "{}", "{\"a\":1}" },
        { "{\"properties\":{\"a\":{\"default\":1}}}", "[]", "[]" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cg_schema *schema = compiled(cases[i].schema);
        cg_auto_json value = parse(cases[i].value);
        assert_int_equal(cg_schema_fill(schema, value), 0);
        cg_auto_free char *text = cg_json_text(value);
        assert_string_equal(text, cases[i].error);
        cg_schema_destroy(schema);
    }
}

/* Nothing of the caller's is kept: the document may go before the schema, and a default is not shared. */
static void owns_what_it_needs(void **state)
{
    (void)state;
    struct cg_schema *schema = compiled("{\"properties\":{\"a\":{\"default\":{\"x\":1}}}}");
    for (int i = 0; i < 2; i++) {
        cg_auto_json value = json_object();
        assert_int_equal(cg_schema_fill(schema, value), 0);
        assert_int_equal(cg_json_int(json_object_get(value, "a"), "x", 0), 1);
        json_object_set_new(json_object_get(value, "a"), "x", json_integer(2));
    }
    cg_schema_destroy(schema);
    cg_schema_destroy(NULL);
}

/* 2^20 ways through 20 definitions, and a list that is too long. */
static void work_is_bounded(void **state)
{
    (void)state;
    struct cg_err err = { 0 };
    cg_auto_buf text = { 0 };
    cg_buf_text(&text, "{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
    for (int i = 0; i < 20; i++)
        cg_buf_printf(&text, "\"d%d\":{\"anyOf\":[{\"$ref\":\"#/$defs/d%d\"},{\"$ref\":\"#/$defs/d%d\"}]},",
                      i, i + 1, i + 1);
    cg_buf_text(&text, "\"d20\":{\"type\":\"null\"}}}");
    struct cg_schema *schema = compiled(text.ptr);
    cg_auto_json one = json_integer(1);
    assert_int_equal(cg_schema_check(schema, one, &err), COGENT_LIMIT);
    cg_schema_destroy(schema);

    cg_auto_json list = json_array();
    for (int i = 0; i < 200000; i++)
        json_array_append_new(list, json_integer(i));
    schema = compiled("{\"items\":{\"type\":\"integer\"}}");
    assert_int_equal(cg_schema_check(schema, list, &err), COGENT_LIMIT);
    cg_schema_destroy(schema);
    schema = compiled("{\"uniqueItems\":true}");
    assert_int_equal(cg_schema_check(schema, list, &err), COGENT_LIMIT);
    cg_schema_destroy(schema);
}

static void decimals(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        int order;
    } pairs[] = {
        { "1", "1.0", 0 },
        { "0", "-0.00", 0 },
        { "10", "9", 1 },
        { "-10", "-9", -1 },
        { "0.1", "0.09", 1 },
        { "100", "1e2", 99 },
        { "0.000", "0.001", -1 },
        { "12.5", "12.50", 0 },
        { "-1", "0", -1 },
        { "1000", "999.9", 1 },
        { "123456789012345678901", "123456789012345678900", 1 },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct cg_decimal a, b;
        assert_true(cg_decimal_parse(cogent_str(pairs[i].a), &a));
        bool read = cg_decimal_parse(cogent_str(pairs[i].b), &b);
        assert_int_equal(read, pairs[i].order != 99);
        if (!read)
            continue;
        int order = cg_decimal_compare(&a, &b), back = cg_decimal_compare(&b, &a);
        assert_int_equal(order < 0 ? -1 : order > 0, pairs[i].order);
        assert_int_equal(back < 0 ? -1 : back > 0, -pairs[i].order);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fits_and_refuses),   cmocka_unit_test(does_not_compile), cmocka_unit_test(defaults),
        cmocka_unit_test(owns_what_it_needs), cmocka_unit_test(work_is_bounded),  cmocka_unit_test(decimals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
