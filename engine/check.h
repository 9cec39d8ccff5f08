/* check.h: is a mirror port set up right? Counts what decoding finds in a minute of packets, without state beyond one
 * bounded table, and says what is wrong. */
#pragma once

#include <stdio.h>

#include "engine/base/site.h"
#include "engine/decode.h"

enum {
    CHECK_TALKS = 1 << 16, /* conversations followed; more are only counted as packets */
    CHECK_NETS = 1024,     /* IPv4 networks of 256 addresses; the same */
    CHECK_PORTS = 65536,
};

struct check_talk { /* one conversation: addresses and ports, whichever way */
    uint64_t key, last_ns;
    uint32_t packets[2], last_sum[2]; /* by side; of the last packet, to know its copy */
    uint32_t next[2];                 /* TCP: the next sequence number */
    uint16_t vlan[2];                 /* 0: no tag */
    uint8_t tcp, data, begun;         /* begun: its SYN was seen */
    uint8_t has_next;                 /* bits by side */
};
struct check_net {
    uint32_t net;                     /* upper 24 bits */
    uint32_t packets;
    uint64_t hosts[4];                /* bits by last byte; senders only */
};
struct check {
    const struct site *site;
    struct decoder *decoder;
    struct check_talk *talk;
    struct check_net net[CHECK_NETS];
    unsigned n_talks, n_nets;
    uint64_t packets, bytes, cut, unicast, groups, copies, tcp, undecoded, tunnels, largest, first_ns, last_ns;
    uint64_t acked_unseen, data_bytes; /* TCP bytes acknowledged but not seen, and those seen */
    uint64_t vlan[4096];               /* packets by tag; [0]: without */
    uint64_t by_port[2][CHECK_PORTS];  /* packets by the lower port: TCP, UDP */
    bool *asset_seen;                  /* of the configured ones */
};
int check_open(struct check *c, const struct site *site, struct err *e) MUST_USE;
void check_close(struct check *c);
void check_packet(struct check *c, const struct pkt *p);

/* What follows from it. */
struct check_sum {
    uint64_t talks, both, one, split_vlan, tcp_talks, midstream; /* talks with four packets or more */
    uint32_t assets_missing;
};
void check_sum(const struct check *c, struct check_sum *ret);
