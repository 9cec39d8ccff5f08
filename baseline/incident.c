/* incident.c: deviations that were raised, and what follows from them: counted in them, told again once a window. */
#include "baseline/model.h"

#include <stdio.h>

static struct incident *inc_at(const struct baseline *b, uint32_t i)
{
    return tab_at(&b->incidents, i);
}

struct incident *inc_any(const struct baseline *b, struct inc_ref r)
{
    if (!r.i)
        return NULL;
    struct incident *c = inc_at(b, r.i);
    return c->node.used && (uint32_t)c->d.fold == r.fold ? c : NULL;
}

struct incident *inc_open(const struct baseline *b, struct inc_ref r, uint64_t ts_ns)
{
    struct incident *c = inc_any(b, r);
    return c && ts_ns <= c->until_ns ? c : NULL;
}

static uint32_t inc_find(const struct baseline *b, uint64_t fold)
{
    for (uint32_t i = tab_find(&b->incidents, fold, 0); i; i = tab_find(&b->incidents, fold, i))
        if (inc_at(b, i)->d.fold == fold)
            return i;
    return 0;
}

struct incident *inc_of(const struct baseline *b, uint64_t fold)
{
    uint32_t i = inc_find(b, fold);
    return i ? inc_at(b, i) : NULL;
}

static void emit(struct baseline *b, const struct deviation *d)
{
    b->st.deviations += !d->again;
    if (b->conf.emit)
        b->conf.emit(b->conf.emit_ctx, d);
}

void inc_due(struct baseline *b, uint32_t i)
{
    struct incident *c = inc_at(b, i);
    if (c->due)
        return;
    c->due = 1;
    c->due_next = 0;
    if (b->due_last)
        inc_at(b, b->due_last)->due_next = i;
    else
        b->due_first = i;
    b->due_last = i;
}

static void tell_again(struct baseline *b, uint32_t i)
{
    struct incident *c = inc_at(b, i);
    c->due = 0;
    c->d.again = 1;
    c->d.event = NULL; /* it died with its call */
    c->d.fact = NULL;
    emit(b, &c->d);
}

void inc_flush(struct baseline *b, uint64_t ts_ns)
{
    (void)ts_ns;
    while (b->due_first) {
        uint32_t i = b->due_first;
        b->due_first = inc_at(b, i)->due_next;
        if (!b->due_first)
            b->due_last = 0;
        tell_again(b, i);
    }
}

/* Engineering stations do what is new for a living, and announced work is expected: lowered, marked, never hidden. */
static uint8_t lower(const struct deviation *d, uint8_t severity)
{
    unsigned by = (d->engineering ? 1u : 0u) + (d->maintenance ? 1u : 0u);
    return severity > by ? (uint8_t)(severity - by) : DEV_WARNING;
}

void inc_lower(struct baseline *b, struct deviation *d)
{
    static const struct addr none;
    const struct site *s = b->conf.site;
    struct addr src_as[SITE_WHO], dst_as[SITE_WHO];
    const struct site_who src = baseline_who(b, d->net, &d->src, src_as);
    const struct site_who dst = baseline_who(b, d->net, &d->dst, dst_as);
    const struct site_window *w = site_maintenance(s, d->last_ns, &src, addr_eq(&d->dst, &none) ? NULL : &dst,
                                                   d->has_action ? d->action : -1);
    d->engineering = site_is_station(s, &src);
    d->maintenance = w ? w->name ? w->name : "maintenance" : NULL;
    d->lowered = d->engineering || d->maintenance;
    d->severity = lower(d, d->severity);
}

void inc_follow(struct baseline *b, struct incident *c, uint64_t ts_ns, uint8_t severity)
{
    if (ts_ns > c->d.last_ns)
        c->d.last_ns = ts_ns;
    if (severity > c->worst) {
        c->worst = severity;
        c->d.severity = lower(&c->d, severity);
    }
    inc_due(b, (uint32_t)(((uint8_t *)c - b->incidents.rec) / b->incidents.size));
}

void inc_count(struct baseline *b, struct incident *c, uint64_t count, uint64_t last_ns)
{
    uint64_t more = count - (c->counted && count);
    c->counted = 0;
    c->d.count += more;
    if (more)
        inc_follow(b, c, last_ns, 0);
}

static struct inc_ref open_incident(struct baseline *b, const struct deviation *d, uint8_t worst)
{
    if (tab_full(&b->incidents)) {
        uint32_t old = tab_victim(&b->incidents);
        if (inc_at(b, old)->due) /* its last word is not lost: all that are due are told now */
            inc_flush(b, b->now_ns);
        tab_del(&b->incidents, old);
        b->incidents.evicted++;
    }
    uint32_t i = tab_add(&b->incidents, d->fold, 0);
    struct incident *c = inc_at(b, i);
    c->d = *d;
    c->worst = worst;
    c->counted = d->event != NULL;
    c->act = d->event ? b->act : 0;
    c->until_ns = d->last_ns + b->conf.fold_ns;
    return (struct inc_ref){i, (uint32_t)d->fold};
}

/* Beyond so many a window, one flood stands for all of its type. */
static struct inc_ref flood(struct baseline *b, const struct deviation *d, struct budget *g)
{
    struct incident *c = inc_any(b, g->flood);
    b->st.flooded++;
    if (c) {
        c->d.count++;
        inc_follow(b, c, d->last_ns, 0);
        return g->flood;
    }
    struct deviation f = {.type = DEV_FLOOD, .flood_of = d->type, .paired = d->paired, .severity = DEV_MAJOR,
                          .first_ns = d->last_ns, .last_ns = d->last_ns, .count = 1, .net = d->net,
                          .frame = d->frame, .file = d->file, .iface = d->iface,
                          .fold = fold_id(DEV_FLOOD, d->type, g->window, g - b->budget[d->type])};
    snprintf(f.object, sizeof f.object, "%s", dev_name(d->type));
    snprintf(f.why, sizeof f.why, "more than %u deviations of the type %s %s; the rest is counted here",
             g->raised < LIM_NOVELTIES ? (unsigned)LIM_BURST : (unsigned)LIM_NOVELTIES, dev_name(d->type),
             g->raised < LIM_NOVELTIES ? "at once" : "in one window");
    snprintf(f.expected, sizeof f.expected, "at most %u at once, %u in a window", (unsigned)LIM_BURST,
             (unsigned)LIM_NOVELTIES);
    snprintf(f.seen, sizeof f.seen, "the first beyond them: %.250s", d->seen);
    g->flood = open_incident(b, &f, f.severity);
    emit(b, &f);
    return g->flood;
}

/* Does one at that time come close behind the latest? What is judged late is no end of a burst, another time is. */
static bool in_burst(const struct baseline *b, const struct budget *g, uint64_t ts_ns)
{
    return ts_ns < g->last_ns + LIM_BURST_NS && ts_ns + b->conf.fold_ns > g->last_ns;
}

static void burst_at(const struct baseline *b, struct budget *g, uint64_t ts_ns)
{
    bool on = in_burst(b, g, ts_ns);
    if (!on)
        g->burst = 0;
    if (!on || ts_ns > g->last_ns)
        g->last_ns = ts_ns;
}

bool inc_flooding(struct baseline *b, uint8_t type, bool changes, uint64_t ts_ns, struct inc_ref *ref)
{
    struct budget *g = &b->budget[type][changes];
    bool spent = g->raised >= LIM_NOVELTIES || (!changes && g->burst >= LIM_BURST && in_burst(b, g, ts_ns));
    struct incident *c = g->window == ts_ns / b->conf.fold_ns && spent ? inc_any(b, g->flood) : NULL;
    if (!c)
        return false;
    b->st.flooded++;
    burst_at(b, g, ts_ns);
    c->d.count++;
    inc_follow(b, c, ts_ns, 0);
    *ref = g->flood;
    return true;
}

struct inc_ref inc_raise(struct baseline *b, struct deviation *d, bool changes)
{
    uint8_t worst = d->severity;
    uint32_t i = inc_find(b, d->fold);
    if (i) {
        struct incident *c = inc_at(b, i);
        tab_touch(&b->incidents, i);
        c->d.count += !d->event; /* a message is counted by its fact */
        c->until_ns = d->last_ns + b->conf.fold_ns;
        inc_follow(b, c, d->last_ns, worst);
        return (struct inc_ref){i, (uint32_t)d->fold};
    }
    struct budget *g = &b->budget[d->type][changes];
    uint64_t window = d->last_ns / b->conf.fold_ns;
    if (window != g->window)
        *g = (struct budget){.window = window, .last_ns = g->last_ns, .burst = g->burst};
    burst_at(b, g, d->last_ns);
    inc_lower(b, d);
    if (g->raised >= LIM_NOVELTIES || (!changes && g->burst >= LIM_BURST))
        return flood(b, d, g);
    g->raised++;
    g->burst++;
    struct inc_ref r = open_incident(b, d, worst);
    emit(b, d);
    return r;
}
