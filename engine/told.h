/* told.h: what a shard has told of thresholds that count different things.
 *
 * A station that polls the same ten objects that do not exist meets such a rule with each poll, and says nothing new
 * with it. For half of the rule's window a thing that was told is not told again; what came meanwhile is told as one
 * small record before the thing would leave the count, so the count is right at any time. After a rule was raised its
 * count starts anew (rules/finish.c): it then counts a thing again when that is told again.
 *
 * Sets of eight: the digests of a set fill one cache line. A full set gives up the thing that was quiet longest, and
 * tells of it. */
#pragma once

#include "engine/base/arena.h"
#include "rules/rules.h"

enum { TOLD_WAYS = 8 };

struct told {
    uint64_t told_ns, last_ns; /* last: met, at told_ns or since */
    struct rule_count count;
    uint32_t hit;
};
struct told_set {
    uint64_t digests[TOLD_WAYS]; /* 0 free */
    struct told of[TOLD_WAYS];
};
struct told_table {
    struct told_set *sets;
    uint32_t mask;
    void (*tell)(void *arg, const struct rec_counted *r);
    void *arg;
};

/* n things: a power of two, at least TOLD_WAYS. mem owns the memory: told_bytes(n) of it. */
int told_init(struct told_table *t, uint32_t n, struct arena *mem) MUST_USE;
size_t told_bytes(uint32_t n);
void told_clear(struct told_table *t); /* a new time begins: everything is told again */

struct told_message {
    struct rule_counted counted;
    uint64_t ts_ns;
    uint8_t kind;
    bool error, one_way; /* one_way: nobody would have seen an answer */
};
/* Leaves of the message's n hits those that are to be told, in their order, and returns how many. What has nothing that
 * its rule counts is not. hash_key: of rules_count_of(). */
unsigned told_filter(struct told_table *t, const struct ruleset *rs, uint64_t hash_key, const struct told_message *m,
                     uint16_t hits[], unsigned n);
/* At each multiple of RULES_AGAIN_NS: of what would leave a count before the next one is told that it was met since. */
void told_flush(struct told_table *t, const struct ruleset *rs, uint64_t ts_ns);
