#include "engine/live_ports.h"

#include "engine/raise.h"

#define SECOND_NS UINT64_C(1000000000)
enum { UNKNOWN_S = 300 }; /* least silence told in an hour of the day that was not seen yet */

static struct port_hour *hour_of(struct port_watch *w, uint64_t ns)
{
    return &w->hour[ns / SECOND_NS / 3600 % PORT_HOURS];
}

/* Twice the longest that was normal at this hour of the day. */
static uint64_t threshold_ns(const struct live_ports *all, struct port_watch *w, uint64_t now_ns)
{
    const struct port_hour *h = hour_of(w, now_ns);
    uint64_t t = 2 * h->longest_s * SECOND_NS;
    if (!h->known && t < UNKNOWN_S * SECOND_NS && all->silence_ns >= 60 * SECOND_NS)
        t = UNKNOWN_S * SECOND_NS;
    return t > all->silence_ns ? t : all->silence_ns;
}

static void learn(struct port_watch *w, uint64_t gap_ns, uint64_t now_ns)
{
    struct port_hour *h = hour_of(w, w->last_ns);
    uint32_t s = (uint32_t)(gap_ns / SECOND_NS), day = (uint32_t)(now_ns / SECOND_NS / 86400);
    if (w->silent) {
        if (h->told_day && h->told_day != day && s <= 2 * h->told_s && s > h->longest_s)
            h->longest_s = s;
        h->told_s = s;
        h->told_day = day;
    } else if (s > h->longest_s) {
        h->longest_s = s;
    }
    hour_of(w, now_ns)->known = true;
}

static void losses(struct port_watch *w, struct raise *r, const struct source_port *p, uint64_t now_ns)
{
    uint64_t kernel = p->dropped_kernel - w->kernel, nic = p->dropped_nic - w->nic;
    w->kernel = p->dropped_kernel;
    w->nic = p->dropped_nic;
    if (!(kernel + nic))
        return;
    r->loss = true; /* until the window ends */
    raise_operational(r, AT_OPS_LOSS, now_ns, p->name, kernel + nic,
                      "%s: %llu packets were dropped because the kernel's buffer was full, %llu by the card or its "
                      "driver; %llu were processed in the same time",
                      p->name, (unsigned long long)kernel, (unsigned long long)nic,
                      (unsigned long long)(p->packets - w->packets));
}

static void links(struct port_watch *w, struct raise *r, const struct source_port *p, uint64_t now_ns)
{
    bool down = p->link == SOURCE_LINK_DOWN || p->link == SOURCE_LINK_GONE;
    if (down && !w->down)
        raise_operational(r, AT_OPS_LINK, now_ns, p->name, 1, "%s: %s", p->name,
                          p->link == SOURCE_LINK_GONE ? "the interface is not there" : "the link is down");
    if (!down && w->down)
        w->last_ns = now_ns; /* silence is counted anew */
    w->down = down;
}

static void traffic(struct live_ports *all, struct port_watch *w, struct raise *r, const struct source_port *p,
                    uint64_t now_ns)
{
    uint64_t gap = now_ns > w->last_ns ? now_ns - w->last_ns : 0;
    unsigned long long s = gap / SECOND_NS;
    if (p->packets != w->packets) {
        if (w->silent)
            raise_operational(r, AT_OPS_TRAFFIC_BACK, now_ns, p->name, 1, "%s: packets again after %llu s of silence",
                              p->name, s);
        learn(w, gap, now_ns);
        w->silent = false;
        w->packets = p->packets;
        w->last_ns = now_ns;
    } else if (!w->silent && !w->down && all->silence_ns && gap >= threshold_ns(all, w, now_ns)) {
        w->silent = true;
        raise_operational(r, AT_OPS_NO_TRAFFIC, now_ns, p->name, 1,
                          "%s: no packet for %llu s; at this hour the longest normal silence is %u s", p->name, s,
                          hour_of(w, now_ns)->longest_s);
    }
}

void live_ports_watch(struct live_ports *all, struct raise *r, const struct source_port *p, unsigned n, uint64_t now_ns)
{
    r->blind = false;
    for (unsigned i = 0; i < n; i++) {
        struct port_watch *w = &all->port[i];
        if (!p[i].paced)
            continue;
        if (!w->begun || now_ns + SECOND_NS < w->last_ns) { /* the first look, or the clock was set back */
            w->begun = true;
            w->last_ns = now_ns;
        }
        losses(w, r, &p[i], now_ns);
        links(w, r, &p[i], now_ns);
        traffic(all, w, r, &p[i], now_ns);
        r->blind |= w->down || w->silent;
    }
}
