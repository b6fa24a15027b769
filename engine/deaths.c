/* SPDX-License-Identifier: Apache-2.0 */
#include "deaths.h"

#include "engine/base/clock.h"
#include "engine/base/holds.h"
#include "engine/base/log.h"
#include "engine/base/metrics.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Tests do not wait for half a minute; only developer builds listen to them. */
static uint32_t hold_ms(void)
{
#ifdef CG_TESTING
    const char *ms = getenv("COGENT_TEST_HOLD_MS");
    if (ms)
        return (uint32_t)strtoul(ms, NULL, 10);
#endif
    return 0;
}

static void path_of(const char *state, char *out, size_t size)
{
    snprintf(out, size, "%s/plugins.json", state);
}

void cg_deaths_begin(const char *state)
{
    char path[512];
    path_of(state, path, sizeof path);
    if (unlink(path) != 0 && errno != ENOENT)
        cg_log(CG_WARN, "plugins.file", CG_S("file", path), CG_I("errno", errno));
}

static json_t *entry(const struct cg_board_plugin *p, int64_t mono_us, int64_t wall_us)
{
    char when[CG_TIME_SIZE];
    int64_t left = atomic_load(&p->held_until) - mono_us;
    json_t *e = json_pack("{s:I, s:s}", "crashes", (json_int_t)atomic_load(&p->crashes), "last_crash",
                          cg_time_format(atomic_load(&p->crashed_us), when));
    if (left > 0)
        json_object_set_new(e, "held_until", json_string(cg_time_format(wall_us + left, when)));
    return e;
}

/* Whole or not there: it takes the old one's place when it is written. */
static void keep(const struct cg_board *board, const char *state)
{
    char path[512], tmp[520];
    int64_t mono_us = cg_mono_us(), wall_us = cg_now_us();
    cg_auto_json all = json_object();
    for (size_t i = 0; i < CG_BOARD_PLUGINS && board->plugins[i].name[0]; i++)
        json_object_set_new(all, board->plugins[i].name, entry(&board->plugins[i], mono_us, wall_us));
    path_of(state, path, sizeof path);
    snprintf(tmp, sizeof tmp, "%s.new", path);
    cg_auto_free char *text = cg_json_text(all);
    FILE *file = text ? fopen(tmp, "we") : NULL;
    bool ok = file && fputs(text, file) >= 0;
    ok = file && fclose(file) == 0 && ok;
    if (!ok || rename(tmp, path) != 0)
        cg_log(CG_WARN, "plugins.file", CG_S("file", path), CG_I("errno", errno));
}

json_t *cg_deaths_read(const char *state)
{
    char path[512], text[16384];
    path_of(state, path, sizeof path);
    FILE *file = fopen(path, "re");
    size_t n = file ? fread(text, 1, sizeof text, file) : 0;
    if (file)
        fclose(file);
    json_t *all = n ? cg_json_parse((struct cogent_str){ text, n }, NULL) : NULL;
    return all ? all : json_object();
}

/* The slot is nobody's now, so its series are the master's to count in. */
void cg_death_count(struct cg_board *board, unsigned slot, const char *role, const char *reason)
{
    struct cg_metrics metrics = { &board->slots[slot] };
    cg_metric_add(&metrics, CG_M_WORKER_ENDS, 1, role, reason, NULL);
}

int64_t cg_memory_of(int pid)
{
    char path[48];
    long size = 0, resident = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    FILE *file = fopen(path, "re");
    int n = file ? fscanf(file, "%ld %ld", &size, &resident) : 0;
    if (file)
        fclose(file);
    return n == 2 ? (int64_t)resident * sysconf(_SC_PAGESIZE) >> 20 : 0;
}

void cg_death_note(struct cg_board *board, unsigned slot, const char *role, const char *reason,
                   const char *state)
{
    struct cg_metrics metrics = { &board->slots[slot] };
    const char *plugin = board->slots[slot].plugin;
    cg_death_count(board, slot, role, reason);
    if (!plugin[0])
        return;
    uint32_t ms = cg_holds_crashed(board, plugin, hold_ms(), cg_mono_us(), cg_now_us());
    cg_metric_add(&metrics, CG_M_PLUGIN_CRASHES, 1, plugin, NULL, NULL);
    const struct cg_board_plugin *p = cg_holds_of(board, plugin);
    cg_log(CG_ERROR, "plugin.crashed", CG_S("plugin", plugin), CG_S("how", reason),
           CG_I("crashes", p ? atomic_load(&p->crashes) : 0));
    if (ms) {
        cg_metric_add(&metrics, CG_M_PLUGIN_HOLDS, 1, plugin, NULL, NULL);
        cg_log(CG_ERROR, "plugin.held_back", CG_S("plugin", plugin), CG_I("seconds", (ms + 999) / 1000));
    }
    keep(board, state);
}
