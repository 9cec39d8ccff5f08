/* cmd_alerts.c: `tyto alerts`: what was raised, as a table, as records, or one alert in words. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/catalogue.h"
#include "engine/base/attack.h"
#include "engine/base/jw.h"
#include "engine/base/tz.h"
#include "engine/cmd.h"
#include "engine/columns.h"
#include "engine/filters.h"
#include "engine/json.h"
#include "engine/listing.h"
#include "store/query.h"

struct opts {
    const char *db, *severity, *since, *type, *host, *uid;
    bool json;
    char least[4], since_ns[24];
    const char *engine, *id;
};

static void usage(FILE *f)
{
    fputs("usage: tyto alerts [OPTION]...       alerts of the database, the latest last\n"
          "       tyto alerts [OPTION]... UID   one alert in words (the first digits of its uid are enough)\n"
          "       tyto alerts --types [--json]  all types of alerts there are\n"
          "  -d, --db FILE       database (tyto.db)\n"
          "      --severity S    critical, major, minor or warning: this and worse\n"
          "      --since T       last seen since then: 2026-01-05, 2026-01-05T10:00 (UTC), or 2h before the latest "
          "alert\n"
          "      --type T        an id (OT-POL-001) or an engine (policy, protocol, malware, anomaly, operational)\n"
          "      --host WHO      from or to the device with that address, name or id\n"
          "      --json          the records, one a line\n",
          f);
}

/* ---- all types -------------------------------------------------------------------------------------------------- */

static void words(struct jw *w, const char *key, const char *s)
{
    jw_key_open(w, key, '[');
    while (*s) {
        uint32_t n = (uint32_t)strcspn(s, " ");
        jw_text(w, (struct span){(const uint8_t *)s, n});
        s += n + (s[n] == ' ');
    }
    jw_close(w, ']');
}

static void type_json(const struct alert_type *t)
{
    char buf[4096];
    struct jw w;
    jw_init(&w, buf, sizeof buf);
    jw_open(&w, '{');
    jw_kv_str(&w, "id", t->id);
    jw_kv_u64(&w, "signature_id", t->sid);
    jw_kv_u64(&w, "rev", t->rev);
    jw_kv_str(&w, "engine", alert_engine_name(t->engine));
    jw_kv_str(&w, "title", t->title);
    jw_kv_str(&w, "category", t->category);
    jw_kv_u64(&w, "severity", t->severity);
    jw_kv_str(&w, "learnable", alert_learn_name(t->learn));
    jw_kv_str(&w, "learn", alert_learn_name(t->learn)); /* as `tyto rules list` calls it */
    words(&w, "attack_ics", t->attack);
    words(&w, "refs", t->refs);
    jw_kv_str(&w, "remedy", t->remedy);
    jw_close(&w, '}');
    printf("%.*s\n", (int)w.n, buf);
}

static int list_types(bool json)
{
    static const char *const head[] = {"ID", "ENGINE", "SEVERITY", "LEARNABLE", "ATT&CK", "TITLE", NULL};
    struct columns t;
    if (!json)
        columns_init(&t, 0, head);
    for (unsigned i = 0; i < AT_COUNT; i++) {
        const struct alert_type *a = &alert_types[i];
        if (json) {
            type_json(a);
            continue;
        }
        columns_add(&t, "%s", a->id);
        columns_add(&t, "%s", alert_engine_name(a->engine));
        columns_add(&t, "%s", alert_severity_name(a->severity));
        columns_add(&t, "%s", alert_learn_name(a->learn));
        columns_add(&t, "%s", a->attack);
        columns_add(&t, "%s", a->title);
    }
    return json ? 0 : columns_print(&t, stdout) < 0;
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

static struct rows *run_list(struct query *q, const struct opts *o, struct err *e)
{
    const char *args[] = {
        NULL, o->engine, o->id, o->host, o->least[0] ? o->least : NULL, o->since_ns[0] ? o->since_ns : NULL};
    return query_run(q, Q_ALERTS, args, ARRAY_LEN(args), e);
}

/* "2026-01-05 10:11:12" */
static void short_time(uint64_t ns, char out[TIME_TEXT])
{
    time_text(ns, out);
    out[10] = ' ';
    out[19] = '\0';
}

static const char *severity_colour(const char *cell)
{
    static const char *const colours[] = {
        [AS_CRITICAL] = "\033[1;31m", [AS_MAJOR] = "\033[33m", [AS_MINOR] = "\033[36m"};
    int s = alert_severity_by_name(cell);
    return s > 0 && s < (int)ARRAY_LEN(colours) ? colours[s] : NULL;
}

/* The name of a device, where it has one that says more than its address. */
static void add_side(struct columns *t, const struct js *v, const char *name, const char *addr)
{
    enum { MOST = 16 };
    const char *s = js_str(v, name);
    if (s && *s)
        columns_add(t, strlen(s) > MOST ? "%.14s.." : "%s", s);
    else
        columns_add(t, "%s", addr ? addr : "");
}

/* "Firmware version of a device changed: V2.7.0" */
static void add_what(struct columns *t, const char *title, const char *seen)
{
    enum { MOST = 96 };
    size_t n = seen ? strlen(seen) : 0;
    while (n > MOST || (n && seen[n] && ((unsigned char)seen[n] & 0xc0) == 0x80))
        n--;
    if (n)
        columns_add(t, "%s: %.*s%s", title, (int)n, seen, seen[n] ? " ..." : "");
    else
        columns_add(t, "%s", title);
}

static void add_row(struct columns *t, struct rows *r)
{
    char time[TIME_TEXT];
    const struct js *v = NULL;
    struct err e;
    const char *title, *json = rows_text(r, QX_JSON);
    if (json && js_parse(&v, json, strlen(json), &e) < 0)
        v = NULL;
    short_time(rows_u64(r, QX_LAST), time);
    columns_add(t, "%s", time);
    columns_add(t, "%s", alert_severity_name((unsigned)(AS_WARNING + 1 - rows_int(r, QX_SEVERITY))));
    columns_add(t, "%s", rows_text(r, QX_ID));
    columns_add(t, "%" PRIu64, rows_u64(r, QX_COUNT));
    add_side(t, v, "tyto.src_asset.name", rows_text(r, QX_SRC));
    add_side(t, v, "tyto.dest_asset.name", rows_text(r, QX_DST));
    columns_add(t, "%.8s", rows_text(r, QX_UID)); /* as many digits as tell them apart; --json has all */
    title = rows_text(r, QX_TITLE);
    add_what(t, title ? title : "", js_str(v, "tyto.seen"));
    js_free(v);
}

static int list(struct query *q, const struct opts *o, struct err *e)
{
    static const char *const head[] = {
        "LAST SEEN (UTC)", "SEVERITY", "TYPE", "N", "FROM", "TO", "UID", "WHAT", NULL};
    struct columns t;
    unsigned n = 0;
    struct rows *r = run_list(q, o, e);
    int more;
    if (!r)
        return 1;
    while ((more = rows_next(r, e)) > 0) {
        const char *line = o->json ? rows_text(r, QX_JSON) : NULL;
        if (!n && !o->json) {
            columns_init(&t, 8, head);
            t.stack = true;
            t.tint = severity_colour;
            t.tint_col = 1;
        }
        if (line)
            puts(line);
        else if (!o->json)
            add_row(&t, r);
        n++;
    }
    rows_done(r);
    if (!o->json && !n)
        puts("no alerts");
    if (o->json || !n)
        return more < 0;
    if (columns_print(&t, stdout) < 0)
        return err_set(e, 1, "out of memory");
    printf("%u alert%s. `tyto alerts UID` explains one.\n", n, n == 1 ? "" : "s");
    return more < 0;
}

/* ---- one alert in words ----------------------------------------------------------------------------------------- */

static unsigned text_width(void)
{
    unsigned w = terminal_width();
    return w < 100 ? w : 100;
}

static void head(const char *text)
{
    printf("\n%s\n", text);
}

static void para(const struct js *v, const char *title, const char *path)
{
    const char *s = js_str(v, path);
    if (!s || !*s)
        return;
    head(title);
    print_wrapped(stdout, s, 2, text_width());
}

static void row(const char *name, const char *value)
{
    if (!value)
        return;
    printf("  %-12s ", name);
    print_safe(stdout, value);
    putchar('\n');
}

/* "hmi-1 (hmi, Siemens, zone cell, level 2, criticality high)"; without a name what is in brackets. */
static void print_asset(FILE *f, const struct js *a)
{
    static const struct {
        const char *key, *before;
    } facts[] = {
        {"type", ""}, {"vendor", ""}, {"zone", "zone "}, {"purdue", "level "}, {"criticality", "criticality "}};
    const char *name = js_str(a, "name"), *open = name ? " (" : "(";
    bool any = false;
    if (name)
        print_safe(f, name);
    for (unsigned i = 0; i < ARRAY_LEN(facts); i++) {
        if (!js_has(a, facts[i].key))
            continue;
        fprintf(f, "%s%s", any ? ", " : open, facts[i].before);
        js_print(js_get(a, facts[i].key), f);
        any = true;
    }
    fputs(any ? ")" : "", f);
}

/* "10.0.0.5:50000, 00:11:..," and below it what the device is */
static void side(const struct js *v, const char *name, const char *ip, const char *port, const char *mac,
                 const char *asset)
{
    enum { INDENT = 15 };
    const struct js *a = js_get(v, asset);
    uint64_t n = 0;
    const char *addr = js_str(v, ip), *m = js_str(v, mac);
    char *text = NULL;
    size_t len;
    if (!addr && !m && !js_has(v, asset))
        return;
    printf("  %-12s ", name);
    if (addr)
        fputs(addr, stdout);
    if (addr && js_u64(v, port, &n))
        printf(strchr(addr, ':') ? " port %" PRIu64 : ":%" PRIu64, n);
    if (m)
        printf("%s%s", addr ? ", " : "", m);
    FILE *f = js_has(v, asset) ? open_memstream(&text, &len) : NULL;
    if (f)
        print_asset(f, a);
    if (!f || fclose(f) || !*text) {
        putchar('\n');
    } else if (addr || m) {
        puts(js_str(a, "name") ? "," : "");
        print_wrapped(stdout, text, INDENT, text_width());
    } else {
        puts(text);
    }
    free(text);
}

static void evidence(const struct js *v)
{
    const char *bytes = js_str(v, "tyto.evidence.bytes"), *file = js_str(v, "pcap_filename");
    size_t n = js_len(v, "tyto.evidence.frames");
    uint64_t k = 0;
    if (!n && !bytes)
        return;
    head("Evidence");
    if (n) {
        fputs(n == 1 ? "  packet" : "  packets", stdout);
        for (size_t i = 0; i < n; i++)
            if (js_u64(js_at(v, "tyto.evidence.frames", i), "", &k))
                printf("%s %" PRIu64, i ? "," : "", k);
        if (file) {
            printf(" of ");
            print_safe(stdout, file);
        }
        putchar('\n');
    }
    if (bytes) {
        if (js_u64(v, "tyto.evidence.offset", &k))
            printf("  from its byte %" PRIu64 " on:\n", k);
        else
            puts("  the message, put together from several packets:");
        for (size_t i = 0; bytes[i] && bytes[i + 1]; i += 2)
            printf("%s%c%c", i % 64 ? " " : i ? "\n    " : "    ", bytes[i], bytes[i + 1]);
        putchar('\n');
    }
}

static void attack(const struct js *v)
{
    size_t n = js_len(v, "tyto.attack_ics");
    if (!n)
        return;
    head("ATT&CK for ICS");
    for (size_t i = 0; i < n; i++) {
        const char *id = js_str(js_at(v, "tyto.attack_ics", i), "");
        const struct attack_technique *t = id ? attack_by_id(id) : NULL;
        if (id)
            printf("  %s %s%s%s%s\n", id, t ? t->name : "", t ? " (" : "", t ? t->tactics : "", t ? ")" : "");
    }
}

static void quality(const struct js *v)
{
    bool loss = js_true(v, "tyto.quality.loss"), one_way = js_true(v, "tyto.quality.one_way");
    bool clock = !js_has(v, "tyto.quality.clock_ok") || js_true(v, "tyto.quality.clock_ok");
    if (!loss && !one_way && clock)
        return;
    head("Mind");
    if (loss)
        puts("  packets were lost at that time: something may be missing");
    if (one_way)
        puts("  only one direction of this connection was seen");
    if (!clock)
        puts("  the packet clock jumped: times are uncertain");
}

static void times(struct rows *r)
{
    char text[TIME_TEXT + 8];
    short_time(rows_u64(r, QX_FIRST), text);
    strcat(text, " UTC");
    row("first seen", text);
    short_time(rows_u64(r, QX_LAST), text);
    strcat(text, " UTC");
    row("last seen", text);
}

/* The command, with the database that was asked. */
static void accept_command(const char *command, const char *db)
{
    static const char begin[] = "tyto baseline accept ";
    bool other = strcmp(db, "tyto.db") != 0 && strncmp(command, begin, sizeof begin - 1) == 0;
    char *text = NULL;
    if (other && asprintf(&text, "%s-d %s %s", begin, db, command + sizeof begin - 1) >= 0)
        print_wrapped(stdout, text, 2, text_width());
    else
        print_wrapped(stdout, command, 2, text_width());
    free(other ? text : NULL);
}

static int explain(struct rows *r, const char *db, struct err *e)
{
    const struct js *v = NULL;
    const char *line = rows_text(r, QX_JSON);
    char text[96];
    if (!line || js_parse(&v, line, strlen(line), e) < 0)
        return -EINVAL;
    printf("%s  ", js_str(v, "tyto.id") ? js_str(v, "tyto.id") : "");
    print_safe(stdout, js_str(v, "alert.signature") ? js_str(v, "alert.signature") : "");
    putchar('\n');
    row("severity", alert_severity_name((unsigned)(AS_WARNING + 1 - rows_int(r, QX_SEVERITY))));
    row("engine", js_str(v, "tyto.engine"));
    snprintf(text, sizeof text, "%s, update %" PRIu64, rows_text(r, QX_UID), rows_u64(r, QX_UPDATE));
    row("uid", text);
    times(r);
    snprintf(text, sizeof text, "%" PRIu64 " time%s", rows_u64(r, QX_COUNT), rows_u64(r, QX_COUNT) == 1 ? "" : "s");
    row("seen", text);
    side(v, "from", "src_ip", "src_port", "ether.src_mac", "tyto.src_asset");
    side(v, "to", "dest_ip", "dest_port", "ether.dest_mac", "tyto.dest_asset");
    row("protocol", js_str(v, "app_proto"));
    row("function", js_str(v, "ot.function_name"));
    row("anomaly", js_str(v, "tyto.anomaly"));
    row("maintenance", js_str(v, "tyto.maintenance"));
    para(v, "Why", "tyto.why");
    para(v, "Expected", "tyto.expected");
    para(v, "Seen", "tyto.seen");
    evidence(v);
    attack(v);
    quality(v);
    para(v, "What to do", "tyto.remedy");
    if (js_str(v, "tyto.accept")) {
        head("If it is normal");
        accept_command(js_str(v, "tyto.accept"), db);
    }
    js_free(v);
    return 0;
}

static int show_one(struct query *q, const struct opts *o, struct err *e)
{
    char uid[17];
    const char *arg = uid;
    int found = uid_complete(q, o->uid, uid, e);
    if (found < 0)
        return 1;
    struct rows *r = found ? query_run(q, Q_ALERT, &arg, 1, e) : NULL;
    if (!found)
        err_set(e, 0, "there is no alert %s", o->uid);
    if (!r)
        return 1;
    int more = rows_next(r, e), status = more < 0;
    if (more > 0 && o->json && rows_text(r, QX_JSON))
        puts(rows_text(r, QX_JSON));
    else if (more > 0)
        status = explain(r, o->db, e) < 0;
    rows_done(r);
    return status;
}

/* ---- options ---------------------------------------------------------------------------------------------------- */

static uint64_t latest(struct query *q, struct err *e)
{
    const char *none[6] = {NULL};
    uint64_t last = 0;
    struct rows *r = query_run(q, Q_ALERTS, none, 6, e);
    while (r && rows_next(r, e) > 0)
        if (rows_u64(r, QX_LAST) > last)
            last = rows_u64(r, QX_LAST);
    if (r)
        rows_done(r);
    return last;
}

/* A time, or how long before the latest alert: packet time, so that old captures work as well. */
static int read_since(struct query *q, struct opts *o, struct err *e)
{
    static const char units[] = "smhdw";
    static const uint64_t secs[] = {1, 60, 3600, 86400, 604800};
    uint64_t ns;
    char *end;
    const char *unit;
    struct tz utc;
    tz_utc(&utc);
    if (!tz_parse_time(&utc, o->since, &ns)) {
        unsigned long n = *o->since >= '0' && *o->since <= '9' ? strtoul(o->since, &end, 10) : 0;
        if (!n || n > 100000 || !*end || end[1] || !(unit = strchr(units, *end)))
            return err_set(e, -EINVAL, "--since: found '%s', expected a time such as 2026-01-05T10:00 or 30m, 2h, 7d",
                           o->since);
        uint64_t back = n * secs[unit - units] * UINT64_C(1000000000), last = latest(q, e);
        ns = last > back ? last - back : 0;
    }
    snprintf(o->since_ns, sizeof o->since_ns, "%" PRIu64, ns);
    return 0;
}

static int read_filters(struct opts *o, struct err *e)
{
    static const char *const engines[] = {"policy", "protocol", "malware", "anomaly", "operational"};
    if (o->severity) {
        int s = alert_severity_by_name(o->severity);
        if (s < 0)
            return err_set(e, -EINVAL, "--severity: found '%s', expected critical, major, minor or warning",
                           o->severity);
        snprintf(o->least, sizeof o->least, "%u", (AS_WARNING + 1u - (unsigned)s) % 10);
    }
    for (unsigned i = 0; o->type && i < ARRAY_LEN(engines); i++)
        if (strcmp(o->type, engines[i]) == 0)
            o->engine = engines[i];
    o->id = o->engine ? NULL : o->type;
    if (o->uid && (!*o->uid || strlen(o->uid) > 16 || strspn(o->uid, "0123456789abcdefABCDEF") != strlen(o->uid)))
        return err_set(e, -EINVAL, "found '%s', expected the uid of an alert", o->uid);
    return 0;
}

static int run(struct opts *o)
{
    struct query *q = NULL;
    struct err e = {""};
    int status = 2;
    bool told = false;
    if (read_filters(o, &e) < 0)
        goto out;
    status = 1;
    if (query_open(o->db, &q, &e) < 0)
        goto out;
    status = filter_alert_type(q, o->id);
    status = status ? status : filter_host(q, o->host);
    told = status != 0;
    if (!told && o->since && read_since(q, o, &e) < 0)
        status = 2;
    else if (!told)
        status = o->uid ? show_one(q, o, &e) : list(q, o, &e);
    query_close(q);
out:
    if (status && !told)
        fprintf(stderr, "tyto alerts: %s\n", e.text);
    return status;
}

int cmd_alerts(int argc, char **argv)
{
    static const struct option opts[] = {
        {"db", required_argument, NULL, 'd'},
        {"severity", required_argument, NULL, 's'},
        {"since", required_argument, NULL, 'a'},
        {"type", required_argument, NULL, 't'},
        {"host", required_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},
        {"types", no_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct opts o = {.db = "tyto.db"};
    bool types = false;
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "d:h", opts, NULL)) != -1;) {
        switch (c) {
        case 'd':
            o.db = optarg;
            break;
        case 's':
            o.severity = optarg;
            break;
        case 'a':
            o.since = optarg;
            break;
        case 't':
            o.type = optarg;
            break;
        case 'o':
            o.host = optarg;
            break;
        case 'j':
            o.json = true;
            break;
        case 'l':
            types = true;
            break;
        default:
            if (c != 'h')
                return cmd_help("alerts");
            usage(stdout);
            return 0;
        }
    }
    if (argc - optind > 1)
        return cmd_wrong("alerts", "found '%s' and '%s', expected one uid", argv[optind], argv[optind + 1]);
    o.uid = optind < argc ? argv[optind] : NULL;
    return types ? list_types(o.json) : run(&o);
}
