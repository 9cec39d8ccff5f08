/* test_bacnet.c: BACnet datagrams in, events out. Bytes by ANSI/ASHRAE 135-2020. */
#include "dis_feed.h"
#include "tests/unit/suite.h"

extern const struct dissector dissector_bacnet;

static struct feed *open_feed(void)
{
    struct feed *f = feed_new(&dissector_bacnet, 47808, 1, 0);
    f->transport = DIS_UDP;
    f->cport = 47808;
    return f;
}

/* A datagram whose BVLC length is put right. */
static void say(struct feed *f, int from_server, const char *hex)
{
    uint8_t b[512];
    uint32_t n = feed_hex(hex, b, sizeof b);
    b[2] = (uint8_t)(n >> 8);
    b[3] = (uint8_t)n;
    feed_datagram_bytes(f, from_server, b, n);
}

/* ReadProperty of analog-input 3, present-value, invoke id 1, and its answer 21.5. */
#define ASK "810a 0011 01 04 00 75 01 0c 0c00000003 1955"
#define TELL "810a 0017 01 00 30 01 0c 0c00000003 1955 3e 4441ac0000 3f"

START_TEST(read_is_one_record)
{
    struct feed *f = open_feed();
    say(f, 0, ASK);
    say(f, 1, TELL);
    EXPECT(f, "transaction 0:12,3:12 read_property read property:analog_input,3.present_value=[21.5] status=ok executed s2c",
           "invoke_id=1");
    feed_free(f);
}
END_TEST

/* Two controllers ask each other under the same id, on one pair of ports. */
START_TEST(both_sides_ask)
{
    struct feed *f = open_feed();
    say(f, 0, ASK);
    say(f, 1, "810a 0011 01 04 00 75 01 0c 0c00800002 1955");
    say(f, 0, "810a 0017 01 00 30 01 0c 0c00800002 1955 3e 4440000000 3f");
    say(f, 1, TELL);
    EXPECT(f, "transaction 0:12,3:12 read_property read property:analog_value,2.present_value=[2]",
           "transaction 0:12,3:12 read_property read property:analog_input,3.present_value=[21.5]");
    feed_free(f);
}
END_TEST

/* A constant id: a request without an answer does not take the next one's. */
START_TEST(ids_that_come_again)
{
    struct feed *f = open_feed();
    say(f, 0, ASK);
    say(f, 0, "810a 0011 01 04 00 75 01 0c 0c00000004 1955");
    say(f, 1, "810a 0017 01 00 30 01 0c 0c00000004 1955 3e 4441ac0000 3f");
    EXPECT(f, "request 0:12 read_property read property:analog_input,3.present_value",
           "transaction 0:12,3:12 read_property read property:analog_input,4.present_value=[21.5]");
    feed_free(f);
}
END_TEST

START_TEST(errors_rejects_aborts)
{
    struct feed *f = open_feed();
    say(f, 0, ASK);
    say(f, 1, "810a 000d 01 00 50 01 0c 9101 911f");
    say(f, 0, ASK);
    say(f, 1, "810a 0009 01 00 60 01 09");
    say(f, 0, ASK);
    say(f, 1, "810a 0009 01 00 71 01 04");
    say(f, 1, "810a 000d 01 00 50 02 0c 9105 9100"); /* to nobody; code 0 is an error all the same */
    EXPECT(f, "0:12,5:12 read_property read property:analog_input,3.present_value status=unknown_object! refused s2c",
           "error_class=object error_code=unknown_object",
           "0:12,6 read_property read property:analog_input,3.present_value status=reject_unrecognized_service! refused",
           "0:12,7 read_property read property:analog_input,3.present_value status=abort_segmentation_not_supported! refused",
           "response 5:12 read_property read status=other! refused");
    feed_free(f);
}
END_TEST

START_TEST(writes_by_what_they_do)
{
    struct feed *f = open_feed();
    say(f, 0, "810a 0018 01 04 00 75 01 0f 0c01000001 1955 3e 9101 3f 4908");     /* binary output */
    say(f, 1, "810a 0009 01 00 20 01 0f");
    say(f, 0, "810a 0016 01 04 00 75 02 0f 0c00000003 1951 3e 11 3f");             /* out of service */
    say(f, 0, "810a 0017 01 04 00 75 03 0f 0c04000001 195a 3e 9103 3f");           /* program: halt */
    say(f, 0, "810a 001b 01 04 00 75 04 0f 0c00800002 1955 3e 4441b00000 3f 4911"); /* priority 17 */
    say(f, 0, "810a 002a 01 04 00 75 05 10 0c00800002 1e 0955 2e 4441b00000 2f 1f"
                        " 0c01000001 1e 0955 2e 9101 2f 3901 1f");
    EXPECT(f, "0:15,2:15 write_property control property:binary_output,1.present_value=[1]", "write_priority=8",
           "write_property force property:analog_input,3.out_of_service=[1]",
           "write_property stop property:program,1.program_change=[3]",
           "write_property write property:analog_value,2.present_value=[22]", "#write_priority_invalid",
           "write_property_multiple control property:analog_value,2.present_value(write)=[22]"
           " property:binary_output,1.present_value=[1]",
           "write_priority=1");
    feed_free(f);
}
END_TEST

/* Status_Flags are the quality of the value beside them; a property that cannot be read has its own status. */
START_TEST(several_properties)
{
    struct feed *f = open_feed();
    say(f, 0, "810a 0015 01 04 02 75 01 0e 0c00000003 1e 0955 096f 1f");
    say(f, 1, "810a 0028 01 00 30 01 0e 0c00000003 1e 2955 4e 4441ac0000 4f 296f 4e 820440 4f 2975 5e 9102 9120"
                        " 5f 1f");
    EXPECT(f, "property:analog_input,3.present_value~fault=[21.5]", "property:analog_input,3.status_flags=[0100]",
           "property:analog_input,3.units", "status=ok partial");
    feed_free(f);
}
END_TEST

START_TEST(identity)
{
    struct feed *f = open_feed();
    say(f, 1, "810b 0014 01 00 10 00 c4020003fc 2205c4 9103 2105"); /* I-Am of device 1020, vendor 5 */
    say(f, 1, "810a 0020 01 00 30 01 0c 0c020003fc 1946 3e 7508 00 46454332363131 3f");
    say(f, 1, "810a 0025 01 00 30 02 0c 0c020003fc 193a 3e 750d 04 00440061006300680020 00fc 3f");
    EXPECT(f, "ident client vendor=Johnson Controls, Inc.", "ident client protocol_address=1020", "i_am browse device:1020",
           "ident server model=FEC2611", "ident server location=Dach \xc3\xbc");
    EXPECT_NOT(f, "#");
    feed_free(f);
}
END_TEST

/* MS/TP behind a router: the unit of the record, and whose the answer is. */
START_TEST(devices_behind_a_router)
{
    struct feed *f = open_feed();
    say(f, 0, "810a 0016 01 24 07d1 01 05 ff 00 75 01 0c 0c00000003 1955");
    say(f, 0, "810a 0016 01 24 07d1 01 06 ff 00 75 01 0c 0c00000004 1955");
    say(f, 1, "810a 001b 01 08 07d1 01 06 30 01 0c 0c00000004 1955 3e 4441ac0000 3f");
    say(f, 1, "810a 001b 01 08 07d1 01 05 30 01 0c 0c00000003 1955 3e 4441ac0000 3f");
    say(f, 1, "810b 0019 01 08 07d2 06 0a460008bac0 10 00 c4020003fc 2205c4 9103 2107");
    EXPECT(f, "role=gateway", "sender 2001:6 through 10.0.0.2",
           "read_property read unit=2001:6 property:analog_input,4.present_value=[21.5]", "sender 2001:5 through 10.0.0.2",
           "read_property read unit=2001:5 property:analog_input,3.present_value=[21.5]",
           "sender 2002:0x0a460008bac0 through 10.0.0.2");
    feed_free(f);
}
END_TEST

START_TEST(forwarded_and_foreign)
{
    struct feed *f = open_feed();
    say(f, 0, "8105 0006 003c");
    say(f, 1, "8100 0006 0000");
    say(f, 0, "8101 000e 0a000009 bac0 ffffff00");
    say(f, 1, "8100 0006 0010");
    say(f, 1, "8104 001b 0a3e004d bac0 01 00 10 00 c4020003fc 2205c4 9103 2107");
    say(f, 1, "8104 0020 0a3e001e bac0 01 08 026c 01 09 10 00 c4020003fd 2205c4 9103 2107");
    say(f, 0, "8108 000a 0a000009 bac0");
    EXPECT(f, "register_foreign_device session status=ok executed", "ttl_s=60",
           "write_broadcast_distribution_table configure status=write_broadcast_distribution_table_nak! refused",
           "distribution_table=10.0.0.9:47808/255.255.255.0", "sender 10.62.0.77 through 10.0.0.2",
           "forwarded_from=10.62.0.77", "sender 10.62.0.30 through 10.0.0.2", "sender 620:9 through 10.62.0.30",
           "delete_foreign_device_table_entry configure", "foreign_device=10.0.0.9:47808");
    feed_free(f);
}
END_TEST

START_TEST(routing)
{
    struct feed *f = open_feed();
    say(f, 1, "810b 000b 01 80 01 07d1 07d2");
    say(f, 0, "810a 000c 01 80 06 01 07d1 01 00");
    say(f, 1, "810a 0008 01 80 07 00");
    say(f, 1, "810a 000a 01 80 03 01 07d9");
    EXPECT(f, "routes to BACnet network 2001", "i_am_router_to_network browse network:2001 network:2002",
           "initialize_routing_table configure network:2001 status=ok executed", "ports=1",
           "reject_message_to_network report network:2009", "network_reject_reason=not_directly_connected");
    feed_free(f);
}
END_TEST

/* The server of a notification is the one that sends it, also where it asks to be confirmed. */
START_TEST(notifications)
{
    static const char told[] = "09 12 1c 020003fc 2c 00000003 39 00 4e 0955 2e 4441bc0000 2f 4f";
    char hex[200];
    struct feed *f = open_feed();
    snprintf(hex, sizeof hex, "810a 0027 01 04 00 75 07 01 %s", told);
    say(f, 1, hex);
    say(f, 0, "810a 0009 01 00 20 07 01");
    snprintf(hex, sizeof hex, "810a 0025 01 00 10 02 %s", told);
    say(f, 1, hex);
    EXPECT(f, "unsolicited 0:1,2:1 confirmed_cov_notification report property:analog_input,3.present_value=[23.5]",
           "status=ok", "c2s", "initiating_device=device,1020",
           "unsolicited 1:2 unconfirmed_cov_notification report property:analog_input,3.present_value=[23.5]", "s2c");
    feed_free(f);
}
END_TEST

START_TEST(passwords_are_not_kept)
{
    struct feed *f = open_feed();
    say(f, 0, "810a 0015 01 04 00 75 01 11 09 05 19 01 2d 07 00 736563726574");
    say(f, 0, "810a 0010 01 04 00 75 02 14 09 00 1d 05 00 68756e74");
    EXPECT(f, "device_communication_control_disable mode", "#password_in_clear",
           "duration_min=5 communication=disable password=1", "reinitialize_device_coldstart reset");
    EXPECT_NOT(f, "secret");
    EXPECT_NOT(f, "736563");
    feed_free(f);
}
END_TEST

/* Object list in three segments, the second sent twice; then one with a hole. */
START_TEST(segments)
{
    struct feed *f = open_feed();
    for (int hole = 0; hole < 2; hole++) {
        say(f, 0, "810a 0011 01 04 02 75 01 0c 0c020003fc 194c");
        say(f, 1, "810a 0019 01 04 3c 01 00 02 0c 0c020003fc 194c 3e c400000001");
        say(f, 0, "810a 000a 01 00 40 01 00 02");
        say(f, 1, "810a 0010 01 04 3c 01 01 02 0c c400000002");
        say(f, 1, hole ? "810a 0010 01 04 3c 01 03 02 0c c400000002" : "810a 0010 01 04 3c 01 01 02 0c c400000002");
        say(f, 1, "810a 0011 01 00 38 01 02 02 0c c400000003 3f");
        say(f, 0, "810a 000a 01 00 40 01 02 02");
    }
    EXPECT(f, "transaction 0:12,3:12,4,3:12,3:12,3:12 read_property read"
              " property:device,1020.object_list=[analog_input,1,analog_input,2,analog_input,3] status=ok",
           "message 4 segment_ack session", "transaction 0:12,3:12,4,3:12,3:12,3:12,4 read_property", "partial",
           "#segment_lost");
    feed_free(f);
}
END_TEST

START_TEST(values)
{
    struct feed *f = open_feed();
    say(f, 1, "810a 0024 01 00 30 01 0c 0c00400001 1957 3e 00 00 4442480000 00 c400800007 a47e010501 3f");
    say(f, 1, "810a 001e 01 00 30 02 0c 0c00400001 1957 3e 00 31f9 5508 bfd0000000000000 11 3f");
    say(f, 1, "810a 001f 01 00 30 03 0c 0c04400001 197b 3e 0e b40a0b0c00 4441a80000 0f 0e 0f 3f");
    say(f, 1, "810a 0018 01 00 30 04 0c 0c32000007 1a0258 3e 8204a0 6302ff00 3f"); /* types of nobody */
    EXPECT(f, "analog_output,1.priority_array=[null,null,50,null,analog_value,7,2026-01-05]",
           "analog_output,1.priority_array=[,-7,-0.25,1]", "schedule,1.weekly_schedule=[0{10:11:12.00 21} 0{}]",
           "type_200,7.property_600=[1010,0x02ff00]");
    feed_free(f);
}
END_TEST

START_TEST(anomalies)
{
    static const struct {
        const char *hex, *want;
    } rows[] = {
        {"810a 0003 01", "malformed #bvlc_length"},
        {"810a 00ff 01 00 10 08", "#bvlc_length"},
        {"8120 0004", "malformed #bvlc_function_unknown"},
        {"810a 0008 02 00 10 08", "#npdu_version"},
        {"810a 0008 01 40 10 08", "#npdu_reserved_bits"},
        {"810a 000d 01 20 0000 01 05 ff 10 08", "#npdu_destination_invalid"},
        {"810a 000d 01 20 0007 01 05 00 10 08", "#hop_count_zero"},
        {"810a 000b 01 08 0007 00 10 08", "#npdu_source_invalid"},
        {"810a 0007 01 80 20", "#network_message_reserved"},
        {"810a 0009 01 00 80 01 02", "malformed #pdu_type_reserved"},
        {"810a 0008 01 00 02 05", "malformed #message_too_short"},
        {"810a 0011 01 04 01 75 01 0c 0c00000003 1955", "#apdu_reserved_bits"},
        {"810a 000a 01 04 00 75 01 63", "#service_unknown"},
        {"810a 000d 01 04 00 75 01 0c 0c0000", "#parameters_invalid"},
        {"810a 0013 01 04 00 75 01 0c 0c00000003 1955 ffff", "#bytes_behind_message"},
        {"810b 0011 01 04 00 75 01 0c 0c00000003 1955", "#confirmed_request_broadcast"},
        {"810a 000a 01 04 00 75 01 18", "#obsolete_service"},
        {"810a 000d 01 00 10 08 0964 1932 00", "#parameter_out_of_range"},
        {"810a 0009 01 00 71 4d 09", "#abort_without_request"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct feed *f = open_feed();
        feed_datagram(f, 0, rows[i].hex);
        EXPECT(f, rows[i].want);
        feed_free(f);
    }
}
END_TEST

/* Over ISO 8802-3, as MS/TP in Cimetrics' SNAP, and over IPv6. */
START_TEST(link_layers)
{
    struct feed *f = open_feed();
    f->transport = DIS_ETH;
    f->lay.ethertype = 0x82;
    feed_datagram(f, 0, "828203 01 00 10 08");
    f->lay.ethertype = 1;
    f->lay.snap_oui = 0x001090;
    feed_datagram(f, 0, "000080 06 ff 72 0004 00 01 00 10 08 0000");
    feed_datagram(f, 0, "000080 00 01 72 0000 84");
    f->transport = DIS_UDP;
    feed_datagram(f, 0, "8202 000b 000001 01 00 10 08");
    feed_datagram(f, 0, "8203 000a 000001 000002");
    feed_datagram(f, 1, "8208 001d 000002 fd000061000000000000000000000007 bac0 01 00 10 08");
    ck_assert_uint_eq(f->n_silent, 1);
    EXPECT(f, "message 1:8 who_is browse device:0-4194303", "message 1:8 who_is", "broadcast=1", "bvlc=original_broadcast_npdu",
           "vmac=000001", "address_resolution session", "sender fd00:61::7", "bvlc=forwarded_npdu");
    feed_free(f);
}
END_TEST

static enum match probe_udp(const char *hex, uint8_t on_port)
{
    uint8_t b[256];
    uint32_t n = feed_hex(hex, b, sizeof b);
    struct dis_ctx x = {.transport = DIS_UDP, .on_port = on_port};
    return dissector_bacnet.probe(cur_make(b, n), &x);
}

START_TEST(probing)
{
    ck_assert_int_eq(probe_udp(ASK, 0), MATCH_YES);
    ck_assert_int_eq(probe_udp(TELL, 0), MATCH_YES);
    ck_assert_int_eq(probe_udp("810b 0008 01 00 10 08", 0), MATCH_YES);
    ck_assert_int_eq(probe_udp("8105 0006 003c", 0), MATCH_MAYBE); /* too little to go by elsewhere */
    ck_assert_int_eq(probe_udp("8105 0006 003c", 1), MATCH_YES);
    static const char *const others[] = {"", "81", "810a00", "810a 0009 01 00 10 08", "810a 0008 02 00 10 08",
                                         "810a 0008 01 00 10 63", "8120 0008 01 00 10 08", "7f0a 0008 01 00 10 08",
                                         "8105 0007 003c00", "810a 0008 01 00 90 08", "8164 0008 2112a442"};
    for (unsigned i = 0; i < ARRAY_LEN(others); i++)
        ck_assert_msg(probe_udp(others[i], 0) == MATCH_NO, "%s", others[i]);
    ck_assert_int_eq(probe_udp("16030100 0000", 1), MATCH_NO);
}
END_TEST

/* Every prefix and every byte changed, in both directions and on both kinds of link. */
START_TEST(hostile)
{
    static const char *const all[] = {
        ASK, TELL, "810a 0028 01 00 30 01 0e 0c00000003 1e 2955 4e 4441ac0000 4f 296f 4e 820440 4f 2975 5e 9102 9120 5f 1f",
        "810a 0019 01 04 3c 01 00 02 0c 0c020003fc 194c 3e c400000001",
        "8104 0020 0a3e001e bac0 01 08 026c 01 09 10 00 c4020003fd 2205c4 9103 2107", "8101 000e 0a000009 bac0 ffffff00", "810a 000c 01 80 06 01 07d1 01 00",
        "810a 0025 01 00 30 02 0c 0c020003fc 193a 3e 750d 04 00440061006300680020 00fc 3f",
        "8208 001d 000002 fd000061000000000000000000000007 bac0 01 00 10 08"};
    static const uint8_t marks[] = {0x00, 0x0e, 0x7f, 0x80, 0xff};
    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        uint8_t b[256];
        uint32_t n = feed_hex(all[i], b, sizeof b);
        struct feed *f = open_feed();
        for (uint32_t at = 0; at <= n; at++) {
            for (int side = 0; side < 2; side++) {
                f->transport = at & 1 ? DIS_ETH : DIS_UDP;
                feed_datagram_bytes(f, side, b, at);
                f->n_text = 0;
            }
            for (unsigned k = 0; at < n && k < sizeof marks; k++) {
                uint8_t keep = b[at];
                b[at] = marks[k];
                f->transport = DIS_UDP;
                feed_datagram_bytes(f, (int)(k & 1), b, n);
                b[at] = keep;
                f->n_text = 0;
            }
        }
        feed_free(f);
    }
}
END_TEST

START_TEST(schema_is_sound)
{
    struct err e;
    ck_assert_msg(dissectors_check(&e) == 0, "%s", e.text);
    ck_assert_str_eq(schema_op(schema_by_name("bacnet"), 0x0f, ACT_CONTROL)->name, "write_property");
    ck_assert_str_eq(schema_op(schema_by_name("bacnet"), 0x30c, OP_ANY_SELECTOR)->name, "read_property");
}
END_TEST

SUITE("bacnet", 60, schema_is_sound, read_is_one_record, both_sides_ask, ids_that_come_again, errors_rejects_aborts,
      writes_by_what_they_do, several_properties, identity, devices_behind_a_router, forwarded_and_foreign, routing,
      notifications, passwords_are_not_kept, segments, values, anomalies, link_layers, probing, hostile)
