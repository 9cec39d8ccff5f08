/* cmd_run.c: tyto run: the sensor. The same engine as replay, fed by live interfaces. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/cmd.h"
#include "engine/live.h"
#include "engine/opts.h"

enum { MAX_SOURCES = SOURCE_PORTS };
static volatile sig_atomic_t stopped;

struct args {
    struct pipe_opts pipe;
    const char *uris[MAX_SOURCES];
    unsigned n_uris;
};

static void usage(FILE *f)
{
    fputs("usage: tyto run [OPTION]... -i SOURCE [-i SOURCE]...\n\n"
          "Watches live traffic until SIGTERM or SIGINT: inventory and baseline go to the database, alerts to the "
          "output.\n"
          "Never sends a packet.\n\n"
          "  -i, --input SOURCE     where packets come from; may be given again:\n"
          "                           pcap:IFACE     a network interface\n"
          "                           dpdk:DEV[,ARGS] a DPDK port: PCI address or virtual device\n"
          "                           file:CAPTURE   a capture file; the run ends with the last one, unless there are\n"
          "                                          interfaces too\n"
          "  -c, --config CONF      configuration (YAML); `tyto config --help` tells its keys\n"
          "  -d, --db DB            database (default tyto.db; :memory: keeps nothing)\n"
          "  -o, --alerts ALERTS    alerts as JSON lines, appended to the file (default -, standard output)\n"
          "  -e, --events EVENTS    every message as a JSON line; a file is written anew\n"
          "  -r, --rules RULES      more rules: a file or a folder; may be given again\n"
          "      --no-default-rules without the shipped rules\n"
          "  -w, --workers N        threads that dissect (default run.workers, else processors less one)\n"
          "      --learn            take all that is seen for normal, except what rules condemn\n"
          "      --detect           judge by what was learned before, learn nothing\n"
          "      --no-ndpi          do not ask nDPI about flows that no dissector knows\n"
          "      --oui-excerpt      vendors of MAC addresses from the short list in the program, the same everywhere\n"
          "      --stats FILE       counters as JSON at the end (- is standard output)\n"
          "  -q, --quiet            no summary\n\n"
          "Without --learn or --detect the configured mode holds: links and assets learn until their learning ends.\n"
          "Exit status: 0 done, also by SIGTERM; 1 something failed (no such interface, refused configuration); 2 "
          "wrong usage.\n",
          f);
}

static int option(struct args *a, int c)
{
    int r = opts_take(&a->pipe, "run", c);
    if (r >= 0)
        return r;
    if (c == 'i') {
        if (a->n_uris == MAX_SOURCES) {
            fprintf(stderr, "tyto run: at most %d times -i\n", MAX_SOURCES);
            return 2;
        }
        a->uris[a->n_uris++] = optarg;
        return 0;
    }
    if (c == 'h') {
        usage(stdout);
        return -1;
    }
    fputs("tyto run --help tells the options\n", stderr);
    return 2;
}

static int parse(int argc, char **argv, struct args *a)
{
    static const struct option longs[] = {OPTS_LONG, {"input", 1, 0, 'i'}, {0}};
    int c, r;
    *a = (struct args){.pipe = {.db = "tyto.db", .mode = -1}};
    while ((c = getopt_long(argc, argv, OPTS_SHORT "i:", longs, NULL)) != -1)
        if ((r = option(a, c)))
            return r;
    if (optind < argc) {
        fprintf(stderr, "tyto run: found '%s', expected an option: sources are named with -i\n", argv[optind]);
        return 2;
    }
    if (!a->n_uris) {
        fputs("tyto run: no source is named (-i); tyto run --help tells the options\n", stderr);
        return 2;
    }
    return 0;
}

/* ---- sources ---- */

/* Capture files alone are merged by time, as replay does. */
static int open_files(const struct args *a, struct err *e, struct source **ret)
{
    const char *paths[MAX_SOURCES];
    for (unsigned i = 0; i < a->n_uris; i++)
        paths[i] = strncmp(a->uris[i], "file:", 5) == 0 ? a->uris[i] + 5 : a->uris[i];
    return source_open_files(paths, a->n_uris, e, ret);
}

static struct source_conf capture_conf(const struct conf_run *c)
{
    return (struct source_conf){.snaplen = (uint32_t)c->snaplen,
                                .buffer_bytes = c->buffer_bytes,
                                .filter = c->filter,
                                .no_promisc = !c->promiscuous,
                                .immediate = c->immediate,
                                .adapter_time = c->adapter_time,
                                .dpdk_args = c->dpdk_args,
                                .dpdk_mbufs = (uint32_t)c->dpdk_mbufs};
}

static int open_sources(const struct args *a, const struct conf_run *run, struct err *e, struct source **ret)
{
    struct source *parts[MAX_SOURCES];
    const struct source_conf conf = capture_conf(run);
    unsigned live = 0;
    for (unsigned i = 0; i < a->n_uris; i++)
        live += source_is_live(a->uris[i]);
    if (!live)
        return open_files(a, e, ret);
    for (unsigned i = 0; i < a->n_uris; i++) {
        int r = source_open(a->uris[i], &conf, e, &parts[i]);
        if (r) {
            while (i--)
                source_close(parts[i]);
            return r;
        }
    }
    return source_join(parts, a->n_uris, e, ret);
}

/* Do packets arrive as they happen? A port that plays a capture is read like one: as fast as it goes, and nothing is
 * lost. */
static bool is_paced(struct source *src)
{
    struct source_port p[SOURCE_PORTS];
    unsigned n = source_ports(src, p, SOURCE_PORTS);
    bool paced = false;
    for (unsigned i = 0; i < n; i++)
        paced |= p[i].paced;
    return paced;
}

/* ---- the run ---- */

struct told { /* faults of the source, on their way to people */
    struct source *source;
    struct live *live; /* NULL: files only */
    unsigned n;
    int status;
};

static void tell_faults(struct told *t)
{
    const struct source_fault *f;
    for (; (f = source_fault(t->source, t->n)); t->n++) {
        fprintf(stderr, "tyto: %s%s\n", f->cls == SOURCE_ERROR ? "" : "warning: ", f->text);
        if (f->cls == SOURCE_ERROR)
            t->status = 1;
    }
}

static void every_second(void *arg, const struct source_port *p, unsigned n, uint64_t now_ns)
{
    struct told *t = arg;
    tell_faults(t);
    live_second(t->live, p, n, now_ns);
}

static void on_signal(int sig)
{
    (void)sig;
    stopped = 1;
}

/* No SA_RESTART: a wait for packets ends. */
static void catch_signals(void)
{
    struct sigaction a = {.sa_handler = on_signal};
    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGINT, &a, NULL);
}

static unsigned n_workers(const struct args *a, const struct conf *c)
{
    cpu_set_t set;
    unsigned n = a->pipe.workers ? a->pipe.workers : (unsigned)c->run.workers;
    if (!n)
        n = c->run.n_cpus;
    if (!n && sched_getaffinity(0, sizeof set, &set) == 0)
        n = (unsigned)CPU_COUNT(&set) - 1; /* one for the collector */
    return n < 1 ? 1 : n > N_SHARDS ? N_SHARDS : n;
}

static double seconds_since(const struct timespec *t0)
{
    struct timespec t1;
    clock_gettime(CLOCK_MONOTONIC, &t1);
    return (double)(t1.tv_sec - t0->tv_sec) + (double)(t1.tv_nsec - t0->tv_nsec) / 1e9;
}

static int run(struct pipeline *p, const struct args *a, struct err *e)
{
    struct engine_conf conf = pipe_engine_conf(p, n_workers(a, p->conf));
    struct stats_report s = {.pipe = p, .n_workers = conf.n_workers};
    static struct live live;
    struct told told = {.source = p->source, .live = &live};
    struct source_port ports[SOURCE_PORTS];
    struct engine *g;
    struct timespec t0;
    conf.live = a->pipe.live;
    conf.every_second = every_second;
    conf.second_arg = &told;
    int r = engine_new(&g, &conf, e);
    if (!r && conf.live)
        r = live_open(&live, p, g, conf.n_workers, e);
    if (r)
        return r;
    catch_signals();
    if (!a->pipe.quiet)
        fprintf(stderr, "tyto: capturing with %u worker%s\n", conf.n_workers, conf.n_workers > 1 ? "s" : "");
    clock_gettime(CLOCK_MONOTONIC, &t0);
    r = engine_run(g, p->source, &stopped);
    if (r)
        err_set(e, r, "reading stopped: %s", strerror(-r));
    s.engine = g;
    s.ports = ports;
    s.n_ports = source_ports(p->source, ports, SOURCE_PORTS);
    s.wall_s = seconds_since(&t0);
    tell_faults(&told);
    pipe_flush(p);
    if (a->pipe.stats && stats_write(&s, a->pipe.stats, e) && !r)
        r = -EIO;
    if (!a->pipe.quiet)
        stats_summary(&s, stderr);
    if (conf.live)
        live_close(&live);
    engine_free(g);
    if (!r && told.status)
        r = err_set(e, -EIO, "not all could be read");
    return r;
}

static int fail(const struct err *e)
{
    fprintf(stderr, "tyto: %s\n", e->text);
    return 1;
}

int cmd_run(int argc, char **argv)
{
    static struct pipeline p;
    struct args a;
    struct err e;
    struct source *src;
    struct conf *c;
    int r = parse(argc, argv, &a), status = 0;
    if (r)
        return r < 0 ? 0 : r;
    if (conf_load(&c, a.pipe.conf, &e))
        return fail(&e);
    r = open_sources(&a, &c->run, &e, &src);
    conf_free(c);
    if (r)
        return fail(&e);
    a.pipe.live = is_paced(src);
    if (pipe_open(&p, &a.pipe, src, &e))
        return fail(&e);
    if (run(&p, &a, &e))
        status = fail(&e);
    if (pipe_close(&p, &e))
        status = fail(&e);
    source_close(src);
    return status;
}
