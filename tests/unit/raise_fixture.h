/* raise_fixture.h: what tests of alerts from findings share: a site, an inventory, the alerts as they were sent. */
#pragma once

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
