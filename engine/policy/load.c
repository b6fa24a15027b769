/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FILES = 1000 };

struct job {
    const struct cg_load *load;
    struct cg_take take;
};

static int run_file(lua_State *L)
{
    struct job *job = lua_touserdata(L, 1);
    const struct cg_load *load = job->load;
    cg_box_compile(L, load->source, load->file);
    int chunk = lua_gettop(L);
    cg_box_fresh(L, chunk);
    lua_pushvalue(L, chunk);
    lua_call(L, 0, 1);
    if (!lua_istable(L, -1))
        return luaL_error(L, "%s: the file returns a %s, not a table", load->file, luaL_typename(L, -1));
    cg_value_take(L, -1, &job->take);
    if (load->keep)
        cg_box_freeze(L, chunk);
    return 0;
}

int cg_load_run(struct cg_box *box, const struct cg_load *load, json_t **out, struct cg_err *err)
{
    struct job job = {
        .load = load,
        .take = { .what = load->file, .prefix = load->prefix, .keep = load->keep, .source = load->source }
    };
    char why[256];
    *out = NULL;
    box->folder = load->folder;
    enum cg_end end = cg_box_run(box, run_file, &job, why, sizeof why);
    box->folder = NULL;
    if (end != CG_END_FINE) {
        json_decref(job.take.root);
        /* What ran out has no line of its own. */
        if (end != CG_END_ERROR)
            return cg_err_set(err, COGENT_LIMIT, "%s: %s", load->file, why);
        return cg_err_set(err, COGENT_INVALID, "%s", why);
    }
    *out = job.take.root;
    return 0;
}

int cg_load_read(const char *path, size_t max, bool links, struct cg_buf *out, struct cg_err *err)
{
    struct stat st;
    char block[8192];
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (links ? 0 : O_NOFOLLOW));
    if (fd < 0)
        return cg_err_set(err, errno == ENOENT ? COGENT_NOT_FOUND : COGENT_INVALID, "%s: %s", path,
                          strerror(errno));
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        return cg_err_set(err, COGENT_INVALID, "%s: not a regular file", path);
    }
    while (out->len <= max && (n = read(fd, block, sizeof block)) > 0)
        cg_buf_add(out, block, (size_t)n);
    close(fd);
    if (n < 0)
        return cg_err_set(err, COGENT_INVALID, "%s: %s", path, strerror(errno));
    if (out->len > max)
        return cg_err_set(err, COGENT_INVALID, "%s: larger than %zu KiB", path, max >> 10);
    if (out->failed)
        return cg_err_set(err, COGENT_NO_MEMORY, "%s: out of memory", path);
    return 0;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool ends_in_lua(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && strcmp(name + len - 4, ".lua") == 0;
}

static int list_into(const char *folder, const char *below, int depth, json_t *out, struct cg_err *err)
{
    struct dirent **entries;
    char path[4096];
    int rc = 0;
    snprintf(path, sizeof path, "%s/%s", folder, below);
    int n = scandir(path, &entries, NULL, alphasort);
    if (n < 0)
        return cg_err_set(err, errno == ENOENT ? COGENT_NOT_FOUND : COGENT_INVALID, "%s: %s", folder,
                          strerror(errno));
    for (int i = 0; i < n; i++) {
        const char *name = entries[i]->d_name;
        char relative[1024];
        int len = snprintf(relative, sizeof relative, "%s%s%s", below, *below ? "/" : "", name);
        bool fits = len < (int)sizeof relative &&
                    snprintf(path, sizeof path, "%s/%s", folder, relative) < (int)sizeof path;
        if (rc == 0 && name[0] != '.' && fits) {
            if (is_folder(path))
                rc = depth > 0 ? list_into(folder, relative, depth - 1, out, err) : 0;
            else if (ends_in_lua(name) && json_array_append_new(out, json_string(relative)))
                rc = cg_err_set(err, COGENT_INVALID, "%s: a file name that is not UTF-8", folder);
        }
        free(entries[i]);
    }
    free(entries);
    if (rc == 0 && json_array_size(out) > MOST_FILES)
        rc = cg_err_set(err, COGENT_INVALID, "%s: more than %d files", folder, MOST_FILES);
    return rc;
}

int cg_load_list(const char *folder, int depth, json_t **out, struct cg_err *err)
{
    *out = json_array();
    int rc = list_into(folder, "", depth, *out, err);
    if (rc) {
        json_decref(*out);
        *out = NULL;
    }
    return rc;
}
