/* SPDX-License-Identifier: Apache-2.0 */
#include "loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static int refuse(struct cg_err *err, const char *path, const char *why)
{
    return cg_err_set(err, COGENT_INVALID, "plugin %s: %s", path, why);
}

static int check_file(const char *path, struct cg_err *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return cg_err_set(err, COGENT_NOT_FOUND, "plugin %s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return refuse(err, path, "not a file");
    if (st.st_mode & S_IWOTH)
        return refuse(err, path, "everybody may write to it; chmod o-w it");
    return 0;
}

const struct cogent_plugin *cg_loader_open(const char *path, struct cg_err *err)
{
    if (check_file(path, err) < 0)
        return NULL;
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object) {
        cg_err_set(err, COGENT_INVALID, "plugin %s: it does not load: %s", path, dlerror());
        return NULL;
    }
    void *symbol = dlsym(object, "cogent_plugin_entry");
    cogent_plugin_entry_fn entry;
    memcpy(&entry, &symbol, sizeof entry);
    if (!entry) {
        refuse(err, path, "it does not export cogent_plugin_entry (COGENT_EXPORT before the function?)");
        return NULL;
    }
    const struct cogent_plugin *plugin = entry(CG_ABI_OLDEST, COGENT_ABI);
    if (!plugin) {
        cg_err_set(err, COGENT_INVALID,
                   "plugin %s: it speaks none of the ABI numbers %u to %u; build it against this "
                   "release's headers",
                   path, (unsigned)CG_ABI_OLDEST, COGENT_ABI);
        return NULL;
    }
    if (!COGENT_HAS(plugin, license) || plugin->abi > COGENT_ABI) {
        refuse(err, path, "its descriptor is too short or of another ABI");
        return NULL;
    }
    if (!plugin->name || !plugin->version || !plugin->license) {
        refuse(err, path, "its descriptor lacks name, version or license");
        return NULL;
    }
    return plugin;
}
