/* ops.c: from counters to alerts about the sensor itself. All of it is counted per shard or per tick, so that it is the
 * same for any number of workers. */
#include "engine/ops.h"

#include <string.h>

#include "alerts/alert.h"
#include "baseline/baseline.h"
#include "engine/collector.h"
#include "engine/raise.h"
#include "rules/rules.h"
#include "store/store.h"

void ops_add(struct ops *o, const struct rec_stats *r)
{
    for (unsigned i = 0; i < LOST_TABLES; i++)
        o->now.lost[i] += r->lost[i];
    o->thresholds += r->lost[LOST_THRESHOLDS];
}

void ops_unseen(struct collector *c, const struct rec_unseen *r)
{
    const char *iface = c->env->iface_name(c->env->name_arg, r->iface);
    unseen_count(&c->ops.unseen, r, iface ? iface : "");
    raise_unseen(c->raise);
}

/* Where one direction only is seen, nobody is told to be silent. */
void ops_absent(struct collector *c, const struct rec_absent *r)
{
    const char *iface = c->env->iface_name(c->env->name_arg, r->iface);
    if (r->back || !sight_port_one_way(c->ops.sight, iface ? iface : "", r->vlan))
        absent_add(&c->ops.visibility->absent, r);
}

void ops_link_count(struct collector *c, const struct rec_link_count *r)
{
    struct addr client, server;
    uint16_t net;
    const char *iface = c->env->iface_name(c->env->name_arg, r->iface);
    if ((r->one_way || r->two_way) && baseline_link_ends(c->baseline, r->digest, &net, &client, &server))
        sight_count(c->ops.sight, r, net, &client, &server, iface ? iface : "");
}

static void table_full(struct collector *c, const char *name, uint64_t n, uint64_t ts_ns)
{
    if (n)
        raise_operational(
            c->raise, AT_OPS_EVICTIONS, ts_ns, name, n,
            "the table of %s is full: %llu of its entries made room for others in the window that ended now", name,
            (unsigned long long)n);
}

/* Fewer in a window are one busy pair of devices in its shard (a hole in a stream, questions that nobody answers): they
 * stand in the statistics, and nobody need raise a limit for them. */
enum { FEW = 64 };

static void evictions(struct collector *c, const struct rec_tick *t)
{
    static const char *const names[LOST_THRESHOLDS] = {
        [LOST_FLOWS] = "flows", [LOST_STATES] = "flow_states", [LOST_SEGMENTS] = "segments",
        [LOST_BUFFERS] = "stream_bytes", [LOST_REQUESTS] = "requests", [LOST_MESSAGES] = "messages",
        [LOST_SHARED] = "shared", [LOST_NDPI] = "ndpi"};
    struct ops *o = &c->ops;
    struct baseline_stats b;
    struct alert_stats a;
    struct rule_stats r;
    baseline_stats(c->baseline, &b);
    alerts_stats(c->alerts, &a);
    rule_state_stats(c->rule_state, &r);
    const struct {
        const char *name;
        uint64_t n;
    } own[] = {{"assets", b.evicted_assets}, {"links", b.evicted_links}, {"functions", b.evicted_funcs},
               {"operations", b.evicted_ops}, {"identities", b.evicted_idents}, {"alerts", a.evicted},
               {"thresholds", r.evicted + o->thresholds}, {"fragments", t->frag_evicted}};
    _Static_assert(ARRAY_LEN(own) <= OPS_TABLES, "ops.told has room");
    for (unsigned i = 0; i < LOST_THRESHOLDS; i++)
        if (o->now.lost[i] >= FEW)
            table_full(c, names[i], o->now.lost[i], t->ts_ns);
    for (unsigned i = 0; i < ARRAY_LEN(own); i++) {
        table_full(c, own[i].name, own[i].n - o->told[i], t->ts_ns);
        o->told[i] = own[i].n;
    }
}

static void drops(struct collector *c, const struct rec_tick *t)
{
    struct store_stats s;
    store_stats(c->store, &s);
    uint64_t n = s.refused - c->ops.refused;
    c->ops.refused = s.refused;
    if (n)
        raise_operational(c->raise, AT_OPS_DROPS, t->ts_ns, "database", n,
                          "%llu records did not fit into what waits for the database", (unsigned long long)n);
}

void ops_tick(struct collector *c, const struct rec_tick *t)
{
    evictions(c, t);
    sight_tick(c->ops.sight, c->baseline, c->raise, t->ts_ns);
    drops(c, t);
    visibility_tick(c->ops.visibility, c->baseline, c->raise, t);
    unseen_tick(&c->ops.unseen, c->raise, t->ts_ns);
    memset(&c->ops.now, 0, sizeof c->ops.now);
}
