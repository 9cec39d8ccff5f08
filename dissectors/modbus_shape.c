/* modbus_shape.c: how long each function's request and answer are, and the RTU frames that only their length and check
 * sum delimit (Modbus Application Protocol V1.1b3 clause 6; Modbus over Serial Line V1.02 clause 2.5.1). */
#include "dissectors/modbus_priv.h"

#include "dissectors/carrier_crc16.h"

#define FIX(n)                                                                                                         \
    {                                                                                                                  \
        MB_FIX, 0, 0, n, n                                                                                             \
    }
#define CNT8(at, step, lo, hi)                                                                                         \
    {                                                                                                                  \
        MB_CNT8, at, step, (at) + 1 + (lo), (at) + 1 + (hi)                                                            \
    }

enum { BODY_MAX = 252, RTU_MIN = 4, RTU_MAX = 256 };

/* clang-format off */
static const struct mb_fn functions[128] = {
    [1] = {FIX(4), CNT8(0, 0, 1, 250), mb_req_range, mb_rsp_range},
    [2] = {FIX(4), CNT8(0, 0, 1, 250), mb_req_range, mb_rsp_range},
    [3] = {FIX(4), CNT8(0, 2, 2, 250), mb_req_range, mb_rsp_range},
    [4] = {FIX(4), CNT8(0, 2, 2, 250), mb_req_range, mb_rsp_range},
    [5] = {FIX(4), FIX(4), mb_req_single, mb_rsp_single},
    [6] = {FIX(4), FIX(4), mb_req_single, mb_rsp_single},
    [7] = {FIX(0), FIX(1), mb_no_body, mb_rsp_status},
    [8] = {{MB_DIAG, 0, 2, 4, BODY_MAX}, {MB_DIAG, 0, 2, 4, BODY_MAX}, mb_req_diag, mb_rsp_diag},
    [11] = {FIX(0), FIX(4), mb_no_body, mb_rsp_counter},
    [12] = {FIX(0), CNT8(0, 0, 6, 70), mb_no_body, mb_rsp_log},
    [15] = {CNT8(4, 0, 1, 246), FIX(4), mb_req_multiple, mb_rsp_multiple},
    [16] = {CNT8(4, 2, 2, 246), FIX(4), mb_req_multiple, mb_rsp_multiple},
    [17] = {FIX(0), CNT8(0, 0, 1, 251), mb_no_body, mb_rsp_server_id},
    [20] = {CNT8(0, 7, 7, 245), CNT8(0, 0, 2, 245), mb_req_files, mb_rsp_read_files},
    [21] = {CNT8(0, 0, 9, 251), CNT8(0, 0, 9, 251), mb_req_files, mb_rsp_write_files},
    [22] = {FIX(6), FIX(6), mb_req_mask, mb_rsp_mask},
    [23] = {CNT8(8, 2, 2, 242), CNT8(0, 2, 2, 250), mb_req_read_write, mb_rsp_read_write},
    [24] = {FIX(2), {MB_CNT16, 0, 2, 4, 66}, mb_req_fifo, mb_rsp_fifo},
    [43] = {{MB_MEI_REQ, 0, 0, 2, BODY_MAX}, {MB_MEI_RSP, 0, 0, 2, BODY_MAX}, mb_req_mei, mb_rsp_mei},
    [MB_FN_UMAS] = {{MB_ANY, 0, 0, 2, 2048}, {MB_ANY, 0, 0, 2, 2048}, mb_req_umas, mb_rsp_umas},
};
/* clang-format on */
static const struct mb_shape exception_shape = FIX(1);

const struct mb_fn *mb_fn_get(uint8_t fn)
{
    return fn < 128 && functions[fn].on_req ? &functions[fn] : NULL;
}

uint32_t mb_selector(uint8_t fn, const struct cur *body)
{
    if (fn == 8 && cur_left(body) >= 2)
        return (uint32_t)cur_peek(body, 0) << 8 | cur_peek(body, 1);
    if (fn == 43 && cur_left(body) >= 1)
        return cur_peek(body, 0);
    return OP_ANY_SELECTOR;
}

/* 43/14 answers: MEI type, code, conformity, more follows, next object, count, then (id, length, value) each. */
static int identification_len(const struct cur *body)
{
    enum { HEAD = 6 };
    uint32_t at = HEAD;
    if (cur_left(body) < HEAD)
        return MB_LEN_MORE;
    for (unsigned n = cur_peek(body, 5); n; n--) {
        if (cur_left(body) < at + 2)
            return MB_LEN_MORE;
        at += 2u + cur_peek(body, at + 1);
        if (at > BODY_MAX)
            return BODY_MAX + 1;
    }
    return (int)at;
}

static int mei_len(const struct mb_shape *s, const struct cur *body)
{
    if (cur_left(body) < 1)
        return MB_LEN_MORE;
    if (cur_peek(body, 0) != 14)
        return MB_LEN_UNKNOWN;
    return s->kind == MB_MEI_REQ ? 3 : identification_len(body);
}

static int diag_len(const struct cur *body)
{
    if (cur_left(body) < 2)
        return MB_LEN_MORE;
    unsigned sub = (unsigned)cur_peek(body, 0) << 8 | cur_peek(body, 1);
    /* 6.8.1: only Return Query Data (0) has N words; sub-function 21 is Modbus Plus statistics */
    return sub == 0 || sub == 21 ? MB_LEN_UNKNOWN : 4;
}

int mb_shape_len(const struct mb_shape *s, const struct cur *body)
{
    switch (s->kind) {
    case MB_FIX:
        return s->min;
    case MB_CNT8:
        return cur_left(body) <= s->at ? MB_LEN_MORE : s->at + 1 + cur_peek(body, s->at);
    case MB_CNT16:
        return cur_left(body) < 2 ? MB_LEN_MORE : 2 + (cur_peek(body, 0) << 8 | cur_peek(body, 1));
    case MB_DIAG:
        return diag_len(body);
    case MB_MEI_REQ:
    case MB_MEI_RSP:
        return mei_len(s, body);
    default:
        return MB_LEN_UNKNOWN;
    }
}

enum match mb_shape_fits(const struct mb_shape *s, const struct cur *body, uint32_t len)
{
    if (len < s->min || len > s->max)
        return MATCH_NO;
    struct cur seen = *body;
    if (cur_left(&seen) > len)
        seen = cur_sub(&seen, len);
    int want = mb_shape_len(s, &seen);
    if (want == MB_LEN_MORE)
        return cur_left(&seen) < len ? MATCH_MORE : MATCH_NO;
    if (want == MB_LEN_UNKNOWN)
        return s->step && len % s->step ? MATCH_NO : MATCH_MAYBE;
    if ((uint32_t)want != len)
        return MATCH_NO;
    bool counted = s->kind == MB_CNT8 || s->kind == MB_CNT16;
    uint32_t head = s->kind == MB_CNT16 ? 2u : s->at + 1u;
    return counted && s->step && (len - head) % s->step ? MATCH_NO : MATCH_YES;
}

unsigned mb_directions(uint8_t fn, const struct cur *body, uint32_t len, enum match *best)
{
    const struct mb_fn *f = mb_fn_get(fn);
    *best = fn < 128 && !f ? MATCH_MAYBE : MATCH_NO;
    if (fn >= 128) {
        *best = mb_shape_fits(&exception_shape, body, len);
        return *best == MATCH_YES ? 2 : 0;
    }
    if (!f)
        return 0;
    enum match q = mb_shape_fits(&f->req, body, len), r = mb_shape_fits(&f->rsp, body, len);
    *best = q > r ? q : r;
    if (*best == MATCH_MAYBE && (q == MATCH_MORE || r == MATCH_MORE))
        *best = MATCH_MORE;
    return (q == MATCH_YES || q == MATCH_MAYBE ? 1u : 0) | (r == MATCH_YES || r == MATCH_MAYBE ? 2u : 0);
}

/* Polynomial 0xA001, reflected (Serial Line V1.02 6.2.2). */
static const struct crc16 crc16 = CRC16_TABLES(0xa001, 0xf001, 0xd801, 0xcc01, 0xc601, 0xc301, 0xc181, 0xc0c1, 0xc061,
                                               0xc031, 0xc019, 0xc00d, 0xc007, 0xc002, 0x6001, 0x9001);

uint16_t mb_crc(struct span s)
{
    return crc16_add(&crc16, 0xffff, s);
}

/* A frame followed by its own CRC has the CRC 0. */
static bool crc_good(struct cur c, uint32_t n)
{
    struct span s = cur_bytes(&c, n);
    return s.n == n && mb_crc(s) == 0;
}

/* The first length at which the check sum comes out right: for functions whose length nothing tells. */
static uint32_t crc_scan(struct cur c)
{
    uint16_t crc = 0xffff;
    for (uint32_t n = 1; n <= RTU_MAX && cur_left(&c); n++) {
        crc = crc16_add(&crc16, crc, cur_bytes(&c, 1));
        if (n >= RTU_MIN && crc == 0)
            return n;
    }
    return 0;
}

bool mb_rtu_may_be(struct cur c)
{
    struct cur body = c;
    cur_skip(&body, 1);
    uint8_t fn = cur_u8(&body);
    const struct mb_fn *f = mb_fn_get(fn);
    int n = (int)cur_left(&c) - RTU_MIN;
    if (fn >= 128)
        return n == exception_shape.min;
    return f && n >= 0 && (mb_shape_len(&f->req, &body) == n || mb_shape_len(&f->rsp, &body) == n);
}

struct frame mb_rtu_frame(struct cur c, uint8_t dir, enum mb_rtu_how how)
{
    const struct frame more = {FRAME_MORE, 0}, bad = {FRAME_BAD, 0};
    if (cur_left(&c) < RTU_MIN)
        return more;
    struct cur body = c;
    cur_skip(&body, 1);
    uint8_t fn = cur_u8(&body);
    const struct mb_fn *f = mb_fn_get(fn);
    const struct mb_shape *shapes[2] = {f && dir != DIR_S2C ? &f->req : NULL, f && dir != DIR_C2S ? &f->rsp : NULL};
    if (fn >= 128)
        shapes[1] = &exception_shape;
    bool unknown = !f && fn < 128, short_of = false; /* unknown: nothing tells the length */
    uint32_t known = 0;
    for (unsigned i = 0; i < 2; i++) {
        int n = shapes[i] ? mb_shape_len(shapes[i], &body) : 0;
        if (!shapes[i])
            continue;
        unknown |= n == MB_LEN_UNKNOWN;
        short_of |= n == MB_LEN_MORE || (n >= 0 && cur_left(&c) < (uint32_t)n + 4);
        if (n < 0 || n > BODY_MAX || cur_left(&c) < (uint32_t)n + 4)
            continue;
        known = (uint32_t)n + 4;
        if (crc_good(c, known))
            return (struct frame){FRAME_OK, known};
    }
    unknown = unknown && how != MB_RTU_STRICT;
    uint32_t n = unknown ? crc_scan(c) : 0;
    if (n)
        return (struct frame){FRAME_OK, n};
    if (short_of || (unknown && cur_left(&c) < RTU_MAX))
        return more;
    return how == MB_RTU_CLAIMED && known ? (struct frame){FRAME_OK, known} : bad;
}
