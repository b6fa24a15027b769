/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include "buf.h"
#include "clock.h"

#include <unistd.h>

enum { TEXT_MAX = 400 };

/* The only global of the engine besides the allocator's: where lines go is a matter of the process. */
static struct {
    enum cg_level level;
    char who[24];
} setup = { CG_INFO, "cogent" };

static const char *const level_names[] = { "error", "warn", "info", "debug" };

void cg_log_setup(enum cg_level level, const char *who)
{
    setup.level = level;
    cg_str_copy(setup.who, sizeof setup.who, cogent_str(who));
}

enum cg_level cg_log_level(void)
{
    return setup.level;
}

int cg_log_level_parse(const char *word)
{
    for (int i = 0; i <= CG_DEBUG; i++) {
        if (strcmp(word, level_names[i]) == 0)
            return i;
    }
    return -1;
}

void cg_log_event(enum cg_level level, const char *event, const struct cg_field *fields)
{
    if (level > setup.level)
        return;
    cg_auto_buf line = { 0 };
    char time[CG_TIME_SIZE];
    cg_time_format(cg_now_us(), time);
    cg_buf_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"who\":\"%s\",\"event\":\"%s\"", time,
                  level_names[level], setup.who, event);
    for (; fields->key; fields++) {
        cg_buf_printf(&line, ",\"%s\":", fields->key);
        if (fields->is_text) {
            struct cogent_str s = cogent_str(fields->text ? fields->text : "");
            if (s.len > TEXT_MAX)
                s.len = TEXT_MAX;
            cg_buf_json(&line, s);
        } else {
            cg_buf_printf(&line, "%lld", (long long)fields->num);
        }
    }
    cg_buf_text(&line, "}\n");
    struct cogent_str out = cg_buf_view(&line);
    /* One write: lines of several processes on one pipe do not mix. A full disk must not stop the engine. */
    if (out.len && write(STDERR_FILENO, out.ptr, out.len) < 0)
        return;
}
