/* split.c: from the tree of a rule to entries.
 *
 * A condition is brought into the form (local AND rest) OR (local AND rest) ..., where local is all that one message
 * decides and rest what the collector decides. Only nodes that mix both unfold; a rule has at most
 * RULES_MAX_ENTRIES. */
#include "rules/cond.h"

#include <stdlib.h>
#include <string.h>

enum { LOCAL = 1, REST = 2, MAX_ENTRIES = 65000 };

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
    return err_set(s->err, -EINVAL, "%s:%u:1: found conditions of rule %s that unfold into more than %d cases, "
                   "expected fewer 'any' over zones and roles", i->file, i->line, i->id, RULES_MAX_ENTRIES);
}

static int out_of_memory(const struct split *s)
{
    return err_set(s->err, -ENOMEM, "rules: out of memory");
}

static unsigned sides(const struct cond *k)
{
    unsigned m = 0;
    if (!cond_is_group(k))
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

/* The protocols whose messages can meet the rule; all of them: "". */
static int name_protocols(const struct split *s, const struct pairs *p, struct rule *rule)
{
    char text[1024] = "";
    size_t at = 0;
    unsigned n = 0;
    for (unsigned i = 0; i < s->rs->o.n_schemas; i++) {
        const struct proto_schema *sc = s->rs->o.schemas[i];
        bool possible = false;
        for (uint32_t k = 0; k < p->n; k++) {
            struct reach r;
            reach_of(p->v[k].local, false, sc, i, &r);
            possible |= r.ever;
        }
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
        return err_set(s->err, -EINVAL, "%s:%u:1: found conditions of rule %s that no message can meet together, "
                       "expected functions, objects and fields of one protocol", rule->info.file, rule->info.line,
                       rule->info.id);
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

static bool needs_new(const struct cond *k)
{
    if (!k || k->neg)
        return false;
    bool any = k->op == C_NEW_FACT;
    for (uint32_t i = 0; k->op == C_AND && i < k->n; i++)
        any |= needs_new(k->kids[i]);
    return any;
}

static bool names_requests(const struct cond *k)
{
    bool found = k && k->op == C_ENUM && k->what == ENUM_KIND && !k->neg && k->mask >> EV_REQUEST & 1;
    for (uint32_t i = 0; k && cond_is_group(k) && i < k->n && !found; i++)
        found = names_requests(k->kids[i]);
    return found;
}

static uint64_t keep_of(const struct rule_threshold *t, const struct cond *rest)
{
    return t->distinct && !rest && t->window_ns >= 2 * RULES_AGAIN_NS ? t->window_ns / 2 : 0;
}

/* Does the rule count, and is all that its entries ask for in the message? */
static bool is_plain(const struct rule_info *info, const struct pairs *of)
{
    bool plain = info->threshold.count > 0;
    for (uint32_t k = 0; k < of->n; k++)
        plain &= !of->v[k].rest && !names_requests(of->v[k].local);
    return plain;
}

/* The severest come first, so that what finds no room among the hits of a message is the least severe. */
int ruleset_index(struct ruleset *rs, struct err *e)
{
    struct pairs *all = calloc(rs->n_rules + 1, sizeof *all);
    int r = all ? split_all(rs, all, e) : err_set(e, -ENOMEM, "rules: out of memory");
    for (uint32_t i = 0; r == 0 && i < rs->n_rules; i++)
        rs->rules[i].plain = is_plain(&rs->rules[i].info, &all[i]);
    for (unsigned severity = RS_CRITICAL; r == 0 && severity <= RS_WARNING; severity++) {
        for (uint32_t i = 0; i < rs->n_rules; i++) {
            const struct rule_info *info = &rs->rules[i].info;
            for (uint32_t k = 0; info->enabled && info->severity == severity && k < all[i].n; k++)
                rs->entries[rs->n_entries++] = (struct entry){all[i].v[k].local, all[i].v[k].rest, i,
                                                              names_requests(all[i].v[k].local),
                                                              needs_new(all[i].v[k].rest),
                                                              keep_of(&info->threshold, all[i].v[k].rest)};
        }
    }
    free(all);
    return r < 0 ? r : index_build(rs, e);
}
