/* shard_tick.c: as time passes: idle flows end, counts are told, time is set back, the input ends. */
#include "engine/shard.h"

#include <string.h>

enum { /* packet time without a packet after which a flow is over */
    IDLE_TCP_S = 3600,      /* OT polls can be slow; mid-stream pick-up costs little */
    IDLE_TCP_ATTEMPT_S = 30,
    IDLE_TCP_CLOSED_S = 15,
    IDLE_OTHER_S = 180,
    EXPIRE_EVERY = 60,      /* seconds between two looks at idle flows */
    FETCH_AHEAD = 12,       /* of these flows, which lie anywhere */
    FETCH_END = 4,          /* and of those among them that are over */
};

/* Counts of links and facts go to the collector every five minutes of packet time. */
#define COUNTS_NS UINT64_C(300000000000)

static uint64_t idle_ns(const struct flow *f)
{
    uint64_t seconds = IDLE_OTHER_S;
    if (f->key.proto == PROTO_TCP) {
        unsigned both = f->half[0].flags & f->half[1].flags, any = f->half[0].flags | f->half[1].flags;
        seconds = both & HALF_FIN || f->resets ? IDLE_TCP_CLOSED_S : any & HALF_DATA ? IDLE_TCP_S : IDLE_TCP_ATTEMPT_S;
    }
    return seconds * UINT64_C(1000000000);
}

static bool is_over(const struct flow *f, uint64_t ts_ns)
{
    return f->last_ns + idle_ns(f) <= ts_ns;
}

/* What is asked of a flow that is idle; and, of one that is over, all that its end touches. */
static void fetch_idle(const struct flow *f)
{
    __builtin_prefetch(f);
    __builtin_prefetch(f->half);
    __builtin_prefetch(&f->resets);
}

static void fetch_end(const struct shard *s, const struct flow *f)
{
    for (unsigned line = 0; line < sizeof *f; line += 64)
        __builtin_prefetch((const char *)f + line);
    __builtin_prefetch(&s->flows.buckets[flow_hash(&f->key, s->flows.hash_key) & s->flows.bucket_mask]);
}

/* Flow i is looked at as the n-th; most of what follows it then followed it the last time. `at`: its place in that. */
static uint32_t fetch_ahead(struct shard *s, uint32_t i, uint32_t n, uint32_t at, uint64_t ts_ns)
{
    while (at < s->n_idle && s->idle[at] != i)
        at++;
    if (at + FETCH_AHEAD < s->n_idle)
        fetch_idle(&s->flows.flows[s->idle[at + FETCH_AHEAD]]);
    if (at + FETCH_END < s->n_idle && is_over(&s->flows.flows[s->idle[at + FETCH_END]], ts_ns))
        fetch_end(s, &s->flows.flows[s->idle[at + FETCH_END]]);
    s->idle[n] = i; /* n <= at, or nothing is left */
    return at;
}

/* Flows idle for longer than their kind allows end here, the least recently used first. Only the old end of the list is
 * looked at: a short-lived flow behind a long-lived one waits, which costs its slot and nothing else. */
static void expire_flows(struct shard *s, uint64_t ts_ns)
{
    uint32_t looked = 0, at = 0;
    for (uint32_t i = s->flows.used.oldest, next; i != FLOW_NONE && looked < SHARD_IDLE; i = next, looked++) {
        struct flow *f = &s->flows.flows[i];
        at = fetch_ahead(s, i, looked, at, ts_ns);
        next = s->flows.order[i].newer;
        if (is_over(f, ts_ns))
            flow_end(s, f);
        else if (f->last_ns + IDLE_TCP_CLOSED_S * UINT64_C(1000000000) > ts_ns)
            break;
        else
            stream_tick(s, f, ts_ns);
    }
    s->n_idle = looked;
}

/* The flow before flow i in the order of use, which stays the last one when there is none. */
static uint32_t before(const struct shard *s, uint32_t i)
{
    uint32_t older = i == FLOW_NONE ? i : s->flows.order[i].older;
    return older == FLOW_NONE ? i : older;
}

/* What counting reads of a flow. */
static void fetch_counts(const struct flow *f)
{
    __builtin_prefetch(f);
    __builtin_prefetch(f->half);
    __builtin_prefetch(f->bytes);
    __builtin_prefetch(&f->link);
    __builtin_prefetch(&f->retransmissions);
}

/* Flows and links lie anywhere: those that come later are on their way, in steps. */
static void tell_counts(struct shard *s)
{
    enum { FLOWS = 12, BUCKETS = 8, LINKS = 4, STEPS = FLOWS + 1 };
    uint32_t ahead[STEPS], n = 0; /* the flow n steps on is ahead[(at + n) % STEPS] */
    for (uint32_t i = s->flows.used.newest; n < STEPS; i = before(s, i))
        ahead[n++] = i;
    for (uint32_t i = s->flows.used.newest, at = 0; i != FLOW_NONE; i = s->flows.order[i].older) {
        struct flow *f = &s->flows.flows[i];
        fetch_counts(&s->flows.flows[ahead[(at + FLOWS) % STEPS]]);
        link_fetch(&s->links, s->flows.flows[ahead[(at + BUCKETS) % STEPS]].link);
        link_fetch_on(&s->links, s->flows.flows[ahead[(at + LINKS) % STEPS]].link);
        if (f->packets[0] | f->packets[1]) {
            f->faults_told = 0;
            report_counts(s, f);
        }
        ahead[at] = before(s, ahead[(at + FLOWS) % STEPS]);
        at = (at + 1) % STEPS;
    }
}

void shard_tick(struct shard *s, uint64_t ts_ns, bool flush)
{
    s->pkt = NULL;
    s->lay = NULL;
    rt_expect_tick(&s->rt, s->now_ns, ts_ns);
    s->now_ns = ts_ns;
    rt_expire(&s->rt, ts_ns);
    if (flush || ts_ns >= s->expire_ns) {
        expire_flows(s, ts_ns);
        s->expire_ns = ts_ns + EXPIRE_EVERY * UINT64_C(1000000000);
    }
    if (flush) {
        unseen_flush(s, ts_ns);
        told_flush(&s->told, s->env->rules, ts_ns);
        repeats_flush(&s->repeats);
        report_errors(s, ts_ns);
    }
    if (flush && (ts_ns >= s->counts_ns || s->counts_ns - ts_ns > COUNTS_NS)) {
        s->counts_ns = (ts_ns / COUNTS_NS + 1) * COUNTS_NS;
        tell_counts(s);
        memset(s->fragment_faults, 0, sizeof s->fragment_faults);
        report_flush(s, ts_ns);
    }
    s->epoch++;
}

void shard_set_back(struct shard *s, uint64_t ts_ns, uint64_t to_ns)
{
    static const uint64_t margin_ns = UINT64_C(60000000000); /* a flow of the new time may be this far ahead */
    s->pkt = NULL;
    s->lay = NULL;
    s->now_ns = ts_ns;
    for (uint32_t i = s->flows.used.oldest, next; i != FLOW_NONE; i = next) {
        struct flow *f = &s->flows.flows[i];
        next = s->flows.order[i].newer;
        if (f->last_ns > to_ns + margin_ns) {
            s->stats->flows_set_back++;
            flow_end(s, f);
        }
    }
    for (uint32_t i = s->flows.used.newest; i != FLOW_NONE; i = s->flows.order[i].older)
        report_counts(s, &s->flows.flows[i]);
    report_flush(s, ts_ns);
    unseen_flush(s, ts_ns);
    rt_expect_forget(&s->rt);
    told_clear(&s->told);
    repeats_flush(&s->repeats);
    repeats_clear(&s->repeats);
    s->copies = (struct copies){0};
    fact_set_clear(&s->facts); /* a fact that was last seen in the future would never make room for another */
    s->now_ns = to_ns;
    s->expire_ns = 0;
    s->epoch++;
}

void shard_end(struct shard *s, uint64_t ts_ns)
{
    s->pkt = NULL;
    s->lay = NULL;
    s->now_ns = ts_ns;
    for (struct flow *f; (f = flow_oldest(&s->flows));)
        flow_end(s, f);
    report_flush(s, ts_ns);
    unseen_flush(s, ts_ns);
    repeats_flush(&s->repeats);
}
