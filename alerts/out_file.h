/* out_file.h: whole lines to a file or a pipe. Either a line is there, or it is not: a short write is finished or, in a
 * file, taken back; what cannot be written now waits, bounded, and is tried again with the next line. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "alerts/alert.h"

struct out_file_stats {
    uint64_t lines, bytes; /* written */
    uint64_t waiting;      /* bytes that wait */
    uint64_t lost;         /* lines dropped because the waiting room was full */
    uint64_t errors;       /* failed writes */
    int last_error;        /* errno of the last failure that still lasts, 0: none */
};

struct out_file;
/* "-" is standard output. A file is created (0640) or appended to; half a line that a crash left at its end is taken
 * off. */
int out_file_open(struct out_file **ret, const char *path, uint32_t max_wait, struct err *e) MUST_USE;
/* From now on lines wait until out_file_flush(), as long as there is room. */
void out_file_hold(struct out_file *f);
/* One line without its newline. 0, or -errno: it waits (or was dropped and counted). */
int out_file_line(struct out_file *f, const char *line, size_t n);
/* Of what waits now, out_file_flush_marked() writes; what comes later waits on. */
void out_file_mark(struct out_file *f);
int out_file_flush_marked(struct out_file *f);
/* Write what is buffered and what waits. */
int out_file_flush(struct out_file *f);
/* Is there room for one more line of n bytes? */
bool out_file_room(const struct out_file *f, size_t n);
void out_file_stats(const struct out_file *f, struct out_file_stats *ret);
uint64_t out_file_memory(const struct out_file *f);
/* Flushes; 0 or -errno when something was lost. NULL is fine. */
int out_file_close(struct out_file *f);

/* As a sink of alerts: severity `least` and worse (4: all). */
struct out_file_sink {
    struct out_file *file;
    uint8_t least;
    bool hold; /* lines wait for company, until somebody flushes */
    void (*full)(void *arg); /* hold: called before a line that has no room; NULL: what waits is written then */
    void *full_arg;
};
struct alert_sink out_file_sink(struct out_file_sink *s);
