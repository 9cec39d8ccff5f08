/* mms_pdu.c: from an MMS PDU to its event. */
#include "dissectors/mms.h"

uint8_t mms_pdu_dir(uint32_t pdu)
{
    static const uint8_t from_client = 1 << MMS_REQUEST | 1 << MMS_CANCEL;
    return pdu == MMS_INITIATE || pdu == MMS_CONCLUDE || (pdu < 8 && from_client >> pdu & 1) ? DIR_C2S : DIR_S2C;
}

/* Constructed, or not: by the type of each PDU. */
static bool form_fits(uint32_t pdu, bool constructed)
{
    static const uint32_t primitives = 1u << MMS_CANCEL | 1u << MMS_CANCEL_RESPONSE | 1u << MMS_CONCLUDE |
                                       1u << MMS_CONCLUDE_RESPONSE;
    bool primitive = primitives >> (pdu & 31) & 1;
    return pdu < MMS_PDUS && constructed != primitive;
}

enum match mms_pdu_shape(struct cur c, bool whole)
{
    uint8_t id = cur_peek(&c, 0), pdu = id & 0x1f;
    struct ber t, first;
    if (!cur_left(&c))
        return whole ? MATCH_NO : MATCH_MORE;
    if (id >> 6 != BER_CONTEXT || !form_fits(pdu, id & 0x20))
        return MATCH_NO;
    struct cur at = c;
    if (!ber_next(&at, &t)) /* its end is not here */
        return whole ? MATCH_NO : MATCH_YES;
    if (cur_left(&at) && whole)
        return MATCH_NO;
    if (pdu == MMS_CONCLUDE || pdu == MMS_CONCLUDE_RESPONSE)
        return t.n ? MATCH_NO : MATCH_YES;
    if (pdu == MMS_CANCEL || pdu == MMS_CANCEL_RESPONSE)
        return t.n && t.n < 5 ? MATCH_YES : MATCH_NO;
    if (!ber_peek(t.body, &first))
        return MATCH_NO;
    if (pdu == MMS_REQUEST || pdu == MMS_RESPONSE) {
        bool id_first = ber_next(&t.body, &first) && first.id == BER_UNI(BER_INTEGER) && first.n && first.n < 6;
        bool service = !ber_next(&t.body, &first) || first.id >> 30 == BER_CONTEXT || first.id == BER_UNI(BER_SEQUENCE);
        return id_first && service ? MATCH_YES : MATCH_NO; /* other applications have an operation code there (ROSE) */
    }
    return first.id >> 30 == BER_CONTEXT ? MATCH_YES : MATCH_NO;
}

/* ---- requests and responses ---- */

/* Requests open at a time, as agreed. */
static void count_open(struct mms *m, bool client, int step)
{
    struct mms_flow *st = m->st;
    uint8_t *n = &st->n_open[!client];
    if (step < 0) {
        *n = (uint8_t)(*n - (*n > 0));
        return;
    }
    *n = (uint8_t)(*n + (*n < UINT8_MAX));
    if (st->max_open[!client] && *n > st->max_open[!client] && !st->lossy[0] && !st->lossy[1])
        mms_anomaly(m, A_OUTSTANDING);
}

/* invoke id, modifiers, service. False: the PDU lacks one of them. */
static bool head(struct mms *m, struct ber *service)
{
    struct ber id;
    if (!ber_next(&m->pdu, &id) || id.id != BER_UNI(BER_INTEGER) || !ber_u32(id.body, &m->invoke))
        return false;
    while (ber_next(&m->pdu, service))
        if (service->id >> 30 == BER_CONTEXT)
            return true;
    return false;
}

/* What it asks or answers cannot be read: its function is that of the PDU, where that is one, else unknown. */
static void broken(struct mms *m, uint32_t pdu)
{
    bool services = pdu == MMS_REQUEST || pdu == MMS_RESPONSE || pdu == MMS_UNCONFIRMED;
    if (!m->x->cut)
        mms_anomaly(m, A_ENCODING);
    mms_commit(m, ev_begin(m->x, &mms_schema, services ? FN_NONE : MMS_FN(pdu, MMS_NO_SERVICE), OP_ANY_SELECTOR));
}

static void check_service(struct mms *m, const struct event *e)
{
    if (!e->op)
        mms_anomaly(m, A_SERVICE);
}

/* An invoke id that is still waited for: where bytes were lost, its answer was among them. */
static void reused(struct mms *m, uint64_t key)
{
    if (!ev_is_waited(m->x, key))
        return;
    if (!m->st->lossy[0] && !m->st->lossy[1]) {
        mms_anomaly(m, A_INVOKE_REUSED);
        return;
    }
    struct event *old = ev_take(m->x, key);
    old->kind = EV_REQUEST;
    ev_commit(m->x, old);
}

static void request(struct mms *m)
{
    struct ber service;
    bool client = m->x->dir != DIR_S2C;
    if (!head(m, &service)) {
        broken(m, MMS_REQUEST);
        return;
    }
    uint64_t key = mms_key(KEY_CONFIRMED, client, m->invoke);
    uint32_t n = ber_number(&service);
    reused(m, key);
    struct event *e = ev_begin(m->x, &mms_schema, MMS_FN(MMS_REQUEST, n), mms_service_selector(n, service.body));
    check_service(m, e);
    ev_u64(e, F_INVOKE_ID, m->invoke);
    mms_service_request(m, e, n, service.body);
    count_open(m, client, 1);
    if (mms_is_control(e->selector))
        e = mms_control_request(m, e, n, service.body);
    mms_wait(m, e, key);
}

static void response(struct mms *m)
{
    struct ber service;
    bool client = m->x->dir == DIR_S2C; /* who asked */
    if (!head(m, &service)) {
        broken(m, MMS_RESPONSE);
        return;
    }
    uint32_t n = ber_number(&service);
    struct event *e = ev_answer(m->x, &mms_schema, mms_key(KEY_CONFIRMED, client, m->invoke), MMS_FN(MMS_RESPONSE, n),
                                mms_service_selector(n, service.body));
    count_open(m, client, -1);
    if (e->kind == EV_RESPONSE) {
        check_service(m, e);
        ev_u64(e, F_INVOKE_ID, m->invoke);
    } else if ((e->function & 0xffff) != n) {
        mms_anomaly(m, A_SERVICE_DIFFERS);
        mms_commit(m, e);
        return;
    }
    mms_service_response(m, e, n, service.body);
    if (mms_is_control(e->selector) && mms_control_response(m, e))
        return;
    mms_commit(m, e);
    if (e->kind == EV_TRANSACTION && !e->error)
        mms_learn(m, e);
}

/* ---- errors ---- */

/* ServiceError: error class [0] { class [n] code }, additional code [1], additional description [2]. */
static void service_error(struct event *e, struct cur c)
{
    struct ber t, class;
    uint32_t code = 0;
    int64_t more;
    uint32_t status = ST_SERVICE | 12 << 8;
    while (ber_next(&c, &t)) {
        if (t.id == BER_CTX(0) && ber_next(&t.body, &class) && ber_u32(class.body, &code))
            status = ST_SERVICE | (ber_number(&class) & 15) << 8 | (code & 0xff);
        else if (t.id == BER_CTX(1) && ber_i64(t.body, &more))
            ev_i64(e, F_ERROR_CODE, more);
        else if (t.id == BER_CTX(2))
            mms_text_field(e, F_ERROR_TEXT, t.body);
    }
    ev_status(e, status, true);
}

/* confirmed-Error, cancel-Error: original invoke id [0], service error [1] or [2]. */
static void confirmed_error(struct mms *m, uint32_t pdu)
{
    struct ber t;
    struct cur error = {0};
    bool has_id = false, client = m->x->dir == DIR_S2C;
    while (ber_next(&m->pdu, &t)) {
        if (t.id == BER_CTX(0) && !has_id)
            has_id = ber_u32(t.body, &m->invoke);
        else if (t.constructed)
            error = t.body;
    }
    if (!has_id || !cur_ok(&m->pdu)) {
        broken(m, pdu);
        return;
    }
    enum mms_key what = pdu == MMS_ERROR ? KEY_CONFIRMED : KEY_CANCEL;
    struct event *e = ev_answer(m->x, &mms_schema, mms_key(what, client, m->invoke), MMS_FN(pdu, MMS_NO_SERVICE),
                                OP_ANY_SELECTOR);
    if (e->kind == EV_RESPONSE)
        ev_u64(e, F_INVOKE_ID, m->invoke);
    if (pdu == MMS_ERROR)
        count_open(m, client, -1);
    service_error(e, error);
    mms_commit(m, e);
}

/* Reject: original invoke id [0], then the kind of PDU that was not understood, with the reason. */
static void reject(struct mms *m)
{
    struct ber t;
    uint32_t status = 0, code = 0;
    bool has_id = false;
    while (ber_next(&m->pdu, &t)) {
        if (t.id == BER_CTX(0))
            has_id = ber_u32(t.body, &m->invoke);
        else if (ber_u32(t.body, &code))
            status = ST_REJECT | (ber_number(&t) & 15) << 8 | (code & 0xff);
    }
    bool client = m->x->dir == DIR_S2C;
    uint64_t key = mms_key(KEY_CONFIRMED, client, m->invoke);
    struct event *e;
    if (!cur_ok(&m->pdu) || !status) {
        broken(m, MMS_REJECT);
        return;
    }
    if (has_id && ev_is_waited(m->x, key)) {
        count_open(m, client, -1);
        e = ev_answer(m->x, &mms_schema, key, MMS_FN(MMS_REJECT, MMS_NO_SERVICE), OP_ANY_SELECTOR);
    } else {
        e = ev_begin(m->x, &mms_schema, MMS_FN(MMS_REJECT, MMS_NO_SERVICE), OP_ANY_SELECTOR);
        if (has_id)
            ev_u64(e, F_ORIGINAL_ID, m->invoke);
    }
    ev_status(e, status, true);
    e->outcome = OUT_REFUSED;
    mms_commit(m, e);
}

/* ---- cancel ---- */

static void cancel(struct mms *m, uint32_t pdu)
{
    uint32_t id = 0;
    bool ok = ber_u32(m->pdu, &id), asks = pdu == MMS_CANCEL, client = (m->x->dir == DIR_S2C) != asks;
    if (!ok) {
        broken(m, pdu);
        return;
    }
    uint64_t key = mms_key(KEY_CANCEL, client, id);
    struct event *e = asks ? ev_begin(m->x, &mms_schema, MMS_FN(pdu, MMS_NO_SERVICE), OP_ANY_SELECTOR)
                           : ev_answer(m->x, &mms_schema, key, MMS_FN(pdu, MMS_NO_SERVICE), OP_ANY_SELECTOR);
    if (e->kind != EV_TRANSACTION)
        ev_u64(e, F_ORIGINAL_ID, id);
    if (asks)
        mms_wait(m, e, key);
    else
        mms_commit(m, e);
}

/* ---- initiate and conclude ---- */

static void oid_field(struct event *e, uint8_t id, struct cur body)
{
    char text[BER_OID_TEXT];
    unsigned n = ber_oid(body, text);
    if (n)
        ev_span(e, id, ev_text_copy(e, text, n));
}

static void entity(struct mms *m, struct event *e, const struct osi_entity *who, uint8_t title, uint8_t qualifier)
{
    char text[BER_OID_TEXT];
    if (who->has_title)
        oid_field(e, title, who->title);
    if (who->has_qualifier)
        ev_i64(e, qualifier, who->qualifier);
    if (title == F_AP_CALLED || !who->has_title || !ber_oid(who->title, text))
        return; /* whom a client calls is not yet who answers */
    enum obs_side side = title == F_AP_CALLING ? OBS_CLIENT : OBS_SERVER;
    if (who->has_qualifier)
        obs_fmt(m->x, &mms_schema, side, OBS_SELF, OBS_PROTO_ADDR, 80, "%s,%lld", text, (long long)who->qualifier);
    else
        obs_fmt(m->x, &mms_schema, side, OBS_SELF, OBS_PROTO_ADDR, 80, "%s", text);
}

static void association(struct mms *m, struct event *e, bool asks)
{
    const struct osi *o = m->osi;
    if (o->apdu > ACSE_AARE)
        return;
    if (asks) {
        (void)tpkt_tsap_fields(&m->st->tpkt, e, F_TSAP_CALLING, F_TSAP_CALLED);
        entity(m, e, &o->calling, F_AP_CALLING, F_AE_CALLING);
        entity(m, e, &o->called, F_AP_CALLED, F_AE_CALLED);
        oid_field(e, F_CONTEXT, o->context);
    } else {
        entity(m, e, &o->responding, F_AP_RESPONDING, F_AE_RESPONDING);
        if (o->has_result)
            ev_u64(e, F_ASSOC_RESULT, o->result);
        if (o->result)
            ev_status(e, ST_ASSOCIATE | (uint32_t)o->source << 8 | (o->diagnostic & 0xff), true);
    }
    if (!o->auth)
        return;
    ev_u64(e, F_AUTH, o->auth);
    if (o->auth == AUTH_PASSWORD) {
        mms_anomaly(m, A_PASSWORD);
        obs_fmt(m->x, &mms_schema, OBS_SERVER, OBS_SELF, OBS_PROTECTION, 80, "%s", "MMS password in clear");
    }
}

/* localDetail [0], outstanding calling [1] and called [2], nesting [3], detail [4] { version [0], parameters [1],
 * services [2] }. What is answered holds. */
static void initiate_body(struct mms *m, struct event *e, bool agreed)
{
    static const uint8_t ids[] = {F_MAX_PDU, F_MAX_CALLING, F_MAX_CALLED, F_NESTING};
    struct ber t, d;
    uint32_t n;
    while (ber_next(&m->pdu, &t)) {
        uint32_t number = ber_number(&t);
        if (number < ARRAY_LEN(ids) && ber_u32(t.body, &n)) {
            ev_u64(e, ids[number], n);
            if (agreed && number == 0)
                m->st->max_pdu = n;
            else if (agreed && number < 3)
                m->st->max_open[number - 1] = (uint16_t)(n < UINT16_MAX ? n : UINT16_MAX);
        }
        if (number != 4)
            continue;
        while (ber_next(&t.body, &d)) {
            if (ber_number(&d) == 0 && ber_u32(d.body, &n))
                ev_u64(e, F_VERSION, n);
            else if (ber_number(&d) == 1 || ber_number(&d) == 2)
                ev_span(e, ber_number(&d) == 1 ? F_PARAMETERS : F_SERVICES, cur_rest(&d.body));
        }
    }
    if (!cur_ok(&m->pdu) && !m->x->cut)
        mms_anomaly(m, A_ENCODING);
}

static void initiate(struct mms *m, uint32_t pdu)
{
    bool asks = pdu == MMS_INITIATE, client = (m->x->dir == DIR_S2C) != asks;
    uint64_t key = mms_key(KEY_INITIATE, client, 0);
    uint32_t fn = MMS_FN(pdu, MMS_NO_SERVICE);
    if (asks) {
        ev_flush(m->x); /* a new association: nothing of an old one is answered */
        m->st->n_open[0] = m->st->n_open[1] = 0;
        m->st->max_pdu = 0;
    }
    struct event *e = asks ? ev_begin(m->x, &mms_schema, fn, OP_ANY_SELECTOR)
                           : ev_answer(m->x, &mms_schema, key, fn, OP_ANY_SELECTOR);
    association(m, e, asks);
    if (pdu == MMS_INITIATE_ERROR)
        service_error(e, m->pdu);
    else
        initiate_body(m, e, pdu == MMS_INITIATE_RESPONSE);
    if (asks)
        mms_wait(m, e, key);
    else
        mms_commit(m, e);
}

static void conclude(struct mms *m, uint32_t pdu)
{
    bool asks = pdu == MMS_CONCLUDE, client = (m->x->dir == DIR_S2C) != asks;
    uint64_t key = mms_key(KEY_CONCLUDE, client, 0);
    uint32_t fn = MMS_FN(pdu, MMS_NO_SERVICE);
    struct event *e = asks ? ev_begin(m->x, &mms_schema, fn, OP_ANY_SELECTOR)
                           : ev_answer(m->x, &mms_schema, key, fn, OP_ANY_SELECTOR);
    if (pdu == MMS_CONCLUDE_ERROR)
        service_error(e, m->pdu);
    if (asks)
        mms_wait(m, e, key);
    else
        mms_commit(m, e);
}

/* ---- unconfirmed ---- */

static void unconfirmed(struct mms *m)
{
    struct ber service;
    if (!ber_next(&m->pdu, &service) || service.id >> 30 != BER_CONTEXT) {
        broken(m, MMS_UNCONFIRMED);
        return;
    }
    uint32_t n = ber_number(&service);
    if (n == SV_INFORMATION_REPORT) {
        mms_information_report(m, service.body);
        return;
    }
    struct event *e = ev_begin(m->x, &mms_schema, MMS_FN(MMS_UNCONFIRMED, n), OP_ANY_SELECTOR);
    struct ber first;
    struct span name;
    check_service(m, e);
    e->kind = EV_UNSOLICITED;
    if (n == SV_UNSOLICITED_STATUS)
        mms_status_body(m, e, service.body);
    else if (n == SV_EVENT_NOTIFICATION && ber_find(service.body, BER_CTX(0), &first) &&
             mms_object_name(m, e, &first.body, &name))
        ev_named(e, K_EVENT_ENROLLMENT, name);
    mms_commit(m, e);
}

/* ---- entry ---- */

static void dispatch(struct mms *m, uint32_t pdu)
{
    switch (pdu) {
    case MMS_REQUEST:
        request(m);
        break;
    case MMS_RESPONSE:
        response(m);
        break;
    case MMS_ERROR:
    case MMS_CANCEL_ERROR:
        confirmed_error(m, pdu);
        break;
    case MMS_UNCONFIRMED:
        unconfirmed(m);
        break;
    case MMS_REJECT:
        reject(m);
        break;
    case MMS_CANCEL:
    case MMS_CANCEL_RESPONSE:
        cancel(m, pdu);
        break;
    case MMS_INITIATE:
    case MMS_INITIATE_RESPONSE:
    case MMS_INITIATE_ERROR:
        initiate(m, pdu);
        break;
    default:
        conclude(m, pdu);
        break;
    }
}

enum verdict mms_pdu(struct mms *m, struct cur whole)
{
    struct ber t;
    uint32_t first = cur_peek(&whole, 0), n = cur_left(&whole);
    bool read = ber_next(&whole, &t);
    if (!read && (!m->x->cut || first >> 6 != BER_CONTEXT)) {
        ev_malformed(m->x, &mms_schema, A_ENCODING);
        return DIS_MALFORMED;
    }
    uint32_t pdu = read ? ber_number(&t) : first & 0x1f;
    if ((read && t.id >> 30 != BER_CONTEXT) || !form_fits(pdu, read ? t.constructed : first & 0x20)) {
        ev_malformed(m->x, &mms_schema, A_PDU_TYPE);
        return DIS_MALFORMED;
    }
    if (!read) { /* cut by the snap length: not even its service is sure */
        ev_silent(m->x, &mms_schema);
        return DIS_OK;
    }
    if (cur_left(&whole))
        mms_anomaly(m, A_TRAILING);
    if (m->st->max_pdu && n > m->st->max_pdu && pdu < MMS_INITIATE)
        mms_anomaly(m, A_PDU_SIZE);
    if (m->x->dir == DIR_UNKNOWN)
        m->x->dir = mms_pdu_dir(pdu);
    m->pdu = t.body;
    m->len = n;
    dispatch(m, pdu);
    return DIS_OK;
}
