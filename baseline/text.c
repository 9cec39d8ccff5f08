/* text.c: the sentences of deviations about devices and links: what is new, and which learned fact it contradicts. */
#include <stdarg.h>
#include <stdio.h>

#include "baseline/model.h"
#include "engine/base/jw.h"
#include "engine/base/obs.h"

static const char *const dev_names[DEV_COUNT] = {
    [DEV_NONE] = "none", [DEV_NEW_ASSET] = "new_asset", [DEV_NEW_LINK] = "new_link",
    [DEV_NEW_PROTOCOL] = "new_protocol", [DEV_NEW_UNIT] = "new_unit", [DEV_NEW_FUNCTION] = "new_function",
    [DEV_NEW_OBJECT] = "new_object", [DEV_NEW_ERROR] = "new_error", [DEV_IDENTITY_CHANGED] = "identity_changed",
    [DEV_FIRMWARE_CHANGED] = "firmware_changed", [DEV_STATE_COMMAND] = "state_command",
    [DEV_STATE_CHANGED] = "state_changed", [DEV_ADDRESS_CONFLICT] = "address_conflict",
    [DEV_ADDRESS_SCAN] = "address_scan", [DEV_PORT_SCAN] = "port_scan", [DEV_CONTROLLER_SCAN] = "controller_scan",
    [DEV_WRONG_PROTOCOL] = "wrong_protocol", [DEV_FLOOD] = "flood",
};

const char *dev_name(unsigned type)
{
    return dev_names[type < DEV_COUNT ? type : DEV_NONE];
}

uint64_t fold_id(unsigned type, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t h = hash_u64(hash_u64(hash_u64(hash_u64(HASH_ID_KEY, type), a), b), c);
    return h ? h : 1;
}

void text_add(char *out, size_t size, const char *fmt, ...)
{
    size_t n = strnlen(out, size);
    va_list ap;
    va_start(ap, fmt);
    if (n + 1 < size)
        vsnprintf(out + n, size - n, fmt, ap);
    va_end(ap);
}

void text_cat(char *out, size_t size, const char *s)
{
    size_t n = strnlen(out, size), len = strlen(s);
    if (n + 1 >= size)
        return;
    len = len < size - n - 1 ? len : size - n - 1;
    memcpy(out + n, s, len);
    out[n + len] = '\0';
}

/* "2026-01-05 08:00" */
void text_date(uint64_t ns, char out[24])
{
    char t[TIME_TEXT];
    time_text(ns, t);
    memcpy(out, t, 10);
    out[10] = ' ';
    memcpy(out + 11, t + 11, 5);
    out[16] = '\0';
}

/* Of what was imported nobody knows since when it is so. */
static bool by_import(const struct row_life *l)
{
    return life_imported(l) || l->first_ns == ROW_NEVER_NS;
}

void text_since(const struct row_life *l, char out[SPAN_TEXT])
{
    char from[24];
    text_date(l->first_ns, from);
    snprintf(out, SPAN_TEXT, by_import(l) ? "by import" : "since %s", from);
}

void text_span(const struct row_life *l, char out[SPAN_TEXT])
{
    char from[24], to[24];
    text_date(l->first_ns, from);
    text_date(l->last_ns, to);
    snprintf(out, SPAN_TEXT, by_import(l) ? "by import" : "from %s to %s", from, to);
}

const char *l4_name(uint8_t l4)
{
    switch (l4) {
    case PROTO_TCP:
        return "TCP";
    case PROTO_UDP:
        return "UDP";
    case PROTO_ICMP:
        return "ICMP";
    case PROTO_ICMP6:
        return "ICMPv6";
    case PROTO_ETH:
        return "ETH";
    default:
        return NULL;
    }
}

void text_who(struct baseline *b, uint16_t net, const struct addr *a, char out[WHO_TEXT])
{
    char t[ADDR_TEXT];
    uint32_t i = asset_find(b, net, a);
    const char *name = i ? asset_name(b, asset_at(b, i)) : NULL;
    addr_text(a, t);
    if (name)
        snprintf(out, WHO_TEXT, "%.60s (%s)", name, t);
    else
        snprintf(out, WHO_TEXT, "%s", t);
}

static uint64_t id_of(const struct baseline *b, uint32_t i)
{
    return i ? asset_at(b, i)->id : 0;
}

void dev_begin(struct baseline *b, struct deviation *d, uint8_t type, const struct subject *s)
{
    const struct link *l = s->link ? blink_at(b, s->link) : NULL;
    const struct rec_event *e = s->event;
    memset(d, 0, sizeof *d);
    d->type = type;
    d->severity = DEV_MAJOR;
    d->first_ns = d->last_ns = s->ts_ns;
    d->count = 1;
    d->src_asset = id_of(b, s->client);
    d->dst_asset = id_of(b, s->server);
    if (s->client)
        d->src = asset_at(b, s->client)->key, d->net = asset_at(b, s->client)->net;
    else if (s->server)
        d->src = asset_at(b, s->server)->key, d->net = asset_at(b, s->server)->net;
    if (s->client && s->server)
        d->dst = asset_at(b, s->server)->key;
    if (l) {
        d->src = l->client;
        d->dst = l->server;
        d->net = l->net;
        d->l4 = l->l4;
        d->sport = l->client_port;
        d->dport = l->port;
        d->frame = l->frame;
        d->file = l->file;
        d->iface = l->iface;
        d->vlan = l->vlan;
        d->app = l->n_apps ? b->apps[l->apps[0]].name : NULL;
    }
    d->event = e;
    d->fact = s->fact;
    if (!e)
        return;
    d->sport = e->sport;
    d->dport = e->dport;
    d->frame = e->frame;
    d->file = e->file;
    d->iface = e->iface;
    d->vlan = e->n_vlan ? e->vlan[0] : 0;
    d->link = e->link;
    d->flow_id = e->flow_id;
    d->app = e->schema->name;
    d->has_mac = e->has_mac;
    memcpy(d->smac, e->smac, 6);
    memcpy(d->dmac, e->dmac, 6);
    d->has_action = 1;
    d->action = s->fact ? s->fact->action : e->action;
}

static uint32_t learned_assets(const struct baseline *b, uint16_t net)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i <= b->assets.high; i++) {
        const struct asset *a = asset_at(b, i);
        n += a->node.used && a->net == net && a->life.learned == FACT_LEARNED;
    }
    return n;
}

void text_asset(struct baseline *b, struct deviation *d, uint32_t i, const struct rec_asset *r)
{
    static const char *const via[] = {"by an IP packet", "by ARP", "by a layer-2 frame",
                                      "by a message that came through"};
    const struct asset *a = asset_at(b, i);
    char through[ADDR_TEXT];
    struct net_rec *n = net_rec(b, a->net);
    char who[ADDR_TEXT], mac[MAC_TEXT] = "", since[SPAN_TEXT];
    const char *vendor = NULL;
    addr_text(&a->key, who);
    text_since(&n->life, since);
    if (r && r->has_mac) {
        mac_text(r->mac, mac);
        vendor = oui_vendor(r->mac, b->conf.oui_excerpt);
        d->has_mac = 1;
        memcpy(d->smac, r->mac, 6);
    }
    if (r) {
        d->frame = r->frame;
        d->file = r->file;
        d->iface = r->iface;
        d->vlan = r->vlan;
    }
    d->external = asset_is_external(b, a) && !(r && r->via == ASSET_VIA_ARP) &&
                  !(r && r->has_mac && subnet_is_local(b, a->net, &a->key, r->mac));
    uint32_t known = learned_assets(b, a->net);
    text_add(d->object, sizeof d->object, "%s", who);
    text_add(d->why, sizeof d->why, "%s%s was never seen before; %u devices are known in network %s %s", who,
             d->external ? ", a public address," : "", known, n->name, since);
    text_add(d->expected, sizeof d->expected, "one of the %u known devices", known);
    text_add(d->seen, sizeof d->seen, "%s", who);
    if (*mac)
        text_add(d->seen, sizeof d->seen, ", MAC %s%s%s%s", mac, vendor ? " (" : "", vendor ? vendor : "",
                 vendor ? ")" : "");
    if (r)
        text_add(d->seen, sizeof d->seen, ", %s", via[r->via < 4 ? r->via : 0]);
    if (r && r->via == ASSET_VIA_PROTOCOL) {
        addr_text(&r->through, through);
        text_add(d->seen, sizeof d->seen, " %s", through);
    }
    snprintf(d->accept, sizeof d->accept, "asset:%016llx", (unsigned long long)a->id);
}

void text_mac(struct baseline *b, struct deviation *d, uint32_t i, const uint8_t old[6], const struct rec_asset *r,
              bool sure)
{
    const struct asset *a = asset_at(b, i);
    char who[WHO_TEXT], was[MAC_TEXT], now[MAC_TEXT], since[SPAN_TEXT];
    text_who(b, a->net, &r->addr, who);
    mac_text(old, was);
    mac_text(r->mac, now);
    text_since(&a->life, since);
    d->src = r->addr;
    d->frame = r->frame;
    d->file = r->file;
    d->iface = r->iface;
    d->vlan = r->vlan;
    d->has_mac = 1;
    memcpy(d->smac, r->mac, 6);
    text_add(d->object, sizeof d->object, "%s", now);
    text_add(d->why, sizeof d->why, "%s moved from MAC %s, known %s, to MAC %s%s", who, was, since, now,
             sure ? "; both claim it by ARP" : "");
    text_add(d->expected, sizeof d->expected, "MAC %s", was);
    text_add(d->seen, sizeof d->seen, "MAC %s", now);
    snprintf(d->accept, sizeof d->accept, "mac:%016llx:%02x%02x%02x%02x%02x%02x", (unsigned long long)a->id, r->mac[0],
             r->mac[1], r->mac[2], r->mac[3], r->mac[4], r->mac[5]);
}

void text_ident(struct baseline *b, struct deviation *d, uint32_t ai, uint32_t now, uint32_t before,
                const struct rec_ident *r)
{
    const struct asset *a = asset_at(b, ai);
    const struct ident *x = ident_at(b, now), *o = ident_at(b, before);
    char who[WHO_TEXT], from[24], to[24], sub[32] = "";
    text_who(b, a->net, &a->key, who);
    text_date(o->first_ns, from);
    text_date(o->last_ns, to);
    if (r->sub != OBS_SELF)
        snprintf(sub, sizeof sub, " of unit or slot %u", r->sub);
    d->frame = r->frame;
    d->file = r->file;
    d->app = b->apps[app_intern(b, r->source, NULL)].name;
    text_add(d->object, sizeof d->object, "%s", obs_name(r->kind));
    text_add(d->why, sizeof d->why,
             "the %s%s of %s changed from \"%.60s\" to \"%.60s\"; it was the former from %s to %s", obs_name(r->kind),
             sub, who, o->value, x->value, from, to);
    text_add(d->expected, sizeof d->expected, "%s", o->value);
    text_add(d->seen, sizeof d->seen, "%s", x->value);
    snprintf(d->accept, sizeof d->accept, "ident:%016llx:%s", (unsigned long long)a->id, obs_name(r->kind));
}

static void link_words(const struct baseline *b, const struct link *l, char out[64])
{
    const char *l4 = l4_name(l->l4);
    char num[16];
    snprintf(num, sizeof num, "IP protocol %u", l->l4);
    snprintf(out, 64, l->l4 == PROTO_ETH ? "%s/0x%04x" : "%s/%u", l4 ? l4 : num, l->port);
    if (l->n_apps)
        text_add(out, 64, " %s", b->apps[l->apps[0]].name);
}

/* Nobody answered so far. */
static bool unanswered(const struct link *l)
{
    return !l->packets[1] && (l->flags & ROW_LINK_ATTEMPT);
}

/* What is learned of the two ends of link i, whichever of them asked the other, and of its client with others. */
struct learned_links {
    uint32_t of_client, of_pair;
    char pair[128]; /* the first of them */
};

static void learned_links(const struct baseline *b, uint32_t i, struct learned_links *ret)
{
    const struct link *l = blink_at(b, i);
    char w[64];
    *ret = (struct learned_links){0};
    for (uint32_t k = 1; k <= b->links.high; k++) {
        const struct link *o = blink_at(b, k);
        if (!o->node.used || k == i || o->life.learned != FACT_LEARNED || o->net != l->net)
            continue;
        bool same = addr_eq(&o->client, &l->client);
        bool turned = !same && addr_eq(&o->client, &l->server) && addr_eq(&o->server, &l->client);
        ret->of_client += same;
        if (!(turned || (same && addr_eq(&o->server, &l->server))) || unanswered(o) || ++ret->of_pair > 3)
            continue;
        link_words(b, o, w);
        text_add(ret->pair, sizeof ret->pair, "%s%s%s", ret->of_pair > 1 ? ", " : "", w,
                 turned ? " the other way" : "");
    }
}

void text_link(struct baseline *b, struct deviation *d, uint32_t i)
{
    const struct link *l = blink_at(b, i);
    char client[WHO_TEXT], server[WHO_TEXT], what[64];
    struct learned_links known;
    learned_links(b, i, &known);
    text_who(b, l->net, &l->client, client);
    text_who(b, l->net, &l->server, server);
    link_words(b, l, what);
    bool tried = unanswered(l);
    d->paired = known.of_pair > 0;
    d->severity = tried || addr_is_group(&l->server) ? DEV_MINOR : DEV_MAJOR;
    uint32_t ci = asset_find(b, l->net, &l->client), si = asset_find(b, l->net, &l->server);
    bool silent = !addr_is_private(&l->server) && !addr_is_group(&l->server) &&
                  !site_zone(b->conf.site, l->net, &l->server);
    bool out = si ? asset_is_external(b, asset_at(b, si)) : silent;
    d->external = out != (ci && asset_is_external(b, asset_at(b, ci)));
    text_add(d->object, sizeof d->object, "%s", what);
    text_add(d->why, sizeof d->why, "first %s%s from %s to %s; ", what, tried ? " (not answered)" : "", client, server);
    if (d->paired)
        text_add(d->why, sizeof d->why, "learned between them: %s%s", known.pair, known.of_pair > 3 ? ", ..." : "");
    else
        text_add(d->why, sizeof d->why, "nothing is learned between them, %u links of this client to others",
                 known.of_client);
    text_add(d->expected, sizeof d->expected, "%s", d->paired ? known.pair : "no link between them");
    text_add(d->seen, sizeof d->seen, "%s", what);
    snprintf(d->accept, sizeof d->accept, "link:%016llx", (unsigned long long)l->id);
}

static void app_list(const struct baseline *b, const struct link *l, char *out, size_t n)
{
    *out = 0;
    for (unsigned k = 0; k < l->n_apps; k++)
        if (l->app_learned >> k & 1)
            text_add(out, n, "%s%s", *out ? ", " : "", b->apps[l->apps[k]].name);
}

void text_app(struct baseline *b, struct deviation *d, uint32_t i, int k)
{
    const struct link *l = blink_at(b, i);
    uint32_t partner = l->life.learned == FACT_LEARNED ? 0 : partner_link(b, l);
    const struct link *by = partner ? blink_at(b, partner) : l; /* what it is measured by */
    char client[WHO_TEXT], server[WHO_TEXT], apps[96], span[SPAN_TEXT];
    text_who(b, l->net, &l->client, client);
    text_who(b, l->net, &l->server, server);
    app_list(b, by, apps, sizeof apps);
    text_span(&by->life, span);
    d->app = b->apps[l->apps[k]].name;
    text_add(d->object, sizeof d->object, "%s", d->app);
    text_add(d->why, sizeof d->why, "first %s on the link from %s to %s port %u; learned %s%s %s", d->app,
             client, server, l->port, by == l ? "" : "of a redundant partner ", *apps ? apps : "no protocol", span);
    text_add(d->expected, sizeof d->expected, "%s", *apps ? apps : "no protocol");
    text_add(d->seen, sizeof d->seen, "%s", d->app);
    snprintf(d->accept, sizeof d->accept, "app:%016llx:%.26s", (unsigned long long)l->id, d->app);
}

void text_wrong_port(struct baseline *b, struct deviation *d, uint32_t i, const char *app)
{
    const struct link *l = blink_at(b, i);
    char client[WHO_TEXT], server[WHO_TEXT];
    text_who(b, l->net, &l->client, client);
    text_who(b, l->net, &l->server, server);
    d->app = b->apps[app_intern(b, app, NULL)].name;
    text_add(d->object, sizeof d->object, "%s", d->app);
    const char *what = strcmp(app, REC_APP_UNKNOWN) == 0 ? "a protocol that is not known" : d->app;
    text_add(d->why, sizeof d->why, "%s from %s to %s on port %u, which another protocol owns", what, client, server,
             l->port);
    text_add(d->expected, sizeof d->expected, "the protocol that owns port %u", l->port);
    text_add(d->seen, sizeof d->seen, "%s", what);
    snprintf(d->accept, sizeof d->accept, "app:%016llx:%.26s", (unsigned long long)l->id, d->app);
}
