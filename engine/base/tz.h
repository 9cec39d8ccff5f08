/* tz.h: time of day in the configured zone: rules from /usr/share/zoneinfo (TZif, RFC 8536) or from a POSIX TZ string.
 * The environment (TZ, localtime) is never asked, so that a replay gives the same everywhere. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"

enum {
    TZ_MAX_TRANSITIONS = 1024, /* real zone files hold fewer than 300; more: the file is refused */
    TZ_MAX_TYPES = 64,
    TZ_NAME = 64,
};

struct tz_day {   /* a day of the year on which the offset changes */
    uint8_t form; /* 0: month m, week w (5 the last), day d (0 Sunday); 1: Julian day 1..365 without 29 February; 2: day
                     0..365 */
    uint8_t m, w, d;
    uint16_t day;
    int32_t secs; /* after local midnight; may be negative or beyond a day */
};
struct tz_rule {              /* a POSIX TZ string */
    int32_t std_off, dst_off; /* seconds east of UTC */
    bool has_dst;
    struct tz_day start, end;
};
struct tz {
    char name[TZ_NAME];
    struct tz_rule rule; /* after the last transition */
    int64_t at[TZ_MAX_TRANSITIONS];
    uint8_t type[TZ_MAX_TRANSITIONS];
    int32_t off[TZ_MAX_TYPES];
    uint32_t n_at, n_types;
    bool has_rule;
};

/* UTC. */
void tz_utc(struct tz *z);
/* "Europe/Berlin", "UTC" or "CET-1CEST,M3.5.0,M10.5.0/3". 0 or -EINVAL with the reason. */
int tz_load(struct tz *z, const char *name, struct err *e) MUST_USE;
/* The contents of a TZif file; for tests and fuzzing. */
int tz_parse_file(struct tz *z, const uint8_t *p, uint32_t n, struct err *e) MUST_USE;
/* A POSIX TZ string. */
int tz_parse_posix(struct tz_rule *ret, const char *s, struct err *e) MUST_USE;

/* Seconds east of UTC at that second since 1970; z NULL: UTC. */
int32_t tz_offset(const struct tz *z, int64_t unix_s);

struct tz_time {
    int32_t year;
    uint8_t month, day, hour, minute, second; /* month 1..12 */
    uint8_t wday;                             /* 0 Sunday */
    uint16_t yday;                            /* 0..365 */
    int32_t off;                              /* seconds east of UTC */
};
/* Local time of packet time. */
void tz_local(const struct tz *z, uint64_t ns, struct tz_time *ret);
/* Local wall-clock time to seconds since 1970: of two (the hour that comes twice) the first; of none (the hour left
 * out) as if the clock had not been moved. */
int64_t tz_unix(const struct tz *z, int32_t year, unsigned month, unsigned day, unsigned hour, unsigned min,
                unsigned sec);
/* Days since 1970-01-01 of a civil date (proleptic Gregorian). */
int64_t tz_days(int32_t year, unsigned month, unsigned day);
/* "2026-05-01", "2026-05-01 06:00", "2026-05-01T06:00:00+02:00"; without an offset in the zone. From 1970 to 2200. */
bool tz_parse_time(const struct tz *z, const char *s, uint64_t *ret_ns);
