/* SPDX-License-Identifier: Apache-2.0
 * cogent plugin check: the stages, each in a child with limits, and the report. */
#include "plugin.h"
#include "plugin_kit.h"

#include "command.h"
#include "out.h"

#include "engine/base/clock.h"
#include "engine/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MEMORY_MAX = 1 << 30, CPU_MAX_S = 5, LOG_MAX = 1 << 16 };

/* In order. A stage of a tool runs for each, until one of them crashes. */
static const struct stage {
    void (*run)(struct cg_kit *kit, size_t tool);
    unsigned seconds;
    bool loaded; /* wants a plugin that loads */
    bool tool;
} stages[] = {
    { cg_kit_file, 10, false, false },  { cg_kit_descriptor, 30, false, false },
    { cg_kit_parts, 120, true, false }, { cg_kit_tool, 20, true, true },
    { cg_kit_calls, 40, true, true },   { cg_kit_cancel, 20, true, true },
    { cg_kit_leaks, 60, true, true },
};

struct report {
    struct cg_kit kit;
    json_t *rows;
    unsigned count[3];
};

static const char *const words[] = { "ok", "note", "wrong" };

/* In the child. */

void cg_kit_at(struct cg_kit *kit, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(kit->page->at, sizeof kit->page->at, format, ap);
    va_end(ap);
}

static json_t *make_row(enum cg_kit_state state, const char *check, const char *what, const char *says)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "check", check, "state", words[state], "says", says, "do",
                     state == CG_KIT_OK ? "" : what);
}

void cg_kit_say(struct cg_kit *kit, enum cg_kit_state state, const char *check, const char *what,
                const char *format, ...)
{
    char says[700];
    cg_auto_buf line = { 0 };
    va_list ap;
    va_start(ap, format);
    vsnprintf(says, sizeof says, format, ap);
    va_end(ap);
    cg_auto_json row = make_row(state, check, what, says);
    cg_json_add(&line, row);
    cg_buf_char(&line, '\n');
    if (!row || write(kit->out, line.ptr, line.len) != (ssize_t)line.len)
        _exit(CG_EXIT_FAILED);
}

bool cg_kit_logged(struct cg_kit *kit, const char *event)
{
    static char text[LOG_MAX];
    ssize_t n = pread(kit->log, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    cg_auto_buf word = { 0 };
    cg_buf_printf(&word, "\"event\":\"%s\"", event);
    bool found = !word.failed && strstr(text, word.ptr);
    if (found && ftruncate(kit->log, 0) == 0)
        lseek(kit->log, 0, SEEK_SET);
    return found;
}

static _Noreturn void run_child(struct cg_kit *kit, const struct stage *stage, size_t tool)
{
    static const int fatal[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
    const struct rlimit no_core = { 0, 0 };
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        signal(fatal[i], SIG_DFL);
    const struct rlimit cpu = { CPU_MAX_S, CPU_MAX_S + 1 };
    setrlimit(RLIMIT_CORE, &no_core);
    setrlimit(RLIMIT_CPU, &cpu);
#if !defined(__SANITIZE_ADDRESS__) /* its shadow memory is larger than any machine */
    const struct rlimit memory = { MEMORY_MAX, MEMORY_MAX };
    setrlimit(RLIMIT_AS, &memory);
#endif
    dup2(kit->log, STDOUT_FILENO);
    dup2(kit->log, STDERR_FILENO);
    cg_log_setup(CG_ERROR, "kit");
    stage->run(kit, tool);
    _exit(CG_EXIT_OK);
}

/* In the parent. */

static void add_row(struct report *r, json_t *row)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        r->count[i] += strcmp(cg_json_str(row, "state", ""), words[i]) == 0;
    json_array_append_new(r->rows, row);
}

static void add_wrong(struct report *r, const char *check, const char *what, const char *format, ...)
{
    char says[400];
    va_list ap;
    va_start(ap, format);
    vsnprintf(says, sizeof says, format, ap);
    va_end(ap);
    add_row(r, make_row(CG_KIT_WRONG, check, what, says));
}

/* Reads the child's findings to their end; false: its time was over. */
static bool read_rows(struct report *r, int fd, unsigned seconds)
{
    cg_auto_buf text = { 0 };
    int64_t end = cg_mono_us() + (int64_t)seconds * 1000000;
    ssize_t n = 1;
    while (n > 0) {
        char bytes[4096];
        struct pollfd ready = { fd, POLLIN, 0 };
        int64_t left = (end - cg_mono_us()) / 1000;
        if (left <= 0 || poll(&ready, 1, (int)left) == 0)
            break;
        n = read(fd, bytes, sizeof bytes);
        if (n > 0)
            cg_buf_add(&text, bytes, (size_t)n);
    }
    for (char *line = text.ptr, *next; line && (next = strchr(line, '\n')); line = next + 1) {
        json_t *row = cg_json_parse((struct cogent_str){ line, (size_t)(next - line) }, NULL);
        if (row)
            add_row(r, row);
    }
    return n <= 0;
}

static bool report_end(struct report *r, int status, bool in_time, unsigned seconds)
{
    const char *at = r->kit.page->at;
    if (in_time && WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        add_wrong(r, "hang", "return; what computes long belongs into a service",
                  "it does not come back from %s", at);
    else if (!in_time)
        add_wrong(r, "hang", "return, and wait with the host's timer and transfers", "it hangs in %s (%u s)",
                  at, seconds);
    else if (WIFSIGNALED(status))
        add_wrong(r, "crash",
                  "run the same under a debugger: gdb --args cogent plugin check FILE, follow-fork-mode "
                  "child",
                  "it crashes with SIG%s in %s", sigabbrev_np(WTERMSIG(status)), at);
    else if (WEXITSTATUS(status) != CG_EXIT_OK)
        add_wrong(r, "exit", "never end the process; fail the call", "it ends the process in %s", at);
    else
        return true;
    return false;
}

/* False when the child did not come to its end. */
static bool run_stage(struct report *r, const struct stage *stage, size_t tool)
{
    int ends[2], status = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    fflush(NULL);
    if (ftruncate(r->kit.log, 0) == 0)
        lseek(r->kit.log, 0, SEEK_SET);
    r->kit.out = ends[1];
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        run_child(&r->kit, stage, tool);
    }
    close(ends[1]);
    bool in_time = pid > 0 && read_rows(r, ends[0], stage->seconds);
    close(ends[0]);
    if (pid < 0)
        return false;
    if (!in_time)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return report_end(r, status, in_time, stage->seconds);
}

static void run_stages(struct report *r)
{
    bool crashed[512] = { false };
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        const struct stage *s = &stages[i];
        if (s->loaded && !r->kit.page->loaded)
            continue;
        size_t n = s->tool ? r->kit.page->tools : 1;
        for (size_t tool = 0; tool < n && tool < sizeof crashed; tool++) {
            if (!(s->tool && crashed[tool]))
                crashed[tool] = !run_stage(r, s, tool) && s->tool;
        }
    }
}

static void show(const struct report *r)
{
    size_t i;
    json_t *row;
    json_array_foreach (r->rows, i, row) {
        const char *state = cg_json_str(row, "state", ""), *what = cg_json_str(row, "do", "");
        bool wrong = strcmp(state, words[CG_KIT_WRONG]) == 0;
        printf("%s%-6s%s %-11s ", wrong ? cg_out_bold() : "", state, wrong ? cg_out_plain() : "",
               cg_json_str(row, "check", ""));
        cg_out_text(cg_json_str(row, "says", ""));
        if (what[0]) {
            printf("\n%19s-> ", "");
            cg_out_text(what);
        }
        printf("\n");
    }
    printf("\n%u ok, %u notes, %u wrong\n", r->count[CG_KIT_OK], r->count[CG_KIT_NOTE],
           r->count[CG_KIT_WRONG]);
}

int cg_plugin_check(const char *path, bool json)
{
    char real[PATH_MAX];
    struct report r = { .rows = json_array() };
    void *page = mmap(NULL, sizeof *r.kit.page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    r.kit.path = realpath(path, real) ? real : path; /* a name without a slash is looked for elsewhere */
    r.kit.page = page == MAP_FAILED ? NULL : page;
    r.kit.log = memfd_create("cogent-kit", MFD_CLOEXEC);
    if (!r.kit.page || r.kit.log < 0 || !r.rows) {
        fprintf(stderr, "cogent plugin: out of memory\n");
        return CG_EXIT_FAILED;
    }
    run_stages(&r);
    if (json)
        cg_out_json(r.rows);
    else
        show(&r);
    json_decref(r.rows);
    close(r.kit.log);
    munmap(page, sizeof *r.kit.page);
    return r.count[CG_KIT_WRONG] ? CG_EXIT_FAILED : CG_EXIT_OK;
}
