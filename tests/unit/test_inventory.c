/* Which addresses are devices, which are one, and what they are. */
#include "tests/unit/baseline_fixture.h"

#include "baseline/model.h"
#include "engine/base/obs.h"

static struct fix f;

static void setup(void)
{
    fix_init(&f, BASE_LEARN);
    fix_open(&f);
}

static void teardown(void)
{
    fix_done(&f);
}

START_TEST(nobody_is_no_asset)
{
    static const char *const none[] = {"0.0.0.0", "169.254.1.1", "224.0.0.1", "255.255.255.255", "fe80::1",
                                       "ff02::1", "::", "ff:ff:ff:ff:ff:ff", "01:80:c2:00:00:00",
                                       "00:00:5e:00:01:01"};
    for (unsigned i = 0; i < ARRAY_LEN(none); i++) {
        asset_via(&f, none[i], NULL, strlen(none[i]) == 17 && none[i][2] == ':' ? ASSET_VIA_L2 : ASSET_VIA_IP);
        ck_assert_msg(!is_asset(&f, none[i]), "%s", none[i]);
    }
    ck_assert(!is_asset(&f, PLC)); /* never sent */
    link_made(&f, HMI, PLC, 502, true);
    ck_assert(!is_asset(&f, PLC));
}
END_TEST

/* A capture of a loopback interface has one device: the machine itself. It has sent something. */
START_TEST(loopback_is_an_asset)
{
    asset_via(&f, "127.0.0.1", NULL, ASSET_VIA_IP);
    asset_via(&f, "::1", NULL, ASSET_VIA_IP);
    ck_assert(is_asset(&f, "127.0.0.1"));
    ck_assert(is_asset(&f, "::1"));
}
END_TEST

/* MS/TP behind a BACnet router: a device by network number and MAC, with the router as parent. */
START_TEST(station_behind_a_router)
{
    struct rec_asset r = {.ts_ns = f.now, .addr = ip("2001:5"), .through = ip(PLC), .via = ASSET_VIA_PROTOCOL, .frame = 1};
    asset(&f, PLC, M_PLC);
    baseline_asset(f.b, &r);
    r.addr = ip("2001:0xc0a80105bac0");
    baseline_asset(f.b, &r);
    r.addr = ip("10.9.9.9"); /* forwarded: a device of its own, behind nobody */
    baseline_asset(f.b, &r);
    ck_assert(is_asset(&f, "2001:5") && is_asset(&f, "2001:0xc0a80105bac0") && is_asset(&f, "10.9.9.9"));
    ck_assert(!is_asset(&f, "2002:5"));
    struct rec_ident i = {.ts_ns = f.now, .addr = ip("2001:5"), .source = "bacnet", .kind = OBS_NAME, .sub = OBS_SELF,
                          .value = {(const uint8_t *)"VAV-7", 5}, .confidence = 90};
    baseline_ident(f.b, &i);
    ck_assert_str_eq(info(&f, "2001:5").name, "VAV-7");
    ck_assert(!info(&f, PLC).name);
    struct asset *a = asset_at(f.b, asset_find(f.b, 0, &r.addr));
    ck_assert_uint_eq(a->parent, 0);
    struct addr s = ip("2001:5");
    ck_assert_uint_eq(asset_at(f.b, asset_find(f.b, 0, &s))->parent, info(&f, PLC).id);
}
END_TEST

START_TEST(stations_as_text)
{
    static const char *const good[] = {"0:0", "1:255", "65535:7", "2001:0xc0a80105bac0", "3:0x0102", "9:0x01020304050607"};
    static const char *const bad[] = {"65536:1", "1:256", "1:", ":1", "1:0x", "1:0x5", "1:0x05", "1:0x010", "1:5:6", "1",
                                      "1:0x0102030405060708", "-1:5", "1: 5"};
    char t[ADDR_TEXT];
    struct addr a;
    for (unsigned i = 0; i < ARRAY_LEN(good); i++) {
        ck_assert_msg(addr_parse(good[i], &a) && addr_is_station(&a) && !addr_is_mac(&a) && !addr_is_v4(&a), "%s", good[i]);
        ck_assert_uint_eq(addr_text(&a, t), strlen(good[i]));
        ck_assert_str_eq(t, good[i]);
        ck_assert(!addr_is_nobody(&a) && addr_is_private(&a));
    }
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_msg(!addr_parse(bad[i], &a), "%s", bad[i]);
    ck_assert(addr_parse("0:0:4e:1:100::", &a) && addr_is_station(&a)); /* the price: reserved by RFC 4291 2.4 */
    ck_assert(addr_parse("2001:db8::5", &a) && !addr_is_station(&a));
}
END_TEST

START_TEST(id_is_stable)
{
    asset(&f, PLC, M_PLC);
    uint64_t id = info(&f, PLC).id;
    struct addr a = ip(PLC);
    ck_assert_uint_eq(id, hash_bytes(hash_bytes(HASH_ID_KEY, "default", 7), &a, sizeof a));
}
END_TEST

START_TEST(layer2_gets_its_ip)
{
    asset_via(&f, M_PLC, M_PLC, ASSET_VIA_L2);
    uint64_t id = info(&f, M_PLC).id;
    asset(&f, PLC, M_PLC);
    ck_assert_uint_eq(info(&f, PLC).id, id); /* the id of the first key stays */
    ck_assert_uint_eq(info(&f, M_PLC).id, id);
    struct baseline_stats s;
    baseline_stats(f.b, &s);
    ck_assert_uint_eq(s.assets, 1);
}
END_TEST

START_TEST(ip_first_then_layer2)
{
    asset(&f, PLC, M_PLC);
    asset_via(&f, M_PLC, M_PLC, ASSET_VIA_L2);
    struct baseline_stats s;
    baseline_stats(f.b, &s);
    ck_assert_uint_eq(s.assets, 1);
}
END_TEST

START_TEST(told_ip_joins)
{
    asset_via(&f, M_PLC, M_PLC, ASSET_VIA_L2);
    asset(&f, PLC, NULL); /* seen elsewhere, without its MAC */
    ident(&f, M_PLC, OBS_IP, OBS_SELF, PLC, 100);
    ck_assert_uint_eq(info(&f, PLC).id, info(&f, M_PLC).id);
}
END_TEST

START_TEST(router_is_one_asset)
{
    char a[32];
    asset_via(&f, "00:0a:8a:00:00:01", "00:0a:8a:00:00:01", ASSET_VIA_L2);
    uint64_t router = info(&f, "00:0a:8a:00:00:01").id;
    for (unsigned i = 1; i <= 20; i++) {
        snprintf(a, sizeof a, "192.168.%u.7", i);
        asset(&f, a, "00:0a:8a:00:00:01");
    }
    struct baseline_stats s;
    baseline_stats(f.b, &s);
    ck_assert_uint_eq(s.assets, 21);
    ck_assert_uint_eq(info(&f, "00:0a:8a:00:00:01").id, router);
    ck_assert_str_eq(info(&f, "00:0a:8a:00:00:01").type, "router");
    for (unsigned i = 1; i <= 20; i++) {
        snprintf(a, sizeof a, "192.168.%u.7", i);
        ck_assert(info(&f, a).id != router);
        ck_assert_ptr_null(info(&f, a).vendor); /* the MAC is not theirs */
    }
}
END_TEST

START_TEST(router_with_arp_address)
{
    char a[32];
    asset_via(&f, "10.0.0.1", "00:0a:8a:00:00:01", ASSET_VIA_ARP);
    for (unsigned i = 1; i <= 20; i++) {
        snprintf(a, sizeof a, "192.168.%u.7", i);
        asset(&f, a, "00:0a:8a:00:00:01");
    }
    ck_assert_str_eq(info(&f, "10.0.0.1").type, "router");
    ck_assert_uint_eq(info(&f, "00:0a:8a:00:00:01").id, info(&f, "10.0.0.1").id);
    ck_assert_str_ne(info(&f, "192.168.3.7").type, "router");
}
END_TEST

START_TEST(public_addresses)
{
    asset(&f, "8.8.8.8", "00:0a:8a:00:00:01"); /* through somebody's router */
    ck_assert_ptr_null(info(&f, "8.8.8.8").vendor);
    ck_assert_str_eq(info(&f, "8.8.8.8").type, "external");
    asset(&f, "141.81.0.1", M_HMI); /* a plant that uses public addresses */
    asset(&f, "141.81.0.2", M_PLC);
    ck_assert_ptr_nonnull(info(&f, "141.81.0.1").vendor);
    ck_assert_ptr_nonnull(info(&f, "141.81.0.2").vendor);
    ck_assert_str_ne(info(&f, "141.81.0.2").type, "external");
}
END_TEST

START_TEST(vendor_by_mac)
{
    asset(&f, PLC, M_PLC);
    ck_assert_ptr_nonnull(strstr(info(&f, PLC).vendor, "Siemens"));
    asset(&f, HMI, "02:00:00:00:00:01"); /* locally administered: nobody's */
    ck_assert_ptr_null(info(&f, HMI).vendor);
    ident(&f, PLC, OBS_VENDOR, OBS_SELF, "Told AG", 90);
    ck_assert_str_eq(info(&f, PLC).vendor, "Told AG");
}
END_TEST

START_TEST(best_value)
{
    asset(&f, PLC, M_PLC);
    ident(&f, PLC, OBS_NAME, OBS_SELF, "plc-low", 50);
    struct rec_ident r = {.ts_ns = f.now, .addr = ip(PLC), .source = "other", .sub = OBS_SELF, .kind = OBS_NAME,
                          .confidence = 90, .value = {(const uint8_t *)"plc-high", 8}};
    baseline_ident(f.b, &r);
    ck_assert_str_eq(info(&f, PLC).name, "plc-high");
    f.now += SEC;
    ident(&f, PLC, OBS_NAME, OBS_SELF, "plc-later", 50);
    ck_assert_str_eq(info(&f, PLC).name, "plc-high"); /* confidence before recency */
}
END_TEST

START_TEST(only_unit_is_the_device)
{
    asset(&f, PLC, M_PLC);
    ident(&f, PLC, OBS_VENDOR, 3, "Unit AG", 90);
    ck_assert_str_eq(info(&f, PLC).vendor, "Unit AG");
    ident(&f, PLC, OBS_VENDOR, 4, "Other AG", 95); /* two of them: neither is the gateway */
    ck_assert_ptr_nonnull(strstr(info(&f, PLC).vendor, "Siemens"));
}
END_TEST

static void converse(const char *c, const char *s, struct msg_spec m)
{
    asset(&f, c, NULL);
    asset(&f, s, NULL);
    link_made(&f, c, s, 502, false);
    message(&f, c, s, m);
}

START_TEST(roles)
{
    char a[32];
    for (unsigned i = 1; i <= 4; i++) {
        snprintf(a, sizeof a, "10.0.1.%u", i);
        converse(HMI, a, (struct msg_spec){.fn = F_READ, .last = 9, .unit = 1});
        message(&f, HMI, a, (struct msg_spec){.fn = F_WRITE, .first = 3, .unit = 1});
    }
    ck_assert_str_eq(info(&f, "10.0.1.1").type, "controller");
    ck_assert_uint_eq(info(&f, "10.0.1.1").roles, ROLE_CONTROLLER);
    ck_assert_str_eq(info(&f, HMI).type, "hmi");
    ck_assert(info(&f, HMI).roles & ROLE_HMI);
    converse(LAPTOP, "10.0.1.1", (struct msg_spec){.fn = F_LOAD, .unit = 1});
    ck_assert_str_eq(info(&f, LAPTOP).type, "engineering_station");
    for (uint32_t u = 1; u <= 4; u++)
        converse(HMI, "10.0.1.9", (struct msg_spec){.fn = F_READ, .last = 9, .unit = u});
    ck_assert_str_eq(info(&f, "10.0.1.9").type, "gateway");
    converse("10.0.2.2", "10.0.1.1", (struct msg_spec){.fn = F_READ, .last = 9, .unit = 1, .status = 2});
    converse(HMI, "10.0.2.3", (struct msg_spec){.fn = F_BROWSE});
    ck_assert_str_ne(info(&f, "10.0.2.3").type, "controller"); /* to say who one is controls nothing */
    asset(&f, "10.0.3.3", NULL);
    ident(&f, "10.0.3.3", OBS_DEVICE_TYPE, OBS_SELF, "AC Drive", 90);
    ck_assert_str_eq(info(&f, "10.0.3.3").type, "field_device");
}
END_TEST

START_TEST(configured_device)
{
    struct addr a = ip(PLC);
    static const char *const tags[] = {"line7"};
    struct site_asset told = {.name = "PLC one",
                              .type = "controller",
                              .criticality = "high",
                              .owner = "ops",
                              .addrs = &a,
                              .n_addrs = 1,
                              .tags = tags,
                              .n_tags = 1,
                              .net = SITE_ANY_NET};
    struct subnet sub;
    ck_assert(subnet_parse("10.0.0.0/24", &sub));
    struct site_zone zone = {.name = "cell", .subnets = &sub, .n_subnets = 1, .purdue = 1};
    struct site s = {.assets = &told, .n_assets = 1, .zones = &zone, .n_zones = 1};
    struct err e;
    ck_assert_int_eq(site_prepare(&s, &e), 0);
    baseline_free(f.b);
    f.conf.site = &s;
    f.conf.mode = BASE_DETECT;
    fix_open(&f);
    asset(&f, PLC, M_PLC);
    struct asset_info i = info(&f, PLC);
    ck_assert_str_eq(i.name, "PLC one");
    ck_assert_str_eq(i.type, "controller");
    ck_assert_str_eq(i.zone, "cell");
    ck_assert_int_eq(i.purdue, 1);
    ck_assert_str_eq(i.criticality, "high");
    ck_assert(i.known);
    ck_assert_uint_eq(f.n, 0); /* named in the configuration: expected */
    site_done(&s);
}
END_TEST

START_TEST(spoofed_flood_is_bounded)
{
    baseline_free(f.b);
    f.conf.limits.assets = 256;
    f.conf.mode = BASE_LEARN;
    fix_open(&f);
    asset(&f, HMI, M_HMI);
    asset(&f, PLC, M_PLC);
    link_made(&f, HMI, PLC, 502, false);
    link_counts(&f, HMI, PLC, 502, 10, 10);
    baseline_set_mode(f.b, BASE_DETECT);
    uint64_t plc = info(&f, PLC).id;
    for (uint32_t i = 0; i < 100000; i++) {
        struct rec_asset r = {.ts_ns = f.now, .via = ASSET_VIA_IP, .has_mac = 1, .mac = {0, 0x1b, 0x1b, 1, 1, 1}};
        uint8_t b[4] = {10, (uint8_t)(1 + (i >> 16)), (uint8_t)(i >> 8), (uint8_t)i};
        r.addr = addr_v4(b);
        f.now += SEC / 1000;
        baseline_asset(f.b, &r);
    }
    struct baseline_stats s;
    baseline_stats(f.b, &s);
    ck_assert_uint_le(s.assets, 256);
    ck_assert_uint_gt(s.evicted_assets, 90000);
    ck_assert_uint_eq(info(&f, PLC).id, plc); /* the real ones are still there */
    ck_assert(is_asset(&f, HMI));
    ck_assert_uint_eq(count_of(&f, DEV_NEW_ASSET), LIM_BURST);
    ck_assert_uint_eq(count_of(&f, DEV_FLOOD), 1);
    tick(&f);
    ck_assert_uint_gt(f.last_again.count, 90000);
}
END_TEST

static void new_device(struct fix *at, unsigned n)
{
    struct rec_asset r = {.ts_ns = at->now, .via = ASSET_VIA_ARP, .has_mac = 1, .mac = {0, 0x1b, 0x1b, 2, 0, (uint8_t)n}};
    uint8_t b[4] = {10, 9, 0, (uint8_t)n};
    r.addr = addr_v4(b);
    baseline_asset(at->b, &r);
}

/* What comes after a burst is told by itself again, up to the bound of the window. */
START_TEST(burst_hides_nobody_after_it)
{
    asset(&f, HMI, M_HMI);
    baseline_set_mode(f.b, BASE_DETECT);
    unsigned n = 1;
    for (; n <= 40; n++, f.now += SEC / 1000)
        new_device(&f, n);
    ck_assert_uint_eq(count_of(&f, DEV_NEW_ASSET), LIM_BURST);
    f.now += SEC;
    new_device(&f, n++);
    ck_assert_uint_eq(count_of(&f, DEV_NEW_ASSET), LIM_BURST + 1);
    for (; n <= 200; n++, f.now += SEC)
        new_device(&f, n);
    ck_assert_uint_eq(count_of(&f, DEV_NEW_ASSET), LIM_NOVELTIES);
    ck_assert_uint_eq(count_of(&f, DEV_FLOOD), 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("inventory");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, nobody_is_no_asset);
    tcase_add_test(t, loopback_is_an_asset);
    tcase_add_test(t, station_behind_a_router);
    tcase_add_test(t, stations_as_text);
    tcase_add_test(t, id_is_stable);
    tcase_add_test(t, layer2_gets_its_ip);
    tcase_add_test(t, ip_first_then_layer2);
    tcase_add_test(t, told_ip_joins);
    tcase_add_test(t, router_is_one_asset);
    tcase_add_test(t, router_with_arp_address);
    tcase_add_test(t, public_addresses);
    tcase_add_test(t, vendor_by_mac);
    tcase_add_test(t, best_value);
    tcase_add_test(t, only_unit_is_the_device);
    tcase_add_test(t, roles);
    tcase_add_test(t, configured_device);
    tcase_add_test(t, spoofed_flood_is_bounded);
    tcase_add_test(t, burst_hides_nobody_after_it);
    suite_add_tcase(s, t);
    return run_suite(s);
}
