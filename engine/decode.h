/* decode.h: from a captured packet to its innermost addresses, ports and payload.
 *
 * Link types: Ethernet, Linux cooked (SLL, SLL2), raw IP, BSD loopback, PPP, PPPoE, Cisco HDLC. Taken off on the way:
 * VLAN tags, LLC/SNAP, MPLS, PPPoE, HSR tags and PRP trailers, GRE, ERSPAN, VXLAN, Geneve, IP in IP; IP fragments are
 * reassembled. Checksums are not looked at: offloading makes wrong ones normal.
 *
 * What layers mean, beyond engine/base/pkt.h:
 *   payload    of an IP packet that is neither TCP nor UDP: what follows the IP headers (an ICMP header, a GRE header
 *              that was not understood). Of an 802.3 frame without SNAP: from DSAP on. Of ARP: the ARP packet.
 *   has_mac    the MACs stand next to the addresses above. An IP packet taken out of an IP tunnel has none.
 *              A Linux cooked header knows only the sender: dmac is all zero then (ff:ff:.. for a broadcast).
 *   vlan       of the innermost Ethernet frame; priority tags (id 0) name no VLAN and are not listed.
 *   ethertype  of a SNAP header the protocol id; snap_oui says whose it is (0: an EtherType). */
#pragma once

#include "engine/base/limits.h"
#include "engine/base/pkt.h"

struct decoder;

struct decode_limits {
    uint32_t frag_datagrams; /* incomplete datagrams kept at a time; the oldest is evicted for one more */
    uint32_t frag_bytes;     /* their bytes, in blocks of 1 KiB; the same */
    uint32_t batch;          /* calls of decode() that a reassembled payload outlives, its own included: 1 where every
                              * packet is done with before the next is decoded */
    uint64_t hash_key;       /* of the table of datagrams: random live, fixed in replay */
};

/* Counted since decoder_new. */
struct decode_stats {
    uint64_t packets;
    uint64_t fragments;       /* IP fragments seen */
    uint64_t reassembled;     /* datagrams completed */
    uint64_t frag_timeout;    /* datagrams given up after 30 s of packet time */
    uint64_t frag_evicted;    /* datagrams given up because a bound was reached */
    uint64_t frag_duplicates; /* fragments that brought nothing new */
    uint64_t frag_overlaps;   /* fragments that contradicted an earlier one */
    uint64_t frag_bad;        /* fragments whose offset or length is impossible, or cut by the snap length */
    uint64_t bad_headers;     /* packets with LAY_BAD_HEADER */
    uint64_t unknown_link;    /* packets of a link type that is not decoded */
    uint64_t fcs, stamped;    /* frames with a check sequence, with a packet broker's trailer: taken off */
};

/* NULL when there is no memory. All memory is taken here: about 400 bytes a datagram, frag_bytes, batch * 64 KiB. */
struct decoder *decoder_new(const struct decode_limits *lim);
uint64_t decoder_bytes(const struct decode_limits *lim);
void decoder_free(struct decoder *d); /* NULL is fine */
const struct decode_stats *decoder_stats(const struct decoder *d);

/* What the fields of ret that say so say as well: most packets are one of these. */
enum decoded {
    DECODED_ANY,
    DECODED_IP4,   /* TCP or UDP in IPv4, whole: what is 0, reached REACHED_L4, payload within l3's 65,535 bytes */
    DECODED_FRAME, /* a protocol of layer 2: what is 0, reached REACHED_L2, with MAC addresses */
};
/* Writes all of ret. ret->payload points into p->data, or (LAY_REASSEMBLED) into the decoder. */
enum decoded decode(struct decoder *d, const struct pkt *p, struct layers *ret);

/* To more than one: that an address is the broadcast of its subnet only the frame tells. */
static inline bool layers_to_group(const struct layers *l)
{
    return addr_is_group(&l->dst) || (l->has_mac && l->dmac[0] & 1);
}

/* 0..N_SHARDS-1, by the pair of addresses (IP, or MAC where there is no IP) whichever way the packet goes; of the
 * sender alone where the destination is a group. The same in every run (spread.h). */
uint32_t decode_shard(const struct layers *l);
