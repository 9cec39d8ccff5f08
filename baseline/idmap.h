/* idmap.h: stored id to table index, while a store is loaded. It grows as needed: loading is not the packet path. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct idmap {
    uint64_t *ids; /* 0: free slot */
    uint32_t *at;
    uint32_t n, cap;
};
bool idmap_put(struct idmap *m, uint64_t id, uint32_t at); /* false: no memory */
uint32_t idmap_get(const struct idmap *m, uint64_t id);    /* 0: none */
void idmap_done(struct idmap *m);
