/* test_site.c: networks, zones, assets, windows as they are looked up. */
#include "engine/base/site.h"

#include <check.h>
#include <stdlib.h>

#include "engine/base/schema.h"
#include "suite.h"

static struct addr ip(const char *s)
{
    struct addr a;
    ck_assert_msg(addr_parse(s, &a), "%s", s);
    return a;
}

static struct subnet net(const char *s)
{
    struct subnet n;
    ck_assert_msg(subnet_parse(s, &n), "%s", s);
    return n;
}

static const struct site_window *work(const struct site *s, uint64_t ts_ns, const struct addr *src,
                                      const struct addr *dst, int action)
{
    const struct site_who from = {.a = src, .n = 1}, to = {.a = dst, .n = 1};
    return site_maintenance(s, ts_ns, &from, dst ? &to : NULL, action);
}

START_TEST(test_subnet)
{
    static const char *const bad[] = {
        "10.0.0.1/8", "10.0.0.0/33",  "10.0.0.0/",  "10.0.0.0/a",           "fd00::1/8",  "x/8", "",
        "/8",         "10.0.0.0/08a", "fd00::/129", "00:11:22:33:44:55/24", "10.0.0.0/-1"};
    char text[SUBNET_TEXT];
    struct subnet n = net("10.1.0.0/16");
    struct addr in = ip("10.1.255.255"), out = ip("10.2.0.0"), six = ip("fd00::1");
    ck_assert(subnet_has(&n, &in) && !subnet_has(&n, &out) && !subnet_has(&n, &six));
    subnet_text(&n, text);
    ck_assert_str_eq(text, "10.1.0.0/16");
    n = net("10.0.0.7");
    in = ip("10.0.0.7");
    out = ip("10.0.0.6");
    ck_assert(subnet_has(&n, &in) && !subnet_has(&n, &out));
    subnet_text(&n, text);
    ck_assert_str_eq(text, "10.0.0.7");
    n = net("0.0.0.0/0");
    ck_assert(subnet_has(&n, &in) && !subnet_has(&n, &six));
    n = net("172.16.0.0/12");
    in = ip("172.31.255.255");
    out = ip("172.32.0.0");
    ck_assert(subnet_has(&n, &in) && !subnet_has(&n, &out));
    n = net("fd00:1::/33");
    in = ip("fd00:1:7fff::1");
    out = ip("fd00:1:8000::1");
    ck_assert(subnet_has(&n, &in) && !subnet_has(&n, &out));
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!subnet_parse(bad[i], &n), "'%s' was taken", bad[i]);
}
END_TEST

START_TEST(test_networks)
{
    const struct subnet sub[] = {net("10.1.0.0/16")};
    const struct site_network w[] = {
        {.name = "a", .interface = "eth1", .vlan_lo = 7, .vlan_hi = 7},
        {.name = "b", .subnets = sub, .n_subnets = 1},
        {.name = "c", .vlan_lo = 100, .vlan_hi = 199, .vlan_separates = true},
        {.name = "d", .interface = "eth9", .vlan_separates = true},
    };
    struct site s = {.networks = w, .n_networks = 4};
    struct err e;
    char name[SITE_NET_NAME];
    const uint16_t v7[] = {7}, v20[] = {20}, v150[] = {150, 7};
    struct addr x = ip("10.1.0.1"), y = ip("10.2.0.1");
    ck_assert_int_eq(site_prepare(&s, &e), 0);
    ck_assert_uint_eq(site_network(&s, "eth1", v7, 1, &x, &y), 1);
    ck_assert_uint_eq(site_network(&s, "eth2", v7, 1, &x, &y), 2);
    ck_assert_uint_eq(site_network(&s, "eth2", v7, 1, &y, &x), 2); /* both directions alike */
    ck_assert_uint_eq(site_network(&s, "eth2", NULL, 0, &y, &y), 0);
    ck_assert_uint_eq(site_network(&s, NULL, v150, 2, &y, &y), 4096 + 150);
    ck_assert_uint_eq(site_network(&s, "eth9", v20, 1, &y, &y), 2 * 4096 + 20);
    ck_assert_uint_eq(site_network(&s, "eth9", NULL, 0, &y, &y), 4);
    ck_assert_str_eq(site_network_name(&s, 0, name), "default");
    ck_assert_str_eq(site_network_name(&s, 2, name), "b");
    ck_assert_str_eq(site_network_name(&s, 4096 + 150, name), "c/vlan150");
    ck_assert_str_eq(site_network_name(&s, 2 * 4096 + 20, name), "d/vlan20");
    ck_assert_int_eq(site_network_by_name(&s, "d/vlan20"), 2 * 4096 + 20);
    ck_assert_int_eq(site_network_by_name(&s, "b"), 2);
    ck_assert_int_eq(site_network_by_name(&s, "default"), 0);
    ck_assert_int_eq(site_network_by_name(&s, "b/vlan20"), -1);
    ck_assert_int_eq(site_network_by_name(&s, "nobody"), -1);
    site_done(&s);
    struct site empty = {0};
    ck_assert_uint_eq(site_network(&empty, "eth1", v7, 1, &x, &y), 0);
    ck_assert(!site_zone(&empty, 0, &x) && !site_asset(&empty, 0, &x) && !work(&empty, 0, &x, &y, -1));
    ck_assert_ptr_null(site_role(&empty, &x));
}
END_TEST

START_TEST(test_assets_and_zones)
{
    const struct addr a1[] = {ip("10.0.0.1"), ip("00:11:22:33:44:55")}, a2[] = {ip("10.0.0.1")},
                      a3[] = {ip("10.0.1.9")};
    const struct site_asset assets[] = {
        {.name = "any", .addrs = a1, .n_addrs = 2, .net = SITE_ANY_NET},
        {.name = "cell2", .addrs = a2, .n_addrs = 1, .net = 2},
        {.name = "odd", .addrs = a3, .n_addrs = 1, .net = SITE_ANY_NET},
    };
    const struct site_network w[] = {{.name = "n1"}, {.name = "n2"}};
    const struct subnet wide[] = {net("10.0.0.0/8")}, narrow[] = {net("10.0.1.0/24")};
    const uint32_t odd[] = {2};
    const struct addr lone[] = {ip("10.0.1.7")};
    const uint16_t n1[] = {1}, n2[] = {2};
    const struct site_zone zones[] = {
        {.name = "wide", .subnets = wide, .n_subnets = 1, .purdue = 3},
        {.name = "narrow", .subnets = narrow, .n_subnets = 1, .purdue = 1},
        {.name = "picked", .assets = odd, .n_assets = 1, .purdue = 2},
        {.name = "whole", .networks = n2, .n_networks = 1, .purdue = -1},
        {.name = "both", .networks = n1, .n_networks = 1, .addrs = lone, .n_addrs = 1, .purdue = -1},
    };
    const struct site_ref stations[] = {{.asset = 0}, {.subnet = net("10.0.5.0/24"), .asset = SITE_NO_ASSET}};
    struct site s = {.networks = w,
                     .n_networks = 2,
                     .assets = assets,
                     .n_assets = 3,
                     .zones = zones,
                     .n_zones = 5,
                     .stations = stations,
                     .n_stations = 2};
    struct err e;
    struct addr x;
    ck_assert_int_eq(site_prepare(&s, &e), 0);
    ck_assert_str_eq(site_asset(&s, 0, &a2[0])->name, "any");
    ck_assert_str_eq(site_asset(&s, 2, &a2[0])->name, "cell2");
    ck_assert_str_eq(site_asset(&s, 1, &a1[1])->name, "any");
    x = ip("10.9.9.9");
    ck_assert_ptr_null(site_asset(&s, 0, &x));
    ck_assert_str_eq(site_zone(&s, 0, &x)->name, "wide");
    x = ip("10.0.1.8");
    ck_assert_str_eq(site_zone(&s, 0, &x)->name, "narrow");
    ck_assert_str_eq(site_zone(&s, 0, &a3[0])->name, "picked");
    x = ip("192.168.0.1");
    ck_assert_ptr_null(site_zone(&s, 0, &x));
    ck_assert_str_eq(site_zone(&s, 1, &x)->name, "both");        /* its networks, whatever devices it names */
    ck_assert_str_eq(site_zone(&s, 2, &lone[0])->name, "both"); /* a device goes before any subnet */
    ck_assert_str_eq(site_zone(&s, 2, &x)->name, "whole");
    ck_assert(site_is_engineering_station(&s, 0, &a1[0]) && site_is_engineering_station(&s, 0, &a1[1]));
    ck_assert(!site_is_engineering_station(&s, 2, &a1[0])); /* there it is another device */
    x = ip("10.0.5.77");
    ck_assert(site_is_engineering_station(&s, 0, &x));
    site_done(&s);
    const struct site_asset twice[] = {{.name = "a", .addrs = a2, .n_addrs = 1},
                                       {.name = "b", .addrs = a2, .n_addrs = 1}};
    struct site bad = {.assets = twice, .n_assets = 2};
    ck_assert_int_eq(site_prepare(&bad, &e), -EINVAL);
    ck_assert_ptr_nonnull(strstr(e.text, "10.0.0.1"));
}
END_TEST

#define S UINT64_C(1000000000)
START_TEST(test_windows)
{
    const struct subnet cell[] = {net("10.0.0.0/24")};
    const struct site_zone zones[] = {{.name = "cell", .subnets = cell, .n_subnets = 1, .purdue = -1}};
    const struct site_window w[] = {
        {.name = "once", .from_ns = 1000 * S, .to_ns = 2000 * S, .zone = -1},
        /* Saturday night into Sunday, downloads only, in the zone, from one station */
        {.name = "nights",
         .weekly = true,
         .days = 1 << 6,
         .from_min = 22 * 60,
         .to_min = 6 * 60,
         .zone = 0,
         .has_actor = true,
         .actor = {.subnet = net("10.9.0.1"), .asset = SITE_NO_ASSET},
         .actions = 1u << ACT_DOWNLOAD},
    };
    struct site s = {.zones = zones, .n_zones = 1, .windows = w, .n_windows = 2};
    struct err e;
    struct addr ws = ip("10.9.0.1"), plc = ip("10.0.0.5"), other = ip("10.9.0.2");
    ck_assert_int_eq(tz_load(&s.tz, "CET-1CEST,M3.5.0,M10.5.0/3", &e), 0);
    ck_assert_int_eq(site_prepare(&s, &e), 0);
    ck_assert_ptr_null(work(&s, 999 * S, &ws, &plc, -1));
    ck_assert_str_eq(work(&s, 1000 * S, &ws, NULL, -1)->name, "once");
    ck_assert_ptr_null(work(&s, 2000 * S, &ws, &plc, -1));
    uint64_t sat22 = (uint64_t)tz_unix(&s.tz, 2026, 1, 10, 22, 0, 0) * S;
    ck_assert_str_eq(work(&s, sat22, &ws, &plc, ACT_DOWNLOAD)->name, "nights");
    ck_assert_ptr_null(work(&s, sat22 - 1, &ws, &plc, ACT_DOWNLOAD));
    ck_assert_str_eq(work(&s, sat22 + 7 * 3600 * S, &ws, &plc, ACT_DOWNLOAD)->name, "nights");
    ck_assert_ptr_null(work(&s, sat22 + 8 * 3600 * S, &ws, &plc, ACT_DOWNLOAD));
    ck_assert_ptr_null(work(&s, sat22 + 24 * 3600 * S, &ws, &plc, ACT_DOWNLOAD));
    ck_assert_ptr_null(work(&s, sat22, &ws, &plc, ACT_STOP));
    ck_assert_ptr_null(work(&s, sat22, &ws, &plc, -1));
    ck_assert_ptr_null(work(&s, sat22, &other, &plc, ACT_DOWNLOAD));
    ck_assert_ptr_null(work(&s, sat22, &ws, &other, ACT_DOWNLOAD));
    site_done(&s);
}
END_TEST

START_TEST(test_roles)
{
    const struct addr pair[] = {ip("10.0.0.1"), ip("10.0.0.2")};
    const struct site_role roles[] = {{.addrs = pair, .n_addrs = 2}};
    struct site s = {.roles = roles, .n_roles = 1};
    struct addr two = ip("10.0.0.2"), three = ip("10.0.0.3");
    struct err e;
    ck_assert_int_eq(site_prepare(&s, &e), 0);
    ck_assert_ptr_eq(site_role(&s, &two), &roles[0]);
    ck_assert(!site_role(&s, &three) && !site_asset(&s, 0, &two));
    site_done(&s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("site");
    TCase *t = tcase_create("site");
    tcase_add_test(t, test_subnet);
    tcase_add_test(t, test_networks);
    tcase_add_test(t, test_assets_and_zones);
    tcase_add_test(t, test_windows);
    tcase_add_test(t, test_roles);
    suite_add_tcase(s, t);
    return suite_end(s);
}
