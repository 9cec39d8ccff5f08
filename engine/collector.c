#include "engine/collector.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

struct source_head { /* the oldest record of one worker */
    struct ring_head *h;
    bool ended;
};

static unsigned rec_shard(const struct ring_head *h)
{
    return h->type >> 16;
}

/* Point the record's spans at what lies behind it on the ring (report.c wrote it in this order). */
static void unpack_event(struct ring_head *h, struct rec_event *r)
{
    uint8_t *p = (uint8_t *)(h + 1);
    memcpy(r, p, sizeof *r);
    p += sizeof *r;
    r->hits = (const uint16_t *)(void *)p;
    p += (r->n_hits * sizeof *r->hits + 7) & ~(size_t)7;
    struct rec_fact *facts = (struct rec_fact *)(void *)p;
    r->facts = facts;
    p += (r->n_facts * sizeof *facts + 7) & ~(size_t)7;
    for (unsigned i = 0; i < r->n_facts; i++) {
        facts[i].name.p = facts[i].name.n ? p : NULL;
        p += (facts[i].name.n + 7) & ~7u;
    }
    r->bytes.p = p;
    p += (r->bytes.n + 7) & ~7u;
    r->json.p = p;
}

static void on_event(struct collector *c, struct ring_head *h)
{
    struct rec_event r;
    unpack_event(h, &r);
    if (c->events && (r.wanted & REC_WANT_LOG)) {
        textout_line(c->events, (const char *)r.json.p, r.json.n);
        c->n_events++;
    }
}

static void on_record(struct collector *c, struct ring_head *h)
{
    c->n_records++;
    switch (h->type & 0xffff) {
    case RK_EVENT:
        on_event(c, h);
        break;
    default:
        break;
    }
}

/* The worker whose oldest record comes first; -1 while one of them has none to compare. */
static int next_worker(struct collector *c, struct source_head *s)
{
    int best = -1;
    for (unsigned i = 0; i < c->n_workers; i++) {
        if (s[i].ended)
            continue;
        if (!s[i].h && !(s[i].h = ring_peek(&c->workers[i].records)))
            return -1;
        if (best < 0 || s[i].h->order < s[best].h->order ||
            (s[i].h->order == s[best].h->order && rec_shard(s[i].h) < rec_shard(s[best].h)))
            best = (int)i;
    }
    return best;
}

void *collector_run(void *arg)
{
    struct collector *c = arg;
    struct source_head s[N_SHARDS] = {0};
    unsigned left = c->n_workers, spins = 0;
    while (left) {
        int i = next_worker(c, s);
        if (i < 0) {
            if (++spins < 32)
                sched_yield();
            else
                usleep(200);
            continue;
        }
        spins = 0;
        struct ring_head *h = s[i].h;
        s[i].h = NULL;
        on_record(c, h);
        if ((h->type & 0xffff) == RK_END) {
            s[i].ended = true;
            left--;
        }
        ring_pop(&c->workers[i].records, h);
    }
    return NULL;
}
