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

/* Is the thing to be told now? */
static bool is_news(struct told_table *t, uint32_t hit, uint64_t rule, uint64_t keep_ns, const struct rule_count *c,
                    uint64_t ts_ns)
{
    uint64_t digest = hash_mix(c->group ^ rule, c->thing ^ rule << 32) | 1;
    struct told_set *set = &t->sets[digest >> 8 & t->mask];
    unsigned way = 0;
    while (way < TOLD_WAYS && set->digests[way] != digest)
        way++;
    if (way < TOLD_WAYS && ts_ns >= set->of[way].told_ns && ts_ns - set->of[way].told_ns <= keep_ns) {
        struct told *of = &set->of[way];
        of->last_ns = ts_ns > of->last_ns ? ts_ns : of->last_ns;
        return false;
    }
    if (way == TOLD_WAYS)
        way = make_room(t, set);
    set->digests[way] = digest;
    set->of[way] = (struct told){.told_ns = ts_ns, .last_ns = ts_ns, .count = *c, .hit = hit};
    return true;
}

unsigned told_filter(struct told_table *t, const struct ruleset *rs, uint64_t hash_key, const struct told_message *m,
                     uint16_t hits[], unsigned n)
{
    unsigned left = 0;
    for (unsigned i = 0; i < n; i++) {
        uint64_t keep_ns = ruleset_hit_keeps(rs, hits[i]);
        bool news = true;
        if (keep_ns && !(m->one_way && ruleset_hit_silence(rs, hits[i], m->kind, m->error))) {
            const struct rule_info *info = ruleset_hit(rs, hits[i]);
            struct rule_count c;
            news = rules_count_of(&info->threshold, hash_key, &m->counted, &c) &&
                   is_news(t, hits[i], info->sid, keep_ns, &c, m->ts_ns);
        }
        if (news)
            hits[left++] = hits[i];
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
