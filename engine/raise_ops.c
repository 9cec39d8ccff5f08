/* raise_ops.c: the sensor's own condition, as alerts. */
#include <stdarg.h>
#include <stdio.h>

#include "engine/base/evtext.h"
#include "engine/base/jw.h"
#include "engine/outputs.h"
#include "engine/raise_int.h"
#include "store/store.h"

/* What would have been right, and what the count of the alert is of; NULL: its sentence says all that was seen. */
static const struct {
    const char *expected, *things;
} told[AT_COUNT] = {
    [AT_OPS_LOSS] = {"every packet of the mirror reaches the sensor", "lost packets"},
    [AT_OPS_EVICTIONS] = {"tables that hold all that is followed at a time", "entries that made room for others"},
    [AT_OPS_CLOCK] = {"packet time that goes on by itself, as the clocks of the network do", NULL},
    [AT_OPS_ONE_WAY] = {"both directions of a connection in the mirror", NULL},
    [AT_OPS_STORE] = {"a database that takes what is known", NULL},
    [AT_OPS_OUTPUT] = {"an output that takes its records", NULL},
    [AT_OPS_DROPS] = {"a sensor that keeps up with its records", "records that did not fit"},
    [AT_OPS_NO_TRAFFIC] = {"packets within the longest silence that is normal at this hour", NULL},
    [AT_OPS_TRAFFIC_BACK] = {"no silence before", NULL},
    [AT_OPS_LINK] = {"an interface that is there, and up", NULL},
    [AT_OPS_COPIES] = {"each packet once in the mirror", "copies of the packet before"},
    [AT_OPS_UNSEEN] = {"a mirror without holes: every byte that is acknowledged is seen", "holes"},
    [AT_OPS_VISIBILITY] = {"the same devices and paths as in the windows before", NULL},
    [AT_OPS_REFUSED] = {"a configuration and rules without errors", NULL},
};

static void told_of(struct draft *d, const struct raise_about *about)
{
    static const struct raise_about nobody;
    const struct raise_about *a = about ? about : &nobody;
    d->in.flow = (struct alert_flow){.file = a->file, .frame = a->frame, .vlan = {a->vlan}, .n_vlan = a->vlan != 0,
                                     .l4 = a->l4, .has_src = a->src != NULL, .has_dst = a->dst != NULL};
    if (a->src)
        d->in.flow.src = *a->src;
    if (a->dst)
        d->in.flow.dst = *a->dst;
}

void raise_operational_of(struct raise *r, enum alert_row row, uint64_t ts_ns, const struct raise_about *about,
                          const char *object, uint64_t count, const char *why, ...)
{
    struct draft d;
    va_list ap;
    draft_begin(r, &d, &alert_types[row], ts_ns, 0);
    if (about)
        draft_sides(r, &d, about->net, about->src, about->dst);
    told_of(&d, about);
    va_start(ap, why);
    vsnprintf(d.why, sizeof d.why, why, ap);
    va_end(ap);
    if (told[row].things)
        snprintf(d.seen, sizeof d.seen, "%llu %s: %s", (unsigned long long)count, told[row].things, object);
    d.in.why = d.why;
    d.in.expected = told[row].expected;
    d.in.seen = told[row].things ? d.seen : d.why;
    d.in.subject = "sensor";
    d.in.object = object;
    d.in.count = count;
    d.in.one_way = row == AT_OPS_ONE_WAY;
    alert_raise(r->c.alerts, &d.in);
}

void raise_date(uint64_t ns, char *to, uint32_t cap)
{
    struct jw w;
    jw_init(&w, to, cap - 1);
    jw_time(&w, ns);
    to[w.n] = 0;
}

void raise_unseen(struct raise *r)
{
    r->loss = r->unseen = true;
}

void raise_tick(struct raise *r, const struct rec_tick *t)
{
    const char *why = r->c.store ? store_error(r->c.store) : NULL;
    r->loss = t->lossy || r->unseen;
    r->unseen = false;
    r->clock_bad = false;
    alerts_tick(r->c.alerts, t->ts_ns);
    if (t->jump_from_ns) {
        char from[40], to[40];
        raise_date(t->jump_from_ns, from, sizeof from);
        raise_date(t->jump_to_ns, to, sizeof to);
        r->clock_bad = true;
        const struct raise_about packet = {.frame = t->jump_frame, .file = t->jump_file};
        raise_operational_of(r, AT_OPS_CLOCK, t->ts_ns, &packet, "clock", 1, "packet time jumped from %s to %s", from,
                             to);
    }
    if (t->lossy && !t->told)
        raise_operational(r, AT_OPS_LOSS, t->ts_ns, "capture", t->lost ? t->lost : 1,
                          "packets were lost in the window that ended now");
    if (why)
        raise_operational(r, AT_OPS_STORE, t->ts_ns, "database", 1, "the database cannot be written: %s", why);
    if (r->c.outputs)
        outputs_report(r->c.outputs, r, t->ts_ns);
    if (t->last)
        alerts_finish(r->c.alerts);
}
