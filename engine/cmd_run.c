/* cmd_run.c: tyto run: the sensor. The same engine as replay, fed by live interfaces. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/cmd.h"
#include "engine/live.h"
#include "engine/opts.h"
#include "engine/places.h"
#include "engine/run_sources.h"
#include "engine/service.h"

enum { MAX_SOURCES = SOURCE_PORTS };
static volatile sig_atomic_t stopped, hung_up;

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
          "                           tap:IFACE+IFACE the two directions of a TAP as one\n"
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
          "SIGHUP reads configuration and rules again; when they are wrong, all stays as it is.\n"
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
        return run_sources_named("run", optarg) ? 0 : 2;
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

/* ---- the run ---- */

enum { GO_ON, END = ENGINE_END, RELOAD };

struct run {
    struct args a;
    struct source *source;
    struct pipeline pipe;
    struct live live;
    struct engine_totals before; /* of the generations that a reload ended */
    struct unseen_table unseen;  /* so far */
    struct clock_trust clock;
    unsigned clock_waits;
    uint64_t reloaded, refused;
    struct timespec begun;
    unsigned n_faults;           /* told so far */
    int status;
};

static void tell_faults(struct run *r)
{
    const struct source_fault *f;
    for (; (f = source_fault(r->source, r->n_faults)); r->n_faults++) {
        fprintf(stderr, "tyto: %s%s\n", f->cls == SOURCE_ERROR ? "" : "warning: ", f->text);
        if (f->cls == SOURCE_ERROR)
            r->status = 1;
    }
}

static void on_signal(int sig)
{
    if (sig == SIGHUP)
        hung_up = 1;
    else
        stopped = END;
}

/* No SA_RESTART: a wait for packets ends. */
static void catch_signals(void)
{
    struct sigaction a = {.sa_handler = on_signal};
    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGHUP, &a, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* What is to come is read before what is running ends; when it is wrong, all stays as it is. */
static bool reload(struct run *r, bool has_learned)
{
    struct err e;
    bool lost = has_learned && strcmp(r->a.pipe.db, ":memory:") == 0;
    int bad = lost ? err_set(&e, -EINVAL, "what was learned lives in :memory: and would be lost")
                   : pipe_check(&r->a.pipe, &e);
    if (bad) {
        fprintf(stderr, "tyto: not reloaded, all stays as it is: %s\n", e.text);
        live_refused(&r->live, ++r->refused, e.text);
        return false;
    }
    if (stopped == GO_ON)
        stopped = RELOAD;
    return stopped == RELOAD;
}

static void consider_reload(struct run *r)
{
    hung_up = 0;
    service_notify("RELOADING=1");
    r->reloaded += reload(r, !r->a.pipe.untimed);
    service_notify("READY=1");
}

/* A generation learns, or its clock cannot be believed and it does not: when that changes, another one begins. */
static void consider_clock(struct run *r)
{
    enum { AGAIN_S = 60 }; /* after a configuration that is wrong */
    bool trusted = clock_trusted(&r->clock);
    if (trusted != r->a.pipe.untimed || stopped != GO_ON) {
        r->clock_waits = 0;
        return;
    }
    if (r->clock_waits++ % AGAIN_S || !reload(r, !r->a.pipe.untimed))
        return;
    r->a.pipe.untimed = !trusted;
    fprintf(stderr, "tyto: the host's clock %s\n",
            trusted ? "is plausible now: learning begins" : "cannot be believed: nothing is learned");
}

static void every_second(void *arg, const struct source_port *p, unsigned n, uint64_t now_ns)
{
    struct run *r = arg;
    tell_faults(r);
    live_second(&r->live, p, n, now_ns);
    service_notify("WATCHDOG=1");
    if (hung_up)
        consider_reload(r);
    consider_clock(r);
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

/* The last words: counters of the whole run, whatever was reloaded in between. */
static int report(struct run *r, const struct engine *g, unsigned workers, struct err *e)
{
    struct source_port ports[SOURCE_PORTS];
    for (unsigned q = 0; q < source_n_queues(r->source); q++)
        source_tell(r->source, q);
    struct stats_report s = {.pipe = &r->pipe, .engine = g, .n_workers = workers, .wall_s = seconds_since(&r->begun),
                             .ports = ports, .before = &r->before, .reloaded = r->reloaded, .refused = r->refused,
                             .n_ports = source_ports(r->source, ports, SOURCE_PORTS)};
    int ret = r->a.pipe.stats ? stats_write(&s, r->a.pipe.stats, e) : 0;
    if (!r->a.pipe.quiet)
        stats_summary(&s, stderr);
    return ret;
}

/* One generation: until the end, a signal, or a reload. */
static int generation(struct run *r, struct err *e)
{
    unsigned queues = source_n_queues(r->source); /* a worker each, also where a reload says otherwise */
    struct engine_conf conf = pipe_engine_conf(&r->pipe, queues > 1 ? queues : n_workers(&r->a, r->pipe.conf));
    struct engine *g;
    conf.n_queues = queues;
    conf.live = r->a.pipe.live;
    conf.every_second = every_second;
    conf.second_arg = r;
    int ret = engine_new(&g, &conf, e);
    if (ret)
        return ret;
    ret = conf.live ? live_open(&r->live, &r->pipe, r->a.pipe.db, g, conf.n_workers, e) : 0;
    if (ret) {
        engine_free(g);
        return ret;
    }
    r->live.before = &r->before;
    r->live.reloaded = r->reloaded;
    r->live.refused = r->live.refused_told = r->live.board.refused = r->refused;
    service_notify("READY=1");
    if (!r->a.pipe.quiet)
        fprintf(stderr, "tyto: capturing with %u worker%s%s\n", conf.n_workers, conf.n_workers > 1 ? "s" : "",
                queues > 1 ? ", each reads for itself" : "");
    ret = engine_run(g, r->source, &stopped);
    if (ret)
        err_set(e, ret, "reading stopped: %s", strerror(-ret));
    tell_faults(r);
    pipe_ended(&r->pipe);
    pipe_flush(&r->pipe);
    if (stopped != RELOAD || ret) {
        service_notify("STOPPING=1");
        int w = report(r, g, conf.n_workers, e);
        ret = ret ? ret : w;
    } else {
        struct alert_stats a;
        engine_totals_add(g, &r->before);
        alerts_stats(r->pipe.alerts, &a);
        r->before.alerts += a.opened;
        r->before.alert_updates += a.updates;
    }
    if (conf.live)
        live_close(&r->live);
    engine_free(g);
    return ret;
}

/* Packets wait in the capture's buffer while one generation ends and the next begins. */
static int run(struct run *r, struct err *e)
{
    struct err closing;
    int ret;
    catch_signals();
    clock_gettime(CLOCK_MONOTONIC, &r->begun);
    r->a.pipe.untimed = r->a.pipe.live && !clock_trusted(&r->clock);
    do {
        stopped = stopped == RELOAD ? GO_ON : stopped;
        ret = pipe_open(&r->pipe, &r->a.pipe, r->source, e);
        if (ret)
            return ret;
        r->pipe.collector.ops.unseen = r->unseen;
        ret = generation(r, e);
        r->unseen = r->pipe.collector.ops.unseen;
        int w = pipe_close(&r->pipe, &closing);
        if (w && !ret) {
            ret = w;
            *e = closing;
        }
        r->a.pipe.again = true;
    } while (!ret && stopped == RELOAD);
    if (!ret && r->status)
        ret = err_set(e, -EIO, "not all could be read");
    return ret;
}

/* In this order: what needs privileges, giving them up, what belongs to the user. */
static int open_and_run(struct run *r, struct err *e)
{
    struct conf *c;
    int lock, ret = conf_load(&c, r->a.pipe.conf, e);
    if (ret)
        return ret;
    ret = run_sources_open(r->a.uris, r->a.n_uris, n_workers(&r->a, c), &c->run, e, &r->source);
    if (ret) {
        conf_free(c);
        return ret;
    }
    r->a.pipe.live = run_sources_paced(r->source);
    run_sources_warn(r->source);
    conf_warn_cpus(c, "tyto", stderr);
    ret = r->a.pipe.live ? service_drop(c->run.user, e) : 0;
    conf_free(c);
    if (!ret)
        ret = service_lock(r->a.pipe.db, r->a.pipe.live ? "run" : "replay", &lock, e);
    if (!ret) {
        ret = run(r, e);
        service_unlock(r->a.pipe.db, lock);
    }
    source_close(r->source);
    return ret;
}

int cmd_run(int argc, char **argv)
{
    static struct run r;
    struct err e;
    int ret = parse(argc, argv, &r.a);
    if (ret)
        return ret < 0 ? 0 : ret;
    ret = open_and_run(&r, &e);
    if (!ret)
        return 0;
    fprintf(stderr, "tyto: %s\n", e.text);
    return ret == PLACES_REFUSED ? 2 : 1;
}
