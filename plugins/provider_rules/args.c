/* SPDX-License-Identifier: Apache-2.0
 * The arguments of a call: constants as they stand, "{slot}" as the slot's own value; an argument whose slot is empty
 * is left out.
 */
#include "rules.h"

#include <stdlib.h>

static json_t *argument(const struct plan *plan, json_t *given)
{
    const char *text = json_string_value(given);
    size_t n = text ? strlen(text) : 0;
    if (n < 3 || text[0] != '{' || text[n - 1] != '}')
        return json_incref(given);
    struct scope scope = { { plan->slots, NULL, NULL }, 1, 0 };
    char path[64];
    if (n - 2 >= sizeof path)
        return NULL;
    memcpy(path, text + 1, n - 2);
    path[n - 2] = '\0';
    return json_incref(template_value(&scope, path));
}

json_t *plan_args(const struct plan *plan)
{
    const char *key;
    json_t *given, *out = json_object();
    json_object_foreach (plan->rule->args, key, given) {
        json_t *value = argument(plan, given);
        if (value)
            json_object_set_new(out, key, value);
    }
    return out;
}
