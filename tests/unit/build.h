/* build.h: packets built for tests, from the inside out: start with the payload and put header after header in front.
 */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BUILD_MAX = 70000 };

struct build {
    uint8_t room[BUILD_MAX];
    unsigned head; /* first byte */
};

static inline void b_start(struct build *b, const void *p, unsigned n)
{
    b->head = BUILD_MAX - n;
    if (n)
        memcpy(b->room + b->head, p, n);
}

static inline uint8_t *b_at(struct build *b)
{
    return b->room + b->head;
}

static inline unsigned b_len(const struct build *b)
{
    return BUILD_MAX - b->head;
}

static inline void b_pre(struct build *b, const void *p, unsigned n)
{
    b->head -= n;
    memcpy(b->room + b->head, p, n);
}

/* Bytes behind what is there: padding, trailers. */
static inline void b_post(struct build *b, const void *p, unsigned n)
{
    unsigned len = b_len(b);
    memmove(b->room + b->head - n, b->room + b->head, len);
    b->head -= n;
    memcpy(b->room + BUILD_MAX - n, p, n);
}

static inline void b_set16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void b_set32(uint8_t *p, uint32_t v)
{
    b_set16(p, v >> 16);
    b_set16(p + 2, v & 0xffff);
}

/* A header given in hex, blanks ignored. */
static inline void b_hex(struct build *b, const char *hex)
{
    uint8_t t[512];
    unsigned n = 0;
    for (const char *s = hex; s[0];) {
        if (s[0] == ' ') {
            s++;
            continue;
        }
        char two[3] = {s[0], s[1], 0};
        t[n++] = (uint8_t)strtoul(two, NULL, 16);
        s += 2;
    }
    b_pre(b, t, n);
}

static inline void b_eth(struct build *b, unsigned type)
{
    uint8_t h[14] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 5};
    b_set16(h + 12, type);
    b_pre(b, h, sizeof h);
}

/* The tag's second half stands before: call with the type of what follows, then b_eth(tag's own type). */
static inline void b_vlan(struct build *b, unsigned tci, unsigned next_type)
{
    uint8_t h[4];
    b_set16(h, tci);
    b_set16(h + 2, next_type);
    b_pre(b, h, sizeof h);
}

static inline void b_udp(struct build *b, unsigned sport, unsigned dport)
{
    uint8_t h[8] = {0};
    b_set16(h, sport);
    b_set16(h + 2, dport);
    b_set16(h + 4, b_len(b) + 8);
    b_pre(b, h, sizeof h);
}

static inline void b_tcp(struct build *b, unsigned sport, unsigned dport, uint32_t seq, unsigned options)
{
    uint8_t h[60] = {0};
    b_set16(h, sport);
    b_set16(h + 2, dport);
    b_set32(h + 4, seq);
    b_set32(h + 8, seq + 1000);
    h[12] = (uint8_t)((20 + options) / 4 << 4);
    h[13] = 0x18;
    b_set16(h + 14, 8192);
    memset(h + 20, 1, options);
    b_pre(b, h, 20 + options);
}

/* frag: the 16 bits of flags and offset */
static inline void b_ip4_full(struct build *b, unsigned proto, uint32_t src, uint32_t dst, unsigned id, unsigned frag,
                              unsigned options)
{
    uint8_t h[60] = {0};
    h[0] = (uint8_t)(0x40 | (20 + options) / 4);
    b_set16(h + 2, b_len(b) + 20 + options);
    b_set16(h + 4, id);
    b_set16(h + 6, frag);
    h[8] = 64;
    h[9] = (uint8_t)proto;
    b_set32(h + 12, src);
    b_set32(h + 16, dst);
    memset(h + 20, 1, options);
    b_pre(b, h, 20 + options);
}

enum { IP_A = 0x0a000005, IP_B = 0x0a000009, IP_OUT_A = 0xc0a80001, IP_OUT_B = 0xc0a80002 };

static inline void b_ip4(struct build *b, unsigned proto)
{
    b_ip4_full(b, proto, IP_A, IP_B, 0x1234, 0, 0);
}

/* The outer packet of a tunnel */
static inline void b_ip4_out(struct build *b, unsigned proto)
{
    b_ip4_full(b, proto, IP_OUT_A, IP_OUT_B, 0x4321, 0, 0);
}

/* 2001:db8::5 to 2001:db8::9; out: fd00::1 to fd00::2 */
static inline void b_ip6_any(struct build *b, unsigned next, int out)
{
    uint8_t h[40] = {0x60};
    b_set16(h + 4, b_len(b));
    h[6] = (uint8_t)next;
    h[7] = 64;
    b_set32(h + 8, out ? 0xfd000000 : 0x20010db8);
    b_set32(h + 24, out ? 0xfd000000 : 0x20010db8);
    h[23] = out ? 1 : 5;
    h[39] = out ? 2 : 9;
    b_pre(b, h, sizeof h);
}

static inline void b_ip6(struct build *b, unsigned next)
{
    b_ip6_any(b, next, 0);
}

static inline void b_ip6_frag(struct build *b, unsigned next, unsigned off_and_more, uint32_t id)
{
    uint8_t h[8] = {(uint8_t)next};
    b_set16(h + 2, off_and_more);
    b_set32(h + 4, id);
    b_pre(b, h, sizeof h);
}
