/* SPDX-License-Identifier: Apache-2.0
 * The conformance kit behind `cogent plugin check`. plugin_check.c starts a child process for every stage, so that a
 * crash or a hang is a finding; all the rest runs in such a child. Loading, refusing and calling are the engine's own
 * code, so kit and engine agree. */
#ifndef CG_CLI_PLUGIN_KIT_H
#define CG_CLI_PLUGIN_KIT_H

#include "engine/plugin/invoke.h"

enum cg_kit_state { CG_KIT_OK, CG_KIT_NOTE, CG_KIT_WRONG };

/* What a child tells besides its findings; shared memory, so that it is there when the child is not. */
struct cg_kit_page {
    char at[160]; /* what runs, for "crashed in ..." */
    uint32_t tools;
    bool loaded;
};

struct cg_kit {
    const char *path;
    struct cg_kit_page *page;
    int out; /* findings, a JSON object a line */
    int log; /* where the engine's log and whatever the plugin prints goes */
};

/* what: what to do about it, "" when nothing. */
void cg_kit_say(struct cg_kit *kit, enum cg_kit_state state, const char *check, const char *what,
                const char *format, ...) COGENT_PRINTF(5, 6);
void cg_kit_at(struct cg_kit *kit, const char *format, ...) COGENT_PRINTF(2, 3);
/* Whether the engine logged this event since the last look, which forgets all. */
bool cg_kit_logged(struct cg_kit *kit, const char *event);

/* The stages. */
void cg_kit_file(struct cg_kit *kit, size_t unused);
void cg_kit_descriptor(struct cg_kit *kit, size_t unused);
void cg_kit_parts(struct cg_kit *kit, size_t unused);
void cg_kit_tool(struct cg_kit *kit, size_t tool);
void cg_kit_calls(struct cg_kit *kit, size_t tool);
void cg_kit_cancel(struct cg_kit *kit, size_t tool);
void cg_kit_leaks(struct cg_kit *kit, size_t tool);

/* Arguments made from a tool's schema. */
enum cg_args_kind {
    CG_ARGS_LEAST,   /* what is required, as short as it may be */
    CG_ARGS_ALL,     /* everything that it knows */
    CG_ARGS_LONGEST, /* everything, as long as it may be */
    CG_ARGS_ODD, /* quotes, backslashes, format signs, line ends and letters of four bytes in every free text */
};
/* A new reference that the tool's schema accepts, or NULL: none was found. */
json_t *cg_args_make(const struct cg_tool *tool, enum cg_args_kind kind);

/* What the services of a plugin answer here. */
enum cg_answers {
    CG_ANSWER_NOTHING, /* nothing can be reached; nothing was sent */
    CG_ANSWER_JSON,    /* 200 with a small JSON object */
    CG_ANSWER_OTHER,   /* 200 with a page of HTML */
    CG_ANSWER_CUT,     /* the request was sent, and the connection broke; a stream in the middle of a call */
};

/* A place to call a plugin in: a loop, the host table with services that answer as told, somebody who asks. One a process,
 * like the engine's host. */
struct cg_room {
    struct cg_loop *loop;
    const struct cogent_host *host;
    const struct cogent_asker *asker;
    struct cg_invoke_env invoke;
    struct cg_plugins *plugins;
    enum cg_answers answers;
    unsigned sent;           /* requests since the caller set it to 0 */
    const char *bad_request; /* what was wrong with one of them, or NULL */
    unsigned unguarded;      /* requests that are no GET and lack COGENT_HTTP_ONCE */
};

/* With the plugin loaded; NULL: err says why not. */
struct cg_room *cg_room_open(const char *path, struct cg_err *err);
/* Turns the loop until fn says so, at most so long; false: its time was over. */
bool cg_room_until(struct cg_room *room, uint32_t ms, bool (*fn)(void *arg), void *arg);
/* Waits that are open now. */
size_t cg_room_waits(const struct cg_room *room);

#endif
