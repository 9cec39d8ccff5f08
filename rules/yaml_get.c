/* yaml_get.c: asking a YAML tree: keys, typed values, and messages that say what was found and what was expected. */
#include "rules/yaml.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The file's name is cut from the left when it is long, so that the message itself always fits. */
static int vmessage(const struct yaml_node *n, struct err *e, const char *found, const char *fmt, va_list ap)
{
    char text[400];
    const char *name = yaml_name(n->doc);
    size_t len = strlen(name);
    vsnprintf(text, sizeof text, fmt, ap);
    return err_set(e, -EINVAL, "%s:%u:%u: %s%s%s", len > 200 ? name + len - 200 : name, n->line, n->column,
                   found ? found : "", found ? ", expected " : "", text);
}

int yaml_err(const struct yaml_node *n, struct err *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int r = vmessage(n, e, NULL, fmt, ap);
    va_end(ap);
    return r;
}

int yaml_expected(const struct yaml_node *n, struct err *e, const char *fmt, ...)
{
    char what[64], found[80];
    va_list ap;
    snprintf(found, sizeof found, "found %s", yaml_describe(n, what));
    va_start(ap, fmt);
    int r = vmessage(n, e, found, fmt, ap);
    va_end(ap);
    return r;
}

const char *yaml_describe(const struct yaml_node *n, char out[64])
{
    if (!n || yaml_is_null(n))
        return "nothing";
    if (n->type == YAML_LIST)
        return "a list";
    if (n->type == YAML_MAP)
        return "a mapping";
    /* cut at a character's start: continuation bytes of UTF-8 are 10xxxxxx */
    size_t cut = n->len;
    if (cut > 48) {
        cut = 48;
        while (cut > 0 && ((unsigned char)n->text[cut] & 0xc0) == 0x80)
            cut--;
    }
    snprintf(out, 64, "'%.*s'%s", (int)cut, n->text, cut < n->len ? "..." : "");
    return out;
}

/* Optimal string alignment distance, of words up to 40 letters; longer ones are unlike everything. */
static unsigned distance(const char *a, const char *b)
{
    enum { MAX = 40 };
    size_t n = strlen(a), m = strlen(b);
    unsigned d[3][MAX + 1];
    if (n > MAX || m > MAX)
        return UINT32_MAX;
    for (unsigned j = 0; j <= m; j++)
        d[0][j] = j;
    for (unsigned i = 1; i <= n; i++) {
        unsigned *row = d[i % 3], *up = d[(i + 2) % 3], *up2 = d[(i + 1) % 3];
        row[0] = i;
        for (unsigned j = 1; j <= m; j++) {
            unsigned best = up[j - 1] + (a[i - 1] != b[j - 1]);
            best = up[j] + 1 < best ? up[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && up2[j - 2] + 1 < best)
                best = up2[j - 2] + 1;
            row[j] = best;
        }
    }
    return d[n % 3][m];
}

const char *yaml_nearest(const char *word, const char *const names[])
{
    const char *best = NULL;
    unsigned least = (unsigned)strlen(word) / 3 + 2;
    for (unsigned i = 0; names[i]; i++) {
        unsigned d = distance(word, names[i]);
        if (d < least) {
            least = d;
            best = names[i];
        }
    }
    for (unsigned i = 0; !best && strlen(word) > 3 && names[i]; i++)
        if (strncmp(names[i], word, strlen(word)) == 0)
            best = names[i];
    return best;
}

const struct yaml_node *yaml_get(const struct yaml_node *n, const char *key)
{
    if (!n || n->type != YAML_MAP)
        return NULL;
    for (const struct yaml_node *it = n->first; it; it = it->next)
        if (strcmp(it->key->text, key) == 0)
            return it;
    return NULL;
}

int yaml_need(const struct yaml_node *map, const char *key, const struct yaml_node **ret, struct err *e)
{
    if (map->type != YAML_MAP)
        return yaml_expected(map, e, "a mapping with the key '%s'", key);
    const struct yaml_node *n = yaml_get(map, key);
    if (!n)
        return yaml_err(map, e, "found no key '%s', expected one", key);
    *ret = n;
    return 0;
}

int yaml_only_keys(const struct yaml_node *n, const char *const allowed[], struct err *e)
{
    char what[64];
    if (n->type != YAML_MAP)
        return yaml_expected(n, e, "a mapping");
    for (const struct yaml_node *it = n->first; it; it = it->next) {
        unsigned i = 0;
        while (allowed[i] && strcmp(allowed[i], it->key->text) != 0)
            i++;
        if (allowed[i])
            continue;
        const char *near = yaml_nearest(it->key->text, allowed);
        yaml_describe(it->key, what);
        if (near)
            return yaml_err(it->key, e, "found the unknown key %s, expected '%s'?", what, near);
        char list[300];
        size_t at = 0;
        list[0] = 0;
        for (i = 0; allowed[i] && at + strlen(allowed[i]) + 8 < sizeof list; i++)
            at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", allowed[i]);
        return yaml_err(it->key, e, "found the unknown key %s, expected one of %s%s", what, list,
                        allowed[i] ? ", ..." : "");
    }
    return 0;
}

const struct yaml_node *yaml_first(const struct yaml_node *n)
{
    if (!n || yaml_is_null(n))
        return NULL;
    return n->type == YAML_TEXT ? n : n->first;
}

const struct yaml_node *yaml_next(const struct yaml_node *list, const struct yaml_node *it)
{
    return list->type == YAML_TEXT ? NULL : it->next;
}

bool yaml_is_null(const struct yaml_node *n)
{
    return n->type == YAML_TEXT && !n->quoted &&
           (n->len == 0 || strcmp(n->text, "~") == 0 || strcmp(n->text, "null") == 0);
}

bool yaml_is(const struct yaml_node *n, const char *text)
{
    return n && n->type == YAML_TEXT && strcmp(n->text, text) == 0;
}

int yaml_str(const struct yaml_node *n, const char **ret, struct err *e)
{
    if (n->type != YAML_TEXT || yaml_is_null(n) || n->len == 0)
        return yaml_expected(n, e, "a text");
    *ret = n->text;
    return 0;
}

int yaml_bool(const struct yaml_node *n, bool *ret, struct err *e)
{
    static const struct { const char *name; bool v; } words[] = {
        {"true", true}, {"yes", true}, {"on", true}, {"false", false}, {"no", false}, {"off", false}};
    for (unsigned i = 0; n->type == YAML_TEXT && i < ARRAY_LEN(words); i++) {
        if (strcasecmp(n->text, words[i].name) == 0) {
            *ret = words[i].v;
            return 0;
        }
    }
    return yaml_expected(n, e, "true or false");
}

/* Digits with _ between them, decimal or 0x; *end where they stop. False without a digit or on overflow. */
static bool digits(const char *s, uint64_t *ret, const char **end)
{
    unsigned base = 10, n = 0;
    uint64_t v = 0;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        base = 16;
        s += 2;
    }
    for (;; s++) {
        unsigned d = *s >= '0' && *s <= '9' ? (unsigned)(*s - '0')
                   : base == 16 && *s >= 'a' && *s <= 'f' ? (unsigned)(*s - 'a' + 10)
                   : base == 16 && *s >= 'A' && *s <= 'F' ? (unsigned)(*s - 'A' + 10) : 99;
        if (*s == '_' && n > 0)
            continue;
        if (d >= base)
            break;
        if (__builtin_mul_overflow(v, (uint64_t)base, &v) || __builtin_add_overflow(v, (uint64_t)d, &v))
            return false;
        n++;
    }
    *ret = v;
    *end = s;
    return n > 0;
}

struct suffix {
    const char *name;
    uint64_t mul;
};

static bool scaled(const char *s, const struct suffix *table, unsigned n, uint64_t *ret)
{
    const char *end;
    uint64_t v;
    if (!digits(s, &v, &end))
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (strcmp(end, table[i].name) == 0 && !__builtin_mul_overflow(v, table[i].mul, &v)) {
            *ret = v;
            return true;
        }
    }
    return false;
}

static const struct suffix thousands[] = {
    {"", 1}, {"k", 1000}, {"K", 1000}, {"M", 1000000}, {"G", 1000000000}};

int yaml_u64(const struct yaml_node *n, uint64_t min, uint64_t max, uint64_t *ret, struct err *e)
{
    uint64_t v;
    if (n->type != YAML_TEXT || !scaled(n->text, thousands, ARRAY_LEN(thousands), &v) || v < min || v > max) {
        if (max == UINT64_MAX)
            return yaml_expected(n, e, "a whole number from %llu on", (unsigned long long)min);
        return yaml_expected(n, e, "a whole number from %llu to %llu", (unsigned long long)min,
                             (unsigned long long)max);
    }
    *ret = v;
    return 0;
}

int yaml_i64(const struct yaml_node *n, int64_t min, int64_t max, int64_t *ret, struct err *e)
{
    bool minus = n->type == YAML_TEXT && n->text[0] == '-';
    uint64_t v = 0;
    bool ok = n->type == YAML_TEXT && scaled(n->text + minus, thousands, ARRAY_LEN(thousands), &v) &&
              v <= (uint64_t)INT64_MAX + minus;
    int64_t i = minus ? (int64_t)(0 - v) : (int64_t)v;
    if (!ok || i < min || i > max)
        return yaml_expected(n, e, "a whole number from %lld to %lld", (long long)min, (long long)max);
    *ret = i;
    return 0;
}

int yaml_bytes(const struct yaml_node *n, uint64_t min, uint64_t max, uint64_t *ret, struct err *e)
{
    static const struct suffix sizes[] = {
        {"", 1}, {"B", 1}, {"k", 1 << 10}, {"K", 1 << 10}, {"KiB", 1 << 10}, {"M", 1 << 20}, {"MiB", 1 << 20},
        {"G", 1 << 30}, {"GiB", 1 << 30}, {"T", UINT64_C(1) << 40}, {"TiB", UINT64_C(1) << 40}};
    uint64_t v;
    if (n->type != YAML_TEXT || !scaled(n->text, sizes, ARRAY_LEN(sizes), &v) || v < min || v > max)
        return yaml_expected(n, e, "a size such as 4096, 64k, 256M or 1G, from %llu to %llu bytes",
                             (unsigned long long)min, (unsigned long long)max);
    *ret = v;
    return 0;
}

int yaml_double(const struct yaml_node *n, double *ret, struct err *e)
{
    /* strtod() also takes hex, "inf" and the locale's point: only what a person writes is let through */
    char *end;
    if (n->type != YAML_TEXT || n->len == 0 || n->len > 60 || n->text[strspn(n->text, "0123456789+-.eE")] != 0)
        return yaml_expected(n, e, "a number");
    double v = strtod(n->text, &end);
    if (*end || !isfinite(v))
        return yaml_expected(n, e, "a number");
    *ret = v;
    return 0;
}

static bool duration(const char *s, uint64_t *ret)
{
    static const struct suffix units[] = {
        {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", UINT64_C(1000000000)}, {"min", UINT64_C(60000000000)},
        {"m", UINT64_C(60000000000)}, {"h", UINT64_C(3600000000000)}, {"d", UINT64_C(86400000000000)},
        {"w", UINT64_C(604800000000000)}};
    uint64_t sum = 0;
    if (strcmp(s, "0") == 0) {
        *ret = 0;
        return true;
    }
    do {
        uint64_t v;
        unsigned i;
        if (*s < '0' || *s > '9' || !digits(s, &v, &s))
            return false;
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz");
        for (i = 0; i < ARRAY_LEN(units); i++)
            if (strlen(units[i].name) == n && memcmp(units[i].name, s, n) == 0)
                break;
        if (i == ARRAY_LEN(units) || __builtin_mul_overflow(v, units[i].mul, &v) ||
            __builtin_add_overflow(sum, v, &sum))
            return false;
        s += n;
    } while (*s);
    *ret = sum;
    return true;
}

int yaml_duration(const struct yaml_node *n, uint64_t min_ns, uint64_t max_ns, uint64_t *ret, struct err *e)
{
    uint64_t v;
    if (n->type != YAML_TEXT || !duration(n->text, &v))
        return yaml_expected(n, e, "a duration such as 500ms, 10s, 5m, 2h or 14d");
    if (v < min_ns || v > max_ns)
        return yaml_expected(n, e, "a duration from %gs to %gs", (double)min_ns / 1e9, (double)max_ns / 1e9);
    *ret = v;
    return 0;
}

int yaml_enum(const struct yaml_node *n, const char *const names[], unsigned *ret, struct err *e)
{
    char list[300];
    size_t at = 0;
    unsigned i;
    for (i = 0; n->type == YAML_TEXT && names[i]; i++) {
        if (strcmp(n->text, names[i]) == 0) {
            *ret = i;
            return 0;
        }
    }
    const char *near = n->type == YAML_TEXT && n->len ? yaml_nearest(n->text, names) : NULL;
    list[0] = 0;
    for (i = 0; names[i] && at + strlen(names[i]) + 8 < sizeof list; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", names[i]);
    if (near)
        return yaml_expected(n, e, "'%s'? (one of %s%s)", near, list, names[i] ? ", ..." : "");
    return yaml_expected(n, e, "one of %s%s", list, names[i] ? ", ..." : "");
}

int yaml_opt_str(const struct yaml_node *map, const char *key, const char **ret, struct err *e)
{
    const struct yaml_node *n = yaml_get(map, key);
    return n ? yaml_str(n, ret, e) : 0;
}

int yaml_opt_bool(const struct yaml_node *map, const char *key, bool *ret, struct err *e)
{
    const struct yaml_node *n = yaml_get(map, key);
    return n ? yaml_bool(n, ret, e) : 0;
}

int yaml_opt_u64(const struct yaml_node *map, const char *key, uint64_t min, uint64_t max, uint64_t *ret,
                 struct err *e)
{
    const struct yaml_node *n = yaml_get(map, key);
    return n ? yaml_u64(n, min, max, ret, e) : 0;
}

int yaml_opt_bytes(const struct yaml_node *map, const char *key, uint64_t min, uint64_t max, uint64_t *ret,
                   struct err *e)
{
    const struct yaml_node *n = yaml_get(map, key);
    return n ? yaml_bytes(n, min, max, ret, e) : 0;
}

int yaml_opt_duration(const struct yaml_node *map, const char *key, uint64_t min_ns, uint64_t max_ns, uint64_t *ret,
                      struct err *e)
{
    const struct yaml_node *n = yaml_get(map, key);
    return n ? yaml_duration(n, min_ns, max_ns, ret, e) : 0;
}

int yaml_opt_enum(const struct yaml_node *map, const char *key, const char *const names[], unsigned *ret,
                  struct err *e)
{
    const struct yaml_node *n = yaml_get(map, key);
    return n ? yaml_enum(n, names, ret, e) : 0;
}
