/* compile_leaf.c: conditions that name what a protocol has (functions, statuses, anomalies, fields) and addresses and
 * times. A name that no protocol of the rule has is refused. */
#include "rules/cond.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/site.h"

/* "found 'x', expected ...": with the most similar name of those collected. */
struct names {
    const char *v[512];
    unsigned n;
};

static void names_add(struct names *l, const char *s)
{
    if (l->n < ARRAY_LEN(l->v) - 1)
        l->v[l->n++] = s;
    l->v[l->n] = NULL;
}

static int not_found(struct compile *c, const struct yaml_node *n, const char *what, const struct names *l)
{
    const char *near = l->n ? yaml_nearest(n->text, l->v) : NULL;
    if (near)
        return yaml_expected(n, c->err, "%s: '%s'?", what, near);
    return yaml_expected(n, c->err, "%s", what);
}

/* A growing list of patterns of one leaf. */
#define PUSH(list, n, cap, ...) \
    ((n) < (cap) ? ((list)[(n)++] = (__VA_ARGS__), true) : false)

/* ---- function ---- */

enum { MAX_PATS = 2048 };

struct fn_list {
    struct fn_pat v[MAX_PATS];
    uint32_t n;
};

/* The decimal notation stands for the code only where the protocol writes its codes so. */
static bool is_decimal_fn(const struct proto_schema *s, uint32_t fn)
{
    char shown[FN_TEXT] = "", plain[FN_TEXT];
    schema_fn_text(s, fn, shown);
    snprintf(plain, sizeof plain, "%u", fn);
    return strcmp(shown, plain) == 0;
}

static void match_rows(const struct proto_schema *s, const struct glob *g, struct fn_list *l, struct names *seen)
{
    uint32_t before = UINT32_MAX;
    for (uint32_t i = 0; i < s->n_ops; i++) {
        const struct op_row *row = &s->ops[i];
        char text[FN_TEXT] = "";
        names_add(seen, row->name);
        if (glob_match(g, row->name, (uint32_t)strlen(row->name))) {
            (void)PUSH(l->v, l->n, MAX_PATS, (struct fn_pat){.schema = s, .row = row});
            continue;
        }
        if (!g->plain || row->fn == before)
            continue;
        schema_fn_text(s, row->fn, text);
        if (strcmp(g->s, text) == 0) {
            before = row->fn;
            (void)PUSH(l->v, l->n, MAX_PATS, (struct fn_pat){.schema = s, .lo = row->fn, .hi = row->fn});
        }
    }
}

static uint32_t fn_most(const struct proto_schema *s)
{
    return s->fn_max ? s->fn_max : UINT32_MAX - 1;
}

static bool code_range(const char *text, struct range *r)
{
    static const struct number_rule code = {0, UINT32_MAX - 1, true, NULL, ""};
    return parse_range(text, &code, r) && !r->not;
}

/* A code that no message can carry is an error in writing. */
static void match_codes(const struct proto_schema *s, const char *text, struct fn_list *l)
{
    struct range r;
    if (!code_range(text, &r))
        return;
    bool open = r.hi > UINT32_MAX - 1; /* "> 8" */
    uint32_t lo = r.lo < 0 ? 0 : (uint32_t)r.lo + r.lo_open;
    uint32_t hi = open ? fn_most(s) : (uint32_t)r.hi - (r.hi_open && r.hi > 0);
    if (lo <= hi && hi <= fn_most(s) && is_decimal_fn(s, lo) && is_decimal_fn(s, hi))
        (void)PUSH(l->v, l->n, MAX_PATS, (struct fn_pat){.schema = s, .lo = lo, .hi = hi});
}

/* A number that is none of them: how far they go. */
static int no_function(struct compile *c, const struct scope *s, const struct yaml_node *n, const struct names *seen)
{
    uint32_t most = 0;
    struct range r;
    for (unsigned i = 0; i < c->rs->o.n_schemas; i++) {
        const struct proto_schema *p = c->rs->o.schemas[i];
        if (scope_has(s, i) && p->fn_max > most)
            most = p->fn_max;
    }
    if (most && code_range(n->text, &r))
        return yaml_expected(n, c->err, "the name or number of a function of the protocol, at most %u", most);
    return not_found(c, n, "the name or number of a function of the protocol", seen);
}

int leaf_function(struct compile *c, const struct scope *s, const struct yaml_node *n, struct cond *ret)
{
    struct fn_list *l = malloc(sizeof *l);
    uint32_t len;
    int r = l ? list_len(n, c->err, &len) : no_mem(c);
    if (l)
        l->n = 0;
    if (r < 0) {
        free(l);
        return r;
    }
    YAML_EACH (it, n) {
        struct names seen = {.n = 0};
        struct glob g = glob_make(c, it->text, it->len);
        uint32_t before = l->n;
        for (unsigned i = 0; r == 0 && g.s && i < c->rs->o.n_schemas; i++) {
            const struct proto_schema *p = c->rs->o.schemas[i];
            if (!scope_has(s, i))
                continue;
            match_rows(p, &g, l, &seen);
            if (before == l->n)
                match_codes(p, it->text, l);
        }
        if (!g.s)
            r = no_mem(c);
        else if (l->n == before)
            r = no_function(c, s, it, &seen);
        if (r < 0)
            break;
    }
    struct fn_pat *v = r == 0 ? set_take(c->rs, l->n * sizeof *v) : NULL;
    if (v) {
        memcpy(v, l->v, l->n * sizeof *v);
        ret->fns = v;
        ret->n = l->n;
    } else if (r == 0) {
        r = no_mem(c);
    }
    free(l);
    return r;
}

/* ---- status and anomaly ---- */

static int keep_codes(struct compile *c, const struct code_pat *v, uint32_t n, struct cond *ret)
{
    struct code_pat *p = set_take(c->rs, n * sizeof *p);
    if (!p)
        return no_mem(c);
    memcpy(p, v, n * sizeof *p);
    ret->codes = p;
    ret->n = n;
    return 0;
}

static bool status_range(const char *text, struct code_pat *ret)
{
    static const struct number_rule code = {0, UINT32_MAX, true, NULL, ""};
    struct range r;
    if (!parse_range(text, &code, &r) || r.not)
        return false;
    long double hi = r.hi > UINT32_MAX ? UINT32_MAX : r.hi, lo = r.lo < 0 ? 0 : r.lo;
    *ret = (struct code_pat){.lo = (uint32_t)lo + (r.lo_open && r.lo >= 0),
                             .hi = (uint32_t)hi - (r.hi_open && r.hi > 0 && r.hi <= UINT32_MAX)};
    return true;
}

int leaf_status(struct compile *c, const struct scope *s, const struct yaml_node *n, struct cond *ret)
{
    struct code_pat v[RULES_MAX_LIST];
    uint32_t len, at = 0;
    int r = list_len(n, c->err, &len);
    if (r < 0)
        return r;
    YAML_EACH (it, n) {
        struct names seen = {.n = 0};
        uint32_t before = at;
        if (at < ARRAY_LEN(v) && status_range(it->text, &v[at])) {
            at++;
            continue;
        }
        for (unsigned i = 0; i < c->rs->o.n_schemas; i++) {
            const struct proto_schema *p = c->rs->o.schemas[i];
            for (const struct code_name *k = p->statuses; scope_has(s, i) && k && k->name; k++) {
                names_add(&seen, k->name);
                if (strcmp(k->name, it->text) == 0)
                    (void)PUSH(v, at, ARRAY_LEN(v), (struct code_pat){.schema = p, .lo = k->code, .hi = k->code});
            }
        }
        if (at == before)
            return not_found(c, it, "a code, or the name of a status of the protocol", &seen);
    }
    return keep_codes(c, v, at, ret);
}

int leaf_anomaly(struct compile *c, const struct scope *s, const struct yaml_node *n, struct cond *ret)
{
    struct code_pat v[RULES_SCHEMAS];
    const struct ruleset_opts *o = &c->rs->o;
    uint32_t len, at = 0;
    bool flag;
    struct err ignored;
    int r = list_len(n, c->err, &len);
    if (r < 0)
        return r;
    for (unsigned i = 0; i < o->n_schemas && i < RULES_SCHEMAS; i++)
        v[i] = (struct code_pat){.schema = o->schemas[i]};
    if (yaml_bool(n, &flag, &ignored) == 0) { /* any at all, or none */
        ret->neg = !flag;
        v[0] = (struct code_pat){.mask = UINT64_MAX};
        return keep_codes(c, v, 1, ret);
    }
    YAML_EACH (it, n) {
        struct names seen = {.n = 0};
        struct glob g = glob_make(c, it->text, it->len);
        bool found = false;
        if (!g.s)
            return no_mem(c);
        for (unsigned i = 0; i < o->n_schemas; i++) {
            for (uint32_t k = 0; scope_has(s, i) && k < o->schemas[i]->n_anomalies && k < 64; k++) {
                const char *name = o->schemas[i]->anomalies[k].name;
                names_add(&seen, name);
                if (!glob_match(&g, name, (uint32_t)strlen(name)))
                    continue;
                v[i].mask |= UINT64_C(1) << k;
                found = true;
            }
        }
        if (!found)
            return not_found(c, it, "the name of an anomaly of the protocol", &seen);
    }
    for (unsigned i = 0; i < o->n_schemas; i++)
        if (v[i].mask)
            v[at++] = v[i];
    return keep_codes(c, v, at, ret);
}

/* ---- a field of the protocol's own object ---- */

static bool number_type(unsigned type)
{
    return type == FT_UINT || type == FT_INT || type == FT_HEX || type == FT_DOUBLE || type == FT_TIME;
}

/* Names of codes become codes. */
static bool code_test(const struct field_def *d, const struct glob *g, struct range *v, uint32_t *n, uint32_t cap,
                      struct names *seen)
{
    bool found = false;
    for (const struct code_name *k = d->names; k && k->name; k++) {
        names_add(seen, k->name);
        if (glob_match(g, k->name, (uint32_t)strlen(k->name)))
            found |= PUSH(v, *n, cap, (struct range){.lo = k->code, .hi = k->code});
    }
    return found;
}

static bool ipv4_test(const char *s, struct range *ret)
{
    unsigned a, b, c4, d, bits = 32;
    int used = 0;
    if (sscanf(s, "%3u.%3u.%3u.%3u%n", &a, &b, &c4, &d, &used) != 4 || a > 255 || b > 255 || c4 > 255 || d > 255)
        return false;
    if (s[used] == '/' && (sscanf(s + used, "/%2u%n", &bits, &used) != 1 || bits > 32))
        return false;
    uint32_t ip = a << 24 | b << 16 | c4 << 8 | d, mask = bits ? UINT32_MAX << (32 - bits) : 0;
    *ret = (struct range){.lo = ip & mask, .hi = (ip & mask) | ~mask};
    return true;
}

static bool bool_test(const struct yaml_node *n, struct range *ret)
{
    struct err ignored;
    bool v;
    if (yaml_bool(n, &v, &ignored) < 0)
        return false;
    *ret = (struct range){.lo = v, .hi = v};
    return true;
}

static int one_test(struct compile *c, const struct yaml_node *it, const struct field_def *d, struct range *v,
                    uint32_t *n, uint32_t cap)
{
    static const struct number_rule any = {.min = -HUGE_VALL, .max = HUGE_VALL};
    struct names seen = {.n = 0};
    if (*n == cap)
        return yaml_err(it, c->err, "found more values than the bound, expected fewer");
    if (d->type == FT_BOOL && bool_test(it, &v[*n]))
        return ++*n, 0;
    if (d->type == FT_BOOL)
        return yaml_expected(it, c->err, "true or false");
    if (d->type == FT_IPV4)
        return ipv4_test(it->text, &v[*n]) ? (++*n, 0) : yaml_expected(it, c->err, "an IPv4 address or subnet");
    if ((number_type(d->type) || d->type == FT_NAME) && parse_range(it->text, &any, &v[*n]))
        return ++*n, 0;
    if (d->type != FT_NAME)
        return yaml_expected(it, c->err, "a number, a range (1-5) or a comparison (> 5)");
    struct glob g = glob_make(c, it->text, it->len);
    if (!g.s)
        return no_mem(c);
    return code_test(d, &g, v, n, cap, &seen) ? 0 : not_found(c, it, "a code or its name", &seen);
}

static int field_tests(struct compile *c, const struct yaml_node *n, const struct field_def *d, struct tests *ret)
{
    uint32_t len, at = 0;
    int r = list_len(n, c->err, &len);
    if (r < 0)
        return r;
    struct tests t = {0};
    if (yaml_is(n, "*")) {
        t.any = true;
    } else if (d->type == FT_TEXT || d->type == FT_BYTES) {
        r = parse_globs(c, n, &t.globs);
    } else {
        uint32_t cap = len + 256;
        struct range *v = set_take(c->rs, cap * sizeof *v);
        if (!v)
            return no_mem(c);
        YAML_EACH (it, n)
            if (r == 0)
                r = one_test(c, it, d, v, &at, cap);
        t.ranges = (struct ranges){v, at};
    }
    if (r == 0)
        *ret = t;
    return r;
}

int leaf_field(struct compile *c, const struct scope *s, const struct yaml_node *n, struct cond *ret)
{
    const struct ruleset_opts *o = &c->rs->o;
    const char *name = n->key->text, *dot = strchr(name, '.');
    struct field_pat v[16];
    struct names seen = {.n = 0};
    char group[64];
    uint32_t at = 0;
    if (dot == name || (size_t)(dot - name) >= sizeof group)
        return yaml_expected(n->key, c->err, "a field such as 'modbus.sub_function'");
    memcpy(group, name, (size_t)(dot - name));
    group[dot - name] = 0;
    for (unsigned i = 0; i < o->n_schemas; i++) {
        const struct proto_schema *p = o->schemas[i];
        for (uint32_t k = 0; scope_has(s, i) && k < p->n_fields; k++) {
            const struct field_def *d = &p->fields[k];
            if (strcmp(d->group ? d->group : p->name, group) != 0)
                continue;
            names_add(&seen, d->key);
            if (strcmp(d->key, dot + 1) != 0 || at == ARRAY_LEN(v))
                continue;
            v[at] = (struct field_pat){.schema = p, .id = (uint8_t)k, .type = d->type};
            int r = field_tests(c, n, d, &v[at++].test);
            if (r < 0)
                return r;
        }
    }
    if (at == 0) {
        const char *near = yaml_nearest(dot + 1, seen.n ? seen.v : (const char *const[]){NULL});
        char what[64];
        yaml_describe(n->key, what);
        return near ? yaml_err(n->key, c->err, "found the unknown field %s, expected '%s.%s'?", what, group, near)
                    : yaml_err(n->key, c->err, "found the unknown field %s, expected a field of %s", what,
                               seen.n ? group : "the rule's protocol");
    }
    struct field_pat *keep = set_take(c->rs, at * sizeof *keep);
    if (!keep)
        return no_mem(c);
    memcpy(keep, v, at * sizeof *keep);
    ret->fields = keep;
    ret->n = at;
    return 0;
}

/* ---- addresses ---- */

static bool parse_net(const char *text, struct net_pat *ret)
{
    struct net_pat p = {.bits = 128};
    struct subnet n;
    if (strcmp(text, "group") == 0) {
        p.group = 1;
    } else if (addr_parse(text, &p.a) && addr_is_mac(&p.a)) {
        p.mac = 1;
    } else {
        if (!subnet_parse(text, &n))
            return false;
        p.a = n.base;
        p.bits = n.bits;
    }
    *ret = p;
    return true;
}

int leaf_addr(struct compile *c, const struct yaml_node *n, struct cond *ret)
{
    uint32_t len, at = 0;
    int r = list_len(n, c->err, &len);
    if (r < 0)
        return r;
    struct net_pat *v = set_take(c->rs, len * sizeof *v);
    if (!v)
        return no_mem(c);
    YAML_EACH (it, n)
        if (!parse_net(it->text, &v[at++]))
            return yaml_expected(it, c->err, "an IP address, a subnet (10.0.0.0/8), a MAC address or 'group'");
    ret->nets = v;
    ret->n = len;
    return 0;
}

/* ---- times ---- */

static bool clock_time(const char *s, unsigned n, uint16_t *ret)
{
    if (n != 5 || s[2] != ':' || strspn(s, "0123456789") != 2 || strspn(s + 3, "0123456789") < 2)
        return false;
    unsigned h = (unsigned)(s[0] - '0') * 10 + (unsigned)(s[1] - '0');
    unsigned m = (unsigned)(s[3] - '0') * 10 + (unsigned)(s[4] - '0');
    if (m > 59 || h > 24 || (h == 24 && m))
        return false;
    *ret = (uint16_t)(h * 60 + m);
    return true;
}

int leaf_time(struct compile *c, const struct yaml_node *n, struct cond *ret)
{
    const char *dash = n->type == YAML_TEXT ? strchr(n->text, '-') : NULL;
    if (!dash || !clock_time(n->text, (unsigned)(dash - n->text), &ret->time.from) ||
        !clock_time(dash + 1, (unsigned)strlen(dash + 1), &ret->time.to) || ret->time.from == ret->time.to)
        return yaml_expected(n, c->err, "a span of the day such as '07:00-18:00' (or '22:00-06:00')");
    return 0;
}

int leaf_weekday(struct compile *c, const struct yaml_node *n, struct cond *ret)
{
    static const char *const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};
    uint32_t len;
    int r = list_len(n, c->err, &len);
    if (r < 0)
        return r;
    YAML_EACH (it, n) {
        int day[2] = {-1, -1};
        bool span = it->len == 7 && it->text[3] == '-';
        for (int i = 0; days[i]; i++) {
            if (strncmp(days[i], it->text, 3) == 0)
                day[0] = i;
            if (span && strcmp(days[i], it->text + 4) == 0)
                day[1] = i;
        }
        if (day[0] < 0 || (span && day[1] < 0) || (!span && it->len != 3))
            return yaml_expected(it, c->err, "days such as mon, or mon-fri");
        for (int i = day[0];; i = (i + 1) % 7) {
            ret->mask |= UINT64_C(1) << i;
            if (!span || i == day[1])
                break;
        }
    }
    return 0;
}
