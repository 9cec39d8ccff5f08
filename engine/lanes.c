#include "engine/lanes.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/arena.h"
#include "engine/base/thread.h"

enum { TAKE = 256, WAIT_MS = 10, SOON_MS = 1 }; /* of a ring at a time; a nap, and one where more may be handed over */
#define LAG_NS UINT64_C(50000000)               /* a block of the kernel's ring is handed over after 10 ms */
#define SECOND_NS UINT64_C(1000000000)

struct lanes {
    unsigned n;
    uint64_t base_ns;          /* when order 0 was; 0: not yet */
    struct engine **lane;      /* [0] is not ours */
    struct ring *ring;         /* n * n: [from * n + to]; none from a lane to itself */
    _Atomic unsigned reading;  /* lanes that may still hand over */
    _Atomic unsigned finishing;/* lanes that have not yet told their last time */
    _Atomic uint64_t last_ns, last_order;
    _Atomic int failed;
};

static uint64_t ring_size(const struct engine_conf *conf)
{
    uint64_t size = 1 << 18, n = (uint64_t)conf->n_workers * (conf->n_workers - 1);
    while (size * 2 * n <= conf->ring_bytes / 2)
        size *= 2;
    return size;
}

uint64_t lanes_bytes(const struct engine_conf *conf)
{
    struct decode_limits lim = engine_decoding(conf, conf->n_workers);
    uint64_t n = conf->n_workers;
    return sizeof(struct lanes) + n * (n - 1) * ring_size(conf) + n * n * sizeof(struct ring) +
           (n - 1) * (sizeof(struct engine) + decoder_bytes(&lim));
}

static struct ring *ring_of(const struct lanes *l, unsigned from, unsigned to)
{
    return &l->ring[from * l->n + to];
}

/* Lanes are engines with one worker of the whole's. */
static struct engine *lane_new(const struct engine *g, unsigned number)
{
    struct decode_limits lim = engine_decoding(&g->conf, g->conf.n_workers);
    struct engine *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->conf = g->conf;
    x->workers = g->workers;
    x->lanes = g->lanes;
    x->lane = number;
    x->decoder = decoder_new(&lim);
    if (x->decoder)
        return x;
    free(x);
    return NULL;
}

int lanes_new(struct engine *g)
{
    unsigned n = g->conf.n_workers;
    struct lanes *l = calloc(1, sizeof *l);
    g->lanes = l;
    if (!l)
        return -ENOMEM;
    l->n = n;
    l->lane = calloc(n, sizeof(struct engine *));
    l->ring = calloc_aligned(n * n, sizeof *l->ring);
    if (!l->lane || !l->ring)
        return -ENOMEM;
    l->lane[0] = g;
    for (unsigned i = 1; i < n; i++)
        if (!(l->lane[i] = lane_new(g, i)))
            return -ENOMEM;
    for (unsigned i = 0; i < n * n; i++)
        if (i / n != i % n && ring_init(&l->ring[i], ring_size(&g->conf)))
            return -ENOMEM;
    for (unsigned i = 0; i < n; i++) {
        l->lane[i]->own = &g->workers[i];
        l->lane[i]->lag_ns = LAG_NS;
    }
    return 0;
}

void lanes_free(struct lanes *l)
{
    if (!l)
        return;
    for (unsigned i = 0; l->ring && i < l->n * l->n; i++)
        ring_done(&l->ring[i]);
    for (unsigned i = 1; l->lane && i < l->n; i++) {
        if (!l->lane[i])
            continue;
        decoder_free(l->lane[i]->decoder);
        free(l->lane[i]);
    }
    free(l->lane);
    free(l->ring);
    free(l);
}

unsigned lanes_n(const struct engine *g)
{
    return g->lanes ? g->lanes->n : 1;
}

const struct engine *lanes_at(const struct engine *g, unsigned i)
{
    return g->lanes ? g->lanes->lane[i] : g;
}

/* ---- order ---- */

uint64_t lanes_order(struct engine *g, uint64_t ts_ns, bool tick)
{
    enum { PARTS = 16, PACKET = 8 }; /* of a nanosecond: ticks come at its beginning */
    int64_t since = (int64_t)(ts_ns - g->lanes->base_ns) + g->shift_ns;
    uint64_t at = (since > 0 ? (uint64_t)since : 0) * PARTS + (tick ? 0 : PACKET);
    return at > g->order ? at : g->order + 1;
}

/* The collector need not wait for this worker, where it has no record. */
static void mark(struct engine *g)
{
    uint64_t at = lanes_order(g, g->now_ns, true);
    if (at == g->order + 1)
        at = g->order;
    if (!g->started || at == g->marked || ring_depth(&g->own->records))
        return;
    g->order = g->marked = at;
    worker_mark(g->own, at);
}

/* ---- packets of other lanes ---- */

static void take_one(struct engine *g, struct pkt_msg *m)
{
    pkt_msg_open(m);
    if (!g->started || m->pkt.ts_ns >= g->next_tick_ns)
        engine_advance(g, &m->pkt);
    else if (m->pkt.ts_ns > g->now_ns)
        g->now_ns = m->pkt.ts_ns;
    g->order = lanes_order(g, g->now_ns, false);
    shard_look(g->own->shards[m->job.shard], &m->job);
    worker_packet(g->own, &m->pkt, &m->job, g->now_ns, g->order);
}

/* Returns how many. */
static unsigned take(struct engine *g)
{
    struct lanes *l = g->lanes;
    unsigned n = 0;
    for (unsigned from = 0; from < l->n; from++) {
        struct ring *r = ring_of(l, from, g->lane);
        struct ring_head *h;
        for (unsigned k = 0; r->buf && k < TAKE && (h = ring_peek(r)); k++, n++) {
            take_one(g, (struct pkt_msg *)(void *)h);
            ring_pop(r, h);
        }
    }
    return n;
}

static void hand_over(struct engine *g, const struct pkt *p, const struct job *j, unsigned to)
{
    struct ring *r = ring_of(g->lanes, g->lane, to);
    struct ring_head *h;
    uint32_t n = pkt_msg_bytes(&j->lay);
    for (unsigned spins = 0; !(h = ring_reserve(r, n)); spins++) {
        g->waits++;
        if (take(g))
            continue;
        mark(g);
        if (spins < 64)
            sched_yield();
        else
            usleep(50);
    }
    h->type = PM_PACKET;
    h->order = 0; /* the owner gives it one */
    pkt_msg_fill((struct pkt_msg *)(void *)h, p, j, g->now_ns);
    ring_publish(r, h, n);
    g->handed++;
}

void lanes_packet(struct engine *g, const struct pkt *p, const struct job *j)
{
    unsigned owner = j->shard % g->lanes->n;
    if (owner != g->lane) {
        hand_over(g, p, j, owner);
        return;
    }
    g->order = lanes_order(g, g->now_ns, false);
    worker_packet(g->own, p, j, g->now_ns, g->order);
}

/* ---- the loop ---- */

static void every_second(struct engine *g)
{
    struct source_port p[SOURCE_PORTS];
    if (g->second_ns && g->clock.boot_ns - g->second_ns < SECOND_NS)
        return;
    g->second_ns = g->clock.boot_ns;
    source_tell(g->whole, g->lane);
    unsigned n = source_ports(g->whole, p, SOURCE_PORTS);
    clock_ports(&g->clock, p, n);
    if (!g->lane && g->conf.every_second)
        g->conf.every_second(g->conf.second_arg, p, n, g->started ? g->now_ns : 0);
}

static uint64_t busy_since(uint64_t boot_ns)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec - boot_ns;
}

/* The clock is looked at before the source: what was captured by then has been seen by the time it is believed. */
static int step(struct engine *g, bool read)
{
    struct pkt batch[BATCH];
    int64_t set = clock_look(&g->clock);
    if (set && g->clock.any_paced)
        engine_clock_step(g, set);
    int n = read ? source_poll(g->source, batch, BATCH) : 0;
    unsigned taken = take(g);
    if (n > 0) {
        clock_fix(&g->clock, batch, (unsigned)n);
        engine_batch(g, batch, n);
    }
    if (n > 0 || taken) {
        g->base_ns = 0;
        g->own->busy_ns += busy_since(g->clock.boot_ns);
    } else {
        engine_idle(g);
    }
    every_second(g);
    mark(g);
    if (n == 0 && !taken && read)
        source_wait(g->source, g->handed_at && g->clock.boot_ns - g->handed_at < SECOND_NS ? SOON_MS : WAIT_MS);
    if (taken)
        g->handed_at = g->clock.boot_ns;
    return n;
}

/* What was captured before the end is worked on before the end; new packets do not put it off for ever. */
static int rest(struct engine *g)
{
    static const uint64_t most_ns = UINT64_C(1000000000), quiet_ns = UINT64_C(50000000);
    int n = 0;
    clock_look(&g->clock);
    uint64_t begun = g->clock.boot_ns, last = begun;
    while (g->clock.boot_ns - begun < most_ns && g->clock.boot_ns - last < quiet_ns && (n = step(g, true)) >= 0)
        if (n > 0)
            last = g->clock.boot_ns;
    return n;
}

static void highest(_Atomic uint64_t *to, uint64_t v)
{
    uint64_t is = atomic_load(to);
    while (is < v && !atomic_compare_exchange_weak(to, &is, v))
        ;
}

/* First nobody hands anything over any more, then everybody has taken all, then all end at the same time. */
static void finish(struct engine *g)
{
    enum { NAP_US = 500 };
    struct lanes *l = g->lanes;
    atomic_fetch_sub(&l->reading, 1);
    while (atomic_load(&l->reading)) {
        (void)step(g, false);
        usleep(NAP_US);
    }
    while (take(g))
        ;
    highest(&l->last_ns, g->now_ns);
    highest(&l->last_order, g->order);
    source_tell(g->whole, g->lane);
    atomic_fetch_sub(&l->finishing, 1);
    while (atomic_load(&l->finishing))
        usleep(NAP_US);
    struct rec_tick t = engine_tick(g, atomic_load(&l->last_ns));
    t.last = 1;
    g->now_ns = t.ts_ns;
    worker_end(g->own, &t, atomic_load(&l->last_order) + 1);
}

static void *lane_run(void *arg)
{
    struct engine *g = arg;
    int n = 0;
    while (!*g->stop && (n = step(g, true)) >= 0)
        ;
    if (*g->stop == ENGINE_END && n >= 0)
        n = rest(g);
    if (n < 0 && n != -ENODATA && !*g->stop)
        atomic_store(&g->lanes->failed, n);
    finish(g);
    return NULL;
}

int lanes_run(struct engine *g)
{
    struct lanes *l = g->lanes;
    clock_look(&g->clock);
    l->base_ns = g->clock.real_ns - 3600 * SECOND_NS; /* nothing is older (clock.h) */
    l->reading = l->finishing = l->n;
    if (thread_start(&g->conf.collector->thread, collector_run, g->conf.collector))
        return -EAGAIN;
    for (unsigned i = 0; i < l->n; i++) {
        struct engine *x = l->lane[i];
        x->whole = g->whole;
        x->source = source_queue(g->whole, i);
        x->stop = g->stop;
        clock_look(&x->clock);
    }
    every_second(g);
    for (unsigned i = 1; i < l->n; i++) {
        every_second(l->lane[i]);
        if (thread_start(&g->threads[i], lane_run, l->lane[i]))
            return -EAGAIN;
        engine_pin(g, g->threads[i], i);
    }
    engine_pin(g, pthread_self(), 0);
    lane_run(g);
    for (unsigned i = 1; i < l->n; i++)
        pthread_join(g->threads[i], NULL);
    pthread_join(g->conf.collector->thread, NULL);
    return atomic_load(&l->failed);
}
