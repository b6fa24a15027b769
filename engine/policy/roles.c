/* SPDX-License-Identifier: Apache-2.0 */
#include "roles.h"

int cg_roles_check(const json_t *roles, struct cg_err *err)
{
    const char *role;
    json_t *permissions, *item;
    size_t i;
    if (!json_is_object(roles))
        return cg_err_set(err, COGENT_INVALID, "roles.lua: a table of role = { permissions } is wanted");
    json_object_foreach ((json_t *)roles, role, permissions) {
        bool empty = json_is_object(permissions) && json_object_size(permissions) == 0;
        if (!json_is_array(permissions) && !empty)
            return cg_err_set(err, COGENT_INVALID, "roles.lua: %.60s: a list of permissions is wanted", role);
        json_array_foreach (permissions, i, item)
            if (!json_is_string(item) || !json_string_length(item))
                return cg_err_set(err, COGENT_INVALID, "roles.lua: %.60s: a permission is a text", role);
    }
    return 0;
}

json_t *cg_roles_of(const json_t *roles, const json_t *mine)
{
    json_t *out = json_array(), *role, *permission;
    cg_auto_json seen = json_object();
    size_t i, k;
    json_array_foreach (mine, i, role) {
        const json_t *permissions =
            json_is_string(role) ? json_object_get(roles, json_string_value(role)) : NULL;
        json_array_foreach (permissions, k, permission) {
            if (json_object_get(seen, json_string_value(permission)))
                continue;
            json_object_set_new(seen, json_string_value(permission), json_true());
            json_array_append(out, permission);
        }
    }
    return out;
}
