/* file.h: one capture file being read. For files of capture/ only. */
#pragma once

#include "capture/file_input.h"
#include "capture/source_impl.h"

enum { FILE_CAPLEN_MAX = 262144 }; /* MAXIMUM_SNAPLEN of libpcap; more is not a length but a damaged file */
#define FILE_NS_MAX UINT64_C(0x7fffffffffffffff) /* times are clamped to the year 2262: sums with them never wrap */

struct ng_iface; /* file_pcapng.c */

struct file {
    struct input in;
    struct source *src;
    const struct file_format *format; /* NULL: not started, or ended */
    uint64_t size;                    /* of the file, where it is known */
    uint32_t frame;                   /* packets so far */
    uint16_t index;
    bool regular, ended;
    bool swap; /* byte order differs from this machine's */
    /* pcap */
    bool nano, old_lengths;
    uint8_t fcs; /* bytes of frame check sequence at the end of each packet */
    uint16_t minor;
    uint32_t header; /* bytes of a record header */
    uint32_t linktype;
    /* pcapng */
    uint64_t skip;    /* rest of a block of no interest */
    uint64_t last_ns; /* simple packet blocks carry no time */
    uint32_t n_ifaces, max_ifaces;
    struct ng_iface *ifaces; /* of this section */
    /* merging: packets read ahead, whose bytes lie in the block; key is the highest time so far */
    struct pkt *ahead;
    uint32_t ahead_at, ahead_n;
    uint64_t key;
};

struct file_format {
    /* Consumes the file's head. 1 ready, 0 ended (the fault is recorded), -EINTR. */
    int (*start)(struct file *f);
    /* Up to max packets in views of the block. > 0 packets; -ENODATA ended (faults are recorded); -EINTR. */
    int (*read)(struct file *f, struct pkt *ret, unsigned max);
};
extern const struct file_format file_pcap, file_pcapng;

/* Opens, recognises the format and calls its start. Same results. */
int file_start(struct file *f, uint32_t block, bool transient);
/* Frees all but what names the file: file_start starts over. */
void file_park(struct file *f);

/* The file ends here, at `at`, with this fault; returns -ENODATA. what: "found ..., expected ...". */
int file_fault(struct file *f, enum source_class cls, uint64_t at, const char *fmt, ...) PRINTF(4, 5);
/* input_fill has not returned 1 for `need` bytes of what the format calls `what`: why the file ends. Returns -ENODATA,
 * or -EINTR where it does not end. */
int file_short(struct file *f, int rc, const char *what, uint32_t need);

static inline const char *file_article(const char *what)
{
    return strchr("aeiou", *what) ? "an" : "a";
}

static inline uint16_t file_u16(const uint8_t *p, bool swap)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return swap ? __builtin_bswap16(v) : v;
}

static inline uint32_t file_u32(const uint8_t *p, bool swap)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return swap ? __builtin_bswap32(v) : v;
}

static inline uint64_t file_u64(const uint8_t *p, bool swap)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return swap ? __builtin_bswap64(v) : v;
}

/* Lengths as the packet shall have them: without the frame check sequence, and never captured beyond the wire's. */
static inline void file_lengths(struct pkt *p, uint32_t caplen, uint32_t wirelen, uint8_t fcs)
{
    if (wirelen < caplen)
        wirelen = caplen;
    if (fcs) {
        wirelen -= wirelen < fcs ? wirelen : fcs;
        caplen = caplen < wirelen ? caplen : wirelen;
    }
    p->caplen = caplen;
    p->wirelen = wirelen;
    p->flags = caplen < wirelen ? PKT_CUT : 0;
}
