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
    bool stack;     /* the last column is long: it goes on below itself, or on a line of its own in a narrow terminal */
    uint32_t drop;  /* bit per column: left out, from the right, while lines are longer than the terminal is wide */
    unsigned tint_col;
    const char *(*tint)(const char *cell); /* the colour of a cell of that column on a terminal, NULL: none */
    void (*below)(void *arg, size_t row); /* prints what stands below a row, from 0; NULL: nothing */
    void *below_arg;
    char **cell;
    size_t n, cap; /* cells */
    int failed;    /* -ENOMEM: nothing more is collected */
};
/* The head, one word a column; NULL-terminated. */
void columns_init(struct columns *c, uint32_t right, const char *const head[]);
void columns_add(struct columns *c, const char *fmt, ...) PRINTF(2, 3);
/* Print and free. 0 or -ENOMEM. */
int columns_print(struct columns *c, FILE *f);
/* How wide the terminal is; what is no terminal is taken for one of 120 columns. */
unsigned terminal_width(void);
/* Control characters as '?': what came off the wire must not steer a terminal. */
void print_safe(FILE *f, const char *s);
/* Text in lines of at most `width`, each after `indent` blanks. */
void print_wrapped(FILE *f, const char *text, unsigned indent, unsigned width);
