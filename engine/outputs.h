/* outputs.h: where alerts go beside the database: the outputs of the configuration and -o. */
#pragma once

#include "alerts/out_file.h"

struct conf;
struct raise;

struct outputs {
    struct out_file *file[ALERT_MAX_SINKS];
    struct out_file_sink sink[ALERT_MAX_SINKS];
    const char *path[ALERT_MAX_SINKS];
    uint64_t lost[ALERT_MAX_SINKS]; /* told already */
    unsigned n;
};

/* Opens the configured outputs of alerts and `path` (-o, NULL: none; without any: standard output) and adds them to the
 * sinks. The struct must stay where it is. On failure nothing stays open. */
int outputs_open(struct outputs *o, const struct conf *c, const char *path, struct alert_conf *ac,
                 struct err *e) MUST_USE;
/* The configured output of events, NULL none. */
const char *outputs_events(const struct conf *c);
uint64_t outputs_memory(const struct outputs *o);
/* A replay's alerts wait for company: written by outputs_flush(), which is due when outputs_full(). */
void outputs_hold(struct outputs *o);
bool outputs_wait(const struct outputs *o); /* something waits */
bool outputs_full(const struct outputs *o);
void outputs_flush(struct outputs *o);
/* What cannot be written is an alert of its own (OT-OPS-006), which reaches the outputs that still work. */
void outputs_report(struct outputs *o, struct raise *r, uint64_t ts_ns);
/* Flush and close all. 0, or the first failure with its reason. Zeroed or closed before is fine. */
int outputs_close(struct outputs *o, struct err *e);
