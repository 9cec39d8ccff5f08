/* s7comm_tis.c: programmer commands (test and installation functions, user data group 1) of S7comm.
 *
 *   payload    length u16 of the parameters, length u16 of the data, parameters, data
 *   parameters of a request: +0 -, +2 what, +4 how often, +6 answer size, +8 .. -, +18 trigger event u16
 *                            [+20 block type, number, address]
 *   02 variable status, 08 modify, 09 force: count u16, addresses (6 bytes: area << 4 | width, repetition or bit,
 *              DB u16, byte u16), 08, 09: then as many data items; pushed: 02 data items, 08, 09 a return code each
 *   0d, 0e, 11 disable, enable, read job: function, number; 0f delete, 12 replace: 2 reserved bytes before
 *   10 job list, answer: function, number, state u16 of each
 *
 * Forcing overrides what the program computes: deleting or replacing a force job is classed as forcing too.
 */
#include "dissectors/s7comm.h"

enum { TIS_READ = 2, TIS_MODIFY = 8, TIS_FORCE = 9, TIS_DISABLE = 13, TIS_ENABLE = 14, TIS_DELETE = 15, TIS_LIST = 16,
       TIS_READ_JOB = 17, TIS_REPLACE = 18 };

/* Area of a variable: high nibble; low nibble: 0 bit, 1 byte, 2 word, 3 double word, 4 timer or counter. */
static void address(struct s7 *s, struct event *e, struct cur *c)
{
    static const uint8_t kinds[] = {K_M, K_I, K_Q, K_P, K_AREA, K_TIMER, K_COUNTER, K_DB};
    static const struct {
        uint8_t bytes, enc;
    } widths[] = {{1, VE_BOOL8}, {1, VE_U8}, {2, VE_U16BE}, {4, VE_U32BE}, {2, VE_U16BE}};
    uint8_t area = cur_u8(c), rep = cur_u8(c);
    uint16_t db = cur_u16be(c), at = cur_u16be(c);
    uint8_t hi = area >> 4, lo = area & 15;
    bool known = lo < ARRAY_LEN(widths) && hi < ARRAY_LEN(kinds) && kinds[hi] != K_AREA;
    if (!known)
        s7_anomaly(s, A_AREA);
    uint32_t unit = lo == 4 || lo == 0 || !known ? 1u : widths[lo].bytes, n = lo == 0 || !rep ? 1u : rep;
    struct item *it = ev_range(e, known ? kinds[hi] : K_AREA, known ? (hi == 7 ? db : 0) : area, at, at + unit * n - 1);
    if (known && lo == 0)
        it->bit = rep & 7;
    it->v.mask = known ? widths[lo].enc : VE_NONE; /* until the value comes */
    it->v.stride = known ? widths[lo].bytes : 0;
}

/* A data item here is padded to an even length also when it is the last. */
static void values(struct s7 *s, struct event *e, struct cur *c, unsigned count, unsigned first, bool keep_status)
{
    for (unsigned i = first; i < first + count && cur_left(c); i++) {
        uint8_t code, tsize;
        struct span v;
        if (!s7_value(s, c, false, &code, &tsize, &v)) {
            s7_anomaly(s, A_ITEM_SHORT);
            return;
        }
        if (i >= e->n_items && e->n_items < EV_MAX_ITEMS)
            ev_range(e, K_JOB_ITEM, s->seq, i, i);
        if (i < e->n_items) {
            if (v.n)
                s7_set_value(&e->items[i], tsize, v);
            if (keep_status)
                s7_item_status(&e->items[i], code);
        }
    }
}

static void variables(struct s7 *s, struct event *e, struct cur *c, uint8_t sub)
{
    unsigned count = cur_u16be(c), n = 0, first = e->n_items;
    for (; n < count && cur_left(c) >= 6; n++)
        address(s, e, c);
    if (n < count && !s->x->cut)
        s7_anomaly(s, A_ITEM_COUNT);
    if (sub != TIS_READ)
        values(s, e, c, count, first, false);
}

/* Lengths of parameters and data, and the cursors to both. */
static bool split(struct s7 *s, struct cur *c, struct cur *param, struct cur *data)
{
    uint16_t np = cur_u16be(c), nd = cur_u16be(c);
    if (!cur_ok(c)) {
        *param = *data = (struct cur){0};
        return false;
    }
    if ((uint32_t)np + nd > cur_left(c) && !s->x->cut)
        s7_anomaly(s, A_USERDATA);
    *param = cur_sub(c, np < cur_left(c) ? np : cur_left(c));
    *data = cur_sub(c, nd < cur_left(c) ? nd : cur_left(c)); /* some CPUs say four bytes too few */
    return true;
}

static void trigger(struct event *e, struct cur p)
{
    if (cur_left(&p) < 20)
        return;
    cur_skip(&p, 18);
    ev_u64(e, F_TRIGGER, cur_u16be(&p));
    uint16_t type = cur_u16be(&p), number = cur_u16be(&p);
    if (cur_ok(&p) && s7_block_type(type))
        s7_block_item(e, (uint8_t)type, number);
}

static struct span job_text(struct event *e, uint8_t fn, uint8_t nr)
{
    const struct op_row *r = schema_op(&s7comm_schema, S7_UD(S7_G_TIS, fn), OP_ANY_SELECTOR);
    return r ? ev_text_fmt(e, "%s %u", r->name, nr) : ev_text_fmt(e, "0x%02x %u", fn, nr);
}

/* A command about another job: which one. What changes a forcing or modifying job is classed like it. */
static void job(struct s7 *s, struct event *e, struct cur *c)
{
    cur_skip(c, s->sub == TIS_DELETE || s->sub == TIS_REPLACE ? 2 : 0);
    uint8_t fn = cur_u8(c), nr = cur_u8(c);
    if (!cur_ok(c)) {
        if (!s->x->cut)
            s7_anomaly(s, A_ITEM_SHORT);
        return;
    }
    if (s->sub != TIS_READ_JOB)
        e->action = fn == TIS_FORCE ? ACT_FORCE : fn == TIS_MODIFY ? ACT_WRITE : e->action;
    ev_range(e, K_JOB, fn, nr, nr);
    ev_span(e, F_JOB, job_text(e, fn, nr));
    struct cur p, d;
    if (s->sub != TIS_REPLACE || !split(s, c, &p, &d))
        return;
    trigger(e, p);
    if (fn == TIS_READ || fn == TIS_MODIFY || fn == TIS_FORCE)
        variables(s, e, &d, fn);
}

void s7_tis_request(struct s7 *s, struct event *e)
{
    struct cur p, d;
    if (!split(s, &s->body, &p, &d))
        return;
    if (s->sub == TIS_READ || s->sub == TIS_MODIFY || s->sub == TIS_FORCE)
        variables(s, e, &d, s->sub);
    else if ((s->sub >= TIS_DISABLE && s->sub <= TIS_DELETE) || s->sub == TIS_READ_JOB || s->sub == TIS_REPLACE)
        job(s, e, &d);
    trigger(e, p);
}

static void codes(struct s7 *s, struct event *e, struct cur *c)
{
    unsigned count = cur_u16be(c);
    for (unsigned i = 0; i < count && cur_left(c); i++) {
        uint8_t code = cur_u8(c);
        if (i >= e->n_items && e->n_items < EV_MAX_ITEMS)
            ev_range(e, K_JOB_ITEM, s->seq, i, i);
        if (i < e->n_items)
            s7_item_status(&e->items[i], code);
    }
}

void s7_tis_answer(struct s7 *s, struct event *e)
{
    struct cur p, d;
    if (!split(s, &s->body, &p, &d) || !cur_left(&d))
        return;
    if (s->type == S7_UD_PUSH && s->sub == TIS_READ)
        values(s, e, &d, cur_u16be(&d), 0, true);
    else if (s->type == S7_UD_PUSH && (s->sub == TIS_MODIFY || s->sub == TIS_FORCE))
        codes(s, e, &d);
    else if (s->sub == TIS_LIST)
        for (unsigned i = 0; i < 32 && cur_left(&d) >= 4; i++) {
            uint8_t fn = cur_u8(&d), nr = cur_u8(&d);
            uint16_t state = cur_u16be(&d);
            struct span t = job_text(e, fn, nr);
            ev_span(e, F_JOB_STATE, ev_text_fmt(e, "%.*s %s", (int)t.n, (const char *)t.p, state ? "active" : "idle"));
        }
    if (s->type == S7_UD_PUSH && e->n_items)
        s7_sum_items(e);
}
