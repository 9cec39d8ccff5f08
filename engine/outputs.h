/* outputs.h: where alerts go beside the database: the outputs of the configuration and -o. */
#pragma once

#include "alerts/out_file.h"

struct conf;
struct raise;
struct store;

struct outputs {
    struct out_file *file[ALERT_MAX_SINKS];
    struct out_file_sink sink[ALERT_MAX_SINKS];
    const char *path[ALERT_MAX_SINKS];
    uint64_t lost[ALERT_MAX_SINKS]; /* told already */
    unsigned n;
    struct store *first; /* a replay's: asked to have all for good before anything is written */
    struct store *store; /* live: what it has durably is written; NULL: not waited for */
    uint64_t mark;       /* alerts that it must have before what is marked is written */
    unsigned age;        /* seconds since then */
    bool marked;
};

/* Opens the configured outputs of alerts and `path` (-o, NULL: none; without any: standard output) and adds them to the
 * sinks. The struct must stay where it is. On failure nothing stays open. */
int outputs_open(struct outputs *o, const struct conf *c, const char *path, struct alert_conf *ac,
                 struct err *e) MUST_USE;
/* The configured output of events, NULL none. */
const char *outputs_events(const struct conf *c);
uint64_t outputs_lost(const struct outputs *o); /* alerts that did not fit into what waits for a file */
uint64_t outputs_memory(const struct outputs *o);
/* A replay's alerts wait for company: written by outputs_settle(), which is due when outputs_full(), and done where one
 * tick tells more than the outputs have room for. */
void outputs_hold(struct outputs *o, struct store *s);
void outputs_settle(struct outputs *o); /* what an output has, the store had first: waits for it */
/* Live alerts wait until the database has them for good, which takes some milliseconds: what an output has, a power cut
 * does not take from the database. A database that does not get on holds nobody up for long. */
void outputs_behind(struct outputs *o, struct store *s);
void outputs_confirm(struct outputs *o); /* never waits; often */
void outputs_second(struct outputs *o);  /* once a second */
bool outputs_wait(const struct outputs *o); /* something waits */
bool outputs_full(const struct outputs *o);
void outputs_flush(struct outputs *o);
/* What cannot be written is an alert of its own (OT-OPS-006), which reaches the outputs that still work. */
void outputs_report(struct outputs *o, struct raise *r, uint64_t ts_ns);
/* Flush and close all. 0, or the first failure with its reason. Zeroed or closed before is fine. */
int outputs_close(struct outputs *o, struct err *e);
