/* columns.c: aligned columns and wrapped text on a terminal. */
#include "engine/columns.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

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

unsigned terminal_width(void)
{
    struct winsize w;
    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col >= 40 ? w.ws_col : 120;
}

enum { LEAST = 24, BESIDE = 48 /* columns that a text beside the others needs to be pleasant to read */ };

/* The last cell of a line that `at` columns stand before, in lines of at most `wrap`. */
static void print_last(FILE *f, const char *s, size_t at, size_t wrap)
{
    size_t room = wrap > at + LEAST ? wrap - at : LEAST;
    while (width_of(s) > room) {
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

struct layout {
    size_t width[COLUMNS_MAX], before; /* before: columns before the last one */
    unsigned line;                     /* of the terminal */
    bool shown[COLUMNS_MAX], below, colour;
};

static size_t line_of(const struct columns *c, const struct layout *l)
{
    size_t n = 0;
    for (unsigned i = 0; i < c->n_cols; i++)
        if (l->shown[i] && !(c->stack && i + 1 == c->n_cols))
            n += l->width[i] + 2;
    return n;
}

static void lay_out(const struct columns *c, struct layout *l)
{
    *l = (struct layout){.line = terminal_width(), .colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR")};
    for (size_t i = 0; i < c->n; i++) {
        size_t w = width_of(c->cell[i]);
        if (w > l->width[i % c->n_cols])
            l->width[i % c->n_cols] = w;
    }
    for (unsigned i = 0; i < c->n_cols; i++)
        l->shown[i] = true;
    for (unsigned i = c->n_cols; i-- > 0;)
        if (c->drop >> i & 1 && line_of(c, l) > l->line + 2u)
            l->shown[i] = false;
    for (unsigned i = 0; i + 1 < c->n_cols; i++)
        l->before += l->shown[i] ? l->width[i] + 2 : 0;
    l->below = c->stack && l->before + BESIDE > l->line;
}

static void print_cell(const struct columns *c, const struct layout *l, FILE *f, const char *s, unsigned col)
{
    int pad = (int)(l->width[col] - width_of(s));
    const char *colour = l->colour && c->tint && col == c->tint_col ? c->tint(s) : NULL;
    bool right = c->right >> col & 1;
    if (right)
        fprintf(f, "%*s", pad, "");
    if (colour)
        fputs(colour, f);
    print_safe(f, s);
    if (colour)
        fputs("\033[0m", f);
    bool more = false;
    for (unsigned i = col + 1; i < c->n_cols; i++)
        more |= l->shown[i] && !(l->below && i + 1 == c->n_cols);
    if (more)
        fprintf(f, "%*s  ", right ? 0 : pad, "");
}

int columns_print(struct columns *c, FILE *f)
{
    enum { INDENT = 10 };
    struct layout l;
    lay_out(c, &l);
    for (size_t i = 0; i < c->n; i++) {
        unsigned col = (unsigned)(i % c->n_cols);
        bool last = col + 1 == c->n_cols;
        if (last && l.below && i >= c->n_cols)
            fprintf(f, "\n%*s", INDENT, "");
        if (last && l.below && i < c->n_cols)
            ; /* its head would stand alone */
        else if (last && c->stack)
            print_last(f, c->cell[i], l.below ? INDENT : l.before, l.line);
        else if (l.shown[col])
            print_cell(c, &l, f, c->cell[i], col);
        if (last)
            fputc('\n', f);
        if (last && c->below && i >= c->n_cols)
            c->below(c->below_arg, i / c->n_cols - 1);
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
