/* columns.h: a table for people: cells are collected, columns as wide as they need to be. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/base/err.h"

enum { COLUMNS_MAX = 16 };
struct columns {
    unsigned n_cols, at;
    uint32_t right; /* bit per column: numbers */
    unsigned wrap;  /* the last column goes on below itself where a line would be longer; 0: never */
    char **cell;
    size_t n, cap; /* cells */
    int failed;    /* -ENOMEM: nothing more is collected */
};
/* The head, one word a column; NULL-terminated. */
void columns_init(struct columns *c, uint32_t right, const char *const head[]);
void columns_add(struct columns *c, const char *fmt, ...) PRINTF(2, 3);
/* Print and free. 0 or -ENOMEM. */
int columns_print(struct columns *c, FILE *f);
/* Control characters as '?': what came off the wire must not steer a terminal. */
void print_safe(FILE *f, const char *s);
/* Text in lines of at most `width`, each after `indent` blanks. */
void print_wrapped(FILE *f, const char *text, unsigned indent, unsigned width);
