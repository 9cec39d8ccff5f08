/* modbus_umas.c: UMAS, Schneider Electric's programming protocol in Modbus function 90 (0x5A).
 *
 * Spec: none is published. Layouts follow the public research of L. Rodriguez Jimenez ("The Unity (UMAS) protocol",
 *       2017), Kaspersky ICS CERT ("The secrets of Schneider Electric's UMAS protocol", 2022), Digital Bond's Basecamp
 *       modules and the Apache PLC4X description; numbers are little-endian.
 *
 *   request:  0x5A | key | function | body ...      answer: 0x5A | key | 0xFE ok or 0xFD error | body ...
 *   signed:   0x5A | key | 0x38 | magic(1) | signature(32) | 0x5A | key | function | body ...
 *
 * "Upload" in UMAS's own names (0x30-0x32) writes the program into the controller, "download" (0x33-0x35) reads it: the
 * actions of the table say what really happens.
 * Not decoded: monitor_plc (0x50, can read, write and force), private (0x6D), I/O objects (0x70-0x74), coils and
 * registers (0x24, 0x25), data dictionary records (0x26), physical addresses (0x28, 0x29): their bodies are given as
 * bytes. plc_state is read only from answers as long as those of the M580, whose layout is known.
 * Identity: read_id (model, firmware, hardware id), read_project_info (program), take_reservation (station). */
#include "dissectors/modbus_priv.h"

enum {
    UMAS_INIT = 0x01,
    UMAS_READ_ID = 0x02,
    UMAS_PROJECT = 0x03,
    UMAS_PLC_INFO = 0x04,
    UMAS_RESERVE = 0x10,
    UMAS_READ_BLOCK = 0x20,
    UMAS_WRITE_BLOCK = 0x21,
    UMAS_READ_VARS = 0x22,
    UMAS_WRITE_VARS = 0x23,
    UMAS_BLOCK_IN = 0x31,
    UMAS_BLOCK_OUT = 0x34,
    UMAS_SIGNED = 0x38,
    UMAS_START = 0x40,
    UMAS_STOP = 0x41,
    UMAS_ERROR = 0xfd,
    UMAS_OK = 0xfe,
    SIGNED_EXTRA = 1 + 32 /* magic and signature */,
};

/* Key and function at the start of the body; a signed message is entered. */
static bool umas_head(struct cur *c, uint8_t *key, uint8_t *fn, bool *is_signed)
{
    *key = cur_u8(c);
    *fn = cur_u8(c);
    *is_signed = false;
    if (*fn == UMAS_SIGNED && cur_left(c) >= SIGNED_EXTRA + 3 && cur_peek(c, SIGNED_EXTRA) == MB_FN_UMAS) {
        cur_skip(c, SIGNED_EXTRA + 1);
        *key = cur_u8(c);
        *fn = cur_u8(c);
        *is_signed = true;
    }
    return cur_ok(c);
}

uint32_t mb_umas_code(const struct cur *body)
{
    struct cur c = *body;
    uint8_t key, fn;
    bool is_signed;
    return umas_head(&c, &key, &fn, &is_signed) ? fn : OP_ANY_SELECTOR;
}

static void rest_as_bytes(struct mb_msg *m)
{
    struct span s = cur_rest(&m->body);
    if (s.n)
        ev_span(m->e, MBU_DATA, s);
}

/* ---- requests ---- */

/* A length byte and so many bytes of text. */
static struct span short_text(struct cur *c)
{
    uint8_t n = cur_u8(c);
    struct span s = cur_bytes(c, n);
    while (s.n && s.p[s.n - 1] == 0)
        s.n--;
    return s;
}

static void req_reserve(struct mb_msg *m)
{
    cur_skip(&m->body, 4); /* the station's process id */
    struct span name = short_text(&m->body);
    if (!cur_ok(&m->body) || !name.n)
        return;
    ev_span(m->e, MBU_STATION, name);
    obs_text(m->x, &modbus_schema, OBS_CLIENT, OBS_SELF, OBS_NAME, name, 80);
    obs_text(m->x, &modbus_schema, OBS_CLIENT, OBS_SELF, OBS_ROLE,
             (struct span){(const uint8_t *)"engineering_station", 19}, 70);
}

/* Range, block, offset(32), then the number of bytes; 0x21 carries them. */
static void req_block(struct mb_msg *m)
{
    uint8_t range = cur_u8(&m->body);
    uint16_t block = cur_u16le(&m->body);
    uint32_t offset = cur_u32le(&m->body);
    uint16_t n = cur_u16le(&m->body);
    if (!cur_ok(&m->body)) {
        mb_anomaly(m, MBA_UMAS_SHORT);
        return;
    }
    ev_u64(m->e, MBU_RANGE, range);
    ev_u64(m->e, MBU_LENGTH, n);
    if (!n)
        return;
    struct item *it =
        ev_range(m->e, MBK_UMAS_BLOCK, block, offset, offset + n - 1u < offset ? offset : offset + n - 1u);
    if (m->e->selector == UMAS_WRITE_BLOCK)
        it->v = (struct vals){.raw = cur_rest(&m->body), .n = 1, .stride = n, .enc = VE_BYTES, .qual_off = -1};
}

/* Bytes of a variable by its size class: 1 byte, 2 bytes, 4 bytes; 0 is an EBOOL. */
static uint32_t var_size(uint8_t type)
{
    static const uint8_t sizes[4] = {1, 1, 2, 4};
    return type < 4 ? sizes[type] : type;
}

static void one_variable(struct mb_msg *m, bool write)
{
    uint8_t type = cur_u8(&m->body);
    uint16_t block = cur_u16le(&m->body);
    uint32_t at;
    if (write) {
        uint16_t base = cur_u16le(&m->body);
        at = (uint32_t)base << 8 | (cur_u16le(&m->body) & 0xff);
    } else {
        cur_skip(&m->body, 1);
        uint16_t base = cur_u16le(&m->body);
        at = (uint32_t)base << 8 | cur_u8(&m->body);
    }
    uint32_t n = type >> 4 ? cur_u16le(&m->body) : 1u;
    uint32_t bytes = n * var_size(type & 15);
    struct span raw = write ? cur_bytes(&m->body, bytes) : (struct span){0};
    if (!cur_ok(&m->body))
        return;
    struct item *it = ev_range(m->e, MBK_UMAS_VARIABLE, block, at, at + (bytes ? bytes - 1 : 0));
    if (raw.n)
        it->v = (struct vals){.raw = raw, .n = 1, .stride = (uint16_t)raw.n, .enc = VE_BYTES, .qual_off = -1};
}

static void req_variables(struct mb_msg *m)
{
    uint32_t crc = cur_u32le(&m->body);
    uint8_t n = cur_u8(&m->body);
    if (!cur_ok(&m->body)) /* without arguments it asks for the check sum only */
        return;
    ev_u64(m->e, MBU_CRC, crc);
    ev_u64(m->e, MBU_COUNT, n);
    for (unsigned i = 0; i < n && cur_ok(&m->body); i++)
        one_variable(m, m->e->selector == UMAS_WRITE_VARS);
    if (!cur_ok(&m->body))
        mb_anomaly(m, MBA_UMAS_SHORT);
}

/* Program transfer: a zero, the program number, then the block number, and for 0x31 length and content. */
static void req_program(struct mb_msg *m)
{
    cur_skip(&m->body, 1);
    uint8_t program = cur_u8(&m->body);
    if (!cur_ok(&m->body))
        return;
    struct item *it = ev_range(m->e, MBK_UMAS_PROGRAM, 0, program, program);
    uint32_t sel = m->e->selector;
    if (cur_left(&m->body) < 2)
        return;
    uint16_t part = cur_u16le(&m->body);
    ev_u64(m->e, MBU_PART, part);
    if (sel != UMAS_BLOCK_IN)
        return;
    uint16_t n = cur_u16le(&m->body);
    struct span raw = cur_rest(&m->body);
    if (!cur_ok(&m->body) || raw.n < n) {
        mb_anomaly(m, MBA_UMAS_SHORT);
        return;
    }
    ev_u64(m->e, MBU_LENGTH, n);
    it->v = (struct vals){.raw = raw, .n = 1, .stride = n, .enc = VE_BYTES, .qual_off = -1};
}

/* ---- answers ---- */

static void rsp_init(struct mb_msg *m)
{
    uint16_t max = cur_u16le(&m->body), fw = cur_u16le(&m->body);
    cur_skip(&m->body, 8);
    struct span holder = short_text(&m->body);
    if (max)
        ev_u64(m->e, MBU_MAX_FRAME, max);
    if (fw)
        ev_span(m->e, MBU_FIRMWARE, ev_text_fmt(m->e, "%x.%02x", fw >> 8, fw & 0xff));
    if (cur_ok(&m->body) && holder.n)
        ev_span(m->e, MBU_STATION, holder); /* who holds the reservation */
}

static void rsp_read_id(struct mb_msg *m)
{
    cur_skip(&m->body, 8);
    uint16_t fw = cur_u16le(&m->body), patch = cur_u16le(&m->body);
    cur_skip(&m->body, 2);
    uint16_t hw = cur_u16le(&m->body);
    cur_skip(&m->body, 6);
    struct span model = short_text(&m->body);
    if (!cur_ok(&m->body)) {
        mb_anomaly(m, MBA_UMAS_SHORT);
        return;
    }
    struct span v = patch ? ev_text_fmt(m->e, "%x.%02x.%u", fw >> 8, fw & 0xff, patch)
                          : ev_text_fmt(m->e, "%x.%02x", fw >> 8, fw & 0xff);
    uint32_t sub = mb_sub(m->unit);
    ev_span(m->e, MBU_MODEL, model);
    ev_span(m->e, MBU_FIRMWARE, v);
    ev_u64(m->e, MBU_HARDWARE, hw);
    obs_text(m->x, &modbus_schema, OBS_SERVER, sub, OBS_VENDOR,
             (struct span){(const uint8_t *)"Schneider Electric", 18}, 90);
    obs_text(m->x, &modbus_schema, OBS_SERVER, sub, OBS_MODEL, model, 100);
    obs_text(m->x, &modbus_schema, OBS_SERVER, sub, OBS_FIRMWARE, v, 95);
    obs_fmt(m->x, &modbus_schema, OBS_SERVER, sub, OBS_HARDWARE, 60, "0x%04x", hw);
    obs_text(m->x, &modbus_schema, OBS_SERVER, sub, OBS_ROLE, (struct span){(const uint8_t *)"plc", 3}, 90);
}

/* Two ids of nine bytes and a byte, two times of eight bytes, build(16), minor, major, then the name. */
static void rsp_project(struct mb_msg *m)
{
    enum { VERSION_AT = 34 };
    cur_skip(&m->body, VERSION_AT);
    uint16_t build = cur_u16le(&m->body);
    uint8_t minor = cur_u8(&m->body), major = cur_u8(&m->body);
    struct span name = short_text(&m->body);
    if (!cur_ok(&m->body) || !name.n)
        return; /* the sub-codes other than 0 have other layouts */
    ev_span(m->e, MBU_PROJECT, name);
    ev_span(m->e, MBU_PROJECT_VERSION, ev_text_fmt(m->e, "%u.%u.%u", major, minor, build));
    obs_fmt(m->x, &modbus_schema, OBS_SERVER, mb_sub(m->unit), OBS_PROGRAM, 90, "%.*s %u.%u.%u",
            (int)(name.n > 64 ? 64 : name.n), (const char *)name.p, major, minor, build);
}

static void tell_state(struct mb_msg *m, const char *state, uint8_t confidence)
{
    obs_fmt(m->x, &modbus_schema, OBS_SERVER, mb_sub(m->unit), OBS_STATE, confidence, "%s", state);
}

static void rsp_plc_info(struct mb_msg *m)
{
    enum { M580_LEN = 66, STATE_AT = 60 };
    struct cur c = m->body;
    if (cur_left(&c) != M580_LEN) {
        rest_as_bytes(m);
        return;
    }
    uint8_t state = cur_peek(&c, STATE_AT);
    ev_u64(m->e, MBU_STATE, state);
    if (state == 1 || state == 2)
        tell_state(m, state == 2 ? "run" : "stop", 80);
}

static void rsp_reserve(struct mb_msg *m)
{
    uint8_t key = cur_u8(&m->body);
    if (cur_ok(&m->body))
        ev_u64(m->e, MBU_NEW_KEY, key);
}

static void rsp_block(struct mb_msg *m)
{
    cur_skip(&m->body, 1);
    uint16_t n = cur_u16le(&m->body);
    struct span raw = cur_rest(&m->body);
    if (!cur_ok(&m->body))
        return;
    if (raw.n != n)
        mb_anomaly(m, MBA_UMAS_SHORT);
    if (m->e->n_items && raw.n)
        m->e->items[0].v =
            (struct vals){.raw = raw, .n = 1, .stride = (uint16_t)raw.n, .enc = VE_BYTES, .qual_off = -1};
}

/* The values stand one after the other, as long as the request said. */
static void rsp_variables(struct mb_msg *m)
{
    if (!m->e->n_items) {
        rest_as_bytes(m);
        return;
    }
    for (unsigned i = 0; i < m->e->n_items; i++) {
        struct item *it = &m->e->items[i];
        struct span raw = cur_bytes(&m->body, it->last - it->first + 1);
        if (!cur_ok(&m->body)) {
            mb_anomaly(m, MBA_UMAS_SHORT);
            return;
        }
        it->v = (struct vals){.raw = raw, .n = 1, .stride = (uint16_t)raw.n, .enc = VE_BYTES, .qual_off = -1};
    }
}

static void rsp_block_out(struct mb_msg *m)
{
    uint8_t last = cur_u8(&m->body);
    struct span raw = cur_rest(&m->body);
    if (!cur_ok(&m->body))
        return;
    ev_u64(m->e, MBU_LAST, last == 1);
    ev_u64(m->e, MBU_LENGTH, raw.n);
    if (m->e->n_items && raw.n)
        m->e->items[0].v =
            (struct vals){.raw = raw, .n = 1, .stride = (uint16_t)raw.n, .enc = VE_BYTES, .qual_off = -1};
}

static void rsp_started(struct mb_msg *m)
{
    tell_state(m, "run", 70);
}

static void rsp_stopped(struct mb_msg *m)
{
    tell_state(m, "stop", 70);
}

static const struct umas_fn {
    uint8_t fn;
    void (*on_req)(struct mb_msg *m);
    void (*on_rsp)(struct mb_msg *m);
} umas_fns[] = {
    {UMAS_INIT, rest_as_bytes, rsp_init},
    {UMAS_READ_ID, rest_as_bytes, rsp_read_id},
    {UMAS_PROJECT, rest_as_bytes, rsp_project},
    {UMAS_PLC_INFO, rest_as_bytes, rsp_plc_info},
    {UMAS_RESERVE, req_reserve, rsp_reserve},
    {UMAS_READ_BLOCK, req_block, rsp_block},
    {UMAS_WRITE_BLOCK, req_block, rest_as_bytes},
    {UMAS_READ_VARS, req_variables, rsp_variables},
    {UMAS_WRITE_VARS, req_variables, rest_as_bytes},
    {0x30, req_program, rest_as_bytes},
    {UMAS_BLOCK_IN, req_program, rest_as_bytes},
    {0x32, req_program, rest_as_bytes},
    {0x33, req_program, rest_as_bytes},
    {UMAS_BLOCK_OUT, req_program, rsp_block_out},
    {0x35, req_program, rest_as_bytes},
    {UMAS_START, rest_as_bytes, rsp_started},
    {UMAS_STOP, rest_as_bytes, rsp_stopped},
};

static const struct umas_fn *umas_get(uint32_t fn)
{
    for (unsigned i = 0; i < ARRAY_LEN(umas_fns); i++)
        if (umas_fns[i].fn == fn)
            return &umas_fns[i];
    return NULL;
}

void mb_req_umas(struct mb_msg *m)
{
    uint8_t key, fn;
    bool is_signed;
    if (!umas_head(&m->body, &key, &fn, &is_signed)) {
        mb_anomaly(m, MBA_UMAS_SHORT);
        return;
    }
    ev_u64(m->e, MBU_PAIRING_KEY, key);
    ev_u64(m->e, MBU_FUNCTION, fn);
    if (is_signed)
        ev_u64(m->e, MBU_SIGNED, 1);
    const struct umas_fn *f = umas_get(fn);
    if (f)
        f->on_req(m);
    else
        rest_as_bytes(m);
}

static bool key_differs(const struct event *e, uint8_t key)
{
    for (unsigned i = 0; i < e->n_fields; i++)
        if (e->fields[i].id == MBU_PAIRING_KEY)
            return e->fields[i].v.u != key;
    return false;
}

/* The answer does not name its function: without the request nothing of its body can be told. */
void mb_rsp_umas(struct mb_msg *m)
{
    uint8_t key, code;
    bool is_signed;
    if (!umas_head(&m->body, &key, &code, &is_signed)) {
        mb_anomaly(m, MBA_UMAS_SHORT);
        return;
    }
    if (!is_signed && code == UMAS_OK && cur_left(&m->body) >= SIGNED_EXTRA + 3 &&
        cur_peek(&m->body, SIGNED_EXTRA) == MB_FN_UMAS) { /* the answer to a signed request is signed too */
        struct cur inner = m->body;
        cur_skip(&inner, SIGNED_EXTRA + 1);
        uint8_t inner_key = cur_u8(&inner), inner_code = cur_u8(&inner);
        if (inner_key == key && (inner_code == UMAS_OK || inner_code == UMAS_ERROR)) {
            code = inner_code;
            m->body = inner;
        }
    }
    if (m->alone)
        ev_u64(m->e, MBU_PAIRING_KEY, key);
    else if (key_differs(m->e, key))
        mb_anomaly(m, MBA_UMAS_KEY);
    ev_u64(m->e, MBU_RESPONSE, code);
    if (code != UMAS_OK) {
        ev_status(m->e, UMAS_ERROR, true);
        struct span err = cur_rest(&m->body);
        if (err.n)
            ev_span(m->e, MBU_ERROR, err);
        return;
    }
    const struct umas_fn *f = m->alone ? NULL : umas_get(m->e->selector);
    if (f)
        f->on_rsp(m);
    else
        rest_as_bytes(m);
}
