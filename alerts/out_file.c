/* out_file.c: a queue of whole lines in front of a descriptor. `head` is what is partly or not yet written. */
#include "alerts/out_file.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH = 65536, LEAST_ROOM = 2 * (ALERT_LINE + 4096) };

struct out_file {
    int fd;
    bool regular, own;
    uint32_t cap, head, tail; /* bytes [head, tail) wait */
    uint32_t batch;           /* so many are written without being asked */
    uint32_t mark;            /* bytes from head on that were there when it was marked */
    struct out_file_stats s;
    char *buf;
};

/* A crash may have left half a line of ours at the end: take it off, so that every line is whole. Another file's last
 * line without a newline is none of ours: it gets its newline. */
static int repair_end(int fd, off_t size)
{
    static const char ours[] = "{\"timestamp\":\"";
    char buf[4096];
    off_t at = size;
    while (at > 0) {
        size_t n = at > (off_t)sizeof buf ? sizeof buf : (size_t)at;
        if (pread(fd, buf, n, at - (off_t)n) != (ssize_t)n)
            return -EIO;
        const char *nl = memrchr(buf, '\n', n);
        if (nl) {
            at = at - (off_t)n + (nl - buf) + 1;
            break;
        }
        at -= (off_t)n;
    }
    if (at == size)
        return 0;
    size_t n = (size_t)(size - at) < sizeof ours - 1 ? (size_t)(size - at) : sizeof ours - 1;
    if (pread(fd, buf, n, at) != (ssize_t)n)
        return -EIO;
    if (memcmp(buf, ours, n) == 0)
        return ftruncate(fd, at) < 0 ? -errno : 0;
    return write(fd, "\n", 1) == 1 ? 0 : -EIO;
}

static int open_path(struct out_file *f, const char *path, struct err *e)
{
    struct stat st;
    if (strcmp(path, "-") == 0) {
        f->fd = STDOUT_FILENO;
        return 0;
    }
    /* Read as well: the end of the file is looked at. A pipe or device that cannot be read is opened for writing. */
    f->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    int why = errno;
    if (f->fd < 0 && (why == EACCES || why == EPERM))
        f->fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
    if (f->fd < 0)
        return err_set(e, -why, "%s: cannot be written: %s", path, strerror(why));
    f->own = true;
    if (fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode)) {
        f->regular = true;
        int r = st.st_size ? repair_end(f->fd, st.st_size) : 0;
        if (r < 0 && r != -EBADF)
            return err_set(e, r, "%s: cannot read its end: %s", path, strerror(-r));
    }
    return 0;
}

uint64_t out_file_memory(const struct out_file *f)
{
    return sizeof *f + f->cap;
}

int out_file_open(struct out_file **ret, const char *path, uint32_t max_wait, struct err *e)
{
    struct out_file *f = calloc(1, sizeof *f);
    if (f) {
        f->fd = -1;
        f->cap = max_wait < LEAST_ROOM ? LEAST_ROOM : max_wait;
        f->batch = BATCH;
        f->buf = malloc(f->cap);
    }
    if (!f || !f->buf) {
        free(f);
        return err_set(e, -ENOMEM, "%s: out of memory", path);
    }
    int r = open_path(f, path, e);
    if (r < 0) {
        if (f->own)
            close(f->fd);
        free(f->buf);
        free(f);
        return r;
    }
    *ret = f;
    return 0;
}

void out_file_hold(struct out_file *f)
{
    f->batch = UINT32_MAX;
}

static uint64_t count_lines(const char *p, size_t n)
{
    uint64_t lines = 0;
    for (const char *end = p + n; (p = memchr(p, '\n', (size_t)(end - p))); p++)
        lines++;
    return lines;
}

/* After a failed write to a file: nothing of the line that did not fit may stay behind. */
static void take_back(struct out_file *f, uint32_t whole, uint32_t done)
{
    off_t size = lseek(f->fd, 0, SEEK_END);
    if (done > whole && size >= (off_t)(done - whole) && ftruncate(f->fd, size - (off_t)(done - whole)) == 0)
        f->head += whole;
    else
        f->head += done; /* cannot be taken back: the rest of the line follows */
}

/* Write n bytes from head on. What was written only in part is finished by the next call, or taken back. */
static int drain(struct out_file *f, uint32_t n)
{
    uint32_t done = 0, from = f->head;
    int r = 0;
    while (done < n) {
        ssize_t k = write(f->fd, f->buf + f->head + done, n - done);
        if (k > 0) {
            done += (uint32_t)k;
        } else if (k == 0 || errno != EINTR) {
            r = k == 0 ? -EIO : -errno;
            break;
        }
    }
    const char *p = f->buf + f->head, *nl = done ? memrchr(p, '\n', done) : NULL;
    uint32_t whole = nl ? (uint32_t)(nl - p) + 1 : 0;
    f->s.lines += count_lines(p, whole);
    f->s.bytes += whole;
    if (r < 0 && f->regular)
        take_back(f, whole, done);
    else
        f->head += done;
    f->mark = f->mark > f->head - from ? f->mark - (f->head - from) : 0;
    if (f->head == f->tail)
        f->head = f->tail = 0;
    f->s.errors += r < 0;
    f->s.last_error = -r;
    f->s.waiting = f->tail - f->head;
    return r;
}

static bool has_room(struct out_file *f, size_t n)
{
    if (f->cap - f->tail < n && f->head) {
        memmove(f->buf, f->buf + f->head, f->tail - f->head);
        f->tail -= f->head;
        f->head = 0;
    }
    return f->cap - f->tail >= n;
}

int out_file_line(struct out_file *f, const char *line, size_t n)
{
    int r = 0;
    if (!has_room(f, n + 1) && ((r = drain(f, f->tail - f->head)), !has_room(f, n + 1))) {
        f->s.lost++;
        return r < 0 ? r : -ENOBUFS;
    }
    memcpy(f->buf + f->tail, line, n);
    f->buf[f->tail + n] = '\n';
    f->tail += (uint32_t)n + 1;
    f->s.waiting = f->tail - f->head;
    if (f->s.waiting >= f->batch && !f->s.last_error)
        return drain(f, f->tail - f->head);
    return 0;
}

int out_file_flush(struct out_file *f)
{
    return f->head < f->tail ? drain(f, f->tail - f->head) : 0;
}

void out_file_mark(struct out_file *f)
{
    f->mark = f->tail - f->head;
}

int out_file_flush_marked(struct out_file *f)
{
    return f->mark ? drain(f, f->mark) : 0;
}

bool out_file_room(const struct out_file *f, size_t n)
{
    return f->cap - (f->tail - f->head) > n; /* and its newline */
}

void out_file_stats(const struct out_file *f, struct out_file_stats *ret)
{
    *ret = f->s;
}

int out_file_close(struct out_file *f)
{
    int r = 0;
    if (!f)
        return 0;
    if (f->head < f->tail)
        r = drain(f, f->tail - f->head);
    if (f->head < f->tail)
        f->s.lost += count_lines(f->buf + f->head, f->tail - f->head);
    if (f->own && close(f->fd) < 0 && r == 0)
        r = -errno;
    if (r == 0 && f->s.lost)
        r = -ENOBUFS;
    free(f->buf);
    free(f);
    return r;
}

static int sink_put(void *ctx, const struct alert_out *a)
{
    struct out_file_sink *s = ctx;
    if (s->least && a->severity > s->least)
        return 0;
    if (s->hold && s->full && !out_file_room(s->file, a->line_len))
        s->full(s->full_arg);
    int r = out_file_line(s->file, a->line, a->line_len);
    return r < 0 || s->hold ? r : out_file_flush(s->file);
}

struct alert_sink out_file_sink(struct out_file_sink *s)
{
    return (struct alert_sink){.ctx = s, .put = sink_put};
}
