/* source.h: where packets come from. One interface for capture files and live back ends; knows no protocol.
 *
 * A source is opened by URI ("file:x.pcap", a plain path, "-", later "pcap:eth1", "dpdk:...", "tap:a+b") or by a list
 * of capture files, which are merged by time. It is polled for batches of packet views and closed. One thread uses a
 * source at a time; nothing is allocated between open and close except where a capture file declares more than usual
 * (a record larger than its block, hundreds of interfaces, dozens of files). */
#pragma once

#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/pkt.h"

enum source_class {
    SOURCE_FINE,
    SOURCE_WARNING, /* last record cut, empty capture: the work is done, the exit status stays 0 */
    SOURCE_ERROR,   /* not a capture, unreadable, corrupt: the exit status is 1; other files were still read */
};

/* One clear line about one file (or the live source): name, byte offset, what was found, what was expected. */
struct source_fault {
    enum source_class cls;
    uint16_t file;
    char text[512];
};

enum { SOURCE_FAULTS = 1024 }; /* faults kept as text; more are only counted (source_stats.warnings, .errors) */

/* Counted since open. */
struct source_stats {
    uint64_t packets, bytes;   /* delivered; bytes as captured */
    uint64_t cut;              /* of these, shorter than on the wire (PKT_CUT) */
    uint64_t dropped;          /* live: by kernel, ring or pool; 0 for files */
    uint64_t warnings, errors; /* faults by class */
};

struct source_progress {
    uint64_t done; /* bytes read from the files (compressed ones as compressed) */
    int64_t total; /* of all files; -1 unknown (standard input, a pipe, live) */
};

/* What a live back end needs to know; all zero is right for files. */
struct source_conf {
    unsigned queue, n_queues; /* this source is queue `queue` of n_queues; 0 of 0 means the only one */
    uint32_t snaplen;         /* 0: the back end's largest */
    uint64_t buffer_bytes;    /* kernel ring or pool; 0: the back end's default */
    bool no_promisc;
};

struct source;

/* A back end. Registered by its scheme in the table of source.c. */
struct source_ops {
    const char *scheme; /* of its URIs: "file", "pcap" */
    /* what: for files any number of paths, else one URI without its scheme. On failure e says why. */
    int (*open)(const char *const *what, unsigned n, const struct source_conf *conf, struct err *e,
                struct source **ret);
    /* Up to max packets. Their bytes are valid until the next poll or close.
     * > 0 packets; 0 idle or interrupted by a signal: poll again; -ENODATA the end, for good; other: the source failed
     * and the fault list says how. */
    int (*poll)(struct source *s, struct pkt *ret, unsigned max);
    void (*stats)(struct source *s, struct source_stats *ret);             /* NULL: what poll has counted is all */
    void (*progress)(const struct source *s, struct source_progress *ret); /* NULL: unknown */
    void (*close)(struct source *s);
};

/* uri: SCHEME:REST with a known scheme, else a path; "-" is standard input. */
int source_open(const char *uri, const struct source_conf *conf, struct err *e, struct source **ret) MUST_USE;
/* Several capture files as one source: packets in order of time, ties in argument order; inside a file the file's own
 * order always holds. A file that cannot be read becomes a fault, not a failure: only no memory or more than 65,535
 * files fail. */
int source_open_files(const char *const *paths, unsigned n, struct err *e, struct source **ret) MUST_USE;
/* NULL is fine. */
void source_close(struct source *s);

/* As source_ops.poll. A batch of 64 to 256 is a good size. pkt.frame counts from 1 in each file. */
int source_poll(struct source *s, struct pkt *ret, unsigned max);

/* Names; the pointers stay valid until close. pkt.file and pkt.iface are indices. Interface 0 is "": no name known. New
 * interfaces may appear while a pcapng file is read, always before the packets that use them. */
unsigned source_n_files(const struct source *s);
const char *source_file(const struct source *s, unsigned i);
unsigned source_n_ifaces(const struct source *s);
const char *source_iface(const struct source *s, unsigned i);

/* Faults in the order they were met: NULL beyond the last. The caller remembers how many it has shown. */
const struct source_fault *source_fault(const struct source *s, unsigned i);
void source_stats(struct source *s, struct source_stats *ret);
void source_progress(const struct source *s, struct source_progress *ret);
