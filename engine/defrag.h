/* defrag.h: IP fragments to datagrams, in bounded memory.
 *
 * Spec: RFC 791 3.2, RFC 815 (holes), RFC 8200 4.5, RFC 5722 (overlaps), RFC 6864 (identification).
 * Out of order, duplicated and overlapping fragments are normal: the first arrival of a byte wins, and a later one that
 * disagrees is told. A datagram is given up after 30 s of packet time (either way: captures jump), or as the oldest
 * when there is no room for a newer one. Depends on nothing but the fragments and their times, in order. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/addr.h"
#include "engine/base/cur.h"

struct defrag;
struct decode_stats;

enum { DEFRAG_MAX = 65536 }; /* room that a datagram needs */

struct frag {
    struct addr src, dst;
    uint64_t ts_ns;
    struct span data; /* all of its bytes; lies where it likes: it is copied */
    uint32_t id, off; /* off in bytes */
    uint8_t ver;      /* 4 or 6 */
    uint8_t proto;    /* IPv4: protocol, part of the key; IPv6: the fragment header's next header */
    bool more;
};

enum defrag_verdict {
    DEFRAG_HELD, /* kept, or a duplicate */
    DEFRAG_DONE, /* ret is the datagram */
    DEFRAG_BAD,  /* impossible offset or length: ignored */
};

struct defrag_done {
    struct span data;
    uint8_t proto; /* of the first fragment */
    bool overlap;  /* fragments contradicted each other (HELD: this one did) */
};

/* bytes is raised to what one datagram needs. NULL when there is no memory. Counts into stats. */
struct defrag *defrag_new(uint32_t datagrams, uint32_t bytes, uint64_t hash_key, struct decode_stats *stats);
uint64_t defrag_bytes(uint32_t datagrams, uint32_t bytes); /* what it takes then */
void defrag_free(struct defrag *d); /* NULL is fine */
/* out: DEFRAG_MAX bytes for a completed datagram; may overlap f->data. ret is written for HELD and DONE. */
enum defrag_verdict defrag_add(struct defrag *d, const struct frag *f, uint8_t *out, struct defrag_done *ret);
