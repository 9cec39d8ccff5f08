/* txn.c: requests that wait for their answers.
 *
 * A waiting event is packed into a buffer of its shard: head, messages, items, fields, then the bytes that its spans
 * point at. It is unpacked into the worker's scratch event when the answer comes. A flow's requests form a list, oldest
 * first: pairing is by key, and the oldest of equal keys wins, so constant transaction ids pair in order. */
#include "dissectors/runtime.h"
#include "engine/base/hash.h"

void ev_add_msg_(struct dis_ctx *x, struct event *e, uint32_t function); /* ev.c */

/* ---- packing ---- */

struct pack {
    uint8_t *p;
    uint32_t n, cap;
    bool full;
};

static void *pack_room(struct pack *k, uint32_t n)
{
    n = (n + 7) & ~7u;
    if (k->full || k->cap - k->n < n) {
        k->full = true;
        return NULL;
    }
    void *p = k->p + k->n;
    k->n += n;
    return p;
}

static inline void pack_span(struct pack *k, struct span *s)
{
    uint8_t *p = s->n ? pack_room(k, s->n) : NULL;
    if (p)
        copy_short(p, s->p, s->n);
    *s = (struct span){.p = p, .n = p ? s->n : 0};
}

/* The sizes of the fixed parts of an event as packed. */
static uint32_t head_len(const struct event *e)
{
    return (uint32_t)(offsetof(struct event, msgs) + e->n_msgs * sizeof(struct msg) + e->n_items * sizeof(struct item) +
                      e->n_fields * sizeof(struct field));
}

static uint32_t round_up(uint32_t n)
{
    return (n + 7) & ~7u;
}

enum { SLACK = 32 };

/* The length without the values of items, and theirs. */
static uint32_t packed_len(const struct event *e, uint32_t *values)
{
    uint32_t n = head_len(e) + SLACK, v = 0;
    for (unsigned i = 0; i < e->n_items; i++) {
        n += round_up(e->items[i].name.n);
        v += round_up(e->items[i].v.raw.n);
    }
    for (unsigned i = 0; i < e->n_fields; i++)
        if (e->fields[i].span)
            n += round_up(e->fields[i].v.s.n);
    *values = v;
    return n;
}

uint32_t ev_packed_len(const struct event *e, bool with_values)
{
    uint32_t values, n = packed_len(e, &values);
    return with_values ? n + values : n;
}

/* The fixed parts follow each other: all their sizes are multiples of 8, and cap covers them by ev_packed_len(). */
void ev_pack(const struct event *e, void *to, uint32_t cap, bool with_values)
{
    uint8_t *p = to;
    memcpy(p, e, offsetof(struct event, msgs));
    ((struct event *)to)->text_used = 0; /* strings that were made will lie behind it */
    struct msg *msgs = (struct msg *)(void *)(p + offsetof(struct event, msgs));
    struct item *items = (struct item *)(void *)(msgs + e->n_msgs);
    struct field *fields = (struct field *)(void *)(items + e->n_items);
    struct pack k = {.p = to, .n = head_len(e), .cap = cap};
    for (unsigned i = 0; i < e->n_msgs; i++)
        msgs[i] = e->msgs[i];
    for (unsigned i = 0; i < e->n_items; i++) {
        items[i] = e->items[i];
        pack_span(&k, &items[i].name);
        if (with_values)
            pack_span(&k, &items[i].v.raw);
        else
            items[i].v.raw = (struct span){0};
    }
    for (unsigned i = 0; i < e->n_fields; i++) {
        fields[i] = e->fields[i];
        if (fields[i].span)
            pack_span(&k, &fields[i].v.s);
    }
}

_Static_assert(offsetof(struct event, msgs) % 8 == 0 && sizeof(struct msg) % 8 == 0 && sizeof(struct item) % 8 == 0 &&
                   sizeof(struct field) % 8 == 0,
               "the parts of a packed event lie at multiples of 8");

void ev_unpack(const void *from, struct event *e)
{
    const uint8_t *p = from;
    memcpy(e, p, offsetof(struct event, msgs));
    const struct msg *msgs = (const struct msg *)(const void *)(p + offsetof(struct event, msgs));
    const struct item *items = (const struct item *)(const void *)(msgs + e->n_msgs);
    const struct field *fields = (const struct field *)(const void *)(items + e->n_items);
    for (unsigned i = 0, n = e->n_msgs; i < n; i++)
        e->msgs[i] = msgs[i];
    for (unsigned i = 0, n = e->n_items; i < n; i++)
        e->items[i] = items[i];
    for (unsigned i = 0, n = e->n_fields; i < n; i++)
        e->fields[i] = fields[i];
}

/* ---- the lists ---- */

static void unlink_flow(struct dis_rt *rt, struct flow_rt *fr, const struct txn *t)
{
    if (t->prev == RT_NONE)
        fr->txn_head = t->next;
    else
        rt->txn[t->prev].next = t->next;
    if (t->next == RT_NONE)
        fr->txn_tail = t->prev;
    else
        rt->txn[t->next].prev = t->prev;
    fr->n_txn--;
}

static void unlink_shard(struct dis_rt *rt, struct txn *t)
{
    if (t->older == RT_NONE)
        rt->txn_oldest = t->newer;
    else
        rt->txn[t->older].newer = t->newer;
    if (t->newer == RT_NONE)
        rt->txn_newest = t->older;
    else
        rt->txn[t->newer].older = t->older;
}

struct taken txn_unlink(struct dis_rt *rt, struct flow_rt *fr, uint32_t i)
{
    struct txn *t = &rt->txn[i];
    struct taken b = {.req = t->req, .size = t->size};
    if (t->req == RT_NONE)
        b.buf = txn_rest(rt, i)->buf;
    unlink_flow(rt, fr, t);
    unlink_shard(rt, t);
    t->next = rt->txn_free;
    rt->txn_free = i;
    rt->n_txn_used--;
    return b;
}

void taken_put(struct dis_rt *rt, struct taken *t)
{
    if (t->req == RT_NONE) {
        buf_put(&rt->txn_pool, &t->buf);
        return;
    }
    buf_unreserve(&rt->txn_pool, t->size);
    rt->again[t->req].waits--;
    t->req = RT_NONE;
}

/* Its event, and what the event's spans point into. */
static struct taken take_txn(struct dis_ctx *x, uint32_t i, struct event *e)
{
    struct dis_rt *rt = x->rt;
    const struct txn *t = &rt->txn[i];
    if (t->req == RT_NONE)
        ev_unpack(txn_rest(rt, i)->buf.p, e);
    else
        again_unpack(rt, t, x->flow_id, e);
    e->had = e->anomalies;
    return txn_unlink(rt, x->fr, i);
}

/* No answer came: commit it as what it was, told by whom it was sent. Uses the scratch event of nobody else: callers
 * have finished theirs. */
static void close_txn(struct dis_ctx *x, uint32_t i, struct event *scratch)
{
    struct dis_rt *rt = x->rt;
    struct dis_ctx then = *x;
    then.side = rt->txn[i].side;
    then.dir = rt->txn[i].dir;
    then.dir_sure = rt->txn[i].dir_sure;
    then.cut = 0; /* of the message at hand */
    struct taken b = take_txn(x, i, scratch);
    if (scratch->kind == EV_MESSAGE)
        scratch->kind = EV_REQUEST;
    const struct msg *last = &scratch->msgs[scratch->n_msgs - 1];
    then.ts_ns = last->ts_ns;
    then.frame = last->frame;
    then.file = last->file;
    ev_commit(&then, scratch);
    taken_put(rt, &b);
}

/* Close one transaction of any flow of the shard, in that flow's own context, while `busy` (may be NULL) is under
 * construction: it is set aside in a buffer of the stack and restored. */
static void close_elsewhere(struct dis_rt *rt, uint32_t i)
{
    const struct txn_rest *t = txn_rest(rt, i);
    struct dis_ctx x = {.rt = rt, .owner = t->owner, .fr = t->fr, .dis = t->dis};
    rt->sink->context(rt->sink_arg, x.owner, &x);
    close_txn(&x, i, rt->ev);
}

/* The oldest whose buffer is large enough for n bytes; RT_NONE when there is none. */
static uint32_t oldest_with(const struct dis_rt *rt, uint32_t n)
{
    for (uint32_t i = rt->txn_oldest; i != RT_NONE; i = rt->txn[i].newer) {
        const struct txn *t = &rt->txn[i];
        if ((t->req == RT_NONE ? txn_rest(rt, i)->buf.cap : rt->txn_pool.c[t->size].size) >= n)
            return i;
    }
    return RT_NONE;
}

/* A buffer for n bytes; evicts until there is one. The event being kept must survive: it is packed before any eviction
 * where possible, else copied aside. */
static struct buf txn_room(struct dis_rt *rt, uint32_t n, bool *ok)
{
    struct buf b = buf_get(&rt->txn_pool, n);
    *ok = b.p && rt->txn_free != RT_NONE;
    return b;
}

/* The valid parts of an event; its spans stay what they are. */
static void copy_event(struct event *to, const struct event *from)
{
    memcpy(to, from, offsetof(struct event, msgs));
    memcpy(to->msgs, from->msgs, from->n_msgs * sizeof *from->msgs);
    memcpy(to->items, from->items, from->n_items * sizeof *from->items);
    memcpy(to->fields, from->fields, from->n_fields * sizeof *from->fields);
    memcpy(to->text, from->text, from->text_used);
}

/* At the bound the oldest that makes room is closed unanswered. Evicting uses the scratch event, so e is set aside. No
 * buffer is returned, and nobody evicted, for what is larger than any. */
static struct buf make_room(struct dis_ctx *x, struct event *e, uint32_t need, bool *ok)
{
    struct dis_rt *rt = x->rt;
    struct event aside;
    copy_event(&aside, e);
    uint32_t victim = x->fr->n_txn >= rt->conf.max_txn_flow ? x->fr->txn_head : RT_NONE;
    struct taken keep = rt->taken; /* spans of e may lie there */
    struct buf b;
    rt->taken = (struct taken){.req = RT_NONE};
    if (victim != RT_NONE) {
        rt->stats.txn_evicted++;
        close_txn(x, victim, rt->ev);
    }
    for (b = txn_room(rt, need, ok); !*ok; b = txn_room(rt, need, ok)) {
        uint32_t i = b.p ? rt->txn_oldest : oldest_with(rt, need); /* an entry is missing, or a buffer */
        buf_put(&rt->txn_pool, &b);
        if (i == RT_NONE)
            break;
        rt->stats.txn_evicted++;
        close_elsewhere(rt, i);
    }
    rt->taken = keep;
    copy_event(e, &aside);
    return b;
}

void ev_wait_for(struct dis_ctx *x, struct event *e, uint64_t key, uint64_t timeout_ns)
{
    struct dis_rt *rt = x->rt;
    bool ok;
    uint32_t values, need = packed_len(e, &values);
    bool with_values = need + values <= EV_PACK;
    rt->acts++;
    if (__builtin_expect((x->cut | e->cut) || e->anomalies, 0))
        ev_judge(x, e);
    if (with_values) {
        need += values;
    } else {
        e->truncated = 1;
        rt->stats.txn_too_big++;
    }
    struct buf b = txn_room(rt, need, &ok);
    if (!ok || x->fr->n_txn >= rt->conf.max_txn_flow) {
        buf_put(&rt->txn_pool, &b);
        b = make_room(x, e, need, &ok);
        if (!ok) { /* larger than any buffer: complete as it is */
            buf_put(&rt->txn_pool, &b);
            e->kind = e->kind == EV_MESSAGE ? EV_REQUEST : e->kind;
            ev_commit(x, e);
            return;
        }
    }
    ev_pack(e, b.p, b.cap, with_values);
    txn_rest(rt, (uint32_t)(txn_link(x, key, timeout_ns) - rt->txn))->buf = b;
}

void ev_wait(struct dis_ctx *x, struct event *e, uint64_t key)
{
    ev_wait_for(x, e, key, txn_timeout(x));
}

uint32_t txn_find(const struct dis_rt *rt, const struct flow_rt *fr, uint64_t key)
{
    uint32_t i = fr->txn_head;
    while (i != RT_NONE && rt->txn[i].key != key)
        i = rt->txn[i].next;
    return i;
}

bool ev_is_waited(const struct dis_ctx *x, uint64_t key)
{
    x->rt->acts++;
    return txn_find(x->rt, x->fr, key) != RT_NONE;
}

struct event *ev_answer(struct dis_ctx *x, const struct proto_schema *s, uint64_t key, uint32_t function,
                        uint32_t selector)
{
    struct dis_rt *rt = x->rt;
    struct event *e = rt->ev;
    uint32_t i = txn_find(rt, x->fr, key);
    rt->acts++;
    if (i == RT_NONE) {
        e = ev_begin(x, s, function, selector);
        e->kind = EV_RESPONSE;
        return e;
    }
    taken_put(rt, &rt->taken);
    rt->taken = take_txn(x, i, e);
    e->kind = EV_TRANSACTION;
    ev_add_msg_(x, e, function);
    uint64_t first = e->msgs[0].ts_ns;
    e->latency_ns = x->ts_ns > first ? x->ts_ns - first : 0;
    return e;
}

static struct event *take_as_is(struct dis_ctx *x, uint32_t i)
{
    struct dis_rt *rt = x->rt;
    if (i == RT_NONE)
        return NULL;
    rt->acts++;
    taken_put(rt, &rt->taken);
    rt->taken = take_txn(x, i, rt->ev);
    rt->ev->kind = EV_TRANSACTION;
    uint64_t first = rt->ev->msgs[0].ts_ns;
    rt->ev->latency_ns = x->ts_ns > first ? x->ts_ns - first : 0;
    return rt->ev;
}

struct event *ev_take(struct dis_ctx *x, uint64_t key)
{
    return take_as_is(x, txn_find(x->rt, x->fr, key));
}

struct event *ev_take_of(struct dis_ctx *x, uint64_t group)
{
    uint32_t i = x->fr->txn_head;
    while (i != RT_NONE && txn_rest(x->rt, i)->group != group)
        i = x->rt->txn[i].next;
    return take_as_is(x, i);
}

void ev_flush(struct dis_ctx *x)
{
    x->rt->acts++;
    while (x->fr->txn_head != RT_NONE)
        close_txn(x, x->fr->txn_head, x->rt->ev);
}

/* The flow of the request that runs out next, and the request after that one: nobody has touched them for long. */
static void fetch_expired(const struct dis_rt *rt, uint32_t i, uint64_t now_ns)
{
    enum { LINE = 64, LINES = 4 };
    if (i == RT_NONE || rt->txn[i].deadline_ns > now_ns)
        return;
    const char *flow = txn_rest(rt, i)->owner;
    for (unsigned n = 0; flow && n < LINES; n++)
        __builtin_prefetch(flow + n * LINE);
    __builtin_prefetch(txn_rest(rt, i)->fr);
    __builtin_prefetch(&rt->txn[rt_entry(rt->txn[i].newer)]);
    __builtin_prefetch(txn_rest(rt, rt_entry(rt->txn[i].newer)));
}

void rt_expire(struct dis_rt *rt, uint64_t now_ns)
{
    if (now_ns < rt->due_ns)
        return;
    rt->due_ns = UINT64_MAX;
    for (uint32_t i = rt->txn_oldest, next; i != RT_NONE; i = next) {
        next = rt->txn[i].newer;
        if (rt->txn[i].deadline_ns > now_ns) {
            if (rt->txn[i].deadline_ns < rt->due_ns)
                rt->due_ns = rt->txn[i].deadline_ns;
            continue;
        }
        rt->stats.txn_timeout++;
        fetch_expired(rt, next, now_ns);
        close_elsewhere(rt, i);
    }
}
