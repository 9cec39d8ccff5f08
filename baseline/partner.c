/* partner.c: redundancy: what one of several addresses that stand for one role was learned to do is known of the
 * others. Nothing is learned by it: devices, links and facts stay those of the real addresses, and a fact that is new
 * is looked for once more with the partners in its ends' places. */
#include "baseline/model.h"

struct ends { /* the addresses that may stand in one end's place, itself among them */
    struct addr a[LIM_PARTNERS];
    unsigned n;
};
struct partners {
    uint32_t link[LIM_PARTNERS * LIM_PARTNERS];
    unsigned n;
};

/* A device is of the set that names one of its addresses. */
static const struct site_role *role_of(const struct baseline *b, uint16_t net, const struct addr *a)
{
    const struct site *s = b->conf.site;
    const struct site_role *r = site_role(s, a);
    uint32_t i = r ? 0 : asset_find(b, net, a);
    if (!i)
        return r;
    const struct asset *x = asset_at(b, i);
    for (unsigned k = 0; k < x->n_ips && !r; k++)
        r = site_role(s, &x->ips[k]);
    for (unsigned k = 0; k < x->n_macs && !r; k++) {
        const struct addr mac = addr_mac(x->macs[k]);
        r = site_role(s, &mac);
    }
    return r;
}

static void add_end(struct ends *e, const struct addr *a)
{
    for (unsigned k = 0; k < e->n; k++)
        if (addr_eq(&e->a[k], a))
            return;
    if (e->n < LIM_PARTNERS)
        e->a[e->n++] = *a;
}

/* A set may name IP addresses and be met on layer 2, and the reverse. */
static void add_other_kind(struct ends *e, const struct asset *x, bool macs)
{
    for (unsigned k = 0; k < x->n_macs && macs; k++) {
        const struct addr mac = addr_mac(x->macs[k]);
        add_end(e, &mac);
    }
    for (unsigned k = 0; k < x->n_ips && !macs; k++)
        add_end(e, &x->ips[k]);
}

static void ends_of(const struct baseline *b, uint16_t net, const struct addr *a, struct ends *e)
{
    const struct site_role *r = role_of(b, net, a);
    e->n = 0;
    add_end(e, a);
    for (uint32_t k = 0; r && k < r->n_addrs; k++) {
        const struct addr *m = &r->addrs[k];
        uint32_t i = addr_is_mac(m) == addr_is_mac(a) ? 0 : asset_find(b, net, m);
        if (addr_is_mac(m) == addr_is_mac(a))
            add_end(e, m);
        else if (i)
            add_other_kind(e, asset_at(b, i), addr_is_mac(a));
    }
}

/* The links that stand for the same as this one. One that is not learned may have facts that are: accepted ones. */
static unsigned partners_of(const struct baseline *b, const struct link *l, struct partners *p)
{
    struct ends c, s;
    p->n = 0;
    if (!b->conf.site->n_roles)
        return 0;
    ends_of(b, l->net, &l->client, &c);
    ends_of(b, l->net, &l->server, &s);
    for (unsigned x = 0; x < c.n; x++)
        for (unsigned y = 0; y < s.n; y++) {
            uint32_t i = x || y ? blink_find(b, l->net, &c.a[x], &s.a[y], l->l4, l->port) : 0;
            if (i)
                p->link[p->n++] = i;
        }
    return p->n;
}

uint32_t partner_link(const struct baseline *b, const struct link *l)
{
    struct partners p;
    for (unsigned k = 0, n = partners_of(b, l, &p); k < n; k++)
        if (blink_at(b, p.link[k])->life.learned == FACT_LEARNED)
            return p.link[k];
    return 0;
}

bool partner_learns(struct baseline *b, const struct link *l)
{
    struct partners p;
    bool learns = false;
    for (unsigned k = 0, n = partners_of(b, l, &p); k < n; k++)
        learns |= life_learns(b, &blink_at(b, p.link[k])->life);
    return learns;
}

bool partner_app(const struct baseline *b, const struct link *l, const char *app)
{
    struct partners p;
    for (unsigned k = 0, n = partners_of(b, l, &p); k < n; k++) {
        const struct link *o = blink_at(b, p.link[k]);
        int at = blink_app(b, o, app);
        if (at >= 0 && o->app_learned >> at & 1)
            return true;
    }
    return false;
}

uint32_t partner_func(const struct baseline *b, const struct link *l, uint16_t proto, const struct rec_event *e,
                      const struct op_key *key)
{
    struct partners p;
    for (unsigned k = 0, n = partners_of(b, l, &p); k < n; k++) {
        uint32_t f = func_of(b, p.link[k], proto, e, key, false);
        if (f && func_at(b, f)->life.learned == FACT_LEARNED)
            return f;
    }
    return 0;
}

uint32_t partner_op(const struct baseline *b, const struct link *l, uint16_t proto, const struct rec_event *e,
                    const struct op_key *key)
{
    struct partners p;
    for (unsigned k = 0, n = partners_of(b, l, &p); k < n; k++) {
        uint32_t f = func_of(b, p.link[k], proto, e, key, false), o = f ? op_find(b, f, key) : 0;
        if (o && func_at(b, f)->life.learned == FACT_LEARNED && op_at(b, o)->life.learned == FACT_LEARNED)
            return o;
    }
    return 0;
}

bool partner_error(const struct baseline *b, const struct link *l, uint16_t proto, const struct rec_event *e,
                   const struct op_key *key)
{
    struct partners p;
    for (unsigned k = 0, n = partners_of(b, l, &p); k < n; k++) {
        uint32_t f = func_of(b, p.link[k], proto, e, key, false), i = f ? op_find(b, f, key) : 0;
        const struct op *o = op_at(b, i);
        for (unsigned s = 0; i && s < o->n_status; s++)
            if (o->status[s] == e->status && o->status_learned >> s & 1)
                return true;
    }
    return false;
}

bool partner_unit(const struct baseline *b, const struct link *l, const struct func *f)
{
    struct partners p;
    for (unsigned k = 0, n = partners_of(b, l, &p); k < n; k++)
        if (link_has_unit(b, blink_at(b, p.link[k]), f))
            return true;
    return false;
}

/* ---- devices ---- */

/* The devices of the set are gone through by place; 0 at the end. */
static uint32_t partner_asset(const struct baseline *b, const struct asset *a, const struct site_role *r, uint32_t *k)
{
    while (r && *k < r->n_addrs) {
        uint32_t i = asset_find(b, a->net, &r->addrs[(*k)++]);
        if (i && asset_at(b, i) != a)
            return i;
    }
    return 0;
}

static const struct site_role *set_of(const struct baseline *b, const struct asset *a)
{
    return b->conf.site->n_roles ? role_of(b, a->net, &a->key) : NULL;
}

bool partner_named(const struct baseline *b, const struct asset *a)
{
    return set_of(b, a) != NULL;
}

uint64_t partner_learned_ns(struct baseline *b, const struct asset *a)
{
    uint64_t latest = 0;
    const struct site_role *r = set_of(b, a);
    bool any = false;
    uint32_t at = 0;
    for (uint32_t i; (i = partner_asset(b, a, r, &at));) {
        struct row_life *l = &asset_at(b, i)->life;
        any |= l->learned == FACT_LEARNED;
        if (life_learns(b, l) && l->learned == FACT_LEARNED && l->learn_ns > latest)
            latest = l->learn_ns;
    }
    return any ? latest : a->life.learn_ns;
}

uint64_t partner_evidence(const struct baseline *b, const struct asset *a)
{
    uint64_t all = 0;
    const struct site_role *r = set_of(b, a);
    uint32_t at = 0;
    for (uint32_t i; (i = partner_asset(b, a, r, &at));)
        all |= asset_at(b, i)->evidence;
    return all;
}

bool partner_mac(const struct baseline *b, const struct asset *a, const uint8_t mac[6])
{
    const struct site_role *r = set_of(b, a);
    const struct addr named = addr_mac(mac);
    uint32_t at = 0;
    for (uint32_t k = 0; r && k < r->n_addrs; k++)
        if (addr_eq(&r->addrs[k], &named))
            return true;
    for (uint32_t i; (i = partner_asset(b, a, r, &at));) {
        const struct asset *x = asset_at(b, i);
        for (unsigned k = 0; k < x->n_macs; k++)
            if (memcmp(x->macs[k], mac, 6) == 0 && x->macs_learned >> k & 1)
                return true;
    }
    return false;
}
