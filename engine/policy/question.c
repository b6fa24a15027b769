/* SPDX-License-Identifier: Apache-2.0 */
#include "question.h"

#include "load.h"

#include "engine/base/schema.h"

enum { QUESTION_MAX = 1024 * 1024 };

#define OBJECT "\"type\":\"object\""
#define CLOSED OBJECT ",\"additionalProperties\":false,\"properties\":"
#define TEXT   "{\"type\":\"string\"}"
#define TEXTS  "{\"type\":\"array\",\"items\":" TEXT "}"
#define ANY    "{" OBJECT "}"

/* What run/decide.c gives. */
#define CTX                                                                                                  \
    "{" CLOSED "{\"user\":{" CLOSED "{\"id\":" TEXT ",\"name\":" TEXT ",\"locale\":" TEXT                    \
    ",\"roles\":" TEXTS ",\"permissions\":" TEXTS "}},\"tenant\":{" CLOSED "{\"name\":" TEXT                 \
    ",\"fields\":" ANY "}},\"now\":{\"type\":\"string\",\"format\":\"date-time\"},\"run\":" TEXT             \
    ",\"labels\":{" CLOSED "{\"records\":{\"type\":\"boolean\"}}}}}"
#define QUESTION(subject) "{" CLOSED "{\"subject\":" subject ",\"ctx\":" CTX "}}"

/* A subject as the engine gives it. What one will be at a point that is not asked about yet is open. */
static const char *const schemas[CG_POINTS] = {
    [CG_POINT_PROMPT] = QUESTION("{" CLOSED "{\"query\":" TEXT ",\"records\":{\"type\":\"array\"}}}"),
    [CG_POINT_TOOL_CALL] = QUESTION(
        "{" CLOSED "{\"tool\":" TEXT ",\"effect\":{\"enum\":[\"read\",\"write\",\"external\"]},\"args\":" ANY
        ",\"labels\":{" CLOSED "{\"traced\":{\"type\":\"boolean\"},\"sources\":" ANY "}}}}"),
};
static const char open_schema[] = QUESTION(ANY);

static int check(const char *path, enum cg_point point, const json_t *question, struct cg_err *err)
{
    struct cg_err why = { 0 };
    struct cg_schema *schema = NULL;
    cg_auto_json text = cg_json_parse(cogent_str(schemas[point] ? schemas[point] : open_schema), &why);
    int rc = text ? cg_schema_compile(text, &schema, &why) : COGENT_NO_MEMORY;
    if (rc == 0)
        rc = cg_schema_check(schema, question, &why);
    cg_schema_destroy(schema);
    return rc ? cg_err_set(err, rc, "%s: %s", path, why.message) : 0;
}

/* The line of a syntax error is jansson's to tell. */
int cg_question_read(const char *path, enum cg_point point, json_t **out, struct cg_err *err)
{
    cg_auto_buf text = { 0 };
    struct cg_err why = { 0 };
    *out = NULL;
    if (!path) {
        *out = json_object();
        return 0;
    }
    int rc = cg_load_read(path, QUESTION_MAX, true, &text, err);
    if (rc)
        return rc;
    json_t *question = cg_json_parse(cg_buf_view(&text), &why);
    if (!question) {
        json_error_t at = { .line = 0 };
        json_decref(json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES, &at));
        return cg_err_set(err, COGENT_INVALID, "%s:%d: %s", path, at.line > 0 ? at.line : 1, why.message);
    }
    rc = json_is_object(question)
             ? check(path, point, question, err)
             : cg_err_set(err, COGENT_INVALID,
                          "%s:1: an object {\"subject\": {...}, \"ctx\": {...}} is wanted", path);
    if (rc)
        json_decref(question);
    else
        *out = question;
    return rc;
}
