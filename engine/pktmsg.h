/* pktmsg.h: a packet on its way to the worker that owns its shard: what decoding found, and the bytes it needs. */
#pragma once

#include "engine/ring.h"
#include "engine/shard.h"

struct pkt_msg {
    struct ring_head head; /* type: PM_ */
    uint64_t now_ns;
    union {
        struct pkt pkt;
        struct rec_tick tick; /* PM_TICK, PM_FLUSH, PM_END */
    };
    struct job job;        /* pointers are restored by pkt_msg_open(): l3 lies right behind this struct, */
    uint32_t payload_off;  /* the payload so far behind its end */
    uint32_t payload_at;   /* where the payload lay in the packet; PM_ELSEWHERE: not in it (reassembled) */
};
#define PM_ELSEWHERE UINT32_MAX
enum { PM_PACKET = 1, PM_TICK, PM_FLUSH, PM_MARK, PM_END };

/* What the worker needs of the packet: its bytes from the innermost IP header on, or the payload alone where that lies
 * elsewhere (reassembled). All of the message, its head included. */
uint32_t pkt_msg_bytes(const struct layers *l);
/* m has room for pkt_msg_bytes(). */
void pkt_msg_fill(struct pkt_msg *m, const struct pkt *p, const struct job *j, uint64_t now_ns);
/* On the other side of the ring: the packet's pointers lead into the message. */
void pkt_msg_open(struct pkt_msg *m);
