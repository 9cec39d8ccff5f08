/* dnp3_obj.c: DNP3 object headers: qualifier, range, and the points behind them as items.
 *
 * Spec: IEEE 1815-2012 4.2.2 (object headers), Annex A (object library).
 *
 *   +-------+-----------+-----------+------------------------+----------------------------
 *   | group | variation | qualifier | range (0..8 octets)    | [prefix] object, [prefix] object, ...
 *   +-------+-----------+-----------+------------------------+----------------------------
 *   qualifier: bit 7 reserved | bits 6-4 prefix (0 none, 1-3 index, 4-6 size) | bits 3-0 range
 *   range:     0-2 start-stop, 3-5 virtual addresses, 6 all, 7-9 count, B count of variable-size objects
 *
 * A start-stop range is one item with its values by stride; an index-prefixed object is one item. */
#include "dissectors/dnp3_proto.h"

/* clang-format off */
#define ANY(g, v, n, k) {g, v, DK_##k, DO_NONE, DD_POINT, VE_NONE, 0, -1, -1, -1, 0, 0},
#define FIX(g, v, n, k, enc, size, val, flag, time) \
    {g, v, DK_##k, DO_POINT, DD_POINT, enc, size, val, flag, time, 0, 6},
#define STA(g, v, n, k, size, mask, time, tlen) \
    {g, v, DK_##k, DO_POINT, DD_POINT, (mask) == 0x80 ? VE_BOOL8 : VE_U8, size, 0, 0, time, mask, tlen},
#define BIT(g, v, n, k, form) \
    {g, v, DK_##k, form, DD_POINT, (form) == DO_BITS ? VE_BIT_LSB : VE_BIT2_LSB, 0, 0, -1, -1, 0, 0},
#define OWN(g, v, n, k, form, dec, size) {g, v, DK_##k, form, dec, VE_NONE, size, -1, -1, -1, 0, 0},
#define AOC(g, v, n, k, enc, size) {g, v, DK_##k, DO_POINT, DD_AO_COMMAND, enc, size, 0, -1, -1, 0, 0},
#define CEV(g, v, n, k, enc, size, time) {g, v, DK_##k, DO_POINT, DD_POINT, enc, size, 1, 0, time, 0, 6},
static const struct dnp3_obj objects[] = {
#include "dissectors/dnp3_objects.def"
};
/* clang-format on */

static int row_cmp(const struct dnp3_obj *o, unsigned key)
{
    unsigned k = (unsigned)o->group << 8 | o->var;
    return k < key ? -1 : k > key;
}

const struct dnp3_obj *dnp3_obj_find(uint8_t group, uint8_t var)
{
    /* Variation is a length, or an attribute, in these groups: one row each. */
    unsigned key = (unsigned)group << 8 | (group == 0 || (group >= 110 && group <= 113) ? 0 : var);
    unsigned lo = 0, hi = ARRAY_LEN(objects);
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        int r = row_cmp(&objects[mid], key);
        if (r == 0)
            return &objects[mid];
        if (r < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

bool dnp3_group_known(uint8_t group)
{
    for (unsigned i = 0; i < ARRAY_LEN(objects); i++)
        if (objects[i].group == group)
            return true;
    return false;
}

/* Do the objects of this header carry data in this message? A request to read names points only; responses, writes and
 * controls carry them. */
static bool has_data(const struct dnp3_walk *w)
{
    uint8_t fn = w->m->fn;
    if (w->group == 120)
        return true;
    if (fn == FC_FREEZE_AT_TIME || fn == FC_FREEZE_AT_TIME_NR)
        return w->group == 50; /* the schedule; the counters behind it are only named */
    return fn == FC_WRITE || (fn >= FC_SELECT && fn <= FC_DIRECT_OPERATE_NR) ||
           (fn >= FC_OPEN_FILE && fn <= FC_LAST_REQUEST) || w->m->response;
}

/* ---- one header ---- */

struct head {
    uint32_t count; /* of objects, or of indices */
    uint32_t first, last;
    bool range, all;
    uint8_t prefix;   /* octets of the prefix */
    bool size_prefix; /* the prefix is a size, not an index */
};

static uint32_t read_uint(struct cur *c, unsigned octets)
{
    return octets == 1 ? cur_u8(c) : octets == 2 ? cur_u16le(c) : octets == 4 ? cur_u32le(c) : 0;
}

/* False: the rest of the fragment cannot be read. */
static bool read_head(struct dnp3_walk *w, struct cur *c, struct head *h)
{
    static const uint8_t prefix_len[8] = {0, 1, 2, 4, 1, 2, 4, 0};
    static const uint8_t range_len[16] = {1, 2, 4, 1, 2, 4, 0, 1, 2, 4, 0, 1, 0, 0, 0, 0};
    uint8_t q = w->qualifier, prefix = q >> 4 & 7, code = q & 15;
    *h = (struct head){.prefix = prefix_len[prefix], .size_prefix = prefix >= 4};
    if ((q & 0x80) || prefix == 7 || code == 10 || code > 11) {
        dnp3_say(w, DA_QUALIFIER);
        return false;
    }
    if ((code < 7 && prefix) || ((code == 11) != (prefix >= 4)))
        dnp3_say(w, DA_QUALIFIER); /* readable, but the standard has no such pair */
    if (code < 6) {
        h->first = read_uint(c, range_len[code]);
        h->last = read_uint(c, range_len[code]);
        h->range = true;
        if (cur_ok(c) && h->last < h->first) {
            dnp3_say(w, DA_RANGE);
            return false;
        }
        h->count = h->last - h->first == UINT32_MAX ? UINT32_MAX : h->last - h->first + 1;
    } else if (code == 6) {
        h->all = true;
    } else {
        h->count = read_uint(c, range_len[code]);
    }
    return cur_ok(c);
}

/* ---- times ---- */

static void note_time(struct dnp3_walk *w, const struct dnp3_obj *o, struct cur c)
{
    uint64_t t;
    cur_skip(&c, (uint32_t)o->time);
    if (o->time_len == 2)
        t = w->cto ? w->cto + cur_u16le(&c) : 0;
    else
        t = cur_u48le(&c);
    if (!cur_ok(&c) || !t)
        return;
    w->t_min = w->t_min && w->t_min < t ? w->t_min : t;
    w->t_max = w->t_max > t ? w->t_max : t;
}

/* ---- items ---- */

/* The flag octet as names of the schema's: what its upper half means is the kind of point's (Clause 11, flags), and
 * where the state stands in it that is no quality. */
uint32_t dnp3_quality(const struct item *it, uint8_t octet)
{
    static const struct {
        uint16_t bit5, bit6;
    } upper[DK_COUNT] = {[DK_BINARY_INPUT] = {DQ_CHATTER, 0},
                         [DK_DOUBLE_BIT_INPUT] = {DQ_CHATTER, 0},
                         [DK_COUNTER] = {DQ_ROLLOVER, DQ_DISCONTINUITY},
                         [DK_FROZEN_COUNTER] = {DQ_ROLLOVER, DQ_DISCONTINUITY},
                         [DK_ANALOG_INPUT] = {DQ_OVER_RANGE, DQ_REFERENCE},
                         [DK_FROZEN_ANALOG] = {DQ_OVER_RANGE, DQ_REFERENCE},
                         [DK_ANALOG_DEADBAND] = {DQ_OVER_RANGE, DQ_REFERENCE},
                         [DK_ANALOG_OUTPUT] = {DQ_OVER_RANGE, DQ_REFERENCE},
                         [DK_SECURITY_STATISTIC] = {DQ_ROLLOVER, DQ_DISCONTINUITY}};
    uint8_t flags = octet & (uint8_t)~it->v.mask;
    uint32_t q = (flags & 0x1f) ^ DQ_OFFLINE; /* online and nothing else is good: no bit */
    if (it->kind < DK_COUNT)
        q |= (flags & 0x20 ? upper[it->kind].bit5 : 0u) | (flags & 0x40 ? upper[it->kind].bit6 : 0u);
    return q;
}

/* The item of these points: the one that the request has named, while it has no value yet, else a new one. */
struct item *dnp3_item(struct dnp3_walk *w, uint8_t kind, uint32_t space, uint32_t first, uint32_t last)
{
    for (uint32_t i = 0; i < w->n_request; i++) {
        struct item *it = &w->e->items[i];
        if (it->kind == kind && it->has_range && it->first == first && it->last == last && it->space == space &&
            !it->v.n)
            return it;
    }
    struct item *it = ev_range(w->e, kind, space, first, last);
    it->action = w->action;
    return it;
}

static struct item *new_item(struct dnp3_walk *w, uint32_t first, uint32_t last)
{
    return dnp3_item(w, w->o->kind, 0, first, last);
}

/* n values of one size. The flag octet becomes the item's quality where all are alike. */
static void set_points(struct dnp3_walk *w, struct item *it, struct span raw, uint32_t n)
{
    const struct dnp3_obj *o = w->o;
    bool text = o->form == DO_STRING;
    it->v = (struct vals){.raw = raw, .n = (uint16_t)(n > 0xffff ? 0xffff : n), .qual_off = -1,
                          .stride = text ? (uint16_t)(raw.n / n) : o->size,
                          .off = (uint8_t)(o->value < 0 ? 0 : o->value), .enc = text ? VE_TEXT : o->enc,
                          .mask = o->mask};
    if (o->time >= 0 && (o->time_len == 6 || w->cto)) { /* relative to a common time: not without it */
        it->v.time_off = (uint8_t)o->time;
        it->v.time_enc = o->time_len == 6 ? VE_TIME48LE : VE_U16LE;
        it->v.now.u = o->time_len == 6 ? 0 : w->cto;
    }
    if (n > 0xffff)
        w->e->truncated = 1;
    struct cur c = cur_span(raw);
    bool alike = true;
    uint8_t flags0 = 0;
    for (uint32_t i = 0; i < n && (o->flags >= 0 || o->time >= 0); i++) {
        struct cur one = cur_sub(&c, o->size);
        if (!cur_ok(&one))
            break;
        uint8_t flags = (uint8_t)(o->flags < 0 ? 0 : cur_peek(&one, (uint32_t)o->flags) & (uint8_t)~o->mask);
        flags0 = i ? flags0 : flags;
        alike = alike && flags == flags0;
        if (o->time >= 0)
            note_time(w, o, one);
    }
    if (o->flags < 0)
        return;
    if (w->group == 13 || w->group == 43) { /* command events: this octet is the command's status */
        it->status = flags0 & 0x7f;
    } else if (alike) {
        it->quality = ITEM_QUALITY | dnp3_quality(it, flags0);
    } else { /* each value's own octet */
        it->v.qual_off = o->flags;
        it->quality = ITEM_QUALITY;
    }
}

static void one_point(struct dnp3_walk *w, struct cur c)
{
    const struct dnp3_obj *o = w->o;
    if (o->dec != DD_POINT) {
        dnp3_special(w, c);
        return;
    }
    struct span raw = cur_rest(&c);
    set_points(w, new_item(w, w->index, w->index), raw, 1);
}

/* The octets of one object, or -1 when only it knows. */
static int object_size(const struct dnp3_walk *w)
{
    return w->o->form == DO_POINT ? w->o->size : w->o->form == DO_STRING ? w->var : -1;
}

static bool short_data(struct dnp3_walk *w)
{
    if (!w->m->cut)
        dnp3_say(w, DA_OBJ_SHORT);
    return false;
}

/* Packed bits behind a range: one item; indications that are set or cleared: one each, they are few. */
static bool packed(struct dnp3_walk *w, struct cur *c, const struct head *h)
{
    uint64_t bits = (uint64_t)h->count * (w->o->form == DO_BITS ? 1 : 2);
    uint64_t need = (bits + 7) / 8;
    if (!h->range) {
        dnp3_say(w, DA_QUALIFIER);
        return false;
    }
    bool whole = need <= cur_left(c);
    struct span raw = cur_bytes(c, whole ? (uint32_t)need : cur_left(c));
    uint32_t held = (uint32_t)(raw.n * (w->o->form == DO_BITS ? 8u : 4u));
    uint32_t n = h->count < held ? h->count : held;
    if (n) {
        struct item *it = new_item(w, h->first, h->first + n - 1);
        it->v = (struct vals){.raw = raw, .n = (uint16_t)(n > 0xffff ? 0xffff : n), .qual_off = -1, .enc = w->o->enc};
        if (n > 0xffff)
            w->e->truncated = 1;
    }
    return whole || short_data(w);
}

/* Objects of one size behind a range or count without prefix. */
static bool plain(struct dnp3_walk *w, struct cur *c, const struct head *h)
{
    int size = object_size(w);
    if (w->o->form == DO_OWN || (size <= 0 && w->o->form != DO_STRING)) {
        struct cur rest = cur_sub(c, cur_left(c)); /* attributes and the like: each knows its own length */
        for (uint32_t i = 0; i < h->count; i++) {
            uint32_t before = cur_left(&rest);
            if (w->o->form != DO_OWN || !before) {
                dnp3_say(w, w->o->form != DO_OWN ? DA_QUALIFIER : DA_OBJ_SHORT);
                return false;
            }
            w->index = h->first + i;
            w->has_index = h->range;
            dnp3_special(w, rest);
            uint32_t used = w->own_len;
            if (!used || used > before)
                return short_data(w);
            cur_skip(&rest, used);
        }
        *c = rest;
        return true;
    }
    if (!size)
        return true; /* strings of no length */
    uint32_t n = h->count, fit = cur_left(c) / (uint32_t)size;
    bool whole = n <= fit;
    n = whole ? n : fit;
    struct cur data = cur_sub(c, n * (uint32_t)size);
    if (w->o->dec == DD_POINT && h->range && n) {
        struct item *it = new_item(w, h->first, h->first + n - 1);
        set_points(w, it, cur_rest(&data), n);
    } else {
        for (uint32_t i = 0; i < n; i++) {
            w->index = h->first + i;
            w->has_index = h->range;
            one_point(w, cur_sub(&data, (uint32_t)size));
        }
    }
    return whole || short_data(w);
}

/* Objects with an index, or with their size, in front of each. */
static bool prefixed(struct dnp3_walk *w, struct cur *c, const struct head *h)
{
    for (uint32_t i = 0; i < h->count; i++) {
        uint32_t p = read_uint(c, h->prefix);
        int size = h->size_prefix ? (int)(p & 0x7fffffff) : object_size(w);
        if (!cur_ok(c))
            return short_data(w);
        w->index = h->size_prefix ? h->first + i : p;
        w->has_index = !h->size_prefix;
        if (size < 0 && w->o->form == DO_OWN) { /* knows its own length */
            dnp3_special(w, *c);
            size = (int)w->own_len;
            if (!size || (uint32_t)size > cur_left(c))
                return short_data(w);
            cur_skip(c, (uint32_t)size);
            continue;
        }
        if (size < 0 && (w->o->form == DO_BITS || w->o->form == DO_BITS2)) {
            size = 1; /* a packed object alone behind its index fills an octet */
            dnp3_say(w, DA_QUALIFIER);
        }
        if (size < 0) {
            dnp3_say(w, DA_QUALIFIER);
            return false;
        }
        struct cur one = cur_sub(c, (uint32_t)size);
        if (!cur_ok(&one))
            return short_data(w);
        if (w->o->form == DO_POINT && (uint32_t)size < w->o->size)
            dnp3_say(w, DA_OBJ_SHORT);
        else
            one_point(w, one);
    }
    return true;
}

/* The points are only named. */
static bool named(struct dnp3_walk *w, struct cur *c, const struct head *h)
{
    if (w->group == 60) {
        struct item *it = w->var ? new_item(w, w->var - 1u, w->var - 1u) : ev_item(w->e, DK_CLASS);
        it->action = w->action;
        if (w->m->fn == 22 && w->var) /* assign class: what follows goes into this class */
            ev_u64(w->e, DF_CLASSES, w->var - 1u);
        return true;
    }
    if (w->group == 0) {
        struct item *it = h->range && h->first ? ev_range(w->e, DK_PRIVATE_ATTRIBUTE, h->first, w->var, w->var)
                                               : ev_range(w->e, DK_DEVICE_ATTRIBUTE, 0, w->var, w->var);
        it->action = w->action;
        return true;
    }
    if (h->range) {
        new_item(w, h->first, h->last);
        return true;
    }
    if (!h->prefix) { /* all of them, or as many as the count allows */
        ev_item(w->e, w->o->kind)->action = w->action;
        return true;
    }
    for (uint32_t i = 0; i < h->count; i++) {
        uint32_t index = read_uint(c, h->prefix);
        if (!cur_ok(c))
            return short_data(w);
        new_item(w, index, index);
    }
    return true;
}

/* A group or variation that the library does not have: told, and jumped over where its length is known. */
static bool unknown(struct dnp3_walk *w, struct cur *c, const struct head *h, bool data)
{
    dnp3_say(w, dnp3_group_known(w->group) ? DA_OBJ_VARIATION : DA_OBJ_UNKNOWN);
    struct item *it = ev_range(w->e, DK_OBJECT, w->group, w->var, w->var);
    it->action = w->action;
    if (!h->size_prefix && (data || !h->prefix))
        return !data;
    for (uint32_t i = 0; i < h->count && cur_ok(c); i++) {
        uint32_t p = read_uint(c, h->prefix);
        cur_skip(c, h->size_prefix ? p : 0);
    }
    return cur_ok(c) || short_data(w);
}

/* The first group that says what is done decides the act; a later one that changes more takes over. */
static void choose_act(struct dnp3_walk *w)
{
    struct event *e = w->e;
    w->action = e->action;
    if (w->m->response || w->m->fn > FC_WRITE || w->group == 120 || w->group == 51)
        return;
    const struct op_row *row = schema_op(&dnp3_schema, w->m->fn, w->group);
    w->action = row ? row->action : e->action;
    if (!w->select_known || (!action_changes(e->action) && action_changes(w->action))) {
        ev_select(e, w->group);
        w->select_known = true;
    }
}

static bool one_header(struct dnp3_walk *w, struct cur *c)
{
    struct head h;
    w->group = cur_u8(c);
    w->var = cur_u8(c);
    w->qualifier = cur_u8(c);
    if (!cur_ok(c)) {
        if (!w->m->cut)
            dnp3_say(w, DA_OBJ_HEADER);
        return false;
    }
    choose_act(w);
    bool text_var = w->group >= 110 && w->group <= 113;
    dnp3_u64_once(w->e, DF_OBJECTS, (uint64_t)w->group << 8 | (text_var ? 0 : w->var));
    dnp3_u64_once(w->e, DF_QUALIFIERS, w->qualifier);
    if (!read_head(w, c, &h)) {
        if (!cur_ok(c) && !w->m->cut)
            dnp3_say(w, DA_OBJ_HEADER);
        return false;
    }
    bool data = (has_data(w) || h.size_prefix) && !h.all;
    w->o = dnp3_obj_find(w->group, w->var);
    if (!w->o)
        return unknown(w, c, &h, data);
    if (w->group == 120 && !w->first_auth)
        w->first_auth = w->var;
    if (w->o->form == DO_NONE || !data) {
        if (w->m->response && w->o->form == DO_NONE)
            dnp3_say(w, DA_OBJ_VARIATION); /* "any" cannot be answered with */
        return named(w, c, &h);
    }
    if (h.prefix)
        return prefixed(w, c, &h);
    return w->o->form == DO_BITS || w->o->form == DO_BITS2 ? packed(w, c, &h) : plain(w, c, &h);
}

void dnp3_walk_objects(struct dnp3_walk *w)
{
    struct cur c = cur_span(w->m->objects);
    w->n_request = w->m->response ? w->e->n_items : 0;
    while (cur_left(&c) && one_header(w, &c)) /* a header is at least three octets */
        ;
    if (w->t_max) {
        ev_u64(w->e, DF_OLDEST_EVENT, ms_to_ns(w->t_min));
        ev_u64(w->e, DF_NEWEST_EVENT, ms_to_ns(w->t_max));
    }
}
