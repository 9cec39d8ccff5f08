/* test_no_malloc.c: after start-up nothing is allocated between a packet and its alert.
 *
 *   test_no_malloc CAPTURE...
 *
 * Runs `tyto replay` over the captures, with one worker and with three, linked so that the project's own allocations
 * are seen. From the first packet to the last record any of them is a failure, in whatever thread, but for these:
 *   SQLite, zlib, jansson   allocate inside (not seen here)
 *   source_poll() may take memory for each file that it opens on its way through a list, never for a packet
 * nDPI is off: it allocates inside and is the named exception. */
#include <dlfcn.h>
#include <getopt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/cmd.h"
#include "engine/engine.h"
#include "tests/fault/wrapped.h"

int __real_source_poll(struct source *s, struct pkt *ret, unsigned max);
int __wrap_source_poll(struct source *s, struct pkt *ret, unsigned max);
int __real_engine_run(struct engine *g, struct source *src, volatile const int *stop);
int __wrap_engine_run(struct engine *g, struct source *src, volatile const int *stop);

static _Atomic bool armed;
enum { PER_FILE = 6 };
static _Atomic unsigned seen, opened, runs;
static _Thread_local bool polling;

bool on_alloc(const char *what, size_t size, const void *where)
{
    if (!atomic_load(&armed))
        return true;
    if (polling) {
        atomic_fetch_add(&opened, 1);
        return true;
    }
    if (atomic_fetch_add(&seen, 1) < 20) {
        Dl_info at = {0};
        dladdr(where, &at);
        fprintf(stderr, "%s(%zu) while packets flow, from %s (addr2line -f -e PROGRAM %#tx)\n", what, size,
                at.dli_sname ? at.dli_sname : "?", (char *)where - (char *)at.dli_fbase);
    }
    return true;
}

int __wrap_source_poll(struct source *s, struct pkt *ret, unsigned max)
{
    polling = true;
    int r = __real_source_poll(s, ret, max);
    polling = false;
    return r;
}

int __wrap_engine_run(struct engine *g, struct source *src, volatile const int *stop)
{
    atomic_store(&armed, true);
    int r = __real_engine_run(g, src, stop);
    atomic_store(&armed, false);
    atomic_fetch_add(&runs, 1);
    return r;
}

static int replay(char **captures, int n, const char *workers, bool events)
{
    static const char *const fixed[] = {"replay", "-q", "--no-ndpi", "-d", ":memory:", "-o", "/dev/null", "-w"};
    enum { FIXED = sizeof fixed / sizeof fixed[0] };
    char **argv = calloc((size_t)n + FIXED + 4, sizeof *argv);
    int argc = 0;
    if (!argv)
        return 1;
    for (; argc < FIXED; argc++)
        argv[argc] = (char *)(uintptr_t)fixed[argc];
    argv[argc++] = (char *)(uintptr_t)workers;
    if (events) {
        argv[argc++] = (char *)(uintptr_t)"-e";
        argv[argc++] = (char *)(uintptr_t)"/dev/null";
    }
    for (int i = 0; i < n; i++)
        argv[argc++] = captures[i];
    optind = 0;
    int r = cmd_replay(argc, argv);
    free(argv);
    return r;
}

int main(int argc, char **argv)
{
    int n = argc - 1;
    int r = replay(argv + 1, n, "1", true) | replay(argv + 1, n, "3", false);
    printf("%d captures, %u runs, %u allocations to open files, %u while packets flow\n", n, runs, opened, seen);
    if (opened > (unsigned)n * PER_FILE * 2)
        fprintf(stderr, "too many allocations to open files: at most %d a file\n", PER_FILE);
    return r || seen || runs != 2 || opened > (unsigned)n * PER_FILE * 2;
}
