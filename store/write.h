/* write.h: rows into tables, by prepared statements. Inside store/ only; one writer per connection. */
#pragma once

#include <sqlite3.h>

#include "store/queue.h"

enum { WRITE_STATEMENTS = 24 };
struct writer {
    sqlite3 *db;
    sqlite3_stmt *st[WRITE_STATEMENTS];
    uint64_t seq; /* of the last alert */
};
int writer_init(struct writer *w, sqlite3 *db); /* SQLITE_ code */
void writer_done(struct writer *w);
int writer_put(struct writer *w, enum msg_kind kind, const union msg_row *r); /* SQLITE_ code */
