/* emit.h: one description of nested values, printed as YAML for people or as JSON for programs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { EMIT_DEPTH = 8 };
struct emit {
    FILE *f;
    bool json;
    bool dash; /* YAML: "- " was printed, the first key follows it */
    bool gap;  /* YAML: "key:" was printed, a value in the same line follows a blank */
    int depth;
    bool list[EMIT_DEPTH], any[EMIT_DEPTH];
};
void emit_begin(struct emit *e, FILE *f, bool json);      /* the outermost mapping */
void emit_begin_list(struct emit *e, FILE *f, bool json); /* the outermost list */
void emit_end(struct emit *e);
/* key NULL inside a list. n 0: printed as empty, and false: nothing is to be closed. */
bool emit_map(struct emit *e, const char *key);
bool emit_list(struct emit *e, const char *key, uint32_t n);
void emit_close(struct emit *e);
void emit_str(struct emit *e, const char *key, const char *s); /* NULL: nothing is printed */
void emit_u64(struct emit *e, const char *key, uint64_t v);
void emit_bool(struct emit *e, const char *key, bool v);
void emit_duration(struct emit *e, const char *key, uint64_t ns);
void emit_raw(struct emit *e, const char *key, const char *s); /* a number */
/* Members of a list in one line: begin, each, end */
void emit_row(struct emit *e, const char *key);
void emit_row_str(struct emit *e, const char *s, bool first);
void emit_row_end(struct emit *e);
