/* test_seen.c: of messages that the sink knows the facts are counted, all of them or none. */
#include "tests/unit/suite.h"

#include "engine/seen.h"

enum { N_FACTS = 4096, N_SEEN = 4096, KEY = 5, BASE = 6 };

static struct arena mem;
static struct fact_set facts;
static struct seen_table seen;
static struct event ev;
static uint32_t slots[EV_MAX_ITEMS];

/* A message with n objects whose facts are known. */
static uint64_t message(unsigned n, uint64_t anomalies, uint64_t ts_ns)
{
    ev = (struct event){.n_items = (uint8_t)n, .anomalies = anomalies};
    for (unsigned i = 0; i < n || i == 0; i++) {
        struct fact_hit h;
        ev.items[i] = (struct item){.first = i, .last = i, .has_range = 1, .status = ITEM_STATUS_NONE};
        fact_see(&facts, ((uint64_t)n << 40 | (uint64_t)i << 8) + 1, ts_ns, 0, &h);
        slots[i] = h.slot;
    }
    return seen_digest(KEY, BASE, &ev);
}

static const struct seen_msg *keep(unsigned n, uint64_t anomalies)
{
    uint64_t digest = message(n, anomalies, 1000);
    seen_keep(&seen, digest, &facts, slots, NULL, &(struct rule_input){.ev = &ev});
    return seen_find(&seen, digest);
}

static void start(void)
{
    ck_assert_int_eq(arena_open(&mem, fact_set_bytes(N_FACTS) + seen_bytes(N_SEEN), false), 0);
    ck_assert_int_eq(fact_set_init(&facts, N_FACTS, &mem), 0);
    ck_assert_int_eq(seen_init(&seen, N_SEEN, &mem), 0);
}

START_TEST(all_facts_are_counted)
{
    unsigned known = 0;
    for (unsigned n = 0; n <= EV_MAX_ITEMS; n++) {
        start();
        const struct seen_msg *m = keep(n, 0);
        bool all = m && seen_count(&seen, m, &facts, 2000);
        for (unsigned i = 0; i < n || i == 0; i++)
            ck_assert_uint_eq(facts.slots[slots[i]].count, 1u + all);
        ck_assert(all || n > SEEN_FACTS); /* two entries of one message may want the same place */
        known += all;
        arena_close(&mem);
    }
    ck_assert_uint_gt(known, EV_MAX_ITEMS * 9 / 10);
}
END_TEST

START_TEST(a_part_that_is_gone)
{
    start();
    unsigned n = SEEN_FACTS * 2 + 1;
    const struct seen_msg *m = keep(n, 0);
    ck_assert(m && seen_count(&seen, m, &facts, 2000));
    for (unsigned i = 0; i < N_SEEN; i++)
        if (&seen.msgs[i] != m)
            seen.msgs[i].digest ^= 2;
    ck_assert(!seen_count(&seen, m, &facts, 3000));
    for (unsigned i = 0; i < n; i++)
        ck_assert_uint_eq(facts.slots[slots[i]].count, 2);
    arena_close(&mem);
}
END_TEST

START_TEST(a_fact_that_is_gone)
{
    for (unsigned n = 1; n <= SEEN_FACTS + 1; n += SEEN_FACTS / 2) {
        start();
        const struct seen_msg *m = keep(n, 0);
        for (unsigned gone = 0; gone < n; gone++) { /* another one stands there now; then it is told once more */
            facts.slots[slots[gone]].moved++;
            ck_assert(!seen_count(&seen, m, &facts, 2000));
            m = keep(n, 0);
            ck_assert(seen_count(&seen, m, &facts, 2000));
        }
        arena_close(&mem);
    }
}
END_TEST

START_TEST(a_full_set_moves_a_fact)
{
    struct fact_hit h;
    start();
    fact_see(&facts, 1, 1, 0, &h);
    uint32_t slot = h.slot, moved = facts.slots[slot].moved;
    fact_see(&facts, 1, 2, 0, &h);
    ck_assert_uint_eq(facts.slots[slot].moved, moved);
    for (uint64_t i = 1; i <= FACT_WAYS; i++) /* of the same set */
        fact_see(&facts, i << 40 | 1, 10 + i, 0, &h);
    ck_assert(h.evicted && h.slot == slot);
    ck_assert_uint_eq(facts.slots[slot].moved, moved + 1);
    fact_set_clear(&facts);
    ck_assert_uint_eq(facts.slots[slot].moved, moved + 2);
    arena_close(&mem);
}
END_TEST

/* What makes room for another error is told, and nothing counts twice. */
START_TEST(failures_are_counted)
{
    enum { DIGESTS = LIM_FAILED, ROUNDS = 50 };
    uint32_t counts[DIGESTS + 1] = {0};
    struct fact_failed is;
    struct fact_hit h;
    unsigned gone = 0;
    start();
    for (unsigned k = 0; k < ROUNDS; k++)
        for (uint64_t i = 1; i <= DIGESTS; i++) {
            fact_see(&facts, i << 8 | 1, k * 1000 + i, 7, &h);
            ck_assert(h.new_error == (k == 0));
            if (!h.failed.count)
                continue;
            gone++;
            counts[h.failed.digest >> 8] += h.failed.count;
        }
    ck_assert_uint_gt(gone, 0);
    while (fact_flush_failed(&facts, &is)) {
        ck_assert_uint_eq(is.error, 7);
        ck_assert_uint_eq(is.last_ns, (ROUNDS - 1) * 1000 + (is.digest >> 8)); /* of the last round */
        counts[is.digest >> 8] += is.count;
    }
    for (unsigned i = 1; i <= DIGESTS; i++)
        ck_assert_uint_eq(counts[i], ROUNDS);
    fact_see(&facts, 1 << 8 | 1, 100000, 7, &h);
    fact_set_clear(&facts);
    ck_assert(!fact_flush_failed(&facts, &is));
    arena_close(&mem);
}
END_TEST

START_TEST(what_is_not_alike)
{
    start();
    uint64_t plain = message(3, 0, 1), odd = message(3, 2, 1), other = message(3, 4, 1);
    ck_assert(plain && odd && other && plain != odd && odd != other && plain != other);
    ck_assert_uint_eq(message(3, 2, 1), odd);
    ev.items[1].first = 7;
    ck_assert_uint_ne(seen_digest(KEY, BASE, &ev), odd);
    ev.items[1].status = 5; /* of an object */
    ck_assert_uint_eq(seen_digest(KEY, BASE, &ev), 0);
    message(3, 0, 1);
    ev.error = 1;
    ck_assert_uint_eq(seen_digest(KEY, BASE, &ev), 0);
    arena_close(&mem);
}
END_TEST

/* Of three that want the same place two are known, the last one among them. */
START_TEST(two_places)
{
    uint64_t all[3] = {0};
    start();
    seen.mask = 63;
    for (uint64_t i = 0, n = 0; n < 3; i++) {
        uint64_t d = message(1, i, 1);
        if (n == 0 || ((d ^ all[0]) >> 8 & seen.mask) == 0)
            all[n++] = d;
    }
    for (unsigned i = 0; i < 12; i++) {
        seen_keep(&seen, all[i % 3], &facts, slots, NULL, &(struct rule_input){.ev = &ev});
        seen_keep(&seen, all[i % 3], &facts, slots, NULL, &(struct rule_input){.ev = &ev});
        ck_assert_ptr_nonnull(seen_find(&seen, all[i % 3]));
        unsigned others = (seen_find(&seen, all[(i + 1) % 3]) != NULL) + (seen_find(&seen, all[(i + 2) % 3]) != NULL);
        ck_assert_uint_eq(others, i ? 1 : 0);
    }
    arena_close(&mem);
}
END_TEST

SUITE("seen", 10, all_facts_are_counted, a_part_that_is_gone, a_fact_that_is_gone, a_full_set_moves_a_fact,
      failures_are_counted, what_is_not_alike, two_places)
