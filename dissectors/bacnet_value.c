/* bacnet_value.c: encoded elements, names of objects and properties, values.
 *
 * Spec: ANSI/ASHRAE 135-2020 clause 20.2 (encoding), clause 21 (character sets, dates).
 *
 *   | tag number 4 bits | class 1 | length/value/type 3 | [more tag number] [more length 1, 2 or 4 bytes] | contents
 *   class 0 application: the number is the type. class 1 context: the number is the parameter's;
 *   type 6 opens and 7 closes a bracket. Length 5: in the next byte, 254 there: in 2 more, 255: in 4 more. */
#include <math.h>
#include <stdio.h>

#include "dissectors/bacnet_priv.h"

/* One token; an opening tag's body is left alone. */
static bool token(struct cur *c, struct bn_tag *t)
{
    *t = (struct bn_tag){0};
    if (!cur_left(c))
        return false;
    uint8_t first = cur_u8(c), lvt = first & 7;
    t->num = first >> 4;
    if (t->num == 15)
        t->num = cur_u8(c);
    t->cls = first & 8 ? lvt == 6 ? BT_OPEN : lvt == 7 ? BT_CLOSE : BT_CONTEXT : BT_APP;
    if (lvt > 5)
        return cur_ok(c) && t->cls != BT_APP;
    t->len = lvt;
    if (lvt == 5) {
        t->len = cur_u8(c);
        if (t->len == 254)
            t->len = cur_u16be(c);
        else if (t->len == 255)
            t->len = cur_u32be(c);
    }
    if (t->cls != BT_APP || t->num != BT_BOOLEAN)
        t->body = cur_bytes(c, t->len);
    return cur_ok(c);
}

bool bn_tag(struct cur *c, struct bn_tag *t)
{
    struct bn_tag in;
    if (!token(c, t))
        return false;
    if (t->cls != BT_OPEN)
        return true;
    struct cur scan = *c;
    uint32_t start = cur_left(c), end = start;
    for (unsigned depth = 1; depth;) {
        end = cur_left(&scan);
        if (!token(&scan, &in))
            return false;
        depth = in.cls == BT_OPEN ? depth + 1 : in.cls == BT_CLOSE ? depth - 1 : depth;
    }
    if (in.num != t->num)
        return false;
    t->body = cur_bytes(c, start - end);
    *c = scan;
    return true;
}

bool bn_peek(const struct cur *c, enum bn_class cls, uint8_t num)
{
    struct cur at = *c;
    struct bn_tag t;
    return token(&at, &t) && t.cls == cls && t.num == num;
}

/* The next one, where it is such; not for brackets. */
static bool take(struct cur *c, enum bn_class cls, uint8_t num, struct bn_tag *ret)
{
    struct cur at = *c;
    struct bn_tag t;
    if (!token(&at, &t) || t.cls != cls || t.num != num)
        return false;
    *c = at;
    *ret = t;
    return true;
}

bool bn_context(struct cur *c, uint8_t num, struct bn_tag *t)
{
    return take(c, BT_CONTEXT, num, t);
}

bool bn_opened(struct cur *c, uint8_t num, struct cur *inside)
{
    struct bn_tag t;
    *inside = cur_make(NULL, 0);
    if (!bn_peek(c, BT_OPEN, num) || !bn_tag(c, &t))
        return false;
    *inside = cur_span(t.body);
    return true;
}

bool bn_is_app(struct cur *c, uint8_t num, struct bn_tag *t)
{
    return take(c, BT_APP, num, t);
}

uint64_t bn_uint(const struct bn_tag *t)
{
    uint64_t v = 0;
    for (uint32_t i = 0; i < t->body.n && i < 8; i++)
        v = v << 8 | t->body.p[i];
    return v;
}

static int64_t sint(const struct bn_tag *t)
{
    uint64_t v = bn_uint(t);
    unsigned bits = 8 * (t->body.n < 8 ? t->body.n : 8);
    if (bits && bits < 64 && v >> (bits - 1) & 1)
        v |= UINT64_MAX << bits;
    return (int64_t)v;
}

double bn_real(const struct bn_tag *t)
{
    struct cur c = cur_span(t->body);
    uint64_t u = bn_uint(t);
    double d;
    memcpy(&d, &u, sizeof d);
    return t->body.n == 4 ? (double)cur_f32be(&c) : t->body.n == 8 ? d : (double)NAN;
}

/* ---- text ---- */

struct text {
    char s[256];
    unsigned n;
};

static void put(struct text *t, const char *s, unsigned n)
{
    n = n < sizeof t->s - t->n ? n : (unsigned)sizeof t->s - t->n;
    copy_short(t->s + t->n, s, n);
    t->n += n;
}

static void put_chr(struct text *t, char c)
{
    if (t->n < sizeof t->s)
        t->s[t->n++] = c;
}

static void put_str(struct text *t, const char *s)
{
    put(t, s, (unsigned)strlen(s));
}

static void put_num(struct text *t, uint32_t v)
{
    char d[10];
    unsigned k = sizeof d;
    do
        d[--k] = (char)('0' + v % 10);
    while (v /= 10);
    while (k < sizeof d)
        put_chr(t, d[k++]);
}

static void put_pair(struct text *t, uint8_t v, const char *after)
{
    char d[2] = {(char)('0' + v / 10 % 10), (char)('0' + v % 10)};
    put(t, v == 255 ? "*" : d, v == 255 ? 1 : 2); /* 255: any */
    put_str(t, after);
}

static void put_hex(struct text *t, struct span s)
{
    put_str(t, "0x");
    for (uint32_t i = 0; i < s.n && i < 64; i++) {
        char d[2] = {"0123456789abcdef"[s.p[i] >> 4], "0123456789abcdef"[s.p[i] & 15]};
        put(t, d, 2);
    }
}

static void put_object(struct text *t, uint32_t object)
{
    const char *type = bn_object_type(object >> 22);
    put_str(t, type ? type : "type_");
    if (!type)
        put_num(t, object >> 22);
    put_chr(t, ',');
    put_num(t, object & 0x3fffff);
}

static void put_date(struct text *t, struct span s)
{
    if (s.n != 4) {
        put_hex(t, s);
        return;
    }
    if (s.p[0] == 255)
        put_chr(t, '*');
    else
        put_num(t, 1900u + s.p[0]);
    put_chr(t, '-');
    put_pair(t, s.p[1], "-");
    put_pair(t, s.p[2], "");
}

static void put_time(struct text *t, struct span s)
{
    if (s.n != 4) {
        put_hex(t, s);
        return;
    }
    put_pair(t, s.p[0], ":");
    put_pair(t, s.p[1], ":");
    put_pair(t, s.p[2], ".");
    put_pair(t, s.p[3], "");
}

/* 20.2.10: | unused bits | bits, first one highest | */
static void put_bits(struct text *t, struct span s)
{
    uint32_t bits = s.n > 1 && s.p[0] < 8 ? (s.n - 1) * 8 - s.p[0] : 0;
    for (uint32_t i = 0; i < bits && i < 128; i++)
        put(t, s.p[1 + i / 8] >> (7 - i % 8) & 1 ? "1" : "0", 1);
}

static void put_utf8(struct text *t, uint32_t ch)
{
    char u[3];
    unsigned n = ch < 0x80 ? 1 : ch < 0x800 ? 2 : 3;
    if (ch > 0xffff || (ch >= 0xd800 && ch < 0xe000))
        ch = 0xfffd, n = 3;
    if (n == 1) {
        u[0] = (char)ch;
    } else if (n == 2) {
        u[0] = (char)(0xc0 | ch >> 6);
        u[1] = (char)(0x80 | (ch & 63));
    } else {
        u[0] = (char)(0xe0 | ch >> 12);
        u[1] = (char)(0x80 | (ch >> 6 & 63));
        u[2] = (char)(0x80 | (ch & 63));
    }
    if (sizeof t->s - t->n >= n)
        put(t, u, n);
}

/* 20.2.9: | character set | bytes |. 0 UTF-8, 1 a Microsoft code page, 3 UCS-4, 4 UCS-2, 5 ISO 8859-1. */
static void put_string(struct text *t, struct span s)
{
    uint32_t width = !s.n ? 0 : s.p[0] == 3 ? 4 : s.p[0] == 4 ? 2 : s.p[0] == 5 ? 1 : 0;
    struct cur c = cur_span(s);
    uint8_t set = cur_u8(&c);
    if (!width) {
        cur_skip(&c, set == 1 ? 2 : 0);
        struct span rest = cur_rest(&c);
        put(t, (const char *)rest.p, rest.n);
        return;
    }
    while (cur_left(&c) >= width)
        put_utf8(t, width == 1 ? cur_u8(&c) : width == 2 ? cur_u16be(&c) : cur_u32be(&c));
}

static void put_number(struct text *t, const struct bn_tag *tag)
{
    char d[32];
    int n = tag->num == BT_SIGNED   ? snprintf(d, sizeof d, "%lld", (long long)sint(tag))
            : tag->num >= BT_ENUM || tag->num == BT_UNSIGNED
                ? snprintf(d, sizeof d, "%llu", (unsigned long long)bn_uint(tag))
                : snprintf(d, sizeof d, "%.9g", bn_real(tag));
    put(t, d, n > 0 ? (unsigned)n : 0);
}

static void put_app(struct text *t, const struct bn_tag *tag)
{
    switch (tag->num) {
    case BT_NULL:
        put_str(t, "null");
        break;
    case BT_BOOLEAN:
        put_str(t, tag->len ? "true" : "false");
        break;
    case BT_OCTETS:
        put_hex(t, tag->body);
        break;
    case BT_STRING:
        put_string(t, tag->body);
        break;
    case BT_BITS:
        put_bits(t, tag->body);
        break;
    case BT_DATE:
        put_date(t, tag->body);
        break;
    case BT_TIME:
        put_time(t, tag->body);
        break;
    case BT_OBJECT:
        put_object(t, (uint32_t)bn_uint(tag));
        break;
    default:
        put_number(t, tag);
        break;
    }
}

static struct span kept(struct event *e, const struct text *t)
{
    return ev_text_copy(e, t->s, t->n);
}

struct span bn_string(struct event *e, struct span s)
{
    struct text t = {.n = 0};
    if (s.n && (s.p[0] == 0 || s.p[0] == 2))
        return (struct span){s.n > 1 ? s.p + 1 : NULL, s.n - 1};
    put_string(&t, s);
    return kept(e, &t);
}

struct span bn_text(struct event *e, struct span s)
{
    struct cur c = cur_span(s);
    struct bn_tag tag;
    struct text t = {.n = 0};
    if (!bn_tag(&c, &tag) || tag.cls != BT_APP)
        return (struct span){0};
    if (tag.num == BT_STRING)
        return bn_string(e, tag.body);
    put_app(&t, &tag);
    return kept(e, &t);
}

struct span bn_datetime(struct event *e, struct cur *c)
{
    struct bn_tag d, h;
    struct text t = {.n = 0};
    if (!bn_is_app(c, BT_DATE, &d) || !bn_is_app(c, BT_TIME, &h))
        return (struct span){0};
    put_date(&t, d.body);
    put_chr(&t, ' ');
    put_time(&t, h.body);
    return kept(e, &t);
}

/* BACnetTimeStamp: [0] time, [1] sequence number, [2] date and time. */
struct span bn_timestamp(struct event *e, struct cur *c)
{
    struct bn_tag tag;
    struct cur in;
    struct text t = {.n = 0};
    if (bn_opened(c, 2, &in))
        return bn_datetime(e, &in);
    if (bn_context(c, 0, &tag)) {
        put_time(&t, tag.body);
    } else if (bn_context(c, 1, &tag)) {
        put_chr(&t, '#');
        put_num(&t, (uint32_t)bn_uint(&tag));
    }
    return kept(e, &t);
}

struct span bn_name(struct event *e, uint32_t object, uint32_t property, uint32_t index)
{
    struct text t = {.n = 0};
    const char *name = bn_property(property);
    put_object(&t, object);
    if (property == BN_NO_PROPERTY)
        return kept(e, &t);
    put_chr(&t, '.');
    put_str(&t, name ? name : "property_");
    if (!name)
        put_num(&t, property);
    if (index != BN_NO_INDEX) {
        put_chr(&t, '[');
        put_num(&t, index);
        put_chr(&t, ']');
    }
    return kept(e, &t);
}

/* ---- values ---- */

bool bn_is_plain(unsigned type)
{
    return type <= BT_OCTETS || type == BT_ENUM;
}

/* Can it be read where it lies, as one value? */
static bool plain(const struct bn_tag *t)
{
    if (t->num == BT_STRING)
        return t->body.n && (t->body.p[0] == 0 || t->body.p[0] == 2);
    return bn_is_plain(t->num);
}

static void to_val(const struct bn_tag *t, struct val *ret)
{
    static const uint8_t types[] = {[BT_NULL] = VAL_NONE, [BT_BOOLEAN] = VAL_BOOL, [BT_UNSIGNED] = VAL_UINT,
                                    [BT_SIGNED] = VAL_INT, [BT_REAL] = VAL_DOUBLE, [BT_DOUBLE] = VAL_DOUBLE,
                                    [BT_OCTETS] = VAL_BYTES, [BT_STRING] = VAL_TEXT, [BT_BITS] = VAL_BYTES,
                                    [BT_ENUM] = VAL_UINT};
    unsigned type = t->num < ARRAY_LEN(types) ? types[t->num] : VAL_BYTES;
    *ret = (struct val){.type = type, .s = t->body};
    if (type == VAL_BOOL)
        ret->u = t->len != 0;
    else if (type == VAL_UINT)
        ret->u = bn_uint(t);
    else if (type == VAL_INT)
        ret->i = sint(t);
    else if (type == VAL_DOUBLE)
        ret->d = bn_real(t);
    else if (type == VAL_TEXT)
        ret->s = (struct span){t->body.n > 1 ? t->body.p + 1 : NULL, t->body.n ? t->body.n - 1 : 0};
}

/* The k-th of plain elements. */
static bool read_plain(const struct vals *v, uint32_t k, struct val *ret)
{
    struct cur c = cur_span(v->raw);
    struct bn_tag t;
    for (uint32_t i = 0; token(&c, &t); i++)
        if (i == k) {
            to_val(&t, ret);
            return true;
        }
    return false;
}

/* The k-th of texts with their lengths in front. */
static bool read_text(const struct vals *v, uint32_t k, struct val *ret)
{
    struct cur c = cur_span(v->raw);
    for (uint32_t i = 0; cur_left(&c); i++) {
        uint8_t n = cur_u8(&c);
        struct span s = cur_bytes(&c, n);
        if (!cur_ok(&c))
            return false;
        if (i == k) {
            *ret = (struct val){.type = VAL_TEXT, .s = s};
            return true;
        }
    }
    return false;
}

/* Constructed data as one line: "0{1:0x05 2.5}". */
static void dump(struct event *e, struct item *it, struct span s)
{
    struct cur c = cur_span(s);
    struct bn_tag tag;
    struct text t = {.n = 0};
    bool gap = false;
    while (t.n < sizeof t.s && token(&c, &tag)) {
        if (gap && tag.cls != BT_CLOSE)
            put_chr(&t, ' ');
        gap = tag.cls != BT_OPEN;
        if (tag.cls == BT_APP) {
            put_app(&t, &tag);
        } else if (tag.cls == BT_CLOSE) {
            put_chr(&t, '}');
        } else {
            put_num(&t, tag.num);
            put_str(&t, tag.cls == BT_OPEN ? "{" : ":");
            if (tag.cls == BT_CONTEXT)
                put_hex(&t, tag.body);
        }
    }
    it->v.enc = VE_NOW_TEXT;
    it->v.n = 1;
    it->v.raw = kept(e, &t);
}

/* Those that are not plain are written out; as many as there is room for, all of them counted. */
static void texts(struct event *e, struct item *it, struct span s)
{
    uint8_t buf[2048];
    uint32_t n = 0;
    struct cur c = cur_span(s);
    struct bn_tag tag;
    while (token(&c, &tag)) {
        struct text t = {.n = 0};
        put_app(&t, &tag);
        t.n = t.n < 255 ? t.n : 255;
        if (n + 1 + t.n > sizeof buf) {
            e->truncated = 1;
            break;
        }
        buf[n++] = (uint8_t)t.n;
        memcpy(buf + n, t.s, t.n);
        n += t.n;
    }
    it->v.raw = ev_text_copy(e, buf, n);
    it->v.now.read = read_text;
}

void bn_values(struct event *e, struct item *it, struct span s)
{
    struct cur c = cur_span(s);
    struct bn_tag t;
    uint32_t n = 0;
    bool all_plain = true, built = false;
    while (token(&c, &t)) {
        n++;
        built |= t.cls != BT_APP;
        all_plain &= plain(&t);
    }
    if (!n)
        return;
    if (built) {
        dump(e, it, s);
        return;
    }
    it->v.enc = VE_OWN;
    it->v.n = (uint16_t)(n < UINT16_MAX ? n : UINT16_MAX);
    it->v.raw = s;
    it->v.now.read = read_plain;
    if (!all_plain)
        texts(e, it, s);
}
