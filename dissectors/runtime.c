#include "dissectors/runtime.h"

#include "engine/base/hash.h"

const struct rt_conf rt_conf_default = RT_CONF_DEFAULT;

/* The tables that lie beside the pools. */
static size_t lists_bytes(const struct rt_conf *c)
{
    return arena_size(c->n_txn * (sizeof(struct txn) + sizeof(struct txn_rest))) +
           arena_size(c->n_asm * sizeof(struct asm_msg)) + arena_size(c->n_asm * sizeof(struct lru_link)) +
           arena_size(c->n_shared * sizeof(struct shared_blob)) + arena_size(c->n_obs * sizeof(struct obs_slot));
}

/* Of polls that come again. */
static size_t again_bytes(const struct rt_conf *c)
{
    if (!c->n_again)
        return 0;
    return arena_size(c->n_again * sizeof(struct again_req)) + arena_size(c->n_again * sizeof(struct again_rsp)) +
           arena_size(c->n_again * sizeof(uint64_t)) + bufpool_bytes(c->again);
}

size_t rt_hot_bytes(const struct rt_conf *c)
{
    return lists_bytes(c) + again_bytes(c);
}

size_t rt_bytes(const struct rt_conf *c)
{
    return lists_bytes(c) + bufpool_bytes(c->txn) + bufpool_bytes(c->assembly) + again_bytes(c);
}

static int take_lists(struct dis_rt *rt, const struct rt_conf *conf, struct arena *mem)
{
    rt->txn = arena_take(mem, conf->n_txn * (sizeof *rt->txn + sizeof(struct txn_rest)));
    rt->asm_msg = arena_take(mem, conf->n_asm * sizeof *rt->asm_msg);
    rt->asm_order = arena_take(mem, conf->n_asm * sizeof *rt->asm_order);
    rt->shared = arena_take(mem, conf->n_shared * sizeof *rt->shared);
    rt->obs = arena_take(mem, conf->n_obs * sizeof *rt->obs);
    return rt->txn && rt->asm_msg && rt->asm_order && rt->shared && rt->obs ? 0 : -ENOMEM;
}

int again_store_init(struct again_store *a, const struct rt_conf *conf, unsigned n, struct arena *mem)
{
    struct bufpool_conf pool[BUFPOOL_CLASSES];
    *a = (struct again_store){.n = conf->n_again};
    while (a->n && a->n <= conf->n_again * (uint64_t)n / 2)
        a->n *= 2;
    if (!a->n)
        return 0;
    for (unsigned i = 0; i < BUFPOOL_CLASSES; i++)
        pool[i] = (struct bufpool_conf){conf->again[i].size, conf->again[i].n * n};
    a->requests = arena_take(mem, a->n * sizeof *a->requests);
    a->answers = arena_take(mem, a->n * sizeof *a->answers);
    a->digests = arena_take(mem, a->n * sizeof *a->digests);
    return a->requests && a->answers && a->digests ? bufpool_init(&a->pool, pool, mem) : -ENOMEM;
}

void rt_share(struct dis_rt *rt, struct again_store *a)
{
    rt->kept = a;
    rt->again = a->requests;
    rt->again_digests = a->digests;
    rt->answers = a->answers;
    rt->conf.n_again = a->n;
}

int rt_init(struct dis_rt *rt, const struct rt_conf *conf, struct event *scratch, const struct rt_sink *sink,
            void *sink_arg, uint64_t hash_key, struct table_mem *mem)
{
    *rt = (struct dis_rt){.sink = sink, .sink_arg = sink_arg, .ev = scratch, .conf = *conf,
                          .hash_key = hash_key, .secret = hash_key,
                          .txn_oldest = RT_NONE, .txn_newest = RT_NONE, .asm_used = LRU_EMPTY,
                          .due_ns = UINT64_MAX, .expect_due = UINT64_MAX, .taken.req = RT_NONE};
    int r = mem ? 0 : table_mem_open(&rt->own, rt_hot_bytes(conf), rt_bytes(conf) - rt_hot_bytes(conf));
    struct table_mem *m = mem ? mem : &rt->own;
    if (r || (r = take_lists(rt, conf, &m->hot)) || (r = bufpool_init(&rt->txn_pool, conf->txn, &m->cold)) ||
        (r = bufpool_init(&rt->asm_pool, conf->assembly, &m->cold)) ||
        (r = again_store_init(&rt->own_kept, conf, 1, &m->hot))) {
        rt_done(rt);
        return r;
    }
    rt_share(rt, &rt->own_kept);
    for (uint32_t i = 0; i < conf->n_txn; i++)
        rt->txn[i].next = i + 1 < conf->n_txn ? i + 1 : RT_NONE;
    for (uint32_t i = 0; i < conf->n_asm; i++)
        rt->asm_msg[i].next = i + 1 < conf->n_asm ? i + 1 : RT_NONE;
    return 0;
}

void rt_done(struct dis_rt *rt)
{
    table_mem_close(&rt->own);
    *rt = (struct dis_rt){0};
}

void flow_rt_init(struct flow_rt *fr)
{
    *fr = (struct flow_rt){.txn_head = RT_NONE, .txn_tail = RT_NONE, .asm_head = RT_NONE};
}

void flow_rt_end(struct dis_ctx *x)
{
    uint8_t dir = x->dir;
    ev_flush(x);
    for (x->dir = 0; x->dir <= DIR_S2C; x->dir++)
        asm_gap(x);
    x->dir = dir;
    rt_expect_end(x);
}

uint8_t dis_setting(const struct dis_ctx *x, const struct proto_schema *s, unsigned n)
{
    for (const struct rt_settings *k = x->rt ? x->rt->settings : NULL; k && k->schema; k++)
        if (k->schema == s)
            return k->value[n];
    return 0;
}

#define CLOCK_BITS (UINT64_MAX >> 16)

/* Set-associative, 8 ways; in a full set the least recently used is evicted. */
void *dis_shared(struct dis_ctx *x, const struct proto_schema *s, uint64_t key, bool create)
{
    struct dis_rt *rt = x->rt;
    if (rt->index_of != s) {
        rt->index_of = s;
        rt->index = schema_index(s);
    }
    rt->acts++;
    uint64_t d = hash_same(rt->hash_key, x->key, 2 * sizeof(struct addr));
    d = hash_mix(d ^ key, hash_u64(x->key->net, rt->index)) | 1;
    struct shared_blob *set = &rt->shared[(d >> 8) & (rt->conf.n_shared - 1) & ~7u], *first = &set[d >> 4 & 7];
    struct shared_blob *at = first;
    for (int i = 0; i < 8 && at->digest != d; i++)
        at = &set[i];
    if (at->digest == d) {
        at->used = ++rt->clock & CLOCK_BITS;
        return at->blob;
    }
    if (!create)
        return NULL;
    struct shared_blob *old = first; /* where it is found at once, while there is room */
    for (int i = 0; i < 8; i++)
        if (set[i].used < old->used)
            old = &set[i];
    rt->stats.shared_evicted += old->digest != 0;
    if (old->expect)
        rt_expect_evicted(rt, old);
    *old = (struct shared_blob){.digest = d, .used = ++rt->clock & CLOCK_BITS};
    return old->blob;
}
