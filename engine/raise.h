/* raise.h: where findings of the baseline, the rules, the dissectors and the sensor itself become alerts: type from the
 * catalogue, assets, marks (maintenance, engineering station), sentences, evidence. Collector only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "alerts/alert.h"
#include "baseline/deviation.h"
#include "engine/base/record.h"
#include "engine/base/site.h"
#include "rules/rules.h"

struct outputs;
struct ruleset;
struct store;

/* What is learned of an act, in words. */
struct raise_learned {
    char why[240];      /* "this client is learned to use read_var, write_var of it since 2026-01-05 08:00" */
    char expected[160]; /* "read_var, write_var"; "" nothing */
};

struct raise_conf {
    struct alerts *alerts;
    const struct site *site;
    void *ctx;
    /* What the inventory knows of an address; false: nothing. Strings may die at the next call: raise copies. May be
     * NULL. */
    bool (*asset)(void *ctx, uint16_t net, const struct addr *a, struct asset_info *ret);
    /* All addresses of the device that has that one, it first. NULL: nobody knows more than the one. */
    struct site_who (*who)(void *ctx, uint16_t net, const struct addr *a, struct addr to[SITE_WHO]);
    /* Is the link (or, with link 0, the sensor) still learning? NULL: live. */
    bool (*learning)(void *ctx, uint64_t link);
    /* Has only one direction of the link been seen? NULL: no. */
    bool (*one_way)(void *ctx, uint64_t link);
    /* Write the record of an event that was not written yet. May be NULL. */
    void (*event_json)(void *ctx, struct rec_event *ev);
    /* The event itself, NULL when there is none; valid until the next call. May be NULL. */
    const struct event *(*event)(void *ctx, const struct rec_event *ev);
    /* What is learned of such a message so far. May be NULL. */
    void (*learned)(void *ctx, const struct rec_event *ev, struct raise_learned *ret);
    /* Will learned() say the same when the message was judged? NULL: no. */
    bool (*settled)(void *ctx, const struct rec_event *ev);
    /* Did the operator accept the alert of that key for good? May be NULL. */
    bool (*accepted)(void *ctx, uint64_t key);
    bool untimed;                /* packet time cannot be believed, of all of them */
    const struct ruleset *rules; /* what rules say of themselves; NULL: nothing but their titles */
    /* Watched at the end of each window: what they cannot write is an alert of its own. May be NULL. */
    struct outputs *outputs;
    struct store *store;
};
/* An alert that was raised a moment ago for the same rule or anomaly, parties, function and object: it is counted
 * without being told again in words. */
struct raise_repeat {
    uint64_t key, fold;
};
/* A deviation that was told in the alert of a rule or anomaly; what follows from it goes there. */
struct raise_absorbed {
    uint64_t dev, fold; /* fold id of the deviation; the alert's */
    uint32_t why_len;   /* of its sentence without what follows */
};
/* The type of what breaks a protocol's standard. */
struct raise_type {
    const struct proto_schema *schema;
    const struct alert_type *type;
};
enum {
    RAISE_REPEATS = 4096,
    RAISE_ABSORBED = 2048,
    RAISE_TYPES = 64,
    RAISE_ACCEPT = 256,
    ACT_RULES = REC_MAX_HITS,
    ACT_DEVS = 4
};

/* One message, and all that was found wrong with it: it becomes one alert (raise_act.c says which). */
struct raise_act {
    struct rec_event *ev; /* NULL: none is open */
    uint32_t count;       /* messages that it stands for */
    uint64_t key;         /* what repeats have in common whatever is told of it; 0: not asked for yet */
    struct rule_verdict verdict[ACT_RULES];
    uint64_t fold[ACT_RULES]; /* alert_key() of the alert that it would be */
    uint16_t hit[ACT_RULES];
    uint8_t n_rules, n_devs;
    bool wants_learned, has_learned; /* it is asked for when the alert is put into words, at the latest */
    uint64_t anomalies;   /* those to be told */
    struct deviation dev[ACT_DEVS];
    struct raise_learned learned;
};
struct raise {
    struct raise_conf c;
    struct raise_repeat repeats[RAISE_REPEATS];
    struct raise_absorbed absorbed[RAISE_ABSORBED];
    struct raise_type types[RAISE_TYPES];
    struct raise_act act;
    bool loss;      /* packets were lost in this window or the one before it: rec_tick.lossy, unseen */
    bool unseen;    /* in this window, on the way to the sensor */
    bool blind;     /* live: an interface is down or silent */
    bool clock_bad; /* packet time jumped in the current window */
};
void raise_init(struct raise *r, const struct raise_conf *c);

/* A window was closed: drives alerts_tick(), and tells what went wrong with the sensor itself (lost packets, outputs,
 * database). */
void raise_tick(struct raise *r, const struct rec_tick *t);
/* Packets were lost on the way to the sensor, as others tell: alerts up to the end of the next window are marked. */
void raise_unseen(struct raise *r);
/* The baseline was contradicted (baseline/deviation.h). */
void raise_deviation(struct raise *r, const struct deviation *d);
/* One message: begun, what was found added (rules, then anomalies), the baseline asked (its deviations of this message
 * are taken in), ended: the alert is raised then. */
void raise_act_begin(struct raise *r, struct rec_event *ev);
void raise_act_rule(struct raise *r, unsigned hit, const struct rule_verdict *v);
void raise_act_anomalies(struct raise *r, uint64_t anomalies);
void raise_act_end(struct raise *r);
/* In raise_deviation(): true when the open act, or the alert of an earlier one, tells it. */
bool act_takes(struct raise *r, const struct deviation *d);
/* A publisher did not speak in time, and nothing was lost meanwhile. */
void raise_absent(struct raise *r, const struct rec_absent *a, uint64_t ts_ns);
/* Faults that made no event. */
void raise_anomaly(struct raise *r, const struct rec_anomaly *n);
/* n->count more messages of a kind of which one was told as an act: they are counted in its alert. */
void raise_again(struct raise *r, const struct rec_anomaly *n);
/* The sensor's own condition: AT_OPS_ rows. object tells apart what must not fold together ("eth1", "flows"). */
struct raise_about {     /* whom and which packet it concerns */
    const struct addr *src, *dst; /* NULL: nobody in particular */
    uint16_t net, vlan, file;
    uint32_t frame;      /* 0: none */
    uint8_t l4;
};
/* about: NULL the sensor alone. What was expected and seen is said by the row. */
void raise_operational_of(struct raise *r, enum alert_row row, uint64_t ts_ns, const struct raise_about *about,
                          const char *object, uint64_t count, const char *why, ...) PRINTF(7, 8);
#define raise_operational(r, row, ts_ns, object, ...) raise_operational_of(r, row, ts_ns, NULL, object, __VA_ARGS__)

/* What is known of an address, from the inventory and, failing that, from the configuration; owned strings. */
struct raise_asset {
    struct asset_info info;
    char name[128], type[48], vendor[96], zone[64], criticality[16];
};
/* False: nothing. */
bool raise_asset(const struct raise *r, uint16_t net, const struct addr *a, struct raise_asset *ret);

/* The database as a sink of alerts. */
struct alert_sink raise_store_sink(struct store *s);
/* alert_conf.past: what earlier runs told, by a connection of its own, so that the collector never waits for the
 * writing thread. ctx: a struct query of the database as it is there. */
bool raise_past(void *query, uint64_t uid, struct alert_past *ret);
