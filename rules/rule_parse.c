/* rule_parse.c: one rule: what is said of it (id, title, ...), its conditions and its threshold. */
#include "rules/cond.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"

enum { /* signature_id */
    SID_SHIPPED = 9600000, SID_SHIPPED_MAX = 9699999, /* the catalogue of alerts has the other 9 millions */
    SID_USER_MAX = 1999999,                           /* what EVE's readers know as local rules */
    SID_HASH = 1000000000,                            /* + hash of the id, below twice that */
};

struct parse {
    struct compile c;
    bool shipped;
};

static int keep(struct parse *p, const char *s, const char **ret)
{
    *ret = set_text(p->c.rs, s, strlen(s));
    return *ret ? 0 : no_mem(&p->c);
}

/* An optional text, "" when it is not there. */
static int keep_opt(struct parse *p, const struct yaml_node *map, const char *key, const char *otherwise,
                    const char **ret)
{
    const char *s = otherwise;
    int r = yaml_opt_str(map, key, &s, p->c.err);
    return r < 0 ? r : keep(p, s, ret);
}

static int parse_id(struct parse *p, const struct yaml_node *map, struct rule_info *info)
{
    const struct yaml_node *n = NULL;
    const char *id = NULL;
    const char *prefix = p->shipped ? "OT-" : "USR-";
    int r = yaml_need(map, "id", &n, p->c.err);
    if (r == 0)
        r = yaml_str(n, &id, p->c.err);
    if (r < 0)
        return r;
    size_t len = strlen(id), head = strlen(prefix);
    if (strncmp(id, prefix, head) != 0 || len == head || len > 60 ||
        strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") != len)
        return yaml_expected(n, p->c.err, "an id such as '%s%s' (letters, digits, '-', '_', '.')", prefix,
                             p->shipped ? "GEN-001" : "pump-limits");
    const struct rule_info *old = ruleset_by_id(p->c.rs, id);
    if (old)
        return yaml_err(n, p->c.err, "found the id '%s' again (first in %s:%u), expected an id of its own", id,
                        old->file, old->line);
    return keep(p, id, &info->id);
}

static int parse_sid(struct parse *p, const struct yaml_node *map, struct rule_info *info)
{
    const struct yaml_node *n = yaml_get(map, "sid"), *at = n ? n : yaml_get(map, "id");
    uint64_t v = SID_HASH + hash_bytes(HASH_ID_KEY, info->id, strlen(info->id)) % SID_HASH;
    if (p->shipped && !n)
        return yaml_err(map, p->c.err, "found no key 'sid', expected one in a shipped rule");
    uint64_t min = p->shipped ? SID_SHIPPED : 1, max = p->shipped ? SID_SHIPPED_MAX : SID_USER_MAX;
    int r = n ? yaml_u64(n, min, max, &v, p->c.err) : 0;
    if (r < 0)
        return r;
    for (uint32_t i = 0; i < p->c.rs->n_rules; i++)
        if (p->c.rs->rules[i].info.sid == v)
            return yaml_err(at, p->c.err, "found the number %llu of rule %s again, expected %s", (unsigned long long)v,
                            p->c.rs->rules[i].info.id, n ? "a sid of its own" : "a 'sid' from 1 to 1999999");
    info->sid = (uint32_t)v;
    return 0;
}

static int parse_attack(struct parse *p, const struct yaml_node *n, struct rule_info *info)
{
    char text[256];
    size_t at = 0;
    text[0] = 0;
    if (n && n->type == YAML_MAP)
        return yaml_expected(n, p->c.err, "a list of techniques such as [T0836, T0855]");
    YAML_EACH (it, n) {
        if (it->type != YAML_TEXT || !rule_attack_name(it->text))
            return yaml_expected(it, p->c.err, "the id of an ATT&CK for ICS technique, such as T0836");
        if (at + 7 > sizeof text)
            return yaml_err(it, p->c.err, "found a long list of techniques, expected at most 36");
        if (at)
            text[at++] = ' ';
        memcpy(text + at, it->text, it->len + 1);
        at += it->len;
    }
    return keep(p, text, &info->attack);
}

static int parse_refs(struct parse *p, const struct yaml_node *n, struct rule_info *info)
{
    char text[256] = "";
    size_t at = 0;
    if (n && n->type == YAML_MAP)
        return yaml_expected(n, p->c.err, "a list of references");
    YAML_EACH (it, n) {
        if (it->type != YAML_TEXT || it->len == 0 || at + it->len + 2 > sizeof text)
            return yaml_expected(it, p->c.err, "a short reference");
        if (at)
            text[at++] = ' ';
        memcpy(text + at, it->text, it->len + 1);
        at += it->len;
    }
    return keep(p, text, &info->refs);
}

static int parse_what(struct parse *p, const struct yaml_node *map, struct rule_info *info)
{
    static const char *const severities[] = {"critical", "major", "minor", "warning", NULL};
    static const char *const engines[] = {"policy", "protocol", "malware", "anomaly", "operational", NULL};
    const struct yaml_node *n = NULL;
    struct err *e = p->c.err;
    unsigned severity = 0, engine = RE_POLICY;
    uint64_t rev = 1;
    const char *title = NULL;
    bool learnable = false;
    info->enabled = true;
    int r = yaml_need(map, "title", &n, e);
    r = r < 0 ? r : yaml_str(n, &title, e);
    r = r < 0 ? r : keep(p, title, &info->title);
    r = r < 0 ? r : yaml_need(map, "severity", &n, e);
    r = r < 0 ? r : yaml_enum(n, severities, &severity, e);
    r = r < 0 ? r : yaml_opt_enum(map, "engine", engines, &engine, e);
    r = r < 0 ? r : yaml_opt_u64(map, "rev", 1, 1000000, &rev, e);
    r = r < 0 ? r : yaml_opt_bool(map, "enabled", &info->enabled, e);
    r = r < 0 ? r : yaml_opt_bool(map, "learnable", &learnable, e);
    r = r < 0 ? r : keep_opt(p, map, "category", "Custom rule", &info->category);
    r = r < 0 ? r : keep_opt(p, map, "remedy", "", &info->remedy);
    r = r < 0 ? r : keep_opt(p, map, "description", "", &info->description);
    r = r < 0 ? r : parse_attack(p, yaml_get(map, "attack_ics"), info);
    r = r < 0 ? r : parse_refs(p, yaml_get(map, "refs"), info);
    info->learn = !yaml_get(map, "learnable") ? RL_MUTE : learnable ? RL_YES : RL_NO;
    info->severity = (uint8_t)(severity + RS_CRITICAL);
    info->engine = (uint8_t)engine;
    info->rev = (uint32_t)rev;
    return r;
}

static int parse_by(struct parse *p, const struct yaml_node *n, uint8_t *ret)
{
    static const char *const names[] = {"src", "dst", "unit", "function", "object", "src_dst", NULL};
    static const uint8_t bits[] = {BY_SRC, BY_DST, BY_UNIT, BY_FUNCTION, BY_OBJECT, BY_SRC | BY_DST};
    unsigned i = 0;
    uint8_t by = 0;
    if (n && n->type == YAML_MAP)
        return yaml_expected(n, p->c.err, "a list of src, dst, src_dst, unit, function, object");
    YAML_EACH (it, n) {
        int r = yaml_enum(it, names, &i, p->c.err);
        if (r < 0)
            return r;
        by |= bits[i];
    }
    *ret = by;
    return 0;
}

static int parse_threshold(struct parse *p, const struct yaml_node *n, struct rule_threshold *ret)
{
    static const char *const allowed[] = {"count", "window", "by", "distinct", NULL};
    static const char *const distinct[] = {"none", "dst", "src", "object", "unit", "function", NULL};
    struct rule_threshold t = {0};
    const struct yaml_node *v = NULL;
    struct err *e = p->c.err;
    unsigned what = DISTINCT_NONE;
    uint64_t count = 0;
    if (!n)
        return 0;
    int r = yaml_only_keys(n, allowed, e);
    r = r < 0 ? r : yaml_opt_enum(n, "distinct", distinct, &what, e);
    r = r < 0 ? r : yaml_need(n, "count", &v, e);
    r = r < 0 ? r : yaml_u64(v, 2, what ? RULES_MAX_DISTINCT : RULES_MAX_COUNT, &count, e);
    r = r < 0 ? r : yaml_need(n, "window", &v, e);
    r = r < 0 ? r : yaml_duration(v, 1000000, UINT64_C(7) * 86400 * 1000000000, &t.window_ns, e);
    r = r < 0 ? r : parse_by(p, yaml_get(n, "by"), &t.by);
    t.count = (uint32_t)count;
    t.distinct = (uint8_t)what;
    if (r == 0)
        *ret = t;
    return r;
}

static int grow(struct parse *p)
{
    struct ruleset *rs = p->c.rs;
    if (rs->n_rules < rs->cap_rules)
        return 0;
    uint32_t cap = rs->cap_rules ? rs->cap_rules * 2 : 64;
    struct rule *v = realloc(rs->rules, cap * sizeof *v);
    if (!v)
        return no_mem(&p->c);
    rs->rules = v;
    rs->cap_rules = cap;
    return 0;
}

static int parse_rule(struct parse *p, const char *file, const struct yaml_node *n)
{
    static const char *const allowed[] = {
        "id", "title", "severity", "when", "threshold", "remedy", "attack_ics", "engine", "category", "description",
        "enabled", "learnable", "rev", "sid", "refs", NULL};
    struct rule k = {.info = {.file = file, .line = n->line, .shipped = p->shipped}};
    const struct yaml_node *when = NULL;
    int r = yaml_only_keys(n, allowed, p->c.err);
    if (r == 0 && p->c.rs->n_rules == RULES_MAX)
        r = yaml_err(n, p->c.err, "found more rules than the bound, expected at most %d", RULES_MAX);
    r = r < 0 ? r : parse_id(p, n, &k.info);
    r = r < 0 ? r : parse_sid(p, n, &k.info);
    r = r < 0 ? r : parse_what(p, n, &k.info);
    r = r < 0 ? r : yaml_need(n, "when", &when, p->c.err);
    r = r < 0 ? r : compile_when(&p->c, when, &k.when);
    r = r < 0 ? r : parse_threshold(p, yaml_get(n, "threshold"), &k.info.threshold);
    r = r < 0 ? r : grow(p);
    if (r == 0)
        p->c.rs->rules[p->c.rs->n_rules++] = k;
    return r;
}

int rules_parse(struct ruleset *rs, const struct yaml_doc *d, bool shipped, struct err *e)
{
    static const char *const allowed[] = {"rules", NULL};
    struct parse p = {.c = {.rs = rs, .err = e, .shipped = shipped}, .shipped = shipped};
    const struct yaml_node *list = yaml_root(d);
    const char *file = NULL;
    int r = keep(&p, yaml_name(d), &file);
    if (r == 0 && list->type == YAML_MAP) {
        r = yaml_only_keys(list, allowed, e);
        r = r < 0 ? r : yaml_need(list, "rules", &list, e);
    }
    if (r == 0 && list->type != YAML_LIST && !yaml_is_null(list))
        r = yaml_expected(list, e, "a list of rules");
    YAML_EACH (it, list) {
        if (r < 0)
            break;
        r = parse_rule(&p, file, it);
    }
    return r;
}
