/* copies.c: what is a copy of what was here before. */
#include "engine/copies.h"

enum {
    WAYS = 4, /* places of a digest: one cache line */
    LAN = 15,
};
/* IEC 62439-3:2016 4.3: EntryForgetTime, after which a node takes the same number for another frame. */
static const uint64_t forget_ns = 400000000;

static struct copy_seen *places(struct copies *c, uint64_t digest)
{
    return &c->of[(digest >> 32) % (LIM_COPIES / WAYS) * WAYS];
}

/* In its own place, or in that of the oldest. */
static void put(struct copy_seen *set, uint64_t digest, uint64_t ts_ns)
{
    struct copy_seen *to = set;
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].digest == digest) {
            to = &set[i];
            break;
        }
        if (set[i].ts_ns < to->ts_ns)
            to = &set[i];
    }
    *to = (struct copy_seen){digest, ts_ns};
}

void copies_add(struct copies *c, uint64_t digest, uint64_t ts_ns)
{
    digest &= ~(uint64_t)LAN;
    put(places(c, digest), digest, ts_ns);
}

bool copies_has(struct copies *c, uint64_t digest, uint64_t ts_ns, uint64_t window_ns)
{
    digest &= ~(uint64_t)LAN;
    const struct copy_seen *set = places(c, digest);
    for (unsigned i = 0; i < WAYS; i++)
        if (set[i].digest == digest)
            return copies_near(set[i].ts_ns, ts_ns, window_ns);
    return false;
}

bool copies_twin(struct copies *c, uint64_t digest, uint8_t lan, uint64_t ts_ns)
{
    digest = (digest & ~(uint64_t)LAN) | (lan & LAN);
    struct copy_seen *set = places(c, digest);
    for (unsigned i = 0; i < WAYS; i++) {
        uint64_t differs = set[i].digest ^ digest;
        if (differs && differs <= LAN && copies_near(set[i].ts_ns, ts_ns, forget_ns))
            return true;
    }
    put(set, digest, ts_ns);
    return false;
}
