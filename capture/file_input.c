/* file_input.c: large read() calls into one block (a file read once is read faster so than through mmap). */
#include "capture/file_input.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/file_gz.h"

static int open_fd(struct input *in)
{
    if (strcmp(in->path, "-") == 0) {
        in->fd = STDIN_FILENO;
        return 0;
    }
    in->fd = open(in->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (in->fd < 0)
        return -errno;
    struct stat st;
    if (fstat(in->fd, &st) == 0)
        in->seekable = S_ISREG(st.st_mode);
    if (in->raw && lseek(in->fd, (off_t)in->raw, SEEK_SET) < 0)
        return -errno;
#ifdef POSIX_FADV_SEQUENTIAL
    (void)posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
    return 0;
}

static void close_fd(struct input *in)
{
    if (in->fd > STDIN_FILENO)
        close(in->fd);
    in->fd = -1;
}

/* > 0 bytes, 0 end of file, -errno. */
static int64_t read_raw(struct input *in, uint8_t *ret, size_t n)
{
    if (in->fd < 0) {
        int rc = open_fd(in);
        if (rc < 0)
            return rc;
    }
    ssize_t got = read(in->fd, ret, n);
    if (got < 0)
        return -errno;
    in->raw += (uint64_t)got;
    if (in->transient && in->seekable)
        close_fd(in);
    return got;
}

static int64_t read_gz(struct input *in, uint8_t *ret, size_t n)
{
    for (;;) {
        int64_t got = gz_get(in->gz, ret, n);
        if (got > 0)
            return got;
        if (got == -ENODATA)
            return 0;
        if (got == -ENOMSG) {
            in->early_end = true;
            return 0;
        }
        if (got < 0)
            return got;
        size_t room;
        uint8_t *p = gz_room(in->gz, &room);
        if (!room)
            continue;
        got = read_raw(in, p, room);
        if (got < 0)
            return got;
        gz_put(in->gz, (size_t)got);
    }
}

/* One read into the free end of the block. 1 something came, 0 the end, -errno. */
static int read_more(struct input *in)
{
    if (in->eof)
        return 0;
    if (in->error)
        return in->error;
    uint8_t *at = in->buf + in->to;
    size_t room = in->cap - in->to;
    int64_t got = in->gz ? read_gz(in, at, room) : read_raw(in, at, room);
    if (got == -EINTR || got == -EAGAIN)
        return -EINTR;
    if (got < 0) {
        in->error = (int)got;
        return in->error;
    }
    if (got == 0)
        in->eof = true;
    in->to += (uint32_t)got;
    return got > 0;
}

static int grow(struct input *in, uint32_t need)
{
    uint32_t cap = in->cap;
    while (cap < need)
        cap *= 2;
    uint8_t *p = realloc(in->buf, cap);
    if (!p)
        return -ENOMEM;
    in->buf = p;
    in->cap = cap;
    return 0;
}

static int fill(struct input *in, uint32_t need)
{
    if (in->from) {
        memmove(in->buf, in->buf + in->from, input_left(in));
        in->base += in->from;
        in->to -= in->from;
        in->from = 0;
    }
    if (need > in->cap) {
        int rc = grow(in, need);
        if (rc < 0)
            return rc;
    }
    while (in->to < need) {
        int rc = read_more(in);
        if (rc <= 0)
            return rc;
    }
    return 1;
}

/* The first two bytes say whether it is gzip (RFC 1952, 2.3.1). What was read already is the start of its input, so no
 * more is read before this is known than the decompressor can take. */
static int detect_gz(struct input *in)
{
    uint32_t cap = in->cap;
    in->cap = GZ_IN;
    int rc = fill(in, 2);
    in->cap = cap;
    if (rc < 0)
        return rc;
    in->probed = true;
    if (rc == 0 || in->buf[0] != 0x1f || in->buf[1] != 0x8b)
        return 1;
    in->gz = gz_new();
    if (!in->gz)
        return -ENOMEM;
    in->packed = true;
    size_t room;
    uint8_t *p = gz_room(in->gz, &room);
    memcpy(p, in->buf, in->to);
    gz_put(in->gz, in->to);
    in->to = 0;
    return 1;
}

int input_fill(struct input *in, uint32_t need)
{
    if (!in->probed) {
        int rc = detect_gz(in);
        if (rc < 0)
            return rc;
    }
    return input_left(in) >= need ? 1 : fill(in, need);
}

int input_open(struct input *in, const char *path, uint32_t cap, bool transient)
{
    *in = (struct input){.path = path, .fd = -1, .transient = transient, .cap = cap};
    in->buf = malloc(cap);
    return in->buf ? 0 : -ENOMEM;
}

void input_close(struct input *in)
{
    close_fd(in);
    gz_free(in->gz);
    free(in->buf);
    in->gz = NULL;
    in->buf = NULL;
    in->from = in->to = 0;
}
