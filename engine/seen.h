/* seen.h: messages that say once more what one before them said: the same ends, function, objects, anomalies and
 * outcome, and no error. What that one told of facts and rules holds for them too: their facts are counted where they
 * stand, and of the rules only those are asked that look at more than what was compared (values, fields, ports, times).
 *
 * A memory, not a state: what is forgotten is found out again, with the same result. */
#pragma once

#include "engine/facts.h"
#include "rules/rules.h"

enum { SEEN_FACTS = 18, SEEN_RULES = 5, SEEN_NOT_KEPT = 255 };
/* A message with more facts is kept in as many entries as they need, the further ones without rules. */
enum { SEEN_PARTS = (EV_MAX_ITEMS + SEEN_FACTS - 1) / SEEN_FACTS };

struct seen_msg { /* one cache line */
    uint64_t digest;            /* 0 free */
    uint32_t moved;             /* the sum of fact_slot.moved of its facts, which only grows, when they were there */
    uint8_t n_facts;            /* here and in further entries */
    uint8_t n_rules;            /* SEEN_NOT_KEPT: more than can be kept; it is judged as a new one */
    uint16_t rules[SEEN_RULES]; /* entries to ask */
    uint16_t facts[SEEN_FACTS]; /* slots; messages with facts beyond the 65,536th are not kept */
    uint32_t follow;            /* entry of the message that followed in a flow the last time, and SEEN_NEAR */
};
_Static_assert(sizeof(struct seen_msg) == 64, "one cache line");

struct seen_table {
    struct seen_msg *msgs;
    uint32_t mask;
    uint32_t frame; /* of the last message */
    uint64_t key;   /* of digests: shards that share msgs have one each */
};

/* n: power of two. mem owns the memory: seen_bytes(n) of it. */
int seen_init(struct seen_table *t, uint32_t n, struct arena *mem) MUST_USE;
size_t seen_bytes(uint32_t n);

/* What rules_narrow() takes for alike, as a number; 0: a message with an error, or late. base: of ends, protocol,
 * function, selector, unit and action (report.c). */
uint64_t seen_digest(uint64_t key, uint64_t base, const struct event *e);
/* NULL: not seen. A digest has two places. */
static inline const struct seen_msg *seen_find(const struct seen_table *t, uint64_t digest)
{
    const struct seen_msg *m = &t->msgs[digest >> 8 & t->mask];
    if (__builtin_expect(m->digest != digest, 0))
        m = &t->msgs[(digest >> 8 & t->mask) ^ 1];
    return m->digest == digest && digest ? m : NULL;
}
/* Do the n facts of this entry still stand where they stood? */
static inline bool seen_stands(const struct seen_msg *m, unsigned n, const struct fact_set *facts)
{
    uint32_t moved = 0;
    for (unsigned i = 0; i < n; i++)
        moved += facts->slots[m->facts[i]].moved;
    return moved == m->moved;
}
/* The facts of *m are seen at ts. False, and nothing is: not all of its entries or facts are there any more. */
bool seen_count_all(const struct seen_table *t, const struct seen_msg *m, struct fact_set *facts, uint64_t ts_ns);
static inline bool seen_count(const struct seen_table *t, const struct seen_msg *m, struct fact_set *facts,
                              uint64_t ts_ns)
{
    if (__builtin_expect(m->n_facts > SEEN_FACTS, 0))
        return seen_count_all(t, m, facts, ts_ns);
    if (!seen_stands(m, m->n_facts, facts))
        return false;
    for (unsigned i = 0; i < m->n_facts; i++)
        fact_again(facts, m->facts[i], ts_ns);
    return true;
}
/* What a flow remembers of its messages, to have on the way what its next one needs: the last one's entry and that of
 * the one that followed it the last time. A wish what to fetch, nothing more. */
#define SEEN_NEAR UINT32_C(0x80000000) /* in the same packet */
struct seen_path {
    uint32_t last, next;
};
static inline __attribute__((always_inline)) void seen_fetch(const struct seen_table *t, uint32_t at)
{
    __builtin_prefetch(&t->msgs[at & ~SEEN_NEAR & t->mask]);
}
/* What hangs on it, when that is near by now: the first of its facts, and the next one, which is most often of the same
 * packet where there is more than one. */
static inline __attribute__((always_inline)) void seen_fetch_on(const struct seen_table *t, uint32_t at,
                                                                const struct fact_set *facts)
{
    const struct seen_msg *m = &t->msgs[at & ~SEEN_NEAR & t->mask];
    __builtin_prefetch(&facts->slots[m->facts[0] & (facts->n - 1)]);
    __builtin_prefetch(&facts->slots[m->facts[1] & (facts->n - 1)]);
    seen_fetch(t, m->follow);
}
/* *m is the message that is told now. What follows it is written where another one was expected. */
static inline void seen_follows(struct seen_table *t, struct seen_path *p, const struct seen_msg *m,
                                const struct fact_set *facts, uint32_t frame)
{
    uint32_t at = (uint32_t)(m - t->msgs) | (frame == t->frame ? SEEN_NEAR : 0);
    if (p->next != at)
        t->msgs[p->last & ~SEEN_NEAR & t->mask].follow = at;
    p->last = at;
    p->next = m->follow;
    t->frame = frame;
    if (p->next & SEEN_NEAR)
        seen_fetch_on(t, p->next, facts);
}
/* The message told nothing new, and its facts stand in these slots. Kept where few enough rules remain to be asked. */
/* The n messages of these digests as one, whose facts are all of theirs; its digest. 0: not all of them are there, or
 * one has rules to be asked, or there are too many facts. */
uint64_t seen_join(struct seen_table *t, const uint64_t digests[], unsigned n, const struct fact_set *facts);
void seen_keep(struct seen_table *t, uint64_t digest, const struct fact_set *facts, const uint32_t slots[],
               const struct ruleset *rs, const struct rule_input *in);
