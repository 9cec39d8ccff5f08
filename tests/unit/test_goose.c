/* test_goose.c: GOOSE and R-GOOSE: messages after each other, values, carriers, what breaks the standard. */
#include "tests/unit/dis_feed.h"
#include "tests/unit/suite.h"

#include "dissectors/goose_priv.h"

extern const struct dissector dissector_goose;

/* A message of control block A/L$GO$c, data set A/L$d, t = t seconds, in hex without its header. */
struct msg_hex {
    unsigned st, sq, t, conf, ttl;
    const char *data;      /* elements of allData */
    unsigned entries;
    const char *more;      /* elements in front of confRev */
};

static unsigned put(char *to, const char *fmt, ...) PRINTF(2, 3);
static unsigned put(char *to, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsprintf(to, fmt, ap);
    va_end(ap);
    return (unsigned)n;
}

static const char *apdu(const struct msg_hex *m)
{
    static char hex[2048];
    char body[1024];
    unsigned n = put(body, "80084124474f2f4c2463 8102%04x 8205412f4c2464 8408%08x0000000a", m->ttl, m->t);
    n += put(body + n, " 8504%08x 8604%08x %s 8801%02x 890100 8a01%02x", m->st, m->sq, m->more ? m->more : "", m->conf,
             m->entries);
    uint8_t bytes[512];
    n += put(body + n, " ab%02x %s", feed_hex(m->data, bytes, sizeof bytes), m->data);
    put(hex, "6181%02x %s", feed_hex(body, bytes, sizeof bytes), body);
    return hex;
}

static enum verdict eth(struct feed *f, const struct msg_hex *m)
{
    char hex[2200];
    uint8_t b[1024];
    const char *a = apdu(m);
    put(hex, "1001 %04x 0000 0000 %s", 8 + feed_hex(a, b, sizeof b), a);
    return feed_datagram(f, 0, hex);
}

static struct feed *start(uint8_t transport)
{
    struct feed *f = feed_new(&dissector_goose, 102, 1, 1);
    f->transport = transport;
    return f;
}

static const struct msg_hex first = {1, 0, 1000, 1, 2000, "830101 84030300 00", 2, NULL};

START_TEST(schema_is_sound)
{
    struct err e;
    ck_assert_msg(dissectors_check(&e) == 0, "%s", e.text);
    ck_assert_uint_eq(goose_habits(GOOSE_BIT(GA_DATA_CHANGED) - 1), 0);
    ck_assert_uint_eq(goose_habits(UINT64_MAX << GA_HEADER), 0);
    ck_assert_uint_eq(goose_habits(GOOSE_BIT(GA_LENGTH)), GOOSE_BIT(GA_LENGTH) >> GA_HABITS);
}
END_TEST

START_TEST(a_repetition_is_counted_and_a_change_is_told)
{
    struct feed *f = start(DIS_ETH);
    struct msg_hex m = first;
    ck_assert_int_eq(eth(f, &m), DIS_OK);
    m.sq = 1;
    eth(f, &m);
    m = (struct msg_hex){2, 0, 1001, 1, 2000, "830100 84030300 20", 2, NULL};
    eth(f, &m);
    EXPECT(f, "ident client protocol_address=A$GO",
           "message goose goose_message report unit=4097 control_block:A$GO/L$c data:1=[1] data:2=[0] unknown c2s { "
           "appid=0x1001 gocb_ref=A$GO/L$c dat_set=A/L$d st_num=1 sq_num=0 time=1000000000000 time_accuracy=10 conf_rev=1 "
           "time_allowed_to_live_ms=2000 nds_com=0 num_dat_set_entries=2 change=first_seen }",
           "control_block:A$GO/L$c unknown c2s { ", "sq_num=1", "change=repetition interval_us=1000 }",
           "control_block:A$GO/L$c data:1=[0] data:2~substituted=[4] unknown c2s #state_change { ", "change=state_change");
    ck_assert_uint_eq(f->n_events, 3);
    feed_free(f);
}
END_TEST

/* Forget how the last message was made up: the next one is walked, whatever it is. */
static unsigned forget_layouts(struct feed *f)
{
    unsigned known = 0;
    for (uint32_t i = 0; i < f->rt.conf.n_shared; i++) {
        struct goose_publisher *st = (struct goose_publisher *)(void *)f->rt.shared[i].blob;
        if (!f->rt.shared[i].digest)
            continue;
        known += st->layout.d_n != 0;
        st->layout.d_n = 0;
    }
    return known;
}

/* What comes of the bytes after two messages of the same publisher, walked or known by how they are made up. */
static char *third(const uint8_t *b, uint32_t n, const struct msg_hex *m, bool walked)
{
    struct feed *f = start(DIS_ETH);
    struct msg_hex two = *m;
    eth(f, m);
    two.sq++;
    eth(f, &two);
    ck_assert(!walked || forget_layouts(f) == 1);
    feed_datagram_bytes(f, 0, b, n);
    char *text = strdup(f->text);
    feed_free(f);
    return text;
}

/* Every octet of the third message changed, one after the other, and every end of it: whether the octets are known must
 * make no difference. */
START_TEST(known_octets_make_no_difference)
{
    static const uint8_t change[] = {0x00, 0x01, 0x80, 0xff};
    struct msg_hex m = first;
    char hex[2200];
    uint8_t b[1024];
    m.sq = 3;
    m.more = "870100";
    struct msg_hex last = m;
    last.sq = 5;
    const char *a = apdu(&last);
    put(hex, "1001 %04x 0000 0000 %s", 8 + feed_hex(a, b, sizeof b), a);
    uint32_t n = feed_hex(hex, b, sizeof b);
    for (uint32_t at = 0; at <= n; at++) {
        for (unsigned k = 0; k <= ARRAY_LEN(change); k++) {
            uint8_t keep = b[at];
            b[at] ^= at < n && k < ARRAY_LEN(change) ? change[k] : 0;
            uint32_t len = k < ARRAY_LEN(change) ? n : at;
            char *walked = third(b, len, &m, true), *known = third(b, len, &m, false);
            ck_assert_msg(!strcmp(walked, known), "octet %u:\n%s\n%s", at, walked, known);
            b[at] = keep;
            free(walked);
            free(known);
        }
    }
}
END_TEST

/* The same of elements that are longer, shorter, absent or of another form than before. */
START_TEST(known_elements_make_no_difference)
{
    static const char *const ref = "80084124474f2f4c2463", *const texts = "8205412f4c2464";
    static const char *const t = "8408000003e80000000a", *const rest = "880101 890100 8a0102 ab07 830101 84030300 00";
    static const char *const forms[][3] = { /* between ref and texts, texts and t, t and the rest */
        {"810207d0", "", "850101 860105"}, {"810101", "", "8504000000ff 86020100"}, {"8100", "", "850101 860105"},
        {"8109000000000000000001", "", "850101 8609000000000000000005"},
        {"810a00000000000000000001", "", "850101 860105"},
        {"810207d0", "8303416263", "850101 860105"}, {"810207d0", "8300", "850101 860105"},
        {"81810207d0", "", "850101 860105"}, {"", "", "850101 860105"}, {"810207d0", "", "860105 850101"},
        {"810207d0", "", "85810101 860105"}, {"810207d0", "", "8500 860105"}, {"810207d0", "", "850101 8600"},
        {"810207d0", "", "850101 860105 870100"}, {"810207d0", "", "850101 860105 870200 00"},
    };
    static const char *const ends[] = {"", "8c0100", "8b00", "ab00", "00"};
    const struct msg_hex m = {1, 3, 1000, 1, 2000, "830101 84030300 00", 2, NULL};
    for (unsigned i = 0; i < ARRAY_LEN(forms) * ARRAY_LEN(ends); i++) {
        char body[400], hex[600];
        uint8_t b[512];
        const char *const *k = forms[i / ARRAY_LEN(ends)];
        put(body, "%s%s%s%s%s%s%s%s", ref, k[0], texts, k[1], t, k[2], rest, ends[i % ARRAY_LEN(ends)]);
        uint32_t n = feed_hex(body, b, sizeof b);
        put(hex, "1001 %04x 0000 0000 61%02x %s", 10 + n, n, body);
        n = feed_hex(hex, b, sizeof b);
        char *walked = third(b, n, &m, true), *known = third(b, n, &m, false);
        ck_assert_msg(!strcmp(walked, known), "%s:\n%s\n%s", body, walked, known);
        free(walked);
        free(known);
    }
}
END_TEST

static unsigned counted;

static bool on_again(void *arg, struct dis_ctx *x, const struct rt_again *m)
{
    struct feed *f = arg;
    ck_assert(m->schema == &goose_schema && m->seen->digest == 7 && m->seen->ends == 1);
    ck_assert(m->n_events == 1 && m->n_msgs == 1 && !m->latency_ns && !x->copy);
    ck_assert_uint_gt(f->n_events, 0);
    counted++;
    return true;
}

static void on_event(void *arg, struct dis_ctx *x, struct event *e)
{
    struct feed *f = arg;
    feed_event(arg, x, e);
    f->rt.seen = (struct rt_seen){e->anomalies ? 0 : 7, 1};
}

static const struct rt_sink counting = {.event = on_event, .ident = feed_ident, .malformed = feed_malformed,
                                        .silent = feed_silent, .context = feed_context, .sender = feed_sender,
                                        .again = on_again};

/* Repetitions that the sink only counts move the publisher's state as those do that are told. */
START_TEST(a_repetition_that_is_counted_is_none_less)
{
    static const struct msg_hex m[] = {
        {1, 0, 1000, 1, 2000, "830101", 1, NULL}, {1, 1, 1000, 1, 2000, "830101", 1, NULL},
        {1, 2, 1000, 1, 2000, "830101", 1, NULL}, /* counted, as the next is */
        {1, 3, 1000, 1, 3000, "830101", 1, NULL}, {1, 5, 1000, 1, 3000, "830101", 1, NULL},
        {1, 6, 1000, 1, 3000, "830101", 1, NULL}, {1, 7, 1001, 1, 3000, "830101", 1, NULL},
        {1, 8, 1000, 1, 3000, "830101", 1, NULL}, {1, 9, 1000, 1, 3000, "830100", 1, NULL},
        {2, 0, 1002, 1, 3000, "830100", 1, NULL}, {2, 1, 1002, 1, 0, "830100", 1, NULL},
        {2, 2, 1002, 1, 0, "830100", 1, NULL},    /* counted: timeAllowedtoLive 0 is told when it begins */
        {2, 4, 1002, 1, 1, "830100", 1, NULL},    {2, 5, 1002, 1, 1, "830100", 1, NULL},
        {2, 6, 1002, 1, 1, "830100", 1, NULL},    {3, 0, 1003, 1, 1, "830101", 1, NULL},
    };
    struct feed *told = start(DIS_ETH), *some = start(DIS_ETH);
    some->rt.sink = &counting;
    counted = 0;
    for (unsigned i = 0; i < ARRAY_LEN(m); i++) {
        unsigned before = counted;
        told->n_text = some->n_text = 0;
        told->text[0] = some->text[0] = 0;
        told->now_ns += i == 14 ? 5000000 : 0;
        some->now_ns = told->now_ns;
        eth(told, &m[i]);
        eth(some, &m[i]);
        if (counted == before)
            ck_assert_str_eq(told->text, some->text);
        else
            ck_assert_msg(strstr(told->text, "change=repetition") && !strchr(told->text, '#'), "%s", told->text);
        ck_assert_uint_eq(told->fr.n_messages, some->fr.n_messages);
    }
    ck_assert_uint_ge(counted, 4);
    feed_free(told);
    feed_free(some);
}
END_TEST

/* The message after `before`, as anomalies. */
static void after(struct msg_hex before, struct msg_hex next, uint64_t ms, const char *anomalies, const char *fields)
{
    struct feed *f = start(DIS_ETH);
    eth(f, &before);
    f->now_ns += ms * 1000000;
    f->n_text = 0;
    eth(f, &next);
    const char *t = feed_end(f);
    ck_assert_msg(strstr(t, anomalies) && strstr(t, fields), "%s %s in %s", anomalies, fields, t);
    if (!*anomalies)
        ck_assert_msg(!strchr(t, '#'), "%s", t);
    feed_free(f);
}

START_TEST(what_follows_what)
{
    const struct msg_hex m = {5, 7, 1000, 1, 2000, "830101", 1, NULL};
#define M(...) (struct msg_hex){__VA_ARGS__}
    after(m, M(5, 8, 1000, 1, 2000, "830101", 1, NULL), 5, "", "change=repetition");
    after(m, M(5, 7, 1000, 1, 2000, "830101", 1, NULL), 0, "#sq_num_repeated", "change=copy");
    after(m, M(5, 7, 1000, 1, 2000, "830101", 1, NULL), 5, "#sq_num_repeated", "change=copy");
    after(m, M(5, 11, 1000, 1, 2000, "830101", 1, NULL), 5, "#messages_missed", "lost=3");
    after(m, M(5, 3, 1000, 1, 2000, "830101", 1, NULL), 5, "#sq_num_back", "change=old");
    after(m, M(6, 0, 1001, 1, 2000, "830100", 1, NULL), 5, "#state_change {", "change=state_change");
    after(m, M(6, 0, 1000, 1, 2000, "830100", 1, NULL), 5, "#state_change #time_not_advanced", "");
    after(m, M(6, 2, 1001, 1, 2000, "830100", 1, NULL), 5, "#state_change #messages_missed", "lost=2");
    after(m, M(9, 0, 1001, 1, 2000, "830100", 1, NULL), 5, "#state_changes_missed", "previous_st_num=5");
    after(m, M(5000, 0, 1001, 1, 2000, "830100", 1, NULL), 5, "#st_num_jump", "previous_st_num=5");
    after(m, M(4, 9, 999, 1, 2000, "830100", 1, NULL), 5, "#st_num_back", "change=old");
    after(m, M(1, 0, 1002, 1, 2000, "830100", 1, NULL), 5, "#publisher_restarted", "change=restart");
    after(m, M(5, 8, 1000, 1, 2000, "830100", 1, NULL), 5, "#data_changed_in_state", "data:1=[0]");
    after(m, M(5, 8, 1001, 1, 2000, "830101", 1, NULL), 5, "#time_changed_in_state", "");
    after(m, M(5, 8, 1000, 2, 2000, "830101", 1, NULL), 5, "#conf_rev_changed", "previous_conf_rev=1");
    after(m, M(6, 0, 1001, 1, 2000, "830101830101", 2, NULL), 5, "#entries_changed", "");
    after(m, M(5, 8, 1000, 1, 2000, "830101", 1, NULL), 2005, "#time_allowed_to_live_expired", "");
    after(m, M(5, 8, 1000, 1, 2000, "830101", 1, "870101"), 5, "#simulated #simulation_contradicts", "simulation=1");
    after(M(5, 7, 1000, 1, 2000, "830101", 1, "870101"), M(5, 8, 1000, 1, 2000, "830101", 1, NULL), 5, "#simulation_ended",
          "");
    /* 18.2.3: after the highest number comes 1 */
    after(M(5, UINT32_MAX, 1000, 1, 2000, "830101", 1, NULL), M(5, 1, 1000, 1, 2000, "830101", 1, NULL), 5, "", "repetition");
    after(M(UINT32_MAX, 7, 1000, 1, 2000, "830101", 1, NULL), M(1, 0, 1001, 1, 2000, "830100", 1, NULL), 5, "#state_change {",
          "change=state_change");
}
END_TEST

START_TEST(habits_are_told_once)
{
    struct feed *f = start(DIS_ETH);
    struct msg_hex m = {1, 0, 1000, 0, 2000, "830101", 4, NULL};
    for (m.sq = 0; m.sq < 4; m.sq++)
        eth(f, &m);
    const char *t = feed_end(f), *at = strstr(t, "#conf_rev_zero");
    ck_assert_ptr_nonnull(at);
    ck_assert_ptr_null(strstr(at + 1, "#conf_rev_zero"));
    at = strstr(t, "#entries_mismatch");
    ck_assert_ptr_nonnull(at);
    ck_assert_ptr_null(strstr(at + 1, "#entries_mismatch"));
    feed_free(f);
}
END_TEST

START_TEST(a_marked_copy_moves_no_state)
{
    struct feed *f = start(DIS_ETH);
    struct msg_hex m = first;
    eth(f, &m);
    struct dis_ctx x;
    uint8_t b[1024], head[8] = {0x10, 1};
    feed_fill(f, &x, 0);
    uint32_t n = feed_hex(apdu(&m), b + 8, sizeof b - 8);
    memcpy(b, head, 8);
    b[3] = (uint8_t)(n + 8);
    x.copy = 1;
    x.ts_ns += 1900000;
    f->dis->parse(cur_make(b, n + 8), &x);
    m.sq = 1;
    eth(f, &m);
    x.ts_ns += 3000000; /* the other LAN lags: its frame comes behind the next one */
    f->dis->parse(cur_make(b, n + 8), &x);
    m.sq = 2;
    eth(f, &m);
    EXPECT(f, "change=first_seen", "change=copy", "change=repetition", "change=copy", "change=repetition");
    EXPECT_NOT(f, "#");
    feed_free(f);
}
END_TEST

START_TEST(values_have_places)
{
    struct feed *f = start(DIS_ETH);
    struct msg_hex m = first;
    m.data = "a20c 87050842f6e979 840303c010 830101 84020680 a200 850180";
    m.entries = 5;
    eth(f, &m);
    EXPECT(f, "data:1.1=[123.456] data:1.2~questionable~test=[6146] data:2=[1] data:3=[2] data:4 data:5=[-128]",
           "#test_quality {");
    feed_free(f);
    f = start(DIS_ETH);
    m.data = "a20c 87050842f6e979 8403030000 830101 84020680 a200 850180";
    eth(f, &m);
    EXPECT_NOT(f, "#entries_mismatch");
    feed_free(f);
}
END_TEST

START_TEST(frames_that_are_wrong)
{
    static const struct {
        const char *hex;
        enum verdict verdict;
        const char *says;
    } rows[] = {
        {"1001", DIS_MALFORMED, "malformed #bad_header"},
        {"1001 0008 0000 0000", DIS_MALFORMED, "malformed #bad_header"},
        {"1001 000a 0000 0000 6200", DIS_MALFORMED, "malformed #bad_header"},
        {"1001 000a 0000 0000 6181", DIS_MALFORMED, "malformed #bad_encoding"},
        {"1001 000a 0000 0000 6100", DIS_MALFORMED, "#element_missing"},
        {"1001 0010 0000 0000 6105 800141 8501", DIS_MALFORMED, "#element_missing #length_mismatch #bad_encoding"},
        {"1001 000d 0000 0000 6003 800101", DIS_MALFORMED, "malformed #bad_encoding"},
        {"1001 0010 7000 0000 6106 800141 800142", DIS_MALFORMED, "#element_missing #element_unexpected #reserved_bits"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct feed *f = start(DIS_ETH);
        ck_assert_msg(feed_datagram(f, 0, rows[i].hex) == rows[i].verdict, "%s", rows[i].hex);
        EXPECT(f, rows[i].says);
        feed_free(f);
    }
}
END_TEST

START_TEST(routed)
{
    char hex[4096];
    uint8_t b[1024];
    struct msg_hex m = first;
    const char *a = apdu(&m);
    unsigned n = feed_hex(a, b, sizeof b), all = 2 * (n + 6);
    struct feed *f = start(DIS_UDP);
    /* twice the same, signed */
    put(hex, "0140 a118 8012 %08x 00000009 0001 695b0000 001e 0002 00000007 %08x 8100 1001 %04x %s 8100 1001 %04x %s 8502aabb",
        all + 26, all, n, a, n, a);
    ck_assert_int_eq(feed_datagram(f, 0, hex), DIS_OK);
    EXPECT(f, "change=first_seen spdu_number=9 spdu_version=1 key_id=0x7 key_time=1767571456000000000 next_key_min=30 "
              "encryption=none signature=hmac_sha256_128 signed=1 copies=2 }");
    ck_assert_uint_eq(f->n_events, 1);
    /* version 2, encrypted */
    put(hex, "0140 a11b 8015 00000020 0000000a 0002 695b0000 001e 00000007 04 01020304 00000004 deadbeef");
    ck_assert_int_eq(feed_datagram(f, 0, hex), DIS_OK);
    EXPECT(f, " ? report unknown c2s { spdu_number=10");
    ck_assert_uint_eq(f->n_events, 2);
    ck_assert_int_eq(feed_datagram(f, 0, "0140 a218 8012 00000000"), DIS_OK);
    ck_assert_uint_eq(f->n_silent, 1);
    ck_assert_int_eq(feed_datagram(f, 0, "0140 a118 8012 00000000"), DIS_MALFORMED);
    feed_free(f);
    ck_assert_int_eq(feed_probe(&dissector_goose, "0140 a118 8012 0000", 1, NULL), MATCH_YES);
    ck_assert_int_eq(feed_probe(&dissector_goose, "0140 a218 8012 0000", 1, NULL), MATCH_NO);
    ck_assert_int_eq(feed_probe(&dissector_goose, "0300 0016 11e0 0000", 1, NULL), MATCH_NO);
    ck_assert_int_eq(feed_probe(&dissector_goose, "0140 a118 80", 1, NULL), MATCH_NO);
}
END_TEST

START_TEST(management)
{
    struct feed *f = start(DIS_ETH);
    feed_datagram(f, 0, "4001 0013 0000 0000 6009 800105 a104 a102 1a00");
    feed_datagram(f, 1, "4001 0011 0000 0000 6007 800105 a202 8000");
    EXPECT(f, "transaction management:1,management:0 get_go_reference browse", "status=?! refused s2c");
    feed_free(f);
}
END_TEST

START_TEST(hostile)
{
    struct msg_hex m = first;
    char hex[2200];
    uint8_t b[1024];
    const char *a = apdu(&m);
    static const uint8_t marks[] = {0x00, 0x7f, 0x80, 0xff};
    put(hex, "1001 %04x 0000 0000 %s", 8 + feed_hex(a, b, sizeof b), a);
    uint32_t n = feed_hex(hex, b, sizeof b);
    for (uint32_t at = 0; at < n; at++)
        for (unsigned k = 0; k <= sizeof marks; k++) {
            struct feed *f = start(k & 1 ? DIS_ETH : DIS_UDP);
            uint8_t keep = b[at];
            if (k < sizeof marks)
                b[at] = marks[k];
            for (int i = 0; i < 2; i++)
                feed_datagram_bytes(f, i, b, k < sizeof marks ? n : at);
            b[at] = keep;
            feed_free(f);
        }
}
END_TEST

SUITE("goose", 60, schema_is_sound, a_repetition_is_counted_and_a_change_is_told, known_octets_make_no_difference,
      known_elements_make_no_difference, a_repetition_that_is_counted_is_none_less, what_follows_what,
      habits_are_told_once, a_marked_copy_moves_no_state, values_have_places, frames_that_are_wrong, routed,
      management, hostile)
