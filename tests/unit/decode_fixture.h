/* decode_fixture.h: what the tests of decoding share: a decoder, one packet being built, one way to decode it. */
#pragma once

#include <check.h>

#include "engine/base/limits.h"
#include "engine/decode_impl.h"
#include "tests/unit/build.h"

static const char text[] = "read holding"; /* 12 bytes of payload, without the final 0 */
enum { TEXT = sizeof text - 1 };

static struct decoder *decoder;
static struct build b;

static inline void set_up(void)
{
    static const struct decode_limits lim = {.frag_datagrams = 8, .frag_bytes = 1 << 18, .batch = 1};
    decoder = decoder_new(&lim);
    ck_assert_ptr_nonnull(decoder);
}

static inline void tear_down(void)
{
    decoder_free(decoder);
}

static inline struct layers run_len(uint32_t linktype, const uint8_t *p, uint32_t caplen, uint32_t wirelen)
{
    struct pkt k = {.ts_ns = 1000, .data = p, .caplen = caplen, .wirelen = wirelen, .linktype = linktype, .frame = 1};
    struct layers l;
    memset(&l, 0xa5, sizeof l); /* decode writes all of it */
    decode(decoder, &k, &l);
    if (!l.what && l.reached == REACHED_L4) { /* the short way of plain packets and the walk agree */
        struct layers walked;
        memset(&walked, 0x5a, sizeof walked);
        decode_walk(decoder, &k, &walked);
        ck_assert_mem_eq(&l, &walked, sizeof l);
    }
    return l;
}

static inline struct layers run(uint32_t linktype)
{
    return run_len(linktype, b_at(&b), b_len(&b), b_len(&b));
}

static inline void inner_udp(void)
{
    b_start(&b, text, TEXT);
    b_udp(&b, 50000, 502);
}

static inline void inner_ip(void)
{
    inner_udp();
    b_ip4(&b, 17);
}

static inline void inner_eth(void)
{
    inner_ip();
    b_eth(&b, 0x0800);
}

static inline void eth_out(unsigned proto)
{
    b_ip4_out(&b, proto);
    b_eth(&b, 0x0800);
}

static const uint8_t a4[4] = {10, 0, 0, 5}, b4[4] = {10, 0, 0, 9};

static inline void check_addr(const struct addr *a, const uint8_t v4[4], const char *name)
{
    struct addr want = addr_v4(v4);
    ck_assert_msg(addr_eq(a, &want), "%s: address", name);
}

static inline void check_text(const struct layers *l, const char *name)
{
    ck_assert_msg(l->payload_len == TEXT && l->payload_wire == TEXT, "%s: payload %u of %u", name, l->payload_len,
                  l->payload_wire);
    ck_assert_msg(memcmp(l->payload, text, TEXT) == 0, "%s: payload", name);
}

static inline int run_suite(Suite *s)
{
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
