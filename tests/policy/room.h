/* SPDX-License-Identifier: Apache-2.0
 * A folder of Lua files for one test, gone at its end. */
#ifndef TESTS_POLICY_ROOM_H
#define TESTS_POLICY_ROOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/policy/policy.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct room {
    char path[64];
};

static inline void room_open(struct room *room)
{
    snprintf(room->path, sizeof room->path, "/tmp/cogent-policy-XXXXXX");
    assert_non_null(mkdtemp(room->path));
}

static inline int room_drop(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static inline void room_close(struct room *room)
{
    nftw(room->path, room_drop, 8, FTW_DEPTH | FTW_PHYS);
}

static inline const char *room_file(const struct room *room, const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", room->path, name);
    return path;
}

/* Writes a file, making its folders. */
static inline void room_write(const struct room *room, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s", room_file(room, name));
    for (char *c = path + strlen(room->path) + 1; *c; c++) {
        if (*c == '/') {
            *c = '\0';
            mkdir(path, 0700);
            *c = '/';
        }
    }
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static inline struct cg_policy *room_policy(const struct room *room)
{
    struct cg_policy *policy;
    struct cg_err err = { 0 };
    if (cg_policy_create(room->path, &policy, &err))
        fail_msg("%s", err.message);
    return policy;
}

static inline json_t *parse(const char *text)
{
    struct cg_err err = { 0 };
    json_t *value = text ? cg_json_parse(cogent_str(text), &err) : NULL;
    if (text && !value)
        fail_msg("%s", err.message);
    return value;
}

static inline struct cg_decision room_decide(struct cg_policy *policy, enum cg_point point,
                                             const char *subject, const char *ctx)
{
    struct cg_decision d;
    cg_auto_json s = parse(subject);
    cg_auto_json c = parse(ctx);
    cg_policy_decide(policy, "11111111-1111-4111-8111-111111111111", point, s, c, &d);
    assert_non_null(d.obligations);
    assert_non_null(d.trail);
    return d;
}

static inline void assert_json(const json_t *got, const char *wanted)
{
    cg_auto_json w = parse(wanted);
    if (json_equal(got, w))
        return;
    char *text = got ? cg_json_text(got) : NULL;
    fail_msg("%s, not %s", text ? text : "nothing", wanted);
}

#endif
