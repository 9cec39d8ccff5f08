/* carrier_crc16.h: CRC-16 of protocols that send the lowest bit first (DNP3, Modbus RTU), two octets at a time.
 *
 * The compiler makes the tables: the entry of an octet is the sum (modulo 2) of those of its bits, and these are the
 * polynomial after so many shifts. */
#pragma once

#include "engine/base/cur.h"

struct crc16 {
    uint16_t one[256], two[256]; /* what an octet leaves after itself, and after one more */
};

#define CRC16_BIT_(i, n, v) ((i) >> (n) & 1 ? (v) : 0)
#define CRC16_AT_(i, a, b, c, d, e, f, g, h)                                                                           \
    (uint16_t)(CRC16_BIT_(i, 7, a) ^ CRC16_BIT_(i, 6, b) ^ CRC16_BIT_(i, 5, c) ^ CRC16_BIT_(i, 4, d) ^                 \
               CRC16_BIT_(i, 3, e) ^ CRC16_BIT_(i, 2, f) ^ CRC16_BIT_(i, 1, g) ^ CRC16_BIT_(i, 0, h))
#define CRC16_4_(i, ...)                                                                                               \
    CRC16_AT_(i, __VA_ARGS__), CRC16_AT_((i) + 1, __VA_ARGS__), CRC16_AT_((i) + 2, __VA_ARGS__),                       \
        CRC16_AT_((i) + 3, __VA_ARGS__)
#define CRC16_16_(i, ...)                                                                                              \
    CRC16_4_(i, __VA_ARGS__), CRC16_4_((i) + 4, __VA_ARGS__), CRC16_4_((i) + 8, __VA_ARGS__),                          \
        CRC16_4_((i) + 12, __VA_ARGS__)
#define CRC16_64_(i, ...)                                                                                              \
    CRC16_16_(i, __VA_ARGS__), CRC16_16_((i) + 16, __VA_ARGS__), CRC16_16_((i) + 32, __VA_ARGS__),                     \
        CRC16_16_((i) + 48, __VA_ARGS__)
#define CRC16_256_(...)                                                                                                \
    CRC16_64_(0, __VA_ARGS__), CRC16_64_(64, __VA_ARGS__), CRC16_64_(128, __VA_ARGS__), CRC16_64_(192, __VA_ARGS__)
/* The polynomial, reflected, and what fifteen shifts make of it: v >> 1, minus the polynomial where a 1 fell out. */
#define CRC16_TABLES(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)                                                   \
    {                                                                                                                  \
        .one = {CRC16_256_(a, b, c, d, e, f, g, h)}, .two = {CRC16_256_(i, j, k, l, m, n, o, p)}                       \
    }

/* The check sum so far, with s. */
static inline uint16_t crc16_add(const struct crc16 *t, uint16_t v, struct span s)
{
    struct cur c = cur_span(s);
    while (cur_left(&c) >= 2) {
        uint16_t x = v ^ cur_u16le(&c);
        v = t->two[x & 0xff] ^ t->one[x >> 8];
    }
    return cur_left(&c) ? (uint16_t)(v >> 8 ^ t->one[(v ^ cur_u8(&c)) & 0xff]) : v;
}
