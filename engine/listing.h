/* listing.h: what the listing commands share: common options, words for numbers, cells that fit a terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/jw.h"

struct query;
struct rows;

enum { LIST_ROWS = 65536, CELL = 64, JSON_BYTES = 1 << 20 };

/* `text` cut to `width` columns, the cut marked by ".."; "-" for none. Returns out. */
const char *cell(char out[CELL], const char *text, unsigned width);
/* "2026-01-05 10:11" in UTC; "-": nobody saw it (ROW_NEVER_NS) */
const char *cell_time(char out[CELL], uint64_t ns);
/* The same in a record; null when nobody saw it. */
void json_seen(struct jw *w, const char *key, uint64_t ns);
/* "12.3k", "4.5M" */
const char *cell_count(char out[CELL], uint64_t n);
const char *cell_id(char out[CELL], uint64_t id); /* 16 hex digits */
const char *cell_proto(char out[CELL], int64_t l4); /* "TCP" */
const char *cell_port(char out[CELL], int64_t l4, int64_t port); /* "TCP/502", "ETH/0x88b8", "ICMP" */
const char *cell_learned(int64_t learned);
/* "2", "3.5"; "-" for -1 */
const char *cell_purdue(char out[CELL], int64_t purdue);

/* Strings of a comma-joined list as a JSON array. */
void json_list(struct jw *w, const char *key, const char *joined);
void json_or_null(struct jw *w, const char *key, const char *text); /* NULL and "": null */
/* Names of ROLE_ bits as a JSON array, or joined by ", " into out. */
void json_roles(struct jw *w, const char *key, uint32_t roles);
void text_roles(char *out, size_t n, uint32_t roles);
/* A list of objects, one a line: begin, each, end. buf holds JSON_BYTES. */
struct json_lines {
    struct jw w;
    char *buf;
    unsigned n;
};
int json_lines_begin(struct json_lines *j); /* 0 or -ENOMEM */
struct jw *json_lines_next(struct json_lines *j);
void json_lines_put(struct json_lines *j);  /* the object is complete */
void json_lines_end(struct json_lines *j);

/* Rows of one question about one id; NULL after telling why on standard error. */
struct rows *ask(struct query *q, int id, const char *const *args, unsigned n);
struct rows *ask_id(struct query *q, int query, uint64_t id);
bool next(struct rows *r);
/* The full uid of the alert that begins so; 1 found, 0 none, -errno. */
int uid_complete(struct query *q, const char *begin, char out[17], struct err *e);
/* Open the database of -d, telling why not on standard error. */
struct query *open_db(const char *path);
