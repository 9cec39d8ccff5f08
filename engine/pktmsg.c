#include "engine/pktmsg.h"

static bool payload_inside(const struct layers *l)
{
    uint32_t n_l3 = l->l3 ? l->l3_len : 0, n = l->payload ? l->payload_len : 0;
    return l->l3 && l->payload >= l->l3 && l->payload + n <= l->l3 + n_l3;
}

uint32_t pkt_msg_bytes(const struct layers *l)
{
    uint32_t n_l3 = l->l3 ? l->l3_len : 0, n = l->payload ? l->payload_len : 0;
    return (uint32_t)sizeof(struct pkt_msg) + (payload_inside(l) ? n_l3 : n + n_l3);
}

void pkt_msg_fill(struct pkt_msg *m, const struct pkt *p, const struct job *j, uint64_t now_ns)
{
    const struct layers *l = &j->lay;
    uint32_t n_l3 = l->l3 ? l->l3_len : 0, n = l->payload ? l->payload_len : 0;
    bool inside = payload_inside(l);
    uint8_t *b = (uint8_t *)(m + 1);
    m->now_ns = now_ns;
    m->pkt = *p;
    m->job = *j;
    m->payload_off = inside ? (uint32_t)(l->payload - l->l3) : n_l3;
    m->payload_at = n && l->payload >= p->data && l->payload < p->data + p->caplen ? (uint32_t)(l->payload - p->data)
                                                                                 : PM_ELSEWHERE;
    if (n_l3)
        memcpy(b, l->l3, n_l3);
    if (!inside && n)
        memcpy(b + n_l3, l->payload, n);
}

/* Where the packet would begin if all of it lay around its payload: offsets in records are differences to this, the
 * same as with one worker. Nothing is read there. */
static const uint8_t *packet_begin(const struct pkt_msg *m)
{
    uintptr_t payload = (uintptr_t)(m + 1) + m->payload_off;
    return m->payload_at == PM_ELSEWHERE ? NULL : (const uint8_t *)(payload - m->payload_at);
}

void pkt_msg_open(struct pkt_msg *m)
{
    m->pkt.data = packet_begin(m);
    if (m->job.lay.payload)
        m->job.lay.payload = (const uint8_t *)(m + 1) + m->payload_off;
    if (m->job.lay.l3)
        m->job.lay.l3 = (const uint8_t *)(m + 1);
}
