/* Fragments: any order, duplicates, contradictions, time-outs, bounds, tunnels inside and outside. */
#include <check.h>

#include "engine/decode.h"
#include "tests/unit/build.h"
#include "suite.h"

enum { DATA = 3000, PIECE = 512, S = 1000000000 };

static struct decoder *decoder;
static struct build b;
static uint8_t data[70000];
static uint64_t now;

static void open_with(uint32_t datagrams, uint32_t bytes)
{
    struct decode_limits lim = {.frag_datagrams = datagrams, .frag_bytes = bytes, .batch = 2};
    decoder_free(decoder);
    decoder = decoder_new(&lim);
    ck_assert_ptr_nonnull(decoder);
}

static void set_up(void)
{
    open_with(16, 1 << 18);
    now = UINT64_C(1700000000) * S;
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + i / 256);
}

static void tear_down(void)
{
    decoder_free(decoder);
    decoder = NULL;
}

static struct layers run(void)
{
    struct pkt k = {.ts_ns = now, .data = b_at(&b), .caplen = b_len(&b), .wirelen = b_len(&b), .linktype = 1};
    struct layers l;
    decode(decoder, &k, &l);
    return l;
}

/* A UDP datagram of n bytes (header included) whose payload is data[]. */
static uint8_t *datagram(unsigned n)
{
    static struct build d;
    b_start(&d, data, n - 8);
    b_udp(&d, 50000, 502);
    return b_at(&d);
}

/* Bytes [off, off + n) of whole, the last one if !more. */
static struct layers frag4(const uint8_t *whole, unsigned off, unsigned n, bool more, unsigned id)
{
    b_start(&b, whole + off, n);
    b_ip4_full(&b, 17, IP_A, IP_B, id, (more ? 0x2000 : 0) | off / 8, 0);
    b_eth(&b, 0x0800);
    return run();
}

static struct layers frag6(const uint8_t *whole, unsigned off, unsigned n, bool more, uint32_t id)
{
    b_start(&b, whole + off, n);
    b_ip6_frag(&b, 17, off | more, id);
    b_ip6(&b, 44);
    b_eth(&b, 0x86dd);
    return run();
}

typedef struct layers frag_fn(const uint8_t *whole, unsigned off, unsigned n, bool more, unsigned id);

static struct layers piece(frag_fn *f, unsigned i, unsigned total, unsigned id)
{
    unsigned off = i * PIECE, n = total - off < PIECE ? total - off : PIECE;
    return f(datagram(total), off, n, off + n < total, id);
}

static void check_whole(const struct layers *l, unsigned total, uint32_t what)
{
    ck_assert_uint_eq(l->what, LAY_REASSEMBLED | what);
    ck_assert_uint_eq(l->reached, REACHED_L4);
    ck_assert_uint_eq(l->sport, 50000);
    ck_assert_uint_eq(l->dport, 502);
    ck_assert_uint_eq(l->ip_proto, 17);
    ck_assert_uint_eq(l->payload_len, total - 8);
    ck_assert_uint_eq(l->payload_wire, total - 8);
    ck_assert_int_eq(memcmp(l->payload, data, total - 8), 0);
}

static void check_held(const struct layers *l, uint32_t what)
{
    ck_assert_uint_eq(l->what, LAY_FRAGMENT | what);
    ck_assert_uint_eq(l->reached, REACHED_L3);
    ck_assert_uint_eq(l->ip_proto, 17);
    ck_assert_uint_eq(l->sport, 0);
}

static const struct decode_stats *stats(void)
{
    return decoder_stats(decoder);
}

static frag_fn *const versions[] = {frag4, frag6};

START_TEST(every_order)
{
    /* six pieces, all 720 orders, both versions; sizes that are and are not multiples of 8 */
    unsigned id = 0;
    for (unsigned k = 0; k < 720; k++) {
        unsigned at[6] = {0, 1, 2, 3, 4, 5}, rest = k, total = DATA - 8 * 5 + k % 9;
        frag_fn *f = versions[k % 2];
        for (unsigned n = 6; n; n--) {
            unsigned pick = rest % n, i = at[pick];
            rest /= n;
            at[pick] = at[n - 1];
            struct layers l = piece(f, i, total, id);
            if (n > 1)
                check_held(&l, 0);
            else
                check_whole(&l, total, 0);
        }
        id++;
        now += S / 1000;
    }
    ck_assert_uint_eq(stats()->reassembled, 720);
    ck_assert_uint_eq(stats()->fragments, 720 * 6);
    ck_assert_uint_eq(stats()->frag_evicted, 0);
}
END_TEST

START_TEST(largest_and_smallest)
{
    unsigned total = 65515; /* with the IP header 65,535 */
    struct layers l = {0};
    for (unsigned off = 0; off < total; off += 1480) {
        unsigned n = total - off < 1480 ? total - off : 1480;
        l = frag4(datagram(total), off, n, off + n < total, 1);
    }
    check_whole(&l, total, 0);
    frag4(datagram(9), 0, 8, true, 2);
    l = frag4(datagram(9), 8, 1, false, 2);
    check_whole(&l, 9, 0);
}
END_TEST

START_TEST(impossible)
{
    uint8_t *d = datagram(DATA);
    struct layers l = frag4(d, 0, 13, true, 1); /* not the last and not a multiple of 8 */
    check_held(&l, LAY_BAD_HEADER);
    l = frag4(d, 65528, 16, false, 1); /* beyond the largest datagram */
    check_held(&l, LAY_BAD_HEADER);
    l = frag4(d, 64, 0, true, 1);
    check_held(&l, LAY_BAD_HEADER);
    b_start(&b, d, 512);
    b_ip4_full(&b, 17, IP_A, IP_B, 2, 0x2000, 0);
    b_eth(&b, 0x0800);
    struct pkt k = {.ts_ns = now, .data = b_at(&b), .caplen = b_len(&b) - 1, .wirelen = b_len(&b), .linktype = 1};
    decode(decoder, &k, &l);
    check_held(&l, LAY_CUT);
    ck_assert_uint_eq(stats()->frag_bad, 4);
}
END_TEST

START_TEST(duplicates)
{
    struct layers l;
    for (unsigned i = 0; i < 3; i++) { /* as a SPAN port does: each twice */
        piece(frag4, i, 1500, 1);
        now += 1000;
        l = piece(frag4, i, 1500, 1);
        check_held(&l, 0);
    }
    ck_assert_uint_eq(stats()->reassembled, 1);
    ck_assert_uint_eq(stats()->frag_duplicates, 3);
    now += S / 10; /* a device whose datagrams all have one identification */
    for (unsigned i = 0; i < 3; i++)
        l = piece(frag4, i, 1500, 1);
    check_whole(&l, 1500, 0);
}
END_TEST

START_TEST(overlaps)
{
    uint8_t *d = datagram(1000), other[1000];
    memset(other, 0xee, sizeof other);
    frag4(d, 0, 512, true, 1);
    struct layers l = frag4(d, 256, 744, false, 1); /* overlaps, but says the same */
    check_whole(&l, 1000, 0);
    frag4(d, 0, 512, true, 2);
    l = frag4(other, 256, 512, true, 2);
    check_held(&l, LAY_FRAG_OVERLAP);
    l = frag4(d, 512, 488, false, 2); /* the second half of the liar came first */
    ck_assert_uint_eq(l.what, LAY_REASSEMBLED | LAY_FRAG_OVERLAP);
    ck_assert_int_eq(memcmp(l.payload, data, 504), 0);
    ck_assert_uint_eq(l.payload[512], 0xee);
    ck_assert_uint_eq(l.payload[991], data[991]);
    /* two ends: the first holds */
    frag4(d, 512, 488, false, 3);
    l = frag4(d, 512, 200, false, 3);
    check_held(&l, LAY_FRAG_OVERLAP);
    l = frag4(d, 0, 512, true, 3);
    ck_assert_uint_eq(l.what, LAY_REASSEMBLED | LAY_FRAG_OVERLAP);
    ck_assert_uint_eq(l.payload_len, 992);
    /* bytes behind the end */
    frag4(d, 0, 512, true, 4);
    frag4(d, 512, 256, true, 4);
    l = frag4(d, 512, 100, false, 4);
    check_held(&l, LAY_FRAG_OVERLAP);
    ck_assert_uint_eq(stats()->frag_overlaps, 4);
}
END_TEST

START_TEST(what_differs_does_not_mix)
{
    piece(frag4, 0, 1000, 1);
    struct layers l = piece(frag4, 1, 1000, 2);
    check_held(&l, 0);
    l = piece(frag6, 1, 1000, 1);
    check_held(&l, 0);
    b_start(&b, datagram(1000) + PIECE, 1000 - PIECE);
    b_ip4_full(&b, 6, IP_A, IP_B, 1, PIECE / 8, 0); /* another protocol */
    b_eth(&b, 0x0800);
    l = run();
    ck_assert_uint_eq(l.what, LAY_FRAGMENT);
    b_start(&b, datagram(1000) + PIECE, 1000 - PIECE);
    b_ip4_full(&b, 17, IP_A, IP_B, 1, PIECE / 8, 0);
    b_vlan(&b, 7, 0x0800); /* one half came by a trunk */
    b_eth(&b, 0x8100);
    l = run();
    check_whole(&l, 1000, 0);
}
END_TEST

START_TEST(time_out)
{
    piece(frag4, 0, 1000, 1);
    now += (uint64_t)31 * S;
    struct layers l = piece(frag4, 1, 1000, 1);
    check_held(&l, 0);
    ck_assert_uint_eq(stats()->frag_timeout, 1);
    l = piece(frag4, 0, 1000, 1); /* the late half is a new datagram's */
    check_whole(&l, 1000, 0);
    piece(frag4, 0, 1000, 2);
    now -= (uint64_t)3600 * S; /* captures jump */
    l = piece(frag4, 1, 1000, 2);
    check_held(&l, 0);
    ck_assert_uint_eq(stats()->frag_timeout, 2);
}
END_TEST

START_TEST(bounds)
{
    open_with(4, 0);
    for (unsigned id = 1; id <= 5; id++)
        piece(frag4, 0, 1000, id);
    ck_assert_uint_eq(stats()->frag_evicted, 1);
    struct layers l = piece(frag4, 1, 1000, 1); /* the oldest one went; its other half evicts the next */
    check_held(&l, 0);
    l = piece(frag4, 1, 1000, 3);
    check_whole(&l, 1000, 0);
    l = piece(frag4, 1, 1000, 2);
    check_held(&l, 0);
    /* the bytes of one largest datagram: two half ones fit, a third evicts */
    open_with(16, 0);
    for (unsigned id = 1; id <= 3; id++)
        for (unsigned off = 0; off < 40000; off += 8000)
            frag4(datagram(60000), off, 8000, true, id);
    ck_assert_uint_eq(stats()->frag_evicted, 2);
    l = (struct layers){0};
    for (unsigned off = 40000; off < 60000; off += 4000)
        l = frag4(datagram(60000), off, 4000, off + 4000 < 60000, 3);
    check_whole(&l, 60000, 0);
}
END_TEST

START_TEST(flood)
{
    open_with(8, 1 << 16);
    uint32_t x = 1;
    for (unsigned i = 0; i < 20000; i++) {
        x = x * 1664525 + 1013904223;
        now += x >> 12;
        struct layers l =
            versions[x >> 31](data, (x >> 8 & 0xff) * 8 + 8, (x >> 16 & 0x1f) * 8 + 8, x & 1, x >> 20 & 0x1f);
        ck_assert_uint_le(l.payload_len, l.payload_wire);
    }
    ck_assert_uint_gt(stats()->frag_evicted, 0);
    ck_assert_uint_eq(stats()->fragments, 20000);
    struct layers l;
    for (unsigned i = 0; i < 2; i++)
        l = piece(frag4, i, 1000, 9999);
    check_whole(&l, 1000, 0);
}
END_TEST

START_TEST(two_runs_agree)
{
    uint64_t sums[2] = {0};
    for (unsigned r = 0; r < 2; r++) {
        open_with(8, 1 << 16);
        now = 0;
        uint32_t x = 7;
        for (unsigned i = 0; i < 5000; i++) {
            x = x * 1664525 + 1013904223;
            now += x >> 8;
            struct layers l = frag4(data, (x >> 8 & 0xf) * 64, (x >> 16 & 0x1f) * 8 + 8, x >> 30, x >> 20 & 0x1f);
            sums[r] = sums[r] * 31 + l.what + l.payload_len;
        }
    }
    ck_assert_uint_eq(sums[0], sums[1]);
}
END_TEST

/* The outer packet of a tunnel was too long for the path. */
START_TEST(fragmented_tunnel)
{
    static struct build out;
    b_start(&out, data, 1400);
    b_udp(&out, 50000, 502);
    b_ip4(&out, 17);
    b_eth(&out, 0x0800);
    b_hex(&out, "08000000 00000700");
    b_udp(&out, 50001, 4789);
    struct layers l = frag4(b_at(&out), 800, b_len(&out) - 800, false, 1);
    check_held(&l, 0);
    l = frag4(b_at(&out), 0, 800, true, 1);
    check_whole(&l, 1408, LAY_TUNNEL);
    ck_assert_uint_eq(l.has_mac, 1);
}
END_TEST

/* Fragments inside the tunnel, whose outer packets are fragments too: one decode reassembles twice. */
START_TEST(fragments_in_fragments)
{
    static struct build out;
    struct layers l;
    for (unsigned i = 0; i < 2; i++) {
        unsigned n = i ? 3000 - 1600 : 1600;
        b_start(&out, datagram(3000) + i * 1600, n);
        b_ip4_full(&out, 17, 0x01010101, 0x02020202, 77, i ? 1600 / 8 : 0x2000, 0);
        b_hex(&out, "0000 0800");
        const uint8_t *p = b_at(&out);
        for (unsigned off = 0; off < b_len(&out); off += 800) {
            unsigned m = b_len(&out) - off < 800 ? b_len(&out) - off : 800;
            b_start(&b, p + off, m);
            b_ip4_full(&b, 47, IP_A, IP_B, 5 + i, (off + m < b_len(&out) ? 0x2000 : 0) | off / 8, 0);
            b_eth(&b, 0x0800);
            l = run();
        }
    }
    check_whole(&l, 3000, LAY_TUNNEL);
    ck_assert_uint_eq(l.src.b[12], 1);
}
END_TEST

/* RFC 8200 4.5: what follows the fragment header may be another extension header. */
START_TEST(extension_behind_the_fragment_header)
{
    static struct build out;
    memcpy(&out.room[BUILD_MAX - 1000], datagram(1000), 1000);
    out.head = BUILD_MAX - 1000;
    b_hex(&out, "11 00 010400000000");
    struct layers l;
    for (unsigned off = 0; off < 1008; off += 504) {
        b_start(&b, b_at(&out) + off, 504);
        b_ip6_frag(&b, 60, off | (off == 0), 9);
        b_ip6(&b, 44);
        b_eth(&b, 0x86dd);
        l = run();
    }
    check_whole(&l, 1000, 0);
}
END_TEST

START_TEST(kept_for_a_batch)
{
    struct layers l[2];
    piece(frag4, 0, 1000, 1);
    piece(frag4, 0, 900, 2);
    l[0] = piece(frag4, 1, 1000, 1); /* decode_limits.batch is 2 */
    l[1] = piece(frag4, 1, 900, 2);
    ck_assert_ptr_ne(l[0].payload, l[1].payload);
    check_whole(&l[0], 1000, 0);
    check_whole(&l[1], 900, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("defrag");
    TCase *t = tcase_create("defrag");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, every_order);
    tcase_add_test(t, largest_and_smallest);
    tcase_add_test(t, impossible);
    tcase_add_test(t, duplicates);
    tcase_add_test(t, overlaps);
    tcase_add_test(t, what_differs_does_not_mix);
    tcase_add_test(t, time_out);
    tcase_add_test(t, bounds);
    tcase_add_test(t, flood);
    tcase_add_test(t, two_runs_agree);
    tcase_add_test(t, fragmented_tunnel);
    tcase_add_test(t, fragments_in_fragments);
    tcase_add_test(t, extension_behind_the_fragment_header);
    tcase_add_test(t, kept_for_a_batch);
    suite_add_tcase(s, t);
    return suite_end(s);
}
