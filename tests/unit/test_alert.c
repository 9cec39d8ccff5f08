/* test_alert.c: folding, numbering, bounds and the record. */
#include "alerts/alert.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/json.h"
#include "suite.h"

#define S UINT64_C(1000000000)
#define T0 (UINT64_C(1767607200) * S) /* 2026-01-05T10:00:00Z: a whole multiple of ten minutes */

enum { MOST = 4096 };
static struct got {
    uint64_t uid, count, first_ns, last_ns;
    uint32_t update;
    uint8_t severity;
    char *line;
} got[MOST];
static unsigned n_got;
static struct alerts *al;

static int put(void *ctx, const struct alert_out *a)
{
    (void)ctx;
    ck_assert_uint_lt(n_got, MOST);
    ck_assert_ptr_null(memchr(a->line, '\n', a->line_len));
    got[n_got++] = (struct got){.uid = a->uid,
                                .count = a->count,
                                .first_ns = a->first_ns,
                                .last_ns = a->last_ns,
                                .update = a->update,
                                .severity = a->severity,
                                .line = strndup(a->line, a->line_len)};
    return 0;
}

static void start(struct alert_conf c)
{
    struct err e;
    n_got = 0;
    c.sinks[0].put = put;
    c.n_sinks = 1;
    c.host = "line-7";
    ck_assert_int_eq(alerts_new(&al, &c, &e), 0);
}

static void stop(void)
{
    alerts_free(al);
    for (unsigned i = 0; i < n_got; i++)
        free(got[i].line);
}

static void raise_at(uint64_t ts, const char *subject, const char *object)
{
    struct alert_in in = {
        .type = &alert_types[AT_NEW_FUNCTION], .ts_ns = ts, .subject = subject, .object = object, .why = "w"};
    alert_raise(al, &in);
}

START_TEST(test_fold)
{
    start((struct alert_conf){0});
    raise_at(T0 + S, "a", "x");
    raise_at(T0 + 2 * S, "a", "x");
    raise_at(T0 + 3 * S, "a", "y");
    raise_at(T0 + 4 * S, "a", "x");
    ck_assert_uint_eq(n_got, 2); /* the first of each at once */
    ck_assert(got[0].uid != got[1].uid && got[0].update == 1 && got[0].count == 1);
    alerts_tick(al, T0 + 599 * S);
    ck_assert_uint_eq(n_got, 2);
    alerts_tick(al, T0 + 600 * S);
    ck_assert_uint_eq(n_got, 3); /* only x came again */
    ck_assert(got[2].uid == got[0].uid && got[2].update == 2 && got[2].count == 3 && got[2].last_ns == T0 + 4 * S);
    raise_at(T0 + 700 * S, "a", "x"); /* goes on under the same uid */
    alerts_tick(al, T0 + 1200 * S);
    ck_assert_uint_eq(n_got, 4);
    ck_assert(got[3].uid == got[0].uid && got[3].update == 3 && got[3].count == 4);
    alerts_tick(al, T0 + 2400 * S); /* a whole window without it: ended */
    raise_at(T0 + 2500 * S, "a", "x");
    ck_assert_uint_eq(n_got, 5);
    ck_assert(got[4].uid != got[0].uid && got[4].update == 1);
    raise_at(T0 + 2501 * S, "a", "x");
    alerts_finish(al);
    ck_assert_uint_eq(n_got, 6); /* what is owed at the end is sent */
    ck_assert(got[5].update == 2 && got[5].count == 2);
    struct alert_stats st;
    alerts_stats(al, &st);
    ck_assert(st.raised == 7 && st.opened == 3 && st.folded == 4 && st.updates == 3);
    stop();
}
END_TEST

/* The numbers are those of the content: the same in every run and for ever. */
START_TEST(test_uid)
{
    uint64_t uid[2];
    for (int i = 0; i < 2; i++) {
        start((struct alert_conf){.hash_key = (uint64_t)i * 77});
        raise_at(T0 + S, "0/10.0.0.5>10.0.0.9", "x");
        uid[i] = got[0].uid;
        stop();
    }
    ck_assert_uint_eq(uid[0], uid[1]);
    ck_assert_uint_eq(uid[0], UINT64_C(8058532239653615018));
}
END_TEST

START_TEST(test_worse)
{
    struct alert_in in = {
        .type = &alert_types[AT_NEW_FUNCTION], .ts_ns = T0, .subject = "a", .object = "x", .severity = AS_WARNING};
    start((struct alert_conf){0});
    alert_raise(al, &in);
    in.severity = AS_MAJOR;
    in.ts_ns += S;
    alert_raise(al, &in);
    ck_assert_uint_eq(n_got, 2); /* told at once */
    ck_assert(got[1].update == 2 && got[1].severity == AS_MAJOR && got[1].count == 2);
    ck_assert_ptr_nonnull(strstr(got[1].line, "\"severity\":2"));
    in.severity = AS_MINOR;
    alert_raise(al, &in);
    ck_assert_uint_eq(n_got, 2);
    alerts_finish(al);
    ck_assert_uint_eq(got[2].severity, AS_MAJOR);
    stop();
}
END_TEST

/* A full table ends what was quiet longest, and what that still owed is sent. */
START_TEST(test_bounds)
{
    char object[16];
    struct alert_stats st;
    start((struct alert_conf){.max_open = 64, .bytes = 1 << 20, .rate = 100000});
    raise_at(T0, "a", "first");
    raise_at(T0 + 1, "a", "first");
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(object, sizeof object, "%u", i);
        raise_at(T0 + 2 + i, "a", object);
    }
    alerts_stats(al, &st);
    ck_assert_uint_eq(st.evicted, 1001 - 64);
    ck_assert_uint_eq(n_got, 1002);
    ck_assert(got[64].uid == got[0].uid && got[64].update == 2 && got[64].count == 2);
    alerts_finish(al);
    stop();
}
END_TEST

/* Beyond the rate nothing is dropped: it is counted in one alert of that type; other types are not touched. */
START_TEST(test_rate)
{
    char object[16];
    uint64_t sum = 0;
    struct alert_in other = {
        .type = &alert_types[AT_PROGRAM_DOWNLOAD], .ts_ns = T0 + 500, .subject = "b", .object = "y"};
    start((struct alert_conf){.rate = 10});
    for (unsigned i = 0; i < 500; i++) {
        snprintf(object, sizeof object, "%u", i);
        raise_at(T0 + i, "a", object);
    }
    ck_assert_uint_eq(n_got, 11);
    ck_assert_ptr_nonnull(strstr(got[10].line, "more than 10 alerts"));
    alert_raise(al, &other);
    ck_assert_uint_eq(n_got, 12);
    ck_assert_ptr_nonnull(strstr(got[11].line, "OT-POL-031"));
    alerts_finish(al);
    for (unsigned i = 0; i < 13; i++)
        if (i != 10 && i != 11)
            sum += got[i].count;
    ck_assert_uint_eq(sum, 500);
    stop();
}
END_TEST

START_TEST(test_changes)
{
    const struct alert_change changes[] = {{"OT-POL-010", 0}, {"OT-POL-031", AS_MINOR}};
    struct alert_in in = {.type = &alert_types[AT_PROGRAM_DOWNLOAD], .ts_ns = T0, .subject = "b", .object = "y"};
    struct alert_stats st;
    start((struct alert_conf){.changes = changes, .n_changes = 2});
    raise_at(T0, "a", "x");
    alert_raise(al, &in);
    alerts_stats(al, &st);
    ck_assert(n_got == 1 && got[0].severity == AS_MINOR && st.muted == 1);
    stop();
}
END_TEST

static const struct js *parse(const char *line)
{
    const struct js *v = NULL;
    struct err e = {""};
    ck_assert_msg(js_parse(&v, line, strlen(line), &e) == 0, "%s: %s", e.text, line);
    return v;
}

static void has(const struct js *v, const char *path, const char *want)
{
    const char *s = js_str(v, path);
    ck_assert_msg(s && strcmp(s, want) == 0, "%s is %s, not %s", path, s ? s : "nothing", want);
}

static void has_u64(const struct js *v, const char *path, uint64_t want)
{
    uint64_t n = 0;
    ck_assert_msg(js_u64(v, path, &n) && n == want, "%s is %llu", path, (unsigned long long)n);
}

static const char event_line[] =
    "{\"timestamp\":\"2026-01-05T10:00:01.000000+0000\",\"host\":\"line-7\",\"event_type\":\"modbus\",\"flow_id\":123,"
    "\"pcap_cnt\":42,\"src_ip\":\"10.0.0.5\",\"dest_ip\":\"10.0.0.9\",\"proto\":\"TCP\",\"app_proto\":\"modbus\","
    "\"ot\":{\"function\":\"6\"},\"modbus\":{}}";

static struct rec_event make_event(void)
{
    static const uint8_t bytes[100] = {0, 1, 2, 3};
    struct rec_event ev = {
        .ts_ns = T0 + S, .flow_id = 123, .frame = 42, .sport = 50000, .dport = 502, .l4 = PROTO_TCP, .offset = 66};
    ck_assert(addr_parse("10.0.0.5", &ev.src) && addr_parse("10.0.0.9", &ev.dst));
    ev.json = (struct span){.p = (const uint8_t *)event_line, .n = sizeof event_line - 1};
    ev.json_type_off = (uint32_t)(strstr(event_line, "\"modbus\",\"flow") - event_line);
    ev.json_type_len = 8;
    ev.bytes = (struct span){.p = bytes, .n = sizeof bytes};
    return ev;
}

START_TEST(test_record)
{
    struct rec_event ev = make_event();
    const struct asset_info src = {
        .id = 0xabc, .name = "ws \"1\"", .type = "hmi", .vendor = NULL, .zone = "z", .purdue = 35};
    struct alert_in in = {.type = &alert_types[AT_NEW_OBJECT],
                          .ts_ns = ev.ts_ns,
                          .event = &ev,
                          .src = &src,
                          .why = "first write",
                          .expected = "0-99",
                          .seen = "400",
                          .mode = "live",
                          .maintenance = "turnaround",
                          .one_way = true,
                          .accept = "tyto baseline accept op:1",
                          .subject = "s",
                          .object = "o"};
    start((struct alert_conf){.evidence_bytes = 4});
    alert_raise(al, &in);
    in.ts_ns += S;
    alert_raise(al, &in);
    alerts_finish(al);
    ck_assert_uint_eq(n_got, 2);
    const struct js *v = parse(got[1].line);
    has(v, "event_type", "alert");
    has(v, "timestamp", "2026-01-05T10:00:01.000000+0000");
    has(v, "app_proto", "modbus");
    has(v, "ot.function", "6");
    ck_assert(js_has(v, "modbus"));
    has_u64(v, "alert.signature_id", 9100016);
    has_u64(v, "alert.rev", 1);
    has_u64(v, "alert.severity", 2);
    has(v, "alert.signature", alert_types[AT_NEW_OBJECT].title);
    has(v, "alert.category", "New operation");
    ck_assert(js_has(v, "alert.metadata"));
    has(v, "tyto.id", "OT-POL-016");
    has(v, "tyto.engine", "policy");
    has_u64(v, "tyto.update", 2);
    has_u64(v, "tyto.count", 2);
    has(v, "tyto.first_seen", "2026-01-05T10:00:01.000000+0000");
    has(v, "tyto.last_seen", "2026-01-05T10:00:02.000000+0000");
    ck_assert(js_true(v, "tyto.learnable"));
    has(v, "tyto.mode", "live");
    ck_assert_uint_eq(js_len(v, "tyto.attack_ics"), 2);
    has(v, "tyto.src_asset.id", "0000000000000abc");
    has(v, "tyto.src_asset.name", "ws \"1\"");
    ck_assert(!js_has(v, "tyto.src_asset.vendor") && !js_has(v, "tyto.dest_asset"));
    has(v, "tyto.why", "first write");
    has(v, "tyto.expected", "0-99");
    has(v, "tyto.seen", "400");
    has(v, "tyto.evidence.bytes", "00010203");
    has_u64(v, "tyto.evidence.offset", 66);
    ck_assert_uint_eq(js_len(v, "tyto.evidence.frames"), 1);
    ck_assert(!js_has(v, "tyto.evidence.capture"));
    ck_assert(!js_true(v, "tyto.quality.loss") && js_true(v, "tyto.quality.one_way") &&
              js_true(v, "tyto.quality.clock_ok"));
    has(v, "tyto.maintenance", "turnaround");
    has(v, "tyto.remedy", alert_types[AT_NEW_OBJECT].remedy);
    has(v, "tyto.accept", "tyto baseline accept op:1");
    js_free(v);
    stop();
}
END_TEST

static const char *file_name(const void *arg, unsigned i)
{
    return i == 1 ? arg : NULL;
}

START_TEST(test_record_without_event)
{
    struct alert_in in = {
        .type = &alert_types[AT_NEW_ASSET], .ts_ns = T0, .subject = "s", .object = "o", .anomaly = "x_y"};
    in.flow = (struct alert_flow){.sport = 1,
                                  .dport = 2,
                                  .vlan = {7, 9},
                                  .n_vlan = 2,
                                  .frame = 5,
                                  .file = 1,
                                  .l4 = PROTO_UDP,
                                  .has_ports = 1,
                                  .has_src = 1,
                                  .has_dst = 1,
                                  .app = "dnp3"};
    ck_assert(addr_parse("10.0.0.5", &in.flow.src) && addr_parse("00:11:22:33:44:55", &in.flow.dst));
    start((struct alert_conf){.file_name = file_name, .name_arg = "b.pcap"});
    alert_raise(al, &in);
    const struct js *v = parse(got[0].line);
    has(v, "event_type", "alert");
    has(v, "host", "line-7");
    has(v, "src_ip", "10.0.0.5");
    has_u64(v, "src_port", 1);
    ck_assert(!js_has(v, "dest_ip"));
    has(v, "ether.dest_mac", "00:11:22:33:44:55");
    has(v, "proto", "UDP");
    has(v, "pcap_filename", "b.pcap");
    has_u64(v, "pcap_cnt", 5);
    ck_assert_uint_eq(js_len(v, "vlan"), 2);
    has(v, "tyto.anomaly", "x_y");
    js_free(v);
    stop();
}
END_TEST

/* A record that would be too long loses the event's own object, never the alert. */
START_TEST(test_long)
{
    struct rec_event ev = make_event();
    struct alert_in in = {
        .type = &alert_types[AT_NEW_OBJECT], .ts_ns = T0, .event = &ev, .subject = "s", .object = "o"};
    struct alert_stats st;
    enum { LONG = 70000 };
    char *big = malloc(LONG);
    ck_assert_ptr_nonnull(big);
    memset(big, ' ', LONG);
    memcpy(big, event_line, sizeof event_line - 2);
    big[LONG - 1] = '}';
    ev.json = (struct span){.p = (const uint8_t *)big, .n = LONG};
    start((struct alert_conf){0});
    alert_raise(al, &in);
    ck_assert_uint_eq(n_got, 1);
    const struct js *v = parse(got[0].line);
    has(v, "src_ip", "10.0.0.5");
    ck_assert(!js_has(v, "ot"));
    js_free(v);
    alerts_stats(al, &st);
    ck_assert_uint_eq(st.shortened, 1);
    free(big);
    stop();
}
END_TEST

/* A deviation is told again with more to say: the same uid, higher numbers, the first message's evidence. */
START_TEST(test_again)
{
    struct rec_event ev = make_event();
    struct alert_in in = {.type = &alert_types[AT_NEW_LINK],
                          .ts_ns = T0 + S,
                          .first_ns = T0 + S,
                          .event = &ev,
                          .fold = 77,
                          .absolute = true,
                          .count = 1,
                          .why = "new",
                          .severity = AS_MINOR};
    start((struct alert_conf){0});
    alert_raise(al, &in);
    in.event = NULL;
    in.ts_ns = T0 + 300 * S;
    in.count = 5;
    in.why = "new; and 4 more";
    in.severity = AS_MAJOR;
    alert_raise(al, &in);
    ck_assert_uint_eq(n_got, 2);
    const struct js *v = parse(got[1].line);
    has(v, "ot.function", "6");
    has(v, "tyto.why", "new; and 4 more");
    has_u64(v, "tyto.count", 5);
    has_u64(v, "alert.severity", 2);
    has_u64(v, "tyto.update", 2);
    js_free(v);
    alerts_finish(
        al); /* ended and forgotten: told again later it is still the same uid, with a number not used before */
    in.ts_ns = T0 + 3000 * S;
    in.count = 6;
    alert_raise(al, &in);
    ck_assert(got[2].uid == got[0].uid && got[2].update == 3 && got[2].count == 6 && got[2].first_ns == T0 + S);
    stop();
}
END_TEST

static bool past(void *ctx, uint64_t uid, struct alert_past *ret)
{
    (void)uid;
    *ret = *(struct alert_past *)ctx;
    return true;
}

START_TEST(test_resume)
{
    struct alert_past seven = {.update = 7, .count = 100};
    start((struct alert_conf){.ctx = &seven, .past = past});
    raise_at(T0, "a", "x");
    ck_assert_uint_eq(got[0].update, 8);
    ck_assert_uint_eq(got[0].count, 101);
    raise_at(T0 + S, "a", "x");
    alerts_finish(al);
    ck_assert_uint_eq(got[1].count, 102);
    stop();
}
END_TEST

/* Ended early and raised again at the same time: the same uid goes on with its own numbers, whatever the store says. */
START_TEST(test_evicted_again)
{
    char object[16];
    struct alert_past seven = {.update = 7, .count = 100};
    start((struct alert_conf){.max_open = 4, .bytes = 1 << 20, .ctx = &seven, .past = past});
    raise_at(T0, "a", "x");
    for (unsigned i = 0; i < 4; i++) {
        snprintf(object, sizeof object, "%u", i);
        raise_at(T0, "a", object);
    }
    seven = (struct alert_past){0};
    raise_at(T0, "a", "x");
    ck_assert(got[5].uid == got[0].uid && got[0].update == 8 && got[5].update == 9);
    ck_assert(got[0].count == 101 && got[5].count == 102);
    stop();
}
END_TEST

/* Packet time that jumps by years or runs backwards costs nothing and loses nothing. */
START_TEST(test_clock)
{
    start((struct alert_conf){0});
    raise_at(0, "a", "x");
    raise_at(1, "a", "x");
    alerts_tick(al, UINT64_MAX / 2);
    ck_assert_uint_eq(n_got, 2);
    raise_at(5, "a", "x");
    raise_at(4, "a", "x");
    alerts_finish(al);
    ck_assert_uint_eq(n_got, 4);
    ck_assert_uint_eq(got[3].count, 2);
    stop();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("alert");
    TCase *t = tcase_create("alert");
    tcase_add_test(t, test_fold);
    tcase_add_test(t, test_uid);
    tcase_add_test(t, test_worse);
    tcase_add_test(t, test_bounds);
    tcase_add_test(t, test_rate);
    tcase_add_test(t, test_changes);
    tcase_add_test(t, test_record);
    tcase_add_test(t, test_record_without_event);
    tcase_add_test(t, test_long);
    tcase_add_test(t, test_again);
    tcase_add_test(t, test_resume);
    tcase_add_test(t, test_evicted_again);
    tcase_add_test(t, test_clock);
    suite_add_tcase(s, t);
    return suite_end(s);
}
