/* mms_var.c: read and write of variables, lists of variables, and types (ISO 9506-2 clause 14). */
#include "dissectors/mms.h"

enum { MAX_VARIABLES = 4096 /* of one message, beyond EV_MAX_ITEMS only counted */, MAX_COMPONENTS = 24 };

/* Each functional constraint is told once. */
static void constraint_field(struct event *e, struct span fc)
{
    if (!fc.n)
        return;
    for (unsigned i = 0; i < e->n_fields; i++)
        if (e->fields[i].id == F_FC && e->fields[i].v.s.n == fc.n && memcmp(e->fields[i].v.s.p, fc.p, fc.n) == 0)
            return;
    ev_span(e, F_FC, fc);
}

/* The act of each variable, and of the message: that of the gravest one. */
static void select_acts(struct event *e, bool write)
{
    uint32_t all = OP_ANY_SELECTOR;
    for (unsigned i = 0; i < e->n_items; i++) {
        struct mms_path p = mms_path(e->items[i].name);
        uint32_t sel = mms_selector(&p, write);
        const struct op_row *row = schema_op(&mms_schema, MMS_FN(MMS_REQUEST, write ? SV_WRITE : SV_READ), sel);
        if (row)
            e->items[i].action = row->action;
        all = sel < all ? sel : all;
        constraint_field(e, p.fc);
    }
    ev_select(e, all);
}

bool mms_access(struct mms *m, struct event *e, struct cur *c)
{
    struct ber t, v;
    struct span name;
    if (!ber_next(c, &t))
        return false;
    if (t.id == BER_CTX(1)) {
        if (mms_object_name(m, e, &t.body, &name))
            ev_named(e, K_LIST, name);
        return true;
    }
    for (unsigned i = 0; t.id == BER_CTX(0) && i < MAX_VARIABLES && ber_next(&t.body, &v); i++)
        if (!mms_variable(m, e, &v.body) && !m->x->cut)
            mms_anomaly(m, A_ENCODING);
    if (!cur_ok(&t.body) && !m->x->cut)
        mms_anomaly(m, A_ENCODING);
    return false;
}

/* The index-th variable of the message; fresh ones where nobody asked. */
static struct item *item_at(struct event *e, unsigned index)
{
    return index < e->n_items ? &e->items[index] : NULL;
}

/* ---- read ---- */

void mms_read_request(struct mms *m, struct event *e, struct cur c)
{
    struct ber t;
    while (ber_next(&c, &t))
        if (t.id == BER_CTX(1))
            mms_access(m, e, &t.body);
    if ((!cur_ok(&c) || !e->items_total) && !m->x->cut)
        mms_anomaly(m, A_ENCODING);
    select_acts(e, false);
}

static bool failure(const struct ber *t, uint32_t *status)
{
    uint32_t code = 0;
    if (t->id != BER_CTX(DATA_FAILURE) || t->constructed)
        return false;
    ber_u32(t->body, &code);
    *status = ST_DATA | (code & 0xff);
    return true;
}

/* The status of the whole from those of its parts. */
static void sum_status(struct event *e, uint32_t n, uint32_t n_bad, uint32_t first_bad)
{
    ev_status(e, n_bad ? first_bad : 0, n_bad > 0);
    if (n_bad && n_bad < n)
        e->outcome = OUT_PARTIAL;
}

/* A list by name: its values are those of all members, which only the device can tell apart. */
static bool by_list(const struct event *e)
{
    return e->n_items == 1 && e->items[0].kind == K_LIST;
}

static void read_results(struct mms *m, struct event *e, struct cur c)
{
    struct ber t;
    struct span raw, all = {0};
    uint32_t n = 0, n_bad = 0, status, first_bad = 0;
    bool alone = e->kind == EV_RESPONSE && !e->n_items, list = by_list(e);
    struct cur whole = c;
    while (mms_next_data(&c, &raw, &t)) {
        if (alone)
            ev_item(e, K_VARIABLE);
        struct item *it = list ? NULL : item_at(e, n);
        bool bad = failure(&t, &status);
        if (bad && !n_bad++)
            first_bad = status;
        if (it)
            it->status = bad ? status : 0;
        if (it && !bad)
            mms_set_value(m, it, raw);
        n++;
    }
    if (list && n) {
        all = cur_rest(&whole);
        mms_set_value(m, &e->items[0], all);
    }
    if (!cur_ok(&c) && !m->x->cut)
        mms_anomaly(m, A_ENCODING);
    else if (e->kind == EV_TRANSACTION && !list && n != e->items_total)
        mms_anomaly(m, A_RESULT_COUNT);
    ev_u64(e, F_RESULTS, n);
    sum_status(e, n, n_bad, first_bad);
}

void mms_read_response(struct mms *m, struct event *e, struct cur c)
{
    struct ber t;
    bool any = false;
    while (ber_next(&c, &t)) {
        if (t.id == BER_CTX(0) && e->kind == EV_RESPONSE) {
            struct cur spec = t.body;
            mms_access(m, e, &spec);
        }
        if (t.id == BER_CTX(1)) {
            any = true;
            read_results(m, e, t.body);
        }
    }
    if ((!any || !cur_ok(&c)) && !m->x->cut)
        mms_anomaly(m, A_ENCODING);
}

/* ---- write ---- */

static void write_data(struct mms *m, struct event *e, struct cur c)
{
    struct ber t;
    struct span raw;
    struct cur whole = c;
    uint32_t n = 0;
    bool list = by_list(e);
    while (mms_next_data(&c, &raw, &t)) {
        struct item *it = list ? NULL : item_at(e, n++);
        if (!it)
            continue;
        struct mms_path p = mms_path(it->name);
        if (mms_is_control(mms_selector(&p, true)) && t.id == BER_CTX(MMS_STRUCTURE))
            mms_control_value(m, e, it, raw);
        else
            mms_set_value(m, it, raw);
    }
    if (list && cur_left(&whole))
        mms_set_value(m, &e->items[0], cur_rest(&whole));
    if (m->x->cut)
        return;
    if (!cur_ok(&c))
        mms_anomaly(m, A_ENCODING);
    else if (!list && n != e->items_total && e->items_total <= EV_MAX_ITEMS)
        mms_anomaly(m, A_DATA_COUNT);
}

void mms_write_request(struct mms *m, struct event *e, struct cur c)
{
    struct ber t;
    bool any = false;
    mms_access(m, e, &c);
    select_acts(e, true);
    while (ber_next(&c, &t))
        if (t.id == BER_CTX(0)) {
            any = true;
            write_data(m, e, t.body);
        }
    if ((!any || !cur_ok(&c) || !e->items_total) && !m->x->cut)
        mms_anomaly(m, A_ENCODING);
}

void mms_write_response(struct mms *m, struct event *e, struct cur c)
{
    struct ber t;
    uint32_t n = 0, n_bad = 0, status, first_bad = 0;
    while (n < MAX_VARIABLES && ber_next(&c, &t)) {
        bool bad = failure(&t, &status);
        if (bad && !n_bad++)
            first_bad = status;
        struct item *it = by_list(e) ? NULL : item_at(e, n);
        if (it)
            it->status = bad ? status : 0;
        n++;
    }
    if (!cur_ok(&c) && !m->x->cut)
        mms_anomaly(m, A_ENCODING);
    else if (e->kind == EV_TRANSACTION && !by_list(e) && n != e->items_total)
        mms_anomaly(m, A_RESULT_COUNT);
    ev_u64(e, F_RESULTS, n);
    sum_status(e, n, n_bad, first_bad);
}

/* ---- lists and types ---- */

void mms_list_define(struct mms *m, struct event *e, struct cur c)
{
    struct ber name, list, v;
    if (!ber_next(&c, &name) || !ber_find(c, BER_CTX(0), &list))
        return;
    for (unsigned i = 0; i < MAX_VARIABLES && ber_next(&list.body, &v); i++)
        mms_variable(m, e, &v.body);
}

static void deletable(struct event *e, struct cur v)
{
    bool b;
    if (ber_bool(v, &b))
        ev_u64(e, F_DELETABLE, b);
}

void mms_list_attributes(struct mms *m, struct event *e, struct cur c)
{
    struct ber t, v;
    while (ber_next(&c, &t)) {
        if (t.id == BER_CTX(0))
            deletable(e, t.body);
        for (unsigned i = 0; t.id == BER_CTX(1) && i < MAX_VARIABLES && ber_next(&t.body, &v); i++)
            mms_variable(m, e, &v.body);
    }
    for (unsigned i = 0; i < e->n_items; i++)
        e->items[i].action = e->action;
}

/* TypeDescription (14.4.4): a structure's components [1] { { name [0], type [1] } ... }. */
static void components(struct event *e, struct cur c)
{
    struct ber t, v, name;
    uint32_t n = 0;
    if (!ber_find(c, BER_CTX(1), &t))
        return;
    while (ber_next(&t.body, &v))
        if (n++ < MAX_COMPONENTS && ber_find(v.body, BER_CTX(0), &name))
            mms_text_field(e, F_COMPONENTS, name.body);
    ev_u64(e, F_COMPONENT_COUNT, n);
}

void mms_type_attributes(struct mms *m, struct event *e, struct cur c)
{
    struct ber t, v;
    (void)m;
    while (ber_next(&c, &t)) {
        if (t.id == BER_CTX(0))
            deletable(e, t.body);
        if (t.id != BER_CTX(2) || !ber_next(&t.body, &v))
            continue;
        const char *name = mms_type_name(ber_number(&v));
        if (name)
            ev_span(e, F_TYPE, (struct span){(const uint8_t *)name, (uint32_t)strlen(name)});
        if (v.id == BER_CTX(MMS_STRUCTURE))
            components(e, v.body);
    }
}

/* ---- name plates (IEC 61850-7-3 7.8) ---- */

static const struct plate {
    const char *data, *attribute; /* the order is that of the standard's tables */
    uint8_t kind;
} plates[] = {
    {"PhyNam", "vendor", OBS_VENDOR}, {"PhyNam", "hwRev", OBS_HARDWARE}, {"PhyNam", "swRev", OBS_FIRMWARE},
    {"PhyNam", "serNum", OBS_SERIAL}, {"PhyNam", "model", OBS_MODEL}, {"PhyNam", "location", OBS_LOCATION},
    {"PhyNam", "name", OBS_NAME}, {"NamPlt", "vendor", OBS_VENDOR}, {"NamPlt", "swRev", OBS_FIRMWARE},
    {"NamPlt", "configRev", OBS_PROGRAM},
};

static void tell(struct mms *m, const struct plate *p, struct span text, uint8_t confidence)
{
    obs_text(m->x, &mms_schema, OBS_SERVER, OBS_SELF, p->kind, text, confidence);
}

/* A whole plate: all but the vendor is optional, so only a complete one, or the vendor, can be told apart. */
static void whole_plate(struct mms *m, const struct item *it, const char *data)
{
    const struct plate *first = plates;
    while (strcmp(first->data, data) != 0)
        first++;
    bool physical = first == plates;
    uint32_t known = physical ? (it->v.n == 6 ? 6 : 1) : it->v.n >= 3 ? 2 : 1;
    struct val v;
    for (uint32_t k = 0; k < known && vals_get(&it->v, k, &v); k++)
        if (v.type == VAL_TEXT)
            tell(m, &first[k], v.s, 80);
}

void mms_learn(struct mms *m, const struct event *e)
{
    if ((e->function & 0xffff) != SV_READ)
        return;
    for (unsigned i = 0; i < e->n_items; i++) {
        const struct item *it = &e->items[i];
        struct mms_path p = mms_path(it->name);
        struct val v;
        if (span_is(p.fc, "CF") && span_is(p.last, "ctlModel") && !it->status && vals_get(&it->v, 0, &v))
            mms_control_model(m, it->name, v.type == VAL_INT ? (uint64_t)v.i : v.u);
        if (!span_is(p.fc, "DC") || it->status)
            continue;
        bool physical = span_is(p.data, "PhyNam"), plate = span_is(p.data, "NamPlt") && span_is(p.ln, "LLN0");
        bool any = span_is(p.data, "NamPlt") && span_is(p.last, "vendor"); /* a function's is the device's, mostly */
        for (unsigned k = 0; (physical || plate || any) && k < ARRAY_LEN(plates); k++)
            if (span_is(p.data, plates[k].data) && span_is(p.last, plates[k].attribute) && vals_get(&it->v, 0, &v) &&
                v.type == VAL_TEXT)
                tell(m, &plates[k], v.s, physical ? 95 : plate ? 90 : 70);
        if (p.last.p == p.data.p && (physical || plate))
            whole_plate(m, it, plate ? "NamPlt" : "PhyNam");
    }
}
