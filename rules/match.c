/* match.c: the worker's part of rules against one event. Called for every message: an ordinary one looks at the few
 * candidates of its protocol and action, and reads nothing else of the event. */
#include "rules/cond.h"

#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/site.h"

struct look { /* what is asked about */
    const struct ruleset *rs;
    const struct rule_input *in;
    const struct event *ev;
    uint32_t actions;
    uint32_t number; /* of the schema */
    bool narrow;     /* not what holds, but what may hold for messages like this one */
};

/* ---- leaves ---- */

static bool hex_match(const struct globs *g, struct span s)
{
    static const char digit[] = "0123456789abcdef";
    char text[512];
    uint32_t n = s.n < sizeof text / 2 ? s.n : sizeof text / 2;
    for (uint32_t i = 0; i < n; i++) {
        text[2 * i] = digit[s.p[i] >> 4];
        text[2 * i + 1] = digit[s.p[i] & 15];
    }
    return globs_match(g, text, 2 * n);
}

static bool text_match(const struct globs *g, struct span s)
{
    while (s.n && s.p[s.n - 1] == 0) /* padding */
        s.n--;
    return globs_match(g, (const char *)s.p, s.n);
}

static bool val_holds(const struct tests *t, const struct val *v)
{
    if (t->any)
        return true;
    switch (v->type) {
    case VAL_UINT:
    case VAL_BOOL:
    case VAL_TIME:
        return ranges_hold(&t->ranges, (long double)v->u);
    case VAL_INT:
        return ranges_hold(&t->ranges, (long double)v->i);
    case VAL_DOUBLE:
        return ranges_hold(&t->ranges, (long double)v->d);
    case VAL_TEXT:
        return text_match(&t->globs, v->s);
    case VAL_BYTES:
        return hex_match(&t->globs, v->s);
    default:
        return false;
    }
}

static bool space_fits(const struct obj_pat *o, const struct item *it)
{
    return !o->has_space || (it->space >= o->space_lo && it->space <= o->space_hi);
}

static bool object_fits(const struct obj_pat *o, const struct proto_schema *s, const struct item *it)
{
    if (o->schema != s || o->kind != it->kind || !space_fits(o, it))
        return false;
    if (o->has_name)
        return glob_match(&o->name, (const char *)it->name.p, it->name.n);
    if (o->has_range && (!it->has_range || it->first > o->hi || it->last < o->lo))
        return false;
    return o->bit > 255 || it->bit == ITEM_BIT_NONE || it->bit == o->bit;
}

/* Values of an item; where they stand one to one for addresses, only those inside the object asked for. */
static bool values_hold(const struct item_cond *c, const struct obj_pat *o, const struct item *it)
{
    uint32_t from = 0, to = it->v.n;
    struct val v;
    if (o && o->has_range && it->has_range && it->last - it->first + UINT64_C(1) == it->v.n) {
        from = o->lo > it->first ? o->lo - it->first : 0;
        to = o->hi < it->last ? o->hi - it->first + 1 : it->v.n;
    }
    bool some = false;
    for (uint32_t k = from; k < to && vals_get(&it->v, k, &v); k++) {
        bool holds = val_holds(&c->value, &v);
        if (holds != c->all)
            return holds;
        some = true;
    }
    return c->all && some;
}

static bool quality_holds(const struct item_cond *c, const struct proto_schema *s, const struct item *it)
{
    uint64_t q = it->quality;
    for (uint32_t k = 0; it->v.qual_off >= 0 && k < it->v.n; k++)
        q |= item_quality_bits(s, it, k);
    for (uint32_t i = 0; i < c->n_quality; i++)
        if (c->quality[i].schema == s && c->quality[i].mask & q)
            return true;
    return false;
}

static bool one_item(const struct item_cond *c, const struct proto_schema *s, const struct item *it)
{
    if (c->actions && !(it->action < ACT_COUNT && c->actions >> it->action & 1))
        return false;
    if (c->n_quality && !quality_holds(c, s, it))
        return false;
    if (c->n_objs == 0)
        return !c->has_value || values_hold(c, NULL, it);
    for (uint32_t i = 0; i < c->n_objs; i++)
        if (object_fits(&c->objs[i], s, it) && (!c->has_value || values_hold(c, &c->objs[i], it)))
            return true;
    return false;
}

/* Is there an object that it asks for, whatever its value? */
bool item_may_hold(const struct item_cond *c, const struct event *ev)
{
    struct item_cond any = *c;
    any.has_value = false;
    any.n_quality = 0;
    return match_item(&any, ev) != NULL;
}

static bool item_holds(const struct item_cond *c, const struct event *ev)
{
    for (unsigned i = 0; i < ev->n_items && i < EV_MAX_ITEMS; i++)
        if (one_item(c, ev->schema, &ev->items[i]))
            return true;
    return false;
}

static bool field_value_holds(const struct field_pat *p, const struct field *f)
{
    switch (p->type) {
    case FT_TEXT:
        return p->test.any || text_match(&p->test.globs, f->v.s);
    case FT_BYTES:
        return p->test.any || hex_match(&p->test.globs, f->v.s);
    case FT_INT:
        return p->test.any || ranges_hold(&p->test.ranges, (long double)f->v.i);
    case FT_DOUBLE:
        return p->test.any || ranges_hold(&p->test.ranges, (long double)f->v.d);
    case FT_BOOL:
        return p->test.any || ranges_hold(&p->test.ranges, f->v.u != 0);
    default:
        return p->test.any || ranges_hold(&p->test.ranges, (long double)f->v.u);
    }
}

static bool field_holds(const struct cond *k, const struct event *ev)
{
    for (uint32_t i = 0; i < k->n; i++) {
        const struct field_pat *p = &k->fields[i];
        if (p->schema != ev->schema)
            continue;
        for (unsigned j = 0; j < ev->n_fields && j < EV_MAX_FIELDS; j++)
            if (ev->fields[j].id == p->id && field_value_holds(p, &ev->fields[j]))
                return true;
    }
    return false;
}

static bool function_holds(const struct cond *k, const struct event *ev)
{
    for (uint32_t i = 0; i < k->n; i++) {
        const struct fn_pat *f = &k->fns[i];
        if (f->schema == ev->schema &&
            (f->row ? ev->op == f->row : ev->function >= f->lo && ev->function <= f->hi))
            return true;
    }
    return false;
}

static bool is_code(const struct cond *k, const struct event *ev, uint32_t code)
{
    for (uint32_t i = 0; i < k->n; i++) {
        const struct code_pat *p = &k->codes[i];
        if ((!p->schema || p->schema == ev->schema) && code >= p->lo && code <= p->hi)
            return true;
    }
    return false;
}

static bool status_holds(const struct cond *k, const struct event *ev)
{
    if (ev->has_status && is_code(k, ev, ev->status))
        return true;
    for (unsigned i = 0; i < ev->n_items && i < EV_MAX_ITEMS; i++)
        if (ev->items[i].status != ITEM_STATUS_NONE && is_code(k, ev, ev->items[i].status))
            return true;
    return false;
}

static bool anomaly_holds(const struct cond *k, const struct event *ev)
{
    for (uint32_t i = 0; i < k->n; i++)
        if ((!k->codes[i].schema || k->codes[i].schema == ev->schema) && k->codes[i].mask & ev->anomalies)
            return true;
    return false;
}

static bool net_holds(const struct net_pat *p, const struct addr *a, const uint8_t *mac)
{
    if (p->group)
        return addr_is_group(a);
    if (p->mac)
        return addr_eq(&p->a, a) || (mac && memcmp(p->a.b + 10, mac, 6) == 0);
    const struct subnet n = {p->a, p->bits};
    return subnet_has(&n, a);
}

static bool addr_holds(const struct cond *k, const struct rule_input *in)
{
    for (uint32_t i = 0; i < k->n; i++) {
        if (k->side != SIDE_DST && net_holds(&k->nets[i], in->src, in->smac))
            return true;
        if (k->side != SIDE_SRC && net_holds(&k->nets[i], in->dst, in->dmac))
            return true;
    }
    return false;
}

static bool number_holds(const struct cond *k, const struct look *x)
{
    const struct rule_input *in = x->in;
    const struct event *ev = x->ev;
    switch (k->what) {
    case NUM_UNIT:
        return ev->has_unit && ranges_hold(&k->ranges, ev->unit);
    case NUM_SLOT:
        return ranges_hold(&k->ranges, ev->sub);
    case NUM_SELECTOR:
        return ranges_hold(&k->ranges, ev->selector);
    case NUM_PORT:
        return ranges_hold(&k->ranges, k->side == SIDE_SRC ? in->sport : in->dport);
    case NUM_VLAN:
        for (unsigned i = 0; i < in->n_vlan && i < 2; i++)
            if (ranges_hold(&k->ranges, in->vlan[i]))
                return true;
        return false;
    case NUM_NETWORK:
        return ranges_hold(&k->ranges, in->net);
    case NUM_OBJECTS:
        return ranges_hold(&k->ranges, ev->items_total);
    case NUM_LATENCY:
        return ev->kind == EV_TRANSACTION && ranges_hold(&k->ranges, (long double)ev->latency_ns);
    default:
        return false;
    }
}

static bool enum_holds(const struct cond *k, const struct look *x)
{
    static const uint8_t l4[][2] = {{PROTO_TCP, 0}, {PROTO_UDP, 1}, {PROTO_ETH, 2}};
    unsigned v = 0;
    switch (k->what) {
    case ENUM_KIND:
        v = x->ev->kind;
        break;
    case ENUM_OUTCOME:
        v = x->ev->outcome;
        break;
    case ENUM_PHASE:
        v = x->ev->phase;
        break;
    case ENUM_ERROR:
        v = x->ev->error != 0;
        break;
    case ENUM_SENDER:
        v = x->ev->from_client != 0;
        break;
    case ENUM_TRUNCATED:
        v = x->ev->truncated != 0;
        break;
    case ENUM_TRANSPORT:
        v = 3;
        for (unsigned i = 0; i < ARRAY_LEN(l4); i++)
            if (l4[i][0] == x->in->l4)
                v = l4[i][1];
        break;
    default:
        return false;
    }
    return v < 64 && k->mask >> v & 1;
}

static bool clock_holds(const struct cond *k, const struct look *x)
{
    int64_t s = (int64_t)(x->in->ts_ns / 1000000000);
    int64_t local = s + (x->rs->o.tz ? tz_offset(x->rs->o.tz, s) : 0);
    int64_t day = local / 86400 - (local % 86400 < 0), second = local - day * 86400;
    if (k->op == C_WEEKDAY)
        return k->mask >> ((day % 7 + 11) % 7) & 1; /* 1970-01-01 was a Thursday */
    unsigned minute = (unsigned)(second / 60);
    bool after = minute >= k->time.from, before = minute < k->time.to;
    return k->time.from < k->time.to ? after && before : after || before;
}

static const char *zone_of(const struct look *x, unsigned side)
{
    const struct site *s = x->rs->o.site;
    const struct site_zone *z = s ? site_zone(s, x->in->net, side == SIDE_DST ? x->in->dst : x->in->src) : NULL;
    return z ? z->name : NULL;
}

static bool site_holds(const struct cond *k, const struct look *x)
{
    const char *a = zone_of(x, k->op == C_ZONE ? k->side : SIDE_SRC), *b;
    if (k->op == C_ENGINEER)
        return site_is_engineering_station(x->rs->o.site, x->in->net, k->side == SIDE_DST ? x->in->dst : x->in->src);
    if (k->op == C_ZONE)
        return globs_match(&k->globs, a ? a : "none", (uint32_t)strlen(a ? a : "none"));
    b = zone_of(x, SIDE_DST);
    return a && b && (strcmp(a, b) == 0) == (k->op == C_SAME_ZONE);
}

static bool leaf_holds(const struct cond *k, const struct look *x)
{
    switch (k->op) {
    case C_PROTOCOL:
        return k->schemas[x->number / 64] >> (x->number % 64) & 1;
    case C_ACTION:
        return x->actions & k->mask;
    case C_FUNCTION:
        return function_holds(k, x->ev);
    case C_NUMBER:
        return number_holds(k, x);
    case C_ENUM:
        return enum_holds(k, x);
    case C_STATUS:
        return status_holds(k, x->ev);
    case C_ANOMALY:
        return anomaly_holds(k, x->ev);
    case C_ITEM:
        return item_holds(k->item, x->ev);
    case C_ADDR:
        return addr_holds(k, x->in);
    case C_TIME:
    case C_WEEKDAY:
        return clock_holds(k, x);
    case C_FIELD:
        return field_holds(k, x->ev);
    case C_ENGINEER:
    case C_ZONE:
    case C_SAME_ZONE:
    case C_OTHER_ZONE:
        return site_holds(k, x);
    default:
        return k->op == C_TRUE;
    }
}

/* Depth is bounded by RULES_MAX_NODES. */
static bool holds(const struct cond *k, const struct look *x)
{
    if (k->op != C_AND && k->op != C_OR)
        return leaf_holds(k, x) != k->neg;
    bool stop = k->op == C_OR;
    for (uint32_t i = 0; i < k->n; i++)
        if (holds(k->kids[i], x) == stop)
            return stop != k->neg;
    return stop == k->neg;
}

/* ---- the walk ---- */

/* Keeps hits ascending and single; when they are full the last one goes. */
static unsigned keep(uint16_t hits[], unsigned n, unsigned max, uint16_t hit)
{
    unsigned at = n;
    while (at > 0 && hits[at - 1] > hit)
        at--;
    if ((at > 0 && hits[at - 1] == hit) || at == max)
        return n;
    unsigned last = n < max ? n : max - 1;
    memmove(&hits[at + 1], &hits[at], (last - at) * sizeof hits[0]);
    hits[at] = hit;
    return last + 1;
}

static unsigned walk(const struct look *x, const struct bucket *b, uint64_t faults, uint16_t hits[], unsigned n,
                     unsigned max)
{
    const uint16_t *k = x->rs->cands + b->at;
    const uint64_t *needs = x->rs->needs + b->at;
    for (unsigned i = 0, all = faults ? b->n : b->n_plain; i < all; i++) {
        if (needs[i] && !(needs[i] & faults))
            continue;
        const struct entry *e = &x->rs->entries[k[i]];
        if (e->needs_new && x->in->nothing_new)
            continue;
        if (!e->local || (x->narrow ? may_hold(e->local, x->in, x->rs) : holds(e->local, x)))
            n = keep(hits, n, max, k[i]);
    }
    return n;
}

static uint64_t faults_of(const struct event *ev)
{
    return ev->anomalies | (ev->error ? FAULT_ERROR : 0) | (ev->kind == EV_REQUEST ? FAULT_SILENT : 0) |
           (ev->outcome == OUT_REFUSED ? FAULT_REFUSED : 0) | (ev->latency_ns >= USUAL_LATENCY_NS ? FAULT_LATE : 0);
}

bool rules_unusual(const struct event *ev)
{
    return faults_of(ev) & ~ev->anomalies;
}

static bool look_at(const struct ruleset *rs, const struct rule_input *in, struct look *ret)
{
    const struct event *ev = in->ev;
    const struct schema_index *ix = index_of(rs, ev->schema);
    if (!ix)
        return false;
    *ret = (struct look){rs, in, ev, 1u << (ev->action & 31), (uint32_t)(ix - rs->index), false};
    for (unsigned i = 0; i < ev->n_items && i < EV_MAX_ITEMS; i++)
        ret->actions |= 1u << (ev->items[i].action & 31);
    return true;
}

static unsigned candidates(const struct look *look, uint16_t hits[], unsigned max)
{
    const struct look x = *look;
    const struct event *ev = x.ev;
    const struct schema_index *ix = &x.rs->index[x.number];
    uint64_t faults = faults_of(ev);
    unsigned n = 0;
    for (uint32_t left = x.actions & ix->actions; left; left &= left - 1)
        n = walk(&x, &ix->by_action[__builtin_ctz(left)], faults, hits, n, max);
    for (uint32_t at = fn_hash(ev->function);; at++) {
        const struct fn_slot *s = &ix->by_fn[at & ix->fn_mask];
        if (s->fn == FN_NONE)
            return n;
        if (s->fn == ev->function)
            return walk(&x, &s->b, faults, hits, n, max);
    }
}

unsigned rules_match(const struct ruleset *rs, const struct rule_input *in, uint16_t hits[], unsigned max)
{
    struct look x;
    return max && look_at(rs, in, &x) ? candidates(&x, hits, max) : 0;
}

unsigned rules_narrow(const struct ruleset *rs, const struct rule_input *in, uint16_t ret[], unsigned max)
{
    struct look x;
    if (!max || !look_at(rs, in, &x))
        return 0;
    x.narrow = true;
    return candidates(&x, ret, max);
}

unsigned rules_match_of(const struct ruleset *rs, const struct rule_input *in, const uint16_t entries[], unsigned n,
                        uint16_t hits[])
{
    struct look x;
    unsigned k = 0;
    if (!n || !look_at(rs, in, &x))
        return 0;
    for (unsigned i = 0; i < n; i++) {
        const struct entry *e = &rs->entries[entries[i]];
        if (!e->local || holds(e->local, &x))
            hits[k++] = entries[i];
    }
    return k;
}

bool rules_read_fields(const struct ruleset *rs, const struct proto_schema *s, bool nothing_new)
{
    const struct schema_index *ix = rs ? index_of(rs, s) : NULL;
    return ix && (ix->fields || (ix->fields_new && !nothing_new));
}

uint64_t rules_object(const struct event *ev)
{
    if (ev->n_items == 0)
        return 0;
    const struct item *it = &ev->items[0];
    uint32_t v[5] = {it->kind, it->space, it->has_range ? it->first : 0, it->has_range ? it->last : 0, it->bit};
    uint64_t h = hash_bytes(hash_bytes(HASH_ID_KEY, v, sizeof v), it->name.p, it->name.n);
    return h ? h : 1;
}

bool match_holds(const struct ruleset *rs, const struct rule_input *in, const struct cond *k)
{
    struct look x;
    return look_at(rs, in, &x) && holds(k, &x);
}

const struct item *match_item(const struct item_cond *c, const struct event *ev)
{
    for (unsigned i = 0; i < ev->n_items && i < EV_MAX_ITEMS; i++)
        if (one_item(c, ev->schema, &ev->items[i]))
            return &ev->items[i];
    return NULL;
}
