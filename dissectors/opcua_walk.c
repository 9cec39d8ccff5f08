/* opcua_walk.c: one message of a service: its TypeId, the header, and its body by the table of its structure.
 *
 * Spec: OPC 10000-4 7.33 (RequestHeader), 7.34 (ResponseHeader), OPC 10000-6 5.2.6 (structures), 6.7.2.
 *
 *   | NodeId of the encoding | header | body of the service |
 *   request header:  authentication token, timestamp 8, handle 4, return diagnostics 4, audit id, time-out 4, extra
 *   response header: timestamp 8, handle 4, service result 4, diagnostics, string table, extra
 *
 * Tables do not contain themselves, so their depth bounds that of the walk. */
#include "dissectors/opcua_int.h"
#include "engine/base/hash.h"

enum { MAX_DEPTH = 12, MAX_HINT_MS = 3600000, PUBLISH_MS = 600000, DEFAULT_MS = 10000 };

/* ---- structures ---- */

static void spoil(struct cur *c)
{
    cur_skip(c, cur_left(c) + 1);
}

/* A known body is read for itself; bytes that it does not use are left alone: subtypes and newer versions have them. */
static void walk_ext(struct ua_walk *w, const struct ua_val *v)
{
    const struct ua_ext *ext = v->null ? NULL : ua_ext_find(&v->node);
    if (!ext)
        return;
    struct cur after = w->c;
    w->c = cur_span(v->s);
    ua_rows(w, ext->rows);
    if (!cur_ok(&w->c))
        spoil(&after);
    w->c = after;
}

static void read_one(struct ua_walk *w, const struct ua_row *r)
{
    if (!r->on && r->type == UA_STRUCT) {
        ua_rows(w, r->sub);
        return;
    }
    if (!r->on && ua_skip(&w->c, r->type))
        return;
    struct ua_val v = {0};
    bool deep = false;
    if (r->type == UA_STRUCT) {
        ua_rows(w, r->sub);
    } else {
        ua_get(&w->c, r->type, &v, &deep);
        w->deep |= deep;
        if (r->type == UA_EXTOBJ && cur_ok(&w->c))
            walk_ext(w, &v);
    }
    if (r->on && cur_ok(&w->c))
        r->on(w, r, &v);
}

/* Every element of a table has at least one byte. */
static void read_array(struct ua_walk *w, const struct ua_row *r)
{
    uint32_t n = cur_u32le(&w->c), before = cur_left(&w->c);
    struct cur start = w->c;
    if (n > INT32_MAX)
        n = 0;
    if (n > before)
        spoil(&w->c);
    for (uint32_t i = 0; i < n && cur_ok(&w->c); i++) {
        if (r->flags & UF_ITEMS) {
            w->r = (struct ua_reg){.attr = UA_ATTR_VALUE};
            w->nth = i;
        }
        read_one(w, r);
    }
    if ((r->flags & UF_ITEMS) && r->type == UA_STRUCT && w->partial && !w->answer && !cur_ok(&w->c) &&
        !ua_node_null(&w->r.node[0]))
        r->on(w, r, &(struct ua_val){.type = UA_STRUCT}); /* its value is cut off, the object is known */
    if (r->end && cur_ok(&w->c)) {
        struct ua_val v = {.type = r->type, .u = n, .s = cur_bytes(&start, before - cur_left(&w->c))};
        r->end(w, r, &v);
    }
}

void ua_rows(struct ua_walk *w, const struct ua_row *rows)
{
    if (++w->depth > MAX_DEPTH)
        spoil(&w->c);
    for (const struct ua_row *r = rows; r->type != UA_NULL && cur_ok(&w->c); r++) {
        if (r->flags & UF_ARRAY)
            read_array(w, r);
        else
            read_one(w, r);
    }
    w->depth--;
}

/* ---- headers ---- */

/* The token is a secret: whoever has it can speak in the session. Only its hash is kept. */
void on_auth_token(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    uint64_t h = hash_bytes(hash_u64(v->node.num, v->node.ns), v->node.id.p, v->node.id.n);
    w->session = ua_node_null(&v->node) ? 0 : (uint32_t)h | 1;
    if (w->session && w->session == w->f->session && w->f->user_n && w->e->function != UA_ACTIVATE_REQ)
        ev_span(w->e, OF_USER, ev_text_copy(w->e, w->f->user, w->f->user_n));
}

void on_request_handle(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    if (!w->answer || w->e->kind != EV_TRANSACTION) {
        ev_u64(w->e, OF_HANDLE, v->u);
        return;
    }
    for (unsigned i = 0; i < w->e->n_fields; i++)
        if (w->e->fields[i].id == OF_HANDLE && w->e->fields[i].v.u != v->u && v->u)
            ev_anomaly(w->e, UA_A_HANDLE);
}

void on_timeout(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    w->timeout_ms = v->u > MAX_HINT_MS ? MAX_HINT_MS : (uint32_t)v->u;
}

/* Severity in the upper two bits: 2 and 3 are bad. The lower 16 bits are flags, not part of the code (4, 7.39). */
void on_service_result(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    ev_status(w->e, (uint32_t)v->u & 0xffff0000, v->u >> 31);
    if (w->e->function == UA_ACTIVATE_REQ)
        ua_session_result(w);
}

/* ---- messages ---- */

static uint32_t service_of(const struct ua_node *n)
{
    return n->kind <= 2 && n->ns == 0 && n->num && n->num < UA_HEL ? n->num : FN_NONE;
}

const struct op_row *ua_peek_service(struct cur c)
{
    struct ua_val v;
    bool deep = false;
    if (cur_peek(&c, 0) > 2)
        return NULL;
    ua_get(&c, UA_NODEID, &v, &deep);
    uint32_t fn = cur_ok(&c) ? service_of(&v.node) : FN_NONE;
    return fn == FN_NONE ? NULL : schema_op(&opcua_schema, fn, OP_ANY_SELECTOR);
}

void ua_common(struct dis_ctx *x, struct event *e, uint32_t request_id)
{
    const struct ua_flow *f = x->state;
    ev_u64(e, OF_CHANNEL, f->channel);
    ev_u64(e, OF_REQUEST, request_id);
    if (f->mode)
        ev_u64(e, OF_MODE, f->mode);
}

static void begin(struct ua_walk *w, uint32_t fn, const struct op_row *op, uint32_t request_id)
{
    struct dis_ctx *x = w->x;
    bool server = x->dir == DIR_S2C;
    w->answer = op ? (op->flags & OP_ANSWER) != 0 : server;
    w->e = w->answer ? ev_answer(x, &opcua_schema, request_id, fn, OP_ANY_SELECTOR)
                     : ev_begin(x, &opcua_schema, fn, OP_ANY_SELECTOR);
    if (w->e->kind != EV_TRANSACTION)
        ua_common(x, w->e, request_id);
    if (op && w->answer != server)
        ev_anomaly(w->e, UA_A_DIRECTION);
    if (!op)
        ev_anomaly(w->e, UA_A_UNKNOWN_SERVICE);
    if (w->f->n_chunks[server] > 1)
        ev_u64(w->e, OF_CHUNKS, w->f->n_chunks[server]);
    w->e->anomalies |= w->f->found[server];
}

/* What is left behind the body: nothing, or the signature of a connection that was seen only from its middle on. */
static void check_end(struct ua_walk *w)
{
    struct ua_flow *f = w->f;
    uint32_t left = cur_left(&w->c);
    if (!left)
        return;
    bool unsure = f->policy == UA_POLICY_UNKNOWN && f->mode == UA_MODE_UNKNOWN;
    if (unsure && (left == 16 || left == 20 || left == 32 || left == 48)) {
        f->mode = UA_MODE_SIGN;
        f->signature = (uint8_t)left;
        ev_u64(w->e, OF_MODE, f->mode);
    } else {
        ev_anomaly(w->e, UA_A_TRAILING);
    }
}

/* All operations failed: the request was refused, though the service went well. Some: partial. */
static void settle_outcome(struct ua_walk *w)
{
    if (w->e->error || !w->n_bad)
        return;
    if (w->n_good) {
        w->e->outcome = OUT_PARTIAL;
        return;
    }
    ev_status(w->e, w->first_bad, true);
}

static void hand_over(struct ua_walk *w, uint32_t request_id)
{
    if (w->answer || (w->e->op && (w->e->op->flags & OP_NO_ANSWER))) {
        settle_outcome(w);
        ev_commit(w->x, w->e);
        return;
    }
    uint32_t ms = w->timeout_ms > DEFAULT_MS ? w->timeout_ms : DEFAULT_MS;
    if (w->e->function == UA_PUBLISH_REQ && ms < PUBLISH_MS)
        ms = PUBLISH_MS; /* answered when there is something to tell (4, 5.13.5) */
    ev_wait_for(w->x, w->e, request_id, (uint64_t)ms * 1000000);
}

enum verdict ua_message(struct dis_ctx *x, struct cur c, uint32_t request_id, bool partial)
{
    struct ua_walk w = {.x = x, .f = x->state, .c = c, .partial = partial};
    struct ua_val id;
    bool deep = false;
    ua_get(&w.c, UA_EXPNODEID, &id, &deep);
    uint32_t fn = cur_ok(&w.c) ? service_of(&id.node) : FN_NONE;
    const struct op_row *op = fn == FN_NONE ? NULL : schema_op(&opcua_schema, fn, OP_ANY_SELECTOR);
    begin(&w, fn, op, request_id);
    if (op) {
        ua_rows(&w, w.answer ? ua_response_header : ua_request_header);
        if (cur_ok(&w.c) && !(w.answer && w.e->error)) /* a failed service has no body, or an empty one */
            ua_rows(&w, ua_body(op));
    } else if (cur_ok(&w.c)) {
        struct ua_txt t = {0};
        ua_put_node(&t, &id.node);
        ev_span(w.e, OF_TYPE_ID, ev_text_copy(w.e, t.p, t.n));
    }
    bool bad = !cur_ok(&w.c);
    if (bad && !partial)
        ev_anomaly(w.e, w.deep ? UA_A_NESTING : UA_A_MALFORMED);
    w.e->truncated |= partial;
    if (!bad && op && !partial && !w.e->error)
        check_end(&w);
    hand_over(&w, request_id);
    return bad && !partial ? DIS_MALFORMED : DIS_OK;
}
