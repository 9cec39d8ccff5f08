/* test_raise_act.c: what is found in one message is one alert; what comes again is counted in it. */
#include "raise_fixture.h"

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

int main(void)
{
    Suite *s = suite_create("raise_act");
    TCase *t = tcase_create("raise_act");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_rules);
    tcase_add_test(t, test_counted_messages);
    tcase_add_test(t, test_anomalies);
    tcase_add_test(t, test_rule_and_baseline);
    tcase_add_test(t, test_news);
    tcase_add_test(t, test_apart);
    tcase_add_test(t, test_off);
    tcase_add_test(t, test_anomaly_and_baseline);
    tcase_add_test(t, test_accepted);
    suite_add_tcase(s, t);
    return suite_end(s);
}
