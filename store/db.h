/* db.h: one SQLite connection: opening, refusing what is not ours, migrations, statements. Inside store/ only. */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/addr.h"
#include "engine/base/err.h"

enum { DB_APPLICATION = 0x5459544f /* "TYTO" */ };

/* Version that this program writes: the number of steps in db.c. */
int db_version(void);
enum db_use {
    DB_READ,  /* must be there, and of this version */
    DB_WRITE, /* created when missing, migrated when older */
    DB_FILL,  /* as DB_WRITE; a new file gets its pages written once, without a log, until db_settle() */
};
/* *fresh: it had no tables. A file that this call made is gone again when it fails. */
int db_open(const char *path, enum db_use use, sqlite3 **ret, bool *fresh, struct err *e) MUST_USE;
/* A file that was filled becomes as every other one: readers do not disturb its writer. SQLITE_ code */
int db_settle(sqlite3 *db);
/* Says what failed, in words for people: locked, full, read-only, damaged. Returns the -errno that fits. */
int db_error(sqlite3 *db, int rc, const char *path, struct err *e);
int db_exec(sqlite3 *db, const char *sql); /* SQLITE_ code */

/* Binding by position, reading by column. */
void db_bind_text(sqlite3_stmt *s, int i, const char *text); /* NULL: null; copied */
void db_bind_held(sqlite3_stmt *s, int i, const char *text); /* the same, but text stays until the step is done */
void db_bind_u64(sqlite3_stmt *s, int i, uint64_t v);
void db_bind_addr(sqlite3_stmt *s, int i, const struct addr *a);
static inline const char *db_text(sqlite3_stmt *s, int i)
{
    return (const char *)sqlite3_column_text(s, i);
}
static inline uint64_t db_u64(sqlite3_stmt *s, int i)
{
    return (uint64_t)sqlite3_column_int64(s, i);
}
static inline uint8_t db_u8(sqlite3_stmt *s, int i)
{
    return (uint8_t)sqlite3_column_int64(s, i);
}
static inline uint32_t db_u32(sqlite3_stmt *s, int i)
{
    return (uint32_t)sqlite3_column_int64(s, i);
}
