/* SPDX-License-Identifier: Apache-2.0
 * Calling into plugins, and being answered exactly once: the engine's side of call, chat, embed and search. Every call is a
 * wait below `parent`; when that ends, nothing is called any more and the plugin's state is released. */
#ifndef CG_PLUGIN_INVOKE_H
#define CG_PLUGIN_INVOKE_H

#include "engine/base/board.h"
#include "engine/io/loop.h"
#include "registry.h"

struct cg_invoke_env {
    struct cg_loop *loop;
    const struct cogent_host *host;
    /* Where the name of the plugin whose code runs is kept (the board); CG_RUNNING_SIZE bytes (turn.h); may be NULL. */
    char *running;
    /* Which plugins are held back (holds.h): a call of theirs ends with COGENT_UNAVAILABLE. NULL: none. */
    const struct cg_board *board;
};

/* done(arg, err, text): err 0: text is the result as JSON; else a sentence. Never called before the start returned. */
struct cogent_op cg_invoke_tool(const struct cg_invoke_env *env, struct cogent_op parent,
                                const struct cg_tool *tool, struct cogent_str args,
                                const struct cogent_asker *asker, const char *effect_key,
                                void (*done)(void *arg, int err, struct cogent_str text), void *arg);

/* Whether a declared tool's service can be reached and lets us in; see cogent_toolset. The tool is not called. */
struct cogent_op cg_invoke_reach(const struct cg_invoke_env *env, struct cogent_op parent,
                                 const struct cg_plugins *plugins, const struct cg_tool *tool,
                                 const struct cogent_asker *asker,
                                 void (*done)(void *arg, int err, struct cogent_str text), void *arg);

struct cg_chat_events {
    void (*text)(void *arg, struct cogent_str text);
    void (*call)(void *arg, const struct cogent_tool_use *use);
    void (*usage)(void *arg, const struct cogent_turn_usage *usage);
    /* err 0: finish says how; else why says what, and retry_ms when it may be tried again (0: unknown). */
    void (*done)(void *arg, int err, int finish, uint32_t retry_ms, const char *why);
};

/* request: all members up to data filled in, host and op are set here. Borrowed until done or the end of parent. */
struct cogent_op cg_invoke_chat(const struct cg_invoke_env *env, struct cogent_op parent,
                                const struct cg_provider *provider, const struct cogent_chat *request,
                                const struct cg_chat_events *events, void *arg);

struct cg_embed_events {
    void (*vector)(void *arg, size_t index, const float *values, size_t n);
    /* err 0: every input has its vector; tokens 0: nobody counted. Else why says what. */
    void (*done)(void *arg, int err, int64_t tokens, uint32_t retry_ms, const char *why);
};

/* As above, of a provider that makes vectors (cg_provider_embeds). */
struct cogent_op cg_invoke_embed(const struct cg_invoke_env *env, struct cogent_op parent,
                                 const struct cg_provider *provider, const struct cogent_embed *request,
                                 const struct cg_embed_events *events, void *arg);
bool cg_provider_embeds(const struct cg_provider *provider);

/* found is called for each record, then done; of a record that was put or dropped in vain, why is "unchanged". */
struct cogent_op cg_invoke_search(const struct cg_invoke_env *env, struct cogent_op parent,
                                  const struct cg_retriever *retriever, const struct cogent_search *request,
                                  uint32_t deadline_ms,
                                  void (*found)(void *arg, const struct cogent_found *found),
                                  void (*done)(void *arg, int err, const char *why), void *arg);

/* The completions of the host table. */
extern const struct cogent_complete_api cg_invoke_complete;

#endif
