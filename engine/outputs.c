/* outputs.c: opens, watches and closes the outputs of alerts. */
#include "engine/outputs.h"

#include <string.h>

#include "engine/conf.h"
#include "engine/raise.h"
#include "store/store.h"

static int add(struct outputs *o, const char *path, uint8_t least, uint32_t wait, struct alert_conf *ac, struct err *e)
{
    if (o->n == ALERT_MAX_SINKS || ac->n_sinks == ALERT_MAX_SINKS)
        return err_set(e, -EINVAL, "%s: more than %d outputs", path, ALERT_MAX_SINKS);
    for (unsigned i = 0; i < o->n; i++)
        if (strcmp(o->path[i], path) == 0)
            return 0; /* -o names a configured output */
    int r = out_file_open(&o->file[o->n], path, wait, e);
    if (r < 0)
        return r;
    o->path[o->n] = path;
    o->sink[o->n] = (struct out_file_sink){.file = o->file[o->n], .least = least};
    ac->sinks[ac->n_sinks++] = out_file_sink(&o->sink[o->n]);
    o->n++;
    return 0;
}

int outputs_open(struct outputs *o, const struct conf *c, const char *path, struct alert_conf *ac, struct err *e)
{
    uint32_t wait = c->limits.output_bytes < UINT32_MAX ? (uint32_t)c->limits.output_bytes : UINT32_MAX;
    int r = 0;
    *o = (struct outputs){0};
    for (uint32_t i = 0; i < c->n_outputs && r == 0; i++)
        if (c->outputs[i].what == OUTPUT_ALERTS)
            r = add(o, c->outputs[i].path, c->outputs[i].severity, wait, ac, e);
    if (r == 0 && (path || !o->n))
        r = add(o, path ? path : "-", AS_WARNING, wait, ac, e);
    if (r < 0) {
        struct err ignored;
        outputs_close(o, &ignored);
    }
    return r;
}

static void hold(struct outputs *o)
{
    for (unsigned i = 0; i < o->n; i++) {
        o->sink[i].hold = true;
        out_file_hold(o->file[i]);
    }
}

void outputs_settle(struct outputs *o)
{
    struct err e;
    if (!outputs_wait(o))
        return;
    if (o->first)
        store_sync(o->first, &e); /* its failure is told in raise_tick(), and at the close */
    outputs_flush(o);
}

static void full(void *arg)
{
    outputs_settle(arg);
}

void outputs_hold(struct outputs *o, struct store *s)
{
    hold(o);
    o->first = s;
    for (unsigned i = 0; i < o->n; i++) {
        o->sink[i].full = full;
        o->sink[i].full_arg = o;
    }
}

void outputs_behind(struct outputs *o, struct store *s)
{
    hold(o);
    o->store = s;
}

static bool waiting(const struct outputs *o, uint64_t bytes)
{
    for (unsigned i = 0; i < o->n; i++) {
        struct out_file_stats s;
        out_file_stats(o->file[i], &s);
        if (s.waiting >= bytes && !s.last_error)
            return true;
    }
    return false;
}

bool outputs_wait(const struct outputs *o)
{
    return waiting(o, 1);
}

bool outputs_full(const struct outputs *o)
{
    enum { ENOUGH = 1 << 20 };
    return waiting(o, ENOUGH);
}

void outputs_flush(struct outputs *o)
{
    for (unsigned i = 0; i < o->n; i++)
        out_file_flush(o->file[i]); /* what cannot be written is told by outputs_report(), and at the close */
}

void outputs_confirm(struct outputs *o)
{
    enum { LONG_S = 5 };
    struct store_stats s;
    if (!o->store || (!o->marked && !outputs_wait(o)))
        return;
    store_stats(o->store, &s);
    if (o->marked && s.durable < o->mark && o->age < LONG_S)
        return;
    for (unsigned i = 0; o->marked && i < o->n; i++)
        out_file_flush_marked(o->file[i]);
    o->marked = outputs_wait(o);
    o->mark = s.alerts;
    o->age = 0;
    for (unsigned i = 0; o->marked && i < o->n; i++)
        out_file_mark(o->file[i]);
}

/* What could not be written is tried again. */
void outputs_second(struct outputs *o)
{
    struct store_stats st;
    o->age++;
    if (!o->store)
        return;
    store_stats(o->store, &st);
    for (unsigned i = 0; i < o->n; i++) {
        struct out_file_stats s;
        out_file_stats(o->file[i], &s);
        if (s.last_error && st.durable == st.alerts)
            out_file_flush(o->file[i]);
    }
}

uint64_t outputs_memory(const struct outputs *o)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < o->n; i++)
        sum += out_file_memory(o->file[i]);
    return sum;
}

uint64_t outputs_lost(const struct outputs *o)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < o->n; i++) {
        struct out_file_stats s;
        out_file_stats(o->file[i], &s);
        sum += s.lost;
    }
    return sum;
}

const char *outputs_events(const struct conf *c)
{
    for (uint32_t i = 0; i < c->n_outputs; i++)
        if (c->outputs[i].what == OUTPUT_EVENTS)
            return c->outputs[i].path;
    return NULL;
}

void outputs_report(struct outputs *o, struct raise *r, uint64_t ts_ns)
{
    for (unsigned i = 0; i < o->n; i++) {
        struct out_file_stats s;
        if (!o->sink[i].hold)
            out_file_flush(o->file[i]);
        out_file_stats(o->file[i], &s);
        if (!s.last_error && s.lost == o->lost[i])
            continue;
        uint64_t lost = s.lost - o->lost[i];
        o->lost[i] = s.lost;
        raise_operational(r, AT_OPS_OUTPUT, ts_ns, o->path[i], 1,
                          "%s cannot be written: %s; %llu bytes wait, %llu records did not fit", o->path[i],
                          s.last_error ? strerror(s.last_error) : "it can again", (unsigned long long)s.waiting,
                          (unsigned long long)lost);
    }
}

int outputs_close(struct outputs *o, struct err *e)
{
    int first = 0;
    for (unsigned i = 0; i < o->n; i++) {
        int r = out_file_close(o->file[i]);
        if (r < 0 && first == 0)
            first = err_set(e, r, "%s: cannot be written: %s",
                            strcmp(o->path[i], "-") == 0 ? "standard output" : o->path[i], strerror(-r));
    }
    *o = (struct outputs){0};
    return first;
}
