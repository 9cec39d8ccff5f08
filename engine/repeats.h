/* repeats.h: messages of which the first of a kind was told with all it holds: one that breaks its standard, or that a
 * rule tells of by itself.
 *
 * While the alerts' window lasts, those after it are counted, and told as a number: once a minute, and before they are
 * forgotten. So a device that sends the same wrong message a thousand times a minute costs the collector little, and
 * its alert's count is right.
 *
 * Sets of eight: the digests of a set fill one cache line. A full set gives up the kind that was quiet longest. */
#pragma once

#include "engine/base/arena.h"
#include "engine/base/record.h"

enum { REPEAT_WAYS = 8 };

struct repeat {
    uint64_t window;       /* in which it was told: a window's number */
    struct rec_anomaly is; /* count: since it was told last; total: in the window */
};
struct repeat_set {
    uint64_t digests[REPEAT_WAYS]; /* 0 free */
    struct repeat of[REPEAT_WAYS];
};
struct repeats {
    struct repeat_set *sets;
    uint32_t mask, waiting; /* waiting: kinds with something that was only counted */
    uint64_t window_ns;
    uint64_t evicted;
    void (*tell)(void *arg, const struct rec_anomaly *r);
    void *arg;
};

#define REPEATS_LEAST_NS UINT64_C(60000000000) /* repeats_flush() is called that often: a window is no shorter */

/* n kinds: a power of two, at least REPEAT_WAYS. mem owns the memory: repeats_bytes(n) of it. */
int repeats_init(struct repeats *t, uint32_t n, uint64_t window_ns, struct arena *mem) MUST_USE;
size_t repeats_bytes(uint32_t n);

static inline void repeats_fetch(const struct repeats *t, uint64_t digest) /* is on its way to the cache */
{
    __builtin_prefetch(t->sets[digest >> 8 & t->mask].digests);
}

struct repeat_seen {
    uint64_t digest; /* of its kind */
    uint64_t ts_ns;
    uint32_t frame;
    uint16_t file;
};
/* NULL: it was counted. Else it is new in this window and to be told: the record that speaks of it from now on, for the
 * caller to say what it is (time, packet and counts are there). */
struct rec_anomaly *repeats_see(struct repeats *t, const struct repeat_seen *m);
/* Tells what was counted: once a minute, at the end, and before time is set back (after which all is new). */
void repeats_flush(struct repeats *t);
void repeats_clear(struct repeats *t);
