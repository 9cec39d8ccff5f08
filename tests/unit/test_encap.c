/* Every encapsulation around the same inner packet, every prefix of it, and every byte of it changed. */
#include "tests/unit/decode_fixture.h"

/* A recipe is a list of headers from the inside out, arguments in hex: see the table. */
typedef void recipe_fn(unsigned a, unsigned c);

static void r_udp(unsigned a, unsigned c)
{
    (void)a, (void)c;
    inner_udp();
}

static void r_ip(unsigned a, unsigned c)
{
    (void)c;
    b_ip4(&b, a ? a : 17);
}

static void r_ip_options(unsigned a, unsigned c)
{
    (void)a, (void)c;
    b_ip4_full(&b, 17, IP_A, IP_B, 1, 0, 40);
}

static void r_ip_out(unsigned a, unsigned c)
{
    (void)c;
    b_ip4_out(&b, a);
}

static void r_out(unsigned a, unsigned c)
{
    (void)c;
    eth_out(a);
}

static void r_out6(unsigned a, unsigned c)
{
    (void)c;
    b_ip6_any(&b, a, 1);
    b_eth(&b, 0x86dd);
}

static void r_eth(unsigned a, unsigned c)
{
    (void)c;
    b_eth(&b, a);
}

static void r_eth_length(unsigned a, unsigned c)
{
    (void)a, (void)c;
    b_eth(&b, b_len(&b));
}

static void r_pad(unsigned a, unsigned c)
{
    (void)a, (void)c;
    b_post(&b, "padding!", 8);
}

static void r_vlan(unsigned a, unsigned c)
{
    b_vlan(&b, a, c);
}

static void r_port(unsigned a, unsigned c)
{
    (void)c;
    b_udp(&b, 50001, a);
}

static void r_length(unsigned a, unsigned c)
{
    (void)a, (void)c;
    uint8_t n[2];
    b_set16(n, b_len(&b));
    b_pre(&b, n, 2);
}

static void r_pptp(unsigned a, unsigned c)
{
    (void)a, (void)c;
    uint8_t h[16] = {0x30, 0x81, 0x88, 0x0b, 0, 0, 0, 1};
    b_set16(h + 4, b_len(&b));
    b_pre(&b, h, 16);
}

/* a: the LAN in the highest four bits */
static void r_prp(unsigned a, unsigned c)
{
    (void)c;
    uint8_t t[6] = {0, 0x42, 0, 0, 0x88, 0xfb};
    b_set16(t + 2, a | (b_len(&b) + 6));
    b_post(&b, t, 6);
}

static const struct clause {
    const char *name;
    recipe_fn *fn;
} clauses[] = {
    {"udp", r_udp},
    {"ip", r_ip},
    {"ip-options", r_ip_options},
    {"ip-out", r_ip_out},
    {"out", r_out},
    {"out6", r_out6},
    {"eth", r_eth},
    {"eth-length", r_eth_length},
    {"pad", r_pad},
    {"vlan", r_vlan},
    {"port", r_port},
    {"length", r_length},
    {"pptp", r_pptp},
    {"prp", r_prp},
};

static void build_clause(char *clause)
{
    char *name = strtok_r(clause, " ", &clause);
    if (strcmp(name, "x") == 0) {
        b_hex(&b, clause);
        return;
    }
    unsigned a = (unsigned)strtoul(clause, &clause, 16), c = (unsigned)strtoul(clause, NULL, 16);
    for (unsigned i = 0; i < sizeof clauses / sizeof clauses[0]; i++) {
        if (strcmp(name, clauses[i].name) == 0) {
            clauses[i].fn(a, c);
            return;
        }
    }
    ck_abort_msg("no clause %s", name);
}

static void build(const char *recipe)
{
    char text_of[512], *rest = text_of, *clause;
    ck_assert_uint_lt(strlen(recipe), sizeof text_of);
    strcpy(text_of, recipe);
    while ((clause = strtok_r(rest, ";", &rest)))
        build_clause(clause);
}

enum { NO_MAC = 0, MAC = 1, MAC_SRC = 2 };

static const struct around {
    const char *name;
    uint32_t linktype;
    const char *recipe;
    uint32_t what;
    uint16_t vlan[2];
    uint8_t n_vlan, mac;
} arounds[] = {
    {"plain", 1, "udp; ip; eth 800", 0, {0}, 0, MAC},
    {"IPv4 options", 1, "udp; ip-options; eth 800", 0, {0}, 0, MAC},
    {"AH", 1, "udp; x 11 04 0000 00000001 00000001 00112233445566778899aabb; ip 33; eth 800", 0, {0}, 0, MAC},
    {"VLAN", 1, "udp; ip; vlan 6007 800; eth 8100", 0, {7}, 1, MAC},
    {"priority tag", 1, "udp; ip; vlan c000 800; eth 8100", 0, {0}, 0, MAC},
    {"QinQ", 1, "udp; ip; vlan 8 800; vlan 7 8100; eth 88a8", 0, {7, 8}, 2, MAC},
    {"QinQ 9100", 1, "udp; ip; vlan 8 800; vlan 7 8100; eth 9100", 0, {7, 8}, 2, MAC},
    {"three tags", 1, "udp; ip; vlan 9 800; vlan 8 8100; vlan 7 8100; eth 8100", 0, {7, 8}, 2, MAC},
    {"SNAP", 1, "udp; ip; x aaaa03 000000 0800; eth-length", 0, {0}, 0, MAC},
    {"SNAP bridge-tunnel", 1, "udp; ip; x aaaa03 0000f8 0800; eth-length", 0, {0}, 0, MAC},
    {"SNAP padded", 1, "udp; ip; x aaaa03 000000 0800; eth-length; pad", 0, {0}, 0, MAC},
    {"MPLS", 1, "udp; ip; x 00064140; eth 8847", 0, {0}, 0, MAC},
    {"MPLS, three labels", 1, "udp; ip; x 00064040 00065040 00066140; eth 8847", 0, {0}, 0, MAC},
    {"MPLS pseudo-wire", 1, "udp; ip; eth 800; x 00064140; eth 8847", LAY_TUNNEL, {0}, 0, MAC},
    {"MPLS pseudo-wire, control word", 1, "udp; ip; eth 800; x 00064140 00000000; eth 8847", LAY_TUNNEL, {0}, 0, MAC},
    {"MPLS pseudo-wire, padded", 1, "udp; ip; eth 800; pad; x 00064140; eth 8847", LAY_TUNNEL, {0}, 0, MAC},
    {"MPLS pseudo-wire, VLAN", 1, "udp; ip; vlan 7 800; eth 8100; x 00064140; eth 8847", LAY_TUNNEL, {7}, 1, MAC},
    {"MPLS pseudo-wire, SNAP",
     1,
     "udp; ip; x aaaa03 000000 0800; eth-length; x 00064140; eth 8847",
     LAY_TUNNEL,
     {0},
     0,
     MAC},
    {"MPLS pseudo-wire, control word, counted",
     1,
     "udp; ip; eth 800; pad; x 00064140 00000007; eth 8847",
     LAY_TUNNEL,
     {0},
     0,
     MAC},
    {"MPLS pseudo-wire, control word, VLAN",
     1,
     "udp; ip; vlan 7 800; eth 8100; x 00064140 00000007; eth 8847",
     LAY_TUNNEL,
     {7},
     1,
     MAC},
    {"MPLS pseudo-wire, control word, SNAP",
     1,
     "udp; ip; x aaaa03 000000 0800; eth-length; x 00064140 00000007; eth 8847",
     LAY_TUNNEL,
     {0},
     0,
     MAC},
    {"PPPoE", 1, "udp; ip; x 0021; length; x 1100 0001; eth 8864", 0, {0}, 0, MAC},
    {"HSR", 1, "udp; ip; x 1034 0042 0800; eth 892f", LAY_HSR_PRP, {0}, 0, MAC},
    {"PRP", 1, "udp; ip; prp a000; eth 800", LAY_HSR_PRP, {0}, 0, MAC},
    {"PRP with VLAN", 1, "udp; ip; prp b000; vlan 7 800; eth 8100", LAY_HSR_PRP, {7}, 1, MAC},
    {"802.1ah", 1, "udp; ip; eth 800; x 00000017; eth 88e7", LAY_TUNNEL, {0}, 0, MAC},
    {"VN-Tag", 1, "udp; ip; x 00010002 0800; eth 8926", 0, {0}, 0, MAC},
    {"Cisco MetaData", 1, "udp; ip; x 0101 0001 0007 0800; eth 8909", 0, {0}, 0, MAC},
    {"GRE", 1, "udp; ip; x 0000 0800; out 2f", LAY_TUNNEL, {0}, 0, NO_MAC},
    {"GRE, all fields",
     1,
     "udp; ip; x f000 0800 1234 0000 00000007 00000063 0002 00 04 01020304 0000 00 00; out 2f",
     LAY_TUNNEL,
     {0},
     0,
     NO_MAC},
    {"GRE, key", 1, "udp; ip; x 2000 0800 00000007; out 2f", LAY_TUNNEL, {0}, 0, NO_MAC},
    {"GRE, Ethernet", 1, "udp; ip; eth 800; x 0000 6558; out 2f", LAY_TUNNEL, {0}, 0, MAC},
    {"GRE, MPLS", 1, "udp; ip; x 0000 8847 00064140; out 2f", LAY_TUNNEL, {0}, 0, NO_MAC},
    {"MPLS in IP", 1, "udp; ip; x 00064140; out 89", LAY_TUNNEL, {0}, 0, NO_MAC},
    {"GRE in IPv6", 1, "udp; ip; x 0000 0800; out6 2f", LAY_TUNNEL, {0}, 0, NO_MAC},
    {"GRE in UDP", 1, "udp; ip; x 0000 0800; port 1292; out 11", LAY_TUNNEL, {0}, 0, NO_MAC},
    {"PPTP", 1, "udp; ip; x ff03 0021; pptp; out 2f", LAY_TUNNEL, {0}, 0, NO_MAC},
    {"WCCP", 1, "udp; ip; x 0000 883e 00010203; out 2f", LAY_TUNNEL, {0}, 0, NO_MAC},
    {"ERSPAN I", 1, "udp; ip; eth 800; x 0000 88be; out 2f", LAY_TUNNEL, {0}, 0, MAC},
    {"ERSPAN II", 1, "udp; ip; eth 800; x 1000 88be 00000063 1000 0005 00000000; out 2f", LAY_TUNNEL, {0}, 0, MAC},
    {"ERSPAN II, tag in its header",
     1,
     "udp; ip; eth 800; x 1000 88be 00000063 1007 1005 00000000; out 2f",
     LAY_TUNNEL,
     {7},
     1,
     MAC},
    {"ERSPAN III",
     1,
     "udp; ip; eth 800; x 1000 22eb 00000063 2000 0005 01020304 0000 0000; out 2f",
     LAY_TUNNEL,
     {0},
     0,
     MAC},
    {"ERSPAN III, subheader",
     1,
     "udp; ip; eth 800; x 1000 22eb 00000063 2000 0005 01020304 0000 0001 0102030405060708; out 2f",
     LAY_TUNNEL,
     {0},
     0,
     MAC},
    {"ERSPAN III, IP",
     1,
     "udp; ip; x 1000 22eb 00000063 2000 0005 01020304 0000 0800; out 2f",
     LAY_TUNNEL,
     {0},
     0,
     NO_MAC},
    {"VXLAN on a VLAN",
     1,
     "udp; ip; eth 800; x 08000000 00000700; port 12b5; ip-out 11; vlan 63 800; eth 8100",
     LAY_TUNNEL,
     {0},
     0,
     MAC},
    {"VXLAN 8472", 1, "udp; ip; eth 800; x 08000000 00000700; port 2118; out 11", LAY_TUNNEL, {0}, 0, MAC},
    {"VLAN in VXLAN",
     1,
     "udp; ip; vlan 7 800; eth 8100; x 08000000 00000700; port 12b5; out 11",
     LAY_TUNNEL,
     {7},
     1,
     MAC},
    {"Geneve", 1, "udp; ip; eth 800; x 0000 6558 00000700; port 17c1; out 11", LAY_TUNNEL, {0}, 0, MAC},
    {"Geneve, options",
     1,
     "udp; ip; eth 800; x 0200 6558 00000700 0102030405060708; port 17c1; out 11",
     LAY_TUNNEL,
     {0},
     0,
     MAC},
    {"Geneve, IP", 1, "udp; ip; x 0000 0800 00000700; port 17c1; out 11", LAY_TUNNEL, {0}, 0, NO_MAC},
    {"EtherIP", 1, "udp; ip; eth 800; x 3000; out 61", LAY_TUNNEL, {0}, 0, MAC},
    {"IP in IP", 1, "udp; ip; out 4", LAY_TUNNEL, {0}, 0, NO_MAC},
    {"IPv4 in IPv6", 1, "udp; ip; out6 4", LAY_TUNNEL, {0}, 0, NO_MAC},
    {"three tunnels of two",
     1,
     "udp; ip; eth 800; x 0000 6558; ip-out 2f; out 4; x 0000 6558; ip-out 2f; out 4; x 0000 6558; ip-out 2f; out 4",
     LAY_TUNNEL,
     {0},
     0,
     MAC},
    {"SLL", 113, "udp; ip; x 0000 0001 0006 020000000005 0000 0800", 0, {0}, 0, MAC_SRC},
    {"SLL, VLAN", 113, "udp; ip; vlan 7 800; x 0000 0001 0006 020000000005 0000 8100", 0, {7}, 1, MAC_SRC},
    {"SLL2", 276, "udp; ip; x 0800 0000 00000002 0001 00 06 020000000005 0000", 0, {0}, 0, MAC_SRC},
    {"raw 101", 101, "udp; ip", 0, {0}, 0, NO_MAC},
    {"raw 12", 12, "udp; ip", 0, {0}, 0, NO_MAC},
    {"raw 14", 14, "udp; ip", 0, {0}, 0, NO_MAC},
    {"raw IPv4", 228, "udp; ip", 0, {0}, 0, NO_MAC},
    {"null, little", 0, "udp; ip; x 02000000", 0, {0}, 0, NO_MAC},
    {"null, big", 0, "udp; ip; x 00000002", 0, {0}, 0, NO_MAC},
    {"loop", 108, "udp; ip; x 00000002", 0, {0}, 0, NO_MAC},
    {"PPP", 9, "udp; ip; x ff03 0021", 0, {0}, 0, NO_MAC},
    {"PPP compressed", 9, "udp; ip; x 21", 0, {0}, 0, NO_MAC},
    {"Cisco HDLC", 104, "udp; ip; x 0f00 0800", 0, {0}, 0, NO_MAC},
    {"frame relay", 107, "udp; ip; x 1841 03 cc", 0, {0}, 0, NO_MAC},
    {"frame relay, SNAP", 107, "udp; ip; x 1841 03 00 80 000000 0800", 0, {0}, 0, NO_MAC},
    {"frame relay, Cisco", 107, "udp; ip; x 1841 0800", 0, {0}, 0, NO_MAC},
};

START_TEST(around_the_same_packet)
{
    const struct around *t = &arounds[_i];
    static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 5}, mac_b[6] = {2, 0, 0, 0, 0, 9}, none[6];
    build(t->recipe);
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

/* ---- hostile -------------------------------------------------------------------------------------------------- */

static bool sane(const struct layers *l, const uint8_t *p, uint32_t n)
{
    bool inside =
        !l->payload || (l->what & LAY_REASSEMBLED) || (l->payload >= p && l->payload + l->payload_len <= p + n);
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
    build(t->recipe);
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
    build(t->recipe);
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

int main(void)
{
    int n = (int)(sizeof arounds / sizeof arounds[0]);
    Suite *s = suite_create("encap");
    TCase *t = tcase_create("encap");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, around_the_same_packet, 0, n);
    tcase_add_loop_test(t, every_prefix, 0, n);
    tcase_add_loop_test(t, every_byte_flipped, 0, n);
    suite_add_tcase(s, t);
    return run_suite(s);
}
