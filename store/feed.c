#include "store/feed.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/db.h"

/* ---- columns ---- */

struct cursor {
    sqlite3_vtab_cursor base;
    const struct feed *f;
    const struct columns *columns;
    uint32_t i, sub;             /* sub: address of an asset */
    union msg_row row;
    char text[2][ADDR_TEXT];     /* what columns are written as; two addresses at most */
    unsigned n_text;
    char status[ROW_OP_ERRORS * 12 + 1];
};

struct column {
    void (*give)(struct cursor *c, sqlite3_context *to, const void *field);
    size_t off;
};
struct columns {
    const char *table;
    unsigned n;
    const struct column *v;
};

#define GIVE_NUMBER(name, type)                                                                                        \
    static void name(struct cursor *c, sqlite3_context *to, const void *field)                                         \
    {                                                                                                                  \
        type v;                                                                                                        \
        (void)c;                                                                                                       \
        memcpy(&v, field, sizeof v);                                                                                   \
        sqlite3_result_int64(to, (sqlite3_int64)v);                                                                    \
    }
GIVE_NUMBER(give_u64, uint64_t)
GIVE_NUMBER(give_u32, uint32_t)
GIVE_NUMBER(give_u16, uint16_t)
GIVE_NUMBER(give_u8, uint8_t)
GIVE_NUMBER(give_int, int)

/* The text lies in the buffer, or in the cursor, until the row is written. */
static void give_held(sqlite3_context *to, const char *s)
{
    if (s)
        sqlite3_result_text(to, s, -1, SQLITE_STATIC);
}

static const char *text_at(const void *field)
{
    const char *s;
    memcpy(&s, field, sizeof s);
    return s;
}

static void give_text(struct cursor *c, sqlite3_context *to, const void *field)
{
    (void)c;
    give_held(to, text_at(field));
}

static void give_some(struct cursor *c, sqlite3_context *to, const void *field)
{
    const char *s = text_at(field);
    (void)c;
    give_held(to, s ? s : "");
}

static void give_net(struct cursor *c, sqlite3_context *to, const void *field)
{
    const char *s = text_at(field);
    (void)c;
    give_held(to, s ? s : "default");
}

static void give_action(struct cursor *c, sqlite3_context *to, const void *field)
{
    const char *s = text_at(field);
    (void)c;
    give_held(to, s ? s : "other");
}

static void give_addr(struct cursor *c, sqlite3_context *to, const void *field)
{
    char *t = c->text[c->n_text++ & 1];
    addr_text(field, t);
    give_held(to, t);
}

static void give_unit(struct cursor *c, sqlite3_context *to, const void *field)
{
    if (c->row.func.has_unit)
        give_u32(c, to, field);
}

static void give_status(struct cursor *c, sqlite3_context *to, const void *field)
{
    const struct row_op *r = &c->row.op;
    unsigned n = 0;
    (void)field;
    c->status[0] = 0;
    for (unsigned k = 0; k < r->n_status && k < ROW_OP_ERRORS; k++)
        n += (unsigned)snprintf(c->status + n, sizeof c->status - n, "%s%u%s", k ? "," : "", r->status[k],
                                r->status_learned >> k & 1 ? "" : "?");
    give_held(to, c->status);
}

/* ---- tables: the columns in the order of the schema ---- */

#define BY(t, field, give) {give, offsetof(struct t, field)}
#define C(t, field)                                                                                                    \
    BY(t, field,                                                                                                       \
       (_Generic(((struct t *)0)->field, uint64_t: give_u64, uint32_t: give_u32, uint16_t: give_u16, uint8_t: give_u8, \
                 int: give_int, const char *: give_text, struct addr: give_addr)))
#define LIFE(t)                                                                                                        \
    C(t, life.learned), C(t, life.first_ns), C(t, life.last_ns), C(t, life.learn_ns), C(t, life.novelty_ns),           \
        C(t, life.alert_ns)

static const struct column asset[] = {
    C(row_asset, id), BY(row_asset, net, give_net), C(row_asset, key), C(row_asset, name), C(row_asset, type),
    C(row_asset, type_reason), C(row_asset, vendor), C(row_asset, model), C(row_asset, firmware), C(row_asset, serial),
    C(row_asset, os), C(row_asset, state), C(row_asset, zone), C(row_asset, criticality), C(row_asset, owner),
    C(row_asset, tags), C(row_asset, parent), C(row_asset, evidence), C(row_asset, roles), C(row_asset, n_targets),
    C(row_asset, purdue), C(row_asset, authorized), C(row_asset, flags), LIFE(row_asset)};
static const struct column ident[] = {
    C(row_ident, asset), C(row_ident, kind), C(row_ident, sub), C(row_ident, source), C(row_ident, value),
    C(row_ident, confidence), C(row_ident, current), C(row_ident, learned), C(row_ident, first_ns),
    C(row_ident, last_ns)};
static const struct column link[] = {
    C(row_link, id), BY(row_link, net, give_net), C(row_link, client), C(row_link, server), C(row_link, l4),
    C(row_link, port), BY(row_link, apps, give_some), C(row_link, app_learned), C(row_link, app_judged),
    C(row_link, packets[0]), C(row_link, packets[1]), C(row_link, bytes[0]), C(row_link, bytes[1]),
    C(row_link, errors), C(row_link, resets), C(row_link, retransmissions), C(row_link, gaps), C(row_link, flags),
    LIFE(row_link)};
static const struct column func[] = {
    C(row_func, id), C(row_func, link), C(row_func, proto), C(row_func, function), C(row_func, name), C(row_func, fn),
    C(row_func, sel), BY(row_func, unit, give_unit), C(row_func, sub), LIFE(row_func)};
static const struct column op[] = {
    C(row_op, id), C(row_op, func), BY(row_op, action, give_action), C(row_op, kind), C(row_op, name),
    C(row_op, object), C(row_op, space), C(row_op, first), C(row_op, last), C(row_op, has_range), C(row_op, bit),
    C(row_op, count), C(row_op, errors), C(row_op, period_us), BY(row_op, status, give_status), LIFE(row_op)};
static const struct column net[] = {BY(row_net, net, give_net), LIFE(row_net)};
static const struct column accepted[] = {
    C(row_accepted, key), BY(row_accepted, type, give_some), C(row_accepted, src), C(row_accepted, dst),
    C(row_accepted, what), C(row_accepted, since_ns)};

#define T(name) {#name, ARRAY_LEN(name), name}
static const struct columns tables[MSG_KINDS] = {
    [MSG_ASSET] = T(asset), [MSG_IDENT] = T(ident), [MSG_LINK] = T(link), [MSG_FUNC] = T(func),
    [MSG_OP] = T(op),       [MSG_NET] = T(net),     [MSG_ACCEPTED] = T(accepted),
};
_Static_assert(ARRAY_LEN(asset) <= FEED_COLUMNS && ARRAY_LEN(link) <= FEED_COLUMNS, "columns enough for all");

/* ---- the virtual tables: "feed" has a row a message, "feed_addr" one for each address of an asset ---- */

struct feed_table {
    sqlite3_vtab base;
    const struct feed *f;
};

static int rows_connect(sqlite3 *db, void *arg, int argc, const char *const *argv, sqlite3_vtab **ret, char **why)
{
    struct feed_table *t = sqlite3_malloc(sizeof *t);
    char sql[FEED_SQL] = "CREATE TABLE x(c0";
    size_t n = strlen(sql);
    (void)argc, (void)argv, (void)why;
    for (unsigned i = 1; i < FEED_COLUMNS; i++)
        n += (size_t)snprintf(sql + n, sizeof sql - n, ",c%u", i);
    snprintf(sql + n, sizeof sql - n, ")");
    if (!t)
        return SQLITE_NOMEM;
    *t = (struct feed_table){.f = arg};
    *ret = &t->base;
    return sqlite3_declare_vtab(db, sql);
}

static int rows_disconnect(sqlite3_vtab *t)
{
    sqlite3_free(t);
    return SQLITE_OK;
}

static int rows_best(sqlite3_vtab *t, sqlite3_index_info *i)
{
    (void)t;
    i->estimatedCost = 100;
    return SQLITE_OK;
}

static int rows_open(sqlite3_vtab *t, sqlite3_vtab_cursor **ret)
{
    struct cursor *c = sqlite3_malloc(sizeof *c);
    if (!c)
        return SQLITE_NOMEM;
    memset(c, 0, sizeof *c);
    c->f = ((struct feed_table *)(void *)t)->f;
    *ret = &c->base;
    return SQLITE_OK;
}

static int rows_close(sqlite3_vtab_cursor *c)
{
    sqlite3_free(c);
    return SQLITE_OK;
}

static void load(struct cursor *c)
{
    enum msg_kind kind;
    uint32_t at;
    if (c->i == c->f->n)
        return;
    at = c->f->rows[c->i].at;
    if (msg_next(c->f->buf, &at, &kind, &c->row))
        c->columns = &tables[kind];
    else
        c->i = c->f->n;
}

static int rows_filter(sqlite3_vtab_cursor *cur, int plan, const char *name, int argc, sqlite3_value **argv)
{
    struct cursor *c = (struct cursor *)(void *)cur;
    (void)plan, (void)name, (void)argc, (void)argv;
    c->i = 0;
    load(c);
    return SQLITE_OK;
}

static int rows_step(sqlite3_vtab_cursor *cur)
{
    struct cursor *c = (struct cursor *)(void *)cur;
    c->i++;
    load(c);
    return SQLITE_OK;
}

static int rows_eof(sqlite3_vtab_cursor *cur)
{
    const struct cursor *c = (const struct cursor *)(void *)cur;
    return c->i >= c->f->n;
}

static int rows_column(sqlite3_vtab_cursor *cur, sqlite3_context *to, int k)
{
    struct cursor *c = (struct cursor *)(void *)cur;
    if ((unsigned)k < c->columns->n)
        c->columns->v[k].give(c, to, (const uint8_t *)&c->row + c->columns->v[k].off);
    return SQLITE_OK;
}

static int rows_id(sqlite3_vtab_cursor *cur, sqlite3_int64 *ret)
{
    *ret = ((const struct cursor *)(void *)cur)->i;
    return SQLITE_OK;
}

/* Does a newer version of this asset follow? It has the place in the table. */
static bool is_old(const struct cursor *c)
{
    return c->i + 1 < c->f->n && c->f->rows[c->i + 1].key == c->f->rows[c->i].key;
}

static uint32_t n_addrs(const struct cursor *c)
{
    return (uint32_t)c->row.asset.n_ips + c->row.asset.n_macs + c->row.asset.n_vlans;
}

/* On to the next asset that has one, from address `sub` of this one on. */
static int addr_settle(struct cursor *c)
{
    while (c->i < c->f->n && (is_old(c) || c->sub >= n_addrs(c))) {
        c->sub = 0;
        c->i++;
        load(c);
    }
    return SQLITE_OK;
}

static int addr_filter(sqlite3_vtab_cursor *cur, int plan, const char *name, int argc, sqlite3_value **argv)
{
    struct cursor *c = (struct cursor *)(void *)cur;
    c->sub = 0;
    rows_filter(cur, plan, name, argc, argv);
    return addr_settle(c);
}

static int addr_step(sqlite3_vtab_cursor *cur)
{
    struct cursor *c = (struct cursor *)(void *)cur;
    c->sub++;
    return addr_settle(c);
}

/* As the schema has asset_addr: asset, kind, n, value, learned. */
static int addr_column(sqlite3_vtab_cursor *cur, sqlite3_context *to, int k)
{
    struct cursor *c = (struct cursor *)(void *)cur;
    const struct row_asset *r = &c->row.asset;
    const uint32_t first[] = {0, r->n_ips, (uint32_t)r->n_ips + r->n_macs};
    unsigned kind = (c->sub >= first[1]) + (c->sub >= first[2]);
    uint32_t n = c->sub - first[kind];
    char *t = c->text[0];
    if (k == 3 && kind == 0)
        addr_text(&r->ips[n], t);
    else if (k == 3 && kind == 1)
        mac_text(r->macs[n], t);
    else if (k == 3)
        snprintf(t, sizeof c->text[0], "%u", r->vlans[n]);
    const uint64_t v[] = {r->id, kind, n, 0, kind == 1 ? r->macs_learned >> n & 1 : 1};
    if (k == 3)
        give_held(to, t);
    else if ((unsigned)k < ARRAY_LEN(v))
        sqlite3_result_int64(to, (sqlite3_int64)v[k]);
    return SQLITE_OK;
}

/* Without xCreate: they are there without being made, and only for the connection that has them. */
static const sqlite3_module rows_module = {
    .xConnect = rows_connect, .xDisconnect = rows_disconnect, .xBestIndex = rows_best, .xOpen = rows_open,
    .xClose = rows_close, .xFilter = rows_filter, .xNext = rows_step, .xEof = rows_eof, .xColumn = rows_column,
    .xRowid = rows_id,
};
static const sqlite3_module addr_module = {
    .xConnect = rows_connect, .xDisconnect = rows_disconnect, .xBestIndex = rows_best, .xOpen = rows_open,
    .xClose = rows_close, .xFilter = addr_filter, .xNext = addr_step, .xEof = rows_eof, .xColumn = addr_column,
    .xRowid = rows_id,
};

int feed_init(struct feed *f, sqlite3 *db)
{
    int rc = sqlite3_create_module(db, "feed", &rows_module, f);
    return rc == SQLITE_OK ? sqlite3_create_module(db, "feed_addr", &addr_module, f) : rc;
}

const char *feed_sql(enum msg_kind kind, char out[FEED_SQL])
{
    const struct columns *t = &tables[kind];
    if (!t->n)
        return NULL;
    size_t n = (size_t)snprintf(out, FEED_SQL, "INSERT OR REPLACE INTO %s SELECT c0", t->table);
    for (unsigned i = 1; i < t->n; i++)
        n += (size_t)snprintf(out + n, FEED_SQL - n, ",c%u", i);
    snprintf(out + n, FEED_SQL - n, " FROM feed");
    return out;
}

/* ---- by key ---- */

/* Their first field: what the table is sorted by, if signed. */
static uint64_t key_of(const void *row)
{
    uint64_t id;
    memcpy(&id, row, sizeof id);
    return id ^ UINT64_C(1) << 63;
}
_Static_assert(offsetof(struct row_asset, id) == 0 && offsetof(struct row_ident, asset) == 0 &&
                   offsetof(struct row_link, id) == 0 && offsetof(struct row_func, id) == 0 &&
                   offsetof(struct row_op, id) == 0 && offsetof(struct row_accepted, key) == 0,
               "the key comes first");

/* v[0..n) and v[n..n+m) into out; of equal keys the earlier one first. */
static void merge(const struct feed_row *v, uint32_t n, uint32_t m, struct feed_row *out)
{
    const struct feed_row *a = v, *b = v + n, *a_end = b, *b_end = b + m;
    while (a < a_end && b < b_end)
        *out++ = b->key < a->key ? *b++ : *a++;
    memcpy(out, a, (size_t)(a_end - a) * sizeof *a);
    memcpy(out + (a_end - a), b, (size_t)(b_end - b) * sizeof *b);
}

static void sort(struct feed_row *v, struct feed_row *spare, uint32_t n)
{
    struct feed_row *from = v, *to = spare;
    for (uint32_t run = 1; run < n; run *= 2) {
        for (uint32_t i = 0; i < n; i += 2 * run) {
            uint32_t left = n - i < run ? n - i : run, right = n - i - left < run ? n - i - left : run;
            merge(from + i, left, right, to + i);
        }
        struct feed_row *t = from;
        from = to;
        to = t;
    }
    if (from != v)
        memcpy(v, from, n * sizeof *v);
}

uint32_t feed_take(const struct msg_buf *b, uint32_t *at, struct feed_row *v, struct feed_row *spare, uint32_t max)
{
    enum msg_kind first = MSG_KINDS, kind;
    uint32_t n = 0, len;
    for (const void *row; n < max && (row = msg_at(b, *at, &kind, &len)); *at += len) {
        if ((n && kind != first) || !tables[kind].n)
            break;
        first = kind;
        v[n++] = (struct feed_row){.key = key_of(row), .at = *at};
    }
    sort(v, spare, n);
    return n;
}
