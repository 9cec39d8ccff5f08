/* decode_l2.c: what stands between a link header and IP: tags, labels, sessions, redundancy, and other link types.
 *
 * Spec: IEEE 802.1Q (5, 9; 802.1ad and 802.1ah included), IEEE 802.2 and 802a (LLC, SNAP), IEC 62439-3:2016 4 and 5
 * (PRP trailer, HSR tag), RFC 3032 and 4448 (MPLS, Ethernet pseudo-wires), RFC 2516 and 1661 (PPPoE, PPP), RFC 826
 * (ARP), RFC 2427 (frame relay), tcpdump.org/linktypes (cooked captures).
 * Not taken apart: MACsec, FabricPath, TRILL, DSA tags, 802.11. */
#include "engine/decode_impl.h"

enum { NO_LENGTH = 0xffff }; /* walk.type before LLC where no length stands before it */

struct type_row {
    uint16_t type;
    uint8_t step;
};

/* The place of an EtherType: no two of those below share one (the compiler tells). */
#define TYPE_PLACE(type) ((uint16_t)((type) * 0xadu) >> 10)
#define ROW(type, step) [TYPE_PLACE(type)] = {type, step}

static const struct type_row types[64] = {
    ROW(0x0800, STEP_IP4),   ROW(0x8100, STEP_VLAN),  /* 802.1Q */
    ROW(0x86dd, STEP_IP6),   ROW(0x0806, STEP_ARP),
    ROW(0x892f, STEP_HSR),   ROW(0x88a8, STEP_VLAN),  /* 802.1ad */
    ROW(0x9100, STEP_VLAN),  ROW(0x9200, STEP_VLAN),  /* QinQ before there was a standard */
    ROW(0x8847, STEP_MPLS),  ROW(0x8848, STEP_MPLS),
    ROW(0x8864, STEP_PPPOE), ROW(0x88e7, STEP_PBB),
    ROW(0x8926, STEP_VNTAG), ROW(0x8909, STEP_CMD),
    ROW(0xd28b, STEP_STAMP),
};

enum step decode_type_step(uint16_t type)
{
    const struct type_row *r = &types[TYPE_PLACE(type)];
    return r->type == type ? r->step : STEP_END;
}

/* ---- tags ----------------------------------------------------------------------------------------------------- */

/* 802.1Q 6.9.3: id 0 only carries a priority. Beyond two tags the outer ones are kept. */
void decode_add_vlan(struct layers *l, uint16_t tci)
{
    uint16_t id = tci & 0x0fff;
    if (id && l->n_vlan < 2)
        l->vlan[l->n_vlan++] = id;
}

enum step decode_vlan(struct walk *w)
{
    struct cur c = w->c;
    struct span h = cur_bytes(&c, 4);
    if (!h.p)
        return walk_short(w, 4);
    if (!walk_deeper(w))
        return STEP_END;
    decode_add_vlan(w->l, be16(h.p));
    w->type = be16(h.p + 2);
    walk_to(w, c);
    return STEP_TYPE;
}

/* A tag of n bytes that says nothing of interest, then an EtherType. */
static enum step skip_tag(struct walk *w, uint32_t n)
{
    struct cur c = w->c;
    cur_skip(&c, n);
    uint16_t type = cur_u16be(&c);
    if (!cur_ok(&c))
        return walk_short(w, n + 2);
    if (!walk_deeper(w))
        return STEP_END;
    w->type = type;
    walk_to(w, c);
    return STEP_TYPE;
}

/* Cisco VN-Tag (802.1Qbh draft): direction, interfaces. */
enum step decode_vntag(struct walk *w)
{
    return skip_tag(w, 4);
}

/* Cisco MetaData: version, length, option, security group. */
enum step decode_cmd(struct walk *w)
{
    return skip_tag(w, 6);
}

/* Arista: | subtype 2: 1 | version 2: scale 8 bits, format 4, hardware 4 | stamp: 8 in format 1, 6 in 2 | type | */
enum step decode_stamp(struct walk *w)
{
    struct cur c = w->c;
    uint16_t subtype = cur_u16be(&c), version = cur_u16be(&c);
    unsigned format = version >> 4 & 15;
    if (!cur_ok(&c))
        return walk_short(w, 4);
    if (subtype != 1 || (format != 1 && format != 2))
        return STEP_END;
    w->d->stats.stamped = ++w->d->trailers.stamped;
    return skip_tag(w, format == 1 ? 12 : 10);
}

/* 802.1ah: the I-tag stands before a whole customer frame. */
enum step decode_pbb(struct walk *w)
{
    struct cur c = w->c;
    cur_skip(&c, 4);
    if (!cur_ok(&c))
        return walk_short(w, 4);
    w->l->what |= LAY_TUNNEL;
    walk_to(w, c);
    return STEP_INNER;
}

/* ---- redundancy ----------------------------------------------------------------------------------------------- */

/* IEC 62439-3 5.6: | path 4 bits, LSDU size 12 | sequence 16 | EtherType 16 | */
enum step decode_hsr(struct walk *w)
{
    struct cur c = w->c;
    uint16_t path = cur_u16be(&c), seq = cur_u16be(&c), type = cur_u16be(&c);
    if (!cur_ok(&c))
        return walk_short(w, 6);
    if (!walk_deeper(w))
        return STEP_END;
    w->l->lan_id = (uint8_t)(path >> 12);
    w->l->lan_seq = seq;
    w->l->what |= LAY_HSR_PRP;
    w->type = type;
    walk_to(w, c);
    return STEP_TYPE;
}

/* Bytes of VLAN tags and of a broker's time stamp in front of the EtherType: the LSDU size of the trailer does not
 * count them. */
static uint32_t tag_bytes(struct cur frame)
{
    enum { VLAN = 4, STAMP = 6, LONG_STAMP = 8 };
    uint32_t n = 0;
    cur_skip(&frame, 12);
    for (enum step st; cur_ok(&frame); n += VLAN) {
        st = decode_type_step(cur_u16be(&frame));
        if (st != STEP_VLAN && st != STEP_STAMP)
            break;
        cur_skip(&frame, 2);
        if (st == STEP_VLAN)
            continue;
        uint32_t stamp = (cur_u16be(&frame) >> 4 & 15) == 1 ? LONG_STAMP : STAMP;
        cur_skip(&frame, stamp);
        n += 2 + stamp;
    }
    return n;
}

/* IEC 62439-3 4.2.7: | sequence 16 | LAN A or B 4 bits, LSDU size 12 | 88fb |: the size tells the trailer from payload
 * that happens to end so. It counts from behind the EtherType to the end of the trailer. */
void decode_prp(struct walk *w)
{
    uint32_t n = cur_left(&w->c);
    if (w->wire != n || n < 14 + 6)
        return;
    struct cur c = w->c, head = w->c;
    cur_skip(&c, n - 6);
    uint16_t seq = cur_u16be(&c), lan = cur_u16be(&c), suffix = cur_u16be(&c);
    uint32_t size = lan & 0x0fff, room = n - 14, tags = tag_bytes(head);
    if (suffix != 0x88fb || (lan >> 12 != 0xa && lan >> 12 != 0xb) || (size != room && size + tags != room))
        return;
    w->l->lan_id = (uint8_t)(lan >> 12);
    w->l->lan_seq = seq;
    w->l->what |= LAY_HSR_PRP;
    walk_trim(w, n - 6);
}

/* ---- LLC, SNAP ------------------------------------------------------------------------------------------------ */

enum step decode_llc(struct walk *w)
{
    struct layers *l = w->l;
    l->ethertype = 0;
    if (w->type != NO_LENGTH)
        walk_claim(w, w->type);
    struct cur c = w->c;
    uint16_t saps = cur_u16be(&c);
    uint8_t control = cur_u8(&c);
    uint32_t oui = cur_u24be(&c);
    uint16_t pid = cur_u16be(&c);
    if (!cur_ok(&c) || saps != 0xaaaa || control != 3) {
        if (cur_left(&w->c) >= 3 && control == 3)
            l->ethertype = saps >> 8;
        return STEP_END; /* the payload is from DSAP on; a short one is legal */
    }
    l->ethertype = pid;
    l->snap_oui = oui;
    walk_to(w, c);
    if ((oui != 0 && oui != 0x0000f8) || pid < 0x0600) /* 0000f8: 802.1H bridge-tunnel encapsulation */
        return STEP_END;
    w->type = pid;
    return walk_deeper(w) ? STEP_TYPE : STEP_END;
}

/* ---- MPLS ----------------------------------------------------------------------------------------------------- */

enum eth_look {
    NOT_ETH,
    ETH_LENGTH, /* an 802.3 length that fits: many numbers would */
    ETH_TYPE,   /* a known EtherType */
};

/* Could c be at an Ethernet header? By its type or length field: nothing in MPLS says what it carries. */
static enum eth_look looks_like_eth(struct cur c, uint32_t wire)
{
    cur_skip(&c, 12);
    uint16_t type = cur_u16be(&c);
    if (!cur_ok(&c) || wire < 14)
        return NOT_ETH;
    if (type < 0x0600)
        return type >= 3 && type <= wire - 14 ? ETH_LENGTH : NOT_ETH;
    return decode_type_step(type) != STEP_END || type >> 8 == 0x88 || type >> 8 == 0x89 ? ETH_TYPE : NOT_ETH;
}

/* RFC 4385 3, RFC 4448 4.6: | 0 4 bits | reserved 12 | sequence 16, 0 where it is not used |. Without one the same
 * bits are a MAC address's, and behind these an IP packet's length passes for an 802.3 length, a VLAN's or an ARP's
 * next type for an EtherType. So a known EtherType without a control word tells, unless all of that word is 0. */
static bool has_control_word(struct cur c, uint32_t wire)
{
    struct cur after = c;
    uint32_t word = cur_u32be(&after);
    if (!cur_ok(&after) || word >> 28 || wire < 4 || !looks_like_eth(after, wire - 4))
        return false;
    return !word || looks_like_eth(c, wire) != ETH_TYPE;
}

static bool looks_like_ip4(struct cur c, uint32_t wire)
{
    uint8_t first = cur_u8(&c);
    cur_skip(&c, 1);
    uint16_t total = cur_u16be(&c);
    return cur_ok(&c) && (first & 15) >= 5 && (total == 0 || (total >= 20 && total <= wire));
}

/* RFC 4928 3: the first nibble tells IPv4 and IPv6; 0 is a control word (RFC 4385), 1 an associated channel. A
 * pseudo-wire without a control word has a MAC address there, which may begin with any of these. */
static enum step below_labels(struct walk *w)
{
    struct cur c = w->c;
    uint8_t nibble = cur_peek(&c, 0) >> 4;
    uint32_t wire = w->wire;
    if (nibble == 4 && looks_like_ip4(c, wire))
        return STEP_IP4;
    if (nibble == 6 && !looks_like_eth(c, wire))
        return STEP_IP6;
    if (has_control_word(c, wire)) {
        cur_skip(&c, 4);
        walk_to(w, c);
        w->l->what |= LAY_TUNNEL;
        return STEP_INNER;
    }
    if (looks_like_eth(c, wire)) {
        w->l->what |= LAY_TUNNEL;
        return STEP_INNER;
    }
    return nibble == 6 ? STEP_IP6 : STEP_END;
}

enum step decode_mpls(struct walk *w)
{
    struct cur c = w->c;
    uint32_t label = cur_u32be(&c);
    if (!cur_ok(&c))
        return walk_short(w, 4);
    if (!walk_deeper(w))
        return STEP_END;
    walk_to(w, c);
    if (w->l->ip_ver) { /* RFC 4023: in IP */
        w->l->what |= LAY_TUNNEL;
        w->l->has_mac = 0;
    }
    if (!(label & 0x100)) /* bottom of stack */
        return STEP_MPLS;
    return below_labels(w);
}

/* ---- PPP ------------------------------------------------------------------------------------------------------ */

enum step decode_pppoe(struct walk *w)
{
    struct cur c = w->c;
    uint8_t version = cur_u8(&c), code = cur_u8(&c);
    cur_skip(&c, 2);
    uint16_t len = cur_u16be(&c);
    if (!cur_ok(&c))
        return walk_short(w, 6);
    if (version != 0x11)
        return walk_bad(w);
    if (code != 0 || !walk_deeper(w)) /* RFC 2516 6: 0 is session data */
        return STEP_END;
    walk_to(w, c);
    walk_claim(w, len);
    return STEP_PPP;
}

/* RFC 1662 3.1: address and control may be left out; RFC 1661 2: an odd first byte is a whole protocol field. */
enum step decode_ppp(struct walk *w)
{
    static const struct type_row protocols[] = {
        {0x0021, STEP_IP4},
        {0x0057, STEP_IP6},
        {0x0281, STEP_MPLS},
        {0x0283, STEP_MPLS},
    };
    struct cur c = w->c;
    if (cur_peek(&c, 0) == 0xff && cur_peek(&c, 1) == 0x03)
        cur_skip(&c, 2);
    uint16_t protocol = cur_u8(&c);
    if (!(protocol & 1))
        protocol = (uint16_t)(protocol << 8 | cur_u8(&c));
    if (!cur_ok(&c))
        return walk_short(w, 2);
    if (w->l->reached < REACHED_L2)
        w->l->reached = REACHED_L2;
    for (unsigned i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
        if (protocols[i].type != protocol)
            continue;
        walk_to(w, c);
        return protocols[i].step;
    }
    return STEP_END;
}

/* ---- ARP ------------------------------------------------------------------------------------------------------ */

enum step decode_arp(struct walk *w)
{
    struct cur c = w->c;
    struct span h = cur_bytes(&c, 28);
    if (!h.p)
        return walk_short(w, 28);
    if (be32(h.p) != 0x00010800 || be16(h.p + 4) != 0x0604)
        return STEP_END; /* not Ethernet and IPv4 addresses */
    struct layers *l = w->l;
    l->arp_op = be16(h.p + 6);
    memcpy(l->arp_sha, h.p + 8, 6);
    l->src = addr_v4(h.p + 14);
    l->dst = addr_v4(h.p + 24);
    l->what |= LAY_ARP;
    walk_trim(w, 28); /* the rest is Ethernet padding */
    return STEP_END;
}

/* ---- other link types ----------------------------------------------------------------------------------------- */

/* The sender's address, where it is an Ethernet one; type 1 was a broadcast. */
static void cooked_mac(struct layers *l, struct span mac, uint16_t len, unsigned type)
{
    static const uint8_t zero[6];
    if (len != 6 || memcmp(mac.p, zero, 6) == 0)
        return;
    memcpy(l->smac, mac.p, 6);
    if (type == 1)
        memset(l->dmac, 0xff, 6);
    l->has_mac = 1;
}

static enum step cooked(struct walk *w, struct cur c, uint16_t hardware, uint16_t protocol)
{
    w->l->reached = REACHED_L2;
    walk_to(w, c);
    if (hardware == 824) /* ARPHRD_NETLINK: the protocol is a netlink family */
        return STEP_END;
    w->type = protocol < 0x0600 ? NO_LENGTH : protocol; /* 1 and 4: 802.3 without and with LLC */
    return protocol < 0x0600 ? STEP_LLC : STEP_TYPE;
}

enum step decode_sll(struct walk *w)
{
    struct cur c = w->c;
    uint16_t type = cur_u16be(&c), hardware = cur_u16be(&c), len = cur_u16be(&c);
    struct span mac = cur_bytes(&c, 8);
    uint16_t protocol = cur_u16be(&c);
    if (!cur_ok(&c))
        return walk_short(w, 16);
    cooked_mac(w->l, mac, len, type);
    return cooked(w, c, hardware, protocol);
}

enum step decode_sll2(struct walk *w)
{
    struct cur c = w->c;
    uint16_t protocol = cur_u16be(&c);
    cur_skip(&c, 6); /* reserved, interface index */
    uint16_t hardware = cur_u16be(&c);
    uint8_t type = cur_u8(&c), len = cur_u8(&c);
    struct span mac = cur_bytes(&c, 8);
    if (!cur_ok(&c))
        return walk_short(w, 20);
    cooked_mac(w->l, mac, len, type);
    return cooked(w, c, hardware, protocol);
}

/* AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24, 28 and 30 on the BSDs and macOS. In either byte order. */
enum step decode_loop(struct walk *w)
{
    struct cur c = w->c;
    uint32_t family = cur_u32be(&c);
    if (!cur_ok(&c))
        return walk_short(w, 4);
    if (family >> 16)
        family = __builtin_bswap32(family);
    w->l->reached = REACHED_L2;
    walk_to(w, c);
    if (family == 2)
        return STEP_IP4;
    return family == 10 || family == 24 || family == 28 || family == 30 ? STEP_IP6 : STEP_END;
}

/* Cisco HDLC: | address | control | EtherType | */
enum step decode_hdlc(struct walk *w)
{
    struct cur c = w->c;
    cur_skip(&c, 2);
    uint16_t type = cur_u16be(&c);
    if (!cur_ok(&c))
        return walk_short(w, 4);
    w->l->reached = REACHED_L2;
    w->l->ethertype = type;
    walk_to(w, c);
    return decode_type_step(type);
}

/* | address 2 | 03 | [pad 00] | NLPID |: cc IPv4, 8e IPv6, 80 SNAP. Cisco: | address 2 | EtherType | */
enum step decode_frelay(struct walk *w)
{
    struct cur c = w->c;
    cur_skip(&c, 2);
    struct cur cisco = c;
    uint16_t type = cur_u16be(&cisco);
    uint8_t control = cur_u8(&c), nlpid = cur_u8(&c);
    if (!cur_ok(&c))
        return walk_short(w, 4);
    w->l->reached = REACHED_L2;
    if (control != 3) {
        w->l->ethertype = type;
        walk_to(w, cisco);
        return type < 0x0600 ? STEP_END : decode_type_step(type);
    }
    if (nlpid == 0)
        nlpid = cur_u8(&c);
    if (nlpid == 0x80) {
        uint32_t oui = cur_u24be(&c);
        type = cur_u16be(&c);
        if (!cur_ok(&c))
            return walk_short(w, 10);
        w->l->ethertype = type;
        w->l->snap_oui = oui;
        walk_to(w, c);
        return oui || type < 0x0600 ? STEP_END : decode_type_step(type);
    }
    if (nlpid != 0xcc && nlpid != 0x8e)
        return STEP_END;
    walk_to(w, c);
    return nlpid == 0xcc ? STEP_IP4 : STEP_IP6;
}
