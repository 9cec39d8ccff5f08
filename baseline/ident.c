/* ident.c: identity facts: what devices were heard to say of themselves, with source, confidence and times. */
#include "baseline/model.h"
#include "engine/base/obs.h"

struct ident *ident_at(const struct baseline *b, uint32_t i)
{
    return tab_at(&b->idents, i);
}

/* Kinds of which a device has many at a time: another value replaces nothing. */
static bool is_set(uint8_t kind)
{
    static const uint8_t sets[OBS_KINDS] = {[OBS_ROLE] = 1, [OBS_PROTO_ADDR] = 1, [OBS_USER] = 1, [OBS_MAC] = 1,
                                            [OBS_IP] = 1, [OBS_OTHER] = 1, [OBS_CERT] = 1, [OBS_SOFTWARE] = 1};
    return kind < OBS_KINDS && sets[kind];
}

static bool same_slot(const struct ident *x, uint8_t kind, uint32_t sub, const char *source)
{
    return x->kind == kind && x->sub == sub && strcmp(x->source, source) == 0;
}

static void unlink_ident(struct baseline *b, uint32_t i)
{
    struct asset *a = asset_at(b, ident_at(b, i)->asset);
    for (uint32_t *at = &a->idents; *at; at = &ident_at(b, *at)->next)
        if (*at == i) {
            *at = ident_at(b, i)->next;
            a->n_idents--;
            break;
        }
}

static void ident_delete(struct baseline *b, uint32_t i)
{
    unlink_ident(b, i);
    b->n_due -= ident_at(b, i)->dirty & DIRTY;
    tab_del(&b->idents, i);
}

void idents_delete(struct baseline *b, uint32_t asset)
{
    while (asset_at(b, asset)->idents)
        ident_delete(b, asset_at(b, asset)->idents);
}

/* The asset's rows in the store no longer agree with the table: they are written anew. */
static void rewrite(struct baseline *b, uint32_t asset)
{
    struct asset *a = asset_at(b, asset);
    if (a->dirty & STORED)
        row_gone(b, ROW_IDENT, a->id);
    for (uint32_t i = a->idents; i; i = ident_at(b, i)->next)
        due(b, &ident_at(b, i)->dirty);
}

/* The oldest superseded one of the asset, else its oldest. */
static void evict_of(struct baseline *b, uint32_t asset)
{
    uint32_t pick = 0;
    for (uint32_t i = asset_at(b, asset)->idents; i; i = ident_at(b, i)->next) {
        const struct ident *x = ident_at(b, i), *p = pick ? ident_at(b, pick) : NULL;
        if (!p || x->current < p->current || (x->current == p->current && x->last_ns < p->last_ns))
            pick = i;
    }
    ident_delete(b, pick);
    b->idents.evicted++;
    rewrite(b, asset);
}

uint32_t ident_add(struct baseline *b, uint32_t asset, uint8_t kind, uint32_t sub, const char *source,
                   const char *value, uint64_t ts_ns)
{
    if (asset_at(b, asset)->n_idents >= LIM_ASSET_IDENTS)
        evict_of(b, asset);
    if (tab_full(&b->idents)) {
        uint32_t old = tab_victim(&b->idents), of = ident_at(b, old)->asset;
        ident_delete(b, old);
        b->idents.evicted++;
        rewrite(b, of);
    }
    uint64_t spread = hash_u64(ts_ns, (uint64_t)asset << 32 | (uint64_t)kind << 24 |
                                          asset_at(b, asset)->n_idents); /* never looked up */
    uint32_t i = tab_add(&b->idents, spread, 1);
    struct ident *x = ident_at(b, i);
    x->asset = asset;
    x->kind = kind;
    x->sub = sub;
    x->current = 1;
    x->first_ns = x->last_ns = ts_ns;
    text_cat(x->source, sizeof x->source, source);
    text_cat(x->value, sizeof x->value, value);
    struct asset *a = asset_at(b, asset);
    x->next = a->idents;
    a->idents = i;
    a->n_idents++;
    due(b, &x->dirty);
    return i;
}

void idents_move(struct baseline *b, uint32_t from, uint32_t to)
{
    while (asset_at(b, from)->idents) {
        uint32_t i = asset_at(b, from)->idents;
        if (asset_at(b, to)->n_idents >= LIM_ASSET_IDENTS) {
            ident_delete(b, i);
            continue;
        }
        unlink_ident(b, i);
        ident_at(b, i)->asset = to;
        ident_at(b, i)->next = asset_at(b, to)->idents;
        asset_at(b, to)->idents = i;
        asset_at(b, to)->n_idents++;
    }
    rewrite(b, to);
}

static int better(const struct ident *x, const struct ident *y)
{
    if (x->current != y->current)
        return x->current > y->current ? 1 : -1;
    bool moves = x->kind == OBS_STATE || x->kind == OBS_PROTECTION; /* the latest word counts, whoever said it */
    if (moves && x->last_ns != y->last_ns)
        return x->last_ns > y->last_ns ? 1 : -1;
    if (x->confidence != y->confidence)
        return x->confidence > y->confidence ? 1 : -1;
    if (x->last_ns != y->last_ns)
        return x->last_ns > y->last_ns ? 1 : -1;
    if (x->first_ns != y->first_ns)
        return x->first_ns > y->first_ns ? 1 : -1;
    int c = strcmp(x->source, y->source);
    return c ? c : strcmp(x->value, y->value);
}

const struct ident *ident_best(const struct baseline *b, const struct asset *a, uint8_t kind)
{
    const struct ident *best = NULL, *behind = NULL;
    uint32_t sub = OBS_SELF;
    bool one = true;
    for (uint32_t i = a->idents; i; i = ident_at(b, i)->next) {
        const struct ident *x = ident_at(b, i);
        if (x->sub != OBS_SELF) {
            one &= sub == OBS_SELF || sub == x->sub;
            sub = x->sub;
        }
        if (x->kind != kind)
            continue;
        if (x->sub == OBS_SELF)
            best = !best || better(x, best) > 0 ? x : best;
        else
            behind = !behind || better(x, behind) > 0 ? x : behind;
    }
    return best || !one ? best : behind; /* the only unit behind an address is the device */
}

/* A device that tells its own IP or MAC joins what was seen by one and by the other. */
static uint32_t join(struct baseline *b, uint32_t i, const struct rec_ident *r)
{
    char text[ADDR_TEXT];
    struct addr a;
    if (r->value.n >= sizeof text || r->sub != OBS_SELF || r->confidence < 80)
        return i;
    memcpy(text, r->value.p, r->value.n);
    text[r->value.n] = 0;
    if (!addr_parse(text, &a) || addr_is_nobody(&a) || addr_is_group(&a))
        return i;
    uint32_t other = asset_find(b, r->net, &a);
    if (!other || other == i)
        return i;
    const struct asset *x = asset_at(b, i), *y = asset_at(b, other);
    if ((x->flags | y->flags) & ROW_ASSET_ROUTER)
        return i;
    /* Only a layer-2 half joins: two IP assets stay two. */
    return x->n_ips && y->n_ips ? i : asset_merge(b, i, other);
}

void baseline_ident(struct baseline *b, const struct rec_ident *r)
{
    char value[REC_VALUE + 1];
    uint32_t n = r->value.n < REC_VALUE ? r->value.n : REC_VALUE, found = 0, before = 0;
    clock_to(b, r->ts_ns);
    uint32_t ai = asset_find(b, r->net, &r->addr);
    if (!ai || !n || r->kind >= OBS_KINDS)
        return;
    memcpy(value, r->value.p, n);
    value[n] = 0;
    asset_seen(b, ai, r->ts_ns);
    if (r->kind == OBS_IP || r->kind == OBS_MAC)
        ai = join(b, ai, r);
    for (uint32_t i = asset_at(b, ai)->idents; i; i = ident_at(b, i)->next) {
        const struct ident *x = ident_at(b, i);
        if (!same_slot(x, r->kind, r->sub, r->source))
            continue;
        if (strcmp(x->value, value) == 0)
            found = i;
        else if (x->current && !is_set(r->kind))
            before = i;
    }
    if (before) {
        ident_at(b, before)->current = 0;
        tab_move(&b->idents, before, 0);
        due(b, &ident_at(b, before)->dirty);
    }
    bool fresh = !found || !ident_at(b, found)->current;
    if (!found)
        found = ident_add(b, ai, r->kind, r->sub, r->source, value, r->ts_ns);
    struct ident *x = ident_at(b, found);
    x->current = 1;
    x->confidence = r->confidence > x->confidence ? r->confidence : x->confidence;
    if (r->ts_ns > x->last_ns)
        x->last_ns = r->ts_ns;
    tab_move(&b->idents, found, 1);
    due(b, &x->dirty);
    due(b, &asset_at(b, ai)->dirty);
    if ((r->kind == OBS_ROLE || r->kind == OBS_DEVICE_TYPE) && r->sub == OBS_SELF)
        roles_told(b, ai, (struct span){(const uint8_t *)value, n});
    if (fresh)
        judge_ident(b, ai, found, before, r);
}
