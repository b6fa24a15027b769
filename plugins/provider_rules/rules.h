/* SPDX-License-Identifier: Apache-2.0
 * What the files of this plugin share: rules as they were written, and a question with what was found in it.
 */
#ifndef PROVIDER_RULES_RULES_H
#define PROVIDER_RULES_RULES_H

#include "common/buf.h"

#include <cogent/provider.h>
#include <cogent/tool.h>
#include <jansson.h>

enum { GROUPS_MAX = 8, SLOTS_MAX = 8, TOKENS_MAX = 160, ENTITIES_MAX = 24, WORD_MAX = 40 };

/* What a slot can hold, and what can be found in a question. NUMBER is five digits or more that may be a customer,
 * an item or an invoice: nothing but the rule can tell. */
enum slot_type {
    SLOT_INVOICE,
    SLOT_ITEM,
    SLOT_CUSTOMER,
    SLOT_PERIOD,
    SLOT_LINES,
    SLOT_INTEGER,
    SLOT_TEXT,
    SLOT_TYPES,
    FOUND_NUMBER = SLOT_TYPES
};

struct rule_slot {
    const char *name;
    int type; /* enum slot_type */
    int optional;
};

/* One rule; all is borrowed from the loaded JSON. */
struct rule {
    const char *file;
    const char *about;
    const char *when[GROUPS_MAX]; /* alternatives, parted by | */
    size_t n_when;
    const char *without; /* the same, or NULL */
    struct rule_slot slots[SLOTS_MAX];
    size_t n_slots;
    const char *tool; /* NULL: answers from records */
    json_t *args;
    const char *kind; /* of the records */
    size_t max;       /* rows or records shown */
    json_t *answer;   /* text, or {"$fn": ...} */
    const char *ask;  /* said when a slot is missing; NULL: a sentence by its type */
    const char *need; /* path in the result that must hold something, or NULL */
    const char *none; /* said when it does not */
    const char *list; /* path of the rows, or NULL */
    const char *row;
};

struct rules {
    json_t *json;
    struct rule *list;
    size_t n;
};

/* load.c */
int rules_load(struct rules *rules, const char *text, char *error, size_t error_size);
void rules_finish(struct rules *rules);

/* conversation.c: the plan of the user's last words, read with what was asked before them and what is on the screen. */
struct plan;
void conversation_plan(struct plan *plan, const struct rules *rules, const struct cogent_chat *chat,
                       const struct cogent_message *last);

/* A word of the question. */
struct token {
    char word[WORD_MAX]; /* lower case, without punctuation; cut when longer */
    size_t at, len;      /* of the trimmed word in the question */
    int digits;          /* has some */
    int stop;            /* a sentence ends, or a comma stands, after it */
};

struct entity {
    int type; /* enum slot_type or FOUND_NUMBER */
    size_t first, last;
    json_t *value;
    int partial; /* lines without a price */
};

struct question {
    struct cogent_str text;
    struct token tokens[TOKENS_MAX];
    size_t n;
    int too_long;
    struct entity entities[ENTITIES_MAX];
    size_t n_entities;
    unsigned char taken[TOKENS_MAX]; /* part of an entity */
    json_t *description; /* quoted, or after "matching"; only a rule with a slot for it takes it */
    size_t description_first, description_last;
    int64_t today; /* days since 1970 */
};

/* question.c: words first, then what they hold. finish also after a failure. */
void question_read(struct question *q, struct cogent_str text, int64_t now);
void question_finish(struct question *q);
/* entities.c: takes value. */
void question_take(struct question *q, int type, size_t first, size_t last, json_t *value);
void question_entities(struct question *q);
/* period.c: the period that begins at token i: how many tokens, 0 when none does. *out is {from, to, words}. */
size_t period_at(const struct question *q, size_t i, json_t **out);
int month_of(const char *word); /* 1 to 12; 0: no month's name */
/* lines.c: quantities, items and prices that begin at token i. */
size_t line_at(const struct question *q, size_t i, json_t **out, int *partial);
int lines_item(const struct token *token);

/* calendar.c: proleptic Gregorian days. */
int64_t day_of(int year, int month, int day);
void day_split(int64_t day, int *year, int *month, int *mday);
int month_days(int year, int month);

/* words.c */
int word_is(const char *word, const char *list);                /* one of "a|b|c", exactly */
int word_like(const char *word, const char *pattern, size_t n); /* endings and small slips forgiven */
int word_filler(const char *word);
/* Whether one of the alternatives, exactly as it is, stands in the question. */
int words_stand(const struct question *q, const char *alternatives);
/* Whether one of the alternatives stands in the question; which tokens into seen. Returns words matched. */
size_t words_match(const struct question *q, const char *alternatives, unsigned char *seen);

/* match.c: what to do with a question. */
enum plan_kind { PLAN_NONE, PLAN_ASK, PLAN_TIE, PLAN_RIGHT, PLAN_CALL, PLAN_RECORDS };

struct plan {
    int kind;
    const struct rule *rule;
    const struct rule *other;        /* PLAN_TIE */
    const struct rule_slot *missing; /* PLAN_ASK; NULL: more than one was named */
    int several;                     /* type that was named more than once */
    json_t *slots;
};

void plan_make(struct plan *plan, const struct rules *rules, const struct cogent_chat *chat,
               const struct question *q);
void plan_finish(struct plan *plan);
const struct cogent_offer *plan_offer(const struct cogent_chat *chat, const char *tool);
/* args.c: the call's arguments, a new reference. */
json_t *plan_args(const struct plan *plan);

/* answer.c: the words of the answer. */
void answer_result(struct cp_buf *out, const struct cogent_chat *chat, const struct plan *plan,
                   const struct cogent_message *result);
void answer_records(struct cp_buf *out, const struct cogent_chat *chat, const struct plan *plan);
/* refuse.c */
void answer_plain(struct cp_buf *out, const struct rules *rules, const struct cogent_chat *chat,
                  const struct plan *plan);
void answer_failed(struct cp_buf *out, const struct cogent_message *result);
/* template.c: {path} from the scopes in order, {cite} as [n]. */
struct scope {
    json_t *values[3];
    size_t n;
    unsigned cite;
};
void template_render(struct cp_buf *out, const char *text, const struct scope *scope);
json_t *template_value(const struct scope *scope, const char *path);
void template_tidy(struct cp_buf *out);

#endif
