/* SPDX-License-Identifier: Apache-2.0
 * cogent doctor: looks at everything and says what is wrong and what to do. Files here; the database and the network
 * have files of their own. */
#include "doctor.h"

#include "command.h"
#include "out.h"

#include "engine/base/keys.h"
#include "engine/config_check.h"
#include "engine/svc/auth.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { DISK_LEAST_MB = 256 };

void cg_doctor_add(struct cg_doctor *doctor, const char *check, bool ok, const char *what, const char *format,
                   ...)
{
    char says[600];
    va_list ap;
    va_start(ap, format);
    vsnprintf(says, sizeof says, format, ap);
    va_end(ap);
    json_t *row =
        json_pack("{s:s, s:b, s:s, s:s}", "check", check, "ok", (int)ok, "says", says, "do", ok ? "" : what);
    if (row)
        json_array_append_new(doctor->found, row);
}

static const char *shown_path(const struct cg_doctor *d)
{
    return d->path ? d->path : "the embedded default";
}

static bool check_config(struct cg_doctor *d)
{
    struct cg_err err = { 0 };
    int rc = cg_files_create(&d->files, &err);
    if (rc == 0)
        rc = cg_config_load(d->files, d->path, &d->config, &err);
    if (rc == 0)
        rc = cg_config_check(d->config, &err);
    if (rc < 0)
        cg_doctor_add(d, "configuration", false,
                      "mend the file at the place named; docs: cogentd --config-reference", "%s",
                      err.message);
    else
        cg_doctor_add(d, "configuration", true, "", "%s is in order", shown_path(d));
    return d->config != NULL;
}

static void check_parts(struct cg_doctor *d)
{
    struct cg_err err = { 0 };
    struct cg_auth *auth = NULL;
    cg_auto_buf keys = { 0 };
    int rc = cg_parts_load(&d->parts, d->files, d->config, &err);
    d->parts_ok = rc == 0;
    if (rc == 0)
        cg_doctor_add(d, "parts", true, "", "%zu tools, %zu kinds of records, %zu tenants, policies %s",
                      cg_tool_count(d->parts.plugins), cg_kind_count(d->parts.kinds),
                      cg_tenants_count(d->parts.tenants), cg_policy_version(d->parts.policy));
    else
        cg_doctor_add(d, "parts", false,
                      "mend what the message names; plugins lie in COGENT_PLUGINS, data in COGENT_SHARE",
                      "%s", err.message);
    rc = d->parts_ok ? cg_parts_auth(&d->parts, d->config, &auth, &err) : 0;
    d->jwks = auth && d->config->auth_options.jwks;
    if (auth)
        cg_auth_describe(auth, &keys);
    if (auth && !d->jwks)
        cg_doctor_add(d, "auth", true, "", "tokens can be verified: %s", cg_buf_view(&keys).ptr);
    else if (d->parts_ok && !auth)
        cg_doctor_add(
            d, "auth", false,
            "set auth.secret = file \"PATH\" (32 bytes or more), auth.keys = { \"PATH\" }, or auth.jwks = \"https://...\"",
            "%s", err.message);
    cg_auth_destroy(auth);
}

/* A row of a kind that is not there is shown without a citation. */
static void check_cites(struct cg_doctor *d)
{
    for (size_t i = 0; i < cg_tool_count(d->parts.plugins); i++) {
        const struct cogent_tool *tool = cg_tool_get(d->parts.plugins, i)->api;
        if (tool->cite && !cg_kind_find(d->parts.kinds, tool->cite))
            cg_doctor_add(
                d, "cite", false, "mend the tool's cite, or add the kind's file to the entities folder",
                "tool %s cites \"%s\", and there is no such kind of record", tool->name, tool->cite);
    }
}

/* No mistake, but somebody must have meant it. */
static void check_rights(struct cg_doctor *d)
{
    cg_auto_json services = json_object();
    const char *name;
    json_t *count;
    for (size_t i = 0; i < cg_tool_count(d->parts.plugins); i++) {
        const struct cg_tool *tool = cg_tool_get(d->parts.plugins, i);
        bool shared = tool->api->as && strcmp(tool->api->as, "service") == 0 && !tool->api->hidden;
        int64_t before = cg_json_int(services, tool->service, 0);
        if (shared)
            json_object_set_new(services, tool->service, json_integer((json_int_t)before + 1));
    }
    json_object_foreach (services, name, count)
        cg_doctor_add(
            d, "rights", true, "",
            "service %s cannot tell users apart: with %lld of its tools Cogent's permissions are the only wall",
            name, (long long)json_integer_value(count));
}

static void check_keys(struct cg_doctor *d)
{
    struct cg_err err = { 0 };
    struct cg_keys *keys = NULL;
    if (access(d->config->keys, F_OK) != 0 && errno == ENOENT) {
        cg_doctor_add(d, "key ring", true, "", "%s: made at the server's first start", d->config->keys);
        return;
    }
    if (cg_keys_load(d->config->keys, &keys, &err) == 0)
        cg_doctor_add(d, "key ring", true, "", "%s, fingerprint %s", d->config->keys,
                      cg_keys_fingerprint(keys));
    else
        cg_doctor_add(d, "key ring", false, "run this as the server's user; the file must be 0600", "%s",
                      err.message);
    cg_keys_destroy(keys);
}

static void check_disk(struct cg_doctor *d)
{
    struct statvfs st;
    if (statvfs(d->config->state, &st) != 0) {
        bool later = errno == ENOENT;
        cg_doctor_add(d, "disk", later, "make the folder, or set state", "%s: %s", d->config->state,
                      later ? "made at the server's first start" : strerror(errno));
        return;
    }
    unsigned long long mb = (unsigned long long)st.f_bavail * st.f_frsize / (1024 * 1024);
    cg_doctor_add(d, "disk", mb >= DISK_LEAST_MB, "make room: the database needs some to work",
                  "%llu MB free in %s", mb, d->config->state);
    if (access(d->config->state, W_OK) != 0)
        cg_doctor_add(d, "state folder", false, "run this as the server's user, or give it the folder",
                      "%s: %s", d->config->state, strerror(errno));
}

static int report(const struct cg_doctor *d, bool json)
{
    size_t i, wrong = 0;
    json_t *row;
    if (json)
        cg_out_json(d->found);
    json_array_foreach (d->found, i, row) {
        bool ok = cg_json_bool(row, "ok", false);
        wrong += !ok;
        if (json)
            continue;
        printf("%s%-6s%s %-22s ", ok ? "" : cg_out_bold(), ok ? "ok" : "wrong", ok ? "" : cg_out_plain(),
               cg_json_str(row, "check", ""));
        cg_out_text(cg_json_str(row, "says", ""));
        putchar('\n');
        if (!ok)
            printf("       %-22s %s\n", "", cg_json_str(row, "do", ""));
    }
    return wrong ? CG_EXIT_FAILED : CG_EXIT_OK;
}

int cg_cli_doctor(int argc, char **argv)
{
    bool missing = false, json = cg_take_flag(&argc, argv, "--json");
    const char *path = cg_take_option(&argc, argv, "-c", &missing);
    if (missing || argc > 1)
        return cg_usage_word("doctor", argc > 1 ? argv[1] : NULL, "-c needs a file");
    struct cg_doctor d = { .path = path, .found = json_array() };
    cg_auto_free char *state = cg_place_state();
    cg_auto_buf near = { 0 };
    const char *set = getenv("COGENT_CONFIG");
    cg_buf_printf(&near, "%s/cogent.lua", state ? state : "");
    if (!path && set && *set)
        d.path = set;
    else if (!path && state && near.ptr && access(near.ptr, R_OK) == 0)
        d.path = near.ptr; /* a quickstart's */
    if (check_config(&d)) {
        check_keys(&d);
        check_disk(&d);
        check_parts(&d);
        if (d.parts_ok)
            check_cites(&d);
        if (d.parts_ok)
            check_rights(&d);
        cg_doctor_database(&d);
    }
    cg_doctor_network(&d);
    int rc = report(&d, json);
    cg_parts_finish(&d.parts);
    cg_config_destroy(d.config);
    cg_files_destroy(d.files);
    json_decref(d.found);
    return rc;
}
