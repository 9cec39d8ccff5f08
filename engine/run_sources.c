#include "engine/run_sources.h"

#include <stdio.h>
#include <string.h>

#include "capture/netdev.h"
#include "engine/base/limits.h"
#include "engine/conf.h"

bool run_sources_named(const char *cmd, const char *uri)
{
    bool known = source_is_uri(uri);
    if (!known)
        fprintf(stderr, "tyto %s: -i: found '%s', expected pcap:IFACE, tap:IFACE+IFACE, dpdk:DEV or file:CAPTURE\n",
                cmd, uri);
    return known;
}

static int open_files(const char *const *uris, unsigned n, struct err *e, struct source **ret)
{
    const char *paths[SOURCE_PORTS];
    for (unsigned i = 0; i < n; i++)
        paths[i] = uris[i] + strlen("file:");
    return source_open_files(paths, n, e, ret);
}

static struct source_conf capture_conf(const struct conf_run *c)
{
    return (struct source_conf){.snaplen = (uint32_t)c->snaplen,
                                .buffer_bytes = c->buffer_bytes,
                                .filter = c->filter,
                                .no_promisc = !c->promiscuous,
                                .immediate = c->immediate,
                                .adapter_time = c->adapter_time,
                                .may_wait = c->wait,
                                .dpdk_args = c->dpdk_args,
                                .dpdk_mbufs = (uint32_t)c->dpdk_mbufs};
}

struct opened { /* one URI: a source, or the queues of one */
    struct source *queue[N_SHARDS];
    unsigned n;
};

static void close_all(struct opened *o, unsigned n)
{
    for (unsigned i = n; i--;)
        for (unsigned q = o[i].n; q--;)
            source_close(o[i].queue[q]);
}

/* One thread reads all: queues as they come. */
static int as_one(struct opened *o, unsigned n, struct err *e, struct source **ret)
{
    struct source *parts[SOURCE_PORTS];
    for (unsigned i = 0; i < n; i++) {
        int r = source_fan(o[i].queue, o[i].n, e, &parts[i]);
        if (r) {
            close_all(o + i + 1, n - i - 1);
            while (i--)
                source_close(parts[i]);
            return r;
        }
    }
    return source_join(parts, n, e, ret);
}

/* What one worker reads: its queue of each port that has several; the first one also those that have but one. These
 * stand behind the others, so that a port has the same numbers in all queues. */
static unsigned queue_parts(const struct opened *o, unsigned n, unsigned q, struct source **ret)
{
    unsigned k = 0;
    for (unsigned i = 0; i < n; i++)
        if (o[i].n > 1)
            ret[k++] = o[i].queue[q];
    for (unsigned i = 0; i < n && !q; i++)
        if (o[i].n == 1)
            ret[k++] = o[i].queue[0];
    return k;
}

static int as_queues(struct opened *o, unsigned n, unsigned workers, struct err *e, struct source **ret)
{
    struct source *queue[N_SHARDS], *parts[SOURCE_PORTS];
    for (unsigned q = 0; q < workers; q++) {
        int r = source_join(parts, queue_parts(o, n, q, parts), e, &queue[q]);
        if (!r)
            continue;
        unsigned failed = q;
        while (q--)
            source_close(queue[q]);
        for (q = failed + 1; q < workers; q++)
            for (unsigned k = queue_parts(o, n, q, parts); k--;)
                source_close(parts[k]);
        return r;
    }
    return source_fan(queue, workers, e, ret);
}

static bool all_paced(struct opened *o, unsigned n)
{
    bool paced = true;
    for (unsigned i = 0; i < n; i++)
        paced &= run_sources_paced(o[i].queue[0]);
    return paced;
}

int run_sources_open(const char *const *uris, unsigned n, unsigned workers, const struct conf_run *c, struct err *e,
                     struct source **ret)
{
    static struct opened o[SOURCE_PORTS];
    const struct source_conf conf = capture_conf(c);
    unsigned live = 0, spread = 0;
    for (unsigned i = 0; i < n; i++)
        live += source_is_live(uris[i]);
    if (!live)
        return open_files(uris, n, e, ret);
    for (unsigned i = 0; i < n; i++) {
        int r = source_open_queues(uris[i], &conf, live == n ? workers : 1, e, o[i].queue, &o[i].n);
        if (r) {
            close_all(o, i);
            return r;
        }
        spread += o[i].n > 1;
    }
    return spread && all_paced(o, n) ? as_queues(o, n, workers, e, ret) : as_one(o, n, e, ret);
}

bool run_sources_paced(struct source *s)
{
    struct source_port p[SOURCE_PORTS];
    unsigned n = source_ports(s, p, SOURCE_PORTS);
    bool paced = false;
    for (unsigned i = 0; i < n; i++)
        paced |= p[i].paced;
    return paced;
}

void run_sources_warn(struct source *s)
{
    struct source_port p[SOURCE_PORTS];
    unsigned n = source_ports(s, p, SOURCE_PORTS);
    for (unsigned i = 0; i < n; i++) {
        unsigned talks = p[i].paced ? netdev_talks(p[i].name) : 0;
        if (talks)
            fprintf(stderr,
                    "tyto: warning: %s: the host itself may speak there:%s%s%s (docs/CAPTURE.md says how to "
                    "switch it off)\n",
                    p[i].name, talks & NETDEV_IP4 ? " it has an IPv4 address;" : "",
                    talks & NETDEV_IP6 ? " it has an IPv6 address;" : "", talks & NETDEV_ARP ? " ARP is on;" : "");
    }
}
