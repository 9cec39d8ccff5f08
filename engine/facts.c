#include "engine/facts.h"

#include <string.h>

#include "engine/base/hash.h"

size_t fact_set_bytes(uint32_t n)
{
    return arena_size(n * sizeof(uint64_t)) + arena_size(n * sizeof(struct fact_slot)) +
           arena_size(n * sizeof(struct fact_errors));
}

int fact_set_init(struct fact_set *s, uint32_t n, struct arena *mem)
{
    *s = (struct fact_set){.n = n, .mask = n / FACT_WAYS - 1, .dirty = FACT_NONE};
    s->digests = arena_take(mem, n * sizeof *s->digests);
    s->slots = arena_take(mem, n * sizeof *s->slots);
    s->errors = arena_take(mem, n * sizeof *s->errors);
    return s->digests && s->slots && s->errors ? 0 : -ENOMEM;
}

void fact_set_clear(struct fact_set *s)
{
    memset(s->digests, 0, s->n * sizeof *s->digests);
    for (uint32_t i = 0; i < s->n; i++)
        s->slots[i] = (struct fact_slot){.moved = s->slots[i].moved + 1};
    s->dirty = FACT_NONE;
    memset(s->failed, 0, sizeof s->failed);
    s->n_failed = 0;
}

static uint32_t make_room(struct fact_set *s, uint32_t base, uint32_t way, struct fact_hit *ret)
{
    uint32_t old = base;
    if (!s->digests[base + way])
        return base + way;
    for (uint32_t i = base; i < base + FACT_WAYS; i++) {
        if (!s->digests[i])
            return i;
        if (s->slots[i].last_ns < s->slots[old].last_ns)
            old = i;
    }
    s->evicted++;
    ret->evicted = true;
    ret->old_digest = s->digests[old];
    ret->old = s->slots[old];
    return old;
}

static bool error_is_new(struct fact_slot *f, struct fact_errors *e, uint32_t error)
{
    for (unsigned k = 0; k < f->n_known; k++)
        if (e->known[k] == error)
            return false;
    e->known[f->hand] = error;
    f->hand = (uint8_t)((f->hand + 1) % FACT_ERRORS);
    f->n_known = (uint8_t)(f->n_known + (f->n_known < FACT_ERRORS));
    return true;
}

/* Count that failure of a fact. What made room for it: `gone`. */
static void count_failed(struct fact_set *s, const struct fact_failed *is, struct fact_failed *gone)
{
    struct fact_failed *set = &s->failed[hash_mix(is->digest, is->error) % (LIM_FAILED / FACT_FAILED_WAYS) *
                                         FACT_FAILED_WAYS];
    struct fact_failed *to = set;
    for (struct fact_failed *f = set; f < set + FACT_FAILED_WAYS; f++) {
        if (f->count && f->digest == is->digest && f->error == is->error) {
            f->count += is->count;
            f->last_ns = is->last_ns > f->last_ns ? is->last_ns : f->last_ns;
            return;
        }
        if (to->count && (!f->count || f->last_ns < to->last_ns))
            to = f;
    }
    *gone = *to;
    s->n_failed += !to->count;
    *to = *is;
}

void fact_again(struct fact_set *s, uint32_t slot, uint64_t ts_ns)
{
    struct fact_slot *f = &s->slots[slot];
    f->count++;
    if (!f->dirty) {
        f->dirty = 1;
        f->next_dirty = s->dirty;
        s->dirty = slot;
    }
    if (ts_ns > f->last_ns) {
        uint64_t us = (ts_ns - f->last_ns) / 1000;
        uint32_t gap = us > UINT32_MAX / 8 ? UINT32_MAX / 8 : (uint32_t)us;
        f->period_us = f->period_us ? (uint32_t)(((uint64_t)f->period_us * 7 + gap) / 8) : gap;
        f->last_ns = ts_ns;
    }
}

void fact_see(struct fact_set *s, uint64_t digest, uint64_t ts_ns, uint32_t error, struct fact_hit *ret)
{
    uint32_t base = fact_base_of(s, digest), way = fact_way_of(digest), i = base + way;
    ret->is_new = ret->new_error = ret->evicted = false;
    ret->failed.count = 0;
    if (__builtin_expect(s->digests[i] != digest, 0))
        for (i = base; i < base + FACT_WAYS && s->digests[i] != digest; i++)
            ;
    if (i == base + FACT_WAYS) {
        i = make_room(s, base, way, ret);
        s->digests[i] = digest;
        /* A reused slot that was counted keeps its place in the list of dirty ones. */
        s->slots[i] = (struct fact_slot){.last_ns = ts_ns, .dirty = s->slots[i].dirty,
                                         .next_dirty = s->slots[i].next_dirty, .moved = s->slots[i].moved + 1};
        ret->is_new = true;
    }
    ret->slot = i;
    fact_again(s, i, ts_ns);
    if (error) {
        const struct fact_failed is = {.digest = digest, .last_ns = ts_ns, .error = error, .count = 1};
        s->slots[i].errors++;
        count_failed(s, &is, &ret->failed);
        ret->new_error = error_is_new(&s->slots[i], &s->errors[i], error);
    }
}

bool fact_flush(struct fact_set *s, uint64_t *digest, struct fact_slot *ret)
{
    uint32_t i = s->dirty;
    if (i == FACT_NONE)
        return false;
    struct fact_slot *f = &s->slots[i];
    s->dirty = f->next_dirty;
    *digest = s->digests[i];
    *ret = *f;
    f->count = f->errors = 0;
    f->dirty = 0;
    return true;
}

bool fact_flush_failed(struct fact_set *s, struct fact_failed *ret)
{
    for (uint32_t i = 0; s->n_failed && i < LIM_FAILED; i++)
        if (s->failed[i].count) {
            *ret = s->failed[i];
            s->failed[i].count = 0;
            s->n_failed--;
            return true;
        }
    return false;
}
