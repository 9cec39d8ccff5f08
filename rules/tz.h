/* tz.h: the local time of a named zone, from the system's zone files, as an object of its own: the environment (TZ,
 * locale) has no say, so that rules with a time of day mean the same in every run. Immutable once opened. */
#pragma once

#include <stdint.h>

#include "engine/base/err.h"

struct tz;

/* "UTC", a fixed offset ("+02:00", "-0530"), or a name of the zone database ("Europe/Berlin"). */
int tz_open(const char *name, struct tz **ret, struct err *e) MUST_USE;
/* The same from the bytes of a zone file (RFC 8536, TZif). */
int tz_parse(const char *name, const void *p, uint32_t n, struct tz **ret, struct err *e) MUST_USE;
void tz_free(struct tz *z); /* NULL is fine */
const char *tz_name(const struct tz *z);
/* Seconds east of UTC at this time (seconds since 1970); z NULL: UTC. */
int32_t tz_offset(const struct tz *z, int64_t unix_s);
