/* stream_pdu.c: bytes in order to PDUs.
 *
 * The common case costs nothing: a segment that is next in order and holds whole PDUs is dissected in place. Else
 *   part   keeps the beginning of a PDU until the rest comes.
 * After a gap, and mid-stream, a direction is out of step: it finds its feet at the start of a segment that the
 * dissector's probe() accepts, because OT stacks send a PDU per segment, or behind the PDU of which bytes are missing,
 * where its length was known. */
#include "engine/shard.h"

enum {
    FEET_MAX = 512,               /* bytes kept, out of step, while probe() asks for more */
    HEADER_STEP = 64,             /* bytes of a chunk added to a split header at a time */
};

void stream_part_drop(struct shard *s, struct half *h)
{
    buf_put(&s->buffers, &half_rest(h)->part);
    h->part_len = half_rest(h)->part_need = 0;
}

void stream_lose_sync(struct shard *s, struct half *h)
{
    h->flags &= (uint8_t)~HALF_SYNC;
    stream_part_drop(s, h);
}

void stream_missing(struct shard *s, struct half *h, uint32_t n)
{
    uint32_t left = half_rest(h)->part_need;
    left -= left ? h->part_len : 0;
    stream_lose_sync(s, h);
    if (n && left > n)
        half_rest(h)->part_need = left - n;
}

/* Room for n bytes of an unfinished PDU. */
static bool part_room(struct shard *s, struct half *h, uint32_t n)
{
    if (half_rest(h)->part.p && half_rest(h)->part.cap >= n)
        return true;
    struct buf b = buf_get(&s->buffers, n);
    if (!b.p) {
        s->stats->buffers_short++;
        return false;
    }
    if (h->part_len)
        memcpy(b.p, half_rest(h)->part.p, h->part_len);
    buf_put(&s->buffers, &half_rest(h)->part);
    half_rest(h)->part = b;
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
        stream_lose_sync(s, h);
        return false;
    case DIS_MALFORMED:
        f->errors++;
        h->lost_syncs &= 0xff00;
        break;
    case DIS_OK:
        half_good(h);
        break;
    }
    return true;
}

/* Keep the beginning of a PDU. */
static void keep_part(struct shard *s, struct flow *f, const struct dis_ctx *x, struct cur rest, struct frame fr)
{
    struct half *h = &f->half[x->side];
    uint32_t n = cur_left(&rest);
    if (!part_room(s, h, fr.st == FRAME_OK ? fr.len : n)) {
        stream_lose_sync(s, h);
        return;
    }
    struct span b = cur_rest(&rest);
    if (b.n)
        memcpy(half_rest(h)->part.p, b.p, b.n);
    h->part_len = b.n;
    half_rest(h)->part_need = fr.st == FRAME_OK ? fr.len : 0;
}

/* The header itself is split: add some bytes at a time until the length is known. Returns how many bytes of c were
 * used; those that lie behind the PDU are given back. UINT32_MAX: out of step. */
static uint32_t finish_header(struct shard *s, struct flow *f, const struct dis_ctx *x, const struct chunk *c)
{
    struct half *h = &f->half[c->side];
    uint32_t used = 0;
    while (half_rest(h)->part_need == 0 && used < c->len) {
        uint32_t had = h->part_len, n = c->len - used < HEADER_STEP ? c->len - used : HEADER_STEP;
        if (!part_room(s, h, had + n))
            return UINT32_MAX;
        memcpy(half_rest(h)->part.p + had, c->p + used, n);
        h->part_len += n;
        used += n;
        struct frame fr = next_frame(x, cur_make(half_rest(h)->part.p, h->part_len));
        if (fr.st == FRAME_BAD || h->part_len >= f->dis->max_pdu + HEADER_STEP || (fr.st == FRAME_OK && fr.len < had))
            return UINT32_MAX;
        if (fr.st != FRAME_OK)
            continue;
        half_rest(h)->part_need = fr.len;
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
        stream_lose_sync(s, h);
        return UINT32_MAX;
    }
    if (half_rest(h)->part_need == 0)
        return used;
    if (!part_room(s, h, half_rest(h)->part_need)) {
        stream_lose_sync(s, h);
        return UINT32_MAX;
    }
    uint32_t take = half_rest(h)->part_need - h->part_len;
    if (take > c->len - used)
        take = c->len - used;
    memcpy(half_rest(h)->part.p + h->part_len, c->p + used, take);
    h->part_len += take;
    used += take;
    if (h->part_len < half_rest(h)->part_need)
        return used;
    struct buf b = half_rest(h)->part; /* the dissector may give the flow back */
    uint32_t n = h->part_len;
    half_rest(h)->part.p = NULL;
    h->part_len = half_rest(h)->part_need = 0;
    bool go_on = one_pdu(s, f, x, cur_make(b.p, n));
    buf_put(&s->buffers, &b);
    return go_on ? used : UINT32_MAX;
}

static bool keep_feet(struct shard *s, struct half *h, const struct chunk *c)
{
    if (h->part_len + c->len > FEET_MAX || !part_room(s, h, h->part_len + c->len))
        return false;
    memcpy(half_rest(h)->part.p + h->part_len, c->p, c->len);
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
        memcpy(joined, half_rest(h)->part.p, had);
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
        stream_part_drop(s, h);
    }
    enum match m = find_feet(s, f, c, cur_make(c->p, c->len));
    if (m == MATCH_MORE && !c->cut && keep_feet(s, h, c))
        return false;
    if (m == MATCH_YES) {
        h->flags |= HALF_SYNC;
        return true;
    }
    s->stats->unsynced_bytes += c->len;
    flow_lost(s, f, c->side);
    return false;
}

/* The rest of a PDU of which bytes are missing. False: all of c is. */
static bool skip_rest(struct shard *s, struct half *h, struct chunk *c)
{
    uint32_t *left = &half_rest(h)->part_need, n = *left < c->len ? *left : c->len;
    if (h->part_len || !n)
        return true;
    *left -= n;
    s->stats->unsynced_bytes += n;
    c->p += n;
    c->len -= n;
    return c->len != 0;
}

/* Given back: somebody else's, from this PDU on. */
static __attribute__((noinline)) void given_back(struct shard *s, struct flow *f, const struct dis_ctx *x,
                                                 const uint8_t *p, uint32_t n)
{
    struct chunk rest = {.p = p, .len = n, .frame = x->frame, .ts_ns = x->ts_ns, .file = x->file, .side = x->side,
                         .cut = x->lay && x->lay->what & LAY_CUT, .copy = x->copy, .lay = x->lay};
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
            half_lost(h);
            stream_lose_sync(s, h);
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

/* The capture cut the segment, in the middle of a PDU whose length is known: what there is of it is parsed as cut. What
 * is missing is still to be told. */
static __attribute__((noinline)) void cut_pdu(struct shard *s, struct flow *f, struct dis_ctx *x,
                                              const struct chunk *c)
{
    struct half *h = &f->half[x->side];
    if (f->class_state != CLASS_CLAIMED || !(h->flags & HALF_SYNC) || !h->part_len || !half_rest(h)->part_need)
        return;
    struct buf b = half_rest(h)->part; /* the dissector may give the flow back */
    uint32_t n = h->part_len, need = half_rest(h)->part_need;
    half_rest(h)->part.p = NULL;
    h->part_len = half_rest(h)->part_need = 0;
    x->cut = 1;
    const uint8_t *p = n <= c->len ? c->p + (c->len - n) : b.p; /* it may lie in one packet */
    if (one_pdu(s, f, x, cur_make(p, n)) && !half_rest(h)->part.p) {
        half_rest(h)->part = b;
        h->part_len = n;
        half_rest(h)->part_need = need;
        return;
    }
    buf_put(&s->buffers, &b);
}

static void deliver_claimed(struct shard *s, struct flow *f, const struct chunk *c)
{
    struct half *h = &f->half[c->side];
    struct chunk rest;
    struct dis_ctx x;
    uint32_t at = 0;
    if (!(h->flags & HALF_SYNC)) {
        rest = *c;
        c = &rest;
        if (!skip_rest(s, h, &rest) || !regain(s, f, c))
            return;
    }
    make_ctx(s, f, c, &x);
    x.cut = 0; /* a PDU that is whole is, whatever came behind it */
    if (h->part_len) {
        at = finish_part(s, f, &x, c);
        if (at == UINT32_MAX)
            return;
    }
    pdus(s, f, &x, c->p + at, c->len - at);
    if (__builtin_expect(c->cut, 0))
        cut_pdu(s, f, &x, c);
}

void stream_deliver(struct shard *s, struct flow *f, const struct chunk *c)
{
    if (f->class_state == CLASS_CLAIMED)
        deliver_claimed(s, f, c);
    else if (f->class_state != CLASS_GIVEN_UP)
        classify(s, f, c);
}

/* The payload of a packet, which is the next in order, from its skip-th byte on: mostly that of a flow in step. */
__attribute__((noinline)) void stream_deliver_packet(struct shard *s, struct flow *f, unsigned side,
                                                     const struct pkt *p, const struct layers *l, uint32_t skip)
{
    const struct half *h = &f->half[side];
    bool cut = (l->what & LAY_CUT) != 0;
    if (f->class_state == CLASS_CLAIMED && h->flags & HALF_SYNC && !h->part_len && !cut) {
        struct dis_ctx x;
        flow_ctx(s, f, side, DIS_TCP, &x);
        x.ts_ns = p->ts_ns;
        x.frame = p->frame;
        x.file = p->file;
        x.cut = x.copy = 0;
        x.lay = l;
        pdus(s, f, &x, l->payload + skip, l->payload_len - skip);
    } else if (f->class_state != CLASS_GIVEN_UP) {
        struct chunk c = {.p = l->payload + skip, .len = l->payload_len - skip, .frame = p->frame, .ts_ns = p->ts_ns,
                          .file = p->file, .side = (uint8_t)side, .cut = cut, .lay = l};
        stream_deliver(s, f, &c);
    }
}
