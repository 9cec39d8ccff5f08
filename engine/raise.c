/* raise.c: findings to alerts: type, subject, sentences, marks. */
#include "engine/raise_int.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/evtext.h"
#include "engine/base/text.h"
#include "engine/evjson.h"

void raise_init(struct raise *r, const struct raise_conf *c)
{
    *r = (struct raise){.c = *c};
}

/* ---- who -------------------------------------------------------------------------------------------------------- */

static const char *hold(char *to, size_t cap, const char *s)
{
    if (!s)
        return NULL;
    size_t n = strnlen(s, cap - 1);
    memcpy(to, s, n);
    to[n] = '\0';
    return to;
}

/* By what is it told? */
static struct site_who who(const struct raise *r, uint16_t net, const struct addr *a, struct addr to[SITE_WHO])
{
    to[0] = *a;
    return r->c.who ? r->c.who(r->c.ctx, net, a, to) : (struct site_who){.a = to, .n = 1, .net = net};
}

bool raise_asset(const struct raise *r, uint16_t net, const struct addr *a, struct raise_asset *ret)
{
    struct asset_info i = {.purdue = -1};
    bool found = r->c.asset && r->c.asset(r->c.ctx, net, a, &i);
    struct addr as[SITE_WHO];
    const struct site_who w = who(r, net, a, as);
    const struct site_asset *told = r->c.site ? site_asset_of(r->c.site, &w) : NULL;
    const struct site_zone *zone = r->c.site ? site_zone_of(r->c.site, &w) : NULL;
    if (told) {
        i.name = told->name;
        i.type = told->type ? told->type : i.type;
        i.criticality = told->criticality ? told->criticality : i.criticality;
    }
    if (zone && !i.zone)
        i.zone = zone->name;
    if (zone && i.purdue < 0)
        i.purdue = zone->purdue;
    *ret = (struct raise_asset){.info = i};
    ret->info.name = hold(ret->name, sizeof ret->name, i.name);
    ret->info.type = hold(ret->type, sizeof ret->type, i.type);
    ret->info.vendor = hold(ret->vendor, sizeof ret->vendor, i.vendor);
    ret->info.zone = hold(ret->zone, sizeof ret->zone, i.zone);
    ret->info.criticality = hold(ret->criticality, sizeof ret->criticality, i.criticality);
    return found;
}

static char *put_addr(char *to, const struct addr *a)
{
    if (a)
        return to + addr_text(a, to);
    *to = '-';
    return to + 1;
}

void draft_subject(const struct raise *r, struct draft *d, uint16_t net, const struct addr *src, const struct addr *dst)
{
    static const char unnamed[] = "default";
    memcpy(d->net, unnamed, sizeof unnamed);
    if (r->c.site && net)
        site_network_name(r->c.site, net, d->net);
    char *p = text_put(d->subject, d->net);
    *p++ = '/';
    p = put_addr(p, src);
    *p++ = '>';
    *put_addr(p, dst) = '\0';
    d->in.subject = d->subject;
}

void draft_sides(const struct raise *r, struct draft *d, uint16_t net, const struct addr *src, const struct addr *dst)
{
    draft_subject(r, d, net, src, dst);
    if (src)
        d->in.src = raise_asset(r, net, src, &d->src) ? &d->src.info : NULL;
    if (dst)
        d->in.dst = raise_asset(r, net, dst, &d->dst) ? &d->dst.info : NULL;
}

void draft_community(struct draft *d)
{
    struct alert_flow *f = &d->in.flow;
    if (!f->has_src || !f->has_dst || !f->has_ports || !f->sport || !f->dport || addr_is_mac(&f->src) ||
        addr_is_mac(&f->dst))
        return;
    int c = memcmp(&f->src, &f->dst, sizeof f->src);
    bool src_low = c < 0 || (c == 0 && f->sport <= f->dport);
    struct flow_key k = {.lo = src_low ? f->src : f->dst,
                         .hi = src_low ? f->dst : f->src,
                         .lo_port = src_low ? f->sport : f->dport,
                         .hi_port = src_low ? f->dport : f->sport,
                         .proto = f->l4};
    community_id(&k, d->community);
    f->community = d->community;
}

void draft_begin(const struct raise *r, struct draft *d, const struct alert_type *type, uint64_t ts_ns, uint64_t link)
{
    memset(&d->in, 0, sizeof d->in);
    d->in.type = type;
    d->in.ts_ns = ts_ns;
    d->in.severity = type->severity;
    d->in.mode = r->c.learning && r->c.learning(r->c.ctx, link) ? "learn" : "live";
    d->in.one_way = link && r->c.one_way && r->c.one_way(r->c.ctx, link);
    d->in.loss = r->loss;
    d->in.clock_bad = r->clock_bad || r->c.untimed;
}

void draft_event(const struct raise *r, struct draft *d, const struct alert_type *type, struct rec_event *ev)
{
    if (r->c.event_json)
        r->c.event_json(r->c.ctx, ev);
    draft_begin(r, d, type, ev->ts_ns, ev->link);
    d->in.event = ev;
    d->in.one_way |= ev->one_way;
    draft_sides(r, d, ev->net, rec_client(ev), rec_server(ev));
}

void draft_accept(struct draft *d, bool itself, const char *facts)
{
    struct words w = words_in(d->accept, sizeof d->accept);
    if (!itself && !*facts)
        return;
    words_add(&w, "tyto baseline accept");
    if (itself)
        words_add(&w, " alert:%016llx",
                  (unsigned long long)alert_key(d->in.type->id, d->in.subject, d->in.object));
    if (*facts)
        words_add(&w, " %s", facts);
    d->in.accept = d->accept;
}

bool draft_accepted(const struct raise *r, const struct draft *d)
{
    return r->c.accepted && r->c.accepted(r->c.ctx, alert_key(d->in.type->id, d->in.subject, d->in.object));
}

/* Announced work and engineering stations lower and mark, they never hide. Only findings of policy: what breaks a
 * standard is not made right by a plan. */
void draft_mark(const struct raise *r, struct draft *d, uint16_t net, const struct addr *src, const struct addr *dst,
                 int action)
{
    const struct site *s = r->c.site;
    size_t n = strlen(d->why);
    if (!s || d->in.type->engine != AE_POLICY)
        return;
    struct addr src_as[SITE_WHO], dst_as[SITE_WHO];
    const struct site_who from = who(r, net, src, src_as), to = dst ? who(r, net, dst, dst_as) : from;
    const struct site_window *w = site_maintenance(s, d->in.ts_ns, &from, dst ? &to : NULL, action);
    bool engineer = site_is_station(s, &from);
    if (w)
        d->in.maintenance = w->name;
    if ((w || engineer) && d->in.severity < AS_WARNING)
        d->in.severity++;
    if (engineer && n < sizeof d->why)
        snprintf(d->why + n, sizeof d->why - n, "; from an engineering station, so the severity is lowered");
    else if (w && n < sizeof d->why)
        snprintf(d->why + n, sizeof d->why - n, "; during announced work, so the severity is lowered");
}

/* ---- the baseline ----------------------------------------------------------------------------------------------- */

static enum alert_row command_row(const struct deviation *d, enum alert_row other)
{
    switch (d->has_action ? d->action : ACT_OTHER) {
    case ACT_DOWNLOAD:
        return d->engineering ? AT_PROGRAM_DOWNLOAD_KNOWN : AT_PROGRAM_DOWNLOAD;
    case ACT_UPLOAD:
        return d->engineering ? AT_PROGRAM_UPLOAD_KNOWN : AT_PROGRAM_UPLOAD;
    case ACT_FIRMWARE:
        return d->engineering ? other : AT_FIRMWARE_UPDATE;
    default:
        return other;
    }
}

static enum alert_row row_of(const struct deviation *d, unsigned type)
{
    static const enum alert_row rows[DEV_COUNT] = {
        [DEV_NEW_ASSET] = AT_NEW_ASSET,
        [DEV_NEW_LINK] = AT_NEW_LINK,
        [DEV_NEW_PROTOCOL] = AT_NEW_PROTOCOL,
        [DEV_NEW_UNIT] = AT_NEW_UNIT,
        [DEV_NEW_FUNCTION] = AT_NEW_FUNCTION,
        [DEV_NEW_OBJECT] = AT_NEW_OBJECT,
        [DEV_NEW_ERROR] = AT_NEW_ERROR,
        [DEV_IDENTITY_CHANGED] = AT_IDENTITY_CHANGED,
        [DEV_FIRMWARE_CHANGED] = AT_FIRMWARE_CHANGED,
        [DEV_STATE_COMMAND] = AT_STATE_COMMAND,
        [DEV_STATE_CHANGED] = AT_STATE_CHANGED,
        [DEV_ADDRESS_CONFLICT] = AT_ADDRESS_CONFLICT,
        [DEV_ADDRESS_SCAN] = AT_ADDRESS_SCAN,
        [DEV_PORT_SCAN] = AT_PORT_SCAN,
        [DEV_CONTROLLER_SCAN] = AT_PLC_SCAN,
        [DEV_WRONG_PROTOCOL] = AT_WRONG_PROTOCOL,
    };
    _Static_assert(DEV_COUNT == DEV_FLOOD + 1 && DEV_FLOOD == 17, "every deviation has a row of the catalogue");
    if (type == DEV_FLOOD)
        return d->flood_of != DEV_FLOOD && d->flood_of < DEV_COUNT ? row_of(d, d->flood_of) : AT_NEW_LINK;
    if (d->external && (type == DEV_NEW_ASSET || type == DEV_NEW_LINK))
        return AT_INTERNET;
    if (type == DEV_NEW_LINK && d->paired) /* they do communicate: what is new is how */
        return AT_NEW_PROTOCOL;
    if (type == DEV_STATE_COMMAND || type == DEV_NEW_FUNCTION)
        return command_row(d, rows[type]);
    if (type == DEV_IDENTITY_CHANGED && strncmp(d->object, "program", 7) == 0)
        return AT_PROGRAM_CHANGED;
    return type < DEV_COUNT ? rows[type] : AT_NEW_LINK;
}

/* "; what followed: 2 links, 14 objects, 3 of them changing something" */
void raise_follow(char *why, size_t cap, const struct dev_follow *f)
{
    const struct {
        uint32_t n;
        const char *one, *many;
    } parts[] = {
        {f->assets, "device", "devices"},        {f->links, "link", "links"},
        {f->protocols, "protocol", "protocols"}, {f->units, "unit", "units"},
        {f->functions, "function", "functions"}, {f->objects, "object", "objects"},
        {f->errors, "error", "errors"},          {f->states, "change of state", "changes of state"},
    };
    size_t n = strlen(why);
    bool first = true;
    for (unsigned i = 0; i < ARRAY_LEN(parts) && n < cap; i++)
        if (parts[i].n) {
            n += (size_t)snprintf(why + n, cap - n, "%s%u %s",
                                  first ? "; with it came, also for the first time: " : ", ", parts[i].n,
                                  parts[i].n == 1 ? parts[i].one : parts[i].many);
            first = false;
        }
    if (!first && f->writes && n < cap)
        snprintf(why + n, cap - n, "; %u of them change%s something", f->writes, f->writes == 1 ? "s" : "");
}

static void flow_of(const struct deviation *d, struct alert_flow *f)
{
    static const struct addr none;
    *f = (struct alert_flow){
        .flow_id = d->flow_id,
        .src = d->src,
        .dst = d->dst,
        .sport = d->sport,
        .dport = d->dport,
        .vlan = {d->vlan},
        .n_vlan = d->vlan != 0,
        .iface = d->iface,
        .file = d->file,
        .frame = d->frame,
        .l4 = d->l4,
        .has_mac = d->has_mac,
        .has_src = !addr_eq(&d->src, &none),
        .has_dst = !addr_eq(&d->dst, &none),
        .has_ports = (d->l4 == PROTO_TCP || d->l4 == PROTO_UDP) && d->dport,
        .app = d->app,
    };
    memcpy(f->smac, d->smac, 6);
    memcpy(f->dmac, d->dmac, 6);
}

const struct alert_type *raise_type_of(const struct deviation *d)
{
    return &alert_types[row_of(d, d->type)];
}

uint8_t raise_severity_of(const struct deviation *d)
{
    return (uint8_t)(d->severity >= DEV_CRITICAL ? AS_CRITICAL : AS_WARNING + DEV_WARNING - d->severity);
}

/* Scans have no fact to learn: they are accepted as alerts, for what was scanned in that way by that source. */
static bool is_scan(const struct deviation *d)
{
    return d->type == DEV_ADDRESS_SCAN || d->type == DEV_PORT_SCAN || d->type == DEV_CONTROLLER_SCAN;
}

/* The key under which a scan of that type is accepted: by whom, and of what where it is one device. */
static uint64_t scan_key(const struct draft *dr, const struct deviation *d, unsigned type)
{
    char src[ADDR_TEXT], dst[ADDR_TEXT] = "-", subject[sizeof dr->subject];
    addr_text(&d->src, src);
    if (type == DEV_PORT_SCAN)
        addr_text(&d->dst, dst);
    snprintf(subject, sizeof subject, "%s/%s>%s", dr->net, src, dst);
    return alert_key(alert_types[row_of(d, type)].id, subject, "-");
}

/* One run of a tool is scans of several types: accepted together. True: all of them were. */
static bool scan_accepted(const struct raise *r, const struct draft *dr, const struct deviation *d)
{
    bool all = r->c.accepted && r->c.accepted(r->c.ctx, scan_key(dr, d, d->type));
    for (unsigned i = 0; all && i < ARRAY_LEN(d->also) && d->also[i]; i++)
        all = r->c.accepted(r->c.ctx, scan_key(dr, d, d->also[i]));
    return all;
}

static void accept_scan(struct draft *dr, const struct deviation *d)
{
    struct words w = words_in(dr->accept, sizeof dr->accept);
    words_add(&w, "tyto baseline accept alert:%016llx", (unsigned long long)scan_key(dr, d, d->type));
    for (unsigned i = 0; i < ARRAY_LEN(d->also) && d->also[i]; i++)
        words_add(&w, " alert:%016llx", (unsigned long long)scan_key(dr, d, d->also[i]));
    dr->in.accept = dr->accept;
}

/* What was seen: where a message did it, all that it did, with the values. */
static void see(const struct raise *r, struct draft *dr, const struct deviation *d)
{
    const struct event *ev = d->event && r->c.event ? r->c.event(r->c.ctx, d->event) : NULL;
    struct words w = words_in(dr->seen, sizeof dr->seen);
    if (ev)
        words_event(&w, ev);
    else
        words_add(&w, "%s", d->seen);
    dr->in.seen = dr->seen[0] ? dr->seen : "nothing";
}

void draft_deviation(const struct raise *r, struct draft *dr, const struct deviation *d)
{
    const struct alert_type *type = raise_type_of(d);
    draft_begin(r, dr, type, d->last_ns, d->link);
    if (d->event && r->c.event_json)
        r->c.event_json(r->c.ctx, (struct rec_event *)(uintptr_t)d->event);
    dr->in.event = d->event;
    dr->in.one_way |= d->event && d->event->one_way;
    flow_of(d, &dr->in.flow);
    draft_community(dr);
    const struct addr *src = dr->in.flow.has_src ? &d->src : NULL, *dst = dr->in.flow.has_dst ? &d->dst : NULL;
    if (d->event && src && dst && addr_eq(src, &d->event->src) && addr_eq(dst, &d->event->dst)) {
        src = rec_client(d->event);
        dst = rec_server(d->event);
    }
    draft_sides(r, dr, d->net, src, dst);
    dr->in.mode = "live"; /* what still learns is not judged */
    dr->in.severity = raise_severity_of(d);
    snprintf(dr->why, sizeof dr->why, "%s", d->why);
    raise_follow(dr->why, sizeof dr->why, &d->follow);
    if (d->type == DEV_FLOOD) {
        snprintf(dr->title, sizeof dr->title, "%s: more than are told one by one", type->title);
        dr->in.title = dr->title;
    }
    dr->in.object = d->object;
    for (unsigned i = 0; i < ARRAY_LEN(d->also) && d->also[i]; i++)
        dr->in.also[dr->in.n_also++] = &alert_types[row_of(d, d->also[i])];
    if (is_scan(d))
        accept_scan(dr, d);
    else
        draft_accept(dr, false, d->accept);
    dr->in.maintenance = d->maintenance;
    dr->in.why = dr->why;
    dr->in.expected = d->expected[0] ? d->expected : "nothing"; /* a value that was empty */
    see(r, dr, d);
    dr->in.fold = d->fold;
    dr->in.first_ns = d->first_ns;
    dr->in.count = d->count;
    dr->in.absolute = true;
}

void raise_deviation(struct raise *r, const struct deviation *d)
{
    struct draft dr;
    if (act_takes(r, d))
        return;
    draft_deviation(r, &dr, d);
    if (is_scan(d) && scan_accepted(r, &dr, d))
        return;
    size_t n = strlen(dr.why);
    if (d->engineering && n < sizeof dr.why)
        snprintf(dr.why + n, sizeof dr.why - n, "; from an engineering station, so the severity is lowered");
    alert_raise(r->c.alerts, &dr.in);
}

/* ---- protocols -------------------------------------------------------------------------------------------------- */

/* An anomaly's severity counts upwards from 1, an alert's downwards to 1. */
uint8_t raise_anomaly_severity(unsigned severity)
{
    return (uint8_t)(severity >= 4 ? AS_CRITICAL : AS_WARNING + 1 - severity);
}

const char *raise_protocol_title(struct draft *d, const struct alert_type *type, const struct proto_schema *s)
{
    if (type->proto)
        return NULL;
    snprintf(d->title, sizeof d->title, "%s: message breaks the standard", s->title ? s->title : s->name);
    return d->title;
}

static void anomaly_flow(const struct rec_anomaly *n, struct alert_flow *f)
{
    *f = (struct alert_flow){
        .flow_id = n->flow_id,
        .src = n->src,
        .dst = n->dst,
        .sport = n->sport,
        .dport = n->dport,
        .file = n->file,
        .frame = n->frame,
        .l4 = n->l4,
        .has_src = 1,
        .has_dst = 1,
        .has_ports = (n->l4 == PROTO_TCP || n->l4 == PROTO_UDP) && (n->sport | n->dport), /* pieces have none */
        .app = n->schema ? n->schema->name : NULL,
    };
}

/* count: what is new of it */
static void raise_fault(struct raise *r, const struct rec_anomaly *n, const struct alert_type *type, uint32_t count,
                        const char *name, const char *doc, uint8_t severity)
{
    struct draft d;
    draft_begin(r, &d, type, n->ts_ns, n->link);
    anomaly_flow(n, &d.in.flow);
    draft_community(&d);
    draft_sides(r, &d, n->net, &n->src, &n->dst);
    if (n->schema)
        d.in.title = type == &alert_types[AT_MALFORMED] ? NULL : raise_protocol_title(&d, type, n->schema);
    char src[ADDR_TEXT], dst[ADDR_TEXT];
    addr_text(&n->src, src);
    addr_text(&n->dst, dst);
    snprintf(d.why, sizeof d.why, "between %s and %s: %s: %s; %u time%s in this connection within one window", src, dst,
             name, doc, n->total, n->total == 1 ? "" : "s");
    snprintf(d.expected, sizeof d.expected, "%s without %s", type == &alert_types[AT_PACKET] ? "packets" : "messages",
             name);
    snprintf(d.seen, sizeof d.seen, "%s, %u time%s", name, n->total, n->total == 1 ? "" : "s");
    d.in.expected = d.expected;
    d.in.seen = d.seen;
    d.in.severity = severity;
    d.in.why = d.why;
    d.in.anomaly = d.in.object = name;
    d.in.count = count;
    if (draft_accepted(r, &d))
        return;
    draft_accept(&d, true, "");
    alert_raise(r->c.alerts, &d.in);
}

static void raise_breach(struct raise *r, const struct rec_anomaly *n, const struct anomaly_def *a)
{
    const struct alert_type *type = alert_type_for_protocol(n->schema->name), *many = &alert_types[AT_MALFORMED];
    const char *doc = a->doc ? a->doc : "the standard is broken";
    raise_fault(r, n, type, n->count, a->name, doc, raise_anomaly_severity(a->severity));
    if (n->total >= REC_REPEAT_MANY)
        raise_fault(r, n, many, n->total - n->count < REC_REPEAT_MANY ? n->total : n->count, a->name, doc, AS_MAJOR);
}

void raise_anomaly(struct raise *r, const struct rec_anomaly *n)
{
    static const struct {
        const char *name, *doc;
    } faults[FAULT_COUNT] = {
        [FAULT_HEADER] = {"bad_header", "a header contradicts itself or the packet's length"},
        [FAULT_FRAGMENTS] = {"fragments_contradict",
                             "fragments of one datagram overlap with different bytes (RFC 5722)"},
        [FAULT_NESTED] = {"nested_too_deep", "more headers are nested than any network needs"},
        [FAULT_SEGMENTS] = {"segments_contradict", "TCP segments overlap with different bytes (RFC 9293 3.10.7.4)"},
    };
    if (!n->schema) {
        if (n->bit < FAULT_COUNT)
            raise_fault(r, n, &alert_types[AT_PACKET], n->count, faults[n->bit].name, faults[n->bit].doc, AS_MINOR);
        return;
    }
    if (n->bit >= n->schema->n_anomalies)
        return;
    const struct anomaly_def *a = &n->schema->anomalies[n->bit];
    if (a->severity)
        raise_breach(r, n, a);
}
