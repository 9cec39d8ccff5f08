#include "engine/base/arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* calloc() of this size is a fresh mapping: zero without being touched. The kernel makes large pages of what lies
 * aligned in it. */
int arena_open(struct arena *a, size_t bytes, bool huge)
{
    enum { PAGE = 4096 };
    *a = (struct arena){.block = calloc(1, bytes + ARENA_ALIGN), .cap = bytes};
    if (!a->block)
        return -ENOMEM;
    a->p = (uint8_t *)arena_size((uintptr_t)a->block);
    uintptr_t from = ((uintptr_t)a->p + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
    uintptr_t end = ((uintptr_t)a->p + bytes) & ~(uintptr_t)(PAGE - 1);
    if (huge && end > from)
        (void)madvise((void *)from, end - from, MADV_HUGEPAGE); /* a wish: all works without */
    return 0;
}

void arena_close(struct arena *a)
{
    free(a->block);
    *a = (struct arena){0};
}

void *arena_take(struct arena *a, size_t n)
{
    size_t size = arena_size(n);
    if (size < n || a->cap - a->used < size)
        return NULL;
    void *p = a->p + a->used;
    a->used += size;
    return p;
}

int table_mem_open(struct table_mem *m, size_t hot, size_t cold)
{
    *m = (struct table_mem){0};
    int r = arena_open(&m->hot, hot, true);
    if (!r && (r = arena_open(&m->cold, cold, false)))
        arena_close(&m->hot);
    return r;
}

void table_mem_close(struct table_mem *m)
{
    arena_close(&m->hot);
    arena_close(&m->cold);
}

void *calloc_aligned(size_t n, size_t size)
{
    if (!n || size > (SIZE_MAX - ARENA_ALIGN) / n)
        return NULL;
    void *p = aligned_alloc(ARENA_ALIGN, arena_size(n * size));
    if (p)
        memset(p, 0, n * size);
    return p;
}
