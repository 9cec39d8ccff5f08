/* engine.c: source -> decode -> worker. With one worker its shards run right here; with several, packets travel to the
 * workers' rings with what decoding found, spread by shard. */
#include "engine/engine_int.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/thread.h"
#include "engine/lanes.h"

static const uint64_t second_ns = UINT64_C(1000000000);

struct decode_limits engine_decoding(const struct engine_conf *conf, unsigned decoders)
{
    enum { TYPICAL = 2048 }; /* bytes of an incomplete datagram */
    uint64_t bytes = conf->fragment_bytes / decoders < UINT32_MAX ? conf->fragment_bytes / decoders : UINT32_MAX;
    return (struct decode_limits){.frag_datagrams = (uint32_t)(bytes / TYPICAL), .frag_bytes = (uint32_t)bytes,
                                  .batch = STEP + 1, .hash_key = conf->env->hash_key};
}

static bool has_lanes(const struct engine_conf *conf)
{
    return conf->live && conf->n_workers > 1 && conf->n_queues == conf->n_workers;
}

/* Of one ring: each worker has one of records and, where it has a thread that reads no queue, one of packets. Lanes
 * have as much for packets, which they share. */
static uint64_t ring_size(const struct engine_conf *conf)
{
    unsigned n = conf->n_workers > 1 ? 2 * conf->n_workers : 1;
    uint64_t size = 1 << 18;
    while (size * 2 * n <= conf->ring_bytes)
        size *= 2;
    return size;
}

uint64_t engine_bytes(const struct engine_conf *conf)
{
    bool lanes = has_lanes(conf);
    struct decode_limits lim = engine_decoding(conf, lanes ? conf->n_workers : 1);
    uint64_t worker = sizeof(struct worker) + sizeof(struct event) + ring_size(conf);
    uint64_t shard = shard_hot_bytes(&conf->shard) + shard_cold_bytes(&conf->shard);
    if (conf->n_workers > 1 && !lanes)
        worker += ring_size(conf);
    return sizeof(struct engine) + shard * N_SHARDS + decoder_bytes(&lim) + worker * conf->n_workers +
           (lanes ? lanes_bytes(conf) : 0);
}

int engine_new(struct engine **ret, const struct engine_conf *conf, struct err *e)
{
    struct engine *g = calloc(1, sizeof *g);
    bool lanes = has_lanes(conf);
    struct decode_limits lim = engine_decoding(conf, lanes ? conf->n_workers : 1);
    uint64_t ring = ring_size(conf);
    if (!g)
        return err_set(e, -ENOMEM, "no memory for the engine");
    g->conf = *conf;
    if (table_mem_open(&g->mem, N_SHARDS * shard_hot_bytes(&conf->shard), N_SHARDS * shard_cold_bytes(&conf->shard))) {
        engine_free(g);
        return err_set(e, -ENOMEM, "no memory for the tables (limits)");
    }
    g->workers = calloc_aligned(conf->n_workers, sizeof *g->workers);
    g->decoder = decoder_new(&lim);
    for (unsigned i = 0; g->workers && i < conf->n_workers; i++)
        if (worker_init(&g->workers[i], i, conf->n_workers, &conf->shard, conf->env, &g->mem, ring,
                        conf->n_workers > 1 && !lanes ? ring : 0)) {
            engine_free(g);
            return err_set(e, -ENOMEM, "no memory for the tables (limits)");
        }
    if (!g->workers || !g->decoder) {
        engine_free(g);
        return err_set(e, -ENOMEM, "no memory for the engine");
    }
    g->own = conf->n_workers == 1 ? &g->workers[0] : NULL;
    g->lag_ns = UINT64_C(250000000);
    for (unsigned i = 0; i < conf->n_workers; i++) {
        g->workers[i].out.live = conf->live;
        g->workers[i].out.bell = &conf->collector->bell;
    }
    if (lanes && lanes_new(g)) {
        engine_free(g);
        return err_set(e, -ENOMEM, "no memory for the workers' queues");
    }
    conf->collector->loose = lanes;
    conf->collector->workers = g->workers;
    conf->collector->n_workers = conf->n_workers;
    *ret = g;
    return 0;
}

void engine_free(struct engine *g)
{
    if (!g)
        return;
    lanes_free(g->lanes);
    for (unsigned i = 0; g->workers && i < g->conf.n_workers; i++)
        worker_done(&g->workers[i]);
    decoder_free(g->decoder);
    free(g->workers);
    table_mem_close(&g->mem);
    free(g);
}

/* ---- to workers with threads of their own ---- */

static struct pkt_msg *put_head(struct ring_head *h, uint32_t type, uint64_t order)
{
    h->type = type;
    h->order = order;
    return (struct pkt_msg *)(void *)h;
}

/* A worker waits for room among its records, the collector for word from the others, which have nothing to do, and we
 * for the worker: the idle ones must say that nothing of theirs comes before what is about to be sent. */
static void nudge_idle(struct engine *g)
{
    for (unsigned i = 0; i < g->conf.n_workers; i++) {
        struct ring *r = &g->workers[i].packets;
        struct ring_head *h = ring_depth(r) == 0 ? ring_reserve(r, sizeof(struct pkt_msg)) : NULL;
        if (h)
            ring_publish(r, &put_head(h, PM_MARK, g->order - 1)->head, sizeof(struct pkt_msg));
    }
}

/* Waits for room; NULL when a packet need not wait any longer, because the run is to end. */
static struct pkt_msg *begin_msg(struct engine *g, struct worker *w, uint32_t type, uint32_t len)
{
    struct ring_head *h;
    for (unsigned spins = 0; !(h = ring_reserve(&w->packets, len));)
        if (type == PM_PACKET && *g->stop && !g->conf.live) {
            return NULL;
        } else if (++spins < 64) {
            sched_yield();
        } else {
            if (spins % 64 == 0)
                nudge_idle(g);
            usleep(50);
        }
    return put_head(h, type, g->order);
}

static void send_control(struct engine *g, uint32_t type, const struct rec_tick *t)
{
    for (unsigned i = 0; i < g->conf.n_workers; i++) {
        struct pkt_msg *m = begin_msg(g, &g->workers[i], type, sizeof *m);
        m->now_ns = g->now_ns;
        m->tick = *t;
        ring_publish(&g->workers[i].packets, &m->head, sizeof *m);
    }
    g->since_mark = 0;
}

/* False: the run ends here. */
static bool send_packet(struct engine *g, const struct pkt *p, const struct job *j)
{
    struct worker *w = &g->workers[j->shard % g->conf.n_workers];
    uint32_t n = pkt_msg_bytes(&j->lay);
    struct pkt_msg *m = begin_msg(g, w, PM_PACKET, n);
    if (!m)
        return false;
    pkt_msg_fill(m, p, j, g->now_ns);
    ring_publish(&w->packets, &m->head, n);
    return true;
}

/* ---- the loop ---- */

struct rec_tick engine_tick(struct engine *g, uint64_t ts_ns)
{
    struct source_stats s;
    struct decode_stats d = {0};
    engine_decoded(g, &d);
    struct rec_tick t = {.ts_ns = ts_ns, .frag_evicted = d.frag_evicted};
    source_stats(g->whole, &s);
    t.lost = s.dropped - g->lost;
    t.lossy = t.lost > 0;
    t.told = g->conf.live;
    return t;
}

static void send_tick(struct engine *g, const struct rec_tick *t, bool flush)
{
    g->order = g->lanes ? lanes_order(g, t->ts_ns, true) : g->order + 1;
    g->lost += flush ? t->lost : 0; /* the others reach nobody */
    if (g->own)
        worker_tick(g->own, t, g->order, flush);
    else
        send_control(g, flush ? PM_FLUSH : PM_TICK, t);
}

/* p: with that packet; NULL: with none. */
static void jumped(struct rec_tick *t, uint64_t from_ns, uint64_t to_ns, const struct pkt *p)
{
    t->jump_from_ns = from_ns;
    t->jump_to_ns = to_ns;
    t->jump_frame = p ? p->frame : 0;
    t->jump_file = p ? p->file : 0;
}

/* jump_from_ns: the clock jumped from there, with packet p; 0: it did not. */
static void tick(struct engine *g, uint64_t ts_ns, uint64_t jump_from_ns, const struct pkt *p)
{
    _Static_assert(FLUSH_S * UINT64_C(1000000000) <= RULES_AGAIN_NS, "thresholds count on it");
    bool flush = ts_ns / (FLUSH_S * second_ns) != (g->next_tick_ns - second_ns) / (FLUSH_S * second_ns);
    flush |= jump_from_ns != 0;
    uint64_t at = ts_ns / second_ns * second_ns; /* a jump is one step */
    struct rec_tick t = engine_tick(g, at);
    if (jump_from_ns)
        jumped(&t, jump_from_ns, ts_ns, p);
    send_tick(g, &t, flush);
    g->next_tick_ns = at + second_ns;
}

/* The clock was set back for good: the time that was ends here, and a new one begins. */
static void set_back(struct engine *g, uint64_t ts_ns, const struct pkt *p)
{
    struct rec_tick t = engine_tick(g, g->now_ns);
    jumped(&t, g->now_ns, ts_ns, p);
    send_tick(g, &t, true);
    g->shift_ns += (int64_t)(g->now_ns - ts_ns);
    g->rebased++;
    g->behind = 0;
    g->now_ns = ts_ns;
    g->next_tick_ns = ts_ns / second_ns * second_ns + second_ns;
}

static void start_time(struct engine *g, uint64_t ts_ns)
{
    g->started = true;
    g->first_ns = g->now_ns = ts_ns;
    g->next_tick_ns = ts_ns / second_ns * second_ns + second_ns;
}

/* Engine time: the highest packet time so far. A capture whose clock was set back for good starts a new time. A step
 * forward is silence, unless it is so far that nobody has waited for it: a clock that was set, or captures of several
 * years in one replay, which must tell the same as one file that holds them all. */
void engine_advance(struct engine *g, const struct pkt *p)
{
    uint64_t ts_ns = p->ts_ns;
    if (!g->started) {
        start_time(g, ts_ns);
        return;
    }
    if (ts_ns >= g->now_ns) {
        bool jump = ts_ns - g->now_ns > JUMP_S * second_ns;
        uint64_t from = g->now_ns;
        g->now_ns = ts_ns;
        g->behind = 0;
        g->jumped += jump;
        if (ts_ns >= g->next_tick_ns)
            tick(g, ts_ns, jump ? from : 0, p);
        return;
    }
    if (g->now_ns - ts_ns >= g->conf.time_jump_ns && ++g->behind >= REBASE_AFTER)
        set_back(g, ts_ns, p);
}

static inline void advance(struct engine *g, const struct pkt *p)
{
    uint64_t ts_ns = p->ts_ns;
    if (__builtin_expect(ts_ns >= g->now_ns && ts_ns < g->next_tick_ns, 1)) {
        g->now_ns = ts_ns; /* as engine_advance() does, where nothing else is due */
        g->behind = 0;
    } else {
        engine_advance(g, p);
    }
}

static inline void remember(struct engine *g, const struct pkt *p, const struct job *j)
{
    if (__builtin_expect(g->conf.recent != NULL, 0))
        recent_add(g->conf.recent[g->lane], p, &j->key.lo, &j->key.hi);
}

/* To whose it is. */
static void one_packet(struct engine *g, const struct pkt *p, const struct job *j)
{
    g->packets++;
    g->bytes += p->wirelen;
    advance(g, p);
    remember(g, p, j);
    if (g->lanes) {
        lanes_packet(g, p, j);
        return;
    }
    g->order++;
    g->stopped = !send_packet(g, p, j);
    if (g->stopped) {
        g->packets--;
        g->bytes -= p->wirelen;
        return;
    }
    if (++g->since_mark >= MARK_EVERY)
        send_control(g, PM_MARK, &(struct rec_tick){0});
}

/* The flows are looked up in steps, so that the memory that the next one needs comes meanwhile. What another worker has
 * is looked up in vain, in some shard of ours. */
static inline struct shard *look_begin(const struct worker *w, struct job *j)
{
    const struct shard_door *d = &w->doors[j->shard];
    shard_look_bucket(d, j);
    return d->shard;
}

static void look_on(struct job *j, struct shard *const *s, unsigned n)
{
    uint8_t told[STEP], none[STEP]; /* packets with something for a dissector, or without a flow; without a branch on
                                     * which that are */
    unsigned n_told = 0, n_none = 0;
    for (unsigned i = 0; i < n; i++)
        shard_look_flow(s[i], &j[i]);
    for (unsigned i = 0; i < n; i++) {
        told[n_told] = (uint8_t)i;
        n_told += shard_look_find(s[i], &j[i]);
        none[n_none] = (uint8_t)i;
        n_none += !j[i].flow;
    }
    for (unsigned i = 0; i < n_none; i++)
        shard_look_new(s[none[i]], &j[none[i]]);
    for (unsigned i = 0; i < n_told; i++)
        shard_look_state(s[told[i]], &j[told[i]]);
    for (unsigned i = 0; i < n_told; i++)
        shard_look_on(s[told[i]], &j[told[i]]);
}

/* All of them are our worker's. */
static void own_packets(struct engine *g, const struct pkt *p, const struct job *j, struct shard *const *s, unsigned n)
{
    g->packets += n;
    g->bytes += worker_count(g->own, p, n);
    for (unsigned i = 0; i < n; i++) {
        advance(g, &p[i]);
        remember(g, &p[i], &j[i]);
        worker_deliver(g->own, s[i], &p[i], &j[i], g->now_ns, ++g->order);
    }
}

/* A few packets at a time through each step. */
static void some_packets(struct engine *g, const struct pkt *p, unsigned n)
{
    struct job *j = g->jobs;
    struct shard *s[STEP];
    for (unsigned i = 0; i < n; i++) {
        j[i].decoded = (uint8_t)decode(g->decoder, &p[i], &j[i].lay);
        shard_prepare(g->conf.env, &p[i], &j[i]);
        if (g->own)
            s[i] = look_begin(g->own, &j[i]);
    }
    if (g->own)
        look_on(j, s, n);
    if (g->own && !g->lanes) {
        own_packets(g, p, j, s, n);
        return;
    }
    for (unsigned i = 0; i < n && !g->stopped; i++)
        one_packet(g, &p[i], &j[i]);
}

/* A processor that is not there, or not ours, is told by `tyto run` before; here it changes nothing. */
void engine_pin(const struct engine *g, pthread_t thread, unsigned worker)
{
    cpu_set_t set;
    if (!g->conf.n_cpus)
        return;
    CPU_ZERO(&set);
    CPU_SET(g->conf.cpus[worker % g->conf.n_cpus], &set);
    (void)pthread_setaffinity_np(thread, sizeof set, &set);
}

static int start(struct engine *g)
{
    if (thread_start(&g->conf.collector->thread, collector_run, g->conf.collector))
        return -EAGAIN;
    for (unsigned i = 0; g->conf.n_workers > 1 && i < g->conf.n_workers; i++) {
        if (thread_start(&g->threads[i], worker_run, &g->workers[i]))
            return -EAGAIN;
        engine_pin(g, g->threads[i], i);
    }
    if (g->own)
        engine_pin(g, pthread_self(), 0);
    return 0;
}

static void finish(struct engine *g)
{
    struct rec_tick t = engine_tick(g, g->now_ns);
    t.last = 1;
    g->order++;
    if (g->own) {
        worker_end(g->own, &t, g->order);
    } else {
        send_control(g, PM_END, &t);
        for (unsigned i = 0; i < g->conf.n_workers; i++)
            pthread_join(g->threads[i], NULL);
    }
    pthread_join(g->conf.collector->thread, NULL);
}

void engine_batch(struct engine *g, const struct pkt *batch, int n)
{
    for (int i = 0; i < n && !g->stopped; i += STEP)
        some_packets(g, &batch[i], n - i < STEP ? (unsigned)(n - i) : STEP);
}

/* ---- live ---- */

static uint64_t boot_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * second_ns + (uint64_t)t.tv_nsec;
}

/* What the workers' records hold back for each other's sake can go on: nobody waits for a round number of packets. */
static void hurry(struct engine *g)
{
    if (!g->own && g->since_mark)
        send_control(g, PM_MARK, &(struct rec_tick){0});
}

/* Packets that come now have the new time. */
void engine_clock_step(struct engine *g, int64_t step)
{
    uint64_t to = g->clock.real_ns;
    int64_t shift = g->shift_ns - step; /* the same in all lanes, which differ a little in their time */
    if (!g->started)
        return;
    g->base_ns = 0;
    if (step < 0 && to < g->now_ns) {
        set_back(g, to, NULL);
    } else if (step > 0 && to > g->now_ns) {
        uint64_t from = g->now_ns;
        g->now_ns = to;
        g->jumped++;
        tick(g, to, from, NULL);
    }
    g->shift_ns = shift;
}

/* Packets may still be on their way to us. */
void engine_idle(struct engine *g)
{
    if (!g->clock.any_paced)
        return;
    if (!g->started)
        start_time(g, g->clock.real_ns);
    if (!g->base_ns) {
        g->base_ns = g->now_ns;
        g->base_boot_ns = g->clock.boot_ns;
    }
    uint64_t passed = g->clock.boot_ns - g->base_boot_ns;
    if (passed > g->lag_ns && g->base_ns + passed - g->lag_ns > g->now_ns) {
        g->now_ns = g->base_ns + passed - g->lag_ns;
        if (g->now_ns >= g->next_tick_ns)
            tick(g, g->now_ns, 0, NULL);
    }
}

static void every_second(struct engine *g)
{
    struct source_port p[SOURCE_PORTS];
    if (g->second_ns && g->clock.boot_ns - g->second_ns < second_ns)
        return;
    g->second_ns = g->clock.boot_ns;
    unsigned n = source_ports(g->source, p, SOURCE_PORTS);
    clock_ports(&g->clock, p, n);
    if (g->conf.every_second)
        g->conf.every_second(g->conf.second_arg, p, n, g->started ? g->now_ns : 0);
}

static void live_step(struct engine *g, struct pkt *batch, int n)
{
    enum { WAIT_MS = 10 };
    int64_t step = clock_look(&g->clock);
    if (step && g->clock.any_paced)
        engine_clock_step(g, step);
    if (n > 0) {
        clock_fix(&g->clock, batch, (unsigned)n);
        engine_batch(g, batch, n);
        if (g->own)
            g->own->busy_ns += boot_ns() - g->clock.boot_ns;
        g->base_ns = 0;
        hurry(g);
    }
    every_second(g);
    if (n > 0)
        return;
    engine_idle(g);
    source_wait(g->source, WAIT_MS);
}

/* What was captured before the end is worked on before the end; new packets do not put it off for ever. */
static int live_rest(struct engine *g, struct pkt *batch)
{
    static const uint64_t most_ns = UINT64_C(1000000000), quiet_ns = UINT64_C(50000000);
    int n = 0;
    clock_look(&g->clock);
    uint64_t begun = g->clock.boot_ns, last = begun;
    while (g->clock.boot_ns - begun < most_ns && g->clock.boot_ns - last < quiet_ns &&
           (n = source_poll(g->source, batch, BATCH)) >= 0) {
        live_step(g, batch, n);
        if (n > 0)
            last = g->clock.boot_ns;
    }
    return n;
}

int engine_run(struct engine *g, struct source *src, volatile const int *stop)
{
    struct pkt batch[BATCH];
    struct source_progress prog;
    g->source = g->whole = src;
    g->stop = stop;
    if (g->lanes)
        return lanes_run(g);
    int n = 0, r = start(g);
    if (r)
        return r;
    if (g->conf.live) {
        clock_look(&g->clock);
        every_second(g);
    }
    while (!*stop && (n = source_poll(src, batch, BATCH)) >= 0) {
        if (g->conf.live)
            live_step(g, batch, n);
        else
            engine_batch(g, batch, n);
        if (g->conf.progress) {
            source_progress(src, &prog);
            g->conf.progress(g->conf.progress_arg, &prog, g->packets);
        }
    }
    if (g->conf.live && *stop == ENGINE_END && n >= 0)
        n = live_rest(g, batch);
    g->cut = *stop && n >= 0;
    finish(g);
    return *stop || n == -ENODATA ? 0 : n;
}

bool engine_cut(const struct engine *g)
{
    return g->cut;
}
