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
    if (t->rec && t->heads)
        return 0;
    tab_done(t);
    return -ENOMEM;
}

void tab_done(struct table *t)
{
    free(t->rec);
    free(t->heads);
    memset(t, 0, sizeof *t);
}

uint64_t tab_bytes(const struct table *t)
{
    return t->rec ? ((uint64_t)t->cap + 1) * t->size + ((uint64_t)t->mask + 1) * sizeof *t->heads : 0;
}

static void list_out(struct table *t, uint32_t i)
{
    struct node *n = node(t, i);
    if (n->prev)
        node(t, n->prev)->next = n->next;
    else
        t->newest[n->list] = n->next;
    if (n->next)
        node(t, n->next)->prev = n->prev;
    else
        t->oldest[n->list] = n->prev;
    n->prev = n->next = 0;
}

static void list_in(struct table *t, uint32_t i)
{
    struct node *n = node(t, i);
    n->prev = 0;
    n->next = t->newest[n->list];
    if (n->next)
        node(t, n->next)->prev = i;
    else
        t->oldest[n->list] = i;
    t->newest[n->list] = i;
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
    list_in(t, i);
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
    list_out(t, i);
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
    if (t->newest[list] == i && node(t, i)->list == list)
        return;
    list_out(t, i);
    node(t, i)->list = list;
    list_in(t, i);
}

uint32_t tab_victim(const struct table *t)
{
    for (unsigned l = 0; l < TABLE_LISTS; l++)
        if (t->oldest[l])
            return t->oldest[l];
    return 0;
}
