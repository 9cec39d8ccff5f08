/* s7comm_block.c: blocks and programs: up- and download dialogues, PI services, stop.
 *
 *   1a request download  status, 0100, 0000 0000, name; 0d "1" load length (6 digits) MC7 length (6 digits)
 *   1b download block    status, 0000, 0000 0000, name          answer (from the station): status, data
 *   1c download ended    status, error u16, 0000 0000, name
 *   1d start upload      status, 0000, 0000 0000, name          answer: status, 0100, upload id u32, length in digits
 *   1e upload            status, 0000, upload id                answer: status, data
 *   1f end upload        status, error u16, upload id
 *   name                 09 "_" type (2 hex digits) number (5 digits) file system P A B; of the NC: length, file name
 *   data                 length u16, 00 fb, content
 *   status               1 more follows, 2 error
 *   28 PI service        00 x6 fd, length u16 of the arguments, arguments, name with length
 *   29 stop              00 x5, name with length
 *
 *   block                7070, version, flags, language, type, number u16, load length u32, protection u32,
 *                        code and interface time (ms u32, days u16 since 1984), lengths u16: interface, segments, local
 *                        data, MC7; code; author, family, name (8 each), version, -, checksum u16, 8 reserved
 *
 * The PLC fetches a download's pieces (1b) and ends it (1c). All events of a dialogue share the tx_id of its first.
 */
#include "dissectors/s7comm.h"

enum { HEADER = 36, FOOTER = 36 };

uint64_t s7_fnv(uint64_t h, struct span v)
{
    for (uint32_t i = 0; i < v.n; i++)
        h = (h ^ v.p[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* ---- names ---- */

static bool digits(struct cur *c, unsigned n, uint32_t *ret)
{
    bool good = true;
    *ret = 0;
    for (unsigned i = 0; i < n; i++) {
        uint8_t d = cur_u8(c);
        good = good && d >= '0' && d <= '9';
        *ret = *ret * 10 + (d - '0') % 10u;
    }
    return good && cur_ok(c);
}

bool s7_block_name(struct cur *c, uint8_t *type, uint32_t *number)
{
    uint8_t hi = cur_u8(c), lo = cur_u8(c);
    *type = (uint8_t)(lo >= 'A' && lo <= 'F' ? lo - 'A' + 10 : lo >= '0' && lo <= '9' ? lo - '0' : 0);
    bool good = digits(c, 5, number);
    return good && hi == '0' && s7_block_type(*type);
}

void s7_block_item(struct event *e, uint8_t type, uint32_t number)
{
    ev_named(e, K_BLOCK, ev_text_fmt(e, "%s%u", s7_block_type(type), number));
}

/* A counted name. What has the form of a block becomes an item of that kind, else a file (NC). */
static void name(struct s7 *s, struct event *e, struct s7_xfer *t)
{
    uint8_t n = cur_u8(&s->param);
    struct cur c = cur_sub(&s->param, n), copy = c;
    uint8_t mark = cur_u8(&c), type;
    uint32_t number;
    if (!cur_ok(&s->param)) {
        s7_anomaly(s, A_PARAM);
        return;
    }
    if (n == 9 && (mark == '_' || mark == '$') && s7_block_name(&c, &type, &number)) {
        t->type = type;
        t->number = (uint16_t)number;
        t->fs = cur_u8(&c);
        s7_block_item(e, type, number);
        ev_span(e, F_BLOCK, e->items[e->n_items - 1].name);
        ev_u64(e, F_BLOCK_NUMBER, number);
        ev_u64(e, F_FILESYSTEM, t->fs);
        if (number > UINT16_MAX || (t->fs != 'A' && t->fs != 'B' && t->fs != 'P'))
            s7_anomaly(s, A_BLOCK_NAME);
        return;
    }
    struct span text = cur_rest(&copy);
    if (n == 9 && mark == '_' && text.n == 9 && text.p[1] == '0')
        s7_anomaly(s, A_BLOCK_NAME);
    ev_named(e, K_FILE, text);
    ev_span(e, F_FILE, text);
}

/* ---- the transfer of a flow ---- */

static void xfer_item(struct event *e, const struct s7_xfer *t)
{
    if (e->n_items || !t->type)
        return;
    s7_block_item(e, t->type, t->number);
    ev_span(e, F_BLOCK, e->items[0].name);
}

static void start(struct s7_xfer *t, const struct event *e)
{
    *t = (struct s7_xfer){.tx_id = e->tx_id, .hash = S7_FNV_START, .active = 1, .type = t->type, .number = t->number,
                          .fs = t->fs};
}

static void join(struct s7 *s, struct event *e, struct s7_xfer *t)
{
    if (t->active)
        e->tx_id = t->tx_id;
    else
        s7_anomaly(s, A_TRANSFER);
}

static void keep_tail(struct s7_xfer *t, struct span v)
{
    if (v.n >= FOOTER) {
        memcpy(t->tail, v.p + v.n - FOOTER, FOOTER);
        t->n_tail = FOOTER;
        return;
    }
    unsigned keep = t->n_tail + v.n > FOOTER ? FOOTER - v.n : t->n_tail;
    memmove(t->tail, t->tail + t->n_tail - keep, keep);
    if (v.n)
        memcpy(t->tail + keep, v.p, v.n);
    t->n_tail = (uint8_t)(keep + v.n);
}

/* 1984-01-01, the epoch of block time stamps, in seconds since 1970 */
static uint64_t block_time(struct cur *c)
{
    uint64_t ms = cur_u32be(c), days = cur_u16be(c);
    return (days * 86400 + UINT64_C(441763200)) * UINT64_C(1000000000) + ms * 1000000;
}

void s7_block_header(struct event *e, struct cur c)
{
    cur_skip(&c, 3);
    uint8_t flags = cur_u8(&c), lang = cur_u8(&c);
    cur_skip(&c, 3);
    uint32_t load = cur_u32be(&c), security = cur_u32be(&c);
    uint64_t code = block_time(&c), intf = block_time(&c);
    uint16_t ssb = cur_u16be(&c), add = cur_u16be(&c), local = cur_u16be(&c), mc7 = cur_u16be(&c);
    if (!cur_ok(&c))
        return;
    ev_u64(e, F_BLK_LANG, lang);
    ev_u64(e, F_BLK_LINKED, flags & 1);
    ev_u64(e, F_BLK_PROTECTED, security == 3);
    ev_u64(e, F_LOAD_LEN, load);
    ev_u64(e, F_BLK_CODE_TIME, code);
    ev_u64(e, F_BLK_INTF_TIME, intf);
    ev_u64(e, F_BLK_SSB_LEN, ssb);
    ev_u64(e, F_BLK_ADD_LEN, add);
    ev_u64(e, F_BLK_LOCAL_LEN, local);
    ev_u64(e, F_BLK_MC7_LEN, mc7);
}

/* Text padded with spaces or zeros; nothing when it is all padding. Copied: it may lie in the flow state. */
static void padded(struct event *e, uint8_t id, struct span v)
{
    v = s7_trim(v);
    if (v.n)
        ev_span(e, id, ev_text_copy(e, v.p, v.n));
}

void s7_block_footer(struct event *e, struct cur c)
{
    struct span author = cur_bytes(&c, 8), family = cur_bytes(&c, 8), header = cur_bytes(&c, 8);
    uint8_t version = cur_u8(&c);
    cur_skip(&c, 1);
    uint16_t sum = cur_u16be(&c);
    if (!cur_ok(&c))
        return;
    padded(e, F_BLK_AUTHOR, author);
    padded(e, F_BLK_FAMILY, family);
    padded(e, F_BLK_NAME, header);
    ev_span(e, F_BLK_VERSION, ev_text_fmt(e, "%u.%u", version >> 4, version & 15));
    ev_u64(e, F_BLK_CHECKSUM, sum);
}

/* The first piece begins with the block's header. */
static void first_piece(struct s7 *s, struct event *e, struct s7_xfer *t, struct span v)
{
    struct cur c = cur_make(v.p, v.n);
    if (v.n < HEADER || cur_u16be(&c) != 0x7070)
        return;
    cur_skip(&c, 3);
    uint8_t type = cur_u8(&c);
    uint16_t number = cur_u16be(&c);
    uint32_t load = cur_u32be(&c);
    s7_block_header(e, cur_make(v.p, v.n));
    if (!t->load_len)
        t->load_len = load;
    if (t->type && (type != t->type || number != t->number))
        t->mismatch = 1;
    if (t->mismatch || (t->load_len && t->load_len != load))
        s7_anomaly(s, t->mismatch ? A_BLOCK_MISMATCH : A_BLOCK_LENGTH);
}

/* The data part of an answer to 1b and 1e: a piece of content. */
static void piece(struct s7 *s, struct event *e, struct s7_xfer *t)
{
    struct cur *c = &s->data;
    uint16_t n = cur_u16be(c);
    cur_skip(c, 2);
    if (!cur_ok(c)) {
        if (s->err == 0 && !s->x->cut)
            s7_anomaly(s, A_PARAM);
        t->lossy = 1;
        return;
    }
    if (n != cur_left(c) && !s->x->cut)
        s7_anomaly(s, A_LENGTH);
    if (n > cur_left(c))
        t->lossy = 1;
    struct span v = cur_bytes(c, n < cur_left(c) ? n : cur_left(c));
    ev_u64(e, F_PIECE_LEN, v.n);
    if (!t->active)
        return;
    if (t->len == 0)
        first_piece(s, e, t, v);
    t->hash = s7_fnv(t->hash, v);
    keep_tail(t, v);
    t->len += v.n < UINT32_MAX - t->len ? v.n : 0;
}

/* The dialogue ends: what was moved. */
static void finish(struct s7 *s, struct event *e, struct s7_xfer *t, uint16_t error)
{
    if (error) {
        ev_u64(e, F_TRANSFER_ERROR, error);
        ev_status(e, error, true);
    }
    if (t->active && t->len) {
        bool whole = !t->lossy && (!t->load_len || t->len == t->load_len);
        ev_u64(e, F_CONTENT_LEN, t->len);
        ev_u64(e, F_CONTENT_HASH, t->hash);
        ev_u64(e, F_CONTENT_COMPLETE, whole);
        if (whole && t->load_len >= HEADER + FOOTER && t->n_tail == FOOTER)
            s7_block_footer(e, cur_make(t->tail, FOOTER));
        if (!whole && !t->lossy && !error)
            s7_anomaly(s, A_BLOCK_LENGTH);
    }
    t->active = 0;
    t->type = 0;
}

/* ---- jobs ---- */

static void lengths(struct s7 *s, struct event *e, struct s7_xfer *t)
{
    uint32_t load, mc7;
    struct cur c = cur_sub(&s->param, cur_u8(&s->param));
    if (!cur_ok(&c) || cur_left(&c) == 0)
        return; /* NC files have no such part */
    cur_skip(&c, 1);
    if (!digits(&c, 6, &load) || !digits(&c, 6, &mc7)) {
        s7_anomaly(s, A_PARAM);
        return;
    }
    t->load_len = load;
    ev_u64(e, F_LOAD_LEN, load);
    ev_u64(e, F_MC7_LEN, mc7);
}

void s7_block_request(struct s7 *s, struct event *e)
{
    uint8_t fn = cur_u8(&s->param);
    bool up = fn >= S7_START_UPLOAD;
    struct s7_xfer *t = up ? &s->st->up : &s->st->down;
    cur_skip(&s->param, 1);
    uint16_t error = cur_u16be(&s->param);
    uint32_t id = cur_u32be(&s->param);
    if (!cur_ok(&s->param)) {
        s7_anomaly(s, A_PARAM);
        return;
    }
    if (fn == S7_REQUEST_DOWNLOAD || fn == S7_START_UPLOAD)
        start(t, e);
    else if (up && t->active && t->id != id)
        t->lossy = 1; /* of two uploads at a time the last is followed */
    if (up && fn != S7_START_UPLOAD)
        ev_u64(e, F_TRANSFER_ID, id);
    if (!up || fn == S7_START_UPLOAD)
        name(s, e, t);
    else
        xfer_item(e, t);
    if (fn == S7_REQUEST_DOWNLOAD)
        lengths(s, e, t);
    join(s, e, t);
    if (fn == S7_DOWNLOAD_ENDED || fn == S7_END_UPLOAD)
        finish(s, e, t, error);
    if (cur_left(&s->param))
        s7_anomaly(s, A_TRAILING);
}

static void upload_started(struct s7 *s, struct event *e, struct s7_xfer *t)
{
    uint32_t len = 0;
    cur_skip(&s->param, 2);
    t->id = cur_u32be(&s->param);
    if (!cur_ok(&s->param)) {
        s7_anomaly(s, A_PARAM);
        return;
    }
    ev_u64(e, F_TRANSFER_ID, t->id);
    if (!cur_left(&s->param))
        return;
    struct cur c = cur_sub(&s->param, cur_u8(&s->param));
    if (cur_left(&c) <= 9 && digits(&c, cur_left(&c), &len)) {
        ev_u64(e, F_LOAD_LEN, len);
        t->load_len = len;
    } else {
        s7_anomaly(s, A_PARAM);
    }
}

void s7_block_answer(struct s7 *s, struct event *e)
{
    uint8_t fn = cur_u8(&s->param);
    bool up = fn >= S7_START_UPLOAD;
    struct s7_xfer *t = up ? &s->st->up : &s->st->down;
    uint8_t status = cur_left(&s->param) ? cur_u8(&s->param) : 0;
    if (s->err) {
        if (fn == S7_REQUEST_DOWNLOAD || fn == S7_START_UPLOAD)
            t->active = 0;
        return;
    }
    if (e->kind == EV_RESPONSE && t->active)
        e->tx_id = t->tx_id;
    if (e->kind == EV_RESPONSE)
        xfer_item(e, t);
    if (fn == S7_START_UPLOAD)
        upload_started(s, e, t);
    if (fn == S7_DOWNLOAD_BLOCK || fn == S7_UPLOAD) {
        ev_u64(e, F_MORE, status & 1);
        if (status & 2)
            t->lossy = 1;
        piece(s, e, t);
    }
    if (status & 2)
        ev_status(e, 0x8003, true);
}

/* ---- PI services ---- */

static uint32_t pi_selector(struct span n)
{
    for (uint32_t i = 0; n.n && s7_pi_names[i]; i++)
        if (strlen(s7_pi_names[i]) == n.n && memcmp(s7_pi_names[i], n.p, n.n) == 0)
            return i;
    return OP_ANY_SELECTOR;
}

/* _INSE, _DELE: count, 00, blocks of 8 characters. */
static void pi_blocks(struct s7 *s, struct event *e, struct cur c)
{
    unsigned count = cur_u8(&c), n = 0;
    cur_skip(&c, 1);
    for (; n < count && cur_left(&c) >= 8; n++) {
        uint8_t type;
        uint32_t number;
        struct cur b = cur_sub(&c, 8);
        if (s7_block_name(&b, &type, &number))
            s7_block_item(e, type, number);
        else
            s7_anomaly(s, A_BLOCK_NAME);
    }
    if (n < count || cur_left(&c))
        s7_anomaly(s, A_ITEM_COUNT);
}

/* Services of the NC: texts with their lengths, each padded to an even place. */
static void pi_texts(struct s7 *s, struct event *e, struct cur c, bool secret)
{
    for (unsigned i = 0; i < 16 && cur_left(&c); i++) {
        uint8_t n = cur_u8(&c);
        struct span v = cur_bytes(&c, n);
        if (!cur_ok(&c)) {
            s7_anomaly(s, A_PARAM);
            return;
        }
        if (!(n & 1) && cur_left(&c))
            cur_skip(&c, 1);
        if (secret && i == 1)
            ev_u64(e, F_PASSWORD, 1);
        else
            ev_span(e, F_PI_ARG, v);
        if (i && v.n > 1 && (e->action == ACT_FILE || memchr(v.p, '/', v.n)))
            ev_named(e, K_FILE, v);
    }
}

void s7_pi_request(struct s7 *s, struct event *e)
{
    cur_skip(&s->param, 8);
    struct cur args = cur_sub(&s->param, cur_u16be(&s->param));
    struct span n = cur_bytes(&s->param, cur_u8(&s->param));
    if (!cur_ok(&s->param)) {
        s7_anomaly(s, A_PARAM);
        return;
    }
    uint32_t sel = pi_selector(n);
    if (sel == S7_PI_WARM && cur_peek(&args, 0) == 'C')
        sel = S7_PI_COLD;
    ev_select(e, sel);
    ev_span(e, F_PI, n);
    const char *known = sel == OP_ANY_SELECTOR ? "" : s7_pi_names[sel];
    if (sel == OP_ANY_SELECTOR)
        s7_anomaly(s, A_FUNCTION);
    if (strcmp(known, "_INSE") == 0 || strcmp(known, "_INS2") == 0 || strcmp(known, "_DELE") == 0)
        pi_blocks(s, e, args);
    else if (strncmp(known, "_N_", 3) == 0)
        pi_texts(s, e, args, e->action == ACT_AUTHENTICATE);
    else if (cur_left(&args))
        ev_span(e, F_PI_ARG, cur_rest(&args));
}

static void told_state(struct s7 *s, const struct event *e)
{
    if (e->kind != EV_TRANSACTION || s->err)
        return;
    const char *state = e->function == S7_PLC_STOP ? "stop" : e->selector <= S7_PI_COLD ? "run" : NULL;
    if (state)
        obs_fmt(s->x, &s7comm_schema, OBS_SERVER, OBS_SELF, OBS_STATE, 70, "%s", state);
}

void s7_pi_answer(struct s7 *s, struct event *e)
{
    cur_skip(&s->param, 1);
    if (cur_left(&s->param) && (cur_u8(&s->param) & 2))
        ev_status(e, 0x8404, true);
    else
        told_state(s, e);
}

void s7_stop_request(struct s7 *s, struct event *e)
{
    cur_skip(&s->param, 6);
    struct span n = cur_bytes(&s->param, cur_u8(&s->param));
    if (cur_ok(&s->param))
        ev_span(e, F_PI, n);
    else
        s7_anomaly(s, A_PARAM);
}

void s7_stop_answer(struct s7 *s, struct event *e)
{
    told_state(s, e);
}
