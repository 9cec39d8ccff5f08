/* alert_table.c: the bounded table of open alerts. */
#include "alerts/alert_int.h"

#include <stdlib.h>

#include "engine/base/hash.h"

/* Most records are smaller than 4 KiB; a few hold an event with many values. */
static void classes(uint32_t bytes, struct bufpool_conf out[BUFPOOL_CLASSES + 1])
{
    enum { SMALL = 4096, MIDDLE = 16384, LARGE = ALERT_LINE + 3 * ALERT_TEXT };
    memset(out, 0, (BUFPOOL_CLASSES + 1) * sizeof *out);
    out[0] = (struct bufpool_conf){.size = SMALL, .n = bytes / 8 * 5 / SMALL + 1};
    out[1] = (struct bufpool_conf){.size = MIDDLE, .n = bytes / 8 * 2 / MIDDLE + 1};
    out[2] = (struct bufpool_conf){.size = LARGE, .n = bytes / 8 / LARGE + 1};
}

int table_init(struct alert_table *t, uint32_t cap, uint32_t bytes, uint64_t key)
{
    struct bufpool_conf conf[BUFPOOL_CLASSES + 1];
    classes(bytes, conf);
    uint32_t buckets = 16;
    while (buckets < cap)
        buckets *= 2;
    *t = (struct alert_table){.cap = cap, .mask = buckets - 1, .key = key, .used = LRU_EMPTY};
    t->e = calloc(cap, sizeof *t->e);
    t->order = calloc(cap, sizeof *t->order);
    t->bucket = malloc(buckets * sizeof *t->bucket);
    if (!t->e || !t->order || !t->bucket || bufpool_init(&t->pool, conf, NULL) < 0) {
        table_done(t);
        return -ENOMEM;
    }
    memset(t->bucket, 0xff, buckets * sizeof *t->bucket);
    for (uint32_t i = 0; i < cap; i++)
        t->e[i].chain = i + 1 < cap ? i + 1 : NONE;
    return 0;
}

void table_done(struct alert_table *t)
{
    free(t->e);
    free(t->order);
    free(t->bucket);
    bufpool_done(&t->pool);
    t->e = NULL;
    t->order = NULL;
    t->bucket = NULL;
}

uint64_t table_memory(const struct alert_table *t)
{
    uint64_t sum = t->cap * (sizeof *t->e + sizeof *t->order) + ((uint64_t)t->mask + 1) * sizeof *t->bucket;
    for (uint32_t i = 0; i < t->pool.n_classes; i++)
        sum += (uint64_t)t->pool.c[i].size * t->pool.c[i].n;
    return sum;
}

static uint32_t *bucket_of(struct alert_table *t, uint64_t fold)
{
    return &t->bucket[hash_u64(t->key, fold) & t->mask];
}

struct open_alert *table_find(struct alert_table *t, uint64_t fold)
{
    for (uint32_t i = *bucket_of(t, fold); i != NONE; i = t->e[i].chain)
        if (t->e[i].fold == fold)
            return &t->e[i];
    return NULL;
}

void table_touch(struct alert_table *t, struct open_alert *o)
{
    lru_touch(&t->used, t->order, table_index(t, o));
}

struct open_alert *table_add(struct alert_table *t, uint64_t fold)
{
    if (t->free == NONE)
        return NULL;
    struct open_alert *o = &t->e[t->free];
    uint32_t i = t->free, *b = bucket_of(t, fold);
    t->free = o->chain;
    memset(o, 0, sizeof *o);
    o->fold = fold;
    o->chain = *b;
    *b = i;
    lru_add(&t->used, t->order, i);
    t->n++;
    return o;
}

void table_del(struct alert_table *t, struct open_alert *o)
{
    uint32_t i = table_index(t, o), *at = bucket_of(t, o->fold);
    while (*at != i)
        at = &t->e[*at].chain;
    *at = o->chain;
    lru_remove(&t->used, t->order, i);
    buf_put(&t->pool, &o->buf);
    o->chain = t->free;
    t->free = i;
    t->n--;
}

struct open_alert *table_oldest(struct alert_table *t, uint32_t bytes, const struct open_alert *keep)
{
    for (struct open_alert *o = table_at(t, t->used.oldest); o; o = table_newer(t, o))
        if (o != keep && (!bytes || (o->buf.p && o->buf.cap >= bytes)))
            return o;
    return NULL;
}
