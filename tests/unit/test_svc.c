/* SPDX-License-Identifier: Apache-2.0
 * Permissions, tenants' secrets, kinds of records. */
#include "check.h"

#include "engine/svc/kinds.h"
#include "engine/svc/rbac.h"
#include "engine/svc/tenants.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static json_t *parse(const char *text)
{
    struct cg_err err = { 0 };
    json_t *v = cg_json_parse(cogent_str(text), &err);
    if (!v)
        fail_msg("%s: %s", text, err.message);
    return v;
}

static void permissions(void **state)
{
    (void)state;
    static const struct {
        const char *granted, *asked;
        bool allowed;
    } rows[] = {
        { "[]", "finance.read", false },
        { "[\"finance.read\"]", "finance.read", true },
        { "[\"finance.read\"]", "finance.reads", false },
        { "[\"finance.reads\"]", "finance.read", false },
        { "[\"Finance.read\"]", "finance.read", false },
        { "[\"finance.*\"]", "finance.read", true },
        { "[\"finance.*\"]", "finance", false },
        { "[\"finance.*\"]", "financex.read", false },
        { "[\"*.read\"]", "finance.read", true },
        { "[\"*.read\"]", "finance.write", false },
        { "[\"f*e.*d\"]", "finance.read", true },
        { "[\"a*a*a*a*b\"]", "aaaaaaaaaaaaaaaaaaaaaaaa", false },
        { "[\"*\"]", "anything", true },
        { "[\"*\",\"-finance.*\"]", "finance.read", false },
        { "[\"-finance.read\",\"finance.read\"]", "finance.read", false },
        { "[\"finance.read\",\"-finance.read\"]", "finance.read", false },
        { "[\"*\",\"-*\"]", "x", false },
        { "[\"*\",\"-\"]", "x", true },
        { "[\"-sales.*\"]", "finance.read", false },
        { "[1,null,{},\"finance.read\"]", "finance.read", true },
        { "{\"0\":\"*\"}", "x", false },
        { "\"*\"", "x", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cg_auto_json granted = parse(rows[i].granted);
        if (cg_rbac_allows(granted, rows[i].asked) != rows[i].allowed)
            fail_msg("%s asked for %s", rows[i].granted, rows[i].asked);
    }
    assert_false(cg_rbac_allows(NULL, "x"));
}

static char folder[64];

static void put_file(const char *name, const char *text, mode_t mode)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

static void drop_file(const char *name)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    remove(path);
}

static void secrets(void **state)
{
    (void)state;
    struct cg_err err;
    struct cg_tenants *t;
    char sub[96], buf[16];
    snprintf(folder, sizeof folder, "/tmp/cogent-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(sub, sizeof sub, "%s/acme", folder);
    assert_int_equal(mkdir(sub, 0700), 0);
    put_file("key", "common\n", 0600);
    put_file("acme/key", "own\r\n\n", 0640);
    put_file("open", "x", 0604);
    put_file("long", "0123456789abcdef", 0600);
    put_file("fits", "0123456789abcde", 0600);
    cg_auto_json config = parse("{\"acme\":{},\"globex\":{}}");
    assert_int_equal(cg_tenants_create(config, folder, &t, &err), 0);
    static const struct {
        const char *tenant, *name;
        int rc;
        const char *text;
    } rows[] = {
        { "acme", "key", 3, "own" },
        { "globex", "key", 6, "common" },
        { "globex", "none", COGENT_NOT_FOUND, "" },
        { "globex", "open", COGENT_DENIED, "" },
        { "globex", "long", COGENT_LIMIT, "" },
        { "globex", "fits", 15, "0123456789abcde" },
        { "globex", "acme", COGENT_NOT_FOUND, "" },
        { "globex", "acme/key", COGENT_NOT_FOUND, "" },
        { "globex", "../key", COGENT_NOT_FOUND, "" },
        { "globex", "..", COGENT_NOT_FOUND, "" },
        { "..", "key", COGENT_NOT_FOUND, "" },
        { "", "key", COGENT_NOT_FOUND, "" },
        { "acme", "", COGENT_NOT_FOUND, "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int rc = cg_tenants_secret(t, rows[i].tenant, rows[i].name, buf, sizeof buf);
        if (rc != rows[i].rc || (rc >= 0 && strcmp(buf, rows[i].text) != 0))
            fail_msg("%s %s: %d", rows[i].tenant, rows[i].name, rc);
    }
    put_file("key", "rotated", 0600);
    assert_int_equal(cg_tenants_secret(t, "globex", "key", buf, sizeof buf), 7);
    cg_tenants_destroy(t);
    assert_int_equal(cg_tenants_create(config, NULL, &t, &err), 0);
    assert_int_equal(cg_tenants_secret(t, "acme", "key", buf, sizeof buf), COGENT_NOT_FOUND);
    assert_int_equal(cg_tenants_count(t), 2);
    assert_string_equal(cg_tenants_get(t, 1)->name, "globex");
    cg_tenants_destroy(t);
    cg_tenants_destroy(NULL);
    static const char *const files[] = { "key", "acme/key", "acme", "open", "long", "fits", "" };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        drop_file(files[i]);
    static const char *const bad[] = {
        "{\"\":{}}",   "{\"a/b\":{}}",
        "{\".a\":{}}", "{\"a b\":{}}",
        "{\"a\":1}",   "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":{}}"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cg_auto_json wrong = parse(bad[i]);
        assert_int_equal(cg_tenants_create(wrong, NULL, &t, &err), COGENT_INVALID);
    }
}

#define ENTITY                                                                                               \
    "\"read\":\"finance.read\",\"title\":\"Invoice {number}\",\"chunk\":{\"$fn\":\"invoice/chunk\"}"

static void kinds(void **state)
{
    (void)state;
    struct cg_kinds *k;
    struct cg_err err = { 0 };
    cg_auto_json given =
        parse("{\"invoice\":{" ENTITY ",\"feed\":{\"stamp\":\"modified\"}},"
              "\"item\":{\"read\":\"stock.read\",\"title\":\"t\",\"chunk\":{\"$fn\":\"c\"}}}");
    assert_int_equal(cg_kinds_create(given, &k, &err), 0);
    assert_int_equal(cg_kind_count(k), 2);
    assert_string_equal(cg_kind_find(k, "invoice")->chunk, "invoice/chunk");
    assert_string_equal(cg_kind_find(k, "invoice")->stamp, "modified");
    assert_null(cg_kind_find(k, "item")->stamp);
    assert_null(cg_kind_find(k, "other"));
    assert_string_equal(cg_kind_get(k, 1)->name, "item");
    cg_auto_json rights = parse("[\"finance.*\"]");
    cg_auto_json nothing = parse("[]");
    cg_auto_json some = cg_kinds_readable(k, rights);
    cg_auto_json none = cg_kinds_readable(k, nothing);
    assert_int_equal(json_array_size(some), 1);
    assert_string_equal(json_string_value(json_array_get(some, 0)), "invoice");
    assert_int_equal(json_array_size(none), 0);
    cg_kinds_destroy(k);
    cg_kinds_destroy(NULL);
    static const struct {
        const char *entities, *error;
    } bad[] = {
        { "{\"a\":1}", "entities/a.lua must return a table" },
        { "{\"a\":{" ENTITY ",\"tilte\":1}}", "entities/a.lua: tilte is not known; did you mean title?" },
        { "{\"a\":{\"title\":\"t\",\"chunk\":{\"$fn\":\"c\"}}}", "read is missing" },
        { "{\"a\":{\"read\":\"r\",\"chunk\":{\"$fn\":\"c\"}}}", "title is missing" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cg_auto_json wrong = parse(bad[i].entities);
        assert_int_equal(cg_kinds_create(wrong, &k, &err), COGENT_INVALID);
        if (!strstr(err.message, bad[i].error))
            fail_msg("%s", err.message);
    }
}

static void fills(void **state)
{
    (void)state;
    cg_auto_json record = parse("{\"id\":7,\"number\":\"A/1 b\",\"customer\":{\"id\":\"c&d\"},\"o\":{}}");
    cg_auto_json columns = parse("{\"number\":\"INV/1\"}");
    cg_auto_json tenant = parse("{\"web_url\":\"https://x/y\"}");
    static const struct {
        const char *pattern, *plain, *link;
    } rows[] = {
        { "Invoice {number}", "Invoice INV/1", "Invoice INV%2F1" },
        { "{tenant.web_url}/c/{customer.id}", "https://x/y/c/c&d", "https://x/y/c/c%26d" },
        { "{id}-{missing}-{o}-{tenant.none}", "7---", "7---" },
        { "plain", "plain", "plain" },
        { "open {number", "open ", "open " },
        { "", "", "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cg_auto_buf plain = { 0 }, link = { 0 };
        cg_buf_text(&plain, "");
        cg_buf_text(&link, "");
        cg_kind_fill(rows[i].pattern, columns, record, tenant, false, &plain);
        cg_kind_fill(rows[i].pattern, columns, record, tenant, true, &link);
        assert_string_equal(plain.ptr, rows[i].plain);
        assert_string_equal(link.ptr, rows[i].link);
    }
    assert_string_equal(json_string_value(cg_kind_path(record, "customer.id")), "c&d");
    assert_null(cg_kind_path(record, "customer.id.x"));
    assert_null(cg_kind_path(
        record, "a-name-that-is-longer-than-any-member-of-a-record-may-be-in-this-engine-today"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(permissions), cmocka_unit_test(secrets),
                                        cmocka_unit_test(kinds), cmocka_unit_test(fills) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
