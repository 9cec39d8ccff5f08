/* s7comm_cpu.c: CPU functions (user data group 4) of S7comm: message service, alarms, diagnostic messages, AR_SEND.
 *
 *   02 message service: events, -, user (8), [80: kind of messages, -]; answer: result, -, [kind, ...]
 *      events: 1 mode transition, 2 system diagnostics, 4 user diagnostics, 80 alarms
 *   alarm message: [time (8 bytes DATE_AND_TIME; 09: 2 unknown, time, 2 unknown)] function, count, objects:
 *      12, length, syntax id, 15 lock and unlock: values, event id
 *                             16, 1c indications: values, event id, signals, state, ack going, ack coming
 *                                    [1c: event going, coming, last changed, -], data items
 *                             19 acknowledge: values, event id, ack going, ack coming
 *                             1a query: -, by type 1 or id 3, -, type or event id u32
 *   answer to lock, acknowledge: function, count, a return code each
 *   answer to a query: function, count, return code, transport size, length u16, alarms:
 *      length, 2 unknown, type, event id, -, signals, ack going, ack coming, [type 4: times and values]
 */
#include "dissectors/s7comm.h"

enum { CPU_SZL = 0x01, CPU_MESSAGES = 0x02, CPU_DIAG = 0x03, CPU_SCAN = 0x09, CPU_ACK = 0x0b, CPU_AR_SEND = 0x10,
       CPU_QUERY = 0x13 };
enum { SYN_LOCK = 0x15, SYN_ALARM = 0x16, SYN_ACK = 0x19, SYN_QUERY = 0x1a, SYN_NOTIFY = 0x1c };

static void messages_request(struct s7 *s, struct event *e)
{
    struct cur *c = &s->body;
    uint8_t events = cur_u8(c);
    cur_skip(c, 1);
    struct span user = cur_bytes(c, 8);
    if (!cur_ok(c)) {
        s7_anomaly(s, A_USERDATA);
        return;
    }
    ev_u64(e, F_EVENTS, events);
    ev_span(e, F_USER, s7_trim(user));
    if (!(events & 0x80) || !cur_left(c))
        return;
    uint8_t type = cur_u8(c), count = cur_u8(c);
    ev_u64(e, F_ALARM_TYPE, type);
    for (unsigned i = 0; i < count && cur_left(c) >= 8; i++) { /* AR_SEND: the ids that are asked for */
        cur_skip(c, 4);
        uint32_t id = cur_u32be(c);
        ev_range(e, K_AR_ID, 0, id, id);
    }
}

static void messages_answer(struct s7 *s, struct event *e)
{
    uint8_t result = cur_u8(&s->body);
    if (cur_ok(&s->body) && result > 2) /* 0, 1, 2: accepted, with or without what was asked for before */
        ev_status(e, result, result != 0xff);
}

static void alarm_state(struct event *e, uint8_t signals, uint8_t going, uint8_t coming)
{
    ev_u64(e, F_ALARM_STATE, signals);
    ev_u64(e, F_ALARM_ACK_GOING, going);
    ev_u64(e, F_ALARM_ACK_COMING, coming);
}

/* One object: 12, length, syntax id and what that says. */
static bool object(struct s7 *s, struct event *e, struct cur *c, bool first)
{
    uint8_t spec = cur_u8(c), len = cur_u8(c), syntax = cur_u8(c);
    uint8_t values = cur_u8(c);
    if (!cur_ok(c) || spec != 0x12 || len < 1)
        return false;
    if (syntax == SYN_QUERY) {
        uint8_t by = cur_u8(c);
        cur_skip(c, 1);
        uint32_t id = cur_u32be(c);
        ev_range(e, K_ALARM, 0, by == 3 ? id : 0, by == 3 ? id : 0)->has_range = by == 3;
        return cur_ok(c);
    }
    if (syntax != SYN_LOCK && syntax != SYN_ALARM && syntax != SYN_ACK && syntax != SYN_NOTIFY) {
        ev_range(e, K_SYNTAX, 0, syntax, syntax);
        cur_skip(c, len >= 2 ? len - 2u : 0);
        return cur_ok(c);
    }
    uint32_t id = cur_u32be(c);
    bool ind = syntax == SYN_ALARM || syntax == SYN_NOTIFY;
    struct item *it = ev_range(e, K_ALARM, 0, id, id);
    unsigned at = e->n_items - 1u;
    uint8_t signals = ind ? cur_u8(c) : 0;
    cur_skip(c, ind ? 1 : 0);
    uint8_t going = syntax == SYN_LOCK ? 0 : cur_u8(c), coming = syntax == SYN_LOCK ? 0 : cur_u8(c);
    cur_skip(c, syntax == SYN_NOTIFY ? 4 : 0);
    if (!cur_ok(c))
        return false;
    if (first && syntax != SYN_LOCK)
        alarm_state(e, signals, going, coming);
    if (ind) {
        it->v.enc = VE_NOW_UINT;
        it->v.n = 1;
        it->v.now.u = signals;
    }
    for (unsigned i = 0; ind && i < values && cur_left(c); i++) { /* associated values: of the last signal change */
        uint8_t code, tsize;
        struct span v;
        if (!s7_value(s, c, false, &code, &tsize, &v))
            return false;
        if (i == 0 && v.n) {
            e->items[at].v = (struct vals){.qual_off = -1};
            s7_set_value(&e->items[at], tsize, v);
        }
    }
    return true;
}

static void alarm_message(struct s7 *s, struct event *e)
{
    struct cur *c = &s->body;
    if (s->type == S7_UD_PUSH && s->sub != 0x0d && s->sub != 0x0e) {
        cur_skip(c, s->sub == CPU_SCAN ? 2 : 0);
        uint64_t t = s7_date_and_time(c);
        cur_skip(c, s->sub == CPU_SCAN ? 2 : 0);
        if (t)
            ev_u64(e, F_ALARM_TIME, t);
    }
    cur_skip(c, 1);
    unsigned count = cur_u8(c), n = 0;
    while (n < count && cur_left(c) && object(s, e, c, n == 0))
        n++;
    if (n < count && !s->x->cut)
        s7_anomaly(s, A_ITEM_COUNT);
}

static void alarm_codes(struct s7 *s, struct event *e)
{
    struct cur *c = &s->body;
    cur_skip(c, 1);
    unsigned count = cur_u8(c);
    for (unsigned i = 0; i < count && cur_left(c); i++) {
        uint8_t code = cur_u8(c);
        if (i < e->n_items)
            s7_item_status(&e->items[i], code);
    }
    if (e->n_items && e->kind == EV_TRANSACTION)
        s7_sum_items(e);
}

static bool queried(struct s7 *s, struct event *e, struct cur *c)
{
    cur_skip(c, 3);
    uint8_t type = cur_u8(c);
    uint32_t id = cur_u32be(c);
    cur_skip(c, 1);
    uint8_t signals = cur_u8(c);
    cur_skip(c, 2);
    if (!cur_ok(c))
        return false;
    struct item *it = ev_range(e, K_ALARM, 0, id, id);
    it->status = 0;
    it->v.enc = VE_NOW_UINT;
    it->v.n = 1;
    it->v.now.u = signals;
    for (unsigned i = 0; type == 4 && i < 2; i++) { /* coming and going: time and associated value */
        uint8_t code, tsize;
        struct span v;
        cur_skip(c, 8);
        if (!s7_value(s, c, false, &code, &tsize, &v))
            return false;
    }
    return true;
}

static void query_answer(struct s7 *s, struct event *e)
{
    struct cur *c = &s->body;
    cur_skip(c, 2);
    uint8_t code = cur_u8(c);
    cur_skip(c, 1);
    uint16_t len = cur_u16be(c);
    if (!cur_ok(c))
        return;
    if (code != 0xff) {
        if (code != 0x0a) /* 0a: no alarm stands */
            ev_status(e, code, true);
        ev_u64(e, F_ALARM_COUNT, 0);
        return;
    }
    unsigned n = 0;
    struct cur list = cur_sub(c, len < cur_left(c) ? len : cur_left(c));
    while (cur_left(&list) > 1 && cur_peek(&list, 0) && queried(s, e, &list))
        n++;
    ev_u64(e, F_ALARM_COUNT, n);
}

void s7_cpu_request(struct s7 *s, struct event *e)
{
    if (s->sub == CPU_SZL)
        s7_szl_request(s, e);
    else if (s->sub == CPU_MESSAGES)
        messages_request(s, e);
    else if (e->op && s->sub != CPU_DIAG && s->sub != CPU_AR_SEND)
        alarm_message(s, e);
}

/* AR_SEND: length (low byte first) and content, as BSEND. */
static void ar_send(struct s7 *s, struct event *e)
{
    uint16_t n = cur_u16le(&s->body);
    struct span v = cur_bytes(&s->body, n < cur_left(&s->body) ? n : cur_left(&s->body));
    ev_u64(e, F_CONTENT_LEN, v.n);
    ev_u64(e, F_CONTENT_HASH, s7_fnv(S7_FNV_START, v));
}

void s7_cpu_answer(struct s7 *s, struct event *e)
{
    if (!cur_left(&s->body))
        return;
    if (s->sub == CPU_SZL)
        s7_szl_answer(s, e);
    else if (s->sub == CPU_MESSAGES)
        messages_answer(s, e);
    else if (s->sub == CPU_DIAG)
        s7_diag_event(s, e, &s->body);
    else if (s->sub == CPU_AR_SEND)
        ar_send(s, e);
    else if (s->sub == CPU_QUERY)
        query_answer(s, e);
    else if (s->type == S7_UD_PUSH && e->op)
        alarm_message(s, e);
    else
        alarm_codes(s, e);
}
