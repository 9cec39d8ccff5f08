/* carrier_ber.h: the Basic Encoding Rules of ASN.1 (ITU-T X.690 8), as a bounded walk over TLVs, shared by GOOSE, MMS
 * and what lies below it (presentation, ACSE).
 *
 *   +------------+----------------+-----------------------------+
 *   | identifier | length         | contents                    |
 *   | class 2    | short  0lllllll| the length's octets, or,    |
 *   | constr. 1  | long   1nnnnnnn| for the indefinite form, up |
 *   | number 5   |  + n octets    | to the end-of-contents 0000 |
 *   | or more    | indefinite 80  |                             |
 *   +------------+----------------+-----------------------------+
 *
 *   struct ber t;
 *   while (ber_next(&c, &t))
 *       if (t.id == BER_CTX(5))
 *           ok &= ber_u64(t.body, &st_num);
 *   if (!cur_ok(&c)) ... broken
 *
 * Nothing here recurses: whoever walks into `body` bounds the depth. Whether lengths are the shortest possible (DER) is
 * not asked: BER allows any. */
#pragma once

#include "engine/base/cur.h"

enum ber_class { BER_UNIVERSAL, BER_APPLICATION, BER_CONTEXT, BER_PRIVATE };

/* Class and number as one value, to compare with and to switch on. */
#define BER_ID(cls, number) ((uint32_t)(cls) << 30 | (uint32_t)(number))
#define BER_UNI(number) BER_ID(BER_UNIVERSAL, number)
#define BER_APP(number) BER_ID(BER_APPLICATION, number)
#define BER_CTX(number) BER_ID(BER_CONTEXT, number)

enum { /* universal numbers (X.680 8.4) that protocols of this tree use */
    BER_BOOLEAN = 1, BER_INTEGER = 2, BER_BITS = 3, BER_OCTETS = 4, BER_NULL = 5, BER_OID = 6, BER_DESCRIPTOR = 7,
    BER_EXTERNAL = 8, BER_SEQUENCE = 16, BER_SET = 17, BER_VISIBLE = 26, BER_GRAPHIC = 25, BER_GENERALIZED_TIME = 24
};

enum {
    BER_MAX_NUMBER = (1 << 28) - 1, /* tag number, four octets of seven bits; larger: broken */
    BER_MAX_NESTED = 64,            /* indefinite lengths open at a time inside one; more: broken */
    BER_OID_TEXT = 128,             /* room for any object identifier that is met; longer: not read */
};

struct ber { /* one TLV */
    uint32_t id;       /* BER_ID */
    bool constructed;
    bool indefinite;
    uint32_t n;        /* octets of the contents, without the end-of-contents */
    struct cur body;   /* the contents: cannot see beyond them */
};

static inline uint32_t ber_number(const struct ber *t)
{
    return t->id & 0x3fffffff;
}

/* The next TLV; c moves past all of it. False at the end of c and, with c bad, where it is broken: a length beyond the
 * end, an indefinite length without its end or of a primitive encoding, a stray end-of-contents. c may be &ret->body:
 * *ret becomes its own first element. */
static inline bool ber_next(struct cur *c, struct ber *ret);
/* The same without moving: what comes next? */
bool ber_peek(struct cur c, struct ber *ret);
/* The next TLV if it is `id` (an OPTIONAL element of a SEQUENCE). Another one, or none: false, and c stays. */
static inline bool ber_take(struct cur *c, uint32_t id, struct ber *ret);
/* The first TLV with this id among the remaining ones of c. */
bool ber_find(struct cur c, uint32_t id, struct ber *ret);

/* ber_next() of any form of tag and length. */
bool ber_next_any(struct cur *c, struct ber *ret);

/* A tag of one octet and a short length inside c: nearly all there are, without the walk through every form. What the
 * caller holds in registers stays there. */
static inline bool ber_next(struct cur *c, struct ber *ret)
{
    struct cur at = *c;
    uint32_t head = cur_u16be(&at), first = head >> 8, len = head & 0xff; /* 0 where there are not both */
    if (!first || (first & 0x1f) == 0x1f || len & 0x80 || len > cur_left(&at)) {
        struct ber t;
        at = *c;
        bool ok = ber_next_any(&at, &t);
        *ret = t;
        *c = at; /* after it: a caller may go into what it walks */
        return ok;
    }
    struct cur body = cur_span(cur_bytes(&at, len));
    *c = at;
    *ret = (struct ber){.id = BER_ID(first >> 6, first & 0x1f), .constructed = first & 0x20, .n = len, .body = body};
    return true;
}

static inline bool ber_take(struct cur *c, uint32_t id, struct ber *ret)
{
    struct cur after = *c;
    uint32_t first = cur_peek(c, 0);
    bool other = (first & 0x1f) != 0x1f && BER_ID(first >> 6, first & 0x1f) != id;
    if (other || !ber_next(&after, ret) || ret->id != id) {
        *ret = (struct ber){0};
        return false;
    }
    *c = after;
    return true;
}

/* Contents to values: false when they are not a value of the type (or larger than 64 bits); *ret is 0 then. */
bool ber_i64(struct cur body, int64_t *ret);
/* Read without a sign, also where an encoder left out the 0 in front of a first bit that is set, as some do with
 * IEC 61850 counters. A negative INTEGER cannot be told from that: ask ber_i64 where it matters. */
bool ber_u64(struct cur body, uint64_t *ret);
bool ber_u32(struct cur body, uint32_t *ret); /* too large: false, and UINT32_MAX */
bool ber_bool(struct cur body, bool *ret);
/* MMS FloatingPoint (ISO 9506-2 14.4.2.3, IEC 61850-8-1 8.1.2): width of the exponent, 8 or 11, then IEEE 754. */
bool ber_float(struct cur body, double *ret);

struct ber_bits {
    struct span octets; /* first bit is the most significant one of the first octet */
    uint32_t n;         /* bits */
};
static inline bool ber_bits(struct cur body, struct ber_bits *ret)
{
    uint8_t unused = cur_u8(&body);
    uint32_t n = cur_left(&body);
    if (!cur_ok(&body) || unused >= 8 || (!n && unused) || n >= UINT32_MAX / 8) {
        *ret = (struct ber_bits){0};
        return false;
    }
    *ret = (struct ber_bits){.octets = cur_rest(&body), .n = n * 8 - unused};
    return true;
}
static inline bool ber_bit(const struct ber_bits *b, uint32_t i)
{
    return i < b->n && b->octets.p[i / 8] >> (7 - i % 8) & 1;
}
/* The first 32 bits with bit i of the string at bit i of the value, as schemas number qualities. */
uint32_t ber_bits_u32(const struct ber_bits *b);

enum { /* TimeQuality, IEC 61850-7-2 table 8 */
    BER_LEAP_SECONDS_KNOWN = 0x80, BER_CLOCK_FAILURE = 0x40, BER_CLOCK_NOT_SYNCHRONIZED = 0x20, BER_TIME_ACCURACY = 0x1f
};
struct ber_time {
    uint64_t ns;     /* since 1970 */
    uint8_t quality;
};
/* UtcTime (IEC 61850-8-1 8.1.3.7): seconds since 1970, 24 bits of binary fraction, quality. */
bool ber_utc_time(struct cur body, struct ber_time *ret);
/* TimeOfDay, "binary time" (ISO 9506-2 14.4.2.2): ms since midnight, and days since 1984 where it is 6 octets long.
 * Without the days *ret counts from 0. */
bool ber_binary_time(struct cur body, uint64_t *ret_ns);

/* The text as it lies there; false, and still the octets, when one is not printable ASCII (VisibleString). */
bool ber_visible(struct cur body, struct span *ret);
/* "1.0.9506.2.3": its length, or 0 when the contents are none, or too long. */
unsigned ber_oid(struct cur body, char out[BER_OID_TEXT]);
