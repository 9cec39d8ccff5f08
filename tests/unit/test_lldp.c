/* test_lldp.c: what a device says of itself, and TLVs that break the standard. */
#include "tests/unit/dis_feed.h"
#include "tests/unit/suite.h"

extern const struct dissector dissector_lldp;

static struct feed *start(void)
{
    struct feed *f = feed_new(&dissector_lldp, 0, 1, 1);
    f->transport = DIS_ETH;
    return f;
}

#define HEAD "020704001b1b343401 0402 0731 0602 0014"

static void says(const char *hex, enum verdict v, const char *want)
{
    struct feed *f = start();
    ck_assert_msg(feed_datagram(f, 0, hex) == v, "%s", hex);
    EXPECT(f, want);
    if (!strchr(want, '#') && !strncmp(want, "message", 7))
        EXPECT_NOT(f, "#");
    feed_free(f);
}

START_TEST(schema_is_sound)
{
    struct err e;
    ck_assert_msg(dissectors_check(&e) == 0, "%s", e.text);
}
END_TEST

START_TEST(identity)
{
    says(HEAD " 0a02 7331 0e04 00140004 100c 05010a280002 02 00000001 00 0000", DIS_OK,
         "message lldp announcement report port:1 unknown c2s { chassis_type=mac_address chassis_id=00:1b:1b:34:34:01 "
         "port_type=local port_id=1 ttl_s=20 system_name=s1 capabilities=bridge capabilities=router "
         "enabled_capabilities=bridge management_address=10.40.0.2 management_interface=1 }");
    struct feed *f = start();
    feed_datagram(f, 0, HEAD " 0a02 7331 0e04 00140004 100c 05010a280002 02 00000001 00 0000");
    EXPECT(f, "ident client mac=00:1b:1b:34:34:01", "ident client name=s1", "ident client device_type=bridge",
           "ident client ip=10.40.0.2");
    feed_free(f);
}
END_TEST

/* "A, B, C, D, HW: 1, FW: V2" */
START_TEST(parts_of_the_description)
{
    struct feed *f = start();
    feed_datagram(f, 0, HEAD " 0c19 412c20422c20432c20442c2048573a20312c2046573a205632 0000");
    EXPECT(f, "ident client software=A, B, C, D, HW: 1, FW: V2", "ident client vendor=A", "ident client model=C",
           "ident client product_code=D", "ident client firmware=V2", "ident client hardware=1");
    feed_free(f);
    f = start(); /* no versions: only a text */
    feed_datagram(f, 0, HEAD " 0c0a 412c20422c20432c2044 0000");
    EXPECT(f, "ident client software=A, B, C, D");
    EXPECT_NOT(f, "vendor");
    feed_free(f);
    f = start(); /* a PROFINET device: the name of station is its chassis id */
    feed_datagram(f, 0, "0206 07 706c632d31 0402 0731 0602 0014 0000");
    EXPECT(f, "ident client name=plc-1");
    feed_free(f);
}
END_TEST

START_TEST(organizations)
{
    says(HEAD " fe06 0080c2 01 0007 0000", DIS_OK, "port_vlan_id=7");
    says(HEAD " fe0a 0080c2 03 000a 03 616263 0000", DIS_OK, "vlan_name=10 abc");
    says(HEAD " fe09 00120f 01 03 6c01 001e fe06 00120f 04 05f2 0000", DIS_OK, "autonegotiation=0x3 mau_type=30 max_frame_size=1522");
    says(HEAD " fe08 000ecf 02 0001 0004 fe0a 000ecf 05 001b1b343401 0000", DIS_OK,
         "profinet.rt_class_2=synchronizing profinet.rt_class_3=run profinet.chassis_mac=00:1b:1b:34:34:01");
    says(HEAD " fe07 0012bb 01 0033 03 fe06 0012bb 08 3437 fe06 0012bb 0a 5658 0000", DIS_OK,
         "lldp_med.device_class=endpoint_class_3 lldp_med.serial_number=47 lldp_med.model=VX");
    says(HEAD " fe05 001b21 09 00 0000", DIS_OK, "other_tlv=00-1b-21:9");
}
END_TEST

static unsigned times(const char *text, const char *what)
{
    unsigned n = 0;
    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

#define NAMED(name) HEAD " 0a02 " name " fe05 001b21 63 00 0000"

/* An announcement that comes again is the same event, whether somebody wants all of it or nobody does. */
START_TEST(again)
{
    struct feed *f = start();
    feed_datagram(f, 0, NAMED("7331"));
    uint32_t n = f->n_text;
    feed_datagram(f, 0, NAMED("7331"));
    const char *first = strstr(f->text, "message"), *second = f->text + n;
    ck_assert_msg(first && !strncmp(first, second, strlen(second)) && first + strlen(second) == second, "%s", f->text);
    ck_assert_uint_eq(times(f->text, "ident"), 2);

    struct rt_sink brief = *f->rt.sink;
    brief.completes = true; /* it does not: so fields are only there where they were read anyway */
    f->rt.sink = &brief;
    n = f->n_text;
    feed_datagram(f, 0, NAMED("7331"));
    ck_assert_str_eq(f->text + n, "message lldp announcement report port:1 unknown c2s { }\n");
    n = f->n_text;
    feed_datagram(f, 0, NAMED("7332"));
    ck_assert_ptr_nonnull(strstr(f->text + n, "ident client name=s2"));
    ck_assert_ptr_nonnull(strstr(f->text + n, "other_tlv=00-1b-21:99"));
    n = f->n_text;
    feed_datagram(f, 0, NAMED("7331")); /* known, but another name was told since */
    ck_assert_ptr_nonnull(strstr(f->text + n, "ident client name=s1"));
    feed_free(f);
}
END_TEST

/* Anomalies come again too, and the verdict. A frame that is cut, or as another flow's, is none that is known. */
START_TEST(again_broken)
{
    struct feed *f = start();
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(feed_datagram(f, 0, HEAD " 0c20 41"), DIS_MALFORMED);
    ck_assert_uint_eq(times(f->text, "#tlv_overrun"), 3);
    feed_free(f);
    f = start();
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(feed_datagram(f, 0, ""), DIS_MALFORMED);
        ck_assert_int_eq(feed_datagram(f, 0, HEAD " 0a01 41 0a01 42"), DIS_OK);
    }
    ck_assert_uint_eq(times(f->text, "#mandatory_tlv_missing"), 3);
    ck_assert_uint_eq(times(f->text, "#duplicate_tlv #end_missing"), 3);
    feed_free(f);
}
END_TEST

START_TEST(broken)
{
    says("", DIS_MALFORMED, "#mandatory_tlv_missing");
    says("0000", DIS_MALFORMED, "#mandatory_tlv_missing");
    says(HEAD, DIS_OK, "#end_missing");
    says(HEAD " 0c20 41", DIS_MALFORMED, "#tlv_overrun");
    says(HEAD " 0a01 41 0a01 42 0000", DIS_OK, "#duplicate_tlv");
    says("0402 0731 020704001b1b343401 0602 0014 0000", DIS_OK, "#tlv_order");
    says("0201 04 0402 0731 0602 0014 0000", DIS_MALFORMED, "#bad_tlv_length");
    says("0203 04 0102 0402 0731 0602 0014 0000", DIS_MALFORMED, "#bad_tlv_length");
    says("020200 41 0402 0941 0602 0014 0000", DIS_OK, "#reserved_subtype");
    says(HEAD " 2800 0000", DIS_OK, "#reserved_tlv");
    says(HEAD " 1003 ff010a 0000", DIS_MALFORMED, "#bad_tlv_length");
    says("020704001b1b343401 0402 0731 0602 0000 0000", DIS_OK, "#shutdown");
}
END_TEST

START_TEST(hostile)
{
    static const char whole[] = HEAD " 0a02 7331 0c19 412c20422c20432c20442c2048573a20312c2046573a205632 0e04 00140004"
                                     " 100c 05010a280002 02 00000001 00 fe0a 0080c2 03 000a 03 616263 0000";
    static const uint8_t marks[] = {0x00, 0x7f, 0x80, 0xff};
    uint8_t b[256];
    uint32_t n = feed_hex(whole, b, sizeof b);
    for (uint32_t at = 0; at < n; at++)
        for (unsigned k = 0; k <= sizeof marks; k++) {
            struct feed *f = start();
            uint8_t keep = b[at];
            if (k < sizeof marks)
                b[at] = marks[k];
            feed_datagram_bytes(f, 0, b, k < sizeof marks ? n : at);
            ck_assert_uint_eq(f->n_events, 1);
            b[at] = keep;
            feed_free(f);
        }
}
END_TEST

SUITE("lldp", 60, schema_is_sound, identity, parts_of_the_description, organizations, again, again_broken, broken,
      hostile)
