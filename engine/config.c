/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/options.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef CG_SHARE_DIR
#define CG_SHARE_DIR "/usr/share/cogent"
#endif
#ifndef CG_PLUGIN_DIR
#define CG_PLUGIN_DIR "/usr/lib/cogent"
#endif

#define AT(member) offsetof(struct cg_config, member)

static const struct cogent_option root_options[] = {
    { COGENT_OPT_JSON, "listen", "[\"unix:cogent.sock\", \"127.0.0.1:8420\"]", AT(listen),
      "Where requests come in: `unix:PATH` (relative: below `state`) or `ADDRESS:PORT`." },
    { COGENT_OPT_JSON, "socket", "{}", AT(socket), "Who may open the Unix sockets of `listen`: see socket." },
    { COGENT_OPT_JSON, "http", "{}", AT(http), "How many connections, and how slow they may be: see http." },
    { COGENT_OPT_STRING, "metrics", "127.0.0.1:9420", AT(metrics),
      "Where `/metrics` is served; `off` for nowhere." },
    { COGENT_OPT_STRING, "state", "/var/lib/cogent", AT(state),
      "Folder for the embedded database, key ring and sockets." },
    { COGENT_OPT_STRING, "keys", NULL, AT(keys),
      "Key ring file; made at first start. Default: `keys` in `state`." },
    { COGENT_OPT_JSON, "workers", "\"auto\"", AT(workers),
      "Serving workers: a number, or `auto`: one a processor." },
    { COGENT_OPT_INT, "jobs", "1", AT(jobs), "Workers for feeds and other work without a question." },
    { COGENT_OPT_INT, "worker_memory", "1024", AT(worker_memory),
      "MiB of memory above which a worker is replaced: its successor starts first, then it ends what it has begun. 0: "
      "never." },
    { COGENT_OPT_STRING, "database", NULL, AT(database),
      "File of the embedded database. Default: `cogent.db` in `state`." },
    { COGENT_OPT_STRING, "secrets", NULL, AT(secrets),
      "Folder of `{secret.NAME}`: a file NAME, or TENANT/NAME. Default: `secrets` in `state`." },
    { COGENT_OPT_STRING, "log", "info", AT(log), "`error`, `warn`, `info` or `debug`." },
    { COGENT_OPT_STRING, "proxy", NULL, AT(proxy), "HTTP proxy for calls to providers." },
    { COGENT_OPT_STRING, "ca", NULL, AT(ca), "CA certificates for calls to providers (PEM)." },
    { COGENT_OPT_JSON, "auth", "{}", AT(auth), "Who may ask: see auth." },
    { COGENT_OPT_JSON, "providers", "{}", AT(providers),
      "Model providers by name: `{ key = ... }`, `plugin` when it has another name." },
    { COGENT_OPT_JSON, "models", "{\"main\": [\"rules\"]}", AT(models),
      "Chains: the first `provider/model` that answers. `embed = { \"provider/model\", dimensions = N }`: of one that "
      "makes vectors; such a chain has one link." },
    { COGENT_OPT_JSON, "prices", "{}", AT(prices),
      "Dollars a million tokens by `provider/model`: input, cached, output." },
    { COGENT_OPT_JSON, "tools", NULL, AT(tools),
      "Tool files (`.lua`) and tool plugins (`.so`). Default: the shipped `tools/erp.lua`." },
    { COGENT_OPT_STRING, "plugins", NULL, AT(plugins), "Folder of the shipped plugins." },
    { COGENT_OPT_STRING, "entities", NULL, AT(entities), "Folder of kinds of records, one file each." },
    { COGENT_OPT_STRING, "policies", NULL, AT(policies), "Bundle of a tenant without one of its own." },
    { COGENT_OPT_STRING, "rules", NULL, AT(rules), "Folder of the rules provider's files." },
    { COGENT_OPT_JSON, "limits", "{}", AT(limits), "What one question and one tenant may use: see limits." },
    { COGENT_OPT_JSON, "tenants", "{}", AT(tenants),
      "Tenants by name, at least one: erp_url, web_url, locale, currency, time_zone; and what tools name." },
    { 0 },
};

#define AUTH(member) offsetof(struct cg_config_auth, member)
static const struct cogent_option auth_options[] = {
    { COGENT_OPT_STRING, "issuer", NULL, AUTH(issuer), "The token's `iss` must equal it." },
    { COGENT_OPT_STRING, "audience", NULL, AUTH(audience), "The token's `aud` must hold it." },
    { COGENT_OPT_SECRET, "secret", NULL, AUTH(secret),
      "HS256 secret of 32 bytes or more: `file \"PATH\"`. Or `keys`, never both." },
    { COGENT_OPT_JSON, "keys", NULL, AUTH(keys),
      "The issuer's public keys, a PEM file each (key or certificate): RSA of 2048 bits or more (RS256), P-256 "
      "(ES256), Ed25519 (EdDSA)." },
    { COGENT_OPT_STRING, "jwks", NULL, AUTH(jwks),
      "Address of the issuer's key set (JWKS), https. Read at the start, every ten minutes, and when a token names a key that "
      "is not in it, at most once a minute. A look that fails is logged (`jwks.failed`) and tried again after a second, then two, four, up to "
      "ten minutes. In place of `secret` and `keys`; wants `issuer` and `audience`; holds no user name." },
    { COGENT_OPT_STRING, "tenant", "/tenant_id", AUTH(tenant), "JSON pointer to the tenant's name." },
    { COGENT_OPT_STRING, "user", "/sub", AUTH(user), "JSON pointer to the user's id." },
    { COGENT_OPT_STRING, "permissions", "/permissions", AUTH(permissions),
      "JSON pointer to the permissions; else `scope`." },
    { COGENT_OPT_STRING, "roles", "/roles", AUTH(roles), "JSON pointer to the roles." },
    { 0 },
};

#define SOCKET(member) offsetof(struct cg_config_socket, member)
static const struct cogent_option socket_options[] = {
    { COGENT_OPT_STRING, "mode", "0660", SOCKET(mode), "Permissions, octal: whoever may write may ask." },
    { COGENT_OPT_STRING, "group", NULL, SOCKET(group), "Group by name. Default: that of the process." },
    { 0 },
};

#define HTTP(member) offsetof(struct cg_config_http, member)
static const struct cogent_option http_options[] = {
    { COGENT_OPT_INT, "connections", "8192", HTTP(connections),
      "Connections of a worker. Who comes then takes the place of whoever has waited for longest without a request; when "
      "nobody has, they are told 503. Never more than three quarters of the descriptors (`ulimit -n`)." },
    { COGENT_OPT_INT, "peer_connections", "1024", HTTP(peer_connections),
      "Of them, those of one address (of IPv6: of one /64); more are told 429. `0`: any number. Unix sockets have no "
      "address." },
    { COGENT_OPT_JSON, "trusted_proxies", "[\"127.0.0.0/8\", \"::1\"]", HTTP(trusted_proxies),
      "Addresses and networks to which `peer_connections` does not apply: proxies and backends that speak for many. Nothing "
      "that they say is believed for it: no `X-Forwarded-For` is read, here or elsewhere." },
    { COGENT_OPT_INT, "requests", "100000", HTTP(requests), "Requests of a connection; then it is closed." },
    { COGENT_OPT_STRING, "head", "10s", HTTP(head),
      "Time for a whole head, from its first byte, and for that byte on a new connection." },
    { COGENT_OPT_INT, "body_rate", "1024", HTTP(body_rate),
      "Bytes a second that a body must keep up, after its first five seconds." },
    { COGENT_OPT_STRING, "idle", "75s", HTTP(idle), "How long a connection is kept between requests." },
    { COGENT_OPT_STRING, "write", "30s", HTTP(write),
      "A client that takes nothing of its answer for so long is gone." },
    { 0 },
};

#define LIMIT(member) offsetof(struct cg_config_limits, member)
static const struct cogent_option limit_options[] = {
    { COGENT_OPT_INT, "steps", "8", LIMIT(steps), "Model turns of a question." },
    { COGENT_OPT_INT, "calls", "24", LIMIT(calls), "Tool calls of a question." },
    { COGENT_OPT_INT, "tokens", "200000", LIMIT(tokens), "Tokens of a question, in and out." },
    { COGENT_OPT_INT, "seconds", "120", LIMIT(seconds),
      "Wall time of a question, without waiting for people." },
    { COGENT_OPT_INT, "runs", "64", LIMIT(runs), "Questions of a tenant at a time." },
    { COGENT_OPT_INT, "calls_per_hour", "10000", LIMIT(calls_per_hour), "Questions of a tenant an hour." },
    { COGENT_OPT_INT, "question_bytes", "32768", LIMIT(question_bytes), "Bytes of a question." },
    { COGENT_OPT_STRING, "approval", "24h", LIMIT(approval), "How long an approval waits." },
    { 0 },
};

void cg_config_reference(struct cg_buf *out)
{
    static const struct {
        const char *title;
        const struct cogent_option *table;
    } parts[] = { { "The file", root_options },
                  { "socket", socket_options },
                  { "http", http_options },
                  { "auth", auth_options },
                  { "limits", limit_options } };
    cg_buf_text(
        out,
        "# Configuration\n\nMade by `cogentd --config-reference`; not edited by hand. The file is Lua and returns a "
        "table; `env \"NAME\"` and `file \"PATH\"` read secrets. An unknown key is an error that names the nearest "
        "known one. Relative paths begin at the file's folder. A duration is a number with its unit: `ms`, `s`, `m`, `h` or "
        "`d`.\n\n"
        "`cogentd --check-config` says what is wrong, and in which file and key; a start and a reload (SIGHUP) refuse the "
        "same, and a reload that is refused changes nothing. It opens and makes nothing, so what only a start can find out is "
        "left to that: an address that is taken, a host's name that nobody knows, a state folder or a database that cannot "
        "be made.\n\n"
        "A reload takes up every key but `listen`, `socket`, `metrics` and `state`: the master opens doors and locks its folder once. "
        "Where one of these has changed, the log says `reload.needs_restart` and names it (`keys`). `env` reads the environment "
        "that the server was started with.\n");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        cg_buf_printf(out, "\n## %s\n\n", parts[i].title);
        cg_options_markdown(parts[i].table, out);
    }
}

char *cg_config_path(const struct cg_config *config, const char *path)
{
    struct cg_buf out = { 0 };
    if (path[0] != '/' && config->folder)
        cg_buf_printf(&out, "%s/", config->folder);
    cg_buf_text(&out, path);
    return cg_buf_steal(&out);
}

char *cg_config_address(const struct cg_config *config, const char *where)
{
    struct cg_buf out = { 0 };
    if (strncmp(where, "unix:", 5) == 0 && where[5] && where[5] != '/')
        cg_buf_printf(&out, "unix:%s/%s", config->state, where + 5);
    else
        cg_buf_text(&out, where);
    return cg_buf_steal(&out);
}

int cg_config_blame(const char *path, struct cg_err *err)
{
    const struct cg_err inner = *err;
    if (path && inner.message[0] != '/' && strncmp(inner.message, path, strlen(path)) != 0)
        cg_err_set(err, inner.code, "%s: %s", path, inner.message);
    return inner.code;
}

static char *below(const char *folder, const char *name)
{
    struct cg_buf out = { 0 };
    cg_buf_printf(&out, "%s/%s", folder, name);
    return cg_buf_steal(&out);
}

/* Unset: the shipped one; set: relative to the file. */
static void settle_path(const struct cg_config *c, char **at, const char *folder, const char *preset)
{
    char *path = *at ? cg_config_path(c, *at) : below(folder, preset);
    free(*at);
    *at = path;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return cg_str_dup(cogent_str("."));
    return cg_str_dup((struct cogent_str){ path, slash == path ? 1 : (size_t)(slash - path) });
}

static const char *env_or(const char *name, const char *preset)
{
    const char *value = getenv(name);
    return value && *value ? value : preset;
}

static int fill_section(const struct cogent_option *table, const char *json, void *out, const char *where,
                        struct cg_err *err)
{
    cg_auto_json value = cg_json_parse(cogent_str(json), err);
    return value ? cg_options_fill(table, value, out, where, err) : COGENT_INVALID;
}

static bool is_list(const char *text)
{
    cg_auto_json value = cg_json_parse(cogent_str(text), NULL);
    return json_is_array(value) || (json_is_object(value) && json_object_size(value) == 0); /* Lua: {} */
}

/* A number alone would be seconds, which nobody can see: "24" was meant for hours. */
static int64_t duration_of(const char *text)
{
    size_t n = strlen(text);
    return n && text[n - 1] >= '0' && text[n - 1] <= '9' ? -1 : cg_duration_parse(cogent_str(text));
}

/* A limit of nothing would refuse every question with words that blame the asker. */
static int check_limits(const struct cg_config_limits *l, struct cg_err *err)
{
    const struct {
        const char *name;
        int64_t value;
    } all[] = { { "steps", l->steps },
                { "calls", l->calls },
                { "tokens", l->tokens },
                { "seconds", l->seconds },
                { "runs", l->runs },
                { "calls_per_hour", l->calls_per_hour },
                { "question_bytes", l->question_bytes } };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].value < 1)
            return cg_err_set(err, COGENT_INVALID, "limits: %s must be 1 or more", all[i].name);
    }
    if (duration_of(l->approval) <= 0)
        return cg_err_set(
            err, COGENT_INVALID,
            "limits: approval must be a duration with its unit such as \"24h\" (ms, s, m, h, d)");
    return 0;
}

/* Paths of the issuer's keys begin at the file's folder, as all others. */
static int settle_keys(struct cg_config *c, struct cg_err *err)
{
    size_t i;
    json_t *name;
    if (!c->auth_options.keys)
        return 0;
    cg_auto_json list = cg_json_parse(cogent_str(c->auth_options.keys), err);
    c->auth_keys = json_array();
    json_array_foreach (list, i, name) {
        cg_auto_free char *path = json_is_string(name) ? cg_config_path(c, json_string_value(name)) : NULL;
        if (!path)
            return cg_err_set(err, COGENT_INVALID, "auth: keys must be a list of files: { \"issuer.pem\" }");
        json_array_append_new(c->auth_keys, json_string(path));
    }
    return json_array_size(c->auth_keys)
               ? 0
               : cg_err_set(err, COGENT_INVALID, "auth: keys must be a list of files: { \"issuer.pem\" }");
}

static int check_socket(const struct cg_config_socket *s, struct cg_err *err)
{
    char *end;
    unsigned long mode = strtoul(s->mode, &end, 8);
    if (!*s->mode || *end || mode > 0777 || (mode & 0600) != 0600)
        return cg_err_set(
            err, COGENT_INVALID,
            "socket: mode must be octal such as \"0660\", and the owner must be able to open it");
    return 0;
}

static int read_networks(struct cg_config *c, struct cg_err *err)
{
    size_t i;
    json_t *name;
    cg_auto_json list = cg_json_parse(cogent_str(c->http_options.trusted_proxies), err);
    c->trusted = calloc(json_array_size(list) + 1, sizeof *c->trusted);
    if (!c->trusted)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    if (!is_list(c->http_options.trusted_proxies))
        return cg_err_set(err, COGENT_INVALID, "http: trusted_proxies must be a list: { \"10.0.0.0/8\" }");
    json_array_foreach (list, i, name) {
        const char *text = json_string_value(name);
        if (!cg_net_parse(cogent_str(text), &c->trusted[i]))
            return cg_err_set(err, COGENT_INVALID,
                              "http: trusted_proxies: \"%.64s\" is neither an address nor a network such as "
                              "\"10.0.0.0/8\" (with nothing behind its /8)",
                              text ? text : "?");
    }
    c->n_trusted = json_array_size(list);
    return 0;
}

static int check_http(const struct cg_config_http *h, struct cg_err *err)
{
    const struct {
        const char *name;
        int64_t value, least, most;
    } numbers[] = { { "connections", h->connections, 1, 1000000 },
                    { "peer_connections", h->peer_connections, 0, 1000000 },
                    { "requests", h->requests, 1, 1000000000 },
                    { "body_rate", h->body_rate, 1, 1000000000 } };
    const struct {
        const char *name, *value;
    } times[] = { { "head", h->head }, { "idle", h->idle }, { "write", h->write } };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i].value < numbers[i].least || numbers[i].value > numbers[i].most)
            return cg_err_set(err, COGENT_INVALID, "http: %s must be %lld to %lld", numbers[i].name,
                              (long long)numbers[i].least, (long long)numbers[i].most);
    }
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        int64_t ms = duration_of(times[i].value);
        if (ms <= 0 || ms > 86400000)
            return cg_err_set(
                err, COGENT_INVALID,
                "http: %s must be a duration with its unit such as \"30s\" (ms, s, m, h, d), of at "
                "most a day",
                times[i].name);
    }
    return 0;
}

static int count_workers(struct cg_config *c, struct cg_err *err)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN), n = 0;
    if (strcmp(c->workers, "\"auto\"") == 0)
        n = online > 0 ? online : 1;
    else
        n = strtol(c->workers, NULL, 10);
    if (n < 1 || n > 16 || c->jobs < 0 || c->jobs > 8)
        return cg_err_set(err, COGENT_INVALID, "workers must be \"auto\" or 1 to 16, jobs 0 to 8");
    if (c->worker_memory && (c->worker_memory < 64 || c->worker_memory > 1048576))
        return cg_err_set(err, COGENT_INVALID,
                          "worker_memory must be 0 or 64 to 1048576 MiB: a worker that has just begun has "
                          "some 20");
    c->n_workers = (unsigned)n;
    return 0;
}

static int settle(struct cg_config *c, struct cg_err *err)
{
    settle_path(c, &c->state, "", "");
    settle_path(c, &c->keys, c->state, "keys");
    settle_path(c, &c->database, c->state, "cogent.db");
    settle_path(c, &c->secrets, c->state, "secrets");
    settle_path(c, &c->entities, c->share, "entities");
    settle_path(c, &c->policies, c->share, "bundles/default");
    settle_path(c, &c->rules, c->share, "rules");
    if (c->ca)
        settle_path(c, &c->ca, "", "");
    if (!c->tools) {
        cg_auto_free char *erp = below(c->share, "tools/erp.lua");
        cg_auto_json list = json_pack("[s]", erp);
        c->tools = cg_json_text(list);
    }
    if (c->plugins) {
        free(c->modules);
        c->modules = cg_config_path(c, c->plugins);
    }
    if (cg_log_level_parse(c->log) < 0)
        return cg_err_set(err, COGENT_INVALID, "log: \"%.64s\" is no level: error, warn, info or debug",
                          c->log);
    if (strncmp(c->database, "postgres", 8) == 0)
        return cg_err_set(err, COGENT_INVALID,
                          "database: only a file of the embedded database is supported so far");
    int rc = fill_section(auth_options, c->auth, &c->auth_options, "auth", err);
    if (rc == 0)
        rc = settle_keys(c, err);
    if (rc == 0)
        rc = fill_section(limit_options, c->limits, &c->limit_options, "limits", err);
    if (rc == 0)
        rc = fill_section(socket_options, c->socket, &c->socket_options, "socket", err);
    if (rc == 0)
        rc = check_socket(&c->socket_options, err);
    if (rc == 0)
        rc = fill_section(http_options, c->http, &c->http_options, "http", err);
    if (rc == 0)
        rc = check_http(&c->http_options, err);
    if (rc == 0)
        rc = read_networks(c, err);
    if (rc == 0)
        rc = check_limits(&c->limit_options, err);
    if (rc == 0 && (!is_list(c->listen) || !is_list(c->tools)))
        rc = cg_err_set(err, COGENT_INVALID, "%s must be a list: { \"...\" }",
                        is_list(c->listen) ? "tools" : "listen");
    return rc == 0 ? count_workers(c, err) : rc;
}

int cg_config_load(struct cg_files *files, const char *path, struct cg_config **out, struct cg_err *err)
{
    static const char fallback[] = "/etc/cogent/cogent.lua";
    *out = NULL;
    struct cg_config *c = calloc(1, sizeof *c);
    if (!c)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    if (!path)
        path = getenv("COGENT_CONFIG");
    if (path && !*path)
        path = NULL;
    if (!path && access(fallback, R_OK) == 0)
        path = fallback;
    c->share = cg_str_dup(cogent_str(env_or("COGENT_SHARE", CG_SHARE_DIR)));
    c->modules = cg_str_dup(cogent_str(env_or("COGENT_PLUGINS", CG_PLUGIN_DIR)));
    int rc = 0;
    if (path) {
        c->path = cg_str_dup(cogent_str(path));
        c->folder = folder_of(path);
        rc = cg_files_load(files, path, "config", &c->root, err);
    }
    if (rc == 0)
        rc = cg_options_fill(root_options, c->root, c, path ? path : "configuration", err);
    if (rc == 0)
        rc = settle(c, err);
    if (rc < 0) {
        cg_config_blame(path, err);
        cg_config_destroy(c);
        return rc;
    }
    *out = c;
    return 0;
}

void cg_config_destroy(struct cg_config *c)
{
    if (!c)
        return;
    cg_options_finish(root_options, c);
    cg_options_finish(auth_options, &c->auth_options);
    cg_options_finish(limit_options, &c->limit_options);
    cg_options_finish(socket_options, &c->socket_options);
    cg_options_finish(http_options, &c->http_options);
    free(c->trusted);
    json_decref(c->auth_keys);
    json_decref(c->root);
    free(c->path);
    free(c->folder);
    free(c->share);
    free(c->modules);
    free(c);
}
