/* split.c: from the tree of a rule to entries, and from entries to the index.
 *
 * A condition is brought into the form (local AND rest) OR (local AND rest) ..., where local is all that one message
 * decides and rest what the collector decides. Only nodes that mix both unfold; a rule has at most RULES_MAX_ENTRIES. */
#include "rules/cond.h"

#include <stdlib.h>
#include <string.h>

enum { LOCAL = 1, REST = 2 };

struct pair {
    const struct cond *local, *rest; /* NULL: true */
};
struct pairs {
    struct pair v[RULES_MAX_ENTRIES];
    uint32_t n;
};

struct split {
    struct ruleset *rs;
    struct err *err;
    const struct rule *rule;
};

static int too_many(const struct split *s)
{
    const struct rule_info *i = &s->rule->info;
    return err_set(s->err, -EINVAL, "%s:%u:1: found conditions of rule %s that unfold into more than %d cases, expected "
                   "fewer 'any' over zones and roles", i->file, i->line, i->id, RULES_MAX_ENTRIES);
}

static int out_of_memory(const struct split *s)
{
    return err_set(s->err, -ENOMEM, "rules: out of memory");
}

static bool is_group(const struct cond *k)
{
    return k->op == C_AND || k->op == C_OR;
}

static unsigned sides(const struct cond *k)
{
    unsigned m = 0;
    if (!is_group(k))
        return k->op >= C_COLLECTOR ? REST : LOCAL;
    for (uint32_t i = 0; i < k->n; i++)
        m |= sides(k->kids[i]);
    return m;
}

static const struct cond *turned(const struct split *s, const struct cond *k, bool neg)
{
    if (!neg)
        return k;
    struct cond *t = set_take(s->rs, sizeof *t);
    if (t) {
        *t = *k;
        t->neg = !t->neg;
    }
    return t;
}

/* a AND b (or OR), NULL standing for true in an AND and for "none yet" in an OR. False when out of memory. */
static bool join2(const struct split *s, unsigned op, const struct cond *a, const struct cond *b,
                  const struct cond **ret)
{
    if (!a || !b) {
        *ret = a ? a : b;
        return true;
    }
    struct cond *j = set_take(s->rs, sizeof *j);
    const struct cond **kids = set_take(s->rs, 2 * sizeof *kids);
    if (!j || !kids)
        return false;
    kids[0] = a;
    kids[1] = b;
    *j = (struct cond){.op = (uint8_t)op, .n = 2, .kids = kids};
    *ret = j;
    return true;
}

static int split_cond(const struct split *s, const struct cond *k, bool neg, struct pairs *out);

static int split_and(const struct split *s, const struct cond *k, bool neg, struct pairs *out)
{
    struct pairs acc = {.n = 1}, sub;
    for (uint32_t i = 0; i < k->n; i++) {
        struct pairs next = {.n = 0};
        int r = split_cond(s, k->kids[i], neg, &sub);
        if (r < 0)
            return r;
        if (acc.n * sub.n > RULES_MAX_ENTRIES)
            return too_many(s);
        for (uint32_t a = 0; a < acc.n; a++) {
            for (uint32_t b = 0; b < sub.n; b++) {
                struct pair *p = &next.v[next.n++];
                if (!join2(s, C_AND, acc.v[a].local, sub.v[b].local, &p->local) ||
                    !join2(s, C_AND, acc.v[a].rest, sub.v[b].rest, &p->rest))
                    return out_of_memory(s);
            }
        }
        acc = next;
    }
    *out = acc;
    return 0;
}

static int split_or(const struct split *s, const struct cond *k, bool neg, struct pairs *out)
{
    const struct cond *pure[3] = {NULL};
    struct pairs sub;
    out->n = 0;
    for (uint32_t i = 0; i < k->n; i++) {
        unsigned side = sides(k->kids[i]);
        if (side != (LOCAL | REST)) { /* all that is only local is one case, and so is all the rest */
            const struct cond *t = turned(s, k->kids[i], neg);
            if (!t || !join2(s, C_OR, pure[side], t, &pure[side]))
                return out_of_memory(s);
            continue;
        }
        int r = split_cond(s, k->kids[i], neg, &sub);
        if (r < 0)
            return r;
        if (out->n + sub.n > RULES_MAX_ENTRIES)
            return too_many(s);
        memcpy(&out->v[out->n], sub.v, sub.n * sizeof sub.v[0]);
        out->n += sub.n;
    }
    for (unsigned side = LOCAL; side <= REST; side++) {
        if (!pure[side])
            continue;
        if (out->n == RULES_MAX_ENTRIES)
            return too_many(s);
        out->v[out->n++] = side == LOCAL ? (struct pair){.local = pure[side]} : (struct pair){.rest = pure[side]};
    }
    return 0;
}

static int split_cond(const struct split *s, const struct cond *k, bool neg, struct pairs *out)
{
    unsigned side = sides(k);
    if (side != (LOCAL | REST)) {
        const struct cond *t = turned(s, k, neg);
        if (!t)
            return out_of_memory(s);
        out->v[0] = side == LOCAL ? (struct pair){.local = t} : (struct pair){.rest = t};
        out->n = 1;
        return 0;
    }
    bool n = neg != k->neg; /* De Morgan: a negated AND is an OR of the negated */
    return (k->op == C_AND) != n ? split_and(s, k, n, out) : split_or(s, k, n, out);
}

/* ---- what a message must at least be for a condition to hold ---- */

struct reach {
    bool possible, error; /* error: only with an error or anomaly */
    uint32_t actions;
    uint32_t fn_lo, fn_hi;
};

static const struct reach anything = {.possible = true, .actions = UINT32_MAX, .fn_hi = UINT32_MAX};

static struct reach of_functions(const struct cond *k, const struct proto_schema *s)
{
    struct reach r = {.possible = false, .actions = UINT32_MAX, .fn_lo = UINT32_MAX, .fn_hi = 0};
    for (uint32_t i = 0; i < k->n; i++) {
        const struct fn_pat *f = &k->fns[i];
        uint32_t lo = f->row ? f->row->fn : f->lo, hi = f->row ? f->row->fn : f->hi;
        if (f->schema != s)
            continue;
        r.possible = true;
        r.fn_lo = lo < r.fn_lo ? lo : r.fn_lo;
        r.fn_hi = hi > r.fn_hi ? hi : r.fn_hi;
    }
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

static struct reach of_leaf(const struct cond *k, const struct proto_schema *s, unsigned i)
{
    struct reach r = anything;
    if (k->op == C_PROTOCOL)
        r.possible = (bool)(k->schemas[i / 64] >> (i % 64) & 1) != k->neg;
    if (k->op == C_FALSE || k->op == C_TRUE)
        r.possible = (k->op == C_TRUE) != k->neg;
    if (k->neg)
        return r;
    switch (k->op) {
    case C_FUNCTION:
        return of_functions(k, s);
    case C_ACTION:
        r.actions = (uint32_t)k->mask;
        break;
    case C_ENUM:
        r.error = k->what == ENUM_ERROR && k->mask == 2;
        break;
    case C_ANOMALY:
        r.error = true;
        r.possible = names_schema(k, s);
        break;
    case C_STATUS:
    case C_ITEM:
    case C_FIELD:
        r.possible = names_schema(k, s);
        break;
    default:
        break;
    }
    return r;
}

static unsigned bits(uint32_t v)
{
    return (unsigned)__builtin_popcount(v);
}

static struct reach reach_of(const struct cond *k, bool neg, const struct proto_schema *s, unsigned i)
{
    if (!k)
        return anything;
    if (!is_group(k)) {
        struct cond leaf = *k;
        leaf.neg = k->neg != neg;
        return of_leaf(&leaf, s, i);
    }
    bool n = neg != k->neg, all = (k->op == C_AND) != n;
    struct reach acc = all ? anything : (struct reach){.error = true, .fn_lo = UINT32_MAX};
    for (uint32_t j = 0; j < k->n; j++) {
        struct reach r = reach_of(k->kids[j], n, s, i);
        if (all) {
            acc.possible &= r.possible;
            acc.error |= r.error;
            /* not the intersection: two items of one message can have two actions */
            acc.actions = bits(r.actions) < bits(acc.actions) ? r.actions : acc.actions;
            acc.fn_lo = r.fn_lo > acc.fn_lo ? r.fn_lo : acc.fn_lo;
            acc.fn_hi = r.fn_hi < acc.fn_hi ? r.fn_hi : acc.fn_hi;
        } else if (r.possible) {
            acc.possible = true;
            acc.error &= r.error;
            acc.actions |= r.actions;
            acc.fn_lo = r.fn_lo < acc.fn_lo ? r.fn_lo : acc.fn_lo;
            acc.fn_hi = r.fn_hi > acc.fn_hi ? r.fn_hi : acc.fn_hi;
        }
    }
    acc.possible &= acc.fn_lo <= acc.fn_hi;
    return acc;
}

/* ---- the index ---- */

static uint64_t slot_of(const struct proto_schema *s)
{
    return ((uint64_t)(uintptr_t)s >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 55;
}
_Static_assert(INDEX_SLOTS == 1 << (64 - 55), "the hash fills the table");

static void index_slots(struct ruleset *rs)
{
    for (unsigned i = 0; i < rs->o.n_schemas; i++) {
        uint64_t at = slot_of(rs->o.schemas[i]);
        while (rs->slots[at])
            at = (at + 1) % INDEX_SLOTS;
        rs->slots[at] = (uint16_t)(i + 1);
    }
}

static bool wanted(const struct reach *r, unsigned action, bool error)
{
    return r->possible && r->actions >> action & 1 && r->error == error;
}

/* Two passes: count, then fill. */
static void index_schema(struct ruleset *rs, unsigned i, struct reach *reach, struct cand *cands, uint32_t *at)
{
    struct schema_index *ix = &rs->index[i];
    ix->schema = rs->o.schemas[i];
    for (uint32_t k = 0; k < rs->n_entries; k++)
        reach[k] = reach_of(rs->entries[k].local, false, ix->schema, i);
    for (unsigned a = 0; a < ACT_COUNT; a++) {
        struct bucket *b = &ix->by_action[a];
        *b = (struct bucket){.at = *at};
        for (unsigned error = 0; error < 2; error++) {
            for (uint32_t k = 0; k < rs->n_entries; k++) {
                if (!wanted(&reach[k], a, error))
                    continue;
                if (cands)
                    cands[*at] = (struct cand){reach[k].fn_lo, reach[k].fn_hi, (uint16_t)k, (uint16_t)error};
                ++*at;
                b->n++;
                b->n_plain = (uint16_t)(b->n_plain + !error);
            }
        }
    }
}

enum { MAX_CANDS = 1 << 22, MAX_ENTRIES = 65000 };

static int build_index(struct ruleset *rs, struct err *e)
{
    struct reach *reach = calloc(rs->n_entries + 1, sizeof *reach);
    rs->index = set_take(rs, (rs->o.n_schemas + 1) * sizeof *rs->index);
    int r = reach && rs->index ? 0 : err_set(e, -ENOMEM, "rules: out of memory");
    if (r == 0)
        index_slots(rs);
    for (unsigned pass = 0; r == 0 && pass < 2; pass++) {
        uint32_t at = 0;
        for (unsigned i = 0; i < rs->o.n_schemas && at <= MAX_CANDS; i++)
            index_schema(rs, i, reach, pass ? rs->cands : NULL, &at);
        if (at > MAX_CANDS)
            r = err_set(e, -EINVAL, "rules: found more rules than the index takes, expected fewer, or more with a protocol "
                        "and an action");
        else if (pass == 0 && !(rs->cands = set_take(rs, (at + 1) * sizeof *rs->cands)))
            r = err_set(e, -ENOMEM, "rules: out of memory");
        rs->n_cands = at;
    }
    free(reach);
    return r;
}

/* The protocols whose messages can meet the rule; all of them: "". */
static int name_protocols(const struct split *s, const struct pairs *p, struct rule *rule)
{
    char text[1024] = "";
    size_t at = 0;
    unsigned n = 0;
    for (unsigned i = 0; i < s->rs->o.n_schemas; i++) {
        const struct proto_schema *sc = s->rs->o.schemas[i];
        bool possible = false;
        for (uint32_t k = 0; k < p->n; k++)
            possible |= reach_of(p->v[k].local, false, sc, i).possible;
        size_t len = strlen(sc->name);
        n += possible;
        if (!possible || at + len + 2 > sizeof text)
            continue;
        if (at)
            text[at++] = ' ';
        memcpy(text + at, sc->name, len + 1);
        at += len;
    }
    if (n == 0 && rule->info.shipped) /* for a protocol that this build lacks */
        rule->info.enabled = false;
    else if (n == 0)
        return err_set(s->err, -EINVAL, "%s:%u:1: found conditions of rule %s that no message can meet together, expected "
                       "functions, objects and fields of one protocol", rule->info.file, rule->info.line, rule->info.id);
    rule->info.protocols = set_text(s->rs, n == s->rs->o.n_schemas ? "" : text, n == s->rs->o.n_schemas ? 0 : at);
    return rule->info.protocols ? 0 : out_of_memory(s);
}

/* All rules are split (and so checked); the entries of the enabled ones are kept. */
static int split_all(struct ruleset *rs, struct pairs *all, struct err *e)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < rs->n_rules; i++) {
        struct split s = {rs, e, &rs->rules[i]};
        int r = split_cond(&s, rs->rules[i].when, false, &all[i]);
        if (r == 0)
            r = name_protocols(&s, &all[i], &rs->rules[i]);
        if (r < 0)
            return r;
        total += rs->rules[i].info.enabled ? all[i].n : 0;
    }
    if (total > MAX_ENTRIES)
        return err_set(e, -EINVAL, "rules: found %u cases of conditions, expected at most %d", total, MAX_ENTRIES);
    rs->entries = set_take(rs, (total + 1) * sizeof *rs->entries);
    return rs->entries ? 0 : err_set(e, -ENOMEM, "rules: out of memory");
}

/* The severest come first, so that what finds no room among the hits of a message is the least severe. */
int ruleset_index(struct ruleset *rs, struct err *e)
{
    struct pairs *all = calloc(rs->n_rules + 1, sizeof *all);
    int r = all ? split_all(rs, all, e) : err_set(e, -ENOMEM, "rules: out of memory");
    for (unsigned severity = RS_CRITICAL; r == 0 && severity <= RS_WARNING; severity++) {
        for (uint32_t i = 0; i < rs->n_rules; i++) {
            const struct rule_info *info = &rs->rules[i].info;
            for (uint32_t k = 0; info->enabled && info->severity == severity && k < all[i].n; k++)
                rs->entries[rs->n_entries++] = (struct entry){all[i].v[k].local, all[i].v[k].rest, i};
        }
    }
    free(all);
    return r < 0 ? r : build_index(rs, e);
}
