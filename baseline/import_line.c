/* import_line.c: the flow mapping of one line, {key: value, key: [a, b]}, and the values in it. */
#include "baseline/import.h"

#include <stdio.h>
#include <stdlib.h>

int import_bad(struct import *m, unsigned column, const char *found, const char *expected)
{
    return err_set(m->e, -EINVAL, "%s:%u:%u: found %s, expected %s", m->name, m->line, column, found, expected);
}

int import_bad_text(struct import *m, unsigned column, const char *what, const char *found, const char *expected)
{
    return err_set(m->e, -EINVAL, "%s:%u:%u: %s: found \"%.80s\", expected %s", m->name, m->line, column, what, found,
                   expected);
}

/* What stands at `p`, a place of `line`. */
int import_bad_here(struct import *m, const char *line, const char *p, const char *expected)
{
    char found[48] = "the end of the line";
    int n = *p ? (int)strcspn(p + 1, " ,]}") + 1 : 0;
    if (n)
        snprintf(found, sizeof found, "\"%.*s\"", n < 40 ? n : 40, p);
    return import_bad(m, (unsigned)(p - line) + 1, found, expected);
}

int import_missing(struct import *m, const char *key)
{
    return err_set(m->e, -EINVAL, "%s:%u:1: found no key %s, expected %s: and its value", m->name, m->line, key, key);
}

/* ---- the flow mapping of one line: {key: value, key: [a, b]} ---- */

char *import_skip(char *p)
{
    while (*p == ' ')
        p++;
    return p;
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* A scalar in place; *p moves behind it. NULL: broken. */
static const char *scalar(char **p, char *stop)
{
    char *s = *p, *out = s;
    if (*s != '"') {
        while (*s && !strchr(",]} ", *s))
            s++;
        *stop = *s;
        if (s == out)
            return NULL;
        *p = s;
        return out;
    }
    char *w = ++s;
    out = w;
    for (; *s && *s != '"'; s++) {
        if (*s != '\\') {
            *w++ = *s;
        } else if (s[1] == 'x' && hex(s[2]) >= 0 && hex(s[3]) >= 0) {
            *w++ = (char)(hex(s[2]) << 4 | hex(s[3]));
            s += 3;
        } else if (s[1] == '"' || s[1] == '\\') {
            *w++ = *++s;
        } else {
            return NULL;
        }
    }
    if (*s != '"')
        return NULL;
    *w = 0;
    *p = s + 1;
    *stop = s[1];
    return out;
}

static int flow_list(struct import *m, struct pair *x, char **at, const char *start)
{
    char *p = import_skip(*at + 1), stop = 0;
    while (*p != ']') {
        char *begin = p;
        const char *v = scalar(&p, &stop);
        if (!v || x->n == IMPORT_LIST)
            return import_bad(m, (unsigned)(begin - start) + 1, v ? "too many values" : "no value",
                       "at most 32 values and a ]");
        x->list[x->n++] = v;
        char *end = p;
        p = import_skip(p);
        bool comma = *p == ',';
        if (!comma && *p != ']')
            return import_bad_here(m, start, p, ", or ]");
        if (comma) {
            *end = 0;
            p = import_skip(p + 1);
        } else {
            char *close = p;
            if (close == end) { /* the bracket ends the word */
                *at = close + 1;
                *close = 0;
                return 0;
            }
            *end = 0;
        }
    }
    *at = p + 1;
    return 0;
}

int import_pairs(struct import *m, char *line, char *p)
{
    m->n = 0;
    p = import_skip(p);
    if (*p != '{')
        return import_bad_here(m, line, p, "{key: value, ...} in one line");
    p = import_skip(p + 1);
    while (*p != '}') {
        if (m->n == IMPORT_PAIRS)
            return import_bad(m, (unsigned)(p - line) + 1, "too many keys", "}");
        struct pair *x = &m->pairs[m->n++];
        *x = (struct pair){.column = (unsigned)(p - line) + 1};
        char *colon = strchr(p, ':'), stop = 0;
        if (!colon || colon == p)
            return import_bad_here(m, line, p, "key: value, or }");
        x->key = p;
        *colon = 0;
        p = import_skip(colon + 1);
        if (*p == '[') {
            int r = flow_list(m, x, &p, line);
            if (r)
                return r;
            stop = *p;
        } else {
            char *begin = p;
            x->value = scalar(&p, &stop);
            if (!x->value)
                return import_bad(m, (unsigned)(begin - line) + 1, "no value", "a word, a number or a quoted text");
        }
        char *end = p;
        p = import_skip(p);
        bool comma = *p == ',', close = *p == '}';
        if (!comma && !close)
            return import_bad_here(m, line, p, ", or }");
        (void)stop;
        char *next = import_skip(p + 1);
        *end = 0;
        if (close) {
            if (*next && *next != '#')
                return import_bad(m, (unsigned)(next - line) + 1, "more behind the }", "the end of the line");
            return 0;
        }
        p = next;
    }
    return 0;
}

struct pair *import_get(struct import *m, const char *key)
{
    for (unsigned i = 0; i < m->n; i++)
        if (strcmp(m->pairs[i].key, key) == 0)
            return &m->pairs[i];
    return NULL;
}

int import_known_keys(struct import *m, const char *const keys[])
{
    for (unsigned i = 0; i < m->n; i++) {
        unsigned k = 0;
        while (keys[k] && strcmp(keys[k], m->pairs[i].key) != 0)
            k++;
        if (!keys[k])
            return import_bad_text(m, m->pairs[i].column, "key", m->pairs[i].key, "a key that the export writes");
        if (import_get(m, keys[k]) != &m->pairs[i])
            return import_bad_text(m, m->pairs[i].column, "key", m->pairs[i].key, "each key once");
    }
    return 0;
}

int import_addr(struct import *m, const char *key, struct addr *ret)
{
    struct pair *x = import_get(m, key);
    if (!x || !x->value)
        return import_missing(m, key);
    if (!addr_parse(x->value, ret))
        return import_bad_text(m, x->column, key, x->value, "an IP or MAC address");
    return 0;
}

int import_number(struct import *m, const char *key, uint64_t most, const char *word, uint32_t *ret, bool *has)
{
    struct pair *x = import_get(m, key);
    char *end;
    if (has)
        *has = x != NULL;
    if (!x)
        return 0;
    if (x->value && word && strcmp(x->value, word) == 0) {
        *ret = UINT32_MAX;
        return 0;
    }
    unsigned long long v = x->value && *x->value >= '0' && *x->value <= '9' ? strtoull(x->value, &end, 10) : most + 1;
    if (v > most || *end) {
        char expected[80];
        snprintf(expected, sizeof expected, "%s%sa number up to %llu", word ? word : "", word ? " or " : "",
                 (unsigned long long)most);
        return import_bad_text(m, x->column, key, x->value ? x->value : "a list", expected);
    }
    *ret = (uint32_t)v;
    return 0;
}
