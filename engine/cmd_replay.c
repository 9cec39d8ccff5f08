/* cmd_replay.c: tyto replay: capture files to events, inventory, baseline and alerts. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/cmd.h"
#include "engine/opts.h"
#include "engine/places.h"
#include "engine/service.h"
#include "engine/stats.h"

static volatile sig_atomic_t stopped;

struct args {
    struct pipe_opts pipe;
    char **captures;
    unsigned n_captures;
};

static void usage(FILE *f)
{
    fputs("usage: tyto replay [OPTION]... CAPTURE...\n\n"
          "Reads pcap and pcapng files (gzip'ed too; - is standard input), merged by time, as the sensor would have "
          "seen\n"
          "them live: inventory and baseline go to the database, alerts to the output, in packet time.\n\n"
          "  -c, --config CONF      configuration (YAML); `tyto config --help` tells its keys\n"
          "  -d, --db DB            database (default tyto.db; :memory: keeps nothing)\n"
          "  -o, --alerts ALERTS    alerts as JSON lines, appended to the file (default -, standard output)\n"
          "  -e, --events EVENTS    every message as a JSON line; a file is written anew\n"
          "  -r, --rules RULES      more rules: a file or a folder; may be given again\n"
          "      --no-default-rules without the shipped rules\n"
          "  -w, --workers N        threads that dissect (default 1); the results are the same for any number\n"
          "      --learn            take all that is seen for normal, except what rules condemn\n"
          "      --detect           judge by what was learned before, learn nothing\n"
          "      --no-ndpi          do not ask nDPI about flows that no dissector knows\n"
          "      --oui-excerpt      vendors of MAC addresses from the short list in the program, the same everywhere\n"
          "      --stats FILE       counters as JSON at the end (- is standard output)\n"
          "  -q, --quiet            no progress bar, no summary\n\n"
          "Without --learn or --detect the configured mode holds: links and assets learn until their learning ends.\n"
          "Exit status: 0 done, 1 something failed (a file that is no capture: the others are still read), 2 wrong "
          "usage.\n",
          f);
}

static int option(struct args *a, int c)
{
    int r = opts_take(&a->pipe, "replay", c);
    if (r >= 0)
        return r;
    if (c == 'h') {
        usage(stdout);
        return -1;
    }
    fputs("tyto replay --help tells the options\n", stderr);
    return 2;
}

static int parse(int argc, char **argv, struct args *a)
{
    static const struct option longs[] = {OPTS_LONG, {0}};
    int c, r;
    *a = (struct args){.pipe = {.db = "tyto.db", .workers = 1, .mode = -1}};
    while ((c = getopt_long(argc, argv, OPTS_SHORT, longs, NULL)) != -1)
        if ((r = option(a, c)))
            return r;
    a->captures = argv + optind;
    a->n_captures = (unsigned)(argc - optind);
    unsigned n_std = 0;
    for (unsigned i = 0; i < a->n_captures; i++)
        n_std += strcmp(a->captures[i], "-") == 0;
    if (n_std > 1) {
        fprintf(stderr, "tyto replay: found - %u times, expected standard input once\n", n_std);
        return 2;
    }
    if (!a->n_captures) {
        fputs("tyto replay: no capture is named; tyto replay --help tells the options\n", stderr);
        return 2;
    }
    return 0;
}

/* ---- the progress bar, on a terminal only ---- */

struct bar {
    struct timespec last;
    bool on, drawn;
};

static void progress(void *arg, const struct source_progress *p, uint64_t packets)
{
    struct bar *b = arg;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    if (now.tv_sec == b->last.tv_sec && now.tv_nsec - b->last.tv_nsec < 200000000)
        return;
    b->last = now;
    b->drawn = true;
    if (p->total > 0) {
        int pct = (int)(100 * p->done / (uint64_t)p->total), n = pct * 40 / 100;
        fprintf(stderr, "\r[%.*s%*s] %3d %%  %.1f M packets ", n, "########################################", 40 - n,
                "", pct, (double)packets / 1e6);
    } else {
        fprintf(stderr, "\r%.1f MB  %.1f M packets ", (double)p->done / 1e6, (double)packets / 1e6);
    }
    fflush(stderr);
}

static int tell_faults(const struct source *src)
{
    int status = 0;
    for (unsigned i = 0; source_fault(src, i); i++) {
        const struct source_fault *f = source_fault(src, i);
        fprintf(stderr, "tyto: %s%s\n", f->cls == SOURCE_ERROR ? "" : "warning: ", f->text);
        if (f->cls == SOURCE_ERROR)
            status = 1;
    }
    return status;
}

static void on_signal(int sig)
{
    (void)sig;
    stopped = 1;
}

/* No SA_RESTART: a wait for bytes of a pipe ends. The first signal ends the replay with all that is owed; a second one,
 * because somebody does not read what is owed, ends it at once. */
static void catch_signals(void)
{
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGINT, &a, NULL);
}

static double seconds_since(const struct timespec *t0)
{
    struct timespec t1;
    clock_gettime(CLOCK_MONOTONIC, &t1);
    return (double)(t1.tv_sec - t0->tv_sec) + (double)(t1.tv_nsec - t0->tv_nsec) / 1e9;
}

static int run(struct pipeline *p, const struct args *a, struct engine *g, struct bar *bar, const struct timespec *t0,
               struct err *e)
{
    struct stats_report s = {.pipe = p, .engine = g, .n_workers = a->pipe.workers};
    int r = engine_run(g, p->source, &stopped);
    if (bar->drawn)
        fputs("\r\033[K", stderr); /* the summary takes its place */
    if (engine_cut(g))
        fputs("tyto: stopped by a signal; the rest was not read\n", stderr);
    if (r)
        err_set(e, r, "reading stopped: %s", strerror(-r));
    s.wall_s = seconds_since(t0);
    pipe_ended(p);
    pipe_flush(p); /* on one standard output the statistics come last */
    if (a->pipe.stats && stats_write(&s, a->pipe.stats, e) && !r)
        r = -EIO;
    if (!a->pipe.quiet)
        stats_summary(&s, stderr);
    return r;
}

static int replay(const struct args *a, const struct timespec *t0)
{
    struct err e;
    static struct pipeline p;
    struct source *src = NULL;
    struct engine *g;
    struct bar bar = {0};
    int r = source_open_files((const char *const *)a->captures, a->n_captures, &e, &src);
    if (!r)
        r = pipe_open(&p, &a->pipe, src, &e);
    if (r) {
        fprintf(stderr, "tyto: %s\n", e.text);
        source_close(src);
        return r == PLACES_REFUSED ? 2 : 1;
    }
    bar.on = !a->pipe.quiet && isatty(STDERR_FILENO);
    struct engine_conf conf = pipe_engine_conf(&p, a->pipe.workers);
    conf.progress = bar.on ? progress : NULL;
    conf.progress_arg = &bar;
    catch_signals();
    if (engine_new(&g, &conf, &e)) {
        fprintf(stderr, "tyto: %s\n", e.text);
        return 1;
    }
    r = run(&p, a, g, &bar, t0, &e);
    if (r)
        fprintf(stderr, "tyto: %s\n", e.text);
    int status = tell_faults(src) | (r != 0);
    engine_free(g);
    if (pipe_close(&p, &e)) {
        fprintf(stderr, "tyto: %s\n", e.text);
        status = 1;
    }
    source_close(src);
    return status;
}

int cmd_replay(int argc, char **argv)
{
    struct args a;
    struct err e;
    struct timespec t0;
    int lock;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    int r = parse(argc, argv, &a);
    if (r)
        return r < 0 ? 0 : r;
    if (service_lock(a.pipe.db, "replay", &lock, &e)) {
        fprintf(stderr, "tyto: %s\n", e.text);
        return 1;
    }
    r = replay(&a, &t0);
    service_unlock(a.pipe.db, lock);
    return r;
}
