/* SPDX-License-Identifier: Apache-2.0
 * Which rule a question means. A rule counts when each of its groups of words stands in the question and nothing
 * that the question names is left over: what a rule cannot use it must not pass over in silence.
 */
#include "rules.h"

/* Words that may stay without meaning; before a write, none. */
enum { UNEXPLAINED_MAX = 2, UNEXPLAINED_WRITE_MAX = 0 };

/* One rule held against a question. */
struct trial {
    const struct rule *rule;
    json_t *slots;
    const struct rule_slot *missing;
    int several; /* type + 1 */
    int left_over;
    int score;
};

static int named_type(int type)
{
    return type == SLOT_INVOICE || type == SLOT_ITEM || type == SLOT_CUSTOMER;
}

static const struct rule_slot *slot_of(const struct rule *rule, int type)
{
    for (size_t i = 0; i < rule->n_slots; i++)
        if (rule->slots[i].type == type)
            return &rule->slots[i];
    return NULL;
}

/* The slot for a number that does not say what it is: the one required and empty, else the one optional. */
static const struct rule_slot *slot_for_number(const struct trial *t)
{
    const struct rule_slot *best[2] = { NULL, NULL };
    size_t n[2] = { 0, 0 };
    for (size_t i = 0; i < t->rule->n_slots; i++) {
        const struct rule_slot *slot = &t->rule->slots[i];
        if (!named_type(slot->type) || json_object_get(t->slots, slot->name))
            continue;
        best[slot->optional] = slot;
        n[slot->optional]++;
    }
    return n[0] == 1 ? best[0] : n[0] == 0 && n[1] == 1 ? best[1] : NULL;
}

static void put(struct trial *t, const struct rule_slot *slot, json_t *value, int points)
{
    json_t *there = slot ? json_object_get(t->slots, slot->name) : NULL;
    if (!slot)
        t->left_over = 1;
    else if (there && !json_equal(there, value))
        t->several = slot->type + 1;
    else
        json_object_set(t->slots, slot->name, value);
    t->score += slot ? points : 0;
}

static void fill(struct trial *t, const struct question *q)
{
    const struct rule_slot *text = slot_of(t->rule, SLOT_TEXT);
    int described = text && q->description;
    if (described)
        put(t, text, q->description, 3);
    for (int weak = 0; weak < 2; weak++)
        for (size_t i = 0; i < q->n_entities; i++) {
            const struct entity *e = &q->entities[i];
            if ((e->type == FOUND_NUMBER) != weak)
                continue;
            if (described && e->first >= q->description_first && e->last <= q->description_last)
                continue;
            if (weak)
                put(t, slot_for_number(t), e->value, 2);
            else if (!e->partial || !slot_of(t->rule, SLOT_LINES))
                put(t, slot_of(t->rule, e->type), e->value, 3);
        }
    for (size_t i = 0; i < t->rule->n_slots && !t->missing; i++)
        if (!t->rule->slots[i].optional && !json_object_get(t->slots, t->rule->slots[i].name))
            t->missing = &t->rule->slots[i];
}

/* The word for a slot that the rule has: "the item" asks for nothing new. */
static int names_slot(const struct rule *rule, const char *word)
{
    static const char *const names[SLOT_TYPES] = {
        [SLOT_INVOICE] = "invoice|bill|document",
        [SLOT_ITEM] = "item|sku|product|article",
        [SLOT_CUSTOMER] = "customer|client",
        [SLOT_PERIOD] = "period|month|quarter|year",
        [SLOT_LINES] = "items|lines|goods",
        [SLOT_INTEGER] = "units|pieces",
        [SLOT_TEXT] = "description",
    };
    for (int type = 0; type < SLOT_TYPES; type++)
        if (slot_of(rule, type) && word_is(word, names[type]))
            return 1;
    return 0;
}

/* Words that neither the rule nor an entity accounts for; -1: one of them is a number. */
static int unexplained(const struct trial *t, const struct question *q, const unsigned char *seen)
{
    int n = 0, described = slot_of(t->rule, SLOT_TEXT) && q->description;
    for (size_t i = 0; i < q->n; i++) {
        if (q->taken[i] || seen[i] || (described && i >= q->description_first && i <= q->description_last))
            continue;
        if (q->tokens[i].digits)
            return -1;
        n += !word_filler(q->tokens[i].word) && !names_slot(t->rule, q->tokens[i].word);
    }
    return n;
}

static int complete(const struct trial *t)
{
    return !t->missing && !t->several;
}

/* Whether the rule is meant at all. */
static int try_rule(struct trial *t, const struct question *q, int write)
{
    unsigned char seen[TOKENS_MAX] = { 0 };
    for (size_t i = 0; i < t->rule->n_when; i++) {
        size_t n = words_match(q, t->rule->when[i], seen);
        if (!n)
            return 0;
        t->score += 3 + (int)n;
    }
    if (t->rule->without && words_stand(q, t->rule->without))
        return 0;
    t->slots = json_object();
    fill(t, q);
    int open = unexplained(t, q, seen);
    if (open < 0 || open > (write ? UNEXPLAINED_WRITE_MAX : UNEXPLAINED_MAX) || t->left_over)
        return 0;
    t->score -= open;
    return complete(t) || !open; /* who asks back must have understood all the rest */
}

const struct cogent_offer *plan_offer(const struct cogent_chat *chat, const char *tool)
{
    for (size_t i = 0; tool && i < chat->n_tools; i++)
        if (chat->tools[i].name.len == strlen(tool) &&
            memcmp(chat->tools[i].name.ptr, tool, strlen(tool)) == 0)
            return &chat->tools[i];
    return NULL;
}

/* A complete rule comes before one that must ask. */
static int better(const struct trial *a, const struct trial *b)
{
    if (!b->rule || complete(a) != complete(b))
        return !b->rule || complete(a);
    return a->score > b->score;
}

static int same_call(const struct trial *a, const struct trial *b)
{
    int tool = a->rule->tool && b->rule->tool && strcmp(a->rule->tool, b->rule->tool) == 0;
    return tool && json_equal(a->rule->args, b->rule->args) && json_equal(a->slots, b->slots);
}

static void settle(struct plan *plan, struct trial *best, const struct rule *tied,
                   const struct cogent_chat *chat)
{
    plan->rule = best->rule;
    plan->slots = best->slots;
    plan->missing = best->missing;
    plan->several = best->several - 1;
    plan->other = tied;
    if (best->rule->tool && !plan_offer(chat, best->rule->tool))
        plan->kind = PLAN_RIGHT;
    else if (tied)
        plan->kind = PLAN_TIE;
    else if (!complete(best))
        plan->kind = PLAN_ASK;
    else
        plan->kind = best->rule->tool ? PLAN_CALL : PLAN_RECORDS;
}

void plan_make(struct plan *plan, const struct rules *rules, const struct cogent_chat *chat,
               const struct question *q)
{
    struct trial best = { 0 };
    const struct rule *tied = NULL;
    memset(plan, 0, sizeof *plan);
    plan->several = -1;
    for (size_t i = 0; i < rules->n && !q->too_long; i++) {
        struct trial t = { .rule = &rules->list[i] };
        const struct cogent_offer *offer = plan_offer(chat, t.rule->tool);
        int write = offer && offer->effect != COGENT_READ;
        int meant = try_rule(&t, q, write);
        if (meant && better(&t, &best)) {
            json_decref(best.slots);
            best = t;
            tied = NULL;
            continue;
        }
        if (meant && complete(&t) == complete(&best) && t.score == best.score && !same_call(&t, &best))
            tied = t.rule;
        json_decref(t.slots);
    }
    if (best.rule)
        settle(plan, &best, tied, chat);
}

void plan_finish(struct plan *plan)
{
    json_decref(plan->slots);
    plan->slots = NULL;
}
