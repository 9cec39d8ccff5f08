/* text_op.c: the sentences of deviations about functions, objects, errors and commands. */
#include <stdio.h>

#include "baseline/model.h"

static const char *function_name(const struct rec_event *e, char out[64])
{
    char code[FN_TEXT];
    if (e->op)
        return e->op->name;
    if (e->function == FN_NONE)
        return "unreadable function";
    schema_fn_text(e->schema, e->function, code);
    snprintf(out, 64, "function %s", code);
    return out;
}

/* " of unit 1", in the protocol's own word */
static void unit_words(const struct rec_event *e, char out[64])
{
    const char *is = e->schema->unit_is ? e->schema->unit_is : "unit";
    char unit[FN_TEXT];
    schema_unit_text(e->schema, e->unit, e->sub, unit);
    out[0] = 0;
    if (e->has_unit)
        snprintf(out, 64, " of %.35s %s", is, unit);
    else if (e->sub)
        snprintf(out, 64, " of slot %u", e->sub - 1);
}

static void pair_words(struct baseline *b, const struct subject *s, char *out, size_t n)
{
    const struct rec_event *e = s->event;
    char c[WHO_TEXT], v[WHO_TEXT];
    text_who(b, e->net, &e->src, c);
    text_who(b, e->net, &e->dst, v);
    snprintf(out, n, "%.80s to %.80s", c, v);
}

/* Another function that is learned for the same unit. */
static bool beside(const struct func *o, const struct func *f)
{
    return o != f && o->proto == f->proto && o->has_unit == f->has_unit && o->unit == f->unit && o->sub == f->sub &&
           o->life.learned == FACT_LEARNED;
}

/* A function with several selectors has one name. */
static bool told_before(const struct baseline *b, const struct link *l, const struct func *f, uint32_t until,
                        const char *name)
{
    for (uint32_t k = l->funcs; k && k != until; k = func_at(b, k)->next)
        if (beside(func_at(b, k), f) && strcmp(func_at(b, k)->name, name) == 0)
            return true;
    return false;
}

/* What a function is measured by: its own link, or, not learned, that of a redundant partner. */
static const struct link *measure(const struct baseline *b, const struct func *f)
{
    const struct link *own = blink_at(b, f->link);
    uint32_t i = own->life.learned == FACT_LEARNED ? 0 : partner_link(b, own);
    return i ? blink_at(b, i) : own;
}

/* The functions learned on this link for the unit of f, as a list. */
static unsigned learned_functions(const struct baseline *b, const struct link *l, const struct func *f, char *out,
                                  size_t n)
{
    unsigned count = 0;
    *out = 0;
    for (uint32_t k = l->funcs; k; k = func_at(b, k)->next) {
        const struct func *o = func_at(b, k);
        if (!beside(o, f))
            continue;
        if (*o->name && told_before(b, l, f, k, o->name))
            continue;
        if (count++ >= 4)
            continue;
        char code[FN_TEXT] = "?";
        const struct proto_schema *s = b->apps[o->proto].schema;
        if (s && o->fn != FN_NONE)
            schema_fn_text(s, o->fn, code);
        text_add(out, n, "%s%s%s", count > 1 ? ", " : "", *o->name ? "" : "function ", *o->name ? o->name : code);
    }
    if (count > 4)
        text_add(out, n, ", ...");
    return count;
}

static bool same_unit(const struct func *x, const struct func *y)
{
    return x->unit == y->unit && x->sub == y->sub;
}

static unsigned learned_units(const struct baseline *b, const struct link *l, const struct func *f, char *out,
                              size_t n)
{
    unsigned count = 0;
    const struct func *seen[6];
    char unit[FN_TEXT];
    *out = 0;
    for (uint32_t k = l->funcs; k; k = func_at(b, k)->next) {
        const struct func *o = func_at(b, k);
        unsigned j = 0;
        if (o == f || o->proto != f->proto || !o->has_unit || same_unit(o, f) || o->life.learned != FACT_LEARNED)
            continue;
        while (j < count && !same_unit(seen[j], o))
            j++;
        if (j < count || count == ARRAY_LEN(seen))
            continue;
        seen[count++] = o;
        schema_unit_text(b->apps[o->proto].schema, o->unit, o->sub, unit);
        text_add(out, n, "%s%s", count > 1 ? ", " : "", unit);
    }
    return count;
}

/* " on ioa:5 and 3 more objects": what the message is about */
static void object_words(const struct rec_event *e, char *out, size_t n)
{
    const struct rec_fact *f = NULL;
    char object[EV_OBJECT];
    *out = 0;
    for (unsigned k = 0; k < e->n_facts; k++)
        if (e->facts[k].kind < e->schema->n_kinds &&
            (!f || (action_changes(e->facts[k].action) && !action_changes(f->action))))
            f = &e->facts[k];
    if (!f)
        return;
    const struct item it = {.kind = f->kind, .bit = f->bit, .has_range = f->has_range, .space = f->space,
                            .first = f->first, .last = f->last, .name = f->name};
    item_text(e->schema, &it, object);
    text_add(out, n, " on %.100s", object);
    if (e->items_total > 1)
        text_add(out, n, " and %u more", e->items_total - 1);
}

static struct link *link_of(struct baseline *b, const struct rec_event *e)
{
    bool turned;
    uint32_t i = dig_find(b, e->link, DIG_LINK, &turned);
    if (!i || turned)
        i = blink_find(b, e->net, &e->src, &e->dst, e->l4, e->dport);
    return i ? blink_at(b, i) : NULL;
}

bool baseline_settled(struct baseline *b, const struct rec_event *e)
{
    const struct link *l = e->n_facts ? NULL : link_of(b, e);
    return l && l->life.learned == FACT_LEARNED;
}

void baseline_learned(struct baseline *b, const struct rec_event *e, char *why, size_t why_len, char *expected,
                      size_t expected_len)
{
    enum { TOLD = 5 };
    const struct link *l = link_of(b, e);
    uint16_t proto = app_intern(b, e->schema->name, e->schema);
    unsigned n = 0;
    bool itself = false;
    char since[SPAN_TEXT];
    *why = *expected = 0;
    if (!l || l->life.learned != FACT_LEARNED) {
        text_cat(why, why_len, "no connection between them is learned");
        return;
    }
    text_since(&l->life, since);
    for (uint32_t k = l->funcs; k; k = func_at(b, k)->next) {
        const struct func *f = func_at(b, k);
        if (f->proto != proto || f->life.learned != FACT_LEARNED)
            continue;
        itself |= f->fn == e->function && f->sel == e->selector && f->has_unit == e->has_unit &&
                  (!f->has_unit || f->unit == e->unit);
        if (n > TOLD || !*f->name || strstr(expected, f->name)) /* of another unit or selector */
            continue;
        if (n++ == TOLD)
            continue;
        text_cat(expected, expected_len, n > 1 ? ", " : "");
        text_cat(expected, expected_len, f->name);
    }
    if (n > TOLD)
        text_cat(expected, expected_len, ", ...");
    if (!itself && !n) {
        text_cat(why, why_len, "nothing that is done between them is learned yet");
        return;
    }
    text_cat(why, why_len, itself ? "it is learned between them " : "learned between them ");
    text_cat(why, why_len, since);
    if (!itself) {
        text_cat(why, why_len, ": ");
        text_cat(why, why_len, expected);
    }
}

void text_function(struct baseline *b, struct deviation *d, uint32_t fi, const struct subject *s, bool new_unit)
{
    const struct func *f = func_at(b, fi);
    const struct link *l = measure(b, f);
    const struct rec_event *e = s->event;
    char nb[64], unit[64], pair[2 * WHO_TEXT], list[160], since[SPAN_TEXT], on[140];
    const char *name = function_name(e, nb);
    unit_words(e, unit);
    object_words(e, on, sizeof on);
    pair_words(b, s, pair, sizeof pair);
    text_since(&l->life, since);
    unsigned n = new_unit ? learned_units(b, l, f, list, sizeof list) : learned_functions(b, l, f, list, sizeof list);
    if (new_unit)
        text_add(d->object, sizeof d->object, "%s", unit[0] ? unit + 4 : "");
    else
        text_add(d->object, sizeof d->object, "%s", name);
    text_add(d->why, sizeof d->why, "first %s (%s)%s%s from %s; learned %s", name, action_name(f->action), unit,
             on, pair, l == blink_at(b, f->link) ? "" : "of a redundant partner ");
    if (n)
        text_add(d->why, sizeof d->why, "%s%s %s", new_unit ? "units " : "", list, since);
    else
        text_add(d->why, sizeof d->why, "nothing of its kind %s", since);
    text_add(d->expected, sizeof d->expected, "%s%s", new_unit && n ? "units " : "", n ? list : "no such operation");
    text_add(d->seen, sizeof d->seen, "%s%s%s", name, unit, on);
    snprintf(d->accept, sizeof d->accept, "function:%016llx", (unsigned long long)f->id);
}

static bool same_kind(const struct op *o, const struct op *p)
{
    return o != p && o->kind == p->kind && o->action == p->action && o->life.learned == FACT_LEARNED;
}

static uint64_t distance(const struct op *o, const struct op *p)
{
    if (o->space != p->space)
        return UINT64_MAX - 1;
    if (o->first > p->last)
        return o->first - p->last;
    return p->first > o->last ? p->first - o->last : 0;
}

/* The learned object under f nearest to this one, and how many there are. */
static const struct op *nearest(const struct baseline *b, const struct func *f, const struct op *p, unsigned *n)
{
    const struct op *best = NULL;
    *n = 0;
    for (uint32_t k = f->ops; k; k = op_at(b, k)->next) {
        const struct op *o = op_at(b, k);
        if (!same_kind(o, p))
            continue;
        ++*n;
        uint64_t x = distance(o, p), y = best ? distance(best, p) : UINT64_MAX;
        if (x < y || (x == y && best && o->first < best->first))
            best = o;
    }
    return best;
}

/* "0-99": what an object text has behind its kind; all of it when the space is another. */
static const char *range_part(const struct op *o, const struct op *p, const char *text)
{
    const char *c = o->space == p->space && !o->name ? strrchr(text, ':') : NULL;
    return c ? c + 1 : text;
}

void text_object(struct baseline *b, struct deviation *d, uint32_t fi, uint32_t oi, const struct subject *s)
{
    const struct func *f = func_at(b, fi);
    const struct op *o = op_at(b, oi), *near;
    const struct op_key key = op_key_of(s->fact);
    char near_text[EV_OBJECT], unit[64], span[SPAN_TEXT], pair[2 * WHO_TEXT];
    unsigned n;
    op_text(b, f, o, d->object);
    if (!d->object[0])
        text_add(d->object, sizeof d->object, "%s without an object", *f->name ? f->name : "function");
    unit_words(s->event, unit);
    pair_words(b, s, pair, sizeof pair);
    near = nearest(b, f, o, &n);
    uint32_t other = near ? 0 : partner_func(b, blink_at(b, f->link), f->proto, s->event, &key);
    if (other)
        near = nearest(b, func_at(b, other), o, &n);
    text_add(d->why, sizeof d->why, "first %s %s %.120s%s", action_name(o->action),
             action_changes(o->action) ? "to" : "of", d->object, unit);
    if (near) {
        op_text(b, f, near, near_text);
        text_span(&near->life, span);
        text_add(d->why, sizeof d->why, "; learned %s%.60s %s", other ? "of a redundant partner " : "",
                 range_part(near, o, near_text), span);
        if (near->count || !life_imported(&near->life))
            text_add(d->why, sizeof d->why, ", %llu times", (unsigned long long)(near->count ? near->count : 1));
        if (n > 1)
            text_add(d->why, sizeof d->why, ", and %u more", n - 1);
        text_add(d->expected, sizeof d->expected, "%.150s%s", near_text, n > 1 ? " or another learned object" : "");
    } else {
        text_add(d->why, sizeof d->why, "; for %s from %s no object of this kind is learned",
                 *f->name ? f->name : "this function", pair);
        text_add(d->expected, sizeof d->expected, "no such object");
    }
    text_add(d->seen, sizeof d->seen, "%s", d->object);
    snprintf(d->accept, sizeof d->accept, "object:%016llx", (unsigned long long)o->id);
}

void text_error(struct baseline *b, struct deviation *d, uint32_t fi, uint32_t oi, const struct subject *s)
{
    const struct func *f = func_at(b, fi);
    const struct op *o = op_at(b, oi);
    const struct rec_event *e = s->event;
    const char *name = code_name(e->schema->statuses, e->status);
    char object[EV_OBJECT], num[24], unit[64], nb[64], known[120] = "";
    op_text(b, f, o, object);
    unit_words(e, unit);
    snprintf(num, sizeof num, "status %u", e->status);
    for (unsigned k = 0; k < o->n_status; k++) {
        const char *kn = code_name(e->schema->statuses, o->status[k]);
        if (o->status_learned >> k & 1)
            text_add(known, sizeof known, kn ? "%s%s" : "%s%s%u", *known ? ", " : "", kn ? kn : "status ",
                     o->status[k]);
    }
    text_add(d->object, sizeof d->object, "%s", object[0] ? object : function_name(e, nb));
    text_add(d->why, sizeof d->why, "first error %s for %s %.100s%s; learned %s%s in %llu answers", name ? name : num,
             function_name(e, nb), object, unit, *known ? "errors " : "no error", known,
             (unsigned long long)(o->count ? o->count : 1));
    text_add(d->expected, sizeof d->expected, "%s", *known ? known : "no error");
    text_add(d->seen, sizeof d->seen, "%s", name ? name : num);
    snprintf(d->accept, sizeof d->accept, "error:%016llx:%u", (unsigned long long)o->id, e->status);
}

void text_command(struct baseline *b, struct deviation *d, const struct subject *s)
{
    const struct rec_event *e = s->event;
    const struct asset *a = asset_at(b, s->client);
    char nb[64], who[WHO_TEXT], other[WHO_TEXT], unit[64], since[SPAN_TEXT], sent[96] = "";
    for (unsigned k = 0; k < ACT_COUNT; k++)
        if (a->evidence >> (EVI_CMD_SHIFT + k) & 1)
            text_add(sent, sizeof sent, "%s%s", *sent ? ", " : "", action_name(k));
    text_who(b, e->net, &e->src, who);
    text_who(b, e->net, &e->dst, other);
    unit_words(e, unit);
    text_since(&a->life, since);
    d->has_action = 1;
    d->action = e->action;
    text_add(d->object, sizeof d->object, "%s", action_name(e->action));
    text_add(d->why, sizeof d->why,
             "%.90s never sent a command of the kind %s before (%s%s to %.90s); known %s, it sent %s", who,
             action_name(e->action), function_name(e, nb), unit, other, since,
             *sent ? sent : "no command that changes a controller's state");
    text_add(d->expected, sizeof d->expected, "%s", *sent ? sent : "no state command from this station");
    text_add(d->seen, sizeof d->seen, "%s, %s", function_name(e, nb), ev_outcome_name(e->outcome));
    snprintf(d->accept, sizeof d->accept, "command:%016llx:%s", (unsigned long long)a->id, action_name(e->action));
}
