/* test_mmsdata.c: Data of MMS: leaves, their places and values. */
#include "dissectors/carrier_mmsdata.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/err.h"
#include "tests/unit/suite.h"

static uint8_t *copy;
static char text[4096];

static struct cur bytes(const char *hex)
{
    static uint8_t b[4096];
    uint32_t n = 0;
    for (unsigned v; *hex && n < sizeof b; hex += *hex == ' ' ? 1 : 2) {
        if (*hex == ' ')
            continue;
        ck_assert_int_eq(sscanf(hex, "%2x", &v), 1);
        b[n++] = (uint8_t)v;
    }
    free(copy);
    copy = malloc(n ? n : 1);
    memcpy(copy, b, n);
    return cur_make(copy, n);
}

static unsigned say_value(char *to, size_t room, const struct val *v)
{
    int n = 0;
    if (v->type == VAL_TEXT)
        n = snprintf(to, room, "%.*s", (int)v->s.n, (const char *)v->s.p);
    else if (v->type == VAL_DOUBLE)
        n = snprintf(to, room, "%g", v->d);
    else if (v->type == VAL_INT)
        n = snprintf(to, room, "%" PRId64, v->i);
    else if (v->type != VAL_BYTES && v->type != VAL_NONE)
        n = snprintf(to, room, "%s%" PRIu64, v->type == VAL_TIME ? "t" : "", v->u);
    for (uint32_t i = 0; v->type == VAL_BYTES && i < v->s.n; i++)
        n += snprintf(to + n, room - (size_t)n, "%02x", v->s.p[i]);
    return (unsigned)n;
}

/* Each leaf as "place:type=value", '!' where the contents do not fit the type, "broken" at the end. */
static const char *walk(struct cur c)
{
    struct mms_walk w = mms_walk(c);
    struct mms_leaf l;
    unsigned n = 0;
    text[0] = 0;
    while (mms_leaf(&w, &l)) {
        struct vals v;
        struct val got = {0};
        uint32_t q;
        for (unsigned i = 0; i < l.depth; i++)
            n += (unsigned)sprintf(text + n, "%s%u", i ? "." : n ? " " : "", l.path[i]);
        bool good = mms_value(l.type, l.body, &v);
        ck_assert_int_eq(v.qual_off, -1);
        ck_assert(vals_get(&v, 0, &got) || !v.raw.n);
        n += (unsigned)sprintf(text + n, ":%s=", mms_type_name(l.type) ? mms_type_name(l.type) : "?");
        n += say_value(text + n, sizeof text - n, &got);
        n += (unsigned)sprintf(text + n, "%s", good ? "" : "!");
        if (iec61850_quality(l.type, l.body, &q))
            for (unsigned b = 0; iec61850_qualities[b]; b++)
                if (q >> b & 1)
                    n += (unsigned)sprintf(text + n, "~%s", iec61850_qualities[b]);
    }
    if (w.broken)
        sprintf(text + n, "%sbroken", n ? " " : "");
    return text;
}

START_TEST(test_values)
{
    ck_assert_str_eq(walk(bytes("830101 830100")), "0:boolean=1 1:boolean=0");
    ck_assert_str_eq(walk(bytes("84020680 8501ff 860200ff 87050842f6e979")),
                     "0:bit_string=2 1:integer=-1 2:unsigned=255 3:floating_point=123.456");
    ck_assert_str_eq(walk(bytes("89021234 8a03414243 9003c3a441")), "0:octet_string=1234 1:visible_string=ABC 2:mms_string=\xc3\xa4\x41");
    ck_assert_str_eq(walk(bytes("9108 695b9b80 800000 0a 8c06 00000001 0000 8c04 00000002")),
                     "0:utc_time=t1767611264500000000 1:binary_time=t441763200001000000 2:binary_time=2000000");
    ck_assert_str_eq(walk(bytes("8403030000 8403034020 840303c008 8403038000")),
                     "0:bit_string=0 1:bit_string=2052~invalid~substituted 2:bit_string=6145~questionable~operator_blocked "
                     "3:bit_string=4096~reserved");
    ck_assert_str_eq(walk(bytes("8b0f 32303236303130353130313131325a")), "0:generalized_time=20260105101112Z");
}
END_TEST

START_TEST(test_trees)
{
    ck_assert_str_eq(walk(bytes("a206 830101 a101 00 830100")), "0.0:boolean=1 1:boolean=0 broken");
    ck_assert_str_eq(walk(bytes("a20a 830101 a105 850101 8500 830100")),
                     "0.0:boolean=1 0.1.0:integer=1 0.1.1:integer=! 1:boolean=0");
    ck_assert_str_eq(walk(bytes("a200 8300")), "0:structure= 1:boolean=!");
    /* deeper than the bound: one leaf */
    char hex[256] = "";
    for (int i = 14; i > 0; i--)
        sprintf(hex + strlen(hex), "a2%02x", (unsigned)(i - 1) * 2);
    ck_assert_str_eq(walk(bytes(hex)), "0.0.0.0.0.0.0.0.0.0:structure=a206a204a202a200");
}
END_TEST

START_TEST(test_broken)
{
    ck_assert_str_eq(walk(bytes("")), "");
    ck_assert_str_eq(walk(bytes("8301")), "broken");
    ck_assert_str_eq(walk(bytes("830101 85")), "0:boolean=1 broken");
    ck_assert_str_eq(walk(bytes("020105")), "0:structure=05 broken");    /* a universal INTEGER */
    ck_assert_str_eq(walk(bytes("880105")), "0:?=05 broken");
    ck_assert_str_eq(walk(bytes("82020005")), "0:structure=0005 broken"); /* not constructed */
    ck_assert_str_eq(walk(bytes("a303830101")), "0:boolean=830101! broken");
    ck_assert_str_eq(walk(bytes("870408000000 9104 00000000 8a0141 8a0100")),
                     "0:floating_point=08000000! 1:utc_time=00000000! 2:visible_string=A 3:visible_string=00!");
}
END_TEST

SUITE("mmsdata", 60, test_values, test_trees, test_broken)
