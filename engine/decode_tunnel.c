/* decode_tunnel.c: packets in packets. Remote SPAN arrives as ERSPAN, VXLAN or Geneve; plants join by GRE and IP in IP.
 *
 * Spec: RFC 2784, 2890, 1701 (GRE: checksum, key, sequence, routing), RFC 2637 (PPTP's GRE), draft-foschiano-erspan-03
 * (ERSPAN types I, II, III), RFC 7348 (VXLAN), RFC 8926 (Geneve), RFC 2003, 2473, 4213 (IP in IP, 6in4), RFC 3378
 * (EtherIP), RFC 8086 (GRE in UDP), draft-wilson-wrec-wccp-v2 (redirected packets).
 * Not taken off: GTP-U, L2TP, Teredo, IPsec.
 * A payload on a tunnel's UDP port that does not look like the tunnel stays a UDP payload. */
#include "engine/base/hash.h"
#include "engine/decode_impl.h"

enum {
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQ = 0x1000,
    GRE_ACK = 0x0080,
    GRE_VERSION = 7,
};

/* A packet without a frame in an IP packet: the MACs beside the outer one are not the inner one's. */
static enum step enter_ip(struct walk *w, enum step step)
{
    w->l->has_mac = 0;
    return step;
}

/* Number 4 is IPv4 in either version, 41 is IPv6. */
enum step decode_ipip(struct walk *w)
{
    uint8_t nibble = cur_peek(&w->c, 0) >> 4;
    if (cur_left(&w->c) == 0)
        return walk_short(w, 20);
    if (nibble != (w->proto == 4 ? 4 : 6))
        return walk_bad(w);
    if (!walk_deeper(w))
        return STEP_END;
    w->l->what |= LAY_TUNNEL;
    return enter_ip(w, nibble == 4 ? STEP_IP4 : STEP_IP6);
}

enum step decode_etherip(struct walk *w)
{
    struct cur c = w->c;
    uint16_t version = cur_u16be(&c);
    if (!cur_ok(&c))
        return walk_short(w, 2);
    if (version >> 12 != 3)
        return walk_bad(w);
    w->l->what |= LAY_TUNNEL;
    walk_to(w, c);
    return STEP_INNER;
}

/* ---- GRE ------------------------------------------------------------------------------------------------------ */

static const struct gre_row {
    uint16_t type;
    uint8_t step;
} gre_types[] = {
    {0x0800, STEP_IP4},  {0x86dd, STEP_IP6},     {0x6558, STEP_INNER},   {0x8847, STEP_MPLS},
    {0x8848, STEP_MPLS}, {0x88be, STEP_ERSPAN2}, {0x22eb, STEP_ERSPAN3}, {0x880b, STEP_PPTP},
    {0x883e, STEP_WCCP}, {0x8100, STEP_VLAN},    {0x892f, STEP_HSR},
};

static enum step gre_step(uint16_t type)
{
    for (unsigned i = 0; i < sizeof gre_types / sizeof gre_types[0]; i++)
        if (gre_types[i].type == type)
            return gre_types[i].step;
    return STEP_END;
}

/* RFC 1701: source route entries | family 2 | offset | length | ... | up to an empty one */
static void skip_routes(struct cur *c)
{
    while (cur_ok(c)) {
        uint16_t family = cur_u16be(c);
        cur_skip(c, 1);
        uint8_t len = cur_u8(c);
        if (family == 0 && len == 0)
            return;
        cur_skip(c, len);
    }
}

static uint32_t gre_fields(struct cur *c, uint16_t flags)
{
    uint32_t seq = 0;
    if (flags & (GRE_CHECKSUM | GRE_ROUTING))
        cur_skip(c, 4);
    if (flags & GRE_KEY)
        cur_skip(c, 4);
    if (flags & GRE_SEQ)
        seq = cur_u32be(c);
    if (flags & GRE_ROUTING)
        skip_routes(c);
    return seq;
}

enum step decode_gre(struct walk *w)
{
    struct cur c = w->c;
    uint16_t flags = cur_u16be(&c), type = cur_u16be(&c);
    if (!cur_ok(&c))
        return walk_short(w, 4);
    enum step step = gre_step(type);
    unsigned version = flags & GRE_VERSION;
    if (version == 1 && step == STEP_PPTP)
        return STEP_PPTP;
    if (version != 0)
        return walk_bad(w);
    if (step == STEP_END || step == STEP_PPTP)
        return STEP_END;
    uint32_t seq = gre_fields(&c, flags);
    if (!cur_ok(&c))
        return walk_short(w, 4 + cur_left(&w->c));
    if (!walk_deeper(w))
        return STEP_END;
    w->l->what |= LAY_TUNNEL;
    if (!w->l->erspan_seq)
        w->l->erspan_seq = seq;
    walk_to(w, c);
    if (step == STEP_ERSPAN2 && !(flags & GRE_SEQ)) /* ERSPAN type I has no header of its own */
        return STEP_INNER;
    bool frame = step == STEP_INNER || step == STEP_ERSPAN2 || step == STEP_ERSPAN3;
    return frame ? step : enter_ip(w, step);
}

/* RFC 2637 4.1: | flags 2 | 880b | payload length 2 | call id 2 | [sequence 4] | [acknowledgement 4] | */
enum step decode_pptp(struct walk *w)
{
    struct cur c = w->c;
    uint16_t flags = cur_u16be(&c);
    cur_skip(&c, 2);
    uint16_t len = cur_u16be(&c);
    cur_skip(&c, 2);
    if (flags & GRE_SEQ)
        cur_skip(&c, 4);
    if (flags & GRE_ACK)
        cur_skip(&c, 4);
    if (!cur_ok(&c))
        return walk_short(w, 16);
    if (!(flags & GRE_SEQ) || len == 0 || !walk_deeper(w)) /* only an acknowledgement */
        return STEP_END;
    walk_to(w, c);
    walk_claim(w, len);
    w->l->what |= LAY_TUNNEL;
    return enter_ip(w, STEP_PPP);
}

/* A redirected packet may have 4 bytes of WCCP in front; an IPv4 header tells itself. */
enum step decode_wccp(struct walk *w)
{
    struct cur c = w->c;
    if (cur_peek(&c, 0) >> 4 != 4)
        cur_skip(&c, 4);
    if (!cur_ok(&c))
        return walk_short(w, 4);
    walk_to(w, c);
    return enter_ip(w, STEP_IP4);
}

/* ---- ERSPAN --------------------------------------------------------------------------------------------------- */

enum { ERSPAN_TRUNCATED = 0x0400 };

static void span_gap(struct walk *w, struct span_session *s)
{
    if (s->missing) {
        w->l->what |= LAY_SPAN_GAP;
        w->l->span_lost = (uint16_t)(s->missing < UINT16_MAX ? s->missing : UINT16_MAX);
    }
    s->missing = s->since = s->late = 0;
}

/* Only a session that has counted by one for a while is believed (a switch may have a counter for each of its cards, in
 * one session), and only once so many frames came behind the missing ones that they will not come any more. */
void decode_span_seq(struct walk *w, uint16_t session, uint32_t seq)
{
    enum { STEADY = 64, BEHIND = 64, FAR = 4096, LATE_MOST = 8 };
    uint64_t key = hash_mix(hash_16(HASH_ID_KEY, &w->l->src), hash_16(HASH_ID_KEY, &w->l->dst) ^ session) | 1;
    struct span_session *s = &w->d->span[key >> 8 & (SPAN_SESSIONS - 1)];
    if (s->key != key)
        *s = (struct span_session){.key = key, .next = seq};
    int32_t ahead = (int32_t)(seq - s->next);
    if (ahead < 0 && ahead > -FAR && s->missing && s->late < LATE_MOST) {
        s->missing--;
        s->late++;
        return;
    }
    if (ahead < 0 || ahead > FAR || (ahead && s->steady < STEADY)) {
        *s = (struct span_session){.key = key, .next = seq + 1};
        return;
    }
    s->missing += (uint32_t)ahead;
    s->since = ahead ? 0 : s->since + 1;
    s->steady += s->steady < STEADY;
    s->next = seq + 1;
    if (s->since >= BEHIND)
        span_gap(w, s);
}

/* | version 4 bits, VLAN 12 | class 3, encapsulation 2, truncated 1, session 10 | */
static void erspan_common(struct walk *w, uint16_t session)
{
    if (!w->l->erspan_session) {
        w->l->erspan_session = session & 0x03ff;
        if (w->l->erspan_seq)
            decode_span_seq(w, session & 0x03ff, w->l->erspan_seq);
    }
    if (session & ERSPAN_TRUNCATED)
        w->truncated = true;
}

/* Type II, 8 bytes. The port's VLAN is kept where the frame had a tag that is not in the copy (encapsulation 1, 2). */
enum step decode_erspan2(struct walk *w)
{
    struct cur c = w->c;
    uint16_t vlan = cur_u16be(&c), session = cur_u16be(&c);
    cur_skip(&c, 4);
    if (!cur_ok(&c))
        return walk_short(w, 8);
    if (vlan >> 12 != 1)
        return walk_bad(w);
    erspan_common(w, session);
    walk_to(w, c);
    unsigned encapsulation = session >> 11 & 3;
    if (cur_left(&w->c) < 14 || (encapsulation != 1 && encapsulation != 2))
        return STEP_INNER;
    w->tag = vlan & 0x0fff;
    return STEP_INNER;
}

/* Type III, 12 bytes: | ... | time 4 | security group 2 | P 1, frame type 5, hardware 6, D 1, granularity 2, O 1 |;
 * O: 8 more bytes. Frame type 0 is Ethernet, 2 IP. */
enum step decode_erspan3(struct walk *w)
{
    struct cur c = w->c;
    uint16_t vlan = cur_u16be(&c), session = cur_u16be(&c);
    cur_skip(&c, 6);
    uint16_t kind = cur_u16be(&c);
    if (kind & 1)
        cur_skip(&c, 8);
    if (!cur_ok(&c))
        return walk_short(w, kind & 1 ? 20 : 12);
    if (vlan >> 12 != 2)
        return walk_bad(w);
    erspan_common(w, session);
    walk_to(w, c);
    unsigned frame = kind >> 10 & 0x1f;
    if (frame == 2)
        return enter_ip(w, STEP_IP);
    return frame == 0 ? STEP_INNER : STEP_END;
}

/* ---- over UDP ------------------------------------------------------------------------------------------------- */

/* RFC 7348 5: | flags: 08 | 3 | network id 3 | 0 | then a frame */
enum step decode_vxlan(struct walk *w)
{
    struct cur c = w->c;
    uint32_t flags = cur_u32be(&c), vni = cur_u32be(&c);
    uint32_t reserved = flags & 0x80000000 ? 0x77000000 : 0x77ffffff; /* 80: a group policy id stands in the gap */
    if (!cur_ok(&c) || !(flags & 0x08000000) || (flags & reserved) || (vni & 0xff) || cur_left(&c) < 14)
        return STEP_END;
    w->l->what |= LAY_TUNNEL;
    walk_to(w, c);
    return STEP_INNER;
}

/* RFC 8926 3.4: | version 2 bits, options 6 (in 4 bytes) | flags | protocol 2 | network id 3 | 0 | options | */
enum step decode_geneve(struct walk *w)
{
    struct cur c = w->c;
    uint8_t options = cur_u8(&c);
    cur_skip(&c, 1);
    uint16_t type = cur_u16be(&c);
    cur_skip(&c, 4 + (options & 0x3fu) * 4);
    enum step step = gre_step(type);
    if (!cur_ok(&c) || options >> 6 || (step != STEP_INNER && step != STEP_IP4 && step != STEP_IP6))
        return STEP_END;
    if (!walk_deeper(w))
        return STEP_END;
    w->l->what |= LAY_TUNNEL;
    walk_to(w, c);
    return step == STEP_INNER ? step : enter_ip(w, step);
}

/* RFC 8086 3: GRE as it is; only what cannot be mistaken is taken for it. */
enum step decode_gre_udp(struct walk *w)
{
    struct cur c = w->c;
    uint16_t flags = cur_u16be(&c), type = cur_u16be(&c);
    bool plausible = cur_ok(&c) && (flags & 0x4fff) == 0 && gre_step(type) != STEP_END;
    return plausible ? STEP_GRE : STEP_END;
}

static const struct port_row {
    uint16_t port;
    uint8_t step;
} ports[] = {
    {4789, STEP_VXLAN},
    {8472, STEP_VXLAN} /* Linux, before the port was assigned */,
    {6081, STEP_GENEVE},
    {4754, STEP_GRE_UDP},
};

enum step decode_udp_tunnel(uint16_t dport)
{
    for (unsigned i = 0; i < sizeof ports / sizeof ports[0]; i++)
        if (ports[i].port == dport)
            return ports[i].step;
    return STEP_END;
}
