/* copies.h: datagrams and frames of a shard that were here a moment ago. A mirror port copies them both ways, and
 * others may come in between; PRP and HSR (IEC 62439-3) deliver each frame over two LANs, which differ in delay.
 *
 * A bounded memory of digests: what is forgotten too early is processed a second time, nothing more. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/limits.h"

struct copies {
    struct copy_seen {
        uint64_t digest; /* its low four bits: the LAN, or nothing */
        uint64_t ts_ns;
    } of[LIM_COPIES] __attribute__((aligned(64)));
};

static inline bool copies_near(uint64_t a_ns, uint64_t b_ns, uint64_t window_ns)
{
    return (a_ns > b_ns ? a_ns - b_ns : b_ns - a_ns) <= window_ns;
}
/* It was here. */
void copies_add(struct copies *c, uint64_t digest, uint64_t ts_ns);
/* Was the same within window_ns? */
bool copies_has(struct copies *c, uint64_t digest, uint64_t ts_ns, uint64_t window_ns);
/* Did the same frame come over another LAN? Else it is here from now on. digest: of its sender's address and its
 * sequence number too. */
bool copies_twin(struct copies *c, uint64_t digest, uint8_t lan, uint64_t ts_ns);
