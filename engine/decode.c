/* decode.c: the walk, and the headers that nearly every packet has: Ethernet, IPv4, TCP, UDP.
 *
 * Spec: IEEE 802.3, RFC 791, RFC 9293, RFC 768. */
#include "engine/decode.h"

#include <stddef.h>
#include <stdlib.h>

#include "engine/base/spread.h"
#include "engine/decode_impl.h"

/* The common headers are called, not looked up, and put into one function: the walk's state then stays in registers. */
#define STRAIGHT static inline __attribute__((always_inline)) enum step

STRAIGHT next_type(struct walk *w);
STRAIGHT next_proto(struct walk *w);

/* ---- Ethernet ------------------------------------------------------------------------------------------------- */

STRAIGHT read_eth(struct walk *w)
{
    struct cur c = w->c;
    struct span h = cur_bytes(&c, 14);
    if (!h.p)
        return walk_short(w, 14);
    struct layers *l = w->l;
    memcpy(l->dmac, h.p, 6);
    memcpy(l->smac, h.p + 6, 6);
    l->has_mac = 1;
    l->reached = REACHED_L2;
    w->type = be16(h.p + 12);
    /* IEC 62439-3: the redundancy control trailer ends with 88fb */
    uint32_t n = cur_left(&w->c);
    if (__builtin_expect(cur_peek(&w->c, n - 1) == 0xfb && cur_peek(&w->c, n - 2) == 0x88, 0)) {
        decode_prp(w);
        cur_skip(&w->c, 14);
        w->wire -= 14;
    } else {
        walk_to(w, c);
    }
    return STEP_TYPE;
}

STRAIGHT eth(struct walk *w)
{
    enum step st = read_eth(w);
    return st == STEP_TYPE ? next_type(w) : st;
}

static enum step decode_eth(struct walk *w)
{
    return eth(w);
}

/* Of an outer packet */
void decode_forget_l4(struct layers *l)
{
    l->seq = l->ack = 0;
    l->sport = l->dport = l->window = 0;
    l->tcp_flags = l->icmp_type = l->icmp_code = 0;
}

/* A frame out of a tunnel starts afresh: what was found around it speaks of the tunnel's ends. */
static enum step decode_inner(struct walk *w)
{
    struct layers *l = w->l;
    if (!walk_deeper(w))
        return STEP_END;
    if (cur_left(&w->c) < 14)
        return walk_short(w, 14);
    l->n_vlan = 0;
    l->vlan[0] = l->vlan[1] = 0;
    l->ip_ver = l->ip_proto = l->ttl = 0;
    l->ip_id = 0;
    l->snap_oui = 0;
    decode_forget_l4(l);
    decode_add_vlan(l, w->tag);
    w->tag = 0;
    return decode_eth(w);
}

static enum step decode_type(struct walk *w)
{
    return next_type(w);
}

/* ---- IPv4 ----------------------------------------------------------------------------------------------------- */

STRAIGHT read_ip4(struct walk *w)
{
    struct cur c = w->c;
    struct span h = cur_bytes(&c, 20);
    if (!h.p)
        return walk_short(w, 20);
    uint32_t header = (h.p[0] & 15u) * 4, total = be16(h.p + 2), frag = be16(h.p + 6);
    if (h.p[0] >> 4 != 4 || header < 20)
        return walk_bad(w);
    if (total == 0) /* segmentation offload: the packet was seen before the card filled it in */
        total = w->wire;
    struct layers *l = w->l;
    walk_enter_ip(l);
    l->src = addr_v4(h.p + 12);
    l->dst = addr_v4(h.p + 16);
    l->ip_ver = 4;
    l->ethertype = 0x0800;
    l->ip_proto = w->proto = h.p[9];
    l->ttl = h.p[8];
    l->ip_id = be16(h.p + 4);
    walk_to(w, c);
    if (total < header)
        return walk_bad(w);
    walk_claim(w, total - 20);
    l->l3 = h.p;
    l->l3_len = 20 + cur_left(&w->c);
    if (header > 20) {
        c = w->c;
        cur_skip(&c, header - 20);
        if (!cur_ok(&c))
            return walk_short(w, header - 20);
        walk_to(w, c);
    }
    if (__builtin_expect(frag & 0x3fff, 0)) /* RFC 791 3.1: more fragments, or an offset */
        return decode_fragment(w, l->ip_id, (frag & 0x1fff) * 8, frag & 0x2000);
    return STEP_PROTO;
}

STRAIGHT ip4(struct walk *w)
{
    enum step st = read_ip4(w);
    return st == STEP_PROTO ? next_proto(w) : st;
}

static enum step decode_ip4(struct walk *w)
{
    return ip4(w);
}

static enum step decode_ip(struct walk *w)
{
    if (cur_left(&w->c) == 0)
        return walk_short(w, 1);
    switch (cur_peek(&w->c, 0) >> 4) {
    case 4:
        return decode_ip4(w);
    case 6:
        return STEP_IP6;
    default:
        return walk_bad(w);
    }
}

/* ---- TCP, UDP, ICMP ------------------------------------------------------------------------------------------- */

STRAIGHT read_tcp(struct walk *w)
{
    struct cur c = w->c;
    struct span h = cur_bytes(&c, 20);
    if (!h.p)
        return walk_short(w, 20);
    uint32_t header = (h.p[12] >> 4) * 4u;
    if (header < 20 || header > w->wire) /* RFC 9293 3.1: data offset */
        return walk_bad(w);
    struct layers *l = w->l;
    l->sport = be16(h.p);
    l->dport = be16(h.p + 2);
    l->seq = be32(h.p + 4);
    l->ack = be32(h.p + 8);
    l->tcp_flags = h.p[13];
    l->window = be16(h.p + 14);
    l->reached = REACHED_L4;
    uint32_t options = header - 20;
    walk_to(w, c);
    if (cur_left(&w->c) < options) /* options cut, and everything behind them */
        options = cur_left(&w->c);
    cur_skip(&w->c, options);
    w->wire -= header - 20;
    return STEP_END;
}

STRAIGHT read_udp(struct walk *w)
{
    struct cur c = w->c;
    struct span h = cur_bytes(&c, 8);
    if (!h.p)
        return walk_short(w, 8);
    struct layers *l = w->l;
    uint32_t len = be16(h.p + 4);
    l->sport = be16(h.p);
    l->dport = be16(h.p + 2);
    l->reached = REACHED_L4;
    if (len >= 8 && len <= w->wire) {
        walk_to(w, c);
        walk_trim(w, len - 8);
    } else { /* 0 is right in an IPv6 jumbogram (RFC 2675 4) and before segmentation offload */
        if (len)
            l->what |= LAY_BAD_HEADER;
        walk_to(w, c);
    }
    /* the lowest and highest port of a tunnel: most packets are done here */
    return l->dport < 4754 || l->dport > 8472 ? STEP_END : decode_udp_tunnel(l->dport);
}

static enum step decode_tcp(struct walk *w)
{
    return read_tcp(w);
}

static enum step decode_udp(struct walk *w)
{
    return read_udp(w);
}

static enum step decode_icmp(struct walk *w)
{
    struct cur c = w->c;
    struct span h = cur_bytes(&c, 4);
    if (!h.p)
        return walk_short(w, 4);
    w->l->icmp_type = h.p[0];
    w->l->icmp_code = h.p[1];
    return STEP_END; /* the payload is the ICMP message */
}

/* ---- the walk ------------------------------------------------------------------------------------------------- */

static enum step step_end(struct walk *w)
{
    (void)w;
    return STEP_END;
}

static enum step step_proto(struct walk *w)
{
    return next_proto(w);
}

static step_fn *const steps[N_STEPS] = {
    [STEP_END] = step_end,           [STEP_ETH] = decode_eth,       [STEP_INNER] = decode_inner,
    [STEP_TYPE] = decode_type,       [STEP_LLC] = decode_llc,       [STEP_VLAN] = decode_vlan,
    [STEP_VNTAG] = decode_vntag,     [STEP_PBB] = decode_pbb,       [STEP_CMD] = decode_cmd,
    [STEP_STAMP] = decode_stamp,
    [STEP_HSR] = decode_hsr,         [STEP_MPLS] = decode_mpls,     [STEP_PPPOE] = decode_pppoe,
    [STEP_PPP] = decode_ppp,         [STEP_ARP] = decode_arp,       [STEP_IP] = decode_ip,
    [STEP_IP4] = decode_ip4,         [STEP_IP6] = decode_ip6,       [STEP_PROTO] = step_proto,
    [STEP_EXT] = decode_ext,         [STEP_TCP] = decode_tcp,       [STEP_UDP] = decode_udp,
    [STEP_ICMP] = decode_icmp,       [STEP_AH] = decode_ah,         [STEP_IPIP] = decode_ipip,
    [STEP_GRE] = decode_gre,         [STEP_PPTP] = decode_pptp,     [STEP_ERSPAN2] = decode_erspan2,
    [STEP_ERSPAN3] = decode_erspan3, [STEP_WCCP] = decode_wccp,     [STEP_ETHERIP] = decode_etherip,
    [STEP_VXLAN] = decode_vxlan,     [STEP_GENEVE] = decode_geneve, [STEP_GRE_UDP] = decode_gre_udp,
    [STEP_SLL] = decode_sll,         [STEP_SLL2] = decode_sll2,     [STEP_LOOP] = decode_loop,
    [STEP_HDLC] = decode_hdlc,       [STEP_FRELAY] = decode_frelay,
};

/* IP protocol -> step; all others end the walk with the IP payload. */
static const uint8_t proto_steps[256] = {
    [1] = STEP_ICMP, [4] = STEP_IPIP, [6] = STEP_TCP,   [17] = STEP_UDP,     [41] = STEP_IPIP,
    [47] = STEP_GRE, [51] = STEP_AH,  [58] = STEP_ICMP, [97] = STEP_ETHERIP, [137] = STEP_MPLS,
};

STRAIGHT next_proto(struct walk *w)
{
    if (w->proto == PROTO_TCP)
        return read_tcp(w);
    if (w->proto == PROTO_UDP)
        return read_udp(w);
    return proto_steps[w->proto];
}

STRAIGHT next_type(struct walk *w)
{
    if (__builtin_expect(w->type == 0x0800, 1)) {
        w->l->ethertype = w->type;
        return ip4(w);
    }
    if (w->type < 0x0600) /* IEEE 802.3: a length */
        return STEP_LLC;
    w->l->ethertype = w->type;
    return decode_type_step(w->type);
}

/* Link type -> first step. https://www.tcpdump.org/linktypes.html */
static const struct link {
    uint32_t type;
    enum step step;
} links[] = {
    {0, STEP_LOOP},                    /* BSD loopback: address family in the writer's byte order */
    {9, STEP_PPP},      {12, STEP_IP}, /* DLT_RAW of most systems, as careless writers put it into files */
    {14, STEP_IP},                     /* of OpenBSD */
    {50, STEP_PPP},                    /* PPP over serial HDLC, address and control included */
    {51, STEP_PPPOE},   {101, STEP_IP},   {104, STEP_HDLC}, /* Cisco HDLC */
    {107, STEP_FRELAY}, {108, STEP_LOOP},                   /* of OpenBSD: the same in network byte order */
    {113, STEP_SLL},    {228, STEP_IP4},  {229, STEP_IP6},  {276, STEP_SLL2},
};

static enum step link_step(uint32_t linktype)
{
    for (unsigned i = 0; i < sizeof links / sizeof links[0]; i++)
        if (links[i].type == linktype)
            return links[i].step;
    return N_STEPS;
}

static inline void finish(struct walk *w)
{
    struct layers *l = w->l;
    struct span rest = cur_rest(&w->c);
    l->payload = rest.p;
    l->payload_len = rest.n;
    l->payload_wire = w->wire;
    if (w->wire > rest.n)
        l->what |= LAY_CUT;
    if (l->reached == REACHED_L2 && l->has_mac && !(l->what & LAY_ARP)) {
        l->src = addr_mac(l->smac);
        l->dst = addr_mac(l->dmac);
    }
    if (__builtin_expect(l->what & LAY_BAD_HEADER, 0))
        w->d->stats.bad_headers++;
}

/* In pieces: gcc makes one memset of this size a `rep stos`, whose start alone costs more than all of decoding. */
static inline void clear(struct layers *l)
{
    enum { PIECE = 48 };
    uint8_t *p = (uint8_t *)l;
    _Static_assert(sizeof *l > 2 * PIECE && sizeof *l <= 3 * PIECE, "three pieces");
    memset(p, 0, PIECE);
    memset(p + PIECE, 0, PIECE);
    memset(p + 2 * PIECE, 0, sizeof *l - 2 * PIECE);
}

/* ---- plain packets: whole, Ethernet with at most one tag; then IPv4 without options or fragments and TCP or UDP, or
 * what is no protocol of this decoder ---- */

enum { ETH_LEN = 14, TAG_LEN = 4, IP_LEN = 20, TCP_LEN = 20, UDP_LEN = 8 };

/* A protocol of layer 2. */
STRAIGHT plain_frame(const uint8_t *b, uint32_t n, uint32_t at, uint16_t type, struct layers *l)
{
    if (type < 0x0600 || decode_type_step(type) != STEP_END)
        return N_STEPS;
    clear(l);
    memcpy(l->dmac, b, 6);
    memcpy(l->smac, b + 6, 6);
    l->src = addr_mac(b + 6);
    l->dst = addr_mac(b);
    l->has_mac = 1;
    l->reached = REACHED_L2;
    l->ethertype = type;
    l->payload = n > at ? b + at : NULL;
    l->payload_len = l->payload_wire = n - at;
    return STEP_END;
}

/* At h, n bytes by the IP header, all of them captured. */
STRAIGHT plain_tcp(const uint8_t *h, uint32_t n, struct layers *l)
{
    if (n < TCP_LEN)
        return N_STEPS;
    uint32_t header = (h[12] >> 4) * 4u;
    if (header < TCP_LEN || header > n)
        return N_STEPS;
    l->seq = be32(h + 4);
    l->ack = be32(h + 8);
    l->tcp_flags = h[13];
    l->window = be16(h + 14);
    l->payload_len = l->payload_wire = n - header;
    l->payload = n > header ? h + header : NULL;
    return STEP_END;
}

STRAIGHT plain_udp(const uint8_t *h, uint32_t n, struct layers *l)
{
    if (n < UDP_LEN)
        return N_STEPS;
    uint32_t len = be16(h + 4), dport = be16(h + 2);
    if (len < UDP_LEN || len > n || (dport >= 4754 && dport <= 8472)) /* the ports of tunnels, see read_udp() */
        return N_STEPS;
    l->seq = l->ack = 0;
    l->tcp_flags = 0;
    l->window = 0;
    l->payload_len = l->payload_wire = len - UDP_LEN;
    l->payload = len > UDP_LEN ? h + UDP_LEN : NULL;
    return STEP_END;
}

/* What such a packet has nothing of lies at the end of struct layers. */
static inline void no_more(struct layers *l)
{
    enum { AT = offsetof(struct layers, vlan) };
    _Static_assert(sizeof *l - AT <= 48 && AT == offsetof(struct layers, has_mac) + 1, "what is not set lies behind");
    memset((uint8_t *)l + AT, 0, sizeof *l - AT);
}

STRAIGHT plain_ip4(const uint8_t *ip, uint32_t n, struct layers *l)
{
    uint32_t total = be16(ip + 2), proto = ip[9];
    const uint8_t *h = ip + IP_LEN;
    if (ip[0] != 0x45 || be16(ip + 6) & 0x3fff || total < IP_LEN || total > n ||
        (proto == PROTO_TCP   ? plain_tcp(h, total - IP_LEN, l)
         : proto == PROTO_UDP ? plain_udp(h, total - IP_LEN, l)
                              : N_STEPS) != STEP_END)
        return N_STEPS;
    l->src = addr_v4(ip + 12);
    l->dst = addr_v4(ip + 16);
    l->sport = be16(h);
    l->dport = be16(h + 2);
    l->ethertype = 0x0800;
    l->ip_proto = (uint8_t)proto;
    l->ttl = ip[8];
    l->ip_id = be16(ip + 4);
    l->l3 = ip;
    l->l3_len = total;
    l->ip_ver = 4;
    l->reached = REACHED_L4;
    l->has_mac = 1;
    no_more(l);
    return STEP_END;
}

/* Most packets by far: one look at each field, without the walk. The same result as the walk's, which takes all others
 * (DECODED_ANY); a test compares them. */
static inline __attribute__((always_inline)) enum decoded plain(const struct pkt *p, struct layers *l)
{
    const uint8_t *b = p->data;
    uint32_t n = p->caplen, at = ETH_LEN;
    enum decoded what = DECODED_IP4;
    if (p->linktype != 1 || p->vlan_tci || n < ETH_LEN + TAG_LEN + IP_LEN || p->wirelen > n ||
        (b[n - 1] == 0xfb && b[n - 2] == 0x88))
        return DECODED_ANY;
    uint16_t type = be16(b + 12), tci = 0;
    if (type == 0x8100) {
        tci = be16(b + 14);
        type = be16(b + 16);
        at = ETH_LEN + TAG_LEN;
    }
    if (__builtin_expect(type != 0x0800, 0)) {
        if (plain_frame(b, n, at, type, l) != STEP_END)
            return DECODED_ANY;
        what = DECODED_FRAME;
    } else {
        if (plain_ip4(b + at, n - at, l) != STEP_END)
            return DECODED_ANY;
        memcpy(l->dmac, b, 6);
        memcpy(l->smac, b + 6, 6);
    }
    if (tci)
        decode_add_vlan(l, tci);
    return what;
}

/* This one is due to be looked at: what a card or a broker has put behind the frame is not there. */
static __attribute__((noinline)) void decode_look(struct decoder *d, const struct pkt *p, struct layers *ret)
{
    uint32_t trailer = trailer_look(&d->trailers, p);
    struct pkt own = *p;
    if (trailer) {
        own.caplen -= trailer;
        own.wirelen = own.caplen;
        d->stats.fcs = d->trailers.fcs;
        d->stats.stamped = d->trailers.stamped;
    }
    decode_walk(d, &own, ret);
}

enum decoded decode(struct decoder *d, const struct pkt *p, struct layers *ret)
{
    d->stats.packets++;
    if (__builtin_expect(p->linktype == 1 && trailer_due(&d->trailers, p), 0)) {
        decode_look(d, p, ret);
        return DECODED_ANY;
    }
    enum decoded what = plain(p, ret);
    if (__builtin_expect(what == DECODED_ANY, 0))
        decode_walk(d, p, ret);
    return what;
}

void decode_walk(struct decoder *d, const struct pkt *p, struct layers *ret)
{
    clear(ret);
    struct walk w = {
        .c = cur_make(p->data, p->caplen),
        .wire = p->wirelen > p->caplen ? p->wirelen : p->caplen,
        .l = ret,
        .d = d,
        .ts_ns = p->ts_ns,
    };
    if (p->vlan_tci)
        decode_add_vlan(ret, p->vlan_tci);
    enum step st;
    if (__builtin_expect(p->linktype == 1, 1)) {
        st = eth(&w);
    } else {
        st = link_step(p->linktype);
        if (st == N_STEPS) {
            d->stats.unknown_link++;
            st = STEP_END;
        }
    }
    while (__builtin_expect(st != STEP_END, 0))
        st = steps[st](&w);
    finish(&w);
}

uint32_t decode_shard(const struct layers *l)
{
    return spread_shard(&l->src, &l->dst);
}

uint8_t *decode_room(struct walk *w)
{
    return w->out ? w->out : w->d->out[w->d->next_out];
}

void decode_room_used(struct walk *w)
{
    if (w->out)
        return;
    w->out = w->d->out[w->d->next_out];
    w->d->next_out = (w->d->next_out + 1) % w->d->n_out;
}

struct decoder *decoder_new(const struct decode_limits *lim)
{
    struct decoder *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    trailers_init(&d->trailers);
    d->n_out = lim->batch ? lim->batch : 1;
    d->out = calloc(d->n_out, sizeof *d->out);
    d->defrag = defrag_new(lim->frag_datagrams, lim->frag_bytes, lim->hash_key, &d->stats);
    if (!d->out || !d->defrag) {
        decoder_free(d);
        return NULL;
    }
    return d;
}

uint64_t decoder_bytes(const struct decode_limits *lim)
{
    const struct decoder *d = NULL;
    return sizeof *d + (lim->batch ? lim->batch : 1) * sizeof *d->out +
           defrag_bytes(lim->frag_datagrams, lim->frag_bytes);
}

void decoder_free(struct decoder *d)
{
    if (!d)
        return;
    free(d->out);
    defrag_free(d->defrag);
    free(d);
}

const struct decode_stats *decoder_stats(const struct decoder *d)
{
    return &d->stats;
}
