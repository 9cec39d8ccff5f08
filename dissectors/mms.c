/* mms.c: MMS as IEC 61850-8-1 and TASE.2 (ICCP) use it, with the association below it.
 *
 * Spec: ISO 9506-1:2003, ISO 9506-2:2003 (MMS); IEC 61850-8-1:2011+A1:2020, IEC 61850-7-2:2010+A1:2020 (names, reports,
 *       control); ISO 8650-1 (ACSE), 8823-1 (presentation), 8327-1 (session): mms_osi.c; RFC 1006, ISO 8073:
 *       carrier_tpkt.c; X.690 (BER): carrier_ber.c; Data: carrier_mmsdata.c.
 *
 *   MMSpdu   a0 confirmed request   02 invoke id, modifiers, service [n]      a1 response   02 invoke id, service [n]
 *            a2 error  a3 unconfirmed  a4 reject  85 cancel  86 87  a8 initiate  a9 aa  8b conclude  8c 8d
 *   service  4 read   80 with specification  a1 { a0 variables | a1 list }   answer  a0 specification, a1 { results }
 *            5 write  a0 variables | a1 list, a0 { data }                    answer  { 80 error | 81 done }
 *            0 (unconfirmed) information report   a0 variables | a1 list, a0 { results }
 *
 * Pairing: by invoke id, each side's own; a control is one transaction from select to termination (mms_control.c).
 * The VMD asks for the segments of a download; its client stays the client of the record.
 *
 * Not decoded: segmented session messages; scattered access, semaphores, event and unit control services beyond name
 * and object; contents of files, domains and journals; TASE.2 objects beyond their names; modifiers of requests; IEC
 * 62351-4 end-to-end security and everything under TLS (3782). Authentication values are never recorded.
 *
 * Assets: identify (vendor, model, revision), LPHD PhyNam and LLN0 NamPlt (vendor, versions, serial number, model),
 * status, application process titles, logical devices (domains).
 */
#include "dissectors/mms.h"

enum { ASM_COTP = 1, SHORTEST = 10 /* bytes of the shortest MMS message with its carrier */ };

static const uint16_t tcp_ports[] = {102, 0};

void mms_commit(struct mms *m, struct event *e)
{
    e->anomalies |= m->anomalies;
    m->anomalies = 0;
    ev_commit(m->x, e);
}

void mms_wait(struct mms *m, struct event *e, uint64_t key)
{
    e->anomalies |= m->anomalies;
    m->anomalies = 0;
    ev_wait(m->x, e, key);
}

uint64_t mms_key(enum mms_key what, bool client_asked, uint32_t id)
{
    return (uint64_t)what << 40 | (uint64_t)client_asked << 32 | id;
}

/* ---- what the layers below carry ---- */

/* The association was refused, without MMS in the refusal. */
static void refused(struct mms *m, uint32_t status)
{
    uint64_t key = mms_key(KEY_INITIATE, m->x->dir == DIR_S2C, 0);
    if (!ev_is_waited(m->x, key))
        return;
    struct event *e = ev_answer(m->x, &mms_schema, key, FN_NONE, OP_ANY_SELECTOR);
    if (m->osi->has_result)
        ev_u64(e, F_ASSOC_RESULT, m->osi->result);
    ev_status(e, status, true);
    mms_commit(m, e);
}

static enum verdict values(struct mms *m, const struct osi *o)
{
    static const uint8_t bits[] = {A_SESSION, A_PRESENTATION, A_ACSE};
    enum verdict v = DIS_OK;
    for (unsigned i = 0; i < ARRAY_LEN(bits); i++)
        if (o->faults >> i & 1 && !m->x->cut)
            mms_anomaly(m, bits[i]);
    for (unsigned i = 0; i < o->n; i++)
        if (mms_pdu(m, o->pdv[i]) != DIS_OK)
            v = DIS_MALFORMED;
    if (o->apdu == ACSE_AARE && o->has_result && o->result)
        refused(m, ST_ASSOCIATE | (uint32_t)o->source << 8 | (o->diagnostic & 0xff));
    else if (o->spdu == SPDU_RF)
        refused(m, ST_REFUSED);
    if (o->spdu == SPDU_AB || o->apdu == ACSE_ABRT || o->spdu == SPDU_RF)
        ev_flush(m->x); /* nobody answers any more */
    if (!o->n)
        ev_silent(m->x, &mms_schema);
    for (unsigned i = 0; i < A_COUNT; i++) /* no event has told them */
        if (m->anomalies >> i & 1)
            ev_malformed(m->x, &mms_schema, i);
    return m->anomalies ? DIS_MALFORMED : v;
}

static const enum mms_anomaly fault_bits[] = {A_TPKT_RESERVED, A_COTP_HEADER, A_COTP_HEADER, A_COTP_CODE, A_TRAILING,
                                              A_COTP_SEGMENTS};

static enum verdict control(struct dis_ctx *x, const struct tpkt *t)
{
    if (t->code == TPDU_DR || t->code == TPDU_CR)
        ev_flush(x); /* the connection ends, or a new one begins */
    for (unsigned i = 0; i < ARRAY_LEN(fault_bits); i++)
        if (t->faults >> i & 1)
            ev_malformed(x, &mms_schema, fault_bits[i]);
    ev_silent(x, &mms_schema);
    return t->faults & ~(TPKT_TRAILING | TPKT_RESERVED) ? DIS_MALFORMED : DIS_OK;
}

static enum verdict mms_parse(struct cur pdu, struct dis_ctx *x)
{
    struct mms_flow *st = x->state;
    struct tpkt t = tpkt_parse(pdu, x, &st->tpkt, ASM_COTP);
    if (t.what == TPKT_BROKEN) {
        if (!x->cut)
            ev_malformed(x, &mms_schema, t.faults & TPKT_CODE ? A_COTP_CODE : A_COTP_HEADER);
        return x->cut ? DIS_OK : DIS_MALFORMED;
    }
    if (t.what != TPKT_DATA)
        return control(x, &t);
    struct osi o;
    osi_parse(t.data, &o);
    if (o.faults & OSI_FOREIGN) {
        if (!st->is_mms)
            return DIS_NOT_MINE;
        if (!x->cut)
            ev_malformed(x, &mms_schema, A_FOREIGN);
        return DIS_MALFORMED;
    }
    struct mms m = {.x = x, .st = st, .osi = &o};
    for (unsigned i = 0; i < ARRAY_LEN(fault_bits); i++)
        if (t.faults >> i & 1)
            mms_anomaly(&m, fault_bits[i]);
    if (o.spdu == SPDU_BARE && !st->bare) {
        mms_anomaly(&m, A_NO_ACSE);
        st->bare = 1;
    }
    if (x->dir == DIR_UNKNOWN && (o.spdu == SPDU_CN || o.spdu == SPDU_AC))
        x->dir = o.spdu == SPDU_CN ? DIR_C2S : DIR_S2C;
    st->is_mms = 1;
    return values(&m, &o);
}

/* ---- recognition ---- */

static enum match mms_probe(struct cur c, struct dis_ctx *x)
{
    uint8_t code = 0, dir = x->dir;
    struct cur user = {0};
    enum match m = tpkt_seek(&c, &code, &user);
    struct frame f = tpkt_frame(c);
    if (m != MATCH_MAYBE)
        return m;
    if (code == TPDU_CR || code == TPDU_CC) { /* whose connection it is, its first data tell */
        if (x->dir == DIR_UNKNOWN)
            x->dir = code == TPDU_CR ? DIR_C2S : DIR_S2C;
        return MATCH_MORE;
    }
    if (code != TPDU_DT)
        return x->on_port ? MATCH_MAYBE : MATCH_NO;
    if (f.len == 7 || !cur_left(&user))
        return MATCH_MORE;
    m = osi_probe(user, f.len - 7, cur_peek(&c, 6) & 0x80, x->on_port, &dir);
    if (m == MATCH_YES)
        x->dir = dir;
    return m;
}

static struct frame mms_frame(struct cur c, const struct dis_ctx *x)
{
    (void)x;
    return tpkt_frame(c);
}

/* Bytes of this direction are gone; what waits keeps waiting: its invoke id tells the answer. */
static void mms_gap(struct dis_ctx *x, uint32_t missing)
{
    struct mms_flow *st = x->state;
    tpkt_gap(x, &st->tpkt, ASM_COTP);
    if (missing < SHORTEST)
        return;
    st->lossy[x->dir == DIR_S2C] = 1;
    st->n_open[0] = st->n_open[1] = 0;
}

static const uint16_t starts[] = {3, DIS_STARTS_END};
static const struct proto_schema *const schemas[] = {&mms_schema, NULL};

const struct dissector dissector_mms = {
    .name = "mms",
    .schemas = schemas,
    .transports = DIS_TCP,
    .tcp_ports = tcp_ports,
    .tls_port = 3782,
    .tcp_starts = starts,
    .min_probe = 7,
    .max_pdu = LIM_PDU,
    .flow_size = sizeof(struct mms_flow),
    .probe = mms_probe,
    .frame = mms_frame,
    .parse = mms_parse,
    .gap = mms_gap,
};
