/* linktab.h: one shard's links: (network, client, server, protocol, server port) with counts since the last flush. */
#pragma once

#include "engine/base/addr.h"
#include "engine/base/arena.h"
#include "engine/base/lru.h"

struct link {
    uint64_t digest; /* 0 free */
    uint64_t last_ns;
    uint64_t packets[2], bytes[2]; /* [0] client to server; since the last flush */
    uint32_t errors, resets, retransmissions, gaps;
    uint32_t hash_next, next_dirty;
    uint8_t dirty;
    uint8_t one_way, two_way; /* busy TCP connections of which one side alone was heard, or both; no more than 255 */
    uint16_t vlan, iface;     /* of the latest of these */
    const char *app;               /* as last told */
};

struct link_table {
    struct link *links;
    uint32_t *buckets;
    struct lru_link *order; /* of used */
    struct lru used;
    uint32_t n, n_used, bucket_mask, free_head, dirty;
    uint64_t evicted;
};
enum { LINK_NONE = UINT32_MAX };

/* mem owns the memory: link_table_bytes(n) of it. */
int link_table_init(struct link_table *t, uint32_t n, struct arena *mem) MUST_USE;
size_t link_table_bytes(uint32_t n);
uint64_t link_digest(uint16_t net, const struct addr *client, const struct addr *server, uint8_t l4, uint16_t port);
/* A look-up in two steps, each of which tells the cache to fetch what the next one needs. */
void link_fetch(const struct link_table *t, uint64_t digest);
void link_fetch_on(const struct link_table *t, uint64_t digest);
struct link *link_find(struct link_table *t, uint64_t digest);
/* A new link; when the table is full the least recently used one is handed out first through *evicted (its counts are
 * the caller's to report), copied. */
struct link *link_add(struct link_table *t, uint64_t digest, bool *did_evict, struct link *evicted);
void link_touch(struct link_table *t, struct link *l, uint64_t ts_ns); /* used now: to be flushed */
/* The next link with counts since the last flush, its counts reset; false at the end. */
bool link_flush(struct link_table *t, struct link *ret);
