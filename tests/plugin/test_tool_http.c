/* SPDX-License-Identifier: Apache-2.0
 * tool_http: declarations good and bad, what is sent, and what is made of the answers. argv: the plugin, the two
 * services of the manual as JSON.
 */
#include "fake_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct cogent_toolset *toolset;
static const char *erp_path, *books_path;
static void *self;
static struct cogent_call call;

/* --- the asker --- */

static const char *erp_url = "http://10.0.0.7:8000/";

static const char *tenant_field(const struct cogent_asker *asker, const char *name)
{
    (void)asker;
    return strcmp(name, "erp_url") == 0     ? erp_url
           : strcmp(name, "books_url") == 0 ? "http://books:9000"
                                            : NULL;
}

static const char *secret(const struct cogent_asker *asker, const char *name)
{
    (void)asker;
    return strcmp(name, "books_token") == 0 ? "tok-12345" : NULL;
}

static struct cogent_asker asker;

static void asker_reset(void)
{
    asker = (struct cogent_asker){ .size = sizeof asker,
                                   .tenant = "acme",
                                   .user = "u1",
                                   .name = "Ann",
                                   .locale = "en-GB",
                                   .language = "en",
                                   .time_zone = "Europe/London",
                                   .authorization = "Bearer user-token-1",
                                   .tenant_field = tenant_field,
                                   .secret = secret,
                                   .tenant_fields = "{\"erp_url\":\"http://10.0.0.7:8000\"}" };
    erp_url = "http://10.0.0.7:8000/";
}

/* --- opening and calling --- */

static char error[512];

static int open_json(json_t *json)
{
    char *text = json_dumps(json, 0);
    error[0] = '\0';
    self = NULL;
    int err = toolset->open(&fake_host, cogent_str(text), &self, error, sizeof error);
    free(text);
    json_decref(json);
    return err;
}

static void open_file(const char *path)
{
    json_error_t why;
    fake_reset();
    asker_reset();
    if (open_json(json_load_file(path, 0, &why)) != 0)
        fail_msg("%s: %s", path, error);
}

/* One tool `t` of a service with the given members. */
static int open_tool(const char *members)
{
    char text[4096];
    fake_reset();
    asker_reset();
    snprintf(
        text, sizeof text,
        "{\"service\":\"s\",\"base\":\"http://h/api\",\"auth\":\"none\",\"tools\":{\"t\":{\"about\":\"x\",\"permission\":\"p\",%s}}}",
        members);
    json_error_t why;
    json_t *json = json_loads(text, 0, &why);
    if (!json)
        fail_msg("%s: %s", why.text, text);
    return open_json(json);
}

static const struct cogent_tool *find(const char *name)
{
    for (size_t i = 0; i < toolset->count(self); i++)
        if (strcmp(toolset->get(self, i)->name, name) == 0)
            return toolset->get(self, i);
    fail_msg("no tool %s", name);
    return NULL;
}

static void run(const char *name, const char *args)
{
    const struct cogent_tool *tool = find(name);
    call = (struct cogent_call){ .size = sizeof call,
                                 .host = &fake_host,
                                 .tool = tool,
                                 .op = { 1, 1 },
                                 .args = cogent_str(args),
                                 .asker = &asker,
                                 .effect_key =
                                     tool->effect == COGENT_READ ? "" : "k2345678901234567890123456789",
                                 .deadline_ms = 20000 };
    fake.call = &call;
    fake.completed = 0;
    fake.err = 1;
    tool->call(&call);
}

static void end(void)
{
    if (fake.call)
        fake_cancel();
    assert_int_equal(fake_live(), 0);
    toolset->close(self);
    self = NULL;
}

static void same_json(const char *got, const char *wanted)
{
    json_t *a = json_loads(got, JSON_DECODE_ANY, NULL), *b = json_loads(wanted, JSON_DECODE_ANY, NULL);
    if (!a || !b || !json_equal(a, b))
        fail_msg("got %s\nwanted %s", got, wanted);
    json_decref(a);
    json_decref(b);
}

static void finished(int err, const char *text)
{
    if (fake.completed != 1 || fake.err != err)
        fail_msg("completed %d, %s: %s", fake.completed, cogent_err_name(fake.err), fake.message);
    if (err == 0)
        same_json(fake.result, text);
    else if (!strstr(fake.message, text))
        fail_msg("message: %s", fake.message);
}

/* --- declarations --- */

static void test_erp(void **state)
{
    (void)state;
    open_file(erp_path);
    assert_int_equal(toolset->count(self), 3);
    const struct cogent_tool *t = find("create_invoice");
    assert_int_equal(t->effect, COGENT_WRITE);
    assert_int_equal(t->once, COGENT_ONCE_HEADER);
    assert_string_equal(t->as, "caller");
    assert_string_equal(t->trusted[1], "line_items");
    assert_null(t->trusted[2]);
    assert_string_equal(t->ask, "Invoice customer {customer_id} for {line_items}");
    assert_null(find("get_invoice")->trusted);
    json_t *schema = json_loads(t->args, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(schema, "required")), 2);
    assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
    json_decref(schema);

    run("get_invoice", "{\"number\":\"INV/0251 \xc3\xa4\"}");
    assert_string_equal(fake_last()->method, "GET");
    assert_string_equal(fake_last()->url, "http://10.0.0.7:8000/api/v1/invoices/INV%2F0251%20%C3%A4");
    assert_non_null(strstr(fake_last()->headers, "Authorization: Bearer user-token-1\n"));
    assert_non_null(strstr(fake_last()->headers, "Accept-Language: en-GB\n"));
    fake_answer(
        200,
        "{\"data\":{\"id\":\"u1\",\"number\":\"7\",\"total_amount\":2.55,\"secret_margin\":1,\"status\":null}}");
    finished(0, "{\"id\":\"u1\",\"number\":\"7\",\"total\":2.55}");
    assert_non_null(strstr(fake.result, "2.55}"));

    run("create_invoice",
        "{\"customer_id\":\"17850\",\"line_items\":[{\"item_id\":\"85123A\",\"quantity\":2.55,\"unit_price\":\"2.55\"}],\"payment_terms\":\"Net 30\"}");
    assert_string_equal(fake_last()->url, "http://10.0.0.7:8000/api/v1/invoices");
    assert_non_null(strstr(fake_last()->headers, "Idempotency-Key: k2345678901234567890123456789\n"));
    assert_string_equal(
        fake_last()->body,
        "{\"customer_id\":\"17850\",\"line_items\":[{\"item_id\":\"85123A\",\"quantity\":2.55,\"unit_price\":\"2.55\"}],\"payment_terms\":\"Net 30\"}");
    fake_answer(
        201,
        "{\"data\":{\"id\":\"u-1\",\"number\":\"INV/0251\",\"total_amount\":\"15.30\",\"currency\":\"GBP\"}}");
    finished(0, "{\"id\":\"u-1\",\"number\":\"INV/0251\",\"total\":\"15.30\",\"currency\":\"GBP\"}");
    end();
}

static void test_example(void **state)
{
    char out[4096];
    (void)state;
    open_file(erp_path);
    assert_int_equal(toolset->check(self, 0, out, sizeof out), COGENT_NOT_FOUND);
    assert_int_equal(toolset->check(self, 2, out, sizeof out), 0);
    assert_non_null(strstr(out, "\"url\":\"{tenant.erp_url}/api/v1/invoices\""));
    assert_non_null(strstr(out, "\"Authorization\":\"Bearer ***\""));
    assert_int_equal(toolset->check(self, 2, out, 20), COGENT_LIMIT);
    end();
    assert_int_equal(
        open_tool("\"route\":\"GET /x\",\"args\":{\"a\":{}},\"result\":{\"at\":\"/d\"},"
                  "\"example\":{\"args\":{\"a\":1},\"reply\":{\"d\":{\"x\":1}},\"gives\":{\"x\":2}}"),
        0);
    assert_int_equal(toolset->check(self, 0, out, sizeof out), COGENT_INVALID);
    assert_non_null(strstr(out, "something else"));
    assert_non_null(strstr(out, "http://h/api/x?a=1"));
    end();
}

static const struct {
    const char *members;
    const char *message; /* a piece */
} wrongs[] = {
    { "\"route\":\"GET /x\",\"permision\":\"p\"", "unknown key \"permision\"; nearest: \"permission\"" },
    { "\"route\":\"GET /x\",\"base\":\"http://x\"", "\"base\" belongs to the service" },
    { "\"route\":7", "route: must be a text" },
    { "\"route\":\"GET /x\",\"permission\":\"\"", "permission is missing" },
    { "\"args\":{}", "route is missing" },
    { "\"route\":\"FETCH /x\"", "begins with GET" },
    { "\"route\":\"GET x\"", "begins with /" },
    { "\"route\":\"GET /x?a=1\"", "use query" },
    { "\"route\":\"GET /a/../b\"", "no . or .." },
    { "\"route\":\"GET /x/{nunber}\",\"args\":{\"number\":{}}",
      "{nunber} names no argument (nearest: number)" },
    { "\"route\":\"GET /x/{number\",\"args\":{\"number\":{}}", "brace" },
    { "\"route\":\"GET /x/{secret.a}\"", "cannot stand here" },
    { "\"route\":\"GET /x\",\"query\":{\"a\":\"{secret.a}\"}", "cannot stand here" },
    { "\"route\":\"GET /x\",\"query\":{\"a\":\"{user.mail}\"}", "no such member" },
    { "\"route\":\"GET /x\",\"query\":{\"a\":\"{env.a}\"}", "what comes from the engine" },
    { "\"route\":\"GET /x\",\"query\":{\"a\":\"{login.token}\"}",
      "cannot stand here: it needs auth = { login" },
    { "\"route\":\"GET /x\",\"query\":{\"a\":\"{page.size}\"}", "without pages" },
    { "\"route\":\"GET /x\",\"query\":{\"a\":\"{tool.call}\"}", "says neither" },
    { "\"route\":\"GET /x\",\"query\":[1]", "a table or a function" },
    { "\"route\":\"GET /x\",\"body\":{}", "a GET has no body" },
    { "\"route\":\"POST /x\",\"effect\":\"read\",\"body\":{},\"form\":{}", "one of them" },
    { "\"route\":\"GET /x\",\"lists\":\"csv\"", "\"repeat\", \"json\" or \"comma\"" },
    { "\"route\":\"GET /x\",\"headers\":{\"Host\":\"x\"}", "the engine's own" },
    { "\"route\":\"GET /x\",\"headers\":{\"a b\":\"x\"}", "no name of a header" },
    { "\"route\":\"POST /x\"", "effect is missing" },
    { "\"route\":\"GET /x\",\"effect\":\"reads\"", "none of read, write, external" },
    { "\"route\":\"POST /x\",\"effect\":\"write\"", "once is missing" },
    { "\"route\":\"POST /x\",\"effect\":\"external\"", "once is missing" },
    { "\"route\":\"GET /x\",\"once\":\"never\"", "only a write" },
    { "\"route\":\"POST /x\",\"effect\":\"write\",\"once\":\"maybe\"", "once: {" },
    { "\"route\":\"POST /x\",\"effect\":\"write\",\"once\":{\"header\":\"Host\"}", "once.header: Host" },
    { "\"route\":\"POST /x\",\"effect\":\"write\",\"once\":{\"field\":\"r\"}", "needs both" },
    { "\"route\":\"POST /x\",\"effect\":\"write\",\"once\":{\"field\":\"r\",\"find\":\"f\"}",
      "no tool of this service" },
    { "\"route\":\"POST /x\",\"effect\":\"write\",\"once\":{\"field\":\"r\",\"find\":\"t\"}",
      "no argument \"key\"" },
    { "\"route\":\"POST /x\",\"effect\":\"write\",\"args\":{\"key\":{}},\"once\":{\"field\":\"r\",\"find\":\"t\"}",
      "is not a read" },
    { "\"route\":\"POST /x\",\"effect\":\"write\",\"args\":{\"key\":{}},\"body\":{\"a\":1},\"once\":{\"field\":\"r\",\"find\":\"t\"}",
      "holds {effect.key}" },
    { "\"route\":\"GET /x\",\"required\":[\"a\"]", "\"a\" is no argument" },
    { "\"route\":\"GET /x\",\"args\":{\"a\":\"string\"}", "a JSON Schema" },
    { "\"route\":\"GET /x\",\"trusted\":[\"a\"]", "\"a\" is no argument" },
    { "\"route\":\"GET /x\",\"ask\":\"Do {a}\"", "names no argument" },
    { "\"route\":\"GET /x\",\"result\":\"/data\"", "{ at, keep } or a function" },
    { "\"route\":\"GET /x\",\"result\":{\"at\":\"data\"}", "a JSON pointer" },
    { "\"route\":\"GET /x\",\"result\":{\"att\":\"/data\"}", "unknown key \"att\"; nearest: \"at\"" },
    { "\"route\":\"GET /x\",\"result\":{\"keep\":[\"a.b\"]}", "needs a name" },
    { "\"route\":\"GET /x\",\"result\":{\"keep\":\"a\"}", "a list of names" },
    { "\"route\":\"GET /x\",\"pages\":{\"size\":0,\"max\":1}", "pages.size" },
    { "\"route\":\"GET /x\",\"pages\":{\"size\":10,\"max\":100}", "says which page" },
    { "\"route\":\"GET /x\",\"pages\":{\"size\":10,\"max\":100,\"next\":\"cursor\"}", "pages.next" },
    { "\"route\":\"GET /x\",\"query\":{\"c\":\"{page.cursor}\"},\"pages\":{\"size\":10,\"max\":100}",
      "without pages.next" },
    { "\"route\":\"GET /x\",\"errors\":{\"map\":{\"409\":\"clash\"}}", "errors.map: 409" },
    { "\"route\":\"GET /x\",\"errors\":{\"message\":\"detail\"}", "errors.message" },
    { "\"route\":\"GET /x\",\"errors\":{\"at\":\"\"}", "errors.at" },
    { "\"route\":\"GET /x\",\"timeout\":0", "timeout" },
    { "\"route\":\"GET /x\",\"retry\":1.5", "retry" },
    { "\"route\":\"GET /x\",\"auth\":\"handd\"", "auth: \"caller\", \"handed\"" },
    { "\"route\":\"GET /x\",\"auth\":{\"header\":\"A\"}", "needs both" },
    { "\"route\":\"GET /x\",\"auth\":{\"header\":\"A\",\"value\":7}", "auth.value" },
    { "\"route\":\"GET /x\",\"auth\":{\"header\":\"A\",\"value\":\"{login.token}\"}", "cannot stand here" },
    { "\"route\":\"GET /x\",\"auth\":{\"header\":\"A\",\"value\":\"{user.credential}\"}", "handed = true" },
    { "\"route\":\"GET /x\",\"auth\":{\"header\":\"A\",\"value\":\"{user.id}\"}", "cannot stand here" },
    { "\"route\":\"GET /x\",\"auth\":{\"header\":\"Host\",\"value\":\"x\"}", "the engine's own" },
    { "\"route\":\"GET /x\",\"auth\":{\"hander\":\"A\",\"value\":\"x\"}", "unknown key \"hander\"" },
    { "\"route\":\"GET /x\",\"auth\":{\"handed\":1,\"header\":\"A\",\"value\":\"x\"}", "auth.handed" },
    { "\"route\":\"GET /x\",\"auth\":{\"login\":7}", "auth.login: a table" },
    { "\"route\":\"GET /x\",\"auth\":{\"login\":{\"rout\":\"POST /l\"}}", "nearest: \"route\"" },
    { "\"route\":\"GET /x\",\"auth\":{\"login\":{\"route\":\"POST /l\",\"body\":{\"u\":\"{user.id}\"}}}",
      "auth.login: body: {user.id} cannot stand here" },
    { "\"route\":\"GET /x\",\"auth\":{\"login\":{\"route\":\"POST /l\",\"result\":{\"at\":\"x\"}}}",
      "auth.login: result.at" },
    { "\"route\":\"GET /x\",\"auth\":{\"login\":{\"route\":\"GET /l\",\"query\":{\"p\":\"{secret.a}\"}}}",
      "auth.login: query: {secret.a} cannot stand here" },
    { "\"route\":\"GET /x\",\"auth\":{\"oauth2\":\"x\",\"id\":\"a\",\"secret\":\"b\"}", "auth.oauth2" },
    { "\"route\":\"GET /x\",\"auth\":{\"oauth2\":\"http://x\",\"id\":\"a\"}", "needs all three" },
    { "\"route\":\"GET /x\",\"auth\":{\"oauth2\":\"http://x\",\"id\":\"a\",\"secret\":\"b\"}", "auth.as" },
    { "\"route\":\"GET /x\",\"auth\":{\"oauth2\":\"http://x\",\"id\":\"a\",\"secret\":7,\"as\":\"user\"}",
      "auth.secret: a text" },
    { "\"route\":\"GET /x\",\"issuer\":\"x\"", "\"issuer\" belongs to the service" },
    { "\"route\":\"GET /x\",\"example\":{\"args\":{\"a\":1}}", "example.args" },
};

static void test_wrong_declarations(void **state)
{
    static const struct {
        const char *text, *message;
    } services[] = {
        { "[]", "no table" },
        { "{\"a\":1,\"a\":2}", "no table" },
        { "{}", "service: a name" },
        { "{\"service\":\"s\",\"tools\":{}}", "service s: base is missing" },
        { "{\"service\":\"s\",\"base\":\"ftp://x\",\"tools\":{}}", "base: begins with" },
        { "{\"service\":\"s\",\"base\":\"{user.id}\",\"tools\":{}}", "cannot stand here" },
        { "{\"service\":\"s\",\"base\":\"http://x\",\"tools\":{}}", "there is none" },
        { "{\"service\":\"s\",\"base\":\"http://x\",\"about\":\"x\",\"tools\":{}}",
          "\"about\" belongs to the tools" },
        { "{\"service\":\"s\",\"base\":\"http://x\",\"tools\":{\"a b\":{}}}", "a name has at most" },
        { "{\"service\":\"s\",\"base\":\"http://x\",\"tools\":{\"t\":{\"permission\":\"p\"}}}",
          "service s, tool t: about is missing" },
        { "{\"service\":\"s\",\"base\":\"http://x\",\"tools\":{\"t\":{\"about\":\"x\",\"permission\":\"p\",\"route\":\"GET /\"}}}",
          "auth is missing" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        assert_int_equal(toolset->open(&fake_host, cogent_str(services[i].text), &self, error, sizeof error),
                         COGENT_INVALID);
        if (!strstr(error, services[i].message))
            fail_msg("%s: %s", services[i].text, error);
    }
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        if (open_tool(wrongs[i].members) != COGENT_INVALID || !strstr(error, wrongs[i].message))
            fail_msg("%s: \"%s\"", wrongs[i].members, error);
        if (strncmp(error, "service s, tool t", 17) != 0)
            fail_msg("%s", error);
    }
}

/* --- requests --- */

static void test_requests(void **state)
{
    static const struct {
        const char *members, *args, *url, *body; /* url: after http://h/api */
    } rows[] = {
        /* what the route does not name */
        { "\"route\":\"GET /x/{a}\",\"args\":{\"a\":{},\"b\":{},\"c\":{}}",
          "{\"a\":\"1/2?\",\"b\":\"\xc3\xa4 &\",\"c\":[1,\"x\"]}", "/x/1%2F2%3F?b=%C3%A4%20%26&c=1&c=x", "" },
        { "\"route\":\"DELETE /x/{a}\",\"effect\":\"write\",\"once\":\"never\",\"args\":{\"a\":{},\"b\":{}}",
          "{\"a\":7,\"b\":true}", "/x/7?b=true", "" },
        { "\"route\":\"PUT /x/{a}\",\"effect\":\"write\",\"once\":\"never\",\"args\":{\"a\":{},\"b\":{}}",
          "{\"a\":\"k\",\"b\":{\"c\":0.1}}", "/x/k", "{\"b\":{\"c\":0.1}}" },
        { "\"route\":\"POST /x\",\"effect\":\"write\",\"once\":\"never\"", "{}", "/x", "{}" },
        { "\"route\":\"GET /x\"", "{}", "/x", "" },
        /* lists and tables in a query */
        { "\"route\":\"GET /x\",\"lists\":\"json\",\"args\":{\"c\":{}}", "{\"c\":[1,\"x\"]}",
          "/x?c=%5B1%2C%22x%22%5D", "" },
        { "\"route\":\"GET /x\",\"lists\":\"comma\",\"args\":{\"c\":{}}", "{\"c\":[1,\"x y\"]}",
          "/x?c=1%2Cx%20y", "" },
        { "\"route\":\"GET /x\",\"args\":{\"c\":{}}", "{\"c\":{\"d\":[1]}}", "/x?c=%7B%22d%22%3A%5B1%5D%7D",
          "" },
        { "\"route\":\"GET /x\",\"args\":{\"c\":{},\"d\":{}}", "{\"c\":[],\"d\":null}", "/x", "" },
        /* a query of one's own says all; what is missing vanishes */
        { "\"route\":\"GET /x\",\"args\":{\"a\":{},\"b\":{}},\"query\":{\"q\":\"{a}\",\"r\":\"no {b}\",\"s\":\"is {a}\"}",
          "{\"a\":3}", "/x?q=3&s=is%203", "" },
        { "\"route\":\"GET /x\",\"args\":{\"a\":{}},\"query\":{\"q\":\"{{a} {a}\"}", "{\"a\":\"{user.id}\"}",
          "/x?q=%7Ba%7D%20%7Buser.id%7D", "" },
        { "\"route\":\"POST /x\",\"effect\":\"read\",\"args\":{\"a\":{},\"b\":{}},\"query\":{\"q\":\"{a}\"}",
          "{\"a\":3,\"b\":4}", "/x?q=3", "" },
        /* bodies: types are kept, clauses go with their argument */
        { "\"route\":\"POST /x\",\"effect\":\"read\",\"args\":{\"a\":{},\"b\":{}},\"body\":{\"f\":[[\"a\",\"=\",\"{a}\"],[\"b\",\"=\",\"{b}\"]],\"n\":1,\"e\":{}}",
          "{\"a\":7}", "/x", "{\"f\":[[\"a\",\"=\",7]],\"n\":1,\"e\":{}}" },
        { "\"route\":\"POST /x\",\"effect\":\"read\",\"args\":{\"a\":{},\"b\":{}},\"body\":{\"f\":[[\"a\",\"=\",\"{a}\"],[\"b\",\"=\",\"{b}\"]]}",
          "{}", "/x", "{\"f\":[]}" },
        { "\"route\":\"POST /x\",\"effect\":\"read\",\"args\":{\"a\":{}},\"body\":{\"f\":[1,\"{a}\"],\"o\":[{\"x\":\"{a}\",\"y\":1}]}",
          "{}", "/x", "{\"o\":[{\"y\":1}]}" },
        { "\"route\":\"POST /x\",\"effect\":\"read\",\"args\":{\"a\":{}},\"body\":{\"n\":\"{a}\",\"t\":\"{a}!\"}",
          "{\"a\":2.55}", "/x", "{\"n\":2.55,\"t\":\"2.55!\"}" },
        { "\"route\":\"POST /x\",\"effect\":\"read\",\"args\":{\"a\":{}},\"body\":\"{a}\"",
          "{\"a\":[1,{\"b\":null}]}", "/x", "[1,{\"b\":null}]" },
        { "\"route\":\"POST /x\",\"effect\":\"read\",\"args\":{\"a\":{}},\"form\":{\"a\":\"{a}\",\"b\":\"1&2\",\"c\":[1,2]}",
          "{\"a\":\"x y\"}", "/x", "a=x%20y&b=1%262&c=1&c=2" },
        /* engine variables, and the key written into the record */
        { "\"route\":\"GET /{user.id}\",\"query\":{\"t\":\"{tenant.name}\",\"z\":\"{user.time_zone}\",\"n\":\"{tenant.none}\"}",
          "{}", "/u1?t=acme&z=Europe%2FLondon", "" },
        { "\"route\":\"POST /x\",\"effect\":\"write\",\"once\":\"never\",\"body\":{\"k\":\"{effect.key}\"}",
          "{}", "/x", "{\"k\":\"k2345678901234567890123456789\"}" },
        /* a route with odd characters is written plainly */
        { "\"route\":\"GET /a%20b{{c}\"", "{}", "/a%20b{c}", "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (open_tool(rows[i].members) != 0)
            fail_msg("%s: %s", rows[i].members, error);
        run("t", rows[i].args);
        if (!fake_last() || strcmp(fake_last()->url + strlen("http://h/api"), rows[i].url) != 0)
            fail_msg("%s: %s %s", rows[i].members, fake_last() ? fake_last()->url : "-", fake.message);
        if (strcmp(fake_last()->body, rows[i].body) != 0)
            fail_msg("%s: %s", rows[i].members, fake_last()->body);
        end();
    }
}

static void test_invalid_calls(void **state)
{
    static const char *const args[] = { "{}",          "{\"a\":\"\"}",   "{\"a\":null}",
                                        "{\"a\":[1]}", "{\"a\":\"..\"}", "{\"a\":\".\"}",
                                        "[]" };
    (void)state;
    for (size_t i = 0; i < sizeof args / sizeof *args; i++) {
        assert_int_equal(open_tool("\"route\":\"GET /x/{a}/y\",\"args\":{\"a\":{}}"), 0);
        run("t", args[i]);
        finished(COGENT_INVALID, "");
        assert_int_equal(fake.n_requests, 0);
        end();
    }
    assert_int_equal(open_tool("\"route\":\"GET /x\",\"args\":{\"a\":{}},\"headers\":{\"X-A\":\"{a}\"}"), 0);
    run("t", "{\"a\":\"1\\r\\nX-B: 2\"}");
    finished(COGENT_INVALID, "control character");
    end();
}

static void test_auth_and_base(void **state)
{
    static const char *const bad[] = { NULL,         "",           "ftp://x",   "http://",
                                       "http://u@x", "http://x?y", "http://x y" };
    (void)state;
    open_file(erp_path);
    asker.authorization = NULL;
    run("get_invoice", "{\"number\":\"1\"}");
    finished(COGENT_AUTH, "the user's own credential");
    end();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        open_file(erp_path);
        erp_url = bad[i];
        run("get_invoice", "{\"number\":\"1\"}");
        finished(COGENT_UNAVAILABLE, "erp");
        end();
    }
    open_file(books_path);
    assert_string_equal(find("list_orders")->as, "service");
    run("list_orders", "{}");
    assert_non_null(strstr(fake_last()->headers, "Authorization: Session tok-12345\n"));
    assert_null(strstr(fake_last()->headers, "user-token"));
    end();
    assert_int_equal(
        open_tool("\"route\":\"GET /x\",\"auth\":{\"header\":\"X-Key\",\"value\":\"{secret.none}\"}"), 0);
    run("t", "{}");
    finished(COGENT_AUTH, "not set");
    end();
}

/* --- answers --- */

static void test_errors(void **state)
{
    static const struct {
        int status;
        const char *body;
        int err;
        const char *message;
    } rows[] = {
        { 400, "{\"detail\":\"bad date\"}", COGENT_INVALID, "bad date" },
        { 422,
          "{\"detail\":[{\"loc\":[\"query\",\"from\"],\"msg\":\"no date\",\"type\":\"x\"},\"and more\"]}",
          COGENT_INVALID, "query.from: no date; and more" },
        { 403, "{\"detail\":\"<b>Not</b> for <i>you</i>, 2 < 3\"}", COGENT_DENIED, "Not for you , 2 < 3" },
        { 404, "{\"detail\":\"no such invoice\"}", COGENT_NOT_FOUND, "no such invoice" },
        { 404, "<html>nginx</html>", COGENT_NOT_FOUND, "erp answered 404" },
        { 409, "{\"detail\":\"closed\\nTraceback (most recent call last):\\n  File \\\"x\\\"\"}",
          COGENT_CONFLICT, "closed" },
        { 412, "", COGENT_CONFLICT, "412" },
        { 401, "{\"detail\":\"token user-token-1 is dead\"}", COGENT_AUTH, "erp answered 401" },
        { 400, "{\"detail\":\"token user-token-1 is odd\"}", COGENT_INVALID, "token *** is odd" },
        { 429, "{\"detail\":\"slow\"}", COGENT_LIMIT, "erp answered 429" },
        { 500, "{\"detail\":\"SELECT secret\"}", COGENT_UPSTREAM, "erp answered 500" },
        { 503, "", COGENT_UNAVAILABLE, "503" },
        { 302, "", COGENT_UPSTREAM, "302" },
        { 405, "", COGENT_UPSTREAM, "405" },
        { 200, "not json", COGENT_UPSTREAM, "not JSON" },
        { 200, "{\"data\":null}", COGENT_NOT_FOUND, "not found" },
        { 204, "", COGENT_NOT_FOUND, "not found" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        open_file(erp_path);
        run("get_invoice", "{\"number\":\"1\"}");
        fake_answer(rows[i].status, rows[i].body);
        while (!fake.completed && fake_tick())
            fake_answer(rows[i].status, rows[i].body);
        finished(rows[i].err, rows[i].message);
        assert_null(strstr(fake.message, "user-token-1"));
        assert_null(strstr(fake.message, "Traceback"));
        assert_null(strstr(fake.message, "SELECT"));
        end();
    }
}

static void test_long_words(void **state)
{
    char body[4000] = "{\"detail\":\"";
    (void)state;
    for (int i = 0; i < 900; i++)
        strcat(body, "\xc3\xa4");
    strcat(body, "\"}");
    open_file(erp_path);
    run("get_invoice", "{\"number\":\"1\"}");
    fake_answer(400, body);
    finished(COGENT_INVALID, "\xc3\xa4");
    assert_int_equal(strlen(fake.message), 500);
    end();
}

static const char *functions(const char *reference, json_t *args)
{
    static char out[4096];
    if (strcmp(reference, "books/get_customer_info/result") == 0) {
        json_t *first = json_array_get(args, 0);
        char *text = first ? json_dumps(first, 0) : NULL;
        snprintf(out, sizeof out, "%s", text ? text : "null");
        free(text);
        return out;
    }
    if (strcmp(reference, "books/create_order/params") == 0) {
        char *text = json_dumps(args, JSON_SORT_KEYS);
        snprintf(out, sizeof out, "[%s]", text);
        free(text);
        return out;
    }
    if (strcmp(reference, "nil") == 0)
        return "";
    return strcmp(reference, "books/create_order/result") == 0 ? "{\"id\":9}" : NULL;
}

static void test_rpc(void **state)
{
    (void)state;
    open_file(books_path);
    fake.function = functions;
    run("get_customer_info", "{\"code\":\"C1\"}");
    assert_string_equal(fake_last()->url, "http://books:9000/rpc");
    same_json(
        fake_last()->body,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"party.search_read\",\"params\":[[[\"code\",\"=\",\"C1\"]],0,1,[\"id\",\"code\",\"name\",\"credit_limit\"]]}");
    fake_answer(200, "{\"result\":[{\"id\":1}]}");
    finished(0, "{\"id\":1}");
    run("get_customer_info", "{\"code\":\"C1\"}");
    fake_answer(200, "{\"result\":[]}");
    finished(COGENT_NOT_FOUND, "not found");
    run("get_customer_info", "{\"code\":\"C1\"}");
    fake_answer(200, "{\"error\":{\"message\":\"no right, tok-12345\",\"data\":{\"name\":\"AccessError\"}}}");
    finished(COGENT_DENIED, "no right, ***");
    run("get_customer_info", "{\"code\":\"C1\"}");
    fake_answer(200, "{\"error\":{\"message\":\"boom\",\"data\":{\"name\":\"Other\"}}}");
    finished(COGENT_UPSTREAM, "answered with an error");
    fake.function = NULL;
    run("get_customer_info", "{\"code\":\"C1\"}");
    fake_answer(200, "{\"result\":[]}");
    finished(COGENT_INTERNAL, "function");

    fake.function = functions;
    run("list_orders", "{\"state\":\"done\"}");
    same_json(
        fake_last()->body,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"order.search_read\",\"params\":[[[\"state\",\"=\",\"done\"]],0,100,[\"id\",\"number\"]]}");
    fake_answer(200, "{\"result\":[{\"id\":1,\"number\":\"a\"}]}");
    finished(0, "{\"items\":[{\"id\":1,\"number\":\"a\"}],\"more\":false}");

    run("create_order", "{\"customer_id\":7}");
    json_t *body = json_loads(fake_last()->body, 0, NULL);
    json_t *seen = json_array_get(json_object_get(body, "params"), 0);
    const char *key, *tenant, *user;
    int customer;
    assert_int_equal(json_unpack(seen, "{s:{s:i}, s:{s:s}, s:{s:s}, s:{s:s}}", "args", "customer_id",
                                 &customer, "effect", "key", &key, "tenant", "erp_url", &tenant, "user", "id",
                                 &user),
                     0);
    assert_string_equal(key, "k2345678901234567890123456789");
    assert_null(json_object_get(seen, "secret"));
    json_decref(body);
    fake_answer(200, "{\"result\":9}");
    finished(0, "{\"id\":9}");
    end();
}

static void test_nil(void **state)
{
    (void)state;
    assert_int_equal(
        open_tool(
            "\"route\":\"GET /x\",\"query\":{\"a\":{\"$fn\":\"nil\"},\"b\":1},\"result\":{\"$fn\":\"nil\"}"),
        0);
    fake.function = functions;
    run("t", "{}");
    assert_string_equal(fake_last()->url, "http://h/api/x?b=1");
    fake_answer(200, "{}");
    finished(COGENT_NOT_FOUND, "not found");
    end();
}

/* Digits that a double or 64 bits would lose come out as they came in. */
static void test_exact(void **state)
{
    static const struct {
        const char *sent, *got;
    } rows[] = {
        { "2.55", "2.55" },
        { "0.1", "0.1" },
        { "-1234567890123.45", "-1234567890123.45" },
        { "1234567890123456.78", "\"1234567890123456.78\"" },
        { "0.12345678901234567", "\"0.12345678901234567\"" },
        { "9223372036854775807", "9223372036854775807" },
        { "9223372036854775808", "\"9223372036854775808\"" },
        { "-99999999999999999999999999999999999999", "\"-99999999999999999999999999999999999999\"" },
        { "\"1234567890123456.78\"", "\"1234567890123456.78\"" },
        { "\"a \\\" 1234567890123456.78\"", "\"a \\\" 1234567890123456.78\"" },
        { "{\"$dec\":\"2.50\"}", "{\"$dec\":\"2.50\"}" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char body[128], wanted[128];
        snprintf(body, sizeof body, "{\"n\":%s,\"m\":[%s]}", rows[i].sent, rows[i].sent);
        snprintf(wanted, sizeof wanted, "{\"n\":%s,\"m\":[%s]}", rows[i].got, rows[i].got);
        assert_int_equal(open_tool("\"route\":\"GET /x\""), 0);
        run("t", "{}");
        fake_answer(200, body);
        assert_int_equal(fake.err, 0);
        assert_string_equal(fake.result, wanted);
        end();
    }
}

/* Where a service says inside a 200 whether it went wrong, half an answer says nothing. */
static void test_write_without_a_word(void **state)
{
    static const char *const cut[] = { "", "{", "{\"result\":", "<html>", "{\"result\":7" };
    (void)state;
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
        open_file(books_path);
        fake.function = functions;
        run("create_order", "{\"customer_id\":7}");
        fake_answer(200, cut[i]);
        finished(COGENT_UNKNOWN, "may or may not");
        assert_int_equal(fake.n_requests, 1);
        run("list_orders", "{}"); /* of a read it is only wrong */
        fake_answer(200, cut[i]);
        finished(*cut[i] ? COGENT_UPSTREAM : COGENT_NOT_FOUND, "");
        end();
    }
}

/* --- pages --- */

static void test_pages(void **state)
{
    (void)state;
    open_file(erp_path);
    run("list_invoices", "{\"customer_id\":\"c1\",\"from\":\"2026-01-01\"}");
    assert_string_equal(
        fake_last()->url,
        "http://10.0.0.7:8000/api/v1/invoices?customer_id=c1&date_from=2026-01-01&limit=2&offset=0");
    fake_answer(200, "{\"items\":[{\"id\":1,\"customer\":{\"id\":\"c1\"}},{\"id\":2}]}");
    assert_non_null(strstr(fake_last()->url, "limit=2&offset=2"));
    fake_answer(200, "{\"items\":[{\"id\":3}]}");
    finished(0, "{\"items\":[{\"id\":1,\"customer\":\"c1\"},{\"id\":2},{\"id\":3}],\"more\":false}");

    run("list_invoices", "{}"); /* up to max, which lies within a page */
    for (int i = 0; i < 3; i++)
        fake_answer(200, "{\"items\":[{\"id\":1},{\"id\":2}]}");
    finished(0, "{\"items\":[{\"id\":1},{\"id\":2},{\"id\":1},{\"id\":2},{\"id\":1}],\"more\":true}");

    run("list_invoices", "{}");
    fake_answer(200, "{\"items\":[]}");
    finished(0, "{\"items\":[],\"more\":false}");
    run("list_invoices", "{}");
    fake_answer(200, "{\"items\":{}}");
    finished(COGENT_UPSTREAM, "not a list");
    run("list_invoices", "{}"); /* a page that fails fails the call */
    fake_answer(200, "{\"items\":[{\"id\":1},{\"id\":2}]}");
    fake_answer(500, "");
    finished(COGENT_UPSTREAM, "500");
    end();
}

static void test_cursor(void **state)
{
    (void)state;
    assert_int_equal(
        open_tool("\"route\":\"GET /x\",\"query\":{\"c\":\"{page.cursor}\",\"n\":\"{page.number}\"},"
                  "\"pages\":{\"size\":2,\"max\":10,\"next\":\"/next\"},\"result\":{\"at\":\"/rows\"}"),
        0);
    run("t", "{}");
    assert_string_equal(fake_last()->url, "http://h/api/x?n=1");
    fake_answer(200, "{\"rows\":[1],\"next\":\"a=b\"}");
    assert_string_equal(fake_last()->url, "http://h/api/x?c=a%3Db&n=2");
    fake_answer(200, "{\"rows\":[2],\"next\":null}");
    finished(0, "{\"items\":[1,2],\"more\":false}");
    run("t", "{}");
    fake_answer(200, "{\"rows\":[1],\"next\":7}");
    fake_answer(200, "{\"rows\":[1],\"next\":7}");
    finished(COGENT_UPSTREAM, "the same again");
    end();
}

static void test_link(void **state)
{
    static const char *const elsewhere[] = { "<http://evil/api/x?p=2>; rel=\"next\"", "<//evil/x>; rel=next",
                                             "<http://h.evil/x>; rel=\"next\"",
                                             "<http://h@evil/x>; rel=\"next\"", "<../x>; rel=\"next\"" };
    (void)state;
    assert_int_equal(open_tool("\"route\":\"GET /x\",\"pages\":{\"size\":2,\"max\":10,\"next\":\"link\"}"),
                     0);
    run("t", "{}");
    fake_answer_header(200, "[1,2]", "link",
                       "<http://h/api/x?p=0>; rel=\"prev\", <http://h/api/x?p=2>; title=\"a\"; rel=\"next\"");
    assert_string_equal(fake_last()->url, "http://h/api/x?p=2");
    fake_answer_header(200, "[3,4]", "link", "</api/x?p=3>; rel=next");
    assert_string_equal(fake_last()->url, "http://h/api/x?p=3");
    fake_answer_header(200, "[5]", "link", "</api/x?p=1>; rel=\"first\"");
    finished(0, "{\"items\":[1,2,3,4,5],\"more\":false}");
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        size_t before = fake.n_requests;
        run("t", "{}");
        fake_answer_header(200, "[1,2]", "link", elsewhere[i]);
        finished(COGENT_UPSTREAM, "lies elsewhere");
        assert_int_equal(fake.n_requests, before + 1);
    }
    end();
    assert_int_equal(
        open_tool(
            "\"route\":\"GET /x\",\"pages\":{\"size\":2,\"max\":3,\"next\":\"/links/next\"},\"result\":{\"at\":\"/r\"}"),
        0);
    run("t", "{}");
    fake_answer(200, "{\"r\":[1,2],\"links\":{\"next\":\"http://h/api/x?p=2\"}}");
    assert_string_equal(fake_last()->url, "http://h/api/x?p=2");
    fake_answer(200, "{\"r\":[3,4],\"links\":{}}");
    finished(0, "{\"items\":[1,2,3],\"more\":true}");
    end();
}

/* --- attempts --- */

static void test_read_retry(void **state)
{
    (void)state;
    open_file(erp_path);
    run("get_invoice", "{\"number\":\"1\"}");
    assert_int_equal(fake_last()->flags, 0);
    fake_broken(COGENT_UNAVAILABLE, 1);
    assert_int_equal(fake.completed, 0);
    uint32_t first = fake_tick();
    assert_in_range(first, 50, 150);
    fake_answer(503, "");
    assert_in_range(fake_tick(), 100, 300);
    fake_answer(200, "{\"data\":{\"id\":1}}");
    finished(0, "{\"id\":1}");
    assert_int_equal(fake.n_requests, 3);

    run("get_invoice", "{\"number\":\"1\"}"); /* two more attempts, then it is told */
    for (int i = 0; i < 3; i++) {
        fake_broken(COGENT_UNAVAILABLE, 0);
        fake_tick();
    }
    finished(COGENT_UNAVAILABLE, "erp cannot be reached");
    assert_int_equal(fake.n_requests, 6);

    run("get_invoice", "{\"number\":\"1\"}"); /* the time is gone anyway */
    fake_broken(COGENT_TIMEOUT, 1);
    finished(COGENT_TIMEOUT, "in time");

    run("get_invoice", "{\"number\":\"1\"}"); /* no attempt beyond the deadline */
    fake.now += 19990000;
    fake_broken(COGENT_UNAVAILABLE, 0);
    finished(COGENT_UNAVAILABLE, "reached");
    assert_non_null(strstr(fake.log, "service erp, tool get_invoice"));
    end();
}

#define CREATE "{\"customer_id\":\"1\",\"line_items\":[]}"
#define MADE   "{\"data\":{\"id\":\"u\",\"number\":\"1\"}}"

static void test_write_header(void **state)
{
    (void)state;
    open_file(erp_path);
    run("create_invoice", CREATE); /* sent, not answered: the key lets us ask again */
    assert_int_equal(fake_last()->flags, COGENT_HTTP_ONCE);
    fake_broken(COGENT_TIMEOUT, 1);
    assert_true(fake_tick() > 0);
    assert_string_equal(fake.requests[0].body, fake.requests[1].body);
    assert_non_null(strstr(fake_last()->headers, "k2345678901234567890123456789"));
    fake_answer(201, MADE);
    finished(0, "{\"id\":\"u\",\"number\":\"1\"}");

    run("create_invoice", CREATE); /* a doubt that nothing settles */
    fake_broken(COGENT_UPSTREAM, 1);
    fake_tick();
    fake_broken(COGENT_UNAVAILABLE, 0);
    fake_tick();
    fake_broken(COGENT_UNAVAILABLE, 0);
    finished(COGENT_UNKNOWN, "may or may not");

    run("create_invoice", CREATE); /* a conflict says nothing about the first attempt */
    fake_broken(COGENT_TIMEOUT, 1);
    fake_tick();
    fake_answer(409, "{\"detail\":\"in progress\"}");
    finished(COGENT_UNKNOWN, "may or may not");

    run("create_invoice", CREATE); /* but the kept refusal does */
    fake_answer(504, "");
    fake_tick();
    fake_answer(422, "{\"detail\":\"no lines\"}");
    finished(COGENT_INVALID, "no lines");

    run("create_invoice", CREATE);
    fake_answer(409, "{\"detail\":\"period closed\"}");
    finished(COGENT_CONFLICT, "period closed");
    end();
}

static void test_write_never(void **state)
{
    static const int errs[] = { COGENT_TIMEOUT, COGENT_UNAVAILABLE, COGENT_UPSTREAM };
    static const char members[] =
        "\"route\":\"POST /x\",\"effect\":\"write\",\"once\":\"never\",\"result\":{\"at\":\"/data\"}";
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(open_tool(members), 0);
        run("t", "{}");
        fake_broken(errs[i], 1);
        finished(COGENT_UNKNOWN, "may or may not");
        assert_int_equal(fake.n_requests, 1);
        end();
    }
    assert_int_equal(open_tool(members), 0);
    run("t", "{}"); /* nothing was sent: once more is safe */
    fake_broken(COGENT_UNAVAILABLE, 0);
    assert_true(fake_tick() > 0);
    fake_broken(COGENT_TIMEOUT, 1);
    finished(COGENT_UNKNOWN, "may or may not");
    run("t", "{}"); /* a gateway that got no answer */
    fake_answer(504, "");
    finished(COGENT_UNKNOWN, "may or may not");
    run("t", "{}");
    fake_answer(503, "");
    finished(COGENT_UNAVAILABLE, "503");
    run("t", "{}");
    fake_answer(500, "");
    finished(COGENT_UPSTREAM, "500");
    run("t", "{}"); /* it was done, though nothing can be made of the answer */
    fake_answer(200, "OK");
    finished(0, "{\"done\":true}");
    run("t", "{}");
    fake_answer(204, "");
    finished(0, "{\"done\":true}");
    end();
}

static void test_cancel(void **state)
{
    (void)state;
    open_file(erp_path);
    run("get_invoice", "{\"number\":\"1\"}");
    fake_broken(COGENT_UNAVAILABLE, 0);
    fake_cancel();
    assert_int_equal(fake.completed, 0);
    fake.refuse_send = 1;
    run("get_invoice", "{\"number\":\"1\"}");
    finished(COGENT_INTERNAL, "sent");
    end();
}

/* --- memory --- */

static long until_failure = -1;

static void *allocate(size_t size)
{
    return until_failure >= 0 && until_failure-- == 0 ? NULL : malloc(size);
}

/* Fails the n-th allocation of jansson: what is sent is whole or is not sent. Returns whether it was reached. */
static int run_without(long n, const char *declaration, const char *tool, const char *args, const char *body,
                       const char *reply)
{
    fake_reset();
    asker_reset();
    fake.function = NULL;
    until_failure = n;
    int err = toolset->open(&fake_host, cogent_str(declaration), &self, error, sizeof error);
    if (!err) {
        run(tool, args);
        if (fake.n_requests)
            assert_string_equal(fake_last()->body, body);
        fake_answer(200, reply);
        assert_int_equal(fake.completed, 1);
        if (fake.n_requests && find(tool)->effect == COGENT_WRITE)
            assert_int_equal(fake.err, 0);
        toolset->close(self);
    }
    int reached = until_failure < 0;
    until_failure = -1;
    return reached;
}

static void test_no_memory(void **state)
{
    static const char args[] =
        "{\"customer_id\":\"17850\",\"line_items\":[{\"item_id\":\"8\",\"quantity\":6,\"unit_price\":\"2.55\"}]}";
    static const char orders[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"order.search_read\",\"params\":[[[\"party\",\"=\",7],"
        "[\"state\",\"=\",\"done\"]],0,100,[\"id\",\"number\"]]}";
    json_t *files[] = { json_load_file(erp_path, 0, NULL), json_load_file(books_path, 0, NULL) };
    char *erp = json_dumps(files[0], 0), *books = json_dumps(files[1], 0);
    long n = 0;
    (void)state;
    while (run_without(n, erp, "create_invoice", args, args, MADE))
        n++;
    assert_true(n > 100);
    for (n = 0; run_without(n, books, "list_orders", "{\"customer_id\":7,\"state\":\"done\"}", orders,
                            "{\"result\":[{\"id\":1}]}");)
        n++;
    assert_true(n > 100);
    free(erp);
    free(books);
    json_decref(files[0]);
    json_decref(files[1]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_erp),
        cmocka_unit_test(test_example),
        cmocka_unit_test(test_wrong_declarations),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_invalid_calls),
        cmocka_unit_test(test_auth_and_base),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_long_words),
        cmocka_unit_test(test_rpc),
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_write_without_a_word),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_cursor),
        cmocka_unit_test(test_link),
        cmocka_unit_test(test_read_retry),
        cmocka_unit_test(test_write_header),
        cmocka_unit_test(test_write_never),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_nil),
        cmocka_unit_test(test_no_memory),
    };
    const struct cogent_plugin *plugin = argc > 3 ? fake_load(argv[1]) : NULL;
    if (!plugin || !plugin->toolsets)
        return 1;
    json_set_alloc_funcs(allocate, free);
    toolset = plugin->toolsets[0];
    erp_path = argv[2];
    books_path = argv[3];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
