/* import.c: the text of export.c back into the model. It reads just the lines that export.c writes (comments, blank
 * lines and other orders of the keys are fine); the whole text is checked before anything is learned. */
#include "baseline/import.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINE = 4096 };

static void get_net(struct import *m, uint16_t *ret)
{
    struct pair *x = import_get(m, "network");
    *ret = x && x->value ? net_by_name(m->b, x->value) : 0;
}

static bool is_learned(struct import *m)
{
    struct pair *x = import_get(m, "state");
    bool is = !x || !x->value || strcmp(x->value, "learned") == 0;
    m->x->skipped += m->apply && !is;
    return is;
}

/* Nobody saw it learned; what was learned before stays what it is. */
static void imported(struct baseline *b, struct row_life *l)
{
    uint64_t novelty_ns = l->learned == FACT_LEARNED ? l->novelty_ns : ROW_NEVER_NS;
    life_learned(b, l, 0);
    l->novelty_ns = novelty_ns;
}

/* ---- lines ---- */

static int asset_line(struct import *m)
{
    static const char *const keys[] = {"network", "address", "macs", "commands", "state", NULL};
    struct addr a, mac[LIM_ASSET_MACS];
    uint64_t commands = 0;
    uint16_t net;
    int r = import_known_keys(m, keys);
    get_net(m, &net);
    if (!r)
        r = import_addr(m, "address", &a);
    if (!r && (addr_is_nobody(&a) || addr_is_group(&a)))
        r = import_bad_text(m, import_get(m, "address")->column, "address", import_get(m, "address")->value,
                            "the address of one device");
    struct pair *macs = import_get(m, "macs"), *cmds = import_get(m, "commands");
    for (unsigned k = 0; !r && macs && k < macs->n && k < LIM_ASSET_MACS; k++)
        if (!addr_parse(macs->list[k], &mac[k]) || !addr_is_mac(&mac[k]))
            r = import_bad_text(m, macs->column, "macs", macs->list[k], "a MAC address");
    for (unsigned k = 0; !r && cmds && k < cmds->n; k++) {
        int act = action_by_name(cmds->list[k]);
        if (act < 0)
            r = import_bad_text(m, cmds->column, "commands", cmds->list[k], "an action");
        else
            commands |= UINT64_C(1) << (EVI_CMD_SHIFT + act);
    }
    if (r || !m->apply || !is_learned(m))
        return r;
    m->x->assets++;
    uint32_t i = asset_find(m->b, net, &a);
    if (!i)
        i = asset_create(m->b, net, &a, 0, ROW_NEVER_NS);
    struct asset *x = asset_at(m->b, i);
    imported(m->b, &x->life);
    x->life.learn_ns = 0; /* reviewed: judged from now on */
    x->evidence |= commands;
    for (unsigned k = 0; macs && k < macs->n && k < LIM_ASSET_MACS; k++)
        asset_add_mac(m->b, i, mac[k].b + 10, true);
    due(m->b, &x->dirty);
    asset_rank(m->b, i);
    net_rec(m->b, net)->life.learn_ns = 0; /* what else comes is new */
    due(m->b, &net_rec(m->b, net)->dirty);
    return 0;
}

static int get_l4(struct import *m, uint8_t *ret)
{
    struct pair *x = import_get(m, "proto");
    uint32_t n = 0;
    for (unsigned l4 = 0; x && x->value && l4 < 256; l4++)
        if (l4_name((uint8_t)l4) && strcmp(l4_name((uint8_t)l4), x->value) == 0) {
            *ret = (uint8_t)l4;
            return 0;
        }
    if (!x)
        return import_missing(m, "proto");
    int r = import_number(m, "proto", 255, "TCP, UDP, ICMP, ICMPv6, ETH", &n, NULL);
    *ret = (uint8_t)n;
    return r;
}

/* A name that nobody gives a protocol is an error in writing: it would never be seen on the link. */
static int known_apps(struct import *m)
{
    const struct baseline *b = m->b;
    const struct pair *x = import_get(m, "protocols");
    for (unsigned k = 0; x && m->x->knows_app && k < x->n; k++) {
        uint32_t i = 0;
        while (i < b->n_apps && strcmp(b->apps[i].name, x->list[k]) != 0)
            i++;
        bool known = i < b->n_apps || (b->conf.schema && b->conf.schema(x->list[k]));
        if (!known && !m->x->knows_app(m->x->ctx, x->list[k]))
            return import_bad_text(m, x->column, "protocols", x->list[k], "a protocol that tyto knows");
        app_intern(m->b, x->list[k], NULL);
    }
    return 0;
}

static int link_line(struct import *m)
{
    static const char *const keys[] = {"network", "client", "server", "proto", "port", "protocols", "state", NULL};
    struct link l = {.flags = ROW_LINK_SURE};
    uint32_t port = 0;
    bool has = false;
    int r = import_known_keys(m, keys);
    get_net(m, &l.net);
    if (!r)
        r = import_addr(m, "client", &l.client);
    if (!r)
        r = import_addr(m, "server", &l.server);
    if (!r)
        r = get_l4(m, &l.l4);
    if (!r)
        r = import_number(m, "port", 65535, NULL, &port, &has);
    if (!r && !has)
        r = import_missing(m, "port");
    if (!r)
        r = known_apps(m);
    l.port = (uint16_t)port;
    m->have_link = !r;
    m->in_facts = false;
    m->link = 0;
    if (r || !m->apply || !is_learned(m))
        return r;
    m->x->links++;
    struct pair *apps = import_get(m, "protocols");
    uint32_t i = blink_find(m->b, l.net, &l.client, &l.server, l.l4, l.port);
    if (!i)
        i = blink_create(m->b, &l, ROW_NEVER_NS);
    struct link *x = blink_at(m->b, i);
    imported(m->b, &x->life);
    x->life.learn_ns = 0;
    for (unsigned k = 0; apps && k < apps->n; k++) {
        int at = blink_app(m->b, x, apps->list[k]);
        if (at < 0 && x->n_apps < LIM_LINK_APPS) {
            at = x->n_apps;
            x->apps[x->n_apps++] = app_intern(m->b, apps->list[k], NULL);
        }
        if (at >= 0)
            x->app_learned |= (uint8_t)(1u << at);
    }
    due(m->b, &x->dirty);
    blink_rank(m->b, i);
    m->link = i;
    return 0;
}

/* "holding_register:0-9", "db[5]:0-3", "tag:Motor", "input:4.7": the notation of schema.h, by the protocol's kinds. */
static bool object_parse(const struct proto_schema *s, const char *text, struct op_key *k)
{
    unsigned best = 0;
    for (uint32_t i = 0; i < s->n_kinds; i++) {
        size_t n = strlen(s->kinds[i].name);
        if (n > best && strncmp(text, s->kinds[i].name, n) == 0 && (text[n] == 0 || text[n] == ':' || text[n] == '[')) {
            best = (unsigned)n;
            k->kind = (uint8_t)i;
        }
    }
    if (!best)
        return false;
    const struct kind_def *d = &s->kinds[k->kind];
    const char *p = text + best;
    char *end;
    k->bit = ITEM_BIT_NONE;
    if (*p == '[') {
        k->space = (uint32_t)strtoul(p + 1, &end, 0);
        if (end == p + 1 || *end != ']')
            return false;
        p = end + 1;
    }
    if (!*p)
        return true;
    if (*p++ != ':')
        return false;
    k->first = k->last = (uint32_t)strtoul(p, &end, 0);
    bool number = *p >= '0' && *p <= '9';
    if (number && *end == '-')
        k->last = (uint32_t)strtoul(end + 1, &end, 0);
    else if (number && *end == '.')
        k->bit = (uint8_t)strtoul(end + 1, &end, 10);
    if (number && !*end && (!(d->flags & KIND_NAME) || (d->flags & KIND_RANGE))) {
        k->has_range = 1;
        return k->first <= k->last;
    }
    k->first = k->last = 0;
    k->bit = ITEM_BIT_NONE;
    k->name = (struct span){(const uint8_t *)p, (uint32_t)strlen(p)};
    return true;
}

static int fact_apply(struct import *m, struct func *f, const struct op_key *k)
{
    struct baseline *b = m->b;
    struct pair *errors = import_get(m, "errors");
    uint32_t fi = func_find(b, m->link, f->proto, f->fn, f->sel, f->has_unit, f->unit, f->sub), oi;
    f->link = m->link;
    if (!fi)
        fi = func_create(b, f, ROW_NEVER_NS);
    if (func_at(b, fi)->life.learned != FACT_LEARNED)
        imported(b, &func_at(b, fi)->life);
    due(b, &func_at(b, fi)->dirty);
    oi = op_find(b, fi, k);
    if (!oi)
        oi = op_create(b, fi, k, ROW_NEVER_NS);
    struct op *o = op_at(b, oi);
    if (o->life.learned != FACT_LEARNED)
        imported(b, &o->life);
    for (unsigned i = 0; errors && i < errors->n; i++) {
        uint32_t status = (uint32_t)strtoul(errors->list[i], NULL, 10);
        unsigned at = 0;
        while (at < o->n_status && o->status[at] != status)
            at++;
        if (at == o->n_status && at < LIM_OP_ERRORS)
            o->status[o->n_status++] = status;
        if (at < LIM_OP_ERRORS)
            o->status_learned |= (uint8_t)(1u << at);
    }
    due(b, &o->dirty);
    op_merge(b, oi);
    m->x->facts++;
    return 0;
}

/* People review the name, the numbers decide: both must say the same. Codes that the schema does not know (those of
 * vendors) have no name. */
static int function_name(struct import *m, const struct proto_schema *s, struct func *f)
{
    const struct op_row *row = schema_op(s, f->fn, f->sel);
    const struct pair *x = import_get(m, "function");
    char expected[160], fn[FN_TEXT];
    snprintf(f->name, sizeof f->name, "%s", row ? row->name : "");
    if (!x || (row && x->value && (strcmp(x->value, row->name) == 0 || strcmp(x->value, f->name) == 0)))
        return 0;
    schema_fn_text(s, f->fn, fn);
    if (row)
        snprintf(expected, sizeof expected, "%s, which is what code %s of %s is", row->name, fn, s->name);
    else
        snprintf(expected, sizeof expected, "no name, for %s has none for this code", s->name);
    return import_bad_text(m, x->column, "function", x->value ? x->value : "a list", expected);
}

static int fact_line(struct import *m)
{
    static const char *const keys[] = {"protocol", "unit", "slot", "function", "code", "selector", "action", "object",
                                       "errors", "state", NULL};
    struct func f = {.sel = OP_ANY_SELECTOR};
    struct op_key k = {.kind = REC_NO_KIND, .bit = ITEM_BIT_NONE};
    bool has_unit = false, has_code = false;
    int r = import_known_keys(m, keys);
    struct pair *proto = import_get(m, "protocol"), *action = import_get(m, "action");
    struct pair *object = import_get(m, "object"), *errors = import_get(m, "errors");
    if (!r)
        r = import_number(m, "unit", UINT32_MAX, NULL, &f.unit, &has_unit);
    if (!r)
        r = import_number(m, "slot", UINT32_MAX, NULL, &f.sub, NULL);
    if (!r)
        r = import_number(m, "code", UINT32_MAX, "none", &f.fn, &has_code);
    if (!r)
        r = import_number(m, "selector", UINT32_MAX, NULL, &f.sel, NULL);
    if (!r && (!proto || !proto->value || !has_code || !action || !action->value))
        return import_missing(m, !proto || !proto->value ? "protocol" : has_code ? "action" : "code");
    for (unsigned i = 0; !r && errors && i < errors->n; i++)
        if (strspn(errors->list[i], "0123456789") != strlen(errors->list[i]))
            r = import_bad_text(m, errors->column, "errors", errors->list[i], "a number");
    if (r)
        return r;
    const struct proto_schema *s = m->b->conf.schema ? m->b->conf.schema(proto->value) : NULL;
    int act = action_by_name(action->value);
    if (!s)
        return import_bad_text(m, proto->column, "protocol", proto->value, "a protocol that tyto dissects");
    if (act < 0)
        return import_bad_text(m, action->column, "action", action->value, "an action, as in read");
    f.proto = app_intern(m->b, s->name, s);
    k.action = f.action = (uint8_t)act;
    if (object && object->value && !object_parse(s, object->value, &k))
        return import_bad_text(m, object->column, "object", object->value,
                        "an object of this protocol, as in holding_register:0-9");
    f.has_unit = has_unit;
    r = function_name(m, s, &f);
    return !r && m->apply && is_learned(m) && m->link ? fact_apply(m, &f, &k) : r;
}

static int accepted_line(struct import *m)
{
    static const char *const keys[] = {"alert", "src", "dst", "what", "key", NULL};
    int r = import_known_keys(m, keys);
    const struct pair *key = import_get(m, "key"), *type = import_get(m, "alert");
    struct row_accepted a = {.since_ns = m->now_ns};
    char *end = NULL;
    if (r)
        return r;
    if (!key || !key->value || !type || !type->value)
        return import_missing(m, key && key->value ? "alert" : "key");
    a.key = strtoull(key->value, &end, 16);
    if (*end || strlen(key->value) != 16)
        return import_bad_text(m, key->column, "key", key->value, "16 hex digits");
    const char **const to[] = {&a.type, &a.src, &a.dst, &a.what};
    for (unsigned i = 0; i < ARRAY_LEN(to); i++)
        *to[i] = import_get(m, keys[i]) ? import_get(m, keys[i])->value : NULL;
    m->x->accepted += m->apply;
    return m->apply ? baseline_accept_alert(m->b, &a, m->e) : 0;
}

/* The keys of the text itself, as those of a line: each once. */
static int twice(struct import *m, const char *line, const char *p)
{
    return import_bad_here(m, line, p, "each key once");
}

static int version_line(struct import *m, char *line, char *p)
{
    if (m->have_version)
        return twice(m, line, import_skip(line));
    char *end = p + strspn(p, "0123456789");
    m->have_version = end == p + 1 && *p == '1' && (!*import_skip(end) || *import_skip(end) == '#');
    return m->have_version ? 0 : import_bad_here(m, line, p, "1, the version that this program reads");
}

static int one_line(struct import *m, char *line)
{
    char *p = import_skip(line);
    size_t indent = (size_t)(p - line);
    if (!*p || *p == '#')
        return 0;
    if (indent == 0 && strncmp(p, "tyto_baseline:", 14) == 0)
        return version_line(m, line, import_skip(p + 14));
    if (!m->have_version)
        return import_bad_here(m, line, p, "tyto_baseline: 1 before all else, as every export has it");
    if (indent == 0 && (strcmp(p, "assets:") == 0 || strcmp(p, "links:") == 0 || strcmp(p, "accepted:") == 0)) {
        m->part = *p == 'l' ? IN_LINKS : p[1] == 's' ? IN_ASSETS : IN_ACCEPTED;
        if (m->parts >> m->part & 1)
            return twice(m, line, p);
        m->parts |= (uint8_t)(1u << m->part);
        m->have_link = false;
        return 0;
    }
    if (m->part == IN_LINKS && strcmp(p, "facts:") == 0 && m->have_link) {
        if (m->in_facts)
            return twice(m, line, p);
        m->in_facts = true;
        return 0;
    }
    if (p[0] != '-' || p[1] != ' ' || m->part == IN_HEAD)
        return import_bad_here(m, line, p, "assets:, links:, accepted:, facts: or \"- {\"");
    p = import_skip(p + 2);
    bool is_link = m->part == IN_LINKS && strncmp(p, "link:", 5) == 0;
    if (m->part == IN_LINKS && !is_link && !m->in_facts)
        return import_bad_here(m, line, p, "\"link: {\", or facts: before it");
    int r = import_pairs(m, line, is_link ? p + 5 : p);
    if (r)
        return r;
    if (m->part == IN_ACCEPTED)
        return accepted_line(m);
    return m->part == IN_ASSETS ? asset_line(m) : is_link ? link_line(m) : fact_line(m);
}

static int pass(struct import *m, FILE *f)
{
    char line[LINE];
    int r = 0;
    m->line = 0;
    m->part = IN_HEAD;
    m->parts = 0;
    m->have_version = m->have_link = m->in_facts = false;
    while (!r && fgets(line, sizeof line, f)) {
        size_t n = strlen(line);
        m->line++;
        if (n && line[n - 1] == '\n')
            line[--n] = 0;
        else if (n + 1 == sizeof line)
            return import_bad(m, LINE, "a line too long", "at most 4095 characters");
        if (n && line[n - 1] == '\r')
            line[n - 1] = 0;
        r = one_line(m, m->line == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0 ? line + 3 : line); /* YAML 1.2 §5.2 */
    }
    if (!r && ferror(f))
        return err_set(m->e, -EIO, "%s: cannot be read: %s", m->name, strerror(errno));
    m->line += !r && m->part == IN_HEAD;
    if (r || m->part != IN_HEAD)
        return r;
    return import_bad(m, 1, "the end",
                      m->have_version ? "assets: or links:" : "tyto_baseline: 1, as every export has it");
}

int baseline_import(struct baseline *b, FILE *f, const char *name, uint64_t now_ns, struct baseline_text *x,
                    struct err *e)
{
    struct import *m = calloc(1, sizeof *m);
    if (!m)
        return err_set(e, -ENOMEM, "no memory for the import");
    *m = (struct import){.b = b, .name = name, .now_ns = now_ns, .x = x, .e = e};
    int r = pass(m, f);
    if (!r && fseek(f, 0, SEEK_SET))
        r = err_set(e, -ESPIPE, "%s: must be a file that can be read twice", name);
    if (!r) {
        m->apply = true;
        r = pass(m, f);
    }
    free(m);
    return r;
}
