/* test_tz.c: local time by POSIX rules and zone files, never by the environment. */
#include "engine/base/tz.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tz tz;

static void load(const char *name)
{
    struct err e = {""};
    ck_assert_msg(tz_load(&tz, name, &e) == 0, "%s", e.text);
}

static const char *local(int64_t unix_s)
{
    static char out[64];
    struct tz_time t;
    tz_local(&tz, (uint64_t)unix_s * 1000000000u, &t);
    snprintf(out, sizeof out, "%04d-%02u-%02u %02u:%02u:%02u %u %u %+d", t.year, t.month, t.day, t.hour, t.minute,
             t.second, t.wday, t.yday, t.off);
    return out;
}

START_TEST(test_utc)
{
    tz_utc(&tz);
    ck_assert_str_eq(local(0), "1970-01-01 00:00:00 4 0 +0");
    ck_assert_str_eq(local(951827696), "2000-02-29 12:34:56 2 59 +0");
    ck_assert_str_eq(local(4102444799), "2099-12-31 23:59:59 4 364 +0");
    ck_assert_int_eq(tz_offset(NULL, 0), 0);
    load("UTC");
    ck_assert_str_eq(tz.name, "UTC");
}
END_TEST

START_TEST(test_posix)
{
    load("CET-1CEST,M3.5.0,M10.5.0/3");
    /* 2026-03-29 01:00 UTC clocks go forward, 2026-10-25 01:00 UTC back */
    ck_assert_str_eq(local(1774746000 - 1), "2026-03-29 01:59:59 0 87 +3600");
    ck_assert_str_eq(local(1774746000), "2026-03-29 03:00:00 0 87 +7200");
    ck_assert_str_eq(local(1792890000 - 1), "2026-10-25 02:59:59 0 297 +7200");
    ck_assert_str_eq(local(1792890000), "2026-10-25 02:00:00 0 297 +3600");
    /* South of the equator summer spans the new year */
    load("AEST-10AEDT,M10.1.0,M4.1.0/3");
    ck_assert_int_eq(tz_offset(&tz, 1767225600), 11 * 3600);
    ck_assert_int_eq(tz_offset(&tz, 1782864000), 10 * 3600);
    load("<+0330>-3:30");
    ck_assert_int_eq(tz_offset(&tz, 0), 12600);
    load("EST5EDT,M3.2.0,M11.1.0");
    ck_assert_int_eq(tz_offset(&tz, 1767225600), -5 * 3600);
    load("XXX0YYY,J60,J300");
    ck_assert_int_eq(tz_offset(&tz, 1709251200 + 7199), 0); /* 2024-03-01: J60 is 1 March in every year */
    ck_assert_int_eq(tz_offset(&tz, 1709251200 + 7200), 3600);
    /* RFC 8536 3.3.1: hours beyond a day */
    load("<-02>2<-01>,M3.5.0/-1,M10.5.0/0");
    ck_assert_int_eq(tz_offset(&tz, 1774746000), -3600);
}
END_TEST

START_TEST(test_unix)
{
    load("CET-1CEST,M3.5.0,M10.5.0/3");
    ck_assert_int_eq(tz_unix(&tz, 2026, 1, 5, 10, 11, 12), 1767604272);
    ck_assert_int_eq(tz_unix(&tz, 2026, 7, 1, 0, 0, 0), 1782856800);
    ck_assert_int_eq(tz_unix(&tz, 2026, 10, 25, 2, 30, 0), 1792890000 - 1800); /* twice: the first */
    ck_assert_int_eq(tz_unix(&tz, 2026, 3, 29, 2, 30, 0), 1774746000 + 1800);  /* never: as if not moved */
    for (int64_t t = 1774700000; t < 1774800000; t += 1777) {
        struct tz_time x;
        tz_local(&tz, (uint64_t)t * 1000000000u, &x);
        ck_assert_int_eq(tz_unix(&tz, x.year, x.month, x.day, x.hour, x.minute, x.second), t);
    }
}
END_TEST

START_TEST(test_refused)
{
    static const char *const bad[] = {"",
                                      "Europe/Nowhere",
                                      "../../etc/passwd",
                                      "/etc/passwd",
                                      "CES",
                                      "CET-1CEST",
                                      "CET-1CEST,M3.5.0",
                                      "CET-1CEST,M13.5.0,M10.5.0",
                                      "CET-1CEST,M3.6.0,M10.5.0",
                                      "CET-1CEST,J0,J5",
                                      "CET-25",
                                      "CET-1x",
                                      "<AB>1",
                                      "CET-1CEST,M3.5.0,M10.5.0/168"};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = {""};
        ck_assert_msg(tz_load(&tz, bad[i], &e) == -EINVAL, "'%s' was taken", bad[i]);
        ck_assert(e.text[0]);
    }
}
END_TEST

/* A small TZif file, version 2: one transition at 1000000000 from -1 h to +1 h, footer "<X1>-1". */
static uint32_t make_file(uint8_t *p)
{
    static const uint8_t v1[] = {'T', 'Z', 'i', 'f', '2', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                 0,   0,   0,   0,   0,   0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t v2[] = {'T',  'Z',  'i',  'f', '2', 0,    0,    0,    0,    0,   0,   0,   0,   0,    0,    0,
                                 0,    0,    0,    0,   0,   0,    0,    0,    0,    0,   0,   0,   0,   0,    0,    0,
                                 0,    0,    0,    1,   0,   0,    0,    2,    0,    0,   0,   4,   0,   0,    0,    0,
                                 0x3b, 0x9a, 0xca, 0,   1,   0xff, 0xff, 0xf1, 0xf0, 0,   0,   0,   0,   0x0e, 0x10, 0,
                                 0,    'A',  'B',  'C', 0,   '\n', '<',  '+',  '0',  '1', '>', '-', '1', '\n'};
    memcpy(p, v1, sizeof v1);
    memcpy(p + sizeof v1, v2, sizeof v2);
    return sizeof v1 + sizeof v2;
}

START_TEST(test_file)
{
    uint8_t buf[256];
    uint32_t n = make_file(buf);
    struct err e = {""};
    ck_assert_msg(tz_parse_file(&tz, buf, n, &e) == 0, "%s", e.text);
    ck_assert_int_eq(tz_offset(&tz, 999999999), -3600);
    ck_assert_int_eq(tz_offset(&tz, 1000000000), 3600);
    /* Every prefix and every changed byte is read or refused, never more */
    for (uint32_t i = 0; i < n; i++) {
        uint8_t *exact = malloc(i ? i : 1);
        memcpy(exact, buf, i);
        ck_assert(tz_parse_file(&tz, exact, i, &e) < 0);
        free(exact);
    }
    for (uint32_t i = 0; i < n; i++)
        for (unsigned v = 0; v < 4; v++) {
            static const uint8_t bytes[] = {0, 0x7f, 0x80, 0xff};
            uint8_t was = buf[i];
            buf[i] = bytes[v];
            if (tz_parse_file(&tz, buf, n, &e) == 0)
                (void)tz_offset(&tz, 1000000000);
            buf[i] = was;
        }
}
END_TEST

/* Where the zone files are installed the file and its rule agree. */
START_TEST(test_system)
{
    struct err e;
    if (tz_load(&tz, "Europe/Berlin", &e) < 0)
        return;
    setenv("TZ", "Asia/Tokyo", 1);
    ck_assert_str_eq(local(1774746000), "2026-03-29 03:00:00 0 87 +7200");
    ck_assert_str_eq(local(1792890000), "2026-10-25 02:00:00 0 297 +3600");
    ck_assert_int_eq(tz_offset(&tz, 3010000000), 7200); /* beyond the table: the footer's rule */
    ck_assert_int_eq(tz_offset(&tz, 0), 3600);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tz");
    TCase *t = tcase_create("tz");
    tcase_add_test(t, test_utc);
    tcase_add_test(t, test_posix);
    tcase_add_test(t, test_unix);
    tcase_add_test(t, test_refused);
    tcase_add_test(t, test_file);
    tcase_add_test(t, test_system);
    suite_add_tcase(s, t);
    return suite_end(s);
}
