/* test_raise.c: findings become the right type, with the right marks and sentences. Of one message: test_raise_act.c. */
#include "raise_fixture.h"

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

START_TEST(test_new_link_of_a_pair)
{
    static const struct {
        uint8_t type, paired, external;
        const char *id;
    } rows[] = {{DEV_NEW_LINK, 1, 0, "OT-POL-003"}, {DEV_NEW_LINK, 1, 1, "OT-POL-040"}, {DEV_FLOOD, 1, 0, "OT-POL-003"},
                {DEV_FLOOD, 0, 0, "OT-POL-002"}};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct deviation d = make(rows[i].type);
        d.flood_of = DEV_NEW_LINK;
        d.paired = rows[i].paired;
        d.external = rows[i].external;
        d.fold += i;
        raise_deviation(&ra, &d);
        const struct js *v = parsed(i);
        has(v, "tyto.id", rows[i].id);
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

/* Every alert about the sensor says what would have been right, what was seen, and whom it concerns. */
START_TEST(test_operational_explains_itself)
{
    const struct addr client = ip("10.0.0.5"), server = ip("10.0.0.9");
    const struct raise_about pair = {.src = &client, .dst = &server, .l4 = PROTO_TCP, .frame = 7};
    unsigned n = 0;
    for (unsigned row = AT_OPS_LOSS; row < AT_COUNT; row++) {
        if (strncmp(alert_types[row].id, "OT-OPS-", 7) != 0)
            continue;
        raise_operational(&ra, row, T0, "eth1", 12, "what happened");
        const struct js *j = parsed(n++);
        has(j, "tyto.id", alert_types[row].id);
        ck_assert_msg(js_str(j, "tyto.expected") && js_str(j, "tyto.seen"), "%s", alert_types[row].id);
        ck_assert(!js_has(j, "src_ip"));
        js_free(j);
    }
    ck_assert_uint_eq(n, 14);
    raise_operational_of(&ra, AT_OPS_ONE_WAY, T0, &pair, "10.0.0.5 > 10.0.0.9", 1, "only this direction");
    const struct js *j = parsed(n);
    has(j, "src_ip", "10.0.0.5");
    has(j, "dest_ip", "10.0.0.9");
    has(j, "tyto.src_asset.name", "dev-5");
    has(j, "tyto.dest_asset.name", "dev-9");
    has(j, "proto", "TCP");
    ck_assert(js_true(j, "tyto.quality.one_way"));
    ck_assert_uint_eq(num(j, "pcap_cnt"), 7);
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
    tcase_add_test(t, test_new_link_of_a_pair);
    tcase_add_test(t, test_programming);
    tcase_add_test(t, test_follow);
    tcase_add_test(t, test_operational);
    tcase_add_test(t, test_operational_explains_itself);
    tcase_add_test(t, test_outputs);
    tcase_add_test(t, test_asset);
    suite_add_tcase(s, t);
    return suite_end(s);
}
