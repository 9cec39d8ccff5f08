/* worker.c: runs shards, in the caller's thread (one worker) or in its own (several). */
#include "engine/worker.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/hash.h"
#include "rules/rules.h"

/* ---- output ---- */

static void breathe(unsigned *spins)
{
    if (++*spins < 64)
        sched_yield();
    else
        usleep(*spins < 256 ? 50 : 500); /* idle for long: its ring holds far more than comes meanwhile */
}

static void wake(struct out *o)
{
    if (o->bell)
        sem_post(o->bell);
}

bool out_tight(struct out *o)
{
    enum { NAP_US = 50, NAP_TAKES_US = 120 };
    while (o->live && ring_depth(o->ring) > o->ring->cap - o->ring->cap / 4) {
        if (o->patience_us < NAP_TAKES_US)
            return true;
        o->patience_us -= NAP_TAKES_US;
        o->waits++;
        usleep(NAP_US);
    }
    return false;
}

struct ring_head *out_begin(struct out *o, enum rec_kind k, uint32_t max)
{
    struct ring_head *h;
    for (unsigned spins = 0; !(h = ring_reserve(o->ring, max)); breathe(&spins)) {
        if (!spins)
            wake(o);
        o->waits++;
    }
    h->type = (uint32_t)k | (uint32_t)o->shard << 16;
    h->order = o->order;
    return h;
}

void out_put(struct out *o, enum rec_kind k, const void *rec, uint32_t len)
{
    struct ring_head *h = out_begin(o, k, (uint32_t)sizeof *h + len);
    memcpy(h + 1, rec, len);
    out_end(o, h, (uint32_t)sizeof *h + len);
}

/* ---- nDPI ---- */

enum { /* of shard.ndpi_asked: what stands in the low bits of a digest's place */
    NDPI_DULL = 1,           /* flows in a row that told nothing new, ... */
    NDPI_DULL_MOST = 2,      /* ... after so many of which the library is shown no more */
    NDPI_ONE = 4,            /* all flows, ... */
    NDPI_MOST = 24 * NDPI_ONE,
    NDPI_BITS = 127,
};

static void ndpi_stop(struct flow *f)
{
    f->ndpi_done = 1;
    itapp_flow_free(f->ndpi);
    f->ndpi = NULL;
}

/* The library allocates for each flow: of a shard's, the one that began first makes room for a new one. */
static void ndpi_keep(struct shard *s, struct flow *f)
{
    uint32_t at = s->ndpi_hand++ % s->conf.n_ndpi, old = s->ndpi[at];
    struct flow *o = old == FLOW_NONE ? NULL : &s->flows.flows[old];
    if (o && o != f && o->ndpi && o->ndpi_slot == at) {
        ndpi_stop(o);
        s->stats->ndpi_evicted++;
    }
    s->ndpi[at] = flow_index(&s->flows, f);
    f->ndpi_slot = (uint16_t)at;
}

/* Hearsay: names by which clients call a server, banners that anybody can write. */
static void ndpi_words(struct shard *s, struct flow *f, const struct chunk *c, const struct itapp_found *found)
{
    static const struct proto_schema source = {.name = "ndpi"};
    enum { CONFIDENCE = 30 };
    struct dis_ctx x;
    make_ctx(s, f, c, &x);
    if (x.dir == DIR_UNKNOWN)
        x.dir = guess_server(f) == c->side ? DIR_S2C : DIR_C2S;
    for (unsigned i = 0; i < found->n_words; i++) {
        const struct itapp_word *w = &found->words[i];
        const struct addr *a = w->of_client == (x.dir == DIR_C2S) ? &c->lay->src : &c->lay->dst;
        if (addr_is_nobody(a) || addr_is_group(a) || (a == &c->lay->dst && layers_to_group(c->lay)))
            continue;
        struct span text = {.p = (const uint8_t *)w->text, .n = (uint32_t)strnlen(w->text, REC_VALUE)};
        obs_text(&x, &source, w->of_client ? OBS_CLIENT : OBS_SERVER, OBS_SELF, (enum obs_kind)w->kind, text,
                 CONFIDENCE);
    }
}

/* One flow of a link is much like the next: after some that told nothing new the library is asked no more. A link that
 * another one pushed out of its place is asked again. */
static uint64_t *ndpi_link(struct shard *s, const struct flow *f)
{
    unsigned server = guess_server(f);
    uint64_t d = link_digest(f->key.net, server ? &f->key.lo : &f->key.hi, server ? &f->key.hi : &f->key.lo,
                             f->key.proto, server ? f->key.hi_port : f->key.lo_port);
    uint64_t *l = &s->ndpi_asked[(d >> 32) % LIM_NDPI_LINKS];
    if ((*l ^ d) & ~(uint64_t)NDPI_BITS)
        *l = d & ~(uint64_t)NDPI_BITS;
    return l;
}

static bool ndpi_worth_it(struct shard *s, const struct flow *f)
{
    uint64_t *l = ndpi_link(s, f);
    if (*l % NDPI_ONE >= NDPI_DULL_MOST || (*l & NDPI_BITS) >= NDPI_MOST)
        return false;
    *l += NDPI_ONE + NDPI_DULL;
    return true;
}

void worker_ndpi(struct shard *s, struct flow *f, const struct chunk *c)
{
    struct itapp_found found;
    const struct layers *l = c->lay;
    bool is_new = !f->ndpi;
    if (!s->env->itapp || f->ndpi_done || !s->pkt || !l || l->reached < REACHED_L4 || !l->l3_len)
        return;
    if (is_new && !ndpi_worth_it(s, f)) {
        f->ndpi_done = 1;
        return;
    }
    itapp_feed(s->env->itapp, &f->ndpi, l->l3, l->l3_len, c->ts_ns, &found);
    f->tls |= found.tls;
    uint64_t told = s->rt.obs_told;
    bool news = found.app && !foreign_app(s, f, found.app) && report_app(s, f, found.app, true, found.tls, false);
    ndpi_words(s, f, c, &found);
    if (news || s->rt.obs_told != told)
        *ndpi_link(s, f) &= ~(uint64_t)(NDPI_ONE - 1);
    if (found.done)
        ndpi_stop(f);
    else if (is_new)
        ndpi_keep(s, f);
}

/* ---- what the collector is told of the sensor itself ---- */

static void totals(const struct worker *w, struct rec_stats *ret)
{
    const struct eng_stats *s = &w->stats;
    *ret = (struct rec_stats){
        .lost = {[LOST_FLOWS] = s->flow_evicted, [LOST_STATES] = s->state_evicted,
                 [LOST_SEGMENTS] = s->segments_evicted, [LOST_BUFFERS] = s->buffers_short,
                 [LOST_NDPI] = s->ndpi_evicted}};
    if (w->env->counts)
        ret->lost[LOST_THRESHOLDS] = rule_count_evicted(w->env->counts);
    for (unsigned i = 0; i < N_SHARDS; i++) {
        const struct rt_stats *rt = w->shards[i] ? &w->shards[i]->rt.stats : NULL;
        if (!rt)
            continue;
        ret->lost[LOST_REQUESTS] += rt->txn_evicted;
        ret->lost[LOST_MESSAGES] += rt->asm_evicted;
        ret->lost[LOST_SHARED] += rt->shared_evicted;
    }
}

/* What was counted since the last call. */
static void send_stats(struct worker *w)
{
    struct rec_stats all, news;
    bool any = false;
    totals(w, &all);
    for (unsigned i = 0; i < LOST_TABLES; i++) {
        news.lost[i] = all.lost[i] - w->told.lost[i];
        any |= news.lost[i] != 0;
    }
    if (!any)
        return;
    w->told = all;
    out_put(&w->out, RK_STATS, &news, sizeof news);
}

/* ---- the worker ---- */

int worker_init(struct worker *w, unsigned number, unsigned n_workers, const struct shard_conf *conf,
                const struct shard_env *env, struct table_mem *mem, uint64_t ring_bytes, uint64_t packet_bytes)
{
    *w = (struct worker){.number = number, .env = env};
    w->scratch = calloc(1, sizeof *w->scratch);
    if (!w->scratch || ring_init(&w->records, ring_bytes) || (packet_bytes && ring_init(&w->packets, packet_bytes)))
        return -ENOMEM;
    w->out.ring = &w->records;
    w->out.patience_us = 200000;
    if (shard_common_init(&w->common, conf, (N_SHARDS - number + n_workers - 1) / n_workers, mem))
        return -ENOMEM;
    for (unsigned i = number; i < N_SHARDS; i += n_workers)
        if (!(w->shards[i] = shard_new(i, conf, env, &w->common, w->scratch, &w->out, &w->stats, mem)))
            return -ENOMEM;
    for (unsigned i = 0; i < N_SHARDS; i++) {
        struct shard *s = w->shards[i] ? w->shards[i] : w->shards[number];
        w->doors[i] = (struct shard_door){s, s->flows.buckets, s->flows.bucket_mask};
    }
    return 0;
}

void worker_done(struct worker *w)
{
    for (unsigned i = 0; i < N_SHARDS; i++) {
        if (w->shards[i])
            shard_done(w->shards[i]);
    }
    ring_done(&w->records);
    ring_done(&w->packets);
    free(w->scratch);
    memset(w, 0, sizeof *w);
}

uint64_t worker_count(struct worker *w, const struct pkt *p, unsigned n)
{
    uint64_t bytes = 0, cut = 0;
    for (unsigned i = 0; i < n; i++) {
        bytes += p[i].wirelen;
        cut += p[i].flags & PKT_CUT;
    }
    w->n_packets += n;
    w->stats.packets += n;
    w->stats.bytes += bytes;
    w->stats.truncated += cut;
    return bytes;
}

void worker_packet(struct worker *w, const struct pkt *p, const struct job *j, uint64_t now_ns, uint64_t order)
{
    (void)worker_count(w, p, 1);
    worker_deliver(w, w->shards[j->shard], p, j, now_ns, order);
}

/* What a tick looks at in each shard, of one that is soon to come: most have nothing to do. */
static inline __attribute__((always_inline)) void fetch_tick(const struct worker *w, unsigned i)
{
    const struct shard *s = i < N_SHARDS ? w->shards[i] : NULL;
    if (!s)
        return;
    __builtin_prefetch(s);
    __builtin_prefetch(&s->epoch);
    __builtin_prefetch(&s->expire_ns);
    __builtin_prefetch(&s->rt.expect_due);
    __builtin_prefetch(&s->rt.due_ns);
}

void worker_tick(struct worker *w, const struct rec_tick *t, uint64_t order, bool flush)
{
    enum { AHEAD = 4 };
    w->out.order = order;
    w->out.patience_us = 200000;
    for (unsigned i = 0; i < N_SHARDS; i++) {
        w->out.shard = (uint16_t)i;
        fetch_tick(w, i + AHEAD);
        if (!w->shards[i])
            continue;
        if (t->jump_to_ns < t->jump_from_ns)
            shard_set_back(w->shards[i], t->ts_ns, t->jump_to_ns);
        else
            shard_tick(w->shards[i], t->ts_ns, flush);
    }
    if (flush) {
        w->out.shard = N_SHARDS - 1;
        send_stats(w);
    }
    if (flush && !w->number) {
        w->out.shard = N_SHARDS; /* behind every shard's records of this tick */
        out_put(&w->out, RK_TICK, t, sizeof *t);
    }
}

void worker_end(struct worker *w, const struct rec_tick *t, uint64_t order)
{
    w->out.order = order;
    for (unsigned i = 0; i < N_SHARDS; i++) {
        w->out.shard = (uint16_t)i;
        if (w->shards[i])
            shard_end(w->shards[i], t->ts_ns);
    }
    w->out.shard = N_SHARDS - 1;
    send_stats(w);
    w->out.shard = N_SHARDS;
    out_put(&w->out, RK_END, t, sizeof *t);
    wake(&w->out);
}

static uint64_t mono_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void worker_mark(struct worker *w, uint64_t order)
{
    w->out.order = order;
    w->out.shard = N_SHARDS + 1;
    struct ring_head *h = out_begin(&w->out, RK_MARK, sizeof *h);
    out_end(&w->out, h, sizeof *h);
}

static bool take_one(struct worker *w, struct ring_head *h)
{
    struct pkt_msg *m = (struct pkt_msg *)(void *)h;
    switch (h->type) {
    case PM_PACKET:
        pkt_msg_open(m);
        shard_look(w->shards[m->job.shard], &m->job);
        worker_packet(w, &m->pkt, &m->job, m->now_ns, h->order);
        return true;
    case PM_TICK:
    case PM_FLUSH:
        worker_tick(w, &m->tick, h->order, h->type == PM_FLUSH);
        worker_mark(w, h->order);
        return true;
    case PM_MARK:
        worker_mark(w, h->order);
        return true;
    default:
        worker_end(w, &m->tick, h->order);
        return false;
    }
}

void *worker_run(void *arg)
{
    struct worker *w = arg;
    unsigned spins = 0;
    for (;;) {
        struct ring_head *h = ring_peek(&w->packets);
        if (!h) {
            breathe(&spins);
            continue;
        }
        spins = 0;
        uint64_t t0 = mono_ns();
        bool go_on = true;
        for (unsigned n = 0; h && n < 256 && go_on; n++) {
            go_on = take_one(w, h);
            ring_pop(&w->packets, h);
            h = go_on ? ring_peek(&w->packets) : NULL;
        }
        w->busy_ns += mono_ns() - t0;
        if (!go_on)
            return NULL;
    }
}
