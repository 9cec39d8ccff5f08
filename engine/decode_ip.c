/* decode_ip.c: IPv6, extension headers, fragments.
 *
 * Spec: RFC 8200 (3 header, 4 extension headers, 4.5 fragments), RFC 6946 (atomic fragments), RFC 4302 (AH), RFC 2675
 * (jumbograms: read by the bytes that are there). ESP is encrypted: the walk ends before it. */
#include "engine/decode_impl.h"

enum {
    PROTO_HOP = 0,
    PROTO_ROUTING = 43,
    PROTO_FRAGMENT = 44,
    PROTO_AH = 51,
    PROTO_NO_NEXT = 59,
    PROTO_DEST = 60,
    PROTO_MOBILITY = 135,
    PROTO_HIP = 139,
    PROTO_SHIM6 = 140,
};

enum step decode_fragment(struct walk *w, uint32_t id, uint32_t off, bool more)
{
    struct layers *l = w->l;
    struct cur c = w->c;
    l->what |= LAY_FRAGMENT;
    if (w->wire > cur_left(&c) || (l->what & LAY_BAD_HEADER)) { /* cut: the datagram cannot become whole */
        w->d->stats.fragments++;
        w->d->stats.frag_bad++;
        return STEP_END;
    }
    struct frag f = {
        .src = l->src,
        .dst = l->dst,
        .ts_ns = w->ts_ns,
        .data = cur_rest(&c),
        .id = id,
        .off = off,
        .ver = l->ip_ver,
        .proto = w->proto,
        .more = more,
    };
    struct defrag_done done;
    enum defrag_verdict v = defrag_add(w->d->defrag, &f, decode_room(w), &done);
    if (v == DEFRAG_BAD)
        return walk_bad(w);
    if (done.overlap)
        l->what |= LAY_FRAG_OVERLAP;
    if (v == DEFRAG_HELD || !walk_deeper(w))
        return STEP_END;
    decode_room_used(w);
    l->what = (l->what & ~(uint32_t)LAY_FRAGMENT) | LAY_REASSEMBLED;
    l->l3 = NULL; /* its header and its payload do not lie together */
    l->l3_len = 0;
    w->c = cur_span(done.data);
    w->wire = done.data.n;
    w->proto = done.proto;
    l->ip_proto = done.proto;
    return l->ip_ver == 6 ? STEP_EXT : STEP_PROTO;
}

/* RFC 8200 4.5: | next header | 0 | offset 13 bits, 0, more | identification 4 | */
static enum step fragment_header(struct walk *w)
{
    struct cur c = w->c;
    uint8_t next = cur_u8(&c);
    cur_skip(&c, 1);
    uint16_t where = cur_u16be(&c);
    uint32_t id = cur_u32be(&c);
    if (!cur_ok(&c))
        return walk_short(w, 8);
    walk_to(w, c);
    w->proto = w->l->ip_proto = next;
    if ((where & 0xfff9) == 0) /* RFC 6946: the only one */
        return STEP_EXT;
    return decode_fragment(w, id, where & 0xfff8, where & 1);
}

/* 0: not an extension header. Else its length in bytes by the length byte (8 bytes units, AH 4). */
static uint32_t ext_bytes(uint8_t proto, uint8_t len)
{
    switch (proto) {
    case PROTO_HOP:
    case PROTO_ROUTING:
    case PROTO_DEST:
    case PROTO_MOBILITY:
    case PROTO_HIP:
    case PROTO_SHIM6:
        return 8 + len * 8u;
    case PROTO_AH:
        return 8 + len * 4u;
    default:
        return 0;
    }
}

static enum step skip_ext(struct walk *w, uint32_t n)
{
    struct cur c = w->c;
    w->l->ip_proto = w->proto = cur_peek(&c, 0);
    cur_skip(&c, n);
    if (!cur_ok(&c))
        return walk_short(w, n);
    walk_to(w, c);
    return STEP_PROTO;
}

enum step decode_ext(struct walk *w)
{
    for (unsigned i = 0; i < LIM_IP6_EXT; i++) {
        if (w->proto == PROTO_FRAGMENT)
            return fragment_header(w);
        if (w->proto == PROTO_NO_NEXT) {
            walk_trim(w, 0); /* RFC 8200 4.7: what follows says nothing */
            return STEP_END;
        }
        uint32_t n = ext_bytes(w->proto, cur_peek(&w->c, 1));
        if (n == 0)
            return STEP_PROTO;
        if (cur_left(&w->c) < 2)
            return walk_short(w, 8);
        enum step st = skip_ext(w, n);
        if (st != STEP_PROTO)
            return st;
    }
    w->l->what |= LAY_DEEP;
    return STEP_END;
}

/* In IPv4 the only one. */
enum step decode_ah(struct walk *w)
{
    if (w->l->ip_ver == 6)
        return STEP_EXT;
    if (cur_left(&w->c) < 2)
        return walk_short(w, 8);
    if (!walk_deeper(w))
        return STEP_END;
    return skip_ext(w, ext_bytes(PROTO_AH, cur_peek(&w->c, 1)));
}

/* A length of 0: a jumbogram or segmentation offload, unless what follows is only a short frame's padding. */
static uint32_t payload_bytes(uint16_t len, uint8_t next, uint32_t rest)
{
    enum { SHORT_FRAME = 46 - 40 };
    if (len || next == PROTO_NO_NEXT || rest <= SHORT_FRAME)
        return len;
    return rest;
}

enum step decode_ip6(struct walk *w)
{
    struct cur c = w->c;
    struct span h = cur_bytes(&c, 40);
    if (!h.p)
        return walk_short(w, 40);
    if (h.p[0] >> 4 != 6)
        return walk_bad(w);
    struct layers *l = w->l;
    walk_enter_ip(l);
    memcpy(l->src.b, h.p + 8, 16);
    memcpy(l->dst.b, h.p + 24, 16);
    l->ip_ver = 6;
    l->ethertype = 0x86dd;
    l->ip_proto = w->proto = h.p[6];
    l->ttl = h.p[7];
    l->ip_id = 0;
    walk_to(w, c);
    uint32_t len = payload_bytes(be16(h.p + 4), h.p[6], w->wire);
    walk_claim(w, len);
    l->l3 = h.p;
    l->l3_len = 40 + cur_left(&w->c);
    return STEP_EXT;
}
