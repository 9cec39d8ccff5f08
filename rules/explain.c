/* explain.c: what an alert says of a rule that holds: which of its conditions say more than the act itself, with the
 * values that met them, and what would have been right. */
#include <stdio.h>
#include <string.h>

#include "rules/explain.h"

struct told {
    const struct rule_asked *q;
    struct rule_input in;
    const struct ruleset *rs;
    struct words met, expected;
    unsigned rank; /* of what `expected` says: the most telling condition decides */
    bool learned;
};

enum { RANK_NONE, RANK_ACT, RANK_PLAIN, RANK_ERROR, RANK_LEARNED, RANK_VALUE, RANK_ANOMALY, RANK_WHO };

static void met(struct told *t, const char *s)
{
    words_add(&t->met, "%s%s", t->met.n ? "; " : "", s);
}

/* True when this condition tells more than those before: then `expected` begins anew. */
static bool ranks(struct told *t, unsigned rank)
{
    if (rank <= t->rank)
        return false;
    t->rank = rank;
    t->expected = words_in(t->expected.p, t->expected.cap);
    return true;
}

static const struct asset_info *asset_of(const struct told *t, const struct cond *k)
{
    return k->side == SIDE_DST ? t->q->dst : t->q->src;
}

static const char *side_of(const struct cond *k)
{
    return k->side == SIDE_DST ? "the receiver" : "the sender";
}

/* ---- one condition each ---- */

static void stations(struct told *t)
{
    const struct site *s = t->rs->o.site;
    char net[SUBNET_TEXT];
    for (uint32_t i = 0; s && i < s->n_stations && i < 4; i++) {
        const struct site_ref *r = &s->stations[i];
        if (r->asset == SITE_NO_ASSET)
            subnet_text(&r->subnet, net);
        words_add(&t->expected, "%s%s", i ? ", " : ": ",
                  r->asset == SITE_NO_ASSET ? net : s->assets[r->asset].name ? s->assets[r->asset].name : "?");
    }
    if (s && s->n_stations > 4)
        words_add(&t->expected, ", ...");
}

static void say_engineer(struct told *t, const struct cond *k, bool neg)
{
    char text[96];
    snprintf(text, sizeof text, "%s is %s engineering station of the configuration", side_of(k), neg ? "no" : "an");
    met(t, text);
    if (neg && ranks(t, RANK_WHO)) {
        words_add(&t->expected, "only from an engineering station");
        stations(t);
    }
}

static const char *zone_of(const struct told *t, const struct asset_info *device, const struct addr *a)
{
    const struct site *s = t->rs->o.site;
    const struct site_zone *z = s && !device ? site_zone(s, t->in.net, a) : NULL;
    const char *name = device ? device->zone : z ? z->name : NULL;
    return name ? name : "none";
}

static void say_zones(struct told *t, const struct cond *k, bool neg)
{
    const char *a = zone_of(t, t->q->src, t->in.src), *b = zone_of(t, t->q->dst, t->in.dst);
    char text[256];
    snprintf(text, sizeof text, "from zone %.80s into zone %.80s", a, b);
    met(t, text);
    if ((k->op == C_OTHER_ZONE || k->op == C_DEVICE_OTHER_ZONE) && !neg && ranks(t, RANK_WHO))
        words_add(&t->expected, "only from within zone %.80s", b);
    else if ((k->op == C_ZONE || k->op == C_DEVICE_ZONE) && ranks(t, RANK_PLAIN))
        words_add(&t->expected, "not %s", k->text);
}

static void say_role(struct told *t, const struct cond *k, bool neg)
{
    const struct asset_info *a = asset_of(t, k);
    char text[160];
    if (neg)
        return;
    snprintf(text, sizeof text, "%s is a %s by what it does", side_of(k), a && a->type ? a->type : "device");
    met(t, text);
    if (ranks(t, RANK_WHO))
        words_add(&t->expected, "not from a %s", a && a->type ? a->type : "device");
}

static void say_asset(struct told *t, const struct cond *k, bool neg)
{
    char text[200];
    if (k->op == C_KNOWN)
        snprintf(text, sizeof text, "%s is %slearned as part of the plant", side_of(k), neg ? "not " : "");
    else
        snprintf(text, sizeof text, "%s%.150s", neg ? "not " : "", k->text);
    met(t, text);
    if (ranks(t, RANK_PLAIN))
        words_add(&t->expected, "%s%s", neg ? "" : "not ", k->text);
}

static void say_new(struct told *t, const struct cond *k, bool neg)
{
    (void)k;
    met(t, neg ? "met before" : "for the first time");
    if (!neg && ranks(t, RANK_LEARNED))
        t->learned = true;
}

static void say_item(struct told *t, const struct cond *k, bool neg)
{
    char text[400];
    struct words w = words_in(text, sizeof text);
    const struct item *it = neg ? NULL : match_item(k->item, t->in.ev);
    if (it)
        words_item(&w, t->in.ev->schema, it);
    words_add(&w, "%s%s%s", it ? " (the rule: " : neg ? "not " : "", k->text, it ? ")" : "");
    met(t, text);
    if (!neg && ranks(t, RANK_VALUE))
        words_add(&t->expected, "not %s", k->text);
}

static void say_field(struct told *t, const struct cond *k, bool neg)
{
    char text[300];
    struct words w = words_in(text, sizeof text);
    const struct event *e = t->in.ev;
    bool any = false;
    for (uint32_t i = 0; i < k->n && !neg && !any; i++)
        for (unsigned j = 0; j < e->n_fields && !any; j++)
            if (k->fields[i].schema == e->schema && e->fields[j].id == k->fields[i].id) {
                const struct field_def *d = &e->schema->fields[e->fields[j].id];
                words_add(&w, "%s.%s is ", d->group ? d->group : e->schema->name, d->key);
                any = explain_field(&w, d, &e->fields[j]);
            }
    if (!any)
        words_add(&w, "%s%s", neg ? "not " : "", k->text);
    met(t, text);
    if (ranks(t, RANK_PLAIN))
        words_add(&t->expected, "%s%s", neg ? "" : "not ", k->text);
}

static void say_anomaly(struct told *t, const struct cond *k, bool neg)
{
    const struct event *e = t->in.ev;
    uint64_t mask = 0;
    for (uint32_t i = 0; i < k->n; i++)
        if (!k->codes[i].schema || k->codes[i].schema == e->schema)
            mask |= k->codes[i].mask;
    if (neg)
        return;
    for (uint32_t b = 0; b < e->schema->n_anomalies; b++) {
        const struct anomaly_def *a = &e->schema->anomalies[b];
        char text[320];
        if (!(mask & e->anomalies) || !((mask & e->anomalies) >> b & 1))
            continue;
        snprintf(text, sizeof text, "%s: %s", a->name, a->doc ? a->doc : "the standard is broken");
        met(t, text);
        if (ranks(t, RANK_ANOMALY))
            words_add(&t->expected, "a message without %s", a->name);
    }
}

static void say_status(struct told *t, const struct cond *k, bool neg)
{
    const struct event *e = t->in.ev;
    const char *name = e->error_name ? e->error_name : code_name(e->schema->statuses, e->status);
    char text[160];
    if (neg)
        return;
    if (name)
        snprintf(text, sizeof text, "answered %.100s", name);
    else
        snprintf(text, sizeof text, "answered with status %u", e->status);
    if (k->op == C_STATUS)
        met(t, text);
    if (ranks(t, RANK_ERROR))
        words_add(&t->expected, "an answer without an error");
}

static void say_clock(struct told *t, const struct cond *k, bool neg)
{
    static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
    int64_t s = (int64_t)(t->in.ts_ns / 1000000000);
    int64_t local = s + (t->rs->o.tz ? tz_offset(t->rs->o.tz, s) : 0);
    int64_t day = local / 86400 - (local % 86400 < 0), minute = (local - day * 86400) / 60;
    char text[200];
    snprintf(text, sizeof text, "at %02u:%02u on a %s (the rule: %s%.100s)", (unsigned)(minute / 60),
             (unsigned)(minute % 60), days[(day % 7 + 11) % 7], neg ? "not " : "", k->text);
    met(t, text);
    if (ranks(t, RANK_PLAIN))
        words_add(&t->expected, "%s%s", neg ? "" : "not ", k->text);
}

static void say_enum(struct told *t, const struct cond *k, bool neg)
{
    if (k->what == ENUM_ERROR && !neg)
        say_status(t, k, neg);
    if (k->what == ENUM_KIND && !neg && t->in.ev->kind == EV_REQUEST && ranks(t, RANK_ERROR))
        words_add(&t->expected, "an answer");
}

static void say_number(struct told *t, const struct cond *k, bool neg)
{
    char text[200];
    if (k->what == NUM_LATENCY)
        snprintf(text, sizeof text, "answered after %.3g s (the rule: %s%.100s)",
                 (double)t->in.ev->latency_ns / 1e9, neg ? "not " : "", k->text);
    else if (k->what == NUM_OBJECTS)
        snprintf(text, sizeof text, "%u objects (the rule: %s%.100s)", t->in.ev->items_total, neg ? "not " : "",
                 k->text);
    else
        snprintf(text, sizeof text, "%s%.150s", neg ? "not " : "", k->text);
    if (!neg || k->what == NUM_LATENCY || k->what == NUM_OBJECTS)
        met(t, text);
    if (!neg && ranks(t, RANK_PLAIN))
        words_add(&t->expected, "not %s", k->text);
}

static void say_addr(struct told *t, const struct cond *k, bool neg)
{
    char text[200];
    snprintf(text, sizeof text, "%s%.150s", neg ? "not " : "", k->text);
    met(t, text);
    if (ranks(t, RANK_PLAIN))
        words_add(&t->expected, "%s%s", neg ? "" : "not ", k->text);
}

static void (*const say[])(struct told *t, const struct cond *k, bool neg) = {
    [C_NUMBER] = say_number, [C_ENUM] = say_enum,      [C_STATUS] = say_status,     [C_ANOMALY] = say_anomaly,
    [C_ITEM] = say_item,     [C_ADDR] = say_addr,      [C_TIME] = say_clock,        [C_WEEKDAY] = say_clock,
    [C_FIELD] = say_field,   [C_ENGINEER] = say_engineer, [C_ZONE] = say_zones,     [C_SAME_ZONE] = say_zones,
    [C_OTHER_ZONE] = say_zones, [C_TEXT] = say_asset,  [C_ROLE] = say_role,         [C_PURDUE] = say_asset,
    [C_KNOWN] = say_asset,   [C_NEW_FACT] = say_new,
    [C_DEVICE_ENGINEER] = say_engineer, [C_DEVICE_ZONE] = say_zones, [C_DEVICE_SAME_ZONE] = say_zones,
    [C_DEVICE_OTHER_ZONE] = say_zones,
};

/* ---- the walk ---- */

static bool holds(const struct told *t, const struct cond *k, bool rest)
{
    return rest ? finish_holds(t->rs, k, t->q->rec, t->q->src, t->q->dst) : match_holds(t->rs, &t->in, k);
}

/* Of an AND all conditions hold; of an OR the first that does is told. What a `not` keeps out is told only where it is
 * about who, where and when. */
static void walk(struct told *t, const struct cond *k, bool neg, bool rest, bool inside_not)
{
    if (!k)
        return;
    neg = neg != (k->neg != 0);
    if (!cond_is_group(k)) {
        bool act = k->op <= C_ANOMALY || k->op == C_ITEM || k->op == C_FIELD;
        if (k->op < ARRAY_LEN(say) && say[k->op] && !(neg && inside_not && act))
            say[k->op](t, k, neg);
        return;
    }
    bool all = (k->op == C_AND) != neg;
    for (uint32_t i = 0; i < k->n; i++) {
        if (!all && holds(t, k->kids[i], rest) == neg)
            continue;
        walk(t, k->kids[i], neg, rest, inside_not || neg);
        if (!all)
            return;
    }
}

static void allowed(struct told *t, const struct rule_threshold *th)
{
    static const char *const things[] = {"", "different receivers", "different senders", "different objects",
                                         "different units", "different functions"};
    double s = (double)th->window_ns / 1e9;
    t->expected = words_in(t->expected.p, t->expected.cap);
    words_add(&t->expected, "fewer than %u %s within %g %s", th->count,
              th->distinct ? things[th->distinct] : "such messages", s >= 60 ? s / 60 : s,
              s >= 120 ? "minutes" : s >= 60 ? "minute" : s == 1 ? "second" : "seconds");
}

void rules_explain(const struct ruleset *rs, unsigned hit, const struct rule_asked *q, struct rule_words *ret)
{
    const struct rec_event *r = q->rec;
    const struct entry *en = &rs->entries[hit];
    struct told t = {.q = q, .rs = rs, .met = words_in(ret->met, sizeof ret->met),
                     .expected = words_in(ret->expected, sizeof ret->expected),
                     .in = {.ev = q->ev, .src = &r->src, .dst = &r->dst, .smac = r->has_mac ? r->smac : NULL,
                            .dmac = r->has_mac ? r->dmac : NULL, .ts_ns = r->ts_ns, .sport = r->sport,
                            .dport = r->dport, .net = r->net, .vlan = {r->vlan[0], r->vlan[1]},
                            .n_vlan = r->n_vlan, .l4 = r->l4}};
    walk(&t, en->local, false, false, false);
    walk(&t, en->rest, false, true, false);
    if (ranks(&t, RANK_ACT)) {
        words_add(&t.expected, "no ");
        words_function(&t.expected, q->ev->schema, q->ev->op, q->ev->function);
        words_add(&t.expected, " (%s)%s", action_name(q->ev->action),
                  rs->rules[en->rule].info.engine == RE_OPERATIONAL ? " outside planned work" : " between these two");
    }
    ret->learned = t.learned && t.rank == RANK_LEARNED;
    if (rs->rules[en->rule].info.threshold.count)
        allowed(&t, &rs->rules[en->rule].info.threshold);
}
