/* compile_value.c: values in conditions: numbers, comparisons, ranges, globs. */
#include "rules/cond.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int no_mem(struct compile *c)
{
    return err_set(c->err, -ENOMEM, "rules: out of memory");
}

int list_len(const struct yaml_node *n, struct err *e, uint32_t *ret)
{
    uint32_t len = 0;
    if (n->type == YAML_MAP)
        return yaml_expected(n, e, "a value or a list of values");
    YAML_EACH (it, n) {
        if (it->type != YAML_TEXT || yaml_is_null(it))
            return yaml_expected(it, e, "a value");
        len++;
    }
    if (len == 0)
        return yaml_expected(n, e, "a value or a list of values");
    if (len > RULES_MAX_LIST)
        return yaml_err(n, e, "found a list of %u, expected at most %d members", len, RULES_MAX_LIST);
    *ret = len;
    return 0;
}

/* ---- numbers ---- */

static const char *skip_space(const char *s)
{
    while (*s == ' ' || *s == '\t')
        s++;
    return s;
}

/* [-]digits, 0x digits, or digits with a fraction or exponent. Integers of 64 bits stay exact. */
static bool parse_number(const char **at, const struct number_rule *rule, long double *ret)
{
    const char *s = skip_space(*at);
    bool minus = *s == '-';
    char *end;
    long double v;
    s += minus;
    if (*s < '0' || *s > '9')
        return false;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        if (!strchr("0123456789abcdefABCDEF", s[2]) || !s[2])
            return false;
        errno = 0;
        v = (long double)strtoull(s + 2, &end, 16);
        if (errno)
            return false;
    } else {
        size_t n = strspn(s, "0123456789");
        if (n > 40)
            return false;
        if ((s[n] == '.' && s[n + 1] != '.') || s[n] == 'e' || s[n] == 'E') {
            v = strtold(s, &end);
            if (!isfinite((double)v) || rule->whole)
                return false;
        } else {
            v = 0;
            for (size_t i = 0; i < n; i++)
                v = v * 10 + (s[i] - '0');
            end = (char *)s + n;
        }
    }
    if (rule->unit) {
        char suffix[8];
        size_t n = strspn(end, "abcdefghijklmnopqrstuvwxyz");
        if (n >= sizeof suffix)
            return false;
        memcpy(suffix, end, n);
        suffix[n] = 0;
        uint64_t mul = rule->unit(suffix);
        if (mul == 0)
            return false;
        v *= (long double)mul;
        end += n;
    }
    v = minus ? -v : v;
    if (v < rule->min || v > rule->max)
        return false;
    *ret = v;
    *at = end;
    return true;
}

/* "> 5", ">= 5", "< 5", "<= 5", "= 5", "!= 5" */
static bool parse_comparison(const char *s, const struct number_rule *rule, struct range *r)
{
    long double v;
    char op = *s++;
    bool equal = *s == '=';
    s += equal;
    if (op == '!' && !equal)
        return false;
    if (!parse_number(&s, rule, &v) || *skip_space(s))
        return false;
    *r = (struct range){.lo = -HUGE_VALL, .hi = HUGE_VALL};
    if (op == '>') {
        r->lo = v;
        r->lo_open = !equal;
    } else if (op == '<') {
        r->hi = v;
        r->hi_open = !equal;
    } else {
        r->lo = r->hi = v;
        r->not = op == '!';
    }
    return true;
}

bool parse_range(const char *text, const struct number_rule *rule, struct range *ret)
{
    struct range r = {0};
    const char *s = skip_space(text);
    if (*s && strchr("<>=!", *s)) {
        if (!parse_comparison(s, rule, &r))
            return false;
    } else {
        if (!parse_number(&s, rule, &r.lo))
            return false;
        r.hi = r.lo;
        s = skip_space(s);
        bool dots = s[0] == '.' && s[1] == '.';
        if (dots || *s == '-') {
            s += dots ? 2 : 1;
            if (!parse_number(&s, rule, &r.hi) || r.hi < r.lo)
                return false;
        }
        if (*skip_space(s))
            return false;
    }
    *ret = r;
    return true;
}

int parse_ranges(struct compile *c, const struct yaml_node *n, const struct number_rule *rule, struct ranges *ret)
{
    uint32_t len, i = 0;
    int r = list_len(n, c->err, &len);
    if (r < 0)
        return r;
    struct range *v = set_take(c->rs, len * sizeof *v);
    if (!v)
        return no_mem(c);
    YAML_EACH (it, n)
        if (!parse_range(it->text, rule, &v[i++]))
            return yaml_expected(it, c->err, "%s", rule->expected);
    *ret = (struct ranges){v, len};
    return 0;
}

bool ranges_hold(const struct ranges *r, long double v)
{
    for (uint32_t i = 0; i < r->n; i++) {
        const struct range *k = &r->v[i];
        bool in = (k->lo_open ? v > k->lo : v >= k->lo) && (k->hi_open ? v < k->hi : v <= k->hi);
        if (in != k->not)
            return true;
    }
    return false;
}

/* ---- texts ---- */

struct glob glob_make(struct compile *c, const char *s, size_t n)
{
    struct glob g = {.s = set_text(c->rs, s, n), .n = (uint32_t)n};
    g.plain = g.s && !strpbrk(g.s, "*?");
    return g;
}

int parse_globs(struct compile *c, const struct yaml_node *n, struct globs *ret)
{
    uint32_t len, i = 0;
    int r = list_len(n, c->err, &len);
    if (r < 0)
        return r;
    struct glob *v = set_take(c->rs, len * sizeof *v);
    if (!v)
        return no_mem(c);
    YAML_EACH (it, n) {
        v[i] = glob_make(c, it->text, it->len);
        if (!v[i++].s)
            return no_mem(c);
    }
    *ret = (struct globs){v, len};
    return 0;
}

/* `*` any run, `?` one byte. Linear in text times pattern: the last star is the only place to come back to. */
bool glob_match(const struct glob *g, const char *s, uint32_t n)
{
    uint32_t p = 0, i = 0, star = UINT32_MAX, from = 0;
    if (g->plain)
        return g->n == n && (n == 0 || memcmp(g->s, s, n) == 0);
    while (i < n) {
        if (p < g->n && g->s[p] == '*') {
            star = p++;
            from = i;
        } else if (p < g->n && (g->s[p] == '?' || g->s[p] == s[i])) {
            p++;
            i++;
        } else if (star != UINT32_MAX) {
            p = star + 1;
            i = ++from;
        } else {
            return false;
        }
    }
    while (p < g->n && g->s[p] == '*')
        p++;
    return p == g->n;
}

bool globs_match(const struct globs *g, const char *s, uint32_t n)
{
    for (uint32_t i = 0; i < g->n; i++)
        if (glob_match(&g->v[i], s, n))
            return true;
    return false;
}

/* ---- values of any type: what reads as a number is compared as one, what does not as text ---- */

static bool bool_word(const char *s, struct range *ret)
{
    bool yes = strcmp(s, "true") == 0 || strcmp(s, "on") == 0, no = strcmp(s, "false") == 0 || strcmp(s, "off") == 0;
    *ret = (struct range){.lo = yes, .hi = yes};
    return yes || no;
}

int parse_tests(struct compile *c, const struct yaml_node *n, struct tests *ret)
{
    static const struct number_rule any = {.min = -HUGE_VALL, .max = HUGE_VALL};
    struct tests t = {0};
    uint32_t len;
    int r = list_len(n, c->err, &len);
    if (r < 0)
        return r;
    struct range *ranges = set_take(c->rs, len * sizeof *ranges);
    struct glob *globs = set_take(c->rs, len * sizeof *globs);
    if (!ranges || !globs)
        return no_mem(c);
    YAML_EACH (it, n) {
        struct range *k = &ranges[t.ranges.n];
        bool compares = it->len && strchr("<>=!", it->text[0]);
        if (!it->quoted && yaml_is(it, "*"))
            t.any = true;
        if (parse_range(it->text, &any, k) || bool_word(it->text, k))
            t.ranges.n++;
        else if (compares)
            return yaml_expected(it, c->err, "a comparison with a number, such as '> 100'");
        if (compares)
            continue;
        globs[t.globs.n] = glob_make(c, it->text, it->len);
        if (!globs[t.globs.n++].s)
            return no_mem(c);
    }
    t.ranges.v = ranges;
    t.globs.v = globs;
    *ret = t;
    return 0;
}
