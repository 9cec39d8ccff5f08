/* report.c: what a shard tells the collector of devices, links and faults, and counts at a window's end. Events:
 * report_event.c. */
#include "engine/base/hash.h"
#include "engine/base/jw.h"
#include "engine/shard.h"
#include "engine/worker.h"
#include "rules/rules.h"

/* ---- assets and links ---- */

static void tell_asset(struct shard *s, const struct addr *a, const uint8_t *mac, uint8_t via, uint16_t net,
                       const struct addr *through)
{
    if (addr_is_nobody(a) || !s->pkt)
        return;
    uint16_t vlan = inner_vlan(s->lay, s->pkt);
    uint64_t d = asset_digest(s, a, mac, net, vlan), *set = asset_set(s, d);
    for (int i = 0; i < 8; i++)
        if (set[i] == d)
            return;
    uint64_t *slot = &set[s->asset_hand++ & 7];
    s->assets_evicted += *slot != 0;
    *slot = d;
    struct rec_asset r = {.ts_ns = s->pkt->ts_ns, .addr = *a, .has_mac = mac != NULL, .via = via, .net = net,
                          .vlan = vlan, .iface = s->pkt->iface, .file = s->pkt->file, .frame = s->pkt->frame};
    if (mac)
        memcpy(r.mac, mac, 6);
    if (through)
        r.through = *through;
    out_put(s->out, RK_ASSET, &r, sizeof r);
}

void report_asset(struct shard *s, const struct addr *a, const uint8_t *mac, uint8_t via, uint16_t net)
{
    tell_asset(s, a, mac, via, net, NULL);
}

/* Which side serves when nothing tells: the one with the lower port, which is most often the well-known one; else the
 * one that was not heard first. */
unsigned guess_server(const struct flow *f)
{
    if (f->client < 2)
        return 1u - f->client;
    return f->key.hi_port < f->key.lo_port;
}

static void report_link_count(struct shard *s, const struct link *l, uint64_t ts_ns)
{
    if (!(l->packets[0] | l->packets[1]))
        return;
    struct rec_link_count r = {.ts_ns = ts_ns, .digest = l->digest, .last_ns = l->last_ns,
                               .packets = {l->packets[0], l->packets[1]}, .bytes = {l->bytes[0], l->bytes[1]},
                               .errors = l->errors, .resets = l->resets, .retransmissions = l->retransmissions,
                               .gaps = l->gaps, .one_way = l->one_way, .two_way = l->two_way, .vlan = l->vlan,
                               .iface = l->iface};
    out_put(s->out, RK_LINK_COUNT, &r, sizeof r);
}

/* Nobody has that address: who speaks to it is no client of a server. */
static bool is_group(const struct flow *f, unsigned end)
{
    return f->key.proto != PROTO_TCP && (addr_is_group(end_addr(f, end)) || (f->has_mac && f->mac[0][end][0] & 1));
}

static struct link *get_link(struct shard *s, struct flow *f)
{
    struct link old, *l = link_find(&s->links, f->link);
    bool evicted;
    if (l)
        return l;
    unsigned server = guess_server(f);
    bool icmp = f->key.proto == PROTO_ICMP || f->key.proto == PROTO_ICMP6;
    l = link_add(&s->links, f->link, &evicted, &old);
    if (evicted)
        report_link_count(s, &old, s->now_ns);
    struct rec_link r = {.ts_ns = f->first_ns, .digest = f->link, .client = *end_addr(f, 1 - server),
                         .server = *end_addr(f, server), .l4 = f->key.proto, .sure = f->sure,
                         .group = is_group(f, server),
                         .attempt = f->key.proto == PROTO_TCP || icmp ? !(f->half[server].flags & HALF_SEEN) : 0,
                         .net = f->key.net, .port = server ? f->key.hi_port : f->key.lo_port, .vlan = f->vlan,
                         .iface = f->iface, .file = f->file,
                         .client_port = server ? f->key.lo_port : f->key.hi_port, .frame = f->seen_frame};
    if (icmp)
        r.attempt = 0;
    out_put(s->out, RK_LINK, &r, sizeof r);
    return l;
}

void report_link(struct shard *s, struct flow *f)
{
    unsigned server = guess_server(f);
    uint64_t d = link_digest(f->key.net, end_addr(f, 1 - server), end_addr(f, server), f->key.proto,
                             server ? f->key.hi_port : f->key.lo_port);
    if (f->link == d)
        return;
    f->link = d;
    get_link(s, f);
}

bool report_app(struct shard *s, struct flow *f, const char *app, bool from_ndpi, bool tls, bool wrong_port)
{
    if (!f->link)
        report_link(s, f);
    struct link *l = get_link(s, f);
    if (app && l->app == app && !wrong_port)
        return false;
    if (app)
        l->app = app;
    struct rec_link_app r = {.ts_ns = s->pkt ? s->pkt->ts_ns : f->last_ns, .digest = f->link, .app = app,
                             .from_ndpi = from_ndpi, .tls = tls, .wrong_port = wrong_port,
                             .frame = s->pkt ? s->pkt->frame : f->seen_frame, .file = f->file};
    out_put(s->out, RK_LINK_APP, &r, sizeof r);
    return true;
}

/* Did both sides of a busy connection speak since the last flush? What was sent again does not count: its receiver may
 * be dead. */
static void count_ways(const struct flow *f, struct link *l)
{
    enum { ENOUGH = 8 }; /* packets of one side alone */
    bool both = f->packets[0] && f->packets[1];
    bool data = (f->half[0].flags | f->half[1].flags) & HALF_DATA;
    if (f->key.proto != PROTO_TCP || (!both && (!data || f->packets[0] + f->packets[1] < f->retransmissions + ENOUGH)))
        return;
    uint8_t *n = both ? &l->two_way : &l->one_way;
    *n = (uint8_t)(*n + (*n < UINT8_MAX));
    l->vlan = f->vlan;
    l->iface = f->iface;
}

void report_counts(struct shard *s, struct flow *f)
{
    if (!(f->packets[0] | f->packets[1]))
        return;
    if (!f->link)
        report_link(s, f);
    struct link *l = get_link(s, f);
    unsigned server = guess_server(f);
    count_ways(f, l);
    for (unsigned side = 0; side < 2; side++) {
        l->packets[side == server] += f->packets[side];
        l->bytes[side == server] += f->bytes[side];
        f->packets[side] = f->bytes[side] = 0;
    }
    l->errors += f->errors;
    l->resets += f->resets != 0;
    l->retransmissions += f->retransmissions;
    l->gaps += f->gaps;
    f->errors = f->retransmissions = f->gaps = 0;
    link_touch(&s->links, l, f->last_ns);
}

void report_fact_count(struct shard *s, uint64_t digest, const struct fact_slot *c, uint64_t ts_ns)
{
    struct rec_fact_count r = {.ts_ns = ts_ns, .digest = digest, .last_ns = c->last_ns, .count = c->count,
                               .errors = c->errors, .period_us = c->period_us};
    if (c->count)
        out_put(s->out, RK_FACT_COUNT, &r, sizeof r);
}

void report_fact_error(struct shard *s, const struct fact_failed *f, uint64_t ts_ns)
{
    struct rec_fact_error r = {.ts_ns = ts_ns, .digest = f->digest, .last_ns = f->last_ns, .status = f->error - 1,
                               .count = f->count};
    out_put(s->out, RK_FACT_ERROR, &r, sizeof r);
}

void report_errors(struct shard *s, uint64_t ts_ns)
{
    struct fact_failed f;
    while (fact_flush_failed(&s->facts, &f))
        report_fact_error(s, &f, ts_ns);
}

void report_flush(struct shard *s, uint64_t ts_ns)
{
    struct link l;
    struct fact_slot c;
    uint64_t d;
    while (link_flush(&s->links, &l))
        report_link_count(s, &l, ts_ns);
    while (fact_flush(&s->facts, &d, &c))
        report_fact_count(s, d, &c, ts_ns);
    report_errors(s, ts_ns);
}

void report_counted(void *arg, const struct rec_counted *r)
{
    struct shard *s = arg;
    if (s->env->counts && ruleset_hit_plain(s->env->rules, r->hit))
        rule_again(s->env->counts, r);
    else
        out_put(s->out, RK_COUNTED, r, sizeof *r);
}

/* ---- what a runtime reports beside events ---- */

static const struct addr *client_addr(const struct flow *f)
{
    return end_addr(f, f->client == 1);
}

static void sink_ident(void *arg, struct dis_ctx *x, const struct rt_ident *i)
{
    struct shard *s = arg;
    struct flow *f = x->owner;
    struct ring_head *h = out_begin(s->out, RK_IDENT, sizeof *h + sizeof(struct rec_ident) + REC_VALUE);
    struct rec_ident *r = (struct rec_ident *)(void *)(h + 1);
    bool client_sends = x->dir != DIR_S2C, about_client = i->side == OBS_CLIENT;
    bool about_sender = about_client == client_sends;
    const struct addr *a = x->has_sender && about_sender ? &x->sender
                           : x->lay                      ? (about_sender ? &x->lay->src : &x->lay->dst)
                           : about_client                ? client_addr(f)
                                                         : end_addr(f, f->client != 1);
    *r = (struct rec_ident){.ts_ns = x->ts_ns, .addr = *a, .source = i->schema->name, .sub = i->sub, .frame = x->frame,
                            .net = f->key.net, .file = x->file, .kind = i->kind, .confidence = i->confidence,
                            .changed = i->changed};
    r->value.n = jw_clean(i->value, (char *)(r + 1), REC_VALUE);
    out_end(s->out, h, (uint32_t)(sizeof *h + sizeof *r) + r->value.n);
}

static void sink_sender(void *arg, struct dis_ctx *x)
{
    const struct flow *f = x->owner;
    tell_asset(arg, &x->sender, NULL, ASSET_VIA_PROTOCOL, f->key.net, &x->through);
}

static void tell_fault(struct shard *s, const struct flow_key *k, unsigned side, uint64_t flow_id, uint64_t link,
                       enum packet_fault fault)
{
    struct rec_anomaly r = {.ts_ns = s->pkt->ts_ns, .flow_id = flow_id, .link = link, .src = side ? k->hi : k->lo,
                            .dst = side ? k->lo : k->hi, .sport = side ? k->hi_port : k->lo_port,
                            .dport = side ? k->lo_port : k->hi_port, .net = k->net,
                            .file = s->pkt->file, .l4 = k->proto, .bit = (uint8_t)fault, .frame = s->pkt->frame,
                            .count = 1, .total = 1};
    out_put(s->out, RK_ANOMALY, &r, sizeof r);
}

void report_fault(struct shard *s, struct flow *f, unsigned side, enum packet_fault fault)
{
    if (f->faults_told >> fault & 1 || !s->pkt)
        return;
    f->faults_told |= (uint8_t)(1u << fault);
    tell_fault(s, &f->key, side, f->id, f->link, fault);
}

void report_fragment_fault(struct shard *s, const struct job *j, enum packet_fault fault)
{
    uint64_t of = hash_mix(j->hash, fault + UINT64_C(1)) | 1;
    uint64_t *told = &s->fragment_faults[of >> 32 & (SHARD_FAULTS - 1)];
    if (*told == of)
        return;
    *told = of;
    tell_fault(s, &j->key, j->side, flow_id_of(&j->key, s->pkt->ts_ns), 0, fault);
}

static void sink_silent(void *arg, struct dis_ctx *x, const struct proto_schema *schema)
{
    (void)x;
    count_message(arg, schema, 1);
}

static void sink_context(void *arg, void *owner, struct dis_ctx *x)
{
    struct shard *s = arg;
    struct flow *f = owner;
    struct chunk none = {.ts_ns = f->last_ns, .side = f->client == 1};
    make_ctx(s, f, &none, x);
}

static void sink_lost(void *arg, struct dis_ctx *x, uint32_t n)
{
    const struct flow *f = x->owner;
    unseen_add(arg, f->iface, f->vlan, UNSEEN_MESSAGES, n);
}

static void sink_absent(void *arg, struct dis_ctx *x, const struct dis_absent *a)
{
    const struct flow *f = x->owner;
    struct shard *s = arg;
    unsigned hi = f->client == 1;
    struct rec_absent r = {.ts_ns = a->ts_ns, .due_ns = a->due.due_ns, .last_ns = a->due.last_ns, .link = f->link,
                           .flow_id = f->id, .schema = a->schema, .src = *end_addr(f, hi), .dst = *end_addr(f, !hi),
                           .net = f->key.net, .vlan = f->vlan, .iface = f->iface, .file = a->due.file,
                           .sport = hi ? f->key.hi_port : f->key.lo_port, .dport = hi ? f->key.lo_port : f->key.hi_port,
                           .unit = a->unit,
                           .frame = a->due.frame, .l4 = f->key.proto, .has_mac = f->has_mac,
                           .back = a->back};
    memcpy(r.smac, f->mac[0][hi], 6);
    memcpy(r.dmac, f->mac[0][!hi], 6);
    jw_clean(a->name, r.name, sizeof r.name - 1);
    out_put(s->out, RK_ABSENT, &r, sizeof r);
}

static bool sink_heard(void *arg, const struct dis_ctx *x)
{
    const struct flow *f = x->owner;
    (void)arg;
    return f->half[1 - x->side].flags & (HALF_SEEN | HALF_DATA);
}

const struct rt_sink shard_sink = {
    .event = report_event, .again = report_again, .join = report_join,
    .ident = sink_ident, .malformed = report_malformed, .silent = sink_silent,
    .context = sink_context, .sender = sink_sender, .completes = true, .lost = sink_lost,
    .absent = sink_absent, .heard = sink_heard,
};
