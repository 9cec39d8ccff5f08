/* fuzz_stream.c: TCP segments and datagrams of a few flows, through the whole packet path of a shard.
 *
 * Input: packets of | flow and side 1 | TCP flags 1 | sequence number relative to what comes next, signed 2 |
 * milliseconds 1 | length 2 | bytes |. Flow: bits 0..2 the port, bit 3 datagrams, bit 4 the server sends; bit 5 the
 * acknowledgement covers all, bit 6 the snap length cut it. What comes out must be whole records, and all memory must
 * be given back. */
#include <stdlib.h>

#include "tests/generic/player.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PACKETS = 300, PORTS = 8 };
static const uint16_t ports[PORTS] = {502, 20000, 102, 44818, 2404, 4001, 10102, 2222};

static struct player player;
static struct step steps[PACKETS];
static uint32_t next_seq[PORTS][2];

static void packet(struct step *s, struct cur *c, uint64_t *now)
{
    uint8_t who = cur_u8(c), flags = cur_u8(c);
    int16_t rel = (int16_t)cur_u16le(c);
    *now += cur_u8(c) * UINT64_C(1000000);
    uint32_t n = cur_u16le(c);
    struct span b = cur_bytes(c, n < cur_left(c) ? n : cur_left(c));
    unsigned p = who & 7, server = who >> 4 & 1;
    bool udp = who & 8;
    uint32_t *seq = &next_seq[p][server];
    struct layers *l = &s->job.lay;
    *s = (struct step){.pkt = {.ts_ns = *now, .caplen = 54 + b.n, .wirelen = 54 + b.n, .linktype = 1}};
    *l = (struct layers){.reached = REACHED_L4,
                         .ip_ver = 4,
                         .ethertype = 0x0800,
                         .ttl = 64,
                         .ip_id = (uint16_t)(*seq + flags),
                         .ip_proto = udp ? PROTO_UDP : PROTO_TCP,
                         .tcp_flags = udp ? 0 : flags & 31,
                         .seq = *seq + (uint32_t)(int32_t)rel,
                         .ack = who & 32 ? next_seq[p][1 - server] : 0,
                         .sport = server ? ports[p] : 50000,
                         .dport = server ? 50000 : ports[p],
                         .payload = b.n ? b.p : NULL,
                         .payload_len = b.n,
                         .payload_wire = b.n + (who & 64 ? 100 : 0),
                         .what = who & 64 ? LAY_CUT : 0,
                         .has_mac = 1};
    l->src = addr_v4((const uint8_t[4]){10, 0, 0, server ? 2 : 1});
    l->dst = addr_v4((const uint8_t[4]){10, 0, 0, server ? 1 : 2});
    l->smac[5] = (uint8_t)(1 + server);
    l->dmac[5] = (uint8_t)(2 - server);
    *seq = l->seq + l->payload_wire + ((flags & (TCP_SYN | TCP_FIN)) != 0);
    shard_prepare(player.env, &s->pkt, &s->job);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cur c = cur_make(data, (uint32_t)size);
    uint64_t now = UINT64_C(1700000000000000000);
    uint32_t n = 0;
    if (!player.env) {
        if (player_init(&player, "fuzz"))
            abort();
        player.shard_conf = (struct shard_conf){
            .n_flows = 6, /* fewer than the input can name: they evict each other */
            .n_state = 3,
            .n_segments = 16,
            .n_facts = 16,
            .n_links = 16,
            .n_assets = 16,
            .n_repeats = 8,
            .stream = {{2048, 8}, {9216, 2}, {LIM_PDU, 1}},
            .rt = {.txn = {{512, 8}, {1536, 2}, {6208, 1}, {EV_PACK + 64, 1}},
                   .assembly = {{2048, 2}, {8192, 1}, {LIM_ASM, 1}},
                   .again = {{512, 4}, {2048, 1}},
                   .n_again = 8,
                   .n_txn = 12,
                   .n_asm = 4,
                   .n_shared = 8,
                   .n_obs = 8,
                   .max_txn_flow = 8}};
        player.check_json = true;
    }
    for (unsigned i = 0; i < PORTS; i++)
        next_seq[i][0] = next_seq[i][1] = 0xffffff00u;
    while (n < PACKETS && cur_left(&c) >= 7)
        packet(&steps[n++], &c, &now);
    player_run(&player, steps, n);
    if (player.n_bad_json)
        abort();
    return 0;
}
