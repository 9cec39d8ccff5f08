/* carrier_mmsdata.c: Data of MMS as leaves with values. */
#include "dissectors/carrier_mmsdata.h"

/* Bits of Quality from the third on, behind the three that validity becomes: IEC 61850-8-1 8.2. Then two of
 * TimeQuality. */
const char *const iec61850_qualities[] = {
    "invalid", "reserved", "questionable", "overflow", "out_of_range", "bad_reference", "oscillatory", "failure",
    "old_data", "inconsistent", "inaccurate", "substituted", "test", "operator_blocked",
    "clock_failure", "clock_not_synchronized", NULL,
};
enum { Q_CLOCK_FAILURE = 1 << 14, Q_CLOCK_NOT_SYNCHRONIZED = 1 << 15 };

struct mms_walk mms_walk(struct cur elements)
{
    return (struct mms_walk){.here = elements, .path = {UINT16_MAX}, .depth = 1};
}

const char *mms_type_name(uint32_t type)
{
    static const char *const names[] = {
        NULL, "array", "structure", "boolean", "bit_string", "integer", "unsigned", "floating_point", NULL,
        "octet_string", "visible_string", "generalized_time", "binary_time", "bcd", "boolean_array", "object_id",
        "mms_string", "utc_time",
    };
    return type < sizeof names / sizeof names[0] ? names[type] : NULL;
}

/* ---- values ---- */

static bool read_bits(struct cur body, struct vals *v)
{
    struct ber_bits b;
    if (!ber_bits(body, &b))
        return false;
    if (b.n > 64) { /* a type of its own right, but no number */
        v->enc = VE_BYTES;
        v->raw = b.octets;
        v->stride = b.octets.n < UINT16_MAX ? (uint16_t)b.octets.n : UINT16_MAX;
        return true;
    }
    uint64_t bits = 0;
    for (uint32_t i = 0; i < b.octets.n; i++)
        bits = bits << 8 | b.octets.p[i];
    v->enc = VE_NOW_UINT;
    v->now.u = bits >> (8 * b.octets.n - b.n);
    return true;
}

static bool read_float(struct cur body, struct vals *v)
{
    v->enc = VE_NOW_DOUBLE;
    return ber_float(body, &v->now.d);
}

static bool read_bool(struct cur body, struct vals *v)
{
    bool b, ok = ber_bool(body, &b);
    v->enc = VE_NOW_BOOL;
    v->now.u = b;
    return ok;
}

static bool read_i64(struct cur body, struct vals *v)
{
    v->enc = VE_NOW_INT;
    return ber_i64(body, &v->now.i);
}

static bool read_u64(struct cur body, struct vals *v)
{
    v->enc = VE_NOW_UINT;
    return ber_u64(body, &v->now.u);
}

static bool read_utc(struct cur body, struct vals *v)
{
    struct ber_time t;
    bool ok = ber_utc_time(body, &t);
    v->enc = VE_NOW_TIME;
    v->now.u = t.ns;
    return ok;
}

/* Without the days it is a time of some day: the number of its nanoseconds says more than a date of 1970. */
static bool read_binary_time(struct cur body, struct vals *v)
{
    v->enc = cur_left(&body) == 6 ? VE_NOW_TIME : VE_NOW_UINT;
    return ber_binary_time(body, &v->now.u);
}

static bool read_text(struct cur body, struct vals *v)
{
    v->enc = VE_NOW_TEXT;
    return ber_visible(body, &v->raw);
}

/* UTF-8: the record writer escapes what is none. */
static bool read_string(struct cur body, struct vals *v)
{
    v->enc = VE_NOW_TEXT;
    v->raw = cur_rest(&body);
    return true;
}

bool mms_value_any(uint32_t type, struct cur body, struct vals *v)
{
    static bool (*const read[])(struct cur, struct vals *) = {
        [MMS_BOOLEAN] = read_bool, [MMS_BITS] = read_bits, [MMS_INTEGER] = read_i64, [MMS_UNSIGNED] = read_u64,
        [MMS_FLOAT] = read_float, [MMS_VISIBLE] = read_text, [MMS_GENERALIZED_TIME] = read_text,
        [MMS_BINARY_TIME] = read_binary_time, [MMS_BCD] = read_u64, [MMS_BOOLEAN_ARRAY] = read_bits,
        [MMS_STRING] = read_string, [MMS_UTC_TIME] = read_utc,
    };
    bool typed = type < sizeof read / sizeof read[0] && read[type];
    if (typed && read[type](body, v))
        return true;
    *v = (struct vals){.n = 1, .qual_off = -1, .enc = VE_BYTES, .raw = cur_rest(&body)};
    v->stride = v->raw.n < UINT16_MAX ? (uint16_t)v->raw.n : UINT16_MAX;
    return !typed;
}

uint32_t iec61850_quality_of(struct cur body)
{
    struct ber_bits b;
    (void)ber_bits(body, &b);
    uint32_t bits = ber_bits_u32(&b), validity = (bits & 1) << 1 | (bits >> 1 & 1);
    return bits >> 2 << 3 | (validity ? 1u << (validity - 1) : 0) | ITEM_QUALITY;
}

bool iec61850_time_quality(const struct mms_leaf *l, uint32_t *ret)
{
    struct ber_time t;
    *ret = 0;
    if (l->type != MMS_UTC_TIME || !ber_utc_time(l->body, &t))
        return false;
    *ret = (t.quality & BER_CLOCK_FAILURE ? Q_CLOCK_FAILURE : 0u) |
           (t.quality & BER_CLOCK_NOT_SYNCHRONIZED ? Q_CLOCK_NOT_SYNCHRONIZED : 0u);
    return true;
}
