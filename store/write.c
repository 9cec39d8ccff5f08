#include "store/write.h"

#include <stdio.h>
#include <string.h>

#include "store/db.h"

enum {
    W_ASSET, W_ADDR_GONE, W_ADDR, W_IDENT, W_LINK, W_FUNC, W_OP, W_NET, W_ACCEPTED, W_META, W_CURSOR, W_ALERT,
    /* deletions, from here on in the order of `gone` */
    W_GONE_ASSET, W_GONE_ASSET_IDENTS, W_GONE_IDENTS, W_GONE_LINK, W_GONE_LINK_OPS, W_GONE_LINK_FUNCS, W_GONE_FUNC,
    W_GONE_FUNC_OPS, W_GONE_OP, W_N
};
_Static_assert((int)W_N <= (int)WRITE_STATEMENTS, "room for every statement");

static const char *const sql[W_N] = {
    [W_ASSET] =
        "INSERT OR REPLACE INTO asset VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,"
        "?21,?22,?23,?24,?25,?26,?27,?28,?29)",
    [W_ADDR_GONE] = "DELETE FROM asset_addr WHERE asset=?1",
    [W_ADDR] = "INSERT OR REPLACE INTO asset_addr VALUES(?1,?2,?3,?4,?5)",
    [W_IDENT] = "INSERT OR REPLACE INTO ident VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
    [W_LINK] =
        "INSERT OR REPLACE INTO link VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,"
        "?21,?22,?23,?24)",
    [W_FUNC] = "INSERT OR REPLACE INTO func VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)",
    [W_OP] =
        "INSERT OR REPLACE INTO op VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21)",
    [W_NET] = "INSERT OR REPLACE INTO net VALUES(?1,?2,?3,?4,?5,?6,?7)",
    [W_ACCEPTED] = "INSERT OR REPLACE INTO accepted VALUES(?1,?2,?3,?4,?5,?6)",
    [W_META] = "INSERT OR REPLACE INTO meta VALUES(?1,?2)",
    [W_CURSOR] = "INSERT OR REPLACE INTO outbox VALUES(?1,?2)",
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
    memset(w, 0, sizeof *w);
    w->db = db;
    for (unsigned i = 0; i < W_N; i++) {
        int rc = sqlite3_prepare_v3(db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &w->st[i], NULL);
        if (rc != SQLITE_OK)
            return rc;
    }
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

static void bind_life(sqlite3_stmt *s, int i, const struct row_life *l)
{
    sqlite3_bind_int(s, i, l->learned);
    db_bind_u64(s, i + 1, l->first_ns);
    db_bind_u64(s, i + 2, l->last_ns);
    db_bind_u64(s, i + 3, l->learn_ns);
    db_bind_u64(s, i + 4, l->novelty_ns);
    db_bind_u64(s, i + 5, l->alert_ns);
}

static int put_addr(struct writer *w, uint64_t asset, int kind, unsigned n, const char *text, int learned)
{
    sqlite3_stmt *s = w->st[W_ADDR];
    db_bind_u64(s, 1, asset);
    sqlite3_bind_int(s, 2, kind);
    sqlite3_bind_int(s, 3, (int)n);
    db_bind_held(s, 4, text);
    sqlite3_bind_int(s, 5, learned);
    return run(s);
}

static int put_addrs(struct writer *w, const struct row_asset *r)
{
    char t[ADDR_TEXT];
    int rc = run_id(w, W_ADDR_GONE, r->id);
    for (unsigned k = 0; k < r->n_ips && rc == SQLITE_OK; k++) {
        addr_text(&r->ips[k], t);
        rc = put_addr(w, r->id, 0, k, t, 1);
    }
    for (unsigned k = 0; k < r->n_macs && rc == SQLITE_OK; k++) {
        mac_text(r->macs[k], t);
        rc = put_addr(w, r->id, 1, k, t, r->macs_learned >> k & 1);
    }
    for (unsigned k = 0; k < r->n_vlans && rc == SQLITE_OK; k++) {
        snprintf(t, sizeof t, "%u", r->vlans[k]);
        rc = put_addr(w, r->id, 2, k, t, 1);
    }
    return rc;
}

static int put_asset(struct writer *w, const union msg_row *row)
{
    const struct row_asset *r = &row->asset;
    sqlite3_stmt *s = w->st[W_ASSET];
    const char *const text[] = {r->name, r->type, r->type_reason, r->vendor, r->model, r->firmware, r->serial, r->os,
                                r->state, r->zone, r->criticality, r->owner, r->tags};
    db_bind_u64(s, 1, r->id);
    db_bind_held(s, 2, r->net ? r->net : "default");
    db_bind_addr(s, 3, &r->key);
    for (unsigned k = 0; k < ARRAY_LEN(text); k++)
        db_bind_held(s, 4 + (int)k, text[k]);
    db_bind_u64(s, 17, r->parent);
    db_bind_u64(s, 18, r->evidence);
    db_bind_u64(s, 19, r->roles);
    db_bind_u64(s, 20, r->n_targets);
    sqlite3_bind_int(s, 21, r->purdue);
    sqlite3_bind_int(s, 22, r->authorized);
    sqlite3_bind_int(s, 23, r->flags);
    bind_life(s, 24, &r->life);
    int rc = run(s);
    return rc == SQLITE_OK ? put_addrs(w, r) : rc;
}

static int put_ident(struct writer *w, const union msg_row *row)
{
    const struct row_ident *r = &row->ident;
    sqlite3_stmt *s = w->st[W_IDENT];
    db_bind_u64(s, 1, r->asset);
    sqlite3_bind_int(s, 2, r->kind);
    db_bind_u64(s, 3, r->sub);
    db_bind_held(s, 4, r->source);
    db_bind_held(s, 5, r->value);
    sqlite3_bind_int(s, 6, r->confidence);
    sqlite3_bind_int(s, 7, r->current);
    sqlite3_bind_int(s, 8, r->learned);
    db_bind_u64(s, 9, r->first_ns);
    db_bind_u64(s, 10, r->last_ns);
    return run(s);
}

static int put_link(struct writer *w, const union msg_row *row)
{
    const struct row_link *r = &row->link;
    sqlite3_stmt *s = w->st[W_LINK];
    db_bind_u64(s, 1, r->id);
    db_bind_held(s, 2, r->net ? r->net : "default");
    db_bind_addr(s, 3, &r->client);
    db_bind_addr(s, 4, &r->server);
    sqlite3_bind_int(s, 5, r->l4);
    sqlite3_bind_int(s, 6, r->port);
    db_bind_held(s, 7, r->apps ? r->apps : "");
    sqlite3_bind_int(s, 8, r->app_learned);
    sqlite3_bind_int(s, 9, r->app_judged);
    const uint64_t n[] = {r->packets[0], r->packets[1], r->bytes[0], r->bytes[1], r->errors, r->resets,
                          r->retransmissions, r->gaps, r->flags};
    for (unsigned k = 0; k < ARRAY_LEN(n); k++)
        db_bind_u64(s, 10 + (int)k, n[k]);
    bind_life(s, 19, &r->life);
    return run(s);
}

static int put_func(struct writer *w, const union msg_row *row)
{
    const struct row_func *r = &row->func;
    sqlite3_stmt *s = w->st[W_FUNC];
    db_bind_u64(s, 1, r->id);
    db_bind_u64(s, 2, r->link);
    db_bind_held(s, 3, r->proto);
    db_bind_held(s, 4, r->function);
    db_bind_held(s, 5, r->name);
    db_bind_u64(s, 6, r->fn);
    db_bind_u64(s, 7, r->sel);
    if (r->has_unit)
        db_bind_u64(s, 8, r->unit);
    else
        sqlite3_bind_null(s, 8);
    db_bind_u64(s, 9, r->sub);
    bind_life(s, 10, &r->life);
    return run(s);
}

static int put_op(struct writer *w, const union msg_row *row)
{
    const struct row_op *r = &row->op;
    sqlite3_stmt *s = w->st[W_OP];
    char status[ROW_OP_ERRORS * 12 + 1];
    unsigned n = 0;
    status[0] = 0;
    for (unsigned k = 0; k < r->n_status && k < ROW_OP_ERRORS; k++)
        n += (unsigned)snprintf(status + n, sizeof status - n, "%s%u%s", k ? "," : "", r->status[k],
                                r->status_learned >> k & 1 ? "" : "?");
    db_bind_u64(s, 1, r->id);
    db_bind_u64(s, 2, r->func);
    db_bind_held(s, 3, r->action ? r->action : "other");
    db_bind_held(s, 4, r->kind);
    db_bind_held(s, 5, r->name);
    db_bind_held(s, 6, r->object);
    const uint64_t v[] = {r->space, r->first, r->last, r->has_range, r->bit, r->count, r->errors, r->period_us};
    for (unsigned k = 0; k < ARRAY_LEN(v); k++)
        db_bind_u64(s, 7 + (int)k, v[k]);
    db_bind_held(s, 15, status);
    bind_life(s, 16, &r->life);
    return run(s);
}

static int put_net(struct writer *w, const union msg_row *row)
{
    sqlite3_stmt *s = w->st[W_NET];
    db_bind_held(s, 1, row->net.net ? row->net.net : "default");
    bind_life(s, 2, &row->net.life);
    return run(s);
}

static int put_accepted(struct writer *w, const union msg_row *row)
{
    const struct row_accepted *r = &row->accepted;
    sqlite3_stmt *s = w->st[W_ACCEPTED];
    db_bind_u64(s, 1, r->key);
    db_bind_held(s, 2, r->type ? r->type : "");
    db_bind_held(s, 3, r->src);
    db_bind_held(s, 4, r->dst);
    db_bind_held(s, 5, r->what);
    db_bind_u64(s, 6, r->since_ns);
    return run(s);
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

int writer_put(struct writer *w, enum msg_kind kind, const union msg_row *r)
{
    static int (*const put[MSG_KINDS])(struct writer *, const union msg_row *) = {
        [MSG_ASSET] = put_asset,   [MSG_IDENT] = put_ident, [MSG_LINK] = put_link, [MSG_FUNC] = put_func,
        [MSG_OP] = put_op,         [MSG_NET] = put_net, [MSG_ACCEPTED] = put_accepted,
            [MSG_GONE] = put_gone, [MSG_META] = put_meta,
        [MSG_CURSOR] = put_cursor, [MSG_ALERT] = put_alert,
    };
    return put[kind](w, r);
}
