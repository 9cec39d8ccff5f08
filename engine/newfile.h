/* newfile.h: a file that is there whole, or as it was before: written beside under another name, then renamed. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "engine/base/err.h"

struct newfile {
    FILE *f;             /* to write to; NULL: not open */
    const char *path;    /* for messages */
    char to[PATH_MAX], part[PATH_MAX]; /* part "": written in place, as a pipe, a device, standard output ("-") */
};

/* Can it be written? For what is written much later; leaves all as it is. */
int newfile_check(const char *path, struct err *e) MUST_USE;
/* mode: of a file that is not there yet, less the umask; one that is there keeps its own. */
int newfile_open(struct newfile *n, const char *path, unsigned mode, struct err *e) MUST_USE;
/* good: all was written, it takes its name; else what was there stays. 0, or -errno with the reason. */
int newfile_close(struct newfile *n, bool good, struct err *e) MUST_USE;
