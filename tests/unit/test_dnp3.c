/* test_dnp3.c: application fragments in, events out; link frames with their CRCs are made here. */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dissectors/runtime.h"
#include "engine/base/hash.h"
#include "suite.h"

extern const struct dissector dissector_dnp3;

/* ---- a flow with its runtime; what comes out is collected as text, a line each ---- */

static struct dis_rt rt;
static struct flow_rt flow_rt;
static struct event scratch;
static uint64_t last_tx_id;
static struct flow_key key;
static uint8_t state[DIS_FLOW_STATE] __attribute__((aligned(8)));
static char out[1 << 16];
static unsigned out_len;
static uint32_t frame_no;
static uint64_t now_ns;
static uint8_t dir_now, cut_now, udp_now;
static unsigned n_silent;

static void say(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(out + out_len, sizeof out - out_len, fmt, ap);
    va_end(ap);
    if (n > 0)
        out_len += (unsigned)n;
    ck_assert_uint_lt(out_len, sizeof out);
}

static void say_value(const struct val *v)
{
    switch (v->type) {
    case VAL_UINT: case VAL_BOOL:
        say("%llu", (unsigned long long)v->u);
        break;
    case VAL_TIME:
        say("T%llu", (unsigned long long)v->u / 1000000);
        break;
    case VAL_INT:
        say("%lld", (long long)v->i);
        break;
    case VAL_DOUBLE:
        say("%g", v->d);
        break;
    case VAL_TEXT:
        say("%.*s", (int)v->s.n, v->s.p);
        break;
    case VAL_BYTES:
        for (unsigned i = 0; i < v->s.n; i++)
            say("%02x", v->s.p[i]);
        break;
    case VAL_NONE:
        break;
    }
}

static bool say_times; /* of each value, ms */

static void say_quality(const struct event *e, uint32_t bits)
{
    for (unsigned b = 0; e->schema->qualities[b]; b++)
        if (bits >> b & 1)
            say("!%s", e->schema->qualities[b]);
}

static void say_item(const struct event *e, const struct item *it)
{
    char t[EV_OBJECT];
    item_text(e->schema, it, t);
    say(" %s", t);
    if (it->action != e->action)
        say("/%s", action_name(it->action));
    struct val v;
    for (uint32_t k = 0; k < it->v.n && k < 12 && vals_get(&it->v, k, &v); k++) {
        say(k ? "," : "=");
        say_value(&v);
        uint64_t ns;
        if (say_times && vals_time(&it->v, k, &ns))
            say("@%llu", (unsigned long long)(ns / 1000000));
        if (vals_quality(&it->v, k) >= 0)
            say_quality(e, item_quality_bits(e->schema, it, k));
    }
    say_quality(e, it->quality);
    if (it->status != ITEM_STATUS_NONE)
        say("(%s)", code_name(e->schema->statuses, it->status));
}

static void on_event(void *arg, struct dis_ctx *x, struct event *e)
{
    (void)arg;
    (void)x;
    char fn[FN_TEXT];
    ck_assert_uint_ne(e->tx_id, 0);
    last_tx_id = e->tx_id;
    schema_fn_text(e->schema, e->function, fn);
    say("%s %s %s u%u [", ev_kind_name(e->kind), e->op ? e->op->name : fn, action_name(e->action), e->unit);
    for (unsigned i = 0; i < e->n_msgs; i++)
        say("%s%u:%u", i ? " " : "", e->msgs[i].frame, e->msgs[i].function);
    say("]");
    if (e->phase)
        say(" %s", ev_phase_name(e->phase));
    if (e->outcome)
        say(" %s", ev_outcome_name(e->outcome));
    if (e->error)
        say(" !%s", code_name(e->schema->statuses, e->status));
    for (unsigned i = 0; i < e->n_items; i++)
        say_item(e, &e->items[i]);
    for (unsigned b = 0; b < e->schema->n_anomalies; b++)
        if (e->anomalies >> b & 1)
            say(" #%s", e->schema->anomalies[b].name);
    if (e->truncated)
        say(" truncated");
    say("\n");
}

static void on_ident(void *arg, struct dis_ctx *x, const struct rt_ident *i)
{
    (void)arg;
    (void)x;
    if (i->kind == OBS_PROTO_ADDR || i->kind == OBS_STATE)
        return;
    say("ident %s %d %s=%.*s\n", i->side == OBS_CLIENT ? "client" : "server", (int)i->sub, obs_name(i->kind),
        (int)i->value.n, i->value.p);
}

static void on_malformed(void *arg, struct dis_ctx *x, const struct proto_schema *s, unsigned bit)
{
    (void)arg;
    (void)x;
    say("malformed %s\n", s->anomalies[bit].name);
}

static void on_silent(void *arg, struct dis_ctx *x, const struct proto_schema *s)
{
    (void)arg;
    (void)x;
    (void)s;
    n_silent++;
}

static struct dis_ctx context(void)
{
    return (struct dis_ctx){.ts_ns = now_ns, .frame = frame_no, .transport = udp_now ? DIS_UDP : DIS_TCP, .on_port = 1,
                            .dir = dir_now, .cut = cut_now, .key = &key, .flow_id = 7, .state = state, .rt = &rt,
                            .fr = &flow_rt, .dis = &dissector_dnp3, .side = dir_now == DIR_S2C};
}

static void on_context(void *arg, void *owner, struct dis_ctx *x)
{
    (void)arg;
    (void)owner;
    struct dis_ctx c = context();
    c.owner = x->owner;
    *x = c;
}

static const struct rt_sink sink = {on_event, on_ident, on_malformed, on_silent, on_context};

static void setup(void)
{
    ck_assert_int_eq(rt_init(&rt, &rt_conf_default, &scratch, &sink, NULL, 1, NULL), 0);
    flow_rt_init(&flow_rt);
    memset(state, 0, sizeof state);
    memset(&key, 0, sizeof key);
    key.hi.b[15] = 1;
    out_len = frame_no = n_silent = 0;
    now_ns = UINT64_C(1700000000000000000);
    out[0] = 0;
    cut_now = udp_now = 0;
}

static void teardown(void)
{
    struct dis_ctx x = context();
    flow_rt_end(&x);
    rt_done(&rt);
}

/* ---- making frames ---- */

static unsigned unhex(const char *hex, uint8_t *to)
{
    unsigned n = 0;
    for (; *hex; hex++) {
        if (*hex == ' ')
            continue;
        char b[3] = {hex[0], hex[1], 0};
        to[n++] = (uint8_t)strtoul(b, NULL, 16);
        hex++;
    }
    return n;
}

static uint8_t *put_crc(const uint8_t *p, unsigned n, uint8_t *to)
{
    uint16_t v = 0;
    for (unsigned i = 0; i < n; i++) {
        v = (uint16_t)(v ^ p[i]);
        for (int k = 0; k < 8; k++)
            v = (uint16_t)(v & 1 ? v >> 1 ^ 0xa6bc : v >> 1);
    }
    *to++ = (uint8_t)~v;
    *to++ = (uint8_t)(~v >> 8);
    return to;
}

static unsigned link_frame(uint8_t *to, uint8_t control, uint16_t dst, uint16_t src, const uint8_t *data, unsigned n)
{
    uint8_t h[8] = {5, 0x64, (uint8_t)(5 + n), control, (uint8_t)dst, (uint8_t)(dst >> 8), (uint8_t)src,
                    (uint8_t)(src >> 8)};
    uint8_t *p = to;
    memcpy(p, h, 8);
    p = put_crc(h, 8, p + 8);
    for (unsigned at = 0; at < n; at += 16) {
        unsigned k = n - at < 16 ? n - at : 16;
        memcpy(p, data + at, k);
        p = put_crc(data + at, k, p + k);
    }
    return (unsigned)(p - to);
}

/* Bytes of one PDU or datagram to the dissector, in an allocation of exactly their size. */
static enum verdict feed(const uint8_t *p, unsigned n)
{
    uint8_t *copy = malloc(n ? n : 1);
    memcpy(copy, p, n);
    frame_no++;
    now_ns += 1000000;
    struct dis_ctx x = context();
    enum verdict v = dissector_dnp3.parse(cur_make(copy, n), &x);
    free(copy);
    return v;
}

static enum verdict segment(bool master, uint16_t m, uint16_t o, uint8_t tp, const uint8_t *p, unsigned n)
{
    uint8_t data[256], f[300];
    data[0] = tp;
    memcpy(data + 1, p, n);
    dir_now = master ? DIR_C2S : DIR_S2C;
    return feed(f, link_frame(f, master ? 0xc4 : 0x44, master ? o : m, master ? m : o, data, n + 1));
}

static uint8_t tp_seq;

/* An application fragment between master 1 and outstation 10, in as many segments as it needs. */
static void between(bool master, uint16_t m, uint16_t o, const char *hex)
{
    uint8_t app[4096];
    unsigned n = unhex(hex, app), at = 0;
    do {
        unsigned k = n - at < 249 ? n - at : 249;
        tp_seq = (uint8_t)((tp_seq + 1) & 63);
        segment(master, m, o, (uint8_t)((at ? 0 : 0x40) | (at + k == n ? 0x80 : 0) | tp_seq), app + at, k);
        at += k;
    } while (at < n);
}

static void req(const char *hex)
{
    between(true, 1, 10, hex);
}

static void rsp(const char *hex)
{
    between(false, 1, 10, hex);
}

static void end(void)
{
    now_ns += UINT64_C(100000000000);
    rt_expire(&rt, now_ns);
}

static void want(const char *text)
{
    ck_assert_str_eq(out, text);
    out_len = 0;
    out[0] = 0;
}

/* ---- tests ---- */

START_TEST(test_read_classes)
{
    req("c1 01 3c0206 3c0306 3c0406 3c0106");
    rsp("c1 81 0000 0101 00 00 09 0502 1e05 00 01 02 01 0000803f 01 00000040");
    want("transaction read read u10 [1:1 2:129] executed class:1 class:2 class:3 class:0 "
         "binary_input:0-9=1,0,1,0,0,0,0,0,0,1 analog_input:1-2=1,2\n");
}
END_TEST

START_TEST(test_values_and_quality)
{
    rsp("c0 81 0000 1402 00 05 06 01 3412 03 7856"); /* flags differ: each value's own octet */
    rsp("c1 81 0000 1f07 17 02 09 21 0000c03f 0a 40 0000c0bf");
    rsp("c2 81 0000 0301 00 00 05 e401 0302 28 0100 0700 81");
    rsp("c3 81 0000 2a08 28 0100 0300 01 000000000000f03f 0500000000aa 6e03 00 04 05 414243 444546");
    want("response response report u10 [1:129] executed counter:5-6=4660,22136!restart\n"
         "response response report u10 [2:129] executed frozen_analog:9=1.5!over_range"
         " frozen_analog:10=-1.5!offline!reference_error\n"
         "response response report u10 [3:129] executed double_bit_input:0-5=0,1,2,3,1,0 double_bit_input:7=2\n"
         "response response report u10 [4:129] executed analog_output:3=1 octet_string:4-5=ABC,DEF\n");
}
END_TEST

/* The upper half of the octet means what the kind of point says (Clause 11), also where each value has its own. */
START_TEST(test_quality_of_each)
{
    rsp("c0 81 0000 0102 00 00 03 81 01 a0 43");
    rsp("c1 81 0000 0302 00 00 02 41 a1 08");
    rsp("c2 81 0000 0a02 00 00 02 81 00 7d");
    rsp("c3 81 0000 1402 00 00 01 61 0100 01 0200");
    rsp("c4 81 0000 1e02 00 00 02 e1 0100 00 0200 1f 0300");
    want("response response report u10 [1:129] executed binary_input:0-3=1,0,1!offline!chatter_filter,0!restart\n"
         "response response report u10 [2:129] executed double_bit_input:0-2=1,2!chatter_filter"
         ",0!offline!remote_forced\n"
         "response response report u10 [3:129] executed binary_output:0-2=1,0!offline,0!comm_lost!remote_forced"
         "!local_forced\n"
         "response response report u10 [4:129] executed counter:0-1=1!rollover!discontinuity,2\n"
         "response response report u10 [5:129] executed analog_input:0-2=1!over_range!reference_error,2!offline"
         ",3!restart!comm_lost!remote_forced!local_forced\n");
}
END_TEST

/* Each value has its own tag; a relative one counts from the common time in front of it, and is none without. */
START_TEST(test_time_of_each)
{
    say_times = true;
    rsp("c0 81 0000 0202 17 02 05 81 e80300000000 06 01 d00700000000");
    rsp("c1 81 0000 3301 07 01 102700000000 0203 17 02 05 81 0500 06 01 0900");
    rsp("c2 81 0000 0203 17 01 05 81 0500");
    rsp("c3 81 0000 1505 00 00 01 01 07000000 010000000000 01 08000000 ffffffffffff");
    want("response response report u10 [1:129] executed binary_input:5=1@1000 binary_input:6=0@2000\n"
         "response response report u10 [2:129] executed binary_input:5=1@10005 binary_input:6=0@10009\n"
         "response response report u10 [3:129] executed binary_input:5=1\n"
         "response response report u10 [4:129] executed frozen_counter:0-1=7@1,8@18446744073709\n");
    say_times = false;
}
END_TEST

START_TEST(test_select_operate)
{
    req("c2 03 0c01 17 01 05 41 01 f4010000 00000000 00");
    rsp("c2 81 0000 0c01 17 01 05 41 01 f4010000 00000000 00");
    req("c3 04 0c01 17 01 05 41 01 f4010000 00000000 00");
    rsp("c3 81 0000 0c01 17 01 05 41 01 f4010000 00000000 00");
    want("transaction operate control u10 [1:3 2:129 3:4 4:129] execute executed "
         "binary_output:5=close_pulse_on(success)\n");
    /* select alone, refused */
    req("c4 03 2901 17 01 07 64000000 00");
    rsp("c4 81 0000 2901 17 01 07 64000000 04");
    want("transaction select select u10 [5:3 6:129] select refused !not_supported "
         "analog_output:7=100(not_supported)\n");
    /* operate of something else, and of nothing */
    req("c5 03 2902 17 01 07 6400 00");
    rsp("c5 81 0000 2902 17 01 07 6400 00");
    req("c6 04 2902 17 01 07 6500 00");
    rsp("c6 81 0000 2902 17 01 07 6500 02");
    want("transaction operate control u10 [9:4 10:129] execute refused !no_select analog_output:7=101(no_select)"
         " #operate_differs_from_select\n");
    end();
    want("transaction select select u10 [7:3 8:129] select accepted analog_output:7=100(success)\n");
    req("c7 04 2902 17 01 07 6500 00");
    end();
    want("request operate control u10 [11:4] execute analog_output:7=101 #operate_without_select\n");
    req("c8 03 2902 17 01 07 6500 00"); /* the outstation's side was not captured */
    req("c9 04 2902 17 01 07 6500 00");
    req("c9 04 2902 17 01 07 6500 00"); /* repeated */
    end();
    want("request operate control u10 [12:3 13:4] execute analog_output:7=101\n"
         "request operate control u10 [14:4] execute analog_output:7=101\n");
}
END_TEST

START_TEST(test_operate_sequence_and_echo)
{
    req("c2 03 0c01 17 01 05 03 01 00000000 00000000 00");
    rsp("c2 81 0000 0c01 17 01 05 03 01 00000000 00000000 00");
    req("c4 04 0c01 17 01 05 03 01 00000000 00000000 00");
    rsp("c4 81 0000 0c01 17 01 06 03 01 00000000 00000000 00");
    want("transaction operate control u10 [1:3 2:129 3:4 4:129] execute executed "
         "binary_output:5=latch_on binary_output:6=latch_on(success) #operate_sequence #control_echo_differs\n");
    /* two outputs, one of them refused */
    req("c5 05 0c01 28 0200 0100 03 01 00000000 00000000 00 0200 8f 01 00000000 00000000 00");
    rsp("c5 81 0000 0c01 28 0200 0100 03 01 00000000 00000000 00 0200 8f 01 00000000 00000000 07");
    want("transaction direct_operate control u10 [5:5 6:129] partial !local binary_output:1=latch_on(success) "
         "binary_output:2=reserved_operation(local) #control_code_reserved\n");
    req("c6 06 0c01 17 01 05 81 01 64000000 00000000 00");
    want("message direct_operate_no_response control u10 [7:6] binary_output:5=trip_pulse_on\n");
}
END_TEST

START_TEST(test_unsolicited_and_confirm)
{
    rsp("f3 82 0200 0201 17 01 03 81");
    req("d3 00");
    want("unsolicited unsolicited_response report u10 [1:130 2:0] confirm binary_input:3=1\n");
    rsp("f4 82 0200 0203 17 01 03 01 1000"); /* never confirmed; relative time without a common time */
    rsp("f4 82 0200 3301 07 01 005dcd4a9a01 0203 17 01 03 01 1000");
    req("d4 00");
    want("unsolicited unsolicited_response report u10 [4:130 5:0] confirm binary_input:3=0\n");
    end();
    want("unsolicited unsolicited_response report u10 [3:130] binary_input:3=0\n");
    req("d9 00");
    want("message confirm session u10 [6:0] confirm #unexpected_confirm\n");
}
END_TEST

START_TEST(test_fragments)
{
    req("c5 01 3c0106");
    rsp("a5 81 0000 1e04 00 00 01 0100 0200");
    req("c5 00");
    rsp("26 81 0000 1e04 00 02 03 0300 0400");
    req("c6 00");
    rsp("47 81 0000 1e04 00 04 04 0500"); /* no confirmation wanted for the last */
    want("transaction read read u10 [1:1 2:129 3:0 4:129 5:0 6:129] confirm executed class:0 analog_input:0-1=1,2 "
         "analog_input:2-3=3,4 analog_input:4=5\n");
    rsp("4a 81 0000 1e04 00 04 04 0500");
    want("response response report u10 [7:129] executed analog_input:4=5 #fragment_sequence\n");
    /* a confirmation that the capture missed */
    req("c8 01 3c0106");
    rsp("a8 81 0000 1e04 00 00 01 0100 0200");
    rsp("49 81 0000 1e04 00 02 03 0300 0400");
    want("transaction read read u10 [8:1 9:129 10:129] executed class:0 analog_input:0-1=1,2 analog_input:2-3=3,4\n");
}
END_TEST

/* More objects than a record that waits can hold: it is closed, and the next fragment goes on in its name. */
START_TEST(test_large_fragments)
{
    char hex[4096] = "e5 81 0000 2002 17 80";
    hex[0] = 'a';
    for (int i = 0; i < 128; i++)
        snprintf(hex + strlen(hex), 32, "%02x 01 %02x00", i, i);
    req("c5 01 3c0206");
    rsp(hex);
    uint64_t whole = last_tx_id;
    req("c5 00");
    rsp("46 81 0000 2002 17 01 05 01 0400");
    ck_assert_uint_eq(last_tx_id, whole); /* the confirmation in between takes nothing away */
    ck_assert_ptr_eq(strstr(out, "transaction read read u10 [1:1 4:129] executed class:1 analog_input:0=0"), out);
    ck_assert_ptr_nonnull(strstr(out, "message confirm session u10"));
    ck_assert_ptr_nonnull(strstr(out, "executed analog_input:5=4\n"));
    ck_assert_ptr_null(strstr(out, "#"));
}
END_TEST

START_TEST(test_challenge)
{
    req("c2 03 0c01 17 01 05 03 01 00000000 00000000 00");
    rsp("c2 83 0000 7801 5b 01 0c00 01000000 0100 04 01 aabbccdd");
    req("c2 20 7802 5b 01 0800 01000000 0100 1122");
    rsp("c2 81 0000 0c01 17 01 05 03 01 00000000 00000000 00");
    req("c3 04 0c01 17 01 05 03 01 00000000 00000000 00");
    rsp("c3 83 0000 7807 5b 01 1300 01000000 0100 0000 07 000000000000 6e6f7065");
    want("transaction operate control u10 [1:3 2:131 3:32 4:129 5:4 6:131] execute refused !authorization_failed "
         "binary_output:5=latch_on auth:1/authenticate auth:2/authenticate auth:7/authenticate "
         "#authentication_error\n");
    req("c4 20 7804 07 01 0100");
    rsp("c4 83 0000 7805 5b 01 0f00 01000000 0100 01 02 04 0400 aabbccdd");
    want("transaction authentication_request authenticate u10 [7:32 8:131] executed auth:4 auth:5 "
         "#session_keys_invalid\n");
}
END_TEST

START_TEST(test_files)
{
    req("c1 19 4603 5b 01 1f00 1a00 0500 000000000000 a401 00000000 00000000 0100 0004 0100 612e747874");
    rsp("c1 81 0000 4604 5b 01 0d00 78563412 20000000 0004 0100 00");
    want("transaction open_file file u10 [1:25 2:129] executed file:a.txt file_handle:0x12345678\n");
    req("c2 01 4605 5b 01 0800 78563412 00000000");
    rsp("c2 81 0000 4605 5b 01 0c00 78563412 00000080 41424344");
    want("transaction read file u10 [3:1 4:129] executed file_handle:0x12345678\n");
    req("c3 1b 4603 5b 01 1f00 1a00 0500 000000000000 0000 00000000 00000000 0000 0000 0200 612e747874");
    rsp("c3 81 0000 4604 5b 01 0d00 00000000 00000000 0000 0200 03");
    want("transaction delete_file file u10 [5:27 6:129] refused !file_not_found file:a.txt\n");
    req("c4 1d 4602 5b 01 1400 0c00 0400 1000 0400 00000000 726f6f74 746f6f72");
    end();
    want("ident client -1 user=root\n"
         "request authenticate_file authenticate u10 [7:29] #password_in_clear\n");
}
END_TEST

START_TEST(test_attributes)
{
    req("c1 01 00fc 00 00 00");
    rsp("c1 81 0000 00fc 00 00 00 01 04 41636d65");
    want("ident server 10 vendor=Acme\n"
         "transaction read browse u10 [1:1 2:129] executed device_attribute:252=Acme\n");
    rsp("c2 81 0000 00f2 00 00 00 01 03 312e30 00f0 00 00 00 02 02 0008 0005 00 01 01 03 01 ff");
    want("ident server 10 firmware=1.0\n"
         "response response report u10 [3:129] executed device_attribute:242=1.0 device_attribute:240=2048 "
         "private_attribute[1]:5=-1\n");
}
END_TEST

START_TEST(test_writes_and_times)
{
    req("c1 02 3201 07 01 00005dcd9a01");
    rsp("c1 81 0000");
    req("c2 02 5001 00 07 07 00");
    rsp("c2 81 8000");
    req("c3 02 2201 17 01 04 0a00");
    rsp("c3 81 8002");
    want("transaction write time u10 [1:2 2:129] executed time=T1764382015488\n"
         "transaction write alarm_handling u10 [3:2 4:129] executed iin:7=0 #iin_device_restart\n"
         "transaction write configure u10 [5:2 6:129] refused !object_unknown analog_deadband:4=10 "
         "#iin_object_unknown\n");
}
END_TEST

START_TEST(test_other_functions)
{
    req("c1 0d");
    rsp("c1 81 0000 3401 07 01 0500");
    req("c2 15 3c0206 3c0306");
    rsp("c2 81 0000");
    req("c3 16 3c0206 1e00 00 00 03");
    rsp("c3 81 0000");
    req("c4 0b 3202 07 01 00005dcd9a01 60ea0000 1400 06");
    rsp("c4 81 0000");
    req("c5 12 5a01 5b 01 0300 616263");
    rsp("c5 81 0001");
    req("c6 13");
    rsp("c6 81 0001");
    req("c7 0800 1400 06");
    req("c8 08 1400 06");
    req("c9 18");
    rsp("c9 81 0000");
    want("transaction cold_restart reset u10 [1:13 2:129] executed\n"
         "transaction disable_unsolicited configure u10 [3:21 4:129] executed class:1 class:2\n"
         "transaction assign_class configure u10 [5:22 6:129] executed class:1 analog_input:0-3\n"
         "transaction freeze_at_time write u10 [7:11 8:129] executed time=T1764382015488 counter\n"
         "transaction stop_application stop u10 [9:18 10:129] refused !no_func_code_support application:abc "
         "#iin_no_func_code_support\n"
         "transaction save_configuration configure u10 [11:19 12:129] refused !no_func_code_support "
         "#obsolete_function\n"
         "message immediate_freeze_no_response write u10 [13:8] #object_header_broken\n"
         "message immediate_freeze_no_response write u10 [14:8] counter\n"
         "transaction record_current_time time u10 [15:24 16:129] executed\n");
}
END_TEST

START_TEST(test_reserved_and_wrong_side)
{
    req("c1 70");
    rsp("c1 81 0001");
    between(false, 1, 10, "c2 0d");          /* DIR says outstation, the function says master */
    req("c3 81 0000");                        /* and the reverse */
    rsp("c4 f0 0000");
    req("e5 01 3c0106");
    req("41 01 3c0106");
    end();
    want("transaction 112 other u10 [1:112 2:129] refused !no_func_code_support #reserved_function "
         "#iin_no_func_code_support\n"
         "response response report u1 [4:129] executed #response_from_master\n"
         "message 240 other u10 [5:240] #reserved_function\n"
         "request cold_restart reset u1 [3:13] #request_from_outstation\n"
         "request read read u10 [6:1] class:0 #master_requests_confirm\n"
         "request read read u10 [7:1] class:0 #request_fragmented\n");
}
END_TEST

START_TEST(test_broadcast)
{
    between(true, 1, 0xffff, "c1 02 3201 07 01 00005dcd9a01");
    between(true, 1, 0xfffd, "c2 01 3c0106");
    want("message write time u65535 [1:2] time=T1764382015488\n"
         "message read read u65533 [2:1] class:0 #broadcast_needs_answer\n");
}
END_TEST

START_TEST(test_several_outstations)
{
    between(true, 1, 10, "c1 01 3c0206");
    between(true, 1, 11, "c1 01 3c0306");
    between(false, 1, 11, "c1 81 0000");
    between(false, 1, 10, "c1 81 0000");
    want("transaction read read u11 [2:1 3:129] executed class:2\n"
         "transaction read read u10 [1:1 4:129] executed class:1\n");
}
END_TEST

START_TEST(test_reused_sequence)
{
    req("c1 01 3c0206"); /* never answered */
    for (int i = 2; i < 17; i++) {
        char a[32], b[32];
        snprintf(a, sizeof a, "%02x 01 3c0306", 0xc0 | (i & 15));
        snprintf(b, sizeof b, "%02x 81 0000", 0xc0 | (i & 15));
        req(a);
        rsp(b);
    }
    out_len = 0;
    req("c1 01 3c0406");
    rsp("c1 81 0000");
    want("transaction read read u10 [32:1 33:129] executed class:3\n");
    end();
    want("request read read u10 [1:1] class:1\n");
}
END_TEST

START_TEST(test_transport)
{
    uint8_t a[4] = {0xc1, 0x01, 0x3c, 0x02}, b[1] = {6};
    segment(true, 1, 10, 0x80 | 5, b, 1); /* the capture begins inside a message: no fault */
    segment(true, 1, 10, 0x80 | 6, b, 1);
    want("");
    segment(true, 1, 10, 0x40 | 7, a, 4);
    segment(true, 1, 10, 0x80 | 8, b, 1);
    segment(true, 1, 10, 0x80 | 9, b, 1);
    want("malformed transport_lost_first\n");
    segment(true, 1, 10, 0x40 | 1, a, 4);
    segment(true, 1, 10, 0x00 | 1, a, 4);
    segment(true, 1, 10, 0x80 | 3, b, 1);
    want("malformed transport_duplicate\nmalformed transport_sequence_gap\n");
    segment(true, 1, 10, 0x40 | 1, a, 4);
    segment(true, 1, 10, 0x40 | 2, a, 4);
    segment(true, 1, 10, 0x80 | 3, b, 1);
    segment(true, 1, 10, 0xc0 | 3, b, 0);
    want("malformed transport_message_abandoned\nmalformed transport_empty\nmalformed fragment_short\n");
    segment(true, 1, 10, 0x40 | 1, a, 4);
    dir_now = DIR_C2S;
    struct dis_ctx x = context();
    dissector_dnp3.gap(&x, 20);
    segment(true, 1, 10, 0x80 | 3, b, 1);
    want("");
    end();
    want("request read read u10 [4:1] class:1\nrequest read read u10 [11:1] class:1\n");
}
END_TEST

START_TEST(test_link)
{
    uint8_t f[300];
    uint8_t d[3] = {0xc0, 0xc1, 0x0d};
    dir_now = DIR_C2S;
    unsigned n = link_frame(f, 0xc9, 10, 1, NULL, 0);
    ck_assert_int_eq(feed(f, n), DIS_OK);
    ck_assert_uint_eq(n_silent, 1);
    feed(f, link_frame(f, 0xc0 | 7, 10, 1, NULL, 0));
    feed(f, link_frame(f, 0xd4, 10, 1, d, 3));
    feed(f, link_frame(f, 0xc9, 10, 0xfff3, d, 3));
    feed(f, link_frame(f, 0x11, 1, 10, NULL, 0));
    feed(f, link_frame(f, 0x0f, 1, 10, NULL, 0));
    feed(f, link_frame(f, 0xc4, 10, 1, NULL, 0));
    feed(f, link_frame(f, 0xc9, 10, 0xffff, NULL, 0));
    want("malformed reserved_link_function\nmalformed link_control_bits\nmalformed reserved_address\n"
         "malformed link_data_unexpected\nmalformed link_busy\nmalformed link_nack\n"
         "malformed link_function_refused\nmalformed link_data_missing\nmalformed broadcast_source\n");
    end();
    want("request cold_restart reset u10 [3:13]\n");
    feed(f, link_frame(f, 0xd2, 10, 1, d, 3));
    want("malformed link_data_unexpected\n");
    end();
    want("request cold_restart reset u10 [9:13]\n");
    n = link_frame(f, 0xc4, 10, 1, d, 3);
    f[n - 1] ^= 1;
    ck_assert_int_eq(feed(f, n), DIS_MALFORMED);
    f[n - 1] ^= 1;
    f[8] ^= 1;
    ck_assert_int_eq(feed(f, 10), DIS_MALFORMED);
    struct dis_ctx x = context();
    struct frame hunt = dissector_dnp3.frame(cur_make(f + 10, n - 10), &x); /* what follows is passed over ... */
    ck_assert(hunt.st == FRAME_OK && hunt.len == n - 10);
    ck_assert_int_eq(feed(f + 10, n - 10), DIS_OK);
    struct frame fr = dissector_dnp3.frame(cur_make(f, n), &x);
    ck_assert(fr.st == FRAME_OK && fr.len == 10);
    ck_assert_int_eq(dissector_dnp3.probe(cur_make(f, n), &x), MATCH_NO);
    f[8] ^= 1;
    ck_assert_int_eq(dissector_dnp3.probe(cur_make(f, n), &x), MATCH_YES);
    fr = dissector_dnp3.frame(cur_make(f, n), &x);
    ck_assert(fr.st == FRAME_OK && fr.len == n);
    for (unsigned i = 0; i < 10; i++)
        ck_assert_int_eq(dissector_dnp3.frame(cur_make(f, i), &x).st, FRAME_MORE);
    feed(f, n); /* ... up to the next start */
    ck_assert_int_eq(dissector_dnp3.frame(cur_make(f + 10, n - 10), &x).st, FRAME_BAD);
    want("malformed bad_data_crc\nmalformed bad_header_crc\n");
}
END_TEST

START_TEST(test_datagram)
{
    uint8_t f[600], d[5] = {0xc0, 0xc1, 0x01, 0x3c, 0x02}, e[2] = {0x80 | 1, 6}, g[3] = {0xc2, 0xc2, 0x0e};
    d[0] = 0x40;
    udp_now = 1;
    dir_now = DIR_C2S;
    unsigned n = link_frame(f, 0xc4, 10, 1, d, 5);
    n += link_frame(f + n, 0xc4, 10, 1, e, 2);
    unsigned bad = n;
    n += link_frame(f + n, 0xc4, 10, 1, g, 3);
    f[bad + 12] ^= 1; /* its data CRC is wrong; the next one is read all the same */
    n += link_frame(f + n, 0xc4, 10, 1, g, 3);
    f[n++] = 0x55;
    ck_assert_int_eq(feed(f, n), DIS_MALFORMED);
    want("malformed bad_data_crc\nmalformed datagram_trailing_bytes\n");
    end();
    want("request read read u10 [1:1] class:1\nrequest warm_restart reset u10 [1:14]\n");
}
END_TEST

START_TEST(test_cut)
{
    uint8_t f[300], d[40] = {0xc0, 0xc1, 0x81, 0, 0, 30, 4, 0, 0, 12};
    dir_now = DIR_S2C;
    unsigned n = link_frame(f, 0x44, 1, 10, d, 36);
    cut_now = 1;
    for (unsigned i = 10; i < n; i++)
        feed(f, i);
    ck_assert(!strstr(out, "#") && !strstr(out, "malformed"));
    ck_assert(strstr(out, "analog_input:0-2"));
}
END_TEST

/* Nothing may crash, whatever is flipped or missing; run under the sanitizers. */
START_TEST(test_hostile)
{
    static const char *const apps[] = {
        "c1 03 0c01 17 02 05 41 01 f4010000 00000000 00 06 41 01 f4010000 00000000 00 2901 28 0100 0100 01000000 00",
        "e1 81 0000 3301 07 01 005dcd4a9a01 0203 17 01 03 01 1000 0301 00 00 05 e401 1402 00 05 06 01 3412 03 7856",
        "c1 81 0000 00fc 00 00 00 01 04 41636d65 5303 00 00 00 41424344 0100 0200 aabb 7901 00 00 00 01 0000 05000000",
        "c1 19 4603 5b 01 1f00 1a00 0500 000000000000 a401 00000000 00000000 0100 0004 0100 612e747874",
        "c1 1d 4602 5b 01 1400 0c00 0400 1000 0400 00000000 726f6f74 746f6f72",
        "c1 81 0000 4607 5b 01 1900 1400 0500 0100 10000000 000000000000 0000 0100 612e747874",
        "c1 81 0000 4606 5b 01 0900 01000000 00000080 00",
        "c1 20 780a 5b 01 1400 03 01 01000000 0100 0a00 0400 0000 0000 61626364",
        "c1 83 0000 7807 5b 01 1300 01000000 0100 0000 07 000000000000 6e6f7065",
        "c1 16 3c0206 1e00 00 00 03 0100 17 02 03 04 6e05 5b 01 0200 4142 e701 5b 01 0100 00",
    };
    for (unsigned k = 0; k < sizeof apps / sizeof *apps; k++) {
        uint8_t app[256], keep;
        unsigned n = unhex(apps[k], app);
        bool master = (app[1] & 0x80) == 0;
        for (unsigned len = 0; len <= n; len++)
            segment(master, 1, 10, 0xc1, app, len);
        for (unsigned i = 0; i < n; i++) {
            keep = app[i];
            for (unsigned v = 0; v < 256; v += v < 4 || v > 250 ? 1 : 7) {
                app[i] = (uint8_t)v;
                segment(master, 1, 10, 0xc1, app, n);
                out_len = 0;
            }
            app[i] = keep;
        }
        uint8_t f[300], d[256] = {0xc1};
        memcpy(d + 1, app, n);
        unsigned fl = link_frame(f, 0xc4, 10, 1, d, n + 1);
        for (unsigned i = 0; i < fl; i++) {
            feed(f, i);
            f[i] ^= 0xff;
            feed(f, fl);
            f[i] ^= 0xff;
            out_len = 0;
        }
        end();
        out_len = 0;
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("dnp3");
    TCase *t = tcase_create("dnp3");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_read_classes);
    tcase_add_test(t, test_values_and_quality);
    tcase_add_test(t, test_quality_of_each);
    tcase_add_test(t, test_time_of_each);
    tcase_add_test(t, test_select_operate);
    tcase_add_test(t, test_operate_sequence_and_echo);
    tcase_add_test(t, test_unsolicited_and_confirm);
    tcase_add_test(t, test_fragments);
    tcase_add_test(t, test_large_fragments);
    tcase_add_test(t, test_challenge);
    tcase_add_test(t, test_files);
    tcase_add_test(t, test_attributes);
    tcase_add_test(t, test_writes_and_times);
    tcase_add_test(t, test_other_functions);
    tcase_add_test(t, test_reserved_and_wrong_side);
    tcase_add_test(t, test_broadcast);
    tcase_add_test(t, test_several_outstations);
    tcase_add_test(t, test_reused_sequence);
    tcase_add_test(t, test_transport);
    tcase_add_test(t, test_link);
    tcase_add_test(t, test_datagram);
    tcase_add_test(t, test_cut);
    tcase_add_test(t, test_hostile);
    suite_add_tcase(s, t);
    return suite_end(s);
}
