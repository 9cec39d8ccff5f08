/* carrier_ber.c: BER TLVs and the values in them. */
#include "dissectors/carrier_ber.h"

#include "engine/base/text.h"

/* Class and number (X.690 8.1.2). A number above 30 follows in groups of seven bits, the first of them not 0. */
static uint32_t read_id(struct cur *c, bool *constructed)
{
    uint8_t first = cur_u8(c), more;
    uint32_t number = first & 0x1f;
    *constructed = first & 0x20;
    if (number == 0x1f) {
        number = 0;
        do {
            more = cur_u8(c);
            if (number > BER_MAX_NUMBER >> 7 || (!number && more == 0x80))
                cur_skip(c, UINT32_MAX);
            number = number << 7 | (more & 0x7f);
        } while (cur_ok(c) && more & 0x80);
    }
    return BER_ID(first >> 6, number);
}

/* X.690 8.1.3. Octets of a long form beyond 32 bits must be 0. */
static uint32_t read_length(struct cur *c, bool *indefinite)
{
    uint8_t first = cur_u8(c), n = first & 0x7f;
    uint32_t len = 0;
    *indefinite = first == 0x80;
    if (!(first & 0x80))
        return first;
    if (n == 0x7f) /* reserved: 8.1.3.5 c */
        cur_skip(c, UINT32_MAX);
    for (; n && cur_ok(c); n--) {
        if (len >> 24)
            cur_skip(c, UINT32_MAX);
        len = len << 8 | cur_u8(c);
    }
    return len;
}

/* Octets before the end-of-contents that belongs to the indefinite length just read, or UINT32_MAX. Definite lengths
 * are stepped over whole, so only the indefinite ones open at a time are counted. */
static uint32_t find_end(struct cur c)
{
    uint32_t all = cur_left(&c), open = 1;
    while (cur_left(&c)) {
        bool constructed, indefinite;
        uint32_t before = all - cur_left(&c), id = read_id(&c, &constructed), n = read_length(&c, &indefinite);
        if (!cur_ok(&c) || (indefinite && (!constructed || ++open > BER_MAX_NESTED)))
            return UINT32_MAX;
        if (!id && !constructed) {
            if (n)
                return UINT32_MAX;
            if (!--open)
                return before;
        }
        cur_skip(&c, n);
    }
    return UINT32_MAX;
}

/* A tag of one octet and a length in one or two behind the octet that says so: what is longer than 127. */
static bool next_long(struct cur *c, struct ber *ret)
{
    struct cur at = *c;
    uint8_t first = cur_u8(&at), form = cur_u8(&at);
    if (!first || (first & 0x1f) == 0x1f || (form != 0x81 && form != 0x82))
        return false;
    uint32_t n = form == 0x81 ? cur_u8(&at) : cur_u16be(&at);
    struct cur body = cur_sub(&at, n);
    if (!cur_ok(&at))
        return false;
    *c = at;
    *ret = (struct ber){.id = BER_ID(first >> 6, first & 0x1f), .constructed = first & 0x20, .n = n, .body = body};
    return true;
}

bool ber_next_any(struct cur *c, struct ber *ret)
{
    if (next_long(c, ret))
        return true;
    struct cur at = *c; /* c may lie in *ret */
    struct ber t = {0};
    bool any = cur_ok(&at) && cur_left(&at);
    *ret = t;
    if (!any)
        return false;
    t.id = read_id(&at, &t.constructed);
    t.n = read_length(&at, &t.indefinite);
    if (t.indefinite)
        t.n = t.constructed ? find_end(at) : UINT32_MAX;
    if (!t.id && !t.constructed) /* end-of-contents where nothing is open */
        t.n = UINT32_MAX;
    t.body = cur_sub(&at, t.n);
    if (t.indefinite)
        cur_skip(&at, 2);
    *c = at;
    if (cur_ok(&at))
        *ret = t;
    return cur_ok(&at);
}

bool ber_peek(struct cur c, struct ber *ret)
{
    return ber_next(&c, ret);
}

bool ber_find(struct cur c, uint32_t id, struct ber *ret)
{
    while (ber_next(&c, ret))
        if (ret->id == id)
            return true;
    return false;
}

bool ber_u64(struct cur body, uint64_t *ret)
{
    uint32_t n = cur_left(&body);
    *ret = 0;
    if (!cur_ok(&body) || n == 0 || n > 9 || (n == 9 && cur_u8(&body)))
        return false;
    struct span s = cur_rest(&body);
    uint64_t v = 0;
    for (uint32_t i = 0; i < s.n; i++)
        v = v << 8 | s.p[i];
    *ret = v;
    return true;
}

bool ber_i64(struct cur body, int64_t *ret)
{
    uint32_t n = cur_left(&body);
    uint64_t v;
    *ret = 0;
    if (n > 8 || !ber_u64(body, &v))
        return false;
    if (cur_peek(&body, 0) & 0x80 && n < 8)
        v |= UINT64_MAX << (8 * n);
    *ret = (int64_t)v;
    return true;
}

bool ber_u32(struct cur body, uint32_t *ret)
{
    uint64_t v;
    bool ok = ber_u64(body, &v);
    *ret = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
    return ok && v <= UINT32_MAX;
}

bool ber_bool(struct cur body, bool *ret)
{
    *ret = cur_u8(&body) != 0;
    return cur_done(&body);
}

bool ber_float(struct cur body, double *ret)
{
    uint8_t exponent = cur_u8(&body);
    bool wide = exponent == 11;
    *ret = 0;
    if (exponent != (wide ? 11 : 8))
        return false;
    uint64_t bits = wide ? cur_u64be(&body) : cur_u32be(&body);
    if (!cur_done(&body))
        return false;
    if (wide) {
        memcpy(ret, &bits, sizeof *ret);
    } else {
        uint32_t half = (uint32_t)bits;
        float f;
        memcpy(&f, &half, sizeof f);
        *ret = (double)f;
    }
    return true;
}

/* The bits of each octet the other way round. */
static uint32_t mirror(uint32_t octets)
{
    octets = (octets >> 4 & 0x0f0f0f0f) | (octets & 0x0f0f0f0f) << 4;
    octets = (octets >> 2 & 0x33333333) | (octets & 0x33333333) << 2;
    return (octets >> 1 & 0x55555555) | (octets & 0x55555555) << 1;
}

uint32_t ber_bits_u32(const struct ber_bits *b)
{
    uint32_t v = 0;
    for (uint32_t i = 0; i < 4 && i < b->octets.n; i++)
        v |= (uint32_t)b->octets.p[i] << 8 * i;
    v = mirror(v);
    return b->n < 32 ? v & ((UINT32_C(1) << b->n) - 1) : v;
}

bool ber_utc_time(struct cur body, struct ber_time *ret)
{
    uint64_t s = cur_u32be(&body), fraction = cur_u24be(&body);
    uint8_t quality = cur_u8(&body);
    *ret = (struct ber_time){0};
    if (!cur_done(&body))
        return false;
    *ret = (struct ber_time){.ns = s * 1000000000 + (fraction * 1000000000 >> 24), .quality = quality};
    return true;
}

bool ber_binary_time(struct cur body, uint64_t *ret_ns)
{
    static const uint64_t day_ms = 86400000, days_to_1984 = 5113;
    uint32_t n = cur_left(&body);
    uint64_t ms = cur_u32be(&body) & 0x0fffffff, days = n == 6 ? cur_u16be(&body) + days_to_1984 : 0;
    *ret_ns = 0;
    if (!cur_done(&body))
        return false;
    *ret_ns = (days * day_ms + ms) * 1000000;
    return true;
}

/* Eight octets at a time: the high bit of each that is below 0x20 or above 0x7e. */
static uint64_t not_visible(uint64_t w)
{
    static const uint64_t each = UINT64_C(0x0101010101010101);
    return (((w - each * 0x20) & ~w) | (w + each) | w) & each * 0x80;
}

bool ber_visible(struct cur body, struct span *ret)
{
    uint64_t w, bad = !cur_ok(&body);
    uint32_t i = 0;
    *ret = cur_rest(&body);
    for (; i + 8 <= ret->n; i += 8) {
        memcpy(&w, ret->p + i, 8);
        bad |= not_visible(w);
    }
    for (; i < ret->n; i++)
        bad |= ret->p[i] < 0x20 || ret->p[i] >= 0x7f;
    return !bad;
}

/* X.690 8.19: the first subidentifier is 40 times the first arc, plus the second. */
unsigned ber_oid(struct cur body, char out[BER_OID_TEXT])
{
    char t[24]; /* an arc */
    unsigned at = 0;
    out[0] = '\0';
    while (cur_left(&body)) {
        uint64_t arc = 0;
        uint8_t octet;
        do {
            octet = cur_u8(&body);
            if (arc >> 32)
                return out[0] = '\0', 0;
            arc = arc << 7 | (octet & 0x7f);
        } while (octet & 0x80 && cur_ok(&body));
        unsigned top = arc < 40 ? 0 : arc < 80 ? 1 : 2;
        char *end = text_put(at ? t : text_dec(t, top), ".");
        unsigned n = (unsigned)(text_dec(end, at ? arc : arc - top * 40) - t);
        if (!cur_ok(&body) || at + n >= BER_OID_TEXT)
            return out[0] = '\0', 0;
        memcpy(out + at, t, n);
        at += n;
        out[at] = '\0';
    }
    return at;
}
