/* dpdk.c: dpdk:DEV[,ARGS], the queues of one DPDK port (DPDK 22.11 or newer). This and dpdk_dev.c are the only files
 * that know DPDK.
 *
 * DEV is a PCI address or a virtual device (net_pcap0,rx_pcap=a.pcap; net_af_packet0,iface=eth1; ...). Packets are read
 * where the port put them: a batch's mbufs go back to the pool at the next poll. Only a packet in several segments is
 * copied. The port has no transmit queue where its driver allows that, and nothing here can send.
 *
 * Time stamps: net_pcap brings those of its file; all others get the host's clock, once a burst. */
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "capture/dpdk_int.h"
#include "capture/netdev.h"

enum {
    SEGMENTED = BURST << 16, /* for packets in segments: a batch of the largest; only what is used is ever touched */
    END_LOOKS = 3,           /* empty polls after a file's last byte was read, until it has ended */
};

struct port { /* one source: some queues of a port */
    struct source s;
    struct device *d;
    uint16_t first, next;            /* its queues: first, and each n_sources further */
    struct rte_mbuf *held[BURST];    /* of the last batch */
    unsigned n_held;
    uint8_t *joined;                 /* packets that came in segments: SEGMENTED bytes */
    uint32_t joined_at;
    unsigned at_end;
    uint16_t iface;
};

/* ---- reading ---- */

static uint64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A packet in segments becomes one piece. */
static const uint8_t *join(struct port *p, const struct rte_mbuf *m, uint32_t *len)
{
    uint32_t room = SEGMENTED - p->joined_at;
    uint32_t n = m->pkt_len < room ? m->pkt_len : room;
    uint8_t *to = p->joined + p->joined_at;
    const void *at = rte_pktmbuf_read(m, 0, n, to);
    p->joined_at += (n + 63) & ~63u;
    if (p->joined_at > SEGMENTED)
        p->joined_at = SEGMENTED;
    *len = at ? n : 0;
    return at ? at : to;
}

static void release(struct port *p)
{
    rte_pktmbuf_free_bulk(p->held, p->n_held);
    p->n_held = 0;
    p->joined_at = 0;
}

static void view(const struct port *p, const struct rte_mbuf *m, const uint8_t *data, uint32_t len, struct pkt *ret)
{
    const struct device *d = p->d;
    *ret = (struct pkt){.ts_ns = ret->ts_ns, .data = data, .caplen = len, .wirelen = m->pkt_len, .linktype = 1,
                        .frame = ret->frame, .iface = p->iface, .flags = len < m->pkt_len ? PKT_CUT : 0};
    if (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)
        ret->vlan_tci = m->vlan_tci;
    if (d->file_time && m->ol_flags & d->ts_flag) /* net_pcap: microseconds since 1970 */
        ret->ts_ns = *RTE_MBUF_DYNFIELD(m, d->ts_off, const rte_mbuf_timestamp_t *) * 1000;
}

static void views(struct port *p, struct pkt *ret, uint16_t n)
{
    uint32_t frame = atomic_fetch_add_explicit(&p->d->frames, n, memory_order_relaxed);
    uint64_t now = clock_ns();
    for (unsigned i = 0; i < n; i++)
        rte_prefetch0(rte_pktmbuf_mtod(p->held[i], const void *));
    for (unsigned i = 0; i < n; i++) {
        const struct rte_mbuf *m = p->held[i];
        uint32_t len = m->data_len;
        const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
        if (__builtin_expect(m->nb_segs > 1, 0))
            data = join(p, m, &len);
        ret[i].ts_ns = now;
        ret[i].frame = ++frame;
        view(p, m, data, len, &ret[i]);
    }
}

/* A burst of the next queue that has something. */
static uint16_t burst(struct port *p, uint16_t max)
{
    const struct device *d = p->d;
    uint16_t begun = p->next, n;
    do {
        n = rte_eth_rx_burst(d->id, p->next, p->held, max);
        p->next = (uint16_t)(p->next + d->n_sources);
        if (p->next >= d->n_rx)
            p->next = p->first;
    } while (!n && p->next != begun);
    return n;
}

static int port_poll(struct source *src, struct pkt *ret, unsigned max)
{
    struct port *p = (struct port *)src;
    if (p->n_held)
        release(p);
    if (rte_lcore_id() == LCORE_ID_ANY)
        device_thread();
    uint16_t n = burst(p, (uint16_t)(max < BURST ? max : BURST));
    if (!n)
        return device_ended(p->d) && ++p->at_end >= END_LOOKS ? -ENODATA : 0;
    p->n_held = n;
    p->at_end = 0;
    views(p, ret, n);
    return n;
}

/* ---- counters ---- */

/* They are the port's: the source of its first queue tells them. */
static struct lost lost_of(const struct port *p)
{
    struct lost none = {0};
    return p->first ? none : device_lost(p->d);
}

static void port_stats(struct source *src, struct source_stats *ret)
{
    struct lost l = lost_of((struct port *)src);
    ret->dropped = l.kernel + l.nic;
}

static uint8_t link_of(const struct device *d)
{
    struct rte_eth_link link = {0};
    if (*d->netdev)
        return (uint8_t)netdev_link(d->netdev);
    return rte_eth_link_get_nowait(d->id, &link) ? SOURCE_LINK_UNKNOWN
           : link.link_status                    ? SOURCE_LINK_UP
                                                 : SOURCE_LINK_DOWN;
}

static unsigned port_ports(struct source *src, struct source_port *ret, unsigned max)
{
    struct port *p = (struct port *)src;
    if (!max)
        return 1;
    struct lost l = lost_of(p);
    *ret = (struct source_port){.packets = src->stats.packets,
                                .bytes = src->stats.bytes,
                                .dropped_kernel = l.kernel,
                                .dropped_nic = l.nic,
                                .opened = 1,
                                .iface = p->iface,
                                .link = link_of(p->d),
                                .paced = p->d->paced,
                                .blind = p->d->blind};
    snprintf(ret->name, sizeof ret->name, "%s", source_iface(src, p->iface));
    return 1;
}

static int port_fds(const struct source *src, int *ret, unsigned max)
{
    (void)src;
    (void)ret;
    (void)max;
    return -1;
}

static unsigned port_queues(const struct source *src)
{
    return ((const struct port *)src)->d->n_sources;
}

/* ---- the ends ---- */

static void port_close(struct source *src)
{
    struct port *p = (struct port *)src;
    if (p->n_held)
        release(p);
    if (p->d)
        device_close(p->d);
    free(p->joined);
    source_done(src);
    free(p);
}

static int port_open(const char *const *what, unsigned n, const struct source_conf *conf, struct err *e,
                     struct source **ret)
{
    static const char *const no_file[] = {""};
    (void)n;
    struct port *p = calloc(1, sizeof *p);
    if (!p)
        return err_set(e, -ENOMEM, "no memory to capture");
    p->joined = malloc(SEGMENTED);
    int rc = source_init(&p->s, &source_dpdk_ops, no_file, 1);
    if (rc || !p->joined) {
        port_close(&p->s);
        return err_set(e, -ENOMEM, "no memory to capture");
    }
    if (conf->first) {
        p->d = ((const struct port *)conf->first)->d;
        p->d->users++;
    } else if ((rc = device_open(&p->d, what[0], conf->n_queues, conf, e))) {
        port_close(&p->s);
        return rc;
    }
    p->first = p->next = (uint16_t)conf->queue;
    const char *name = *p->d->netdev ? p->d->netdev : p->d->dev;
    p->iface = source_add_iface(&p->s, name, (unsigned)strlen(name));
    *ret = &p->s;
    return 0;
}

const struct source_ops source_dpdk_ops = {
    .scheme = "dpdk",
    .open = port_open,
    .poll = port_poll,
    .stats = port_stats,
    .ports = port_ports,
    .fds = port_fds,
    .queues = port_queues,
    .close = port_close,
};
