#include "engine/run_sources.h"

#include <stdio.h>
#include <string.h>

#include "capture/netdev.h"
#include "engine/conf.h"

static int open_files(const char *const *uris, unsigned n, struct err *e, struct source **ret)
{
    const char *paths[SOURCE_PORTS];
    for (unsigned i = 0; i < n; i++)
        paths[i] = strncmp(uris[i], "file:", 5) == 0 ? uris[i] + 5 : uris[i];
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

int run_sources_open(const char *const *uris, unsigned n, const struct conf_run *c, struct err *e, struct source **ret)
{
    struct source *parts[SOURCE_PORTS];
    const struct source_conf conf = capture_conf(c);
    unsigned live = 0;
    for (unsigned i = 0; i < n; i++)
        live += source_is_live(uris[i]);
    if (!live)
        return open_files(uris, n, e, ret);
    for (unsigned i = 0; i < n; i++) {
        int r = source_open(uris[i], &conf, e, &parts[i]);
        if (r) {
            while (i--)
                source_close(parts[i]);
            return r;
        }
    }
    return source_join(parts, n, e, ret);
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
