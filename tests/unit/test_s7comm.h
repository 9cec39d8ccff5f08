/* test_s7comm.h: feeds hex PDUs to the S7comm dissector through the real runtime; what comes out is text. */
#pragma once

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "dissectors/runtime.h"

extern const struct dissector dissector_s7comm;

struct s7bench {
    struct dis_rt rt;
    struct flow_rt fr;
    struct event ev;
    struct flow_key key;
    struct layers lay[2];
    uint64_t state[DIS_FLOW_STATE / 8];
    uint64_t now;
    uint32_t frame;
    uint8_t dir[2]; /* of the two sides, as learned */
    uint8_t on_port, cut;
    unsigned events, malformed, silent;
    uint64_t tx_id;
    uint8_t *copy;       /* the last PDU: spans of the last event point into it */
    char out[16384];     /* one line an event */
    char obs[8192];      /* "kind=value;" */
    char bad[1024];      /* anomalies without an event */
};

/* A value, shortly. */
static inline void bench_value(char *out, size_t cap, const struct item *it)
{
    struct val v;
    size_t n = 0;
    for (unsigned k = 0; k < 4 && vals_get(&it->v, k, &v) && n + 40 < cap; k++) {
        const char *sep = k ? "," : "=";
        if (v.type == VAL_INT)
            n += (size_t)snprintf(out + n, cap - n, "%s%lld", sep, (long long)v.i);
        else if (v.type == VAL_DOUBLE)
            n += (size_t)snprintf(out + n, cap - n, "%s%g", sep, v.d);
        else if (v.type == VAL_TEXT)
            n += (size_t)snprintf(out + n, cap - n, "%s%.*s", sep, (int)v.s.n, (const char *)v.s.p);
        else if (v.type == VAL_BYTES)
            n += (size_t)snprintf(out + n, cap - n, "%s<%u>", sep, v.s.n);
        else
            n += (size_t)snprintf(out + n, cap - n, "%s%llu", sep, (unsigned long long)v.u);
    }
}

static inline void bench_event(void *arg, struct dis_ctx *x, struct event *e)
{
    struct s7bench *b = arg;
    size_t n = strlen(b->out), cap = sizeof b->out;
    char t[FN_TEXT], o[EV_OBJECT];
    (void)x;
    b->events++;
    b->tx_id = e->tx_id;
    if (cap - n < 1024)
        return;
    n += (size_t)snprintf(b->out + n, cap - n, "%s", ev_kind_name(e->kind));
    for (unsigned i = 0; i < e->n_msgs; i++) {
        if (e->msgs[i].function == FN_NONE)
            snprintf(t, sizeof t, "null");
        else
            schema_fn_text(e->schema, e->msgs[i].function, t);
        n += (size_t)snprintf(b->out + n, cap - n, "%c%s", i ? '+' : ' ', t);
    }
    n += (size_t)snprintf(b->out + n, cap - n, " %s %s %s", e->op ? e->op->name : "-", action_name(e->action),
                          ev_outcome_name(e->outcome));
    if (e->has_status && e->status) {
        const char *name = code_name(e->schema->statuses, e->status);
        n += (size_t)snprintf(b->out + n, cap - n, " %s", name ? name : "?");
    }
    for (unsigned i = 0; i < e->n_items && i < 24 && cap - n > 400; i++) {
        char v[160] = "";
        item_text(e->schema, &e->items[i], o);
        bench_value(v, sizeof v, &e->items[i]);
        n += (size_t)snprintf(b->out + n, cap - n, " %s%s", o, v);
        const char *name = code_name(e->schema->statuses, e->items[i].status);
        if (e->items[i].status && e->items[i].status != ITEM_STATUS_NONE)
            n += (size_t)snprintf(b->out + n, cap - n, "!%s", name ? name : "?");
    }
    for (unsigned i = 0; i < e->schema->n_anomalies && cap - n > 100; i++)
        if (e->anomalies >> i & 1)
            n += (size_t)snprintf(b->out + n, cap - n, " ~%s", e->schema->anomalies[i].name);
    snprintf(b->out + n, cap - n, "\n");
}

/* The text or number of a field of the event just committed (the scratch event keeps it until the next). */
static inline const char *bench_field(const struct s7bench *b, const char *key, unsigned nth)
{
    static char text[160];
    int id = schema_field(b->ev.schema, NULL, key);
    for (unsigned i = 0; i < b->ev.n_fields; i++) {
        const struct field *f = &b->ev.fields[i];
        if (f->id != id || nth--)
            continue;
        uint8_t type = b->ev.schema->fields[id].type;
        if (type == FT_TEXT)
            snprintf(text, sizeof text, "%.*s", (int)f->v.s.n, (const char *)f->v.s.p);
        else if (type == FT_NAME && code_name(b->ev.schema->fields[id].names, (uint32_t)f->v.u))
            snprintf(text, sizeof text, "%s", code_name(b->ev.schema->fields[id].names, (uint32_t)f->v.u));
        else
            snprintf(text, sizeof text, type == FT_HEX ? "%llx" : "%llu", (unsigned long long)f->v.u);
        return text;
    }
    return "";
}

static inline void bench_ident(void *arg, struct dis_ctx *x, const struct rt_ident *i)
{
    struct s7bench *b = arg;
    size_t n = strlen(b->obs);
    (void)x;
    if (i->sub == OBS_SELF)
        snprintf(b->obs + n, sizeof b->obs - n, "%s=%.*s;", obs_name(i->kind), (int)i->value.n,
                 (const char *)i->value.p);
    else
        snprintf(b->obs + n, sizeof b->obs - n, "%s[%u]=%.*s;", obs_name(i->kind), i->sub, (int)i->value.n,
                 (const char *)i->value.p);
}

static inline void bench_malformed(void *arg, struct dis_ctx *x, const struct proto_schema *s, unsigned bit)
{
    struct s7bench *b = arg;
    size_t n = strlen(b->bad);
    (void)x;
    b->malformed++;
    snprintf(b->bad + n, sizeof b->bad - n, "%s;", s->anomalies[bit].name);
}

static inline void bench_silent(void *arg, struct dis_ctx *x, const struct proto_schema *s)
{
    struct s7bench *b = arg;
    (void)x;
    (void)s;
    b->silent++;
}

static inline void bench_ctx(struct s7bench *b, unsigned side, struct dis_ctx *x)
{
    *x = (struct dis_ctx){.ts_ns = b->now, .frame = b->frame, .transport = DIS_TCP, .on_port = b->on_port,
                          .cut = b->cut, .dir = b->dir[side], .key = &b->key, .lay = &b->lay[side], .flow_id = 7,
                          .state = b->state,
                          .rt = &b->rt, .owner = b, .fr = &b->fr, .dis = &dissector_s7comm,
                          .sport = side ? 102 : 50000, .dport = side ? 50000 : 102};
}

static inline void bench_context(void *arg, void *owner, struct dis_ctx *x)
{
    struct s7bench *b = owner;
    (void)arg;
    x->key = &b->key;
    x->lay = &b->lay[0];
    x->flow_id = 7;
    x->state = b->state;
    x->dir = DIR_C2S;
    x->transport = DIS_TCP;
}

static const struct rt_sink bench_sink = {bench_event, bench_ident, bench_malformed, bench_silent, bench_context};

static inline struct s7bench *bench_new(void)
{
    struct s7bench *b = calloc(1, sizeof *b);
    ck_assert_ptr_nonnull(b);
    ck_assert_int_eq(rt_init(&b->rt, &rt_conf_default, &b->ev, &bench_sink, b, 1, NULL), 0);
    flow_rt_init(&b->fr);
    b->now = UINT64_C(1767607872000000000);
    b->dir[0] = DIR_C2S;
    b->dir[1] = DIR_S2C;
    b->on_port = 1;
    static const uint8_t client[4] = {10, 0, 0, 5}, server[4] = {10, 0, 0, 9};
    b->key.lo = addr_v4(client);
    b->key.hi = addr_v4(server);
    b->lay[0].src = b->lay[1].dst = b->key.lo;
    b->lay[0].dst = b->lay[1].src = b->key.hi;
    return b;
}

static inline void bench_end(struct s7bench *b)
{
    struct dis_ctx x;
    bench_ctx(b, 0, &x);
    flow_rt_end(&x);
}

static inline void bench_free(struct s7bench *b)
{
    bench_end(b);
    rt_done(&b->rt);
    free(b->copy);
    free(b);
}

/* One PDU on a heap copy of its exact size, so that the sanitizer sees what reads beyond it. */
static inline enum verdict bench_pdu(struct s7bench *b, unsigned side, const uint8_t *p, uint32_t n)
{
    free(b->copy);
    b->copy = malloc(n ? n : 1);
    ck_assert_ptr_nonnull(b->copy);
    memcpy(b->copy, p, n);
    struct dis_ctx x;
    b->frame++;
    b->now += 1000000;
    bench_ctx(b, side, &x);
    enum verdict v = dissector_s7comm.parse(cur_make(b->copy, n), &x);
    if (b->dir[side] == DIR_UNKNOWN && x.dir != DIR_UNKNOWN) {
        b->dir[side] = x.dir;
        b->dir[!side] = x.dir == DIR_C2S ? DIR_S2C : DIR_C2S;
    }
    return v;
}

static inline uint32_t bench_hex(const char *hex, uint8_t *out, uint32_t cap)
{
    uint32_t n = 0;
    unsigned digits = 0, value = 0;
    for (; *hex; hex++) {
        char c = *hex;
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (d < 0)
            continue;
        value = value << 4 | (unsigned)d;
        if (++digits % 2 == 0 && n < cap)
            out[n++] = (uint8_t)value;
    }
    return n;
}

/* S7 bytes, without TPKT and COTP: those are put before them. Side 0 is the client. */
static inline enum verdict bench_s7(struct s7bench *b, unsigned side, const char *hex)
{
    uint8_t p[2048] = {3, 0, 0, 0, 2, 0xf0, 0x80};
    uint32_t n = 7 + bench_hex(hex, p + 7, sizeof p - 7);
    p[2] = (uint8_t)(n >> 8);
    p[3] = (uint8_t)n;
    return bench_pdu(b, side, p, n);
}

/* Whole bytes as they are. */
static inline enum verdict bench_raw(struct s7bench *b, unsigned side, const char *hex)
{
    uint8_t p[2048];
    return bench_pdu(b, side, p, bench_hex(hex, p, sizeof p));
}

/* The lines since the last call. */
#define expect_out(b, want) \
    do { \
        ck_assert_str_eq((b)->out, want); \
        (b)->out[0] = 0; \
    } while (0)
