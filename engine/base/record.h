/* record.h: what the workers tell the collector, and what the collector's parts (baseline, rules, alerts, store) share.
 *
 * A worker reports a fact when it is new to its shard, and counts repetitions; counts are flushed once a window. All
 * pointers in these records are borrowed for the duration of the call that hands them over. Records arrive in packet
 * order (merged), the same for any number of workers. */
#pragma once

#include "engine/base/addr.h"
#include "engine/base/event.h"

/* One item of an event as a fact: the digest covers (network, client, server, port-independent protocol, function,
 * selector, action, unit, sub, object). An event without items has one fact without object (kind REC_NO_KIND). */
enum { REC_NO_KIND = 0xff, REC_MAX_HITS = 16, REC_MAX_NEW = 128, REC_HITS_ALL = 0xffff };

struct rec_fact {
    uint64_t digest;
    uint32_t space, first, last;
    uint8_t kind, action, bit, has_range;
    uint8_t is_new;         /* not in the shard's set: reported for the first time (or after an eviction) */
    uint8_t new_error;      /* this error status is new for the fact */
    struct span name;
};

/* An event that somebody asked for: a new fact, a rule hit, an anomaly, or -e. */
struct rec_event {
    const struct proto_schema *schema;
    const struct op_row *op;
    uint64_t ts_ns, ts_first_ns, latency_ns;
    uint64_t flow_id, link;       /* link: digest of (net, client, server, l4 proto, server port) */
    uint64_t anomalies, tx_id;
    uint64_t object;              /* rules_object() of the event when n_hits > 0; else 0 */
    struct addr src, dst;         /* client and server, whoever sent */
    struct addr sender;           /* has_sender: who sent it in truth, through a router */
    struct addr far[2];           /* has_far bit 0, 1: the client and server behind src and dst, which are routers */
    uint8_t smac[6], dmac[6];     /* of client and server */
    uint16_t sport, dport, net, file, vlan[2], iface;
    uint32_t frame, function, selector, unit, sub, status, items_total;
    uint8_t kind, action, outcome, phase, l4, n_vlan;
    uint8_t has_unit, has_status, error, from_client, has_mac, has_sender;
    uint8_t has_far;
    uint8_t one_way;              /* TCP: the other side was never heard */
    uint8_t wanted;               /* bits REC_WANT_ */
    uint8_t is_tight;             /* packed is by ev_pack_record(), else by ev_pack() */
    uint8_t has_since;
    uint8_t learning;             /* the connection is still learned: for the collector's part of rules, by it */
    uint16_t n_hits, n_facts, offset; /* offset: of the message's bytes in the packet */
    const uint16_t *hits;         /* indices into the compiled rules whose packet-local part matched */
    const uint64_t *since;        /* of each: the count of its rule is reached, and began then, if it is one that
                                   * rule_count() counts. NULL: nobody counted yet */
    const struct rec_fact *facts; /* those that are new (is_new or new_error), at most REC_MAX_NEW */
    struct span json;             /* the whole event record, one line without the newline */
    uint32_t json_type_off, json_type_len; /* where the value of "event_type" stands in it, quotes included */
    struct span bytes;            /* first bytes of the message, for the evidence */
    struct span packed;           /* the event itself, where json was not written yet (raise_conf.event_json) */
    const char *app;              /* app_proto of the record */
};
/* The device itself, also behind a router. */
static inline const struct addr *rec_client(const struct rec_event *e)
{
    return e->has_far & 1 ? &e->far[0] : &e->src;
}
static inline const struct addr *rec_server(const struct rec_event *e)
{
    return e->has_far & 2 ? &e->far[1] : &e->dst;
}
enum { REC_WANT_FACT = 1, REC_WANT_HIT = 2, REC_WANT_ANOMALY = 4, REC_WANT_LOG = 8 };

/* A (network, address, MAC) that has sent something, new to the shard. */
struct rec_asset {
    uint64_t ts_ns;
    struct addr addr;             /* IP, the MAC where the packet had no IP, or a station's */
    struct addr through;          /* ASSET_VIA_PROTOCOL: whose packet it was that carried the message */
    uint8_t mac[6];
    uint8_t has_mac;
    uint8_t via;                  /* ASSET_VIA_ */
    uint16_t net, vlan, iface, file;
    uint32_t frame;
};
/* ASSET_VIA_PROTOCOL: a message says that it is from there, and a router or forwarder sent it on */
enum { ASSET_VIA_IP, ASSET_VIA_ARP, ASSET_VIA_L2, ASSET_VIA_PROTOCOL };

/* A link (client, server, protocol, server port) new to the shard. Created by the first packet. */
struct rec_link {
    uint64_t ts_ns, digest;
    struct addr client, server;
    uint8_t l4, sure;             /* sure: direction known by SYN, port or dissector; else a guess */
    uint8_t attempt;              /* only an attempt so far (SYN or ICMP without answer) */
    uint8_t group;                /* the server is none: multicast, or the broadcast of a subnet as its frame tells */
    uint16_t net, port, vlan, iface, file; /* port: server's; layer 2: EtherType; ICMP: type */
    uint16_t client_port;
    uint32_t frame;
};
/* The link's application protocol became known (or changed). */
#define REC_APP_UNKNOWN "unknown" /* it is not that of the port, and nobody knows which it is */
struct rec_link_app {
    uint64_t ts_ns, digest;
    const char *app;              /* schema name, or nDPI's name in lower case; static storage */
    uint8_t from_ndpi, tls, wrong_port; /* wrong_port: another protocol owns this port and this is not it */
    uint32_t frame;
    uint16_t file;
};
/* Counts of a link since its last flush. */
struct rec_link_count {
    uint64_t ts_ns, digest, last_ns; /* ts: the window's end; last: the last packet */
    uint64_t packets[2], bytes[2];   /* [0] client to server, [1] back; bytes on the wire */
    uint32_t errors, resets, retransmissions, gaps;
    uint32_t one_way, two_way;       /* TCP connections that were busy: one side alone was heard, or both */
    uint16_t vlan, iface;            /* of the latest of these */
};
/* Counts of a fact since its last flush. */
struct rec_fact_count {
    uint64_t ts_ns, digest, last_ns;
    uint32_t count, errors, period_us; /* period: running mean of the interval; 0: seen once */
};
/* How often it failed in that way since that was told last. Every error that is new is told, and counted here too. */
struct rec_fact_error {
    uint64_t ts_ns, digest, last_ns;
    uint32_t status, count;
};
/* What a threshold counts of a message, as rules_count_of() says: apart from others (group), and which (thing). */
struct rule_count {
    uint64_t group, thing;        /* group: not 0 */
};
/* A thing that was told as counted by the rule of that hit was met again since, the last time at last_ns. */
struct rec_counted {
    uint64_t last_ns;
    struct rule_count count;
    uint32_t hit;
};
/* Something learned of a device. */
struct rec_ident {
    uint64_t ts_ns;
    struct addr addr;
    const char *source;           /* schema name */
    struct span value;            /* UTF-8, at most REC_VALUE bytes, control characters removed */
    uint32_t sub;                 /* OBS_SELF, or slot/unit/outstation behind addr */
    uint32_t frame;
    uint16_t net, file;
    uint8_t kind;                 /* enum obs_kind */
    uint8_t confidence;
    uint8_t changed;              /* the shard knew another value */
};
enum { REC_VALUE = 128 };
/* Faults of packets below any protocol: rec_anomaly.bit where schema is NULL. One of each a flow and window. */
enum packet_fault { FAULT_HEADER, FAULT_FRAGMENTS, FAULT_NESTED, FAULT_SEGMENTS, FAULT_COUNT };

/* What alerts tell a message apart by, and its devices are judged by. */
struct rec_like {
    uint64_t anomalies, object;
    uint32_t function, selector, unit, sub, status;
    uint16_t hit;                 /* of the one rule that tells of the message itself, REC_NO_HIT */
    uint8_t kind, action, outcome, has_unit, error, from_client;
};
enum { REC_NO_HIT = 0xffff, REC_REPEAT_MANY = 10 };
/* Messages that break a standard and made no event, by connection; and those that were not told as events because one
 * of their kind was (of_event). The first in a window of the alerts is told at once, as is the REC_REPEAT_MANYth; the
 * others once a minute. */
struct rec_anomaly {
    uint64_t ts_ns, flow_id, link;
    const struct proto_schema *schema; /* NULL: the engine's own (decode, stream) */
    struct addr src, dst;
    uint16_t sport, dport, net, file;
    uint8_t l4, bit, of_event;    /* bit: of the anomaly, of what made no event */
    uint32_t frame, count, total; /* count: since it was told last; total: in the window */
    struct rec_like of;           /* of_event */
};
/* A publisher that did not speak by due_ns, or (back) speaks again after that was told. */
enum { REC_NAME = 48 };
struct rec_absent {
    uint64_t ts_ns, due_ns, last_ns, link, flow_id;
    const struct proto_schema *schema;
    struct addr src, dst;
    uint8_t smac[6], dmac[6];
    uint16_t net, vlan, iface, file, sport, dport; /* ports: of the last connection, where it has some */
    uint32_t unit, frame;         /* frame: of the last message, 0 not known */
    uint8_t l4, has_mac, back;
    char name[REC_NAME];          /* of what it publishes */
};
/* All workers have passed this boundary of packet time. */
struct rec_tick {
    uint64_t ts_ns;
    uint64_t jump_from_ns, jump_to_ns; /* the packet clock jumped; 0 0: it did not */
    uint32_t jump_frame;          /* with that packet */
    uint16_t jump_file;
    uint64_t frag_evicted;        /* datagrams given up for want of room, so far */
    uint64_t lost;                /* packets that never arrived, in this window */
    uint8_t last;                 /* end of the input */
    uint8_t lossy;                /* packets were lost in this window */
    uint8_t told;                 /* and it was told already, by interface (live) */
};

/* What alerts, rules and listings want to know of an asset; strings borrowed from the baseline until its next call. */
struct asset_info {
    uint64_t id;
    const char *name, *type, *vendor, *zone, *criticality;
    uint32_t roles;               /* ROLE_ bits */
    int purdue;                   /* -1 unknown; 35 is level 3.5 */
    uint64_t first_ns;
    uint8_t known;                /* learned or accepted */
    uint8_t engineer;             /* told as engineering station */
};
enum { ROLE_CONTROLLER = 1, ROLE_RTU = 2, ROLE_HMI = 4, ROLE_ENGINEERING = 8, ROLE_FIELD_DEVICE = 16, ROLE_GATEWAY = 32,
       ROLE_ROUTER = 64, ROLE_SERVER = 128, ROLE_WORKSTATION = 256, ROLE_HISTORIAN = 512, ROLE_SWITCH = 1024 };
