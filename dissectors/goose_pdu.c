/* goose_pdu.c: the APDUs of GOOSE in BER, and what a publisher said before.
 *
 * Spec: IEC 61850-8-1:2011+A1:2020 annex A (PDUs), IEC 61850-7-2:2010 18.2.3 (state and sequence numbers). */
#include "dissectors/goose_priv.h"

#include "engine/base/hash.h"

enum { TTL = 1, TIME = 4, ST_NUM = 5, SQ_NUM = 6, ALL_DATA = 11, TIME_OCTETS = 8 };
enum { MANDATORY = 0x0d77 }; /* [3] goID, [7], [9] with DEFAULT FALSE, [12] security: optional */
#define TAG(number) (0x80 | (number))
/* More state changes than a capture loses in a gap: from here on subscribers are made to wait for a number. */
enum { ST_JUMP = 1000, SQ_FAR = 1000 /* messages left out: more is another publisher, not a hole */ };

enum element_type { EL_NONE, EL_TEXT, EL_U32, EL_TIME, EL_BOOL, EL_DATA, EL_ANY };

static const struct element {
    uint8_t type;
    uint8_t at;
} elements[] = {
    {EL_TEXT, offsetof(struct goose_pdu, gocb_ref)}, {EL_U32, offsetof(struct goose_pdu, ttl_ms)},
    {EL_TEXT, offsetof(struct goose_pdu, dat_set)},  {EL_TEXT, offsetof(struct goose_pdu, go_id)},
    {EL_TIME, offsetof(struct goose_pdu, time)},     {EL_U32, offsetof(struct goose_pdu, st_num)},
    {EL_U32, offsetof(struct goose_pdu, sq_num)},    {EL_BOOL, offsetof(struct goose_pdu, simulation)},
    {EL_U32, offsetof(struct goose_pdu, conf_rev)},  {EL_BOOL, offsetof(struct goose_pdu, nds_com)},
    {EL_U32, offsetof(struct goose_pdu, entries)},   {EL_DATA, offsetof(struct goose_pdu, all_data)},
    {EL_ANY, 0},
};

static bool read_element(const struct element *el, struct cur body, struct goose_pdu *p)
{
    uint8_t *to = (uint8_t *)p + el->at;
    switch (el->type) {
    case EL_TEXT:
        return ber_visible(body, (struct span *)(void *)to);
    case EL_U32:
        return ber_u32(body, (uint32_t *)(void *)to);
    case EL_TIME:
        return ber_utc_time(body, (struct ber_time *)(void *)to);
    case EL_BOOL:
        return ber_bool(body, (bool *)(void *)to);
    case EL_DATA:
        p->all_data = body;
        return true;
    default:
        return true;
    }
}

/* ---- how it is made up ---- */

/* Places of its octets, cut out by the lengths of a layout. */
struct parts {
    struct span a, ttl, b, time, st_num, sq_num, d;
    struct cur data;
};

static uint64_t hash_parts(const struct dis_ctx *x, const struct goose_carrier *h, const struct parts *s)
{
    uint64_t a = dis_digest(x, s->a), b = dis_digest(x, s->b), d = dis_digest(x, s->d);
    return hash_mix(hash_mix(a ^ h->appid, b), d);
}

static uint64_t hash_cur(const struct dis_ctx *x, struct cur c)
{
    return dis_digest(x, cur_rest(&c));
}

/* The value of an element that begins here; empty where it is another one. */
static struct span take_value(struct cur *c, uint8_t tag)
{
    uint8_t found = cur_u8(c), n = cur_u8(c);
    return cur_bytes(c, found == tag ? n : 0);
}

static bool cut_out(struct cur c, const struct goose_layout *l, struct parts *ret)
{
    struct ber data;
    ret->a = cur_bytes(&c, l->a_n);
    ret->ttl = cur_bytes(&c, cur_u8(&c));
    ret->b = cur_bytes(&c, l->b_n);
    ret->time = cur_bytes(&c, TIME_OCTETS);
    ret->st_num = take_value(&c, TAG(ST_NUM));
    ret->sq_num = take_value(&c, TAG(SQ_NUM));
    ret->d = cur_bytes(&c, l->d_n);
    bool found = ber_take(&c, BER_CTX(ALL_DATA), &data);
    ret->data = data.body;
    return found && cur_done(&c);
}

/* Of an APDU without a fault, so all is there that has to be, in order. at: the contents of its elements. Where tags,
 * lengths or texts are longer than usual: none. */
static struct goose_layout layout_of(const struct goose_pdu *p, struct span all, const struct span at[ALL_DATA + 1],
                                     struct parts *ret)
{
    struct goose_layout l = {.has = (uint16_t)p->has, .simulation = p->simulation, .nds_com = p->nds_com,
                             .dat_set_n = (uint8_t)p->dat_set.n, .go_id_n = (uint8_t)p->go_id.n};
    const uint8_t *end = all.p;
    for (unsigned i = 0; i < ALL_DATA; i++) {
        if (!(p->has >> i & 1))
            continue;
        if (at[i].p != end + 2 || at[i].n > 127)
            return (struct goose_layout){0};
        end = at[i].p + at[i].n;
    }
    l.a_n = (uint8_t)(2 + at[0].n + 1);
    l.b_n = (uint16_t)(at[TIME].p - at[TTL].p - at[TTL].n);
    l.d_n = (uint8_t)(end - at[SQ_NUM].p - at[SQ_NUM].n);
    return cut_out(cur_span(all), &l, ret) ? l : (struct goose_layout){0};
}

bool goose_pdu_read(const struct dis_ctx *x, const struct goose_carrier *h, struct cur body, struct goose_pdu *p)
{
    struct ber t;
    struct parts s;
    struct span at[ARRAY_LEN(elements)];
    struct cur whole = body;
    int last = -1;
    *p = (struct goose_pdu){0};
    while (ber_next(&body, &t)) {
        uint32_t n = ber_number(&t);
        struct cur c = t.body;
        if (t.id >> 30 != BER_CONTEXT || n >= ARRAY_LEN(elements) || (int)n <= last) {
            p->anomalies |= GOOSE_BIT(GA_ORDER);
            continue;
        }
        last = (int)n;
        p->has |= 1u << n;
        at[n] = cur_rest(&c);
        if (!read_element(&elements[n], t.body, p))
            p->anomalies |= GOOSE_BIT(GA_VALUE);
    }
    if ((p->has & MANDATORY) != MANDATORY)
        p->anomalies |= GOOSE_BIT(GA_MISSING);
    if (cur_ok(&body) && !p->anomalies && !x->cut)
        p->layout = layout_of(p, cur_rest(&whole), at, &s);
    if (p->layout.d_n)
        p->rest = hash_parts(x, h, &s);
    p->data = hash_cur(x, p->all_data);
    return cur_ok(&body);
}

/* ---- made up the same again ---- */

static uint64_t publisher_key(const struct goose_carrier *h, struct span gocb_ref)
{
    return hash_bytes(h->appid, gocb_ref.p, gocb_ref.n);
}

/* datSet and goID, behind their tags and lengths. */
static void take_texts(struct span b, const struct goose_layout *l, struct goose_pdu *p)
{
    struct cur c = cur_span(b);
    cur_skip(&c, 2);
    p->dat_set = cur_bytes(&c, l->dat_set_n);
    cur_skip(&c, 2);
    p->go_id = cur_bytes(&c, l->go_id_n);
}

bool goose_pdu_again(struct dis_ctx *x, const struct goose_carrier *h, struct cur body, struct goose_pdu *p,
                     struct goose_publisher **ret)
{
    struct cur rest = body;
    struct ber ref;
    struct parts s;
    *ret = NULL;
    if (!ber_take(&rest, BER_CTX(0), &ref))
        return false;
    struct span gocb_ref = cur_rest(&ref.body);
    struct goose_publisher *st = *ret = dis_shared(x, &goose_schema, publisher_key(h, gocb_ref), false);
    if (!st || !st->layout.d_n || !cut_out(body, &st->layout, &s) || hash_parts(x, h, &s) != st->rest)
        return false;
    *p = (struct goose_pdu){
        .gocb_ref = gocb_ref, .all_data = s.data, .conf_rev = st->conf_rev, .entries = st->entries,
        .simulation = st->layout.simulation, .nds_com = st->layout.nds_com, .has = st->layout.has, .same = true,
        .layout = st->layout, .rest = st->rest, .data = hash_cur(x, s.data),
    };
    take_texts(s.b, &p->layout, p);
    return ber_u32(cur_span(s.ttl), &p->ttl_ms) && ber_u32(cur_span(s.st_num), &p->st_num) &&
           ber_u32(cur_span(s.sq_num), &p->sq_num) && ber_utc_time(cur_span(s.time), &p->time);
}

/* ---- state ---- */

/* Number and sequence after those of the message before. */
static enum goose_change follow_numbers(const struct goose_publisher *b, struct goose_pdu *p)
{
    uint32_t up = p->st_num - b->st_num;
    bool begins = p->st_num <= 1 && p->sq_num <= 1;
    if (up == 0) {
        if (p->sq_num == b->sq_num) {
            p->anomalies |= GOOSE_BIT(GA_SQ_REPEATED);
            return CHANGE_COPY;
        }
        if (p->sq_num > b->sq_num || (b->sq_num == UINT32_MAX && p->sq_num == 1)) { /* 18.2.3.6: 0 is left out */
            if (p->sq_num > b->sq_num + UINT64_C(1))
                p->anomalies |= GOOSE_BIT(GA_SQ_GAP);
            return CHANGE_REPETITION;
        }
        p->anomalies |= begins ? GOOSE_BIT(GA_RESTART) : GOOSE_BIT(GA_SQ_BACK);
        return begins ? CHANGE_RESTART : CHANGE_OLD;
    }
    if (p->st_num > b->st_num || (b->st_num == UINT32_MAX && p->st_num == 1)) {
        p->anomalies |= GOOSE_BIT(GA_STATE_CHANGE);
        if (p->st_num > b->st_num && up > 1)
            p->anomalies |= up > ST_JUMP ? GOOSE_BIT(GA_ST_JUMP) : GOOSE_BIT(GA_ST_GAP);
        if (p->sq_num > 0)
            p->anomalies |= GOOSE_BIT(GA_SQ_GAP);
        if (p->time.ns <= b->time_ns)
            p->anomalies |= GOOSE_BIT(GA_TIME_BACK);
        return CHANGE_STATE;
    }
    p->anomalies |= begins ? GOOSE_BIT(GA_RESTART) : GOOSE_BIT(GA_ST_BACK);
    return begins ? CHANGE_RESTART : CHANGE_OLD;
}

static bool is_late(const struct goose_publisher *b, uint64_t ts_ns)
{
    return b->ttl_ms && ts_ns > b->seen_ns + b->ttl_ms * UINT64_C(1000000);
}

static void follow_content(const struct goose_publisher *b, const struct goose_publisher *now, struct goose_pdu *p,
                           enum goose_change change)
{
    if (change == CHANGE_REPETITION || change == CHANGE_COPY) {
        if (now->data != b->data)
            p->anomalies |= GOOSE_BIT(GA_DATA_CHANGED);
        if (now->time_ns != b->time_ns)
            p->anomalies |= GOOSE_BIT(GA_TIME_CHANGED);
    }
    if (now->conf_rev != b->conf_rev)
        p->anomalies |= GOOSE_BIT(GA_CONF_REV);
    else if (now->entries != b->entries)
        p->anomalies |= GOOSE_BIT(GA_ENTRIES_CHANGED);
    if (now->dat_set != b->dat_set)
        p->anomalies |= GOOSE_BIT(GA_DAT_SET);
    if (b->simulation && !now->simulation)
        p->anomalies |= GOOSE_BIT(GA_SIMULATION_END);
    if (is_late(b, now->seen_ns))
        p->anomalies |= GOOSE_BIT(GA_TTL_EXPIRED);
}

/* Messages of the publisher that were sent between the two and not seen; at least. */
static uint32_t unseen(const struct goose_publisher *b, const struct goose_pdu *p, enum goose_change change)
{
    uint64_t n = 0;
    if (change == CHANGE_REPETITION && p->anomalies & GOOSE_BIT(GA_SQ_GAP))
        n = p->sq_num - b->sq_num - 1;
    else if (change == CHANGE_STATE && !(p->anomalies & GOOSE_BIT(GA_ST_JUMP)))
        n = (uint64_t)p->sq_num + (p->anomalies & GOOSE_BIT(GA_ST_GAP) ? p->st_num - b->st_num - 1 : 0);
    return n <= SQ_FAR ? (uint32_t)n : 0;
}

static struct goose_publisher state_of(const struct dis_ctx *x, const struct goose_carrier *h,
                                       const struct goose_pdu *p, const struct goose_publisher *before)
{
    struct goose_publisher now = {
        .seen_ns = x->ts_ns, .time_ns = p->time.ns, .st_num = p->st_num, .sq_num = p->sq_num, .conf_rev = p->conf_rev,
        .ttl_ms = p->ttl_ms, .entries = p->entries, .simulation = p->simulation || h->simulation,
        .frame = x->frame, .file = x->file, .layout = p->layout, .rest = p->rest, .data = p->data,
    };
    if (p->same)
        now.seen = before->seen;
    now.dat_set = p->same ? before->dat_set : (uint32_t)dis_digest(x, p->dat_set);
    return now;
}

enum goose_change goose_follow(struct dis_ctx *x, const struct goose_carrier *h, struct goose_pdu *p,
                               struct goose_publisher **publisher, struct goose_publisher *before)
{
    if (!*publisher)
        *publisher = dis_shared(x, &goose_schema, publisher_key(h, p->gocb_ref), true);
    struct goose_publisher *st = *publisher;
    *before = *st;
    struct goose_publisher now = state_of(x, h, p, before);
    enum goose_change change = CHANGE_FIRST;
    if (before->seen_ns && x->copy) {
        p->anomalies &= ~((uint64_t)before->habits << GA_HABITS);
        return CHANGE_COPY;
    }
    if (before->seen_ns) {
        change = follow_numbers(before, p);
        dis_lost(x, unseen(before, p, change));
        follow_content(before, &now, p, change);
    }
    now.habits = goose_habits(p->anomalies);
    p->anomalies &= ~((uint64_t)before->habits << GA_HABITS);
    *st = now;
    dis_expect(x, st, h->appid, p->gocb_ref);
    return change;
}

bool goose_repeats(const struct dis_ctx *x, const struct goose_pdu *p, const struct goose_publisher *st)
{
    return p->same && p->st_num == st->st_num && p->sq_num == st->sq_num + UINT64_C(1) && p->data == st->data &&
           p->time.ns == st->time_ns && goose_habits(p->anomalies) == st->habits && !is_late(st, x->ts_ns);
}

void goose_repeated(struct dis_ctx *x, const struct goose_carrier *h, const struct goose_pdu *p,
                    struct goose_publisher *st)
{
    st->seen_ns = x->ts_ns;
    st->frame = x->frame;
    st->file = x->file;
    st->sq_num = p->sq_num;
    st->ttl_ms = p->ttl_ms;
    dis_expect(x, st, h->appid, p->gocb_ref);
}

void goose_due(const void *publisher, struct dis_due *ret)
{
    const struct goose_publisher *p = publisher;
    *ret = (struct dis_due){.last_ns = p->seen_ns, .frame = p->frame, .file = p->file,
                            .due_ns = p->ttl_ms ? p->seen_ns + p->ttl_ms * UINT64_C(1000000) : 0};
}

/* ---- management ---- */

/* GSEMngtPdu: stateID [0], then requests [1] or responses [2], one of which holds what is asked: [1] to [4], its first
 * text being the reference, or, of a response, [0]: not supported. */
enum verdict goose_management(struct cur body, struct dis_ctx *x, const struct goose_carrier *h)
{
    struct ber t, what, text;
    uint32_t state = 0;
    bool has_state = ber_take(&body, BER_CTX(0), &t) && ber_u32(t.body, &state);
    bool request = ber_find(body, BER_CTX(1), &t), response = !request && ber_find(body, BER_CTX(2), &t);
    if (!has_state || (!request && !response) || !ber_next(&t.body, &what) || ber_number(&what) > 0xff) {
        ev_malformed(x, &goose_schema, GA_BER);
        return DIS_MALFORMED;
    }
    uint32_t fn = (request ? GOOSE_FN_MANAGEMENT : GOOSE_FN_RESPONSE) | ber_number(&what);
    x->dir = request ? DIR_C2S : DIR_S2C;
    x->dir_sure = 1;
    struct event *e = request ? ev_begin(x, &goose_schema, fn, OP_ANY_SELECTOR)
                              : ev_answer(x, &goose_schema, state, fn, OP_ANY_SELECTOR);
    e->anomalies |= h->anomalies;
    if (request || e->kind == EV_RESPONSE) {
        ev_unit(e, h->appid);
        ev_u64(e, GF_APPID, h->appid);
        ev_u64(e, GF_STATE_ID, state);
    }
    if (request && ber_find(what.body, BER_UNI(BER_VISIBLE), &text))
        ev_span(e, GF_REFERENCE, cur_rest(&text.body));
    if (response)
        ev_status(e, ber_number(&what) == 0, ber_number(&what) == 0);
    if (request)
        ev_wait(x, e, state);
    else
        ev_commit(x, e);
    return DIS_OK;
}
