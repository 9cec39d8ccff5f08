#include "tests/generic/player.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/source.h"
#include "engine/base/hash.h"
#include "engine/env.h"
#include "engine/evjson.h"
#include "engine/json.h"

static const uint64_t second_ns = UINT64_C(1000000000);
enum { FLUSH_S = 60, BATCH = 64, RING_BYTES = 16 << 20 /* all that one packet may tell */};

/* ---- text ---- */

void text_add(struct text *t, const char *p, size_t n)
{
    if (t->n + n + 1 > t->cap) {
        t->cap = (t->n + n + 1) * 2;
        t->p = realloc(t->p, t->cap);
        if (!t->p)
            abort();
    }
    if (n)
        memcpy(t->p + t->n, p, n);
    t->n += n;
    t->p[t->n] = 0;
}

void text_line(struct text *t, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    text_add(t, line, n < (int)sizeof line ? (size_t)n : sizeof line - 1);
    text_add(t, "\n", 1);
}

void text_free(struct text *t)
{
    free(t->p);
    *t = (struct text){0};
}

/* ---- a capture in memory ---- */

static void keep(struct capture *c, const struct pkt *p, const struct layers *l, const struct shard_env *env)
{
    c->steps = realloc(c->steps, (c->n + 1) * sizeof *c->steps);
    c->owned = realloc(c->owned, (c->n + 1) * sizeof *c->owned);
    if (!c->steps || !c->owned)
        abort();
    struct step *s = &c->steps[c->n++];
    *s = (struct step){.pkt = *p, .job.lay = *l};
    uint8_t *copy = malloc(l->payload_len ? l->payload_len : 1);
    if (!copy)
        abort();
    if (l->payload_len)
        memcpy(copy, l->payload, l->payload_len);
    c->owned[c->n_owned++] = copy;
    s->job.lay.payload = l->payload ? copy : NULL;
    s->job.lay.l3 = NULL; /* nDPI's alone */
    s->job.lay.l3_len = 0;
    s->pkt.data = NULL;
    s->pkt.file = 0;
    s->pkt.iface = 0;
    shard_prepare(env, &s->pkt, &s->job);
}

static const char *no_name(const void *arg, unsigned i)
{
    (void)i;
    return arg;
}

int capture_load(struct capture *c, const char *path, uint32_t max)
{
    static const struct site site;
    static struct shard_env env = {.site = &site, .iface_name = no_name, .name_arg = "", .hash_key = HASH_ID_KEY};
    struct decode_limits lim = {.frag_datagrams = 256, .frag_bytes = 1 << 20, .batch = BATCH + 1, .hash_key = 1};
    struct decoder *d = decoder_new(&lim);
    struct source *src;
    struct pkt p[BATCH];
    struct err e;
    int n;
    *c = (struct capture){0};
    if (!d || source_open_files(&path, 1, &e, &src)) {
        fprintf(stderr, "%s: %s\n", path, d ? e.text : "no memory");
        decoder_free(d);
        return -EIO;
    }
    while (c->n < max && (n = source_poll(src, p, BATCH)) >= 0)
        for (int i = 0; i < n && c->n < max; i++) {
            struct layers l;
            decode(d, &p[i], &l);
            if (l.reached >= REACHED_L2)
                keep(c, &p[i], &l, &env);
        }
    source_close(src);
    decoder_free(d);
    return 0;
}

void capture_free(struct capture *c)
{
    for (uint32_t i = 0; i < c->n_owned; i++)
        free(c->owned[i]);
    free(c->owned);
    free(c->steps);
    *c = (struct capture){0};
}

/* ---- the run ---- */

struct shard_conf player_shard_conf(void)
{
    struct shard_conf c = shard_conf_default;
    c.n_flows = 256;
    c.n_state = 128;
    c.n_facts = 512;
    c.n_links = 256;
    c.n_assets = 256;
    c.rt.n_obs = 256;
    c.rt.n_txn = 128;
    c.rt.txn[0].n = 96;
    c.rt.txn[1].n = 24;
    c.rt.txn[2].n = 6;
    c.rt.assembly[0].n = 8;
    c.rt.assembly[1].n = 4;
    c.rt.assembly[2].n = 1;
    c.stream[0].n = 64;
    c.stream[1].n = 6;
    c.stream[2].n = 2;
    return c;
}

int player_init(struct player *p, const char *name)
{
    struct err e;
    *p = (struct player){.file = name, .shard_conf = player_shard_conf()};
    p->env = calloc(1, sizeof *p->env);
    p->scratch = calloc(1, sizeof *p->scratch);
    if (!p->env || !p->scratch || ring_init(&p->ring, RING_BYTES) || conf_load(&p->conf, NULL, &e)) {
        fprintf(stderr, "player: no memory or no configuration\n");
        return -ENOMEM;
    }
    p->env->hash_key = HASH_ID_KEY;
    p->env->site = &p->conf->site;
    p->env->host = "test";
    p->env->log_events = true;
    p->env->file_name = p->env->iface_name = no_name;
    p->env->name_arg = "";
    env_ports(p->env);
    p->out.ring = &p->ring;
    return 0;
}

void player_done(struct player *p)
{
    ring_done(&p->ring);
    conf_free(p->conf);
    free(p->env);
    free(p->scratch);
    text_free(&p->trace);
}

static void check_json(struct player *p, const char *s, uint32_t n)
{
    static const char no_id[] = "\"tx_id\":\"0000000000000000\"";
    const struct js *v;
    struct err e;
    if (memmem(s, n, no_id, sizeof no_id - 1)) {
        fprintf(stderr, "%s: belongs to no transaction: %.*s\n", p->file, (int)n, s);
        p->n_bad_json++;
    }
    if (js_parse(&v, s, n, &e)) {
        fprintf(stderr, "%s: not JSON: %s: %.*s\n", p->file, e.text, (int)n, s);
        p->n_bad_json++;
        return;
    }
    js_free(v);
}

/* An event that an alert may ask for travels packed: as the collector does, its JSON is written here. */
static uint32_t unpack_json(const void *packed, struct rec_event *r, char *to, uint32_t cap)
{
    static struct event e;
    struct evjson_env env = {.app_proto = r->app};
    report_unpack(r, packed, &e);
    uint32_t n = evjson_write(&env, &e, r, to, cap, true);
    return n ? n : evjson_write(&env, &e, r, to, cap, false);
}

/* As report.c lays an event out on the ring. */
static void on_event(struct player *p, const struct ring_head *h)
{
    struct rec_event r;
    memcpy(&r, h + 1, sizeof r);
    const uint8_t *at = (const uint8_t *)(h + 1) + sizeof r;
    at += (r.n_hits * sizeof *r.hits + 7) & ~(size_t)7;
    const struct rec_fact *facts = (const struct rec_fact *)(const void *)at;
    at += (r.n_facts * sizeof *facts + 7) & ~(size_t)7;
    for (unsigned i = 0; i < r.n_facts; i++)
        at += (facts[i].name.n + 7) & ~7u;
    at += (r.bytes.n + 7) & ~7u;
    if (p->counts && r.wanted == REC_WANT_LOG)
        return;
    p->n_events++;
    static char json[REC_MAX_BYTES];
    const char *text = (const char *)at;
    if (!r.json.n && r.packed.n) {
        r.json.n = unpack_json(at, &r, json, sizeof json);
        text = json;
    }
    if (p->check_json)
        check_json(p, text, r.json.n);
    for (unsigned i = 0; p->counts && i < r.n_hits; i++)
        text_line(&p->trace, "H %u", ((const uint16_t *)(const void *)((const uint8_t *)(h + 1) + sizeof r))[i]);
    text_add(&p->trace, "E ", 2);
    text_add(&p->trace, text, r.json.n);
    text_add(&p->trace, "\n", 1);
}

static void on_ident(struct player *p, const struct ring_head *h)
{
    struct rec_ident r;
    char who[ADDR_TEXT];
    memcpy(&r, h + 1, sizeof r);
    addr_text(&r.addr, who);
    text_line(&p->trace, "I %s %s %u/%u frame %u: %.*s", r.source, who, r.sub, r.kind, r.frame, (int)r.value.n,
              (const char *)(h + 1) + sizeof r);
}

static void drain(struct player *p)
{
    struct ring_head *h;
    while ((h = ring_peek(&p->ring))) {
        struct rec_anomaly a;
        struct rec_fact_count c;
        struct rec_fact_error f;
        struct rec_link_count l;
        p->n_records++;
        switch (h->type & 0xffff) {
        case RK_EVENT:
            on_event(p, h);
            break;
        case RK_IDENT:
            on_ident(p, h);
            break;
        case RK_ANOMALY:
            memcpy(&a, h + 1, sizeof a);
            text_line(&p->trace, "A %s %u frame %u", a.schema ? a.schema->name : "engine", a.bit, a.frame);
            break;
        case RK_FACT_COUNT:
            memcpy(&c, h + 1, sizeof c);
            if (p->counts)
                text_line(&p->trace, "F %016" PRIx64 " %u times, %u errors, every %u us, until %" PRIu64, c.digest,
                          c.count, c.errors, c.period_us, c.last_ns);
            break;
        case RK_FACT_ERROR:
            memcpy(&f, h + 1, sizeof f);
            if (p->counts)
                text_line(&p->trace, "E %016" PRIx64 " %u times error %u, until %" PRIu64, f.digest, f.count, f.status,
                          f.last_ns);
            break;
        case RK_LINK_COUNT:
            memcpy(&l, h + 1, sizeof l);
            if (p->counts)
                text_line(&p->trace, "L %016" PRIx64 " %" PRIu64 " and %" PRIu64 " packets, %u errors", l.digest,
                          l.packets[0], l.packets[1], l.errors);
            break;
        default:
            break;
        }
        ring_pop(&p->ring, h);
    }
}

static void one(struct player *p, struct shard *s, const struct step *st, uint64_t now)
{
    struct step x = *st;
    uint32_t n = x.job.lay.payload_len;
    uint8_t *copy = NULL;
    if (x.job.lay.payload) {
        copy = malloc(n ? n : 1);
        if (!copy)
            abort();
        memcpy(copy, x.job.lay.payload, n);
        x.job.lay.payload = copy;
    }
    shard_packet(s, &x.pkt, &x.job, now);
    free(copy);
    drain(p);
}

void player_run(struct player *p, const struct step *steps, uint32_t n)
{
    struct table_mem mem;
    uint64_t now = n ? steps[0].pkt.ts_ns : 0, next = now / second_ns * second_ns + second_ns;
    p->stats = (struct eng_stats){0};
    p->trace.n = p->n_events = p->n_records = 0;
    text_add(&p->trace, "", 0);
    if (table_mem_open(&mem, shard_hot_bytes(&p->shard_conf), shard_cold_bytes(&p->shard_conf)))
        abort();
    struct shard *s = shard_new(0, &p->shard_conf, p->env, NULL, p->scratch, &p->out, &p->stats, &mem);
    if (!s)
        abort();
    for (uint32_t i = 0; i < n; i++) {
        uint64_t ts = steps[i].pkt.ts_ns;
        now = ts > now ? ts : now;
        if (now >= next) {
            uint64_t at = now / second_ns * second_ns;
            shard_tick(s, at, at / (FLUSH_S * second_ns) != (next - second_ns) / (FLUSH_S * second_ns));
            drain(p);
            next = at + second_ns;
        }
        p->out.order++;
        one(p, s, &steps[i], now);
    }
    shard_end(s, now);
    drain(p);
    shard_done(s);
    table_mem_close(&mem);
}
