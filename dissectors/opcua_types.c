/* opcua_types.c: the built-in types of OPC UA Binary: read, rendered, and as values of an object.
 *
 * Spec: OPC 10000-6 5.2.2. Little-endian; a string, byte string or array has an Int32 length in front, -1: null.
 *
 *   NodeId            | 0 two byte   | id 1 |            | 1 four byte | ns 1 | id 2 |
 *                     | 2 numeric    | ns 2 | id 4 |     | 3 string, 4 guid, 5 opaque | ns 2 | id |
 *                       ExpandedNodeId: flags 0x80 namespace URI, 0x40 server index behind
 *   Variant           | type 6 bits, 0x40 dimensions, 0x80 array | length 4 if array | values | dimensions |
 *   DataValue         | mask | variant 1 | status 2 | source time 4 | ps 16 | server time 8 | ps 32 |
 *   ExtensionObject   | NodeId of the encoding | 0 no body, 1 bytes, 2 XML | length 4 | body |
 *   DiagnosticInfo    | mask | Int32 1, 2, 8, 4 | string 16 | status 32 | inner DiagnosticInfo 64 | */
#include <stdio.h>

#include "dissectors/opcua_int.h"

enum {
    DEPTH = 8,                  /* variants inside each other */
    INNER = 64,                 /* diagnostics inside each other */
    ELEMENTS = EV_VALUES_SHOWN, /* of an array that are kept */
    BYTES = 1024,               /* of a text or byte string that are kept */
    LIST_BYTES = 8192           /* of an array whose elements have no fixed size */
};

/* ---- reading ---- */

static const struct number {
    uint8_t size, is_signed, enc;
} numbers[UA_STRUCT] = {
    [UA_BOOL] = {1, 0, VE_BOOL8},   [UA_SBYTE] = {1, 1, VE_I8},     [UA_BYTE] = {1, 0, VE_U8},
    [UA_INT16] = {2, 1, VE_I16LE},  [UA_UINT16] = {2, 0, VE_U16LE}, [UA_INT32] = {4, 1, VE_I32LE},
    [UA_UINT32] = {4, 0, VE_U32LE}, [UA_INT64] = {8, 1, VE_I64LE},  [UA_UINT64] = {8, 0, VE_U64LE},
    [UA_FLOAT] = {4, 0, VE_F32LE},  [UA_DOUBLE] = {8, 0, VE_F64LE}, [UA_STATUS] = {4, 0, VE_U32LE},
};
static const uint8_t fixed[UA_STRUCT] = {
    [UA_BOOL] = 1,   [UA_SBYTE] = 1,    [UA_BYTE] = 1,  [UA_INT16] = 2,  [UA_UINT16] = 2,
    [UA_INT32] = 4,  [UA_UINT32] = 4,   [UA_INT64] = 8, [UA_UINT64] = 8, [UA_FLOAT] = 4,
    [UA_DOUBLE] = 8, [UA_DATETIME] = 8, [UA_GUID] = 16, [UA_STATUS] = 4};

static void spoil(struct cur *c)
{
    cur_skip(c, cur_left(c) + 1);
}

static struct span get_string(struct cur *c, bool *null)
{
    uint32_t n = cur_u32le(c);
    *null = n > INT32_MAX;
    return cur_bytes(c, *null ? 0 : n);
}

/* 100 ns since 1601 to ns since 1970; before that 0, beyond all bounds the largest. */
static uint64_t get_time(struct cur *c)
{
    static const uint64_t epoch = UINT64_C(116444736000000000);
    uint64_t t = cur_u64le(c);
    if (t <= epoch || t > INT64_MAX)
        return 0;
    return t - epoch > UINT64_MAX / 100 ? UINT64_MAX : (t - epoch) * 100;
}

static void get_node(struct cur *c, struct ua_node *n, bool expanded)
{
    uint8_t first = cur_u8(c), flags = first & 0xc0;
    bool null;
    *n = (struct ua_node){.kind = first & 0x3f};
    if (n->kind == 0) {
        n->num = cur_u8(c);
    } else if (n->kind == 1) {
        n->ns = cur_u8(c);
        n->num = cur_u16le(c);
    } else if (n->kind == 2) {
        n->ns = cur_u16le(c);
        n->num = cur_u32le(c);
    } else {
        n->ns = cur_u16le(c);
        n->id = n->kind == 4 ? cur_bytes(c, 16) : get_string(c, &null);
    }
    if (flags & 0x80)
        n->uri = get_string(c, &null);
    if (flags & 0x40)
        n->server = cur_u32le(c);
    if (n->kind > 5 || (flags && !expanded))
        spoil(c);
}

static void get_extobj(struct cur *c, struct ua_val *v)
{
    get_node(c, &v->node, false);
    uint8_t body = cur_u8(c);
    v->null = true;
    v->s = (struct span){0};
    if (body == 1 || body == 2)
        v->s = get_string(c, &v->null);
    else if (body)
        spoil(c);
    if (body == 2) /* XML: shown, not read */
        v->node = (struct ua_node){0};
}

static void get_diaginfo(struct cur *c, struct ua_val *v)
{
    bool null;
    v->s = (struct span){0};
    for (unsigned i = 0; i < INNER; i++) {
        uint8_t mask = cur_u8(c);
        for (unsigned bit = 1; bit <= 8; bit <<= 1)
            if (mask & bit)
                cur_skip(c, 4);
        if (mask & 16) {
            struct span s = get_string(c, &null);
            v->s = v->s.n ? v->s : s; /* the outermost text */
        }
        if (mask & 32)
            cur_skip(c, 4);
        if (!(mask & 64) || !cur_ok(c))
            return;
    }
    spoil(c);
}

static void get_at(struct cur *c, unsigned type, struct ua_val *v, unsigned depth, bool *deep);

/* n elements of one type: the bytes they take. */
static void skip_elements(struct cur *c, unsigned type, uint32_t n, unsigned depth, bool *deep)
{
    if (fixed[type]) {
        cur_skip(c, n > cur_left(c) ? UINT32_MAX : n * fixed[type]);
        return;
    }
    struct ua_val v;
    for (uint32_t i = 0; i < n && cur_ok(c); i++)
        get_at(c, type, &v, depth, deep);
}

/* Types 26 to 31 are reserved and read as byte strings (5.2.2.16). */
static void get_variant(struct cur *c, struct ua_variant *var, unsigned depth, bool *deep)
{
    uint8_t mask = cur_u8(c), type = mask & 0x3f;
    *var = (struct ua_variant){.type = type > UA_DIAGINFO && type < 32 ? UA_BYTESTRING : type, .n = 1};
    if (depth >= DEPTH || type >= 32 || (type == UA_NULL && mask)) {
        *deep |= depth >= DEPTH;
        spoil(c);
        return;
    }
    if (type == UA_NULL)
        return;
    if (mask & 0x80) {
        uint32_t n = cur_u32le(c);
        var->array = true;
        var->n = n > INT32_MAX ? 0 : n;
    }
    struct cur all = *c;
    uint32_t before = cur_left(c);
    if (var->n > before) /* every element has a byte */
        spoil(c);
    skip_elements(c, var->type, var->n, depth + 1, deep);
    if (cur_ok(c))
        var->raw = cur_bytes(&all, before - cur_left(c));
    if (mask & 0x40) {
        uint32_t dims = cur_u32le(c);
        if (dims <= INT32_MAX)
            cur_skip(c, dims > cur_left(c) ? UINT32_MAX : dims * 4);
    }
}

static void get_datavalue(struct cur *c, struct ua_val *v, unsigned depth, bool *deep)
{
    v->dv = cur_u8(c);
    v->var = (struct ua_variant){0};
    v->status = 0;
    v->source_ns = 0;
    if (v->dv & UA_DV_VALUE)
        get_variant(c, &v->var, depth, deep);
    if (v->dv & UA_DV_STATUS)
        v->status = cur_u32le(c);
    if (v->dv & UA_DV_SOURCE)
        v->source_ns = get_time(c);
    if (v->dv & UA_DV_SOURCE_PS)
        cur_skip(c, 2);
    if (v->dv & UA_DV_SERVER)
        cur_skip(c, 8);
    if (v->dv & UA_DV_SERVER_PS)
        cur_skip(c, 2);
}

static void get_number(struct cur *c, const struct number *k, struct ua_val *v)
{
    struct span s = cur_bytes(c, k->size);
    uint64_t u = 0;
    for (unsigned i = 0; i < s.n; i++)
        u |= (uint64_t)s.p[i] << 8 * i;
    unsigned shift = 64 - 8u * k->size;
    v->u = k->is_signed ? (uint64_t)((int64_t)(u << shift) >> shift) : u;
    if (k->enc == VE_F32LE) {
        uint32_t w = (uint32_t)u;
        float f;
        memcpy(&f, &w, 4);
        v->d = (double)f;
    } else if (k->enc == VE_F64LE) {
        memcpy(&v->d, &u, 8);
    }
}

static void get_text(struct cur *c, struct ua_val *v)
{
    uint8_t mask = cur_u8(c);
    v->null = true;
    v->s = (struct span){0};
    if (mask & 1)
        get_string(c, &v->null);
    v->null = true;
    if (mask & 2)
        v->s = get_string(c, &v->null);
}

static void get_at(struct cur *c, unsigned type, struct ua_val *v, unsigned depth, bool *deep)
{
    v->type = (uint8_t)type;
    v->null = false;
    if (numbers[type].size) {
        get_number(c, &numbers[type], v);
        return;
    }
    switch (type) {
    case UA_STRING:
    case UA_BYTESTRING:
    case UA_XML:
        v->s = get_string(c, &v->null);
        break;
    case UA_DATETIME:
        v->u = get_time(c);
        break;
    case UA_GUID:
        v->s = cur_bytes(c, 16);
        break;
    case UA_NODEID:
    case UA_EXPNODEID:
        get_node(c, &v->node, type == UA_EXPNODEID);
        break;
    case UA_QNAME:
        v->ns = cur_u16le(c);
        v->s = get_string(c, &v->null);
        break;
    case UA_LTEXT:
        get_text(c, v);
        break;
    case UA_EXTOBJ:
        get_extobj(c, v);
        break;
    case UA_DATAVALUE:
        get_datavalue(c, v, depth, deep);
        break;
    case UA_VARIANT:
        get_variant(c, &v->var, depth, deep);
        break;
    case UA_DIAGINFO:
        get_diaginfo(c, v);
        break;
    }
}

void ua_get(struct cur *c, unsigned type, struct ua_val *v, bool *deep)
{
    get_at(c, type, v, 0, deep);
}

bool ua_skip(struct cur *c, unsigned type)
{
    bool null;
    if (fixed[type])
        cur_skip(c, fixed[type]);
    else if (type == UA_STRING || type == UA_BYTESTRING || type == UA_XML)
        (void)get_string(c, &null);
    else
        return false;
    return true;
}

/* ---- text ---- */

void ua_put_span(struct ua_txt *t, struct span s)
{
    uint32_t room = (uint32_t)sizeof t->p - t->n, n = s.n < room ? s.n : room;
    if (n)
        memcpy(t->p + t->n, s.p, n);
    t->n += n;
}

void ua_put(struct ua_txt *t, const char *s)
{
    ua_put_span(t, (struct span){(const uint8_t *)s, (uint32_t)strlen(s)});
}

void ua_put_num(struct ua_txt *t, uint64_t v)
{
    char b[20];
    unsigned k = sizeof b;
    do
        b[--k] = (char)('0' + v % 10);
    while (v /= 10);
    ua_put_span(t, (struct span){(const uint8_t *)b + k, (uint32_t)sizeof b - k});
}

/* The first three parts of a Guid are numbers, little-endian as all of them (5.2.2.6). */
static void put_guid(struct ua_txt *t, struct span g)
{
    static const uint8_t order[] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    static const char hex[] = "0123456789abcdef";
    for (unsigned i = 0; i < 16 && g.n == 16; i++) {
        char b[4] = {hex[g.p[order[i]] >> 4], hex[g.p[order[i]] & 15], 0, 0};
        b[2] = i == 3 || i == 5 || i == 7 || i == 9 ? '-' : 0;
        ua_put(t, b);
    }
}

static void put_base64(struct ua_txt *t, struct span s)
{
    static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (uint32_t i = 0; i < s.n && t->n < sizeof t->p; i += 3) {
        uint32_t left = s.n - i;
        uint32_t v = (uint32_t)s.p[i] << 16 | (left > 1 ? (uint32_t)s.p[i + 1] << 8 : 0) | (left > 2 ? s.p[i + 2] : 0u);
        char b[5] = {b64[v >> 18], b64[v >> 12 & 63], left > 1 ? b64[v >> 6 & 63] : '=', left > 2 ? b64[v & 63] : '=',
                     0};
        ua_put(t, b);
    }
}

/* The notation of OPC 10000-6 5.3.1.10: "ns=2;s=Motor.Speed". */
void ua_put_node(struct ua_txt *t, const struct ua_node *n)
{
    static const char *const forms[] = {"i=", "i=", "i=", "s=", "g=", "b="};
    if (n->server) {
        ua_put(t, "svr=");
        ua_put_num(t, n->server);
        ua_put(t, ";");
    }
    if (n->uri.n) {
        ua_put(t, "nsu=");
        ua_put_span(t, n->uri);
        ua_put(t, ";");
    } else if (n->ns) {
        ua_put(t, "ns=");
        ua_put_num(t, n->ns);
        ua_put(t, ";");
    }
    ua_put(t, forms[n->kind <= 5 ? n->kind : 0]);
    if (n->kind <= 2)
        ua_put_num(t, n->num);
    else if (n->kind == 4)
        put_guid(t, n->id);
    else if (n->kind == 5)
        put_base64(t, n->id);
    else
        ua_put_span(t, n->id);
}

static void put_bytes(struct ua_txt *t, struct span s)
{
    static const char hex[] = "0123456789abcdef";
    for (uint32_t i = 0; i < s.n && t->n + 2 <= sizeof t->p; i++) {
        t->p[t->n++] = hex[s.p[i] >> 4];
        t->p[t->n++] = hex[s.p[i] & 15];
    }
}

static void put_variant(struct ua_txt *t, const struct ua_variant *var)
{
    struct cur c = cur_span(var->raw);
    struct ua_val v;
    bool deep = false;
    if (var->array)
        ua_put(t, "[");
    for (uint32_t i = 0; i < var->n && var->type && t->n < sizeof t->p; i++) {
        ua_get(&c, var->type, &v, &deep);
        if (!cur_ok(&c))
            return;
        if (i)
            ua_put(t, ",");
        if (v.type != UA_VARIANT && v.type != UA_DATAVALUE) /* one level is shown */
            ua_put_val(t, &v);
    }
    if (var->array)
        ua_put(t, "]");
}

void ua_put_val(struct ua_txt *t, const struct ua_val *v)
{
    char b[32];
    switch (v->type) {
    case UA_BOOL:
        ua_put(t, v->u ? "true" : "false");
        break;
    case UA_FLOAT:
    case UA_DOUBLE:
        snprintf(b, sizeof b, "%.9g", v->d);
        ua_put(t, b);
        break;
    case UA_NODEID:
    case UA_EXPNODEID:
        ua_put_node(t, &v->node);
        break;
    case UA_GUID:
        put_guid(t, v->s);
        break;
    case UA_QNAME:
        if (v->ns) {
            ua_put_num(t, v->ns);
            ua_put(t, ":");
        }
        ua_put_span(t, v->s);
        break;
    case UA_STRING:
    case UA_XML:
    case UA_LTEXT:
        ua_put_span(t, v->s);
        break;
    case UA_BYTESTRING:
    case UA_EXTOBJ:
        put_bytes(t, v->s);
        break;
    case UA_VARIANT:
    case UA_DATAVALUE:
        put_variant(t, &v->var);
        break;
    case UA_DIAGINFO:
        break;
    default:
        if (v->type < UA_STRUCT && numbers[v->type].is_signed && (int64_t)v->u < 0) {
            ua_put(t, "-");
            ua_put_num(t, 0 - v->u);
        } else {
            ua_put_num(t, v->u);
        }
    }
}

/* ---- values ---- */

static const uint8_t val_types[UA_STRUCT] = {
    [UA_BOOL] = VAL_BOOL,     [UA_SBYTE] = VAL_INT,    [UA_BYTE] = VAL_UINT,        [UA_INT16] = VAL_INT,
    [UA_UINT16] = VAL_UINT,   [UA_INT32] = VAL_INT,    [UA_UINT32] = VAL_UINT,      [UA_INT64] = VAL_INT,
    [UA_UINT64] = VAL_UINT,   [UA_FLOAT] = VAL_DOUBLE, [UA_DOUBLE] = VAL_DOUBLE,    [UA_STRING] = VAL_TEXT,
    [UA_DATETIME] = VAL_TIME, [UA_GUID] = VAL_BYTES,   [UA_BYTESTRING] = VAL_BYTES, [UA_XML] = VAL_TEXT,
    [UA_STATUS] = VAL_UINT,   [UA_QNAME] = VAL_TEXT,   [UA_LTEXT] = VAL_TEXT,       [UA_EXTOBJ] = VAL_BYTES,
};

/* What one encoded value is to rules and records: of a variant its value, of an array its bytes. */
static void to_val(const struct ua_val *v, struct val *ret)
{
    struct ua_val inner;
    bool deep = false;
    if (v->type == UA_VARIANT || v->type == UA_DATAVALUE) {
        struct cur c = cur_span(v->var.raw);
        *ret = (struct val){.type = v->var.type ? VAL_BYTES : VAL_NONE, .s = v->var.raw};
        if (v->var.array || !v->var.type || v->var.type >= UA_DATAVALUE)
            return;
        ua_get(&c, v->var.type, &inner, &deep);
        v = &inner;
    }
    *ret = (struct val){.type = val_types[v->type], .u = v->u, .i = (int64_t)v->u, .d = v->d, .s = v->s};
    if (v->type == UA_NODEID || v->type == UA_EXPNODEID) {
        ret->type = v->node.kind <= 2 ? VAL_UINT : v->node.kind == 3 ? VAL_TEXT : VAL_BYTES;
        ret->u = v->node.num;
        ret->s = v->node.id;
    }
}

/* vals.now.read: raw holds encoded values of the type in vals.mask, one behind the other. */
static bool read_kth(const struct vals *v, uint32_t k, struct val *ret)
{
    struct cur c = cur_span(v->raw);
    struct ua_val one = {0};
    bool deep = false;
    for (uint32_t i = 0; i <= k && cur_ok(&c); i++)
        ua_get(&c, v->mask, &one, &deep);
    if (!cur_ok(&c))
        return false;
    to_val(&one, ret);
    return true;
}

void ua_list_vals(struct event *e, unsigned type, struct span raw, uint32_t n, struct vals *ret)
{
    if (n > ELEMENTS || raw.n > LIST_BYTES) { /* each is found by walking over those before it */
        n = n < ELEMENTS ? n : ELEMENTS;
        raw.n = raw.n < LIST_BYTES ? raw.n : LIST_BYTES;
        e->truncated = 1;
    }
    *ret = (struct vals){
        .raw = raw, .n = (uint16_t)n, .qual_off = -1, .enc = VE_OWN, .mask = (uint8_t)type, .now.read = read_kth};
}

/* A single value of a type that has no form among vals: as text, or the bytes. */
static void scalar_vals(struct event *e, const struct ua_val *v, struct vals *ret)
{
    struct ua_txt t = {0};
    *ret = (struct vals){.n = 1, .qual_off = -1, .enc = VE_NOW_TEXT};
    if (v->type == UA_STRING || v->type == UA_XML || v->type == UA_LTEXT) {
        ret->raw = (struct span){v->s.p, v->s.n < BYTES ? v->s.n : BYTES};
        e->truncated |= v->s.n > BYTES;
    } else if (v->type == UA_BYTESTRING || v->type == UA_EXTOBJ) {
        uint32_t n = v->s.n < BYTES ? v->s.n : BYTES;
        *ret = (struct vals){.raw = {v->s.p, n}, .n = n != 0, .stride = (uint16_t)n, .qual_off = -1, .enc = VE_BYTES};
        e->truncated |= v->s.n > BYTES;
    } else if (v->type == UA_DATETIME) {
        ret->enc = VE_NOW_TIME;
        ret->now.u = v->u;
    } else {
        ua_put_val(&t, v);
        ret->raw = ev_text_copy(e, t.p, t.n);
    }
}

void ua_variant_vals(struct event *e, const struct ua_variant *var, struct vals *ret)
{
    *ret = (struct vals){.qual_off = -1};
    if (var->type == UA_NULL)
        return;
    const struct number *k = &numbers[var->type];
    if (k->size) {
        uint32_t n = var->n < var->raw.n / k->size ? var->n : var->raw.n / k->size;
        uint32_t kept = n < ELEMENTS ? n : ELEMENTS; /* the rest is only counted */
        *ret = (struct vals){.raw = {var->raw.p, kept * k->size},
                             .n = (uint16_t)(n < UINT16_MAX ? n : UINT16_MAX),
                             .stride = k->size,
                             .qual_off = -1,
                             .enc = k->enc};
        e->truncated |= n > kept;
        return;
    }
    if (var->array || var->type >= UA_DATAVALUE) {
        ua_list_vals(e, var->type, var->raw, var->n, ret);
        return;
    }
    struct cur c = cur_span(var->raw);
    struct ua_val v;
    bool deep = false;
    ua_get(&c, var->type, &v, &deep);
    scalar_vals(e, &v, ret);
}

/* Bits as in the schema's qualities; OPC 10000-4 7.39. */
uint32_t ua_quality(uint32_t status)
{
    uint32_t q = ITEM_QUALITY | (status >> 31) | (status >> 30 & 1) << 1;
    uint32_t limit = status >> 8 & 3;
    if ((status >> 10 & 3) == 1) /* the info bits are a data value's */
        q |= (limit == 1 ? 4u : limit == 2 ? 8u : limit == 3 ? 16u : 0u) | (status >> 7 & 1) << 5;
    return q | (status >> 14 & 1) << 6 | (status >> 15 & 1) << 7;
}
