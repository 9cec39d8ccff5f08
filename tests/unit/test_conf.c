/* test_conf.c: the configuration: what is read, what is refused and where, what is shown. */
#include "engine/conf.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/alert.h"
#include "engine/itapp.h"
#include "suite.h"

static const char full[] =
    "sensor: {name: line-7, site: Plant A}\n"
    "mode: live\n"
    "timezone: CET-1CEST,M3.5.0,M10.5.0/3\n"
    "networks:\n"
    "  - {name: cell1, interface: eth1, vlan: 7}\n"
    "  - {name: cells, vlan: 10-20, vlan_separates: yes}\n"
    "  - {name: office, subnets: [192.168.0.0/16, 'fd00::/8']}\n"
    "zones:\n"
    "  - {name: control, subnets: [10.0.0.0/24], assets: [plc1, 10.3.0.1], purdue: 1}\n"
    "  - {name: dmz, networks: [office, default], purdue: 3.5}\n"
    "assets:\n"
    "  - {name: plc1, address: [10.0.1.5, 00:11:22:33:44:55], type: plc, owner: Ann, criticality: high, tags: [a, b "
    "c]}\n"
    "  - {name: ws1, address: 10.0.0.9, network: cell1}\n"
    "engineering_stations: [ws1, 10.0.9.0/24]\n"
    "maintenance:\n"
    "  - {name: turnaround, window: {from: 2026-05-01 06:00, to: '2026-05-03T18:00:00Z'}, zone: control}\n"
    "  - name: nights\n"
    "    window: {days: [sat, sun], from: '22:00', to: 06:00}\n"
    "    asset: plc1\n"
    "    actor: ws1\n"
    "    action: [program_download, stop]\n"
    "redundancy:\n"
    "  - [10.0.0.1, 10.0.0.2]\n"
    "learning: {period: 7d, quiet: 12h, read_gap: 4, scan_ports: 30}\n"
    "limits: {flows: 2048, stream_bytes: 8MiB, duplicate_window: 5ms, time_jump: 2h}\n"
    "rules: {defaults: no, files: [site.yaml], disable: [OT-GEN-001]}\n"
    "alerts: {window: 5m, rate: 10, evidence_bytes: 16, types: {OT-POL-001: off, OT-ANO-002: minor, OT-GEN-002: major, USR-x: off}}\n"
    "outputs: [{path: alerts.json, severity: major}, {path: '-', what: events}]\n"
    "run: {user: tyto, cpus: [0, 2-3], workers: 2}\n";

static struct conf *parse(const char *text)
{
    struct conf *c = NULL;
    struct err e = {""};
    int r = conf_parse(&c, "t.yaml", text, strlen(text), &e);
    ck_assert_msg(r == 0, "%s", e.text);
    return c;
}

static struct addr ip(const char *s)
{
    struct addr a;
    ck_assert(addr_parse(s, &a));
    return a;
}

START_TEST(test_defaults)
{
    struct conf *c = NULL;
    struct err e;
    ck_assert_int_eq(conf_load(&c, NULL, &e), 0);
    ck_assert_int_eq(c->mode, CONF_MODE_AUTO);
    ck_assert(c->rules.defaults);
    ck_assert_uint_eq(c->limits.flows, 65536);
    ck_assert_uint_eq(c->duplicate_ns, 2000000);
    ck_assert(limits_sum(&c->limits) + NDPI_BYTES < 256u << 20);
    conf_free(c);
    conf_free(parse(""));
    conf_free(parse("# nothing\nnetworks:\nzones: []\n"));
    conf_free(NULL);
}
END_TEST

START_TEST(test_relative)
{
    static const char text[] = "rules: {files: [a.yaml, /b.yaml]}";
    struct conf *c = NULL;
    struct err e;
    ck_assert_int_eq(conf_parse(&c, "etc/tyto/t.yaml", text, sizeof text - 1, &e), 0);
    ck_assert_str_eq(c->rules.files[0], "etc/tyto/a.yaml");
    ck_assert_str_eq(c->rules.files[1], "/b.yaml");
    conf_free(c);
}
END_TEST

START_TEST(test_full)
{
    struct conf *c = parse(full);
    struct addr plc = ip("10.0.1.5"), ws = ip("10.0.0.9"), lone = ip("10.3.0.1"), x = ip("10.0.9.1");
    ck_assert_str_eq(c->site.sensor, "line-7");
    ck_assert_int_eq(c->mode, CONF_MODE_LIVE);
    ck_assert_uint_eq(c->site.n_networks, 3);
    ck_assert_str_eq(site_asset(&c->site, 0, &plc)->name, "plc1");
    ck_assert_str_eq(site_asset(&c->site, 0, &plc)->tags[1], "b c");
    ck_assert_ptr_null(site_asset(&c->site, 0, &ws));
    ck_assert_str_eq(site_asset(&c->site, 1, &ws)->name, "ws1");
    ck_assert_str_eq(site_zone(&c->site, 0, &plc)->name, "control");
    ck_assert_str_eq(site_zone(&c->site, 0, &lone)->name, "control");
    ck_assert_int_eq(site_zone(&c->site, 3, &x)->purdue, 35);
    ck_assert(site_is_engineering_station(&c->site, 0, &x) && site_is_engineering_station(&c->site, 1, &ws));
    const struct site_window *w = c->site.windows;
    ck_assert_uint_eq(w[0].from_ns, 1777608000 * UINT64_C(1000000000)); /* 06:00 CEST */
    ck_assert_uint_eq(w[0].to_ns, 1777831200 * UINT64_C(1000000000));
    ck_assert(w[1].weekly && w[1].days == 0x41 && w[1].from_min == 1320 && w[1].to_min == 360 && w[1].has_actor);
    ck_assert_uint_eq(c->learning.period_ns, 7 * 86400 * UINT64_C(1000000000));
    ck_assert_uint_eq(c->learning.scan_ports, 30);
    ck_assert_uint_eq(c->limits.stream_bytes, 8 << 20);
    ck_assert_uint_eq(c->limits.links, 65536);
    ck_assert(!c->rules.defaults);
    ck_assert_str_eq(c->rules.files[0], "site.yaml");
    ck_assert_uint_eq(c->alerts.n_types, 4);
    ck_assert_str_eq(c->alerts.types[2].id, "OT-GEN-002");
    ck_assert_uint_eq(c->alerts.types[0].severity, 0);
    ck_assert_uint_eq(c->alerts.types[1].severity, AS_MINOR);
    ck_assert_uint_eq(c->outputs[0].severity, AS_MAJOR);
    ck_assert_int_eq(c->outputs[1].what, OUTPUT_EVENTS);
    ck_assert_uint_eq(c->run.n_cpus, 3);
    ck_assert_uint_eq(c->run.cpus[2], 3);
    conf_free(c);
}
END_TEST

/* What is shown reads back as the same, in both forms. */
START_TEST(test_show)
{
    for (int json = 0; json < 2; json++) {
        char *once = NULL, *twice = NULL;
        size_t n_once = 0, n_twice = 0;
        struct conf *c = parse(full);
        FILE *f = open_memstream(&once, &n_once);
        conf_show(c, json, f);
        fclose(f);
        conf_free(c);
        c = parse(once);
        f = open_memstream(&twice, &n_twice);
        conf_show(c, json, f);
        fclose(f);
        conf_free(c);
        ck_assert_str_eq(once, twice);
        ck_assert_ptr_nonnull(strstr(once, "plc1"));
        free(once);
        free(twice);
    }
}
END_TEST

static const struct {
    const char *text, *place, *words;
} wrong[] = {
    {"sensors: {}\n", "t.yaml:1:1:", "sensor"},
    {"sensor: {nam: x}\n", "t.yaml:1:10:", "name"},
    {"sensor: [x]\n", "t.yaml:1:9:", ""},
    {"mode: lern\n", "t.yaml:1:7:", "learn"},
    {"timezone: Mars/Olympus\n", "t.yaml:1:11:", "Europe/Berlin"},
    {"networks: {a: b}\n", "t.yaml:1:11:", "list"},
    {"networks: [{name: a, vlan: 5000}]\n", "t.yaml:1:28:", "4094"},
    {"networks: [{name: a, vlan: 9-5}]\n", "t.yaml:1:28:", "range"},
    {"networks: [{name: a, subnets: [10.0.0.1/8]}]\n", "t.yaml:1:32:", "subnet"},
    {"networks: [{interface: a}]\n", "t.yaml:1:12:", "name"},
    {"networks: [{name: default}]\n", "t.yaml:1:19:", "default"},
    {"networks:\n  - name: a\n  - name: a\n", "t.yaml:3:11:", "twice"},
    {"zones: [{name: z}]\n", "t.yaml:1:9:", "empty"},
    {"zones: [{name: z, networks: [nobody]}]\n", "t.yaml:1:30:", "network"},
    {"zones: [{name: z, assets: [10.0.0.0/8]}]\n", "t.yaml:1:28:", "'subnets'"},
    {"zones: [{name: z, assets: [nobody]}]\n", "t.yaml:1:28:", "asset"},
    {"zones: [{name: z, subnets: [10.0.0.0/8], purdue: 7}]\n", "t.yaml:1:50:", "3.5"},
    {"zones:\n- {name: z, subnets: 10.0.0.0/8}\n- {name: z, subnets: 10.0.0.0/8}\n", "t.yaml:3:10:", "twice"},
    {"assets: [{name: a}]\n", "t.yaml:1:10:", "address"},
    {"assets: [{name: a, address: 10.0.0.300}]\n", "t.yaml:1:29:", "address"},
    {"assets: [{name: a, address: 224.0.0.1}]\n", "t.yaml:1:29:", "address"},
    {"assets: [{name: a, address: []}]\n", "t.yaml:1:29:", "at least one"},
    {"assets: [{name: a, address: 10.0.0.1, criticality: hi}]\n", "t.yaml:1:52:", "high"},
    {"assets:\n- {name: a, address: 10.0.0.1}\n- {name: b, address: [10.0.0.2, 10.0.0.1]}\n",
     "t.yaml:3:33:", "asset 'a'"},
    {"engineering_stations: [10.0.0.1/8]\n", "t.yaml:1:24:", "subnet"},
    {"maintenance: [{name: m}]\n", "t.yaml:1:15:", "window"},
    {"maintenance: [{name: m, window: {from: 2026-02-30, to: 2026-03-01}}]\n", "t.yaml:1:40:", "time"},
    {"maintenance: [{name: m, window: {from: 2026-03-02, to: 2026-03-01}}]\n", "t.yaml:1:56:", "after"},
    {"maintenance: [{name: m, window: {from: '22:00', to: '23:00'}}]\n", "t.yaml:1:40:", "days"},
    {"maintenance: [{name: m, window: {days: [sonday], from: '22:00', to: '23:00'}}]\n", "t.yaml:1:41:", "sun"},
    {"maintenance: [{name: m, window: {days: [sun], from: '25:00', to: '23:00'}}]\n", "t.yaml:1:53:", "time of day"},
    {"maintenance: [{name: m, window: {from: 2026-03-01, to: 2026-03-02}, zone: z}]\n", "t.yaml:1:75:", "zone"},
    {"maintenance: [{name: m, window: {from: 2026-03-01, to: 2026-03-02}, action: writ}]\n", "t.yaml:1:77:", "write"},
    {"redundancy: [[10.0.0.1]]\n", "t.yaml:1:14:", "two"},
    {"redundancy: [[10.0.0.1, 10.0.0.2], [10.0.0.2, 10.0.0.3]]\n", "t.yaml:1:36:", "another role"},
    {"learning: {period: soon}\n", "t.yaml:1:20:", ""},
    {"learning: {scan_ports: 1}\n", "t.yaml:1:24:", ""},
    {"limits: {flow: 9}\n", "t.yaml:1:10:", "flows"},
    {"limits: {flows: 9}\n", "t.yaml:1:17:", "1024"},
    {"protocols: {modbuss: {off: yes}}\n", "t.yaml:1:13:", ""},
    {"rules: {default: no}\n", "t.yaml:1:9:", "defaults"},
    {"alerts: {types: {OT-POL-00: off}}\n", "t.yaml:1:18:", "OT-POL-00"},
    {"alerts: {types: {OT-POL-001: mayor}}\n", "t.yaml:1:30:", "major"},
    {"alerts: {types: {OT-GEN-999: off}}\n", "t.yaml:1:18:", "OT-GEN-999"},
    {"rules: {disable: [OT-GEN-001, OT-GEN-999]}\n", "t.yaml:1:31:", "a rule (tyto rules list)"},
    {"outputs: [{type: file}]\n", "t.yaml:1:11:", "path"},
    {"outputs: [{path: x, type: kafka}]\n", "t.yaml:1:27:", "file"},
    {"outputs: [{path: x, what: events}, {path: y, what: events}]\n", "t.yaml:1:36:", "second"},
    {"run: {cpus: [1, 0-2]}\n", "t.yaml:1:17:", "twice"},
    {"run: {cpus: [x]}\n", "t.yaml:1:14:", "processor"},
    {"run: {workers: 65}\n", "t.yaml:1:16:", "64"},
};

START_TEST(test_refused)
{
    struct conf *c = NULL;
    struct err e = {""};
    const char *text = wrong[_i].text;
    ck_assert_msg(conf_parse(&c, "t.yaml", text, strlen(text), &e) == -EINVAL, "taken: %s", text);
    ck_assert_msg(strncmp(e.text, wrong[_i].place, strlen(wrong[_i].place)) == 0, "%s\n%s", text, e.text);
    ck_assert_msg(strstr(e.text, wrong[_i].words) != NULL, "%s\n%s", text, e.text);
    ck_assert_ptr_null(c);
}
END_TEST

/* Every key of the table is taken, and the documents name every key. */
START_TEST(test_keys)
{
    const char *root = getenv("TYTO_SOURCE");
    char path[512], *doc = NULL;
    size_t n = 0;
    snprintf(path, sizeof path, "%s/docs/CONFIGURATION.md", root ? root : "..");
    FILE *f = fopen(path, "r");
    if (!f)
        return;
    ck_assert(getdelim(&doc, &n, 0, f) > 0);
    fclose(f);
    for (const struct conf_key *k = conf_keys; k->path; k++) {
        char word[128];
        snprintf(word, sizeof word, "`%s`", k->path);
        ck_assert_msg(strstr(doc, word) != NULL, "%s is not in docs/CONFIGURATION.md", word);
        ck_assert(k->type && k->doc);
    }
    for (const struct limit_row *r = limit_rows; r->key; r++) {
        char word[128];
        snprintf(word, sizeof word, "`%s`", r->key);
        ck_assert_msg(strstr(doc, word) != NULL, "%s is not in docs/CONFIGURATION.md", word);
        ck_assert(r->least <= r->def && r->def <= r->most && r->bytes && r->why && r->at_bound);
    }
    free(doc);
}
END_TEST

/* Every prefix of a configuration is taken or refused with a place, never a crash. */
START_TEST(test_prefixes)
{
    for (size_t n = 0; n < sizeof full; n++) {
        struct conf *c = NULL;
        struct err e = {""};
        if (conf_parse(&c, "t.yaml", full, n, &e) < 0)
            ck_assert_msg(strncmp(e.text, "t.yaml:", 7) == 0, "%s", e.text);
        conf_free(c);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conf");
    TCase *t = tcase_create("conf");
    tcase_add_test(t, test_defaults);
    tcase_add_test(t, test_relative);
    tcase_add_test(t, test_full);
    tcase_add_test(t, test_show);
    tcase_add_loop_test(t, test_refused, 0, (int)(sizeof wrong / sizeof *wrong));
    tcase_add_test(t, test_keys);
    tcase_add_test(t, test_prefixes);
    suite_add_tcase(s, t);
    return suite_end(s);
}
