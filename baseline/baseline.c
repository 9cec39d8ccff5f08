/* baseline.c: making and ending the model, the collector's event and tick. */
#include "baseline/baseline.h"

#include <stdlib.h>

#include "baseline/model.h"

void baseline_conf_default(struct baseline_conf *c)
{
    static const struct site nothing_told;
    const uint64_t s = 1000000000, day = 86400 * s;
    *c = (struct baseline_conf){.site = &nothing_told, .mode = BASE_LEARN, .learn_ns = 14 * day, .quiet_ns = day,
                                .fold_ns = 600 * s, .scan_ns = 120 * s, .scan_addresses = 50, .scan_ports = 25,
                                .scan_controllers = 10, .read_gap = 16, .router_addresses = 8, .hash_key = 1};
}

static uint32_t size_or(uint32_t configured, uint32_t def)
{
    uint32_t n = configured ? configured : def;
    return n < 16 ? 16 : n;
}

static int tables_init(struct baseline *b)
{
    const struct baseline_limits *l = &b->conf.limits;
    uint32_t assets = size_or(l->assets, LIM_ASSETS);
    const struct {
        struct table *t;
        uint32_t cap, size;
    } all[] = {
        {&b->assets, assets, sizeof(struct asset)},
        {&b->addrs, assets * 2, sizeof(struct addr_rec)},
        {&b->macs, assets * 2, sizeof(struct mac_rec)},
        {&b->subnets, LIM_SUBNETS, sizeof(struct subnet_rec)},
        {&b->idents, size_or(l->idents, LIM_IDENTS), sizeof(struct ident)},
        {&b->links, size_or(l->links, LIM_LINKS), sizeof(struct link)},
        {&b->funcs, size_or(l->funcs, LIM_FUNCS), sizeof(struct func)},
        {&b->ops, size_or(l->ops, LIM_OPS), sizeof(struct op)},
        {&b->digs, size_or(l->digests, LIM_DIGESTS), sizeof(struct dig)},
        {&b->names, size_or(l->names, LIM_NAMES), sizeof(struct name)},
        {&b->incidents, size_or(l->incidents, LIM_INCIDENTS), sizeof(struct incident)},
        {&b->scanners, size_or(l->scanners, LIM_SCANNERS), sizeof(struct scanner)},
    };
    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        if (tab_init(all[i].t, all[i].cap, all[i].size))
            return -ENOMEM;
        b->st.memory += tab_bytes(all[i].t);
    }
    b->scanners.clear = offsetof(struct scanner, probes);
    b->nets = calloc(LIM_NETS, sizeof *b->nets);
    b->apps = calloc(MAX_APPS, sizeof *b->apps);
    b->pending = calloc(LIM_PENDING, sizeof *b->pending);
    b->accepted = calloc(LIM_ACCEPTED, sizeof *b->accepted);
    /* A row leaves the store once for each time it was written, which is at a save: no more than the tables hold. */
    b->cap_gone = assets + size_or(l->idents, LIM_IDENTS) + size_or(l->links, LIM_LINKS) +
                  size_or(l->funcs, LIM_FUNCS) + size_or(l->ops, LIM_OPS);
    b->gone_ids = calloc(b->cap_gone, sizeof *b->gone_ids);
    b->gone_kinds = calloc(b->cap_gone, sizeof *b->gone_kinds);
    b->st.memory += sizeof *b + LIM_NETS * sizeof *b->nets + MAX_APPS * sizeof *b->apps +
                    LIM_PENDING * sizeof *b->pending + LIM_ACCEPTED * sizeof *b->accepted +
                    b->cap_gone * (sizeof *b->gone_ids + sizeof *b->gone_kinds);
    return b->nets && b->apps && b->pending && b->accepted && b->gone_ids && b->gone_kinds ? 0 : -ENOMEM;
}

struct baseline *baseline_new(const struct baseline_conf *c, struct err *e)
{
    struct baseline *b = calloc(1, sizeof *b);
    if (b) {
        b->conf = *c;
        if (b->conf.router_addresses > MAX_ROUTER_ADDRESSES)
            b->conf.router_addresses = MAX_ROUTER_ADDRESSES;
        if (b->conf.router_addresses < 2)
            b->conf.router_addresses = 2;
        if (!b->conf.fold_ns)
            b->conf.fold_ns = 1;
        if (tables_init(b) == 0)
            return b;
    }
    baseline_free(b);
    err_set(e, -ENOMEM, "no memory for the baseline's tables");
    return NULL;
}

void baseline_free(struct baseline *b)
{
    if (!b)
        return;
    struct table *const all[] = {&b->assets, &b->addrs, &b->macs, &b->subnets, &b->idents, &b->links, &b->funcs,
                                 &b->ops, &b->digs, &b->names, &b->incidents, &b->scanners};
    for (unsigned i = 0; i < ARRAY_LEN(all); i++)
        tab_done(all[i]);
    for (unsigned i = 0; i < ROW_KINDS; i++)
        idmap_done(&b->loaded[i]);
    free(b->nets);
    free(b->apps);
    free(b->pending);
    free(b->accepted);
    free(b->gone_ids);
    free(b->gone_kinds);
    free(b);
}

void baseline_set_mode(struct baseline *b, enum baseline_mode m)
{
    b->conf.mode = m;
}

/* The link of an event; made from the event where its own record is missing (evicted meanwhile). */
static uint32_t event_link(struct baseline *b, const struct rec_event *e)
{
    bool turned;
    uint32_t i = dig_find(b, e->link, DIG_LINK, &turned);
    if (i && !turned)
        return i;
    i = blink_find(b, e->net, &e->src, &e->dst, e->l4, e->dport);
    if (!i) {
        struct link l = {.client = e->src, .server = e->dst, .net = e->net, .port = e->dport, .l4 = e->l4,
                         .client_port = e->sport, .iface = e->iface, .file = e->file, .frame = e->frame,
                         .vlan = e->n_vlan ? e->vlan[0] : 0};
        struct subject s = {.ts_ns = e->ts_ns, .event = e};
        i = blink_create(b, &l, e->ts_ns);
        judge_link(b, i, &s);
    }
    dig_bind(b, e->link, DIG_LINK, i);
    return i;
}

void baseline_event(struct baseline *b, const struct rec_event *e, bool condemned)
{
    clock_to(b, e->ts_ns);
    if (addr_is_nobody(&e->src) && !addr_is_link_local(&e->src))
        return;
    uint32_t li = event_link(b, e);
    struct link *l = blink_at(b, li);
    struct subject s = {.event = e, .ts_ns = e->ts_ns, .link = li, .condemned = condemned,
                        .client = asset_find_at(b, e->net, &e->src, &l->ends[0]),
                        .server = asset_find_at(b, e->net, &e->dst, &l->ends[1])};
    if (l->l4 == PROTO_TCP || l->l4 == PROTO_UDP || l->l4 == PROTO_ETH)
        l->flags |= ROW_LINK_SURE; /* a dissector knows who controls */
    l->probe = 0;
    tab_touch(&b->links, li);
    life_seen(&l->life, e->ts_ns);
    due(b, &l->dirty);
    roles_event(b, s.client, s.server, e);
    if (e->has_sender && !e->from_client) /* a station behind the server: what it answered, it answered itself */
        roles_event(b, 0, asset_find(b, e->net, &e->sender), e);
    judge_event(b, &s);
    blink_rank(b, li);
    if (s.client)
        asset_seen(b, s.client, e->ts_ns);
    if (s.server && (!e->from_client || e->kind == EV_TRANSACTION))
        asset_seen(b, s.server, e->ts_ns);
}

bool baseline_met(struct baseline *b, const struct rec_event *e, const struct rec_fact *r)
{
    bool turned;
    uint32_t i = dig_find(b, e->link, DIG_LINK, &turned);
    if (!i || turned)
        i = blink_find(b, e->net, &e->src, &e->dst, e->l4, e->dport);
    const struct link key = {.client = e->src, .server = e->dst, .net = e->net, .port = e->dport, .l4 = e->l4};
    return judge_met(b, i, i ? blink_at(b, i) : &key, e, r);
}

void baseline_tick(struct baseline *b, const struct rec_tick *r)
{
    clock_to(b, r->ts_ns);
    scan_tick(b, r->ts_ns);
    links_tick(b, r->ts_ns);
    inc_flush(b, r->ts_ns);
    b->last_tick_ns = r->ts_ns;
    if (r->jump_to_ns < r->jump_from_ns)
        clock_back(b, r->jump_to_ns);
}

bool baseline_learning(struct baseline *b, uint64_t link_digest)
{
    if (b->conf.mode != BASE_LIVE)
        return b->conf.mode == BASE_LEARN;
    uint32_t i = link_digest ? dig_find(b, link_digest, DIG_LINK, NULL) : 0;
    if (i)
        return life_learns(b, &blink_at(b, i)->life);
    return !link_digest && life_learns(b, &net_rec(b, 0)->life);
}

void baseline_stats(const struct baseline *b, struct baseline_stats *ret)
{
    *ret = b->st;
    ret->assets = b->assets.used;
    ret->links = b->links.used;
    ret->funcs = b->funcs.used;
    ret->ops = b->ops.used;
    ret->idents = b->idents.used;
    ret->names = b->names.used;
    ret->digests = b->digs.used;
    ret->evicted_assets = b->assets.evicted;
    ret->evicted_links = b->links.evicted;
    ret->evicted_funcs = b->funcs.evicted;
    ret->evicted_ops = b->ops.evicted;
    ret->evicted_idents = b->idents.evicted;
    ret->evicted_digests = b->digs.evicted;
    ret->evicted_names = b->names.evicted;
    ret->evicted_incidents = b->incidents.evicted;
    ret->evicted_scanners = b->scanners.evicted;
}
