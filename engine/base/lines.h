/* SPDX-License-Identifier: Apache-2.0
 * Lines out of a text that comes in pieces. A line that is too long is told by its number and costs no memory. */
#ifndef CG_BASE_LINES_H
#define CG_BASE_LINES_H

#include "buf.h"

#include <cogent/error.h>

struct cg_lines {
    size_t max;    /* bytes a line may have; set at the start */
    size_t number; /* of the last line that was told; counts from 1 */
    struct cg_buf held;
    bool over, told;
};

/* Takes the next line off *in. Returns 1: *line, without its end, valid until the next call or as long as *in was;
 * 0: *in is used up; COGENT_LIMIT: the line `number` was too long; COGENT_NO_MEMORY. */
int cg_lines_next(struct cg_lines *lines, struct cogent_str *in, struct cogent_str *line);
/* What stands behind the last line's end, as a line; as above. */
int cg_lines_last(struct cg_lines *lines, struct cogent_str *line);
void cg_lines_finish(struct cg_lines *lines);

#endif
