/* mms_control.c: control of IEC 61850 (7-2 clause 20, 8-1 clause 20): one transaction from select to termination.
 *
 *   select      read of SBO: the answer is its own name, or empty   |   write of SBOw
 *   execute     write of Oper { ctlVal, [operTm], origin { orCat, orIdent }, ctlNum, T, Test, Check }
 *   terminate   (enhanced security) information report of Oper; where it failed, with LastApplError { CntrlObj, Error,
 *               Origin, ctlNum, AddCause } in front, which also comes alone before a refusal
 *
 * A selected object waits for its execution, an executed one for its termination, each under the name of the object. An
 * operate behind a plain select is of normal security, where nothing terminates; so are objects whose ctlModel was read
 * to be. Of others only time tells. */
#include "dissectors/mms.h"

#include <stdio.h>

static const uint64_t select_ns = UINT64_C(30000000000);      /* sboTimeout, as devices come */
static const uint64_t termination_ns = UINT64_C(10000000000); /* a breaker is faster; a tap changer may be told twice */

bool mms_is_control(uint32_t selector)
{
    return selector == SEL_OPERATE || selector == SEL_OPERATE_MODE || selector == SEL_SELECT ||
           selector == SEL_SELECT_VALUE || selector == SEL_CANCEL;
}

/* The controlled object: the name without Oper, SBOw, ctlModel, ... behind it and without its functional constraint. */
static uint32_t object_of(struct span name)
{
    uint32_t n = name.n, h = 2166136261u;
    unsigned level = 0;
    while (n && name.p[n - 1] != '$')
        n--;
    for (uint32_t i = 0; i < n; i++) {
        level += name.p[i] == '$';
        if (level != 1)
            h = (h ^ name.p[i]) * 16777619u;
    }
    return h ? h : 1;
}

static bool is_normal(const struct mms_flow *st, uint32_t object)
{
    bool found = false;
    for (unsigned i = 0; i < MMS_NORMAL; i++)
        found |= st->normal[i] == object;
    return found;
}

void mms_control_model(struct mms *m, struct span name, uint64_t model)
{
    struct mms_flow *st = m->st;
    uint32_t object = object_of(name);
    bool normal = model == 1 || model == 2; /* 7-3 CtlModelKind: direct and SBO with normal security */
    for (unsigned i = 0; i < MMS_NORMAL && !normal; i++)
        if (st->normal[i] == object)
            st->normal[i] = 0;
    if (!normal || is_normal(st, object))
        return;
    st->normal[st->normal_next] = object;
    st->normal_next = (uint8_t)((st->normal_next + 1) % MMS_NORMAL);
}

/* ---- parameters ---- */

static void origin(struct event *e, struct cur c)
{
    struct ber t;
    uint32_t category;
    struct span text;
    if (ber_next(&c, &t) && ber_u32(t.body, &category))
        ev_u64(e, F_ORIGIN_CATEGORY, category);
    if (!ber_next(&c, &t))
        return;
    if (ber_visible(t.body, &text) && text.n) {
        ev_span(e, F_ORIGIN, text);
        return;
    }
    char hex[129];
    unsigned n = 0;
    for (uint32_t i = 0; i < text.n && n + 3 <= sizeof hex; i++)
        n += (unsigned)snprintf(hex + n, sizeof hex - n, "%02x", text.p[i]);
    ev_span(e, F_ORIGIN, ev_text_copy(e, hex, n));
}

static void time_field(struct event *e, uint8_t id, const struct ber *t)
{
    struct ber_time utc;
    uint64_t ns;
    if (t->id == BER_CTX(MMS_UTC_TIME) && ber_utc_time(t->body, &utc))
        ev_u64(e, id, utc.ns);
    else if (t->id == BER_CTX(MMS_BINARY_TIME) && ber_binary_time(t->body, &ns))
        ev_u64(e, id, ns);
}

void mms_control_value(struct mms *m, struct event *e, struct item *it, struct span data)
{
    struct cur c = cur_span(data);
    struct ber all, t;
    struct span raw;
    bool has_origin = false, test;
    uint32_t n;
    if (!ber_next(&c, &all) || !mms_next_data(&all.body, &raw, &t)) {
        mms_set_value(m, it, data);
        return;
    }
    mms_set_value(m, it, raw);
    while (ber_next(&all.body, &t)) {
        struct ber_bits b;
        uint32_t type = t.id >> 30 == BER_CONTEXT ? ber_number(&t) : 0;
        if (type == MMS_STRUCTURE && !has_origin) {
            has_origin = true;
            origin(e, t.body);
        } else if (type == MMS_UTC_TIME || type == MMS_BINARY_TIME) {
            time_field(e, has_origin ? F_CTL_TIME : F_OPER_TIME, &t);
        } else if ((type == MMS_UNSIGNED || type == MMS_INTEGER) && ber_u32(t.body, &n)) {
            ev_u64(e, F_CTL_NUM, n);
        } else if (type == MMS_BOOLEAN && ber_bool(t.body, &test)) {
            ev_u64(e, F_TEST, test);
        } else if (type == MMS_BITS && ber_bits(t.body, &b)) {
            ev_u64(e, F_CHECK, (uint64_t)ber_bit(&b, 0) << 1 | ber_bit(&b, 1));
        }
    }
}

/* ---- requests and answers ---- */

static uint64_t ctl_num(const struct event *e)
{
    uint64_t n = UINT64_MAX;
    for (unsigned i = 0; i < e->n_fields; i++)
        if (e->fields[i].id == F_CTL_NUM)
            n = e->fields[i].v.u;
    return n;
}

static void remember(struct mms *m, uint32_t object)
{
    m->st->control[m->st->control_next] = (struct mms_control){.object = object, .invoke = m->invoke};
    m->st->control_next = (uint8_t)((m->st->control_next + 1) % MMS_CONTROLS);
}

/* The select that waits becomes this message's transaction, and its values are compared. */
static struct event *go_on(struct mms *m, uint64_t key, uint32_t service, struct cur body)
{
    struct event *e = ev_answer(m->x, &mms_schema, key, MMS_FN(MMS_REQUEST, service), OP_ANY_SELECTOR);
    bool with_value = e->selector == SEL_SELECT_VALUE && e->n_items;
    struct span before = with_value ? e->items[0].v.raw : (struct span){0};
    uint64_t number = ctl_num(e);
    e->function = MMS_FN(MMS_REQUEST, service);
    e->n_items = 0;
    e->items_total = 0;
    ev_u64(e, F_INVOKE_ID, m->invoke);
    mms_service_request(m, e, service, body);
    bool executes = e->selector == SEL_OPERATE || e->selector == SEL_OPERATE_MODE;
    struct span now = e->n_items ? e->items[0].v.raw : (struct span){0};
    bool other = before.n != now.n || (now.n && memcmp(before.p, now.p, now.n) != 0);
    if (with_value && executes && (other || number != ctl_num(e)))
        mms_anomaly(m, A_EXECUTE_DIFFERS);
    e->phase = executes ? PHASE_EXECUTE : PHASE_SELECT;
    e->has_status = 0;
    e->error = 0;
    e->outcome = OUT_UNKNOWN;
    return e;
}

struct event *mms_control_request(struct mms *m, struct event *e, uint32_t service, struct cur body)
{
    bool executes = e->selector == SEL_OPERATE || e->selector == SEL_OPERATE_MODE;
    e->phase = executes ? PHASE_EXECUTE : PHASE_SELECT;
    if (e->items_total != 1)
        return e;
    uint32_t object = object_of(e->items[0].name);
    uint64_t key = mms_key(KEY_EXECUTE, m->x->dir != DIR_S2C, object);
    remember(m, object);
    if ((executes || e->selector == SEL_CANCEL) && ev_is_waited(m->x, key))
        e = go_on(m, key, service, body);
    return e;
}

/* SBO answers with what is selected, or with nothing. */
static bool selected(struct event *e)
{
    struct val v;
    if (!e->n_items || !vals_get(&e->items[0].v, 0, &v) || v.type != VAL_TEXT)
        return true;
    ev_span(e, F_SELECTED, v.s);
    if (v.s.n)
        return true;
    ev_status(e, ST_NOT_SELECTED, true);
    return false;
}

bool mms_control_response(struct mms *m, struct event *e)
{
    bool select = e->selector == SEL_SELECT || e->selector == SEL_SELECT_VALUE;
    bool good = !e->error && (e->selector != SEL_SELECT || selected(e)), client = m->x->dir == DIR_S2C;
    for (unsigned i = 0; i < MMS_CONTROLS; i++)
        if (m->st->control[i].invoke == m->invoke)
            m->st->control[i] = (struct mms_control){0};
    if (!good || e->kind != EV_TRANSACTION || e->items_total != 1 || e->selector == SEL_CANCEL)
        return false;
    uint32_t object = object_of(e->items[0].name);
    e->anomalies |= m->anomalies;
    m->anomalies = 0;
    if (select) {
        e->outcome = OUT_ACCEPTED;
        ev_wait_for(m->x, e, mms_key(KEY_EXECUTE, client, object), select_ns);
        return true;
    }
    bool sbo = e->msgs[0].function == MMS_FN(MMS_REQUEST, SV_READ); /* of normal security, too */
    if (sbo || is_normal(m->st, object))
        return false;
    e->outcome = OUT_ACCEPTED;
    ev_wait_for(m->x, e, mms_key(KEY_TERMINATION, client, object), termination_ns);
    return true;
}

/* ---- LastApplError and command termination ---- */

struct appl_error {
    bool any;
    struct span object;
    uint32_t error, cause;
};

/* CntrlObj, Error, Origin, ctlNum, AddCause (8-1 20.9). */
static struct appl_error read_error(struct span data)
{
    struct appl_error a = {0};
    struct cur c = cur_span(data);
    struct ber all, t;
    if (!ber_next(&c, &all) || all.id != BER_CTX(MMS_STRUCTURE))
        return a;
    a.any = true;
    for (unsigned i = 0; i < 5 && ber_next(&all.body, &t); i++) {
        if (i == 0)
            ber_visible(t.body, &a.object);
        else if (i == 1)
            ber_u32(t.body, &a.error);
        else if (i == 4)
            ber_u32(t.body, &a.cause);
    }
    return a;
}

static void error_fields(struct event *e, const struct appl_error *a)
{
    ev_u64(e, F_CONTROL_ERROR, a->error);
    ev_u64(e, F_ADD_CAUSE, a->cause);
    ev_status(e, ST_CAUSE | (a->cause & 0xff), true);
}

/* Comes before the refusal of the request that it explains. */
static bool explains(struct mms *m, const struct appl_error *a, bool client)
{
    uint32_t object = object_of(a->object);
    for (unsigned i = 0; i < MMS_CONTROLS; i++) {
        const struct mms_control *k = &m->st->control[i];
        uint64_t key = mms_key(KEY_CONFIRMED, client, k->invoke);
        if (k->object != object || !ev_is_waited(m->x, key))
            continue;
        struct event *e = ev_answer(m->x, &mms_schema, key, MMS_FN(MMS_UNCONFIRMED, 0), OP_ANY_SELECTOR);
        ev_u64(e, F_CONTROL_ERROR, a->error);
        ev_u64(e, F_ADD_CAUSE, a->cause);
        mms_wait(m, e, key);
        return true;
    }
    return false;
}

static void terminated(struct mms *m, struct event *e, const struct appl_error *a)
{
    e->phase = PHASE_TERMINATE;
    if (a->any) {
        error_fields(e, a);
        e->outcome = OUT_REFUSED;
    } else {
        e->outcome = OUT_EXECUTED;
    }
    mms_commit(m, e);
}

/* Variables and values of the report side by side: what is it about? */
static bool read_report(struct mms *m, struct cur c, struct cur results, struct appl_error *a, struct span *control)
{
    struct event *e = ev_begin(m->x, &mms_schema, MMS_FN(MMS_UNCONFIRMED, 0), OP_ANY_SELECTOR);
    struct ber t;
    struct span raw;
    *control = (struct span){0};
    *a = (struct appl_error){0};
    mms_access(m, e, &c);
    for (unsigned i = 0; i < e->n_items && i < 3; i++) {
        struct mms_path p = mms_path(e->items[i].name);
        bool any = mms_next_data(&results, &raw, &t);
        if (span_is(e->items[i].name, "LastApplError") && any)
            *a = read_error(raw);
        else if (mms_is_control(mms_selector(&p, true)))
            *control = e->items[i].name;
    }
    return a->any || control->n;
}

bool mms_control_report(struct mms *m, struct cur spec, struct cur results)
{
    struct appl_error a;
    struct span control;
    bool client = m->x->dir == DIR_S2C;
    if (!read_report(m, spec, results, &a, &control))
        return false;
    uint64_t key = mms_key(KEY_TERMINATION, client, object_of(control));
    if (control.n && ev_is_waited(m->x, key)) {
        terminated(m, ev_answer(m->x, &mms_schema, key, MMS_FN(MMS_UNCONFIRMED, 0), OP_ANY_SELECTOR), &a);
        return true;
    }
    if (!control.n && explains(m, &a, client))
        return true;
    uint32_t sel = control.n ? SEL_TERMINATION : SEL_APPL_ERROR;
    struct event *e = ev_begin(m->x, &mms_schema, MMS_FN(MMS_UNCONFIRMED, 0), sel);
    struct ber t;
    struct span raw;
    e->kind = EV_UNSOLICITED;
    mms_access(m, e, &spec);
    for (unsigned i = 0; i < e->n_items && mms_next_data(&results, &raw, &t); i++) {
        struct mms_path p = mms_path(e->items[i].name);
        if (mms_is_control(mms_selector(&p, true)) && t.id == BER_CTX(MMS_STRUCTURE))
            mms_control_value(m, e, &e->items[i], raw);
        else
            mms_set_value(m, &e->items[i], raw);
    }
    if (control.n)
        e->phase = PHASE_TERMINATE;
    if (a.any)
        error_fields(e, &a);
    mms_commit(m, e);
    return true;
}
