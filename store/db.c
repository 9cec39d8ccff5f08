#include "store/db.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/admin.h"

#define DB_PAGE "8192" /* bytes: an alert with its record is some 2 KiB */

extern const char schema_1[], schema_2[], schema_3[], schema_indexes[];
/* Step k brings a database of version k to k + 1; they are only ever appended. */
static const char *const steps[] = {schema_1, schema_2, schema_3};

int db_version(void)
{
    return (int)ARRAY_LEN(steps);
}

int db_exec(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

int db_error(sqlite3 *db, int rc, const char *path, struct err *e)
{
    static const struct {
        int rc, code;
        const char *words;
    } known[] = {
        {SQLITE_BUSY, -EBUSY, "is locked by another program"},
        {SQLITE_LOCKED, -EBUSY, "is locked"},
        {SQLITE_FULL, -ENOSPC, "cannot grow: the disk is full"},
        {SQLITE_READONLY, -EROFS, "cannot be written: it or its folder is read-only"},
        {SQLITE_NOTADB, -EINVAL, "is not a database"},
        {SQLITE_CORRUPT, -EIO, "is damaged"},
        {SQLITE_CANTOPEN, -ENOENT, "cannot be opened, nor a file beside it"},
        {SQLITE_NOMEM, -ENOMEM, "cannot be worked on: no memory"},
        {SQLITE_IOERR, -EIO, "cannot be read or written: the disk reports an error"},
    };
    /* A roll-back in between has the connection say "not an error". */
    bool own = db && (sqlite3_errcode(db) & 0xff) == (rc & 0xff);
    const char *said = own ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
    for (unsigned i = 0; i < ARRAY_LEN(known); i++)
        if ((rc & 0xff) == known[i].rc)
            return err_set(e, known[i].code, "%s: the database %s (%s)", path, known[i].words, said);
    return err_set(e, -EIO, "%s: %s", path, said);
}

static int pragma_int(sqlite3 *db, const char *sql, int *ret)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        *ret = sqlite3_column_int(s, 0);
        rc = SQLITE_OK;
    }
    sqlite3_finalize(s);
    return rc;
}

static int migrate(sqlite3 *db, int from)
{
    char sql[64];
    for (int v = from; v < db_version(); v++) {
        int rc = db_exec(db, "BEGIN IMMEDIATE");
        if (rc == SQLITE_OK)
            rc = db_exec(db, steps[v]);
        snprintf(sql, sizeof sql, "PRAGMA user_version=%d", v + 1);
        if (rc == SQLITE_OK)
            rc = db_exec(db, sql);
        snprintf(sql, sizeof sql, "PRAGMA application_id=%d", DB_APPLICATION);
        if (rc == SQLITE_OK)
            rc = db_exec(db, sql);
        if (rc == SQLITE_OK)
            rc = db_exec(db, "COMMIT");
        if (rc != SQLITE_OK) {
            db_exec(db, "ROLLBACK");
            return rc;
        }
    }
    return SQLITE_OK;
}

/* Ours, and not from the future? *version: as stored. */
static int check(sqlite3 *db, const char *path, int *version, bool *empty, struct err *e)
{
    int app = 0, tables = 0, rc;
    if ((rc = pragma_int(db, "SELECT count(*) FROM sqlite_master", &tables)) != SQLITE_OK ||
        (rc = pragma_int(db, "PRAGMA application_id", &app)) != SQLITE_OK ||
        (rc = pragma_int(db, "PRAGMA user_version", version)) != SQLITE_OK)
        return db_error(db, rc, path, e);
    *empty = tables == 0;
    if (*empty && (app == 0 || app == DB_APPLICATION))
        return 0;
    if (app != DB_APPLICATION)
        return err_set(e, -EINVAL, "%s: a database of another program; expected one that tyto made", path);
    if (*version > db_version())
        return err_set(e, -EINVAL, "%s: made by a newer tyto (database version %d; this program knows up to %d)", path,
                       *version, db_version());
    return 0;
}

/* Nobody reads a new file yet, and a rollback journal keeps only pages that were there before: what is appended is
 * written once, where a write-ahead log has it written twice. Until there is something, there is nothing to lose. */
static int prepare(sqlite3 *db, enum db_use use, bool empty, int version)
{
    int rc = SQLITE_OK;
    if (empty)
        rc = db_exec(db, "PRAGMA page_size=" DB_PAGE "; PRAGMA synchronous=OFF");
    if (rc == SQLITE_OK)
        rc = db_exec(db, empty && use == DB_FILL ? "PRAGMA journal_mode=TRUNCATE" : "PRAGMA journal_mode=WAL");
    /* temp_store: what one statement may have to take back, a few pages. secure_delete: Debian's SQLite writes zeros
     * over all that moves within the file; whoever may read the file may read what is in it anyway. */
    if (rc == SQLITE_OK)
        rc = db_exec(db, "PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=OFF; PRAGMA wal_autocheckpoint=1000; "
                         "PRAGMA secure_delete=OFF");
    if (rc == SQLITE_OK)
        rc = migrate(db, version);
    if (rc == SQLITE_OK && (!empty || use != DB_FILL))
        rc = db_exec(db, schema_indexes);
    if (rc == SQLITE_OK)
        rc = db_exec(db, "PRAGMA synchronous=NORMAL");
    /* A log whose database file is empty is thrown away: the file must be on the disk before the log is worth anything.
     */
    return rc == SQLITE_OK && empty && use != DB_FILL ? db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)") : rc;
}

static int make_indexes(sqlite3 *db, const char *begin)
{
    int rc = db_exec(db, begin);
    if (rc == SQLITE_OK)
        rc = db_exec(db, schema_indexes);
    if (rc == SQLITE_OK)
        rc = db_exec(db, "COMMIT");
    if (!sqlite3_get_autocommit(db))
        db_exec(db, "ROLLBACK");
    return rc;
}

/* Keys are sorted in one piece of memory as large as the cache, and beyond in a file: in memory alone SQLite allocates
 * each key apart, as many as there are. Without a folder for such files the latter still works. */
int db_settle(sqlite3 *db)
{
    int rc = make_indexes(db, "PRAGMA temp_store=FILE; BEGIN");
    if (rc != SQLITE_OK)
        rc = make_indexes(db, "PRAGMA temp_store=MEMORY; BEGIN");
    return rc == SQLITE_OK ? db_exec(db, "PRAGMA journal_mode=WAL") : rc;
}

/* SQLite says no more than that it cannot open a file, and makes it as readable as the umask lets it: alerts are in it,
 * and their files are 0640. Files that SQLite has beside it take after it. */
static int reach(const char *path, bool write, bool *made, struct err *e)
{
    struct stat st;
    *made = false;
    if (strcmp(path, ":memory:") == 0)
        return 0;
    if (!*path)
        return err_set(e, -EINVAL, "found no name of a database, expected a file");
    bool there = stat(path, &st) == 0;
    if (there && S_ISDIR(st.st_mode))
        return err_set(e, -EISDIR, "%s: found a folder, expected a database", path);
    if (there && faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0)
        return 0;
    if (there || errno != ENOENT || !write)
        return err_set(e, -errno, "%s: the database cannot be opened: %s", path, strerror(errno));
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    if (fd < 0)
        return err_set(e, -errno, "%s: the database cannot be made: %s", path, strerror(errno));
    close(fd);
    *made = true;
    return 0;
}

void db_remove(const char *path)
{
    static const char *const beside[] = {"-journal", "-wal", "-shm", ""};
    char name[PATH_MAX];
    for (unsigned i = 0; i < ARRAY_LEN(beside); i++)
        if (snprintf(name, sizeof name, "%s%s", path, beside[i]) < (int)sizeof name)
            (void)unlink(name);
}

/* Beside a database with a write-ahead log SQLite wants to make an index of that log, also to read only: a reader who
 * may not write the folder gets nowhere once the writer has gone and taken both files with it. Where there is no log,
 * all is in the file, which may be read as it is. A writer that comes meanwhile is not noticed, which is why this is
 * not how everybody reads: a listing then may tell of two moments. */
static int open_still(const char *path, sqlite3 **ret)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
    size_t n = strlen(path);
    char *uri = malloc(3 * n + 32), *p = uri;
    if (!uri)
        return SQLITE_NOMEM;
    p += sprintf(p, *path == '/' ? "file://" : "file:");
    for (; *path; path++)
        p += sprintf(p, strchr(plain, *path) ? "%c" : "%%%02x", (unsigned char)*path);
    strcpy(p, "?immutable=1");
    int rc = sqlite3_open_v2(uri, ret, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
    free(uri);
    return rc;
}

static bool has_log(const char *path)
{
    char log[4096 + 8];
    struct stat st;
    return (size_t)snprintf(log, sizeof log, "%s-wal", path) >= sizeof log || stat(log, &st) == 0 || errno != ENOENT;
}

int db_open(const char *path, enum db_use use, sqlite3 **ret, bool *fresh, struct err *e)
{
    bool write = use != DB_READ;
    sqlite3 *db = NULL;
    bool empty = false, made;
    int version = 0, r = reach(path, write, &made, e), rc;
    if (r)
        return r;
    /* Nobody asks how much memory SQLite has, and each allocation takes a lock to count it. Refused, harmlessly, once
     * the library is in use. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    rc = sqlite3_open_v2(path, &db, write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY, NULL);
    if (rc != SQLITE_OK) {
        r = db_error(db, rc, path, e);
        goto fail;
    }
    sqlite3_busy_timeout(db, 5000);
    r = check(db, path, &version, &empty, e);
    if (!write && (r == -EROFS || r == -ENOENT) && !has_log(path)) {
        struct err again;
        sqlite3_close(db);
        db = NULL;
        rc = open_still(path, &db);
        r = rc == SQLITE_OK && check(db, path, &version, &empty, &again) == 0 ? 0 : r;
    }
    if (r)
        goto fail;
    if (!write && (empty || version < db_version())) {
        r = empty ? err_set(e, -EINVAL, "%s: an empty database", path)
                  : err_set(e, -EINVAL, "%s: database version %d; a run of `tyto db migrate` brings it to %d", path,
                            version, db_version());
        goto fail;
    }
    if (write && (rc = prepare(db, use, empty, version)) != SQLITE_OK) {
        r = db_error(db, rc, path, e);
        goto fail;
    }
    *ret = db;
    if (fresh)
        *fresh = empty;
    return 0;
fail:
    sqlite3_close(db);
    if (made)
        db_remove(path);
    return r;
}

void db_bind_text(sqlite3_stmt *s, int i, const char *text)
{
    if (text)
        sqlite3_bind_text(s, i, text, -1, SQLITE_TRANSIENT);
    else
        sqlite3_bind_null(s, i);
}

void db_bind_held(sqlite3_stmt *s, int i, const char *text)
{
    if (text)
        sqlite3_bind_text(s, i, text, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(s, i);
}

void db_bind_u64(sqlite3_stmt *s, int i, uint64_t v)
{
    sqlite3_bind_int64(s, i, (sqlite3_int64)v);
}

void db_bind_addr(sqlite3_stmt *s, int i, const struct addr *a)
{
    char t[ADDR_TEXT];
    addr_text(a, t);
    db_bind_text(s, i, t);
}
