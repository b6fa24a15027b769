/* SPDX-License-Identifier: Apache-2.0
 * Whose code runs: the board's word for it while a plugin's function does, so that a crash has a name. */
#ifndef CG_PLUGIN_TURN_H
#define CG_PLUGIN_TURN_H

enum { CG_RUNNING_SIZE = 40 };

/* What ran before goes on after: a plugin can be called while another one calls the engine. */
struct cg_turn {
    char before[CG_RUNNING_SIZE];
};

/* running: CG_RUNNING_SIZE bytes, or NULL. */
void cg_turn_begin(struct cg_turn *turn, char *running, const char *plugin);
void cg_turn_end(const struct cg_turn *turn, char *running);

#endif
