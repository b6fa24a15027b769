/* SPDX-License-Identifier: Apache-2.0
 * What keeps a feed from being read, as far as it can be seen without a server: a secret that the auth of its tool names. */
#include "doctor.h"

#include <string.h>

enum { SECRET_SIZE = 8192, NAME_SIZE = 64, DEEP = 8 };

/* The first {secret.NAME} of a text. */
static bool name_in_text(const char *text, char name[NAME_SIZE])
{
    static const char mark[] = "{secret.";
    const char *at = text ? strstr(text, mark) : NULL;
    size_t n = at ? strcspn(at + strlen(mark), "}") : 0;
    if (!at || n == 0 || n >= NAME_SIZE)
        return false;
    cg_str_copy(name, NAME_SIZE, (struct cogent_str){ at + strlen(mark), n });
    return true;
}

/* The first that an auth names; a function's stand beside it (policy/files.h). */
static bool name_in(const json_t *value, char name[NAME_SIZE], int depth)
{
    const char *key;
    json_t *member;
    const char *used = json_string_value(json_array_get(json_object_get(value, "secrets"), 0));
    if (json_is_string(value))
        return name_in_text(json_string_value(value), name);
    if (json_object_get(value, "$fn") && used) {
        cg_str_copy(name, NAME_SIZE, cogent_str(used));
        return true;
    }
    json_object_foreach ((json_t *)value, key, member) {
        if (depth < DEEP && name_in(member, name, depth + 1))
            return true;
    }
    return false;
}

/* The secret that a declared tool wants; false: none, or it is no declared one. */
static bool secret_of(const struct cg_doctor *d, const char *tool, char name[NAME_SIZE])
{
    size_t i;
    json_t *file;
    struct cg_err err;
    bool found = false;
    cg_auto_json list = cg_json_parse(cogent_str(d->config->tools), NULL);
    json_array_foreach (list, i, file) {
        cg_auto_json declaration = NULL;
        cg_auto_free char *path = cg_config_path(d->config, json_string_value(file));
        size_t n = path ? strlen(path) : 0;
        if (found || n < 4 || strcmp(path + n - 4, ".lua") != 0 ||
            cg_files_load(d->files, path, "doctor", &declaration, &err) < 0)
            continue;
        const json_t *one = json_object_get(json_object_get(declaration, "tools"), tool);
        const json_t *own = json_object_get(one, "auth");
        found = one && name_in(own ? own : json_object_get(declaration, "auth"), name, 0);
    }
    return found;
}

bool cg_doctor_feed_wrong(const struct cg_doctor *d, const char *tenant, const struct cg_kind *kind,
                          struct cg_buf *why)
{
    char name[NAME_SIZE], secret[SECRET_SIZE];
    const char *tool = cg_json_str(kind->feed, "tool", NULL);
    if (!tool || !secret_of(d, tool, name))
        return false;
    int n = cg_tenants_secret(d->parts.tenants, tenant, name, secret, sizeof secret);
    explicit_bzero(secret, sizeof secret);
    if (n < 0)
        cg_tenants_secret_wrong(d->parts.tenants, tenant, name, n, why);
    return n < 0;
}
