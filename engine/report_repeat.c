/* report_repeat.c: what a shard tells the collector of messages without an event, and of those that come again. */
#include "engine/base/hash.h"
#include "engine/shard.h"
#include "engine/worker.h"

void report_repeat_count(void *arg, const struct rec_anomaly *r)
{
    struct shard *s = arg;
    out_put(s->out, RK_ANOMALY, r, sizeof *r);
}

/* Fills in who it was between. */
static void say(const struct flow *f, const struct proto_schema *schema, struct rec_anomaly *r)
{
    unsigned hi = f->client == 1;
    r->flow_id = f->id;
    r->link = f->link;
    r->schema = schema;
    r->src = *end_addr(f, hi);
    r->dst = *end_addr(f, !hi);
    r->sport = hi ? f->key.hi_port : f->key.lo_port;
    r->dport = hi ? f->key.lo_port : f->key.hi_port;
    r->net = f->key.net;
    r->l4 = f->key.proto;
}

void report_malformed(void *arg, struct dis_ctx *x, const struct proto_schema *schema, unsigned bit)
{
    struct shard *s = arg;
    struct flow *f = x->owner;
    uint64_t what = env_schema(s->env, schema)->hash ^ (bit << 1 | (f->client == 1));
    uint64_t kind = hash_mix(s->env->hash_key ^ what, s->env->hash_key ^ f->id);
    const struct repeat_seen m = {.digest = kind, .ts_ns = x->ts_ns, .frame = x->frame, .file = x->file};
    struct rec_anomaly *is = repeats_see(&s->repeats, &m);
    if (!is)
        return;
    if (!f->link)
        report_link(s, f);
    say(f, schema, is);
    is->bit = (uint8_t)bit;
    struct rec_anomaly r = *is;
    r.count = 1;
    report_repeat_count(s, &r);
}

/* Keyed at each step, as whoever sends chooses most of it: two kinds that count as one would hide the second. */
uint64_t report_like(const struct shard *s, const struct dis_ctx *x, const struct event *e, int worst)
{
    const struct flow *f = x->owner;
    const uint64_t key = s->env->hash_key, schema = env_schema(s->env, e->schema)->hash;
    uint64_t how = (uint64_t)e->action << 32 | (uint64_t)e->kind << 24 | (uint64_t)e->outcome << 16 |
                   (uint64_t)e->has_unit << 1 | e->error;
    uint64_t h = hash_mix(key ^ schema ^ (unsigned)worst, key ^ ((uint64_t)f->key.net << 32 | (f->client == 1)));
    h = hash_mix(h ^ (uint64_t)e->unit << 32, key ^ how);
    h = hash_16(hash_16(h, &f->key.lo), &f->key.hi);
    for (unsigned side = 0; side < 2; side++)
        h = e->has_far >> side & 1 ? hash_16(h ^ (side + 1), &e->far[side]) : h;
    return (x->has_sender ? hash_16(h, &x->sender) : h) | 1;
}

/* Of what a rule's alert is told apart by, too. */
static uint64_t like_hit(const struct shard *s, uint64_t h, const struct rec_like *k)
{
    const uint64_t key = s->env->hash_key;
    h = hash_mix(h ^ k->object, key ^ ((uint64_t)k->function << 32 | k->selector));
    h = hash_mix(h ^ k->anomalies, key ^ ((uint64_t)k->sub << 32 | k->status));
    return hash_mix(h, key ^ k->hit);
}

bool report_is_new(struct shard *s, const struct dis_ctx *x, const struct event *e, uint64_t like, unsigned hit,
                   uint64_t object)
{
    const struct rec_like kind = {.anomalies = e->anomalies, .object = object, .function = e->function,
                                  .selector = e->selector, .unit = e->unit, .sub = e->sub, .status = e->status,
                                  .hit = (uint16_t)hit, .kind = e->kind, .action = e->action, .outcome = e->outcome,
                                  .has_unit = e->has_unit, .error = e->error, .from_client = e->from_client};
    const struct repeat_seen m = {.digest = hit == REC_NO_HIT ? like : like_hit(s, like, &kind),
                                  .ts_ns = e->msgs[e->n_msgs - 1].ts_ns, .frame = x->frame, .file = x->file};
    struct rec_anomaly *is = repeats_see(&s->repeats, &m);
    if (!is)
        return false;
    say(x->owner, e->schema, is);
    is->src = e->has_far & 1 ? e->far[0] : is->src;
    is->dst = e->has_far & 2 ? e->far[1] : is->dst;
    is->of_event = 1;
    is->of = kind;
    return true;
}
