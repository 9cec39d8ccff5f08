#include "store/admin.h"

#include "store/db.h"
#include "store/query.h"

/* One number of a pragma. */
static uint64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s = NULL;
    uint64_t n = 0;
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        n = db_u64(s, 0);
    sqlite3_finalize(s);
    return n;
}

int db_info(const char *path, struct db_info *ret, struct err *e)
{
    sqlite3 *db;
    int r = db_open(path, DB_READ, &db, NULL, e);
    if (r)
        return r;
    uint64_t page = number(db, "PRAGMA page_size");
    *ret = (struct db_info){.version = (int)number(db, "PRAGMA user_version"), .newest = db_version(),
                            .bytes = page * number(db, "PRAGMA page_count"),
                            .free_bytes = page * number(db, "PRAGMA freelist_count")};
    sqlite3_close(db);
    return 0;
}

int db_migrate(const char *path, struct err *e)
{
    sqlite3 *db;
    int r = db_open(path, DB_WRITE, &db, NULL, e);
    if (!r)
        sqlite3_close(db);
    return r;
}

int db_check(const char *path, void (*tell)(void *ctx, const char *problem), void *ctx, struct err *e)
{
    /* What SQLite cannot know: rows whose parent is missing. */
    static const char *const sql[] = {
        "PRAGMA integrity_check",
        "SELECT printf('identity fact of no device: %016x',asset) FROM ident WHERE asset NOT IN (SELECT id FROM asset) "
        "LIMIT 100",
        "SELECT printf('address of no device: %016x',asset) FROM asset_addr WHERE asset NOT IN (SELECT id FROM asset) "
        "LIMIT 100",
        "SELECT printf('function of no link: %016x',id) FROM func WHERE link NOT IN (SELECT id FROM link) LIMIT 100",
        "SELECT printf('operation of no function: %016x',id) FROM op WHERE func NOT IN (SELECT id FROM func) LIMIT 100",
    };
    sqlite3 *db;
    int n = 0, rc = SQLITE_DONE, r = db_open(path, DB_READ, &db, NULL, e);
    if (r)
        return r;
    for (unsigned i = 0; i < ARRAY_LEN(sql) && rc == SQLITE_DONE; i++) {
        sqlite3_stmt *s = NULL;
        rc = sqlite3_prepare_v2(db, sql[i], -1, &s, NULL);
        while (rc == SQLITE_OK || rc == SQLITE_ROW) {
            rc = sqlite3_step(s);
            if (rc != SQLITE_ROW)
                break;
            const char *t = db_text(s, 0);
            if (t && sqlite3_stricmp(t, "ok") != 0) {
                tell(ctx, t);
                n++;
            }
        }
        sqlite3_finalize(s);
    }
    r = rc == SQLITE_DONE ? n : db_error(db, rc, path, e);
    sqlite3_close(db);
    return r;
}

int db_vacuum(const char *path, struct err *e)
{
    sqlite3 *db;
    int r = db_open(path, DB_READ, &db, NULL, e); /* must exist and be ours */
    if (r)
        return r;
    sqlite3_close(db);
    r = db_open(path, DB_WRITE, &db, NULL, e);
    if (r)
        return r;
    int rc = db_exec(db, "VACUUM");
    r = rc == SQLITE_OK ? 0 : db_error(db, rc, path, e);
    sqlite3_close(db);
    return r;
}
