/* report_event.c: what a shard tells the collector of messages: new facts, hits and logged events as records; the rest
 * it only counts. */
#include "engine/base/hash.h"
#include "engine/evjson.h"
#include "engine/shard.h"
#include "engine/worker.h"
#include "rules/rules.h"

enum { EVIDENCE_BYTES = 256 };

static uint64_t fact_base(struct shard *s, struct flow *f, const struct proto_schema *schema)
{
    if (!f->fact_base || f->fact_client != f->client) {
        unsigned hi = f->client == 1;
        uint64_t h = hash_bytes(HASH_ID_KEY ^ f->key.net, end_addr(f, hi), sizeof(struct addr));
        f->fact_client = f->client;
        f->fact_base = hash_mix(h, hash_bytes(HASH_ID_KEY, end_addr(f, !hi), sizeof(struct addr))) | 1;
    }
    return hash_mix(env_schema(s->env, schema)->hash, f->fact_base);
}

static uint64_t item_digest(uint64_t base, const struct item *it)
{
    uint64_t h = hash_mix(base ^ it->kind, (uint64_t)it->action << 40 | (uint64_t)it->has_range << 32 | it->space);
    h = hash_mix(h, (uint64_t)it->first << 32 | it->last);
    if (it->bit != ITEM_BIT_NONE)
        h = hash_mix(h, it->bit);
    if (it->name.n)
        h = hash_bytes(h, it->name.p, it->name.n);
    return h | 1;
}

struct facts_out {
    struct rec_fact f[REC_MAX_NEW];
    unsigned n;
    bool served;                  /* the server does for the first time what it was asked before in vain */
    uint32_t slots[EV_MAX_ITEMS]; /* where the facts stand */
};

/* Returns the fact's slot. */
static uint32_t see_fact(struct shard *s, const struct event *e, uint64_t digest, const struct item *it, uint64_t ts,
                         struct facts_out *out)
{
    struct fact_hit h;
    uint32_t error = e->error ? e->status + 1 : 0;
    if (it && it->status != ITEM_STATUS_NONE && it->status && !error)
        error = it->status + 1;
    fact_see(&s->facts, digest, ts, error, &h);
    if (h.evicted)
        report_fact_count(s, h.old_digest, &h.old, s->now_ns);
    if (h.failed.count)
        report_fact_error(s, &h.failed, s->now_ns);
    struct fact_slot *slot = &s->facts.slots[h.slot];
    if (!slot->served && ev_served(e->kind, e->outcome, e->from_client)) {
        slot->served = 1;
        out->served = true;
    }
    if ((!h.is_new && !h.new_error) || out->n == REC_MAX_NEW)
        return h.slot;
    struct rec_fact *f = &out->f[out->n++];
    *f = (struct rec_fact){.digest = digest, .kind = REC_NO_KIND, .action = e->action, .bit = ITEM_BIT_NONE,
                           .is_new = h.is_new, .new_error = h.new_error};
    if (it) {
        f->space = it->space, f->first = it->first, f->last = it->last;
        f->kind = it->kind, f->action = it->action, f->bit = it->bit, f->has_range = it->has_range;
        f->name = it->name;
    }
    return h.slot;
}

/* What the facts of a message have in common. */
static uint64_t message_base(struct shard *s, struct flow *f, const struct event *e)
{
    uint64_t base = fact_base(s, f, e->schema);
    base = hash_mix(base ^ e->function, (uint64_t)e->selector << 32 | (uint64_t)e->action << 8 | e->has_unit);
    return hash_mix(base, (uint64_t)e->sub << 32 | (e->has_unit ? e->unit : 0));
}

static void see_facts(struct shard *s, const struct event *e, uint64_t base, uint64_t ts, struct facts_out *out)
{
    uint64_t digests[EV_MAX_ITEMS];
    if (!e->n_items)
        out->slots[0] = see_fact(s, e, base | 1, NULL, ts, out);
    for (unsigned i = 0; i < e->n_items; i++) { /* all of them on their way before the first is waited for */
        digests[i] = item_digest(base, &e->items[i]);
        fact_prefetch(&s->facts, digests[i]);
    }
    for (unsigned i = 0; i < e->n_items; i++)
        out->slots[i] = see_fact(s, e, digests[i], &e->items[i], ts, out);
}

/* The flow's VLAN ids, outer first. */
static uint8_t flow_vlans(const struct flow *f, uint16_t vlan[2])
{
    uint8_t n = 0;
    if (f->outer_vlan)
        vlan[n++] = f->outer_vlan;
    if (f->vlan)
        vlan[n++] = f->vlan;
    return n;
}

static bool half_seen(const struct flow *f)
{
    return f->key.proto == PROTO_TCP && !(f->half[0].flags & f->half[1].flags & HALF_SEEN);
}

static void fill_event(const struct flow *f, const struct dis_ctx *x, const struct event *e, struct rec_event *r)
{
    const struct msg *last = &e->msgs[e->n_msgs - 1];
    unsigned hi = f->client == 1;
    *r = (struct rec_event){
        .schema = e->schema, .op = e->op, .ts_ns = last->ts_ns, .ts_first_ns = e->msgs[0].ts_ns,
        .latency_ns = e->latency_ns, .flow_id = f->id, .link = f->link, .anomalies = e->anomalies, .tx_id = e->tx_id,
        .src = *end_addr(f, hi), .dst = *end_addr(f, !hi), .sport = hi ? f->key.hi_port : f->key.lo_port,
        .dport = hi ? f->key.lo_port : f->key.hi_port, .net = f->key.net, .file = last->file, .iface = f->iface,
        .frame = last->frame, .function = e->function, .selector = e->selector, .unit = e->unit, .sub = e->sub,
        .status = e->status, .items_total = e->items_total, .kind = e->kind, .action = e->action,
        .outcome = e->outcome, .phase = e->phase, .l4 = f->key.proto, .has_unit = e->has_unit,
        .has_status = e->has_status, .error = e->error, .from_client = e->from_client,
        .offset = (uint16_t)(x->offset > 65535 ? 65535 : x->offset),
    };
    r->has_sender = x->has_sender;
    r->sender = x->sender;
    r->has_far = e->has_far;
    memcpy(r->far, e->far, sizeof r->far);
    memcpy(r->smac, f->mac[0][hi], 6);
    memcpy(r->dmac, f->mac[0][!hi], 6);
    r->has_mac = f->has_mac;
    r->one_way = half_seen(f);
    r->n_vlan = flow_vlans(f, r->vlan);
}

static void *put_behind(struct ring_head *h, uint32_t *at, const void *p, uint32_t n)
{
    void *dst = (uint8_t *)h + *at;
    if (n)
        memcpy(dst, p, n);
    *at += (n + 7) & ~7u;
    return dst;
}

static uint32_t write_json(struct shard *s, struct flow *f, const struct event *e, struct rec_event *r, char *to,
                           uint32_t cap)
{
    if (!f->has_community) {
        community_id(&f->key, f->community);
        f->has_community = 1;
    }
    struct evjson_env env = {.host = s->env->host, .in_iface = s->env->iface_name(s->env->name_arg, f->iface),
                             .app_proto = r->app, .community = f->community, .file_name = s->env->file_name,
                             .name_arg = s->env->name_arg};
    uint32_t n = evjson_write(&env, e, r, to, cap, true);
    if (n)
        return n;
    s->stats->records_cut++;
    return evjson_write(&env, e, r, to, cap, false);
}

/* Most records that nobody logs are never shown: they travel as they are, and the collector writes the JSON of the few
 * that become alerts. */
static uint32_t write_packed(const struct event *e, struct rec_event *r, uint8_t *to, uint32_t cap)
{
    uint32_t n = ev_record_len(e);
    r->is_tight = n && n <= cap;
    if (r->is_tight) {
        ev_pack_record(e, to);
        return n;
    }
    n = ev_packed_len(e, true);
    bool with_values = n <= cap;
    if (!with_values)
        n = ev_packed_len(e, false);
    ev_pack(e, to, n, with_values);
    return n;
}

void report_unpack(const struct rec_event *r, const void *packed, struct event *ret)
{
    (r->is_tight ? ev_unpack_record : ev_unpack)(packed, ret);
}

struct hits {
    uint16_t of[REC_MAX_HITS];
    uint64_t since[REC_MAX_HITS];
    unsigned n;
};

struct findings { /* what a record says beside the event */
    const struct facts_out *facts;
    const uint16_t *hits;
    const uint64_t *since; /* as rec_event has it */
    uint64_t object;
    unsigned n_hits, wanted;
};

/* On the ring: head, rec_event, hits, since, facts, names of the facts in order, bytes, then JSON or the packed event.
 * Pointers are the collector's. */
static void send_event(struct shard *s, struct flow *f, struct dis_ctx *x, const struct event *e,
                       const struct findings *t)
{
    if (t->wanted == REC_WANT_LOG && out_tight(s->out)) {
        s->stats->ring_dropped++;
        return;
    }
    struct ring_head *h = out_begin(s->out, RK_EVENT, REC_MAX_BYTES);
    struct rec_event *r = (struct rec_event *)(void *)(h + 1);
    const struct facts_out *facts = t->facts;
    uint32_t at = sizeof *h + sizeof *r;
    fill_event(f, x, e, r);
    r->object = t->object;
    r->wanted = (uint8_t)t->wanted;
    r->n_hits = (uint16_t)t->n_hits;
    r->n_facts = (uint16_t)facts->n;
    put_behind(h, &at, t->hits, r->n_hits * (uint32_t)sizeof *t->hits);
    r->has_since = t->since != NULL;
    if (t->since)
        put_behind(h, &at, t->since, r->n_hits * (uint32_t)sizeof *t->since);
    struct rec_fact *there = put_behind(h, &at, facts->f, facts->n * (uint32_t)sizeof *facts->f);
    for (unsigned i = 0; i < facts->n; i++) {
        there[i].name.n = facts->f[i].name.n < EV_OBJECT ? facts->f[i].name.n : EV_OBJECT;
        put_behind(h, &at, facts->f[i].name.p, there[i].name.n);
    }
    r->bytes.n = x->pdu.n < EVIDENCE_BYTES ? x->pdu.n : EVIDENCE_BYTES;
    put_behind(h, &at, x->pdu.p, r->bytes.n);
    r->app = f->dis ? f->dis->schemas[0]->name : e->schema->name;
    if (t->wanted == REC_WANT_LOG) /* of what may become an alert the collector asks for the event itself */
        r->json.n = write_json(s, f, e, r, (char *)h + at, REC_MAX_BYTES - at);
    else
        r->packed.n = write_packed(e, r, (uint8_t *)h + at, REC_MAX_BYTES - at);
    out_end(s->out, h, at + r->json.n + r->packed.n);
    s->stats->records++;
}

static bool nothing_new(const struct facts_out *facts)
{
    for (unsigned i = 0; i < facts->n; i++)
        if (facts->f[i].is_new)
            return false;
    return true;
}

static void ask_of(const struct flow *f, const struct event *e, bool nothing_new, struct rule_input *ret)
{
    unsigned hi = f->client == 1;
    *ret = (struct rule_input){.ev = e, .src = end_addr(f, hi), .dst = end_addr(f, !hi), .smac = f->mac[0][hi],
                               .dmac = f->mac[0][!hi], .ts_ns = e->msgs[e->n_msgs - 1].ts_ns,
                               .sport = hi ? f->key.hi_port : f->key.lo_port,
                               .dport = hi ? f->key.lo_port : f->key.hi_port, .net = f->key.net,
                               .l4 = f->key.proto, .nothing_new = nothing_new};
    ret->n_vlan = flow_vlans(f, ret->vlan);
    if (!f->has_mac)
        ret->smac = ret->dmac = NULL;
}

/* A message that says nothing but what one before it said. */
static unsigned judge_again(struct shard *s, struct dis_ctx *x, struct event *e, const struct seen_msg *m,
                            uint16_t hits[REC_MAX_HITS])
{
    struct rule_input in;
    if (!m->n_rules)
        return 0;
    if (rules_read_fields(s->env->rules, e->schema, true))
        ev_complete(x, e);
    ask_of(x->owner, e, true, &in);
    return rules_match_of(s->env->rules, &in, m->rules, m->n_rules, hits);
}

static unsigned judge(struct shard *s, struct dis_ctx *x, struct event *e, struct facts_out *facts,
                      uint16_t hits[REC_MAX_HITS])
{
    struct flow *f = x->owner;
    struct rule_input in;
    uint64_t base = message_base(s, f, e), digest = seen_digest(s->seen.key, base, e);
    const struct seen_msg *m = seen_find(&s->seen, digest);
    facts->n = 0;
    facts->served = false;
    uint64_t ts_ns = e->msgs[e->n_msgs - 1].ts_ns;
    x->rt->seen = (struct rt_seen){e->anomalies ? 0 : digest, f->fact_base};
    if (m && m->n_rules != SEEN_NOT_KEPT && seen_count(&s->seen, m, &s->facts, ts_ns)) {
        seen_follows(&s->seen, &f->seen, m, &s->facts, x->frame);
        return judge_again(s, x, e, m, hits);
    }
    see_facts(s, e, base, ts_ns, facts);
    if (rules_read_fields(s->env->rules, e->schema, nothing_new(facts)))
        ev_complete(x, e);
    ask_of(f, e, nothing_new(facts), &in);
    unsigned n = s->env->rules ? rules_match(s->env->rules, &in, hits, REC_MAX_HITS) : 0;
    if (digest && !facts->n && (!m || m->n_rules != SEEN_NOT_KEPT))
        seen_keep(&s->seen, digest, &s->facts, facts->slots, s->env->rules, &in);
    return n;
}

/* Leaves those of its n hits that the collector is to be asked: without what thresholds were told of before (`told`:
 * leave it out), and what the only worker counts itself and finds too few. */
static unsigned ask_collector(struct shard *s, const struct flow *f, const struct event *e, uint64_t object, bool told,
                              struct hits *h)
{
    unsigned hi = f->client == 1;
    const struct told_message m = {
        .counted = {.client = e->has_far & 1 ? &e->far[0] : end_addr(f, hi),
                    .server = e->has_far & 2 ? &e->far[1] : end_addr(f, !hi), .object = object, .unit = e->unit,
                    .function = e->function, .selector = e->selector, .net = f->key.net, .has_unit = e->has_unit},
        .ts_ns = e->msgs[e->n_msgs - 1].ts_ns, .kind = e->kind, .error = e->error, .one_way = half_seen(f)};
    unsigned n = h->n;
    if (told)
        n = told_filter(&s->told, s->env->rules, s->env->hash_key, &m, h->of, n);
    return s->env->counts ? rule_count(s->env->counts, &m.counted, m.ts_ns, h->of, h->since, n) : n;
}

/* How many of them tell of the message itself? A rule that counts tells of many. *at: one of those that do. */
static unsigned tell_of_it(const struct shard *s, const struct hits *h, unsigned *at)
{
    unsigned n = 0;
    for (unsigned i = 0; i < h->n; i++)
        if (!ruleset_hit_counts(s->env->rules, h->of[i])) {
            *at = i;
            n++;
        }
    return n;
}

static void leave_out(struct hits *h, unsigned at)
{
    for (h->n--; at < h->n; at++) {
        h->of[at] = h->of[at + 1];
        h->since[at] = h->since[at + 1];
    }
}

/* Would the collector do no more than count it where it told of one of its kind? Then it is not told again: true. What
 * it is asked of the plant may have changed, announced work ends, and in a window shorter than what is counted takes to
 * come the alert may be over. */
static bool only_repeats(struct shard *s, const struct dis_ctx *x, const struct event *e, int worst, uint64_t like,
                         uint64_t object, struct hits *h)
{
    unsigned at = 0, n = tell_of_it(s, h, &at);
    if (n > 1 || (n == 0 && worst < 0) || s->conf.alerts_ns < REPEATS_LEAST_NS)
        return false;
    if (n && (ruleset_hit_asks(s->env->rules, h->of[at]) || s->env->site->n_windows))
        return false;
    like = like ? like : report_like(s, x, e, worst);
    if (report_is_new(s, x, e, like, n ? h->of[at] : REC_NO_HIT, object))
        return false;
    if (n)
        leave_out(h, at);
    return true;
}

/* What is found in a message: REC_WANT_ bits. */
static unsigned look_at(struct shard *s, struct dis_ctx *x, struct event *e, struct facts_out *facts, struct hits *h,
                        uint64_t *object)
{
    struct flow *f = x->owner;
    bool commands = action_commands(e->action);
    int worst = e->anomalies ? schema_worst(e->schema, e->anomalies) : -1;
    uint64_t like = worst >= 0 ? report_like(s, x, e, worst) : 0;
    if (like)
        repeats_fetch(&s->repeats, like);
    f->errors += e->error;
    h->n = judge(s, x, e, facts, h->of);
    /* What was asked in vain before is no new fact when it is done; but it tells what the server is. */
    bool news = facts->n || facts->served;
    unsigned wanted = (news ? REC_WANT_FACT : 0) | (commands && h->n ? REC_WANT_HIT : 0) |
                      (worst >= 0 ? REC_WANT_ANOMALY : 0);
    if (h->n) {
        *object = rules_object(e);
        h->n = ask_collector(s, f, e, *object, !commands, h);
    }
    if (!news && !commands && only_repeats(s, x, e, worst, like, *object, h))
        wanted = 0;
    return wanted | (h->n ? REC_WANT_HIT : 0);
}

void report_event(void *arg, struct dis_ctx *x, struct event *e)
{
    struct shard *s = arg;
    struct flow *f = x->owner;
    struct facts_out facts;
    struct hits hits;
    learn_dir(s, f, x->side, x);
    if (f->client > 1) /* nothing tells: who speaks is taken for the client until something does */
        f->client = e->from_client ? x->side : 1 - x->side;
    if (!f->link)
        report_link(s, f);
    s->stats->events++;
    count_message(s, e->schema, e->n_msgs);
    unsigned wanted = s->env->log_events ? REC_WANT_LOG : 0;
    uint64_t object = 0;
    facts.n = hits.n = 0;
    if (!x->copy) /* what was done once is not done again by its copy */
        wanted |= look_at(s, x, e, &facts, &hits, &object);
    if (!wanted)
        return;
    ev_complete(x, e);
    const struct findings t = {.facts = &facts, .hits = hits.of, .since = s->env->counts ? hits.since : NULL,
                               .object = object, .n_hits = hits.n, .wanted = wanted};
    send_event(s, f, x, e, &t);
}

/* As report_event() for events without fault, each of which would find this in the table of what was seen. */
bool report_again(void *arg, struct dis_ctx *x, const struct rt_again *a)
{
    struct shard *s = arg;
    struct flow *f = x->owner;
    if (s->env->log_events || a->latency_ns >= USUAL_LATENCY_NS)
        return false;
    learn_dir(s, f, x->side, x);
    if (f->client > 1 || !f->link || f->fact_client != f->client || f->fact_base != a->seen->ends)
        return false;
    const struct seen_msg *m = seen_find(&s->seen, a->seen->digest);
    if (!m || m->n_rules || !seen_count(&s->seen, m, &s->facts, x->ts_ns))
        return false;
    seen_follows(&s->seen, &f->seen, m, &s->facts, x->frame);
    s->stats->events += a->n_events;
    count_message(s, a->schema, a->n_msgs);
    return true;
}

bool report_join(void *arg, const struct rt_seen *of, unsigned n, struct rt_seen *ret)
{
    struct shard *s = arg;
    uint64_t digests[AGAIN_GROUP];
    for (unsigned i = 0; i < n; i++) {
        if (of[i].ends != of[0].ends)
            return false;
        digests[i] = of[i].digest;
    }
    *ret = (struct rt_seen){seen_join(&s->seen, digests, n, &s->facts), of[0].ends};
    return ret->digest != 0;
}
