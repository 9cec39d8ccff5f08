/* test_rules.c: the rule language: what matches, what does not, what is refused and with which place. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/site.h"
#include "rules_fixture.h"
#include "suite.h"

enum { READ, WRITE, REFUSED, BIT, BROKEN, BOTH, TAG, STOP, DIAG, N_EVENTS };
enum { E_READ = 1 << READ, E_WRITE = 1 << WRITE, E_REFUSED = 1 << REFUSED, E_BIT = 1 << BIT, E_BROKEN = 1 << BROKEN,
       E_BOTH = 1 << BOTH, E_TAG = 1 << TAG, E_STOP = 1 << STOP, E_DIAG = 1 << DIAG, E_ALL = (1 << N_EVENTS) - 1 };

static struct event events[N_EVENTS];
static struct addr client, server, group;
static const uint8_t client_mac[6] = {0, 0x11, 0x22, 0x33, 0x44, 0x55};
static const uint8_t words[] = {0, 10, 0, 20, 0, 30, 0, 40, 0, 50, 0, 60, 0, 70, 0, 80, 0, 90, 0, 100};

static void make_alpha(void)
{
    struct event *e = &events[READ];
    fx_begin(e, &fx_alpha, 3, 0);
    e->unit = 1;
    e->has_unit = 1;
    fx_item(e, KA_REG, 0, 0, 9)->v = (struct vals){{words, sizeof words}, 10, 2, -1, 0, VE_U16BE, 0, 0, 0, {0}};
    e->latency_ns = 600000000;

    e = &events[WRITE];
    fx_begin(e, &fx_alpha, 6, 0);
    e->unit = 5;
    e->has_unit = 1;
    e->from_client = 1;
    fx_item(e, KA_REG, 0, 400, 409)->v = (struct vals){{words, sizeof words}, 10, 2, -1, 0, VE_U16BE, 0, 0, 0, {0}};
    e->items[0].quality = 2;
    fx_field(e, FA_MODE)->v.u = 2;
    fx_field(e, FA_MODE)->v.u = 3;
    fx_field(e, FA_LEVEL)->v.d = -2.5;
    fx_field(e, FA_OFFSET)->v.i = -7;
    fx_field(e, FA_HOST)->v.u = 0x0a010203;
    fx_field(e, FA_STATION)->v.s = fx_span("PG-740 line 7");
    fx_field(e, FA_DATA)->v.s = (struct span){words, 4};
    fx_field(e, FA_BIG)->v.u = UINT64_C(0xfedcba9876543211);

    e = &events[REFUSED];
    fx_begin(e, &fx_alpha, 3, 0);
    e->status = 2;
    e->has_status = e->error = 1;
    e->outcome = OUT_REFUSED;
    fx_item(e, KA_REG, 0, 9000, 9000);

    e = &events[BIT];
    fx_begin(e, &fx_alpha, 6, 0);
    fx_item(e, KA_DB, 5, 10, 10)->bit = 3;
    e->items[0].v = (struct vals){.n = 1, .qual_off = -1, .enc = VE_NOW_BOOL, .now.u = 1};

    e = &events[BROKEN];
    fx_begin(e, &fx_alpha, 99, 0);
    e->kind = EV_REQUEST;
    e->anomalies = 2;

    e = &events[BOTH];
    fx_begin(e, &fx_alpha, 23, 0);
    fx_item(e, KA_REG, 0, 0, 9)->action = ACT_READ;
    fx_item(e, KA_REG, 0, 500, 500)->v = (struct vals){.n = 1, .qual_off = -1, .enc = VE_NOW_INT, .now.i = -4};
}

static const struct site_network networks[] = {{.name = "cell-2"}};
static struct site site;

static void setup(void)
{
    make_alpha();
    struct event *e = &events[TAG];
    fx_begin(e, &fx_beta, 0x100, 0);
    fx_item(e, 0, 0, 0, 0)->name = fx_span("Motor_Speed");
    e->items[0].has_range = 0;
    e->items[0].v = (struct vals){.n = 1, .qual_off = -1, .enc = VE_NOW_DOUBLE, .now.d = 1500.5};

    fx_begin(&events[STOP], &fx_beta, 0x701, 0);
    events[STOP].sub = 3;
    fx_begin(&events[DIAG], &fx_alpha, 8, 1);
    events[DIAG].phase = PHASE_SELECT;
    fx_field(&events[DIAG], FA_SUB)->v.u = 1;
    fx_field(&events[DIAG], FA_BROADCAST)->v.u = 1;
    struct err e2 = {""};
    site.networks = networks;
    site.n_networks = 1;
    ck_assert_int_eq(site_prepare(&site, &e2), 0);
    addr_parse("10.1.2.3", &client);
    addr_parse("2001:db8::9", &server);
    addr_parse("224.0.0.5", &group);
}

static struct rule_input input(unsigned i)
{
    /* Monday 2026-01-05, 22:30 UTC */
    return (struct rule_input){.ev = &events[i], .src = &client, .dst = i == STOP ? &group : &server, .smac = client_mac,
                               .ts_ns = UINT64_C(1767652200) * 1000000000, .sport = 50000, .dport = 502, .net = 1,
                               .vlan = {7}, .n_vlan = 1, .l4 = PROTO_TCP};
}

static int load(const char *text, struct ruleset **ret, struct err *e)
{
    const struct rules_text t = {"t.yaml", text, strlen(text), false};
    const struct ruleset_opts o = {.schemas = fx_schemas, .n_schemas = 2, .site = &site, .no_defaults = true,
                                   .texts = &t, .n_texts = 1};
    return ruleset_load(&o, ret, e);
}

static const struct {
    const char *when;
    unsigned hits;
} cases[] = {
    {"protocol: alpha", E_ALL & ~(E_TAG | E_STOP)},
    {"protocol: [alpha, beta]", E_ALL},
    {"action: write", E_WRITE | E_BIT | E_BOTH | E_TAG},
    {"action: [stop, reset]", E_STOP | E_DIAG},
    {"action: read", E_READ | E_REFUSED | E_BOTH},
    {"action: change", E_WRITE | E_BIT | E_BOTH | E_TAG | E_STOP | E_DIAG},
    {"not: {action: change}", E_READ | E_REFUSED | E_BROKEN},
    {"protocol: alpha\n    function: 3", E_READ | E_REFUSED},
    {"protocol: alpha\n    function: 90-110", E_BROKEN},
    {"protocol: alpha\n    function: '> 8'", E_BROKEN | E_BOTH},
    {"function: read_regs", E_READ | E_REFUSED},
    {"function: '*write*'", E_WRITE | E_BIT | E_BOTH | E_TAG},
    {"function: restart_comms", E_DIAG},
    {"function: diagnostics", 0},
    {"protocol: alpha\n    function: 8", E_DIAG},
    {"protocol: beta\n    function: '7:1'", E_STOP},
    {"protocol: alpha\n    selector: 1", E_DIAG},
    {"unit: 1-4", E_READ},
    {"unit: '!= 1'", E_WRITE},
    {"slot: 3", E_STOP},
    {"object: holding_register:400-499", E_WRITE},
    {"object: holding_register:409-420", E_WRITE},
    {"object: holding_register:410", 0},
    {"object: holding_register", E_READ | E_WRITE | E_REFUSED | E_BOTH},
    {"object: 'db[5]:10.3'", E_BIT},
    {"object: 'db[5]:10.4'", 0},
    {"object: 'db[1-9]:*'", E_BIT},
    {"object: 'db[*]:0-99'", E_BIT},
    {"object: 'db[6]:10'", 0},
    {"object: 'tag:Motor*'", E_TAG},
    {"object: 'tag:motor*'", 0},
    {"object: ['tag:Motor*', holding_register:9000]", E_TAG | E_REFUSED},
    {"object: '*'", E_READ | E_WRITE | E_REFUSED | E_BIT | E_BOTH | E_TAG},
    {"object: holding_register:0-9\n    action: write", 0},
    {"object: holding_register:500\n    action: write", E_BOTH},
    {"object: holding_register:0-9\n    action: read", E_READ | E_BOTH},
    {"value: '> 99'", E_READ | E_WRITE | E_TAG},
    {"value: '> 100'", E_TAG},
    {"value: '>= 1500.5'", E_TAG},
    {"value: '1500.4 .. 1500.6'", E_TAG},
    {"value: '-10 .. -1'", E_BOTH},
    {"value: true", E_BIT},
    {"value: {all: '> 5'}", E_READ | E_WRITE | E_TAG},
    {"value: {all: '> 10'}", E_TAG},
    {"object: holding_register:401\n    value: 20", E_WRITE},
    {"object: holding_register:401\n    value: 10", 0},
    {"object: holding_register:400-401\n    value: [20, 90]", E_WRITE},
    {"quality: invalid", E_WRITE},
    {"objects_total: '> 1'", E_BOTH},
    {"status: illegal_data_address", E_REFUSED},
    {"status: 2", E_REFUSED},
    {"status: 3-9", 0},
    {"error: true", E_REFUSED},
    {"error: false\n    protocol: beta", E_TAG | E_STOP},
    {"error: [illegal_function, illegal_data_address]", E_REFUSED},
    {"outcome: refused", E_REFUSED},
    {"kind: [request, response]", E_BROKEN},
    {"phase: select", E_DIAG},
    {"anomaly: reserved_function", E_BROKEN},
    {"anomaly: true", E_BROKEN},
    {"anomaly: 'bad_*'", 0},
    {"anomaly: false\n    kind: request", 0},
    {"any: [{anomaly: bad_length}, {anomaly: reserved_function}]", E_BROKEN},
    {"any: [{anomaly: bad_length}, {action: stop}, {kind: request}]", E_BROKEN | E_STOP},
    {"any: [{anomaly: bad_length}, {action: stop}]", E_STOP},
    {"all: [{not: {anomaly: bad_length}}, {anomaly: true}]", E_BROKEN},
    {"all: [{anomaly: bad_length}, {anomaly: reserved_function}]", 0},
    {"all: [{anomaly: ['bad_*', reserved_function]}, {anomaly: reserved_function}]", E_BROKEN},
    {"kind: request\n    not: {any: [{anomaly: bad_length}, {action: stop}]}", E_BROKEN},
    {"any: [{anomaly: true}, {error: true}]", E_BROKEN | E_REFUSED},
    {"any:\n      - {anomaly: true}\n      - {action: stop}", E_BROKEN | E_STOP},
    {"sender: client", E_WRITE},
    {"latency: '> 500ms'", E_READ},
    {"transport: tcp", E_ALL},
    {"transport: udp", 0},
    {"src: 10.1.2.3", E_ALL},
    {"src: [10.1.0.0/16, 10.9.9.9]", E_ALL},
    {"src: 10.1.2.4/31", 0},
    {"dst: 2001:db8::/32", E_ALL & ~E_STOP},
    {"dst: group", E_STOP},
    {"src: 00:11:22:33:44:55", E_ALL},
    {"dst: 00:11:22:33:44:55", 0},
    {"host: 10.1.2.3", E_ALL},
    {"dst_port: 502", E_ALL},
    {"src_port: '< 1024'", 0},
    {"vlan: 7", E_ALL},
    {"vlan: 8", 0},
    {"network: cell-2", E_ALL},
    {"network: default", 0},
    {"time: '22:00-06:00'", E_ALL},
    {"time: '07:00-18:00'", 0},
    {"weekday: mon-fri", E_ALL},
    {"weekday: [sat, sun]", 0},
    {"weekday: sat-mon", E_ALL},
    {"alpha.sub_function: 1", E_DIAG},
    {"alpha.sub_function: '*'", E_DIAG},
    {"alpha.broadcast: true", E_DIAG},
    {"alpha.broadcast: false", 0},
    {"alpha.mode: program", E_WRITE},
    {"alpha.mode: [run]", 0},
    {"alpha.mode: 'st*'", E_WRITE},
    {"alpha.level: '< -2'", E_WRITE},
    {"alpha.offset: -7", E_WRITE},
    {"alpha.host: 10.0.0.0/8", E_WRITE},
    {"ext.station: 'PG-*'", E_WRITE},
    {"ext.station: [x, y]", 0},
    {"alpha.data: '000a*'", E_WRITE},
    {"alpha.big: 0xfedcba9876543211", E_WRITE},
    {"alpha.big: 0xfedcba9876543210", 0},
    {"not: {alpha.sub_function: 1}\n    protocol: alpha\n    action: reset", 0},
    {"all: [{action: write}, {not: [{object: 'tag:*'}, {object: 'db[5]:*'}]}]", E_WRITE | E_BOTH},
    {"not: {not: {any: [{unit: 1}, {unit: 5}]}}", E_READ | E_WRITE},
    {"action: write\n    not: {unit: 5}\n    protocol: alpha", E_BIT | E_BOTH},
};

/* One that is like event i for rules_narrow(), and else as different as `how` says. */
static struct rule_input alike(unsigned i, unsigned how, struct event *e)
{
    struct rule_input in = input(i);
    *e = events[i];
    in.ev = e;
    in.nothing_new = 1;
    if (how & 1) {
        in.sport = 502, in.dport = 50000, in.l4 = PROTO_UDP;
        in.n_vlan = 0;
    }
    if (how & 2)
        in.ts_ns += UINT64_C(60 * 3600) * 1000000000;
    if (how & 4)
        in.smac = NULL, in.dmac = client_mac;
    for (unsigned k = 0; k < e->n_items; k++) {
        if (how & 8)
            e->items[k].v = (struct vals){.n = 1, .qual_off = -1, .enc = VE_NOW_INT, .now.i = -4};
        if (how & 16)
            e->items[k].quality = ITEM_QUALITY | 3;
    }
    if (how & 32)
        e->n_fields = 0;
    if (how & 64)
        e->latency_ns = 5000000;
    return in;
}

/* What is left of the rules after rules_narrow() says of every message like this one what all rules say. */
static void check_narrow(const struct ruleset *rs, const char *when)
{
    static struct event e;
    uint16_t left[REC_MAX_HITS], hits[REC_MAX_HITS], some[REC_MAX_HITS];
    for (unsigned i = 0; i < N_EVENTS; i++) {
        for (unsigned from = 0; from < 128 && !rules_unusual(&events[i]); from += 127) {
            struct rule_input first = alike(i, from, &e);
            unsigned n = rules_narrow(rs, &first, left, REC_MAX_HITS);
            for (unsigned how = 0; how < 128; how++) {
                struct rule_input in = alike(i, how, &e);
                unsigned all = rules_match(rs, &in, hits, REC_MAX_HITS);
                ck_assert_msg(all == rules_match_of(rs, &in, left, n, some), "%s: event %u, %x", when, i, how);
                ck_assert(memcmp(hits, some, all * sizeof *hits) == 0);
            }
        }
    }
}

START_TEST(test_match)
{
    struct ruleset *rs = NULL;
    struct err e = {""};
    char text[1024];
    uint16_t hits[REC_MAX_HITS];
    unsigned got = 0;
    snprintf(text, sizeof text, "- id: USR-1\n  title: t\n  severity: major\n  when:\n    %s\n", cases[_i].when);
    ck_assert_msg(load(text, &rs, &e) == 0, "%s\n%s", e.text, text);
    for (unsigned i = 0; i < N_EVENTS; i++) {
        struct rule_input in = input(i);
        got |= (rules_match(rs, &in, hits, REC_MAX_HITS) > 0) << i;
    }
    ck_assert_msg(got == cases[_i].hits, "%s: hits %x, expected %x", cases[_i].when, got, cases[_i].hits);
    check_narrow(rs, cases[_i].when);
    ruleset_free(rs);
}
END_TEST

#define HEAD "- id: USR-1\n  title: t\n  severity: major\n"
static const struct {
    const char *text, *message;
} refused[] = {
    {"rules: 5\n", "t.yaml:1:8: found '5', expected a list of rules"},
    {"- 5\n", "t.yaml:1:3: found '5', expected a mapping"},
    {"- title: x\n", "t.yaml:1:3: found no key 'id', expected one"},
    {"- id: OT-1\n  title: t\n", "t.yaml:1:7: found 'OT-1', expected an id such as 'USR-pump-limits'"},
    {HEAD "  when: {action: read}\n" HEAD "  when: {action: read}\n", "t.yaml:5:7: found the id 'USR-1' again (first in t.yaml:1)"},
    {"- id: USR-1\n  title: t\n  severity: huge\n", "t.yaml:3:13: found 'huge', expected"},
    {"- id: USR-1\n  titel: t\n", "t.yaml:2:3: found the unknown key 'titel', expected 'title'?"},
    {HEAD, "t.yaml:1:3: found no key 'when', expected one"},
    {HEAD "  when: {}\n", "t.yaml:4:9: found a mapping, expected conditions"},
    {HEAD "  attack_ics: [T0001]\n  when: {action: read}\n", "t.yaml:4:16: found 'T0001', expected the id of an ATT&CK"},
    {HEAD "  when: {protocol: alfa}\n", "t.yaml:4:20: found 'alfa', expected 'alpha'?"},
    {HEAD "  when: {acton: read}\n", "t.yaml:4:10: found the unknown condition 'acton', expected 'action'?"},
    {HEAD "  when: {action: raed}\n", "t.yaml:4:18: found 'raed', expected 'read'?"},
    {HEAD "  when: {protocol: alpha, function: read_reg}\n",
     "t.yaml:4:37: found 'read_reg', expected the name or number of a function of the protocol: 'read_regs'?"},
    {HEAD "  when: {protocol: beta, function: read_regs}\n", "t.yaml:4:36: found 'read_regs', expected the name or number"},
    {HEAD "  when: {protocol: beta, function: 256}\n", "t.yaml:4:36: found '256', expected the name or number"},
    {HEAD "  when: {alpha.sub_fnction: 4}\n",
     "t.yaml:4:10: found the unknown field 'alpha.sub_fnction', expected 'alpha.sub_function'?"},
    {HEAD "  when: {alpha.mode: halt}\n", "t.yaml:4:22: found 'halt', expected a code or its name"},
    {HEAD "  when: {alpha.broadcast: maybe}\n", "t.yaml:4:27: found 'maybe', expected true or false"},
    {HEAD "  when: {alpha.sub_function: abc}\n", "t.yaml:4:30: found 'abc', expected a number"},
    {HEAD "  when: {object: holding_registers}\n", "expected a kind of object of the protocol: 'holding_register'?"},
    {HEAD "  when: {object: 'coil[3]:1'}\n", "t.yaml:4:18: found 'coil[3]:1', expected the notation of this kind"},
    {HEAD "  when: {object: 'coil: <9'}\n", "expected the notation of this kind of object"},
    {HEAD "  when: {object: 'coil:9-5'}\n", "expected the notation of this kind of object"},
    {HEAD "  when: {object: ':5'}\n", "t.yaml:4:18: found ':5', expected an object such as"},
    {HEAD "  when: {value: '> abc'}\n", "t.yaml:4:17: found '> abc', expected a comparison with a number"},
    {HEAD "  when: {quality: onlin}\n", "expected a quality of the protocol: 'online'?"},
    {HEAD "  when: {status: illegal_fun}\n", "expected a code, or the name of a status of the protocol: 'illegal_function'?"},
    {HEAD "  when: {anomaly: bad}\n", "expected the name of an anomaly of the protocol"},
    {HEAD "  when: {src: 10.0.0.300}\n", "t.yaml:4:15: found '10.0.0.300', expected an IP address"},
    {HEAD "  when: {src: 10.0.0.0/33}\n", "expected an IP address"},
    {HEAD "  when: {dst_port: 70000}\n", "t.yaml:4:20: found '70000', expected a port"},
    {HEAD "  when: {time: '7-18'}\n", "t.yaml:4:16: found '7-18', expected a span of the day"},
    {HEAD "  when: {weekday: monday}\n", "expected days such as mon"},
    {HEAD "  when: {network: cell-9}\n", "t.yaml:4:19: found 'cell-9', expected the name of a configured network"},
    {HEAD "  when: {latency: '> 5x'}\n", "expected a comparison with a duration"},
    {HEAD "  when: {src_role: plc}\n", "t.yaml:4:20: found 'plc', expected"},
    {HEAD "  when: {not: 5}\n", "t.yaml:4:15: found '5', expected conditions, or a list"},
    {HEAD "  when: {protocol: alpha, any: [{protocol: beta}]}\n", "expected one of the protocols named further out"},
    {HEAD "  when: {protocol: alpha, not: {protocol: alpha}}\n", "that no message can meet together"},
    {HEAD "  when: {function: write_tag, alpha.sub_function: 1}\n", "that no message can meet together"},
    {HEAD "  when: {any: [{any: [{any: [{any: [{any: [{any: [{any: [{any: [{any: [{unit: 1}]}]}]}]}]}]}]}]}]}\n",
     "found nesting deeper than the bound"},
    {HEAD "  when: {action: read}\n  threshold: {count: 1, window: 5s}\n", "found '1', expected a whole number from 2 to 1000"},
    {HEAD "  when: {action: read}\n  threshold: {count: 5, window: 5x}\n", "expected a duration"},
    {HEAD "  when: {action: read}\n  threshold: {count: 500, window: 5s, distinct: dst}\n", "from 2 to 256"},
    {HEAD "  when: {action: read}\n  threshold: {count: 5, window: 5s, by: [scr]}\n", "found 'scr', expected 'src'?"},
    {HEAD "  sid: 3000000\n  when: {action: read}\n", "t.yaml:4:8: found '3000000', expected a whole number from 1 to 1999999"},
    {HEAD "  sid: 5\n  when: {action: read}\n- id: USR-2\n  sid: 5\n  title: t\n  severity: major\n  when: {action: read}\n",
     "t.yaml:7:8: found the number 5 of rule USR-1 again"},
};

START_TEST(test_refused)
{
    struct ruleset *rs = NULL;
    struct err e = {""};
    ck_assert_msg(load(refused[_i].text, &rs, &e) == -EINVAL, "accepted: %s", refused[_i].text);
    ck_assert(rs == NULL);
    ck_assert_msg(strstr(e.text, refused[_i].message) != NULL, "%s\nexpected %s", e.text, refused[_i].message);
}
END_TEST

/* Who asks for fields: entries that can meet a message of the protocol; some only where a fact is new. */
START_TEST(test_fields)
{
    static const struct {
        const char *when;
        bool alpha, alpha_new, beta;
    } of[] = {
        {"{action: read}", false, false, false},
        {"{alpha.sub_function: 1}", true, true, false},
        {"{action: read, any: [{unit: 1}, {alpha.mode: run}]}", true, true, false},
        {"{not: {alpha.mode: run}}", true, true, false},
        {"{alpha.mode: run, new_fact: true}", false, true, false},
    };
    ck_assert(!rules_read_fields(NULL, &fx_alpha, false));
    for (unsigned i = 0; i < ARRAY_LEN(of); i++) {
        struct ruleset *rs = NULL;
        struct err e = {""};
        char text[512];
        snprintf(text, sizeof text, "- id: USR-1\n  title: t\n  severity: major\n  when: %s\n", of[i].when);
        ck_assert_msg(load(text, &rs, &e) == 0, "%s\n%s", e.text, text);
        ck_assert_msg(rules_read_fields(rs, &fx_alpha, true) == of[i].alpha, "%s", text);
        ck_assert_msg(rules_read_fields(rs, &fx_alpha, false) == of[i].alpha_new, "%s", text);
        ck_assert_msg(rules_read_fields(rs, &fx_beta, true) == of[i].beta, "%s", text);
        ruleset_free(rs);
    }
}
END_TEST

/* One message can have two anomalies of which a rule asks for one each. */
START_TEST(test_two_anomalies)
{
    struct ruleset *rs = NULL;
    struct err e = {""};
    uint16_t hits[4];
    struct event both = events[BROKEN];
    struct rule_input in = input(BROKEN);
    both.anomalies = 3;
    in.ev = &both;
    ck_assert_msg(load("- id: USR-1\n  title: t\n  severity: major\n"
                       "  when: {all: [{anomaly: bad_length}, {anomaly: reserved_function}]}\n", &rs, &e) == 0, "%s", e.text);
    ck_assert_uint_eq(rules_match(rs, &in, hits, 4), 1);
    both.anomalies = 1;
    ck_assert_uint_eq(rules_match(rs, &in, hits, 4), 0);
    ruleset_free(rs);
}
END_TEST

START_TEST(test_info)
{
    struct ruleset *rs = NULL;
    struct err e = {""};
    uint16_t hits[4];
    ck_assert_msg(load("rules:\n- id: USR-a\n  title: A\n  severity: warning\n  attack_ics: [T0836, T0855]\n  when: {unit: 1}\n"
                       "- id: USR-b\n  title: B\n  severity: critical\n  engine: anomaly\n  rev: 3\n  remedy: look\n"
                       "  learnable: true\n  when: {action: read}\n  threshold: {count: 5, window: 1m, by: src_dst}\n"
                       "- id: USR-c\n  title: C\n  severity: major\n  enabled: false\n  sid: 77\n  when: {action: read}\n",
                       &rs, &e) == 0, "%s", e.text);
    ck_assert_uint_eq(ruleset_n(rs), 3);
    ck_assert_uint_eq(ruleset_n_entries(rs), 2);
    const struct rule_info *a = ruleset_by_id(rs, "USR-a"), *b = ruleset_rule(rs, 1), *c = ruleset_by_id(rs, "USR-c");
    ck_assert_str_eq(a->attack, "T0836 T0855");
    ck_assert_str_eq(a->category, "Custom rule");
    ck_assert_str_eq(a->protocols, "");
    ck_assert_uint_eq(a->line, 2);
    ck_assert(b->learn == RL_YES && b->engine == RE_ANOMALY && b->rev == 3 && b->threshold.window_ns == UINT64_C(60000000000));
    ck_assert_uint_eq(b->threshold.by, BY_SRC | BY_DST);
    ck_assert(!c->enabled && c->sid == 77);
    ck_assert(ruleset_by_id(rs, "USR-z") == NULL);
    /* a user's number comes from the id alone, and stays */
    ck_assert_uint_eq(a->sid, 1526611908);
    /* the severest first, and what finds no room is the least severe */
    struct rule_input in = input(READ);
    ck_assert_uint_eq(rules_match(rs, &in, hits, 4), 2);
    ck_assert_str_eq(ruleset_hit(rs, hits[0])->id, "USR-b");
    ck_assert(ruleset_hit_counts(rs, hits[0]) && !ruleset_hit_counts(rs, hits[1]));
    ck_assert_uint_eq(rules_match(rs, &in, hits, 1), 1);
    ck_assert_str_eq(ruleset_hit(rs, hits[0])->id, "USR-b");
    ck_assert_uint_eq(rules_match(rs, &in, hits, 0), 0);
    ck_assert_str_eq(rule_attack_name("T0836"), "Modify Parameter");
    ruleset_free(rs);

    static const char *const unknown[] = {"USR-x", NULL};
    struct ruleset_opts o = {.schemas = fx_schemas, .n_schemas = 2, .no_defaults = true, .disable = unknown};
    rs = NULL;
    ck_assert_int_eq(ruleset_load(&o, &rs, &e), -EINVAL);
    ck_assert_ptr_nonnull(strstr(e.text, "USR-x"));
}
END_TEST

START_TEST(test_zone_time)
{
    struct ruleset *rs = NULL;
    struct err e = {""};
    uint16_t hits[4];
    struct rule_input in = input(READ);
    /* 22:30 UTC on Monday is 00:30 on Tuesday two hours east */
    ck_assert_int_eq(tz_load(&site.tz, "<+02>-2", &e), 0);
    ck_assert_msg(load(HEAD "  when: {time: '00:00-01:00', weekday: tue}\n", &rs, &e) == 0, "%s", e.text);
    ck_assert_uint_eq(rules_match(rs, &in, hits, 4), 1);
    ruleset_free(rs);
    tz_utc(&site.tz);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rules");
    TCase *t = tcase_create("rules");
    tcase_add_unchecked_fixture(t, setup, NULL);
    tcase_add_loop_test(t, test_match, 0, (int)ARRAY_LEN(cases));
    tcase_add_loop_test(t, test_refused, 0, (int)ARRAY_LEN(refused));
    tcase_add_test(t, test_fields);
    tcase_add_test(t, test_two_anomalies);
    tcase_add_test(t, test_info);
    tcase_add_test(t, test_zone_time);
    suite_add_tcase(s, t);
    return suite_end(s);
}
