/* dpdk.c: dpdk:DEV[,ARGS], one DPDK port (DPDK 22.11 or newer). The only file that knows DPDK.
 *
 * DEV is a PCI address or a virtual device (net_pcap0,rx_pcap=a.pcap; net_af_packet0,iface=eth1; ...). Packets are read
 * where the port put them: a batch's mbufs go back to the pool at the next poll. Only a packet in several segments is
 * copied. The port has no transmit queue where its driver allows that, and nothing here can send.
 *
 * Time stamps: net_pcap brings those of its file; all others get the host's clock, once a burst.
 *
 * Loss: net_af_packet and net_af_xdp do not report what the kernel drops (imissed stays 0), so their sockets are found
 * among this process's descriptors and asked. */
#include <dirent.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "capture/netdev.h"
#include "capture/source_impl.h"

enum {
    BURST = 256,
    DESCRIPTORS = 4096,  /* of a queue; fewer where the card has fewer */
    MBUFS = 16384,       /* of a pool: the descriptors, a batch, and what a driver keeps */
    MBUF_CACHE = 256,
    MEMORY_MIB = 256,    /* without huge pages; more by run.dpdk_args */
    MAX_ARGS = 64,
    MAX_SOCKETS = 16,
    SEGMENTED = BURST << 16, /* for packets in segments: a batch of the largest; only what is used is ever touched */
    END_LOOKS = 3,       /* empty polls after a file's last byte was read, until it has ended */
};

struct port {
    struct source s;
    char *devargs;
    char dev[RTE_DEV_NAME_MAX_LEN];  /* devargs up to the first comma */
    uint16_t id, queue, n_queues;
    bool probed, started;
    struct rte_mempool *pool;
    struct rte_mbuf *held[BURST];    /* of the last batch */
    unsigned n_held;
    uint8_t *joined;                 /* packets that came in segments: SEGMENTED bytes */
    uint32_t joined_at;
    int ts_off;                      /* of the time stamp in a mbuf; -1: none */
    uint64_t ts_flag;
    bool file_time, paced;
    int file_fd;                     /* of the capture that net_pcap plays; -1: none */
    unsigned at_end;
    int sockets[MAX_SOCKETS];        /* of net_af_packet and net_af_xdp */
    unsigned n_sockets;
    uint64_t kernel_drops;
    uint32_t frame;
    uint16_t iface;
    bool blind;
    char netdev[SOURCE_PORT_NAME];   /* the kernel's interface behind it; "": none */
};

/* The environment of DPDK is one per process; there is no handle to keep it in. */
static bool eal_running;
static unsigned n_ports;

/* ---- the environment ---- */

static bool huge_pages(void)
{
    char line[128];
    unsigned long n = 0;
    FILE *f = fopen("/proc/meminfo", "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "HugePages_Free: %lu", &n) == 1)
            break;
    if (f)
        fclose(f);
    return n > 0;
}

static bool is_pci(const char *dev)
{
    unsigned a, b, c, d;
    return sscanf(dev, "%x:%x:%x.%x", &a, &b, &c, &d) == 4 || strncmp(dev, "pci:", 4) == 0;
}

static const char *first_cpu(char text[16])
{
    cpu_set_t set;
    unsigned cpu = 0;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &set))
            cpu++;
    snprintf(text, 16, "%u", cpu);
    return text;
}

/* --no-huge and --in-memory exclude each other; without shared configuration a second process is not disturbed. */
static int eal_start(const struct source_conf *conf, bool pci, struct err *e)
{
    char cpu[16], memory[16], *argv[MAX_ARGS];
    int argc = 0;
    cpu_set_t before;
    bool huge = huge_pages();
    const char *fixed[] = {"tyto", "--no-telemetry", "--log-level=*:warning", "-l", first_cpu(cpu)};
    if (eal_running)
        return 0;
    snprintf(memory, sizeof memory, "%d", MEMORY_MIB);
    for (unsigned i = 0; i < ARRAY_LEN(fixed); i++)
        argv[argc++] = (char *)(uintptr_t)fixed[i];
    argv[argc++] = (char *)(uintptr_t)(huge ? "--in-memory" : "--no-huge");
    if (!huge) {
        argv[argc++] = (char *)(uintptr_t)"--no-shconf";
        argv[argc++] = (char *)(uintptr_t)"-m";
        argv[argc++] = memory;
    }
    if (!pci)
        argv[argc++] = (char *)(uintptr_t)"--no-pci";
    for (unsigned i = 0; conf->dpdk_args && conf->dpdk_args[i] && argc < MAX_ARGS - 1; i++)
        argv[argc++] = (char *)(uintptr_t)conf->dpdk_args[i];
    argv[argc] = NULL;
    bool known = sched_getaffinity(0, sizeof before, &before) == 0;
    int rc = rte_eal_init(argc, argv); /* pins this thread, and so all that it would start */
    if (known)
        (void)sched_setaffinity(0, sizeof before, &before);
    if (rc < 0)
        return err_set(e, -EIO, "DPDK does not start: %s", rte_strerror(rte_errno));
    eal_running = true;
    return 0;
}

/* ---- descriptors of this process ---- */

typedef void fd_found(struct port *p, int fd);

static void each_fd(struct port *p, fd_found *found)
{
    DIR *d = opendir("/proc/self/fd");
    struct dirent *it;
    while (d && (it = readdir(d))) {
        char *end;
        long fd = strtol(it->d_name, &end, 10);
        if (end != it->d_name && !*end && fd != dirfd(d))
            found(p, (int)fd);
    }
    if (d)
        closedir(d);
}

static int socket_domain(int fd)
{
    int domain = 0;
    socklen_t n = sizeof domain;
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) ? -1 : domain;
}

/* A packet socket that is not any other port's. Its counters are reset by reading; nobody else in here reads them. */
static void take_socket(struct port *p, int fd)
{
    int domain = socket_domain(fd);
    if ((domain == AF_PACKET || domain == AF_XDP) && p->n_sockets < MAX_SOCKETS)
        p->sockets[p->n_sockets++] = fd;
}

static void forget_older(struct port *p, const int *older, unsigned n)
{
    unsigned left = 0;
    for (unsigned i = 0; i < p->n_sockets; i++) {
        bool was_there = false;
        for (unsigned k = 0; k < n; k++)
            was_there |= older[k] == p->sockets[i];
        if (!was_there)
            p->sockets[left++] = p->sockets[i];
    }
    p->n_sockets = left;
}

/* The value of key= in the device's arguments; false: it is not there. */
static bool argument(const struct port *p, const char *key, char *to, size_t cap)
{
    size_t n = strlen(key);
    for (const char *at = strchr(p->devargs, ','); at; at = strchr(at, ',')) {
        at++;
        if (strncmp(at, key, n) == 0 && at[n] == '=') {
            snprintf(to, cap, "%.*s", (int)strcspn(at + n + 1, ","), at + n + 1);
            return true;
        }
    }
    return false;
}

static void take_file(struct port *p, int fd)
{
    char path[512];
    struct stat a, b;
    if (argument(p, "rx_pcap", path, sizeof path) && fstat(fd, &a) == 0 && stat(path, &b) == 0 &&
        a.st_dev == b.st_dev && a.st_ino == b.st_ino)
        p->file_fd = fd;
}

/* ---- opening ---- */

static int fail(const struct port *p, int rc, const char *what, struct err *e)
{
    return err_set(e, rc < 0 ? rc : -EIO, "dpdk:%s: %s: %s", p->dev, what, rte_strerror(rc < 0 ? -rc : EIO));
}

static int configure(struct port *p, struct rte_eth_dev_info *info, struct err *e)
{
    static uint8_t key[52]; /* the same two bytes over and over: both directions of a connection hash alike */
    struct rte_eth_conf c = {0};
    if (info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER)
        c.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = i & 1 ? 0x5a : 0x6d;
    if (p->n_queues > 1) {
        c.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        c.rx_adv_conf.rss_conf.rss_key = key;
        c.rx_adv_conf.rss_conf.rss_key_len = info->hash_key_size < sizeof key ? info->hash_key_size : sizeof key;
        c.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_IP & info->flow_type_rss_offloads;
    }
    int rc = rte_eth_dev_configure(p->id, p->n_queues, 0, &c);
    if (rc) /* a driver that insists on a transmit queue: it is never used */
        rc = rte_eth_dev_configure(p->id, p->n_queues, 1, &c);
    if (rc)
        return fail(p, rc, "cannot be configured", e);
    struct rte_eth_dev_info now;
    if (rte_eth_dev_info_get(p->id, &now) == 0 && now.nb_tx_queues) {
        rc = rte_eth_tx_queue_setup(p->id, 0, 64, (unsigned)SOCKET_ID_ANY, NULL);
        if (rc)
            return fail(p, rc, "its transmit queue cannot be set up", e);
    }
    return 0;
}

static int start_port(struct port *p, const struct source_conf *conf, struct err *e)
{
    struct rte_eth_dev_info info;
    uint16_t rx = DESCRIPTORS, tx = 64;
    char name[RTE_MEMPOOL_NAMESIZE];
    int rc = rte_eth_dev_info_get(p->id, &info);
    if (rc)
        return fail(p, rc, "cannot be asked", e);
    rc = configure(p, &info, e);
    if (rc)
        return rc;
    (void)rte_eth_dev_adjust_nb_rx_tx_desc(p->id, &rx, &tx);
    snprintf(name, sizeof name, "tyto_%u", p->id);
    p->pool = rte_pktmbuf_pool_create(name, conf->dpdk_mbufs ? conf->dpdk_mbufs : MBUFS, MBUF_CACHE, 0,
                                      RTE_MBUF_DEFAULT_BUF_SIZE, (int)rte_socket_id());
    if (!p->pool)
        return err_set(e, -ENOMEM, "dpdk:%s: no memory for %u packet buffers: %s (run.dpdk_args: -m MEGABYTES)", p->dev,
                       conf->dpdk_mbufs ? conf->dpdk_mbufs : (unsigned)MBUFS, rte_strerror(rte_errno));
    for (uint16_t q = 0; q < p->n_queues; q++)
        if ((rc = rte_eth_rx_queue_setup(p->id, q, rx, (unsigned)SOCKET_ID_ANY, NULL, p->pool)))
            return fail(p, rc, "its queue cannot be set up", e);
    (void)rte_mbuf_dyn_rx_timestamp_register(&p->ts_off, &p->ts_flag);
    if ((rc = rte_eth_dev_start(p->id)))
        return fail(p, rc, "cannot be started", e);
    p->started = true;
    if (!conf->no_promisc)
        (void)rte_eth_promiscuous_enable(p->id); /* virtual devices may not know it */
    p->file_time = info.driver_name && strcmp(info.driver_name, "net_pcap") == 0;
    p->blind = false;
    return 0;
}

/* net_af_packet's own ring of 512 frames loses at once: a larger one, unless the arguments say something. */
static char *device_arguments(const char *uri)
{
    static const char ring[] = ",blocksz=65536,framesz=2048,framecnt=32768";
    bool packet = strncmp(uri, "net_af_packet", 13) == 0 && !strstr(uri, "framecnt=") && !strstr(uri, "blocksz=") &&
                  !strstr(uri, "framesz=");
    size_t n = strlen(uri) + sizeof ring;
    char *s = malloc(n);
    if (s)
        snprintf(s, n, "%s%s", uri, packet ? ring : "");
    return s;
}

static int open_port(struct port *p, const struct source_conf *conf, struct err *e)
{
    int older[MAX_SOCKETS];
    char text[64];
    int rc = eal_start(conf, is_pci(p->dev), e);
    if (rc)
        return rc;
    each_fd(p, take_socket);
    unsigned n_older = p->n_sockets;
    memcpy(older, p->sockets, sizeof older);
    p->n_sockets = 0;
    if ((rc = rte_dev_probe(p->devargs)))
        return fail(p, rc, "there is no such device, or its arguments are wrong", e);
    p->probed = true;
    n_ports++;
    if ((rc = rte_eth_dev_get_port_by_name(p->dev, &p->id)))
        return fail(p, rc, "it is no network port", e);
    if ((rc = start_port(p, conf, e)))
        return rc;
    bool forever = argument(p, "infinite_rx", text, sizeof text) && strcmp(text, "0") != 0;
    p->file_fd = -1;
    if (!forever)
        each_fd(p, take_file);
    p->paced = p->file_fd < 0;
    if (strncmp(p->dev, "net_af_", 7) == 0) {
        each_fd(p, take_socket);
        forget_older(p, older, n_older);
        p->blind = !p->n_sockets;
    }
    return 0;
}

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

static void view(struct port *p, const struct rte_mbuf *m, uint64_t now_ns, struct pkt *ret)
{
    uint32_t len = m->data_len;
    const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
    if (__builtin_expect(m->nb_segs > 1, 0))
        data = join(p, m, &len);
    *ret = (struct pkt){.ts_ns = now_ns, .data = data, .caplen = len, .wirelen = m->pkt_len, .linktype = 1,
                        .frame = ++p->frame, .iface = p->iface, .flags = len < m->pkt_len ? PKT_CUT : 0};
    if (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)
        ret->vlan_tci = m->vlan_tci;
    if (p->file_time && m->ol_flags & p->ts_flag) /* net_pcap: microseconds since 1970 */
        ret->ts_ns = *RTE_MBUF_DYNFIELD(m, p->ts_off, const rte_mbuf_timestamp_t *) * 1000;
}

/* Has the capture that net_pcap plays been read to its end? Its reader's place in the file tells. */
static bool file_ended(struct port *p)
{
    struct stat st;
    if (p->file_fd < 0 || fstat(p->file_fd, &st) || lseek(p->file_fd, 0, SEEK_CUR) < st.st_size)
        return false;
    return ++p->at_end >= END_LOOKS;
}

static int port_poll(struct source *src, struct pkt *ret, unsigned max)
{
    struct port *p = (struct port *)src;
    if (p->n_held)
        release(p);
    if (rte_lcore_id() == LCORE_ID_ANY)
        (void)rte_thread_register(); /* gives this thread its cache of buffers */
    uint16_t n = rte_eth_rx_burst(p->id, p->queue, p->held, (uint16_t)(max < BURST ? max : BURST));
    if (!n)
        return file_ended(p) ? -ENODATA : 0;
    p->n_held = n;
    p->at_end = 0;
    for (unsigned i = 0; i < n; i++)
        rte_prefetch0(rte_pktmbuf_mtod(p->held[i], const void *));
    uint64_t now = clock_ns();
    for (unsigned i = 0; i < n; i++)
        view(p, p->held[i], now, &ret[i]);
    return n;
}

/* ---- counters ---- */

struct lost {
    uint64_t kernel, nic;
};

/* A packet socket's counter starts again with each question, whoever asks: what the driver was told is in imissed. An
 * XDP socket's goes on, and imissed may hold a part of it. */
static struct lost ask(struct port *p)
{
    struct rte_eth_stats st = {0};
    uint64_t xdp = 0;
    bool has_xdp = false;
    (void)rte_eth_stats_get(p->id, &st);
    for (unsigned i = 0; i < p->n_sockets; i++) {
        struct tpacket_stats t = {0};
        struct xdp_statistics x = {0};
        socklen_t n = sizeof t, nx = sizeof x;
        if (socket_domain(p->sockets[i]) == AF_PACKET) {
            if (getsockopt(p->sockets[i], SOL_PACKET, PACKET_STATISTICS, &t, &n) == 0)
                p->kernel_drops += t.tp_drops;
        } else if (getsockopt(p->sockets[i], SOL_XDP, XDP_STATISTICS, &x, &nx) == 0) {
            xdp += x.rx_dropped + x.rx_ring_full;
            has_xdp = true;
        }
    }
    return (struct lost){.kernel = p->kernel_drops + xdp, .nic = st.rx_nombuf + (has_xdp ? 0 : st.imissed)};
}

static void port_stats(struct source *src, struct source_stats *ret)
{
    struct lost l = ask((struct port *)src);
    ret->dropped = l.kernel + l.nic;
}

static uint8_t link_of(const struct port *p)
{
    struct rte_eth_link link = {0};
    if (*p->netdev)
        return (uint8_t)netdev_link(p->netdev);
    return rte_eth_link_get_nowait(p->id, &link) ? SOURCE_LINK_UNKNOWN
           : link.link_status                    ? SOURCE_LINK_UP
                                                 : SOURCE_LINK_DOWN;
}

static unsigned port_ports(struct source *src, struct source_port *ret, unsigned max)
{
    struct port *p = (struct port *)src;
    if (!max)
        return 1;
    struct lost l = ask(p);
    *ret = (struct source_port){.packets = src->stats.packets,
                                .bytes = src->stats.bytes,
                                .dropped_kernel = l.kernel,
                                .dropped_nic = l.nic,
                                .opened = 1,
                                .iface = p->iface,
                                .link = link_of(p),
                                .paced = p->paced,
                                .blind = p->blind};
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

/* ---- the ends ---- */

static void port_close(struct source *src)
{
    struct port *p = (struct port *)src;
    if (p->n_held)
        release(p);
    if (p->started)
        (void)rte_eth_dev_stop(p->id);
    if (p->probed) {
        (void)rte_eth_dev_close(p->id);
        n_ports--;
    }
    rte_mempool_free(p->pool);
    if (eal_running && !n_ports) {
        (void)rte_eal_cleanup();
        eal_running = false;
    }
    free(p->devargs);
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
    p->n_queues = 1;
    p->ts_off = -1;
    p->devargs = device_arguments(what[0]);
    p->joined = malloc(SEGMENTED);
    int rc = source_init(&p->s, &source_dpdk_ops, no_file, 1);
    if (rc || !p->devargs || !p->joined) {
        port_close(&p->s);
        return err_set(e, -ENOMEM, "no memory to capture");
    }
    snprintf(p->dev, sizeof p->dev, "%.*s", (int)strcspn(p->devargs, ","), p->devargs);
    rc = open_port(p, conf, e);
    if (rc) {
        port_close(&p->s);
        return rc;
    }
    if (!argument(p, "iface", p->netdev, sizeof p->netdev))
        (void)argument(p, "rx_iface", p->netdev, sizeof p->netdev);
    const char *name = *p->netdev ? p->netdev : p->dev;
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
    .close = port_close,
};
