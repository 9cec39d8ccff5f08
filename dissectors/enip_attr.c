/* enip_attr.c: attributes of CIP objects: read and written one by one, as lists, all at once; typed where known.
 *
 * Spec: CIP Vol 1, A-4 (common services), 5A (objects); Vol 2, 5-4 (TCP/IP Interface), 5-5 (Ethernet Link);
 * Rockwell 1756-PM020 (symbol, template, program changes, wall clock). */
#include "dissectors/enip_int.h"

/* Beyond the elementary types. */
enum { T_MAC = 0x101, T_REVISION, T_TCPIP, T_STRING16 /* u16 length, no padding */, T_REST,
       T_LIST16 /* u16 count, as many UINT */, T_PATH /* u16 words, path */ };
enum { ARRAY_SHIFT = 10 };
#define T_ARRAY(n, elem) ((n) << ARRAY_SHIFT | (elem)) /* n values of an elementary type */

struct attr {
    uint16_t id, type;
    const char *name;
};
/* By class, ascending, up to one without an id. */
static const struct attr *const attrs[] = {
    /* clang-format off */
#define CLASS(code) [code] = (const struct attr[])
    CLASS(0x01) {{1, 0xc7, "vendor_id"}, {2, 0xc7, "device_type"}, {3, 0xc7, "product_code"},
                 {4, T_REVISION, "revision"}, {5, 0xd2, "status"}, {6, 0xc8, "serial_number"},
                 {7, 0xda, "product_name"}, {8, 0xc6, "state"}, {9, 0xc7, "configuration_consistency"},
                 {10, 0xc6, "heartbeat_interval"}, {19, 0xd2, "protection_mode"}, {0}},
    CLASS(0x02) {{1, T_LIST16, "object_list"}, {2, 0xc7, "number_available"}, {3, 0xc7, "number_active"}, {0}},
    CLASS(0x04) {{3, T_REST, "data"}, {4, 0xc7, "size"}, {0}},
    CLASS(0x06) {{1, 0xc7, "open_requests"}, {2, 0xc7, "open_format_rejects"}, {3, 0xc7, "open_resource_rejects"},
                 {4, 0xc7, "open_other_rejects"}, {5, 0xc7, "close_requests"}, {6, 0xc7, "close_format_rejects"},
                 {7, 0xc7, "close_other_rejects"}, {8, 0xc7, "connection_timeouts"},
                 {11, 0xc7, "cpu_utilization"}, {12, 0xc8, "max_buffer_size"}, {13, 0xc8, "buffer_size_remaining"},
                 {0}},
    CLASS(0x0f) {{1, T_REST, "value"}, {0}},
    CLASS(0x37) {{1, 0xc6, "state"}, {6, 0xc8, "file_size"}, {7, 0xc7, "checksum"}, {0}},
    CLASS(0x43) {{1, 0xc1, "ptp_enable"}, {2, 0xc1, "is_synchronized"}, {3, 0xc9, "system_time_us"},
                 {4, 0xc9, "system_time_ns"}, {5, 0xc5, "offset_from_master"}, {6, 0xc9, "max_offset_from_master"},
                 {7, 0xc9, "mean_path_delay_to_master"}, {0}},
    CLASS(0x48) {{1, 0xc6, "tag_enable"}, {0}},
    CLASS(0x6b) {{1, T_STRING16, "name"}, {2, 0xc7, "type"}, {3, 0xc8, "address"}, {5, 0xc8, "object_address"},
                 {6, 0xc8, "control"}, {7, 0xc7, "byte_count"}, {8, T_ARRAY(3, 0xc8), "dimensions"},
                 {10, 0xc6, "external_access"}, {0}},
    CLASS(0x6c) {{1, 0xc7, "structure_handle"}, {2, 0xc7, "member_count"}, {4, 0xc8, "definition_size"},
                 {5, 0xc8, "structure_size"}, {0}},
    CLASS(0x8b) {{6, 0xc9, "wall_clock_us"}, {11, 0xc9, "local_time_us"}, {0}},
    CLASS(0xac) {{1, 0xc7, "change_1"}, {2, 0xc7, "change_2"}, {3, 0xc8, "change_3"}, {4, 0xc8, "change_4"},
                 {10, 0xc8, "change_10"}, {0}},
    CLASS(0xf4) {{1, 0xc7, "port_type"}, {2, 0xc7, "port_number"}, {3, T_PATH, "link_object"},
                 {4, 0xda, "port_name"}, {0}},
    CLASS(0xf5) {{1, 0xd3, "status"}, {2, 0xd3, "capability"}, {3, 0xd3, "configuration_control"},
                 {4, T_PATH, "physical_link_object"}, {5, T_TCPIP, "interface_configuration"}, {6, 0xd0, "host_name"},
                 {8, 0xc6, "ttl"}, {10, 0xc1, "select_acd"}, {12, 0xc1, "quick_connect"},
                 {13, 0xc7, "encapsulation_inactivity_timeout"}, {0}},
    CLASS(0xf6) {{1, 0xc8, "speed"}, {2, 0xd3, "flags"}, {3, T_MAC, "physical_address"},
                 {4, T_ARRAY(11, 0xc8), "interface_counters"}, {5, T_ARRAY(12, 0xc8), "media_counters"},
                 {6, T_ARRAY(2, 0xd2), "interface_control"}, {7, 0xc6, "interface_type"}, {8, 0xc6, "interface_state"},
                 {9, 0xc6, "admin_state"}, {10, 0xda, "interface_label"}, {0}},
#undef CLASS
    /* clang-format on */
};

/* Of a class itself, which is instance 0: the same for every class (Vol 1, 4-4.1). */
static const struct attr class_attrs[] = {
    {1, 0xc7, "revision"},
    {2, 0xc7, "max_instance"},
    {3, 0xc7, "number_of_instances"},
    {4, T_LIST16, "optional_attributes"},
    {5, T_LIST16, "optional_services"},
    {6, 0xc7, "max_class_attribute"},
    {7, 0xc7, "max_instance_attribute"},
    {0},
};

static uint32_t instance_of(const struct cip_svc *s)
{
    return s->path ? s->instance : cip_asked(s, CF_INSTANCE);
}

static const struct attr *attr_find(const struct cip_svc *s, uint32_t id)
{
    const struct attr *a = instance_of(s) == 0 ? class_attrs : s->cls < ARRAY_LEN(attrs) ? attrs[s->cls] : NULL;
    while (a && a->id && a->id < id)
        a++;
    return a && a->id && a->id == id ? a : NULL;
}

/* ---- values ---- */

void cip_values(struct item *it, uint32_t type, struct span s, uint32_t n)
{
    const struct cip_type *t = cip_type(type);
    uint32_t size = t && t->size ? t->size : s.n, have;
    if (!s.n)
        return;
    have = size ? s.n / size : 0;
    it->v.raw = s;
    it->v.n = (uint16_t)(n && n < have ? n : have < 65535 ? have : 65535);
    it->v.stride = (uint16_t)(size < 65535 ? size : 65535);
    it->v.enc = t && t->size ? t->enc : VE_BYTES;
}

static void text_value(struct item *it, struct span s)
{
    it->v.raw = s;
    it->v.n = 1;
    it->v.enc = VE_NOW_TEXT;
}

bool cip_value_take(struct item *it, uint32_t type, struct cur *c)
{
    uint32_t many = type >> ARRAY_SHIFT;
    type &= (1u << ARRAY_SHIFT) - 1;
    const struct cip_type *t = cip_type(type);
    struct span s;
    if (type == 0xda || type == 0xd0 || type == T_STRING16) {
        uint16_t n = type == 0xda ? cur_u8(c) : cur_u16le(c);
        s = cur_bytes(c, n);
        if (type == 0xd0 && (n & 1) && cur_left(c))
            cur_skip(c, 1);
        if (it && cur_ok(c))
            text_value(it, s);
        return cur_ok(c);
    }
    if (type == T_LIST16 || type == T_PATH) {
        s = cur_bytes(c, cur_u16le(c) * 2u);
        if (it && cur_ok(c))
            cip_values(it, type == T_LIST16 ? 0xc7 : type, s, 0);
        return cur_ok(c);
    }
    uint32_t n = t && t->size ? t->size * (many ? many : 1u) : type == T_MAC ? 6 : type == T_REVISION ? 2 :
                 type == T_REST ? cur_left(c) : UINT32_MAX;
    if (type == T_TCPIP) { /* five addresses, then the domain name */
        struct cur d = *c;
        cur_skip(&d, 20);
        uint32_t len = cur_u16le(&d);
        n = 22 + len + (len & 1);
        n = cur_ok(&d) && n - 1 == cur_left(c) ? n - 1 : n;
    }
    if (n == UINT32_MAX)
        return false;
    s = cur_bytes(c, n);
    if (it && cur_ok(c))
        cip_values(it, type, s, 0);
    return cur_ok(c);
}

/* ---- what single attributes tell ---- */

static void identity_attr(struct cip_identity *id, uint32_t attr, struct cur c)
{
    switch (attr) {
    case 1:
        id->vendor = cur_u16le(&c);
        break;
    case 2:
        id->device_type = cur_u16le(&c);
        break;
    case 3:
        id->product_code = cur_u16le(&c);
        break;
    case 4:
        id->major = cur_u8(&c);
        id->minor = cur_u8(&c);
        break;
    case 5:
        id->status = cur_u16le(&c);
        break;
    case 6:
        id->serial = cur_u32le(&c);
        break;
    case 7:
        id->name = cur_bytes(&c, cur_u8(&c));
        break;
    case 8:
        id->state = cur_u8(&c);
        break;
    default:
        return;
    }
    if (cur_ok(&c))
        id->has |= (uint8_t)(attr == 8 ? 1 : 1u << attr);
}

static void identity_fields(struct event *e, const struct cip_identity *id)
{
    if (id->has & 2)
        ev_u64(e, CF_VENDOR, id->vendor);
    if (id->has & 4)
        ev_u64(e, CF_DEVICE_TYPE, id->device_type);
    if (id->has & 8)
        ev_u64(e, CF_PRODUCT_CODE, id->product_code);
    if (id->has & 16)
        ev_span(e, CF_REVISION, ev_text_fmt(e, "%u.%03u", id->major & 0x7f, id->minor));
    if (id->has & 32)
        ev_u64(e, CF_STATUS_WORD, id->status);
    if (id->has & 64)
        ev_u64(e, CF_SERIAL, id->serial);
    if (id->has & 128)
        ev_span(e, CF_PRODUCT_NAME, id->name);
    if (id->has & 1)
        ev_u64(e, CF_STATE, id->state);
}

/* Vol 2, 5-4.3.2.5 */
static void tcpip_config(struct cip_svc *s, struct cur c, bool told)
{
    uint32_t ip = cur_u32le(&c), mask = cur_u32le(&c), gateway = cur_u32le(&c), ns = cur_u32le(&c);
    if (!cur_ok(&c))
        return;
    ev_u64(s->e, CF_IP, ip);
    ev_u64(s->e, CF_NETMASK, mask);
    ev_u64(s->e, CF_GATEWAY, gateway);
    if (ns)
        ev_u64(s->e, CF_NAME_SERVER, ns);
    if (told && ip && s->via->depth == 0 && !s->e->has_unit)
        obs_fmt(s->x, &cip_schema, OBS_SERVER, OBS_SELF, OBS_IP, 80, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255,
                ip >> 8 & 255, ip & 255);
}

static void mac_seen(struct cip_svc *s, struct cur c)
{
    struct span m = cur_bytes(&c, 6);
    if (m.n == 6)
        obs_fmt(s->x, &cip_schema, OBS_SERVER, cip_sub(s->e), OBS_MAC, 90, "%02x:%02x:%02x:%02x:%02x:%02x", m.p[0],
                m.p[1], m.p[2], m.p[3], m.p[4], m.p[5]);
}

/* Fields and facts of one attribute; told: the device says so itself, else somebody sets it. */
static void attr_meaning(struct cip_svc *s, uint32_t attr, struct cur c, bool told)
{
    if (instance_of(s) == 0)
        return; /* of the class itself */
    if (s->cls == CLS_TCPIP && attr == 5) {
        tcpip_config(s, c, told);
    } else if (s->cls == CLS_TCPIP && attr == 6) {
        struct span name = cur_bytes(&c, cur_u16le(&c));
        if (!cur_ok(&c))
            return;
        ev_span(s->e, CF_HOST_NAME, name);
        if (told)
            obs_text(s->x, &cip_schema, OBS_SERVER, cip_sub(s->e), OBS_NAME, name, 90);
    } else if (s->cls == CLS_TCPIP && attr == 3) {
        ev_u64(s->e, CF_CONFIG_CONTROL, cur_u32le(&c) & 15);
    } else if (s->cls == CLS_LINK && attr == 3 && told) {
        mac_seen(s, c);
    } else if (s->cls == CLS_CLOCK && (attr == 6 || attr == 11)) {
        uint64_t us = cur_u64le(&c);
        if (cur_ok(&c) && us < UINT64_MAX / 1000)
            ev_u64(s->e, CF_TIME, us * 1000);
    }
}

static void attr_name_field(struct event *e, const struct attr *a)
{
    if (a)
        ev_span(e, CF_ATTRIBUTE_NAME, (struct span){(const uint8_t *)a->name, (uint32_t)strlen(a->name)});
}

/* ---- Get/Set_Attribute_Single ---- */

static void single_value(struct cip_svc *s, uint32_t attribute, struct cur c, bool told)
{
    const struct attr *a = attribute == UINT32_MAX ? NULL : attr_find(s, attribute);
    struct item *it = cip_first_item(s->e);
    attr_meaning(s, attribute, c, told);
    if (!it || !cur_left(&c)) {
        cip_raw(s->e, told ? CF_RESPONSE_DATA : CF_REQUEST_DATA, c);
        return;
    }
    struct cur all = c;
    bool typed = a && cip_value_take(it, a->type, &c);
    if (!typed || (cip_type(a->type) && cip_type(a->type)->size && cur_left(&c))) /* longer: not of that type */
        cip_values(it, 0, cur_bytes(&all, cur_left(&all)), 1);
}

void attr_single_req(struct cip_svc *s, struct cur c)
{
    if (s->attribute != UINT32_MAX)
        attr_name_field(s->e, attr_find(s, s->attribute));
    if (s->service == 0x10)
        single_value(s, s->attribute, c, false);
}

void attr_single_rsp(struct cip_svc *s, struct cur c)
{
    if (s->status || s->service == 0x10)
        return;
    uint32_t attribute = cip_asked(s, CF_ATTRIBUTE);
    single_value(s, attribute, c, true);
    if (s->cls == CLS_IDENTITY && cip_asked(s, CF_INSTANCE) == 1) {
        struct cip_identity id = {0};
        identity_attr(&id, attribute, c);
        identity_fields(s->e, &id);
        identity_observe(s->x, &cip_schema, cip_sub(s->e), &id);
    }
}

/* ---- Get_Attributes_All ---- */

static void identity_all(struct cip_svc *s, struct cur c)
{
    struct cip_identity id = {.has = 0xfe};
    id.vendor = cur_u16le(&c);
    id.device_type = cur_u16le(&c);
    id.product_code = cur_u16le(&c);
    id.major = cur_u8(&c);
    id.minor = cur_u8(&c);
    id.status = cur_u16le(&c);
    id.serial = cur_u32le(&c);
    id.name = cur_bytes(&c, cur_u8(&c));
    if (!cur_ok(&c)) {
        if (!s->x->cut)
            ev_anomaly(s->e, CA_DATA_SIZE);
        return;
    }
    if (cur_left(&c)) {
        id.state = cur_u8(&c);
        id.has |= 1;
    }
    identity_fields(s->e, &id);
    identity_observe(s->x, &cip_schema, cip_sub(s->e), &id);
}

/* Vol 2, 5-4.4.1: status, capability, control, path to the link object, configuration, host name */
static void tcpip_all(struct cip_svc *s, struct cur c)
{
    cur_skip(&c, 12);
    cur_skip(&c, cur_u16le(&c) * 2u);
    tcpip_config(s, c, true);
    cip_value_take(NULL, T_TCPIP, &c);
    struct span name = cur_bytes(&c, cur_u16le(&c));
    if (!cur_ok(&c) || !name.n)
        return;
    ev_span(s->e, CF_HOST_NAME, name);
    obs_text(s->x, &cip_schema, OBS_SERVER, cip_sub(s->e), OBS_NAME, name, 90);
}

void attr_all_rsp(struct cip_svc *s, struct cur c)
{
    if (s->status) {
        return;
    }
    struct cur all = c;
    uint32_t instance = cip_asked(s, CF_INSTANCE);
    if (s->cls == CLS_IDENTITY && instance == 1) {
        identity_all(s, c);
    } else if (s->cls == CLS_TCPIP && instance == 1) {
        tcpip_all(s, c);
    } else if (s->cls == CLS_LINK && instance != 0) {
        cur_skip(&c, 8);
        mac_seen(s, c);
    } else if (s->cls == CLS_CONTROLLER && instance == 1) { /* 1756-PM020: the program's name */
        struct span name = cur_bytes(&c, cur_u16le(&c));
        if (cur_ok(&c) && name.n) {
            ev_span(s->e, CF_PROGRAM, name);
            obs_text(s->x, &cip_schema, OBS_SERVER, cip_sub(s->e), OBS_PROGRAM, name, 90);
        }
    }
    struct item *it = cip_first_item(s->e);
    if (it)
        cip_values(it, 0, cur_bytes(&all, cur_left(&all)), 1);
    else
        cip_raw(s->e, CF_RESPONSE_DATA, all);
}

/* ---- attribute lists ---- */

/* The object of a list request becomes one item an attribute. */
static struct item *list_item(struct cip_svc *s, uint32_t attr)
{
    struct event *e = s->e;
    const struct txt *app = &s->path->app;
    struct txt t = {.p = e->text + e->text_used, .cap = EV_TEXT - e->text_used};
    uint32_t need = app->n + 1 + 10;
    ev_u64(e, CF_ATTRIBUTE, attr);
    if (need > t.cap || need > EPATH_TEXT) { /* at the bounds: by the way that keeps them */
        uint8_t buf[EPATH_TEXT];
        t = (struct txt){.p = buf, .cap = sizeof buf};
        txt_mem(&t, app->p, app->n);
        txt_chr(&t, '/');
        txt_dec(&t, attr);
        return ev_named(e, CK_CIP, ev_text_copy(e, t.p, t.n));
    }
    txt_mem(&t, app->p, app->n);
    txt_chr(&t, '/');
    txt_dec(&t, attr);
    e->text_used += t.n;
    return ev_named(e, CK_CIP, txt_span(&t));
}

static void list_start(struct cip_svc *s)
{
    s->e->n_items = 0;
    s->e->items_total = 0;
}

void attr_list_get_req(struct cip_svc *s, struct cur c)
{
    uint16_t n = cur_u16le(&c);
    ev_u64(s->e, CF_COUNT, n);
    if (!s->x->cut && (!cur_ok(&c) || n * 2u > cur_left(&c)))
        ev_anomaly(s->e, CA_DATA_SIZE);
    if (!n || cur_left(&c) < 2)
        return;
    list_start(s);
    while (n-- && cur_left(&c) >= 2)
        list_item(s, cur_u16le(&c));
}

/* count, then (id, status, value) each. The value's length is known only by its type: the first attribute of
 * unknown type ends the list, the last one takes what is left. */
void attr_list_get_rsp(struct cip_svc *s, struct cur c)
{
    struct cip_identity id = {0};
    if (s->status && s->status != 0x0a && s->status != 6)
        return;
    uint16_t n = cur_u16le(&c);
    bool identity = s->cls == CLS_IDENTITY && cip_asked(s, CF_INSTANCE) == 1;
    for (uint32_t i = 0; i < n && cur_left(&c) >= 4; i++) {
        uint16_t attr = cur_u16le(&c), status = cur_u16le(&c);
        struct item *it = i < s->e->n_items ? &s->e->items[i] : NULL;
        if (it)
            it->status = status;
        if (status)
            continue;
        const struct attr *a = attr_find(s, attr);
        attr_meaning(s, attr, c, true);
        if (identity)
            identity_attr(&id, attr, c);
        struct cur all = c;
        if (a && cip_value_take(it, a->type, &c))
            continue;
        if (it && i + 1u == n)
            cip_values(it, 0, cur_bytes(&all, cur_left(&all)), 1);
        else
            cip_raw(s->e, CF_RESPONSE_DATA, all);
        break;
    }
    if (!id.has)
        return;
    identity_fields(s->e, &id);
    identity_observe(s->x, &cip_schema, cip_sub(s->e), &id);
}

void attr_list_set_req(struct cip_svc *s, struct cur c)
{
    uint16_t n = cur_u16le(&c);
    ev_u64(s->e, CF_COUNT, n);
    if (!s->x->cut && !cur_ok(&c))
        ev_anomaly(s->e, CA_DATA_SIZE);
    if (!n || cur_left(&c) < 2)
        return;
    list_start(s);
    for (uint32_t i = 0; i < n && cur_left(&c) >= 2; i++) {
        uint16_t attr = cur_u16le(&c);
        struct item *it = list_item(s, attr);
        const struct attr *a = attr_find(s, attr);
        attr_meaning(s, attr, c, false);
        struct cur all = c;
        if (a && cip_value_take(it, a->type, &c))
            continue;
        cip_values(it, 0, cur_bytes(&all, cur_left(&all)), 1);
        if (i + 1u < n)
            s->e->truncated = 1; /* the rest cannot be told apart */
        break;
    }
}

void attr_list_set_rsp(struct cip_svc *s, struct cur c)
{
    if (s->status && s->status != 0x0a)
        return;
    uint16_t n = cur_u16le(&c);
    for (uint32_t i = 0; i < n && cur_left(&c) >= 4; i++) {
        cur_skip(&c, 2);
        uint16_t status = cur_u16le(&c);
        if (i < s->e->n_items)
            s->e->items[i].status = status;
    }
}

/* ---- reset, mode, what has no layout ---- */

/* Vol 1, 5A-2.5.1: Identity reset: 0 power cycle, 1 factory default, 2 factory default without communication */
void reset_req(struct cip_svc *s, struct cur c)
{
    if (s->cls != CLS_IDENTITY) {
        cip_raw(s->e, CF_REQUEST_DATA, c);
        return;
    }
    uint8_t type = cur_left(&c) ? cur_u8(&c) : 0;
    ev_u64(s->e, CF_RESET_TYPE, type);
    if (type == 1 || type == 2)
        ev_anomaly(s->e, CA_FACTORY_RESET);
}

void mode_rsp(struct cip_svc *s, struct cur c)
{
    bool controller = s->cls == CLS_MODE || s->cls == CLS_CONTROLLER;
    if (s->status == 0 && controller)
        obs_fmt(s->x, &cip_schema, OBS_SERVER, cip_sub(s->e), OBS_STATE, 80, "%s",
                s->service == 6 ? "run" : "program");
    body_raw_rsp(s, c);
}

void body_raw_req(struct cip_svc *s, struct cur c)
{
    cip_raw(s->e, CF_REQUEST_DATA, c);
}

void body_raw_rsp(struct cip_svc *s, struct cur c)
{
    struct item *it = cip_first_item(s->e);
    if ((s->status == 0 || s->status == 6) && it && s->e->action == ACT_READ && !it->v.n)
        cip_values(it, 0, cur_bytes(&c, cur_left(&c)), 1);
    else
        cip_raw(s->e, CF_RESPONSE_DATA, c);
}
