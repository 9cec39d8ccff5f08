/* links.c: who talks to whom: (network, client, server, transport, server port), its protocols and counts. */
#include "baseline/model.h"

struct link *blink_at(const struct baseline *b, uint32_t i)
{
    return tab_at(&b->links, i);
}

static uint64_t link_hash(const struct baseline *b, uint16_t net, const struct addr *client, const struct addr *server,
                          uint8_t l4, uint16_t port)
{
    uint64_t h = hash_u64(b->conf.hash_key, (uint64_t)net << 32 | (uint64_t)l4 << 16 | port);
    return hash_bytes(hash_bytes(h, client, sizeof *client), server, sizeof *server);
}

uint32_t blink_find(const struct baseline *b, uint16_t net, const struct addr *client, const struct addr *server,
                   uint8_t l4, uint16_t port)
{
    uint64_t h = link_hash(b, net, client, server, l4, port);
    for (uint32_t i = tab_find(&b->links, h, 0); i; i = tab_find(&b->links, h, i)) {
        const struct link *l = blink_at(b, i);
        if (l->net == net && l->l4 == l4 && l->port == port && addr_eq(&l->client, client) &&
            addr_eq(&l->server, server))
            return i;
    }
    return 0;
}

uint32_t blink_by_id(const struct baseline *b, uint64_t id)
{
    for (uint32_t i = 1; i <= b->links.high; i++)
        if (blink_at(b, i)->node.used && blink_at(b, i)->id == id)
            return i;
    return 0;
}

uint64_t blink_id(struct baseline *b, const struct link *l)
{
    const char *name = net_rec(b, l->net)->name;
    uint64_t h = hash_bytes(HASH_ID_KEY, name, strlen(name));
    h = hash_bytes(hash_bytes(h, &l->client, sizeof l->client), &l->server, sizeof l->server);
    h = hash_u64(h, (uint64_t)l->l4 << 16 | l->port);
    return h ? h : 1;
}

/* Unanswered ones go first, then what is not learned. */
void blink_rank(struct baseline *b, uint32_t i)
{
    const struct link *l = blink_at(b, i);
    bool real = l->n_apps || (l->packets[1] && !(l->flags & ROW_LINK_ATTEMPT)) || l->funcs;
    tab_move(&b->links, i, (uint8_t)(!real ? 0 : l->life.learned == FACT_LEARNED ? 2 : 1));
}

static void pending_drop(struct baseline *b, uint32_t i)
{
    struct link *l = blink_at(b, i);
    if (!l->pending)
        return;
    b->pending[l->pending - 1] = 0; /* the tick walks over it */
    l->pending = 0;
}

void blink_delete(struct baseline *b, uint32_t i)
{
    struct link *l = blink_at(b, i);
    pending_drop(b, i);
    while (l->funcs)
        func_delete(b, l->funcs);
    digs_drop(b, l->digs);
    if (l->dirty & STORED)
        row_gone(b, ROW_LINK, l->id);
    b->n_due -= l->dirty & DIRTY;
    tab_del(&b->links, i);
}

uint32_t blink_create(struct baseline *b, const struct link *p, uint64_t ts_ns)
{
    if (tab_full(&b->links)) {
        blink_delete(b, tab_victim(&b->links));
        b->links.evicted++;
    }
    uint32_t i = tab_add(&b->links, link_hash(b, p->net, &p->client, &p->server, p->l4, p->port), 0);
    struct link *l = blink_at(b, i);
    struct node node = l->node;
    *l = *p;
    l->node = node;
    l->id = blink_id(b, p);
    l->life.first_ns = l->life.last_ns = ts_ns;
    due(b, &l->dirty);
    return i;
}

uint16_t app_intern(struct baseline *b, const char *name, const struct proto_schema *schema)
{
    char key[sizeof b->apps[0].name];
    uint16_t *last = &b->app_of[hash_u64(HASH_ID_KEY, (uintptr_t)schema) & (APP_OF - 1)];
    if (schema && *last < b->n_apps && b->apps[*last].schema == schema)
        return *last;
    for (uint32_t i = 0; schema && i < b->n_apps; i++)
        if (b->apps[i].schema == schema)
            return *last = (uint16_t)i;
    key[0] = '\0';
    text_cat(key, sizeof key, name);
    for (char *p = key; *p; p++)
        if (*p == ',' || *p == ' ' || *p == '"' || *p == ':')
            *p = '_'; /* lists of protocols are joined by commas, exports by spaces */
    for (uint32_t i = 0; i < b->n_apps; i++)
        if (strcmp(b->apps[i].name, key) == 0) {
            if (schema)
                b->apps[i].schema = schema;
            return (uint16_t)i;
        }
    if (b->n_apps == MAX_APPS)
        return MAX_APPS - 1;
    struct app *a = &b->apps[b->n_apps];
    memcpy(a->name, b->n_apps == MAX_APPS - 1 ? "other" : key, b->n_apps == MAX_APPS - 1 ? 6 : sizeof key);
    a->schema = schema ? schema : b->conf.schema ? b->conf.schema(name) : NULL;
    a->role_row = (int8_t)roles_row(name);
    return (uint16_t)b->n_apps++;
}

int blink_app(const struct baseline *b, const struct link *l, const char *app)
{
    for (int k = 0; k < l->n_apps; k++)
        if (strncmp(b->apps[l->apps[k]].name, app, sizeof b->apps[0].name - 1) == 0)
            return k;
    return -1;
}

/* ---- digests ---- */

static struct dig *dig_at(const struct baseline *b, uint32_t i)
{
    return tab_at(&b->digs, i);
}

static uint32_t *dig_head(struct baseline *b, const struct dig *d)
{
    return d->kind == DIG_OP ? &op_at(b, d->target)->digs : &blink_at(b, d->target)->digs;
}

static uint32_t dig_index(const struct baseline *b, uint64_t digest, uint8_t kind)
{
    uint64_t h = hash_u64(b->conf.hash_key, digest);
    for (uint32_t i = tab_find(&b->digs, h, 0); i; i = tab_find(&b->digs, h, i))
        if (dig_at(b, i)->digest_hi == (uint32_t)(digest >> 32) && (dig_at(b, i)->kind == DIG_OP) == (kind == DIG_OP))
            return i;
    return 0;
}

uint32_t dig_find(struct baseline *b, uint64_t digest, uint8_t kind, bool *reversed)
{
    uint32_t i = dig_index(b, digest, kind);
    if (!i)
        return 0;
    tab_touch(&b->digs, i);
    if (reversed)
        *reversed = dig_at(b, i)->kind == DIG_LINK_REVERSED;
    return dig_at(b, i)->target;
}

static void fetch_row(const struct baseline *b, struct baseline_ahead *a)
{
    uint32_t i = a->digest ? dig_index(b, a->digest, a->fact ? DIG_OP : DIG_LINK) : 0;
    a->row = i ? dig_at(b, i)->target : 0;
    if (a->row)
        row_fetch(a->fact ? &b->ops : &b->links, a->row);
}

/* For a fact the row above, for a link where its ends are found. */
static void fetch_named(const struct baseline *b, const struct baseline_ahead *a)
{
    if (!a->row)
        return;
    if (a->fact) {
        row_fetch(&b->funcs, op_at(b, a->row)->func);
        return;
    }
    const struct link *l = blink_at(b, a->row);
    asset_fetch_place(b, &l->client, l->ends[0]);
    asset_fetch_place(b, &l->server, l->ends[1]);
}

static void fetch_ends(const struct baseline *b, const struct baseline_ahead *a)
{
    if (!a->row || a->fact)
        return;
    const struct link *l = blink_at(b, a->row);
    asset_fetch(b, &l->client, l->ends[0]);
    asset_fetch(b, &l->server, l->ends[1]);
}

/* First the bucket, then the digest's record, its row, and what the row names. Each is named by the one before it,
 * which has arrived by then; a row that went meanwhile does no harm. */
void baseline_look_ahead(const struct baseline *b, struct baseline_ahead a[BASELINE_AHEAD], unsigned at)
{
    enum { STEP = 3, MASK = BASELINE_AHEAD - 1 };
    tab_fetch_bucket(&b->digs, hash_u64(b->conf.hash_key, a[at].digest));
    tab_fetch(&b->digs, hash_u64(b->conf.hash_key, a[(at - STEP) & MASK].digest));
    fetch_row(b, &a[(at - 2 * STEP) & MASK]);
    fetch_named(b, &a[(at - 3 * STEP) & MASK]);
    fetch_ends(b, &a[(at - 4 * STEP) & MASK]);
}

static void dig_delete(struct baseline *b, uint32_t i)
{
    struct dig *d = dig_at(b, i);
    if (d->prev)
        dig_at(b, d->prev)->next = d->next;
    else
        *dig_head(b, d) = d->next;
    if (d->next)
        dig_at(b, d->next)->prev = d->prev;
    tab_del(&b->digs, i);
}

void digs_drop(struct baseline *b, uint32_t first)
{
    while (first) {
        uint32_t next = dig_at(b, first)->next;
        tab_del(&b->digs, first);
        first = next;
    }
}

void dig_bind(struct baseline *b, uint64_t digest, uint8_t kind, uint32_t target)
{
    uint32_t i = dig_index(b, digest, kind);
    if (i && dig_at(b, i)->target == target && dig_at(b, i)->kind == kind)
        return;
    if (i)
        dig_delete(b, i);
    if (tab_full(&b->digs)) {
        dig_delete(b, tab_victim(&b->digs));
        b->digs.evicted++;
    }
    i = tab_add(&b->digs, hash_u64(b->conf.hash_key, digest), 0);
    struct dig *d = dig_at(b, i);
    d->digest_hi = (uint32_t)(digest >> 32);
    d->kind = kind;
    d->target = target;
    uint32_t *head = dig_head(b, d);
    d->next = *head;
    if (d->next)
        dig_at(b, d->next)->prev = i;
    *head = i;
}

/* All digests of an operation now stand for another one. */
void digs_move(struct baseline *b, uint32_t from, uint32_t to)
{
    struct op *f = op_at(b, from), *t = op_at(b, to);
    uint32_t last = 0;
    for (uint32_t i = f->digs; i; i = dig_at(b, i)->next) {
        dig_at(b, i)->target = to;
        last = i;
    }
    if (!last)
        return;
    dig_at(b, last)->next = t->digs;
    if (t->digs)
        dig_at(b, t->digs)->prev = last;
    t->digs = f->digs;
    f->digs = 0;
}

/* ---- records ---- */

static void link_seen(struct baseline *b, uint32_t i, uint64_t ts_ns)
{
    struct link *l = blink_at(b, i);
    tab_touch(&b->links, i);
    life_seen(&l->life, ts_ns);
    due(b, &l->dirty);
}

/* The direction had been guessed the wrong way round: the same conversation, turned. */
static uint32_t link_turn(struct baseline *b, uint32_t i, const struct rec_link *r)
{
    struct link n = *blink_at(b, i);
    uint64_t first = n.life.first_ns;
    if (n.funcs)
        return 0; /* a dissector had known it: two conversations */
    blink_delete(b, i);
    n.client = r->client;
    n.server = r->server;
    n.port = r->port;
    n.client_port = r->client_port;
    n.flags |= ROW_LINK_SURE;
    n.pending = n.digs = 0;
    n.dirty = 0;
    uint64_t p = n.packets[0], y = n.bytes[0];
    n.packets[0] = n.packets[1];
    n.bytes[0] = n.bytes[1];
    n.packets[1] = p;
    n.bytes[1] = y;
    i = blink_create(b, &n, first);
    blink_rank(b, i);
    return i;
}

/* The link of a record with that digest, if it is known in any way. */
static uint32_t link_known(struct baseline *b, const struct rec_link *r)
{
    uint32_t i = dig_find(b, r->digest, DIG_LINK, NULL);
    if (!i) {
        i = blink_find(b, r->net, &r->client, &r->server, r->l4, r->port);
        if (i)
            dig_bind(b, r->digest, DIG_LINK, i);
    }
    if (i || !r->client_port || (r->l4 != PROTO_TCP && r->l4 != PROTO_UDP))
        return i;
    uint32_t other = blink_find(b, r->net, &r->server, &r->client, r->l4, r->client_port);
    if (!other)
        return 0;
    bool other_sure = blink_at(b, other)->flags & ROW_LINK_SURE;
    if (r->sure && !other_sure) {
        i = link_turn(b, other, r);
        if (i)
            dig_bind(b, r->digest, DIG_LINK, i);
        return i;
    }
    if (r->sure || !other_sure)
        return 0;
    dig_bind(b, r->digest, DIG_LINK_REVERSED, other);
    return other;
}

/* Is it only a try so far, to be judged when its window ends? */
static bool is_try(const struct link *l)
{
    return (l->flags & ROW_LINK_ATTEMPT) || l->l4 == PROTO_UDP || l->l4 == PROTO_ICMP || l->l4 == PROTO_ICMP6;
}

/* To be judged when its window ends, or when it turns out to be real; a try may be part of a scan. */
static void judge_later(struct baseline *b, uint32_t i, uint64_t ts_ns)
{
    struct link *l = blink_at(b, i);
    struct subject s = {.ts_ns = ts_ns, .link = i};
    if (is_try(l) && !addr_is_group(&l->server)) {
        l->probe = 1;
        scan_probe(b, i, ts_ns);
    }
    if (b->n_pending == LIM_PENDING) {
        judge_link(b, i, &s);
        return;
    }
    b->pending[b->n_pending] = i;
    l->pending = ++b->n_pending;
}

static void link_new(struct baseline *b, const struct rec_link *r)
{
    struct link n = {.client = r->client, .server = r->server, .net = r->net, .port = r->port, .l4 = r->l4,
                     .client_port = r->client_port, .vlan = r->vlan, .iface = r->iface, .file = r->file,
                     .frame = r->frame,
                     .flags = (uint8_t)((r->sure ? ROW_LINK_SURE : 0) | (r->attempt ? ROW_LINK_ATTEMPT : 0) |
                                        (r->group ? ROW_LINK_GROUP : 0))};
    uint32_t i = blink_create(b, &n, r->ts_ns);
    roles_link(b, blink_at(b, i));
    dig_bind(b, r->digest, DIG_LINK, i);
    judge_later(b, i, r->ts_ns);
}

/* Who talks from a link-local address is no device by it, but what he says to a device is looked at. */
static bool is_talker(const struct addr *a)
{
    return !addr_is_nobody(a) || addr_is_link_local(a);
}

/* Announcements from link-local addresses to a group are no link, nor is what keeps IPv6 itself going. */
static bool is_link(const struct rec_link *r)
{
    bool local = addr_is_link_local(&r->client) || addr_is_link_local(&r->server);
    if (local && (addr_is_group(&r->server) || (r->l4 != PROTO_TCP && r->l4 != PROTO_UDP)))
        return false;
    return is_talker(&r->client) && (is_talker(&r->server) || addr_is_group(&r->server));
}

void baseline_link(struct baseline *b, const struct rec_link *r)
{
    clock_to(b, r->ts_ns);
    if (!is_link(r))
        return;
    uint32_t i = link_known(b, r);
    if (!i) {
        link_new(b, r);
        return;
    }
    struct link *l = blink_at(b, i);
    l->flags |= (uint8_t)((r->sure ? ROW_LINK_SURE : 0) | (r->group ? ROW_LINK_GROUP : 0));
    if (!r->attempt)
        l->flags &= (uint8_t)~ROW_LINK_ATTEMPT;
    l->frame = r->frame;
    l->file = r->file;
    l->client_port = r->client_port;
    link_seen(b, i, r->ts_ns);
    if (!l->pending && l->life.learned != FACT_LEARNED)
        judge_later(b, i, r->ts_ns);
}

void baseline_link_app(struct baseline *b, const struct rec_link_app *r)
{
    clock_to(b, r->ts_ns);
    uint32_t i = dig_find(b, r->digest, DIG_LINK, NULL);
    if (!i || !r->app) {
        b->st.unattributed++;
        return;
    }
    struct link *l = blink_at(b, i);
    struct subject s = {.ts_ns = r->ts_ns, .link = i, .wrong_port = r->wrong_port};
    l->flags |= r->tls ? ROW_LINK_TLS : 0;
    due(b, &l->dirty);
    blink_add_app(b, i, r->app, NULL, r->from_ndpi, &s);
    if (!r->wrong_port || l->flags & ROW_LINK_WRONG_PORT || life_learns(b, &l->life))
        return;
    int k = blink_app(b, l, r->app);
    if ((k < 0 || !(l->app_learned >> k & 1)) && !partner_app(b, l, r->app))
        judge_wrong_port(b, i, r->app, &s, false);
}

/* blink_app() for a protocol of ours, whose name need not be compared. */
static int app_place(struct baseline *b, const struct link *l, const char *app, const struct proto_schema *schema)
{
    for (int k = 0; schema && k < l->n_apps; k++)
        if (b->apps[l->apps[k]].schema == schema)
            return k;
    return blink_app(b, l, app);
}

/* The link speaks that protocol: known, learned, or a deviation. */
void blink_add_app(struct baseline *b, uint32_t i, const char *app, const struct proto_schema *schema, bool ndpi,
                  const struct subject *s)
{
    struct link *l = blink_at(b, i);
    int k = app_place(b, l, app, schema);
    if (k < 0) {
        uint16_t a = app_intern(b, app, schema);
        if (l->n_apps == LIM_LINK_APPS)
            return;
        l->apps[l->n_apps] = a;
        k = l->n_apps++;
        l->flags &= (uint8_t)~ROW_LINK_ATTEMPT;
        if ((k == 0 || !ndpi) && strcmp(app, REC_APP_UNKNOWN) != 0)
            roles_app(b, l, app, ndpi);
        due(b, &l->dirty);
        blink_rank(b, i);
    }
    if (l->pending) { /* no more than a try until now */
        pending_drop(b, i);
        judge_link(b, i, s);
    }
    if (!((l->app_learned | l->app_judged) >> k & 1) || (!(l->app_learned >> k & 1) && b->conf.mode == BASE_LEARN))
        judge_app(b, i, k, s);
}

void baseline_link_count(struct baseline *b, const struct rec_link_count *r)
{
    bool turned = false;
    uint32_t i = dig_find(b, r->digest, DIG_LINK, &turned);
    clock_to(b, r->ts_ns);
    if (!i) {
        b->st.unattributed++;
        return;
    }
    struct link *l = blink_at(b, i);
    for (unsigned k = 0; k < 2; k++) {
        l->packets[k] += r->packets[turned ? 1 - k : k];
        l->bytes[k] += r->bytes[turned ? 1 - k : k];
    }
    l->errors += r->errors;
    l->resets += r->resets;
    l->retransmissions += r->retransmissions;
    l->gaps += r->gaps;
    uint64_t answers = r->packets[turned ? 0 : 1], first_answers = l->l4 == PROTO_TCP ? 2 : 0;
    if (answers > first_answers)
        l->probe = 0;
    if (l->packets[1] > first_answers)
        l->flags &= (uint8_t)~ROW_LINK_ATTEMPT;
    l->heard |= r->packets[0] + r->packets[1] != 0;
    link_seen(b, i, r->last_ns);
    blink_rank(b, i);
    for (unsigned k = 0; k < 2; k++) {
        uint32_t a = r->packets[turned ? 1 - k : k] ? asset_find(b, l->net, k ? &l->server : &l->client) : 0;
        if (!a)
            continue;
        asset_seen(b, a, r->last_ns);
        if (l->packets[0] && l->packets[1] && !(asset_at(b, a)->flags & ROW_ASSET_ANSWERED)) {
            asset_at(b, a)->flags |= ROW_ASSET_ANSWERED;
            due(b, &asset_at(b, a)->dirty);
            asset_rank(b, a);
        }
    }
}

bool baseline_link_one_way(struct baseline *b, uint64_t digest)
{
    uint32_t i = dig_find(b, digest, DIG_LINK, NULL);
    return i && (!blink_at(b, i)->packets[0] != !blink_at(b, i)->packets[1]);
}

bool baseline_link_ends(struct baseline *b, uint64_t digest, uint16_t *net, struct addr *client, struct addr *server)
{
    bool turned;
    uint32_t i = dig_find(b, digest, DIG_LINK, &turned);
    if (!i)
        return false;
    const struct link *l = blink_at(b, i);
    *net = l->net;
    *client = turned ? l->server : l->client;
    *server = turned ? l->client : l->server;
    return true;
}

void links_tick(struct baseline *b, uint64_t ts_ns)
{
    for (uint32_t k = 0; k < b->n_pending; k++) {
        uint32_t i = b->pending[k];
        struct subject s = {.ts_ns = ts_ns, .link = i};
        if (!i)
            continue;
        struct link *l = blink_at(b, i);
        uint32_t client = asset_find(b, l->net, &l->client);
        l->pending = 0;
        s.condemned = l->probe && client && inc_open(b, asset_at(b, client)->scan, ts_ns); /* a scan is never learned */
        judge_link(b, i, &s);
    }
    b->n_pending = 0;
}
