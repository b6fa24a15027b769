/* SPDX-License-Identifier: Apache-2.0 */
#include "rbac.h"

/* A "*" matches any run of characters within the whole name; there may be several. */
static bool matches(const char *pattern, const char *name)
{
    const char *star = NULL, *back = NULL;
    while (*name) {
        if (*pattern == '*') {
            star = pattern++;
            back = name;
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++back;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

bool cg_rbac_allows(const json_t *granted, const char *permission)
{
    size_t i;
    json_t *entry;
    bool allowed = false;
    json_array_foreach (granted, i, entry) {
        const char *text = json_string_value(entry);
        if (!text)
            continue;
        if (text[0] == '-' && matches(text + 1, permission))
            return false;
        if (text[0] != '-' && matches(text, permission))
            allowed = true;
    }
    return allowed;
}
