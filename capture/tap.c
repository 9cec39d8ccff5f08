/* tap.c: tap:IFACE+IFACE, the two directions of a TAP on two ports as one source, in order of time.
 *
 * Two cards deliver and stamp on their own: a response can be handed over, or even be stamped, before its request. So
 * packets of one side wait until the other has delivered what is as old (HOLD_NS), and a TCP segment that acknowledges
 * data which the other side has stamped up to SKEW_NS later comes after it, whatever the stamps say. That is the one
 * thing that this file looks for in a packet; how often it was so and by how much is counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "capture/source_impl.h"

enum { SIDES = 2, AHEAD = 128, LOOK = 64 /* packets of the other side that are looked at */ };
#define HOLD_NS UINT64_C(25000000) /* a block of the kernel's ring is handed over after 10 ms */
#define SKEW_NS UINT64_C(1000000)

struct segment { /* of TCP over IPv4 or IPv6; pair 0: something else */
    uint64_t pair; /* both ends, whichever way */
    uint32_t end, ack;
    bool data;
};

struct side {
    struct source *s;
    struct pkt pkt[AHEAD];
    struct segment seg[AHEAD];
    unsigned at, n;
    unsigned faults; /* handed on */
    uint16_t iface;
    bool ended;
};

struct tap {
    struct source s;
    struct side side[SIDES];
    unsigned force[SIDES]; /* packets of this side that go first */
    uint64_t swapped, skew_ns;
};

/* ---- what acknowledges what ---- */

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
    return be16(p) << 16 | be16(p + 2);
}

static uint64_t words(const uint8_t *p, unsigned n)
{
    uint64_t h = 0;
    for (unsigned i = 0; i < n; i += 4)
        h = (h ^ be32(p + i)) * UINT64_C(0x9e3779b97f4a7c15);
    return h;
}

static struct segment segment_of(const struct pkt *p)
{
    struct segment none = {0}, s = {0};
    const uint8_t *b = p->data;
    uint32_t at = 12, n = p->caplen, l4, end;
    if (p->linktype != 1)
        return none;
    while (at + 6 <= n && (be16(b + at) == 0x8100 || be16(b + at) == 0x88a8))
        at += 4;
    if (at + 2 + 40 > n)
        return none;
    uint32_t type = be16(b + at), ip = at + 2;
    if (type == 0x0800 && b[ip + 9] == 6 && !(be16(b + ip + 6) & 0x3fff)) {
        l4 = ip + (b[ip] & 15u) * 4;
        end = ip + be16(b + ip + 2);
        s.pair = words(b + ip + 12, 4) + words(b + ip + 16, 4);
    } else if (type == 0x86dd && b[ip + 6] == 6 && ip + 60 <= n) {
        l4 = ip + 40;
        end = l4 + be16(b + ip + 4);
        s.pair = words(b + ip + 8, 16) + words(b + ip + 24, 16);
    } else {
        return none;
    }
    uint32_t header = l4 + 20 <= n ? (b[l4 + 12] >> 4) * 4u : 0;
    if (header < 20 || end < l4 + header)
        return none;
    uint32_t len = end - l4 - header + ((b[l4 + 13] & 3) != 0); /* SYN and FIN count */
    s.pair += (uint64_t)(be16(b + l4) + be16(b + l4 + 2)) << 40;
    s.pair += !s.pair;
    s.data = len > 0;
    s.end = be32(b + l4 + 4) + len;
    s.ack = b[l4 + 13] & 16 ? be32(b + l4 + 8) : 0;
    return s;
}

/* The packets of the other side, up to the one that this packet acknowledges, although they have later stamps. */
static unsigned acknowledged(const struct side *mine, const struct side *other)
{
    const struct pkt *p = &mine->pkt[mine->at];
    const struct segment *s = &mine->seg[mine->at];
    unsigned found = 0;
    if (!s->pair || !s->ack)
        return 0;
    for (unsigned i = other->at; i < other->n && i < other->at + LOOK; i++) {
        if (other->pkt[i].ts_ns > p->ts_ns + SKEW_NS)
            break;
        if (other->seg[i].pair == s->pair && other->seg[i].data && other->seg[i].end == s->ack &&
            other->pkt[i].ts_ns > p->ts_ns)
            found = i - other->at + 1;
    }
    return found;
}

/* ---- merging ---- */

static bool fill(struct tap *t, struct side *d)
{
    if (d->at < d->n)
        return true;
    if (d->ended)
        return false;
    int n = source_poll(d->s, d->pkt, AHEAD);
    d->at = d->n = 0;
    source_take_faults(&t->s, d->s, &d->faults, (unsigned)(d - t->side));
    if (n < 0) {
        d->ended = true;
        return false;
    }
    d->n = (unsigned)n;
    for (unsigned i = 0; i < d->n; i++) {
        d->pkt[i].iface = d->iface;
        d->pkt[i].file = (uint16_t)(d - t->side);
        d->seg[i] = segment_of(&d->pkt[i]);
    }
    return d->n > 0;
}

static bool old_enough(const struct pkt *p)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    return p->ts_ns + HOLD_NS <= ns || p->ts_ns > ns + UINT64_C(1000000000); /* another clock's waits for none */
}

/* Whose packet is next; -1: neither can go yet. */
static int choose(struct tap *t)
{
    struct side *a = &t->side[0], *b = &t->side[1];
    bool has_a = a->at < a->n, has_b = b->at < b->n;
    if (!has_a || !has_b) {
        struct side *only = has_a ? a : b;
        return (has_a || has_b) && old_enough(&only->pkt[only->at]) ? (int)(only - t->side) : -1;
    }
    for (int i = 0; i < SIDES; i++)
        if (t->force[i])
            return i;
    int first = b->pkt[b->at].ts_ns < a->pkt[a->at].ts_ns;
    struct side *mine = &t->side[first], *other = &t->side[1 - first];
    unsigned before = acknowledged(mine, other);
    if (!before)
        return first;
    const struct pkt *p = &mine->pkt[mine->at];
    uint64_t skew = other->pkt[other->at + before - 1].ts_ns - p->ts_ns;
    for (unsigned i = other->at; i < other->at + before; i++)
        if (other->pkt[i].ts_ns > p->ts_ns)
            other->pkt[i].ts_ns = p->ts_ns;
    t->swapped++;
    t->skew_ns = skew > t->skew_ns ? skew : t->skew_ns;
    t->force[1 - first] = before;
    return 1 - first;
}

/* A side that ran out is asked again only when nothing of it is on its way to the caller. */
static int tap_poll(struct source *src, struct pkt *ret, unsigned max)
{
    struct tap *t = (struct tap *)src;
    unsigned n = 0;
    for (unsigned i = 0; i < SIDES; i++)
        (void)fill(t, &t->side[i]);
    while (n < max) {
        int i = choose(t);
        if (i < 0)
            break;
        struct side *d = &t->side[i];
        ret[n++] = d->pkt[d->at++];
        t->force[i] -= t->force[i] > 0;
        if (d->at == d->n)
            break;
    }
    return n                                        ? (int)n
           : t->side[0].ended && t->side[1].ended ? -ENODATA
                                                    : 0;
}

static void tap_stats(struct source *src, struct source_stats *ret)
{
    struct tap *t = (struct tap *)src;
    ret->dropped = 0;
    for (unsigned i = 0; i < SIDES; i++) {
        struct source_stats s;
        source_stats(t->side[i].s, &s);
        ret->dropped += s.dropped;
    }
}

static unsigned tap_ports(struct source *src, struct source_port *ret, unsigned max)
{
    struct tap *t = (struct tap *)src;
    unsigned n = 0;
    for (unsigned i = 0; i < SIDES && n < max; i++) {
        if (!source_ports(t->side[i].s, &ret[n], 1))
            continue;
        ret[n].iface = t->side[i].iface;
        ret[n].file = (uint16_t)i;
        ret[n].swapped = t->swapped;
        ret[n].skew_ns = t->skew_ns;
        n++;
    }
    return n;
}

/* A side whose packets wait for the other's has something to read all the time. */
static int tap_fds(const struct source *src, int *ret, unsigned max)
{
    const struct tap *t = (const struct tap *)src;
    int n = 0;
    for (unsigned i = 0; i < SIDES; i++) {
        const struct side *d = &t->side[i];
        if (!d->ended && d->at == d->n && d->s->ops->fds)
            n += d->s->ops->fds(d->s, ret + n, max - (unsigned)n);
    }
    return n;
}

static void tap_close(struct source *src)
{
    struct tap *t = (struct tap *)src;
    for (unsigned i = 0; i < SIDES; i++)
        source_close(t->side[i].s);
    source_done(src);
    free(t);
}

static int open_sides(struct tap *t, const char *what, const struct source_conf *conf, struct err *e)
{
    char uri[2 * SOURCE_PORT_NAME];
    const char *plus = strchr(what, '+');
    if (!plus || plus == what || !plus[1] || strchr(plus + 1, '+') || strlen(what) >= SOURCE_PORT_NAME)
        return err_set(e, -EINVAL, "tap: found '%s', expected two interfaces: tap:eth1+eth2", what);
    for (unsigned i = 0; i < SIDES; i++) {
        const char *name = i ? plus + 1 : what;
        int len = i ? (int)strlen(name) : (int)(plus - what);
        snprintf(uri, sizeof uri, "pcap:%.*s", len, name);
        int r = source_open(uri, conf, e, &t->side[i].s);
        if (r)
            return r;
        t->side[i].iface = source_add_iface(&t->s, name, (unsigned)len);
    }
    return 0;
}

static int tap_open(const char *const *what, unsigned n, const struct source_conf *conf, struct err *e,
                    struct source **ret)
{
    static const char *const no_files[SIDES] = {"", ""};
    (void)n;
    struct tap *t = calloc(1, sizeof *t);
    if (!t)
        return err_set(e, -ENOMEM, "no memory to capture");
    int r = source_init(&t->s, &source_tap_ops, no_files, SIDES);
    r = r ? err_set(e, r, "no memory to capture") : open_sides(t, what[0], conf, e);
    if (r) {
        tap_close(&t->s);
        return r;
    }
    *ret = &t->s;
    return 0;
}

const struct source_ops source_tap_ops = {
    .scheme = "tap",
    .open = tap_open,
    .poll = tap_poll,
    .stats = tap_stats,
    .ports = tap_ports,
    .fds = tap_fds,
    .close = tap_close,
};
