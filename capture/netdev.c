/* netdev.c: interface flags, offloads and addresses, by ioctl. */
#include "capture/netdev.h"

#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int ask(const char *name, unsigned long what, struct ifreq *r)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    snprintf(r->ifr_name, sizeof r->ifr_name, "%s", name);
    int rc = ioctl(fd, what, r) ? -errno : 0;
    close(fd);
    return rc;
}

enum source_link netdev_link(const char *name)
{
    struct ifreq r = {0};
    int rc = strlen(name) < IFNAMSIZ ? ask(name, SIOCGIFFLAGS, &r) : -ENODEV;
    if (rc == -ENODEV)
        return SOURCE_LINK_GONE;
    if (rc)
        return SOURCE_LINK_UNKNOWN;
    return (r.ifr_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING) ? SOURCE_LINK_UP : SOURCE_LINK_DOWN;
}

static bool get(const char *name, uint32_t cmd, uint32_t *value)
{
    struct ethtool_value v = {.cmd = cmd, .data = *value};
    struct ifreq r = {.ifr_data = (void *)&v};
    if (ask(name, SIOCETHTOOL, &r))
        return false;
    *value = v.data;
    return true;
}

unsigned netdev_offloads_off(const char *name)
{
    uint32_t gro = 0, flags = 0, off = 0;
    if (get(name, ETHTOOL_GGRO, &gro) && gro) {
        (void)get(name, ETHTOOL_SGRO, &off);
        gro = 0;
        (void)get(name, ETHTOOL_GGRO, &gro);
    }
    if (get(name, ETHTOOL_GFLAGS, &flags) && flags & ETH_FLAG_LRO) {
        flags &= ~(uint32_t)ETH_FLAG_LRO;
        (void)get(name, ETHTOOL_SFLAGS, &flags);
        (void)get(name, ETHTOOL_GFLAGS, &flags);
    }
    return (gro ? NETDEV_GRO : 0u) | (flags & ETH_FLAG_LRO ? NETDEV_LRO : 0u);
}

unsigned netdev_talks(const char *name)
{
    struct ifaddrs *all;
    struct ifreq r = {0};
    unsigned ret = 0;
    if (strlen(name) < IFNAMSIZ && ask(name, SIOCGIFFLAGS, &r) == 0 && !(r.ifr_flags & (IFF_NOARP | IFF_LOOPBACK)))
        ret |= NETDEV_ARP;
    if (getifaddrs(&all))
        return ret;
    for (struct ifaddrs *a = all; a; a = a->ifa_next)
        if (a->ifa_addr && strcmp(a->ifa_name, name) == 0)
            ret |= a->ifa_addr->sa_family == AF_INET    ? NETDEV_IP4
                   : a->ifa_addr->sa_family == AF_INET6 ? NETDEV_IP6
                                                        : 0u;
    freeifaddrs(all);
    return ret;
}

bool netdev_sent(const char *name, uint64_t *ret)
{
    char line[512], *at;
    FILE *f = fopen("/proc/self/net/dev", "re");
    bool found = false;
    size_t n = strlen(name);
    while (f && !found && fgets(line, sizeof line, f)) {
        for (at = line; *at == ' '; at++)
            ;
        unsigned long long sent;
        if (strncmp(at, name, n) == 0 && at[n] == ':' &&
            sscanf(at + n + 1, "%*u %*u %*u %*u %*u %*u %*u %*u %*u %llu", &sent) == 1) {
            *ret = sent;
            found = true;
        }
    }
    if (f)
        fclose(f);
    return found;
}
