/* s7comm_userdata.c: S7comm user data: head, parts, and the groups that need few lines: mode transition, cyclic
 * services, block functions, security, block communication, clock, NC programming.
 *
 *   parameter  00 01 12, length, method (11 short, 12 long, 13 R_ID), type << 6 | group, subfunction, sequence number,
 *              long: data unit reference, more follows (1), error code u16
 *   data       return code, transport size, length u16, payload
 *
 * An answer in parts: the first says more = 1 and names a sequence number; the station asks for the next part with a
 * request of that number. The parts and their requests are one transaction. Pushed messages in parts likewise.
 */
#include "dissectors/s7comm.h"
#include "engine/base/hash.h"

enum { ASM_PART = 0x80000000, LOCAL_COPY = 4096, NUMBERS_TEXT = 1024 };

/* ---- keys ---- */

static uint64_t ud_key(const struct s7 *s, bool from_server, uint64_t what, uint32_t id)
{
    return what << 48 | (uint64_t)from_server << 40 | (uint64_t)s->group << 32 | (uint64_t)s->sub << 24 | id;
}

/* A request by its reference; the answer goes the other way. */
static uint64_t request_key(const struct s7 *s, bool by_sender)
{
    return ud_key(s, (s->x->dir == DIR_S2C) == by_sender, 2, s->ref);
}

/* Parts that are still missing, by sequence number; a job of the programmer commands, by its number. */
static uint64_t parts_key(const struct s7 *s, bool asked_by_sender)
{
    return ud_key(s, (s->x->dir == DIR_S2C) == asked_by_sender, 3, s->seq);
}

static uint64_t push_key(const struct s7 *s)
{
    return ud_key(s, s->x->dir == DIR_S2C, 4, s->seq);
}

/* ---- clock ---- */

static unsigned bcd(uint8_t b)
{
    return (b >> 4 & 15) * 10u + (b & 15);
}

/* Days from 1970-01-01 to a date (Howard Hinnant's civil calendar, shifted to March). */
static uint64_t days_civil(unsigned y, unsigned m, unsigned d)
{
    y -= m <= 2;
    unsigned era = y / 400, yoe = y - era * 400, doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return (uint64_t)era * 146097 + doe - 719468;
}

uint64_t s7_date_and_time(struct cur *c)
{
    uint8_t b[8];
    for (unsigned i = 0; i < 8; i++)
        b[i] = cur_u8(c);
    unsigned y = bcd(b[0]), mo = bcd(b[1]), d = bcd(b[2]), h = bcd(b[3]), mi = bcd(b[4]), sec = bcd(b[5]);
    bool digits = true;
    for (unsigned i = 0; i < 7; i++)
        digits = digits && (b[i] & 15) < 10 && b[i] >> 4 < 10;
    if (!cur_ok(c) || !digits || !mo || mo > 12 || !d || d > 31 || h > 23 || mi > 59 || sec > 59)
        return 0;
    unsigned ms = bcd(b[6]) * 10 + (b[7] >> 4) % 10u;
    uint64_t t = days_civil(y + (y < 90 ? 2000 : 1900), mo, d) * 86400 + h * 3600u + mi * 60 + sec;
    return t * UINT64_C(1000000000) + ms * UINT64_C(1000000);
}

static void clock_field(struct s7 *s, struct event *e)
{
    cur_skip(&s->body, 2); /* reserved, century */
    uint64_t t = s7_date_and_time(&s->body);
    if (t)
        ev_u64(e, F_CLOCK, t);
    else if (!s->x->cut)
        s7_anomaly(s, A_USERDATA);
}

static void time_request(struct s7 *s, struct event *e)
{
    ev_item(e, K_CLOCK);
    if (s->sub == 2 || s->sub == 4)
        clock_field(s, e);
}

static void time_answer(struct s7 *s, struct event *e)
{
    if (!e->n_items)
        ev_item(e, K_CLOCK);
    if ((s->sub == 1 || s->sub == 3) && cur_left(&s->body))
        clock_field(s, e);
}

/* ---- blocks ---- */

static void block_request(struct s7 *s, struct event *e)
{
    struct cur *c = &s->body;
    uint8_t type = 0;
    uint32_t number;
    if (s->sub == 2 && cur_left(c) >= 2) {
        uint8_t hi = cur_u8(c), lo = cur_u8(c);
        type = (uint8_t)(lo >= 'A' ? lo - 'A' + 10 : lo - '0');
        if (hi == '0' && s7_block_type(type))
            ev_named(e, K_BLOCK, ev_text_fmt(e, "%s", s7_block_type(type)));
        else
            s7_anomaly(s, A_BLOCK_NAME);
    } else if (s->sub == 3 && cur_left(c)) {
        if (s7_block_name(c, &type, &number)) {
            s7_block_item(e, type, number);
            ev_span(e, F_BLOCK, e->items[0].name);
            ev_u64(e, F_BLOCK_NUMBER, number);
            ev_u64(e, F_FILESYSTEM, cur_u8(c));
        } else {
            s7_anomaly(s, A_BLOCK_NAME);
        }
    }
}

static void block_list(struct s7 *s, struct event *e)
{
    uint32_t total = 0;
    while (cur_left(&s->body) >= 4) {
        cur_skip(&s->body, 1);
        uint8_t lo = cur_u8(&s->body);
        uint16_t n = cur_u16be(&s->body);
        const char *type = s7_block_type((unsigned)(lo >= 'A' ? lo - 'A' + 10 : lo - '0'));
        total += n;
        ev_span(e, F_BLOCKS, ev_text_fmt(e, "%s:%u", type ? type : "?", n));
    }
    ev_u64(e, F_BLOCK_COUNT, total);
}

static void range_text(struct event *e, uint32_t first, uint32_t last)
{
    ev_text_fmt(e, "%u", first);
    if (first != last)
        ev_text_fmt(e, "-%u", last);
}

/* Number u16, flags, language each: the numbers of one type, which ascend, as "1-5,9". */
static void block_numbers(struct s7 *s, struct event *e)
{
    struct cur *c = &s->body;
    uint32_t start = e->text_used, n = cur_left(c) / 4, last = cur_u16be(c), first = last;
    ev_u64(e, F_BLOCK_COUNT, n);
    cur_skip(c, 2);
    for (; n && cur_left(c) >= 4 && e->text_used - start < NUMBERS_TEXT; last = cur_u16be(c), cur_skip(c, 2)) {
        uint32_t next = (uint32_t)cur_peek(c, 0) << 8 | cur_peek(c, 1);
        if (next == last + 1)
            continue;
        range_text(e, first, last);
        ev_text_fmt(e, ",");
        first = next;
    }
    if (!n)
        return;
    range_text(e, first, last);
    ev_span(e, F_BLOCK_NUMBERS, (struct span){e->text + start, e->text_used - start});
    e->truncated |= cur_left(c) >= 4;
}

static void block_answer(struct s7 *s, struct event *e)
{
    if (!cur_left(&s->body))
        return;
    if (s->sub == 1) {
        block_list(s, e);
    } else if (s->sub == 2) {
        block_numbers(s, e);
    } else if (s->sub == 3) {
        cur_skip(&s->body, 6); /* type, length of the rest, unknown; then the block's own header and footer */
        struct cur header = cur_sub(&s->body, 36);
        struct cur c = header;
        cur_skip(&c, 5);
        uint8_t type = cur_u8(&c);
        uint16_t number = cur_u16be(&c);
        if (!cur_ok(&c) && !s->x->cut)
            s7_anomaly(s, A_USERDATA);
        if (cur_ok(&c) && !e->n_items && s7_block_type(type))
            s7_block_item(e, type, number);
        s7_block_header(e, header);
        s7_block_footer(e, s->body);
    }
}

/* ---- cyclic services ---- */

static uint32_t interval_ms(uint8_t base, uint8_t n)
{
    static const uint32_t unit[] = {100, 1000, 10000};
    return n * (base < ARRAY_LEN(unit) ? unit[base] : 0);
}

static void cyclic_request(struct s7 *s, struct event *e)
{
    struct cur *c = &s->body;
    if (s->sub == 4) {
        cur_skip(c, 1);
        uint8_t job = cur_u8(c);
        ev_range(e, K_JOB, S7_G_CYCLIC, job, job);
        return;
    }
    cur_skip(c, 1);
    unsigned count = cur_u8(c), n = 0;
    if (s->sub != 8) {
        uint8_t base = cur_u8(c);
        ev_u64(e, F_CYCLE_MS, interval_ms(base, cur_u8(c)));
    }
    while (n < count && cur_left(c) && s7_item(s, e, c, n + 1 == count))
        n++;
    if (n < count && !s->x->cut)
        s7_anomaly(s, A_ITEM_COUNT);
}

/* Each: return code, transport size, length of a status u8, that or a fill byte, length u16, the record. */
static void records(struct s7 *s, struct event *e, unsigned count)
{
    struct cur *c = &s->body;
    for (unsigned i = 0; i < count && cur_left(c); i++) {
        uint8_t code = cur_u8(c), tsize = cur_u8(c), status = cur_u8(c);
        cur_skip(c, status ? status : 1);
        struct span v = cur_bytes(c, cur_u16be(c));
        if (cur_ok(c) && i < e->n_items && v.n)
            s7_set_value(&e->items[i], tsize, v);
        if (i < e->n_items)
            s7_item_status(&e->items[i], code);
    }
    if (!cur_ok(c) && !s->x->cut)
        s7_anomaly(s, A_ITEM_SHORT);
}

static void cyclic_answer(struct s7 *s, struct event *e)
{
    struct cur *c = &s->body;
    if (s->sub == 4 || cur_left(c) < 2)
        return;
    cur_skip(c, 1);
    unsigned count = cur_u8(c);
    if (s->sub == 8)
        records(s, e, count);
    else
        s7_values(s, e, c, count, 0, K_CYCLIC_ITEM, s->seq);
    if (e->n_items && count)
        s7_sum_items(e);
}

/* ---- security, block communication, NC ---- */

/* 01 password of 8 characters, scrambled by a fixed xor: whoever reads the wire has it. It is not recorded. */
static void security_request(struct s7 *s, struct event *e)
{
    if (s->sub == 1)
        ev_u64(e, F_PASSWORD, cur_left(&s->body) != 0);
}

/* 12, 06, 13, -, R_ID u32; then (whole message) length u16 and content. */
static void pbc_message(struct s7 *s, struct event *e)
{
    struct span v = cur_rest(&s->body);
    if (!v.n)
        return;
    ev_u64(e, F_CONTENT_LEN, v.n > 2 ? v.n - 2 : 0);
    ev_u64(e, F_CONTENT_HASH, s7_fnv(S7_FNV_START, (struct span){v.p + (v.n > 2 ? 2 : v.n), v.n > 2 ? v.n - 2 : 0}));
}

static void pbc_request(struct s7 *s, struct event *e)
{
    pbc_message(s, e);
}

static void nc_message(struct s7 *s, struct event *e)
{
    struct cur *c = &s->body;
    if ((s->sub == 1 || s->sub == 6) && s->type == S7_UD_REQUEST) {
        cur_skip(c, s->sub == 6 ? 2 : 0);
        struct span f = s7_trim(cur_rest(c));
        if (f.n) {
            ev_named(e, K_FILE, f);
            ev_span(e, F_FILE, f);
        }
    } else if ((s->sub == 2 || s->sub == 7) && s->type != S7_UD_REQUEST) {
        ev_u64(e, F_PIECE_LEN, cur_left(c));
        ev_u64(e, F_MORE, s->more);
    }
}

/* ---- the groups ---- */

typedef void (*handler)(struct s7 *s, struct event *e);
static const struct group {
    handler request, answer; /* answer: also what is pushed; told apart by s->type */
} groups[16] = {
    [S7_G_TIS] = {s7_tis_request, s7_tis_answer},
    [S7_G_CYCLIC] = {cyclic_request, cyclic_answer},
    [S7_G_BLOCK] = {block_request, block_answer},
    [S7_G_CPU] = {s7_cpu_request, s7_cpu_answer},
    [S7_G_SECURITY] = {security_request, NULL},
    [S7_G_PBC] = {pbc_request, NULL},
    [S7_G_TIME] = {time_request, time_answer},
    [S7_G_NC] = {nc_message, nc_message},
};

/* ---- head and payload ---- */

static bool head(struct s7 *s)
{
    struct cur *c = &s->param;
    uint32_t mark = cur_u24be(c);
    uint8_t len = cur_u8(c);
    s->method = cur_u8(c);
    s->tg = cur_u8(c);
    s->sub = cur_u8(c);
    s->seq = cur_u8(c);
    if (!cur_ok(c))
        return false;
    s->type = s->tg >> 6;
    s->group = s->tg & 15;
    if (mark != 0x000112 || (len != 4 && len != 8))
        s7_anomaly(s, A_USERDATA);
    if (s->method == 0x12 && cur_left(c) >= 4) {
        s->has_ext = 1;
        s->unit_ref = cur_u8(c);
        s->more = cur_u8(c) != 0;
        s->err = cur_u16be(c);
    }
    return true;
}

static void payload(struct s7 *s)
{
    struct cur *c = &s->data;
    if (!cur_left(c)) {
        s->code = 0xff;
        return;
    }
    s->code = cur_u8(c);
    s->tsize = cur_u8(c);
    s->body_len = cur_u16be(c);
    uint32_t n = s->body_len;
    if (!cur_ok(c)) {
        if (!s->x->cut)
            s7_anomaly(s, A_USERDATA);
        return;
    }
    if (n > cur_left(c) && s->tsize >= 3 && s->tsize <= 5)
        n = (n + 7) / 8;
    if (n > cur_left(c)) {
        if (!s->x->cut)
            s7_anomaly(s, A_LENGTH);
        n = cur_left(c);
    }
    s->body = cur_sub(c, n);
}

/* R_ID or AR_ID in front of the payload of block communication: 12 len syntax - id. 0 when it is not there. */
static uint32_t partner_id(struct s7 *s)
{
    bool pbc = s->group == S7_G_PBC, ar = s->group == S7_G_CPU && s->sub == 0x10;
    if ((!pbc && !ar) || cur_left(&s->body) < 8)
        return 0;
    cur_skip(&s->body, 4);
    return cur_u32be(&s->body);
}

/* Join the parts of a payload. True when s->body is the whole. begun: this may be the first part; else it is a later
 * one of something whose beginning was not seen, and says nothing alone. */
static bool whole(struct s7 *s, struct event *e, uint32_t id, bool begun)
{
    uint32_t *at = &s->st->part[s->x->dir == DIR_S2C];
    uint32_t key = ASM_PART | (uint32_t)s->type << 28 | (uint32_t)s->group << 24 | (uint32_t)s->sub << 16 |
                   (id ? (uint32_t)hash_u64(id, 1) & 0xffff : s->seq);
    bool going_on = *at == key;
    if (!going_on && !begun) {
        s7_anomaly(s, A_PARTS);
        s->body = (struct cur){0};
        return true;
    }
    if (!s->more && !going_on)
        return true;
    struct span v = cur_rest(&s->body);
    uint8_t copy[LOCAL_COPY];
    if (s->joined) { /* v lies in the buffer that the next asm_append gives back */
        v.n = v.n < LOCAL_COPY ? v.n : LOCAL_COPY;
        if (v.n)
            memcpy(copy, v.p, v.n);
        v.p = v.n ? copy : NULL;
    }
    s->body = asm_append(s->x, key, v, !going_on, !s->more);
    *at = s->more ? key : 0;
    if (!s->more && !cur_ok(&s->body)) {
        s7_anomaly(s, A_PARTS);
        s->body = (struct cur){0};
    }
    if (!s->more) {
        ev_u64(e, F_UNIT_REF, s->unit_ref);
        ev_u64(e, F_PARTS_LEN, cur_left(&s->body));
    }
    return !s->more;
}

/* ---- request, answer, push ---- */

static uint32_t selector(const struct s7 *s)
{
    return (s->tg & 0x30) == S7_SEL_ROUTING ? S7_SEL_ROUTING : OP_ANY_SELECTOR;
}

static void fields(struct s7 *s, struct event *e, uint32_t id)
{
    ev_u64(e, F_PDU_REF, s->ref);
    ev_u64(e, F_UD_TYPE, s->type);
    if (s->seq)
        ev_u64(e, F_SEQ, s->seq);
    if (id) {
        ev_range(e, s->group == S7_G_PBC ? K_R_ID : K_AR_ID, 0, id, id);
        ev_u64(e, F_R_ID, id);
    }
    if (!e->op)
        s7_anomaly(s, A_FUNCTION);
}

static void request(struct s7 *s, uint32_t fn)
{
    uint64_t parts = parts_key(s, true);
    if (s->has_ext && s->seq && ev_is_waited(s->x, parts)) { /* asks for the next part */
        struct event *e = ev_answer(s->x, &s7comm_schema, parts, fn, selector(s));
        s7_wait(s, e, request_key(s, true));
        return;
    }
    s7_reused(s, request_key(s, true));
    struct event *e = ev_begin(s->x, &s7comm_schema, fn, selector(s));
    uint32_t id = partner_id(s);
    bool next_part = s->has_ext && s->seq && !s->body_len; /* of an answer whose beginning was not seen */
    fields(s, e, id);
    if (!whole(s, e, id, true))
        ev_u64(e, F_MORE, 1);
    else if (groups[s->group].request && !next_part)
        groups[s->group].request(s, e);
    s7_wait(s, e, request_key(s, true));
}

/* The return code in the data part of an answer: 0a with nothing behind it is how a service without data says done. */
static void answer_status(struct s7 *s, struct event *e)
{
    bool empty = s->code == 0x0a && s->body_len == 0;
    if (s->err)
        ev_status(e, s->err, true);
    else if (s->code != 0xff && s->code != 0 && !empty)
        ev_status(e, s->code, true);
    else
        ev_status(e, 0, false);
}

/* What is pushed tells an error where a job ends before its time, and else nothing of the kind. */
static void push_status(const struct s7 *s, struct event *e)
{
    if (s->err)
        ev_status(e, s->err, true);
}

static bool has_field(const struct event *e, uint8_t id)
{
    for (unsigned i = 0; i < e->n_fields; i++)
        if (e->fields[i].id == id)
            return true;
    return false;
}

/* Only what comes in parts has a data unit reference. The request of a next part names a sequence number; without a
 * request only what has more behind it can be a first part. The NC counts its pieces by that reference. */
static bool may_begin(const struct s7 *s, const struct event *e)
{
    if (!s->unit_ref || s->group == S7_G_NC)
        return true;
    return e->kind == EV_TRANSACTION ? !has_field(e, F_SEQ) : s->more;
}

static bool pushes_follow(const struct s7 *s)
{
    return s->group == S7_G_TIS && s->seq && (s->sub == 2 || s->sub == 8 || s->sub == 9);
}

static void answer(struct s7 *s, uint32_t fn)
{
    struct event *e = ev_answer(s->x, &s7comm_schema, request_key(s, false), fn, selector(s));
    uint32_t id = partner_id(s);
    if (e->kind == EV_RESPONSE)
        fields(s, e, 0);
    answer_status(s, e);
    if (!whole(s, e, id, may_begin(s, e))) {
        s7_wait(s, e, parts_key(s, false));
        return;
    }
    if (groups[s->group].answer && !s->err)
        groups[s->group].answer(s, e);
    if (pushes_follow(s) && e->kind == EV_TRANSACTION && !e->error)
        s7_wait(s, e, push_key(s));
    else
        s7_commit(s, e);
}

static void push(struct s7 *s, uint32_t fn)
{
    uint64_t job = push_key(s), parts = parts_key(s, false);
    bool of_job = s->group == S7_G_TIS && ev_is_waited(s->x, job);
    bool part = !of_job && s->st->part[s->x->dir == DIR_S2C] && ev_is_waited(s->x, parts);
    struct event *e = of_job || part ? ev_answer(s->x, &s7comm_schema, of_job ? job : parts, fn, selector(s))
                                     : ev_begin(s->x, &s7comm_schema, fn, selector(s));
    uint32_t id = partner_id(s);
    if (!of_job)
        e->kind = EV_UNSOLICITED;
    if (!of_job && !part)
        fields(s, e, id);
    if (s->group != S7_G_NC && !whole(s, e, id, may_begin(s, e))) {
        s7_wait(s, e, parts);
        return;
    }
    if (groups[s->group].answer)
        groups[s->group].answer(s, e);
    push_status(s, e);
    s7_commit(s, e);
}

/* Mode transition: 01 01 and the new mode where the subfunction stands. */
static enum verdict mode(struct s7 *s)
{
    static const struct {
        uint8_t sub;
        const char *state;
    } states[] = {{0, "stop"}, {1, "startup"}, {2, "run"}, {3, "startup"}, {4, "hold"}, {6, "startup"}, {9, "run"}};
    cur_skip(&s->param, 6);
    s->sub = cur_u8(&s->param);
    if (!cur_ok(&s->param)) {
        ev_malformed(s->x, &s7comm_schema, A_USERDATA);
        return DIS_MALFORMED;
    }
    struct event *e = ev_begin(s->x, &s7comm_schema, S7_UD(S7_G_MODE, s->sub), OP_ANY_SELECTOR);
    e->msgs[0].function = FN_NONE; /* group 0 has no subfunction: the mode stands in its place */
    e->kind = EV_UNSOLICITED;
    fields(s, e, 0);
    for (unsigned i = 0; i < ARRAY_LEN(states); i++)
        if (states[i].sub == s->sub)
            obs_fmt(s->x, &s7comm_schema, OBS_SERVER, OBS_SELF, OBS_STATE, 95, "%s", states[i].state);
    s7_commit(s, e);
    return DIS_OK;
}

/* USEND: method 13, R_ID in the parameter; data: return code, -, count u16, data items. Nothing answers it. */
static enum verdict usend(struct s7 *s)
{
    struct cur *c = &s->param, *d = &s->data;
    cur_skip(c, 5);
    cur_skip(c, 1);
    uint32_t id = cur_u32be(c);
    struct event *e = ev_begin(s->x, &s7comm_schema, S7_UD(S7_G_PBC, 0), OP_ANY_SELECTOR);
    e->msgs[0].function = FN_NONE; /* neither group nor subfunction: the R_ID stands in their place */
    e->kind = EV_UNSOLICITED;
    ev_u64(e, F_PDU_REF, s->ref);
    if (cur_ok(c)) {
        ev_range(e, K_R_ID, 0, id, id);
        ev_u64(e, F_R_ID, id);
    } else {
        s7_anomaly(s, A_USERDATA);
    }
    cur_skip(d, 2);
    unsigned count = cur_u16be(d);
    s7_values(s, e, d, count < 4 ? count : 4, 0, K_R_ID, 0);
    s7_commit(s, e);
    return DIS_OK;
}

enum verdict s7_userdata(struct s7 *s)
{
    if (cur_peek(&s->param, 0) == 1)
        return mode(s);
    if (cur_peek(&s->param, 4) == 0x13)
        return usend(s);
    if (!head(s)) {
        if (!s->x->cut)
            ev_malformed(s->x, &s7comm_schema, A_USERDATA);
        return s->x->cut ? DIS_OK : DIS_MALFORMED;
    }
    payload(s);
    uint32_t fn = S7_UD(s->group, s->sub);
    if (s->type == S7_UD_REQUEST)
        request(s, fn);
    else if (s->type == S7_UD_RESPONSE)
        answer(s, fn);
    else
        push(s, fn);
    bool broken = s->anomalies & (UINT64_C(1) << A_USERDATA | UINT64_C(1) << A_LENGTH);
    return broken ? DIS_MALFORMED : DIS_OK;
}
