/* SPDX-License-Identifier: Apache-2.0
 * Rules from JSON, checked: what is wrong is told with its file and place.
 */
#include "rules.h"

#include "common/words.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROWS_PRESET = 10, RULES_MAX = 1000 };

static const char *const slot_names[] = { "invoice", "item",    "customer", "period",
                                          "lines",   "integer", "text",     NULL };
static const char *const keys[] = { "about",  "when", "without", "slots", "call", "records",
                                    "answer", "ask",  "need",    "none",  "list", NULL };

struct place {
    const char *file;
    size_t rule;
    char *error;
    size_t size;
};

static int wrong(const struct place *place, const char *what, const char *which, const char *near)
{
    int n = snprintf(place->error, place->size, "rules: %s, rule %zu: %s", place->file, place->rule, what);
    if (which && n >= 0 && (size_t)n < place->size)
        n += snprintf(place->error + n, place->size - (size_t)n, " \"%s\"", which);
    if (near && n >= 0 && (size_t)n < place->size)
        snprintf(place->error + n, place->size - (size_t)n, ", did you mean \"%s\"?", near);
    return COGENT_INVALID;
}

static const char *text(json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static int read_when(struct rule *rule, json_t *json, const struct place *place)
{
    size_t i;
    json_t *group, *when = json_object_get(json, "when");
    json_array_foreach (when, i, group) {
        if (!json_is_string(group) || rule->n_when == GROUPS_MAX)
            return wrong(place, "when: a list of at most eight texts", NULL, NULL);
        rule->when[rule->n_when++] = json_string_value(group);
    }
    return rule->n_when ? 0 : wrong(place, "when is missing", NULL, NULL);
}

static int read_slots(struct rule *rule, json_t *json, const struct place *place)
{
    const char *name;
    json_t *type;
    json_object_foreach (json_object_get(json, "slots"), name, type) {
        char word[16] = "";
        struct rule_slot *slot = &rule->slots[rule->n_slots];
        if (!json_is_string(type) || rule->n_slots == SLOTS_MAX)
            return wrong(place, "slots: at most eight, each name = \"type\"", NULL, NULL);
        snprintf(word, sizeof word, "%s", json_string_value(type));
        size_t n = strlen(word);
        slot->optional = n && word[n - 1] == '?';
        if (slot->optional)
            word[n - 1] = '\0';
        slot->name = name;
        for (slot->type = 0; slot->type < SLOT_TYPES && strcmp(word, slot_names[slot->type]) != 0;)
            slot->type++;
        if (slot->type == SLOT_TYPES)
            return wrong(place, "unknown slot type", word, cp_near(word, slot_names));
        rule->n_slots++;
    }
    return 0;
}

static int read_action(struct rule *rule, json_t *json, const struct place *place)
{
    json_t *call = json_object_get(json, "call"), *records = json_object_get(json, "records");
    json_t *list = json_object_get(json, "list"), *max = json_object_get(records ? records : list, "max");
    rule->tool = text(call, "tool");
    rule->args = json_object_get(call, "args");
    rule->kind = text(records, "kind");
    rule->list = text(list, "at");
    rule->row = text(records ? records : list, "row");
    rule->max = json_integer_value(max) > 0 ? (size_t)json_integer_value(max) : ROWS_PRESET;
    if (!rule->tool == !rule->kind)
        return wrong(place, "either call = {tool = ...} or records = {kind = ...}", NULL, NULL);
    if (list && (!rule->list || !rule->row))
        return wrong(place, "list: at and row", NULL, NULL);
    rule->answer = json_object_get(json, "answer");
    if (!json_is_string(rule->answer) && !text(rule->answer, "$fn"))
        return wrong(place, "answer: a text or a function", NULL, NULL);
    return 0;
}

static int read_rule(struct rule *rule, json_t *json, const struct place *place)
{
    const char *key;
    json_t *ignored;
    if (!json_is_object(json))
        return wrong(place, "not a table", NULL, NULL);
    json_object_foreach (json, key, ignored) {
        int known = 0;
        for (size_t i = 0; keys[i]; i++)
            known |= strcmp(key, keys[i]) == 0;
        if (!known)
            return wrong(place, "unknown key", key, cp_near(key, keys));
    }
    rule->file = place->file;
    rule->about = text(json, "about");
    rule->without = text(json, "without");
    rule->ask = text(json, "ask");
    rule->need = text(json, "need");
    rule->none = text(json, "none");
    if (!rule->about)
        return wrong(place, "about is missing", NULL, NULL);
    int err = read_when(rule, json, place);
    if (!err)
        err = read_slots(rule, json, place);
    return err ? err : read_action(rule, json, place);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int read_file(struct rules *rules, const char *file, json_t *list, char *error, size_t size)
{
    size_t i;
    json_t *json;
    json_array_foreach (list, i, json) {
        struct place place = { file, i + 1, error, size };
        struct rule *grown =
            rules->n < RULES_MAX ? realloc(rules->list, (rules->n + 1) * sizeof *grown) : NULL;
        if (!grown)
            return wrong(&place, "too many rules", NULL, NULL);
        rules->list = grown;
        grown[rules->n] = (struct rule){ 0 };
        int err = read_rule(&grown[rules->n], json, &place);
        if (err)
            return err;
        rules->n++;
    }
    return 0;
}

int rules_load(struct rules *rules, const char *source, char *error, size_t size)
{
    const char *file;
    json_t *list;
    memset(rules, 0, sizeof *rules);
    if (!source || !*source)
        return 0;
    rules->json = json_loads(source, 0, NULL);
    if (!json_is_object(rules->json)) {
        snprintf(error, size, "rules: not a table of files");
        return COGENT_INVALID;
    }
    size_t n = 0, count = json_object_size(rules->json);
    const char **files = calloc(count + 1, sizeof *files);
    if (!files)
        return COGENT_NO_MEMORY;
    json_object_foreach (rules->json, file, list)
        files[n++] = file;
    qsort(files, n, sizeof *files, compare_names); /* the same order each time */
    int err = 0;
    for (size_t i = 0; i < n && !err; i++)
        err = read_file(rules, files[i], json_object_get(rules->json, files[i]), error, size);
    free(files);
    return err;
}

void rules_finish(struct rules *rules)
{
    json_decref(rules->json);
    free(rules->list);
    memset(rules, 0, sizeof *rules);
}
