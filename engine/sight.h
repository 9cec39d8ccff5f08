/* sight.h: of which pairs of devices, and of which VLANs, only one direction is seen. There "no answer" means nothing.
 * Collector only. */
#pragma once

#include <stdbool.h>

#include "engine/base/record.h"

struct baseline;
struct raise;

enum {
    SIGHT_PAIRS = 1024, /* pairs of which one direction was ever seen alone; beyond: counted by their VLAN only */
    SIGHT_PORTS = 64,   /* interfaces and VLANs; beyond: the last stands for all others */
    SIGHT_NAME = 64,
};
struct sight_pair {
    uint64_t key;             /* 0: free */
    struct addr from, to;     /* who was heard, and who was not */
    uint32_t one, two;        /* connections that came up for counting since the last tick */
    uint16_t net, port;       /* port: index */
    bool one_way, news;       /* as judged last; not told yet */
};
struct sight_port {
    char iface[SIGHT_NAME];
    uint16_t vlan;            /* 0: no tag */
    uint32_t one, two, pairs; /* since the last tick; pairs judged now */
    bool one_way, news;
};
struct sight {
    struct sight_pair pair[SIGHT_PAIRS];
    struct sight_port port[SIGHT_PORTS];
    unsigned n_pairs, n_ports, n_one_way; /* n_one_way: pairs */
    bool any;                 /* something was counted since the last tick */
};

/* Counts of a link whose connections show one direction or both (rec_link_count.one_way, two_way). */
void sight_count(struct sight *s, const struct rec_link_count *r, uint16_t net, const struct addr *client,
                 const struct addr *server, const char *iface);
/* The window ends: judges, and tells what was not so before. b names the devices. */
void sight_tick(struct sight *s, struct baseline *b, struct raise *r, uint64_t ts_ns);
/* Was that VLAN of that interface judged to show one direction only? */
bool sight_port_one_way(const struct sight *s, const char *iface, uint16_t vlan);
/* Is only one direction seen between the two? */
bool sight_one_way(const struct sight *s, uint16_t net, const struct addr *a, const struct addr *b);
