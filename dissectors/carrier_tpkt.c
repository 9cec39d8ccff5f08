/* carrier_tpkt.c: ISO transport on TCP: TPKT packets that carry COTP class 0 TPDUs.
 *
 * Spec: RFC 1006 (TPKT), RFC 2126; ISO/IEC 8073 | ITU-T X.224 clause 13 (TPDU formats), 6.3 (segmenting, EOT)
 *
 *   TPKT   +0 version 3   +1 reserved 0   +2 length, u16, this header included   +4 TPDU
 *   TPDU   +0 LI: length of the TPDU header without this octet
 *          +1 code (high nibble) and credit (low nibble, 0 in class 0)
 *   DT     LI 2, F0, EOT (80) | TPDU number (0 in class 0), user data
 *   CR CC  LI, E0 or D0, destination reference, source reference, class | options,
 *          parameters: code, length, value (C0 TPDU size as power of 2, C1 calling TSAP, C2 called TSAP)
 *   DR     LI, 80, destination and source reference, reason      ER   LI, 70, destination reference, cause
 *
 * Not decoded: checksums and the flow control of classes 1 to 4 (TCP does their work), user data of CR, CC and DR.
 */
#include "dissectors/carrier_tpkt.h"

const struct code_name tpkt_disconnect_reasons[] = {
    {0, "not_specified"}, {1, "congestion_at_tsap"}, {2, "session_not_attached"}, {3, "address_unknown"},
    {128, "normal_disconnect"}, {129, "remote_congestion"}, {130, "negotiation_failed"}, {131, "duplicate_reference"},
    {132, "mismatched_references"}, {133, "protocol_error"}, {135, "reference_overflow"}, {136, "connection_refused"},
    {138, "invalid_length"}, {0, NULL},
};

enum { MIN_TPKT = 7 /* RFC 1006 6: header and the shortest TPDU, DT without data */ };

struct frame tpkt_frame(struct cur c)
{
    if (cur_left(&c) && cur_peek(&c, 0) != 3)
        return (struct frame){FRAME_BAD, 0};
    if (cur_left(&c) < 4)
        return (struct frame){FRAME_MORE, 0};
    cur_skip(&c, 2);
    uint32_t len = cur_u16be(&c);
    if (len < MIN_TPKT || (cur_left(&c) && (cur_peek(&c, 0) < 2 || cur_peek(&c, 0) + 5u > len)))
        return (struct frame){FRAME_BAD, 0};
    return (struct frame){FRAME_OK, len};
}

/* Shortest length indicator of each code; 0: no such code. */
static uint8_t min_li(uint8_t code)
{
    static const uint8_t li[16] = {[TPDU_ED] = 2, [TPDU_EA] = 2, [TPDU_UD] = 2, [TPDU_RJ] = 4, [TPDU_AK] = 4,
                                   [TPDU_ER] = 4, [TPDU_DR] = 6, [TPDU_DC] = 5, [TPDU_CC] = 6, [TPDU_CR] = 6,
                                   [TPDU_DT] = 2};
    return li[code & 15];
}

enum match tpkt_peek(struct cur c, uint8_t *code, struct cur *user)
{
    struct frame f = tpkt_frame(c);
    if (f.st == FRAME_BAD || (cur_left(&c) > 1 && cur_peek(&c, 1) != 0))
        return MATCH_NO;
    if (cur_left(&c) < MIN_TPKT)
        return MATCH_MORE;
    cur_skip(&c, 4);
    uint32_t li = cur_u8(&c);
    *code = cur_u8(&c) >> 4;
    bool used = *code == TPDU_DT || *code == TPDU_CR || *code == TPDU_CC || *code == TPDU_DR || *code == TPDU_ER;
    if (!used || li < min_li(*code) || (*code == TPDU_DT && li != 2))
        return MATCH_NO;
    uint32_t fixed = *code == TPDU_DT ? 1 : 5, want = *code == TPDU_DT ? f.len - 6 : li - 1;
    if (cur_left(&c) < fixed)
        return MATCH_MORE;
    cur_skip(&c, fixed);
    want -= fixed;
    *user = cur_sub(&c, want < cur_left(&c) ? want : cur_left(&c));
    return MATCH_MAYBE;
}

enum match tpkt_seek(struct cur *c, uint8_t *code, struct cur *user)
{
    struct cur at = *c, data = {0};
    uint8_t found = 0;
    bool first = true;
    do {
        enum match m = tpkt_peek(at, &found, &data);
        if (m != MATCH_MAYBE)
            return m;
        uint32_t len = tpkt_frame(at).len;
        bool tells = found == TPDU_DT && len > 7;
        if (first || tells) {
            *c = at;
            *code = found;
            *user = data;
        }
        if (tells)
            break;
        cur_skip(&at, len < cur_left(&at) ? len : cur_left(&at));
        first = false;
    } while (cur_left(&at));
    return MATCH_MAYBE;
}

struct span tpkt_tsap(struct cur params, uint8_t code)
{
    while (cur_left(&params) >= 2) {
        uint8_t c = cur_u8(&params), n = cur_u8(&params);
        struct span v = cur_bytes(&params, n);
        if (c == code && cur_ok(&params))
            return v;
    }
    return (struct span){0};
}

static void keep_tsap(uint8_t *to, uint8_t *n, struct span s)
{
    if (!s.n)
        return;
    *n = (uint8_t)(s.n < TPKT_TSAP ? s.n : TPKT_TSAP);
    memcpy(to, s.p, *n);
}

/* CR and CC. Who calls is in the parameters of both alike: 0xc1 is the calling side's TSAP. */
static void connect(struct tpkt *t, struct cur head, struct dis_ctx *x, struct tpkt_flow *f)
{
    cur_skip(&head, 5);
    struct cur p = head;
    while (cur_left(&p)) {
        uint8_t code = cur_u8(&p);
        struct span v = cur_bytes(&p, cur_u8(&p));
        if (!cur_ok(&p)) {
            t->faults |= TPKT_PARAM;
            break;
        }
        if (code == 0xc0 && v.n == 1)
            f->size_log2 = v.p[0];
        else if (code == 0xc1)
            keep_tsap(f->calling, &f->calling_n, v);
        else if (code == 0xc2)
            keep_tsap(f->called, &f->called_n, v);
    }
    f->has_tsaps = 1;
    f->more[0] = f->more[1] = 0;
    if (x->dir == DIR_UNKNOWN)
        x->dir = t->code == TPDU_CR ? DIR_C2S : DIR_S2C;
}

/* DT: join what belongs together (ISO 8073 6.3: EOT marks the last TPDU of a message). */
static void data(struct tpkt *t, struct cur head, struct cur user, struct dis_ctx *x, struct tpkt_flow *f, uint32_t key)
{
    bool eot = cur_u8(&head) & 0x80;
    uint8_t *more = &f->more[x->dir == DIR_S2C];
    if (eot && !*more) {
        t->what = cur_left(&user) ? TPKT_DATA : TPKT_KEEPALIVE;
        t->data = user;
        return;
    }
    t->data = asm_append(x, key, cur_rest(&user), !*more, eot);
    t->joined = true;
    *more = !eot;
    t->what = TPKT_SEGMENT;
    if (!eot)
        return;
    if (cur_ok(&t->data))
        t->what = cur_left(&t->data) ? TPKT_DATA : TPKT_KEEPALIVE;
    else
        t->faults |= TPKT_OVERFLOW;
}

/* A whole message in one DT, as nearly all are. */
static bool one_message(struct cur *c)
{
    uint32_t tpkt = cur_u32be(c), dt = cur_u24be(c);
    return cur_ok(c) && !(tpkt & 0xff0000) && (dt & 0xfff080) == (2 << 16 | TPDU_DT << 12 | 0x80);
}

struct tpkt tpkt_parse(struct cur pdu, struct dis_ctx *x, struct tpkt_flow *f, uint32_t asm_key)
{
    struct cur user = pdu;
    if (one_message(&user) && !f->more[x->dir == DIR_S2C])
        return (struct tpkt){.what = cur_left(&user) ? TPKT_DATA : TPKT_KEEPALIVE, .code = TPDU_DT, .data = user};
    struct tpkt t = {.what = TPKT_BROKEN};
    cur_skip(&pdu, 1);
    if (cur_u8(&pdu))
        t.faults |= TPKT_RESERVED;
    cur_skip(&pdu, 2);
    uint8_t li = cur_u8(&pdu);
    struct cur head = cur_sub(&pdu, li);
    t.code = cur_u8(&head) >> 4;
    if (!cur_ok(&pdu) || !cur_ok(&head) || li < min_li(t.code)) {
        t.faults |= TPKT_HEADER;
        return t;
    }
    if (!min_li(t.code)) {
        t.faults |= TPKT_CODE;
        return t;
    }
    t.what = TPKT_CONTROL;
    if (t.code == TPDU_DT) {
        data(&t, head, pdu, x, f, asm_key);
        return t;
    }
    if (cur_left(&pdu))
        t.faults |= TPKT_TRAILING;
    if (t.code == TPDU_CR || t.code == TPDU_CC) {
        connect(&t, head, x, f);
    } else if (t.code == TPDU_DR || t.code == TPDU_ER) {
        cur_skip(&head, t.code == TPDU_DR ? 4 : 2);
        t.reason = cur_u8(&head);
    } else {
        t.faults |= TPKT_CODE;
    }
    return t;
}

void tpkt_gap(struct dis_ctx *x, struct tpkt_flow *f, uint32_t asm_key)
{
    asm_drop(x, asm_key);
    f->more[x->dir == DIR_S2C] = 0;
}

bool tpkt_is_tls(struct cur data)
{
    uint8_t type = cur_u8(&data), major = cur_u8(&data), minor = cur_u8(&data);
    uint32_t len = cur_u16be(&data);
    return cur_ok(&data) && type >= 20 && type <= 23 && major == 3 && minor <= 4 && len > 0 && len <= 16384 + 2048;
}

unsigned tpkt_tsap_text(const uint8_t *tsap, unsigned n, char *out, unsigned out_n)
{
    bool text = n > 2;
    for (unsigned i = 0; i < n; i++)
        text = text && tsap[i] >= 0x20 && tsap[i] < 0x7f;
    unsigned at = 0;
    for (unsigned i = 0; i < n && at + 3 <= out_n; i++) {
        if (text) {
            out[at++] = (char)tsap[i];
        } else {
            out[at++] = "0123456789abcdef"[tsap[i] >> 4];
            out[at++] = "0123456789abcdef"[tsap[i] & 15];
        }
    }
    if (out_n)
        out[at] = 0;
    return at;
}

static struct span tsap_copy(struct event *e, const uint8_t *tsap, unsigned n)
{
    char text[2 * TPKT_TSAP + 1];
    return ev_text_copy(e, text, tpkt_tsap_text(tsap, n, text, sizeof text));
}

bool tpkt_tsap_fields(const struct tpkt_flow *t, struct event *e, uint8_t calling, uint8_t called)
{
    if (!t->has_tsaps)
        return false;
    ev_span(e, calling, tsap_copy(e, t->calling, t->calling_n));
    ev_span(e, called, tsap_copy(e, t->called, t->called_n));
    return true;
}
