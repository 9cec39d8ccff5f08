/* time.c: packet time as the model takes it, and how long it has learned.
 *
 * Learning lasts for a time in which the plant was watched. Captures of several years in one replay, a sensor that was
 * switched off, a clock that was set: a time without anything counts for a day at most. The moments at which learning
 * began, and at which something new came last, move by the rest. The clock is the latest time so far; what is older has
 * its own time as first and last sight, and learns by the clock. */
#include "baseline/model.h"

static const uint64_t counts_ns = UINT64_C(86400000000000);

/* Everything that is still learning: by moves its beginning, or, where the clock was set back behind it, brings it
 * there. */
static void move(struct row_life *l, uint8_t *dirty, struct baseline *b, uint64_t by_ns)
{
    if (!l->learn_ns)
        return;
    l->learn_ns += by_ns;
    l->novelty_ns += by_ns;
    due(b, dirty);
}

static uint64_t back(uint64_t at, uint64_t to_ns, uint64_t moved_ns)
{
    if (at <= to_ns)
        return at;
    return at > moved_ns && at - moved_ns <= to_ns ? at - moved_ns : to_ns; /* a step forward that is undone; or not */
}

static void bring(struct row_life *l, uint8_t *dirty, struct baseline *b, uint64_t to_ns)
{
    if (!l->learn_ns || (l->learn_ns <= to_ns && l->novelty_ns <= to_ns))
        return;
    l->learn_ns = back(l->learn_ns, to_ns, b->moved_ns);
    l->novelty_ns = back(l->novelty_ns, to_ns, b->moved_ns);
    l->learn_ns += !l->learn_ns;
    due(b, dirty);
}

/* What lies beneath functions and objects is not asked for its learning. */
static void each(struct baseline *b, void (*f)(struct row_life *, uint8_t *, struct baseline *, uint64_t), uint64_t ns)
{
    for (uint32_t i = 0; i < b->n_nets; i++)
        f(&b->nets[i].life, &b->nets[i].dirty, b, ns);
    for (uint32_t i = 1; i <= b->assets.high; i++)
        if (asset_at(b, i)->node.used)
            f(&asset_at(b, i)->life, &asset_at(b, i)->dirty, b, ns);
    for (uint32_t i = 1; i <= b->links.high; i++)
        if (blink_at(b, i)->node.used)
            f(&blink_at(b, i)->life, &blink_at(b, i)->dirty, b, ns);
}

void clock_back(struct baseline *b, uint64_t to_ns)
{
    each(b, bring, to_ns);
    b->now_ns = to_ns;
    b->moved_ns = b->loaded_ns = 0;
}

void clock_to(struct baseline *b, uint64_t ts_ns)
{
    bool first = !b->timed;
    uint64_t from = clock_of(b);
    b->timed = true;
    if (first && b->loaded_ns > ts_ns && b->loaded_ns - ts_ns > counts_ns) {
        clock_back(b, ts_ns); /* while the sensor was off, or it was wrong before; or older captures are read */
        return;
    }
    if (ts_ns <= b->now_ns)
        return;
    b->now_ns = ts_ns;
    if ((first && !b->loaded_ns) || ts_ns <= from || ts_ns - from <= counts_ns)
        return;
    b->moved_ns = ts_ns - from - counts_ns;
    each(b, move, b->moved_ns);
}
