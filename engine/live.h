/* live.h: what a live run has beside the packets: interfaces that are watched, counters that are told. The thread that
 * reads the source hands over once a second what it knows of the ports; all else is the collector's. */
#pragma once

#include <pthread.h>

#include "engine/live_ports.h"
#include "engine/metrics.h"
#include "engine/stats.h"

enum { LIVE_WHY = 480 };
struct live_board { /* between the two threads */
    pthread_mutex_t lock;
    struct source_port port[SOURCE_PORTS];
    unsigned n;
    uint64_t now_ns; /* engine time; 0: nothing yet */
    uint64_t reloaded, refused;
    char why[LIVE_WHY]; /* the latest refusal */
};

struct live {
    struct pipeline *pipe;
    const struct engine *engine;
    struct live_board board;
    struct live_ports ports;
    struct source_port port[SOURCE_PORTS]; /* the collector's copy of the board */
    unsigned n_ports, n_workers;
    uint64_t now_ns, next_stats_ns, next_while_ns;
    uint64_t packets, copies, bent; /* a while ago */
    uint64_t reloaded, refused;     /* configurations, as the board says */
    uint64_t refused_told;
    bool untimed_told;
    uint64_t started_ns;  /* monotonic */
    const struct engine_totals *before;    /* of generations that a reload ended */
    struct metrics *metrics;
    struct query *wishes; /* the database, for what people ask of this sensor; NULL: it has no file */
    uint64_t last_wish;
    char *text;
    struct engine_totals *totals;
};

/* Prepares the pipeline's collector for a live run, opens run.metrics. The struct must stay where it is. */
int live_open(struct live *l, struct pipeline *p, const char *db, const struct engine *g, unsigned n_workers,
              struct err *e) MUST_USE;
void live_close(struct live *l);
/* A configuration was wrong, and everything stays as it is; from the thread that reads the source. n: so many were. */
void live_refused(struct live *l, uint64_t n, const char *why);
/* engine_conf.every_second */
void live_second(struct live *l, const struct source_port *p, unsigned n, uint64_t now_ns);
