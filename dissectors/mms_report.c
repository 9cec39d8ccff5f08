/* mms_report.c: information reports: those of IEC 61850 (8-1 clause 17), of controls, and any others.
 *
 *   RPT { RptID, OptFlds, [SqNum], [TimeofEntry], [DatSet], [BufOvfl], [EntryID], [ConfRev], [SubSqNum,
 *         MoreSegmentsFollow], inclusion bit string, [data references], values, [reasons] }
 *   The bits of OptFlds say which of the optional ones are there; of the last three there is one for each member of the
 *   data set whose inclusion bit is set. */
#include "dissectors/mms.h"

enum { /* OptFlds, 8-1 table 52: number of the bit */
    OPT_SEQ = 1, OPT_TIME = 2, OPT_REASON = 3, OPT_DATA_SET = 4, OPT_REFERENCE = 5, OPT_OVERFLOW = 6, OPT_ENTRY = 7,
    OPT_CONF_REV = 8, OPT_SEGMENT = 9
};
enum { MAX_MEMBERS = 4096 };

struct report {
    struct cur at;       /* the next result */
    struct ber_bits opt, inclusion;
    uint32_t n_included;
    bool broken;
};

/* The next result, which must be of this type. */
static bool take(struct report *r, uint32_t type, struct ber *t)
{
    if (!r->broken && ber_next(&r->at, t) && t->id == BER_CTX(type))
        return true;
    r->broken = true;
    *t = (struct ber){0};
    return false;
}

static void number(struct report *r, struct event *e, unsigned opt, uint8_t id)
{
    struct ber t;
    uint64_t n;
    if (!ber_bit(&r->opt, opt) || r->broken || !ber_next(&r->at, &t))
        return;
    bool fits = t.id == BER_CTX(MMS_UNSIGNED) || t.id == BER_CTX(MMS_INTEGER);
    if (fits && ber_u64(t.body, &n))
        ev_u64(e, id, n);
    else
        r->broken = true;
}

static void header(struct mms *m, struct report *r, struct event *e)
{
    struct ber t;
    bool b;
    uint64_t ns;
    number(r, e, OPT_SEQ, F_SEQ);
    if (ber_bit(&r->opt, OPT_TIME) && take(r, MMS_BINARY_TIME, &t) && ber_binary_time(t.body, &ns))
        ev_u64(e, F_ENTRY_TIME, ns);
    if (ber_bit(&r->opt, OPT_DATA_SET) && take(r, MMS_VISIBLE, &t))
        mms_text_field(e, F_DATA_SET, t.body);
    if (ber_bit(&r->opt, OPT_OVERFLOW) && take(r, MMS_BOOLEAN, &t) && ber_bool(t.body, &b)) {
        ev_u64(e, F_OVERFLOW, b);
        if (b)
            mms_anomaly(m, A_OVERFLOW);
    }
    if (ber_bit(&r->opt, OPT_ENTRY) && take(r, MMS_OCTETS, &t))
        ev_span(e, F_ENTRY_ID, cur_rest(&t.body));
    number(r, e, OPT_CONF_REV, F_CONF_REV);
    number(r, e, OPT_SEGMENT, F_SUB_SEQ);
    if (ber_bit(&r->opt, OPT_SEGMENT) && take(r, MMS_BOOLEAN, &t) && ber_bool(t.body, &b))
        ev_u64(e, F_MORE_SEGMENTS, b);
    if (take(r, MMS_BITS, &t) && !ber_bits(t.body, &r->inclusion))
        r->broken = true;
    for (uint32_t i = 0; i < r->inclusion.n && i < MAX_MEMBERS; i++)
        r->n_included += ber_bit(&r->inclusion, i);
    ev_u64(e, F_INCLUDED, r->n_included);
}

static void skip_results(struct cur *c, uint32_t n)
{
    struct ber t;
    while (n-- && ber_next(c, &t))
        ;
}

/* The members that are included: names, where the report has them, else their numbers; values behind all names. */
static void members(struct mms *m, struct report *r, struct event *e)
{
    bool named = ber_bit(&r->opt, OPT_REFERENCE);
    struct cur names = r->at;
    struct ber name = {0}, t;
    struct span raw;
    if (named)
        skip_results(&r->at, r->n_included);
    for (uint32_t i = 0; i < r->inclusion.n && i < MAX_MEMBERS; i++) {
        if (!ber_bit(&r->inclusion, i))
            continue;
        r->broken |= named && !ber_next(&names, &name);
        if (r->broken || !mms_next_data(&r->at, &raw, &t)) {
            r->broken = true;
            return;
        }
        struct item *it = named ? ev_named(e, K_VARIABLE, cur_rest(&name.body)) : ev_range(e, K_MEMBER, 0, i, i);
        mms_set_value(m, it, raw);
    }
}

static void reasons(struct report *r, struct event *e)
{
    struct ber t;
    struct ber_bits b;
    uint32_t seen = 0;
    for (uint32_t i = 0; ber_bit(&r->opt, OPT_REASON) && i < r->n_included && take(r, MMS_BITS, &t); i++)
        if (ber_bits(t.body, &b))
            seen |= ber_bits_u32(&b);
    for (unsigned bit = 0; bit < 8; bit++)
        if (seen >> bit & 1)
            ev_u64(e, F_REASONS, bit);
}

static void iec61850_report(struct mms *m, struct cur results)
{
    struct event *e = ev_begin(m->x, &mms_schema, MMS_FN(MMS_UNCONFIRMED, SV_INFORMATION_REPORT), SEL_REPORT);
    struct report r = {.at = results};
    struct ber id, opt;
    e->kind = EV_UNSOLICITED;
    if (take(&r, MMS_VISIBLE, &id) && take(&r, MMS_BITS, &opt) && ber_bits(opt.body, &r.opt)) {
        struct span name = cur_rest(&id.body);
        ev_span(e, F_REPORT_ID, name);
        ev_named(e, K_REPORT, name);
        header(m, &r, e);
        members(m, &r, e);
        reasons(&r, e);
    } else {
        r.broken = true;
    }
    if ((r.broken || cur_left(&r.at) || !cur_ok(&r.at)) && !m->x->cut)
        mms_anomaly(m, A_REPORT);
    mms_commit(m, e);
}

/* Of TASE.2 and of whoever else reports variables. */
static void any_report(struct mms *m, struct cur spec, struct cur results)
{
    struct event *e = ev_begin(m->x, &mms_schema, MMS_FN(MMS_UNCONFIRMED, SV_INFORMATION_REPORT), OP_ANY_SELECTOR);
    struct ber t;
    struct span raw;
    struct cur all = results;
    uint32_t n = 0;
    e->kind = EV_UNSOLICITED;
    bool list = mms_access(m, e, &spec);
    while (mms_next_data(&results, &raw, &t)) {
        if (!list && n < e->n_items)
            mms_set_value(m, &e->items[n], raw);
        n++;
    }
    if (list && e->n_items && n)
        mms_set_value(m, &e->items[0], cur_rest(&all));
    if (!cur_ok(&results) && !m->x->cut)
        mms_anomaly(m, A_ENCODING);
    else if (!list && n != e->items_total)
        mms_anomaly(m, A_RESULT_COUNT);
    ev_u64(e, F_RESULTS, n);
    mms_commit(m, e);
}

/* variableAccessSpecification, list of access results [0]. */
void mms_information_report(struct mms *m, struct cur c)
{
    struct cur spec = c;
    struct ber t, list, name;
    if (!ber_next(&c, &t) || !ber_find(c, BER_CTX(0), &list)) {
        struct event *e = ev_begin(m->x, &mms_schema, MMS_FN(MMS_UNCONFIRMED, SV_INFORMATION_REPORT), OP_ANY_SELECTOR);
        e->kind = EV_UNSOLICITED;
        if (!m->x->cut)
            mms_anomaly(m, A_ENCODING);
        mms_commit(m, e);
        return;
    }
    struct cur inner = t.body;
    bool vmd = t.id == BER_CTX(1) && ber_next(&inner, &name) && name.id == BER_CTX(0);
    if (vmd && span_is(cur_rest(&name.body), "RPT"))
        iec61850_report(m, list.body);
    else if (t.id != BER_CTX(0) || !mms_control_report(m, spec, list.body))
        any_report(m, spec, list.body);
}
