#include "engine/base/bufpool.h"

#include <assert.h>

/* A class: its buffers, then the list of free ones. */
static size_t class_bytes(const struct bufpool_conf *c)
{
    return arena_size((size_t)c->size * c->n) + arena_size(c->n * sizeof(uint32_t));
}

size_t bufpool_bytes(const struct bufpool_conf *conf)
{
    size_t sum = 0;
    for (int i = 0; i < BUFPOOL_CLASSES && conf[i].n; i++)
        sum += class_bytes(&conf[i]);
    return sum;
}

static int take_class(struct bufpool *p, const struct bufpool_conf *conf, struct arena *mem)
{
    struct bufpool_class *c = &p->c[p->n_classes];
    *c = (struct bufpool_class){.size = conf->size, .n = conf->n, .n_free = conf->n};
    c->area = arena_take(mem, (size_t)c->size * c->n);
    c->free_list = arena_take(mem, c->n * sizeof(uint32_t));
    if (!c->area || !c->free_list)
        return -ENOMEM;
    for (uint32_t k = 0; k < c->n; k++)
        c->free_list[k] = c->n - 1 - k;
    p->n_classes++;
    return 0;
}

int bufpool_init(struct bufpool *p, const struct bufpool_conf *conf, struct arena *mem)
{
    int r = 0;
    *p = (struct bufpool){0};
    if (!mem && (r = arena_open(&p->own, bufpool_bytes(conf), false)))
        return r;
    for (int i = 0; !r && i < BUFPOOL_CLASSES && conf[i].n; i++)
        r = take_class(p, &conf[i], mem ? mem : &p->own);
    return r;
}

void bufpool_done(struct bufpool *p)
{
    arena_close(&p->own);
    *p = (struct bufpool){0};
}

/* The smallest class that serves; -1: none. */
static inline int class_for(const struct bufpool *p, uint32_t size)
{
    for (uint32_t i = 0; i < p->n_classes; i++)
        if (size <= p->c[i].size && p->c[i].n_free > p->c[i].n_reserved)
            return (int)i;
    return -1;
}

struct buf buf_get(struct bufpool *p, uint32_t size)
{
    int i = class_for(p, size);
    if (i < 0)
        return (struct buf){0};
    struct bufpool_class *c = &p->c[i];
    uint32_t k = c->free_list[--c->n_free];
    return (struct buf){.p = c->area + (size_t)k * c->size, .cap = c->size, .id = (uint32_t)i << 28 | k};
}

int buf_reserve(struct bufpool *p, uint32_t size)
{
    int i = class_for(p, size);
    if (i >= 0)
        p->c[i].n_reserved++;
    return i;
}

void buf_unreserve(struct bufpool *p, unsigned of)
{
    assert(p->c[of].n_reserved);
    p->c[of].n_reserved--;
}

void buf_put(struct bufpool *p, struct buf *b)
{
    if (!b->p)
        return;
    struct bufpool_class *c = &p->c[b->id >> 28];
    assert(c->n_free < c->n);
    c->free_list[c->n_free++] = b->id & 0x0fffffff;
    b->p = NULL;
}
