/* textout.h: whole lines to a file or standard output through one large buffer; short writes and EINTR handled. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"

struct textout {
    const char *path; /* for messages */
    char *buf;
    size_t n, cap;
    int fd;
    int error;        /* errno of the first failed write; later lines are counted, not written */
    uint64_t lines, lost;
};

/* path "-": standard output. append false: truncated. */
int textout_open(struct textout *t, const char *path, bool append, struct err *e) MUST_USE;
void textout_line(struct textout *t, const char *s, size_t n); /* the newline is added */
void textout_flush(struct textout *t);
/* 0, or the first error as -errno. */
int textout_close(struct textout *t);
