#include "engine/repeats.h"

static uint32_t n_sets(uint32_t n)
{
    return n / REPEAT_WAYS;
}

size_t repeats_bytes(uint32_t n)
{
    return arena_size(n_sets(n) * sizeof(struct repeat_set));
}

int repeats_init(struct repeats *t, uint32_t n, uint64_t window_ns, struct arena *mem)
{
    *t = (struct repeats){.sets = arena_take(mem, n_sets(n) * sizeof *t->sets), .mask = n_sets(n) - 1,
                           .window_ns = window_ns < REPEATS_LEAST_NS ? REPEATS_LEAST_NS : window_ns};
    return t->sets ? 0 : -ENOMEM;
}

static void tell(struct repeats *t, struct repeat *of)
{
    if (!of->is.count)
        return;
    t->tell(t->arg, &of->is);
    of->is.count = 0;
    t->waiting--;
}

/* The place of a kind that is not there: a free one, else that of the one that was quiet longest. */
static unsigned make_room(const struct repeat_set *set)
{
    unsigned way = 0;
    for (unsigned i = 0; i < REPEAT_WAYS; i++) {
        if (!set->digests[i])
            return i;
        way = set->of[i].is.ts_ns < set->of[way].is.ts_ns ? i : way;
    }
    return way;
}

/* In the window in which it was told? */
static bool is_old(const struct repeats *t, const struct repeat *of, uint64_t ts_ns)
{
    return ts_ns / t->window_ns <= of->window;
}

struct rec_anomaly *repeats_see(struct repeats *t, const struct repeat_seen *m)
{
    uint64_t digest = m->digest | 1;
    struct repeat_set *set = &t->sets[digest >> 8 & t->mask];
    unsigned way = 0;
    while (way < REPEAT_WAYS && set->digests[way] != digest)
        way++;
    bool there = way < REPEAT_WAYS, old = there && is_old(t, &set->of[way], m->ts_ns);
    way = there ? way : make_room(set);
    struct repeat *of = &set->of[way];
    if (!old) {
        tell(t, of);
        t->evicted += !there && set->digests[way];
        set->digests[way] = digest;
        *of = (struct repeat){.window = m->ts_ns / t->window_ns};
    }
    of->is.ts_ns = of->is.ts_ns > m->ts_ns ? of->is.ts_ns : m->ts_ns;
    of->is.frame = m->frame;
    of->is.file = m->file;
    of->is.total++;
    if (!old)
        return &of->is;
    t->waiting += !of->is.count++;
    if (of->is.total == REC_REPEAT_MANY)
        tell(t, of);
    return NULL;
}

void repeats_flush(struct repeats *t)
{
    for (uint32_t i = 0; t->waiting && i <= t->mask; i++)
        for (unsigned way = 0; way < REPEAT_WAYS; way++)
            tell(t, &t->sets[i].of[way]);
}

void repeats_clear(struct repeats *t)
{
    for (uint32_t i = 0; i <= t->mask; i++)
        t->sets[i] = (struct repeat_set){0};
    t->waiting = 0;
}
