#include "engine/repeats.h"

static uint32_t n_sets(uint32_t n)
{
    return n / REPEAT_WAYS;
}

size_t repeats_bytes(uint32_t n)
{
    return arena_size(n_sets(n) * sizeof(struct repeat_set));
}

int repeats_init(struct repeats *b, uint32_t n, uint64_t window_ns, struct arena *mem)
{
    *b = (struct repeats){.sets = arena_take(mem, n_sets(n) * sizeof *b->sets), .mask = n_sets(n) - 1,
                           .window_ns = window_ns < REPEATS_LEAST_NS ? REPEATS_LEAST_NS : window_ns};
    return b->sets ? 0 : -ENOMEM;
}

static void tell(struct repeats *b, struct repeat *of)
{
    if (!of->is.count)
        return;
    b->tell(b->arg, &of->is);
    of->is.count = 0;
    b->waiting--;
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
static bool is_old(const struct repeats *b, const struct repeat *of, uint64_t ts_ns)
{
    return ts_ns / b->window_ns <= of->window;
}

struct rec_anomaly *repeats_see(struct repeats *b, const struct repeat_seen *m)
{
    uint64_t digest = m->digest | 1;
    struct repeat_set *set = &b->sets[digest >> 8 & b->mask];
    unsigned way = 0;
    while (way < REPEAT_WAYS && set->digests[way] != digest)
        way++;
    bool there = way < REPEAT_WAYS, old = there && is_old(b, &set->of[way], m->ts_ns);
    way = there ? way : make_room(set);
    struct repeat *of = &set->of[way];
    if (!old) {
        tell(b, of);
        set->digests[way] = digest;
        *of = (struct repeat){.window = m->ts_ns / b->window_ns};
    }
    of->is.ts_ns = of->is.ts_ns > m->ts_ns ? of->is.ts_ns : m->ts_ns;
    of->is.frame = m->frame;
    of->is.file = m->file;
    of->is.total++;
    if (!old)
        return &of->is;
    b->waiting += !of->is.count++;
    if (of->is.total == REC_REPEAT_MANY)
        tell(b, of);
    return NULL;
}

void repeats_flush(struct repeats *b)
{
    for (uint32_t i = 0; b->waiting && i <= b->mask; i++)
        for (unsigned way = 0; way < REPEAT_WAYS; way++)
            tell(b, &b->sets[i].of[way]);
}

void repeats_clear(struct repeats *b)
{
    for (uint32_t i = 0; i <= b->mask; i++)
        b->sets[i] = (struct repeat_set){0};
    b->waiting = 0;
}
