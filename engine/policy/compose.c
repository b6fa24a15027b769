/* SPDX-License-Identifier: Apache-2.0 */
#include "compose.h"

#include "amount.h"
#include "verdict.h"

#include "engine/base/clock.h"

void cg_compose_begin(struct cg_composing *c, const struct cg_bundle *bundle, struct cg_decision *out)
{
    *c = (struct cg_composing){ .bundle = bundle, .out = out, .writers = json_object() };
}

static void settle(struct cg_composing *c, size_t decision, enum cg_verdict verdict, const char *reason)
{
    struct cg_decision *out = c->out;
    if (verdict <= out->verdict)
        return;
    out->verdict = verdict;
    cg_str_copy(out->by, sizeof out->by, cogent_str(c->bundle->decisions[decision].name));
    cg_str_copy(out->reason, sizeof out->reason, cogent_str(reason));
}

/* The item as a key: texts are most of them. */
static void mark(json_t *seen, const json_t *item)
{
    cg_auto_buf text = { 0 };
    cg_json_canonical(&text, item);
    json_object_setn_new(seen, cg_buf_view(&text).ptr, text.len, json_true());
}

static bool is_marked(const json_t *seen, const json_t *item)
{
    cg_auto_buf text = { 0 };
    cg_json_canonical(&text, item);
    return json_object_getn(seen, cg_buf_view(&text).ptr, text.len) != NULL;
}

/* False when there are more than a union may hold. */
static bool unite(json_t *all, const char *name, const json_t *list)
{
    size_t i;
    json_t *item, *into = json_object_get(all, name);
    cg_auto_json seen = json_object();
    if (!into) {
        json_object_set_new(all, name, json_array());
        into = json_object_get(all, name);
    }
    json_array_foreach (into, i, item)
        mark(seen, item);
    json_array_foreach (list, i, item) {
        if (is_marked(seen, item))
            continue;
        mark(seen, item);
        json_array_append(into, item);
    }
    return json_array_size(into) <= CG_OBLIGATION_ITEMS;
}

static struct cg_amount amount(const json_t *value)
{
    struct cg_amount d = { 0, 0 };
    if (json_is_string(value))
        cg_amount_parse(cogent_str(json_string_value(value)), &d);
    else if (json_is_integer(value))
        cg_amount_from_int(json_integer_value(value), &d);
    else
        cg_amount_from_double(json_real_value(value), &d);
    return d;
}

/* False when a number stands against an object. */
static bool lower(json_t *all, const char *name, json_t *value)
{
    const char *key;
    json_t *member, *have = json_object_get(all, name);
    if (!have) {
        json_object_set_new(all, name, json_deep_copy(value));
        return true;
    }
    if (json_is_object(have) != json_is_object(value))
        return false;
    if (!json_is_object(value)) {
        if (cg_amount_compare(amount(value), amount(have)) < 0)
            json_object_set(all, name, value);
        return true;
    }
    json_object_foreach (value, key, member)
        lower(have, key, member);
    return true;
}

static void sooner(json_t *all, const char *name, json_t *value)
{
    const char *have = cg_json_str(all, name, NULL), *mine = json_string_value(value);
    if (!have || cg_duration_parse(cogent_str(mine)) < cg_duration_parse(cogent_str(have)))
        json_object_set(all, name, value);
}

/* Writes value under key into `into`; two that differ need an order between their decisions, and the later wins. */
static bool rewrite(struct cg_composing *c, json_t *into, const char *key, const char *label, json_t *value,
                    size_t decision)
{
    json_t *have = json_object_get(into, key);
    if (have && !json_equal(have, value)) {
        size_t other = (size_t)json_integer_value(json_object_get(c->writers, label));
        if (!cg_bundle_before(c->bundle, other, decision)) {
            char reason[sizeof c->out->reason];
            snprintf(reason, sizeof reason, "%.90s and %.90s both write %.40s and have no order",
                     c->bundle->decisions[other].name, c->bundle->decisions[decision].name, label);
            settle(c, decision, CG_DENY, reason);
            return false;
        }
    }
    json_object_set(into, key, value);
    json_object_set_new(c->writers, label, json_integer((json_int_t)decision));
    return true;
}

static void rewrite_args(struct cg_composing *c, json_t *args, size_t decision)
{
    const char *key;
    json_t *value, *into = json_object_get(c->out->obligations, "args");
    if (!into) {
        json_object_set_new(c->out->obligations, "args", json_object());
        into = json_object_get(c->out->obligations, "args");
    }
    json_object_foreach (args, key, value) {
        char label[128];
        snprintf(label, sizeof label, "args/%.100s", key);
        rewrite(c, into, key, label, value, decision);
    }
}

/* Whose an obligation is, for whoever cannot meet it. */
static void sign(struct cg_composing *c, size_t decision, const char *name)
{
    if (!json_object_get(c->out->setters, name))
        json_object_set_new(c->out->setters, name, json_string(c->bundle->decisions[decision].name));
}

static void merge(struct cg_composing *c, size_t decision, const char *name, json_t *value)
{
    json_t *all = c->out->obligations;
    sign(c, decision, name);
    switch (cg_obligation_find(name)->merge) {
    case CG_MERGE_UNION:
        if (!unite(all, name, value))
            settle(c, decision, CG_DENY, "the policies name more than 1000 in one list together");
        break;
    case CG_MERGE_LOWEST:
        if (!lower(all, name, value))
            settle(c, decision, CG_DENY, "one policy caps with a number and another by name");
        break;
    case CG_MERGE_SOONEST:
        sooner(all, name, value);
        break;
    case CG_MERGE_REWRITE:
        if (strcmp(name, "args") == 0)
            rewrite_args(c, value, decision);
        else
            rewrite(c, all, name, name, value, decision);
        break;
    }
}

void cg_compose_add(struct cg_composing *c, size_t decision, enum cg_verdict verdict, const json_t *table,
                    const char *reason)
{
    const char *name;
    json_t *value;
    settle(c, decision, verdict, reason);
    if (verdict == CG_DENY)
        return;
    if (verdict == CG_ASK && !json_array_size(json_object_get(table, "role")) &&
        !json_array_size(json_object_get(table, "user"))) {
        c->self = true;
        sign(c, decision, "self");
    }
    json_object_foreach ((json_t *)table, name, value)
        merge(c, decision, name, value);
}

void cg_compose_end(struct cg_composing *c, enum cg_point point)
{
    struct cg_decision *out = c->out;
    json_decref(c->writers);
    c->writers = NULL;
    if (out->verdict == CG_DEFER && point == CG_POINT_TOOL_CALL) {
        out->verdict = CG_DENY;
        cg_str_copy(out->reason, sizeof out->reason, cogent_str("no policy allows this call"));
    }
    if (out->verdict == CG_DENY)
        json_object_clear(out->obligations);
    else if (c->self)
        json_object_set_new(out->obligations, "self", json_true());
    if (out->verdict >= CG_ASK && !out->reason[0])
        cg_str_copy(
            out->reason, sizeof out->reason,
            cogent_str(out->verdict == CG_ASK ? "a policy wants this confirmed" : "a policy denies this"));
}
