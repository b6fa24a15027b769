/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include "library.h"
#include "load.h"

#include <stdlib.h>

enum { SOURCE_MAX = 1024 * 1024, FILE_MAX = 64 * 1024 };

/* What was loaded, to load it again into a new box when the old one hit its cap. */
struct source {
    char *path, *folder, *name;
    char *text;
    size_t len;
};

struct cg_files {
    struct cg_box *box;
    struct source *sources;
    size_t n;
};

/* --- env and file --- */

static void only_at_load(lua_State *L, const char *what)
{
    if (!cg_box_of(L)->folder)
        luaL_error(L, "%s: only while the file is loaded, not inside a function that runs later", what);
}

/* env "NAME", or env("NAME", preset) */
static int files_env(lua_State *L)
{
    only_at_load(L, "env");
    const char *name = luaL_checkstring(L, 1), *value = getenv(name);
    if (value)
        lua_pushstring(L, value);
    else if (lua_gettop(L) >= 2)
        lua_settop(L, 2);
    else
        return luaL_error(L, "env \"%s\" is not set; set it, or give a preset: env(\"%s\", null)", name,
                          name);
    return 1;
}

/* Nothing may raise while C memory is held: the text is pushed by a protected call of its own. */
static int push_text(lua_State *L)
{
    const struct cg_buf *text = lua_touserdata(L, 1);
    size_t len = text->len;
    if (len && text->ptr[len - 1] == '\n')
        len--;
    if (len && text->len != len && text->ptr[len - 1] == '\r')
        len--;
    lua_pushlstring(L, text->ptr ? text->ptr : "", len);
    return 1;
}

static int files_file(lua_State *L)
{
    only_at_load(L, "file");
    const char *name = luaL_checkstring(L, 1);
    char path[4096];
    struct cg_buf text = { 0 };
    struct cg_err err = { 0 };
    snprintf(path, sizeof path, "%s%s%s", name[0] == '/' ? "" : cg_box_of(L)->folder,
             name[0] == '/' ? "" : "/", name);
    lua_pushcfunction(L, push_text);
    lua_pushlightuserdata(L, &text);
    if (cg_load_read(path, FILE_MAX, true, &text, &err)) {
        cg_buf_finish(&text);
        return luaL_error(L, "file: %s", err.message);
    }
    int status = lua_pcall(L, 1, 1, 0);
    cg_buf_finish(&text);
    return status == LUA_OK ? 1 : lua_error(L);
}

void cg_helpers_files(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "env", files_env },
        { "file", files_file },
        { NULL, NULL },
    };
    luaL_setfuncs(L, functions, 0);
}

/* --- life --- */

int cg_files_create(struct cg_files **out, struct cg_err *err)
{
    struct cg_files *files = calloc(1, sizeof *files);
    *out = NULL;
    if (!files || cg_box_create(&cg_box_operator, &files->box)) {
        cg_files_destroy(files);
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    }
    *out = files;
    return 0;
}

static void source_finish(struct source *source)
{
    free(source->path);
    free(source->folder);
    free(source->name);
    free(source->text);
}

void cg_files_destroy(struct cg_files *files)
{
    if (!files)
        return;
    for (size_t i = 0; i < files->n; i++)
        source_finish(&files->sources[i]);
    free(files->sources);
    cg_box_destroy(files->box);
    free(files);
}

/* --- loading --- */

static int run(struct cg_files *files, const struct source *source, json_t **out, struct cg_err *err)
{
    struct cg_load load = { .source = { source->text, source->len },
                            .file = source->path,
                            .folder = source->folder,
                            .prefix = source->name,
                            .keep = true };
    return cg_load_run(files->box, &load, out, err);
}

/* A box that hit its cap is closed; what it knew is loaded into another. */
static int mend(struct cg_files *files, struct cg_err *err)
{
    if (files->box && !files->box->broken)
        return 0;
    cg_box_destroy(files->box);
    files->box = NULL;
    if (cg_box_create(&cg_box_operator, &files->box))
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < files->n; i++) {
        json_t *table = NULL;
        int rc = run(files, &files->sources[i], &table, err);
        json_decref(table);
        if (rc)
            return rc;
    }
    return 0;
}

static int drop_functions(lua_State *L)
{
    cg_functions_drop(L, lua_touserdata(L, 1));
    return 0;
}

static int remember(struct cg_files *files, struct source *source, struct cg_err *err)
{
    for (size_t i = 0; i < files->n; i++) {
        if (strcmp(files->sources[i].name, source->name) == 0) {
            source_finish(&files->sources[i]);
            files->sources[i] = *source;
            return 0;
        }
    }
    struct source *grown = realloc(files->sources, (files->n + 1) * sizeof *grown);
    if (!grown)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    files->sources = grown;
    files->sources[files->n++] = *source;
    return 0;
}

static struct cogent_str folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return cogent_str(".");
    return (struct cogent_str){ path, slash == path ? 1 : (size_t)(slash - path) };
}

int cg_files_load(struct cg_files *files, const char *path, const char *name, json_t **out,
                  struct cg_err *err)
{
    struct cg_buf text = { 0 };
    char why[64];
    *out = NULL;
    int rc = mend(files, err);
    if (rc == 0)
        rc = cg_load_read(path, SOURCE_MAX, true, &text, err);
    if (rc) {
        cg_buf_finish(&text);
        return rc;
    }
    struct source source = { .path = cg_str_dup(cogent_str(path)),
                             .folder = cg_str_dup(folder_of(path)),
                             .name = cg_str_dup(cogent_str(name)),
                             .len = text.len };
    source.text = text.len ? cg_buf_steal(&text) : cg_str_dup((struct cogent_str){ "", 0 });
    if (!source.path || !source.folder || !source.name || !source.text) {
        rc = cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    } else {
        cg_box_run(files->box, drop_functions, source.name, why, sizeof why);
        rc = files->box->broken ? mend(files, err) : 0;
        if (rc == 0)
            rc = run(files, &source, out, err);
        if (rc == 0)
            rc = remember(files, &source, err);
    }
    if (rc) {
        source_finish(&source);
        json_decref(*out);
        *out = NULL;
    }
    return rc;
}

int cg_files_load_folder(struct cg_files *files, const char *folder, const char *prefix, json_t **out,
                         struct cg_err *err)
{
    cg_auto_json names = NULL;
    json_t *all = json_object(), *name;
    size_t i;
    *out = NULL;
    int rc = cg_load_list(folder, 0, &names, err);
    json_array_foreach (names, i, name) {
        char path[4096], reference[256];
        json_t *table = NULL;
        struct cogent_str stem = cogent_str(json_string_value(name));
        stem.len -= 4;
        snprintf(path, sizeof path, "%s/%s", folder, json_string_value(name));
        snprintf(reference, sizeof reference, "%s/%.*s", prefix, (int)stem.len, stem.ptr);
        if (rc == 0)
            rc = cg_files_load(files, path, reference, &table, err);
        if (rc == 0)
            json_object_set_new(all, strrchr(reference, '/') + 1, table);
    }
    if (rc)
        json_decref(all);
    else
        *out = all;
    return rc;
}

/* --- calling --- */

struct call {
    const char *reference;
    const json_t *args;
    bool spread, found;
    struct cg_take take;
};

static int call_function(lua_State *L)
{
    struct call *call = lua_touserdata(L, 1);
    int n = 1;
    call->found = cg_function_push(L, call->reference);
    if (!call->found)
        return 0;
    if (call->spread) {
        n = (int)json_array_size(call->args);
        luaL_checkstack(L, n + 8, NULL);
        for (int i = 0; i < n; i++)
            cg_value_push(L, json_array_get(call->args, (size_t)i));
    } else {
        cg_value_push(L, call->args);
    }
    lua_call(L, n, 1);
    cg_value_take(L, -1, &call->take);
    return 0;
}

int cg_files_call(struct cg_files *files, const char *reference, const json_t *args, bool spread,
                  json_t **out, struct cg_err *err)
{
    struct call call = { .reference = reference,
                         .args = args,
                         .spread = spread && json_is_array(args),
                         .take = { .what = reference } };
    char why[256];
    *out = NULL;
    int rc = mend(files, err);
    if (rc)
        return rc;
    enum cg_end end = cg_box_run(files->box, call_function, &call, why, sizeof why);
    if (end != CG_END_FINE) {
        json_decref(call.take.root);
        return cg_err_set(err, end == CG_END_ERROR ? COGENT_INVALID : COGENT_LIMIT, "%.100s: %s", reference,
                          why);
    }
    if (!call.found)
        return cg_err_set(err, COGENT_NOT_FOUND, "%.100s: there is no such function", reference);
    *out = call.take.root;
    return 0;
}
