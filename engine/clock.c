#include "engine/clock.h"

#include <string.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)
enum { STALE_S = 3600 }; /* a packet that old was not captured now, whatever its time stamp says */

void clock_ports(struct live_clock *c, const struct source_port *p, unsigned n)
{
    memset(c->paced, 0, sizeof c->paced);
    c->any_paced = false;
    for (unsigned i = 0; i < n; i++) {
        if (p[i].file < CLOCK_PORTS)
            c->paced[p[i].file] = p[i].paced;
        c->any_paced |= p[i].paced;
    }
}

static uint64_t read_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * (uint64_t)SECOND_NS + (uint64_t)t.tv_nsec;
}

/* A clock that is slewed moves by half a millisecond a second; what moves by a second at once was set. */
int64_t clock_look(struct live_clock *c)
{
    c->boot_ns = read_ns(CLOCK_BOOTTIME);
    c->real_ns = read_ns(CLOCK_REALTIME);
    int64_t offset = (int64_t)(c->real_ns - c->boot_ns), step = c->looked ? offset - c->offset_ns : 0;
    c->looked = true;
    c->offset_ns = offset;
    if (step > -SECOND_NS && step < SECOND_NS)
        return 0;
    memset(c->last_ns, 0, sizeof c->last_ns);
    return step;
}

bool clock_trusted(struct clock_trust *t)
{
    static const uint64_t minute_ns = UINT64_C(60000000000), settle_ns = UINT64_C(5000000000);
    enum { MANY = 3 };
    uint64_t boot = read_ns(CLOCK_BOOTTIME), real = read_ns(CLOCK_REALTIME);
    int64_t offset = (int64_t)(real - boot), step = t->looked ? offset - t->offset_ns : 0;
    t->looked = true;
    t->offset_ns = offset;
    if (step <= -SECOND_NS || step >= SECOND_NS) {
        t->n_steps = t->stepped_ns && boot - t->stepped_ns < minute_ns ? t->n_steps + 1 : 1;
        t->stepped_ns = boot;
    }
    uint64_t calm = t->n_steps ? boot - t->stepped_ns : minute_ns;
    bool plausible = real >= CLOCK_EARLIEST_S * (uint64_t)SECOND_NS && (t->n_steps < MANY || calm >= minute_ns);
    t->trusted = plausible && (calm >= settle_ns || t->trusted);
    return t->trusted;
}

void clock_fix(struct live_clock *c, struct pkt *p, unsigned n)
{
    uint64_t ahead = c->real_ns + (uint64_t)SECOND_NS, stale = c->real_ns - STALE_S * (uint64_t)SECOND_NS;
    for (unsigned i = 0; i < n; i++) {
        if (p[i].file >= CLOCK_PORTS || !c->paced[p[i].file])
            continue;
        uint64_t *last = &c->last_ns[p[i].file];
        if (p[i].ts_ns > ahead || p[i].ts_ns < stale) {
            p[i].ts_ns = c->real_ns;
            c->bent++;
        }
        if (p[i].ts_ns < *last && *last - p[i].ts_ns < (uint64_t)SECOND_NS) {
            p[i].ts_ns = *last;
            c->late++;
        }
        *last = p[i].ts_ns;
    }
}
