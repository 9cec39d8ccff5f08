/* modbus.c: Modbus over TCP and UDP, RTU frames over TCP, and Schneider Electric's UMAS inside function 90.
 *
 * Spec: Modbus Application Protocol Specification V1.1b3; Modbus Messaging on TCP/IP Implementation Guide V1.0b;
 *       Modbus over Serial Line V1.02 (RTU frames). UMAS is not published: see modbus_umas.c.
 *
 *   MBAP header (big-endian)                        PDU
 *   0        2           4        6      7          8
 *   +--------+-----------+--------+------+----------+-----------------
 *   | trans. | protocol  | length | unit | function | body ...           length counts from unit on
 *   | id     | = 0       |        | id   | (|0x80)  |
 *   +--------+-----------+--------+------+----------+-----------------
 *   RTU over TCP: unit, function, body, CRC-16 (little-endian)
 *
 * A request waits under (transaction id, unit, function); equal keys queue, so constant ids pair in order. An answer
 * that fits nobody makes an event of its own, without an object where the wire names none.
 * Not decoded: Modbus ASCII; the CANopen payload of 43/13; bodies of functions that are reserved (9, 10, 13, 14, 18,
 * 19, 40-42, 91, 125-127) or left to users (65-72, 100-110).
 * Identity: 43/14 (vendor, product code, revision, model, ...), 17 (server id), UMAS read_id, read_project_info,
 * reservation (name of the station), units that answer. State: run indicator of 17, UMAS read_plc_info, start, stop. */
#include "dissectors/modbus_priv.h"

enum {
    MBAP_LEN = 6,    /* bytes before those that the length field counts */
    LEN_MIN = 2,     /* unit and function */
    LEN_MAX = 254,   /* unit and 253 bytes of PDU (V1.1b3 4.1) */
    LEN_LONG = 2048, /* longer PDUs are seen: UMAS negotiates 1 KiB frames */
    RTU_REST = 4,    /* unit, function and check sum */
    RTU_LOST = 3,    /* wrong check sums in a row: this is not RTU after all */
};

static uint64_t key_of(const struct mb_msg *m)
{
    return (uint64_t)(m->st->mode == MB_MODE_RTU) << 32 | (uint64_t)m->tid << 16 | (uint64_t)m->unit << 8 | m->fn;
}

/* ---- recognition ---- */

/* Header and bytes at hand agree to the byte: no chance check sum shall make RTU of it. */
static bool exact_mbap(struct cur c)
{
    uint32_t n = cur_left(&c);
    cur_skip(&c, 4);
    return n == MBAP_LEN + (uint32_t)cur_u16be(&c);
}

/* Off the port, address and function must be ones that there are. */
static bool may_be_rtu(struct cur c, const struct dis_ctx *x)
{
    uint8_t fn = cur_peek(&c, 1);
    return x->transport == DIS_TCP && (x->on_port || (cur_peek(&c, 0) <= 247 && (fn >= 128 || mb_fn_get(fn))));
}

/* All bytes at hand are one RTU frame of known length with a right CRC. This is asked first: "read 2 registers at 0" in
 * RTU can have the shape of a whole MBAP message, while one MBAP message in 65536 has a CRC that is right by chance. */
static bool exact_rtu(struct cur c, const struct dis_ctx *x)
{
    if (cur_left(&c) > 256 || !may_be_rtu(c, x) || !mb_rtu_may_be(c))
        return false;
    struct frame f = mb_rtu_frame(c, DIR_UNKNOWN, MB_RTU_STRICT);
    return f.st == FRAME_OK && f.len == cur_left(&c);
}

/* The first PDU by its header, and the one behind it as far as it is there. */
static enum match mbap_match(struct cur c, struct dis_ctx *x, unsigned *dirs)
{
    struct cur h = c;
    cur_skip(&h, 2);
    uint16_t proto = cur_u16be(&h), len = cur_u16be(&h);
    cur_skip(&h, 1);
    uint8_t fn = cur_u8(&h);
    *dirs = 0;
    if (!cur_ok(&h))
        return (cur_left(&c) < 4 || proto == 0) && cur_left(&c) < 8 ? MATCH_MORE : MATCH_NO;
    if (proto != 0 || len < LEN_MIN || len > (fn == MB_FN_UMAS ? LEN_LONG : LEN_MAX))
        return MATCH_NO;
    if (fn == 0 || fn == 128) /* not valid, but on the port and with the right length it is Modbus all the same */
        return x->on_port && exact_mbap(c) ? MATCH_MAYBE : MATCH_NO;
    enum match best;
    *dirs = mb_directions(fn, &h, len - LEN_MIN, &best);
    if (x->on_port && x->dir != DIR_UNKNOWN)
        *dirs &= x->dir == DIR_C2S ? 1u : 2u;
    struct cur next = c;
    if (cur_left(&next) > MBAP_LEN + (uint32_t)len) {
        cur_skip(&next, MBAP_LEN + (uint32_t)len + 2);
        uint16_t p2 = cur_u16be(&next), l2 = cur_u16be(&next);
        if (cur_ok(&next) && (p2 != 0 || l2 < LEN_MIN))
            return MATCH_NO;
    }
    if (best == MATCH_YES && *dirs == 0)
        best = MATCH_MAYBE; /* an answer from the client's side, or the reverse */
    return best == MATCH_NO && x->on_port ? MATCH_MAYBE : best;
}

/* Beyond the length: are the numbers of a request such as a client would send? Keeps random binary out. */
static bool sane_request(struct cur c)
{
    static const uint16_t most[] = {[1] = 2000, [2] = 2000, [3] = 125, [4] = 125};
    cur_skip(&c, MBAP_LEN + 1);
    uint8_t fn = cur_u8(&c);
    cur_skip(&c, 2);
    uint16_t v = cur_u16be(&c);
    if (fn >= 1 && fn <= 4)
        return v >= 1 && v <= most[fn];
    return fn != 5 || v == 0 || v == 0xff00;
}

static enum match modbus_probe(struct cur c, struct dis_ctx *x)
{
    unsigned dirs = 0;
    bool rtu = may_be_rtu(c, x);
    if (rtu && exact_rtu(c, x))
        return MATCH_YES;
    enum match m = mbap_match(c, x, &dirs);
    if (m == MATCH_YES && dirs == 1 && !x->on_port && !sane_request(c))
        m = MATCH_NO;
    if (m == MATCH_YES || (m == MATCH_MAYBE && exact_mbap(c))) {
        if (x->dir == DIR_UNKNOWN && (dirs == 1 || dirs == 2))
            x->dir = dirs == 1 ? DIR_C2S : DIR_S2C;
        return m;
    }
    if (!rtu)
        return m;
    struct frame f = mb_rtu_frame(c, DIR_UNKNOWN, x->on_port ? MB_RTU_SCAN : MB_RTU_STRICT);
    if (f.st == FRAME_OK && f.len <= cur_left(&c))
        return MATCH_YES; /* function, length and check sum agree */
    if (m != MATCH_NO)
        return m;
    return f.st == FRAME_MORE && mb_fn_get(cur_peek(&c, 1) & 0x7f) ? MATCH_MORE : MATCH_NO;
}

/* Frames whose check sums are right already: who asks? */
static bool rtu_answers(struct cur q, struct cur a, struct dis_ctx *x)
{
    enum match fits;
    uint32_t n = cur_left(&q) - RTU_REST, m = cur_left(&a) - RTU_REST;
    struct span h = cur_bytes(&q, 2), g = cur_bytes(&a, 2);
    if (h.p[0] != g.p[0] || h.p[1] != (g.p[1] & 0x7f))
        return false;
    unsigned asks = mb_directions(h.p[1], &q, n, &fits), says = mb_directions(g.p[1], &a, m, &fits);
    x->dir = DIR_S2C;
    x->dir_sure = asks + says != 6; /* not an echo */
    return (asks & 1) && (says & 2) && x->dir_sure;
}

/* A message of functions whose length nothing tells is only a maybe; the same transaction, unit and function from both
 * sides, the first to the byte as long as it says, are more. UMAS says in the answer whether it went well. */
static bool modbus_answers(struct cur asked, struct cur answer, struct dis_ctx *x)
{
    enum { HEAD = MBAP_LEN + LEN_MIN, UMAS_ERROR = 0xfd, UMAS_OK };
    struct cur q = asked, a = answer;
    if (exact_rtu(q, x) && exact_rtu(a, x))
        return rtu_answers(q, a, x);
    struct span h = cur_bytes(&q, HEAD), g = cur_bytes(&a, HEAD);
    if (!h.n || !g.n || !exact_mbap(asked) || memcmp(h.p, g.p, 4) != 0 || h.p[6] != g.p[6])
        return false;
    uint8_t fn = h.p[7];
    uint32_t len = (uint32_t)g.p[4] << 8 | g.p[5];
    if (fn >= 128 || (g.p[7] & 0x7f) != fn || len < LEN_MIN || MBAP_LEN + len < cur_left(&answer))
        return false;
    enum match fits[2];
    unsigned asks = mb_directions(fn, &q, cur_left(&q), &fits[0]);
    unsigned says = mb_directions(g.p[7], &a, len - LEN_MIN, &fits[1]);
    if (fits[0] == MATCH_NO || fits[1] == MATCH_NO || asks == 2 || says == 1)
        return false;
    bool umas = fn == MB_FN_UMAS && g.p[7] == fn;
    if (umas && (cur_peek(&q, 1) >= UMAS_ERROR || (cur_peek(&a, 1) != UMAS_OK && cur_peek(&a, 1) != UMAS_ERROR)))
        return false;
    /* An echo: with numbers that are all the same it might be an answer and the next question. */
    x->dir_sure = asks == 1 || says == 2 || umas || (h.p[0] | h.p[1]) != 0;
    if (x->dir_sure || x->dir == DIR_UNKNOWN)
        x->dir = DIR_S2C;
    return true;
}

static struct frame mbap_frame(struct cur c, const struct mb_flow *st)
{
    struct cur h = c;
    struct span head = cur_bytes(&h, MBAP_LEN);
    if (!head.n)
        return (struct frame){FRAME_MORE, 0};
    uint16_t proto = (uint16_t)(head.p[2] << 8 | head.p[3]), len = (uint16_t)(head.p[4] << 8 | head.p[5]);
    if (proto == 0 && len >= LEN_MIN && len <= LEN_MAX)
        return (struct frame){FRAME_OK, MBAP_LEN + (uint32_t)len};
    /* A wrong protocol id is an anomaly only where the rest of an established stream still makes sense. */
    if (len < LEN_MIN || len > LEN_LONG || (proto != 0 && (st->mode != MB_MODE_TCP || len > LEN_MAX)))
        return (struct frame){FRAME_BAD, 0};
    if (len > LEN_MAX && cur_left(&c) < MBAP_LEN + LEN_MIN)
        return (struct frame){FRAME_MORE, 0};
    if (proto != 0) {
        enum match best;
        cur_skip(&h, 1);
        uint8_t fn = cur_u8(&h);
        if (!cur_ok(&h))
            return (struct frame){FRAME_MORE, 0};
        mb_directions(fn, &h, len - LEN_MIN, &best);
        if (best != MATCH_YES || cur_left(&c) < MBAP_LEN + (uint32_t)len)
            return (struct frame){FRAME_BAD, 0};
    }
    return (struct frame){FRAME_OK, MBAP_LEN + (uint32_t)len};
}

/* Whose shapes an RTU frame may have: on an unknown port the opener need not be the client. */
static uint8_t rtu_direction(const struct dis_ctx *x, const struct mb_flow *st)
{
    if (st->client_port)
        return x->sport == st->client_port ? DIR_C2S : DIR_S2C;
    return x->on_port ? x->dir : DIR_UNKNOWN;
}

static struct frame modbus_frame(struct cur c, const struct dis_ctx *x)
{
    static const struct mb_flow fresh;
    const struct mb_flow *st = x->state ? x->state : &fresh;
    if (st->mode == MB_MODE_RTU)
        return mb_rtu_frame(c, rtu_direction(x, st), MB_RTU_CLAIMED);
    if (st->mode == MB_MODE_UNKNOWN) {
        if (exact_rtu(c, x))
            return (struct frame){FRAME_OK, cur_left(&c)};
        struct dis_ctx guess = *x;
        unsigned dirs;
        enum match m = mbap_match(c, &guess, &dirs);
        struct frame f = {FRAME_BAD, 0};
        if (m != MATCH_YES && !(m == MATCH_MAYBE && exact_mbap(c)))
            f = mb_rtu_frame(c, rtu_direction(x, st), x->on_port ? MB_RTU_SCAN : MB_RTU_STRICT);
        if (f.st == FRAME_OK || (f.st == FRAME_MORE && cur_left(&c) < MBAP_LEN + LEN_MIN))
            return f; /* "unit 3 0 0 0 10" may begin either; no MBAP message is shorter than this */
        if (m == MATCH_NO && !x->on_port)
            return f;
    }
    return mbap_frame(c, st);
}

/* ---- messages ---- */

static void remember(struct mb_msg *m)
{
    m->st->pending[m->st->next] = (struct mb_pending){.tid = m->tid, .unit = m->unit, .fn = m->fn, .used = 1};
    m->st->next = (uint8_t)((m->st->next + 1) % MB_PENDING);
    m->st->request_port = m->x->sport;
    if (m->st->n_requests < 255)
        m->st->n_requests++;
}

/* The request that this answer belongs to. When there is none, but one of the same transaction id with another unit,
 * the answer is given to that one; with another function it stays alone. Returns the anomaly, or -1. */
static int find_request(struct mb_msg *m)
{
    int other_unit = -1, other_fn = -1;
    bool waits = ev_is_waited(m->x, key_of(m));
    for (unsigned i = 0; i < MB_PENDING; i++) {
        struct mb_pending *p = &m->st->pending[i];
        if (!p->used || p->tid != m->tid)
            continue;
        if (p->unit == m->unit && p->fn == m->fn && waits) {
            p->used = 0;
            return -1;
        }
        if (p->fn == m->fn && m->st->mode == MB_MODE_TCP)
            other_unit = (int)i;
        else if (p->unit == m->unit)
            other_fn = (int)i;
    }
    if (waits)
        return -1;
    if (other_unit >= 0) {
        struct mb_msg ask = *m;
        ask.unit = m->st->pending[other_unit].unit;
        if (!ev_is_waited(m->x, key_of(&ask)))
            return -1;
        m->st->pending[other_unit].used = 0;
        m->unit = ask.unit;
        return MBA_UNIT_MISMATCH;
    }
    if (other_fn >= 0 && m->st->n_requests) {
        struct mb_msg ask = *m;
        ask.fn = m->st->pending[other_fn].fn;
        m->st->pending[other_fn].used = 0;
        return ev_is_waited(m->x, key_of(&ask)) ? MBA_FUNCTION_MISMATCH : -1;
    }
    return -1;
}

static void common_fields(struct mb_msg *m, uint16_t proto)
{
    ev_unit(m->e, m->unit);
    if (m->st->mode == MB_MODE_TCP)
        ev_u64(m->e, MBF_TRANSACTION_ID, m->tid);
    else
        ev_u64(m->e, MBF_TRANSPORT, m->st->mode);
    if (proto) {
        ev_u64(m->e, MBF_PROTOCOL_ID, proto);
        mb_anomaly(m, MBA_PROTOCOL_ID);
    }
}

/* V1.1b3 clause 5: 65-72 and 100-110 are the users'; what the table does not know else is not assigned. */
static void judge_function(struct mb_msg *m)
{
    if (m->fn == 0)
        mb_anomaly(m, MBA_FUNCTION_ZERO);
    else if (m->e->op && (m->e->op->flags & OP_OBSOLETE))
        mb_anomaly(m, MBA_RESERVED_FUNCTION);
    else if (!m->e->op && !(m->fn >= 65 && m->fn <= 72) && !(m->fn >= 100 && m->fn <= 110))
        mb_anomaly(m, MBA_UNASSIGNED_FUNCTION);
}

static void judge_length(struct mb_msg *m, const struct mb_shape *s)
{
    enum match fit = mb_shape_fits(s, &m->body, m->len);
    if (fit == MATCH_NO || fit == MATCH_MORE)
        mb_anomaly(m, s->kind == MB_CNT8 && m->len >= s->min && m->len <= s->max ? MBA_BYTE_COUNT : MBA_BAD_LENGTH);
}

/* RTU frames have nothing but their check sum, and other protocols (ROC) use the same one: on an unknown port the flow
 * is Modbus only when a request and its answer agree. False: it is not. */
static bool prove(struct mb_msg *m)
{
    enum { ENOUGH_REQUESTS = 4 };
    static const uint64_t against = UINT64_C(1) << MBA_ANSWER_SIZE | UINT64_C(1) << MBA_ANSWER_DIFFERS |
                                    UINT64_C(1) << MBA_BAD_LENGTH | UINT64_C(1) << MBA_BYTE_COUNT |
                                    UINT64_C(1) << MBA_QUANTITY | UINT64_C(1) << MBA_ADDRESS_RANGE;
    struct mb_flow *st = m->st;
    if (st->mode != MB_MODE_RTU || m->x->on_port || st->proven)
        return true;
    if ((m->e->anomalies & against) || m->alone)
        return false;
    st->proven = m->e->kind == EV_TRANSACTION || st->n_requests >= ENOUGH_REQUESTS;
    return true;
}

/* A message whose event depends on nothing but unit, function and body. */
static bool sound(const struct mb_msg *m, uint8_t raw_fn, uint16_t proto)
{
    return m->st->mode == MB_MODE_TCP && proto == 0 && raw_fn < 128 && !m->bad_header;
}

static struct span body_of(const struct mb_msg *m)
{
    struct cur body = m->body;
    return cur_rest(&body);
}

static uint64_t context_of(const struct mb_msg *m)
{
    return (uint64_t)m->len << 16 | (uint64_t)m->unit << 8 | m->fn;
}

/* Of the answer to a read the byte count alone: behind it lie values and nothing else. */
static struct span answer_of(const struct mb_msg *m)
{
    static const uint32_t reads = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 23;
    struct span s = body_of(m);
    if (m->fn < 32 && reads >> m->fn & 1 && s.n)
        s.n = 1;
    return s;
}

/* False: the flow is not Modbus after all. */
static bool on_request(struct mb_msg *m, uint8_t raw_fn, uint16_t proto)
{
    bool rtu = m->st->mode == MB_MODE_RTU, plain = sound(m, raw_fn, proto);
    struct again again = {.field = MBF_TRANSACTION_ID, .vary = m->tid, .digest = 0};
    if (plain && ev_again(m->x, body_of(m), context_of(m), key_of(m), &again)) {
        remember(m);
        return true;
    }
    uint32_t sel = m->fn == MB_FN_UMAS ? mb_umas_code(&m->body) : mb_selector(m->fn, &m->body);
    const struct mb_fn *f = raw_fn < 128 ? mb_fn_get(m->fn) : NULL;
    m->e = ev_begin(m->x, &modbus_schema, m->fn, sel);
    common_fields(m, proto);
    if (m->bad_header)
        mb_anomaly(m, MBA_BAD_LENGTH);
    if (raw_fn >= 128)
        mb_anomaly(m, m->len == 1 ? MBA_EXCEPTION_FROM_CLIENT : MBA_FUNCTION_HIGH);
    judge_function(m);
    if (m->len > LEN_MAX - LEN_MIN && m->fn != MB_FN_UMAS)
        mb_anomaly(m, MBA_OVERSIZE);
    if (f) {
        judge_length(m, &f->req);
        f->on_req(m);
    } else {
        mb_opaque(m);
    }
    if (rtu && m->unit >= 248)
        mb_anomaly(m, MBA_UNIT_RESERVED);
    if (!prove(m))
        return false;
    bool broadcast = rtu && m->unit == 0; /* Serial Line V1.02 2.1: nobody answers */
    if (broadcast) {
        ev_u64(m->e, MBF_BROADCAST, 1);
        if (!action_changes(m->e->action))
            mb_anomaly(m, MBA_BROADCAST_READ);
    }
    if (broadcast || raw_fn >= 128 || (m->e->op && (m->e->op->flags & OP_NO_ANSWER))) {
        ev_commit(m->x, m->e);
        return true;
    }
    remember(m);
    ev_wait_again(m->x, m->e, key_of(m), &again);
    return true;
}

static void report_unit(struct mb_msg *m, uint8_t exception)
{
    uint8_t bit = (uint8_t)(1u << m->unit % 8), *byte = &m->st->told[m->unit / 8];
    if (*byte & bit || exception == 10 || exception == 11) /* the gateway speaks, the unit does not */
        return;
    *byte |= bit;
    obs_fmt(m->x, &modbus_schema, OBS_SERVER, OBS_SELF, OBS_PROTO_ADDR, 90, "%u", m->unit);
}

/* V1.1b3 clause 7: acknowledge (5) and busy (6) are no faults: the work goes on, or is to be asked for again. */
static uint8_t on_exception(struct mb_msg *m)
{
    uint8_t code = cur_u8(&m->body);
    if (m->len != 1)
        mb_anomaly(m, MBA_BAD_LENGTH);
    if (!cur_ok(&m->body)) { /* an exception that does not say which is no answer to any function */
        m->e->msgs[m->e->n_msgs - 1].function = FN_NONE;
        return 0;
    }
    if (code == 0 || code == 9 || code > 11)
        mb_anomaly(m, MBA_EXCEPTION_CODE);
    ev_status(m->e, code, code != 5 && code != 6);
    if (code == 5 || code == 6)
        m->e->outcome = code == 5 ? OUT_ACCEPTED : OUT_REFUSED;
    return code;
}

/* What waits was no request: nothing of it may become an event. */
static enum verdict disown(struct mb_msg *m)
{
    for (unsigned i = 0; i < MB_PENDING; i++) {
        struct mb_pending *p = &m->st->pending[i];
        struct mb_msg was = {.st = m->st, .tid = p->tid, .unit = p->unit, .fn = p->fn};
        if (p->used && ev_is_waited(m->x, key_of(&was)))
            (void)ev_answer(m->x, &modbus_schema, key_of(&was), p->fn, OP_ANY_SELECTOR);
        p->used = 0;
    }
    return DIS_NOT_MINE;
}

/* False: the flow is not Modbus after all. */
static bool on_answer(struct mb_msg *m, uint8_t raw_fn, uint16_t proto)
{
    int wrong = find_request(m);
    uint8_t exception = 0;
    struct again again = {.digest = 0};
    if (wrong < 0 && m->st->client_port && !m->x->on_port && ev_is_waited(m->x, key_of(m)))
        m->x->dir_sure = 1; /* whoever opened the connection */
    if (wrong < 0 && sound(m, raw_fn, proto) && ev_answer_again(m->x, answer_of(m), context_of(m), key_of(m), &again)) {
        report_unit(m, 0);
        return true;
    }
    uint32_t sel = raw_fn < 128 ? mb_selector(m->fn, &m->body) : OP_ANY_SELECTOR;
    m->e = ev_answer(m->x, &modbus_schema, key_of(m), m->fn, sel);
    m->alone = m->e->kind == EV_RESPONSE;
    if (m->alone)
        common_fields(m, proto);
    if (m->bad_header)
        mb_anomaly(m, MBA_BAD_LENGTH);
    if (wrong >= 0)
        mb_anomaly(m, (unsigned)wrong);
    if (m->alone)
        judge_function(m);
    const struct mb_fn *f = mb_fn_get(m->fn);
    if (m->len > LEN_MAX - LEN_MIN && m->fn != MB_FN_UMAS)
        mb_anomaly(m, MBA_OVERSIZE);
    if (raw_fn >= 128) {
        exception = on_exception(m);
    } else {
        ev_status(m->e, 0, false);
        if (f) {
            judge_length(m, &f->rsp);
            f->on_rsp(m);
        } else {
            mb_opaque(m);
        }
    }
    if (!prove(m))
        return false;
    report_unit(m, exception);
    ev_commit_again(m->x, m->e, &again);
    return true;
}

/* Who sends this? On an unknown port the first PDU whose shape tells decides for the flow, whoever opened it: devices
 * behind a cellular modem call their master. An echo (5, 6, 8, 22) that comes from the other end than the request that
 * waits for it is the answer. */
static void settle_direction(struct mb_msg *m, uint8_t raw_fn)
{
    struct dis_ctx *x = m->x;
    if (x->on_port && x->dir != DIR_UNKNOWN)
        return;
    enum match best;
    unsigned dirs = mb_directions(raw_fn, &m->body, m->len, &best);
    uint8_t told = dirs == 1 ? DIR_C2S : dirs == 2 ? DIR_S2C : DIR_UNKNOWN;
    if (told == DIR_UNKNOWN && x->dir == DIR_UNKNOWN && m->st->request_port && m->st->request_port != x->sport &&
        ev_is_waited(x, key_of(m)))
        told = DIR_S2C;
    if (!m->st->client_port && told != DIR_UNKNOWN && x->sport != x->dport)
        m->st->client_port = told == DIR_C2S ? x->sport : x->dport;
    if (m->st->client_port)
        x->dir = x->sport == m->st->client_port ? DIR_C2S : DIR_S2C;
    else if (x->dir == DIR_UNKNOWN)
        x->dir = told;
}

static enum verdict dispatch(struct mb_msg *m, uint8_t raw_fn, uint16_t proto)
{
    settle_direction(m, raw_fn);
    bool mine = m->x->dir == DIR_S2C ? on_answer(m, raw_fn, proto) : on_request(m, raw_fn, proto);
    if (!mine)
        return disown(m);
    uint64_t fatal = UINT64_C(1) << MBA_BAD_LENGTH | UINT64_C(1) << MBA_BYTE_COUNT;
    return m->e && m->e->anomalies & fatal ? DIS_MALFORMED : DIS_OK;
}

static enum verdict parse_rtu(struct cur pdu, struct dis_ctx *x)
{
    struct mb_flow *st = x->state;
    struct cur whole = pdu;
    uint32_t n = cur_left(&pdu);
    struct mb_msg m = {.x = x, .st = st, .unit = cur_u8(&pdu)};
    uint8_t fn = cur_u8(&pdu);
    m.len = n < 4 ? 0 : n - 4;
    m.body = cur_sub(&pdu, m.len);
    m.fn = fn & 0x7f;
    if (!cur_ok(&m.body) || mb_crc(cur_rest(&whole)) != 0) {
        ev_malformed(x, &modbus_schema, MBA_BAD_CRC);
        if (++st->n_bad < RTU_LOST)
            return DIS_MALFORMED;
        st->mode = MB_MODE_UNKNOWN;
        st->n_bad = 0;
        return DIS_LOST;
    }
    st->n_bad = 0;
    return dispatch(&m, fn, 0);
}

/* Is this unframed PDU RTU? Only asked while the mode of the flow is open. */
static bool looks_rtu(struct cur pdu, struct dis_ctx *x)
{
    if (exact_rtu(pdu, x))
        return true;
    unsigned dirs;
    enum match m = x->transport == DIS_TCP ? mbap_match(pdu, x, &dirs) : MATCH_YES;
    if (m == MATCH_YES || (m == MATCH_MAYBE && exact_mbap(pdu)))
        return false;
    uint32_t n = cur_left(&pdu);
    return n >= 4 && n <= 256 && mb_crc(cur_rest(&pdu)) == 0;
}

static enum verdict modbus_parse(struct cur pdu, struct dis_ctx *x)
{
    struct mb_flow *st = x->state;
    if (st->mode == MB_MODE_UNKNOWN)
        st->mode = looks_rtu(pdu, x) ? MB_MODE_RTU : MB_MODE_TCP;
    if (st->mode == MB_MODE_RTU)
        return parse_rtu(pdu, x);
    struct span h = cur_bytes(&pdu, MBAP_LEN + LEN_MIN);
    if (!h.n) {
        ev_malformed(x, &modbus_schema, MBA_TRUNCATED);
        return DIS_MALFORMED;
    }
    uint16_t proto = (uint16_t)(h.p[2] << 8 | h.p[3]), len = (uint16_t)(h.p[4] << 8 | h.p[5]);
    uint8_t fn = h.p[7];
    struct mb_msg m = {.x = x, .st = st, .tid = (uint16_t)(h.p[0] << 8 | h.p[1]), .unit = h.p[6], .fn = fn & 0x7f};
    m.len = len < LEN_MIN ? 0 : len - (uint32_t)LEN_MIN;
    m.bad_header = m.len > cur_left(&pdu) || (x->transport == DIS_UDP && m.len != cur_left(&pdu));
    m.body = cur_sub(&pdu, m.len < cur_left(&pdu) ? m.len : cur_left(&pdu));
    return dispatch(&m, fn, proto);
}

static void modbus_gap(struct dis_ctx *x, uint32_t missing)
{
    (void)missing;
    mb_forget(x, x->state);
}

static const uint16_t ports[] = {502, 0};

const struct dissector dissector_modbus = {
    .name = "modbus",
    .schemas = (const struct proto_schema *const[]){&modbus_schema, NULL},
    .transports = DIS_TCP | DIS_UDP,
    .tcp_ports = ports,
    .udp_ports = ports,
    .tls_port = 802,
    .min_probe = 4,
    .max_pdu = MBAP_LEN + LEN_LONG,
    .flow_size = sizeof(struct mb_flow),
    .probe = modbus_probe,
    .frame = modbus_frame,
    .parse = modbus_parse,
    .gap = modbus_gap,
    .answers = modbus_answers,
};
