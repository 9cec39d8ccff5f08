/* shard_new.c: the tables of a shard, and what the shards of a worker have in common. */
#include "engine/shard.h"

#include <string.h>

#include "engine/base/hash.h"
#include "engine/itapp.h"

const struct shard_conf shard_conf_default = {
    .n_flows = 1536,
    .n_facts = 4096,
    .n_links = 1024,
    .n_assets = 1024,
    .n_told = 256,
    .n_repeats = 64,
    .stream = {{2048, 96}, {9216, 12}, {LIM_PDU, 3}},
    .n_segments = 128,
    .n_state = 768,
    .n_ndpi = 64,
    .duplicate_ns = 2000000,
    .alerts_ns = UINT64_C(600000000000),
    .rt = RT_CONF_DEFAULT,
};

/* Messages alike have one to a few facts; what many clients ask of many servers is as often one message. */
static uint32_t n_seen(const struct shard_conf *c)
{
    return c->n_facts / 4;
}

static const struct bufpool_conf *states_conf(const struct shard_conf *c, struct bufpool_conf ret[BUFPOOL_CLASSES])
{
    memset(ret, 0, BUFPOOL_CLASSES * sizeof *ret);
    ret[0] = (struct bufpool_conf){DIS_FLOW_STATE, c->n_state};
    return ret;
}

size_t shard_hot_bytes(const struct shard_conf *c)
{
    struct bufpool_conf states[BUFPOOL_CLASSES];
    return arena_size(sizeof(struct shard)) + flow_table_bytes(c->n_flows) + fact_set_bytes(c->n_facts) +
           seen_bytes(n_seen(c)) +
           link_table_bytes(c->n_links) + told_bytes(c->n_told) + arena_size(c->n_assets * sizeof(uint64_t)) +
           bufpool_bytes(states_conf(c, states)) + arena_size(c->n_segments * sizeof(struct seg)) +
           arena_size(c->n_ndpi * sizeof(uint32_t)) + rt_hot_bytes(&c->rt);
}

size_t shard_cold_bytes(const struct shard_conf *c)
{
    return bufpool_bytes(c->stream) + repeats_bytes(c->n_repeats) + rt_bytes(&c->rt) - rt_hot_bytes(&c->rt);
}

int shard_common_init(struct shard_common *c, const struct shard_conf *conf, unsigned n, struct table_mem *mem)
{
    uint32_t seen = n_seen(conf);
    while (seen <= n_seen(conf) * (uint64_t)n / 2)
        seen *= 2;
    return again_store_init(&c->kept, &conf->rt, n, &mem->hot) || seen_init(&c->seen, seen, &mem->hot) ? -ENOMEM : 0;
}

struct shard *shard_new(unsigned index, const struct shard_conf *conf, const struct shard_env *env,
                        struct shard_common *common, struct event *scratch, struct out *out, struct eng_stats *stats,
                        struct table_mem *mem)
{
    struct bufpool_conf states[BUFPOOL_CLASSES];
    struct rt_conf rt = conf->rt;
    rt.n_again = common ? 0 : rt.n_again;
    struct shard *s = arena_take(&mem->hot, sizeof *s);
    if (!s)
        return NULL;
    *s = (struct shard){.env = env, .out = out, .stats = stats, .conf = *conf, .index = (uint16_t)index};
    s->assets = arena_take(&mem->hot, conf->n_assets * sizeof *s->assets);
    s->segs = arena_take(&mem->hot, conf->n_segments * sizeof *s->segs);
    s->ndpi = arena_take(&mem->hot, conf->n_ndpi * sizeof *s->ndpi);
    if (!s->assets || !s->segs || !s->ndpi ||
        rt_init(&s->rt, &rt, scratch, &shard_sink, s, env->hash_key, mem) ||
        flow_table_init(&s->flows, conf->n_flows, env->hash_key, &mem->hot) ||
        fact_set_init(&s->facts, conf->n_facts, &mem->hot) ||
        (!common && seen_init(&s->seen, n_seen(conf), &mem->hot)) ||
        link_table_init(&s->links, conf->n_links, &mem->hot) || told_init(&s->told, conf->n_told, &mem->hot) ||
        repeats_init(&s->repeats, conf->n_repeats, conf->alerts_ns, &mem->cold) ||
        bufpool_init(&s->buffers, conf->stream, &mem->cold) ||
        bufpool_init(&s->states, states_conf(conf, states), &mem->hot))
        return NULL;
    if (common) {
        rt_share(&s->rt, &common->kept);
        s->seen = common->seen;
    }
    s->seen.key = hash_mix(env->secret, index + 1); /* entries name facts of their own shard */
    s->told.tell = report_counted;
    s->told.arg = s;
    s->repeats.tell = report_repeat_count;
    s->repeats.arg = s;
    s->rt.secret = env->secret;
    s->rt.settings = env->settings[0].schema ? env->settings : NULL;
    memset(s->ndpi, 0xff, conf->n_ndpi * sizeof *s->ndpi);
    for (uint32_t i = 0; i < conf->n_segments; i++)
        s->segs[i].next = i + 1 < conf->n_segments ? i + 1 : FLOW_NONE;
    return s;
}

void shard_done(struct shard *s)
{
    for (uint32_t i = s->flows.used.oldest; i != FLOW_NONE; i = s->flows.order[i].newer)
        itapp_flow_free(s->flows.flows[i].ndpi);
}
