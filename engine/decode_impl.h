/* decode_impl.h: how the decoder walks from header to header. For decode*.c only.
 *
 * A step reads one header from its own copy of the walk's cursor. Only when the header is whole and plausible does it
 * move the walk past it; else the walk ends where it is, and what follows the last good header is the payload. Every
 * step that does not end the walk has consumed at least one byte, or counted against LIM_DECODE_DEPTH. */
#pragma once

#include "engine/base/limits.h"
#include "engine/decode.h"
#include "engine/defrag.h"
#include "engine/trailer.h"

enum step {
    STEP_END,
    STEP_ETH,   /* an Ethernet frame */
    STEP_INNER, /* the same, taken out of a tunnel */
    STEP_TYPE,  /* what walk.type says */
    STEP_LLC,
    STEP_VLAN,
    STEP_VNTAG,
    STEP_PBB,
    STEP_CMD,
    STEP_STAMP, /* a broker's time stamp before the EtherType */
    STEP_HSR,
    STEP_MPLS,
    STEP_PPPOE,
    STEP_PPP,
    STEP_ARP,
    STEP_IP, /* version by the first nibble */
    STEP_IP4,
    STEP_IP6,
    STEP_PROTO, /* what walk.proto says */
    STEP_EXT,   /* IPv6 extension headers, then STEP_PROTO */
    STEP_TCP,
    STEP_UDP,
    STEP_ICMP,
    STEP_AH,
    STEP_IPIP,
    STEP_GRE,
    STEP_PPTP,
    STEP_ERSPAN2,
    STEP_ERSPAN3,
    STEP_WCCP,
    STEP_ETHERIP,
    STEP_VXLAN,
    STEP_GENEVE,
    STEP_GRE_UDP,
    STEP_SLL,
    STEP_SLL2,
    STEP_LOOP,
    STEP_HDLC,
    STEP_FRELAY,
    N_STEPS
};

struct walk {
    struct cur c;  /* captured bytes from here on */
    uint32_t wire; /* bytes from here on, as the enclosing lengths say; >= the captured ones */
    struct layers *l;
    struct decoder *d;
    uint8_t *out; /* room for reassembled datagrams of this packet; NULL: none taken yet */
    uint64_t ts_ns;
    uint16_t type; /* EtherType (or 802.3 length, or PPP protocol) of what is next */
    uint8_t proto; /* IP protocol of what is next */
    uint8_t depth;
    uint16_t tag;   /* VLAN of the frame in a tunnel that took the tag off; 0 none */
    bool truncated; /* a tunnel has told that it cut the frame: short is not a contradiction */
};

/* A mirror session that counts its frames. */
struct span_session {
    uint64_t key;                   /* 0: free */
    uint32_t next;                  /* sequence number expected */
    uint32_t missing, since, late;  /* frames left out, not told yet; frames since; of them those that came late */
    uint32_t steady;                /* frames in a row that were next */
};
enum { SPAN_SESSIONS = 64 };        /* by key; another one takes the place */

struct decoder {
    struct decode_stats stats;
    struct trailers trailers;
    struct span_session span[SPAN_SESSIONS];
    struct defrag *defrag;
    uint8_t (*out)[DEFRAG_MAX]; /* reassembled datagrams, in turn */
    uint32_t n_out, next_out;
};

typedef enum step step_fn(struct walk *w);

/* decode.c: any packet, header by header; decode() takes the plain ones without it. Writes all of ret. */
void decode_walk(struct decoder *d, const struct pkt *p, struct layers *ret);
/* decode_l2.c */
step_fn decode_llc, decode_vlan, decode_vntag, decode_pbb, decode_cmd, decode_stamp, decode_hsr, decode_mpls,
    decode_pppoe, decode_ppp, decode_arp, decode_sll, decode_sll2, decode_loop, decode_hdlc, decode_frelay;
/* Takes a PRP trailer off the frame that the walk is at. */
void decode_prp(struct walk *w);
void decode_add_vlan(struct layers *l, uint16_t tci);
/* STEP_END: nothing more is known of this EtherType. */
enum step decode_type_step(uint16_t type);
/* decode_ip.c */
step_fn decode_ip6, decode_ext, decode_ah;
/* Fragment handling of both versions: where to go on when the datagram is complete, else STEP_END. */
enum step decode_fragment(struct walk *w, uint32_t id, uint32_t off, bool more);
/* decode_tunnel.c */
/* The frame at hand is the session's seq-th. */
void decode_span_seq(struct walk *w, uint16_t session, uint32_t seq);
step_fn decode_ipip, decode_gre, decode_pptp, decode_erspan2, decode_erspan3, decode_wccp, decode_etherip, decode_vxlan,
    decode_geneve, decode_gre_udp;
/* The tunnel that this UDP port carries, or STEP_END. */
enum step decode_udp_tunnel(uint16_t dport);

/* decode.c: what an outer packet said above IP. */
void decode_forget_l4(struct layers *l);
/* Room for one reassembled datagram, which stays as long as decode.h promises once it is used. A packet that needs it
 * twice (fragments in fragments) uses the same again. */
uint8_t *decode_room(struct walk *w);
void decode_room_used(struct walk *w);

/* A header of n bytes is not all there: cut by the snap length, or contradicting the lengths around it. */
static inline enum step walk_short(struct walk *w, uint32_t n)
{
    w->l->what |= w->wire >= n && cur_left(&w->c) < n ? LAY_CUT : LAY_BAD_HEADER;
    return STEP_END;
}

static inline enum step walk_bad(struct walk *w)
{
    w->l->what |= LAY_BAD_HEADER;
    return STEP_END;
}

/* The header lay at the start of what c was copied from: go on behind it. */
static inline void walk_to(struct walk *w, struct cur c)
{
    w->wire -= cur_left(&w->c) - cur_left(&c);
    w->c = c;
}

/* What follows is n (<= wire) bytes; anything beyond is padding or a trailer. */
static inline void walk_trim(struct walk *w, uint32_t n)
{
    if (cur_left(&w->c) > n)
        w->c = cur_sub(&w->c, n);
    w->wire = n;
}

/* What follows is n bytes by a header's length field. More than the frame had is a contradiction, and the frame is
 * right (as a receiver and Wireshark see it), unless a tunnel has told that it cut the frame. */
static inline void walk_claim(struct walk *w, uint32_t n)
{
    if (__builtin_expect(n > w->wire, 0) && !w->truncated) {
        w->l->what |= LAY_BAD_HEADER;
        n = w->wire;
    }
    walk_trim(w, n);
}

/* One header deeper; false at the bound. */
static inline bool walk_deeper(struct walk *w)
{
    if (++w->depth <= LIM_DECODE_DEPTH)
        return true;
    w->l->what |= LAY_DEEP;
    return false;
}

/* A whole IP header was read. */
static inline void walk_enter_ip(struct layers *l)
{
    l->reached = REACHED_L3;
    if (__builtin_expect(l->what & LAY_TUNNEL, 0))
        decode_forget_l4(l);
}

static inline uint16_t be16(const uint8_t *p)
{
    return (uint16_t)((uint16_t)p[0] << 8 | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
