/* facts.h: what a shard has already told the collector. A fact that was seen before is counted, nothing more.
 *
 * Sets of eight: the digests of a set fill one cache line, the counters lie apart. A full set evicts the one that was
 * used least recently: its counts go out, and the fact is told again when it comes back. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/arena.h"
#include "engine/base/limits.h"

enum { FACT_WAYS = 8, FACT_ERRORS = 4, FACT_FAILED_WAYS = 4 };

struct fact_slot { /* two in a cache line */
    uint64_t last_ns;
    uint32_t count, errors;    /* since the last flush */
    uint32_t period_us;        /* running mean of the interval, 1/8 new */
    uint32_t next_dirty;
    uint8_t dirty, n_known, hand; /* of the errors told */
    uint8_t served;            /* that the server did it was told: the shard's to set */
    uint32_t moved;            /* facts that have stood here: who remembers a slot remembers this */
};
_Static_assert(sizeof(struct fact_slot) == 32, "a slot never lies across two cache lines");

struct fact_errors {
    uint32_t known[FACT_ERRORS]; /* error statuses told, +1 */
};

/* Errors that were told and only counted since: few messages fail, so they have no counters in the slots, but a table
 * of their own. Its sets are of four: what stands there longest is told before it makes room. */
struct fact_failed {
    uint64_t digest, last_ns;
    uint32_t error, count; /* count: since it was told last; 0: free */
};

struct fact_set {
    uint64_t *digests;         /* 0 free */
    struct fact_slot *slots;
    struct fact_errors *errors; /* of each slot; read only when something failed */
    uint32_t n, mask;          /* n: power of two; mask: of set indices */
    uint32_t dirty;            /* slots counted since the last flush, newest first */
    uint32_t n_failed;
    uint64_t evicted;
    struct fact_failed failed[LIM_FAILED];
};
enum { FACT_NONE = UINT32_MAX };

/* mem owns the memory: fact_set_bytes(n) of it. */
int fact_set_init(struct fact_set *s, uint32_t n, struct arena *mem) MUST_USE;
size_t fact_set_bytes(uint32_t n);
void fact_set_clear(struct fact_set *s); /* a new time begins: everything is told again */

struct fact_hit {
    bool is_new, new_error;
    bool evicted;              /* another fact made room: its counts are in `old` */
    uint32_t slot;             /* where it stands, as long as its `moved` stays what it is */
    uint64_t old_digest;
    struct fact_slot old;
    struct fact_failed failed; /* count not 0: that was counted of an error which made room */
};
/* A fact stands in the place of its set that its digest prefers, where that was free: its counters can be fetched
 * before the digests are compared. */
static inline uint32_t fact_base_of(const struct fact_set *s, uint64_t digest)
{
    return (uint32_t)(digest >> 8 & s->mask) * FACT_WAYS;
}
static inline uint32_t fact_way_of(uint64_t digest)
{
    return digest >> 4 & (FACT_WAYS - 1);
}
/* The fact is looked for soon. */
static inline void fact_prefetch(const struct fact_set *s, uint64_t digest)
{
    uint32_t base = fact_base_of(s, digest);
    __builtin_prefetch(&s->digests[base]);
    __builtin_prefetch(&s->slots[base + fact_way_of(digest)]);
}
/* See the fact at ts. error: the status of a failure + 1, 0 none. digest must not be 0. */
void fact_see(struct fact_set *s, uint64_t digest, uint64_t ts_ns, uint32_t error, struct fact_hit *ret);
/* The same of a known fact that stands in `slot`, without an error. */
void fact_again(struct fact_set *s, uint32_t slot, uint64_t ts_ns);
/* The next counted slot since the last flush, its counts reset; false at the end. */
bool fact_flush(struct fact_set *s, uint64_t *digest, struct fact_slot *ret);
/* The same of the errors, each as what it was counted for. */
bool fact_flush_failed(struct fact_set *s, struct fact_failed *ret);
