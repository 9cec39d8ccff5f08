/* tz.c: TZif files (RFC 8536) and POSIX TZ strings, read with the bounded cursor: a broken file is refused. */
#include "engine/base/tz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/cur.h"

enum { DAY = 86400, TZ_FILE_MAX = 1 << 18 };

/* ---- the calendar ----------------------------------------------------------------------------------------------- */

int64_t tz_days(int32_t year, unsigned month, unsigned day)
{
    /* Days from a civil date with years that begin in March, so that 29 February is a year's last day. */
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static bool is_leap(int32_t y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int32_t civil(int64_t days, uint8_t *month, uint8_t *day)
{
    int64_t z = days + 719468, era = floor_div(z, 146097), doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    *day = (uint8_t)(doy - (153 * mp + 2) / 5 + 1);
    *month = (uint8_t)(mp < 10 ? mp + 3 : mp - 9);
    return (int32_t)(yoe + era * 400 + (*month <= 2));
}

/* ---- POSIX rules (XBD 8.3; hours up to 167 by RFC 8536 3.3.1) --------------------------------------------------- */

static bool take_name(const char **s)
{
    const char *p = *s;
    bool angle = *p == '<';
    p += angle;
    const char *start = p;
    while ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
           (angle && ((*p >= '0' && *p <= '9') || *p == '+' || *p == '-')))
        p++;
    if (p - start < 3 || (angle && *p != '>'))
        return false;
    *s = p + angle;
    return true;
}

static bool take_num(const char **s, int max, int *ret)
{
    const char *p = *s;
    int v = 0, n = 0;
    while (*p >= '0' && *p <= '9' && n < 4) {
        v = v * 10 + (*p++ - '0');
        n++;
    }
    if (!n || v > max)
        return false;
    *s = p;
    *ret = v;
    return true;
}

/* [+-]hh[:mm[:ss]] in seconds */
static bool take_hms(const char **s, int max_hours, int32_t *ret)
{
    const char *p = *s;
    int sign = *p == '-' ? -1 : 1, h = 0, m = 0, sec = 0;
    p += *p == '-' || *p == '+';
    if (!take_num(&p, max_hours, &h))
        return false;
    if (*p == ':') {
        p++;
        if (!take_num(&p, 59, &m))
            return false;
        if (*p == ':') {
            p++;
            if (!take_num(&p, 59, &sec))
                return false;
        }
    }
    *s = p;
    *ret = sign * (h * 3600 + m * 60 + sec);
    return true;
}

/* Mm.w.d, Jn or n, each with an optional /time (02:00 by default) */
static bool take_day(const char **s, struct tz_day *d)
{
    const char *p = *s;
    int a = 0, b = 0, c = 0;
    memset(d, 0, sizeof *d);
    d->secs = 2 * 3600;
    if (*p++ != ',')
        return false;
    if (*p == 'M') {
        p++;
        if (!take_num(&p, 12, &a) || a < 1 || *p++ != '.' || !take_num(&p, 5, &b) || b < 1 || *p++ != '.' ||
            !take_num(&p, 6, &c))
            return false;
        d->m = (uint8_t)a;
        d->w = (uint8_t)b;
        d->d = (uint8_t)c;
    } else {
        d->form = *p == 'J' ? 1 : 2;
        p += *p == 'J';
        if (!take_num(&p, 365, &a) || (d->form == 1 && a < 1))
            return false;
        d->day = (uint16_t)a;
    }
    if (*p == '/') {
        p++;
        if (!take_hms(&p, 167, &d->secs))
            return false;
    }
    *s = p;
    return true;
}

int tz_parse_posix(struct tz_rule *ret, const char *s, struct err *e)
{
    struct tz_rule r = {0};
    const char *p = s;
    if (!take_name(&p) || !take_hms(&p, 24, &r.std_off))
        goto bad;
    r.std_off = -r.std_off; /* POSIX counts west */
    if (*p) {
        if (!take_name(&p))
            goto bad;
        r.has_dst = true;
        r.dst_off = r.std_off + 3600;
        if (*p && *p != ',') {
            if (!take_hms(&p, 24, &r.dst_off))
                goto bad;
            r.dst_off = -r.dst_off;
        }
        if (!take_day(&p, &r.start) || !take_day(&p, &r.end))
            goto bad;
    }
    if (*p)
        goto bad;
    *ret = r;
    return 0;
bad:
    return err_set(e, -EINVAL,
                   "time zone '%.60s': found '%.20s', expected a POSIX rule such as CET-1CEST,M3.5.0,M10.5.0/3", s,
                   *p ? p : "its end");
}

/* Seconds since 1970 of local midnight plus the rule's time, as if local time were UTC. */
static int64_t day_of(const struct tz_day *d, int32_t year)
{
    int64_t first = tz_days(year, 1, 1), day;
    if (d->form == 1) {
        day = first + d->day - 1 + (is_leap(year) && d->day >= 60);
    } else if (d->form == 2) {
        day = first + d->day;
    } else {
        int64_t m = tz_days(year, d->m, 1), wday = ((m + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
        day = m + (d->d - wday + 7) % 7 + 7 * (d->w - 1);
        int64_t end = d->m == 12 ? tz_days(year + 1, 1, 1) : tz_days(year, d->m + 1u, 1);
        while (day >= end)
            day -= 7;
    }
    return day * DAY + d->secs;
}

static int32_t rule_offset(const struct tz_rule *r, int64_t t)
{
    uint8_t m, d;
    if (!r->has_dst)
        return r->std_off;
    int32_t year = civil(floor_div(t + r->std_off, DAY), &m, &d);
    int64_t start = day_of(&r->start, year) - r->std_off, end = day_of(&r->end, year) - r->dst_off;
    bool dst = start < end ? t >= start && t < end : t >= start || t < end;
    return dst ? r->dst_off : r->std_off;
}

/* ---- TZif ------------------------------------------------------------------------------------------------------- */

struct counts {
    uint32_t isut, isstd, leap, time, type, chars;
};

static bool take_header(struct cur *c, struct counts *n, uint8_t *version)
{
    struct span magic = cur_bytes(c, 4);
    if (!cur_ok(c) || memcmp(magic.p, "TZif", 4) != 0)
        return false;
    *version = cur_u8(c);
    cur_skip(c, 15);
    n->isut = cur_u32be(c);
    n->isstd = cur_u32be(c);
    n->leap = cur_u32be(c);
    n->time = cur_u32be(c);
    n->type = cur_u32be(c);
    n->chars = cur_u32be(c);
    /* Bounded here, so that no product below can overflow */
    return cur_ok(c) && n->isut <= TZ_MAX_TYPES && n->isstd <= TZ_MAX_TYPES && n->leap <= 4096 &&
           n->time <= TZ_MAX_TRANSITIONS && n->type >= 1 && n->type <= TZ_MAX_TYPES && n->chars <= 4096;
}

static void skip_block(struct cur *c, const struct counts *n, uint32_t width)
{
    cur_skip(c, n->time * (width + 1) + n->type * 6 + n->chars + n->leap * (width + 4) + n->isstd + n->isut);
}

static bool take_block(struct tz *z, struct cur *c, const struct counts *n, uint32_t width)
{
    z->n_at = n->time;
    z->n_types = n->type;
    for (uint32_t i = 0; i < n->time; i++) {
        z->at[i] = width == 8 ? (int64_t)cur_u64be(c) : (int64_t)(int32_t)cur_u32be(c);
        if (i && z->at[i] <= z->at[i - 1])
            return false;
    }
    for (uint32_t i = 0; i < n->time; i++) {
        z->type[i] = cur_u8(c);
        if (z->type[i] >= n->type)
            return false;
    }
    for (uint32_t i = 0; i < n->type; i++) {
        z->off[i] = (int32_t)cur_u32be(c);
        cur_skip(c, 2); /* isdst, abbreviation */
        if (z->off[i] < -DAY * 2 || z->off[i] > DAY * 2)
            return false;
    }
    cur_skip(c, n->chars + n->leap * (width + 4) + n->isstd + n->isut);
    return cur_ok(c);
}

static int take_footer(struct tz *z, struct cur *c, struct err *e)
{
    char text[128];
    uint32_t n = 0;
    if (cur_u8(c) != '\n')
        return err_set(e, -EINVAL, "time zone file: no footer");
    while (n < sizeof text - 1 && cur_left(c) && cur_peek(c, 0) != '\n')
        text[n++] = (char)cur_u8(c);
    text[n] = '\0';
    if (cur_u8(c) != '\n' || !cur_ok(c))
        return err_set(e, -EINVAL, "time zone file: its footer has no end");
    if (!n)
        return 0;
    int r = tz_parse_posix(&z->rule, text, e);
    z->has_rule = r == 0;
    return r;
}

int tz_parse_file(struct tz *z, const uint8_t *p, uint32_t len, struct err *e)
{
    struct cur c = cur_make(p, len);
    struct counts n;
    uint8_t version;
    tz_utc(z);
    if (!take_header(&c, &n, &version))
        return err_set(e, -EINVAL, "not a time zone file (TZif), or one with more than %d transitions",
                       TZ_MAX_TRANSITIONS);
    z->has_rule = false;
    if (version < '2') {
        if (!take_block(z, &c, &n, 4))
            return err_set(e, -EINVAL, "time zone file: transitions out of order or cut off");
        return 0;
    }
    skip_block(&c, &n, 4);
    if (!take_header(&c, &n, &version) || !take_block(z, &c, &n, 8))
        return err_set(e, -EINVAL, "time zone file: its 64-bit part is cut off or out of order");
    return take_footer(z, &c, e);
}

/* ---- loading ---------------------------------------------------------------------------------------------------- */

void tz_utc(struct tz *z)
{
    memset(z, 0, sizeof *z);
    memcpy(z->name, "UTC", 4);
    z->n_types = 1;
    z->has_rule = true;
}

static bool is_zone_name(const char *s)
{
    if (!*s || *s == '/' || strlen(s) >= TZ_NAME || strstr(s, "..") || strchr(s, ','))
        return false;
    for (; *s; s++)
        if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || strchr("_+-/", *s)))
            return false;
    return true;
}

static int load_file(struct tz *z, const char *name, struct err *e)
{
    char path[TZ_NAME + 32];
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    uint8_t *buf = malloc(TZ_FILE_MAX);
    ssize_t n = 0, got = -1;
    while (buf && n < TZ_FILE_MAX && (got = read(fd, buf + n, (size_t)(TZ_FILE_MAX - n))) > 0)
        n += got;
    int r = !buf ? -ENOMEM : got < 0 ? -errno : 0;
    close(fd);
    if (r == 0 && tz_parse_file(z, buf, (uint32_t)n, e) < 0)
        r = -EINVAL;
    free(buf);
    return r;
}

int tz_load(struct tz *z, const char *name, struct err *e)
{
    if (strcmp(name, "UTC") == 0 || strcmp(name, "Etc/UTC") == 0 || strcmp(name, "GMT") == 0) {
        tz_utc(z);
        return 0;
    }
    int r = -ENOENT;
    struct tz *t = malloc(sizeof *t);
    if (!t)
        return err_set(e, -ENOMEM, "out of memory");
    if (is_zone_name(name))
        r = load_file(t, name, e);
    if (r == -ENOENT || r == -EISDIR) {
        tz_utc(t);
        if (strlen(name) >= TZ_NAME || tz_parse_posix(&t->rule, name, e) < 0)
            r = err_set(e, -EINVAL,
                        "time zone: found '%.60s', expected a name under /usr/share/zoneinfo (package tzdata) "
                        "such as Europe/Berlin, or a POSIX rule such as CET-1CEST,M3.5.0,M10.5.0/3",
                        name);
        else
            r = 0;
    } else if (r < 0 && r != -EINVAL) {
        err_set(e, r, "time zone '%.60s': %s", name, strerror(-r));
    }
    if (r == 0) {
        snprintf(t->name, sizeof t->name, "%s", name);
        *z = *t;
    }
    free(t);
    return r;
}

int32_t tz_offset(const struct tz *z, int64_t t)
{
    if (!z)
        return 0;
    if (!z->n_at || t >= z->at[z->n_at - 1])
        return z->has_rule || !z->n_types ? rule_offset(&z->rule, t) : z->off[z->n_at ? z->type[z->n_at - 1] : 0];
    if (t < z->at[0])
        return z->off[0];          /* RFC 8536 3.2: type 0 holds before the first transition */
    uint32_t lo = 0, hi = z->n_at; /* at[lo] <= t < at[hi] */
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (z->at[mid] <= t)
            lo = mid;
        else
            hi = mid;
    }
    return z->off[z->type[lo]];
}

void tz_local(const struct tz *z, uint64_t ns, struct tz_time *ret)
{
    int64_t t = (int64_t)(ns / 1000000000u);
    int32_t off = tz_offset(z, t);
    t += off;
    int64_t days = floor_div(t, DAY), secs = t - days * DAY;
    ret->off = off;
    ret->year = civil(days, &ret->month, &ret->day);
    ret->hour = (uint8_t)(secs / 3600);
    ret->minute = (uint8_t)(secs / 60 % 60);
    ret->second = (uint8_t)(secs % 60);
    ret->wday = (uint8_t)(((days + 4) % 7 + 7) % 7);
    ret->yday = (uint16_t)(days - tz_days(ret->year, 1, 1));
}

int64_t tz_unix(const struct tz *z, int32_t year, unsigned month, unsigned day, unsigned hour, unsigned min,
                unsigned sec)
{
    int64_t local = tz_days(year, month, day) * DAY + (int64_t)hour * 3600 + min * 60 + sec;
    int64_t before = local - tz_offset(z, local - DAY), after = local - tz_offset(z, local + DAY);
    bool b = before + tz_offset(z, before) == local, a = after + tz_offset(z, after) == local;
    if (a && b)
        return before < after ? before : after;
    return a ? after : before;
}

/* ---- times as people write them --------------------------------------------------------------------------------- */

static unsigned month_days(int year, unsigned month)
{
    return (unsigned)(month == 12 ? 31 : tz_days(year, month + 1, 1) - tz_days(year, month, 1));
}

/* "Z", "+02:00"; false: neither */
static bool parse_offset(const char *s, int *ret)
{
    unsigned h, m;
    int n = 0;
    *ret = 0;
    if (strcmp(s, "Z") == 0)
        return true;
    if ((*s != '+' && *s != '-') || sscanf(s + 1, "%2u:%2u%n", &h, &m, &n) != 2 || s[1 + n] || h > 14 || m > 59)
        return false;
    *ret = (int)(h * 3600 + m * 60) * (*s == '-' ? -1 : 1);
    return true;
}

bool tz_parse_time(const struct tz *z, const char *s, uint64_t *ret)
{
    int y, n = 0, k = 0, off = 0;
    unsigned mo, d, h = 0, mi = 0, sec = 0;
    if (sscanf(s, "%4d-%2u-%2u%n", &y, &mo, &d, &n) != 3 || y < 1970 || y > 2200 || !mo || mo > 12 || !d ||
        d > month_days(y, mo))
        return false;
    s += n;
    if ((*s == ' ' || *s == 'T') && sscanf(s + 1, "%2u:%2u%n", &h, &mi, &k) == 2) {
        s += 1 + k;
        if (sscanf(s, ":%2u%n", &sec, &k) == 1)
            s += k;
    }
    if (h > 24 || mi > 59 || sec > 59 || (h == 24 && (mi || sec)))
        return false;
    int64_t t = *s ? tz_days(y, mo, d) * 86400 + h * 3600 + mi * 60 + sec : tz_unix(z, y, mo, d, h, mi, sec);
    if (*s && !parse_offset(s, &off))
        return false;
    t -= off;
    if (t < 0)
        return false;
    *ret = (uint64_t)t * UINT64_C(1000000000);
    return true;
}
