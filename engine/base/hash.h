/* hash.h: fast keyed 64-bit hashing for tables, and the unkeyed content hash behind every stable id.
 *
 * Tables pass a key that is random live and fixed in replay. Ids (flow, asset, alert) use HASH_ID_KEY and must never
 * change from release to release: a test holds the values. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_ID_KEY UINT64_C(0x7479746f2d696431)

static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    __uint128_t m = (__uint128_t)(a ^ UINT64_C(0x9e3779b97f4a7c15)) * (b ^ UINT64_C(0xd6e8feb86659fd93));
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t hash_u64(uint64_t key, uint64_t v)
{
    return hash_mix(key ^ v, UINT64_C(0xa0761d6478bd642f));
}

/* The two values that hash_mix() multiplies by 0 or by -1, whose halves cancel: all that came before would be
 * forgotten. Whoever writes these eight bytes into a name or a packet must gain nothing. */
static inline uint64_t hash_not_zero(uint64_t v)
{
    uint64_t factor = v ^ UINT64_C(0xd6e8feb86659fd93);
    return factor + 1 < 2 ? v ^ 1 : v;
}

/* n bytes at p; any n. Little-endian reads, so ids agree between machines of one byte order (all that Debian ships). */
static inline uint64_t hash_bytes(uint64_t key, const void *p, size_t n)
{
    const uint8_t *b = p;
    uint64_t h = key ^ (n * UINT64_C(0xe7037ed1a0b428db)), v;
    for (; n >= 8; n -= 8, b += 8) {
        memcpy(&v, b, 8);
        h = hash_mix(h, hash_not_zero(v));
    }
    v = 0;
    if (n)
        memcpy(&v, b, n);
    return hash_mix(h ^ v, UINT64_C(0x8ebc6af09c88c6e3));
}

/* For telling whether bytes are the same as others were, at half the cost; not for ids. secret: not known to whoever
 * makes the bytes, else two could be made that count as the same. */
static inline uint64_t hash_same(uint64_t secret, const void *p, size_t n)
{
    const uint8_t *b = p;
    uint64_t h = secret ^ (n * UINT64_C(0xe7037ed1a0b428db)), v[2] = {0, 0};
    for (; n > 16; n -= 16, b += 16) {
        memcpy(v, b, 16);
        h = hash_mix(h ^ v[0], secret ^ v[1]);
    }
    v[0] = v[1] = 0;
    if (n >= 8) { /* the two may overlap: n is in h */
        memcpy(&v[0], b, 8);
        memcpy(&v[1], b + n - 8, 8);
    } else {
        for (size_t i = 0; i < n; i++)
            v[0] = v[0] << 8 | b[i];
    }
    return hash_mix(h ^ v[0], secret ^ v[1]);
}

/* Of the 16 bytes of an address; not for ids. */
static inline uint64_t hash_16(uint64_t key, const void *p)
{
    uint64_t v[2];
    memcpy(v, p, sizeof v);
    return hash_mix(v[0] ^ key, hash_not_zero(v[1]));
}
