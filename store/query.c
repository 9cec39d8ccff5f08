#include "store/query.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/schema.h"
#include "store/db.h"
#include "store/load.h"

struct query {
    sqlite3 *db;
    char *path;
};
struct rows {
    sqlite3_stmt *s;
    struct query *q;
};

/* An asset by its id, one of its addresses, or its name. */
#define WHO(id, who)                                                                                                   \
    "(" who " IS NULL OR printf('%016x'," id ")=lower(" who ") OR " id                                                 \
    " IN (SELECT asset FROM asset_addr WHERE value=lower(" who ")) OR " id " IN (SELECT id FROM asset WHERE name=" who \
    " COLLATE NOCASE))"
#define ADDRS_OF "(SELECT value FROM asset_addr WHERE asset=?1 AND kind<2)"
#define ALERT_COLUMNS                                                                                                  \
    "printf('%016x',uid),seq,upd,first_ns,last_ns,count,sid,severity,id,engine,title,src,dst,state,accept,json FROM "  \
    "alert "
/* An address matches one of the assets that `who` names, or is itself the text. */
#define SIDE(col, who)                                                                                                 \
    "(" col "=lower(" who ") OR " col                                                                                  \
    " IN (SELECT d.value FROM asset_addr d JOIN asset a ON a.id=d.asset WHERE d.kind<2 AND "                           \
    "(printf('%016x',a.id)=lower(" who ") OR a.name=" who " COLLATE NOCASE)))"
#define NAME_OF(col)                                                                                                   \
    "(SELECT a.name FROM asset_addr d JOIN asset a ON a.id=d.asset WHERE d.value=" col                                 \
    " AND d.kind<2 AND a.net=l.net "                                                                                   \
    "ORDER BY a.first_ns,a.id LIMIT 1)"

static const struct {
    const char *sql;
    uint8_t n_args, id_arg; /* id_arg: which argument is an id in hex, from 1; 0 none */
} queries[Q_IDS] = {
    [Q_META] = {"SELECT key,value FROM meta ORDER BY key", 0, 0},
    [Q_ASSETS] =
        {"SELECT id,net,key,name,type,type_reason,vendor,model,firmware,serial,os,state,zone,criticality,owner,tags,"
         "parent,roles,purdue,authorized,flags,learned,first_ns,last_ns FROM asset WHERE (?1 IS NULL OR type=?1) AND "
         "(?2 IS NULL OR zone=?2) AND (?3 IS NULL OR instr(lower(vendor),lower(?3))) AND " WHO(
             "id", "?4") " ORDER BY net,key COLLATE ADDRESS,id",
         4, 0},
    [Q_ASSET_ADDRS] = {"SELECT kind,value,learned FROM asset_addr WHERE asset=?1 ORDER BY kind,n", 1, 1},
    [Q_ASSET_IDENTS] = {"SELECT kind,sub,source,value,confidence,current,first_ns,last_ns FROM ident WHERE asset=?1 "
                        "ORDER BY kind,sub,current DESC,confidence DESC,last_ns DESC,source,value",
                        1, 1},
    [Q_ASSET_SERVES] = {"SELECT DISTINCT l4,port,apps FROM link WHERE server IN " ADDRS_OF
                        " AND packets_s>0 AND (packets_s>2 "
                        "OR apps<>'' OR l4<>6) AND net=(SELECT net FROM asset WHERE id=?1) ORDER BY l4,port,apps",
                        1, 1},
    [Q_ASSET_USES] = {"SELECT DISTINCT l4,port,apps FROM link WHERE client IN " ADDRS_OF
                      " AND packets_c>0 AND net=(SELECT net "
                      "FROM asset WHERE id=?1) ORDER BY l4,port,apps",
                      1, 1},
    [Q_LINKS] = {"SELECT "
                 "id,net,client,server,l4,port,apps,packets_c,packets_s,bytes_c,bytes_s,errors,resets,retransmissions,"
                 "gaps,flags,learned,first_ns,last_ns," NAME_OF("l.client") "," NAME_OF(
                     "l.server") ",(SELECT count(*) FROM op "
                                 "JOIN func f ON f.id=op.func WHERE f.link=l.id) FROM link l WHERE (?1 IS NULL "
                                 "OR " SIDE("client", "?1") " OR " SIDE(
                                     "server", "?1") ") AND (?2 IS NULL OR instr(','||apps||',',','||lower(?2)||',')) "
                                               "ORDER BY net,client COLLATE ADDRESS,server COLLATE ADDRESS,l4,port,id",
                 2, 0},
    [Q_LINK_OPS] =
        {"SELECT op.id,f.proto,f.function,f.name,f.unit,f.sub,op.action,op.object,op.count,op.errors,op.period_us,"
         "op.status,op.learned,op.first_ns,op.last_ns FROM func f JOIN op ON op.func=f.id WHERE f.link=?1 ORDER BY "
         "f.proto,f.fn,f.sel,f.unit,f.sub,op.action,op.kind,op.space,op.name,op.first,op.last,op.bit,op.id",
         1, 1},
    [Q_ALERTS] =
        {"SELECT " ALERT_COLUMNS "WHERE (?1 IS NULL OR state=?1) AND (?2 IS NULL OR engine=?2) AND (?3 IS NULL OR "
         "id=?3) AND (?4 IS NULL OR " SIDE("src", "?4") " OR " SIDE("dst", "?4")
         ") AND (?5 IS NULL OR severity>=?5+0) AND (?6 IS NULL "
         "OR last_ns>=?6+0) ORDER BY last_ns,id,uid",
         6, 0},
    [Q_ALERT] = {"SELECT " ALERT_COLUMNS "WHERE uid=?1", 1, 1},
    [Q_ALERT_OF_KEY] =
        {"SELECT " ALERT_COLUMNS "WHERE instr(' '||accept||' ',' '||?1||' ') ORDER BY last_ns DESC LIMIT 1", 1, 0},
    [Q_ALERTS_AFTER] = {"SELECT " ALERT_COLUMNS "WHERE seq>?1+0 ORDER BY seq", 1, 0},
    [Q_CURSORS] = {"SELECT output,seq FROM outbox ORDER BY output", 0, 0},
    [Q_NETS] = {"SELECT name,learn_ns,novelty_ns,first_ns,(SELECT count(*) FROM asset WHERE asset.net=n.name),(SELECT "
                "count(*) "
                "FROM asset WHERE asset.net=n.name AND asset.learned<>1) FROM net n ORDER BY name",
                0, 0},
    [Q_WISHES] = {"SELECT id,accept FROM wish WHERE answer IS NULL ORDER BY id", 0, 0},
    [Q_UNLEARNED] =
        {"SELECT key,learned,what,client,server,count,first_ns,last_ns,net,l4,port,apps FROM ("
         "SELECT CASE WHEN changes(op.action) THEN 0 ELSE 2 END AS level,printf('object:%016x',op.id) AS key,"
         "op.learned AS learned,op.action||' '||coalesce(op.object,f.name,'function '||f.function,'') AS what,"
         "l.client AS client,l.server AS server,op.count AS count,op.first_ns AS first_ns,op.last_ns AS last_ns,"
         "l.net AS net,l.l4 AS l4,l.port AS port,f.proto AS apps "
         "FROM op JOIN func f ON f.id=op.func JOIN link l ON l.id=f.link WHERE op.learned<>1 UNION ALL "
         "SELECT 1,printf('function:%016x',f.id),f.learned,coalesce(f.name,'function '||f.function,'function'),"
         "l.client,l.server,(SELECT sum(count) FROM op WHERE op.func=f.id),f.first_ns,f.last_ns,l.net,l.l4,l.port,"
         "f.proto FROM func f JOIN link l ON l.id=f.link WHERE f.learned<>1 UNION ALL "
         "SELECT 3,printf('asset:%016x',id),learned,'device, '||type,key,NULL,NULL,first_ns,last_ns,net,NULL,NULL,'' "
         "FROM asset WHERE learned<>1 UNION ALL "
         "SELECT CASE WHEN packets_s>0 OR apps<>'' THEN 4 ELSE 5 END,printf('link:%016x',id),learned,'link',client,"
         "server,packets_c+packets_s,first_ns,last_ns,net,l4,port,apps FROM link WHERE learned<>1"
         ") ORDER BY level,first_ns,key",
         0, 0},
    [Q_COUNTS] =
        {"SELECT 'assets',count(*) FROM asset UNION ALL SELECT 'identity facts',count(*) FROM ident UNION ALL SELECT "
         "'links',count(*) FROM link UNION ALL SELECT 'functions',count(*) FROM func UNION ALL SELECT 'operations',"
         "count(*) FROM op UNION ALL SELECT 'not learned',(SELECT count(*) FROM asset WHERE learned<>1)+(SELECT "
         "count(*) FROM link WHERE learned<>1)+(SELECT count(*) FROM func WHERE learned<>1)+(SELECT count(*) FROM op "
         "WHERE learned<>1) UNION ALL SELECT 'alerts',count(*) FROM alert",
         0, 0},
    [Q_HAS_TYPE] = {"SELECT 1 FROM asset WHERE type=?1 LIMIT 1", 1, 0},
    [Q_HAS_ZONE] = {"SELECT 1 FROM asset WHERE zone=?1 LIMIT 1", 1, 0},
    [Q_HAS_PROTOCOL] = {"SELECT 1 FROM link WHERE instr(','||apps||',',','||lower(?1)||',') LIMIT 1", 1, 0},
    [Q_HAS_ASSET] = {"SELECT 1 FROM asset WHERE " WHO("id", "?1") " LIMIT 1", 1, 0},
    [Q_HAS_ALERT_TYPE] = {"SELECT 1 FROM alert WHERE id=?1 LIMIT 1", 1, 0},
    [Q_ZONES] = {"SELECT DISTINCT zone FROM asset WHERE zone<>'' ORDER BY zone", 0, 0},
};

/* Addresses by value: 10.0.0.9 before 10.0.0.10, MACs behind IPs. */
static int by_address(void *ctx, int n1, const void *p1, int n2, const void *p2)
{
    char t[2][ADDR_TEXT] = {{0}, {0}};
    struct addr a[2];
    (void)ctx;
    memcpy(t[0], p1, (size_t)(n1 < ADDR_TEXT ? n1 : ADDR_TEXT - 1));
    memcpy(t[1], p2, (size_t)(n2 < ADDR_TEXT ? n2 : ADDR_TEXT - 1));
    if (!addr_parse(t[0], &a[0]) || !addr_parse(t[1], &a[1]))
        return strcmp(t[0], t[1]);
    int m = (int)addr_is_mac(&a[0]) - (int)addr_is_mac(&a[1]);
    return m ? m : memcmp(&a[0], &a[1], sizeof a[0]);
}

/* changes('write'): does that action change a device or the process? */
static void changes(sqlite3_context *c, int n, sqlite3_value **v)
{
    const char *name = (const char *)sqlite3_value_text(v[0]);
    int act = n && name ? action_by_name(name) : -1;
    sqlite3_result_int(c, act >= 0 && action_changes((unsigned)act));
}

int query_open(const char *path, struct query **ret, struct err *e)
{
    struct query *q = calloc(1, sizeof *q);
    if (!q || !(q->path = strdup(path))) {
        free(q);
        return err_set(e, -ENOMEM, "no memory for a query");
    }
    int r = db_open(path, DB_READ, &q->db, NULL, e);
    if (r) {
        query_close(q);
        return r;
    }
    sqlite3_create_collation(q->db, "ADDRESS", SQLITE_UTF8, NULL, by_address);
    sqlite3_create_function(q->db, "changes", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, changes, NULL, NULL);
    *ret = q;
    return 0;
}

void query_close(struct query *q)
{
    if (!q)
        return;
    sqlite3_close(q->db);
    free(q->path);
    free(q);
}

int query_load(struct query *q, const struct row_sink *into, struct err *e)
{
    int rc = db_load(q->db, into);
    return rc == SQLITE_OK ? 0 : db_error(q->db, rc, q->path, e);
}

struct rows *query_run(struct query *q, enum query_id id, const char *const *args, unsigned n, struct err *e)
{
    struct rows *r = calloc(1, sizeof *r);
    if (!r || id >= Q_IDS || n != queries[id].n_args) {
        free(r);
        err_set(e, r ? -EINVAL : -ENOMEM, "a query was asked wrongly");
        return NULL;
    }
    r->q = q;
    int rc = sqlite3_prepare_v2(q->db, queries[id].sql, -1, &r->s, NULL);
    if (rc != SQLITE_OK) {
        db_error(q->db, rc, q->path, e);
        free(r);
        return NULL;
    }
    for (unsigned i = 0; i < n; i++)
        if (i + 1 == queries[id].id_arg)
            db_bind_u64(r->s, (int)i + 1, args[i] ? strtoull(args[i], NULL, 16) : 0);
        else
            db_bind_text(r->s, (int)i + 1, args[i]);
    return r;
}

int rows_next(struct rows *r, struct err *e)
{
    int rc = sqlite3_step(r->s);
    if (rc == SQLITE_ROW)
        return 1;
    return rc == SQLITE_DONE ? 0 : db_error(r->q->db, rc, r->q->path, e);
}

const char *rows_text(struct rows *r, int col)
{
    return db_text(r->s, col);
}

int64_t rows_int(struct rows *r, int col)
{
    return sqlite3_column_int64(r->s, col);
}

bool rows_null(struct rows *r, int col)
{
    return sqlite3_column_type(r->s, col) == SQLITE_NULL;
}

void rows_done(struct rows *r)
{
    if (r)
        sqlite3_finalize(r->s);
    free(r);
}
