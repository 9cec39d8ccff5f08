/* cur.h: the byte cursor, the only way bytes of a packet are read.
 *
 * A cursor is passed by value; reading past its end yields 0 and leaves it bad for good, so a whole header is read as
 * a list of fields and asked about once: `a = cur_u16be(&c); b = cur_u16be(&c); if (!cur_ok(&c)) ...`.
 * Only bounded things leave it: a span (borrowed bytes) or a sub-cursor that cannot see past its own length.
 * Fields with a trailing _ belong to this header alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Borrowed bytes: valid as long as the packet (or store) they lie in. p is NULL only when n is 0. */
struct span {
    const uint8_t *p;
    uint32_t n;
};

/* memcpy() for names and values, most of which are shorter than the call. The two must not overlap. */
static inline void copy_short(void *to, const void *from, uint32_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    if (n > 64) {
        memcpy(t, f, n);
    } else if (n >= 8) { /* the last eight may be written twice */
        for (uint32_t i = 0; i + 8 < n; i += 8)
            memcpy(t + i, f + i, 8);
        memcpy(t + n - 8, f + n - 8, 8);
    } else if (n >= 4) {
        memcpy(t, f, 4);
        memcpy(t + n - 4, f + n - 4, 4);
    } else {
        if (n & 2)
            memcpy(t, f, 2);
        if (n & 1)
            t[n - 1] = f[n - 1];
    }
}

struct cur {
    const uint8_t *p_;
    uint32_t left_;
    bool bad_;
};

static inline struct cur cur_make(const void *p, uint32_t n)
{
    return (struct cur){.p_ = p, .left_ = n, .bad_ = false};
}

static inline struct cur cur_span(struct span s)
{
    return cur_make(s.p, s.n);
}

/* Bytes not yet read; 0 for a bad cursor. */
static inline uint32_t cur_left(const struct cur *c)
{
    return c->left_;
}

static inline bool cur_ok(const struct cur *c)
{
    return !c->bad_;
}

/* True when everything was read and nothing was missing. */
static inline bool cur_done(const struct cur *c)
{
    return !c->bad_ && c->left_ == 0;
}

/* The one check: every read goes through here. Compares lengths, never pointers. */
static inline const uint8_t *cur_take_(struct cur *c, uint32_t n)
{
    if (__builtin_expect(c->left_ < n, 0)) {
        c->left_ = 0;
        c->bad_ = true;
        return NULL;
    }
    const uint8_t *p = c->p_;
    c->p_ = n ? p + n : p;
    c->left_ -= n;
    return p;
}

static inline uint8_t cur_u8(struct cur *c)
{
    const uint8_t *p = cur_take_(c, 1);
    return p ? p[0] : 0;
}

static inline uint16_t cur_u16be(struct cur *c)
{
    const uint8_t *p = cur_take_(c, 2);
    return p ? (uint16_t)((uint16_t)p[0] << 8 | p[1]) : 0;
}

static inline uint16_t cur_u16le(struct cur *c)
{
    const uint8_t *p = cur_take_(c, 2);
    return p ? (uint16_t)((uint16_t)p[1] << 8 | p[0]) : 0;
}

static inline uint32_t cur_u24be(struct cur *c)
{
    const uint8_t *p = cur_take_(c, 3);
    return p ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : 0;
}

static inline uint32_t cur_u24le(struct cur *c)
{
    const uint8_t *p = cur_take_(c, 3);
    return p ? (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : 0;
}

static inline uint32_t cur_u32be(struct cur *c)
{
    const uint8_t *p = cur_take_(c, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint32_t cur_u32le(struct cur *c)
{
    const uint8_t *p = cur_take_(c, 4);
    return p ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : 0;
}

static inline uint64_t cur_u48le(struct cur *c)
{
    const uint8_t *p = cur_take_(c, 6);
    uint64_t v = 0;
    for (int i = 5; p && i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

static inline uint64_t cur_u64be(struct cur *c)
{
    uint64_t hi = cur_u32be(c);
    return hi << 32 | cur_u32be(c);
}

static inline uint64_t cur_u64le(struct cur *c)
{
    uint64_t lo = cur_u32le(c);
    return (uint64_t)cur_u32le(c) << 32 | lo;
}

static inline float cur_f32le(struct cur *c)
{
    uint32_t u = cur_u32le(c);
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static inline float cur_f32be(struct cur *c)
{
    uint32_t u = cur_u32be(c);
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static inline double cur_f64le(struct cur *c)
{
    uint64_t u = cur_u64le(c);
    double f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static inline void cur_skip(struct cur *c, uint32_t n)
{
    (void)cur_take_(c, n);
}

/* n bytes, or {NULL, 0} when fewer are left (the cursor is bad then). */
static inline struct span cur_bytes(struct cur *c, uint32_t n)
{
    const uint8_t *p = cur_take_(c, n);
    return (struct span){.p = n ? p : NULL, .n = p ? n : 0};
}

/* Everything that is left. */
static inline struct span cur_rest(struct cur *c)
{
    return cur_bytes(c, c->left_);
}

/* A child bounded to the next n bytes; the parent moves past it. Short: both are bad. */
static inline struct cur cur_sub(struct cur *c, uint32_t n)
{
    const uint8_t *p = cur_take_(c, n);
    return (struct cur){.p_ = p, .left_ = c->bad_ ? 0 : n, .bad_ = c->bad_};
}

/* The byte `at` positions ahead without moving; 0 when there is none (the cursor stays as it is). */
static inline uint8_t cur_peek(const struct cur *c, uint32_t at)
{
    return at < c->left_ ? c->p_[at] : 0;
}
