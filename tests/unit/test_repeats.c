/* test_repeats.c: messages of a kind that was told are counted: each is told of once, by itself or in a number. */
#include "tests/unit/suite.h"

#include "engine/repeats.h"

static const uint64_t second = 1000000000;
enum { KINDS = 40 };

static struct arena mem;
static struct repeats repeats;
static uint64_t told[KINDS], last_ns[KINDS]; /* by kind, which is the record's frame */
static unsigned n_told;

static void on_tell(void *arg, const struct rec_anomaly *r)
{
    (void)arg;
    ck_assert_uint_gt(r->count, 0);
    ck_assert_uint_gt(r->total, r->count); /* the first of a window was told at once */
    ck_assert_uint_ge(r->ts_ns, last_ns[r->flow_id]);
    last_ns[r->flow_id] = r->ts_ns;
    told[r->flow_id] += r->count;
    n_told++;
}

static void start(uint32_t n, uint64_t window_ns)
{
    ck_assert_int_eq(arena_open(&mem, repeats_bytes(n), false), 0);
    ck_assert_int_eq(repeats_init(&repeats, n, window_ns, &mem), 0);
    repeats.tell = on_tell;
    memset(told, 0, sizeof told);
    memset(last_ns, 0, sizeof last_ns);
    n_told = 0;
}

/* True: it is to be told. */
static bool see(unsigned kind, uint64_t ts_ns)
{
    const struct repeat_seen m = {.digest = (kind + 1) * UINT64_C(0x9e3779b97f4a7c15), .ts_ns = ts_ns, .frame = 7};
    struct rec_anomaly *is = repeats_see(&repeats, &m);
    if (!is)
        return false;
    ck_assert(is->ts_ns == ts_ns && is->frame == 7 && is->count == 0 && is->total == 1);
    is->flow_id = kind;
    told[kind]++;
    last_ns[kind] = ts_ns;
    return true;
}

/* Also where a table cannot keep all kinds. */
START_TEST(test_none_is_lost)
{
    static const uint32_t sizes[] = {8, 16, 64};
    for (unsigned k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        uint64_t seen[KINDS] = {0}, at[KINDS] = {0}, rng = k + 1, ts = 0, minute = 0;
        unsigned n_at_once = 0;
        start(sizes[k], 600 * second);
        for (unsigned i = 0; i < 100000; i++) {
            unsigned kind = (unsigned)suite_draw(&rng, i % 3 ? 4 : KINDS);
            ts += suite_draw(&rng, second / 2);
            for (; minute + 60 * second <= ts; minute += 60 * second)
                repeats_flush(&repeats);
            n_at_once += see(kind, ts);
            seen[kind]++;
            at[kind] = ts;
        }
        repeats_flush(&repeats);
        for (unsigned i = 0; i < KINDS; i++)
            ck_assert(told[i] == seen[i] && last_ns[i] == at[i]);
        if (sizes[k] > KINDS)
            ck_assert_uint_lt(n_at_once + n_told, 100000 / 3);
        ck_assert_uint_eq(repeats.waiting, 0);
        arena_close(&mem);
    }
}
END_TEST

START_TEST(test_windows)
{
    start(64, 600 * second);
    ck_assert(see(1, 10 * second));
    ck_assert(!see(1, 20 * second));
    ck_assert(!see(1, 15 * second)); /* older: the last time stays */
    ck_assert(!see(1, 599 * second));
    ck_assert_uint_eq(n_told, 0);
    repeats_flush(&repeats);
    ck_assert(n_told == 1 && told[1] == 4 && last_ns[1] == 599 * second);
    repeats_flush(&repeats);
    ck_assert_uint_eq(n_told, 1);
    ck_assert(!see(1, 599 * second));
    ck_assert(see(1, 600 * second)); /* a new window; what was counted in the old one is told before */
    ck_assert(n_told == 2 && told[1] == 6);
    for (unsigned i = 2; i < REC_REPEAT_MANY; i++)
        ck_assert(!see(1, 601 * second));
    ck_assert_uint_eq(n_told, 2);
    ck_assert(!see(1, 602 * second)); /* so many are told at once */
    ck_assert(n_told == 3 && told[1] == 5 + REC_REPEAT_MANY);
    ck_assert(!see(1, 603 * second));
    repeats_flush(&repeats);
    repeats_clear(&repeats); /* time was set back */
    ck_assert(see(1, 5 * second));
    arena_close(&mem);
    start(64, 10 * second); /* a minute is the shortest */
    ck_assert(see(1, second) && !see(1, 59 * second) && see(1, 60 * second));
    ck_assert(n_told == 1 && told[1] == 3);
    arena_close(&mem);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("repeats");
    TCase *t = tcase_create("repeats");
    tcase_add_test(t, test_none_is_lost);
    tcase_add_test(t, test_windows);
    suite_add_tcase(s, t);
    return suite_end(s);
}
