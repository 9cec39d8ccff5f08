/* dpdk_dev.c: DPDK's environment, and a port: probed, given its queues, asked what it lost.
 *
 * Several queues: a card spreads by RSS with a symmetric key, so both directions of a connection come by one queue.
 * That is not the sensor's own rule: the worker that reads a packet hands it to the one that owns it (engine/lanes.h).
 *
 * Loss: net_af_packet and net_af_xdp do not report what the kernel drops (imissed stays 0), so their sockets are found
 * among this process's descriptors and asked. */
#include <dirent.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <pthread.h>
#include <rte_bus_vdev.h>
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
#include <unistd.h>

#include "capture/dpdk_int.h"

enum {
    DESCRIPTORS = 4096,  /* of a queue; fewer where the card has fewer */
    MBUFS = 16384,       /* of a pool: the descriptors, a batch, and what a driver keeps */
    MBUFS_MORE = 5120,   /* for each further queue */
    VIRTUAL = 7,         /* further queues for which a virtual device gets more */
    MBUF_CACHE = 256,
    MEMORY_MIB = 256,    /* without huge pages; more by run.dpdk_args */
    MAX_ARGS = 64,
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

typedef void fd_found(struct device *d, int fd);

static void each_fd(struct device *d, fd_found *found)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *it;
    while (dir && (it = readdir(dir))) {
        char *end;
        long fd = strtol(it->d_name, &end, 10);
        if (end != it->d_name && !*end && fd != dirfd(dir))
            found(d, (int)fd);
    }
    if (dir)
        closedir(dir);
}

static int socket_domain(int fd)
{
    int domain = 0;
    socklen_t n = sizeof domain;
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) ? -1 : domain;
}

/* A packet socket that is not any other port's. Its counters are reset by reading; nobody else in here reads them. */
static void take_socket(struct device *d, int fd)
{
    int domain = socket_domain(fd);
    if ((domain == AF_PACKET || domain == AF_XDP) && d->n_sockets < MAX_SOCKETS)
        d->sockets[d->n_sockets++] = fd;
}

static void forget_older(struct device *d, const int *older, unsigned n)
{
    unsigned left = 0;
    for (unsigned i = 0; i < d->n_sockets; i++) {
        bool was_there = false;
        for (unsigned k = 0; k < n; k++)
            was_there |= older[k] == d->sockets[i];
        if (!was_there)
            d->sockets[left++] = d->sockets[i];
    }
    d->n_sockets = left;
}

/* The value of the nth key= in the device's arguments; false: there are not so many. */
static bool argument(const struct device *d, const char *key, unsigned nth, char *to, size_t cap)
{
    size_t n = strlen(key);
    for (const char *at = strchr(d->devargs, ','); at; at = strchr(at, ',')) {
        at++;
        if (strncmp(at, key, n) == 0 && at[n] == '=' && !nth--) {
            snprintf(to, cap, "%.*s", (int)strcspn(at + n + 1, ","), at + n + 1);
            return true;
        }
    }
    return false;
}

static bool is_played(const struct device *d, const struct stat *fd)
{
    char path[512];
    struct stat file;
    for (unsigned i = 0; argument(d, "rx_pcap", i, path, sizeof path); i++)
        if (stat(path, &file) == 0 && fd->st_dev == file.st_dev && fd->st_ino == file.st_ino)
            return true;
    return false;
}

static void take_file(struct device *d, int fd)
{
    struct stat st;
    if (d->n_files < MAX_FILES && fstat(fd, &st) == 0 && is_played(d, &st))
        d->files[d->n_files++] = fd;
}

/* The reader's place in the file tells. */
bool device_ended(const struct device *d)
{
    struct stat st;
    for (unsigned i = 0; i < d->n_files; i++)
        if (fstat(d->files[i], &st) || lseek(d->files[i], 0, SEEK_CUR) < st.st_size)
            return false;
    return d->n_files > 0;
}

/* ---- opening ---- */

static int fail(const struct device *d, int rc, const char *what, struct err *e)
{
    return err_set(e, rc < 0 ? rc : -EIO, "dpdk:%s: %s: %s", d->dev, what, rte_strerror(rc < 0 ? -rc : EIO));
}

static bool is_driver(const struct rte_eth_dev_info *info, const char *name)
{
    return info->driver_name && strcmp(info->driver_name, name) == 0;
}

/* A card spreads by RSS, or not at all. Of some virtual devices the arguments say how many queues they have: each must
 * be read. Others have as many as are asked for. A memif gets one: its driver reads a queue that the peer has not. */
static uint16_t queues_of(const struct device *d, const struct rte_eth_dev_info *info, unsigned want)
{
    static const char *const told[] = {"net_pcap", "net_af_packet", "net_af_xdp", "net_ring"};
    bool all = false, rss = info->flow_type_rss_offloads & RTE_ETH_RSS_IP && info->hash_key_size;
    for (unsigned i = 0; i < ARRAY_LEN(told); i++)
        all |= is_driver(info, told[i]);
    if ((is_pci(d->dev) && !rss) || is_driver(info, "net_memif"))
        want = 1;
    return all || want > info->max_rx_queues ? info->max_rx_queues : (uint16_t)want;
}

static int configure(struct device *d, struct rte_eth_dev_info *info, struct err *e)
{
    uint8_t key[64]; /* the same two bytes over and over: both directions of a connection hash alike */
    struct rte_eth_conf c = {0};
    if (info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER)
        c.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = i & 1 ? 0x5a : 0x6d;
    if (d->n_rx > 1 && info->hash_key_size && info->flow_type_rss_offloads & RTE_ETH_RSS_IP) {
        c.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        c.rx_adv_conf.rss_conf.rss_key = key;
        c.rx_adv_conf.rss_conf.rss_key_len = info->hash_key_size < sizeof key ? info->hash_key_size : sizeof key;
        c.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_IP & info->flow_type_rss_offloads;
    }
    /* A driver may insist on transmit queues, and a memif's peer refuses who has none: they are never used. */
    const uint16_t tries[] = {0, d->n_rx, 1};
    int rc = -EINVAL;
    for (unsigned i = is_driver(info, "net_memif"); rc && i < ARRAY_LEN(tries); i++)
        rc = rte_eth_dev_configure(d->id, d->n_rx, tries[i], &c);
    if (rc)
        return fail(d, rc, "cannot be configured", e);
    struct rte_eth_dev_info now;
    uint16_t n_tx = rte_eth_dev_info_get(d->id, &now) == 0 ? now.nb_tx_queues : 0;
    for (uint16_t q = 0; q < n_tx; q++)
        if ((rc = rte_eth_tx_queue_setup(d->id, q, 64, (unsigned)SOCKET_ID_ANY, NULL)))
            return fail(d, rc, "its transmit queue cannot be set up", e);
    return 0;
}

static int make_pool(struct device *d, const struct source_conf *conf, struct err *e)
{
    char name[RTE_MEMPOOL_NAMESIZE];
    unsigned more = d->n_rx - 1u;
    if (!is_pci(d->dev) && more > VIRTUAL) /* they have no descriptors to fill */
        more = VIRTUAL;
    uint32_t n = conf->dpdk_mbufs ? conf->dpdk_mbufs : MBUFS + more * MBUFS_MORE;
    snprintf(name, sizeof name, "tyto_%u", d->id);
    d->pool = rte_pktmbuf_pool_create(name, n, MBUF_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, (int)rte_socket_id());
    if (d->pool)
        return 0;
    return err_set(e, -ENOMEM, "dpdk:%s: no memory for %u packet buffers: %s (run.dpdk_args: -m MEGABYTES)", d->dev, n,
                   rte_strerror(rte_errno));
}

static int start_port(struct device *d, unsigned want, const struct source_conf *conf, struct err *e)
{
    struct rte_eth_dev_info info;
    uint16_t rx = DESCRIPTORS, tx = 64;
    int rc = rte_eth_dev_info_get(d->id, &info);
    if (rc)
        return fail(d, rc, "cannot be asked", e);
    d->n_rx = queues_of(d, &info, want);
    d->n_sources = want < d->n_rx ? want : d->n_rx;
    rc = configure(d, &info, e);
    if (rc)
        return rc;
    (void)rte_eth_dev_adjust_nb_rx_tx_desc(d->id, &rx, &tx);
    if ((rc = make_pool(d, conf, e)))
        return rc;
    for (uint16_t q = 0; q < d->n_rx; q++)
        if ((rc = rte_eth_rx_queue_setup(d->id, q, rx, (unsigned)SOCKET_ID_ANY, NULL, d->pool)))
            return fail(d, rc, is_driver(&info, "net_af_xdp") ? "its queue cannot be set up (an XDP program that was "
                                                                "left there? ip link set dev IFACE xdp off)"
                                                              : "its queue cannot be set up", e);
    (void)rte_mbuf_dyn_rx_timestamp_register(&d->ts_off, &d->ts_flag);
    if ((rc = rte_eth_dev_start(d->id)))
        return fail(d, rc, "cannot be started", e);
    d->started = true;
    if (!conf->no_promisc)
        (void)rte_eth_promiscuous_enable(d->id); /* virtual devices may not know it */
    d->file_time = is_driver(&info, "net_pcap");
    d->blind = false;
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

static int open_port(struct device *d, unsigned want, const struct source_conf *conf, struct err *e)
{
    int older[MAX_SOCKETS];
    char text[64];
    int rc = eal_start(conf, is_pci(d->dev), e);
    if (rc)
        return rc;
    each_fd(d, take_socket);
    unsigned n_older = d->n_sockets;
    memcpy(older, d->sockets, sizeof older);
    d->n_sockets = 0;
    if ((rc = rte_dev_probe(d->devargs)))
        return fail(d, rc, "there is no such device, or its arguments are wrong", e);
    d->probed = true;
    n_ports++;
    if ((rc = rte_eth_dev_get_port_by_name(d->dev, &d->id)))
        return fail(d, rc, "it is no network port", e);
    if ((rc = start_port(d, want, conf, e)))
        return rc;
    bool forever = argument(d, "infinite_rx", 0, text, sizeof text) && strcmp(text, "0") != 0;
    if (!forever)
        each_fd(d, take_file);
    d->paced = !d->n_files;
    if (strncmp(d->dev, "net_af_", 7) == 0) {
        each_fd(d, take_socket);
        forget_older(d, older, n_older);
        d->blind = !d->n_sockets;
    }
    return 0;
}

void device_close(struct device *d)
{
    if (--d->users)
        return;
    if (d->started)
        (void)rte_eth_dev_stop(d->id);
    if (d->probed) {
        (void)rte_eth_dev_close(d->id);
        n_ports--;
    }
    rte_mempool_free(d->pool);
    if (eal_running && !n_ports) {
        (void)rte_eal_cleanup();
        eal_running = false;
    }
    free(d->devargs);
    free(d);
}

int device_open(struct device **ret, const char *uri, unsigned want, const struct source_conf *conf, struct err *e)
{
    struct device *d = calloc(1, sizeof *d);
    if (!d || !(d->devargs = device_arguments(uri))) {
        free(d);
        return err_set(e, -ENOMEM, "no memory to capture");
    }
    d->users = 1;
    d->ts_off = -1;
    snprintf(d->dev, sizeof d->dev, "%.*s", (int)strcspn(d->devargs, ","), d->devargs);
    int rc = open_port(d, want ? want : 1, conf, e);
    if (rc) {
        device_close(d);
        return rc;
    }
    if (!argument(d, "iface", 0, d->netdev, sizeof d->netdev))
        (void)argument(d, "rx_iface", 0, d->netdev, sizeof d->netdev);
    *ret = d;
    return 0;
}

/* ---- threads ---- */

static pthread_key_t at_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void leave(void *unused)
{
    (void)unused;
    if (eal_running)
        rte_thread_unregister();
}

static void make_key(void)
{
    (void)pthread_key_create(&at_end, leave);
}

void device_thread(void)
{
    if (rte_lcore_id() != LCORE_ID_ANY || rte_thread_register())
        return;
    pthread_once(&once, make_key);
    (void)pthread_setspecific(at_end, &at_end);
}

/* ---- counters ---- */

/* A packet socket's counter starts again with each question, whoever asks: what the driver was told is in imissed. An
 * XDP socket's goes on, and imissed may hold a part of it. */
struct lost device_lost(struct device *d)
{
    struct rte_eth_stats st = {0};
    uint64_t xdp = 0;
    bool has_xdp = false;
    (void)rte_eth_stats_get(d->id, &st);
    for (unsigned i = 0; i < d->n_sockets; i++) {
        struct tpacket_stats t = {0};
        struct xdp_statistics x = {0};
        socklen_t n = sizeof t, nx = sizeof x;
        if (socket_domain(d->sockets[i]) == AF_PACKET) {
            if (getsockopt(d->sockets[i], SOL_PACKET, PACKET_STATISTICS, &t, &n) == 0)
                d->kernel_drops += t.tp_drops;
        } else if (getsockopt(d->sockets[i], SOL_XDP, XDP_STATISTICS, &x, &nx) == 0) {
            xdp += x.rx_dropped + x.rx_ring_full;
            has_xdp = true;
        }
    }
    return (struct lost){.kernel = d->kernel_drops + xdp, .nic = st.rx_nombuf + (has_xdp ? 0 : st.imissed)};
}

