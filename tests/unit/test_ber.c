/* test_ber.c: BER TLVs and the values in them; each input is an exact-size heap copy. */
#include "dissectors/carrier_ber.h"

#include <check.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/err.h"
#include "tests/unit/suite.h"

static uint32_t from_hex(const char *hex, uint8_t *out, uint32_t max)
{
    uint32_t n = 0;
    for (unsigned v; *hex && n < max; hex += *hex == ' ' ? 1 : 2) {
        if (*hex == ' ')
            continue;
        ck_assert_int_eq(sscanf(hex, "%2x", &v), 1);
        out[n++] = (uint8_t)v;
    }
    return n;
}

/* The bytes of a test, freed by the next one: a sanitizer sees every read beyond them. */
static uint8_t *copy;

static struct cur bytes(const char *hex)
{
    uint8_t b[4096];
    uint32_t n = from_hex(hex, b, sizeof b);
    free(copy);
    copy = malloc(n ? n : 1);
    memcpy(copy, b, n);
    return cur_make(copy, n);
}

static void ber_is(const char *hex, uint32_t id, uint32_t n, uint32_t left)
{
    struct cur c = bytes(hex);
    struct ber t;
    ck_assert_msg(ber_next(&c, &t), "%s", hex);
    ck_assert_msg(t.id == id && t.n == n && cur_left(&t.body) == n && cur_left(&c) == left, "%s: %x %u %u", hex, t.id,
                  t.n, cur_left(&c));
}

static void ber_breaks(const char *hex)
{
    struct cur c = bytes(hex);
    struct ber t = {.id = 1};
    ck_assert_msg(!ber_next(&c, &t) && !cur_ok(&c) && t.id == 0 && cur_left(&t.body) == 0, "%s", hex);
}

START_TEST(test_tlv)
{
    ber_is("800101", BER_CTX(0), 1, 0);
    ber_is("61820003 0000 00 ff", BER_APP(1), 3, 1);
    ber_is("308400000002 0500 0201", BER_UNI(BER_SEQUENCE), 2, 2);
    ber_is("0488 0000000000000001 aa", BER_UNI(BER_OCTETS), 1, 0);
    ber_is("9f1f00", BER_CTX(31), 0, 0);
    ber_is("df8100 01 55", BER_ID(BER_PRIVATE, 128), 1, 0);
    ber_is("bfffffff7f 00", BER_CTX(BER_MAX_NUMBER), 0, 0);
    struct cur c = bytes("");
    struct ber t;
    ck_assert(!ber_next(&c, &t) && cur_ok(&c));
    c = bytes("a0020500 8100");
    ck_assert(ber_next(&c, &t) && t.constructed && ber_number(&t) == 0);
    ck_assert(ber_next(&t.body, &t) && t.id == BER_UNI(BER_NULL) && !t.constructed);
    ck_assert(ber_next(&c, &t) && t.id == BER_CTX(1) && cur_done(&c));
}
END_TEST

START_TEST(test_broken)
{
    static const char *const broken[] = {
        "80", "8002 01", "8081", "8082 01", "9f", "9f81", "9f8001 00", "bfffffffff7f 00", "04ff 00",
        "0485 0100000000 aa", "0484 ffffffff aa", "0000", "0001 aa", "0480 aa 0000", "3080", "3080 00", "3080 0401",
        "3080 04820100 0000", "3080 0001 aa 0000", "3080 3080 0000",
    };
    for (unsigned i = 0; i < ARRAY_LEN(broken); i++)
        ber_breaks(broken[i]);
}
END_TEST

START_TEST(test_indefinite)
{
    ber_is("3080 0000 77", BER_UNI(BER_SEQUENCE), 0, 1);
    ber_is("3080 020105 0000", BER_UNI(BER_SEQUENCE), 3, 0);
    /* End-of-contents inside a definite length is contents. */
    ber_is("3080 0402 0000 0000 01", BER_UNI(BER_SEQUENCE), 4, 1);
    ber_is("3080 a080 020105 0000 8100 0000", BER_UNI(BER_SEQUENCE), 9, 0);
    struct cur c = bytes("3080 a080 020105 0000 8100 0000");
    struct ber t, u;
    ck_assert(ber_next(&c, &t) && t.indefinite);
    ck_assert(ber_next(&t.body, &u) && u.id == BER_CTX(0) && u.n == 3);
    ck_assert(ber_next(&t.body, &u) && u.id == BER_CTX(1) && cur_done(&t.body));
    char deep[2048] = "";
    for (int open = BER_MAX_NESTED; open <= BER_MAX_NESTED + 1; open++) {
        unsigned n = 0;
        for (int i = 0; i < open; i++)
            n += (unsigned)sprintf(deep + n, "3080");
        for (int i = 0; i < open; i++)
            n += (unsigned)sprintf(deep + n, "0000");
        c = bytes(deep);
        ck_assert_int_eq(ber_next(&c, &t), open == BER_MAX_NESTED);
    }
}
END_TEST

START_TEST(test_optional)
{
    struct cur c = bytes("800101 820102 820103");
    struct ber t;
    ck_assert(!ber_take(&c, BER_CTX(1), &t) && t.id == 0 && cur_left(&c) == 9);
    ck_assert(ber_peek(c, &t) && t.id == BER_CTX(0) && cur_left(&c) == 9);
    ck_assert(ber_take(&c, BER_CTX(0), &t) && cur_left(&c) == 6);
    ck_assert(ber_find(c, BER_CTX(2), &t) && cur_peek(&t.body, 0) == 2);
    ck_assert(!ber_find(c, BER_CTX(3), &t) && cur_left(&c) == 6);
    c = bytes("8005 01");
    ck_assert(!ber_take(&c, BER_CTX(0), &t) && cur_ok(&c) && !ber_find(c, BER_CTX(0), &t));
}
END_TEST

START_TEST(test_integers)
{
    static const struct {
        const char *hex;
        int64_t i;
        uint64_t u;
        bool is_i, is_u;
    } rows[] = {
        {"00", 0, 0, true, true}, {"7f", 127, 127, true, true}, {"80", -128, 128, true, true},
        {"ff7f", -129, 0xff7f, true, true}, {"00ff", 255, 255, true, true}, {"", 0, 0, false, false},
        {"8000000000000000", INT64_MIN, UINT64_C(1) << 63, true, true}, {"0000000000000001", 1, 1, true, true},
        {"00ffffffffffffffff", 0, UINT64_MAX, false, true}, {"010000000000000000", 0, 0, false, false},
        {"00000000000000000001", 0, 0, false, false},
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t v;
        uint64_t u;
        struct cur c = bytes(rows[i].hex);
        ck_assert_msg(ber_i64(c, &v) == rows[i].is_i && v == rows[i].i, "%s: %" PRId64, rows[i].hex, v);
        ck_assert_msg(ber_u64(c, &u) == rows[i].is_u && u == rows[i].u, "%s: %" PRIu64, rows[i].hex, u);
    }
    uint32_t w;
    bool b;
    ck_assert(ber_u32(bytes("00ffffffff"), &w) && w == UINT32_MAX);
    ck_assert(!ber_u32(bytes("0100000000"), &w) && w == UINT32_MAX);
    ck_assert(!ber_u32(bytes(""), &w) && w == 0);
    ck_assert(ber_bool(bytes("01"), &b) && b);
    ck_assert(ber_bool(bytes("00"), &b) && !b);
    ck_assert(!ber_bool(bytes("0001"), &b));
    ck_assert(!ber_bool(bytes(""), &b) && !b);
}
END_TEST

START_TEST(test_floats)
{
    double d;
    ck_assert(ber_float(bytes("0842f6e979"), &d) && fabs(d - 123.456) < 1e-5);
    ck_assert(ber_float(bytes("0bc05edd2f1a9fbe77"), &d) && fabs(d + 123.456) < 1e-12);
    ck_assert(ber_float(bytes("087fc00000"), &d) && isnan(d));
    static const char *const no[] = {"", "08", "0842f6e9", "0842f6e97900", "0942f6e979", "0b42f6e979"};
    for (unsigned i = 0; i < ARRAY_LEN(no); i++)
        ck_assert_msg(!ber_float(bytes(no[i]), &d) && d == 0, "%s", no[i]);
}
END_TEST

START_TEST(test_bits)
{
    struct ber_bits b;
    ck_assert(ber_bits(bytes("03 4010"), &b) && b.n == 13);
    ck_assert(!ber_bit(&b, 0) && ber_bit(&b, 1) && ber_bit(&b, 11) && !ber_bit(&b, 13) && !ber_bit(&b, UINT32_MAX));
    ck_assert_uint_eq(ber_bits_u32(&b), 1u << 1 | 1u << 11);
    ck_assert(ber_bits(bytes("00 0000000080"), &b) && b.n == 40 && ber_bits_u32(&b) == 0);
    ck_assert(ber_bits(bytes("00"), &b) && b.n == 0);
    for (unsigned n = 0; n <= 40; n++) { /* every length, against the bits one by one */
        uint8_t octets[6] = {(uint8_t)(-n & 7), 0xa5, 0x3c, 0x81, 0x7e, 0xd3};
        uint32_t want = 0;
        ck_assert(ber_bits(cur_make(octets, 1 + (n + 7) / 8), &b) && b.n == n);
        for (unsigned i = 0; i < 32; i++)
            want |= (uint32_t)ber_bit(&b, i) << i;
        ck_assert_msg(ber_bits_u32(&b) == want, "%u bits: %x, not %x", n, ber_bits_u32(&b), want);
    }
    ck_assert(!ber_bits(bytes(""), &b) && !ber_bits(bytes("08 ff"), &b) && !ber_bits(bytes("01"), &b) && b.n == 0);
}
END_TEST

START_TEST(test_times)
{
    struct ber_time t;
    ck_assert(ber_utc_time(bytes("695b9b80 800000 2a"), &t));
    ck_assert_uint_eq(t.ns, UINT64_C(1767611264500000000));
    ck_assert_uint_eq(t.quality, BER_CLOCK_NOT_SYNCHRONIZED | 10);
    ck_assert(ber_utc_time(bytes("ffffffff ffffff 00"), &t));
    ck_assert_uint_eq(t.ns, UINT64_C(4294967295999999940));
    ck_assert(!ber_utc_time(bytes("695b9b80 8000"), &t) && t.ns == 0);
    ck_assert(!ber_utc_time(bytes("695b9b80 800000 2a 00"), &t));
    uint64_t ns;
    ck_assert(ber_binary_time(bytes("00000001 0000"), &ns)); /* 1984-01-01 */
    ck_assert_uint_eq(ns, UINT64_C(441763200001000000));
    ck_assert(ber_binary_time(bytes("00000001"), &ns) && ns == 1000000);
    ck_assert(!ber_binary_time(bytes("0000000100"), &ns) && !ber_binary_time(bytes("000001"), &ns) && ns == 0);
}
END_TEST

static const char *oid(const char *hex)
{
    static char text[BER_OID_TEXT];
    ck_assert_uint_eq(ber_oid(bytes(hex), text), strlen(text));
    return text;
}

START_TEST(test_texts)
{
    struct span s;
    ck_assert(ber_visible(bytes("4c4c4e30"), &s) && s.n == 4 && !memcmp(s.p, "LLN0", 4));
    ck_assert(ber_visible(bytes(""), &s) && s.n == 0);
    ck_assert(!ber_visible(bytes("4c00"), &s) && s.n == 2);
    ck_assert(!ber_visible(bytes("7f"), &s));
    /* Each octet at each place of what is read eight at a time, and behind it. */
    for (unsigned at = 0; at < 11; at++) {
        for (unsigned octet = 0; octet < 256; octet++) {
            uint8_t text[11];
            memset(text, octet & 1 ? 0x7e : 0x20, sizeof text);
            text[at] = (uint8_t)octet;
            ck_assert_msg(ber_visible(cur_make(text, sizeof text), &s) == (octet >= 0x20 && octet < 0x7f), "%u: %u", at,
                          octet);
        }
    }
    ck_assert_str_eq(oid("28ca220203"), "1.0.9506.2.3");
    ck_assert_str_eq(oid("52010001"), "2.2.1.0.1");
    ck_assert_str_eq(oid("883703"), "2.999.3");
    ck_assert_str_eq(oid("8fffffff7f"), "2.4294967215");
    ck_assert_str_eq(oid(""), "");
    ck_assert_str_eq(oid("2881"), ""); /* the last octet of an arc is missing */
    ck_assert_str_eq(oid("28 ffffffffffff01"), "");
    char hex[512] = "28";
    for (int i = 0; i < 30; i++)
        strcat(hex, "8fffffff7f");
    ck_assert_str_eq(oid(hex), ""); /* longer than the room */
}
END_TEST

/* Every prefix, and each octet changed: nothing may be read beyond the copy, and every walk ends. */
START_TEST(test_hostile)
{
    static const char whole[] = "6130 8001 01 a180 0201 05 a380 0000 0000 9f8101 03 010203 8708 695b9b808000002a 3080 04 "
                                "02 0000 0000 840203c0 060528ca220203";
    static const uint8_t marks[] = {0x00, 0x1f, 0x7f, 0x80, 0xff};
    uint8_t b[256];
    uint32_t n = from_hex(whole, b, sizeof b);
    for (uint32_t at = 0; at <= n; at++)
        for (unsigned m = 0; m <= sizeof marks; m++) {
            uint32_t len = m ? n : at;
            uint8_t *p = malloc(len ? len : 1);
            memcpy(p, b, len);
            if (m && at < n)
                p[at] = marks[m - 1];
            struct cur open[16];
            unsigned depth = 0, steps = 0;
            open[0] = cur_make(p, len);
            while (depth < 16) {
                struct ber t;
                ck_assert_uint_lt(steps++, 1000);
                if (ber_next(&open[depth], &t) && t.constructed && depth < 15)
                    open[++depth] = t.body;
                else if (!t.id && !t.constructed && !depth--)
                    break;
            }
            free(p);
        }
}
END_TEST

SUITE("ber", 60, test_tlv, test_broken, test_indefinite, test_optional, test_integers, test_floats, test_bits,
      test_times, test_texts, test_hostile)
