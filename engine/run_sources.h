/* run_sources.h: the sources that `tyto run` is told, opened and joined. */
#pragma once

#include <stdbool.h>

#include "capture/source.h"

struct conf_run;

/* One that the command (its name: "run") was given. False, told: no URI as they are documented. A bare name could as
 * well be an interface as a file. */
bool run_sources_named(const char *cmd, const char *uri);
/* Capture files alone are merged by time, as replay does. Ports that can spread their packets get a queue a worker:
 * then source_n_queues() is the number of workers. */
int run_sources_open(const char *const *uris, unsigned n, unsigned workers, const struct conf_run *c, struct err *e,
                     struct source **ret) MUST_USE;
/* Do packets arrive as they happen? A port that plays a capture is read like one: as fast as it goes, and nothing is
 * lost. */
bool run_sources_paced(struct source *s);
/* Tells on standard error which of the interfaces the host itself may speak on. */
void run_sources_warn(struct source *s);
