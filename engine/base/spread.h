/* spread.h: which shard a pair of addresses belongs to. The rule is in 32-bit arithmetic, without a table, because the
 * kernel works it out as well, in classic BPF, to spread an interface's packets over the workers (capture/fanout.c).
 *
 * An address is four words; each goes through a step. The two ends are added, so both directions meet; the sum is mixed
 * once more, and its upper six bits are the shard. A packet to a group belongs to its sender alone. */
#pragma once

#include "engine/base/addr.h"
#include "engine/base/limits.h"

#define SPREAD_M1 UINT32_C(0x9e3779b1)
#define SPREAD_M2 UINT32_C(0x85ebca77)
#define SPREAD_M3 UINT32_C(0xc2b2ae3d)
enum { SPREAD_R1 = 15, SPREAD_R2 = 13, SPREAD_BITS = 6 };
_Static_assert(1 << SPREAD_BITS == N_SHARDS, "the shard is the upper bits");

static inline uint32_t spread_step(uint32_t h, uint32_t word)
{
    h = (h ^ word) * SPREAD_M1;
    return h ^ h >> SPREAD_R1;
}

/* The last of an address's words has been taken in. */
static inline uint32_t spread_end(uint32_t h)
{
    h *= SPREAD_M2;
    return h ^ h >> SPREAD_R2;
}

/* What an IPv4 address begins with: ::ffff */
#define SPREAD_V4 (UINT32_C(0xffff) * SPREAD_M1 ^ UINT32_C(0xffff) * SPREAD_M1 >> SPREAD_R1)

static inline uint32_t spread_word(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap32(v);
}

static inline uint32_t spread_addr(const struct addr *a)
{
    uint32_t h = spread_step(0, spread_word(a->b));
    h = spread_step(h, spread_word(a->b + 4));
    h = spread_step(h, spread_word(a->b + 8));
    return spread_end(spread_step(h, spread_word(a->b + 12)));
}

/* The same of an IPv4 address, of which three steps are known. */
static inline uint32_t spread_ip4(uint32_t a)
{
    return spread_end(spread_step(SPREAD_V4, a));
}

/* 0..N_SHARDS-1, of the hashes of both ends. */
static inline uint32_t spread_pair(uint32_t a, uint32_t b)
{
    uint32_t s = (a + b) * SPREAD_M3;
    return (s ^ s >> SPREAD_R1) * SPREAD_M1 >> (32 - SPREAD_BITS);
}

static inline uint32_t spread_ip4_pair(uint32_t src, uint32_t dst)
{
    uint32_t a = spread_ip4(src);
    return spread_pair(a, dst >> 28 == 0xe || dst == UINT32_MAX ? a : spread_ip4(dst));
}

static inline uint32_t spread_shard(const struct addr *src, const struct addr *dst)
{
    uint32_t a = spread_addr(src);
    return spread_pair(a, addr_is_group(dst) ? a : spread_addr(dst));
}
