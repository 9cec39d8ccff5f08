#include "engine/captures.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/limits.h"

enum { MAX_WAITING = 64, MAX_DONE = 4096, MAX_IFACES = 64, NAP_US = 100000 };

struct wanted {
    uint64_t uid, from_ns, to_ns;
    struct addr lo, hi;
    bool pair; /* else `lo` alone */
};

struct captures {
    struct captures_conf c;
    struct recent *ring[N_SHARDS];
    pthread_t thread;
    pthread_mutex_t lock;
    atomic_bool stop;
    _Atomic uint64_t now_ns;
    struct wanted waiting[MAX_WAITING];
    unsigned n_waiting, n_done;
    uint64_t done[MAX_DONE];      /* uids that have their file, the latest ones */
    struct captures_stats stats;
    char path[512];
};

/* ---- one file ---- */

struct file {
    FILE *f;
    const struct captures *c;
    const struct wanted *w;
    uint64_t bytes, packets;
    uint16_t iface[MAX_IFACES];   /* of ours -> their number in the file */
    uint32_t link[MAX_IFACES];
    unsigned n_ifaces;
};

static void put(struct file *f, const void *p, size_t n)
{
    static const uint8_t zero[4];
    fwrite(p, 1, n, f->f);
    if (n % 4)
        fwrite(zero, 1, 4 - n % 4, f->f);
    f->bytes += (n + 3) & ~(size_t)3;
}

static void put32(struct file *f, uint32_t v)
{
    put(f, &v, sizeof v);
}

static uint32_t option_len(const char *text)
{
    return text ? 4 + (((uint32_t)strlen(text) + 3) & ~3u) : 0;
}

static void option(struct file *f, uint32_t code, const char *text)
{
    if (!text)
        return;
    put32(f, code | (uint32_t)strlen(text) << 16); /* two halves in this machine's order, as the block says */
    put(f, text, strlen(text));
}

/* draft-ietf-opsawg-pcapng 4.1: section header; its comment names the alert. */
static void section(struct file *f)
{
    char comment[96];
    snprintf(comment, sizeof comment, "tyto alert %016llx", (unsigned long long)f->w->uid);
    uint32_t len = 28 + option_len(comment) + option_len("tyto " TYTO_VERSION) + 4;
    const uint32_t head[] = {0x0a0d0d0a, len, 0x1a2b3c4d, 1, UINT32_MAX, UINT32_MAX};
    put(f, head, sizeof head);
    option(f, 1, comment);
    option(f, 4, "tyto " TYTO_VERSION);
    put32(f, 0);
    put32(f, len);
}

/* 4.2: interface description, when its first packet comes. */
static uint32_t interface(struct file *f, const struct recent_packet *p)
{
    for (unsigned i = 0; i < f->n_ifaces; i++)
        if (f->iface[i] == p->iface && f->link[i] == p->linktype)
            return i;
    if (f->n_ifaces == MAX_IFACES)
        return 0;
    const char *name = f->c->c.iface_name(f->c->c.name_arg, p->iface);
    uint32_t len = 20 + option_len(name) + 8 + 4;
    const uint32_t head[] = {1, len, p->linktype & 0xffff, 0};
    put(f, head, sizeof head);
    option(f, 2, name);
    put32(f, 9 | 1u << 16); /* if_tsresol: nanoseconds */
    put32(f, 9);
    put32(f, 0);
    put32(f, len);
    f->iface[f->n_ifaces] = p->iface;
    f->link[f->n_ifaces] = p->linktype;
    return f->n_ifaces++;
}

static bool concerns(const struct wanted *w, const struct recent_packet *p)
{
    if (p->ts_ns < w->from_ns || p->ts_ns > w->to_ns)
        return false;
    if (w->pair)
        return addr_eq(&p->lo, &w->lo) && addr_eq(&p->hi, &w->hi);
    return addr_eq(&p->lo, &w->lo) || addr_eq(&p->hi, &w->lo);
}

/* 4.3: enhanced packet. */
static bool packet(void *arg, const struct recent_packet *p)
{
    struct file *f = arg;
    if (!concerns(f->w, p))
        return true;
    uint32_t len = 32 + ((p->caplen + 3) & ~3u);
    if (f->bytes + len > f->c->c.file_bytes)
        return false;
    uint32_t iface = interface(f, p);
    const uint32_t head[] = {6, len, iface, (uint32_t)(p->ts_ns >> 32), (uint32_t)p->ts_ns, p->caplen, p->wirelen};
    put(f, head, sizeof head);
    put(f, p->data, p->caplen);
    put32(f, len);
    f->packets++;
    return true;
}

static void path_of(const struct captures *c, uint64_t uid, const char *end, char *to, size_t cap)
{
    snprintf(to, cap, "%s/%016llx.%s", c->c.dir, (unsigned long long)uid, end);
}

static int write_file(struct captures *c, const struct wanted *w)
{
    char part[512], path[512];
    struct file f = {.c = c, .w = w};
    path_of(c, w->uid, "part", part, sizeof part);
    path_of(c, w->uid, "pcapng", path, sizeof path);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    f.f = fd < 0 ? NULL : fdopen(fd, "wb");
    if (!f.f) {
        if (fd >= 0)
            close(fd);
        return -EIO;
    }
    section(&f);
    recent_each(c->ring, c->c.n_rings, packet, &f);
    bool bad = ferror(f.f);
    bad |= fclose(f.f) != 0;
    if (bad || rename(part, path)) {
        (void)unlink(part);
        return -EIO;
    }
    return 0;
}

/* ---- the folder ---- */

struct oldest {
    char name[64];
    struct timespec at;
    uint64_t bytes;
};

static bool older(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static uint64_t look_around(const struct captures *c, struct oldest *ret)
{
    DIR *d = opendir(c->c.dir);
    struct dirent *it;
    uint64_t sum = 0;
    *ret = (struct oldest){0};
    while (d && (it = readdir(d))) {
        struct stat st;
        size_t n = strlen(it->d_name);
        if (n != 16 + 7 || strcmp(it->d_name + 16, ".pcapng") != 0 || fstatat(dirfd(d), it->d_name, &st, 0))
            continue; /* not ours */
        sum += (uint64_t)st.st_size;
        if (*ret->name && !older(&st.st_mtim, &ret->at))
            continue;
        memcpy(ret->name, it->d_name, n + 1);
        ret->at = st.st_mtim;
        ret->bytes = (uint64_t)st.st_size;
    }
    if (d)
        closedir(d);
    return sum;
}

static void make_room(struct captures *c)
{
    struct oldest o;
    char path[600];
    while (look_around(c, &o) > c->c.total_bytes && *o.name) {
        snprintf(path, sizeof path, "%s/%s", c->c.dir, o.name);
        if (unlink(path))
            return;
        c->stats.removed++;
    }
}

/* ---- the thread ---- */

static bool next_due(struct captures *c, bool all, struct wanted *ret)
{
    uint64_t now = atomic_load(&c->now_ns);
    bool found = false;
    pthread_mutex_lock(&c->lock);
    for (unsigned i = 0; i < c->n_waiting && !found; i++) {
        if (!all && now < c->waiting[i].to_ns)
            continue;
        *ret = c->waiting[i];
        c->waiting[i] = c->waiting[--c->n_waiting];
        found = true;
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

static void work(struct captures *c, bool all)
{
    struct wanted w;
    while (next_due(c, all, &w)) {
        if (write_file(c, &w))
            c->stats.failed++;
        else
            c->stats.written++;
        make_room(c);
    }
}

static void *run(void *arg)
{
    struct captures *c = arg;
    while (!atomic_load(&c->stop)) {
        work(c, false);
        usleep(NAP_US);
    }
    work(c, true);
    return NULL;
}

/* ---- the interface ---- */

static int take_memory(struct captures *c)
{
    uint64_t ring = 1 << 18;
    while (ring * 2 * c->c.n_rings <= c->c.ring_bytes)
        ring *= 2;
    for (unsigned i = 0; i < c->c.n_rings; i++)
        if (!(c->ring[i] = recent_new(ring)))
            return -ENOMEM;
    return 0;
}

static void give_memory(struct captures *c)
{
    for (unsigned i = 0; c && i < c->c.n_rings; i++)
        recent_free(c->ring[i]);
    free(c);
}

int captures_open(struct captures **ret, const struct captures_conf *conf, struct err *e)
{
    struct captures *c = calloc(1, sizeof *c);
    struct stat st;
    if (c)
        c->c = *conf;
    if (!c || take_memory(c)) {
        give_memory(c);
        return err_set(e, -ENOMEM, "no memory for run.capture_ring");
    }
    if (stat(conf->dir, &st) || !S_ISDIR(st.st_mode) || access(conf->dir, W_OK)) {
        give_memory(c);
        return err_set(e, -ENOTDIR, "run.capture_dir: %s is no folder that can be written to", conf->dir);
    }
    pthread_mutex_init(&c->lock, NULL);
    if (pthread_create(&c->thread, NULL, run, c)) {
        give_memory(c);
        return err_set(e, -EAGAIN, "no thread for run.capture_dir");
    }
    *ret = c;
    return 0;
}

void captures_close(struct captures *c)
{
    if (!c)
        return;
    atomic_store(&c->stop, true);
    pthread_join(c->thread, NULL);
    pthread_mutex_destroy(&c->lock);
    give_memory(c);
}

struct recent *const *captures_rings(struct captures *c)
{
    return c->ring;
}

void captures_time(struct captures *c, uint64_t now_ns)
{
    atomic_store(&c->now_ns, now_ns);
}

static bool parties(const struct alert_in *in, struct wanted *w)
{
    struct addr a, b;
    bool has_a = in->event || in->flow.has_src, has_b = in->event || in->flow.has_dst;
    if (!has_a && !has_b)
        return false;
    a = in->event ? in->event->src : has_a ? in->flow.src : in->flow.dst;
    b = in->event ? in->event->dst : in->flow.dst;
    w->pair = has_a && has_b;
    bool swap = w->pair && memcmp(&a, &b, sizeof a) > 0;
    w->lo = swap ? b : a;
    w->hi = swap ? a : b;
    return true;
}

static bool known(const struct captures *c, uint64_t uid)
{
    unsigned n = c->n_done < MAX_DONE ? c->n_done : MAX_DONE;
    for (unsigned i = 0; i < n; i++)
        if (c->done[i] == uid)
            return true;
    return false;
}

const char *captures_take(void *ctx, const struct alert_in *in, uint64_t uid)
{
    struct captures *c = ctx;
    struct wanted w = {.uid = uid, .from_ns = in->ts_ns > c->c.before_ns ? in->ts_ns - c->c.before_ns : 0,
                       .to_ns = in->ts_ns + c->c.after_ns};
    bool room;
    if (!parties(in, &w))
        return NULL;
    path_of(c, uid, "pcapng", c->path, sizeof c->path);
    if (known(c, uid)) /* n_done and done are this thread's alone */
        return c->path;
    pthread_mutex_lock(&c->lock);
    room = c->n_waiting < MAX_WAITING;
    if (room)
        c->waiting[c->n_waiting++] = w;
    else
        c->stats.refused++;
    pthread_mutex_unlock(&c->lock);
    if (!room)
        return NULL;
    c->done[c->n_done++ % MAX_DONE] = uid;
    return c->path;
}
