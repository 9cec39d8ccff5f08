/* limits_conf.h: the sizes of all tables as one struct with defaults, bounds and reasons (limits.def). */
#pragma once

#include <stdint.h>

struct limits {
#define LIMIT(key, def, least, most, bytes, why, at) uint64_t key;
#include "engine/base/limits.def"
#undef LIMIT
};

struct limit_row {
    const char *key;
    uint64_t def, least, most;
    uint32_t bytes; /* of one entry */
    uint32_t off;   /* of the uint64_t in struct limits */
    const char *why, *at_bound;
};
extern const struct limit_row limit_rows[]; /* ends with key NULL */

void limits_default(struct limits *l);
static inline uint64_t limits_get(const struct limits *l, const struct limit_row *r)
{
    return *(const uint64_t *)(const void *)((const char *)l + r->off);
}
static inline void limits_set(struct limits *l, const struct limit_row *r, uint64_t v)
{
    *(uint64_t *)(void *)((char *)l + r->off) = v;
}
/* Bytes of all tables together. */
uint64_t limits_sum(const struct limits *l);
