/* SPDX-License-Identifier: Apache-2.0
 * The answer from a tool's result, or from the records that were found.
 */
#include "rules.h"

#include "common/json.h"
#include "common/words.h"

/* function(result, slots) of the operator's file: a text. */
static void from_function(struct cp_buf *out, const struct cogent_chat *chat, const struct plan *plan,
                          const struct scope *scope)
{
    const char *reference = json_string_value(json_object_get(plan->rule->answer, "$fn"));
    json_t *args = json_pack("[O, O]", scope->values[0], plan->slots);
    struct cp_buf text = { 0 };
    struct cogent_str reply = { NULL, 0 };
    cp_json_write(&text, args);
    int err = chat->host->script->call(reference, cp_buf_peek(&text), &reply);
    json_t *value = err ? NULL : cp_json_load(reply);
    if (json_is_string(value))
        template_render(out, json_string_value(value), &(struct scope){ { NULL }, 0, scope->cite });
    else
        cp_buf_text(out, "I have the figures, but the rule that words them failed, so I say nothing.");
    json_decref(value);
    json_decref(args);
    cp_buf_finish(&text);
}

static void write_rows(struct cp_buf *out, const struct rule *rule, json_t *rows, const struct scope *outer)
{
    size_t i, n = json_array_size(rows);
    json_t *row, *more = json_object_get(outer->values[0], "more");
    json_array_foreach (rows, i, row) {
        struct scope scope = { { row, outer->values[0], outer->values[1] }, 3, outer->cite };
        if (i == rule->max)
            break;
        cp_buf_text(out, "\n- ");
        template_render(out, rule->row, &scope);
    }
    if (n > rule->max)
        cp_buf_format(out, "\nand %zu more%s.", n - rule->max, json_is_true(more) ? " at least" : "");
    else if (json_is_true(more))
        cp_buf_text(out, "\nand more.");
}

static int empty(json_t *value)
{
    return !value || (json_is_array(value) && !json_array_size(value)) ||
           (json_is_object(value) && !json_object_size(value));
}

void answer_result(struct cp_buf *out, const struct cogent_chat *chat, const struct plan *plan,
                   const struct cogent_message *result)
{
    const struct rule *rule = plan->rule;
    json_t *value = cp_json_load(result->text);
    struct scope scope = { { value, plan->slots, NULL }, 2, result->n };
    if (!value) {
        cp_buf_text(out, "The system's answer could not be read, so I cannot say.");
        return;
    }
    if (rule->need && empty(template_value(&scope, rule->need))) {
        template_render(out, rule->none ? rule->none : "There is nothing.", &scope);
    } else if (json_is_object(rule->answer)) {
        from_function(out, chat, plan, &scope);
    } else {
        template_render(out, json_string_value(rule->answer), &scope);
        if (rule->list)
            write_rows(out, rule, template_value(&scope, rule->list), &scope);
    }
    template_tidy(out);
    json_decref(value);
}

static json_t *shown(struct cogent_str text)
{
    struct cp_buf words = { 0 };
    cp_words(&words, text, 200);
    json_t *out = json_stringn(words.ptr ? words.ptr : "", words.len);
    cp_buf_finish(&words);
    return out;
}

/* One line a record. Of its text nothing is taken: a record is data, and its title says which it is. */
static void write_record(struct cp_buf *out, const struct rule *rule, const struct cogent_message *m)
{
    json_t *fields = m->fields.len ? cp_json_load(m->fields) : NULL;
    json_t *own = json_pack("{s:o, s:o}", "title", shown(m->title), "id", shown(m->id));
    struct scope scope = { { own, fields, NULL }, 2, m->n };
    cp_buf_text(out, "\n- ");
    template_render(out, rule->row ? rule->row : "{title} {cite}", &scope);
    json_decref(own);
    json_decref(fields);
}

void answer_records(struct cp_buf *out, const struct cogent_chat *chat, const struct plan *plan)
{
    const struct rule *rule = plan->rule;
    struct scope scope = { { plan->slots, NULL, NULL }, 1, 0 };
    size_t n = 0;
    for (size_t i = 0; i < chat->n_messages && n < rule->max; i++) {
        const struct cogent_message *m = &chat->messages[i];
        if (m->role != COGENT_RECORD || !m->n || m->type.len != strlen(rule->kind) ||
            memcmp(m->type.ptr, rule->kind, m->type.len) != 0)
            continue;
        if (!n++)
            template_render(out, json_string_value(rule->answer), &scope);
        write_record(out, rule, m);
    }
    if (!n)
        template_render(out, rule->none ? rule->none : "Nothing in the records matches that.", &scope);
    template_tidy(out);
}
