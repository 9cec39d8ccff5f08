/* engine_int.h: a thread that reads a source: time, decoding, the way to the workers. For engine.c, lanes.c and
 * totals.c. */
#pragma once

#include "engine/engine.h"
#include "engine/pktmsg.h"

enum {
    BATCH = 128,
    STEP = 16,                /* packets that go through decoding, look-up and dissection together */
    FLUSH_S = 60,             /* counts go to the collector at whole multiples of this packet time */
    MARK_EVERY = 1024,        /* packets between two marks to workers that had none */
    REBASE_AFTER = 64,        /* packets in a row that lie far behind: the clock was set back */
    JUMP_S = 366 * 86400,     /* seconds of one step forward that are no silence */
};

struct lanes;

struct engine {
    struct engine_conf conf;
    struct table_mem mem;     /* of all shards */
    struct worker *workers;   /* all */
    struct worker *own;       /* the one that runs in the thread that reads; NULL: they have threads of their own */
    struct lanes *lanes;      /* every worker reads a queue of its own, this is one of them; NULL: one thread reads */
    unsigned lane;
    struct decoder *decoder;
    uint64_t order, now_ns, next_tick_ns, first_ns, rebased, packets, bytes, since_mark;
    uint64_t jumped;
    uint64_t lost;            /* by the source, as told so far */
    int64_t shift_ns;         /* lanes: by which clocks were set, so that the order of records goes on */
    uint64_t handed, waits;   /* lanes: packets given to their owner; times that its ring was full */
    uint64_t marked;          /* lanes: the order that the collector was told last */
    uint64_t handed_at;       /* lanes: boot time when packets were last taken from others */
    struct source *source;    /* that this thread reads */
    struct source *whole;     /* of all lanes; else the same */
    volatile const int *stop;
    bool stopped;             /* a packet was not taken: none behind it is */
    bool cut;                 /* stopped before the end of the source */
    unsigned behind;
    bool started;             /* time is known */
    struct live_clock clock;  /* live */
    uint64_t second_ns;       /* boot time of the last call of every_second */
    uint64_t base_ns, base_boot_ns; /* engine time when packets came last, and what time it was then */
    uint64_t lag_ns;          /* by which time stays behind the clock while nothing comes */
    struct job jobs[STEP];
    pthread_t threads[N_SHARDS];
};

/* Engine time goes on to the packet's, or is set back. */
void engine_advance(struct engine *g, const struct pkt *p);
/* A batch through decoding, and to its worker. */
void engine_batch(struct engine *g, const struct pkt *batch, int n);
/* No packets: time passes all the same, a little behind the clock. */
void engine_idle(struct engine *g);
/* The host's clock was set. */
void engine_clock_step(struct engine *g, int64_t step);
/* All that a boundary of time tells the collector beside its time. */
struct rec_tick engine_tick(struct engine *g, uint64_t ts_ns);
/* What all who decode have counted. */
void engine_decoded(const struct engine *g, struct decode_stats *ret);
void engine_pin(const struct engine *g, pthread_t thread, unsigned worker);
struct decode_limits engine_decoding(const struct engine_conf *conf, unsigned decoders);
