/* addr.h: addresses, flow keys and directions. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* IPv6 as it is, IPv4 as ::ffff:a.b.c.d, a MAC as ::4d41 + its six bytes (b[8..9] = "MA", b[10..15] = MAC). A station
 * behind a router, which a protocol addresses by the number of its network and its MAC there, as b[5] = 'N', b[6..7]
 * the network, b[8] the length of the MAC, b[9..15] the MAC. */
struct addr {
    uint8_t b[16];
};

static inline bool addr_is_v4(const struct addr *a)
{
    uint64_t zero;
    uint32_t ffff;
    memcpy(&zero, a->b, sizeof zero);
    memcpy(&ffff, a->b + 8, sizeof ffff);
    return zero == 0 && ffff == UINT32_C(0xffff0000); /* as a word of this machine */
}

static inline bool addr_is_mac(const struct addr *a)
{
    uint64_t zero;
    memcpy(&zero, a->b, sizeof zero);
    return zero == 0 && a->b[8] == 'M' && a->b[9] == 'A';
}

/* Eight zeros, and a word in which the rest is put together: what is written in pieces is slow to read as a whole. */
static inline struct addr addr_of_end(uint64_t end)
{
    struct addr a = {{0}};
    memcpy(a.b + 8, &end, sizeof end);
    return a;
}

static inline struct addr addr_v4(const uint8_t p[4])
{
    uint32_t ip;
    memcpy(&ip, p, sizeof ip);
    return addr_of_end(UINT32_C(0xffff0000) | (uint64_t)ip << 32);
}

static inline struct addr addr_mac(const uint8_t p[6])
{
    uint32_t first;
    uint16_t last;
    memcpy(&first, p, sizeof first);
    memcpy(&last, p + 4, sizeof last);
    return addr_of_end('M' | 'A' << 8 | (uint64_t)first << 16 | (uint64_t)last << 48);
}

static inline bool addr_is_station(const struct addr *a)
{
    static const uint8_t station[6] = {0, 0, 0, 0, 0, 'N'};
    return memcmp(a->b, station, 6) == 0 && a->b[8] >= 1 && a->b[8] <= 7;
}

/* The last seven bytes of a longer MAC; n is at least 1. */
static inline struct addr addr_station(uint16_t net, const uint8_t *mac, uint32_t n)
{
    uint32_t k = n < 7 ? n : 7;
    struct addr a = {{0, 0, 0, 0, 0, 'N', (uint8_t)(net >> 8), (uint8_t)net, (uint8_t)k}};
    memcpy(a.b + 9, mac + n - k, k);
    return a;
}

/* memcmp() of fixed sizes is a call where its sign is asked for, or beyond 16 bytes: on the packet path these are not.
 */
static inline bool addr_eq(const struct addr *a, const struct addr *b)
{
    uint64_t x[2], y[2];
    memcpy(x, a, sizeof x);
    memcpy(y, b, sizeof y);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

/* As memcmp() orders them: < 0, 0, > 0. */
static inline int addr_order(const struct addr *a, const struct addr *b)
{
    uint64_t x, y;
    memcpy(&x, a->b, sizeof x);
    memcpy(&y, b->b, sizeof y);
    if (x == y) { /* always so of two IPv4 addresses */
        memcpy(&x, a->b + 8, sizeof x);
        memcpy(&y, b->b + 8, sizeof y);
    }
    x = __builtin_bswap64(x);
    y = __builtin_bswap64(y);
    return (x > y) - (x < y);
}

/* Multicast or broadcast (255.255.255.255 and group MACs included). */
static inline bool addr_is_group(const struct addr *a)
{
    if (addr_is_v4(a))
        return (a->b[12] & 0xf0) == 0xe0 || memcmp(a->b + 12, "\xff\xff\xff\xff", 4) == 0;
    return addr_is_mac(a) ? a->b[10] & 1 : a->b[0] == 0xff;
}
/* Names no device: unspecified, link-local, group addresses. */
bool addr_is_nobody(const struct addr *a);
/* IPv4 169.254/16 (RFC 3927), IPv6 fe80::/10: whose it is, its network alone knows. */
bool addr_is_link_local(const struct addr *a);
bool addr_is_loopback(const struct addr *a);
/* Virtual-router MACs (VRRP 00-00-5e-00-01/02, HSRP 00-00-0c-07-ac, 00-00-0c-9f-f). */
bool mac_is_virtual_router(const uint8_t mac[6]);

enum { ADDR_TEXT = 46, MAC_TEXT = 18 };
/* Text as people write it ("10.0.0.1", RFC 5952 for IPv6, "00:11:.." for a MAC, "2001:5" and "2001:0xc0a80105bac0" for
 * stations); out holds ADDR_TEXT. Returns length. */
unsigned addr_text(const struct addr *a, char out[ADDR_TEXT]);
unsigned mac_text(const uint8_t mac[6], char out[MAC_TEXT]);
/* The reverse; false when s is none of these forms. */
bool addr_parse(const char *s, struct addr *ret);

/* lo < hi by bytes (then by port), so both directions have one key. No padding: hashed and compared as bytes. */
struct flow_key {
    struct addr lo, hi;
    uint16_t lo_port, hi_port; /* layer 2: both the EtherType */
    uint16_t net;              /* index of the configured network; 0 is the default one */
    uint8_t proto;             /* IP protocol number; 255 layer 2 */
    uint8_t zero;
};
_Static_assert(sizeof(struct flow_key) == 40, "flow_key is hashed as bytes");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "addresses and keys are read as words");

/* Its last eight bytes, from lo_port on, as they lie in memory; ports: both, as they do. */
static inline uint64_t flow_key_rest(uint32_t ports, uint16_t net, uint8_t proto)
{
    return ports | (uint64_t)net << 32 | (uint64_t)proto << 48;
}

static inline bool flow_key_eq(const struct flow_key *a, const struct flow_key *b)
{
    uint64_t x, y;
    memcpy(&x, &a->lo_port, sizeof x);
    memcpy(&y, &b->lo_port, sizeof y);
    return x == y && addr_eq(&a->lo, &b->lo) && addr_eq(&a->hi, &b->hi);
}

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58, PROTO_ETH = 255 };

/* Who sent a message, by protocol role: the client is the controlling side (`src` of every record). */
enum dir { DIR_UNKNOWN, DIR_C2S, DIR_S2C };
