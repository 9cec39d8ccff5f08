#include "baseline/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct node *node(const struct table *t, uint32_t i)
{
    return tab_at(t, i);
}

int tab_init(struct table *t, uint32_t cap, uint32_t size)
{
    memset(t, 0, sizeof *t);
    uint32_t buckets = 16;
    while (buckets < cap)
        buckets *= 2;
    t->size = t->clear = size;
    t->cap = cap;
    t->mask = buckets - 1;
    t->rec = calloc((size_t)cap + 1, size);
    t->heads = calloc(buckets, sizeof *t->heads);
    t->order = calloc((size_t)cap + 1, sizeof *t->order);
    for (unsigned l = 0; l < TABLE_LISTS; l++)
        t->lists[l] = LRU_EMPTY;
    if (t->rec && t->heads && t->order)
        return 0;
    tab_done(t);
    return -ENOMEM;
}

void tab_done(struct table *t)
{
    free(t->rec);
    free(t->heads);
    free(t->order);
    memset(t, 0, sizeof *t);
}

uint64_t tab_bytes(const struct table *t)
{
    uint64_t entries = ((uint64_t)t->cap + 1) * (t->size + sizeof *t->order);
    return t->rec ? entries + ((uint64_t)t->mask + 1) * sizeof *t->heads : 0;
}

uint32_t tab_add(struct table *t, uint64_t hash, uint8_t list)
{
    uint32_t i = t->free;
    if (i) {
        t->free = node(t, i)->chain;
        node(t, i)->chain = 0; /* the rest was emptied by tab_del() */
    } else {
        i = ++t->high;
    }
    struct node *n = node(t, i);
    n->hash = (uint32_t)hash;
    n->used = 1;
    n->list = list;
    n->chain = t->heads[hash & t->mask];
    t->heads[hash & t->mask] = i;
    lru_add(&t->lists[list], t->order, i);
    t->used++;
    return i;
}

void tab_del(struct table *t, uint32_t i)
{
    struct node *n = node(t, i);
    uint32_t *at = &t->heads[n->hash & t->mask];
    while (*at != i)
        at = &node(t, *at)->chain;
    *at = n->chain;
    lru_remove(&t->lists[n->list], t->order, i);
    memset(n, 0, t->clear);
    n->chain = t->free;
    t->free = i;
    t->used--;
}

void tab_touch(struct table *t, uint32_t i)
{
    tab_move(t, i, node(t, i)->list);
}

void tab_move(struct table *t, uint32_t i, uint8_t list)
{
    struct node *n = node(t, i);
    if (n->list == list) {
        lru_touch(&t->lists[list], t->order, i);
        return;
    }
    lru_remove(&t->lists[n->list], t->order, i);
    n->list = list;
    lru_add(&t->lists[list], t->order, i);
}

uint32_t tab_victim(const struct table *t)
{
    for (unsigned l = 0; l < TABLE_LISTS; l++)
        if (t->lists[l].oldest != LRU_NONE)
            return t->lists[l].oldest;
    return 0;
}
