/* netdev.h: what the kernel says of a network interface, asked through a socket, so that it needs no privileges and no
 * mounted /sys. Linux. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "capture/source.h"

/* SOURCE_LINK_GONE: there is no such interface. */
enum source_link netdev_link(const char *name);
/* Offloads that merge packets (GRO, LRO) or make them larger than on the wire. Switches them off where allowed.
 * Returns bits of those that are still on. */
enum { NETDEV_GRO = 1, NETDEV_LRO = 2 };
unsigned netdev_offloads_off(const char *name);
/* What makes the host itself speak on the interface. */
enum { NETDEV_ARP = 1, NETDEV_IP4 = 2, NETDEV_IP6 = 4 };
unsigned netdev_talks(const char *name);
/* Packets that the interface has sent since it exists; false: it cannot be told. */
bool netdev_sent(const char *name, uint64_t *ret);
