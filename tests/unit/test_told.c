/* test_told.c: what need not be told of thresholds: with what is left of the hits, and what is told later, each count is
 * reached by the same message as with all of them. */
#include <stdio.h>

#include "tests/unit/suite.h"

#include "engine/told.h"
#include "tests/unit/rules_fixture.h"

static const uint64_t second = 1000000000;

static struct arena mem;
static struct told_table told;
static struct ruleset *set;
static struct rule_state *all, *some; /* of all messages; of what is told */
static struct event ev;
static uint64_t n_again;

static void again(void *arg, const struct rec_counted *r)
{
    (void)arg;
    n_again++;
    rule_again(some, r);
}

static void counts_begin(void)
{
    struct err e;
    rule_state_free(all);
    rule_state_free(some);
    ck_assert_int_eq(rule_state_new(set, 1 << 20, 7, &all, &e), 0);
    ck_assert_int_eq(rule_state_new(set, 1 << 20, 7, &some, &e), 0);
    told_clear(&told);
}

static void start(const char *threshold, uint32_t n)
{
    char text[256];
    struct err e = {""};
    snprintf(text, sizeof text, "- id: USR-1\n  title: t\n  severity: major\n  when: %s\n", threshold);
    const struct rules_text t = {"t.yaml", text, strlen(text), false};
    const struct ruleset_opts o = {.schemas = fx_schemas, .n_schemas = 2, .no_defaults = true, .texts = &t, .n_texts = 1};
    ck_assert_msg(ruleset_load(&o, &set, &e) == 0, "%s", e.text);
    ck_assert_int_eq(arena_open(&mem, told_bytes(n), false), 0);
    ck_assert_int_eq(told_init(&told, n, &mem), 0);
    told.tell = again;
    n_again = 0;
    counts_begin();
    fx_begin(&ev, &fx_alpha, 3, 0);
    ev.has_unit = 1;
}

static void stop(void)
{
    arena_close(&mem);
    rule_state_free(all);
    rule_state_free(some);
    ruleset_free(set);
    all = some = NULL;
}

static bool finish(struct rule_state *st, struct rec_event *r, const uint16_t *hits, unsigned n)
{
    struct rule_verdict v;
    bool met = false;
    r->hits = hits;
    r->n_hits = (uint16_t)n;
    for (unsigned i = 0; i < n; i++)
        met |= rule_finish(st, hits[i], r, NULL, NULL, &v);
    return met;
}

struct seen {
    unsigned hits, told; /* before and behind the filter */
    bool all, some;      /* met: the count of all messages, of what is told */
};

/* One message of station `from`, about unit ev.unit. */
static struct seen send(uint64_t ts_ns, unsigned from, bool one_way)
{
    uint16_t hits[REC_MAX_HITS], left[REC_MAX_HITS];
    const struct addr src = {{10, 0, 0, [15] = (uint8_t)from}}, dst = {{10, 0, 1}};
    struct rule_input in = {.ev = &ev, .src = &src, .dst = &dst, .ts_ns = ts_ns, .l4 = PROTO_TCP};
    struct rec_event r = {.schema = ev.schema, .ts_ns = ts_ns, .src = src, .dst = dst, .function = ev.function,
                          .selector = ev.selector, .unit = ev.unit, .has_unit = ev.has_unit};
    const struct told_message m = {
        .counted = {.client = &src, .server = &dst, .unit = ev.unit, .function = ev.function, .selector = ev.selector,
                    .has_unit = ev.has_unit},
        .ts_ns = ts_ns, .kind = ev.kind, .one_way = one_way};
    struct seen s = {.hits = rules_match(set, &in, hits, REC_MAX_HITS)};
    memcpy(left, hits, sizeof left);
    s.told = told_filter(&told, set, 7, &m, left, s.hits);
    s.all = finish(all, &r, hits, s.hits);
    s.some = finish(some, &r, left, s.told);
    return s;
}

/* Stations that come back to their units at all distances, also with a table that cannot keep them. */
START_TEST(test_same_messages_meet)
{
    static const uint32_t sizes[] = {8, 16, 512};
    for (unsigned k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        unsigned n_met = 0, n_told = 0, n_sent = 0;
        uint64_t rng = k + 1, ts = 1000 * second, minute = ts;
        start("{action: read}\n  threshold: {count: 6, window: 2m, by: src, distinct: unit}", sizes[k]);
        for (unsigned i = 0; i < 300000; i++) {
            uint64_t units = suite_draw(&rng, 5000) == 0 ? 12 : 5; /* most of the time one less than are needed */
            ts += suite_draw(&rng, 50) == 0 ? suite_draw(&rng, 100 * second) : suite_draw(&rng, 2 * second);
            for (; minute + 60 * second <= ts; minute += 60 * second)
                told_flush(&told, set, minute + 60 * second);
            ev.unit = (uint32_t)suite_draw(&rng, units);
            struct seen s = send(ts, (unsigned)suite_draw(&rng, 4), false);
            ck_assert_msg(s.all == s.some, "message %u of table %u: %d, told %d", i, k, s.all, s.some);
            n_sent += s.hits;
            n_told += s.told;
            n_met += s.all;
            if (s.all) /* after that the count starts anew, and not alike */
                counts_begin();
        }
        ck_assert_uint_gt(n_met, 20);
        ck_assert_uint_gt(n_again, 50);
        if (sizes[k] > 100)
            ck_assert_uint_lt(n_told, n_sent / 3);
        stop();
    }
}
END_TEST

/* The count is reached by what came last long after it was told. */
START_TEST(test_kept_in_the_count)
{
    start("{action: read}\n  threshold: {count: 2, window: 2m, by: src, distinct: unit}", 64);
    ev.unit = 1;
    ck_assert_uint_eq(send(600 * second, 1, false).told, 1);
    ck_assert_uint_eq(send(650 * second, 1, false).told, 0);
    told_flush(&told, set, 660 * second); /* stays in the count until 720: time enough */
    ck_assert_uint_eq(n_again, 0);
    told_flush(&told, set, 720 * second);
    ck_assert_uint_eq(n_again, 1);
    ev.unit = 2;
    struct seen s = send(765 * second, 1, false);
    ck_assert(s.all && s.some);
    told_flush(&told, set, 780 * second); /* nothing came since */
    ck_assert_uint_eq(n_again, 1);
    stop();
}
END_TEST

START_TEST(test_what_is_always_told)
{
    static const char *const whens[] = {
        "{action: read}\n  threshold: {count: 9, window: 2m, by: src}",                    /* counts messages */
        "{action: read}\n  threshold: {count: 9, window: 119s, by: src, distinct: unit}",  /* too short */
        "{action: read, src_role: hmi}\n  threshold: {count: 9, window: 2m, by: src, distinct: unit}",
        "{action: read}", /* no threshold */
    };
    for (unsigned k = 0; k < sizeof whens / sizeof whens[0]; k++) {
        start(whens[k], 64);
        for (unsigned i = 0; i < 5; i++)
            ck_assert_uint_eq(send((100 + i) * second, 1, false).told, 1);
        stop();
    }
    /* What has no unit is not counted, so it is not told. */
    start("{action: read}\n  threshold: {count: 2, window: 2m, by: src, distinct: unit}", 64);
    ev.has_unit = 0;
    struct seen s = send(second, 1, false);
    ck_assert(s.hits == 1 && s.told == 0 && !s.all);
    stop();
    /* A question whose answer nobody would have seen is no silence, until both directions are seen. */
    start("{kind: request}\n  threshold: {count: 2, window: 2m, by: src, distinct: unit}", 64);
    ev.kind = EV_REQUEST;
    ck_assert_uint_eq(send(second, 1, true).told, 1);
    ck_assert_uint_eq(send(2 * second, 1, true).told, 1);
    ck_assert_uint_eq(send(3 * second, 1, false).told, 1);
    ck_assert_uint_eq(send(4 * second, 1, false).told, 0);
    ck_assert_uint_eq(send(2 * second, 1, false).told, 1); /* time was set back */
    stop();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("told");
    TCase *t = tcase_create("told");
    tcase_add_test(t, test_same_messages_meet);
    tcase_add_test(t, test_kept_in_the_count);
    tcase_add_test(t, test_what_is_always_told);
    suite_add_tcase(s, t);
    return suite_end(s);
}
