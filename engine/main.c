/* SPDX-License-Identifier: Apache-2.0
 * cogentd: the master, or, when the master says so, a worker. */
#include "config_check.h"
#include "engine.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "master.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CG_VERSION "0.1.0"

static const char usage[] =
    "cogentd - the agent engine's server\n"
    "\n"
    "  cogentd [-c FILE]              serve; stop with SIGTERM, reload with SIGHUP\n"
    "  cogentd [-c FILE] --check-config   say what is wrong with a configuration: which file, which key\n"
    "  cogentd --config-reference     the reference of all keys, as Markdown\n"
    "\n"
    "  -c, --config FILE   default: COGENT_CONFIG, else /etc/cogent/cogent.lua, else the embedded default\n"
    "  -V, --version\n"
    "  -h, --help\n";

static int run_worker(const char *path, const char *inherited)
{
    struct cg_err err = { 0 };
    struct cg_inherit in;
    struct cg_files *files = NULL;
    struct cg_config *config = NULL;
    struct cg_engine *engine = NULL;
    char who[24];
    int rc = cg_inherit_read(inherited, &in, &err);
    unsetenv(CG_INHERIT_ENV);
    cg_memory_setup();
    if (rc == 0)
        rc = cg_files_create(&files, &err);
    if (rc == 0)
        rc = cg_config_load(files, path, &config, &err);
    if (rc == 0) {
        snprintf(who, sizeof who, "%s-%u", in.role, in.slot);
        cg_log_setup((enum cg_level)cg_log_level_parse(config->log), who);
        rc = cg_engine_create(&in, files, config, &engine, &err);
    }
    if (rc < 0) {
        cg_log(CG_ERROR, "worker.start", CG_S("why", err.message));
        return 1;
    }
    cg_engine_run(engine);
    cg_engine_destroy(engine);
    return 0;
}

static int check_config(const char *path)
{
    struct cg_err err = { 0 };
    struct cg_files *files = NULL;
    struct cg_config *config = NULL;
    int rc = cg_files_create(&files, &err);
    if (rc == 0)
        rc = cg_config_load(files, path, &config, &err);
    if (rc == 0)
        rc = cg_config_check(config, &err);
    if (rc == 0 && cg_engine_check(files, config, &err) < 0)
        rc = cg_config_blame(config->path, &err);
    cg_config_destroy(config);
    cg_files_destroy(files);
    if (rc < 0)
        fprintf(stderr, "cogentd: %s\n", err.message);
    else
        printf("the configuration is in order\n");
    return rc < 0;
}

static int print_reference(void)
{
    cg_auto_buf out = { 0 };
    cg_config_reference(&out);
    fwrite(out.ptr, 1, out.len, stdout);
    return 0;
}

/* For the workers, whom the master executes anew; glibc reads it before main and nowhere else. A request frees more small pieces
 * than the seven of each size that glibc keeps at hand; the rest it sorts into a heap that thousands of connections have
 * cut small: a fifth of a request's time. Whoever has set tunables keeps theirs. */
static int run_master(const char *path)
{
    setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=127", 0);
    return cg_master_run("/proc/self/exe", path);
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "config", required_argument, NULL, 'c' },
                                             { "check-config", no_argument, NULL, 'k' },
                                             { "config-reference", no_argument, NULL, 'r' },
                                             { "version", no_argument, NULL, 'V' },
                                             { "help", no_argument, NULL, 'h' },
                                             { 0 } };
    const char *path = NULL, *inherited = getenv(CG_INHERIT_ENV);
    bool check = false;
    int c;
    while ((c = getopt_long(argc, argv, "c:Vh", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            path = optarg;
            break;
        case 'k':
            check = true;
            break;
        case 'r':
            return print_reference();
        case 'V':
            printf("cogentd %s\n", CG_VERSION);
            return 0;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            fputs("cogentd --help says what there is\n", stderr);
            return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "cogentd: \"%s\" is not understood; cogentd --help says what there is\n",
                argv[optind]);
        return 2;
    }
    if (inherited)
        return run_worker(path, inherited);
    return check ? check_config(path) : run_master(path);
}
