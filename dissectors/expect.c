/* expect.c: publishers that say when they will speak again at the latest.
 *
 * What is expected hangs on a shared state of the dissector, which knows until when: nothing is done for a message that
 * comes in time. Only once the earliest moment has passed are all of the shard looked at. A time in which the sensor
 * saw nothing at all proves nothing: what was expected then is forgotten, until the publisher speaks again. */
#include "dissectors/runtime.h"

enum { TOLD = 0xffff }; /* shared_blob.expect: it was told that nothing came */
static const uint64_t blind_ns = UINT64_C(10000000000);

static struct shared_blob *blob_of(const void *blob)
{
    return (struct shared_blob *)(void *)((uint8_t *)(uintptr_t)blob - offsetof(struct shared_blob, blob));
}

static void forget(struct dis_rt *rt, struct expected *e)
{
    e->blob->expect = 0;
    *e = (struct expected){0};
    rt->n_expect--;
}

static void tell(struct dis_ctx *x, const struct expected *e, const void *blob, bool back, uint64_t ts_ns)
{
    struct dis_absent a = {.schema = e->dis->schemas[0], .ts_ns = ts_ns, .unit = e->unit, .back = back,
                           .name = {e->name, e->name_len}};
    e->dis->due(blob, &a.due);
    if (x->rt->sink->absent)
        x->rt->sink->absent(x->rt->sink_arg, x, &a);
}

static struct expected make(const struct dis_ctx *x, struct shared_blob *b, uint32_t unit, struct span name)
{
    struct expected e = {.blob = b, .owner = x->owner, .fr = x->fr, .dis = x->dis, .unit = unit};
    uint32_t n = name.n < sizeof e.name ? name.n : (uint32_t)sizeof e.name;
    e.name_len = (uint8_t)n;
    if (n)
        memcpy(e.name, name.p + name.n - n, n);
    return e;
}

void dis_expect(struct dis_ctx *x, const void *blob, uint32_t unit, struct span name)
{
    struct dis_rt *rt = x->rt;
    struct shared_blob *b = blob_of(blob);
    rt->acts++;
    if (__builtin_expect(b->expect && b->expect != TOLD, 1))
        return;
    struct expected e = make(x, b, unit, name);
    struct dis_due due;
    x->dis->due(blob, &due);
    if (b->expect == TOLD)
        tell(x, &e, blob, true, x->ts_ns);
    b->expect = 0;
    if (!due.due_ns)
        return;
    if (rt->n_expect == LIM_EXPECT) {
        rt->stats.expect_short++;
        return;
    }
    unsigned i = 0;
    while (rt->expect[i].blob)
        i++;
    rt->expect[i] = e;
    b->expect = (i + 1) & 0xffff;
    rt->n_expect++;
    rt->expect_due = due.due_ns < rt->expect_due ? due.due_ns : rt->expect_due;
}

void rt_expect_evicted(struct dis_rt *rt, struct shared_blob *b)
{
    if (b->expect != TOLD)
        forget(rt, &rt->expect[b->expect - 1u]);
}

void rt_expect_end(struct dis_ctx *x)
{
    struct dis_rt *rt = x->rt;
    for (unsigned i = 0; rt->n_expect && i < LIM_EXPECT; i++)
        if (rt->expect[i].blob && rt->expect[i].owner == x->owner)
            forget(rt, &rt->expect[i]);
}

void rt_expect_forget(struct dis_rt *rt)
{
    for (unsigned i = 0; rt->n_expect && i < LIM_EXPECT; i++)
        if (rt->expect[i].blob)
            forget(rt, &rt->expect[i]);
}

static void pass(struct dis_rt *rt, struct expected *e, uint64_t now_ns)
{
    struct shared_blob *b = e->blob;
    struct dis_ctx x = {.rt = rt, .owner = e->owner, .fr = e->fr, .dis = e->dis};
    rt->sink->context(rt->sink_arg, x.owner, &x);
    tell(&x, e, b->blob, false, now_ns);
    forget(rt, e);
    b->expect = TOLD;
}

void rt_expect_tick(struct dis_rt *rt, uint64_t before_ns, uint64_t now_ns)
{
    if (!rt->n_expect)
        return;
    if (now_ns > before_ns + blind_ns) {
        rt_expect_forget(rt);
        return;
    }
    if (now_ns <= rt->expect_due)
        return;
    rt->expect_due = UINT64_MAX;
    for (unsigned i = 0; i < LIM_EXPECT; i++) {
        struct expected *e = &rt->expect[i];
        struct dis_due due;
        if (!e->blob)
            continue;
        e->dis->due(e->blob->blob, &due);
        if (!due.due_ns)
            forget(rt, e); /* it promises nothing any more */
        else if (due.due_ns < now_ns)
            pass(rt, e, now_ns);
        else if (due.due_ns < rt->expect_due)
            rt->expect_due = due.due_ns;
    }
}
