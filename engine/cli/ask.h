/* SPDX-License-Identifier: Apache-2.0
 * The parts of `ask`: what it knows of a conversation, how it shows a run, how it decides an approval. */
#ifndef CG_CLI_ASK_H
#define CG_CLI_ASK_H

#include "client.h"

enum cg_ask_decide { CG_ASK_PROMPT, CG_ASK_YES, CG_ASK_NO };

struct cg_ask {
    struct cg_client client;
    const char *model;
    bool no_tools, json;
    enum cg_ask_decide decide;
    char *session; /* of the conversation so far; owned */

    /* One question. */
    json_t *citations, *approvals; /* as they came */
    char *status, *content;        /* of done */
    char *run;                     /* of start */
    char *answered;                /* the model of the last turn */
    int64_t began_us;
    bool in_text, told, failed, ended; /* told: text that holds was shown */
};

/* One event of a run, shown. */
void cg_ask_show(void *arg, struct cogent_str name, const json_t *data);
/* After the last event of a question. */
void cg_ask_show_end(struct cg_ask *ask);

/* Decides what waits, and goes on with the run. *decided: whether there was a decision. Exit status. */
int cg_ask_settle(struct cg_ask *ask, json_t *approval, bool *decided);

#endif
