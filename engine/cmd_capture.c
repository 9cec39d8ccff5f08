/* cmd_capture.c: tyto capture check: is the mirror port set up right? */
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/jw.h"
#include "engine/check.h"
#include "engine/cmd.h"
#include "engine/conf.h"
#include "engine/run_sources.h"

enum { BATCH = 128, MOST_FAULTS = 16, SHOWN = 10 };
static volatile sig_atomic_t stopped;

struct args {
    const char *uris[SOURCE_PORTS], *conf;
    unsigned n_uris, seconds;
    bool json;
};

struct verdict { /* what is wrong, and what to change */
    char text[MOST_FAULTS][320];
    unsigned n;
};

static void usage(FILE *f)
{
    fputs("usage: tyto capture check -i SOURCE [-i SOURCE]... [-t SECONDS] [-c CONF] [--json]\n\n"
          "Looks at live traffic for a minute (or a capture file to its end) and says whether the mirror port is set\n"
          "up right: rate, both directions or one, VLAN tags, networks, protocols, copies, losses, what to change.\n\n"
          "  -i, --input SOURCE   as for `tyto run`: pcap:IFACE, tap:IFACE+IFACE, dpdk:DEV, file:CAPTURE\n"
          "  -t, --time SECONDS   how long (default 60)\n"
          "  -c, --config CONF    configuration: its assets should be visible; section `run` says how to capture\n"
          "      --json           as one JSON object, without the networks, ports and VLANs\n\n"
          "Exit status: 0 it could be checked, whatever was found; 1 it could not, or not all of it; 2 wrong usage.\n",
          f);
}

static void on_signal(int sig)
{
    (void)sig;
    stopped = 1;
}

static int parse(int argc, char **argv, struct args *a)
{
    static const struct option longs[] = {{"input", 1, 0, 'i'}, {"time", 1, 0, 't'}, {"config", 1, 0, 'c'},
                                          {"json", 0, 0, 'j'},  {"help", 0, 0, 'h'}, {0}};
    char *end;
    int c;
    *a = (struct args){.seconds = 60};
    while ((c = getopt_long(argc, argv, "i:t:c:h", longs, NULL)) != -1) {
        if (c == 'i' && a->n_uris < SOURCE_PORTS) {
            a->uris[a->n_uris++] = optarg;
            if (!run_sources_named("capture", optarg))
                return 2;
        } else if (c == 'c') {
            a->conf = optarg;
        } else if (c == 'j') {
            a->json = true;
        } else if (c == 'h') {
            usage(stdout);
            return -1;
        } else if (c == 't' && (a->seconds = (unsigned)strtoul(optarg, &end, 10)) > 0 && a->seconds <= 86400 && !*end) {
            continue;
        } else {
            fputs("tyto capture --help tells the options\n", stderr);
            return 2;
        }
    }
    if (optind == argc - 1 && strcmp(argv[optind], "check") == 0 && a->n_uris)
        return 0;
    fputs("tyto capture: expected `check` and a source (-i); tyto capture --help tells the options\n", stderr);
    return 2;
}

/* ---- verdict ---- */

static void fault(struct verdict *v, const char *fmt, ...) PRINTF(2, 3);
static void fault(struct verdict *v, const char *fmt, ...)
{
    va_list ap;
    if (v->n == MOST_FAULTS)
        return;
    va_start(ap, fmt);
    vsnprintf(v->text[v->n++], sizeof v->text[0], fmt, ap);
    va_end(ap);
}

static unsigned percent(uint64_t part, uint64_t of)
{
    return of ? (unsigned)(100 * part / of) : 0;
}

static void judge_mirror(const struct check *c, const struct check_sum *s, struct verdict *v)
{
    enum { FEW = 20 };
    if (!c->packets) {
        fault(v, "No packet came. Check that the mirror session is on, that its destination is this port, and the "
                 "cable.");
        return;
    }
    if (!c->unicast)
        fault(v, "Broadcast and multicast only: this is an ordinary switch port, no mirror. Set up a mirror session "
                 "(SPAN) with this port as its destination.");
    else if (s->talks >= 3 && s->one * 2 > s->talks)
        fault(v, "%u %% of the conversations show one direction only. Mirror both directions (`both`, not `rx` or "
                 "`tx`) of the ports, or all ports of a redundant path.",
              percent(s->one, s->talks));
    if (percent(c->copies, c->packets) >= 5)
        fault(v, "%u %% of the packets are copies of the one before. Mirror each port in one direction (`rx`), or "
                 "ports instead of the VLAN, and no path twice.",
              percent(c->copies, c->packets));
    if (s->talks >= FEW && s->split_vlan * 4 > s->talks)
        fault(v, "%u %% of the conversations have another VLAN tag in each direction. The mirror strips the tag one "
                 "way: let it keep them (`encapsulation replicate`), and leave `vlan_separates` off.",
              percent(s->split_vlan, s->talks));
}

static void judge_loss(const struct check *c, const struct source_port *p, unsigned n, struct verdict *v)
{
    uint64_t lost = 0;
    for (unsigned i = 0; i < n; i++)
        lost += p[i].dropped_kernel + p[i].dropped_nic;
    if (lost)
        fault(v, "%llu packets were lost here. A larger `run.buffer`, more workers, or a faster machine.",
              (unsigned long long)lost);
    if (c->data_bytes > 10000 && c->acked_unseen * 1000 > c->data_bytes)
        fault(v, "%llu bytes were acknowledged but never seen (%llu were): packets are lost before they come here. The "
                 "mirror's port is too slow for what it copies: mirror less, or use a faster port.",
              (unsigned long long)c->acked_unseen, (unsigned long long)c->data_bytes);
    if (c->cut)
        fault(v, "%llu packets are cut. Set `run.snaplen` to the largest frame, and the mirror to copy whole packets.",
              (unsigned long long)c->cut);
    if (c->largest > 1600)
        fault(v, "The largest frame has %llu bytes: jumbo frames, or packets that the card merged (`ethtool -K PORT "
                 "gro off lro off`).",
              (unsigned long long)c->largest);
}

static void judge(const struct check *c, const struct check_sum *s, const struct source_port *p, unsigned n,
                  struct verdict *v)
{
    judge_mirror(c, s, v);
    judge_loss(c, p, n, v);
    for (unsigned i = 0; i < n; i++)
        if (p[i].swapped)
            fault(v, "%s: %llu answers were stamped before what they answer, by up to %llu us. Use ports of one card.",
                  p[i].name, (unsigned long long)p[i].swapped, (unsigned long long)(p[i].skew_ns / 1000));
    if (s->assets_missing)
        fault(v, "%u of %u configured assets did not send anything: their switch ports may not be mirrored.",
              s->assets_missing, c->site->n_assets);
}

/* ---- output ---- */

struct result {
    const struct check *c;
    const struct check_sum *s;
    const struct source_port *p;
    const struct verdict *v;
    unsigned n_ports;
    double seconds;
};

static unsigned bits(const struct check_net *n)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < 4; i++)
        sum += (unsigned)__builtin_popcountll(n->hosts[i]);
    return sum;
}

/* The next in order of packets, then of number; UINT32_MAX: no more. */
static unsigned next_port(const uint64_t *v, unsigned last)
{
    unsigned best = UINT32_MAX;
    for (unsigned i = 0; i < 2 * CHECK_PORTS; i++) {
        bool behind = last == UINT32_MAX || v[i] < v[last] || (v[i] == v[last] && i > last);
        if (v[i] && behind && (best == UINT32_MAX || v[i] > v[best]))
            best = i;
    }
    return best;
}

static void print_lists(const struct check *c)
{
    const uint64_t *v = &c->by_port[0][0];
    unsigned shown = 0;
    fputs("VLANs       ", stdout);
    for (unsigned i = 0; i < 4096; i++)
        if (c->vlan[i] && shown++ < SHOWN) {
            fputs(shown > 1 ? ", " : " ", stdout);
            i ? printf("%u: %llu", i, (unsigned long long)c->vlan[i])
              : printf("untagged: %llu", (unsigned long long)c->vlan[i]);
        }
    fputs("\nnetworks    ", stdout);
    for (unsigned i = 0; i < c->n_nets && i < SHOWN; i++)
        printf("%s %u.%u.%u.0/24: %u host%s", i ? "," : "", c->net[i].net >> 24, c->net[i].net >> 16 & 255,
               c->net[i].net >> 8 & 255, bits(&c->net[i]), bits(&c->net[i]) == 1 ? "" : "s");
    fputs("\nports       ", stdout);
    unsigned port = UINT32_MAX;
    for (unsigned n = 0; n < SHOWN && (port = next_port(v, port)) != UINT32_MAX; n++)
        printf("%s %s/%u: %llu", n ? "," : "", port < CHECK_PORTS ? "tcp" : "udp",
               port % CHECK_PORTS, (unsigned long long)v[port]);
    putchar('\n');
}

static void print_text(const struct result *r)
{
    const struct check *c = r->c;
    const struct check_sum *s = r->s;
    double t = r->seconds > 0 ? r->seconds : 1;
    printf("packets      %llu in %.1f s: %.0f a second, %.3f Mbit/s, largest %llu bytes\n",
           (unsigned long long)c->packets, r->seconds, (double)c->packets / t, (double)c->bytes * 8 / t / 1e6,
           (unsigned long long)c->largest);
    printf("to           one device %llu, groups %llu\n", (unsigned long long)c->unicast,
           (unsigned long long)c->groups);
    printf("talks        %llu: %llu both ways, %llu one way; of %llu by TCP %llu began before\n",
           (unsigned long long)s->talks, (unsigned long long)s->both, (unsigned long long)s->one,
           (unsigned long long)s->tcp_talks, (unsigned long long)s->midstream);
    printf("copies       %llu   cut %llu   tunnelled %llu   not decoded %llu\n", (unsigned long long)c->copies,
           (unsigned long long)c->cut, (unsigned long long)c->tunnels, (unsigned long long)c->undecoded);
    const struct decode_stats *d = decoder_stats(c->decoder);
    printf("taken off    FCS %llu, trailers of a packet broker %llu\n", (unsigned long long)d->fcs,
           (unsigned long long)d->stamped);
    print_lists(c);
    for (unsigned i = 0; i < r->n_ports; i++)
        printf("%-12s dropped by the kernel %llu, by the card %llu%s\n", r->p[i].name,
               (unsigned long long)r->p[i].dropped_kernel, (unsigned long long)r->p[i].dropped_nic,
               r->p[i].blind ? " (it cannot tell all)" : "");
    for (uint32_t i = 0; i < c->site->n_assets; i++)
        if (!c->asset_seen[i])
            printf("not seen     %s\n", c->site->assets[i].name);
    puts(r->v->n ? "\nWhat to change" : "\nNothing to change: this looks like a mirror port that is set up right.");
    for (unsigned i = 0; i < r->v->n; i++)
        printf("- %s\n", r->v->text[i]);
}

static void print_json(const struct result *r)
{
    enum { CAP = 65536 };
    static char buf[CAP + 1];
    const struct check *c = r->c;
    const struct {
        const char *key;
        uint64_t v;
    } rows[] = {{"packets", c->packets}, {"bytes", c->bytes}, {"largest", c->largest}, {"unicast", c->unicast},
                {"groups", c->groups}, {"talks", r->s->talks}, {"both_ways", r->s->both}, {"one_way", r->s->one},
                {"split_vlan", r->s->split_vlan}, {"tcp_talks", r->s->tcp_talks}, {"midstream", r->s->midstream},
                {"copies", c->copies}, {"cut", c->cut},
                {"with_fcs", decoder_stats(c->decoder)->fcs}, {"with_trailer", decoder_stats(c->decoder)->stamped},
                {"tunnelled", c->tunnels}, {"undecoded", c->undecoded},
                {"acked_unseen_bytes", c->acked_unseen}, {"assets_missing", r->s->assets_missing}};
    struct jw w;
    jw_init(&w, buf, CAP);
    jw_open(&w, '{');
    jw_key(&w, "seconds");
    jw_f64(&w, r->seconds);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        jw_kv_u64(&w, rows[i].key, rows[i].v);
    jw_key_open(&w, "interfaces", '[');
    for (unsigned i = 0; i < r->n_ports; i++) {
        jw_open(&w, '{');
        jw_kv_str(&w, "name", r->p[i].name);
        jw_kv_u64(&w, "dropped_kernel", r->p[i].dropped_kernel);
        jw_kv_u64(&w, "dropped_nic", r->p[i].dropped_nic);
        jw_kv_u64(&w, "skew_us", r->p[i].skew_ns / 1000);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_kv_bool(&w, "good", r->v->n == 0);
    jw_key_open(&w, "change", '[');
    for (unsigned i = 0; i < r->v->n; i++)
        jw_str(&w, r->v->text[i]);
    jw_close(&w, ']');
    jw_close(&w, '}');
    printf("%.*s\n", (int)w.n, buf);
}

/* ---- the minute ---- */

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int look(struct check *c, struct source *src, double until, struct err *e)
{
    struct pkt p[BATCH];
    int n = 0;
    while (!stopped && (n = source_poll(src, p, BATCH)) >= 0 && now_s() < until) {
        for (int i = 0; i < n; i++)
            check_packet(c, &p[i]);
        if (n == 0)
            source_wait(src, 100);
    }
    for (unsigned i = 0; source_fault(src, i); i++)
        fprintf(stderr, "tyto: %s%s\n", source_fault(src, i)->cls == SOURCE_ERROR ? "" : "warning: ",
                source_fault(src, i)->text);
    return n >= 0 || n == -ENODATA ? 0 : err_set(e, n, "reading stopped: %s", strerror(-n));
}

/* The exit status; negative: with the reason in e. */
static int check(const struct args *a, const struct conf *conf, struct err *e)
{
    static struct check c;
    struct source_stats st;
    static struct verdict v;
    struct check_sum s;
    struct source_port p[SOURCE_PORTS];
    struct source *src;
    int r = run_sources_open(a->uris, a->n_uris, 1, &conf->run, e, &src);
    if (r)
        return r;
    r = check_open(&c, &conf->site, e);
    if (!r)
        r = look(&c, src, now_s() + a->seconds, e);
    source_stats(src, &st);
    if (!r && (c.packets || !st.errors)) { /* of what cannot be read there is nothing to judge */
        check_sum(&c, &s);
        struct result res = {.c = &c, .s = &s, .p = p, .v = &v, .n_ports = source_ports(src, p, SOURCE_PORTS),
                             .seconds = (double)(c.last_ns - c.first_ns) / 1e9};
        judge(&c, &s, p, res.n_ports, &v);
        (a->json ? print_json : print_text)(&res);
    }
    check_close(&c);
    source_close(src);
    return r ? r : st.errors != 0;
}

int cmd_capture(int argc, char **argv)
{
    struct sigaction on = {.sa_handler = on_signal};
    struct args a;
    struct err e;
    struct conf *conf;
    int r = parse(argc, argv, &a);
    if (r)
        return r < 0 ? 0 : r;
    sigaction(SIGTERM, &on, NULL);
    sigaction(SIGINT, &on, NULL);
    r = conf_load(&conf, a.conf, &e);
    if (!r) {
        r = check(&a, conf, &e);
        conf_free(conf);
    }
    if (r < 0)
        fprintf(stderr, "tyto: %s\n", e.text);
    return r != 0;
}
