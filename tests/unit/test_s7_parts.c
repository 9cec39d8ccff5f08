/* S7comm: parts whose beginning was not seen, errors that are pushed, lists of blocks, a set-up that is cut,
 * records. */
#include "tests/unit/test_s7comm.h"

#include "suite.h"

/* The capture begins between the first part and the second: the second is no list of its own. */
START_TEST(test_beginning_unseen)
{
    struct s7bench *b = bench_new();
    bench_s7(b, 0, "32070000 0500 000c 0004 000112081244010105000000 0a00 0000");
    bench_s7(b, 1, "32070000 0500 000c 000a 000112081284010105000000 ff09 0006 0100 0005 0000");
    expect_out(b, "transaction 7:4:1+7:4:1 read_szl diagnose executed ~userdata_parts_lost\n");
    ck_assert_str_eq(bench_field(b, "szl_records", 0), "");
    /* the same without the request; one of several that are still to come */
    bench_s7(b, 1, "32070000 0600 000c 000a 000112081284010105000000 ff09 0006 0100 0005 0000");
    expect_out(b, "response 7:4:1 read_szl diagnose executed ~userdata_parts_lost\n");
    bench_s7(b, 0, "32070000 0700 000c 0004 000112081244010105000000 0a00 0000");
    bench_s7(b, 1, "32070000 0700 000c 000a 000112081284010105010000 ff09 0006 0100 0005 0000");
    expect_out(b, "transaction 7:4:1+7:4:1 read_szl diagnose executed ~userdata_parts_lost\n");
    /* one part that answers a first request is whole, whatever reference it has */
    bench_s7(b, 0, "32070000 0800 0008 0008 0001120411440100 ff09 0004 0424 0000");
    bench_s7(b, 1, "32070000 0800 000c 000c 000112081284010105000000 ff09 0008 0424 0000 0014 0000");
    expect_out(b, "transaction 7:4:1+7:4:1 read_szl diagnose executed szl[0x424]:0x0\n");
    bench_free(b);
}
END_TEST

START_TEST(test_parts_are_told)
{
    struct s7bench *b = bench_new();
    bench_s7(b, 0, "32070000 0400 0008 0008 0001120411440100 ff09 0004 0019 0000");
    bench_s7(b, 1, "32070000 0400 000c 0012 000112081284010107010000 ff09 000e 0019 0000 0004 0003 0001 0000 0004");
    bench_s7(b, 0, "32070000 0500 000c 0004 000112081244010105000000 0a00 0000");
    bench_s7(b, 1, "32070000 0500 000c 000a 000112081284010107000000 ff09 0006 0100 0005 0000");
    expect_out(b, "transaction 7:4:1+7:4:1+7:4:1+7:4:1 read_szl diagnose executed szl[0x19]:0x0\n");
    ck_assert_str_eq(bench_field(b, "data_unit_ref", 0), "7");
    ck_assert_str_eq(bench_field(b, "payload_len", 0), "20");
    bench_free(b);
}
END_TEST

/* A job that ends before its time says so in the head of what it pushes; so does a cyclic one. */
START_TEST(test_pushed_error)
{
    struct s7bench *b = bench_new();
    bench_s7(b, 1, "32070000 0300 000c 0004 00011208120102030000d0c2 0a00 0000");
    expect_out(b, "unsolicited 7:1:2 variable_status read unknown change_to_stop_or_hold\n");
    bench_s7(b, 1, "32070000 0000 000c 0004 00011208120201070000d807 0a00 0000");
    expect_out(b, "unsolicited 7:2:1 cyclic_transfer read unknown aborted_by_overload\n");
    bench_free(b);
}
END_TEST

/* The numbers of the blocks of a type are told, not only how many there are. */
START_TEST(test_block_numbers)
{
    struct s7bench *b = bench_new();
    bench_s7(b, 0, "32070000 0100 0008 0006 0001120411430200 ff09 0002 3041");
    bench_s7(b, 1, "32070000 0100 000c 0018 000112081283020100000000 ff09 0014 00012205 00022205 00032205 000a2205 "
                   "ffff2205");
    expect_out(b, "transaction 7:3:2+7:3:2 list_blocks_of_type browse executed block:DB\n");
    ck_assert_str_eq(bench_field(b, "blocks", 0), "5");
    ck_assert_str_eq(bench_field(b, "block_numbers", 0), "1-3,10,65535");
    bench_s7(b, 0, "32070000 0200 0008 0006 0001120411430200 ff09 0002 3038");
    bench_s7(b, 1, "32070000 0200 000c 0008 000112081283020100000000 ff09 0004 00014201");
    expect_out(b, "transaction 7:3:2+7:3:2 list_blocks_of_type browse executed block:OB\n");
    ck_assert_str_eq(bench_field(b, "block_numbers", 0), "1");
    bench_free(b);
}
END_TEST

/* A list too long for a record says so. */
START_TEST(test_many_blocks)
{
    static char hex[8192];
    struct s7bench *b = bench_new();
    bench_s7(b, 0, "32070000 0100 0008 0006 0001120411430200 ff09 0002 3041");
    size_t n = (size_t)snprintf(hex, sizeof hex, "32070000 0100 000c 07d4 000112081283020100000000 ff09 07d0 ");
    for (unsigned i = 0; i < 500; i++)
        n += (size_t)snprintf(hex + n, sizeof hex - n, "%04x2205", 10000 + i * 2);
    bench_s7(b, 1, hex);
    ck_assert_str_eq(bench_field(b, "blocks", 0), "500");
    ck_assert_str_eq(bench_field(b, "block_numbers", 0) + 150, "10050,100"); /* as much as bench_field() holds */
    ck_assert(b->ev.truncated);
    bench_free(b);
}
END_TEST

/* A set-up that is cut still belongs to its connection. */
START_TEST(test_short_setup)
{
    struct s7bench *b = bench_new();
    bench_raw(b, 0, "03000016 11e00000000400 c1020100 c2020102 c0010a");
    bench_raw(b, 1, "03000016 11d00004000100 c1020100 c2020102 c0010a");
    bench_s7(b, 0, "32010000 0000 0007 0000 f0000001000101");
    bench_s7(b, 1, "32030000 0000 0008 0000 0000 f00000010001 00f0");
    ck_assert_str_eq(bench_field(b, "tsap_called", 0), "0102");
    ck_assert_str_eq(bench_field(b, "slot", 0), "2");
    bench_free(b);
}
END_TEST

/* What a record holds is told, as the value of a variable is. */
START_TEST(test_read_record)
{
    struct s7bench *b = bench_new();
    bench_s7(b, 0, "32070000 0100 0008 0012 0001120411420800 ff09 000e 0001 120a1002 0040 0001 01000064");
    bench_s7(b, 1, "32070000 0100 000c 0010 000112081282080000000000 ff09 000c 0001 ff09 00 00 0004 01020304");
    expect_out(b, "transaction 7:2:8+7:2:8 read_record read executed record[1]:100=<4>\n");
    bench_s7(b, 0, "32070000 0200 0008 0012 0001120411420800 ff09 000e 0001 120a1002 0040 0001 01000064");
    bench_s7(b, 1, "32070000 0200 000c 000c 000112081282080000000000 ff09 0008 0001 0a00 00 00 0000");
    expect_out(b, "transaction 7:2:8+7:2:8 read_record read refused object_does_not_exist "
                  "record[1]:100!object_does_not_exist\n");
    bench_free(b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("s7_parts");
    TCase *t = tcase_create("s7_parts");
    tcase_add_test(t, test_beginning_unseen);
    tcase_add_test(t, test_parts_are_told);
    tcase_add_test(t, test_pushed_error);
    tcase_add_test(t, test_block_numbers);
    tcase_add_test(t, test_many_blocks);
    tcase_add_test(t, test_short_setup);
    tcase_add_test(t, test_read_record);
    suite_add_tcase(s, t);
    return suite_end(s);
}
