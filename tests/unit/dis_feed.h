/* dis_feed.h: feeds a dissector with hex, as the engine would, and writes each event as one line of text:
 *   "transaction 3,3 read unit=1 holding_register:0-1=[1,2] status=ok executed c2s {transaction_id=7}"
 * Bytes are handed over in exact-size heap copies, so that a sanitizer sees every read beyond them. */
#pragma once

#include <check.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "dissectors/runtime.h"

enum { FEED_TEXT = 1 << 16, FEED_BUF = 70000 };

struct feed {
    const struct dissector *dis;
    struct dis_rt rt;
    struct flow_rt fr;
    struct event scratch;
    struct flow_key key;
    struct layers lay;
    uint64_t now_ns;
    uint32_t frame;
    uint16_t cport, sport;
    uint8_t on_port, dir_known, transport, learned; /* learned: the client is the given one (1) or the other (2) */
    union {
        uint64_t align;
        uint8_t b[DIS_FLOW_STATE];
    } state;
    uint8_t buf[2][FEED_BUF];
    uint32_t n[2];
    char text[FEED_TEXT];
    uint32_t n_text, n_events, n_malformed, n_silent, n_lost;
};

static void feed_say(struct feed *f, const char *fmt, ...) PRINTF(2, 3);
static void feed_say(struct feed *f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(f->text + f->n_text, FEED_TEXT - f->n_text, fmt, ap);
    va_end(ap);
    f->n_text = n >= 0 && f->n_text + (uint32_t)n < FEED_TEXT ? f->n_text + (uint32_t)n : FEED_TEXT - 1;
}

static void feed_value(struct feed *f, const struct val *v)
{
    if (v->type == VAL_UINT || v->type == VAL_BOOL || v->type == VAL_TIME)
        feed_say(f, "%" PRIu64, v->u);
    else if (v->type == VAL_INT)
        feed_say(f, "%" PRId64, v->i);
    else if (v->type == VAL_DOUBLE)
        feed_say(f, "%.6g", v->d);
    else if (v->type == VAL_TEXT)
        feed_say(f, "%.*s", (int)v->s.n, (const char *)v->s.p);
    else
        for (uint32_t i = 0; i < v->s.n; i++)
            feed_say(f, "%02x", v->s.p[i]);
}

static void feed_quality(struct feed *f, const struct proto_schema *s, uint32_t q)
{
    for (unsigned b = 0; s->qualities && s->qualities[b]; b++)
        if (q >> b & 1)
            feed_say(f, "~%s", s->qualities[b]);
}

static void feed_item(struct feed *f, const struct event *e, const struct item *it)
{
    char object[EV_OBJECT];
    item_text(e->schema, it, object);
    feed_say(f, " %s", object);
    if (it->action != e->action)
        feed_say(f, "(%s)", action_name(it->action));
    if (it->quality)
        feed_quality(f, e->schema, it->quality);
    struct val v;
    for (uint32_t k = 0; vals_get(&it->v, k, &v); k++) {
        feed_say(f, k ? "," : "=[");
        feed_value(f, &v);
        if (vals_quality(&it->v, k) > 0)
            feed_quality(f, e->schema, item_quality_bits(e->schema, it, k));
    }
    if (vals_get(&it->v, 0, &v))
        feed_say(f, "]");
}

static void feed_field(struct feed *f, const struct event *e, const struct field *fd)
{
    const struct field_def *d = &e->schema->fields[fd->id];
    feed_say(f, "%s%s%s=", d->group ? d->group : "", d->group ? "." : "", d->key);
    const char *name = d->type == FT_NAME ? code_name(d->names, (uint32_t)fd->v.u) : NULL;
    struct val v = {.type = d->type == FT_TEXT ? VAL_TEXT : VAL_BYTES, .s = fd->v.s};
    if (name)
        feed_say(f, "%s ", name);
    else if (d->type == FT_INT)
        feed_say(f, "%" PRId64 " ", fd->v.i);
    else if (d->type == FT_DOUBLE)
        feed_say(f, "%.6g ", fd->v.d);
    else if (d->type == FT_TEXT || d->type == FT_BYTES)
        feed_value(f, &v), feed_say(f, " ");
    else
        feed_say(f, d->type == FT_HEX ? "0x%" PRIx64 " " : "%" PRIu64 " ", fd->v.u);
}

static void feed_event(void *arg, struct dis_ctx *x, struct event *e)
{
    struct feed *f = arg;
    (void)x;
    f->n_events++;
    feed_say(f, "%s ", ev_kind_name(e->kind));
    for (unsigned i = 0; i < e->n_msgs; i++) {
        char fn[FN_TEXT];
        schema_fn_text(e->schema, e->msgs[i].function, fn);
        feed_say(f, "%s%s", i ? "," : "", fn);
    }
    feed_say(f, " %s %s", e->op ? e->op->name : "?", action_name(e->action));
    if (ev_phase_name(e->phase))
        feed_say(f, " phase=%s", ev_phase_name(e->phase));
    char unit[FN_TEXT];
    schema_unit_text(e->schema, e->unit, e->sub, unit);
    if (e->has_unit)
        feed_say(f, " unit=%s", unit);
    for (unsigned i = 0; i < e->n_items; i++)
        feed_item(f, e, &e->items[i]);
    const char *st = code_name(e->schema->statuses, e->status);
    if (e->has_status)
        feed_say(f, " status=%s%s", st ? st : "?", e->error ? "!" : "");
    feed_say(f, " %s %s", ev_outcome_name(e->outcome), e->from_client ? "c2s" : "s2c");
    for (unsigned b = 0; b < 64; b++)
        if (e->anomalies >> b & 1)
            feed_say(f, " #%s", b < e->schema->n_anomalies ? e->schema->anomalies[b].name : "?");
    feed_say(f, " { ");
    for (unsigned i = 0; i < e->n_fields; i++)
        feed_field(f, e, &e->fields[i]);
    feed_say(f, "}\n");
}

static void feed_ident(void *arg, struct dis_ctx *x, const struct rt_ident *i)
{
    struct feed *f = arg;
    (void)x;
    feed_say(f, "ident %s", i->side == OBS_CLIENT ? "client" : "server");
    if (i->sub != OBS_SELF)
        feed_say(f, "/%u", i->sub);
    feed_say(f, " %s=%.*s\n", obs_name(i->kind), (int)i->value.n, (const char *)i->value.p);
}

static void feed_sender(void *arg, struct dis_ctx *x)
{
    char who[ADDR_TEXT], through[ADDR_TEXT];
    addr_text(&x->sender, who);
    addr_text(&x->through, through);
    feed_say(arg, "sender %s through %s\n", who, through);
}

static void feed_malformed(void *arg, struct dis_ctx *x, const struct proto_schema *s, unsigned bit)
{
    struct feed *f = arg;
    (void)x;
    f->n_malformed++;
    feed_say(f, "malformed #%s\n", s->anomalies[bit].name);
}

static void feed_silent(void *arg, struct dis_ctx *x, const struct proto_schema *s)
{
    (void)x;
    (void)s;
    ((struct feed *)arg)->n_silent++;
}

static void feed_fill(struct feed *f, struct dis_ctx *x, int from_server)
{
    uint8_t known = f->dir_known ? 1 : f->learned;
    bool client = known == 2 ? from_server : !from_server;
    f->lay.src = from_server ? f->key.hi : f->key.lo;
    f->lay.dst = from_server ? f->key.lo : f->key.hi;
    *x = (struct dis_ctx){.ts_ns = f->now_ns,
                          .frame = f->frame,
                          .transport = f->transport,
                          .on_port = f->on_port,
                          .dir = known ? client ? DIR_C2S : DIR_S2C : DIR_UNKNOWN,
                          .sport = from_server ? f->sport : f->cport,
                          .dport = from_server ? f->cport : f->sport,
                          .key = &f->key,
                          .side = (uint8_t)from_server,
                          .lay = &f->lay,
                          .flow_id = 4711,
                          .state = f->state.b,
                          .rt = &f->rt,
                          .fr = &f->fr,
                          .owner = f,
                          .dis = f->dis};
}

static void feed_context(void *arg, void *owner, struct dis_ctx *x)
{
    (void)arg;
    feed_fill(owner, x, 0);
}

static struct feed *feed_new(const struct dissector *dis, uint16_t port, uint8_t on_port, uint8_t dir_known)
{
    static const struct rt_sink sink = {feed_event, feed_ident, feed_malformed, feed_silent, feed_context,
                                       feed_sender};
    struct feed *f = calloc(1, sizeof *f);
    f->dis = dis;
    f->key.lo = addr_v4((uint8_t[]){10, 0, 0, 1});
    f->key.hi = addr_v4((uint8_t[]){10, 0, 0, 2});
    f->cport = 40000;
    f->sport = port;
    f->on_port = on_port;
    f->dir_known = dir_known;
    f->transport = DIS_TCP;
    f->now_ns = UINT64_C(1767607872) * 1000000000;
    ck_assert_int_eq(rt_init(&f->rt, &rt_conf_default, &f->scratch, &sink, f, 42, NULL), 0);
    flow_rt_init(&f->fr);
    return f;
}

/* The flow ends: what waits is written too. Returns the text so far. */
static const char *feed_end(struct feed *f)
{
    struct dis_ctx x;
    feed_fill(f, &x, 0);
    flow_rt_end(&x);
    return f->text;
}

/* Expects each of the strings in the text, in this order. */
__attribute__((unused)) static void expect(struct feed *f, const char *const *want, unsigned n)
{
    const char *t = feed_end(f), *at = t;
    for (unsigned i = 0; i < n; i++) {
        at = strstr(at, want[i]);
        ck_assert_msg(at != NULL, "missing: %s\nin:\n%s", want[i], t);
        at += strlen(want[i]);
    }
}
#define EXPECT(f, ...) expect(f, (const char *const[]){__VA_ARGS__}, ARRAY_LEN(((const char *const[]){__VA_ARGS__})))
#define EXPECT_NOT(f, text) ck_assert_msg(!strstr(feed_end(f), text), "%s", feed_end(f))

static void feed_free(struct feed *f)
{
    feed_end(f);
    rt_done(&f->rt);
    free(f);
}

static uint32_t feed_hex(const char *hex, uint8_t *out, uint32_t max)
{
    uint32_t n = 0;
    unsigned v;
    for (; *hex && n < max; hex++) {
        if (*hex == ' ')
            continue;
        ck_assert_int_eq(sscanf(hex, "%2x", &v), 1);
        out[n++] = (uint8_t)v;
        hex++;
    }
    return n;
}

static void feed_frames(struct feed *f, int from_server)
{
    uint8_t *buf = f->buf[from_server];
    uint32_t *n = &f->n[from_server], at = 0;
    while (at < *n) {
        struct dis_ctx x;
        uint32_t left = *n - at;
        feed_fill(f, &x, from_server);
        uint8_t *copy = malloc(left);
        memcpy(copy, buf + at, left);
        struct frame fr = f->dis->frame(cur_make(copy, left), &x);
        if (fr.st == FRAME_BAD || (fr.st == FRAME_OK && (fr.len == 0 || fr.len > f->dis->max_pdu))) {
            free(copy);
            f->n_lost++;
            at = *n;
            break;
        }
        if (fr.st == FRAME_MORE || fr.len > left) {
            free(copy);
            break;
        }
        uint8_t *pdu = realloc(copy, fr.len);
        enum verdict v = f->dis->parse(cur_make(pdu, fr.len), &x);
        free(pdu);
        if (!f->dir_known && !f->learned && x.dir != DIR_UNKNOWN)
            f->learned = (x.dir == DIR_C2S) == !from_server ? 1 : 2;
        if (v == DIS_LOST || v == DIS_NOT_MINE) {
            f->n_lost++;
            at = *n;
            break;
        }
        at += fr.len;
    }
    memmove(buf, buf + at, *n - at);
    *n -= at;
}

static void feed_bytes(struct feed *f, int from_server, const uint8_t *p, uint32_t n)
{
    f->frame++;
    f->now_ns += 1000000;
    if (f->n[from_server] + n > FEED_BUF)
        return;
    memcpy(f->buf[from_server] + f->n[from_server], p, n);
    f->n[from_server] += n;
    feed_frames(f, from_server);
}

/* A segment of the client (0) or the server (1). */
__attribute__((unused)) static void feed(struct feed *f, int from_server, const char *hex)
{
    uint8_t b[4096];
    feed_bytes(f, from_server, b, feed_hex(hex, b, sizeof b));
}

/* A datagram or a frame (f->transport) of the client or the server, as one exact-size copy. */
__attribute__((unused)) static enum verdict feed_datagram_bytes(struct feed *f, int from_server, const uint8_t *p, uint32_t n)
{
    struct dis_ctx x;
    uint8_t *copy = malloc(n ? n : 1);
    memcpy(copy, p, n);
    f->frame++;
    f->now_ns += 1000000;
    feed_fill(f, &x, from_server);
    x.pdu = (struct span){copy, n};
    enum verdict v = f->dis->parse(cur_make(copy, n), &x);
    free(copy);
    return v;
}

__attribute__((unused)) static enum verdict feed_datagram(struct feed *f, int from_server, const char *hex)
{
    uint8_t b[4096];
    return feed_datagram_bytes(f, from_server, b, feed_hex(hex, b, sizeof b));
}

__attribute__((unused)) static enum match feed_probe(const struct dissector *d, const char *hex, uint8_t on_port, uint8_t *dir)
{
    uint8_t b[4096];
    uint32_t n = feed_hex(hex, b, sizeof b);
    uint8_t *copy = malloc(n ? n : 1);
    memcpy(copy, b, n);
    struct dis_ctx x = {.transport = DIS_TCP, .on_port = on_port, .dir = DIR_UNKNOWN};
    enum match m = d->probe(cur_make(copy, n), &x);
    free(copy);
    if (dir)
        *dir = x.dir;
    return m;
}

/* Every prefix of both sides' bytes, each byte changed, cut at every byte: nothing may crash or run on. */
__attribute__((unused)) static void feed_hostile(const struct dissector *d, uint16_t port, const char *const *segments, unsigned n_segments)
{
    static const uint8_t marks[] = {0x00, 0x7f, 0x80, 0xff};
    for (unsigned s = 0; s < n_segments; s++) {
        uint8_t b[4096];
        uint32_t n = feed_hex(segments[s], b, sizeof b);
        for (uint32_t at = 0; at < n; at++) {
            for (unsigned k = 0; k < sizeof marks; k++) {
                uint8_t keep = b[at];
                struct feed *f = feed_new(d, port, k & 1, k < 2);
                b[at] = marks[k];
                for (int side = 0; side < 2; side++)
                    feed_bytes(f, side, b, n);
                b[at] = keep;
                feed_free(f);
            }
            struct feed *f = feed_new(d, port, 1, 1);
            for (int side = 0; side < 2; side++) {
                uint8_t *copy = malloc(at ? at : 1);
                memcpy(copy, b, at);
                struct dis_ctx x;
                feed_fill(f, &x, side);
                d->probe(cur_make(copy, at), &x);
                x.state = f->state.b;
                d->parse(cur_make(copy, at), &x); /* a PDU cut short, as a snap length does it */
                free(copy);
                f->n[side] = 0;
                feed_bytes(f, side, b, at);
                feed_bytes(f, side, b + at, n - at);
            }
            feed_free(f);
        }
    }
}
