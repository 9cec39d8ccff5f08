/* enip_cip.c: the CIP message router: requests, replies, Unconnected Send and Multiple Service Packet, and their
 * pairing.
 *
 * Spec: CIP Vol 1, 2-4 (message router request and reply), 3-5.5.2 (Unconnected_Send), A-4.10
 * (Multiple_Service_Packet).
 *
 *   request  service u8 | path size in words u8 | path | data
 *   reply    service + 0x80 u8 | reserved u8 | general status u8 | words of extended status u8 | those | data
 *
 * A reply names no object: what it is about comes from its request, which waits under a key made of the carrier's
 * (sender context, or connection and sequence count), the place inside a Multiple Service Packet, and the service. */
#include "dissectors/enip_int.h"

enum { SVC_MSP = 0x0a, SVC_UNCONNECTED_SEND = 0x52 };
enum { REPLY = 0x80 };

static void fault(const struct dis_ctx *x, struct event *e, unsigned bit)
{
    if (!x->cut)
        ev_anomaly(e, bit);
}

static uint64_t service_key(const struct cip_via *v, uint32_t service)
{
    return hash_mix(v->key, service);
}

/* The Unconnected Send waits beside the request that it carries. */
static uint64_t send_key(const struct cip_via *v)
{
    return hash_mix(v->key, 0x10000);
}

static uint64_t child_key(const struct cip_via *v, uint32_t index)
{
    return hash_mix(v->key, 0x20000 + index);
}

struct item *cip_first_item(struct event *e)
{
    return e->n_items ? &e->items[0] : NULL;
}

uint64_t cip_field(const struct event *e, uint8_t id, unsigned nth, uint64_t dflt)
{
    for (unsigned i = 0; i < e->n_fields; i++)
        if (e->fields[i].id == id && nth-- == 0)
            return e->fields[i].v.u;
    return dflt;
}

uint32_t cip_sub(const struct event *e)
{
    return e->has_unit ? e->unit : OBS_SELF;
}

void cip_raw(struct event *e, uint8_t id, struct cur c)
{
    uint32_t n = cur_left(&c);
    if (n)
        ev_span(e, id, cur_bytes(&c, n < 64 ? n : 64));
    if (n > 64)
        ev_u64(e, CF_DATA_LEN, n);
}

static void via_fields(struct event *e, const struct cip_via *v)
{
    if (v->has_slot) {
        ev_unit(e, v->slot);
        e->sub = v->slot;
    }
    if (v->route)
        ev_span(e, CF_ROUTE, ev_text_copy(e, v->route->route.p, v->route->route.n));
    if (v->connected) {
        ev_u64(e, CF_CONN_ID, v->conn_id);
        ev_u64(e, CF_SEQ, v->seq);
    }
}

/* ---- Multiple Service Packet ---- */

/* count u16, offsets u16 from the count on, then the services. Do the offsets ascend, inside the data? */
static bool offsets_fit(struct cur c)
{
    struct cur list = c;
    uint32_t all = cur_left(&c), n = cur_u16le(&list), at = 1 + n * 2;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t next = cur_u16le(&list);
        if (next <= at || next >= all)
            return false;
        at = next;
    }
    return cur_ok(&list);
}

/* What the event of an answer depends on beside its bytes; data: those behind its status. */
static uint64_t answer_context(struct cur data, uint32_t depth, uint8_t service)
{
    return (uint64_t)cur_left(&data) << 16 | (uint64_t)depth << 8 | service;
}

/* The requests in a packet that is known from the first byte to the last. Returns how many of them wait now. */
static unsigned services_again(struct dis_ctx *x, struct span all, const struct cip_via *v, const struct again *a)
{
    uint64_t keys[AGAIN_GROUP];
    struct cur list = cur_span(all);
    uint32_t n = cur_u16le(&list);
    if (n > AGAIN_GROUP)
        return 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = cur_u16le(&list);
        if (at >= all.n)
            return 0;
        keys[i] = hash_mix(child_key(v, i + 1), all.p[at]); /* service_key() of the child */
    }
    x->group = v->key;
    unsigned done = ev_group_again(x, a, keys, n);
    x->group = 0;
    return done;
}

/* The i-th answer in a packet, as reply() would ask for it. False: it is not a plain one. */
static bool answer_part(struct cur c, const struct cip_via *v, uint32_t i, struct again_part *ret)
{
    uint8_t service = cur_u8(&c), code = service & 0x7f;
    struct cur all = c;
    cur_skip(&c, 2);
    uint32_t words = cur_u8(&c);
    cur_skip(&c, words * 2);
    if (!cur_ok(&c) || code == service || code == SVC_MSP || code == SVC_UNCONNECTED_SEND)
        return false;
    *ret = (struct again_part){.s = cur_rest(&all), .data = cur_left(&c), .key = hash_mix(child_key(v, i), code),
                               .context = answer_context(c, v->depth + 1u, code)};
    return true;
}

/* The answers in a packet, each of which was given before. False: they are to be read one by one. */
static bool answers_again(struct dis_ctx *x, struct span all, const struct cip_via *v, struct again *a)
{
    struct again_part parts[AGAIN_GROUP];
    const struct enip_flow *f = x->state;
    struct cur list = cur_span(all);
    uint32_t n = cur_u16le(&list), at = cur_u16le(&list);
    if (!n || n > AGAIN_GROUP || f->sends & SENDS_CARRIED)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t next = i + 1 < n ? cur_u16le(&list) : all.n;
        if (next <= at || next > all.n || !answer_part(cur_make(all.p + at, next - at), v, i + 1, &parts[i]))
            return false;
        at = next;
    }
    return ev_answers_again(x, parts, n, a);
}

/* A packet that came before: which requests it carries, or what answers. */
struct carrier {
    const struct again *requests;
    struct again answers;
};

/* Those of n in it that are known are in these places. */
static void keep_group(struct dis_ctx *x, const struct carrier *k, const uint32_t *places, unsigned n)
{
    if (k->requests)
        ev_group_keep(x, k->requests, places, n);
    else
        ev_answers_keep(x, &k->answers, places, n);
}

/* The slices between ascending offsets are disjoint, so the work is bounded by the bytes. Where the list contradicts
 * itself its sound part is walked. known: the packet's own message came before; or NULL. */
static void walk_services(struct dis_ctx *x, struct cur c, const struct cip_via *v, struct carrier *known)
{
    uint32_t places[AGAIN_GROUP], n_known = 0;
    struct span all = cur_bytes(&c, cur_left(&c));
    struct cur list = cur_span(all);
    uint32_t n = cur_u16le(&list);
    if (!cur_ok(&list) || n * 2 > cur_left(&list))
        return;
    uint32_t at = n ? cur_u16le(&list) : 0;
    if (n && at < 2 + n * 2)
        return;
    uint32_t done = known && known->requests ? services_again(x, all, v, known->requests) : 0;
    if (done == n || (known && !known->requests && answers_again(x, all, v, &known->answers)))
        return;
    struct cip_via child = *v;
    child.depth++;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t next = i + 1 < n ? cur_u16le(&list) : all.n;
        if (next <= at || next > all.n)
            return;
        if (i >= done) {
            child.index = (uint16_t)(i + 1);
            child.key = child_key(v, i + 1);
            child.place = known && i < AGAIN_GROUP ? &places[i] : NULL;
            places[i % AGAIN_GROUP] = UINT32_MAX;
            x->group = v->key;
            cip_message(x, cur_make(all.p + at, next - at), &child);
            x->group = 0;
            n_known += places[i % AGAIN_GROUP] != UINT32_MAX;
        }
        at = next;
    }
    if (known && n_known == n)
        keep_group(x, known, places, n);
}

static void multiple(struct dis_ctx *x, struct cur c, const struct cip_via *v, struct carrier *known)
{
    if (v->depth < CIP_DEPTH)
        walk_services(x, c, v, known);
}

static void check_multiple(struct dis_ctx *x, struct event *e, struct cur c, const struct cip_via *v)
{
    struct cur n = c;
    ev_u64(e, CF_COUNT, cur_u16le(&n));
    if (!offsets_fit(c))
        fault(x, e, CA_MSP);
    if (v->depth >= CIP_DEPTH)
        ev_anomaly(e, CA_NESTED);
}

/* ---- Unconnected Send ---- */

struct send {
    struct cur inner;
    struct epath route;
    uint8_t bad_size;
};

/* Vol 1, table 3-5.21: priority and tick u8, time-out ticks u8, size u16, message, pad, route size u8, reserved u8,
 * route */
static void read_send(struct dis_ctx *x, struct event *e, struct cur c, struct send *s)
{
    uint8_t tick = cur_u8(&c), ticks = cur_u8(&c);
    uint16_t size = cur_u16le(&c);
    uint32_t have = cur_left(&c);
    s->inner = cur_sub(&c, size <= have ? size : have);
    if (size & 1)
        cur_skip(&c, 1);
    uint8_t words = cur_u8(&c);
    cur_skip(&c, 1);
    struct cur route = cur_sub(&c, words * 2u);
    bool ok = cur_ok(&c) && size <= have;
    if (!epath_parse(route, &s->route) || !ok)
        fault(x, e, ok ? CA_PATH : CA_US_SIZE);
    if (cur_left(&c))
        fault(x, e, CA_TRAILING);
    ev_u64(e, CF_TIMEOUT_MS, (uint64_t)ticks << (tick & 15));
    if (cur_left(&s->inner))
        ev_u64(e, CF_EMBEDDED, cur_peek(&s->inner, 0) & 0x7f);
    if (s->route.n_hops) {
        ev_span(e, CF_ROUTE, ev_text_copy(e, s->route.route.p, s->route.route.n));
        ev_unit(e, s->route.slot);
        e->sub = s->route.slot;
    }
}

static void inner_request(struct dis_ctx *x, const struct send *s, const struct cip_via *v)
{
    struct cip_via in = *v;
    in.depth++;
    in.place = NULL;
    if (s->route.n_hops) {
        in.route = &s->route;
        in.has_slot = 1;
        in.slot = s->route.slot;
    }
    if (in.depth <= CIP_DEPTH && cur_left(&s->inner))
        cip_message(x, s->inner, &in);
}

/* ---- requests ---- */

/* Vol 1, table: codes that no object may use. */
static bool service_reserved(uint32_t s)
{
    static const uint64_t low = UINT64_C(1) << 0 | UINT64_C(1) << 0x0b | UINT64_C(1) << 0x0c | UINT64_C(1) << 0x0f |
                                UINT64_C(7) << 0x12 | UINT64_C(0xfffff) << 0x1e;
    return s < 64 ? low >> s & 1 : s >= 0x64;
}

static void path_fields(struct event *e, const struct epath *p)
{
    if (p->has_class)
        ev_u64(e, CF_CLASS, p->class_id);
    if (p->has_instance)
        ev_u64(e, CF_INSTANCE, p->instance);
    if (p->has_attribute)
        ev_u64(e, CF_ATTRIBUTE, p->attribute);
    if (p->app.n)
        ev_named(e, p->first_is_symbol ? CK_TAG : CK_CIP, txt_span(&p->app)); /* p outlives the event's making */
    if (p->n_hops && !e->has_unit) { /* a route in the request path itself */
        ev_span(e, CF_ROUTE, ev_text_copy(e, p->route.p, p->route.n));
        ev_unit(e, p->slot);
        e->sub = p->slot;
    }
    e->anomalies |= p->anomalies;
}

static bool is_send(uint32_t service, uint32_t cls)
{
    return service == SVC_UNCONNECTED_SEND && cls == CLS_CM;
}

/* What a message's event depends on beside its bytes: where it goes, and the connection that carries it. */
static bool asks_again(const struct cip_via *v, uint8_t service)
{
    return service != SVC_UNCONNECTED_SEND && !v->route;
}

/* Keyed: whoever opens connections chooses both numbers. */
static uint64_t context_of(const struct dis_ctx *x, const struct cip_via *v, uint8_t service)
{
    uint64_t how = (uint64_t)v->has_slot << 17 | (uint64_t)v->connected << 16 | (uint64_t)v->depth << 8 | service;
    uint64_t all[] = {(uint64_t)v->conn_id << 32 | v->slot, how};
    return dis_digest(x, (struct span){(const uint8_t *)all, sizeof all});
}

static uint8_t services_in(struct cur c)
{
    uint32_t n = cur_u16le(&c);
    return (uint8_t)(n <= AGAIN_GROUP ? n : 0);
}

/* Bytes of the data of its answer that the event depends on, beside their number: of a tag's values the type, of what
 * is not read none. */
static uint8_t answer_depends_on(const struct cip_body *b)
{
    return b->reply == body_raw_rsp ? 0 : b->reply == tag_read_rsp ? 2 : AGAIN_ALL;
}

static void request(struct dis_ctx *x, uint8_t service, struct cur c, const struct cip_via *v)
{
    struct epath p;
    struct cur all = c;
    struct again again = {.field = v->connected ? CF_SEQ : AGAIN_NONE, .vary = v->seq, .digest = 0};
    uint32_t words = cur_u8(&c), have = cur_left(&c);
    struct cur path = cur_sub(&c, words * 2 <= have ? words * 2 : have);
    if (service == SVC_MSP)
        again.n_group = services_in(c);
    if (asks_again(v, service) &&
        ev_again(x, cur_rest(&all), context_of(x, v, service), service_key(v, service), &again)) {
        struct carrier known = {.requests = &again};
        if (service == SVC_MSP)
            multiple(x, c, v, x->dir == DIR_S2C ? NULL : &known); /* there one may be an answer: cip_message() */
        else if (v->place)
            *v->place = again.place;
        return;
    }
    epath_parse(path, &p);
    uint32_t cls = epath_selector(&p);
    struct event *e = ev_begin(x, &cip_schema, service, cls);
    via_fields(e, v);
    path_fields(e, &p);
    if (words * 2 > have)
        fault(x, e, CA_PATH_SIZE);
    if (service_reserved(service))
        ev_anomaly(e, CA_RESERVED_SERVICE);
    if (is_send(service, cls)) {
        struct send s;
        struct enip_flow *f = x->state;
        f->sends |= v->index ? SENDS_CARRIED : SENDS_ALONE;
        read_send(x, e, c, &s);
        ev_wait(x, e, send_key(v));
        inner_request(x, &s, v);
        return;
    }
    if (service == SVC_MSP)
        check_multiple(x, e, c, v);
    const struct cip_body *b = cip_body_find(service, cls);
    again.own = answer_depends_on(b);
    if (b->request) {
        struct cip_svc s = {.x = x, .e = e, .path = &p, .via = v, .service = service, .cls = cls,
                            .instance = p.has_instance ? p.instance : UINT32_MAX,
                            .attribute = p.has_attribute ? p.attribute : UINT32_MAX};
        b->request(&s, c);
    }
    if (x->cut)
        e->anomalies = 0; /* what is missing was not missing on the wire */
    ev_wait_again(x, e, service_key(v, service), &again);
    if (service == SVC_MSP)
        multiple(x, c, v, NULL);
}

/* ---- replies ---- */

struct reply {
    uint8_t service, reserved, status, words;
    uint16_t ext;
};

static void reply_status(struct dis_ctx *x, struct event *e, const struct reply *r)
{
    /* 6: more data is to be fetched, not a fault (Vol 1, B-1) */
    ev_status(e, r->status, r->status != 0 && r->status != 6);
    if (r->status == 6 || r->status == 0x1e)
        e->outcome = OUT_PARTIAL;
    if (r->words) {
        ev_u64(e, CF_EXT_STATUS, r->ext);
        if (r->status == 1)
            e->error_name = code_name(cip_ext_statuses, r->ext);
    }
    if (r->reserved)
        fault(x, e, CA_RESERVED_BYTE);
    if (r->status > 0x2e && r->status < 0xd0)
        ev_anomaly(e, CA_UNKNOWN_STATUS);
    if (x->dir == DIR_C2S)
        ev_anomaly(e, CA_REPLY_FROM_CLIENT);
}

/* A request that somebody on the way refused: it has no answer of its own and never reached its object. */
static void refuse_event(struct dis_ctx *x, struct event *e, uint8_t status, const char *why)
{
    if (!e)
        return;
    if (status)
        ev_status(e, status, true);
    e->error = 1;
    e->error_name = why;
    ev_commit(x, e);
}

static void refuse(struct dis_ctx *x, uint64_t key, uint8_t status, const char *why)
{
    refuse_event(x, ev_take(x, key), status, why);
}

/* What a Multiple Service Packet carried, when it was refused as a whole: no answer holds theirs. */
static void refuse_carried(struct dis_ctx *x, const struct cip_via *v, uint8_t status)
{
    for (struct event *e; (e = ev_take_of(x, v->key));)
        refuse_event(x, e, status, "refused_with_its_packet");
}

void cip_refused(struct dis_ctx *x, const struct cip_via *v, uint32_t service, const char *why)
{
    struct event *e = service == SVC_UNCONNECTED_SEND ? ev_take(x, send_key(v)) : NULL;
    if (e) {
        service = (uint32_t)cip_field(e, CF_EMBEDDED, 0, service);
        e->error = 1;
        e->error_name = why;
        ev_commit(x, e);
    }
    refuse(x, service_key(v, service), 0, why);
}

/* An answer to what an Unconnected Send carried, or the router's own refusal. True: it was the latter, and all is done.
 * A route that fails answers with Unconnected_Send's own code; Read Tag Fragmented has the same code, so an answer to
 * one that waits is a failure of the route only by status 1, which no object gives (Vol 1, 3-5.5.2 and B-1). */
static bool send_reply(struct dis_ctx *x, const struct reply *r, struct cur c, const struct cip_via *v)
{
    const struct enip_flow *f = x->state;
    if (!(f->sends & (v->index ? SENDS_CARRIED : SENDS_ALONE)) || !ev_is_waited(x, send_key(v)))
        return false;
    bool own = ev_is_waited(x, service_key(v, r->service));
    bool failed = r->service == SVC_UNCONNECTED_SEND && (!own || r->status == 1);
    if (!failed && !own)
        return false; /* the answer to something else under the same sender context */
    /* The answer on the wire is the inner one's, unless the route failed: it only tells that the route worked. */
    struct event *e = failed ? ev_answer(x, &cip_schema, send_key(v), SVC_UNCONNECTED_SEND, CLS_CM)
                             : ev_take(x, send_key(v));
    if (!e)
        return false;
    uint32_t inner = (uint32_t)cip_field(e, CF_EMBEDDED, 0, 0);
    if (failed) {
        reply_status(x, e, r);
        if (cur_left(&c) >= 1)
            ev_u64(e, CF_REMAINING_PATH, cur_u8(&c));
    } else {
        e->outcome = OUT_ACCEPTED;
    }
    ev_commit(x, e);
    const char *why = r->words ? code_name(cip_ext_statuses, r->ext) : NULL;
    if (failed && r->status)
        refuse(x, service_key(v, inner), r->status, why ? why : "route_failed");
    return failed;
}

/* The event of a Multiple Service Packet says nothing of the services in it: it depends on the bytes up to the last of
 * their offsets, and on how many follow. data: count, offsets, services, at the end of all. */
static struct span own_bytes(struct cur all, struct cur data, uint8_t service)
{
    struct span s = cur_rest(&all);
    uint32_t left = cur_left(&data), list = 2 + 2u * cur_u16le(&data);
    if (service != SVC_MSP || !cur_ok(&data) || list >= left)
        return s;
    return (struct span){s.p, s.n - (left - list)};
}

/* One like it came before. Where it goes, and by what connection, is known of its request. */
static bool answered_again(struct dis_ctx *x, struct cur all, struct cur data, const struct cip_via *v, uint8_t service,
                           struct again *again)
{
    again->data = service == SVC_MSP ? 0 : cur_left(&data);
    return ev_answer_again(x, own_bytes(all, data, service), answer_context(data, v->depth, service),
                           service_key(v, service), again);
}

static void reply(struct dis_ctx *x, uint8_t service, struct cur c, const struct cip_via *v, uint64_t anomalies)
{
    struct reply r = {.service = service};
    struct cur all = c;
    r.reserved = cur_u8(&c);
    r.status = cur_u8(&c);
    r.words = cur_u8(&c);
    struct cur ext = cur_sub(&c, r.words * 2u);
    r.ext = cur_u16le(&ext);
    bool ok = cur_ok(&c);
    struct again again = {.digest = 0};
    if (send_reply(x, &r, c, v))
        return;
    if (asks_again(v, service) && anomalies == 0 && (service != SVC_MSP || (r.status == 0 && cur_left(&c))) &&
        answered_again(x, all, c, v, service, &again)) {
        struct carrier known = {.answers = {.digest = 0}};
        if (service == SVC_MSP)
            multiple(x, c, v, &known);
        else if (v->place)
            *v->place = again.place;
        return;
    }
    struct event *e = ev_answer(x, &cip_schema, service_key(v, service), service, OP_ANY_SELECTOR);
    if (e->kind != EV_TRANSACTION)
        via_fields(e, v);
    if (!ok)
        fault(x, e, CA_SHORT);
    reply_status(x, e, &r);
    e->anomalies |= anomalies;
    if (service == SVC_MSP && cur_left(&c)) {
        if (e->kind != EV_TRANSACTION)
            check_multiple(x, e, c, v);
        else if (!offsets_fit(c))
            fault(x, e, CA_MSP);
        ev_commit_again(x, e, &again);
        multiple(x, c, v, NULL);
        return;
    }
    const struct cip_body *b = cip_body_find(service, e->selector);
    if (b && b->reply && ok) {
        struct cip_svc s = {.x = x, .e = e, .via = v, .service = service, .cls = e->selector, .status = r.status};
        b->reply(&s, c);
    }
    if (x->cut)
        e->anomalies = 0;
    ev_commit_again(x, e, &again);
    if (service == SVC_MSP && r.status && ok && !x->cut)
        refuse_carried(x, v, r.status);
}

void cip_message(struct dis_ctx *x, struct cur c, const struct cip_via *v)
{
    uint8_t service = cur_u8(&c);
    if (!cur_ok(&c))
        return;
    if (service & REPLY)
        reply(x, service & 0x7f, c, v, 0);
    else if (x->dir == DIR_S2C && cur_peek(&c, 0) == 0 && ev_is_waited(x, service_key(v, service)))
        reply(x, service, c, v, UINT64_C(1) << CA_NO_REPLY_BIT); /* the answer by place and shape: pathless */
    else
        request(x, service, c, v);
}
