/* totals.c: what all threads counted, as one. */
#include <string.h>

#include "engine/engine_int.h"
#include "engine/lanes.h"

static void add(uint64_t *to, const uint64_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += from[i];
}

void engine_decoded(const struct engine *g, struct decode_stats *ret)
{
    for (unsigned i = 0; i < lanes_n(g); i++)
        add((uint64_t *)ret, (const uint64_t *)decoder_stats(lanes_at(g, i)->decoder), sizeof *ret / sizeof(uint64_t));
}

/* Of what one thread read. */
static void add_reader(const struct engine *g, struct engine_totals *to)
{
    to->packets += g->packets;
    to->bytes += g->bytes;
    to->rebased = g->rebased > to->rebased ? g->rebased : to->rebased; /* the clock is everybody's */
    to->jumped = g->jumped > to->jumped ? g->jumped : to->jumped;
    to->times_late += g->clock.late;
    to->times_bent += g->clock.bent;
    if (g->first_ns && (!to->first_ns || g->first_ns < to->first_ns))
        to->first_ns = g->first_ns;
    if (g->now_ns > to->last_ns)
        to->last_ns = g->now_ns;
}

static void add_shard(const struct shard *s, struct engine_totals *to)
{
    add((uint64_t *)&to->rt, (const uint64_t *)&s->rt.stats, sizeof s->rt.stats / sizeof(uint64_t));
    to->evict_facts += s->facts.evicted;
    to->evict_links += s->links.evicted;
    to->evict_assets += s->assets_evicted;
    to->evict_repeats += s->repeats.evicted;
}

void engine_totals(const struct engine *g, struct engine_totals *ret)
{
    *ret = (struct engine_totals){0};
    for (unsigned i = 0; i < lanes_n(g); i++) {
        add_reader(lanes_at(g, i), ret);
        ret->worker_handed[i] = lanes_at(g, i)->handed;
    }
    engine_decoded(g, &ret->decode);
    for (unsigned i = 0; i < g->conf.n_workers; i++) {
        const struct worker *w = &g->workers[i];
        add((uint64_t *)&ret->sum, (const uint64_t *)&w->stats, sizeof w->stats / sizeof(uint64_t));
        ret->worker_packets[i] = w->n_packets;
        ret->worker_busy_ns[i] = w->busy_ns;
        ret->worker_ring[i] = ring_depth((struct ring *)(uintptr_t)&w->records);
        for (unsigned k = 0; k < N_SHARDS; k++)
            if (w->shards[k])
                add_shard(w->shards[k], ret);
    }
}

void engine_totals_add(const struct engine *g, struct engine_totals *to)
{
    struct engine_totals now;
    _Static_assert(sizeof now % sizeof(uint64_t) == 0, "totals are counters alone");
    engine_totals(g, &now);
    uint64_t first = to->first_ns ? to->first_ns : now.first_ns;
    memset(now.worker_ring, 0, sizeof now.worker_ring);
    add((uint64_t *)to, (const uint64_t *)&now, sizeof now / sizeof(uint64_t));
    to->first_ns = first;
    to->last_ns = now.last_ns;
}
