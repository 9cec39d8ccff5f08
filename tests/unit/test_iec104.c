#include "tests/unit/dis_feed.h"

#include "dissectors/iec104_priv.h"
#include "suite.h"

extern const struct dissector dissector_iec104;

static struct feed *tcp(void)
{
    return feed_new(&dissector_iec104, 2404, 1, 1);
}

/* I frames with right sequence numbers. */
struct link {
    struct feed *f;
    uint16_t ns[2];
};

static struct link start(void)
{
    struct link l = {.f = tcp()};
    feed(l.f, 0, "68 04 07 00 00 00");
    feed(l.f, 1, "68 04 0b 00 00 00");
    return l;
}

static void i_frame(struct link *l, int side, const char *asdu)
{
    uint8_t b[256];
    uint32_t n = feed_hex(asdu, b + 6, 249);
    uint16_t s = (uint16_t)(l->ns[side]++ << 1), r = (uint16_t)(l->ns[!side] << 1);
    b[0] = 0x68;
    b[1] = (uint8_t)(n + 4);
    b[2] = (uint8_t)s;
    b[3] = (uint8_t)(s >> 8);
    b[4] = (uint8_t)r;
    b[5] = (uint8_t)(r >> 8);
    feed_bytes(l->f, side, b, n + 6);
}

START_TEST(schema_is_sound)
{
    struct err e;
    ck_assert_msg(dissectors_check(&e) == 0, "%s", e.text);
    for (uint32_t i = 0; i < iec104_schema.n_fields; i++)
        ck_assert_ptr_nonnull(iec104_schema.fields[i].key);
    for (uint32_t i = 0; i < iec104_schema.n_anomalies; i++)
        ck_assert_ptr_nonnull(iec104_schema.anomalies[i].name);
    /* every type that is described has a name and a row, and the reverse */
    for (unsigned t = 0; t < 128; t++) {
        const struct iec_type *row = iec_type_get((uint8_t)t);
        const char *symbol = code_name(iec104_schema.fields[IF_TYPE].names, t);
        ck_assert_int_eq(row != NULL, schema_op(&iec104_schema, t, OP_ANY_SELECTOR) != NULL);
        ck_assert_int_eq(row != NULL, symbol != NULL);
        if (row)
            ck_assert_str_eq(row->symbol, symbol);
    }
}
END_TEST

START_TEST(u_frames_pair_and_s_frames_are_silent)
{
    struct feed *f = tcp();
    feed(f, 0, "68 04 07 00 00 00");
    feed(f, 1, "68 04 0b 00 00 00 68 04 43 00 00 00");
    feed(f, 0, "68 04 83 00 00 00 68 04 01 00 02 00");
    feed(f, 0, "68 04 13 00 00 00");
    feed(f, 1, "68 04 23 00 00 00");
    feed(f, 0, "68 04 17 00 00 00");
    EXPECT(f, "transaction U:1,U:2 startdt_act session executed s2c",
           "transaction U:16,U:32 testfr_act session executed c2s",
           "transaction U:4,U:8 stopdt_act session executed s2c", "message U:5 ? other unknown c2s #bad_control_field");
    ck_assert_uint_eq(f->n_silent, 1);
    ck_assert_uint_eq(f->n_events, 4);
    feed_free(f);
}
END_TEST

START_TEST(process_data)
{
    struct link l = start();
    i_frame(&l, 1, "01 02 03 00 0a00 010000 01 020000 80");
    i_frame(&l, 1, "01 84 14 00 0a00 010000 01 00 01 01");
    i_frame(&l, 1, "01 83 14 00 0a00 010000 01 40 01");
    i_frame(&l, 1, "03 01 03 00 0a00 010000 02");
    i_frame(&l, 1, "05 01 03 00 0a00 010000 ff 00");
    i_frame(&l, 1, "07 01 03 00 0a00 010000 78563412 00");
    i_frame(&l, 1, "09 81 03 00 0a00 010000 00c0 01");
    i_frame(&l, 1, "0b 82 03 00 0a00 010000 feff 00 0a00 10");
    i_frame(&l, 1, "0d 01 01 00 0a00 010000 0000c03f 00");
    i_frame(&l, 1, "0f 01 25 00 0a00 010000 ffffffff 65");
    i_frame(&l, 1, "14 01 14 00 0a00 010000 0300 0100 00");
    i_frame(&l, 1, "15 01 01 00 0a00 010000 0040");
    EXPECT(l.f, "ident server protocol_address=10",
           "unsolicited 1 single_point report unit=10 ioa:1=[1] ioa:2~invalid=[0] unknown s2c "
           "{ type=M_SP_NA_1 cause=spontaneous send_sequence=0 receive_sequence=0 number_of_objects=2 }",
           "message 1 single_point report unit=10 ioa:1-4=[1,0,1,1]", "sequence=1",
           "ioa:1=[1] ioa:2~not_topical=[0] ioa:3=[1]", "double_point report unit=10 ioa:1=[2]",
           "step_position report unit=10 ioa:1~transient=[-1]", "bitstring report unit=10 ioa:1=[305419896]",
           "measured_normalized report unit=10 ioa:1~overflow=[-0.5]",
           "measured_scaled report unit=10 ioa:1-2=[-2,10~blocked]", "measured_float report unit=10 ioa:1=[1.5]",
           "integrated_totals report unit=10 ioa:1~carry~adjusted=[-1]", "counter_sequence=5",
           "packed_single_point report unit=10 ioa:1=[3]", "changed=0x1",
           "measured_normalized_no_quality report unit=10 ioa:1=[0.5]");
    EXPECT_NOT(l.f, "#");
    feed_free(l.f);
}
END_TEST

/* 7.2.6.3: bits 1 to 3 of a QDS are reserved, also where each value of a sequence has its own. */
START_TEST(reserved_quality_bits)
{
    struct link l = start();
    i_frame(&l, 1, "0b 83 03 00 0a00 010000 feff 0e 0a00 1f 0b00 80");
    i_frame(&l, 1, "0d 01 03 00 0a00 010000 0000c03f 0e");
    EXPECT(l.f, "measured_scaled report unit=10 ioa:1-3=[-2,10~overflow~blocked,11~invalid]",
           "measured_float report unit=10 ioa:1=[1.5]");
    EXPECT_NOT(l.f, "reserved");
    EXPECT_NOT(l.f, "elapsed");
    feed_free(l.f);
}
END_TEST

START_TEST(time_tags)
{
    struct link l = start();
    /* 2026-01-05 10:11:12.000 UTC is 1767607872; the frame comes 3 ms later */
    i_frame(&l, 1, "1e 01 03 00 0a00 010000 01 e02e0b8a050118");
    i_frame(&l, 1, "1e 01 03 00 0a00 010000 01 e02e8b0a050d1a");
    i_frame(&l, 1, "1e 01 03 00 0a00 010000 01 60ea0b0a05011a");
    i_frame(&l, 1, "02 01 03 00 0a00 010000 01 e02e0b");
    i_frame(&l, 1, "26 01 03 00 0a00 010000 01 0a00 e02e0b0a05011a");
    i_frame(&l, 1, "24 02 03 00 0a00 010000 0000c03f 00 e02e0b0a05011a 050000 0000c03f 00 e12e0b0a05011a");
    EXPECT(l.f, "summer_time=1 time=1704449472000000000 clock_drift_ms=-63158400003", "time_invalid=1", "#bad_time",
           "time_in_hour_ms=672000", "protection_event_cp56 report unit=10 ioa:1=[1]",
           "elapsed_ms=10 time=1767607872000000000 clock_drift_ms=-7", "ioa:1=[1.5] ioa:5=[1.5]",
           "time=1767607872000000000 clock_drift_ms=-8 time=1767607872001000000 }");
    feed_free(l.f);
}
END_TEST

START_TEST(select_execute_terminate_is_one)
{
    struct link l = start();
    i_frame(&l, 0, "2d 01 06 05 0a00 640000 81");
    i_frame(&l, 1, "2d 01 07 05 0a00 640000 81");
    i_frame(&l, 0, "2d 01 06 05 0a00 640000 01");
    i_frame(&l, 1, "2d 01 07 05 0a00 640000 01");
    i_frame(&l, 1, "1e 01 0b 00 0a00 010000 01 e02e0b0a05011a"); /* return information in between */
    i_frame(&l, 1, "2d 01 0a 05 0a00 640000 01");
    EXPECT(l.f, "unsolicited 30 single_point_cp56",
           "transaction 45,45,45,45,45 single_command control phase=terminate unit=10 ioa:100=[1] status=ok executed "
           "s2c { type=C_SC_NA_1 "
           "cause=activation originator=5 send_sequence=0 receive_sequence=0 select=1 cause=activation_con "
           "cause=activation "
           "cause=activation_con cause=activation_termination }");
    EXPECT_NOT(l.f, "#");
    feed_free(l.f);
}
END_TEST

START_TEST(commands_direct_refused_and_unfinished)
{
    struct link l = start();
    i_frame(&l, 0, "2e 01 06 00 0a00 650000 02");
    i_frame(&l, 1, "2e 01 47 00 0a00 650000 02"); /* P/N */
    i_frame(&l, 0, "32 01 06 00 0a00 660000 0000c03f 00");
    i_frame(&l, 1, "32 01 6f 00 0a00 660000 0000c03f 00"); /* 47, P/N */
    i_frame(&l, 0, "30 01 06 00 0a00 690000 0040 80");
    i_frame(&l, 1, "30 01 07 00 0a00 690000 0040 80");
    i_frame(&l, 0, "30 01 08 00 0a00 690000 0040 80");
    i_frame(&l, 1, "30 01 09 00 0a00 690000 0040 80");
    EXPECT(l.f,
           "transaction 46,46 double_command control phase=confirm unit=10 ioa:101=[2] status=negative_confirmation! "
           "refused s2c",
           "cause=activation_con negative=1",
           "transaction 50,50 set_point_float write phase=confirm unit=10 ioa:102=[1.5] status=unknown_object_address! "
           "refused",
           "transaction 48,48,48,48 set_point_normalized select phase=select unit=10 ioa:105=[0.5] status=ok accepted",
           "cause=deactivation cause=deactivation_con");
    feed_free(l.f);
}
END_TEST

/* A confirmation finds the command of its value, also when an earlier one was lost. */
START_TEST(commands_pair_by_value)
{
    struct link l = start();
    i_frame(&l, 0, "31 01 06 00 0a00 680000 0a00 00");
    i_frame(&l, 0, "31 01 06 00 0a00 680000 0b00 00");
    i_frame(&l, 1, "31 01 07 00 0a00 680000 0b00 00");
    i_frame(&l, 1, "31 01 0a 00 0a00 680000 0b00 00");
    EXPECT(l.f, "transaction 49,49,49 set_point_scaled write phase=terminate unit=10 ioa:104=[11] status=ok executed",
           "request 49 set_point_scaled write phase=execute unit=10 ioa:104=[10]");
    EXPECT_NOT(l.f, "#");
    feed_free(l.f);
}
END_TEST

START_TEST(commands_that_stay_open)
{
    struct link l = start();
    i_frame(&l, 0, "2f 01 06 00 0a00 670000 82");
    i_frame(&l, 1, "2f 01 07 00 0a00 670000 82");
    i_frame(&l, 0, "2f 01 06 00 0a00 670000 01");
    i_frame(&l, 0, "31 01 06 00 0a00 680000 0a00 00");
    i_frame(&l, 1, "31 01 07 00 0a00 680000 0b00 00");
    i_frame(&l, 0, "2e 01 06 00 0a00 6a0000 03");
    i_frame(&l, 1, "33 01 0a 00 0a00 6b0000 01000000");
    i_frame(&l, 0, "2d 01 06 00 0a00 6c0000 81");
    i_frame(&l, 1, "2d 01 07 00 0a00 6c0000 81");
    EXPECT(l.f, "response 51 bitstring_command write phase=terminate unit=10 ioa:107=[1] status=ok executed s2c",
           "request 47,47,47 regulating_step_command control phase=execute unit=10 ioa:103=[1] unknown c2s "
           "#execute_differs",
           "transaction 49,49 set_point_scaled write phase=confirm unit=10 ioa:104=[10] status=ok accepted s2c "
           "#confirmation_differs",
           "request 46 double_command control phase=execute unit=10 ioa:106=[3] unknown c2s #value_not_permitted",
           "transaction 45,45 single_command select phase=select unit=10 ioa:108=[1] status=ok accepted s2c");
    feed_free(l.f);
}
END_TEST

START_TEST(system_commands)
{
    struct link l = start();
    i_frame(&l, 0, "64 01 06 00 ffff 000000 14");
    i_frame(&l, 1, "64 01 07 00 0a00 000000 14");
    i_frame(&l, 1, "01 01 14 00 0a00 010000 01");
    i_frame(&l, 1, "64 01 0a 00 0a00 000000 14");
    i_frame(&l, 0, "65 01 06 00 0a00 000000 85");
    i_frame(&l, 1, "65 01 07 00 0a00 000000 85");
    i_frame(&l, 1, "65 01 0a 00 0a00 000000 85");
    i_frame(&l, 0, "66 01 05 00 0a00 070000");
    i_frame(&l, 1, "0d 01 05 00 0a00 070000 0000c03f 10");
    i_frame(&l, 0, "67 01 06 00 0a00 000000 e02e0b0a05011a");
    i_frame(&l, 1, "67 01 07 00 0a00 000000 e02e0b0a05011a");
    i_frame(&l, 0, "69 01 06 00 0a00 000000 01");
    i_frame(&l, 1, "69 01 07 00 0a00 000000 01");
    i_frame(&l, 0, "68 01 06 00 0a00 000000 aa55");
    i_frame(&l, 1, "68 01 07 00 0a00 000000 aa55");
    i_frame(&l, 0, "6b 01 06 00 0a00 000000 0100 e02e0b0a05011a");
    i_frame(&l, 1, "46 01 04 00 0a00 000000 82");
    i_frame(&l, 0, "66 01 05 00 0a00 080000");
    i_frame(&l, 1, "66 01 6f 00 0a00 080000");
    i_frame(&l, 0, "6a 01 06 00 0a00 000000 0a00");
    EXPECT(
        l.f, "message 1 single_point",
        "transaction 100,100,100 interrogation_command read phase=terminate unit=65535 interrogation:20 status=ok "
        "executed s2c",
        "interrogation=station",
        "transaction 101,101,101 counter_freeze_and_reset_command control phase=terminate unit=10 counters:5 status=ok "
        "executed",
        "counters=general freeze=freeze_and_reset",
        "transaction 102,13 read_command read unit=10 ioa:7~blocked=[1.5] status=ok executed s2c",
        "transaction 103,103 clock_synchronisation_command time unit=10 clock=[1767607872000000000] status=ok executed",
        "clock_drift_ms=-12", "ident server state=reset",
        "transaction 105,105 reset_process_command reset unit=10 status=ok executed", "reset=process",
        "transaction 104,104 test_command diagnose", "test_pattern=0x55aa",
        "unsolicited 70 end_of_initialisation report unit=10 unknown s2c",
        "initialisation=remote_reset local_parameters_changed=1", "ident server state=initialised",
        "transaction 102,102 read_command read unit=10 ioa:8 status=unknown_object_address! refused",
        "request 107 test_command_cp56", "test_counter=1", "request 106 delay_acquisition_command time");
    EXPECT_NOT(l.f, "#");
    feed_free(l.f);
}
END_TEST

START_TEST(parameters_and_files)
{
    struct link l = start();
    i_frame(&l, 0, "70 01 06 00 0a00 010000 0000c03f 01");
    i_frame(&l, 1, "70 01 07 00 0a00 010000 0000c03f 01");
    i_frame(&l, 0, "71 01 06 00 0a00 010000 03");
    i_frame(&l, 1, "71 01 07 00 0a00 010000 03");
    i_frame(&l, 0, "7a 01 0d 00 0a00 010000 0100 00 01");
    i_frame(&l, 1, "78 01 0d 00 0a00 010000 0100 000100 00");
    i_frame(&l, 0, "7a 01 0d 00 0a00 010000 0100 00 02");
    i_frame(&l, 1, "79 01 0d 00 0a00 010000 0100 01 000100 00");
    i_frame(&l, 0, "7a 01 0d 00 0a00 010000 0100 01 06");
    i_frame(&l, 1, "7d 01 0d 00 0a00 010000 0100 01 04 deadbeef");
    i_frame(&l, 1, "7b 01 0d 00 0a00 010000 0100 01 03 38");
    i_frame(&l, 0, "7c 01 0d 00 0a00 010000 0100 01 03");
    i_frame(&l, 1, "7e 82 05 00 0a00 010000 0100 000100 00 e02e0b0a05011a 0200 000200 20 e02e0b0a05011a");
    i_frame(&l, 0, "7a 01 0d 00 0a00 010000 0100 00 04");
    i_frame(&l, 0, "7f 01 05 00 0a00 010000 0100 e02e0b0a05011a e02e0b0a06011a");
    EXPECT(l.f, "transaction 112,112 parameter_float configure unit=10 ioa:1=[1.5] status=ok executed",
           "parameter=threshold", "transaction 113,113 parameter_activation configure unit=10 ioa:1 status=ok executed",
           "parameter_activation=cyclic_transmission", "transaction 122,120 call_select_file file unit=10 ioa:1 file:1",
           "call=select_file", "length=256", "transaction 122,121 call_select_file file unit=10 ioa:1 file:1");
    EXPECT(l.f, "message 125 file_segment file unit=10 ioa:1 file:1 unknown s2c", "segment_length=4 data=deadbeef",
           "transaction 123,124 last_section_segment file unit=10 ioa:1 file:1", "last=section_transfer checksum=0x38",
           "acknowledge=section_positive", "file:1", "file:2", "file_status=0x20");
    EXPECT(l.f, "delete_file file unit=10 ioa:1 file:1", "query_log file", "log_stop=1767694272000000000");
    EXPECT_NOT(l.f, "#");
    feed_free(l.f);
}
END_TEST

START_TEST(sequence_numbers)
{
    struct feed *f = tcp();
    feed(f, 1, "68 0e 0400 0000 01 01 03 00 0a00 010000 01"); /* mid-stream */
    feed(f, 1, "68 0e 0800 0000 01 01 03 00 0a00 010000 01"); /* 3 is missing */
    feed(f, 1, "68 0e 0800 0000 01 01 03 00 0a00 010000 01");
    feed(f, 0, "68 04 0100 0a00");
    feed(f, 0, "68 04 0100 1400"); /* ahead of what was seen: a packet may be missing */
    feed(f, 0, "68 04 0100 0a00"); /* back again */
    EXPECT(f, "{ type=M_SP_NA_1", "s2c #sequence_gap", "s2c #sequence_duplicate", "malformed #acknowledge_invalid");
    feed_free(f);
    struct link l = start();
    for (unsigned i = 0; i < 13; i++)
        i_frame(&l, 1, "01 01 03 00 0a00 010000 01");
    feed(l.f, 0, "68 04 0100 1a00");
    EXPECT(l.f, "unsolicited");
    EXPECT_NOT(l.f, "window_k"); /* nothing was acknowledged yet: the window is not known */
    feed_free(l.f);
    l = start();
    i_frame(&l, 1, "01 01 03 00 0a00 010000 01");
    feed(l.f, 0, "68 04 0100 0200");
    for (unsigned i = 0; i < 13; i++)
        i_frame(&l, 1, "01 01 03 00 0a00 010000 01");
    EXPECT(l.f, "#window_k_exceeded");
    feed_free(l.f);
}
END_TEST

START_TEST(transfer_state)
{
    struct feed *f = tcp();
    feed(f, 0, "68 04 13 00 00 00");
    feed(f, 1, "68 04 23 00 00 00");
    feed(f, 1, "68 0e 0000 0200 01 01 03 00 0a00 010000 01");
    EXPECT(f, "s2c #data_while_stopped");
    feed_free(f);
    f = tcp();
    feed(f, 0, "68 04 07 00 00 00");
    feed(f, 1, "68 0e 0000 0000 01 01 03 00 0a00 010000 01");
    EXPECT(f, "#data_before_start");
    feed_free(f);
    f = tcp();
    feed(f, 0, "68 04 83 00 00 00"); /* the act was before the capture */
    feed(f, 0, "68 04 83 00 00 00");
    EXPECT(f, "response U:32 testfr_con session executed c2s { }", "c2s #unasked_confirmation");
    feed_free(f);
}
END_TEST

START_TEST(anomalies)
{
    struct link l = start();
    i_frame(&l, 1, "01 02 03 00 0a00 010000 01");
    i_frame(&l, 1, "16 01 03 00 0a00 010000 01");
    i_frame(&l, 1, "88 01 03 00 0a00 010000 01");
    i_frame(&l, 1, "01 00 03 00 0a00");
    i_frame(&l, 1, "01 01 13 00 0a00 010000 01");
    i_frame(&l, 1, "01 01 06 00 0a00 010000 01");
    i_frame(&l, 0, "01 01 03 00 0a00 010000 01");
    i_frame(&l, 1, "2d 01 06 00 0a00 010000 01");
    i_frame(&l, 1, "01 01 83 00 0000 010000 01");
    i_frame(&l, 1, "01 83 03 00 0a00 feffff 01 01 01");
    i_frame(&l, 0, "2d 02 06 00 0a00 010000 01 020000 01");
    i_frame(&l, 0, "64 01 06 00 0a00 050000 14");
    i_frame(&l, 1, "01 01");
    EXPECT(l.f, "#bad_length", "22 ? other unit=10 unknown s2c #unknown_type",
           "136 ? other unit=10 unknown s2c #private_type", "#zero_objects", "#unknown_cause", "#cause_mismatch",
           "#wrong_direction", "#wrong_direction", "#common_address_zero #test_bit", "#object_address_range",
           "malformed #asdu_too_short", "#sequence_not_permitted", "#object_address_not_zero");
    feed_free(l.f);
}
END_TEST

START_TEST(other_field_sizes)
{
    struct feed *f = tcp();
    for (unsigned i = 0; i < 4; i++) {
        char t[80];
        snprintf(t, sizeof t, "68 0f %02x00 0000 0d 01 03 0a 0100 0000c03f 00",
                 i * 2 + 4); /* cause 1, address 1, object 2 */
        feed(f, 1, t);
    }
    EXPECT(f, "#bad_length", "#bad_length", "measured_float report unit=10 ioa:1=[1.5] unknown s2c #other_field_sizes");
    feed_free(f);
}
END_TEST

START_TEST(mid_stream_direction)
{
    struct feed *f = feed_new(&dissector_iec104, 9999, 0, 0);
    f->cport = 9998;
    feed(f, 0, "68 0e 0a00 0000 01 01 03 00 0a00 010000 01"); /* the "client" of the test is the station here */
    feed(f, 1, "68 0e 0000 0c00 2d 01 06 00 0a00 640000 01");
    feed(f, 0, "68 0e 0c00 0200 2d 01 07 00 0a00 640000 01");
    EXPECT(f, "unsolicited 1 single_point report unit=10 ioa:1=[1] unknown s2c {",
           "transaction 45,45 single_command control phase=confirm unit=10 ioa:100=[1] status=ok accepted s2c {");
    feed_free(f);
}
END_TEST

START_TEST(several_apdus_and_splits)
{
    struct feed *f = tcp();
    feed(f, 1, "68");
    feed(f, 1, "0e 0400 0000 01 01 03 00 0a00 010000 01 68 04 01");
    feed(f, 1, "00 0000 68 0e 0600 0000 03 01 03 00 0a00 020000 01 68 04 43 00 00 00");
    EXPECT(f, "ioa:1=[1]", "ioa:2=[1]", "request U:16");
    ck_assert_uint_eq(f->n_silent, 1);
    ck_assert_uint_eq(f->n_lost, 0);
    feed_free(f);
}
END_TEST

START_TEST(probing)
{
    uint8_t dir;
    const struct dissector *d = &dissector_iec104;
    ck_assert_int_eq(feed_probe(d, "68 04 07 00 00 00", 0, &dir), MATCH_YES);
    ck_assert_int_eq(dir, DIR_C2S);
    ck_assert_int_eq(feed_probe(d, "68 04 01 00 02 00", 0, &dir), MATCH_YES);
    ck_assert_int_eq(dir, DIR_UNKNOWN);
    ck_assert_int_eq(feed_probe(d, "68 0e 0400 0000 01 01 03 00 0a00 010000 01", 0, &dir), MATCH_YES);
    ck_assert_int_eq(dir, DIR_S2C);
    ck_assert_int_eq(feed_probe(d, "68 0e 0400 0000 01 01", 0, NULL), MATCH_MORE);
    ck_assert_int_eq(feed_probe(d, "68", 0, NULL), MATCH_MORE);
    ck_assert_int_eq(feed_probe(d, "68 0e 0400 0000 01 04 03 00 0a00 010000 01", 0, NULL), MATCH_NO);
    ck_assert_int_eq(feed_probe(d, "68 04 17 00 00 00", 0, NULL), MATCH_NO);
    ck_assert_int_eq(feed_probe(d, "68 04 07 00 01 00", 0, NULL), MATCH_NO);
    ck_assert_int_eq(feed_probe(d, "68656c6c6f20776f726c64210a", 1, NULL), MATCH_NO);
    ck_assert_int_eq(feed_probe(d, "16030100850100008103", 1, NULL), MATCH_NO);
    ck_assert_int_eq(feed_probe(d, "0001 0000 0006 01 03 0000 000a", 1, NULL), MATCH_NO);
    uint32_t s = 99;
    unsigned hits = 0;
    for (unsigned i = 0; i < 200000; i++) {
        uint8_t b[40];
        for (unsigned k = 0; k < sizeof b; k++) {
            s = s * 1664525u + 1013904223u;
            b[k] = (uint8_t)(s >> 24);
        }
        b[0] = 0x68;
        struct dis_ctx x = {.transport = DIS_TCP};
        hits += d->probe(cur_make(b, sizeof b), &x) == MATCH_YES;
    }
    ck_assert_uint_lt(hits, 20);
}
END_TEST

START_TEST(hostile)
{
    static const char *const segments[] = {"68 04 07 00 00 00",
                                           "68 0e 0400 0000 01 01 03 00 0a00 010000 01",
                                           "68 15 0000 0000 3a 01 06 00 0300 951100 81 081800 17130d08",
                                           "68 12 0200 0000 01 84 14 00 0a00 010000 01 00 01 01 01",
                                           "68 16 0400 0000 0f 82 25 00 0a00 010000 ffffffff 65 00000000 05",
                                           "68 1a 0000 0200 7e 81 05 00 0a00 010000 0100 000100 00 e02e0b0a05011a",
                                           "68 15 0000 0000 7d 01 0d 00 0a00 010000 0100 01 04 deadbeef",
                                           "68 0e 0000 0000 65 01 06 00 0a00 000000 85",
                                           "68 13 0000 0000 0d 82 03 00 0a00 010000 0000c03f 00 0000c03f",
                                           "68 14 0000 0000 67 01 06 00 0a00 000000 e02e0b0a05011a"};
    feed_hostile(&dissector_iec104, 2404, segments, ARRAY_LEN(segments));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("iec104");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, schema_is_sound);
    tcase_add_test(t, u_frames_pair_and_s_frames_are_silent);
    tcase_add_test(t, process_data);
    tcase_add_test(t, reserved_quality_bits);
    tcase_add_test(t, time_tags);
    tcase_add_test(t, select_execute_terminate_is_one);
    tcase_add_test(t, commands_direct_refused_and_unfinished);
    tcase_add_test(t, commands_pair_by_value);
    tcase_add_test(t, commands_that_stay_open);
    tcase_add_test(t, system_commands);
    tcase_add_test(t, parameters_and_files);
    tcase_add_test(t, sequence_numbers);
    tcase_add_test(t, transfer_state);
    tcase_add_test(t, anomalies);
    tcase_add_test(t, other_field_sizes);
    tcase_add_test(t, mid_stream_direction);
    tcase_add_test(t, several_apdus_and_splits);
    tcase_add_test(t, probing);
    tcase_add_test(t, hostile);
    suite_add_tcase(s, t);
    return suite_end(s);
}
