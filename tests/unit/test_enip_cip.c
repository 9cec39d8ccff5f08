/* CIP: paths, pairing, nesting, attributes, tags, PCCC. */
#include "test_enip.h"

#include "dissectors/enip_int.h"
#include "suite.h"

static const char *path_text(const char *hex, struct epath *p, bool ok)
{
    static char text[EPATH_TEXT + EPATH_ROUTE + 2];
    uint8_t b[512];
    uint32_t n = feed_hex(hex, b, sizeof b);
    uint8_t *copy = malloc(n ? n : 1);
    memcpy(copy, b, n);
    ck_assert_int_eq(epath_parse(cur_make(copy, n), p), ok);
    free(copy);
    snprintf(text, sizeof text, "%.*s%s%.*s", (int)p->app.n, p->app.p, p->n_hops ? "@" : "", (int)p->route.n,
             p->route.p);
    return text;
}

START_TEST(paths)
{
    struct epath p;
    ck_assert_str_eq(path_text("2001 2401 3007", &p, true), "identity/1/7");
    ck_assert_str_eq(path_text("2100 3403 2500 3412 3100 0b00", &p, true), "0x334/4660/11");
    ck_assert_str_eq(path_text("206b 2600 78563412", &p, true), "symbol/305419896");
    ck_assert_str_eq(path_text("2068 2401 206d 2402", &p, true), "program/1/routine/2");
    ck_assert_uint_eq(p.class_id, 0x6d);
    ck_assert_str_eq(path_text("910c 50726f6772616d3a4d61696e 9103 54616700 2803 9106 4d656d626572", &p, true),
                     "Program:Main.Tag[3].Member");
    ck_assert_uint_eq(epath_selector(&p), CLS_SYMBOL);
    ck_assert_str_eq(path_text("9101 4100 2801 2900 2c01", &p, true), "A[1,300]");
    ck_assert_str_eq(path_text("9101 4100 3c01 0500 3d01 2c01 3c05 0200", &p, true), "A[5,300].2");
    ck_assert_str_eq(path_text("6341 4243", &p, true), "ABC");
    ck_assert_str_eq(path_text("206b 2464 2805", &p, true), "symbol/100[5]");
    ck_assert_str_eq(path_text("0103 2002 2401", &p, true), "message_router/1@1/3");
    ck_assert_uint_eq(p.slot, 3);
    ck_assert_str_eq(path_text("0102 1208 31302e302e302e33 0100 2002 2401", &p, true),
                     "message_router/1@1/2,2/10.0.0.3,1/0");
    ck_assert_uint_ge(p.slot, 0x80000000u);
    ck_assert_str_eq(path_text("1f02 1200 6162 2002", &p, true), "message_router@18/ab");
    ck_assert_str_eq(path_text("3404 0100 0c00 6c00 8501 2004 2466 2c64 2c65 8003 010203040506", &p, true),
                     "assembly/102/cp100/cp101");
    ck_assert(p.has_key && p.key_vendor == 1 && p.key_major == 0x85 && p.n_cps == 2 && p.data.n == 6);
    ck_assert_str_eq(path_text("2004 2466 5101 1027 430a", &p, true), "assembly/102");
    path_text("2004 2466 430a", &p, true);
    ck_assert_uint_eq(p.pit_us, 10000);
    ck_assert_str_eq(path_text("9105 4142", &p, false), "");
    path_text("20", &p, false);
    path_text("9f01", &p, false);
    path_text("2001 e001", &p, false);
    ck_assert(p.anomalies & UINT64_C(1) << CA_RESERVED_SEGMENT);
}
END_TEST

START_TEST(unconnected_send)
{
    struct feed *f = enip_feed();
    rr(f, 0, 1, "5202 2006 2401 0af0 0800 0e03 2001 2401 3007 0100 0103");
    rr(f, 1, 1, "8e00 0000 04 31373639");
    HAS(f, "transaction 82 unconnected_send other unit=3 cip:connection_manager/1 accepted c2s");
    HAS(f, "transaction 14,14 get_attribute_single read unit=3 cip:identity/1/7=[1769] status=success executed s2c");
    HAS(f, "ident server/3 module=1769");
    feed_free(f);
}
END_TEST

START_TEST(route_fails)
{
    struct feed *f = enip_feed();
    rr(f, 0, 1, "5202 2006 2401 0af0 0600 0102 2001 2401 0100 0109");
    rr(f, 1, 1, "d200 0101 0402 02 00");
    HAS(f,
        "transaction 82,82 unconnected_send other unit=9 cip:connection_manager/1 status=connection_failure! refused");
    HAS(f, "transaction 1 get_attributes_all read unit=9 cip:identity/1 status=connection_failure! refused");
    /* Read Tag Fragmented has the code of Unconnected Send: its own failure is not the route's */
    rr(f, 0, 2, "5202 2006 2401 0af0 0c00 5202 9101 4100 0100 00000000 0100 0100");
    rr(f, 1, 2, "d200 0401 0000");
    HAS(f, "transaction 82,82 read_tag_fragmented read unit=0 tag:A status=path_segment_error! refused");
    rr(f, 0, 3, "5202 2006 2401 0af0 0c00 5202 9101 4100 0100 00000000 0100 0100");
    rr(f, 1, 3, "d200 0101 0402 02 00");
    HAS(f,
        "transaction 82,82 unconnected_send other unit=0 cip:connection_manager/1 status=connection_failure! refused");
    feed_free(f);
}
END_TEST

START_TEST(multiple_service_packet)
{
    struct feed *f = enip_feed();
    rr(f, 0, 1, "0a02 2002 2401 0200 0600 0e00 4c02 9101 4100 0100 4c02 9101 4200 0100");
    rr(f, 1, 1, "8a00 1e00 0200 0600 1000 cc00 0000 c400 07000000 cc00 0401 0000");
    HAS(f, "transaction 10,10 multiple_service_packet other cip:message_router/1 status=embedded_service_error! "
           "partial s2c { class=message_router instance=1 count=2 }");
    HAS(f, "transaction 76,76 read_tag read tag:A=[7] status=success executed");
    HAS(f, "transaction 76,76 read_tag read tag:B status=path_segment_error! refused");
    HAS_NOT(f, "#");
    /* refused as a whole: so are the services in it, and nothing of theirs waits any longer */
    rr(f, 0, 4, "0a02 2002 2401 0200 0600 0e00 4c02 9101 4100 0100 4c02 9101 4200 0100");
    rr(f, 0, 5, "4c02 9101 4300 0100");
    rr(f, 1, 4, "8a00 0800");
    HAS(f, "transaction 10,10 multiple_service_packet other cip:message_router/1 status=service_not_supported! "
           "refused s2c");
    HAS(f, "transaction 76 read_tag read tag:A");
    HAS(f, "transaction 76 read_tag read tag:B");
    HAS_NOT(f, "tag:C");
    rr(f, 1, 5, "cc00 0000 c400 07000000");
    HAS(f, "transaction 76,76 read_tag read tag:C=[7] status=success executed");
    /* offsets that go back, that leave the packet, a count that lies */
    rr(f, 0, 2, "0a02 2002 2401 0200 0600 0600 4c02 9101 4100 0100");
    HAS_NOT(f, "request");
    rr(f, 0, 3, "0a02 2002 2401 ffff 0600 4c02");
    feed_end(f);
    HAS(f, "#multiple_service_offsets");
    feed_free(f);
}
END_TEST

START_TEST(pairing_survives)
{
    struct feed *f = enip_feed();
    /* constant context, answers in order, then of two services the other way round */
    for (int i = 0; i < 3; i++) {
        rr(f, 0, 0, "0e03 2001 2401 3001");
        rr(f, 1, 0, "8e00 0000 0100");
    }
    rr(f, 0, 0, "0e03 2001 2401 3002");
    rr(f, 0, 0, "0102 2001 2401");
    rr(f, 1, 0, "8100 0800");
    rr(f, 1, 0, "8e00 0000 0c00");
    HAS(f, "get_attributes_all read cip:identity/1 status=service_not_supported! refused");
    HAS(f, "cip:identity/1/2=[12] status=success");
    HAS_NOT(f, "response");
    HAS_NOT(f, "request");
    /* an answer alone: the class is unknown and so is the name */
    unit(f, 1, 0x55, 4, "cc00 0000 c400 01000000");
    HAS(f, "response 76 service_0x4c other status=success");
    /* no reply bit, but in its place */
    rr(f, 0, 9, "0e03 2001 2401 3001");
    rr(f, 1, 9, "0e00 0000 0100");
    HAS(f, "#reply_bit_missing");
    feed_free(f);
}
END_TEST

START_TEST(attributes)
{
    struct feed *f = enip_feed();
    rr(f, 0, 1, "0303 2001 2401 3000 0300 0100 6300 0700"); /* a path with an attribute does no harm */
    rr(f, 1, 1, "8300 0a00 0300 0100 0000 0100 6300 1400 0700 0000 0161");
    HAS(f, "=[1]");
    HAS(f, "status=attribute_list_error! refused");
    rr(f, 0, 2, "1003 20f5 2401 3005 4201140a 00ffffff 0101140a 00000000 00000000 0000");
    rr(f, 1, 2, "9000 0000");
    HAS(f, "set_attribute_single configure cip:tcp_ip_interface/1/5");
    rr(f, 0, 3, "0402 208b 2401 0100 0600 c0587222085a0400");
    rr(f, 1, 3, "8400 0000 0100 0600 0000");
    HAS(f, "set_attribute_list time cip:wall_clock/1/6=[1224890891000000]");
    rr(f, 0, 4, "0502 2001 2401 01");
    rr(f, 1, 4, "8500 0000");
    HAS(f, "transaction 5,5 reset reset cip:identity/1 status=success executed s2c #factory_reset { class=identity "
           "instance=1 reset_type=factory_default }");
    rr(f, 0, 5, "0702 208e 2401");
    rr(f, 1, 5, "8700 0000");
    HAS(f, "set_program_mode stop cip:controller_mode/1 status=success executed");
    HAS(f, "ident server state=program");
    rr(f, 0, 6, "0102 20f6 2401");
    rr(f, 1, 6, "8100 0000 64000000 0f000000 0000bc010203");
    HAS(f, "ident server mac=00:00:bc:01:02:03");
    rr(f, 0, 7, "0502 20f6 2401 0102"); /* what a reset of another object is told, all of it */
    HAS_NOT(f, "request_data=02 ");
    rr(f, 1, 7, "8500 0000");
    HAS(f, "cip:ethernet_link/1 status=success executed s2c { class=ethernet_link instance=1 request_data=0102 }");
    feed_free(f);
}
END_TEST

/* Instance 0 is the class: its attributes are the same for all classes, and say nothing of the device. */
START_TEST(class_attributes)
{
    struct feed *f = enip_feed();
    rr(f, 0, 1, "0e03 2001 2400 3001");
    rr(f, 1, 1, "8e00 0000 0200");
    HAS(f, "cip:identity/0/1=[2] status=success executed s2c { class=identity instance=0 attribute=1 "
           "attribute_name=revision }");
    rr(f, 0, 2, "0e03 2001 2400 3007");
    rr(f, 1, 2, "8e00 0000 0700");
    HAS(f, "cip:identity/0/7=[7]");
    HAS(f, "attribute_name=max_instance_attribute");
    rr(f, 0, 3, "0e03 20f5 2400 3003");
    rr(f, 1, 3, "8e00 0000 0200");
    HAS(f, "cip:tcp_ip_interface/0/3=[2]");
    HAS(f, "attribute_name=number_of_instances");
    HAS_NOT(f, "configuration_control");
    rr(f, 0, 4, "0302 20f5 2400 0300 0500 0600 0700");
    rr(f, 1, 4, "8300 0000 0300 0500 0000 0100 4b00 0600 0000 0900 0700 1400");
    HAS(f, "cip:tcp_ip_interface/0/5=[75]");
    HAS(f, "cip:tcp_ip_interface/0/6=[9]");
    HAS_NOT(f, "host_name");
    HAS_NOT(f, " name=");
    feed_free(f);
}
END_TEST

START_TEST(attribute_types)
{
    struct feed *f = enip_feed();
    rr(f, 0, 1, "0e03 20f6 2401 3006");
    rr(f, 1, 1, "8e00 0000 0100 6400");
    HAS(f, "cip:ethernet_link/1/6=[1,100]");
    rr(f, 0, 2, "0e03 2002 2401 3001");
    rr(f, 1, 2, "8e00 0000 0200 0100 0600");
    HAS(f, "cip:message_router/1/1=[1,6]");
    rr(f, 0, 3, "0302 20f5 2401 0200 0400 0d00");
    rr(f, 1, 3, "8300 0000 0200 0400 0000 0200 20f6 2401 0d00 0000 7800");
    HAS(f, "cip:tcp_ip_interface/1/4=[20f62401]");
    HAS(f, "cip:tcp_ip_interface/1/13=[120]");
    /* longer than its type: not what it was taken for */
    rr(f, 0, 4, "0e03 20f5 2401 300d");
    rr(f, 1, 4, "8e00 0000 7800 0100");
    HAS(f, "cip:tcp_ip_interface/1/13=[78000100]");
    feed_free(f);
}
END_TEST

START_TEST(tags)
{
    struct feed *f = enip_feed();
    rr(f, 0, 1, "4d02 9101 4100 ca00 0100 00005c42");
    rr(f, 1, 1, "cd00 0000");
    HAS(f, "write_tag write tag:A=[55] status=success executed");
    rr(f, 0, 2, "4c02 9101 4100 0100");
    rr(f, 1, 2, "cc00 0000 a002 ce0f 02000000 6f6b 0000");
    HAS(f, "tag:A=[ok]");
    rr(f, 0, 3, "5202 9101 4100 0a00 00000000");
    rr(f, 1, 3, "d200 0600 c300 0100 0200");
    HAS(f, "read_tag_fragmented read tag:A=[1,2] status=partial_transfer partial");
    rr(f, 0, 4, "4e02 9101 4100 0200 0100 feff");
    rr(f, 1, 4, "ce00 0000");
    HAS(f, "read_modify_write_tag write tag:A status=success executed s2c { or_mask=0100 and_mask=feff }");
    rr(f, 0, 5, "5502 206b 2400 0200 0100 0200");
    rr(f, 1, 5, "d500 0600 64000000 0200 4142 c400 65000000 0100 43 c100");
    HAS(f, "get_instance_attribute_list browse cip:symbol/0 tag:AB tag:C status=partial_transfer partial");
    rr(f, 0, 6, "4d02 9101 4100 7700 0100 00005c42");
    HAS_NOT(f, "#");
    rr(f, 1, 6, "cd00 ff01 0721");
    HAS(f, "#unknown_data_type");
    HAS(f, "ext_status=data_type_mismatch");
    feed_free(f);
}
END_TEST

#define PCCC_ID "074d00d323aa07 "

START_TEST(pccc)
{
    struct feed *f = enip_feed();
    rr(f, 0, 1, "4b02 2067 2401 " PCCC_ID "0f 00 0100 a2 04 07 89 03 00");
    rr(f, 1, 1, "cb00 0000 " PCCC_ID "4f 00 0100 0500 ffff");
    HAS(f, "execute_pccc read pccc_file:N7:3=[5,-1] status=success executed");
    HAS(f, "pccc.function=typed_logical_read_3 pccc.transaction=1");
    rr(f, 0, 2, "4b02 2067 2401 " PCCC_ID "0f 00 0200 80 01");
    rr(f, 1, 2, "cb00 0000 " PCCC_ID "4f 00 0200");
    HAS(f, "execute_pccc stop cip:pccc/1 status=success executed");
    HAS(f, "ident server state=program");
    rr(f, 0, 3, "4b02 2067 2401 " PCCC_ID "0f 00 0300 aa 02 07 89 03 00 0100");
    rr(f, 1, 3, "cb00 0000 " PCCC_ID "4f f0 0300 0b");
    HAS(f, "execute_pccc write pccc_file:N7:3=[1] status=success! refused");
    HAS(f, "pccc.ext_status=access_denied_improper_privilege");
    rr(f, 0, 4, "4b02 2067 2401 " PCCC_ID "06 00 0400 03");
    rr(f, 1, 4, "cb00 0000 " PCCC_ID "46 00 0400 00 ee 4a 9c 23 313736332d4c4543202020 0000 26 00");
    HAS(f, "ident server model=1763-LEC");
    HAS(f, "ident server firmware=series B revision D");
    HAS(f, "ident server state=run");
    /* another class has nothing to do with PCCC */
    rr(f, 0, 5, "4b02 2068 2401 0000");
    rr(f, 1, 5, "cb00 0000");
    HAS(f, "list_instances browse cip:program/1");
    rr(f, 0, 6, "4b02 2067 2401 " PCCC_ID "0f");
    feed_end(f);
    HAS(f, "#pccc_fault");
    feed_free(f);
}
END_TEST

START_TEST(faults)
{
    struct feed *f = enip_feed();
    rr(f, 0, 1, "0e09 2001 2401 3001");
    rr(f, 1, 1, "8e00 0000 0100");
    HAS(f, "#path_size");
    rr(f, 0, 2, "2302 2001 2401");
    rr(f, 1, 2, "a301 0800");
    HAS(f, "#reserved_service #reserved_byte");
    rr(f, 0, 3, "5202 2006 2401 0af0 ff00 0102 2001");
    feed_end(f);
    HAS(f, "#unconnected_send_size");
    /* packets in packets in packets are not followed for ever, and cost no more than their bytes */
    struct feed *g = enip_feed();
    char nested[1024] = "";
    for (int i = 0; i < 12; i++)
        strcat(nested, "0a02 2002 2401 0100 0400 ");
    rr(g, 0, 1, nested);
    feed_end(g);
    HAS(g, "#nested_too_deep");
    ck_assert_uint_lt(g->n_events, 8);
    feed_free(f);
    feed_free(g);
}
END_TEST

START_TEST(tables_are_sound)
{
    struct err e;
    ck_assert_msg(dissectors_check(&e) == 0, "%s", e.text);
    for (uint32_t i = 0; i + 1 < n_cip_classes; i++)
        ck_assert_uint_lt(cip_classes[i].code, cip_classes[i + 1].code);
    ck_assert_str_eq(cip_class_name(0xf5), "tcp_ip_interface");
    ck_assert_ptr_null(cip_class_name(0x7777));
    /* codes mean what their class says */
    ck_assert_str_eq(schema_op(&cip_schema, 0x52, CLS_CM)->name, "unconnected_send");
    ck_assert_str_eq(schema_op(&cip_schema, 0x52, CLS_SYMBOL)->name, "read_tag_fragmented");
    ck_assert_str_eq(schema_op(&cip_schema, 0x4e, CLS_CM)->name, "forward_close");
    ck_assert_str_eq(schema_op(&cip_schema, 0x4b, 0x9999)->name, "service_0x4b");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("enip_cip");
    TCase *c = tcase_create("cip");
    tcase_add_test(c, paths);
    tcase_add_test(c, unconnected_send);
    tcase_add_test(c, route_fails);
    tcase_add_test(c, multiple_service_packet);
    tcase_add_test(c, pairing_survives);
    tcase_add_test(c, attributes);
    tcase_add_test(c, class_attributes);
    tcase_add_test(c, attribute_types);
    tcase_add_test(c, tags);
    tcase_add_test(c, pccc);
    tcase_add_test(c, faults);
    tcase_add_test(c, tables_are_sound);
    suite_add_tcase(s, c);
    return suite_end(s);
}
