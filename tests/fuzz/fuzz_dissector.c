/* fuzz_dissector.c: one dissector alone, built once for each line of dissectors/list.def with -DTARGET=name.
 *
 * Input: | flags 1 | then chunks of | flags 1 | length 2, little-endian | bytes |. Flags of the input: 1 on its own
 * port, 2 datagrams, 4 nobody knows who is the client, 8 datagrams that are frames of layer 2. Of a chunk: 1 the
 * server sends, 2 bytes were lost before it, 4 minutes passed, 8 the snap length cut it, 16 probe() is asked first.
 * TCP bytes are framed as the engine does it; every PDU is an exact-size copy on the heap. Events are rendered, and
 * so are the requests that nobody answered. */
#include <stdlib.h>

#include "dissectors/runtime.h"
#include "engine/evjson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NAME_(x) dissector_##x
#define NAME(x) NAME_(x)
extern const struct dissector NAME(TARGET);
static const struct dissector *const dis = &NAME(TARGET);

enum { BUFFER = 2 * LIM_PDU, JSON = 1 << 17, CHUNKS = 400 };

static struct fuzz {
    struct dis_rt rt;
    struct flow_rt fr;
    struct event scratch;
    struct flow_key key;
    struct layers lay[2];
    union {
        uint64_t align;
        uint8_t b[DIS_FLOW_STATE];
    } state;
    uint64_t now;
    uint32_t frame, n[2];
    uint8_t flags, dir, cut;
    uint8_t buf[2][BUFFER];
    char json[JSON];
} z;

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void fill(struct dis_ctx *x, unsigned server)
{
    bool udp = z.flags & 2;
    const uint16_t *ports = udp ? dis->udp_ports : dis->tcp_ports;
    uint16_t port = ports && (z.flags & 1) ? ports[0] : 4001;
    *x = (struct dis_ctx){.ts_ns = z.now,
                          .frame = z.frame,
                          .transport = z.flags & 8 ? DIS_ETH : udp ? DIS_UDP : DIS_TCP,
                          .on_port = z.flags & 1,
                          .sport = server ? port : 50000,
                          .dport = server ? 50000 : port,
                          .key = &z.key,
                          .lay = &z.lay[server],
                          .flow_id = 1,
                          .state = z.state.b,
                          .rt = &z.rt,
                          .fr = &z.fr,
                          .owner = &z,
                          .dis = dis,
                          .side = (uint8_t)server,
                          .cut = z.cut};
    if (z.dir)
        x->dir = (z.dir == DIR_C2S) == !server ? DIR_C2S : DIR_S2C;
}

static void on_event(void *arg, struct dis_ctx *x, struct event *e)
{
    static const struct evjson_env env = {.host = "fuzz", .app_proto = "fuzz"};
    (void)arg;
    struct rec_event r = {.schema = e->schema, .op = e->op, .ts_ns = x->ts_ns, .src = z.key.lo, .dst = z.key.hi,
                          .function = e->function, .unit = e->unit, .has_unit = e->has_unit, .kind = e->kind};
    must(e->n_msgs >= 1 && e->n_msgs <= EV_MAX_MSGS && e->n_items <= EV_MAX_ITEMS && e->schema);
    uint32_t n = evjson_write(&env, e, &r, z.json, sizeof z.json, true);
    if (!n)
        n = evjson_write(&env, e, &r, z.json, sizeof z.json, false);
    must(n && z.json[0] == '{' && z.json[n - 1] == '}');
}

static void on_ident(void *arg, struct dis_ctx *x, const struct rt_ident *i)
{
    (void)arg;
    (void)x;
    uint32_t sum = 0;
    for (uint32_t k = 0; k < i->value.n; k++)
        sum += i->value.p[k];
    must(sum != UINT32_MAX && i->confidence <= 100);
}

static void on_malformed(void *arg, struct dis_ctx *x, const struct proto_schema *s, unsigned bit)
{
    (void)arg;
    (void)x;
    must(bit < s->n_anomalies);
}

static void on_silent(void *arg, struct dis_ctx *x, const struct proto_schema *s)
{
    (void)arg;
    (void)x;
    must(s);
}

static void on_context(void *arg, void *owner, struct dis_ctx *x)
{
    (void)arg;
    must(owner == &z);
    fill(x, 0);
}

static const struct rt_sink sink = {
    .event = on_event, .ident = on_ident, .malformed = on_malformed, .silent = on_silent, .context = on_context};

static uint8_t *exact(const uint8_t *p, uint32_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    must(copy != NULL);
    if (n)
        memcpy(copy, p, n);
    return copy;
}

static enum verdict parse(unsigned server, const uint8_t *p, uint32_t n)
{
    struct dis_ctx x;
    uint8_t *copy = exact(p, n);
    fill(&x, server);
    x.pdu = (struct span){n ? copy : NULL, n};
    enum verdict v = dis->parse(cur_make(copy, n), &x);
    free(copy);
    if (!z.dir && x.dir)
        z.dir = (x.dir == DIR_C2S) == !server ? DIR_C2S : DIR_S2C;
    return v;
}

static enum match probe(unsigned server, const uint8_t *p, uint32_t n)
{
    struct dis_ctx x;
    uint8_t *copy = exact(p, n);
    fill(&x, server);
    x.state = NULL;
    enum match m = dis->probe(cur_make(copy, n), &x);
    free(copy);
    return m;
}

/* All whole PDUs of one direction; what is out of step is thrown away. */
static void frames(unsigned server)
{
    uint32_t at = 0, n = z.n[server];
    while (at < n) {
        struct dis_ctx x;
        uint8_t *copy = exact(z.buf[server] + at, n - at);
        fill(&x, server);
        struct frame f = dis->frame(cur_make(copy, n - at), &x);
        free(copy);
        must(f.st != FRAME_OK || f.len > 0);
        if (f.st == FRAME_BAD || (f.st == FRAME_OK && f.len > dis->max_pdu)) {
            at = n;
            break;
        }
        if (f.st == FRAME_MORE || f.len > n - at) {
            if (z.cut) { /* the rest never comes */
                parse(server, z.buf[server] + at, n - at);
                at = n;
            }
            break;
        }
        enum verdict v = parse(server, z.buf[server] + at, f.len);
        if (v == DIS_LOST || v == DIS_NOT_MINE) {
            at = n;
            break;
        }
        at += f.len;
    }
    memmove(z.buf[server], z.buf[server] + at, n - at);
    z.n[server] = n - at;
}

static void chunk(uint8_t flags, struct span s)
{
    unsigned server = flags & 1;
    struct dis_ctx x;
    z.frame++;
    z.now += flags & 4 ? UINT64_C(120000000000) : 1000000;
    z.cut = (flags & 8) != 0;
    if (flags & 4)
        rt_expire(&z.rt, z.now);
    if (flags & 2) {
        fill(&x, server);
        z.n[server] = 0;
        if (x.dir)
            asm_gap(&x);
        if (dis->gap)
            dis->gap(&x, 100);
    }
    if (flags & 16 && probe(server, s.p, s.n) == MATCH_NO && !(z.flags & 1))
        return;
    if (z.flags & 2) {
        parse(server, s.p, s.n);
        return;
    }
    if (z.n[server] + s.n > BUFFER)
        z.n[server] = 0;
    if (s.n && s.n <= BUFFER)
        memcpy(z.buf[server] + z.n[server], s.p, s.n);
    z.n[server] += s.n;
    frames(server);
}

static void start(uint8_t flags)
{
    struct rt_conf conf = rt_conf_default;
    conf.n_txn = conf.n_obs = conf.n_shared = 32;
    conf.txn[0].n = 24;
    conf.txn[1].n = 4;
    conf.txn[2].n = 2;
    conf.n_asm = 4;
    conf.assembly[0].n = 2;
    conf.assembly[1].n = conf.assembly[2].n = 1;
    z.flags = flags;
    if (!(dis->transports & DIS_ETH))
        z.flags &= (uint8_t)~8;
    else if (!(dis->transports & (DIS_TCP | DIS_UDP)))
        z.flags |= 8;
    if (!(dis->transports & DIS_UDP))
        z.flags &= (uint8_t)~2;
    if (!(dis->transports & DIS_TCP) || z.flags & 8)
        z.flags |= 2;
    z.dir = flags & 4 ? DIR_UNKNOWN : DIR_C2S;
    z.key.lo = z.lay[0].src = z.lay[1].dst = addr_v4((const uint8_t[4]){10, 0, 0, 1});
    z.key.hi = z.lay[0].dst = z.lay[1].src = addr_v4((const uint8_t[4]){10, 0, 0, 2});
    z.now = UINT64_C(1700000000000000000);
    z.frame = z.n[0] = z.n[1] = 0;
    memset(&z.state, 0, sizeof z.state);
    flow_rt_init(&z.fr);
    must(rt_init(&z.rt, &conf, &z.scratch, &sink, &z, 1, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cur c = cur_make(data, (uint32_t)size);
    struct dis_ctx x;
    start(cur_u8(&c));
    for (unsigned i = 0; i < CHUNKS && cur_left(&c) >= 3; i++) {
        uint8_t flags = cur_u8(&c);
        uint32_t n = cur_u16le(&c);
        chunk(flags, cur_bytes(&c, n < cur_left(&c) ? n : cur_left(&c)));
    }
    fill(&x, 0);
    flow_rt_end(&x);
    rt_done(&z.rt);
    return 0;
}
