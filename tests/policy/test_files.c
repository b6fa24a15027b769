/* SPDX-License-Identifier: Apache-2.0
 * Data files: Lua tables as JSON, functions that stay behind, errors that name their place. */
#include "room.h"

#include "engine/policy/files.h"

static struct cg_files *files_new(void)
{
    struct cg_files *files;
    assert_int_equal(cg_files_create(&files, NULL), 0);
    return files;
}

static void tables_are_json(void **state)
{
    static const struct {
        const char *lua, *json;
    } rows[] = {
        { "{}", "{}" },
        { "list {}", "[]" },
        { "{ 1, 2.5, 'x', true, null }", "[1,2.5,\"x\",true,null]" },
        { "{ a = { b = { 1 } }, ['c d'] = null }", "{\"a\":{\"b\":[1]},\"c d\":null}" },
        { "list { 1 }", "[1]" },
        { "{ n = 9007199254740993, f = 0.1, neg = -5 }", "{\"n\":9007199254740993,\"f\":0.1,\"neg\":-5}" },
        { "{ m = money '2.50', d = date '2026-11-22' }", "{\"m\":\"2.50\",\"d\":\"2026-11-22\"}" },
        { "{ 'id', total = 'total_amount' }", "{\"1\":\"id\",\"total\":\"total_amount\"}" },
        { "{ [409] = 'conflict' }", "{\"409\":\"conflict\"}" },
        { "{ f = function() end, t = { { g = function() end } } }",
          "{\"f\":{\"$fn\":\"n/f\"},\"t\":[{\"g\":{\"$fn\":\"n/t/0/g\"}}]}" },
        { "{ f = function(v) return v.secret.a_1 .. v.secret.b .. v.secret['c-d'] .. v.secret.b end,\n"
          "g = function(v) local secrets = 1; return secrets end }",
          "{\"f\":{\"$fn\":\"n/f\",\"secrets\":[\"a_1\",\"b\",\"c-d\"]},\"g\":{\"$fn\":\"n/g\"}}" },
        { "{ e = env 'COGENT_TEST_ENV', p = env('COGENT_TEST_NONE', null) }",
          "{\"e\":\"value\",\"p\":null}" },
        { "{ s = file 'secret', q = file 'sub/two' }", "{\"s\":\"hush\",\"q\":\"line 1\\nline 2\"}" },
        { "{ b = base64 'a:b' }", "{\"b\":\"YTpi\"}" },
    };
    (void)state;
    struct room room;
    struct cg_files *files = files_new();
    room_open(&room);
    room_write(&room, "secret", "hush\n");
    room_write(&room, "sub/two", "line 1\nline 2\r\n");
    setenv("COGENT_TEST_ENV", "value", 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        json_t *got = NULL;
        struct cg_err err = { 0 };
        snprintf(text, sizeof text, "return %s", rows[i].lua);
        room_write(&room, "n.lua", text);
        int rc = cg_files_load(files, room_file(&room, "n.lua"), "n", &got, &err);
        if (rows[i].json ? rc != 0 : rc != COGENT_INVALID)
            fail_msg("%s: %d %s", rows[i].lua, rc, err.message);
        if (rows[i].json)
            assert_json(got, rows[i].json);
        json_decref(got);
    }
    cg_files_destroy(files);
    room_close(&room);
}

static void errors_name_their_place(void **state)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        { "return {\n\n  a = = 1 }", "n.lua:3:" },
        { "return {\n  a = nosuch.b }", "n.lua:2:" },
        { "return { a = list { x = 2 } }", "a: list items and names" },
        { "return { a = { 1, nil, 3 } }", "a: a list with a gap" },
        { "return { a = { [1.5] = 1 } }", "a: a key that is no text" },
        { "return { a = { [true] = 1 } }", "a: a key that is no text" },
        { "return { a = { 1, { b = 0/0 } } }", "a[2].b: not a finite number" },
        { "return { a = tostring }", "a: a helper has no place here" },
        { "return 'x'", "returns a string" },
        { "\n\nreturn { env 'COGENT_TEST_NONE' }", "n.lua:3: env \"COGENT_TEST_NONE\" is not set" },
        { "return { file 'nosuch' }", "No such file" },
        { "return { file 'big' }", "larger than 64 KiB" },
        { "return { file '.' }", "not a regular file" },
        { "return { file 'binary' }", "[1]: a text that is not UTF-8" },
        { "return { allow() }", "'allow'" },
        { "while true do end", "steps" },
        { "local t = {} for i = 1, 1e9 do t[i] = { i, i } end", "the script used up" },
        { "return require 'x'", "'require'" },
    };
    (void)state;
    struct room room;
    room_open(&room);
    char big[70000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    room_write(&room, "big", big);
    room_write(&room, "binary", "\xff\xfe");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *got = NULL;
        struct cg_err err = { 0 };
        struct cg_files *files = files_new();
        room_write(&room, "n.lua", rows[i].text);
        int rc = cg_files_load(files, room_file(&room, "n.lua"), "n", &got, &err);
        if (rc == 0 || got || !strstr(err.message, rows[i].message) || !strstr(err.message, "n.lua"))
            fail_msg("%s: %d %s", rows[i].text, rc, err.message);
        cg_files_destroy(files);
    }
    struct cg_files *files = files_new();
    json_t *got;
    assert_int_equal(cg_files_load(files, "/proc/nonexistent.lua", "n", &got, NULL), COGENT_NOT_FOUND);
    assert_int_equal(cg_files_load_folder(files, "/proc/nonexistent", "n", &got, NULL), COGENT_NOT_FOUND);
    cg_files_destroy(files);
    room_close(&room);
}

static int call(struct cg_files *files, const char *reference, const char *args, bool spread, json_t **out,
                struct cg_err *err)
{
    cg_auto_json a = parse(args);
    return cg_files_call(files, reference, a, spread, out, err);
}

static void assert_call(struct cg_files *files, const char *reference, const char *args, bool spread,
                        const char *wanted)
{
    json_t *got = NULL;
    struct cg_err err = { 0 };
    if (call(files, reference, args, spread, &got, &err))
        fail_msg("%s: %s", reference, err.message);
    assert_json(got, wanted);
    json_decref(got);
}

static const char functions[] =
    "local function plain(v) if type(v) ~= 'table' then return v end\n"
    "  if v['$dec'] then return v['$dec'] end\n"
    "  for k, x in pairs(v) do v[k] = plain(x) end return v end\n"
    "return { plain = plain, tools = { t = { first = function(rows) return plain(rows[1]) end,\n"
    "  three = function(a, b, c) return { a, b, c } end, none = function() end,\n"
    "  fail = function() error 'broken' end, loop = function() while true do end end,\n"
    "  eat = function() local l = {} for i = 1, 1e9 do l[i] = ('x'):rep(100000) .. i end end,\n"
    "  global = function() x = 1 end, secret = function() return env 'HOME' end,\n"
    "  value = function(v) return 'Session ' .. base64(v.user .. ':' .. v.token) end,\n"
    "  fn = function() return { function() end } end } } }";

static void functions_stay_callable(void **state)
{
    (void)state;
    struct room room;
    struct cg_err err = { 0 };
    json_t *got = NULL;
    struct cg_files *files = files_new();
    room_open(&room);
    room_write(&room, "books.lua", functions);
    if (cg_files_load(files, room_file(&room, "books.lua"), "tools/books", &got, &err))
        fail_msg("%s", err.message);
    assert_string_equal(json_string_value(cg_json_at(got, "/tools/t/first/$fn")),
                        "tools/books/tools/t/first");
    json_decref(got);

    assert_call(files, "tools/books/plain", "{\"a\":[{\"$dec\":\"2.55\"},[],{}]}", false,
                "{\"a\":[\"2.55\",[],{}]}");
    assert_call(files, "tools/books/tools/t/first", "[{\"p\":{\"$dec\":\"1\"}}]", false, "{\"p\":\"1\"}");
    assert_call(files, "tools/books/tools/t/three", "[1,\"b\",{\"c\":null}]", true, "[1,\"b\",{\"c\":null}]");
    assert_call(files, "tools/books/tools/t/value", "{\"user\":\"u\",\"token\":\"t\"}", false,
                "\"Session dTp0\"");
    assert_int_equal(call(files, "tools/books/tools/t/none", "{}", false, &got, &err), 0);
    assert_null(got);
    assert_int_equal(call(files, "tools/books/tools/t/first", "[]", false, &got, &err), 0);
    assert_null(got);

    static const struct {
        const char *name;
        int rc;
        const char *message;
    } rows[] = {
        { "nosuch", COGENT_NOT_FOUND, "no such function" },
        { "fail", COGENT_INVALID, "books.lua:6: broken" },
        { "loop", COGENT_LIMIT, "steps" },
        { "global", COGENT_INVALID, "read-only" },
        { "secret", COGENT_INVALID, "only while" },
        { "fn", COGENT_INVALID, "no place here" },
        { "eat", COGENT_LIMIT, "used up" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char reference[128];
        snprintf(reference, sizeof reference, "tools/books/tools/t/%s", rows[i].name);
        int rc = call(files, reference, "{}", false, &got, &err);
        if (rc != rows[i].rc || !strstr(err.message, rows[i].message))
            fail_msg("%s: %d %s", rows[i].name, rc, err.message);
        /* Whatever happened, the others still work: a state that hit its cap was made anew. */
        assert_call(files, "tools/books/tools/t/first", "[{\"a\":1}]", false, "{\"a\":1}");
    }
    cg_files_destroy(files);
    room_close(&room);
}

static void a_folder_is_loaded_by_name(void **state)
{
    (void)state;
    struct room room;
    struct cg_err err = { 0 };
    json_t *got = NULL;
    struct cg_files *files = files_new();
    room_open(&room);
    room_write(&room, "entities/invoice.lua",
               "return { read = 'finance.read', chunk = function(r) return { r.n } end }");
    room_write(&room, "entities/item.lua", "return { read = 'stock.read' }");
    room_write(&room, "entities/README.md", "not Lua");
    char path[512];
    snprintf(path, sizeof path, "%s", room_file(&room, "entities"));
    if (cg_files_load_folder(files, path, "entities", &got, &err))
        fail_msg("%s", err.message);
    assert_json(got,
                "{\"invoice\":{\"read\":\"finance.read\",\"chunk\":{\"$fn\":\"entities/invoice/chunk\"}},"
                "\"item\":{\"read\":\"stock.read\"}}");
    json_decref(got);
    assert_call(files, "entities/invoice/chunk", "{\"n\":\"x\"}", false, "[\"x\"]");

    /* Loaded again, what is gone is gone. */
    room_write(&room, "entities/invoice.lua", "return { read = 'finance.read' }");
    assert_int_equal(
        cg_files_load(files, room_file(&room, "entities/invoice.lua"), "entities/invoice", &got, &err), 0);
    json_decref(got);
    assert_int_equal(call(files, "entities/invoice/chunk", "{}", false, &got, &err), COGENT_NOT_FOUND);
    cg_files_destroy(files);
    room_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_json),
        cmocka_unit_test(errors_name_their_place),
        cmocka_unit_test(functions_stay_callable),
        cmocka_unit_test(a_folder_is_loaded_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
