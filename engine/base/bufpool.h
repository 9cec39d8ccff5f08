/* bufpool.h: byte buffers of a few fixed sizes out of one area that is allocated once. Deterministic (last freed, first
 * used), O(1), no locks. A request is served by the smallest class that fits and has one free. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/arena.h"

enum { BUFPOOL_CLASSES = 4 };
struct bufpool_conf { /* BUFPOOL_CLASSES of them, ascending sizes; n 0 ends the list */
    uint32_t size, n;
};
struct bufpool_class {
    uint8_t *area;
    uint32_t *free_list;
    uint32_t size, n, n_free;
    uint32_t n_reserved; /* of the free ones */
};
struct bufpool {
    uint32_t n_classes;
    struct bufpool_class c[BUFPOOL_CLASSES];
    struct arena own; /* where the memory is nobody else's */
};
struct buf {
    uint8_t *p;    /* NULL: none */
    uint32_t cap;
    uint32_t id;   /* for buf_put */
};

size_t bufpool_bytes(const struct bufpool_conf *conf);
/* mem owns the memory; NULL: the pool takes its own. */
int bufpool_init(struct bufpool *p, const struct bufpool_conf *conf, struct arena *mem) MUST_USE;
void bufpool_done(struct bufpool *p);
/* A buffer of at least `size` bytes, or {NULL} when none is free. Contents undefined. */
struct buf buf_get(struct bufpool *p, uint32_t size);
void buf_put(struct bufpool *p, struct buf *b); /* b->p NULL is fine; sets it to NULL */
/* The buffer that buf_get() would return stays free, and is not had by anybody else, until buf_unreserve() of the class
 * that is returned; -1 where there is none. */
int buf_reserve(struct bufpool *p, uint32_t size);
void buf_unreserve(struct bufpool *p, unsigned of);
