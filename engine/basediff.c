#include "engine/basediff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/basemodel.h"
#include "engine/listing.h"

/* Lines that stand alone, sorted: what it is ("asset", "link", "accepted"; of a fact its link), then the thing itself.
 */
struct fact {
    char *line;
    size_t at; /* where the fact begins in it */
};
struct facts {
    struct fact *fact;
    size_t n, cap;
};

static int facts_add(struct facts *x, const char *link, const char *fact)
{
    if (x->n == x->cap) {
        size_t cap = x->cap ? x->cap * 2 : 1024;
        struct fact *p = realloc(x->fact, cap * sizeof *p);
        if (!p)
            return -ENOMEM;
        x->fact = p;
        x->cap = cap;
    }
    char *s = NULL;
    if (asprintf(&s, "%s %s", link, fact) < 0)
        return -ENOMEM;
    x->fact[x->n++] = (struct fact){s, strlen(link) + 1};
    return 0;
}

static void facts_done(struct facts *x)
{
    for (size_t i = 0; i < x->n; i++)
        free(x->fact[i].line);
    free(x->fact);
}

static int by_text(const void *x, const void *y)
{
    return strcmp(((const struct fact *)x)->line, ((const struct fact *)y)->line);
}

static int facts_read(struct facts *x, FILE *f)
{
    char line[4096], link[4096] = "";
    const char *section = "asset";
    int r = 0;
    while (!r && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\r\n")] = 0;
        char *p = line + strspn(line, " ");
        if (strncmp(p, "- link: ", 8) == 0) {
            snprintf(link, sizeof link, "%s", p + 8);
            r = facts_add(x, "link", link);
        } else if (strncmp(p, "- {", 3) == 0) {
            r = facts_add(x, p == line ? section : link, p + 2);
        } else if (strcmp(p, "assets:") == 0 || strcmp(p, "accepted:") == 0) {
            section = p[1] == 's' ? "asset" : "accepted";
        }
    }
    return r;
}

/* A database or an export, whichever it is: through a model both times, so that both are written alike. */
static int facts_of(struct facts *x, const char *path, struct err *e)
{
    struct basemodel m = {0};
    struct baseline_text got = {0};
    char magic[16] = "", *text = NULL;
    size_t n;
    int r = -ENOMEM;
    FILE *f = fopen(path, "re"), *t;
    if (!f)
        return err_set(e, -errno, "%s: %s", path, strerror(errno));
    bool db = fread(magic, 1, 16, f) == 16 && memcmp(magic, "SQLite format 3", 16) == 0;
    rewind(f);
    r = db ? basemodel_of_db(&m, path, e) : basemodel_new(&m, NULL, e);
    if (!r && !db)
        r = baseline_import(m.b, f, path, 1, &got, e);
    fclose(f);
    if (!r && (t = open_memstream(&text, &n))) {
        r = baseline_export(m.b, t, false, e);
        if (fclose(t) && !r)
            r = err_set(e, -ENOMEM, "no memory");
        if (!r && (t = fmemopen(text, n, "r"))) {
            r = facts_read(x, t);
            fclose(t);
        }
        qsort(x->fact, x->n, sizeof *x->fact, by_text);
    }
    free(text);
    basemodel_done(&m);
    return r;
}

/* j: NULL for people. */
static void tell_fact(const struct fact *f, bool added, struct json_lines *j)
{
    if (!j) {
        printf("%c %s\n", added ? '+' : '-', f->line);
        return;
    }
    struct jw *w = json_lines_next(j);
    bool of_link = f->line[0] == '{';
    char *end = f->line + f->at - 1;
    *end = 0;
    jw_kv_str(w, "change", added ? "added" : "removed");
    jw_kv_str(w, "kind", of_link ? "fact" : f->line);
    jw_kv_str(w, "link", of_link ? f->line : NULL);
    jw_kv_str(w, "text", f->line + f->at);
    *end = ' ';
    json_lines_put(j);
}

int basediff(const char *old, const char *new, bool json, struct err *e)
{
    struct facts x = {0}, y = {0};
    struct json_lines j;
    size_t i = 0, k = 0, n = 0;
    int r = facts_of(&x, old, e);
    if (!r)
        r = facts_of(&y, new, e);
    if (!r && json && (r = json_lines_begin(&j)))
        err_set(e, r, "no memory");
    while (!r && (i < x.n || k < y.n)) {
        int c = i == x.n ? 1 : k == y.n ? -1 : strcmp(x.fact[i].line, y.fact[k].line);
        if (c)
            tell_fact(c < 0 ? &x.fact[i] : &y.fact[k], c > 0, json ? &j : NULL);
        n += c != 0;
        i += c <= 0;
        k += c >= 0;
    }
    if (!r && json)
        json_lines_end(&j);
    facts_done(&x);
    facts_done(&y);
    return r ? r : n != 0;
}
