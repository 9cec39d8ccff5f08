/* bacnet_apdu.c: application PDUs: who asks whom, pairing, segments, acknowledgements, errors.
 *
 * Spec: ANSI/ASHRAE 135-2020 clause 20.1 (headers), 5.2 and 5.4 (segmentation), 18 (errors, rejects, aborts).
 *
 *   confirmed request   | 0 SEG MOR SA 0 | max segments 3, max APDU 4 | invoke id | [sequence | window] | service | ...
 *   unconfirmed         | 1 | service | ...
 *   simple ack          | 2 | invoke id | service |
 *   complex ack         | 3 SEG MOR 00 | invoke id | [sequence | window] | service | ...
 *   segment ack         | 4 00 NAK SRV | invoke id | sequence | window |
 *   error               | 5 | invoke id | service | error |
 *   reject              | 6 | invoke id | reason |
 *   abort               | 7 000 SRV | invoke id | reason |
 *
 * A request waits under (who asked, invoke id, the ends beyond routers); segments join the record as messages of it.
 * The server of a notification is the one that sends it: it asks to be confirmed, but is not the controlling side. */
#include "dissectors/bacnet_priv.h"
#include "engine/base/hash.h"

enum { F_SEG = 8, F_MOR = 4, F_NAK = 2, F_SRV = 1 };

static bool is_notification(uint8_t service)
{
    return service == BN_COV || service == BN_EVENT || service == BN_COV_MULTIPLE || service == BN_AUDIT;
}

static uint64_t addr_hash(uint64_t h, const struct bn_addr *a)
{
    return hash_bytes(hash_mix(h, a->net), a->mac.p, a->mac.n);
}

/* Under what the request waits that this message belongs to. */
static uint64_t key_of(const struct bn_msg *m)
{
    bool asks = m->requester == m->x->side;
    uint64_t h = hash_mix((uint64_t)m->requester << 8 | m->invoke, HASH_ID_KEY);
    if (m->src.net | m->dst.net | m->src.mac.n | m->dst.mac.n) {
        h = addr_hash(h, asks ? &m->src : &m->dst);
        h = addr_hash(h, asks ? &m->dst : &m->src);
    }
    return h >> 1; /* the highest bit: keys of the link layer */
}

/* ---- messages that come again: all of their octets but the invoke id ---- */

static unsigned invoke_at(const struct bn_msg *m)
{
    return m->type == BN_CONFIRMED ? 2 : 1;
}

/* What lies before the invoke id. */
static uint64_t head_of(const struct bn_msg *m)
{
    struct span head = {m->pdu.p, (uint32_t)(m->apdu.p - m->pdu.p) + invoke_at(m)};
    return dis_digest(m->x, head) ^ bn_surroundings(m);
}

/* What lies behind it, from the service on. */
static struct span tail_of(const struct bn_msg *m)
{
    unsigned n = invoke_at(m) + 1;
    return (struct span){m->apdu.p + n, m->apdu.n - n};
}

/* The same of an answer. One plain value of an object that is not the device is nothing but that: left out. */
static struct span answer_of(const struct bn_msg *m, uint64_t *context)
{
    struct span s = tail_of(m);
    struct cur c = cur_span(s);
    uint8_t service = cur_u8(&c), object = cur_u8(&c);
    uint32_t id = cur_u32be(&c);
    uint8_t property = cur_u8(&c);
    cur_skip(&c, 1);
    uint8_t opening = cur_u8(&c), tag = cur_u8(&c), n = tag & 15;
    *context = head_of(m);
    if (m->type != BN_COMPLEX_ACK || service != BN_RP || object != 0x0c || property != 0x19 || opening != 0x3e ||
        n > 4 || cur_left(&c) != n + 1u || cur_peek(&c, n) != 0x3f || id >> 22 == BN_OT_DEVICE ||
        !bn_is_plain(tag >> 4) || tag >> 4 == BT_BOOLEAN /* its value lies in the tag: what follows is no value */)
        return s;
    *context ^= s.n;
    return (struct span){s.p, s.n - n - 1};
}

/* Who controls: the requester, unless it is a notification that is to be confirmed. */
static void set_dir(struct bn_msg *m, bool notification)
{
    bool asks = m->requester == m->x->side;
    m->x->dir = asks != notification ? DIR_C2S : DIR_S2C;
    m->x->dir_sure = 1;
}

/* What waits is of the request; its kind after this message. */
static void set_kind(struct bn_msg *m, bool answered)
{
    struct event *e = m->e;
    e->outcome = OUT_UNKNOWN;
    unsigned type = e->function >> 8;
    if (type == BN_CONFIRMED && is_notification((uint8_t)e->function))
        e->kind = EV_UNSOLICITED;
    else if (type == BN_CONFIRMED)
        e->kind = answered ? EV_TRANSACTION : EV_MESSAGE;
    else
        e->kind = EV_RESPONSE;
    e->from_client = m->x->dir == DIR_C2S;
}

/* ---- segments ---- */

static uint32_t seg_key(const struct bn_msg *m, uint64_t key)
{
    return (uint32_t)(hash_mix(key, m->type) >> 16) | 1;
}

static struct bn_seg *seg_find(struct bn_flow *st, uint32_t key)
{
    for (unsigned i = 0; i < BN_SEGS; i++)
        if (st->seg[i].key == key)
            return &st->seg[i];
    return NULL;
}

/* The next piece. True: *c is the whole message. A piece that was sent again changes nothing; one that is missing ends
 * the message. */
static bool put_together(struct bn_msg *m, uint64_t key, struct cur *c)
{
    uint32_t k = seg_key(m, key);
    struct bn_seg *g = seg_find(m->st, k);
    bool last = !(m->flags & F_MOR), first = m->seq == 0 && !(g && g->next == 0); /* 256: 0 again */
    if (first && !g) {
        g = &m->st->seg[m->st->hand++ % BN_SEGS];
        *g = (struct bn_seg){.key = k};
    }
    if (!g || (!first && m->seq != g->next)) {
        if (g && (uint8_t)(g->next - m->seq) <= 127) /* again: 5.4 */
            return false;
        if (g)
            asm_drop(m->x, k), g->key = 0;
        bn_anomaly(m, BA_SEGMENT_LOST);
        return false;
    }
    g->next = (uint8_t)(m->seq + 1);
    struct cur whole = asm_append(m->x, k, cur_rest(c), first, last);
    if (!last)
        return false;
    g->key = 0;
    *c = whole;
    return cur_ok(&whole);
}

/* ---- headers ---- */

static const uint16_t max_apdus[16] = {50, 128, 206, 480, 1024, 1476};
static const uint8_t max_segments[8] = {0, 2, 4, 8, 16, 32, 64, 65}; /* 65: more than 64 */

static bool header(struct bn_msg *m, struct cur *c)
{
    uint8_t first = cur_u8(c);
    m->type = first >> 4;
    m->flags = first & 15;
    m->srv = m->flags & F_SRV;
    if (m->type == BN_CONFIRMED)
        m->max = cur_u8(c);
    if (m->type != BN_UNCONFIRMED)
        m->invoke = cur_u8(c);
    bool segmented = (m->type == BN_CONFIRMED || m->type == BN_COMPLEX_ACK) && m->flags & F_SEG;
    if (segmented || m->type == BN_SEGMENT_ACK) {
        m->seq = cur_u8(c);
        m->window = cur_u8(c);
    }
    if (m->type != BN_SEGMENT_ACK)
        m->service = cur_u8(c); /* or the reason of a reject or abort */
    return cur_ok(c) && m->type <= BN_ABORT_PDU;
}

static uint32_t function_of(const struct bn_msg *m)
{
    bool has_service = m->type != BN_SEGMENT_ACK && m->type < BN_REJECT_PDU;
    return BN_FN(m->type, has_service ? m->service : 0);
}

/* Bits that the standard has as 0 (20.1.2 to 20.1.9). */
static void judge_header(struct bn_msg *m)
{
    static const uint8_t reserved[] = {1, 15, 15, 3, 12, 15, 15, 14};
    m->e->anomalies |= m->anomalies;
    if (m->flags & reserved[m->type])
        bn_anomaly(m, BA_RESERVED_BITS);
    if (m->type == BN_CONFIRMED && m->broadcast)
        bn_anomaly(m, BA_BROADCAST_CONFIRMED);
    if (m->e->op == NULL && m->type < BN_REJECT_PDU && m->type != BN_SEGMENT_ACK)
        bn_anomaly(m, BA_SERVICE);
    else if (m->e->op && m->e->op->flags & OP_OBSOLETE)
        bn_anomaly(m, BA_OBSOLETE);
}

bool bn_apdu_shape(struct cur c)
{
    static const uint8_t most[] = {34, 14, 34, 34, 0, 34, 9, 11};
    struct bn_msg m = {0};
    if (!header(&m, &c) || (m.type != BN_SEGMENT_ACK && m.service > most[m.type]))
        return false;
    bool exact = m.type == BN_SIMPLE_ACK || m.type == BN_SEGMENT_ACK || m.type >= BN_REJECT_PDU;
    return !exact || cur_left(&c) == 0;
}

/* ---- messages ---- */

static enum verdict verdict_of(const struct bn_msg *m)
{
    static const uint64_t broken = UINT64_C(1) << BA_TAGS | UINT64_C(1) << BA_SHORT;
    return m->e->anomalies & broken ? DIS_MALFORMED : DIS_OK;
}

static void body(struct bn_msg *m, struct cur c, bool (*parse)(struct bn_msg *m, struct cur c))
{
    if (!parse(m, c) && !m->x->cut)
        bn_anomaly(m, BA_TAGS);
}

/* Broadcasts are the sender's; what a server tells one client unasked is not. */
static enum verdict on_unconfirmed(struct bn_msg *m, struct cur c)
{
    static const uint8_t told = 1 << BN_UCOV | 1 << BN_UEVENT, answer = 1 << BN_I_AM | 1 << BN_I_HAVE;
    bool tells = (m->service < 8 && told >> m->service & 1) || m->service == BN_UCOV_MULTIPLE ||
                 m->service == BN_UAUDIT;
    bool answers = m->service < 8 && answer >> m->service & 1;
    m->x->dir = (tells || answers) && !m->broadcast ? DIR_S2C : DIR_C2S;
    m->x->dir_sure = 1;
    m->e = ev_begin(m->x, &bacnet_schema, function_of(m), OP_ANY_SELECTOR);
    if (tells)
        m->e->kind = EV_UNSOLICITED;
    bn_common(m);
    judge_header(m);
    body(m, c, bn_unconfirmed);
    ev_commit(m->x, m->e);
    return verdict_of(m);
}

static void request_fields(struct bn_msg *m)
{
    ev_u64(m->e, BF_INVOKE_ID, m->invoke);
    if (m->max & 0x70)
        ev_u64(m->e, BF_MAX_SEGMENTS, max_segments[m->max >> 4 & 7]);
    if (max_apdus[m->max & 15])
        ev_u64(m->e, BF_MAX_APDU, max_apdus[m->max & 15]);
    if (m->flags & F_SEG) {
        ev_u64(m->e, BF_SEGMENTED, 1);
        ev_u64(m->e, BF_WINDOW, m->window);
    }
}

/* An id is free again once its request is over (5.4.1): what waits under it was repeated, or is given up. Else one lost
 * answer would shift the pairs of a station that always takes the same id. */
static void supersede(struct bn_msg *m, uint64_t key)
{
    struct event *old = ev_take(m->x, key);
    if (!old)
        return;
    bool notification = old->function >> 8 == BN_CONFIRMED && is_notification((uint8_t)old->function);
    old->kind = notification ? EV_UNSOLICITED : EV_REQUEST;
    ev_commit(m->x, old);
}

static enum verdict on_request(struct bn_msg *m, struct cur c)
{
    struct again again = {.field = BF_INVOKE_ID, .vary = m->invoke};
    m->requester = m->x->side;
    set_dir(m, is_notification(m->service));
    uint64_t key = key_of(m);
    bool segmented = m->flags & F_SEG;
    if (segmented && m->seq && ev_is_waited(m->x, key)) {
        m->e = ev_answer(m->x, &bacnet_schema, key, function_of(m), OP_ANY_SELECTOR);
    } else {
        supersede(m, key);
        if (!segmented && ev_again(m->x, tail_of(m), head_of(m), key, &again))
            return DIS_OK;
        m->e = ev_begin(m->x, &bacnet_schema, function_of(m), OP_ANY_SELECTOR);
        bn_common(m);
        request_fields(m);
        judge_header(m);
    }
    set_kind(m, false);
    if (!segmented || put_together(m, key, &c))
        body(m, c, bn_request);
    enum verdict v = verdict_of(m);
    ev_wait_again(m->x, m->e, key, &again);
    return v;
}

/* The waiting request, with this message. What it was says who controls. */
static void take(struct bn_msg *m, uint64_t key, bool notification)
{
    m->e = ev_answer(m->x, &bacnet_schema, key, function_of(m), OP_ANY_SELECTOR);
    if (m->e->kind == EV_RESPONSE) { /* nobody asked, as far as was seen */
        set_dir(m, notification);
        bn_common(m);
        ev_u64(m->e, BF_INVOKE_ID, m->invoke);
    } else {
        set_dir(m, m->e->function >> 8 == BN_CONFIRMED && is_notification((uint8_t)m->e->function));
    }
    set_kind(m, true);
    judge_header(m);
}

/* 5.4: the answer is of the service that was asked for. */
static void judge_service(struct bn_msg *m)
{
    if (m->e->function >> 8 == BN_CONFIRMED && (m->e->function & 0xff) != m->service)
        bn_anomaly(m, BA_SERVICE_MISMATCH);
}

static enum verdict on_answer(struct bn_msg *m, struct cur c)
{
    m->requester = 1 - m->x->side;
    set_dir(m, is_notification(m->service));
    struct again again = {.digest = 0};
    uint64_t context, key = key_of(m);
    bool segmented = m->type == BN_COMPLEX_ACK && m->flags & F_SEG;
    if (!segmented && m->type != BN_ERROR) {
        struct span s = answer_of(m, &context);
        if (ev_answer_again(m->x, s, context, key, &again))
            return DIS_OK;
    }
    take(m, key, is_notification(m->service));
    judge_service(m);
    if (segmented) {
        if (m->seq == 0 && m->e->n_msgs < EV_MAX_MSGS)
            ev_u64(m->e, BF_SEGMENTED, 1);
        if (!put_together(m, key, &c)) {
            enum verdict v = verdict_of(m);
            m->e->outcome = OUT_PARTIAL; /* until the rest is there */
            ev_wait(m->x, m->e, key);
            return v;
        }
    }
    if (m->type == BN_COMPLEX_ACK)
        body(m, c, bn_answer);
    else if (m->type == BN_ERROR)
        body(m, c, bn_error_body);
    else if (cur_left(&c))
        bn_anomaly(m, BA_TRAILING);
    if (m->type != BN_ERROR)
        ev_status(m->e, 0, false);
    ev_commit_again(m->x, m->e, &again);
    return verdict_of(m);
}

/* Reject and abort: the reason is where the service would be. */
static enum verdict on_refusal(struct bn_msg *m, struct cur c)
{
    bool by_server = m->type == BN_REJECT_PDU || m->srv;
    m->requester = by_server ? 1 - m->x->side : m->x->side;
    set_dir(m, false);
    take(m, key_of(m), false);
    ev_status(m->e, (m->type == BN_REJECT_PDU ? BN_REJECT : BN_ABORT) + m->service, true);
    if (cur_left(&c))
        bn_anomaly(m, BA_TRAILING);
    if (m->type == BN_ABORT_PDU && m->e->kind == EV_RESPONSE)
        bn_anomaly(m, BA_ABORT_UNASKED);
    m->e->outcome = OUT_REFUSED;
    ev_commit(m->x, m->e);
    return DIS_OK;
}

static enum verdict on_segment_ack(struct bn_msg *m, struct cur c)
{
    m->requester = m->srv ? 1 - m->x->side : m->x->side;
    set_dir(m, false);
    uint64_t key = key_of(m);
    bool waited = ev_is_waited(m->x, key);
    if (waited) {
        take(m, key, false);
    } else { /* of the last segment: the record of its message is complete */
        m->e = ev_begin(m->x, &bacnet_schema, function_of(m), OP_ANY_SELECTOR);
        bn_common(m);
        ev_u64(m->e, BF_INVOKE_ID, m->invoke);
        ev_u64(m->e, BF_SEQUENCE, m->seq);
        judge_header(m);
    }
    if (m->flags & F_NAK)
        ev_u64(m->e, BF_NEGATIVE_ACK, 1);
    if (cur_left(&c))
        bn_anomaly(m, BA_TRAILING);
    if (waited) {
        if (m->srv && m->e->kind == EV_TRANSACTION)
            m->e->kind = EV_MESSAGE; /* still a request without an answer */
        else if (m->e->kind == EV_TRANSACTION)
            m->e->outcome = OUT_PARTIAL;
        ev_wait(m->x, m->e, key);
    } else {
        ev_commit(m->x, m->e);
    }
    return DIS_OK;
}

enum verdict bn_apdu(struct bn_msg *m, struct cur c)
{
    struct cur all = c;
    m->apdu = cur_rest(&all);
    if (!header(m, &c)) {
        if (!m->x->cut)
            ev_malformed(m->x, &bacnet_schema, m->type > BN_ABORT_PDU ? BA_PDU_TYPE : BA_SHORT);
        return m->x->cut ? DIS_OK : DIS_MALFORMED;
    }
    switch (m->type) {
    case BN_CONFIRMED:
        return on_request(m, c);
    case BN_UNCONFIRMED:
        return on_unconfirmed(m, c);
    case BN_SEGMENT_ACK:
        return on_segment_ack(m, c);
    case BN_REJECT_PDU:
    case BN_ABORT_PDU:
        return on_refusal(m, c);
    default:
        return on_answer(m, c);
    }
}
