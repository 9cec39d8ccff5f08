/* finish.c: the collector's part of rules: knowledge of the plant, and thresholds.
 *
 * A threshold keeps, for each thing it counts apart, the last `count` times (or different things with their times), so
 * "20 within 60 s" is exact wherever the window lies. After it was met the count starts anew. Each rule has a table of
 * sets of eight; when a set is full, the count that was quiet longest goes, and that is counted. Time is that of
 * packets. */
#include "rules/cond.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"

enum { WAYS = 8, DEFAULT_BYTES = 8 << 20, MIN_SETS = 2, MAX_SETS = 1 << 12 };

struct counter { /* followed by its times, and, distinct, by what stood for them */
    uint64_t key;     /* 0: free */
    uint64_t last_ns;
    uint32_t n, head; /* head: where the next time goes */
    uint32_t seen;    /* messages since the count began */
    uint32_t pad;
};

struct table {
    unsigned char *slots;
    uint32_t n_sets, stride;
};

/* Rules that count a message mostly count it by the same ends: their part of the key that was made last. */
struct ends {
    struct addr src, dst;
    uint64_t key;
    uint16_t net;
    bool used;
};

struct rule_state {
    const struct ruleset *rs;
    struct table *tables; /* by rule */
    uint32_t n_tables;
    uint64_t hash_key;
    struct ends ends[(BY_SRC | BY_DST) + 1];
    struct rule_stats stats;
};

/* ---- conditions ---- */

struct ask {
    const struct rec_event *ev;
    const struct asset_info *side[2]; /* SIDE_SRC, SIDE_DST */
};

static bool text_holds(const struct cond *k, const struct asset_info *a)
{
    const char *s = NULL;
    if (a) {
        const char *const v[] = {a->name, a->type, a->vendor, a->criticality};
        s = v[k->what];
    }
    if (!s || !*s)
        s = "unknown";
    return globs_match(&k->globs, s, (uint32_t)strlen(s));
}

static bool new_fact(const struct rec_event *ev)
{
    for (unsigned i = 0; i < ev->n_facts; i++)
        if (ev->facts[i].is_new)
            return true;
    return false;
}

static bool leaf_holds(const struct cond *k, const struct ask *x)
{
    const struct asset_info *a = x->side[k->side == SIDE_DST];
    switch (k->op) {
    case C_TEXT:
        return text_holds(k, a);
    case C_ROLE:
        return a && a->roles & k->mask;
    case C_PURDUE:
        return a && a->purdue >= 0 && ranges_hold(&k->ranges, a->purdue);
    case C_KNOWN:
        return a && a->known;
    case C_NEW_FACT:
        return new_fact(x->ev);
    case C_LEARNING:
        return x->ev->learning;
    default:
        return k->op == C_TRUE;
    }
}

static bool holds(const struct cond *k, const struct ask *x)
{
    if (!k)
        return true;
    if (k->op != C_AND && k->op != C_OR)
        return leaf_holds(k, x) != k->neg;
    bool stop = k->op == C_OR;
    for (uint32_t i = 0; i < k->n; i++)
        if (holds(k->kids[i], x) == stop)
            return stop != k->neg;
    return stop == k->neg;
}

bool finish_holds(const struct cond *k, const struct rec_event *ev, const struct asset_info *src,
                  const struct asset_info *dst)
{
    const struct ask x = {ev, {src, dst}};
    return holds(k, &x);
}

/* ---- thresholds ---- */

static uint64_t *times(struct counter *c)
{
    return (uint64_t *)(c + 1);
}

static uint64_t mix_addr(uint64_t h, const struct addr *a)
{
    return hash_bytes(h, a->b, sizeof a->b);
}

static uint64_t key_of_ends(struct rule_state *st, uint8_t by, const struct rec_event *ev)
{
    const struct addr *src = rec_client(ev), *dst = rec_server(ev);
    struct ends *e = &st->ends[by];
    if (e->used && e->net == ev->net && addr_eq(&e->src, src) && addr_eq(&e->dst, dst))
        return e->key;
    uint64_t h = hash_u64(st->hash_key, ev->net);
    h = by & BY_SRC ? mix_addr(h, src) : h;
    h = by & BY_DST ? mix_addr(h, dst) : h;
    *e = (struct ends){.src = *src, .dst = *dst, .key = h, .net = ev->net, .used = true};
    return h;
}

static uint64_t key_of(struct rule_state *st, const struct rule_threshold *t, const struct rec_event *ev)
{
    uint64_t h = key_of_ends(st, t->by & (BY_SRC | BY_DST), ev);
    h = t->by & BY_UNIT ? hash_u64(h, ev->has_unit ? ev->unit : UINT64_MAX) : h;
    h = t->by & BY_FUNCTION ? hash_u64(h, (uint64_t)ev->function << 32 | ev->selector) : h;
    h = t->by & BY_OBJECT ? hash_u64(h, ev->object) : h;
    return h ? h : 1;
}

/* What is counted once; false: this message has none of it. */
static bool thing_of(const struct rule_threshold *t, const struct rec_event *ev, uint64_t *ret)
{
    switch (t->distinct) {
    case DISTINCT_DST:
        *ret = mix_addr(1, rec_server(ev));
        return true;
    case DISTINCT_SRC:
        *ret = mix_addr(1, rec_client(ev));
        return true;
    case DISTINCT_OBJECT:
        *ret = ev->object;
        return ev->object != 0;
    case DISTINCT_UNIT:
        *ret = ev->unit;
        return ev->has_unit;
    default:
        *ret = (uint64_t)ev->function << 32 | ev->selector;
        return true;
    }
}

static struct counter *counter_of(struct rule_state *st, const struct table *t, uint64_t key)
{
    unsigned char *set = t->slots + (size_t)(key % t->n_sets) * WAYS * t->stride;
    struct counter *oldest = NULL;
    for (unsigned i = 0; i < WAYS; i++) {
        struct counter *c = (struct counter *)(void *)(set + (size_t)i * t->stride);
        if (c->key == key)
            return c;
        if (!oldest || (oldest->key && (!c->key || c->last_ns < oldest->last_ns)))
            oldest = c;
    }
    st->stats.evicted += oldest->key != 0;
    *oldest = (struct counter){.key = key};
    return oldest;
}

static bool within(uint64_t then, uint64_t now, uint64_t window)
{
    return then >= now || now - then <= window;
}

/* Adds a time; true with *first when `count` of them lie within the window. */
static bool count_times(struct counter *c, const struct rule_threshold *t, uint64_t now, uint64_t *first)
{
    uint64_t *v = times(c);
    v[c->head] = now;
    c->head = (c->head + 1) % t->count;
    c->n += c->n < t->count;
    *first = v[c->head];
    return c->n == t->count && within(*first, now, t->window_ns);
}

static bool count_things(struct counter *c, const struct rule_threshold *t, uint64_t now, uint64_t thing,
                         uint64_t *first)
{
    uint64_t *v = times(c), *what = v + t->count;
    uint32_t at = UINT32_MAX, oldest = 0, n = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        if (what[i] == thing)
            at = i;
        if (v[i] < v[oldest])
            oldest = i;
    }
    if (at == UINT32_MAX)
        at = c->n < t->count ? c->n++ : oldest;
    v[at] = now;
    what[at] = thing;
    *first = now;
    for (uint32_t i = 0; i < c->n; i++) {
        if (!within(v[i], now, t->window_ns))
            continue;
        *first = v[i] < *first ? v[i] : *first;
        n++;
    }
    return n >= t->count;
}

void rule_why(const struct rule_verdict *v, char ret[RULE_WHY])
{
    static const char *const things[] = {"", "destinations", "sources", "objects", "units", "functions"};
    const struct rule_threshold *t = &v->rule->threshold;
    double s = v->last_ns > v->first_ns ? (double)(v->last_ns - v->first_ns) / 1e9 : 0;
    double limit = (double)t->window_ns / 1e9;
    int n;
    ret[0] = '\0';
    if (!t->count)
        return;
    if (t->distinct)
        n = snprintf(ret, RULE_WHY, "%u different %s in %u messages within %.3g s", v->distinct, things[t->distinct],
                     v->count, s);
    else
        n = snprintf(ret, RULE_WHY, "%u messages within %.3g s", v->count, s);
    snprintf(ret + n, RULE_WHY - (size_t)n, "; the rule allows fewer than %u in %g s", t->count, limit);
}

static bool count(struct rule_state *st, unsigned rule, const struct rec_event *ev, struct rule_verdict *ret)
{
    const struct rule_threshold *t = &st->rs->rules[rule].info.threshold;
    uint64_t thing = 0, first, now = ev->ts_ns;
    if (t->distinct && !thing_of(t, ev, &thing))
        return false;
    struct counter *c = counter_of(st, &st->tables[rule], key_of(st, t, ev));
    bool jumped = c->n && now + t->window_ns < c->last_ns; /* time was set back: what was counted says nothing */
    if (jumped || (c->n && !within(c->last_ns, now, t->window_ns)))
        c->n = c->head = c->seen = 0;
    st->stats.counted++;
    c->last_ns = now;
    c->seen++;
    if (!(t->distinct ? count_things(c, t, now, thing, &first) : count_times(c, t, now, &first)))
        return false;
    ret->first_ns = first;
    ret->count = t->distinct ? c->seen : t->count;
    ret->distinct = t->distinct ? t->count : 0;
    ret->last_ns = now;
    c->n = c->head = c->seen = 0;
    return true;
}

/* Most entries leave nothing to ask. */
static inline bool rest_holds(const struct entry *en, const struct ask *x)
{
    return !en->rest || holds(en->rest, x);
}

/* By an earlier entry of the same rule? */
static bool finished(const struct ruleset *rs, unsigned hit, const struct ask *x)
{
    const struct rec_event *ev = x->ev;
    for (unsigned i = 0; i < ev->n_hits && ev->hits[i] < hit; i++)
        if (rs->entries[ev->hits[i]].rule == rs->entries[hit].rule && rest_holds(&rs->entries[ev->hits[i]], x))
            return true;
    return false;
}

bool rule_finish(struct rule_state *st, unsigned hit, const struct rec_event *ev, const struct asset_info *src,
                 const struct asset_info *dst, struct rule_verdict *ret)
{
    const struct ruleset *rs = st->rs;
    const struct ask x = {ev, {src, dst}};
    if (hit >= rs->n_entries)
        return false;
    const struct entry *en = &rs->entries[hit];
    bool met = rest_holds(en, &x);
    if (met && finished(rs, hit, &x))
        return false;
    const struct rule_info *info = &rs->rules[en->rule].info;
    if (met && info->threshold.count)
        met = count(st, en->rule, ev, ret);
    else if (met)
        *ret = (struct rule_verdict){.first_ns = ev->ts_ns, .last_ns = ev->ts_ns, .count = 1};
    st->stats.raised += met;
    st->stats.unmet += !met;
    if (met)
        ret->rule = info;
    return met;
}

/* ---- the state ---- */

static uint32_t stride_of(const struct rule_threshold *t)
{
    return (uint32_t)(sizeof(struct counter) + t->count * sizeof(uint64_t) * (t->distinct ? 2 : 1));
}

static bool table_new(struct rule_state *st, struct table *t, const struct rule_threshold *th, size_t bytes)
{
    t->stride = stride_of(th);
    size_t sets = bytes / ((size_t)WAYS * t->stride);
    t->n_sets = (uint32_t)(sets < MIN_SETS ? MIN_SETS : sets > MAX_SETS ? MAX_SETS : sets);
    size_t size = (size_t)t->n_sets * WAYS * t->stride;
    t->slots = calloc(1, size);
    st->stats.memory_bytes += size;
    return t->slots;
}

int rule_state_new(const struct ruleset *rs, size_t bytes, uint64_t hash_key, struct rule_state **ret, struct err *e)
{
    struct rule_state *st = calloc(1, sizeof *st);
    size_t n = 0;
    bool ok = st && (st->tables = calloc(rs->n_rules + 1, sizeof *st->tables));
    if (ok) {
        st->rs = rs;
        st->n_tables = rs->n_rules;
        st->hash_key = hash_key;
        st->stats.memory_bytes = sizeof *st + (rs->n_rules + 1) * sizeof *st->tables;
    }
    for (uint32_t i = 0; i < rs->n_rules; i++)
        n += rs->rules[i].info.enabled && rs->rules[i].info.threshold.count;
    for (uint32_t i = 0; ok && i < rs->n_rules; i++) {
        const struct rule_info *info = &rs->rules[i].info;
        if (info->enabled && info->threshold.count)
            ok = table_new(st, &st->tables[i], &info->threshold, (bytes ? bytes : DEFAULT_BYTES) / n);
    }
    if (!ok) {
        rule_state_free(st);
        return err_set(e, -ENOMEM, "rules: out of memory for thresholds");
    }
    *ret = st;
    return 0;
}

void rule_state_free(struct rule_state *st)
{
    if (!st)
        return;
    for (uint32_t i = 0; st->tables && i < st->n_tables; i++)
        free(st->tables[i].slots);
    free(st->tables);
    free(st);
}

void rule_state_stats(const struct rule_state *st, struct rule_stats *ret)
{
    *ret = st->stats;
}
