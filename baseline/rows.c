/* rows.c: the model as rows: what changed goes out, what is stored comes in. */
#include <stdio.h>
#include <stdlib.h>

#include "baseline/model.h"
#include "engine/base/obs.h"

void row_gone(struct baseline *b, enum row_kind kind, uint64_t id)
{
    if (b->n_gone == b->cap_gone) /* no: baseline.c says why */
        return;                   /* the row would stay in the store, where it is stale but harmless */
    b->gone_ids[b->n_gone] = id;
    b->gone_kinds[b->n_gone++] = (uint8_t)kind;
}

uint32_t baseline_due(const struct baseline *b)
{
    return b->n_due + b->n_gone;
}

/* ---- out ---- */

static const char *zone_of(const struct baseline *b, const struct asset *a, int *purdue)
{
    const struct site_zone *z = asset_zone(b, a);
    *purdue = z ? z->purdue : -1;
    return z ? z->name : NULL;
}

static const char *best(const struct baseline *b, const struct asset *a, uint8_t kind)
{
    const struct ident *x = ident_best(b, a, kind);
    return x ? x->value : NULL;
}

static bool put_asset(struct baseline *b, const struct row_sink *s, const struct asset *a)
{
    char reason[DEV_TEXT], tags[256] = "";
    struct row_asset r = {.id = a->id, .key = a->key, .net = net_rec(b, a->net)->name, .name = asset_name(b, a),
                          .vendor = asset_vendor(b, a), .model = best(b, a, OBS_MODEL),
                          .firmware = best(b, a, OBS_FIRMWARE), .serial = best(b, a, OBS_SERIAL),
                          .os = best(b, a, OBS_OS), .state = best(b, a, OBS_STATE), .ips = a->ips, .macs = a->macs,
                          .vlans = a->vlans, .n_ips = a->n_ips, .n_macs = a->n_macs, .n_vlans = a->n_vlans,
                          .macs_learned = a->macs_learned, .parent = a->parent, .evidence = a->evidence,
                          .roles = roles_of(b, a), .n_targets = a->n_targets,
                          .authorized = a->authorized || a->told || partner_named(b, a),
                          .flags = a->flags | (asset_told_by_arp(b, a) ? ROW_ASSET_ARP : 0), .life = a->life};
    if (!r.model)
        r.model = best(b, a, OBS_PRODUCT_CODE);
    r.type = roles_type(b, a, reason);
    r.type_reason = reason;
    r.zone = zone_of(b, a, &r.purdue);
    if (a->told) {
        r.owner = a->told->owner;
        r.criticality = a->told->criticality;
        for (unsigned k = 0; k < a->told->n_tags; k++)
            text_add(tags, sizeof tags, "%s%s", k ? "," : "", a->told->tags[k]);
    }
    r.tags = tags;
    return s->asset(s->ctx, &r);
}

static bool put_ident(const struct baseline *b, const struct row_sink *s, const struct ident *x)
{
    struct row_ident r = {.asset = asset_at(b, x->asset)->id, .sub = x->sub, .kind = x->kind,
                          .confidence = x->confidence, .current = x->current, .learned = x->learned,
                          .source = x->source, .value = x->value, .first_ns = x->first_ns, .last_ns = x->last_ns};
    return s->ident(s->ctx, &r);
}

static bool put_link(struct baseline *b, const struct row_sink *s, const struct link *l)
{
    char apps[LIM_LINK_APPS * 33] = "";
    for (unsigned k = 0; k < l->n_apps; k++) {
        text_cat(apps, sizeof apps, k ? "," : "");
        text_cat(apps, sizeof apps, b->apps[l->apps[k]].name);
    }
    struct row_link r = {.id = l->id,
                         .client = l->client,
                         .server = l->server,
                         .net = net_rec(b, l->net)->name,
                         .apps = apps,
                         .packets = {l->packets[0], l->packets[1]},
                         .bytes = {l->bytes[0], l->bytes[1]},
                         .errors = l->errors,
                         .resets = l->resets,
                         .retransmissions = l->retransmissions,
                         .gaps = l->gaps,
                         .port = l->port,
                         .l4 = l->l4,
                         .flags = l->flags,
                         .app_learned = l->app_learned,
                         .app_judged = l->app_judged,
                         .life = l->life};
    return s->link(s->ctx, &r);
}

static bool put_func(const struct baseline *b, const struct row_sink *s, const struct func *f)
{
    const struct app *p = &b->apps[f->proto];
    char code[FN_TEXT] = "";
    if (p->schema && f->fn != FN_NONE)
        schema_fn_text(p->schema, f->fn, code);
    else if (f->fn != FN_NONE)
        snprintf(code, sizeof code, "%u", f->fn);
    struct row_func r = {.id = f->id,
                         .link = blink_at(b, f->link)->id,
                         .proto = p->name,
                         .function = *code ? code : NULL,
                         .name = *f->name ? f->name : NULL,
                         .fn = f->fn,
                         .sel = f->sel,
                         .unit = f->unit,
                         .sub = f->sub,
                         .has_unit = f->has_unit,
                         .life = f->life};
    return s->func(s->ctx, &r);
}

static bool put_op(const struct baseline *b, const struct row_sink *s, const struct op *o)
{
    const struct func *f = func_at(b, o->func);
    const struct proto_schema *sc = b->apps[f->proto].schema;
    char object[EV_OBJECT];
    op_text(b, f, o, object);
    struct row_op r = {.id = o->id, .func = f->id, .kind = sc && o->kind < sc->n_kinds ? sc->kinds[o->kind].name : NULL,
                       .name = op_name(b, o), .action = action_name(o->action), .object = *object ? object : NULL,
                       .count = o->count, .errors = o->errors, .space = o->space, .first = o->first, .last = o->last,
                       .period_us = o->period_us, .has_range = o->has_range, .bit = o->bit, .n_status = o->n_status,
                       .status_learned = o->status_learned, .life = o->life};
    memcpy(r.status, o->status, sizeof r.status);
    return s->op(s->ctx, &r);
}

static bool put_accepted(const struct row_sink *s, const struct accepted *a)
{
    struct row_accepted r = {.key = a->key, .since_ns = a->since_ns, .type = a->type, .src = a->src, .dst = a->dst,
                             .what = a->what};
    return s->accepted(s->ctx, &r);
}

enum { OUT_NETS, OUT_ASSETS, OUT_IDENTS, OUT_LINKS, OUT_FUNCS, OUT_OPS, OUT_TAKEN, OUT_TABLES };

static uint8_t *dirty_of(const struct baseline *b, unsigned what, uint32_t i)
{
    switch (what) {
    case OUT_ASSETS:
        return &asset_at(b, i)->dirty;
    case OUT_IDENTS:
        return &ident_at(b, i)->dirty;
    case OUT_LINKS:
        return &blink_at(b, i)->dirty;
    case OUT_FUNCS:
        return &func_at(b, i)->dirty;
    case OUT_OPS:
        return &op_at(b, i)->dirty;
    case OUT_TAKEN:
        return &b->accepted[i - 1].dirty;
    default:
        return &b->nets[i - 1].dirty;
    }
}

static bool put(struct baseline *b, const struct row_sink *s, unsigned what, uint32_t i)
{
    switch (what) {
    case OUT_ASSETS:
        return put_asset(b, s, asset_at(b, i));
    case OUT_IDENTS:
        return put_ident(b, s, ident_at(b, i));
    case OUT_LINKS:
        return put_link(b, s, blink_at(b, i));
    case OUT_FUNCS:
        return put_func(b, s, func_at(b, i));
    case OUT_OPS:
        return put_op(b, s, op_at(b, i));
    case OUT_TAKEN:
        return put_accepted(s, &b->accepted[i - 1]);
    default: {
        struct row_net r = {.net = b->nets[i - 1].name, .life = b->nets[i - 1].life};
        return s->net(s->ctx, &r);
    }
    }
}

/* While a flood pushes rows out of a full table, those that never got an answer are not worth the disk: most are gone
 * before anybody could look. They stay due, and are written once there is room. */
static bool fleeting(const struct baseline *b, unsigned what, const struct table *t, uint32_t i)
{
    if (!t || !tab_full(t) || ((const struct node *)tab_at(t, i))->list != 0)
        return false;
    return what == OUT_LINKS ? !blink_at(b, i)->funcs : what == OUT_ASSETS && !asset_at(b, i)->idents;
}

uint32_t baseline_save(struct baseline *b, const struct row_sink *s, bool all)
{
    const struct table *const tables[OUT_TABLES] = {NULL, &b->assets, &b->idents, &b->links, &b->funcs, &b->ops,
                                                     NULL};
    uint32_t n = 0, k = 0;
    for (uint32_t i = 0; i < b->n_nets; i++)
        if (b->nets[i].life.last_ns != clock_of(b)) { /* learning goes on from there */
            b->nets[i].life.last_ns = clock_of(b);
            due(b, &b->nets[i].dirty);
        }
    for (unsigned i = 0; i < ROW_KINDS; i++)
        idmap_done(&b->loaded[i]); /* loading is over */
    while (k < b->n_gone && s->gone(s->ctx, b->gone_kinds[k], b->gone_ids[k]))
        k++;
    if (k < b->n_gone) { /* the order of "gone" and "here again" of one row must hold */
        b->n_gone -= k;
        memmove(b->gone_ids, b->gone_ids + k, b->n_gone * sizeof *b->gone_ids);
        memmove(b->gone_kinds, b->gone_kinds + k, b->n_gone);
        return 0;
    }
    b->n_gone = 0;
    for (unsigned what = 0; what < OUT_TABLES; what++) {
        uint32_t high = tables[what] ? tables[what]->high : what == OUT_NETS ? b->n_nets : b->n_accepted;
        for (uint32_t i = 1; i <= high; i++) {
            uint8_t *dirty = dirty_of(b, what, i);
            if (tables[what] && !((struct node *)tab_at(tables[what], i))->used)
                continue;
            if (!all && (!(*dirty & DIRTY) || fleeting(b, what, tables[what], i)))
                continue;
            if (!put(b, s, what, i))
                return n;
            b->n_due -= *dirty & DIRTY;
            *dirty = STORED;
            n++;
        }
    }
    return n;
}

/* ---- in ---- */

static void loaded_to(struct baseline *b, const struct row_life *l)
{
    if (!b->loaded_clock && l->last_ns > b->loaded_ns && l->last_ns != ROW_NEVER_NS)
        b->loaded_ns = l->last_ns;
}

static uint16_t net_of(struct baseline *b, const char *name)
{
    return name ? net_by_name(b, name) : 0;
}

static bool get_net(void *ctx, const struct row_net *r)
{
    struct baseline *b = ctx;
    struct net_rec *n = net_rec(b, net_of(b, r->net));
    n->life = r->life;
    b->n_due -= n->dirty & DIRTY;
    n->dirty = STORED;
    if (r->life.last_ns) { /* it may be behind what was seen last: a clock that was set back */
        b->loaded_ns = !b->loaded_clock || r->life.last_ns > b->loaded_ns ? r->life.last_ns : b->loaded_ns;
        b->loaded_clock = true;
    }
    return true;
}

static bool get_asset(void *ctx, const struct row_asset *r)
{
    struct baseline *b = ctx;
    uint16_t net = net_of(b, r->net);
    if (asset_find(b, net, &r->key))
        return true;
    uint32_t i = asset_create(b, net, &r->key, r->id, r->life.first_ns);
    struct asset *a = asset_at(b, i);
    a->life = r->life;
    loaded_to(b, &r->life);
    a->evidence |= r->evidence;
    a->n_targets = r->n_targets;
    a->flags = r->flags & (uint8_t)~ROW_ASSET_ARP;
    a->authorized |= r->authorized;
    a->parent = r->parent;
    for (unsigned k = 0; k < r->n_ips; k++)
        addr_rec_add(b, net, &r->ips[k], i);
    for (unsigned k = 0; k < r->n_macs; k++)
        asset_add_mac(b, i, r->macs[k], r->macs_learned >> k & 1);
    for (unsigned k = 0; k < r->n_vlans && k < LIM_ASSET_VLANS; k++)
        a->vlans[a->n_vlans++] = r->vlans[k];
    asset_loaded(b, i, r->flags & ROW_ASSET_ARP);
    asset_tell(b, i);
    asset_rank(b, i);
    b->n_due -= a->dirty & DIRTY;
    a->dirty = STORED;
    return idmap_put(&b->loaded[ROW_ASSET], r->id, i);
}

static bool get_ident(void *ctx, const struct row_ident *r)
{
    struct baseline *b = ctx;
    uint32_t ai = idmap_get(&b->loaded[ROW_ASSET], r->asset);
    if (!ai || asset_at(b, ai)->id != r->asset || !r->value || !r->source)
        return true;
    struct ident *x = ident_at(b, ident_add(b, ai, r->kind, r->sub, r->source, r->value, r->first_ns));
    x->confidence = r->confidence;
    x->current = r->current;
    x->learned = r->learned;
    x->last_ns = r->last_ns;
    b->n_due -= x->dirty & DIRTY;
    x->dirty = STORED;
    return true;
}

static bool get_link(void *ctx, const struct row_link *r)
{
    struct baseline *b = ctx;
    struct link l = {.client = r->client,
                     .server = r->server,
                     .net = net_of(b, r->net),
                     .port = r->port,
                     .l4 = r->l4,
                     .flags = r->flags,
                     .packets = {r->packets[0], r->packets[1]},
                     .bytes = {r->bytes[0], r->bytes[1]},
                     .errors = r->errors,
                     .resets = r->resets,
                     .retransmissions = r->retransmissions,
                     .gaps = r->gaps,
                     .app_learned = r->app_learned,
                     .app_judged = r->app_judged};
    if (blink_find(b, l.net, &l.client, &l.server, l.l4, l.port))
        return true;
    for (const char *p = r->apps; p && *p && l.n_apps < LIM_LINK_APPS;) {
        char name[32];
        const char *end = strchrnul(p, ',');
        snprintf(name, sizeof name, "%.*s", (int)(end - p), p);
        l.apps[l.n_apps++] = app_intern(b, name, NULL);
        p = *end ? end + 1 : end;
    }
    uint32_t i = blink_create(b, &l, r->life.first_ns);
    blink_at(b, i)->life = r->life;
    loaded_to(b, &r->life);
    blink_rank(b, i);
    b->n_due -= blink_at(b, i)->dirty & DIRTY;
    blink_at(b, i)->dirty = STORED;
    return idmap_put(&b->loaded[ROW_LINK], r->id, i);
}

static bool get_func(void *ctx, const struct row_func *r)
{
    struct baseline *b = ctx;
    uint32_t li = idmap_get(&b->loaded[ROW_LINK], r->link);
    if (!li || !r->proto || blink_at(b, li)->id != r->link)
        return true;
    struct func f = {.link = li, .proto = app_intern(b, r->proto, NULL), .fn = r->fn, .sel = r->sel, .unit = r->unit,
                     .sub = r->sub, .has_unit = r->has_unit};
    const struct proto_schema *s = b->apps[f.proto].schema;
    const struct op_row *row = s ? schema_op(s, r->fn, r->sel) : NULL;
    f.action = row ? row->action : 0;
    /* of this program where it has the protocol, so that what it exports is what it imports */
    snprintf(f.name, sizeof f.name, "%s", row ? row->name : !s && r->name ? r->name : "");
    uint32_t i = func_find(b, li, f.proto, f.fn, f.sel, f.has_unit, f.unit, f.sub);
    if (!i)
        i = func_create(b, &f, r->life.first_ns);
    struct func *n = func_at(b, i);
    n->life = r->life;
    n->id = r->id;
    b->n_due -= n->dirty & DIRTY;
    n->dirty = STORED;
    return idmap_put(&b->loaded[ROW_FUNC], r->id, i);
}

static bool get_op(void *ctx, const struct row_op *r)
{
    struct baseline *b = ctx;
    uint32_t fi = idmap_get(&b->loaded[ROW_FUNC], r->func);
    if (!fi || func_at(b, fi)->id != r->func)
        return true;
    const struct proto_schema *s = b->apps[func_at(b, fi)->proto].schema;
    int kind = r->kind && s ? schema_kind(s, r->kind) : -1, action = r->action ? action_by_name(r->action) : -1;
    struct op_key k = {.space = r->space, .first = r->first, .last = r->last, .bit = r->bit, .has_range = r->has_range,
                       .kind = kind < 0 ? REC_NO_KIND : (uint8_t)kind, .action = action < 0 ? 0 : (uint8_t)action,
                       .name = {(const uint8_t *)r->name, r->name ? (uint32_t)strlen(r->name) : 0}};
    struct op *o = op_at(b, op_create(b, fi, &k, r->life.first_ns));
    o->id = r->id;
    o->life = r->life;
    o->count = r->count;
    o->errors = r->errors;
    o->period_us = r->period_us;
    o->n_status = r->n_status > LIM_OP_ERRORS ? LIM_OP_ERRORS : r->n_status;
    o->status_learned = r->status_learned;
    memcpy(o->status, r->status, sizeof o->status);
    b->n_due -= o->dirty & DIRTY;
    o->dirty = STORED;
    return true;
}

static bool get_accepted(void *ctx, const struct row_accepted *r)
{
    struct baseline *b = ctx;
    if (accepted_add(b, r) < 0)
        return true;
    for (uint32_t i = 0; i < b->n_accepted; i++)
        if (b->accepted[i].key == r->key) {
            b->n_due -= b->accepted[i].dirty & DIRTY;
            b->accepted[i].dirty = STORED;
        }
    return true;
}

static bool get_gone(void *ctx, enum row_kind kind, uint64_t id)
{
    (void)ctx, (void)kind, (void)id;
    return true; /* a store that is read has none */
}

struct row_sink baseline_loader(struct baseline *b)
{
    return (struct row_sink){.ctx = b, .asset = get_asset, .ident = get_ident, .link = get_link, .func = get_func,
                             .op = get_op, .net = get_net, .accepted = get_accepted, .gone = get_gone};
}
