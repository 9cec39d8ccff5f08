/* again.c: requests and answers that say what others before them said, known by their octets.
 *
 * The first request of a sort is read, packed and waits; when it comes a second time its packed event is also kept
 * here, and from then on one like it waits by that event with only its time, place and number of its own. An answer
 * that was read once after the same request, and of which the sink knows all it could tell, is counted. What comes of
 * it is the same in every case, so forgetting costs time and nothing else: for a request that is known the buffer stays
 * free that it would have been packed into, for the bounds of those that wait to be the same. */
#include "dissectors/runtime.h"
#include "engine/base/hash.h"

enum { WAYS = 4 /* places of a digest */, LOOK_FOR_ROOM = 4 /* kept requests, when no buffer is free */ };

/* As many of dis_rt.obs_told as are kept with an answer. */
#define TOLD (UINT64_MAX >> 17)

static uint64_t digest_of(const struct dis_ctx *x, struct span s, uint64_t context)
{
    uint64_t secret = x->rt->secret ^ (uintptr_t)x->dis;
    return hash_mix(hash_same(secret, s.p, s.n) ^ x->dir, context ^ secret) | 1;
}

/* Of what was cut more than its bytes matters. */
static bool is_plain(const struct dis_ctx *x)
{
    return x->rt->conf.n_again && !(x->cut | x->copy);
}

/* The kept request, or else the first place of its digest. */
static struct again_req *request_at(struct dis_rt *rt, uint64_t digest)
{
    uint32_t first = (uint32_t)(digest >> 8) & (rt->conf.n_again - 1);
    for (uint32_t i = 0; i < WAYS; i++)
        if (rt->again_digests[first ^ i] == digest)
            return &rt->again[first ^ i];
    return &rt->again[first];
}

static void set_request(struct dis_rt *rt, struct again_req *r, const struct again_req *to)
{
    *r = *to;
    rt->again_digests[r - rt->again] = to->digest;
}

/* r is what this flow asks now. What follows it is written where another one was expected. */
static void request_follows(struct dis_ctx *x, struct again_req *r)
{
    uint16_t at = (uint16_t)(r - x->rt->again);
    if (x->fr->next_req != at)
        x->rt->again[x->fr->last_req].follow = at;
    x->fr->last_req = at;
    x->fr->next_req = r->follow;
}

/* The same of an answer. */
static void answer_follows(struct dis_ctx *x, struct again_rsp *p)
{
    uint16_t at = (uint16_t)(p - x->rt->answers);
    if (x->fr->next_rsp != at)
        x->rt->answers[x->fr->last_rsp].follow = at;
    x->fr->last_rsp = at;
    x->fr->next_rsp = p->follow;
}

/* The same of an answer, which has two places. */
static struct again_rsp *answer_at(struct dis_rt *rt, uint64_t digest)
{
    struct again_rsp *p = &rt->answers[digest >> 8 & (rt->conf.n_again - 1)];
    struct again_rsp *other = &rt->answers[(p - rt->answers) ^ 1];
    return p->digest != digest && other->digest == digest ? other : p;
}

/* Where a new answer goes: values that move come once and leave those that come again in their places. */
static struct again_rsp *answer_place(struct dis_rt *rt, uint64_t digest)
{
    struct again_rsp *p = answer_at(rt, digest), *other = &rt->answers[(p - rt->answers) ^ 1];
    if (p->digest == digest || !p->digest)
        return p;
    p = p->used && !other->used ? other : p;
    p->used = other->used = 0;
    return p;
}

void again_unpack(const struct dis_rt *rt, const struct txn *t, uint64_t flow_id, struct event *e)
{
    const struct again_req *r = &rt->again[t->req];
    if (r->is_tight)
        ev_unpack_tight(r->schema, r->buf.p, e);
    else
        ev_unpack(r->buf.p, e);
    e->tx_id = hash_mix(flow_id, t->like.n);
    e->msgs[0].ts_ns = t->like.ts_ns;
    e->msgs[0].frame = t->like.frame;
    e->msgs[0].file = t->file;
    if (r->vary < EV_MAX_FIELDS)
        e->fields[r->vary].v.u = t->vary;
}

/* One more request waits by r, which says the same. */
static bool wait_by(struct dis_ctx *x, struct again_req *r, uint64_t key, uint32_t vary)
{
    struct dis_rt *rt = x->rt;
    if (r->waits == UINT16_MAX || rt->txn_free == RT_NONE || x->fr->n_txn >= rt->conf.max_txn_flow)
        return false;
    rt->acts++;
    taken_put(rt, &rt->taken);
    int size = buf_reserve(&rt->txn_pool, r->need);
    if (size < 0)
        return false;
    struct txn *t = txn_link(x, key, txn_timeout(x));
    t->req = (uint32_t)(r - rt->again);
    t->size = (uint8_t)size;
    t->vary = vary;
    t->like.ts_ns = x->ts_ns;
    t->like.frame = x->frame;
    t->like.n = ++x->fr->n_messages;
    r->waits++;
    r->used = 1;
    request_follows(x, r);
    return true;
}

bool ev_again(struct dis_ctx *x, struct span s, uint64_t context, uint64_t key, struct again *a)
{
    struct dis_rt *rt = x->rt;
    a->digest = 0;
    if (!is_plain(x))
        return false;
    a->digest = digest_of(x, s, context);
    a->acts = rt->acts;
    a->asked = rt->obs_asked;
    struct again_req *r = request_at(rt, a->digest);
    if (r->digest != a->digest || !wait_by(x, r, key, a->vary))
        return false;
    a->place = (uint32_t)(r - rt->again);
    return true;
}

/* ---- requests that come together ---- */

/* At the end of the buffer of the request that carries them: their places, and what their digests make together. */
struct group {
    uint64_t digest;
    uint16_t place[];
};

static uint32_t group_bytes(unsigned n)
{
    return (uint32_t)(sizeof(struct group) + n * sizeof(uint16_t) + 7) & ~7u;
}

static struct group *group_of(const struct again_req *r, unsigned n)
{
    return (struct group *)(void *)(r->buf.p + (r->buf.cap & ~7u) - group_bytes(n));
}

static uint64_t group_digest(const struct dis_rt *rt, const uint16_t *place, unsigned n)
{
    uint64_t h = rt->secret;
    for (unsigned i = 0; i < n; i++)
        h = hash_mix(h ^ rt->again[place[i]].digest, rt->secret + n);
    return h;
}

void ev_group_keep(struct dis_ctx *x, const struct again *a, const uint32_t *places, unsigned n)
{
    struct dis_rt *rt = x->rt;
    struct again_req *r = &rt->again[a->place];
    if (!n || n > AGAIN_GROUP || rt->conf.n_again > UINT16_MAX || r->digest != a->digest ||
        r->len + group_bytes(n) > (r->buf.cap & ~7u))
        return;
    struct group *g = group_of(r, n);
    for (unsigned i = 0; i < n; i++)
        g->place[i] = (uint16_t)places[i];
    g->digest = group_digest(rt, g->place, n);
    r->n_group = (uint8_t)n;
}

unsigned ev_group_again(struct dis_ctx *x, const struct again *a, const uint64_t *keys, unsigned n)
{
    struct dis_rt *rt = x->rt;
    const struct again_req *r = &rt->again[a->place];
    if (!n || r->n_group != n || r->digest != a->digest)
        return 0;
    const struct group *g = group_of(r, n);
    unsigned i = 0;
    if (g->digest == group_digest(rt, g->place, n))
        while (i < n && wait_by(x, &rt->again[g->place[i]], keys[i], a->vary))
            i++;
    return i;
}

/* ---- keeping ---- */

/* Of the requests that nobody waits by, one that was not used for a while, and whose buffer is large enough, goes.
 * Where more come in turn than fit, most of those that are kept stay. */
static struct buf make_room(struct dis_rt *rt, uint32_t need)
{
    struct buf b = buf_get(&rt->kept->pool, need);
    for (unsigned i = 0; !b.p && i < LOOK_FOR_ROOM; i++) {
        struct again_req *r = &rt->again[rt->kept->hand++ & (rt->conf.n_again - 1)];
        bool used = r->used;
        r->used = 0;
        if (used || r->waits || !r->buf.p || r->buf.cap < need)
            continue;
        b = r->buf;
        set_request(rt, r, &(struct again_req){.next = {r->next[0], r->next[1]}, .follow = r->follow});
    }
    return b;
}

static uint8_t place_of(const struct event *e, uint8_t field)
{
    unsigned i = 0;
    while (i < e->n_fields && e->fields[i].id != field)
        i++;
    return (uint8_t)(i < e->n_fields ? i : EV_MAX_FIELDS);
}

/* What comes once needs no place. Two that come in turn are both told from that. */
static bool came_before(struct again_req *first, uint64_t digest)
{
    uint16_t d = (uint16_t)(digest >> 48);
    if (first->next[0] == d || first->next[1] == d)
        return true;
    first->next[1] = first->next[0];
    first->next[0] = d;
    return false;
}

/* A free place, or else one that nobody waits by. */
static struct again_req *request_place(struct dis_rt *rt, uint32_t first)
{
    struct again_req *best = &rt->again[first];
    for (uint32_t i = 0; i < WAYS && (best->waits || best->digest); i++) {
        struct again_req *r = &rt->again[first ^ i];
        if (!r->waits && (!r->digest || best->waits || (best->used && !r->used)))
            best = r;
    }
    return best;
}

static void keep(struct dis_rt *rt, const struct event *e, const struct again *a)
{
    uint32_t first = (uint32_t)(a->digest >> 8) & (rt->conf.n_again - 1);
    bool pure = rt->acts == a->acts + 1 && rt->obs_asked == a->asked;
    uint32_t full = ev_packed_len(e, true), few = ev_tight_len(e), len = few ? few : full;
    bool whole = !e->anomalies && !e->truncated && e->n_msgs == 1 && full <= EV_PACK;
    if (!pure || !whole || request_at(rt, a->digest)->digest == a->digest ||
        !came_before(&rt->again[first], a->digest))
        return;
    struct again_req *r = request_place(rt, first);
    if (r->waits)
        return;
    uint32_t need = len + (a->n_group ? group_bytes(a->n_group) + 7 : 0);
    if (r->buf.p && r->buf.cap < need) {
        buf_put(&rt->kept->pool, &r->buf);
        r->digest = rt->again_digests[r - rt->again] = 0;
    }
    struct buf b = r->buf.p ? r->buf : make_room(rt, need);
    if (!b.p)
        return;
    if (few)
        ev_pack_tight(e, b.p);
    else
        ev_pack(e, b.p, b.cap, true);
    set_request(rt, r, &(struct again_req){.digest = a->digest, .buf = b, .schema = e->schema,
                                           .next = {r->next[0], r->next[1]}, .need = full,
                                           .len = (uint16_t)len, .is_tight = few != 0,
                                           .vary = place_of(e, a->field), .own = a->own, .follow = r->follow});
}

void ev_wait_again(struct dis_ctx *x, struct event *e, uint64_t key, const struct again *a)
{
    if (a->digest)
        keep(x->rt, e, a);
    ev_wait(x, e, key);
}

/* Was what has this digest read before in this flow, and needs the sink no more than to count it? */
static bool counted(struct dis_ctx *x, struct rt_again *m, uint64_t digest, struct again *a)
{
    struct dis_rt *rt = x->rt;
    a->digest = hash_mix(digest ^ x->side, x->flow_id) | 1; /* the end that sends: what is told of it */
    a->acts = rt->acts;
    struct again_rsp *p = answer_at(rt, a->digest);
    m->seen = &p->seen;
    if (p->digest != a->digest || p->told != (rt->obs_told & TOLD) || !rt->sink->again(rt->sink_arg, x, m))
        return false;
    p->used = 1;
    a->place = (uint32_t)(p - rt->answers);
    answer_follows(x, p);
    return true;
}

static uint64_t since(const struct dis_ctx *x, uint64_t first)
{
    return x->ts_ns > first ? x->ts_ns - first : 0;
}

/* Of an answer to a request like r: of its last `data` bytes only so many as matter. */
static uint64_t answer_digest(const struct dis_ctx *x, const struct again_req *r, struct span s, uint32_t data,
                              uint64_t context)
{
    if (r->own < AGAIN_ALL && r->own < data)
        s.n -= data - r->own;
    return digest_of(x, s, context) ^ r->digest;
}

/* The request at i was answered. */
static void answered(struct dis_ctx *x, uint32_t i)
{
    struct taken t = txn_unlink(x->rt, x->fr, i);
    taken_put(x->rt, &t);
    x->fr->n_messages++;
}

bool ev_answer_again(struct dis_ctx *x, struct span s, uint64_t context, uint64_t key, struct again *a)
{
    struct dis_rt *rt = x->rt;
    uint32_t i = txn_find(rt, x->fr, key);
    a->digest = 0;
    if (i == RT_NONE || rt->txn[i].req == RT_NONE || !is_plain(x) || !rt->sink->again)
        return false;
    const struct again_req *r = &rt->again[rt->txn[i].req];
    uint64_t latency = since(x, rt->txn[i].like.ts_ns);
    struct rt_again m = {.schema = r->schema, .latency_ns = latency, .n_events = 1, .n_msgs = 2};
    if (!counted(x, &m, answer_digest(x, r, s, a->data, context), a))
        return false;
    rt->acts++;
    taken_put(rt, &rt->taken);
    answered(x, i);
    return true;
}

/* ---- answers that come together ---- */

bool ev_answers_again(struct dis_ctx *x, const struct again_part *parts, unsigned n, struct again *a)
{
    struct dis_rt *rt = x->rt;
    uint32_t i = x->fr->txn_head;
    a->digest = 0;
    if (!n || n > AGAIN_GROUP || i == RT_NONE || !is_plain(x) || !rt->sink->again || !rt->sink->join)
        return false;
    uint64_t h = rt->secret + n, asked = rt->txn[i].like.ts_ns;
    struct rt_again m = {.latency_ns = since(x, asked), .n_events = n, .n_msgs = 2 * n};
    for (unsigned k = 0; k < n; k++) {
        const struct txn *t = i == RT_NONE ? NULL : &rt->txn[i];
        if (!t || t->key != parts[k].key || t->req == RT_NONE || t->like.ts_ns != asked)
            return false;
        const struct again_req *r = &rt->again[t->req];
        if (k && r->schema != m.schema)
            return false;
        m.schema = r->schema;
        h = hash_mix(h ^ answer_digest(x, r, parts[k].s, parts[k].data, parts[k].context), rt->secret);
        i = t->next;
    }
    if (!counted(x, &m, h, a))
        return false;
    rt->acts++;
    taken_put(rt, &rt->taken);
    for (unsigned k = 0; k < n; k++)
        answered(x, x->fr->txn_head);
    return true;
}

void ev_answers_keep(struct dis_ctx *x, const struct again *a, const uint32_t *places, unsigned n)
{
    struct dis_rt *rt = x->rt;
    struct rt_seen of[AGAIN_GROUP], all;
    if (!a->digest || n > AGAIN_GROUP)
        return;
    for (unsigned i = 0; i < n; i++)
        of[i] = rt->answers[places[i]].seen;
    if (!rt->sink->join(rt->sink_arg, of, n, &all))
        return;
    struct again_rsp *p = answer_place(rt, a->digest);
    *p = (struct again_rsp){.digest = a->digest, .told = rt->obs_told & TOLD, .follow = p->follow, .seen = all};
}

bool ev_told_again(struct dis_ctx *x, const struct proto_schema *schema, struct span s, uint64_t context,
                   struct again *a)
{
    struct rt_again m = {.schema = schema, .n_events = 1, .n_msgs = 1};
    a->digest = 0;
    if (!is_plain(x) || !x->rt->sink->again || !counted(x, &m, digest_of(x, s, context), a))
        return false;
    x->rt->acts++;
    taken_put(x->rt, &x->rt->taken);
    x->fr->n_messages++;
    return true;
}

void ev_commit_again(struct dis_ctx *x, struct event *e, const struct again *a)
{
    struct dis_rt *rt = x->rt;
    bool pure = a->digest && rt->acts == a->acts + 1; /* ev_answer(), ev_begin() */
    ev_commit(x, e);
    if (!pure || !rt->seen.digest)
        return;
    struct again_rsp *p = answer_place(rt, a->digest);
    *p = (struct again_rsp){.digest = a->digest, .told = rt->obs_told & TOLD, .follow = p->follow, .seen = rt->seen};
    answer_follows(x, p);
}

struct rt_seen ev_seen(const struct dis_ctx *x)
{
    return x->rt->seen;
}

bool ev_message_again(struct dis_ctx *x, const struct proto_schema *s, const struct rt_seen *seen)
{
    struct dis_rt *rt = x->rt;
    const struct rt_again m = {.schema = s, .seen = seen, .n_events = 1, .n_msgs = 1};
    if (!seen->digest || x->copy || !rt->sink->again || !rt->sink->again(rt->sink_arg, x, &m))
        return false;
    rt->acts++;
    taken_put(rt, &rt->taken);
    x->fr->n_messages++;
    return true;
}
