/* table.h: a bounded table of fixed-size records: hashed, with least-recently-seen lists to evict from.
 *
 * All memory is taken when it is made (lazily paged: untouched records cost nothing). Records are named by index; 0 is
 * none. Free indices are used again in the order they became free, so indices depend on the input alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/lru.h"

enum { TABLE_LISTS = 3 };

/* First member of every record; only table.c writes it. */
struct node {
    uint32_t hash;       /* its low half */
    uint32_t chain;      /* next of the bucket, or of the free list */
    uint8_t used, list;
};

struct table {
    uint8_t *rec;
    uint32_t *heads;
    uint32_t size, cap, mask, used, high, free;
    uint32_t clear;              /* of size: what tab_del() zeroes; the rest is not read before it is written */
    struct lru_link *order;      /* of the lists */
    struct lru lists[TABLE_LISTS];
    uint64_t evicted;
};

/* 0 or -ENOMEM. */
int tab_init(struct table *t, uint32_t cap, uint32_t size);
void tab_done(struct table *t);
uint64_t tab_bytes(const struct table *t);

static inline void *tab_at(const struct table *t, uint32_t i)
{
    return t->rec + (uint64_t)i * t->size;
}

/* The next record of that hash after `after` (0: the first); the caller compares keys. */
static inline uint32_t tab_find(const struct table *t, uint64_t hash, uint32_t after)
{
    uint32_t i = after ? ((const struct node *)tab_at(t, after))->chain : t->heads[hash & t->mask];
    while (i && ((const struct node *)tab_at(t, i))->hash != (uint32_t)hash)
        i = ((const struct node *)tab_at(t, i))->chain;
    return i;
}
/* Bring its bucket, or, when that is there, the first record of it into the cache. */
static inline void tab_fetch_bucket(const struct table *t, uint64_t hash)
{
    __builtin_prefetch(&t->heads[hash & t->mask]);
}
static inline void tab_fetch(const struct table *t, uint64_t hash)
{
    __builtin_prefetch(tab_at(t, t->heads[hash & t->mask]));
}
/* The hot part of a record, which comes first: two lines of the cache. */
static inline void row_fetch(const struct table *t, uint32_t i)
{
    const char *row = tab_at(t, i);
    __builtin_prefetch(row);
    __builtin_prefetch(row + 64);
}
static inline bool tab_full(const struct table *t)
{
    return t->used == t->cap;
}
/* A zeroed record (as far as `clear` says), newest of its list; the table must not be full. */
uint32_t tab_add(struct table *t, uint64_t hash, uint8_t list);
void tab_del(struct table *t, uint32_t i);
/* Make it the newest of its list, or of another list. */
void tab_touch(struct table *t, uint32_t i);
void tab_move(struct table *t, uint32_t i, uint8_t list);
/* The least recently seen of the lowest list that holds any. */
uint32_t tab_victim(const struct table *t);
