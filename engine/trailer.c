#include "engine/trailer.h"

#include <string.h>

enum {
    FIRST = 32,       /* frames without anything until only some are looked at */
    EVERY = 64,
    FORGET = 1024,    /* frames without anything after which an interface has no trailers any more */
    SHORTEST = 60,    /* an Ethernet frame without its FCS: shorter ones are padded */
    CONSTANT = 32,    /* packets with the same number of bytes too many: a trailer of an unknown kind */
    LONGEST = 64,     /* of these */
    FCS = 4, PRP = 6,
};
#define DAY_S UINT32_C(86400)

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const uint8_t *p)
{
    return be16(p) << 16 | be16(p + 2);
}

static uint32_t le32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* ---- the check sequence ---- */

void trailers_init(struct trailers *t)
{
    memset(t, 0, sizeof *t);
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (unsigned k = 0; k < 8; k++)
            c = c >> 1 ^ (c & 1 ? UINT32_C(0xedb88320) : 0);
        t->crc[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (unsigned k = 1; k < 4; k++)
            t->crc[k][i] = t->crc[k - 1][i] >> 8 ^ t->crc[0][t->crc[k - 1][i] & 255];
}

/* IEEE 802.3 3.2.9; the four bytes on the wire are the least significant first. */
static uint32_t crc32(const struct trailers *t, const uint8_t *p, uint32_t n)
{
    uint32_t c = UINT32_MAX;
    for (; n >= 4; n -= 4, p += 4) {
        c ^= le32(p);
        c = t->crc[3][c & 255] ^ t->crc[2][c >> 8 & 255] ^ t->crc[1][c >> 16 & 255] ^ t->crc[0][c >> 24];
    }
    for (; n; n--, p++)
        c = c >> 8 ^ t->crc[0][(c ^ *p) & 255];
    return ~c;
}

static bool has_fcs(const struct trailers *t, const uint8_t *b, uint32_t n)
{
    return n >= SHORTEST + FCS && crc32(t, b, n - FCS) == le32(b + n - FCS);
}

/* ---- trailers that tell themselves: how long; 0: it is none ---- */

static bool near(uint32_t sec, uint64_t ts_ns, uint32_t days)
{
    uint64_t at = ts_ns / 1000000000u;
    return (sec > at ? sec - at : at - sec) <= (uint64_t)days * DAY_S;
}

/* | original FCS 4 | extensions | seconds 4 | nanoseconds 4 | flags 1 | device 2 | port 1 |, flags 1: that FCS was
 * right, 2: extensions. These are read backwards: | data | tag 4 |, the tag with the data's length in words in two
 * bits, or in ten (and one) where its lowest five are set; bit 5: it is the last. */
static uint32_t metamako(const struct trailers *t, const uint8_t *b, uint32_t n, uint64_t ts_ns)
{
    enum { VALID = 1, EXTENSIONS = 2, MOST = 32 };
    if (n < SHORTEST + 16 || !near(be32(b + n - 12), ts_ns, 30) || be32(b + n - 8) >= 1000000000)
        return 0;
    uint8_t flags = b[n - 4];
    uint32_t end = n - 12, last = !(flags & EXTENSIONS);
    for (unsigned k = 0; !last && k < MOST && end >= SHORTEST + 8; k++) {
        uint32_t tag = be32(b + end - 4);
        uint32_t words = (tag & 0x1f) == 0x1f ? (tag >> 6 & 0x3ff) + 1 : tag >> 6 & 3;
        if (end < SHORTEST + 8 + words * 4)
            return 0;
        end -= 4 + words * 4;
        last = tag >> 5 & 1;
    }
    if (!last || !(flags & VALID) || end < SHORTEST + FCS)
        return 0;
    end -= FCS;
    return crc32(t, b, end) == le32(b + end) ? n - end : 0;
}

/* | original FCS 4 | device 1 | port 1 | seconds 4 | fraction 5 | reserved 1 | */
static uint32_t exablaze(const struct trailers *t, const uint8_t *b, uint32_t n, uint64_t ts_ns)
{
    enum { LEN = 16 };
    if (n < SHORTEST + LEN || !near(be32(b + n - 10), ts_ns, 7))
        return 0;
    return crc32(t, b, n - LEN) == le32(b + n - LEN) ? LEN : 0;
}

/* | fields: type 1, length 1, value | length of all fields 1 | signature 2 | checksum (RFC 1071) of all before 2 |:
 * af12 is Ixia's signature, 22e5 Gigamon's. */
static uint32_t with_checksum(const struct trailers *t, const uint8_t *b, uint32_t n, uint64_t ts_ns)
{
    (void)t;
    (void)ts_ns;
    if (n < SHORTEST + 5 || (be16(b + n - 4) != 0xaf12 && be16(b + n - 4) != 0x22e5))
        return 0;
    uint32_t fields = b[n - 5], len = fields + 5, sum = 0;
    if (fields < 2 || n < SHORTEST + len)
        return 0;
    const uint8_t *p = b + n - len;
    for (uint32_t i = 0; i < len - 2; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (sum ^ 0xffff) == be16(b + n - 2) ? len : 0;
}

static uint32_t stamped(const struct trailers *t, const uint8_t *b, uint32_t n, uint64_t ts_ns)
{
    static uint32_t (*const kinds[])(const struct trailers *t, const uint8_t *b, uint32_t n,
                                     uint64_t ts_ns) = {metamako, exablaze, with_checksum};
    uint32_t len = 0;
    for (unsigned i = 0; !len && i < sizeof kinds / sizeof kinds[0]; i++)
        len = kinds[i](t, b, n, ts_ns);
    return len;
}

/* ---- trailers that the lengths of IP packets tell ---- */

static bool ends_prp(const uint8_t *b, uint32_t n)
{
    return be16(b + n - 2) == 0x88fb; /* IEC 62439-3 4.2.7: a part of the frame */
}

/* Where the frame ends by its IP header, its padding, or its PRP trailer; 0: it does not tell. */
static uint32_t content_end(const uint8_t *b, uint32_t n)
{
    uint32_t at = 12;
    while (at + 6 <= n && (be16(b + at) == 0x8100 || be16(b + at) == 0x88a8))
        at += 4;
    if (at + 2 + 20 > n)
        return 0;
    uint32_t type = be16(b + at), end = at + 2;
    if (type == 0x0800 && b[end] >> 4 == 4 && be16(b + end + 2) >= 20)
        end += be16(b + end + 2);
    else if (type == 0x86dd && b[end] >> 4 == 6 && be16(b + end + 4))
        end += 40 + be16(b + end + 4);
    else
        return 0;
    if (end < SHORTEST)
        return SHORTEST;
    return n >= end + PRP && ends_prp(b, end + PRP) ? end + PRP : end;
}

/* | seconds 4 | clock 2 bits, nanoseconds 30 | port 0, 1 or 2 | */
static bool is_vss(const uint8_t *p, uint32_t len, uint64_t ts_ns)
{
    enum { NS = 0x3fffffff };
    return len >= 8 && len <= 10 && near(be32(p), ts_ns, 30) && (be32(p + 4) & NS) < 1000000000;
}

/* Of a frame that does not tell its length: what the interface's IP packets had. */
static uint32_t as_before(const struct trailer_port *port, const uint8_t *b, uint32_t n, uint64_t ts_ns)
{
    uint32_t room = n - SHORTEST;
    if (port->vss && port->vss <= room && is_vss(b + n - port->vss, port->vss, ts_ns))
        return port->vss;
    return port->same >= CONSTANT && port->extra <= room ? port->extra : 0;
}

/* Behind the frame and its padding, as far as is known: n is without an FCS. */
static uint32_t by_length(struct trailer_port *port, const uint8_t *b, uint32_t n, uint64_t ts_ns)
{
    uint32_t end = ends_prp(b, n) ? n : content_end(b, n);
    if (!end)
        return as_before(port, b, n, ts_ns);
    uint32_t extra = n > end && n - end <= LONGEST ? n - end : 0;
    if (is_vss(b + end, extra, ts_ns)) {
        port->vss = (uint8_t)extra;
        return extra;
    }
    if (end > SHORTEST + 8) { /* a shorter one may be padded for a tag that was there before */
        port->same = extra == port->extra ? (uint16_t)(port->same + (port->same < CONSTANT)) : 1;
        port->extra = (uint16_t)extra;
    }
    return port->same >= CONSTANT && extra == port->extra ? extra : 0;
}

uint32_t trailer_look(struct trailers *t, const struct pkt *p)
{
    struct trailer_port *port = trailer_port(t, p);
    uint32_t n = p->caplen;
    if (p->flags & PKT_CUT || p->wirelen > n || n < SHORTEST)
        return 0;
    bool told = content_end(p->data, n) == n; /* by IP: nothing is behind it, nor need its bytes be summed */
    uint32_t len = told ? 0 : stamped(t, p->data, n, p->ts_ns), fcs = 0;
    if (!len && !told && has_fcs(t, p->data, n)) {
        fcs = FCS;
        len = stamped(t, p->data, n - FCS, p->ts_ns);
    }
    if (!len && n >= SHORTEST + fcs)
        len = by_length(port, p->data, n - fcs, p->ts_ns);
    t->fcs += fcs != 0;
    t->stamped += len != 0;
    if (len || fcs) {
        port->none = 0;
    } else if (++port->none >= FORGET) {
        port->vss = 0;
        port->none = FIRST;
    }
    if (port->none >= FIRST && !port->vss && !(port->extra && port->same > 1))
        port->wait = EVERY - 1;
    return len + fcs;
}
