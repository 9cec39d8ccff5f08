/* ops.h: the sensor's own condition, as the collector learns of it: tables that were full, a clock that jumped, one
 * direction only, records that were dropped. */
#pragma once

#include "engine/base/record.h"

#include "engine/sight.h"
#include "engine/unseen.h"
#include "engine/visibility.h"

struct collector;

/* Tables of the packet path whose evictions lose something. (What only means that a fact is told twice is not here.) */
enum lost_table { LOST_FLOWS, LOST_STATES, LOST_SEGMENTS, LOST_BUFFERS, LOST_REQUESTS, LOST_MESSAGES, LOST_SHARED,
                  LOST_NDPI, LOST_THRESHOLDS /* rule_count() */, LOST_TABLES };

/* One worker's counts since its last record; the sum of all workers' is the same for any number of them. */
struct rec_stats {
    uint64_t lost[LOST_TABLES];
};

enum { OPS_TABLES = 16 };
struct ops { /* the collector's memory */
    struct rec_stats now;          /* of all workers since the last tick */
    uint64_t told[OPS_TABLES];     /* totals of the collector's own tables at the last tick */
    uint64_t thresholds;           /* counts that made room for others where a worker counts, up to the last tick */
    uint64_t refused;              /* by the database */
    struct unseen_table unseen;
    struct sight *sight;
    struct visibility *visibility;
};

void ops_add(struct ops *o, const struct rec_stats *r);
/* Packets were lost before they came here: what is raised from now on is marked. */
void ops_unseen(struct collector *c, const struct rec_unseen *r);
void ops_absent(struct collector *c, const struct rec_absent *r);
/* Counts of a link: which directions were heard. */
void ops_link_count(struct collector *c, const struct rec_link_count *r);
void ops_tick(struct collector *c, const struct rec_tick *t);
