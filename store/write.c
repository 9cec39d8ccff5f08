#include "store/write.h"

#include <stdlib.h>
#include <string.h>

#include "store/db.h"

/* A statement keeps what it may have to take back, in memory: the pages that so many rows touch. */
enum { ROWS_PER_STATEMENT = 128 };

enum {
    W_ADDRS_GONE, W_ADDRS, W_ADDR_GONE, W_META, W_CURSOR, W_WISH_DONE, W_WISH_REFUSED, W_ALERT,
    /* deletions, from here on in the order of `gone` */
    W_GONE_ASSET, W_GONE_ASSET_IDENTS, W_GONE_IDENTS, W_GONE_LINK, W_GONE_LINK_OPS, W_GONE_LINK_FUNCS, W_GONE_FUNC,
    W_GONE_FUNC_OPS, W_GONE_OP, W_N
};
_Static_assert((int)W_N <= (int)WRITE_STATEMENTS, "room for every statement");

static const char *const sql[W_N] = {
    [W_ADDRS_GONE] = "DELETE FROM asset_addr WHERE asset IN (SELECT c0 FROM feed)",
    [W_ADDRS] = "INSERT OR REPLACE INTO asset_addr SELECT c0,c1,c2,c3,c4 FROM feed_addr",
    [W_ADDR_GONE] = "DELETE FROM asset_addr WHERE asset=?1",
    [W_META] = "INSERT OR REPLACE INTO meta VALUES(?1,?2)",
    [W_CURSOR] = "INSERT OR REPLACE INTO outbox VALUES(?1,?2)",
    [W_WISH_DONE] = "DELETE FROM wish WHERE id=?1",
    [W_WISH_REFUSED] = "UPDATE wish SET answer=?2 WHERE id=?1",
    /* The receiver's key is (uid, update): an older update never replaces a newer one; what people decided (state)
       stays. */
    [W_ALERT] =
        "INSERT INTO alert VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,coalesce(?16,'open'),?17,?18) "
        "ON CONFLICT(uid) DO UPDATE SET seq=excluded.seq,upd=excluded.upd,first_ns=excluded.first_ns,"
        "last_ns=excluded.last_ns,count=excluded.count,severity=excluded.severity,title=excluded.title,"
        "src=excluded.src,dst=excluded.dst,src_asset=excluded.src_asset,dst_asset=excluded.dst_asset,"
        "state=coalesce(?16,state),accept=excluded.accept,json=excluded.json WHERE excluded.upd>=upd",
    [W_GONE_ASSET] = "DELETE FROM asset WHERE id=?1",
    [W_GONE_ASSET_IDENTS] = "DELETE FROM ident WHERE asset=?1",
    [W_GONE_IDENTS] = "DELETE FROM ident WHERE asset=?1",
    [W_GONE_LINK] = "DELETE FROM link WHERE id=?1",
    [W_GONE_LINK_OPS] = "DELETE FROM op WHERE func IN (SELECT id FROM func WHERE link=?1)",
    [W_GONE_LINK_FUNCS] = "DELETE FROM func WHERE link=?1",
    [W_GONE_FUNC] = "DELETE FROM func WHERE id=?1",
    [W_GONE_FUNC_OPS] = "DELETE FROM op WHERE func=?1",
    [W_GONE_OP] = "DELETE FROM op WHERE id=?1",
};

int writer_init(struct writer *w, sqlite3 *db)
{
    char text[FEED_SQL];
    memset(w, 0, sizeof *w);
    w->db = db;
    w->run = malloc(WRITE_BYTES);
    int rc = w->run ? feed_init(&w->feed, db) : SQLITE_NOMEM;
    for (unsigned i = 0; i < W_N && rc == SQLITE_OK; i++)
        rc = sqlite3_prepare_v3(db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &w->st[i], NULL);
    for (unsigned k = 0; k < MSG_KINDS && rc == SQLITE_OK; k++)
        if (feed_sql((enum msg_kind)k, text))
            rc = sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, &w->insert[k], NULL);
    if (rc != SQLITE_OK)
        return rc;
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(db, "SELECT coalesce(max(seq),0) FROM alert", -1, &s, NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW)
        w->seq = db_u64(s, 0);
    return sqlite3_finalize(s);
}

void writer_done(struct writer *w)
{
    for (unsigned i = 0; i < W_N; i++)
        sqlite3_finalize(w->st[i]);
    for (unsigned k = 0; k < MSG_KINDS; k++)
        sqlite3_finalize(w->insert[k]);
    free(w->run);
    memset(w, 0, sizeof *w);
}

static int run(sqlite3_stmt *s)
{
    int rc = sqlite3_step(s);
    sqlite3_reset(s);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int run_id(struct writer *w, unsigned st, uint64_t id)
{
    db_bind_u64(w->st[st], 1, id);
    return run(w->st[st]);
}

static int put_gone(struct writer *w, const union msg_row *row)
{
    static const struct {
        uint8_t n, st[3];
    } what[ROW_KINDS] = {
        [ROW_ASSET] = {3, {W_GONE_ASSET, W_GONE_ASSET_IDENTS, W_ADDR_GONE}},
        [ROW_IDENT] = {1, {W_GONE_IDENTS}},
        [ROW_LINK] = {3, {W_GONE_LINK_OPS, W_GONE_LINK_FUNCS, W_GONE_LINK}},
        [ROW_FUNC] = {2, {W_GONE_FUNC_OPS, W_GONE_FUNC}},
        [ROW_OP] = {1, {W_GONE_OP}},
    };
    int rc = SQLITE_OK;
    if (row->gone.kind >= ROW_KINDS)
        return SQLITE_MISUSE;
    for (unsigned k = 0; k < what[row->gone.kind].n && rc == SQLITE_OK; k++)
        rc = run_id(w, what[row->gone.kind].st[k], row->gone.id);
    return rc;
}

static int put_meta(struct writer *w, const union msg_row *row)
{
    db_bind_held(w->st[W_META], 1, row->meta.key);
    db_bind_held(w->st[W_META], 2, row->meta.value);
    return run(w->st[W_META]);
}

static int put_cursor(struct writer *w, const union msg_row *row)
{
    db_bind_held(w->st[W_CURSOR], 1, row->meta.key);
    db_bind_u64(w->st[W_CURSOR], 2, row->meta.seq);
    return run(w->st[W_CURSOR]);
}

static int put_wish(struct writer *w, const union msg_row *row)
{
    sqlite3_stmt *s = w->st[row->meta.value ? W_WISH_REFUSED : W_WISH_DONE];
    db_bind_u64(s, 1, row->meta.seq);
    if (row->meta.value)
        db_bind_held(s, 2, row->meta.value);
    return run(s);
}

static int put_alert(struct writer *w, const union msg_row *row)
{
    const struct store_alert *a = &row->alert;
    sqlite3_stmt *s = w->st[W_ALERT];
    db_bind_u64(s, 1, a->uid);
    db_bind_u64(s, 2, ++w->seq);
    db_bind_u64(s, 3, a->update);
    db_bind_u64(s, 4, a->first_ns);
    db_bind_u64(s, 5, a->last_ns);
    db_bind_u64(s, 6, a->count);
    db_bind_u64(s, 7, a->sid);
    sqlite3_bind_int(s, 8, a->severity);
    db_bind_held(s, 9, a->id ? a->id : "");
    db_bind_held(s, 10, a->engine ? a->engine : "");
    db_bind_held(s, 11, a->title ? a->title : "");
    db_bind_held(s, 12, a->src);
    db_bind_held(s, 13, a->dst);
    db_bind_u64(s, 14, a->src_asset);
    db_bind_u64(s, 15, a->dst_asset);
    db_bind_held(s, 16, a->state);
    db_bind_held(s, 17, a->accept);
    sqlite3_bind_text(s, 18, a->json ? a->json : "", a->json ? (int)a->json_len : 0, SQLITE_STATIC);
    return run(s);
}

static int put_rows(struct writer *w, enum msg_kind kind, const struct msg_buf *b, uint32_t n)
{
    int rc = SQLITE_OK;
    for (uint32_t i = 0; i < n && rc == SQLITE_OK; i += ROWS_PER_STATEMENT) {
        w->feed.buf = b;
        w->feed.rows = w->run + i;
        w->feed.n = n - i < ROWS_PER_STATEMENT ? n - i : ROWS_PER_STATEMENT;
        rc = run(w->insert[kind]);
        if (kind == MSG_ASSET && rc == SQLITE_OK && (rc = run(w->st[W_ADDRS_GONE])) == SQLITE_OK)
            rc = run(w->st[W_ADDRS]);
    }
    return rc;
}

int writer_take(struct writer *w, const struct msg_buf *b, uint32_t *at, unsigned max, unsigned *n)
{
    static int (*const put[MSG_KINDS])(struct writer *, const union msg_row *) = {
        [MSG_GONE] = put_gone,
        [MSG_META] = put_meta,
        [MSG_CURSOR] = put_cursor,
        [MSG_WISH] = put_wish,
        [MSG_ALERT] = put_alert,
    };
    enum msg_kind kind;
    union msg_row row;
    uint32_t len;
    *n = 0;
    if (!msg_at(b, *at, &kind, &len))
        return SQLITE_OK;
    *n = feed_take(b, at, w->run, w->run + WRITE_SORTED, max < WRITE_SORTED ? max : WRITE_SORTED);
    if (*n)
        return put_rows(w, kind, b, *n);
    *n = msg_next(b, at, &kind, &row);
    return put[kind](w, &row);
}
