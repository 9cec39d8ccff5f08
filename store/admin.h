/* admin.h: looking after a database file: migrate, check, vacuum. */
#pragma once

#include <stdint.h>

#include "engine/base/err.h"

struct db_info {
    int version, newest;   /* of the file; of this program */
    uint64_t bytes, free_bytes;
};
int db_info(const char *path, struct db_info *ret, struct err *e) MUST_USE;
/* Bring it to this program's version. */
int db_migrate(const char *path, struct err *e) MUST_USE;
/* SQLite's own check of the whole file; problems are handed to tell, one at a time. Returns their number or -errno. */
int db_check(const char *path, void (*tell)(void *ctx, const char *problem), void *ctx, struct err *e) MUST_USE;
/* Give free pages back to the file system. */
int db_vacuum(const char *path, struct err *e) MUST_USE;
/* Takes the file away, and what SQLite has beside it. Nobody may have it open. */
void db_remove(const char *path);
