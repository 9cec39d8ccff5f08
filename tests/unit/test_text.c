/* test_text.c: texts made without printf are those that it makes. */
#include <stdarg.h>
#include <stdio.h>

#include "engine/base/err.h"
#include "engine/base/text.h"

#include "tests/unit/suite.h"

enum { ROOM = 24 };

/* Both with room for some of it, for all of it, and for less than that. */
static PRINTF(1, 2) void same(const char *fmt, ...)
{
    for (unsigned cap = 1; cap <= ROOM; cap++) {
        char want[ROOM], got[ROOM + 1];
        va_list a, b;
        va_start(a, fmt);
        va_copy(b, a);
        int n = vsnprintf(want, cap, fmt, a);
        memset(got, '#', sizeof got);
        unsigned k = text_vfmt(got, cap, fmt, b);
        va_end(a);
        va_end(b);
        ck_assert_uint_eq(k, (unsigned)n < cap ? (unsigned)n : cap - 1);
        ck_assert_msg(memcmp(want, got, k) == 0, "\"%s\": %.*s, not %s", fmt, (int)k, got, want);
        ck_assert_int_eq(got[cap], '#');
    }
}

static const char *nothing;

START_TEST(plain_forms)
{
    const char text[] = {'a', 'b', 'c', 0, 'd'};
    same("nothing");
    same("100%% of it");
    same("%s", "");
    same("%s%u", "DB", 17u);
    same("%c%u/0x%02x/%u[%u-%u]", 'E', 1u, 0xabu, 0u, UINT32_MAX, 9u);
    same("%.*s", 0, *(const char *volatile *)&nothing); /* an empty span may point nowhere */
    same("%.*s %s", 2, text, "active");
    same("%.*s|%.*s", 5, text, 0, text);
    same("%u.%u.%u.%u:%u", 10u, 0u, 255u, 1u, 47808u);
}
END_TEST

START_TEST(numbers)
{
    static const unsigned some[] = {0, 1, 9, 10, 15, 16, 99, 0xff, 1000, 0xffff, 0x10000, 123456789, UINT32_MAX};
    for (unsigned i = 0; i < sizeof some / sizeof some[0]; i++) {
        same("%u %x", some[i], some[i]);
        same("%u.%03u", some[i], some[i]);
        same("0x%04x:%08x", some[i], some[i]);
        same("%llu %llx", some[i] * 0x123456789ull, some[i] * 0x123456789ull);
    }
    same("%llu", ~0ull);
}
END_TEST

/* These are left to printf. */
START_TEST(other_forms)
{
    same("%s,%lld", "1.3.9999", -5ll);
    same("%d %u", -1, 2u);
    same("%5u|%-4s|%10x", 1u, "a", 2u);
    same("%u %.3g", 7u, 0.5);
    same("%02X%zu", 10u, (size_t)3);
    same("%.*s", -1, "all of it");
    same("%.2s", "cut");
}
END_TEST

SUITE("text", 60, plain_forms, numbers, other_forms)
