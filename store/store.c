/* store.c: the writing thread behind its queue. Rows and alerts wait in buffers of their own; the thread takes a whole
 * buffer at a time and gives the collector an empty one. */
#include "store/store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/thread.h"
#include "store/db.h"
#include "store/load.h"
#include "store/queue.h"
#include "store/write.h"

enum {
    QUEUE_BYTES = 12 << 20,    /* default bound of what waits: rows in two buffers, alerts in two smaller ones apart,
                                * so that rows never keep an alert from being taken */
    LEAST_LANE = 256 << 10,    /* bytes of a buffer: the largest alert fits */
    CACHE_BYTES = 8 << 20,
    ROWS_AT_ONCE = 16384,      /* then alerts get their turn; larger ones gain nothing (docs/STORE.md) */
    COMMIT_MS = 1000,          /* waiting mode: a transaction is committed when it is so old */
    RETRY_S = 1,               /* after a failure, live: the disk may get room again */
};

struct lane { /* one kind of messages */
    struct msg_buf fill, work; /* fill: under the lock; work: the thread's */
};

struct store {
    sqlite3 *db;
    char *path;
    struct writer w;
    struct row_sink sink;
    bool wait;
    uint32_t cache_bytes;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t todo, room;
    struct lane rows, alerts;  /* all below: under the lock */
    bool stop, busy;
    bool hurry;                /* somebody waits: write what is there */
    bool settle;               /* ... and commit it */
    bool open;                 /* a transaction was begun and is not committed yet */
    uint64_t begun_us;         /* the thread's own: when; and the alerts in it */
    uint64_t in_it;
    bool filling;              /* a new file that is still to be settled */
    int failed;                /* first error of the thread; in waiting mode it ends all writing */
    struct err why;
    struct store_stats st;
};

/* ---- the writing thread ---- */

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void set_open(struct store *s, bool open)
{
    pthread_mutex_lock(&s->lock);
    s->open = open;
    pthread_mutex_unlock(&s->lock);
}

static int begin(struct store *s)
{
    if (!sqlite3_get_autocommit(s->db))
        return SQLITE_OK;
    int rc = db_exec(s->db, "BEGIN IMMEDIATE");
    s->begun_us = now_us();
    if (rc == SQLITE_OK)
        set_open(s, true);
    return rc;
}

static int commit(struct store *s)
{
    uint64_t t0 = now_us();
    int rc = db_exec(s->db, "COMMIT");
    if (rc != SQLITE_OK)
        return rc;
    uint64_t us = now_us() - (s->wait ? t0 : s->begun_us);
    pthread_mutex_lock(&s->lock);
    s->open = false;
    s->st.transactions++;
    if (us > s->st.worst_commit_us)
        s->st.worst_commit_us = us;
    pthread_mutex_unlock(&s->lock);
    return SQLITE_OK;
}

/* Live, each batch is a transaction. In a replay a page that changes all the time would be written, and its old self
 * kept, for each of them: there a transaction lasts for a second, or until store_sync(). */
static bool is_over(const struct store *s)
{
    return !s->wait || now_us() - s->begun_us >= COMMIT_MS * UINT64_C(1000);
}

/* From *at on, at most `max` rows; *at moves only when they were written, live also committed. */
static int write_some(struct store *s, const struct msg_buf *b, uint32_t *at, unsigned max)
{
    uint32_t to = *at;
    unsigned taken = 1;
    uint64_t seq = s->w.seq;
    int rc = begin(s);
    for (unsigned n = 0; rc == SQLITE_OK && n < max && taken; n += taken)
        rc = writer_take(&s->w, b, &to, max - n, &taken);
    if (rc == SQLITE_OK && is_over(s))
        rc = commit(s);
    if (rc != SQLITE_OK) {
        if (!sqlite3_get_autocommit(s->db))
            db_exec(s->db, "ROLLBACK");
        s->w.seq = seq;
        set_open(s, false);
        return rc;
    }
    *at = to;
    return SQLITE_OK;
}

/* A failure is remembered; true: try again. */
static bool failed(struct store *s, int rc)
{
    struct err e;
    struct timespec until;
    int code = db_error(s->db, rc, s->path, &e);
    pthread_mutex_lock(&s->lock);
    s->st.errors++;
    if (!s->failed) {
        s->failed = code;
        s->why = e;
    }
    bool again = !s->wait && !s->stop;
    if (again) {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += RETRY_S;
        pthread_cond_timedwait(&s->todo, &s->lock, &until);
    }
    pthread_cond_broadcast(&s->room);
    pthread_mutex_unlock(&s->lock);
    return again;
}

/* alerts: all of them, and live with their own durability. */
static void write_all(struct store *s, struct msg_buf *b, unsigned at_once, bool alerts)
{
    bool durable = alerts && !s->wait;
    uint32_t at = 0;
    int rc = durable ? db_exec(s->db, "PRAGMA synchronous=FULL") : SQLITE_OK;
    while (at < b->n) {
        rc = write_some(s, b, &at, at_once);
        if (rc != SQLITE_OK && !failed(s, rc))
            break;
        if (rc == SQLITE_OK && !alerts)
            break; /* rows some at a time: alerts first */
    }
    if (durable)
        db_exec(s->db, "PRAGMA synchronous=NORMAL");
    if (rc != SQLITE_OK || at >= b->n) {
        b->n = b->rows = 0;
        return;
    }
    memmove(b->p, b->p + at, b->n - at); /* the rest is a buffer of its own: offsets are within rows */
    b->n -= at;
}

static void swap(struct lane *l)
{
    struct msg_buf t = l->work;
    l->work = l->fill;
    l->fill = t;
    l->fill.n = l->fill.rows = 0;
}

static bool has_work(const struct store *s)
{
    return s->rows.fill.n || s->alerts.fill.n || s->rows.work.n;
}

/* Live, an alert is on the disk as soon as can be. In a replay nobody waits for a single one, but at store_sync(): what
 * came together is committed together. */
static bool is_due(const struct store *s)
{
    if (!s->wait || s->stop || s->hurry || s->rows.work.n)
        return has_work(s);
    return s->rows.fill.n > s->rows.fill.cap / 4 * 3 || s->alerts.fill.n > s->alerts.fill.cap / 4 * 3;
}

/* Alerts that were committed, or given up. */
static void count_durable(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    s->st.durable += s->in_it;
    s->in_it = 0;
    pthread_cond_broadcast(&s->room);
    pthread_mutex_unlock(&s->lock);
}

static void write_work(struct store *s)
{
    s->in_it += s->alerts.work.rows;
    if (s->alerts.work.n)
        write_all(s, &s->alerts.work, s->wait ? ROWS_AT_ONCE : 64, true);
    if (!s->open)
        count_durable(s);
    if (s->rows.work.n)
        write_all(s, &s->rows.work, ROWS_AT_ONCE, false);
    if (!s->open) /* with them, the alerts of the transaction */
        count_durable(s);
}

static void commit_open(struct store *s)
{
    int rc = commit(s);
    if (rc != SQLITE_OK) {
        db_exec(s->db, "ROLLBACK");
        failed(s, rc); /* before store_sync() takes it for done */
        set_open(s, false);
    }
    count_durable(s);
}

/* Under the lock. Nothing to write: what was written is committed when somebody waits for that, or when it is time.
 * Returns once there may be something to do. */
static void rest(struct store *s)
{
    struct timespec until;
    if (s->open && (s->settle || s->stop || is_over(s))) {
        pthread_mutex_unlock(&s->lock);
        commit_open(s);
        pthread_mutex_lock(&s->lock);
        return;
    }
    s->busy = s->hurry = false;
    s->settle &= s->open;
    pthread_cond_broadcast(&s->room);
    if (!s->open) {
        pthread_cond_wait(&s->todo, &s->lock);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += COMMIT_MS / 1000;
    pthread_cond_timedwait(&s->todo, &s->lock, &until);
}

static void *writing(void *arg)
{
    struct store *s = arg;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (!is_due(s) && (!s->stop || s->open))
            rest(s);
        if (!has_work(s))
            break;
        s->busy = true;
        if (s->alerts.fill.n)
            swap(&s->alerts);
        if (!s->rows.work.n && s->rows.fill.n)
            swap(&s->rows);
        pthread_cond_broadcast(&s->room);
        pthread_mutex_unlock(&s->lock);
        write_work(s);
        pthread_mutex_lock(&s->lock);
    }
    s->busy = false;
    pthread_cond_broadcast(&s->room);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- the collector's side ---- */

static bool queue(struct store *s, struct lane *l, enum msg_kind kind, const void *row)
{
    bool ok;
    pthread_mutex_lock(&s->lock);
    while (!(ok = msg_put(&l->fill, kind, row)) && s->wait && !s->failed && l->fill.n) {
        s->hurry = true;
        pthread_cond_signal(&s->todo);
        pthread_cond_wait(&s->room, &s->lock);
    }
    if (s->failed && s->wait)
        ok = true; /* the run goes on; store_close() tells */
    if (!ok)
        s->st.refused++;
    else if (kind == MSG_ALERT)
        s->st.alerts++;
    else
        s->st.rows++;
    s->st.queued_bytes = s->rows.fill.n + s->alerts.fill.n;
    if (s->st.queued_bytes > s->st.queue_high)
        s->st.queue_high = s->st.queued_bytes;
    if (!s->busy && is_due(s))
        pthread_cond_signal(&s->todo);
    pthread_mutex_unlock(&s->lock);
    return ok;
}

static bool sink_asset(void *ctx, const struct row_asset *r)
{
    return queue(ctx, &((struct store *)ctx)->rows, MSG_ASSET, r);
}

static bool sink_ident(void *ctx, const struct row_ident *r)
{
    return queue(ctx, &((struct store *)ctx)->rows, MSG_IDENT, r);
}

static bool sink_link(void *ctx, const struct row_link *r)
{
    return queue(ctx, &((struct store *)ctx)->rows, MSG_LINK, r);
}

static bool sink_func(void *ctx, const struct row_func *r)
{
    return queue(ctx, &((struct store *)ctx)->rows, MSG_FUNC, r);
}

static bool sink_op(void *ctx, const struct row_op *r)
{
    return queue(ctx, &((struct store *)ctx)->rows, MSG_OP, r);
}

static bool sink_net(void *ctx, const struct row_net *r)
{
    return queue(ctx, &((struct store *)ctx)->rows, MSG_NET, r);
}

static bool sink_accepted(void *ctx, const struct row_accepted *r)
{
    return queue(ctx, &((struct store *)ctx)->rows, MSG_ACCEPTED, r);
}

static bool sink_gone(void *ctx, enum row_kind kind, uint64_t id)
{
    struct msg_gone g = {.id = id, .kind = (uint32_t)kind};
    return queue(ctx, &((struct store *)ctx)->rows, MSG_GONE, &g);
}

const struct row_sink *store_sink(struct store *s)
{
    return &s->sink;
}

bool store_alert(struct store *s, const struct store_alert *a)
{
    return queue(s, &s->alerts, MSG_ALERT, a);
}

bool store_meta(struct store *s, const char *key, const char *value)
{
    struct msg_meta m = {.key = key, .value = value};
    return queue(s, &s->rows, MSG_META, &m);
}

bool store_meta_u64(struct store *s, const char *key, uint64_t value)
{
    char t[24];
    snprintf(t, sizeof t, "%llu", (unsigned long long)value);
    return store_meta(s, key, t);
}

bool store_cursor(struct store *s, const char *output, uint64_t seq)
{
    struct msg_meta m = {.key = output, .seq = seq};
    return queue(s, &s->rows, MSG_CURSOR, &m);
}

bool store_wish_done(struct store *s, uint64_t id, const char *answer)
{
    struct msg_meta m = {.value = answer, .seq = id};
    return queue(s, &s->rows, MSG_WISH, &m);
}

int store_sync(struct store *s, struct err *e)
{
    pthread_mutex_lock(&s->lock);
    s->hurry = s->settle = true;
    pthread_cond_signal(&s->todo);
    while ((s->busy || s->open || has_work(s)) && !(s->failed && s->wait))
        pthread_cond_wait(&s->room, &s->lock);
    int r = s->failed;
    if (r)
        *e = s->why;
    pthread_mutex_unlock(&s->lock);
    return r;
}

void store_sync_alerts(struct store *s, unsigned ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&s->lock);
    s->hurry = s->settle = true;
    pthread_cond_signal(&s->todo);
    while (s->st.durable < s->st.alerts && !s->failed)
        if (pthread_cond_timedwait(&s->room, &s->lock, &until))
            break;
    pthread_mutex_unlock(&s->lock);
}

void store_stats(struct store *s, struct store_stats *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = s->st;
    ret->durable = s->failed ? s->st.alerts : s->st.durable;
    pthread_mutex_unlock(&s->lock);
}

const char *store_error(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    const char *t = s->failed ? s->why.text : NULL; /* written once */
    pthread_mutex_unlock(&s->lock);
    return t;
}

uint32_t store_alert_update(struct store *s, uint64_t uid)
{
    sqlite3_stmt *q = NULL;
    struct err e;
    uint32_t n = 0;
    if (store_sync(s, &e)) /* as in store_load() */
        return 0;
    if (sqlite3_prepare_v2(s->db, "SELECT upd FROM alert WHERE uid=?1", -1, &q, NULL) == SQLITE_OK) {
        db_bind_u64(q, 1, uid);
        if (sqlite3_step(q) == SQLITE_ROW)
            n = db_u32(q, 0);
    }
    sqlite3_finalize(q);
    return n;
}

int store_load(struct store *s, const struct row_sink *into, struct err *e)
{
    int r = store_sync(s, e); /* the connection has no locks of its own: its thread must be at rest */
    if (r)
        return r;
    int rc = db_load(s->db, into);
    return rc == SQLITE_OK ? 0 : db_error(s->db, rc, s->path, e);
}

uint64_t store_memory(const struct store *s)
{
    return 2 * ((uint64_t)s->rows.fill.cap + s->alerts.fill.cap) + s->cache_bytes + WRITE_BYTES;
}

static bool lane_init(struct lane *l, uint32_t bytes)
{
    bytes = bytes < LEAST_LANE ? LEAST_LANE : bytes;
    l->fill.cap = l->work.cap = bytes;
    l->fill.p = malloc(bytes);
    l->work.p = malloc(bytes);
    return l->fill.p && l->work.p;
}

static void store_free(struct store *s)
{
    writer_done(&s->w);
    sqlite3_close(s->db);
    free(s->rows.fill.p);
    free(s->rows.work.p);
    free(s->alerts.fill.p);
    free(s->alerts.work.p);
    free(s->path);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->todo);
    pthread_cond_destroy(&s->room);
    free(s);
}

int store_open(const struct store_conf *c, struct store **ret, bool *fresh, struct err *e)
{
    struct store *s = calloc(1, sizeof *s);
    uint32_t queue = c->queue_bytes ? c->queue_bytes : QUEUE_BYTES;
    char pragma[64];
    bool empty;
    int r, rc;
    if (!s)
        return err_set(e, -ENOMEM, "no memory for the store");
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->todo, NULL);
    pthread_cond_init(&s->room, NULL);
    s->wait = c->wait;
    s->cache_bytes = c->cache_bytes ? c->cache_bytes : CACHE_BYTES;
    s->path = strdup(c->path);
    s->sink = (struct row_sink){.ctx = s,
                                .asset = sink_asset,
                                .ident = sink_ident,
                                .link = sink_link,
                                .func = sink_func,
                                .op = sink_op,
                                .net = sink_net,
                                .accepted = sink_accepted,
                                .gone = sink_gone};
    if (!s->path || !lane_init(&s->rows, queue / 8 * 3) || !lane_init(&s->alerts, queue / 8)) {
        r = err_set(e, -ENOMEM, "no memory for the store's queue");
        goto fail;
    }
    r = db_open(c->path, c->wait ? DB_FILL : DB_WRITE, &s->db, &empty, e);
    if (r)
        goto fail;
    s->filling = c->wait && empty;
    if (fresh)
        *fresh = empty;
    snprintf(pragma, sizeof pragma, "PRAGMA cache_size=-%u", s->cache_bytes / 1024);
    if ((rc = db_exec(s->db, pragma)) == SQLITE_OK)
        rc = writer_init(&s->w, s->db);
    if (rc == SQLITE_OK && c->wait) /* its transactions have alerts and rows in them */
        rc = db_exec(s->db, "PRAGMA synchronous=FULL");
    if (rc != SQLITE_OK) {
        r = db_error(s->db, rc, c->path, e);
        goto fail;
    }
    if (c->version)
        store_meta(s, "version", c->version);
    if (c->sensor)
        store_meta(s, "sensor", c->sensor);
    r = thread_start(&s->thread, writing, s);
    if (r) {
        err_set(e, r, "cannot start the store's thread: %s", strerror(-r));
        goto fail;
    }
    *ret = s;
    return 0;
fail:
    store_free(s);
    return r;
}

int store_close(struct store *s, struct err *e)
{
    if (!s)
        return 0;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_broadcast(&s->todo);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    int r = s->failed;
    if (r)
        *e = s->why;
    writer_done(&s->w);
    if (s->filling)
        db_settle(s->db); /* else the next run does it */
    store_free(s);
    return r;
}
