/* Encapsulation, items, probe, sessions, ListIdentity, class 0/1 I/O, connections. */
#include "test_enip.h"
#include "suite.h"

START_TEST(probe_knows_the_header)
{
    const char *reg = "6500 0400 00000000 00000000 0000000000000000 00000000 0100 0000";
    const char *nop = "0000 0000 00000000 00000000 0000000000000000 00000000";
    const char *rr_data =
        "6f00 1400 01000000 00000000 0000000000000000 00000000 00000000 0000 0200 0000 0000 b200 0400 0e01 2001";
    ck_assert_int_eq(feed_probe(&dissector_enip, reg, 0, NULL), MATCH_YES);
    ck_assert_int_eq(feed_probe(&dissector_enip, rr_data, 0, NULL), MATCH_YES);
    ck_assert_int_eq(feed_probe(&dissector_enip, nop, 0, NULL), MATCH_MORE); /* zeros are anybody's */
    ck_assert_int_eq(feed_probe(&dissector_enip, nop, 1, NULL), MATCH_YES);
    ck_assert_int_eq(feed_probe(&dissector_enip, "6500 0400 0000", 0, NULL), MATCH_MORE);
    ck_assert_int_eq(feed_probe(&dissector_enip, "474554202f20485454502f312e310d0a486f73743a20780d0a0d0a", 1, NULL),
                     MATCH_NO);
    /* options other than 0, an unknown status off the port, an unknown command */
    ck_assert_int_eq(
        feed_probe(&dissector_enip, "6500 0400 00000000 00000000 0000000000000000 01000000 0100 0000", 0, NULL),
        MATCH_NO);
    ck_assert_int_eq(feed_probe(&dissector_enip, "6f00 0000 01000000 08000000 0000000000000000 00000000", 0, NULL),
                     MATCH_NO);
    ck_assert_int_eq(feed_probe(&dissector_enip, "6f00 0000 01000000 08000000 0000000000000000 00000000", 1, NULL),
                     MATCH_YES);
    ck_assert_int_eq(feed_probe(&dissector_enip, "7500 0000 01000000 00000000 0000000000000000 00000000", 1, NULL),
                     MATCH_NO);
}
END_TEST

START_TEST(session_is_followed)
{
    struct feed *f = enip_feed();
    send_cmd(f, 0, 0x65, 0, 0, 1, "0100 0000");
    send_cmd(f, 1, 0x65, 0x11, 0, 1, "0100 0000");
    HAS(f, "transaction 101,101 register_session session status=success executed s2c");
    HAS(f, "session=0x11");
    rr(f, 0, 2, "0e03 2001 2401 3001");
    rr(f, 1, 2, "8e00 0000 0100");
    HAS_NOT(f, "#");
    send_cmd(f, 0, 0x6f, 0x99, 0, 3, "00000000 0000 0200 0000 0000 b200 0800 0e03 2001 2401 3001");
    send_cmd(f, 1, 0x6f, 0x99, 0x64, 3, "");
    HAS(f, "status=invalid_session_handle! refused s2c #session_mismatch");
    HAS(f, "transaction 14 get_attribute_single read cip:identity/1/1 refused"); /* what it carried is refused too */
    send_cmd(f, 0, 0x65, 0, 0, 4, "0200 0000");
    send_cmd(f, 1, 0x65, 0x11, 0x69, 4, "0100 0000");
    HAS(f, "status=unsupported_protocol_revision! refused s2c #protocol_version #registered_twice");
    send_cmd(f, 0, 0x66, 0x11, 0, 0, "");
    HAS(f, "message 102 unregister_session session");
    feed_free(f);
}
END_TEST

START_TEST(faults_are_named)
{
    struct feed *f = enip_feed();
    feed(f, 0, "6f00 0000 00000000 00000000 0100000000000000 01000000");
    feed(f, 0, "7200 0000 11000000 03000000 0200000000000000 00000000");
    feed(f, 0,
         "6f00 0c00 11000000 00000000 0300000000000000 00000000 00000000 0000 0300 0000 0000"); /* one of three items */
    feed(
        f, 0,
        "6f00 1600 11000000 00000000 0400000000000000 00000000 00000000 0000 0200 0000 0000 b200 4000 0e03 20012401"); /* longer than the packet */
    feed(f, 0,
         "6f00 1300 11000000 00000000 0500000000000000 00000000 00000000 0000 0200 0000 0000 b200 0000 010203"); /* trailing
                                                                                                                  */
    feed(f, 0, "6300 0100 00000000 00000000 0600000000000000 00000000 00");
    feed(f, 1, "6f00 0000 11000000 ee000000 0900000000000000 00000000");
    feed_end(f);
    HAS(f, "#options_not_zero #no_session");
    HAS(f, "indicate_status other unknown c2s #unknown_command #status_in_request");
    HAS(f, "#cpf_item_count");
    HAS(f, "#cpf_item_length");
    HAS(f, "#cpf_trailing_bytes");
    HAS(f, "list_identity browse unknown c2s #bad_length");
    HAS(f, "#unknown_status");
    feed_free(f);
}
END_TEST

static const char identity_reply[] =
    "6300 3700 00000000 00000000 0000000000000000 00000000 0100 0c00 3100 0100 0002 af12 0a140114 0000000000000000 "
    "0100 0e00 a600 200b 6030 eeffc000 0f 313735362d4c3833452f42202020 20 03";

START_TEST(identity_over_udp)
{
    struct feed *f = enip_feed();
    datagram(f, 0, "6300 0000 00000000 00000000 0000000000000000 00000000");
    datagram(f, 1, identity_reply);
    HAS(f, "transaction 99,99 list_identity browse status=success executed s2c {");
    HAS(f, "vendor=Rockwell Automation device_type=Programmable Logic Controller product_code=166 revision=32.011");
    HAS(f, "ident server vendor=Rockwell Automation\n");
    HAS(f, "ident server model=1756-L83E/B\n");
    HAS(f, "ident server firmware=32.011\n");
    HAS(f, "ident server serial=0x00c0ffee\n");
    HAS(f, "ident server state=run\n");
    HAS(f, "ident server protection=key_remote\n");
    /* the same, sent by whoever: a list command with data is an answer */
    struct feed *g = feed_new(&dissector_enip, 44818, 1, 0);
    g->cport = 44818;
    datagram(g, 0, identity_reply);
    HAS(g, "response 99 list_identity browse status=success executed s2c");
    HAS(g, "ident server model=1756-L83E/B");
    feed_free(f);
    feed_free(g);
}
END_TEST

#define FWD_OPEN "5402 2006 2401 0a0e 00000000 0100f180 0110 0100 c3b2a100 02 000000 10270000 2048 10270000 2048 01"
#define OPENED "d400 0000 01003300 0100f180 0110 0100 c3b2a100 10270000 10270000 00 00"
#define APP_PATH "09 3404 0100 0c00 6c00 8501 2004 2466 2c64 2c65"

START_TEST(io_follows_its_connection)
{
    struct feed *f = enip_feed();
    rr(f, 0, 1, FWD_OPEN " " APP_PATH);
    rr(f, 1, 1, OPENED);
    HAS(f, "forward_open session connection:assembly/102/cp100/cp101 status=success executed");
    HAS(f, "o2t_id=0x330001 t2o_id=0x80f10001");
    HAS(f, "key_vendor=Rockwell Automation key_device_type=Communications Adapter key_product_code=108 "
           "key_revision=5.001 key_compatible=1");
    HAS(f, "timeout_multiplier=16 o2t_rpi_us=10000 t2o_rpi_us=10000 o2t_size=32 t2o_size=32");
    for (int i = 0; i < 3; i++)
        datagram(f, 0, "0200 0280 0800 01003300 01000000 b100 0a00 0100 01000000 11223344");
    HAS(f, "message 1 class_1_data report connection:assembly/102/cp100/cp101 unknown c2s { event=first_packet "
           "connection_id=0x330001");
    HAS(f, "ident client state=run");
    ck_assert_int_eq(f->n_silent, 2);
    datagram(f, 1, "0200 0280 0800 0100f180 01000000 b100 0400 0100 aabb");
    HAS(f, "s2c { event=first_packet connection_id=0x80f10001 sequence=1 cip_sequence=1 length=4 direction=t2o");
    datagram(f, 0, "0200 0280 0800 01003300 05000000 b100 0a00 0500 00000000 11223344");
    HAS(f, "event=idle");
    HAS(f, "ident client state=idle");
    datagram(f, 0,
             "0200 0280 0800 01003300 06000000 b100 2800 0600 00000000 11223344 "
             "00000000000000000000000000000000000000000000000000000000 0000");
    HAS(f, "#size_not_as_opened");
    rr(f, 0, 2, "4e02 2006 2401 0a0e 0110 0100 c3b2a100 03 00 2004 2466 2c64");
    rr(f, 1, 2, "ce00 0000 0110 0100 c3b2a100 00 00");
    datagram(f, 0,
             "0200 0280 0800 01003300 07000000 b100 2800 0700 00000000 11223344 "
             "00000000000000000000000000000000000000000000000000000000 0000");
    HAS(f, "#data_after_close { event=after_close");
    ck_assert_int_eq(datagram(f, 0, "0200 0280 0800 01003300 07000000 b100 ff00 0700"), DIS_MALFORMED);
    ck_assert_int_eq(datagram(f, 0, "0200 0080 0400 01003300"), DIS_MALFORMED);
    feed_free(f);
}
END_TEST

START_TEST(large_and_refused_opens)
{
    struct feed *f = enip_feed();
    rr(f, 0, 1,
       "5b02 2006 2401 0a0e 00000000 0100f180 0910 0100 c3b2a100 02 000000 10270000 a00f0042 10270000 a00f0042 a3 03 "
       "0103 2002 2401");
    rr(f, 1, 1, "db00 0000 00020000 0100f180 0910 0100 c3b2a100 10270000 10270000 00 00");
    HAS(f, "transaction 91,91 large_forward_open session unit=3 connection:message_router/1");
    HAS(f, "o2t_size=4000 t2o_size=4000 o2t_type=point_to_point");
    HAS(f, "route=1/3");
    unit(f, 0, 0x200, 9, "4c04 9105 53706565 6400 0100");
    unit(f, 1, 0x80f10001, 9, "cc00 0000 ca00 00002a42");
    HAS(f, "transaction 76,76 read_tag read unit=3 tag:Speed=[42.5] status=success executed");
    rr(f, 0, 2, FWD_OPEN " " APP_PATH);
    rr(f, 1, 2, "d400 0101 0601 0110 0100 c3b2a100 03 00");
    HAS(f, "status=connection_failure! refused");
    HAS(f, "ext_status=ownership_conflict");
    feed_free(f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("enip");
    TCase *c = tcase_create("encapsulation");
    tcase_add_test(c, probe_knows_the_header);
    tcase_add_test(c, session_is_followed);
    tcase_add_test(c, faults_are_named);
    tcase_add_test(c, identity_over_udp);
    tcase_add_test(c, io_follows_its_connection);
    tcase_add_test(c, large_and_refused_opens);
    suite_add_tcase(s, c);
    return suite_end(s);
}
