/* pipeline.h: everything between the packets and the outputs, opened from the configuration and closed in order: rules,
 * baseline, store, alerts. Shared by replay and live runs. */
#pragma once

#include "alerts/alert.h"
#include "engine/captures.h"
#include "engine/outputs.h"
#include "baseline/baseline.h"
#include "engine/conf.h"
#include "engine/engine.h"
#include "engine/raise.h"
#include "rules/rules.h"
#include "store/store.h"

enum { PIPE_MAX_RULES = 64 };

struct pipe_opts {
    const char *conf, *db, *alerts, *events, *stats; /* NULL: not given */
    const char *rules[PIPE_MAX_RULES + 1];
    unsigned n_rules, workers;
    int mode;                 /* -1 by configuration, else enum baseline_mode */
    bool no_default_rules, no_ndpi, oui_excerpt, live, quiet;
    bool again;               /* after a reload: the event log is appended to */
    bool untimed;             /* the clock cannot be believed: nothing is learned or judged by what is learned */
};

struct pipeline {
    struct conf *conf;
    struct shard_env *env;
    struct ruleset *rules;
    struct rule_state *rule_state;
    struct baseline *baseline;
    struct store *store;
    struct query *past;           /* the database as earlier runs left it; NULL: it is new */
    struct alerts *alerts;
    struct raise raise;
    struct outputs outputs;
    struct captures *captures;    /* live, where they are wanted; else NULL */
    struct textout events;
    struct collector collector;
    struct source *source;
    const char *made;             /* the database, where this run made it; else NULL */
    bool forget;                  /* nothing came of the run: what it made goes with it */
    bool fresh, untimed;
};

/* Are configuration and rules fit to be opened? Changes nothing. */
int pipe_check(const struct pipe_opts *o, struct err *e) MUST_USE;
/* Opens all of it for a source. 0, or -errno with the reason in e; what was opened is closed then. */
int pipe_open(struct pipeline *p, const struct pipe_opts *o, struct source *src, struct err *e) MUST_USE;
/* Tables of the shards as the configuration says. */
struct engine_conf pipe_engine_conf(struct pipeline *p, unsigned n_workers);
/* Bytes that the tables of a run take at most; all but nDPI's are taken at the start. */
uint64_t pipe_memory(const struct pipeline *p, unsigned n_workers);
struct shard_conf pipe_shard_conf(const struct limits *l);
/* Once the source has ended: where nothing of it could be read, no empty database stays behind. */
void pipe_ended(struct pipeline *p);
/* What the outputs hold back is written. */
void pipe_flush(struct pipeline *p);
/* Saves the model, sends what alerts owe, closes. 0, or the first error in e. */
int pipe_close(struct pipeline *p, struct err *e);
