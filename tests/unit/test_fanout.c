/* The program that the kernel spreads packets by: the same shard as decoding finds, or 0 where it cannot tell. */
#include "tests/unit/decode_fixture.h"

#include <linux/filter.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/fanout.h"
#include "engine/decode.h"

static struct sock_filter code[FANOUT_MOST];
static unsigned n_code;

/* What the kernel has of a frame when it asks the program: the first tag taken off, the protocol known. */
struct skb {
    uint8_t bytes[2048];
    unsigned n;
    uint16_t protocol;
};

static struct skb received(const uint8_t *p, unsigned n)
{
    struct skb s = {.n = n};
    memcpy(s.bytes, p, n);
    unsigned type = n >= 14 ? (unsigned)(p[12] << 8 | p[13]) : 0;
    if ((type == 0x8100 || type == 0x88a8) && n >= 18) {
        memmove(s.bytes + 12, s.bytes + 16, n - 16);
        s.n = n - 4;
        type = (unsigned)(s.bytes[12] << 8 | s.bytes[13]);
    }
    if (type < 0x600) /* eth_type_trans(): ETH_P_802_3, ETH_P_802_2 */
        type = s.n >= 16 && s.bytes[14] == 0xff && s.bytes[15] == 0xff ? 1 : 4;
    s.protocol = (uint16_t)type;
    return s;
}

/* Loads in the language of linux/filter.h; false: beyond the packet. */
static bool load(const struct skb *s, uint32_t k, unsigned size, uint32_t *ret)
{
    int32_t off = (int32_t)k;
    if (off == SKF_AD_OFF + SKF_AD_PROTOCOL) {
        *ret = s->protocol;
        return true;
    }
    ck_assert_msg(off < SKF_AD_OFF, "an offset from an unknown place: %d", off);
    int64_t at = off >= SKF_NET_OFF ? 14 + (off - SKF_NET_OFF) : off - SKF_LL_OFF;
    if (at < 0 || at + size > s->n)
        return false;
    *ret = 0;
    for (unsigned i = 0; i < size; i++)
        *ret = *ret << 8 | s->bytes[at + i];
    return true;
}

static uint32_t alu(unsigned op, uint32_t a, uint32_t v)
{
    switch (op) {
    case BPF_ADD: return a + v;
    case BPF_MUL: return a * v;
    case BPF_AND: return a & v;
    case BPF_OR: return a | v;
    case BPF_XOR: return a ^ v;
    case BPF_LSH: return a << v;
    case BPF_RSH: return a >> v;
    default: ck_abort_msg("operation %x", op);
    }
}

static uint32_t interpret(const struct skb *s)
{
    uint32_t a = 0, x = 0, m[BPF_MEMWORDS] = {0};
    for (unsigned pc = 0; pc < n_code; pc++) {
        const struct sock_filter *i = &code[pc];
        unsigned size = BPF_SIZE(i->code) == BPF_W ? 4 : BPF_SIZE(i->code) == BPF_H ? 2 : 1;
        uint32_t v = BPF_SRC(i->code) == BPF_X ? x : i->k;
        switch (BPF_CLASS(i->code)) {
        case BPF_LD:
            if (BPF_MODE(i->code) == BPF_MEM)
                a = m[i->k];
            else if (!load(s, BPF_MODE(i->code) == BPF_IND ? i->k + x : i->k, size, &a))
                return 0;
            break;
        case BPF_LDX: x = BPF_MODE(i->code) == BPF_MEM ? m[i->k] : i->k; break;
        case BPF_ST: m[i->k] = a; break;
        case BPF_ALU: a = alu(BPF_OP(i->code), a, v); break;
        case BPF_MISC: BPF_MISCOP(i->code) == BPF_TAX ? (x = a) : (a = x); break;
        case BPF_RET: return BPF_RVAL(i->code) == BPF_A ? a : i->k;
        default: {
            bool yes = BPF_OP(i->code) == BPF_JEQ   ? a == v
                       : BPF_OP(i->code) == BPF_JGE ? a >= v
                                                    : a > v;
            pc += BPF_OP(i->code) == BPF_JA ? i->k : yes ? i->jt : i->jf;
        }
        }
    }
    ck_abort_msg("the program has no end");
}

static uint32_t kernel_says(void)
{
    struct skb s = received(b_at(&b), b_len(&b));
    return interpret(&s);
}

/* More than one address: a shard that is 0 by chance would say nothing. */
static void vary(unsigned i)
{
    b_at(&b)[11] = (uint8_t)i; /* the sender's MAC */
}

static unsigned said; /* packets whose shard was told and is not 0 */

static void agree(const char *what)
{
    struct layers l = run(1);
    uint32_t is = kernel_says();
    ck_assert_msg(is == decode_shard(&l), "%s: the kernel says %u, decoding %u", what, is, decode_shard(&l));
    said += is != 0;
}

static void hidden(const char *what)
{
    uint32_t is = kernel_says();
    ck_assert_msg(is == 0, "%s: the kernel says %u", what, is);
}

static void ip4_of(unsigned i, unsigned proto)
{
    b_ip4_full(&b, proto, IP_A + i, IP_B + i * 3, 1, 0, 0);
}

START_TEST(plain)
{
    said = 0;
    for (unsigned i = 0; i < 64; i++) {
        inner_udp(), ip4_of(i, 17), b_eth(&b, 0x0800), agree("IPv4");
        b_start(&b, text, TEXT), b_tcp(&b, 1, 502, 1, 0), ip4_of(i, 6), b_eth(&b, 0x0800), agree("TCP");
        inner_udp(), b_ip4_full(&b, 17, IP_A + i, IP_B, 1, 0, 40), b_eth(&b, 0x0800), agree("IPv4 with options");
        inner_udp(), ip4_of(i, 17), b_vlan(&b, i, 0x0800), b_eth(&b, 0x8100), agree("a tag");
        inner_udp(), ip4_of(i, 17), b_vlan(&b, i, 0x0800), b_vlan(&b, 7, 0x8100), b_eth(&b, 0x88a8), agree("two tags");
        inner_udp(), ip4_of(i, 17), b_vlan(&b, i, 0x0800), b_vlan(&b, 7, 0x8100), b_vlan(&b, 9, 0x8100),
            b_eth(&b, 0x88a8), agree("three tags");
        inner_udp(), b_ip4_full(&b, 17, IP_A + i, 0xe0000005, 1, 0, 0), b_eth(&b, 0x0800), agree("to a group");
        inner_udp(), b_ip4_full(&b, 17, IP_A + i, 0xffffffff, 1, 0, 0), b_eth(&b, 0x0800), agree("to all");
        inner_udp(), b_ip6(&b, 17), b_at(&b)[23] = (uint8_t)i, b_eth(&b, 0x86dd), agree("IPv6");
        inner_udp(), b_ip6(&b, 17), b_at(&b)[23] = (uint8_t)i, b_at(&b)[24] = 0xff, b_eth(&b, 0x86dd),
            agree("IPv6 to a group");
        b_start(&b, text, TEXT), b_eth(&b, 0x88b8), vary(i), agree("layer 2");
        b_at(&b)[0] = 1, agree("layer 2 to a group");
        b_start(&b, "\x42\x42\x03xxxxxxxx", 11), b_eth(&b, 11), vary(i), agree("802.2");
        b_start(&b, "\xff\xff\x00xxxxxxxx", 11), b_eth(&b, 11), vary(i), agree("802.3");
        b_start(&b, text, TEXT), b_vlan(&b, 7, 0x88b8), b_eth(&b, 0x8100), vary(i), agree("layer 2 with a tag");
    }
    ck_assert_uint_gt(said, 64 * 14);
}
END_TEST

START_TEST(arp)
{
    said = 0;
    for (unsigned i = 0; i < 64; i++) {
        b_start(&b, "\0\1\x08\0\6\4\0\1\2\2\2\2\2\2\x0a\0\0\1\0\0\0\0\0\0\x0a\0\0\2", 28);
        b_at(&b)[17] = (uint8_t)i;
        b_eth(&b, 0x0806), agree("ARP");
        b_at(&b)[14] = 9, vary(i), agree("ARP of other hardware");
    }
    ck_assert_uint_gt(said, 120);
}
END_TEST

/* The second one of a datagram has no ports, and must go where the first one goes. */
START_TEST(fragments)
{
    uint32_t first = 0;
    for (unsigned off = 0; off < 3; off++) {
        b_start(&b, text, TEXT), b_udp(&b, 4789, 4789), b_ip4_full(&b, 17, IP_A, IP_B, 7, off | 0x2000, 0),
            b_eth(&b, 0x0800);
        if (!off)
            first = kernel_says();
        ck_assert_uint_ne(kernel_says(), 0);
        ck_assert_uint_eq(kernel_says(), first);
    }
    inner_ip(), b_eth(&b, 0x0800);
    ck_assert_uint_eq(kernel_says(), first);
    b_start(&b, text, TEXT), b_ip6_frag(&b, 17, 1, 7), b_ip6(&b, 44), b_eth(&b, 0x86dd);
    first = kernel_says();
    inner_udp(), b_ip6(&b, 17), b_eth(&b, 0x86dd);
    ck_assert_uint_eq(kernel_says(), first);
}
END_TEST

START_TEST(tunnels)
{
    static const unsigned protos[] = {4, 41, 47, 51, 97, 137}, ports[] = {4789, 8472, 6081, 4754};
    static const unsigned types[] = {0x8847, 0x8848, 0x8864, 0x88e7, 0x8926, 0x8909, 0xd28b};
    for (unsigned i = 0; i < ARRAY_LEN(protos); i++)
        inner_ip(), eth_out(protos[i]), hidden("an IP protocol");
    for (unsigned i = 0; i < ARRAY_LEN(ports); i++) {
        inner_eth(), b_udp(&b, 9, ports[i]), eth_out(17), hidden("a UDP port");
        inner_eth(), b_udp(&b, 9, ports[i]), b_ip6(&b, 17), b_eth(&b, 0x86dd), hidden("a UDP port over IPv6");
    }
    for (unsigned i = 0; i < ARRAY_LEN(types); i++)
        inner_ip(), b_eth(&b, types[i]), hidden("an EtherType");
    inner_ip(), b_pre(&b, "\xaa\xaa\x03\0\0\0\x08\0", 8), b_eth(&b, b_len(&b)), hidden("SNAP");
    inner_udp(), b_pre(&b, "\x11\0\0\0\0\0\0\0", 8), b_ip6(&b, 0), b_eth(&b, 0x86dd), hidden("hop by hop");
}
END_TEST

/* Cut anywhere, changed anywhere: it ends, and tells a shard. */
START_TEST(any_bytes)
{
    uint32_t r = 1;
    for (unsigned n = 0; n < 20000; n++) {
        n % 2 ? inner_eth() : (inner_udp(), b_ip6(&b, 17), b_eth(&b, 0x86dd));
        for (unsigned k = 0; k < 3; k++) {
            r = r * 1664525 + 1013904223;
            b_at(&b)[(r >> 16) % b_len(&b)] = (uint8_t)(r >> 8);
        }
        struct skb s = received(b_at(&b), 14 + (r >> 12) % (b_len(&b) - 13));
        ck_assert_uint_lt(interpret(&s), N_SHARDS);
    }
}
END_TEST

START_TEST(the_kernel_takes_it)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sock_fprog p = {.len = (unsigned short)n_code, .filter = code};
    ck_assert_msg(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p) == 0, "refused: %s", strerror(errno));
    close(fd);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("fanout");
    TCase *t = tcase_create("fanout");
    n_code = fanout_program(code);
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, plain);
    tcase_add_test(t, arp);
    tcase_add_test(t, fragments);
    tcase_add_test(t, tunnels);
    tcase_add_test(t, any_bytes);
    tcase_add_test(t, the_kernel_takes_it);
    suite_add_tcase(s, t);
    return run_suite(s);
}
