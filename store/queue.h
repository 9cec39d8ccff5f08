/* queue.h: rows on their way to the writing thread: packed into a bounded buffer, taken whole. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/row.h"
#include "store/store.h"

enum msg_kind {
    MSG_ASSET,
    MSG_IDENT,
    MSG_LINK,
    MSG_FUNC,
    MSG_OP,
    MSG_NET,
    MSG_ACCEPTED,
    MSG_GONE,
    MSG_META,
    MSG_CURSOR,
    MSG_WISH,
    MSG_ALERT,
    MSG_KINDS
};

struct msg_gone {
    uint64_t id;
    uint32_t kind;
};
struct msg_meta { /* also MSG_CURSOR; MSG_WISH: value answers wish seq */
    const char *key, *value;
    uint64_t seq;
};

struct msg_buf {
    uint8_t *p;
    uint32_t n, cap;
    uint32_t rows;
};
/* Append a copy of the row with its strings and arrays. False: no room. */
bool msg_put(struct msg_buf *b, enum msg_kind kind, const void *row);
union msg_row {
    struct row_asset asset;
    struct row_ident ident;
    struct row_link link;
    struct row_func func;
    struct row_op op;
    struct row_net net;
    struct row_accepted accepted;
    struct msg_gone gone;
    struct msg_meta meta;
    struct store_alert alert;
};
/* The row at `at` as it lies in the buffer, its pointers still offsets, with its kind and its length there; NULL at the
 * end. */
const void *msg_at(const struct msg_buf *b, uint32_t at, enum msg_kind *kind, uint32_t *len);
/* The row at *at (moved behind it); its strings lie in the buffer. False at the end. */
bool msg_next(const struct msg_buf *b, uint32_t *at, enum msg_kind *kind, union msg_row *ret);
