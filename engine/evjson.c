#include "engine/evjson.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/sha1.h"

void community_id(const struct flow_key *k, char out[32])
{
    static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bool v4 = addr_is_v4(&k->lo);
    unsigned n = v4 ? 4 : 16, skip = 16 - n, at = 2;
    uint8_t m[48] = {0}, d[21] = {0};
    out[0] = 0;
    if (k->proto == PROTO_ETH)
        return;
    /* lo < hi as 16 bytes is the order that the specification asks for; equal addresses by port */
    memcpy(m + at, k->lo.b + skip, n);
    memcpy(m + at + n, k->hi.b + skip, n);
    at += 2 * n;
    m[at] = k->proto;
    at += 2;
    if (k->proto == PROTO_TCP || k->proto == PROTO_UDP || k->proto == 132) {
        m[at] = (uint8_t)(k->lo_port >> 8), m[at + 1] = (uint8_t)k->lo_port;
        m[at + 2] = (uint8_t)(k->hi_port >> 8), m[at + 3] = (uint8_t)k->hi_port;
        at += 4;
    }
    sha1_short(m, at, d);
    char *p = out;
    *p++ = '1', *p++ = ':';
    for (unsigned i = 0; i < 21; i += 3) {
        uint32_t v = (uint32_t)d[i] << 16 | (uint32_t)d[i + 1] << 8 | d[i + 2];
        for (unsigned q = 0; q < 4; q++)
            *p++ = b64[v >> (18 - 6 * q) & 63];
    }
    p[-1] = '='; /* 20 bytes: 27 digits and a pad */
    *p = 0;
}

/* Readers of JSON take no larger integers. */
static void put_uint(struct jw *w, uint64_t v)
{
    if (v > INT64_MAX)
        jw_u64_text(w, v);
    else
        jw_u64(w, v);
}

static void value(struct jw *w, const struct val *v)
{
    switch (v->type) {
    case VAL_UINT:
        put_uint(w, v->u);
        break;
    case VAL_INT:
        jw_i64(w, v->i);
        break;
    case VAL_DOUBLE:
        jw_f64(w, v->d);
        break;
    case VAL_BOOL:
        jw_bool(w, v->u);
        break;
    case VAL_TEXT:
        jw_text(w, v->s);
        break;
    case VAL_BYTES:
        jw_hex(w, v->s);
        break;
    case VAL_TIME:
        jw_time(w, v->u);
        break;
    case VAL_NONE:
        jw_null(w);
        break;
    }
}

static void quality(struct jw *w, const struct proto_schema *s, uint32_t bits)
{
    char t[256];
    uint32_t n = 0;
    for (unsigned b = 0; s->qualities && s->qualities[b] && b < 32; b++)
        if (bits >> b & 1 && n + strlen(s->qualities[b]) + 2 < sizeof t)
            n += (uint32_t)snprintf(t + n, sizeof t - n, "%s%s", n ? "," : "", s->qualities[b]);
    if (n)
        jw_text(w, (struct span){(const uint8_t *)t, n});
    else
        jw_str(w, "good");
}

static void item_quality(struct jw *w, const struct proto_schema *s, const struct item *it, uint32_t shown)
{
    uint32_t first = item_quality_bits(s, it, 0);
    bool same = true;
    if (!s->qualities || !first)
        return; /* a protocol with qualities has objects without, too: nothing is said of theirs */
    for (uint32_t k = 1; k < shown && it->v.qual_off >= 0; k++)
        same &= item_quality_bits(s, it, k) == first;
    jw_key(w, "quality");
    if (same) {
        quality(w, s, first);
        return;
    }
    jw_open(w, '[');
    for (uint32_t k = 0; k < shown; k++)
        quality(w, s, item_quality_bits(s, it, k));
    jw_close(w, ']');
}

/* A device's own time tags: one of a value, a list of several. */
static void item_time(struct jw *w, const struct item *it, uint32_t shown)
{
    struct val t = {.type = VAL_TIME};
    if (it->v.time_enc == VE_NONE || !shown)
        return;
    jw_key(w, "time");
    if (it->v.n > 1)
        jw_open(w, '[');
    for (uint32_t k = 0; k < shown; k++)
        if (vals_time(&it->v, k, &t.u))
            value(w, &t);
        else
            jw_null(w);
    if (it->v.n > 1)
        jw_close(w, ']');
}

static void put_code(struct jw *w, const char *key, const struct code_name *names, uint32_t code, const char *zero)
{
    const char *n = code == 0 && zero ? zero : code_name(names, code);
    jw_key(w, key);
    if (n)
        jw_str(w, n);
    else
        jw_u64_text(w, code);
}

static void item(struct jw *w, const struct event *e, const struct item *it, uint32_t *budget, bool with_values)
{
    char t[EV_OBJECT];
    unsigned n = item_text(e->schema, it, t);
    struct val v;
    jw_open(w, '{');
    jw_key(w, "object");
    jw_text(w, (struct span){(const uint8_t *)t, n});
    jw_kv_str(w, "action", action_name(it->action));
    uint32_t shown = it->v.n < *budget ? it->v.n : *budget;
    if (it->v.enc != VE_NONE && with_values) {
        jw_key_open(w, "values", '[');
        for (uint32_t k = 0; k < shown && vals_get(&it->v, k, &v); k++)
            value(w, &v);
        jw_close(w, ']');
        if (shown < it->v.n)
            jw_kv_u64(w, "values_total", it->v.n);
        *budget -= shown;
        item_time(w, it, shown);
        item_quality(w, e->schema, it, shown);
    } else if (it->quality) {
        item_quality(w, e->schema, it, 0);
    }
    if (it->status != ITEM_STATUS_NONE)
        put_code(w, "status", e->schema->statuses, it->status, "ok");
    jw_close(w, '}');
}

static void field_value(struct jw *w, const struct field_def *d, const struct field *f)
{
    struct addr a;
    const char *name;
    switch ((enum field_type)d->type) {
    case FT_UINT:
        put_uint(w, f->v.u);
        break;
    case FT_INT:
        jw_i64(w, f->v.i);
        break;
    case FT_HEX:
        jw_hex_text(w, f->v.u);
        break;
    case FT_BOOL:
        jw_bool(w, f->v.u);
        break;
    case FT_DOUBLE:
        jw_f64(w, f->v.d);
        break;
    case FT_TEXT:
        jw_text(w, f->v.s);
        break;
    case FT_BYTES:
        jw_hex(w, f->v.s);
        break;
    case FT_IPV4:
        a = addr_v4(
            (uint8_t[4]){(uint8_t)(f->v.u >> 24), (uint8_t)(f->v.u >> 16), (uint8_t)(f->v.u >> 8), (uint8_t)f->v.u});
        jw_addr(w, &a);
        break;
    case FT_TIME:
        jw_time(w, f->v.u);
        break;
    case FT_NAME:
        name = code_name(d->names, (uint32_t)f->v.u);
        if (name)
            jw_str(w, name);
        else /* codes of names have 32 bits; a negative one is no larger */
            jw_u64(w, (uint32_t)f->v.u);
        break;
    }
}

static bool same_group(const char *a, const char *b)
{
    return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

/* The last of several plain fields of one id holds; array fields are gathered at the first. */
static bool skip_field(const struct event *e, unsigned i, bool array)
{
    unsigned from = array ? 0 : i + 1, to = array ? i : e->n_fields;
    for (unsigned k = from; k < to; k++)
        if (e->fields[k].id == e->fields[i].id)
            return true;
    return false;
}

static void group(struct jw *w, const struct event *e, const char *name)
{
    const struct proto_schema *s = e->schema;
    jw_key_open(w, name ? name : s->name, '{');
    for (unsigned i = 0; i < e->n_fields; i++) {
        const struct field_def *d = &s->fields[e->fields[i].id];
        if (!same_group(d->group, name) || skip_field(e, i, d->array))
            continue;
        jw_key(w, d->key);
        if (!d->array) {
            field_value(w, d, &e->fields[i]);
            continue;
        }
        jw_open(w, '[');
        for (unsigned k = i; k < e->n_fields; k++)
            if (e->fields[k].id == e->fields[i].id)
                field_value(w, d, &e->fields[k]);
        jw_close(w, ']');
    }
    jw_close(w, '}');
}

/* The protocol's own objects: the main one always, the sibling groups that have fields. */
static void groups(struct jw *w, const struct event *e)
{
    group(w, e, NULL);
    for (unsigned i = 0; i < e->n_fields; i++) {
        const char *g = e->schema->fields[e->fields[i].id].group;
        bool first = g != NULL;
        for (unsigned k = 0; k < i && first; k++)
            first = !same_group(e->schema->fields[e->fields[k].id].group, g);
        if (first)
            group(w, e, g);
    }
}

static void function(struct jw *w, const struct event *e, const char *key, uint32_t fn)
{
    char t[FN_TEXT];
    jw_key(w, key);
    if (fn == FN_NONE) {
        jw_null(w);
        return;
    }
    schema_fn_text(e->schema, fn, t);
    jw_str(w, t);
}

static void messages(struct jw *w, const struct evjson_env *env, const struct event *e, uint16_t file)
{
    jw_key_open(w, "messages", '[');
    for (unsigned i = 0; i < e->n_msgs; i++) {
        jw_open(w, '{');
        jw_kv_u64(w, "frame", e->msgs[i].frame);
        function(w, e, "function", e->msgs[i].function);
        if (e->msgs[i].file != file && env->file_name && env->file_name(env->name_arg, e->msgs[i].file))
            jw_kv_str(w, "pcap_filename", env->file_name(env->name_arg, e->msgs[i].file));
        jw_close(w, '}');
    }
    jw_close(w, ']');
}

static void error_of(struct jw *w, const struct event *e)
{
    if (!e->error) {
        jw_key(w, "error");
        jw_null(w);
    } else if (e->error_name) {
        jw_kv_str(w, "error", e->error_name);
    } else {
        put_code(w, "error", e->schema->statuses, e->status, NULL);
    }
}

static void ot(struct jw *w, const struct evjson_env *env, const struct event *e, uint16_t file, bool with_values)
{
    uint32_t budget = EV_VALUES_SHOWN;
    jw_key_open(w, "ot", '{');
    jw_kv_str(w, "kind", ev_kind_name(e->kind));
    jw_key(w, "tx_id");
    jw_id(w, e->tx_id);
    messages(w, env, e, file);
    function(w, e, "function", e->function);
    jw_kv_str(w, "function_name", e->op ? e->op->name : NULL);
    jw_kv_str(w, "action", action_name(e->action));
    if (e->has_unit && e->schema->unit_text) {
        char t[FN_TEXT];
        e->schema->unit_text(e->unit, e->sub, t);
        jw_kv_str(w, "unit", t);
    } else if (e->has_unit) {
        jw_key(w, "unit");
        jw_u64_text(w, e->unit);
    }
    if (e->sub && !e->schema->unit_text)
        jw_kv_u64(w, "slot", e->sub - 1);
    jw_key_open(w, "objects", '[');
    for (unsigned i = 0; i < e->n_items; i++)
        item(w, e, &e->items[i], &budget, with_values);
    jw_close(w, ']');
    jw_kv_u64(w, "objects_total", e->items_total);
    if (e->has_status)
        put_code(w, "status", e->schema->statuses, e->status, "ok");
    else
        jw_kv_str(w, "status", e->error ? e->error_name ? e->error_name : "error"
                               : e->kind == EV_TRANSACTION ? "ok" : NULL);
    error_of(w, e);
    jw_kv_str(w, "outcome", ev_outcome_name(e->outcome));
    if (e->phase)
        jw_kv_str(w, "phase", ev_phase_name(e->phase));
    if (e->kind == EV_TRANSACTION)
        jw_kv_u64(w, "latency_us", e->latency_ns / 1000);
    jw_kv_str(w, "sender", e->from_client ? "src" : "dest");
    jw_key_open(w, "anomalies", '[');
    for (unsigned b = 0; b < e->schema->n_anomalies; b++)
        if (e->anomalies >> b & 1)
            jw_str(w, e->schema->anomalies[b].name);
    jw_close(w, ']');
    if (e->truncated)
        jw_kv_bool(w, "truncated", true);
    jw_close(w, '}');
}

static void addresses(struct jw *w, const struct rec_event *r)
{
    static const uint8_t none[6];
    bool ip = r->l4 != PROTO_ETH;
    if (ip) {
        jw_kv_addr(w, "src_ip", &r->src);
        if (r->l4 == PROTO_TCP || r->l4 == PROTO_UDP)
            jw_kv_u64(w, "src_port", r->sport);
        jw_kv_addr(w, "dest_ip", &r->dst);
        if (r->l4 == PROTO_TCP || r->l4 == PROTO_UDP)
            jw_kv_u64(w, "dest_port", r->dport);
    }
    if (r->has_mac && (memcmp(r->smac, none, 6) || memcmp(r->dmac, none, 6))) {
        jw_key_open(w, "ether", '{');
        if (memcmp(r->smac, none, 6)) { /* Linux cooked captures tell the sender's alone */
            jw_key(w, "src_mac");
            jw_mac(w, r->smac);
        }
        if (memcmp(r->dmac, none, 6)) {
            jw_key(w, "dest_mac");
            jw_mac(w, r->dmac);
        }
        jw_close(w, '}');
    }
    if (r->n_vlan) {
        jw_key_open(w, "vlan", '[');
        for (unsigned i = 0; i < r->n_vlan && i < 2; i++)
            jw_u64(w, r->vlan[i]);
        jw_close(w, ']');
    }
    jw_kv_str(w, "proto", r->l4 == PROTO_TCP ? "TCP" : r->l4 == PROTO_UDP ? "UDP" : ip ? "ICMP" : "ETH");
}

uint32_t evjson_write(const struct evjson_env *env, const struct event *e, struct rec_event *r, char *buf, uint32_t cap,
                      bool with_values)
{
    struct jw w;
    jw_init(&w, buf, cap);
    jw_open(&w, '{');
    jw_kv_time(&w, "timestamp", r->ts_ns);
    if (env->host)
        jw_kv_str(&w, "host", env->host);
    if (env->in_iface && *env->in_iface)
        jw_kv_str(&w, "in_iface", env->in_iface);
    jw_key(&w, "event_type");
    r->json_type_off = w.n;
    jw_str(&w, e->schema->name);
    r->json_type_len = w.n - r->json_type_off;
    jw_kv_u64(&w, "flow_id", r->flow_id);
    if (env->community && *env->community)
        jw_kv_str(&w, "community_id", env->community);
    jw_kv_u64(&w, "pcap_cnt", r->frame);
    const char *file = env->file_name ? env->file_name(env->name_arg, r->file) : NULL;
    if (file)
        jw_kv_str(&w, "pcap_filename", file);
    addresses(&w, r);
    jw_kv_str(&w, "app_proto", env->app_proto);
    ot(&w, env, e, r->file, with_values);
    groups(&w, e);
    jw_close(&w, '}');
    return jw_ok(&w) ? w.n : 0;
}
