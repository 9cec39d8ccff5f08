/* test_again.c: messages known by their octets give what reading them gives, and nothing else is taken for them. */
#include "tests/unit/dis_feed.h"
#include "built_pcap.h"
#include "engine/base/hash.h"
#include "suite.h"

extern const struct dissector dissector_modbus, dissector_s7comm, dissector_enip, dissector_bacnet, dissector_iec104;
extern const struct proto_schema modbus_schema;

/* ---- the calls themselves ---- */

static const struct kind_def kinds[] = {{"tag", KIND_NAME}};
static const struct field_def fields[] = {{"number", FT_UINT, false, NULL, NULL, ""}};
static const struct op_row ops[] = {{1, OP_ANY_SELECTOR, "read", ACT_READ, 0, 0, 0, 0, 0}};
static const struct proto_schema schema = {.name = "modbus", .kinds = kinds, .n_kinds = 1, .fields = fields,
                                           .n_fields = 1, .ops = ops, .n_ops = 1};

static struct span octets(const char *s)
{
    return (struct span){(const uint8_t *)s, (uint32_t)strlen(s)};
}

enum spoil { NOTHING, ANOMALY, TOLD, TOLD_BEFORE, SHARED, SECOND };

/* A request of these octets with this number. True: it was known. */
static bool ask(struct feed *f, const char *s, uint64_t context, uint32_t number, enum spoil spoil)
{
    struct dis_ctx x;
    f->frame++;
    f->now_ns += 1000000;
    feed_fill(f, &x, 0);
    struct again a = {.field = 0, .vary = number, .own = 1};
    if (ev_again(&x, octets(s), context, number, &a))
        return true;
    if (spoil == SHARED)
        dis_shared(&x, &modbus_schema, 1, true);
    if (spoil == SECOND)
        ev_commit(&x, ev_begin(&x, &schema, 1, 0));
    struct event *e = ev_begin(&x, &schema, 1, 0);
    ev_u64(e, 0, number);
    ev_named(e, 0, ev_text_copy(e, s, (uint32_t)strlen(s)));
    if (spoil == ANOMALY)
        ev_anomaly(e, 0);
    if (spoil == TOLD)
        obs_fmt(&x, &modbus_schema, OBS_SERVER, OBS_SELF, OBS_MODEL, 90, "model %u", f->frame);
    if (spoil == TOLD_BEFORE)
        obs_fmt(&x, &modbus_schema, OBS_CLIENT, OBS_SELF, OBS_NAME, 90, "station");
    ev_wait_again(&x, e, number, &a);
    return false;
}

static unsigned again_calls; /* events, more than one a call where they were put together */
static bool again_says;

static bool on_again(void *arg, struct dis_ctx *x, const struct rt_again *m)
{
    (void)arg;
    (void)x;
    ck_assert(m->n_msgs == 2 * m->n_events || (m->n_msgs == 1 && m->latency_ns == 0)); /* answers, or a message alone */
    ck_assert_ptr_nonnull(m->schema);
    ck_assert_uint_ne(m->seen->digest, 0);
    ck_assert_uint_lt(m->latency_ns, UINT64_C(1) << 40);
    again_calls += m->n_events;
    return again_says;
}

static bool on_join(void *arg, const struct rt_seen *of, unsigned n, struct rt_seen *ret)
{
    (void)arg;
    ck_assert_uint_gt(n, 0);
    for (unsigned i = 0; i < n; i++)
        ck_assert_uint_ne(of[i].digest, 0);
    *ret = of[0];
    return again_says;
}

/* With what feed_event() leaves out. */
static void on_event(void *arg, struct dis_ctx *x, struct event *e)
{
    struct feed *f = arg;
    feed_event(arg, x, e);
    feed_say(f, "  tx %" PRIx64 " latency %" PRIu64, e->tx_id, e->kind == EV_TRANSACTION ? e->latency_ns : 0);
    for (unsigned i = 0; i < e->n_msgs; i++)
        feed_say(f, " %u@%" PRIu64, e->msgs[i].frame, e->msgs[i].ts_ns);
    feed_say(f, " total %u far %u text %u\n", e->items_total, e->has_far, e->truncated);
    f->rt.seen = (struct rt_seen){e->anomalies ? 0 : 1, 1};
}

static const struct rt_sink sink = {.event = on_event, .ident = feed_ident, .malformed = feed_malformed,
                                    .silent = feed_silent, .context = feed_context, .sender = feed_sender,
                                    .again = on_again, .join = on_join};

static uint32_t reply_data; /* octets at the end of the next answers, of which the first matters */

/* True: known. */
static bool reply(struct feed *f, const char *s, uint32_t number, bool cut)
{
    struct dis_ctx x;
    f->frame++;
    f->now_ns += 1000000;
    feed_fill(f, &x, 1);
    x.cut = cut;
    struct again a = {.data = reply_data};
    if (ev_answer_again(&x, octets(s), 0, number, &a))
        return true;
    struct event *e = ev_answer(&x, &schema, number, 1, 0);
    ck_assert_uint_eq(e->msgs[e->n_msgs - 1].frame, f->frame);
    ev_commit_again(&x, e, &a);
    return false;
}

static struct feed *fresh(const struct dissector *d, uint16_t port)
{
    struct feed *f = feed_new(d, port, 1, 1);
    f->rt.sink = &sink;
    again_calls = 0;
    again_says = false;
    return f;
}

static struct feed *without_memory(const struct dissector *d, uint16_t port)
{
    struct feed *f = feed_new(d, port, 1, 1);
    struct rt_conf conf = rt_conf_default;
    memset(conf.again, 0, sizeof conf.again);
    rt_done(&f->rt);
    ck_assert_int_eq(rt_init(&f->rt, &conf, &f->scratch, &sink, f, 42, NULL), 0);
    return f;
}

START_TEST(test_third_is_known)
{
    struct feed *f = fresh(&dissector_modbus, 502);
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_int_eq(ask(f, "poll", 7, 100 + i, NOTHING), i >= 2);
        f->n_text = 0;
        reply(f, "fine", 100 + i, true);
        char want[200];
        snprintf(want, sizeof want, "transaction 1,1 read read tag:poll executed s2c { number=%u }\n  tx %" PRIx64
                 " latency 1000000 %u@", 100 + i, hash_mix(4711, 2 * i + 1), 2 * i + 1);
        ck_assert_msg(strncmp(f->text, want, strlen(want)) == 0, "%s\nwanted\n%s", f->text, want);
    }
    ck_assert(!ask(f, "poll", 8, 1, NOTHING)); /* another context */
    ck_assert(!ask(f, "pole", 7, 2, NOTHING));
    ck_assert(ask(f, "poll", 7, 3, NOTHING));
    f->n_text = 0;
    const char *end = feed_end(f); /* no answer: told as it was sent */
    ck_assert_msg(strstr(end, "request 1 read read tag:poll unknown c2s { number=3 }") != NULL, "%s", end);
    feed_free(f);
}
END_TEST

START_TEST(test_not_kept)
{
    for (enum spoil s = ANOMALY; s <= SECOND; s++) {
        struct feed *f = fresh(&dissector_modbus, 502);
        for (uint32_t i = 0; i < 4; i++)
            ck_assert_msg(!ask(f, "poll", 0, i, s), "spoilt by %d", s);
        feed_free(f);
    }
}
END_TEST

START_TEST(test_answers)
{
    struct feed *f = fresh(&dissector_modbus, 502);
    again_says = true;
    for (uint32_t i = 0; i < 6; i++) {
        ask(f, "poll", 0, i, NOTHING);
        ck_assert_int_eq(reply(f, "fine", i, false), i >= 3); /* the third is the first by a kept request */
    }
    ck_assert_uint_eq(again_calls, 3);
    ck_assert_uint_eq(f->n_events, 3);
    ck_assert_uint_eq(f->rt.n_txn_used, 0);
    ask(f, "poll", 0, 10, NOTHING);
    ck_assert(!reply(f, "else", 10, false));
    ask(f, "poll", 0, 11, NOTHING);
    ck_assert(!reply(f, "fine", 11, true)); /* cut */
    ask(f, "poll", 0, 12, NOTHING);
    f->rt.obs_told++; /* something new is known of a device: what an answer tells may be new again */
    ck_assert(!reply(f, "fine", 12, false));
    ask(f, "poll", 0, 13, NOTHING);
    ck_assert(reply(f, "fine", 13, false));
    again_says = false;
    ask(f, "poll", 0, 14, NOTHING);
    ck_assert(!reply(f, "fine", 14, false)); /* the sink wants to see it */
    feed_free(f);
}
END_TEST

START_TEST(test_data_of_an_answer)
{
    struct feed *f = fresh(&dissector_modbus, 502);
    again_says = true;
    for (uint32_t i = 0; i < 3; i++) {
        ask(f, "poll", 0, i, NOTHING);
        reply_data = 3;
        ck_assert(!reply(f, "fine", i, false));
    }
    static const struct {
        const char *s;
        uint32_t data;
        bool known;
    } answers[] = {{"fine", 3, true}, {"fi__", 3, true}, {"f_ne", 3, false}, {"_ine", 3, false},
                   {"fi", 1, true},   {"fi", 0, true},   {"fine", 0, false}, {"fi__", 3, true}};
    for (uint32_t i = 0; i < ARRAY_LEN(answers); i++) {
        ask(f, "poll", 0, 10 + i, NOTHING);
        reply_data = answers[i].data;
        ck_assert_int_eq(reply(f, answers[i].s, 10 + i, false), answers[i].known);
    }
    reply_data = 0;
    feed_free(f);
}
END_TEST

/* A message of its own, of the client or the server. True: known. */
static bool tell(struct feed *f, const char *s, uint64_t context, int from_server)
{
    struct dis_ctx x;
    f->frame++;
    f->now_ns += 1000000;
    feed_fill(f, &x, from_server);
    struct again a;
    if (ev_told_again(&x, &schema, octets(s), context, &a))
        return true;
    struct event *e = ev_begin(&x, &schema, 1, 0);
    e->kind = EV_UNSOLICITED;
    ev_named(e, 0, octets(s));
    ev_commit_again(&x, e, &a);
    return false;
}

START_TEST(test_told)
{
    struct feed *f = fresh(&dissector_modbus, 502);
    again_says = true;
    ck_assert(!tell(f, "news", 7, 1));
    ck_assert(tell(f, "news", 7, 1));
    ck_assert(!tell(f, "news", 8, 1)); /* another context, end, text */
    ck_assert(!tell(f, "news", 7, 0));
    ck_assert(!tell(f, "olds", 7, 1));
    ck_assert(tell(f, "news", 7, 1));
    ck_assert_uint_eq(f->fr.n_messages, 6);
    f->rt.obs_told++;
    ck_assert(!tell(f, "news", 7, 1));
    ck_assert(tell(f, "news", 7, 1));
    again_says = false;
    ck_assert(!tell(f, "news", 7, 1)); /* the sink wants to see it */
    ck_assert_uint_eq(f->n_events, 6);
    feed_free(f);
}
END_TEST

/* Three answers in one packet, to the requests of these numbers; as a dissector asks for them. True: known together. */
static bool replies(struct feed *f, const char *const s[3], uint32_t number)
{
    struct dis_ctx x;
    struct again_part parts[3];
    struct again all, one;
    uint32_t places[3], known = 0;
    f->frame++;
    f->now_ns += 1000000;
    feed_fill(f, &x, 1);
    for (uint32_t i = 0; i < 3; i++)
        parts[i] = (struct again_part){.s = octets(s[i]), .key = number + i, .context = i};
    if (ev_answers_again(&x, parts, 3, &all))
        return true;
    for (uint32_t i = 0; i < 3; i++) {
        one = (struct again){.data = 0};
        if (ev_answer_again(&x, parts[i].s, i, number + i, &one)) {
            places[i] = one.place;
            known++;
            continue;
        }
        ev_commit_again(&x, ev_answer(&x, &schema, number + i, 1, 0), &one);
    }
    if (known == 3)
        ev_answers_keep(&x, &all, places, 3);
    return false;
}

/* Requests of the same time. */
static void ask_three(struct feed *f, uint32_t number)
{
    static const char *const polls[] = {"level", "flow", "state"};
    for (uint32_t i = 0; i < 3; i++) {
        ask(f, polls[i], 0, number + i, NOTHING);
        f->now_ns -= 1000000;
    }
}

/* Where things are kept is as good as random, and what finds no place is only read again: so with many secrets. The
 * number of rounds in which the answers were known together: those from the fifth on, where each has its place. */
static unsigned rounds_together(struct feed *f, uint32_t *number)
{
    static const char *const same[3] = {"7", "12", "on"};
    unsigned n = 0;
    uint32_t messages = 0;
    for (unsigned i = 0; i < 8; i++, *number += 10) {
        ask_three(f, *number);
        bool together = replies(f, same, *number);
        /* the requests are kept with the second round, their answers read after that, told one by one, then together */
        ck_assert(!together || i >= 4);
        n += together;
        ck_assert_uint_eq(f->fr.n_txn, 0);
        ck_assert_uint_eq(f->fr.n_messages - messages, 6);
        messages = f->fr.n_messages;
    }
    return n;
}

START_TEST(test_answers_together)
{
    static const char *const same[3] = {"7", "12", "on"}, *const other[3] = {"7", "13", "on"},
                            *const turned[3] = {"12", "7", "on"};
    unsigned n_kept = 0;
    for (uint64_t secret = 1; secret <= 40; secret++) {
        struct feed *f = fresh(&dissector_modbus, 502);
        uint32_t number = 0;
        f->rt.secret = secret * UINT64_C(0x9e3779b97f4a7c15);
        again_says = true;
        bool kept = rounds_together(f, &number) == 4;
        n_kept += kept;
        ask_three(f, number);
        ck_assert(!replies(f, other, number)); /* one of them is new */
        ask_three(f, number);
        ck_assert(!replies(f, turned, number));
        ask(f, "level", 0, number, NOTHING); /* an older one waits under a key of theirs: that is answered */
        ask_three(f, number);
        ck_assert(!replies(f, same, number));
        ck_assert_uint_eq(f->fr.n_txn, 1);
        ask_three(f, number + 5);
        ck_assert(!replies(f, same, number + 5)); /* one waits before them */
        ck_assert_uint_eq(f->fr.n_txn, 1);
        reply(f, "7", number, false);
        ask_three(f, number);
        f->rt.obs_told++;
        ck_assert(!replies(f, same, number)); /* something new is known of a device */
        ck_assert_uint_eq(f->fr.n_txn, 0);
        again_says = false;
        ask_three(f, number);
        ck_assert(!replies(f, same, number)); /* somebody wants to see them */
        ck_assert_uint_eq(f->fr.n_txn, 0);
        feed_free(f);
    }
    ck_assert_uint_gt(n_kept, 30);
}
END_TEST

/* More sorts of requests than there is room for, each three times: whatever is kept and forgotten, what comes out
 * is right, and what waits is never overwritten. */
START_TEST(test_full)
{
    struct feed *f = fresh(&dissector_modbus, 502);
    uint32_t known = 0;
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t i = 0; i < 3000; i++) {
            char s[16], want[64];
            snprintf(s, sizeof s, "poll-%u", i);
            for (unsigned k = 0; k < 3; k++)
                known += ask(f, s, 0, i + k * 10000, NOTHING);
            for (unsigned k = 0; k < 3; k++) {
                f->n_text = 0;
                reply(f, "fine", i + k * 10000, true);
                snprintf(want, sizeof want, "tag:poll-%u executed s2c { number=%u }", i, i + k * 10000);
                ck_assert_msg(strstr(f->text, want) != NULL, "%s wanted %s", f->text, want);
            }
        }
    }
    ck_assert_uint_gt(known, 0);
    feed_free(f);
}
END_TEST

/* Requests without answers, large ones among them: who is given up when there is no more room does not depend on what is
 * known. */
START_TEST(test_bounds)
{
    struct feed *with = fresh(&dissector_modbus, 502), *without = without_memory(&dissector_modbus, 502);
    uint32_t known = 0;
    for (uint32_t i = 0; i < 1500; i++) {
        char s[1001];
        uint32_t n = i % 3 ? 900 : 20;
        memset(s, 'a' + (int)(i / 10 % 6), n);
        s[n] = 0;
        with->n_text = without->n_text = 0;
        with->text[0] = without->text[0] = 0;
        known += ask(with, s, 0, i, NOTHING);
        ck_assert(!ask(without, s, 0, i, NOTHING));
        ck_assert_str_eq(with->text, without->text);
        ck_assert_uint_eq(with->rt.stats.txn_evicted, without->rt.stats.txn_evicted);
        ck_assert_uint_eq(with->rt.n_txn_used, without->rt.n_txn_used);
    }
    ck_assert_uint_gt(with->rt.stats.txn_evicted, 0);
    ck_assert_uint_gt(known, 0);
    feed_free(with);
    feed_free(without);
}
END_TEST

/* ---- whole captures, over and over: with and without the memory ---- */

static const struct {
    const char *capture;
    const struct dissector *dis;
    uint16_t port;
} built[] = {
    {"modbus/functions", &dissector_modbus, 502},   {"modbus/exceptions", &dissector_modbus, 502},
    {"modbus/anomalies", &dissector_modbus, 502},   {"modbus/gateway", &dissector_modbus, 502},
    {"modbus/diagnostics", &dissector_modbus, 502}, {"modbus/umas", &dissector_modbus, 502},
    {"modbus/rtu", &dissector_modbus, 502},         {"s7comm/identity", &dissector_s7comm, 102},
    {"s7comm/control", &dissector_s7comm, 102},     {"s7comm/download", &dissector_s7comm, 102},
    {"s7comm/force", &dissector_s7comm, 102},       {"s7comm/malformed", &dissector_s7comm, 102},
    {"s7comm/others", &dissector_s7comm, 102},      {"s7comm/nc", &dissector_s7comm, 102},
    {"s7comm/cyclic", &dissector_s7comm, 102},      {"s7comm/transport", &dissector_s7comm, 102},
    {"enip/tags", &dissector_enip, 44818},          {"enip/route", &dissector_enip, 44818},
    {"enip/connections", &dissector_enip, 44818},   {"enip/odd", &dissector_enip, 44818},
    {"enip/pccc", &dissector_enip, 44818},          {"enip/mode", &dissector_enip, 44818},
    {"enip/files", &dissector_enip, 44818},         {"enip/address", &dissector_enip, 44818},
    {"enip/download", &dissector_enip, 44818},      {"enip/reset", &dissector_enip, 44818},
    {"bacnet/anomalies", &dissector_bacnet, 47808}, {"bacnet/bbmd", &dissector_bacnet, 47808},
    {"bacnet/control", &dissector_bacnet, 47808},   {"bacnet/errors", &dissector_bacnet, 47808},
    {"bacnet/events", &dissector_bacnet, 47808},    {"bacnet/identity", &dissector_bacnet, 47808},
    {"bacnet/management", &dissector_bacnet, 47808}, {"bacnet/routers", &dissector_bacnet, 47808},
    {"bacnet/segments", &dissector_bacnet, 47808},  {"bacnet/stack", &dissector_bacnet, 47808},
    {"bacnet/values", &dissector_bacnet, 47808},    {"iec104/anomalies", &dissector_iec104, 2404},
    {"iec104/commands", &dissector_iec104, 2404},   {"iec104/files", &dissector_iec104, 2404},
    {"iec104/monitor", &dissector_iec104, 2404},    {"iec104/sizes", &dissector_iec104, 2404},
    {"iec104/system", &dissector_iec104, 2404},     {"iec104/transfer", &dissector_iec104, 2404},
};

/* Of these the answers must have been known, too. */
static const char *const polls[] = {"modbus/gateway", "s7comm/transport", "enip/tags",     "enip/address",
                                    "bacnet/values",  "bacnet/routers",   "iec104/monitor"};

static void give(struct feed *f, const struct packet *p)
{
    if (p->tcp)
        feed_bytes(f, p->from_server, p->p, p->n);
    else
        feed_datagram_bytes(f, p->from_server, p->p, p->n);
}

START_TEST(test_same_as_read)
{
    enum { ROUNDS = 5 };
    uint32_t n, counted = 0;
    uint8_t *b = built_load(built[_i].capture, &n);
    ck_assert_msg(b != NULL, "%s is not here", built[_i].capture);
    for (int counts = 0; counts < 2; counts++) {
        struct feed *with = fresh(built[_i].dis, built[_i].port);
        struct feed *without = without_memory(built[_i].dis, built[_i].port);
        struct packet p;
        with->transport = without->transport = built[_i].dis->frame ? DIS_TCP : DIS_UDP;
        for (unsigned round = 0; round < ROUNDS; round++) {
            for (uint32_t at = 24; built_next(b, n, &at, &p);) {
                if (p.tcp != (built[_i].dis->frame != NULL))
                    continue;
                with->n_text = without->n_text = with->n_events = without->n_events = 0;
                with->text[0] = without->text[0] = 0;
                again_calls = 0;
                again_says = false;
                give(without, &p);
                again_says = counts;
                uint32_t before = again_calls;
                give(with, &p);
                uint32_t hits = counts ? again_calls - before : 0;
                counted += hits;
                ck_assert_uint_eq(with->n_events + hits, without->n_events);
                if (!hits)
                    ck_assert_str_eq(with->text, without->text);
                ck_assert_uint_eq(with->rt.n_txn_used, without->rt.n_txn_used);
            }
        }
        with->n_text = without->n_text = 0;
        with->text[0] = without->text[0] = 0;
        ck_assert_str_eq(feed_end(with), feed_end(without));
        feed_free(with);
        feed_free(without);
    }
    for (unsigned i = 0; i < ARRAY_LEN(polls); i++)
        if (strcmp(built[_i].capture, polls[i]) == 0)
            ck_assert_uint_gt(counted, 0);
    free(b);
}
END_TEST

/* The value of a boolean lies in its tag: an octet behind it is no value that may be left out. */
START_TEST(test_boolean_has_no_octets)
{
    uint8_t ask[] = {0x81, 0x0a, 0, 17, 1, 4, 0, 5, 0, 0x0c, 0x0c, 0, 0x80, 0, 1, 0x19, 0x55};
    uint8_t answer[] = {0x81, 0x0a, 0, 20, 1, 0, 0x30, 0, 0x0c, 0x0c, 0, 0x80, 0, 1, 0x19, 0x55, 0x3e, 0x11, 0, 0x3f};
    struct feed *f = fresh(&dissector_bacnet, 47808);
    f->transport = DIS_UDP;
    again_says = true;
    uint32_t known = 0;
    for (uint8_t i = 0; i < 10; i++) {
        ask[8] = answer[7] = i;
        answer[18] = i < 8 ? 0 : i == 8 ? 0x3f : 0x2a; /* closes early, or a broken tag */
        uint32_t before = again_calls;
        feed_datagram_bytes(f, false, ask, sizeof ask);
        feed_datagram_bytes(f, true, answer, sizeof answer);
        known += again_calls - before;
        ck_assert(i < 8 || again_calls == before);
    }
    ck_assert_uint_gt(known, 0);
    again_says = false;
    feed_free(f);
}
END_TEST

/* ---- packed in few bytes ---- */

static bool same_span(const struct span *a, const struct span *b)
{
    return a->n == b->n && !a->p == !b->p && (!a->n || memcmp(a->p, b->p, a->n) == 0);
}

static void same_parts(const struct event *a, const struct event *b)
{
    ck_assert_mem_eq(a, b, a->has_far ? offsetof(struct event, msgs) : offsetof(struct event, far));
    for (unsigned i = 0; i < a->n_items; i++) {
        struct item p = a->items[i], q = b->items[i];
        ck_assert(same_span(&p.name, &q.name) && same_span(&p.v.raw, &q.v.raw));
        p.name = q.name = p.v.raw = q.v.raw = (struct span){0};
        ck_assert_mem_eq(&p, &q, offsetof(struct item, v.mask) + 1);
        ck_assert_uint_eq(p.v.now.u, q.v.now.u);
    }
    for (unsigned i = 0; i < a->n_fields; i++) {
        const struct field *p = &a->fields[i], *q = &b->fields[i];
        ck_assert(p->id == q->id && p->span == q->span);
        ck_assert(p->span ? same_span(&p->v.s, &q->v.s) : p->v.u == q->v.u);
    }
}

/* All packings of an event give it back; kept: it is a request's, which may be kept. */
static void pack_all(struct event *e, struct event *wide, struct event *tight, bool kept)
{
    uint32_t n = ev_packed_len(e, true), less = ev_record_len(e), few = ev_tight_len(e);
    uint64_t *a = malloc((n + 7) & ~7u), *b = malloc((less + 7) & ~7u);
    ck_assert(kept ? few && few < less : !few);
    ck_assert(less && less < n);
    ev_pack(e, a, n, true);
    ev_unpack(a, wide);
    ev_pack_record(e, b);
    ev_unpack_record(b, tight);
    same_parts(tight, wide);
    ck_assert_mem_eq(tight->msgs, wide->msgs, e->n_msgs * sizeof *e->msgs);
    if (kept) {
        ev_pack_tight(e, b);
        ev_unpack_tight(e->schema, b, tight);
        tight->tx_id = wide->tx_id;
        ck_assert_uint_eq(tight->msgs[0].function, wide->msgs[0].function);
        same_parts(tight, wide);
    }
    free(a);
    free(b);
}

static uint32_t some(uint32_t below)
{
    static uint64_t at = 1;
    at = hash_mix(at, 4711);
    return (uint32_t)(at >> 32) % below;
}

static void some_item(struct event *e, const uint8_t *text)
{
    struct item *it = ev_range(e, 0, some(9), some(1u << 30), some(1u << 30));
    if (some(2))
        it->name = (struct span){text, some(20)};
    if (some(3) == 0) {
        it->v.n = (uint16_t)some(60000);
        it->v.stride = (uint16_t)some(9);
        it->v.qual_off = (int16_t)(some(9) - 1);
        it->v.mask = (uint8_t)some(256);
    }
    if (some(4) == 0)
        it->v.raw = (struct span){text, some(30)};
    if (some(5) == 0)
        it->v.now.u = UINT64_MAX / (1 + some(1000));
}

START_TEST(test_tight)
{
    struct feed *f = fresh(&dissector_modbus, 502);
    struct event *wide = calloc(1, sizeof *wide), *tight = calloc(1, sizeof *tight);
    uint8_t text[64];
    struct dis_ctx x;
    memset(text, 'x', sizeof text);
    feed_fill(f, &x, 0);
    for (unsigned i = 0; i < 20000; i++) {
        struct event *e = ev_begin(&x, &schema, some(3), some(3));
        for (unsigned k = some(8); k; k--)
            some_item(e, text);
        for (unsigned k = some(8); k; k--)
            ev_u64(e, 0, UINT64_MAX >> some(64) >> some(2));
        if (some(2))
            ev_span(e, 0, (struct span){text, some(64)});
        ev_u64(e, 0, 0);
        if (some(2))
            ev_unit(e, some(1000));
        if (some(4) == 0)
            ev_far(e, some(2), &f->key.lo);
        pack_all(e, wide, tight, true);
        ev_status(e, some(1u << 30), some(2));
        if (some(2))
            e->msgs[e->n_msgs++] = (struct msg){.ts_ns = some(1u << 30), .frame = i, .function = some(3)};
        for (unsigned k = e->n_items; k; k--)
            if (some(2)) {
                e->items[k - 1].status = some(9);
                e->items[k - 1].quality = some(1u << 30);
            }
        pack_all(e, wide, tight, false);
    }
    struct event *e = ev_begin(&x, &schema, 1, 0);
    ev_status(e, 1, true);
    ck_assert_uint_eq(ev_tight_len(e), 0); /* it was answered */
    e = ev_begin(&x, &schema, 1, 0);
    ev_anomaly(e, 3);
    ck_assert_uint_eq(ev_tight_len(e), 0);
    e = ev_begin(&x, &schema, 1, 0);
    uint8_t *much = calloc(1, 5000);
    ev_span(e, 0, (struct span){much, 5000});
    ck_assert(!ev_tight_len(e) && !ev_record_len(e)); /* longer than the length of a part can say */
    free(much);
    free(wide);
    free(tight);
    feed_free(f);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("again");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_third_is_known);
    tcase_add_test(t, test_not_kept);
    tcase_add_test(t, test_answers);
    tcase_add_test(t, test_data_of_an_answer);
    tcase_add_test(t, test_told);
    tcase_add_test(t, test_answers_together);
    tcase_add_test(t, test_full);
    tcase_add_test(t, test_bounds);
    tcase_add_test(t, test_boolean_has_no_octets);
    tcase_add_test(t, test_tight);
    tcase_add_loop_test(t, test_same_as_read, 0, (int)ARRAY_LEN(built));
    Suite *s = suite_create("again");
    suite_add_tcase(s, t);
    return suite_end(s);
}
