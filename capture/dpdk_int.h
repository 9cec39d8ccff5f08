/* dpdk_int.h: a DPDK port, and the sources that read its queues. For dpdk.c and dpdk_dev.c only. */
#pragma once

#include <rte_dev.h>
#include <rte_mempool.h>
#include <stdatomic.h>

#include "capture/source_impl.h"

enum { MAX_SOCKETS = 80, MAX_FILES = 64, BURST = 256 };

struct device { /* one port; its sources share it */
    char *devargs;
    char dev[RTE_DEV_NAME_MAX_LEN];  /* devargs up to the first comma */
    uint16_t id, n_rx;               /* its receive queues */
    unsigned n_sources;              /* source i reads the queues i, i + n_sources, ... */
    unsigned users;
    bool probed, started;
    struct rte_mempool *pool;
    int ts_off;                      /* of the time stamp in a mbuf; -1: none */
    uint64_t ts_flag;
    bool file_time, paced, blind;
    int files[MAX_FILES];            /* of the captures that net_pcap plays, once each */
    unsigned n_files;
    int sockets[MAX_SOCKETS];        /* of net_af_packet and net_af_xdp */
    unsigned n_sockets;
    uint64_t kernel_drops;
    _Atomic uint32_t frames;         /* packet numbers, one row for all queues */
    char netdev[SOURCE_PORT_NAME];   /* the kernel's interface behind it; "": none */
};

struct lost {
    uint64_t kernel, nic;
};

/* uri: without its scheme. Up to `want` sources can read it: n_sources says how many. */
int device_open(struct device **ret, const char *uri, unsigned want, const struct source_conf *conf,
                struct err *e) MUST_USE;
void device_close(struct device *d); /* by each user */
/* What it has lost since it was opened. One thread asks. */
struct lost device_lost(struct device *d);
/* Have the captures that it plays been read to their end? */
bool device_ended(const struct device *d);
/* This thread will call the port: gives it its cache of buffers, until it ends. */
void device_thread(void);
