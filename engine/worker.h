/* worker.h: a worker's output, and the thread that runs shards when there are several workers. */
#pragma once

#include <semaphore.h>
#include <stdatomic.h>

#include "engine/decode.h"
#include "engine/itapp.h"
#include "engine/ops.h"
#include "engine/pktmsg.h"

/* Records on the ring: ring_head.type is kind | shard << 16, ring_head.order the number of the packet or tick. */
enum rec_kind { RK_PAD, RK_EVENT, RK_ASSET, RK_LINK, RK_LINK_APP, RK_LINK_COUNT, RK_FACT_COUNT, RK_IDENT, RK_ANOMALY,
                RK_TICK, RK_MARK, RK_END, RK_STATS, RK_UNSEEN,
                RK_ABSENT, RK_TOPOLOGY, RK_COUNTED, RK_FACT_ERROR };
enum { REC_MAX_BYTES = 98304 }; /* one record on the ring: an event with all its values, facts and hits */

struct out {
    struct ring *ring;
    uint64_t order;        /* of what is being worked on */
    uint16_t shard;
    bool live;
    uint32_t patience_us;  /* live: time left to wait in this second */
    sem_t *bell;           /* wakes the collector; NULL: it comes by itself */
    uint64_t waits;        /* times that the ring was full */
};
/* Live: must an event that is only logged give way? The last quarter of the ring is for hits and news. The capture
 * buffer bears a worker that waits for a fifth of each second; beyond that the packets come first. */
bool out_tight(struct out *o);
/* Room for one record of kind k; waits while the ring is full. The caller fills what follows the head. */
struct ring_head *out_begin(struct out *o, enum rec_kind k, uint32_t max);
static inline void out_end(struct out *o, struct ring_head *h, uint32_t len)
{
    ring_publish(o->ring, h, len);
}
/* A record that is one struct. */
void out_put(struct out *o, enum rec_kind k, const void *rec, uint32_t len);

/* The first packets of a flow that no dissector claimed (so far): nDPI's opinion, as facts. */
void worker_ndpi(struct shard *s, struct flow *f, const struct chunk *c);

/* One worker: its shards (index % n_workers == its number), its ring of records, and (with a thread) its ring of
 * packets. */
struct worker {
    struct shard *shards[N_SHARDS]; /* NULL: another worker's */
    struct shard_door doors[N_SHARDS]; /* of another worker's: that of some shard of ours */
    struct event *scratch;
    struct eng_stats stats;
    struct rec_stats told;          /* what was sent so far */
    struct out out;
    struct ring records, packets;
    struct shard_common common;
    unsigned number;
    uint64_t busy_ns, n_packets;
    const struct shard_env *env;
};

/* mem owns the memory of the shards, and outlives the worker. */
int worker_init(struct worker *w, unsigned number, unsigned n_workers, const struct shard_conf *conf,
                const struct shard_env *env, struct table_mem *mem, uint64_t ring_bytes,
                uint64_t packet_bytes) MUST_USE;
void worker_done(struct worker *w);
void worker_packet(struct worker *w, const struct pkt *p, const struct job *j, uint64_t now_ns, uint64_t order);
/* Its two halves, for those who have several packets: counting them, which returns their bytes, ... */
uint64_t worker_count(struct worker *w, const struct pkt *p, unsigned n);
/* ... and each one's way through its shard. */
static inline void worker_deliver(struct worker *w, struct shard *s, const struct pkt *p, const struct job *j,
                                  uint64_t now_ns, uint64_t order)
{
    w->out.order = order;
    w->out.shard = j->shard;
    if (__builtin_expect(j->lay.reached >= REACHED_L2, 1))
        shard_packet(s, p, j, now_ns);
    else
        w->stats.undecoded++;
}
void worker_tick(struct worker *w, const struct rec_tick *t, uint64_t order, bool flush);
void worker_end(struct worker *w, const struct rec_tick *t, uint64_t order);
/* The thread's body (arg: struct worker): takes packets from w->packets until the end. */
void *worker_run(void *arg);
/* Nothing of this worker comes before this any more: the records of the others need not wait for its next one. */
void worker_mark(struct worker *w, uint64_t order);
