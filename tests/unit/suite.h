/* suite.h: the main() of a unit test that is one list of tests: SUITE("lldp", 60, identity, broken, ...) with the
 * seconds that one of them may take; or, of several lists, its end. */
#pragma once

#include <check.h>
#include <stdint.h>

/* One of 0 to n - 1, the same ones in every run. */
static inline uint64_t suite_draw(uint64_t *state, uint64_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + 1;
    return (*state >> 33) % n;
}

/* Runs all of it: what main() returns. */
static inline int suite_end(Suite *s)
{
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

static inline int suite_run(const char *name, double seconds, const TTest *const *tests, unsigned n)
{
    Suite *s = suite_create(name);
    TCase *t = tcase_create(name);
    tcase_set_timeout(t, seconds);
    for (unsigned i = 0; i < n; i++)
        tcase_add_test(t, tests[i]);
    suite_add_tcase(s, t);
    return suite_end(s);
}

#define SUITE(name, seconds, ...)                                                                                      \
    int main(void)                                                                                                     \
    {                                                                                                                  \
        const TTest *const tests[] = {__VA_ARGS__};                                                                    \
        return suite_run(name, seconds, tests, sizeof tests / sizeof tests[0]);                                        \
    }
