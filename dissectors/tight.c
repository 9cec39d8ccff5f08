/* tight.c: events in half of the bytes that ev_pack() takes, and fewer: items seldom have values or a status of their
 * own, most fields are small numbers, and each is here only as long as it is.
 *
 * A request that is kept has one message and no status: what it is, who is behind its ends where somebody is, then its
 * items and its fields. What all its repetitions have of their own (time, place, number) is not here. An event on its
 * way to the collector has all of its fixed part, and its messages, before these. */
#include "dissectors/runtime.h"

struct head {
    const struct op_row *op;
    uint32_t function, selector, unit, sub, items_total;
    uint8_t kind, phase, action, outcome, has_unit, from_client, n_items, n_fields, has_far;
};
enum {
    ITEM = offsetof(struct item, status), /* bytes of an item that are its own before an answer came */
    LENGTH = 2,                           /* of a name or another span, before its bytes. In that of a name: */
    SHAPED = 0x8000, VALUED = 0x4000,     /* how values lie follows; values do; */
    STATED = 0x2000,                      /* status and quality do */
    PARTS = SHAPED | VALUED | STATED,
    SHAPE = offsetof(struct vals, time_enc) + 1 - offsetof(struct vals, n),
    FIELD = 2,                            /* id, length of a number */
    SPAN = 255,                           /* in place of that length: a span follows */
    SLACK = sizeof(uint64_t),             /* a number is read as eight bytes */
    MOST = 2048,                          /* more than that is packed as everything else */
};
_Static_assert(MOST < STATED, "a length leaves the upper bits free");
enum { STATE = offsetof(struct item, quality) + sizeof(uint32_t) - offsetof(struct item, status) };

static uint32_t number_len(uint64_t v)
{
    return v ? 8 - (uint32_t)__builtin_clzll(v) / 8 : 0;
}

static uint32_t parts_of(const struct item *it)
{
    const struct vals *v = &it->v;
    bool shaped = v->n | v->stride | v->off | v->enc | v->mask | v->time_enc | (v->qual_off != -1);
    bool stated = it->status != ITEM_STATUS_NONE || it->quality;
    return (shaped ? SHAPED : 0) | (v->raw.n || v->now.u ? VALUED : 0) | (stated ? STATED : 0);
}

static uint32_t item_len(const struct item *it)
{
    uint32_t parts = parts_of(it);
    uint32_t values = parts & VALUED ? (uint32_t)sizeof it->v.now + LENGTH + it->v.raw.n : 0;
    return ITEM + LENGTH + it->name.n + (parts & SHAPED ? SHAPE : 0) + values + (parts & STATED ? STATE : 0);
}

/* Of items and fields; 0: one of them is too long. */
static uint32_t parts_len(const struct event *e)
{
    uint32_t n = SLACK;
    bool ok = true;
    for (unsigned i = 0; i < e->n_items; i++) {
        const struct item *it = &e->items[i];
        ok &= it->name.n <= MOST && it->v.raw.n <= MOST;
        n += item_len(it);
    }
    for (unsigned i = 0; i < e->n_fields; i++) {
        const struct field *f = &e->fields[i];
        ok &= !f->span || f->v.s.n <= MOST;
        n += FIELD + (f->span ? LENGTH + f->v.s.n : number_len(f->v.u));
    }
    return ok ? n : 0;
}

static bool fits(const struct event *e)
{
    return e->n_msgs == 1 && e->msgs[0].function == e->function &&
           !(e->anomalies | e->latency_ns | e->status | e->has_status | e->error | e->truncated) &&
           !e->error_name;
}

uint32_t ev_tight_len(const struct event *e)
{
    uint32_t parts = fits(e) ? parts_len(e) : 0;
    uint32_t n = (uint32_t)(sizeof(struct head) + (e->has_far ? sizeof e->far : 0)) + parts;
    return parts && n <= MOST ? n : 0;
}

static uint8_t *put(uint8_t *p, const void *from, size_t n)
{
    memcpy(p, from, n);
    return p + n;
}

static uint8_t *put_span(uint8_t *p, struct span s, uint32_t parts)
{
    uint16_t n = (uint16_t)(s.n | parts);
    p = put(p, &n, sizeof n);
    return s.n ? put(p, s.p, s.n) : p;
}

static uint8_t *put_item(uint8_t *p, const struct item *it)
{
    uint32_t parts = parts_of(it);
    p = put_span(put(p, it, ITEM), it->name, parts);
    if (parts & SHAPED)
        p = put(p, &it->v.n, SHAPE);
    if (parts & STATED)
        p = put(p, &it->status, STATE);
    return parts & VALUED ? put_span(put(p, &it->v.now, sizeof it->v.now), it->v.raw, 0) : p;
}

static uint8_t *put_field(uint8_t *p, const struct field *f)
{
    *p++ = f->id;
    *p++ = f->span ? SPAN : (uint8_t)number_len(f->v.u);
    return f->span ? put_span(p, f->v.s, 0) : put(p, &f->v.u, p[-1]);
}

static void put_parts(uint8_t *p, const struct event *e)
{
    for (unsigned i = 0; i < e->n_items; i++)
        p = put_item(p, &e->items[i]);
    for (unsigned i = 0; i < e->n_fields; i++)
        p = put_field(p, &e->fields[i]);
}

void ev_pack_tight(const struct event *e, void *to)
{
    struct head h = {.op = e->op, .function = e->function, .selector = e->selector, .unit = e->unit, .sub = e->sub,
                     .items_total = e->items_total, .kind = e->kind, .phase = e->phase, .action = e->action,
                     .outcome = e->outcome, .has_unit = e->has_unit, .from_client = e->from_client,
                     .n_items = e->n_items, .n_fields = e->n_fields, .has_far = e->has_far};
    uint8_t *p = put(to, &h, sizeof h);
    if (e->has_far)
        p = put(p, e->far, sizeof e->far);
    put_parts(p, e);
}

uint32_t ev_record_len(const struct event *e)
{
    uint32_t parts = parts_len(e);
    return parts ? (uint32_t)(offsetof(struct event, msgs) + e->n_msgs * sizeof(struct msg)) + parts : 0;
}

void ev_pack_record(const struct event *e, void *to)
{
    uint8_t *p = put(to, e, offsetof(struct event, msgs));
    ((struct event *)to)->text_used = 0; /* strings that were made lie in it */
    put_parts(put(p, e->msgs, e->n_msgs * sizeof(struct msg)), e);
}

static const uint8_t *get_span(const uint8_t *p, struct span *s)
{
    uint16_t n;
    memcpy(&n, p, sizeof n);
    p += sizeof n;
    s->n = n & ~PARTS;
    s->p = s->n ? p : NULL;
    return p + s->n;
}

static const uint8_t *get_item(const uint8_t *p, struct item *it)
{
    uint16_t parts;
    *it = (struct item){.status = ITEM_STATUS_NONE, .v.qual_off = -1};
    memcpy(it, p, ITEM);
    memcpy(&parts, p + ITEM, sizeof parts);
    p = get_span(p + ITEM, &it->name);
    if (parts & SHAPED) {
        memcpy(&it->v.n, p, SHAPE);
        p += SHAPE;
    }
    if (parts & STATED) {
        memcpy(&it->status, p, STATE);
        p += STATE;
    }
    if (parts & VALUED) {
        memcpy(&it->v.now, p, sizeof it->v.now);
        p = get_span(p + sizeof it->v.now, &it->v.raw);
    }
    return p;
}

static const uint8_t *get_field(const uint8_t *p, struct field *f)
{
    uint64_t v;
    f->id = p[0];
    f->span = p[1] == SPAN;
    if (f->span)
        return get_span(p + FIELD, &f->v.s);
    memcpy(&v, p + FIELD, sizeof v);
    f->v.u = p[1] ? v & UINT64_MAX >> (64 - 8 * p[1]) : 0;
    return p + FIELD + p[1];
}

static void get_parts(const uint8_t *p, struct event *e)
{
    for (unsigned i = 0, n = e->n_items; i < n; i++)
        p = get_item(p, &e->items[i]);
    for (unsigned i = 0, n = e->n_fields; i < n; i++)
        p = get_field(p, &e->fields[i]);
}

void ev_unpack_record(const void *from, struct event *e)
{
    const uint8_t *p = from;
    memcpy(e, p, offsetof(struct event, msgs));
    p += offsetof(struct event, msgs);
    memcpy(e->msgs, p, e->n_msgs * sizeof(struct msg));
    get_parts(p + e->n_msgs * sizeof(struct msg), e);
}

void ev_unpack_tight(const struct proto_schema *schema, const void *from, struct event *e)
{
    const struct head *h = from;
    const uint8_t *p = (const uint8_t *)(h + 1);
    memset(e, 0, offsetof(struct event, msgs));
    e->schema = schema;
    e->op = h->op;
    e->function = h->function;
    e->selector = h->selector;
    e->unit = h->unit;
    e->sub = h->sub;
    e->items_total = h->items_total;
    e->kind = h->kind;
    e->phase = h->phase;
    e->action = h->action;
    e->outcome = h->outcome;
    e->has_unit = h->has_unit;
    e->from_client = h->from_client;
    e->n_msgs = 1;
    e->n_items = h->n_items;
    e->n_fields = h->n_fields;
    e->has_far = h->has_far;
    e->msgs[0].function = h->function;
    if (h->has_far) {
        memcpy(e->far, p, sizeof e->far);
        p += sizeof e->far;
    }
    get_parts(p, e);
}
