/* enip_path.c: EPATHs, CIP's addresses: routes, keys, classes, instances, tags.
 *
 * Spec: CIP Vol 1 (ODVA) appendix C-1 "Abstract syntax encoding for segment types"; Vol 2 (EtherNet/IP) 2-4 and 3-5.
 *
 *   segment byte   000 E pppp  port: link address behind port p (E: its size follows; p 15: extended port number)
 *                  001 ttt ff  logical: t class, instance, member, connection point, attribute, special, service,
 *                   extended
 *                              f  8, 16 or 32 bits; in padded paths a pad byte precedes 16 and 32 bits
 *                  010 sssss   network: schedule, fixed tag, production inhibit time, safety
 *                  011 nnnnn   symbolic, n characters; n 0: extended
 *                  100 sssss   data: 0x80 simple (configuration), 0x91 ANSI extended symbol (tag names)
 *                  101, 110    data types: not part of a path that addresses something
 *
 * The application part is rendered as one stable text: classes by name and numbers by "/", tags as engineers write
 * them. */
#include "dissectors/enip_int.h"

#include <stddef.h>

void txt_mem(struct txt *t, const void *p, uint32_t n)
{
    if (n > t->cap - t->n)
        n = t->cap - t->n;
    copy_short(t->p + t->n, p, n);
    t->n += n;
}

void txt_dec_long(struct txt *t, uint32_t v)
{
    char b[10];
    uint32_t k = sizeof b;
    do
        b[--k] = (char)('0' + v % 10);
    while (v /= 10);
    txt_mem(t, b + k, (uint32_t)sizeof b - k);
}

void txt_hex(struct txt *t, uint32_t v)
{
    char b[8];
    uint32_t k = sizeof b;
    do
        b[--k] = "0123456789abcdef"[v & 15];
    while (v >>= 4);
    txt_str(t, "0x");
    txt_mem(t, b + k, (uint32_t)sizeof b - k);
}

static void fault(struct epath *p, unsigned bit)
{
    p->anomalies |= UINT64_C(1) << bit;
}

/* C-1.4.1: port identifier and link address. A one-byte link on port 1 is a backplane slot; longer ones are most often
 * text ("10.0.0.3"). */
static void port_segment(struct epath *p, struct cur *c, uint8_t seg)
{
    uint32_t size = seg & 0x10 ? cur_u8(c) : 1, port = seg & 15;
    if (port == 15)
        port = cur_u16le(c);
    struct span link = cur_bytes(c, size);
    if ((seg & 0x10) && (size & 1))
        cur_skip(c, 1);
    if (!cur_ok(c))
        return;
    if (p->n_hops)
        txt_chr(&p->route, ',');
    txt_dec(&p->route, port);
    txt_chr(&p->route, '/');
    uint64_t h = hash_bytes(HASH_ID_KEY ^ port, link.p, link.n);
    if (size == 1) {
        txt_dec(&p->route, link.p[0]);
        p->slot = p->n_hops ? (uint32_t)hash_u64(h, p->slot) | 0x80000000u : (port == 1 ? 0 : port << 8) | link.p[0];
    } else {
        txt_mem(&p->route, link.p, link.n);
        p->slot = (uint32_t)hash_u64(h, p->slot) | 0x80000000u;
    }
    if (p->n_hops < 255)
        p->n_hops++;
}

/* C-1.4.2, electronic key: vendor, device type, product code, revision that the target must have. */
static void key_segment(struct epath *p, struct cur *c)
{
    uint8_t format = cur_u8(c);
    p->key_vendor = cur_u16le(c);
    p->key_type = cur_u16le(c);
    p->key_product = cur_u16le(c);
    p->key_major = cur_u8(c);
    p->key_minor = cur_u8(c);
    if (format == 5) { /* Vol 1 ed. 3.27: serial number key */
        p->key_serial = cur_u32le(c);
        p->has_key_serial = 1;
    } else if (format != 4) {
        fault(p, CA_RESERVED_SEGMENT);
    }
    p->has_key = 1;
}

static uint32_t logical_value(struct cur *c, unsigned format)
{
    if (format == 0)
        return cur_u8(c);
    cur_skip(c, 1); /* pad byte of padded paths */
    return format == 1 ? cur_u16le(c) : cur_u32le(c);
}

static void put_class(struct epath *p, uint32_t v)
{
    struct span name = cip_class_text(v);
    if (p->app.n)
        txt_chr(&p->app, '/');
    if (name.n)
        txt_mem(&p->app, name.p, name.n);
    else
        txt_hex(&p->app, v);
    p->class_id = v;
    p->has_class = 1;
    p->has_instance = p->has_attribute = 0;
}

static void put_member(struct epath *p, uint32_t v)
{
    if (p->app.n && p->app.p[p->app.n - 1] == ']') { /* the next dimension: "[1,2]" */
        p->app.n--;
        txt_chr(&p->app, ',');
    } else {
        txt_chr(&p->app, '[');
    }
    txt_dec(&p->app, v);
    txt_chr(&p->app, ']');
}

static void extended_logical(struct epath *p, struct cur *c, unsigned format)
{
    uint8_t type = cur_u8(c); /* array index, indirect index, bit index, structure member */
    uint32_t v = format == 0 ? cur_u8(c) : format == 1 ? cur_u16le(c) : cur_u32le(c);
    if (format == 0) /* three octets: a pad byte fills the word */
        cur_skip(c, 1);
    if (type == 1)
        put_member(p, v);
    else if (type == 0 || type > 6)
        fault(p, CA_RESERVED_SEGMENT);
    else {
        txt_chr(&p->app, '.');
        txt_dec(&p->app, v);
    }
}

static void logical_segment(struct epath *p, struct cur *c, uint8_t seg)
{
    unsigned type = seg >> 2 & 7, format = seg & 3;
    if (type == 5) {
        if (format == 0)
            key_segment(p, c);
        else
            fault(p, CA_RESERVED_SEGMENT), cur_skip(c, cur_left(c) + 1);
        return;
    }
    if (type == 7) {
        extended_logical(p, c, format);
        return;
    }
    if (format == 3)
        fault(p, CA_RESERVED_SEGMENT);
    uint32_t v = logical_value(c, format);
    if (!cur_ok(c))
        return;
    switch (type) {
    case 0:
        put_class(p, v);
        break;
    case 2:
        put_member(p, v);
        break;
    case 3:
        txt_str(&p->app, p->app.n ? "/cp" : "cp");
        txt_dec(&p->app, v);
        if (p->n_cps < EPATH_CPS)
            p->cps[p->n_cps++] = v;
        break;
    case 6:
        txt_str(&p->app, "/service");
        txt_dec(&p->app, v);
        break;
    default: /* 1 instance, 4 attribute */
        txt_chr(&p->app, '/');
        txt_dec(&p->app, v);
        if (type == 1) {
            p->instance = v;
            p->has_instance = 1;
        } else {
            p->attribute = v;
            p->has_attribute = 1;
        }
    }
}

/* C-1.4.3: one data byte, or with bit 4 a length in words. */
static void network_segment(struct epath *p, struct cur *c, uint8_t seg)
{
    unsigned sub = seg & 0x1f;
    if (!(sub & 0x10)) {
        uint8_t v = cur_u8(c);
        if (sub == 3) {
            p->pit_us = v * 1000u;
            p->has_pit = 1;
        } else if (sub != 1 && sub != 2) {
            fault(p, CA_RESERVED_SEGMENT);
        }
        return;
    }
    struct cur d = cur_sub(c, cur_u8(c) * 2u);
    if (sub == 0x11) {
        p->pit_us = cur_u32le(&d);
        p->has_pit = 1;
    } else if (sub == 0x10) {
        p->safety = 1;
    } else if (sub != 0x1f) {
        fault(p, CA_RESERVED_SEGMENT);
    }
}

static void symbol(struct epath *p, struct span s)
{
    if (p->has_symbol || p->has_class)
        txt_chr(&p->app, '.');
    else if (!p->app.n)
        p->first_is_symbol = 1;
    txt_mem(&p->app, s.p, s.n);
    p->has_symbol = 1;
}

static void symbolic_segment(struct epath *p, struct cur *c, uint8_t seg)
{
    uint32_t n = seg & 0x1f;
    if (n) {
        symbol(p, cur_bytes(c, n));
        if (!(n & 1) && cur_left(c)) /* segment byte and name together fill words */
            cur_skip(c, 1);
        return;
    }
    uint8_t ext = cur_u8(c);
    if (ext >> 5 == 6) { /* numeric symbol: 8, 16, 32 bits */
        uint32_t v = (ext & 31) == 6 ? cur_u8(c) : (ext & 31) == 7 ? cur_u16le(c) : cur_u32le(c);
        if ((ext & 31) == 6)
            cur_skip(c, 1);
        txt_chr(&p->app, '#');
        txt_dec(&p->app, v);
        p->has_symbol = 1;
        return;
    }
    uint32_t width = ext >> 5 == 1 ? 2 : ext >> 5 == 2 ? 3 : 0;
    if (!width) {
        fault(p, CA_RESERVED_SEGMENT);
        cur_skip(c, cur_left(c) + 1);
        return;
    }
    symbol(p, cur_bytes(c, (ext & 31u) * width));
    if (((ext & 31) * width) & 1)
        cur_skip(c, 1);
}

static void data_segment(struct epath *p, struct cur *c, uint8_t seg)
{
    uint32_t n = cur_u8(c);
    if (seg == 0x80) {
        p->data = cur_bytes(c, n * 2);
    } else if (seg == 0x91) {
        symbol(p, cur_bytes(c, n));
        if (n & 1)
            cur_skip(c, 1);
    } else {
        fault(p, CA_RESERVED_SEGMENT);
        cur_skip(c, cur_left(c) + 1); /* length unknown: nothing after it can be read */
    }
}

/* Class and instance, perhaps an attribute, in their shortest forms, and nothing else: nearly all there are. */
static bool usual(struct cur c, struct epath *p)
{
    uint32_t head = cur_u24be(&c), cls = head >> 8 & 0xff, instance, attribute = UINT32_MAX;
    if ((head & 0xff00fe) != 0x200024)
        return false;
    instance = logical_value(&c, head & 1);
    if (cur_left(&c)) {
        if (cur_u8(&c) != 0x30)
            return false;
        attribute = cur_u8(&c);
    }
    if (!cur_done(&c))
        return false;
    put_class(p, cls);
    txt_chr(&p->app, '/');
    txt_dec(&p->app, instance);
    p->instance = instance;
    p->has_instance = 1;
    if (attribute == UINT32_MAX)
        return true;
    txt_chr(&p->app, '/');
    txt_dec(&p->app, attribute);
    p->attribute = attribute;
    p->has_attribute = 1;
    return true;
}

bool epath_parse(struct cur c, struct epath *p)
{
    memset(p, 0, offsetof(struct epath, app_buf));
    p->app = (struct txt){.p = p->app_buf, .cap = sizeof p->app_buf};
    p->route = (struct txt){.p = p->route_buf, .cap = sizeof p->route_buf};
    p->attribute = p->instance = UINT32_MAX;
    if (usual(c, p))
        return true;
    while (cur_left(&c)) {
        uint8_t seg = cur_u8(&c);
        switch (seg >> 5) {
        case 0:
            port_segment(p, &c, seg);
            break;
        case 1:
            logical_segment(p, &c, seg);
            break;
        case 2:
            network_segment(p, &c, seg);
            break;
        case 3:
            symbolic_segment(p, &c, seg);
            break;
        case 4:
            data_segment(p, &c, seg);
            break;
        default: /* data types and reserved */
            fault(p, CA_RESERVED_SEGMENT);
            cur_skip(&c, cur_left(&c) + 1);
        }
    }
    if (!cur_ok(&c))
        fault(p, CA_PATH);
    return cur_ok(&c);
}
