/* load.c: all rows of a database, parents before children, in the order of their first sight. */
#include <stdlib.h>
#include <string.h>

#include "store/db.h"
#include "store/load.h"

static struct row_life life_at(sqlite3_stmt *s, int i)
{
    return (struct row_life){.learned = db_u8(s, i),
                             .first_ns = db_u64(s, i + 1),
                             .last_ns = db_u64(s, i + 2),
                             .learn_ns = db_u64(s, i + 3),
                             .novelty_ns = db_u64(s, i + 4),
                             .alert_ns = db_u64(s, i + 5)};
}

static struct addr addr_at(sqlite3_stmt *s, int i)
{
    struct addr a = {{0}};
    const char *t = db_text(s, i);
    if (t && !addr_parse(t, &a))
        memset(&a, 0, sizeof a);
    return a;
}

enum { MAX_ADDRS = 64 };
struct addrs {
    struct addr ips[MAX_ADDRS];
    uint8_t macs[MAX_ADDRS][6];
    uint16_t vlans[MAX_ADDRS];
};

/* The addresses of one asset; the statement is prepared with ?1 the asset. */
static int load_addrs(sqlite3_stmt *s, struct row_asset *r, struct addrs *a)
{
    int rc;
    db_bind_u64(s, 1, r->id);
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        struct addr v = addr_at(s, 1);
        int kind = sqlite3_column_int(s, 0);
        if (kind == 0 && r->n_ips < MAX_ADDRS)
            a->ips[r->n_ips++] = v;
        if (kind == 1 && r->n_macs < 8) {
            r->macs_learned |= (uint8_t)((unsigned)sqlite3_column_int(s, 2) << r->n_macs);
            memcpy(a->macs[r->n_macs++], v.b + 10, 6);
        }
        if (kind == 2 && r->n_vlans < MAX_ADDRS)
            a->vlans[r->n_vlans++] = (uint16_t)sqlite3_column_int(s, 1);
    }
    sqlite3_reset(s);
    r->ips = a->ips;
    r->macs = (const uint8_t(*)[6])a->macs;
    r->vlans = a->vlans;
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int load_assets(sqlite3 *db, const struct row_sink *into)
{
    sqlite3_stmt *s = NULL, *sub = NULL;
    struct addrs a;
    int rc = sqlite3_prepare_v2(db,
                                "SELECT id,net,key,parent,evidence,roles,n_targets,authorized,flags,learned,first_ns,"
                                "last_ns,learn_ns,novelty_ns,alert_ns FROM asset ORDER BY last_ns,id",
                                -1, &s, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db, "SELECT kind,value,learned FROM asset_addr WHERE asset=?1 ORDER BY kind,n", -1,
                                &sub, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        struct row_asset r = {.id = db_u64(s, 0), .net = db_text(s, 1), .key = addr_at(s, 2), .parent = db_u64(s, 3),
                              .evidence = db_u64(s, 4), .roles = db_u32(s, 5), .n_targets = db_u32(s, 6),
                              .authorized = db_u8(s, 7), .flags = db_u8(s, 8), .life = life_at(s, 9)};
        rc = load_addrs(sub, &r, &a);
        if (rc == SQLITE_OK && !into->asset(into->ctx, &r))
            rc = SQLITE_NOMEM;
    }
    sqlite3_finalize(sub);
    sqlite3_finalize(s);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static bool take_net(sqlite3_stmt *s, const struct row_sink *into)
{
    struct row_net r = {.net = db_text(s, 0), .life = life_at(s, 1)};
    return into->net(into->ctx, &r);
}

static bool take_ident(sqlite3_stmt *s, const struct row_sink *into)
{
    struct row_ident r = {.asset = db_u64(s, 0), .kind = db_u8(s, 1), .sub = db_u32(s, 2), .source = db_text(s, 3),
                          .value = db_text(s, 4), .confidence = db_u8(s, 5), .current = db_u8(s, 6),
                          .learned = db_u8(s, 7), .first_ns = db_u64(s, 8), .last_ns = db_u64(s, 9)};
    return into->ident(into->ctx, &r);
}

static bool take_link(sqlite3_stmt *s, const struct row_sink *into)
{
    struct row_link r = {.id = db_u64(s, 0),
                         .net = db_text(s, 1),
                         .client = addr_at(s, 2),
                         .server = addr_at(s, 3),
                         .l4 = db_u8(s, 4),
                         .port = (uint16_t)db_u32(s, 5),
                         .apps = db_text(s, 6),
                         .app_learned = db_u8(s, 7),
                         .app_judged = db_u8(s, 8),
                         .packets = {db_u64(s, 9), db_u64(s, 10)},
                         .bytes = {db_u64(s, 11), db_u64(s, 12)},
                         .errors = db_u64(s, 13),
                         .resets = db_u64(s, 14),
                         .retransmissions = db_u64(s, 15),
                         .gaps = db_u64(s, 16),
                         .flags = db_u8(s, 17),
                         .life = life_at(s, 18)};
    return into->link(into->ctx, &r);
}

static bool take_func(sqlite3_stmt *s, const struct row_sink *into)
{
    struct row_func r = {.id = db_u64(s, 0),
                         .link = db_u64(s, 1),
                         .proto = db_text(s, 2),
                         .function = db_text(s, 3),
                         .name = db_text(s, 4),
                         .fn = db_u32(s, 5),
                         .sel = db_u32(s, 6),
                         .unit = db_u32(s, 7),
                         .has_unit = sqlite3_column_type(s, 7) != SQLITE_NULL,
                         .sub = db_u32(s, 8),
                         .life = life_at(s, 9)};
    return into->func(into->ctx, &r);
}

static bool take_op(sqlite3_stmt *s, const struct row_sink *into)
{
    struct row_op r = {.id = db_u64(s, 0), .func = db_u64(s, 1), .action = db_text(s, 2), .kind = db_text(s, 3),
                       .name = db_text(s, 4), .object = db_text(s, 5), .space = db_u32(s, 6), .first = db_u32(s, 7),
                       .last = db_u32(s, 8), .has_range = db_u8(s, 9), .bit = db_u8(s, 10), .count = db_u64(s, 11),
                       .errors = db_u64(s, 12), .period_us = db_u32(s, 13), .life = life_at(s, 15)};
    for (const char *p = db_text(s, 14); p && *p && r.n_status < ROW_OP_ERRORS;) {
        char *end;
        r.status[r.n_status] = (uint32_t)strtoul(p, &end, 10);
        r.status_learned |= (uint8_t)((*end != '?') << r.n_status);
        r.n_status++;
        p = end + (*end == '?');
        if (*p != ',')
            break;
        p++;
    }
    return into->op(into->ctx, &r);
}

static bool take_accepted(sqlite3_stmt *s, const struct row_sink *into)
{
    struct row_accepted r = {.key = db_u64(s, 0), .type = db_text(s, 1), .src = db_text(s, 2), .dst = db_text(s, 3),
                             .what = db_text(s, 4), .since_ns = db_u64(s, 5)};
    return into->accepted(into->ctx, &r);
}

/* Least recently seen first: so the tables' order of eviction comes back too. */
static const struct {
    const char *sql;
    bool (*take)(sqlite3_stmt *s, const struct row_sink *into);
} tables[] = {
    {"SELECT asset,kind,sub,source,value,confidence,current,learned,first_ns,last_ns FROM ident "
     "ORDER BY last_ns,asset,kind,sub,source,value",
     take_ident},
    {"SELECT "
     "id,net,client,server,l4,port,apps,app_learned,app_judged,packets_c,packets_s,bytes_c,bytes_s,errors,resets,"
     "retransmissions,gaps,flags,learned,first_ns,last_ns,learn_ns,novelty_ns,alert_ns FROM link ORDER BY last_ns,id",
     take_link},
    {"SELECT id,link,proto,function,name,fn,sel,unit,sub,learned,first_ns,last_ns,learn_ns,novelty_ns,alert_ns FROM "
     "func "
     "ORDER BY last_ns,id",
     take_func},
    {"SELECT "
     "id,func,action,kind,name,object,space,first,last,has_range,bit,count,errors,period_us,status,learned,first_ns,"
     "last_ns,learn_ns,novelty_ns,alert_ns FROM op ORDER BY last_ns,id",
     take_op},
    {"SELECT key,type,src,dst,what,since_ns FROM accepted ORDER BY since_ns,key", take_accepted},
};

static int load_table(sqlite3 *db, const char *sql, bool (*take)(sqlite3_stmt *, const struct row_sink *),
                      const struct row_sink *into)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW)
        rc = take(s, into) ? SQLITE_OK : SQLITE_NOMEM;
    sqlite3_finalize(s);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int db_load(sqlite3 *db, const struct row_sink *into)
{
    int rc = load_table(
        db, "SELECT name,learned,first_ns,last_ns,learn_ns,novelty_ns,alert_ns FROM net ORDER BY first_ns,name",
        take_net, into);
    if (rc == SQLITE_OK)
        rc = load_assets(db, into);
    for (unsigned i = 0; i < ARRAY_LEN(tables) && rc == SQLITE_OK; i++)
        rc = load_table(db, tables[i].sql, tables[i].take, into);
    return rc;
}
