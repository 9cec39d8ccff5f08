/* bacnet_object.c: the services on objects and properties: read, write, lists, ranges, change of value, create, delete.
 *
 * Spec: ANSI/ASHRAE 135-2020 clauses 13.1 and 13.14 to 13.18 (COV), 15 (object access), 21 (the productions).
 * What a write does follows from the property: see write_action(). */
#include "dissectors/bacnet_priv.h"

/* An object, or a property of it, as the services name it: [object] [property] [index, optional]. */
struct ref {
    uint32_t object, property, index;
};

static bool get_ref(struct cur *c, struct ref *r, uint8_t first, bool with_object)
{
    struct bn_tag t;
    r->index = BN_NO_INDEX;
    if (with_object) {
        if (!bn_context(c, first++, &t))
            return false;
        r->object = (uint32_t)bn_uint(&t);
    }
    if (!bn_context(c, first, &t))
        return false;
    r->property = (uint32_t)bn_uint(&t);
    if (bn_context(c, (uint8_t)(first + 1), &t))
        r->index = (uint32_t)bn_uint(&t);
    return true;
}

static struct item *property_item(struct event *e, const struct ref *r)
{
    return ev_named(e, BK_PROPERTY, bn_name(e, r->object, r->property, r->index));
}

void bn_object_item(struct event *e, uint32_t object)
{
    ev_named(e, BK_OBJECT, bn_name(e, object, BN_NO_PROPERTY, BN_NO_INDEX));
}

/* ---- what a device says of itself ---- */

static const struct {
    uint16_t property;
    uint8_t kind, confidence;
} told[] = {
    {12, OBS_SOFTWARE, 90}, {28, OBS_OTHER, 80},    {44, OBS_FIRMWARE, 100}, {58, OBS_LOCATION, 90},
    {70, OBS_MODEL, 100},   {77, OBS_NAME, 95},     {121, OBS_VENDOR, 100},  {372, OBS_SERIAL, 100},
};

/* 12.11.9 */
static const char *const system_states[] = {"operational", "operational_read_only", "download_required",
                                            "download_in_progress", "non_operational", "backup_in_progress"};
enum { P_SYSTEM_STATUS = 112, P_VENDOR_ID = 120, INSTANCE_ANY = 4194303 };

static void learn(struct bn_msg *m, const struct ref *r, struct span value)
{
    enum obs_side me = bn_sender(m);
    uint32_t instance = r->object & 0x3fffff;
    struct cur c = cur_span(value);
    struct bn_tag t;
    if (r->object >> 22 != BN_OT_DEVICE || r->index != BN_NO_INDEX || !bn_tag(&c, &t) || t.cls != BT_APP)
        return;
    if (instance != INSTANCE_ANY)
        obs_fmt(m->x, &bacnet_schema, me, OBS_SELF, OBS_PROTO_ADDR, 90, "%u", instance);
    if (r->property == P_SYSTEM_STATUS && bn_uint(&t) < ARRAY_LEN(system_states))
        obs_fmt(m->x, &bacnet_schema, me, OBS_SELF, OBS_STATE, 100, "%s", system_states[bn_uint(&t)]);
    const char *vendor = r->property == P_VENDOR_ID ? bn_vendor((uint32_t)bn_uint(&t)) : NULL;
    if (vendor)
        obs_fmt(m->x, &bacnet_schema, me, OBS_SELF, OBS_VENDOR, 80, "%s", vendor);
    for (unsigned i = 0; i < ARRAY_LEN(told); i++)
        if (told[i].property == r->property)
            obs_text(m->x, &bacnet_schema, me, OBS_SELF, told[i].kind, bn_text(m->e, value), told[i].confidence);
}

/* Status_Flags (in alarm, fault, overridden, out of service) are the quality of the present value beside them. */
struct flags {
    struct item *present;
    uint32_t quality;
};

static void note_flags(struct flags *f, const struct ref *r, struct item *it, struct span value)
{
    struct cur c = cur_span(value);
    struct bn_tag t;
    if (r->property == BN_P_PRESENT_VALUE && r->index == BN_NO_INDEX)
        f->present = it;
    if (r->property == BN_P_STATUS_FLAGS && bn_is_app(&c, BT_BITS, &t) && t.body.n == 2) {
        f->quality = ITEM_QUALITY;
        for (unsigned b = 0; b < 4; b++)
            f->quality |= (uint32_t)(t.body.p[1] >> (7 - b) & 1) << b;
    }
    if (f->present && f->quality)
        f->present->quality = f->quality;
}

/* ---- reading ---- */

bool bn_read_property(struct bn_msg *m, struct cur *c)
{
    struct ref r;
    if (!get_ref(c, &r, 0, true))
        return false;
    property_item(m->e, &r);
    return true;
}

/* The acknowledgements repeat the names: what the request asked for is replaced by what was answered. */
static void forget_items(struct event *e)
{
    e->n_items = 0;
    e->items_total = 0;
}

bool bn_read_property_ack(struct bn_msg *m, struct cur *c)
{
    struct ref r;
    struct cur in;
    if (!get_ref(c, &r, 0, true) || !bn_opened(c, 3, &in))
        return false;
    forget_items(m->e);
    struct span value = cur_rest(&in);
    bn_values(m->e, property_item(m->e, &r), value);
    learn(m, &r, value);
    return true;
}

bool bn_read_multiple(struct bn_msg *m, struct cur *c)
{
    struct bn_tag t;
    struct cur in;
    while (bn_context(c, 0, &t)) {
        struct ref r = {.object = (uint32_t)bn_uint(&t)};
        if (!bn_opened(c, 1, &in))
            return false;
        while (get_ref(&in, &r, 0, false))
            property_item(m->e, &r);
        if (cur_left(&in))
            return false;
    }
    return true;
}

/* Error: class and code. The code, or BN_ERROR_OTHER for 0. */
static bool get_error(struct cur *c, uint32_t *ret_class, uint32_t *ret_code)
{
    struct bn_tag a, b;
    if (!bn_is_app(c, BT_ENUM, &a) || !bn_is_app(c, BT_ENUM, &b))
        return false;
    *ret_class = (uint32_t)bn_uint(&a);
    *ret_code = (uint32_t)bn_uint(&b);
    return true;
}

static bool result(struct bn_msg *m, struct cur *in, const struct ref *r, struct flags *f, unsigned *failed)
{
    struct cur value;
    uint32_t cls, code;
    struct item *it = property_item(m->e, r);
    if (bn_opened(in, 4, &value)) {
        struct span s = cur_rest(&value);
        bn_values(m->e, it, s);
        note_flags(f, r, it, s);
        learn(m, r, s);
        it->status = 0;
        return true;
    }
    if (!bn_opened(in, 5, &value) || !get_error(&value, &cls, &code))
        return false;
    it->status = code ? code : BN_ERROR_OTHER;
    ++*failed;
    return true;
}

bool bn_read_multiple_ack(struct bn_msg *m, struct cur *c)
{
    struct bn_tag t;
    struct cur in;
    unsigned failed = 0, n = 0;
    forget_items(m->e);
    while (bn_context(c, 0, &t)) {
        struct ref r = {.object = (uint32_t)bn_uint(&t)};
        struct flags f = {0};
        if (!bn_opened(c, 1, &in))
            return false;
        for (; get_ref(&in, &r, 2, false); n++)
            if (!result(m, &in, &r, &f, &failed))
                return false;
        if (cur_left(&in))
            return false;
    }
    if (failed)
        m->e->outcome = failed < n ? OUT_PARTIAL : OUT_REFUSED;
    return true;
}

/* ---- writing ---- */

static const struct {
    uint16_t property;
    uint8_t action;
} writes[] = {
    {24, ACT_TIME}, {56, ACT_TIME},  {57, ACT_TIME},     {119, ACT_TIME},    {13, ACT_FILE},
    {42, ACT_FILE}, {81, ACT_FORCE}, {108, ACT_WRITE},   {160, ACT_CONTROL}, {380, ACT_CONTROL},
};
/* Program_Change (12.22.5): ready, load, run, halt, restart, unload. */
static const uint8_t program_changes[] = {ACT_CONFIGURE, ACT_DOWNLOAD, ACT_START, ACT_STOP, ACT_START, ACT_STOP};

/* The present value of what moves something is control, of anything else a write; clock, out of service and programs
 * have classes of their own; every other property is configuration. */
static uint8_t write_action(const struct ref *r, struct span value)
{
    static const uint8_t outputs[] = {BN_OT_AO, BN_OT_BO, BN_OT_COMMAND, BN_OT_MO, BN_OT_DOOR, BN_OT_LIGHTING,
                                      BN_OT_BLIGHTING};
    struct cur c = cur_span(value);
    struct bn_tag t;
    if (r->property == BN_P_PRESENT_VALUE) {
        for (unsigned i = 0; i < ARRAY_LEN(outputs); i++)
            if (outputs[i] == r->object >> 22)
                return ACT_CONTROL;
        return ACT_WRITE;
    }
    if (r->property == BN_P_PROGRAM_CHANGE && bn_is_app(&c, BT_ENUM, &t) && bn_uint(&t) < ARRAY_LEN(program_changes))
        return program_changes[bn_uint(&t)];
    for (unsigned i = 0; i < ARRAY_LEN(writes); i++)
        if (writes[i].property == r->property)
            return writes[i].action;
    return ACT_CONFIGURE;
}

/* Of several writes in one message the gravest says what the message does. */
static unsigned gravity(uint8_t action)
{
    static const uint8_t order[] = {ACT_WRITE, ACT_TIME, ACT_FILE, ACT_CONFIGURE, ACT_CONTROL,
                                    ACT_FORCE, ACT_START, ACT_STOP, ACT_DOWNLOAD};
    unsigned i = 0;
    while (i < ARRAY_LEN(order) && order[i] != action)
        i++;
    return i;
}

/* Value and priority under context tags `tag` and `tag` + 1. 19.2.1: priorities are 1 to 16. */
static bool written(struct bn_msg *m, struct cur *c, const struct ref *r, uint8_t tag, uint8_t *gravest)
{
    struct cur in;
    struct bn_tag t;
    if (!bn_opened(c, tag, &in))
        return false;
    struct span value = cur_rest(&in);
    struct item *it = property_item(m->e, r);
    it->action = write_action(r, value);
    bn_values(m->e, it, value);
    if (gravity(it->action) > gravity(*gravest))
        *gravest = it->action;
    if (bn_context(c, (uint8_t)(tag + 1), &t)) {
        uint64_t priority = bn_uint(&t);
        ev_u64(m->e, BF_WRITE_PRIORITY, priority);
        if (priority < 1 || priority > 16)
            bn_anomaly(m, BA_PRIORITY);
    }
    return true;
}

bool bn_write_property(struct bn_msg *m, struct cur *c)
{
    struct ref r;
    uint8_t gravest = ACT_WRITE;
    if (!get_ref(c, &r, 0, true) || !written(m, c, &r, 3, &gravest))
        return false;
    ev_select(m->e, gravest);
    return true;
}

bool bn_write_multiple(struct bn_msg *m, struct cur *c)
{
    struct bn_tag t;
    struct cur in;
    uint8_t gravest = ACT_WRITE;
    while (bn_context(c, 0, &t)) {
        struct ref r = {.object = (uint32_t)bn_uint(&t)};
        if (!bn_opened(c, 1, &in))
            return false;
        while (get_ref(&in, &r, 0, false))
            if (!written(m, &in, &r, 2, &gravest))
                return false;
        if (cur_left(&in))
            return false;
    }
    ev_select(m->e, gravest);
    return true;
}

bool bn_list_element(struct bn_msg *m, struct cur *c)
{
    struct ref r;
    struct cur in;
    if (!get_ref(c, &r, 0, true) || !bn_opened(c, 3, &in))
        return false;
    bn_values(m->e, property_item(m->e, &r), cur_rest(&in));
    return true;
}

/* ---- ranges ---- */

/* By position [3], by time as it was up to 2004 [4, 5], by sequence number [6], by time [7]. */
static bool range(struct bn_msg *m, struct cur *c)
{
    struct cur in;
    struct bn_tag t;
    for (uint8_t by = 3; by <= 7; by++) {
        if (!bn_opened(c, by, &in))
            continue;
        ev_u64(m->e, BF_RANGE_BY, by);
        if (by == 4 || by == 5 || by == 7) {
            ev_span(m->e, BF_TIME, bn_datetime(m->e, &in));
        } else {
            if (!bn_is_app(&in, BT_UNSIGNED, &t))
                return false;
            ev_i64(m->e, BF_START, (int64_t)bn_uint(&t));
        }
        if (bn_is_app(&in, BT_SIGNED, &t) || bn_is_app(&in, BT_UNSIGNED, &t))
            ev_i64(m->e, BF_COUNT, t.num == BT_SIGNED && t.body.n == 1 ? (int8_t)bn_uint(&t)
                                   : t.num == BT_SIGNED && t.body.n == 2 ? (int16_t)bn_uint(&t)
                                                                         : (int64_t)bn_uint(&t));
        return true;
    }
    return true;
}

bool bn_read_range(struct bn_msg *m, struct cur *c)
{
    struct ref r;
    if (!get_ref(c, &r, 0, true))
        return false;
    property_item(m->e, &r);
    return range(m, c);
}

bool bn_read_range_ack(struct bn_msg *m, struct cur *c)
{
    struct ref r;
    struct cur in;
    struct bn_tag flags, count, seq;
    if (!get_ref(c, &r, 0, true) || !bn_context(c, 3, &flags) || !bn_context(c, 4, &count))
        return false;
    forget_items(m->e);
    struct item *it = property_item(m->e, &r);
    if (flags.body.n == 2)
        ev_u64(m->e, BF_RESULT_FLAGS, flags.body.p[1] >> 5);
    ev_i64(m->e, BF_COUNT, (int64_t)bn_uint(&count));
    if (bn_opened(c, 5, &in))
        bn_values(m->e, it, cur_rest(&in));
    if (bn_context(c, 6, &seq))
        ev_i64(m->e, BF_START, (int64_t)bn_uint(&seq));
    return true;
}

/* ---- create, and values that are told ---- */

/* BACnetPropertyValue: [0] property, [1] index, [2] value, [3] priority or time of change. */
static bool property_values(struct bn_msg *m, struct cur *in, uint32_t object)
{
    struct ref r = {.object = object};
    struct flags f = {0};
    struct cur value;
    struct bn_tag t;
    while (get_ref(in, &r, 0, false)) {
        if (!bn_opened(in, 2, &value))
            return false;
        struct span s = cur_rest(&value);
        struct item *it = property_item(m->e, &r);
        bn_values(m->e, it, s);
        note_flags(&f, &r, it, s);
        bn_context(in, 3, &t);
    }
    return cur_left(in) == 0;
}

bool bn_create(struct bn_msg *m, struct cur *c)
{
    struct cur what, in;
    struct bn_tag t;
    uint32_t object = 0;
    if (!bn_opened(c, 0, &what))
        return false;
    if (bn_context(&what, 1, &t)) {
        object = (uint32_t)bn_uint(&t);
        bn_object_item(m->e, object);
    } else if (bn_context(&what, 0, &t)) { /* a type: the device chooses the number */
        object = (uint32_t)bn_uint(&t) << 22 | INSTANCE_ANY;
        const char *type = bn_object_type((uint32_t)bn_uint(&t));
        ev_named(m->e, BK_OBJECT, type ? ev_text_fmt(m->e, "%s", type) : ev_text_fmt(m->e, "type_%u", object >> 22));
    } else {
        return false;
    }
    return !bn_opened(c, 1, &in) || property_values(m, &in, object);
}

static bool cov_head(struct bn_msg *m, struct cur *c)
{
    struct bn_tag t;
    if (!bn_context(c, 0, &t))
        return false;
    ev_u64(m->e, BF_PROCESS_ID, bn_uint(&t));
    if (!bn_context(c, 1, &t))
        return false;
    ev_span(m->e, BF_INITIATING, bn_name(m->e, (uint32_t)bn_uint(&t), BN_NO_PROPERTY, BN_NO_INDEX));
    return true;
}

bool bn_cov(struct bn_msg *m, struct cur *c)
{
    struct bn_tag object, time;
    struct cur in;
    if (!cov_head(m, c) || !bn_context(c, 2, &object) || !bn_context(c, 3, &time) || !bn_opened(c, 4, &in))
        return false;
    ev_u64(m->e, BF_TIME_REMAINING, bn_uint(&time));
    return property_values(m, &in, (uint32_t)bn_uint(&object));
}

bool bn_cov_multiple(struct bn_msg *m, struct cur *c)
{
    struct bn_tag t;
    struct cur in, values;
    if (!cov_head(m, c) || !bn_context(c, 2, &t))
        return false;
    ev_u64(m->e, BF_TIME_REMAINING, bn_uint(&t));
    if (bn_opened(c, 3, &in))
        ev_span(m->e, BF_TIMESTAMP, bn_datetime(m->e, &in));
    if (!bn_opened(c, 4, &in))
        return false;
    while (bn_context(&in, 0, &t)) {
        uint32_t object = (uint32_t)bn_uint(&t);
        if (!bn_opened(&in, 1, &values) || !property_values(m, &values, object))
            return false;
    }
    return cur_left(&in) == 0;
}

/* Specifications of one object: property reference [0], increment [1], with time [2]. */
static bool subscribed(struct bn_msg *m, struct cur *specs, uint32_t object)
{
    struct cur in;
    struct bn_tag t;
    while (bn_opened(specs, 0, &in)) {
        struct ref r = {.object = object};
        if (!get_ref(&in, &r, 0, false))
            return false;
        property_item(m->e, &r);
        if (bn_context(specs, 1, &t))
            ev_f64(m->e, BF_COV_INCREMENT, bn_real(&t));
        bn_context(specs, 2, &t);
    }
    return cur_left(specs) == 0;
}

bool bn_subscribe_multiple(struct bn_msg *m, struct cur *c)
{
    struct bn_tag t;
    struct cur in, specs;
    if (!bn_context(c, 0, &t))
        return false;
    ev_u64(m->e, BF_PROCESS_ID, bn_uint(&t));
    if (bn_context(c, 1, &t))
        ev_u64(m->e, BF_CONFIRMED, bn_uint(&t));
    if (bn_context(c, 2, &t))
        ev_u64(m->e, BF_LIFETIME, bn_uint(&t));
    bn_context(c, 3, &t);
    if (!bn_opened(c, 4, &in))
        return false;
    while (bn_context(&in, 0, &t)) {
        uint32_t object = (uint32_t)bn_uint(&t);
        if (!bn_opened(&in, 1, &specs) || !subscribed(m, &specs, object))
            return false;
    }
    return cur_left(&in) == 0;
}

/* ---- errors ---- */

/* Some services say more than class and code: [0] error, [1] the element that failed first, or its name. */
bool bn_error_body(struct bn_msg *m, struct cur c)
{
    struct cur in, failed;
    struct bn_tag t;
    struct ref r;
    uint32_t cls, code;
    bool more = bn_opened(&c, 0, &in);
    if (!more)
        in = c;
    if (!get_error(&in, &cls, &code))
        return false;
    ev_u64(m->e, BF_ERROR_CLASS, cls);
    ev_u64(m->e, BF_ERROR_CODE, code);
    ev_status(m->e, code ? code : BN_ERROR_OTHER, true);
    if (!more)
        return cur_left(&in) == 0;
    if (bn_context(&c, 1, &t))
        ev_span(m->e, BF_FIRST_FAILED, ev_text_fmt(m->e, "%u", (unsigned)bn_uint(&t)));
    else if (bn_opened(&c, 1, &failed) && get_ref(&failed, &r, 0, true))
        ev_span(m->e, BF_FIRST_FAILED, bn_name(m->e, r.object, r.property, r.index));
    return true;
}
