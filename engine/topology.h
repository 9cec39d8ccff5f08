/* topology.h: what switches and rings say of themselves: the network has found another way. RSTP (IEEE 802.1Q 14), MRP
 * (IEC 62439-2), DLR (CIP volume 2, 9-5), HSR and PRP (IEC 62439-3). Only as far as it explains what is not seen any
 * more: no dissector, no event. */
#pragma once

#include <stdint.h>

#include "engine/base/addr.h"

enum topology_how { TOPOLOGY_RSTP, TOPOLOGY_MRP, TOPOLOGY_DLR, TOPOLOGY_HSR };
enum topology_what { TOPOLOGY_CHANGED, TOPOLOGY_OPEN, TOPOLOGY_CLOSED };
struct rec_topology {
    uint64_t ts_ns;
    struct addr from;  /* who says so: a MAC */
    uint16_t net, vlan, iface, file;
    uint32_t frame;
    uint8_t how, what;
};

struct shard;
struct flow;
struct layers;
struct pkt;
/* EtherType, DSAP or SNAP type of a frame that topology_frame() reads. */
static inline int topology_type(uint16_t type)
{
    return type == 0x42 || type == 0x88e3 || type == 0x80e1 || type == 0x88fb || type == 0x010b;
}
/* Tells the collector of changes; f->topology remembers. */
void topology_frame(struct shard *s, struct flow *f, const struct pkt *p, const struct layers *l);
