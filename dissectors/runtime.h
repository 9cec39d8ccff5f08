/* runtime.h: what stands behind the calls of dissector.h. One runtime a shard; the engine creates it, points it at a
 * sink, and embeds a flow_rt in each of its flows. Dissectors do not include this. */
#pragma once

#include "dissectors/dissector.h"
#include "engine/base/bufpool.h"
#include "engine/base/lru.h"

enum { RT_NONE = UINT32_MAX };

/* The runtime's part of a flow; all RT_NONE/0 at the start (flow_rt_init). */
struct flow_rt {
    uint32_t txn_head, txn_tail, n_txn; /* requests that wait, oldest first */
    uint32_t asm_head;                  /* messages being put together */
    uint32_t n_messages;                /* messages so far: makes tx_id unique and content-made */
    /* Places in dis_rt.again and .answers: those used last, and those that followed them the last time (again.c). */
    uint16_t last_req, next_req, last_rsp, next_rsp;
};

struct rt_ident {
    const struct proto_schema *schema;
    struct span value;
    uint32_t sub;
    uint8_t side, kind, confidence, changed;
};

/* Events that would be like those that *seen is of. */
struct rt_again {
    const struct proto_schema *schema;
    const struct rt_seen *seen;
    uint64_t latency_ns;
    unsigned n_events, n_msgs; /* msgs: of all */
};

/* Where a runtime's results go. Called in the order of the packets. */
struct rt_sink {
    void (*event)(void *arg, struct dis_ctx *x, struct event *e);
    void (*ident)(void *arg, struct dis_ctx *x, const struct rt_ident *i);
    void (*malformed)(void *arg, struct dis_ctx *x, const struct proto_schema *s, unsigned bit);
    void (*silent)(void *arg, struct dis_ctx *x, const struct proto_schema *s);
    /* A request of this flow ran out of time: fill in key, flow_id, state, fr, dir of that flow. */
    void (*context)(void *arg, void *owner, struct dis_ctx *x);
    void (*sender)(void *arg, struct dis_ctx *x); /* x->sender is a device that sent something; may be NULL */
    /* One more event like that which the sink left in rt->seen: n messages of schema, the last one latency_ns after the
     * first; or as many such events as join() put together. False: it has to be read. May be NULL. */
    bool (*again)(void *arg, struct dis_ctx *x, const struct rt_again *m);
    /* n of them, which come together, as one. False: they cannot be. May be NULL. */
    bool (*join)(void *arg, const struct rt_seen *of, unsigned n, struct rt_seen *ret);
    bool completes; /* event() calls ev_complete() before it looks at fields; else they are always there */
    void (*lost)(void *arg, struct dis_ctx *x, uint32_t n); /* dis_lost(); may be NULL */
    void (*absent)(void *arg, struct dis_ctx *x, const struct dis_absent *a);    /* dis_expect(); may be NULL */
    bool (*heard)(void *arg, const struct dis_ctx *x); /* dis_heard(); NULL: always */
};

struct rt_conf { /* entries per shard */
    struct bufpool_conf txn[BUFPOOL_CLASSES];
    struct bufpool_conf assembly[BUFPOOL_CLASSES];
    struct bufpool_conf again[BUFPOOL_CLASSES];
    uint32_t n_txn, n_asm;
    uint32_t n_again;                         /* kept requests, and answers to them: 0, or a power of two, >= 4 */
    uint32_t n_shared, n_obs; /* powers of two, >= 8 */
    uint32_t max_txn_flow;    /* requests waiting in one flow */
};
#define RT_CONF_DEFAULT                                                                                              \
    {                                                                                                                \
        .txn = {{512, 384}, {1536, 48}, {6208, 12}, {EV_PACK + 64, 4}},                                              \
        .assembly = {{2048, 32}, {8192, 8}, {LIM_ASM, 2}},                                                           \
        .again = {{160, 220}, {352, 36}, {1024, 10}, {2048, 3}}, .n_txn = 444, .n_again = 256, .n_asm = 42,          \
        .n_shared = 256, .n_obs = 1024, .max_txn_flow = 128                                                          \
    }
extern const struct rt_conf rt_conf_default;

/* A request that waits; what an answer to a known one asks of it is one cache line. */
struct txn {
    _Alignas(64) uint64_t key;
    uint64_t deadline_ns;
    struct {                     /* in what it differs from the kept one */
        uint64_t ts_ns;
        uint32_t frame, n;       /* n: of the message in its flow */
    } like;
    uint32_t req;                /* the kept one; RT_NONE: txn_rest.buf */
    uint32_t vary;
    uint32_t prev, next;         /* in the flow */
    uint32_t older, newer;       /* in the shard, by time of ev_wait */
    uint16_t file;
    uint8_t side, dir, dir_sure; /* of the message that it waits after: who asked whom */
    uint8_t size;                /* class of the buffer that it would have, where there is a kept one */
};
_Static_assert(sizeof(struct txn) == 64, "one cache line");
struct txn_rest {                /* see txn_rest() */
    void *owner;
    struct flow_rt *fr;
    const struct dissector *dis;
    uint64_t group;              /* dis_ctx.group when it was kept */
    struct buf buf;              /* the event, packed; empty where there is a kept one */
};

enum { AGAIN_BYTES = 96 }; /* of kept requests, for each request that may wait */

/* again.c: a request as it was read once, for all those that say the same. */
struct again_req {
    _Alignas(64) uint64_t digest; /* 0: free */
    struct buf buf;        /* the event, packed */
    const struct proto_schema *schema; /* its */
    uint16_t next[2];      /* of what came here and was not kept yet: a part of its digest */
    uint32_t need;         /* its length */
    uint16_t waits;        /* requests that wait by it, or are being read: it stays as it is */
    uint8_t vary;          /* place of the field that differs from time to time; EV_MAX_FIELDS: none does */
    uint8_t used;          /* since it was looked at for its room */
    uint8_t n_group;       /* requests that came with it and are kept, too */
    uint8_t own;           /* bytes of the data of its answer that matter */
    uint16_t len;          /* of what is in buf */
    uint8_t is_tight;      /* it is packed so */
    uint16_t follow;       /* place of the request that followed in a flow the last time: a wish what to fetch */
};
_Static_assert(sizeof(struct again_req) == 64, "one cache line");
struct again_rsp { /* an answer to a kept request, or a message without one, that was read once */
    uint64_t digest;
    uint64_t told : 47;    /* identity facts told until then */
    uint64_t used : 1;     /* since another one wanted its place */
    uint64_t follow : 16;  /* place of the answer that followed in its flow the last time: a wish what to fetch */
    struct rt_seen seen;
};
/* What is kept of requests and answers. Shards that one thread works on have it in common: which of them are busy is
 * the plant's matter, and some of what is asked is asked of many. */
struct again_store {
    struct again_req *requests;
    uint64_t *digests;
    struct again_rsp *answers;
    uint32_t n, hand;          /* n: of requests, and of answers */
    struct bufpool pool;
};
/* An event that was taken out of its list: ev's spans point into the kept one, or into buf. */
struct taken {
    struct buf buf;
    uint32_t req; /* RT_NONE: buf */
    uint32_t size; /* txn.size */
};

struct asm_msg {
    struct flow_rt *fr;
    struct buf buf;
    uint32_t key, len, next;
    uint8_t dir, used;
};

struct shared_blob {
    uint64_t digest; /* 0: free */
    uint64_t used : 48;   /* tick of the last use */
    uint64_t expect : 16; /* expect.c: its place among the expected + 1; 0 none */
    uint8_t blob[DIS_SHARED];
};

/* A publisher that will speak again. */
struct expected {
    struct shared_blob *blob; /* NULL: free */
    void *owner;
    struct flow_rt *fr;
    const struct dissector *dis;
    uint32_t unit;
    uint8_t name_len, name[27];
};

struct obs_slot {
    uint64_t key, value;
};

/* Rows found last: the same few functions come again and again. */
enum { RT_OPS = 32 };
struct op_seen {
    const struct proto_schema *schema; /* NULL: free */
    const struct op_row *row;
    uint32_t fn, sel;
};

/* Messages read before, by a digest of their bytes; direct-mapped: forgetting one only means reading it again. */
enum { RT_KNOWN = 128 };
struct known_msg {
    uint64_t digest;   /* of it and the identity facts told until then; 0: free */
    struct dis_note note;
};

struct rt_stats {
    uint64_t txn_evicted, txn_timeout, txn_too_big, asm_evicted, asm_too_big, shared_evicted, obs_evicted, expect_short;
};

/* Configured settings of one protocol. */
struct rt_settings {
    const struct proto_schema *schema; /* NULL ends a list */
    uint8_t value[DIS_SETTINGS];
};

/* What most messages need comes first, in a few cache lines. */
struct dis_rt {
    _Alignas(64) const struct rt_settings *settings; /* NULL: nothing is configured */
    const struct rt_sink *sink;
    void *sink_arg;
    struct event *ev;          /* the worker's scratch event, shared by its shards */
    struct taken taken;        /* stored request that ev's spans point into; freed by the next begin or answer */
    uint32_t obs_asked;        /* obs_ calls with a value */
    uint32_t acts;             /* calls that do more than fill the event at hand, or ask for more than its bytes tell */

    struct again_req *again;   /* these three are *kept's */
    uint64_t *again_digests;   /* of again, once more: those of a set lie together */
    struct again_rsp *answers;
    struct txn *txn;           /* conf.n_txn of them, and behind these txn_rest() of each */
    struct rt_seen seen;
    uint64_t secret;           /* not known to whoever makes the bytes: nothing that is told may depend on it */
    uint64_t obs_told;         /* times that a slot of obs changed */

    uint64_t hash_key;
    uint64_t expect_due;       /* no publisher is late before this */
    void (*rest)(struct event *e, void *arg); /* ev_commit_brief() */
    void *rest_arg;
    struct rt_conf conf;       /* its last fields are asked for most */
    uint32_t txn_free, txn_oldest, txn_newest, n_txn_used;
    uint64_t due_ns;           /* no waiting request runs out of time before this */
    const struct proto_schema *index_of; /* whose schema_index() is `index` */
    unsigned index;

    struct bufpool txn_pool, asm_pool;
    struct again_store *kept, own_kept; /* own_kept: where it is nobody else's, too */
    struct table_mem own;      /* where the memory is nobody else's */
    struct asm_msg *asm_msg;
    struct shared_blob *shared;
    uint64_t clock;            /* of shared */
    struct obs_slot *obs;
    struct lru_link *asm_order; /* of asm_used, by time of the first part */
    struct lru asm_used;
    uint32_t asm_free;
    struct buf asm_done;       /* message handed out by asm_append, freed by the next one */
    uint32_t obs_hand;
    uint64_t known_digest;     /* of the message that dis_known() was asked of */
    struct op_seen ops[RT_OPS];
    struct known_msg known[RT_KNOWN];
    uint32_t n_expect;
    struct expected expect[LIM_EXPECT];
    struct rt_stats stats;
};
_Static_assert(offsetof(struct dis_rt, obs_told) < 128 && offsetof(struct dis_rt, conf.n_txn) % 64 == 0 &&
                   offsetof(struct dis_rt, txn_pool) == offsetof(struct dis_rt, conf.n_txn) + 64,
               "rt_fetch() knows these lines");

/* An event as bytes that stand for themselves, at an address that is a multiple of 8: what its spans point at lies
 * behind it. Unpacked spans point into those bytes. */
uint32_t ev_packed_len(const struct event *e, bool with_values);
void ev_pack(const struct event *e, void *to, uint32_t cap, bool with_values);
void ev_unpack(const void *from, struct event *e);
/* The same in fewer bytes, of a request that is kept (tight.c): what is its own (time, place, number) is left out.
 * 0: it is not like that, and has to be packed as others are. */
uint32_t ev_tight_len(const struct event *e);
void ev_pack_tight(const struct event *e, void *to);
void ev_unpack_tight(const struct proto_schema *schema, const void *from, struct event *e);
/* And of any event. 0: something in it is too long for that. */
uint32_t ev_record_len(const struct event *e);
void ev_pack_record(const struct event *e, void *to);
void ev_unpack_record(const void *from, struct event *e);

void ev_judge(const struct dis_ctx *x, struct event *e); /* ev.c: leaves out what only the capture is to blame for */

/* ---- between txn.c and again.c ---- */
static inline uint64_t txn_timeout(const struct dis_ctx *x)
{
    return x->dis && x->dis->timeout_ns ? x->dis->timeout_ns : UINT64_C(10000000000);
}
uint32_t txn_find(const struct dis_rt *rt, const struct flow_rt *fr, uint64_t key);
static inline struct txn_rest *txn_rest(const struct dis_rt *rt, uint32_t i)
{
    return (struct txn_rest *)(void *)(rt->txn + rt->conf.n_txn) + i;
}
/* An entry at the end of its lists; its event is the caller's to set. There must be a free one. */
static inline struct txn *txn_link(struct dis_ctx *x, uint64_t key, uint64_t timeout_ns)
{
    struct dis_rt *rt = x->rt;
    uint32_t i = rt->txn_free;
    struct txn *t = &rt->txn[i];
    struct txn_rest *rest = txn_rest(rt, i);
    rt->txn_free = t->next;
    rt->n_txn_used++;
    rest->owner = x->owner; /* one by one: as a whole it would be made elsewhere and copied */
    rest->fr = x->fr;
    rest->dis = x->dis;
    rest->group = x->group;
    t->key = key;
    t->deadline_ns = x->ts_ns + timeout_ns;
    t->req = RT_NONE;
    t->file = x->file;
    t->side = x->side;
    t->dir = x->dir;
    t->dir_sure = x->dir_sure;
    t->prev = x->fr->txn_tail;
    t->older = rt->txn_newest;
    t->next = t->newer = RT_NONE;
    if (t->deadline_ns < rt->due_ns)
        rt->due_ns = t->deadline_ns;
    if (t->prev == RT_NONE)
        x->fr->txn_head = i;
    else
        rt->txn[t->prev].next = i;
    x->fr->txn_tail = i;
    x->fr->n_txn++;
    if (t->older == RT_NONE)
        rt->txn_oldest = i;
    else
        rt->txn[t->older].newer = i;
    rt->txn_newest = i;
    return t;
}
/* Out of its lists, of which fr is the flow's; what it held is the caller's. */
struct taken txn_unlink(struct dis_rt *rt, struct flow_rt *fr, uint32_t i);
void taken_put(struct dis_rt *rt, struct taken *t);
/* Its own part of what messages need is on its way to the cache. These are always inlined: a function that only fetches
 * is taken for one that does nothing. */
static inline __attribute__((always_inline)) void rt_fetch(const struct dis_rt *rt)
{
    __builtin_prefetch(rt);
    __builtin_prefetch(&rt->again);
    __builtin_prefetch(&rt->conf.n_txn);
    __builtin_prefetch(&rt->txn_pool);
}
/* Entry 0 for none. */
static inline uint32_t rt_entry(uint32_t i)
{
    return i & -(uint32_t)(i != RT_NONE);
}
/* What the flow's next message most likely needs, and then what hangs on that; of the side that asks, or of the other
 * one. Without branches, which nobody could foretell: entry 0 stands for what there is not. */
static inline __attribute__((always_inline)) void rt_fetch_next(const struct dis_rt *rt, const struct flow_rt *fr,
                                                                bool asks)
{
    uint32_t mask = rt->conf.n_again - 1;
    const struct txn *t = &rt->txn[rt_entry(fr->txn_head)];
    if (!rt->conf.n_again)
        return;
    uintptr_t digest = (uintptr_t)&rt->again_digests[fr->next_req & mask];
    uintptr_t request = (uintptr_t)&rt->again[fr->next_req & mask];
    uintptr_t answer = (uintptr_t)&rt->answers[fr->next_rsp & mask];
    uintptr_t pick = -(uintptr_t)asks;
    __builtin_prefetch((const void *)((digest & pick) | (answer & ~pick)));
    __builtin_prefetch((const void *)((request & pick) | ((uintptr_t)t & ~pick)));
}
static inline __attribute__((always_inline)) void rt_fetch_on(const struct dis_rt *rt, const struct flow_rt *fr)
{
    if (rt->conf.n_again)
        __builtin_prefetch(&rt->again[rt->txn[rt_entry(fr->txn_head)].req & (rt->conf.n_again - 1)]);
}
/* The event of a request that waits by a kept one. */
void again_unpack(const struct dis_rt *rt, const struct txn *t, uint64_t flow_id, struct event *e);

/* The fields of an event that was committed without them; nothing where they are there. */
void ev_complete(struct dis_ctx *x, struct event *e);

size_t rt_bytes(const struct rt_conf *conf);
size_t rt_hot_bytes(const struct rt_conf *conf); /* of these the part in hot memory */
/* mem owns the memory; NULL: the runtime takes its own. */
int rt_init(struct dis_rt *rt, const struct rt_conf *conf, struct event *scratch, const struct rt_sink *sink,
            void *sink_arg, uint64_t hash_key, struct table_mem *mem) MUST_USE;
void rt_done(struct dis_rt *rt);
/* What n runtimes of this conf may have in common takes no more than rt_hot_bytes() has for it in each of them, ... */
int again_store_init(struct again_store *a, const struct rt_conf *conf, unsigned n, struct arena *mem) MUST_USE;
/* ... which were begun with none of it (n_again 0). */
void rt_share(struct dis_rt *rt, struct again_store *a);
void flow_rt_init(struct flow_rt *fr);
/* The flow ends (or is evicted): commit what waits, free what is kept. x is the flow's context. */
void flow_rt_end(struct dis_ctx *x);
/* Commit requests whose time-out passed, oldest first. */
void rt_expire(struct dis_rt *rt, uint64_t now_ns);
/* Time has passed from before_ns on, in which the sensor saw nothing: publishers that are late. */
void rt_expect_tick(struct dis_rt *rt, uint64_t before_ns, uint64_t now_ns);
void rt_expect_forget(struct dis_rt *rt);                             /* a new time begins */
void rt_expect_end(struct dis_ctx *x);                                /* the flow ends */
void rt_expect_evicted(struct dis_rt *rt, struct shared_blob *b);     /* b->expect is set */
/* Drop what a direction was putting together (after a gap). */
void asm_gap(struct dis_ctx *x);
