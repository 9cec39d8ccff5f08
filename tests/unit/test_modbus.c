#include "tests/unit/dis_feed.h"

#include "dissectors/modbus_priv.h"
#include "suite.h"

extern const struct dissector dissector_modbus;

static struct feed *tcp(void)
{
    return feed_new(&dissector_modbus, 502, 1, 1);
}

START_TEST(schema_is_sound)
{
    struct err e;
    ck_assert_msg(dissectors_check(&e) == 0, "%s", e.text);
    for (uint32_t i = 0; i < modbus_schema.n_fields; i++)
        ck_assert_ptr_nonnull(modbus_schema.fields[i].key);
    for (uint32_t i = 0; i < modbus_schema.n_anomalies; i++)
        ck_assert_ptr_nonnull(modbus_schema.anomalies[i].name);
}
END_TEST

START_TEST(reads_pair_with_their_values)
{
    struct feed *f = tcp();
    feed(f, 0, "0001 0000 0006 01 03 0000 000a");
    feed(f, 1, "0001 0000 0017 01 03 14 0001 0002 0003 0004 0005 0006 0007 0008 0009 ffff");
    feed(f, 0, "0002 0000 0006 01 01 0013 0013");
    feed(f, 1, "0002 0000 0006 01 01 03 cd6b05");
    feed(f, 0, "0003 0000 0006 02 02 00c4 0004");
    feed(f, 1, "0003 0000 0004 02 02 01 05");
    feed(f, 0, "0004 0000 0006 02 04 0008 0001");
    feed(f, 1, "0004 0000 0005 02 04 02 000a");
    EXPECT(
        f, "ident server protocol_address=1",
        "transaction 3,3 read_holding_registers read unit=1 holding_register:0-9=[1,2,3,4,5,6,7,8,9,65535] status=ok "
        "executed s2c { transaction_id=1 }",
        "1,1 read_coils read unit=1 coil:19-37=[1,0,1,1,0,0,1,1,1,1,0,1,0,1,1,0,1,0,1]",
        "ident server protocol_address=2", "2,2 read_discrete_inputs read unit=2 discrete_input:196-199=[1,0,1,0]",
        "input_register:8=[10]");
    feed_free(f);
}
END_TEST

START_TEST(writes_pair_and_echoes_are_checked)
{
    struct feed *f = tcp();
    feed(f, 0, "0001 0000 0006 01 05 00ac ff00");
    feed(f, 1, "0001 0000 0006 01 05 00ac ff00");
    feed(f, 0, "0002 0000 0006 01 06 0001 0003");
    feed(f, 1, "0002 0000 0006 01 06 0001 0004");
    feed(f, 0, "0003 0000 000b 01 10 0001 0002 04 000a 0102");
    feed(f, 1, "0003 0000 0006 01 10 0001 0002");
    feed(f, 0, "0004 0000 0009 01 0f 0013 000a 02 cd01");
    feed(f, 1, "0004 0000 0006 01 0f 0013 000a");
    feed(f, 0, "0005 0000 0008 01 16 0004 00f2 0025");
    feed(f, 1, "0005 0000 0008 01 16 0004 00f2 0025");
    feed(f, 0, "0006 0000 0006 01 05 00ac 1234");
    EXPECT(f, "5,5 write_single_coil write unit=1 coil:172=[1] status=ok executed",
           "6,6 write_single_register write unit=1 holding_register:1=[3] status=ok executed s2c #answer_differs",
           "16,16 write_multiple_registers write unit=1 holding_register:1-2=[10,258] status=ok",
           "15,15 write_multiple_coils write unit=1 coil:19-28=[1,0,1,1,0,0,1,1,1,0] status=ok",
           "22,22 mask_write_register write unit=1 holding_register:4 status=ok executed s2c { transaction_id=5 "
           "and_mask=0xf2 "
           "or_mask=0x25 }",
           "request 5 write_single_coil write unit=1 coil:172=[1] unknown c2s #coil_value_invalid");
    feed_free(f);
}
END_TEST

START_TEST(read_write_has_two_objects)
{
    struct feed *f = tcp();
    feed(f, 0, "0001 0000 0011 01 17 0003 0006 000e 0003 06 00ff 00ff 00ff");
    feed(f, 1, "0001 0000 000f 01 17 0c 00fe 0acd 0001 0003 000d 00ff");
    EXPECT(f, "23,23 read_write_multiple_registers write unit=1 holding_register:3-8(read)=[254,2765,1,3,13,255] "
              "holding_register:14-16=[255,255,255] status=ok executed");
    feed_free(f);
}
END_TEST

START_TEST(files_and_fifo)
{
    struct feed *f = tcp();
    feed(f, 0, "0001 0000 0011 01 14 0e 06 0004 0001 0002 06 0003 0009 0002");
    feed(f, 1, "0001 0000 000f 01 14 0c 05 06 0dfe 0020 05 06 33cd 0040");
    feed(f, 0, "0002 0000 0010 01 15 0d 06 0004 0007 0003 06af 04be 100d");
    feed(f, 1, "0002 0000 0010 01 15 0d 06 0004 0007 0003 06af 04be 100d");
    feed(f, 0, "0003 0000 0004 01 18 04de");
    feed(f, 1, "0003 0000 000a 01 18 0006 0002 01b8 1284");
    feed(f, 0, "0004 0000 000a 01 14 07 07 0000 270f 0002");
    EXPECT(f, "20,20 read_file_record read unit=1 file[4]:1-2=[3582,32] file[3]:9-10=[13261,64] status=ok executed",
           "21,21 write_file_record write unit=1 file[4]:7-9=[1711,1214,4109] status=ok executed",
           "24,24 read_fifo_queue read unit=1 fifo:1246=[440,4740]",
           "request 20 read_file_record read unit=1 file[0]:9999-10000 unknown c2s #file_reference_type "
           "#file_record_out_of_range");
    feed_free(f);
}
END_TEST

START_TEST(diagnostics_by_sub_function)
{
    struct feed *f = tcp();
    feed(f, 0, "0001 0000 0006 01 08 0001 ff00");
    feed(f, 1, "0001 0000 0006 01 08 0001 ff00");
    feed(f, 0, "0002 0000 0006 01 08 0004 0000");
    feed(f, 0, "0003 0000 0006 01 08 000b 0000");
    feed(f, 1, "0003 0000 0006 01 08 000b 0017");
    feed(f, 0, "0004 0000 0008 01 08 0000 a537 0001");
    feed(f, 1, "0004 0000 0008 01 08 0000 a537 0002");
    feed(f, 0, "0005 0000 0002 01 07");
    feed(f, 1, "0005 0000 0003 01 07 6d");
    feed(f, 0, "0006 0000 0002 01 0b");
    feed(f, 1, "0006 0000 0006 01 0b ffff 0108");
    feed(f, 0, "0007 0000 0002 01 0c");
    feed(f, 1, "0007 0000 000b 01 0c 08 0000 0108 0121 2000");
    feed(f, 0, "0008 0000 0006 01 08 0005 0000");
    EXPECT(f,
           "8,8 restart_communications_option reset unit=1 status=ok executed s2c { transaction_id=1 sub_function=1 "
           "diagnostic_data=ff00 }",
           "message 8 force_listen_only_mode mode unit=1 unknown c2s { transaction_id=2 sub_function=4 "
           "diagnostic_data=0000 }",
           "8,8 return_bus_message_count diagnose unit=1 status=ok executed s2c { transaction_id=3 sub_function=11 "
           "diagnostic_data=0017 }",
           "8,8 return_query_data diagnose unit=1 status=ok executed s2c #answer_differs", "exception_status=0x6d",
           "status_word=0xffff event_count=264", "event_count=264 message_count=289 events=2000", "8 diagnostics",
           "#sub_function_reserved");
    feed_free(f);
}
END_TEST

START_TEST(identification)
{
    struct feed *f = tcp();
    feed(f, 0, "0001 0000 0005 01 2b 0e 01 00");
    feed(f, 1, "0001 0000 001c 01 2b 0e 01 01 00 00 03 00 04 41636d65 01 06 582d31323334 02 04 56322e31");
    feed(f, 0, "0002 0000 0005 ff 2b 0e 04 05");
    feed(f, 1, "0002 0000 000d ff 2b 0e 04 83 00 00 01 05 03 4d3538");
    feed(f, 0, "0003 0000 0002 0a 11");
    feed(f, 1, "0003 0000 000a 0a 11 07 12 ff 57696e6770");
    feed(f, 0, "0004 0000 0006 0a 2b 0d 01 0203 04");
    EXPECT(
        f, "ident server/1 vendor=Acme", "ident server/1 product_code=X-1234", "ident server/1 firmware=V2.1",
        "43,43 read_device_identification browse unit=1 status=ok executed s2c { transaction_id=1 "
        "mei_type=read_device_identification read_device_id_code=basic conformity_level=0x1 more_follows=0 object_id=0 "
        "object_value=Acme object_id=1 object_value=X-1234 object_id=2 object_value=V2.1 }",
        "ident server model=M58", "device_object:5", "ident server/10 name=Wingp", "ident server/10 state=run",
        "run_indicator=on", "43 canopen_general_reference");
    EXPECT_NOT(f, "#");
    feed_free(f);
}
END_TEST

START_TEST(exceptions)
{
    struct feed *f = tcp();
    static const char *const codes[] = {"02", "05", "06", "0b", "63"};
    for (unsigned i = 0; i < ARRAY_LEN(codes); i++) {
        char t[64];
        feed(f, 0, "0000 0000 0009 07 10 0001 0001 02 0001"); /* constant id */
        snprintf(t, sizeof t, "0000 0000 0003 07 90 %s", codes[i]);
        feed(f, 1, t);
    }
    feed(f, 0, "0001 0000 0003 07 83 02");
    feed(f, 0, "0002 0000 0004 07 91 0203");
    feed(f, 1, "0009 0000 0003 07 83 02");
    EXPECT(f, "status=illegal_data_address! refused", "status=acknowledge accepted",
           "status=server_device_busy refused", "status=gateway_target_failed_to_respond! refused",
           "status=?! refused s2c", "#exception_code_unknown",
           "message 3 read_holding_registers read unit=7 unknown c2s #exception_from_client",
           "message 17 report_server_id browse unit=7 unknown c2s #function_above_127",
           "response 3 read_holding_registers read unit=7 status=illegal_data_address! refused s2c");
    feed_free(f);
}
END_TEST

START_TEST(anomalies_of_requests)
{
    struct feed *f = tcp();
    feed(f, 0, "0001 0000 0006 01 03 0000 0000");
    feed(f, 0, "0002 0000 0006 01 03 0000 007e");
    feed(f, 0, "0003 0000 0006 01 03 ffff 0002");
    feed(f, 0, "0004 0000 0002 01 00");
    feed(f, 0, "0005 0000 0003 01 5b 00");
    feed(f, 0, "0006 0000 0003 01 21 00");
    feed(f, 0, "0007 0000 0003 01 42 00");
    feed(f, 0, "0008 0000 0005 01 03 0000 01");
    feed(f, 0, "0009 0000 000b 01 10 0001 0002 05 000a 0102");
    feed(f, 0, "000a 0000 0009 01 10 0001 0002 02 000a");
    feed(f, 0, "000b 0007 0006 01 03 0000 0001");
    EXPECT(f, "#quantity_out_of_range", "holding_register:0-125 unknown c2s #quantity_out_of_range",
           "holding_register:65535 unknown c2s #address_past_end", "function_0 other unit=1 unknown c2s #function_zero",
           "91 reserved_91 other unit=1 unknown c2s #reserved_function",
           "33 ? other unit=1 unknown c2s #unassigned_function",
           "66 ? other unit=1 unknown c2s { transaction_id=7 data=00 }", "#bad_length", "#byte_count_mismatch",
           "#byte_count_mismatch", "#protocol_id_not_zero { transaction_id=11 protocol_id=7 }");
    feed_free(f);
}
END_TEST

START_TEST(pairing_survives)
{
    struct feed *f = tcp();
    /* constant ids, two units on a gateway, several PDUs in a segment, answers out of order */
    feed(f, 0, "0000 0000 0006 01 03 0000 0001 0000 0000 0006 02 03 0010 0001 0000 0000 0006 01 03 0020 0001");
    feed(f, 1, "0000 0000 0005 02 03 02 0002 0000 0000 0005 01 03 02 0001");
    feed(f, 1, "0000 0000 0005 01 03 02 0003");
    /* split in the middle of a header */
    feed(f, 0, "0005 00");
    feed(f, 0, "00 0006 01 03 0030 0001 00");
    feed(f, 0, "06 0000 0006 01 04 0040 0001");
    feed(f, 1, "0006 0000 0005 01 04 02 0006 0005 0000 0005 01 03 02 0005");
    /* wrong unit, wrong function, no request */
    feed(f, 0, "0007 0000 0006 01 03 0050 0001");
    feed(f, 1, "0007 0000 0005 09 03 02 0007");
    feed(f, 0, "0008 0000 0006 01 03 0060 0001");
    feed(f, 1, "0008 0000 0005 01 04 02 0008");
    feed(f, 1, "0099 0000 0005 01 03 02 0009");
    feed(f, 1, "0098 0000 0006 01 06 0009 0001");
    EXPECT(f, "unit=2 holding_register:16=[2]", "unit=1 holding_register:0=[1]", "unit=1 holding_register:32=[3]",
           "input_register:64=[6]", "holding_register:48=[5]",
           "unit=1 holding_register:80=[7] status=ok executed s2c "
           "#unit_mismatch",
           "response 4 read_input_registers read unit=1 status=ok executed s2c #function_mismatch { transaction_id=8 "
           "data=0008 }",
           "response 3 read_holding_registers read unit=1 status=ok executed s2c { transaction_id=153 data=0009 }",
           "response 6 write_single_register write unit=1 holding_register:9=[1]",
           "request 3 read_holding_registers read unit=1 holding_register:96");
    feed_free(f);
}
END_TEST

START_TEST(answers_are_measured)
{
    struct feed *f = tcp();
    feed(f, 0, "0001 0000 0006 01 03 0000 0002");
    feed(f, 1, "0001 0000 0005 01 03 02 0001");
    feed(f, 0,
         "0002 0000 0006 01 10 0000 0002"
         "04 0001 0002");
    feed(f, 1, "0003 0000 0006 01 04 03 000102");
    EXPECT(f, "holding_register:0-1=[1] status=ok executed s2c #answer_size_mismatch", "#byte_count_mismatch");
    feed_free(f);
}
END_TEST

static void with_crc(const char *hex, char *out, size_t n)
{
    uint8_t b[300];
    uint32_t len = feed_hex(hex, b, sizeof b);
    uint16_t crc = mb_crc((struct span){b, len});
    snprintf(out, n, "%s %02x%02x", hex, crc & 0xff, crc >> 8);
}

static void feed_rtu(struct feed *f, int side, const char *hex)
{
    char t[700];
    with_crc(hex, t, sizeof t);
    feed(f, side, t);
}

START_TEST(rtu_over_tcp)
{
    ck_assert_uint_eq(mb_crc((struct span){(const uint8_t *)"\x01\x03\x00\x00\x00\x0a", 6}), 0xcdc5);
    struct feed *f = feed_new(&dissector_modbus, 4001, 0, 0);
    feed_rtu(f, 0, "01 03 0000 000a");
    feed_rtu(f, 1, "01 03 14 0001 0002 0003 0004 0005 0006 0007 0008 0009 000a");
    feed_rtu(f, 0, "00 06 0001 0003");
    feed_rtu(f, 0, "00 03 0001 0003");
    feed_rtu(f, 0, "f9 06 0001 0004");
    feed_rtu(f, 0, "02 05 0001 ff00");
    feed_rtu(f, 1, "02 05 0001 ff00");
    feed_rtu(f, 0, "03 41 010203");
    feed_rtu(f, 1, "03 c1 01");
    feed(f, 0, "01 03 0000 000a c5 ce");
    feed(f, 0, "01 03");
    feed(f, 0, "0000 000a c5cd 01 04 00");
    feed(f, 0, "00 0001 31 ca");
    EXPECT(f, "transaction 3,3 read_holding_registers read unit=1 holding_register:0-9=[1,2,3,4,5,6,7,8,9,10]",
           "transport=rtu_over_tcp",
           "message 6 write_single_register write unit=0 holding_register:1=[3] unknown c2s { transport=rtu_over_tcp "
           "broadcast=1 }",
           "#broadcast_read", "transaction 5,5", "transaction 65,65 ? other unit=3 status=illegal_function!",
           "malformed #bad_crc", "#unit_reserved", "request 3", "request 4");
    ck_assert_uint_eq(f->n_malformed, 1);
    feed_free(f);
    f = feed_new(&dissector_modbus, 4001, 0, 1);
    f->dir_known = 1;
    feed_rtu(f, 1, "01 03 0000 0002"); /* a device that calls its master: the opener answers */
    feed_rtu(f, 0, "01 03 04 0001 0002");
    EXPECT(f, "transaction 3,3 read_holding_registers read unit=1 holding_register:0-1=[1,2] status=ok executed s2c");
    feed_free(f);
}
END_TEST

/* ROC Plus has the same check sum; its empty messages look like reads of function 2. */
START_TEST(another_protocol_with_the_same_crc)
{
    struct feed *f = feed_new(&dissector_modbus, 4000, 0, 1);
    feed(f, 0, "0102030406003a2f");
    feed(f, 1, "0102030407003bbf");
    ck_assert_str_eq(feed_end(f), "");
    ck_assert_uint_eq(f->n_lost, 1);
    feed_free(f);
}
END_TEST

START_TEST(probing)
{
    uint8_t dir;
    const struct dissector *d = &dissector_modbus;
    ck_assert_int_eq(feed_probe(d, "0001 0000 0006 01 03 0000 000a", 0, &dir), MATCH_YES);
    ck_assert_int_eq(dir, DIR_C2S);
    ck_assert_int_eq(feed_probe(d, "0001 0000 0005 01 03 02 0001", 0, &dir), MATCH_YES);
    ck_assert_int_eq(dir, DIR_S2C);
    ck_assert_int_eq(feed_probe(d, "0001 0000 0003 01 83 02", 0, &dir), MATCH_YES);
    ck_assert_int_eq(dir, DIR_S2C);
    ck_assert_int_eq(feed_probe(d, "0001 0000 0006 01 05 0001 ff00", 0, &dir), MATCH_YES);
    ck_assert_int_eq(dir, DIR_UNKNOWN);
    ck_assert_int_eq(feed_probe(d, "01 03 0000 000a c5cd", 0, NULL), MATCH_YES);
    ck_assert_int_eq(feed_probe(d, "0001 0000", 0, NULL), MATCH_MORE);
    ck_assert_int_eq(feed_probe(d, "0001 0000 0008 01 03 0000 000a 0000", 0, NULL), MATCH_NO);
    ck_assert_int_eq(feed_probe(d, "0001 0000 0006 01 03 0000 0000", 0, NULL), MATCH_NO);
    ck_assert_int_eq(feed_probe(d, "0001 0000 0008 01 42 0000 000a 0000", 1, NULL), MATCH_MAYBE);
    ck_assert_int_eq(feed_probe(d, "05000b03100000004800000001000000b810b810", 1, NULL), MATCH_NO);
    ck_assert_int_eq(feed_probe(d, "800000287e86ab4a00000000", 1, NULL), MATCH_NO);
    ck_assert_int_eq(feed_probe(d, "1603010085010000810303736ff818", 1, NULL), MATCH_NO);
    ck_assert_int_eq(feed_probe(d, "474554202f20485454502f312e310d0a", 1, NULL), MATCH_NO);
    ck_assert_int_eq(feed_probe(d, "0300002b26e00000000000436f6f6b69", 1, NULL), MATCH_NO);
    ck_assert_int_eq(feed_probe(d, "680407000000", 1, NULL), MATCH_MORE);
    ck_assert_int_eq(feed_probe(d, "056405c00100000004e921", 1, NULL), MATCH_NO);
    ck_assert_int_eq(feed_probe(d, "6f0000000000000000000000", 0, NULL), MATCH_NO);
    ck_assert_int_eq(feed_probe(d, "0000000000000000000000000000", 0, NULL), MATCH_NO);
}
END_TEST

START_TEST(random_bytes_do_not_match)
{
    uint32_t s = 12345;
    unsigned hits = 0;
    for (unsigned i = 0; i < 200000; i++) {
        uint8_t b[24];
        for (unsigned k = 0; k < sizeof b; k++) {
            s = s * 1664525u + 1013904223u;
            b[k] = (uint8_t)(s >> 24);
        }
        if (i & 1) /* half of them with the zeros of a header in place */
            b[2] = b[3] = b[4] = 0;
        struct dis_ctx x = {.transport = DIS_TCP};
        hits += dissector_modbus.probe(cur_make(b, sizeof b), &x) == MATCH_YES;
    }
    ck_assert_uint_lt(hits, 60);
}
END_TEST

START_TEST(umas_dialogue)
{
    struct feed *f = tcp();
    feed(f, 0, "0000 0000 0004 0b 5a 00 02");
    feed(f, 1,
         "0000 0000 0030 0b 5a 00 fe "
         "0e300b01000000002002000009000e0b0102000000000c424d45205035382031303230010101000000004a00");
    feed(f, 0, "0000 0000 0005 0b 5a 00 03 00");
    feed(f, 1,
         "0000 0000 0033 0b 5a 00 fe "
         "030d0000a29b020000030d0000a29b0200000422330b0c03e4070422330b0c03e407130000000850726f6a65637400");
    feed(f, 0, "0000 0000 0004 0b 5a 00 04");
    feed(f, 1,
         "0000 0000 0046 0b 5a 00 fe "
         "038a0c067a73980adab8531400000000be7c2722be7c2722030000000000000000000000000000000000000301"
         "00000000000000000000000108040002010000fa00");
    feed(f, 0, "0000 0000 0010 0b 5a 00 10 162a0000 07 4841434b454421");
    feed(f, 1, "0000 0000 0005 0b 5a 00 fe ba");
    feed(f, 0, "0000 0000 0006 0b 5a ba 41 ff00");
    feed(f, 1, "0000 0000 0004 0b 5a ba fe");
    feed(f, 0, "0000 0000 0006 0b 5a bb 40 ff00");
    feed(f, 1, "0000 0000 000e 0b 5a bb fd 8180c0c62d0000000000");
    feed(f, 0, "0000 0000 000d 00 5a 00 20 00 1300 00000000 6400");
    feed(f, 1, "0000 0000 0009 00 5a 00 fe 00 0200 abcd");
    feed(f, 0, "0000 0000 0010 00 5a 00 22 1bf47323 01 02 2b00 01 0100 a4");
    feed(f, 1, "0000 0000 0006 00 5a 00 fe 0401");
    feed(f, 0, "0000 0000 000e 00 5a 01 31 00 01 0100 0400 deadbeef");
    feed(f, 1, "0000 0000 0004 00 5a 02 fe");
    feed(f, 0, "0000 0000 0003 00 5a 00");
    feed(f, 1, "0001 0000 0003 00 da 01");
    EXPECT(
        f, "ident server/11 vendor=Schneider Electric", "ident server/11 model=BME P58 1020",
        "ident server/11 firmware=2.20", "transaction 90,90 umas_read_id browse unit=11 status=ok executed",
        "umas.pairing_key=0x0 umas.function=0x2", "umas.model=BME P58 1020 umas.firmware=2.20 umas.hardware_id=0xb0e",
        "ident server/11 program=Project 0.0.19", "umas.project=Project umas.project_version=0.0.19",
        "ident server/11 state=run", "umas.plc_state=run", "ident client name=HACKED!",
        "umas_take_reservation lock unit=11 status=ok", "umas.station=HACKED! umas.response=ok umas.new_key=0xba",
        "ident server/11 state=stop", "umas_stop_plc stop unit=11 status=ok executed",
        "umas_start_plc start unit=11 status=umas_error! refused", "umas.error=8180c0c62d0000000000",
        "umas_read_memory_block read unit=0 umas_block[19]:0-99=[abcd]",
        "umas_read_variables read unit=0 umas_variable[43]:420-421=[0401]",
        "umas_upload_block program_download unit=0 umas_program:1=[deadbeef] status=ok executed s2c #umas_key_mismatch",
        "response 90 umas other unit=0 status=illegal_function!", "#umas_malformed");
    feed_free(f);
}
END_TEST

START_TEST(umas_signed)
{
    struct feed *f = tcp();
    feed(
        f, 0,
        "0000 0000 0029 00 5a 00 38 01 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 5a 77 41 ff00");
    EXPECT(f, "90 umas_stop_plc stop unit=0", "umas.pairing_key=0x77 umas.function=0x41 umas.signed=1");
    feed_free(f);
}
END_TEST

START_TEST(a_cut_packet_is_not_malformed)
{
    struct feed *f = tcp();
    struct dis_ctx x;
    uint8_t b[64];
    feed_fill(f, &x, 0);
    x.cut = 1;
    uint32_t n = feed_hex("0003 0000 000b 01 10 0001 0002 04 000a", b, sizeof b);
    dissector_modbus.parse(cur_make(b, n), &x);
    EXPECT(
        f,
        "request 16 write_multiple_registers write unit=1 holding_register:1-2=[10] unknown c2s { transaction_id=3 }");
    feed_free(f);
}
END_TEST

START_TEST(datagrams)
{
    struct feed *f = tcp();
    struct dis_ctx x;
    uint8_t b[64];
    f->transport = DIS_UDP;
    feed_fill(f, &x, 0);
    uint32_t n = feed_hex("0003 0000 0006 01 03 0000 0001", b, sizeof b);
    ck_assert_int_eq(dissector_modbus.parse(cur_make(b, n), &x), DIS_OK);
    n = feed_hex("0004 0000 0006 01 03 0000 0001 ff", b, sizeof b);
    ck_assert_int_eq(dissector_modbus.parse(cur_make(b, n), &x), DIS_MALFORMED);
    EXPECT(f, "holding_register:0 unknown c2s { transaction_id=3 }", "#bad_length");
    feed_free(f);
}
END_TEST

START_TEST(hostile)
{
    static const char *const segments[] = {
        "0001 0000 0006 01 03 0000 000a",
        "0001 0000 0007 01 03 04 0001 0002",
        "0001 0000 0011 01 17 0003 0006 000e 0003 06 00ff 00ff 00ff",
        "0001 0000 0011 01 14 0e 06 0004 0001 0002 06 0003 0009 0002",
        "0001 0000 000f 01 14 0c 05 06 0dfe 0020 05 06 33cd 0040",
        "0002 0000 0010 01 15 0d 06 0004 0007 0003 06af 04be 100d",
        "0003 0000 000a 01 18 0006 0002 01b8 1284",
        "0001 0000 001c 01 2b 0e 01 01 00 00 03 00 04 41636d65 01 06 582d31323334 02 04 56322e31",
        "0003 0000 000a 0a 11 07 12 ff 57696e6770",
        "0007 0000 000b 01 0c 08 0000 0108 0121 2000",
        "0000 0000 000e 00 5a 01 31 00 01 0100 0400 deadbeef",
        "0000 0000 0010 00 5a 00 22 1bf47323 01 02 2b00 01 0100 a4",
        "0000 0000 0010 0b 5a 00 10 162a0000 07 4841434b454421",
        "01 03 0000 000a c5cd",
        "0000 0000 0003 01 83 02",
        ("0000 0000 0030 0b 5a 00 fe "
         "0e300b01000000002002000009000e0b0102000000000c424d452050353820313032300101010000004a00")};
    feed_hostile(&dissector_modbus, 502, segments, ARRAY_LEN(segments));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("modbus");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, schema_is_sound);
    tcase_add_test(t, reads_pair_with_their_values);
    tcase_add_test(t, writes_pair_and_echoes_are_checked);
    tcase_add_test(t, read_write_has_two_objects);
    tcase_add_test(t, files_and_fifo);
    tcase_add_test(t, diagnostics_by_sub_function);
    tcase_add_test(t, identification);
    tcase_add_test(t, exceptions);
    tcase_add_test(t, anomalies_of_requests);
    tcase_add_test(t, pairing_survives);
    tcase_add_test(t, answers_are_measured);
    tcase_add_test(t, rtu_over_tcp);
    tcase_add_test(t, another_protocol_with_the_same_crc);
    tcase_add_test(t, probing);
    tcase_add_test(t, random_bytes_do_not_match);
    tcase_add_test(t, umas_dialogue);
    tcase_add_test(t, umas_signed);
    tcase_add_test(t, a_cut_packet_is_not_malformed);
    tcase_add_test(t, datagrams);
    tcase_add_test(t, hostile);
    suite_add_tcase(s, t);
    return suite_end(s);
}
