#include "engine/base/jw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char hexdigit[] = "0123456789abcdef";

void jw_init(struct jw *w, char *buf, uint32_t cap)
{
    *w = (struct jw){.p = buf, .cap = cap};
}

/* n writable bytes, or NULL once the buffer is full (for good). */
static char *room(struct jw *w, uint32_t n)
{
    if (w->full || w->cap - w->n < n) {
        w->full = true;
        return NULL;
    }
    char *p = w->p + w->n;
    w->n += n;
    return p;
}

static void put(struct jw *w, const char *s, uint32_t n)
{
    char *p = room(w, n);
    if (p)
        memcpy(p, s, n);
}

static void sep(struct jw *w)
{
    if (w->comma)
        put(w, ",", 1);
    w->comma = true;
}

void jw_open(struct jw *w, char bracket)
{
    sep(w);
    put(w, &bracket, 1);
    w->comma = false;
}

void jw_close(struct jw *w, char bracket)
{
    put(w, &bracket, 1);
    w->comma = true;
}

void jw_key_n(struct jw *w, const char *key, uint32_t n)
{
    char *p = room(w, n + 3 + w->comma);
    if (!p)
        return;
    if (w->comma)
        *p++ = ',';
    *p++ = '"';
    memcpy(p, key, n);
    p[n] = '"';
    p[n + 1] = ':';
    w->comma = false;
}

void jw_key_open(struct jw *w, const char *key, char bracket)
{
    jw_key(w, key);
    jw_open(w, bracket);
}

void jw_raw(struct jw *w, const char *s, uint32_t n)
{
    sep(w);
    put(w, s, n);
}

void jw_u64(struct jw *w, uint64_t v)
{
    char t[20];
    unsigned k = sizeof t;
    do
        t[--k] = (char)('0' + v % 10);
    while (v /= 10);
    jw_raw(w, t + k, (uint32_t)sizeof t - k);
}

void jw_i64(struct jw *w, int64_t v)
{
    if (v >= 0) {
        jw_u64(w, (uint64_t)v);
        return;
    }
    sep(w);
    put(w, "-", 1);
    w->comma = false;
    jw_u64(w, 0 - (uint64_t)v);
}

void jw_u64_text(struct jw *w, uint64_t v)
{
    char t[22];
    unsigned k = sizeof t;
    t[--k] = '"';
    do
        t[--k] = (char)('0' + v % 10);
    while (v /= 10);
    t[--k] = '"';
    jw_raw(w, t + k, (uint32_t)sizeof t - k);
}

void jw_hex_text(struct jw *w, uint64_t v)
{
    char t[20];
    unsigned k = sizeof t;
    t[--k] = '"';
    do
        t[--k] = hexdigit[v & 15];
    while (v >>= 4);
    t[--k] = 'x';
    t[--k] = '0';
    t[--k] = '"';
    jw_raw(w, t + k, (uint32_t)sizeof t - k);
}

void jw_id(struct jw *w, uint64_t v)
{
    char t[18];
    t[0] = t[17] = '"';
    for (unsigned i = 16; i; i--, v >>= 4)
        t[i] = hexdigit[v & 15];
    jw_raw(w, t, sizeof t);
}

static void put_double(struct jw *w, double v, int shortest, int longest, bool is_float)
{
    char t[40];
    if (!isfinite(v)) {
        jw_null(w);
        return;
    }
    if (v == floor(v) && fabs(v) < 1e15) { /* whole numbers need no search */
        int n = snprintf(t, sizeof t, "%.1f", v);
        jw_raw(w, t, (uint32_t)n);
        return;
    }
    int n = 0;
    for (int digits = shortest; digits <= longest; digits++) {
        n = snprintf(t, sizeof t, "%.*g", digits, v);
        if (is_float ? strtof(t, NULL) == (float)v : strtod(t, NULL) == v)
            break;
    }
    jw_raw(w, t, (uint32_t)n);
}

void jw_f64(struct jw *w, double v)
{
    float f = (float)v;
    if ((double)f == v) /* it came from 32 bits: 0.1f is written 0.1 */
        put_double(w, v, 6, 9, true);
    else
        put_double(w, v, 15, 17, false);
}

void jw_f32(struct jw *w, float v)
{
    put_double(w, (double)v, 6, 9, true);
}

void jw_bool(struct jw *w, bool v)
{
    jw_raw(w, v ? "true" : "false", v ? 4 : 5);
}

void jw_null(struct jw *w)
{
    jw_raw(w, "null", 4);
}

unsigned jw_utf8_len(const uint8_t *p, uint32_t left)
{
    static const struct {
        uint8_t mask, lead, n;
    } t[] = {{0xe0, 0xc0, 2}, {0xf0, 0xe0, 3}, {0xf8, 0xf0, 4}};
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    for (unsigned k = 0; k < 3; k++) {
        if ((p[0] & t[k].mask) != t[k].lead)
            continue;
        if (t[k].n > left)
            return 0;
        uint32_t v = p[0] & (uint8_t)~t[k].mask;
        for (unsigned i = 1; i < t[k].n; i++) {
            if ((p[i] & 0xc0) != 0x80)
                return 0;
            v = v << 6 | (p[i] & 0x3f);
        }
        bool good = v >= least[t[k].n] && v <= 0x10ffff && !(v >= 0xd800 && v <= 0xdfff);
        return good ? t[k].n : 0;
    }
    return 0;
}

static void put_escaped(struct jw *w, uint8_t c)
{
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *s = shorts; *s; s += 2)
        if (c == (uint8_t)s[0]) {
            char t[2] = {'\\', s[1]};
            put(w, t, 2);
            return;
        }
    char t[6] = {'\\', 'u', '0', '0', hexdigit[c >> 4], hexdigit[c & 15]};
    put(w, t, 6);
}

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Is none of the eight bytes to be escaped? Each term has the top bit of a byte that is, and perhaps of those above it.
 */
static bool all_plain(const uint8_t *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t x, del, quote, slash;
    memcpy(&x, p, sizeof x);
    del = x ^ ones * 0x7f;
    quote = x ^ ones * '"';
    slash = x ^ ones * '\\';
    uint64_t bad = ((x - ones * 0x20) & ~x) | x | ((del - ones) & ~del) | ((quote - ones) & ~quote) |
                   ((slash - ones) & ~slash);
    return !(bad & ones * 0x80);
}

void jw_text(struct jw *w, struct span s)
{
    while (s.n && s.p[s.n - 1] == 0)
        s.n--;
    sep(w);
    put(w, "\"", 1);
    for (uint32_t i = 0; i < s.n;) {
        uint32_t j = i;
        while (s.n - j >= 8 && all_plain(s.p + j))
            j += 8;
        while (j < s.n && is_plain(s.p[j]))
            j++;
        if (j > i)
            put(w, (const char *)s.p + i, j - i);
        i = j;
        if (i == s.n)
            break;
        unsigned n = s.p[i] < 0x80 ? 0 : jw_utf8_len(s.p + i, s.n - i);
        if (n) {
            put(w, (const char *)s.p + i, n);
            i += n;
        } else if (s.p[i] < 0x80) {
            put_escaped(w, s.p[i++]);
        } else {
            put(w, "\xef\xbf\xbd", 3);
            i++;
        }
    }
    put(w, "\"", 1);
}

void jw_str(struct jw *w, const char *s)
{
    if (s)
        jw_text(w, (struct span){(const uint8_t *)s, (uint32_t)strlen(s)});
    else
        jw_null(w);
}

void jw_hex(struct jw *w, struct span s)
{
    sep(w);
    if (s.n > w->cap / 2) { /* also keeps 2 * n from wrapping */
        w->full = true;
        return;
    }
    char *p = room(w, 2 * s.n + 2);
    if (!p)
        return;
    *p++ = '"';
    for (uint32_t i = 0; i < s.n; i++) {
        *p++ = hexdigit[s.p[i] >> 4];
        *p++ = hexdigit[s.p[i] & 15];
    }
    *p = '"';
}

void jw_addr(struct jw *w, const struct addr *a)
{
    char t[ADDR_TEXT + 2];
    unsigned n = addr_text(a, t + 1);
    t[0] = t[n + 1] = '"';
    jw_raw(w, t, n + 2);
}

void jw_mac(struct jw *w, const uint8_t mac[6])
{
    char t[MAC_TEXT + 2];
    unsigned n = mac_text(mac, t + 1);
    t[0] = t[n + 1] = '"';
    jw_raw(w, t, n + 2);
}

static char *digits(char *p, unsigned v, unsigned n)
{
    for (unsigned i = n; i--; v /= 10)
        p[i] = (char)('0' + v % 10);
    return p + n;
}

void time_text(uint64_t ns, char out[TIME_TEXT])
{
    uint64_t us = ns / 1000, s = us / 1000000;
    if (s > 253402300799u) /* 9999-12-31T23:59:59 */
        s = 253402300799u;
    uint64_t z = s / 86400 + 719468, era = z / 146097, doe = z % 146097;
    uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    uint64_t mp = (5 * doy + 2) / 153, d = doy - (153 * mp + 2) / 5 + 1, m = mp < 10 ? mp + 3 : mp - 9;
    unsigned y = (unsigned)(yoe + era * 400 + (m <= 2)), t = (unsigned)(s % 86400);
    char *p = digits(out, y, 4);
    *p++ = '-', p = digits(p, (unsigned)m, 2);
    *p++ = '-', p = digits(p, (unsigned)d, 2);
    *p++ = 'T', p = digits(p, t / 3600, 2);
    *p++ = ':', p = digits(p, t / 60 % 60, 2);
    *p++ = ':', p = digits(p, t % 60, 2);
    *p++ = '.', p = digits(p, (unsigned)(us % 1000000), 6);
    memcpy(p, "+0000", 6);
}

void jw_time(struct jw *w, uint64_t ns)
{
    char t[TIME_TEXT + 2];
    time_text(ns, t + 1);
    t[0] = t[32] = '"';
    /* 31 characters of time, quotes around */
    jw_raw(w, t, 33);
}

uint32_t jw_clean(struct span v, char *out, uint32_t cap)
{
    uint32_t n = 0;
    for (uint32_t i = 0, len; i < v.n; i += len) {
        unsigned long_len = v.p[i] < 0x80 ? 0 : jw_utf8_len(v.p + i, v.n - i);
        len = long_len ? long_len : 1;
        if (n + len > cap)
            break;
        if (long_len)
            memcpy(out + n, v.p + i, len);
        else if (v.p[i] >= 0x20 && v.p[i] != 0x7f)
            out[n] = v.p[i] < 0x80 ? (char)v.p[i] : '?';
        else
            continue;
        n += len;
    }
    return n;
}
