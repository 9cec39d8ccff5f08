/* recent.h: the last packets, in a ring of bytes: one thread adds, another looks, neither waits for the other. */
#pragma once

#include "engine/base/err.h"
#include "engine/base/pkt.h"

struct recent;
/* bytes: a power of two. NULL: no memory. */
struct recent *recent_new(uint64_t bytes);
void recent_free(struct recent *r);
/* lo, hi: the addresses of the flow, in the order of struct flow_key. Longer packets than 64 KiB are cut. */
void recent_add(struct recent *r, const struct pkt *p, const struct addr *lo, const struct addr *hi);

struct recent_packet {
    uint64_t ts_ns;
    struct addr lo, hi;
    uint32_t caplen, wirelen, linktype;
    uint16_t iface;
    const uint8_t *data;
};
/* Each packet that is there, of n rings, oldest first, until f says false. What is overwritten meanwhile is left out.
 * The data are a copy that lasts for the call. */
void recent_each(struct recent *const *r, unsigned n, bool (*f)(void *arg, const struct recent_packet *p), void *arg);
