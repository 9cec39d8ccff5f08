/* trailer.h: bytes behind a frame that are not the frame's: the check sequence (FCS), which some cards hand on, and
 * what a packet broker appends, mostly a time stamp. They are taken off before decoding: a frame that does not tell its
 * own length would seem to end with them, and a PRP trailer would not stand at its end.
 *
 * Recognised by themselves: the FCS (IEEE 802.3 3.2.9, by its CRC), the trailers of Metamako (Arista 7130) and Exablaze
 * (they hold the FCS that the frame had), those of Ixia and Gigamon (by signature and checksum). By the lengths of IP
 * packets: VSS Monitoring (NetScout), whose time stamp must be near the capture's; and any other, where 32 packets in a
 * row have as many bytes too many.
 *
 * The first frames of an interface are looked at, then one in 64, all from the first finding on. */
#pragma once

#include "engine/base/pkt.h"

enum { TRAILER_PORTS = 64 }; /* interfaces; more share a state with others */

struct trailer_port {
    uint32_t wait;           /* frames that are not looked at */
    uint32_t none;           /* in a row that had nothing */
    uint16_t extra, same;    /* bytes behind the last IP packet; packets in a row that had so many */
    uint8_t vss;             /* length of a VSS trailer; 0: none seen */
};

struct trailers {
    struct trailer_port port[TRAILER_PORTS];
    uint64_t fcs, stamped;   /* frames with a check sequence; with a broker's trailer */
    uint32_t crc[4][256];
};

void trailers_init(struct trailers *t);
/* Of an Ethernet frame that is due to be looked at: how many bytes at its end are not its own. */
uint32_t trailer_look(struct trailers *t, const struct pkt *p);

static inline struct trailer_port *trailer_port(struct trailers *t, const struct pkt *p)
{
    return &t->port[(p->iface + p->file) % TRAILER_PORTS];
}

static inline bool trailer_due(struct trailers *t, const struct pkt *p)
{
    struct trailer_port *port = trailer_port(t, p);
    if (port->wait == 0)
        return true;
    port->wait--;
    return false;
}
