/* bacnet_net.c: messages of the virtual link layer and of the network layer that carry no application PDU.
 *
 * Spec: ANSI/ASHRAE 135-2020 Annex J.2 (BVLL for IPv4), U.2 (for IPv6), clause 6.4 (network layer messages).
 * They have no function in the sense of the application layer: the messages of their records have function null. */
#include "dissectors/bacnet_priv.h"

enum { NO_NPDU = 0xff, ANY_LEN = 65535, ENTRY = 10, FLAG_V6 = 0x100 };

/* clang-format off */
static const struct bn_bvlc rows4[] = {
    {0, NO_NPDU, BB_ANSWERS, 2, 2}, {1, NO_NPDU, BB_ASKS, 0, ANY_LEN}, {2, NO_NPDU, BB_ASKS, 0, 0},
    {3, NO_NPDU, BB_ANSWERS, 0, ANY_LEN}, {4, 6, BB_BROADCAST, 8, ANY_LEN}, {5, NO_NPDU, BB_ASKS, 2, 2},
    {6, NO_NPDU, BB_ASKS, 0, 0}, {7, NO_NPDU, BB_ANSWERS, 0, ANY_LEN}, {8, NO_NPDU, BB_ASKS, 6, 6},
    {9, 0, BB_BROADCAST, 2, ANY_LEN}, {10, 0, 0, 2, ANY_LEN}, {11, 0, BB_BROADCAST, 2, ANY_LEN},
    {12, NO_NPDU, 0, 0, ANY_LEN},
};
static const struct bn_bvlc rows6[] = {
    {0, NO_NPDU, BB_ANSWERS, 5, 5}, {1, 6, 0, 8, ANY_LEN}, {2, 3, BB_BROADCAST, 5, ANY_LEN},
    {3, NO_NPDU, 0, 6, 6}, {4, NO_NPDU, 0, 24, 24}, {5, NO_NPDU, 0, 6, 6}, {6, NO_NPDU, 0, 3, 3},
    {7, NO_NPDU, 0, 6, 6}, {8, 21, BB_BROADCAST, 23, ANY_LEN}, {9, NO_NPDU, BB_ASKS, 5, 5},
    {10, NO_NPDU, BB_ASKS, 21, 21}, {11, NO_NPDU, 0, 0, ANY_LEN}, {12, 3, BB_BROADCAST, 5, ANY_LEN},
};
/* clang-format on */

const struct bn_bvlc *bn_bvlc_row(bool v6, uint32_t fn)
{
    const struct bn_bvlc *rows = v6 ? rows6 : rows4;
    return fn < ARRAY_LEN(rows4) ? &rows[fn] : NULL;
}
_Static_assert(ARRAY_LEN(rows4) == ARRAY_LEN(rows6), "one bound for both");

/* What is asked on one of these layers is answered in order. */
static uint64_t key(const struct bn_msg *m, bool asks, unsigned layer)
{
    return UINT64_C(1) << 63 | layer << 1 | (asks ? m->x->side : 1u - m->x->side);
}

static void begin(struct bn_msg *m, uint32_t fn, bool asks, bool answers, unsigned layer)
{
    m->x->dir = answers && !m->broadcast ? DIR_S2C : DIR_C2S;
    m->x->dir_sure = 1;
    if (answers && ev_is_waited(m->x, key(m, asks, layer))) {
        m->e = ev_answer(m->x, &bacnet_schema, key(m, asks, layer), fn, OP_ANY_SELECTOR);
    } else {
        m->e = ev_begin(m->x, &bacnet_schema, fn, OP_ANY_SELECTOR);
        m->e->kind = answers && layer == 0 ? EV_RESPONSE : EV_MESSAGE;
        bn_common(m);
    }
    m->e->msgs[m->e->n_msgs - 1].function = FN_NONE;
    m->e->anomalies |= m->anomalies;
}

static enum verdict finish(struct bn_msg *m, struct cur *c, bool waits, unsigned layer)
{
    bool bad = !cur_ok(c) && !m->x->cut;
    if (bad)
        bn_anomaly(m, BA_SHORT);
    else if (cur_left(c))
        bn_anomaly(m, BA_TRAILING);
    if (waits)
        ev_wait(m->x, m->e, key(m, true, layer));
    else
        ev_commit(m->x, m->e);
    return bad ? DIS_MALFORMED : DIS_OK;
}

static void rest(struct bn_msg *m, struct cur *c)
{
    struct span s = cur_rest(c);
    if (s.n)
        ev_span(m->e, BF_DATA, s);
}

/* ---- virtual link layer ---- */

static struct span ip_port(struct event *e, struct cur *c)
{
    struct span ip = cur_bytes(c, 4);
    uint16_t port = cur_u16be(c);
    return ip.p ? ev_text_fmt(e, "%u.%u.%u.%u:%u", ip.p[0], ip.p[1], ip.p[2], ip.p[3], port) : (struct span){0};
}

/* Entries of a broadcast distribution table (mask) or foreign device table (time to live, what is left of it). */
static void entries(struct bn_msg *m, struct cur *c, bool foreign)
{
    while (cur_ok(c) && cur_left(c) >= ENTRY) {
        struct span who = ip_port(m->e, c);
        uint32_t more = cur_u32be(c);
        struct span s = foreign
            ? ev_text_fmt(m->e, "%.*s ttl %u left %u", (int)who.n, (const char *)who.p, more >> 16, more & 0xffff)
            : ev_text_fmt(m->e, "%.*s/%u.%u.%u.%u", (int)who.n, (const char *)who.p, more >> 24, more >> 16 & 255,
                          more >> 8 & 255, more & 255);
        ev_span(m->e, foreign ? BF_FDT : BF_BDT, s);
    }
}

static void result(struct bn_msg *m, uint16_t code)
{
    static const uint8_t asked[] = {0, 1, 2, 5, 6, 8, 9}; /* whose NAK 0x10, 0x20, ... is */
    unsigned nak = code >> 4;
    ev_status(m->e, code ? BN_NAK + code : 0, code != 0);
    if (m->e->kind == EV_TRANSACTION && nak && nak < ARRAY_LEN(asked) && m->bvlc < FLAG_V6 &&
        (m->e->function & 0xff) != asked[nak])
        bn_anomaly(m, BA_SERVICE_MISMATCH);
}

static void bvlc4(struct bn_msg *m, struct cur *c, uint8_t fn)
{
    if (fn == 0) {
        result(m, cur_u16be(c));
    } else if (fn == 1 || fn == 3 || fn == 7) {
        entries(m, c, fn == 7);
    } else if (fn == 5) {
        ev_u64(m->e, BF_TTL, cur_u16be(c));
        obs_fmt(m->x, &bacnet_schema, OBS_CLIENT, OBS_SELF, OBS_OTHER, 80, "%s", "registers as foreign device");
    } else if (fn == 8) {
        ev_span(m->e, BF_FOREIGN, ip_port(m->e, c));
    } else {
        rest(m, c);
    }
    if ((fn == 3 || fn == 7) && m->e->kind == EV_TRANSACTION)
        ev_status(m->e, 0, false);
}

static void bvlc6(struct bn_msg *m, struct cur *c, uint8_t fn)
{
    cur_skip(c, 3); /* the sender's VMAC */
    if (fn == 0)
        result(m, cur_u16be(c));
    else if (fn == 9)
        ev_u64(m->e, BF_TTL, cur_u16be(c));
    else
        rest(m, c);
}

enum verdict bn_bvlc_message(struct bn_msg *m, struct cur c, bool v6)
{
    uint8_t fn = (uint8_t)m->bvlc;
    const struct bn_bvlc *row = bn_bvlc_row(v6, fn);
    uint32_t n = cur_left(&c);
    if (n < row->min || n > row->max)
        bn_anomaly(m, BA_BVLC_LENGTH);
    begin(m, (v6 ? BN_FN_BVLC6 : BN_FN_BVLC) | fn, row->flags & BB_ASKS, row->flags & BB_ANSWERS, 0);
    if (v6)
        bvlc6(m, &c, fn);
    else
        bvlc4(m, &c, fn);
    return finish(m, &c, row->flags & BB_ASKS, 0);
}

/* ---- network layer ---- */

enum net_type {
    WHO_IS_ROUTER, I_AM_ROUTER, I_COULD_BE_ROUTER, REJECT, BUSY, AVAILABLE, INIT_TABLE, INIT_TABLE_ACK, ESTABLISH,
    DISCONNECT, WHAT_IS_NUMBER = 0x12, NUMBER_IS = 0x13, LAST_SECURITY = 0x11, VENDOR = 0x80,
};

static void network(struct bn_msg *m, uint16_t net)
{
    ev_range(m->e, BK_NETWORK, 0, net, net);
}

static void networks(struct bn_msg *m, struct cur *c, bool router)
{
    while (cur_ok(c) && cur_left(c) >= 2) {
        uint16_t net = cur_u16be(c);
        network(m, net);
        if (router)
            obs_fmt(m->x, &bacnet_schema, bn_sender(m), OBS_SELF, OBS_OTHER, 90, "routes to BACnet network %u", net);
    }
}

/* 6.4.7: | number of ports | network 2 | port id | length of info | info | ... */
static void routing_table(struct bn_msg *m, struct cur *c)
{
    uint8_t n = cur_left(c) ? cur_u8(c) : 0;
    for (uint8_t i = 0; i < n && cur_ok(c); i++) {
        uint16_t net = cur_u16be(c);
        uint8_t port = cur_u8(c);
        uint8_t info = cur_u8(c);
        cur_skip(c, info);
        if (!cur_ok(c))
            return;
        network(m, net);
        ev_u64(m->e, BF_PORT_ID, port);
    }
}

static void net_body(struct bn_msg *m, struct cur *c, uint8_t type)
{
    if (type == I_AM_ROUTER || type == AVAILABLE || type == BUSY) {
        if (type == I_AM_ROUTER)
            obs_fmt(m->x, &bacnet_schema, bn_sender(m), OBS_SELF, OBS_ROLE, 90, "%s", "gateway");
        networks(m, c, type == I_AM_ROUTER);
    } else if (type == WHO_IS_ROUTER) {
        if (cur_left(c))
            network(m, cur_u16be(c));
    } else if (type == REJECT) {
        ev_u64(m->e, BF_NETWORK_REASON, cur_u8(c));
        network(m, cur_u16be(c));
    } else if (type == I_COULD_BE_ROUTER || type == ESTABLISH) {
        network(m, cur_u16be(c));
        ev_u64(m->e, BF_PERFORMANCE, cur_u8(c));
    } else if (type == DISCONNECT) {
        network(m, cur_u16be(c));
    } else if (type == NUMBER_IS) {
        network(m, cur_u16be(c));
        ev_u64(m->e, BF_NETWORK_FLAGGED, cur_u8(c));
    } else if (type == INIT_TABLE || type == INIT_TABLE_ACK) {
        routing_table(m, c);
    } else if (type >= VENDOR) {
        ev_u64(m->e, BF_VENDOR_ID, cur_u16be(c));
        rest(m, c);
    } else {
        rest(m, c);
    }
}

enum verdict bn_network_message(struct bn_msg *m, struct cur c)
{
    static const uint32_t answers = 1u << I_AM_ROUTER | 1u << I_COULD_BE_ROUTER | 1u << REJECT | 1u << BUSY |
                                    1u << AVAILABLE | 1u << INIT_TABLE_ACK | 1u << NUMBER_IS;
    uint8_t type = cur_u8(&c);
    if (!cur_ok(&c)) {
        if (!m->x->cut)
            ev_malformed(m->x, &bacnet_schema, BA_SHORT);
        return m->x->cut ? DIS_OK : DIS_MALFORMED;
    }
    unsigned layer = type == INIT_TABLE || type == INIT_TABLE_ACK ? 1 : 2;
    begin(m, BN_FN_NETWORK | type, type == INIT_TABLE, type < 32 && answers >> type & 1, layer);
    if (type > NUMBER_IS && type < VENDOR)
        bn_anomaly(m, BA_NET_MESSAGE);
    net_body(m, &c, type);
    if (type == INIT_TABLE_ACK && m->e->kind == EV_TRANSACTION)
        ev_status(m->e, 0, false);
    return finish(m, &c, type == INIT_TABLE, layer);
}
