/* raise.h: where findings of the baseline, the rules, the dissectors and the sensor itself become alerts: type from the
 * catalogue, assets, marks (maintenance, engineering station), sentences, evidence. Collector only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "alerts/alert.h"
#include "engine/base/record.h"
#include "engine/base/site.h"

struct deviation;
struct outputs;
struct rule_verdict;
struct store;

struct raise_conf {
    struct alerts *alerts;
    const struct site *site;
    void *ctx;
    /* What the inventory knows of an address; false: nothing. Strings may die at the next call: raise copies. May be
     * NULL. */
    bool (*asset)(void *ctx, uint16_t net, const struct addr *a, struct asset_info *ret);
    /* Is the link (or, with link 0, the sensor) still learning? NULL: live. */
    bool (*learning)(void *ctx, uint64_t link);
    /* Has only one direction of the link been seen? NULL: no. */
    bool (*one_way)(void *ctx, uint64_t link);
    /* Write the record of an event that was not written yet. May be NULL. */
    void (*event_json)(void *ctx, struct rec_event *ev);
    /* Watched at the end of each window: what they cannot write is an alert of its own. May be NULL. */
    struct outputs *outputs;
    struct store *store;
};
/* An alert that was raised a moment ago for the same rule or anomaly, parties, function and object: it is counted
 * without being told again in words. */
struct raise_repeat {
    uint64_t key, fold;
};
enum { RAISE_REPEATS = 4096 };
struct raise {
    struct raise_conf c;
    struct raise_repeat repeats[RAISE_REPEATS];
    bool loss;      /* packets were lost in the current window: rec_tick.lossy */
    bool clock_bad; /* packet time jumped in the current window */
};
void raise_init(struct raise *r, const struct raise_conf *c);

/* A window was closed: drives alerts_tick(), and tells what went wrong with the sensor itself (lost packets, outputs,
 * database). */
void raise_tick(struct raise *r, const struct rec_tick *t);
/* The baseline was contradicted (baseline/deviation.h). */
void raise_deviation(struct raise *r, const struct deviation *d);
/* A rule holds, its collector's part included (rules/rules.h). */
void raise_rule(struct raise *r, const struct rec_event *ev, const struct rule_verdict *v);
/* The anomalies of an event whose definition asks for an alert (severity above 0). */
void raise_event_anomalies(struct raise *r, const struct rec_event *ev);
/* Faults that made no event. */
void raise_anomaly(struct raise *r, const struct rec_anomaly *n);
/* The sensor's own condition: AT_OPS_ rows. object tells apart what must not fold together ("eth1", "flows"). */
void raise_operational(struct raise *r, enum alert_row row, uint64_t ts_ns, const char *object, uint64_t count,
                       const char *why, ...) PRINTF(6, 7);

/* What is known of an address, from the inventory and, failing that, from the configuration; owned strings. */
struct raise_asset {
    struct asset_info info;
    char name[128], type[48], vendor[96], zone[64], criticality[16];
};
/* False: nothing. */
bool raise_asset(const struct raise *r, uint16_t net, const struct addr *a, struct raise_asset *ret);

/* The database as a sink of alerts. */
struct alert_sink raise_store_sink(struct store *s);
/* alert_conf.last_update: what earlier runs told, by a connection of its own, so that the collector never waits for the
 * writing thread. ctx: a struct query of the database as it is there. */
uint32_t raise_past_update(void *query, uint64_t uid);
