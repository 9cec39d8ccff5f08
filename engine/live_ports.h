/* live_ports.h: watches the interfaces of a live run: silence, traffic that is back, links that are down, packets that
 * were dropped. Collector only. */
#pragma once

#include "capture/source.h"

struct raise;

enum { PORT_HOURS = 24 };
struct port_hour { /* of the day, UTC */
    uint32_t longest_s;             /* longest time without a packet that was normal */
    uint32_t told_s, told_day;      /* and one that was told as silence: normal when it comes again on another day */
    bool known;                     /* a packet was seen in this hour */
};
struct port_watch {
    uint64_t packets, kernel, nic, last_ns;
    struct port_hour hour[PORT_HOURS];
    bool begun, silent, down;
};
struct live_ports {
    struct port_watch port[SOURCE_PORTS];
    uint64_t silence_ns;            /* never told before; 0: never at all */
};

/* Once a second. */
void live_ports_watch(struct live_ports *w, struct raise *r, const struct source_port *p, unsigned n, uint64_t now_ns);
