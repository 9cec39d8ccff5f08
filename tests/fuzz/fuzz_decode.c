/* fuzz_decode.c: packets of any link type, several in a row so that fragments meet.
 *
 * Input: packets of | link type index 1 | flags 1 | milliseconds since the last one 1 | length 2, little-endian | bytes
 * |. Flags: 1 the wire had 100 bytes more; 2 a tag that the kernel took off. */
#include <stdlib.h>

#include "engine/base/limits.h"
#include "engine/decode_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void one(struct decoder *d, struct pkt *k)
{
    struct layers l;
    memset(&l, 0xa5, sizeof l); /* all of it is written */
    uint8_t *p = malloc(k->caplen ? k->caplen : 1); /* exactly its size: a read beyond is seen */
    if (!p)
        return;
    if (k->caplen)
        memcpy(p, k->data, k->caplen);
    k->data = p;
    uint64_t trailers = d->trailers.fcs + d->trailers.stamped;
    decode(d, k, &l);
    bool whole = d->trailers.fcs + d->trailers.stamped == trailers;
    uint32_t sum = 0;
    for (uint32_t i = 0; i < l.payload_len; i++)
        sum += l.payload[i];
    must(l.payload_len <= l.payload_wire && (l.payload == NULL) == (l.payload_len == 0));
    must((l.what & LAY_CUT) || l.payload_len == l.payload_wire);
    must((l.what & LAY_REASSEMBLED) || !l.payload || (l.payload >= p && l.payload + l.payload_len <= p + k->caplen));
    must(l.n_vlan <= 2 && l.reached <= REACHED_L4 && decode_shard(&l) < N_SHARDS);
    must(l.reached < REACHED_L3 || l.ip_ver == 4 || l.ip_ver == 6);
    must(!(l.what & LAY_FRAGMENT) || l.reached == REACHED_L3);
    must(sum != UINT32_MAX);
    if (whole && !l.what && (l.reached == REACHED_L4 || l.reached == REACHED_L2)) {
        /* the short way of plain packets and the walk agree */
        struct layers walked;
        decode_walk(d, k, &walked);
        must(memcmp(&l, &walked, sizeof l) == 0);
    }
    free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct decode_limits lim = {.frag_datagrams = 4, .frag_bytes = 1 << 16, .batch = 1};
    static const uint32_t links[16] = {1, 1, 1, 0, 9, 12, 50, 51, 101, 104, 107, 108, 113, 228, 229, 276};
    struct decoder *d = decoder_new(&lim);
    uint64_t now = 0;
    struct cur c = cur_make(data, (uint32_t)size);
    while (d && cur_left(&c) >= 5) {
        uint8_t link = cur_u8(&c), flags = cur_u8(&c);
        now += cur_u8(&c) * UINT64_C(1000000);
        uint32_t n = cur_u16le(&c);
        struct span s = cur_bytes(&c, n < cur_left(&c) ? n : cur_left(&c));
        struct pkt k = {.ts_ns = now,
                        .data = s.p,
                        .caplen = s.n,
                        .wirelen = s.n + (flags & 1 ? 100 : 0),
                        .linktype = links[link & 15],
                        .vlan_tci = flags & 2 ? 0x2009 : 0};
        one(d, &k);
    }
    decoder_free(d);
    return 0;
}
