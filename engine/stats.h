/* stats.h: what a run counted: --stats as one JSON object, and a few lines for people. */
#pragma once

#include <stdio.h>

#include "engine/pipeline.h"

struct stats_report {
    const struct pipeline *pipe;
    const struct engine *engine;
    unsigned n_workers;
    double wall_s;
    const struct source_port *ports; /* NULL: files only */
    unsigned n_ports;
    const struct engine_totals *before; /* of generations that a reload ended; NULL: none */
    uint64_t reloaded, refused;         /* live: configurations taken, and those that were wrong */
};
struct jw;
/* One JSON object and a newline to path ("-": standard output), whole or not at all. 0 or -errno with the reason. */
int stats_write(const struct stats_report *s, const char *path, struct err *e) MUST_USE;
/* The same object into a writer. scratch: where the totals are summed. */
void stats_json(struct jw *w, const struct stats_report *r, struct engine_totals *scratch);
/* For Prometheus, the most important ones. Returns the length. */
size_t stats_prometheus(const struct stats_report *r, struct engine_totals *scratch, char *to, size_t cap);
void stats_summary(const struct stats_report *s, FILE *f);
