/* pkt.h: one captured packet, and what decoding found in it. */
#pragma once

#include "engine/base/addr.h"
#include "engine/base/cur.h"

enum { /* struct pkt.flags */
    PKT_CUT = 1, /* caplen < wirelen */
};

/* A view: capture owns the bytes until they are released. */
struct pkt {
    uint64_t ts_ns;      /* since 1970, as the capture says it */
    const uint8_t *data; /* from the link layer on */
    uint32_t caplen, wirelen;
    uint32_t linktype;   /* LINKTYPE_ number of pcap files, https link-layer list */
    uint32_t frame;      /* packet number in its file (or of its live source), from 1 */
    uint16_t file;       /* index into the source's file names */
    uint16_t iface;      /* index into the source's interface names */
    uint16_t vlan_tci;   /* tag the kernel stripped (auxdata), 0 none */
    uint16_t flags;
};

enum reached { /* how far decoding got */
    REACHED_NOTHING, /* link type unknown, or too short for a link header */
    REACHED_L2,      /* Ethernet (or equal) header read; ethertype is set */
    REACHED_L3,      /* IP header read; ip_proto set, payload is what follows it */
    REACHED_L4,      /* TCP or UDP header read */
};

enum { /* struct layers.what: facts and faults met on the way */
    LAY_CUT = 1 << 0,         /* the snap length cut the payload */
    LAY_FRAGMENT = 1 << 1,    /* an IP fragment that did not complete its datagram: nothing above L3 */
    LAY_REASSEMBLED = 1 << 2, /* payload lies in the defragmenter's buffer */
    LAY_TUNNEL = 1 << 3,      /* at least one tunnel header was taken off */
    LAY_HSR_PRP = 1 << 4,     /* HSR tag or PRP trailer seen; lan_seq and lan_id are set */
    LAY_BAD_HEADER = 1 << 5,  /* a header contradicts itself or the packet (lengths, version) */
    LAY_DEEP = 1 << 6,        /* more nested headers than LIM_DECODE_DEPTH */
    LAY_ARP = 1 << 7,         /* ARP read: arp_op and src/dst (sender and target IP), arp_sha set */
    LAY_FRAG_OVERLAP = 1 << 8,/* overlapping fragments disagreed; first arrival won */
    LAY_SPAN_GAP = 1 << 9,    /* frames of this mirror session (ERSPAN) are missing, and did not come later */
};

/* The innermost addresses and payload. payload points into the packet (or the reassembled datagram). */
struct layers {
    struct addr src, dst;          /* IP addresses; MAC addresses where there is no IP */
    const uint8_t *payload;        /* above the last header read; NULL when there is none */
    uint32_t payload_len;          /* captured bytes, Ethernet padding excluded */
    uint32_t payload_wire;         /* bytes by the IP/UDP length (>= payload_len when cut) */
    uint32_t seq, ack;             /* TCP */
    const uint8_t *l3;             /* innermost IP header, l3_len captured bytes from it on; NULL: none */
    uint32_t l3_len;
    uint16_t sport, dport;         /* TCP, UDP */
    uint16_t window;               /* TCP */
    uint16_t ip_id;                /* IPv4 identification */
    uint8_t dmac[6], smac[6];      /* innermost Ethernet header; has_mac says whether there was one */
    uint16_t ethertype;            /* innermost; 802.3 LLC without SNAP: the DSAP, of a UI frame; else 0 */
    uint8_t tcp_flags, ttl, ip_proto, ip_ver, reached, has_mac;
    /* Zero of a plain packet (decode.c): */
    uint16_t vlan[2];              /* VLAN ids, outer first */
    uint8_t n_vlan, lan_id, icmp_type, icmp_code;
    uint32_t what;                 /* LAY_ */
    uint32_t erspan_seq;           /* outermost ERSPAN/GRE sequence number, 0 none */
    uint16_t erspan_session;
    uint16_t span_lost;            /* LAY_SPAN_GAP: frames that its session left out before this one */
    uint32_t snap_oui;             /* of a SNAP header: 0 and 0x0000f8 mean that ethertype is an EtherType */
    uint16_t lan_seq;              /* HSR/PRP sequence number */
    uint16_t arp_op;
    uint8_t arp_sha[6];
};

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };
