/* classify.c: whose flow is this? On layer 2: whose frame?
 *
 * On a registered (or configured) port one probe() is enough. Where several protocols share the port (102: S7comm and
 * MMS, both behind the same connection request), a mere maybe waits while another of them asks for more. On any other
 * port a dissector gets the flow when LIM_PROBE_PDUS PDUs in a row look like its protocol, or a message of each side
 * does. Until then the segments are held, so that nothing is lost to whose it turns out to be. Flows that nobody wants
 * go to nDPI (first packets only).
 *
 * A flow is given up after some tries, but never by those that have its port: the capture may have begun inside a long
 * message, or somebody sent rubbish that the receiver skips. They are asked on, and need the signs of another port. */
#include "engine/shard.h"

#include "engine/worker.h"

enum {
    MAX_TRIES = 6,     /* chunks with payload, and ... */
    ENOUGH_BYTES = 64, /* ... bytes of it that are looked at before the flow is given up */
    MAX_TRIES_EVER = 120,
    HOLD_BYTES = 4096, /* of held segments, their heads included, ... */
    LATE_HOLD = 2048,  /* ... and of a flow that was given up: there are many of these buffers */
    PROBE_BYTES = 2048,
    SMALL_PROBE = 64,  /* fewer bytes than this are held for any dissector that asks for more */
    LATE_ALL = 64,     /* chunks of a flow given up that are all looked at, ... */
    LATE_SMALL = 4096, /* ... or so many with fewer bytes than LATE_BYTES, ... */
    LATE_BYTES = 256,
    LATE_TURNS = 256,  /* ... so many where the other side spoke last, ... */
    LATE_BITS = 2,     /* ... and then one in 1 << LATE_BITS */
};

struct held {
    uint64_t ts_ns;
    uint32_t len, frame;
    uint16_t file;
    uint8_t side, cut;
    uint8_t what;
};
enum { /* struct held.what */
    HELD_BYTES,
    HELD_MAYBE, /* whole, but no more than a maybe: kept only for the answer to it */
    HELD_HOLE,  /* no bytes, but so many missing: `frame` */
};

static uint32_t held_bytes(const struct flow *f)
{
    uint32_t n = 0;
    for (uint32_t at = 0; at < f->hold_len;) {
        struct held h;
        memcpy(&h, f->hold.p + at, sizeof h);
        n += h.len;
        at += (uint32_t)sizeof h + ((h.len + 7) & ~7u);
    }
    return n;
}

void classify_free(struct shard *s, struct flow *f)
{
    if (f->hold_len && f->class_state == CLASS_LATE)
        foreign_bytes(s, f, held_bytes(f));
    buf_put(&s->buffers, &f->hold);
    f->hold_len = 0;
    f->n_hold = 0;
}

/* Flows that were given up, of which there may be many for long, leave half of the small buffers to streams. */
static bool may_take(const struct shard *s, const struct flow *f)
{
    const struct bufpool_class *small = &s->buffers.c[0];
    return f->class_state != CLASS_LATE || small->n_free > small->n / 2;
}

static uint32_t hold_room(const struct flow *f)
{
    return f->class_state == CLASS_LATE ? LATE_HOLD : HOLD_BYTES;
}

static bool hold(struct shard *s, struct flow *f, const struct chunk *c, bool maybe)
{
    struct held h = {.ts_ns = c->ts_ns, .len = c->len, .frame = c->frame, .file = c->file, .side = c->side,
                     .cut = c->cut, .what = maybe ? HELD_MAYBE : HELD_BYTES};
    uint32_t need = (uint32_t)sizeof h + ((c->len + 7) & ~7u);
    if (f->hold_len + need > hold_room(f))
        return false;
    if (!f->hold.p && may_take(s, f))
        f->hold = buf_get(&s->buffers, hold_room(f));
    if (!f->hold.p)
        return false;
    memcpy(f->hold.p + f->hold_len, &h, sizeof h);
    memcpy(f->hold.p + f->hold_len + sizeof h, c->p, c->len);
    f->hold_len += need;
    f->n_hold++;
    return true;
}

/* Bytes of that side are missing between what is held and what comes. */
void classify_hole(struct flow *f, unsigned side, uint32_t missing)
{
    struct held h = {.frame = missing, .side = (uint8_t)side, .what = HELD_HOLE};
    if (!f->hold_len || f->hold_len + sizeof h > hold_room(f))
        return;
    memcpy(f->hold.p + f->hold_len, &h, sizeof h);
    f->hold_len += (uint32_t)sizeof h;
    f->n_hold++;
}

static void deliver(struct shard *s, struct flow *f, const struct chunk *c)
{
    if (f->class_state != CLASS_CLAIMED)
        return;
    if (f->key.proto == PROTO_TCP)
        stream_deliver(s, f, c);
    else
        datagram_deliver(s, f, c);
}

/* The flow is d's: what was held goes to it, then this chunk (if any). */
static void claim(struct shard *s, struct flow *f, const struct dissector *d, bool on_port, const struct chunk *c)
{
    struct buf b = f->hold;
    uint32_t n = f->hold_len;
    f->hold.p = NULL;
    f->hold_len = 0;
    f->n_hold = 0;
    bool late = f->class_state == CLASS_LATE;
    if (flow_claim(s, f, d, on_port)) {
        for (unsigned side = 0; late && side < 2; side++) /* one of them may be in the middle of something yet */
            f->half[side].flags &= (uint8_t)~HALF_SYNC;
        for (uint32_t at = 0; at < n;) {
            struct held h;
            struct layers lay;
            memcpy(&h, b.p + at, sizeof h);
            flow_layers(f, h.side, &lay);
            struct chunk k = {.p = b.p + at + sizeof h, .len = h.len, .frame = h.frame, .ts_ns = h.ts_ns,
                              .file = h.file, .side = h.side, .cut = h.cut, .lay = &lay};
            if (h.what == HELD_HOLE)
                stream_hole(s, f, h.side, h.frame);
            else if (h.what == HELD_BYTES || d->answers)
                deliver(s, f, &k);
            at += (uint32_t)sizeof h + ((h.len + 7) & ~7u);
        }
        if (c)
            deliver(s, f, c);
    }
    buf_put(&s->buffers, &b);
}

/* The first chunk of that side that is held is none of a message's. False: there was none. */
static bool drop_first(struct shard *s, struct flow *f, unsigned side)
{
    for (uint32_t at = 0, size; at < f->hold_len; at += size) {
        struct held h;
        memcpy(&h, f->hold.p + at, sizeof h);
        size = (uint32_t)sizeof h + ((h.len + 7) & ~7u);
        if (h.side != side || h.what != HELD_BYTES)
            continue;
        foreign_bytes(s, f, h.len);
        memmove(f->hold.p + at, f->hold.p + at + size, f->hold_len - at - size);
        f->hold_len -= size;
        f->n_hold--;
        return true;
    }
    return false;
}

/* The first bytes of this side as one piece: held ones and the new ones, at most PROBE_BYTES. */
static struct cur gather(const struct flow *f, const struct chunk *c, uint8_t tmp[PROBE_BYTES])
{
    uint32_t n = 0;
    for (uint32_t at = 0; at < f->hold_len && f->key.proto == PROTO_TCP;) {
        struct held h;
        memcpy(&h, f->hold.p + at, sizeof h);
        if (h.side == c->side && h.what == HELD_HOLE)
            n = 0;
        if (h.side == c->side && h.what == HELD_BYTES && n + h.len <= PROBE_BYTES) {
            memcpy(tmp + n, f->hold.p + at + sizeof h, h.len);
            n += h.len;
        }
        at += (uint32_t)sizeof h + ((h.len + 7) & ~7u);
    }
    if (!n)
        return cur_make(c->p, c->len);
    uint32_t take = c->len < PROBE_BYTES - n ? c->len : PROBE_BYTES - n;
    if (take)
        memcpy(tmp + n, c->p, take);
    return cur_make(tmp, n + take);
}

/* x: of this chunk, for whoever looked at it before; what a probe may set in it is blank again. */
static inline enum match probe(const struct flow *f, const struct dissector *d, bool on_port, struct cur cur,
                               struct dis_ctx *x)
{
    x->dis = d;
    x->on_port = on_port;
    x->state = NULL;
    x->dir = (uint8_t)flow_dir(f, x->side);
    x->dir_sure = 0;
    return d->probe(cur, x);
}

/* As a bit each: dissectors that have one of the flow's ports, */
static uint64_t port_owners(const struct shard_env *env, const struct flow *f)
{
    bool udp = f->key.proto == PROTO_UDP;
    const struct env_numbers *ports = udp ? &env->udp_ports : &env->tcp_ports;
    const uint16_t *owner = udp ? env->udp_owner : env->tcp_owner;
    uint64_t lo = UINT64_C(1) << owner[f->key.lo_port], hi = UINT64_C(1) << owner[f->key.hi_port];
    return (lo | hi) >> 1 | env_dissectors(ports, f->key.lo_port) | env_dissectors(ports, f->key.hi_port);
}

/* and those that may look at it. */
static uint64_t may_run(const struct shard_env *env, const struct flow *f)
{
    uint64_t all = f->key.proto == PROTO_TCP   ? env->of_tcp
                   : f->key.proto == PROTO_UDP ? env->of_udp
                                               : env_dissectors(&env->ethertypes, f->key.lo_port);
    return all & ~(f->excluded | env->off);
}

/* The lowest bit of what is left, as an index. */
static inline unsigned next_of(uint64_t *left)
{
    unsigned i = (unsigned)__builtin_ctzll(*left);
    *left &= *left - 1;
    return i;
}

/* An EtherType may carry several protocols (PROFINET: DCP beside cyclic data), in one conversation and from its middle
 * on. So nothing is decided for the flow: its last dissector, then the others of the EtherType look at each frame. */
void frame_deliver(struct shard *s, struct flow *f, const struct chunk *c)
{
    struct dis_ctx x;
    struct cur cur = cur_make(c->p, c->len);
    make_ctx(s, f, c, &x);
    if (f->dis && probe(f, f->dis, true, cur, &x) >= MATCH_MAYBE) {
        frame_dispatch(s, f, &x, cur);
        return;
    }
    uint64_t left = may_run(s->env, f);
    if (!f->dis && !left) {
        f->class_state = CLASS_GIVEN_UP;
        return;
    }
    while (left) {
        const struct dissector *d = dissectors[next_of(&left)];
        if (d == f->dis || probe(f, d, true, cur, &x) < MATCH_MAYBE)
            continue;
        if (f->dis || flow_claim(s, f, d, true)) {
            f->dis = d;
            frame_dispatch(s, f, &x, cur);
        }
        return;
    }
}

/* TLS record of a handshake: type 22, version 3.x. */
static bool is_tls(const struct chunk *c)
{
    return c->len >= 6 && c->p[0] == 22 && c->p[1] == 3 && c->p[2] <= 4 && (c->p[5] == 1 || c->p[5] == 2);
}

/* A connection under TLS goes by the name of the protocol that its port is registered for. */
static void tls_begins(struct shard *s, struct flow *f)
{
    unsigned server = guess_server(f);
    uint16_t port = server ? f->key.hi_port : f->key.lo_port;
    f->tls = 1;
    for (unsigned d = 0; dissectors[d]; d++)
        if (dissectors[d]->tls_port == port)
            report_app(s, f, dissectors[d]->name, false, true, false);
    if (!s->env->itapp) /* which says more of it */
        report_app(s, f, "tls", false, true, false);
}

static void give_up(struct shard *s, struct flow *f, bool had_port)
{
    if (f->lost_owner)
        f->excluded &= ~port_owners(s->env, f);
    else
        foreign_bytes(s, f, f->tried_bytes);
    classify_free(s, f);
    foreign_tell(s, f, had_port);
    f->class_state = had_port || f->lost_owner ? CLASS_LATE : CLASS_GIVEN_UP;
    f->candidate = NULL;
    f->n_match = f->match_sides = 0;
    f->tried_bytes = 0;
}

struct best {
    const struct dissector *d;
    enum match m;
    uint8_t dir, dir_sure; /* as it found */
    bool on_port, two;
    bool undecided; /* another owner of the port asks for more */
    const struct dissector *maybe; /* where d is none: whose it may be, off its port, if there is an answer */
};

/* Do two PDUs lie here, one behind the other? */
static bool two_pdus(struct best *b, struct cur cur, struct dis_ctx *x)
{
    const struct dissector *d = b->d;
    if (!d->frame)
        return false;
    x->dis = d;
    x->on_port = b->on_port;
    x->dir = b->dir;
    x->dir_sure = b->dir_sure;
    struct frame fr = d->frame(cur, x);
    if (fr.st != FRAME_OK || fr.len == 0 || fr.len >= cur_left(&cur))
        return false;
    cur_skip(&cur, fr.len);
    bool two = d->probe(cur, x) == MATCH_YES;
    b->dir = x->dir;
    b->dir_sure = x->dir_sure;
    return two;
}

/* Asks those that are left. port: they have the flow's port. True: one of them wants more bytes. */
static bool try_each(const struct flow *f, uint64_t left, bool port, struct cur cur, struct dis_ctx *x, struct best *b)
{
    bool more = false;
    while (left) {
        const struct dissector *d = dissectors[next_of(&left)];
        enum match m = probe(f, d, port, cur, x);
        if (m == MATCH_MORE && (port || cur_left(&cur) < SMALL_PROBE || f->candidate == d))
            more = true;
        b->undecided |= m == MATCH_MORE && port;
        if (m == MATCH_MAYBE && !port && d->answers)
            b->maybe = d;
        if (m > b->m && (m == MATCH_YES || (m == MATCH_MAYBE && port)))
            *b = (struct best){.d = d, .dir = x->dir, .dir_sure = x->dir_sure, .m = m, .on_port = port,
                               .undecided = b->undecided, .maybe = b->maybe};
    }
    return more;
}

/* Those that the first octet does not rule out. */
static inline uint64_t by_start(const struct shard_env *env, const struct flow *f, struct cur cur)
{
    uint32_t n = cur_left(&cur);
    return n && f->key.proto == PROTO_TCP ? env->tcp_starts[n >= ENV_STARTS][cur_peek(&cur, 0)] : UINT64_MAX;
}

/* The owners of its port first: what they take is theirs, whatever the others say of it. */
static void try_all(struct shard *s, struct flow *f, const struct chunk *c, struct cur cur, struct best *b, bool *more,
                    bool *had_port)
{
    struct dis_ctx x;
    uint64_t may = may_run(s->env, f), ports = port_owners(s->env, f), left = may & by_start(s->env, f, cur);
    *had_port = (may & ports) != 0;
    make_ctx(s, f, c, &x);
    *more = try_each(f, left & ports, true, cur, &x, b);
    b->undecided &= b->m == MATCH_MAYBE;
    if (b->d && !b->undecided)
        return;
    struct best other = {0};
    *more |= try_each(f, left & ~ports, false, cur, &x, &other);
    b->maybe = b->d ? NULL : other.maybe;
    if (b->d || !other.d)
        return;
    *b = other;
    b->two = two_pdus(b, cur, &x);
}

/* Does this chunk, the first one like d's being held, settle it? A datagram is a PDU of its own; in a stream it must be
 * the other side that speaks, since more of the same side may be the rest of the same PDU (two whole ones: two_pdus).
 */
static bool second_sign(const struct flow *f, const struct dissector *d, const struct chunk *c)
{
    if (f->candidate != d || f->undecided)
        return false;
    return f->key.proto == PROTO_TCP ? f->match_sides & 1u << (1 - c->side) : f->n_match + 1 >= LIM_PROBE_PDUS;
}

/* What the other side sent last, as far as it is held. */
static struct cur last_held(const struct flow *f, unsigned side)
{
    struct cur last = cur_make(NULL, 0);
    for (uint32_t at = 0; at < f->hold_len;) {
        struct held h;
        memcpy(&h, f->hold.p + at, sizeof h);
        if (h.side == side)
            last = cur_make(f->hold.p + at + sizeof h, h.len);
        at += (uint32_t)sizeof h + ((h.len + 7) & ~7u);
    }
    return last;
}

/* Does this chunk answer what is held of the other side? Then b->d is whose it is. */
static bool answered(struct shard *s, struct flow *f, const struct chunk *c, struct best *b)
{
    const struct dissector *d = b->d ? b->d : b->maybe;
    if (!d || !d->answers || !f->n_hold)
        return false;
    struct cur asked = last_held(f, 1 - c->side);
    struct dis_ctx x;
    make_ctx(s, f, c, &x);
    x.dis = d;
    x.state = NULL;
    if (!cur_left(&asked) || !d->answers(asked, cur_make(c->p, c->len), &x))
        return false;
    b->d = d;
    b->dir = x.dir;
    b->dir_sure = x.dir_sure;
    return true;
}

/* A whole message that may be somebody's waits for its answer; the latest do. False: this one does not. */
static bool hold_maybe(struct shard *s, struct flow *f, const struct chunk *c, const struct best *b)
{
    struct dis_ctx x;
    make_ctx(s, f, c, &x);
    x.dis = b->maybe;
    x.on_port = false;
    x.state = NULL;
    struct frame fr = b->maybe->frame(cur_make(c->p, c->len), &x);
    if (fr.st != FRAME_OK || fr.len != c->len)
        return false;
    if (hold(s, f, c, true))
        return true;
    classify_free(s, f);
    f->candidate = NULL;
    return hold(s, f, c, true);
}

static void learn(struct shard *s, struct flow *f, unsigned side, const struct best *b)
{
    struct dis_ctx x = {.dir = b->dir, .dir_sure = b->dir_sure};
    learn_dir(s, f, side, &x);
}

/* A first sign: the bytes are kept until a second one. */
static void first_sign(struct flow *f, unsigned side, const struct best *b)
{
    bool same = f->candidate == b->d;
    f->n_match = same ? (uint8_t)(f->n_match + 1) : 1;
    f->match_sides = (uint8_t)((same ? f->match_sides : 0) | 1u << side);
    f->candidate = b->d;
    f->undecided = b->undecided;
}

/* Is this chunk of a flow that was given up worth a look? Where a side begins to speak a message begins. In the middle
 * of much that one of them says fewer will do, unevenly, so that no rhythm of theirs hides behind ours. */
static bool late_look(struct flow *f, const struct chunk *c)
{
    uint32_t n = f->tried_bytes++;
    bool turn = f->late_side != c->side;
    f->late_side = c->side != 0;
    return (turn && n < LATE_TURNS) || f->n_hold || n < (c->len < LATE_BYTES ? LATE_SMALL : LATE_ALL) ||
           !(n * UINT32_C(0x9e3779b1) >> (32 - LATE_BITS));
}

/* Given up, and its port is somebody's. So many chunks are looked at that one sign by chance is sure to come, so two
 * are needed; datagrams need not follow one another, since anybody may send rubbish in between. False: it was nothing,
 * and is not kept. */
static bool classify_late(struct shard *s, struct flow *f, const struct chunk *c)
{
    uint8_t tmp[PROBE_BYTES];
    struct dis_ctx x;
    uint64_t owners = may_run(s->env, f) & port_owners(s->env, f);
    make_ctx(s, f, c, &x);
    do {
        struct best b = {0};
        struct cur cur = gather(f, c, tmp);
        bool more = try_each(f, owners & by_start(s->env, f, cur), false, cur, &x, &b);
        b.two = b.d && two_pdus(&b, cur, &x);
        if (answered(s, f, c, &b) || b.two || (b.d && second_sign(f, b.d, c))) {
            learn(s, f, c->side, &b);
            claim(s, f, b.d, true, c);
            return true;
        }
        if (b.d)
            first_sign(f, c->side, &b);
        if (b.d || more) {
            if (hold(s, f, c, false))
                return true;
            classify_free(s, f);
            f->candidate = NULL;
            return false;
        }
        if (b.maybe)
            return hold_maybe(s, f, c, &b);
        f->match_sides &= (uint8_t)~(1u << c->side);
    } while (f->key.proto == PROTO_TCP && drop_first(s, f, c->side));
    return false;
}

void classify(struct shard *s, struct flow *f, const struct chunk *c)
{
    uint8_t tmp[PROBE_BYTES];
    bool more = false, had_port = false;
    if (f->class_state == CLASS_LATE) {
        if (!late_look(f, c) || !classify_late(s, f, c))
            foreign_bytes(s, f, c->len);
        return;
    }
    struct best b = {0};
    struct cur cur = gather(f, c, tmp);
    try_all(s, f, c, cur, &b, &more, &had_port);
    bool off_port = !b.d || !b.on_port;
    f->asks |= off_port ? 0 : FLOW_LIKE;
    if ((off_port && answered(s, f, c, &b)) ||
        (b.d && ((b.on_port && !b.undecided) || b.two || second_sign(f, b.d, c)))) {
        learn(s, f, c->side, &b);
        claim(s, f, b.d, b.on_port, c);
        return;
    }
    if (b.d) {
        first_sign(f, c->side, &b);
    } else if (!more && f->candidate) {
        f->candidate = NULL;
        classify_free(s, f);
    }
    if (!f->tls && is_tls(c))
        tls_begins(s, f);
    if (!(more && had_port)) /* the owner of its port will tell */
        worker_ndpi(s, f, c);
    /* Tiny segments count by their bytes: a stack that writes byte by byte is still looked at. */
    f->tried_bytes += c->len;
    if (++f->n_tries >= MAX_TRIES_EVER ||
        (f->n_tries >= MAX_TRIES && f->tried_bytes >= ENOUGH_BYTES && !more && !b.d)) {
        give_up(s, f, had_port);
        return;
    }
    if (!b.d && !more && b.maybe)
        (void)hold_maybe(s, f, c, &b);
    if ((b.d || more) && !hold(s, f, c, false)) {
        if (b.d && b.undecided) { /* no room to wait longer */
            learn(s, f, c->side, &b);
            claim(s, f, b.d, true, c);
            return;
        }
        classify_free(s, f);
        f->candidate = NULL;
    }
}

/* The flow ends while its bytes are held: would an owner of its port still take them for the beginning of a message? */
static bool may_begin(struct shard *s, struct flow *f)
{
    uint8_t tmp[PROBE_BYTES];
    uint64_t ports = may_run(s->env, f) & port_owners(s->env, f);
    for (unsigned side = 0; side < 2 && f->n_hold; side++) {
        struct layers lay;
        struct dis_ctx x;
        struct best b = {0};
        flow_layers(f, side, &lay);
        struct chunk none = {.ts_ns = f->last_ns, .side = (uint8_t)side, .lay = &lay};
        struct cur cur = gather(f, &none, tmp);
        make_ctx(s, f, &none, &x);
        if (cur_left(&cur) && (try_each(f, ports & by_start(s->env, f, cur), true, cur, &x, &b) || b.d))
            return true;
    }
    return false;
}

/* The flow ends while protocols that share its port were still undecided: nobody has a better claim than the one that
 * said maybe. Not at the cost of another flow's state: one may be ending right now for want of room. */
void classify_end(struct shard *s, struct flow *f)
{
    if (f->class_state != CLASS_OPEN)
        return;
    if (!f->candidate || !f->undecided || !f->n_hold) {
        foreign_end(s, f, may_begin(s, f));
        return;
    }
    struct buf room = buf_get(&s->states, DIS_FLOW_STATE);
    bool any = room.p != NULL;
    buf_put(&s->states, &room);
    if (any)
        claim(s, f, f->candidate, true, NULL);
}
