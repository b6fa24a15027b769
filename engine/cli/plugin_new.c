/* SPDX-License-Identifier: Apache-2.0
 * cogent plugin new: a folder to begin with. */
#include "plugin.h"

#include "command.h"

#include "engine/base/buf.h"

#include <cogent/error.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

enum { NAME_LENGTH_MAX = 48 };

/* The name becomes a file, a tool and a word of C: lower-case letters, digits and _. */
static bool name_ok(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return name[0] >= 'a' && name[0] <= 'z' && name[n] == '\0' && n <= NAME_LENGTH_MAX;
}

static void fill(struct cg_buf *out, const char *text, const char *name)
{
    static const char mark[] = "@NAME@";
    const char *at;
    for (; (at = strstr(text, mark)); text = at + strlen(mark)) {
        cg_buf_add(out, text, (size_t)(at - text));
        cg_buf_text(out, name);
    }
    cg_buf_text(out, text);
}

static int write_file(const char *folder, const struct cg_skeleton *from, const char *name)
{
    cg_auto_buf path = { 0 }, text = { 0 };
    cg_buf_printf(&path, "%s/", folder);
    fill(&path, from->name, name);
    fill(&text, from->text, name);
    if (path.failed || text.failed)
        return COGENT_NO_MEMORY;
    FILE *file = fopen(path.ptr, "wx");
    size_t written = file ? fwrite(text.ptr, 1, text.len, file) : 0;
    if (!file || fclose(file) != 0 || written != text.len) {
        fprintf(stderr, "cogent plugin: %s: %s\n", path.ptr, strerror(errno));
        return COGENT_UNAVAILABLE;
    }
    printf("  %s\n", path.ptr);
    return 0;
}

int cg_plugin_new(const char *name, const char *folder)
{
    cg_auto_buf path = { 0 };
    if (!name_ok(name))
        return cg_usage("plugin",
                        "\"%s\" is no name for a tool: a lower-case letter, then up to %d more of "
                        "a-z, 0-9 and _",
                        name, NAME_LENGTH_MAX - 1);
    cg_buf_printf(&path, "%s/%s", folder, name);
    if (path.failed || mkdir(path.ptr, 0777) != 0) {
        fprintf(stderr, "cogent plugin: %s: %s\n", path.failed ? name : path.ptr,
                errno == EEXIST
                    ? "it is there already; nothing was written. Take another name, or another --dir"
                : errno == ENOENT ? "--dir names no folder; make it first"
                                  : strerror(errno));
        return CG_EXIT_FAILED;
    }
    for (const struct cg_skeleton *s = cg_skeletons; s->name; s++) {
        if (write_file(path.ptr, s, name) < 0)
            return CG_EXIT_FAILED;
    }
    printf("\nNext: cd %s && make && make check\n", path.ptr);
    return CG_EXIT_OK;
}
