/* test_known.c: what is known of messages that come again only saves time. Each capture is played over and over through
 * the same connections; in later turns octets of some messages are others. Everything that is told and counted must be
 * the same as where each message is read: with all events logged and no memory of requests and answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/rules.h"
#include "tests/generic/player.h"

enum { TURNS = 200, SAME = 3 /* turns without a change, for all to be known */, FLOWS = 512, SCHEMAS = 64 };

static uint64_t state;

static uint32_t chance(uint32_t n)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % n;
}

/* ---- the same connection goes on from turn to turn ---- */

struct conn {
    struct flow_key key;
    uint32_t first[2], next[2]; /* sequence numbers of a turn, and behind its end */
    bool has[2];
};

static struct conn conns[FLOWS];
static uint32_t n_conns;

static struct conn *conn_of(const struct job *j)
{
    uint32_t i = 0;
    while (i < n_conns && memcmp(&conns[i].key, &j->key, sizeof j->key) != 0)
        i++;
    if (i == FLOWS)
        return NULL;
    if (i == n_conns)
        conns[n_conns++] = (struct conn){.key = j->key};
    return &conns[i];
}

static void measure(const struct capture *c)
{
    n_conns = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        const struct layers *l = &c->steps[i].job.lay;
        struct conn *k = c->steps[i].job.key.proto == PROTO_TCP ? conn_of(&c->steps[i].job) : NULL;
        unsigned side = c->steps[i].job.side;
        if (!k)
            continue;
        uint32_t begin = l->seq + ((l->tcp_flags & TCP_SYN) != 0), end = begin + l->payload_len;
        if (!k->has[side] || (int32_t)(begin - k->first[side]) < 0)
            k->first[side] = begin;
        if (!k->has[side] || (int32_t)(end - k->next[side]) > 0)
            k->next[side] = end;
        k->has[side] = true;
    }
}

static void move_on(struct step *s, unsigned turn, uint64_t length_ns)
{
    struct layers *l = &s->job.lay;
    const struct conn *k = s->job.key.proto == PROTO_TCP ? conn_of(&s->job) : NULL;
    unsigned side = s->job.side;
    s->pkt.ts_ns += turn * length_ns;
    if (!k)
        return;
    l->seq += turn * (k->next[side] - k->first[side]);
    l->ack += turn * (k->next[1 - side] - k->first[1 - side]);
    l->tcp_flags &= (uint8_t)~(TCP_FIN | TCP_RST);
}

/* ---- all turns ---- */

static void spoil(struct capture *all, struct step *s)
{
    struct layers *l = &s->job.lay;
    if (!l->payload_len || chance(4))
        return;
    uint8_t *copy = malloc(l->payload_len);
    if (!copy)
        abort();
    memcpy(copy, l->payload, l->payload_len);
    uint32_t head = l->payload_len < 32 ? l->payload_len : 32; /* most of what matters lies in front */
    copy[chance(2) ? chance(head) : chance(l->payload_len)] ^= (uint8_t)(1u << chance(8));
    l->payload = copy;
    all->owned = realloc(all->owned, (all->n_owned + 1) * sizeof *all->owned);
    if (!all->owned)
        abort();
    all->owned[all->n_owned++] = copy;
}

static void make_turns(const struct capture *c, struct capture *all)
{
    uint64_t first = UINT64_MAX, last = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        first = c->steps[i].pkt.ts_ns < first ? c->steps[i].pkt.ts_ns : first;
        last = c->steps[i].pkt.ts_ns > last ? c->steps[i].pkt.ts_ns : last;
    }
    measure(c);
    *all = (struct capture){.steps = malloc(sizeof *c->steps * c->n * TURNS + 1)};
    if (!all->steps)
        abort();
    for (unsigned turn = 0; turn < TURNS; turn++)
        for (uint32_t i = 0; i < c->n; i++) {
            struct step *s = &all->steps[all->n];
            *s = c->steps[i];
            if (turn && s->job.lay.tcp_flags & TCP_SYN)
                continue;
            move_on(s, turn, last - first + UINT64_C(20000000));
            s->pkt.frame = ++all->n;
            if (turn >= SAME)
                spoil(all, s);
        }
}

/* ---- with and without ---- */

static void without_memory(struct player *p)
{
    memset(p->shard_conf.rt.again, 0, sizeof p->shard_conf.rt.again);
    p->shard_conf.rt.n_again = 0;
    p->env->log_events = true;
}

static void show(const char *path, const char *with, const char *without)
{
    unsigned line = 1;
    while (*with && *with == *without) {
        line += *with == '\n';
        with++, without++;
    }
    printf("%s: line %u: ...%.300s\n  read, each: ...%.300s\n", path, line, with, without);
}

/* The shipped rules: what they look at must be seen. */
static struct ruleset *rules_new(void)
{
    static const struct proto_schema *schemas[SCHEMAS];
    struct ruleset_opts o = {.schemas = schemas};
    struct ruleset *rs;
    struct err e;
    while (o.n_schemas < SCHEMAS && (schemas[o.n_schemas] = schema_at(o.n_schemas)))
        o.n_schemas++;
    if (ruleset_load(&o, &rs, &e)) {
        fprintf(stderr, "%s\n", e.text);
        exit(1);
    }
    return rs;
}

static bool test(const char *path, uint32_t max, const struct ruleset *rs)
{
    struct capture c, all;
    struct player with, without;
    if (capture_load(&c, path, max))
        return false;
    if (player_init(&with, path) || player_init(&without, path))
        abort();
    with.counts = without.counts = true;
    with.env->rules = without.env->rules = rs;
    with.env->log_events = false;
    with.env->secret = without.env->secret = UINT64_C(0x9e3779b97f4a7c15);
    without_memory(&without);
    make_turns(&c, &all);
    player_run(&with, all.steps, all.n);
    player_run(&without, all.steps, all.n);
    bool good = strcmp(with.trace.p, without.trace.p) == 0 && with.stats.events == without.stats.events;
    if (!good) {
        printf("%llu events, %llu where each is read\n", (unsigned long long)with.stats.events,
               (unsigned long long)without.stats.events);
        show(path, with.trace.p, without.trace.p);
    }
    capture_free(&all);
    capture_free(&c);
    player_done(&with);
    player_done(&without);
    return good;
}

int main(int argc, char **argv)
{
    struct ruleset *rs = rules_new();
    int bad = 0;
    for (int i = 1; i < argc; i++) {
        state = 7;
        bad += !test(argv[i], 400, rs);
    }
    ruleset_free(rs);
    printf("%d captures, %d of them not as where each message is read\n", argc - 1, bad);
    return bad != 0;
}
