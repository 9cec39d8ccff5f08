/* compile.c: a `when:` mapping becomes a tree of conditions. All keys of a mapping hold together. */
#include "rules/cond.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/site.h"

/* What a key means; see the table below. */
struct key {
    const char *name;
    uint8_t op, what, side;
    int (*parse)(struct compile *c, const struct scope *s, const struct key *k, const struct yaml_node *n,
                 struct cond *ret);
};

static int compile_map(struct compile *c, const struct scope *outer, const struct yaml_node *n, unsigned depth,
                       const struct cond **ret);

struct cond *cond_new(struct compile *c, unsigned op)
{
    struct cond *k = set_take(c->rs, sizeof *k);
    if (k)
        k->op = (uint8_t)op;
    return k;
}

/* ---- leaves of plain shape ---- */

static uint64_t time_unit(const char *s)
{
    static const struct { const char *name; uint64_t ns; } units[] = {
        {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {"m", UINT64_C(60000000000)}};
    for (unsigned i = 0; i < ARRAY_LEN(units); i++)
        if (strcmp(units[i].name, s) == 0)
            return units[i].ns;
    return 0;
}

static const struct number_rule number_rules[] = {
    [NUM_UNIT] = {0, UINT32_MAX, true, NULL, "a number, range (1-5) or comparison (> 5) of units"},
    [NUM_SLOT] = {0, UINT32_MAX, true, NULL, "a number, range (1-5) or comparison (> 5) of slots"},
    [NUM_SELECTOR] = {0, UINT32_MAX, true, NULL, "a number, range (1-5) or comparison (> 5)"},
    [NUM_PORT] = {0, 65535, true, NULL, "a port, range (1024-65535) or comparison (> 1023)"},
    [NUM_VLAN] = {0, 4095, true, NULL, "a VLAN id or range, 0 to 4095"},
    [NUM_OBJECTS] = {0, UINT32_MAX, true, NULL, "a number, range (1-5) or comparison (> 100) of objects"},
    [NUM_LATENCY] = {0, 1e18L, false, time_unit, "a comparison with a duration, such as '> 500ms'"},
};

static int parse_numbers(struct compile *c, const struct scope *s, const struct key *k, const struct yaml_node *n,
                         struct cond *ret)
{
    (void)s;
    return parse_ranges(c, n, &number_rules[k->what], &ret->ranges);
}

static int parse_purdue(struct compile *c, const struct scope *s, const struct key *k, const struct yaml_node *n,
                        struct cond *ret)
{
    static const struct number_rule level = {0, 50, true, NULL, "a level 0 to 5 (3.5 is written 35) or a comparison"};
    (void)s, (void)k;
    return parse_ranges(c, n, &level, &ret->ranges);
}

static int parse_network(struct compile *c, const struct scope *s, const struct key *k, const struct yaml_node *n,
                         struct cond *ret)
{
    const struct ruleset_opts *o = &c->rs->o;
    uint32_t len, at = 0;
    (void)s, (void)k;
    int r = list_len(n, c->err, &len);
    if (r < 0)
        return r;
    struct range *v = set_take(c->rs, len * sizeof *v);
    if (!v)
        return no_mem(c);
    YAML_EACH (it, n) {
        int i = -1;
        for (unsigned j = 0; o->networks && i < 0 && j < o->n_networks; j++)
            if (strcmp(o->networks[j], it->text) == 0)
                i = (int)j;
        if (!o->networks && o->site)
            i = site_network_by_name(o->site, it->text);
        if (i < 0)
            return yaml_expected(it, c->err, "the name of a configured network");
        v[at++] = (struct range){.lo = i, .hi = i};
    }
    ret->ranges = (struct ranges){v, len};
    return 0;
}

/* Names whose index is a bit. NULL in the middle is skipped. */
static int parse_names(struct compile *c, const struct yaml_node *n, const char *const names[], uint64_t *ret)
{
    uint64_t mask = 0;
    uint32_t len;
    unsigned i;
    int r = list_len(n, c->err, &len);
    if (r < 0)
        return r;
    YAML_EACH (it, n) {
        r = yaml_enum(it, names, &i, c->err);
        if (r < 0)
            return r;
        mask |= UINT64_C(1) << i;
    }
    *ret = mask;
    return 0;
}

static int parse_enum(struct compile *c, const struct scope *s, const struct key *k, const struct yaml_node *n,
                      struct cond *ret)
{
    static const char *const kinds[] = {"message", "transaction", "request", "response", "unsolicited", NULL};
    static const char *const outcomes[] = {"unknown", "accepted", "refused", "executed", "partial", NULL};
    static const char *const phases[] = {"none", "select", "execute", "confirm", "terminate", NULL};
    static const char *const senders[] = {"server", "client", NULL};
    static const char *const transports[] = {"tcp", "udp", "eth", "other", NULL};
    static const char *const *const lists[] = {
        [ENUM_KIND] = kinds, [ENUM_OUTCOME] = outcomes, [ENUM_PHASE] = phases, [ENUM_SENDER] = senders,
        [ENUM_TRANSPORT] = transports};
    (void)s;
    return parse_names(c, n, lists[k->what], &ret->mask);
}

static int parse_action(struct compile *c, const struct scope *s, const struct key *k, const struct yaml_node *n,
                        struct cond *ret)
{
    const char *names[ACT_COUNT + 2];
    uint64_t mask;
    (void)s, (void)k;
    for (unsigned i = 0; i < ACT_COUNT; i++)
        names[i] = action_name(i);
    names[ACT_COUNT] = "change"; /* every action that changes a device or the process */
    names[ACT_COUNT + 1] = NULL;
    int r = parse_names(c, n, names, &mask);
    if (r < 0)
        return r;
    for (unsigned i = 0; i < ACT_COUNT && mask >> ACT_COUNT & 1; i++)
        mask |= (uint64_t)action_changes(i) << i;
    ret->mask = mask & (((uint64_t)1 << ACT_COUNT) - 1);
    return 0;
}

static int parse_roles(struct compile *c, const struct scope *s, const struct key *k, const struct yaml_node *n,
                       struct cond *ret)
{
    static const char *const roles[] = {"controller", "rtu", "hmi", "engineering_station", "field_device", "gateway",
                                        "router", "server", "workstation", "historian", "switch", NULL};
    _Static_assert(ROLE_SWITCH == 1 << 10 && ROLE_ENGINEERING == 1 << 3, "the names are in the order of the bits");
    (void)s, (void)k;
    return parse_names(c, n, roles, &ret->mask);
}

static int parse_text(struct compile *c, const struct scope *s, const struct key *k, const struct yaml_node *n,
                      struct cond *ret)
{
    (void)s, (void)k;
    return parse_globs(c, n, &ret->globs);
}

static int unknown_zone(struct compile *c, const struct yaml_node *n)
{
    enum { MOST = 255 };
    const struct site *s = c->rs->o.site;
    const char *names[MOST + 2] = {"none"};
    char what[64];
    for (uint32_t i = 0; i < s->n_zones && i < MOST; i++)
        names[i + 1] = s->zones[i].name;
    const char *near = yaml_nearest(n->text, names);
    return yaml_err(n, c->err, "found the unknown zone %s, expected %s%s%s", yaml_describe(n, what), near ? "'" : "",
                    near ? near : "one of the configured zones, or none", near ? "'?" : "");
}

/* A condition on a zone that nobody is in would never hold, silently. Which zones there are, only a configuration
 * tells. */
static int parse_zone(struct compile *c, const struct scope *s, const struct key *k, const struct yaml_node *n,
                      struct cond *ret)
{
    const struct site *site = c->rs->o.site;
    int r = parse_text(c, s, k, n, ret);
    if (r < 0 || !site || !site->n_zones)
        return r;
    ret->op = site->names_macs ? C_DEVICE_ZONE : C_ZONE;
    uint32_t at = 0;
    YAML_EACH (it, n) {
        const struct glob *g = &ret->globs.v[at++];
        bool known = glob_match(g, "none", 4);
        for (uint32_t i = 0; i < site->n_zones && !known; i++)
            known = glob_match(g, site->zones[i].name, (uint32_t)strlen(site->zones[i].name));
        if (!known)
            return unknown_zone(c, it);
    }
    return 0;
}

/* Where nobody is configured nobody can be told apart from the engineering stations: "true" asks for the role that was
 * observed then, and "false" never holds. */
static void engineer(const struct compile *c, bool yes, struct cond *ret)
{
    if (c->rs->o.site && site_has_engineering_stations(c->rs->o.site)) {
        ret->op = c->rs->o.site->names_macs ? C_DEVICE_ENGINEER : C_ENGINEER;
        ret->neg = !yes;
    } else if (yes) {
        ret->op = C_ROLE;
        ret->mask = ROLE_ENGINEERING;
    } else {
        ret->op = C_NEVER;
    }
}

/* Not opposites: a device without a zone is in the same zone as nobody, and in no other one either. */
static void zones(const struct compile *c, bool yes, struct cond *ret)
{
    const struct site *s = c->rs->o.site;
    bool any = s && s->n_zones, device = any && s->names_macs;
    ret->op = !any ? C_NEVER
              : yes ? device ? C_DEVICE_SAME_ZONE : C_SAME_ZONE
                    : device ? C_DEVICE_OTHER_ZONE : C_OTHER_ZONE;
}

/* true: the condition holds; false: it does not */
static int parse_flag(struct compile *c, const struct scope *s, const struct key *k, const struct yaml_node *n,
                      struct cond *ret)
{
    bool yes;
    (void)s;
    int r = yaml_bool(n, &yes, c->err);
    if (r < 0)
        return r;
    if (k->op == C_ENUM)
        ret->mask = 2;
    if (k->op == C_ENGINEER)
        engineer(c, yes, ret);
    else if (k->op == C_SAME_ZONE)
        zones(c, yes, ret);
    else
        ret->neg = !yes;
    return 0;
}

static int parse_protocol(struct compile *c, const struct scope *s, const struct key *k, const struct yaml_node *n,
                          struct cond *ret)
{
    const struct ruleset_opts *o = &c->rs->o;
    const char *names[RULES_SCHEMAS + 1] = {NULL};
    uint32_t len;
    unsigned i;
    (void)s, (void)k;
    for (i = 0; i < o->n_schemas; i++)
        names[i] = o->schemas[i]->name;
    int r = list_len(n, c->err, &len);
    if (r < 0)
        return r;
    YAML_EACH (it, n) {
        r = yaml_enum(it, names, &i, c->err);
        if (r < 0 && c->shipped)
            continue;
        if (r < 0)
            return r;
        ret->schemas[i / 64] |= UINT64_C(1) << (i % 64);
    }
    return 0;
}

static bool no_protocol(const struct cond *k)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < ARRAY_LEN(k->schemas); i++)
        any |= k->schemas[i];
    return !any;
}

static int parse_scoped(struct compile *c, const struct scope *s, const struct key *k, const struct yaml_node *n,
                        struct cond *ret)
{
    switch (k->op) {
    case C_FUNCTION:
        return leaf_function(c, s, n, ret);
    case C_STATUS:
        return leaf_status(c, s, n, ret);
    case C_ANOMALY:
        return leaf_anomaly(c, s, n, ret);
    default:
        return -EINVAL;
    }
}

static int parse_local(struct compile *c, const struct scope *s, const struct key *k, const struct yaml_node *n,
                       struct cond *ret)
{
    (void)s;
    if (k->op == C_ADDR)
        return leaf_addr(c, n, ret);
    return k->op == C_TIME ? leaf_time(c, n, ret) : leaf_weekday(c, n, ret);
}

/* clang-format off */
static const struct key keys[] = {
    {"protocol",        C_PROTOCOL, 0, 0, parse_protocol},
    {"action",          C_ACTION,   0, 0, parse_action},
    {"function",        C_FUNCTION, 0, 0, parse_scoped},
    {"selector",        C_NUMBER, NUM_SELECTOR, 0, parse_numbers},
    {"unit",            C_NUMBER, NUM_UNIT,     0, parse_numbers},
    {"slot",            C_NUMBER, NUM_SLOT,     0, parse_numbers},
    {"objects_total",   C_NUMBER, NUM_OBJECTS,  0, parse_numbers},
    {"latency",         C_NUMBER, NUM_LATENCY,  0, parse_numbers},
    {"vlan",            C_NUMBER, NUM_VLAN,     0, parse_numbers},
    {"network",         C_NUMBER, NUM_NETWORK,  0, parse_network},
    {"src_port",        C_NUMBER, NUM_PORT, SIDE_SRC, parse_numbers},
    {"dst_port",        C_NUMBER, NUM_PORT, SIDE_DST, parse_numbers},
    {"kind",            C_ENUM, ENUM_KIND,      0, parse_enum},
    {"outcome",         C_ENUM, ENUM_OUTCOME,   0, parse_enum},
    {"phase",           C_ENUM, ENUM_PHASE,     0, parse_enum},
    {"sender",          C_ENUM, ENUM_SENDER,    0, parse_enum},
    {"transport",       C_ENUM, ENUM_TRANSPORT, 0, parse_enum},
    {"error",           C_ENUM, ENUM_ERROR,     0, parse_flag},
    {"truncated",       C_ENUM, ENUM_TRUNCATED, 0, parse_flag},
    {"status",          C_STATUS,  0, 0, parse_scoped},
    {"anomaly",         C_ANOMALY, 0, 0, parse_scoped},
    {"src",             C_ADDR, 0, SIDE_SRC, parse_local},
    {"dst",             C_ADDR, 0, SIDE_DST, parse_local},
    {"host",            C_ADDR, 0, SIDE_ANY, parse_local},
    {"time",            C_TIME,    0, 0, parse_local},
    {"weekday",         C_WEEKDAY, 0, 0, parse_local},
    {"src_zone",        C_ZONE, 0, SIDE_SRC, parse_zone},
    {"dst_zone",        C_ZONE, 0, SIDE_DST, parse_zone},
    {"src_name",        C_TEXT, TEXT_NAME, SIDE_SRC, parse_text},
    {"dst_name",        C_TEXT, TEXT_NAME, SIDE_DST, parse_text},
    {"src_type",        C_TEXT, TEXT_TYPE, SIDE_SRC, parse_text},
    {"dst_type",        C_TEXT, TEXT_TYPE, SIDE_DST, parse_text},
    {"src_vendor",      C_TEXT, TEXT_VENDOR, SIDE_SRC, parse_text},
    {"dst_vendor",      C_TEXT, TEXT_VENDOR, SIDE_DST, parse_text},
    {"src_criticality", C_TEXT, TEXT_CRITICALITY, SIDE_SRC, parse_text},
    {"dst_criticality", C_TEXT, TEXT_CRITICALITY, SIDE_DST, parse_text},
    {"src_role",        C_ROLE, 0, SIDE_SRC, parse_roles},
    {"dst_role",        C_ROLE, 0, SIDE_DST, parse_roles},
    {"src_engineering_station", C_ENGINEER, 0, SIDE_SRC, parse_flag},
    {"dst_engineering_station", C_ENGINEER, 0, SIDE_DST, parse_flag},
    {"src_purdue",      C_PURDUE, 0, SIDE_SRC, parse_purdue},
    {"dst_purdue",      C_PURDUE, 0, SIDE_DST, parse_purdue},
    {"same_zone",       C_SAME_ZONE, 0, 0, parse_flag},
    {"src_known",       C_KNOWN, 0, SIDE_SRC, parse_flag},
    {"dst_known",       C_KNOWN, 0, SIDE_DST, parse_flag},
    {"new_fact",        C_NEW_FACT, 0, 0, parse_flag},
    {"learning",        C_LEARNING, 0, 0, parse_flag},
};
/* clang-format on */
static const char *const other_keys[] = {"object", "value", "quality", "not", "any", "all"};

static int unknown_key(struct compile *c, const struct yaml_node *key)
{
    const char *names[ARRAY_LEN(keys) + ARRAY_LEN(other_keys) + 1];
    unsigned n = 0;
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++)
        names[n++] = keys[i].name;
    for (unsigned i = 0; i < ARRAY_LEN(other_keys); i++)
        names[n++] = other_keys[i];
    names[n] = NULL;
    const char *near = yaml_nearest(key->text, names);
    char what[64];
    yaml_describe(key, what);
    if (near)
        return yaml_err(key, c->err, "found the unknown condition %s, expected '%s'?", what, near);
    return yaml_err(key, c->err, "found the unknown condition %s, expected one of protocol, action, function, object, "
                    "value, ... (tyto rules --help tells them all) or a field such as 'modbus.sub_function'", what);
}

/* ---- a mapping ---- */

struct kids { /* of a mapping under construction */
    const struct cond *v[ARRAY_LEN(keys) + 96];
    uint32_t n;
};

static int add(struct compile *c, struct kids *k, const struct cond *it, const struct yaml_node *n)
{
    if (++c->n_nodes > RULES_MAX_NODES || k->n == ARRAY_LEN(k->v))
        return yaml_err(n, c->err, "found more conditions than the bound, expected at most %d in a rule",
                        RULES_MAX_NODES);
    k->v[k->n++] = it;
    return 0;
}

/* What a condition costs: cheap ones are asked first, so that most messages fail on them. */
static unsigned cost(const struct cond *k)
{
    unsigned most = k->op <= C_ANOMALY ? 0 : k->op == C_ADDR || k->op == C_TIME || k->op == C_WEEKDAY ? 1 : 2;
    if (k->op != C_AND && k->op != C_OR)
        return k->op >= C_ENGINEER ? 3 : most;
    most = 0;
    for (uint32_t i = 0; i < k->n; i++)
        most = cost(k->kids[i]) > most ? cost(k->kids[i]) : most;
    return most;
}

static int join(struct compile *c, unsigned op, const struct kids *k, const struct cond **ret)
{
    if (k->n == 1) {
        *ret = k->v[0];
        return 0;
    }
    struct cond *j = cond_new(c, op);
    const struct cond **v = set_take(c->rs, k->n * sizeof *v);
    if (!j || !v)
        return no_mem(c);
    for (unsigned class = 0; class <= 3; class++)
        for (uint32_t i = 0; i < k->n; i++)
            if (cost(k->v[i]) == class)
                v[j->n++] = k->v[i];
    j->kids = v;
    *ret = j;
    return 0;
}

/* `not`, `any`, `all`: a mapping or a list of mappings. not: none of them holds. */
static int compile_group(struct compile *c, const struct scope *s, const struct yaml_node *n, unsigned depth,
                         const struct cond **ret)
{
    struct kids kids = {.n = 0};
    const struct cond *it = NULL;
    bool all = strcmp(n->key->text, "all") == 0, not = strcmp(n->key->text, "not") == 0;
    if (depth >= RULES_MAX_DEPTH)
        return yaml_err(n->key, c->err, "found nesting deeper than the bound, expected at most %d levels",
                        RULES_MAX_DEPTH);
    if (n->type == YAML_TEXT || n->n == 0)
        return yaml_expected(n, c->err, "conditions, or a list of conditions");
    const struct yaml_node *m = n->type == YAML_MAP ? n : n->first;
    for (; m; m = n->type == YAML_MAP ? NULL : m->next) {
        int r = compile_map(c, s, m, depth + 1, &it);
        if (r == 0)
            r = add(c, &kids, it, m);
        if (r < 0)
            return r;
    }
    int r = join(c, all ? C_AND : C_OR, &kids, &it);
    if (r < 0)
        return r;
    if (not) {
        struct cond *copy = cond_new(c, 0);
        if (!copy)
            return no_mem(c);
        *copy = *it;
        copy->neg = !copy->neg;
        it = copy;
    }
    *ret = it;
    return 0;
}

/* "key: value" or "key: a, b, c", cut where it is long. NULL: no memory. */
static const char *leaf_text(struct compile *c, const struct yaml_node *n)
{
    enum { MOST = 96 };
    char text[MOST + 8];
    size_t at = (size_t)snprintf(text, MOST, "%s: ", n->key->text);
    bool first = true;
    YAML_EACH (it, n) {
        if (at < MOST)
            at += (size_t)snprintf(text + at, MOST - at, "%s%s", first ? "" : ", ", it->text);
        first = false;
    }
    if (at >= MOST) {
        for (at = MOST - 1; at && ((unsigned char)text[at - 1] & 0xc0) == 0x80;) /* not inside a character */
            at--;
        at -= at && (unsigned char)text[at - 1] >= 0xc0;
        memcpy(text + at, " ...", 5);
        at += 4;
    }
    return set_text(c->rs, text, at);
}

/* Object, value and quality are one condition. */
static const char *item_words(struct compile *c, const struct yaml_node *map)
{
    static const char *const keys_of[] = {"object", "value", "quality"};
    char text[320];
    size_t at = 0;
    for (unsigned i = 0; i < ARRAY_LEN(keys_of); i++) {
        const struct yaml_node *n = yaml_get(map, keys_of[i]);
        const char *one = n ? leaf_text(c, n) : "";
        if (!one)
            return NULL;
        if (*one)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", at ? ", " : "", one);
    }
    return set_text(c->rs, text, at);
}

/* `error:` also takes names and codes: an error, and this status. */
static int compile_error(struct compile *c, const struct scope *s, const struct yaml_node *n, struct kids *kids)
{
    struct cond *err = cond_new(c, C_ENUM), *st = cond_new(c, C_STATUS);
    if (!err || !st)
        return no_mem(c);
    err->what = ENUM_ERROR;
    err->mask = 2;
    st->text = leaf_text(c, n);
    if (!st->text)
        return no_mem(c);
    int r = leaf_status(c, s, n, st);
    if (r == 0)
        r = add(c, kids, err, n);
    return r < 0 ? r : add(c, kids, st, n);
}

static bool is_bool(const struct yaml_node *n)
{
    struct err ignored;
    bool v;
    return yaml_bool(n, &v, &ignored) == 0;
}

static int compile_key(struct compile *c, const struct scope *s, const struct yaml_node *n, unsigned depth,
                       struct kids *kids)
{
    const char *name = n->key->text;
    const struct cond *group = NULL;
    unsigned i = 0;
    if (strcmp(name, "not") == 0 || strcmp(name, "any") == 0 || strcmp(name, "all") == 0) {
        int r = compile_group(c, s, n, depth, &group);
        return r < 0 ? r : add(c, kids, group, n);
    }
    if (strcmp(name, "object") == 0 || strcmp(name, "value") == 0 || strcmp(name, "quality") == 0)
        return 0; /* together, after the others */
    if (strcmp(name, "error") == 0 && !is_bool(n))
        return compile_error(c, s, n, kids);
    while (i < ARRAY_LEN(keys) && strcmp(keys[i].name, name) != 0)
        i++;
    struct cond *k = cond_new(c, i < ARRAY_LEN(keys) ? keys[i].op : C_FIELD);
    if (!k)
        return no_mem(c);
    if (i == ARRAY_LEN(keys) && !strchr(name, '.'))
        return unknown_key(c, n->key);
    if (i < ARRAY_LEN(keys)) {
        k->what = keys[i].what;
        k->side = keys[i].side;
    }
    k->text = leaf_text(c, n);
    if (!k->text)
        return no_mem(c);
    int r = i == ARRAY_LEN(keys) ? leaf_field(c, s, n, k) : keys[i].parse(c, s, &keys[i], n, k);
    return r < 0 ? r : add(c, kids, k, n);
}

static int compile_map(struct compile *c, const struct scope *outer, const struct yaml_node *n, unsigned depth,
                       const struct cond **ret)
{
    struct scope s = *outer;
    struct kids kids = {.n = 0};
    const struct yaml_node *p = yaml_get(n, "protocol");
    if (n->type != YAML_MAP || n->n == 0)
        return yaml_expected(n, c->err, "conditions, such as 'protocol: modbus'");
    if (p) {
        struct cond k = {0};
        uint64_t left = 0;
        int r = parse_protocol(c, NULL, NULL, p, &k);
        if (r < 0)
            return r;
        if (c->shipped && no_protocol(&k)) {
            *ret = cond_new(c, C_FALSE);
            return *ret ? 0 : no_mem(c);
        }
        for (unsigned i = 0; i < ARRAY_LEN(s.schemas); i++)
            left |= s.schemas[i] &= k.schemas[i];
        if (!left)
            return yaml_expected(p, c->err, "one of the protocols named further out");
    }
    for (const struct yaml_node *it = n->first; it; it = it->next) {
        int r = compile_key(c, &s, it, depth, &kids);
        if (r < 0)
            return r;
    }
    if (yaml_get(n, "object") || yaml_get(n, "value") || yaml_get(n, "quality")) {
        struct cond *k = cond_new(c, C_ITEM);
        int r = k && (k->text = item_words(c, n)) ? leaf_item(c, &s, n, k) : no_mem(c);
        if (r == 0)
            r = add(c, &kids, k, n);
        if (r < 0)
            return r;
    }
    return join(c, C_AND, &kids, ret);
}

int compile_when(struct compile *c, const struct yaml_node *n, const struct cond **ret)
{
    struct scope all = {{0}};
    for (unsigned i = 0; i < c->rs->o.n_schemas; i++)
        all.schemas[i / 64] |= UINT64_C(1) << (i % 64);
    c->n_nodes = 0;
    return compile_map(c, &all, n, 0, ret);
}
