/* metrics.h: counters for Prometheus: one text, served over HTTP on a local address or a socket. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/err.h"

enum { METRICS_TEXT = 65536 };
struct metrics;

#define METRICS_WHERE "127.0.0.1:9464, [::1]:9464 or the absolute path of a socket"

/* Is it one of these? Whether it can be listened at, only opening tells. */
bool metrics_where(const char *where);
int metrics_open(struct metrics **ret, const char *where, struct err *e) MUST_USE;
/* From now on this is told; copied, at most METRICS_TEXT bytes. */
void metrics_set(struct metrics *m, const char *text, size_t n);
void metrics_close(struct metrics *m); /* NULL is fine */
