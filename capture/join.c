/* join.c: several sources of any kind as one, polled in turn. Files and interfaces keep their names; packets keep their
 * numbers, which count per file and per port. */
#include <stdlib.h>
#include <string.h>

#include "capture/source_impl.h"

enum { NO_IFACE = 0xffff };

struct part {
    struct source *s;
    uint16_t file0;                /* number of its first file */
    uint16_t iface[SOURCE_IFACES]; /* its interfaces -> ours */
    unsigned faults;               /* of its faults, handed on so far */
    bool ended;
};

struct join {
    struct source s;
    unsigned n, next;
    int failed;                    /* of a part; told when no other is left */
    struct part part[];
};

static uint16_t iface_of(struct join *j, struct part *p, uint16_t i)
{
    if (i >= SOURCE_IFACES)
        return 0;
    if (p->iface[i] == NO_IFACE) {
        const char *name = source_iface(p->s, i);
        p->iface[i] = *name ? source_add_iface(&j->s, name, (unsigned)strlen(name)) : 0;
    }
    return p->iface[i];
}

static int join_poll(struct source *src, struct pkt *ret, unsigned max)
{
    struct join *j = (struct join *)src;
    unsigned left = 0;
    for (unsigned k = 0; k < j->n; k++) {
        struct part *p = &j->part[j->next];
        j->next = (j->next + 1) % j->n;
        if (p->ended)
            continue;
        int n = source_poll(p->s, ret, max);
        source_take_faults(&j->s, p->s, &p->faults, p->file0);
        if (n < 0) {
            p->ended = true;
            if (n != -ENODATA)
                j->failed = n;
            continue;
        }
        left++;
        for (int i = 0; i < n; i++) {
            ret[i].file = (uint16_t)(ret[i].file + p->file0);
            ret[i].iface = iface_of(j, p, ret[i].iface);
        }
        if (n)
            return n;
    }
    return left ? 0 : j->failed ? j->failed : -ENODATA;
}

static void join_stats(struct source *src, struct source_stats *ret)
{
    struct join *j = (struct join *)src;
    ret->dropped = 0;
    for (unsigned i = 0; i < j->n; i++) {
        struct source_stats s;
        source_stats(j->part[i].s, &s);
        ret->dropped += s.dropped;
    }
}

static unsigned join_ports(struct source *src, struct source_port *ret, unsigned max)
{
    struct join *j = (struct join *)src;
    unsigned n = 0;
    for (unsigned i = 0; i < j->n && n < max; i++) {
        struct part *p = &j->part[i];
        unsigned got = source_ports(p->s, ret + n, max - n);
        for (unsigned k = 0; k < got && n < max; k++, n++) {
            ret[n].file = (uint16_t)(ret[n].file + p->file0);
            ret[n].iface = iface_of(j, p, ret[n].iface);
        }
    }
    return n;
}

static int join_fds(const struct source *src, int *ret, unsigned max)
{
    const struct join *j = (const struct join *)src;
    int n = 0;
    for (unsigned i = 0; i < j->n; i++) {
        const struct source *s = j->part[i].s;
        int got = j->part[i].ended || !s->ops->fds ? 0 : s->ops->fds(s, ret + n, max - (unsigned)n);
        if (got < 0)
            return -1;
        n += got;
    }
    return n;
}

static void join_progress(const struct source *src, struct source_progress *ret)
{
    const struct join *j = (const struct join *)src;
    *ret = (struct source_progress){0};
    for (unsigned i = 0; i < j->n; i++) {
        struct source_progress p;
        source_progress(j->part[i].s, &p);
        ret->done += p.done;
        ret->total = p.total < 0 || ret->total < 0 ? -1 : ret->total + p.total;
    }
}

static void join_close(struct source *src)
{
    struct join *j = (struct join *)src;
    for (unsigned i = 0; i < j->n; i++)
        source_close(j->part[i].s);
    source_done(src);
    free(j);
}

static const struct source_ops source_join_ops = {
    .scheme = "join",
    .poll = join_poll,
    .stats = join_stats,
    .ports = join_ports,
    .fds = join_fds,
    .progress = join_progress,
    .close = join_close,
};

static int take(struct join *j, struct source **parts, unsigned n)
{
    unsigned n_files = 0, at = 0;
    for (unsigned i = 0; i < n; i++)
        n_files += source_n_files(parts[i]);
    const char **names = calloc(n_files + 1, sizeof *names);
    if (!names)
        return -ENOMEM;
    for (unsigned i = 0; i < n; i++) {
        struct part *p = &j->part[i];
        p->s = parts[i];
        p->file0 = (uint16_t)at;
        memset(p->iface, 0xff, sizeof p->iface);
        for (unsigned k = 0; k < source_n_files(parts[i]); k++)
            names[at++] = source_file(parts[i], k);
    }
    j->n = n;
    int r = n_files <= UINT16_MAX ? source_init(&j->s, &source_join_ops, names, n_files) : -E2BIG;
    free(names);
    return r;
}

int source_join(struct source **parts, unsigned n, struct err *e, struct source **ret)
{
    if (n == 1) {
        *ret = parts[0];
        return 0;
    }
    struct join *j = calloc(1, sizeof *j + n * sizeof j->part[0]);
    int r = j ? take(j, parts, n) : -ENOMEM;
    if (r) {
        for (unsigned i = 0; i < n; i++)
            source_close(parts[i]);
        if (j)
            source_done(&j->s);
        free(j);
        return err_set(e, r, "%u sources cannot be joined: %s", n, strerror(-r));
    }
    for (unsigned i = 0; i < n; i++) /* ports have their names from the beginning */
        for (unsigned k = 1; k < source_n_ifaces(parts[i]); k++)
            (void)iface_of(j, &j->part[i], (uint16_t)k);
    *ret = &j->s;
    return 0;
}
