/* SPDX-License-Identifier: Apache-2.0
 * The parts of `doctor`: a list of findings, and those who look. */
#ifndef CG_CLI_DOCTOR_H
#define CG_CLI_DOCTOR_H

#include "client.h"

#include "engine/parts.h"

struct cg_doctor {
    struct cg_files *files;
    struct cg_config *config; /* NULL when it cannot be read */
    const char *path;         /* of the configuration; NULL: the default */
    struct cg_parts parts;
    bool parts_ok;
    bool jwks;     /* tokens are verified with a key set that is yet to be read */
    json_t *found; /* [{"check", "ok", "says", "do"}] */
};

/* Adds a finding; what: what to do, "" when all is well. */
void cg_doctor_add(struct cg_doctor *doctor, const char *check, bool ok, const char *what, const char *format,
                   ...) __attribute__((format(printf, 5, 6)));

/* The database: opens, its version, the records and feeds of each tenant and kind. */
void cg_doctor_database(struct cg_doctor *doctor);
/* Whether something that can be seen from here keeps a tenant's feed of a kind from being read; why: what. */
bool cg_doctor_feed_wrong(const struct cg_doctor *doctor, const char *tenant, const struct cg_kind *kind,
                          struct cg_buf *why);
/* The server, the issuer's key set and each tenant's ERP answer; no plugin is held back. */
void cg_doctor_network(struct cg_doctor *doctor);

#endif
