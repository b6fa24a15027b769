/* SPDX-License-Identifier: Apache-2.0 */
#include "inherit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cg_inherit_write(const struct cg_inherit *in, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "%s %u %llu %d %d %d %d %u", in->role, in->slot, in->incarnation,
                                in->board, in->mail, in->ready, in->metrics, in->n_listen);
    for (unsigned i = 0; i < in->n_listen && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, " %d", in->listen[i]);
    for (unsigned i = 0; i < CG_WORKERS_MAX && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, " %d", in->post[i]);
}

static bool next_int(const char **at, int *out)
{
    char *end;
    *out = (int)strtol(*at, &end, 10);
    bool ok = end != *at;
    *at = end;
    return ok;
}

int cg_inherit_read(const char *text, struct cg_inherit *in, struct cg_err *err)
{
    int used = 0;
    memset(in, 0, sizeof *in);
    bool ok = sscanf(text, "%7s %u %llu %d %d %d %d %u%n", in->role, &in->slot, &in->incarnation, &in->board,
                     &in->mail, &in->ready, &in->metrics, &in->n_listen, &used) == 8 &&
              in->slot < CG_WORKERS_MAX && in->n_listen <= CG_LISTENERS_MAX;
    const char *at = text + used;
    for (unsigned i = 0; ok && i < in->n_listen; i++)
        ok = next_int(&at, &in->listen[i]);
    for (unsigned i = 0; ok && i < CG_WORKERS_MAX; i++)
        ok = next_int(&at, &in->post[i]);
    return ok ? 0
              : cg_err_set(err, COGENT_INVALID, "%s is for the master to set, not for people",
                           CG_INHERIT_ENV);
}
