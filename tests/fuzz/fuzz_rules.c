/* fuzz_rules.c: any text is a file of rules or refused with a place; accepted rules are matched and finished. */
#include <stdlib.h>

#include "tests/unit/rules_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t bytes[40] = {0, 10, 0, 20, 255, 0, 1, 2};

static void make(struct event *e, unsigned i)
{
    static const uint32_t fns[] = {3, 6, 8, 23, 99, 0x100, 0x701};
    const struct proto_schema *s = i < 5 ? &fx_alpha : &fx_beta;
    fx_begin(e, s, fns[i % ARRAY_LEN(fns)], i & 1);
    e->has_unit = i & 1;
    e->unit = i;
    e->error = i == 3;
    e->has_status = i == 3;
    e->status = 2;
    e->anomalies = i == 4;
    struct item *it = fx_item(e, (uint8_t)(i % 3), i, i, i + 9);
    it->v = (struct vals){.raw = {bytes, sizeof bytes}, .n = 20, .stride = 2, .qual_off = (int16_t)(i & 1 ? 1 : -1),
                          .enc = (uint8_t)(VE_U8 + i)};
    it = fx_item(e, 0, 0, 0, 0);
    it->name = fx_span("Motor_Speed");
    it->v = (struct vals){.raw = {bytes, 8}, .n = 2, .stride = 4, .qual_off = -1, .enc = i & 1 ? VE_TEXT : VE_BYTES};
    for (uint8_t f = 0; s == &fx_alpha && f < ARRAY_LEN(fx_fields_a); f++) {
        struct field *p = fx_field(e, f);
        if (fx_fields_a[f].type == FT_TEXT || fx_fields_a[f].type == FT_BYTES)
            p->v.s = (struct span){bytes, 8};
        else
            p->v.u = i;
    }
}

static void use(const struct ruleset *rs, struct rule_state *st)
{
    static struct event ev;
    struct addr src, dst;
    addr_parse("10.1.2.3", &src);
    addr_parse("224.0.0.1", &dst);
    const struct asset_info info = {.name = "a", .type = "plc", .roles = 5, .purdue = 2};
    for (unsigned i = 0; i < 28; i++) {
        uint16_t hits[REC_MAX_HITS];
        struct rule_verdict v;
        make(&ev, i % 7);
        struct rule_input in = {.ev = &ev, .src = &src, .dst = &dst, .ts_ns = i * UINT64_C(700000000), .l4 = PROTO_TCP};
        struct rec_event r = {.schema = ev.schema,
                              .ts_ns = in.ts_ns,
                              .src = src,
                              .dst = dst,
                              .hits = hits,
                              .function = ev.function,
                              .unit = ev.unit,
                              .has_unit = ev.has_unit,
                              .object = rules_object(&ev)};
        r.n_hits = (uint16_t)rules_match(rs, &in, hits, REC_MAX_HITS);
        for (unsigned h = 0; h < r.n_hits; h++) {
            if (hits[h] >= ruleset_n_entries(rs) || (h && hits[h] <= hits[h - 1]))
                abort();
            (void)rule_finish(st, hits[h], &r, i & 1 ? &info : NULL, &info, &v);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ruleset *rs = NULL;
    struct rule_state *st = NULL;
    struct err e = {""};
    char *exact = malloc(size ? size : 1);
    if (size)
        memcpy(exact, data, size);
    const struct rules_text t = {"fuzz", exact, size, size && data[0] == '#'};
    const struct ruleset_opts o = {
        .schemas = fx_schemas, .n_schemas = 2, .no_defaults = true, .texts = &t, .n_texts = 1};
    int r = ruleset_load(&o, &rs, &e);
    free(exact);
    if (r < 0 && !e.text[0])
        abort();
    if (r == 0 && rule_state_new(rs, 4096, 1, &st, &e) == 0)
        use(rs, st);
    rule_state_free(st);
    ruleset_free(rs);
    return 0;
}
