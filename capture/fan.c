/* fan.c: several queues of the same ports as one source. Each may be read by a thread of its own; what the threads know
 * of ports and losses they tell here, about once a second. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "capture/source_impl.h"

enum { TOLD_FAULTS = 16 }; /* of a queue, between two times that queue 0 tells; more are lost */

struct told { /* by one queue */
    struct source_port port[SOURCE_PORTS];
    unsigned n_ports, faults; /* of its faults, told so far */
    uint64_t dropped;
    struct source_fault fault[TOLD_FAULTS];
    unsigned n_faults;
};

struct fan {
    struct source s;
    pthread_mutex_t lock;
    unsigned n, next;
    struct told *told;
    struct source *queue[];
};

/* ---- as one ---- */

static int fan_poll(struct source *src, struct pkt *ret, unsigned max)
{
    struct fan *f = (struct fan *)src;
    unsigned ended = 0;
    int n = 0;
    for (unsigned i = 0; i < f->n && n <= 0; i++) {
        unsigned q = f->next;
        f->next = (f->next + 1) % f->n;
        n = source_poll(f->queue[q], ret, max);
        ended += n < 0;
        if (n <= 0)
            source_tell(src, q);
    }
    return n > 0 || ended == f->n ? n : 0;
}

static void fan_stats(struct source *src, struct source_stats *ret)
{
    struct fan *f = (struct fan *)src;
    ret->dropped = 0;
    pthread_mutex_lock(&f->lock);
    for (unsigned i = 0; i < f->n; i++)
        ret->dropped += f->told[i].dropped;
    pthread_mutex_unlock(&f->lock);
}

/* Counters are added; what is a state is queue 0's. */
static void add_port(struct source_port *to, unsigned n, const struct source_port *p)
{
    while (n && to->iface != p->iface)
        to++, n--;
    if (!n)
        return;
    to->packets += p->packets;
    to->bytes += p->bytes;
    to->dropped_kernel += p->dropped_kernel;
    to->dropped_nic += p->dropped_nic;
    to->swapped += p->swapped;
    to->skew_ns = p->skew_ns > to->skew_ns ? p->skew_ns : to->skew_ns;
}

static unsigned fan_ports(struct source *src, struct source_port *ret, unsigned max)
{
    struct fan *f = (struct fan *)src;
    pthread_mutex_lock(&f->lock);
    unsigned n = f->told[0].n_ports < max ? f->told[0].n_ports : max;
    memcpy(ret, f->told[0].port, n * sizeof *ret);
    for (unsigned q = 1; q < f->n; q++)
        for (unsigned i = 0; i < f->told[q].n_ports; i++)
            add_port(ret, n, &f->told[q].port[i]);
    pthread_mutex_unlock(&f->lock);
    return n;
}

static int fan_fds(const struct source *src, int *ret, unsigned max)
{
    const struct fan *f = (const struct fan *)src;
    int n = 0;
    for (unsigned i = 0; i < f->n; i++) {
        const struct source *q = f->queue[i];
        int got = q->ops->fds ? q->ops->fds(q, ret + n, max - (unsigned)n) : 0;
        if (got < 0)
            return -1;
        n += got;
    }
    return n;
}

static void fan_close(struct source *src)
{
    struct fan *f = (struct fan *)src;
    for (unsigned i = f->n; i--;) /* queue 0 may own what the others use */
        source_close(f->queue[i]);
    pthread_mutex_destroy(&f->lock);
    free(f->told);
    source_done(src);
    free(f);
}

const struct source_ops source_fan_ops = {
    .scheme = "fan",
    .poll = fan_poll,
    .stats = fan_stats,
    .ports = fan_ports,
    .fds = fan_fds,
    .close = fan_close,
};

/* ---- queue by queue ---- */

unsigned source_n_queues(const struct source *s)
{
    return s->ops == &source_fan_ops ? ((const struct fan *)s)->n : 1;
}

struct source *source_queue(struct source *s, unsigned queue)
{
    return s->ops == &source_fan_ops ? ((struct fan *)s)->queue[queue] : s;
}

static void tell_faults(struct told *t, const struct source *q)
{
    const struct source_fault *f;
    for (; t->n_faults < TOLD_FAULTS && (f = source_fault(q, t->faults)); t->faults++)
        t->fault[t->n_faults++] = *f;
}

static void take_faults(struct fan *f)
{
    for (unsigned i = 0; i < f->n; i++) {
        struct told *t = &f->told[i];
        for (unsigned k = 0; k < t->n_faults; k++)
            source_add_fault(&f->s, t->fault[k].cls, t->fault[k].file, "%s", t->fault[k].text);
        t->n_faults = 0;
    }
}

void source_tell(struct source *s, unsigned queue)
{
    struct fan *f = (struct fan *)s;
    struct source_port p[SOURCE_PORTS];
    struct source_stats st;
    if (s->ops != &source_fan_ops)
        return;
    unsigned n = source_ports(f->queue[queue], p, SOURCE_PORTS); /* asks the system: not under the lock */
    source_stats(f->queue[queue], &st);
    pthread_mutex_lock(&f->lock);
    struct told *t = &f->told[queue];
    memcpy(t->port, p, n * sizeof *p);
    t->n_ports = n;
    t->dropped = st.dropped;
    tell_faults(t, f->queue[queue]);
    if (!queue)
        take_faults(f);
    pthread_mutex_unlock(&f->lock);
}

int source_fan(struct source **queues, unsigned n, struct err *e, struct source **ret)
{
    if (n == 1) {
        *ret = queues[0];
        return 0;
    }
    struct fan *f = calloc(1, sizeof *f + n * sizeof f->queue[0]);
    const char *const *files = (const char *const *)queues[0]->files;
    int r = f ? source_init(&f->s, &source_fan_ops, files, queues[0]->n_files) : -ENOMEM;
    if (!r && !(f->told = calloc(n, sizeof *f->told)))
        r = -ENOMEM;
    if (r) {
        for (unsigned i = n; i--;)
            source_close(queues[i]);
        if (f)
            source_done(&f->s);
        free(f);
        return err_set(e, r, "%u queues cannot be read together: %s", n, strerror(-r));
    }
    pthread_mutex_init(&f->lock, NULL);
    f->n = n;
    memcpy(f->queue, queues, n * sizeof *queues);
    for (unsigned i = 1; i < source_n_ifaces(queues[0]); i++) {
        const char *name = source_iface(queues[0], i);
        (void)source_add_iface(&f->s, name, (unsigned)strlen(name));
    }
    for (unsigned q = 0; q < n; q++)
        source_tell(&f->s, q);
    *ret = &f->s;
    return 0;
}

/* ---- a queue that a port does not have ---- */

static int idle_poll(struct source *s, struct pkt *ret, unsigned max)
{
    (void)s;
    (void)ret;
    (void)max;
    return 0;
}

static void idle_close(struct source *s)
{
    source_done(s);
    free(s);
}

static const struct source_ops idle_ops = {.scheme = "idle", .poll = idle_poll, .close = idle_close};

int source_idle(const struct source *like, struct err *e, struct source **ret)
{
    struct source *s = calloc(1, sizeof *s);
    int r = s ? source_init(s, &idle_ops, (const char *const *)like->files, like->n_files) : -ENOMEM;
    if (r) {
        if (s)
            idle_close(s);
        return err_set(e, r, "no memory to capture");
    }
    for (unsigned i = 1; i < source_n_ifaces(like); i++)
        (void)source_add_iface(s, source_iface(like, i), (unsigned)strlen(source_iface(like, i)));
    *ret = s;
    return 0;
}
