/* site.c: lookups in what the operator has told. */
#include "engine/base/site.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/hash.h"
#include "engine/base/schema.h"

/* ---- subnets ---------------------------------------------------------------------------------------------------- */

bool subnet_parse(const char *s, struct subnet *ret)
{
    char text[ADDR_TEXT];
    const char *slash = strchr(s, '/');
    size_t n = slash ? (size_t)(slash - s) : strlen(s);
    struct subnet out;
    if (n >= sizeof text)
        return false;
    memcpy(text, s, n);
    text[n] = '\0';
    if (!addr_parse(text, &out.base))
        return false;
    unsigned bits = 128, most = addr_is_v4(&out.base) ? 32 : 128;
    if (slash) {
        char *end;
        if (slash[1] < '0' || slash[1] > '9' || addr_is_mac(&out.base))
            return false;
        unsigned long v = strtoul(slash + 1, &end, 10);
        if (*end || end - slash > 4 || v > most)
            return false;
        bits = (unsigned)v + 128 - most;
    }
    out.bits = (uint8_t)bits;
    for (unsigned i = bits; i < 128; i++)
        if (out.base.b[i / 8] & 0x80 >> i % 8)
            return false;
    *ret = out;
    return true;
}

bool subnet_has(const struct subnet *n, const struct addr *a)
{
    unsigned bytes = n->bits / 8, rest = n->bits % 8;
    if (memcmp(n->base.b, a->b, bytes) != 0)
        return false;
    return !rest || ((n->base.b[bytes] ^ a->b[bytes]) & (0xff00 >> rest & 0xff)) == 0;
}

unsigned subnet_text(const struct subnet *n, char out[SUBNET_TEXT])
{
    unsigned len = addr_text(&n->base, out);
    if (n->bits < 128)
        len += (unsigned)snprintf(out + len, SUBNET_TEXT - len, "/%d", addr_is_v4(&n->base) ? n->bits - 96 : n->bits);
    return len;
}

/* ---- the index -------------------------------------------------------------------------------------------------- */

struct site_slot_ {
    struct addr addr;
    uint32_t asset, role, zone; /* + 1; 0 none */
    uint16_t net;
    bool used;
};

static uint32_t slot_of(const struct site *s, uint16_t net, const struct addr *a)
{
    return (uint32_t)hash_bytes(HASH_ID_KEY ^ net, a, sizeof *a) & (s->n_slots_ - 1);
}

static const struct site_slot_ *slot_find(const struct site *s, uint16_t net, const struct addr *a)
{
    if (!s->n_slots_)
        return NULL;
    for (uint32_t i = slot_of(s, net, a);; i = (i + 1) & (s->n_slots_ - 1)) {
        const struct site_slot_ *k = &s->slots_[i];
        if (!k->used)
            return NULL;
        if (k->net == net && addr_eq(&k->addr, a))
            return k;
    }
}

/* There is room: index_make(). */
static struct site_slot_ *slot_get(struct site *s, uint16_t net, const struct addr *a)
{
    uint32_t at = slot_of(s, net, a);
    while (s->slots_[at].used && (s->slots_[at].net != net || !addr_eq(&s->slots_[at].addr, a)))
        at = (at + 1) & (s->n_slots_ - 1);
    if (!s->slots_[at].used)
        s->slots_[at] = (struct site_slot_){.addr = *a, .net = net, .used = true};
    return &s->slots_[at];
}

static int index_make(struct site *s, struct err *e)
{
    uint32_t n = 0, cap = 16;
    for (uint32_t i = 0; i < s->n_assets; i++)
        n += s->assets[i].n_addrs;
    for (uint32_t i = 0; i < s->n_roles; i++)
        n += s->roles[i].n_addrs;
    for (uint32_t i = 0; i < s->n_zones; i++)
        n += s->zones[i].n_addrs;
    if (!n)
        return 0;
    while (cap < 2 * n)
        cap *= 2;
    s->slots_ = calloc(cap, sizeof *s->slots_);
    s->n_slots_ = s->slots_ ? cap : 0;
    return s->slots_ ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static int index_assets(struct site *s, struct err *e)
{
    for (uint32_t i = 0; i < s->n_assets; i++) {
        const struct site_asset *a = &s->assets[i];
        for (uint32_t k = 0; k < a->n_addrs; k++) {
            struct site_slot_ *at = slot_get(s, a->net, &a->addrs[k]);
            char text[ADDR_TEXT];
            if (at->asset) {
                addr_text(&a->addrs[k], text);
                return err_set(e, -EINVAL, "asset '%s': address %s is already that of asset '%s'", a->name, text,
                               s->assets[at->asset - 1].name);
            }
            at->asset = i + 1;
        }
    }
    return 0;
}

static void index_roles(struct site *s)
{
    for (uint32_t i = 0; i < s->n_roles; i++)
        for (uint32_t k = 0; k < s->roles[i].n_addrs; k++)
            slot_get(s, SITE_ANY_NET, &s->roles[i].addrs[k])->role = i + 1;
}

static void index_zones(struct site *s)
{
    for (uint32_t z = s->n_zones; z-- > 0;) { /* the first zone that names an asset or an address has it */
        for (uint32_t k = 0; k < s->zones[z].n_assets; k++)
            s->zone_of_[s->zones[z].assets[k]] = (int32_t)z;
        for (uint32_t k = 0; k < s->zones[z].n_addrs; k++)
            slot_get(s, SITE_ANY_NET, &s->zones[z].addrs[k])->zone = z + 1;
    }
}

static bool any_mac(const struct site *s)
{
    for (uint32_t i = 0; i < s->n_slots_; i++)
        if (s->slots_[i].used && addr_is_mac(&s->slots_[i].addr))
            return true;
    for (uint32_t i = 0; i < s->n_stations; i++)
        if (s->stations[i].asset == SITE_NO_ASSET && addr_is_mac(&s->stations[i].subnet.base))
            return true;
    return false;
}

int site_prepare(struct site *s, struct err *e)
{
    unsigned n_sep = 0;
    s->slots_ = NULL;
    s->zone_of_ = NULL;
    s->n_slots_ = 0;
    s->has_separated_ = s->names_macs = false;
    for (uint32_t i = 0; i < s->n_networks; i++)
        if (s->networks[i].vlan_separates && ++n_sep > SITE_MAX_SEPARATED)
            return err_set(e, -EINVAL, "network '%s': at most %d networks can have vlan_separates", s->networks[i].name,
                           SITE_MAX_SEPARATED);
    s->has_separated_ = n_sep > 0;
    int r = index_make(s, e);
    if (r == 0)
        r = index_assets(s, e);
    if (r < 0)
        goto out;
    index_roles(s);
    s->zone_of_ = s->n_assets ? malloc(s->n_assets * sizeof *s->zone_of_) : NULL;
    if (s->n_assets && !s->zone_of_) {
        r = err_set(e, -ENOMEM, "out of memory");
        goto out;
    }
    for (uint32_t i = 0; i < s->n_assets; i++)
        s->zone_of_[i] = -1;
    index_zones(s);
    s->names_macs = any_mac(s);
out:
    if (r < 0)
        site_done(s);
    return r;
}

void site_done(struct site *s)
{
    free(s->slots_);
    free(s->zone_of_);
    s->slots_ = NULL;
    s->zone_of_ = NULL;
    s->n_slots_ = 0;
}

/* ---- networks --------------------------------------------------------------------------------------------------- */

static bool any_subnet(const struct subnet *sub, uint32_t n, const struct addr *a)
{
    for (uint32_t i = 0; i < n; i++)
        if (subnet_has(&sub[i], a))
            return true;
    return false;
}

static bool network_holds(const struct site_network *w, const char *iface, const uint16_t *vlan, unsigned n_vlan,
                          const struct addr *src, const struct addr *dst)
{
    if (w->interface && (!iface || strcmp(w->interface, iface) != 0))
        return false;
    if (w->vlan_hi) {
        bool in = false;
        for (unsigned i = 0; i < n_vlan; i++)
            in |= vlan[i] >= w->vlan_lo && vlan[i] <= w->vlan_hi;
        if (!in)
            return false;
    }
    return !w->n_subnets || any_subnet(w->subnets, w->n_subnets, src) || any_subnet(w->subnets, w->n_subnets, dst);
}

/* The place of a separated network among those, from 1: its numbers are place * 4096 + VLAN. */
static unsigned sep_place(const struct site *s, uint32_t idx)
{
    unsigned n = 0;
    for (uint32_t i = 0; i <= idx; i++)
        n += s->networks[i].vlan_separates;
    return n;
}

uint16_t site_network_(const struct site *s, const char *iface, const uint16_t *vlan, unsigned n_vlan,
                       const struct addr *src, const struct addr *dst)
{
    for (uint32_t i = 0; i < s->n_networks; i++) {
        const struct site_network *w = &s->networks[i];
        if (!network_holds(w, iface, vlan, n_vlan, src, dst))
            continue;
        if (w->vlan_separates && n_vlan && (vlan[0] & 0xfff))
            return (uint16_t)(sep_place(s, i) << 12 | (vlan[0] & 0xfff));
        return (uint16_t)(i + 1);
    }
    return 0;
}

const char *site_network_name(const struct site *s, uint16_t net, char out[SITE_NET_NAME])
{
    unsigned place = net >> 12;
    uint32_t i = place ? 0 : net - 1u;
    for (; place && i < s->n_networks; i++) {
        place -= s->networks[i].vlan_separates;
        if (!place)
            break;
    }
    if (!net || i >= s->n_networks)
        snprintf(out, SITE_NET_NAME, net ? "network%u" : "default", net);
    else if (net >> 12)
        snprintf(out, SITE_NET_NAME, "%.60s/vlan%u", s->networks[i].name, net & 0xfffu);
    else
        snprintf(out, SITE_NET_NAME, "%.60s", s->networks[i].name);
    return out;
}

int site_network_by_name(const struct site *s, const char *name)
{
    const char *tail = strstr(name, "/vlan");
    size_t n = tail ? (size_t)(tail - name) : strlen(name);
    if (strcmp(name, "default") == 0)
        return 0;
    for (uint32_t i = 0; i < s->n_networks; i++) {
        const struct site_network *w = &s->networks[i];
        if (strcmp(w->name, name) == 0)
            return (int)i + 1;
        if (tail && w->vlan_separates && strlen(w->name) == n && memcmp(w->name, name, n) == 0) {
            char *end;
            unsigned long v = strtoul(tail + 5, &end, 10);
            if (end > tail + 5 && !*end && v >= 1 && v <= 4094)
                return (int)(sep_place(s, i) << 12 | v);
        }
    }
    return -1;
}

/* The index of the configured network behind a number, -1 none. */
static int network_index(const struct site *s, uint16_t net)
{
    unsigned place = net >> 12;
    if (!place)
        return net && net <= s->n_networks ? net - 1 : -1;
    for (uint32_t i = 0; i < s->n_networks; i++) {
        place -= s->networks[i].vlan_separates;
        if (!place)
            return (int)i;
    }
    return -1;
}

/* ---- assets, zones, stations ------------------------------------------------------------------------------------ */

static uint32_t asset_index(const struct site *s, uint16_t net, const struct addr *a)
{
    const struct site_slot_ *k = slot_find(s, net, a);
    if (!k || !k->asset)
        k = slot_find(s, SITE_ANY_NET, a);
    return k && k->asset ? k->asset - 1 : SITE_NO_ASSET;
}

/* By the address in question, else by the others: the first in the configuration, in whatever order they were seen. */
static uint32_t who_index(const struct site *s, const struct site_who *w)
{
    uint32_t first = asset_index(s, w->net, &w->a[0]);
    for (uint32_t k = 1, by_first = first; k < w->n && by_first == SITE_NO_ASSET; k++) {
        uint32_t i = asset_index(s, w->net, &w->a[k]);
        first = i < first ? i : first;
    }
    return first;
}

const struct site_asset *site_asset_of(const struct site *s, const struct site_who *w)
{
    uint32_t i = who_index(s, w);
    return i == SITE_NO_ASSET ? NULL : &s->assets[i];
}

const struct site_asset *site_asset(const struct site *s, uint16_t net, const struct addr *a)
{
    const struct site_who w = {.a = a, .n = 1, .net = net};
    return site_asset_of(s, &w);
}

/* The first zone that names the device itself, -1 none. */
static int zone_named(const struct site *s, const struct site_who *w)
{
    uint32_t asset = who_index(s, w);
    int z = asset == SITE_NO_ASSET ? -1 : s->zone_of_[asset];
    for (uint32_t k = 0; k < w->n; k++) {
        const struct site_slot_ *at = slot_find(s, SITE_ANY_NET, &w->a[k]);
        if (at && at->zone && (z < 0 || (int)at->zone - 1 < z))
            z = (int)at->zone - 1;
    }
    return z;
}

static int zone_index(const struct site *s, const struct site_who *w)
{
    const struct addr *a = &w->a[0];
    uint16_t net = w->net;
    int named = s->n_zones ? zone_named(s, w) : -1;
    int best = -1, by_net = -1, idx = network_index(s, net);
    unsigned bits = 0;
    if (named >= 0)
        return named;
    for (uint32_t z = 0; z < s->n_zones; z++) {
        const struct site_zone *o = &s->zones[z];
        bool in_net = false;
        for (uint32_t k = 0; k < o->n_networks; k++)
            in_net |= o->networks[k] == net || (idx >= 0 && o->networks[k] == idx + 1);
        if (in_net && by_net < 0 && !o->n_subnets)
            by_net = (int)z;
        if (o->n_networks && !in_net)
            continue; /* networks and subnets together: the subnets of these networks */
        for (uint32_t k = 0; k < o->n_subnets; k++)
            if (subnet_has(&o->subnets[k], a) && (best < 0 || o->subnets[k].bits > bits)) {
                best = (int)z;
                bits = o->subnets[k].bits;
            }
    }
    return best >= 0 ? best : by_net;
}

const struct site_zone *site_zone_of(const struct site *s, const struct site_who *w)
{
    int z = zone_index(s, w);
    return z < 0 ? NULL : &s->zones[z];
}

const struct site_zone *site_zone(const struct site *s, uint16_t net, const struct addr *a)
{
    const struct site_who w = {.a = a, .n = 1, .net = net};
    return site_zone_of(s, &w);
}

static bool ref_holds(const struct site *s, const struct site_ref *r, const struct site_who *w)
{
    if (r->asset != SITE_NO_ASSET)
        return who_index(s, w) == r->asset;
    bool lone = r->subnet.bits == 128;
    for (uint32_t k = 0; k < (lone ? w->n : 1); k++)
        if (subnet_has(&r->subnet, &w->a[k]))
            return true;
    return false;
}

bool site_is_station(const struct site *s, const struct site_who *w)
{
    for (uint32_t i = 0; i < s->n_stations; i++)
        if (ref_holds(s, &s->stations[i], w))
            return true;
    return false;
}

bool site_is_engineering_station(const struct site *s, uint16_t net, const struct addr *a)
{
    const struct site_who w = {.a = a, .n = 1, .net = net};
    return site_is_station(s, &w);
}

const struct site_role *site_role(const struct site *s, const struct addr *a)
{
    const struct site_slot_ *k = s->n_roles ? slot_find(s, SITE_ANY_NET, a) : NULL;
    return k && k->role ? &s->roles[k->role - 1] : NULL;
}

/* ---- maintenance ------------------------------------------------------------------------------------------------ */

static bool window_open(const struct site_window *w, uint64_t ts_ns, const struct tz_time *t)
{
    if (!w->weekly)
        return ts_ns >= w->from_ns && ts_ns < w->to_ns;
    unsigned min = t->hour * 60u + t->minute, yesterday = (t->wday + 6u) % 7;
    bool over = w->to_min <= w->from_min; /* past midnight */
    if (w->days >> t->wday & 1 && min >= w->from_min && (over || min < w->to_min))
        return true;
    return over && w->days >> yesterday & 1 && min < w->to_min;
}

const struct site_window *site_maintenance(const struct site *s, uint64_t ts_ns, const struct site_who *src,
                                           const struct site_who *dst, int action)
{
    if (!s->n_windows)
        return NULL;
    struct tz_time t;
    tz_local(&s->tz, ts_ns, &t);
    for (uint32_t i = 0; i < s->n_windows; i++) {
        const struct site_window *w = &s->windows[i];
        if (!window_open(w, ts_ns, &t))
            continue;
        if (w->actions && (action < 0 || action >= ACT_COUNT || !(w->actions >> action & 1)))
            continue;
        if (w->zone >= 0 && zone_index(s, src) != w->zone && (!dst || zone_index(s, dst) != w->zone))
            continue;
        if (w->has_asset && !ref_holds(s, &w->asset, src) && (!dst || !ref_holds(s, &w->asset, dst)))
            continue;
        if (w->has_actor && !ref_holds(s, &w->actor, src))
            continue;
        return w;
    }
    return NULL;
}
