/* alert_int.h: what the files of the folding engine share. */
#pragma once

#include "alerts/alert.h"
#include "engine/base/bufpool.h"
#include "engine/base/jw.h"
#include "engine/base/lru.h"

enum { NONE = UINT32_MAX, ALERT_ID = 24, RATE_SLOTS = 1024 };

/* An open alert. Its buffer holds the record without the numbers that change (update to count), then title, why and
 * accept as strings. */
struct open_alert {
    uint64_t fold, last_ns, count; /* what a repetition changes comes first */
    uint32_t chain;                /* of the hash */
    uint8_t severity, engine, has_src, has_dst, has_event;
    uint8_t due;                   /* something to tell that was not sent */
    uint64_t uid, first_ns;
    uint64_t base; /* of count: what earlier runs counted */
    uint64_t src_asset, dst_asset;
    struct addr src, dst;
    struct buf buf;
    uint32_t head_len, line_len;             /* the record: [0, head_len) numbers [head_len, line_len) */
    uint32_t severity_at, why_at, why_len;   /* where these values stand in it */
    uint32_t title_off, why_off, accept_off; /* accept_off 0: none */
    uint32_t update, sid;
    char id[ALERT_ID];
};

/* ---- alert_table.c: open alerts by fold, in the order of their last occurrence ---------------------------------- */
struct alert_table {
    struct open_alert *e;
    uint32_t *bucket;
    struct bufpool pool;
    uint64_t key;
    struct lru_link *order; /* of used, by last occurrence */
    struct lru used;
    uint32_t cap, mask, n, free;
};
int table_init(struct alert_table *t, uint32_t cap, uint32_t bytes, uint64_t key) MUST_USE;
void table_done(struct alert_table *t);
uint64_t table_memory(const struct alert_table *t);
struct open_alert *table_find(struct alert_table *t, uint64_t fold);
/* NULL when the table is full. The new entry is the newest and has no buffer. */
struct open_alert *table_add(struct alert_table *t, uint64_t fold);
void table_touch(struct alert_table *t, struct open_alert *o); /* it becomes the newest */
void table_del(struct alert_table *t, struct open_alert *o);
/* The oldest whose buffer holds at least `bytes` (0: any), other than `not`; NULL none. */
struct open_alert *table_oldest(struct alert_table *t, uint32_t bytes, const struct open_alert *keep);
static inline struct open_alert *table_at(struct alert_table *t, uint32_t i)
{
    return i == NONE ? NULL : &t->e[i];
}
static inline uint32_t table_index(const struct alert_table *t, const struct open_alert *o)
{
    return (uint32_t)(o - t->e);
}
/* The one that occurred next for the last time; NULL: none. */
static inline struct open_alert *table_newer(struct alert_table *t, const struct open_alert *o)
{
    return table_at(t, t->order[table_index(t, o)].newer);
}

/* ---- alert_json.c ----------------------------------------------------------------------------------------------- */
struct alert_text { /* a rendered record, in the writer's buffer */
    uint32_t head_len, line_len, severity_at, why_at, why_len;
};
/* The record up to and behind the numbers that change. with_event: take over the event's own record. False: too long.
 */
bool alert_render(struct jw *w, const struct alert_conf *c, const struct alert_in *in, uint64_t uid, uint8_t severity,
                  bool with_event, struct alert_text *ret);
/* The numbers: update, first_seen, last_seen, count; without braces. */
void alert_render_numbers(struct jw *w, const struct open_alert *o);
