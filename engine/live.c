/* live.c: once a second, in the collector: the ports are looked at, outputs written, counters told. */
#include "engine/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/jw.h"

enum { STATS_CAP = 65536 };

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

static void read_board(struct live *l)
{
    pthread_mutex_lock(&l->board.lock);
    memcpy(l->port, l->board.port, l->board.n * sizeof l->port[0]);
    l->n_ports = l->board.n;
    l->now_ns = l->board.now_ns;
    pthread_mutex_unlock(&l->board.lock);
}

static struct stats_report report(const struct live *l)
{
    return (struct stats_report){.pipe = l->pipe, .engine = l->engine, .n_workers = l->n_workers, .ports = l->port,
                                 .n_ports = l->n_ports, .before = l->before,
                                 .wall_s = (double)(mono_ns() - l->started_ns) / 1e9};
}

/* A record of its own kind among the events. */
static void stats_event(struct live *l)
{
    struct stats_report r = report(l);
    uint64_t every = l->pipe->conf->run.stats_ns;
    struct jw w;
    if (!l->pipe->collector.events || !every || l->now_ns < l->next_stats_ns)
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

static void collect(void *arg)
{
    struct live *l = arg;
    read_board(l);
    if (!l->now_ns)
        return;
    if (l->pipe->captures)
        captures_time(l->pipe->captures, l->now_ns);
    live_ports_watch(&l->ports, l->pipe->collector.raise, l->port, l->n_ports, l->now_ns);
    stats_event(l);
    tell_metrics(l);
    pipe_flush(l->pipe);
}

int live_open(struct live *l, struct pipeline *p, const struct engine *g, unsigned n_workers, struct err *e)
{
    _Static_assert((int)METRICS_TEXT <= (int)STATS_CAP, "one buffer for both");
    *l = (struct live){.pipe = p, .engine = g, .n_workers = n_workers, .started_ns = mono_ns()};
    l->ports.silence_ns = p->conf->run.silence_ns;
    pthread_mutex_init(&l->board.lock, NULL);
    l->text = malloc(STATS_CAP);
    l->totals = malloc(sizeof *l->totals);
    int r = l->text && l->totals ? 0 : err_set(e, -ENOMEM, "no memory");
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
    free(l->text);
    free(l->totals);
    pthread_mutex_destroy(&l->board.lock);
    *l = (struct live){0};
}
