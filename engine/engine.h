/* engine.h: a run of the sensor over a source, from the first packet to the last record. */
#pragma once

#include "capture/source.h"
#include "engine/clock.h"
#include "engine/collector.h"
#include "engine/recent.h"

struct engine_conf {
    struct shard_conf shard;
    unsigned n_workers;
    unsigned n_queues;        /* live, as many as workers: each reads a queue of the source; else one thread reads it */
    uint64_t ring_bytes;      /* of all workers together, packets and records */
    uint64_t fragment_bytes;
    uint64_t time_jump_ns;    /* packet time that steps back by more than this for many packets is re-based */
    struct shard_env *env;
    struct collector *collector;
    bool live;                /* packets arrive as they happen: idle time passes, the clock is watched */
    struct recent *const *recent; /* keep the latest packets, one a reader; NULL: nobody wants them */
    const uint16_t *cpus;     /* processors of the workers, in turn; n_cpus 0: wherever the system puts them */
    unsigned n_cpus;
    /* Live: about once a second, from the thread that reads the source. May be NULL. */
    void (*every_second)(void *arg, const struct source_port *p, unsigned n, uint64_t now_ns);
    void *second_arg;
    void (*progress)(void *arg, const struct source_progress *p, uint64_t packets); /* may be NULL */
    void *progress_arg;
};

struct engine_totals {
    struct eng_stats sum;
    uint64_t packets, bytes, first_ns, last_ns, rebased, jumped;
    uint64_t worker_packets[N_SHARDS];
    uint64_t worker_busy_ns[N_SHARDS], worker_ring[N_SHARDS]; /* bytes of records that wait */
    uint64_t worker_handed[N_SHARDS]; /* packets that it read and another one owned */
    struct decode_stats decode;
    struct rt_stats rt;
    uint64_t evict_facts, evict_links, evict_assets, evict_repeats;
    uint64_t alerts, alert_updates;  /* of generations that a reload ended: the engine knows none */
    uint64_t times_late, times_bent; /* time stamps that were moved: a little; replaced by the host's clock */
};

struct engine;
int engine_new(struct engine **ret, const struct engine_conf *conf, struct err *e) MUST_USE;
/* What engine_new takes; nDPI's own tables, some megabytes a worker, are not in it. */
uint64_t engine_bytes(const struct engine_conf *conf);
void engine_free(struct engine *g);
/* What *stop may become. After ENGINE_END what was captured before is worked on; otherwise it is left for the next
 * engine. */
enum { ENGINE_END = 1 };
/* Reads the source to its end (or until *stop). 0 or -errno of the source. */
int engine_run(struct engine *g, struct source *src, volatile const int *stop);
/* After engine_run() of one reader: did *stop end it before the source's end? */
bool engine_cut(const struct engine *g);
void engine_totals(const struct engine *g, struct engine_totals *ret);
/* Adds the counters of an engine that has ended to those before it. */
void engine_totals_add(const struct engine *g, struct engine_totals *to);
