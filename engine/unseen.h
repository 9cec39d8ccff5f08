/* unseen.h: packets that were sent and never came to the sensor: an oversubscribed mirror port, a burst, a hole in a
 * capture. Nobody counts them, but others tell: TCP acknowledges them, sequence numbers leave them out. Estimated by
 * interface and VLAN. One shard's part (its worker's), then the collector's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum unseen_by {
    UNSEEN_BYTES,    /* of TCP: acknowledged by who got them, and never here */
    UNSEEN_MESSAGES, /* left out of a protocol's sequence numbers */
    UNSEEN_FRAMES,   /* left out of the sequence numbers of a tunnelled mirror session (ERSPAN) */
    UNSEEN_KINDS
};

/* What a shard met since it told last. */
struct rec_unseen {
    uint64_t ts_ns;
    uint64_t n[UNSEEN_KINDS];
    uint64_t times;       /* holes, however large */
    uint16_t iface, vlan; /* vlan 0: no tag. Both UNSEEN_OTHERS: more ports than a shard keeps apart */
};
enum { UNSEEN_OTHERS = 0xffff, UNSEEN_PORTS = 8 };

/* Of a shard. The first hole of a window is told at once, so that what is raised from there on is marked; the others
 * when the window ends. */
struct unseen_port {
    uint64_t n[UNSEEN_KINDS], times;
    uint16_t iface, vlan;
    bool used;
};
struct unseen {
    struct unseen_port port[UNSEEN_PORTS];
};

struct shard;
struct flow;
void unseen_add(struct shard *s, uint16_t iface, uint16_t vlan, enum unseen_by by, uint64_t n);
/* The window ends. */
void unseen_flush(struct shard *s, uint64_t ts_ns);
/* The other side acknowledges up to ack what `side` was not seen to send (yet). */
void unseen_acked(struct shard *s, struct flow *f, unsigned side, uint32_t ack);
/* The first hole of that side is given up, because the other side has acknowledged what is in it. */
void unseen_hole(struct shard *s, struct flow *f, unsigned side, uint32_t end);

/* The flow ends: no more will come. */
void unseen_end(struct shard *s, struct flow *f);

/* ---- the collector's ---- */

enum { UNSEEN_ROWS = 64, UNSEEN_NAME = 64 }; /* interfaces and VLANs kept apart; the last row takes all others */
struct unseen_row {
    char iface[UNSEEN_NAME]; /* "": of no name */
    uint16_t vlan;
    uint64_t n[UNSEEN_KINDS], times;    /* of the whole run */
    uint64_t now[UNSEEN_KINDS], now_times; /* of this window */
};
struct unseen_table {
    struct unseen_row row[UNSEEN_ROWS];
    unsigned n;
};
void unseen_count(struct unseen_table *t, const struct rec_unseen *r, const char *iface);

struct raise;
/* The window ends: where many were lost, it is told. */
void unseen_tick(struct unseen_table *t, struct raise *r, uint64_t ts_ns);
