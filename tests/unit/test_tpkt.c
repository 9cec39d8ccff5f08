/* test_tpkt.c: ISO transport on TCP: frames, TPDUs, segments, TSAPs. */
#include "dissectors/carrier_tpkt.h"
#include "tests/unit/test_s7comm.h"
#include "suite.h"

static struct frame frame_of(const char *hex)
{
    uint8_t p[256];
    return tpkt_frame(cur_make(p, bench_hex(hex, p, sizeof p)));
}

START_TEST(test_frame)
{
    ck_assert_int_eq(frame_of("").st, FRAME_MORE);
    ck_assert_int_eq(frame_of("03").st, FRAME_MORE);
    ck_assert_int_eq(frame_of("030000").st, FRAME_MORE);
    ck_assert_int_eq(frame_of("02").st, FRAME_BAD);
    ck_assert_int_eq(frame_of("03000006").st, FRAME_BAD);
    struct frame f = frame_of("0300001902f080");
    ck_assert_int_eq(f.st, FRAME_OK);
    ck_assert_uint_eq(f.len, 25);
    ck_assert_int_eq(frame_of("03000007ff").st, FRAME_BAD); /* length indicator beyond the packet */
    ck_assert_int_eq(frame_of("0300000701").st, FRAME_BAD);
    ck_assert_uint_eq(frame_of("0300ffff02").len, 65535);
}
END_TEST

static struct tpkt parse(struct s7bench *b, struct tpkt_flow *f, unsigned side, const char *hex)
{
    static uint8_t p[4096];
    struct dis_ctx x;
    bench_ctx(b, side, &x);
    struct tpkt t = tpkt_parse(cur_make(p, bench_hex(hex, p, sizeof p)), &x, f, 1);
    b->dir[side] = x.dir;
    return t;
}

START_TEST(test_connect)
{
    struct s7bench *b = bench_new();
    struct tpkt_flow f = {0};
    b->dir[0] = DIR_UNKNOWN;
    struct tpkt t = parse(b, &f, 0, "03000016 11e00000000400 c1020100 c2020102 c0010a");
    ck_assert_int_eq(t.what, TPKT_CONTROL);
    ck_assert_int_eq(t.code, TPDU_CR);
    ck_assert_int_eq(t.faults, 0);
    ck_assert_int_eq(b->dir[0], DIR_C2S);
    ck_assert_int_eq(f.has_tsaps, 1);
    ck_assert_int_eq(f.calling_n, 2);
    ck_assert_int_eq(f.called[1], 2);
    ck_assert_int_eq(f.size_log2, 10);
    char text[40];
    tpkt_tsap_text(f.called, f.called_n, text, sizeof text);
    ck_assert_str_eq(text, "0102");
    t = parse(b, &f, 0, "03000024 1fe00000000100 c0010a c1020600 c210 53494d415449432d524f4f542d455300");
    ck_assert_int_eq(t.code, TPDU_CR);
    ck_assert_uint_eq(f.called_n, 16);
    t = parse(b, &f, 0, "03000016 11e00000000400 c1020100 c2090102 c0010a");
    ck_assert_int_eq(t.faults, TPKT_PARAM);
    bench_free(b);
}
END_TEST

START_TEST(test_data)
{
    struct s7bench *b = bench_new();
    struct tpkt_flow f = {0};
    struct tpkt t = parse(b, &f, 0, "03000007 02f080");
    ck_assert_int_eq(t.what, TPKT_KEEPALIVE);
    t = parse(b, &f, 0, "03000009 02f080 abcd");
    ck_assert_int_eq(t.what, TPKT_DATA);
    ck_assert(!t.joined);
    ck_assert_uint_eq(cur_u16be(&t.data), 0xabcd);
    /* three segments; the other direction's own message does not disturb them */
    t = parse(b, &f, 0, "03000009 02f000 0102");
    ck_assert_int_eq(t.what, TPKT_SEGMENT);
    t = parse(b, &f, 1, "03000008 02f080 99");
    ck_assert_int_eq(t.what, TPKT_DATA);
    t = parse(b, &f, 0, "03000008 02f001 03");
    ck_assert_int_eq(t.what, TPKT_SEGMENT);
    t = parse(b, &f, 0, "03000008 02f082 04");
    ck_assert_int_eq(t.what, TPKT_DATA);
    ck_assert(t.joined);
    ck_assert_uint_eq(cur_left(&t.data), 4);
    ck_assert_uint_eq(cur_u32be(&t.data), 0x01020304);
    ck_assert_int_eq(f.more[0], 0);
    bench_free(b);
}
END_TEST

START_TEST(test_others)
{
    struct s7bench *b = bench_new();
    struct tpkt_flow f = {0};
    struct tpkt t = parse(b, &f, 0, "0300000b 06800001000280");
    ck_assert_int_eq(t.code, TPDU_DR);
    ck_assert_int_eq(t.reason, 128);
    ck_assert_str_eq(code_name(tpkt_disconnect_reasons, t.reason), "normal_disconnect");
    t = parse(b, &f, 0, "03000009 0470000102");
    ck_assert_int_eq(t.code, TPDU_ER);
    ck_assert_int_eq(t.reason, 2);
    t = parse(b, &f, 0, "03000009 0460000101");
    ck_assert_int_eq(t.faults, TPKT_CODE);
    t = parse(b, &f, 0, "03000007 02a080");
    ck_assert_int_eq(t.what, TPKT_BROKEN);
    t = parse(b, &f, 0, "03000007 10f080");
    ck_assert_int_eq(t.what, TPKT_BROKEN);
    ck_assert_int_eq(t.faults, TPKT_HEADER);
    t = parse(b, &f, 0, "03050008 02f080 01");
    ck_assert_int_eq(t.faults, TPKT_RESERVED);
    ck_assert_int_eq(t.what, TPKT_DATA);
    bench_free(b);
}
END_TEST

START_TEST(test_peek)
{
    uint8_t code, p[64];
    struct cur u;
#define PEEK(hex) tpkt_peek(cur_make(p, bench_hex(hex, p, sizeof p)), &code, &u)
    ck_assert_int_eq(PEEK("0300"), MATCH_MORE);
    ck_assert_int_eq(PEEK("0301001902f080"), MATCH_NO);
    ck_assert_int_eq(PEEK("0300001902f08032"), MATCH_MAYBE);
    ck_assert_uint_eq(cur_left(&u), 1);
    ck_assert_int_eq(PEEK("03000019026080"), MATCH_NO);
    ck_assert_int_eq(PEEK("03000016 11e00000000400 c1020100 c2020102 c0010a"), MATCH_MAYBE);
    ck_assert_int_eq(code, TPDU_CR);
    ck_assert_uint_eq(tpkt_tsap(u, 0xc2).n, 2);
    ck_assert_uint_eq(tpkt_tsap(u, 0xc9).n, 0);
#undef PEEK
    static const uint8_t tls[] = {0x16, 3, 1, 0, 5, 1};
    ck_assert(tpkt_is_tls(cur_make(tls, sizeof tls)));
    ck_assert(!tpkt_is_tls(cur_make(tls, 3)));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tpkt");
    TCase *t = tcase_create("tpkt");
    tcase_add_test(t, test_frame);
    tcase_add_test(t, test_connect);
    tcase_add_test(t, test_data);
    tcase_add_test(t, test_others);
    tcase_add_test(t, test_peek);
    suite_add_tcase(s, t);
    return suite_end(s);
}
