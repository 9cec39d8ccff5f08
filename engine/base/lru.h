/* lru.h: in which order the entries of a table were used. The links lie in an array of their own, eight bytes an entry:
 * an entry that becomes the newest touches its neighbours' links, which would each be a cold line of a large entry. */
#pragma once

#include <stdint.h>

enum { LRU_NONE = UINT32_MAX };

struct lru_link {
    uint32_t older, newer; /* index of an entry, or LRU_NONE */
};

struct lru { /* a list; those of one table share the array, an entry is in one of them at most */
    uint32_t oldest, newest;
};
#define LRU_EMPTY ((struct lru){LRU_NONE, LRU_NONE})

/* Entry i, which is in no list, becomes the newest. v: the table's links. */
static inline void lru_add(struct lru *l, struct lru_link *v, uint32_t i)
{
    v[i] = (struct lru_link){.older = l->newest, .newer = LRU_NONE};
    *(l->newest == LRU_NONE ? &l->oldest : &v[l->newest].newer) = i;
    l->newest = i;
}

static inline void lru_remove(struct lru *l, struct lru_link *v, uint32_t i)
{
    struct lru_link at = v[i];
    *(at.older == LRU_NONE ? &l->oldest : &v[at.older].newer) = at.newer;
    *(at.newer == LRU_NONE ? &l->newest : &v[at.newer].older) = at.older;
}

/* Entry i of the list becomes its newest. */
static inline void lru_touch(struct lru *l, struct lru_link *v, uint32_t i)
{
    if (l->newest == i)
        return;
    lru_remove(l, v, i);
    lru_add(l, v, i);
}
