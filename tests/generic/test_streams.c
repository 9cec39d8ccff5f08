/* test_streams.c: what TCP may do to a conversation without changing what was said, for any dissector.
 *
 *   test_streams [-n PACKETS] [-x EVENT_TYPE] [-t PERCENT] CAPTURE...
 *
 * The same events, identity facts and anomalies must come out when every segment is split at each byte, when the pieces
 * arrive in the wrong order, when segments are sent again or overlap. With one direction alone, a segment missing or
 * the beginning missing less comes out, but never a message that was not there, and never something that is not JSON.
 * -x: events of this type tell a change (of cyclic data), which moves to the next packet when one is missing. -t: so
 * many of the captures may differ (real ones hold connections that no standard foresees); crashes and broken records
 * never pass. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/generic/player.h"

enum { SPLIT_MAX = 1500, MISSING_MAX = 160, START_MAX = 60, SHOWN = 160, TOLD = 4, HOLES = 2,
       INVENTED = 1 /* messages read out of the middle of one, where a capture begins inside it */ };

struct steps {
    struct step *s;
    uint32_t n, cap;
};

struct run {
    struct player p;
    struct capture c;
    struct steps out;
    struct text base;   /* the trace of the capture as it is */
    struct text said;   /* its messages, one a line, sorted: "frame function" */
    uint32_t n_base, failed, runs;
    bool unclean;       /* the capture itself has holes or repetitions: how soon a hole is given up depends on how many
                         * segments wait behind it, so nothing is compared, and only crashes and broken records count */
};

static void push(struct steps *o, const struct step *s)
{
    if (o->n == o->cap) {
        o->cap = o->cap ? o->cap * 2 : 256;
        o->s = realloc(o->s, o->cap * sizeof *o->s);
        if (!o->s)
            abort();
    }
    o->s[o->n++] = *s;
}

/* Bytes [from, to) of a segment as a segment of its own. */
static void push_piece(struct steps *o, const struct step *s, uint32_t from, uint32_t to)
{
    struct step x = *s;
    struct layers *l = &x.job.lay;
    bool end = to == l->payload_len;
    l->seq += from;
    l->payload += from;
    l->payload_len = to - from;
    l->payload_wire = end ? l->payload_wire - from : to - from;
    if (!end) {
        l->tcp_flags &= (uint8_t)~TCP_FIN;
        l->what &= ~(uint32_t)LAY_CUT;
    }
    push(o, &x);
}

static bool is_data(const struct step *s)
{
    const struct layers *l = &s->job.lay;
    return l->reached == REACHED_L4 && l->ip_proto == PROTO_TCP && l->payload_len &&
           !(l->tcp_flags & (TCP_SYN | TCP_RST));
}

/* Has this direction been opened in view? Mid-stream, the first segment seen defines where the stream begins. */
static bool seen_syn(const struct capture *c, uint32_t upto, const struct step *s)
{
    for (uint32_t i = upto; i-- > 0;) {
        const struct step *b = &c->steps[i];
        if (b->job.lay.ip_proto == PROTO_TCP && b->job.side == s->job.side &&
            memcmp(&b->job.key, &s->job.key, sizeof b->job.key) == 0 &&
            ((b->job.lay.tcp_flags & TCP_SYN) || b->job.lay.payload_len))
            return true;
    }
    return false;
}

static uint64_t line_hash(const char *s, size_t n)
{
    uint64_t h = UINT64_C(1469598103934665603);
    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint8_t)s[i]) * UINT64_C(1099511628211);
    return h;
}

static void first_difference(const char *a, const char *b)
{
    while (*a && *b) {
        size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");
        if (n != m || memcmp(a, b, n) != 0)
            break;
        a += n + (a[n] == '\n');
        b += m + (b[m] == '\n');
    }
    int n = (int)strcspn(a, "\n"), m = (int)strcspn(b, "\n"), at = 0;
    while (at < n && at < m && a[at] == b[at])
        at++;
    const char *frame = strstr(a, "pcap_cnt");
    int cut = at > SHOWN / 2 ? at - SHOWN / 2 : 0;
    fprintf(stderr, "  at %.*s\n  expected: %.*s\n  found:    %.*s\n", frame ? (int)strcspn(frame, ",\n") : 0,
            frame ? frame : "", n - cut < SHOWN ? n - cut : SHOWN, a + (cut < n ? cut : n),
            m - cut < SHOWN ? m - cut : SHOWN, b + (cut < m ? cut : m));
}

static void must_equal(struct run *r, const char *what, uint32_t k)
{
    player_run(&r->p, r->out.s, r->out.n);
    r->runs++;
    if (r->unclean || (r->p.trace.n == r->base.n && memcmp(r->p.trace.p, r->base.p, r->base.n) == 0))
        return;
    if (r->failed++ < TOLD) {
        fprintf(stderr, "%s: %s (%u) changes what is found\n", r->p.file, what, k);
        first_difference(r->base.p, r->p.trace.p);
    }
}

/* ---- messages: (frame, function) pairs out of the records' own text ---- */

static int by_line(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static const char *changes_type; /* -x */

/* Is this a message of an event that counts? */
static bool counts(const char *trace, const char *at)
{
    char want[64];
    if (!changes_type)
        return true;
    snprintf(want, sizeof want, "\"event_type\":\"%s\"", changes_type);
    while (at > trace && at[-1] != '\n')
        at--;
    const char *found = strstr(at, want);
    return !found || found > at + strcspn(at, "\n");
}

/* "frame":41,"function":"3" of every event, as lines. */
static void messages(const char *trace, struct text *ret)
{
    static const char key[] = "{\"frame\":";
    ret->n = 0;
    text_add(ret, "", 0);
    for (const char *at = trace; (at = strstr(at, key)); at += sizeof key) {
        if (!counts(trace, at))
            continue;
        size_t n = strcspn(at, "}\n");
        text_add(ret, at, n);
        text_add(ret, "\n", 1);
    }
}

static char **lines_of(struct text *t, uint32_t *ret_n)
{
    uint32_t n = 0;
    char **v = malloc((t->n + 1) * sizeof *v);
    if (!v)
        abort();
    for (char *s = t->p; *s; s++) {
        v[n++] = s;
        s += strcspn(s, "\n");
        *s = 0;
    }
    qsort(v, n, sizeof *v, by_line);
    *ret_n = n;
    return v;
}

/* Messages of this run that the whole capture does not have. */
static uint32_t count_invented(struct run *r)
{
    struct text now = {0}, all = {0};
    uint32_t n, m, bad = 0;
    messages(r->p.trace.p, &now);
    text_add(&all, r->said.p, r->said.n);
    char **a = lines_of(&now, &n), **b = lines_of(&all, &m);
    for (uint32_t i = 0, k = 0; i < n; i++) {
        while (k < m && strcmp(b[k], a[i]) < 0)
            k++;
        if (k < m && strcmp(b[k], a[i]) == 0) {
            k++;
            continue;
        }
        if (bad++ == INVENTED && r->failed < TOLD)
            fprintf(stderr, "%s: invented %s\n", r->p.file, a[i]);
    }
    free(a);
    free(b);
    text_free(&now);
    text_free(&all);
    return bad;
}

/* Less was played: nothing may be there that was not said, and not more records than packets can make. */
static void must_be_part(struct run *r, const char *what, uint32_t k)
{
    player_run(&r->p, r->out.s, r->out.n);
    r->runs++;
    uint32_t bad = r->unclean ? 0 : count_invented(r);
    if (bad > INVENTED && r->failed++ < TOLD)
        fprintf(stderr, "%s: %s (%u): %u messages that nobody sent\n", r->p.file, what, k, bad);
}

/* ---- the variants ---- */

static uint32_t longest(const struct capture *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n; i++)
        if (is_data(&c->steps[i]) && c->steps[i].job.lay.payload_len > n)
            n = c->steps[i].job.lay.payload_len;
    return n;
}

enum order { IN_ORDER, SWAPPED, OVERLAP };

static void push_split(struct run *r, uint32_t i, uint32_t at, enum order how)
{
    const struct step *s = &r->c.steps[i];
    uint32_t n = s->job.lay.payload_len;
    if (!is_data(s) || at >= n || (s->job.lay.what & LAY_CUT)) {
        push(&r->out, s);
    } else if (how == IN_ORDER) {
        push_piece(&r->out, s, 0, at);
        push_piece(&r->out, s, at, n);
    } else if (how == OVERLAP) {
        push_piece(&r->out, s, 0, at);
        push(&r->out, s);
    } else if (seen_syn(&r->c, i, s)) {
        push_piece(&r->out, s, at, n);
        push_piece(&r->out, s, 0, at);
    } else {
        push(&r->out, s);
    }
}

/* A lone first byte of a connection that was not seen to open looks like a keep-alive: not a split that can be told. */
static bool looks_like_keepalive(struct run *r, uint32_t i, uint32_t at)
{
    return at == 1 && !seen_syn(&r->c, i, &r->c.steps[i]);
}

static void splits(struct run *r)
{
    static const char *const names[] = {"split at byte", "split and swapped at byte", "sent again from byte 0 after"};
    uint32_t max = longest(&r->c);
    for (uint32_t at = 1; at < max && at < SPLIT_MAX; at++)
        for (int how = IN_ORDER; how <= OVERLAP; how++) {
            r->out.n = 0;
            for (uint32_t i = 0; i < r->c.n; i++)
                push_split(r, i, looks_like_keepalive(r, i, at) ? UINT32_MAX : at, (enum order)how);
            must_equal(r, names[how], at);
        }
}

/* Every segment in pieces of n bytes. */
static void crumbs(struct run *r, uint32_t size)
{
    r->out.n = 0;
    for (uint32_t i = 0; i < r->c.n; i++) {
        const struct step *s = &r->c.steps[i];
        if (!is_data(s) || (s->job.lay.what & LAY_CUT) || looks_like_keepalive(r, i, size)) {
            push(&r->out, s);
            continue;
        }
        uint32_t n = s->job.lay.payload_len;
        for (uint32_t at = 0; at < n; at += size)
            push_piece(&r->out, s, at, at + size < n ? at + size : n);
    }
    must_equal(r, "segments of this many bytes", size);
}

static void sent_again(struct run *r)
{
    r->out.n = 0;
    for (uint32_t i = 0; i < r->c.n; i++) {
        push(&r->out, &r->c.steps[i]);
        if (is_data(&r->c.steps[i]))
            push(&r->out, &r->c.steps[i]);
    }
    must_equal(r, "each segment sent twice", 0);
    r->out.n = 0;
    for (uint32_t i = 0; i < r->c.n; i++) {
        push(&r->out, &r->c.steps[i]);
        if (i && is_data(&r->c.steps[i - 1]) && seen_syn(&r->c, i - 1, &r->c.steps[i - 1]) &&
            memcmp(&r->c.steps[i].job.key, &r->c.steps[i - 1].job.key, sizeof(struct flow_key)) == 0 &&
            !(r->c.steps[i].job.lay.tcp_flags & (TCP_SYN | TCP_RST))) {
            struct step again = r->c.steps[i - 1];
            again.pkt.ts_ns = r->c.steps[i].pkt.ts_ns;
            push(&r->out, &again);
        }
    }
    must_equal(r, "each segment sent again one packet later", 0);
}

static void one_direction(struct run *r)
{
    for (unsigned side = 0; side < 2; side++) {
        r->out.n = 0;
        for (uint32_t i = 0; i < r->c.n; i++)
            if (r->c.steps[i].job.side == side)
                push(&r->out, &r->c.steps[i]);
        must_be_part(r, "one direction alone", side);
    }
}

static void one_missing(struct run *r)
{
    uint32_t done = 0, step = r->c.n / MISSING_MAX + 1;
    for (uint32_t k = 0; k < r->c.n && done < MISSING_MAX; k += step) {
        if (!r->c.steps[k].job.lay.payload_len)
            continue;
        r->out.n = 0;
        for (uint32_t i = 0; i < r->c.n; i++)
            if (i != k)
                push(&r->out, &r->c.steps[i]);
        must_be_part(r, "without packet", k);
        done++;
    }
}

static void mid_stream(struct run *r)
{
    for (uint32_t k = 1; k < r->c.n && k < START_MAX; k++) {
        r->out.n = 0;
        for (uint32_t i = k; i < r->c.n; i++)
            push(&r->out, &r->c.steps[i]);
        must_be_part(r, "from packet", k);
    }
}

static uint32_t broken; /* records that are not JSON */

static int test(const char *path, uint32_t max_packets, uint32_t *runs)
{
    static struct run r;
    memset(&r, 0, sizeof r);
    if (capture_load(&r.c, path, max_packets) || player_init(&r.p, path))
        return 1;
    r.p.check_json = true;
    player_run(&r.p, r.c.steps, r.c.n);
    r.n_base = r.p.n_events;
    bool gaps = r.p.stats.gaps != 0;
    r.unclean = r.p.stats.gaps > HOLES || r.p.stats.retransmitted || r.p.stats.out_of_order > HOLES;
    text_add(&r.base, r.p.trace.p, r.p.trace.n);
    messages(r.base.p, &r.said);
    uint64_t h = line_hash(r.base.p, r.base.n);
    r.out.n = 0;
    for (uint32_t i = 0; i < r.c.n; i++)
        push(&r.out, &r.c.steps[i]);
    must_equal(&r, "a second run", 0);
    r.p.check_json = false; /* equal text needs no second look */
    splits(&r);
    if (!gaps) { /* how soon a hole is given up depends on how many segments wait behind it */
        crumbs(&r, 1);
        crumbs(&r, 2);
    }
    crumbs(&r, 7);
    sent_again(&r);
    r.p.check_json = true;
    one_direction(&r);
    one_missing(&r);
    mid_stream(&r);
    if (r.failed || r.p.n_bad_json)
        printf("%s: %u packets, %u events, %016llx: %u of %u runs wrong, %u events not JSON\n", path, r.c.n, r.n_base,
               (unsigned long long)h, r.failed, r.runs, r.p.n_bad_json);
    *runs += r.runs;
    broken += r.p.n_bad_json;
    int bad = r.failed || r.p.n_bad_json;
    capture_free(&r.c);
    player_done(&r.p);
    free(r.out.s);
    text_free(&r.base);
    text_free(&r.said);
    return bad;
}

int main(int argc, char **argv)
{
    uint32_t max = 4000, runs = 0, percent = 0;
    int bad = 0, c;
    while ((c = getopt(argc, argv, "n:x:t:")) != -1) {
        if (c == 'n')
            max = (uint32_t)atoi(optarg);
        if (c == 't')
            percent = (uint32_t)atoi(optarg);
        if (c == 'x')
            changes_type = optarg;
    }
    for (int i = optind; i < argc; i++)
        bad += test(argv[i], max, &runs);
    printf("%d captures, %u runs, %d captures wrong\n", argc - optind, runs, bad);
    return broken || (uint32_t)bad * 100 > percent * (uint32_t)(argc - optind);
}
