/* feed.h: rows of the queue as a table that SQLite reads: many go in with one statement, where each had bound its
 * values to a statement of its own. Inside store/ only. */
#pragma once

#include <sqlite3.h>

#include "store/queue.h"

enum { FEED_COLUMNS = 29, FEED_SQL = 256 };

struct feed_row { /* by key, as its table is sorted: neighbours land on one page */
    uint64_t key;
    uint32_t at; /* in the buffer */
};

/* What the table named "feed" holds just now: rows of one kind. Column k is the k-th of the kind's table. */
struct feed {
    const struct msg_buf *buf;
    const struct feed_row *rows;
    uint32_t n;
};
/* f stays where it is until the connection is closed. SQLITE_ code */
int feed_init(struct feed *f, sqlite3 *db);
/* "INSERT OR REPLACE INTO link SELECT c0,... FROM feed"; NULL: no rows of a table */
const char *feed_sql(enum msg_kind kind, char out[FEED_SQL]);

/* Rows of one kind from *at on (moved behind them), at most max, sorted into v; spare has as many. Their number; 0: the
 * message at *at is none. */
uint32_t feed_take(const struct msg_buf *b, uint32_t *at, struct feed_row *v, struct feed_row *spare, uint32_t max);
