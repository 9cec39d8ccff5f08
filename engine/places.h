/* places.h: the files that one command reads and writes, compared before any of them is opened for writing: an output
 * that is a capture or the database as well would destroy it. */
#pragma once

#include <sys/types.h>

#include "engine/base/err.h"

struct conf;
struct pipe_opts;
struct source;

enum {
    PLACES_MAX = 24,            /* 9 outputs of alerts, events, statistics, the database's five files, and some over */
    PLACES_REFUSED = -ENOTUNIQ, /* wrong usage, and never another failure's code */
};

/* A file that is there is known by its inode, one that is not by its folder's and its name. */
struct place {
    const char *what, *path;
    dev_t dev;
    ino_t ino;
    char name[256];
};
struct places {
    struct place at[PLACES_MAX];
    unsigned n;
};

/* What is written: refused where it is one of those before, or a file that is there begins as a capture, a gzip'ed file
 * or a database does. "-" is standard output. what, path: stay where they are. */
int places_output(struct places *s, const char *what, const char *path, struct err *e) MUST_USE;
/* The database and the files beside it. */
int places_db(struct places *s, const char *path, struct err *e) MUST_USE;
/* What is read: refused where it is one of those before. */
int places_input(const struct places *s, const char *what, const char *path, struct err *e) MUST_USE;
/* All of a run: its database, outputs, captures, configuration and rules. */
int places_of_run(const struct pipe_opts *o, const struct conf *c, const struct source *src, struct err *e) MUST_USE;
