/* finish.c: the collector's part of rules: knowledge of the plant, and thresholds.
 *
 * A threshold keeps, for each thing it counts apart, the last `count` times (or different things with their times), so
 * "20 within 60 s" is exact wherever the window lies. After it was met the count starts anew. A thing that is counted
 * need not be told each time that it is met again: rule_again() keeps it in the count. Each rule has a table of sets of
 * eight; when a set is full, the count that was quiet longest goes, and that is counted. Time is that of
 * packets. */
#include "rules/cond.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/site.h"

enum { WAYS = 8, DEFAULT_BYTES = 8 << 20, MIN_SETS = 2, MAX_SETS = 1 << 12 };

struct counter { /* followed by its times, or, distinct, by things */
    uint64_t last_ns;
    uint32_t n, head; /* head: where the next time goes */
};
struct thing {
    uint64_t ns, what;
};

/* A set is its keys, which share a line of the cache, 0 where there is none, then its counters. */
struct table {
    unsigned char *mem, *sets; /* sets: in mem, at a multiple of LINE */
    uint32_t n_sets, stride;   /* n_sets: 0 where the rule counts nothing; stride: of a counter */
    struct rule_threshold th;  /* the rule's */
};
enum { LINE = 64 };
_Static_assert(WAYS * sizeof(uint64_t) == LINE, "the keys of a set share a line");

struct rule_state {
    const struct ruleset *rs;
    struct table *tables; /* by rule */
    uint32_t n_tables;
    uint64_t hash_key;
    struct rule_stats stats;
    uint64_t plain_evicted; /* by rule_count(), which another thread may call */
};

/* ---- conditions ---- */

struct ask {
    const struct ruleset *rs;
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

/* What never sent anything is no device; its address has a zone all the same. */
static const char *zone_of(const struct ask *x, unsigned side)
{
    const struct asset_info *a = x->side[side == SIDE_DST];
    const struct site_zone *z =
        a ? NULL : site_zone(x->rs->o.site, x->ev->net, side == SIDE_DST ? &x->ev->dst : &x->ev->src);
    return a ? a->zone : z ? z->name : NULL;
}

static bool device_holds(const struct cond *k, const struct ask *x)
{
    const struct asset_info *e = x->side[k->side == SIDE_DST];
    const char *a = zone_of(x, k->op == C_DEVICE_ZONE ? k->side : SIDE_SRC), *b = zone_of(x, SIDE_DST);
    if (k->op == C_DEVICE_ENGINEER)
        return e ? e->engineer != 0
                 : site_is_engineering_station(x->rs->o.site, x->ev->net,
                                               k->side == SIDE_DST ? &x->ev->dst : &x->ev->src);
    if (k->op == C_DEVICE_ZONE)
        return globs_match(&k->globs, a ? a : "none", (uint32_t)strlen(a ? a : "none"));
    return a && b && (strcmp(a, b) == 0) == (k->op == C_DEVICE_SAME_ZONE);
}

static bool leaf_holds(const struct cond *k, const struct ask *x)
{
    const struct asset_info *a = x->side[k->side == SIDE_DST];
    switch (k->op) {
    case C_DEVICE_ENGINEER:
    case C_DEVICE_ZONE:
    case C_DEVICE_SAME_ZONE:
    case C_DEVICE_OTHER_ZONE:
        return device_holds(k, x);
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

bool finish_holds(const struct ruleset *rs, const struct cond *k, const struct rec_event *ev,
                  const struct asset_info *src, const struct asset_info *dst)
{
    const struct ask x = {rs, ev, {src, dst}};
    return holds(k, &x);
}

/* ---- thresholds ---- */

static struct rule_counted counted_of(const struct rec_event *ev)
{
    return (struct rule_counted){.client = rec_client(ev), .server = rec_server(ev), .object = ev->object,
                                 .unit = ev->unit, .function = ev->function, .selector = ev->selector, .net = ev->net,
                                 .has_unit = ev->has_unit};
}

static uint64_t *set_of(const struct table *t, uint64_t key)
{
    size_t bytes = WAYS * (sizeof(uint64_t) + t->stride);
    return (uint64_t *)(void *)(t->sets + (size_t)(key % t->n_sets) * bytes);
}

static struct counter *counter_at(const struct table *t, uint64_t *keys, unsigned way)
{
    return (struct counter *)(void *)((unsigned char *)(keys + WAYS) + (size_t)way * t->stride);
}

/* Of WAYS keys the place of that one; WAYS: it is not among them. */
static unsigned way_of(const uint64_t *keys, uint64_t key)
{
    unsigned way = 0;
    while (way < WAYS && keys[way] != key)
        way++;
    return way;
}

/* The key's counter; the set has none: that of a free key, else the one that was quiet longest. */
static struct counter *counter_of(const struct table *t, uint64_t key, uint64_t *evicted)
{
    uint64_t *keys = set_of(t, key);
    unsigned way = way_of(keys, key);
    if (way < WAYS)
        return counter_at(t, keys, way);
    way = way_of(keys, 0);
    if (way == WAYS) {
        way = 0;
        for (unsigned i = 1; i < WAYS; i++)
            if (counter_at(t, keys, i)->last_ns < counter_at(t, keys, way)->last_ns)
                way = i;
        ++*evicted;
    }
    keys[way] = key;
    struct counter *c = counter_at(t, keys, way);
    *c = (struct counter){0};
    return c;
}

static bool within(uint64_t then, uint64_t now, uint64_t window)
{
    return then >= now || now - then <= window;
}

/* Adds a time; true with *first when `count` of them lie within the window. */
static bool count_times(struct counter *c, const struct rule_threshold *t, uint64_t now, uint64_t *first)
{
    uint64_t *v = (uint64_t *)(c + 1);
    v[c->head] = now;
    c->head = c->head + 1 == t->count ? 0 : c->head + 1;
    c->n += c->n < t->count;
    *first = v[c->head];
    return c->n == t->count && within(*first, now, t->window_ns);
}

/* c->n: it is not counted. */
static uint32_t find_thing(const struct counter *c, uint64_t what)
{
    const struct thing *v = (const struct thing *)(c + 1);
    uint32_t i = 0;
    while (i < c->n && v[i].what != what)
        i++;
    return i;
}

static uint32_t place_of_thing(struct counter *c, const struct rule_threshold *t, uint64_t what)
{
    const struct thing *v = (const struct thing *)(c + 1);
    uint32_t oldest = 0, i = find_thing(c, what);
    if (i < t->count) {
        c->n += i == c->n;
        return i;
    }
    for (i = 1; i < c->n; i++)
        oldest = v[i].ns < v[oldest].ns ? i : oldest;
    return oldest;
}

static bool count_things(struct counter *c, const struct rule_threshold *t, uint64_t now, uint64_t what,
                         uint64_t *first)
{
    struct thing *v = (struct thing *)(c + 1);
    v[place_of_thing(c, t, what)] = (struct thing){now, what};
    *first = now;
    for (uint32_t i = 0; c->n == t->count && i < c->n; i++) {
        if (!within(v[i].ns, now, t->window_ns))
            return false;
        *first = v[i].ns < *first ? v[i].ns : *first;
    }
    return c->n == t->count;
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
        n = snprintf(ret, RULE_WHY, "%u different %s within %.3g s", v->count, things[t->distinct], s);
    else
        n = snprintf(ret, RULE_WHY, "%u messages within %.3g s", v->count, s);
    snprintf(ret + n, RULE_WHY - (size_t)n, "; the rule allows fewer than %u in %g s", t->count, limit);
}

/* Is the count reached with this message? *first: when it began. */
static bool count(const struct table *tab, const struct rule_count *what, uint64_t now, uint64_t *evicted,
                  uint64_t *first)
{
    const struct rule_threshold *t = &tab->th;
    struct counter *c = counter_of(tab, what->group, evicted);
    bool jumped = c->n && now + t->window_ns < c->last_ns; /* time was set back: what was counted says nothing */
    if (jumped || (c->n && !within(c->last_ns, now, t->window_ns)))
        c->n = c->head = 0;
    c->last_ns = now;
    if (!(t->distinct ? count_things(c, t, now, what->thing, first) : count_times(c, t, now, first)))
        return false;
    c->n = c->head = 0;
    return true;
}

/* Did an earlier one of these n hits ask the same rule? */
static bool asked(const struct ruleset *rs, const uint16_t hits[], unsigned n, uint32_t rule)
{
    for (unsigned i = 0; i < n; i++)
        if (rs->entries[hits[i]].rule == rule)
            return true;
    return false;
}

/* What is counted of a message for the i-th of its hits is on its way to the cache; group 0: nothing is. */
static struct rule_count fetch_count(const struct rule_state *st, const struct rule_counted *m, const uint16_t hits[],
                                     unsigned i)
{
    struct rule_count what = {0};
    uint32_t rule = st->rs->entries[hits[i]].rule;
    const struct table *t = &st->tables[rule];
    if (!st->rs->rules[rule].plain || asked(st->rs, hits, i, rule) || !rules_count_of(&t->th, st->hash_key, m, &what))
        return (struct rule_count){0};
    __builtin_prefetch(set_of(t, what.group));
    return what;
}

/* And its counter. */
static void fetch_counter(const struct table *t, const struct rule_count *what)
{
    uint64_t *keys = set_of(t, what->group);
    unsigned way = way_of(keys, what->group);
    if (way < WAYS)
        __builtin_prefetch(counter_at(t, keys, way));
}

unsigned rule_count(struct rule_state *st, const struct rule_counted *m, uint64_t ts_ns, uint16_t hits[],
                    uint64_t since[], unsigned n)
{
    const struct ruleset *rs = st->rs;
    struct rule_count what[REC_MAX_HITS];
    unsigned left = 0;
    for (unsigned i = 0; i < n; i++)
        what[i] = fetch_count(st, m, hits, i);
    for (unsigned i = 0; i < n && n > 1; i++)
        if (what[i].group)
            fetch_counter(&st->tables[rs->entries[hits[i]].rule], &what[i]);
    for (unsigned i = 0; i < n; i++) {
        uint32_t rule = rs->entries[hits[i]].rule;
        since[left] = 0;
        if (rs->rules[rule].plain &&
            (!what[i].group || !count(&st->tables[rule], &what[i], ts_ns, &st->plain_evicted, &since[left])))
            continue;
        hits[left++] = hits[i];
    }
    return left;
}

uint64_t rule_count_evicted(const struct rule_state *st)
{
    return st->plain_evicted;
}

void rule_again(struct rule_state *st, const struct rec_counted *r)
{
    const struct table *t = r->hit < st->rs->n_entries ? &st->tables[st->rs->entries[r->hit].rule] : NULL;
    if (!t || !t->n_sets || !t->th.distinct)
        return;
    uint64_t *keys = set_of(t, r->count.group);
    unsigned way = way_of(keys, r->count.group);
    if (way == WAYS)
        return;
    struct counter *c = counter_at(t, keys, way);
    struct thing *v = (struct thing *)(c + 1);
    uint32_t i = find_thing(c, r->count.thing);
    if (i < c->n && v[i].ns < r->last_ns)
        v[i].ns = r->last_ns;
    if (c->n && c->last_ns < r->last_ns)
        c->last_ns = r->last_ns;
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

/* As rule_count() found it. */
static uint64_t counted_since(const struct rec_event *ev, unsigned hit)
{
    unsigned i = 0;
    while (i + 1u < ev->n_hits && ev->hits[i] != hit)
        i++;
    return ev->since[i];
}

static bool reached(struct rule_state *st, const struct rec_event *ev, unsigned hit, struct rule_verdict *ret)
{
    const struct table *tab = &st->tables[st->rs->entries[hit].rule];
    const struct rule_counted m = counted_of(ev);
    struct rule_count what;
    ret->count = tab->th.count;
    if (ev->since && ruleset_hit_plain(st->rs, hit)) {
        ret->first_ns = counted_since(ev, hit);
        return true;
    }
    if (!rules_count_of(&tab->th, st->hash_key, &m, &what))
        return false;
    st->stats.counted++;
    return count(tab, &what, ev->ts_ns, &st->stats.evicted, &ret->first_ns);
}

bool rule_finish(struct rule_state *st, unsigned hit, const struct rec_event *ev, const struct asset_info *src,
                 const struct asset_info *dst, struct rule_verdict *ret)
{
    const struct ruleset *rs = st->rs;
    const struct ask x = {rs, ev, {src, dst}};
    if (hit >= rs->n_entries)
        return false;
    const struct entry *en = &rs->entries[hit];
    bool met = rest_holds(en, &x);
    if (met && finished(rs, hit, &x))
        return false;
    struct rule_verdict v = {.rule = &rs->rules[en->rule].info, .first_ns = ev->ts_ns, .last_ns = ev->ts_ns,
                             .count = 1};
    if (met && st->tables[en->rule].n_sets)
        met = reached(st, ev, hit, &v);
    st->stats.raised += met;
    st->stats.unmet += !met;
    if (met)
        *ret = v;
    return met;
}

/* ---- the state ---- */

static uint32_t stride_of(const struct rule_threshold *t)
{
    return (uint32_t)(sizeof(struct counter) + t->count * (t->distinct ? sizeof(struct thing) : sizeof(uint64_t)));
}

static bool table_new(struct rule_state *st, struct table *t, const struct rule_threshold *th, size_t bytes)
{
    t->th = *th;
    t->stride = stride_of(th);
    size_t set = WAYS * (sizeof(uint64_t) + t->stride), sets = bytes / set;
    t->n_sets = (uint32_t)(sets < MIN_SETS ? MIN_SETS : sets > MAX_SETS ? MAX_SETS : sets);
    size_t size = (size_t)t->n_sets * set;
    t->mem = calloc(1, size + LINE);
    t->sets = t->mem ? t->mem + (LINE - (uintptr_t)t->mem % LINE) % LINE : NULL;
    st->stats.memory_bytes += size;
    return t->mem;
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
        free(st->tables[i].mem);
    free(st->tables);
    free(st);
}

void rule_state_stats(const struct rule_state *st, struct rule_stats *ret)
{
    *ret = st->stats;
}
