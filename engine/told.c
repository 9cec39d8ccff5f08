#include "engine/told.h"

#include <string.h>

#include "engine/base/hash.h"

static uint32_t n_sets(uint32_t n)
{
    return n / TOLD_WAYS;
}

size_t told_bytes(uint32_t n)
{
    return arena_size(n_sets(n) * sizeof(struct told_set));
}

int told_init(struct told_table *t, uint32_t n, struct arena *mem)
{
    *t = (struct told_table){.sets = arena_take(mem, n_sets(n) * sizeof *t->sets), .mask = n_sets(n) - 1};
    return t->sets ? 0 : -ENOMEM;
}

void told_clear(struct told_table *t)
{
    for (uint32_t i = 0; i <= t->mask; i++)
        memset(t->sets[i].digests, 0, sizeof t->sets[i].digests);
}

static void tell_last(struct told_table *t, struct told *of)
{
    const struct rec_counted r = {.last_ns = of->last_ns, .count = of->count, .hit = of->hit};
    if (of->last_ns <= of->told_ns)
        return;
    of->told_ns = of->last_ns;
    t->tell(t->arg, &r);
}

/* The place of a thing that was not told: a free one, else that of the one that was quiet longest. */
static unsigned make_room(struct told_table *t, struct told_set *set)
{
    unsigned way = 0;
    for (unsigned i = 0; i < TOLD_WAYS; i++) {
        if (!set->digests[i])
            return i;
        way = set->of[i].last_ns < set->of[way].last_ns ? i : way;
    }
    tell_last(t, &set->of[way]);
    return way;
}

static struct told_set *set_of(const struct told_table *t, uint64_t digest)
{
    return &t->sets[digest >> 8 & t->mask];
}

struct asked { /* a hit whose rule counts things that need not be told each time */
    uint64_t digest; /* of the thing; 0: it has none */
    uint64_t keep_ns;
    struct rule_count count;
    uint16_t hit;
};

/* Is the thing to be told now? */
static bool is_news(struct told_table *t, const struct asked *a, uint64_t ts_ns)
{
    struct told_set *set = set_of(t, a->digest);
    unsigned way = 0;
    while (way < TOLD_WAYS && set->digests[way] != a->digest)
        way++;
    if (way < TOLD_WAYS && ts_ns >= set->of[way].told_ns && ts_ns - set->of[way].told_ns <= a->keep_ns) {
        struct told *of = &set->of[way];
        of->last_ns = ts_ns > of->last_ns ? ts_ns : of->last_ns;
        return false;
    }
    if (way == TOLD_WAYS)
        way = make_room(t, set);
    set->digests[way] = a->digest;
    set->of[way] = (struct told){.told_ns = ts_ns, .last_ns = ts_ns, .count = a->count, .hit = a->hit};
    return true;
}

/* False: each one is told. */
static bool ask(const struct told_table *t, const struct ruleset *rs, uint64_t hash_key, const struct told_message *m,
                uint16_t hit, struct asked *ret)
{
    uint64_t keep_ns = ruleset_hit_keeps(rs, hit);
    if (!keep_ns || (m->one_way && ruleset_hit_silence(rs, hit, m->kind, m->error)))
        return false;
    const struct rule_info *info = ruleset_hit(rs, hit);
    *ret = (struct asked){.keep_ns = keep_ns, .hit = hit};
    if (rules_count_of(&info->threshold, hash_key, &m->counted, &ret->count)) {
        ret->digest = hash_mix(ret->count.group ^ info->sid, ret->count.thing ^ (uint64_t)info->sid << 32) | 1;
        __builtin_prefetch(set_of(t, ret->digest)->digests);
    }
    return true;
}

unsigned told_filter(struct told_table *t, const struct ruleset *rs, uint64_t hash_key, const struct told_message *m,
                     uint16_t hits[], unsigned n)
{
    struct asked asked[REC_MAX_HITS];
    unsigned left = 0, n_asked = 0;
    for (unsigned i = 0; i < n; i++) /* all are on their way before the first is waited for */
        n_asked += ask(t, rs, hash_key, m, hits[i], &asked[n_asked]);
    const struct asked *next = asked;
    for (unsigned i = 0; i < n; i++) {
        bool is_asked = next < asked + n_asked && next->hit == hits[i];
        if (!is_asked || (next->digest && is_news(t, next, m->ts_ns)))
            hits[left++] = hits[i];
        next += is_asked;
    }
    return left;
}

void told_flush(struct told_table *t, const struct ruleset *rs, uint64_t ts_ns)
{
    for (uint32_t i = 0; i <= t->mask; i++)
        for (unsigned way = 0; way < TOLD_WAYS; way++) {
            struct told *of = &t->sets[i].of[way];
            if (t->sets[i].digests[way] && of->told_ns + 2 * ruleset_hit_keeps(rs, of->hit) < ts_ns + RULES_AGAIN_NS)
                tell_last(t, of);
        }
}
