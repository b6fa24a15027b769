/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle.h"

#include "load.h"
#include "roles.h"

#include "engine/base/hash.h"

#include <stdlib.h>

void cg_bundle_destroy(struct cg_bundle *bundle)
{
    if (!bundle)
        return;
    for (size_t i = 0; i < bundle->n; i++)
        cg_script_finish(&bundle->decisions[i]);
    for (size_t i = 0; i < bundle->n_templates; i++)
        cg_template_finish(&bundle->templates[i]);
    free(bundle->decisions);
    free(bundle->templates);
    free(bundle->order);
    json_decref(bundle->roles);
    free(bundle);
}

struct loading {
    struct cg_bundle *bundle;
    const char *folder;
    struct cg_box *box;
    struct cg_buf hashed; /* path and contents of every file, each with its length before it */
};

static int run(struct loading *l, struct cogent_str source, const char *file, bool functions, json_t **out,
               struct cg_err *err)
{
    struct cg_load load = { .source = source, .file = file, .prefix = functions ? "" : NULL };
    if (!l->box || l->box->broken) {
        cg_box_destroy(l->box);
        if (cg_box_create(&cg_box_tenant, &l->box))
            return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    }
    return cg_load_run(l->box, &load, out, err);
}

static bool is_word(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!(s[i] >= 'a' && s[i] <= 'z') && !(s[i] >= '0' && s[i] <= '9') && s[i] != '_')
            return false;
    return len >= 1 && len <= 40;
}

enum { SHOWN = 56 }; /* of a path: what Lua keeps of a file's name */

/* "sales/invoice_limit.lua" -> the decision's name. */
static int name_script(struct cg_script *script, const char *file, const char *shown, struct cg_err *err)
{
    const char *slash = strchr(file, '/');
    size_t len = strlen(file) - 4;
    bool ok = slash && is_word(file, (size_t)(slash - file)) &&
              is_word(slash + 1, len - (size_t)(slash + 1 - file));
    if (!ok)
        return cg_err_set(err, COGENT_INVALID,
                          "%s: a decision is policies/<group>/<decision>.lua, in small letters, digits and _",
                          shown);
    snprintf(script->name, sizeof script->name, "%.*s", (int)len, file);
    snprintf(script->file, sizeof script->file, "%s", strlen(shown) <= SHOWN ? shown : file);
    return 0;
}

/* shown: what messages call it. */
static int add_decision(struct loading *l, const char *file, const char *shown, struct cg_buf *source,
                        struct cg_err *err)
{
    struct cg_bundle *bundle = l->bundle;
    json_t *table = NULL;
    if (bundle->n >= CG_BUNDLE_DECISIONS)
        return cg_err_set(err, COGENT_INVALID, "more than %d decisions", CG_BUNDLE_DECISIONS);
    struct cg_script *script = &bundle->decisions[bundle->n];
    int rc = name_script(script, file, shown, err);
    if (rc)
        return rc;
    bundle->n++;
    rc = run(l, cg_buf_view(source), script->file, true, &table, err);
    if (rc == 0)
        rc = cg_script_read(script, table, err);
    script->len = source->len;
    script->source = source->len ? cg_buf_steal(source) : cg_str_dup((struct cogent_str){ "", 0 });
    json_decref(table);
    return rc;
}

static int add_template(struct loading *l, const char *file, struct cogent_str source, struct cg_err *err)
{
    json_t *table = NULL;
    struct cg_bundle *bundle = l->bundle;
    struct cg_template *grown =
        realloc(bundle->templates, (bundle->n_templates + 1) * sizeof *bundle->templates);
    if (!grown)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    bundle->templates = grown;
    int rc = run(l, source, file, false, &table, err);
    if (rc)
        return rc;
    grown[bundle->n_templates] = (struct cg_template){ 0 };
    rc = cg_template_read(&grown[bundle->n_templates++], file, source, table, bundle->roles, err);
    json_decref(table);
    return rc;
}

static bool below(const char *path, const char *folder)
{
    return strncmp(path, folder, strlen(folder)) == 0;
}

static int add_file(struct loading *l, const char *path, struct cg_err *err)
{
    cg_auto_buf source = { 0 };
    char full[4096];
    snprintf(full, sizeof full, "%s/%s", l->folder, path);
    int rc = cg_load_read(full, CG_BUNDLE_FILE, false, &source, err);
    if (rc)
        return rc;
    cg_buf_printf(&l->hashed, "%zu:", strlen(path));
    cg_buf_text(&l->hashed, path);
    cg_buf_printf(&l->hashed, " %zu:", source.len);
    cg_buf_str(&l->hashed, cg_buf_view(&source));
    if (strcmp(path, "roles.lua") == 0) {
        json_decref(l->bundle->roles);
        l->bundle->roles = NULL;
        rc = run(l, cg_buf_view(&source), path, false, &l->bundle->roles, err);
        return rc ? rc : cg_roles_check(l->bundle->roles, err);
    }
    if (below(path, "policies/"))
        return add_decision(l, path + strlen("policies/"), path + strlen("policies/"), &source, err);
    if (below(path, "templates/"))
        return add_template(l, path, cg_buf_view(&source), err);
    return 0; /* rules and entities are others' to read; the version covers them */
}

/* roles.lua first: a template's name is understood by them. */
static int add_files(struct loading *l, json_t *paths, struct cg_err *err)
{
    size_t i;
    json_t *path;
    for (int round = 0; round < 2; round++) {
        json_array_foreach (paths, i, path) {
            bool is_roles = strcmp(json_string_value(path), "roles.lua") == 0;
            int rc = is_roles == (round == 0) ? add_file(l, json_string_value(path), err) : 0;
            if (rc)
                return rc;
        }
    }
    return 0;
}

static void set_version(struct cg_bundle *bundle, const char *folder, struct cogent_str hashed)
{
    unsigned char hash[CG_SHA256_SIZE];
    char hex[9];
    size_t end = strlen(folder);
    while (end > 1 && folder[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && folder[start - 1] != '/')
        start--;
    cg_sha256(hashed, hash);
    cg_hex(hash, 4, hex);
    snprintf(bundle->version, sizeof bundle->version, "%.*s@%s", (int)(end - start > 64 ? 64 : end - start),
             folder + start, hex);
}

static struct cg_bundle *make(void)
{
    struct cg_bundle *bundle = calloc(1, sizeof *bundle);
    if (bundle) {
        bundle->roles = json_object();
        bundle->decisions = calloc(CG_BUNDLE_DECISIONS, sizeof *bundle->decisions);
    }
    if (bundle && !bundle->decisions) {
        cg_bundle_destroy(bundle);
        return NULL;
    }
    return bundle;
}

int cg_bundle_load(const char *folder, struct cg_bundle **out, struct cg_err *err)
{
    struct loading l = { .folder = folder, .bundle = make() };
    json_t *paths = NULL;
    *out = NULL;
    int rc =
        l.bundle ? cg_load_list(folder, 2, &paths, err) : cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    if (rc == 0)
        rc = add_files(&l, paths, err);
    if (rc == 0)
        rc = cg_bundle_sort(l.bundle, true, err);
    if (rc == 0 && l.hashed.failed)
        rc = cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    if (rc == 0)
        set_version(l.bundle, folder, cg_buf_view(&l.hashed));
    json_decref(paths);
    cg_box_destroy(l.box);
    cg_buf_finish(&l.hashed);
    if (rc)
        cg_bundle_destroy(l.bundle);
    else
        *out = l.bundle;
    return rc;
}

/* The last two names of a path: what a decision is called when its file stands alone. */
static const char *tail(const char *path)
{
    const char *at = path + strlen(path);
    for (int slashes = 0; at > path; at--)
        if (at[-1] == '/' && ++slashes == 2)
            return at;
    return at;
}

int cg_bundle_load_file(const char *path, struct cg_bundle **out, struct cg_err *err)
{
    struct loading l = { .bundle = make() };
    cg_auto_buf source = { 0 };
    char name[128];
    *out = NULL;
    const char *file = tail(path);
    snprintf(name, sizeof name, "%s%s", strchr(file, '/') ? "" : "file/", file);
    int rc = l.bundle ? cg_load_read(path, CG_BUNDLE_FILE, true, &source, err)
                      : cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    if (rc == 0)
        rc = add_decision(&l, name, path, &source, err);
    if (rc == 0)
        rc = cg_bundle_sort(l.bundle, false, err);
    cg_box_destroy(l.box);
    if (rc)
        cg_bundle_destroy(l.bundle);
    else
        *out = l.bundle;
    return rc;
}
