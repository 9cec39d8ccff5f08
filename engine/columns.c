/* columns.c: aligned columns and wrapped text on a terminal. */
#include "engine/columns.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void columns_init(struct columns *c, uint32_t right, const char *const head[])
{
    *c = (struct columns){.right = right};
    while (head[c->n_cols] && c->n_cols < COLUMNS_MAX)
        c->n_cols++;
    for (unsigned i = 0; i < c->n_cols; i++)
        columns_add(c, "%s", head[i]);
}

void columns_add(struct columns *c, const char *fmt, ...)
{
    va_list ap;
    char *s = NULL;
    if (c->n == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 256;
        char **p = realloc(c->cell, cap * sizeof *p);
        if (p) {
            c->cell = p;
            c->cap = cap;
        }
    }
    va_start(ap, fmt);
    if (c->n == c->cap || vasprintf(&s, fmt, ap) < 0)
        c->failed = -ENOMEM;
    else
        c->cell[c->n++] = s;
    va_end(ap);
}

/* Characters, not bytes: continuation bytes of UTF-8 take no column. */
static size_t width_of(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static void put_safe(FILE *f, const char *s, size_t n)
{
    for (; n; s++, n--)
        fputc((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s, f);
}

void print_safe(FILE *f, const char *s)
{
    put_safe(f, s, strlen(s));
}

/* The last cell of a line that `at` columns stand before, in lines of at most `wrap`. */
static void print_last(FILE *f, const char *s, size_t at, unsigned wrap)
{
    enum { LEAST = 24 };
    size_t room = wrap > at + LEAST ? wrap - at : LEAST;
    while (wrap && width_of(s) > room) {
        size_t n = 0, cut = 0;
        for (size_t w = 0; w <= room; n++) {
            w += ((unsigned char)s[n] & 0xc0) != 0x80;
            cut = s[n] == ' ' ? n : cut;
        }
        if (!cut)
            break;
        put_safe(f, s, cut);
        fprintf(f, "\n%*s", (int)at, "");
        s += cut + 1;
    }
    print_safe(f, s);
}

int columns_print(struct columns *c, FILE *f)
{
    size_t width[COLUMNS_MAX] = {0};
    for (size_t i = 0; i < c->n; i++) {
        size_t w = width_of(c->cell[i]);
        if (w > width[i % c->n_cols])
            width[i % c->n_cols] = w;
    }
    size_t before = 0;
    for (unsigned i = 0; i + 1 < c->n_cols; i++)
        before += width[i] + 2;
    for (size_t i = 0; i < c->n; i++) {
        unsigned col = (unsigned)(i % c->n_cols);
        bool last = col + 1 == c->n_cols, right = c->right >> col & 1;
        int pad = (int)(width[col] - width_of(c->cell[i]));
        if (right)
            fprintf(f, "%*s", pad, "");
        if (last)
            print_last(f, c->cell[i], before, c->wrap);
        else
            print_safe(f, c->cell[i]);
        fprintf(f, "%*s%s", right || last ? 0 : pad, "", last ? "\n" : "  ");
        free(c->cell[i]);
    }
    free(c->cell);
    c->cell = NULL;
    c->n = c->cap = 0;
    return c->failed;
}

void print_wrapped(FILE *f, const char *text, unsigned indent, unsigned width)
{
    size_t at = 0;
    while (*text) {
        size_t n = strcspn(text, " \n");
        if (at && at + 1 + n > width - indent) {
            fputc('\n', f);
            at = 0;
        }
        if (at) {
            fputc(' ', f);
            at++;
        } else {
            fprintf(f, "%*s", (int)indent, "");
        }
        put_safe(f, text, n);
        at += n;
        text += n;
        text += strspn(text, " \n");
    }
    if (at)
        fputc('\n', f);
}
