/* arena.h: memory for tables, taken at the start and given back as a whole.
 *
 * What every packet touches lies in large pages where the system has them: tens of megabytes of tables in pages of
 * 4 KiB cost page faults and page walks. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"

struct arena {
    void *block;
    uint8_t *p;
    size_t cap, used;
};

/* Where tables lie: hot is touched by every packet; cold is large and most of it is never touched, so that large pages
 * would only make it resident. */
struct table_mem {
    struct arena hot, cold;
};

enum { ARENA_ALIGN = 64 };

/* Room for `bytes` as arena_size() counts them, all zero. huge: ask for large pages. */
int arena_open(struct arena *a, size_t bytes, bool huge) MUST_USE;
void arena_close(struct arena *a);
/* n zeroed bytes at a multiple of ARENA_ALIGN, or NULL when there is no room. */
void *arena_take(struct arena *a, size_t n);
/* What arena_take(n) uses up. */
static inline size_t arena_size(size_t n)
{
    return (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
}

/* As calloc(n, size), for what is aligned to more than calloc() promises (cache lines); free() gives it back. */
void *calloc_aligned(size_t n, size_t size);

int table_mem_open(struct table_mem *m, size_t hot, size_t cold) MUST_USE;
void table_mem_close(struct table_mem *m);
