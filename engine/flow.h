/* flow.h: one shard's table of flows: bounded, least recently used goes first, deterministic. */
#pragma once

#include "dissectors/runtime.h"
#include "engine/base/hash.h"
#include "engine/base/lru.h"
#include "engine/seen.h"

enum { FLOW_NONE = UINT32_MAX };

enum { /* struct half.flags */
    HALF_NEXT = 1,    /* next is valid */
    HALF_SYNC = 2,    /* the next byte begins a PDU (or part holds the beginning of one) */
    HALF_SYN = 4,     /* the beginning of this direction was seen */
    HALF_FIN = 8,
    HALF_SEEN = 16,   /* this side has sent a packet */
    HALF_DATA = 32,   /* this side has sent payload */
    HALF_LAG = 64,    /* the other side acknowledged up to `unseen` what was not seen (yet) */
    HALF_UNSEEN = 128,/* what was not seen is counted up to `unseen` */
};

struct half { /* one direction of a TCP connection: what most segments ask of it; two in a cache line */
    uint32_t next;          /* sequence number expected; of datagrams the other half of copy_sum */
    uint32_t part_len;      /* bytes of an unfinished PDU in half_rest.part */
    uint32_t ooo;           /* list of segments beyond a hole, by sequence number */
    uint32_t copy_sum;      /* of the last packet: what its copy has in common with it */
    uint64_t copy_ns;       /* its time */
    uint16_t ip_id;         /* of the last segment with payload: tells a copy from a retransmission */
    uint16_t lost_syncs;    /* segments in a row that did not begin with a PDU; << 8: good PDUs until it is proven */
    uint16_t n_ooo;
    uint8_t flags;
    uint8_t ip_id_seen;
};
struct half_rest {          /* and the rest of it: half_rest() */
    struct buf part;
    uint32_t part_need;     /* length of the PDU in part, once known, else 0. Without a part: bytes to come of a PDU
                             * of which some are missing */
    uint32_t unseen;        /* HALF_LAG, HALF_UNSEEN: a sequence number */
    uint64_t hole_ns;       /* since when there is a hole (time of the flow: captures in a row go back), or HALF_LAG */
};

enum {
    CLASS_OPEN, CLASS_CLAIMED, CLASS_GIVEN_UP,
    CLASS_LATE, /* given up, but for those that have its port */
};

/* The first lines of the cache are what a packet of a known flow touches; they are fetched ahead. */
enum { FLOW_HOT = 256 };

struct flow {
    _Alignas(64) struct flow_key key;
    uint64_t last_ns;
    uint32_t hash_next;
    uint8_t class_state;        /* CLASS_ */
    uint8_t client;             /* 0 lo is the client, 1 hi is; 2 unknown */
    uint8_t sure;               /* client is certain: SYN, port, dissector */
    uint8_t epoch;
    uint32_t packets[2];        /* since the last flush; [0] lo to hi */
    struct half half[2];        /* [0] sent by lo */
    uint32_t bytes[2];          /* since the last flush */
    uint8_t mac[2][2][6];       /* of lo and hi as last seen; and before: a mirror has both sides of a router */
    uint8_t has_mac, on_port, fact_client;
    uint8_t asset_seen;         /* lo and hi were told as sender, bits 0 and 1; with the pair before, 2 and 3 */
    uint32_t errors;            /* since the last flush */
    uint64_t link;              /* digest of the link, 0 none yet */
    uint64_t fact_base;         /* digest of (network, client, server), 0 not made yet */
    uint64_t id;
    const struct dissector *dis;
    struct buf state;
    struct flow_rt rt;
    struct seen_path seen;
    /* what is not of every packet */
    struct half_rest rest[2];   /* of half[] */
    uint64_t first_ns;
    uint32_t resets, retransmissions, gaps; /* since the last flush */
    uint16_t file, iface;
    uint16_t vlan, outer_vlan;  /* innermost; of two tags (QinQ); 0 none */
    uint32_t seen_frame;
    char community[32];         /* community id, made when a record first asks */
    uint64_t excluded;          /* dissectors that this flow is not (bit by registry order) */
    struct buf hold;            /* segments kept until the flow is claimed */
    uint32_t hold_len;
    uint32_t tried_bytes;       /* payload that classify has looked at; CLASS_LATE: chunks since then */
    const struct dissector *candidate;
    void *ndpi;
    uint16_t ndpi_slot;         /* its place in the shard's list, while ndpi is set */
    uint8_t n_tries, n_hold, n_match, match_sides;
    uint32_t syn;               /* FLOW_SYN: the number of a SYN in the living connection, which nobody answered yet */
    uint8_t asks;               /* FLOW_ bits */
    uint8_t faults_told, topology;
    uint8_t undecided : 1;      /* candidate shares the port with others that asked for more */
    uint8_t tls : 1;            /* a handshake was seen */
    uint8_t used : 1, ndpi_done : 1, both_ways : 1, has_community : 1;
    uint8_t late_side : 1;      /* CLASS_LATE: who spoke last */
    uint8_t lost_owner : 1;     /* it was taken from one that has its port, for want of PDUs */
};

enum { /* struct flow.asks; of side 0, side 1 is the next bit */
    FLOW_SYN = 1,   /* this side sent `syn` */
    FLOW_WAITS = 4, /* beyond the hole in this direction something came, but its receiver still asks for the hole */
    /* of the flow */
    FLOW_HOLED = 16, /* bytes were missing before it was anybody's */
    FLOW_LIKE = 64,  /* something in it was like what one of those says that have its port */
    FLOW_APP = 32,   /* its link has the name of what nDPI found, which is not told yet (foreign.c) */
};
_Static_assert(offsetof(struct flow, rest) <= FLOW_HOT && offsetof(struct flow, half) == 64 &&
                   sizeof(struct half) == 32,
               "hot fields lie together");
_Static_assert(sizeof(struct half_rest) == sizeof(struct half), "one step from a half to its rest, of either side");

/* h is one of a flow's. */
static inline struct half_rest *half_rest(struct half *h)
{
    return (struct half_rest *)(void *)((uint8_t *)h + offsetof(struct flow, rest) - offsetof(struct flow, half));
}

struct flow_table {
    struct flow *flows;
    uint32_t *buckets;
    uint32_t n, n_used, bucket_mask, free_head;
    struct lru used;
    struct lru_link *order;    /* of used */
    uint64_t changes;          /* flows added and removed, from 1: while it stays, what was looked up before holds */
    uint64_t hash_key, evicted, created;
};

/* mem owns the memory: flow_table_bytes(n) of it. */
int flow_table_init(struct flow_table *t, uint32_t n, uint64_t hash_key, struct arena *mem) MUST_USE;
size_t flow_table_bytes(uint32_t n);
static inline uint32_t flow_index(const struct flow_table *t, const struct flow *f)
{
    return (uint32_t)(f - t->flows);
}
/* Of a key's words, whose addresses begin with zeros, as all but those of IPv6 do: the ends of both, and what follows
 * them (ports, network, protocol). */
static inline uint64_t flow_hash_mapped(uint64_t lo, uint64_t hi, uint64_t rest, uint64_t hash_key)
{
    return hash_mix(hash_mix(lo ^ hash_key, hi + hash_key), rest);
}
static inline uint64_t flow_hash(const struct flow_key *k, uint64_t hash_key)
{
    uint64_t w[5];
    memcpy(w, k, sizeof w);
    if (w[0] | w[2])
        w[4] ^= hash_mix(w[0] ^ hash_key, w[2] + hash_key);
    return flow_hash_mapped(w[1], w[3], w[4], hash_key);
}
struct flow *flow_find(const struct flow_table *t, const struct flow_key *k, uint64_t hash);
static inline struct flow *flow_at(const struct flow_table *t, uint32_t i)
{
    return i == FLOW_NONE ? NULL : &t->flows[i];
}
/* The same from f on, a flow of the bucket's list or NULL. */
static inline struct flow *flow_find_from(const struct flow_table *t, const struct flow_key *k, struct flow *f)
{
    while (f && !__builtin_expect(flow_key_eq(&f->key, k), 1))
        f = flow_at(t, f->hash_next);
    return f;
}
/* The one that flow_add() takes next; NULL: the table is full, or it was never used yet. */
static inline const struct flow *flow_next_free(const struct flow_table *t)
{
    return flow_at(t, t->free_head);
}
/* A zeroed new flow at the new end of the list, or NULL when the table is full: end the oldest first. */
struct flow *flow_add(struct flow_table *t, const struct flow_key *k, uint64_t hash);
struct flow *flow_oldest(struct flow_table *t);
void flow_touch(struct flow_table *t, struct flow *f);  /* most recently used now */
void flow_remove(struct flow_table *t, struct flow *f); /* what it holds was freed by the caller */
/* 51 bits: a JSON number that every reader takes exactly. Same key and first time, same id, for ever. */
uint64_t flow_id_of(const struct flow_key *k, uint64_t first_ns);
