/* stats.h: what a run counted: --stats as one JSON object, and a few lines for people. */
#pragma once

#include <stdio.h>

#include "engine/pipeline.h"

struct stats_report {
    const struct pipeline *pipe;
    const struct engine *engine;
    unsigned n_workers;
    double wall_s;
};
/* One JSON object and a newline to path ("-": standard output). 0 or -errno with the reason. */
int stats_write(const struct stats_report *s, const char *path, struct err *e) MUST_USE;
void stats_summary(const struct stats_report *s, FILE *f);
