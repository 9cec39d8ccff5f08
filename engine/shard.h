/* shard.h: all state of one 64th of the address pairs: flows, streams, pending requests, known facts, links. A worker
 * owns whole shards; nothing of a shard is seen by another thread. Results therefore do not depend on the number of
 * workers, even where a bound evicts. */
#pragma once

#include "dissectors/runtime.h"
#include "engine/base/record.h"
#include "engine/base/site.h"
#include "engine/copies.h"
#include "engine/repeats.h"
#include "engine/facts.h"
#include "engine/flow.h"
#include "engine/linktab.h"
#include "engine/seen.h"
#include "engine/told.h"
#include "engine/cyclic.h"
#include "engine/topology.h"
#include "engine/unseen.h"

struct ruleset;
struct out; /* where a worker's records go: worker.h */

/* Entries per shard. The sum over all shards is what `tyto config limits` shows. */
struct shard_conf {
    uint64_t duplicate_ns;                       /* the same packet again within this is a copy; 0: never */
    uint64_t alerts_ns;                          /* window in which alerts fold */
    uint32_t n_flows, n_facts, n_links, n_assets, n_told, n_repeats;
    struct bufpool_conf stream[BUFPOOL_CLASSES]; /* unfinished PDUs and segments beyond a hole */
    uint32_t n_segments;
    uint32_t n_state;                            /* flows with dissector state at a time */
    uint32_t n_ndpi;                             /* flows that nDPI looks at at a time */
    struct rt_conf rt;
};
extern const struct shard_conf shard_conf_default;

/* Counters of one worker, read by others with relaxed loads. */
struct eng_stats {
    uint64_t packets, bytes, truncated, not_ip, undecoded, fragments_open;
    uint64_t duplicates, redundant;              /* copies by a mirror; what PRP or HSR deliver twice */
    uint64_t retransmitted, out_of_order, gaps, gap_bytes, unsynced_bytes, keepalives;
    uint64_t flows, flow_evicted, state_evicted, ndpi_evicted, segments_evicted, buffers_short,
        syn_floods;
    uint64_t events, records, records_cut, ring_dropped, malformed, flows_set_back, not_mine;
    uint64_t messages[64];                       /* by schema index; the last one for all beyond */
};

/* Dissectors, a bit each by index, by registered port or EtherType. */
enum { ENV_NUMBERS = 128 };
struct env_numbers {
    struct {
        uint64_t dissectors; /* 0: free */
        uint16_t number;
    } row[ENV_NUMBERS];      /* by a hash of the number, then the next free one; one is always free */
    uint32_t n;
};
static inline uint32_t env_number_row(const struct env_numbers *n, uint16_t number)
{
    uint32_t i = number * UINT32_C(0x9e3779b1) >> 25;
    while (n->row[i].dissectors && n->row[i].number != number)
        i = (i + 1) % ENV_NUMBERS;
    return i;
}
static inline uint64_t env_dissectors(const struct env_numbers *n, uint16_t number)
{
    return n->row[env_number_row(n, number)].dissectors;
}

enum { ENV_STARTS = 24 };

/* What all shards of a process share, read-only while packets flow. */
struct shard_env {
    const struct site *site;
    const struct ruleset *rules;
    struct rule_state *counts;                   /* where there is one worker it counts for the collector; else NULL */
    unsigned n_rules;
    const char *const *ifaces;                   /* by pkt.iface, for networks */
    const char *host;
    bool log_events;                             /* -e: every message is rendered */
    struct itapp *itapp;                         /* NULL: nDPI is not asked. It has a lock of its own */
    uint64_t hash_key;
    uint64_t secret;                             /* random in replay, too: what only asks whether bytes are the same */
    uint16_t tcp_owner[65536], udp_owner[65536]; /* dissector index + 1 by registered or configured port */
    struct env_numbers tcp_ports, udp_ports, ethertypes; /* all that are registered: built by env_ports() */
    uint64_t of_tcp, of_udp;                     /* dissectors of that transport */
    uint64_t tcp_starts[2][256]; /* those that a first octet does not rule out; [1] ENV_STARTS bytes or more at hand */
    uint64_t off;                                /* dissectors switched off, by index */
    struct rt_settings settings[64];             /* of the protocols that have configured ones, up to one without */
    const char *(*file_name)(const void *arg, unsigned file);
    const char *(*iface_name)(const void *arg, unsigned iface);
    const void *name_arg;
    struct schema_slot { /* schema -> its number and hash, by pointer: built by env_ports() */
        const struct proto_schema *schema;
        uint64_t hash;
        uint32_t index;
    } slots[256];
};

static inline const struct schema_slot *env_schema(const struct shard_env *env, const struct proto_schema *s)
{
    uint32_t i = (uint32_t)((uintptr_t)s >> 4) & 255;
    while (env->slots[i].schema != s)
        i = (i + 1) & 255;
    return &env->slots[i];
}

struct seg { /* a TCP segment beyond a hole */
    struct buf buf;
    uint64_t ts_ns;
    uint32_t seq, len, frame, next;
    uint32_t missing; /* behind them: the capture cut them */
    uint16_t file;
};

enum {
    SHARD_IDLE = 1024, /* flows that one look for idle ones goes through */
    SHARD_FAULTS = 16, /* pairs whose faulty fragments are told once a window; more: again, which the alert counts */
};

struct shard {
    const struct shard_env *env;
    struct out *out;
    struct eng_stats *stats;
    const struct pkt *pkt;     /* the packet being worked on, or the last one; NULL from a tick on */
    const struct layers *lay;
    uint64_t now_ns;           /* engine time: the highest so far */
    struct flow_table flows;
    uint16_t index;
    uint8_t epoch;
    struct fact_set facts;
    struct seen_table seen;
    struct told_table told;    /* of thresholds */
    struct repeats repeats;
    uint64_t *assets;          /* digests of (net, addr, mac) told, sets of 8 */
    uint64_t assets_evicted;
    uint64_t expire_ns;        /* when idle flows are looked at next */
    uint64_t counts_ns;        /* when counts are reported next */
    struct dis_rt rt;
    struct link_table links;
    struct shard_conf conf;
    struct bufpool buffers, states;
    struct seg *segs;
    uint32_t seg_free;
    uint32_t asset_hand;
    uint32_t ndpi_hand;
    uint64_t ndpi_asked[LIM_NDPI_LINKS];         /* links: digest, in its low bits what nDPI was shown (worker.c) */
    uint32_t *ndpi;            /* flows that nDPI looks at, oldest at ndpi_hand; FLOW_NONE and ended ones are free */
    uint32_t n_idle;
    uint32_t idle[SHARD_IDLE]; /* those looked at last, in that order: a wish what to fetch, nothing more */
    struct unseen unseen;      /* sent, and never here */
    struct cyclic cyclic;
    struct copies copies;
    uint64_t fragment_faults[SHARD_FAULTS]; /* told since counts were told: digests */
};

/* What the shards of one worker have in common: memories of what was told, which only save time. Which shards are busy
 * is the plant's matter, so they are where it is needed. */
struct shard_common {
    struct again_store kept;
    struct seen_table seen;
};
/* Of n shards; it takes no more of mem than shard_hot_bytes() has for it in each of them. */
int shard_common_init(struct shard_common *c, const struct shard_conf *conf, unsigned n,
                      struct table_mem *mem) MUST_USE;
/* NULL when mem has no room. The shard lies in mem, with shard_hot_bytes() and shard_cold_bytes() of it. common may be
 * NULL: it is alone. */
struct shard *shard_new(unsigned index, const struct shard_conf *conf, const struct shard_env *env,
                        struct shard_common *common, struct event *scratch, struct out *out, struct eng_stats *stats,
                        struct table_mem *mem);
void shard_done(struct shard *s); /* what others gave; its memory is mem's */
size_t shard_hot_bytes(const struct shard_conf *conf);
size_t shard_cold_bytes(const struct shard_conf *conf);
/* A packet on its way into its shard: what decoding found, and where its flow is looked up. */
struct job {
    struct layers lay;
    struct flow_key key;
    uint64_t hash;
    uint64_t looked;           /* flow_table.changes when flow was looked up; 0: it was not */
    union {
        uint32_t *bucket;      /* on the way there */
        struct flow *flow;     /* NULL: there was none */
    };
    uint8_t shard, side;
    uint8_t decoded;           /* enum decoded */
};
/* Pure preparation, for a batch at a time: the key and its hash. */
void shard_prepare(const struct shard_env *env, const struct pkt *p, struct job *j);
/* The look-up of the flow in steps, each of which begins with what the one before told the cache to fetch. */
struct shard_door {            /* what the first step needs of each shard, together */
    struct shard *shard;
    uint32_t *buckets;
    uint64_t mask;
};
void shard_look_bucket(const struct shard_door *d, struct job *j);
void shard_look_flow(const struct shard *s, struct job *j);
/* True: it goes to the flow's dissector, for which there are two more steps. */
bool shard_look_find(const struct shard *s, struct job *j);
void shard_look_state(const struct shard *s, const struct job *j);
void shard_look_new(const struct shard *s, const struct job *j); /* there is no flow yet */
void shard_look_on(const struct shard *s, const struct job *j);
/* The same at once. */
void shard_look(const struct shard *s, struct job *j);
/* The whole packet path. now_ns: engine time, never less than before. */
void shard_packet(struct shard *s, const struct pkt *p, const struct job *j, uint64_t now_ns);
/* Packet time has passed this boundary (whole seconds). flush: a window ends here (counts: every fifth). */
void shard_tick(struct shard *s, uint64_t ts_ns, bool flush);
/* The packet clock was set back, from ts_ns to to_ns: what belongs to the time that was ends. */
void shard_set_back(struct shard *s, uint64_t ts_ns, uint64_t to_ns);
/* The end of the input. */
void shard_end(struct shard *s, uint64_t ts_ns);

/* ---- between the files of the packet path ---- */

/* stream.c */
void stream_segment(struct shard *s, struct flow *f, unsigned side, const struct pkt *p, const struct layers *l);
void stream_free(struct shard *s, struct flow *f);      /* buffers of both directions */
void stream_drain(struct shard *s, struct flow *f);     /* give up holes: the flow ends */
void stream_tick(struct shard *s, struct flow *f, uint64_t now_ns);
/* stream_pdu.c */
/* The payload of a packet, which is the next in order, from its skip-th byte on. */
void stream_deliver_packet(struct shard *s, struct flow *f, unsigned side, const struct pkt *p,
                           const struct layers *l, uint32_t skip);
void stream_part_drop(struct shard *s, struct half *h); /* the beginning of a PDU that waits for its rest */
void stream_lose_sync(struct shard *s, struct half *h); /* it must find its feet again */
void stream_missing(struct shard *s, struct half *h, uint32_t n); /* n bytes will not come; 0: unknown */
/* The same, and whose flow it is learns of it. */
void stream_hole(struct shard *s, struct flow *f, unsigned side, uint32_t missing);
void stream_forget(struct shard *s, struct flow *f, unsigned side, uint32_t missing); /* whose flow it is alone */
/* classify.c: payload of a flow that nobody owns yet. Returns true when it was consumed. */
struct chunk { /* payload with what the records say of it */
    const uint8_t *p;
    uint32_t len, frame;
    uint64_t ts_ns;
    uint16_t file;
    uint8_t side, cut, copy;
    const struct layers *lay;
};
void classify(struct shard *s, struct flow *f, const struct chunk *c);
void frame_deliver(struct shard *s, struct flow *f, const struct chunk *c); /* layer 2: one frame */
void classify_free(struct shard *s, struct flow *f);
void classify_hole(struct flow *f, unsigned side, uint32_t missing); /* among what is held */
void classify_end(struct shard *s, struct flow *f);     /* the flow ends */
/* foreign.c: on a port that is somebody's, what is not its protocol. */
bool foreign_here(const struct shard *s, const struct flow *f); /* whatever takes it is not the port's owner: tell */
void foreign_bytes(struct shard *s, const struct flow *f, uint32_t n); /* so many were looked at, and are nobody's */
bool foreign_app(struct shard *s, struct flow *f, const char *app); /* nDPI's word, to be told when all is known */
void foreign_tell(struct shard *s, struct flow *f, bool had_port);  /* the flow is given up */
/* The flow ends, nobody's yet; waits: an owner of its port wanted to see more. */
void foreign_end(struct shard *s, struct flow *f, bool waits);
/* Payload in order, to the flow's dissector (stream_pdu.c) or one datagram (dispatch.c). */
void stream_deliver(struct shard *s, struct flow *f, const struct chunk *c);
void datagram_deliver(struct shard *s, struct flow *f, const struct chunk *c);
/* The same for a frame whose context a probe has had. */
void frame_dispatch(struct shard *s, struct flow *f, struct dis_ctx *x, struct cur pdu);
/* dispatch.c: one PDU to the dissector. The context is made once a chunk (make_ctx); what a call may change in it is
 * set anew for each PDU. */
enum verdict dispatch(struct shard *s, struct flow *f, struct dis_ctx *x, struct cur pdu);
void make_ctx(struct shard *s, struct flow *f, const struct chunk *c, struct dis_ctx *x);
/* Of a packet that is gone: what the flow knows of all packets of that side. */
void flow_layers(const struct flow *f, unsigned side, struct layers *ret);
void learn_dir(struct shard *s, struct flow *f, unsigned side, const struct dis_ctx *x);
bool flow_claim(struct shard *s, struct flow *f, const struct dissector *d, bool on_port);
void flow_unclaim(struct shard *s, struct flow *f);
void flow_lost(struct shard *s, struct flow *f, unsigned side); /* no PDU; one too many: unclaimed */
static inline void half_good(struct half *h)
{
    unsigned open = h->lost_syncs >> 8;
    h->lost_syncs = (uint16_t)((open - (open != 0)) << 8);
}
static inline void half_lost(struct half *h)
{
    h->lost_syncs = (uint16_t)(h->lost_syncs + ((h->lost_syncs & 255) != 255));
}
/* report.c: records */
extern const struct rt_sink shard_sink;
void report_link(struct shard *s, struct flow *f);      /* make sure the flow has its link */
unsigned guess_server(const struct flow *f);             /* side that serves, where nothing tells for sure */
/* False: it was the last that was told of the link. */
bool report_app(struct shard *s, struct flow *f, const char *app, bool from_ndpi, bool tls, bool wrong_port);
void report_asset(struct shard *s, const struct addr *a, const uint8_t *mac, uint8_t via, uint16_t net);
/* The tag nearest to the packet, or what the card took off; 0: none. */
static inline uint16_t inner_vlan(const struct layers *l, const struct pkt *p)
{
    return l->n_vlan ? l->vlan[l->n_vlan - 1u] : p->vlan_tci & 0xfffu;
}
/* What report_asset() looks for among those that were told, and where. */
static inline uint64_t asset_digest(const struct shard *s, const struct addr *a, const uint8_t *mac, uint16_t net,
                                    uint16_t vlan)
{
    uint64_t d = hash_bytes(s->env->hash_key ^ net ^ (uint32_t)vlan << 16, a, sizeof *a);
    return (mac ? hash_mix(d, hash_bytes(0, mac, 6)) : d) | 1;
}
static inline uint64_t *asset_set(const struct shard *s, uint64_t digest)
{
    return &s->assets[(digest >> 8) & (s->conf.n_assets - 1) & ~7u];
}
void report_fault(struct shard *s, struct flow *f, unsigned side, enum packet_fault fault); /* of s->pkt */
void report_fragment_fault(struct shard *s, const struct job *j, enum packet_fault fault);  /* the same, of no flow */
void report_counts(struct shard *s, struct flow *f);    /* the flow's counters to its link */
void report_flush(struct shard *s, uint64_t ts_ns);     /* all counters of links and facts to it */
void report_counted(void *shard, const struct rec_counted *r);
void report_repeat_count(void *shard, const struct rec_anomaly *r);
/* What messages of one kind have in common, as a number: two devices, the worst anomaly (schema_worst()), and all that
 * tells what these devices are (baseline/roles.c). */
uint64_t report_like(const struct shard *s, const struct dis_ctx *x, const struct event *e, int worst);
/* Is it to be told? Else one of its kind was, and it was counted. like: report_like(); hit: of the rule that tells of
 * it, whose alert tells more apart (raise_act.c), or REC_NO_HIT. */
bool report_is_new(struct shard *s, const struct dis_ctx *x, const struct event *e, uint64_t like, unsigned hit,
                   uint64_t object);
void report_malformed(void *shard, struct dis_ctx *x, const struct proto_schema *schema, unsigned bit); /* rt_sink */
void report_fact_count(struct shard *s, uint64_t digest, const struct fact_slot *c, uint64_t ts_ns);
void report_fact_error(struct shard *s, const struct fact_failed *f, uint64_t ts_ns);
void report_errors(struct shard *s, uint64_t ts_ns);    /* the counters of errors to the collector */
void report_event(void *shard, struct dis_ctx *x, struct event *e); /* rt_sink.event */
void report_unpack(const struct rec_event *r, const void *packed, struct event *ret); /* packed: as r->packed says */
bool report_again(void *shard, struct dis_ctx *x, const struct rt_again *m); /* rt_sink.again */
bool report_join(void *shard, const struct rt_seen *of, unsigned n, struct rt_seen *ret); /* rt_sink.join */
static inline const struct addr *end_addr(const struct flow *f, unsigned hi)
{
    return hi ? &f->key.hi : &f->key.lo;
}
static inline void count_message(struct shard *s, const struct proto_schema *schema, unsigned n)
{
    unsigned i = env_schema(s->env, schema)->index;
    s->stats->messages[i < 63 ? i : 63] += n;
}
void flow_end(struct shard *s, struct flow *f);
/* Is this the segment that this side sent a moment ago, seen once more (a mirror port that copies both ways)? `sum`
 * covers what both have in common; TTL, MAC addresses, VLAN tags and checksums may differ. */
static inline bool is_copy(const struct shard *s, struct half *h, uint32_t sum, uint64_t ts_ns)
{
    bool copy = __builtin_expect(sum == h->copy_sum, 0) && s->conf.duplicate_ns &&
                (ts_ns > h->copy_ns ? ts_ns - h->copy_ns : h->copy_ns - ts_ns) <= s->conf.duplicate_ns;
    h->copy_sum = sum;
    h->copy_ns = ts_ns;
    return copy;
}
static inline enum dir flow_dir(const struct flow *f, unsigned side)
{
    return f->client > 1 ? DIR_UNKNOWN : side == f->client ? DIR_C2S : DIR_S2C;
}
/* What make_ctx() takes from the flow, the packet's part being left to the caller. Field by field: most of the
 * structure need not be cleared. */
static inline void flow_ctx(struct shard *s, struct flow *f, unsigned side, uint8_t transport, struct dis_ctx *x)
{
    enum { FROM = offsetof(struct dis_ctx, sender), TO = offsetof(struct dis_ctx, rt) };
    _Static_assert(sizeof(struct dis_ctx) == 160, "a new field is to be set here, or by all who call this");
    uint32_t ports = f->key.lo_port | (uint32_t)f->key.hi_port << 16;
    ports = side ? ports << 16 | ports >> 16 : ports;
    x->transport = transport;
    x->on_port = f->on_port;
    x->dir = (uint8_t)flow_dir(f, side);
    x->dir_sure = 0;
    x->sport = (uint16_t)ports;
    x->dport = (uint16_t)(ports >> 16);
    x->key = &f->key;
    x->flow_id = f->id;
    x->state = f->state.p;
    x->side = (uint8_t)side;
    memset((uint8_t *)x + FROM, 0, TO - FROM);
    x->rt = &s->rt;
    x->fr = &f->rt;
    x->owner = f;
    x->dis = f->dis;
    x->group = 0;
    x->offset = 0;
    x->pdu = (struct span){0};
}
