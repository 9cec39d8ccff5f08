/* stream.c: TCP segments to bytes in order, for stream_pdu.c.
 *
 *   ooo    keeps segments beyond a hole, sorted. A hole is given up when the other side acknowledged beyond it, when
 *          too much waits behind it, when it is too old, or when the flow ends. */
#include "engine/shard.h"

enum {
    OOO_MAX = 24,                 /* segments waiting in one direction, */
    OOO_ASKED = 64,               /* ... while their receiver still asks for the hole: a window without scaling */
    HOLE_FAR = 1 << 20,           /* a jump beyond this is no hole: the numbers changed */
};
static const uint64_t hole_ns = UINT64_C(2000000000), asked_ns = UINT64_C(60000000000), ack_grace_ns = 2000000;

static int32_t seq_diff(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

/* ---- segments beyond a hole ---- */

static void seg_free(struct shard *s, struct half *h, uint32_t i)
{
    struct seg *g = &s->segs[i];
    h->ooo = g->next;
    h->n_ooo--;
    buf_put(&s->buffers, &g->buf);
    g->next = s->seg_free;
    s->seg_free = i;
}

void stream_forget(struct shard *s, struct flow *f, unsigned side, uint32_t missing)
{
    struct dis_ctx x;
    struct chunk none = {.ts_ns = f->last_ns, .side = (uint8_t)side};
    make_ctx(s, f, &none, &x);
    if (x.dir != DIR_UNKNOWN)
        asm_gap(&x);
    if (f->dis->gap)
        f->dis->gap(&x, missing);
}

void stream_hole(struct shard *s, struct flow *f, unsigned side, uint32_t missing)
{
    stream_missing(s, &f->half[side], missing);
    if (f->class_state == CLASS_CLAIMED)
        stream_forget(s, f, side, missing);
}

/* The capture cut what a segment carried behind the bytes that were just read: a hole, which nobody lost on the way. A
 * message of which some are missing is none any more, however few. */
static void cut_tail(struct shard *s, struct flow *f, unsigned side, uint32_t missing)
{
    struct half *h = &f->half[side];
    uint32_t begun = h->part_len;
    stream_missing(s, h, missing);
    if (f->class_state != CLASS_CLAIMED) {
        f->asks |= FLOW_HOLED;
        classify_hole(f, side, missing);
        return;
    }
    s->stats->unsynced_bytes += missing;
    stream_forget(s, f, side, begun + missing);
}

static void gap(struct shard *s, struct flow *f, unsigned side, uint32_t missing)
{
    s->stats->gaps++;
    s->stats->gap_bytes += missing;
    f->gaps++;
    stream_hole(s, f, side, missing);
    if (f->class_state != CLASS_CLAIMED) {
        f->asks |= FLOW_HOLED;
        classify_hole(f, side, missing);
    }
}

static void deliver_seg(struct shard *s, struct flow *f, unsigned side, uint32_t i)
{
    struct half *h = &f->half[side];
    struct seg *g = &s->segs[i];
    int32_t over = seq_diff(h->next, g->seq);
    if (over < (int32_t)g->len) {
        struct layers lay;
        flow_layers(f, side, &lay);
        uint32_t skip = over > 0 ? (uint32_t)over : 0;
        uint32_t missing = g->missing;
        struct chunk c = {.p = g->buf.p + skip, .len = g->len - skip, .frame = g->frame, .ts_ns = g->ts_ns,
                          .file = g->file, .side = (uint8_t)side, .cut = missing != 0, .lay = &lay};
        h->next = g->seq + g->len + missing;
        struct buf b = g->buf; /* survives seg_free while it is read */
        g->buf.p = NULL;
        seg_free(s, h, i);
        stream_deliver(s, f, &c);
        buf_put(&s->buffers, &b);
        if (missing)
            cut_tail(s, f, side, missing);
        return;
    }
    seg_free(s, h, i);
}

/* Deliver what is in order now. */
static void drain(struct shard *s, struct flow *f, unsigned side)
{
    struct half *h = &f->half[side];
    while (h->ooo != FLOW_NONE && seq_diff(s->segs[h->ooo].seq, h->next) <= 0)
        deliver_seg(s, f, side, h->ooo);
    half_rest(h)->hole_ns = h->ooo == FLOW_NONE ? 0 : half_rest(h)->hole_ns;
}

static void give_up_hole(struct shard *s, struct flow *f, unsigned side)
{
    struct half *h = &f->half[side];
    uint32_t missing = s->segs[h->ooo].seq - h->next;
    gap(s, f, side, missing);
    h->next = s->segs[h->ooo].seq;
    drain(s, f, side);
    if (h->ooo != FLOW_NONE)
        half_rest(h)->hole_ns = f->last_ns;
}

/* Do these bytes contradict what waits already? Two truths about one place are how a watcher is deceived. */
static bool contradicts(const struct shard *s, const struct half *h, const struct layers *l)
{
    for (uint32_t i = h->ooo; i != FLOW_NONE; i = s->segs[i].next) {
        const struct seg *g = &s->segs[i];
        int32_t d = seq_diff(l->seq, g->seq);
        uint32_t at = d > 0 ? (uint32_t)d : 0, skip = d < 0 ? (uint32_t)-d : 0;
        if (at >= g->len || skip >= l->payload_len)
            continue;
        uint32_t n = g->len - at < l->payload_len - skip ? g->len - at : l->payload_len - skip;
        if (memcmp(g->buf.p + at, l->payload + skip, n) != 0)
            return true;
    }
    return false;
}

static void keep_seg(struct shard *s, struct flow *f, unsigned side, const struct pkt *p, const struct layers *l)
{
    struct half *h = &f->half[side];
    s->stats->out_of_order++;
    if (contradicts(s, h, l))
        report_fault(s, f, side, FAULT_SEGMENTS);
    struct buf b = buf_get(&s->buffers, l->payload_len);
    if (!b.p || s->seg_free == FLOW_NONE) { /* no room: the hole is given up, the segment taken as it is */
        buf_put(&s->buffers, &b);
        s->stats->segments_evicted++;
        while (h->ooo != FLOW_NONE)
            give_up_hole(s, f, side);
        int32_t d = seq_diff(l->seq, h->next);
        if (d > 0)
            gap(s, f, side, (uint32_t)d);
        struct chunk c = {.p = l->payload, .len = l->payload_len, .frame = p->frame, .ts_ns = p->ts_ns,
                          .file = p->file, .side = (uint8_t)side, .lay = l, .cut = (l->what & LAY_CUT) != 0};
        if (d >= 0) {
            h->next = l->seq + l->payload_wire;
            stream_deliver(s, f, &c);
            if (c.cut)
                cut_tail(s, f, side, l->payload_wire - l->payload_len);
        }
        return;
    }
    uint32_t *at = &h->ooo;
    while (*at != FLOW_NONE && seq_diff(s->segs[*at].seq, l->seq) <= 0)
        at = &s->segs[*at].next;
    uint32_t i = s->seg_free;
    struct seg *g = &s->segs[i];
    s->seg_free = g->next;
    *g = (struct seg){.buf = b, .ts_ns = p->ts_ns, .seq = l->seq, .len = l->payload_len, .frame = p->frame,
                      .file = p->file, .next = *at, .missing = l->payload_wire - l->payload_len};
    *at = i;
    memcpy(b.p, l->payload, l->payload_len);
    if (!h->n_ooo++) {
        half_rest(h)->hole_ns = f->last_ns;
        f->asks &= (uint8_t)~(FLOW_WAITS << side);
    }
}

void stream_free(struct shard *s, struct flow *f)
{
    for (unsigned side = 0; side < 2; side++) {
        while (f->half[side].ooo != FLOW_NONE)
            seg_free(s, &f->half[side], f->half[side].ooo);
        stream_part_drop(s, &f->half[side]);
    }
}

void stream_drain(struct shard *s, struct flow *f)
{
    for (unsigned side = 0; side < 2; side++)
        while (f->half[side].ooo != FLOW_NONE)
            give_up_hole(s, f, side);
}

/* A hole that its receiver still asks for is not lost: what lies beyond it may be anybody's, and goes when nobody has
 * filled the hole for long. */
static void give_up_old(struct shard *s, struct flow *f, unsigned side, uint64_t now)
{
    struct half *h = &f->half[side];
    if (h->ooo == FLOW_NONE || now <= half_rest(h)->hole_ns + hole_ns)
        return;
    if (!(f->asks & FLOW_WAITS << side)) {
        give_up_hole(s, f, side);
        return;
    }
    if (now <= half_rest(h)->hole_ns + asked_ns)
        return;
    while (h->ooo != FLOW_NONE) {
        s->stats->unsynced_bytes += s->segs[h->ooo].len;
        seg_free(s, h, h->ooo);
    }
    half_rest(h)->hole_ns = 0;
}

void stream_tick(struct shard *s, struct flow *f, uint64_t now)
{
    for (unsigned side = 0; side < 2; side++)
        give_up_old(s, f, side, now);
}

/* The other side's packet acknowledges: bytes that it has and we have not will not come any more; those that it asks
 * for may. */
static void other_acked(struct shard *s, struct flow *f, unsigned other, const struct layers *l)
{
    struct half *h = &f->half[other];
    while (h->ooo != FLOW_NONE && seq_diff(l->ack, s->segs[h->ooo].seq) >= 0 &&
           f->last_ns > half_rest(h)->hole_ns + ack_grace_ns) {
        unseen_hole(s, f, other, s->segs[h->ooo].seq);
        give_up_hole(s, f, other);
    }
    if (h->ooo != FLOW_NONE && l->ack == h->next)
        f->asks |= (uint8_t)(FLOW_WAITS << other);
}

/* Is it so soon behind the last packet of its side that it may be a copy? */
static bool is_recent(const struct shard *s, const struct pkt *p, uint64_t last_ns)
{
    return p->ts_ns - last_ns <= s->conf.duplicate_ns && s->conf.duplicate_ns;
}

/* All of it was here before: again by its sender, or a copy of the mirror port that others overtook. A sender that
 * counts its packets gives a retransmission a higher identification than what it sent last. */
static void old_segment(struct shard *s, struct flow *f, struct half *h, const struct layers *l, bool recent)
{
    enum { OVERTAKEN = 16 };
    if (recent && h->ip_id_seen && l->ip_id && (uint16_t)(h->ip_id - l->ip_id) < OVERTAKEN) {
        s->stats->duplicates++;
        return;
    }
    if (l->payload_len <= 1 && seq_diff(l->seq + 1, h->next) == 0)
        s->stats->keepalives++;
    else {
        s->stats->retransmitted++;
        f->retransmissions++;
    }
}

static inline void has_data(struct half *h, const struct layers *l)
{
    h->flags |= HALF_DATA;
    h->ip_id = l->ip_id;
    h->ip_id_seen = l->ip_ver == 4;
}

static void in_order(struct shard *s, struct flow *f, unsigned side, const struct pkt *p, const struct layers *l,
                     uint32_t skip)
{
    struct half *h = &f->half[side];
    h->next = l->seq + l->payload_wire;
    if (skip >= l->payload_len)
        return;
    stream_deliver_packet(s, f, side, p, l, skip);
    if (__builtin_expect(l->payload_wire > l->payload_len, 0))
        cut_tail(s, f, side, l->payload_wire - l->payload_len);
    if (h->ooo != FLOW_NONE)
        drain(s, f, side);
}

static unsigned ooo_max(const struct flow *f, unsigned side)
{
    return f->asks & FLOW_WAITS << side ? OOO_ASKED : OOO_MAX;
}

static void segment_data(struct shard *s, struct flow *f, unsigned side, const struct pkt *p, const struct layers *l,
                         uint64_t last_ns)
{
    struct half *h = &f->half[side];
    if (!(h->flags & HALF_NEXT)) { /* mid-stream: the connection is older than the capture */
        h->next = l->seq;
        h->flags |= HALF_NEXT;
    }
    int32_t d = seq_diff(l->seq, h->next);
    while (d > 0 && d <= HOLE_FAR && h->n_ooo >= ooo_max(f, side)) { /* then it may be next in order */
        give_up_hole(s, f, side);
        d = seq_diff(l->seq, h->next);
    }
    if (d == 0) {
        if (l->payload_len == 1 && !(h->flags & HALF_DATA) && !(h->flags & HALF_SYN)) {
            /* a lone byte mid-stream is a keep-alive's: it is sent again as the first of the next segment */
            h->next = l->seq + 1;
            s->stats->keepalives++;
            h->flags |= HALF_DATA;
            return;
        }
        in_order(s, f, side, p, l, 0);
    } else if (d < -HOLE_FAR || d > HOLE_FAR) { /* the numbers changed: a new start */
        while (h->ooo != FLOW_NONE)
            give_up_hole(s, f, side);
        gap(s, f, side, 0);
        in_order(s, f, side, p, l, 0);
    } else if (d > 0) {
        keep_seg(s, f, side, p, l);
    } else if (-(int64_t)d >= (int64_t)l->payload_wire) {
        old_segment(s, f, h, l, is_recent(s, p, last_ns));
        return;
    } else {
        in_order(s, f, side, p, l, (uint32_t)-d);
    }
    has_data(h, l);
}

/* The capture kept the headers only: the bytes are known to have been there. */
static void cut_away(struct shard *s, struct flow *f, unsigned side, const struct layers *l)
{
    struct half *h = &f->half[side];
    uint32_t end = l->seq + l->payload_wire;
    if (!(h->flags & HALF_NEXT) || h->ooo != FLOW_NONE || seq_diff(end, h->next) <= 0)
        return;
    uint32_t missing = end - h->next;
    h->next = end;
    cut_tail(s, f, side, missing);
}

static void begin(struct shard *s, struct flow *f, struct half *h, const struct layers *l)
{
    if (h->flags & HALF_NEXT) /* begun already: begins_anew() says what else a SYN may be */
        return;
    h->flags |= HALF_NEXT | HALF_SYN | HALF_SYNC;
    h->next = l->seq + 1 + l->payload_wire;
    if (l->payload_wire) { /* data on a SYN (TCP Fast Open) is not looked at */
        stream_lose_sync(s, h);
        f->asks |= FLOW_HOLED;
    }
}

/* It ends the connection where its number is the next one (RFC 5961 3.2): one that anybody could send does not. */
static void reset(struct flow *f, struct half *h, struct half *o, const struct layers *l)
{
    f->resets++;
    if (h->flags & HALF_NEXT && l->seq != h->next)
        return;
    h->flags |= HALF_FIN;
    o->flags |= HALF_FIN;
}

/* A segment that may change more than what is next in order. last_ns: of the packet before it. */
static __attribute__((noinline)) void segment(struct shard *s, struct flow *f, unsigned side, const struct pkt *p,
                                              const struct layers *l, uint64_t last_ns)
{
    struct half *h = &f->half[side], *o = &f->half[1 - side];
    if (__builtin_expect(l->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST), 0)) {
        if (l->tcp_flags & TCP_SYN) {
            begin(s, f, h, l);
            return;
        }
        h->flags |= l->tcp_flags & TCP_FIN ? HALF_FIN : 0;
        if (l->tcp_flags & TCP_RST) {
            reset(f, h, o, l);
            return; /* text that some stacks put into a reset is not data */
        }
    }
    if (o->ooo != FLOW_NONE && (l->tcp_flags & TCP_ACK))
        other_acked(s, f, 1 - side, l);
    if (l->tcp_flags & TCP_ACK && o->flags & HALF_NEXT && seq_diff(l->ack, o->next) > 1)
        unseen_acked(s, f, 1 - side, l->ack); /* by one: a FIN */
    give_up_old(s, f, side, f->last_ns);
    if (l->payload_len)
        segment_data(s, f, side, p, l, last_ns);
    else if (l->payload_wire != 0)
        cut_away(s, f, side, l);
}

/* Is it no more than an acknowledgement of what was seen, or the bytes that come next, both directions without a hole?
 */
static inline bool is_plain(const struct half *h, const struct half *o, const struct layers *l)
{
    bool order = l->payload_len > 1 && l->seq == h->next && h->flags & HALF_NEXT;
    return !(l->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)) && !(l->what & LAY_CUT) &&
           (h->ooo & o->ooo) == FLOW_NONE && (order || !l->payload_len) &&
           (!(o->flags & HALF_NEXT) || seq_diff(l->ack, o->next) <= 1);
}

void stream_segment(struct shard *s, struct flow *f, unsigned side, const struct pkt *p, const struct layers *l)
{
    struct half *h = &f->half[side], *o = &f->half[1 - side];
    uint32_t sum = (l->seq * 0x9e3779b1u ^ l->ack) * 0x85ebca6bu ^ l->payload_wire << 8 ^ l->tcp_flags;
    sum = sum * 0xc2b2ae35u ^ l->ip_id;
    uint64_t last_ns = h->copy_ns;
    h->flags |= HALF_SEEN;
    bool copy = is_copy(s, h, sum, p->ts_ns);
    if (__builtin_expect(copy, 0) && !(l->payload_len && l->seq == h->next)) { /* what is next in order is none */
        s->stats->duplicates++;
        return;
    }
    if (__builtin_expect(!is_plain(h, o, l), 0)) {
        segment(s, f, side, p, l, last_ns);
        return;
    }
    if (!l->payload_len)
        return;
    h->next = l->seq + l->payload_wire;
    has_data(h, l);
    stream_deliver_packet(s, f, side, p, l, 0);
}
