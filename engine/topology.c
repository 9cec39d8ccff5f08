/* topology.c: frames of redundancy protocols, as far as they tell of a change.
 *
 *   BPDU  LLC 42 42 03 (PVST+: SNAP 00000c 010b) | protocol 0 0 | version | type 0, 2: flags with TC 01; 80: TCN
 *   MRP   88e3 | version 2 | type | length | ...   type 3: topology change; 2 (test): priority 2, MAC 6, port 2,
 *         ring state 2: 0 open, 1 closed
 *   DLR   80e1 | 02 | version | type 1 (beacon), 6 (announce) | port | IP 4 | sequence 4 |
 *         ring state: 1 normal, 2 fault
 *   HSR and PRP supervision: 88fb, from each node over both ways; over one alone where the ring is cut */
#include "engine/topology.h"

#include "engine/shard.h"
#include "engine/worker.h"

enum { /* struct flow.topology */
    IS_OPEN = 1,
    IS_CLOSED = 2,
    TC = 1,
    /* HSR */
    ON_A = 1,
    ON_B = 2,
    CUT = 4,
    ONE_IN_A_ROW = 8, /* frames over one way without one over the other: a counter from this bit on */
    ROW_MOST = 10,
};

static void tell(struct shard *s, const struct flow *f, const struct pkt *p, const struct layers *l,
                 enum topology_how how, enum topology_what what)
{
    struct rec_topology r = {.ts_ns = p->ts_ns, .from = addr_mac(l->smac), .net = f->key.net, .vlan = f->vlan,
                             .iface = p->iface, .file = p->file, .frame = p->frame, .how = (uint8_t)how,
                             .what = (uint8_t)what};
    out_put(s->out, RK_TOPOLOGY, &r, sizeof r);
}

static void bpdu(struct shard *s, struct flow *f, const struct pkt *p, const struct layers *l, struct cur c)
{
    enum { CONFIG = 0, RSTP = 2, TCN = 0x80, FLAG_TC = 1 };
    if (l->ethertype == 0x42)
        cur_skip(&c, 3);
    uint16_t protocol = cur_u16be(&c);
    cur_skip(&c, 1);
    uint8_t type = cur_u8(&c), flags = type == TCN ? FLAG_TC : cur_u8(&c);
    if (!cur_ok(&c) || protocol || (type != CONFIG && type != RSTP && type != TCN))
        return;
    if (flags & FLAG_TC && !(f->topology & TC))
        tell(s, f, p, l, TOPOLOGY_RSTP, TOPOLOGY_CHANGED);
    f->topology = flags & FLAG_TC ? TC : 0;
}

/* A state that is not the one before; the first one is no change. */
static void ring_state(struct shard *s, struct flow *f, const struct pkt *p, const struct layers *l,
                       enum topology_how how, bool closed)
{
    uint8_t now = closed ? IS_CLOSED : IS_OPEN;
    if (f->topology && f->topology != now)
        tell(s, f, p, l, how, closed ? TOPOLOGY_CLOSED : TOPOLOGY_OPEN);
    f->topology = now;
}

static void mrp(struct shard *s, struct flow *f, const struct pkt *p, const struct layers *l, struct cur c)
{
    enum { TEST = 2, CHANGE = 3 };
    cur_skip(&c, 2);
    uint8_t type = cur_u8(&c);
    cur_skip(&c, 1 + 2 + 6 + 2);
    uint16_t state = cur_u16be(&c);
    if (type == CHANGE)
        tell(s, f, p, l, TOPOLOGY_MRP, TOPOLOGY_CHANGED);
    else if (type == TEST && cur_ok(&c) && state <= 1)
        ring_state(s, f, p, l, TOPOLOGY_MRP, state == 1);
}

static void dlr(struct shard *s, struct flow *f, const struct pkt *p, const struct layers *l, struct cur c)
{
    enum { SUBTYPE = 2, BEACON = 1, ANNOUNCE = 6, NORMAL = 1, FAULT = 2 };
    uint8_t sub = cur_u8(&c);
    cur_skip(&c, 1);
    uint8_t type = cur_u8(&c);
    cur_skip(&c, 1 + 4 + 4);
    uint8_t state = cur_u8(&c);
    if (cur_ok(&c) && sub == SUBTYPE && (type == BEACON || type == ANNOUNCE) && (state == NORMAL || state == FAULT))
        ring_state(s, f, p, l, TOPOLOGY_DLR, state == NORMAL);
}

static void supervision(struct shard *s, struct flow *f, const struct pkt *p, const struct layers *l)
{
    uint8_t way = l->lan_id & 1 ? ON_B : ON_A;
    unsigned row = f->topology / ONE_IN_A_ROW;
    uint8_t last = row ? f->topology & (ON_A | ON_B) : 0;
    if (!(l->what & LAY_HSR_PRP))
        return;
    if (!last || last == way) {
        row = row < ROW_MOST ? row + 1 : row;
    } else { /* both ways */
        if (f->topology & CUT)
            tell(s, f, p, l, TOPOLOGY_HSR, TOPOLOGY_CLOSED);
        f->topology = (uint8_t)(way | ONE_IN_A_ROW);
        f->both_ways = 1;
        return;
    }
    if (row == ROW_MOST && f->both_ways && !(f->topology & CUT)) {
        tell(s, f, p, l, TOPOLOGY_HSR, TOPOLOGY_OPEN);
        f->topology |= CUT;
    }
    f->topology = (uint8_t)(way | (f->topology & CUT) | row * ONE_IN_A_ROW);
}

void topology_frame(struct shard *s, struct flow *f, const struct pkt *p, const struct layers *l)
{
    struct cur c = cur_make(l->payload, l->payload ? l->payload_len : 0);
    switch (l->ethertype) {
    case 0x010b:
        if (l->snap_oui == 0x00000c)
            bpdu(s, f, p, l, c);
        break;
    case 0x42:
        bpdu(s, f, p, l, c);
        break;
    case 0x88e3:
        mrp(s, f, p, l, c);
        break;
    case 0x80e1:
        dlr(s, f, p, l, c);
        break;
    case 0x88fb:
        supervision(s, f, p, l);
        break;
    default:
        break;
    }
}
