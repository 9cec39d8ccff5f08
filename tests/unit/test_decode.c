/* Decoding: every encapsulation around the same inner packet, what cannot be taken apart, and every prefix of it all. */
#include <check.h>

#include "engine/decode.h"
#include "engine/base/limits.h"
#include "tests/unit/build.h"

static const char text[] = "read holding"; /* 12 bytes of payload, without the final 0 */
enum { TEXT = sizeof text - 1 };

static struct decoder *decoder;
static struct build b;

static void set_up(void)
{
    static const struct decode_limits lim = {.frag_datagrams = 8, .frag_bytes = 1 << 18, .batch = 1};
    decoder = decoder_new(&lim);
    ck_assert_ptr_nonnull(decoder);
}

static void tear_down(void)
{
    decoder_free(decoder);
}

static struct layers run_len(uint32_t linktype, const uint8_t *p, uint32_t caplen, uint32_t wirelen)
{
    struct pkt k = {.ts_ns = 1000, .data = p, .caplen = caplen, .wirelen = wirelen, .linktype = linktype, .frame = 1};
    struct layers l;
    memset(&l, 0xa5, sizeof l); /* decode writes all of it */
    decode(decoder, &k, &l);
    return l;
}

static struct layers run(uint32_t linktype)
{
    return run_len(linktype, b_at(&b), b_len(&b), b_len(&b));
}

/* ---- the same inner packet ------------------------------------------------------------------------------------ */

static void inner_udp(void)
{
    b_start(&b, text, TEXT);
    b_udp(&b, 50000, 502);
}

static void inner_ip(void)
{
    inner_udp();
    b_ip4(&b, 17);
}

static void inner_eth(void)
{
    inner_ip();
    b_eth(&b, 0x0800);
}

static void eth_out(unsigned proto)
{
    b_ip4_out(&b, proto);
    b_eth(&b, 0x0800);
}

static void plain(void) { inner_eth(); }
static void options(void) { inner_udp(); b_ip4_full(&b, 17, IP_A, IP_B, 1, 0, 40); b_eth(&b, 0x0800); }
static void ah4(void) { inner_udp(); b_hex(&b, "11 04 0000 00000001 00000001 00112233445566778899aabb"); b_ip4(&b, 51); b_eth(&b, 0x0800); }
static void vlan(void) { inner_ip(); b_vlan(&b, 0x6007, 0x0800); b_eth(&b, 0x8100); }
static void priority(void) { inner_ip(); b_vlan(&b, 0xc000, 0x0800); b_eth(&b, 0x8100); }
static void qinq(void) { inner_ip(); b_vlan(&b, 8, 0x0800); b_vlan(&b, 7, 0x8100); b_eth(&b, 0x88a8); }
static void qinq_old(void) { inner_ip(); b_vlan(&b, 8, 0x0800); b_vlan(&b, 7, 0x8100); b_eth(&b, 0x9100); }
static void three_tags(void) { inner_ip(); b_vlan(&b, 9, 0x0800); b_vlan(&b, 8, 0x8100); b_vlan(&b, 7, 0x8100); b_eth(&b, 0x8100); }
static void snap(void) { inner_ip(); b_hex(&b, "aaaa03 000000 0800"); b_eth(&b, b_len(&b)); }
static void snap_bridge(void) { inner_ip(); b_hex(&b, "aaaa03 0000f8 0800"); b_eth(&b, b_len(&b)); }
static void snap_padded(void) { inner_ip(); b_hex(&b, "aaaa03 000000 0800"); unsigned n = b_len(&b); b_post(&b, "padding!", 8); b_eth(&b, n); }
static void mpls(void) { inner_ip(); b_hex(&b, "00064140"); b_eth(&b, 0x8847); }
static void mpls3(void) { inner_ip(); b_hex(&b, "00064040 00065040 00066140"); b_eth(&b, 0x8847); }
static void mpls_pw(void) { inner_eth(); b_hex(&b, "00064140"); b_eth(&b, 0x8847); }
static void mpls_pw_cw(void) { inner_eth(); b_hex(&b, "00064140 00000000"); b_eth(&b, 0x8847); }
static void pppoe(void) { inner_ip(); b_hex(&b, "0021"); uint8_t h[6] = {0x11, 0, 0, 1}; b_set16(h + 4, b_len(&b)); b_pre(&b, h, 6); b_eth(&b, 0x8864); }
static void hsr(void) { inner_ip(); b_hex(&b, "1034 0042 0800"); b_eth(&b, 0x892f); }
static void pbb(void) { inner_eth(); b_hex(&b, "00000017"); b_eth(&b, 0x88e7); }
static void vntag(void) { inner_ip(); b_hex(&b, "00010002 0800"); b_eth(&b, 0x8926); }
static void cmd(void) { inner_ip(); b_hex(&b, "0101 0001 0007 0800"); b_eth(&b, 0x8909); }

static void prp(void)
{
    inner_ip();
    uint8_t t[6] = {0, 0x42, 0xa0, 0, 0x88, 0xfb};
    b_set16(t + 2, 0xa000 | (b_len(&b) + 6));
    b_post(&b, t, 6);
    b_eth(&b, 0x0800);
}

static void prp_vlan(void)
{
    inner_ip();
    uint8_t t[6] = {0, 0x42, 0xb0, 0, 0x88, 0xfb};
    b_set16(t + 2, 0xb000 | (b_len(&b) + 6));
    b_post(&b, t, 6);
    b_vlan(&b, 7, 0x0800);
    b_eth(&b, 0x8100);
}

static void gre(void) { inner_ip(); b_hex(&b, "0000 0800"); eth_out(47); }
static void gre_all(void) { inner_ip(); b_hex(&b, "f000 0800 1234 0000 00000007 00000063 0002 00 04 01020304 0000 00 00"); eth_out(47); }
static void gre_key(void) { inner_ip(); b_hex(&b, "2000 0800 00000007"); eth_out(47); }
static void gre_teb(void) { inner_eth(); b_hex(&b, "0000 6558"); eth_out(47); }
static void gre_mpls(void) { inner_ip(); b_hex(&b, "0000 8847 00064140"); eth_out(47); }
static void mpls_in_ip(void) { inner_ip(); b_hex(&b, "00064140"); eth_out(137); }
static void gre_in_6(void) { inner_ip(); b_hex(&b, "0000 0800"); b_ip6_any(&b, 47, 1); b_eth(&b, 0x86dd); }
static void gre_udp(void) { inner_ip(); b_hex(&b, "0000 0800"); b_udp(&b, 50001, 4754); eth_out(17); }
static void pptp(void) { inner_ip(); b_hex(&b, "ff03 0021"); uint8_t h[16] = {0x30, 0x81, 0x88, 0x0b, 0, 0, 0, 1}; b_set16(h + 4, b_len(&b)); b_pre(&b, h, 16); eth_out(47); }
static void wccp(void) { inner_ip(); b_hex(&b, "0000 883e 00010203"); eth_out(47); }
static void erspan1(void) { inner_eth(); b_hex(&b, "0000 88be"); eth_out(47); }
static void erspan2(void) { inner_eth(); b_hex(&b, "1000 88be 00000063 1000 0005 00000000"); eth_out(47); }
static void erspan2_tag(void) { inner_eth(); b_hex(&b, "1000 88be 00000063 1007 1005 00000000"); eth_out(47); }
static void erspan3(void) { inner_eth(); b_hex(&b, "1000 22eb 00000063 2000 0005 01020304 0000 0000"); eth_out(47); }
static void erspan3_sub(void) { inner_eth(); b_hex(&b, "1000 22eb 00000063 2000 0005 01020304 0000 0001 0102030405060708"); eth_out(47); }
static void erspan3_ip(void) { inner_ip(); b_hex(&b, "1000 22eb 00000063 2000 0005 01020304 0000 0800"); eth_out(47); }
static void vxlan(void) { inner_eth(); b_hex(&b, "08000000 00000700"); b_udp(&b, 50001, 4789); b_ip4_out(&b, 17); b_vlan(&b, 99, 0x0800); b_eth(&b, 0x8100); }
static void vxlan_linux(void) { inner_eth(); b_hex(&b, "08000000 00000700"); b_udp(&b, 50001, 8472); eth_out(17); }
static void vxlan_vlan(void) { vlan(); b_hex(&b, "08000000 00000700"); b_udp(&b, 50001, 4789); eth_out(17); }
static void geneve(void) { inner_eth(); b_hex(&b, "0000 6558 00000700"); b_udp(&b, 50001, 6081); eth_out(17); }
static void geneve_opt(void) { inner_eth(); b_hex(&b, "0200 6558 00000700 0102030405060708"); b_udp(&b, 50001, 6081); eth_out(17); }
static void geneve_ip(void) { inner_ip(); b_hex(&b, "0000 0800 00000700"); b_udp(&b, 50001, 6081); eth_out(17); }
static void etherip(void) { inner_eth(); b_hex(&b, "3000"); eth_out(97); }
static void ipip(void) { inner_ip(); eth_out(4); }
static void four_in_six(void) { inner_ip(); b_ip6_any(&b, 4, 1); b_eth(&b, 0x86dd); }
static void deep(void) { inner_eth(); for (int i = 0; i < 3; i++) { b_hex(&b, "0000 6558"); b_ip4_out(&b, 47); b_ip4_out(&b, 4); b_eth(&b, 0x0800); } }
static void sll(void) { inner_ip(); b_hex(&b, "0000 0001 0006 020000000005 0000 0800"); }
static void sll_vlan(void) { inner_ip(); b_vlan(&b, 7, 0x0800); b_hex(&b, "0000 0001 0006 020000000005 0000 8100"); }
static void sll2(void) { inner_ip(); b_hex(&b, "0800 0000 00000002 0001 00 06 020000000005 0000"); }
static void loop_le(void) { inner_ip(); b_hex(&b, "02000000"); }
static void loop_be(void) { inner_ip(); b_hex(&b, "00000002"); }
static void ppp(void) { inner_ip(); b_hex(&b, "ff03 0021"); }
static void ppp_short(void) { inner_ip(); b_hex(&b, "21"); }
static void hdlc(void) { inner_ip(); b_hex(&b, "0f00 0800"); }
static void frelay(void) { inner_ip(); b_hex(&b, "1841 03 cc"); }
static void frelay_snap(void) { inner_ip(); b_hex(&b, "1841 03 00 80 000000 0800"); }
static void frelay_cisco(void) { inner_ip(); b_hex(&b, "1841 0800"); }

enum { NO_MAC = 0, MAC = 1, MAC_SRC = 2 };

static const struct around {
    const char *name;
    uint32_t linktype;
    void (*build)(void);
    uint32_t what;
    uint16_t vlan[2];
    uint8_t n_vlan, mac;
} arounds[] = {
    {"plain", 1, plain, 0, {0}, 0, MAC},
    {"IPv4 options", 1, options, 0, {0}, 0, MAC},
    {"AH", 1, ah4, 0, {0}, 0, MAC},
    {"VLAN", 1, vlan, 0, {7}, 1, MAC},
    {"priority tag", 1, priority, 0, {0}, 0, MAC},
    {"QinQ", 1, qinq, 0, {7, 8}, 2, MAC},
    {"QinQ 9100", 1, qinq_old, 0, {7, 8}, 2, MAC},
    {"three tags", 1, three_tags, 0, {7, 8}, 2, MAC},
    {"SNAP", 1, snap, 0, {0}, 0, MAC},
    {"SNAP bridge-tunnel", 1, snap_bridge, 0, {0}, 0, MAC},
    {"SNAP padded", 1, snap_padded, 0, {0}, 0, MAC},
    {"MPLS", 1, mpls, 0, {0}, 0, MAC},
    {"MPLS, three labels", 1, mpls3, 0, {0}, 0, MAC},
    {"MPLS pseudo-wire", 1, mpls_pw, LAY_TUNNEL, {0}, 0, MAC},
    {"MPLS pseudo-wire, control word", 1, mpls_pw_cw, LAY_TUNNEL, {0}, 0, MAC},
    {"PPPoE", 1, pppoe, 0, {0}, 0, MAC},
    {"HSR", 1, hsr, LAY_HSR_PRP, {0}, 0, MAC},
    {"PRP", 1, prp, LAY_HSR_PRP, {0}, 0, MAC},
    {"PRP with VLAN", 1, prp_vlan, LAY_HSR_PRP, {7}, 1, MAC},
    {"802.1ah", 1, pbb, LAY_TUNNEL, {0}, 0, MAC},
    {"VN-Tag", 1, vntag, 0, {0}, 0, MAC},
    {"Cisco MetaData", 1, cmd, 0, {0}, 0, MAC},
    {"GRE", 1, gre, LAY_TUNNEL, {0}, 0, NO_MAC},
    {"GRE, all fields", 1, gre_all, LAY_TUNNEL, {0}, 0, NO_MAC},
    {"GRE, key", 1, gre_key, LAY_TUNNEL, {0}, 0, NO_MAC},
    {"GRE, Ethernet", 1, gre_teb, LAY_TUNNEL, {0}, 0, MAC},
    {"GRE, MPLS", 1, gre_mpls, LAY_TUNNEL, {0}, 0, NO_MAC},
    {"MPLS in IP", 1, mpls_in_ip, LAY_TUNNEL, {0}, 0, NO_MAC},
    {"GRE in IPv6", 1, gre_in_6, LAY_TUNNEL, {0}, 0, NO_MAC},
    {"GRE in UDP", 1, gre_udp, LAY_TUNNEL, {0}, 0, NO_MAC},
    {"PPTP", 1, pptp, LAY_TUNNEL, {0}, 0, NO_MAC},
    {"WCCP", 1, wccp, LAY_TUNNEL, {0}, 0, NO_MAC},
    {"ERSPAN I", 1, erspan1, LAY_TUNNEL, {0}, 0, MAC},
    {"ERSPAN II", 1, erspan2, LAY_TUNNEL, {0}, 0, MAC},
    {"ERSPAN II, tag in its header", 1, erspan2_tag, LAY_TUNNEL, {7}, 1, MAC},
    {"ERSPAN III", 1, erspan3, LAY_TUNNEL, {0}, 0, MAC},
    {"ERSPAN III, subheader", 1, erspan3_sub, LAY_TUNNEL, {0}, 0, MAC},
    {"ERSPAN III, IP", 1, erspan3_ip, LAY_TUNNEL, {0}, 0, NO_MAC},
    {"VXLAN on a VLAN", 1, vxlan, LAY_TUNNEL, {0}, 0, MAC},
    {"VXLAN 8472", 1, vxlan_linux, LAY_TUNNEL, {0}, 0, MAC},
    {"VLAN in VXLAN", 1, vxlan_vlan, LAY_TUNNEL, {7}, 1, MAC},
    {"Geneve", 1, geneve, LAY_TUNNEL, {0}, 0, MAC},
    {"Geneve, options", 1, geneve_opt, LAY_TUNNEL, {0}, 0, MAC},
    {"Geneve, IP", 1, geneve_ip, LAY_TUNNEL, {0}, 0, NO_MAC},
    {"EtherIP", 1, etherip, LAY_TUNNEL, {0}, 0, MAC},
    {"IP in IP", 1, ipip, LAY_TUNNEL, {0}, 0, NO_MAC},
    {"IPv4 in IPv6", 1, four_in_six, LAY_TUNNEL, {0}, 0, NO_MAC},
    {"three tunnels of two", 1, deep, LAY_TUNNEL, {0}, 0, MAC},
    {"SLL", 113, sll, 0, {0}, 0, MAC_SRC},
    {"SLL, VLAN", 113, sll_vlan, 0, {7}, 1, MAC_SRC},
    {"SLL2", 276, sll2, 0, {0}, 0, MAC_SRC},
    {"raw 101", 101, inner_ip, 0, {0}, 0, NO_MAC},
    {"raw 12", 12, inner_ip, 0, {0}, 0, NO_MAC},
    {"raw 14", 14, inner_ip, 0, {0}, 0, NO_MAC},
    {"raw IPv4", 228, inner_ip, 0, {0}, 0, NO_MAC},
    {"null, little", 0, loop_le, 0, {0}, 0, NO_MAC},
    {"null, big", 0, loop_be, 0, {0}, 0, NO_MAC},
    {"loop", 108, loop_be, 0, {0}, 0, NO_MAC},
    {"PPP", 9, ppp, 0, {0}, 0, NO_MAC},
    {"PPP compressed", 9, ppp_short, 0, {0}, 0, NO_MAC},
    {"Cisco HDLC", 104, hdlc, 0, {0}, 0, NO_MAC},
    {"frame relay", 107, frelay, 0, {0}, 0, NO_MAC},
    {"frame relay, SNAP", 107, frelay_snap, 0, {0}, 0, NO_MAC},
    {"frame relay, Cisco", 107, frelay_cisco, 0, {0}, 0, NO_MAC},
};

static const uint8_t a4[4] = {10, 0, 0, 5}, b4[4] = {10, 0, 0, 9};

static void check_addr(const struct addr *a, const uint8_t v4[4], const char *name)
{
    struct addr want = addr_v4(v4);
    ck_assert_msg(addr_eq(a, &want), "%s: address", name);
}

static void check_text(const struct layers *l, const char *name)
{
    ck_assert_msg(l->payload_len == TEXT && l->payload_wire == TEXT, "%s: payload %u of %u", name, l->payload_len,
                  l->payload_wire);
    ck_assert_msg(memcmp(l->payload, text, TEXT) == 0, "%s: payload", name);
}

START_TEST(around_the_same_packet)
{
    const struct around *t = &arounds[_i];
    static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 5}, mac_b[6] = {2, 0, 0, 0, 0, 9}, none[6];
    t->build();
    struct layers l = run(t->linktype);
    check_addr(&l.src, a4, t->name);
    check_addr(&l.dst, b4, t->name);
    check_text(&l, t->name);
    ck_assert_msg(l.reached == REACHED_L4, "%s: reached %u", t->name, l.reached);
    ck_assert_msg(l.what == t->what, "%s: what %x", t->name, l.what);
    ck_assert_msg(l.ip_ver == 4 && l.ip_proto == 17 && l.ttl == 64, "%s: IP", t->name);
    ck_assert_msg(l.sport == 50000 && l.dport == 502, "%s: ports %u %u", t->name, l.sport, l.dport);
    ck_assert_msg(l.ethertype == 0x0800, "%s: ethertype %04x", t->name, l.ethertype);
    ck_assert_msg(l.n_vlan == t->n_vlan && l.vlan[0] == t->vlan[0] && l.vlan[1] == t->vlan[1], "%s: VLAN", t->name);
    ck_assert_msg(l.has_mac == (t->mac != NO_MAC), "%s: MAC", t->name);
    if (t->mac)
        ck_assert_msg(memcmp(l.smac, mac_a, 6) == 0, "%s: source MAC", t->name);
    if (t->mac)
        ck_assert_msg(memcmp(l.dmac, t->mac == MAC ? mac_b : none, 6) == 0, "%s: destination MAC", t->name);
    ck_assert_msg(l.icmp_type == 0 && l.seq == 0 && l.tcp_flags == 0, "%s: leftovers", t->name);
}
END_TEST

START_TEST(tunnel_facts)
{
    erspan2();
    struct layers l = run(1);
    ck_assert_uint_eq(l.erspan_seq, 0x63);
    ck_assert_uint_eq(l.erspan_session, 5);
    gre_all();
    l = run(1);
    ck_assert_uint_eq(l.erspan_seq, 0x63);
    hsr();
    l = run(1);
    ck_assert_uint_eq(l.lan_seq, 0x42);
    ck_assert_uint_eq(l.lan_id, 1);
    prp_vlan();
    l = run(1);
    ck_assert_uint_eq(l.lan_seq, 0x42);
    ck_assert_uint_eq(l.lan_id, 0xb);
}
END_TEST

START_TEST(prp_needs_its_size)
{
    prp();
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
    b_hex(&b, "11 00 010400000000"); /* destination options */
    b_hex(&b, "3c 00 0000 00000007"); /* atomic fragment */
    b_hex(&b, "2c 02 0301 00000000 20010db8000000000000000000000009"); /* routing */
    b_hex(&b, "2b 00 050200000104"); /* hop by hop */
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
    ck_assert_uint_eq(l.ethertype, 0);
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
    ck_assert_uint_eq(l.ethertype, 0);
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
    ck_assert_uint_eq(l.what & LAY_BAD_HEADER, LAY_BAD_HEADER);
    ck_assert_uint_eq(l.sport, 50000);

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

/* ---- hostile -------------------------------------------------------------------------------------------------- */

static bool sane(const struct layers *l, const uint8_t *p, uint32_t n)
{
    bool inside = !l->payload || (l->what & LAY_REASSEMBLED) || (l->payload >= p && l->payload + l->payload_len <= p + n);
    bool length = l->payload_len <= l->payload_wire && (l->payload == NULL) == (l->payload_len == 0);
    bool cut = (l->what & LAY_CUT) || l->payload_len == l->payload_wire;
    return inside && length && cut && l->n_vlan <= 2 && decode_shard(l) < N_SHARDS;
}

/* In an allocation of exactly its size, so that a read past the end is seen. */
static void run_exact(uint32_t linktype, const uint8_t *from, uint32_t n, uint32_t wire)
{
    uint8_t *p = malloc(n ? n : 1);
    if (n)
        memcpy(p, from, n);
    struct layers l = run_len(linktype, p, n, wire);
    if (!sane(&l, p, n)) /* an assertion each would be a message to the runner each */
        ck_abort_msg("link type %u, %u of %u bytes", linktype, n, wire);
    free(p);
}

START_TEST(every_prefix)
{
    const struct around *t = &arounds[_i];
    t->build();
    uint32_t n = b_len(&b);
    for (uint32_t i = 0; i <= n; i++) {
        run_exact(t->linktype, b_at(&b), i, n); /* cut by the snap length */
        run_exact(t->linktype, b_at(&b), i, i); /* the frame ended there */
    }
}
END_TEST

START_TEST(every_byte_flipped)
{
    const struct around *t = &arounds[_i];
    t->build();
    uint32_t n = b_len(&b);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t was = b_at(&b)[i];
        for (unsigned v = 0; v < 256; v += 3) {
            b_at(&b)[i] = (uint8_t)v;
            run_exact(t->linktype, b_at(&b), n, n);
        }
        b_at(&b)[i] = was;
    }
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
    vlan();
    r = run(1);
    ck_assert_uint_eq(decode_shard(&l), decode_shard(&r));
    /* fixed for ever: evictions and ids depend on it */
    ck_assert_uint_eq(decode_shard(&l), 31);
}
END_TEST

int main(void)
{
    int n = (int)(sizeof arounds / sizeof arounds[0]);
    Suite *s = suite_create("decode");
    TCase *t = tcase_create("decode");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, around_the_same_packet, 0, n);
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
    tcase_add_loop_test(t, every_prefix, 0, n);
    tcase_add_loop_test(t, every_byte_flipped, 0, n);
    tcase_add_test(t, shards);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
