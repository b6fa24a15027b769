/* SPDX-License-Identifier: Apache-2.0
 * tool_http: whose rights a call has. Sessions shared, renewed and handed on, tokens by OAuth 2, the user's own
 * credentials, and that none of them stays where it should not. argv: the plugin.
 */
#include "fake_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CALLS = 4 };

static const struct cogent_toolset *toolset;
static const struct cogent_host *host = &fake_host;
static void *self;
static struct cogent_call calls[CALLS];
static struct cogent_asker askers[CALLS];
static char error[512];

/* --- the askers --- */

static const char *tenant_field(const struct cogent_asker *asker, const char *name)
{
    (void)asker;
    return strcmp(name, "db") == 0 ? "live" : NULL;
}

static int no_secrets;

static const char *secret(const struct cogent_asker *asker, const char *name)
{
    (void)asker;
    return no_secrets                            ? NULL
           : strcmp(name, "books_user") == 0     ? "svc-cogent"
           : strcmp(name, "books_password") == 0 ? "pass-Word-9"
           : strcmp(name, "client") == 0         ? "cli ent:1"
           : strcmp(name, "client_secret") == 0  ? "s%cret+8"
                                                 : NULL;
}

static const char *handed_value;

static const char *handed(const struct cogent_asker *asker, const char *service)
{
    (void)asker;
    return strcmp(service, "books") == 0 ? handed_value : NULL;
}

static void reset(void)
{
    fake_reset();
    host = &fake_host;
    no_secrets = 0;
    handed_value = NULL;
    for (size_t i = 0; i < CALLS; i++)
        askers[i] = (struct cogent_asker){ .size = sizeof askers[i],
                                           .tenant = "acme",
                                           .user = "u1",
                                           .authorization = "Bearer user-token-1",
                                           .tenant_field = tenant_field,
                                           .secret = secret,
                                           .tenant_fields = "{}",
                                           .handed = handed };
}

/* --- services --- */

#define TOOLS                                                                                                  \
    ",\"tools\":{\"list\":{\"about\":\"x\",\"permission\":\"p\",\"effect\":\"read\",\"call\":\"order.list\","  \
    "\"params\":[\"{page.offset}\",\"{page.size}\"],\"pages\":{\"size\":2,\"max\":6}},"                        \
    "\"get\":{\"about\":\"x\",\"permission\":\"p\",\"effect\":\"read\",\"call\":\"order.get\",\"params\":[]}," \
    "\"make\":{\"about\":\"x\",\"permission\":\"p\",\"effect\":\"write\",\"once\":\"never\",\"call\":"         \
    "\"order.create\",\"params\":[]}}}"
#define RPC                                                                                                   \
    "{\"service\":\"books\",\"base\":\"http://books\",\"route\":\"POST /rpc\",\"body\":{\"method\":"          \
    "\"{tool.call}\",\"params\":\"{tool.params}\"},\"result\":{\"at\":\"/result\"},\"errors\":{\"at\":"       \
    "\"/error\",\"code\":\"/error/name\",\"message\":\"/error/message\",\"map\":{\"AccessError\":\"denied\"," \
    "\"Expired\":\"auth\"}},\"timeout\":15,\"retry\":1,\"auth\":"
#define LOGIN                                                                                                \
    "{\"login\":{\"call\":\"session.open\",\"params\":[\"{tenant.db}\",\"{secret.books_user}\","             \
    "\"{secret.books_password}\"]},\"header\":\"Authorization\",\"value\":{\"$fn\":\"value\",\"secrets\":"   \
    "[\"books_user\"]}}"
#define OPENED "{\"result\":{\"token\":\"sess-TOKEN-%d\",\"uid\":7}}"

static void open_text(const char *text)
{
    error[0] = '\0';
    self = NULL;
    if (toolset->open(host, cogent_str(text), &self, error, sizeof error) != 0)
        fail_msg("%s: %s", error, text);
}

static void open_books(const char *auth)
{
    char text[4096];
    reset();
    snprintf(text, sizeof text, "%s%s%s", RPC, auth, TOOLS);
    open_text(text);
}

/* "Session <user>:<token>", as the manual's function makes it. */
static const char *functions(const char *reference, json_t *arg)
{
    static char out[512];
    json_t *login = json_object_get(arg, "login"), *secrets = json_object_get(arg, "secret");
    if (strcmp(reference, "peek") == 0) { /* outside auth: nothing of all that is given */
        assert_null(login);
        assert_null(secrets);
        assert_null(json_object_get(json_object_get(arg, "user"), "credential"));
        return "[1]";
    }
    if (strcmp(reference, "handed") == 0) {
        snprintf(out, sizeof out, "\"sid=%s\"",
                 json_string_value(json_object_get(json_object_get(arg, "user"), "credential")));
        return out;
    }
    if (strcmp(reference, "account") == 0) {
        const char *user = json_string_value(json_object_get(secrets, "books_user"));
        snprintf(out, sizeof out, "\"Key %s\"", user ? user : "");
        return user ? out : NULL; /* as Lua, which joins no nil */
    }
    if (strcmp(reference, "value") != 0)
        return NULL;
    snprintf(out, sizeof out, "\"Session %s:%s\"", json_string_value(json_object_get(secrets, "books_user")),
             json_string_value(json_object_get(login, "token")));
    return out;
}

/* --- calls --- */

static void start(size_t i, const char *name)
{
    const struct cogent_tool *tool = NULL;
    for (size_t t = 0; t < toolset->count(self); t++)
        if (strcmp(toolset->get(self, t)->name, name) == 0)
            tool = toolset->get(self, t);
    assert_non_null(tool);
    calls[i] = (struct cogent_call){ .size = sizeof calls[i],
                                     .host = host,
                                     .tool = tool,
                                     .op = { 1, (uint32_t)i + 1 },
                                     .args = cogent_str("{}"),
                                     .asker = &askers[i],
                                     .effect_key = tool->effect ? "k2345678901234567890123456789" : "",
                                     .deadline_ms = 20000 };
    fake.call = &calls[i];
    fake.completed = 0;
    fake.err = 1;
    tool->call(&calls[i]);
}

static void ended(int err, const char *words)
{
    if (fake.completed != 1 || fake.err != err || !strstr(err ? fake.message : fake.result, words))
        fail_msg("completed %d, %s: %s%s", fake.completed, cogent_err_name(fake.err), fake.message,
                 fake.result);
}

static void close_service(void)
{
    assert_int_equal(fake_live(), 0);
    assert_null(strstr(fake.log, "TOKEN"));
    assert_null(strstr(fake.log, "pass-Word"));
    assert_null(strstr(fake.log, "user-token"));
    toolset->close(self);
    self = NULL;
}

static void answer_login(int n)
{
    char body[128];
    assert_non_null(strstr(fake_last()->body, "session.open"));
    snprintf(body, sizeof body, OPENED, n);
    fake_answer(200, body);
}

static void holds(const char *text, const char *piece)
{
    if (!strstr(text, piece))
        fail_msg("%s: there is no %s", text, piece);
}

/* --- sessions --- */

static void test_login_is_made_once(void **state)
{
    (void)state;
    open_books(LOGIN);
    fake.function = functions;
    start(0, "get");
    assert_string_equal(fake_last()->body,
                        "{\"method\":\"session.open\",\"params\":[\"live\",\"svc-cogent\",\"pass-Word-9\"]}");
    assert_null(strstr(fake_last()->headers, "Authorization"));
    start(1, "get"); /* they wait for the same login */
    start(2, "make");
    assert_int_equal(fake.n_requests, 1);
    answer_login(1);
    assert_int_equal(fake.n_requests, 4);
    for (size_t i = 1; i < 4; i++) {
        holds(fake.requests[i].headers, "Authorization: Session svc-cogent:sess-TOKEN-1\n");
        assert_null(strstr(fake.requests[i].body, "pass-Word"));
        fake_choose(i);
        fake_answer(200, "{\"result\":{\"id\":1}}");
    }
    assert_int_equal(fake.completed, 3);
    start(3, "get"); /* and those who come later have it */
    assert_int_equal(fake.n_requests, 5);
    fake_answer(200, "{\"result\":{\"id\":1}}");
    ended(0, "{\"id\":1}");
    close_service();
}

static void test_a_dropped_session_is_renewed(void **state)
{
    static const struct {
        int status;
        const char *body;
    } refusals[] = { { 401, "" },
                     { 200, "{\"error\":{\"name\":\"Expired\",\"message\":\"sess-TOKEN-1\"}}" } };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        open_books(LOGIN);
        fake.function = functions;
        start(0, "list");
        answer_login(1);
        holds(fake_last()->body, "[0,2]");
        fake_answer(200, "{\"result\":[1,2]}");
        holds(fake_last()->body, "[2,2]");
        fake_answer(refusals[i].status, refusals[i].body); /* in the middle of the list */
        answer_login(2);
        holds(fake_last()->body, "[2,2]");
        holds(fake_last()->headers, "sess-TOKEN-2");
        fake_answer(200, "{\"result\":[3,4]}");
        fake_answer(refusals[i].status, refusals[i].body); /* each page may */
        answer_login(3);
        holds(fake_last()->body, "[4,2]");
        fake_answer(200, "{\"result\":[5]}");
        ended(0, "{\"items\":[1,2,3,4,5],\"more\":false}");

        start(0, "make"); /* a write, too: nothing was done */
        fake_answer(refusals[i].status, refusals[i].body);
        answer_login(4);
        fake_answer(200, "{\"result\":{\"id\":9}}");
        ended(0, "{\"id\":9}");

        start(0, "get"); /* but not for ever */
        fake_answer(refusals[i].status, refusals[i].body);
        answer_login(5);
        fake_answer(refusals[i].status, refusals[i].body);
        ended(COGENT_AUTH, "books answered");
        close_service();
    }
}

/* Two were refused with the old session: one login. A refusal that comes late does not cost the new one. */
static void test_two_renew_once(void **state)
{
    (void)state;
    open_books(LOGIN);
    fake.function = functions;
    start(0, "get");
    start(1, "get");
    start(2, "get");
    answer_login(1);
    fake_choose(1);
    fake_answer(401, "");
    fake_choose(2);
    fake_answer(401, "");
    assert_int_equal(fake.n_requests, 5); /* a login, three calls, a login */
    answer_login(2);
    assert_int_equal(fake.n_requests, 7);
    fake_choose(3);
    fake_answer(401, "");
    assert_int_equal(fake.n_requests, 8);
    holds(fake_last()->headers, "sess-TOKEN-2");
    for (size_t i = 5; i < 8; i++) {
        fake_choose(i);
        fake_answer(200, "{\"result\":{\"id\":1}}");
    }
    assert_int_equal(fake.completed, 3);
    close_service();
}

static void test_a_refused_login(void **state)
{
    (void)state;
    open_books(LOGIN);
    fake.function = functions;
    start(0, "get");
    start(1, "make");
    fake_answer(200, "{\"error\":{\"name\":\"AccessError\",\"message\":\"wrong password pass-Word-9\"}}");
    assert_int_equal(fake.completed, 2);
    assert_int_equal(fake.err, COGENT_AUTH);
    holds(fake.message, "its login was refused");
    assert_null(strstr(fake.message, "pass-Word"));
    size_t before = fake.n_requests;
    start(0, "get"); /* an account is not locked by us */
    ended(COGENT_AUTH, "refused");
    assert_int_equal(fake.n_requests, before);
    fake.now += 6000000;
    start(0, "get");
    answer_login(1);
    fake_answer(200, "{\"result\":1}");
    ended(0, "1");
    close_service();
}

static void test_a_login_without_an_answer(void **state)
{
    (void)state;
    open_books(LOGIN);
    fake.function = functions;
    start(0, "make");
    fake_broken(COGENT_UNAVAILABLE, 1);
    assert_int_equal(fake.completed, 0);
    assert_true(fake_tick() > 0);
    fake_answer(503, "");
    ended(COGENT_UNAVAILABLE, "its login"); /* not unknown: the write itself was never sent */
    start(0, "make");
    fake_broken(COGENT_TIMEOUT, 1);
    ended(COGENT_TIMEOUT, "in time");
    start(0, "get"); /* an answer that gives nothing */
    fake_answer(200, "{\"result\":null}");
    fake_tick();
    fake_answer(500, "");
    ended(COGENT_UNAVAILABLE, "its login");
    fake.refuse_send = 1;
    start(0, "get");
    ended(COGENT_INTERNAL, "could not be sent");
    close_service();
}

static void test_the_first_one_leaves(void **state)
{
    (void)state;
    open_books(LOGIN);
    fake.function = functions;
    start(0, "get");
    start(1, "get");
    start(2, "get");
    fake_cancel_call(&calls[1]); /* of the middle: nothing changes */
    assert_int_equal(fake.n_requests, 1);
    fake_cancel_call(&calls[0]); /* with it went the login: the next makes its own */
    assert_int_equal(fake.n_requests, 2);
    answer_login(1);
    fake_answer(200, "{\"result\":1}");
    assert_int_equal(fake.completed, 1);
    assert_ptr_equal(fake.finished, &calls[2]);
    close_service();
    open_books(LOGIN);
    start(0, "get");
    fake_cancel(); /* nobody is left */
    start(1, "get");
    assert_int_equal(fake.n_requests, 2);
    fake_cancel();
    close_service();
}

static void test_waiting_has_an_end(void **state)
{
    (void)state;
    open_books(LOGIN);
    fake.function = functions;
    start(0, "get");
    fake.now += 10000000;
    start(1, "make");
    assert_true(fake_tick() > 0); /* its time is over */
    ended(COGENT_TIMEOUT, "its login did not answer in time");
    assert_ptr_equal(fake.finished, &calls[1]);
    fake_cancel_call(&calls[0]);
    close_service();
}

static void test_tenants_share_nothing(void **state)
{
    (void)state;
    open_books(LOGIN);
    fake.function = functions;
    askers[1].tenant = "other";
    start(0, "get");
    start(1, "get");
    assert_int_equal(fake.n_requests, 2);
    fake_choose(0);
    fake_answer(200, "{\"result\":{\"token\":\"sess-TOKEN-a\"}}");
    fake_choose(1);
    fake_answer(200, "{\"result\":{\"token\":\"sess-TOKEN-b\"}}");
    holds(fake.requests[2].headers, "TOKEN-a");
    holds(fake.requests[3].headers, "TOKEN-b");
    fake_cancel_call(&calls[0]);
    fake_cancel_call(&calls[1]);
    close_service();
}

/* A REST login, a text as its result, and a session that stands in the body instead of a header. */
static void test_other_logins(void **state)
{
    (void)state;
    reset();
    open_text(
        "{\"service\":\"books\",\"base\":\"http://books\",\"auth\":{\"login\":{\"route\":\"POST /login\",\"form\":"
        "{\"u\":\"{secret.books_user}\",\"p\":\"{secret.books_password}\"},\"result\":{\"at\":\"/sid\"}},\"header\":"
        "\"Cookie\",\"value\":\"sid={login.value}\"},\"tools\":{\"get\":{\"about\":\"x\",\"permission\":\"p\",\"route\":"
        "\"GET /a\"}}}");
    start(0, "get");
    assert_string_equal(fake_last()->url, "http://books/login");
    assert_string_equal(fake_last()->body, "u=svc-cogent&p=pass-Word-9");
    fake_answer(200, "{\"sid\":\"sess-TOKEN-1\"}");
    holds(fake_last()->headers, "Cookie: sid=sess-TOKEN-1\n");
    fake_answer(400, "{\"detail\":\"x\"}");
    ended(COGENT_INVALID, "books");
    close_service();

    reset();
    open_text(
        "{\"service\":\"books\",\"base\":\"http://books\",\"route\":\"POST /rpc\",\"auth\":{\"login\":{\"body\":"
        "{\"login\":\"{secret.books_user}\"}}},\"body\":{\"uid\":\"{login.uid}\",\"key\":\"{secret.books_password}\","
        "\"call\":\"{tool.call}\",\"more\":{\"$fn\":\"peek\"}},\"errors\":{\"message\":\"/m\"},\"tools\":{\"get\":"
        "{\"about\":\"x\",\"permission\":\"p\",\"effect\":\"read\",\"call\":\"c\"}}}");
    fake.function = functions;
    start(0, "get");
    assert_string_equal(fake_last()->body, "{\"login\":\"svc-cogent\"}");
    fake_answer(200, "{\"uid\":7,\"session\":\"sess-TOKEN-1\"}");
    assert_string_equal(fake_last()->body, "{\"uid\":7,\"key\":\"pass-Word-9\",\"call\":\"c\",\"more\":[1]}");
    fake_answer(400, "{\"m\":\"sess-TOKEN-1 and pass-Word-9 are wrong\"}");
    ended(COGENT_INVALID, "*** and *** are wrong");
    close_service();
}

/* Some put the session into a cookie, and nowhere else. */
static void test_a_session_in_a_cookie(void **state)
{
    static const struct {
        int status;
        const char *body, *set, *sent;
    } rows[] = {
        { 200, "{\"message\":\"Logged In\"}", "sid=sess-TOKEN-1; Path=/; HttpOnly",
          "Cookie: sid=sess-TOKEN-1\n" },
        { 204, "", "sid=sess-TOKEN-2", "Cookie: sid=sess-TOKEN-2\n" },
        { 200, "{\"cookie\":\"own=sess-TOKEN-3\"}", "sid=x", "Cookie: own=sess-TOKEN-3\n" },
        { 200, "{\"message\":\"Logged In\"}", "odd; Path=/", NULL },
        { 204, "", "", NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        reset();
        open_text(
            "{\"service\":\"books\",\"base\":\"http://books\",\"auth\":{\"login\":{\"route\":\"POST /login\",\"form\":"
            "{\"usr\":\"{secret.books_user}\"}},\"header\":\"Cookie\",\"value\":\"{login.cookie}\"},\"tools\":{\"get\":"
            "{\"about\":\"x\",\"permission\":\"p\",\"route\":\"GET /a\",\"retry\":0}}}");
        start(0, "get");
        fake_answer_header(rows[i].status, rows[i].body, "Set-Cookie", rows[i].set);
        if (rows[i].sent)
            holds(fake_last()->headers, rows[i].sent);
        else
            assert_int_equal(fake.completed, 1);
        if (rows[i].sent)
            fake_cancel();
        close_service();
    }
}

/* --- OAuth 2 --- */

#define OAUTH2                                                                                               \
    "{\"oauth2\":\"https://login/token\",\"id\":\"{secret.client}\",\"secret\":\"{secret.client_secret}\","  \
    "\"scope\":\"books.read books.write\",\"as\":"

static void test_token_for_the_service(void **state)
{
    (void)state;
    open_books(OAUTH2 "\"service\"}");
    start(0, "get");
    start(1, "get");
    assert_int_equal(fake.n_requests, 1);
    assert_string_equal(fake_last()->url, "https://login/token");
    assert_string_equal(fake_last()->method, "POST");
    assert_string_equal(fake_last()->body, "grant_type=client_credentials&scope=books.read%20books.write");
    /* cli%20ent%3A1:s%25cret%2B8 */
    holds(fake_last()->headers, "Authorization: Basic Y2xpJTIwZW50JTNBMTpzJTI1Y3JldCUyQjg=\n");
    holds(fake_last()->headers, "Content-Type: application/x-www-form-urlencoded\n");
    assert_null(strstr(fake_last()->headers, "user-token"));
    fake_answer(200, "{\"access_token\":\"acc-TOKEN-1\",\"token_type\":\"Bearer\",\"expires_in\":3600}");
    holds(fake.requests[1].headers, "Authorization: Bearer acc-TOKEN-1\n");
    holds(fake.requests[2].headers, "Authorization: Bearer acc-TOKEN-1\n");
    fake_answer(200, "{\"result\":1}");
    fake_choose(1);
    fake_answer(200, "{\"result\":1}");
    fake.now += INT64_C(3560) * 1000000; /* still good, and then a little early */
    start(0, "get");
    assert_int_equal(fake.n_requests, 4);
    fake_answer(200, "{\"result\":1}");
    fake.now += INT64_C(11) * 1000000;
    start(0, "get");
    assert_string_equal(fake_last()->url, "https://login/token");
    fake_answer(200, "{\"access_token\":\"acc-TOKEN-2\",\"expires_in\":\"60\"}");
    fake_answer(401, ""); /* revoked */
    assert_string_equal(fake_last()->url, "https://login/token");
    fake_answer(200, "{\"access_token\":\"acc-TOKEN-3\"}");
    holds(fake_last()->headers, "acc-TOKEN-3");
    fake_answer(200, "{\"error\":{\"name\":\"AccessError\",\"message\":\"no acc-TOKEN-3\"}}");
    ended(COGENT_DENIED, "no ***");
    close_service();
}

static void test_token_for_the_user(void **state)
{
    static const struct {
        int status;
        const char *body;
        int err;
    } rows[] = {
        { 400, "{\"error\":\"invalid_grant\"}", COGENT_AUTH },
        { 401, "", COGENT_AUTH },
        { 200, "{\"token\":\"x\"}", COGENT_UNAVAILABLE },
        { 200, "{", COGENT_UNAVAILABLE },
        { 200, "{\"access_token\":\"\"}", COGENT_UNAVAILABLE },
        { 500, "", COGENT_UNAVAILABLE },
        { 429, "", COGENT_LIMIT },
    };
    (void)state;
    open_books(OAUTH2 "\"user\",\"audience\":\"books\"}");
    assert_string_equal(toolset->get(self, 0)->as, "user");
    askers[1].authorization = "Bearer user-token-2";
    start(0, "get");
    assert_string_equal(
        fake_last()->body,
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=user-token-1"
        "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token"
        "&requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token"
        "&scope=books.read%20books.write&audience=books");
    start(1, "get"); /* another's is another */
    assert_int_equal(fake.n_requests, 2);
    holds(fake_last()->body, "subject_token=user-token-2");
    fake_answer(200, "{\"access_token\":\"acc-TOKEN-2\",\"expires_in\":300}");
    holds(fake_last()->headers, "acc-TOKEN-2");
    fake_choose(0);
    fake_answer(200, "{\"access_token\":\"acc-TOKEN-1\",\"expires_in\":300}");
    holds(fake_last()->headers, "acc-TOKEN-1");
    fake_cancel_call(&calls[0]);
    fake_cancel_call(&calls[1]);
    askers[2].authorization = NULL;
    start(2, "get");
    ended(COGENT_AUTH, "the user's own credential");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char token[32];
        snprintf(token, sizeof token, "Bearer user-token-x%zu", i);
        askers[3].authorization = token;
        start(3, "get");
        fake_answer(rows[i].status, rows[i].body);
        while (!fake.completed && fake_tick() && !fake.completed)
            fake_answer(rows[i].status, rows[i].body);
        ended(rows[i].err, "books");
    }
    close_service();
}

/* So many users, and the memory does not grow: the oldest is asked for anew. */
static void test_tokens_are_bounded(void **state)
{
    char token[64], first[] = "Bearer user-token-first";
    (void)state;
    open_books(OAUTH2 "\"user\"}");
    for (int i = 0; i < 400; i++) {
        snprintf(token, sizeof token, "Bearer user-token-%d", i);
        askers[0].authorization = i ? token : first;
        fake.n_requests = 0;
        start(0, "get");
        holds(fake_last()->url, "login/token");
        fake_answer(200, "{\"access_token\":\"acc-TOKEN\",\"expires_in\":86000}");
        fake_answer(200, "{\"result\":1}");
        ended(0, "1");
        fake.now += 1000;
    }
    fake.n_requests = 0;
    start(0, "get"); /* the last one is kept */
    assert_string_equal(fake_last()->url, "http://books/rpc");
    fake_answer(200, "{\"result\":1}");
    fake.n_requests = 0;
    askers[0].authorization = first;
    start(0, "get");
    holds(fake_last()->url, "login/token");
    fake_cancel();
    close_service();
}

/* --- the user's own --- */

static void test_handed(void **state)
{
    (void)state;
    open_books("\"handed\"");
    assert_string_equal(toolset->get(self, 0)->as, "handed");
    start(0, "get");
    ended(COGENT_AUTH, "Cogent-Credential: books VALUE");
    handed_value = "own-TOKEN-1";
    start(0, "get");
    holds(fake_last()->headers, "Authorization: Bearer own-TOKEN-1\n");
    fake_answer(200, "{\"error\":{\"name\":\"AccessError\",\"message\":\"not own-TOKEN-1\"}}");
    ended(COGENT_DENIED, "not ***");
    handed_value = "Basic b3duLVRPS0VO";
    start(0, "get");
    holds(fake_last()->headers, "Authorization: Basic b3duLVRPS0VO\n");
    fake_cancel();
    askers[0].size = offsetof(struct cogent_asker, handed); /* an older engine */
    start(0, "get");
    ended(COGENT_AUTH, "Cogent-Credential");
    close_service();

    open_books("{\"handed\":true,\"header\":\"Cookie\",\"value\":\"sid={user.credential}\"}");
    handed_value = "own-TOKEN-1";
    start(0, "get");
    holds(fake_last()->headers, "Cookie: sid=own-TOKEN-1\n");
    fake_cancel();
    close_service();

    open_books("{\"handed\":true,\"header\":\"Cookie\",\"value\":{\"$fn\":\"handed\"}}");
    fake.function = functions;
    handed_value = "own-TOKEN-1";
    start(0, "get");
    holds(fake_last()->headers, "Cookie: sid=own-TOKEN-1\n");
    fake_cancel();
    close_service();
}

static void test_a_token_goes_only_where_it_belongs(void **state)
{
    static const struct {
        const char *audience, *issuer, *said;
        int goes;
    } rows[] = {
        { NULL, NULL, NULL, 1 },
        { NULL, "https://login", NULL, 1 },
        { "[\"books\"]", NULL, NULL, 1 },
        { "[\"cogent\",\"books\"]", NULL, NULL, 1 },
        { "[\"http://books\"]", NULL, NULL, 1 },
        { "[\"http://books/\"]", NULL, NULL, 1 },
        { "[\"cogent\"]", "https://login", "https://login", 1 },
        { "[\"cogent\"]", NULL, NULL, 0 },
        { "[\"cogent\"]", "https://login", NULL, 0 },
        { "[\"cogent\"]", "https://login", "https://other", 0 },
        { "[\"cogent\"]", NULL, "https://login", 0 },
        { "[\"cogent\"]", "", "https://login", 0 },
        { "[]", NULL, NULL, 0 },
        { "[\"Books\",\"book\",\"bookss\",\"\",\"/\",7]", NULL, NULL, 0 },
        { "[\"http://books.evil\"]", NULL, NULL, 0 },
        { "not json", NULL, NULL, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char auth[200];
        snprintf(auth, sizeof auth, "\"caller\"%s%s%s", rows[i].said ? ",\"issuer\":\"" : "",
                 rows[i].said ? rows[i].said : "", rows[i].said ? "\"" : "");
        open_books(auth);
        askers[0].audience = rows[i].audience;
        askers[0].issuer = rows[i].issuer;
        start(0, "get");
        if (fake.n_requests != (size_t)rows[i].goes)
            fail_msg("row %zu: %s", i, fake.message);
        if (rows[i].goes)
            fake_cancel();
        else
            ended(COGENT_AUTH, "let the token's aud name \"books\"");
        close_service();
    }
    open_books("\"caller\"");
    askers[0].audience = "[\"cogent\"]";
    askers[0].size = offsetof(struct cogent_asker, issuer); /* an older engine says nothing of it */
    start(0, "get");
    assert_int_equal(fake.n_requests, 1);
    fake_cancel();
    close_service();
}

static void test_a_function_makes_the_header(void **state)
{
    (void)state;
    open_books("{\"header\":\"X-Key\",\"value\":{\"$fn\":\"account\",\"secrets\":[\"books_user\"]}}");
    fake.function = functions;
    assert_string_equal(toolset->get(self, 0)->as, "service");
    start(0, "get");
    holds(fake_last()->headers, "X-Key: Key svc-cogent\n");
    fake_answer(200, "{\"error\":{\"name\":\"AccessError\",\"message\":\"Key svc-cogent has no right\"}}");
    ended(COGENT_DENIED, "*** has no right");
    no_secrets = 1;
    start(0, "get");
    ended(COGENT_INTERNAL, "a secret that is not set");
    close_service();
}

/* --- what is seen of it --- */

static void test_what_is_shown(void **state)
{
    static const char *const hidden[] = { "TOKEN", "pass-Word", "svc-cogent" };
    (void)state;
    open_books(LOGIN);
    host = &fake_watched_host;
    fake.function = functions;
    start(0, "list");
    answer_login(1);
    fake_answer(200, "{\"result\":[1,2],\"you\":\"svc-cogent sess-TOKEN-1\"}");
    fake_answer(200, "{\"result\":[3]}");
    ended(0, "[1,2,3]");
    holds(fake.told, "login {\"status\":200}\nrequest {\"method\":\"POST\",\"url\":\"http://books/rpc\"");
    holds(fake.told, "\"Authorization\":\"***\"");
    holds(fake.told, "\"params\":[2,2]");
    holds(fake.told, "reply {\"status\":200,\"body\":{\"result\":[1,2],\"you\":\"*** ***\"}}\n");
    for (size_t i = 0; i < 3; i++)
        assert_null(strstr(fake.told, hidden[i]));
    close_service();

    open_books("\"caller\"");
    host = &fake_watched_host;
    start(0, "get");
    holds(fake.told, "\"Authorization\":\"Bearer ***\"");
    fake_answer(502, "<p>user-token-1</p>");
    assert_null(strstr(fake.told, "user-token"));
    holds(fake.told, "reply {\"status\":502,\"body\":\"<p>***</p>\"}");
    fake_cancel();
    close_service();
}

/* Whoever watches may hold a request back, and ask whether a service is there without calling anything. */
static void test_held_back_and_reached(void **state)
{
    (void)state;
    open_books(LOGIN);
    host = &fake_watched_host;
    fake.function = functions;
    fake.hold_back = 1;
    start(0, "make");
    answer_login(1);
    ended(COGENT_CANCELLED, "not sent");
    assert_int_equal(fake.n_requests, 1);
    holds(fake.told, "order.create");
    close_service();

    open_books(LOGIN);
    fake.function = functions;
    fake.completed = 0;
    calls[0] = (struct cogent_call){ .size = sizeof calls[0],
                                     .host = host,
                                     .tool = toolset->get(self, 0),
                                     .op = { 1, 1 },
                                     .args = cogent_str("{}"),
                                     .asker = &askers[0],
                                     .effect_key = "",
                                     .deadline_ms = 20000 };
    fake.call = &calls[0];
    toolset->reach(self, &calls[0]);
    answer_login(1);
    assert_string_equal(fake_last()->method, "GET");
    assert_string_equal(fake_last()->url, "http://books");
    assert_string_equal(fake_last()->headers, "");
    fake_answer(404, "");
    ended(0, "{\"address\":\"http://books\",\"status\":404,\"login\":\"ok\"}");
    close_service();
}

/* --- wiping --- */

enum { HEAD = 16 };

static const char *const watched[] = { "sess-TOKEN-1", "pass-Word-9", "acc-TOKEN-1", "s%cret+8" };
static size_t leaks;
static int watching;

static void *allocate(size_t size)
{
    char *block = malloc(size + HEAD);
    if (!block)
        return NULL;
    memcpy(block, &size, sizeof size);
    return block + HEAD;
}

/* What the JSON library gives back must hold no credential any more. */
static void release(void *ptr)
{
    size_t size;
    if (!ptr)
        return;
    char *block = (char *)ptr - HEAD;
    memcpy(&size, block, sizeof size);
    for (size_t i = 0; watching && i < sizeof watched / sizeof *watched; i++)
        if (memmem(ptr, size, watched[i], strlen(watched[i])))
            leaks++;
    free(block);
}

/* As `functions`, but with nothing that stays in the test's own JSON. */
static const char *value_alone(const char *reference, json_t *arg)
{
    (void)arg;
    return strcmp(reference, "value") == 0 ? "\"Session x\"" : NULL;
}

static void test_credentials_do_not_stay(void **state)
{
    (void)state;
    open_books(
        "{\"login\":{\"call\":\"session.open\",\"params\":[\"{secret.books_user}\",\"{secret.books_password}\"]},"
        "\"header\":\"Authorization\",\"value\":\"Session {login.token}\"}");
    fake.function = value_alone;
    watching = 1;
    leaks = 0;
    start(0, "get");
    answer_login(1);
    holds(fake_last()->headers, "Session sess-TOKEN-1");
    fake_answer(401, "");
    answer_login(1);
    fake_answer(200, "{\"result\":1}");
    ended(0, "1");
    close_service();
    assert_int_equal(leaks, 0);
    open_books(OAUTH2 "\"service\"}");
    start(0, "get");
    fake_answer(200, "{\"access_token\":\"acc-TOKEN-1\",\"expires_in\":300}");
    fake_answer(200, "{\"result\":1}");
    close_service();
    watching = 0;
    assert_int_equal(leaks, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_login_is_made_once),
        cmocka_unit_test(test_a_dropped_session_is_renewed),
        cmocka_unit_test(test_two_renew_once),
        cmocka_unit_test(test_a_refused_login),
        cmocka_unit_test(test_a_login_without_an_answer),
        cmocka_unit_test(test_the_first_one_leaves),
        cmocka_unit_test(test_waiting_has_an_end),
        cmocka_unit_test(test_tenants_share_nothing),
        cmocka_unit_test(test_other_logins),
        cmocka_unit_test(test_a_session_in_a_cookie),
        cmocka_unit_test(test_token_for_the_service),
        cmocka_unit_test(test_token_for_the_user),
        cmocka_unit_test(test_tokens_are_bounded),
        cmocka_unit_test(test_handed),
        cmocka_unit_test(test_a_token_goes_only_where_it_belongs),
        cmocka_unit_test(test_a_function_makes_the_header),
        cmocka_unit_test(test_what_is_shown),
        cmocka_unit_test(test_held_back_and_reached),
        cmocka_unit_test(test_credentials_do_not_stay),
    };
    const struct cogent_plugin *plugin = argc > 1 ? fake_load(argv[1]) : NULL;
    if (!plugin || !plugin->toolsets)
        return 1;
    json_set_alloc_funcs(allocate, release);
    toolset = plugin->toolsets[0];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
