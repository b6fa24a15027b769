/* SPDX-License-Identifier: Apache-2.0
 * The cases that stand in decisions and templates: small tests that a tenant's admin writes beside the rule. */
#include "ask.h"
#include "verdict.h"

#include <stdlib.h>
#include <sys/stat.h>

struct report {
    json_t *cases, *without, *refused;
    int passed, failed;
};

static void add(struct report *r, const char *name, size_t number, const char *gives, const char *why)
{
    json_t *row = json_pack("{s:s, s:I, s:b, s:s}", "decision", name, "case", (json_int_t)number + 1, "ok",
                            !*why, "gives", gives);
    if (*why)
        json_object_set_new(row, "why", json_string(why));
    json_array_append_new(r->cases, row);
    if (*why)
        r->failed++;
    else
        r->passed++;
}

/* --- what is asked --- */

static enum cg_point point_of(const struct cg_script *script, const json_t *test)
{
    const char *wanted = cg_json_str(test, "point", NULL);
    for (int p = 0; p < CG_POINTS; p++) {
        if (wanted ? strcmp(wanted, cg_point_name((enum cg_point)p)) == 0 : script->points >> p & 1)
            return (enum cg_point)p;
    }
    return CG_POINT_TOOL_CALL;
}

static void copy(json_t *to, const json_t *from, const char *key)
{
    json_t *value = json_object_get(from, key);
    if (value)
        json_object_set(to, key, value);
}

static json_t *subject_of(const struct cg_script *script, const json_t *test)
{
    static const char *const keys[] = { "tool", "kind", "effect", "args", "result", "labels" };
    json_t *subject = json_pack("{s:{}, s:{}}", "args", "labels");
    if (script->tools)
        json_object_set(subject, "tool", json_array_get(script->tools, 0));
    if (script->kinds)
        json_object_set(subject, "kind", json_array_get(script->kinds, 0));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        copy(subject, test, keys[i]);
    json_t *more = json_object_get(test, "subject");
    if (json_is_object(more))
        json_object_update(subject, more);
    return subject;
}

static json_t *ctx_of(const json_t *test)
{
    json_t *ctx =
        json_pack("{s:{s:s, s:[], s:[]}, s:{}, s:s, s:s, s:{}}", "user", "id", "case", "roles", "permissions",
                  "tenant", "now", "2026-01-01T00:00:00Z", "run", "run_case", "labels");
    json_t *user = json_object_get(test, "user");
    if (json_is_object(user))
        json_object_update(json_object_get(ctx, "user"), user);
    copy(ctx, test, "tenant");
    copy(ctx, test, "now");
    copy(ctx, test, "labels");
    return ctx;
}

/* --- what is expected --- */

static bool holds(const json_t *list, const json_t *item)
{
    size_t i;
    json_t *have;
    json_array_foreach (list, i, have)
        if (json_equal(have, item))
            return true;
    return false;
}

/* Both as sets; nothing, {} and list {} are the same, a text is a list of one. */
static bool same_list(json_t *wanted, const json_t *got)
{
    size_t i, n = json_array_size(got);
    json_t *item;
    if (json_is_object(wanted) && json_object_size(wanted) == 0)
        return n == 0;
    if (!json_is_array(wanted))
        return n == 1 && holds(got, wanted);
    json_array_foreach (wanted, i, item)
        if (!holds(got, item))
            return false;
    return json_array_size(wanted) == n;
}

static const char *const settings[] = { "about",  "point",  "tool",   "kind",    "effect",
                                        "args",   "result", "labels", "subject", "user",
                                        "tenant", "now",    "gives",  "reason",  NULL };

/* `args` in a case is what goes in; what a decision should make of them is `rewrites`. */
static void check_member(const char *key, json_t *wanted, const struct cg_answer *got, char *why, size_t size)
{
    const char *name = strcmp(key, "rewrites") == 0 ? "args" : key;
    for (size_t i = 0; settings[i]; i++)
        if (strcmp(settings[i], key) == 0)
            return;
    const struct cg_obligation *known = cg_obligation_find(name);
    if (!known) {
        snprintf(why, size, "%.40s means nothing in a case", key);
        return;
    }
    const json_t *have = json_object_get(got->table, name);
    bool same = known->merge == CG_MERGE_UNION ? same_list(wanted, have) : have && json_equal(wanted, have);
    if (!same) {
        char *text = have ? cg_json_text(have) : NULL;
        snprintf(why, size, "%s is %.200s", name, text ? text : "missing");
        free(text);
    }
}

static bool is_verdict(const char *word)
{
    for (int v = CG_DEFER; v <= CG_DENY; v++)
        if (strcmp(word, cg_verdict_name((enum cg_verdict)v)) == 0)
            return true;
    return false;
}

static void compare(json_t *test, const struct cg_answer *got, char *why, size_t size)
{
    const char *wanted = cg_json_str(test, "gives", NULL), *reason = cg_json_str(test, "reason", NULL);
    const char *gives = cg_verdict_name(got->verdict), *key;
    json_t *value;
    if (!wanted) {
        snprintf(why, size, "the case does not say what the decision gives");
        return;
    }
    if (!is_verdict(wanted)) {
        snprintf(why, size, "\"%.40s\" is no verdict; allow, ask, deny and defer are", wanted);
        return;
    }
    if (strcmp(wanted, gives) != 0) {
        snprintf(why, size, "gives %s, not %.20s%s%.200s", gives, wanted, got->reason[0] ? ": " : "",
                 got->reason);
        return;
    }
    if (reason && !strstr(got->reason, reason)) {
        snprintf(why, size, "the reason is: %.200s", got->reason);
        return;
    }
    json_object_foreach (test, key, value)
        if (!*why)
            check_member(key, value, got, why, size);
}

/* Whether a server makes something else of it than the decision says, whatever the case expects: an obligation that
 * there is not, or that the engine does not see to. */
static bool serve(const struct cg_script *script, enum cg_point point, const struct cg_answer *got, char *why,
                  size_t size)
{
    char words[256];
    if (got->misspelt)
        snprintf(why, size, "%s", got->reason);
    else if (cg_answer_unkept(got, point, script->name, words, sizeof words))
        snprintf(why, size, "a server denies this: %s", words);
    return *why;
}

/* One sentence a point that a server does not ask about. */
static void add_refused(const struct cg_script *script, struct report *r)
{
    char why[256];
    for (int p = 0; p < CG_POINTS; p++) {
        if (!(script->points >> p & 1) || cg_point_asked((enum cg_point)p))
            continue;
        cg_point_unasked_words((enum cg_point)p, script->name, why, sizeof why);
        json_array_append_new(r->refused, json_string(why));
    }
}

static void run_case(const struct cg_bundle *bundle, size_t i, size_t number, json_t *test, struct report *r)
{
    const struct cg_script *script = &bundle->decisions[i];
    struct cg_answer answer = { 0 };
    struct cg_box *box = NULL;
    char why[400] = "";
    if (!json_is_object(test)) {
        add(r, script->name, number, "", "a case is a table");
        return;
    }
    cg_auto_json subject = subject_of(script, test);
    cg_auto_json ctx = ctx_of(test);
    if (cg_box_create(&cg_box_tenant, &box)) {
        add(r, script->name, number, "", "out of memory");
        return;
    }
    const enum cg_point point = point_of(script, test);
    cg_ask(box, bundle, i, point, subject, ctx, &answer);
    if (!serve(script, point, &answer, why, sizeof why))
        compare(test, &answer, why, sizeof why);
    add(r, script->name, number, cg_verdict_name(answer.verdict), why);
    cg_answer_finish(&answer);
    cg_box_destroy(box);
}

/* A template's case: { user, tenant, vars, has = text or list of texts, lacks = ... } */
static void run_template_case(const struct cg_template *t, size_t number, const json_t *test,
                              struct report *r)
{
    static const char *const keys[] = { "has", "lacks" };
    struct cg_prompt prompt = { 0 };
    struct cg_err err = { 0 };
    char why[400] = "";
    size_t i;
    json_t *text;
    int rc = cg_template_fill(t, test, &prompt, &err);
    if (rc)
        snprintf(why, sizeof why, "%s", err.message);
    for (int k = 0; rc == 0 && k < 2; k++) {
        json_t *given = json_object_get(test, keys[k]);
        cg_auto_json texts = json_is_array(given) ? json_incref(given) : json_array();
        if (json_is_string(given))
            json_array_append(texts, given);
        json_array_foreach (texts, i, text) {
            bool found = json_is_string(text) && strstr(prompt.system, json_string_value(text));
            if (found == (k == 1))
                snprintf(why, sizeof why, "%s: %.200s", k ? "it has" : "it has not", json_string_value(text));
        }
    }
    add(r, t->file, number, rc ? "error" : "text", why);
    cg_prompt_finish(&prompt);
}

int cg_policy_cases(const char *path, json_t **report, struct cg_err *err)
{
    struct cg_bundle *bundle;
    struct stat st;
    size_t k;
    json_t *test;
    bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    *report = NULL;
    int rc = folder ? cg_bundle_load(path, &bundle, err) : cg_bundle_load_file(path, &bundle, err);
    if (rc)
        return rc;
    struct report r = { .cases = json_array(), .without = json_array(), .refused = json_array() };
    for (size_t i = 0; i < bundle->n; i++) {
        add_refused(&bundle->decisions[i], &r);
        if (json_array_size(bundle->decisions[i].cases) == 0)
            json_array_append_new(r.without, json_string(bundle->decisions[i].name));
        json_array_foreach (bundle->decisions[i].cases, k, test)
            run_case(bundle, i, k, test, &r);
    }
    for (size_t i = 0; i < bundle->n_templates; i++)
        json_array_foreach (bundle->templates[i].cases, k, test)
            run_template_case(&bundle->templates[i], k, test, &r);
    *report = json_pack("{s:i, s:i, s:o, s:o, s:o}", "passed", r.passed, "failed", r.failed, "cases", r.cases,
                        "without", r.without, "refused", r.refused);
    cg_bundle_destroy(bundle);
    return *report ? 0 : cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
}
