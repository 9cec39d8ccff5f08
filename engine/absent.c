#include "engine/absent.h"

#include <string.h>

#include "engine/raise.h"

static bool same(const struct rec_absent *a, const struct rec_absent *b)
{
    return a->schema == b->schema && a->net == b->net && a->unit == b->unit && addr_eq(&a->src, &b->src) &&
           addr_eq(&a->dst, &b->dst) && strcmp(a->name, b->name) == 0;
}

static void take_out(struct absent *a, unsigned i)
{
    a->n--;
    memmove(&a->held[i], &a->held[i + 1], (a->n - i) * sizeof a->held[0]);
}

void absent_add(struct absent *a, const struct rec_absent *r)
{
    unsigned i = 0;
    while (i < a->n && !same(&a->held[i].r, r))
        i++;
    if (r->back && i < a->n)
        take_out(a, i); /* late, which its dissector says */
    if (r->back || i < a->n)
        return;
    if (a->n == ABSENT_HELD)
        a->more++;
    else
        a->held[a->n++] = (struct absent_one){.r = *r};
}

/* Where packets are lost, or nothing can be seen, silence proves nothing; but it is not kept for ever. */
static bool hold_on(const struct absent_one *o, const struct raise *r)
{
    enum { MOST = 10 };
    return (r->loss || r->blind) && o->windows < MOST;
}

void absent_tick(struct absent *a, struct raise *r, uint64_t ts_ns, bool last)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < a->n; i++) {
        struct absent_one *o = &a->held[i];
        o->windows++;
        if (!last && hold_on(o, r))
            a->held[kept++] = *o;
        else
            raise_absent(r, &o->r, ts_ns);
    }
    a->n = kept;
    if (a->more)
        raise_operational(r, AT_OPS_EVICTIONS, ts_ns, "absent", a->more,
                          "%llu more publishers did not speak in time than are told one by one",
                          (unsigned long long)a->more);
    a->more = 0;
}
