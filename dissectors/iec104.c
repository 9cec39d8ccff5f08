/* iec104.c: IEC 60870-5-104, telecontrol over TCP: frames, connection state and sequence numbers.
 *
 * Spec: IEC 60870-5-104:2006 + A1:2016 (clauses 5, 9), ASDUs of IEC 60870-5-101:2003 + A1:2015 (clause 7),
 *       procedures of IEC 60870-5-5, elements of IEC 60870-5-4.
 *
 *   0      1        2          3          4          5          6
 *   +------+--------+----------+----------+----------+----------+--------------------
 *   | 0x68 | length | control 1|   2      |   3      |   4      | ASDU (I format)
 *   +------+--------+----------+----------+----------+----------+--------------------
 *   I: control 1-2 N(S) << 1, 3-4 N(R) << 1     S: 01 00 N(R) << 1     U: function bits | 3, 00 00 00
 *   ASDU: type, SQ|number, T|P/N|cause, originator, common address(2), then (object address(3), element) each,
 *         or with SQ one address and elements behind each other; little-endian throughout
 *
 * The client is the controlling station. U frames pair as act and con, S frames are counted only, commands and
 * interrogations are one transaction from select to termination (iec104_asdu.c).
 * Field sizes other than 2/2/3 are configured, or found by the lengths of three ASDUs in a row.
 * Not decoded: the payload of IEC 62351-5 (81-95), of private types (128-255) and the content of files.
 * Identity: common addresses; state: end of initialisation (70), reset process (105). */
#include "dissectors/iec104_priv.h"

enum {
    START = 0x68,
    LEN_MIN = 4,
    LEN_MAX = 253,
    APCI_LEN = 6,
    SEQ_MASK = 0x7fff,
    SEQ_HALF = 0x4000,
    SEQ_FAR = 1024, /* frames left out: more is no hole */
    DEFAULT_K = 12,
    DEFAULT_W = 8, /* clause 9.6 */
};

static bool valid_u(uint8_t c1)
{
    unsigned bits = c1 >> 2;
    return (c1 & 3) == 3 && bits && (bits & (bits - 1)) == 0;
}

static uint8_t u_direction(unsigned code)
{
    return code == U_STARTDT_ACT || code == U_STOPDT_ACT   ? DIR_C2S
           : code == U_STARTDT_CON || code == U_STOPDT_CON ? DIR_S2C
                                                           : DIR_UNKNOWN;
}

/* ---- recognition ---- */

static enum match match_i(struct cur c, uint8_t len, struct dis_ctx *x)
{
    uint32_t left = cur_left(&c);
    struct cur asdu = cur_sub(&c, left < (uint32_t)len - LEN_MIN ? left : (uint32_t)len - LEN_MIN);
    if (len < LEN_MIN + 6)
        return MATCH_NO;
    uint8_t type = cur_peek(&asdu, 0), cot = cur_peek(&asdu, 2) & 63;
    if (left >= 3 && (type == 0 || cot == 0))
        return MATCH_NO;
    if (left < (uint32_t)len - LEN_MIN)
        return iec_type_get(type) || left == 0 ? MATCH_MORE : MATCH_NO;
    enum match m = iec_asdu_fits(asdu, iec_sizes_at(x, 0));
    for (unsigned i = 1; i < IEC_N_SIZES && m == MATCH_NO; i++)
        if (iec_asdu_fits(asdu, iec_sizes_at(x, i)) == MATCH_YES)
            m = MATCH_MAYBE;
    if (m == MATCH_YES && x->dir == DIR_UNKNOWN)
        x->dir = iec_asdu_dir(type, cot);
    if (m == MATCH_MAYBE && type < 128 && !iec_type_get(type) && !x->on_port)
        return MATCH_NO;
    return m == MATCH_NO && x->on_port ? MATCH_MAYBE : m;
}

static enum match iec104_probe(struct cur c, struct dis_ctx *x)
{
    struct cur h = c;
    uint8_t start = cur_u8(&h), len = cur_u8(&h);
    uint8_t c1 = cur_u8(&h), c2 = cur_u8(&h), c3 = cur_u8(&h), c4 = cur_u8(&h);
    if (cur_left(&c) >= 1 && start != START)
        return MATCH_NO;
    if (!cur_ok(&h))
        return MATCH_MORE;
    if (len < LEN_MIN || len > LEN_MAX)
        return MATCH_NO;
    if (cur_left(&c) > 2u + len && cur_peek(&c, 2u + len) != START)
        return MATCH_NO;
    if ((c1 & 1) == 0)
        return c3 & 1 ? MATCH_NO : match_i(h, len, x);
    if (len != LEN_MIN)
        return MATCH_NO;
    if (c1 == 1)
        return c2 == 0 && !(c3 & 1) ? MATCH_YES : MATCH_NO;
    if (!valid_u(c1) || c2 || c3 || c4)
        return MATCH_NO;
    if (x->dir == DIR_UNKNOWN)
        x->dir = u_direction(c1 >> 2);
    return MATCH_YES;
}

/* On a connection that is in step, bytes before the next start octet are skipped as one piece, as stations do. */
static struct frame skip_to_start(struct cur c)
{
    uint32_t n = 1;
    cur_skip(&c, 1);
    while (cur_left(&c) && cur_peek(&c, 0) != START && n < LEN_MAX) {
        cur_skip(&c, 1);
        n++;
    }
    return (struct frame){FRAME_OK, n};
}

static struct frame iec104_frame(struct cur c, const struct dis_ctx *x)
{
    const struct iec_flow *st = x->state;
    struct cur all = c;
    uint8_t start = cur_u8(&c), len = cur_u8(&c);
    if (start != START)
        return st && st->seen ? skip_to_start(all) : (struct frame){FRAME_BAD, 0};
    if (!cur_ok(&c))
        return (struct frame){FRAME_MORE, 0};
    if (len < LEN_MIN || len > LEN_MAX)
        return (struct frame){FRAME_BAD, 0};
    return (struct frame){FRAME_OK, 2u + len};
}

/* ---- sequence numbers (clause 5.1) ---- */

static uint64_t bit(unsigned anomaly)
{
    return UINT64_C(1) << anomaly;
}

/* N(R) acknowledges what the other side sent. It may run ahead of what was seen of that side: a hole in its stream is
 * not filled yet, or the mirror port swapped two packets. */
static uint64_t on_ack(struct iec_dir *d, uint16_t nr)
{
    enum { LEAD = 256 };
    uint64_t found = 0;
    if (d->has_next && d->has_ack) {
        uint16_t fresh = (uint16_t)((nr - d->acked) & SEQ_MASK), ahead = (uint16_t)((nr - d->next) & SEQ_MASK);
        if (fresh >= SEQ_HALF || (ahead > LEAD && ahead < SEQ_HALF))
            found = bit(IA_ACK_INVALID);
        else if (fresh > DEFAULT_W)
            found = bit(IA_WINDOW_W);
    }
    d->acked = nr;
    d->has_ack = 1;
    return found;
}

static uint64_t on_sent(struct iec_dir *d, uint16_t ns)
{
    uint64_t found = 0;
    if (d->has_next && ns != d->next)
        found = ((ns - d->next) & SEQ_MASK) < SEQ_HALF ? bit(IA_SEQ_GAP) : bit(IA_SEQ_DUPLICATE);
    d->next = (uint16_t)((ns + 1) & SEQ_MASK);
    d->has_next = 1;
    uint16_t open = (uint16_t)((d->next - d->acked) & SEQ_MASK);
    if (d->has_ack && open > DEFAULT_K && open < SEQ_HALF)
        found |= bit(IA_WINDOW_K);
    return found;
}

/* Clause 5.3: I frames flow between STARTDT con and STOPDT con only. */
static uint64_t on_data(struct iec_flow *st)
{
    uint64_t found = 0;
    if (st->started == ST_STOPPED)
        found = bit(IA_WHILE_STOPPED);
    else if (st->started == ST_STARTING)
        found = bit(IA_NOT_STARTED);
    if (st->started == ST_STARTING)
        st->started = ST_STARTED; /* told once */
    return found;
}

/* ---- frames ---- */

static uint64_t u_key(unsigned act, bool sent_by_client)
{
    return UINT64_C(1) << 63 | (uint64_t)sent_by_client << 8 | act;
}

static void on_u(struct dis_ctx *x, struct iec_flow *st, uint8_t c1, bool bad)
{
    static const uint8_t next[] = {[U_STARTDT_ACT] = ST_STARTING,
                                   [U_STARTDT_CON] = ST_STARTED,
                                   [U_STOPDT_ACT] = ST_STOPPING,
                                   [U_STOPDT_CON] = ST_STOPPED};
    unsigned code = c1 >> 2;
    uint32_t fn = IEC_FN_U + code;
    bool from_client = x->dir != DIR_S2C;
    if (bad) {
        struct event *e = ev_begin(x, &iec104_schema, fn, OP_ANY_SELECTOR);
        if (!x->cut)
            ev_anomaly(e, IA_BAD_CONTROL);
        ev_commit(x, e);
        return;
    }
    if (code < ARRAY_LEN(next) && next[code])
        st->started = next[code];
    uint8_t told = u_direction(code);
    bool wrong = told != DIR_UNKNOWN && told != (from_client ? DIR_C2S : DIR_S2C);
    struct event *e;
    if (code == U_STARTDT_ACT || code == U_STOPDT_ACT || code == U_TESTFR_ACT) {
        e = ev_begin(x, &iec104_schema, fn, OP_ANY_SELECTOR);
        if (wrong)
            ev_anomaly(e, IA_DIRECTION);
        ev_wait(x, e, u_key(code, from_client));
        return;
    }
    e = ev_answer(x, &iec104_schema, u_key(code >> 1, !from_client), fn, OP_ANY_SELECTOR);
    if (e->kind == EV_RESPONSE && st->seen)
        ev_anomaly(e, IA_CON_ALONE);
    if (wrong)
        ev_anomaly(e, IA_DIRECTION);
    ev_commit(x, e);
}

/* On an unknown port the controlling station is who speaks as one, whoever opened the connection. */
static void settle_direction(struct dis_ctx *x, struct iec_flow *st, uint8_t told)
{
    if (x->on_port && x->dir != DIR_UNKNOWN)
        return;
    if (!st->client_port && told != DIR_UNKNOWN && x->sport != x->dport)
        st->client_port = told == DIR_C2S ? x->sport : x->dport;
    if (st->client_port)
        x->dir = x->sport == st->client_port ? DIR_C2S : DIR_S2C;
    else if (x->dir == DIR_UNKNOWN)
        x->dir = told;
}

/* Behind a hole in the stream: the frames that were in it. */
static void after_hole(struct dis_ctx *x, struct iec_dir *d, uint16_t ns)
{
    uint16_t n = (uint16_t)((ns - d->next) & SEQ_MASK);
    if (d->hole && n <= SEQ_FAR)
        dis_lost(x, n);
    d->hole = 0;
}

static enum verdict on_i(struct cur asdu, struct dis_ctx *x, struct iec_flow *st, uint16_t ns, uint16_t nr)
{
    bool server = x->dir == DIR_S2C;
    after_hole(x, &st->dir[server], ns);
    uint64_t found = on_data(st) | on_sent(&st->dir[server], ns) | on_ack(&st->dir[!server], nr);
    return iec_asdu_parse(asdu, x, st, ns, nr, found);
}

static enum verdict on_s(struct dis_ctx *x, struct iec_flow *st, uint16_t nr, bool bad)
{
    uint64_t found = on_ack(&st->dir[x->dir != DIR_S2C], nr);
    if (bad && !x->cut)
        ev_malformed(x, &iec104_schema, IA_BAD_CONTROL);
    else if (found & bit(IA_ACK_INVALID))
        ev_malformed(x, &iec104_schema, IA_ACK_INVALID);
    ev_silent(x, &iec104_schema);
    return bad && !x->cut ? DIS_MALFORMED : DIS_OK;
}

static enum verdict iec104_parse(struct cur pdu, struct dis_ctx *x)
{
    struct iec_flow *st = x->state;
    if (cur_left(&pdu) && cur_u8(&pdu) != START) {
        if (!st->dir[x->dir == DIR_S2C].garbage) /* once, however many segments it lies in */
            ev_malformed(x, &iec104_schema, IA_GARBAGE);
        st->dir[x->dir == DIR_S2C].garbage = 1;
        return DIS_MALFORMED;
    }
    st->dir[x->dir == DIR_S2C].garbage = 0;
    uint8_t len = cur_u8(&pdu);
    uint16_t a = cur_u16le(&pdu), b = cur_u16le(&pdu);
    uint8_t c1 = (uint8_t)a, told = DIR_UNKNOWN;
    if (!cur_ok(&pdu)) {
        if (!x->cut)
            ev_malformed(x, &iec104_schema, IA_BAD_CONTROL);
        return DIS_MALFORMED;
    }
    bool is_i = (c1 & 1) == 0, is_s = (c1 & 3) == 1;
    if (is_i)
        told = iec_asdu_dir(cur_peek(&pdu, 0), cur_peek(&pdu, 2) & 63);
    else if (!is_s)
        told = u_direction(c1 >> 2);
    settle_direction(x, st, told);
    enum verdict v = DIS_OK;
    if (is_i) {
        v = on_i(pdu, x, st, a >> 1, b >> 1);
    } else if (is_s) {
        v = on_s(x, st, b >> 1, a != 1 || (b & 1) || len != LEN_MIN);
    } else {
        bool bad = !valid_u(c1) || a >> 8 || b || len != LEN_MIN;
        on_u(x, st, c1, bad);
        v = bad ? DIS_MALFORMED : DIS_OK;
    }
    st->seen = 1;
    return v;
}

static void iec104_gap(struct dis_ctx *x, uint32_t missing)
{
    struct iec_flow *st = x->state;
    struct iec_dir *d = &st->dir[x->dir == DIR_S2C];
    uint8_t hole = missing && (d->has_next || d->hole);
    uint16_t next = d->next;
    memset(st->dir, 0, sizeof st->dir);
    if (hole) {
        d->hole = 1;
        d->next = next;
    }
    st->seen = 0;
    st->n_misfit = 0;
    if (st->started != ST_STARTED)
        st->started = ST_UNKNOWN;
}

static const uint16_t ports[] = {2404, 0};
static const struct dis_setting settings[] = {
    [IEC_SET_COT] = {"cause_size", "bytes of the cause of transmission: 2 with the originator address", 1, 2},
    [IEC_SET_CA] = {"common_address_size", "bytes of the common address of the ASDU", 1, 2},
    [IEC_SET_IOA] = {"object_address_size", "bytes of an information object's address", 1, 3},
    {0},
};
static const uint16_t starts[] = {START, DIS_STARTS_END};
static const struct proto_schema *const schemas[] = {&iec104_schema, NULL};

const struct dissector dissector_iec104 = {
    .name = "iec104",
    .schemas = schemas,
    .transports = DIS_TCP,
    .tcp_ports = ports,
    .tls_port = 19998,
    .tcp_starts = starts,
    .min_probe = 2,
    .max_pdu = 2 + LEN_MAX,
    .flow_size = sizeof(struct iec_flow),
    .timeout_ns = UINT64_C(15000000000), /* t1, clause 9.6 */
    .probe = iec104_probe,
    .frame = iec104_frame,
    .parse = iec104_parse,
    .gap = iec104_gap,
    .settings = settings,
};
