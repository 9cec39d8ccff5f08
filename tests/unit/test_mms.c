/* test_mms.c: MMS and the layers below it, from bytes to events. */
#include "dis_feed.h"

#include "dissectors/carrier_ber.h"
#include "tests/unit/suite.h"

extern const struct dissector dissector_mms;

#define MMS_CN \
    "0dd50506130100160102140200023302000134020001c1bf3181bca003800101a281b4810400000001820400000001a423300f0201010604520100" \
    "013004060251013010020103060528ca22020130040602510188020600617d307b020101a076607480020780a107060528ca220203a20606042bce" \
    "0f17a303020117a60606042bce0f07a70302010c8a0207808b03520301ac0d800b6f70656e20736573616d65be33283106025101020103a028a826" \
    "800300fde881010582010583010aa416800101810305f100820c03ee1c00000408000079ef18"
#define MMS_AC \
    "0e97050613010016010214020002c189318186a003800101a27f830400000001a51230078001008102510130078001008102510161633061020101" \
    "a05c615a80020780a107060528ca220203a203020100a305a103020100a40606042bce0f17a503020117be32283006025101020103a027a9258002" \
    "012c81010582010583010aa416800101810305f100820c03ee1c00000408000079ef18"
#define MMS_REFUSED \
    "0e55050613010016010214020002c1473145a003800101a23e830400000001a51230078001008102510130078001008102510161223020020101a0" \
    "1b611980020780a107060528ca220203a203020101a305a10302010d"
#define X500_CN \
    "0d910506130100160102140200023302000134020001c17b3179a003800101a272810400000001820400000001a421300f02010106045201000130" \
    "0406025101300e020103060355090130040602510188020600613d303b020101a036603480020780a1050603550301a20606042bce0f17a3030201" \
    "17a60606042bce0f07a70302010cbe0d280b06025101020103a002b000"
#define COTP_CR "0300001611e00000000500c0010ac1020001c2020001"

#define SBOW                                                                                                           \
    "a04e020114a549a0173015a013a1111a024c441a0b5824434f24502453424f77a02ea22c830101a213850103890e636f6e74726f6c206365" \
    "6e7472658601019108695b8e408000000a83010084020600"
#define OPER_OF(value)                                                                                                \
    "a04e020115a549a0173015a013a1111a024c441a0b5824434f2450244f706572a02ea22c8301" value                              \
    "a213850103890e636f6e74726f6c2063656e7472658601019108695b8e408000000a83010084020600"
#define OPER OPER_OF("01")
#define SBOW_DONE "a107020114a5028100"
#define OPER_DONE "a107020115a5028100"
#define OPER_DENIED "a108020115a503800103"
#define TERMINATED                                                                                                    \
    "a34ba049a0173015a013a1111a024c441a0b5824434f2450244f706572a02ea22c830101a213850103890e636f6e74726f6c2063656e7472" \
    "658601019108695b8e408000000a83010084020600"
#define FAILED                                                                                                        \
    "a3818fa0818ca02a3011a00f800d4c6173744170706c4572726f723015a013a1111a024c441a0b5824434f2450244f706572a05ea22e8a0e" \
    "4c442f5824434f2450244f706572850103a213850103890e636f6e74726f6c2063656e74726586010185010aa22c830101a213850103890e63" \
    "6f6e74726f6c2063656e7472658601019108695b8e408000000a83010084020600"
#define APPL_ERROR                                                                                                    \
    "a349a047a0133011a00f800d4c6173744170706c4572726f72a030a22e8a0e4c442f5824434f2450244f706572850103a213850103890e63" \
    "6f6e74726f6c2063656e747265860101850112"
#define READ_TWO "a02d020107a428a126a0243010a00ea10c1a024c441a064d244d5824573010a00ea10c1a024c441a06582453542450"
#define READ_TWO_DONE "a124020107a41fa11da218a20787050841480000840303c1009108695b8e408000000a80010a"

static struct feed *start(void)
{
    return feed_new(&dissector_mms, 102, 1, 1);
}

/* A TSDU in one DT. */
static void tsdu(struct feed *f, int from_server, const uint8_t *p, uint32_t n)
{
    uint8_t b[5000] = {3, 0, (uint8_t)((n + 7) >> 8), (uint8_t)(n + 7), 2, 0xf0, 0x80};
    ck_assert_uint_lt(n, sizeof b - 7);
    memcpy(b + 7, p, n);
    feed_bytes(f, from_server, b, n + 7);
}

static void session(struct feed *f, int from_server, const char *hex)
{
    uint8_t b[4096];
    tsdu(f, from_server, b, feed_hex(hex, b, sizeof b));
}

/* An MMS PDU in presentation data of context 3. */
static void mms(struct feed *f, int from_server, const char *hex)
{
    uint8_t in[2048], b[2100];
    uint32_t n = feed_hex(hex, in, sizeof in);
    uint8_t head[] = {1, 0, 1, 0, 0x61, 0x82, (uint8_t)((n + 11) >> 8), (uint8_t)(n + 11), 0x30, 0x82, (uint8_t)((n + 7) >> 8),
                      (uint8_t)(n + 7), 2, 1, 3, 0xa0, 0x82, (uint8_t)(n >> 8), (uint8_t)n};
    memcpy(b, head, sizeof head);
    memcpy(b + sizeof head, in, n);
    tsdu(f, from_server, b, (uint32_t)sizeof head + n);
}

static enum match probe_tsdu(const char *hex, uint8_t on_port, uint8_t *dir)
{
    char text[9000];
    snprintf(text, sizeof text, "0300%04x02f080%s", (unsigned)(strlen(hex) / 2 + 7), hex);
    return feed_probe(&dissector_mms, text, on_port, dir);
}

START_TEST(probing)
{
    uint8_t dir = DIR_UNKNOWN;
    ck_assert_int_eq(feed_probe(&dissector_mms, COTP_CR, 1, &dir), MATCH_MORE); /* everybody on COTP begins so */
    ck_assert_int_eq(dir, DIR_C2S);
    ck_assert_int_eq(feed_probe(&dissector_mms, "03000007 02f080", 1, NULL), MATCH_MORE);
    ck_assert_int_eq(probe_tsdu(MMS_CN, 0, &dir), MATCH_YES);
    ck_assert_int_eq(dir, DIR_C2S);
    ck_assert_int_eq(probe_tsdu(MMS_AC, 0, &dir), MATCH_YES);
    ck_assert_int_eq(dir, DIR_S2C);
    ck_assert_int_eq(probe_tsdu(X500_CN, 1, NULL), MATCH_NO);
    ck_assert_int_eq(probe_tsdu("0100010061", 0, NULL), MATCH_NO);
    ck_assert_int_eq(probe_tsdu("010001006110300e020103a009a007020100a102a000", 0, &dir), MATCH_YES);
    ck_assert_int_eq(dir, DIR_C2S);
    ck_assert_int_eq(probe_tsdu("01000100610f300d020103a008a106020100020108", 1, NULL), MATCH_NO); /* ROSE */
    ck_assert_int_eq(probe_tsdu("32010000000100080000f0000001000101e0", 1, NULL), MATCH_NO);
    ck_assert_int_eq(probe_tsdu("720100080000000000000000720100", 1, NULL), MATCH_NO);
    ck_assert_int_eq(probe_tsdu("16030100050100000100", 1, NULL), MATCH_NO);
    ck_assert_int_eq(probe_tsdu("850101", 1, NULL), MATCH_YES); /* directly in COTP */
    ck_assert_int_eq(probe_tsdu("85010101", 1, NULL), MATCH_NO);
    /* the connection request in front of the data */
    char both[2000];
    snprintf(both, sizeof both, COTP_CR "0300%04x02f080" MMS_CN, (unsigned)(strlen(MMS_CN) / 2 + 7));
    ck_assert_int_eq(feed_probe(&dissector_mms, both, 1, NULL), MATCH_YES);
}
END_TEST

START_TEST(association)
{
    struct feed *f = start();
    feed(f, 0, COTP_CR);
    session(f, 0, MMS_CN);
    session(f, 1, MMS_AC);
    mms(f, 0, "8b00");
    mms(f, 1, "8c00");
    ck_assert_uint_eq(f->n_silent, 1);
    EXPECT(f, "ident client protocol_address=1.3.9999.7,12", "ident server protection=MMS password in clear",
           "ident server protocol_address=1.3.9999.23,23", "transaction 8,9 initiate session executed s2c #password_in_clear",
           "tsap_calling=0001", "ap_title_calling=1.3.9999.7 ae_qualifier_calling=12", "authentication=password",
           "max_pdu=65000", "association_result=accepted", "max_pdu=300", "transaction 11,12 conclude session executed");
    EXPECT_NOT(f, "sesame");
    feed_free(f);
    f = start();
    session(f, 0, MMS_CN);
    session(f, 1, MMS_REFUSED);
    EXPECT(f, "transaction 8,", "initiate session status=authentication_failure! refused");
    feed_free(f);
}
END_TEST

START_TEST(requests_pair_by_invoke_id)
{
    struct feed *f = start();
    mms(f, 0, READ_TWO);
    mms(f, 0, "a0050201088200");
    mms(f, 1, "a114020108a20f800441434d45810252318203322e30");
    mms(f, 1, READ_TWO_DONE);
    mms(f, 1, READ_TWO_DONE);
    EXPECT(f, "ident server vendor=ACME", "ident server model=R1", "ident server firmware=2.0",
           "transaction 0:2,1:2 identify browse vmd status=? executed s2c { invoke_id=8 vendor=ACME model=R1 revision=2.0 }",
           "transaction 0:4,1:4 read read variable:LD/M$MX$W~questionable~old_data=[12.5,1767607872500000000] "
           "variable:LD/X$ST$P status=object_non_existent! partial",
           "functional_constraint=MX functional_constraint=ST results=2", "response 1:4 read read variable~questionable");
    feed_free(f);
}
END_TEST

START_TEST(errors_rejects_cancel)
{
    struct feed *f = start();
    mms(f, 0, READ_TWO);
    mms(f, 1, "a20a800107a205a003870102");
    mms(f, 0, READ_TWO);
    mms(f, 1, "a406800107810101");
    mms(f, 0, READ_TWO);
    mms(f, 0, "850107");
    mms(f, 1, "860107");
    mms(f, 1, "a20a800107a205a003850103");
    mms(f, 0, "a006020109bf4f00");
    EXPECT(f, "transaction 0:4,2 read read", "status=object_non_existent! refused", "transaction 0:4,4 read read",
           "status=unrecognized_service! refused", "transaction 5,6 cancel session executed", "original_invoke_id=7",
           "transaction 0:4,2", "status=cancel! refused", "request 0:79 ? other", "#unknown_service");
    feed_free(f);
}
END_TEST

START_TEST(control_is_one_transaction)
{
    struct feed *f = start();
    mms(f, 0, SBOW);
    mms(f, 1, SBOW_DONE);
    mms(f, 0, OPER);
    mms(f, 1, OPER_DONE);
    mms(f, 1, TERMINATED);
    mms(f, 0, OPER);
    mms(f, 1, OPER_DONE);
    mms(f, 1, FAILED);
    mms(f, 0, OPER);
    mms(f, 1, APPL_ERROR);
    mms(f, 1, OPER_DENIED);
    mms(f, 1, TERMINATED);
    EXPECT(f,
           "transaction 0:5,1:5,0:5,1:5,3:0 operate control phase=terminate variable:LD/X$CO$P$Oper=[1] status=? executed s2c {",
           "origin_category=remote_control origin=control centre control_number=1", "test=0 check=none",
           "transaction 0:5,1:5,3:0 operate control phase=terminate variable:LD/X$CO$P$Oper=[1] status=blocked_by_interlocking! "
           "refused",
           "additional_cause=blocked_by_interlocking",
           "transaction 0:5,3:0,1:5 operate control phase=execute variable:LD/X$CO$P$Oper=[1] status=object_access_denied! refused",
           "additional_cause=object_not_selected", "unsolicited 3:0 command_termination report phase=terminate");
    EXPECT_NOT(f, "#execute_differs");
    feed_free(f);
}
END_TEST

START_TEST(control_that_differs_or_stays_open)
{
    struct feed *f = start();
    mms(f, 0, SBOW);
    mms(f, 1, SBOW_DONE);
    mms(f, 0, OPER_OF("00"));
    mms(f, 1, OPER_DONE);
    EXPECT(f, "transaction 0:5,1:5,0:5,1:5 operate control phase=execute variable:LD/X$CO$P$Oper=[0] status=? accepted",
           "#execute_differs");
    feed_free(f);
    f = start();
    mms(f, 0, "a01f020116a41aa118a0163014a012a1101a024c441a0a5824434f24502453424f");
    mms(f, 1, "a112020116a40da10b8a094c442f5824434f2450");
    mms(f, 0, OPER);
    mms(f, 1, OPER_DONE);
    mms(f, 0, "a01f020116a41aa118a0163014a012a1101a024c441a0a5824434f24502453424f");
    mms(f, 1, "a109020116a404a1028a00");
    ck_assert_uint_eq(f->n_events, 2); /* normal security: nothing more is awaited */
    EXPECT(f, "transaction 0:4,1:4,0:5,1:5 operate control phase=execute variable:LD/X$CO$P$Oper=[1] status=? executed",
           "transaction 0:4,1:4 select select phase=select", "status=not_selected! refused");
    feed_free(f);
}
END_TEST

START_TEST(acts_follow_the_functional_constraint)
{
    struct feed *f = start();
    mms(f, 0, "a046020109a541a037301ca01aa1181a024c441a124c4c4e3024535024534743422441637453473017a015a1131a024c441a0d5024535024"
              "542473657456616ca006860102850103");
    mms(f, 1, "a109020109a50481008100");
    EXPECT(f, "transaction 0:5,1:5 select_active_setting_group configure variable:LD/LLN0$SP$SGCB$ActSG=[2] "
              "variable:LD/P$SP$T$setVal(write)=[3] status=? executed");
    feed_free(f);
}
END_TEST

START_TEST(reports)
{
    struct feed *f = start();
    mms(f, 1, "a33da03ba1058003525054a0328a0255318403065b008601018a0a4c442f4c4c4e3024445383010189020102840204908501018402068084"
              "0206408402" "0520");
    mms(f, 1, "a316a014a1058003525054a00b8a025531840206408a0178");
    EXPECT(f, "unsolicited 3:0 report report report:U1 member:0=[1] member:3=[2]", "#report_buffer_overflow",
           "report_id=U1 sequence_number=1 data_set=LD/LLN0$DS buffer_overflow=1 entry_id=0102 included=2 reasons=data_change "
           "reasons=quality_change",
           "unsolicited 3:0 report report report:U1 unknown", "#report_inconsistent");
    feed_free(f);
}
END_TEST

START_TEST(both_sides_ask)
{
    struct feed *f = start();
    mms(f, 1, "a00a0201019b054c4f474943"); /* the device asks for a segment */
    mms(f, 0, "a0050201018200");           /* the client uses the same invoke id */
    mms(f, 0, "a10d020101bb088003000000810100");
    mms(f, 1, "a107020101a2028000");
    EXPECT(f, "transaction 0:27,1:27 download_segment program_download domain:LOGIC status=? executed c2s",
           "data_length=3 more_follows=0", "transaction 0:2,1:2 identify browse");
    feed_free(f);
}
END_TEST

START_TEST(files_names_and_identity)
{
    struct feed *f = start();
    mms(f, 0, "a012020103bf480ca0071905412e434647810100");
    mms(f, 1, "a10e020103bf4808800105a103800109");
    mms(f, 0, "a0070201049f490105");
    mms(f, 1, "a10e020104bf49088003616263810100");
    mms(f, 0, "a02b020105a426a124a0223020a01ea11c1a024c441a164c50484431244443245068794e616d247365724e756d");
    mms(f, 1, "a10c020105a407a1058a03533432");
    mms(f, 0, "a00e020106a109a003800109a1028000");
    mms(f, 1, "a10e020106a109a0041a024c44810100");
    mms(f, 0, "a008020102bf4e028000");
    mms(f, 1, "a108020102bf4e028000");
    EXPECT(f, "transaction 0:72,1:72 file_open file file:A.CFG", "frsm_id=5 file_size=9",
           "transaction 0:73,1:73 file_read file file:A.CFG", "data_length=3 more_follows=0", "transaction 0:4,1:4 read read",
           "ident server serial=S42", "ident server protocol_address=LD", "object_class=domain", "names=LD",
           "transaction 0:78,1:78 vmd_stop stop");
    feed_free(f);
}
END_TEST

START_TEST(segments_and_loss)
{
    struct feed *f = start();
    feed(f, 0, "0300000c 02f000 0100010061"); /* identify in three segments */
    feed(f, 0, "03000012 02f000 0e300c020103a007a00502");
    feed(f, 0, "0300000b 02f080 01018200");
    mms(f, 1, "a114020101a20f800441434d45810252318203322e30");
    mms(f, 0, "a0050201028200");
    struct dis_ctx x;
    feed_fill(f, &x, 0);
    f->dis->gap(&x, 100);
    mms(f, 0, "a0050201028200"); /* the answer to the first one may be what was lost */
    EXPECT(f, "transaction 0:2,1:2 identify browse vmd", "request 0:2 identify browse vmd unknown c2s { invoke_id=2 }",
           "request 0:2 identify");
    EXPECT_NOT(f, "#invoke_id_reused");
    feed_free(f);
}
END_TEST

START_TEST(what_breaks_the_standard)
{
    struct feed *f = start();
    session(f, 0, MMS_CN);
    session(f, 1, MMS_AC);
    mms(f, 0, READ_TWO);
    mms(f, 0, READ_TWO);                      /* the same invoke id */
    mms(f, 1, "a10a020107a405a103830101");    /* one result for two variables */
    mms(f, 1, "a107020107a5028100");          /* of another service */
    mms(f, 0, "a003020101");                  /* no service */
    mms(f, 0, "af00");                        /* no such PDU */
    session(f, 0, "55aa00");
    session(f, 0, "0e50c17f31");
    EXPECT(f, "#result_count", "malformed #unknown_pdu", "malformed #foreign_message", "malformed #session_header");
    EXPECT_NOT(f, "#trailing_bytes");
    ck_assert_ptr_nonnull(strstr(f->text, "#service_differs"));
    ck_assert_ptr_nonnull(strstr(f->text, "#invoke_id_reused"));
    ck_assert_ptr_nonnull(strstr(f->text, "other unknown c2s #encoding"));
    feed_free(f);
}
END_TEST

START_TEST(not_mine)
{
    struct feed *f = start();
    feed(f, 0, COTP_CR);
    session(f, 0, "32010000000100080000f0000001000101e0");
    ck_assert_uint_eq(f->n_lost, 1);
    ck_assert_uint_eq(f->n_events, 0);
    ck_assert_uint_eq(f->n_malformed, 0);
    feed_free(f);
}
END_TEST

START_TEST(hostile)
{
    static const char *const segments[] = {
        "0300003d02f08001000100" "61343032020103a02d" READ_TWO,
        "0300005e02f08001000100" "61553053020103a04e" OPER,
        "0300003402f08001000100" "612b3029020103a024" READ_TWO_DONE,
        "0300004d02f08001000100" "61443042020103a03d"
        "a33da03ba1058003525054a0328a0255318403065b008601018a0a4c442f4c4c4e302444538301018902010284020090850101840206808402064084"
        "020520",
        "030000dd02f080" MMS_CN,
        "030000a102f080" MMS_AC,
    };
    feed_hostile(&dissector_mms, 102, segments, ARRAY_LEN(segments));
}
END_TEST

SUITE("mms", 120, probing, association, requests_pair_by_invoke_id, errors_rejects_cancel, control_is_one_transaction,
      control_that_differs_or_stays_open, acts_follow_the_functional_constraint, reports, both_sides_ask,
      files_names_and_identity, segments_and_loss, what_breaks_the_standard, not_mine, hostile)
