/* import.h: one line of the text that import.c reads: its keys and values, and what is said of a wrong one. */
#pragma once

#include "baseline/model.h"

enum { IMPORT_PAIRS = 16, IMPORT_LIST = 32 };

struct pair {
    const char *key, *value;     /* value NULL: a list */
    const char *list[IMPORT_LIST];
    unsigned n, column;
};
struct import {
    struct baseline *b;
    const char *name;
    unsigned line;
    bool apply;
    uint64_t now_ns;
    enum { IN_HEAD, IN_ASSETS, IN_LINKS, IN_ACCEPTED } part;
    uint8_t parts;               /* those that began, bit per part */
    bool have_version, have_link, in_facts;
    uint32_t link;               /* while applying */
    struct baseline_text *x;
    struct err *e;
    struct pair pairs[IMPORT_PAIRS];
    unsigned n;
};

/* Tell what was found in this line, and what was expected. All return -EINVAL. */
int import_bad(struct import *m, unsigned column, const char *found, const char *expected);
int import_bad_text(struct import *m, unsigned column, const char *what, const char *found, const char *expected);
int import_bad_here(struct import *m, const char *line, const char *p, const char *expected); /* p: a place of line */
int import_missing(struct import *m, const char *key);
/* Read the mapping at `p` of `line` into m->pairs. It is taken apart in place. */
int import_pairs(struct import *m, char *line, char *p);
char *import_skip(char *p); /* blanks */
struct pair *import_get(struct import *m, const char *key); /* NULL: none */
int import_known_keys(struct import *m, const char *const keys[]); /* keys: NULL-terminated */
int import_addr(struct import *m, const char *key, struct addr *ret);
/* A number up to `most`; absent: *ret stays. `word` stands for UINT32_MAX. */
int import_number(struct import *m, const char *key, uint64_t most, const char *word, uint32_t *ret, bool *has);
