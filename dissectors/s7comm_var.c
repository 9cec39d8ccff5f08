/* s7comm_var.c: variables of S7comm: item addresses and data items of read, write, cyclic jobs and alarms.
 *
 *   item      12, length of what follows, syntax id, ... ; a fill byte after an odd length unless it is the last
 *   S7ANY 10  transport size, count u16, DB u16, area, address u24 (bits; timers and counters: number)
 *   82-84     SINUMERIK NC: area << 5 | unit, column u16, line u16, module, lines
 *   a2        drive parameter: 3 unknown fields (5 bytes), number u16, index u16
 *   b0        DB read of the S7-400: areas, each length u8, DB u16, start u16
 *   b2        symbolic access of the S7-1200: ff, 8a0e DB u16 | 0000 area u16, CRC u32, LIDs u32 (flags << 28 | value)
 *   data item return code, transport size, length u16 (3, 4, 5: in bits, else bytes), value, fill byte as above
 */
#include "dissectors/s7comm.h"

/* ---- areas and transport sizes ---- */

enum { AREA_NUMBERED = 1 /* the address is a number, not bits */, AREA_DB = 2 /* the DB number says something */ };

static const struct area {
    uint8_t known, kind, flags;
} areas[] = { /* by code */
    [0x01] = {1, K_RECORD, AREA_NUMBERED | AREA_DB}, [0x03] = {1, K_SI200, 0}, [0x05] = {1, K_SM200, 0},
    [0x06] = {1, K_AI200, 0}, [0x07] = {1, K_AQ200, 0}, [0x1c] = {1, K_COUNTER, AREA_NUMBERED},
    [0x1d] = {1, K_TIMER, AREA_NUMBERED}, [0x1e] = {1, K_HC200, AREA_NUMBERED},
    [0x1f] = {1, K_TIMER200, AREA_NUMBERED}, [0x80] = {1, K_P, 0}, [0x81] = {1, K_I, 0}, [0x82] = {1, K_Q, 0},
    [0x83] = {1, K_M, 0}, [0x84] = {1, K_DB, AREA_DB}, [0x85] = {1, K_DI, AREA_DB}, [0x86] = {1, K_LOCAL, 0},
    [0x87] = {1, K_V, 0},
};

/* Transport size of an address: bytes of one element and how its value is encoded. */
static const struct size {
    uint8_t bytes, enc;
} sizes[33] = {
    [1] = {1, VE_BOOL8},   [2] = {1, VE_U8},     [3] = {1, VE_TEXT},    [4] = {2, VE_U16BE},  [5] = {2, VE_I16BE},
    [6] = {4, VE_U32BE},   [7] = {4, VE_I32BE},  [8] = {4, VE_F32BE},   [9] = {2, VE_U16BE},  [10] = {4, VE_U32BE},
    [11] = {4, VE_I32BE},  [12] = {2, VE_U16BE}, [15] = {8, VE_BYTES},  [28] = {2, VE_U16BE}, [29] = {2, VE_U16BE},
    [30] = {3, VE_BYTES},  [31] = {5, VE_BYTES}, [32] = {4, VE_I32BE},
};

/* vals.off of an item without values yet: the first of a DB read, or one that shares the data item before it */
enum { TS_BIT = 1, DB_READ_NEXT = 1, DB_READ_FIRST = 2 };

static const struct area *area(uint8_t code)
{
    return code < ARRAY_LEN(areas) && areas[code].known ? &areas[code] : NULL;
}

/* Until the values come, the item remembers in the mask how they are encoded. */
static void expect(struct item *it, uint8_t enc, uint16_t stride)
{
    it->v.mask = enc;
    it->v.stride = stride;
}

static void any(struct s7 *s, struct event *e, struct cur c)
{
    struct span all = cur_bytes(&c, 9);
    if (all.n < 9) {
        s7_anomaly(s, A_ITEM_SHORT);
        return;
    }
    const uint8_t *p = all.p; /* transport size, count, DB, area, address */
    uint8_t ts = p[0], code = p[5];
    uint16_t count = (uint16_t)(p[1] << 8 | p[2]), db = (uint16_t)(p[3] << 8 | p[4]);
    uint32_t addr = (uint32_t)p[6] << 16 | (uint32_t)p[7] << 8 | p[8];
    const struct area *a = area(code);
    const struct size *z = &sizes[ts < ARRAY_LEN(sizes) ? ts : 0];
    if (!a || !z->bytes)
        s7_anomaly(s, A_AREA);
    bool numbered = a && (a->flags & AREA_NUMBERED), record = code == 0x01;
    uint32_t first = numbered ? addr : addr >> 3;
    uint32_t n = record ? 1 : count;
    if (!numbered)
        n = ts == TS_BIT ? (count + (addr & 7) + 7u) >> 3 : (uint32_t)count * (z->bytes ? z->bytes : 1u);
    uint32_t space = a ? ((a->flags & AREA_DB) ? db : 0) : code;
    struct item *it = ev_range(e, a ? a->kind : K_AREA, space, first, first + (n ? n - 1 : 0));
    if (ts == TS_BIT && !numbered && count <= 1)
        it->bit = addr & 7;
    expect(it, record ? VE_BYTES : z->enc, record ? 0 : z->bytes);
    if (cur_left(&c))
        s7_anomaly(s, A_SYNTAX);
}

/* Several ranges of DBs whose values come as one data item. */
static void db_read(struct s7 *s, struct event *e, struct cur c)
{
    uint8_t n = cur_u8(&c);
    for (unsigned i = 0; i < n && cur_left(&c); i++) {
        uint8_t len = cur_u8(&c);
        uint16_t db = cur_u16be(&c), at = cur_u16be(&c);
        if (!cur_ok(&c))
            break;
        struct item *it = ev_range(e, K_DB, db, at, at + (len ? len - 1u : 0u));
        expect(it, VE_U8, 1);
        it->v.off = i ? DB_READ_NEXT : DB_READ_FIRST;
    }
    if (!cur_ok(&c) || cur_left(&c) > 1)
        s7_anomaly(s, A_ITEM_SHORT);
}

static void symbol(struct s7 *s, struct event *e, struct cur c)
{
    static const char *const iqmct[] = {"I", "Q", "M", "C", "T"};
    cur_skip(&c, 1);
    uint16_t a1 = cur_u16be(&c), a2 = cur_u16be(&c);
    uint32_t crc = cur_u32be(&c);
    if (!cur_ok(&c)) {
        s7_anomaly(s, A_ITEM_SHORT);
        return;
    }
    uint32_t start = e->text_used;
    if (a1 == 0x8a0e)
        ev_text_fmt(e, "DB%u", a2);
    else if (a1 == 0 && a2 >= 0x50 && a2 <= 0x54)
        ev_text_fmt(e, "%s", iqmct[a2 - 0x50]);
    else
        ev_text_fmt(e, "%04x.%04x", a1, a2);
    while (cur_left(&c) >= 4) {
        uint32_t lid = cur_u32be(&c);
        ev_text_fmt(e, ".%u", lid & 0x0fffffff);
    }
    ev_text_fmt(e, "#%08x", crc);
    struct item *it = ev_named(e, K_SYMBOL, (struct span){e->text + start, e->text_used - start});
    expect(it, VE_NONE, 0);
}

static void nck(struct s7 *s, struct event *e, struct cur c)
{
    static const char letters[] = "NBCATVHM"; /* NCK, mode group, channel, axis, tool, feed drive, main drive, MMC */
    uint8_t au = cur_u8(&c);
    uint16_t column = cur_u16be(&c), line = cur_u16be(&c);
    uint8_t module = cur_u8(&c), lines = cur_u8(&c);
    if (!cur_ok(&c)) {
        s7_anomaly(s, A_ITEM_SHORT);
        return;
    }
    unsigned last = line + (lines ? lines - 1u : 0u);
    struct span name = ev_text_fmt(e, "%c%u/0x%02x/%u[%u-%u]", letters[au >> 5], au & 0x1f, module, column, line, last);
    expect(ev_named(e, K_NCK, name), VE_NONE, 0);
}

static void drive(struct s7 *s, struct event *e, struct cur c)
{
    cur_skip(&c, 5);
    uint16_t nr = cur_u16be(&c), idx = cur_u16be(&c);
    if (cur_ok(&c))
        expect(ev_range(e, K_DRIVE, nr, idx, idx), VE_NONE, 0);
    else
        s7_anomaly(s, A_ITEM_SHORT);
}

static const struct syntax {
    uint8_t id;
    void (*read)(struct s7 *s, struct event *e, struct cur c);
} syntaxes[] = {{0x10, any}, {0x82, nck}, {0x83, nck}, {0x84, nck}, {0xa2, drive}, {0xb0, db_read}, {0xb2, symbol}};

bool s7_item(struct s7 *s, struct event *e, struct cur *c, bool last)
{
    uint8_t spec = cur_u8(c), len = cur_u8(c);
    struct cur body = cur_sub(c, len);
    uint8_t syntax = cur_u8(&body);
    if (!cur_ok(c) || !cur_ok(&body)) {
        s7_anomaly(s, A_ITEM_SHORT);
        return false;
    }
    if (!last && (len & 1) && cur_left(c))
        cur_skip(c, 1);
    for (unsigned i = 0; i < ARRAY_LEN(syntaxes); i++) {
        if (spec == 0x12 && syntaxes[i].id == syntax) {
            uint32_t before = e->items_total;
            syntaxes[i].read(s, e, body);
            if (e->items_total == before) /* keep the order of items and values */
                ev_range(e, K_SYNTAX, 0, syntax, syntax);
            return true;
        }
    }
    s7_anomaly(s, A_SYNTAX);
    ev_range(e, K_SYNTAX, 0, syntax, syntax);
    return true;
}

/* ---- values ---- */

static uint32_t value_len(uint8_t tsize, uint16_t len)
{
    return tsize >= 3 && tsize <= 5 ? (len + 7u) / 8 : len;
}

bool s7_value(struct s7 *s, struct cur *c, bool last, uint8_t *code, uint8_t *tsize, struct span *v)
{
    uint32_t head = cur_u32be(c); /* return code, transport size, length */
    *code = (uint8_t)(head >> 24);
    *tsize = (uint8_t)(head >> 16);
    *v = (struct span){0};
    if (!cur_ok(c))
        return false;
    uint32_t n = value_len(*tsize, (uint16_t)head);
    if (*code != 0xff && *code != 0x00) /* an error has a head only */
        return true;
    if (n > cur_left(c)) {
        if (!s->x->cut)
            s7_anomaly(s, A_ITEM_SHORT);
        n = cur_left(c);
    }
    *v = cur_bytes(c, n);
    if ((n & 1) && !last && cur_left(c))
        cur_skip(c, 1);
    return true;
}

void s7_set_value(struct item *it, uint8_t tsize, struct span v)
{
    static const struct size by_data[] = {
        [3] = {1, VE_BOOL8}, [4] = {1, VE_U8}, [5] = {2, VE_I16BE}, [6] = {4, VE_I32BE}, [7] = {4, VE_F32BE},
    };
    it->v.enc = it->v.mask;
    it->v.mask = 0;
    if (it->v.enc == VE_NONE) {
        const struct size *z = &by_data[tsize < ARRAY_LEN(by_data) ? tsize : 0];
        bool fits = z->bytes && v.n % z->bytes == 0;
        it->v.enc = fits ? z->enc : VE_BYTES;
        it->v.stride = fits ? z->bytes : 0;
    }
    if (it->v.enc == VE_TEXT || it->v.stride == 0 || v.n % it->v.stride != 0) {
        it->v.enc = it->v.enc == VE_TEXT ? VE_TEXT : VE_BYTES;
        it->v.stride = (uint16_t)v.n;
    }
    it->v.off = 0;
    it->v.raw = v;
    it->v.n = (uint16_t)(it->v.stride ? v.n / it->v.stride : 0);
}

/* How long the values of an item must be; 0: its address does not say. */
static uint32_t expected_len(const struct item *it)
{
    if (!it->has_range || it->v.stride == 0)
        return 0;
    bool numbered = it->kind == K_COUNTER || it->kind == K_TIMER || it->kind == K_HC200 || it->kind == K_TIMER200;
    return (it->last - it->first + 1) * (numbered ? it->v.stride : 1u);
}

static bool waits_for_values(const struct item *it, uint8_t off)
{
    return it->v.n == 0 && it->v.off == off;
}

/* The data item of a DB read: for each range a return code of its own, then its bytes without padding. */
static unsigned give_db_read(struct s7 *s, struct event *e, unsigned at, uint8_t code, struct span v)
{
    struct cur c = cur_span(v);
    do {
        struct item *it = &e->items[at];
        uint32_t want = it->last - it->first + 1;
        uint8_t own = cur_left(&c) ? cur_u8(&c) : code;
        s7_item_status(it, own);
        if (own == 0xff && want <= cur_left(&c))
            s7_set_value(it, 4, cur_bytes(&c, want));
        else if (own == 0xff && v.n && !s->x->cut)
            s7_anomaly(s, A_VALUE_LENGTH);
    } while (++at < e->n_items && waits_for_values(&e->items[at], DB_READ_NEXT));
    return at;
}

/* One data item to the item, or items, that it belongs to. Returns the index after them. */
static unsigned give(struct s7 *s, struct event *e, unsigned at, uint8_t code, uint8_t tsize, struct span v)
{
    struct item *it = &e->items[at];
    if (waits_for_values(it, DB_READ_FIRST))
        return give_db_read(s, e, at, code, v);
    uint32_t want = expected_len(it);
    if (code)
        s7_item_status(it, code);
    if (v.n && want && want != v.n && it->kind != K_RECORD && !s->x->cut)
        s7_anomaly(s, A_VALUE_LENGTH);
    if (v.n)
        s7_set_value(it, tsize, v);
    return at + 1;
}

unsigned s7_values(struct s7 *s, struct event *e, struct cur *data, unsigned count, unsigned first, uint8_t spare_kind,
                   uint32_t space)
{
    struct cur c = *data;
    unsigned at = first, n = 0;
    for (; n < count && cur_left(&c); n++) {
        uint8_t code, tsize;
        struct span v;
        if (!s7_value(s, &c, n + 1 == count, &code, &tsize, &v)) {
            s7_anomaly(s, A_ITEM_SHORT);
            break;
        }
        if (at >= e->n_items && e->n_items < EV_MAX_ITEMS && spare_kind != UINT8_MAX)
            ev_range(e, spare_kind, space, n, n);
        if (at < e->n_items)
            at = give(s, e, at, code, tsize, v);
    }
    *data = c;
    if (n < count && !s->x->cut)
        s7_anomaly(s, A_ITEM_COUNT);
    return n;
}

/* ---- read and write ---- */

/* 04 or 05, count, items. */
static unsigned addresses(struct s7 *s, struct event *e)
{
    struct cur c = s->param;
    cur_skip(&c, 1);
    unsigned count = cur_u8(&c), n = 0;
    while (n < count && cur_left(&c) && s7_item(s, e, &c, n + 1 == count))
        n++;
    if ((n < count || cur_left(&c)) && !s->x->cut)
        s7_anomaly(s, A_ITEM_COUNT);
    s->param = c;
    return count;
}

void s7_read_request(struct s7 *s, struct event *e)
{
    addresses(s, e);
    if (cur_left(&s->data))
        s7_anomaly(s, A_TRAILING);
}

void s7_write_request(struct s7 *s, struct event *e)
{
    unsigned count = addresses(s, e);
    s7_values(s, e, &s->data, count, 0, UINT8_MAX, 0);
    if (cur_left(&s->data))
        s7_anomaly(s, A_TRAILING);
}

/* Data items that the request asked for: items that start a data item of their own. */
static unsigned asked(const struct event *e)
{
    unsigned n = 0;
    for (unsigned i = 0; i < e->n_items; i++)
        n += !waits_for_values(&e->items[i], DB_READ_NEXT);
    return n;
}

void s7_read_answer(struct s7 *s, struct event *e)
{
    cur_skip(&s->param, 1);
    unsigned count = cur_u8(&s->param);
    if (!cur_ok(&s->param) || s->err)
        return;
    if (e->kind == EV_TRANSACTION && e->items_total <= e->n_items && asked(e) != count)
        s7_anomaly(s, A_ITEM_COUNT);
    if (e->kind == EV_TRANSACTION)
        s7_values(s, e, &s->data, count, 0, UINT8_MAX, 0);
    if (e->n_items)
        s7_sum_items(e);
}

void s7_write_answer(struct s7 *s, struct event *e)
{
    cur_skip(&s->param, 1);
    unsigned count = cur_u8(&s->param);
    if (!cur_ok(&s->param) || s->err)
        return;
    if (e->kind == EV_TRANSACTION && e->items_total <= e->n_items && asked(e) != count)
        s7_anomaly(s, A_ITEM_COUNT);
    for (unsigned i = 0; i < count && cur_left(&s->data); i++) {
        uint8_t code = cur_u8(&s->data);
        if (i < e->n_items)
            s7_item_status(&e->items[i], code);
    }
    if (e->n_items)
        s7_sum_items(e);
}
