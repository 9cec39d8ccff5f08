/* pcap_live.c: pcap:IFACE, one interface through libpcap on Linux's memory-mapped ring (TPACKET_V3). The only file that
 * knows libpcap.
 *
 * libpcap gives a block of its ring back to the kernel inside the call that delivered the block's last packet, so the
 * bytes are copied into a batch of our own: 15 ns a packet, and nothing can change under the dissector.
 * VLAN tags that the kernel took off are put back by libpcap. Nothing in this file can send.
 *
 * An interface that is not there, or goes, is looked for once a second; its counters go on.
 *
 * Several queues: each is a handle of its own, in one group of the kernel's (fanout.h). */
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "capture/fanout.h"
#include "capture/netdev.h"
#include "capture/source_impl.h"

enum {
    SNAPLEN = 262144,       /* libpcap's largest */
    ARENA = 1 << 20,        /* bytes of one batch */
    BLOCK_MS = 10,          /* a block that is not full is handed over after this time */
    RETRY_S = 1,
};
#define LEAST_BYTES (UINT64_C(2) << 20)   /* of a queue's ring: some of its blocks */
#define BUFFER_BYTES (UINT64_C(64) << 20) /* of the kernel's ring: 0.4 s at 1 Gbit/s, beyond any stall of ours */

struct live {
    struct source s;
    struct source_conf conf;
    char *filter;
    const char *name;
    pcap_t *h;
    struct timespec tried;
    uint64_t before_drops, before_nic;  /* of handles that are closed */
    uint64_t seen_drops, seen_nic;      /* of the open one */
    uint64_t opened;
    struct fanout *fan;                 /* NULL: this is the only queue */
    unsigned queue, epoch;
    bool member;                        /* of its group */
    uint32_t linktype, snaplen, frame;
    uint32_t ns_unit;                   /* of what is in tv_usec */
    uint16_t iface;
    uint8_t link;
    bool told;                          /* that it cannot be opened */
    /* the batch */
    struct pkt *ret;
    unsigned n, max;
    uint32_t at;
    uint8_t *arena;
};

static uint64_t ns_of(const struct live *l, const struct timeval *t)
{
    return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_usec * l->ns_unit;
}

static void on_packet(u_char *arg, const struct pcap_pkthdr *h, const u_char *data)
{
    struct live *l = (struct live *)(void *)arg;
    uint32_t n = h->caplen < l->snaplen ? h->caplen : l->snaplen;
    uint8_t *to = l->arena + l->at;
    memcpy(to, data, n);
    l->ret[l->n++] = (struct pkt){.ts_ns = ns_of(l, &h->ts), .data = to, .caplen = n, .wirelen = h->len,
                                  .linktype = l->linktype, .frame = ++l->frame, .iface = l->iface,
                                  .flags = n < h->len ? PKT_CUT : 0};
    l->at += (n + 15) & ~15u;
    if (l->n == l->max || l->at + l->snaplen > ARENA)
        pcap_breakloop(l->h);
}

/* ---- opening ---- */

/* libpcap's DLT_ and the files' LINKTYPE_ differ for a few. */
static uint32_t linktype_of(int dlt)
{
    return dlt == DLT_RAW ? 101 : (uint32_t)dlt;
}

static int errno_of(int rc)
{
    return rc == PCAP_ERROR_PERM_DENIED ? -EPERM : rc == PCAP_ERROR_IFACE_NOT_UP ? -ENETDOWN : -ENODEV;
}

/* The queues of an interface share what it may take. */
static uint64_t ring_bytes(const struct live *l)
{
    uint64_t all = l->conf.buffer_bytes ? l->conf.buffer_bytes : BUFFER_BYTES;
    uint64_t share = l->fan ? all / l->fan->n_queues : all, least = all < LEAST_BYTES ? all : LEAST_BYTES;
    return share > least ? share : least;
}

static int activate(struct live *l, struct err *e)
{
    int ms = l->conf.immediate ? 1 : BLOCK_MS;
    uint64_t buffer = ring_bytes(l);
    pcap_set_snaplen(l->h, (int)l->snaplen);
    pcap_set_promisc(l->h, !l->conf.no_promisc);
    pcap_set_timeout(l->h, ms);
    pcap_set_immediate_mode(l->h, l->conf.immediate);
    pcap_set_buffer_size(l->h, (int)(buffer < INT32_MAX ? buffer : INT32_MAX));
    pcap_set_tstamp_precision(l->h, PCAP_TSTAMP_PRECISION_NANO);
    if (l->conf.adapter_time && pcap_set_tstamp_type(l->h, PCAP_TSTAMP_ADAPTER))
        source_add_fault(&l->s, SOURCE_WARNING, 0, "%s: the card has no time stamps of its own; the kernel's are used",
                         l->name);
    int rc = pcap_activate(l->h);
    if (rc >= 0)
        return 0;
    const char *kind = pcap_statustostr(rc), *more = pcap_geterr(l->h);
    bool again = strncmp(more, kind, strlen(kind)) == 0; /* libpcap says the one within the other, or the same twice */
    return err_set(e, errno_of(rc), "%s: cannot capture: %s%s%s", l->name, again ? "" : kind,
                   *more && !again ? ": " : "", more);
}

static int set_filter(struct live *l, struct err *e)
{
    struct bpf_program p;
    if (!l->filter)
        return 0;
    if (pcap_compile(l->h, &p, l->filter, 1, PCAP_NETMASK_UNKNOWN))
        return err_set(e, -EINVAL, "%s: filter '%s': %s", l->name, l->filter, pcap_geterr(l->h));
    int rc = pcap_setfilter(l->h, &p);
    pcap_freecode(&p);
    return rc ? err_set(e, -EINVAL, "%s: filter '%s': %s", l->name, l->filter, pcap_geterr(l->h)) : 0;
}

static void ignore(u_char *arg, const struct pcap_pkthdr *h, const u_char *data)
{
    (void)arg;
    (void)h;
    (void)data;
}

/* Until it is a member, the socket gets what its neighbours get, too: that must not be counted twice. */
static int enter_group(struct live *l, int fd)
{
    int r = pcap_datalink(l->h) == DLT_EN10MB ? fanout_mute(fd) : -EOPNOTSUPP;
    if (r)
        return r;
    usleep(3 * BLOCK_MS * 1000); /* the block that was being filled is handed over */
    while (pcap_dispatch(l->h, -1, ignore, NULL) > 0)
        ;
    r = fanout_join(l->fan, l->queue, fd);
    l->member = !r;
    l->epoch = atomic_load(&l->fan->epoch);
    fanout_unmute(fd);
    return r;
}

/* > 0: not in a group; open it anew, alone and with all of the buffer. */
static int join_group(struct live *l, struct err *e)
{
    int fd = pcap_fileno(l->h), r = l->fan ? enter_group(l, fd) : 0;
    if (!r)
        return 0;
    if (l->queue)
        return err_set(e, r, "%s: a second queue cannot be opened: %s", l->name, strerror(-r));
    source_add_fault(&l->s, SOURCE_WARNING, 0,
                     "%s: the kernel does not spread it over the workers (%s): one thread reads", l->name,
                     strerror(-r));
    fanout_leave(l->fan);
    l->fan = NULL;
    return 1;
}

static void shut(struct live *l)
{
    pcap_close(l->h);
    l->h = NULL;
    if (l->fan && l->member)
        fanout_closed(l->fan);
    l->member = false;
}

static int start(struct live *l, struct err *e)
{
    char text[PCAP_ERRBUF_SIZE] = "";
    if (l->fan && !fanout_turn(l->fan, l->queue))
        return err_set(e, -EAGAIN, "%s: queue %u waits for those before it", l->name, l->queue);
    l->h = pcap_create(l->name, text);
    if (!l->h)
        return err_set(e, -ENODEV, "%s: cannot capture: %s", l->name, text);
    int r = activate(l, e);
    if (!r && pcap_setnonblock(l->h, 1, text))
        r = err_set(e, -EIO, "%s: %s", l->name, text);
    if (!r)
        r = join_group(l, e);
    if (!r)
        r = set_filter(l, e);
    if (r) {
        shut(l);
        return r > 0 ? start(l, e) : r;
    }
    l->ns_unit = pcap_get_tstamp_precision(l->h) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
    l->linktype = linktype_of(pcap_datalink(l->h));
    l->seen_drops = l->seen_nic = 0;
    l->opened++;
    l->told = false;
    if (!l->conf.queue) {
        unsigned on = netdev_offloads_off(l->name);
        if (on)
            source_add_fault(&l->s, SOURCE_WARNING, 0,
                             "%s: %s%s%s cannot be switched off: packets may be merged before they are seen", l->name,
                             on & NETDEV_GRO ? "GRO" : "", on == (NETDEV_GRO | NETDEV_LRO) ? " and " : "",
                             on & NETDEV_LRO ? "LRO" : "");
    }
    return 0;
}

static void count_drops(struct live *l)
{
    struct pcap_stat st;
    if (!l->h || pcap_stats(l->h, &st))
        return;
    l->seen_drops += (uint32_t)(st.ps_drop - (uint32_t)l->seen_drops); /* libpcap's counters have 32 bits */
    l->seen_nic += (uint32_t)(st.ps_ifdrop - (uint32_t)l->seen_nic);
}

static void went_away(struct live *l)
{
    if (!l->h)
        return;
    count_drops(l);
    l->before_drops += l->seen_drops;
    l->before_nic += l->seen_nic;
    l->seen_drops = l->seen_nic = 0;
    if (!l->queue) /* it is told once */
        source_add_fault(&l->s, SOURCE_WARNING, 0, "%s: %s; waiting for it", l->name, pcap_geterr(l->h));
    shut(l);
    clock_gettime(CLOCK_MONOTONIC, &l->tried);
}

/* Once a second. */
static void try_again(struct live *l)
{
    struct timespec now;
    struct err e;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec - l->tried.tv_sec < RETRY_S || (l->fan && !fanout_turn(l->fan, l->queue)))
        return;
    l->tried = now;
    if (netdev_link(l->name) != SOURCE_LINK_UP)
        return;
    int r = start(l, &e);
    if (l->queue)
        return;
    if (r == 0) {
        source_add_fault(&l->s, SOURCE_WARNING, 0, "%s: captured again", l->name);
    } else if (!l->told) {
        source_add_fault(&l->s, SOURCE_WARNING, 0, "%s", e.text);
        l->told = true;
    }
}

/* ---- the interface ---- */

/* Of all queues: in the order in which they were read. */
static void number(struct live *l)
{
    uint32_t last = atomic_fetch_add_explicit(&l->fan->frames, l->n, memory_order_relaxed);
    for (unsigned i = 0; i < l->n; i++)
        l->ret[i].frame = ++last;
}

static int live_poll(struct source *src, struct pkt *ret, unsigned max)
{
    struct live *l = (struct live *)src;
    l->ret = ret;
    l->n = 0;
    l->max = max;
    l->at = 0;
    if (l->member && l->epoch != atomic_load(&l->fan->epoch)) /* another member has lost the interface */
        went_away(l);
    if (!l->h)
        try_again(l);
    if (!l->h || !max)
        return 0;
    int rc = pcap_dispatch(l->h, (int)max, on_packet, (u_char *)l);
    if (rc < 0 && rc != PCAP_ERROR_BREAK)
        went_away(l);
    if (l->fan && l->n)
        number(l);
    return (int)l->n;
}

static void live_stats(struct source *src, struct source_stats *ret)
{
    struct live *l = (struct live *)src;
    count_drops(l);
    ret->dropped = l->before_drops + l->seen_drops + l->before_nic + l->seen_nic;
}

static unsigned live_ports(struct source *src, struct source_port *ret, unsigned max)
{
    struct live *l = (struct live *)src;
    if (!max)
        return 1;
    count_drops(l);
    *ret = (struct source_port){.packets = src->stats.packets,
                                .bytes = src->stats.bytes,
                                .dropped_kernel = l->before_drops + l->seen_drops,
                                .dropped_nic = l->before_nic + l->seen_nic,
                                .opened = l->opened,
                                .iface = l->iface,
                                .link = (uint8_t)netdev_link(l->name),
                                .paced = 1};
    strncpy(ret->name, l->name, sizeof ret->name - 1);
    return 1;
}

static int live_fds(const struct source *src, int *ret, unsigned max)
{
    const struct live *l = (const struct live *)src;
    if (!l->h || !max)
        return 0;
    *ret = pcap_get_selectable_fd(l->h);
    return 1;
}

static void live_close(struct source *src)
{
    struct live *l = (struct live *)src;
    if (l->h)
        shut(l);
    fanout_leave(l->fan);
    free(l->filter);
    free(l->arena);
    source_done(src);
    free(l);
}

static unsigned live_queues(const struct source *src)
{
    const struct live *l = (const struct live *)src;
    return l->fan ? l->fan->n_queues : 1;
}

static int live_open(const char *const *what, unsigned n, const struct source_conf *conf, struct err *e,
                     struct source **ret)
{
    static const char *const no_file[] = {""};
    (void)n;
    struct live *l = calloc(1, sizeof *l);
    if (!l)
        return err_set(e, -ENOMEM, "no memory to capture");
    l->conf = *conf;
    l->snaplen = conf->snaplen && conf->snaplen < SNAPLEN ? conf->snaplen : SNAPLEN;
    l->arena = malloc(ARENA);
    l->filter = conf->filter ? strdup(conf->filter) : NULL;
    l->queue = conf->queue;
    if (conf->n_queues > 1)
        l->fan = conf->first ? fanout_share(((const struct live *)conf->first)->fan) : fanout_new(conf->n_queues);
    int r = source_init(&l->s, &source_pcap_ops, no_file, 1);
    if (r || !l->arena || (conf->filter && !l->filter) || (conf->n_queues > 1 && !l->fan)) {
        live_close(&l->s);
        return err_set(e, -ENOMEM, "no memory to capture");
    }
    l->iface = source_add_iface(&l->s, what[0], (unsigned)strlen(what[0]));
    l->name = source_iface(&l->s, l->iface);
    if (!*l->name) {
        live_close(&l->s);
        return err_set(e, -EINVAL, "pcap: found no interface, expected pcap:eth1");
    }
    r = start(l, e);
    if (r && r != -ENETDOWN && r != -EAGAIN && (!conf->may_wait || r == -EPERM || r == -EINVAL)) {
        live_close(&l->s);
        return r;
    }
    if (r && !l->queue)
        source_add_fault(&l->s, SOURCE_WARNING, 0, "%s; waiting for it", e->text);
    *ret = &l->s;
    return 0;
}

const struct source_ops source_pcap_ops = {
    .scheme = "pcap",
    .open = live_open,
    .poll = live_poll,
    .stats = live_stats,
    .ports = live_ports,
    .fds = live_fds,
    .queues = live_queues,
    .close = live_close,
};
