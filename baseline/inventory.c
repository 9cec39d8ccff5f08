/* inventory.c: which addresses are one device. An asset's key is (network, IP), else (network, MAC); it exists when it
 * has sent something. A MAC through which more addresses come than one device has is a router's. */
#include "baseline/model.h"

struct asset *asset_at(const struct baseline *b, uint32_t i)
{
    return tab_at(&b->assets, i);
}

struct addr_rec *addr_rec_at(const struct baseline *b, uint32_t i)
{
    return tab_at(&b->addrs, i);
}

struct mac_rec *mac_rec_at(const struct baseline *b, uint32_t i)
{
    return tab_at(&b->macs, i);
}

uint64_t addr_rec_hash(const struct baseline *b, uint16_t net, const struct addr *a)
{
    return hash_same(b->conf.hash_key ^ net * UINT64_C(0x9e3779b97f4a7c15), a, sizeof *a);
}

static uint64_t mac_hash(const struct baseline *b, uint16_t net, const uint8_t mac[6])
{
    return hash_bytes(b->conf.hash_key ^ net * UINT64_C(0x9e3779b97f4a7c15), mac, 6);
}

uint32_t addr_rec_find(const struct baseline *b, uint16_t net, const struct addr *a)
{
    uint64_t h = addr_rec_hash(b, net, a);
    for (uint32_t i = tab_find(&b->addrs, h, 0); i; i = tab_find(&b->addrs, h, i))
        if (addr_rec_at(b, i)->net == net && addr_eq(&addr_rec_at(b, i)->addr, a))
            return i;
    return 0;
}

uint32_t mac_rec_find(const struct baseline *b, uint16_t net, const uint8_t mac[6])
{
    uint64_t h = mac_hash(b, net, mac);
    for (uint32_t i = tab_find(&b->macs, h, 0); i; i = tab_find(&b->macs, h, i))
        if (mac_rec_at(b, i)->net == net && memcmp(mac_rec_at(b, i)->mac, mac, 6) == 0)
            return i;
    return 0;
}

static uint32_t place_find(const struct baseline *b, uint16_t net, const struct addr *a)
{
    return addr_is_mac(a) ? mac_rec_find(b, net, a->b + 10) : addr_rec_find(b, net, a);
}

static bool is_place(const struct baseline *b, uint16_t net, const struct addr *a, uint32_t i)
{
    if (addr_is_mac(a)) {
        const struct mac_rec *m = i <= b->macs.high ? mac_rec_at(b, i) : NULL;
        return m && m->node.used && m->net == net && memcmp(m->mac, a->b + 10, 6) == 0;
    }
    const struct addr_rec *r = i <= b->addrs.high ? addr_rec_at(b, i) : NULL;
    return r && r->node.used && r->net == net && addr_eq(&r->addr, a);
}

static uint32_t asset_there(const struct baseline *b, const struct addr *a, uint32_t i)
{
    if (!addr_is_mac(a))
        return addr_rec_at(b, i)->asset;
    const struct mac_rec *m = mac_rec_at(b, i);
    return m->asset ? m->asset : m->n_addrs == 1 ? addr_rec_at(b, m->addrs)->asset : 0;
}

uint32_t asset_find_at(const struct baseline *b, uint16_t net, const struct addr *a, uint32_t *place)
{
    if (!is_place(b, net, a, *place))
        *place = place_find(b, net, a);
    return *place ? asset_there(b, a, *place) : 0;
}

uint32_t asset_find(const struct baseline *b, uint16_t net, const struct addr *a)
{
    uint32_t i = place_find(b, net, a);
    return i ? asset_there(b, a, i) : 0;
}

void asset_fetch_place(const struct baseline *b, const struct addr *a, uint32_t i)
{
    const struct table *t = addr_is_mac(a) ? &b->macs : &b->addrs;
    row_fetch(t, i <= t->high ? i : 0);
}

void asset_fetch(const struct baseline *b, const struct addr *a, uint32_t i)
{
    if (i <= (addr_is_mac(a) ? b->macs.high : b->addrs.high))
        row_fetch(&b->assets, asset_there(b, a, i));
}

uint32_t asset_by_id(const struct baseline *b, uint64_t id)
{
    for (uint32_t i = 1; i <= b->assets.high; i++)
        if (asset_at(b, i)->node.used && asset_at(b, i)->id == id)
            return i;
    return 0;
}

bool addr_is_private(const struct addr *a)
{
    const uint8_t *p = a->b;
    if (addr_is_mac(a) || addr_is_station(a) || addr_is_loopback(a) || addr_is_link_local(a))
        return true;
    if (addr_is_v4(a))
        return p[12] == 10 || (p[12] == 172 && (p[13] & 0xf0) == 16) || (p[12] == 192 && p[13] == 168) ||
               (p[12] == 100 && (p[13] & 0xc0) == 64); /* RFC 1918, RFC 6598 */
    return (p[0] & 0xfe) == 0xfc;                      /* RFC 4193 */
}

bool asset_is_external(const struct baseline *b, const struct asset *a)
{
    return a->evidence & EVI_EXTERNAL && !a->told && !asset_zone(b, a);
}

/* ---- what the configuration tells of it ---- */

static void add_who(struct site_who *w, struct addr to[SITE_WHO], const struct addr *a)
{
    for (uint32_t k = 0; k < w->n; k++)
        if (addr_eq(&to[k], a))
            return;
    to[w->n++] = *a;
}

_Static_assert(SITE_WHO == 1 + LIM_ASSET_IPS + LIM_ASSET_MACS, "all addresses of a device");

/* A MAC address that it only claims (an address conflict) is not its own. */
static struct site_who who(const struct asset *x, uint16_t net, const struct addr *a, struct addr to[SITE_WHO])
{
    struct site_who w = {.a = to, .net = net};
    add_who(&w, to, a);
    for (unsigned k = 0; x && k < x->n_ips; k++)
        add_who(&w, to, &x->ips[k]);
    for (unsigned k = 0; x && k < x->n_macs; k++) {
        const struct addr mac = addr_mac(x->macs[k]);
        if (x->macs_learned >> k & 1)
            add_who(&w, to, &mac);
    }
    return w;
}

struct site_who baseline_who(const struct baseline *b, uint16_t net, const struct addr *a, struct addr to[SITE_WHO])
{
    uint32_t i = asset_find(b, net, a);
    return who(i ? asset_at(b, i) : NULL, net, a, to);
}

const struct site_zone *asset_zone(const struct baseline *b, const struct asset *a)
{
    struct addr to[SITE_WHO];
    const struct site_who w = who(a, a->net, &a->key, to);
    return site_zone_of(b->conf.site, &w);
}

/* Its addresses are other ones than before. What the configuration tells of it follows from them alone, so that it does
 * not matter which was seen first. */
void asset_tell(struct baseline *b, uint32_t i)
{
    struct asset *a = asset_at(b, i);
    struct addr to[SITE_WHO];
    const struct site *s = b->conf.site;
    if (!s->n_assets && !s->n_stations)
        return;
    const struct site_who w = who(a, a->net, &a->key, to);
    a->told = site_asset_of(s, &w);
    a->evidence &= ~(uint64_t)EVI_CONFIG_ENG;
    if (site_is_station(s, &w))
        a->evidence |= EVI_CONFIG_ENG;
}

uint64_t asset_id_of(struct baseline *b, uint16_t net, const struct addr *a)
{
    const char *name = net_rec(b, net)->name;
    uint64_t id = hash_bytes(hash_bytes(HASH_ID_KEY, name, strlen(name)), a, sizeof *a);
    return id ? id : 1;
}

/* Two-way and learned ones are kept longest: forged sources never answer. */
void asset_rank(struct baseline *b, uint32_t i)
{
    const struct asset *a = asset_at(b, i);
    bool real = a->flags & ROW_ASSET_ANSWERED;
    tab_move(&b->assets, i, (uint8_t)(!real ? 0 : a->life.learned == FACT_LEARNED ? 2 : 1));
}

void asset_seen(struct baseline *b, uint32_t i, uint64_t ts_ns)
{
    struct asset *a = asset_at(b, i);
    tab_touch(&b->assets, i);
    if (ts_ns > a->life.last_ns) {
        life_seen(&a->life, ts_ns);
        due(b, &a->dirty);
    }
}

/* ---- MAC bindings ---- */

void addr_rec_unbind(struct baseline *b, uint32_t ri)
{
    struct addr_rec *r = addr_rec_at(b, ri);
    if (!r->mac)
        return;
    struct mac_rec *m = mac_rec_at(b, r->mac);
    for (uint32_t *at = &m->addrs; *at; at = &addr_rec_at(b, *at)->mac_next)
        if (*at == ri) {
            *at = r->mac_next;
            m->n_addrs--;
            break;
        }
    r->mac = r->mac_next = 0;
    r->arp = 0;
}

static void mac_delete(struct baseline *b, uint32_t mi)
{
    while (mac_rec_at(b, mi)->addrs)
        addr_rec_unbind(b, mac_rec_at(b, mi)->addrs);
    tab_del(&b->macs, mi);
}

static uint32_t mac_get(struct baseline *b, uint16_t net, const uint8_t mac[6])
{
    uint32_t i = mac_rec_find(b, net, mac);
    if (i) {
        tab_touch(&b->macs, i);
        return i;
    }
    if (tab_full(&b->macs)) {
        mac_delete(b, tab_victim(&b->macs));
        b->macs.evicted++;
    }
    i = tab_add(&b->macs, mac_hash(b, net, mac), 0);
    mac_rec_at(b, i)->net = net;
    memcpy(mac_rec_at(b, i)->mac, mac, 6);
    return i;
}

static int mac_place(const struct asset *a, const uint8_t mac[6])
{
    for (int k = 0; k < a->n_macs; k++)
        if (memcmp(a->macs[k], mac, 6) == 0)
            return k;
    return -1;
}

bool asset_add_mac(struct baseline *b, uint32_t i, const uint8_t mac[6], bool learned)
{
    struct asset *a = asset_at(b, i);
    int k = mac_place(a, mac);
    bool added = k < 0;
    if (added) {
        if (a->n_macs == LIM_ASSET_MACS) {
            memmove(a->macs[0], a->macs[1], sizeof a->macs[0] * (LIM_ASSET_MACS - 1));
            a->macs_learned >>= 1;
            a->n_macs--;
        }
        k = a->n_macs++;
        memcpy(a->macs[k], mac, 6);
        a->macs_learned &= (uint8_t) ~(1u << k);
        due(b, &a->dirty);
    }
    if (learned && !(a->macs_learned >> k & 1)) {
        a->macs_learned |= (uint8_t)(1u << k);
        due(b, &a->dirty);
        asset_tell(b, i);
    }
    return added;
}

void asset_drop_mac(struct baseline *b, uint32_t i, const uint8_t mac[6])
{
    struct asset *a = asset_at(b, i);
    int k = mac_place(a, mac);
    if (k < 0)
        return;
    unsigned low = a->macs_learned & ((1u << k) - 1), high = a->macs_learned >> (k + 1);
    memmove(a->macs[k], a->macs[k + 1], sizeof a->macs[0] * (unsigned)(a->n_macs - k - 1));
    a->n_macs--;
    a->macs_learned = (uint8_t)(low | high << k);
    due(b, &a->dirty);
    asset_tell(b, i);
}

/* ---- making and removing ---- */

uint32_t addr_rec_add(struct baseline *b, uint16_t net, const struct addr *a, uint32_t asset)
{
    uint32_t i = addr_rec_find(b, net, a);
    if (!i) {
        if (tab_full(&b->addrs)) /* twice as many as assets: some asset holds many; the oldest goes */
            return 0;
        i = tab_add(&b->addrs, addr_rec_hash(b, net, a), 0);
        addr_rec_at(b, i)->net = net;
        addr_rec_at(b, i)->addr = *a;
    }
    addr_rec_at(b, i)->asset = asset;
    struct asset *as = asset_at(b, asset);
    for (unsigned k = 0; k < as->n_ips; k++)
        if (addr_eq(&as->ips[k], a))
            return i;
    if (as->n_ips < LIM_ASSET_IPS)
        as->ips[as->n_ips++] = *a;
    due(b, &as->dirty);
    asset_tell(b, asset);
    return i;
}

void addr_rec_delete(struct baseline *b, uint32_t i)
{
    addr_rec_unbind(b, i);
    tab_del(&b->addrs, i);
}

void asset_delete(struct baseline *b, uint32_t i)
{
    struct asset *a = asset_at(b, i);
    for (unsigned k = 0; k < a->n_ips; k++) {
        uint32_t r = addr_rec_find(b, a->net, &a->ips[k]);
        if (r && addr_rec_at(b, r)->asset == i)
            addr_rec_delete(b, r);
    }
    for (unsigned k = 0; k < a->n_macs; k++) {
        uint32_t m = mac_rec_find(b, a->net, a->macs[k]);
        if (m && mac_rec_at(b, m)->asset == i)
            mac_rec_at(b, m)->asset = 0;
    }
    idents_delete(b, i);
    if (a->dirty & STORED)
        row_gone(b, ROW_ASSET, a->id);
    b->n_due -= a->dirty & DIRTY;
    tab_del(&b->assets, i);
}

uint32_t asset_create(struct baseline *b, uint16_t net, const struct addr *key, uint64_t id, uint64_t ts_ns)
{
    while (tab_full(&b->assets) || tab_full(&b->addrs)) {
        asset_delete(b, tab_victim(&b->assets));
        b->assets.evicted++;
    }
    uint32_t i = tab_add(&b->assets, addr_rec_hash(b, net, key), 0);
    struct asset *a = asset_at(b, i);
    a->id = id ? id : asset_id_of(b, net, key);
    a->net = net;
    a->key = *key;
    a->life.first_ns = a->life.last_ns = ts_ns;
    if (!addr_is_private(key))
        a->evidence |= EVI_EXTERNAL;
    if (addr_is_mac(key)) {
        a->flags |= ROW_ASSET_L2;
        asset_add_mac(b, i, key->b + 10, false);
        mac_rec_at(b, mac_get(b, net, key->b + 10))->asset = i;
    } else {
        addr_rec_add(b, net, key, i);
    }
    asset_tell(b, i);
    due(b, &a->dirty);
    return i;
}

/* The L2-only asset `i` turns out to have that IP address: it is known by it from now on; its id stays. */
static void asset_gets_ip(struct baseline *b, uint32_t i, const struct addr *ip)
{
    struct asset *a = asset_at(b, i);
    a->macs_learned |= (uint8_t)(addr_is_mac(&a->key) && a->n_macs); /* the one that it was known by */
    a->key = *ip;
    addr_rec_add(b, a->net, ip, i);
    due(b, &a->dirty);
}

/* Both are one device: the elder keeps its id (by first sight, then by id, so that order does not matter). */
uint32_t asset_merge(struct baseline *b, uint32_t x, uint32_t y)
{
    struct asset *k = asset_at(b, x), *g = asset_at(b, y);
    if (x == y || k->net != g->net)
        return x;
    if (g->life.first_ns < k->life.first_ns || (g->life.first_ns == k->life.first_ns && g->id < k->id))
        return asset_merge(b, y, x);
    if (addr_is_mac(&k->key) && !addr_is_mac(&g->key))
        k->key = g->key;
    for (unsigned n = 0; n < g->n_ips; n++)
        addr_rec_add(b, k->net, &g->ips[n], x);
    for (unsigned n = 0; n < g->n_macs; n++) {
        asset_add_mac(b, x, g->macs[n], g->macs_learned >> n & 1);
        uint32_t m = mac_rec_find(b, g->net, g->macs[n]);
        if (m && mac_rec_at(b, m)->asset == y)
            mac_rec_at(b, m)->asset = x;
    }
    k->evidence |= g->evidence;
    k->flags |= g->flags;
    k->n_targets += g->n_targets;
    k->authorized |= g->authorized;
    life_join(&k->life, &g->life);
    if (g->life.learned == FACT_LEARNED && k->life.learned != FACT_LEARNED)
        k->life.learned = FACT_LEARNED, k->life.learn_ns = g->life.learn_ns;
    asset_tell(b, x);
    idents_move(b, y, x);
    due(b, &k->dirty);
    asset_delete(b, y);
    asset_rank(b, x);
    return x;
}

bool asset_told_by_arp(const struct baseline *b, const struct asset *a)
{
    uint32_t ri = addr_is_mac(&a->key) ? 0 : addr_rec_find(b, a->net, &a->key);
    return ri && addr_rec_at(b, ri)->arp;
}

static void bind(struct baseline *b, uint32_t ri, uint32_t mi, bool arp)
{
    struct addr_rec *a = addr_rec_at(b, ri);
    struct mac_rec *m = mac_rec_at(b, mi);
    addr_rec_unbind(b, ri);
    a->mac = mi;
    a->arp = arp;
    a->mac_next = m->addrs;
    m->addrs = ri;
    m->n_addrs++;
}

void asset_loaded(struct baseline *b, uint32_t i, bool arp)
{
    struct asset *a = asset_at(b, i);
    uint32_t ri = addr_is_mac(&a->key) ? 0 : addr_rec_find(b, a->net, &a->key);
    for (unsigned k = 0; k < a->n_macs; k++) {
        uint32_t mi = mac_get(b, a->net, a->macs[k]);
        if (a->flags & (ROW_ASSET_ROUTER | ROW_ASSET_L2))
            mac_rec_at(b, mi)->asset = i;
        if (a->flags & ROW_ASSET_ROUTER)
            mac_rec_at(b, mi)->router = 1;
        else if (ri)
            bind(b, ri, mi, arp);
    }
}

/* ---- records ---- */

static bool mac_usable(const struct rec_asset *r)
{
    static const uint8_t zero[6];
    return r->has_mac && !(r->mac[0] & 1) && memcmp(r->mac, zero, 6) != 0 && !mac_is_virtual_router(r->mac);
}

/* The address `ri` was seen with the MAC `mi`. */
static void mac_bind(struct baseline *b, uint32_t ri, uint32_t mi, const struct rec_asset *r, bool here)
{
    struct addr_rec *a = addr_rec_at(b, ri);
    struct mac_rec *m = mac_rec_at(b, mi);
    bool arp = r->via == ASSET_VIA_ARP, was_arp = a->arp;
    uint32_t ai = a->asset, old = a->mac;
    if (m->router && !arp) {
        if (!a->mac)
            asset_at(b, ai)->flags |= ROW_ASSET_REMOTE;
        return;
    }
    if (arp)
        m->asset = m->asset ? m->asset : ai;
    if (old == mi) {
        a->arp |= arp;
        return;
    }
    if (was_arp && !arp && !asset_at(b, ai)->n_macs)
        return;
    bool owns = arp || here;
    uint8_t old_mac[6] = {0};
    bool moved = owns && old && !mac_rec_at(b, old)->router;
    if (moved)
        memcpy(old_mac, mac_rec_at(b, old)->mac, 6);
    bind(b, ri, mi, arp);
    if (moved)
        judge_mac(b, ai, old_mac, r, arp && was_arp);
    else if (owns)
        asset_add_mac(b, ai, r->mac, true);
    if (owns)
        asset_at(b, ai)->evidence &= ~(uint64_t)EVI_EXTERNAL;
    if (mac_rec_at(b, mi)->n_addrs > b->conf.router_addresses && !mac_rec_at(b, mi)->router)
        router_made(b, mi);
}

static void add_vlan(struct baseline *b, struct asset *a, uint16_t vlan)
{
    if (!vlan || a->n_vlans == LIM_ASSET_VLANS)
        return;
    for (unsigned k = 0; k < a->n_vlans; k++)
        if (a->vlans[k] == vlan)
            return;
    a->vlans[a->n_vlans++] = vlan;
    due(b, &a->dirty);
}

static void asset_of_mac(struct baseline *b, const struct rec_asset *r)
{
    uint32_t i = asset_find(b, r->net, &r->addr);
    bool made = !i;
    if (made)
        i = asset_create(b, r->net, &r->addr, 0, r->ts_ns);
    uint32_t m = mac_get(b, r->net, r->addr.b + 10);
    if (!mac_rec_at(b, m)->asset)
        mac_rec_at(b, m)->asset = i;
    asset_seen(b, i, r->ts_ns);
    add_vlan(b, asset_at(b, i), r->vlan);
    judge_asset(b, i, r, r->ts_ns);
}

static void asset_of_ip(struct baseline *b, const struct rec_asset *r)
{
    uint32_t mi = mac_usable(r) ? mac_get(b, r->net, r->mac) : 0;
    uint32_t ri = addr_rec_find(b, r->net, &r->addr), i;
    bool here = addr_is_private(&r->addr) || (mi && subnet_is_local(b, r->net, &r->addr, r->mac));
    bool owns = mi && (r->via == ASSET_VIA_ARP || (here && !mac_rec_at(b, mi)->router));
    uint32_t l2 = mi ? mac_rec_at(b, mi)->asset : 0;
    if (!ri) {
        if (owns && l2 && asset_at(b, l2)->n_ips == 0) {
            asset_gets_ip(b, l2, &r->addr);
            i = l2;
        } else {
            i = asset_create(b, r->net, &r->addr, 0, r->ts_ns);
            /* What the configuration tells of its MAC holds from the start; one more address behind a MAC is new. */
            if (owns && b->conf.site->names_macs && (r->via == ASSET_VIA_ARP || !mac_rec_at(b, mi)->n_addrs))
                asset_add_mac(b, i, r->mac, true);
        }
        ri = addr_rec_find(b, r->net, &r->addr);
    } else {
        i = addr_rec_at(b, ri)->asset;
        if (owns && l2 && l2 != i && asset_at(b, l2)->n_ips == 0)
            i = asset_merge(b, i, l2);
    }
    asset_seen(b, i, r->ts_ns);
    add_vlan(b, asset_at(b, i), r->vlan);
    judge_asset(b, i, r, r->ts_ns);
    mi = mi ? mac_rec_find(b, r->net, r->mac) : 0; /* both may have moved while others were evicted */
    ri = addr_rec_find(b, r->net, &r->addr);
    if (mi && ri)
        mac_bind(b, ri, mi, r, here);
}

/* A device that only others carried messages of. A station is behind the one that did so first. */
static void asset_of_protocol(struct baseline *b, const struct rec_asset *r)
{
    uint32_t i = asset_find(b, r->net, &r->addr);
    if (!i)
        i = asset_create(b, r->net, &r->addr, 0, r->ts_ns);
    uint32_t router = addr_is_station(&r->addr) ? asset_find(b, r->net, &r->through) : 0;
    struct asset *a = asset_at(b, i);
    if (router && !a->parent) {
        a->parent = asset_at(b, router)->id;
        due(b, &a->dirty);
    }
    asset_seen(b, i, r->ts_ns);
    add_vlan(b, a, r->vlan);
    judge_asset(b, i, r, r->ts_ns);
}

void baseline_asset(struct baseline *b, const struct rec_asset *r)
{
    clock_to(b, r->ts_ns);
    if (addr_is_nobody(&r->addr) || addr_is_group(&r->addr))
        return;
    if (r->via == ASSET_VIA_ARP && r->has_mac && mac_is_virtual_router(r->mac))
        return; /* the address of whichever router is the master */
    if (r->via == ASSET_VIA_PROTOCOL)
        asset_of_protocol(b, r);
    else if (!addr_is_mac(&r->addr))
        asset_of_ip(b, r);
    else if (!mac_is_virtual_router(r->addr.b + 10))
        asset_of_mac(b, r);
}

bool baseline_asset_info(struct baseline *b, uint16_t net, const struct addr *addr, struct asset_info *ret)
{
    uint32_t i = asset_find(b, net, addr);
    if (!i)
        return false;
    const struct asset *a = asset_at(b, i);
    const struct site_zone *z = asset_zone(b, a);
    *ret = (struct asset_info){.id = a->id, .purdue = z ? z->purdue : -1, .zone = z ? z->name : NULL,
                               .name = asset_name(b, a), .vendor = asset_vendor(b, a), .roles = roles_of(b, a),
                               .type = roles_type(b, a, NULL), .first_ns = a->life.first_ns,
                               .criticality = a->told ? a->told->criticality : NULL,
                               .known = a->life.learned == FACT_LEARNED,
                               .engineer = (a->evidence & EVI_CONFIG_ENG) != 0};
    return true;
}
