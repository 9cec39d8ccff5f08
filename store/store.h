/* store.h: the database: a thread of its own behind a bounded queue, so that a busy disk is felt by nobody.
 *
 * Rows are collected into large transactions; alerts are committed durably in small ones of their own. All functions
 * are for one caller (the collector) unless said otherwise. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/row.h"

struct store;

struct store_conf {
    const char *path;
    const char *version;     /* of the program, for meta */
    const char *sensor;      /* NULL: as it is */
    uint32_t queue_bytes;    /* bound of what waits for the disk; 0: 12 MiB */
    uint32_t cache_bytes;    /* pages that SQLite keeps; 0: 8 MiB */
    bool wait;               /* full queue: wait (replay), else refuse (live) */
};

/* Open or create, check that it is ours and not newer than this program, migrate, start the thread. -errno with the
 * reason in e: not a database, another program's, a newer version's, locked, read-only, no such folder. *fresh: it was
 * created by this call (or holds nothing yet). */
int store_open(const struct store_conf *c, struct store **ret, bool *fresh, struct err *e) MUST_USE;
/* Write what waits, stop the thread, close. 0, or the first error met (its text in e). NULL is fine. */
int store_close(struct store *s, struct err *e);

uint64_t store_memory(const struct store *s); /* of both */

/* All that is stored, parents before children, into the sink (baseline_loader()). Call it before the first write. */
int store_load(struct store *s, const struct row_sink *into, struct err *e) MUST_USE;

/* Where baseline_save() writes. Borrowed, valid until store_close(). */
const struct row_sink *store_sink(struct store *s);

struct store_alert {
    uint64_t uid;
    uint32_t update;
    uint64_t first_ns, last_ns, count;
    uint32_t sid;            /* signature_id */
    uint8_t severity;        /* 1 warning .. 4 critical, as deviation.h */
    const char *id;          /* "OT-POL-016" */
    const char *engine;      /* "policy", ... */
    const char *title;
    const char *src, *dst;   /* addresses as text, NULL none */
    uint64_t src_asset, dst_asset;
    const char *state;       /* "open" when NULL; kept when the row is there */
    const char *accept;      /* argument of `tyto baseline accept`, NULL none */
    const char *json;        /* the record, one line without newline */
    uint32_t json_len;
};
/* Queue an alert: inserted, or the row of that uid replaced when `update` is not older. False: refused (not waiting).
 */
bool store_alert(struct store *s, const struct store_alert *a);
/* The last update stored of an uid, so that a second run goes on from there; 0 none. Call it before the first write. */
uint32_t store_alert_update(struct store *s, uint64_t uid);

/* meta values: "sensor", "mode", "last_ns", ... */
bool store_meta(struct store *s, const char *key, const char *value);
bool store_meta_u64(struct store *s, const char *key, uint64_t value);
/* Wait until everything queued so far is committed. 0, or the first error (its text in e). */
int store_sync(struct store *s, struct err *e);
/* The same for alerts, but for so many milliseconds at most; nothing is waited for where the database fails. */
void store_sync_alerts(struct store *s, unsigned ms);
/* Cursor of an output over the alerts' sequence (for outputs that resume). */
bool store_cursor(struct store *s, const char *output, uint64_t seq);

/* A wish (wish.h) was done, behind the rows queued so far; or answer: why not. */
bool store_wish_done(struct store *s, uint64_t id, const char *answer);

struct store_stats {
    uint64_t rows, alerts, transactions, refused, errors;
    uint32_t queued_bytes, queue_high;
    uint64_t worst_commit_us;
    uint64_t durable; /* of `alerts`, so many survive a power cut; failed: all are counted, nobody waits for them */
};
void store_stats(struct store *s, struct store_stats *ret);
/* The first error of the writing thread, or NULL: outputs go on, and the operator is told. */
const char *store_error(struct store *s);
