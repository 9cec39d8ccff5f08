/* scan.c: scans by one source: many addresses, many ports of one address, controller ports on many devices.
 *
 * A probe is a new link that got no further than a first answer (SYN and RST or SYN-ACK, ICMP echo, a lone datagram).
 * It is counted when its window ends, so that a station that connects to sixty controllers and talks to them is no
 * scan. */
#include <stdio.h>

#include "baseline/model.h"

/* Ports on which controllers and their gateways listen. */
static const uint16_t controller_ports[] = {102,  502,  789,   1089,  1090,  1091,  1911,  1962,  2222,  2404,
                                            4000, 4840, 4911,  5006,  5007,  5094,  9600,  11740, 18245, 18246,
                                            20000, 20547, 34962, 34963, 34964, 44818, 47808, 48898, 55000};

static bool is_controller_port(uint16_t port)
{
    for (unsigned i = 0; i < ARRAY_LEN(controller_ports); i++)
        if (controller_ports[i] == port)
            return true;
    return false;
}

static struct scanner *scanner_at(const struct baseline *b, uint32_t i)
{
    return tab_at(&b->scanners, i);
}

/* Sources with few probes are given up first: those of a flood of forged addresses have one each. */
static uint8_t rank_of(const struct scanner *s)
{
    return s->n <= 1 ? 0 : s->n < 8 ? 1 : 2;
}

void scan_probe(struct baseline *b, uint32_t link, uint64_t ts_ns)
{
    const struct link *l = blink_at(b, link);
    uint64_t h = hash_bytes(hash_u64(b->conf.hash_key, l->net), &l->client, sizeof l->client);
    uint32_t i = tab_find(&b->scanners, h, 0);
    while (i && (scanner_at(b, i)->net != l->net || !addr_eq(&scanner_at(b, i)->src, &l->client)))
        i = tab_find(&b->scanners, h, i);
    if (!i) {
        if (tab_full(&b->scanners)) {
            tab_del(&b->scanners, tab_victim(&b->scanners));
            b->scanners.evicted++;
        }
        i = tab_add(&b->scanners, h, 0);
        scanner_at(b, i)->src = l->client;
        scanner_at(b, i)->net = l->net;
    }
    struct scanner *s = scanner_at(b, i);
    s->last_ns = ts_ns;
    s->probes[s->at] = (struct probe){.ts_ns = ts_ns, .link = l->id, .dst = l->server, .port = l->port, .l4 = l->l4,
                                      .controller = is_controller_port(l->port)};
    s->at = (uint16_t)((s->at + 1) % LIM_SCAN_PROBES);
    if (s->n < LIM_SCAN_PROBES)
        s->n++;
    tab_move(&b->scanners, i, rank_of(s));
}

/* Still no more than a probe? Links that were evicted never were. */
static bool still_probe(const struct baseline *b, const struct scanner *s, const struct probe *p)
{
    uint32_t i = blink_find(b, s->net, &s->src, &p->dst, p->l4, p->port);
    return !i || (blink_at(b, i)->probe && !blink_at(b, i)->n_apps);
}

struct tally {
    struct addr dst[LIM_SCAN_PROBES];
    uint16_t ports[LIM_SCAN_PROBES]; /* probes of that destination */
    uint32_t n, controllers, best;   /* best: the destination with the most ports */
    uint64_t first_ns;
};

static void tally_up(const struct baseline *b, const struct scanner *s, uint64_t ts_ns, struct tally *t)
{
    memset(t, 0, sizeof *t);
    t->first_ns = ts_ns;
    for (unsigned k = 0; k < s->n; k++) {
        const struct probe *p = &s->probes[k];
        uint32_t d = 0;
        if (p->ts_ns + b->conf.scan_ns < ts_ns || !still_probe(b, s, p))
            continue;
        while (d < t->n && !addr_eq(&t->dst[d], &p->dst))
            d++;
        if (d == t->n)
            t->dst[t->n++] = p->dst;
        t->controllers += p->controller;
        if (p->l4 == PROTO_TCP || p->l4 == PROTO_UDP)
            t->ports[d]++;
        if (t->ports[d] > t->ports[t->best])
            t->best = d;
        if (p->ts_ns < t->first_ns)
            t->first_ns = p->ts_ns;
    }
}

/* The latest probe that is one of those which were counted. */
static const struct probe *last_probe(const struct scanner *s, uint8_t type, const struct addr *best)
{
    unsigned newest = (s->at + LIM_SCAN_PROBES - 1u) % LIM_SCAN_PROBES;
    for (unsigned k = 0; k < s->n; k++) {
        const struct probe *p = &s->probes[(newest + LIM_SCAN_PROBES - k) % LIM_SCAN_PROBES];
        bool port = p->l4 == PROTO_TCP || p->l4 == PROTO_UDP;
        if (type == DEV_PORT_SCAN ? port && addr_eq(&p->dst, best) : type == DEV_CONTROLLER_SCAN ? p->controller : true)
            return p;
    }
    return &s->probes[newest];
}

/* What was scanned, the most telling first: it names the alert, the rest is told in it. */
static const struct {
    uint8_t type;
    const char *what;
} kinds[] = {
    {DEV_CONTROLLER_SCAN, "controller ports"},
    {DEV_PORT_SCAN, "ports of one device"},
    {DEV_ADDRESS_SCAN, "addresses"},
};
enum { SCAN_KINDS = ARRAY_LEN(kinds) };

static void counts_of(const struct baseline *b, const struct tally *t, uint32_t n[SCAN_KINDS], bool over[SCAN_KINDS])
{
    const uint32_t limit[SCAN_KINDS] = {b->conf.scan_controllers, b->conf.scan_ports, b->conf.scan_addresses};
    n[0] = t->controllers;
    n[1] = t->n ? t->ports[t->best] : 0;
    n[2] = t->n;
    for (unsigned k = 0; k < SCAN_KINDS; k++)
        over[k] = n[k] && n[k] >= limit[k];
}

static void scan_words(struct baseline *b, struct deviation *d, const struct scanner *s, const struct tally *t,
                       const uint32_t n[SCAN_KINDS], const bool over[SCAN_KINDS], const struct probe *last)
{
    const uint32_t limit[SCAN_KINDS] = {b->conf.scan_controllers, b->conf.scan_ports, b->conf.scan_addresses};
    unsigned seconds = (unsigned)(b->conf.scan_ns / 1000000000), told = 0;
    char who[WHO_TEXT], other[WHO_TEXT];
    text_who(b, s->net, &s->src, who);
    text_add(d->why, sizeof d->why, "%s tried ", who);
    for (unsigned k = 0; k < SCAN_KINDS; k++) {
        if (!over[k])
            continue;
        text_add(d->why, sizeof d->why, "%s%u %s", told ? ", " : "", n[k], kinds[k].what);
        text_add(d->expected, sizeof d->expected, "%sfewer than %u %s", told ? ", " : "", limit[k], kinds[k].what);
        if (kinds[k].type == DEV_PORT_SCAN) {
            text_who(b, s->net, &t->dst[t->best], other);
            text_add(d->why, sizeof d->why, " (%s)", other);
        }
        told++;
    }
    text_add(d->why, sizeof d->why, " within %u s without a conversation following", seconds);
    text_add(d->expected, sizeof d->expected, " in %u s", seconds);
    text_who(b, s->net, &last->dst, other);
    text_add(d->seen, sizeof d->seen, "%u %s, the last at %s", d->count > UINT32_MAX ? UINT32_MAX : (unsigned)d->count,
             d->object, other);
    if (last->l4 == PROTO_TCP || last->l4 == PROTO_UDP)
        text_add(d->seen, sizeof d->seen, " %s port %u", last->l4 == PROTO_TCP ? "TCP" : "UDP", last->port);
}

/* The scan of that source which is told already and of that kind. */
static struct incident *going_on(const struct baseline *b, uint32_t asset, uint8_t type, const struct tally *t,
                                 uint64_t ts_ns)
{
    struct incident *c = asset ? inc_open(b, asset_at(b, asset)->scan, ts_ns) : NULL;
    if (!c || (c->d.type != type && c->d.also[0] != type && c->d.also[1] != type))
        return NULL;
    return type != DEV_PORT_SCAN || addr_eq(&c->d.dst, &t->dst[t->best]) ? c : NULL;
}

static void scan_raise(struct baseline *b, struct scanner *s, const struct tally *t, uint64_t ts_ns)
{
    uint32_t n[SCAN_KINDS], ai = asset_find(b, s->net, &s->src);
    bool over[SCAN_KINDS];
    unsigned first = 0, n_also = 0;
    counts_of(b, t, n, over);
    for (unsigned k = 0; k < SCAN_KINDS; k++) {
        struct incident *c = over[k] ? going_on(b, ai, kinds[k].type, t, ts_ns) : NULL;
        if (!c)
            continue;
        over[k] = false;
        c->until_ns = ts_ns + b->conf.fold_ns;
        if (c->d.type == kinds[k].type && n[k] > c->d.count)
            c->d.count = n[k];
        inc_follow(b, c, ts_ns, 0);
    }
    while (first < SCAN_KINDS && !over[first])
        first++;
    if (first == SCAN_KINDS)
        return;
    uint8_t type = kinds[first].type;
    const struct probe *last = last_probe(s, type, &t->dst[t->best]);
    uint32_t li = blink_find(b, s->net, &s->src, &last->dst, last->l4, last->port);
    struct subject sub = {.ts_ns = ts_ns, .client = ai, .link = li};
    struct deviation d;
    dev_begin(b, &d, type, &sub);
    d.src = s->src;
    d.net = s->net;
    d.severity = DEV_CRITICAL;
    d.count = n[first];
    bool port = over[1];
    if (port) {
        d.dst = t->dst[t->best];
        uint32_t di = asset_find(b, s->net, &d.dst);
        d.dst_asset = di ? asset_at(b, di)->id : 0;
    }
    for (unsigned k = first + 1; k < SCAN_KINDS; k++)
        if (over[k])
            d.also[n_also++] = kinds[k].type;
    text_add(d.object, sizeof d.object, "%s", kinds[first].what);
    scan_words(b, &d, s, t, n, over, last);
    d.fold = fold_id(type, ai ? asset_at(b, ai)->id : hash_bytes(HASH_ID_KEY, &s->src, sizeof s->src),
                     type == DEV_PORT_SCAN ? hash_bytes(HASH_ID_KEY, &d.dst, sizeof d.dst) : 0,
                     t->first_ns / b->conf.fold_ns); /* another hour's scan is another alert */
    d.first_ns = t->first_ns;
    struct inc_ref r = inc_raise(b, &d, false);
    struct incident *c = inc_any(b, r);
    if (c && r.fold == (uint32_t)d.fold && n[first] > c->d.count)
        c->d.count = n[first];
    if (ai)
        asset_at(b, ai)->scan = r;
}

void scan_tick(struct baseline *b, uint64_t ts_ns)
{
    struct tally t;
    for (uint32_t i = 1; i <= b->scanners.high; i++) {
        struct scanner *s = scanner_at(b, i);
        if (!s->node.used)
            continue;
        if (s->last_ns < b->last_tick_ns) { /* nothing new in this window */
            if (s->last_ns + b->conf.scan_ns < ts_ns)
                tab_del(&b->scanners, i);
            continue;
        }
        if (s->n < b->conf.scan_controllers && s->n < b->conf.scan_ports && s->n < b->conf.scan_addresses)
            continue;
        tally_up(b, s, s->last_ns, &t); /* as of its last probe: the tick may come long after, when all is quiet */
        scan_raise(b, s, &t, s->last_ns);
    }
}
