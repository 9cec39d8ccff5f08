/* goose.c: IEC 61850 GOOSE, events from one protection device to all that listen, on Ethernet and routed over UDP.
 *
 * Spec: IEC 61850-8-1:2011+A1:2020 (18.1, annexes A and C), IEC 61850-7-2:2010+A1:2020 (18.2), IEC TR 61850-90-5:2012
 *       (8: session layer), IEC 62351-6:2020 (security extension), ITU-T X.690.
 *
 *   EtherType 0x88b8 (GOOSE) or 0x88b9 (management)
 *   +-------+--------+----------------------------------------------+------------+------
 *   | APPID | length | simulation 1 bit, reserved 7, security len 8 | reserved 2 | APDU
 *   |   2   |   2    |                       2                      |            |
 *   +-------+--------+----------------------------------------------+------------+------
 *   UDP 102: | 01 40 | a1 | LI | 80 | LI | SPDU length 4 | number 4 | version 2 | time of key 4 | next key 2 |
 *            | version 1: algorithms 2 | key id 4 | version 2: IV length 1, IV | payload length 4 |
 *            | each: 81 | simulation 1 | APPID 2 | length 2 | APDU | ... | signature: 85 | length 1 | ... |
 *
 *   APDU: 61 { 80 gocbRef  81 timeAllowedtoLive  82 datSet  83 goID  84 t  85 stNum  86 sqNum  87 simulation
 *              88 confRev  89 ndsCom  8a numDatSetEntries  ab allData { Data ... } }
 *
 * The publisher is the client. A message that repeats the one before it is counted and carries no values: they are
 * those of its state. What is new (first seen, state change, restart, out of order) carries the whole data set; its
 * members are data:1, data:2, ... with the leaves of a structure behind a point, since GOOSE names none of them.
 * Not decoded: encrypted payloads (told), signatures (not verified), session PDUs of Sampled Values and tunnels.
 * A publisher that does not speak within timeAllowedtoLive is told, once. Identity: the logical device in gocbRef. */
#include "dissectors/goose_priv.h"

enum {
    HEADER = 8,
    ETHERTYPE_MANAGEMENT = 0x88b9,
    TAG_PDU = 0x61,
    TAG_MANAGEMENT = 0x60,
    SPDU_GOOSE = 0xa1,
    PAYLOAD_GOOSE = 0x81,
    SIGNATURE = 0x85,
    FOLLOWED = 0x61, /* elements without which a message has no place after another: gocbRef, stNum, sqNum */
    LEAVES = 254, /* of one member: the point in data:3.1 is a struct item.bit */
};
static const uint16_t udp_ports[] = {102, 0};
static const uint16_t ethertypes[] = {0x88b8, ETHERTYPE_MANAGEMENT, 0};

/* ---- events ---- */

/* A leaf of the member-th entry of the data set. */
static inline struct item *tell_leaf(struct event *e, uint32_t member, uint32_t type, struct cur body)
{
    struct item *it = ev_range(e, GK_DATA, 0, member, member);
    uint32_t q;
    if (!mms_value(type, body, &it->v))
        e->anomalies |= GOOSE_BIT(GA_DATA_VALUE);
    if (iec61850_quality(type, body, &q)) {
        it->quality = q;
        if (q & IEC61850_Q_TEST)
            e->anomalies |= GOOSE_BIT(GA_TEST);
    }
    return it;
}

/* The entries from here on that are values of their own and short, as nearly all are; the first that is not ends them.
 * Their number. */
static uint32_t tell_plain(struct event *e, struct cur *c)
{
    enum { PRIMITIVE = BER_CONTEXT << 6 };
    uint32_t n = 0;
    while (cur_left(c) >= 2) {
        uint32_t tag = cur_peek(c, 0), len = cur_peek(c, 1), type = tag ^ PRIMITIVE;
        if (!mms_is_type(type) || type < MMS_BOOLEAN || len > 127 || len > cur_left(c) - 2)
            break;
        cur_skip(c, 2);
        tell_leaf(e, ++n, type, cur_sub(c, len));
    }
    return n;
}

static void tell_values(struct event *e, struct goose_pdu *p)
{
    struct cur from = p->all_data;
    uint32_t n = tell_plain(e, &from), before = n, top = UINT32_MAX, leaf = 0;
    struct mms_walk w = mms_walk(from);
    struct mms_leaf l;
    while (mms_leaf(&w, &l)) {
        leaf = l.path[0] == top ? leaf + 1 : 0;
        n += l.path[0] != top;
        top = l.path[0];
        if (leaf > LEAVES) {
            e->truncated = 1;
            continue;
        }
        struct item *it = tell_leaf(e, before + top + 1, l.type, l.body);
        if (l.depth > 1)
            it->bit = (uint8_t)(leaf + 1);
    }
    if (w.broken)
        e->anomalies |= GOOSE_BIT(GA_DATA_BROKEN);
    else if (n != p->entries && p->has >> 10 & 1)
        e->anomalies |= GOOSE_BIT(GA_ENTRIES);
}

static void tell_text(struct event *e, const struct goose_pdu *p, unsigned element, uint8_t field, struct span s)
{
    if (p->has >> element & 1)
        ev_span(e, field, s);
}

static void tell_number(struct event *e, const struct goose_pdu *p, unsigned element, uint8_t field, uint64_t v)
{
    if (p->has >> element & 1)
        ev_u64(e, field, v);
}

static void tell_fields(struct event *e, const struct goose_pdu *p)
{
    tell_text(e, p, 0, GF_GOCB_REF, p->gocb_ref);
    tell_text(e, p, 2, GF_DAT_SET, p->dat_set);
    tell_text(e, p, 3, GF_GO_ID, p->go_id);
    tell_number(e, p, 5, GF_ST_NUM, p->st_num);
    tell_number(e, p, 6, GF_SQ_NUM, p->sq_num);
    tell_number(e, p, 4, GF_TIME, p->time.ns);
    tell_number(e, p, 4, GF_TIME_ACCURACY, p->time.quality & BER_TIME_ACCURACY);
    if (p->time.quality & BER_CLOCK_FAILURE)
        ev_u64(e, GF_CLOCK_FAILURE, 1);
    if (p->time.quality & BER_CLOCK_NOT_SYNCHRONIZED)
        ev_u64(e, GF_CLOCK_UNSYNC, 1);
    tell_number(e, p, 8, GF_CONF_REV, p->conf_rev);
    tell_number(e, p, 1, GF_TTL, p->ttl_ms);
    tell_number(e, p, 9, GF_NDS_COM, p->nds_com);
    tell_number(e, p, 10, GF_ENTRIES, p->entries);
}

static void tell_routing(struct event *e, const struct goose_carrier *h)
{
    if (h->secured)
        ev_u64(e, GF_SECURITY, 1);
    if (!h->routed)
        return;
    ev_u64(e, GF_SPDU_NUMBER, h->spdu_number);
    ev_u64(e, GF_SPDU_VERSION, h->version);
    ev_u64(e, GF_KEY_ID, h->key_id);
    if (h->key_time)
        ev_u64(e, GF_KEY_TIME, h->key_time * UINT64_C(1000000000));
    ev_u64(e, GF_KEY_NEXT, h->key_next);
    if (h->version == 1) {
        ev_u64(e, GF_ENCRYPTION, h->encryption);
        ev_u64(e, GF_SIGNATURE, h->signature);
    }
    ev_u64(e, GF_SIGNED, h->is_signed);
    if (h->copies > 1)
        ev_u64(e, GF_COPIES, h->copies);
}

/* After the message before it: interval, what is missing, what was other. */
static void tell_change(struct event *e, const struct goose_publisher *before, const struct goose_pdu *p, uint64_t now,
                        enum goose_change change)
{
    ev_u64(e, GF_CHANGE, change);
    if (change == CHANGE_FIRST)
        return;
    ev_u64(e, GF_INTERVAL, now > before->seen_ns ? (now - before->seen_ns) / 1000 : 0);
    if (p->anomalies & GOOSE_BIT(GA_SQ_GAP))
        ev_u64(e, GF_LOST, change == CHANGE_STATE ? p->sq_num : p->sq_num - before->sq_num - 1);
    if (p->anomalies &
        (GOOSE_BIT(GA_ST_GAP) | GOOSE_BIT(GA_ST_JUMP) | GOOSE_BIT(GA_ST_BACK) | GOOSE_BIT(GA_RESTART)))
        ev_u64(e, GF_PREVIOUS_ST_NUM, before->st_num);
    if (p->anomalies & GOOSE_BIT(GA_CONF_REV))
        ev_u64(e, GF_PREVIOUS_CONF_REV, before->conf_rev);
}

/* The name of the logical device: "IED1LD0" of "IED1LD0/LLN0$GO$gcb01". */
static void tell_identity(struct dis_ctx *x, struct span gocb_ref)
{
    uint32_t n = 0;
    while (n < gocb_ref.n && gocb_ref.p[n] != '/')
        n++;
    if (n && n < gocb_ref.n)
        obs_text(x, &goose_schema, OBS_CLIENT, OBS_SELF, OBS_PROTO_ADDR, (struct span){gocb_ref.p, n}, 90);
}

/* Of the message alone. */
static uint64_t static_anomalies(const struct goose_carrier *h, const struct goose_pdu *p)
{
    uint64_t a = h->anomalies;
    a |= p->simulation || h->simulation ? GOOSE_BIT(GA_SIMULATION) : 0;
    a |= p->simulation != h->simulation ? GOOSE_BIT(GA_SIMULATION_FLAGS) : 0;
    a |= p->nds_com ? GOOSE_BIT(GA_NDS_COM) : 0;
    a |= p->has >> 8 & 1 && !p->conf_rev ? GOOSE_BIT(GA_CONF_REV_0) : 0;
    a |= p->has >> 1 & 1 && !p->ttl_ms ? GOOSE_BIT(GA_TTL_0) : 0;
    a |= p->has >> 5 & 1 && !p->st_num ? GOOSE_BIT(GA_ST_0) : 0;
    return a;
}

/* A message as far as it is read. */
struct read {
    const struct goose_carrier *h;
    struct goose_pdu p;
    struct goose_publisher before;
    enum goose_change change;
    uint64_t ts_ns;
};

static void add_fields(struct event *e, void *arg)
{
    const struct read *r = arg;
    ev_u64(e, GF_APPID, r->h->appid);
    tell_fields(e, &r->p);
    tell_change(e, &r->before, &r->p, r->ts_ns, r->change);
    if (r->p.simulation || r->h->simulation)
        ev_u64(e, GF_SIMULATION, 1);
    tell_routing(e, r->h);
}

static void read_pdu(struct cur body, struct dis_ctx *x, const struct goose_carrier *h, struct goose_pdu *p,
                     struct goose_publisher **st)
{
    if (goose_pdu_again(x, h, body, p, st))
        return;
    bool whole = goose_pdu_read(x, h, body, p);
    if (!whole && !x->cut)
        p->anomalies |= GOOSE_BIT(GA_BER);
    if (!whole && x->cut)
        p->anomalies &= ~GOOSE_BIT(GA_MISSING);
}

static enum verdict message(struct cur body, struct dis_ctx *x, const struct goose_carrier *h)
{
    struct read r; /* `before` where there is one: after CHANGE_FIRST nobody looks */
    r.h = h;
    r.ts_ns = x->ts_ns;
    struct goose_pdu *p = &r.p;
    struct goose_publisher *st;
    read_pdu(body, x, h, p, &st);
    p->anomalies |= static_anomalies(h, p);
    if (p->same && goose_repeats(x, p, st) && ev_message_again(x, &goose_schema, &st->seen)) {
        goose_repeated(x, h, p, st);
        return DIS_OK;
    }
    bool broken = p->anomalies & (GOOSE_BIT(GA_BER) | GOOSE_BIT(GA_MISSING) | GOOSE_BIT(GA_VALUE));
    r.change = (p->has & FOLLOWED) == FOLLOWED ? goose_follow(x, h, p, &st, &r.before) : CHANGE_FIRST;
    struct event *e = ev_begin(x, &goose_schema, GOOSE_FN_PDU, OP_ANY_SELECTOR);
    ev_unit(e, h->appid);
    if (p->has & 1)
        ev_named(e, GK_CONTROL_BLOCK, p->gocb_ref);
    e->anomalies = p->anomalies;
    bool repeats = r.change == CHANGE_REPETITION || r.change == CHANGE_COPY;
    if (!repeats || p->anomalies & GOOSE_BIT(GA_DATA_CHANGED)) {
        tell_values(e, p);
        tell_identity(x, p->gocb_ref);
    }
    bool plain = r.change == CHANGE_REPETITION && !e->anomalies;
    ev_commit_brief(x, e, add_fields, &r);
    if (plain)
        st->seen = ev_seen(x);
    return broken ? DIS_MALFORMED : DIS_OK;
}

/* ---- the APDU in its carrier ---- */

static enum verdict malformed(struct dis_ctx *x, enum goose_anomaly a)
{
    if (x->cut)
        return DIS_OK;
    ev_malformed(x, &goose_schema, a);
    return DIS_MALFORMED;
}

/* c: from the tag of the APDU to the end of what its carrier says. Short ones are read as far as they go: their frame
 * was cut, or its length is wrong. */
static enum verdict apdu(struct cur c, struct dis_ctx *x, struct goose_carrier *h)
{
    struct ber t;
    struct cur all = c;
    uint8_t tag = cur_peek(&c, 0);
    if (tag != TAG_PDU && tag != TAG_MANAGEMENT)
        return malformed(x, GA_HEADER);
    if (!ber_next(&c, &t)) {
        uint8_t len;
        cur_skip(&all, 1);
        len = cur_u8(&all);
        if (len & 0x80)
            cur_skip(&all, len & 0x7f);
        if (!cur_ok(&all))
            return malformed(x, GA_BER);
        t.body = all;
        if (!x->cut)
            h->anomalies |= GOOSE_BIT(GA_LENGTH);
    } else if (cur_left(&c) && !h->secured) {
        h->anomalies |= GOOSE_BIT(GA_TRAILING);
    }
    return tag == TAG_PDU ? message(t.body, x, h) : goose_management(t.body, x, h);
}

static enum verdict parse_eth(struct cur pdu, struct dis_ctx *x)
{
    struct goose_carrier h = {0};
    h.appid = cur_u16be(&pdu);
    uint16_t len = cur_u16be(&pdu), reserved = cur_u16be(&pdu), reserved2 = cur_u16be(&pdu);
    if (!cur_ok(&pdu))
        return malformed(x, GA_HEADER);
    h.simulation = reserved >> 15;
    h.secured = reserved & 0xff; /* octets of the extension behind the APDU: IEC 62351-6 */
    if (reserved & 0x7f00 || (reserved2 && !h.secured))
        h.anomalies |= GOOSE_BIT(GA_RESERVED);
    uint32_t room = cur_left(&pdu), want = len >= HEADER ? len - (uint32_t)HEADER : 0;
    if (len < HEADER || (want > room && !x->cut))
        h.anomalies |= GOOSE_BIT(GA_LENGTH);
    return apdu(cur_sub(&pdu, want && want < room ? want : room), x, &h);
}

/* ---- routed ---- */

/* The session header, then the payload as a cursor of its own. Its length octets differ between the two versions and
 * their senders in what they count; the fields do not. */
static struct cur read_session(struct cur *c, struct goose_carrier *h, bool *encrypted)
{
    cur_skip(c, 10); /* up to the number: 01 40, a1, length, 80, length, SPDU length 4 */
    h->routed = true;
    h->spdu_number = cur_u32be(c);
    h->version = cur_u16be(c);
    h->key_time = cur_u32be(c);
    h->key_next = cur_u16be(c);
    if (h->version == 1) {
        h->encryption = cur_u8(c);
        h->signature = cur_u8(c);
    }
    h->key_id = cur_u32be(c);
    uint32_t iv = h->version == 1 ? 0 : cur_u8(c);
    cur_skip(c, iv);
    *encrypted = h->encryption || iv;
    struct cur payload = cur_sub(c, cur_u32be(c));
    h->is_signed = cur_ok(c) && cur_peek(c, 0) == SIGNATURE;
    return payload;
}

static enum verdict encrypted_message(struct dis_ctx *x, const struct goose_carrier *h)
{
    struct event *e = ev_begin(x, &goose_schema, FN_NONE, OP_ANY_SELECTOR);
    e->action = ACT_REPORT;
    tell_routing(e, h);
    ev_commit(x, e);
    return DIS_OK;
}

/* Senders put the same APDU into one SPDU several times: one message, told once. */
static uint32_t skip_copies(struct cur *c, struct span one)
{
    uint32_t n = 1;
    for (struct cur next = *c; one.n; *c = next, n++) {
        struct span s = cur_bytes(&next, one.n);
        if (s.n != one.n || memcmp(s.p, one.p, s.n) != 0)
            break;
    }
    return n;
}

static enum verdict parse_udp(struct cur pdu, struct dis_ctx *x)
{
    struct goose_carrier session = {0};
    bool encrypted;
    if (cur_peek(&pdu, 2) != SPDU_GOOSE) { /* Sampled Values, tunnels and key management share port and group */
        ev_silent(x, &goose_schema);
        return DIS_OK;
    }
    struct cur payload = read_session(&pdu, &session, &encrypted);
    if (!cur_ok(&payload) || !cur_left(&payload))
        return malformed(x, GA_SESSION);
    if (encrypted)
        return encrypted_message(x, &session);
    enum verdict worst = DIS_OK;
    while (cur_left(&payload)) {
        struct goose_carrier h = session;
        struct cur from = payload;
        uint8_t type = cur_u8(&payload);
        h.simulation = cur_u8(&payload) != 0;
        h.appid = cur_u16be(&payload);
        struct cur body = cur_sub(&payload, cur_u16be(&payload));
        if (!cur_ok(&payload))
            return malformed(x, GA_SESSION);
        h.copies = skip_copies(&payload, cur_bytes(&from, 6 + cur_left(&body)));
        if (type == PAYLOAD_GOOSE && apdu(body, x, &h) == DIS_MALFORMED)
            worst = DIS_MALFORMED;
    }
    return worst;
}

static enum verdict goose_parse(struct cur pdu, struct dis_ctx *x)
{
    x->dir = DIR_C2S;
    x->dir_sure = 1;
    return x->transport == DIS_ETH ? parse_eth(pdu, x) : parse_udp(pdu, x);
}

/* On its own EtherType everything is its; on UDP the connectionless transport header and the session's. */
static enum match goose_probe(struct cur c, struct dis_ctx *x)
{
    if (x->transport == DIS_ETH)
        return MATCH_YES;
    uint16_t cltp = cur_u16be(&c);
    uint8_t spdu = cur_u8(&c), len = cur_u8(&c), common = cur_u8(&c), common_len = cur_u8(&c);
    if (!cur_ok(&c) || cltp != 0x0140 || common != 0x80 || common_len < 10 || common_len + 2 > len + 4)
        return MATCH_NO;
    if (spdu != SPDU_GOOSE)
        return MATCH_NO;
    x->dir = DIR_C2S;
    x->dir_sure = 1;
    return MATCH_YES;
}

static const struct proto_schema *const schemas[] = {&goose_schema, NULL};

const struct dissector dissector_goose = {
    .name = "goose",
    .schemas = schemas,
    .transports = DIS_ETH | DIS_UDP,
    .udp_ports = udp_ports,
    .ethertypes = ethertypes,
    .min_probe = 6,
    .max_pdu = LIM_PDU,
    .copies = true,
    .probe = goose_probe,
    .parse = goose_parse,
    .due = goose_due,
};
