/* SPDX-License-Identifier: Apache-2.0 */
#include "vote.h"

#include "engine/base/clock.h"

static bool in_list(const json_t *list, const char *word)
{
    size_t i;
    json_t *entry;
    json_array_foreach (list, i, entry) {
        if (word && json_is_string(entry) && strcmp(json_string_value(entry), word) == 0)
            return true;
    }
    return false;
}

static bool is_decider(const struct cg_caller *caller, const json_t *decider)
{
    const char *user = cg_json_str(decider, "user", NULL), *role = cg_json_str(decider, "role", NULL);
    if (user)
        return strcmp(user, caller->user) == 0;
    return in_list(caller->roles, role) && cg_caller_may(caller, "cogent.approve");
}

static bool has_voted(const json_t *decider, const json_t *votes)
{
    const char *user = cg_json_str(decider, "user", NULL);
    return user ? cg_vote_has(votes, user) : cg_vote_role(votes, cg_json_str(decider, "role", NULL));
}

/* The deciders one by one: a single one is a list of one. */
static const json_t *decider_at(const json_t *decider, size_t i)
{
    return json_is_object(decider) ? (i == 0 ? decider : NULL) : json_array_get(decider, i);
}

bool cg_vote_open(const struct cg_caller *caller, const json_t *decider, const json_t *votes)
{
    const json_t *one;
    for (size_t i = 0; (one = decider_at(decider, i)); i++) {
        if (is_decider(caller, one) && !has_voted(one, votes))
            return true;
    }
    return false;
}

bool cg_vote_settled(const json_t *decider, const json_t *votes)
{
    const json_t *one;
    size_t i = 0;
    for (; (one = decider_at(decider, i)); i++) {
        if (!has_voted(one, votes))
            return false;
    }
    return i > 0;
}

bool cg_vote_has(const json_t *votes, const char *user)
{
    size_t i;
    json_t *vote;
    json_array_foreach (votes, i, vote) {
        if (strcmp(cg_json_str(vote, "by", ""), user) == 0)
            return true;
    }
    return false;
}

bool cg_vote_role(const json_t *votes, const char *role)
{
    size_t i;
    json_t *vote;
    json_array_foreach (votes, i, vote) {
        if (in_list(json_object_get(vote, "roles"), role))
            return true;
    }
    return false;
}

/* Only roles that may decide count: a role without cogent.approve says nothing. */
json_t *cg_vote_make(const struct cg_caller *caller)
{
    char at[CG_TIME_SIZE];
    json_t *roles = cg_caller_may(caller, "cogent.approve") ? json_incref(caller->roles) : json_array();
    return json_pack("{s:s, s:o, s:s}", "by", caller->user, "roles", roles, "at",
                     cg_time_format(cg_now_us(), at));
}
