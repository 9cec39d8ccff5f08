/* file_gz.c: gzip'ed capture files (RFC 1952). Several members in one file are one stream (clause 2.2); bytes after the
 * last member that do not start another one are ignored, as gzip does. */
#include "capture/file_gz.h"

#include <stdlib.h>
#include <zlib.h>

struct gz {
    z_stream z;
    bool ended;   /* the file has no more bytes */
    bool between; /* a member has ended; what follows is another one, or rubbish */
    bool done;
    uint8_t in[GZ_IN];
};

struct gz *gz_new(void)
{
    struct gz *g = calloc(1, sizeof *g);
    if (g && inflateInit2(&g->z, 15 + 16) != Z_OK) { /* 16: gzip wrapper only */
        free(g);
        return NULL;
    }
    return g;
}

void gz_free(struct gz *g)
{
    if (!g)
        return;
    inflateEnd(&g->z);
    free(g);
}

uint8_t *gz_room(struct gz *g, size_t *ret_n)
{
    /* Between members two bytes are needed to tell another one from rubbish: one may be left over. */
    if (g->z.avail_in > 1 || (g->z.avail_in && !g->between)) {
        *ret_n = 0;
        return g->in;
    }
    if (g->z.avail_in)
        g->in[0] = *g->z.next_in;
    g->z.next_in = g->in;
    *ret_n = sizeof g->in - g->z.avail_in;
    return g->in + g->z.avail_in;
}

void gz_put(struct gz *g, size_t n)
{
    g->z.avail_in += (unsigned)n;
    g->ended = n == 0;
}

/* -1: cannot tell yet */
static int next_member(struct gz *g)
{
    if (g->z.avail_in < 2)
        return g->ended ? 0 : -1;
    return g->z.next_in[0] == 0x1f && g->z.next_in[1] == 0x8b;
}

int64_t gz_get(struct gz *g, uint8_t *ret, size_t n)
{
    if (g->between) {
        int more = next_member(g);
        if (more < 0)
            return 0;
        g->between = false;
        g->done = !more || inflateReset(&g->z) != Z_OK;
    }
    if (g->done)
        return -ENODATA;
    g->z.next_out = ret;
    g->z.avail_out = (unsigned)n;
    int rc = inflate(&g->z, Z_NO_FLUSH);
    int64_t got = (int64_t)(n - g->z.avail_out);
    if (rc == Z_STREAM_END)
        g->between = true;
    else if (rc != Z_OK && rc != Z_BUF_ERROR)
        return got ? got : -EBADMSG; /* the same error comes again when nothing is left to hand out */
    if (got || g->between)
        return got; /* nothing from an empty member: not yet the end */
    return g->ended && g->z.avail_in == 0 ? -ENOMSG : 0;
}
