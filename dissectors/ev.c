/* ev.c: events under construction. */
#include <stdarg.h>

#include "dissectors/runtime.h"
#include "engine/base/hash.h"
#include "engine/base/text.h"

static void add_msg(struct dis_ctx *x, struct event *e, uint32_t function)
{
    if (e->n_msgs == EV_MAX_MSGS) { /* go on as a second record of the same transaction */
        ev_commit(x, e);
        e->n_msgs = 0;
    }
    e->msgs[e->n_msgs++] = (struct msg){.ts_ns = x->ts_ns, .frame = x->frame, .function = function, .file = x->file};
    e->from_client = x->dir != DIR_S2C;
    x->fr->n_messages++;
}

void ev_add_msg_(struct dis_ctx *x, struct event *e, uint32_t function);
void ev_add_msg_(struct dis_ctx *x, struct event *e, uint32_t function)
{
    add_msg(x, e, function);
}

/* schema_op() with a memory: direct-mapped, so what it answers never depends on what it holds. */
static const struct op_row *op_of(struct dis_rt *rt, const struct proto_schema *s, uint32_t fn, uint32_t sel)
{
    struct op_seen *o = &rt->ops[(fn ^ fn >> 8 ^ sel * 5) % RT_OPS];
    if (o->schema != s || o->fn != fn || o->sel != sel)
        *o = (struct op_seen){.schema = s, .fn = fn, .sel = sel, .row = fn == FN_NONE ? NULL : schema_op(s, fn, sel)};
    return o->row;
}

struct event *ev_begin(struct dis_ctx *x, const struct proto_schema *s, uint32_t function, uint32_t selector)
{
    struct event *e = x->rt->ev;
    x->rt->acts++;
    taken_put(x->rt, &x->rt->taken);
    memset(e, 0, offsetof(struct event, msgs));
    e->schema = s;
    e->function = function;
    e->selector = selector;
    e->tx_id = hash_mix(x->flow_id, x->fr->n_messages + UINT64_C(1));
    e->op = op_of(x->rt, s, function, selector);
    e->action = e->op ? e->op->action : ACT_OTHER;
    add_msg(x, e, function);
    return e;
}

void ev_select(struct event *e, uint32_t selector)
{
    e->selector = selector;
    e->op = e->function == FN_NONE ? NULL : schema_op(e->schema, e->function, selector);
    e->action = e->op ? e->op->action : ACT_OTHER;
}

struct item *ev_item(struct event *e, uint8_t kind)
{
    struct item *it = &e->items[e->n_items];
    e->items_total++;
    if (e->n_items < EV_MAX_ITEMS)
        e->n_items++;
    else
        e->truncated = 1; /* nobody reads it: the first ones stay as they are */
    *it = (struct item){.kind = kind, .action = e->action, .bit = ITEM_BIT_NONE, .status = ITEM_STATUS_NONE,
                        .v.qual_off = -1};
    return it;
}

struct item *ev_range(struct event *e, uint8_t kind, uint32_t space, uint32_t first, uint32_t last)
{
    struct item *it = ev_item(e, kind);
    it->has_range = 1;
    it->space = space;
    it->first = first;
    it->last = last;
    return it;
}

struct item *ev_named(struct event *e, uint8_t kind, struct span name)
{
    struct item *it = ev_item(e, kind);
    it->name = name;
    return it;
}

static struct field *add_field(struct event *e, uint8_t id)
{
    if (e->n_fields == EV_MAX_FIELDS) {
        e->truncated = 1;
        return NULL;
    }
    struct field *f = &e->fields[e->n_fields++];
    f->id = id;
    f->span = 0;
    return f;
}

void ev_u64(struct event *e, uint8_t id, uint64_t v)
{
    struct field *f = add_field(e, id);
    if (f)
        f->v.u = v;
}

void ev_i64(struct event *e, uint8_t id, int64_t v)
{
    struct field *f = add_field(e, id);
    if (f)
        f->v.i = v;
}

void ev_f64(struct event *e, uint8_t id, double v)
{
    struct field *f = add_field(e, id);
    if (f)
        f->v.d = v;
}

void ev_span(struct event *e, uint8_t id, struct span s)
{
    struct field *f = add_field(e, id);
    if (f) {
        f->span = 1;
        f->v.s = s;
    }
}

struct span ev_text_copy(struct event *e, const void *p, uint32_t n)
{
    uint32_t room = EV_TEXT - e->text_used;
    if (n > room) {
        n = room;
        e->truncated = 1;
    }
    struct span s = {.p = n ? e->text + e->text_used : NULL, .n = n};
    if (n)
        memcpy(e->text + e->text_used, p, n);
    e->text_used += n;
    return s;
}

struct span ev_text_fmt(struct event *e, const char *fmt, ...)
{
    char t[512];
    va_list ap;
    va_start(ap, fmt);
    unsigned n = text_vfmt(t, sizeof t, fmt, ap);
    va_end(ap);
    return ev_text_copy(e, t, n);
}

/* Actions whose good answer means that it was done; of the others that it was taken note of. */
static uint8_t good_outcome(const struct event *e)
{
    return e->action == ACT_OTHER || e->action == ACT_SELECT ? OUT_ACCEPTED : OUT_EXECUTED;
}

/* Anomalies that say what the other side did not say. */
static uint64_t of_both(const struct proto_schema *s)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < s->n_anomalies; i++)
        bits |= (uint64_t)s->anomalies[i].of_both << i;
    return bits;
}

bool dis_heard(const struct dis_ctx *x)
{
    const struct dis_rt *rt = x->rt;
    return !rt->sink->heard || rt->sink->heard(rt->sink_arg, x);
}

/* What the capture left out contradicts no standard, nor does an answer to a request of which the half was seen; what
 * a request had that was whole stays. And of a side that is not in the capture nobody knows what it did not say. */
void ev_judge(const struct dis_ctx *x, struct event *e)
{
    if (x->cut | e->cut) {
        e->anomalies &= e->had;
        e->cut = e->truncated = 1;
    }
    uint64_t asks = e->anomalies ? e->anomalies & of_both(e->schema) : 0;
    if (asks && !dis_heard(x))
        e->anomalies &= ~asks;
}

void ev_commit(struct dis_ctx *x, struct event *e)
{
    if (__builtin_expect((x->cut | e->cut) || e->anomalies, 0))
        ev_judge(x, e);
    if (e->outcome == OUT_UNKNOWN && (e->kind == EV_TRANSACTION || e->kind == EV_RESPONSE))
        e->outcome = e->error ? OUT_REFUSED : good_outcome(e);
    x->rt->acts++;
    x->rt->seen.digest = 0;
    x->rt->sink->event(x->rt->sink_arg, x, e);
}

void ev_commit_brief(struct dis_ctx *x, struct event *e, void (*rest)(struct event *e, void *arg), void *arg)
{
    struct dis_rt *rt = x->rt;
    rt->rest = rest;
    rt->rest_arg = arg;
    if (!rt->sink->completes)
        ev_complete(x, e);
    ev_commit(x, e);
    rt->rest = NULL;
}

void ev_complete(struct dis_ctx *x, struct event *e)
{
    uint64_t anomalies = e->anomalies; /* they are judged, and fields alone are added */
    if (x->rt->rest)
        x->rt->rest(e, x->rt->rest_arg);
    e->anomalies = anomalies;
    x->rt->rest = NULL;
}

void ev_malformed(struct dis_ctx *x, const struct proto_schema *s, unsigned anomaly_bit)
{
    x->rt->acts++;
    bool left_out = x->cut || (s->anomalies[anomaly_bit].of_both && !dis_heard(x));
    if (!left_out) /* else it may be what the capture left out */
        x->rt->sink->malformed(x->rt->sink_arg, x, s, anomaly_bit);
}

void dis_lost(struct dis_ctx *x, uint32_t n)
{
    x->rt->acts++;
    if (n && x->rt->sink->lost)
        x->rt->sink->lost(x->rt->sink_arg, x, n);
}

void ev_silent(struct dis_ctx *x, const struct proto_schema *s)
{
    x->rt->acts++;
    x->rt->sink->silent(x->rt->sink_arg, x, s);
}
