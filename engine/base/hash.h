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

/* n bytes at p; any n. Little-endian reads, so ids agree between machines of one byte order (all that Debian ships). */
static inline uint64_t hash_bytes(uint64_t key, const void *p, size_t n)
{
    const uint8_t *b = p;
    uint64_t h = key ^ (n * UINT64_C(0xe7037ed1a0b428db)), v;
    for (; n >= 8; n -= 8, b += 8) {
        memcpy(&v, b, 8);
        h = hash_mix(h, v);
    }
    v = 0;
    if (n)
        memcpy(&v, b, n);
    return hash_mix(h ^ v, UINT64_C(0x8ebc6af09c88c6e3));
}

/* Of the 16 bytes of an address. */
static inline uint64_t hash_16(uint64_t key, const void *p)
{
    uint64_t v[2];
    memcpy(v, p, sizeof v);
    return hash_mix(v[0] ^ key, v[1]);
}
