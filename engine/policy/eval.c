/* SPDX-License-Identifier: Apache-2.0
 * One decision asked once, in the box a server would ask it in, and what that took. */
#include "ask.h"
#include "question.h"

#include <stdio.h>

/* Also "tool_call, tool_result" for messages. */
static void name_points(unsigned points, struct cg_buf *out)
{
    for (int p = 0; p < CG_POINTS; p++)
        if (points >> p & 1)
            cg_buf_printf(out, "%s%s", out->len ? ", " : "", cg_point_name((enum cg_point)p));
}

/* `on`, or the only point there is. */
static int choose_point(const struct cg_script *script, const char *path, const char *on, enum cg_point *out,
                        struct cg_err *err)
{
    cg_auto_buf known = { 0 };
    unsigned named = 0;
    for (int p = 0; p < CG_POINTS; p++) {
        bool hit = on ? strcmp(on, cg_point_name((enum cg_point)p)) == 0 : script->points == 1u << p;
        if (hit) {
            *out = (enum cg_point)p;
            named = 1u << p;
        }
    }
    if (named & script->points)
        return 0;
    name_points(on && !named ? (1u << CG_POINTS) - 1 : script->points, &known);
    if (!on)
        return cg_err_set(err, COGENT_INVALID, "%s is asked at several points (%s): say which, with --on",
                          path, known.ptr);
    if (!named)
        return cg_err_set(err, COGENT_INVALID, "--on %.40s: there is no such point; these are: %s", on,
                          known.ptr);
    return cg_err_set(err, COGENT_INVALID, "%s is not asked at %s, only at %s", path, on, known.ptr);
}

static json_t *or_empty(const json_t *question, const char *key)
{
    json_t *value = json_object_get(question, key);
    return value ? json_incref(value) : json_object();
}

/* What a server makes of it where that is another thing; NULL: nothing else. */
static json_t *server_of(const struct cg_script *script, enum cg_point point, const struct cg_answer *answer)
{
    char why[256];
    const char *does = "denies";
    if (!cg_point_asked(point)) {
        does = "refuses the bundle";
        cg_point_unasked_words(point, script->name, why, sizeof why);
    } else if (!cg_answer_unkept(answer, point, script->name, why, sizeof why)) {
        return NULL;
    }
    return json_pack("{s:s, s:s}", "does", does, "why", why);
}

static json_t *report_of(const struct cg_script *script, enum cg_point point, bool asked,
                         const struct cg_answer *answer)
{
    json_t *table = json_object_size(answer->table) ? answer->table : NULL;
    return json_pack("{s:s, s:s, s:b, s:s, s:s, s:O*, s:s*, s:o*, s:s, s:I, s:I, s:I}", "decision",
                     script->name, "on", cg_point_name(point), "asked", (int)asked, "verdict",
                     cg_verdict_name(answer->verdict), "reason", answer->reason, "obligations", table, "note",
                     answer->note, "server", server_of(script, point, answer), "end",
                     cg_end_name(answer->end), "steps", (json_int_t)answer->steps, "bytes",
                     (json_int_t)answer->peak, "us", (json_int_t)answer->us);
}

int cg_policy_eval(const char *path, const char *on, const char *question_path, json_t **report,
                   struct cg_err *err)
{
    struct cg_bundle *bundle;
    struct cg_answer answer = { 0 };
    struct cg_box *box = NULL;
    enum cg_point point = CG_POINT_TOOL_CALL;
    *report = NULL;
    int rc = cg_bundle_load_file(path, &bundle, err);
    if (rc)
        return rc;
    cg_auto_json question = NULL;
    rc = choose_point(&bundle->decisions[0], path, on, &point, err);
    if (rc == 0)
        rc = cg_question_read(question_path, point, &question, err);
    if (rc == 0 && cg_box_create(&cg_box_tenant, &box))
        rc = cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    if (rc == 0) {
        cg_auto_json subject = or_empty(question, "subject");
        cg_auto_json ctx = or_empty(question, "ctx");
        cg_ask(box, bundle, 0, point, subject, ctx, &answer);
        *report = report_of(&bundle->decisions[0], point,
                            cg_script_asked(&bundle->decisions[0], point, subject, ctx), &answer);
        cg_answer_finish(&answer);
        rc = *report ? 0 : cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    }
    cg_box_destroy(box);
    cg_bundle_destroy(bundle);
    return rc;
}
