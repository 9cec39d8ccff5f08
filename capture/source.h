/* source.h: where packets come from. One interface for capture files and live back ends; knows no protocol.
 *
 * A source is opened by URI ("file:x.pcap", a plain path, "-", "pcap:eth1", "dpdk:...", "tap:a+b") or by a list
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
    const struct source *first; /* queue 0, which the others are opened beside; NULL: this is queue 0 */
    uint32_t snaplen;         /* 0: the back end's largest */
    uint64_t buffer_bytes;    /* kernel ring or pool; 0: the back end's default */
    const char *filter;       /* in libpcap's language; NULL: all packets */
    bool no_promisc;
    bool immediate;           /* packets one by one as they come, instead of by blocks */
    bool adapter_time;        /* time stamps of the network card, where it has them */
    const char *const *dpdk_args; /* for DPDK's environment, NULL-terminated; NULL: none */
    uint32_t dpdk_mbufs;      /* packet buffers of a DPDK port; 0: the back end's default */
    bool may_wait;            /* a port that is not there yet is waited for */
};

struct source;

/* One live port (of several where sources were joined), counted since open. A file is no port. */
enum source_link { SOURCE_LINK_UNKNOWN, SOURCE_LINK_UP, SOURCE_LINK_DOWN, SOURCE_LINK_GONE };
enum { SOURCE_PORTS = 16, SOURCE_PORT_NAME = 64 };
struct source_port {
    char name[SOURCE_PORT_NAME];
    uint64_t packets, bytes;   /* delivered */
    uint64_t dropped_kernel;   /* the ring was full */
    uint64_t dropped_nic;      /* by the card or its driver: not read in time, no buffer */
    uint64_t opened;           /* times: more than once where it had gone */
    uint64_t swapped, skew_ns; /* of a TAP's sides: responses stamped before what they answer; the most */
    uint16_t iface, file;      /* of its packets */
    uint8_t link;              /* enum source_link */
    uint8_t paced;             /* its time is the clock's: packets arrive as they happen */
    uint8_t blind;             /* the back end cannot tell what it dropped */
};

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
    /* Up to max ports; returns how many there are. Asks the system: not for every packet. NULL: none. */
    unsigned (*ports)(struct source *s, struct source_port *ret, unsigned max);
    /* Descriptors that become readable when packets wait; returns their number, -1: it must be polled. NULL: files. */
    int (*fds)(const struct source *s, int *ret, unsigned max);
    void (*progress)(const struct source *s, struct source_progress *ret); /* NULL: unknown */
    /* Of queue 0: how many there are, the most that were asked for. NULL: one. */
    unsigned (*queues)(const struct source *s);
    void (*close)(struct source *s);
};

/* Is it SCHEME:REST with a known scheme and some rest? */
bool source_is_uri(const char *uri);
/* uri: SCHEME:REST with a known scheme, else a path; "-" is standard input. */
int source_open(const char *uri, const struct source_conf *conf, struct err *e, struct source **ret) MUST_USE;
/* The same for `want` queues of one port, which as many threads can read: ret gets *ret_n sources, as many as wanted
 * (some of them may never have a packet), or one, where the port cannot spread its packets. What one knows of the ports
 * is of its queue alone. */
int source_open_queues(const char *uri, const struct source_conf *conf, unsigned want, struct err *e,
                       struct source **ret, unsigned *ret_n) MUST_USE;
/* Can it be a filter of an interface? Names of hosts in it are looked up, as at a capture's start. */
int source_filter_check(const char *filter, struct err *e) MUST_USE;
/* Does the URI name packets that arrive as they happen, rather than a capture? */
bool source_is_live(const char *uri);
/* Several capture files as one source: packets in order of time, ties in argument order; inside a file the file's own
 * order always holds. A file that cannot be read becomes a fault, not a failure: only no memory or more than 65,535
 * files fail. */
int source_open_files(const char *const *paths, unsigned n, struct err *e, struct source **ret) MUST_USE;
/* Do the first bytes of a file say that it is a pcap or pcapng file? */
bool source_is_capture(const uint8_t first[4]);
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
unsigned source_ports(struct source *s, struct source_port *ret, unsigned max);
/* After a poll without packets: until there are some, or the time has passed. Sources that must be polled: a nap. */
void source_wait(struct source *s, unsigned ms);
/* Several sources as one, polled in turn; takes them over, also on failure. It ends when all have ended. */
int source_join(struct source **parts, unsigned n, struct err *e, struct source **ret) MUST_USE;
/* Several queues as one source, each of which may be read by a thread of its own; takes them over, also on failure. All
 * have the same ports and files, packets differ. Polled as a whole, it reads them in turn. */
int source_fan(struct source **queues, unsigned n, struct err *e, struct source **ret) MUST_USE;
/* 1, and the source itself, where it is no fan. */
unsigned source_n_queues(const struct source *s);
struct source *source_queue(struct source *s, unsigned queue);
/* By the thread that reads this queue, or when none does: what the whole tells of ports, losses and faults is the sum
 * of what the queues have told. Faults become known when queue 0 tells. */
void source_tell(struct source *s, unsigned queue);
