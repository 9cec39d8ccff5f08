/* limits_conf.c: the table of limits.def. */
#include "engine/base/limits_conf.h"

#include <stddef.h>

const struct limit_row limit_rows[] = {
#define LIMIT(key, def, least, most, bytes, why, at)                                                                   \
    {#key, def, least, most, bytes, offsetof(struct limits, key), why, at},
#include "engine/base/limits.def"
#undef LIMIT
    {.key = NULL},
};

void limits_default(struct limits *l)
{
    for (const struct limit_row *r = limit_rows; r->key; r++)
        limits_set(l, r, r->def);
}

uint64_t limits_sum(const struct limits *l)
{
    uint64_t sum = 0;
    for (const struct limit_row *r = limit_rows; r->key; r++)
        sum += limits_get(l, r) * r->bytes;
    return sum;
}
