/* index.c: which entries a message has to be asked about. An entry that names functions is found by the function code,
 * any other by the action of the message or of one of its items; those that only messages with a fault can meet stand
 * behind the others. What a condition says about that is its reach: necessary, never sufficient. */
#include "rules/cond.h"

#include <stdlib.h>
#include <string.h>

static const struct reach anything = {.possible = true, .ever = true, .actions = UINT32_MAX};

/* Wide ranges of codes count as any function. */
static struct reach of_functions(const struct cond *k, const struct proto_schema *s)
{
    struct reach r = {.possible = false, .actions = UINT32_MAX};
    bool wide = false;
    for (uint32_t i = 0; i < k->n; i++) {
        const struct fn_pat *f = &k->fns[i];
        uint32_t lo = f->row ? f->row->fn : f->lo, hi = f->row ? f->row->fn : f->hi;
        if (f->schema != s)
            continue;
        r.possible = true;
        wide |= hi - lo >= REACH_FNS - r.n_fns;
        for (uint32_t fn = lo; !wide && fn <= hi; fn++)
            if (r.n_fns == 0 || r.fns[r.n_fns - 1] != fn)
                r.fns[r.n_fns++] = fn;
    }
    r.n_fns = wide ? 0 : r.n_fns;
    return r;
}

static bool names_schema(const struct cond *k, const struct proto_schema *s)
{
    if (k->op == C_ITEM && k->item->n_objs == 0)
        return true;
    uint32_t n = k->op == C_ITEM ? k->item->n_objs : k->n;
    for (uint32_t i = 0; i < n; i++) {
        const struct proto_schema *p = k->op == C_ITEM ? k->item->objs[i].schema
                                     : k->op == C_FIELD ? k->fields[i].schema : k->codes[i].schema;
        if (!p || p == s)
            return true;
    }
    return false;
}

static bool only_late(const struct ranges *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        if (r->v[i].not || r->v[i].lo < USUAL_LATENCY_NS)
            return false;
    return true;
}

static uint64_t fault_of(const struct cond *k)
{
    if (k->op == C_NUMBER && k->what == NUM_LATENCY)
        return only_late(&k->ranges) ? FAULT_LATE : 0;
    if (k->op != C_ENUM)
        return 0;
    return k->what == ENUM_ERROR && k->mask == 2                    ? FAULT_ERROR
           : k->what == ENUM_KIND && k->mask == 1 << EV_REQUEST     ? FAULT_SILENT
           : k->what == ENUM_OUTCOME && k->mask == 1 << OUT_REFUSED ? FAULT_REFUSED
                                                                    : 0;
}

static uint64_t anomalies_of(const struct cond *k, const struct proto_schema *s)
{
    uint64_t m = 0;
    for (uint32_t i = 0; i < k->n; i++)
        m |= !k->codes[i].schema || k->codes[i].schema == s ? k->codes[i].mask : 0;
    return m;
}

static void of_leaf(const struct cond *k, const struct proto_schema *s, unsigned i, struct reach *r)
{
    *r = anything;
    if (k->op == C_PROTOCOL)
        r->possible = (bool)(k->schemas[i / 64] >> (i % 64) & 1) != k->neg;
    if (k->op == C_FALSE || k->op == C_TRUE || k->op == C_NEVER)
        r->possible = (k->op == C_TRUE) != k->neg;
    r->ever = r->possible || k->op == C_NEVER;
    if (k->neg || k->op == C_NEVER)
        return;
    if (k->op == C_FUNCTION)
        *r = of_functions(k, s);
    if (k->op == C_ACTION)
        r->actions = (uint32_t)k->mask;
    if (k->op == C_STATUS || k->op == C_ANOMALY || k->op == C_ITEM || k->op == C_FIELD)
        r->possible = names_schema(k, s);
    r->ever = r->possible;
    r->faults = k->op == C_ANOMALY ? anomalies_of(k, s) : fault_of(k);
}

static unsigned bits(uint64_t v)
{
    return (unsigned)__builtin_popcountll(v);
}

/* Not the intersection of actions: two items of one message can have two. Nor of faults, of which it can have
 * several. Of functions the shorter list. */
static void both(struct reach *acc, const struct reach *r)
{
    acc->possible &= r->possible;
    acc->ever &= r->ever;
    acc->actions = bits(r->actions) < bits(acc->actions) ? r->actions : acc->actions;
    if (r->faults && (!acc->faults || bits(r->faults) < bits(acc->faults)))
        acc->faults = r->faults;
    if (r->n_fns && (!acc->n_fns || r->n_fns < acc->n_fns)) {
        memcpy(acc->fns, r->fns, r->n_fns * sizeof r->fns[0]);
        acc->n_fns = r->n_fns;
    }
}

static void either(struct reach *acc, const struct reach *r)
{
    acc->ever |= r->ever;
    if (!r->possible)
        return;
    bool first = !acc->possible, fits = r->n_fns && acc->n_fns + r->n_fns <= REACH_FNS && (first || acc->n_fns);
    acc->faults = r->faults && (first || acc->faults) ? acc->faults | r->faults : 0;
    acc->actions |= r->actions;
    if (fits)
        memcpy(acc->fns + acc->n_fns, r->fns, r->n_fns * sizeof r->fns[0]);
    acc->n_fns = fits ? acc->n_fns + r->n_fns : 0;
    acc->possible = true;
}

void reach_of(const struct cond *k, bool neg, const struct proto_schema *s, unsigned i, struct reach *ret)
{
    if (!k || !cond_is_group(k)) {
        struct cond leaf = k ? *k : (struct cond){.op = C_TRUE};
        leaf.neg = leaf.neg != (neg && k);
        of_leaf(&leaf, s, i, ret);
        return;
    }
    bool n = neg != k->neg, all = (k->op == C_AND) != n;
    struct reach acc = all ? anything : (struct reach){.possible = false}, r;
    for (uint32_t j = 0; j < k->n; j++) {
        reach_of(k->kids[j], n, s, i, &r);
        if (all)
            both(&acc, &r);
        else
            either(&acc, &r);
    }
    *ret = acc;
}

/* ---- the index ---- */

enum { MAX_CANDS = 1 << 22 };

static void index_slots(struct ruleset *rs)
{
    for (unsigned i = 0; i < rs->o.n_schemas; i++) {
        uint64_t at = index_slot(rs->o.schemas[i]);
        while (rs->slots[at])
            at = (at + 1) % INDEX_SLOTS;
        rs->slots[at] = (uint16_t)(i + 1);
    }
}

struct fill {
    struct ruleset *rs;
    const struct reach *reach; /* of every entry, for one schema */
    uint32_t at;               /* into cands */
    bool count;                /* only count: cands is not there yet */
};

static bool has_fn(const struct reach *r, uint32_t fn)
{
    for (uint32_t i = 0; i < r->n_fns; i++)
        if (r->fns[i] == fn)
            return true;
    return false;
}

/* fn FN_NONE: the entries without functions, by action. */
static void fill_bucket(struct fill *f, unsigned action, uint32_t fn, struct bucket *b)
{
    *b = (struct bucket){.at = f->at};
    for (unsigned faulty = 0; faulty < 2; faulty++) {
        for (uint32_t k = 0; k < f->rs->n_entries; k++) {
            const struct reach *r = &f->reach[k];
            if (!r->possible || (r->faults != 0) != faulty)
                continue;
            if (fn == FN_NONE ? r->n_fns || !(r->actions >> action & 1) : !has_fn(r, fn))
                continue;
            if (!f->count) {
                f->rs->cands[f->at] = (uint16_t)k;
                f->rs->needs[f->at] = r->faults;
            }
            f->at++;
            b->n++;
            b->n_plain = (uint16_t)(b->n_plain + !faulty);
        }
    }
}

/* A table at most half full of the functions that entries name. */
static int fn_table(struct fill *f, struct schema_index *ix)
{
    uint32_t n = 0, cap = 2;
    for (uint32_t k = 0; k < f->rs->n_entries; k++)
        n += f->reach[k].possible ? f->reach[k].n_fns : 0;
    while (cap < 2 * n)
        cap *= 2;
    ix->by_fn = set_take(f->rs, cap * sizeof *ix->by_fn);
    if (!ix->by_fn)
        return -ENOMEM;
    ix->fn_mask = cap - 1;
    for (uint32_t i = 0; i < cap; i++)
        ix->by_fn[i].fn = FN_NONE;
    for (uint32_t k = 0; k < f->rs->n_entries; k++) {
        for (uint32_t i = 0; f->reach[k].possible && i < f->reach[k].n_fns; i++) {
            uint32_t at = fn_hash(f->reach[k].fns[i]) & ix->fn_mask;
            while (ix->by_fn[at].fn != FN_NONE && ix->by_fn[at].fn != f->reach[k].fns[i])
                at = (at + 1) & ix->fn_mask;
            ix->by_fn[at].fn = f->reach[k].fns[i];
        }
    }
    return 0;
}

static bool asks_fields(const struct cond *k, const struct proto_schema *s)
{
    bool any = k && k->op == C_FIELD && names_schema(k, s);
    for (uint32_t i = 0; k && cond_is_group(k) && i < k->n; i++)
        any |= asks_fields(k->kids[i], s);
    return any;
}

static int index_schema(struct ruleset *rs, unsigned i, struct reach *reach, bool counting, uint32_t *at)
{
    struct schema_index *ix = &rs->index[i];
    struct fill f = {rs, reach, *at, counting};
    ix->schema = rs->o.schemas[i];
    for (uint32_t k = 0; k < rs->n_entries; k++)
        reach_of(rs->entries[k].local, false, ix->schema, i, &reach[k]);
    for (uint32_t k = 0; k < rs->n_entries; k++)
        if (reach[k].possible && asks_fields(rs->entries[k].local, ix->schema))
            *(rs->entries[k].needs_new ? &ix->fields_new : &ix->fields) = true;
    if (counting && fn_table(&f, ix) < 0)
        return -ENOMEM;
    for (unsigned a = 0; a < ACT_COUNT; a++) {
        fill_bucket(&f, a, FN_NONE, &ix->by_action[a]);
        ix->actions |= (uint32_t)(ix->by_action[a].n > 0) << a;
    }
    for (uint32_t k = 0; k <= ix->fn_mask; k++)
        if (ix->by_fn[k].fn != FN_NONE)
            fill_bucket(&f, 0, ix->by_fn[k].fn, &ix->by_fn[k].b);
    *at = f.at;
    return 0;
}

int index_build(struct ruleset *rs, struct err *e)
{
    struct reach *reach = calloc(rs->n_entries + 1, sizeof *reach);
    rs->index = set_take(rs, (rs->o.n_schemas + 1) * sizeof *rs->index);
    int r = reach && rs->index ? 0 : -ENOMEM;
    if (r == 0)
        index_slots(rs);
    for (unsigned pass = 0; r == 0 && pass < 2; pass++) {
        uint32_t at = 0;
        for (unsigned i = 0; r == 0 && i < rs->o.n_schemas && at <= MAX_CANDS; i++)
            r = index_schema(rs, i, reach, pass == 0, &at);
        if (r == 0 && at > MAX_CANDS)
            r = -E2BIG;
        else if (r == 0 && pass == 0 && (!(rs->cands = set_take(rs, (at + 1) * sizeof *rs->cands)) ||
                                         !(rs->needs = set_take(rs, (at + 1) * sizeof *rs->needs))))
            r = -ENOMEM;
        rs->n_cands = at;
    }
    free(reach);
    if (r == -E2BIG)
        return err_set(e, -EINVAL, "rules: found more rules than the index takes, expected fewer, or more with a "
                       "protocol and an action");
    return r < 0 ? err_set(e, r, "rules: out of memory") : 0;
}
