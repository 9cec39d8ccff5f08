/* s7comm.c: S7 communication of SIMATIC S7-200, 300, 400, and of the 1200 and 1500 where PUT/GET is allowed.
 *
 * Spec: Siemens publishes none. What is here follows the captures, the public reference implementations of clients and
 *       servers, Wireshark's field names, and Siemens' System Software manual (SZL, block and error numbers).
 *       Carrier: carrier_tpkt.c.
 *
 *   +0 32   +1 ROSCTR: 1 job, 2 ack, 3 ack-data, 7 user data   +2 redundancy id 0   +4 PDU reference
 *   +6 parameter length   +8 data length   [2, 3: +10 error class   +11 error code]   parameter   data
 *   parameter of 1, 3: function (04 read, 05 write, 1a-1f blocks, 28 PI service, 29 stop, f0 set-up), its arguments
 *   parameter of 7:    00 01 12, length, 11 or 12, type | group, subfunction, sequence number
 *                      [12: data unit reference, more follows, error code]
 *   data of 7:         return code, transport size, length, payload
 *
 * Pairing: jobs by PDU reference and function (references are reused: first in, first out), user data by reference,
 * group and subfunction. The PLC sends the jobs 1b and 1c of a download; the station stays the client of the record.
 *
 * Not decoded: the values of block status (they need the registers of each line), data record routing, the contents of
 * NC files and of BSEND beyond length and hash. S7comm-plus (72), MMS and TLS on the same port are not this protocol.
 *
 * Assets: SZL 0x11 (order number, versions), 0x1c (names, serial), 0x19/0x74 (LEDs), 0x91 (racks), 0x132/0x232
 * (protection, checksums of program and configuration), 0x424 (mode), 0x37 (addresses); TSAPs (rack, slot); PI.
 */
#include "dissectors/s7comm.h"

enum { ASM_COTP = 1, SHORTEST = 17 /* bytes of the shortest S7 message with its carrier */ };

static const uint16_t tcp_ports[] = {102, 0};

void s7_commit(struct s7 *s, struct event *e)
{
    e->anomalies |= s->anomalies;
    ev_commit(s->x, e);
}

void s7_wait(struct s7 *s, struct event *e, uint64_t key)
{
    e->anomalies |= s->anomalies;
    ev_wait(s->x, e, key);
}

void s7_item_status(struct item *it, uint8_t code)
{
    it->status = code == 0xff ? 0 : code;
}

void s7_sum_items(struct event *e)
{
    uint32_t bad = 0, first = 0;
    for (unsigned i = 0; i < e->n_items; i++) {
        uint32_t st = e->items[i].status;
        if (st == 0 || st == ITEM_STATUS_NONE)
            continue;
        if (!bad++)
            first = st;
    }
    ev_status(e, first, bad != 0);
    if (bad && bad < e->n_items)
        e->outcome = OUT_PARTIAL;
}

void s7_reused(struct s7 *s, uint64_t key)
{
    uint8_t *lost = &s->st->lost[s->x->dir != DIR_S2C];
    if (!*lost || !ev_is_waited(s->x, key))
        return;
    ev_flush(s->x);
    *lost = 0;
}

struct span s7_trim(struct span v)
{
    while (v.n && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == 0))
        v.n--;
    return (struct span){.p = v.n ? v.p : NULL, .n = v.n};
}

/* ---- set-up ---- */

static void tsap_fields(struct s7 *s, struct event *e)
{
    const struct tpkt_flow *t = &s->st->tpkt;
    if (!tpkt_tsap_fields(t, e, F_TSAP_CALLING, F_TSAP_CALLED))
        return;
    if (t->called_n != 2 || t->called[0] == 0 || t->called[0] > 0x1f)
        return;
    ev_u64(e, F_CONN_TYPE, t->called[0]);
    ev_u64(e, F_RACK, t->called[1] >> 5);
    ev_u64(e, F_SLOT, t->called[1] & 0x1f);
}

/* f0, reserved, parallel jobs calling, parallel jobs called, PDU length. The answer is what holds. */
static void setup(struct s7 *s, struct event *e)
{
    if (e->kind != EV_TRANSACTION)
        tsap_fields(s, e);
    cur_skip(&s->param, 2);
    uint16_t calling = cur_u16be(&s->param), called = cur_u16be(&s->param), size = cur_u16be(&s->param);
    if (!cur_ok(&s->param)) {
        s7_anomaly(s, A_PARAM);
        return;
    }
    if (e->kind != EV_MESSAGE)
        s->st->pdu_size = size;
    if (e->kind == EV_TRANSACTION) { /* the request's offer becomes the agreement */
        for (unsigned i = 0; i < e->n_fields; i++) {
            struct field *f = &e->fields[i];
            if (f->id == F_AMQ_CALLING)
                f->v.u = calling;
            else if (f->id == F_AMQ_CALLED)
                f->v.u = called;
            else if (f->id == F_PDU_SIZE)
                f->v.u = size;
        }
        return;
    }
    ev_u64(e, F_AMQ_CALLING, calling);
    ev_u64(e, F_AMQ_CALLED, called);
    ev_u64(e, F_PDU_SIZE, size);
}

static void tell_tsaps(struct s7 *s)
{
    const struct tpkt_flow *t = &s->st->tpkt;
    s->st->told_tsaps = 1;
    if (t->called_n == 2 && t->called[0] >= 1 && t->called[0] <= 0x1f)
        obs_fmt(s->x, &s7comm_schema, OBS_SERVER, OBS_SELF, OBS_PROTO_ADDR, 60, "rack %u slot %u", t->called[1] >> 5,
                t->called[1] & 0x1f);
}

/* ---- jobs and their answers ---- */

static enum verdict verdict_of(const struct s7 *s)
{
    bool broken = s->anomalies & (UINT64_C(1) << A_LENGTH | UINT64_C(1) << A_PARAM);
    return broken ? DIS_MALFORMED : DIS_OK;
}

typedef void (*handler)(struct s7 *s, struct event *e);
struct function {
    uint8_t fn;
    handler request, answer;
};

static const struct function functions[] = {
    {S7_READ, s7_read_request, s7_read_answer},
    {S7_WRITE, s7_write_request, s7_write_answer},
    {S7_SETUP, setup, setup},
    {S7_REQUEST_DOWNLOAD, s7_block_request, s7_block_answer},
    {S7_DOWNLOAD_BLOCK, s7_block_request, s7_block_answer},
    {S7_DOWNLOAD_ENDED, s7_block_request, s7_block_answer},
    {S7_START_UPLOAD, s7_block_request, s7_block_answer},
    {S7_UPLOAD, s7_block_request, s7_block_answer},
    {S7_END_UPLOAD, s7_block_request, s7_block_answer},
    {S7_PI, s7_pi_request, s7_pi_answer},
    {S7_PLC_STOP, s7_stop_request, s7_stop_answer},
};

static const struct function *function(uint32_t fn)
{
    for (unsigned i = 0; i < ARRAY_LEN(functions); i++)
        if (functions[i].fn == fn)
            return &functions[i];
    return NULL;
}

/* Key of a job: who sends it, its reference, its function. */
static uint64_t job_key(uint8_t dir, uint16_t ref, uint32_t fn)
{
    return UINT64_C(1) << 48 | (uint64_t)(dir == DIR_S2C) << 40 | (uint64_t)ref << 16 | (fn & 0xffff);
}

static bool server_job(uint32_t fn)
{
    return fn == S7_DOWNLOAD_BLOCK || fn == S7_DOWNLOAD_ENDED;
}

/* Reading and writing look at nothing but the message and what it answers. */
static bool asks_again(const struct s7 *s, uint32_t fn)
{
    return (fn == S7_READ || fn == S7_WRITE) && s->anomalies == 0;
}

static enum verdict job(struct s7 *s)
{
    uint32_t fn = cur_left(&s->param) ? cur_peek(&s->param, 0) : FN_NONE;
    uint64_t key = job_key(s->x->dir, s->ref, fn);
    struct again again = {.field = F_PDU_REF, .vary = s->ref};
    s7_reused(s, key);
    if (asks_again(s, fn) && ev_again(s->x, s->parts, cur_left(&s->param), key, &again))
        return DIS_OK;
    struct event *e = ev_begin(s->x, &s7comm_schema, fn, OP_ANY_SELECTOR);
    ev_u64(e, F_PDU_REF, s->ref);
    const struct function *f = function(fn);
    if (f) {
        f->request(s, e);
    } else if (fn == FN_NONE) {
        s7_anomaly(s, A_PARAM);
    } else {
        if (!e->op)
            s7_anomaly(s, A_FUNCTION);
        ev_span(e, F_UNKNOWN_PARAM, cur_rest(&s->param));
        s->st->odd_fn = (uint8_t)fn;
        s->st->odd_ref = s->ref;
    }
    if (s->x->dir == DIR_S2C && !server_job(fn))
        s7_anomaly(s, A_SERVER_JOB);
    e->anomalies |= s->anomalies;
    ev_wait_again(s->x, e, key, &again);
    return verdict_of(s);
}

/* The job that an acknowledgement without parameters answers: the first function of that reference that waits. */
static uint64_t bare_key(const struct s7 *s, uint8_t dir)
{
    for (unsigned i = 0; i < ARRAY_LEN(functions); i++) {
        uint64_t k = job_key(dir, s->ref, functions[i].fn);
        if (ev_is_waited(s->x, k))
            return k;
    }
    return job_key(dir, s->ref, s->st->odd_ref == s->ref ? s->st->odd_fn : FN_NONE);
}

static enum verdict answer(struct s7 *s)
{
    uint8_t dir = s->x->dir == DIR_S2C ? DIR_C2S : DIR_S2C;
    uint32_t fn = cur_left(&s->param) ? cur_peek(&s->param, 0) : FN_NONE;
    uint64_t key = fn == FN_NONE ? bare_key(s, dir) : job_key(dir, s->ref, fn);
    struct again again = {.digest = 0};
    uint64_t context = (uint64_t)s->rosctr << 32 | (uint64_t)s->err << 16 | cur_left(&s->param);
    if (asks_again(s, fn) && ev_answer_again(s->x, s->parts, context, key, &again))
        return DIS_OK;
    struct event *e = ev_answer(s->x, &s7comm_schema, key, fn, OP_ANY_SELECTOR);
    const struct function *f = function(fn);
    if (s->rosctr == S7_ACK) /* an acknowledgement has no function of its own, even where it repeats one */
        e->msgs[e->n_msgs - 1].function = FN_NONE;
    if (e->kind == EV_RESPONSE)
        ev_u64(e, F_PDU_REF, s->ref);
    ev_status(e, s->err, s->err != 0);
    if (f)
        f->answer(s, e);
    else if (fn != FN_NONE && !e->op)
        s7_anomaly(s, A_FUNCTION);
    if (s->err) /* the header's error is the message's, whatever the items say */
        ev_status(e, s->err, true);
    e->anomalies |= s->anomalies;
    ev_commit_again(s->x, e, &again);
    return verdict_of(s);
}

/* ---- one message ---- */

/* Mid-stream on an unknown port: jobs come from the client, except those by which a PLC fetches a block. */
static uint8_t guess_dir(const struct s7 *s)
{
    bool fetch = server_job(cur_peek(&s->param, 0)), client = fetch;
    if (s->rosctr == S7_JOB)
        client = !fetch;
    else if (s->rosctr == S7_USERDATA)
        client = cur_peek(&s->param, 5) >> 6 == S7_UD_REQUEST;
    return client ? DIR_C2S : DIR_S2C;
}

/* Cut both parts to what is there: a length that lies is an anomaly, unless the snap length cut the packet. */
static void parts(struct s7 *s, struct cur *c, uint32_t plen, uint32_t dlen)
{
    struct cur both = *c;
    uint32_t have = cur_left(c);
    s->parts = cur_rest(&both);
    if (plen + dlen > have && !s->x->cut)
        s7_anomaly(s, A_LENGTH);
    plen = plen < have ? plen : have;
    s->param = cur_sub(c, plen);
    dlen = dlen < cur_left(c) ? dlen : cur_left(c);
    s->data = cur_sub(c, dlen);
    if (cur_left(c))
        s7_anomaly(s, A_TRAILING);
}

static const enum s7_anomaly fault_bits[] = {A_TPKT_RESERVED, A_COTP_HEADER, A_COTP_HEADER, A_COTP_CODE, A_TRAILING,
                                             A_COTP_SEGMENTS};

static enum verdict message(struct s7 *s, struct cur c)
{
    uint32_t total = cur_left(&c);
    cur_skip(&c, 1);
    s->rosctr = cur_u8(&c);
    if (cur_u16be(&c))
        s7_anomaly(s, A_REDUNDANCY);
    s->ref = cur_u16be(&c);
    uint16_t plen = cur_u16be(&c), dlen = cur_u16be(&c);
    bool ack = s->rosctr == S7_ACK || s->rosctr == S7_ACK_DATA;
    s->err = ack ? cur_u16be(&c) : 0;
    if (!cur_ok(&c)) {
        if (!s->x->cut)
            ev_malformed(s->x, &s7comm_schema, A_LENGTH);
        return s->x->cut ? DIS_OK : DIS_MALFORMED;
    }
    parts(s, &c, plen, dlen);
    if (s->st->pdu_size && total > s->st->pdu_size && cur_peek(&s->param, 0) != S7_SETUP)
        s7_anomaly(s, A_PDU_SIZE);
    if (s->x->dir == DIR_UNKNOWN)
        s->x->dir = guess_dir(s);
    s->st->is_s7 = 1;
    if (s->st->tpkt.has_tsaps && !s->st->told_tsaps)
        tell_tsaps(s);
    if (s->rosctr == S7_JOB)
        return job(s);
    if (ack)
        return answer(s);
    if (s->rosctr == S7_USERDATA)
        return s7_userdata(s);
    ev_malformed(s->x, &s7comm_schema, A_ROSCTR);
    return DIS_MALFORMED;
}

/* User data of COTP that does not begin with 32. */
static enum verdict foreign(struct dis_ctx *x, const struct s7_flow *st, struct cur data)
{
    if (tpkt_is_tls(data)) {
        obs_fmt(x, &s7comm_schema, OBS_SERVER, OBS_SELF, OBS_PROTECTION, 80, "TLS inside TPKT");
        ev_malformed(x, &s7comm_schema, A_TLS);
        return DIS_NOT_MINE;
    }
    if (cur_peek(&data, 0) == 0x72 || !st->is_s7)
        return DIS_NOT_MINE;
    ev_malformed(x, &s7comm_schema, A_FOREIGN);
    return DIS_MALFORMED;
}

static enum verdict control(struct dis_ctx *x, const struct tpkt *t)
{
    if (t->code == TPDU_DR || t->code == TPDU_CR)
        ev_flush(x); /* the connection ends, or a new one begins */
    for (unsigned i = 0; i < ARRAY_LEN(fault_bits); i++)
        if (t->faults >> i & 1)
            ev_malformed(x, &s7comm_schema, fault_bits[i]);
    ev_silent(x, &s7comm_schema);
    bool broken = t->faults & ~(TPKT_TRAILING | TPKT_RESERVED);
    return broken ? DIS_MALFORMED : DIS_OK;
}

static enum verdict s7_parse(struct cur pdu, struct dis_ctx *x)
{
    struct s7 s = {.x = x, .st = x->state};
    struct tpkt t = tpkt_parse(pdu, x, &s.st->tpkt, ASM_COTP);
    if (t.what == TPKT_BROKEN) {
        if (!x->cut)
            ev_malformed(x, &s7comm_schema, t.faults & TPKT_CODE ? A_COTP_CODE : A_COTP_HEADER);
        return x->cut ? DIS_OK : DIS_MALFORMED;
    }
    if (t.what != TPKT_DATA)
        return control(x, &t);
    if (cur_peek(&t.data, 0) != 0x32)
        return foreign(x, s.st, t.data);
    for (unsigned i = 0, f = t.faults; f; f >>= 1, i++)
        if (f & 1 && i < ARRAY_LEN(fault_bits))
            s7_anomaly(&s, fault_bits[i]);
    s.joined = t.joined;
    return message(&s, t.data);
}

/* ---- recognition ---- */

static bool s7_tsap(struct cur params)
{
    struct span called = tpkt_tsap(params, 0xc2);
    return called.n == 2 && called.p[0] >= 1 && called.p[0] <= 0x1f;
}

static enum match probe_message(struct cur u, struct dis_ctx *x, uint32_t whole)
{
    struct s7 s = {.x = x};
    bool all = cur_left(&u) == whole, none = cur_left(&u) == 0;
    uint8_t id = cur_u8(&u);
    s.rosctr = cur_u8(&u);
    uint16_t red = cur_u16be(&u);
    cur_skip(&u, 2);
    uint32_t plen = cur_u16be(&u), dlen = cur_u16be(&u);
    bool ack = s.rosctr == S7_ACK || s.rosctr == S7_ACK_DATA;
    if (ack)
        cur_skip(&u, 2);
    enum match broken = x->on_port && id == 0x32 ? MATCH_MAYBE : MATCH_NO; /* on its port a broken one is still S7 */
    if (!cur_ok(&u))
        return all || (id != 0x32 && !none) ? broken : MATCH_MORE;
    bool known = ack || s.rosctr == S7_JOB || s.rosctr == S7_USERDATA;
    if (!known || id != 0x32)
        return MATCH_NO;
    if (red || (s.rosctr == S7_USERDATA && plen < 8) || 10u + 2u * ack + plen + dlen != whole)
        return broken;
    s.param = cur_sub(&u, plen < cur_left(&u) ? plen : cur_left(&u));
    if (x->dir == DIR_UNKNOWN && plen)
        x->dir = guess_dir(&s);
    return MATCH_YES;
}

static enum match s7_probe(struct cur c, struct dis_ctx *x)
{
    uint8_t code = 0;
    struct cur user = {0};
    enum match m = tpkt_seek(&c, &code, &user);
    struct frame f = tpkt_frame(c);
    if (m != MATCH_MAYBE)
        return m;
    if (code == TPDU_CR || code == TPDU_CC) {
        if (x->dir == DIR_UNKNOWN)
            x->dir = code == TPDU_CR ? DIR_C2S : DIR_S2C;
        if (x->on_port) /* others are called by such TSAPs, too: the first data decide */
            return MATCH_MAYBE;
        return s7_tsap(user) ? MATCH_YES : MATCH_NO;
    }
    if (code != TPDU_DT || f.len == 7)
        return MATCH_MAYBE;
    uint8_t first = cur_peek(&user, 0);
    if (x->on_port && tpkt_is_tls(user))
        return MATCH_MAYBE; /* not S7, but this dissector tells it */
    if (x->on_port && first >= 20 && first <= 23 && cur_left(&user) < 5)
        return MATCH_MORE;
    bool eot = cur_peek(&c, 6) & 0x80;
    bool s7 = cur_peek(&user, 0) == 0x32 && cur_peek(&user, 2) == 0 && cur_peek(&user, 3) == 0;
    if (!eot) /* the first of several segments: its lengths say nothing yet */
        return s7 ? MATCH_MAYBE : MATCH_NO;
    return probe_message(user, x, f.len - 7);
}

static struct frame s7_frame(struct cur c, const struct dis_ctx *x)
{
    (void)x;
    return tpkt_frame(c);
}

/* Bytes of this direction are gone. A hole too small for a message (keep-alive TPKTs are 7 bytes) lost none; what waits
 * keeps waiting: its reference tells the answer, unless that reference is used again (s7_reused). */
static void s7_gap(struct dis_ctx *x, uint32_t missing)
{
    struct s7_flow *st = x->state;
    unsigned side = x->dir == DIR_S2C;
    tpkt_gap(x, &st->tpkt, ASM_COTP);
    if (missing < SHORTEST)
        return;
    if (st->part[side])
        asm_drop(x, st->part[side]);
    st->part[side] = 0;
    st->down.lossy = st->up.lossy = 1;
    st->lost[side] = 1;
}

static const uint16_t starts[] = {3, DIS_STARTS_END};
static const struct proto_schema *const schemas[] = {&s7comm_schema, NULL};

const struct dissector dissector_s7comm = {
    .name = "s7comm",
    .schemas = schemas,
    .transports = DIS_TCP,
    .tcp_ports = tcp_ports,
    .tcp_starts = starts,
    .min_probe = 7,
    .max_pdu = LIM_PDU,
    .flow_size = sizeof(struct s7_flow),
    .probe = s7_probe,
    .frame = s7_frame,
    .parse = s7_parse,
    .gap = s7_gap,
};
