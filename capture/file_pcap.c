/* file_pcap.c: the pcap file format.
 *
 * Spec: draft-ietf-opsawg-pcap; libpcap's savefile documentation for what older writers do.
 *
 *   0       4       6       8        12       16        20          24
 *   | magic | major | minor | zone 4 | sigfigs | snaplen | link type |   then records:
 *   | seconds 4 | micro- or nanoseconds 4 | captured length 4 | length 4 | bytes ...
 *
 * Magic (in the writer's byte order): a1b2c3d4 microseconds; a1b23c4d nanoseconds; a1b2cd34 the "modified" format of
 * Kuznetzov's patched libpcap, whose record headers have 8 more bytes (interface index, protocol, packet type). */
#include "capture/file.h"

#include <inttypes.h>

enum { HEAD = 24, RECORD = 16, RECORD_MODIFIED = 24 };

static int start(struct file *f)
{
    int rc = input_fill(&f->in, HEAD);
    if (rc != 1)
        return file_short(f, rc, "pcap file header", HEAD) == -EINTR ? -EINTR : 0;
    const uint8_t *p = input_at(&f->in);
    uint32_t magic = file_u32(p, false);
    f->swap = magic != 0xa1b2c3d4 && magic != 0xa1b23c4d && magic != 0xa1b2cd34;
    magic = file_u32(p, f->swap);
    f->nano = magic == 0xa1b23c4d;
    f->header = magic == 0xa1b2cd34 ? RECORD_MODIFIED : RECORD;
    uint16_t major = file_u16(p + 4, f->swap);
    f->minor = file_u16(p + 6, f->swap);
    if (major != 2) {
        file_fault(f, SOURCE_ERROR, 4, "found pcap version %u.%u, expected 2.x", major, f->minor);
        return 0;
    }
    uint32_t link = file_u32(p + 20, f->swap);
    f->linktype =
        link & 0x03ffffff; /* the bits above tell of the frame check sequence: 4 bits of length, 1 that they count */
    f->fcs = link & 0x04000000 ? (uint8_t)((link >> 28) * 2) : 0;
    f->old_lengths = f->minor <= 3;
    f->in.from += HEAD;
    return 1;
}

/* Before version 2.3 the two lengths stood the other way round; 2.3 itself was written both ways. */
static void order_lengths(const struct file *f, uint32_t *caplen, uint32_t *wirelen)
{
    if (f->minor < 3 || *caplen > *wirelen) {
        uint32_t t = *caplen;
        *caplen = *wirelen;
        *wirelen = t;
    }
}

/* Whole records of the block. Constant arguments make four loops of it; `rare` covers old lengths and check sequences.
 */
static inline __attribute__((always_inline)) unsigned walk(struct file *f, struct pkt *ret, unsigned max, bool swap,
                                                           bool nano, bool rare)
{
    const uint8_t *p = input_at(&f->in);
    uint32_t left = input_left(&f->in), header = rare ? f->header : RECORD;
    uint32_t linktype = f->linktype, frame = f->frame;
    uint16_t file = f->index;
    struct pkt *k = ret;
    for (const struct pkt *end = ret + max; k < end && left >= header; k++) {
        uint32_t caplen = file_u32(p + 8, swap), wirelen = file_u32(p + 12, swap);
        if (rare && f->old_lengths)
            order_lengths(f, &caplen, &wirelen);
        if (__builtin_expect(caplen > left - header || caplen > FILE_CAPLEN_MAX, 0))
            break;
        /* 32-bit fields: the sum cannot wrap, whatever they hold */
        uint64_t ns = (uint64_t)file_u32(p, swap) * UINT64_C(1000000000);
        ns += (uint64_t)file_u32(p + 4, swap) * (nano ? 1 : 1000);
        frame++;
        *k = (struct pkt){.ts_ns = ns, .data = p + header, .linktype = linktype, .frame = frame, .file = file};
        file_lengths(k, caplen, wirelen, rare ? f->fcs : 0);
        p += header + caplen;
        left -= header + caplen;
    }
    f->frame = frame;
    f->in.from = f->in.to - left;
    return (unsigned)(k - ret);
}

static unsigned walk_any(struct file *f, struct pkt *ret, unsigned max)
{
    if (f->fcs || f->old_lengths || f->header != RECORD)
        return walk(f, ret, max, f->swap, f->nano, true);
    if (f->swap)
        return walk(f, ret, max, true, f->nano, false);
    return f->nano ? walk(f, ret, max, false, true, false) : walk(f, ret, max, false, false, false);
}

static int read_records(struct file *f, struct pkt *ret, unsigned max)
{
    for (;;) {
        unsigned n = walk_any(f, ret, max);
        if (n)
            return (int)n;
        /* No whole record is left in the block. */
        int rc = input_fill(&f->in, f->header);
        if (rc != 1)
            return file_short(f, rc, "record header", f->header);
        const uint8_t *p = input_at(&f->in);
        uint32_t caplen = file_u32(p + 8, f->swap), wirelen = file_u32(p + 12, f->swap);
        if (f->old_lengths)
            order_lengths(f, &caplen, &wirelen);
        if (caplen > FILE_CAPLEN_MAX)
            return file_fault(f, SOURCE_ERROR, input_offset(&f->in) + 8,
                              "found a captured length of %" PRIu32 " in the header of packet %" PRIu32
                              ", expected at most %d",
                              caplen, f->frame + 1, FILE_CAPLEN_MAX);
        rc = input_fill(&f->in, f->header + caplen);
        if (rc != 1)
            return file_short(f, rc, "record", f->header + caplen);
    }
}

const struct file_format file_pcap = {.start = start, .read = read_records};
