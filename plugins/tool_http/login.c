/* SPDX-License-Identifier: Apache-2.0 */
#include "login.h"

#include "common/json.h"
#include "errors.h"
#include "result.h"

#include <stdlib.h>

/* A token server that does not say how long; and how much earlier we ask again, as clocks and networks differ. */
enum { PRESET_S = 300, MARGIN_S = 30, LONGEST_S = 86400 };

static struct th_vars variables(const struct th_tool *tool, const struct cogent_call *call, json_t *none)
{
    const struct th_tool *login = tool->auth->login;
    return (struct th_vars){ .host = call->host,
                             .asker = call->asker,
                             .args = none,
                             .call_name = login ? login->call_name : NULL,
                             .params = login ? login->params : NULL,
                             .granted = tool->auth->secrets };
}

const char *th_login_method(const struct th_auth *auth)
{
    return auth->login ? auth->login->method : "POST";
}

uint32_t th_login_ms(const struct th_tool *tool)
{
    return tool->auth->login ? tool->auth->login->timeout_ms : tool->timeout_ms;
}

/* --- a token request (RFC 6749 4.4, RFC 8693 2.1) --- */

static int word(const struct th_tool *tool, const struct th_template *t, const struct th_vars *vars,
                struct cp_buf *out, struct th_problem *problem)
{
    const char *missing = NULL;
    int err = th_render_text(t, vars, TH_PLAIN, out, &missing);
    if (err == COGENT_NOT_FOUND)
        return th_problem(problem, COGENT_AUTH, "%s: what its auth names is not set: %s", tool->service->name,
                          missing);
    return err ? th_problem(problem, err, "out of memory") : 0;
}

static int field(const struct th_tool *tool, const char *name, const struct th_template *t,
                 const struct th_vars *vars, struct cp_buf *out, struct th_problem *problem)
{
    struct cp_buf text = { .secret = 1 };
    int err = t ? word(tool, t, vars, &text, problem) : 0;
    if (!err && t) {
        cp_buf_byte(out, '&');
        cp_buf_text(out, name);
        cp_buf_byte(out, '=');
        cp_buf_percent(out, cp_buf_peek(&text), "");
    }
    cp_buf_finish(&text);
    return err;
}

/* "Basic " + base64 of id and secret, each encoded as in a form (RFC 6749 2.3.1). */
static int basic(const struct th_tool *tool, const struct th_vars *vars, struct th_request *out,
                 struct th_problem *problem)
{
    struct cp_buf id = { .secret = 1 }, secret = { .secret = 1 }, pair = { .secret = 1 },
                  value = { .secret = 1 };
    int err = word(tool, tool->auth->id, vars, &id, problem);
    err = err ? err : word(tool, tool->auth->secret, vars, &secret, problem);
    cp_buf_percent(&pair, cp_buf_peek(&id), "");
    cp_buf_byte(&pair, ':');
    cp_buf_percent(&pair, cp_buf_peek(&secret), "");
    cp_buf_text(&value, "Basic ");
    cp_buf_base64(&value, cp_buf_peek(&pair));
    if (!err && (id.failed || secret.failed || pair.failed || value.failed))
        err = th_problem(problem, COGENT_NO_MEMORY, "out of memory");
    err = err ? err : th_request_header(out, "Authorization", value.ptr, problem);
    cp_buf_finish(&id);
    cp_buf_finish(&secret);
    cp_buf_finish(&pair);
    cp_buf_finish(&value);
    return err;
}

static int subject(const struct th_tool *tool, const struct cogent_call *call, struct cp_buf *out,
                   struct th_problem *problem)
{
    const char *token = call->asker->authorization;
    const char *space = token ? strchr(token, ' ') : NULL;
    if (!token || !*token)
        return th_problem(problem, COGENT_AUTH, "%s needs the user's own credential, and there is none",
                          tool->service->name);
    cp_buf_text(out, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=");
    cp_buf_percent(out, cogent_str(space ? space + 1 : token), "");
    cp_buf_text(out, "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token"
                     "&requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token");
    return 0;
}

static int build_token(const struct th_tool *tool, const struct cogent_call *call, const struct th_vars *vars,
                       struct th_request *out, struct th_problem *problem)
{
    const struct th_auth *auth = tool->auth;
    int err = th_request_begin(out, 3, problem);
    err = err ? err : word(tool, auth->url, vars, &out->url, problem);
    if (!err && !th_address_valid(cp_buf_peek(&out->url).ptr))
        err = th_problem(problem, COGENT_UNAVAILABLE, "%s: the address of its token server is none",
                         tool->service->name);
    if (!err && auth->as_user)
        err = subject(tool, call, &out->body, problem);
    else if (!err)
        cp_buf_text(&out->body, "grant_type=client_credentials");
    err = err ? err : field(tool, "scope", auth->scope, vars, &out->body, problem);
    err = err ? err : field(tool, "audience", auth->audience, vars, &out->body, problem);
    err = err ? err : basic(tool, vars, out, problem);
    err = err ? err : th_request_header(out, "Accept", "application/json", problem);
    err = err ? err : th_request_header(out, "Content-Type", "application/x-www-form-urlencoded", problem);
    if (!err && (out->url.failed || out->body.failed))
        err = th_problem(problem, COGENT_NO_MEMORY, "out of memory");
    return err;
}

int th_login_build(const struct th_tool *tool, const struct cogent_call *call, struct th_request *out,
                   struct th_problem *problem)
{
    json_t *none = json_object();
    struct th_vars vars = variables(tool, call, none);
    int err = !none               ? th_problem(problem, COGENT_NO_MEMORY, "out of memory")
              : tool->auth->login ? th_request_build(tool->auth->login, &vars, NULL, out, problem)
                                  : build_token(tool, call, &vars, out, problem);
    json_decref(none);
    return err;
}

/* --- the answer --- */

/* Who asks cannot mend a login; its words stay here, as they may repeat a credential. */
static int refused(const struct th_tool *tool, int err, struct th_problem *problem)
{
    const char *name = tool->service->name;
    switch (err) {
    case COGENT_LIMIT:
        return th_problem(problem, err, "%s: its login is asked too often", name);
    case COGENT_UNAVAILABLE:
    case COGENT_UPSTREAM:
    case COGENT_TIMEOUT:
        return th_problem(problem, COGENT_UNAVAILABLE, "%s: its login does not work at the moment", name);
    case COGENT_NO_MEMORY:
    case COGENT_INTERNAL:
        return th_problem(problem, err, "%s: what its login gave could not be read", name);
    default:
        return th_problem(problem, COGENT_AUTH,
                          tool->auth->as_user
                              ? "%s: the user's token was not accepted in exchange for one of "
                                "its own: sign in again"
                              : "%s: its login was refused: the operator must look at its "
                                "service account's secrets",
                          name);
    }
}

/* A result that is no table is {login.value}. */
static json_t *as_object(json_t *value)
{
    if (!value || json_is_object(value))
        return value;
    json_t *object = json_object();
    if (!object || json_object_set_new(object, "value", value) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* "sid=abc" of the first Set-Cookie: some services put the session there and nowhere else. {login.cookie}. */
static json_t *with_cookie(json_t *login, const struct cogent_http_result *result)
{
    const char *set =
        COGENT_HAS(result, header) && result->header ? result->header(result, "Set-Cookie") : NULL;
    size_t n = set ? strcspn(set, "; \t") : 0;
    if (!n || !memchr(set, '=', n) || json_object_get(login, "cookie"))
        return login;
    if (!login)
        login = json_object();
    json_t *cookie = json_stringn(set, n);
    if (cookie)
        json_object_set_new(login, "cookie", cookie);
    return login;
}

/* A copy, so that nothing else holds it when it is overwritten. */
static int take_session(const struct th_tool *tool, const struct th_vars *vars,
                        const struct cogent_http_result *result, json_t *body, json_t **login,
                        struct th_problem *problem)
{
    json_t *shaped = NULL;
    int err = th_judge(tool->auth->login, vars, NULL, result->status, body, problem);
    if (!err)
        err = th_result_shape(tool->auth->login, th_result_at(tool->auth->login, body), &shaped, problem);
    if (!err) {
        *login = with_cookie(as_object(json_deep_copy(shaped)), result);
        if (!*login)
            err = COGENT_UPSTREAM;
    }
    cp_json_drop(shaped);
    return err ? refused(tool, err, problem) : 0;
}

static int64_t seconds_of(json_t *expires)
{
    const char *text = json_string_value(expires);
    int64_t s = json_is_integer(expires) ? json_integer_value(expires) : text ? strtoll(text, NULL, 10) : 0;
    if (s <= 0)
        s = PRESET_S;
    if (s > LONGEST_S)
        s = LONGEST_S;
    return s > 2 * MARGIN_S ? s - MARGIN_S : (s + 1) / 2;
}

static int take_token(const struct th_tool *tool, int status, json_t *body, json_t **login, int64_t *seconds,
                      struct th_problem *problem)
{
    const char *token = json_string_value(json_object_get(body, "access_token"));
    if (status == 429 || status >= 500)
        return refused(tool, status == 429 ? COGENT_LIMIT : COGENT_UNAVAILABLE, problem);
    if (status < 200 || status >= 300)
        return refused(tool, COGENT_AUTH, problem);
    if (!token || !*token)
        return refused(tool, COGENT_UPSTREAM, problem);
    *login = json_deep_copy(body);
    *seconds = seconds_of(json_object_get(body, "expires_in"));
    return *login ? 0 : refused(tool, COGENT_NO_MEMORY, problem);
}

int th_login_take(const struct th_tool *tool, const struct cogent_call *call,
                  const struct cogent_http_result *result, json_t **login, int64_t *seconds,
                  struct th_problem *problem)
{
    json_t *none = json_object(), *body = result->body.len ? cp_json_load_exact(result->body) : NULL;
    struct th_vars vars = variables(tool, call, none);
    *login = NULL;
    *seconds = 0;
    int err = tool->auth->login ? take_session(tool, &vars, result, body, login, problem)
                                : take_token(tool, result->status, body, login, seconds, problem);
    cp_json_drop(body);
    json_decref(none);
    return err;
}
