/* raise_act.c: one message, one alert. What rules, the standard and the baseline say of the same message is told
 * together:
 *
 * - A rule that holds for the message itself carries the alert: the severest; of equals the one for fewer protocols.
 *   The other shipped rules, the anomalies and the baseline's deviations of that message are told in it.
 * - A rule that counts (threshold) tells of many messages, and a rule of the user's was asked for: both are alerts of
 *   their own. The user's carries like any other when it is the severest.
 * - Without a rule an anomaly carries, unless the baseline says worse; else the severest deviation does.
 *
 * The alert has the worst severity of all, the ids and techniques of all, and a command that accepts all. What the
 * baseline finds later to follow from its part is told in the same alert while that is open. */
#include <stdio.h>
#include <string.h>

#include "engine/base/evtext.h"
#include "engine/base/hash.h"
#include "engine/base/text.h"
#include "engine/raise_int.h"
#include "rules/rules.h"

/* ---- the same again --------------------------------------------------------------------------------------------- */

/* What makes two alerts of one rule (or anomaly) the same is finer here than in the alert's own subject and object. */
static uint64_t message_key(const struct rec_event *ev)
{
    uint64_t k = hash_bytes(ev->net, rec_client(ev), sizeof(struct addr));
    k = hash_mix(k, hash_bytes(ev->function, rec_server(ev), sizeof(struct addr)));
    k = hash_mix(k ^ ev->action ^ (uint64_t)ev->has_unit << 8, (uint64_t)ev->unit << 32 | ev->sub);
    k = hash_mix(k, ev->object ^ ev->selector);
    return hash_mix(k ^ (uint64_t)ev->error << 32 ^ ev->status, ev->anomalies);
}

static uint64_t repeat_key(struct raise_act *a, uint64_t what)
{
    if (!a->key)
        a->key = message_key(a->ev) | 1;
    return hash_u64(a->key, what) | 1;
}

static struct raise_repeat *repeat_of(struct raise *r, uint64_t key)
{
    return &r->repeats[key >> 8 & (RAISE_REPEATS - 1)];
}

/* True: it was counted in the open alert. With maintenance windows the severity depends on the time: no short cut. */
static bool repeated(struct raise *r, uint64_t key, uint64_t ts_ns, uint32_t count)
{
    const struct raise_repeat *p = repeat_of(r, key);
    return p->key == key && !(r->c.site && r->c.site->n_windows) &&
           alert_repeat(r->c.alerts, p->fold, ts_ns, count, 0);
}

/* True: the open alert of that type, subject and object (fold: alert_key() of them) counted it; nothing that could be
 * said of it would be told.
 * severity: the worst that it may have. */
static bool folded(struct raise *r, uint64_t fold, uint64_t key, uint64_t ts_ns, uint32_t count, uint8_t severity)
{
    if (!alert_repeat(r->c.alerts, fold, ts_ns, count, severity))
        return false;
    *repeat_of(r, key) = (struct raise_repeat){key, fold};
    return true;
}

static void remember(struct raise *r, uint64_t key)
{
    uint64_t fold = alert_last_fold(r->c.alerts);
    if (fold)
        *repeat_of(r, key) = (struct raise_repeat){key, fold};
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

static void who(struct words *w, const struct rec_event *ev, const struct draft *d, bool src)
{
    const struct asset_info *a = src ? d->in.src : d->in.dst;
    const struct addr *it = src ? rec_client(ev) : rec_server(ev), *near = src ? &ev->src : &ev->dst;
    char addr[2 * ADDR_TEXT + 8], *p = addr + addr_text(it, addr);
    if (!addr_eq(it, near))
        addr_text(near, text_put(p, " behind "));
    if (a && a->name && *a->name)
        words_add(w, "%.60s (%s)", a->name, addr);
    else
        words_add(w, "%s", addr);
}

/* "scada-1 (10.0.0.5) to plc-1 (10.0.0.9): " in the direction of who spoke */
static void sides(struct words *w, const struct rec_event *ev, const struct draft *d)
{
    bool from_src = ev->from_client || ev->kind == EV_TRANSACTION || ev->kind == EV_REQUEST;
    who(w, ev, d, from_src);
    words_add(w, " to ");
    who(w, ev, d, !from_src);
    words_add(w, ": ");
}

static void describe(struct words *w, const struct rec_event *ev, const struct event *full)
{
    if (full) {
        words_event(w, full);
        return;
    }
    words_function(w, ev->schema, ev->op, ev->function);
    words_add(w, " (%s)", action_name(ev->action));
    char unit[FN_TEXT];
    schema_unit_text(ev->schema, ev->unit, ev->sub, unit);
    if (ev->has_unit)
        words_add(w, " of %s %s", ev->schema->unit_is ? ev->schema->unit_is : "unit", unit);
}

/* What describe() put into `from` behind `at`, once more; where it was cut there, from the message. */
static void describe_again(struct words *w, const struct words *from, size_t at, const struct rec_event *ev,
                           const struct event *full)
{
    if (from->n + 1 < from->cap)
        words_add(w, "%s", from->p + at);
    else
        describe(w, ev, full);
}

static const struct event *full_event(struct raise *r, const struct rec_event *ev)
{
    return r->c.event ? r->c.event(r->c.ctx, ev) : NULL;
}

/* ---- drafts ----------------------------------------------------------------------------------------------------- */

static struct alert_type type_of_rule(const struct rule_info *info)
{
    static const uint8_t learn[] = {[RL_MUTE] = AL_MUTE, [RL_YES] = AL_YES, [RL_NO] = AL_NO};
    return (struct alert_type){
        .id = info->id,
        .sid = info->sid,
        .rev = info->rev ? info->rev : 1,
        .engine = info->engine,
        .severity = info->severity,
        .learn = learn[info->learn],
        .category = info->category ? info->category : alert_types[AT_RULE].category,
        .title = info->title,
        .attack = info->attack ? info->attack : "",
        .refs = info->refs ? info->refs : "",
        .remedy = info->remedy ? info->remedy : alert_types[AT_RULE].remedy,
    };
}

/* Acts on the process, each object of which is a matter of its own. Of all others (one program is many blocks, one
 * configuration many attributes, one look around many questions) the kind of act is what is told. */
static bool by_object(unsigned action)
{
    static const uint32_t acts = 1u << ACT_WRITE | 1u << ACT_CONTROL | 1u << ACT_FORCE | 1u << ACT_SELECT |
                                 1u << ACT_FILE;
    return acts >> action & 1;
}

/* Who and what makes two alerts of a rule the same. */
static void identify(struct draft *d, const struct rec_event *ev, const struct rule_info *info)
{
    const struct rule_threshold *th = &info->threshold;
    bool acts = by_object(ev->action);
    d->in.object = d->object;
    if (!th->count) {
        char *p = acts ? text_dec(d->object, ev->function) : text_put(d->object, action_name(ev->action));
        *p++ = '/';
        p = text_dec(p, ev->has_unit ? ev->unit : 0);
        *p++ = '/';
        p = text_dec(p, ev->sub);
        if (acts) {
            *p++ = '/';
            p = text_hex16(p, ev->object);
        }
        *p = '\0';
        return;
    }
    char *p = text_put(d->subject, d->net);
    *p++ = '/';
    p = th->by & BY_SRC || !(th->by & BY_DST) ? p + addr_text(rec_client(ev), p) : text_put(p, "*");
    *p++ = '>';
    p = th->by & BY_DST || !(th->by & BY_SRC) ? p + addr_text(rec_server(ev), p) : text_put(p, "*");
    *p = '\0';
    memcpy(d->object, "-", 2); /* what was counted together is one alert */
}

/* The alert_key() of what a rule says of a message: where its alert is open it is counted there, and an operator may
 * have taken it for normal. */
static uint64_t rule_fold(struct raise *r, const struct rec_event *ev, const struct rule_info *info)
{
    struct draft d;
    draft_subject(r, &d, ev->net, rec_client(ev), rec_server(ev));
    identify(&d, ev, info);
    return alert_key(info->id, d.in.subject, d.in.object);
}

static void ask_learned(struct raise *r)
{
    struct raise_act *a = &r->act;
    a->learned.why[0] = a->learned.expected[0] = '\0';
    if (a->wants_learned)
        r->c.learned(r->c.ctx, a->ev, &a->learned);
    a->has_learned = true;
}

static void word_rule(struct raise *r, struct draft *d, const struct rule_verdict *v, unsigned hit)
{
    const struct raise_act *a = &r->act;
    const struct rec_event *ev = a->ev;
    const struct event *full = full_event(r, ev);
    char counted[RULE_WHY];
    if (!a->has_learned)
        ask_learned(r);
    rule_why(v, counted);
    struct words why = words_in(d->why, sizeof d->why - 96), seen = words_in(d->seen, sizeof d->seen);
    struct rule_words w = {.met = ""};
    if (full && r->c.rules) {
        const struct rule_asked q = {.rec = ev, .ev = full, .src = d->in.src, .dst = d->in.dst};
        rules_explain(r->c.rules, hit, &q, &w);
    }
    words_add(&seen, "%s ", ev->schema->name);
    size_t said = seen.n;
    describe(&seen, ev, full);
    sides(&why, ev, d);
    if (v->rule->threshold.count)
        words_add(&why, "%s; the last of them ", counted);
    describe_again(&why, &seen, said, ev, full);
    if (w.met[0])
        words_add(&why, "; %s", w.met);
    if (a->learned.why[0] && !v->rule->threshold.count)
        words_add(&why, "; %s", a->learned.why);
    if (v->rule->threshold.count)
        words_add(&seen, "; %s", counted);
    const char *expected = w.expected;
    if (w.learned)
        expected = a->learned.expected[0] ? a->learned.expected : "only what is learned between these two: nothing yet";
    snprintf(d->expected, sizeof d->expected, "%s", expected);
    d->in.why = d->why;
    d->in.seen = d->seen;
    d->in.expected = d->expected[0] ? d->expected : "no message that meets the rule";
    d->in.count = v->count;
    d->in.first_ns = v->first_ns;
}

/* By the schema's address: its name is compared once. */
static const struct alert_type *protocol_type(struct raise *r, const struct proto_schema *s)
{
    uint64_t at = hash_u64(HASH_ID_KEY, (uintptr_t)s) & (RAISE_TYPES - 1);
    if (r->types[at].schema != s)
        r->types[at] = (struct raise_type){s, alert_type_for_protocol(s->name)};
    return r->types[at].type;
}

static const char *first_anomaly(const struct rec_event *ev, uint64_t anomalies, unsigned *ret_severity)
{
    int worst = schema_worst(ev->schema, anomalies);
    if (ret_severity)
        *ret_severity = worst < 0 ? 0 : ev->schema->anomalies[worst].severity;
    return worst < 0 ? NULL : ev->schema->anomalies[worst].name;
}

/* All that break the standard, the worst first. */
static void word_anomalies(struct words *w, const struct rec_event *ev, uint64_t anomalies)
{
    for (unsigned severity = 4; severity; severity--)
        for (uint32_t bit = 0; bit < ev->schema->n_anomalies && bit < SCHEMA_MAX_ANOMALIES; bit++) {
            const struct anomaly_def *a = &ev->schema->anomalies[bit];
            if (anomalies >> bit & 1 && a->severity == severity)
                words_add(w, "%s%s: %s", w->n ? "; " : "", a->name, a->doc ? a->doc : "the standard is broken");
        }
}

/* ---- what is told in another's alert ---------------------------------------------------------------------------- */

static void also(struct draft *d, const struct alert_type *t)
{
    bool there = strcmp(d->in.type->id, t->id) == 0;
    for (uint32_t i = 0; i < d->in.n_also; i++)
        there |= strcmp(d->in.also[i]->id, t->id) == 0;
    if (!there && d->in.n_also < ALERT_ALSO)
        d->in.also[d->in.n_also++] = t;
}

static void worse(struct draft *d, uint8_t severity)
{
    if (severity && severity < d->in.severity)
        d->in.severity = severity;
}

static void more(struct draft *d, const char *s)
{
    struct words w = {d->why, strlen(d->why), sizeof d->why};
    words_add(&w, "; %s", s);
}

static void take_anomalies(struct raise *r, struct draft *d, const struct rec_event *ev, uint64_t anomalies)
{
    char text[512];
    struct words w = words_in(text, sizeof text);
    unsigned severity;
    const char *name = first_anomaly(ev, anomalies, &severity);
    if (!name)
        return;
    word_anomalies(&w, ev, anomalies);
    more(d, text);
    d->in.anomaly = d->in.anomaly ? d->in.anomaly : name;
    worse(d, raise_anomaly_severity(severity));
    also(d, protocol_type(r, ev->schema));
}

/* The facts of the deviations, for `tyto baseline accept`. */
static void facts_of(const struct raise_act *a, const struct deviation *not, char out[RAISE_ACCEPT])
{
    struct words w = words_in(out, RAISE_ACCEPT);
    for (unsigned i = 0; i < a->n_devs; i++)
        if (&a->dev[i] != not && a->dev[i].accept[0])
            words_add(&w, "%s%s", w.n ? " " : "", a->dev[i].accept);
}

static void take_deviations(struct draft *d, const struct raise_act *a, const struct deviation *not)
{
    for (unsigned i = 0; i < a->n_devs; i++) {
        const struct deviation *v = &a->dev[i];
        if (v == not)
            continue;
        more(d, v->why);
        worse(d, raise_severity_of(v));
        also(d, raise_type_of(v));
        if (!d->in.expected || (v->type != DEV_STATE_COMMAND && v->expected[0]))
            d->in.expected = v->expected;
        d->in.maintenance = d->in.maintenance ? d->in.maintenance : v->maintenance;
    }
    d->in.news |= a->n_devs > (not ? 1u : 0u);
}

/* What follows from the deviations later is told where they were. */
static void absorb(struct raise *r, const struct draft *d, const struct raise_act *a, const struct deviation *not)
{
    uint64_t fold = alert_last_fold(r->c.alerts);
    for (unsigned i = 0; i < a->n_devs && fold; i++)
        if (&a->dev[i] != not)
            r->absorbed[a->dev[i].fold >> 8 & (RAISE_ABSORBED - 1)] =
                (struct raise_absorbed){a->dev[i].fold, fold, (uint32_t)strlen(d->why)};
}

/* ---- carriers --------------------------------------------------------------------------------------------------- */

static bool counts(const struct rule_verdict *v)
{
    return v->rule->threshold.count != 0;
}

static bool before(const struct rule_info *x, const struct rule_info *y)
{
    if (x->severity != y->severity)
        return x->severity < y->severity;
    size_t nx = x->protocols && *x->protocols ? strlen(x->protocols) : 4096;
    size_t ny = y->protocols && *y->protocols ? strlen(y->protocols) : 4096;
    return nx < ny;
}

static int carrier(const struct raise_act *a)
{
    int best = -1;
    for (int i = 0; i < a->n_rules; i++)
        if (!counts(&a->verdict[i]) &&
            (best < 0 || before(a->verdict[i].rule, a->verdict[best].rule)))
            best = i;
    return best;
}

/* The worst severity that tell_rule() may come to: announced work and engineering stations only lower it. */
static uint8_t worst_of(const struct raise_act *a, const struct rule_info *info, bool with)
{
    unsigned severity = 0;
    if (with && a->anomalies)
        first_anomaly(a->ev, a->anomalies, &severity);
    uint8_t s = severity ? raise_anomaly_severity(severity) : AS_WARNING;
    return s < info->severity ? s : info->severity;
}

/* with: the rest of the act is told in it */
static void tell_rule(struct raise *r, int i, bool with)
{
    struct raise_act *a = &r->act;
    const struct rule_info *info = a->verdict[i].rule;
    struct alert_type others[ACT_RULES];
    struct draft d;
    char facts[RAISE_ACCEPT];
    uint64_t key = repeat_key(a, info->sid);
    bool more_to_say = with && a->n_devs;
    if (!more_to_say && repeated(r, key, a->ev->ts_ns, a->verdict[i].count))
        return;
    const struct alert_type type = type_of_rule(info);
    facts[0] = '\0';
    if (!more_to_say &&
        folded(r, a->fold[i], key, a->ev->ts_ns, a->verdict[i].count, worst_of(a, info, with)))
        return;
    draft_event(r, &d, &type, a->ev);
    identify(&d, a->ev, info);
    word_rule(r, &d, &a->verdict[i], a->hit[i]);
    for (int k = 0; k < a->n_rules && with; k++) {
        if (k == i || counts(&a->verdict[k]) || !a->verdict[k].rule->shipped)
            continue;
        others[k] = type_of_rule(a->verdict[k].rule);
        char text[200];
        snprintf(text, sizeof text, "also: %.180s", others[k].title);
        more(&d, text);
        also(&d, &others[k]);
    }
    if (with)
        take_anomalies(r, &d, a->ev, a->anomalies);
    if (r->c.rules && !d.in.anomaly)
        d.in.anomaly = first_anomaly(
            a->ev, a->ev->anomalies & ruleset_hit_anomalies(r->c.rules, a->hit[i], a->ev->schema), NULL);
    draft_mark(r, &d, a->ev->net, &a->ev->src, &a->ev->dst, a->ev->action);
    if (with) {
        take_deviations(&d, a, NULL);
        facts_of(a, NULL, facts);
    }
    if (info->learn != RL_NO)
        draft_accept(&d, true, facts);
    alert_raise(r->c.alerts, &d.in);
    if (with && a->n_devs)
        absorb(r, &d, a, NULL);
    remember(r, key);
}

static void tell_anomaly(struct raise *r)
{
    struct raise_act *a = &r->act;
    struct rec_event *ev = a->ev;
    const struct alert_type *type = protocol_type(r, ev->schema);
    unsigned severity;
    const char *name = first_anomaly(ev, a->anomalies, &severity);
    uint64_t key = repeat_key(a, hash_bytes(severity, ev->schema->name, strlen(ev->schema->name)));
    char facts[RAISE_ACCEPT];
    struct draft d;
    if (!a->n_devs && repeated(r, key, ev->ts_ns, a->count))
        return;
    draft_subject(r, &d, ev->net, rec_client(ev), rec_server(ev));
    d.in.type = type;
    d.in.object = name;
    if (!a->n_devs) {
        uint64_t fold = alert_key(type->id, d.in.subject, d.in.object);
        if ((r->c.accepted && r->c.accepted(r->c.ctx, fold)) ||
            folded(r, fold, key, ev->ts_ns, a->count, raise_anomaly_severity(severity)))
            return;
    }
    draft_event(r, &d, type, ev);
    d.in.title = raise_protocol_title(&d, type, ev->schema);
    d.in.severity = raise_anomaly_severity(severity);
    d.in.anomaly = d.in.object = name;
    d.in.count = a->count;
    char broken[512];
    struct words why = words_in(d.why, sizeof d.why), seen = words_in(d.seen, sizeof d.seen);
    struct words w = words_in(broken, sizeof broken);
    const struct event *full = full_event(r, ev);
    words_add(&seen, "%s ", ev->schema->name);
    size_t said = seen.n;
    describe(&seen, ev, full);
    word_anomalies(&w, ev, a->anomalies);
    sides(&why, ev, &d);
    words_add(&why, "%s; in ", broken);
    describe_again(&why, &seen, said, ev, full);
    snprintf(d.expected, sizeof d.expected, "a message without %.200s", name);
    d.in.why = d.why;
    d.in.seen = d.seen;
    d.in.expected = d.expected;
    take_deviations(&d, a, NULL);
    facts_of(a, NULL, facts);
    draft_accept(&d, true, facts);
    alert_raise(r->c.alerts, &d.in);
    if (a->n_devs)
        absorb(r, &d, a, NULL);
    remember(r, key);
}

static void tell_deviation(struct raise *r, const struct deviation *v)
{
    struct raise_act *a = &r->act;
    struct draft d;
    char facts[RAISE_ACCEPT], all[RAISE_ACCEPT + DEV_ACCEPT + 2];
    draft_deviation(r, &d, v);
    if (a->anomalies)
        take_anomalies(r, &d, a->ev, a->anomalies);
    take_deviations(&d, a, v);
    facts_of(a, v, facts);
    snprintf(all, sizeof all, "%s%s%s", v->accept, v->accept[0] && facts[0] ? " " : "", facts);
    draft_accept(&d, false, all);
    if (v->engineering)
        more(&d, "from an engineering station, so the severity is lowered");
    d.in.news = false;
    alert_raise(r->c.alerts, &d.in);
    if (a->n_devs > 1)
        absorb(r, &d, a, v);
}

/* ---- an act ----------------------------------------------------------------------------------------------------- */

void raise_act_begin(struct raise *r, struct rec_event *ev)
{
    r->act.ev = ev;
    r->act.count = 1;
    r->act.key = 0;
    r->act.n_rules = r->act.n_devs = 0;
    r->act.wants_learned = r->act.has_learned = false;
    r->act.anomalies = 0;
}

void raise_act_rule(struct raise *r, unsigned hit, const struct rule_verdict *v)
{
    struct raise_act *a = &r->act;
    if (a->n_rules == ACT_RULES || alert_off(r->c.alerts, v->rule->id))
        return; /* what is off carries nothing, nor what is accepted */
    const uint64_t key = repeat_key(a, v->rule->sid);
    const struct raise_repeat *p = repeat_of(r, key);
    const bool again = p->key == key; /* needs no words */
    const uint64_t fold = again ? p->fold : rule_fold(r, a->ev, v->rule);
    if (v->rule->learn != RL_NO && r->c.accepted && r->c.accepted(r->c.ctx, fold))
        return;
    if (!a->wants_learned && r->c.learned && !counts(v)) {
        a->wants_learned = true;
        if (!r->c.settled || !r->c.settled(r->c.ctx, a->ev))
            ask_learned(r); /* now: it is learned, or not, in a moment */
    }
    a->hit[a->n_rules] = (uint16_t)hit;
    a->fold[a->n_rules] = fold;
    a->verdict[a->n_rules++] = *v;
}

void raise_act_anomalies(struct raise *r, uint64_t anomalies)
{
    const struct proto_schema *s = r->act.ev->schema;
    uint64_t told = 0;
    for (uint64_t left = s ? anomalies : 0; left; left &= left - 1) {
        unsigned bit = (unsigned)__builtin_ctzll(left);
        if (bit < s->n_anomalies && s->anomalies[bit].severity)
            told |= UINT64_C(1) << bit;
    }
    if (told && !alert_off(r->c.alerts, protocol_type(r, s)->id))
        r->act.anomalies |= told;
}

static const struct deviation *worst(const struct raise_act *a)
{
    const struct deviation *w = a->n_devs ? &a->dev[0] : NULL;
    for (unsigned i = 1; i < a->n_devs; i++)
        if (a->dev[i].severity > w->severity)
            w = &a->dev[i];
    return w;
}

void raise_act_end(struct raise *r)
{
    struct raise_act *a = &r->act;
    const struct deviation *dev = worst(a);
    unsigned severity = 0;
    int c = carrier(a);
    if (a->anomalies)
        first_anomaly(a->ev, a->anomalies, &severity);
    for (int i = 0; i < a->n_rules; i++)
        if (i == c || counts(&a->verdict[i]) || !a->verdict[i].rule->shipped)
            tell_rule(r, i, i == c);
    if (c < 0 && severity && (!dev || raise_severity_of(dev) >= raise_anomaly_severity(severity)))
        tell_anomaly(r);
    else if (c < 0 && dev)
        tell_deviation(r, dev);
    a->ev = NULL;
}

/* The first word on a deviation of the open act waits for the act's end; later ones go where the first one went. */
bool act_takes(struct raise *r, const struct deviation *d)
{
    struct raise_act *a = &r->act;
    if (a->ev && d->event == a->ev && a->n_devs < ACT_DEVS && !alert_off(r->c.alerts, raise_type_of(d)->id)) {
        a->dev[a->n_devs++] = *d;
        return true;
    }
    const struct raise_absorbed *p = &r->absorbed[d->fold >> 8 & (RAISE_ABSORBED - 1)];
    if (d->event || p->dev != d->fold)
        return false;
    char follow[ALERT_TEXT] = "";
    raise_follow(follow, sizeof follow, &d->follow);
    return alert_amend(r->c.alerts, p->fold, d->last_ns, d->count, raise_severity_of(d), p->why_len, follow);
}
