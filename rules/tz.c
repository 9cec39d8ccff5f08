/* tz.c: reads zone files (RFC 8536 TZif, version 2 and up; version 1 where there is no more) and their footer, the
 * POSIX rule for the years beyond the table ("CET-1CEST,M3.5.0,M10.5.0/3"). */
#include "rules/tz.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/cur.h"

#define ZONEINFO "/usr/share/zoneinfo/"

enum { TZ_MAX_FILE = 1 << 18, TZ_MAX_TIMES = 4096, TZ_MAX_TYPES = 256 };

/* The day of a change: Mm.w.d, Jn (1..365, no leap day) or n (0..365), POSIX.1-2017 8.3. */
struct change {
    char kind; /* 'M', 'J', 'N' */
    int month, week, day;
    int32_t at; /* seconds of local time from midnight */
};

struct footer {
    bool set, has_dst;
    int32_t std, dst; /* seconds east of UTC */
    struct change from, to;
};

struct tz {
    char *name;
    int32_t first; /* the offset before the first change */
    uint32_t n;
    int64_t *times;
    int32_t *offsets; /* from times[i] on */
    struct footer foot;
};

/* ---- civil time: days since 1970 of a date and back, proleptic Gregorian ------------------------------------- */

static int64_t days_of(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int64_t year_of(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097, doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    return yoe + era * 400 + (doy >= 306);
}

static bool leap(int64_t y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t change_at(const struct change *c, int64_t year)
{
    int64_t day;
    if (c->kind == 'J') {
        day = days_of(year, 1, 1) + c->day - 1 + (leap(year) && c->day >= 60);
    } else if (c->kind == 'N') {
        day = days_of(year, 1, 1) + c->day;
    } else {
        int64_t first = days_of(year, c->month, 1);
        int64_t next = c->month == 12 ? days_of(year + 1, 1, 1) : days_of(year, c->month + 1, 1);
        int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
        day = first + (c->day - weekday + 7) % 7 + 7 * (c->week - 1);
        while (day >= next)
            day -= 7;
    }
    return day * 86400 + c->at;
}

static int32_t footer_offset(const struct footer *f, int64_t t)
{
    if (!f->has_dst)
        return f->std;
    int64_t year = year_of(floor_div(t + f->std, 86400));
    int64_t from = change_at(&f->from, year) - f->std, to = change_at(&f->to, year) - f->dst;
    bool dst = from < to ? t >= from && t < to : t >= from || t < to;
    return dst ? f->dst : f->std;
}

int32_t tz_offset(const struct tz *z, int64_t t)
{
    if (!z)
        return 0;
    if (z->n == 0 || t < z->times[0])
        return z->n == 0 && z->foot.set ? footer_offset(&z->foot, t) : z->first;
    if (t >= z->times[z->n - 1] && z->foot.set)
        return footer_offset(&z->foot, t);
    uint32_t lo = 0, hi = z->n; /* times[lo] <= t < times[hi] */
    while (hi - lo > 1) {
        uint32_t mid = (lo + hi) / 2;
        if (z->times[mid] <= t)
            lo = mid;
        else
            hi = mid;
    }
    return z->offsets[lo];
}

/* ---- the POSIX rule ------------------------------------------------------------------------------------------- */

static bool number(const char **s, int max, int *ret)
{
    int v = 0;
    const char *p = *s;
    while (*p >= '0' && *p <= '9' && v <= max)
        v = v * 10 + (*p++ - '0');
    if (p == *s || v > max)
        return false;
    *s = p;
    *ret = v;
    return true;
}

static bool zone_letters(const char **s)
{
    size_t n;
    if (**s == '<') {
        n = strcspn(*s, ">");
        if ((*s)[n] != '>')
            return false;
        *s += n + 1;
        return n > 1;
    }
    n = strspn(*s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    *s += n;
    return n >= 3;
}

/* [+-]hh[:mm[:ss]] in seconds; RFC 8536 3.3.1 lets hours reach 167 */
static bool hms(const char **s, int32_t *ret)
{
    int h = 0, m = 0, sec = 0;
    bool minus = **s == '-';
    if (**s == '-' || **s == '+')
        ++*s;
    if (!number(s, 167, &h))
        return false;
    if (**s == ':' && (++*s, !number(s, 59, &m)))
        return false;
    if (**s == ':' && (++*s, !number(s, 59, &sec)))
        return false;
    int32_t v = h * 3600 + m * 60 + sec;
    *ret = minus ? -v : v;
    return true;
}

static bool parse_change(const char **s, struct change *c)
{
    bool ok;
    *c = (struct change){.kind = 'N', .at = 7200};
    if (*(*s)++ != ',')
        return false;
    if (**s == 'M') {
        c->kind = 'M';
        ++*s;
        ok = number(s, 12, &c->month) && *(*s)++ == '.' && number(s, 5, &c->week) && *(*s)++ == '.' &&
             number(s, 6, &c->day) && c->month >= 1 && c->week >= 1;
    } else if (**s == 'J') {
        c->kind = 'J';
        ++*s;
        ok = number(s, 365, &c->day) && c->day >= 1;
    } else {
        ok = number(s, 365, &c->day);
    }
    if (ok && **s == '/') {
        ++*s;
        ok = hms(s, &c->at);
    }
    return ok;
}

static bool parse_footer(const char *s, struct footer *ret)
{
    struct footer f = {.set = true};
    if (!zone_letters(&s) || !hms(&s, &f.std))
        return false;
    f.std = -f.std;
    if (*s) {
        f.has_dst = true;
        f.dst = f.std + 3600;
        if (!zone_letters(&s))
            return false;
        if (*s && *s != ',') {
            if (!hms(&s, &f.dst))
                return false;
            f.dst = -f.dst;
        }
        if (!parse_change(&s, &f.from) || !parse_change(&s, &f.to) || *s)
            return false;
    }
    *ret = f;
    return true;
}

/* ---- TZif ----------------------------------------------------------------------------------------------------- */

struct head {
    uint8_t version;
    uint32_t isut, isstd, leaps, times, types, chars;
};

static bool read_head(struct cur *c, struct head *h)
{
    struct span magic = cur_bytes(c, 4);
    h->version = cur_u8(c);
    cur_skip(c, 15);
    h->isut = cur_u32be(c);
    h->isstd = cur_u32be(c);
    h->leaps = cur_u32be(c);
    h->times = cur_u32be(c);
    h->types = cur_u32be(c);
    h->chars = cur_u32be(c);
    return cur_ok(c) && memcmp(magic.p, "TZif", 4) == 0 && h->times <= TZ_MAX_TIMES && h->types >= 1 &&
           h->types <= TZ_MAX_TYPES && h->chars <= 4096 && h->leaps <= 4096 && h->isut <= TZ_MAX_TYPES &&
           h->isstd <= TZ_MAX_TYPES;
}

static bool read_body(struct cur *c, const struct head *h, unsigned width, struct tz *z)
{
    int32_t types[TZ_MAX_TYPES];
    for (uint32_t i = 0; i < h->times; i++)
        z->times[i] = width == 8 ? (int64_t)cur_u64be(c) : (int32_t)cur_u32be(c);
    struct span index = cur_bytes(c, h->times);
    for (uint32_t i = 0; i < h->types; i++) {
        types[i] = (int32_t)cur_u32be(c);
        cur_skip(c, 2);
    }
    cur_skip(c, h->chars + h->leaps * (width + 4) + h->isstd + h->isut);
    if (!cur_ok(c))
        return false;
    for (uint32_t i = 0; i < h->times; i++) {
        if (index.p[i] >= h->types || (i && z->times[i] <= z->times[i - 1]))
            return false;
        z->offsets[i] = types[index.p[i]];
    }
    for (uint32_t i = 0; i < h->types; i++)
        if (types[i] < -100000 || types[i] > 100000)
            return false;
    z->n = h->times;
    z->first = types[0];
    return true;
}

static bool read_tzif(struct cur c, struct tz *z)
{
    struct head h;
    char foot[128];
    if (!read_head(&c, &h))
        return false;
    if (h.version < '2')
        return read_body(&c, &h, 4, z);
    cur_skip(&c, h.times * 5 + h.types * 6 + h.chars + h.leaps * 8 + h.isstd + h.isut);
    if (!cur_ok(&c) || !read_head(&c, &h) || !read_body(&c, &h, 8, z))
        return false;
    struct span rest = cur_rest(&c);
    if (rest.n < 2 || rest.n >= sizeof foot || rest.p[0] != '\n' || rest.p[rest.n - 1] != '\n')
        return false;
    memcpy(foot, rest.p + 1, rest.n - 2);
    foot[rest.n - 2] = 0;
    return foot[0] == 0 || parse_footer(foot, &z->foot);
}

void tz_free(struct tz *z)
{
    if (!z)
        return;
    free(z->name);
    free(z->times);
    free(z->offsets);
    free(z);
}

const char *tz_name(const struct tz *z)
{
    return z ? z->name : "UTC";
}

static struct tz *tz_new(const char *name, uint32_t room)
{
    struct tz *z = calloc(1, sizeof *z);
    if (!z)
        return NULL;
    z->name = strdup(name);
    z->times = calloc(room + 1, sizeof *z->times);
    z->offsets = calloc(room + 1, sizeof *z->offsets);
    if (z->name && z->times && z->offsets)
        return z;
    tz_free(z);
    return NULL;
}

int tz_parse(const char *name, const void *p, uint32_t n, struct tz **ret, struct err *e)
{
    struct tz *z = tz_new(name, TZ_MAX_TIMES);
    if (!z)
        return err_set(e, -ENOMEM, "time zone %s: out of memory", name);
    if (!read_tzif(cur_make(p, n), z)) {
        tz_free(z);
        return err_set(e, -EINVAL, "time zone %s: the zone file is damaged", name);
    }
    *ret = z;
    return 0;
}

static int fixed(const char *name, int32_t offset, struct tz **ret, struct err *e)
{
    struct tz *z = tz_new(name, 0);
    if (!z)
        return err_set(e, -ENOMEM, "time zone %s: out of memory", name);
    z->first = offset;
    *ret = z;
    return 0;
}

/* "+02:00", "-0530", "+2" */
static bool parse_fixed(const char *s, int32_t *ret)
{
    int h = 0, m = 0;
    bool minus = *s == '-';
    if (*s != '+' && *s != '-')
        return false;
    size_t n = strlen(++s);
    if (strspn(s, "0123456789:") != n)
        return false;
    if (n == 4 && !strchr(s, ':')) {
        h = (s[0] - '0') * 10 + s[1] - '0';
        m = (s[2] - '0') * 10 + s[3] - '0';
    } else if (!number(&s, 15, &h) || (*s && (*s++ != ':' || !number(&s, 59, &m))) || *s) {
        return false;
    }
    if (h > 15 || m > 59)
        return false;
    *ret = (minus ? -1 : 1) * (h * 3600 + m * 60);
    return true;
}

static bool safe_name(const char *s)
{
    size_t n = strlen(s);
    return n > 0 && n < 64 && s[0] != '/' && s[0] != '.' && !strstr(s, "..") &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") == n;
}

int tz_open(const char *name, struct tz **ret, struct err *e)
{
    int32_t offset = 0;
    char path[128];
    if (strcmp(name, "UTC") == 0 || strcmp(name, "Z") == 0 || parse_fixed(name, &offset))
        return fixed(name, offset, ret, e);
    if (!safe_name(name))
        return err_set(e, -EINVAL, "found the time zone '%.60s', expected UTC, +02:00 or a name such as Europe/Berlin", name);
    snprintf(path, sizeof path, "%s%s", ZONEINFO, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(e, -EINVAL, "found the unknown time zone '%s' (%s: %s), expected a name such as Europe/Berlin", name,
                       path, strerror(errno));
    char *buf = malloc(TZ_MAX_FILE);
    ssize_t n = buf ? read(fd, buf, TZ_MAX_FILE) : -1;
    close(fd);
    int r = n < 0 ? err_set(e, -EIO, "%s: cannot be read", path) : tz_parse(name, buf, (uint32_t)n, ret, e);
    free(buf);
    return r;
}
