/* live.c: once a second, in the collector: the ports are looked at, outputs written, counters told. */
#include "engine/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/accept.h"
#include "engine/base/jw.h"
#include "store/query.h"

enum { STATS_CAP = 65536 };
#define WHILE_NS UINT64_C(10000000000)

static uint64_t mono_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void live_second(struct live *l, const struct source_port *p, unsigned n, uint64_t now_ns)
{
    pthread_mutex_lock(&l->board.lock);
    memcpy(l->board.port, p, n * sizeof *p);
    l->board.n = n;
    l->board.now_ns = now_ns;
    pthread_mutex_unlock(&l->board.lock);
}

void live_refused(struct live *l, uint64_t n, const char *why)
{
    pthread_mutex_lock(&l->board.lock);
    l->board.refused = n;
    snprintf(l->board.why, sizeof l->board.why, "%s", why);
    pthread_mutex_unlock(&l->board.lock);
}

static void read_board(struct live *l, char why[LIVE_WHY])
{
    pthread_mutex_lock(&l->board.lock);
    memcpy(l->port, l->board.port, l->board.n * sizeof l->port[0]);
    l->n_ports = l->board.n;
    l->now_ns = l->board.now_ns;
    l->refused = l->board.refused;
    memcpy(why, l->board.why, LIVE_WHY);
    pthread_mutex_unlock(&l->board.lock);
}

static struct stats_report report(const struct live *l)
{
    return (struct stats_report){.pipe = l->pipe, .engine = l->engine, .n_workers = l->n_workers, .ports = l->port,
                                 .n_ports = l->n_ports, .before = l->before, .reloaded = l->reloaded,
                                 .refused = l->refused,
                                 .wall_s = (double)(mono_ns() - l->started_ns) / 1e9};
}

/* Not yet: unless the clock was set back behind the time when this was said last. */
static bool is_before(uint64_t now_ns, uint64_t next_ns, uint64_t every_ns)
{
    return now_ns < next_ns && next_ns - now_ns <= every_ns;
}

/* A record of its own kind among the events. */
static void stats_event(struct live *l)
{
    struct stats_report r = report(l);
    uint64_t every = l->pipe->conf->run.stats_ns;
    struct jw w;
    if (!l->pipe->collector.events || !every || is_before(l->now_ns, l->next_stats_ns, every))
        return;
    bool first = !l->next_stats_ns;
    l->next_stats_ns = (l->now_ns / every + 1) * every;
    if (first)
        return;
    jw_init(&w, l->text, STATS_CAP);
    jw_open(&w, '{');
    jw_kv_time(&w, "timestamp", l->now_ns);
    if (l->pipe->env->host && *l->pipe->env->host)
        jw_kv_str(&w, "host", l->pipe->env->host);
    jw_kv_str(&w, "event_type", "stats");
    jw_key(&w, "stats");
    stats_json(&w, &r, l->totals);
    jw_close(&w, '}');
    if (jw_ok(&w))
        textout_line(l->pipe->collector.events, l->text, w.n);
}

static void tell_metrics(struct live *l)
{
    struct stats_report r = report(l);
    if (l->metrics)
        metrics_set(l->metrics, l->text, stats_prometheus(&r, l->totals, l->text, METRICS_TEXT));
}

/* What is no matter of one interface. */
static void every_while(struct live *l)
{
    enum { MANY = 1000, PERCENT = 10 };
    const struct engine_totals *t = l->totals;
    if (is_before(l->now_ns, l->next_while_ns, WHILE_NS))
        return;
    l->next_while_ns = (l->now_ns / WHILE_NS + 1) * WHILE_NS;
    engine_totals(l->engine, l->totals);
    uint64_t packets = t->packets - l->packets, copies = t->sum.duplicates - l->copies, bent = t->times_bent - l->bent;
    if (packets >= MANY && copies * 100 >= packets * PERCENT)
        raise_operational(l->pipe->collector.raise, AT_OPS_COPIES, l->now_ns, "capture", copies,
                          "%llu of the %llu packets of the last ten seconds were copies of the one before",
                          (unsigned long long)copies, (unsigned long long)packets);
    if (bent)
        raise_operational(l->pipe->collector.raise, AT_OPS_CLOCK, l->now_ns, "stamps", bent,
                          "%llu time stamps of the last ten seconds contradicted the host's clock, which was taken",
                          (unsigned long long)bent);
    l->packets = t->packets;
    l->copies = t->sum.duplicates;
    l->bent = t->times_bent;
}

/* The sensor's own condition, beside its ports. */
static void tell_state(struct live *l, const char *why)
{
    struct raise *r = l->pipe->collector.raise;
    if (l->refused > l->refused_told)
        raise_operational(r, AT_OPS_REFUSED, l->now_ns, "configuration", l->refused - l->refused_told,
                          "the configuration or the rules are wrong, the sensor goes on with what it had: %s", why);
    l->refused_told = l->refused;
    if (l->pipe->untimed && !l->untimed_told)
        raise_operational(r, AT_OPS_CLOCK, l->now_ns, "untimed", 1,
                          "the host's clock is earlier than this program, or it is set again and again: until it can "
                          "be believed nothing is learned");
    l->untimed_told = true;
}

static void take_wishes(struct live *l)
{
    const struct collector *c = &l->pipe->collector;
    if (l->wishes)
        l->last_wish = accept_wishes(l->wishes, c->baseline, c->store, l->now_ns ? l->now_ns : 1, l->last_wish);
}

static void collect(void *arg)
{
    struct live *l = arg;
    char why[LIVE_WHY];
    read_board(l, why);
    take_wishes(l);
    if (!l->now_ns)
        return;
    tell_state(l, why);
    if (l->pipe->captures)
        captures_time(l->pipe->captures, l->now_ns);
    live_ports_watch(&l->ports, l->pipe->collector.raise, l->port, l->n_ports, l->now_ns);
    every_while(l);
    stats_event(l);
    tell_metrics(l);
    textout_flush(&l->pipe->events);
    outputs_second(&l->pipe->outputs);
    outputs_confirm(&l->pipe->outputs);
}

int live_open(struct live *l, struct pipeline *p, const char *db, const struct engine *g, unsigned n_workers,
              struct err *e)
{
    _Static_assert((int)METRICS_TEXT <= (int)STATS_CAP, "one buffer for both");
    *l = (struct live){.pipe = p, .engine = g, .n_workers = n_workers, .started_ns = mono_ns()};
    l->ports.silence_ns = p->conf->run.silence_ns;
    pthread_mutex_init(&l->board.lock, NULL);
    l->text = malloc(STATS_CAP);
    l->totals = malloc(sizeof *l->totals);
    int r = l->text && l->totals ? 0 : err_set(e, -ENOMEM, "no memory");
    if (!r && strcmp(db, ":memory:") != 0)
        r = query_open(db, &l->wishes, e);
    if (!r && p->conf->run.metrics)
        r = metrics_open(&l->metrics, p->conf->run.metrics, e);
    if (r) {
        live_close(l);
        return r;
    }
    p->collector.every_second = collect;
    p->collector.second_arg = l;
    return 0;
}

void live_close(struct live *l)
{
    metrics_close(l->metrics);
    query_close(l->wishes);
    free(l->text);
    free(l->totals);
    pthread_mutex_destroy(&l->board.lock);
    *l = (struct live){0};
}
