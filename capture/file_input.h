/* file_input.h: the bytes of one capture file, decompressed, in large blocks. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"

struct gz;

/* Unread bytes are buf[from..to). Pointers into them stay valid until the next input_fill or input_close. */
struct input {
    const char *path; /* borrowed; "-" is standard input */
    int fd;           /* -1: not open at the moment */
    bool seekable;    /* a regular file: can be closed and opened again */
    bool probed;      /* it is known whether the file is compressed */
    bool transient;   /* close after every read: so any number of files can be merged */
    bool eof;         /* the last byte was read into buf */
    bool early_end;   /* compressed data ended before its end mark */
    bool packed;      /* gzip */
    int error;        /* -errno of a failed read; -EBADMSG: corrupt compressed data */
    uint8_t *buf;
    uint32_t cap, from, to;
    uint64_t base; /* offset of buf[0] in the (decompressed) file */
    uint64_t raw;  /* bytes taken from the file itself */
    struct gz *gz;
};

enum { INPUT_MAX = 1 << 20 }; /* the largest record that can be asked for */

/* Takes a block of cap bytes (>= 64 KiB); the file itself is opened by the first input_fill, so that this never waits.
 */
int input_open(struct input *in, const char *path, uint32_t cap, bool transient) MUST_USE;
void input_close(struct input *in);

/* At least need (<= INPUT_MAX) unread bytes in one piece. Moves the tail to the front of the block and reads on.
 * 1 they are there; 0 the file ends before; -EINTR a signal came while waiting: call again; other -errno: unreadable
 * (what was read before stays). */
int input_fill(struct input *in, uint32_t need) MUST_USE;

static inline uint32_t input_left(const struct input *in)
{
    return in->to - in->from;
}

static inline const uint8_t *input_at(const struct input *in)
{
    return in->buf + in->from;
}

/* Offset of the first unread byte. */
static inline uint64_t input_offset(const struct input *in)
{
    return in->base + in->from;
}
