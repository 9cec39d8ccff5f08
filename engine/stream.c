/* stream.c: TCP segments to PDUs.
 *
 * The common case costs nothing: a segment that is next in order and holds whole PDUs is dissected in place. Else
 *   part   keeps the beginning of a PDU until the rest comes;
 *   ooo    keeps segments beyond a hole, sorted. A hole is given up when the other side acknowledged beyond it, when
 *          too much waits behind it, when it is too old, or when the flow ends.
 * After a gap, and mid-stream, a direction is out of step: it finds its feet at the start of a segment that the
 * dissector's probe() accepts, because OT stacks send a PDU per segment. */
#include "engine/shard.h"

enum {
    OOO_MAX = 24,                 /* segments waiting in one direction */
    HOLE_FAR = 1 << 20,           /* a jump beyond this is no hole: the numbers changed */
    LOST_SYNC_MAX = 32,           /* segments in a row without a PDU: this is not the protocol */
    FEET_MAX = 512,               /* bytes kept, out of step, while probe() asks for more */
    HEADER_STEP = 64,             /* bytes of a chunk added to a split header at a time */
};
static const uint64_t hole_ns = UINT64_C(2000000000), ack_grace_ns = 2000000;

static int32_t seq_diff(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

static void part_drop(struct shard *s, struct half *h)
{
    buf_put(&s->buffers, &h->part);
    h->part_len = h->part_need = 0;
}

static void lose_sync(struct shard *s, struct half *h)
{
    h->flags &= (uint8_t)~HALF_SYNC;
    part_drop(s, h);
}

/* Room for n bytes of an unfinished PDU. */
static bool part_room(struct shard *s, struct half *h, uint32_t n)
{
    if (h->part.p && h->part.cap >= n)
        return true;
    struct buf b = buf_get(&s->buffers, n);
    if (!b.p) {
        s->stats->buffers_short++;
        return false;
    }
    if (h->part_len)
        memcpy(b.p, h->part.p, h->part_len);
    buf_put(&s->buffers, &h->part);
    h->part = b;
    return true;
}

static struct frame next_frame(const struct dis_ctx *x, struct cur cur)
{
    struct frame fr = x->dis->frame(cur, x);
    if (fr.st == FRAME_OK && (fr.len == 0 || fr.len > x->dis->max_pdu))
        fr.st = FRAME_BAD;
    return fr;
}

/* Does a PDU begin here? MATCH_YES, MATCH_MORE or MATCH_NO. */
static enum match find_feet(struct shard *s, struct flow *f, const struct chunk *c, struct cur cur)
{
    struct dis_ctx x;
    make_ctx(s, f, c, &x);
    enum match m = f->dis->probe(cur, &x);
    if (m == MATCH_MORE)
        return m;
    if (m != MATCH_YES && !(m == MATCH_MAYBE && f->on_port))
        return MATCH_NO;
    learn_dir(s, f, c->side, &x);
    return MATCH_YES;
}

/* One whole PDU. False: stop working on this chunk (out of step, or the flow has changed hands). */
static bool one_pdu(struct shard *s, struct flow *f, struct dis_ctx *x, struct cur pdu)
{
    struct half *h = &f->half[x->side];
    switch (dispatch(s, f, x, pdu)) {
    case DIS_NOT_MINE:
        s->stats->not_mine++;
        flow_unclaim(s, f);
        return false;
    case DIS_LOST:
        lose_sync(s, h);
        return false;
    case DIS_MALFORMED:
        f->errors++;
        break;
    case DIS_OK:
        break;
    }
    h->lost_syncs = 0;
    return true;
}

/* Keep the beginning of a PDU; what a cut packet leaves of one is parsed as cut. */
static void keep_part(struct shard *s, struct flow *f, struct dis_ctx *x, struct cur rest, struct frame fr)
{
    struct half *h = &f->half[x->side];
    uint32_t n = cur_left(&rest);
    if (x->cut) {
        if (fr.st == FRAME_OK)
            one_pdu(s, f, x, rest);
        lose_sync(s, h);
        return;
    }
    if (!part_room(s, h, fr.st == FRAME_OK ? fr.len : n)) {
        lose_sync(s, h);
        return;
    }
    struct span b = cur_rest(&rest);
    if (b.n)
        memcpy(h->part.p, b.p, b.n);
    h->part_len = b.n;
    h->part_need = fr.st == FRAME_OK ? fr.len : 0;
}

/* The header itself is split: add some bytes at a time until the length is known. Returns how many bytes of c were
 * used; those that lie behind the PDU are given back. UINT32_MAX: out of step. */
static uint32_t finish_header(struct shard *s, struct flow *f, const struct dis_ctx *x, const struct chunk *c)
{
    struct half *h = &f->half[c->side];
    uint32_t used = 0;
    while (h->part_need == 0 && used < c->len) {
        uint32_t had = h->part_len, n = c->len - used < HEADER_STEP ? c->len - used : HEADER_STEP;
        if (!part_room(s, h, had + n))
            return UINT32_MAX;
        memcpy(h->part.p + had, c->p + used, n);
        h->part_len += n;
        used += n;
        struct frame fr = next_frame(x, cur_make(h->part.p, h->part_len));
        if (fr.st == FRAME_BAD || h->part_len >= f->dis->max_pdu + HEADER_STEP || (fr.st == FRAME_OK && fr.len < had))
            return UINT32_MAX;
        if (fr.st != FRAME_OK)
            continue;
        h->part_need = fr.len;
        if (fr.len < h->part_len) {
            used -= h->part_len - fr.len;
            h->part_len = fr.len;
        }
    }
    return used;
}

/* Bytes to finish the PDU in part. Returns how many of c were used, or UINT32_MAX to stop. */
static uint32_t finish_part(struct shard *s, struct flow *f, struct dis_ctx *x, const struct chunk *c)
{
    struct half *h = &f->half[c->side];
    uint32_t used = finish_header(s, f, x, c);
    if (used == UINT32_MAX) {
        lose_sync(s, h);
        return UINT32_MAX;
    }
    if (h->part_need == 0)
        return used;
    if (!part_room(s, h, h->part_need)) {
        lose_sync(s, h);
        return UINT32_MAX;
    }
    uint32_t take = h->part_need - h->part_len;
    if (take > c->len - used)
        take = c->len - used;
    memcpy(h->part.p + h->part_len, c->p + used, take);
    h->part_len += take;
    used += take;
    if (h->part_len < h->part_need)
        return used;
    struct buf b = h->part; /* the dissector may give the flow back */
    uint32_t n = h->part_len;
    h->part.p = NULL;
    h->part_len = h->part_need = 0;
    bool go_on = one_pdu(s, f, x, cur_make(b.p, n));
    buf_put(&s->buffers, &b);
    return go_on ? used : UINT32_MAX;
}

static bool keep_feet(struct shard *s, struct half *h, const struct chunk *c)
{
    if (h->part_len + c->len > FEET_MAX || !part_room(s, h, h->part_len + c->len))
        return false;
    memcpy(h->part.p + h->part_len, c->p, c->len);
    h->part_len += c->len;
    return true;
}

/* Out of step: the start of a segment may be the start of a PDU, of which a small one may hold too little to tell.
 * True: in step again, c is still to be read. */
static bool regain(struct shard *s, struct flow *f, const struct chunk *c)
{
    struct half *h = &f->half[c->side];
    if (h->part_len) { /* what was too little, and this chunk */
        uint8_t joined[2 * FEET_MAX];
        uint32_t had = h->part_len, n = c->len < FEET_MAX ? c->len : FEET_MAX;
        memcpy(joined, h->part.p, had);
        memcpy(joined + had, c->p, n);
        switch (find_feet(s, f, c, cur_make(joined, had + n))) {
        case MATCH_YES:
            h->flags |= HALF_SYNC; /* part holds the beginning */
            return true;
        case MATCH_MORE:
            if (keep_feet(s, h, c))
                return false;
            break;
        default:
            break;
        }
        s->stats->unsynced_bytes += had;
        part_drop(s, h);
    }
    enum match m = find_feet(s, f, c, cur_make(c->p, c->len));
    if (m == MATCH_MORE && !c->cut && keep_feet(s, h, c))
        return false;
    if (m == MATCH_YES) {
        h->flags |= HALF_SYNC;
        return true;
    }
    s->stats->unsynced_bytes += c->len;
    if (++h->lost_syncs > LOST_SYNC_MAX)
        flow_unclaim(s, f);
    return false;
}

/* Given back: somebody else's, from this PDU on. */
static __attribute__((noinline)) void given_back(struct shard *s, struct flow *f, const struct dis_ctx *x,
                                                 const uint8_t *p, uint32_t n)
{
    struct chunk rest = {.p = p, .len = n, .frame = x->frame, .ts_ns = x->ts_ns, .file = x->file, .side = x->side,
                         .cut = x->cut, .copy = x->copy, .lay = x->lay};
    if (f->class_state == CLASS_OPEN)
        classify(s, f, &rest);
}

/* Whole PDUs, and the beginning of one. */
static inline __attribute__((always_inline)) void pdus(struct shard *s, struct flow *f, struct dis_ctx *x,
                                                       const uint8_t *p, uint32_t n)
{
    while (n) {
        struct cur rest = cur_make(p, n);
        struct frame fr = next_frame(x, rest);
        if (__builtin_expect(fr.st == FRAME_BAD, 0)) {
            struct half *h = &f->half[x->side];
            s->stats->unsynced_bytes += n;
            h->lost_syncs = (uint16_t)(h->lost_syncs + (h->lost_syncs < UINT16_MAX));
            lose_sync(s, h);
            return;
        }
        if (__builtin_expect(fr.st == FRAME_MORE || fr.len > n, 0)) {
            keep_part(s, f, x, rest, fr);
            return;
        }
        if (__builtin_expect(!one_pdu(s, f, x, cur_make(p, fr.len)), 0)) {
            given_back(s, f, x, p, n);
            return;
        }
        p += fr.len;
        n -= fr.len;
    }
}

void stream_deliver(struct shard *s, struct flow *f, const struct chunk *c)
{
    struct half *h = &f->half[c->side];
    struct dis_ctx x;
    uint32_t at = 0;
    if (f->class_state == CLASS_OPEN) {
        classify(s, f, c);
        return;
    }
    if (f->class_state == CLASS_GIVEN_UP)
        return;
    if (!(h->flags & HALF_SYNC) && !regain(s, f, c))
        return;
    make_ctx(s, f, c, &x);
    if (h->part_len) {
        at = finish_part(s, f, &x, c);
        if (at == UINT32_MAX)
            return;
    }
    pdus(s, f, &x, c->p + at, c->len - at);
}

/* The payload of a packet, which is the next in order, from its skip-th byte on: mostly that of a flow in step. */
static __attribute__((noinline)) void packet_deliver(struct shard *s, struct flow *f, unsigned side,
                                                     const struct pkt *p, const struct layers *l, uint32_t skip)
{
    const struct half *h = &f->half[side];
    bool cut = (l->what & LAY_CUT) != 0;
    if (f->class_state == CLASS_CLAIMED && h->flags & HALF_SYNC && !h->part_len) {
        struct dis_ctx x;
        flow_ctx(s, f, side, DIS_TCP, &x);
        x.ts_ns = p->ts_ns;
        x.frame = p->frame;
        x.file = p->file;
        x.cut = cut;
        x.copy = 0;
        x.lay = l;
        pdus(s, f, &x, l->payload + skip, l->payload_len - skip);
    } else if (f->class_state != CLASS_GIVEN_UP) {
        struct chunk c = {.p = l->payload + skip, .len = l->payload_len - skip, .frame = p->frame, .ts_ns = p->ts_ns,
                          .file = p->file, .side = (uint8_t)side, .cut = cut, .lay = l};
        stream_deliver(s, f, &c);
    }
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

static void gap(struct shard *s, struct flow *f, unsigned side, uint32_t missing)
{
    struct half *h = &f->half[side];
    s->stats->gaps++;
    s->stats->gap_bytes += missing;
    f->gaps++;
    lose_sync(s, h);
    if (f->class_state != CLASS_CLAIMED)
        return;
    struct dis_ctx x;
    struct chunk none = {.ts_ns = f->last_ns, .side = (uint8_t)side};
    make_ctx(s, f, &none, &x);
    if (x.dir != DIR_UNKNOWN)
        asm_gap(&x);
    if (f->dis->gap)
        f->dis->gap(&x, missing);
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
        struct chunk c = {.p = g->buf.p + skip, .len = g->len - skip, .frame = g->frame, .ts_ns = g->ts_ns,
                          .file = g->file, .side = (uint8_t)side, .lay = &lay};
        h->next = g->seq + g->len;
        struct buf b = g->buf; /* survives seg_free while it is read */
        g->buf.p = NULL;
        seg_free(s, h, i);
        stream_deliver(s, f, &c);
        buf_put(&s->buffers, &b);
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
    h->hole_ns = h->ooo == FLOW_NONE ? 0 : h->hole_ns;
}

static void give_up_hole(struct shard *s, struct flow *f, unsigned side)
{
    struct half *h = &f->half[side];
    uint32_t missing = s->segs[h->ooo].seq - h->next;
    gap(s, f, side, missing);
    h->next = s->segs[h->ooo].seq;
    drain(s, f, side);
    if (h->ooo != FLOW_NONE)
        h->hole_ns = s->now_ns;
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
                      .file = p->file, .next = *at};
    *at = i;
    memcpy(b.p, l->payload, l->payload_len);
    if (!h->n_ooo++)
        h->hole_ns = s->now_ns;
}

void stream_free(struct shard *s, struct flow *f)
{
    for (unsigned side = 0; side < 2; side++) {
        while (f->half[side].ooo != FLOW_NONE)
            seg_free(s, &f->half[side], f->half[side].ooo);
        part_drop(s, &f->half[side]);
    }
}

void stream_drain(struct shard *s, struct flow *f)
{
    for (unsigned side = 0; side < 2; side++)
        while (f->half[side].ooo != FLOW_NONE)
            give_up_hole(s, f, side);
}

void stream_tick(struct shard *s, struct flow *f, uint64_t now)
{
    for (unsigned side = 0; side < 2; side++)
        if (f->half[side].ooo != FLOW_NONE && now > f->half[side].hole_ns + hole_ns)
            give_up_hole(s, f, side);
}

/* The other side's packet acknowledges: bytes that it has and we have not will not come any more. */
static void other_acked(struct shard *s, struct flow *f, unsigned other, const struct layers *l)
{
    struct half *h = &f->half[other];
    while (h->ooo != FLOW_NONE && seq_diff(l->ack, s->segs[h->ooo].seq) >= 0 &&
           s->now_ns > h->hole_ns + ack_grace_ns) {
        unseen_hole(s, f, other, s->segs[h->ooo].seq);
        give_up_hole(s, f, other);
    }
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
    packet_deliver(s, f, side, p, l, skip);
    if (l->what & LAY_CUT && l->payload_wire > l->payload_len)
        lose_sync(s, h);
    if (h->ooo != FLOW_NONE)
        drain(s, f, side);
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
    while (d > 0 && d <= HOLE_FAR && h->n_ooo >= OOO_MAX) { /* too much waits: this segment may be next in order then */
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
static void cut_away(struct shard *s, struct half *h, const struct layers *l)
{
    uint32_t end = l->seq + l->payload_wire;
    if (h->flags & HALF_NEXT && h->ooo == FLOW_NONE && seq_diff(end, h->next) > 0) {
        h->next = end;
        lose_sync(s, h);
    }
}

/* A segment that may change more than what is next in order. last_ns: of the packet before it. */
static __attribute__((noinline)) void segment(struct shard *s, struct flow *f, unsigned side, const struct pkt *p,
                                              const struct layers *l, uint64_t last_ns)
{
    struct half *h = &f->half[side], *o = &f->half[1 - side];
    if (__builtin_expect(l->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST), 0)) {
        if (l->tcp_flags & TCP_SYN) {
            if (!(h->flags & HALF_NEXT))
                h->flags |= HALF_NEXT | HALF_SYN | HALF_SYNC;
            h->next = h->flags & HALF_DATA ? h->next : l->seq + 1;
            if (l->payload_len) { /* data on a SYN (TCP Fast Open) is not looked at */
                lose_sync(s, h);
                h->next += l->payload_wire;
            }
            return;
        }
        h->flags |= l->tcp_flags & TCP_FIN ? HALF_FIN : 0;
        if (l->tcp_flags & TCP_RST) {
            f->resets++;
            return; /* text that some stacks put into a reset is not data */
        }
    }
    if (o->ooo != FLOW_NONE && (l->tcp_flags & TCP_ACK))
        other_acked(s, f, 1 - side, l);
    if (l->tcp_flags & TCP_ACK && o->flags & HALF_NEXT && seq_diff(l->ack, o->next) > 1)
        unseen_acked(s, f, 1 - side, l->ack); /* by one: a FIN */
    if (h->ooo != FLOW_NONE && s->now_ns > h->hole_ns + hole_ns)
        give_up_hole(s, f, side);
    if (l->payload_len)
        segment_data(s, f, side, p, l, last_ns);
    else if (l->payload_wire != 0)
        cut_away(s, h, l);
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
    packet_deliver(s, f, side, p, l, 0);
}
