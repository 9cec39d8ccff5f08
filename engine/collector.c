#include "engine/collector.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "baseline/baseline.h"
#include "engine/evjson.h"
#include "engine/outputs.h"
#include "engine/raise.h"
#include "rules/rules.h"
#include "store/store.h"

enum { AHEAD = BASELINE_AHEAD - 1, RECORD_LINES = 6 };
struct source_head { /* the oldest record of one worker */
    struct ring_head *h;
    bool ended;
    uint64_t ahead;                              /* on its ring: the first record that was not looked at ahead */
    struct baseline_ahead found[BASELINE_AHEAD]; /* what those before it are about, as a ring */
    unsigned at, n_found;                        /* at: of the last one */
};

static unsigned rec_shard(const struct ring_head *h)
{
    return h->type >> 16;
}

/* Point the record's spans at what lies behind it on the ring (report.c wrote it in this order). */
static struct rec_event *unpack_event(struct ring_head *h, struct rec_fact **ret)
{
    struct rec_event *r = (struct rec_event *)(void *)(h + 1);
    uint8_t *p = (uint8_t *)(r + 1);
    r->hits = (const uint16_t *)(void *)p;
    p += (r->n_hits * sizeof *r->hits + 7) & ~(size_t)7;
    r->since = r->has_since ? (const uint64_t *)(void *)p : NULL;
    p += r->has_since ? r->n_hits * sizeof *r->since : 0;
    struct rec_fact *facts = (struct rec_fact *)(void *)p;
    r->facts = facts;
    p += (r->n_facts * sizeof *facts + 7) & ~(size_t)7;
    for (unsigned i = 0; i < r->n_facts; i++) {
        facts[i].name.p = facts[i].name.n ? p : NULL;
        p += (facts[i].name.n + 7) & ~7u;
    }
    r->bytes.p = p;
    p += (r->bytes.n + 7) & ~7u;
    r->json.p = r->json.n ? p : NULL;
    r->packed.p = r->packed.n ? p : NULL;
    *ret = facts;
    return r;
}

/* What the plant's connections say of its two ends; only silence and alerts ask. */
static bool is_one_way(const struct collector *c, struct rec_event *r)
{
    if (!r->one_way)
        r->one_way = sight_one_way(c->ops.sight, r->net, &r->src, &r->dst);
    return r->one_way;
}

/* The record of an event that becomes an alert, written now (raise_conf.event_json). */
void collector_event_json(void *arg, struct rec_event *r)
{
    struct collector *c = arg;
    char community[32];
    is_one_way(c, r);
    if (r->json.n || !r->packed.n)
        return;
    bool low = memcmp(&r->src, &r->dst, sizeof r->src) < 0 || (addr_eq(&r->src, &r->dst) && r->sport <= r->dport);
    struct flow_key k = {.lo = low ? r->src : r->dst, .hi = low ? r->dst : r->src, .lo_port = low ? r->sport : r->dport,
                         .hi_port = low ? r->dport : r->sport, .proto = r->l4};
    community_id(&k, community);
    struct evjson_env env = {.host = c->env->host, .in_iface = c->env->iface_name(c->env->name_arg, r->iface),
                             .app_proto = r->app, .community = community, .file_name = c->env->file_name,
                             .name_arg = c->env->name_arg};
    report_unpack(r, r->packed.p, c->scratch);
    r->json.n = evjson_write(&env, c->scratch, r, c->json, REC_MAX_BYTES, true);
    if (!r->json.n)
        r->json.n = evjson_write(&env, c->scratch, r, c->json, REC_MAX_BYTES, false);
    r->json.p = (const uint8_t *)c->json;
}

const struct event *collector_event(void *arg, const struct rec_event *r)
{
    struct collector *c = arg;
    if (!r->packed.n)
        return NULL;
    report_unpack(r, r->packed.p, c->scratch);
    return c->scratch;
}

/* The severities at which an alert condemns what it is about: it is not learned as normal. A rule that counts tells of
 * many messages; the one at which the count was reached is no worse than those before it. */
static bool condemns(const struct rule_info *r)
{
    return !r->threshold.count && r->severity <= RS_MAJOR && r->learn != RL_YES;
}

/* A worker knows what it met in this run; the baseline also what earlier ones met. Only rules ask. */
static void recall(struct collector *c, const struct rec_event *r, struct rec_fact *facts)
{
    for (unsigned i = 0; i < r->n_facts; i++)
        if (facts[i].is_new && baseline_met(c->baseline, r, &facts[i]))
            facts[i].is_new = 0;
}

struct finished {
    uint64_t told;  /* anomalies that a rule was raised for */
    bool condemned; /* the message is not learned as normal */
    bool raised;    /* a rule was */
};

static struct finished finish_rules(struct collector *c, struct rec_event *r, struct rec_fact *facts)
{
    struct asset_info src, dst; /* for roles and numbers: the names of src die with the second question */
    struct rule_verdict v;
    struct finished done = {0};
    bool asks = false;
    for (unsigned i = 0; i < r->n_hits && !asks; i++)
        asks = ruleset_hit_asks(c->rules, r->hits[i]);
    if (asks) {
        recall(c, r, facts);
        r->learning = c->untimed || baseline_learning(c->baseline, r->link);
    }
    bool know_src = asks && baseline_asset_info(c->baseline, r->net, &r->src, &src);
    bool know_dst = asks && baseline_asset_info(c->baseline, r->net, &r->dst, &dst);
    for (unsigned i = 0; i < r->n_hits; i++) {
        if (ruleset_hit_silence(c->rules, r->hits[i], r->kind, r->error) && is_one_way(c, r))
            continue; /* nobody would have seen the answer */
        if (!rule_finish(c->rule_state, r->hits[i], r, know_src ? &src : NULL, know_dst ? &dst : NULL, &v))
            continue;
        raise_act_rule(c->raise, r->hits[i], &v);
        if (r->wanted & REC_WANT_ANOMALY && !v.rule->threshold.count) /* one that counts tells of many messages */
            done.told |= ruleset_hit_anomalies(c->rules, r->hits[i], r->schema);
        done.condemned |= condemns(v.rule);
        done.raised = true;
    }
    return done;
}

static void on_event(struct collector *c, struct ring_head *h)
{
    struct rec_fact *facts;
    struct rec_event *r = unpack_event(h, &facts);
    if (c->events && (r->wanted & REC_WANT_LOG)) {
        collector_event_json(c, r); /* where the worker sent the event itself */
        textout_line(c->events, (const char *)r->json.p, r->json.n);
        c->n_events++;
    }
    if (!(r->wanted & (REC_WANT_FACT | REC_WANT_HIT | REC_WANT_ANOMALY)))
        return;
    raise_act_begin(c->raise, r);
    struct finished rules = r->n_hits ? finish_rules(c, r, facts) : (struct finished){0};
    if (r->wanted & REC_WANT_ANOMALY)
        raise_act_anomalies(c->raise, r->anomalies & ~rules.told); /* the rule says it better */
    /* What was only counted is, for the baseline, a message like all those that are not told. */
    bool counted = !(r->wanted & (REC_WANT_FACT | REC_WANT_ANOMALY)) && !rules.raised && !action_commands(r->action);
    if (!c->untimed && !counted)
        baseline_event(c->baseline, r, rules.condemned);
    raise_act_end(c->raise);
}

static void flush_idents(struct collector *c)
{
    for (unsigned i = 0; i < c->n_held; i++) {
        c->held[i].r.value.p = c->held[i].value;
        baseline_ident(c->baseline, &c->held[i].r);
    }
    c->n_held = 0;
}

/* What a device says in a packet is told before the message that says it: a controller that stands now would be one
 * that stopped by itself. So it waits until the packet's messages were judged. */
static void on_ident(struct collector *c, struct ring_head *h)
{
    if (c->n_held == HELD_IDENTS)
        flush_idents(c);
    struct held_ident *t = &c->held[c->n_held++];
    memcpy(&t->r, h + 1, sizeof t->r);
    t->r.value.n = t->r.value.n < REC_VALUE ? t->r.value.n : REC_VALUE;
    memcpy(t->value, (uint8_t *)(h + 1) + sizeof t->r, t->r.value.n);
    c->held_order = h->order;
}

static time_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec;
}

/* What the model knows goes to the store in large steps; alerts went at once. A row that changes all the time is
 * written once a step, which is why a replay, that nobody waits for, takes steps of real time: what it has in the end
 * is the same, wherever they fall. */
static void save(struct collector *c, bool all)
{
    enum { TOO_MANY = 100000 };
    time_t now = now_s();
    if (!all && now < c->saved_s + c->save_s && baseline_due(c->baseline) < TOO_MANY)
        return;
    c->saved_s = now;
    baseline_save(c->baseline, store_sink(c->store), false);
}

static void on_tick(struct collector *c, const struct rec_tick *t)
{
    c->last_ns = t->ts_ns;
    baseline_tick(c->baseline, t);
    ops_tick(c, t);
    raise_tick(c->raise, t);
    save(c, false);
}

static void settle(struct collector *c)
{
    c->napped_us = 0;
    if (c->outputs)
        outputs_settle(c->outputs);
}

static void on_end(struct collector *c, const struct rec_tick *t)
{
    settle(c);
    on_tick(c, t);
    alerts_finish(c->alerts);
    save(c, true);
    if (!c->untimed)
        store_meta_u64(c->store, "last_ns", t->ts_ns);
}

/* What only adds to what is known. */
static bool is_knowledge(unsigned kind)
{
    return kind == RK_ASSET || kind == RK_LINK || kind == RK_LINK_APP || kind == RK_LINK_COUNT ||
           kind == RK_FACT_COUNT || kind == RK_FACT_ERROR || kind == RK_IDENT;
}

static void on_record(struct collector *c, struct ring_head *h)
{
    const void *rec = h + 1;
    c->n_records++;
    if (c->n_held && (h->order != c->held_order || (h->type & 0xffff) == RK_TICK || (h->type & 0xffff) == RK_END))
        flush_idents(c);
    if (c->untimed && is_knowledge(h->type & 0xffff))
        return;
    switch (h->type & 0xffff) {
    case RK_EVENT:
        on_event(c, h);
        break;
    case RK_ASSET:
        baseline_asset(c->baseline, rec);
        break;
    case RK_LINK:
        baseline_link(c->baseline, rec);
        break;
    case RK_LINK_APP:
        baseline_link_app(c->baseline, rec);
        break;
    case RK_LINK_COUNT:
        baseline_link_count(c->baseline, rec);
        ops_link_count(c, rec);
        break;
    case RK_FACT_COUNT:
        baseline_fact_count(c->baseline, rec);
        break;
    case RK_FACT_ERROR:
        baseline_fact_error(c->baseline, rec);
        break;
    case RK_IDENT:
        on_ident(c, h);
        break;
    case RK_ANOMALY:
        if (((const struct rec_anomaly *)rec)->of_event)
            raise_again(c->raise, rec);
        else
            raise_anomaly(c->raise, rec);
        break;
    case RK_COUNTED:
        rule_again(c->rule_state, rec);
        break;
    case RK_STATS:
        ops_add(&c->ops, rec);
        break;
    case RK_ABSENT:
        ops_absent(c, rec);
        break;
    case RK_TOPOLOGY:
        visibility_topology(c->ops.visibility, rec);
        break;
    case RK_UNSEEN:
        ops_unseen(c, rec);
        break;
    case RK_TICK:
        on_tick(c, rec);
        break;
    default:
        break;
    }
}

/* Is so much waiting, a part-th of a ring? */
static bool waiting(struct collector *c, unsigned part)
{
    for (unsigned i = 0; i < c->n_workers; i++)
        if (ring_depth(&c->workers[i].records) > c->workers[i].records.cap / part)
            return true;
    return false;
}

/* The worker whose oldest record comes first; -1 while one of them has none to compare. Workers that read queues of
 * their own may wait for each other: before one of them must wait for us, we go on. */
static int next_worker(struct collector *c, struct source_head *s)
{
    int best = -1;
    bool missing = false;
    for (unsigned i = 0; i < c->n_workers; i++) {
        if (s[i].ended)
            continue;
        if (!s[i].h && !(s[i].h = ring_peek(&c->workers[i].records))) {
            missing = true;
            continue;
        }
        if (best < 0 || s[i].h->order < s[best].h->order ||
            (s[i].h->order == s[best].h->order && rec_shard(s[i].h) < rec_shard(s[best].h)))
            best = (int)i;
    }
    return missing && !(c->loose && waiting(c, 2)) ? -1 : best;
}

static struct baseline_ahead about(const struct ring_head *h)
{
    const void *rec = h + 1;
    switch (h->type & 0xffff) {
    case RK_EVENT:
        return (struct baseline_ahead){.digest = ((const struct rec_event *)rec)->link};
    case RK_LINK_COUNT:
        return (struct baseline_ahead){.digest = ((const struct rec_link_count *)rec)->digest};
    case RK_FACT_COUNT:
        return (struct baseline_ahead){.digest = ((const struct rec_fact_count *)rec)->digest, .fact = true};
    default:
        return (struct baseline_ahead){0};
    }
}

/* Almost everything is found cold, the records too: what the next ones ask for is on its way before their turn. */
static void look_ahead(struct collector *c, struct source_head *s, const struct ring *r)
{
    const struct ring_head *h;
    if (s->ahead < r->reading) {
        s->ahead = r->reading;
        s->n_found = 0;
    }
    while (s->n_found < AHEAD && (h = ring_look(r, &s->ahead))) {
        s->at = (s->at + 1) % BASELINE_AHEAD;
        s->found[s->at] = about(h);
        s->n_found++;
        baseline_look_ahead(c->baseline, s->found, s->at);
    }
    ring_fetch(r, s->ahead, RECORD_LINES);
}

/* The clock is read when there is nothing to do, and now and then when there is. */
static void watch_clock(struct collector *c, struct timespec *last)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    if (now.tv_sec == last->tv_sec)
        return;
    *last = now;
    c->every_second(c->second_arg);
}

/* Nothing to do. Waking up costs more than most records: as long as the rings have room, naps become longer. */
static void nap(struct collector *c)
{
    enum { SHORTEST_US = 100, LONGEST_US = 5000, ALERTS_US = 1000000 };
    struct timespec t;
    if (c->napped_us >= ALERTS_US)
        settle(c);
    if (c->behind)
        outputs_confirm(c->behind);
    c->nap_us = c->nap_us < SHORTEST_US ? SHORTEST_US : c->nap_us;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += (long)c->nap_us * 1000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    while (sem_clockwait(&c->bell, CLOCK_MONOTONIC, &t) < 0 && errno == EINTR)
        ;
    c->napped_us += c->nap_us;
    if (waiting(c, 8)) /* the next one should be shorter */
        c->nap_us /= 4;
    else if (c->nap_us < LONGEST_US)
        c->nap_us *= 2;
}

void *collector_run(void *arg)
{
    struct collector *c = arg;
    struct source_head s[N_SHARDS] = {0};
    struct timespec last = {0};
    bool idle = false;
    unsigned left = c->n_workers;
    c->saved_s = now_s();
    while (left) {
        if (c->every_second && (idle || c->n_records % 256 == 0))
            watch_clock(c, &last);
        if (c->behind && c->n_records % 256 == 0)
            outputs_confirm(c->behind);
        int i = next_worker(c, s);
        idle = i < 0;
        if (idle) {
            nap(c);
            continue;
        }
        struct ring_head *h = s[i].h;
        s[i].h = NULL;
        look_ahead(c, &s[i], &c->workers[i].records);
        on_record(c, h);
        s[i].n_found -= s[i].n_found > 0;
        if (c->outputs && outputs_full(c->outputs))
            settle(c);
        if ((h->type & 0xffff) == RK_END) {
            s[i].ended = true;
            if (--left == 0)
                on_end(c, (const struct rec_tick *)(const void *)(h + 1));
        }
        ring_pop(&c->workers[i].records, h);
    }
    return NULL;
}
