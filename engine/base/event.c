#include "engine/base/event.h"

#include <stdio.h>

#include "engine/base/hash.h"
#include "engine/base/jw.h"

static const char *const kind_names[] = {"message", "transaction", "request", "response", "unsolicited"};
static const char *const outcome_names[] = {"unknown", "accepted", "refused", "executed", "partial"};
static const char *const phase_names[] = {NULL, "select", "execute", "confirm", "terminate"};

const char *ev_kind_name(unsigned kind)
{
    return kind < 5 ? kind_names[kind] : "message";
}

const char *ev_outcome_name(unsigned outcome)
{
    return outcome < 5 ? outcome_names[outcome] : "unknown";
}

const char *ev_phase_name(unsigned phase)
{
    return phase < 5 ? phase_names[phase] : NULL;
}

static unsigned put_text(char *out, unsigned n, struct span s)
{
    unsigned room = EV_OBJECT - 1 - n;
    unsigned take = s.n <= room ? s.n : room - 17; /* a long name keeps its identity by its hash */
    for (unsigned i = 0, len; i < take; i += len) { /* what is no UTF-8 becomes '?', as control characters do */
        unsigned long_len = s.p[i] < 0x80 ? 0 : jw_utf8_len(s.p + i, take - i);
        len = long_len ? long_len : 1;
        memcpy(out + n + i, s.p + i, len);
        if (!long_len && (s.p[i] < 0x20 || s.p[i] >= 0x7f))
            out[n + i] = '?';
    }
    n += take;
    if (s.n > room)
        n += (unsigned)snprintf(out + n, EV_OBJECT - n, "~%016llx",
                                (unsigned long long)hash_bytes(HASH_ID_KEY, s.p, s.n));
    return n;
}

static unsigned put_dec(char *out, unsigned n, uint32_t v)
{
    char t[10];
    unsigned k = 0;
    do
        t[k++] = (char)('0' + v % 10);
    while (v /= 10);
    while (k)
        out[n++] = t[--k];
    return n;
}

static unsigned put_num(char *out, unsigned n, uint32_t v, bool hex)
{
    char t[8];
    unsigned k = 0;
    if (!hex)
        return put_dec(out, n, v);
    out[n++] = '0';
    out[n++] = 'x';
    do
        t[k++] = "0123456789abcdef"[v & 15];
    while (v >>= 4);
    while (k)
        out[n++] = t[--k];
    return n;
}

unsigned item_text(const struct proto_schema *s, const struct item *it, char out[EV_OBJECT])
{
    static const struct kind_def unknown = {"object", KIND_RANGE};
    const struct kind_def *k = it->kind < s->n_kinds ? &s->kinds[it->kind] : &unknown;
    bool hex = k->flags & KIND_HEX;
    unsigned n = (unsigned)strnlen(k->name, 64);
    memcpy(out, k->name, n);
    if (k->flags & KIND_SPACE) {
        out[n++] = '[';
        n = put_num(out, n, it->space, hex);
        out[n++] = ']';
    }
    if (it->name.n) {
        out[n++] = ':';
        n = put_text(out, n, it->name);
    } else if (it->has_range) {
        out[n++] = ':';
        n = put_num(out, n, it->first, hex);
        if (it->last != it->first) {
            out[n++] = '-';
            n = put_num(out, n, it->last, hex);
        } else if ((k->flags & KIND_BIT) && it->bit != ITEM_BIT_NONE) {
            out[n++] = '.';
            n = put_num(out, n, it->bit, false);
        }
    }
    out[n] = 0;
    return n;
}

/* ---- values ---- */

struct num_enc {
    uint8_t size, little, kind; /* kind: 0 unsigned, 1 signed, 2 float */
};
static const struct num_enc num_encs[] = {
    [VE_U8] = {1, 0, 0},    [VE_I8] = {1, 0, 1},    [VE_U16BE] = {2, 0, 0}, [VE_I16BE] = {2, 0, 1},
    [VE_U16LE] = {2, 1, 0}, [VE_I16LE] = {2, 1, 1}, [VE_U32BE] = {4, 0, 0}, [VE_I32BE] = {4, 0, 1},
    [VE_U32LE] = {4, 1, 0}, [VE_I32LE] = {4, 1, 1}, [VE_U64BE] = {8, 0, 0}, [VE_I64BE] = {8, 0, 1},
    [VE_U64LE] = {8, 1, 0}, [VE_I64LE] = {8, 1, 1}, [VE_F32BE] = {4, 0, 2}, [VE_F32LE] = {4, 1, 2},
    [VE_F64BE] = {8, 0, 2}, [VE_F64LE] = {8, 1, 2},
};

static uint64_t load(struct cur *c, unsigned size, bool little)
{
    struct span s = cur_bytes(c, size);
    uint64_t v = 0;
    for (unsigned i = 0; i < s.n; i++)
        v |= (uint64_t)s.p[i] << 8 * (little ? i : s.n - 1 - i);
    return v;
}

static void to_val(const struct num_enc *e, uint64_t u, struct val *ret)
{
    if (e->kind == 0) {
        ret->type = VAL_UINT;
        ret->u = u;
    } else if (e->kind == 1) {
        unsigned shift = 64 - 8u * e->size;
        ret->type = VAL_INT;
        ret->i = (int64_t)(u << shift) >> shift;
    } else if (e->size == 4) {
        uint32_t w = (uint32_t)u;
        float f;
        memcpy(&f, &w, 4);
        ret->type = VAL_DOUBLE;
        ret->d = (double)f;
    } else {
        ret->type = VAL_DOUBLE;
        memcpy(&ret->d, &u, 8);
    }
}

/* Days since 1970 of a proleptic Gregorian date. */
static int64_t days_civil(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    unsigned yoe = (unsigned)(y - era * 400), doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + (int64_t)doe - 719468;
}

/* IEC 60870-5-4 6.8: ms(16) min(6) hour(5) day(5) month(4) year(7, 2000 based; 70..99 mean 19xx). */
static bool cp56(struct cur *c, struct val *ret)
{
    uint32_t ms = cur_u16le(c), min = cur_u8(c) & 63u, hour = cur_u8(c) & 31u, day = cur_u8(c) & 31u;
    uint32_t mon = cur_u8(c) & 15u, year = cur_u8(c) & 127u;
    if (!cur_ok(c) || day == 0 || mon == 0 || mon > 12 || year > 99)
        return false;
    int64_t s = days_civil(year < 70 ? 2000 + (int64_t)year : 1900 + (int64_t)year, mon, day) * 86400 + hour * 3600 +
                min * 60;
    ret->type = VAL_TIME;
    ret->u = (uint64_t)(s * 1000 + ms) * 1000000u;
    return true;
}

static bool val_now(const struct vals *v, struct val *ret)
{
    switch (v->enc) {
    case VE_NOW_UINT:
    case VE_NOW_BOOL:
        ret->type = v->enc == VE_NOW_BOOL ? VAL_BOOL : VAL_UINT;
        ret->u = v->now.u;
        return true;
    case VE_NOW_INT:
        ret->type = VAL_INT;
        ret->i = v->now.i;
        return true;
    case VE_NOW_DOUBLE:
        ret->type = VAL_DOUBLE;
        ret->d = v->now.d;
        return true;
    case VE_NOW_TIME:
        ret->type = VAL_TIME;
        ret->u = v->now.u;
        return true;
    case VE_NOW_TEXT:
        ret->type = VAL_TEXT;
        ret->s = v->raw;
        return true;
    default:
        return false;
    }
}

static bool val_bits(const struct vals *v, uint32_t k, struct val *ret)
{
    unsigned width = v->enc == VE_BIT2_LSB ? 2 : 1;
    uint32_t bit = v->off + k * width, byte = bit / 8;
    if (byte >= v->raw.n)
        return false;
    uint64_t u = v->raw.p[byte] >> bit % 8 & (width == 2 ? 3u : 1u);
    ret->type = width == 2 ? VAL_UINT : VAL_BOOL;
    ret->u = u;
    return true;
}

bool vals_get(const struct vals *v, uint32_t k, struct val *ret)
{
    if (k >= v->n || v->enc == VE_NONE)
        return false;
    if (v->enc == VE_OWN)
        return v->now.read(v, k, ret);
    if (v->enc >= VE_NOW_UINT)
        return k == 0 && val_now(v, ret);
    if (v->enc == VE_BIT_LSB || v->enc == VE_BIT2_LSB)
        return val_bits(v, k, ret);
    uint64_t at = (uint64_t)v->off + (uint64_t)k * v->stride;
    if (at >= v->raw.n)
        return false;
    struct cur c = cur_make(v->raw.p + at, v->raw.n - (uint32_t)at);
    if (v->enc == VE_BYTES || v->enc == VE_TEXT) {
        ret->type = v->enc == VE_TEXT ? VAL_TEXT : VAL_BYTES;
        ret->s = cur_bytes(&c, v->stride);
        return cur_ok(&c);
    }
    if (v->enc == VE_CP56)
        return cp56(&c, ret);
    if (v->enc == VE_TIME48LE) {
        uint64_t ms = cur_u48le(&c);
        ret->type = VAL_TIME;
        ret->u = ms_to_ns(ms);
        return cur_ok(&c);
    }
    if (v->enc == VE_BOOL8) {
        uint8_t b = cur_u8(&c);
        ret->type = VAL_BOOL;
        ret->u = (v->mask ? b & v->mask : b) != 0;
        return cur_ok(&c);
    }
    const struct num_enc *e = &num_encs[v->enc];
    uint64_t u = load(&c, e->size, e->little);
    if (v->enc == VE_U8 && v->mask)
        u = (u & v->mask) >> __builtin_ctz(v->mask);
    to_val(e, u, ret);
    return cur_ok(&c);
}

bool vals_time(const struct vals *v, uint32_t k, uint64_t *ret_ns)
{
    struct vals tags = {.raw = v->raw, .n = v->n, .stride = v->stride, .off = v->time_off, .enc = v->time_enc,
                        .qual_off = -1};
    struct val t;
    if (v->time_enc == VE_NONE || !vals_get(&tags, k, &t))
        return false;
    *ret_ns = t.type == VAL_TIME ? t.u : ms_to_ns(v->now.u + t.u);
    return true;
}

int vals_quality(const struct vals *v, uint32_t k)
{
    if (v->qual_off < 0 || k >= v->n)
        return -1;
    uint64_t at = (uint64_t)v->qual_off + (uint64_t)k * v->stride;
    return at < v->raw.n ? v->raw.p[at] : -1;
}

uint32_t item_quality_bits(const struct proto_schema *s, const struct item *it, uint32_t k)
{
    int octet = vals_quality(&it->v, k);
    if (octet < 0)
        return it->quality;
    return it->quality | ITEM_QUALITY | (s->quality_of ? s->quality_of(it, (uint8_t)octet) : (uint32_t)octet);
}
