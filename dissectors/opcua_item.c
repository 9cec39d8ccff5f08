/* opcua_item.c: hooks of the structures' tables that make fields and objects: nodes, attributes, methods, values.
 *
 * Spec: OPC 10000-4 5 (services), 7.11 (DataValue), 7.24 (ReadValueId), 7.25 (notifications). Objects are named
 *   variable:ns=2;s=Tank.Level        attribute:i=2253/DisplayName      method:i=2253/i=11492 (object, method)
 *   node:i=85                         path:i=85/2:Boiler/2:Drum         reference:i=85/ns=2;i=5
 *   endpoint:URL policy mode          server:URI                        client_handle:7, monitored_item:7
 * An answer's results belong to the objects of its request, one for one; an answer alone has none. Notifications name
 * client handles: what these stand for is kept from the request that made them. */
#include "dissectors/opcua_int.h"
#include "engine/base/hash.h"

enum { MAX_TIMES = 16, MAX_HANDLES = 128, HANDLE_TEXT = DIS_SHARED - 2 };

/* ---- fields ---- */

void on_field(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    struct ua_txt t = {0};
    switch (r->type) {
    case UA_FLOAT:
    case UA_DOUBLE:
        ev_f64(w->e, r->arg, v->d);
        break;
    case UA_STRING:
    case UA_LTEXT:
        if (v->s.n)
            ev_span(w->e, r->arg, v->s);
        break;
    case UA_NODEID:
    case UA_EXPNODEID:
    case UA_QNAME:
        ua_put_val(&t, v);
        ev_span(w->e, r->arg, ev_text_copy(w->e, t.p, t.n));
        break;
    case UA_STATUS:
        ev_u64(w->e, r->arg, v->u & 0xffff0000);
        break;
    case UA_DATETIME:
        if (v->u) /* 0: none is meant */
            ev_u64(w->e, r->arg, v->u);
        break;
    default:
        ev_u64(w->e, r->arg, v->u);
    }
}

/* The field is there when the value is not 0. */
void on_flag(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    if (v->u)
        ev_u64(w->e, r->arg, v->u);
}

void on_continuation(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    if (v->s.n)
        ev_u64(w->e, r->arg, 1);
}

void on_diagnostic(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    if (v->s.n)
        ev_span(w->e, r->arg, v->s);
}

/* ---- what an object is made of ---- */

void on_node(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    w->r.node[0] = v->node;
    w->path.n = 0;
}

void on_node2(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    w->r.node[1] = v->node;
}

void on_attr(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    w->r.attr = (uint32_t)v->u;
}

void on_range(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    w->r.range = v->s;
}

void on_name(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    w->r.name = v->s;
    w->path.n = 0;
    ua_put_val(&w->path, v);
}

void on_handle(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    w->r.handle = (uint32_t)v->u;
    w->r.has_handle = 1;
}

void on_subscription(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    w->subscription = (uint32_t)v->u;
    on_field(w, r, v);
}

void on_status(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    w->r.status = (uint32_t)v->u;
    w->r.has_status = 1;
}

void on_path_name(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    if (w->path.n + 1 < UA_PATH)
        ua_put(&w->path, "/");
    ua_put_val(&w->path, v);
}

/* A data value: its variant, its status as the object's quality, and when it was taken. */
void on_value(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    ua_variant_vals(w->e, &v->var, &w->r.v);
    w->r.quality = ua_quality(v->status);
    if (w->answer) {
        w->r.status = v->status;
        w->r.has_status = 1;
    }
    if (v->source_ns && w->n_times++ < MAX_TIMES)
        ev_u64(w->e, OF_SOURCE_TIME, v->source_ns);
}

void on_arguments(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    struct cur c = cur_span(v->s);
    struct ua_val one;
    bool deep = false;
    if (v->u != 1) {
        ua_list_vals(w->e, UA_VARIANT, v->s, (uint32_t)v->u, &w->r.v);
        return;
    }
    ua_get(&c, UA_VARIANT, &one, &deep);
    ua_variant_vals(w->e, &one.var, &w->r.v);
}

/* Values one behind the other, of the row's type. */
void on_list(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    ua_list_vals(w->e, r->type, v->s, (uint32_t)v->u, &w->r.v);
    w->r.quality = 0;
}

/* ---- objects ---- */

/* Beyond the bounds an object is only counted: half a name would be another object. */
static struct item *add_item(struct ua_walk *w, unsigned kind, const struct ua_txt *t)
{
    struct event *e = w->e;
    if (e->n_items == EV_MAX_ITEMS || t->n > EV_TEXT - e->text_used) {
        e->items_total++;
        e->truncated = 1;
        return NULL;
    }
    struct item *it = ev_named(e, (uint8_t)kind, ev_text_copy(e, t->p, t->n));
    it->v = w->r.v;
    if (!w->r.v.enc)
        it->v.qual_off = -1;
    it->quality = w->r.quality;
    return it;
}

static void put_target(struct ua_txt *t, const struct ua_reg *r)
{
    ua_put_node(t, &r->node[0]);
    if (r->range.n) {
        ua_put(t, "[");
        ua_put_span(t, r->range);
        ua_put(t, "]");
    }
    if (r->attr == UA_ATTR_VALUE)
        return;
    ua_put(t, "/");
    if (r->attr < UA_N_ATTRIBUTES && ua_attributes[r->attr])
        ua_put(t, ua_attributes[r->attr]);
    else
        ua_put_num(t, r->attr);
}

/* An attribute of a node. Nodes of namespace 0 keep their number: answers tell identity and state by it. */
static struct item *add_target(struct ua_walk *w)
{
    struct ua_txt t = {0};
    put_target(&t, &w->r);
    struct item *it = add_item(w, w->r.attr == UA_ATTR_VALUE ? UK_VARIABLE : UK_ATTRIBUTE, &t);
    if (it && w->r.attr == UA_ATTR_VALUE && w->r.node[0].kind <= 2 && !w->r.node[0].ns)
        it->space = w->r.node[0].num;
    return it;
}

void on_target_item(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)v;
    struct item *it = add_target(w);
    if (it && r->arg && w->r.attr != UA_ATTR_VALUE) /* writes of other attributes change the address space */
        it->action = ACT_CONFIGURE;
}

void on_node_item(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)v;
    struct ua_txt t = {0};
    ua_put_node(&t, &w->r.node[0]);
    add_item(w, r->arg, &t);
}

void on_leaf_node(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    on_node(w, r, v);
    on_node_item(w, r, v);
}

void on_path_item(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)v;
    struct ua_txt t = {0};
    ua_put_node(&t, &w->r.node[0]);
    ua_put_span(&t, ua_txt_span(&w->path));
    add_item(w, r->arg, &t);
}

/* What a method of namespace 0 does is known by its NodeId. The first one is the message's. */
void on_method_item(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)v;
    struct ua_txt t = {0};
    const struct ua_node *m = &w->r.node[1];
    uint32_t sel = m->kind <= 2 && m->ns == 0 ? m->num : OP_ANY_SELECTOR;
    if (w->nth == 0)
        ev_select(w->e, sel);
    ua_put_node(&t, &w->r.node[0]);
    ua_put(&t, "/");
    ua_put_node(&t, m);
    struct item *it = add_item(w, r->arg, &t);
    const struct op_row *op = it && w->nth ? schema_op(&opcua_schema, w->e->function, sel) : NULL;
    if (op)
        it->action = op->action;
}

void on_reference_item(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)v;
    struct ua_txt t = {0};
    ua_put_node(&t, &w->r.node[0]);
    ua_put(&t, "/");
    ua_put_node(&t, &w->r.node[1]);
    add_item(w, r->arg, &t);
}

/* The new node by the id that is asked for; else by its parent and browse name. */
void on_add_item(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)v;
    struct ua_txt t = {0};
    const struct ua_node *want = &w->r.node[1];
    bool named = want->kind <= 2 ? want->num != 0 : want->id.n != 0;
    ua_put_node(&t, &w->r.node[named]);
    if (!named) {
        ua_put(&t, "/");
        ua_put_span(&t, ua_txt_span(&w->path));
    }
    add_item(w, named ? r->arg : UK_PATH, &t);
}

void on_monitored_item(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    uint32_t id = r->type == UA_STRUCT ? w->r.handle : (uint32_t)v->u;
    if (w->e->n_items < EV_MAX_ITEMS)
        ev_range(w->e, r->arg, 0, id, id);
    else
        w->e->items_total++, w->e->truncated = 1;
}

/* ---- monitored items: what a client handle stands for ---- */

struct handle {
    uint8_t n, kind;
    char text[HANDLE_TEXT];
};
_Static_assert(sizeof(struct handle) <= DIS_SHARED, "a handle fits the shared state");

/* Subscriptions may move to another connection of the same pair of devices: the server's port tells servers apart. */
static struct handle *handle_of(struct ua_walk *w, uint32_t handle, bool create)
{
    uint16_t port = w->x->dir == DIR_S2C ? w->x->sport : w->x->dport;
    uint64_t key = hash_mix((uint64_t)w->subscription << 32 | handle, port);
    return dis_shared(w->x, &opcua_schema, key, create);
}

void on_monitor_item(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    (void)v;
    struct item *it = add_target(w);
    bool event = w->r.attr == 12; /* EventNotifier */
    if (!it || !w->r.has_handle || it->name.n > HANDLE_TEXT || w->f->n_handles >= MAX_HANDLES)
        return;
    w->f->n_handles++;
    struct handle *h = handle_of(w, w->r.handle, true);
    h->n = (uint8_t)it->name.n;
    h->kind = event ? UK_EVENT : it->kind;
    memcpy(h->text, it->name.p, it->name.n);
}

static struct item *add_notified(struct ua_walk *w)
{
    const struct handle *h = handle_of(w, w->r.handle, false);
    if (h) {
        struct ua_txt t = {0};
        ua_put_span(&t, (struct span){(const uint8_t *)h->text, h->n});
        return add_item(w, h->kind, &t);
    }
    if (w->e->n_items == EV_MAX_ITEMS) {
        w->e->items_total++;
        w->e->truncated = 1;
        return NULL;
    }
    struct item *it = ev_range(w->e, UK_HANDLE, 0, w->r.handle, w->r.handle);
    it->v = w->r.v;
    it->quality = w->r.quality;
    return it;
}

void on_change(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    (void)v;
    struct item *it = add_notified(w);
    if (it)
        it->status = w->r.status & 0xffff0000;
}

void on_event(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    on_change(w, r, v);
}

/* ---- results ---- */

static struct item *nth_item(const struct ua_walk *w)
{
    return w->answer && w->e->kind == EV_TRANSACTION && w->nth < w->e->n_items ? &w->e->items[w->nth] : NULL;
}

static struct item *take_status(struct ua_walk *w, uint32_t status)
{
    struct item *it = nth_item(w);
    bool bad = status >> 31;
    if (bad && !w->n_bad)
        w->first_bad = status & 0xffff0000;
    w->n_bad |= bad;
    w->n_good |= !bad;
    if (it)
        it->status = status & 0xffff0000;
    return it;
}

void on_result_status(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    take_status(w, (uint32_t)v->u);
}

void on_result(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    (void)v;
    struct item *it = take_status(w, w->r.status);
    if (it && w->r.v.enc) {
        it->v = w->r.v;
        it->quality = w->r.quality;
    }
}

void on_result_value(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    on_value(w, r, v);
    struct item *it = take_status(w, v->status);
    if (!it)
        return;
    it->v = w->r.v;
    it->quality = w->r.quality;
    ua_ident_value(w, it, v);
}

void on_count_references(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    ev_u64(w->e, r->arg, v->u);
}

/* A node that an answer tells, as the value of what was asked. */
void on_target(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    struct ua_txt t = {0};
    if (ua_node_null(&v->node) || w->r.v.enc)
        return;
    ua_put_node(&t, &v->node);
    w->r.v = (struct vals){.raw = ev_text_copy(w->e, t.p, t.n), .n = 1, .qual_off = -1, .enc = VE_NOW_TEXT};
}

/* Nodes of an answer that are one for one with what was asked, and have no status of their own. */
void on_target_text(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    on_target(w, r, v);
    struct item *it = nth_item(w);
    if (it)
        it->v = w->r.v;
}

void on_output(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    struct ua_txt t = {0};
    ua_put_val(&t, v);
    ev_span(w->e, r->arg, ev_text_copy(w->e, t.p, t.n));
}

/* The name of the kind of details: which history is read, which change is made. */
void on_details(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    const struct ua_ext *ext = ua_ext_find(&v->node);
    if (ext)
        ev_span(w->e, r->arg, (struct span){(const uint8_t *)ext->name, (uint32_t)strlen(ext->name)});
}

/* History that is changed: the node and its new values. */
void on_history_item(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    on_details(w, r, v);
    struct item *it = add_target(w);
    if (it && !w->r.v.enc)
        it->quality = 0;
}
