/* iec104_objects.c: the objects of an ASDU: addresses, sequences, elements (IEC 60870-5-101 7.2.2, 7.2.5). */
#include "dissectors/iec104_priv.h"

static inline void read_element(struct iec_asdu *a, struct item *it, struct cur *c)
{
    const struct iec_type *t = a->t;
    struct cur el = cur_sub(c, t->flags & T_VARIABLE ? cur_left(c) : t->len);
    t->read(a, it, &el);
    if (t->form & (T_TIME24 | T_TIME56)) {
        if (t->form & T_TIME24)
            el_time24(a, &el);
        if (t->form & T_TIME56)
            el_time56(a, &el);
    }
}

/* A sequence whose elements need no look each: one object with all values. Its quality is either the same for all or
 * stands in an octet of its own. */
static bool lazy_sequence(struct iec_asdu *a, struct cur c)
{
    const struct iec_type *t = a->t;
    uint32_t n = a->n * (uint32_t)t->len;
    if (t->lazy == VE_NONE || a->n < 2 || cur_left(&c) < n)
        return false;
    struct span raw = cur_bytes(&c, n);
    uint8_t q = raw.p[t->qual_at] & t->qual_mask;
    bool uniform = true;
    for (unsigned i = 1; i < a->n && uniform; i++)
        uniform = (raw.p[i * t->len + (unsigned)t->qual_at] & t->qual_mask) == q;
    if (!uniform && t->mask) /* value and quality share the octet: it cannot be shown as it is */
        return false;
    struct item *it = ev_range(a->e, IK_IOA, 0, a->ioa, a->ioa + a->n - 1u);
    it->v = (struct vals){.raw = raw,
                          .n = a->n,
                          .stride = t->len,
                          .enc = t->lazy,
                          .mask = t->mask,
                          .qual_off = uniform ? -1 : t->qual_at};
    it->quality = ITEM_QUALITY | (uniform ? q : 0u);
    return true;
}

/* Of a type that has no object address of its own. */
static void one_without_ioa(struct iec_asdu *a, uint32_t ioa, struct cur *c)
{
    struct item it = {.bit = ITEM_BIT_NONE, .v.qual_off = -1};
    if (ioa != 0 && a->first)
        iec_anomaly(a, IA_IOA_NOT_ZERO);
    read_element(a, &it, c);
    if (it.has_range || it.v.n) { /* an interrogation or a clock became the object */
        struct item *o = ev_item(a->e, it.kind);
        uint8_t action = o->action;
        *o = it;
        o->action = action;
        o->status = ITEM_STATUS_NONE;
    }
}

void iec_read_objects(struct iec_asdu *a)
{
    struct cur c = a->objects;
    uint32_t ioa = a->ioa;
    if (!a->t) {
        el_opaque(a, NULL, &c);
        return;
    }
    if (a->t->flags & T_SECURE) {
        a->t->read(a, NULL, &c);
        return;
    }
    a->first = 1;
    for (unsigned i = 0; i < a->n; i++) {
        if (i == 0 || !a->sq)
            ioa = iec_read_ioa(&c, a->z.ioa);
        else
            ioa++;
        if (!cur_ok(&c) || (a->t->len && !cur_left(&c)))
            return;
        if (i == 0 && a->sq && ioa + a->n - 1u > 0xffffffu >> (24 - 8 * a->z.ioa))
            iec_anomaly(a, IA_IOA_RANGE);
        if (i == 0 && a->sq && lazy_sequence(a, c))
            return;
        if (a->t->form & T_NO_IOA)
            one_without_ioa(a, ioa, &c);
        else
            read_element(a, ev_range(a->e, IK_IOA, 0, ioa, ioa), &c);
        a->first = 0;
    }
}

/* The first element of this ASDU, without adding anything to the event. */
bool iec_peek_value(struct iec_asdu *a, struct item *it)
{
    struct cur c = a->objects;
    *it = (struct item){.v.qual_off = -1};
    iec_read_ioa(&c, a->z.ioa);
    struct cur el = cur_sub(&c, a->t->len);
    uint64_t anomalies = a->e->anomalies;
    a->first = 0;
    a->t->read(a, it, &el);
    a->e->anomalies = anomalies;
    return cur_ok(&el);
}

void iec_compare_object(struct iec_asdu *a, unsigned anomaly)
{
    struct item it;
    if (!a->t || !(a->t->flags & (T_COMMAND | T_PARAM)) || a->t->read == el_qpa || !a->e->n_items ||
        !iec_peek_value(a, &it))
        return;
    const struct item *was = &a->e->items[0];
    if (was->v.enc == it.v.enc && was->v.now.u != it.v.now.u)
        iec_anomaly(a, anomaly);
}

/* The object of a read command gets the value that came back. */
void iec_answer_object(struct iec_asdu *a)
{
    struct cur c = a->objects;
    uint32_t ioa = iec_read_ioa(&c, a->z.ioa);
    if (!a->e->n_items || !a->t || a->e->items[0].first != ioa) {
        iec_read_objects(a);
        return;
    }
    a->first = 1;
    read_element(a, &a->e->items[0], &c);
}
