/* SPDX-License-Identifier: Apache-2.0
 * Where the server is and who asks: COGENT_URL and COGENT_TOKEN, else a quickstart's state folder. */
#ifndef CG_CLI_PLACE_H
#define CG_CLI_PLACE_H

#include "engine/base/buf.h"

struct cg_place {
    char *base;   /* "http://127.0.0.1:8420", without a slash at the end */
    char *socket; /* path of a Unix socket, or NULL; then base is only a name */
    char *token;  /* or NULL */
    char *state;  /* the state folder it was found in, or NULL */
};

/* 0; or a negative error, *why says what is missing and what to do. */
int cg_place_find(struct cg_place *place, const char **why);
/* The state folder alone: COGENT_STATE, else build/quickstart here or above. NULL: none. To free. */
char *cg_place_state(void);
void cg_place_finish(struct cg_place *place);

/* A whole small file without the line's end; NULL when it cannot be read. To free. */
char *cg_place_read(const char *folder, const char *name);

#endif
