/* SPDX-License-Identifier: Apache-2.0 */
#include "loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROBE_S = 10 };

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

static cogent_plugin_entry_fn entry_of(void *object)
{
    void *symbol = dlsym(object, "cogent_plugin_entry");
    cogent_plugin_entry_fn entry;
    memcpy(&entry, &symbol, sizeof entry);
    return entry;
}

/* In a process of its own: loads the file, asks for its descriptor, and ends. */
static _Noreturn void try_it(const char *path)
{
    static const int fatal[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM };
    const struct rlimit no_core = { 0, 0 };
    sigset_t none;
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        signal(fatal[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setrlimit(RLIMIT_CORE, &no_core);
    alarm(PROBE_S);
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    cogent_plugin_entry_fn entry = object ? entry_of(object) : NULL;
    if (entry)
        entry(CG_ABI_OLDEST, COGENT_ABI);
    _exit(0);
}

/* What runs while a file is loaded (a constructor, the entry) may crash, hang or exit before anybody could say which
 * file it was. */
static int probe(const char *path, struct cg_err *err)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        try_it(path);
    if (pid < 0)
        return 0; /* the real load says what is wrong, if anything is */
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        return cg_err_set(err, COGENT_INVALID, "plugin %s: loading it takes longer than %d seconds", path,
                          PROBE_S);
    if (WIFSIGNALED(status))
        return cg_err_set(err, COGENT_INVALID, "plugin %s: it crashes while it is loaded (SIG%s)", path,
                          sigabbrev_np(WTERMSIG(status)));
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        return cg_err_set(err, COGENT_INVALID, "plugin %s: it ends the process while it is loaded", path);
    return 0;
}

cogent_plugin_entry_fn cg_loader_entry(const char *path, struct cg_err *err)
{
    if (check_file(path, err) < 0 || probe(path, err) < 0)
        return NULL;
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object) {
        cg_err_set(err, COGENT_INVALID, "plugin %s: it does not load: %s", path, dlerror());
        return NULL;
    }
    cogent_plugin_entry_fn entry = entry_of(object);
    if (!entry)
        refuse(err, path, "it does not export cogent_plugin_entry (COGENT_EXPORT before the function?)");
    return entry;
}

const struct cogent_plugin *cg_loader_open(const char *path, struct cg_err *err)
{
    cogent_plugin_entry_fn entry = cg_loader_entry(path, err);
    if (!entry)
        return NULL;
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

int cg_loader_defines(const char *library, const char *symbol)
{
    void *object = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    return object ? dlsym(object, symbol) != NULL : COGENT_NOT_FOUND;
}
