/* opcua.c: OPC UA Binary over TCP: connections, secure channels, chunks; services inside.
 *
 * Spec: OPC 10000-6:2022 (5.2 UA Binary, 6.7 UA Secure Conversation, 7.1 and 7.2 UA Connection Protocol),
 *       OPC 10000-4:2022 (services).
 *
 *   0       3      4        8                                                                        little-endian
 *   +-------+------+--------+-----------------------------------------------------------------
 *   | type  | F C A| size 4 | HEL version 4, receive and send buffer 4+4, message and chunk bounds 4+4, URL
 *   +-------+------+--------+ ACK the same without URL; ERR status 4, reason; RHE server URI, URL
 *                           | OPN channel 4, policy URI, certificate, thumbprint | sequence 4, request 4, body
 *                           | MSG, CLO channel 4, token 4                        | sequence 4, request 4, body
 *   C: more chunks follow, F: the last one, A: given up (status 4, reason). With signing, a signature ends each chunk;
 *   with encryption, sequence number and all that follows are unreadable.
 *
 * Files: opcua_walk messages and structures, opcua_tables structures, opcua_types built-in types, opcua_item objects
 * and fields, opcua_ident identity and security, opcua_schema, opcua_names, opcua_services.def.
 * Not decoded: what is encrypted (told as such, function null); the mode of a channel whose policy is not None is what
 * the messages look like, for it is told inside an encrypted one; chunks above 65,559 bytes; of a message above 65,536
 * bytes what lies beyond; structures of servers' own types (their bytes are shown); filters of events and queries;
 * attributes of added nodes; names of references that a browse finds; NodeIds that RegisterNodes gave are not traced
 * back; PubSub (UADP), UA over HTTPS and WebSockets.
 * Identity: ApplicationUri, ProductUri, ApplicationName, subjects of certificates, BuildInfo, state, user names. */
#include "dissectors/opcua_int.h"

enum { HEAD = 8, PORT = 4840, MIN_BUFFER = 1024, MAX_URL = 4096, MAX_POLICY = 255, WRAP = 1024, KEY_HELLO = 1 };
enum kind { K_HEL, K_ACK, K_ERR, K_RHE, K_OPN, K_MSG, K_CLO, N_KINDS };
enum { M_MSG, M_OPN, M_CLO }; /* as in the names of OF_MESSAGE */

static const struct shape {
    char name[4];
    uint32_t min, max;
    uint8_t dir; /* who sends it, where it says so */
} shapes[N_KINDS] = {
    {"HEL", 32, 32 + MAX_URL, DIR_C2S},     {"ACK", 28, 28, DIR_S2C},          {"ERR", 16, 16 + MAX_URL, DIR_S2C},
    {"RHE", 16, 16 + 2 * MAX_URL, DIR_S2C}, {"OPN", 32, LIM_PDU, DIR_UNKNOWN}, {"MSG", 24, LIM_PDU, DIR_UNKNOWN},
    {"CLO", 24, LIM_PDU, DIR_UNKNOWN},
};

struct head {
    enum match m; /* MATCH_MORE: too short; MATCH_NO: none */
    enum kind kind;
    char chunk;
    uint32_t size;
};

/* A header, or as much of one as there is. */
static struct head read_head(struct cur *c)
{
    struct head h = {.m = MATCH_NO};
    uint32_t n = cur_left(c) < 4 ? cur_left(c) : 4, same = n < 3 ? n : 3;
    const char b[4] = {(char)cur_peek(c, 0), (char)cur_peek(c, 1), (char)cur_peek(c, 2), (char)cur_peek(c, 3)};
    cur_skip(c, n);
    for (unsigned k = 0; k < N_KINDS && h.m == MATCH_NO; k++) {
        const char *name = shapes[k].name;
        if ((b[0] == name[0] || !same) && memcmp(name, b, same) == 0) {
            h.kind = (enum kind)k;
            h.m = MATCH_MORE;
        }
    }
    if (h.m == MATCH_NO || n < 4)
        return h;
    h.chunk = b[3];
    if (h.chunk != 'F' && (h.kind < K_OPN || (h.chunk != 'C' && h.chunk != 'A'))) {
        h.m = MATCH_NO;
        return h;
    }
    h.size = cur_u32le(c);
    if (cur_ok(c))
        h.m = h.size >= shapes[h.kind].min && h.size <= shapes[h.kind].max ? MATCH_YES : MATCH_NO;
    return h;
}

/* ---- recognition ---- */

static bool is_policy_uri(struct span s)
{
    return s.n >= 4 && s.n <= MAX_POLICY && (memcmp(s.p, "http", 4) == 0 || memcmp(s.p, "opc.", 4) == 0);
}

/* What follows the header of a chunk of a secure channel, as far as it is there. */
static enum match match_secure(struct cur c, const struct head *h, struct dis_ctx *x)
{
    uint32_t channel = cur_u32le(&c), second = cur_u32le(&c);
    if (h->kind == K_OPN) {
        struct span uri = cur_bytes(&c, second <= MAX_POLICY ? second : 0);
        if (!cur_ok(&c))
            return second <= MAX_POLICY ? MATCH_MORE : MATCH_NO;
        return is_policy_uri(uri) ? MATCH_YES : MATCH_NO;
    }
    if (!cur_ok(&c))
        return MATCH_MORE;
    if (!channel)
        return MATCH_NO;
    cur_skip(&c, 8);
    const struct op_row *op = cur_ok(&c) ? ua_peek_service(c) : NULL;
    if (op && x->dir == DIR_UNKNOWN)
        x->dir = op->flags & OP_ANSWER ? DIR_S2C : DIR_C2S;
    return MATCH_YES;
}

static enum match match_transport(struct cur c, const struct head *h, bool on_port)
{
    if (h->kind == K_ERR)
        return cur_left(&c) < 4 ? MATCH_MORE : cur_u32le(&c) >> 31 ? MATCH_YES : MATCH_NO;
    if (h->kind == K_RHE)
        return cur_left(&c) < 4 ? MATCH_MORE : cur_u32le(&c) <= MAX_URL ? MATCH_YES : MATCH_NO;
    uint32_t version = cur_u32le(&c), receive = cur_u32le(&c), send = cur_u32le(&c);
    if (!cur_ok(&c))
        return MATCH_MORE;
    return version < 0x10000 && (on_port || (receive >= MIN_BUFFER && send >= MIN_BUFFER)) ? MATCH_YES : MATCH_NO;
}

static enum match opcua_probe(struct cur c, struct dis_ctx *x)
{
    struct head h = read_head(&c);
    if (h.m != MATCH_YES)
        return h.m;
    enum match m = h.kind < K_OPN ? match_transport(c, &h, x->on_port) : match_secure(c, &h, x);
    if (m == MATCH_MORE && x->on_port)
        m = MATCH_YES;
    if (m == MATCH_YES && shapes[h.kind].dir != DIR_UNKNOWN) {
        x->dir_sure = x->dir_sure || h.kind != K_ERR;
        x->dir = shapes[h.kind].dir;
    }
    return m;
}

static struct frame opcua_frame(struct cur c, const struct dis_ctx *x)
{
    (void)x;
    struct head h = read_head(&c);
    if (h.m == MATCH_NO)
        return (struct frame){FRAME_BAD, 0};
    if (h.m == MATCH_MORE)
        return (struct frame){FRAME_MORE, 0};
    return (struct frame){FRAME_OK, h.size};
}

/* ---- connections (7.1.2) ---- */

static struct span get_string(struct cur *c)
{
    uint32_t n = cur_u32le(c);
    return cur_bytes(c, n > INT32_MAX ? 0 : n);
}

static void limits(struct event *e, struct ua_flow *f, unsigned side, struct cur *c)
{
    uint32_t version = cur_u32le(c), receive = cur_u32le(c), send = cur_u32le(c), message = cur_u32le(c);
    uint32_t chunks = cur_u32le(c);
    if (!cur_ok(c))
        return;
    ev_u64(e, OF_VERSION, version);
    ev_u64(e, OF_RECEIVE, receive);
    ev_u64(e, OF_SEND, send);
    ev_u64(e, OF_MAX_MESSAGE, message);
    ev_u64(e, OF_MAX_CHUNKS, chunks);
    if (receive < MIN_BUFFER || send < MIN_BUFFER)
        ev_anomaly(e, UA_A_HELLO);
    f->buffer[side] = receive;
    f->max_message[side] = message;
    f->max_chunks[side] = chunks;
}

static enum verdict end_of(struct dis_ctx *x, struct event *e, const struct cur *c)
{
    if (cur_ok(c) || x->cut) {
        if (cur_ok(c) && cur_left(c))
            ev_anomaly(e, UA_A_TRAILING);
        return DIS_OK;
    }
    ev_anomaly(e, UA_A_HEADER);
    return DIS_MALFORMED;
}

/* A new connection begins: nothing of what was before holds. */
static enum verdict on_hello(struct cur c, struct dis_ctx *x, struct ua_flow *f)
{
    bool again = f->hello == 1;
    struct event *e = ev_begin(x, &opcua_schema, UA_HEL, OP_ANY_SELECTOR);
    *f = (struct ua_flow){.hello = 1, .in_step = {2, 2}};
    limits(e, f, 0, &c);
    struct span url = get_string(&c);
    if (url.n > MAX_URL)
        ev_anomaly(e, UA_A_HELLO);
    if (url.n)
        ev_span(e, OF_URL, url);
    if (again)
        ev_anomaly(e, UA_A_HELLO_TWICE);
    enum verdict v = end_of(x, e, &c);
    ev_wait(x, e, UINT64_C(1) << 32 | KEY_HELLO);
    return v;
}

static enum verdict on_acknowledge(struct cur c, struct dis_ctx *x, struct ua_flow *f)
{
    struct event *e = ev_answer(x, &opcua_schema, UINT64_C(1) << 32 | KEY_HELLO, UA_ACK, OP_ANY_SELECTOR);
    limits(e, f, 1, &c);
    f->hello = 1;
    enum verdict v = end_of(x, e, &c);
    ev_commit(x, e);
    return v;
}

/* The connection is closed after it, whatever waits. */
static enum verdict on_error(struct cur c, struct dis_ctx *x, struct ua_flow *f)
{
    uint64_t key = UINT64_C(1) << 32 | KEY_HELLO;
    struct event *e = ev_is_waited(x, key) ? ev_answer(x, &opcua_schema, key, UA_ERR, OP_ANY_SELECTOR)
                                           : ev_begin(x, &opcua_schema, UA_ERR, OP_ANY_SELECTOR);
    uint32_t status = cur_u32le(&c);
    struct span reason = get_string(&c);
    if (f->channel && e->kind == EV_MESSAGE)
        ev_u64(e, OF_CHANNEL, f->channel);
    if (reason.n)
        ev_span(e, OF_REASON, reason);
    ev_status(e, status & 0xffff0000, true);
    enum verdict v = end_of(x, e, &c);
    ev_commit(x, e);
    return v;
}

/* The server has opened the TCP connection and invites the client (7.1.2.6). */
static enum verdict on_reverse_hello(struct cur c, struct dis_ctx *x, struct ua_flow *f)
{
    struct event *e = ev_begin(x, &opcua_schema, UA_RHE, OP_ANY_SELECTOR);
    struct span uri = get_string(&c), url = get_string(&c);
    f->hello = 2;
    if (uri.n)
        ev_span(e, OF_SERVER_URI, uri);
    if (url.n)
        ev_span(e, OF_URL, url);
    if (uri.n > MAX_URL || url.n > MAX_URL)
        ev_anomaly(e, UA_A_HELLO);
    enum verdict v = end_of(x, e, &c);
    if (v == DIS_OK)
        obs_text(x, &opcua_schema, OBS_SERVER, OBS_SELF, OBS_OTHER, uri, 80);
    ev_commit(x, e);
    return v;
}

/* ---- chunks of a secure channel (6.7) ---- */

struct chunk {
    struct dis_ctx *x;
    struct ua_flow *f;
    unsigned side;   /* that sends: 0 client, 1 server */
    uint8_t message; /* M_ */
    char type;
    uint32_t size, seq, request;
    struct span body;
    struct span cert; /* OPN */
};

static uint64_t *found(struct chunk *k)
{
    return &k->f->found[k->side];
}

static void note(struct chunk *k, enum ua_anomaly a)
{
    *found(k) |= UINT64_C(1) << a;
}

static void on_token_used(struct chunk *k, uint32_t token)
{
    struct ua_flow *f = k->f;
    uint64_t life_ns = (uint64_t)f->lifetime_ms * 1250000; /* 125 % */
    if (!f->has_token)
        return;
    if (token != f->token && !(f->has_token == 2 && token == f->old_token))
        note(k, UA_A_TOKEN);
    else if (token == f->token && life_ns && k->x->ts_ns > f->token_ns && k->x->ts_ns - f->token_ns > life_ns)
        note(k, UA_A_TOKEN_EXPIRED);
}

/* MSG and CLO: channel and token. */
static void symmetric_header(struct chunk *k, struct cur *c)
{
    struct ua_flow *f = k->f;
    uint32_t channel = cur_u32le(c), token = cur_u32le(c);
    if (!cur_ok(c))
        return;
    if (f->channel && channel != f->channel)
        note(k, UA_A_CHANNEL);
    else
        f->channel = channel;
    on_token_used(k, token);
}

/* OPN: a channel opens, or its token is renewed. */
static void asymmetric_header(struct chunk *k, struct cur *c)
{
    struct ua_flow *f = k->f;
    uint32_t channel = cur_u32le(c);
    struct span uri = get_string(c);
    k->cert = get_string(c);
    get_string(c);
    if (!cur_ok(c))
        return;
    uint8_t policy = ua_policy_of(uri);
    if (policy != f->policy) {
        f->policy = policy;
        f->signature = ua_policies[policy].signature;
        f->mode = UA_MODE_UNKNOWN;
    }
    if (policy != UA_POLICY_NONE)
        f->has_token = 0; /* the tokens are encrypted */
    if (policy == UA_POLICY_UNKNOWN)
        note(k, UA_A_POLICY);
    if (ua_policies[policy].deprecated)
        note(k, UA_A_DEPRECATED);
    if (channel || k->side)
        f->channel = channel;
}

/* Of a side of which less than this was seen, what begins with no service may be the rest of a message that did. */
static bool lost_beginning(const struct ua_flow *f, unsigned side)
{
    return f->in_step[side] < (f->policy == UA_POLICY_UNKNOWN ? 2 : 1);
}

/* Is the chunk readable, its policy not being None? A message that is begins with the TypeId of a service. */
static bool is_readable(struct chunk *k, struct cur c)
{
    struct ua_flow *f = k->f;
    uint32_t kept;
    if (f->policy == UA_POLICY_NONE && (k->message == M_OPN || !lost_beginning(f, k->side)))
        return true;
    cur_skip(&c, 4);
    uint32_t request = cur_u32le(&c);
    bool begins = cur_ok(&c) && ua_peek_service(c) != NULL;
    if (k->message == M_OPN) {
        if (begins && f->policy != UA_POLICY_UNKNOWN)
            note(k, UA_A_OPEN_PLAIN);
        return begins;
    }
    bool goes_on = cur_ok(&c) && asm_kept(k->x, request, &kept);
    if (!begins && !goes_on && lost_beginning(f, k->side))
        return false;
    if (begins && f->policy == UA_POLICY_UNKNOWN && f->mode == UA_MODE_ENCRYPT)
        f->mode = UA_MODE_UNKNOWN; /* what was unreadable was no message */
    if (f->policy == UA_POLICY_NONE)
        return true;
    if (f->policy == UA_POLICY_UNKNOWN && f->read_once && f->mode != UA_MODE_ENCRYPT)
        return true;
    if (begins && f->policy != UA_POLICY_UNKNOWN)
        f->mode = UA_MODE_SIGN;
    else if (!begins && !goes_on && f->mode == UA_MODE_UNKNOWN)
        f->mode = UA_MODE_ENCRYPT;
    return begins || goes_on;
}

static void on_sequence(struct chunk *k)
{
    struct ua_flow *f = k->f;
    unsigned s = k->side;
    uint32_t next = f->next_seq[s];
    bool wrapped = next > UINT32_MAX - WRAP && k->seq < WRAP;
    if (f->has_seq[s] && k->seq != next && !wrapped)
        note(k, UA_A_SEQUENCE);
    f->next_seq[s] = k->seq + 1;
    f->has_seq[s] = 1;
}

/* What the receiver said that it takes. */
static void on_size(struct chunk *k)
{
    const struct ua_flow *f = k->f;
    unsigned to = 1 - k->side;
    if (f->buffer[to] && k->size > f->buffer[to])
        note(k, UA_A_CHUNK_SIZE);
    if (f->max_chunks[to] && f->n_chunks[k->side] > f->max_chunks[to])
        note(k, UA_A_CHUNK_COUNT);
}

static void message_ends(struct chunk *k)
{
    k->f->n_chunks[k->side] = 0;
    k->f->found[k->side] = 0;
    if (k->f->in_step[k->side] < 2)
        k->f->in_step[k->side]++;
}

/* Told as what it is: a message that cannot be read. Its chunks before the last one are only counted. */
static void unreadable(struct chunk *k)
{
    struct ua_flow *f = k->f;
    f->has_seq[k->side] = 0;
    if (k->type == 'C' || (k->message == M_MSG && lost_beginning(f, k->side))) {
        ev_silent(k->x, &opcua_schema);
        return;
    }
    struct event *e = ev_begin(k->x, &opcua_schema, FN_NONE, OP_ANY_SELECTOR);
    ev_u64(e, OF_CHANNEL, f->channel);
    ev_u64(e, OF_MESSAGE, k->message);
    if (f->policy || k->message == M_OPN)
        ev_u64(e, OF_POLICY, f->policy);
    if (f->mode)
        ev_u64(e, OF_MODE, f->mode);
    if (f->n_chunks[k->side] > 1)
        ev_u64(e, OF_CHUNKS, f->n_chunks[k->side]);
    e->action = k->message == M_MSG ? ACT_OTHER : ACT_SESSION;
    e->anomalies |= *found(k);
    ua_certificate(k->x, e, k->cert, k->side ? OBS_SERVER : OBS_CLIENT);
    ev_commit(k->x, e);
}

/* The receiver is to forget the chunks so far (6.7.3). Which service it was stands in the first of them. */
static enum verdict aborted(struct chunk *k)
{
    struct dis_ctx *x = k->x;
    uint32_t kept;
    bool some = asm_kept(x, k->request, &kept);
    struct cur begun = asm_append(x, k->request, (struct span){0}, !some, true), c = cur_span(k->body);
    const struct op_row *op = cur_ok(&begun) ? ua_peek_service(begun) : NULL;
    uint32_t fn = op ? op->fn : FN_NONE;
    struct event *e = k->side ? ev_answer(x, &opcua_schema, k->request, fn, OP_ANY_SELECTOR)
                              : ev_begin(x, &opcua_schema, fn, OP_ANY_SELECTOR);
    if (e->kind != EV_TRANSACTION)
        ua_common(x, e, k->request);
    uint32_t status = cur_u32le(&c);
    struct span reason = get_string(&c);
    ev_u64(e, OF_MESSAGE, k->message);
    ev_u64(e, OF_ABORTED, 1);
    if (k->f->n_chunks[k->side] > 1)
        ev_u64(e, OF_CHUNKS, k->f->n_chunks[k->side]);
    if (reason.n)
        ev_span(e, OF_REASON, reason);
    ev_status(e, status & 0xffff0000, true);
    e->anomalies |= *found(k);
    ev_anomaly(e, UA_A_ABORTED);
    enum verdict v = end_of(x, e, &c);
    ev_commit(x, e);
    return v;
}

/* One readable chunk: kept until its message is whole. Of a message beyond our bound its beginning is decoded. */
static enum verdict readable(struct chunk *k)
{
    struct ua_flow *f = k->f;
    struct dis_ctx *x = k->x;
    uint32_t kept, to = 1 - k->side;
    if (f->mode == UA_MODE_SIGN && k->message != M_OPN)
        k->body.n -= f->signature < k->body.n ? f->signature : k->body.n;
    on_sequence(k);
    if (k->type == 'A')
        return aborted(k);
    bool some = asm_kept(x, k->request, &kept), cut = k->body.n > LIM_ASM - kept;
    if (f->max_message[to] && (uint64_t)kept + k->body.n > f->max_message[to])
        note(k, UA_A_MESSAGE_SIZE);
    if (cut)
        k->body.n = LIM_ASM - kept;
    struct cur whole = asm_append(x, k->request, k->body, !some, k->type == 'F');
    if (k->type == 'C')
        return DIS_OK;
    if (!cur_ok(&whole)) { /* no room for it: evicted, and counted */
        ev_silent(x, &opcua_schema);
        return DIS_OK;
    }
    f->read_once = 1;
    return ua_message(x, whole, k->request, cut || x->cut);
}

/* A first message tells who is the client where nobody knows. */
static void learn_dir(struct chunk *k, struct cur c)
{
    cur_skip(&c, 8);
    const struct op_row *op = cur_ok(&c) && k->x->dir == DIR_UNKNOWN ? ua_peek_service(c) : NULL;
    if (op)
        k->x->dir = op->flags & OP_ANSWER ? DIR_S2C : DIR_C2S;
    k->side = k->x->dir == DIR_S2C;
}

static enum verdict on_chunk(struct cur c, struct dis_ctx *x, struct ua_flow *f, const struct head *h)
{
    struct chunk k = {.x = x,
                      .f = f,
                      .side = x->dir == DIR_S2C,
                      .type = h->chunk,
                      .size = h->size,
                      .message = h->kind == K_OPN   ? M_OPN
                                 : h->kind == K_CLO ? M_CLO
                                                    : M_MSG};
    if (x->dir == DIR_UNKNOWN) {
        struct cur peek = c;
        cur_skip(&peek, 8);
        learn_dir(&k, peek);
    }
    if (k.message != M_MSG && k.type != 'F') {
        note(&k, UA_A_CHUNK_TYPE);
        k.type = 'F';
    }
    if (k.message == M_OPN)
        asymmetric_header(&k, &c);
    else
        symmetric_header(&k, &c);
    if (f->n_chunks[k.side] < UINT16_MAX)
        f->n_chunks[k.side]++;
    on_size(&k);
    enum verdict v = DIS_OK;
    bool plain = cur_ok(&c) && is_readable(&k, c);
    if (plain) {
        k.seq = cur_u32le(&c);
        k.request = cur_u32le(&c);
        k.body = cur_rest(&c);
    }
    if (!cur_ok(&c)) {
        if (!x->cut)
            ev_malformed(x, &opcua_schema, UA_A_HEADER);
        v = DIS_MALFORMED;
    } else if (plain) {
        v = readable(&k);
    } else {
        unreadable(&k);
    }
    if (k.type != 'C')
        message_ends(&k);
    return v;
}

/* ---- one PDU ---- */

static enum verdict opcua_parse(struct cur pdu, struct dis_ctx *x)
{
    struct ua_flow *f = x->state;
    struct head h = read_head(&pdu);
    if (h.m != MATCH_YES)
        return DIS_LOST;
    if (h.kind >= K_OPN)
        return on_chunk(pdu, x, f, &h);
    bool first = h.kind != K_ERR && (!f->hello || (f->hello == 2 && h.kind == K_HEL));
    if (first || x->dir == DIR_UNKNOWN) { /* with a reverse hello the server has opened the connection */
        x->dir = shapes[h.kind].dir;
        x->dir_sure = first;
    }
    static enum verdict (*const on[])(struct cur, struct dis_ctx *, struct ua_flow *) = {
        [K_HEL] = on_hello, [K_ACK] = on_acknowledge, [K_ERR] = on_error, [K_RHE] = on_reverse_hello};
    return on[h.kind](pdu, x, f);
}

static void opcua_gap(struct dis_ctx *x, uint32_t missing)
{
    struct ua_flow *f = x->state;
    unsigned side = x->dir == DIR_S2C;
    (void)missing;
    f->has_seq[side] = f->in_step[side] = 0;
    f->n_chunks[side] = 0;
    f->found[side] = 0;
}

static const uint16_t ports[] = {PORT, 0};
static const uint16_t starts[] = {'H', 'A', 'E', 'R', 'O', 'M', 'C', DIS_STARTS_END};
static const struct proto_schema *const schemas[] = {&opcua_schema, NULL};

const struct dissector dissector_opcua = {
    .name = "opcua",
    .schemas = schemas,
    .transports = DIS_TCP,
    .tcp_ports = ports,
    .tcp_starts = starts,
    .min_probe = HEAD,
    .max_pdu = LIM_PDU,
    .flow_size = sizeof(struct ua_flow),
    .probe = opcua_probe,
    .frame = opcua_frame,
    .parse = opcua_parse,
    .gap = opcua_gap,
};
