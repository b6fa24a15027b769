/* SPDX-License-Identifier: Apache-2.0 */
#include "config_check.h"

#include "engine/base/keys.h"
#include "engine/base/options.h"
#include "engine/io/listen.h"
#include "inherit.h"

#include <errno.h>
#include <grp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_address(const struct cg_config *c, const char *key, const char *where, struct cg_err *err)
{
    cg_auto_free char *whole = cg_config_address(c, where);
    const char *wrong = whole ? cg_listen_wrong(whole) : "out of memory";
    return wrong ? cg_err_set(err, COGENT_INVALID, "%s: \"%.128s\": %s", key, where, wrong) : 0;
}

static int check_listen(const struct cg_config *c, struct cg_err *err)
{
    size_t i;
    json_t *where;
    cg_auto_json list = cg_json_parse(cogent_str(c->listen), err);
    if (json_array_size(list) == 0 || json_array_size(list) > CG_LISTENERS_MAX)
        return cg_err_set(err, COGENT_INVALID,
                          "listen: names %s; write 1 to %d addresses: { \"127.0.0.1:8420\" }",
                          json_array_size(list) ? "too many addresses" : "no address", CG_LISTENERS_MAX);
    json_array_foreach (list, i, where) {
        const char *text = json_string_value(where);
        int rc = check_address(c, "listen", text ? text : "?", err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int check_metrics(const struct cg_config *c, struct cg_err *err)
{
    return strcmp(c->metrics, "off") == 0 ? 0 : check_address(c, "metrics", c->metrics, err);
}

static int check_group(const struct cg_config *c, struct cg_err *err)
{
    const char *name = c->socket_options.group;
    if (!name || getgrnam(name))
        return 0;
    return cg_err_set(err, COGENT_INVALID, "socket: group: there is no group \"%.64s\" on this machine",
                      name);
}

/* Whoever checks may be another than the server's user, who alone can read it. */
static int check_ring(const struct cg_config *c, struct cg_err *err)
{
    struct cg_keys *keys = NULL;
    struct cg_err why;
    if (access(c->keys, R_OK) != 0)
        return 0; /* it is made at the start */
    int rc = cg_keys_load(c->keys, &keys, &why);
    cg_keys_destroy(keys);
    return rc < 0 ? cg_err_set(err, rc, "keys: %s", why.message) : 0;
}

/* What is named must be there; what is not is the shipped one, which an installation may do without. */
static int check_paths(const struct cg_config *c, struct cg_err *err)
{
    const struct {
        const char *key, *path;
        bool folder;
    } all[] = { { "ca", c->ca, false },
                { "entities", c->entities, true },
                { "policies", c->policies, true },
                { "rules", c->rules, true } };
    struct stat st;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!json_object_get(c->root, all[i].key))
            continue;
        bool there = stat(all[i].path, &st) == 0 && access(all[i].path, R_OK) == 0;
        if (!there)
            return cg_err_set(err, COGENT_INVALID, "%s: %s: %s", all[i].key, all[i].path, strerror(errno));
        if (S_ISDIR(st.st_mode) != all[i].folder)
            return cg_err_set(err, COGENT_INVALID, "%s: %s is %s", all[i].key, all[i].path,
                              all[i].folder ? "no folder" : "a folder: name a file");
    }
    return 0;
}

/* RFC 6901; the whole token is no claim. */
static bool pointer_ok(const char *text)
{
    if (*text != '/')
        return false;
    for (; *text; text++) {
        if (*text == '~' && text[1] != '0' && text[1] != '1')
            return false;
    }
    return true;
}

static int check_claims(const struct cg_config *c, struct cg_err *err)
{
    const struct cg_config_auth *a = &c->auth_options;
    const struct {
        const char *key, *pointer;
    } all[] = {
        { "tenant", a->tenant }, { "user", a->user }, { "permissions", a->permissions }, { "roles", a->roles }
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!pointer_ok(all[i].pointer))
            return cg_err_set(
                err, COGENT_INVALID,
                "auth: %s: \"%.64s\" is no JSON pointer: write \"/claim\", or \"/claim/member\"", all[i].key,
                all[i].pointer);
    }
    return 0;
}

static int check_models(const struct cg_config *c, struct cg_err *err)
{
    cg_auto_json models = cg_json_parse(cogent_str(c->models), err);
    if (json_object_size(models) == 0)
        return cg_err_set(err, COGENT_INVALID, "models: must be a table of chains: { main = { \"rules\" } }");
    return 0;
}

static int check_price(const char *name, const json_t *price, struct cg_err *err)
{
    struct {
        double input, cached, output;
    } of = { 0, 0, 0 };
    static const struct cogent_option members[] = {
        { COGENT_OPT_NUMBER, "input", NULL, 0, "" },
        { COGENT_OPT_NUMBER, "cached", NULL, sizeof(double), "" },
        { COGENT_OPT_NUMBER, "output", NULL, 2 * sizeof(double), "" },
        { 0 },
    };
    char where[128];
    snprintf(where, sizeof where, "prices: %.100s", name);
    int rc = cg_options_fill(members, price, &of, where, err);
    if (rc == 0 && (of.input < 0 || of.cached < 0 || of.output < 0))
        rc = cg_err_set(err, COGENT_INVALID, "%s: a price is 0 or more", where);
    return rc;
}

static int check_prices(const struct cg_config *c, struct cg_err *err)
{
    const char *name;
    json_t *price;
    cg_auto_json prices = cg_json_parse(cogent_str(c->prices), err);
    if (!json_is_object(prices) && json_array_size(prices) > 0)
        return cg_err_set(err, COGENT_INVALID, "prices: must be a table of [\"provider/model\"] = { ... }");
    json_object_foreach (prices, name, price) {
        int rc = check_price(name, price, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static bool is_web_address(const json_t *value)
{
    const char *text = json_string_value(value) ? json_string_value(value) : "";
    size_t scheme = strncasecmp(text, "http://", 7) == 0 ? 7 : strncasecmp(text, "https://", 8) == 0 ? 8 : 0;
    return scheme && !strchr("/?#: ", text[scheme]); /* the end of the text is among them */
}

/* A machine without the table of zones knows none, and cannot say. */
static bool zone_known(const json_t *value)
{
    static const char folder[] = "/usr/share/zoneinfo";
    const char *name = json_string_value(value);
    char path[256];
    struct stat st;
    if (!name || !*name || *name == '/' || strstr(name, "..") || strlen(name) > 128)
        return false;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(folder, F_OK) != 0 || (stat(path, &st) == 0 && S_ISREG(st.st_mode));
}

/* Whatever ends in _url: tools files name such as their base. */
static int check_tenant(const char *name, const json_t *fields, struct cg_err *err)
{
    const char *field;
    json_t *value;
    json_object_foreach ((json_t *)fields, field, value) {
        size_t n = strlen(field);
        if (n > 4 && strcmp(field + n - 4, "_url") == 0 && !is_web_address(value))
            return cg_err_set(
                err, COGENT_INVALID,
                "tenants: %.64s: %.64s must be an address that begins with http:// or https:// and names a host",
                name, field);
        if (strcmp(field, "time_zone") == 0 && !zone_known(value))
            return cg_err_set(
                err, COGENT_INVALID,
                "tenants: %.64s: time_zone: there is no zone \"%.64s\"; write one such as \"Europe/London\"",
                name, json_string_value(value) ? json_string_value(value) : "?");
    }
    return 0;
}

static int check_tenants(const struct cg_config *c, struct cg_err *err)
{
    const char *name;
    json_t *fields;
    cg_auto_json tenants = cg_json_parse(cogent_str(c->tenants), err);
    if (json_object_size(tenants) == 0)
        return cg_err_set(
            err, COGENT_INVALID,
            "tenants: names none, so nobody could ask: { NAME = { erp_url = \"https://...\" } }");
    json_object_foreach (tenants, name, fields) {
        int rc = check_tenant(name, fields, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int cg_config_check(const struct cg_config *config, struct cg_err *err)
{
    static int (*const checks[])(const struct cg_config *,
                                 struct cg_err *) = { check_listen, check_metrics, check_group,
                                                      check_ring,   check_paths,   check_claims,
                                                      check_models, check_prices,  check_tenants };
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (checks[i](config, err) < 0)
            return cg_config_blame(config->path, err);
    }
    return 0;
}
