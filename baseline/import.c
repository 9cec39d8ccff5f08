/* import.c: the text of export.c back into the model. It reads just the lines that export.c writes (comments, blank
 * lines and other orders of the keys are fine); the whole text is checked before anything is learned. */
#include <stdio.h>
#include <stdlib.h>

#include "baseline/model.h"

enum { MAX_PAIRS = 16, MAX_LIST = 32, LINE = 4096 };

struct pair {
    const char *key, *value;     /* value NULL: a list */
    const char *list[MAX_LIST];
    unsigned n, column;
};
struct import {
    struct baseline *b;
    const char *name;
    unsigned line;
    bool apply;
    uint64_t now_ns;
    enum { IN_HEAD, IN_ASSETS, IN_LINKS, IN_ACCEPTED } part;
    bool have_link, in_facts;
    uint32_t link;               /* while applying */
    struct err *e;
    struct pair pairs[MAX_PAIRS];
    unsigned n;
};

static int bad(struct import *m, unsigned column, const char *found, const char *expected)
{
    return err_set(m->e, -EINVAL, "%s:%u:%u: found %s, expected %s", m->name, m->line, column, found, expected);
}

static int bad_text(struct import *m, unsigned column, const char *what, const char *found, const char *expected)
{
    return err_set(m->e, -EINVAL, "%s:%u:%u: %s: found \"%.80s\", expected %s", m->name, m->line, column, what, found,
                   expected);
}

/* ---- the flow mapping of one line: {key: value, key: [a, b]} ---- */

static char *skip(char *p)
{
    while (*p == ' ')
        p++;
    return p;
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* A scalar in place; *p moves behind it. NULL: broken. */
static const char *scalar(char **p, char *stop)
{
    char *s = *p, *out = s;
    if (*s != '"') {
        while (*s && !strchr(",]} ", *s))
            s++;
        *stop = *s;
        if (s == out)
            return NULL;
        *p = s;
        return out;
    }
    char *w = ++s;
    out = w;
    for (; *s && *s != '"'; s++) {
        if (*s != '\\') {
            *w++ = *s;
        } else if (s[1] == 'x' && hex(s[2]) >= 0 && hex(s[3]) >= 0) {
            *w++ = (char)(hex(s[2]) << 4 | hex(s[3]));
            s += 3;
        } else if (s[1] == '"' || s[1] == '\\') {
            *w++ = *++s;
        } else {
            return NULL;
        }
    }
    if (*s != '"')
        return NULL;
    *w = 0;
    *p = s + 1;
    *stop = s[1];
    return out;
}

static int flow_list(struct import *m, struct pair *x, char **at, const char *start)
{
    char *p = skip(*at + 1), stop = 0;
    while (*p != ']') {
        char *begin = p;
        const char *v = scalar(&p, &stop);
        if (!v || x->n == MAX_LIST)
            return bad(m, (unsigned)(begin - start) + 1, v ? "too many values" : "no value",
                       "at most 32 values and a ]");
        x->list[x->n++] = v;
        char *end = p;
        p = skip(p);
        bool comma = *p == ',';
        if (!comma && *p != ']')
            return bad(m, (unsigned)(p - start) + 1, "something else", ", or ]");
        if (comma) {
            *end = 0;
            p = skip(p + 1);
        } else {
            char *close = p;
            if (close == end) { /* the bracket ends the word */
                *at = close + 1;
                *close = 0;
                return 0;
            }
            *end = 0;
        }
    }
    *at = p + 1;
    return 0;
}

static int flow(struct import *m, char *line, char *p)
{
    m->n = 0;
    p = skip(p);
    if (*p != '{')
        return bad(m, (unsigned)(p - line) + 1, "no {", "{key: value, ...} in one line");
    p = skip(p + 1);
    while (*p != '}') {
        if (m->n == MAX_PAIRS)
            return bad(m, (unsigned)(p - line) + 1, "too many keys", "}");
        struct pair *x = &m->pairs[m->n++];
        *x = (struct pair){.column = (unsigned)(p - line) + 1};
        char *colon = strchr(p, ':'), stop = 0;
        if (!colon || colon == p)
            return bad(m, x->column, "no key", "key: value");
        x->key = p;
        *colon = 0;
        p = skip(colon + 1);
        if (*p == '[') {
            int r = flow_list(m, x, &p, line);
            if (r)
                return r;
            stop = *p;
        } else {
            char *begin = p;
            x->value = scalar(&p, &stop);
            if (!x->value)
                return bad(m, (unsigned)(begin - line) + 1, "no value", "a word, a number or a quoted text");
        }
        char *end = p;
        p = skip(p);
        bool comma = *p == ',', close = *p == '}';
        if (!comma && !close)
            return bad(m, (unsigned)(p - line) + 1, "something else", ", or }");
        (void)stop;
        char *next = skip(p + 1);
        *end = 0;
        if (close) {
            if (*next && *next != '#')
                return bad(m, (unsigned)(next - line) + 1, "more behind the }", "the end of the line");
            return 0;
        }
        p = next;
    }
    return 0;
}

static struct pair *get(struct import *m, const char *key)
{
    for (unsigned i = 0; i < m->n; i++)
        if (strcmp(m->pairs[i].key, key) == 0)
            return &m->pairs[i];
    return NULL;
}

static int known_keys(struct import *m, const char *const keys[])
{
    for (unsigned i = 0; i < m->n; i++) {
        unsigned k = 0;
        while (keys[k] && strcmp(keys[k], m->pairs[i].key) != 0)
            k++;
        if (!keys[k])
            return bad_text(m, m->pairs[i].column, "key", m->pairs[i].key, "a key that the export writes");
    }
    return 0;
}

static int get_addr(struct import *m, const char *key, struct addr *ret)
{
    struct pair *x = get(m, key);
    if (!x || !x->value)
        return bad(m, 1, "no such key", key);
    if (!addr_parse(x->value, ret))
        return bad_text(m, x->column, key, x->value, "an IP or MAC address");
    return 0;
}

static void get_net(struct import *m, uint16_t *ret)
{
    struct pair *x = get(m, "network");
    *ret = x && x->value ? net_by_name(m->b, x->value) : 0;
}

/* A number up to `most`; absent: *ret stays. `word` stands for UINT32_MAX. */
static int get_number(struct import *m, const char *key, uint64_t most, const char *word, uint32_t *ret, bool *has)
{
    struct pair *x = get(m, key);
    char *end;
    if (has)
        *has = x != NULL;
    if (!x)
        return 0;
    if (x->value && word && strcmp(x->value, word) == 0) {
        *ret = UINT32_MAX;
        return 0;
    }
    unsigned long long v = x->value && *x->value >= '0' && *x->value <= '9' ? strtoull(x->value, &end, 10) : most + 1;
    if (v > most || *end)
        return bad_text(m, x->column, key, x->value ? x->value : "a list", "a number in its range");
    *ret = (uint32_t)v;
    return 0;
}

static bool is_learned(struct import *m)
{
    struct pair *x = get(m, "state");
    return !x || !x->value || strcmp(x->value, "learned") == 0;
}

/* ---- lines ---- */

static int asset_line(struct import *m)
{
    static const char *const keys[] = {"network", "address", "macs", "commands", "state", NULL};
    struct addr a, mac[LIM_ASSET_MACS];
    uint64_t commands = 0;
    uint16_t net;
    int r = known_keys(m, keys);
    get_net(m, &net);
    if (!r)
        r = get_addr(m, "address", &a);
    if (!r && (addr_is_nobody(&a) || addr_is_group(&a)))
        r = bad_text(m, get(m, "address")->column, "address", get(m, "address")->value, "the address of one device");
    struct pair *macs = get(m, "macs"), *cmds = get(m, "commands");
    for (unsigned k = 0; !r && macs && k < macs->n && k < LIM_ASSET_MACS; k++)
        if (!addr_parse(macs->list[k], &mac[k]) || !addr_is_mac(&mac[k]))
            r = bad_text(m, macs->column, "macs", macs->list[k], "a MAC address");
    for (unsigned k = 0; !r && cmds && k < cmds->n; k++) {
        int act = action_by_name(cmds->list[k]);
        if (act < 0)
            r = bad_text(m, cmds->column, "commands", cmds->list[k], "an action");
        else
            commands |= UINT64_C(1) << (EVI_CMD_SHIFT + act);
    }
    if (r || !m->apply || !is_learned(m))
        return r;
    uint32_t i = asset_find(m->b, net, &a);
    if (!i)
        i = asset_create(m->b, net, &a, 0, m->now_ns);
    struct asset *x = asset_at(m->b, i);
    life_learned(m->b, &x->life, m->now_ns);
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
    struct pair *x = get(m, "proto");
    uint32_t n = 0;
    for (unsigned l4 = 0; x && x->value && l4 < 256; l4++)
        if (l4_name((uint8_t)l4) && strcmp(l4_name((uint8_t)l4), x->value) == 0) {
            *ret = (uint8_t)l4;
            return 0;
        }
    if (!x)
        return bad(m, 1, "no such key", "proto");
    int r = get_number(m, "proto", 255, NULL, &n, NULL);
    *ret = (uint8_t)n;
    return r;
}

static int link_line(struct import *m)
{
    static const char *const keys[] = {"network", "client", "server", "proto", "port", "protocols", "state", NULL};
    struct link l = {.flags = ROW_LINK_SURE};
    uint32_t port = 0;
    bool has = false;
    int r = known_keys(m, keys);
    get_net(m, &l.net);
    if (!r)
        r = get_addr(m, "client", &l.client);
    if (!r)
        r = get_addr(m, "server", &l.server);
    if (!r)
        r = get_l4(m, &l.l4);
    if (!r)
        r = get_number(m, "port", 65535, NULL, &port, &has);
    if (!r && !has)
        r = bad(m, 1, "no such key", "port");
    l.port = (uint16_t)port;
    m->have_link = !r;
    m->in_facts = false;
    m->link = 0;
    if (r || !m->apply || !is_learned(m))
        return r;
    struct pair *apps = get(m, "protocols");
    uint32_t i = blink_find(m->b, l.net, &l.client, &l.server, l.l4, l.port);
    if (!i)
        i = blink_create(m->b, &l, m->now_ns);
    struct link *x = blink_at(m->b, i);
    life_learned(m->b, &x->life, m->now_ns);
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
    struct pair *errors = get(m, "errors");
    uint32_t fi = func_find(b, m->link, f->proto, f->fn, f->sel, f->has_unit, f->unit, f->sub), oi;
    f->link = m->link;
    if (!fi)
        fi = func_create(b, f, m->now_ns);
    if (func_at(b, fi)->life.learned != FACT_LEARNED)
        life_learned(b, &func_at(b, fi)->life, m->now_ns);
    due(b, &func_at(b, fi)->dirty);
    oi = op_find(b, fi, k);
    if (!oi)
        oi = op_create(b, fi, k, m->now_ns);
    struct op *o = op_at(b, oi);
    if (o->life.learned != FACT_LEARNED)
        life_learned(b, &o->life, m->now_ns);
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
    return 0;
}

static int fact_line(struct import *m)
{
    static const char *const keys[] = {"protocol", "unit", "slot", "function", "code", "selector", "action", "object",
                                       "errors", "state", NULL};
    struct func f = {.sel = OP_ANY_SELECTOR};
    struct op_key k = {.kind = REC_NO_KIND, .bit = ITEM_BIT_NONE};
    bool has_unit = false, has_code = false;
    int r = known_keys(m, keys);
    struct pair *proto = get(m, "protocol"), *action = get(m, "action"), *object = get(m, "object");
    struct pair *name = get(m, "function"), *errors = get(m, "errors");
    if (!r)
        r = get_number(m, "unit", UINT32_MAX, NULL, &f.unit, &has_unit);
    if (!r)
        r = get_number(m, "slot", UINT32_MAX, NULL, &f.sub, NULL);
    if (!r)
        r = get_number(m, "code", UINT32_MAX, "none", &f.fn, &has_code);
    if (!r)
        r = get_number(m, "selector", UINT32_MAX, NULL, &f.sel, NULL);
    if (!r && (!proto || !proto->value || !has_code || !action || !action->value))
        return bad(m, 1, "a fact without it", "protocol, code and action");
    for (unsigned i = 0; !r && errors && i < errors->n; i++)
        if (strspn(errors->list[i], "0123456789") != strlen(errors->list[i]))
            r = bad_text(m, errors->column, "errors", errors->list[i], "a number");
    if (r)
        return r;
    f.proto = app_intern(m->b, proto->value, NULL);
    const struct proto_schema *s = m->b->apps[f.proto].schema;
    int act = action_by_name(action->value);
    if (!s)
        return bad_text(m, proto->column, "protocol", proto->value, "a protocol that tyto dissects");
    if (act < 0)
        return bad_text(m, action->column, "action", action->value, "an action");
    k.action = f.action = (uint8_t)act;
    if (object && object->value && !object_parse(s, object->value, &k))
        return bad_text(m, object->column, "object", object->value,
                        "an object of this protocol, as in holding_register:0-9");
    f.has_unit = has_unit;
    snprintf(f.name, sizeof f.name, "%s", name && name->value ? name->value : "");
    return m->apply && m->link && is_learned(m) ? fact_apply(m, &f, &k) : 0;
}

static int accepted_line(struct import *m)
{
    static const char *const keys[] = {"alert", "src", "dst", "what", "key", NULL};
    int r = known_keys(m, keys);
    const struct pair *key = get(m, "key"), *type = get(m, "alert");
    struct row_accepted a = {.since_ns = m->now_ns};
    char *end = NULL;
    if (r)
        return r;
    if (!key || !key->value || !type || !type->value)
        return bad(m, 1, "an accepted alert without it", "alert and key");
    a.key = strtoull(key->value, &end, 16);
    if (*end || strlen(key->value) != 16)
        return bad_text(m, key->column, "key", key->value, "16 hex digits");
    const char **const to[] = {&a.type, &a.src, &a.dst, &a.what};
    for (unsigned i = 0; i < ARRAY_LEN(to); i++)
        *to[i] = get(m, keys[i]) ? get(m, keys[i])->value : NULL;
    return m->apply ? baseline_accept_alert(m->b, &a, m->e) : 0;
}

static int one_line(struct import *m, char *line)
{
    char *p = skip(line);
    size_t indent = (size_t)(p - line);
    if (!*p || *p == '#')
        return 0;
    if (indent == 0 && strncmp(p, "tyto_baseline:", 14) == 0) {
        if (atoi(p + 14) != 1)
            return bad(m, 16, "another version", "1");
        return 0;
    }
    if (indent == 0 && (strcmp(p, "assets:") == 0 || strcmp(p, "links:") == 0 || strcmp(p, "accepted:") == 0)) {
        m->part = *p == 'l' ? IN_LINKS : p[1] == 's' ? IN_ASSETS : IN_ACCEPTED;
        m->have_link = false;
        return 0;
    }
    if (m->part == IN_LINKS && strcmp(p, "facts:") == 0 && m->have_link) {
        m->in_facts = true;
        return 0;
    }
    if (p[0] != '-' || p[1] != ' ' || m->part == IN_HEAD)
        return bad(m, (unsigned)indent + 1, "something else",
                   "tyto_baseline: 1, assets:, links:, accepted:, facts: or \"- {\"");
    p = skip(p + 2);
    bool is_link = m->part == IN_LINKS && strncmp(p, "link:", 5) == 0;
    if (m->part == IN_LINKS && !is_link && !m->in_facts)
        return bad(m, (unsigned)indent + 1, "something else", "\"- link: {\" or facts:");
    int r = flow(m, line, is_link ? p + 5 : p);
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
    m->have_link = m->in_facts = false;
    while (!r && fgets(line, sizeof line, f)) {
        size_t n = strlen(line);
        m->line++;
        if (n && line[n - 1] == '\n')
            line[--n] = 0;
        else if (n + 1 == sizeof line)
            return bad(m, LINE, "a line too long", "at most 4095 characters");
        if (n && line[n - 1] == '\r')
            line[n - 1] = 0;
        r = one_line(m, line);
    }
    if (!r && m->part == IN_HEAD)
        r = bad(m, 1, "the end", "assets: or links:");
    return r ? r : ferror(f) ? err_set(m->e, -EIO, "%s: cannot be read", m->name) : 0;
}

int baseline_import(struct baseline *b, FILE *f, const char *name, uint64_t now_ns, struct err *e)
{
    struct import *m = calloc(1, sizeof *m);
    if (!m)
        return err_set(e, -ENOMEM, "no memory for the import");
    *m = (struct import){.b = b, .name = name, .now_ns = now_ns, .e = e};
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
