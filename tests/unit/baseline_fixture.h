/* baseline_fixture.h: a made-up protocol, and the collector's records by hand. */
#pragma once

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline/baseline.h"
#include "engine/base/hash.h"
#include "engine/base/obs.h"
#include "engine/base/site.h"

#define SEC UINT64_C(1000000000)
#define DAY (86400 * SEC)
#define T0 (UINT64_C(1700000000) * SEC)

enum { K_REG, K_TAG };
enum { F_READ = 3, F_WRITE = 6, F_STOP = 9, F_LOAD = 10, F_BROWSE = 43 };
static const struct op_row x_ops[] = {
    {F_READ, OP_ANY_SELECTOR, "read_registers", ACT_READ, 0, 0, 0, 0, 0},
    {F_WRITE, OP_ANY_SELECTOR, "write_register", ACT_WRITE, 0, 0, 0, 0, 0},
    {F_STOP, OP_ANY_SELECTOR, "stop", ACT_STOP, 0, 0, 0, 0, 0},
    {F_LOAD, OP_ANY_SELECTOR, "download", ACT_DOWNLOAD, 0, 0, 0, 0, 0},
    {F_BROWSE, OP_ANY_SELECTOR, "identify", ACT_BROWSE, 0, 0, 0, 0, 0},
};
static const struct kind_def x_kinds[] = {{"reg", KIND_RANGE}, {"tag", KIND_NAME}};
static const struct code_name x_statuses[] = {{2, "illegal_address"}, {4, "failure"}, {0, NULL}};
static const struct proto_schema x_schema = {.name = "xbus",
                                             .title = "X bus",
                                             .ops = x_ops,
                                             .n_ops = 5,
                                             .kinds = x_kinds,
                                             .n_kinds = 2,
                                             .statuses = x_statuses,
                                             .unit_is = "unit"};

static inline const struct proto_schema *x_schema_by_name(const char *name)
{
    return strcmp(name, "xbus") == 0 ? &x_schema : NULL;
}

enum { MAX_SEEN = 4096 };
struct fix {
    struct baseline_conf conf;
    struct baseline *b;
    struct deviation *seen; /* in order, updates apart */
    unsigned n, n_again;
    struct deviation last_again;
    uint64_t now;
};

static inline void on_dev(void *ctx, const struct deviation *d)
{
    struct fix *f = ctx;
    if (d->again) {
        f->n_again++;
        f->last_again = *d;
    } else if (f->n < MAX_SEEN) {
        f->seen[f->n++] = *d;
    }
}

static inline void fix_open(struct fix *f)
{
    struct err e;
    f->b = baseline_new(&f->conf, &e);
    ck_assert_ptr_nonnull(f->b);
}

static inline void fix_init(struct fix *f, enum baseline_mode mode)
{
    memset(f, 0, sizeof *f);
    baseline_conf_default(&f->conf);
    f->conf.mode = mode;
    f->conf.oui_excerpt = 1;
    f->conf.schema = x_schema_by_name;
    f->conf.emit = on_dev;
    f->conf.emit_ctx = f;
    f->seen = calloc(MAX_SEEN, sizeof *f->seen);
    f->now = T0;
}

static inline void fix_done(struct fix *f)
{
    baseline_free(f->b);
    free(f->seen);
}

static inline struct addr ip(const char *s)
{
    struct addr a;
    ck_assert_msg(addr_parse(s, &a), "%s", s);
    return a;
}

static inline void asset_via(struct fix *f, const char *addr, const char *mac, uint8_t via)
{
    struct rec_asset r = {.ts_ns = f->now, .addr = ip(addr), .via = via, .frame = 1};
    if (mac) {
        struct addr m = ip(mac);
        memcpy(r.mac, m.b + 10, 6);
        r.has_mac = 1;
    }
    baseline_asset(f->b, &r);
}

static inline void asset(struct fix *f, const char *addr, const char *mac)
{
    asset_via(f, addr, mac, ASSET_VIA_IP);
}

static inline uint64_t link_digest(const char *c, const char *s, uint16_t port)
{
    struct addr a = ip(c), b = ip(s);
    return hash_u64(hash_bytes(hash_bytes(7, &a, sizeof a), &b, sizeof b), port);
}

static inline void link_made(struct fix *f, const char *c, const char *s, uint16_t port, bool attempt)
{
    struct rec_link r = {.ts_ns = f->now,
                         .digest = link_digest(c, s, port),
                         .client = ip(c),
                         .server = ip(s),
                         .l4 = PROTO_TCP,
                         .sure = 1,
                         .attempt = attempt,
                         .port = port,
                         .client_port = 40000,
                         .frame = 2};
    baseline_link(f->b, &r);
}

static inline void link_counts(struct fix *f, const char *c, const char *s, uint16_t port, uint64_t up, uint64_t down)
{
    struct rec_link_count r = {.ts_ns = f->now, .digest = link_digest(c, s, port), .last_ns = f->now,
                               .packets = {up, down}, .bytes = {up * 100, down * 100}};
    baseline_link_count(f->b, &r);
}

struct msg_spec {
    uint32_t fn, first, last, unit, status;
    const char *tag;
    bool condemned, known; /* known: not a new fact for the worker */
};

static inline uint64_t fact_digest(const char *c, const char *s, const struct msg_spec *m)
{
    uint64_t h = hash_u64(link_digest(c, s, 502), (uint64_t)m->fn << 32 | m->unit);
    h = hash_u64(h, (uint64_t)m->first << 32 | m->last);
    return m->tag ? hash_bytes(h, m->tag, strlen(m->tag)) : h;
}

/* One transaction of c with s on port 502. */
static inline void message(struct fix *f, const char *c, const char *s, struct msg_spec m)
{
    const struct op_row *op = schema_op(&x_schema, m.fn, 0);
    uint8_t act = op ? op->action : ACT_OTHER;
    bool bare = m.fn == F_STOP || m.fn == F_LOAD || m.fn == F_BROWSE;
    struct rec_fact fact = {.digest = fact_digest(c, s, &m), .kind = m.tag ? K_TAG : K_REG, .action = act,
                            .bit = ITEM_BIT_NONE, .first = m.first, .last = m.last ? m.last : m.first,
                            .has_range = !m.tag, .is_new = !m.known, .new_error = m.status != 0};
    if (bare) {
        fact.kind = REC_NO_KIND;
        fact.has_range = 0;
    }
    if (m.tag)
        fact.name = (struct span){(const uint8_t *)m.tag, (uint32_t)strlen(m.tag)};
    struct rec_event e = {.schema = &x_schema,
                          .op = op,
                          .ts_ns = f->now,
                          .ts_first_ns = f->now,
                          .link = link_digest(c, s, 502),
                          .src = ip(c),
                          .dst = ip(s),
                          .sport = 40000,
                          .dport = 502,
                          .l4 = PROTO_TCP,
                          .frame = 9,
                          .function = m.fn,
                          .selector = 0,
                          .unit = m.unit,
                          .has_unit = m.unit != 0,
                          .action = act,
                          .kind = EV_TRANSACTION,
                          .outcome = m.status ? OUT_REFUSED : OUT_EXECUTED,
                          .status = m.status,
                          .has_status = 1,
                          .error = m.status != 0,
                          .n_facts = 1,
                          .facts = &fact,
                          .wanted = REC_WANT_FACT};
    baseline_event(f->b, &e, m.condemned);
}

static inline void fact_counts(struct fix *f, const char *c, const char *s, struct msg_spec m, uint32_t n)
{
    struct rec_fact_count r = {.ts_ns = f->now, .digest = fact_digest(c, s, &m), .last_ns = f->now, .count = n,
                               .period_us = 1000000};
    baseline_fact_count(f->b, &r);
}

static inline void tick(struct fix *f)
{
    struct rec_tick r = {.ts_ns = f->now};
    baseline_tick(f->b, &r);
}

static inline void ident_by(struct fix *f, const char *source, const char *addr, uint8_t kind, uint32_t sub,
                            const char *value, uint8_t conf)
{
    struct rec_ident r = {.ts_ns = f->now, .addr = ip(addr), .source = source, .sub = sub, .kind = kind,
                          .confidence = conf, .value = {(const uint8_t *)value, (uint32_t)strlen(value)}};
    baseline_ident(f->b, &r);
}

static inline void ident(struct fix *f, const char *addr, uint8_t kind, uint32_t sub, const char *value, uint8_t conf)
{
    ident_by(f, "xbus", addr, kind, sub, value, conf);
}

static inline struct asset_info info(struct fix *f, const char *addr)
{
    struct asset_info i = {0};
    struct addr a = ip(addr);
    ck_assert_msg(baseline_asset_info(f->b, 0, &a, &i), "%s is no asset", addr);
    return i;
}

static inline bool is_asset(struct fix *f, const char *addr)
{
    struct asset_info i;
    struct addr a = ip(addr);
    return baseline_asset_info(f->b, 0, &a, &i);
}

static inline unsigned count_of(const struct fix *f, unsigned type)
{
    unsigned n = 0;
    for (unsigned i = 0; i < f->n; i++)
        n += f->seen[i].type == type;
    return n;
}

static inline const struct deviation *the(const struct fix *f, unsigned type)
{
    ck_assert_msg(count_of(f, type) == 1, "%u of %s", count_of(f, type), dev_name(type));
    for (unsigned i = 0; i < f->n; i++)
        if (f->seen[i].type == type)
            return &f->seen[i];
    return NULL;
}

#define HMI "10.0.0.5"
#define PLC "10.0.0.9"
#define LAPTOP "10.0.0.66"
#define M_HMI "00:1b:1b:00:00:05"
#define M_PLC "00:1b:1b:00:00:09"

/* A plant: the HMI reads 0-99 and writes 10 of the PLC's unit 1. Learned, then judged in `mode`. */
static inline void plant(struct fix *f, enum baseline_mode mode)
{
    fix_init(f, BASE_LEARN);
    fix_open(f);
    asset(f, HMI, M_HMI);
    asset(f, PLC, M_PLC);
    link_made(f, HMI, PLC, 502, false);
    message(f, HMI, PLC, (struct msg_spec){.fn = F_READ, .first = 0, .last = 99, .unit = 1});
    message(f, HMI, PLC, (struct msg_spec){.fn = F_WRITE, .first = 10, .unit = 1});
    f->now += 10 * SEC;
    link_counts(f, HMI, PLC, 502, 10, 10);
    fact_counts(f, HMI, PLC, (struct msg_spec){.fn = F_READ, .first = 0, .last = 99, .unit = 1}, 1000);
    tick(f);
    ck_assert_uint_eq(f->n, 0);
    baseline_set_mode(f->b, mode);
    f->now += 3600 * SEC;
}

static inline int run_suite(Suite *s)
{
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The export as one string; free it. */
static inline char *exported(struct fix *f, bool all)
{
    char *text = NULL;
    size_t n;
    struct err e;
    FILE *m = open_memstream(&text, &n);
    ck_assert_int_eq(baseline_export(f->b, m, all, &e), 0);
    fclose(m);
    return text;
}
