/* enip_conn.c: the Connection Manager: connections are opened and closed, and remembered for what flows on them.
 *
 * Spec: CIP Vol 1, 3-5.5 (Forward_Open, Large_Forward_Open, Forward_Close), 3-5.5.1.1 (network connection parameters),
 * 3-4.5.3 (transport class and trigger).
 *
 *   Forward_Open  priority/tick u8, ticks u8, O->T id u32, T->O id u32, serial u16, vendor u16, originator serial u32,
 *                 time-out multiplier u8, reserved 3, O->T RPI u32, parameters u16 (large: u32), T->O RPI u32,
 *                 parameters, transport u8, path size u8, path
 *   reply         O->T id, T->O id, serial, vendor, originator serial, O->T API, T->O API, application words u8,
 *                   reserved u8 */
#include "dissectors/enip_int.h"

/* Either end chooses the id under which it receives, so ids are unique only together with the originator. */
static uint64_t conn_key(unsigned way, uint32_t id, const struct addr *originator)
{
    return hash_bytes(hash_u64(way, id), originator, sizeof *originator);
}

static struct conn *conn_at(struct dis_ctx *x, unsigned way, uint32_t id, const struct addr *originator)
{
    struct conn *k = dis_shared(x, &cip_schema, conn_key(way, id, originator), false);
    return k && k->used ? k : NULL;
}

struct conn *conn_find(struct dis_ctx *x, unsigned way, uint32_t id)
{
    return x->lay ? conn_at(x, way, id, way == CONN_O2T ? &x->lay->src : &x->lay->dst) : NULL;
}

static uint64_t triad_key(uint16_t serial, uint16_t vendor, uint32_t orig_serial)
{
    return hash_mix(hash_u64(CONN_TRIAD, (uint64_t)serial << 16 | vendor), orig_serial);
}

/* ---- parameters ---- */

struct params {
    uint32_t size;
    uint8_t type, prio, variable, owner;
};

static struct params read_params(struct cur *c, bool large)
{
    uint32_t v = large ? cur_u32le(c) : cur_u16le(c), hi = large ? v >> 16 : v & 0xfe00;
    return (struct params){.size = large ? v & 0xffff : v & 0x1ff, .type = hi >> 13 & 3, .prio = hi >> 10 & 3,
                           .variable = hi >> 9 & 1, .owner = hi >> 15 & 1};
}

static void params_fields(struct event *e, const struct params *o, const struct params *t)
{
    ev_u64(e, CF_O2T_SIZE, o->size);
    ev_u64(e, CF_T2O_SIZE, t->size);
    ev_u64(e, CF_O2T_TYPE, o->type);
    ev_u64(e, CF_T2O_TYPE, t->type);
    ev_u64(e, CF_O2T_PRIO, o->prio);
    ev_u64(e, CF_T2O_PRIO, t->prio);
    ev_u64(e, CF_O2T_VARIABLE, o->variable);
    ev_u64(e, CF_T2O_VARIABLE, t->variable);
    if (o->owner)
        ev_u64(e, CF_OWNER, 1);
    if (o->type == 3 || t->type == 3)
        ev_anomaly(e, CA_FO_TYPE);
}

static void key_fields(struct event *e, const struct epath *p)
{
    if (!p->has_key)
        return;
    ev_u64(e, CF_KEY_VENDOR, p->key_vendor);
    ev_u64(e, CF_KEY_TYPE, p->key_type);
    ev_u64(e, CF_KEY_PRODUCT, p->key_product);
    ev_span(e, CF_KEY_REVISION, ev_text_fmt(e, "%u.%03u", p->key_major & 0x7f, p->key_minor));
    ev_u64(e, CF_KEY_COMPAT, p->key_major >> 7);
    if (p->has_key_serial)
        ev_u64(e, CF_KEY_SERIAL, p->key_serial);
}

/* The connection's object replaces the connection manager's: what it leads to, without ids, which change every time. */
static void path_item(struct cip_svc *s, const struct epath *p)
{
    struct event *e = s->e;
    e->anomalies |= s->x->cut ? 0 : p->anomalies;
    if (p->n_hops) {
        ev_span(e, CF_ROUTE, ev_text_copy(e, p->route.p, p->route.n));
        ev_unit(e, p->slot);
        e->sub = p->slot;
    }
    if (p->app.n) {
        e->n_items = 0;
        e->items_total = 0;
        ev_named(e, CK_CONNECTION, ev_text_copy(e, p->app.p, p->app.n));
    }
    key_fields(e, p);
    if (p->data.n)
        ev_u64(e, CF_CONFIG_LEN, p->data.n);
    if (p->has_pit)
        ev_u64(e, CF_PIT, p->pit_us);
    if (p->safety)
        ev_u64(e, CF_SAFETY, 1);
}

static void triad_fields(struct event *e, uint16_t serial, uint16_t vendor, uint32_t orig_serial)
{
    ev_u64(e, CF_CONN_SERIAL, serial);
    ev_u64(e, CF_ORIG_VENDOR, vendor);
    ev_u64(e, CF_ORIG_SERIAL, orig_serial);
}

static void faults(struct cip_svc *s, const struct cur *c)
{
    if (!cur_ok(c) && !s->x->cut)
        ev_anomaly(s->e, CA_DATA_SIZE);
    else if (cur_left(c) && !s->x->cut)
        ev_anomaly(s->e, CA_TRAILING);
}

void fwd_open_req(struct cip_svc *s, struct cur c)
{
    struct event *e = s->e;
    bool large = s->service == 0x5b;
    struct epath p;
    uint8_t tick = cur_u8(&c), ticks = cur_u8(&c);
    uint32_t o2t = cur_u32le(&c), t2o = cur_u32le(&c);
    uint16_t serial = cur_u16le(&c), vendor = cur_u16le(&c);
    uint32_t orig = cur_u32le(&c);
    uint8_t mult = cur_u8(&c);
    cur_skip(&c, 3);
    uint32_t o_rpi = cur_u32le(&c);
    struct params o = read_params(&c, large);
    uint32_t t_rpi = cur_u32le(&c);
    struct params t = read_params(&c, large);
    uint8_t transport = cur_u8(&c), words = cur_u8(&c);
    if (!cur_ok(&c)) {
        faults(s, &c);
        return;
    }
    ev_u64(e, CF_TIMEOUT_MS, (uint64_t)ticks << (tick & 15));
    ev_u64(e, CF_O2T_ID, o2t);
    ev_u64(e, CF_T2O_ID, t2o);
    triad_fields(e, serial, vendor, orig);
    ev_u64(e, CF_TIMEOUT_MULT, mult < 8 ? 4u << mult : mult);
    ev_u64(e, CF_O2T_RPI, o_rpi);
    ev_u64(e, CF_T2O_RPI, t_rpi);
    params_fields(e, &o, &t);
    ev_u64(e, CF_CLASS_NO, transport & 15);
    ev_u64(e, CF_TRIGGER, transport >> 4 & 7);
    ev_u64(e, CF_SERVER, transport >> 7);
    if ((transport & 15) > 3)
        ev_anomaly(e, CA_FO_CLASS);
    if ((o.type && !o_rpi) || (t.type && !t_rpi) || mult > 7)
        ev_anomaly(e, CA_RPI);
    epath_parse(cur_sub(&c, words * 2u), &p);
    path_item(s, &p);
    faults(s, &c);
}

/* ---- what is remembered ---- */

static void remember(struct cip_svc *s, uint32_t o2t, uint32_t t2o)
{
    struct event *e = s->e;
    struct conn k = {.used = 1, .o2t = o2t, .t2o = t2o};
    const struct layers *lay = s->x->lay;
    if (!lay)
        return;
    k.serial = (uint16_t)cip_field(e, CF_CONN_SERIAL, 0, 0);
    k.vendor = (uint16_t)cip_field(e, CF_ORIG_VENDOR, 0, 0);
    k.orig_serial = (uint32_t)cip_field(e, CF_ORIG_SERIAL, 0, 0);
    k.o2t_size = (uint16_t)cip_field(e, CF_O2T_SIZE, 0, 0);
    k.t2o_size = (uint16_t)cip_field(e, CF_T2O_SIZE, 0, 0);
    k.transport = (uint8_t)cip_field(e, CF_CLASS_NO, 0, 3);
    k.safety = (uint8_t)cip_field(e, CF_SAFETY, 0, 0);
    k.o2t_null = cip_field(e, CF_O2T_TYPE, 0, 2) == 0;
    k.t2o_null = cip_field(e, CF_T2O_TYPE, 0, 2) == 0;
    k.has_slot = e->has_unit;
    k.slot = e->unit;
    k.originator = s->x->dir == DIR_S2C ? lay->dst : lay->src;
    if (e->n_items && e->items[0].kind == CK_CONNECTION && e->items[0].name.n) {
        k.path_len = (uint8_t)(e->items[0].name.n < CONN_PATH ? e->items[0].name.n : CONN_PATH);
        memcpy(k.path, e->items[0].name.p, k.path_len);
    }
    uint64_t keys[3] = {conn_key(CONN_O2T, o2t, &k.originator), conn_key(CONN_T2O, t2o, &k.originator),
                        triad_key(k.serial, k.vendor, k.orig_serial)};
    for (unsigned i = 0; i < 3; i++) {
        if ((i == 0 && k.o2t_null) || (i == 1 && k.t2o_null))
            continue;
        struct conn *at = dis_shared(s->x, &cip_schema, keys[i], true);
        if (at)
            *at = k;
    }
}

/* What the originator expects and the target accepted. A key of zeros asks for nothing; a compatible one is no
 * proof. */
static void key_facts(struct cip_svc *s)
{
    struct event *e = s->e;
    struct cip_identity id = {0};
    id.vendor = (uint16_t)cip_field(e, CF_KEY_VENDOR, 0, 0);
    id.device_type = (uint16_t)cip_field(e, CF_KEY_TYPE, 0, 0);
    uint64_t product = cip_field(e, CF_KEY_PRODUCT, 0, 0);
    uint8_t sure = cip_field(e, CF_KEY_COMPAT, 0, 1) ? 50 : 80;
    const char *vendor = code_name(enip_vendors, id.vendor), *type = code_name(enip_device_types, id.device_type);
    if (id.vendor && vendor)
        obs_fmt(s->x, &cip_schema, OBS_SERVER, cip_sub(e), OBS_VENDOR, sure, "%s", vendor);
    if (id.device_type && type)
        obs_fmt(s->x, &cip_schema, OBS_SERVER, cip_sub(e), OBS_DEVICE_TYPE, sure, "%s", type);
    if (product)
        obs_fmt(s->x, &cip_schema, OBS_SERVER, cip_sub(e), OBS_PRODUCT_CODE, sure, "%u", (unsigned)product);
}

static void put_u64(struct event *e, uint8_t id, uint64_t v)
{
    for (unsigned i = 0; i < e->n_fields; i++)
        if (e->fields[i].id == id) {
            e->fields[i].v.u = v;
            return;
        }
    ev_u64(e, id, v);
}

void fwd_open_rsp(struct cip_svc *s, struct cur c)
{
    struct event *e = s->e;
    if (s->status == 0) {
        uint32_t o2t = cur_u32le(&c), t2o = cur_u32le(&c);
        uint16_t serial = cur_u16le(&c), vendor = cur_u16le(&c);
        uint32_t orig = cur_u32le(&c), o_api = cur_u32le(&c), t_api = cur_u32le(&c);
        if (!cur_ok(&c)) {
            faults(s, &c);
            return;
        }
        put_u64(e, CF_O2T_ID, o2t); /* the target chooses the id by which it is spoken to */
        put_u64(e, CF_T2O_ID, t2o);
        if (e->kind != EV_TRANSACTION)
            triad_fields(e, serial, vendor, orig);
        ev_u64(e, CF_O2T_API, o_api);
        ev_u64(e, CF_T2O_API, t_api);
        remember(s, o2t, t2o);
        key_facts(s);
        return;
    }
    if (cur_left(&c) < 8)
        return;
    uint16_t serial = cur_u16le(&c), vendor = cur_u16le(&c);
    uint32_t orig = cur_u32le(&c);
    if (e->kind != EV_TRANSACTION)
        triad_fields(e, serial, vendor, orig);
    if (cur_left(&c))
        ev_u64(e, CF_REMAINING_PATH, cur_u8(&c));
}

void fwd_close_req(struct cip_svc *s, struct cur c)
{
    struct epath p;
    uint8_t tick = cur_u8(&c), ticks = cur_u8(&c);
    uint16_t serial = cur_u16le(&c), vendor = cur_u16le(&c);
    uint32_t orig = cur_u32le(&c);
    uint8_t words = cur_u8(&c);
    cur_skip(&c, 1);
    if (!cur_ok(&c)) {
        faults(s, &c);
        return;
    }
    ev_u64(s->e, CF_TIMEOUT_MS, (uint64_t)ticks << (tick & 15));
    triad_fields(s->e, serial, vendor, orig);
    epath_parse(cur_sub(&c, words * 2u), &p);
    path_item(s, &p);
    faults(s, &c);
}

void fwd_close_rsp(struct cip_svc *s, struct cur c)
{
    uint16_t serial = cur_u16le(&c), vendor = cur_u16le(&c);
    uint32_t orig = cur_u32le(&c);
    if (!cur_ok(&c))
        return;
    if (s->e->kind != EV_TRANSACTION)
        triad_fields(s->e, serial, vendor, orig);
    if (s->status)
        return;
    struct conn *k = dis_shared(s->x, &cip_schema, triad_key(serial, vendor, orig), false);
    if (!k || !k->used)
        return;
    struct conn was = *k;
    for (unsigned way = CONN_O2T; way <= CONN_T2O; way++) {
        k = conn_at(s->x, way, way == CONN_O2T ? was.o2t : was.t2o, &was.originator);
        if (k)
            k->closed = 1;
    }
}
