/* SPDX-License-Identifier: Apache-2.0
 * The asker's credential, kept with what outlives the request: a run that waits, an effect that is in doubt. Sealed
 * under the key ring and bound to tenant and run: moved to another run it does not open. */
#ifndef CG_RUN_CREDENTIAL_H
#define CG_RUN_CREDENTIAL_H

#include "engine/base/keys.h"
#include "engine/svc/auth.h"

/* Nothing is added where the caller has none. */
void cg_credential_seal(const struct cg_keys *keys, const struct cg_caller *caller, const char *run_id,
                        struct cg_buf *out);
/* Gives the caller what was sealed; without it, or when it is of another run, it has none. */
void cg_credential_open(const struct cg_keys *keys, struct cg_caller *caller, const char *run_id,
                        struct cogent_str sealed);
/* Gives the caller that of a request. */
void cg_credential_take(struct cg_caller *caller, const struct cg_caller *from);

#endif
