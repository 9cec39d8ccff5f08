/* ops.c: what links do: functions per unit, and the objects they touch. Address ranges are kept as intervals: those of
 * reads merge across small gaps, those of everything else only where they touch. */
#include "baseline/model.h"

#include <stdio.h>

struct func *func_at(const struct baseline *b, uint32_t i)
{
    return tab_at(&b->funcs, i);
}

struct op *op_at(const struct baseline *b, uint32_t i)
{
    return tab_at(&b->ops, i);
}

static struct name *name_at(const struct baseline *b, uint32_t i)
{
    return tab_at(&b->names, i);
}

const char *op_name(const struct baseline *b, const struct op *o)
{
    return o->name ? name_at(b, o->name)->s : NULL;
}

/* ---- functions ---- */

static uint64_t func_hash(const struct baseline *b, const struct func *f)
{
    uint64_t h = hash_u64(b->conf.hash_key, (uint64_t)f->link << 32 | (uint64_t)f->proto << 8 | f->has_unit);
    h = hash_u64(h, (uint64_t)f->fn << 32 | f->sel);
    return hash_u64(h, (uint64_t)f->unit << 32 | f->sub);
}

uint32_t func_find(const struct baseline *b, uint32_t link, uint16_t proto, uint32_t fn, uint32_t sel,
                   uint8_t has_unit, uint32_t unit, uint32_t sub)
{
    struct func k = {.link = link, .proto = proto, .fn = fn, .sel = sel, .has_unit = has_unit, .unit = unit,
                     .sub = sub};
    uint64_t h = func_hash(b, &k);
    for (uint32_t i = tab_find(&b->funcs, h, 0); i; i = tab_find(&b->funcs, h, i)) {
        const struct func *f = func_at(b, i);
        if (f->link == link && f->proto == proto && f->fn == fn && f->sel == sel && f->has_unit == has_unit &&
            f->unit == unit && f->sub == sub)
            return i;
    }
    return 0;
}

uint64_t func_id(const struct baseline *b, const struct func *f)
{
    const char *proto = b->apps[f->proto].name;
    uint64_t h = hash_bytes(hash_u64(HASH_ID_KEY, blink_at(b, f->link)->id), proto, strlen(proto));
    h = hash_u64(hash_u64(h, (uint64_t)f->fn << 32 | f->sel), (uint64_t)f->unit << 32 | f->sub);
    h = hash_u64(h, f->has_unit);
    return h ? h : 1;
}

void func_delete(struct baseline *b, uint32_t i)
{
    struct func *f = func_at(b, i);
    struct link *l = blink_at(b, f->link);
    while (f->ops)
        op_delete(b, f->ops);
    if (f->prev)
        func_at(b, f->prev)->next = f->next;
    else
        l->funcs = f->next;
    if (f->next)
        func_at(b, f->next)->prev = f->prev;
    l->n_funcs--;
    if (f->dirty & STORED)
        row_gone(b, ROW_FUNC, f->id);
    b->n_due -= f->dirty & DIRTY;
    tab_del(&b->funcs, i);
}

uint32_t func_create(struct baseline *b, const struct func *p, uint64_t ts_ns)
{
    if (blink_at(b, p->link)->n_funcs >= LIM_LINK_FUNCS) { /* the newest unlearned one: what a fuzzer made last */
        func_delete(b, blink_at(b, p->link)->funcs);
        b->funcs.evicted++;
    }
    if (tab_full(&b->funcs)) {
        func_delete(b, tab_victim(&b->funcs));
        b->funcs.evicted++;
    }
    uint32_t i = tab_add(&b->funcs, func_hash(b, p), 0);
    struct func *f = func_at(b, i);
    struct node node = f->node;
    struct link *l = blink_at(b, p->link);
    *f = *p;
    f->node = node;
    f->id = func_id(b, f);
    f->life.first_ns = f->life.last_ns = ts_ns;
    f->prev = f->ops = f->n_ops = 0;
    f->next = l->funcs;
    if (f->next)
        func_at(b, f->next)->prev = i;
    l->funcs = i;
    l->n_funcs++;
    due(b, &f->dirty);
    return i;
}

/* ---- objects ---- */

static const struct kind_def *kind_of(const struct baseline *b, const struct func *f, uint8_t kind)
{
    const struct proto_schema *s = b->apps[f->proto].schema;
    return s && kind < s->n_kinds ? &s->kinds[kind] : NULL;
}

/* Of what the notation shows as name[space]. A space that it does not show is a help of the dissector (the number in a
 * name), and would tell apart what reads the same in the text. */
static struct op_key shown(const struct baseline *b, const struct func *f, const struct op_key *k)
{
    const struct kind_def *d = kind_of(b, f, k->kind);
    struct op_key s = *k;
    s.space = d && !(d->flags & KIND_SPACE) ? 0 : k->space;
    return s;
}

static bool ranged(const struct baseline *b, const struct func *f, uint8_t kind, uint8_t has_range, uint8_t bit,
                   bool named)
{
    const struct kind_def *k = kind_of(b, f, kind);
    return k && (k->flags & KIND_RANGE) && has_range && bit == ITEM_BIT_NONE && !named;
}

bool op_is_interval(const struct baseline *b, const struct func *f, const struct op *o)
{
    return ranged(b, f, o->kind, o->has_range, o->bit, o->name != 0);
}

/* Intervals of one space share a hash, so that a chain holds just those that may merge. */
static uint64_t op_hash(const struct baseline *b, uint32_t func, const struct op_key *k, uint32_t name)
{
    uint64_t h = hash_u64(b->conf.hash_key, (uint64_t)func << 32 | (uint64_t)k->kind << 24 | (uint64_t)k->action << 16 |
                                                (uint64_t)k->bit << 8 | k->has_range);
    h = hash_u64(h, (uint64_t)k->space << 32 | name);
    if (!ranged(b, func_at(b, func), k->kind, k->has_range, k->bit, k->name.n))
        h = hash_u64(h, (uint64_t)k->first << 32 | k->last);
    return h;
}

static bool same_space(const struct op *o, uint32_t func, const struct op_key *k, uint32_t name)
{
    return o->func == func && o->kind == k->kind && o->action == k->action && o->bit == k->bit &&
           o->has_range == k->has_range && o->space == k->space && o->name == name;
}

/* Reads near what was learned are the same poll; a write is compared to the register. */
static uint32_t gap_of(const struct baseline *b, uint8_t action)
{
    return action_changes(action) ? 0 : b->conf.read_gap;
}

uint32_t op_find(const struct baseline *b, uint32_t func, const struct op_key *key)
{
    const struct op_key is = shown(b, func_at(b, func), key), *k = &is;
    uint32_t name = k->name.n ? name_find(b, k->name) : 0, loose = 0;
    if (k->name.n && !name)
        return 0;
    bool interval = ranged(b, func_at(b, func), k->kind, k->has_range, k->bit, name);
    uint64_t h = op_hash(b, func, k, name), gap = gap_of(b, k->action);
    for (uint32_t i = tab_find(&b->ops, h, 0); i; i = tab_find(&b->ops, h, i)) {
        const struct op *o = op_at(b, i);
        if (!same_space(o, func, k, name))
            continue;
        if (!interval && o->first == k->first && o->last == k->last)
            return i;
        if (!interval)
            continue;
        bool inside = o->first <= k->first && k->last <= o->last;
        bool near = o->first <= k->first + gap && k->last <= o->last + gap;
        if (o->life.learned == FACT_LEARNED ? near : inside) {
            if (o->life.learned == FACT_LEARNED)
                return i;
            loose = i;
        }
    }
    return loose;
}

static uint64_t op_id(const struct baseline *b, const struct op *o)
{
    const struct func *f = func_at(b, o->func);
    const struct kind_def *k = kind_of(b, f, o->kind);
    const char *kind = k ? k->name : "", *name = op_name(b, o), *action = action_name(o->action);
    uint64_t h = hash_bytes(hash_u64(HASH_ID_KEY, f->id), kind, strlen(kind));
    h = hash_bytes(h, action, strlen(action));
    if (name)
        h = hash_bytes(h, name, strlen(name));
    h = hash_u64(h, (uint64_t)o->first << 32 | o->last);
    h = hash_u64(h, (uint64_t)o->space << 16 | (uint64_t)o->bit << 8 | o->has_range);
    return h ? h : 1;
}

void op_delete(struct baseline *b, uint32_t i)
{
    struct op *o = op_at(b, i);
    struct func *f = func_at(b, o->func);
    digs_drop(b, o->digs);
    name_put(b, o->name);
    if (o->prev)
        op_at(b, o->prev)->next = o->next;
    else
        f->ops = o->next;
    if (o->next)
        op_at(b, o->next)->prev = o->prev;
    f->n_ops--;
    if (o->dirty & STORED)
        row_gone(b, ROW_OP, o->id);
    b->n_due -= o->dirty & DIRTY;
    tab_del(&b->ops, i);
}

static void op_evict(struct baseline *b, uint32_t i)
{
    op_delete(b, i);
    b->ops.evicted++;
}

uint32_t op_create(struct baseline *b, uint32_t func, const struct op_key *key, uint64_t ts_ns)
{
    const struct op_key is = shown(b, func_at(b, func), key), *k = &is;
    uint32_t name = 0;
    if (func_at(b, func)->n_ops >= LIM_FUNC_OPS) /* its newest: a scan of objects does not push out what was learned */
        op_evict(b, func_at(b, func)->ops);
    if (tab_full(&b->ops))
        op_evict(b, tab_victim(&b->ops));
    while (k->name.n && !(name = name_get(b, k->name)) && b->ops.used) {
        op_evict(b, tab_victim(&b->ops));
        b->names.evicted++;
    }
    uint32_t i = tab_add(&b->ops, op_hash(b, func, k, name), 0);
    struct op *o = op_at(b, i);
    struct func *f = func_at(b, func);
    o->func = func;
    o->name = name;
    o->kind = k->kind;
    o->action = k->action;
    o->bit = k->bit;
    o->has_range = k->has_range;
    o->space = k->space;
    o->first = k->first;
    o->last = k->last;
    o->life.first_ns = o->life.last_ns = ts_ns;
    o->id = op_id(b, o);
    o->next = f->ops;
    if (o->next)
        op_at(b, o->next)->prev = i;
    f->ops = i;
    f->n_ops++;
    due(b, &o->dirty);
    return i;
}

static void op_absorb(struct baseline *b, uint32_t keep, uint32_t gone)
{
    struct op *k = op_at(b, keep), *g = op_at(b, gone);
    k->first = g->first < k->first ? g->first : k->first;
    k->last = g->last > k->last ? g->last : k->last;
    k->count += g->count;
    k->errors += g->errors;
    life_join(&k->life, &g->life);
    if (!k->period_us)
        k->period_us = g->period_us;
    for (unsigned n = 0; n < g->n_status; n++) {
        unsigned at = 0;
        while (at < k->n_status && k->status[at] != g->status[n])
            at++;
        if (at == k->n_status && at < LIM_OP_ERRORS)
            k->status[k->n_status++] = g->status[n];
        if (at < k->n_status && (g->status_learned >> n & 1))
            k->status_learned |= (uint8_t)(1u << at);
    }
    digs_move(b, gone, keep);
    due(b, &k->dirty);
    op_delete(b, gone);
}

uint32_t op_merge(struct baseline *b, uint32_t i)
{
    if (!op_is_interval(b, func_at(b, op_at(b, i)->func), op_at(b, i)))
        return i;
    uint64_t gap = gap_of(b, op_at(b, i)->action), h = op_at(b, i)->node.hash;
    for (bool again = true; again;) {
        again = false;
        for (uint32_t k = tab_find(&b->ops, h, 0); k; k = tab_find(&b->ops, h, k)) {
            const struct op *x = op_at(b, i), *y = op_at(b, k);
            if (k == i || x->func != y->func || x->kind != y->kind || x->action != y->action || x->space != y->space ||
                x->bit != y->bit || (x->life.learned == FACT_LEARNED) != (y->life.learned == FACT_LEARNED))
                continue;
            if (x->first > y->last + 1 + gap || y->first > x->last + 1 + gap)
                continue;
            /* The elder keeps its id, so that stored rows change least. */
            bool elder = y->life.first_ns < x->life.first_ns || (y->life.first_ns == x->life.first_ns && y->id < x->id);
            op_absorb(b, elder ? k : i, elder ? i : k);
            i = elder ? k : i;
            again = true;
            break;
        }
    }
    return i;
}

unsigned op_text(const struct baseline *b, const struct func *f, const struct op *o, char out[EV_OBJECT])
{
    const struct proto_schema *s = b->apps[f->proto].schema;
    const char *name = op_name(b, o);
    out[0] = 0;
    if (o->kind == REC_NO_KIND || !s)
        return 0;
    struct item it = {.kind = o->kind, .bit = o->bit, .has_range = o->has_range, .space = o->space, .first = o->first,
                      .last = o->last};
    if (name)
        it.name = (struct span){(const uint8_t *)name, (uint32_t)strlen(name)};
    return item_text(s, &it, out);
}

/* ---- of a message ---- */

struct op_key op_key_of(const struct rec_fact *r)
{
    return (struct op_key){.kind = r->kind, .action = r->action, .bit = r->bit, .has_range = r->has_range,
                           .space = r->space, .first = r->has_range ? r->first : 0,
                           .last = r->has_range ? r->last : 0, .name = r->name};
}

/* The same function, learned with a unit where this message tells none, or the reverse: messages of a connection that
 * was opened before the capture began do not say which slot they are for. The one that has the object goes first. */
static uint32_t func_unit_untold(const struct baseline *b, uint32_t link, uint16_t proto, const struct rec_event *e,
                                 const struct op_key *key)
{
    uint32_t found = 0;
    for (uint32_t k = blink_at(b, link)->funcs; k; k = func_at(b, k)->next) {
        const struct func *f = func_at(b, k);
        if (f->proto != proto || f->fn != e->function || f->sel != e->selector || f->sub != e->sub ||
            f->has_unit == e->has_unit || f->life.learned != FACT_LEARNED)
            continue;
        found = found ? found : k;
        if (op_find(b, k, key))
            return k;
    }
    return found;
}

uint32_t func_of(const struct baseline *b, uint32_t link, uint16_t proto, const struct rec_event *e,
                 const struct op_key *key, bool learns)
{
    uint32_t i = func_find(b, link, proto, e->function, e->selector, e->has_unit, e->has_unit ? e->unit : 0, e->sub);
    if (learns || (i && func_at(b, i)->life.learned == FACT_LEARNED))
        return i;
    uint32_t other = func_unit_untold(b, link, proto, e, key);
    return other ? other : i;
}

bool link_has_unit(const struct baseline *b, const struct link *l, const struct func *f)
{
    for (uint32_t k = l->funcs; k; k = func_at(b, k)->next) {
        const struct func *o = func_at(b, k);
        if (o != f && o->proto == f->proto && o->has_unit == f->has_unit && o->unit == f->unit && o->sub == f->sub)
            return true;
    }
    return false;
}

void baseline_fact_count(struct baseline *b, const struct rec_fact_count *r)
{
    uint32_t i = dig_find(b, r->digest, DIG_OP, NULL);
    clock_to(b, r->ts_ns);
    if (!i) {
        b->st.unattributed++;
        return;
    }
    struct op *o = op_at(b, i);
    struct func *f = func_at(b, o->func);
    o->count += r->count;
    o->errors += r->errors;
    if (r->period_us)
        o->period_us = r->period_us;
    life_seen(&o->life, r->last_ns);
    life_seen(&f->life, r->last_ns);
    struct link *l = blink_at(b, f->link);
    if (r->last_ns > l->life.last_ns) { /* its packets may be counted the other way round, where ports tell no server */
        life_seen(&l->life, r->last_ns);
        due(b, &l->dirty);
    }
    tab_touch(&b->ops, i);
    tab_touch(&b->funcs, o->func);
    due(b, &o->dirty);
    due(b, &f->dirty);
    struct incident *c = o->life.learned == FACT_LEARNED ? NULL : inc_any(b, o->inc);
    if (c)
        inc_count(b, c, r->count, r->last_ns);
}

/* An error that is no more than counted belongs to the deviation that told of it. What was learned has none, nor has
 * what followed from another one. */
void baseline_fact_error(struct baseline *b, const struct rec_fact_error *r)
{
    uint32_t i = dig_find(b, r->digest, DIG_OP, NULL);
    clock_to(b, r->ts_ns);
    struct incident *c = i ? inc_of(b, fold_id(DEV_NEW_ERROR, op_at(b, i)->id, r->status, 0)) : NULL;
    if (c)
        inc_count(b, c, r->count, r->last_ns);
}
