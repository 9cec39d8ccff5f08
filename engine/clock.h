/* clock.h: the time of packets that arrive as they happen. A port's packets never go back in time, the host's clock is
 * watched for steps, and a time stamp that the host's clock contradicts is replaced by it: one bad port cannot stall or
 * hurry the others. Capture files and ports that play one keep the times that they have. */
#pragma once

#include <stdbool.h>

#include "capture/source.h"

enum { CLOCK_PORTS = 64 }; /* by number of file (every port is one); beyond: times are taken as they are */

struct live_clock {
    uint64_t real_ns, boot_ns;          /* at the last look */
    int64_t offset_ns;                  /* between the two */
    uint64_t last_ns[CLOCK_PORTS];      /* of the port's packets */
    bool paced[CLOCK_PORTS], any_paced;
    uint64_t late, bent;                /* packets moved by less than a second; replaced */
    bool looked;
};

/* Can the host's clock be believed? Not before this program was written (a sensor without a battery starts in 1970),
 * nor while it is set again and again. */
enum { CLOCK_EARLIEST_S = 1767225600 }; /* 2026-01-01 UTC */
struct clock_trust {
    int64_t offset_ns;      /* between the host's clock and the time since it was started */
    uint64_t stepped_ns;    /* boot time of the last step; 0: none yet */
    unsigned n_steps;       /* of which each came within a minute of the one before */
    bool looked, trusted;   /* trusted: as said last */
};
/* To be asked about once a second. */
bool clock_trusted(struct clock_trust *t);

/* Which ports keep the clock's pace. */
void clock_ports(struct live_clock *c, const struct source_port *p, unsigned n);
/* Reads both clocks. Returns the nanoseconds by which the host's clock was set since the last look; 0: it was not. */
int64_t clock_look(struct live_clock *c);
/* Corrects the times of a batch that was just polled. */
void clock_fix(struct live_clock *c, struct pkt *p, unsigned n);
