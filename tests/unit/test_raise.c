/* test_raise.c: findings become the right type, with the right marks and sentences. */
#include "engine/raise.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "baseline/deviation.h"
#include "engine/conf.h"
#include "engine/json.h"
#include "engine/outputs.h"
#include "rules/rules.h"
#include "suite.h"

#define S UINT64_C(1000000000)
#define T0 (UINT64_C(1767607200) * S)

static char *line[64];
static unsigned n_lines;
static struct alerts *al;
static struct raise ra;
static struct site site;

static int put(void *ctx, const struct alert_out *a)
{
    (void)ctx;
    ck_assert_uint_lt(n_lines, 64);
    line[n_lines++] = strndup(a->line, a->line_len);
    return 0;
}

static bool asset(void *ctx, uint16_t net, const struct addr *a, struct asset_info *ret)
{
    static char name[32]; /* dies at the next call, as the baseline's */
    (void)ctx;
    (void)net;
    snprintf(name, sizeof name, "dev-%u", a->b[15]);
    *ret = (struct asset_info){.id = a->b[15], .name = name, .type = "plc", .purdue = 1};
    return a->b[15] != 99;
}

static void setup(void)
{
    struct err e;
    static const struct alert_change changes[] = {{"OT-R-7", 0}, {"OT-POL-022", 0}};
    struct alert_conf c = {.host = "s", .n_sinks = 1, .sinks[0].put = put, .changes = changes, .n_changes = 2};
    static const struct site_window windows[] = {
        {.name = "work", .from_ns = T0 + 1000 * S, .to_ns = T0 + 2000 * S, .zone = -1}};
    static struct site_ref stations[1];
    n_lines = 0;
    ck_assert(subnet_parse("10.0.0.7", &stations[0].subnet));
    stations[0].asset = SITE_NO_ASSET;
    site = (struct site){.windows = windows, .n_windows = 1, .stations = stations, .n_stations = 1};
    ck_assert_int_eq(site_prepare(&site, &e), 0);
    ck_assert_int_eq(alerts_new(&al, &c, &e), 0);
    struct raise_conf rc = {.alerts = al, .site = &site, .asset = asset};
    raise_init(&ra, &rc);
}

static void teardown(void)
{
    alerts_free(al);
    site_done(&site);
    for (unsigned i = 0; i < n_lines; i++)
        free(line[i]);
}

static const struct js *parsed(unsigned i)
{
    const struct js *v = NULL;
    struct err e = {""};
    ck_assert_uint_lt(i, n_lines);
    ck_assert_msg(js_parse(&v, line[i], strlen(line[i]), &e) == 0, "%s", e.text);
    return v;
}

static void has(const struct js *v, const char *path, const char *want)
{
    const char *s = js_str(v, path);
    ck_assert_msg(s && strstr(s, want), "%s is %s, not %s", path, s ? s : "nothing", want);
}

static uint64_t num(const struct js *v, const char *path)
{
    uint64_t n = UINT64_MAX;
    js_u64(v, path, &n);
    return n;
}

static struct addr ip(const char *s)
{
    struct addr a;
    ck_assert(addr_parse(s, &a));
    return a;
}

static struct deviation make(uint8_t type)
{
    struct deviation d = {.type = type,
                          .severity = DEV_MAJOR,
                          .fold = 0x1000u + type,
                          .first_ns = T0,
                          .last_ns = T0,
                          .count = 1,
                          .src = ip("10.0.0.5"),
                          .dst = ip("10.0.0.9"),
                          .l4 = PROTO_TCP,
                          .sport = 5,
                          .dport = 502,
                          .frame = 3,
                          .why = "w",
                          .expected = "e",
                          .seen = "s",
                          .accept = "link:1",
                          .app = "modbus"};
    return d;
}

START_TEST(test_deviations)
{
    static const char *const ids[DEV_COUNT] = {
        [DEV_NEW_ASSET] = "OT-POL-001",
        [DEV_NEW_LINK] = "OT-POL-002",
        [DEV_NEW_PROTOCOL] = "OT-POL-003",
        [DEV_NEW_UNIT] = "OT-POL-005",
        [DEV_NEW_FUNCTION] = "OT-POL-010",
        [DEV_NEW_OBJECT] = "OT-POL-016",
        [DEV_NEW_ERROR] = "OT-POL-017",
        [DEV_IDENTITY_CHANGED] = "OT-POL-020",
        [DEV_FIRMWARE_CHANGED] = "OT-POL-021",
        [DEV_STATE_COMMAND] = "OT-POL-030",
        [DEV_STATE_CHANGED] = "OT-POL-033",
        [DEV_ADDRESS_CONFLICT] = "OT-ANO-001",
        [DEV_ADDRESS_SCAN] = "OT-ANO-002",
        [DEV_PORT_SCAN] = "OT-ANO-003",
        [DEV_CONTROLLER_SCAN] = "OT-ANO-004",
        [DEV_WRONG_PROTOCOL] = "OT-ANO-010",
        [DEV_FLOOD] = "OT-POL-001",
    };
    for (uint8_t t = DEV_NEW_ASSET; t < DEV_COUNT; t++) {
        struct deviation d = make(t);
        d.flood_of = DEV_NEW_ASSET;
        raise_deviation(&ra, &d);
        const struct js *v = parsed(n_lines - 1);
        ck_assert_msg(ids[t] && strcmp(js_str(v, "tyto.id"), ids[t]) == 0, "%u is %s", t, js_str(v, "tyto.id"));
        bool scan = t == DEV_ADDRESS_SCAN || t == DEV_PORT_SCAN || t == DEV_CONTROLLER_SCAN;
        has(v, "tyto.accept", scan ? "tyto baseline accept alert:" : "tyto baseline accept link:1");
        has(v, "src_ip", "10.0.0.5");
        has(v, "tyto.src_asset.name", "dev-5");
        has(v, "community_id", "1:");
        has(v, "tyto.dest_asset.name", "dev-9");
        ck_assert_uint_eq(num(v, "alert.severity"), AS_MAJOR);
        js_free(v);
    }
}
END_TEST

START_TEST(test_programming)
{
    static const struct {
        uint8_t action, engineering;
        const char *id;
    } rows[] = {{ACT_DOWNLOAD, 0, "OT-POL-031"}, {ACT_DOWNLOAD, 1, "OT-POL-035"}, {ACT_UPLOAD, 0, "OT-POL-032"},
                {ACT_UPLOAD, 1, "OT-POL-036"},   {ACT_FIRMWARE, 0, "OT-POL-034"}, {ACT_STOP, 0, "OT-POL-030"}};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct deviation d = make(DEV_STATE_COMMAND);
        d.has_action = 1;
        d.action = rows[i].action;
        d.engineering = rows[i].engineering;
        d.fold += i;
        d.severity = DEV_CRITICAL;
        raise_deviation(&ra, &d);
        const struct js *v = parsed(i);
        has(v, "tyto.id", rows[i].id);
        ck_assert_uint_eq(num(v, "alert.severity"), AS_CRITICAL);
        js_free(v);
    }
}
END_TEST

START_TEST(test_follow)
{
    struct deviation d = make(DEV_NEW_ASSET);
    d.dst = (struct addr){0};
    d.maintenance = "work";
    raise_deviation(&ra, &d);
    d.again = 1;
    d.last_ns += 700 * S;
    d.count = 4;
    d.follow = (struct dev_follow){.links = 1, .functions = 2, .objects = 14, .writes = 3};
    raise_deviation(&ra, &d);
    const struct rec_tick t = {.ts_ns = T0 + 1200 * S, .last = 1};
    raise_tick(&ra, &t);
    ck_assert_uint_eq(n_lines, 2);
    const struct js *v = parsed(1);
    has(v, "tyto.why", "1 link, 2 functions, 14 objects; 3 of them change something");
    ck_assert_uint_eq(num(v, "tyto.count"), 4);
    ck_assert_uint_eq(num(v, "tyto.update"), 2);
    has(v, "tyto.maintenance", "work");
    ck_assert(!js_has(v, "dest_ip") && !js_has(v, "tyto.dest_asset"));
    js_free(v);
}
END_TEST

static const struct op_row ops[] = {{6, OP_ANY_SELECTOR, "write_single_register", ACT_WRITE, 0, 0, 0, 0, 0}};
static const struct anomaly_def anomalies[] = {
    {"odd_length", 3, "length is odd (clause 4)"}, {"quiet", 0, "only recorded"}, {"worst", 4, "bad"}};
static const struct proto_schema schema = {.name = "toy",
                                           .title = "Toy",
                                           .ops = ops,
                                           .n_ops = 1,
                                           .anomalies = anomalies,
                                           .n_anomalies = 3,
                                           .unit_is = "unit id"};

static struct rec_event make_event(uint64_t ts)
{
    struct rec_event ev = {.schema = &schema,
                           .op = ops,
                           .kind = EV_TRANSACTION,
                           .ts_ns = ts,
                           .src = ip("10.0.0.5"),
                           .dst = ip("10.0.0.9"),
                           .sport = 4000,
                           .dport = 502,
                           .l4 = PROTO_TCP,
                           .frame = 42,
                           .function = 6,
                           .action = ACT_WRITE,
                           .unit = 3,
                           .has_unit = 1};
    return ev;
}

static void act_rule(struct rec_event *ev, const struct rule_verdict *v)
{
    raise_act_begin(&ra, ev);
    raise_act_rule(&ra, 0, v);
    raise_act_end(&ra);
}

static void act_anomalies(struct rec_event *ev)
{
    raise_act_begin(&ra, ev);
    raise_act_anomalies(&ra, ev->anomalies);
    raise_act_end(&ra);
}

START_TEST(test_rules)
{
    const struct rule_info info = {.id = "OT-R-1",
                                   .title = "Rule title",
                                   .sid = 8000001,
                                   .rev = 2,
                                   .severity = RS_MAJOR,
                                   .engine = RE_POLICY,
                                   .attack = "T0836",
                                   .category = "Cat",
                                   .remedy = "Do."};
    struct rule_verdict v = {.rule = &info, .count = 1, .first_ns = T0, .last_ns = T0};
    struct rec_event ev = make_event(T0);
    act_rule(&ev, &v);
    ev.unit = 4;
    act_rule(&ev, &v); /* another unit: another alert */
    ev.ts_ns = v.first_ns = T0 + 1500 * S;
    act_rule(&ev, &v); /* during work: lowered and marked; folds no longer, the first one's window is over */
    ev.ts_ns = v.first_ns = T0 + 3000 * S;
    ev.src = ip("10.0.0.7");
    act_rule(&ev, &v);
    ck_assert_uint_eq(n_lines, 4);
    const struct js *j = parsed(0);
    has(j, "tyto.id", "OT-R-1");
    ck_assert_uint_eq(num(j, "alert.signature_id"), 8000001);
    ck_assert_uint_eq(num(j, "alert.rev"), 2);
    has(j, "alert.signature", "Rule title");
    has(j, "tyto.why", "dev-5 (10.0.0.5) to dev-9 (10.0.0.9): write_single_register (write) of unit id 3");
    has(j, "tyto.seen", "toy write_single_register (write) of unit id 3");
    has(j, "tyto.accept", "tyto baseline accept alert:");
    has(j, "tyto.remedy", "Do.");
    ck_assert_uint_eq(num(j, "alert.severity"), AS_MAJOR);
    js_free(j);
    j = parsed(2);
    ck_assert_uint_eq(num(j, "alert.severity"), AS_MINOR);
    has(j, "tyto.maintenance", "work");
    js_free(j);
    j = parsed(3);
    ck_assert_uint_eq(num(j, "alert.severity"), AS_MINOR);
    has(j, "tyto.why", "engineering station");
    js_free(j);
}
END_TEST

/* Messages that were only counted go where the one of their kind that was told went; where its alert is closed, they
 * have one of their own. */
START_TEST(test_counted_messages)
{
    struct rec_event ev = make_event(T0);
    ev.anomalies = 7;
    act_anomalies(&ev);
    struct rec_anomaly n = {.ts_ns = T0 + 30 * S, .flow_id = ev.flow_id, .link = ev.link, .schema = &schema,
                            .src = ev.src, .dst = ev.dst, .sport = ev.sport, .dport = ev.dport, .l4 = PROTO_TCP,
                            .frame = 77, .count = 25, .total = 26, .of_event = 1,
                            .of = {.anomalies = 7, .hit = REC_NO_HIT, .function = 6, .action = ACT_WRITE, .unit = 3,
                                   .has_unit = 1}};
    raise_again(&ra, &n);
    ck_assert_uint_eq(n_lines, 1);
    alerts_tick(ra.c.alerts, T0 + 700 * S); /* the window's end */
    ck_assert_uint_eq(n_lines, 2);
    const struct js *j = parsed(1);
    has(j, "tyto.id", "OT-PRO-001");
    ck_assert_uint_eq(num(j, "tyto.count"), 26);
    ck_assert_uint_eq(num(j, "tyto.update"), 2);
    js_free(j);
    alerts_tick(ra.c.alerts, T0 + 2000 * S);
    ck_assert_uint_eq(n_lines, 2);
    n.ts_ns = T0 + 2010 * S;
    raise_again(&ra, &n);
    ck_assert_uint_eq(n_lines, 3);
    j = parsed(2);
    has(j, "tyto.id", "OT-PRO-001");
    has(j, "tyto.anomaly", "worst");
    ck_assert_uint_eq(num(j, "tyto.count"), 25);
    js_free(j);
}
END_TEST

START_TEST(test_anomalies)
{
    struct rec_event ev = make_event(T0);
    ev.anomalies = 7;
    act_anomalies(&ev);
    ck_assert_uint_eq(n_lines, 1); /* one message, one alert; the one of severity 0 is only recorded */
    const struct js *j = parsed(0);
    has(j, "tyto.id", "OT-PRO-001");
    has(j, "alert.signature", "Toy: message breaks the standard");
    has(j, "tyto.anomaly", "worst");
    has(j, "tyto.why", "worst: bad; odd_length: length is odd (clause 4)");
    has(j, "tyto.expected", "a message without worst");
    ck_assert_uint_eq(num(j, "alert.severity"), AS_CRITICAL);
    js_free(j);
    struct rec_anomaly n = {.ts_ns = T0,
                            .schema = &schema,
                            .src = ev.src,
                            .dst = ev.dst,
                            .l4 = PROTO_TCP,
                            .dport = 502,
                            .bit = 2,
                            .frame = 9,
                            .count = 25,
                            .total = 25};
    raise_anomaly(&ra, &n);
    ck_assert_uint_eq(n_lines, 2); /* the same as before, now worth a second alert: too many of them */
    j = parsed(1);
    has(j, "tyto.id", "OT-PRO-002");
    ck_assert_uint_eq(num(j, "tyto.count"), 25);
    js_free(j);
    n.schema = NULL;
    raise_anomaly(&ra, &n);
    j = parsed(2);
    has(j, "tyto.id", "OT-PRO-003");
    js_free(j);
    n.schema = &schema;
    n.bit = 60; /* no such anomaly */
    raise_anomaly(&ra, &n);
    n.bit = 1;
    raise_anomaly(&ra, &n);
    ck_assert_uint_eq(n_lines, 3);
}
END_TEST

/* ---- one message, one alert ---- */

static const struct rule_info shipped = {.id = "OT-R-2", .title = "Shipped", .sid = 9600902, .severity = RS_MINOR,
                                         .attack = "T0836", .shipped = true};
static const struct rule_info severe = {.id = "OT-R-3", .title = "Severe", .sid = 9600903, .severity = RS_MAJOR,
                                        .attack = "T0855", .shipped = true};
static const struct rule_info users = {.id = "USR-4", .title = "The user's", .sid = 904, .severity = RS_WARNING};
static const struct rule_info never = {.id = "USR-5", .title = "Always", .sid = 905, .severity = RS_MAJOR,
                                       .learn = RL_NO};
static const struct rule_info counting = {.id = "OT-R-6", .title = "Many", .sid = 9600906, .severity = RS_CRITICAL,
                                          .shipped = true, .threshold = {.count = 5, .window_ns = 60 * S, .by = BY_SRC}};

static const struct rule_info off = {.id = "OT-R-7", .title = "Off", .sid = 9600907, .severity = RS_CRITICAL,
                                     .shipped = true};

static struct deviation of_event(struct rec_event *ev, uint8_t type)
{
    struct deviation d = make(type);
    d.event = ev;
    d.first_ns = d.last_ns = ev->ts_ns;
    return d;
}

/* rules: NULL-terminated; dev may be NULL */
static void act(struct rec_event *ev, const struct rule_info *const rules[], const struct deviation *dev)
{
    raise_act_begin(&ra, ev);
    for (unsigned i = 0; rules[i]; i++) {
        struct rule_verdict v = {.rule = rules[i], .count = rules[i]->threshold.count ? 7 : 1, .first_ns = ev->ts_ns};
        raise_act_rule(&ra, i, &v);
    }
    raise_act_anomalies(&ra, ev->anomalies);
    if (dev)
        raise_deviation(&ra, dev);
    raise_act_end(&ra);
}

static void list_is(const struct js *v, const char *path, const char *want)
{
    char all[256] = "";
    for (size_t i = 0; i < js_len(v, path); i++) {
        strncat(all, i ? "," : "", sizeof all - strlen(all) - 1);
        strncat(all, js_str(js_at(v, path, i), ""), sizeof all - strlen(all) - 1);
    }
    ck_assert_str_eq(all, want);
}

START_TEST(test_rule_and_baseline)
{
    struct rec_event ev = make_event(T0);
    struct deviation d = of_event(&ev, DEV_NEW_OBJECT);
    d.severity = DEV_CRITICAL;
    d.accept[0] = 0;
    strcpy(d.accept, "object:0000000000000001");
    act(&ev, (const struct rule_info *const[]){&shipped, &severe, NULL}, &d);
    ck_assert_uint_eq(n_lines, 1);
    const struct js *j = parsed(0);
    has(j, "tyto.id", "OT-R-3"); /* the severer rule carries, ... */
    list_is(j, "tyto.also", "OT-R-2,OT-POL-016");
    list_is(j, "alert.metadata.tyto_id", "OT-R-3,OT-R-2,OT-POL-016");
    list_is(j, "tyto.attack_ics", "T0855,T0836,T0861"); /* ... with the techniques of all, each once, ... */
    ck_assert_uint_eq(num(j, "alert.severity"), AS_CRITICAL); /* ... the worst severity, ... */
    has(j, "tyto.why", "also: Shipped; w");                   /* ... and what the others say */
    has(j, "tyto.expected", "e");
    ck_assert(strstr(js_str(j, "tyto.accept"), " alert:") && strstr(js_str(j, "tyto.accept"), " object:0000000000000001"));
    ck_assert(js_true(j, "tyto.learnable"));
    js_free(j);
    /* What follows from the deviation is told in the same alert. */
    d.event = NULL;
    d.again = 1;
    d.last_ns += 700 * S;
    d.count = 3;
    d.follow.objects = 2;
    raise_deviation(&ra, &d);
    const struct rec_tick t = {.ts_ns = T0 + 1200 * S};
    raise_tick(&ra, &t);
    ck_assert_uint_eq(n_lines, 2);
    j = parsed(1);
    has(j, "tyto.id", "OT-R-3");
    has(j, "tyto.why", "also: Shipped; w; with it came, also for the first time: 2 objects");
    ck_assert_uint_eq(num(j, "tyto.update"), 2);
    ck_assert_uint_eq(num(j, "tyto.count"), 3);
    js_free(j);
}
END_TEST

/* A new fact about an act that is told already is not kept back until the window ends. */
START_TEST(test_news)
{
    struct rec_event ev = make_event(T0);
    act(&ev, (const struct rule_info *const[]){&severe, NULL}, NULL);
    act(&ev, (const struct rule_info *const[]){&severe, NULL}, NULL);
    ck_assert_uint_eq(n_lines, 1);
    struct deviation d = of_event(&ev, DEV_NEW_ERROR);
    d.severity = DEV_WARNING;
    act(&ev, (const struct rule_info *const[]){&severe, NULL}, &d);
    ck_assert_uint_eq(n_lines, 2);
    const struct js *j = parsed(1);
    ck_assert_uint_eq(num(j, "tyto.count"), 3);
    ck_assert_uint_eq(num(j, "alert.severity"), AS_MAJOR);
    list_is(j, "tyto.also", "OT-POL-017");
    js_free(j);
}
END_TEST

START_TEST(test_apart)
{
    struct rec_event ev = make_event(T0);
    struct deviation d = of_event(&ev, DEV_NEW_FUNCTION);
    /* the user's rule was asked for, and one that counts tells of many messages */
    act(&ev, (const struct rule_info *const[]){&severe, &users, &counting, NULL}, &d);
    ck_assert_uint_eq(n_lines, 3);
    const struct js *j = parsed(0);
    has(j, "tyto.id", "OT-R-3");
    list_is(j, "tyto.also", "OT-POL-010");
    js_free(j);
    j = parsed(1);
    has(j, "tyto.id", "USR-4");
    list_is(j, "tyto.also", "");
    js_free(j);
    j = parsed(2);
    has(j, "tyto.id", "OT-R-6");
    has(j, "tyto.why", "7 messages");
    list_is(j, "tyto.also", "");
    js_free(j);
    /* only rules that count: the deviation stands for itself */
    ev.unit = 9;
    d = of_event(&ev, DEV_NEW_UNIT);
    act(&ev, (const struct rule_info *const[]){&counting, NULL}, &d);
    ck_assert_uint_eq(n_lines, 4); /* the count goes into the open alert: same source */
    j = parsed(3);
    has(j, "tyto.id", "OT-POL-005");
    js_free(j);
}
END_TEST

/* What the operator switched off does not take others along. */
START_TEST(test_off)
{
    struct rec_event ev = make_event(T0);
    struct deviation d = of_event(&ev, DEV_NEW_OBJECT);
    act(&ev, (const struct rule_info *const[]){&off, NULL}, &d);
    ck_assert_uint_eq(n_lines, 1);
    const struct js *j = parsed(0);
    has(j, "tyto.id", "OT-POL-016");
    list_is(j, "tyto.also", "");
    js_free(j);
    ev.unit = 5;
    d = of_event(&ev, DEV_IDENTITY_CHANGED);
    strcpy(d.object, "program");
    act(&ev, (const struct rule_info *const[]){&severe, NULL}, &d);
    j = parsed(1);
    list_is(j, "tyto.also", "");
    js_free(j);
    ck_assert_uint_eq(n_lines, 2);
}
END_TEST

START_TEST(test_anomaly_and_baseline)
{
    struct rec_event ev = make_event(T0);
    struct deviation d = of_event(&ev, DEV_NEW_FUNCTION);
    static const struct rule_info *const none[] = {NULL};
    ev.anomalies = 1; /* major */
    d.severity = DEV_MINOR;
    act(&ev, none, &d);
    const struct js *j = parsed(0);
    has(j, "tyto.id", "OT-PRO-001");
    list_is(j, "tyto.also", "OT-POL-010");
    has(j, "tyto.why", "odd_length: length is odd (clause 4); in write_single_register (write) of unit id 3; w");
    has(j, "tyto.accept", "link:1");
    js_free(j);
    ev.unit = 9;
    d = of_event(&ev, DEV_NEW_FUNCTION);
    d.fold = 77;
    d.severity = DEV_CRITICAL;
    act(&ev, none, &d);
    ck_assert_uint_eq(n_lines, 2);
    j = parsed(1);
    has(j, "tyto.id", "OT-POL-010");
    list_is(j, "tyto.also", "OT-PRO-001");
    has(j, "tyto.anomaly", "odd_length");
    js_free(j);
    ev.unit = 10;
    act(&ev, (const struct rule_info *const[]){&shipped, NULL}, NULL);
    j = parsed(2);
    has(j, "tyto.id", "OT-R-2");
    list_is(j, "tyto.also", "OT-PRO-001");
    ck_assert_uint_eq(num(j, "alert.severity"), AS_MAJOR);
    js_free(j);
    ck_assert_uint_eq(n_lines, 3);
}
END_TEST

static uint64_t taken[4];
static unsigned n_taken;
static bool is_taken(void *ctx, uint64_t key)
{
    (void)ctx;
    for (unsigned i = 0; i < n_taken; i++)
        if (taken[i] == key)
            return true;
    return false;
}

/* Takes the alert: keys of the last line. */
static void take(void)
{
    const struct js *j = parsed(n_lines - 1);
    for (const char *p = js_str(j, "tyto.accept"); (p = strstr(p, "alert:")); p += 6)
        taken[n_taken++] = strtoull(p + 6, NULL, 16);
    js_free(j);
}

START_TEST(test_accepted)
{
    struct rec_event ev = make_event(T0);
    n_taken = 0;
    ra.c.accepted = is_taken;
    act(&ev, (const struct rule_info *const[]){&never, NULL}, NULL);
    const struct js *j = parsed(0);
    ck_assert(!js_has(j, "tyto.accept") && !js_true(j, "tyto.learnable"));
    js_free(j);
    act(&ev, (const struct rule_info *const[]){&severe, NULL}, NULL);
    take();
    ck_assert_uint_eq(n_taken, 1);
    const struct rec_tick t = {.ts_ns = T0 + 3000 * S};
    raise_tick(&ra, &t);
    unsigned n = n_lines;
    ev.ts_ns = T0 + 3001 * S;
    act(&ev, (const struct rule_info *const[]){&severe, NULL}, NULL);
    ck_assert_uint_eq(n_lines, n); /* the same: normal now */
    ev.src = ip("10.0.0.6");
    act(&ev, (const struct rule_info *const[]){&severe, NULL}, NULL);
    ck_assert_uint_eq(n_lines, n + 1); /* from somebody else: not */
    struct deviation d = make(DEV_CONTROLLER_SCAN);
    d.also[0] = DEV_PORT_SCAN;
    d.accept[0] = 0;
    raise_deviation(&ra, &d);
    const struct js *v = parsed(n + 1);
    list_is(v, "tyto.also", "OT-ANO-003");
    js_free(v);
    take();
    ck_assert_uint_eq(n_taken, 3);
    d.fold = 99;
    d.first_ns = d.last_ns = T0 + 5000 * S; /* another hour's */
    raise_deviation(&ra, &d);
    ck_assert_uint_eq(n_lines, n + 2);
    d.also[0] = DEV_NONE;
    d.type = DEV_PORT_SCAN;
    d.dst = ip("10.0.0.77"); /* another device is scanned */
    raise_deviation(&ra, &d);
    ck_assert_uint_eq(n_lines, n + 3);
}
END_TEST

START_TEST(test_operational)
{
    ra.loss = true;
    raise_operational(&ra, AT_OPS_LOSS, T0, "eth1", 12, "%u packets were lost", 12u);
    raise_operational(&ra, AT_OPS_LOSS, T0, "eth2", 1, "x");
    raise_operational(&ra, AT_OPS_LOSS, T0 + 1, "eth1", 3, "x");
    ck_assert_uint_eq(n_lines, 2);
    const struct js *j = parsed(0);
    has(j, "tyto.id", "OT-OPS-001");
    has(j, "tyto.engine", "operational");
    has(j, "tyto.why", "12 packets were lost");
    ck_assert(js_true(j, "tyto.quality.loss") && !js_has(j, "src_ip"));
    js_free(j);
}
END_TEST

/* An output that cannot be written is told on those that can. */
START_TEST(test_outputs)
{
    struct err e;
    struct conf *c = NULL;
    struct outputs out;
    struct alert_conf ac = {0};
    struct alert_out rec = {.severity = AS_MAJOR, .line = "{}", .line_len = 2};
    static const char text[] =
        "outputs: [{path: /dev/full}, {path: /dev/null, severity: major}, {path: ev, what: events}]";
    const struct rec_tick t = {.ts_ns = T0};
    ck_assert_int_eq(conf_parse(&c, "t", text, sizeof text - 1, &e), 0);
    ck_assert_str_eq(outputs_events(c), "ev");
    ck_assert_int_eq(outputs_open(&out, c, "/dev/null", &ac, &e), 0);
    ck_assert_uint_eq(ac.n_sinks, 2);
    ra.c.outputs = &out;
    raise_tick(&ra, &t);
    ck_assert_uint_eq(n_lines, 0);
    ck_assert_int_eq(ac.sinks[0].put(ac.sinks[0].ctx, &rec), -ENOSPC);
    raise_tick(&ra, &t);
    ck_assert_uint_eq(n_lines, 1);
    const struct js *j = parsed(0);
    has(j, "tyto.id", "OT-OPS-006");
    has(j, "tyto.why", "/dev/full cannot be written");
    js_free(j);
    ck_assert_int_eq(outputs_close(&out, &e), -ENOSPC);
    ck_assert_int_eq(outputs_close(&out, &e), 0);
    conf_free(c);
    ck_assert_int_eq(conf_load(&c, NULL, &e), 0);
    ck_assert_int_eq(outputs_open(&out, c, "/nowhere/x", &ac, &e), -ENOENT);
    conf_free(c);
}
END_TEST

START_TEST(test_asset)
{
    struct raise_asset a, b;
    struct addr x = ip("10.0.0.1"), y = ip("10.0.0.2"), unknown = ip("10.0.0.99");
    ck_assert(raise_asset(&ra, 0, &x, &a) && raise_asset(&ra, 0, &y, &b));
    ck_assert_str_eq(a.info.name, "dev-1");
    ck_assert_str_eq(b.info.name, "dev-2");
    ck_assert(!raise_asset(&ra, 0, &unknown, &a));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("raise");
    TCase *t = tcase_create("raise");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_deviations);
    tcase_add_test(t, test_programming);
    tcase_add_test(t, test_follow);
    tcase_add_test(t, test_rules);
    tcase_add_test(t, test_counted_messages);
    tcase_add_test(t, test_anomalies);
    tcase_add_test(t, test_rule_and_baseline);
    tcase_add_test(t, test_news);
    tcase_add_test(t, test_apart);
    tcase_add_test(t, test_off);
    tcase_add_test(t, test_anomaly_and_baseline);
    tcase_add_test(t, test_accepted);
    tcase_add_test(t, test_operational);
    tcase_add_test(t, test_outputs);
    tcase_add_test(t, test_asset);
    suite_add_tcase(s, t);
    return suite_end(s);
}
