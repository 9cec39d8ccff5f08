/* Decoding: what headers say, where they contradict, where decoding ends, and the shard of a packet. */
#include "tests/unit/decode_fixture.h"

static void erspan2(void)
{
    inner_eth();
    b_hex(&b, "1000 88be 00000063 1000 0005 00000000");
    eth_out(47);
}

static void prp(unsigned lan, bool vlan)
{
    inner_ip();
    uint8_t t[6] = {0, 0x42, 0, 0, 0x88, 0xfb};
    b_set16(t + 2, lan << 12 | (b_len(&b) + 6));
    b_post(&b, t, 6);
    if (vlan)
        b_vlan(&b, 7, 0x0800);
    b_eth(&b, vlan ? 0x8100 : 0x0800);
}

START_TEST(tunnel_facts)
{
    erspan2();
    struct layers l = run(1);
    ck_assert_uint_eq(l.erspan_seq, 0x63);
    ck_assert_uint_eq(l.erspan_session, 5);
    inner_ip();
    b_hex(&b, "1000 0800 00000063");
    eth_out(47);
    l = run(1);
    ck_assert_uint_eq(l.erspan_seq, 0x63);
    inner_ip();
    b_hex(&b, "1034 0042 0800");
    b_eth(&b, 0x892f);
    l = run(1);
    ck_assert_uint_eq(l.lan_seq, 0x42);
    ck_assert_uint_eq(l.lan_id, 1);
    prp(0xb, true);
    l = run(1);
    ck_assert_uint_eq(l.lan_seq, 0x42);
    ck_assert_uint_eq(l.lan_id, 0xb);
}
END_TEST

START_TEST(prp_needs_its_size)
{
    prp(0xa, false);
    b_at(&b)[b_len(&b) - 3] ^= 1; /* the size */
    struct layers l = run(1);
    ck_assert_uint_eq(l.what, 0);
    check_text(&l, "IP says where it ends");
    /* a frame without IP: the trailer is not payload, but something else that ends so is */
    b_start(&b, "GOOSE", 5);
    b_post(&b, "\x00\x07\xa0\x0b\x88\xfb", 6);
    b_eth(&b, 0x88b8);
    l = run(1);
    ck_assert_uint_eq(l.what, LAY_HSR_PRP);
    ck_assert_uint_eq(l.payload_len, 5);
    ck_assert_uint_eq(l.ethertype, 0x88b8);
    b_at(&b)[b_len(&b) - 4] = 0xc0; /* neither LAN A nor B */
    l = run(1);
    ck_assert_uint_eq(l.what, 0);
    ck_assert_uint_eq(l.payload_len, 11);
    /* cut: what stands at the end of the captured bytes is not the end of the frame */
    b_at(&b)[b_len(&b) - 4] = 0xa0;
    l = run_len(1, b_at(&b), b_len(&b), b_len(&b) + 10);
    ck_assert_uint_eq(l.what, LAY_CUT);
}
END_TEST

START_TEST(kernel_took_the_tag)
{
    inner_eth();
    struct pkt k = {.data = b_at(&b), .caplen = b_len(&b), .wirelen = b_len(&b), .linktype = 1, .vlan_tci = 0x2009};
    struct layers l;
    decode(decoder, &k, &l);
    ck_assert_uint_eq(l.n_vlan, 1);
    ck_assert_uint_eq(l.vlan[0], 9);
}
END_TEST

/* ---- IPv6 ----------------------------------------------------------------------------------------------------- */

static void check_v6(const char *name, struct layers l, uint32_t what)
{
    ck_assert_msg(l.reached == REACHED_L4 && l.ip_ver == 6 && l.ip_proto == 17, "%s: reached %u", name, l.reached);
    ck_assert_msg(l.src.b[0] == 0x20 && l.src.b[15] == 5 && l.dst.b[15] == 9, "%s: address", name);
    ck_assert_msg(l.what == what, "%s: what %x", name, l.what);
    ck_assert_uint_eq(l.sport, 50000);
    ck_assert_uint_eq(l.ethertype, 0x86dd);
    check_text(&l, name);
}

START_TEST(ipv6)
{
    inner_udp();
    b_ip6(&b, 17);
    check_v6("raw", run(229), 0);
    check_v6("raw, by version", run(101), 0);
    b_eth(&b, 0x86dd);
    check_v6("plain", run(1), 0);
    inner_udp();
    b_hex(&b, "11 00 010400000000");                                   /* destination options */
    b_hex(&b, "3c 00 0000 00000007");                                  /* atomic fragment */
    b_hex(&b, "2c 02 0301 00000000 20010db8000000000000000000000009"); /* routing */
    b_hex(&b, "2b 00 050200000104");                                   /* hop by hop */
    b_ip6(&b, 0);
    b_eth(&b, 0x86dd);
    check_v6("all extension headers", run(1), 0);
    inner_udp();
    b_hex(&b, "11 04 0000 00000001 00000001 00112233445566778899aabb");
    b_ip6(&b, 51);
    b_eth(&b, 0x86dd);
    check_v6("AH", run(1), 0);
    inner_udp();
    b_ip6(&b, 17);
    eth_out(41);
    check_v6("6in4", run(1), LAY_TUNNEL);
    inner_udp();
    b_ip6(&b, 17);
    b_ip6_any(&b, 41, 1);
    b_eth(&b, 0x86dd);
    check_v6("6in6", run(1), LAY_TUNNEL);
    static const char *const families[] = {"1e000000", "0000001c", "18000000", "0a000000"};
    for (unsigned i = 0; i < 4; i++) {
        inner_udp();
        b_ip6(&b, 17);
        b_hex(&b, families[i]);
        check_v6("loopback", run(0), 0);
    }
}
END_TEST

START_TEST(ipv6_ends)
{
    b_start(&b, "ignored", 7);
    b_ip6(&b, 59);
    b_eth(&b, 0x86dd);
    struct layers l = run(1);
    ck_assert_uint_eq(l.ip_proto, 59);
    ck_assert_uint_eq(l.payload_len, 0);
    ck_assert_ptr_null(l.payload);
    inner_udp();
    b_hex(&b, "11 00 010400000000");
    for (int i = 0; i < LIM_IP6_EXT; i++)
        b_hex(&b, "3c 00 010400000000");
    b_ip6(&b, 60);
    b_eth(&b, 0x86dd);
    l = run(1);
    ck_assert_uint_eq(l.what, LAY_DEEP);
    ck_assert_uint_eq(l.reached, REACHED_L3);
    /* an extension header that says it is longer than the packet */
    inner_udp();
    b_hex(&b, "11 ff 010400000000");
    b_ip6(&b, 60);
    b_eth(&b, 0x86dd);
    l = run(1);
    ck_assert_uint_eq(l.what, LAY_BAD_HEADER);
}
END_TEST

START_TEST(icmp)
{
    b_start(&b, "\x08\x00\x12\x34ping", 8);
    b_ip4(&b, 1);
    b_eth(&b, 0x0800);
    struct layers l = run(1);
    ck_assert_uint_eq(l.reached, REACHED_L3);
    ck_assert_uint_eq(l.icmp_type, 8);
    ck_assert_uint_eq(l.payload_len, 8);
    b_start(&b, "\x87\x00\x12\x34ns", 6);
    b_ip6(&b, 58);
    b_eth(&b, 0x86dd);
    l = run(1);
    ck_assert_uint_eq(l.icmp_type, 0x87);
}
END_TEST

START_TEST(tcp)
{
    for (unsigned opt = 0; opt <= 40; opt += 20) {
        b_start(&b, text, TEXT);
        b_tcp(&b, 50000, 502, 0xfffffff0, opt);
        b_ip4(&b, 6);
        b_eth(&b, 0x0800);
        b_post(&b, "padding", 7);
        struct layers l = run(1);
        ck_assert_uint_eq(l.reached, REACHED_L4);
        ck_assert_uint_eq(l.seq, 0xfffffff0);
        ck_assert_uint_eq(l.ack, 0xfffffff0u + 1000u);
        ck_assert_uint_eq(l.tcp_flags, TCP_PSH | TCP_ACK);
        ck_assert_uint_eq(l.window, 8192);
        ck_assert_uint_eq(l.ip_id, 0x1234);
        check_text(&l, "padding is not payload");
    }
}
END_TEST

/* ---- layer 2 only --------------------------------------------------------------------------------------------- */

START_TEST(layer_2)
{
    b_start(&b, "\x61\x05goose", 7);
    b_vlan(&b, 0x8000, 0x88b8);
    b_eth(&b, 0x8100);
    struct layers l = run(1);
    struct addr src = addr_mac((const uint8_t *)"\x02\0\0\0\0\x05");
    ck_assert_uint_eq(l.reached, REACHED_L2);
    ck_assert_uint_eq(l.ethertype, 0x88b8);
    ck_assert_uint_eq(l.payload_len, 7);
    ck_assert(addr_eq(&l.src, &src));
    ck_assert_uint_eq(l.ip_ver, 0);
    /* 802.3 with LLC: spanning tree; the length takes the padding off */
    b_start(&b, "\x42\x42\x03stp", 6);
    b_post(&b, "padding padding", 15);
    b_eth(&b, 6);
    l = run(1);
    ck_assert_uint_eq(l.ethertype, 0x42);
    ck_assert_uint_eq(l.payload_len, 6);
    ck_assert_uint_eq(l.payload[0], 0x42);
    /* Cisco's SNAP: CDP */
    b_start(&b, "cdp", 3);
    b_hex(&b, "aaaa03 00000c 2000");
    b_eth(&b, b_len(&b));
    l = run(1);
    ck_assert_uint_eq(l.ethertype, 0x2000);
    ck_assert_uint_eq(l.snap_oui, 0x00000c);
    ck_assert_uint_eq(l.payload_len, 3);
    /* a foreign 0800 is not IP */
    inner_ip();
    b_hex(&b, "aaaa03 00000c 0800");
    b_eth(&b, b_len(&b));
    l = run(1);
    ck_assert_uint_eq(l.reached, REACHED_L2);
}
END_TEST

START_TEST(arp)
{
    b_start(&b, "padding padding..", 18);
    b_hex(&b, "0001 0800 06 04 0001 020000000005 0a000005 000000000000 0a000009");
    b_eth(&b, 0x0806);
    struct layers l = run(1);
    ck_assert_uint_eq(l.what, LAY_ARP);
    ck_assert_uint_eq(l.reached, REACHED_L2);
    ck_assert_uint_eq(l.arp_op, 1);
    ck_assert_uint_eq(l.payload_len, 28);
    ck_assert_int_eq(memcmp(l.arp_sha, "\x02\0\0\0\0\x05", 6), 0);
    check_addr(&l.src, a4, "sender");
    check_addr(&l.dst, b4, "target");
    b_start(&b, NULL, 0);
    b_hex(&b, "0006 0800 06 04 0001 020000000005 0a000005 000000000000 0a000009"); /* IEEE 802 hardware */
    b_eth(&b, 0x0806);
    l = run(1);
    ck_assert_uint_eq(l.what, 0);
    ck_assert(addr_is_mac(&l.src));
}
END_TEST

START_TEST(cooked)
{
    b_start(&b, "hello", 5);
    b_hex(&b, "0001 0001 0006 020000000005 0000 88cc");
    struct layers l = run(113);
    ck_assert_uint_eq(l.has_mac, 1);
    ck_assert_int_eq(memcmp(l.dmac, "\xff\xff\xff\xff\xff\xff", 6), 0); /* a broadcast: that much is known */
    ck_assert_uint_eq(l.ethertype, 0x88cc);
    b_start(&b, "\x42\x42\x03stp", 6);
    b_hex(&b, "0000 0001 0006 020000000005 0000 0004");
    l = run(113);
    ck_assert_uint_eq(l.payload_len, 6);
    ck_assert_uint_eq(l.ethertype, 0x42);
    b_start(&b, "netlink", 7);
    b_hex(&b, "0004 0338 0000 000000000000 0000 0800");
    l = run(113);
    ck_assert_uint_eq(l.reached, REACHED_L2);
    ck_assert_uint_eq(l.has_mac, 0);
}
END_TEST

/* ---- lengths that contradict ---------------------------------------------------------------------------------- */

START_TEST(lengths)
{
    inner_eth();
    b_set16(b_at(&b) + 16, 0); /* segmentation offload: IP length 0 */
    struct layers l = run(1);
    ck_assert_uint_eq(l.what, 0);
    check_text(&l, "IP length 0");

    inner_eth();
    b_set16(b_at(&b) + 16, 200); /* claims more than the frame has */
    l = run(1);
    ck_assert_uint_eq(l.what, LAY_BAD_HEADER);
    ck_assert_uint_eq(l.sport, 50000);
    check_text(&l, "the frame is right");

    inner_eth();
    b_set16(b_at(&b) + 16, 19); /* less than its own header */
    l = run(1);
    ck_assert_uint_eq(l.what & LAY_BAD_HEADER, LAY_BAD_HEADER);
    ck_assert_uint_eq(l.reached, REACHED_L3);

    inner_eth();
    b_at(&b)[14] = 0x44; /* header of 16 bytes */
    l = run(1);
    ck_assert_uint_eq(l.what, LAY_BAD_HEADER);
    ck_assert_uint_eq(l.reached, REACHED_L2);

    inner_eth();
    b_at(&b)[14] = 0x65; /* version 6 where 4 must stand */
    l = run(1);
    ck_assert_uint_eq(l.what, LAY_BAD_HEADER);

    inner_eth();
    b_set16(b_at(&b) + 38, 12); /* UDP says less than IP */
    l = run(1);
    ck_assert_uint_eq(l.what, 0);
    ck_assert_uint_eq(l.payload_len, 4);

    inner_eth();
    b_set16(b_at(&b) + 38, 7); /* UDP less than its header */
    l = run(1);
    ck_assert_uint_eq(l.what, LAY_BAD_HEADER);
    ck_assert_uint_eq(l.payload_len, TEXT);

    b_start(&b, text, TEXT);
    b_tcp(&b, 50000, 502, 1, 0);
    b_ip4(&b, 6);
    b_eth(&b, 0x0800);
    b_at(&b)[46] = 0x40; /* TCP header of 16 bytes */
    l = run(1);
    ck_assert_uint_eq(l.what, LAY_BAD_HEADER);
    ck_assert_uint_eq(l.reached, REACHED_L3);
}
END_TEST

START_TEST(cut_by_the_snap_length)
{
    b_start(&b, text, TEXT);
    b_tcp(&b, 50000, 502, 7, 20);
    b_ip4(&b, 6);
    b_eth(&b, 0x0800);
    struct layers l = run_len(1, b_at(&b), b_len(&b) - 5, b_len(&b));
    ck_assert_uint_eq(l.what, LAY_CUT);
    ck_assert_uint_eq(l.payload_len, TEXT - 5);
    ck_assert_uint_eq(l.payload_wire, TEXT);
    l = run_len(1, b_at(&b), 14 + 20 + 20 + 8, b_len(&b)); /* amid the options */
    ck_assert_uint_eq(l.what, LAY_CUT);
    ck_assert_uint_eq(l.reached, REACHED_L4);
    ck_assert_uint_eq(l.payload_len, 0);
    ck_assert_uint_eq(l.payload_wire, TEXT);
    /* a tunnel that told so (ERSPAN's bit): no contradiction in the inner lengths */
    inner_eth();
    b.room[BUILD_MAX - 1] = 0;
    unsigned n = b_len(&b);
    memmove(b_at(&b) + 4, b_at(&b), n - 4); /* the last 4 bytes fall off */
    b.head += 4;
    b_hex(&b, "1000 88be 00000063 1000 0405 00000000");
    eth_out(47);
    l = run(1);
    ck_assert_uint_eq(l.what, LAY_CUT | LAY_TUNNEL);
    ck_assert_uint_eq(l.payload_len, TEXT - 4);
    ck_assert_uint_eq(l.payload_wire, TEXT);
}
END_TEST

START_TEST(too_deep)
{
    inner_ip();
    for (int i = 0; i < 40; i++)
        b_vlan(&b, 7, i ? 0x8100 : 0x0800);
    b_eth(&b, 0x8100);
    struct layers l = run(1);
    ck_assert_uint_eq(l.what, LAY_DEEP);
    ck_assert_uint_eq(l.reached, REACHED_L2);
    inner_ip();
    for (int i = 0; i < 40; i++)
        b_ip4_out(&b, 4);
    b_eth(&b, 0x0800);
    l = run(1);
    ck_assert_uint_eq(l.what, LAY_DEEP | LAY_TUNNEL);
}
END_TEST

START_TEST(not_a_tunnel)
{
    static const unsigned ports[] = {4789, 8472, 6081, 4754};
    for (unsigned i = 0; i < 4; i++) {
        b_start(&b, "what a client on this port gets in answer", 41);
        b_udp(&b, 53, ports[i]);
        b_ip4(&b, 17);
        b_eth(&b, 0x0800);
        struct layers l = run(1);
        ck_assert_uint_eq(l.what, 0);
        ck_assert_uint_eq(l.dport, ports[i]);
        ck_assert_uint_eq(l.payload_len, 41);
    }
    b_start(&b, "nhrp", 4);
    b_hex(&b, "0000 2001"); /* GRE with something else inside */
    b_ip4(&b, 47);
    b_eth(&b, 0x0800);
    struct layers l = run(1);
    ck_assert_uint_eq(l.reached, REACHED_L3);
    ck_assert_uint_eq(l.ip_proto, 47);
    ck_assert_uint_eq(l.payload_len, 8);
}
END_TEST

START_TEST(unknown_link_type)
{
    inner_eth();
    struct layers l = run(147);
    ck_assert_uint_eq(l.reached, REACHED_NOTHING);
    ck_assert_uint_eq(decoder_stats(decoder)->unknown_link, 1);
}
END_TEST

/* ---- shards --------------------------------------------------------------------------------------------------- */

static struct layers pair(uint32_t src, uint32_t dst)
{
    b_start(&b, text, TEXT);
    b_udp(&b, 1, 2);
    b_ip4_full(&b, 17, src, dst, 0, 0, 0);
    b_eth(&b, 0x0800);
    return run(1);
}

START_TEST(shards)
{
    unsigned hits[N_SHARDS] = {0};
    for (uint32_t i = 0; i < 64 * 64; i++) {
        struct layers l = pair(IP_A + i, IP_B + i * 7), r = pair(IP_B + i * 7, IP_A + i);
        ck_assert_uint_eq(decode_shard(&l), decode_shard(&r));
        hits[decode_shard(&l)]++;
    }
    for (unsigned i = 0; i < N_SHARDS; i++)
        ck_assert_msg(hits[i] > 20 && hits[i] < 130, "shard %u has %u of 64", i, hits[i]);
    /* to a group: by the sender alone */
    struct layers l = pair(IP_A, 0xe0000005), r = pair(IP_A, 0xffffffff);
    ck_assert_uint_eq(decode_shard(&l), decode_shard(&r));
    /* neither ports nor VLAN */
    l = pair(IP_A, IP_B);
    inner_ip();
    b_vlan(&b, 7, 0x0800);
    b_eth(&b, 0x8100);
    r = run(1);
    ck_assert_uint_eq(decode_shard(&l), decode_shard(&r));
    /* fixed for ever: evictions and ids depend on it */
    ck_assert_uint_eq(decode_shard(&l), 36);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("decode");
    TCase *t = tcase_create("decode");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, tunnel_facts);
    tcase_add_test(t, prp_needs_its_size);
    tcase_add_test(t, kernel_took_the_tag);
    tcase_add_test(t, ipv6);
    tcase_add_test(t, ipv6_ends);
    tcase_add_test(t, icmp);
    tcase_add_test(t, tcp);
    tcase_add_test(t, layer_2);
    tcase_add_test(t, arp);
    tcase_add_test(t, cooked);
    tcase_add_test(t, lengths);
    tcase_add_test(t, cut_by_the_snap_length);
    tcase_add_test(t, too_deep);
    tcase_add_test(t, not_a_tunnel);
    tcase_add_test(t, unknown_link_type);
    tcase_add_test(t, shards);
    suite_add_tcase(s, t);
    return run_suite(s);
}
