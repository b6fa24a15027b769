/* SPDX-License-Identifier: Apache-2.0 */
#include "template.h"

#include "common/json.h"
#include "common/words.h"
#include "tool_http.h"

#include <stdlib.h>

enum kind { LITERAL, VALUE, TEXT, LIST, OBJECT, FUNCTION };

struct part {
    unsigned group; /* enum th_group; TH_TEXT_PART: text itself */
    char *text;     /* the member's name, or the text */
};

struct th_template {
    enum kind kind;
    json_t *literal; /* borrowed, as is the declaration */
    const char *reference;
    struct part *parts; /* VALUE has one */
    size_t n_parts;
    struct th_template **items;
    const char **keys; /* OBJECT */
    size_t n_items;
};

/* --- compiling --- */

struct group_name {
    const char *name;
    unsigned group;
    const char *const *members; /* NULL: any */
};

static const char *const user_members[] = { "id", "name", "locale", "time_zone", "language", NULL };
static const char *const effect_members[] = { "key", NULL };
static const char *const page_members[] = { "offset", "size", "number", "cursor", NULL };
static const char *const tool_members[] = { "call", "params", NULL };

static const struct group_name groups[] = {
    { "tenant", TH_TENANT, NULL },     { "user", TH_USER, user_members },
    { "secret", TH_SECRET, NULL },     { "effect", TH_EFFECT, effect_members },
    { "page", TH_PAGE, page_members }, { "tool", TH_TOOL, tool_members },
    { "login", TH_LOGIN, NULL },
};

enum { N_GROUPS = sizeof groups / sizeof *groups };

static int set_add(json_t *set, const char *name)
{
    return set ? json_object_set_new(set, name, json_true()) : 0;
}

static int check_argument(struct th_scope *scope, const char *name)
{
    const char *names[65];
    size_t n = 0;
    const char *key;
    json_t *unused;
    if (!(scope->allowed & TH_ARG))
        return th_wrong(scope->error, "%s: {%s}: arguments cannot stand here", scope->where, name);
    if (json_object_get(scope->args, name)) {
        scope->used |= TH_ARG;
        return set_add(scope->arguments, name) ? COGENT_NO_MEMORY : 0;
    }
    json_object_foreach (scope->args, key, unused) {
        if (n < 64)
            names[n++] = key;
    }
    names[n] = NULL;
    const char *near = cp_near(name, names);
    return th_wrong(scope->error, "%s: {%s} names no argument%s%s%s", scope->where, name,
                    near ? " (nearest: " : "", near ? near : "", near ? ")" : "");
}

static const struct group_name *find_group(const char *name, size_t len)
{
    for (size_t i = 0; i < N_GROUPS; i++)
        if (strlen(groups[i].name) == len && memcmp(groups[i].name, name, len) == 0)
            return &groups[i];
    return NULL;
}

/* user.credential is no word about the user: it stands where credentials may. */
static unsigned group_of(const struct group_name *g, const char *member)
{
    return g->group == TH_USER && strcmp(member, "credential") == 0 ? TH_CREDENTIAL : g->group;
}

static int known_member(const struct group_name *g, const char *member)
{
    if (!g->members)
        return *member && !strchr(member, '.');
    for (const char *const *m = g->members; *m; m++)
        if (strcmp(*m, member) == 0)
            return 1;
    return 0;
}

/* {name} as it stands between the braces: which group, and the member's name. */
static int check_placeholder(struct th_scope *scope, const char *name, struct part *part)
{
    const char *dot = strchr(name, '.');
    if (!dot) {
        part->group = TH_ARG;
        part->text = strdup(name);
        return part->text ? check_argument(scope, name) : COGENT_NO_MEMORY;
    }
    const struct group_name *g = find_group(name, (size_t)(dot - name));
    if (!g)
        return th_wrong(
            scope->error,
            "%s: {%s}: what comes from the engine is tenant, user, secret, login, effect, page or tool",
            scope->where, name);
    unsigned group = group_of(g, dot + 1);
    if (group != TH_CREDENTIAL && !known_member(g, dot + 1))
        return th_wrong(scope->error, "%s: {%s}: %s has no such member", scope->where, name, g->name);
    if (!(scope->allowed & group))
        return th_wrong(scope->error, "%s: {%s} cannot stand here%s", scope->where, name,
                        group == TH_LOGIN        ? ": it needs auth = { login = ... }, and a header or a body"
                        : group == TH_CREDENTIAL ? ": it needs auth = { handed = true, header, value }"
                                                 : "");
    part->group = group;
    part->text = strdup(dot + 1);
    scope->used |= group | (group == TH_PAGE && strcmp(dot + 1, "cursor") == 0 ? TH_CURSOR : 0u);
    if (g->group == TH_SECRET && set_add(scope->secrets, dot + 1))
        return COGENT_NO_MEMORY;
    return part->text ? 0 : COGENT_NO_MEMORY;
}

static struct part *grow(struct th_template *t)
{
    struct part *parts = realloc(t->parts, (t->n_parts + 1) * sizeof *parts);
    if (!parts)
        return NULL;
    t->parts = parts;
    memset(&parts[t->n_parts], 0, sizeof *parts);
    return &parts[t->n_parts++];
}

static int add_text(struct th_template *t, struct cp_buf *text)
{
    if (!text->len)
        return 0;
    struct part *part = grow(t);
    if (part)
        part->text = cp_buf_take(text);
    return part && part->text ? 0 : COGENT_NO_MEMORY;
}

static int name_char(char c)
{
    return ((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

/* At '{': adds the placeholder; past its '}' in at. */
static int add_placeholder(struct th_template *t, struct th_scope *scope, const char **at)
{
    char name[160];
    size_t n = 0;
    const char *from = *at + 1;
    while (name_char(from[n]) && n + 1 < sizeof name)
        n++;
    memcpy(name, from, n);
    name[n] = '\0';
    if (from[n] != '}' || n == 0)
        return th_wrong(scope->error, "%s: a brace without a name and its end; {{ is a plain brace",
                        scope->where);
    *at = from + n + 1;
    struct part *part = grow(t);
    return part ? check_placeholder(scope, name, part) : COGENT_NO_MEMORY;
}

static int split(struct th_template *t, const char *text, struct th_scope *scope)
{
    struct cp_buf plain = { 0 };
    int err = 0;
    while (*text && !err) {
        if (*text != '{') {
            size_t n = strcspn(text, "{");
            cp_buf_add(&plain, text, n);
            text += n;
        } else if (text[1] == '{') {
            cp_buf_byte(&plain, '{');
            text += 2;
        } else {
            err = plain.failed ? COGENT_NO_MEMORY : add_text(t, &plain);
            if (!err)
                err = add_placeholder(t, scope, &text);
        }
    }
    if (!err)
        err = plain.failed ? COGENT_NO_MEMORY : add_text(t, &plain);
    cp_buf_finish(&plain);
    return err;
}

static int compile(json_t *json, struct th_scope *scope, struct th_template **out);

static int compile_string(struct th_template *t, const char *text, struct th_scope *scope)
{
    int err = split(t, text, scope);
    t->kind = t->n_parts == 1 && t->parts[0].group ? VALUE : TEXT;
    return err;
}

static int compile_items(struct th_template *t, json_t *json, struct th_scope *scope)
{
    size_t n = json_is_array(json) ? json_array_size(json) : json_object_size(json);
    const char *key;
    json_t *item;
    size_t i;
    int err = 0;
    t->kind = json_is_array(json) ? LIST : OBJECT;
    t->items = calloc(n + 1, sizeof *t->items);
    t->keys = calloc(n + 1, sizeof *t->keys);
    if (!t->items || !t->keys)
        return COGENT_NO_MEMORY;
    if (t->kind == LIST) {
        json_array_foreach (json, i, item) {
            err = err ? err : compile(item, scope, &t->items[t->n_items++]);
        }
        return err;
    }
    json_object_foreach (json, key, item) {
        t->keys[t->n_items] = key;
        err = err ? err : compile(item, scope, &t->items[t->n_items++]);
    }
    return err;
}

/* The loader says which secrets a function's text names. It is given them only in auth. */
static int compile_function(struct th_template *t, json_t *json, struct th_scope *scope)
{
    json_t *name;
    size_t i;
    if (!(scope->allowed & TH_FUNCTION))
        return th_wrong(scope->error, "%s: a function cannot stand here", scope->where);
    t->kind = FUNCTION;
    t->reference = th_reference(json);
    scope->used |= TH_FUNCTION;
    json_array_foreach (json_object_get(json, "secrets"), i, name) {
        if (json_is_string(name) && set_add(scope->secrets, json_string_value(name)))
            return COGENT_NO_MEMORY;
    }
    return 0;
}

static int compile(json_t *json, struct th_scope *scope, struct th_template **out)
{
    struct th_template *t = *out = calloc(1, sizeof *t);
    if (!t)
        return COGENT_NO_MEMORY;
    if (th_reference(json))
        return compile_function(t, json, scope);
    if (json_is_string(json))
        return compile_string(t, json_string_value(json), scope);
    if (json_is_array(json) || json_is_object(json))
        return compile_items(t, json, scope);
    t->literal = json;
    return 0;
}

struct th_template *th_template_create(json_t *json, struct th_scope *scope)
{
    struct th_template *t = NULL;
    if (compile(json, scope, &t) == 0)
        return t;
    th_template_destroy(t);
    return NULL;
}

struct th_template *th_template_create_text(const char *text, struct th_scope *scope)
{
    struct th_template *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->kind = TEXT;
    if (split(t, text, scope) == 0)
        return t;
    th_template_destroy(t);
    return NULL;
}

void th_template_destroy(struct th_template *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->n_parts; i++)
        free(t->parts[i].text);
    for (size_t i = 0; i < t->n_items; i++)
        th_template_destroy(t->items[i]);
    free(t->parts);
    free(t->items);
    free(t->keys);
    free(t);
}

const char *th_reference(json_t *json)
{
    size_t n = json_object_get(json, "secrets") ? 2 : 1;
    return json_object_size(json) == n ? json_string_value(json_object_get(json, "$fn")) : NULL;
}

/* --- the variables --- */

/* Text that is not there counts as missing, and so does empty text from the engine. */
static int text_value(const char *text, json_t **out)
{
    if (!text || !*text)
        return 0;
    *out = json_string(text);
    return *out ? 0 : COGENT_NO_MEMORY;
}

static int tenant_value(const struct th_vars *v, const char *name, json_t **out)
{
    if (v->sample) {
        *out = json_sprintf("{tenant.%s}", name);
        return *out ? 0 : COGENT_NO_MEMORY;
    }
    const char *field = v->asker->tenant_field ? v->asker->tenant_field(v->asker, name) : NULL;
    if (!field && (strcmp(name, "name") == 0 || strcmp(name, "id") == 0))
        field = v->asker->tenant;
    return text_value(field, out);
}

static int user_value(const struct th_vars *v, const char *name, json_t **out)
{
    static const char *const samples[] = { "user", "User", "en-GB", "Europe/London", "en" };
    const struct cogent_asker *a = v->asker;
    const char *const values[] = { a ? a->user : NULL, a ? a->name : NULL, a ? a->locale : NULL,
                                   a ? a->time_zone : NULL, a ? a->language : NULL };
    for (size_t i = 0; user_members[i]; i++)
        if (strcmp(user_members[i], name) == 0)
            return text_value(v->sample ? samples[i] : values[i], out);
    return 0;
}

static int secret_value(const struct th_vars *v, const char *name, json_t **out)
{
    if (v->masked)
        return text_value("***", out);
    return text_value(v->asker->secret ? v->asker->secret(v->asker, name) : NULL, out);
}

static int login_value(const struct th_vars *v, const char *name, json_t **out)
{
    if (v->masked)
        return text_value("***", out);
    *out = json_incref(json_object_get(v->login, name));
    return 0;
}

static int credential_value(const struct th_vars *v, const char *name, json_t **out)
{
    (void)name;
    return text_value(v->masked ? "***" : v->credential, out);
}

static int effect_value(const struct th_vars *v, const char *name, json_t **out)
{
    (void)name;
    return text_value(v->effect_key, out);
}

static int page_value(const struct th_vars *v, const char *name, json_t **out)
{
    if (!v->paged)
        return 0;
    if (strcmp(name, "cursor") == 0) {
        *out = json_incref(v->page_cursor);
        return 0;
    }
    *out = json_integer(*name == 'o' ? v->page_offset : *name == 's' ? v->page_size : v->page_number);
    return *out ? 0 : COGENT_NO_MEMORY;
}

static int tool_value(const struct th_vars *v, const char *name, json_t **out)
{
    if (strcmp(name, "call") == 0)
        return text_value(v->call_name, out);
    struct th_vars inner = *v;
    inner.params = NULL;
    return v->params ? th_render(v->params, &inner, out) : 0;
}

static int arg_value(const struct th_vars *v, const char *name, json_t **out)
{
    *out = json_incref(json_object_get(v->args, name));
    return 0;
}

typedef int (*value_fn)(const struct th_vars *v, const char *name, json_t **out);

static int lookup(const struct part *part, const struct th_vars *v, json_t **out)
{
    static const struct {
        unsigned group;
        value_fn value;
    } table[] = {
        { TH_ARG, arg_value },       { TH_TENANT, tenant_value }, { TH_USER, user_value },
        { TH_SECRET, secret_value }, { TH_EFFECT, effect_value }, { TH_PAGE, page_value },
        { TH_TOOL, tool_value },     { TH_LOGIN, login_value },   { TH_CREDENTIAL, credential_value },
    };
    *out = NULL;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].group == part->group)
            return table[i].value(v, part->text, out);
    return COGENT_INTERNAL;
}

/* The tenant's fields for a function: the operator's, as the engine gives them. */
static json_t *tenant_object(const struct th_vars *v)
{
    const char *fields = v->asker && COGENT_HAS(v->asker, tenant_fields) ? v->asker->tenant_fields : NULL;
    json_t *tenant = fields ? cp_json_load(cogent_str(fields)) : json_object();
    if (v->asker && v->asker->tenant && json_is_object(tenant) && !json_object_get(tenant, "name"))
        json_object_set_new(tenant, "name", json_string(v->asker->tenant));
    return tenant;
}

static int members(const struct th_vars *v, const char *const *names, value_fn value, json_t *object)
{
    int err = object ? 0 : COGENT_NO_MEMORY;
    for (; *names && !err; names++) {
        json_t *member = NULL;
        err = value(v, *names, &member);
        if (!err && member && json_object_set_new(object, *names, member) != 0)
            err = COGENT_NO_MEMORY;
    }
    return err;
}

/* What a function in auth is given beside the rest: the secrets that its auth names, and what the login gave. */
static int credentials(const struct th_vars *v, json_t *all)
{
    const char *name;
    json_t *unused, *secrets = json_object(), *value;
    int err = secrets ? 0 : COGENT_NO_MEMORY;
    json_object_foreach (v->granted, name, unused) {
        value = NULL;
        err = err ? err : secret_value(v, name, &value);
        if (!err && value && json_object_set_new(secrets, name, value) != 0)
            err = COGENT_NO_MEMORY;
    }
    if (!err && v->credential)
        err = json_object_set_new(json_object_get(all, "user"), "credential", json_string(v->credential));
    if (!err && v->login)
        err = json_object_set(all, "login", v->login);
    if (json_object_set_new(all, "secret", secrets) != 0 || err)
        return COGENT_NO_MEMORY;
    return 0;
}

/* What a function is given: outside auth no credential. */
static int variables(const struct th_vars *v, json_t **out)
{
    json_t *user = json_object(), *effect = json_object(), *page = json_object(), *tool = json_object();
    int err = members(v, user_members, user_value, user);
    err = err ? err : members(v, effect_members, effect_value, effect);
    err = err ? err : members(v, page_members, page_value, page);
    err = err || v->granted ? err : members(v, tool_members, tool_value, tool);
    *out = json_pack("{s:O, s:o, s:o, s:o, s:o, s:o}", "args", v->args, "tenant", tenant_object(v), "user",
                     user, "effect", effect, "page", page, "tool", tool);
    if (!err && !*out)
        err = COGENT_NO_MEMORY;
    return !err && v->granted ? credentials(v, *out) : err;
}

/* The host takes a list for several arguments, so one value goes as a list of one. */
int th_apply(const struct cogent_host *host, const char *reference, json_t *value, json_t **out)
{
    struct cp_buf text = { .secret = 1 };
    struct cogent_str reply = { NULL, 0 };
    *out = NULL;
    cp_buf_byte(&text, '[');
    cp_json_write(&text, value);
    cp_buf_byte(&text, ']');
    int err = text.failed ? COGENT_NO_MEMORY : 0;
    if (!err && (!host->script || host->script->call(reference, cp_buf_peek(&text), &reply) != 0))
        err = COGENT_INTERNAL;
    cp_buf_finish(&text);
    if (err)
        return err;
    *out = reply.len ? cp_json_load(reply) : NULL; /* no text at all is nil, too */
    if (reply.len && !*out)
        return COGENT_INTERNAL;
    if (json_is_null(*out))
        *out = NULL; /* null is a singleton: nothing to give back */
    return 0;
}

static int render_function(const struct th_template *t, const struct th_vars *vars, json_t **out)
{
    json_t *all = NULL;
    if (vars->masked && vars->granted)
        return text_value("***", out);
    int err = variables(vars, &all);
    if (!err)
        err = th_apply(vars->host, t->reference, all, out);
    cp_json_drop(all);
    return err;
}

/* --- rendering --- */

/* Text of all parts. COGENT_NOT_FOUND when one is missing. */
static int join(const struct th_template *t, const struct th_vars *vars, enum th_encoding encoding,
                struct cp_buf *out, const char **missing)
{
    for (size_t i = 0; i < t->n_parts; i++) {
        const struct part *part = &t->parts[i];
        json_t *value = NULL;
        if (!part->group) {
            cp_buf_text(out, part->text);
            continue;
        }
        int err = lookup(part, vars, &value);
        *missing = part->text;
        if (!err && (!value || json_is_null(value)))
            err = COGENT_NOT_FOUND;
        if (!err && encoding == TH_PATH && (json_is_object(value) || json_is_array(value)))
            err = COGENT_NOT_FOUND;
        struct cp_buf text = { .secret = 1 };
        if (!err)
            cp_json_text(&text, value);
        if (!err && encoding == TH_PATH && !text.len)
            err = text.failed ? COGENT_NO_MEMORY : COGENT_NOT_FOUND; /* an empty segment is another route */
        if (!err && encoding == TH_PATH)
            cp_buf_percent(out, cp_buf_peek(&text), "");
        else if (!err)
            cp_buf_str(out, cp_buf_peek(&text));
        out->failed |= text.failed;
        cp_buf_finish(&text);
        cp_json_drop(value);
        if (err)
            return err;
    }
    return out->failed ? COGENT_NO_MEMORY : 0;
}

static int render_text(const struct th_template *t, const struct th_vars *vars, json_t **out)
{
    struct cp_buf text = { .secret = 1 };
    const char *missing;
    int err = join(t, vars, TH_PLAIN, &text, &missing);
    if (!err)
        *out = json_stringn(cp_buf_peek(&text).ptr, text.len);
    cp_buf_finish(&text);
    if (!err && !*out)
        return COGENT_NO_MEMORY;
    return err == COGENT_NOT_FOUND ? 0 : err;
}

/* A list that vanished is only left out here; a bare placeholder that did takes this list along. */
static int render_list(const struct th_template *t, const struct th_vars *vars, json_t **out)
{
    json_t *list = json_array();
    if (!list)
        return COGENT_NO_MEMORY;
    for (size_t i = 0; i < t->n_items; i++) {
        json_t *item = NULL;
        int err = th_render(t->items[i], vars, &item);
        if (item && json_array_append_new(list, item) != 0)
            err = COGENT_NO_MEMORY;
        if (err || (!item && t->items[i]->kind != LIST)) {
            cp_json_drop(list);
            return err;
        }
    }
    *out = list;
    return 0;
}

static int render_object(const struct th_template *t, const struct th_vars *vars, json_t **out)
{
    json_t *object = json_object();
    if (!object)
        return COGENT_NO_MEMORY;
    for (size_t i = 0; i < t->n_items; i++) {
        json_t *item = NULL;
        int err = th_render(t->items[i], vars, &item);
        if (!err && item && json_object_set_new(object, t->keys[i], item) != 0)
            err = COGENT_NO_MEMORY;
        if (err) {
            cp_json_drop(object);
            return err;
        }
    }
    *out = object;
    return 0;
}

int th_render(const struct th_template *t, const struct th_vars *vars, json_t **out)
{
    *out = NULL;
    switch (t->kind) {
    case LITERAL:
        *out = json_incref(t->literal);
        return 0;
    case VALUE:
        return lookup(&t->parts[0], vars, out);
    case TEXT:
        return render_text(t, vars, out);
    case LIST:
        return render_list(t, vars, out);
    case OBJECT:
        return render_object(t, vars, out);
    default:
        return render_function(t, vars, out);
    }
}

int th_render_text(const struct th_template *t, const struct th_vars *vars, enum th_encoding encoding,
                   struct cp_buf *out, const char **missing)
{
    return join(t, vars, encoding, out, missing);
}
