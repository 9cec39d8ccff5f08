/* s7comm_szl.c: system status lists (SZL) of S7comm: what a CPU says of itself.
 *
 *   request  id u16 (class << 12 | extract << 8 | list), index u16
 *   answer   id, index, record length u16, count u16, records
 *
 * Read: 0x11 identification, 0x19 and 0x74 LEDs, 0x1c component names, 0x37 Ethernet interfaces, 0x91 modules, 0x96
 * module state of PROFINET, 0xa0 diagnostic buffer, 0x131 and 0x132 communication (index 1 and 4), 0x232 protection,
 * 0x124, 0x424 operating mode. Of other lists: number and length of the records.
 * Spec: Siemens, System Software for S7-300/400, System and Standard Functions, chapter System Status Lists.
 */
#include "dissectors/s7comm.h"

static void obs(struct s7 *s, enum obs_kind kind, struct span v)
{
    obs_text(s->x, &s7comm_schema, OBS_SERVER, OBS_SELF, kind, v, 100);
}

/* Text of a fixed field: without the spaces and zeros at its end. */
static struct span text(struct cur *c, uint32_t n)
{
    struct span v = cur_bytes(c, n);
    uint32_t z = 0;
    while (z < v.n && v.p[z])
        z++;
    while (z && v.p[z - 1] == ' ')
        z--;
    return (struct span){.p = z ? v.p : NULL, .n = z};
}

static bool starts(struct span v, const char *s)
{
    return v.n >= strlen(s) && memcmp(v.p, s, strlen(s)) == 0;
}

static void vendor(struct s7 *s, struct span order)
{
    static const char *const siemens[] = {"6ES7", "6ES5", "6GK", "6AG1", "6FC", "6AU", "6DD", "6SL"};
    for (unsigned i = 0; i < ARRAY_LEN(siemens); i++)
        if (starts(order, siemens[i]))
            obs_fmt(s->x, &s7comm_schema, OBS_SERVER, OBS_SELF, OBS_VENDOR, 95, "Siemens");
}

/* 0x11: index, order number (20), type, version (2 u16): index 1 module, 6 hardware, 7 firmware, 0x81 boot loader. */
static void identification(struct s7 *s, struct event *e, struct cur r, uint32_t n)
{
    (void)n;
    uint16_t index = cur_u16be(&r);
    struct span order = text(&r, 20);
    cur_skip(&r, 2);
    uint16_t a = cur_u16be(&r), b = cur_u16be(&r);
    if (!cur_ok(&r))
        return;
    if (index == 1 && order.n) {
        ev_span(e, F_ORDER_NUMBER, order);
        obs(s, OBS_PRODUCT_CODE, order);
        vendor(s, order);
    }
    if (index == 6 || (index == 1 && s->body_len < 40)) {
        struct span v = ev_text_fmt(e, "%u", a & 0xff);
        ev_span(e, F_HARDWARE, v);
        obs(s, OBS_HARDWARE, v);
    } else if (index == 7 && (a >> 8 == 'V' || a >> 8 == 0)) {
        struct span v = ev_text_fmt(e, "V%u.%u.%u", a & 0xff, b >> 8, b & 0xff);
        ev_span(e, F_FIRMWARE, v);
        obs(s, OBS_FIRMWARE, v);
    } else if (index == 0x81) {
        /* a letter and a space, or a letter and the first number */
        char letter = (char)(a >> 8 >= 'A' && a >> 8 <= 'Z' ? a >> 8 : '?');
        ev_span(e, F_BOOTLOADER, (a & 0xff) == ' ' ? ev_text_fmt(e, "%c%u.%u", letter, b >> 8, b & 0xff)
                                                   : ev_text_fmt(e, "%c%u.%u.%u", letter, a & 0xff, b >> 8, b & 0xff));
    }
}

/* 0x1c: index, [H systems (extracts 2, 3): rack u16] text (32) */
static const struct component {
    uint8_t index, field, obs;
} components[] = {
    {1, F_PLC_NAME, OBS_NAME},       {2, F_MODULE_NAME, OBS_KINDS}, {3, F_PLANT_ID, OBS_LOCATION},
    {4, F_COPYRIGHT, OBS_KINDS},     {5, F_SERIAL, OBS_SERIAL},     {7, F_MODULE_TYPE, OBS_MODEL},
    {8, F_MEMORY_CARD, OBS_KINDS},   {10, F_OEM, OBS_KINDS},        {11, F_LOCATION, OBS_KINDS},
};

static void component(struct s7 *s, struct event *e, struct cur r, uint32_t n)
{
    uint16_t index = cur_u16be(&r);
    cur_skip(&r, n >= 36 ? 2 : 0);
    if (index == 9) {
        uint16_t id = cur_u16be(&r);
        if (!cur_ok(&r))
            return;
        ev_u64(e, F_MANUFACTURER, id);
        if (id == 42) /* PROFIBUS manufacturer id of Siemens */
            obs_fmt(s->x, &s7comm_schema, OBS_SERVER, OBS_SELF, OBS_VENDOR, 95, "Siemens");
        return;
    }
    struct span v = text(&r, cur_left(&r) < 32 ? cur_left(&r) : 32);
    for (unsigned i = 0; v.n && i < ARRAY_LEN(components); i++) {
        if (components[i].index != index)
            continue;
        ev_span(e, components[i].field, v);
        if (components[i].obs != OBS_KINDS)
            obs(s, components[i].obs, v);
    }
    if (index == 4 && starts(v, "Original Siemens"))
        obs_fmt(s->x, &s7comm_schema, OBS_SERVER, OBS_SELF, OBS_VENDOR, 90, "Siemens");
}

/* 0x19, 0x74: LED u16 (rack << 8 | number), on, blinking */
static void led(struct s7 *s, struct event *e, struct cur r, uint32_t n)
{
    static const char *const names[] = {
        [1] = "SF", "INTF", "EXTF", "RUN", "STOP", "FRCE", "CRST", "BAF", "USR", "USR1", "BUS1F", "BUS2F", "REDF",
        "MSTR", "RACK0", "RACK1", "RACK2", "IFM1F", "IFM2F", "BUS3F", "MAINT", "DC24V",
    };
    (void)n;
    uint16_t id = cur_u16be(&r);
    uint8_t on = cur_u8(&r), blink = cur_u8(&r);
    if (!cur_ok(&r) || (!on && !blink))
        return;
    const char *name = (id & 0xff) < ARRAY_LEN(names) ? names[id & 0xff] : NULL;
    ev_span(e, F_LED, name ? ev_text_fmt(e, "%s%s", name, blink ? " blinking" : "")
                           : ev_text_fmt(e, "%u%s", id & 0xff, blink ? " blinking" : ""));
    if (((id & 0xff) == 4 || (id & 0xff) == 5) && id >> 8 == 0 && !blink)
        obs_fmt(s->x, &s7comm_schema, OBS_SERVER, OBS_SELF, OBS_STATE, 90, (id & 0xff) == 4 ? "run" : "stop");
}

/* 0x91: rack, slot << 8 | submodule, logical address, expected type, actual type, -, state, area */
static void module(struct s7 *s, struct event *e, struct cur r, uint32_t n)
{
    (void)n;
    uint16_t rack = cur_u16be(&r), slot = cur_u16be(&r), addr = cur_u16be(&r);
    uint16_t want = cur_u16be(&r), type = cur_u16be(&r);
    cur_skip(&r, 2);
    uint16_t state = cur_u16be(&r);
    if (!cur_ok(&r))
        return;
    bool central = rack <= 21 && slot >> 8 >= 1 && slot >> 8 <= 18;
    if (!central) /* DP and PROFINET stations: system and station number, no slot of this rack */
        return;
    ev_span(e, F_MODULE, ev_text_fmt(e, "rack %u slot %u type 0x%04x at %u%s", rack, slot >> 8, type, addr,
                                     state & 1 ? " faulty" : type != want && want ? " wrong type" : ""));
    if ((slot & 0xff) == 0)
        obs_fmt(s->x, &s7comm_schema, OBS_SERVER, (uint32_t)rack << 8 | slot >> 8, OBS_MODULE, 90, "module type 0x%04x",
                type);
}

static const char *state_name(uint8_t mode)
{
    return mode == 8 || mode == 9 ? "run" : mode == 10 ? "hold" : mode == 13 ? "defective" :
           mode >= 1 && mode <= 4 ? "stop" : mode >= 5 && mode <= 7 ? "startup" : NULL;
}

/* 0x124, 0x424: event id, -, modes: before << 4 | now, ... */
static void mode(struct s7 *s, struct event *e, struct cur r, uint32_t n)
{
    (void)n;
    uint16_t id = cur_u16be(&r);
    cur_skip(&r, 1);
    uint8_t m = cur_u8(&r);
    if (!cur_ok(&r))
        return;
    ev_u64(e, F_DIAG_EVENT, id);
    ev_u64(e, F_MODE, m & 15);
    ev_u64(e, F_MODE_BEFORE, m >> 4);
    const char *name = state_name(m & 15);
    if (name)
        obs_fmt(s->x, &s7comm_schema, OBS_SERVER, OBS_SELF, OBS_STATE, 100, "%s", name);
}

/* 0x131 index 1: index, PDU length, connections, ... */
static void capability(struct s7 *s, struct event *e, struct cur r, uint32_t n)
{
    (void)n;
    (void)s;
    uint16_t index = cur_u16be(&r), pdu = cur_u16be(&r), conns = cur_u16be(&r);
    if (!cur_ok(&r) || index != 1)
        return;
    ev_u64(e, F_MAX_PDU, pdu);
    ev_u64(e, F_MAX_CONN, conns);
}

/* 0x132, 0x232 index 4: index, level by switch, by parameter, valid level, mode switch, restart switch, -,
 * "VV" when valid: checksums of configuration and program (u32 each) */
static void protection(struct s7 *s, struct event *e, struct cur r, uint32_t n)
{
    static const char *const positions[] = {"unknown", "run", "run_p", "stop", "mres"};
    (void)n;
    uint16_t index = cur_u16be(&r), key = cur_u16be(&r), set = cur_u16be(&r), valid = cur_u16be(&r), sw = cur_u16be(&r);
    if (!cur_ok(&r) || (index & 0xff) != 4)
        return;
    ev_u64(e, F_PROTECTION, valid);
    ev_u64(e, F_PROT_SWITCH, key);
    ev_u64(e, F_PROT_SET, set);
    ev_u64(e, F_MODE_SWITCH, sw);
    obs_fmt(s->x, &s7comm_schema, OBS_SERVER, OBS_SELF, OBS_PROTECTION, 100, "level %u, switch %s", valid,
            positions[sw < ARRAY_LEN(positions) ? sw : 0]);
    cur_skip(&r, 4);
    uint16_t mark = cur_u16be(&r);
    uint32_t hw = cur_u32be(&r), user = cur_u32be(&r);
    if (!cur_ok(&r) || mark != 0x5656)
        return;
    ev_u64(e, F_HW_CHECKSUM, hw);
    ev_u64(e, F_USER_CHECKSUM, user);
    obs_fmt(s->x, &s7comm_schema, OBS_SERVER, OBS_SELF, OBS_PROGRAM, 100, "configuration %08x program %08x", hw, user);
}

void s7_diag_event(struct s7 *s, struct event *e, struct cur *c)
{
    uint16_t id = cur_u16be(c);
    cur_skip(c, 10);
    uint64_t t = s7_date_and_time(c);
    if (!cur_ok(c)) {
        if (!s->x->cut)
            s7_anomaly(s, A_SZL);
        return;
    }
    bool first = true;
    for (unsigned i = 0; first && i < e->n_fields; i++)
        first = e->fields[i].id != F_DIAG_EVENT;
    ev_u64(e, F_DIAG_EVENT, id);
    if (first && t)
        ev_u64(e, F_DIAG_TIME, t);
}

static void diagnostic(struct s7 *s, struct event *e, struct cur r, uint32_t n)
{
    if (n >= 20 && e->n_fields + 2u < EV_MAX_FIELDS)
        s7_diag_event(s, e, &r);
}

/* 0x37: interface, IP, mask, router, MAC (6), source, time, ... station name where the record is long */
static void ethernet(struct s7 *s, struct event *e, struct cur r, uint32_t n)
{
    (void)n;
    cur_skip(&r, 2);
    uint32_t ip = cur_u32be(&r);
    cur_skip(&r, 8);
    struct span mac = cur_bytes(&r, 6);
    if (!cur_ok(&r))
        return;
    if (ip) {
        ev_u64(e, F_IP, ip);
        obs_fmt(s->x, &s7comm_schema, OBS_SERVER, OBS_SELF, OBS_IP, 100, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255,
                ip >> 8 & 255, ip & 255);
    }
    ev_span(e, F_MAC, mac);
    obs_fmt(s->x, &s7comm_schema, OBS_SERVER, OBS_SELF, OBS_MAC, 100, "%02x:%02x:%02x:%02x:%02x:%02x", mac.p[0],
            mac.p[1], mac.p[2], mac.p[3], mac.p[4], mac.p[5]);
}

enum { EXTRACT_ANY = 0xff };

static const struct list {
    uint8_t id, extract;
    void (*record)(struct s7 *s, struct event *e, struct cur r, uint32_t n);
} lists[] = {
    {0x11, EXTRACT_ANY, identification}, {0x1c, EXTRACT_ANY, component}, {0x19, EXTRACT_ANY, led},
    {0x74, EXTRACT_ANY, led},            {0x91, EXTRACT_ANY, module},    {0x24, EXTRACT_ANY, mode},
    {0x31, 1, capability},               {0x32, 1, protection},          {0x32, 2, protection},
    {0xa0, EXTRACT_ANY, diagnostic},     {0x37, EXTRACT_ANY, ethernet},
};

static void szl_item(struct event *e, uint16_t id, uint16_t index)
{
    ev_range(e, K_SZL, id, index, index);
}

void s7_szl_request(struct s7 *s, struct event *e)
{
    uint16_t id = cur_u16be(&s->body), index = cur_u16be(&s->body);
    if (cur_ok(&s->body))
        szl_item(e, id, index);
    else if (!s->x->cut)
        s7_anomaly(s, A_SZL);
}

void s7_szl_answer(struct s7 *s, struct event *e)
{
    struct cur *c = &s->body;
    uint16_t id = cur_u16be(c), index = cur_u16be(c), len = cur_u16be(c), count = cur_u16be(c);
    if (!cur_ok(c)) {
        if (e->error == 0 && !s->x->cut)
            s7_anomaly(s, A_SZL);
        return;
    }
    if (!e->n_items)
        szl_item(e, id, index);
    ev_u64(e, F_SZL_RECORD_LEN, len);
    ev_u64(e, F_SZL_COUNT, count);
    bool header_only = (id >> 8 & 15) == 15; /* extract F: no records */
    if (header_only || !len)
        return;
    if ((uint32_t)len * count > cur_left(c) && !s->x->cut)
        s7_anomaly(s, A_SZL);
    const struct list *l = NULL;
    for (unsigned i = 0; i < ARRAY_LEN(lists) && !l; i++)
        if (lists[i].id == (id & 0xff) && (lists[i].extract == EXTRACT_ANY || lists[i].extract == (id >> 8 & 15)))
            l = &lists[i];
    for (unsigned i = 0; l && i < count && cur_left(c) >= len; i++)
        l->record(s, e, cur_sub(c, len), len);
}
