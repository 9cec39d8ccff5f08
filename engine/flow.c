#include "engine/flow.h"

#include "engine/base/hash.h"

static uint32_t pow2_at_least(uint32_t n)
{
    uint32_t p = 8;
    while (p < n)
        p *= 2;
    return p;
}

size_t flow_table_bytes(uint32_t n)
{
    return arena_size(n * sizeof(struct flow)) + arena_size(pow2_at_least(2 * n) * sizeof(uint32_t));
}

int flow_table_init(struct flow_table *t, uint32_t n, uint64_t hash_key, struct arena *mem)
{
    uint32_t n_buckets = pow2_at_least(2 * n);
    *t = (struct flow_table){.n = n, .bucket_mask = n_buckets - 1, .hash_key = hash_key, .free_head = FLOW_NONE,
                             .lru_old = FLOW_NONE, .lru_new = FLOW_NONE, .changes = 1};
    t->flows = arena_take(mem, n * sizeof *t->flows);
    t->buckets = arena_take(mem, n_buckets * sizeof *t->buckets);
    if (!t->flows || !t->buckets)
        return -ENOMEM;
    memset(t->buckets, 0xff, n_buckets * sizeof *t->buckets);
    return 0;
}

struct flow *flow_find(const struct flow_table *t, const struct flow_key *k, uint64_t hash)
{
    return flow_find_from(t, k, flow_at(t, t->buckets[hash & t->bucket_mask]));
}

static void lru_push(struct flow_table *t, struct flow *f)
{
    uint32_t i = flow_index(t, f);
    f->lru_prev = t->lru_new;
    f->lru_next = FLOW_NONE;
    if (t->lru_new == FLOW_NONE)
        t->lru_old = i;
    else
        t->flows[t->lru_new].lru_next = i;
    t->lru_new = i;
}

static void lru_unlink(struct flow_table *t, struct flow *f)
{
    if (f->lru_prev == FLOW_NONE)
        t->lru_old = f->lru_next;
    else
        t->flows[f->lru_prev].lru_next = f->lru_next;
    if (f->lru_next == FLOW_NONE)
        t->lru_new = f->lru_prev;
    else
        t->flows[f->lru_next].lru_prev = f->lru_prev;
}

void flow_touch(struct flow_table *t, struct flow *f)
{
    if (t->lru_new == flow_index(t, f))
        return;
    lru_unlink(t, f);
    lru_push(t, f);
}

struct flow *flow_add(struct flow_table *t, const struct flow_key *k, uint64_t hash)
{
    uint32_t i = t->free_head;
    if (i != FLOW_NONE)
        t->free_head = t->flows[i].hash_next;
    else if (t->n_used < t->n && t->created < t->n)
        i = (uint32_t)t->created; /* never used yet: its pages are touched only now */
    else
        return NULL;
    struct flow *f = &t->flows[i];
    memset(f, 0, sizeof *f);
    f->key = *k;
    f->used = 1;
    uint32_t *b = &t->buckets[hash & t->bucket_mask];
    f->hash_next = *b;
    *b = i;
    lru_push(t, f);
    t->n_used++;
    t->changes++;
    t->created += t->created < t->n && i == t->created;
    return f;
}

struct flow *flow_oldest(struct flow_table *t)
{
    return t->lru_old == FLOW_NONE ? NULL : &t->flows[t->lru_old];
}

void flow_remove(struct flow_table *t, struct flow *f)
{
    uint32_t i = flow_index(t, f);
    uint32_t *at = &t->buckets[flow_hash(&f->key, t->hash_key) & t->bucket_mask];
    while (*at != i)
        at = &t->flows[*at].hash_next;
    *at = f->hash_next;
    lru_unlink(t, f);
    f->used = 0;
    f->hash_next = t->free_head;
    t->free_head = i;
    t->n_used--;
    t->changes++;
}

uint64_t flow_id_of(const struct flow_key *k, uint64_t first_ns)
{
    return hash_mix(hash_bytes(HASH_ID_KEY, k, sizeof *k), first_ns) & ((UINT64_C(1) << 51) - 1);
}
