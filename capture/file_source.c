/* file_source.c: capture files as one source: a single file straight from its reader, several merged by time.
 *
 * Merging is by each file's highest time so far, so that a file whose clock runs backwards keeps its own order. All
 * files are looked into when the source is opened; where there are many, those whose time has not come are closed again
 * and hold no memory. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "capture/file.h"

enum {
    AHEAD = 64,          /* packets of each file read ahead when merging */
    BLOCK_ONE = 1 << 17, /* measured: larger is no faster and pushes tables out of the cache, smaller costs calls */
    BLOCK_FEW = 1 << 18,
    BLOCK_MANY = 1 << 16, /* grows where a record asks for it */
    FEW = 16,             /* files that may all stay open, blocks and all */
    FILES_MAX = 65535,    /* pkt.file has 16 bits */
};

struct files {
    struct source s;
    struct file *file;  /* n of them */
    struct file **heap; /* by (key, index): those that are not ended; n_heap of them */
    unsigned n, n_heap;
    uint32_t block;
    bool park, merged; /* merged: the heap is built */
};

static bool before(const struct file *a, const struct file *b)
{
    return a->key != b->key ? a->key < b->key : a->index < b->index;
}

static void sift_down(struct files *s, unsigned at)
{
    for (;;) {
        unsigned least = at, l = 2 * at + 1;
        for (unsigned c = l; c < l + 2 && c < s->n_heap; c++)
            if (before(s->heap[c], s->heap[least]))
                least = c;
        if (least == at)
            return;
        struct file *t = s->heap[at];
        s->heap[at] = s->heap[least];
        s->heap[least] = t;
        at = least;
    }
}

static int start(struct files *s, struct file *f)
{
    return file_start(f, s->block, s->n > FEW);
}

/* Packets to look at for merging. 1, 0 the file has ended, -EINTR. */
static int read_ahead(struct files *s, struct file *f, unsigned max)
{
    if (f->ended)
        return 0;
    if (!f->format) {
        int rc = start(s, f);
        if (rc <= 0)
            return rc;
    }
    if (!f->ahead) {
        f->ahead = calloc(AHEAD, sizeof *f->ahead);
        if (!f->ahead)
            return file_fault(f, SOURCE_ERROR, 0, "found no memory, expected to read on"), 0;
    }
    f->ahead_at = f->ahead_n = 0;
    int n = f->format->read(f, f->ahead, max);
    if (n <= 0)
        return n == -EINTR ? n : 0;
    f->ahead_n = (uint32_t)n;
    if (f->key < f->ahead[0].ts_ns)
        f->key = f->ahead[0].ts_ns;
    return 1;
}

static void push(struct files *s, struct file *f)
{
    unsigned at = s->n_heap++;
    s->heap[at] = f;
    while (at && before(s->heap[at], s->heap[(at - 1) / 2])) {
        struct file *t = s->heap[at];
        s->heap[at] = s->heap[(at - 1) / 2];
        s->heap[(at - 1) / 2] = t;
        at = (at - 1) / 2;
    }
}

/* The first time of one file. 0, or -EINTR. */
static int look_into(struct files *s, struct file *f)
{
    if (f->ended || f->ahead_n || f->key)
        return 0;
    int rc = read_ahead(s, f, s->park ? 1 : AHEAD);
    if (rc == 1 && s->park && f->in.seekable)
        file_park(f);
    return rc < 0 ? rc : 0;
}

/* Files that cannot be read twice (pipes) were left for the first poll, so that opening never waits. */
static int build_heap(struct files *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        int rc = look_into(s, &s->file[i]);
        if (rc < 0)
            return rc;
    }
    for (unsigned i = 0; i < s->n; i++)
        if (!s->file[i].ended)
            push(s, &s->file[i]);
    s->merged = true;
    return 0;
}

static void pop(struct files *s)
{
    s->heap[0] = s->heap[--s->n_heap];
    sift_down(s, 0);
}

static int poll_merged(struct files *s, struct pkt *ret, unsigned max)
{
    unsigned n = 0;
    if (!s->merged && build_heap(s) < 0)
        return 0;
    while (n < max && s->n_heap) {
        struct file *f = s->heap[0];
        if (f->ahead_at == f->ahead_n) {
            if (n)
                break; /* reading on may move bytes that this batch shows */
            int rc = read_ahead(s, f, AHEAD);
            if (rc == -EINTR)
                return 0;
            if (rc == 0)
                pop(s);
            else
                sift_down(s, 0);
            continue;
        }
        ret[n++] = f->ahead[f->ahead_at++];
        if (f->ahead_at < f->ahead_n && f->key < f->ahead[f->ahead_at].ts_ns) {
            f->key = f->ahead[f->ahead_at].ts_ns;
            sift_down(s, 0);
        }
    }
    return n ? (int)n : -ENODATA;
}

static int poll_one(struct files *s, struct pkt *ret, unsigned max)
{
    struct file *f = &s->file[0];
    if (f->ended)
        return -ENODATA;
    if (!f->format) {
        int rc = start(s, f);
        if (rc <= 0)
            return rc == 0 ? -ENODATA : 0;
    }
    int n = f->format->read(f, ret, max);
    return n == -EINTR ? 0 : n;
}

static int files_poll(struct source *src, struct pkt *ret, unsigned max)
{
    struct files *s = (struct files *)src;
    if (max == 0)
        return 0;
    return s->n == 1 ? poll_one(s, ret, max) : poll_merged(s, ret, max);
}

static void files_progress(const struct source *src, struct source_progress *ret)
{
    const struct files *s = (const struct files *)src;
    *ret = (struct source_progress){0};
    for (unsigned i = 0; i < s->n; i++) {
        const struct file *f = &s->file[i];
        ret->done += f->ended && f->regular ? f->size : f->in.raw;
        if (!f->regular)
            ret->total = -1;
        else if (ret->total >= 0)
            ret->total += (int64_t)f->size;
    }
}

static void files_close(struct source *src)
{
    struct files *s = (struct files *)src;
    for (unsigned i = 0; s->file && i < s->n; i++)
        file_park(&s->file[i]);
    free(s->file);
    free(s->heap);
    source_done(&s->s);
    free(s);
}

/* What is not a regular file may keep us waiting: left for the first poll. A missing one is a fault now. */
static void begin(struct files *s, struct file *f, unsigned index)
{
    const char *path = source_file(&s->s, index);
    struct stat st;
    bool found = strcmp(path, "-") != 0 && stat(path, &st) == 0;
    f->src = &s->s;
    f->index = (uint16_t)index;
    f->in.fd = -1;
    f->regular = found ? S_ISREG(st.st_mode) : strcmp(path, "-") != 0;
    f->size = found && f->regular ? (uint64_t)st.st_size : 0;
    if (!f->regular)
        return;
    if (s->n > 1)
        (void)look_into(s, f); /* interrupted: looked into again by the first poll */
    else
        (void)start(s, f);
}

static int files_open(const char *const *paths, unsigned n, const struct source_conf *conf, struct err *e,
                      struct source **ret)
{
    (void)conf;
    if (n == 0 || n > FILES_MAX)
        return err_set(e, -EINVAL, "found %u capture files, expected 1 to %d", n, FILES_MAX);
    struct files *s = calloc(1, sizeof *s);
    if (!s)
        return err_set(e, -ENOMEM, "no memory to read capture files");
    s->n = n;
    s->block = n == 1 ? BLOCK_ONE : n <= FEW ? BLOCK_FEW : BLOCK_MANY;
    s->park = n > FEW;
    s->file = calloc(n, sizeof *s->file);
    s->heap = calloc(n, sizeof(struct file *));
    int rc = source_init(&s->s, &source_file_ops, paths, n);
    if (rc < 0 || !s->file || !s->heap) {
        files_close(&s->s);
        return err_set(e, -ENOMEM, "no memory to read %u capture files", n);
    }
    for (unsigned i = 0; i < n; i++)
        begin(s, &s->file[i], i);
    *ret = &s->s;
    return 0;
}

const struct source_ops source_file_ops = {
    .scheme = "file",
    .open = files_open,
    .poll = files_poll,
    .progress = files_progress,
    .close = files_close,
};
