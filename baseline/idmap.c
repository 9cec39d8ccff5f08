#include "baseline/idmap.h"

#include <stdlib.h>

#include "engine/base/hash.h"

static uint32_t slot(const struct idmap *m, uint64_t id)
{
    uint32_t i = (uint32_t)hash_u64(1, id) & (m->cap - 1);
    while (m->ids[i] && m->ids[i] != id)
        i = (i + 1) & (m->cap - 1);
    return i;
}

static bool grow(struct idmap *m)
{
    struct idmap big = {.cap = m->cap ? m->cap * 2 : 1024};
    big.ids = calloc(big.cap, sizeof *big.ids);
    big.at = calloc(big.cap, sizeof *big.at);
    if (!big.ids || !big.at) {
        idmap_done(&big);
        return false;
    }
    for (uint32_t i = 0; i < m->cap; i++)
        if (m->ids[i])
            idmap_put(&big, m->ids[i], m->at[i]);
    idmap_done(m);
    *m = big;
    return true;
}

bool idmap_put(struct idmap *m, uint64_t id, uint32_t at)
{
    if (!id || ((m->n + 1) * 2 > m->cap && !grow(m)))
        return false;
    uint32_t i = slot(m, id);
    m->n += !m->ids[i];
    m->ids[i] = id;
    m->at[i] = at;
    return true;
}

uint32_t idmap_get(const struct idmap *m, uint64_t id)
{
    return m->cap && id ? m->at[slot(m, id)] : 0;
}

void idmap_done(struct idmap *m)
{
    free(m->ids);
    free(m->at);
    *m = (struct idmap){0};
}
