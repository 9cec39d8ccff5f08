/* alert_json.c: the record of an alert: the event's own record (or address fields of the same names) with event_type
 * "alert", the EVE `alert` object and the `tyto` object. */
#include "alerts/alert_int.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/attack.h"

static void put_raw(struct jw *w, const void *p, uint32_t n)
{
    bool comma = w->comma;
    w->comma = false;
    jw_raw(w, p, n);
    w->comma = comma;
}

/* The event's line up to its last brace, its type replaced. */
static bool take_event(struct jw *w, const struct rec_event *ev)
{
    static const char type[] = "\"alert\"";
    uint32_t end = ev->json_type_off + ev->json_type_len, n = ev->json.n;
    if (!ev->json.p || n < 2 || ev->json.p[n - 1] != '}' || end > n - 1 || end < ev->json_type_off)
        return false;
    put_raw(w, ev->json.p, ev->json_type_off);
    put_raw(w, type, sizeof type - 1);
    put_raw(w, ev->json.p + end, n - 1 - end);
    w->comma = true;
    return true;
}

static struct alert_flow flow_of(const struct rec_event *ev)
{
    struct alert_flow f = {.flow_id = ev->flow_id,
                           .src = ev->src,
                           .dst = ev->dst,
                           .sport = ev->sport,
                           .dport = ev->dport,
                           .vlan = {ev->vlan[0], ev->vlan[1]},
                           .iface = ev->iface,
                           .file = ev->file,
                           .frame = ev->frame,
                           .l4 = ev->l4,
                           .n_vlan = ev->n_vlan,
                           .has_mac = ev->has_mac,
                           .has_src = 1,
                           .has_dst = 1,
                           .has_ports = ev->l4 == PROTO_TCP || ev->l4 == PROTO_UDP,
                           .app = ev->schema ? ev->schema->name : NULL};
    memcpy(f.smac, ev->smac, 6);
    memcpy(f.dmac, ev->dmac, 6);
    return f;
}

static const char *proto_name(uint8_t l4)
{
    switch (l4) {
    case PROTO_TCP:
        return "TCP";
    case PROTO_UDP:
        return "UDP";
    case PROTO_ICMP:
    case PROTO_ICMP6:
        return "ICMP";
    case PROTO_ETH:
        return "ETH";
    default:
        return NULL;
    }
}

static void put_side(struct jw *w, bool has, const struct addr *a, const char *ip, const char *port, bool has_port,
                     uint16_t v)
{
    if (!has || addr_is_mac(a) || addr_is_station(a))
        return;
    jw_kv_addr(w, ip, a);
    if (has_port)
        jw_kv_u64(w, port, v);
}

static void put_ether(struct jw *w, const struct alert_flow *f)
{
    const uint8_t *src = f->has_mac ? f->smac : f->has_src && addr_is_mac(&f->src) ? f->src.b + 10 : NULL;
    const uint8_t *dst = f->has_mac ? f->dmac : f->has_dst && addr_is_mac(&f->dst) ? f->dst.b + 10 : NULL;
    static const uint8_t zero[6];
    if (!src && !dst)
        return;
    jw_key_open(w, "ether", '{');
    if (src && memcmp(src, zero, 6) != 0) {
        jw_key(w, "src_mac");
        jw_mac(w, src);
    }
    if (dst && memcmp(dst, zero, 6) != 0) {
        jw_key(w, "dest_mac");
        jw_mac(w, dst);
    }
    jw_close(w, '}');
}

static void put_name(struct jw *w, const char *key, const char *(*name)(const void *, unsigned), const void *arg,
                     unsigned i)
{
    const char *s = name ? name(arg, i) : NULL;
    if (s && *s) /* an interface without a name is left out, as in events */
        jw_kv_str(w, key, s);
}

static void put_flow(struct jw *w, const struct alert_conf *c, const struct alert_in *in, const struct alert_flow *f)
{
    jw_open(w, '{');
    jw_kv_time(w, "timestamp", in->ts_ns);
    if (c->host && *c->host)
        jw_kv_str(w, "host", c->host);
    put_name(w, "in_iface", f->frame ? c->iface_name : NULL, c->name_arg, f->iface);
    jw_kv_str(w, "event_type", "alert");
    if (f->flow_id)
        jw_kv_u64(w, "flow_id", f->flow_id);
    if (f->community && *f->community)
        jw_kv_str(w, "community_id", f->community);
    if (f->frame)
        jw_kv_u64(w, "pcap_cnt", f->frame);
    put_name(w, "pcap_filename", f->frame ? c->file_name : NULL, c->name_arg, f->file);
    put_side(w, f->has_src, &f->src, "src_ip", "src_port", f->has_ports, f->sport);
    put_side(w, f->has_dst, &f->dst, "dest_ip", "dest_port", f->has_ports, f->dport);
    put_ether(w, f);
    if (f->n_vlan) {
        jw_key_open(w, "vlan", '[');
        for (unsigned i = 0; i < f->n_vlan && i < 2; i++)
            jw_u64(w, f->vlan[i]);
        jw_close(w, ']');
    }
    if (f->l4 && proto_name(f->l4))
        jw_kv_str(w, "proto", proto_name(f->l4));
    if (f->app)
        jw_kv_str(w, "app_proto", f->app);
}

/* "T0836 T0861" one by one */
static const char *next_word(const char *s, char out[16])
{
    unsigned n = 0;
    while (*s == ' ')
        s++;
    if (!*s)
        return NULL;
    for (; *s && *s != ' '; s++)
        if (n < 15)
            out[n++] = *s;
    out[n] = '\0';
    return s;
}

static const struct alert_type *type_at(const struct alert_in *in, uint32_t i)
{
    return i ? in->also[i - 1] : in->type;
}

/* Is that technique one of the first n types'? */
static bool attack_before(const struct alert_in *in, uint32_t n, const char *id)
{
    char other[16];
    for (uint32_t i = 0; i < n; i++)
        for (const char *s = type_at(in, i)->attack; s && (s = next_word(s, other));)
            if (strcmp(other, id) == 0)
                return true;
    return false;
}

/* The techniques of all types, each once. */
static void put_attack(struct jw *w, const char *key, const struct alert_in *in, bool names)
{
    char id[16];
    jw_key_open(w, key, '[');
    for (uint32_t i = 0; i <= in->n_also; i++)
        for (const char *s = type_at(in, i)->attack; s && (s = next_word(s, id));) {
            const struct attack_technique *t = names ? attack_by_id(id) : NULL;
            if ((!names || t) && !attack_before(in, i, id))
                jw_str(w, names ? t->name : id);
        }
    jw_close(w, ']');
}

static void put_ids(struct jw *w, const char *key, const struct alert_in *in, uint32_t from)
{
    jw_key_open(w, key, '[');
    for (uint32_t i = from; i <= in->n_also; i++)
        jw_str(w, type_at(in, i)->id);
    jw_close(w, ']');
}

static void put_alert(struct jw *w, const struct alert_in *in, uint8_t severity, struct alert_text *ret)
{
    const struct alert_type *t = in->type;
    jw_key_open(w, "alert", '{');
    jw_kv_str(w, "action", "allowed");
    jw_kv_u64(w, "gid", 1);
    jw_kv_u64(w, "signature_id", t->sid);
    jw_kv_u64(w, "rev", t->rev);
    jw_kv_str(w, "signature", in->title ? in->title : t->title);
    jw_kv_str(w, "category", t->category);
    jw_kv_u64(w, "severity", severity);
    ret->severity_at = w->n - 1; /* one digit */
    jw_key_open(w, "metadata", '{');
    put_ids(w, "tyto_id", in, 0);
    put_attack(w, "mitre_technique_id", in, false);
    put_attack(w, "mitre_technique_name", in, true);
    jw_close(w, '}');
    jw_close(w, '}');
}

static void put_asset(struct jw *w, const char *key, const struct asset_info *a)
{
    char id[17];
    jw_key(w, key);
    if (!a || !a->id) {
        jw_null(w);
        return;
    }
    snprintf(id, sizeof id, "%016llx", (unsigned long long)a->id);
    jw_open(w, '{');
    jw_kv_str(w, "id", id);
    jw_kv_str(w, "name", a->name);
    jw_kv_str(w, "type", a->type);
    jw_kv_str(w, "vendor", a->vendor);
    jw_kv_str(w, "zone", a->zone);
    jw_key(w, "purdue");
    if (a->purdue < 0)
        jw_null(w);
    else if (a->purdue >= 10)
        jw_f64(w, a->purdue / 10.0);
    else
        jw_u64(w, (uint64_t)a->purdue);
    jw_kv_str(w, "criticality", a->criticality);
    jw_close(w, '}');
}

static void put_evidence(struct jw *w, const struct alert_conf *c, const struct alert_in *in, uint64_t uid)
{
    const struct rec_event *ev = in->event;
    uint32_t frame = ev ? ev->frame : in->flow.frame, most = c->evidence_bytes ? c->evidence_bytes : 64;
    jw_key_open(w, "evidence", '{');
    jw_key_open(w, "frames", '[');
    for (uint32_t i = 0; i < in->n_frames && i < ALERT_MAX_FRAMES; i++)
        jw_u64(w, in->frames[i]);
    if (!in->n_frames && frame)
        jw_u64(w, frame);
    jw_close(w, ']');
    jw_key(w, "bytes");
    if (ev && ev->bytes.n) {
        jw_hex(w, (struct span){.p = ev->bytes.p, .n = ev->bytes.n < most ? ev->bytes.n : most});
    } else {
        jw_null(w);
    }
    jw_key(w, "offset");
    if (ev && ev->bytes.n && ev->offset)
        jw_u64(w, ev->offset);
    else
        jw_null(w); /* put together from several packets */
    jw_kv_str(w, "capture", c->capture ? c->capture(c->capture_ctx, in, uid) : NULL);
    jw_close(w, '}');
}

void alert_render_numbers(struct jw *w, const struct open_alert *o)
{
    jw_kv_u64(w, "update", o->update);
    jw_kv_time(w, "first_seen", o->first_ns);
    jw_kv_time(w, "last_seen", o->last_ns);
    jw_kv_u64(w, "count", o->count);
}

static void put_tyto(struct jw *w, const struct alert_conf *c, const struct alert_in *in, uint64_t uid,
                     struct alert_text *ret)
{
    const struct alert_type *t = in->type;
    char hex[17];
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)uid);
    jw_key_open(w, "tyto", '{');
    jw_kv_str(w, "id", t->id);
    jw_kv_str(w, "engine", alert_engine_name(t->engine));
    jw_kv_str(w, "alert_uid", hex);
    ret->head_len = w->n; /* here stand, from update to count, the numbers */
    jw_kv_bool(w, "learnable", in->accept != NULL); /* true: `accept` says how */
    jw_kv_str(w, "mode", in->mode ? in->mode : "live");
    put_attack(w, "attack_ics", in, false);
    put_ids(w, "also", in, 1);
    put_asset(w, "src_asset", in->src);
    put_asset(w, "dest_asset", in->dst);
    jw_key(w, "why");
    ret->why_at = w->n;
    jw_str(w, in->why);
    ret->why_len = w->n - ret->why_at;
    jw_kv_str(w, "expected", in->expected);
    jw_kv_str(w, "seen", in->seen);
    if (in->anomaly)
        jw_kv_str(w, "anomaly", in->anomaly);
    put_evidence(w, c, in, uid);
    jw_key_open(w, "quality", '{');
    jw_kv_bool(w, "loss", in->loss);
    jw_kv_bool(w, "one_way", in->one_way);
    jw_kv_bool(w, "clock_ok", !in->clock_bad);
    jw_close(w, '}');
    jw_kv_str(w, "maintenance", in->maintenance);
    jw_kv_str(w, "remedy", t->remedy);
    jw_kv_str(w, "accept", in->accept);
    jw_close(w, '}');
}

bool alert_render(struct jw *w, const struct alert_conf *c, const struct alert_in *in, uint64_t uid, uint8_t severity,
                  bool with_event, struct alert_text *ret)
{
    if (with_event) {
        if (!take_event(w, in->event))
            return false;
    } else if (in->event) {
        struct alert_flow f = flow_of(in->event);
        put_flow(w, c, in, &f);
    } else {
        put_flow(w, c, in, &in->flow);
    }
    put_alert(w, in, severity, ret);
    put_tyto(w, c, in, uid, ret);
    jw_close(w, '}');
    ret->line_len = w->n;
    return jw_ok(w);
}
