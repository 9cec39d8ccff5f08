/* test_rules_finish.c: the collector's part of rules: knowledge of the plant, thresholds and their bounds; and that
 * splitting a rule into the two parts never changes what it means. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/site.h"
#include "rules_fixture.h"
#include "suite.h"

static struct event ev;
static struct addr hmi, plc;
static struct rule_state *state;
static struct ruleset *set;
static struct rule_verdict verdict;
static const uint64_t second = 1000000000;

static void load(const char *text, const struct site *site)
{
    struct err e = {""};
    const struct rules_text t = {"t.yaml", text, strlen(text), false};
    const struct ruleset_opts o = {.schemas = fx_schemas, .n_schemas = 2, .site = site, .no_defaults = true, .texts = &t,
                                   .n_texts = 1};
    ruleset_free(set);
    rule_state_free(state);
    set = NULL;
    state = NULL;
    ck_assert_msg(ruleset_load(&o, &set, &e) == 0, "%s", e.text);
    ck_assert_int_eq(rule_state_new(set, 1 << 16, 7, &state, &e), 0);
}

static void teardown(void)
{
    ruleset_free(set);
    rule_state_free(state);
    set = NULL;
    state = NULL;
}

static void setup(void)
{
    addr_parse("10.0.0.5", &hmi);
    addr_parse("10.0.0.9", &plc);
}

static uint8_t learning;

/* Matches and finishes one message; the number of rules raised, the last one's verdict in `verdict`. */
static unsigned send_at(uint64_t ts_ns, const struct addr *from, const struct addr *to, const struct asset_info *src,
                        const struct asset_info *dst, bool is_new)
{
    uint16_t hits[REC_MAX_HITS];
    unsigned n = 0;
    const struct rec_fact fact = {.is_new = is_new};
    struct rule_input in = {.ev = &ev, .src = from, .dst = to, .ts_ns = ts_ns, .l4 = PROTO_TCP};
    struct rec_event r = {.schema = ev.schema, .ts_ns = ts_ns, .src = *from, .dst = *to, .function = ev.function,
                          .selector = ev.selector, .unit = ev.unit, .has_unit = ev.has_unit, .object = rules_object(&ev),
                          .hits = hits, .facts = &fact, .n_facts = 1, .learning = learning};
    r.n_hits = (uint16_t)rules_match(set, &in, hits, REC_MAX_HITS);
    for (unsigned i = 0; i < r.n_hits; i++)
        n += rule_finish(state, hits[i], &r, src, dst, &verdict);
    return n;
}

static unsigned send(uint64_t ts_ns)
{
    return send_at(ts_ns, &hmi, &plc, NULL, NULL, false);
}

#define RULE(when) "- id: USR-1\n  title: t\n  severity: major\n  when: " when "\n"

static const char *why(void)
{
    static char text[RULE_WHY];
    rule_why(&verdict, text);
    return text;
}

START_TEST(test_plant)
{
    const struct asset_info station = {.name = "ES-1", .type = "engineering station", .vendor = "Siemens AG",
                                       .roles = ROLE_ENGINEERING, .purdue = 3, .known = 1, .criticality = "high"};
    const struct asset_info panel = {.name = "HMI-1", .roles = ROLE_HMI | ROLE_SERVER, .purdue = -1};
    fx_begin(&ev, &fx_alpha, 6, 0);
    static const struct {
        const char *when;
        bool station, panel, none;
    } rows[] = {
        {"{src_role: [hmi, rtu]}", false, true, false},
        {"{not: {src_role: hmi}}", true, false, true},
        {"{src_engineering_station: true}", true, false, false},
        {"{src_engineering_station: false}", false, false, false},
        {"{src_name: 'ES-*'}", true, false, false},
        {"{src_type: unknown}", false, true, true},
        {"{src_vendor: '*Siemens*'}", true, false, false},
        {"{src_criticality: [high, medium]}", true, false, false},
        {"{src_known: false}", false, true, true},
        {"{src_purdue: '>= 3'}", true, false, false},
        {"{not: {src_purdue: '>= 3'}}", false, true, true},
        {"{action: read, src_role: hmi}", false, false, false},
        {"{any: [{src_role: hmi}, {function: write_reg}]}", true, true, true},
        {"{any: [{src_role: hmi}, {function: read_regs}]}", false, true, false},
        {"{not: {function: write_reg, src_role: hmi}}", true, false, true},
        {"{not: [{function: read_regs}, {src_role: hmi}]}", true, false, true},
        {"{any: [{all: [{src_role: hmi}, {action: write}]}, {not: {any: [{src_known: true}, {unit: 3}]}}]}",
         false, true, true},
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        char text[512];
        snprintf(text, sizeof text, RULE("%s"), rows[i].when);
        load(text, NULL);
        ck_assert_msg(send_at(second, &hmi, &plc, &station, NULL, false) == rows[i].station, "%s station", rows[i].when);
        ck_assert_msg(send_at(second, &hmi, &plc, &panel, NULL, false) == rows[i].panel, "%s panel", rows[i].when);
        ck_assert_msg(send_at(second, &hmi, &plc, NULL, NULL, false) == rows[i].none, "%s none", rows[i].when);
    }
    load(RULE("{learning: false}"), NULL);
    learning = 1;
    ck_assert_uint_eq(send_at(second, &hmi, &plc, NULL, NULL, true), 0);
    learning = 0;
    ck_assert_uint_eq(send_at(second, &hmi, &plc, NULL, NULL, true), 1);
    load(RULE("{new_fact: true}"), NULL);
    ck_assert_uint_eq(send_at(second, &hmi, &plc, NULL, NULL, true), 1);
    ck_assert_uint_eq(send_at(second, &hmi, &plc, NULL, NULL, false), 0);
    ck_assert_uint_eq(verdict.count, 1);
    ck_assert(verdict.first_ns == second && why()[0] == 0);
}
END_TEST

START_TEST(test_site)
{
    struct site site = {0};
    struct subnet a, b;
    struct err e;
    subnet_parse("10.0.0.0/24", &a);
    subnet_parse("10.0.1.0/24", &b);
    const struct site_zone zones[] = {{.name = "office", .subnets = &a, .n_subnets = 1},
                                      {.name = "cell", .subnets = &b, .n_subnets = 1}};
    struct addr far, nowhere, station;
    addr_parse("10.0.1.9", &far);
    addr_parse("192.168.0.1", &nowhere);
    addr_parse("10.0.0.7", &station);
    const struct site_ref ref = {.subnet = {station, 128}, .asset = SITE_NO_ASSET};
    site.zones = zones;
    site.n_zones = 2;
    site.stations = &ref;
    site.n_stations = 1;
    ck_assert_int_eq(site_prepare(&site, &e), 0);
    fx_begin(&ev, &fx_alpha, 6, 0);
    static const struct {
        const char *when;
        bool near, far, nowhere, station; /* to plc, far, nowhere; station to plc */
    } rows[] = {
        {"{same_zone: true}", true, false, false, true},
        {"{same_zone: false}", false, true, false, false},
        {"{dst_zone: cell}", false, true, false, false},
        {"{dst_zone: none}", false, false, true, false},
        {"{not: {dst_zone: 'c*'}}", true, false, true, true},
        {"{src_engineering_station: true}", false, false, false, true},
        {"{src_engineering_station: false}", true, true, true, false},
        {"{src_zone: office, dst_role: rtu}", false, false, false, false},
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        char text[256];
        snprintf(text, sizeof text, RULE("%s"), rows[i].when);
        load(text, &site);
        ck_assert_msg(send_at(second, &hmi, &plc, NULL, NULL, false) == rows[i].near, "%s near", rows[i].when);
        ck_assert_msg(send_at(second, &hmi, &far, NULL, NULL, false) == rows[i].far, "%s far", rows[i].when);
        ck_assert_msg(send_at(second, &hmi, &nowhere, NULL, NULL, false) == rows[i].nowhere, "%s nowhere", rows[i].when);
        ck_assert_msg(send_at(second, &station, &plc, NULL, NULL, false) == rows[i].station, "%s station", rows[i].when);
    }
    teardown();
    site_done(&site);
}
END_TEST

START_TEST(test_count)
{
    fx_begin(&ev, &fx_alpha, 3, 0);
    load(RULE("{action: read}\n  threshold: {count: 3, window: 10s, by: src_dst}"), NULL);
    ck_assert_uint_eq(send(1 * second), 0);
    ck_assert_uint_eq(send(2 * second), 0);
    ck_assert_uint_eq(send(12 * second), 0); /* the first one is out of the window */
    ck_assert_uint_eq(send(12 * second), 1); /* 2, 12, 12 */
    ck_assert_uint_eq(verdict.count, 3);
    ck_assert(verdict.first_ns == 2 * second);
    ck_assert_ptr_nonnull(strstr(why(), "3 messages within 10 s"));
    ck_assert_uint_eq(send(13 * second), 0); /* counted anew */
    ck_assert_uint_eq(send(14 * second), 0);
    ck_assert_uint_eq(send(15 * second), 1);
    /* another pair counts apart */
    ck_assert_uint_eq(send(16 * second), 0);
    ck_assert_uint_eq(send_at(16 * second, &plc, &hmi, NULL, NULL, false), 0);
    ck_assert_uint_eq(send(17 * second), 0);
    ck_assert_uint_eq(send(18 * second), 1);
    /* time set back by more than the window: what was counted says nothing */
    ck_assert_uint_eq(send(100 * second), 0);
    ck_assert_uint_eq(send(100 * second), 0);
    ck_assert_uint_eq(send(50 * second), 0);
    ck_assert_uint_eq(send(50 * second), 0);
    ck_assert_uint_eq(send(50 * second), 1);
}
END_TEST

START_TEST(test_distinct)
{
    fx_begin(&ev, &fx_alpha, 3, 0);
    ev.has_unit = 1;
    load(RULE("{action: read}\n  threshold: {count: 3, window: 10s, by: [src], distinct: unit}"), NULL);
    for (unsigned i = 0; i < 20; i++) {
        ev.unit = i % 2;
        ck_assert_uint_eq(send((10 + i) * second / 10), 0);
    }
    ev.unit = 2;
    ck_assert_uint_eq(send(3 * second), 1);
    ck_assert_uint_eq(verdict.count, 3);
    ck_assert_ptr_nonnull(strstr(why(), "3 different units within 0.2 s"));
    for (unsigned i = 0; i < 9; i++) { /* never three within ten seconds */
        ev.unit = 10 + i;
        ck_assert_uint_eq(send((20 + 6 * i) * second), 0);
    }
    ev.has_unit = 0;
    for (unsigned i = 0; i < 9; i++)
        ck_assert_uint_eq(send(100 * second), 0);

    load(RULE("{action: read}\n  threshold: {count: 4, window: 10s, by: [dst, unit, function], distinct: object}"), NULL);
    for (unsigned i = 0; i < 4; i++) {
        ev.n_items = 0;
        fx_item(&ev, KA_REG, 0, i, i);
        ck_assert_uint_eq(send(second), i == 3);
    }
    ev.n_items = 0; /* without an object nothing is counted */
    for (unsigned i = 0; i < 9; i++)
        ck_assert_uint_eq(send(second), 0);

    load(RULE("{action: read}\n  threshold: {count: 2, window: 10s, by: object}"), NULL);
    fx_item(&ev, KA_REG, 0, 1, 1);
    ck_assert_uint_eq(send(second), 0);
    ev.items[0].first = 2;
    ck_assert_uint_eq(send(second), 0);
    ev.items[0].first = 1;
    ck_assert_uint_eq(send(second), 1);
}
END_TEST

START_TEST(test_bounds)
{
    struct rule_stats s;
    struct addr many = hmi;
    fx_begin(&ev, &fx_alpha, 3, 0);
    load(RULE("{action: read}\n  threshold: {count: 2, window: 10s, by: src}"), NULL);
    for (unsigned i = 0; i < 100000; i++) {
        many.b[13] = (uint8_t)(i >> 16);
        many.b[14] = (uint8_t)(i >> 8);
        many.b[15] = (uint8_t)i;
        ck_assert_uint_eq(send_at(second + i, &many, &plc, NULL, NULL, false), 0);
    }
    rule_state_stats(state, &s);
    ck_assert_uint_ge(s.evicted, 90000);
    ck_assert_uint_eq(s.counted, 100000);
    ck_assert_uint_le(s.memory_bytes, 1 << 17);
    /* the real one is still found */
    ck_assert_uint_eq(send(2 * second), 0);
    ck_assert_uint_eq(send(2 * second), 1);
}
END_TEST

/* Random trees over two local and two plant conditions: the split rule must say what the tree says. */
static unsigned rnd(uint64_t *s, unsigned n)
{
    *s = *s * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(*s >> 33) % n;
}

static bool grow(uint64_t *s, unsigned depth, unsigned v, char *out, size_t *at)
{
    static const char *const leaf[] = {"{function: read_regs}", "{unit: 1}", "{src_role: hmi}", "{dst_known: true}"};
    unsigned what = depth == 0 ? 0 : rnd(s, 4), k = rnd(s, 4);
    if (what == 0) {
        *at += (size_t)sprintf(out + *at, "%s", leaf[k]);
        return v >> k & 1;
    }
    if (what == 1) {
        *at += (size_t)sprintf(out + *at, "{not: ");
        bool b = grow(s, depth - 1, v, out, at);
        *at += (size_t)sprintf(out + *at, "}");
        return !b;
    }
    *at += (size_t)sprintf(out + *at, what == 2 ? "{any: [" : "{all: [");
    bool a = grow(s, depth - 1, v, out, at);
    *at += (size_t)sprintf(out + *at, ", ");
    bool b = grow(s, depth - 1, v, out, at);
    *at += (size_t)sprintf(out + *at, "]}");
    return what == 2 ? a || b : a && b;
}

START_TEST(test_split)
{
    const struct asset_info yes = {.roles = ROLE_HMI, .known = 1}, no = {.roles = ROLE_RTU};
    unsigned tried = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        bool loaded = false;
        for (unsigned v = 0; v < 16; v++) {
            char text[8192];
            size_t at = (size_t)sprintf(text, "- id: USR-1\n  title: t\n  severity: major\n  when: ");
            uint64_t s = seed;
            bool expect = grow(&s, 4, v, text, &at);
            sprintf(text + at, "\n");
            if (!loaded) {
                struct err e = {""};
                const struct rules_text t = {"t", text, strlen(text), false};
                const struct ruleset_opts o = {.schemas = fx_schemas, .n_schemas = 2, .no_defaults = true,
                                               .texts = &t, .n_texts = 1};
                teardown();
                if (ruleset_load(&o, &set, &e) < 0) /* unfolds into too many cases, or can never be met */
                    break;
                ck_assert_int_eq(rule_state_new(set, 0, 0, &state, &e), 0);
                loaded = true;
                tried++;
            }
            fx_begin(&ev, &fx_alpha, v & 1 ? 3 : 6, 0);
            ev.has_unit = 1;
            ev.unit = v & 2 ? 1 : 2;
            unsigned n = send_at(second, &hmi, &plc, v & 4 ? &yes : &no, v & 8 ? &yes : &no, false);
            ck_assert_msg(n == expect, "%u raised, expected %u: %s", n, expect, text);
        }
    }
    ck_assert_uint_ge(tried, 300);
}
END_TEST

/* What an alert says of a rule: the values that met it, and what would have been right. */
START_TEST(test_explain)
{
    static const struct {
        const char *when, *met, *expected;
    } rows[] = {
        {"{object: 'holding_register:0-9', value: '> 5'}",
         "holding_register:4 = 7 (the rule: object: holding_register:0-9, value: > 5)",
         "not object: holding_register:0-9, value: > 5"},
        {"{latency: '> 500ms'}", "answered after 2 s (the rule: latency: > 500ms)", "not latency: > 500ms"},
        {"{anomaly: bad_length}", "bad_length: ", "a message without bad_length"},
        {"{error: illegal_data_address}", "answered illegal_data_address", "an answer without an error"},
        {"{time: '00:00-12:00', weekday: thu}", "at 00:16 on a Thursday (the rule: time: 00:00-12:00)", "not time"},
        {"{not: {src: 10.1.0.0/24}}", "not src: 10.1.0.0/24", "src: 10.1.0.0/24"},
        {"{new_fact: true}", "for the first time", ""},
        {"{src_known: false}", "the sender is not learned as part of the plant", "src_known"},
        {"{src_role: hmi}", "the sender is a panel by what it does", "not from a panel"},
        {"{any: [{unit: 77}, {alpha.mode: stop}]}", "alpha.mode is stop", "not alpha.mode: stop"},
        {"{action: write, not: {outcome: refused}}", "", "no write_reg (write) between these two"},
    };
    const struct asset_info panel = {.name = "HMI-1", .type = "panel", .roles = ROLE_HMI, .purdue = -1};
    uint16_t hits[REC_MAX_HITS];
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        char text[512];
        fx_begin(&ev, &fx_alpha, 6, 0);
        struct item *it = fx_item(&ev, KA_REG, 0, 4, 4);
        it->v = (struct vals){.n = 1, .enc = VE_NOW_UINT, .now.u = 7, .qual_off = -1};
        fx_field(&ev, FA_MODE)->v.u = 2;
        ev.latency_ns = UINT64_C(2000000000);
        ev.anomalies = 1;
        ev.has_status = ev.error = 1;
        ev.status = 2;
        snprintf(text, sizeof text, RULE("%s"), rows[i].when);
        load(text, NULL);
        uint64_t ts = UINT64_C(1000000000000); /* 1970-01-01, a Thursday, 00:16 */
        const struct rec_fact fact = {.is_new = 1};
        struct rule_input in = {.ev = &ev, .src = &hmi, .dst = &plc, .ts_ns = ts, .l4 = PROTO_TCP};
        struct rec_event r = {.schema = ev.schema, .ts_ns = ts, .src = hmi, .dst = plc, .function = ev.function,
                              .hits = hits, .facts = &fact, .n_facts = 1, .l4 = PROTO_TCP};
        r.n_hits = (uint16_t)rules_match(set, &in, hits, REC_MAX_HITS);
        ck_assert_msg(r.n_hits == 1 && rule_finish(state, hits[0], &r, &panel, NULL, &verdict), "%s", rows[i].when);
        const struct rule_asked q = {.rec = &r, .ev = &ev, .src = &panel};
        struct rule_words w;
        rules_explain(set, hits[0], &q, &w);
        ck_assert_msg(rows[i].met[0] ? strstr(w.met, rows[i].met) != NULL : !w.met[0], "%s: %s", rows[i].when, w.met);
        ck_assert_msg(strstr(w.expected, rows[i].expected) != NULL, "%s: %s", rows[i].when, w.expected);
        ck_assert_int_eq(w.learned, strstr(rows[i].when, "new_fact") != NULL);
    }
}
END_TEST

/* ---- counted by the one who sees all messages ---- */

/* One message through both ways: what was raised, and with which counts. */
static void both_ways(struct rule_state *early, uint64_t ts_ns, const struct addr *from)
{
    uint16_t hits[REC_MAX_HITS], left[REC_MAX_HITS];
    uint64_t since[REC_MAX_HITS];
    struct rule_input in = {.ev = &ev, .src = from, .dst = &plc, .ts_ns = ts_ns, .l4 = PROTO_TCP};
    struct rec_event r = {.schema = ev.schema, .ts_ns = ts_ns, .src = *from, .dst = plc, .function = ev.function,
                          .selector = ev.selector, .unit = ev.unit, .has_unit = ev.has_unit, .hits = hits};
    const struct rule_counted m = {.client = from, .server = &plc, .unit = ev.unit, .function = ev.function,
                                   .selector = ev.selector, .has_unit = ev.has_unit};
    struct rule_verdict v[REC_MAX_HITS], w[REC_MAX_HITS];
    unsigned n_v = 0, n_w = 0;
    r.n_hits = (uint16_t)rules_match(set, &in, hits, REC_MAX_HITS);
    memcpy(left, hits, sizeof left);
    for (unsigned i = 0; i < r.n_hits; i++)
        n_v += rule_finish(state, hits[i], &r, NULL, NULL, &v[n_v]);
    r.n_hits = (uint16_t)rule_count(early, &m, ts_ns, left, since, r.n_hits);
    r.hits = left;
    r.since = since;
    for (unsigned i = 0; i < r.n_hits; i++) {
        ck_assert(!ruleset_hit_plain(set, left[i]) || since[i] <= ts_ns);
        n_w += rule_finish(early, left[i], &r, NULL, NULL, &w[n_w]);
    }
    ck_assert_uint_eq(n_v, n_w);
    for (unsigned i = 0; i < n_v; i++)
        ck_assert(v[i].rule == w[i].rule && v[i].first_ns == w[i].first_ns && v[i].last_ns == w[i].last_ns &&
                  v[i].count == w[i].count);
}

START_TEST(test_counted_before)
{
    static const char rules[] =
        "- id: USR-1\n  title: t\n  severity: major\n  when: {function: read_regs}\n"
        "  threshold: {count: 5, window: 60s, by: src}\n"
        "- id: USR-2\n  title: t\n  severity: major\n  when: {any: [{function: read_regs}, {unit: '< 3'}]}\n"
        "  threshold: {count: 3, window: 20s, by: dst}\n"
        "- id: USR-3\n  title: t\n  severity: major\n  when: {function: read_regs}\n"
        "  threshold: {count: 4, window: 90s, by: src, distinct: unit}\n"
        "- id: USR-4\n  title: t\n  severity: major\n  when: {function: read_regs, src_known: false}\n"
        "  threshold: {count: 7, window: 90s, by: src}\n" /* asks the inventory: it stays the collector's */
        "- id: USR-5\n  title: t\n  severity: major\n  when: {function: read_regs, unit: 4}\n";
    struct rule_state *early;
    struct rule_stats all, some;
    struct err e;
    uint64_t rng = 5, ts = 0;
    unsigned n_plain = 0;
    load(rules, NULL);
    ck_assert_int_eq(rule_state_new(set, 1 << 16, 7, &early, &e), 0);
    for (unsigned i = 0; i < ruleset_n_entries(set); i++)
        n_plain += ruleset_hit_plain(set, i);
    ck_assert_uint_ge(n_plain, 3);
    ck_assert_uint_lt(n_plain, ruleset_n_entries(set));
    fx_begin(&ev, &fx_alpha, 3, 0);
    ev.has_unit = 1;
    for (unsigned i = 0; i < 200000; i++) {
        char text[32];
        struct addr from;
        ts += suite_draw(&rng, 4 * second); /* from time 0 on */
        ev.unit = (uint32_t)suite_draw(&rng, 6);
        snprintf(text, sizeof text, "10.1.%u.%u", (unsigned)suite_draw(&rng, i < 100000 ? 1 : 200), (unsigned)suite_draw(&rng, 4));
        addr_parse(text, &from);
        both_ways(early, ts, &from);
    }
    rule_state_stats(state, &all);
    rule_state_stats(early, &some);
    ck_assert_uint_gt(all.raised, 1000);
    ck_assert_uint_gt(all.evicted, 0);
    ck_assert_uint_eq(all.evicted, some.evicted + rule_count_evicted(early));
    rule_state_free(early);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rules_finish");
    TCase *t = tcase_create("rules_finish");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_plant);
    tcase_add_test(t, test_site);
    tcase_add_test(t, test_count);
    tcase_add_test(t, test_distinct);
    tcase_add_test(t, test_bounds);
    tcase_add_test(t, test_split);
    tcase_add_test(t, test_explain);
    tcase_add_test(t, test_counted_before);
    suite_add_tcase(s, t);
    return suite_end(s);
}
