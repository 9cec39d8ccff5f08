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
    return arena_size(n * sizeof(struct flow)) + arena_size(n * sizeof(struct lru_link)) +
           arena_size(pow2_at_least(2 * n) * sizeof(uint32_t));
}

int flow_table_init(struct flow_table *t, uint32_t n, uint64_t hash_key, struct arena *mem)
{
    uint32_t n_buckets = pow2_at_least(2 * n);
    *t = (struct flow_table){.n = n, .bucket_mask = n_buckets - 1, .hash_key = hash_key, .free_head = FLOW_NONE,
                             .used = LRU_EMPTY, .changes = 1};
    t->flows = arena_take(mem, n * sizeof *t->flows);
    t->buckets = arena_take(mem, n_buckets * sizeof *t->buckets);
    t->order = arena_take(mem, n * sizeof *t->order);
    if (!t->flows || !t->buckets || !t->order)
        return -ENOMEM;
    memset(t->buckets, 0xff, n_buckets * sizeof *t->buckets);
    return 0;
}

struct flow *flow_find(const struct flow_table *t, const struct flow_key *k, uint64_t hash)
{
    return flow_find_from(t, k, flow_at(t, t->buckets[hash & t->bucket_mask]));
}

void flow_touch(struct flow_table *t, struct flow *f)
{
    lru_touch(&t->used, t->order, flow_index(t, f));
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
    lru_add(&t->used, t->order, i);
    t->n_used++;
    t->changes++;
    t->created += t->created < t->n && i == t->created;
    return f;
}

struct flow *flow_oldest(struct flow_table *t)
{
    return flow_at(t, t->used.oldest);
}

void flow_remove(struct flow_table *t, struct flow *f)
{
    uint32_t i = flow_index(t, f);
    uint32_t *at = &t->buckets[flow_hash(&f->key, t->hash_key) & t->bucket_mask];
    while (*at != i)
        at = &t->flows[*at].hash_next;
    *at = f->hash_next;
    lru_remove(&t->used, t->order, i);
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
