/* file_pcapng.c: the pcapng file format.
 *
 * Spec: draft-ietf-opsawg-pcapng (blocks 3, section header 4.1, interface description 4.2, enhanced packet 4.3, simple
 * packet 4.4, obsolete packet block appendix A).
 *
 *   | block type 4 | total length 4 | body ..., padded to 4 | total length again 4 |
 *
 *   section header 0a0d0d0a: | byte-order magic 1a2b3c4d | major 2 | minor 2 | section length 8 | options |
 *   interface 1:             | link type 2 | 2 | snaplen 4 | options |
 *   enhanced packet 6:       | interface 4 | time high 4 | time low 4 | captured 4 | length 4 | bytes | options |
 *   simple packet 3:         | length 4 | bytes |
 *   packet (obsolete) 2:     | interface 2 | drops 2 | time high 4 | time low 4 | captured 4 | length 4 | bytes | ...
 *
 * A file may hold several sections, each with its own byte order and interfaces. All other blocks are skipped (names,
 * statistics, secrets, comments). The frame check sequence length of a single packet (epb_flags) is not looked at. */
#include "capture/file.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_OLD_PACKET = 2,
    BLOCK_SIMPLE = 3,
    BLOCK_ENHANCED = 6,
    FRAMING = 12, /* type and both lengths */
    SECTION_MIN = 28,
    BLOCK_MAX = 16 << 20, /* a skipped block longer than this is damage; the same bound as in other readers */
    IFACES_FIRST = 16,
    IFACES_MAX = 65536, /* interface descriptions of one section */
    OPT_END = 0,
    OPT_NAME = 2,
    OPT_TSRESOL = 9,
    OPT_FCSLEN = 13,
    OPT_TSOFFSET = 14,
};

struct ng_iface {
    uint64_t mul, max; /* ns = time * mul while time <= max; */
    uint64_t div;      /* else: ns = time / div (finer than ns) */
    int64_t offset_s;  /* added to every time */
    uint32_t linktype, snaplen;
    uint8_t shift; /* else: ns = time * 10^9 / 2^shift */
    uint8_t fcs;
    bool plain;    /* mul alone says it */
    bool binary;   /* shift instead of mul or div */
    uint16_t name; /* index into the source's interface names */
};

static uint64_t slow_ns(const struct ng_iface *i, uint64_t t)
{
    unsigned __int128 v;
    if (i->binary)
        v = (unsigned __int128)t * 1000000000u >> i->shift;
    else if (i->div)
        v = t / i->div;
    else
        v = (unsigned __int128)t * i->mul;
    /* v < 2^94 and the offset's magnitude < 2^93: no overflow */
    __int128 sum = (__int128)v + (__int128)i->offset_s * 1000000000;
    if (sum < 0)
        return 0;
    return sum > (__int128)FILE_NS_MAX ? FILE_NS_MAX : (uint64_t)sum;
}

static inline uint64_t to_ns(const struct ng_iface *i, uint64_t t)
{
    if (__builtin_expect(i->plain && t <= i->max, 1))
        return t * i->mul;
    return slow_ns(i, t);
}

/* if_tsresol: the unit is 10^-v, or 2^-(v & 127) where the highest bit is set. */
static void set_resolution(struct ng_iface *i, uint8_t v)
{
    i->mul = 0;
    i->div = 0;
    i->binary = v & 0x80;
    i->shift = v & 0x7f;
    if (i->binary)
        return;
    uint64_t pow = 1;
    unsigned n = v > 9 ? v - 9u : 9u - v;
    for (unsigned k = 0; k < n && k < 19; k++)
        pow *= 10;
    if (v <= 9)
        i->mul = pow;
    else
        i->div = n <= 19 ? pow : 0; /* finer: 64 bits of such units are less than a nanosecond, and mul is 0 */
}

static void read_option(struct file *f, struct ng_iface *i, uint16_t code, struct span v)
{
    if (code == OPT_NAME) {
        uint32_t n = 0; /* not always padded with zeros as it should be, but some writers count a zero in */
        while (n < v.n && n < IFACE_NAME && v.p[n])
            n++;
        i->name = source_add_iface(f->src, v.p, n);
    } else if (code == OPT_TSRESOL && v.n >= 1) {
        set_resolution(i, v.p[0]);
    } else if (code == OPT_TSOFFSET && v.n >= 8) {
        i->offset_s = (int64_t)file_u64(v.p, f->swap);
    } else if (code == OPT_FCSLEN && v.n >= 1) {
        /* "in bits", says the draft, and gives 4 as the example: bytes are written as well */
        i->fcs = v.p[0] >= 8 ? v.p[0] / 8 : v.p[0];
    }
}

static void read_options(struct file *f, struct ng_iface *i, struct cur c)
{
    while (cur_left(&c) >= 4) {
        struct span head = cur_bytes(&c, 4);
        uint16_t code = file_u16(head.p, f->swap), len = file_u16(head.p + 2, f->swap);
        if (code == OPT_END)
            return;
        struct span v = cur_bytes(&c, len);
        if (!cur_ok(&c))
            return;
        read_option(f, i, code, v);
        cur_skip(&c, (4u - len % 4u) % 4u);
    }
}

/* -ENODATA where the file cannot go on. body: what lies between the two lengths. */
static int add_interface(struct file *f, struct cur body)
{
    if (cur_left(&body) < 8)
        return file_fault(f, SOURCE_ERROR, input_offset(&f->in),
                          "found an interface description of %" PRIu32 " bytes, expected at least 20",
                          cur_left(&body) + FRAMING);
    if (f->n_ifaces == f->max_ifaces) {
        uint32_t max = f->max_ifaces ? f->max_ifaces * 2 : IFACES_FIRST;
        struct ng_iface *p = max > IFACES_MAX ? NULL : realloc(f->ifaces, max * sizeof *p);
        if (!p)
            return file_fault(f, SOURCE_ERROR, input_offset(&f->in),
                              "found interface %" PRIu32 " of a section, expected at most %d", f->n_ifaces, IFACES_MAX);
        f->ifaces = p;
        f->max_ifaces = max;
    }
    struct ng_iface *i = &f->ifaces[f->n_ifaces++];
    *i = (struct ng_iface){0};
    set_resolution(i, 6);
    struct span head = cur_bytes(&body, 8);
    i->linktype = file_u16(head.p, f->swap);
    i->snaplen = file_u32(head.p + 4, f->swap);
    read_options(f, i, body);
    i->plain = i->mul && !i->offset_s;
    i->max = i->mul ? FILE_NS_MAX / i->mul : 0;
    return 0;
}

/* The whole block is in view. 1, or -ENODATA, -EINTR. */
static int whole_block(struct file *f, uint32_t len, const char *what)
{
    uint64_t at = input_offset(&f->in);
    int rc = len <= INPUT_MAX ? input_fill(&f->in, len) : 0;
    if (len > INPUT_MAX)
        return file_fault(f, SOURCE_ERROR, at + 4,
                          "found a length of %" PRIu32 " in the head of %s %s, expected at most %d", len,
                          file_article(what), what,
                          INPUT_MAX);
    if (rc != 1)
        return file_short(f, rc, what, len);
    uint32_t again = file_u32(input_at(&f->in) + len - 4, f->swap);
    if (again != len)
        return file_fault(f, SOURCE_ERROR, at + len - 4,
                          "found a length of %" PRIu32 " at the end of %s %s, expected %" PRIu32 " as at its head",
                          again, file_article(what), what, len);
    return 1;
}

/* Only its head is of interest: options of any size are skipped, as those of other blocks. */
static int read_section(struct file *f)
{
    int rc = input_fill(&f->in, SECTION_MIN);
    if (rc != 1)
        return file_short(f, rc, "section header", SECTION_MIN);
    uint64_t at = input_offset(&f->in);
    const uint8_t *p = input_at(&f->in);
    uint32_t magic = file_u32(p + 8, false);
    if (magic != 0x1a2b3c4d && magic != 0x4d3c2b1a)
        return file_fault(f, SOURCE_ERROR, at + 8, "found byte-order magic %08" PRIx32 ", expected 1a2b3c4d", magic);
    f->swap = magic != 0x1a2b3c4d;
    uint32_t len = file_u32(p + 4, f->swap);
    if (len < SECTION_MIN || len % 4 || len > BLOCK_MAX)
        return file_fault(f, SOURCE_ERROR, at + 4,
                          "found a section header of %" PRIu32 " bytes, expected %d to %d, a multiple of 4", len,
                          SECTION_MIN, BLOCK_MAX);
    uint16_t major = file_u16(p + 12, f->swap);
    if (major != 1)
        return file_fault(f, SOURCE_ERROR, at + 12, "found pcapng version %u.%u, expected 1.x", major,
                          file_u16(p + 14, f->swap));
    f->skip = len;
    f->n_ifaces = 0;
    return 1;
}

static int start(struct file *f)
{
    int rc = read_section(f);
    return rc == -ENODATA ? 0 : rc;
}

/* Fields of a packet block that were read but not yet checked against each other. */
struct record {
    uint32_t iface, caplen, wirelen, data; /* data: offset of the bytes in the block */
    uint64_t time;
    bool timed;
};

static inline void record_fields(const struct file *f, const uint8_t *p, uint32_t type, uint32_t len, struct record *r)
{
    bool swap = f->swap;
    if (type == BLOCK_SIMPLE) {
        *r = (struct record){.wirelen = file_u32(p + 8, swap), .data = 12};
        uint32_t snap = f->n_ifaces ? f->ifaces[0].snaplen : 0, room = len - FRAMING - 4;
        r->caplen = r->wirelen;
        if (snap && r->caplen > snap)
            r->caplen = snap;
        if (r->caplen > room) /* a block that is too small for it: what it holds */
            r->caplen = room;
        return;
    }
    r->iface = type == BLOCK_ENHANCED ? file_u32(p + 8, swap) : file_u16(p + 8, swap);
    r->time = (uint64_t)file_u32(p + 12, swap) << 32 | file_u32(p + 16, swap);
    r->caplen = file_u32(p + 20, swap);
    r->wirelen = file_u32(p + 24, swap);
    r->data = 28;
    r->timed = true;
}

static int bad_record(struct file *f, const struct record *r, uint32_t len)
{
    uint64_t at = input_offset(&f->in);
    if (r->iface >= f->n_ifaces)
        return file_fault(f, SOURCE_ERROR, at + 8,
                          "found interface %" PRIu32 " in packet %" PRIu32 ", expected one of the %" PRIu32
                          " that the section describes",
                          r->iface, f->frame + 1, f->n_ifaces);
    uint32_t most = len - r->data - 4;
    return file_fault(f, SOURCE_ERROR, at + 20,
                      "found a captured length of %" PRIu32 " in packet %" PRIu32 ", expected at most %" PRIu32,
                      r->caplen, f->frame + 1, most < FILE_CAPLEN_MAX ? most : FILE_CAPLEN_MAX);
}

/* One packet block, whole in view. 1 a packet, -ENODATA. */
static inline int read_packet(struct file *f, uint32_t type, uint32_t len, struct pkt *ret)
{
    const uint8_t *p = input_at(&f->in);
    struct record r;
    record_fields(f, p, type, len, &r);
    if (__builtin_expect(r.iface >= f->n_ifaces || r.caplen > len - r.data - 4 || r.caplen > FILE_CAPLEN_MAX, 0))
        return bad_record(f, &r, len);
    const struct ng_iface *i = &f->ifaces[r.iface];
    if (r.timed)
        f->last_ns = to_ns(i, r.time);
    *ret = (struct pkt){.ts_ns = f->last_ns,
                        .data = p + r.data,
                        .linktype = i->linktype,
                        .frame = f->frame + 1,
                        .file = f->index,
                        .iface = i->name};
    file_lengths(ret, r.caplen, r.wirelen, i->fcs);
    f->frame++;
    f->in.from += len;
    return 1;
}

static const struct block_kind {
    uint32_t type, min;
    const char *what;
} kinds[] = {
    {BLOCK_ENHANCED, 32, "packet block"},
    {BLOCK_INTERFACE, 20, "interface description"},
    {BLOCK_SIMPLE, 16, "simple packet block"},
    {BLOCK_OLD_PACKET, 32, "obsolete packet block"},
};

static const struct block_kind *find_kind(uint32_t type)
{
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i].type == type)
            return &kinds[i];
    return NULL;
}

/* A block whose kind is known: 1 a packet, 0 no packet, -ENODATA, -EINTR. */
static int read_known(struct file *f, const struct block_kind *k, uint32_t len, struct pkt *ret)
{
    if (len < k->min)
        return file_fault(f, SOURCE_ERROR, input_offset(&f->in) + 4,
                          "found a length of %" PRIu32 " in the head of %s %s, expected at least %" PRIu32, len,
                          file_article(k->what), k->what,
                          k->min);
    int rc = whole_block(f, len, k->what);
    if (rc != 1)
        return rc;
    if (k->type != BLOCK_INTERFACE)
        return read_packet(f, k->type, len, ret);
    rc = add_interface(f, cur_make(input_at(&f->in) + 8, len - FRAMING));
    f->in.from += rc == 0 ? len : 0;
    return rc;
}

static int skip_rest(struct file *f)
{
    while (f->skip) {
        int rc = input_fill(&f->in, 1);
        if (rc != 1)
            return file_short(f, rc, "block", 0);
        uint32_t n = input_left(&f->in) < f->skip ? input_left(&f->in) : (uint32_t)f->skip;
        f->in.from += n;
        f->skip -= n;
    }
    return 0;
}

/* The next block, whatever it is. 1 a packet, 0 something else, -ENODATA, -EINTR. */
static int read_block(struct file *f, struct pkt *ret)
{
    int rc = skip_rest(f);
    if (rc < 0)
        return rc;
    rc = input_fill(&f->in, 8);
    if (rc != 1)
        return file_short(f, rc, "block head", 8);
    const uint8_t *p = input_at(&f->in);
    uint32_t type = file_u32(p, f->swap), len = file_u32(p + 4, f->swap);
    if (type == BLOCK_SECTION) { /* reads the same in both byte orders */
        rc = read_section(f);
        return rc == 1 ? 0 : rc;
    }
    if (len < FRAMING || len % 4 || len > BLOCK_MAX)
        return file_fault(f, SOURCE_ERROR, input_offset(&f->in) + 4,
                          "found a block of type %" PRIu32 " of %" PRIu32 " bytes, expected %d to %d, a multiple of 4",
                          type, len, FRAMING, BLOCK_MAX);
    const struct block_kind *k = find_kind(type);
    if (k)
        return read_known(f, k, len, ret);
    f->skip = len;
    return 0;
}

/* Enhanced packet blocks, as long as whole ones lie in the block: nothing here moves what was handed out before. */
static unsigned walk(struct file *f, struct pkt *ret, unsigned max)
{
    unsigned n = 0;
    while (n < max && !f->skip && input_left(&f->in) >= 32) {
        const uint8_t *p = input_at(&f->in);
        uint32_t type = file_u32(p, f->swap), len = file_u32(p + 4, f->swap);
        if (type != BLOCK_ENHANCED || len < 32 || len % 4 || len > input_left(&f->in) ||
            file_u32(p + len - 4, f->swap) != len)
            break;
        uint32_t iface = file_u32(p + 8, f->swap), caplen = file_u32(p + 20, f->swap);
        if (iface >= f->n_ifaces || caplen > len - 32 || caplen > FILE_CAPLEN_MAX)
            break;
        read_packet(f, type, len, &ret[n++]);
    }
    return n;
}

static int read_blocks(struct file *f, struct pkt *ret, unsigned max)
{
    for (;;) {
        unsigned n = walk(f, ret, max);
        if (n)
            return (int)n;
        int rc = read_block(f, ret);
        if (rc)
            return rc;
    }
}

const struct file_format file_pcapng = {.start = start, .read = read_blocks};
