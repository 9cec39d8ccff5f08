/* dnp3_app.c: DNP3 application fragments: requests, responses, confirmations, and which belongs to which.
 *
 * Spec: IEEE 1815-2012 4.2.2 (fragments), 4.4 (select, operate, confirm), 4.5 (unsolicited), 7 (authentication).
 *
 *   request   | AC | FC | object headers ...          AC: FIR 80 | FIN 40 | CON 20 | UNS 10 | SEQ 0f
 *   response  | AC | FC | IIN1 | IIN2 | object headers ...
 *
 * A record is one exchange: request, responses (several fragments), the confirmation of each, a challenge and its
 * reply, and for SELECT the OPERATE that follows. Keys hold the sequence number and its generation, so that a reused
 * number never meets an old request. */
#include "dissectors/dnp3_proto.h"
#include "engine/base/hash.h"

static const uint64_t select_timeout_ns = UINT64_C(15000000000); /* outstations hold a SELECT for 2 to 10 s as a rule */

/* ---- fields ---- */

static struct field *find_field(struct event *e, uint8_t id, bool any, uint64_t v)
{
    for (unsigned i = 0; i < e->n_fields; i++)
        if (e->fields[i].id == id && (any || e->fields[i].v.u == v))
            return &e->fields[i];
    return NULL;
}

void dnp3_u64_once(struct event *e, uint8_t id, uint64_t v)
{
    if (!find_field(e, id, false, v))
        ev_u64(e, id, v);
}

void dnp3_u64_last(struct event *e, uint8_t id, uint64_t v)
{
    struct field *f = find_field(e, id, true, 0);
    if (f)
        f->v.u = v;
    else
        ev_u64(e, id, v);
}

static void common_fields(struct event *e, const struct dnp3_msg *m)
{
    ev_unit(e, m->outstation);
    ev_u64(e, DF_MASTER, m->master);
    ev_u64(e, DF_SEQUENCE, m->seq);
    if (m->broadcast)
        ev_u64(e, DF_BROADCAST, m->dst);
}

/* ---- keys ---- */

enum { KEY_ANSWER = 1, KEY_CONFIRM, KEY_UNSOLICITED, KEY_OPERATE };

static uint64_t key_of(const struct dnp3_msg *m, unsigned what, uint8_t gen, uint8_t seq)
{
    return (uint64_t)what << 56 | (uint64_t)gen << 40 | (uint64_t)seq << 32 | (uint32_t)m->master << 16 | m->outstation;
}

static uint64_t answer_key(const struct dnp3_msg *m, const struct dnp3_assoc *a, uint8_t seq)
{
    return key_of(m, KEY_ANSWER, a->gen[seq & AC_SEQ], seq & AC_SEQ);
}

static uint64_t confirm_key(const struct dnp3_msg *m, const struct dnp3_assoc *a, uint8_t seq)
{
    return key_of(m, KEY_CONFIRM, a->gen[seq & AC_SEQ], seq & AC_SEQ);
}

static uint64_t operate_key(const struct dnp3_msg *m, const struct dnp3_assoc *a)
{
    return key_of(m, KEY_OPERATE, a->select_gen, 0);
}

/* Is there room for another fragment, of some 80 objects, beside what the event has? If not it is committed now and
 * goes on under the same tx_id. */
static bool fits(const struct event *e)
{
    enum { KEEP = 6144 };
    size_t n = offsetof(struct event, msgs) + (e->n_msgs + 1u) * sizeof(struct msg) + e->n_items * sizeof(struct item) +
               e->n_fields * sizeof(struct field) + 64;
    for (unsigned i = 0; i < e->n_items; i++)
        n += e->items[i].name.n + e->items[i].v.raw.n + 14u;
    for (unsigned i = 0; i < e->n_fields; i++) {
        uint8_t t = dnp3_schema.fields[e->fields[i].id].type;
        n += t == FT_TEXT ? e->fields[i].v.s.n + 7u : 0;
    }
    return n <= KEEP && e->n_msgs < EV_MAX_MSGS;
}

static void wait_or_commit(struct dis_ctx *x, struct event *e, uint64_t key)
{
    if (fits(e))
        ev_wait(x, e, key);
    else
        ev_commit(x, e);
}

/* What of this response comes later joins it, or goes on in its name. */
static void expect_more(struct dis_ctx *x, struct event *e, struct dnp3_assoc *a, uint64_t key)
{
    a->tx_id = e->tx_id;
    a->more_fn = (uint8_t)e->function;
    a->more_selector = e->selector;
    a->first_ns = e->msgs[0].ts_ns;
    wait_or_commit(x, e, key);
}

/* ---- internal indications ---- */

static void edges(struct dnp3_walk *w, struct dnp3_assoc *a)
{
    static const struct {
        uint16_t bit;
        uint8_t anomaly;
    } rows[] = {{0x8000, DA_IIN_RESTART},    {0x4000, DA_IIN_TROUBLE},       {0x2000, DA_IIN_LOCAL},
                {0x1000, DA_IIN_NEED_TIME},  {0x0001, DA_IIN_NO_FUNCTION},   {0x0002, DA_IIN_OBJECT_UNKNOWN},
                {0x0004, DA_IIN_PARAMETER},  {0x0008, DA_IIN_OVERFLOW},      {0x0010, DA_IIN_EXECUTING},
                {0x0020, DA_IIN_CONFIG_CORRUPT}, {0x00c0, DA_IIN_RESERVED}};
    uint16_t came = (uint16_t)(w->m->iin & ~a->iin);
    for (unsigned i = 0; came && i < ARRAY_LEN(rows); i++)
        if (came & rows[i].bit)
            dnp3_say(w, rows[i].anomaly);
    a->iin = w->m->iin;
}

/* What the outstation says of its own state, told when it changes. */
static void tell_state(struct dis_ctx *x, const struct dnp3_msg *m, struct dnp3_assoc *a)
{
    static const char *const names[] = {"normal", "local_control", "restarted", "trouble", "config_corrupt"};
    uint8_t s = m->iin & 0x0020 ? 4 : m->iin & 0x4000 ? 3 : m->iin & 0x8000 ? 2 : m->iin & 0x2000 ? 1 : 0;
    if (a->state == s + 1)
        return;
    a->state = (uint8_t)(s + 1);
    obs_fmt(x, &dnp3_schema, OBS_SERVER, m->outstation, OBS_STATE, 90, "%s", names[s]);
}

static void indications(struct dis_ctx *x, struct dnp3_walk *w, struct dnp3_assoc *a)
{
    const struct dnp3_msg *m = w->m;
    dnp3_u64_last(w->e, DF_IIN, m->iin);
    for (unsigned bit = 0; bit < 8; bit++) {
        if (m->iin >> (8 + bit) & 1)
            dnp3_u64_once(w->e, DF_INDICATIONS, 10 + bit);
        if (m->iin >> bit & 1)
            dnp3_u64_once(w->e, DF_INDICATIONS, 20 + bit);
    }
    edges(w, a);
    tell_state(x, m, a);
    if (!(a->seen & DNP3_SEEN_RESPONSE))
        obs_fmt(x, &dnp3_schema, OBS_SERVER, OBS_SELF, OBS_PROTO_ADDR, 100, "%u", m->outstation);
    a->seen |= DNP3_SEEN_RESPONSE;
}

/* ---- requests ---- */

/* SELECT and OPERATE have the same objects, octet by octet (4.4). Aggressive mode puts an authentication header in
 * front (10 octets) and a MAC behind (22 at most), which differ. */
static uint64_t digest_objects(struct span o)
{
    if (o.n && o.p[0] == 120)
        o = o.n > 32 ? (struct span){o.p + 10, o.n - 32} : (struct span){0};
    return hash_bytes(HASH_ID_KEY, o.p, o.n) | 1;
}

/* Functions that name no objects; in aggressive mode the authentication stands there. */
static bool is_bare(const struct dnp3_msg *m)
{
    bool bare = m->fn == 13 || m->fn == 14 || m->fn == 23 || m->fn == 24;
    return bare && !(m->objects.n && m->objects.p[0] == 120);
}

static void request_rules(struct dnp3_walk *w, const struct op_row *op)
{
    const struct dnp3_msg *m = w->m;
    if (m->control & AC_CON)
        dnp3_say(w, DA_MASTER_WANTS_CONFIRM);
    if (m->control & AC_UNS)
        dnp3_say(w, DA_UNS_BIT);
    if ((m->control & (AC_FIR | AC_FIN)) != (AC_FIR | AC_FIN))
        dnp3_say(w, DA_REQUEST_FRAGMENTED);
    if (!op)
        dnp3_say(w, DA_FN_RESERVED);
    else if (op->flags & OP_OBSOLETE)
        dnp3_say(w, DA_FN_OBSOLETE);
    bool needs_answer = m->fn == FC_READ || m->fn == FC_SELECT || m->fn == FC_OPERATE || m->fn == 23 ||
                        (m->fn >= FC_OPEN_FILE && m->fn <= 30) || m->fn == FC_AUTHENTICATE_REQ;
    if (m->broadcast && needs_answer)
        dnp3_say(w, DA_BROADCAST_FUNCTION);
    if (is_bare(m) && m->objects.n)
        dnp3_say(w, DA_TRAILING);
}

/* The key under which the SELECT of this OPERATE waits; *answered: its response was seen. 0: there is none. */
static uint64_t select_key(struct dis_ctx *x, struct dnp3_walk *w, const struct dnp3_assoc *a, bool *answered)
{
    const struct dnp3_msg *m = w->m;
    uint64_t key = operate_key(m, a), unanswered = answer_key(m, a, a->select_seq);
    bool same = a->select_digest && a->select_digest == digest_objects(m->objects);
    *answered = ev_is_waited(x, key);
    if (!*answered)
        key = a->select_digest && ev_is_waited(x, unanswered) ? unanswered : 0; /* one-way captures */
    if (same && key)
        return key;
    if (key && (*answered || dis_heard(x))) /* else the SELECT may have been refused */
        dnp3_say(w, DA_OPERATE_DIFFERS);
    else if ((a->seen & DNP3_SEEN_REQUEST) && !(same && a->operated == (0x80 | m->seq)))
        dnp3_say(w, DA_OPERATE_WITHOUT_SELECT); /* nor the repetition of one, nor the first that we see */
    return 0;
}

/* OPERATE that a SELECT prepared: the same record goes on. NULL when there is none that fits. */
static struct event *operate_selected(struct dis_ctx *x, struct dnp3_walk *w, struct dnp3_assoc *a)
{
    const struct dnp3_msg *m = w->m;
    bool answered;
    uint64_t key = select_key(x, w, a, &answered);
    if (!key)
        return NULL;
    struct event *e = ev_answer(x, &dnp3_schema, key, FC_OPERATE, OP_ANY_SELECTOR);
    if (!answered)
        e->kind = EV_MESSAGE;
    e->function = FC_OPERATE;
    ev_select(e, OP_ANY_SELECTOR);
    e->phase = PHASE_EXECUTE;
    e->outcome = OUT_UNKNOWN;
    e->status = e->has_status = e->error = 0;
    for (unsigned i = 0; i < e->n_items; i++) {
        if (e->items[i].action == ACT_SELECT)
            e->items[i].action = ACT_CONTROL;
        e->items[i].status = ITEM_STATUS_NONE;
    }
    if (((a->select_seq + 1) & AC_SEQ) != m->seq)
        dnp3_say(w, DA_OPERATE_SEQUENCE);
    a->operated = (uint8_t)(0x80 | m->seq);
    return e;
}

/* The master's reply to a challenge of an outstation belongs to the request that was challenged (7.5). */
static bool is_reply(const struct dis_ctx *x, const struct dnp3_msg *m, const struct dnp3_assoc *a)
{
    return m->fn == FC_AUTHENTICATE_REQ && a->challenge == (0x80 | m->seq) && ev_is_waited(x, answer_key(m, a, m->seq));
}

static void request(struct dis_ctx *x, const struct dnp3_msg *m, struct dnp3_assoc *a)
{
    struct dnp3_walk w = {.x = x, .m = m, .anomalies = m->anomalies};
    const struct op_row *op = schema_op(&dnp3_schema, m->fn, OP_ANY_SELECTOR);
    bool reply = is_reply(x, m, a);
    if (reply)
        w.e = ev_answer(x, &dnp3_schema, answer_key(m, a, m->seq), m->fn, OP_ANY_SELECTOR);
    else if (m->fn == FC_OPERATE)
        w.e = operate_selected(x, &w, a);
    bool selected = w.e && !reply;
    if (!w.e) {
        w.e = ev_begin(x, &dnp3_schema, m->fn, OP_ANY_SELECTOR);
        common_fields(w.e, m);
        w.e->phase = m->fn == FC_SELECT ? PHASE_SELECT : m->fn == FC_OPERATE ? PHASE_EXECUTE : PHASE_NONE;
    }
    w.action = w.e->action;
    if (!selected && op && !is_bare(m))
        dnp3_walk_objects(&w);
    request_rules(&w, op);
    w.e->anomalies |= w.anomalies;
    if (!(a->seen & DNP3_SEEN_REQUEST))
        obs_fmt(x, &dnp3_schema, OBS_CLIENT, OBS_SELF, OBS_PROTO_ADDR, 100, "%u", m->master);
    a->seen |= DNP3_SEEN_REQUEST;
    if (m->fn == FC_SELECT) {
        a->select_digest = digest_objects(m->objects);
        a->select_seq = m->seq;
        a->select_gen++;
    }
    if (m->broadcast || (op && (op->flags & OP_NO_ANSWER))) {
        ev_commit(x, w.e);
        return;
    }
    a->challenge = 0;
    if (!reply)
        a->gen[m->seq]++;
    ev_wait(x, w.e, answer_key(m, a, m->seq));
}

/* ---- responses ---- */

static void response_rules(struct dnp3_walk *w)
{
    const struct dnp3_msg *m = w->m;
    bool uns = m->fn == FC_UNSOLICITED;
    if (!!(m->control & AC_UNS) != uns)
        dnp3_say(w, DA_UNS_BIT);
    if (uns && (m->control & (AC_FIR | AC_FIN)) != (AC_FIR | AC_FIN))
        dnp3_say(w, DA_REQUEST_FRAGMENTED);
    if (uns && !(m->control & AC_CON))
        dnp3_say(w, DA_UNSOLICITED_UNCONFIRMED);
}

/* The answer's status: IIN2 first, then the first control, file or authentication status that is not good. */
static void set_status(struct dnp3_walk *w)
{
    struct event *e = w->e;
    uint32_t bad = w->m->iin & 0x17u;
    if (bad)
        ev_status(e, DST_IIN2 + (bad & -bad), true);
    else if (w->status)
        ev_status(e, w->status, true);
    else if (!e->has_status)
        ev_status(e, 0, false);
    bool some = w->n_done || (e->function == FC_READ && e->items_total > 0 && w->m->objects.n);
    if (e->error && some)
        e->outcome = OUT_PARTIAL;
}

static bool is_challenge(const struct dnp3_msg *m)
{
    return m->fn == FC_AUTHENTICATE_RESP && m->objects.n >= 2 && m->objects.p[0] == 120 && m->objects.p[1] == 1;
}

/* Under which key does the request (or the record so far) of this response wait? */
static uint64_t response_key(struct dis_ctx *x, struct dnp3_walk *w, const struct dnp3_assoc *a)
{
    const struct dnp3_msg *m = w->m;
    uint64_t key = answer_key(m, a, m->seq);
    if (m->control & AC_FIR)
        return key;
    uint8_t before = (m->seq - 1) & AC_SEQ;
    if (a->more != (0x80 | before)) {
        if (a->seen & DNP3_SEEN_RESPONSE)
            dnp3_say(w, DA_FRAGMENT_SEQUENCE);
    } else if (!ev_is_waited(x, key) && ev_is_waited(x, confirm_key(m, a, before))) {
        key = confirm_key(m, a, before); /* the confirmation of the fragment before was not seen */
    }
    return key;
}

/* What the record waits for next. */
static void response_next(struct dis_ctx *x, struct dnp3_walk *w, struct dnp3_assoc *a)
{
    const struct dnp3_msg *m = w->m;
    struct event *e = w->e;
    bool con = m->control & AC_CON, fin = m->control & AC_FIN;
    a->more = fin ? 0 : (uint8_t)(0x80 | m->seq);
    a->late = con && !fits(e) ? (uint8_t)(0x80 | m->seq) : 0;
    if (is_challenge(m)) {
        a->challenge = (uint8_t)(0x80 | m->seq);
        ev_wait(x, e, answer_key(m, a, m->seq));
    } else if (!fin) {
        a->gen[(m->seq + 1) & AC_SEQ]++;
        expect_more(x, e, a, con ? confirm_key(m, a, m->seq) : answer_key(m, a, (m->seq + 1) & AC_SEQ));
    } else if (e->function == FC_SELECT && !e->error && e->kind == EV_TRANSACTION && m->fn == FC_RESPONSE) {
        a->seen = (uint8_t)((a->seen & ~DNP3_SELECT_CONFIRM) | (con ? DNP3_SELECT_CONFIRM : 0));
        ev_wait_for(x, e, operate_key(m, a), select_timeout_ns);
    } else if (con) {
        expect_more(x, e, a, confirm_key(m, a, m->seq));
    } else {
        ev_commit(x, e);
    }
}

/* A record that began with an answer stays what it is, whatever joins it. */
static void keep_kind(struct event *e)
{
    if (e->function == FC_UNSOLICITED)
        e->kind = EV_UNSOLICITED;
    else if (e->function >= FC_RESPONSE)
        e->kind = EV_RESPONSE;
    if (e->kind != EV_TRANSACTION)
        e->from_client = 0;
}

/* The record of the fragments before was closed at its bound: this one goes on in its name. */
static void go_on(struct dis_ctx *x, struct event *e, const struct dnp3_assoc *a)
{
    e->tx_id = a->tx_id;
    if (a->more_fn == FC_RESPONSE)
        return; /* its request was not seen */
    e->function = a->more_fn;
    ev_select(e, a->more_selector);
    e->kind = EV_TRANSACTION;
    e->latency_ns = x->ts_ns > a->first_ns ? x->ts_ns - a->first_ns : 0;
}

static void response(struct dis_ctx *x, const struct dnp3_msg *m, struct dnp3_assoc *a)
{
    struct dnp3_walk w = {.x = x, .m = m, .anomalies = m->anomalies};
    uint64_t key = response_key(x, &w, a);
    bool waited = ev_is_waited(x, key), later = !(m->control & AC_FIR);
    w.e = ev_answer(x, &dnp3_schema, key, m->fn, OP_ANY_SELECTOR);
    keep_kind(w.e);
    if (!waited) {
        common_fields(w.e, m);
        if (later && a->more == (0x80 | ((m->seq - 1) & AC_SEQ)))
            go_on(x, w.e, a);
    }
    w.action = w.e->action;
    w.echoing = waited && m->fn == FC_RESPONSE && w.e->function >= FC_SELECT && w.e->function <= FC_DIRECT_OPERATE;
    indications(x, &w, a);
    if (later || !(m->control & AC_FIN)) {
        struct field *f = find_field(w.e, DF_FRAGMENTS, true, 0);
        dnp3_u64_last(w.e, DF_FRAGMENTS, f ? f->v.u + 1 : 1);
    }
    if (m->control & AC_CON)
        dnp3_u64_last(w.e, DF_CONFIRM_REQUESTED, 1);
    dnp3_walk_objects(&w);
    response_rules(&w);
    w.e->anomalies |= w.anomalies;
    if (!is_challenge(m))
        set_status(&w);
    response_next(x, &w, a);
}

static void unsolicited(struct dis_ctx *x, const struct dnp3_msg *m, struct dnp3_assoc *a)
{
    struct dnp3_walk w = {.x = x, .m = m, .anomalies = m->anomalies};
    w.e = ev_begin(x, &dnp3_schema, m->fn, OP_ANY_SELECTOR);
    w.e->kind = EV_UNSOLICITED;
    common_fields(w.e, m);
    w.action = w.e->action;
    indications(x, &w, a);
    if (m->control & AC_CON)
        ev_u64(w.e, DF_CONFIRM_REQUESTED, 1);
    dnp3_walk_objects(&w);
    response_rules(&w);
    w.e->anomalies |= w.anomalies;
    a->uns_seq = m->seq;
    if (!(m->control & AC_CON)) {
        ev_commit(x, w.e);
        return;
    }
    a->uns_gen++;
    a->uns_tx_id = w.e->tx_id;
    wait_or_commit(x, w.e, key_of(m, KEY_UNSOLICITED, a->uns_gen, m->seq));
}

/* ---- confirmations ---- */

static void confirm_alone(struct dis_ctx *x, const struct dnp3_msg *m, struct dnp3_assoc *a)
{
    struct event *e = ev_begin(x, &dnp3_schema, FC_CONFIRM, OP_ANY_SELECTOR);
    common_fields(e, m);
    e->phase = PHASE_CONFIRM;
    e->anomalies |= m->anomalies;
    bool uns = m->control & AC_UNS;
    if (uns ? a->uns_tx_id && a->uns_seq == m->seq : a->late == (0x80 | m->seq)) {
        e->tx_id = uns ? a->uns_tx_id : a->tx_id; /* its record was closed before */
        if (uns)
            a->uns_tx_id = 0;
    } else if (a->seen & DNP3_SEEN_RESPONSE) {
        ev_anomaly(e, DA_CONFIRM_UNEXPECTED);
    }
    a->late = 0;
    ev_commit(x, e);
}

static void confirm(struct dis_ctx *x, const struct dnp3_msg *m, struct dnp3_assoc *a)
{
    bool uns = m->control & AC_UNS;
    uint64_t key = uns ? key_of(m, KEY_UNSOLICITED, a->uns_gen, m->seq) : confirm_key(m, a, m->seq);
    bool of_select = !uns && (a->seen & DNP3_SELECT_CONFIRM) && a->select_seq == m->seq && !ev_is_waited(x, key) &&
                     ev_is_waited(x, operate_key(m, a));
    if (of_select)
        key = operate_key(m, a);
    if (!ev_is_waited(x, key)) {
        confirm_alone(x, m, a);
        return;
    }
    struct event *e = ev_answer(x, &dnp3_schema, key, FC_CONFIRM, OP_ANY_SELECTOR);
    keep_kind(e);
    e->anomalies |= m->anomalies;
    if (e->phase == PHASE_NONE)
        e->phase = PHASE_CONFIRM;
    if (e->n_msgs >= 2) /* the latency is the answer's */
        e->latency_ns = e->msgs[e->n_msgs - 2].ts_ns - e->msgs[0].ts_ns;
    if (uns)
        a->uns_tx_id = 0;
    if ((m->control & (AC_FIR | AC_FIN)) != (AC_FIR | AC_FIN))
        ev_anomaly(e, DA_REQUEST_FRAGMENTED);
    if (m->objects.n && m->objects.p[0] != 120)
        ev_anomaly(e, DA_TRAILING);
    if (of_select) {
        a->seen &= (uint8_t)~DNP3_SELECT_CONFIRM;
        ev_wait_for(x, e, key, select_timeout_ns);
    } else if (!uns && a->more == (0x80 | m->seq)) {
        ev_wait(x, e, answer_key(m, a, (m->seq + 1) & AC_SEQ));
    } else {
        ev_commit(x, e);
    }
}

/* ---- the fragment ---- */

/* A reserved code that is no request: told as it is, paired with nothing. */
static void stray(struct dis_ctx *x, const struct dnp3_msg *m)
{
    struct dnp3_walk w = {.x = x, .m = m, .anomalies = m->anomalies};
    w.e = ev_begin(x, &dnp3_schema, m->fn, OP_ANY_SELECTOR);
    common_fields(w.e, m);
    w.action = w.e->action;
    dnp3_say(&w, DA_FN_RESERVED);
    w.e->anomalies |= w.anomalies;
    ev_commit(x, w.e);
}

/* Who acts as the master is what the function says; a DIR bit that says otherwise is told. A tool that forgets the bit
 * is still the one that asks, and the record must not blame the outstation. */
static void settle_roles(struct dis_ctx *x, struct dnp3_msg *m, bool dir_master)
{
    m->response = m->fn >= FC_RESPONSE && m->fn <= FC_AUTHENTICATE_RESP;
    m->from_master = m->response ? false : m->fn <= FC_LAST_REQUEST ? true : dir_master;
    if (m->from_master != dir_master)
        m->anomalies |= UINT64_C(1) << (m->from_master ? DA_REQUEST_FROM_OUTSTATION : DA_RESPONSE_FROM_MASTER);
    x->dir = m->from_master ? DIR_C2S : DIR_S2C;
    x->dir_sure = 1;
    m->master = m->from_master ? m->src : m->dst;
    m->outstation = m->from_master ? m->dst : m->src;
    m->broadcast = m->from_master && dnp3_is_broadcast(m->dst);
}

void dnp3_forget(struct dis_ctx *x, uint16_t src, uint16_t dst)
{
    bool master = x->dir == DIR_C2S;
    uint64_t key = master ? (uint64_t)src << 16 | dst : (uint64_t)dst << 16 | src;
    struct dnp3_assoc *a = dis_shared(x, &dnp3_schema, key, false);
    if (!a)
        return;
    if (master) {
        a->seen &= (uint8_t)~DNP3_SEEN_REQUEST;
        a->select_digest = 0;
        return;
    }
    a->seen &= (uint8_t)~DNP3_SEEN_RESPONSE;
    a->more = a->late = 0;
}

enum verdict dnp3_fragment(struct dis_ctx *x, struct cur c, uint16_t src, uint16_t dst, bool from_master, bool cut)
{
    struct dnp3_msg m = {.src = src, .dst = dst, .cut = cut};
    m.control = cur_u8(&c);
    m.fn = cur_u8(&c);
    if (!cur_ok(&c)) {
        if (!cut)
            ev_malformed(x, &dnp3_schema, DA_APP_SHORT);
        return cut ? DIS_OK : DIS_MALFORMED;
    }
    m.seq = m.control & AC_SEQ;
    settle_roles(x, &m, from_master);
    if (m.response) {
        m.iin = (uint16_t)(cur_u8(&c) << 8);
        m.iin = (uint16_t)(m.iin | cur_u8(&c));
        if (!cur_ok(&c)) {
            struct event *e = ev_begin(x, &dnp3_schema, m.fn, OP_ANY_SELECTOR);
            common_fields(e, &m);
            e->kind = EV_RESPONSE;
            if (!cut)
                ev_anomaly(e, DA_APP_SHORT);
            ev_commit(x, e);
            return cut ? DIS_OK : DIS_MALFORMED;
        }
    }
    m.objects = cur_rest(&c);
    struct dnp3_assoc *a = dis_shared(x, &dnp3_schema, (uint64_t)m.master << 16 | m.outstation, true);
    if (m.from_master ? m.fn >= 128 : !m.response)
        stray(x, &m);
    else if (m.fn == FC_CONFIRM)
        confirm(x, &m, a);
    else if (m.fn == FC_UNSOLICITED)
        unsolicited(x, &m, a);
    else if (m.response)
        response(x, &m, a);
    else
        request(x, &m, a);
    return DIS_OK;
}
