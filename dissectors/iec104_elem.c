/* iec104_elem.c: the information elements (IEC 60870-5-101 7.2.6; times IEC 60870-5-4 6.8). Each reads one element,
 * fills the item, and, for the first of an ASDU, the fields that speak of the whole message. */
#include "dissectors/iec104_priv.h"

enum { QB_CARRY = 1 << 8, QB_ADJUSTED = 1 << 9, QB_TRANSIENT = 1 << 10 };

static void now_uint(struct item *it, uint64_t v)
{
    it->v.enc = VE_NOW_UINT;
    it->v.n = 1;
    it->v.now.u = v;
}

static void now_bool(struct item *it, bool v)
{
    now_uint(it, v);
    it->v.enc = VE_NOW_BOOL;
}

static void now_int(struct item *it, int64_t v)
{
    it->v.enc = VE_NOW_INT;
    it->v.n = 1;
    it->v.now.i = v;
}

static void now_double(struct item *it, double v)
{
    it->v.enc = VE_NOW_DOUBLE;
    it->v.n = 1;
    it->v.now.d = v;
}

static void field(struct iec_asdu *a, uint8_t id, uint64_t v)
{
    if (a->first)
        ev_u64(a->e, id, v);
}

/* ---- process information ---- */

void el_siq(struct iec_asdu *a, struct item *it, struct cur *c)
{
    uint8_t q = cur_u8(c);
    (void)a;
    now_bool(it, q & 1);
    it->quality = ITEM_QUALITY | (q & 0xf0);
}

void el_diq(struct iec_asdu *a, struct item *it, struct cur *c)
{
    uint8_t q = cur_u8(c);
    (void)a;
    now_uint(it, q & 3);
    it->quality = ITEM_QUALITY | (q & 0xf0);
}

/* 7.2.6.5: -64..63 in seven bits, the eighth says that the equipment moves. */
void el_vti(struct iec_asdu *a, struct item *it, struct cur *c)
{
    uint8_t v = cur_u8(c), q = cur_u8(c);
    (void)a;
    now_int(it, (v & 0x7f) - ((v & 0x40) ? 128 : 0));
    it->quality = ITEM_QUALITY | (q & 0xf1) | (v & 0x80 ? QB_TRANSIENT : 0);
}

void el_bsi_qds(struct iec_asdu *a, struct item *it, struct cur *c)
{
    (void)a;
    now_uint(it, cur_u32le(c));
    it->quality = ITEM_QUALITY | (cur_u8(c) & 0xf1);
}

/* 7.2.6.6: a fraction of the full scale, -1 .. 1 - 2^-15. */
static double normalized(struct cur *c)
{
    return (double)(int16_t)cur_u16le(c) / 32768.0;
}

void el_nva(struct iec_asdu *a, struct item *it, struct cur *c)
{
    (void)a;
    now_double(it, normalized(c));
}

void el_nva_qds(struct iec_asdu *a, struct item *it, struct cur *c)
{
    el_nva(a, it, c);
    it->quality = ITEM_QUALITY | (cur_u8(c) & 0xf1);
}

void el_sva_qds(struct iec_asdu *a, struct item *it, struct cur *c)
{
    (void)a;
    now_int(it, (int16_t)cur_u16le(c));
    it->quality = ITEM_QUALITY | (cur_u8(c) & 0xf1);
}

void el_r32_qds(struct iec_asdu *a, struct item *it, struct cur *c)
{
    (void)a;
    now_double(it, (double)cur_f32le(c));
    it->quality = ITEM_QUALITY | (cur_u8(c) & 0xf1);
}

/* 7.2.6.9: counter, then sequence number and the bits carry, adjusted, invalid. */
void el_bcr(struct iec_asdu *a, struct item *it, struct cur *c)
{
    now_int(it, (int32_t)cur_u32le(c));
    uint8_t q = cur_u8(c);
    it->quality = ITEM_QUALITY | (q & 0x80) | (q & 0x20 ? QB_CARRY : 0) | (q & 0x40 ? QB_ADJUSTED : 0);
    ev_u64(a->e, IF_COUNTER_SEQ, q & 31);
}

/* IEC TS 60870-5-7: association, then an integrated total. */
void el_secure_counter(struct iec_asdu *a, struct item *it, struct cur *c)
{
    cur_skip(c, 2);
    el_bcr(a, it, c);
}

void el_sep(struct iec_asdu *a, struct item *it, struct cur *c)
{
    uint8_t q = cur_u8(c);
    now_uint(it, q & 3);
    it->quality = ITEM_QUALITY | (q & 0xf8);
    ev_u64(a->e, IF_ELAPSED, cur_u16le(c));
}

void el_spe(struct iec_asdu *a, struct item *it, struct cur *c)
{
    uint8_t bits = cur_u8(c);
    now_uint(it, bits);
    ev_u64(a->e, IF_PROTECTION, bits);
    it->quality = ITEM_QUALITY | (cur_u8(c) & 0xf8);
    ev_u64(a->e, IF_ELAPSED, cur_u16le(c));
}

void el_oci(struct iec_asdu *a, struct item *it, struct cur *c)
{
    el_spe(a, it, c);
}

void el_scd(struct iec_asdu *a, struct item *it, struct cur *c)
{
    now_uint(it, cur_u16le(c));
    ev_u64(a->e, IF_CHANGED, cur_u16le(c));
    it->quality = ITEM_QUALITY | (cur_u8(c) & 0xf1);
}

void el_coi(struct iec_asdu *a, struct item *it, struct cur *c)
{
    uint8_t v = cur_u8(c);
    (void)it;
    field(a, IF_COI, v & 0x7f);
    if (v & 0x80)
        field(a, IF_LOCAL_CHANGE, 1);
}

/* ---- commands ---- */

static void command_qualifier(struct iec_asdu *a, uint8_t q)
{
    if (a->first && q)
        ev_u64(a->e, IF_QUALIFIER, q);
}

void el_sco(struct iec_asdu *a, struct item *it, struct cur *c)
{
    uint8_t v = cur_u8(c);
    now_bool(it, v & 1);
    command_qualifier(a, v >> 2 & 31);
}

static void two_bit_command(struct iec_asdu *a, struct item *it, struct cur *c)
{
    uint8_t v = cur_u8(c);
    now_uint(it, v & 3);
    command_qualifier(a, v >> 2 & 31);
    if (cur_ok(c) && ((v & 3) == 0 || (v & 3) == 3)) /* 7.2.6.16, 7.2.6.17: 0 and 3 are not permitted */
        iec_anomaly(a, IA_BAD_VALUE);
}

void el_dco(struct iec_asdu *a, struct item *it, struct cur *c)
{
    two_bit_command(a, it, c);
}

void el_rco(struct iec_asdu *a, struct item *it, struct cur *c)
{
    two_bit_command(a, it, c);
}

void el_nva_qos(struct iec_asdu *a, struct item *it, struct cur *c)
{
    el_nva(a, it, c);
    command_qualifier(a, cur_u8(c) & 0x7f);
}

void el_sva_qos(struct iec_asdu *a, struct item *it, struct cur *c)
{
    now_int(it, (int16_t)cur_u16le(c));
    command_qualifier(a, cur_u8(c) & 0x7f);
}

void el_r32_qos(struct iec_asdu *a, struct item *it, struct cur *c)
{
    now_double(it, (double)cur_f32le(c));
    command_qualifier(a, cur_u8(c) & 0x7f);
}

void el_bsi(struct iec_asdu *a, struct item *it, struct cur *c)
{
    (void)a;
    now_uint(it, cur_u32le(c));
}

/* ---- system ---- */

void el_none(struct iec_asdu *a, struct item *it, struct cur *c)
{
    (void)a;
    (void)it;
    (void)c;
}

/* The object of an interrogation is what it asks for, not the address 0. */
static void as_object(struct iec_asdu *a, struct item *it, uint8_t kind, uint32_t v)
{
    (void)a;
    it->kind = kind;
    it->has_range = 1;
    it->first = it->last = v;
}

void el_qoi(struct iec_asdu *a, struct item *it, struct cur *c)
{
    uint8_t v = cur_u8(c);
    field(a, IF_QOI, v);
    as_object(a, it, IK_GROUP, v);
    if (cur_ok(c) && (v < 20 || (v > 36 && v < 64))) /* 7.2.6.22: 0-19 and 37-63 are not defined */
        iec_anomaly(a, IA_BAD_VALUE);
}

void el_qcc(struct iec_asdu *a, struct item *it, struct cur *c)
{
    uint8_t v = cur_u8(c);
    field(a, IF_QCC, v & 0x3f);
    field(a, IF_FREEZE, v >> 6);
    as_object(a, it, IK_COUNTER_GROUP, v & 0x3f);
    if (cur_ok(c) && ((v & 0x3f) == 0 || ((v & 0x3f) > 5 && (v & 0x3f) < 32)))
        iec_anomaly(a, IA_BAD_VALUE);
}

static bool time56(struct iec_asdu *a, struct cur *c, uint64_t *ns);

void el_clock(struct iec_asdu *a, struct item *it, struct cur *c)
{
    struct cur at = *c;
    uint64_t ns;
    it->kind = IK_CLOCK;
    it->has_range = 0;
    it->v = (struct vals){.raw = cur_bytes(&at, 7), .n = 1, .stride = 7, .enc = VE_CP56, .qual_off = -1};
    if (time56(a, c, &ns) && a->first)
        ev_i64(a->e, IF_CLOCK_DRIFT, ((int64_t)ns - (int64_t)a->x->ts_ns) / 1000000);
}

void el_fbp(struct iec_asdu *a, struct item *it, struct cur *c)
{
    uint16_t v = cur_u16le(c);
    (void)it;
    field(a, IF_FBP, v);
    if (cur_ok(c) && v != 0x55aa) /* 7.2.6.14 */
        iec_anomaly(a, IA_BAD_VALUE);
}

void el_qrp(struct iec_asdu *a, struct item *it, struct cur *c)
{
    uint8_t v = cur_u8(c);
    (void)it;
    field(a, IF_QRP, v);
    if (cur_ok(c) && (v == 0 || (v > 2 && v < 128)))
        iec_anomaly(a, IA_BAD_VALUE);
}

void el_delay(struct iec_asdu *a, struct item *it, struct cur *c)
{
    (void)it;
    field(a, IF_DELAY, cur_u16le(c));
}

void el_tsc(struct iec_asdu *a, struct item *it, struct cur *c)
{
    (void)it;
    field(a, IF_TSC, cur_u16le(c));
}

/* ---- parameters ---- */

static void qpm(struct iec_asdu *a, struct cur *c)
{
    uint8_t v = cur_u8(c);
    field(a, IF_QPM, v & 0x3f);
    if (cur_ok(c) && (v & 0x3f) == 0) /* 7.2.6.24: not used */
        iec_anomaly(a, IA_BAD_VALUE);
}

void el_nva_qpm(struct iec_asdu *a, struct item *it, struct cur *c)
{
    el_nva(a, it, c);
    qpm(a, c);
}

void el_sva_qpm(struct iec_asdu *a, struct item *it, struct cur *c)
{
    now_int(it, (int16_t)cur_u16le(c));
    qpm(a, c);
}

void el_r32_qpm(struct iec_asdu *a, struct item *it, struct cur *c)
{
    now_double(it, (double)cur_f32le(c));
    qpm(a, c);
}

void el_qpa(struct iec_asdu *a, struct item *it, struct cur *c)
{
    (void)it;
    field(a, IF_QPA, cur_u8(c));
}

/* ---- files (7.2.6.33-7.2.6.39, 7.3.6): the object's address leads to the file of this name ---- */

static void file_name(struct iec_asdu *a, struct cur *c)
{
    uint16_t name = cur_u16le(c);
    if (cur_ok(c) && a->first)
        ev_range(a->e, IK_FILE, 0, name, name);
}

static void ready_qualifier(struct iec_asdu *a, struct cur *c)
{
    if (cur_u8(c) & 0x80)
        field(a, IF_NOT_READY, 1);
}

void el_file_ready(struct iec_asdu *a, struct item *it, struct cur *c)
{
    (void)it;
    file_name(a, c);
    field(a, IF_FILE_LENGTH, cur_u24le(c));
    ready_qualifier(a, c);
}

void el_section_ready(struct iec_asdu *a, struct item *it, struct cur *c)
{
    (void)it;
    file_name(a, c);
    field(a, IF_SECTION, cur_u8(c));
    field(a, IF_FILE_LENGTH, cur_u24le(c));
    ready_qualifier(a, c);
}

void el_file_call(struct iec_asdu *a, struct item *it, struct cur *c)
{
    (void)it;
    file_name(a, c);
    field(a, IF_SECTION, cur_u8(c));
    field(a, IF_SCQ, cur_u8(c) & 15);
}

void el_last_section(struct iec_asdu *a, struct item *it, struct cur *c)
{
    (void)it;
    file_name(a, c);
    field(a, IF_SECTION, cur_u8(c));
    field(a, IF_LSQ, cur_u8(c));
    field(a, IF_CHECKSUM, cur_u8(c));
}

void el_file_ack(struct iec_asdu *a, struct item *it, struct cur *c)
{
    (void)it;
    file_name(a, c);
    field(a, IF_SECTION, cur_u8(c));
    uint8_t q = cur_u8(c);
    field(a, IF_AFQ, q & 15);
    if (cur_ok(c) && ((q & 15) == 2 || (q & 15) == 4))
        a->e->error = 1;
}

void el_segment(struct iec_asdu *a, struct item *it, struct cur *c)
{
    (void)it;
    file_name(a, c);
    field(a, IF_SECTION, cur_u8(c));
    uint8_t n = cur_u8(c);
    field(a, IF_SEGMENT, n);
    struct span data = cur_rest(c);
    if (data.n != n)
        iec_anomaly(a, IA_BAD_LENGTH);
    if (data.n)
        ev_span(a->e, IF_DATA, data);
}

void el_directory(struct iec_asdu *a, struct item *it, struct cur *c)
{
    uint16_t name = cur_u16le(c);
    uint32_t len = cur_u24le(c);
    uint8_t status = cur_u8(c);
    if (!cur_ok(c))
        return;
    as_object(a, it, IK_FILE, name);
    ev_u64(a->e, IF_FILE_LENGTH, len);
    ev_u64(a->e, IF_FILE_STATUS, status);
    el_time56(a, c);
}

void el_query_log(struct iec_asdu *a, struct item *it, struct cur *c)
{
    uint64_t ns;
    (void)it;
    file_name(a, c);
    el_time56(a, c);
    if (time56(a, c, &ns) && a->first)
        ev_u64(a->e, IF_LOG_STOP, ns);
}

void el_opaque(struct iec_asdu *a, struct item *it, struct cur *c)
{
    (void)it;
    struct span s = cur_rest(c);
    if (s.n)
        ev_span(a->e, IF_DATA, s);
}

/* ---- times ---- */

static void once(struct iec_asdu *a, uint8_t id)
{
    for (unsigned i = 0; i < a->e->n_fields; i++)
        if (a->e->fields[i].id == id)
            return;
    ev_u64(a->e, id, 1);
}

/* True with the time when it exists. Byte 2: minute and IV, byte 3: hour and SU. */
static bool time56(struct iec_asdu *a, struct cur *c, uint64_t *ns)
{
    struct span raw = cur_bytes(c, 7);
    struct vals v = {.raw = raw, .n = 1, .stride = 7, .enc = VE_CP56, .qual_off = -1};
    struct val t;
    if (raw.n != 7)
        return false;
    unsigned ms = (unsigned)raw.p[1] << 8 | raw.p[0];
    bool exists = vals_get(&v, 0, &t) && ms < 60000 && (raw.p[2] & 63) < 60 && (raw.p[3] & 31) < 24;
    if (raw.p[2] & 0x80)
        once(a, IF_TIME_INVALID);
    if (raw.p[3] & 0x80)
        once(a, IF_SUMMER_TIME);
    if (!exists && !(raw.p[2] & 0x80)) /* marked invalid, it may be anything */
        iec_anomaly(a, IA_BAD_TIME);
    if (exists)
        *ns = t.u;
    return exists;
}

/* As time56() and el_time24() see it: valid, it exists, and no summer time. */
bool iec_plain_time(const struct iec_type *t, struct span s)
{
    uint32_t n = t->form & T_TIME56 ? 7 : 3;
    if (s.n < n)
        return false;
    const uint8_t *p = s.p + s.n - n;
    bool plain = (p[1] << 8 | p[0]) < 60000 && !(p[2] & 0x80) && (p[2] & 63) < 60;
    if (n == 3 || !plain)
        return plain;
    uint8_t day = p[4] & 31, month = p[5] & 15;
    return !(p[3] & 0x80) && (p[3] & 31) < 24 && day && month && month <= 12 && (p[6] & 127) <= 99;
}

void el_time56(struct iec_asdu *a, struct cur *c)
{
    uint64_t ns;
    if (!time56(a, c, &ns))
        return;
    ev_u64(a->e, IF_TIME, ns);
    if (a->first && a->cot == COT_SPONT)
        ev_i64(a->e, IF_CLOCK_DRIFT, ((int64_t)ns - (int64_t)a->x->ts_ns) / 1000000);
}

void el_time24(struct iec_asdu *a, struct cur *c)
{
    uint16_t ms = cur_u16le(c);
    uint8_t min = cur_u8(c);
    if (!cur_ok(c))
        return;
    if (min & 0x80)
        once(a, IF_TIME_INVALID);
    else if (ms >= 60000 || (min & 63) >= 60)
        iec_anomaly(a, IA_BAD_TIME);
    ev_u64(a->e, IF_TIME24, (min & 63u) * 60000u + ms);
}
