#include "engine/listing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "engine/base/record.h"
#include "engine/base/row.h"
#include "store/query.h"

const char *cell(char out[CELL], const char *text, unsigned width)
{
    unsigned cols = 0, n = 0, cut = 0;
    if (!text || !*text)
        return "-";
    if (width > CELL - 4)
        width = CELL - 4;
    for (; text[n] && n < CELL - 4; n++) { /* continuation bytes take no column */
        cols += ((unsigned char)text[n] & 0xc0) != 0x80;
        if (cols > width)
            break;
        if (cols <= width - 2)
            cut = n + 1;
        out[n] = text[n];
    }
    if (!text[n]) {
        out[n] = 0;
        return out;
    }
    while (cut && ((unsigned char)text[cut] & 0xc0) == 0x80)
        cut--;
    memcpy(out + cut, "..", 3);
    return out;
}

const char *cell_time(char out[CELL], uint64_t ns)
{
    time_t t = (time_t)(ns / 1000000000);
    struct tm tm;
    if (ns <= ROW_NEVER_NS || !gmtime_r(&t, &tm) || !strftime(out, CELL, "%Y-%m-%d %H:%M", &tm))
        return "-";
    return out;
}

void json_seen(struct jw *w, const char *key, uint64_t ns)
{
    if (ns == ROW_NEVER_NS)
        jw_kv_str(w, key, NULL);
    else
        jw_kv_time(w, key, ns);
}

const char *cell_count(char out[CELL], uint64_t n)
{
    static const char unit[] = " kMGTPE";
    unsigned u = 0;
    double v = (double)n;
    while (v >= 9999.5 && u < 6) {
        v /= 1000;
        u++;
    }
    if (u)
        snprintf(out, CELL, v < 100 ? "%.1f%c" : "%.0f%c", v, unit[u]);
    else
        snprintf(out, CELL, "%llu", (unsigned long long)n);
    return out;
}

const char *cell_id(char out[CELL], uint64_t id)
{
    snprintf(out, CELL, "%016llx", (unsigned long long)id);
    return out;
}

const char *cell_proto(char out[CELL], int64_t l4)
{
    static const struct {
        int64_t l4;
        const char *name;
    } names[] = {
        {PROTO_TCP, "TCP"}, {PROTO_UDP, "UDP"}, {PROTO_ICMP, "ICMP"}, {PROTO_ICMP6, "ICMPv6"}, {PROTO_ETH, "ETH"}};
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].l4 == l4)
            return names[i].name;
    snprintf(out, CELL, "IP-%lld", (long long)l4);
    return out;
}

const char *cell_port(char out[CELL], int64_t l4, int64_t port)
{
    char name[CELL];
    bool none = !port && l4 != PROTO_TCP && l4 != PROTO_UDP && l4 != PROTO_ETH;
    snprintf(out, CELL, none ? "%s" : l4 == PROTO_ETH ? "%s/0x%04llx" : "%s/%lld", cell_proto(name, l4),
             (long long)port);
    return out;
}

const char *cell_learned(int64_t learned)
{
    static const char *const words[] = {"seen", "learned", "folded", "alerted", "condemned"};
    return learned >= 0 && learned < (int64_t)ARRAY_LEN(words) ? words[learned] : "?";
}

const char *cell_purdue(char out[CELL], int64_t purdue)
{
    if (purdue < 0)
        return "-";
    if (purdue > 9)
        snprintf(out, CELL, "%d.%d", (int)(purdue / 10), (int)(purdue % 10));
    else
        snprintf(out, CELL, "%d", (int)purdue);
    return out;
}

void json_list(struct jw *w, const char *key, const char *joined)
{
    jw_key_open(w, key, '[');
    for (const char *p = joined; p && *p;) {
        const char *end = strchrnul(p, ',');
        jw_text(w, (struct span){(const uint8_t *)p, (uint32_t)(end - p)});
        p = *end ? end + 1 : end;
    }
    jw_close(w, ']');
}

void json_or_null(struct jw *w, const char *key, const char *text)
{
    jw_kv_str(w, key, text && *text ? text : NULL);
}

static const char *const roles[] = {"controller",   "rtu",       "hmi",    "engineering_station",
                                    "field_device", "gateway",   "router", "server",
                                    "workstation",  "historian", "switch"};

void json_roles(struct jw *w, const char *key, uint32_t bits)
{
    jw_key_open(w, key, '[');
    for (unsigned i = 0; i < ARRAY_LEN(roles); i++)
        if (bits >> i & 1)
            jw_str(w, roles[i]);
    jw_close(w, ']');
}

void text_roles(char *out, size_t n, uint32_t bits)
{
    size_t at = 0;
    *out = 0;
    for (unsigned i = 0; i < ARRAY_LEN(roles) && at < n; i++)
        if (bits >> i & 1)
            at += (size_t)snprintf(out + at, n - at, "%s%s", at ? ", " : "", roles[i]);
}

int json_lines_begin(struct json_lines *j)
{
    j->n = 0;
    j->buf = malloc(JSON_BYTES);
    fputs("[", stdout);
    return j->buf ? 0 : -ENOMEM;
}

struct jw *json_lines_next(struct json_lines *j)
{
    jw_init(&j->w, j->buf, JSON_BYTES);
    jw_open(&j->w, '{');
    return &j->w;
}

void json_lines_put(struct json_lines *j)
{
    jw_close(&j->w, '}');
    fputs(j->n++ ? ",\n" : "\n", stdout);
    fwrite(j->w.p, 1, j->w.n, stdout);
}

void json_lines_end(struct json_lines *j)
{
    fputs(j->n ? "\n]\n" : "]\n", stdout);
    free(j->buf);
}

struct rows *ask(struct query *q, int id, const char *const *args, unsigned n)
{
    struct err e;
    struct rows *r = query_run(q, (enum query_id)id, args, n, &e);
    if (!r)
        fprintf(stderr, "tyto: %s\n", e.text);
    return r;
}

struct rows *ask_id(struct query *q, int query, uint64_t id)
{
    char hex[CELL];
    const char *const args[] = {cell_id(hex, id)};
    return ask(q, query, args, 1);
}

bool next(struct rows *r)
{
    struct err e;
    int n = r ? rows_next(r, &e) : 0;
    if (n < 0)
        fprintf(stderr, "tyto: %s\n", e.text);
    return n > 0;
}

int uid_complete(struct query *q, const char *begin, char out[17], struct err *e)
{
    const char *none[6] = {NULL};
    int found = 0, more;
    struct rows *r = query_run(q, Q_ALERTS, none, 6, e);
    if (!r)
        return -EIO;
    while ((more = rows_next(r, e)) > 0) {
        const char *uid = rows_text(r, QX_UID);
        if (uid && strncasecmp(uid, begin, strlen(begin)) == 0 && (!found || strcmp(out, uid) != 0)) {
            snprintf(out, 17, "%s", uid);
            found++;
        }
    }
    rows_done(r);
    if (found > 1)
        return err_set(e, -EINVAL, "more than one alert begins with %s", begin);
    return more < 0 ? more : found;
}

struct query *open_db(const char *path)
{
    struct query *q;
    struct err e;
    if (query_open(path, &q, &e) == 0)
        return q;
    fprintf(stderr, "tyto: %s\n", e.text);
    return NULL;
}
