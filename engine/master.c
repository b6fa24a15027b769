/* SPDX-License-Identifier: Apache-2.0 */
#include "master.h"

#include "config_check.h"
#include "deaths.h"
#include "engine/base/clock.h"
#include "engine/base/keys.h"
#include "engine/base/log.h"
#include "engine/io/db.h"
#include "engine/io/listen.h"
#include "engine/io/signals.h"
#include "inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    STALL_MS = 2000,
    LOOK_MS = 250,
    BACKOFF_MS = 100,
    BACKOFF_MAX_MS = 10000,
    STEADY_US = 30000000,
    START_US = 60000000,
    YOUNG_US = 5000000,
    ORPHANS_MS = 40000 /* longer than a worker drains */
};

struct worker {
    pid_t pid; /* 0: the slot is free */
    char role[8];
    uint64_t generation;
    int64_t started_us;
    int ready_fd;
    struct cg_watch *ready_watch;
    bool ready, draining;
    bool stalled; /* it was killed for that */
    bool leaving; /* its successor takes its place: it serves until that one is ready */
};

struct master {
    const char *program, *path;
    struct cg_config *first; /* of the start: what the doors were opened by */
    struct cg_config *config;
    struct cg_files *files;
    struct cg_loop *loop;
    struct cg_board *board;
    int board_fd, metrics_fd, lock_fd, listen_fds[CG_LISTENERS_MAX];
    unsigned n_listen;
    int mail[CG_WORKERS_MAX][2]; /* [0] the worker reads, [1] everybody writes */
    struct worker workers[CG_WORKERS_MAX];
    uint64_t generation; /* what is wanted */
    int64_t retry_us;    /* not before */
    uint32_t backoff_ms;
    int64_t stall_us;
    bool stopping, proving, told_ready; /* proving: the first worker of a new generation is being tried */
    int status;
};

static void set_level(const struct master *m)
{
    cg_log_setup((enum cg_level)cg_log_level_parse(m->config->log), "master");
}

static int make_folder(const char *path, struct cg_err *err)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return 0;
    return cg_err_set(err, COGENT_UNAVAILABLE, "state: folder %s: %s", path, strerror(errno));
}

/* One server a state folder: two would each take the other's workers for dead and take up their runs. Workers hold
 * the lock too, so a master that follows one that was killed waits until the orphans have ended. */
static int lock_state(struct master *m, struct cg_err *err)
{
    char path[512], text[32] = "";
    snprintf(path, sizeof path, "%s/cogentd.lock", m->config->state);
    m->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (m->lock_fd < 0)
        return cg_err_set(err, COGENT_UNAVAILABLE, "state: %s: %s", path, strerror(errno));
    for (int64_t until = cg_mono_us() + ORPHANS_MS * 1000LL; flock(m->lock_fd, LOCK_EX | LOCK_NB) != 0;) {
        ssize_t n = pread(m->lock_fd, text, sizeof text - 1, 0);
        long pid = strtol(n > 0 ? text : "0", NULL, 10);
        bool lives = pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
        if (lives || cg_mono_us() > until)
            return cg_err_set(
                err, COGENT_CONFLICT,
                "state: %s is served by another cogentd (process %ld): stop that one, or give this "
                "one a state folder of its own (state = \"PATH\")",
                m->config->state, pid);
        usleep(LOOK_MS * 1000);
    }
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(m->lock_fd, 0) != 0 || pwrite(m->lock_fd, text, (size_t)n, 0) != n)
        return cg_err_set(err, COGENT_UNAVAILABLE, "state: %s cannot be written: %s", path, strerror(errno));
    return 0;
}

static int open_one(struct master *m, const char *key, const char *where, int *fd, struct cg_err *err)
{
    struct cg_err why;
    cg_auto_free char *whole = cg_config_address(m->config, where);
    const struct cg_config_socket *s = &m->config->socket_options;
    const struct cg_socket_rights rights = { (unsigned)strtoul(s->mode, NULL, 8), s->group };
    if (!whole)
        return cg_err_set(err, COGENT_NO_MEMORY, "out of memory");
    *fd = cg_listen(whole, &rights, &why);
    return *fd < 0 ? cg_err_set(err, *fd, "%s: %s", key, why.message) : 0;
}

/* Where tests and the command line find a port that was 0. Complete or not there: it says that the server is up. */
static void write_addresses(const struct master *m)
{
    char path[512], tmp[520];
    snprintf(path, sizeof path, "%s/addresses", m->config->state);
    snprintf(tmp, sizeof tmp, "%s.new", path);
    FILE *file = fopen(tmp, "we");
    if (!file)
        return;
    for (unsigned i = 0; i < m->n_listen; i++) {
        if (cg_listen_port(m->listen_fds[i]))
            fprintf(file, "http://127.0.0.1:%u\n", cg_listen_port(m->listen_fds[i]));
    }
    if (m->metrics_fd >= 0)
        fprintf(file, "metrics http://127.0.0.1:%u/metrics\n", cg_listen_port(m->metrics_fd));
    if (fclose(file) != 0 || rename(tmp, path) != 0)
        cg_log(CG_WARN, "master.addresses", CG_I("errno", errno));
}

static int open_listeners(struct master *m, struct cg_err *err)
{
    size_t i;
    json_t *where;
    cg_auto_json list = cg_json_parse(cogent_str(m->config->listen), err);
    m->metrics_fd = -1;
    json_array_foreach (list, i, where) {
        int rc = open_one(m, "listen", json_string_value(where), &m->listen_fds[m->n_listen], err);
        if (rc < 0)
            return rc;
        m->n_listen++;
    }
    if (strcmp(m->config->metrics, "off") == 0)
        return 0;
    return open_one(m, "metrics", m->config->metrics, &m->metrics_fd, err);
}

static int open_shared(struct master *m, struct cg_err *err)
{
    m->board_fd = cg_board_make(&m->board);
    if (m->board_fd < 0 || cg_db_lock_size() > CG_BOARD_LOCK_SIZE || cg_db_lock_init(m->board->db_lock) < 0)
        return cg_err_set(err, COGENT_NO_MEMORY, "cannot make the board");
    /* Not from 0: the journal names owners of servers that were before this one. */
    atomic_store(&m->board->incarnations, (uint64_t)cg_now_us());
    for (unsigned i = 0; i < CG_WORKERS_MAX; i++) {
        if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, m->mail[i]) != 0)
            return cg_err_set(err, COGENT_UNAVAILABLE, "cannot make the mail: %s", strerror(errno));
    }
    return 0;
}

static void keep_open(int fd)
{
    if (fd >= 0)
        fcntl(fd, F_SETFD, 0);
}

/* In the child: only async-signal-safe calls from here to exec, but for the environment, which is ours alone. */
static void become_worker(struct master *m, unsigned slot, const char *role, int ready)
{
    char text[1024];
    struct cg_inherit in = { .slot = slot,
                             .board = m->board_fd,
                             .mail = m->mail[slot][0],
                             .ready = ready,
                             .metrics = m->metrics_fd,
                             .n_listen = m->n_listen };
    in.incarnation = atomic_load(&m->board->slots[slot].incarnation);
    snprintf(in.role, sizeof in.role, "%s", role);
    memcpy(in.listen, m->listen_fds, sizeof in.listen);
    for (unsigned i = 0; i < CG_WORKERS_MAX; i++) {
        in.post[i] = m->mail[i][1];
        keep_open(m->mail[i][1]);
    }
    keep_open(m->mail[slot][0]);
    keep_open(m->board_fd);
    keep_open(m->lock_fd);
    keep_open(m->metrics_fd);
    keep_open(ready);
    for (unsigned i = 0; i < m->n_listen; i++)
        keep_open(m->listen_fds[i]);
    cg_inherit_write(&in, text, sizeof text);
    setenv(CG_INHERIT_ENV, text, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    /* The master's handlers end here: a TERM that came since the fork is this worker's end. A hangup, which a terminal
     * sends to all, is the master's alone. */
    sigset_t none;
    sigemptyset(&none);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGHUP, SIG_IGN);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (m->path)
        execl(m->program, "cogentd", "-c", m->path, (char *)NULL);
    else
        execl(m->program, "cogentd", (char *)NULL);
    _exit(127);
}

static void on_ready(void *arg, int fd);

static unsigned free_slot(const struct master *m)
{
    for (unsigned i = 0; i < CG_WORKERS_MAX; i++) {
        if (m->workers[i].pid == 0)
            return i;
    }
    return CG_WORKERS_MAX;
}

static void start_worker(struct master *m, const char *role)
{
    int ready[2];
    unsigned slot = free_slot(m);
    if (slot == CG_WORKERS_MAX || pipe2(ready, O_CLOEXEC | O_NONBLOCK) != 0)
        return;
    struct cg_slot *board = &m->board->slots[slot];
    struct worker *w = &m->workers[slot];
    atomic_store(&board->incarnation, atomic_fetch_add(&m->board->incarnations, 1) + 1);
    atomic_store(&board->draining, 0);
    board->plugin[0] = '\0';
    snprintf(board->role, sizeof board->role, "%s", role);
    sigset_t all, before; /* else a TERM would be told to the master's handler, in the child */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        become_worker(m, slot, role, ready[1]);
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ready[1]);
    if (pid < 0) {
        close(ready[0]);
        cg_log(CG_ERROR, "master.fork", CG_I("errno", errno));
        return;
    }
    *w = (struct worker){
        .pid = pid, .generation = m->generation, .started_us = cg_mono_us(), .ready_fd = ready[0]
    };
    snprintf(w->role, sizeof w->role, "%s", role);
    w->ready_watch = cg_watch_read(m->loop, ready[0], on_ready, m);
    atomic_store(&board->heartbeat_us, cg_mono_us());
    atomic_store(&board->pid, pid);
}

static unsigned count(const struct master *m, const char *role, bool ready_only)
{
    unsigned n = 0;
    for (unsigned i = 0; i < CG_WORKERS_MAX; i++) {
        const struct worker *w = &m->workers[i];
        n += w->pid && !w->draining && !w->leaving && w->generation == m->generation &&
             strcmp(w->role, role) == 0 && (w->ready || !ready_only);
    }
    return n;
}

static void drain(struct master *m, bool old_only)
{
    for (unsigned i = 0; i < CG_WORKERS_MAX; i++) {
        struct worker *w = &m->workers[i];
        if (!w->pid || w->draining || (old_only && w->generation == m->generation))
            continue;
        w->draining = true;
        kill(w->pid, SIGTERM);
    }
}

/* Starts what is missing: at a reload one worker first, which proves the configuration. */
static void fill(struct master *m)
{
    if (m->stopping || cg_mono_us() < m->retry_us)
        return;
    if (m->proving) {
        if (count(m, "serve", false) == 0)
            start_worker(m, "serve");
        return;
    }
    while (count(m, "serve", false) < m->config->n_workers && free_slot(m) < CG_WORKERS_MAX)
        start_worker(m, "serve");
    while (count(m, "jobs", false) < (unsigned)m->config->jobs && free_slot(m) < CG_WORKERS_MAX)
        start_worker(m, "jobs");
}

/* Those that are to go, when as many as are wanted stand in their place. */
static void replace(struct master *m)
{
    for (unsigned i = 0; i < CG_WORKERS_MAX; i++) {
        struct worker *w = &m->workers[i];
        unsigned wanted = strcmp(w->role, "serve") == 0 ? m->config->n_workers : (unsigned)m->config->jobs;
        if (!w->pid || !w->leaving || w->draining || count(m, w->role, true) < wanted)
            continue;
        w->draining = true;
        cg_log(CG_WARN, "worker.recycled", CG_S("role", w->role), CG_I("slot", i), CG_S("reason", "memory"),
               CG_I("mib", cg_memory_of(w->pid)), CG_I("ceiling", m->config->worker_memory));
        kill(w->pid, SIGTERM);
    }
}

static void tell_ready(struct master *m)
{
    if (m->told_ready || count(m, "serve", true) < m->config->n_workers)
        return;
    m->told_ready = true;
    write_addresses(m);
    cg_log(CG_INFO, "ready", CG_I("workers", m->config->n_workers), CG_I("jobs", m->config->jobs),
           CG_S("state", m->config->state));
}

/* What the master does once: a reload cannot. */
static void tell_restart(const struct master *m)
{
    const struct cg_config *was = m->first, *is = m->config;
    const struct {
        const char *key, *was, *is;
    } all[] = { { "listen", was->listen, is->listen },
                { "socket", was->socket, is->socket },
                { "metrics", was->metrics, is->metrics },
                { "state", was->state, is->state } };
    cg_auto_buf keys = { 0 };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (strcmp(all[i].was, all[i].is) != 0)
            cg_buf_printf(&keys, "%s%s", keys.len ? ", " : "", all[i].key);
    }
    if (keys.ptr)
        cg_log(CG_WARN, "reload.needs_restart", CG_S("keys", keys.ptr));
}

static void on_ready(void *arg, int fd)
{
    struct master *m = arg;
    char byte;
    for (unsigned i = 0; i < CG_WORKERS_MAX; i++) {
        struct worker *w = &m->workers[i];
        if (!w->pid || w->ready_fd != fd || !w->ready_watch)
            continue;
        w->ready = read(fd, &byte, 1) == 1;
        cg_watch_destroy(w->ready_watch);
        w->ready_watch = NULL;
        close(w->ready_fd);
        w->ready_fd = -1;
        if (!w->ready)
            return; /* it died: its exit says more */
        if (m->proving && w->generation == m->generation) {
            m->proving = false;
            set_level(m);
            tell_restart(m);
            cg_log(CG_INFO, "reload.done", CG_I("generation", m->generation));
            drain(m, true);
        }
        fill(m);
        replace(m);
        tell_ready(m);
        return;
    }
}

/* A worker ended. */
static void bury(struct master *m, unsigned slot, int status)
{
    struct worker *w = &m->workers[slot];
    struct cg_slot *board = &m->board->slots[slot];
    bool asked = w->draining || m->stopping;
    int64_t lived = cg_mono_us() - w->started_us;
    if (!asked || WIFSIGNALED(status))
        cg_log(asked ? CG_WARN : CG_ERROR, "worker.died", CG_S("role", w->role), CG_I("slot", slot),
               CG_I("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
               CG_I("status", WIFEXITED(status) ? WEXITSTATUS(status) : 0), CG_S("plugin", board->plugin));
    atomic_store(&board->pid, 0);
    if (w->leaving && asked)
        cg_death_count(m->board, slot, w->role, "memory");
    if (!asked || WIFSIGNALED(status))
        cg_death_note(m->board, slot, w->role, w->stalled ? "stall" : "crash", m->first->state);
    cg_board_clear_runs(m->board, slot);
    if (w->ready_watch) {
        cg_watch_destroy(w->ready_watch);
        close(w->ready_fd);
    }
    bool proved = w->ready, newest = w->generation == m->generation;
    *w = (struct worker){ 0 };
    if (asked)
        return;
    if (m->proving && newest && !proved) {
        /* The old workers go on with the old configuration. */
        cg_log(CG_ERROR, "reload.refused", CG_S("why", "the first worker did not start; see its last line"));
        m->proving = false;
        m->generation--;
        return;
    }
    if (!m->told_ready && !proved) { /* the first start fails as a whole */
        m->status = 1;
        m->stopping = true;
        drain(m, false);
        return;
    }
    m->backoff_ms = lived > STEADY_US                    ? BACKOFF_MS
                    : m->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS
                                                         : m->backoff_ms * 2;
    m->retry_us = cg_mono_us() + (int64_t)m->backoff_ms * 1000;
}

static void on_child(void *arg, int signal)
{
    struct master *m = arg;
    int status;
    pid_t pid;
    (void)signal;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (unsigned i = 0; i < CG_WORKERS_MAX; i++) {
            if (m->workers[i].pid == pid)
                bury(m, i, status);
        }
    }
}

static void on_stop(void *arg, int signal)
{
    struct master *m = arg;
    cg_log(CG_INFO, "stop", CG_I("signal", signal));
    m->stopping = true;
    drain(m, false);
}

static void on_reload(void *arg, int signal)
{
    struct master *m = arg;
    struct cg_err err;
    struct cg_files *files = NULL;
    struct cg_config *config = NULL;
    (void)signal;
    if (m->stopping || m->proving)
        return;
    if (cg_files_create(&files, &err) < 0 || cg_config_load(files, m->path, &config, &err) < 0 ||
        cg_config_check(config, &err) < 0) {
        cg_log(CG_ERROR, "reload.refused", CG_S("why", err.message));
        cg_config_destroy(config);
        cg_files_destroy(files);
        return;
    }
    if (m->config != m->first)
        cg_config_destroy(m->config);
    cg_files_destroy(m->files);
    m->config = config;
    m->files = files;
    m->generation++;
    m->proving = true;
    m->retry_us = 0;
    cg_log(CG_INFO, "reload", CG_I("generation", m->generation));
    fill(m);
}

/* A loop that does not turn is killed: its worker's clients are lost either way. */
static void check_heartbeats(struct master *m)
{
    int64_t now = cg_mono_us();
    for (unsigned i = 0; m->stall_us > 0 && i < CG_WORKERS_MAX; i++) {
        struct worker *w = &m->workers[i];
        if (!w->pid)
            continue;
        int64_t age = now - atomic_load(&m->board->slots[i].heartbeat_us);
        if (age > (w->ready ? m->stall_us : START_US)) {
            cg_log(CG_ERROR, "worker.stalled", CG_I("slot", i), CG_I("ms", age / 1000),
                   CG_S("plugin", m->board->slots[i].plugin));
            w->stalled = true;
            kill(w->pid, SIGKILL);
        }
    }
}

/* A young worker is not looked at: a ceiling below what all of them need must not become a wheel. */
static void check_memory(struct master *m)
{
    int64_t now = cg_mono_us();
    for (unsigned i = 0; m->config->worker_memory > 0 && !m->stopping && i < CG_WORKERS_MAX; i++) {
        struct worker *w = &m->workers[i];
        if (w->pid && w->ready && !w->draining && !w->leaving && now - w->started_us > YOUNG_US)
            w->leaving = cg_memory_of(w->pid) > m->config->worker_memory;
    }
}

static void on_tick(void *arg, int unused)
{
    struct master *m = arg;
    (void)unused;
    unsigned alive = 0;
    check_heartbeats(m);
    check_memory(m);
    fill(m);
    for (unsigned i = 0; i < CG_WORKERS_MAX; i++)
        alive += m->workers[i].pid != 0;
    if (m->stopping && alive == 0)
        cg_loop_stop(m->loop);
}

static int prepare(struct master *m, struct cg_err *err)
{
    int rc = cg_files_create(&m->files, err);
    if (rc == 0)
        rc = cg_config_load(m->files, m->path, &m->config, err);
    if (rc == 0)
        rc = cg_config_check(m->config, err);
    if (rc < 0)
        return rc;
    m->first = m->config;
    set_level(m);
    rc = make_folder(m->config->state, err);
    if (rc == 0)
        rc = lock_state(m, err);
    if (rc == 0)
        cg_deaths_begin(m->config->state);
    if (rc == 0)
        rc = cg_keys_make(m->config->keys, err);
    if (rc == 0)
        rc = open_listeners(m, err);
    return rc == 0 ? open_shared(m, err) : rc;
}

static bool watch_signals(struct master *m, struct cg_watch *watches[5])
{
    watches[0] = cg_watch_signal(m->loop, SIGCHLD, on_child, m);
    watches[1] = cg_watch_signal(m->loop, SIGTERM, on_stop, m);
    watches[2] = cg_watch_signal(m->loop, SIGINT, on_stop, m);
    watches[3] = cg_watch_signal(m->loop, SIGHUP, on_reload, m);
    watches[4] = cg_watch_every(m->loop, LOOK_MS, on_tick, m);
    return watches[0] && watches[1] && watches[2] && watches[3] && watches[4];
}

static void finish(struct master *m)
{
    for (unsigned i = 0; i < m->n_listen; i++)
        close(m->listen_fds[i]);
    cg_board_unmap(m->board);
    if (m->config != m->first)
        cg_config_destroy(m->config);
    cg_config_destroy(m->first);
    cg_files_destroy(m->files);
    cg_loop_destroy(m->loop);
}

int cg_master_run(const char *program, const char *path)
{
    struct cg_err err = { 0 };
    struct master m = { .program = program,
                        .path = path,
                        .generation = 1,
                        .backoff_ms = BACKOFF_MS,
                        .lock_fd = -1,
                        .board_fd = -1,
                        .metrics_fd = -1 };
    struct cg_watch *watches[5] = { NULL };
    const char *stall = getenv("COGENT_STALL_MS"); /* sanitizers and debuggers are slow: 0 switches it off */
    const struct rlimit no_core = { 0, 0 };
    m.stall_us = (stall ? strtol(stall, NULL, 10) : STALL_MS) * 1000LL;
    signal(SIGPIPE, SIG_IGN);
    if (!getenv("COGENT_CORE"))
        setrlimit(RLIMIT_CORE, &no_core); /* a core would hold secrets */
    m.loop = cg_loop_create();
    if (prepare(&m, &err) < 0 || !m.loop || !watch_signals(&m, watches)) {
        fprintf(stderr, "cogentd: %s\n", err.message[0] ? err.message : "out of memory");
        finish(&m);
        return 1;
    }
    fill(&m);
    cg_loop_run(m.loop);
    for (size_t i = 0; i < 5; i++)
        cg_watch_destroy(watches[i]);
    cg_log(CG_INFO, "stopped");
    finish(&m);
    return m.status;
}
