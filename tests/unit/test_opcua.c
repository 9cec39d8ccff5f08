/* test_opcua.c: OPC UA: bytes in, events out. */
#include "tests/unit/dis_feed.h"
#include "tests/unit/test_opcua_data.h"
#include "tests/unit/suite.h"

extern const struct dissector dissector_opcua;

#define PLAY(f, segs) play(f, segs, ARRAY_LEN(segs))
static void play(struct feed *f, const struct seg *s, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        feed(f, s[i].from_server, s[i].hex);
}

static struct feed *on_port(uint16_t port)
{
    return feed_new(&dissector_opcua, port, port == 4840, 1);
}

static struct feed *tcp(void)
{
    return on_port(4840);
}

START_TEST(test_schema)
{
    struct err e;
    ck_assert_int_eq(dissectors_check(&e), 0);
    ck_assert_ptr_nonnull(schema_by_name("opcua"));
}
END_TEST

START_TEST(test_hello)
{
    struct feed *f = tcp();
    PLAY(f, hello);
    EXPECT(f, "transaction HEL,ACK hello session executed s2c { protocol_version=0 receive_buffer=8192 send_buffer=8192 "
              "max_message_size=100000 max_chunks=16 endpoint_url=opc.tcp://10.40.0.20:4840 ");
    feed_free(f);
    f = tcp();
    PLAY(f, hello_refused);
    EXPECT(f, "transaction HEL,ERR hello session status=bad_tcp_endpoint_url_invalid! refused s2c", "reason=unknown endpoint");
    ck_assert_uint_eq(f->n_events, 1);
    feed_free(f);
}
END_TEST

START_TEST(test_channel)
{
    struct feed *f = tcp();
    PLAY(f, opened);
    EXPECT(f, "transaction HEL,ACK",
           "transaction 446,449 open_secure_channel session status=good executed s2c { secure_channel=0 request_id=1 "
           "request_handle=1 protocol_version=0 token_request=issue security_policy=None security_mode=none "
           "lifetime_ms=3600000 protocol_version=0 secure_channel=7 security_token=1 lifetime_ms=3600000 }");
    feed_free(f);
}
END_TEST

START_TEST(test_log_on)
{
    struct feed *f = tcp();
    PLAY(f, log_on);
    EXPECT(f, "ident client other=urn:tyto.example:hmi", "ident client software=Tyto HMI", "ident server software=Tyto PLC",
           "transaction 461,464 create_session session status=good executed s2c #none_offered {",
           "client_application_name=Tyto HMI client_application_type=client", "session_id=ns=1;i=77 session_timeout_ms=600000",
           "server_application_uri=urn:tyto.example:plc", "ident client user=operator",
           "transaction 467,470 activate_session authenticate status=good executed s2c #clear_text_password {",
           "user_token=user_name user=operator clear_text_password=1",
           "transaction 631,634 read read variable:ns=2;s=Tank=[2.5]", "user=operator", "source_time=1767607872000000000");
    EXPECT_NOT(f, "hunter2"); /* the password */
    EXPECT_NOT(f, "2222");    /* the authentication token */
    feed_free(f);
    f = tcp();
    PLAY(f, log_on_refused);
    EXPECT(f, "activate_session authenticate status=bad_user_access_denied! refused", "user=guest",
           "read read variable:ns=2;s=Tank~bad status=bad_user_access_denied! refused s2c { secure_channel=7 request_id=4 request_handle=4 ");
    EXPECT_NOT(f, "ident client user");
    feed_free(f);
}
END_TEST

START_TEST(test_built_in_types)
{
    struct feed *f = tcp();
    PLAY(f, scalars);
    EXPECT(f, "T1=[1] ", "T2=[-5] ", "T3=[200] ", "T4=[-1234] ", "T5=[54321] ", "T6=[-7] ", "T7=[3000000000] ",
           "T8=[-1099511627776] ", "T9=[9223372036854775808] ", "T10=[1.5] ", "T11=[-0.25] ", "T12=[Pumpe 3] ",
           "T13=[1767607872000000000] ", "T14=[03020100-0504-0706-0809-0a0b0c0d0e0f] ", "T15=[00fe] ", "T16=[<a/>] ",
           "T17=[ns=2;s=Tank] ", "T18=[svr=3;nsu=urn:x;i=5] ", "T19=[1083113472] ", "T20=[2:Valve] ", "T21=[Ventil] ",
           "T22=[010203] ", "T23=[5] ", "T24=[inner] ", "T25=[74657874] status=good executed");
    feed_free(f);
    f = tcp();
    PLAY(f, arrays);
    EXPECT(f, "T1=[1,1] ", "T2=[-5,-5] ", "T10=[1.5,1.5] ", "T12=[Pumpe 3,Pumpe 3] ",
           "T13=[1767607872000000000,1767607872000000000] ", "T15=[00fe,00fe] ", "T17=[Tank,Tank] ", "T20=[Valve,Valve] ",
           "T21=[Ventil,Ventil] ", "T22=[010203,010203] ", "T23=[5,5] ", "T24=[inner,inner] ");
    feed_free(f);
}
END_TEST

START_TEST(test_objects)
{
    struct feed *f = tcp();
    PLAY(f, node_ids);
    EXPECT(f, "variable:i=2259=[0] variable:ns=2;i=70000~uncertain=[1] variable:ns=300;i=5~bad=[2] "
              "variable:ns=2;s=Tank.Level~uncertain~overflow=[3] variable:ns=2;g=03020100-0504-0706-0809-0a0b0c0d0e0f~constant=[4] "
              "variable:ns=2;b=AQIDBA===[5] variable:ns=2;s=A[1:3]=[6] attribute:ns=2;s=A/DisplayName=[7] "
              "attribute:ns=2;s=A/99=[8] status=good partial s2c", "server_state=running");
    feed_free(f);
}
END_TEST

START_TEST(test_write_and_call)
{
    struct feed *f = tcp();
    PLAY(f, writes);
    EXPECT(f, "transaction 673,676 write write variable:ns=2;s=A=[1] attribute:ns=2;s=B/DisplayName(configure)=[x] status=good partial",
           "diagnostics=why }", "write write variable:ns=2;s=A=[1] status=bad_user_access_denied! refused",
           "transaction 673,397 write write variable:ns=2;s=A=[1] status=bad_timeout! refused");
    feed_free(f);
    f = tcp();
    PLAY(f, calls);
    EXPECT(f, "transaction 712,715 call control method:ns=2;s=Pump/ns=2;s=Start=[3] "
              "method:ns=2;s=Alarm/i=9111(alarm_handling)=[01,seen] status=good partial", "result=good outputs=runs outputs=0.5 }",
           "transaction 712,715 call_request_server_state_change mode method:i=2253/i=12886 status=good executed");
    feed_free(f);
}
END_TEST

/* The request that is answered last was asked first; handles stand for what was to be monitored. */
START_TEST(test_publish)
{
    struct feed *f = tcp();
    PLAY(f, publish);
    EXPECT(f, "transaction 751,754 create_monitored_items read variable:ns=2;s=Level attribute:i=2253/EventNotifier status=good",
           "monitored_item=100 monitored_item=101 }",
           "transaction 826,829 publish report variable:ns=2;s=Level~uncertain=[1.5] client_handle:77=[1] "
           "event:i=2253/EventNotifier=[high,800] status=good executed", "subscription=31 more_notifications=1 sequence_number=1");
    feed_free(f);
}
END_TEST

START_TEST(test_chunks)
{
    struct feed *f = tcp();
    PLAY(f, chunked);
    EXPECT(f, "transaction 673,676 write write variable:ns=2;s=A=[xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx] status=good executed", "chunks=2",
           "transaction 631,634 read read variable:ns=2;s=A status=bad_request_too_large! refused s2c #message_aborted", "reason=too large",
           "transaction 631,634 read read variable:ns=2;s=B=[1] status=good executed",
           "message 631 read read status=bad_timeout! unknown c2s #message_aborted {", "aborted=1 chunks=2");
    EXPECT_NOT(f, "#malformed");
    ck_assert_uint_eq(f->n_events, 4);
    feed_free(f);
}
END_TEST

/* After a loss the rest of a message is no message; its answer is one without a request. */
START_TEST(test_gap)
{
    struct feed *f = tcp();
    struct dis_ctx x;
    feed(f, 0, chunked[0].hex);
    feed_fill(f, &x, 0);
    dissector_opcua.gap(&x, 100);
    asm_drop(&x, 5);
    for (unsigned i = 1; i < ARRAY_LEN(chunked); i++)
        feed(f, chunked[i].from_server, chunked[i].hex);
    EXPECT(f, "response 676 write write status=good", "transaction 631,634 read read variable:ns=2;s=B=[1]");
    EXPECT_NOT(f, "#sequence_number");
    EXPECT_NOT(f, "#unknown_service");
    EXPECT_NOT(f, "#malformed");
    ck_assert_uint_eq(f->n_silent, 1);
    feed_free(f);
}
END_TEST

START_TEST(test_security)
{
    struct feed *f = tcp();
    PLAY(f, signed_channel);
    EXPECT(f, "ident client certificate=CN=Tyto PLC,O=Tyto Test Works", "message_type=OPN security_policy=Basic256Sha256",
           "ident server certificate=CN=Tyto PLC,O=Tyto Test Works", "server_certificate_valid_until=1924991999000000000",
           "transaction 631,634 read read variable:ns=2;s=A=[1] status=good executed s2c { secure_channel=7 request_id=2 security_mode=sign");
    EXPECT_NOT(f, "#"); /* signatures are no trailing bytes */
    feed_free(f);
    f = tcp();
    PLAY(f, encrypted_channel);
    EXPECT(f, "session unknown c2s #deprecated_policy #certificate_not_valid_now {",
           "other unknown c2s { secure_channel=7 message_type=MSG security_policy=Basic256 security_mode=sign_and_encrypt }",
           "other unknown s2c { secure_channel=7 message_type=MSG");
    ck_assert_uint_eq(f->n_events, 6);
    feed_free(f);
}
END_TEST

/* The same on another port tells of a software, not of the device. */
START_TEST(test_identity)
{
    struct feed *f = tcp();
    PLAY(f, identity);
    EXPECT(f, "ident server state=fault", "ident server vendor=Tyto Test Works", "ident server model=Soft PLC",
           "ident server firmware=4.5.6", "server_state=failed", "manufacturer_name=Tyto Test Works");
    feed_free(f);
    f = on_port(48010);
    PLAY(f, identity);
    EXPECT(f, "ident server other=Tyto Test Works", "ident server software=Soft PLC", "server_state=failed");
    EXPECT_NOT(f, "ident server vendor");
    EXPECT_NOT(f, "ident server state");
    feed_free(f);
}
END_TEST

START_TEST(test_nodes)
{
    struct feed *f = tcp();
    PLAY(f, browsing);
    EXPECT(f, "browse browse node:i=85 status=good", "browse_direction=both continued=1 references=2",
           "path:i=85/2:Boiler/2:Boiler=[svr=2;nsu=urn:x;i=12]", "add_nodes configure path:i=85/2:Pump=[ns=2;i=4711]",
           "delete_references configure reference:i=85/i=2253", "history_read read variable:ns=2;s=L=[0,1,2]",
           "details=ReadRawModifiedDetails", "history_update write variable:ns=2;s=L=[3.5] variable:ns=2;s=L status=good executed",
           "update_type=replace details=UpdateDataDetails", "details=DeleteRawModifiedDetails");
    feed_free(f);
}
END_TEST

START_TEST(test_faults)
{
    struct feed *f = tcp();
    PLAY(f, wrong);
    EXPECT(f, "transaction 631,634 read read status=good executed s2c #malformed #trailing_bytes",
           "transaction 4711,397 ? other status=bad_node_id_unknown! refused s2c #unknown_service", "type_id=i=4711",
           "#hello_repeated", "s2c #wrong_direction", "c2s #sequence_number #unknown_channel #unknown_token");
    feed_free(f);
}
END_TEST

/* Nobody knows who the client is: what is said tells. */
START_TEST(test_roles)
{
    struct feed *f = feed_new(&dissector_opcua, 48010, 0, 0);
    for (unsigned i = 0; i < ARRAY_LEN(scalars); i++)
        feed(f, !scalars[i].from_server, scalars[i].hex);
    EXPECT(f, "transaction 631,634 read read", "executed s2c");
    feed_free(f);
    uint8_t dir = DIR_UNKNOWN;
    ck_assert_int_eq(feed_probe(&dissector_opcua, hello[0].hex, 0, &dir), MATCH_YES);
    ck_assert_int_eq(dir, DIR_C2S);
    ck_assert_int_eq(feed_probe(&dissector_opcua, scalars[1].hex, 0, &dir), MATCH_YES);
    ck_assert_int_eq(dir, DIR_S2C);
}
END_TEST

START_TEST(test_probe)
{
    static const struct {
        const char *hex;
        enum match off, on;
    } rows[] = {
        {"48454c", MATCH_MORE, MATCH_MORE},
        {"48454c46 20000000", MATCH_MORE, MATCH_YES},
        {"48454c46 1f000000", MATCH_NO, MATCH_NO},          /* shorter than a hello is */
        {"48454c43 20000000", MATCH_NO, MATCH_NO},          /* a hello has one chunk */
        {"48454c4f 2063 6c69656e742e", MATCH_NO, MATCH_NO}, /* HELO */
        {"4d534746 20000000 07000000 01000000 01000000 01000000", MATCH_YES, MATCH_YES},
        {"4d534746 20000000 00000000 01000000 01000000 01000000", MATCH_NO, MATCH_NO},
        {"4d534758 20000000 07000000 01000000", MATCH_NO, MATCH_NO},
        {"4d534746 20000001 07000000 01000000", MATCH_NO, MATCH_NO}, /* 16 MiB */
        {"45525246 10000000 00008080 ffffffff", MATCH_YES, MATCH_YES},
        {"45525246 10000000 00000000 ffffffff", MATCH_NO, MATCH_NO},
        {"4f504e46 40000000 00000000 04000000 68747470", MATCH_YES, MATCH_YES},
        {"4f504e46 40000000 00000000 04000000 67747470", MATCH_NO, MATCH_NO},
        {"41434b46 1c000000 00000000 00000100 00000100", MATCH_YES, MATCH_YES},
        {"41434b46 1d000000", MATCH_NO, MATCH_NO},
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        ck_assert_msg(feed_probe(&dissector_opcua, rows[i].hex, 0, NULL) == rows[i].off, "row %u off its port", i);
        ck_assert_msg(feed_probe(&dissector_opcua, rows[i].hex, 1, NULL) == rows[i].on, "row %u on its port", i);
    }
}
END_TEST

START_TEST(test_hostile)
{
    const char *const some[] = {hello[0].hex, opened[2].hex, log_on[1].hex, log_on[2].hex, calls[1].hex, publish[3].hex,
                                node_ids[1].hex, chunked[6].hex, signed_channel[0].hex};
    for (unsigned i = 0; i < ARRAY_LEN(some); i++)
        ck_assert_uint_lt(strlen(some[i]), 8192);
    feed_hostile(&dissector_opcua, 4840, some, ARRAY_LEN(some));
}
END_TEST

SUITE("opcua", 60, test_schema, test_hello, test_channel, test_log_on, test_built_in_types, test_objects,
      test_write_and_call, test_publish, test_chunks, test_gap, test_security, test_identity, test_nodes, test_faults,
      test_roles, test_probe, test_hostile)
