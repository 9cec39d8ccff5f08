/* bacnet.c: BACnet over IP (Annex J, and Annex U for IPv6), over ISO 8802-3, and MS/TP frames in Cimetrics' SNAP.
 *
 * Spec: ANSI/ASHRAE 135-2020: Annex J and U (virtual link layer), clause 6 (network layer), 20.1 (application PDUs),
 *       20.2 (encoding), 7 (ISO 8802-3), 9 (MS/TP frames).
 *
 *   BVLC (UDP)                              NPDU
 *   0      1          2        4            0         1
 *   +------+----------+--------+----        +---------+---------+------------------+------------------+------+------
 *   | 0x81 | function | length | ...        | version | control | DNET 2, DLEN,    | SNET 2, SLEN,    | hop  | APDU,
 *   | 0x82 |          |        |            | = 1     |         | DADR if bit 5    | SADR if bit 3    | count| or a
 *   +------+----------+--------+----        +---------+---------+------------------+------------------+------+ message
 *   length counts from 0x81 on; then what the function has (origin, VMACs), then the NPDU.
 *   control: bit 7 network layer message, 2 expecting reply, 1-0 priority. The hop count is there where DNET is.
 *
 * A device behind a router is its network number and its MAC there: that is the unit of a record, and a device of its
 * own in the inventory with the router as parent. A forwarded NPDU is its origin's.
 * Not decoded: BACnet/SC (in TLS), MS/TP as a link type of its own, COBS-encoded MS/TP frames, Annex H, secured BVLL
 * and network security messages beyond their names, parameters of private transfers and of event notifications, log
 * records as such (they are shown as constructed data), names of enumerated values.
 * Identity: I-Am (device, vendor), I-Have, Who-Am-I, and the properties of the Device object wherever they are read:
 * name, vendor, model, firmware, application software, serial number, location, description, system status. Routers
 * and BBMDs by what they do. */
#include "dissectors/bacnet_priv.h"

enum {
    BVLC4 = 0x81, BVLC6 = 0x82,
    BVLC_HEADER = 4,
    LLC_SAP = 0x82,           /* 7.1: the SAP of BACnet; also the type of such a frame */
    SNAP_MSTP = 1, OUI_CIMETRICS = 0x001090,
    MSTP_GAP = 3,             /* bytes that the tool puts before the MS/TP frame type */
    MSTP_REPLY = 5, MSTP_NO_REPLY = 6,
    CTL_MESSAGE = 0x80, CTL_DNET = 0x20, CTL_SNET = 0x08, CTL_REPLY = 0x04, CTL_RESERVED = 0x50,
    NET_ALL = 0xffff,
};

static const uint16_t udp_ports[] = {47808, 47809, 47810, 0};
static const uint16_t ethertypes[] = {LLC_SAP, SNAP_MSTP, 0};

void bn_anomaly(struct bn_msg *m, enum bn_anomaly a)
{
    m->anomalies |= UINT64_C(1) << a;
    if (m->e)
        ev_anomaly(m->e, a);
}

enum obs_side bn_sender(const struct bn_msg *m)
{
    return m->x->dir == DIR_S2C ? OBS_SERVER : OBS_CLIENT;
}

struct span bn_addr_text(struct event *e, const struct bn_addr *a)
{
    char t[ADDR_TEXT];
    if (a->net == NET_ALL)
        return (struct span){(const uint8_t *)"*", 1};
    if (!a->mac.n)
        return ev_text_fmt(e, "%u:*", a->net);
    struct addr s = addr_station(a->net, a->mac.p, a->mac.n);
    unsigned n = addr_text(&s, t);
    return ev_text_copy(e, t, n);
}

/* The unit of a record: MAC, and in sub the network and the length of the MAC. Of a B/IP address behind a router (ends
 * with a port of BACnet) the IP address, of other long ones the last four bytes. */
static void set_unit(struct event *e, const struct bn_addr *a)
{
    uint32_t n = a->mac.n;
    if (!a->net || !n)
        return;
    struct cur c = cur_span(a->mac);
    bool ip = n == 6 && a->mac.p[4] == 0xba && a->mac.p[5] >> 4 == 0xc;
    cur_skip(&c, ip || n <= 4 ? 0 : n - 4);
    uint32_t v = 0;
    for (uint32_t i = 0; i < n && i < 4; i++)
        v = v << 8 | cur_u8(&c);
    ev_unit(e, v);
    e->sub = a->net | (n > 1 ? UINT32_C(1) << 16 : 0) | (ip ? UINT32_C(1) << 17 : 0);
}

/* Software with a network of its own inside names itself by its own IP address there. */
static bool is_itself(const struct bn_addr *a, const struct addr *near)
{
    return a->mac.n == 6 && addr_is_v4(near) && memcmp(near->b + 12, a->mac.p, 4) == 0;
}

/* A device behind the one that has the packet's address. */
static bool is_far(const struct bn_addr *a, const struct addr *near)
{
    return a->net && a->net != NET_ALL && a->mac.n && !(near && is_itself(a, near));
}

/* Who talks to whom in truth, where routers stand in between. */
static void set_ends(struct bn_msg *m)
{
    const struct layers *l = m->x->lay;
    unsigned from = m->x->dir == DIR_S2C;
    struct addr a;
    if (m->has_origin)
        ev_far(m->e, from, &m->origin);
    if (is_far(&m->src, l ? &l->src : NULL)) {
        a = addr_station(m->src.net, m->src.mac.p, m->src.mac.n);
        ev_far(m->e, from, &a);
    }
    if (is_far(&m->dst, l ? &l->dst : NULL)) {
        a = addr_station(m->dst.net, m->dst.mac.p, m->dst.mac.n);
        ev_far(m->e, !from, &a);
    }
}

static bool is_mstp(const struct dis_ctx *x)
{
    return x->lay && x->lay->snap_oui == OUI_CIMETRICS;
}

unsigned bn_surroundings(const struct bn_msg *m)
{
    const struct layers *l = m->x->lay;
    bool from = m->src.net && l && is_itself(&m->src, &l->src), to = m->dst.net && l && is_itself(&m->dst, &l->dst);
    return (unsigned)m->broadcast | (unsigned)from << 1 | (unsigned)to << 2 | (unsigned)is_mstp(m->x) << 3 |
           (unsigned)m->x->transport << 4;
}

void bn_common(struct bn_msg *m)
{
    struct event *e = m->e;
    set_ends(m);
    set_unit(e, m->x->dir == DIR_S2C ? &m->src : &m->dst);
    if (m->src.net)
        ev_span(e, BF_SOURCE, bn_addr_text(e, &m->src));
    if (m->dst.net)
        ev_span(e, BF_DESTINATION, bn_addr_text(e, &m->dst));
    if (m->has_hops)
        ev_u64(e, BF_HOP_COUNT, m->hops);
    if (m->control & 3)
        ev_u64(e, BF_PRIORITY, m->control & 3);
    if (m->bvlc != BN_NO_BVLC)
        ev_u64(e, BF_BVLC, m->bvlc);
    if (m->broadcast)
        ev_u64(e, BF_BROADCAST, 1);
    if (m->has_origin) {
        char t[ADDR_TEXT];
        unsigned n = addr_text(&m->origin, t);
        ev_span(e, BF_FORWARDED_FROM, ev_text_copy(e, t, n));
    }
    if (m->vmac.n)
        ev_span(e, BF_VMAC, m->vmac);
}

/* ---- network layer ---- */

static bool net_addr(struct cur *c, struct bn_addr *a)
{
    a->net = cur_u16be(c);
    uint8_t n = cur_u8(c);
    a->mac = cur_bytes(c, n);
    return cur_ok(c);
}

/* True: c is at the APDU or network layer message. */
static bool npdu_header(struct bn_msg *m, struct cur *c)
{
    uint8_t version = cur_u8(c);
    m->control = cur_u8(c);
    if (m->control & CTL_DNET && !net_addr(c, &m->dst))
        return false;
    if (m->control & CTL_SNET && !net_addr(c, &m->src))
        return false;
    m->has_hops = (m->control & CTL_DNET) != 0;
    if (m->has_hops)
        m->hops = cur_u8(c);
    if (version != 1)
        bn_anomaly(m, BA_NPDU_VERSION);
    if (m->control & CTL_RESERVED)
        bn_anomaly(m, BA_NPDU_RESERVED);
    if (m->has_hops && m->dst.net == 0)
        bn_anomaly(m, BA_NPDU_ADDRESS);
    if (m->control & CTL_SNET && (m->src.net == 0 || m->src.net == NET_ALL || !m->src.mac.n))
        bn_anomaly(m, BA_ROUTE_SOURCE); /* 6.2.2: a source is one device */
    if (m->has_hops && m->hops == 0)
        bn_anomaly(m, BA_HOP_COUNT_ZERO);
    if (m->has_hops && (m->dst.net == NET_ALL || !m->dst.mac.n))
        m->broadcast = 1;
    return cur_ok(c);
}

bool bn_npdu_shape(struct cur c)
{
    struct bn_msg m = {0};
    if (!npdu_header(&m, &c) || m.anomalies)
        return false;
    if (m.control & CTL_MESSAGE) {
        uint8_t type = cur_u8(&c);
        return cur_ok(&c) && type <= 0x13;
    }
    return bn_apdu_shape(c);
}

/* Whose message it is, when it is not the packet's: told before anything else of it. */
static void tell_sender(struct bn_msg *m)
{
    const struct layers *l = m->x->lay;
    bool routed = is_far(&m->src, l ? &l->src : NULL);
    if (m->has_origin) {
        obs_fmt(m->x, &bacnet_schema, bn_sender(m), OBS_SELF, OBS_OTHER, 80, "%s",
                "broadcast management device (BBMD)");
        dis_sender(m->x, &m->origin, NULL);
    }
    if (!routed)
        return;
    struct addr s = addr_station(m->src.net, m->src.mac.p, m->src.mac.n);
    obs_fmt(m->x, &bacnet_schema, bn_sender(m), OBS_SELF, OBS_ROLE, 80, "%s", "gateway");
    dis_sender(m->x, &s, m->has_origin ? &m->origin : NULL);
}

static enum verdict short_of(struct bn_msg *m, enum bn_anomaly a)
{
    if (m->x->cut)
        return DIS_OK;
    ev_malformed(m->x, &bacnet_schema, a);
    return DIS_MALFORMED;
}

static enum verdict npdu(struct bn_msg *m, struct cur c)
{
    if (!npdu_header(m, &c))
        return short_of(m, BA_SHORT);
    tell_sender(m);
    return m->control & CTL_MESSAGE ? bn_network_message(m, c) : bn_apdu(m, c);
}

/* ---- link layers ---- */

static void get_origin(struct bn_msg *m, struct cur c, bool v6)
{
    if (v6)
        cur_skip(&c, 3);
    struct span ip = cur_bytes(&c, v6 ? 16 : 4);
    if (!ip.p)
        return;
    if (v6)
        memcpy(m->origin.b, ip.p, 16);
    else
        m->origin = addr_v4(ip.p);
    m->has_origin = 1;
}

static enum verdict bvlc(struct bn_msg *m, struct cur c)
{
    uint32_t all = cur_left(&c);
    uint8_t type = cur_u8(&c), fn = cur_u8(&c);
    uint16_t len = cur_u16be(&c);
    bool v6 = type == BVLC6;
    if ((type != BVLC4 && !v6) || (all < BVLC_HEADER && !m->x->cut))
        return DIS_LOST;
    const struct bn_bvlc *row = bn_bvlc_row(v6, fn);
    m->bvlc = fn | (v6 ? 0x100u : 0);
    if (len < BVLC_HEADER)
        return short_of(m, BA_BVLC_LENGTH);
    if (len != all && !m->x->cut) /* what is there is read: receivers go by the datagram */
        bn_anomaly(m, BA_BVLC_LENGTH);
    if (!row) {
        ev_malformed(m->x, &bacnet_schema, BA_BVLC_FUNCTION);
        return DIS_MALFORMED;
    }
    struct cur body = c, ahead = c;
    if (v6)
        m->vmac = cur_bytes(&ahead, 3);
    if (row->npdu == 0xff)
        return bn_bvlc_message(m, body, v6);
    m->broadcast = row->flags & BB_BROADCAST;
    if (row->npdu >= 6 && row->flags & BB_BROADCAST)
        get_origin(m, body, v6);
    cur_skip(&body, row->npdu);
    return npdu(m, body);
}

/* Type, destination, source, length, header CRC, then the data. */
static enum verdict mstp(struct bn_msg *m, struct cur c)
{
    cur_skip(&c, MSTP_GAP);
    uint8_t type = cur_u8(&c);
    uint8_t dst = cur_u8(&c);
    cur_skip(&c, 1);
    uint16_t len = cur_u16be(&c);
    cur_skip(&c, 1);
    if (!cur_ok(&c))
        return short_of(m, BA_SHORT);
    if (type != MSTP_REPLY && type != MSTP_NO_REPLY) {
        ev_silent(m->x, &bacnet_schema);
        return DIS_OK;
    }
    m->broadcast = dst == 255;
    return npdu(m, len <= cur_left(&c) ? cur_sub(&c, len) : c);
}

static enum verdict bacnet_parse(struct cur pdu, struct dis_ctx *x)
{
    struct cur all = pdu;
    struct bn_msg m = {.x = x, .st = x->state, .bvlc = BN_NO_BVLC, .pdu = cur_rest(&all)};
    if (x->transport != DIS_ETH)
        return bvlc(&m, pdu);
    if (x->lay && addr_is_group(&x->lay->dst))
        m.broadcast = 1;
    if (is_mstp(x))
        return mstp(&m, pdu);
    cur_skip(&pdu, 3);
    return npdu(&m, pdu);
}

/* ---- recognition ---- */

static enum match probe_bvlc(struct cur c, const struct dis_ctx *x)
{
    uint32_t all = cur_left(&c);
    uint8_t type = cur_u8(&c), fn = cur_u8(&c);
    uint16_t len = cur_u16be(&c);
    bool v6 = type == BVLC6;
    const struct bn_bvlc *row = bn_bvlc_row(v6, fn);
    if (!cur_ok(&c) || (type != BVLC4 && !v6) || !row || len < BVLC_HEADER)
        return MATCH_NO;
    if (x->on_port)
        return len <= all || x->cut ? MATCH_YES : MATCH_MAYBE;
    if (len != all || len < BVLC_HEADER + row->min || len > BVLC_HEADER + row->max)
        return MATCH_NO;
    if (row->npdu == 0xff)
        return MATCH_MAYBE;
    cur_skip(&c, row->npdu);
    return bn_npdu_shape(c) ? MATCH_YES : MATCH_NO;
}

static enum match bacnet_probe(struct cur c, struct dis_ctx *x)
{
    if (x->transport != DIS_ETH)
        return probe_bvlc(c, x);
    if (!x->lay)
        return MATCH_NO;
    if (x->lay->ethertype == SNAP_MSTP)
        return is_mstp(x) && cur_left(&c) >= MSTP_GAP + 6 ? MATCH_YES : MATCH_NO;
    uint16_t saps = cur_u16be(&c);
    uint8_t control = cur_u8(&c);
    return cur_ok(&c) && saps == (LLC_SAP << 8 | LLC_SAP) && control == 3 && bn_npdu_shape(c) ? MATCH_YES : MATCH_NO;
}

static const struct proto_schema *const schemas[] = {&bacnet_schema, NULL};

const struct dissector dissector_bacnet = {
    .name = "bacnet",
    .schemas = schemas,
    .transports = DIS_UDP | DIS_ETH,
    .udp_ports = udp_ports,
    .ethertypes = ethertypes,
    .min_probe = BVLC_HEADER,
    .max_pdu = LIM_PDU,
    .flow_size = sizeof(struct bn_flow),
    .probe = bacnet_probe,
    .parse = bacnet_parse,
};
_Static_assert(sizeof(struct bn_flow) <= DIS_FLOW_STATE, "fits the state of a flow");
