/* itapp.h: the one door to nDPI, for flows that no dissector claims. Without the library all of it does nothing. */
#pragma once

#include "engine/base/pkt.h"

struct itapp;
enum {
    NDPI_FLOW_BYTES = 2048,      /* what the library keeps of a flow, about: limits.ndpi_flows counts with it */
    NDPI_BYTES = 6 * 1024 * 1024 /* its own tables (measured: 5.6 MB), once for all workers */
};
/* One for all workers. Its tables take some 10 ms to set up. NULL when built without nDPI, or no memory. */
struct itapp *itapp_new(void);
void itapp_free(struct itapp *n);
/* Does it have a protocol of that name, as struct itapp_found and the baseline write it? */
bool itapp_knows(const struct itapp *n, const char *name);

/* What a side said, or was called. */
struct itapp_word {
    const char *text;     /* valid until the next call */
    uint8_t of_client, kind; /* kind: OBS_ */
};
enum { ITAPP_WORDS = 4 };

struct itapp_found {
    const char *app;      /* lower case, static; NULL: not known yet */
    bool done;            /* nothing more to learn: stop feeding */
    bool tls;             /* TLS is spoken, whatever the application above it */
    unsigned n_words;
    struct itapp_word words[ITAPP_WORDS];
};
/* Feed one packet (from its IP header on) of a flow; *state is the flow's, made on the first call. Any worker may call:
 * the library is used by one at a time. */
void itapp_feed(struct itapp *n, void **state, const uint8_t *ip, uint32_t len, uint64_t ts_ns,
                struct itapp_found *ret);
void itapp_flow_free(void *state); /* NULL is fine */
