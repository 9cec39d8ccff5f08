/* bacnet_service.c: the bodies of services as lists of parameters, and those with a shape of their own.
 *
 * Spec: ANSI/ASHRAE 135-2020 clauses 13 (alarms and events), 14 (files), 16 (remote device management), 17 (virtual
 * terminals), 21 (the productions). */
#include "dissectors/bacnet_priv.h"

enum param_type {
    PT_UINT, PT_REAL, PT_TEXT, PT_STAMP, PT_OBJECT /* an item */, PT_OBJECT_KEPT /* for PT_REF */, PT_OBJECT_TEXT,
    PT_REF /* property reference */, PT_PASSWORD, PT_ANY /* passed over */,
    PT_REST /* all that follows, whatever it is */,
};

/* A parameter under its context tag. */
struct param {
    uint8_t tag, type, field, must;
};

static bool get_ref_item(struct bn_msg *m, struct cur *c, uint32_t object)
{
    struct bn_tag p, i;
    struct cur in;
    if (!bn_opened(c, 4, &in) || !bn_context(&in, 0, &p))
        return false;
    uint32_t index = bn_context(&in, 1, &i) ? (uint32_t)bn_uint(&i) : BN_NO_INDEX;
    ev_named(m->e, BK_PROPERTY, bn_name(m->e, object, (uint32_t)bn_uint(&p), index));
    return true;
}

static bool one_param(struct bn_msg *m, struct cur *c, const struct param *p, uint32_t *object)
{
    struct bn_tag t;
    struct cur in;
    if (p->type == PT_REF)
        return get_ref_item(m, c, *object);
    if (p->type == PT_STAMP) {
        if (!bn_opened(c, p->tag, &in))
            return false;
        ev_span(m->e, p->field, bn_timestamp(m->e, &in));
        return true;
    }
    if (p->type == PT_REST) {
        (void)cur_rest(c);
        return true;
    }
    if (!bn_tag(c, &t))
        return false;
    if (p->type == PT_ANY)
        return true;
    if (t.cls != BT_CONTEXT)
        return false;
    if (p->type == PT_UINT)
        ev_u64(m->e, p->field, bn_uint(&t));
    else if (p->type == PT_REAL)
        ev_f64(m->e, p->field, bn_real(&t));
    else if (p->type == PT_TEXT)
        ev_span(m->e, p->field, bn_string(m->e, t.body));
    else if (p->type == PT_OBJECT)
        bn_object_item(m->e, (uint32_t)bn_uint(&t));
    else if (p->type == PT_OBJECT_KEPT)
        *object = (uint32_t)bn_uint(&t);
    else if (p->type == PT_OBJECT_TEXT)
        ev_span(m->e, p->field, bn_name(m->e, (uint32_t)bn_uint(&t), BN_NO_PROPERTY, BN_NO_INDEX));
    else if (t.body.n > 1) {
        ev_u64(m->e, BF_PASSWORD, 1); /* in the clear; it is not kept */
        bn_anomaly(m, BA_PASSWORD);
    }
    return true;
}

static bool params(struct bn_msg *m, struct cur *c, const struct param *p, unsigned n)
{
    uint32_t object = 0;
    for (unsigned i = 0; i < n; i++) {
        bool there = bn_peek(c, BT_CONTEXT, p[i].tag) || bn_peek(c, BT_OPEN, p[i].tag);
        if (there ? !one_param(m, c, &p[i], &object) : p[i].must)
            return false;
    }
    return true;
}
#define PARAMS(name, ...)                                                                                              \
    static bool name(struct bn_msg *m, struct cur *c)                                                                  \
    {                                                                                                                  \
        static const struct param p[] = {__VA_ARGS__};                                                                 \
        return params(m, c, p, ARRAY_LEN(p));                                                                          \
    }

/* clang-format off */
PARAMS(subscribe_cov, {0, PT_UINT, BF_PROCESS_ID, 1}, {1, PT_OBJECT, 0, 1}, {2, PT_UINT, BF_CONFIRMED, 0},
       {3, PT_UINT, BF_LIFETIME, 0})
PARAMS(subscribe_property, {0, PT_UINT, BF_PROCESS_ID, 1}, {1, PT_OBJECT_KEPT, 0, 1}, {2, PT_UINT, BF_CONFIRMED, 0},
       {3, PT_UINT, BF_LIFETIME, 0}, {4, PT_REF, 0, 1}, {5, PT_REAL, BF_COV_INCREMENT, 0})
PARAMS(ack_alarm, {0, PT_UINT, BF_PROCESS_ID, 1}, {1, PT_OBJECT, 0, 1}, {2, PT_UINT, BF_STATE_ACKED, 1},
       {3, PT_STAMP, BF_TIMESTAMP, 1}, {4, PT_TEXT, BF_ACK_SOURCE, 1}, {5, PT_ANY, 0, 1})
PARAMS(event_notification, {0, PT_UINT, BF_PROCESS_ID, 1}, {1, PT_OBJECT_TEXT, BF_INITIATING, 1}, {2, PT_OBJECT, 0, 1},
       {3, PT_STAMP, BF_TIMESTAMP, 1}, {4, PT_UINT, BF_NOTIFICATION_CLASS, 1}, {5, PT_UINT, BF_EVENT_PRIORITY, 1},
       {6, PT_UINT, BF_EVENT_TYPE, 1}, {7, PT_TEXT, BF_MESSAGE, 0}, {8, PT_UINT, BF_NOTIFY_TYPE, 1},
       {9, PT_UINT, BF_ACK_REQUIRED, 0}, {10, PT_UINT, BF_FROM_STATE, 0}, {11, PT_UINT, BF_TO_STATE, 1},
       {12, PT_ANY, 0, 0})
PARAMS(life_safety, {0, PT_UINT, BF_PROCESS_ID, 1}, {1, PT_TEXT, BF_ACK_SOURCE, 1}, {2, PT_UINT, BF_OPERATION, 1},
       {3, PT_OBJECT, 0, 0})
PARAMS(communication, {0, PT_UINT, BF_DURATION, 0}, {1, PT_UINT, BF_COMM_STATE, 1}, {2, PT_PASSWORD, 0, 0})
PARAMS(reinitialize, {0, PT_UINT, BF_REINIT, 1}, {1, PT_PASSWORD, 0, 0})
PARAMS(private_transfer, {0, PT_UINT, BF_VENDOR_ID, 1}, {1, PT_UINT, BF_SERVICE_NUMBER, 1}, {2, PT_REST, 0, 0})
PARAMS(text_message, {0, PT_OBJECT_TEXT, BF_INITIATING, 1}, {1, PT_ANY, 0, 0}, {2, PT_UINT, BF_EVENT_PRIORITY, 1},
       {3, PT_TEXT, BF_MESSAGE, 1})
PARAMS(event_information, {0, PT_OBJECT, 0, 0})
PARAMS(write_group, {0, PT_UINT, BF_GROUP, 1}, {1, PT_UINT, BF_WRITE_PRIORITY, 1}, {2, PT_ANY, 0, 1}, {3, PT_ANY, 0, 0})
PARAMS(audit, {0, PT_ANY, 0, 1})
/* clang-format on */

/* ---- files (14) ---- */

/* The file, then [0] stream access or [1] record access. */
static bool file_request(struct bn_msg *m, struct cur *c)
{
    struct bn_tag t;
    struct cur in;
    if (!bn_is_app(c, BT_OBJECT, &t))
        return false;
    bn_object_item(m->e, (uint32_t)bn_uint(&t));
    bool stream = bn_opened(c, 0, &in);
    if ((!stream && !bn_opened(c, 1, &in)) || !bn_is_app(&in, BT_SIGNED, &t))
        return false;
    ev_i64(m->e, BF_START, t.body.n == 4 ? (int32_t)bn_uint(&t) : (int64_t)bn_uint(&t));
    if (m->service == BN_READ_FILE || !stream) {
        if (!bn_is_app(&in, BT_UNSIGNED, &t))
            return false;
        ev_i64(m->e, BF_COUNT, (int64_t)bn_uint(&t));
    }
    uint64_t bytes = 0;
    while (bn_is_app(&in, BT_OCTETS, &t))
        bytes += t.len;
    if (m->service == BN_WRITE_FILE)
        ev_u64(m->e, BF_LENGTH, bytes);
    return cur_left(&in) == 0;
}

static bool read_file_ack(struct bn_msg *m, struct cur *c)
{
    struct bn_tag t;
    struct cur in;
    uint64_t bytes = 0;
    if (!bn_is_app(c, BT_BOOLEAN, &t))
        return false;
    ev_u64(m->e, BF_EOF, t.len != 0);
    if (!bn_opened(c, 0, &in) && !bn_opened(c, 1, &in))
        return false;
    if (!bn_is_app(&in, BT_SIGNED, &t))
        return false;
    bn_is_app(&in, BT_UNSIGNED, &t);
    while (bn_is_app(&in, BT_OCTETS, &t))
        bytes += t.len;
    ev_u64(m->e, BF_LENGTH, bytes);
    return cur_left(&in) == 0;
}

static bool write_file_ack(struct bn_msg *m, struct cur *c)
{
    struct bn_tag t;
    (void)m; /* the position, where the device chose it */
    return bn_context(c, 0, &t) || bn_context(c, 1, &t);
}

/* ---- summaries of alarms (13.6 to 13.12) ---- */

static struct item *state_item(struct bn_msg *m, uint32_t object, uint64_t state)
{
    struct item *it = ev_named(m->e, BK_OBJECT, bn_name(m->e, object, BN_NO_PROPERTY, BN_NO_INDEX));
    it->v.enc = VE_NOW_UINT;
    it->v.n = 1;
    it->v.now.u = state;
    return it;
}

static bool alarm_summary_ack(struct bn_msg *m, struct cur *c)
{
    struct bn_tag o, s, t;
    while (bn_is_app(c, BT_OBJECT, &o)) {
        if (!bn_is_app(c, BT_ENUM, &s) || !bn_is_app(c, BT_BITS, &t))
            return false;
        state_item(m, (uint32_t)bn_uint(&o), bn_uint(&s));
    }
    return true;
}

static bool enrollment_summary_ack(struct bn_msg *m, struct cur *c)
{
    struct bn_tag o, type, s, t;
    while (bn_is_app(c, BT_OBJECT, &o)) {
        if (!bn_is_app(c, BT_ENUM, &type) || !bn_is_app(c, BT_ENUM, &s) || !bn_is_app(c, BT_UNSIGNED, &t))
            return false;
        bn_is_app(c, BT_UNSIGNED, &t);
        state_item(m, (uint32_t)bn_uint(&o), bn_uint(&s));
    }
    return true;
}

static bool event_information_ack(struct bn_msg *m, struct cur *c)
{
    struct cur in;
    struct bn_tag o, s, t;
    m->e->n_items = 0;
    m->e->items_total = 0;
    if (!bn_opened(c, 0, &in))
        return false;
    while (bn_context(&in, 0, &o)) {
        if (!bn_context(&in, 1, &s))
            return false;
        for (uint8_t k = 2; k <= 6; k++)
            if ((bn_peek(&in, BT_CONTEXT, k) || bn_peek(&in, BT_OPEN, k)) && !bn_tag(&in, &t))
                return false;
        state_item(m, (uint32_t)bn_uint(&o), bn_uint(&s));
    }
    return cur_left(&in) == 0 && bn_context(c, 1, &t);
}

/* [0] acknowledgment filter, [1] recipient and process, [2] states, [3] types, [4] priorities, [5] class. */
static bool enrollment_summary(struct bn_msg *m, struct cur *c)
{
    struct bn_tag t;
    (void)m;
    for (uint8_t k = 0; k <= 5; k++)
        if ((bn_peek(c, BT_CONTEXT, k) || bn_peek(c, BT_OPEN, k)) && !bn_tag(c, &t))
            return false;
    return true;
}

/* ---- create, delete, terminals ---- */

static bool delete_object(struct bn_msg *m, struct cur *c)
{
    struct bn_tag t;
    if (!bn_is_app(c, BT_OBJECT, &t))
        return false;
    if (m->type == BN_COMPLEX_ACK) /* what CreateObject made takes the place of what it asked for */
        m->e->n_items = 0, m->e->items_total = 0;
    bn_object_item(m->e, (uint32_t)bn_uint(&t));
    return true;
}

static bool terminal(struct bn_msg *m, struct cur *c)
{
    struct bn_tag t;
    bn_is_app(c, BT_ENUM, &t); /* class of the terminal: VT-Open */
    while (bn_is_app(c, BT_UNSIGNED, &t)) {
        struct item *it = ev_range(m->e, BK_VT, 0, (uint32_t)bn_uint(&t), (uint32_t)bn_uint(&t));
        if (bn_is_app(c, BT_OCTETS, &t)) {
            it->v = (struct vals){.raw = t.body, .n = 1, .stride = (uint16_t)t.body.n, .qual_off = -1, .enc = VE_BYTES};
            bn_is_app(c, BT_UNSIGNED, &t); /* its sequence bit */
        }
    }
    return true;
}

static bool anything(struct bn_msg *m, struct cur *c)
{
    (void)m;
    (void)cur_rest(c);
    return true;
}

static bool nothing(struct bn_msg *m, struct cur *c)
{
    (void)m;
    return cur_left(c) == 0;
}

static bool vt_data_ack(struct bn_msg *m, struct cur *c)
{
    struct bn_tag t;
    (void)m;
    return (bn_context(c, 0, &t) && (bn_context(c, 1, &t) || true)) || cur_left(c) == 0;
}

/* ---- who is there (16.9 to 16.11) ---- */

enum { INSTANCE_MAX = 4194303 };

static void device_item(struct bn_msg *m, uint64_t from, uint64_t to)
{
    if (from > to || to > UINT32_MAX) /* told as an anomaly; a range is one all the same */
        to = from = from > UINT32_MAX ? UINT32_MAX : from;
    ev_range(m->e, BK_DEVICE, 0, (uint32_t)from, (uint32_t)to);
}

static bool limits(struct bn_msg *m, struct cur *c)
{
    struct bn_tag low, high;
    if (!bn_peek(c, BT_CONTEXT, 0)) {
        device_item(m, 0, INSTANCE_MAX);
        return true;
    }
    if (!bn_context(c, 0, &low) || !bn_context(c, 1, &high))
        return false;
    if (bn_uint(&low) > bn_uint(&high) || bn_uint(&high) > INSTANCE_MAX)
        bn_anomaly(m, BA_VALUE);
    device_item(m, bn_uint(&low), bn_uint(&high));
    return true;
}

static bool who_has(struct bn_msg *m, struct cur *c)
{
    struct bn_tag t;
    if (!limits(m, c))
        return false;
    if (bn_context(c, 2, &t))
        bn_object_item(m->e, (uint32_t)bn_uint(&t));
    else if (bn_context(c, 3, &t))
        ev_span(m->e, BF_OBJECT_NAME, bn_string(m->e, t.body));
    else
        return false;
    return true;
}

static void tell_vendor(struct bn_msg *m, uint32_t id)
{
    const char *name = bn_vendor(id);
    ev_u64(m->e, BF_VENDOR_ID, id);
    if (name)
        ev_span(m->e, BF_VENDOR, (struct span){(const uint8_t *)name, (uint32_t)strlen(name)});
    if (name)
        obs_fmt(m->x, &bacnet_schema, bn_sender(m), OBS_SELF, OBS_VENDOR, 80, "%s", name);
    else
        obs_fmt(m->x, &bacnet_schema, bn_sender(m), OBS_SELF, OBS_VENDOR, 60, "BACnet vendor %u", id);
}

static bool i_am(struct bn_msg *m, struct cur *c)
{
    struct bn_tag o, apdu, seg, vendor;
    if (!bn_is_app(c, BT_OBJECT, &o) || !bn_is_app(c, BT_UNSIGNED, &apdu) || !bn_is_app(c, BT_ENUM, &seg) ||
        !bn_is_app(c, BT_UNSIGNED, &vendor))
        return false;
    uint32_t object = (uint32_t)bn_uint(&o), instance = object & INSTANCE_MAX;
    device_item(m, instance, instance);
    ev_u64(m->e, BF_INSTANCE, instance);
    ev_u64(m->e, BF_MAX_APDU, bn_uint(&apdu));
    ev_u64(m->e, BF_SEGMENTATION, bn_uint(&seg));
    tell_vendor(m, (uint32_t)bn_uint(&vendor));
    if (object >> 22 != BN_OT_DEVICE || instance == INSTANCE_MAX)
        bn_anomaly(m, BA_VALUE);
    else
        obs_fmt(m->x, &bacnet_schema, bn_sender(m), OBS_SELF, OBS_PROTO_ADDR, 95, "%u", instance);
    return true;
}

static bool i_have(struct bn_msg *m, struct cur *c)
{
    struct bn_tag d, o, n;
    if (!bn_is_app(c, BT_OBJECT, &d) || !bn_is_app(c, BT_OBJECT, &o) || !bn_is_app(c, BT_STRING, &n))
        return false;
    struct span name = bn_string(m->e, n.body);
    ev_u64(m->e, BF_INSTANCE, bn_uint(&d) & INSTANCE_MAX);
    bn_object_item(m->e, (uint32_t)bn_uint(&o));
    ev_span(m->e, BF_OBJECT_NAME, name);
    obs_fmt(m->x, &bacnet_schema, bn_sender(m), OBS_SELF, OBS_PROTO_ADDR, 95, "%u",
            (unsigned)(bn_uint(&d) & INSTANCE_MAX));
    if (bn_uint(&o) >> 22 == BN_OT_DEVICE)
        obs_text(m->x, &bacnet_schema, bn_sender(m), OBS_SELF, OBS_NAME, name, 95);
    return true;
}

/* Who-Am-I: vendor, model, serial of a device without an identifier. You-Are: to it, with device and MAC. */
static bool who_am_i(struct bn_msg *m, struct cur *c)
{
    struct bn_tag v, model, serial, t;
    if (!bn_is_app(c, BT_UNSIGNED, &v) || !bn_is_app(c, BT_STRING, &model) || !bn_is_app(c, BT_STRING, &serial))
        return false;
    struct span a = bn_string(m->e, model.body), b = bn_string(m->e, serial.body);
    ev_span(m->e, BF_MODEL, a);
    ev_span(m->e, BF_SERIAL, b);
    if (m->service == BN_WHO_AM_I) {
        tell_vendor(m, (uint32_t)bn_uint(&v));
        obs_text(m->x, &bacnet_schema, bn_sender(m), OBS_SELF, OBS_MODEL, a, 95);
        obs_text(m->x, &bacnet_schema, bn_sender(m), OBS_SELF, OBS_SERIAL, b, 95);
        return true;
    }
    ev_u64(m->e, BF_VENDOR_ID, bn_uint(&v));
    if (bn_is_app(c, BT_OBJECT, &t))
        device_item(m, bn_uint(&t) & INSTANCE_MAX, bn_uint(&t) & INSTANCE_MAX);
    if (bn_is_app(c, BT_OCTETS, &t))
        ev_span(m->e, BF_MAC, t.body);
    return true;
}

static bool time_sync(struct bn_msg *m, struct cur *c)
{
    struct span s = bn_datetime(m->e, c);
    ev_span(m->e, BF_TIME, s);
    return s.n != 0;
}

/* ---- the services by their number ---- */

static const bn_body requests[] = {
    ack_alarm, bn_cov, event_notification, nothing, enrollment_summary, subscribe_cov, file_request, file_request,
    bn_list_element, bn_list_element, bn_create, delete_object, bn_read_property, anything, bn_read_multiple,
    bn_write_property, bn_write_multiple, communication, private_transfer, text_message, reinitialize, terminal,
    terminal, terminal, anything, anything, bn_read_range, life_safety, subscribe_property, event_information,
    bn_subscribe_multiple, bn_cov_multiple, audit, anything, anything,
};
static const bn_body unconfirmed[] = {
    i_am, i_have, bn_cov, event_notification, private_transfer, text_message, time_sync, who_has, limits, time_sync,
    write_group, bn_cov_multiple, audit, who_am_i, who_am_i,
};
static const struct {
    uint8_t service;
    bn_body body;
} answers[] = {
    {BN_ALARM_SUMMARY, alarm_summary_ack}, {BN_ENROLLMENT_SUMMARY, enrollment_summary_ack},
    {BN_READ_FILE, read_file_ack}, {BN_WRITE_FILE, write_file_ack}, {BN_CREATE, delete_object},
    {BN_RP, bn_read_property_ack}, {BN_RPM, bn_read_multiple_ack}, {BN_PRIVATE, private_transfer},
    {BN_VT_DATA, vt_data_ack}, {BN_READ_RANGE, bn_read_range_ack}, {BN_EVENT_INFO, event_information_ack},
};

static bool run(struct bn_msg *m, struct cur c, bn_body body)
{
    if (!body(m, &c))
        return false;
    if (cur_left(&c))
        bn_anomaly(m, BA_TRAILING);
    return true;
}

/* The selector of what the code alone does not say. */
static void select_by(struct bn_msg *m, uint8_t field)
{
    for (unsigned i = 0; i < m->e->n_fields; i++)
        if (m->e->fields[i].id == field)
            ev_select(m->e, (uint32_t)m->e->fields[i].v.u);
}

bool bn_request(struct bn_msg *m, struct cur c)
{
    bool ok = run(m, c, m->service < ARRAY_LEN(requests) ? requests[m->service] : anything);
    if (m->service == BN_DCC)
        select_by(m, BF_COMM_STATE);
    if (m->service == BN_REINIT)
        select_by(m, BF_REINIT);
    return ok;
}

bool bn_unconfirmed(struct bn_msg *m, struct cur c)
{
    return run(m, c, m->service < ARRAY_LEN(unconfirmed) ? unconfirmed[m->service] : anything);
}

bool bn_answer(struct bn_msg *m, struct cur c)
{
    for (unsigned i = 0; i < ARRAY_LEN(answers); i++)
        if (answers[i].service == m->service)
            return run(m, c, answers[i].body);
    return true;
}
