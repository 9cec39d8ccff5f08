/* router.c: which addresses are behind somebody else's MAC: routers, and public networks that are here after all. */
#include "baseline/model.h"

/* ---- public addresses that are here ---- */

static struct subnet_rec *subnet_at(const struct baseline *b, uint32_t i)
{
    return tab_at(&b->subnets, i);
}

/* The first address had been taken for a remote one. */
static void subnet_turns(struct baseline *b, struct subnet_rec *s)
{
    s->local = 1;
    uint32_t ri = addr_rec_find(b, s->net, &s->first);
    uint32_t mi = ri ? addr_rec_at(b, ri)->mac : 0;
    if (!mi || mac_rec_at(b, mi)->router)
        return;
    struct asset *a = asset_at(b, addr_rec_at(b, ri)->asset);
    asset_add_mac(b, addr_rec_at(b, ri)->asset, mac_rec_at(b, mi)->mac, true);
    a->evidence &= ~(uint64_t)EVI_EXTERNAL;
    due(b, &a->dirty);
}

bool subnet_is_local(struct baseline *b, uint16_t net, const struct addr *a, const uint8_t mac[6])
{
    struct addr base = *a;
    if (addr_is_v4(a))
        base.b[15] = 0;
    else
        memset(base.b + 8, 0, 8);
    uint64_t h = addr_rec_hash(b, net, &base);
    uint32_t i = tab_find(&b->subnets, h, 0);
    while (i && (subnet_at(b, i)->net != net || !addr_eq(&subnet_at(b, i)->base, &base)))
        i = tab_find(&b->subnets, h, i);
    if (!i) {
        if (tab_full(&b->subnets)) {
            tab_del(&b->subnets, tab_victim(&b->subnets));
            b->subnets.evicted++;
        }
        i = tab_add(&b->subnets, h, 0);
        struct subnet_rec *s = subnet_at(b, i);
        s->base = base;
        s->first = *a;
        s->net = net;
        memcpy(s->mac, mac, 6);
        return false;
    }
    tab_touch(&b->subnets, i);
    struct subnet_rec *s = subnet_at(b, i);
    if (!s->local && !addr_eq(&s->first, a) && memcmp(s->mac, mac, 6) != 0)
        subnet_turns(b, s);
    return s->local;
}

/* ---- routers ---- */

/* An L2 asset had been taken for the owner of an address that only came through it: undo that. */
static void router_split(struct baseline *b, uint32_t asset, uint32_t ri)
{
    struct addr ip = addr_rec_at(b, ri)->addr;
    struct row_life life = asset_at(b, asset)->life;
    addr_rec_delete(b, ri);
    struct asset *a = asset_at(b, asset);
    unsigned n = 0;
    for (unsigned k = 0; k < a->n_ips; k++)
        if (!addr_eq(&a->ips[k], &ip))
            a->ips[n++] = a->ips[k];
    a->n_ips = (uint8_t)n;
    if (n)
        a->key = a->ips[0];
    else if (a->n_macs)
        a->key = addr_mac(a->macs[0]);
    asset_tell(b, asset);
    uint32_t i = asset_create(b, a->net, &ip, 0, life.first_ns);
    asset_at(b, i)->life = life;
    asset_at(b, i)->flags |= ROW_ASSET_REMOTE;
}

/* What the addresses behind a router's MAC tell of the router itself. */
struct behind {
    uint64_t l2_id, first_ns;
    uint32_t own;      /* the asset that the router is */
    uint8_t learned;
};

static void router_address(struct baseline *b, struct mac_rec *m, const struct addr *ip, struct behind *w)
{
    uint32_t ri = addr_rec_find(b, m->net, ip);
    if (!ri)
        return;
    uint32_t ai = addr_rec_at(b, ri)->asset;
    struct asset *a = asset_at(b, ai);
    if (a->life.first_ns < w->first_ns && a->life.first_ns != ROW_NEVER_NS)
        w->first_ns = a->life.first_ns;
    if (a->life.learned == FACT_LEARNED)
        w->learned = FACT_LEARNED;
    if (addr_rec_at(b, ri)->arp) { /* the router's own address, by its own word */
        if (!w->own)
            w->own = ai;
        return;
    }
    addr_rec_unbind(b, ri);
    if (a->id == w->l2_id) {
        w->own = ai;
        router_split(b, ai, ri);
    } else {
        asset_drop_mac(b, ai, m->mac);
        a->flags |= ROW_ASSET_REMOTE;
        due(b, &a->dirty);
    }
}

void router_made(struct baseline *b, uint32_t mi)
{
    struct mac_rec *m = mac_rec_at(b, mi);
    uint16_t net = m->net;
    struct addr key = addr_mac(m->mac), ips[MAX_ROUTER_ADDRESSES + 1];
    struct behind w = {.l2_id = asset_id_of(b, net, &key), .first_ns = UINT64_MAX, .own = m->asset};
    unsigned n = 0;
    m->router = 1;
    tab_move(&b->macs, mi, 2);
    for (uint32_t ri = m->addrs; ri && n < ARRAY_LEN(ips); ri = addr_rec_at(b, ri)->mac_next)
        ips[n++] = addr_rec_at(b, ri)->addr;
    while (n) /* the list has the latest first */
        router_address(b, m, &ips[--n], &w);
    if (!w.own) {
        w.first_ns = w.first_ns == UINT64_MAX ? b->now_ns : w.first_ns;
        w.own = asset_create(b, net, &key, w.l2_id, w.first_ns);
        asset_at(b, w.own)->life.learned = w.learned;
        asset_at(b, w.own)->life.learn_ns = w.learned == FACT_LEARNED ? clock_of(b) + !clock_of(b) : 0;
    }
    mi = mac_rec_find(b, net, key.b + 10);
    if (mi)
        mac_rec_at(b, mi)->asset = w.own;
    asset_at(b, w.own)->evidence |= EVI_ROUTER;
    asset_at(b, w.own)->flags |= ROW_ASSET_ROUTER | ROW_ASSET_ANSWERED;
    asset_add_mac(b, w.own, key.b + 10, true);
    asset_rank(b, w.own);
}
