/* enip.c: EtherNet/IP: encapsulation over TCP and UDP 44818, class 0/1 I/O over UDP 2222; CIP inside.
 *
 * Spec: ODVA, The CIP Networks Library, Volume 1 (Common Industrial Protocol) and Volume 2 (EtherNet/IP Adaptation of
 * CIP), chapters 2 and 3; Rockwell 1756-PM020 (tags), 1770-6.5.16 (PCCC).
 *
 *   0      2       4              8         12               20        24
 *   +------+-------+--------------+---------+----------------+---------+----------
 *   | cmd  | length| session      | status  | sender context | options | length bytes   (little-endian)
 *   +------+-------+--------------+---------+----------------+---------+----------
 *   SendRRData, SendUnitData: interface u32, time-out u16, then items (enip_cpf.c):
 *     null address + unconnected data: a CIP request or reply          (enip_cip.c)
 *     connected address + connected data: sequence u16, the same
 *
 * Files: enip_cpf items, enip_cip message router and nesting, enip_path EPATH, enip_attr attributes, enip_tag tags,
 * enip_conn connections, enip_pccc PCCC, enip_ident identity, enip_io class 0/1, enip_schema, enip_cip_schema,
 * enip_names tables.
 * Not decoded: the inside of assemblies and of structures (their layout is not on the wire), CIP Motion and CIP Safety
 * data frames beyond their size, DH+ and ControlNet bridging headers, DTLS (CIP Security) content.
 * Assets: ListIdentity, Identity object, electronic keys, PCCC diagnostic status, host name, addresses and MAC
 * objects. */
#include "dissectors/enip_int.h"

enum { HEADER = 24, PORT = 44818, PORT_IO = 2222 };
enum { CMD_NOP = 0, CMD_SERVICES = 4, CMD_IDENTITY = 0x63, CMD_INTERFACES = 0x64, CMD_REGISTER = 0x65,
       CMD_UNREGISTER = 0x66, CMD_RR = 0x6f, CMD_UNIT = 0x70 };
enum { ITEM_NULL = 0, ITEM_IDENTITY = 0x0c, ITEM_CONN_ADDR = 0xa1, ITEM_CONN_DATA = 0xb1, ITEM_DATA = 0xb2,
       ITEM_SERVICES = 0x100, ITEM_O2T = 0x8000, ITEM_T2O = 0x8001, ITEM_SEQ_ADDR = 0x8002 };
enum { KEY_ENIP = 0x656e6970, KEY_CIP = 0x636970 };

struct header {
    uint16_t command, length;
    uint32_t session, status, options;
    struct span context;
};

static struct header read_header(struct cur *c)
{
    struct header h;
    h.command = cur_u16le(c);
    h.length = cur_u16le(c);
    h.session = cur_u32le(c);
    h.status = cur_u32le(c);
    h.context = cur_bytes(c, 8);
    h.options = cur_u32le(c);
    return h;
}

static bool is_list(uint32_t command)
{
    return command == CMD_SERVICES || command == CMD_IDENTITY || command == CMD_INTERFACES;
}

static bool status_known(uint32_t status)
{
    return status <= 3 || code_name(enip_schema.statuses, status) != NULL;
}

/* ---- probe and frame ---- */

static bool data_plausible(struct cur c, const struct header *h)
{
    if (cur_u32le(&c) != 0)
        return false;
    cur_skip(&c, 2);
    uint16_t n = cur_u16le(&c), type = cur_u16le(&c);
    if (!cur_ok(&c))
        return h->length >= 16; /* the items are in a later segment */
    return n >= 1 && n <= CPF_MAX && code_name(enip_schema.fields[EF_ITEMS].names, type);
}

/* One header and the start of its data. */
static enum match probe_one(struct cur c, const struct header *h)
{
    switch (h->command) {
    case CMD_NOP:
        return h->status == 0 && h->length < 1500 ? MATCH_MAYBE : MATCH_NO;
    case CMD_REGISTER:
        return h->length == 4 ? MATCH_YES : h->length == 0 && h->status ? MATCH_MAYBE : MATCH_NO;
    case CMD_UNREGISTER:
        return h->length == 0 && h->session ? MATCH_MAYBE : MATCH_NO;
    case CMD_RR:
    case CMD_UNIT:
        if (h->length == 0 && h->status)
            return MATCH_MAYBE;
        return h->length >= 6 && data_plausible(c, h) ? MATCH_YES : MATCH_NO;
    }
    if (is_list(h->command)) {
        if (h->length == 0)
            return h->session == 0 ? MATCH_YES : MATCH_MAYBE;
        uint16_t n = cur_u16le(&c);
        return h->length >= 2 && n <= CPF_MAX ? MATCH_YES : MATCH_NO;
    }
    return MATCH_MAYBE;
}

/* An empty NOP is 24 zero bytes, which any protocol may send: what follows it decides. */
static enum match probe_header(struct cur c, bool on_port)
{
    while (cur_left(&c) >= HEADER) {
        struct header h = read_header(&c);
        const struct op_row *op = enip_command(h.command);
        if (!op || h.options || (!on_port && !status_known(h.status)) || h.status > 0xffff)
            return MATCH_NO;
        if (h.command == CMD_NOP && !h.length && !h.session && !h.status) {
            if (on_port)
                return MATCH_YES;
            continue;
        }
        enum match m = probe_one(c, &h);
        return on_port ? MATCH_YES : m;
    }
    return MATCH_MORE;
}

static enum match enip_probe(struct cur c, struct dis_ctx *x)
{
    if (x->transport == DIS_UDP && io_plausible(c))
        return MATCH_YES;
    enum match m = probe_header(c, x->on_port);
    return m == MATCH_MORE && x->transport == DIS_UDP ? MATCH_NO : m;
}

static struct frame enip_frame(struct cur c, const struct dis_ctx *x)
{
    (void)x;
    if (cur_left(&c) < 4)
        return (struct frame){FRAME_MORE, 0};
    bool whole = cur_left(&c) >= HEADER;
    struct header h = read_header(&c);
    bool odd = whole ? h.options || !status_known(h.status) : h.command > 0xff;
    if (odd && !enip_command(h.command))
        return (struct frame){FRAME_BAD, 0};
    return (struct frame){FRAME_OK, (uint32_t)HEADER + h.length};
}

/* ---- who speaks ---- */

/* What the bytes say: a list command without data asks; a CIP service byte has the reply bit. */
static uint8_t dir_by_bytes(struct cur c, const struct header *h)
{
    if (is_list(h->command))
        return h->length ? DIR_S2C : h->status ? DIR_S2C : DIR_C2S;
    if (h->command == CMD_REGISTER)
        return h->session || h->status ? DIR_S2C : DIR_C2S;
    if (h->command == CMD_UNREGISTER || h->command == CMD_NOP)
        return DIR_C2S;
    struct cpf p;
    cur_skip(&c, 6);
    cpf_parse(&c, &p);
    const struct cpf_item *it = cpf_find(&p, ITEM_DATA);
    if (it && it->data.n)
        return it->data.p[0] & 0x80 ? DIR_S2C : DIR_C2S;
    it = cpf_find(&p, ITEM_CONN_DATA);
    if (it && it->data.n > 2)
        return it->data.p[2] & 0x80 ? DIR_S2C : DIR_C2S;
    return h->status ? DIR_S2C : DIR_UNKNOWN;
}

static void set_dir(struct dis_ctx *x, struct cur c, const struct header *h)
{
    /* Over UDP both ends may use port 44818, or a device answers from another one. */
    bool open = x->dir == DIR_UNKNOWN || (x->transport == DIS_UDP && (x->sport == x->dport || is_list(h->command)));
    uint8_t told = open ? dir_by_bytes(c, h) : DIR_UNKNOWN;
    if (told)
        x->dir = told;
    else if (x->dir == DIR_UNKNOWN)
        x->dir = x->sport == PORT ? DIR_S2C : DIR_C2S;
}

/* ---- commands ---- */

static void header_fields(struct event *e, const struct header *h)
{
    if (h->session)
        ev_u64(e, EF_SESSION, h->session);
    ev_span(e, EF_CONTEXT, h->context);
    if (h->options)
        ev_u64(e, EF_OPTIONS, h->options);
}

static void check_session(struct dis_ctx *x, struct event *e, const struct header *h)
{
    struct enip_flow *f = x->state;
    if (h->command != CMD_RR && h->command != CMD_UNIT && h->command != CMD_UNREGISTER)
        return;
    if (h->session == 0 && !h->status && x->transport == DIS_TCP)
        ev_anomaly(e, EA_NO_SESSION);
    else if (f->registered && h->session != f->session && h->status != 0x64)
        ev_anomaly(e, EA_SESSION_MISMATCH);
}

static void socket_text(struct event *e, uint8_t id, struct cur c)
{
    uint8_t buf[32];
    struct txt t = {.p = buf, .cap = sizeof buf};
    cur_skip(&c, 2);
    uint16_t port = cur_u16be(&c);
    for (int i = 0; i < 4; i++) {
        if (i)
            txt_chr(&t, '.');
        txt_dec(&t, cur_u8(&c));
    }
    txt_chr(&t, ':');
    txt_dec(&t, port);
    if (cur_ok(&c))
        ev_span(e, id, ev_text_copy(e, t.p, t.n));
    else
        ev_anomaly(e, EA_CPF_ITEM);
}

static void identity_item(struct dis_ctx *x, struct event *e, struct cur c)
{
    struct cip_identity id = {0};
    uint16_t version = cur_u16le(&c);
    cur_skip(&c, 2);
    uint16_t port = cur_u16be(&c);
    uint32_t ip = cur_u32be(&c);
    cur_skip(&c, 8);
    id.vendor = cur_u16le(&c);
    id.device_type = cur_u16le(&c);
    id.product_code = cur_u16le(&c);
    id.major = cur_u8(&c);
    id.minor = cur_u8(&c);
    id.status = cur_u16le(&c);
    id.serial = cur_u32le(&c);
    uint8_t len = cur_u8(&c);
    id.name = cur_bytes(&c, len);
    if (!cur_ok(&c)) {
        ev_anomaly(e, EA_CPF_ITEM);
        return;
    }
    id.has = 0xfe;
    if (cur_left(&c)) {
        id.state = cur_u8(&c);
        id.has |= 1;
    }
    ev_u64(e, EF_PROTO_VERSION, version);
    ev_u64(e, EF_SOCK_IP, ip);
    ev_u64(e, EF_SOCK_PORT, port);
    ev_u64(e, EF_VENDOR, id.vendor);
    ev_u64(e, EF_DEVICE_TYPE, id.device_type);
    ev_u64(e, EF_PRODUCT_CODE, id.product_code);
    ev_span(e, EF_REVISION, ev_text_fmt(e, "%u.%03u", id.major, id.minor));
    ev_u64(e, EF_STATUS_WORD, id.status);
    ev_u64(e, EF_SERIAL, id.serial);
    ev_span(e, EF_PRODUCT_NAME, id.name);
    if (id.has & 1)
        ev_u64(e, EF_STATE, id.state);
    identity_observe(x, &enip_schema, OBS_SELF, &id);
}

static void services_item(struct event *e, struct cur c)
{
    uint16_t version = cur_u16le(&c), caps = cur_u16le(&c);
    struct span name = cur_bytes(&c, cur_left(&c) < 16 ? cur_left(&c) : 16);
    if (!cur_ok(&c)) {
        ev_anomaly(e, EA_CPF_ITEM);
        return;
    }
    while (name.n && name.p[name.n - 1] == 0)
        name.n--;
    ev_u64(e, EF_PROTO_VERSION, version);
    ev_u64(e, EF_CAPS, caps);
    ev_span(e, EF_SERVICE_NAME, name);
}

/* What of the items belongs to the command's own record. */
static void items_fields(struct dis_ctx *x, struct event *e, const struct cpf *p)
{
    if (!x->cut) {
        e->anomalies |= (uint64_t)p->bad_count << EA_CPF_COUNT | (uint64_t)p->bad_item << EA_CPF_ITEM |
                        (uint64_t)p->trailing << EA_CPF_TRAILING;
    }
    for (unsigned i = 0; i < p->n; i++) {
        const struct cpf_item *it = &p->items[i];
        struct cur c = cur_span(it->data);
        if (e->kind != EV_TRANSACTION || (it->type != ITEM_NULL && it->type != ITEM_DATA))
            ev_u64(e, EF_ITEMS, it->type); /* an answer's items are the request's */
        if (it->type == ITEM_IDENTITY) {
            identity_item(x, e, c);
        } else if (it->type == ITEM_SERVICES) {
            services_item(e, c);
        } else if (it->type == ITEM_O2T || it->type == ITEM_T2O) {
            socket_text(e, it->type == ITEM_O2T ? EF_SOCK_O2T : EF_SOCK_T2O, c);
        } else if (it->type == ITEM_CONN_ADDR || it->type == ITEM_SEQ_ADDR) {
            ev_u64(e, EF_CONN_ID, cur_u32le(&c));
            if (!cur_ok(&c))
                ev_anomaly(e, EA_CPF_ITEM);
        } else if (it->type == ITEM_CONN_DATA && it->data.n >= 2 && cpf_find(p, ITEM_CONN_ADDR)) {
            ev_u64(e, EF_SEQ, cur_u16le(&c));
        } else if (it->type == ITEM_DATA && it->data.n && !(it->data.p[0] & 0x80)) {
            ev_u64(e, EF_CIP, it->data.p[0]);
        } else if (it->type == ITEM_NULL && it->data.n) {
            ev_anomaly(e, EA_CPF_ITEM);
        }
    }
}

static void judge_length(const struct dis_ctx *x, struct event *e, const struct header *h)
{
    const struct op_row *op = e->op;
    bool request = x->dir != DIR_S2C;
    uint32_t min = op ? (request ? op->req_min : op->rsp_min) : 0, max = op ? (request ? op->req_max : op->rsp_max) : 0;
    bool none = request && (is_list(h->command) || h->command == CMD_UNREGISTER);
    if (!x->cut && ((h->length < min && !h->status) || (max && h->length > max) || (none && h->length)))
        ev_anomaly(e, EA_LENGTH);
}

static void body_fields(struct dis_ctx *x, struct event *e, const struct header *h, struct cur c, struct cpf *p)
{
    bool request = x->dir != DIR_S2C;
    p->n = 0;
    if (h->command == CMD_REGISTER && cur_left(&c) >= 4) {
        uint16_t version = cur_u16le(&c), flags = cur_u16le(&c);
        if (e->kind != EV_TRANSACTION) {
            ev_u64(e, EF_PROTO_VERSION, version);
            if (flags)
                ev_u64(e, EF_OPTION_FLAGS, flags);
        }
        if (version != 1)
            ev_anomaly(e, EA_VERSION);
    } else if (h->command == CMD_RR || h->command == CMD_UNIT) {
        if (!h->length)
            return;
        uint32_t interface = cur_u32le(&c);
        uint16_t timeout = cur_u16le(&c);
        if (interface) {
            ev_u64(e, EF_INTERFACE, interface);
            ev_anomaly(e, EA_INTERFACE);
        }
        if (timeout && request)
            ev_u64(e, EF_TIMEOUT, timeout);
        cpf_parse(&c, p);
        items_fields(x, e, p);
    } else if (is_list(h->command) && !request && h->length) {
        cpf_parse(&c, p);
        items_fields(x, e, p);
    }
}

static uint64_t enip_key(const struct header *h)
{
    return hash_bytes(hash_u64(KEY_ENIP, h->command), h->context.p, h->context.n);
}

/* What a sender context pairs inside the command. */
static uint64_t cip_key(const struct header *h)
{
    return hash_bytes(KEY_CIP, h->context.p, h->context.n);
}

static struct event *open_event(struct dis_ctx *x, const struct header *h)
{
    struct enip_flow *f = x->state;
    const struct op_row *op = enip_command(h->command);
    bool answer = x->dir == DIR_S2C && !(op && (op->flags & OP_NO_ANSWER));
    struct event *e = answer ? ev_answer(x, &enip_schema, enip_key(h), h->command, OP_ANY_SELECTOR)
                             : ev_begin(x, &enip_schema, h->command, OP_ANY_SELECTOR);
    if (h->options && e->kind != EV_TRANSACTION)
        ev_anomaly(e, EA_OPTIONS);
    if (!op || (op->flags & OP_OBSOLETE))
        ev_anomaly(e, EA_UNKNOWN_COMMAND);
    if (answer) {
        ev_status(e, h->status, h->status != 0);
        if (!status_known(h->status))
            ev_anomaly(e, EA_BAD_STATUS);
    } else if (h->status && x->dir == DIR_S2C) {
        ev_status(e, h->status, true); /* of data that has no answer of its own, such as send_unit_data */
    } else if (h->status) {
        ev_anomaly(e, EA_REQUEST_STATUS);
    }
    check_session(x, e, h);
    if (h->command == CMD_RR && !answer) {
        uint32_t context = (uint32_t)enip_key(h);
        f->same_context = context == f->last_context;
        f->last_context = context;
    }
    if (h->command == CMD_REGISTER && answer && !h->status && h->session) {
        f->session = h->session;
        f->registered = 1;
    } else if (h->command == CMD_REGISTER && !answer && f->registered) {
        ev_anomaly(e, EA_REGISTERED_TWICE);
    } else if (h->command == CMD_UNREGISTER) {
        f->registered = 0;
    }
    return e;
}

/* ---- the CIP inside ---- */

/* send_unit_data carries transport class 2 and 3 only (Vol 2, 2-4.8), so a connection whose opening was not seen is
 * read as such: sequence count, then a message. */
static void connected(struct dis_ctx *x, uint32_t id, struct cur c)
{
    const struct conn *k = conn_find(x, x->dir == DIR_S2C ? CONN_T2O : CONN_O2T, id);
    if (k && k->transport < 2) {
        ev_silent(x, &cip_io_schema);
        return;
    }
    struct cip_via v = {.conn_id = id, .connected = 1};
    if (k && k->has_slot) {
        v.has_slot = 1;
        v.slot = k->slot;
    }
    v.seq = cur_u16le(&c);
    if (cur_left(&c) < 2)
        return; /* no message: keeps the connection alive */
    v.key = hash_mix(hash_u64(KEY_CIP, k ? k->o2t : 0), v.seq);
    cip_message(x, c, &v);
}

static void content(struct dis_ctx *x, const struct header *h, const struct cpf *p)
{
    bool has_id = false;
    uint32_t id = 0;
    for (unsigned i = 0; i < p->n; i++) {
        struct cur c = cur_span(p->items[i].data);
        uint16_t type = p->items[i].type;
        if (type == ITEM_CONN_ADDR || type == ITEM_SEQ_ADDR) {
            id = cur_u32le(&c);
            has_id = cur_ok(&c);
        } else if (type == ITEM_CONN_DATA && has_id && h->command == CMD_UNIT) {
            connected(x, id, c);
        } else if (type == ITEM_DATA && cur_left(&c)) {
            struct cip_via v = {.key = cip_key(h)};
            cip_message(x, c, &v);
        }
    }
}

/* The encapsulation layer refused the command: what it carried is not answered. */
static void refused(struct dis_ctx *x, const struct header *h, uint32_t service)
{
    struct cip_via v = {.key = cip_key(h)};
    const char *why = code_name(enip_schema.statuses, h->status);
    cip_refused(x, &v, service, why ? why : "encapsulation_error");
}

/* A command whose event is being made. */
struct command {
    struct dis_ctx *x;
    const struct header *h;
    struct cur data;
    struct cpf items;
};

static void add_fields(struct event *e, void *arg)
{
    struct command *k = arg;
    if (e->kind != EV_TRANSACTION)
        header_fields(e, k->h);
    else if (k->h->command == CMD_REGISTER && k->h->session)
        ev_u64(e, EF_SESSION, k->h->session);
    body_fields(k->x, e, k->h, k->data, &k->items);
}

/* Connected data as it always is: no interface, the address of a connection and its data, both whole. Nothing in the
 * fields of its event is odd, so they are only made for whoever wants them. */
static bool is_plain(struct command *k)
{
    struct cur c = k->data;
    const struct cpf *p = &k->items;
    if (k->h->command != CMD_UNIT || cur_u32le(&c))
        return false;
    cur_skip(&c, 2);
    cpf_parse(&c, &k->items);
    return !p->bad_count && !p->bad_item && !p->trailing && p->n == 2 && p->items[0].type == ITEM_CONN_ADDR &&
           p->items[0].data.n >= 4 && p->items[1].type == ITEM_CONN_DATA;
}

/* Connected data in which nothing is odd makes the same event again and again, but for its fields. */
static bool told_again(struct command *k, struct rt_seen *seen)
{
    const struct header *h = k->h;
    const struct enip_flow *f = k->x->state;
    bool of_session = f->registered ? h->session == f->session : h->session || k->x->transport != DIS_TCP;
    return seen->digest && h->command == CMD_UNIT && !(h->status | h->options) && of_session && !k->x->cut &&
           cur_left(&k->data) == h->length && is_plain(k) && ev_message_again(k->x, &enip_schema, seen);
}

static enum verdict parse_command(struct dis_ctx *x, const struct header *h, struct cur c)
{
    struct enip_flow *f = x->state;
    struct rt_seen *seen = &f->plain[x->dir == DIR_S2C];
    struct command k; /* without its items */
    k.x = x;
    k.h = h;
    k.data = c;
    if (told_again(&k, seen)) {
        content(x, h, &k.items);
        return DIS_OK;
    }
    struct event *e = open_event(x, h);
    if (!x->cut && cur_left(&c) != h->length)
        ev_anomaly(e, EA_LENGTH);
    if (cur_left(&c) > h->length)
        c = cur_sub(&c, h->length);
    judge_length(x, e, h);
    k.data = c;
    bool plain = is_plain(&k);
    if (!plain)
        add_fields(e, &k);
    bool bad = e->anomalies & ~(UINT64_C(1) << EA_REGISTERED_TWICE | UINT64_C(1) << EA_INTERFACE |
                                UINT64_C(1) << EA_REQUEST_STATUS | UINT64_C(1) << EA_CPF_TRAILING |
                                UINT64_C(1) << EA_SESSION_MISMATCH | UINT64_C(1) << EA_NO_SESSION);
    bool cancels = h->command == CMD_RR && h->status && e->kind == EV_TRANSACTION;
    uint64_t service = cancels ? cip_field(e, EF_CIP, 0, UINT64_MAX) : UINT64_MAX;
    if (plain) {
        ev_commit_brief(x, e, add_fields, &k);
        *seen = ev_seen(x);
    } else if (e->kind == EV_MESSAGE && x->dir != DIR_S2C && !(e->op && (e->op->flags & OP_NO_ANSWER))) {
        ev_wait(x, e, enip_key(h));
    } else {
        ev_commit(x, e);
    }
    content(x, h, &k.items);
    if (cancels && service != UINT64_MAX)
        refused(x, h, (uint32_t)service);
    return bad ? DIS_MALFORMED : DIS_OK;
}

static enum verdict enip_parse(struct cur c, struct dis_ctx *x)
{
    if (x->transport == DIS_UDP && (x->sport == PORT_IO || x->dport == PORT_IO || io_plausible(c)))
        return io_parse(c, x);
    struct header h = read_header(&c);
    if (!cur_ok(&c)) {
        if (!x->cut)
            ev_malformed(x, &enip_schema, EA_SHORT);
        return DIS_MALFORMED;
    }
    if (x->transport == DIS_UDP && !enip_command(h.command) &&
        (h.options || !status_known(h.status)))
        return DIS_LOST;
    uint8_t dir = x->dir;
    set_dir(x, c, &h);
    enum verdict v = parse_command(x, &h, c);
    if (dir != DIR_UNKNOWN)
        x->dir = dir; /* what one message told is not the flow's */
    return v;
}

/* Where the client does not number its requests, those whose answers are lost would take the answers of later ones. */
static void enip_gap(struct dis_ctx *x, uint32_t missing)
{
    const struct enip_flow *f = x->state;
    (void)missing;
    if (f->same_context && x->dir != DIR_C2S)
        ev_flush(x);
}

static const uint16_t tcp_ports[] = {PORT, 0};
static const uint16_t udp_ports[] = {PORT, PORT_IO, 0};
/* The lower octets of all commands. */
static const uint16_t starts[] = {0x00, 0x04, 0x63, 0x64, 0x65, 0x66, 0x6f, 0x70, 0x72, 0x73, 0xc8, DIS_STARTS_END};
static const struct proto_schema *const schemas[] = {&enip_schema, &cip_schema, &cip_io_schema, NULL};

const struct dissector dissector_enip = {
    .name = "enip",
    .schemas = schemas,
    .transports = DIS_TCP | DIS_UDP,
    .tcp_ports = tcp_ports,
    .udp_ports = udp_ports,
    .tls_port = 2221,
    .tcp_starts = starts,
    .starts_from = HEADER,
    .min_probe = 18, /* the smallest class 0/1 datagram */
    .max_pdu = HEADER + 65535,
    .flow_size = sizeof(struct enip_flow),
    .probe = enip_probe,
    .frame = enip_frame,
    .parse = enip_parse,
    .gap = enip_gap,
};
