/* SPDX-License-Identifier: Apache-2.0
 * What a question means where it stands. "536365" after "Which invoice?", "and in April?" after the sales of March:
 * a short reply that means nothing alone is read with the question before it, and what it names takes the place of
 * what that named. "This one" is the record on the user's screen.
 */
#include "rules.h"

#include <stdlib.h>

enum { FOLLOW_UP_WORDS = 6 };

static const int64_t day_us = 86400000000;

/* What was asked so far, and the day that "in April" counts from in it. */
struct ground {
    struct cp_buf text;
    int64_t now;
};

static int named(int type)
{
    return type == SLOT_INVOICE || type == SLOT_ITEM || type == SLOT_CUSTOMER || type == FOUND_NUMBER;
}

/* Whether something that the reply names stands for this: of the same type, or a bare number for a number. */
static int replaced(const struct entity *old, const struct question *reply)
{
    for (size_t i = 0; i < reply->n_entities; i++) {
        int type = reply->entities[i].type;
        if (type == old->type ||
            ((type == FOUND_NUMBER || old->type == FOUND_NUMBER) && named(type) && named(old->type)))
            return 1;
    }
    return 0;
}

static const struct entity *period_of(const struct question *q)
{
    for (size_t i = 0; i < q->n_entities; i++)
        if (q->entities[i].type == SLOT_PERIOD)
            return &q->entities[i];
    return NULL;
}

/* "and in April?" after March 2025 means April 2025: a month without a year counts from the end of the year that was
 * asked about. Any other period, from `now`. */
static int64_t counted_from(const struct question *before, const struct question *reply, int64_t now)
{
    const struct entity *was = period_of(before), *is = period_of(reply);
    if (!was || !is || !month_of(reply->tokens[is->last].word))
        return now;
    const char *to = json_string_value(json_object_get(was->value, "to"));
    int year = to ? (int)strtol(to, NULL, 10) : 0;
    return year ? day_of(year, 12, 31) * day_us : now;
}

/* The question without what the reply replaces, then the reply. Gives the day it counts from. */
static int64_t join(struct cp_buf *out, const struct ground *ground, const struct question *reply,
                    int64_t now)
{
    struct question q;
    size_t at = 0;
    struct cogent_str before = cp_buf_peek(&ground->text);
    question_read(&q, before, ground->now);
    for (size_t i = 0; i < q.n; i++) {
        for (size_t e = 0; e < q.n_entities; e++) {
            const struct entity *old = &q.entities[e];
            if (old->first != i || !replaced(old, reply))
                continue;
            size_t from = q.tokens[i].at, end = q.tokens[old->last].at + q.tokens[old->last].len;
            cp_buf_str(out, (struct cogent_str){ before.ptr + at, from - at });
            at = end;
        }
    }
    cp_buf_str(out, (struct cogent_str){ before.ptr + at, before.len - at });
    cp_buf_text(out, " ; ");
    cp_buf_str(out, reply->text);
    now = counted_from(&q, reply, now);
    question_finish(&q);
    return now;
}

static int points(const struct question *q)
{
    for (size_t i = 0; i < q->n; i++)
        if (word_is(q->tokens[i].word, "this|it|that|here"))
            return 1;
    return 0;
}

/* The record on the screen, as a user would have named it; 0: none that rules know. */
static int screen_words(struct cp_buf *out, const struct cogent_chat *chat)
{
    static const char *const kinds[][2] = { { "invoice", "invoice" },
                                            { "inventory_item", "item" },
                                            { "customer", "customer" } };
    for (size_t i = 0; i < chat->n_messages; i++) {
        const struct cogent_message *m = &chat->messages[i];
        if (m->role != COGENT_RECORD || m->n)
            continue;
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            if (m->type.len != strlen(kinds[k][0]) || memcmp(m->type.ptr, kinds[k][0], m->type.len) != 0)
                continue;
            cp_buf_format(out, " ; %s ", kinds[k][1]);
            cp_buf_str(out, m->id);
            return 1;
        }
    }
    return 0;
}

static void plan_text(struct plan *plan, const struct rules *rules, const struct cogent_chat *chat,
                      struct cogent_str text, int64_t now)
{
    struct question q;
    question_read(&q, text, now);
    plan_make(plan, rules, chat, &q);
    question_finish(&q);
}

/* The plan of one message; ground: what it is read with, and afterwards what it makes. */
static void take(struct plan *plan, const struct rules *rules, const struct cogent_chat *chat,
                 const struct cogent_message *m, struct ground *ground)
{
    struct question q;
    struct ground whole = { .now = chat->now };
    question_read(&q, m->text, chat->now);
    plan_make(plan, rules, chat, &q);
    int reply = plan->kind == PLAN_NONE && ground->text.len && q.n && q.n <= FOLLOW_UP_WORDS && q.n_entities;
    if (reply)
        whole.now = join(&whole.text, ground, &q, chat->now);
    else
        cp_buf_str(&whole.text, m->text);
    int pointed = !reply && plan->kind != PLAN_CALL && points(&q) && screen_words(&whole.text, chat);
    if (reply || pointed) {
        plan_finish(plan);
        plan_text(plan, rules, chat, cp_buf_peek(&whole.text), whole.now);
    }
    question_finish(&q);
    cp_buf_finish(&ground->text);
    *ground = whole;
}

void conversation_plan(struct plan *plan, const struct rules *rules, const struct cogent_chat *chat,
                       const struct cogent_message *last)
{
    struct ground ground = { .now = chat->now };
    const struct cogent_message none = { .role = COGENT_USER, .text = { "", 0 } };
    for (const struct cogent_message *m = chat->messages; last && m < last; m++) {
        if (m->role != COGENT_USER)
            continue;
        take(plan, rules, chat, m, &ground);
        plan_finish(plan);
    }
    take(plan, rules, chat, last ? last : &none, &ground);
    cp_buf_finish(&ground.text);
}
