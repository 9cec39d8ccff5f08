/* sight.c: one direction only, by pair of devices and by VLAN.
 *
 * The workers say of each TCP connection that was busy whether both sides spoke. A pair all of whose connections show
 * one direction only is judged so until one of them shows both; a VLAN where they are most, too: it is a mirror that is
 * set to `rx` or `tx` there, or half of a redundant path. */
#include "engine/sight.h"

#include <stdio.h>
#include <string.h>

#include "baseline/baseline.h"
#include "engine/base/evtext.h"
#include "engine/base/hash.h"
#include "engine/raise.h"

static uint64_t pair_key(uint16_t net, const struct addr *a, const struct addr *b)
{
    uint64_t x = hash_16(HASH_ID_KEY ^ net, a), y = hash_16(HASH_ID_KEY ^ net, b);
    return hash_mix(x < y ? x : y, x < y ? y : x) | 1;
}

/* Its place, or that of a free one. */
static unsigned place_of(const struct sight *s, uint64_t key)
{
    unsigned i = (unsigned)(key >> 8) % SIGHT_PAIRS;
    while (s->pair[i].key && s->pair[i].key != key)
        i = (i + 1) % SIGHT_PAIRS;
    return i;
}

static unsigned find_port(const struct sight *s, const char *iface, uint16_t vlan)
{
    unsigned i = 0;
    while (i < s->n_ports && (s->port[i].vlan != vlan || strncmp(s->port[i].iface, iface, SIGHT_NAME - 1) != 0))
        i++;
    return i;
}

bool sight_port_one_way(const struct sight *s, const char *iface, uint16_t vlan)
{
    unsigned i = find_port(s, iface, vlan);
    return i < s->n_ports && s->port[i].one_way;
}

static unsigned port_of(struct sight *s, const char *iface, uint16_t vlan)
{
    unsigned i = find_port(s, iface, vlan);
    if (i == SIGHT_PORTS)
        return SIGHT_PORTS - 1;
    if (i == s->n_ports) {
        s->port[s->n_ports++] = (struct sight_port){.vlan = vlan};
        snprintf(s->port[i].iface, sizeof s->port[i].iface, "%s", iface);
    }
    return i;
}

static struct sight_pair *pair_of(struct sight *s, uint64_t key, bool create)
{
    struct sight_pair *p = &s->pair[place_of(s, key)];
    if (p->key || !create)
        return p->key ? p : NULL;
    if (s->n_pairs == SIGHT_PAIRS / 4 * 3)
        return NULL;
    s->n_pairs++;
    p->key = key;
    return p;
}

void sight_count(struct sight *s, const struct rec_link_count *r, uint16_t net, const struct addr *client,
                 const struct addr *server, const char *iface)
{
    unsigned port = port_of(s, iface, r->vlan);
    struct sight_pair *p = pair_of(s, pair_key(net, client, server), r->one_way != 0);
    s->any = true;
    s->port[port].one += r->one_way;
    s->port[port].two += r->two_way;
    if (!p)
        return;
    bool answers = r->packets[1] > r->packets[0];
    p->from = answers ? *server : *client;
    p->to = answers ? *client : *server;
    p->net = net;
    p->port = (uint16_t)port;
    p->one += r->one_way;
    p->two += r->two_way;
}

bool sight_one_way(const struct sight *s, uint16_t net, const struct addr *a, const struct addr *b)
{
    return s->n_one_way && s->pair[place_of(s, pair_key(net, a, b))].one_way;
}

/* ---- judging ---- */

static void judge_pairs(struct sight *s)
{
    for (unsigned i = 0; i < SIGHT_PAIRS; i++) {
        struct sight_pair *p = &s->pair[i];
        if (!(p->one | p->two))
            continue;
        bool one_way = !p->two;
        p->news = one_way && !p->one_way;
        s->n_one_way += one_way;
        s->n_one_way -= p->one_way;
        s->port[p->port].pairs += one_way;
        p->one_way = one_way;
        p->one = p->two = 0;
    }
}

static void judge_ports(struct sight *s)
{
    enum { PAIRS = 2 }; /* one alone is a matter of the pair */
    for (unsigned i = 0; i < s->n_ports; i++) {
        struct sight_port *p = &s->port[i];
        if (!(p->one | p->two))
            continue;
        bool one_way = p->one >= p->two && p->pairs >= PAIRS;
        p->news = one_way && !p->one_way;
        p->one_way = one_way;
    }
}

/* ---- telling ---- */

static void who(struct baseline *b, uint16_t net, const struct addr *a, struct words *w)
{
    struct asset_info info = {0};
    char text[ADDR_TEXT];
    addr_text(a, text);
    if (baseline_asset_info(b, net, a, &info) && info.name)
        words_add(w, "%s (%s)", info.name, text);
    else
        words_add(w, "%s", text);
}

static void name_pair(struct baseline *b, const struct sight_pair *p, struct words *w)
{
    who(b, p->net, &p->from, w);
    words_add(w, " > ");
    who(b, p->net, &p->to, w);
}

static const char *port_name(const struct sight_port *p, char to[SIGHT_NAME + 16])
{
    if (p->vlan)
        snprintf(to, SIGHT_NAME + 16, "%s VLAN %u", p->iface[0] ? p->iface : "capture", p->vlan);
    else
        snprintf(to, SIGHT_NAME + 16, "%s", p->iface[0] ? p->iface : "capture");
    return to;
}

/* The pairs of a port that has just been judged, some of them by name. They are told with it. */
static void tell_port(struct sight *s, unsigned i, struct baseline *b, struct raise *r, uint64_t ts_ns)
{
    enum { NAMED = 4 };
    const struct sight_port *port = &s->port[i];
    char name[SIGHT_NAME + 16], text[480];
    struct words w = words_in(text, sizeof text);
    unsigned n = 0;
    for (unsigned k = 0; k < SIGHT_PAIRS; k++) {
        struct sight_pair *p = &s->pair[k];
        if (p->port != i || !p->one_way)
            continue;
        p->news = false;
        if (n++ >= NAMED)
            continue;
        words_add(&w, n > 1 ? ", " : "");
        name_pair(b, p, &w);
    }
    if (n > NAMED)
        words_add(&w, " and %u more", n - NAMED);
    raise_operational(r, AT_OPS_ONE_WAY, ts_ns, port_name(port, name), port->one,
                      "%s: %u of %u TCP connections that came up for counting in the window that ended now show one "
                      "direction only, of %u pairs of devices: %s",
                      name, port->one, port->one + port->two, n, text);
}

static void tell_pairs(struct sight *s, struct baseline *b, struct raise *r, uint64_t ts_ns)
{
    enum { MOST = 16 };
    unsigned n = 0;
    for (unsigned i = 0; i < SIGHT_PAIRS; i++) {
        struct sight_pair *p = &s->pair[i];
        char name[SIGHT_NAME + 16], from[ADDR_TEXT], to[ADDR_TEXT], object[2 * ADDR_TEXT + 4], text[240];
        struct words w = words_in(text, sizeof text);
        if (!p->key || !p->news)
            continue;
        p->news = false;
        if (s->port[p->port].one_way || n++ >= MOST) /* of such a port no pair is news */
            continue;
        addr_text(&p->from, from);
        addr_text(&p->to, to);
        snprintf(object, sizeof object, "%s > %s", from, to);
        name_pair(b, p, &w);
        const struct raise_about pair = {.src = &p->from, .dst = &p->to, .net = p->net, .vlan = s->port[p->port].vlan,
                                         .l4 = PROTO_TCP};
        raise_operational_of(r, AT_OPS_ONE_WAY, ts_ns, &pair, object, 1,
                             "%s: of the TCP connections between the two only this direction is seen, on %s", text,
                             port_name(&s->port[p->port], name));
    }
    if (n > MOST)
        raise_operational(r, AT_OPS_ONE_WAY, ts_ns, "more pairs", n - MOST,
                          "of %u more pairs of devices only one direction is seen", n - MOST);
}

void sight_tick(struct sight *s, struct baseline *b, struct raise *r, uint64_t ts_ns)
{
    if (!s->any)
        return;
    s->any = false;
    judge_pairs(s);
    judge_ports(s);
    for (unsigned i = 0; i < s->n_ports; i++)
        if (s->port[i].news)
            tell_port(s, i, b, r, ts_ns);
    tell_pairs(s, b, r, ts_ns);
    for (unsigned i = 0; i < s->n_ports; i++)
        s->port[i].one = s->port[i].two = s->port[i].pairs = 0;
}
