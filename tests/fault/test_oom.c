/* test_oom.c: no memory at start-up is one clear line and exit status 1, wherever it strikes.
 *
 *   test_oom CAPTURE
 *
 * Runs `tyto replay` in children in which the n-th allocation of the project's own code fails: the first ones one by
 * one, then ever wider apart, until a run makes fewer. Then the same with all from the n-th on. A child must end with 0
 * or 1, never by a signal, and where it ends with 1 it must have said why. */
#include <getopt.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/cmd.h"
#include "tests/fault/wrapped.h"

enum { ONE_BY_ONE = 40, SILENT = 99 };

static _Atomic unsigned long count;
static unsigned long fail_at;
static bool fail_on;

bool on_alloc(const char *what, size_t size, const void *where)
{
    (void)what;
    (void)size;
    (void)where;
    unsigned long n = atomic_fetch_add(&count, 1) + 1;
    return !fail_at || (fail_on ? n < fail_at : n != fail_at);
}

static int replay(const char *capture)
{
    const char *const args[] = {"replay",    "-q", "--no-ndpi", "-d",      ":memory:",  "-o",    "/dev/null", "-e",
                                "/dev/null", "-w", "2",         "--stats", "/dev/null", capture, NULL};
    char *argv[sizeof args / sizeof args[0]];
    memcpy(argv, args, sizeof args);
    optind = 0;
    return cmd_replay((int)(sizeof args / sizeof args[0]) - 1, argv);
}

/* In a child: its exit status; -1 by a signal, SILENT when it failed without a word. *reached: it came to the n-th. */
static int child(const char *capture, unsigned long n, bool on, bool *reached)
{
    int out[2], st;
    char said[512];
    if (pipe(out))
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(out[1], 2);
        close(out[0]);
        close(out[1]);
        fail_at = n;
        fail_on = on;
        alarm(60);
        int r = replay(capture);
        bool came = atomic_load(&count) >= n;
        _exit(r | (came ? 0x40 : 0));
    }
    close(out[1]);
    size_t got = 0;
    for (ssize_t k; got < sizeof said - 1 && (k = read(out[0], said + got, sizeof said - 1 - got)) > 0;)
        got += (size_t)k;
    said[got] = 0;
    close(out[0]);
    if (pid < 0 || waitpid(pid, &st, 0) != pid || !WIFEXITED(st)) {
        fprintf(stderr, "allocation %lu%s: ended by a signal; said: %s\n", n, on ? " and all after" : "", said);
        return -1;
    }
    *reached = WEXITSTATUS(st) & 0x40;
    int r = WEXITSTATUS(st) & ~0x40;
    if (r == 1 && !strstr(said, "tyto")) {
        fprintf(stderr, "allocation %lu%s: exit 1 without a word\n", n, on ? " and all after" : "");
        return SILENT;
    }
    if (r > 1)
        fprintf(stderr, "allocation %lu%s: exit %d; said: %s\n", n, on ? " and all after" : "", r, said);
    return r;
}

int main(int argc, char **argv)
{
    unsigned runs = 0, bad = 0, refused = 0;
    if (argc < 2)
        return 2;
    for (int on = 0; on < 2; on++) {
        bool reached = true;
        for (unsigned long n = 1; reached; n += n < ONE_BY_ONE ? 1 : n / 12) {
            int r = child(argv[1], n, on, &reached);
            runs++;
            bad += r != 0 && r != 1;
            refused += r == 1;
            if (r == -1)
                reached = true;
            if (n > 10000000)
                break;
        }
    }
    printf("%u runs, %u refused, %u wrong\n", runs, refused, bad);
    return bad || !refused;
}
