/* site.h: what the operator has told of the plant: networks, zones, named assets, who may engineer, when work is done.
 *
 * Filled by the configuration at start (engine/conf.c), read-only afterwards, the same for all threads. A zeroed struct
 * site is a valid one that knows nothing. Lookups never allocate and are bounded by the numbers configured. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/addr.h"
#include "engine/base/err.h"
#include "engine/base/tz.h"

struct subnet {
    struct addr base;
    uint8_t bits; /* of 128: IPv4 10.0.0.0/8 is 104 */
};
/* "10.0.0.0/8", "fd00::/8"; a lone address is a subnet of one. Bits set behind the prefix are refused. */
bool subnet_parse(const char *s, struct subnet *ret);
bool subnet_has(const struct subnet *n, const struct addr *a);
enum { SUBNET_TEXT = ADDR_TEXT + 4 };
unsigned subnet_text(const struct subnet *n, char out[SUBNET_TEXT]);

enum {
    SITE_ANY_NET = 0xffff,
    SITE_MAX_NETWORKS = 1024, /* of the configuration; more: refused */
    SITE_MAX_SEPARATED = 15,  /* networks with vlan_separates: each has 4096 numbers of its own */
    SITE_MAX_ZONES = 4096,
    SITE_MAX_ASSETS = 65536,
    SITE_MAX_STATIONS = 4096,
    SITE_MAX_WINDOWS = 4096,
    SITE_MAX_ROLES = 4096,
    SITE_MAX_ROLE_ADDRS = 16, /* of one role: a pair has two, with two addresses each four; more: refused */
    SITE_NET_NAME = 80,
};

/* Empty conditions hold for every packet. */
struct site_network {
    const char *name;
    const char *interface;        /* NULL: any */
    const struct subnet *subnets; /* either address of the packet lies in one of them */
    uint32_t n_subnets;
    uint16_t vlan_lo, vlan_hi; /* any tag of the packet inside; 0,0: any packet */
    bool vlan_separates;       /* each VLAN (outer tag) in it is a network of its own */
};
struct site_zone {
    const char *name;
    const struct subnet *subnets;
    const uint16_t *networks; /* numbers: index into site.networks + 1; 0 is the default network */
    const uint32_t *assets;   /* indices into site.assets */
    const struct addr *addrs; /* devices without a name */
    uint32_t n_subnets, n_networks, n_assets, n_addrs;
    int purdue; /* -1 unknown; 35 is level 3.5, like asset_info */
};
struct site_asset {
    const char *name, *type, *owner, *criticality; /* NULL: not told */
    const struct addr *addrs;                      /* all are this one device */
    const char *const *tags;
    uint32_t n_addrs, n_tags;
    uint16_t net; /* SITE_ANY_NET: whichever network it is seen in */
};
/* A device or a range of them, as engineering stations and actors are named. */
struct site_ref {
    struct subnet subnet;
    uint32_t asset; /* index into site.assets, or SITE_NO_ASSET: the subnet holds */
};
enum { SITE_NO_ASSET = UINT32_MAX };

/* Work that was announced: an alert inside it is lowered and marked, never hidden. Every condition that is set holds.
 */
struct site_window {
    const char *name;
    bool weekly;
    uint8_t days;                 /* weekly: bit 0 Sunday .. bit 6 Saturday: the day on which it begins */
    uint16_t from_min, to_min;    /* weekly: minutes of the local day; to <= from ends the next day */
    uint64_t from_ns, to_ns;      /* absolute: from <= t < to */
    int32_t zone;                 /* index, -1 any: either side lies in it */
    struct site_ref asset, actor; /* asset: either side; actor: the source */
    bool has_asset, has_actor;
    uint64_t actions; /* bit per enum action; 0 any, also what is no action at all */
};
/* Addresses that stand for one role: a redundant pair of servers or controllers. */
struct site_role {
    const struct addr *addrs;
    uint32_t n_addrs;
};

struct site_slot_;
struct site {
    const char *sensor, *place; /* sensor.name, sensor.site; NULL when not told */
    const struct site_network *networks;
    const struct site_zone *zones;
    const struct site_asset *assets;
    const struct site_ref *stations;
    const struct site_window *windows;
    const struct site_role *roles;
    uint32_t n_networks, n_zones, n_assets, n_stations, n_windows, n_roles;
    struct tz tz; /* zeroed: UTC */
    /* by site_prepare() */
    struct site_slot_ *slots_; /* by address: what is told of it */
    int32_t *zone_of_; /* of each asset */
    uint32_t n_slots_;
    bool has_separated_;
    bool names_macs; /* some device is told by its MAC address: who has it only the inventory knows */
};

/* Build the index; call once the arrays are filled. The arrays stay the caller's. 0, -ENOMEM, or -EINVAL. */
int site_prepare(struct site *s, struct err *e) MUST_USE;
void site_done(struct site *s);

/* The network of a packet: the first configured one whose conditions hold, 0 for none. vlan: n_vlan ids, outer first.
 */
uint16_t site_network_(const struct site *s, const char *iface, const uint16_t *vlan, unsigned n_vlan,
                       const struct addr *src, const struct addr *dst);
static inline uint16_t site_network(const struct site *s, const char *iface, const uint16_t *vlan, unsigned n_vlan,
                                    const struct addr *src, const struct addr *dst)
{
    return s->n_networks ? site_network_(s, iface, vlan, n_vlan, src, dst) : 0;
}
/* "default", "cell1", or "cell1/vlan7" for a separated one. Returns out. */
const char *site_network_name(const struct site *s, uint16_t net, char out[SITE_NET_NAME]);
/* The number of a name as site_network_name() gives it, or -1. */
int site_network_by_name(const struct site *s, const char *name);

/* A device as it may be told: the address in question, to which subnets and networks apply, and others that it is known
 * by. Where the inventory knows no more, the one address. */
struct site_who {
    const struct addr *a;
    uint32_t n;
    uint16_t net;
};
enum { SITE_WHO = 17 }; /* addresses that are looked at: the inventory keeps 8 IP and 8 MAC addresses of a device */
const struct site_zone *site_zone_of(const struct site *s, const struct site_who *w);
const struct site_asset *site_asset_of(const struct site *s, const struct site_who *w);
bool site_is_station(const struct site *s, const struct site_who *w);

/* The zone of an address: the first that names it or its configured asset; else the longest subnet; else the
 * network's. NULL: none. */
const struct site_zone *site_zone(const struct site *s, uint16_t net, const struct addr *a);
/* The configured asset with that address, NULL none. */
const struct site_asset *site_asset(const struct site *s, uint16_t net, const struct addr *a);
bool site_is_engineering_station(const struct site *s, uint16_t net, const struct addr *a);
/* True when the configuration names any: without, nobody can be told apart from them. */
static inline bool site_has_engineering_stations(const struct site *s)
{
    return s->n_stations > 0;
}
/* The first window that covers what src does to dst at that time; dst may be NULL; action -1: no action (a new
 * asset, a scan). NULL: none. */
const struct site_window *site_maintenance(const struct site *s, uint64_t ts_ns, const struct site_who *src,
                                           const struct site_who *dst, int action);
/* The redundant set that the address is in, in whatever network; NULL: none. */
const struct site_role *site_role(const struct site *s, const struct addr *a);
