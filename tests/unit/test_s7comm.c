/* test_s7comm.c: S7comm dialogues in hex, records out. */
#include "tests/unit/test_s7comm.h"
#include "suite.h"

START_TEST(test_tables)
{
    struct err e;
    ck_assert_msg(dissectors_check(&e) == 0, "%s", e.text);
}
END_TEST

START_TEST(test_setup)
{
    struct s7bench *b = bench_new();
    bench_raw(b, 0, "03000016 11e00000000400 c1020100 c2020102 c0010a");
    bench_raw(b, 1, "03000016 11d00004000100 c1020100 c2020102 c0010a");
    ck_assert_uint_eq(b->silent, 2);
    ck_assert_str_eq(b->obs, "");
    ck_assert_int_eq(bench_s7(b, 0, "32010000 0000 0008 0000 f00000010001 01e0"), DIS_OK);
    ck_assert_int_eq(bench_s7(b, 1, "32030000 0000 0008 0000 0000 f00000010001 00f0"), DIS_OK);
    expect_out(b, "transaction 240+240 setup_communication session executed\n");
    ck_assert_str_eq(bench_field(b, "pdu_size", 0), "240");
    ck_assert_str_eq(bench_field(b, "tsap_called", 0), "0102");
    ck_assert_str_eq(bench_field(b, "connection_type", 0), "pg");
    ck_assert_str_eq(bench_field(b, "slot", 0), "2");
    ck_assert_str_eq(b->obs, "protocol_address=rack 0 slot 2;");
    /* longer than 240 agreed bytes */
    char hex[1024] = "32010000 0001 0016 00ea 0501 120a1002 00e6 0001 84000000 0004 0730";
    strcpy(hex, "32010000 0001 000e 00ea 0501 120a1002 00e6 0001 84000000 0004 0730");
    for (int i = 0; i < 230; i++)
        strcat(hex, "00");
    bench_s7(b, 0, hex);
    bench_s7(b, 1, "32030000 0001 0002 0001 0000 0501 ff");
    ck_assert_ptr_nonnull(strstr(b->out, "~pdu_larger_than_agreed"));
    bench_free(b);
}
END_TEST

START_TEST(test_read)
{
    struct s7bench *b = bench_new();
    /* DB1.DBX 2.3, MB 4-7, IW 2, C5-6 */
    bench_s7(b, 0, "32010000 0010 0032 0000 0404 120a1001 0001 0001 84000013 120a1002 0004 0000 83000020"
                   "120a1005 0001 0000 81000010 120a101c 0002 0000 1c000005");
    bench_s7(b, 1, "32030000 0010 0002 001c 0000 0404 ff03 0001 01 00 ff04 0020 01020304 ff05 0010 fffe ff09 0004 "
                   "00010002");
    expect_out(b, "transaction 4+4 read_var read executed db[1]:2.3=1 m:4-7=1,2,3,4 i:2-3=-2 counter:5-6=1,2\n");
    /* one good, one refused: partial; the PDU reference is used again at once */
    bench_s7(b, 0, "32010000 0010 001a 0000 0402 120a1008 0001 0007 84000040 120a1004 0001 0063 84000000");
    bench_s7(b, 0, "32010000 0010 000e 0000 0401 120a1002 0001 0000 83000000");
    bench_s7(b, 1, "32030000 0010 0002 000c 0000 0402 ff07 0004 3f800000 0a00 0000");
    expect_out(b, "transaction 4+4 read_var read partial object_does_not_exist db[7]:8-11=1 "
                  "db[99]:0-1!object_does_not_exist\n");
    bench_s7(b, 1, "32030000 0010 0002 0005 0000 0401 ff04 0008 2a");
    expect_out(b, "transaction 4+4 read_var read executed m:0=42\n");
    /* an answer alone has no objects; a request alone comes out at the end */
    bench_s7(b, 1, "32030000 0011 0002 0005 0000 0401 ff04 0008 2a");
    expect_out(b, "response 4 read_var read executed\n");
    bench_s7(b, 0, "32010000 0012 000e 0000 0401 120a1002 0001 0000 83000000");
    bench_end(b);
    expect_out(b, "request 4 read_var read unknown m:0\n");
    bench_free(b);
}
END_TEST

START_TEST(test_write)
{
    struct s7bench *b = bench_new();
    bench_s7(b, 0, "32010000 0020 001a 000e 0502 120a1001 0001 0000 82000001 120a1006 0001 0001 84000050"
                   "0003 0001 01 00 0004 0020 12345678");
    bench_s7(b, 1, "32030000 0020 0002 0002 0000 0502 ff05");
    expect_out(b, "transaction 5+5 write_var write partial invalid_address q:0.1=1 "
                  "db[1]:10-13=305419896!invalid_address\n");
    /* the value is shorter than its address */
    bench_s7(b, 0, "32010000 0021 000e 0006 0501 120a1006 0001 0001 84000050 0004 0010 1234");
    bench_s7(b, 1, "32030000 0021 0002 0001 0000 0501 ff");
    expect_out(b, "transaction 5+5 write_var write executed db[1]:10-13=<2> ~value_length_mismatch\n");
    /* refused as a whole, by an acknowledgement without parameters */
    bench_s7(b, 0, "32010000 0022 000e 0005 0501 120a1002 0001 0000 83000000 0004 0008 01");
    bench_s7(b, 1, "32020000 0022 0000 0000 8104");
    expect_out(b, "transaction 5+null write_var write refused service_not_implemented m:0=1\n");
    bench_free(b);
}
END_TEST

START_TEST(test_syntaxes)
{
    struct s7bench *b = bench_new();
    bench_s7(b, 0, "32010000 0030 000c 0000 0401 1208 82 41 0078 0001 7f 01");
    bench_s7(b, 1, "32030000 0030 0002 000c 0000 0401 ff09 0008 4014000000000000");
    expect_out(b, "transaction 4+4 read_var read executed nck:C1/0x7f/120[1-1]=<8>\n");
    bench_s7(b, 0, "32010000 0031 0012 0000 0401 120e b2 ff 8a0e 0005 11223344 20000009");
    bench_s7(b, 1, "32030000 0031 0002 0006 0000 0401 ff04 0010 0001");
    expect_out(b, "transaction 4+4 read_var read executed symbol:DB5.9#11223344=0,1\n");
    bench_s7(b, 0, "32010000 0032 0010 0000 0401 120c b0 02 04 0001 0000 02 0002 0010");
    bench_s7(b, 1, "32030000 0032 0002 000c 0000 0401 ff09 0008 ff01020304ff0506");
    expect_out(b, "transaction 4+4 read_var read executed db[1]:0-3=1,2,3,4 db[2]:16-17=5,6\n");
    bench_s7(b, 0, "32010000 0033 0006 0000 0401 120277 00");
    bench_s7(b, 1, "32030000 0033 0002 0004 0000 0401 0600 0000");
    expect_out(b, "transaction 4+4 read_var read refused data_type_not_supported "
                  "item_syntax:0x77!data_type_not_supported "
                  "~unknown_item_syntax\n");
    bench_free(b);
}
END_TEST

/* The station asks, the PLC fetches the pieces and ends: the records keep the station as client. */
START_TEST(test_download)
{
    struct s7bench *b = bench_new();
    bench_s7(b, 0, "32010000 0001 0020 0000 1a00 0100 00000000 09 5f 30413030303130 50 0d 31 303030303734 "
                   "303030303032");
    bench_s7(b, 1, "32030000 0001 0001 0000 0000 1a");
    expect_out(b, "transaction 26+26 request_download program_download executed block:DB10\n");
    ck_assert_str_eq(bench_field(b, "filesystem", 0), "passive");
    ck_assert_str_eq(bench_field(b, "load_len", 0), "74");
    uint64_t tx = b->tx_id;
    bench_s7(b, 1, "32010000 0401 0012 0000 1b00 0000 00000000 09 5f 30413030303130 50");
    bench_s7(b, 0, "32030000 0401 0002 002a 0000 1b01 0026 00fb 7070 01 01 05 0a 000a 0000004a 00000000"
                   "03a1 8cf2 2c1a 03a18cf2 2c1a 0004 0000 0000 0002 aabb");
    expect_out(b, "transaction 27+27 download_block program_download executed block:DB10\n");
    ck_assert_uint_eq(b->tx_id, tx);
    ck_assert_str_eq(bench_field(b, "language", 0), "db");
    ck_assert_str_eq(bench_field(b, "more_follows", 0), "1");
    bench_s7(b, 1, "32010000 0402 0012 0000 1b00 0000 00000000 09 5f 30413030303130 50");
    bench_s7(b, 0, "32030000 0402 0002 0028 0000 1b00 0024 00fb 4d61786900000000 5465737400000000 5461626c65000000 11 "
                   "00"
                   "beef 0000000000000000");
    ck_assert_str_eq(bench_field(b, "piece_len", 0), "36");
    b->out[0] = 0;
    bench_s7(b, 1, "32010000 0403 0012 0000 1c00 0000 00000000 09 5f 30413030303130 50");
    bench_s7(b, 0, "32030000 0403 0001 0000 0000 1c");
    expect_out(b, "transaction 28+28 download_ended program_download executed block:DB10\n");
    ck_assert_uint_eq(b->tx_id, tx);
    ck_assert_str_eq(bench_field(b, "content_len", 0), "74");
    ck_assert_str_eq(bench_field(b, "content_complete", 0), "1");
    ck_assert_str_eq(bench_field(b, "author", 0), "Maxi");
    ck_assert_str_eq(bench_field(b, "version", 0), "1.1");
    ck_assert_str_eq(bench_field(b, "checksum", 0), "beef");
    /* activated */
    bench_s7(b, 0, "32010000 0005 001a 0000 28 000000000000fd 000a 0100 30413030303130 50 05 5f494e5345");
    bench_s7(b, 1, "32030000 0005 0001 0000 0000 28");
    expect_out(b, "transaction 40+40 activate_blocks program_download executed block:DB10\n");
    bench_free(b);
}
END_TEST

START_TEST(test_upload)
{
    struct s7bench *b = bench_new();
    bench_s7(b, 0, "32010000 0001 0012 0000 1d00 0000 00000000 09 5f 30383030303031 41");
    bench_s7(b, 1, "32030000 0001 0010 0000 0000 1d00 0100 00000007 07 30303030303036");
    expect_out(b, "transaction 29+29 start_upload program_upload executed block:OB1\n");
    bench_s7(b, 0, "32010000 0002 0008 0000 1e00 0000 00000007");
    bench_s7(b, 1, "32030000 0002 0002 000a 0000 1e00 0006 00fb 010203040506");
    expect_out(b, "transaction 30+30 upload program_upload executed block:OB1\n");
    bench_s7(b, 0, "32010000 0003 0008 0000 1f00 0000 00000007");
    ck_assert_str_eq(bench_field(b, "content_complete", 0), "1");
    bench_s7(b, 1, "32030000 0003 0001 0000 0000 1f");
    expect_out(b, "transaction 31+31 end_upload program_upload executed block:OB1\n");
    /* refused: no such block */
    bench_s7(b, 0, "32010000 0004 0012 0000 1d00 0000 00000000 09 5f 30423030303030 41");
    bench_s7(b, 1, "32020000 0004 0000 0000 d209");
    expect_out(b, "transaction 29+null start_upload program_upload refused block_not_found_on_module block:SDB0\n");
    bench_free(b);
}
END_TEST

START_TEST(test_pi)
{
    struct s7bench *b = bench_new();
    bench_s7(b, 0, "32010000 0001 0010 0000 29 0000000000 09 505f50524f4752414d");
    bench_s7(b, 1, "32030000 0001 0001 0000 0000 29");
    expect_out(b, "transaction 41+41 plc_stop stop executed\n");
    bench_s7(b, 0, "32010000 0002 0014 0000 28 000000000000fd 0000 09 505f50524f4752414d");
    bench_s7(b, 1, "32030000 0002 0001 0000 0000 28");
    expect_out(b, "transaction 40+40 plc_start_warm_restart start executed\n");
    bench_s7(b, 0, "32010000 0003 0016 0000 28 000000000000fd 0002 4320 09 505f50524f4752414d");
    bench_s7(b, 1, "32030000 0003 0000 0000 8104");
    expect_out(b, "transaction 40+null plc_start_cold_restart start refused service_not_implemented\n");
    bench_s7(b, 0, "32010000 0004 0012 0000 28 000000000000fd 0002 4550 05 5f4d4f4455");
    bench_s7(b, 1, "32030000 0004 0001 0000 0000 28");
    expect_out(b, "transaction 40+40 copy_ram_to_rom configure executed\n");
    bench_s7(b, 0, "32010000 0005 0010 0000 28 000000000000fd 0000 05 5f47415242");
    bench_s7(b, 1, "32030000 0005 0001 0000 0000 28");
    expect_out(b, "transaction 40+40 compress_memory configure executed\n");
    bench_s7(b, 0, "32010000 0006 001a 0000 28 000000000000fd 000a 0100 30453030303037 42 05 5f44454c45");
    bench_s7(b, 1, "32030000 0006 0001 0000 0000 28");
    expect_out(b, "transaction 40+40 delete_blocks program_download executed block:FB7\n");
    bench_s7(b, 0, "32010000 0007 0022 0000 28 000000000000fd 000e 03303031 08736563726574707700 09 "
                   "5f4e5f4c4f47494e5f");
    ck_assert_ptr_null(strstr(b->out, "secret"));
    bench_s7(b, 1, "32030000 0007 0001 0000 0000 28");
    ck_assert_ptr_nonnull(strstr(b->out, "nc_login authenticate"));
    ck_assert_str_eq(b->obs, "state=stop;state=run;");
    bench_free(b);
}
END_TEST

START_TEST(test_szl)
{
    struct s7bench *b = bench_new();
    bench_s7(b, 0, "32070000 0100 0008 0008 0001120411440100 ff09 0004 0011 0000");
    bench_s7(b, 1, "32070000 0100 000c 007c 000112081284010200000000 ff09 0078 0011 0000 001c 0004"
                   "0001 36455337203331352d32454831342d3041423020 00c0 0003 0001"
                   "0006 36455337203331352d32454831342d3041423020 00c0 0003 0001"
                   "0007 2020202020202020202020202020202020202020 00c0 5603 0207"
                   "0081 426f6f74204c6f61646572202020202020202020 0000 4120 0909");
    expect_out(b, "transaction 7:4:1+7:4:1 read_szl diagnose executed szl[0x11]:0x0\n");
    ck_assert_str_eq(b->obs, "product_code=6ES7 315-2EH14-0AB0;vendor=Siemens;hardware=3;firmware=V3.2.7;");
    b->obs[0] = 0;
    /* 0x424: RUN; 0x132 index 4: level 1, RUN-P, checksums */
    bench_s7(b, 0, "32070000 0700 0008 0008 0001120411440100 ff09 0004 0424 0000");
    bench_s7(b, 1, "32070000 0700 000c 0020 000112081284010100000000 ff09 001c 0424 0000 0014 0001"
                   "5140ff08 0000000000000000 9401290236309557");
    ck_assert_str_eq(bench_field(b, "mode", 0), "run");
    bench_s7(b, 0, "32070000 0500 0008 0008 0001120411440100 ff09 0004 0132 0004");
    bench_s7(b, 1, "32070000 0500 000c 0034 000112081284010100000000 ff09 0030 0132 0004 0028 0001"
                   "0004 0001 0000 0001 0002 0000 0000 5656 04bcd5a3 0184b2d6 02000000000000000000000000000000");
    ck_assert_str_eq(b->obs, "state=run;protection=level 1, switch run_p;program=configuration 04bcd5a3 program "
                             "0184b2d6;");
    ck_assert_str_eq(bench_field(b, "mode_switch", 0), "run_p");
    b->out[0] = 0;
    /* not there */
    bench_s7(b, 0, "32070000 0600 0008 0008 0001120411440100 ff09 0004 0174 0000");
    bench_s7(b, 1, "32070000 0600 000c 0004 00011208128401010000d401 0a00 0000");
    expect_out(b, "transaction 7:4:1+7:4:1 read_szl diagnose refused information_unavailable szl[0x174]:0x0\n");
    bench_free(b);
}
END_TEST

/* An answer in two parts is one transaction with the request for the second part in it. */
START_TEST(test_parts)
{
    struct s7bench *b = bench_new();
    bench_s7(b, 0, "32070000 0400 0008 0008 0001120411440100 ff09 0004 0019 0000");
    bench_s7(b, 1, "32070000 0400 000c 0012 000112081284010105010000 ff09 000e 0019 0000 0004 0003 0001 0000 0004");
    expect_out(b, "");
    bench_s7(b, 0, "32070000 0500 000c 0004 000112081244010100000000 0a00 0000");
    bench_s7(b, 1, "32070000 0500 000c 000a 000112081284010105000000 ff09 0006 0100 0005 0000");
    expect_out(b, "transaction 7:4:1+7:4:1+7:4:1+7:4:1 read_szl diagnose executed szl[0x19]:0x0\n");
    ck_assert_str_eq(bench_field(b, "leds", 0), "RUN");
    ck_assert_str_eq(b->obs, "state=run;");
    bench_free(b);
}
END_TEST

START_TEST(test_programmer)
{
    struct s7bench *b = bench_new();
    /* force MB 5 = 255 and Q 0.1 = 1; accepted, then reported per variable: one transaction */
    bench_s7(b, 0, "32070000 0001 0008 0036 0001120411410900 ff09 0032 0014 001a "
                   "0000010000020000000000000000000000000200"
                   "0002 0101 0000 0005 2001 0000 0000 0004 0008 ff00 0003 0001 0100");
    expect_out(b, "");
    bench_s7(b, 1, "32070000 0001 000c 0004 000112081281090300000000 0a00 0000");
    bench_s7(b, 1, "32070000 0300 000c 0010 000112081201090300000000 ff09 000c 0004 0004 0000 0000 0002 ff03");
    expect_out(b, "transaction 7:1:9+7:1:9+7:1:9 force force partial access_not_allowed m:5=255 "
                  "q:0.1=1!access_not_allowed\n");
    /* delete the forcing job: forcing too */
    bench_s7(b, 0, "32070000 0002 0008 0010 0001120411410f00 ff09 000c 0004 0004 0000 0001 0000 0903");
    bench_s7(b, 1, "32070000 0002 000c 0004 0001120812810f0000000000 0a00 0000");
    expect_out(b, "transaction 7:1:15+7:1:15 delete_job force executed job[9]:3\n");
    /* replace it: DB10.DBW4 = 42 instead */
    bench_s7(b, 0, "32070000 0004 0008 0036 0001120411411200 ff09 0032 0004 002a 00000000 00010903 0014 000e"
                   "0000010000020000000000000000000000000200 0001 7201000a0004 00040010002a");
    bench_s7(b, 1, "32070000 0004 000c 0004 000112081281120000000000 0a00 0000");
    expect_out(b, "transaction 7:1:18+7:1:18 replace_job force executed job[9]:3 db[10]:4-5=42\n");
    /* memory reset */
    bench_s7(b, 0, "32070000 0003 0008 0004 0001120411410c00 0a00 0000");
    bench_s7(b, 1, "32070000 0003 000c 0004 0001120812810c000000d0a1 0a00 0000");
    expect_out(b, "transaction 7:1:12+7:1:12 memory_reset reset refused not_permitted_at_protection_level\n");
    bench_free(b);
}
END_TEST

START_TEST(test_userdata)
{
    struct s7bench *b = bench_new();
    /* clock read and set */
    bench_s7(b, 0, "32070000 0001 0008 0004 0001120411470100 0a00 0000");
    bench_s7(b, 1, "32070000 0001 000c 000e 000112081287010100000000 ff09 000a 0019 1408201159430142");
    expect_out(b, "transaction 7:7:1+7:7:1 read_clock read executed clock\n");
    ck_assert_str_eq(bench_field(b, "clock", 0), "1408535983014000000");
    bench_s7(b, 0, "32070000 0002 0008 000e 0001120411470200 ff09 000a 0019 1408201159430142");
    bench_s7(b, 1, "32070000 0002 000c 0004 000112081287020100000000 0a00 0000");
    expect_out(b, "transaction 7:7:2+7:7:2 set_clock time executed clock\n");
    /* password: never recorded */
    bench_s7(b, 0, "32070000 0006 0008 000c 0001120411450100 ff09 0008 213a1b1d6e681b1d");
    bench_s7(b, 1, "32070000 0006 000c 0004 00011208128501010000d602 0a00 0000");
    expect_out(b, "transaction 7:5:1+7:5:1 password authenticate refused wrong_password\n");
    /* a change of mode, told unasked */
    bench_s7(b, 1, "32070000 0000 0008 0000 0101120411000001");
    expect_out(b, "unsolicited null mode_stop report unknown\n");
    ck_assert_str_eq(b->obs, "state=stop;");
    /* block list and block information */
    bench_s7(b, 0, "32070000 0007 0008 0004 0001120411430100 0a00 0000");
    bench_s7(b, 1, "32070000 0007 000c 000c 000112081283010100000000 ff09 0008 3038 0002 3041 0003");
    ck_assert_str_eq(bench_field(b, "blocks", 0), "5");
    ck_assert_str_eq(bench_field(b, "block_counts", 1), "DB:3");
    b->out[0] = 0;
    bench_s7(b, 0, "32070000 0008 0008 000c 0001120411430300 ff09 0008 3041 3030303130 41");
    bench_s7(b, 1, "32070000 0008 000c 0004 00011208128303010000d209 0a00 0000");
    expect_out(b, "transaction 7:3:3+7:3:3 block_info browse refused block_not_found_on_module block:DB10\n");
    /* unknown subfunction */
    bench_s7(b, 0, "32070000 0009 0008 0004 0001120411446300 0a00 0000");
    bench_s7(b, 1, "32070000 0009 000c 0004 000112081284630100008104 0a00 0000");
    expect_out(b, "transaction 7:4:99+7:4:99 - other refused service_not_implemented ~unknown_function\n");
    bench_free(b);
}
END_TEST

START_TEST(test_alarms)
{
    struct s7bench *b = bench_new();
    bench_s7(b, 0, "32070000 0001 0008 0010 0001120411440200 ff09 000c 8000 686d695f73746c31 0900");
    bench_s7(b, 1, "32070000 0001 000c 0009 000112081284020100000000 ff09 0005 0200 090000");
    expect_out(b, "transaction 7:4:2+7:4:2 message_service alarm_handling executed\n");
    bench_s7(b, 1, "32070000 0000 000c 001f 000112081204110000000000 ff09 001b 1408201159430142 0001"
                   "12081601 60000001 01 00 00 00 ff04 0008 2a");
    expect_out(b, "unsolicited 7:4:17 alarm_sq_indication report unknown alarm:0x60000001=42\n");
    bench_s7(b, 0, "32070000 0002 0008 0010 0001120411440b00 ff09 000c 0901 12081900 60000001 0001");
    bench_s7(b, 1, "32070000 0002 000c 0007 0001120812840b0100000000 ff09 0003 0901ff");
    expect_out(b, "transaction 7:4:11+7:4:11 alarm_acknowledge alarm_handling executed alarm:0x60000001\n");
    /* alarm query: nothing stands */
    bench_s7(b, 0, "32070000 0003 0008 0010 0001120411441300 ff09 000c 0001 12081a00 0100 00000004");
    bench_s7(b, 1, "32070000 0003 000c 000a 000112081284130100000000 ff09 0006 0001 0a00 0000");
    ck_assert_ptr_nonnull(strstr(b->out, "alarm_query alarm_handling executed"));
    bench_free(b);
}
END_TEST

START_TEST(test_cyclic_and_bsend)
{
    struct s7bench *b = bench_new();
    bench_s7(b, 0, "32070000 0001 0008 0014 0001120411420100 ff09 0010 0001 0105 120a1002 0002 0001 84000000");
    bench_s7(b, 1, "32070000 0001 000c 000c 000112081282010700000000 ff09 0008 0001 ff04 0010 0102");
    expect_out(b, "transaction 7:2:1+7:2:1 cyclic_transfer read executed db[1]:0-1=1,2\n");
    ck_assert_str_eq(bench_field(b, "cycle_ms", 0), "5000");
    bench_s7(b, 1, "32070000 0000 000c 000c 000112081202010700000000 ff09 0008 0001 ff04 0010 0304");
    expect_out(b, "unsolicited 7:2:1 cyclic_transfer read unknown cyclic_item[7]:0=3,4\n");
    bench_s7(b, 0, "32070000 0002 0008 0006 0001120411420400 ff09 0002 0507");
    bench_s7(b, 1, "32070000 0002 000c 0004 000112081282040700000000 0a00 0000");
    expect_out(b, "transaction 7:2:4+7:2:4 cyclic_unsubscribe session executed job[2]:7\n");
    /* BSEND in two parts, each acknowledged */
    bench_s7(b, 0, "32070000 0003 000c 0012 000112081246010001010000 ff09 000e 12061300 00000063 0004 0102 0304");
    bench_s7(b, 1, "32070000 0003 000c 000c 000112081286010100000000 ff09 0008 12061300 00000063");
    ck_assert_ptr_nonnull(strstr(b->out, "bsend write executed r_id:0x63\n"));
    b->out[0] = 0;
    bench_s7(b, 0, "32070000 0004 000c 000e 000112081246010101000000 ff09 000a 12061300 00000063 0506");
    bench_s7(b, 1, "32070000 0004 000c 000c 000112081286010100000000 ff09 0008 12061300 00000063");
    expect_out(b, "transaction 7:6:1+7:6:1 bsend write executed r_id:0x63\n");
    ck_assert_str_eq(bench_field(b, "content_len", 0), "6");
    bench_free(b);
}
END_TEST

START_TEST(test_not_s7)
{
    struct s7bench *b = bench_new();
    ck_assert_int_eq(bench_s7(b, 0, "7201004131"), DIS_NOT_MINE);
    ck_assert_int_eq(bench_s7(b, 0, "0d0405060a"), DIS_NOT_MINE);
    ck_assert_int_eq(bench_s7(b, 0, "1603010005 0100000100"), DIS_NOT_MINE);
    ck_assert_str_eq(b->bad, "tls_inside_tpkt;");
    ck_assert_str_eq(b->obs, "protection=TLS inside TPKT;");
    /* S7 seen before: another protocol id is an anomaly, S7comm-plus still is not ours */
    bench_s7(b, 0, "32010000 0000 0008 0000 f00000010001 01e0");
    ck_assert_int_eq(bench_s7(b, 0, "55010000"), DIS_MALFORMED);
    ck_assert_int_eq(bench_s7(b, 0, "7201004131"), DIS_NOT_MINE);
    ck_assert_int_eq(bench_s7(b, 0, "32040000 0000 0000 0000"), DIS_MALFORMED);
    ck_assert_int_eq(bench_s7(b, 0, "3201"), DIS_MALFORMED);
    ck_assert_str_eq(b->bad, "tls_inside_tpkt;foreign_protocol_id;reserved_rosctr;length_mismatch;");
    b->out[0] = 0;
    ck_assert_int_eq(bench_s7(b, 0, "32010000 0009 0064 0000 0401 120a1002 0001 0000 83000000"), DIS_MALFORMED);
    bench_end(b);
    ck_assert_ptr_nonnull(strstr(b->out, "m:0 ~length_mismatch"));
    bench_free(b);
}
END_TEST

static enum match probe(struct s7bench *b, unsigned side, const char *hex)
{
    uint8_t p[512];
    struct dis_ctx x;
    bench_ctx(b, side, &x);
    x.state = NULL;
    enum match m = dissector_s7comm.probe(cur_make(p, bench_hex(hex, p, sizeof p)), &x);
    b->dir[side] = x.dir;
    return m;
}

START_TEST(test_probe)
{
    struct s7bench *b = bench_new();
    b->on_port = 0;
    b->dir[0] = DIR_UNKNOWN;
    ck_assert_int_eq(probe(b, 0, "030000"), MATCH_MORE);
    ck_assert_int_eq(probe(b, 0, "0300001902f08032010000"), MATCH_MORE);
    ck_assert_int_eq(probe(b, 0, "0300001902f080 32010000 0000 0008 0000 f00000010001 01e0"), MATCH_YES);
    ck_assert_int_eq(b->dir[0], DIR_C2S);
    ck_assert_int_eq(probe(b, 0, "0300001902f080 32010000 0000 0009 0000 f00000010001 01e0"), MATCH_NO);
    ck_assert_int_eq(probe(b, 0, "0300001902f080 7201000000000009 0000 f00000010001 01e0"), MATCH_NO);
    ck_assert_int_eq(probe(b, 0, "03000016 11e00000000400 c1020100 c2020102 c0010a"), MATCH_YES);
    ck_assert_int_eq(probe(b, 0, "03000016 11e00000000400 c1020001 c2020001 c0010a"), MATCH_NO); /* MMS */
    ck_assert_int_eq(probe(b, 0, "03000013 0ee00000000000 436f6f6b69653a20"), MATCH_NO); /* RDP */
    b->dir[0] = DIR_UNKNOWN;
    ck_assert_int_eq(probe(b, 0, "0300001902f080 32010000 0401 0008 0000 1b000000000000 00"), MATCH_YES);
    ck_assert_int_eq(b->dir[0], DIR_S2C); /* a PLC fetches a block */
    bench_free(b);
}
END_TEST

/* A job in two COTP segments; then a lost segment. */
START_TEST(test_segments)
{
    struct s7bench *b = bench_new();
    bench_raw(b, 0, "03000011 02f000 32010000 0010 000e 0000");
    bench_raw(b, 0, "03000015 02f081 0401 120a1002 0001 0000 83000000");
    bench_s7(b, 1, "32030000 0010 0002 0005 0000 0401 ff04 0008 2a");
    expect_out(b, "transaction 4+4 read_var read executed m:0=42\n");
    bench_raw(b, 0, "03000011 02f000 32010000 0010 000e 0000");
    struct dis_ctx x;
    bench_ctx(b, 0, &x);
    dissector_s7comm.gap(&x, 100);
    bench_s7(b, 0, "32010000 0011 000e 0000 0401 120a1002 0001 0000 83000000");
    bench_s7(b, 1, "32030000 0011 0002 0005 0000 0401 ff04 0008 2b");
    expect_out(b, "transaction 4+4 read_var read executed m:0=43\n");
    bench_free(b);
}
END_TEST

/* A hole without room for a message unpairs nothing; a reference used again after a lost answer does not take it. */
START_TEST(test_holes)
{
    struct s7bench *b = bench_new();
    struct dis_ctx x;
    bench_s7(b, 0, "32010000 0001 000e 0000 0401 120a1002 0001 0000 83000000");
    bench_ctx(b, 1, &x);
    dissector_s7comm.gap(&x, 7);
    bench_s7(b, 1, "32030000 0001 0002 0005 0000 0401 ff04 0008 2a");
    expect_out(b, "transaction 4+4 read_var read executed m:0=42\n");
    bench_s7(b, 0, "32010000 0001 000e 0000 0401 120a1002 0001 0000 83000008");
    bench_ctx(b, 1, &x);
    dissector_s7comm.gap(&x, 26);
    bench_s7(b, 0, "32010000 0001 000e 0000 0401 120a1002 0001 0000 83000010");
    expect_out(b, "request 4 read_var read unknown m:1\n");
    bench_s7(b, 1, "32030000 0001 0002 0005 0000 0401 ff04 0008 2b");
    expect_out(b, "transaction 4+4 read_var read executed m:2=43\n");
    bench_free(b);
}
END_TEST

START_TEST(test_names_and_modules)
{
    struct s7bench *b = bench_new();
    bench_s7(b, 0, "32070000 0100 0008 0008 0001120411440100 ff09 0004 001c 0000");
    bench_s7(b, 1, "32070000 0100 000c 0078 000112081284010200000000 ff09 0074 001c 0000 0022 0003"
                   "0001 4d495845520000000000000000000000000000000000000000000000 00000000"
                   "0005 5356504531323300000000000000000000000000000000000000000000000000"
                   "0009 002a000000000000000000000000000000000000000000000000000000000000"
                   "000000000000");
    ck_assert_str_eq(b->obs, "name=MIXER;serial=SVPE123;vendor=Siemens;");
    ck_assert_str_eq(bench_field(b, "serial", 0), "SVPE123");
    b->obs[0] = 0;
    bench_s7(b, 0, "32070000 0101 0008 0008 0001120411440100 ff09 0004 0091 0000");
    bench_s7(b, 1, "32070000 0101 000c 002c 000112081284010200000000 ff09 0028 0091 0000 0010 0002"
                   "0000 0400 7fff 00c0 00c0 0000 0010 0000 0000 0500 0200 9fc5 9fc5 0000 0011 0000");
    ck_assert_str_eq(bench_field(b, "modules", 1), "rack 0 slot 5 type 0x9fc5 at 512 faulty");
    ck_assert_str_eq(b->obs, "module[4]=module type 0x00c0;module[5]=module type 0x9fc5;");
    bench_free(b);
}
END_TEST

/* Every prefix and every byte changed of every PDU of a list: no crash, and each ends. */
static const char *const corpus[] = {
    "32010000 0000 0008 0000 f00000010001 01e0",
    "32010000 0010 0032 0000 0404 120a1001 0001 0001 84000013 120a1002 0004 0000 83000020 120a1005 0001 0000 81000010"
    "120a101c 0002 0000 1c000005",
    "32010000 0020 001a 000e 0502 120a1001 0001 0000 82000001 120a1006 0001 0001 84000050 0003 0001 01 00 0004 0020 "
    "12345678",
    "32030000 0010 0002 001c 0000 0404 ff03 0001 01 00 ff04 0020 01020304 ff05 0010 fffe ff09 0004 00010002",
    "32010000 0031 0012 0000 0401 120e b2 ff 8a0e 0005 11223344 20000009",
    "32010000 0032 0010 0000 0401 120c b0 02 04 0001 0000 02 0002 0010",
    "32010000 0001 0020 0000 1a00 0100 00000000 09 5f 30413030303130 50 0d 31 303030303734 303030303032",
    "32010000 0401 0012 0000 1b00 0000 00000000 09 5f 30413030303130 50",
    "32030000 0401 0002 002a 0000 1b01 0026 00fb 7070 01 01 05 0a 000a 0000004a 00000000 03a18cf22c1a03a18cf22c1a0004"
    "000000000002aabb",
    "32010000 0403 0012 0000 1c00 0000 00000000 09 5f 30413030303130 50",
    "32010000 0001 0012 0000 1d00 0000 00000000 09 5f 30383030303031 41",
    "32030000 0001 0010 0000 0000 1d00 0100 00000007 07 30303030303036",
    "32010000 0005 001a 0000 28 000000000000fd 000a 0100 30413030303130 50 05 5f494e5345",
    "32010000 0007 0022 0000 28 000000000000fd 000e 03303031 08736563726574707700 09 5f4e5f4c4f47494e5f",
    "32010000 0001 0010 0000 29 0000000000 09 505f50524f4752414d",
    "32070000 0500 000c 0034 000112081284010100000000 ff09 0030 0132 0004 0028 0001 00040001000000010002000000005656"
    "04bcd5a30184b2d602000000000000000000000000000000",
    "32070000 0100 000c 0046 000112081284010200000000 ff09 0042 001c 0000 0022 0001 0001"
    "53373330302f455432303000000000000000000000000000000000000000000000",
    "32070000 0400 000c 0012 000112081284010105010000 ff09 000e 0019 0000 0004 0003 0001 0000 0004",
    "32070000 0001 0008 0036 0001120411410900 ff09 0032 0014 001a 00000100000200000000000000000000000002000002 0101"
    "0000 0005 2001 0000 0000 0004 0008 ff00 0003 0001 0100",
    "32070000 0002 0008 0010 0001120411411200 ff09 000c 0004 0004 0000 0001 0000 0903",
    "32070000 0000 000c 001f 000112081204110000000000 ff09 001b 1408201159430142 0001 12081601 60000001 01 00 00 00 "
    "ff04"
    "0008 2a",
    "32070000 0003 000c 0024 000112081284130100000000 ff09 0020 0001 ff09 001a 19 0000 04 60000001 00 01 00 00"
    "1408201159430142 00040008 0100 1408201159430142 00040008 0100",
    "32070000 0001 0008 0014 0001120411420100 ff09 0010 0001 0105 120a1002 0002 0001 84000000",
    "32070000 0003 000c 0012 000112081246010001010000 ff09 000e 12061300 00000063 0004 0102 0304",
    "32070000 0000 000c 000c 0001120812006300000063 00 0001 0001 0004 0010 0102",
    "32070000 0008 000c 0054 000112081283030100000000 ff09 0050 3041 004e 0000 7070 01 01 05 0a 000a 0000004a 00000000"
    "03a18cf22c1a03a18cf22c1a00040000000000024d61786900000000546573740000000054 61626c6500000011 "
    "00beef0000000000000000",
};

START_TEST(test_hostile)
{
    static const uint8_t values[] = {0x00, 0x7f, 0x80, 0xff};
    for (unsigned i = 0; i < ARRAY_LEN(corpus); i++) {
        uint8_t p[512] = {3, 0, 0, 0, 2, 0xf0, 0x80}, q[512];
        uint32_t n = 7 + bench_hex(corpus[i], p + 7, sizeof p - 7);
        for (unsigned round = 0; round < 2 * n; round++) {
            struct s7bench *b = bench_new();
            b->cut = round & 1;
            for (unsigned side = 0; side < 2; side++) {
                memcpy(q, p, n);
                if (round >= n) /* one byte changed */
                    q[round - n] = values[round % 4];
                uint32_t len = round < n ? round : n;
                q[2] = 0;
                q[3] = (uint8_t)len;
                if (len >= 4) {
                    bench_pdu(b, side, q, len);
                    bench_pdu(b, !side, q, len);
                    bench_pdu(b, side, p, n);
                }
            }
            bench_free(b);
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("s7comm");
    TCase *t = tcase_create("s7comm");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_tables);
    tcase_add_test(t, test_setup);
    tcase_add_test(t, test_read);
    tcase_add_test(t, test_write);
    tcase_add_test(t, test_syntaxes);
    tcase_add_test(t, test_download);
    tcase_add_test(t, test_upload);
    tcase_add_test(t, test_pi);
    tcase_add_test(t, test_szl);
    tcase_add_test(t, test_parts);
    tcase_add_test(t, test_programmer);
    tcase_add_test(t, test_userdata);
    tcase_add_test(t, test_alarms);
    tcase_add_test(t, test_cyclic_and_bsend);
    tcase_add_test(t, test_not_s7);
    tcase_add_test(t, test_probe);
    tcase_add_test(t, test_segments);
    tcase_add_test(t, test_holes);
    tcase_add_test(t, test_names_and_modules);
    tcase_add_test(t, test_hostile);
    suite_add_tcase(s, t);
    return suite_end(s);
}
