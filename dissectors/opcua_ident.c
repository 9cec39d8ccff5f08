/* opcua_ident.c: who the applications, servers and users are, and how well they are protected.
 *
 * Spec: OPC 10000-4 7.2 (ApplicationDescription), 7.14 (EndpointDescription), 7.40 (UserIdentityToken), OPC 10000-5 6.3
 *       (Server object), 12.4 (BuildInfo), OPC 10000-6 6.2 (certificates), RFC 5280 4.1.
 *
 * A host may run several servers, so a server on another port than 4840 tells its software, not the vendor, model,
 * firmware and state of the device. Passwords and authentication tokens are never kept. */
#include "dissectors/carrier_ber.h"
#include "dissectors/opcua_int.h"

enum { PORT = 4840 };

static struct span text(const char *s)
{
    return (struct span){(const uint8_t *)s, (uint32_t)strlen(s)};
}

static void tell(struct ua_walk *w, enum obs_side side, enum obs_kind kind, struct span v, uint8_t confidence)
{
    obs_text(w->x, &opcua_schema, side, OBS_SELF, kind, v, confidence);
}

/* ---- security policies ---- */

static bool is_prefix(struct span s, const char *prefix)
{
    uint32_t n = (uint32_t)strlen(prefix);
    return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

struct span ua_policy_name(struct span uri)
{
    uint32_t n = (uint32_t)sizeof UA_POLICY_PREFIX - 1;
    return is_prefix(uri, UA_POLICY_PREFIX) ? (struct span){uri.p + n, uri.n - n} : uri;
}

uint8_t ua_policy_of(struct span uri)
{
    struct span s = ua_policy_name(uri);
    for (unsigned i = UA_POLICY_NONE; i < UA_N_POLICIES; i++)
        if (strlen(ua_policies[i].name) == s.n && memcmp(ua_policies[i].name, s.p, s.n) == 0)
            return (uint8_t)i;
    return UA_POLICY_UNKNOWN;
}

/* ---- certificates ---- */

static const struct attribute {
    const char *oid, *name;
} attributes[] = {{"2.5.4.3", "CN"},
                  {"2.5.4.10", "O"},
                  {"2.5.4.11", "OU"},
                  {"2.5.4.7", "L"},
                  {"2.5.4.8", "ST"},
                  {"2.5.4.6", "C"},
                  {"0.9.2342.19200300.100.1.25", "DC"}};

/* Name: a sequence of sets of (type, value). Others than these types say little. */
static void put_subject(struct cur name, struct ua_txt *t)
{
    struct ber set, pair, oid, value;
    char id[BER_OID_TEXT];
    while (ber_next(&name, &set)) {
        if (!ber_take(&set.body, BER_UNI(BER_SEQUENCE), &pair) || !ber_take(&pair.body, BER_UNI(BER_OID), &oid) ||
            !ber_next(&pair.body, &value) || !ber_oid(oid.body, id))
            continue;
        for (unsigned i = 0; i < ARRAY_LEN(attributes); i++) {
            if (strcmp(attributes[i].oid, id) != 0)
                continue;
            ua_put(t, t->n ? "," : "");
            ua_put(t, attributes[i].name);
            ua_put(t, "=");
            ua_put_span(t, cur_rest(&value.body));
        }
    }
}

static unsigned two(struct cur *c)
{
    unsigned a = cur_u8(c), b = cur_u8(c);
    if (a < '0' || a > '9' || b < '0' || b > '9')
        cur_skip(c, cur_left(c) + 1);
    return (a - '0') * 10 + b - '0';
}

/* UTCTime YYMMDDhhmmssZ or GeneralizedTime YYYYMMDDhhmmssZ (RFC 5280 4.1.2.5) in seconds since 1970; 0: none. */
static uint64_t cert_time(struct ber *t)
{
    struct cur *c = &t->body;
    unsigned year = two(c);
    if (t->id == BER_UNI(BER_GENERALIZED_TIME))
        year = year * 100 + two(c);
    else
        year += year < 50 ? 2000 : 1900;
    unsigned mon = two(c), day = two(c), hour = two(c), min = two(c), sec = two(c);
    if (!cur_ok(c) || year < 1970 || year > 2500 || mon < 1 || mon > 12 || day < 1 || day > 31)
        return 0;
    unsigned y = mon <= 2 ? year - 1 : year, m = mon <= 2 ? mon + 9 : mon - 3; /* years from March on */
    int64_t days = (int64_t)y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
    return days < 0 ? 0 : (uint64_t)days * 86400 + hour * 3600 + min * 60 + sec;
}

void ua_certificate(struct dis_ctx *x, struct event *e, struct span der, enum obs_side side)
{
    struct cur c = cur_span(der);
    struct ber cert, tbs, one, validity, from, until, subject;
    struct ua_txt t = {0};
    if (!der.n)
        return;
    bool ok = ber_take(&c, BER_UNI(BER_SEQUENCE), &cert) && ber_take(&cert.body, BER_UNI(BER_SEQUENCE), &tbs);
    if (ok)
        ber_take(&tbs.body, BER_CTX(0), &one); /* version */
    ok = ok && ber_take(&tbs.body, BER_UNI(BER_INTEGER), &one) && ber_take(&tbs.body, BER_UNI(BER_SEQUENCE), &one) &&
         ber_take(&tbs.body, BER_UNI(BER_SEQUENCE), &one) && ber_take(&tbs.body, BER_UNI(BER_SEQUENCE), &validity) &&
         ber_take(&tbs.body, BER_UNI(BER_SEQUENCE), &subject) && ber_next(&validity.body, &from) &&
         ber_next(&validity.body, &until);
    if (!ok) {
        if (!x->cut)
            ev_anomaly(e, UA_A_CERT_BROKEN);
        return;
    }
    put_subject(subject.body, &t);
    struct span name = ua_txt_span(&t);
    ev_span(e, OF_CERTIFICATE + (side == OBS_SERVER), ev_text_copy(e, name.p, name.n));
    obs_text(x, &opcua_schema, side, OBS_SELF, OBS_CERT, name, 90);
    uint64_t end = cert_time(&until), begin = cert_time(&from), now = x->ts_ns / 1000000000;
    if (end && end < UINT64_MAX / 1000000000)
        ev_u64(e, OF_CERT_UNTIL + (side == OBS_SERVER), end * 1000000000);
    if ((end && now > end) || (begin && now < begin))
        ev_anomaly(e, UA_A_CERT_EXPIRED);
}

/* arg: the side whose it is. Endpoints of one server repeat its certificate: one a message is read. */
void on_certificate(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    if (v->s.n && w->n_certs++ == 0)
        ua_certificate(w->x, w->e, v->s, (enum obs_side)r->arg);
}

/* ---- applications ---- */

static void tell_app(struct ua_walk *w, enum obs_side side, enum obs_kind kind, unsigned field, struct span s)
{
    bool seen = false;
    if (!s.n)
        return;
    field += side == OBS_SERVER;
    tell(w, side, kind, s, 80);
    for (unsigned i = 0; i < w->e->n_fields && !seen; i++) { /* endpoints of one server repeat it */
        const struct field *f = &w->e->fields[i];
        seen = f->id == field && f->v.s.n == s.n && memcmp(f->v.s.p, s.p, s.n) == 0;
    }
    if (!seen)
        ev_span(w->e, (uint8_t)field, s);
}

void on_app_uri(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    if (r->arg == OF_PRODUCT_URI)
        w->r.uri = v->s;
    else
        w->r.name = v->s;
}

void on_app_name(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    w->r.url = v->s;
}

void on_app_type(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    w->r.app_type = (uint32_t)v->u;
}

/* The application at this end. arg: its side. */
void on_app(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)v;
    enum obs_side side = (enum obs_side)r->arg;
    tell_app(w, side, OBS_OTHER, OF_APP_URI, w->r.name);
    tell_app(w, side, OBS_OTHER, OF_PRODUCT_URI, w->r.uri);
    tell_app(w, side, OBS_SOFTWARE, OF_APP_NAME, w->r.url);
    for (unsigned i = 0; i < w->e->n_fields; i++)
        if (w->e->fields[i].id == OF_APP_TYPE + (side == OBS_SERVER))
            return;
    ev_u64(w->e, OF_APP_TYPE + (side == OBS_SERVER), w->r.app_type);
}

/* A server that somebody tells of. */
void on_server_item(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)v;
    struct event *e = w->e;
    struct span uri = w->r.name.n ? w->r.name : w->r.url;
    if (w->r.url.n)
        ev_span(e, OF_S_APP_NAME, w->r.url);
    if (w->r.uri.n)
        ev_span(e, OF_S_PRODUCT_URI, w->r.uri);
    if (e->n_items < EV_MAX_ITEMS && uri.n)
        ev_named(e, r->arg, uri);
    else
        e->items_total++, e->truncated |= e->n_items == EV_MAX_ITEMS;
}

/* A server that registers itself at a discovery server is this connection's client. */
void on_server_name(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    w->r.url = v->s;
    tell(w, OBS_CLIENT, OBS_SOFTWARE, v->s, 80);
}

/* ---- endpoints ---- */

void on_url(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    w->r.range = v->s;
}

void on_mode(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    w->r.mode = (uint32_t)v->u;
    w->path.n = 0;
}

void on_policy(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    w->r.policy = ua_policy_name(v->s);
}

/* What users may log on with, as the endpoint's value. */
void on_token_type(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    const char *name = code_name(opcua_schema.fields[OF_USER_TOKEN].names, (uint32_t)v->u);
    (void)r;
    if (w->path.n && w->path.n < UA_PATH)
        ua_put(&w->path, ",");
    if (w->path.n < UA_PATH)
        ua_put(&w->path, name ? name : "?");
}

/* arg 0: only what is wrong with it (create_session repeats what get_endpoints told). */
void on_endpoint(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    static const char *const modes[] = {" invalid ", " none ", " sign ", " sign_and_encrypt "};
    struct ua_txt t = {0};
    struct event *e = w->e;
    (void)v;
    if (w->r.mode == UA_MODE_NONE)
        ev_anomaly(e, UA_A_NONE_OFFERED);
    if (!r->arg)
        return;
    ua_put_span(&t, w->r.range);
    ua_put(&t, modes[w->r.mode < ARRAY_LEN(modes) ? w->r.mode : 0]);
    ua_put_span(&t, w->r.policy);
    if (e->n_items == EV_MAX_ITEMS || t.n + w->path.n > EV_TEXT - e->text_used) {
        e->items_total++;
        e->truncated = 1;
        return;
    }
    struct item *it = ev_named(e, r->arg, ev_text_copy(e, t.p, t.n));
    it->v = (struct vals){.raw = ev_text_copy(e, w->path.p, w->path.n), .n = 1, .qual_off = -1, .enc = VE_NOW_TEXT};
}

/* ---- secure channels and sessions ---- */

/* OpenSecureChannel is readable only where the policy is None: the mode ought to be, too. */
void on_secure_mode(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    if (v->u >= UA_MODE_NONE && v->u <= UA_MODE_ENCRYPT && w->f->policy == UA_POLICY_NONE)
        w->f->mode = (uint8_t)v->u;
    ev_u64(w->e, OF_POLICY, w->f->policy);
    ev_u64(w->e, OF_MODE, v->u);
}

void on_channel_token(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    struct ua_flow *f = w->f;
    on_field(w, r, v);
    if (w->e->error)
        return;
    f->old_token = f->token;
    f->token = (uint32_t)v->u;
    f->has_token = f->has_token ? 2 : 1;
    f->token_ns = w->x->ts_ns;
    f->lifetime_ms = 0;
}

void on_lifetime(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    on_field(w, r, v);
    w->f->lifetime_ms = (uint32_t)v->u;
}

void on_session_open(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    on_field(w, r, v);
    if (w->f->policy == UA_POLICY_NONE)
        ev_anomaly(w->e, UA_A_NO_SECURITY);
}

/* ---- users ---- */

void on_user(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    w->user = v->s;
}

void on_password(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    (void)r;
    w->has_password = v->s.n != 0;
}

void on_encryption(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    on_field(w, r, v);
    w->encryption = v->s;
}

static uint8_t token_kind(const struct ua_val *v)
{
    static const struct {
        uint32_t id;
        uint8_t kind;
    } kinds[] = {{321, 0}, {324, 1}, {327, 2}, {940, 3}};
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++)
        if (ua_node_is(&v->node, kinds[i].id))
            return kinds[i].kind;
    return ua_node_null(&v->node) ? 0 : 255; /* none: anonymous (4, 5.6.3.2) */
}

/* A password without an encryption of its own is readable when the channel is. */
void on_user_token(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    struct ua_flow *f = w->f;
    uint8_t kind = token_kind(v);
    ev_u64(w->e, r->arg, kind);
    f->session = w->session;
    f->user_n = 0;
    if (kind == 0)
        ev_anomaly(w->e, UA_A_ANONYMOUS);
    if (kind != 1 || !w->user.n)
        return;
    ev_span(w->e, OF_USER, w->user);
    f->user_n = (uint8_t)(w->user.n < sizeof f->user ? w->user.n : sizeof f->user);
    memcpy(f->user, w->user.p, f->user_n);
    if (w->has_password && !w->encryption.n) {
        ev_u64(w->e, OF_CLEAR, 1);
        ev_anomaly(w->e, UA_A_CLEAR_PASSWORD);
    }
}

void ua_session_result(struct ua_walk *w)
{
    if (w->e->error)
        w->f->user_n = 0;
    for (unsigned i = 0; i < w->e->n_fields && !w->e->error; i++)
        if (w->e->fields[i].id == OF_USER)
            tell(w, OBS_CLIENT, OBS_USER, w->e->fields[i].v.s, 90);
}

/* ---- the server about itself ---- */

static const struct build {
    uint32_t node;
    uint8_t field, kind, elsewhere; /* elsewhere: on another port than 4840 */
} builds[] = {
    {2261, OF_PRODUCT, OBS_MODEL, OBS_SOFTWARE},    {2262, OF_S_PRODUCT_URI, OBS_OTHER, OBS_OTHER},
    {2263, OF_MANUFACTURER, OBS_VENDOR, OBS_OTHER}, {2264, OF_SOFTWARE, OBS_FIRMWARE, OBS_OTHER},
    {2265, OF_BUILD, OBS_OTHER, OBS_OTHER},
};

static void tell_build(struct ua_walk *w, const struct build *b, struct span s)
{
    bool own = w->x->sport == PORT;
    tell(w, OBS_SERVER, (enum obs_kind)(own ? b->kind : b->elsewhere), s, 100);
    if (s.n)
        ev_span(w->e, b->field, s);
}

void on_build(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    for (unsigned i = 0; i < ARRAY_LEN(builds); i++)
        if (builds[i].field == r->arg && w->answer)
            tell_build(w, &builds[i], v->s);
}

void on_state(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v)
{
    static const char *const states[] = {"run",      "fault", "no_configuration",    "suspended",
                                         "shutdown", "test",  "communication_fault", "unknown"};
    if (!w->answer)
        return;
    ev_u64(w->e, r->arg, v->u);
    if (v->u < ARRAY_LEN(states) && w->x->sport == PORT)
        tell(w, OBS_SERVER, OBS_STATE, text(states[v->u]), 90);
}

/* A value that was read of the Server object: ServerStatus and BuildInfo as a whole, or one member. */
void ua_ident_value(struct ua_walk *w, const struct item *it, const struct ua_val *v)
{
    static const struct ua_row state = {.type = UA_INT32, .arg = OF_STATE};
    struct cur c = cur_span(v->var.raw), keep = w->c;
    struct ua_val one;
    bool deep = false;
    if (it->kind != UK_VARIABLE || it->space < 2256 || it->space > 2265 || v->var.array || !v->var.type)
        return;
    ua_get(&c, v->var.type, &one, &deep);
    if (v->var.type == UA_EXTOBJ) {
        const struct ua_ext *ext = ua_ext_find(&one.node);
        w->c = cur_span(one.s);
        if (ext && (it->space == 2256 || it->space == 2260))
            ua_rows(w, ext->rows);
        w->c = keep;
    } else if (it->space == 2259 && v->var.type == UA_INT32) {
        on_state(w, &state, &one);
    } else if (v->var.type == UA_STRING) {
        for (unsigned i = 0; i < ARRAY_LEN(builds); i++)
            if (builds[i].node == it->space)
                tell_build(w, &builds[i], one.s);
    }
}
