/* test_mutations.c: hostile messages, for any dissector.
 *
 *   test_mutations [-n MESSAGES] CAPTURE...
 *
 * Every PDU that the engine hands to a dissector while the captures are played is parsed again at every prefix length
 * and with each byte set to 00, 7f, 80 and ff (of long ones an even sample), as an exact-size heap copy, so that a
 * sanitizer sees each read beyond. frame() and probe() see the same bytes. The runtime lives on from variant to
 * variant, as a hostile peer would have it, and before each variant the messages before it are parsed as they were.
 * Events are rendered; a sample is read back as JSON. frame() must announce progress, and a length within max_pdu.
 * What tcp_starts rules out must be none of the dissector's, whatever follows the first octet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/evjson.h"
#include "engine/json.h"
#include "tests/generic/player.h"

enum { BEFORE = 2, POSITIONS = 320, JSON_EVERY = 64, JSON_BYTES = 1 << 17 };

struct message {
    uint8_t *p;
    uint32_t n;
    const struct dissector *dis;
    struct dis_ctx x;          /* as the engine gave it; pointers are not used */
    struct flow_key key;
    struct layers lay;
    uint64_t flow;
};

static struct {
    struct message *m;
    uint32_t n, max;
} heard;

static struct {
    struct dis_rt rt;
    struct flow_rt fr;
    struct event scratch;
    union {
        uint64_t align;
        uint8_t b[DIS_FLOW_STATE];
    } state;
    const struct message *now;
    char json[JSON_BYTES];
    uint64_t variants, events, bad;
    const char *file;
} t;

/* ---- what the engine hands to dissectors (linked with --wrap) ---- */

enum verdict __real_dispatch(struct shard *s, struct flow *f, struct dis_ctx *x, struct cur pdu);
enum verdict __wrap_dispatch(struct shard *s, struct flow *f, struct dis_ctx *x, struct cur pdu);
void __real_datagram_deliver(struct shard *s, struct flow *f, const struct chunk *c);
void __wrap_datagram_deliver(struct shard *s, struct flow *f, const struct chunk *c);

static void hear(const struct flow *f, const struct dis_ctx *x, struct cur pdu)
{
    if (heard.n == heard.max || !f->dis)
        return;
    struct message *m = &heard.m[heard.n++];
    struct span b = cur_rest(&pdu);
    *m = (struct message){.n = b.n, .dis = f->dis, .key = f->key, .flow = f->id};
    m->x = *x;
    flow_layers(f, x->side, &m->lay);
    m->p = malloc(b.n ? b.n : 1);
    if (!m->p)
        abort();
    if (b.n)
        memcpy(m->p, b.p, b.n);
}

enum verdict __wrap_dispatch(struct shard *s, struct flow *f, struct dis_ctx *x, struct cur pdu)
{
    hear(f, x, pdu);
    return __real_dispatch(s, f, x, pdu);
}

void __wrap_datagram_deliver(struct shard *s, struct flow *f, const struct chunk *c)
{
    struct dis_ctx x;
    make_ctx(s, f, c, &x);
    hear(f, &x, cur_make(c->p, c->len));
    __real_datagram_deliver(s, f, c);
}

/* ---- a dissector alone ---- */

static void fill(const struct message *m, struct dis_ctx *x)
{
    *x = m->x;
    x->key = &m->key;
    x->lay = &m->lay;
    x->state = t.state.b;
    x->rt = &t.rt;
    x->fr = &t.fr;
    x->owner = &t;
    x->offset = 0;
}

static void on_event(void *arg, struct dis_ctx *x, struct event *e)
{
    static const struct evjson_env env = {.host = "test", .app_proto = "test"};
    struct rec_event r = {.schema = e->schema, .op = e->op, .kind = e->kind, .action = e->action, .outcome = e->outcome,
                          .unit = e->unit, .has_unit = e->has_unit, .src = t.now->key.lo, .dst = t.now->key.hi,
                          .function = e->function, .ts_ns = x->ts_ns};
    (void)arg;
    uint32_t n = evjson_write(&env, e, &r, t.json, sizeof t.json, true);
    if (!n)
        n = evjson_write(&env, e, &r, t.json, sizeof t.json, false);
    if (t.events++ % JSON_EVERY)
        return;
    const struct js *v;
    struct err err;
    if (js_parse(&v, t.json, n, &err)) {
        if (t.bad++ < 5)
            fprintf(stderr, "%s: %s: not JSON: %s: %.*s\n", t.file, e->schema->name, err.text, (int)n, t.json);
        return;
    }
    js_free(v);
}

static void on_ident(void *arg, struct dis_ctx *x, const struct rt_ident *i)
{
    (void)arg;
    (void)x;
    t.bad += i->value.n > 4096;
}

static void on_nothing(void *arg, struct dis_ctx *x, const struct proto_schema *s, unsigned bit)
{
    (void)arg;
    (void)x;
    t.bad += bit >= s->n_anomalies;
}

static void on_silent(void *arg, struct dis_ctx *x, const struct proto_schema *s)
{
    (void)arg;
    (void)x;
    (void)s;
}

static void on_context(void *arg, void *owner, struct dis_ctx *x)
{
    (void)arg;
    (void)owner;
    fill(t.now, x);
}

static const struct rt_sink sink = {.event = on_event, .ident = on_ident, .malformed = on_nothing, .silent = on_silent,
                                    .context = on_context};

static void check_frame(const struct message *m, struct frame f)
{
    if (f.st == FRAME_OK && f.len == 0 && t.bad++ < 5)
        fprintf(stderr, "%s: %s: frame() announces a PDU of no bytes\n", t.file, m->dis->name);
}

static bool ruled_out(const struct dissector *d, const uint8_t *p, uint32_t n)
{
    const uint16_t *o = d->tcp_starts;
    while (o && *o < DIS_STARTS_END && *o != p[0])
        o++;
    return o && *o == DIS_STARTS_END && n >= d->starts_from;
}

/* On the port or not, of a known side or of none. */
static void check_starts(const struct message *m, uint8_t *p, uint32_t n)
{
    struct dis_ctx x;
    if (!n || m->x.transport != DIS_TCP)
        return;
    uint8_t keep = p[0];
    for (unsigned i = 0; i < 512; i++) {
        p[0] = (uint8_t)i;
        fill(m, &x);
        x.state = NULL;
        x.on_port = i >= 256;
        x.dir = i & 1 ? DIR_UNKNOWN : x.dir;
        if (ruled_out(m->dis, p, n) && m->dis->probe(cur_make(p, n), &x) != MATCH_NO && t.bad++ < 5)
            fprintf(stderr, "%s: %s: %u bytes from %02x on are not ruled out\n", t.file, m->dis->name, n, p[0]);
    }
    p[0] = keep;
}

/* One variant: exactly these bytes. */
static void feed(const struct message *m, const uint8_t *p, uint32_t n, bool all)
{
    struct dis_ctx x;
    uint8_t *copy = malloc(n ? n : 1);
    if (!copy)
        abort();
    if (n)
        memcpy(copy, p, n);
    t.now = m;
    if (all) {
        fill(m, &x);
        x.state = NULL;
        m->dis->probe(cur_make(copy, n), &x);
        fill(m, &x);
        x.state = NULL;
        x.dir = DIR_UNKNOWN;
        x.on_port = !x.on_port;
        m->dis->probe(cur_make(copy, n), &x);
        fill(m, &x);
        if (m->dis->frame)
            check_frame(m, m->dis->frame(cur_make(copy, n), &x));
        check_starts(m, copy, n);
    }
    fill(m, &x);
    x.pdu = (struct span){n ? copy : NULL, n};
    m->dis->parse(cur_make(copy, n), &x);
    free(copy);
    t.variants++;
}

static void feed_before(uint32_t i)
{
    uint32_t from = i;
    for (uint32_t k = i, found = 0; k-- > 0 && found < BEFORE;)
        if (heard.m[k].flow == heard.m[i].flow) {
            from = k;
            found++;
        }
    for (uint32_t k = from; k < i; k++)
        if (heard.m[k].flow == heard.m[i].flow)
            feed(&heard.m[k], heard.m[k].p, heard.m[k].n, false);
}

static void start(void)
{
    struct rt_conf conf = rt_conf_default;
    conf.n_txn = 64;
    conf.n_asm = 8;
    conf.txn[0].n = 48;
    conf.txn[1].n = 8;
    conf.txn[2].n = 4;
    conf.assembly[0].n = 4;
    conf.assembly[1].n = 2;
    conf.assembly[2].n = 1;
    conf.n_shared = conf.n_obs = 64;
    memset(&t.state, 0, sizeof t.state);
    flow_rt_init(&t.fr);
    if (rt_init(&t.rt, &conf, &t.scratch, &sink, &t, 1, NULL))
        abort();
}

static void stop(const struct message *m)
{
    struct dis_ctx x;
    t.now = m;
    fill(m, &x);
    if (m->dis->gap)
        m->dis->gap(&x, 1);
    rt_expire(&t.rt, x.ts_ns + UINT64_C(3600000000000));
    fill(m, &x);
    flow_rt_end(&x);
    rt_done(&t.rt);
}

static void mutate(uint32_t i)
{
    static const uint8_t marks[] = {0x00, 0x7f, 0x80, 0xff};
    struct message *m = &heard.m[i];
    uint32_t step = m->n / POSITIONS + 1;
    start();
    for (uint32_t at = 0; at <= m->n; at += step) {
        feed_before(i);
        feed(m, m->p, at, true);
    }
    for (uint32_t at = 0; at < m->n; at += step)
        for (unsigned k = 0; k < sizeof marks; k++) {
            uint8_t keep = m->p[at];
            if (keep == marks[k])
                continue;
            if (k == 0 || k == 2)
                feed_before(i);
            m->p[at] = marks[k];
            feed(m, m->p, m->n, true);
            m->p[at] = keep;
        }
    stop(m);
}

static bool told_before(uint32_t i)
{
    for (uint32_t k = i > 64 ? i - 64 : 0; k < i; k++)
        if (heard.m[k].n == heard.m[i].n && heard.m[k].dis == heard.m[i].dis && heard.m[k].x.dir == heard.m[i].x.dir &&
            memcmp(heard.m[k].p, heard.m[i].p, heard.m[i].n) == 0)
            return true;
    return false;
}

static int test(const char *path)
{
    struct player p;
    struct capture c;
    if (capture_load(&c, path, 20000) || player_init(&p, path))
        return 1;
    t.file = path;
    heard.n = 0;
    player_run(&p, c.steps, c.n);
    uint32_t n = heard.n;
    for (uint32_t i = 0; i < n; i++)
        if (!told_before(i))
            mutate(i);
    for (uint32_t i = 0; i < n; i++)
        free(heard.m[i].p);
    capture_free(&c);
    player_done(&p);
    return 0;
}

int main(int argc, char **argv)
{
    int c, bad = 0;
    heard.max = 100000;
    while ((c = getopt(argc, argv, "n:")) != -1)
        if (c == 'n')
            heard.max = (uint32_t)atoi(optarg);
    heard.m = calloc(heard.max, sizeof *heard.m);
    if (!heard.m)
        return 1;
    for (int i = optind; i < argc; i++)
        bad |= test(argv[i]);
    free(heard.m);
    printf("%d captures, %llu variants, %llu events, %llu wrong\n", argc - optind, (unsigned long long)t.variants,
           (unsigned long long)t.events, (unsigned long long)t.bad);
    return bad || t.bad;
}
