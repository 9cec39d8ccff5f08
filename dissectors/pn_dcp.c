/* pn_dcp.c: PROFINET DCP: who is there, what is it called, and what shall it be called.
 *
 * Spec: IEC 61158-6-10:2019 4.3 (DCP), 4.2.2.5 (FrameID).
 *
 *   EtherType 0x8892
 *   +---------+---------+------+-------+----------------+--------+------------------------------
 *   | FrameID | service | type |  Xid  | response delay | length | blocks (pn_dcp_block.c)
 *   |    2    |    1    |  1   |   4   | or reserved 2  |   2    |
 *   +---------+---------+------+-------+----------------+--------+------------------------------
 *   FrameID: fefc Hello, fefd Get and Set, fefe Identify request, feff Identify response; others on this EtherType are
 *   cyclic data, alarms and more, and not DCP.
 *   service: 3 Get, 4 Set, 5 Identify, 6 Hello; type: 0 request, 1 success, 5 not supported
 *
 * Get and Set are one record with their answer. An Identify request to all is a message of its own: each answer goes
 * from its device to the one who asked and is a response. The client is who asks; a Hello is its sender's.
 * Not decoded: contents of DHCP options and of TSN management.
 * Identity: name of station, type, vendor and device id, role, IP and MAC address. */
#include "dissectors/pn_dcp_priv.h"

enum { HEADER = 12, OPTION_CONTROL = 5, SUB_RESPONSE = 4, OPTION_ALL = 255, MAX_BLOCKS = 512 };
static const uint16_t ethertypes[] = {0x8892, 0};

static const struct shape {
    uint16_t frame_id;
    uint8_t service, type;
    bool value, info;    /* what its blocks carry */
} shapes[] = {
    {0xfefd, DCP_GET, DCP_REQUEST, false, false},      {0xfefd, DCP_GET, DCP_SUCCESS, true, true},
    {0xfefd, DCP_GET, DCP_NOT_SUPPORTED, false, false},{0xfefd, DCP_SET, DCP_REQUEST, true, true},
    {0xfefd, DCP_SET, DCP_SUCCESS, true, false},       {0xfefd, DCP_SET, DCP_NOT_SUPPORTED, false, false},
    {0xfefe, DCP_IDENTIFY, DCP_REQUEST, true, false},  {0xfeff, DCP_IDENTIFY, DCP_SUCCESS, true, true},
    {0xfefc, DCP_HELLO, DCP_REQUEST, true, true},
};

static const struct shape *find_shape(uint8_t service, uint8_t type)
{
    for (unsigned i = 0; i < ARRAY_LEN(shapes); i++)
        if (shapes[i].service == service && shapes[i].type == type)
            return &shapes[i];
    return NULL;
}

static void read_get(struct dcp *d, struct cur c)
{
    while (cur_left(&c) >= 2) {
        uint8_t option = cur_u8(&c), suboption = cur_u8(&c);
        dcp_block(d, DCP_CODE(option, suboption), (struct cur){0});
    }
    if (cur_left(&c))
        d->e->anomalies |= 1u << PA_BLOCK;
}

/* What decides the act of a Set that sets several things: a reset before an address before a name before the rest. */
static uint32_t heavier(uint32_t a, uint32_t b)
{
    static const uint32_t order[] = {DCP_CODE(5, 6), DCP_CODE(5, 5), DCP_CODE(1, 3), DCP_CODE(1, 2), DCP_CODE(2, 2)};
    for (unsigned i = 0; i < ARRAY_LEN(order); i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return a;
}

/* The code of the heaviest block, for the selector: blocks are walked once before they are read. */
static uint32_t heaviest(struct cur c)
{
    uint32_t code = OP_ANY_SELECTOR;
    while (cur_left(&c) >= 4) {
        uint8_t option = cur_u8(&c), suboption = cur_u8(&c);
        uint16_t len = cur_u16be(&c);
        code = code == OP_ANY_SELECTOR ? DCP_CODE(option, suboption) : heavier(code, DCP_CODE(option, suboption));
        cur_skip(&c, (len + 1u) & ~1u);
    }
    return code;
}

static void read_blocks(struct dcp *d, struct cur c)
{
    for (unsigned n = 0; cur_left(&c) && n < MAX_BLOCKS; n++) {
        uint8_t option = cur_u8(&c), suboption = cur_u8(&c);
        uint16_t len = cur_u16be(&c);
        struct cur body = cur_sub(&c, len);
        if (!cur_ok(&c)) {
            if (!d->x->cut)
                d->e->anomalies |= 1u << PA_BLOCK;
            return;
        }
        if (len & 1 && cur_left(&c))
            cur_skip(&c, 1);
        if (option == OPTION_CONTROL && suboption == SUB_RESPONSE)
            dcp_result(d, body);
        else if (option == OPTION_ALL && !len)
            dcp_block(d, DCP_CODE(option, suboption), (struct cur){0});
        else
            dcp_block(d, DCP_CODE(option, suboption), body);
    }
}

static struct event *begin(struct dis_ctx *x, const struct dcp *d, uint32_t xid, uint32_t selector)
{
    uint32_t fn = DCP_FN(d->service, d->type);
    bool answer = d->type != DCP_REQUEST;
    struct event *e = answer ? ev_answer(x, &pn_dcp_schema, xid, fn, selector)
                             : ev_begin(x, &pn_dcp_schema, fn, selector);
    if (answer && e->kind == EV_TRANSACTION)
        return e;
    if (d->service == DCP_HELLO)
        e->kind = EV_UNSOLICITED;
    ev_u64(e, PF_XID, xid);
    return e;
}

static void finish(struct dis_ctx *x, const struct dcp *d, uint32_t xid)
{
    struct event *e = d->e;
    bool to_all = x->lay && addr_is_group(&x->lay->dst);
    if (d->type == DCP_NOT_SUPPORTED)
        ev_status(e, 0x100, true);
    else if (d->type == DCP_SUCCESS && !e->has_status)
        ev_status(e, 0, false);
    if (d->type == DCP_REQUEST && d->service != DCP_HELLO && !to_all)
        ev_wait(x, e, xid);
    else
        ev_commit(x, e);
}

static enum verdict malformed(struct dis_ctx *x, enum dcp_anomaly a)
{
    if (x->cut)
        return DIS_OK;
    ev_malformed(x, &pn_dcp_schema, a);
    return DIS_MALFORMED;
}

static enum verdict dcp_parse(struct cur pdu, struct dis_ctx *x)
{
    struct dcp d = {.x = x};
    uint16_t frame_id = cur_u16be(&pdu);
    d.service = cur_u8(&pdu);
    d.type = cur_u8(&pdu);
    uint32_t xid = cur_u32be(&pdu);
    uint16_t delay = cur_u16be(&pdu), len = cur_u16be(&pdu);
    if (!cur_ok(&pdu))
        return malformed(x, PA_HEADER);
    const struct shape *s = find_shape(d.service, d.type);
    x->dir = d.type == DCP_REQUEST ? DIR_C2S : DIR_S2C;
    x->dir_sure = 1;
    if (!s)
        return malformed(x, PA_SERVICE);
    bool beyond = len > cur_left(&pdu);
    struct cur data = cur_sub(&pdu, beyond ? cur_left(&pdu) : len);
    d.has_value = s->value;
    d.has_info = s->info;
    d.about_sender = d.type == DCP_SUCCESS ? d.service != DCP_SET : d.service == DCP_HELLO;
    d.e = begin(x, &d, xid, d.service == DCP_SET && d.type == DCP_REQUEST ? heaviest(data) : OP_ANY_SELECTOR);
    if (frame_id != s->frame_id) {
        ev_u64(d.e, PF_FRAME_ID, frame_id);
        d.e->anomalies |= 1u << PA_FRAME_ID;
    }
    if (beyond && !x->cut)
        d.e->anomalies |= 1u << PA_LENGTH;
    if (d.service == DCP_IDENTIFY && d.type == DCP_REQUEST)
        ev_u64(d.e, PF_DELAY, delay);
    if (d.service == DCP_GET && d.type == DCP_REQUEST)
        read_get(&d, data);
    else
        read_blocks(&d, data);
    bool broken = d.e->anomalies & (1u << PA_LENGTH | 1u << PA_BLOCK | 1u << PA_VALUE);
    finish(x, &d, xid);
    return broken ? DIS_MALFORMED : DIS_OK;
}

static enum match dcp_probe(struct cur c, struct dis_ctx *x)
{
    (void)x;
    uint16_t id = cur_u16be(&c);
    return cur_ok(&c) && id >= 0xfefc && id <= 0xfeff ? MATCH_YES : MATCH_NO;
}

static const struct proto_schema *const schemas[] = {&pn_dcp_schema, NULL};

const struct dissector dissector_pn_dcp = {
    .name = "pn_dcp",
    .schemas = schemas,
    .transports = DIS_ETH,
    .ethertypes = ethertypes,
    .min_probe = 2,
    .max_pdu = LIM_PDU,
    .probe = dcp_probe,
    .parse = dcp_parse,
};
