/* err.h: the conventions of failure outside the packet path: int, 0 or -errno, results written only on success. */
#pragma once

#include <errno.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* A message for people about bad input: file:line:column, what was found, what was expected. */
struct err {
    char text[512];
};
/* Writes the message and returns -EINVAL (or the given negative code), so that `return err_set(...)` reads well. */
int err_set(struct err *e, int code, const char *fmt, ...) PRINTF(3, 4);
