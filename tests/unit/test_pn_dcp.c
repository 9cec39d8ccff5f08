/* test_pn_dcp.c: PROFINET DCP: requests with their answers, identity, what breaks the standard. */
#include "tests/unit/dis_feed.h"
#include "tests/unit/suite.h"

extern const struct dissector dissector_pn_dcp;

static struct feed *start(void)
{
    struct feed *f = feed_new(&dissector_pn_dcp, 0, 1, 1);
    f->transport = DIS_ETH;
    return f;
}

START_TEST(schema_is_sound)
{
    struct err e;
    ck_assert_msg(dissectors_check(&e) == 0, "%s", e.text);
}
END_TEST

START_TEST(probe_leaves_cyclic_data_alone)
{
    ck_assert_int_eq(feed_probe(&dissector_pn_dcp, "fefd", 1, NULL), MATCH_YES);
    ck_assert_int_eq(feed_probe(&dissector_pn_dcp, "8001 00", 1, NULL), MATCH_NO);
    ck_assert_int_eq(feed_probe(&dissector_pn_dcp, "fc01 00", 1, NULL), MATCH_NO);
    ck_assert_int_eq(feed_probe(&dissector_pn_dcp, "fe", 1, NULL), MATCH_NO);
}
END_TEST

START_TEST(a_set_and_its_answer)
{
    struct feed *f = start();
    feed_datagram(f, 0, "fefd 04 00 01000001 0000 0012 0102 000e 0001 0a280028 ffffff00 00000000");
    feed_datagram(f, 1, "fefd 04 01 01000001 0000 0008 0504 0003 0102 00 00");
    EXPECT(f, "transaction 4:0,4:1 set_ip_address configure parameter:ip_address=[10.40.0.40] status=ok executed s2c { "
              "xid=0x1000001 permanent=1 ip_address=170393640 subnet_mask=4294967040 gateway=0 block_error=ok }");
    EXPECT_NOT(f, "ident"); /* the address is what it shall be, nobody's word on itself */
    feed_free(f);
    f = start(); /* refused, in part */
    feed_datagram(f, 0, "fefd 04 00 00000002 0000 0012 0202 0003 0001 61 00 0503 0004 0000 0100");
    feed_datagram(f, 1, "fefd 04 01 00000002 0000 0010 0504 0003 0202 06 00 0504 0003 0503 00 00");
    EXPECT(f, "set_name_of_station configure parameter:name_of_station=[a] parameter:signal=[256] "
              "status=not_possible_in_operation! refused");
    feed_free(f);
    f = start(); /* not answered; not supported */
    feed_datagram(f, 0, "fefd 04 00 00000003 0000 0006 0506 0002 0004");
    feed_datagram(f, 0, "fefd 04 00 00000004 0000 0006 0505 0002 0000");
    feed_datagram(f, 1, "fefd 04 05 00000004 0000 0000");
    EXPECT(f, "transaction 4:0,4:5 factory_reset reset", "status=service_not_supported! refused",
           "request 4:0 reset_to_factory reset", "reset=communication_parameters");
    feed_free(f);
}
END_TEST

START_TEST(get_and_identify)
{
    struct feed *f = start();
    feed_datagram(f, 0, "fefd 03 00 00000001 0000 0004 0202 0101");
    feed_datagram(f, 1, "fefd 03 01 00000001 0000 0014 0202 0004 0000 6162 0101 0008 0000 001b1b080693");
    EXPECT(f, "ident server name=ab", "ident server mac=00:1b:1b:08:06:93",
           "transaction 3:0,3:1 get read parameter:name_of_station=[ab] parameter:mac_address=[00:1b:1b:08:06:93] status=ok");
    feed_free(f);
    f = start();
    f->lay.dst.b[0] = 1;
    feed_datagram(f, 1, "feff 05 01 00000009 0000 001a 0203 0006 0000 002a010d 0204 0004 0000 0200 0201 0003 0000 58 00");
    EXPECT(f, "ident server product_code=0x002a:0x010d", "ident server role=plc", "ident server model=X",
           "response 5:1 identify_response browse", "vendor_id=0x2a device_id=0x10d role=io_controller type_of_station=X");
    feed_free(f);
    f = start();
    feed_datagram(f, 0, "fefc 06 00 00000009 0000 0008 0202 0004 0000 6162");
    EXPECT(f, "ident client name=ab", "unsolicited 6:0 hello report parameter:name_of_station=[ab]");
    feed_free(f);
}
END_TEST

static void says(const char *hex, enum verdict v, const char *want)
{
    struct feed *f = start();
    ck_assert_msg(feed_datagram(f, 0, hex) == v, "%s", hex);
    EXPECT(f, want);
    feed_free(f);
}

START_TEST(broken)
{
    says("fefd 04 00 0000", DIS_MALFORMED, "malformed #short_header");
    says("fefd 07 00 00000001 0000 0000", DIS_MALFORMED, "malformed #unknown_service");
    says("fefe 04 00 00000001 0000 0000", DIS_OK, "#frame_id_mismatch");
    says("fefd 04 00 00000001 0000 0040 0202 0003 0001 61 00", DIS_MALFORMED, "#length_mismatch");
    says("fefd 04 00 00000001 0000 0006 0202 0009 0001", DIS_MALFORMED, "#block_overrun");
    says("fefd 04 00 00000001 0000 0004 0202 0000", DIS_MALFORMED, "#bad_block");
    says("fefd 04 00 00000001 0000 0008 0102 0004 0001 0a28", DIS_MALFORMED, "#bad_block");
    says("fefd 03 00 00000001 0000 0003 0202 01", DIS_MALFORMED, "#block_overrun");
    says("fefd 04 00 00000001 0000 0006 0909 0002 0000", DIS_OK, "parameter:9.9 unknown c2s #unknown_option");
    says("fefd 04 00 00000001 0000 0012 0102 000e 0000 00000000 00000000 00000000", DIS_OK, "#ip_removed");
    says("fefd 04 00 00000001 0000 0006 0202 0002 0001", DIS_OK, "#name_removed");
    says("feff 05 01 00000001 0000 0012 0102 000e 0081 0a280028 ffffff00 00000000", DIS_OK, "#ip_conflict");
}
END_TEST

START_TEST(names)
{
    static const struct {
        const char *hex;
        bool bad;
    } rows[] = {{"61", false}, {"612d62", false}, {"61 2e 62", false}, {"39", false}, {"41", true}, {"2d61", true}, {"612d", true},
                {"612e", true}, {"2e61", true}, {"612e2e62", true}, {"615f62", true}, {"612d2e62", true}, {"e4", true}};
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t b[64];
        char hex[256];
        uint32_t n = feed_hex(rows[i].hex, b, sizeof b);
        snprintf(hex, sizeof hex, "fefd 04 00 00000001 0000 %04x 0202 %04x 0001 %s", 6 + n, 2 + n, rows[i].hex);
        struct feed *f = start();
        feed_datagram(f, 0, hex);
        ck_assert_msg((strstr(feed_end(f), "#bad_name") != NULL) == rows[i].bad, "%s", rows[i].hex);
        feed_free(f);
    }
}
END_TEST

START_TEST(hostile)
{
    static const char *const whole[] = {
        "feff 05 01 00000009 0000 0036 0203 0006 0000 002a010d 0204 0004 0000 0200 0201 0003 0000 58 00 0102 000e 0001 0a280028 "
        "ffffff00 00000000 0205 0006 0000 0101 0202",
        "fefd 04 01 00000002 0000 0010 0504 0003 0202 06 00 0504 0003 0503 00 00",
        "fefd 04 00 00000002 0000 0012 0202 0003 0001 61 00 0503 0004 0000 0100",
    };
    static const uint8_t marks[] = {0x00, 0x7f, 0x80, 0xff};
    for (unsigned w = 0; w < ARRAY_LEN(whole); w++) {
        uint8_t b[256];
        uint32_t n = feed_hex(whole[w], b, sizeof b);
        for (uint32_t at = 0; at < n; at++)
            for (unsigned k = 0; k <= sizeof marks; k++) {
                struct feed *f = start();
                uint8_t keep = b[at];
                if (k < sizeof marks)
                    b[at] = marks[k];
                for (int side = 0; side < 2; side++)
                    feed_datagram_bytes(f, side, b, k < sizeof marks ? n : at);
                b[at] = keep;
                feed_free(f);
            }
    }
}
END_TEST

SUITE("pn_dcp", 60, schema_is_sound, probe_leaves_cyclic_data_alone, a_set_and_its_answer, get_and_identify, broken,
      names, hostile)
