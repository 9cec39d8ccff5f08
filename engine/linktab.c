#include "engine/linktab.h"

#include "engine/base/hash.h"

static uint32_t pow2_at_least(uint32_t n)
{
    uint32_t p = 8;
    while (p < n)
        p *= 2;
    return p;
}

size_t link_table_bytes(uint32_t n)
{
    return arena_size(n * sizeof(struct link)) + arena_size(n * sizeof(struct lru_link)) +
           arena_size(pow2_at_least(n) * sizeof(uint32_t));
}

int link_table_init(struct link_table *t, uint32_t n, struct arena *mem)
{
    uint32_t n_buckets = pow2_at_least(n);
    *t = (struct link_table){.n = n, .bucket_mask = n_buckets - 1, .used = LRU_EMPTY, .dirty = LINK_NONE};
    t->links = arena_take(mem, n * sizeof *t->links);
    t->buckets = arena_take(mem, n_buckets * sizeof *t->buckets);
    t->order = arena_take(mem, n * sizeof *t->order);
    if (!t->links || !t->buckets || !t->order)
        return -ENOMEM;
    memset(t->buckets, 0xff, n_buckets * sizeof *t->buckets);
    return 0;
}

uint64_t link_digest(uint16_t net, const struct addr *client, const struct addr *server, uint8_t l4, uint16_t port)
{
    uint64_t h = hash_bytes(HASH_ID_KEY ^ net, client, sizeof *client);
    h = hash_mix(h, hash_bytes(HASH_ID_KEY ^ l4, server, sizeof *server));
    return hash_mix(h, (uint64_t)l4 << 16 | port) | 1;
}

void link_fetch(const struct link_table *t, uint64_t digest)
{
    __builtin_prefetch(&t->buckets[digest >> 8 & t->bucket_mask]);
}

void link_fetch_on(const struct link_table *t, uint64_t digest)
{
    uint32_t i = t->buckets[digest >> 8 & t->bucket_mask];
    const char *l = (const char *)&t->links[i == LINK_NONE ? 0 : i];
    __builtin_prefetch(l);
    __builtin_prefetch(l + sizeof(struct link) - 1);
}

struct link *link_find(struct link_table *t, uint64_t digest)
{
    for (uint32_t i = t->buckets[digest >> 8 & t->bucket_mask]; i != LINK_NONE; i = t->links[i].hash_next)
        if (t->links[i].digest == digest)
            return &t->links[i];
    return NULL;
}

static uint32_t evict(struct link_table *t, struct link *ret)
{
    uint32_t i = t->used.oldest;
    struct link *l = &t->links[i];
    t->evicted++;
    *ret = *l;
    uint32_t *at = &t->buckets[l->digest >> 8 & t->bucket_mask];
    while (*at != i)
        at = &t->links[*at].hash_next;
    *at = l->hash_next;
    lru_remove(&t->used, t->order, i);
    return i;
}

struct link *link_add(struct link_table *t, uint64_t digest, bool *did_evict, struct link *evicted)
{
    uint32_t i;
    *did_evict = t->n_used == t->n;
    i = *did_evict ? evict(t, evicted) : t->n_used++;
    struct link *l = &t->links[i];
    uint32_t *b = &t->buckets[digest >> 8 & t->bucket_mask];
    /* A reused slot keeps its place in the list of dirty ones: the newcomer is counted at once anyhow. */
    *l = (struct link){.digest = digest, .hash_next = *b, .dirty = *did_evict ? evicted->dirty : 0,
                       .next_dirty = *did_evict ? evicted->next_dirty : 0};
    *b = i;
    lru_add(&t->used, t->order, i);
    return l;
}

void link_touch(struct link_table *t, struct link *l, uint64_t ts_ns)
{
    if (ts_ns > l->last_ns)
        l->last_ns = ts_ns;
    if (!l->dirty) {
        l->dirty = 1;
        l->next_dirty = t->dirty;
        t->dirty = (uint32_t)(l - t->links);
        lru_touch(&t->used, t->order, t->dirty);
    }
}

bool link_flush(struct link_table *t, struct link *ret)
{
    uint32_t i = t->dirty;
    if (i == LINK_NONE)
        return false;
    struct link *l = &t->links[i];
    t->dirty = l->next_dirty;
    *ret = *l;
    l->dirty = 0;
    l->packets[0] = l->packets[1] = l->bytes[0] = l->bytes[1] = 0;
    l->errors = l->resets = l->retransmissions = l->gaps = 0;
    l->one_way = l->two_way = 0;
    return true;
}
