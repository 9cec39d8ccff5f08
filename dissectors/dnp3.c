/* dnp3.c: DNP3 over TCP and UDP: link frames and transport segments; the fragments are read in dnp3_app.c.
 *
 * Spec: IEEE 1815-2012 8 (transport function), 9 (data link layer), 13 (IP networking).
 *
 *   +------+------+-----+---------+-------------+--------+-----+   +-----------------+-----+
 *   | 0x05 | 0x64 | LEN | CONTROL | DESTINATION | SOURCE | CRC | + | 1..16 user data | CRC | ... LEN - 5 octets
 *   +------+------+-----+---------+-------------+--------+-----+   +-----------------+-----+
 *   CONTROL: DIR 80 (from the master) | PRM 40 | FCB 20 | FCV or DFC 10 | function 0f. All numbers little-endian.
 *   Transport octet, first of the user data: FIN 80 | FIR 40 | sequence 3f.
 *
 * Not decoded: contents of files, data sets (g85-g88, kept as octets), virtual terminals (as text), keys and MACs;
 * authenticated parts are not verified. TLS on 19999 is not DNP3 here.
 * Assets: device attributes g0 (242 firmware, 243 hardware, 245 location, 247 name, 248 serial, 250 model, 252 vendor),
 * addresses of master and outstation, state by the internal indications, user names of files and authentication. */
#include "dissectors/dnp3_proto.h"

#include "dissectors/carrier_crc16.h"

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
enum { CHECK_CRC = 0 }; /* a fuzzer cannot make CRCs */
#else
enum { CHECK_CRC = 1 };
#endif

enum { LINK_HEADER = 10, LINK_BLOCK = 16, LINK_MIN_LEN = 5, LINK_MAX_DATA = 250, LINK_MAX = 292 };
enum { LINK_DIR = 0x80, LINK_PRM = 0x40, LINK_FCV = 0x10 };
enum { TP_FIN = 0x80, TP_FIR = 0x40, TP_SEQ = 0x3f };

/* The transport of one (source, destination) in this flow. */
struct segment_state {
    uint16_t src, dst;
    uint8_t seq;     /* of the last segment */
    uint8_t state : 2, side : 1, dir : 2; /* TP_; dir 0: the entry is free */
    uint8_t hole : 1; /* bytes of its stream were lost since that fragment */
    uint8_t app_seq; /* of the last fragment, with APP_KNOWN */
    uint8_t steady;  /* fragments, at most STEADY_MAX, whose number was one more than that before */
};
enum { TP_UNSEEN, TP_IDLE, TP_OPEN, TP_LOST /* after a gap: the beginning is rightly missing */ };
enum { N_SEGMENT = 30, APP_KNOWN = 0x80, STEADY = 4, STEADY_MAX = 12 };
struct dnp3_flow {
    struct segment_state seg[N_SEGMENT]; /* a gateway's outstations and both directions; the next is reused */
    uint16_t hunted[2]; /* by side: after a wrong header, 1 + octets passed over in search of the next start */
    uint8_t next;
};
enum { HUNT_MAX = 2 * LINK_MAX }; /* farther away than a frame and a half: the stream is not what it was */
_Static_assert(sizeof(struct dnp3_flow) <= DIS_FLOW_STATE, "fits the flow's state");

/* CRC-16/DNP (9.2): x16+x13+x12+x11+x10+x8+x6+x5+x2+1, reflected. */
static const struct crc16 crc16 = CRC16_TABLES(0xa6bc, 0x535e, 0x29af, 0xb26b, 0xff89, 0xd978, 0x6cbc, 0x365e, 0x1b2f,
                                               0xab2b, 0xf329, 0xdf28, 0x6f94, 0x37ca, 0x1be5, 0xab4e);

static bool crc_good(struct span s, uint16_t crc)
{
    uint16_t v = (uint16_t)~crc16_add(&crc16, 0, s);
    return !CHECK_CRC || v == crc;
}

struct link {
    uint16_t src, dst;
    uint8_t control, function;
    bool from_master, primary, header_good;
    uint32_t data_len, wire_len; /* user data without CRCs; the whole frame with them */
};

/* The header, when the start octets are there and all of it is. */
static bool read_link(struct cur c, struct link *l)
{
    struct cur whole = c;
    struct span head = cur_bytes(&whole, 8);
    uint16_t crc = cur_u16le(&whole);
    uint8_t s0 = cur_u8(&c), s1 = cur_u8(&c), len = cur_u8(&c);
    if (!cur_ok(&whole) || s0 != 0x05 || s1 != 0x64)
        return false;
    *l = (struct link){.control = cur_u8(&c)};
    l->dst = cur_u16le(&c);
    l->src = cur_u16le(&c);
    l->header_good = crc_good(head, crc);
    l->from_master = l->control & LINK_DIR;
    l->primary = l->control & LINK_PRM;
    l->function = l->control & 15;
    l->data_len = len < LINK_MIN_LEN ? 0 : len - (uint32_t)LINK_MIN_LEN;
    l->wire_len = LINK_HEADER + l->data_len + 2 * ((l->data_len + LINK_BLOCK - 1) / LINK_BLOCK);
    return true;
}

static enum match probe(struct cur c, struct dis_ctx *x)
{
    struct link l;
    uint8_t s0 = cur_peek(&c, 0), s1 = cur_peek(&c, 1), len = cur_peek(&c, 2);
    if ((cur_left(&c) >= 1 && s0 != 0x05) || (cur_left(&c) >= 2 && s1 != 0x64) ||
        (cur_left(&c) >= 3 && len < LINK_MIN_LEN))
        return MATCH_NO;
    if (cur_left(&c) < LINK_HEADER)
        return x->transport == DIS_UDP ? MATCH_NO : MATCH_MORE;
    if (!read_link(c, &l) || !l.header_good)
        return MATCH_NO;
    x->dir = l.from_master ? DIR_C2S : DIR_S2C;
    return MATCH_YES;
}

static bool is_start(const struct cur *c)
{
    return cur_peek(c, 0) == 0x05 && cur_peek(c, 1) == 0x64;
}

/* Octets before the next one that may be a start. */
static uint32_t hunt(const struct cur *c)
{
    uint32_t n = 1;
    while (n < cur_left(c) && n < LINK_MAX && cur_peek(c, n) != 0x05)
        n++;
    return n;
}

/* A header with a wrong CRC is given to parse() alone, which tells it; then the next start octets are looked for, as a
 * receiver does (9.2). */
static struct frame frame(struct cur c, const struct dis_ctx *x)
{
    struct link l;
    const struct dnp3_flow *f = x->state;
    bool hunting = f && f->hunted[x->side & 1];
    if (cur_left(&c) == 0 || (cur_left(&c) == 1 && cur_peek(&c, 0) == 0x05))
        return (struct frame){.st = FRAME_MORE};
    if (!is_start(&c))
        return hunting ? (struct frame){.st = FRAME_OK, .len = hunt(&c)} : (struct frame){.st = FRAME_BAD};
    if (!read_link(c, &l))
        return (struct frame){.st = FRAME_MORE};
    return (struct frame){.st = FRAME_OK, .len = l.header_good ? l.wire_len : LINK_HEADER};
}

/* ---- link layer ---- */

enum { LF_RESERVED, LF_PLAIN, LF_DATA };
struct link_row {
    uint8_t what, fcv; /* fcv: the frame count bit is valid in this function */
};
static const struct link_row primary_rows[16] = {
    [0] = {LF_PLAIN, 0}, /* RESET_LINK_STATES */
    [2] = {LF_PLAIN, 1}, /* TEST_LINK_STATES */
    [3] = {LF_DATA, 1},  /* CONFIRMED_USER_DATA */
    [4] = {LF_DATA, 0},  /* UNCONFIRMED_USER_DATA */
    [9] = {LF_PLAIN, 0}, /* REQUEST_LINK_STATUS */
};
static const struct link_row secondary_rows[16] = {
    [0] = {LF_PLAIN, 0},  /* ACK */
    [1] = {LF_PLAIN, 0},  /* NACK */
    [11] = {LF_PLAIN, 0}, /* LINK_STATUS */
    [15] = {LF_PLAIN, 0}, /* NOT_SUPPORTED */
};

static bool reserved_address(uint16_t a)
{
    return a >= 0xfff0 && a <= 0xfffb;
}

/* Rules of the link header (9.2). True when user data follow that are to be read. RESET_LINK_STATES and
 * REQUEST_LINK_STATUS are answered by the link layer alone; behind TEST_LINK_STATES and reserved functions a receiver
 * might take them although the standard has none there: they are told as a fault, and read. */
static bool link_rules(struct dis_ctx *x, const struct link *l)
{
    const struct link_row *r = &(l->primary ? primary_rows : secondary_rows)[l->function];
    if (r->what == LF_RESERVED)
        ev_malformed(x, &dnp3_schema, DA_LINK_FUNCTION);
    else if (l->primary && r->fcv != !!(l->control & LINK_FCV))
        ev_malformed(x, &dnp3_schema, DA_LINK_CONTROL);
    if (dnp3_is_broadcast(l->src))
        ev_malformed(x, &dnp3_schema, DA_BROADCAST_SOURCE);
    if (reserved_address(l->src) || reserved_address(l->dst) || l->src == 0xfffc)
        ev_malformed(x, &dnp3_schema, DA_ADDRESS_RESERVED);
    if (!l->primary && (l->control & LINK_FCV)) /* here the bit is DFC */
        ev_malformed(x, &dnp3_schema, DA_LINK_BUSY);
    if (!l->primary && l->function == 1)
        ev_malformed(x, &dnp3_schema, DA_LINK_NACK);
    if (!l->primary && l->function == 15)
        ev_malformed(x, &dnp3_schema, DA_LINK_UNSUPPORTED);
    if (r->what == LF_DATA && !l->data_len)
        ev_malformed(x, &dnp3_schema, DA_LINK_EMPTY);
    if (r->what != LF_DATA && l->data_len)
        ev_malformed(x, &dnp3_schema, DA_LINK_DATA);
    return l->primary && l->function != 0 && l->function != 9 && l->data_len;
}

/* User data without their CRCs. Returns the octets that are good; *bad when a CRC was wrong, *cut when octets miss. */
static uint32_t unblock(struct cur *c, uint32_t len, uint8_t out[LINK_MAX_DATA], bool *bad, bool *cut)
{
    uint32_t done = 0;
    while (done < len) {
        uint32_t n = len - done < LINK_BLOCK ? len - done : LINK_BLOCK;
        struct span s = cur_bytes(c, n);
        uint16_t crc = cur_u16le(c);
        *cut = !cur_ok(c);
        *bad = !*cut && !crc_good(s, crc);
        if (*cut || *bad)
            break;
        memcpy(out + done, s.p, s.n);
        done += n;
    }
    return done;
}

/* ---- transport ---- */

static struct segment_state *segment(struct dis_ctx *x, uint16_t src, uint16_t dst)
{
    struct dnp3_flow *f = x->state;
    for (unsigned i = 0; i < N_SEGMENT; i++)
        if (f->seg[i].src == src && f->seg[i].dst == dst && f->seg[i].dir == x->dir)
            return &f->seg[i];
    struct segment_state *s = &f->seg[f->next];
    f->next = (uint8_t)((f->next + 1) % N_SEGMENT);
    *s = (struct segment_state){.src = src, .dst = dst, .dir = x->dir & 3u, .side = x->side & 1u};
    return s;
}

static uint32_t segment_key(uint16_t src, uint16_t dst)
{
    return (uint32_t)src << 16 | dst;
}

/* The rules of reassembly (8.2). False: this segment is not used. */
static bool segment_rules(struct dis_ctx *x, struct segment_state *s, uint8_t tp)
{
    uint8_t seq = tp & TP_SEQ, next = (s->seq + 1) & TP_SEQ;
    if (tp & TP_FIR) {
        if (s->state == TP_OPEN)
            ev_malformed(x, &dnp3_schema, DA_TP_ABANDONED);
        return true;
    }
    if (s->state == TP_OPEN && seq == next)
        return true;
    if (s->state == TP_OPEN && seq == s->seq) {
        ev_malformed(x, &dnp3_schema, DA_TP_DUPLICATE);
        return false;
    }
    if (s->state == TP_OPEN) {
        ev_malformed(x, &dnp3_schema, DA_TP_GAP);
        asm_drop(x, segment_key(s->src, s->dst));
        s->state = TP_IDLE;
    } else if (s->state == TP_IDLE) {
        ev_malformed(x, &dnp3_schema, DA_TP_LOST_FIRST);
    } /* else the capture began, or has a hole, inside the message */
    return false;
}

static void left_out(struct dis_ctx *x, struct segment_state *s, uint8_t step)
{
    enum { FEW = 5 };
    bool hole = x->transport == DIS_TCP ? s->hole && s->steady >= STEADY : !s->hole && s->steady == STEADY_MAX;
    if (hole && step <= FEW)
        dis_lost(x, step - 1u);
    s->steady = (uint8_t)(hole ? s->steady - STEADY : 0);
}

/* Fragments of this sender that were left out before this one. The application counts by one from request to request,
 * modulo 16; but some count over all their outstations together, and a repetition has the same number. So a step of a
 * few is believed of who has counted by one for a while: of a stream, where it has a hole; of datagrams, after long.
 * Confirmations and unsolicited responses count for themselves. */
static void unseen(struct dis_ctx *x, struct segment_state *s, struct cur fragment)
{
    enum { UNS = 0x10, CONFIRM = 0 };
    uint8_t control = cur_u8(&fragment), function = cur_u8(&fragment), seq = control & 15;
    if (!cur_ok(&fragment) || control & UNS || function == CONFIRM)
        return;
    uint8_t step = (uint8_t)(seq - s->app_seq) & 15, believed = s->app_seq & APP_KNOWN;
    s->app_seq = seq | APP_KNOWN;
    if (believed && step == 1)
        s->steady = (uint8_t)(s->steady + (s->steady < STEADY_MAX));
    if (believed && step > 1)
        left_out(x, s, step);
    s->hole = 0;
}

static enum verdict transport(struct dis_ctx *x, const struct link *l, struct span data, bool cut)
{
    struct segment_state *s = segment(x, l->src, l->dst);
    struct cur c = cur_span(data);
    uint8_t tp = cur_u8(&c);
    bool first = tp & TP_FIR, last = tp & TP_FIN;
    if (!cur_left(&c) && !cut)
        ev_malformed(x, &dnp3_schema, DA_TP_EMPTY);
    if (!segment_rules(x, s, tp))
        return DIS_MALFORMED;
    s->seq = tp & TP_SEQ;
    s->state = last ? TP_IDLE : TP_OPEN;
    struct cur whole = asm_append(x, segment_key(l->src, l->dst), cur_rest(&c), first, last || cut);
    if (!last && !cut)
        return DIS_OK;
    if (!cur_ok(&whole)) {
        ev_malformed(x, &dnp3_schema, DA_TP_TOO_LONG);
        return DIS_MALFORMED;
    }
    if (cut)
        s->state = TP_LOST;
    unseen(x, s, whole);
    return dnp3_fragment(x, whole, l->src, l->dst, l->from_master, cut);
}

/* ---- frames ---- */

static enum verdict worse(enum verdict a, enum verdict b)
{
    return a > b ? a : b;
}

/* One link frame, taken off *c. */
static enum verdict one_frame(struct dis_ctx *x, struct cur *c)
{
    struct link l;
    uint8_t data[LINK_MAX_DATA];
    if (!read_link(*c, &l)) {
        cur_skip(c, cur_left(c));
        return DIS_LOST;
    }
    struct cur head = cur_sub(c, LINK_HEADER);
    if (!l.header_good) {
        cur_skip(c, cur_left(c));
        ev_malformed(x, &dnp3_schema, DA_BAD_HEADER_CRC);
        if (x->transport != DIS_TCP)
            return DIS_LOST;
        ((struct dnp3_flow *)x->state)->hunted[x->side & 1] = 1;
        return DIS_MALFORMED;
    }
    cur_skip(&head, 2);
    x->dir = l.from_master ? DIR_C2S : DIR_S2C; /* the client is the master, whoever opened the connection */
    if (cur_u8(&head) < LINK_MIN_LEN) {
        ev_malformed(x, &dnp3_schema, DA_BAD_LENGTH);
        return DIS_MALFORMED;
    }
    bool bad = false, cut = false, wanted = link_rules(x, &l);
    uint32_t body_len = l.wire_len - LINK_HEADER;
    struct cur body = cur_sub(c, cur_left(c) < body_len ? cur_left(c) : body_len);
    uint32_t n = unblock(&body, l.data_len, data, &bad, &cut);
    if (cut && !x->cut)
        ev_malformed(x, &dnp3_schema, DA_BAD_LENGTH);
    if (bad)
        ev_malformed(x, &dnp3_schema, DA_BAD_DATA_CRC);
    if (!wanted) {
        ev_silent(x, &dnp3_schema);
        return bad || (cut && !x->cut) ? DIS_MALFORMED : DIS_OK;
    }
    if (bad || (cut && !x->cut) || n == 0) {
        struct segment_state *s = segment(x, l.src, l.dst); /* what was begun cannot be finished */
        asm_drop(x, segment_key(l.src, l.dst));
        s->state = TP_LOST;
        return x->cut ? DIS_OK : DIS_MALFORMED;
    }
    return transport(x, &l, (struct span){.p = data, .n = n}, cut);
}

/* Of a stream, after a wrong header: octets that are no frame, or the frame that ends the search. */
static enum verdict hunted(struct dis_ctx *x, struct cur *pdu, uint16_t *passed)
{
    if (is_start(pdu)) {
        *passed = 0;
        return one_frame(x, pdu);
    }
    *passed = (uint16_t)(*passed + cur_left(pdu));
    cur_skip(pdu, cur_left(pdu));
    if (*passed <= HUNT_MAX)
        return DIS_OK;
    *passed = 0;
    return DIS_LOST;
}

static enum verdict parse(struct cur pdu, struct dis_ctx *x)
{
    struct dnp3_flow *f = x->state;
    uint16_t *passed = &f->hunted[x->side & 1];
    enum verdict v = *passed ? hunted(x, &pdu, passed) : one_frame(x, &pdu);
    while (v != DIS_LOST && cur_left(&pdu)) { /* a datagram may hold several; each takes ten octets at least */
        struct link l;
        if (!read_link(pdu, &l)) {
            if (!x->cut)
                ev_malformed(x, &dnp3_schema, DA_LINK_TRAILING);
            return x->cut ? v : DIS_MALFORMED;
        }
        v = worse(v, one_frame(x, &pdu));
    }
    return v;
}

static void gap(struct dis_ctx *x, uint32_t missing)
{
    struct dnp3_flow *f = x->state;
    (void)missing;
    f->hunted[x->side & 1] = 0;
    for (unsigned i = 0; i < N_SEGMENT; i++) {
        struct segment_state *s = &f->seg[i];
        if (s->dir == DIR_UNKNOWN || s->side != x->side)
            continue;
        s->state = TP_LOST;
        s->hole = 1;
        x->dir = s->dir; /* which the message was begun under */
        asm_drop(x, segment_key(s->src, s->dst));
        dnp3_forget(x, s->src, s->dst);
    }
}

static const uint16_t ports[] = {20000, 0};
static const uint16_t starts[] = {0x05, DIS_STARTS_END};
static const struct proto_schema *const schemas[] = {&dnp3_schema, NULL};

extern const struct dissector dissector_dnp3;
const struct dissector dissector_dnp3 = {
    .name = "dnp3",
    .schemas = schemas,
    .transports = DIS_TCP | DIS_UDP,
    .tcp_ports = ports,
    .udp_ports = ports,
    .tls_port = 19999,
    .tcp_starts = starts,
    .min_probe = LINK_HEADER,
    .max_pdu = LINK_MAX,
    .flow_size = sizeof(struct dnp3_flow),
    .probe = probe,
    .frame = frame,
    .parse = parse,
    .gap = gap,
};
