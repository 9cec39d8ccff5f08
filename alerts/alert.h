/* alert.h: from "this is wrong" to one folded, numbered, explained record.
 *
 * Repetitions (same type, subject and object) fold into one uid by windows of packet time: the first is sent at once
 * (update 1); at the end of a window in which it came again an update with the new count is sent; after a whole window
 * without it the uid ends. The receiver's key is (uid, update). When a table is full the alert that was quiet longest
 * ends, and what it still owes is sent first. Single-threaded, owned by the collector; no allocation after start. */
#pragma once

#include "alerts/catalogue.h"
#include "engine/base/err.h"
#include "engine/base/record.h"

enum {
    ALERT_MAX_FRAMES = 16,
    ALERT_ALSO = 6,
    ALERT_TEXT = 1024,
    ALERT_LINE = 65536, /* longer: the event's own object is left out */
};

/* Addresses of an alert that has no event record. */
struct alert_flow {
    uint64_t flow_id;     /* 0: none */
    struct addr src, dst; /* all zero: none */
    uint8_t smac[6], dmac[6];
    uint16_t sport, dport, vlan[2], iface, file;
    uint32_t frame; /* 0: none */
    uint8_t l4, n_vlan, has_mac, has_ports, has_src, has_dst;
    const char *app;       /* app_proto, NULL */
    const char *community; /* community_id, NULL */
};

struct alert_in {
    const struct alert_type *type;
    const char *title; /* NULL: the type's. Rules and anomalies bring a better one */
    uint64_t ts_ns;
    const struct rec_event *event;      /* its record is the frame of the alert; NULL: flow is */
    struct alert_flow flow;             /* used when event is NULL */
    const struct asset_info *src, *dst; /* NULL: unknown */
    const char *why, *expected, *seen;  /* sentences for people; NULL: none */
    const char *mode;                   /* "learn" or "live" */
    uint8_t severity;                   /* after marks; 0: the type's */
    const char *maintenance;            /* name of the window that lowered it, NULL */
    const char *accept;                 /* the command that makes it normal, NULL */
    const char *anomaly;                /* name of the anomaly, NULL */
    const struct alert_type *also[ALERT_ALSO]; /* other types that the same act is of: told in this alert */
    uint32_t n_also;
    bool loss, one_way, clock_bad;
    /* Evidence beyond the event's own */
    uint32_t frames[ALERT_MAX_FRAMES];
    uint32_t n_frames; /* 0: those of the event or the flow */
    /* Folding: the same type, subject and object is the same alert. Subject: who ("0/10.0.0.5>10.0.0.9"); object: what.
     */
    const char *subject, *object;
    uint64_t fold;     /* instead of subject and object: a stable id of their own (deviations); 0: none */
    uint64_t count;    /* occurrences that this stands for; 0 counts as 1 */
    uint64_t first_ns; /* 0: ts_ns */
    bool absolute;     /* count and the sentences are the whole story so far and replace what was told before;
                        * with fold and first_ns: a uid that had ended goes on */
    bool news;         /* it says more than what was told of the open alert: sent at once */
};

/* What leaves: the columns that a store wants, and the line (without newline). Borrowed for the call. */
struct alert_out {
    uint64_t uid; /* in the record as 16 hex digits */
    uint32_t update, sid;
    uint8_t severity, engine; /* enum alert_severity, enum alert_engine */
    uint8_t has_src, has_dst;
    uint64_t first_ns, last_ns, count;
    uint64_t src_asset, dst_asset; /* 0 unknown */
    struct addr src, dst;
    const char *id, *title, *why;
    const char *accept; /* the command, NULL none */
    const char *line;
    uint32_t line_len;
};
struct alert_sink {
    void *ctx;
    /* 0 or -errno; a failure is counted, the sink keeps what it could not deliver (or counts it). */
    int (*put)(void *ctx, const struct alert_out *a);
};

/* What the store knows of a uid: an alert that is met again goes on from there. */
struct alert_past {
    uint32_t update;
    uint64_t count;
};

enum { ALERT_MAX_SINKS = 8 };
struct alert_conf {
    const char *host;        /* sensor name: part of the uid */
    uint64_t hash_key;       /* of the table: random live, fixed in replay */
    uint64_t window_ns;      /* 0: ten minutes */
    uint32_t rate;           /* first alerts of one type in one window; 0: 1000 */
    uint32_t max_open;       /* limits.alerts_open */
    uint32_t bytes;          /* limits.alert_bytes */
    uint32_t evidence_bytes; /* 0: 64 */
    /* Names by index, for pcap_filename and in_iface of records without an event; may be NULL, may return NULL */
    const char *(*file_name)(const void *arg, unsigned file), *(*iface_name)(const void *arg, unsigned iface);
    const void *name_arg;
    /* The file that will hold the packets around an alert, the same for each call of one uid; may be NULL, may return
     * NULL. */
    const char *(*capture)(void *ctx, const struct alert_in *in, uint64_t uid);
    void *capture_ctx;
    const struct alert_change *changes;
    uint32_t n_changes;
    struct alert_sink sinks[ALERT_MAX_SINKS];
    uint32_t n_sinks;
    void *ctx;
    /* What earlier runs told; false: nothing. May be NULL. */
    bool (*past)(void *ctx, uint64_t uid, struct alert_past *ret);
};
/* The operator's word on a type: off, or another severity. */
struct alert_change {
    const char *id;
    uint8_t severity; /* 0: off (counted) */
};

struct alert_stats {
    uint64_t raised;                       /* calls of alert_raise */
    uint64_t opened, updates, folded;      /* uids; lines after the first; occurrences folded into an open uid */
    uint64_t limited;                      /* occurrences beyond the rate, counted in the alert of their type */
    uint64_t evicted;                      /* ended early because a table was full */
    uint64_t muted;                        /* off by configuration */
    uint64_t sink_errors, shortened;       /* shortened: records without the event's own object */
    uint64_t by_severity[5], by_engine[5]; /* of uids */
};

struct alerts;
int alerts_new(struct alerts **ret, const struct alert_conf *c, struct err *e) MUST_USE;
void alerts_free(struct alerts *a); /* sends nothing: alerts_finish() first */

void alert_raise(struct alerts *a, const struct alert_in *in);
/* The operator switched that type off. */
bool alert_off(const struct alerts *a, const char *id);
/* Under which fold the last alert_raise() is open; 0: it was not opened as itself (muted, over the rate). */
uint64_t alert_last_fold(const struct alerts *a);
/* `count` more occurrences of an open alert that have nothing new to say: what alert_raise() would do, without words.
 * severity: as of alert_in, 0 no worse than was told. False: it is not open (any more), or this is worse. */
bool alert_repeat(struct alerts *a, uint64_t fold, uint64_t ts_ns, uint64_t count, uint8_t severity);
/* More is known of an open alert: its sentence from byte `keep` on is replaced, its count is at least `count`. False:
 * it is not open (any more). */
bool alert_amend(struct alerts *a, uint64_t fold, uint64_t ts_ns, uint64_t count, uint8_t severity, uint32_t keep,
                 const char *more);
/* What identifies the alerts of a type, subject and object for good, whatever their time: what accepting one names. */
uint64_t alert_key(const char *type, const char *subject, const char *object);
/* Packet time has reached ts_ns: windows that ended are closed, their updates sent. */
void alerts_tick(struct alerts *a, uint64_t ts_ns);
/* The end of the input: everything owed is sent. */
void alerts_finish(struct alerts *a);
void alerts_stats(const struct alerts *a, struct alert_stats *ret);
uint64_t alerts_memory(const struct alerts *a);
