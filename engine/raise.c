/* raise.c: findings to alerts: type, subject, sentences, marks. */
#include "engine/raise.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "baseline/deviation.h"
#include "engine/base/hash.h"
#include "engine/base/jw.h"
#include "engine/evjson.h"
#include "engine/outputs.h"
#include "rules/rules.h"
#include "store/store.h"

enum { MALFORMED_MANY = 10 /* malformed messages of one connection in one window: an alert of its own */ };

void raise_init(struct raise *r, const struct raise_conf *c)
{
    *r = (struct raise){.c = *c};
}

/* ---- who -------------------------------------------------------------------------------------------------------- */

static const char *hold(char *to, size_t cap, const char *s)
{
    if (!s)
        return NULL;
    snprintf(to, cap, "%s", s);
    return to;
}

bool raise_asset(const struct raise *r, uint16_t net, const struct addr *a, struct raise_asset *ret)
{
    struct asset_info i = {.purdue = -1};
    bool found = r->c.asset && r->c.asset(r->c.ctx, net, a, &i);
    const struct site_asset *told = r->c.site ? site_asset(r->c.site, net, a) : NULL;
    const struct site_zone *zone = r->c.site ? site_zone(r->c.site, net, a) : NULL;
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

/* What all alerts of an event or flow have in common. */
struct draft {
    struct alert_in in;
    struct raise_asset src, dst;
    char community[32];
    char subject[2 * ADDR_TEXT + 32], object[EV_OBJECT + 64], why[ALERT_TEXT], seen[ALERT_TEXT], title[256], accept[96];
};

static void sides(const struct raise *r, struct draft *d, uint16_t net, const struct addr *src, const struct addr *dst)
{
    char s[ADDR_TEXT] = "-", t[ADDR_TEXT] = "-";
    if (src) {
        addr_text(src, s);
        d->in.src = raise_asset(r, net, src, &d->src) ? &d->src.info : NULL;
    }
    if (dst) {
        addr_text(dst, t);
        d->in.dst = raise_asset(r, net, dst, &d->dst) ? &d->dst.info : NULL;
    }
    snprintf(d->subject, sizeof d->subject, "%u/%s>%s", net, s, t);
    d->in.subject = d->subject;
}

/* community_id of what has no event of its own, where both ports are known */
static void set_community(struct draft *d)
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

static void begin(const struct raise *r, struct draft *d, const struct alert_type *type, uint64_t ts_ns, uint64_t link)
{
    memset(&d->in, 0, sizeof d->in);
    d->in.type = type;
    d->in.ts_ns = ts_ns;
    d->in.severity = type->severity;
    d->in.mode = r->c.learning && r->c.learning(r->c.ctx, link) ? "learn" : "live";
    d->in.one_way = link && r->c.one_way && r->c.one_way(r->c.ctx, link);
    d->in.loss = r->loss;
    d->in.clock_bad = r->clock_bad;
}

static void begin_event(const struct raise *r, struct draft *d, const struct alert_type *type,
                        const struct rec_event *ev)
{
    if (r->c.event_json)
        r->c.event_json(r->c.ctx, (struct rec_event *)(uintptr_t)ev); /* the collector's own */
    begin(r, d, type, ev->ts_ns, ev->link);
    d->in.event = ev;
    d->in.one_way |= ev->one_way;
    sides(r, d, ev->net, &ev->src, &ev->dst);
}

/* Announced work and engineering stations lower and mark, they never hide. Only findings of policy: what breaks a
 * standard is not made right by a plan. */
static void mark(const struct raise *r, struct draft *d, uint16_t net, const struct addr *src, const struct addr *dst,
                 int action)
{
    const struct site *s = r->c.site;
    size_t n = strlen(d->why);
    if (!s || d->in.type->engine != AE_POLICY)
        return;
    const struct site_window *w = site_maintenance(s, d->in.ts_ns, net, src, dst, action);
    bool engineer = site_is_engineering_station(s, net, src);
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
    if (type == DEV_STATE_COMMAND || type == DEV_NEW_FUNCTION)
        return command_row(d, rows[type]);
    if (type == DEV_IDENTITY_CHANGED && strncmp(d->object, "program", 7) == 0)
        return AT_PROGRAM_CHANGED;
    return type < DEV_COUNT ? rows[type] : AT_NEW_LINK;
}

/* "; what followed: 2 links, 14 objects, 3 of them changing something" */
static void add_follow(struct draft *dr, const struct dev_follow *f)
{
    const struct {
        uint32_t n;
        const char *one, *many;
    } parts[] = {
        {f->assets, "device", "devices"},        {f->links, "link", "links"},
        {f->protocols, "protocol", "protocols"}, {f->units, "unit", "units"},
        {f->functions, "function", "functions"}, {f->objects, "object", "objects"},
        {f->errors, "error", "errors"},
    };
    size_t n = strlen(dr->why), cap = sizeof dr->why;
    bool first = true;
    for (unsigned i = 0; i < ARRAY_LEN(parts) && n < cap; i++)
        if (parts[i].n) {
            n += (size_t)snprintf(dr->why + n, cap - n, "%s%u %s",
                                  first ? "; with it came, also for the first time: " : ", ", parts[i].n,
                                  parts[i].n == 1 ? parts[i].one : parts[i].many);
            first = false;
        }
    if (!first && f->writes && n < cap)
        snprintf(dr->why + n, cap - n, "; %u of them change%s something", f->writes, f->writes == 1 ? "s" : "");
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

void raise_deviation(struct raise *r, const struct deviation *d)
{
    struct draft dr;
    const struct alert_type *type = &alert_types[row_of(d, d->type)];
    begin(r, &dr, type, d->last_ns, d->link);
    if (d->event && r->c.event_json)
        r->c.event_json(r->c.ctx, (struct rec_event *)(uintptr_t)d->event);
    dr.in.event = d->event;
    dr.in.one_way |= d->event && d->event->one_way;
    flow_of(d, &dr.in.flow);
    set_community(&dr);
    sides(r, &dr, d->net, dr.in.flow.has_src ? &d->src : NULL, dr.in.flow.has_dst ? &d->dst : NULL);
    dr.in.mode = "live"; /* what still learns is not judged */
    dr.in.severity = (uint8_t)(d->severity >= DEV_CRITICAL ? AS_CRITICAL : AS_WARNING + DEV_WARNING - d->severity);
    snprintf(dr.why, sizeof dr.why, "%s", d->why);
    add_follow(&dr, &d->follow);
    size_t n = strlen(dr.why);
    if (d->engineering && n < sizeof dr.why)
        snprintf(dr.why + n, sizeof dr.why - n, "; from an engineering station, so the severity is lowered");
    if (d->type == DEV_FLOOD) {
        snprintf(dr.title, sizeof dr.title, "%s: more than are told one by one", type->title);
        dr.in.title = dr.title;
    }
    if (d->accept[0]) {
        snprintf(dr.accept, sizeof dr.accept, "tyto baseline accept %s", d->accept);
        dr.in.accept = dr.accept;
    }
    dr.in.maintenance = d->maintenance;
    dr.in.why = dr.why;
    dr.in.expected = d->expected[0] ? d->expected : NULL;
    dr.in.seen = d->seen[0] ? d->seen : NULL;
    dr.in.fold = d->fold;
    dr.in.first_ns = d->first_ns;
    dr.in.count = d->count;
    dr.in.absolute = true;
    alert_raise(r->c.alerts, &dr.in);
}

/* ---- rules ------------------------------------------------------------------------------------------------------ */

/* "modbus write_single_register (write), unit 1, refused with status 2" */
static void describe(const struct rec_event *ev, char *out, size_t cap)
{
    char fn[FN_TEXT], unit[FN_TEXT];
    size_t n = 0;
    if (!ev->schema)
        return;
    schema_fn_text(ev->schema, ev->function, fn);
    n +=
        (size_t)snprintf(out, cap, "%s %s (%s)", ev->schema->name, ev->op ? ev->op->name : fn, action_name(ev->action));
    schema_unit_text(ev->schema, ev->unit, ev->sub, unit);
    if (ev->has_unit && n < cap)
        n += (size_t)snprintf(out + n, cap - n, ", %s %s", ev->schema->unit_is ? ev->schema->unit_is : "unit", unit);
    if (ev->error && n < cap) {
        const char *name = code_name(ev->schema->statuses, ev->status);
        n += (size_t)snprintf(out + n, cap - n, name ? ", refused: %2$s (%1$u)" : ", refused with status %u",
                              ev->status, name);
    }
}

static bool is_transfer(unsigned action)
{
    return action == ACT_DOWNLOAD || action == ACT_UPLOAD || action == ACT_FIRMWARE;
}

/* What makes two alerts of one rule (or anomaly) the same is finer here than in the alert's own subject and object. */
static uint64_t repeat_key(const struct rec_event *ev, uint64_t what)
{
    uint64_t k = hash_bytes(what, &ev->src, sizeof ev->src);
    k = hash_mix(k ^ ev->net, hash_bytes(what, &ev->dst, sizeof ev->dst));
    k = hash_mix(k ^ ev->function, (uint64_t)ev->unit << 32 | ev->sub);
    k = hash_mix(k ^ ev->action, ev->object ^ ev->selector);
    return k | 1;
}

/* True: it was counted in the open alert. With maintenance windows the severity depends on the time: no short cut. */
static bool repeated(struct raise *r, uint64_t key, uint64_t ts_ns, uint32_t count)
{
    const struct raise_repeat *p = &r->repeats[key >> 8 & (RAISE_REPEATS - 1)];
    return p->key == key && !(r->c.site && r->c.site->n_windows) && alert_repeat(r->c.alerts, p->fold, ts_ns, count);
}

static void remember(struct raise *r, uint64_t key)
{
    uint64_t fold = alert_last_fold(r->c.alerts);
    if (fold)
        r->repeats[key >> 8 & (RAISE_REPEATS - 1)] = (struct raise_repeat){key, fold};
}

void raise_rule(struct raise *r, const struct rec_event *ev, const struct rule_verdict *v)
{
    struct draft d;
    uint64_t key = repeat_key(ev, v->rule->sid);
    if (repeated(r, key, ev->ts_ns, v->count))
        return;
    const struct rule_info *info = v->rule;
    const struct alert_type type = {
        .id = info->id,
        .sid = info->sid,
        .rev = info->rev ? info->rev : 1,
        .engine = info->engine,
        .severity = info->severity,
        .learn = info->learnable ? AL_YES : AL_NO,
        .category = info->category ? info->category : alert_types[AT_RULE].category,
        .title = info->title,
        .attack = info->attack ? info->attack : "",
        .refs = info->refs ? info->refs : "",
        .remedy = info->remedy ? info->remedy : alert_types[AT_RULE].remedy,
    };
    begin_event(r, &d, &type, ev);
    snprintf(d.why, sizeof d.why, "%s", v->why[0] ? v->why : info->title);
    d.seen[0] = '\0';
    describe(ev, d.seen, sizeof d.seen);
    snprintf(d.object, sizeof d.object, "%u/%u/%u/%016llx", ev->function, ev->has_unit ? ev->unit : 0, ev->sub,
             (unsigned long long)ev->object);
    if (is_transfer(ev->action)) /* one program is many blocks in many messages */
        snprintf(d.object, sizeof d.object, "%s/%u", action_name(ev->action), ev->has_unit ? ev->unit : 0);
    if (info->threshold.count)
        snprintf(d.object, sizeof d.object, "-"); /* what was counted together is one alert */
    d.in.object = d.object;
    d.in.why = d.why;
    d.in.seen = d.seen[0] ? d.seen : NULL;
    d.in.count = v->count;
    d.in.first_ns = v->first_ns;
    mark(r, &d, ev->net, &ev->src, &ev->dst, ev->action);
    alert_raise(r->c.alerts, &d.in);
    remember(r, key);
}

/* ---- protocols -------------------------------------------------------------------------------------------------- */

/* An anomaly's severity counts upwards from 1, an alert's downwards to 1. */
static uint8_t anomaly_severity(unsigned severity)
{
    return (uint8_t)(severity >= 4 ? AS_CRITICAL : AS_WARNING + 1 - severity);
}

static const char *protocol_title(struct draft *d, const struct alert_type *type, const struct proto_schema *s)
{
    if (type->proto)
        return NULL;
    snprintf(d->title, sizeof d->title, "%s: message breaks the standard", s->title ? s->title : s->name);
    return d->title;
}

void raise_event_anomalies(struct raise *r, const struct rec_event *ev)
{
    if (!ev->schema || !ev->anomalies)
        return;
    const struct alert_type *type = alert_type_for_protocol(ev->schema->name);
    for (uint32_t bit = 0; bit < ev->schema->n_anomalies && bit < SCHEMA_MAX_ANOMALIES; bit++) {
        const struct anomaly_def *a = &ev->schema->anomalies[bit];
        struct draft d;
        if (!(ev->anomalies >> bit & 1) || !a->severity)
            continue;
        uint64_t key = repeat_key(ev, hash_bytes(bit, ev->schema->name, strlen(ev->schema->name)));
        if (repeated(r, key, ev->ts_ns, 1))
            continue;
        begin_event(r, &d, type, ev);
        d.in.title = protocol_title(&d, type, ev->schema);
        d.in.severity = anomaly_severity(a->severity);
        snprintf(d.why, sizeof d.why, "%s: %s", a->name, a->doc ? a->doc : "the standard is broken");
        d.seen[0] = '\0';
        describe(ev, d.seen, sizeof d.seen);
        d.in.why = d.why;
        d.in.seen = d.seen;
        d.in.anomaly = d.in.object = a->name;
        alert_raise(r->c.alerts, &d.in);
        remember(r, key);
    }
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
        .has_ports = n->l4 == PROTO_TCP || n->l4 == PROTO_UDP,
        .app = n->schema ? n->schema->name : NULL,
    };
}

static void raise_fault(struct raise *r, const struct rec_anomaly *n, const struct alert_type *type, const char *name,
                        const char *doc, uint8_t severity)
{
    struct draft d;
    begin(r, &d, type, n->ts_ns, n->link);
    anomaly_flow(n, &d.in.flow);
    set_community(&d);
    sides(r, &d, n->net, &n->src, &n->dst);
    if (n->schema)
        d.in.title = type == &alert_types[AT_MALFORMED] ? NULL : protocol_title(&d, type, n->schema);
    snprintf(d.why, sizeof d.why, "%s: %s; %u time%s in this connection within one window", name, doc, n->count,
             n->count == 1 ? "" : "s");
    d.in.severity = severity;
    d.in.why = d.why;
    d.in.anomaly = d.in.object = name;
    d.in.count = n->count;
    alert_raise(r->c.alerts, &d.in);
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
            raise_fault(r, n, &alert_types[AT_PACKET], faults[n->bit].name, faults[n->bit].doc, AS_MINOR);
        return;
    }
    if (n->bit >= n->schema->n_anomalies)
        return;
    const struct anomaly_def *a = &n->schema->anomalies[n->bit];
    if (!a->severity)
        return;
    const char *doc = a->doc ? a->doc : "the standard is broken";
    raise_fault(r, n, alert_type_for_protocol(n->schema->name), a->name, doc, anomaly_severity(a->severity));
    if (n->count >= MALFORMED_MANY)
        raise_fault(r, n, &alert_types[AT_MALFORMED], a->name, doc, AS_MAJOR);
}

/* ---- the sensor ------------------------------------------------------------------------------------------------- */

void raise_operational(struct raise *r, enum alert_row row, uint64_t ts_ns, const char *object, uint64_t count,
                       const char *why, ...)
{
    struct draft d;
    va_list ap;
    begin(r, &d, &alert_types[row], ts_ns, 0);
    va_start(ap, why);
    vsnprintf(d.why, sizeof d.why, why, ap);
    va_end(ap);
    d.in.why = d.why;
    d.in.subject = "sensor";
    d.in.object = object;
    d.in.count = count;
    alert_raise(r->c.alerts, &d.in);
}

static void date_text(uint64_t ns, char *to, uint32_t cap)
{
    struct jw w;
    jw_init(&w, to, cap - 1);
    jw_time(&w, ns);
    to[w.n] = 0;
}

void raise_tick(struct raise *r, const struct rec_tick *t)
{
    const char *why = r->c.store ? store_error(r->c.store) : NULL;
    r->loss = t->lossy;
    r->clock_bad = false;
    alerts_tick(r->c.alerts, t->ts_ns);
    if (t->jump_from_ns) {
        char from[40], to[40];
        date_text(t->jump_from_ns, from, sizeof from);
        date_text(t->jump_to_ns, to, sizeof to);
        r->clock_bad = true;
        raise_operational(r, AT_OPS_CLOCK, t->ts_ns, "clock", 1, "packet time jumped from %s to %s", from, to);
    }
    if (t->lossy)
        raise_operational(r, AT_OPS_LOSS, t->ts_ns, "capture", t->lost ? t->lost : 1,
                          "packets were lost in the window that ended now");
    if (why)
        raise_operational(r, AT_OPS_STORE, t->ts_ns, "database", 1, "the database cannot be written: %s", why);
    if (r->c.outputs)
        outputs_report(r->c.outputs, r, t->ts_ns);
    if (t->last)
        alerts_finish(r->c.alerts);
}
