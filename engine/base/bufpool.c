#include "engine/base/bufpool.h"

#include <assert.h>
#include <stdlib.h>

static size_t align64(size_t n)
{
    return (n + 63) & ~(size_t)63;
}

size_t bufpool_bytes(const struct bufpool_conf *conf)
{
    size_t sum = 0;
    for (int i = 0; i < BUFPOOL_CLASSES && conf[i].n; i++)
        sum += align64((size_t)conf[i].size * conf[i].n) + align64(conf[i].n * sizeof(uint32_t));
    return sum;
}

int bufpool_init(struct bufpool *p, const struct bufpool_conf *conf)
{
    *p = (struct bufpool){.mem = calloc(1, bufpool_bytes(conf))};
    uint8_t *at = p->mem;
    if (!at)
        return -ENOMEM;
    for (int i = 0; i < BUFPOOL_CLASSES && conf[i].n; i++) {
        struct bufpool_class *c = &p->c[p->n_classes++];
        c->size = conf[i].size;
        c->n = c->n_free = conf[i].n;
        c->area = at;
        at += align64((size_t)c->size * c->n);
        c->free_list = (uint32_t *)(void *)at;
        at += align64(c->n * sizeof(uint32_t));
        for (uint32_t k = 0; k < c->n; k++)
            c->free_list[k] = c->n - 1 - k;
    }
    return 0;
}

void bufpool_done(struct bufpool *p)
{
    free(p->mem);
    *p = (struct bufpool){0};
}

struct buf buf_get(struct bufpool *p, uint32_t size)
{
    for (uint32_t i = 0; i < p->n_classes; i++) {
        struct bufpool_class *c = &p->c[i];
        if (size > c->size || c->n_free == 0)
            continue;
        uint32_t k = c->free_list[--c->n_free];
        return (struct buf){.p = c->area + (size_t)k * c->size, .cap = c->size, .id = i << 28 | k};
    }
    return (struct buf){0};
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
