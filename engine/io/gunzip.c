/* SPDX-License-Identifier: Apache-2.0 */
#include "gunzip.h"

#include <cogent/error.h>

#include <stdlib.h>
#include <zlib.h>

enum { GZIP_ONLY = 16 + MAX_WBITS };

struct cg_gunzip {
    z_stream z;
    bool inside; /* a member has begun and not ended */
    bool any;
};

struct cg_gunzip *cg_gunzip_create(void)
{
    struct cg_gunzip *g = calloc(1, sizeof *g);
    if (g && inflateInit2(&g->z, GZIP_ONLY) == Z_OK)
        return g;
    free(g);
    return NULL;
}

void cg_gunzip_destroy(struct cg_gunzip *g)
{
    if (!g)
        return;
    inflateEnd(&g->z);
    free(g);
}

int cg_gunzip_read(struct cg_gunzip *g, struct cogent_str *in, char *out, size_t size)
{
    g->z.next_out = (Bytef *)out;
    g->z.avail_out = (uInt)size;
    /* Also without input: what was taken may not have been given yet. */
    while (g->z.avail_out == size && (in->len || g->inside)) {
        g->z.next_in = (Bytef *)(uintptr_t)in->ptr;
        g->z.avail_in = (uInt)in->len;
        g->inside = g->any = true;
        int rc = inflate(&g->z, Z_NO_FLUSH);
        bool stuck = rc == Z_BUF_ERROR || (g->z.avail_in == in->len && g->z.avail_out == size);
        in->ptr += in->len - g->z.avail_in;
        in->len = g->z.avail_in;
        if (rc == Z_STREAM_END) { /* another member may follow */
            g->inside = false;
            if (inflateReset(&g->z) != Z_OK)
                return COGENT_INVALID;
        } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
            return COGENT_INVALID;
        } else if (stuck) {
            break;
        }
    }
    return (int)(size - g->z.avail_out);
}

bool cg_gunzip_whole(const struct cg_gunzip *g)
{
    return g->any && !g->inside;
}
