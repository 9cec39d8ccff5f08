/* unseen.c: what was sent and never came here, as its neighbours tell it.
 *
 * TCP: a receiver acknowledges only what it has. Bytes below its acknowledgement that its sender was not seen to send,
 * and that do not come a moment later (two ports of a mirror may swap packets), were lost on the way to the sensor.
 * What the network itself loses is sent again before it is acknowledged: no loss here. Of a connection of which one
 * side was never seen nothing is known, and of one that is older than the capture only what came after. */
#include "engine/unseen.h"

#include <stdio.h>
#include <string.h>

#include "engine/raise.h"
#include "engine/shard.h"
#include "engine/worker.h"

enum { FAR = 1 << 20 }; /* an acknowledgement beyond this is no hole: the numbers changed */
static const uint64_t late_ns = UINT64_C(50000000);

static void tell(struct shard *s, struct unseen_port *p, uint64_t ts_ns)
{
    struct rec_unseen r = {.ts_ns = ts_ns, .times = p->times, .iface = p->iface, .vlan = p->vlan};
    memcpy(r.n, p->n, sizeof r.n);
    memset(p->n, 0, sizeof p->n);
    p->times = 0;
    out_put(s->out, RK_UNSEEN, &r, sizeof r);
}

static struct unseen_port *port_of(struct unseen *u, uint16_t iface, uint16_t vlan)
{
    for (unsigned i = 0; i < UNSEEN_PORTS - 1; i++) {
        struct unseen_port *p = &u->port[i];
        if (!p->used)
            *p = (struct unseen_port){.iface = iface, .vlan = vlan};
        if (p->iface == iface && p->vlan == vlan)
            return p;
    }
    u->port[UNSEEN_PORTS - 1].iface = u->port[UNSEEN_PORTS - 1].vlan = UNSEEN_OTHERS;
    return &u->port[UNSEEN_PORTS - 1];
}

void unseen_add(struct shard *s, uint16_t iface, uint16_t vlan, enum unseen_by by, uint64_t n)
{
    struct unseen_port *p = port_of(&s->unseen, iface, vlan);
    bool first = !p->used;
    p->used = true;
    p->n[by] += n;
    p->times++;
    if (first)
        tell(s, p, s->pkt ? s->pkt->ts_ns : s->now_ns);
}

void unseen_flush(struct shard *s, uint64_t ts_ns)
{
    for (unsigned i = 0; i < UNSEEN_PORTS; i++) {
        struct unseen_port *p = &s->unseen.port[i];
        if (p->times)
            tell(s, p, ts_ns);
        p->used = false;
    }
}

/* ---- TCP ---- */

static int32_t diff(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

/* Where what was not counted yet begins. */
static uint32_t uncounted(struct half *h)
{
    int32_t d = diff(half_rest(h)->unseen, h->next);
    return h->flags & HALF_UNSEEN && d > 0 && d <= FAR ? half_rest(h)->unseen : h->next;
}

static void count(struct shard *s, struct flow *f, unsigned side, uint32_t from, uint32_t to)
{
    struct half *h = &f->half[side];
    unseen_add(s, f->iface, f->vlan, UNSEEN_BYTES, to - from);
    h->flags = (uint8_t)((h->flags | HALF_UNSEEN) & ~HALF_LAG);
    half_rest(h)->unseen = to;
}

void unseen_acked(struct shard *s, struct flow *f, unsigned side, uint32_t ack)
{
    struct half *h = &f->half[side];
    struct half_rest *r = half_rest(h);
    uint32_t from = uncounted(h);
    if (h->ooo != FLOW_NONE || diff(ack, h->next) > FAR || diff(ack, from) <= 0)
        return; /* a hole with segments behind it: unseen_hole() */
    if (from != h->next) { /* it goes on */
        count(s, f, side, from, ack);
        return;
    }
    if (!(h->flags & HALF_LAG) || diff(r->unseen, h->next) <= 0) { /* the first word of it; or that came after all */
        h->flags = (uint8_t)((h->flags | HALF_LAG) & ~HALF_UNSEEN);
        r->unseen = ack;
        r->hole_ns = s->now_ns;
    } else if (s->now_ns > r->hole_ns + late_ns) {
        count(s, f, side, from, ack);
    }
}

void unseen_hole(struct shard *s, struct flow *f, unsigned side, uint32_t end)
{
    uint32_t from = uncounted(&f->half[side]);
    if (diff(end, from) > 0 && diff(end, from) <= FAR)
        count(s, f, side, from, end);
}

void unseen_end(struct shard *s, struct flow *f)
{
    for (unsigned side = 0; side < 2; side++) {
        struct half *h = &f->half[side];
        const struct half_rest *r = half_rest(h);
        if (h->flags & HALF_LAG && diff(r->unseen, h->next) > 1 && s->now_ns > r->hole_ns + late_ns)
            count(s, f, side, h->next, r->unseen);
    }
}

/* ---- the collector's ---- */

static struct unseen_row *row_of(struct unseen_table *t, const char *iface, uint16_t vlan)
{
    unsigned i = 0;
    while (i < t->n && (t->row[i].vlan != vlan || strncmp(t->row[i].iface, iface, UNSEEN_NAME - 1) != 0))
        i++;
    if (i < t->n)
        return &t->row[i];
    if (t->n == UNSEEN_ROWS) {
        struct unseen_row *last = &t->row[UNSEEN_ROWS - 1];
        snprintf(last->iface, sizeof last->iface, "others");
        last->vlan = UNSEEN_OTHERS;
        return last;
    }
    struct unseen_row *r = &t->row[t->n++];
    *r = (struct unseen_row){.vlan = vlan};
    snprintf(r->iface, sizeof r->iface, "%s", iface);
    return r;
}

void unseen_count(struct unseen_table *t, const struct rec_unseen *r, const char *iface)
{
    struct unseen_row *row = row_of(t, r->iface == UNSEEN_OTHERS ? "others" : iface, r->vlan);
    for (unsigned k = 0; k < UNSEEN_KINDS; k++) {
        row->n[k] += r->n[k];
        row->now[k] += r->n[k];
    }
    row->times += r->times;
    row->now_times += r->times;
}

/* A hole now and then is marked and counted; so many in one window are a mirror that does not keep up. */
enum { MANY = 10 };

void unseen_tick(struct unseen_table *t, struct raise *r, uint64_t ts_ns)
{
    for (unsigned i = 0; i < t->n; i++) {
        struct unseen_row *row = &t->row[i];
        char port[UNSEEN_NAME + 16], vlan[16] = "";
        if (row->vlan && row->vlan != UNSEEN_OTHERS)
            snprintf(vlan, sizeof vlan, " VLAN %u", row->vlan);
        snprintf(port, sizeof port, "%s%s", row->iface[0] ? row->iface : "capture", vlan);
        if (row->now_times >= MANY)
            raise_operational(r, AT_OPS_UNSEEN, ts_ns, port, row->now_times,
                              "%s: in the window that ended now %llu holes were told by what lies around them: %llu "
                              "bytes of TCP that were acknowledged but never seen, %llu messages and %llu mirrored "
                              "frames that sequence numbers leave out",
                              port, (unsigned long long)row->now_times, (unsigned long long)row->now[UNSEEN_BYTES],
                              (unsigned long long)row->now[UNSEEN_MESSAGES],
                              (unsigned long long)row->now[UNSEEN_FRAMES]);
        memset(row->now, 0, sizeof row->now);
        row->now_times = 0;
    }
}
