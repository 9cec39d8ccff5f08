/* judge.c: is a fact normal? Learned, or a deviation: raised by itself, or counted in the higher one it follows from.
 */
#include <stdio.h>

#include "baseline/model.h"
#include "engine/base/obs.h"

/* ---- learning ---- */

/* By the model's clock: a packet that is older than those before it neither ends nor prolongs anything. */
bool life_learns(struct baseline *b, struct row_life *above)
{
    uint64_t now = clock_of(b);
    if (b->conf.mode != BASE_LIVE)
        return b->conf.mode == BASE_LEARN;
    if (above->learned != FACT_LEARNED || !above->learn_ns)
        return false;
    bool over = now >= above->learn_ns + b->conf.learn_ns && now >= above->novelty_ns + b->conf.quiet_ns;
    if (over)
        above->learn_ns = 0; /* for good: what was normal by now is the baseline */
    return !over;
}

void life_learned(struct baseline *b, struct row_life *l, uint64_t ts_ns)
{
    l->learned = FACT_LEARNED;
    uint64_t now = clock_of(b);
    l->novelty_ns = ts_ns > now ? ts_ns : now;
    l->learn_ns = l->novelty_ns + !l->novelty_ns; /* 0: it does not learn; a capture may begin in 1970 */
    b->st.learned++;
}

/* A network that the configuration no longer (or, in a command, not) names keeps its name under a number of its own. */
uint16_t net_by_name(struct baseline *b, const char *name)
{
    int n = site_network_by_name(b->conf.site, name);
    if (n >= 0)
        return (uint16_t)n;
    for (uint32_t i = 0; i < b->n_nets; i++)
        if (strcmp(b->nets[i].name, name) == 0)
            return b->nets[i].net;
    struct net_rec *r = net_rec(b, (uint16_t)(SITE_ANY_NET - 1 - b->n_nets));
    snprintf(r->name, sizeof r->name, "%s", name);
    return r->net;
}

struct net_rec *net_rec(struct baseline *b, uint16_t net)
{
    for (uint32_t i = 0; i < b->n_nets; i++)
        if (b->nets[i].net == net)
            return &b->nets[i];
    if (b->n_nets == LIM_NETS)
        return &b->nets[LIM_NETS - 1];
    struct net_rec *n = &b->nets[b->n_nets++];
    n->net = net;
    site_network_name(b->conf.site, net, n->name);
    uint64_t now = clock_of(b);
    n->life = (struct row_life){.first_ns = b->timed ? b->now_ns : ROW_NEVER_NS, .learn_ns = now + !now,
                                .novelty_ns = now, .learned = FACT_LEARNED};
    due(b, &n->dirty);
    return n;
}

enum { ABOVE = 8 }; /* command, scan, client, server, link, function, object */
enum fate judge_fate(struct baseline *b, struct row_life *own, struct inc_ref *ref, bool may_learn,
                        const struct subject *s, const struct inc_ref *above, unsigned n_above, struct incident **into)
{
    if (own->learned == FACT_LEARNED)
        return FATE_KNOWN;
    if (may_learn) {
        if (!s->condemned)
            return FATE_LEARN;
        own->learned = FACT_CONDEMNED;
        return FATE_KNOWN;
    }
    struct incident *mine = inc_any(b, *ref);
    if (mine) { /* the same novelty again */
        inc_follow(b, mine, s->ts_ns, 0);
        return FATE_KNOWN;
    }
    for (unsigned k = 0; k < n_above; k++) {
        *into = inc_open(b, above[k], s->ts_ns);
        if (!*into)
            continue;
        *ref = above[k];
        if (own->learned != FACT_ALERTED)
            own->learned = FACT_FOLDED;
        b->st.folded++;
        return FATE_FOLD;
    }
    if (own->learned == FACT_FOLDED) /* of an earlier run: the alert it was counted in stands */
        return FATE_KNOWN;
    return FATE_RAISE;
}

void judge_raise(struct baseline *b, struct deviation *d, struct row_life *own, struct inc_ref *ref, bool changes)
{
    if (!own->alert_ns)
        own->alert_ns = d->last_ns;
    d->first_ns = own->alert_ns; /* the same alert when it is met again after a restart */
    *ref = inc_raise(b, d, changes);
    own->learned = ref->fold == (uint32_t)d->fold ? FACT_ALERTED : FACT_FOLDED;
}

bool judge_flooded(struct baseline *b, uint8_t type, bool changes, uint64_t ts_ns, struct row_life *own,
                   struct inc_ref *ref)
{
    /* One that was alerted before keeps its alert: it is told again whatever else happens. */
    if (own->learned == FACT_ALERTED || !inc_flooding(b, type, changes, ts_ns, ref))
        return false;
    own->learned = FACT_FOLDED;
    return true;
}

/* ---- links ---- */

static bool mostly_known(struct baseline *b, const struct asset *a)
{
    return a->life.learned == FACT_LEARNED || (b->conf.mode == BASE_LEARN);
}

static uint32_t client_of(const struct baseline *b, const struct link *l)
{
    return asset_find(b, l->net, &l->client);
}

static uint32_t server_of(const struct baseline *b, const struct link *l)
{
    return asset_find(b, l->net, &l->server);
}

/* Both ends known and one of them still learning; what never sent (groups, silent targets) says nothing. */
static bool link_may_learn(struct baseline *b, uint32_t client, uint32_t server)
{
    if (b->conf.mode != BASE_LIVE)
        return b->conf.mode == BASE_LEARN;
    struct asset *c = client ? asset_at(b, client) : NULL, *s = server ? asset_at(b, server) : NULL;
    if ((c && !mostly_known(b, c)) || (s && !mostly_known(b, s)))
        return false;
    bool cl = c && life_learns(b, &c->life), sl = s && life_learns(b, &s->life);
    return cl || sl;
}

/* Deviations that something on this link may follow from, the highest first. */
static unsigned above_link(const struct baseline *b, const struct link *l, struct inc_ref ret[ABOVE])
{
    uint32_t c = client_of(b, l), s = server_of(b, l);
    unsigned n = 0;
    if (c) {
        ret[n++] = asset_at(b, c)->scan;
        ret[n++] = asset_at(b, c)->inc;
    }
    if (s)
        ret[n++] = asset_at(b, s)->inc;
    return n;
}

void judge_link(struct baseline *b, uint32_t i, const struct subject *s)
{
    struct link *l = blink_at(b, i);
    struct subject sub = *s;
    struct inc_ref above[ABOVE];
    struct incident *into = NULL;
    sub.link = i;
    sub.client = client_of(b, l);
    sub.server = server_of(b, l);
    if (l->life.learned == FACT_LEARNED)
        return;
    bool may = link_may_learn(b, sub.client, sub.server) || partner_learns(b, l);
    due(b, &l->dirty);
    if (!may && partner_link(b, l)) {
        blink_rank(b, i);
        return;
    }
    switch (judge_fate(b, &l->life, &l->inc, may, &sub, above, above_link(b, l, above), &into)) {
    case FATE_LEARN:
        life_learned(b, &l->life, s->ts_ns);
        if (sub.client)
            asset_at(b, sub.client)->life.novelty_ns = clock_of(b);
        if (sub.server)
            asset_at(b, sub.server)->life.novelty_ns = clock_of(b);
        break;
    case FATE_FOLD:
        into->d.follow.links++;
        inc_follow(b, into, s->ts_ns, 0);
        break;
    case FATE_RAISE: {
        struct deviation d;
        if (judge_flooded(b, DEV_NEW_LINK, false, s->ts_ns, &l->life, &l->inc))
            break;
        dev_begin(b, &d, DEV_NEW_LINK, &sub);
        text_link(b, &d, i);
        d.fold = fold_id(DEV_NEW_LINK, l->id, 0, 0);
        judge_raise(b, &d, &l->life, &l->inc, false);
        break;
    }
    case FATE_KNOWN:
        break;
    }
    blink_rank(b, i);
}

/* The first protocol of a link tells more of that link, and of a device that is new. A scan that the link is counted in
 * names a port of its own. */
static bool names_app(const struct incident *c, const struct link *l)
{
    return c->d.type == DEV_NEW_ASSET || c->d.fold == fold_id(DEV_NEW_LINK, l->id, 0, 0);
}

/* Once a link. */
struct inc_ref judge_wrong_port(struct baseline *b, uint32_t i, const char *app, const struct subject *s, bool is_new)
{
    struct link *l = blink_at(b, i);
    struct subject sub = *s;
    struct deviation d;
    sub.link = i;
    sub.client = client_of(b, l);
    sub.server = server_of(b, l);
    l->flags |= ROW_LINK_WRONG_PORT;
    due(b, &l->dirty);
    dev_begin(b, &d, DEV_WRONG_PROTOCOL, &sub);
    text_wrong_port(b, &d, i, app);
    d.also[0] = is_new ? DEV_NEW_PROTOCOL : DEV_NONE;
    d.fold = fold_id(DEV_WRONG_PROTOCOL, l->id, hash_bytes(HASH_ID_KEY, app, strlen(app)), 0);
    return inc_raise(b, &d, false);
}

void judge_app(struct baseline *b, uint32_t i, int k, const struct subject *s)
{
    struct link *l = blink_at(b, i);
    struct subject sub = *s;
    struct inc_ref above[ABOVE];
    unsigned n = above_link(b, l, above);
    struct row_life life = {.learned = FACT_NEW};
    struct inc_ref ref = {0};
    struct incident *into = NULL;
    sub.link = i;
    sub.client = client_of(b, l);
    sub.server = server_of(b, l);
    above[n++] = l->inc;
    due(b, &l->dirty);
    l->app_judged |= (uint8_t)(1u << k);
    if (k == 0 && l->life.learned != FACT_LEARNED && !partner_link(b, l)) {
        struct incident *c = inc_any(b, l->inc); /* the first protocol of a new link is part of its novelty */
        if (c && !c->d.app && names_app(c, l)) {
            c->d.app = b->apps[l->apps[0]].name;
            inc_follow(b, c, s->ts_ns, 0);
        }
        return;
    }
    bool may = life_learns(b, &l->life);
    if (!may && partner_app(b, l, b->apps[l->apps[k]].name))
        return;
    switch (judge_fate(b, &life, &ref, may, &sub, above, n, &into)) {
    case FATE_LEARN:
        l->app_learned |= (uint8_t)(1u << k);
        l->life.novelty_ns = clock_of(b);
        break;
    case FATE_FOLD:
        into->d.follow.protocols++;
        inc_follow(b, into, s->ts_ns, 0);
        break;
    case FATE_RAISE: {
        struct deviation d;
        if (k == 0 && l->life.learned == FACT_LEARNED && !l->app_learned && l->n_apps == 1 &&
            s->ts_ns < l->life.first_ns + b->conf.fold_ns && !life_imported(&l->life)) {
            l->app_learned = 1; /* the first protocol of a learned link is its own: no change */
            break;
        }
        if (s->wrong_port && !(l->flags & ROW_LINK_WRONG_PORT)) {
            l->inc = judge_wrong_port(b, i, b->apps[l->apps[k]].name, s, true);
            break;
        }
        dev_begin(b, &d, DEV_NEW_PROTOCOL, &sub);
        text_app(b, &d, i, k);
        d.fold = fold_id(DEV_NEW_PROTOCOL, l->id, hash_bytes(HASH_ID_KEY, d.app, strlen(d.app)), 0);
        if (!l->life.alert_ns)
            l->life.alert_ns = s->ts_ns;
        d.first_ns = l->life.alert_ns;
        l->inc = inc_raise(b, &d, false);
        break;
    }
    case FATE_KNOWN:
        break;
    }
}

/* ---- events ---- */

/* What the message that opened a deviation about itself does more is that deviation's own, and told with it. */
static bool is_own(const struct baseline *b, const struct incident *into)
{
    return into->act == b->act &&
           (into->d.type == DEV_STATE_COMMAND || into->d.type == DEV_NEW_FUNCTION || into->d.type == DEV_NEW_UNIT);
}

static void follow(struct baseline *b, struct incident *into, const struct subject *s, uint8_t action,
                   uint32_t *counter)
{
    if (is_own(b, into))
        return;
    ++*counter;
    into->d.follow.writes += action_changes(action);
    if (into->d.type != DEV_NEW_ASSET && into->d.type != DEV_FLOOD && !into->d.has_action) {
        into->d.has_action = 1;
        into->d.action = action;
    }
    inc_follow(b, into, s->ts_ns, judge_severity_of(action));
}

/* What a link that is itself an open question reads later on belongs to that question, however late. */
static enum fate quiet(struct baseline *b, const struct link *l, uint8_t action, struct inc_ref *ref,
                       struct incident **into, enum fate fate)
{
    if (fate != FATE_RAISE || action_changes(action) || l->life.learned == FACT_LEARNED)
        return fate;
    struct incident *c = inc_any(b, l->inc);
    if (!c)
        return fate;
    *into = c;
    *ref = l->inc;
    b->st.folded++;
    return FATE_FOLD;
}

struct chain { /* what an object may follow from, the highest first */
    struct inc_ref above[ABOVE];
    unsigned n;
};

/* What was judged while learning: learned, or condemned together with what lies beneath. */
static bool passed(uint8_t learned)
{
    return learned == FACT_LEARNED || learned == FACT_CONDEMNED;
}

static void judge_func(struct baseline *b, uint32_t i, const struct subject *s, struct chain *c)
{
    struct func *f = func_at(b, i);
    struct link *l = blink_at(b, f->link);
    struct incident *into = NULL;
    struct op_key k = op_key_of(s->fact);
    bool may = life_learns(b, &l->life);
    due(b, &f->dirty);
    if (!may && f->life.learned != FACT_LEARNED && partner_func(b, l, f->proto, s->event, &k))
        return;
    switch (quiet(b, l, f->action, &f->inc, &into,
                  judge_fate(b, &f->life, &f->inc, may, s, c->above, c->n, &into))) {
    case FATE_LEARN:
        life_learned(b, &f->life, s->ts_ns);
        l->life.novelty_ns = clock_of(b);
        break;
    case FATE_FOLD:
        if (f->life.learned != FACT_ALERTED)
            f->life.learned = FACT_FOLDED;
        follow(b, into, s, f->action, &into->d.follow.functions);
        break;
    case FATE_RAISE: {
        struct deviation d;
        bool unit = f->has_unit && (l->n_funcs > 1 || partner_link(b, l)) && !link_has_unit(b, l, f) &&
                    !partner_unit(b, l, f);
        if (judge_flooded(b, unit ? DEV_NEW_UNIT : DEV_NEW_FUNCTION, action_changes(f->action), s->ts_ns, &f->life,
                          &f->inc))
            break;
        dev_begin(b, &d, unit ? DEV_NEW_UNIT : DEV_NEW_FUNCTION, s);
        d.severity = judge_severity(s->event);
        text_function(b, &d, i, s, unit);
        d.fold = fold_id(d.type, f->id, 0, 0);
        judge_raise(b, &d, &f->life, &f->inc, action_changes(f->action));
        break;
    }
    case FATE_KNOWN:
        break;
    }
}

static uint32_t judge_op(struct baseline *b, uint32_t i, const struct subject *s, struct chain *c)
{
    struct op *o = op_at(b, i);
    struct func *f = func_at(b, o->func);
    struct link *l = blink_at(b, f->link);
    struct incident *into = NULL;
    struct op_key k = op_key_of(s->fact);
    /* Objects belong to the link's learning: a new function inside it brings its own. */
    bool may = life_learns(b, &l->life) && passed(f->life.learned);
    due(b, &o->dirty);
    if (!may && o->life.learned != FACT_LEARNED && partner_op(b, l, f->proto, s->event, &k))
        return i;
    switch (quiet(b, l, o->action, &o->inc, &into,
                  judge_fate(b, &o->life, &o->inc, may, s, c->above, c->n, &into))) {
    case FATE_LEARN:
        life_learned(b, &o->life, s->ts_ns);
        l->life.novelty_ns = clock_of(b);
        return op_merge(b, i);
    case FATE_FOLD:
        if (o->life.learned != FACT_ALERTED)
            o->life.learned = FACT_FOLDED;
        follow(b, into, s, o->action, &into->d.follow.objects);
        return into->d.type == DEV_NEW_OBJECT ? i : op_merge(b, i); /* beside one that is kept apart */
    case FATE_RAISE: {
        struct deviation d;
        if (judge_flooded(b, DEV_NEW_OBJECT, action_changes(o->action), s->ts_ns, &o->life, &o->inc))
            return op_merge(b, i);
        dev_begin(b, &d, DEV_NEW_OBJECT, s);
        d.severity = judge_severity_of(o->action);
        text_object(b, &d, o->func, i, s);
        d.fold = fold_id(DEV_NEW_OBJECT, o->id, 0, 0);
        judge_raise(b, &d, &o->life, &o->inc, action_changes(o->action));
        return i; /* kept apart: its id is in the alert's accept command */
    }
    case FATE_KNOWN:
        break;
    }
    return i;
}

static void judge_error(struct baseline *b, uint32_t i, const struct subject *s, struct chain *c)
{
    struct op *o = op_at(b, i);
    struct link *l = blink_at(b, func_at(b, o->func)->link);
    const struct rec_event *e = s->event;
    struct incident *into = NULL;
    unsigned k = 0;
    while (k < o->n_status && o->status[k] != e->status)
        k++;
    if (k == LIM_OP_ERRORS || (k < o->n_status && (o->status_learned >> k & 1)))
        return;
    bool seen = k < o->n_status;
    if (!seen)
        o->status[o->n_status++] = e->status;
    struct row_life life = {.learned = FACT_NEW};
    struct inc_ref ref = seen ? o->inc : (struct inc_ref){0};
    due(b, &o->dirty);
    c->above[c->n] = o->inc;
    struct op_key key = op_key_of(s->fact);
    bool may = life_learns(b, &l->life) && passed(o->life.learned);
    if (!may && partner_error(b, l, func_at(b, o->func)->proto, e, &key))
        return;
    switch (judge_fate(b, &life, &ref, may, s, c->above, c->n + 1, &into)) {
    case FATE_LEARN:
        o->status_learned |= (uint8_t)(1u << k);
        break;
    case FATE_FOLD:
        into->d.follow.errors++;
        inc_follow(b, into, s->ts_ns, 0);
        break;
    case FATE_RAISE: {
        struct deviation d;
        dev_begin(b, &d, DEV_NEW_ERROR, s);
        d.severity = action_changes(o->action) ? DEV_MINOR : DEV_WARNING;
        text_error(b, &d, o->func, i, s);
        d.fold = fold_id(DEV_NEW_ERROR, o->id, e->status, 0);
        inc_raise(b, &d, false);
        break;
    }
    case FATE_KNOWN:
        break;
    }
}

bool judge_met(struct baseline *b, uint32_t link, const struct link *l, const struct rec_event *e,
               const struct rec_fact *r)
{
    struct op_key k = op_key_of(r);
    uint16_t proto = app_intern(b, e->schema->name, e->schema);
    uint32_t fi = link ? func_of(b, link, proto, e, &k, false) : 0;
    return (fi && op_find(b, fi, &k)) || partner_op(b, l, proto, e, &k);
}

/* sibling: the deviation of an earlier new object of the same message; the others are counted in it. */
static void judge_fact(struct baseline *b, const struct subject *s, uint16_t proto, const struct chain *base,
                       struct inc_ref *sibling)
{
    const struct rec_event *e = s->event;
    const struct rec_fact *r = s->fact;
    struct op_key k = op_key_of(r);
    struct chain c = *base;
    uint32_t fi = func_of(b, s->link, proto, e, &k, life_learns(b, &blink_at(b, s->link)->life));
    if (!fi) {
        struct func f = {.link = s->link,
                         .proto = proto,
                         .fn = e->function,
                         .sel = e->selector,
                         .has_unit = e->has_unit,
                         .unit = e->has_unit ? e->unit : 0,
                         .sub = e->sub,
                         .action = e->action};
        text_cat(f.name, sizeof f.name, e->op ? e->op->name : "");
        fi = func_create(b, &f, s->ts_ns);
    }
    tab_touch(&b->funcs, fi);
    judge_func(b, fi, s, &c);
    c.above[c.n++] = func_at(b, fi)->inc;
    uint32_t oi = op_find(b, fi, &k);
    if (!oi)
        oi = op_create(b, fi, &k, s->ts_ns);
    tab_touch(&b->ops, oi);
    if (sibling->i)
        c.above[c.n++] = *sibling;
    oi = judge_op(b, oi, s, &c);
    const struct incident *mine = inc_any(b, op_at(b, oi)->inc);
    if (mine && mine->act == b->act && mine->d.type == DEV_NEW_OBJECT)
        *sibling = op_at(b, oi)->inc;
    dig_bind(b, r->digest, DIG_OP, oi);
    life_seen(&func_at(b, fi)->life, s->ts_ns);
    life_seen(&op_at(b, oi)->life, s->ts_ns);
    if (r->new_error && e->has_status && e->error)
        judge_error(b, oi, s, &c);
}

static void judge_facts(struct baseline *b, const struct subject *in, const struct link *l)
{
    const struct rec_event *e = in->event;
    struct subject s = *in;
    struct chain c;
    uint16_t proto = app_intern(b, e->schema->name, e->schema);
    c.n = above_link(b, l, c.above);
    c.above[c.n++] = l->inc;
    struct inc_ref cmd = judge_command(b, &s);
    if (cmd.i) { /* takes the place of the new function that it is */
        memmove(c.above + 1, c.above, c.n * sizeof c.above[0]);
        c.above[0] = cmd;
        c.n++;
    }
    judge_commanded(b, &s, cmd.i ? cmd : l->inc);
    struct inc_ref sibling = {0};
    for (unsigned changes = 2; changes--;) /* what changes something speaks for the rest */
        for (unsigned k = 0; k < e->n_facts; k++) {
            s.fact = &e->facts[k];
            if (action_changes(s.fact->action) == (changes == 1))
                judge_fact(b, &s, proto, &c, &sibling);
        }
}

void judge_event(struct baseline *b, const struct subject *s)
{
    const struct rec_event *e = s->event;
    const struct link *l = blink_at(b, s->link);
    b->act++;
    blink_add_app(b, s->link, e->schema->name, e->schema, false, s);
    if (l->life.learned == FACT_CONDEMNED && !s->condemned)
        judge_link(b, s->link, s); /* what condemned its first message says nothing of this one */
    if (e->n_facts)
        judge_facts(b, s, l);
    else
        judge_commanded(b, s, l->inc);
}
