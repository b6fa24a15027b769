/* SPDX-License-Identifier: Apache-2.0
 * What is said when nothing can be told: no rule, no right, something missing, a call that failed.
 */
#include "rules.h"

#include "common/json.h"
#include "common/words.h"

enum { ABOUTS_MAX = 12 };

/* What this user may ask. */
static void write_abouts(struct cp_buf *out, const struct rules *rules, const struct cogent_chat *chat)
{
    size_t n = 0;
    for (size_t i = 0; i < rules->n && n < ABOUTS_MAX; i++) {
        const struct rule *rule = &rules->list[i];
        int known = 0;
        if (rule->tool && !plan_offer(chat, rule->tool))
            continue;
        for (size_t k = 0; k < i; k++)
            known |= strcmp(rules->list[k].about, rule->about) == 0;
        if (known)
            continue;
        cp_buf_text(out, n++ ? "; " : " I can help with: ");
        cp_buf_text(out, rule->about);
    }
    if (n)
        cp_buf_byte(out, '.');
}

static void ask(struct cp_buf *out, const struct plan *plan)
{
    static const char *const sentences[SLOT_TYPES] = {
        "Which invoice do you mean? Please give its number.",
        "Which item do you mean? Please give its code, such as 85123A.",
        "Which customer do you mean? Please give the customer number.",
        "Which period do you mean? For example: in March 2011.",
        "Which items, how many of each, and at what price? For example: 6 of 85123A at 2.55.",
        "How many? Please give the number.",
        "What should it match? Please describe it, best in quotes.",
    };
    static const char *const one[SLOT_TYPES] = { "invoice", "item",   "customer", "period",
                                                 "list",    "number", "text" };
    if (plan->several >= 0)
        cp_buf_format(out, "I can do this for one %s at a time. Which one do you mean?", one[plan->several]);
    else if (plan->rule->ask)
        cp_buf_text(out, plan->rule->ask);
    else
        cp_buf_text(out, sentences[plan->missing->type]);
}

/* Not offered: a right that the user lacks, or a tool that is not for this question. */
static void no_right(struct cp_buf *out, const struct cogent_chat *chat, const char *tool)
{
    for (size_t i = 0; COGENT_HAS(chat, n_withheld) && i < chat->n_withheld; i++) {
        const struct cogent_withheld *w = &chat->withheld[i];
        if (w->name.len != strlen(tool) || memcmp(w->name.ptr, tool, w->name.len) != 0)
            continue;
        cp_buf_text(out, "You do not have the right to do this: it needs the permission ");
        cp_words(out, w->permission, 100);
        cp_buf_text(out, ".");
        return;
    }
    cp_buf_format(out, "This cannot be done here: the tool %s is not offered.", tool);
}

void answer_plain(struct cp_buf *out, const struct rules *rules, const struct cogent_chat *chat,
                  const struct plan *plan)
{
    switch (plan->kind) {
    case PLAN_ASK:
        ask(out, plan);
        break;
    case PLAN_TIE:
        cp_buf_format(out, "That can mean two things: %s, or %s. Which one do you want?", plan->rule->about,
                      plan->other->about);
        break;
    case PLAN_RIGHT:
        no_right(out, chat, plan->rule->tool);
        break;
    default:
        cp_buf_text(out, "I can't answer that.");
        write_abouts(out, rules, chat);
    }
}

void answer_failed(struct cp_buf *out, const struct cogent_message *result)
{
    static const struct {
        const char *class, *sentence;
    } told[] = {
        { "not_found", "The system has no such record, or none that you may see" },
        { "denied", "This was not allowed, and nothing was done" },
        { "auth", "The system did not accept your sign-in, so I cannot say" },
        { "unknown", "It is not known whether this was done. Please check before you try again" },
        { "timeout", "The system did not answer in time, so I cannot say" },
        { "unavailable", "The system cannot be reached, so I cannot say" },
        { "limit", "There were too many requests. Please try again later" },
        { "cancelled", "This was cancelled" },
        { "conflict", "The record's state does not allow this" },
        { "invalid", "The system did not accept this" },
    };
    json_t *json = cp_json_load(result->text);
    const char *class = json_string_value(cp_json_at(json, "/error/class"));
    json_t *message = cp_json_at(json, "/error/message");
    const char *sentence = "The system reported a fault, so I cannot say";
    for (size_t i = 0; class && i < sizeof told / sizeof *told; i++)
        if (strcmp(class, told[i].class) == 0)
            sentence = told[i].sentence;
    cp_buf_text(out, sentence);
    if (json_is_string(message) && json_string_length(message)) {
        cp_buf_text(out, ": ");
        cp_words(out, (struct cogent_str){ json_string_value(message), json_string_length(message) }, 300);
    }
    if (out->len && out->ptr[out->len - 1] != '.')
        cp_buf_byte(out, '.');
    json_decref(json);
}
