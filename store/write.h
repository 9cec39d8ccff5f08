/* write.h: rows into tables, by prepared statements. Inside store/ only; one writer per connection. */
#pragma once

#include <sqlite3.h>

#include "store/feed.h"

enum {
    WRITE_STATEMENTS = 20,
    WRITE_SORTED = 16384,                                      /* rows that are sorted at a time */
    WRITE_BYTES = 2 * WRITE_SORTED * sizeof(struct feed_row), /* which takes as many beside them */
};
struct writer {
    sqlite3 *db;
    sqlite3_stmt *st[WRITE_STATEMENTS];
    sqlite3_stmt *insert[MSG_KINDS]; /* of what is a row of a table */
    struct feed feed;
    struct feed_row *run; /* WRITE_SORTED, and as many to sort with */
    uint64_t seq;         /* of the last alert */
};
int writer_init(struct writer *w, sqlite3 *db); /* SQLITE_ code */
void writer_done(struct writer *w);
/* Write messages from *at on (moved behind them): some, as belong together, at most max. *n: how many, 0 at the end.
 * SQLITE_ code */
int writer_take(struct writer *w, const struct msg_buf *b, uint32_t *at, unsigned max, unsigned *n);
