/* collector.h: the one thread that knows the whole plant. It merges the workers' records into packet order and hands
 * them to the rules' second half, the baseline, the alerts, the event log and the store. */
#pragma once

#include <pthread.h>
#include <semaphore.h>

#include "engine/textout.h"
#include "engine/worker.h"

struct baseline;
struct raise;
struct rule_state;
struct store;
struct alerts;
struct source;
struct outputs;

enum { HELD_IDENTS = 32 };
struct held_ident {
    struct rec_ident r;
    uint8_t value[REC_VALUE];
};

struct collector {
    struct worker *workers;
    unsigned n_workers;
    bool loose;                    /* live: where a ring fills up, the order of the records is given up for a while */
    struct textout *events;        /* NULL: not asked for */
    struct baseline *baseline;
    struct raise *raise;
    struct alerts *alerts;
    struct rule_state *rule_state;
    const struct ruleset *rules;
    struct store *store;
    struct outputs *outputs;       /* that are held until this thread waits for the database; or NULL */
    struct outputs *behind;        /* that are held until the database has got there by itself; or NULL */
    sem_t bell;                    /* rung when a ring is full, and at the end */
    unsigned nap_us, napped_us;    /* the last one; all since the outputs were flushed */
    struct source *source;         /* for names */
    const struct shard_env *env;
    struct event *scratch;         /* to write the record of an event that becomes an alert */
    char *json;                    /* REC_MAX_BYTES */
    bool untimed;                  /* packet time cannot be believed: nothing is learned */
    time_t save_s;                 /* seconds of real time between two saves of the model; 0: each window (live) */
    time_t saved_s;                /* when that was */
    struct ops ops;
    struct held_ident *held;       /* identity facts of the packet at hand: what its messages do goes first */
    unsigned n_held;
    uint64_t held_order;
    uint64_t n_records, n_events, last_ns;
    void (*every_second)(void *arg); /* live: about once a second of real time; NULL: never */
    void *second_arg;
    pthread_t thread;
};

void collector_event_json(void *arg, struct rec_event *r);
/* The event of a record whose event travelled along; valid until the next call of either. */
const struct event *collector_event(void *arg, const struct rec_event *r);
/* Body of the thread; arg: struct collector. Ends when every worker's end was read. */
void *collector_run(void *arg);
