/* ring.h: single-producer single-consumer ring of variable-length records on C11 atomics. A record is contiguous: the
 * producer reserves the most it may need, writes in place and publishes what it used; the consumer reads in place. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "engine/base/err.h"

struct ring {
    uint8_t *buf;
    uint64_t cap;                        /* power of two */
    _Alignas(64) _Atomic uint64_t head;  /* written by the producer */
    uint64_t at, tail_seen;              /* producer's own */
    _Alignas(64) _Atomic uint64_t tail;  /* written by the consumer */
    uint64_t head_seen;                  /* consumer's own */
    uint64_t reading;
};

struct ring_head {
    uint32_t len;  /* of the record, this head included; multiple of 16 */
    uint32_t type; /* RING_PAD: skip */
    uint64_t order;
};
enum { RING_PAD = 0, RING_ALIGN = 16 };

static inline int ring_init(struct ring *r, uint64_t cap)
{
    *r = (struct ring){.cap = cap, .buf = aligned_alloc(64, cap)};
    return r->buf ? 0 : -ENOMEM;
}

static inline void ring_done(struct ring *r)
{
    free(r->buf);
    r->buf = NULL;
}

/* Room for a record of up to `max` bytes (head included), or NULL when the ring is too full just now. */
static inline struct ring_head *ring_reserve(struct ring *r, uint32_t max)
{
    max = (max + RING_ALIGN - 1) & ~(uint32_t)(RING_ALIGN - 1);
    uint64_t off = r->at & (r->cap - 1), to_end = r->cap - off, need = to_end < max ? to_end + max : max;
    if (r->at + need - r->tail_seen > r->cap) {
        r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
        if (r->at + need - r->tail_seen > r->cap)
            return NULL;
    }
    if (to_end < max) {
        struct ring_head *pad = (struct ring_head *)(void *)(r->buf + off);
        pad->len = (uint32_t)to_end;
        pad->type = RING_PAD;
        r->at += to_end;
        off = 0;
    }
    return (struct ring_head *)(void *)(r->buf + off);
}

/* The record reserved last is complete with `len` bytes (head included). */
static inline void ring_publish(struct ring *r, struct ring_head *h, uint32_t len)
{
    h->len = (len + RING_ALIGN - 1) & ~(uint32_t)(RING_ALIGN - 1);
    r->at += h->len;
    atomic_store_explicit(&r->head, r->at, memory_order_release);
}

/* The oldest record, or NULL when there is none. Stays until ring_pop(). */
static inline struct ring_head *ring_peek(struct ring *r)
{
    for (;;) {
        if (r->reading == r->head_seen) {
            r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
            if (r->reading == r->head_seen)
                return NULL;
        }
        struct ring_head *h = (struct ring_head *)(void *)(r->buf + (r->reading & (r->cap - 1)));
        if (h->type != RING_PAD)
            return h;
        r->reading += h->len;
        atomic_store_explicit(&r->tail, r->reading, memory_order_release);
    }
}

/* The record at *at, which moves on behind it, or NULL where ring_peek() knows of none: what comes after the oldest can
 * be looked at before its turn. */
static inline const struct ring_head *ring_look(const struct ring *r, uint64_t *at)
{
    while (*at != r->head_seen) {
        const struct ring_head *h = (const struct ring_head *)(const void *)(r->buf + (*at & (r->cap - 1)));
        *at += h->len;
        if (h->type != RING_PAD)
            return h;
    }
    return NULL;
}

enum { RING_LINE = 64 };
/* Bring n lines from there on into the cache, to be read. */
static inline void ring_fetch(const struct ring *r, uint64_t at, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        __builtin_prefetch(r->buf + ((at + (uint64_t)i * RING_LINE) & (r->cap - 1)));
}

static inline void ring_pop(struct ring *r, const struct ring_head *h)
{
    r->reading += h->len;
    atomic_store_explicit(&r->tail, r->reading, memory_order_release);
}

/* Bytes waiting, as the consumer or an observer sees them. */
static inline uint64_t ring_depth(struct ring *r)
{
    return atomic_load_explicit(&r->head, memory_order_relaxed) - atomic_load_explicit(&r->tail, memory_order_relaxed);
}
