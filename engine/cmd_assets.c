/* cmd_assets.c: tyto assets: the inventory, as a table, in full for one device, or as JSON. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dissectors/dissector.h"
#include "engine/base/obs.h"
#include "engine/base/record.h"
#include "engine/base/row.h"
#include "engine/cmd.h"
#include "engine/columns.h"
#include "engine/filters.h"
#include "engine/listing.h"
#include "store/query.h"

static void usage(FILE *f)
{
    fputs("usage: tyto assets [OPTION]... [ID|ADDRESS|NAME]\n\n"
          "Lists the devices that were seen; of one named device, all that is known.\n\n"
          "  -d, --db DB        database (default tyto.db)\n"
          "      --json         as JSON, one device a line, all fields\n"
          "      --type TYPE    controller, rtu, hmi, engineering_station, field_device, gateway, router, server, ...\n"
          "      --zone ZONE    of that configured zone\n"
          "      --vendor TEXT  whose vendor has TEXT in its name\n\n"
          "Times are UTC. Exit status: 0 done, 1 no such database, device or zone, 2 wrong "
          "usage.\n",
          f);
}

/* ---- JSON: the names of ARCHITECTURE.md, "Stored" ---- */

static bool is_station(const char *text)
{
    struct addr a;
    return addr_parse(text, &a) && addr_is_station(&a);
}

static void json_addrs(struct jw *w, struct query *q, uint64_t id, int kind, const char *key)
{
    struct rows *r = ask_id(q, Q_ASSET_ADDRS, id);
    jw_key_open(w, key, '[');
    while (next(r)) {
        if (rows_int(r, QAD_KIND) != kind || is_station(rows_text(r, QAD_VALUE)))
            continue;
        if (kind == 2)
            jw_i64(w, rows_int(r, QAD_VALUE));
        else
            jw_str(w, rows_text(r, QAD_VALUE));
    }
    jw_close(w, ']');
    rows_done(r);
}

enum { SERVER_ROLES = ROLE_CONTROLLER | ROLE_RTU | ROLE_FIELD_DEVICE | ROLE_GATEWAY };

/* What a plain number is in a protocol; others say so themselves ("rack 0 slot 2"). */
static const char *address_kind(const char *source, bool server)
{
    const struct proto_schema *s = source ? schema_by_name(source) : NULL;
    return s && s->addr_is[!server] ? s->addr_is[!server] : source;
}

/* Where it is behind its router. */
static void json_stations(struct jw *w, struct query *q, uint64_t id)
{
    struct rows *r = ask_id(q, Q_ASSET_ADDRS, id);
    while (next(r)) {
        if (rows_int(r, QAD_KIND) != 0 || !is_station(rows_text(r, QAD_VALUE)))
            continue;
        jw_open(w, '{');
        jw_kv_str(w, "kind", "station");
        jw_kv_str(w, "value", rows_text(r, QAD_VALUE));
        jw_close(w, '}');
    }
    rows_done(r);
}

static void json_addresses(struct jw *w, struct query *q, uint64_t id, uint32_t roles)
{
    struct rows *r = ask_id(q, Q_ASSET_IDENTS, id);
    jw_key_open(w, "addresses", '[');
    json_stations(w, q, id);
    while (next(r)) {
        unsigned rack, slot;
        if (rows_int(r, QI_KIND) != OBS_PROTO_ADDR)
            continue;
        const char *v = rows_text(r, QI_VALUE);
        jw_open(w, '{');
        if (sscanf(v, "rack %u slot %u", &rack, &slot) == 2) {
            char text[CELL];
            int at = rack ? snprintf(text, sizeof text, "%u/", rack) : 0;
            snprintf(text + at, sizeof text - (size_t)at, "%u", slot);
            jw_kv_str(w, "kind", rack ? "rack/slot" : "slot");
            jw_kv_str(w, "value", text);
        } else {
            jw_kv_str(w, "kind", address_kind(rows_text(r, QI_SOURCE), roles & SERVER_ROLES));
            jw_kv_str(w, "value", v);
        }
        jw_close(w, '}');
    }
    jw_close(w, ']');
    rows_done(r);
}

/* The one unit, outstation or common address of a device that is no gateway is the device itself; OBS_SELF: none. */
static uint32_t own_unit(struct query *q, uint64_t id, uint32_t roles)
{
    struct rows *r = ask_id(q, Q_ASSET_IDENTS, id);
    uint32_t unit = OBS_SELF;
    unsigned n = 0;
    while (next(r)) {
        if (rows_int(r, QI_KIND) != OBS_PROTO_ADDR)
            continue;
        char *end;
        unsigned long v = strtoul(rows_text(r, QI_VALUE), &end, 10);
        n++;
        unit = *end ? OBS_SELF : (uint32_t)v;
    }
    rows_done(r);
    return n == 1 && !(roles & ROLE_GATEWAY) ? unit : OBS_SELF;
}

/* Identity facts of what stands behind the device (slots, units), grouped by their number. */
static void json_modules(struct jw *w, struct query *q, uint64_t id, uint32_t roles)
{
    uint32_t own = own_unit(q, id, roles);
    struct rows *r = ask_id(q, Q_ASSET_IDENTS, id);
    struct rows *inner;
    uint32_t done[256];
    unsigned n = 0;
    jw_key_open(w, "modules", '[');
    while (next(r)) {
        uint32_t sub = (uint32_t)rows_int(r, QI_SUB);
        unsigned k = 0;
        while (k < n && done[k] != sub)
            k++;
        if (sub == OBS_SELF || sub == own || k < n || n == ARRAY_LEN(done))
            continue;
        done[n++] = sub;
        jw_open(w, '{');
        jw_kv_u64(w, "slot", sub);
        inner = ask_id(q, Q_ASSET_IDENTS, id);
        uint64_t said = 0; /* the best of each kind comes first */
        while (next(inner)) {
            unsigned kind = (unsigned)rows_int(inner, QI_KIND);
            if ((uint32_t)rows_int(inner, QI_SUB) != sub || (said >> kind & 1))
                continue;
            said |= UINT64_C(1) << kind;
            jw_kv_str(w, obs_name(kind), rows_text(inner, QI_VALUE));
        }
        rows_done(inner);
        jw_close(w, '}');
    }
    jw_close(w, ']');
    rows_done(r);
}

static void json_properties(struct jw *w, struct query *q, uint64_t id)
{
    struct rows *r = ask_id(q, Q_ASSET_IDENTS, id);
    jw_key_open(w, "properties", '[');
    while (next(r)) {
        jw_open(w, '{');
        jw_kv_str(w, "key", obs_name((unsigned)rows_int(r, QI_KIND)));
        jw_kv_str(w, "value", rows_text(r, QI_VALUE));
        if ((uint32_t)rows_int(r, QI_SUB) != OBS_SELF)
            jw_kv_i64(w, "slot", rows_int(r, QI_SUB));
        jw_kv_str(w, "source", rows_text(r, QI_SOURCE));
        jw_kv_i64(w, "confidence", rows_int(r, QI_CONFIDENCE));
        jw_kv_bool(w, "current", rows_int(r, QI_CURRENT));
        json_seen(w, "first_seen", rows_u64(r, QI_FIRST));
        json_seen(w, "last_seen", rows_u64(r, QI_LAST));
        jw_close(w, '}');
    }
    jw_close(w, ']');
    rows_done(r);
}

static void json_services(struct jw *w, struct query *q, uint64_t id, int query, const char *key)
{
    struct rows *r = ask_id(q, query, id);
    char b[CELL];
    jw_key_open(w, key, '[');
    while (next(r)) {
        jw_open(w, '{');
        jw_kv_str(w, "proto", cell_proto(b, rows_int(r, QS_L4)));
        jw_kv_i64(w, "port", rows_int(r, QS_PORT));
        json_list(w, "protocols", rows_text(r, QS_APPS));
        jw_close(w, '}');
    }
    jw_close(w, ']');
    rows_done(r);
}

/* Is the word one of the comma-joined list? */
static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; (p = strstr(p, word)); p += n)
        if ((p == list || p[-1] == ',') && (p[n] == 0 || p[n] == ','))
            return true;
    return false;
}

/* Of "a,b,c" those that are dissected in depth, or those that are not, each once. */
static void add_words(char *out, size_t n, const char *list, bool dissected)
{
    char word[40];
    for (const char *p = list; p && *p;) {
        const char *end = strchrnul(p, ',');
        size_t at = strlen(out);
        snprintf(word, sizeof word, "%.*s", (int)(end - p < 39 ? end - p : 39), p);
        if ((schema_by_name(word) != NULL) == dissected && !has_word(out, word) && at + strlen(word) + 2 < n)
            snprintf(out + at, n - at, "%s%s", at ? "," : "", word);
        p = *end ? end + 1 : end;
    }
}

/* Every protocol that it serves or uses, once, industrial ones first. */
static void collect_protocols(struct query *q, uint64_t id, char *out, size_t n)
{
    static const int both[] = {Q_ASSET_SERVES, Q_ASSET_USES};
    *out = 0;
    for (unsigned k = 0; k < 4; k++) {
        struct rows *r = ask_id(q, both[k & 1], id);
        while (next(r))
            add_words(out, n, rows_text(r, QS_APPS), k < 2);
        rows_done(r);
    }
}

static void json_asset(struct jw *w, struct query *q, struct rows *r)
{
    char b[CELL], protocols[1000];
    uint64_t id = rows_u64(r, QA_ID);
    uint32_t roles = (uint32_t)rows_int(r, QA_ROLES);
    jw_kv_str(w, "id", cell_id(b, id));
    json_or_null(w, "name", rows_text(r, QA_NAME));
    json_or_null(w, "type", rows_text(r, QA_TYPE));
    json_or_null(w, "type_reason", rows_text(r, QA_TYPE_REASON));
    json_roles(w, "roles", roles);
    json_or_null(w, "vendor", rows_text(r, QA_VENDOR));
    json_or_null(w, "model", rows_text(r, QA_MODEL));
    json_or_null(w, "firmware", rows_text(r, QA_FIRMWARE));
    json_or_null(w, "serial", rows_text(r, QA_SERIAL));
    json_or_null(w, "os", rows_text(r, QA_OS));
    json_addrs(w, q, id, 1, "macs");
    json_addrs(w, q, id, 0, "ips");
    json_addresses(w, q, id, roles);
    json_addrs(w, q, id, 2, "vlans");
    json_or_null(w, "network", rows_text(r, QA_NET));
    json_or_null(w, "zone", rows_text(r, QA_ZONE));
    jw_key(w, "purdue_level");
    int64_t level = rows_int(r, QA_PURDUE);
    if (level < 0)
        jw_null(w);
    else if (level > 9)
        jw_f64(w, (double)level / 10);
    else
        jw_i64(w, level);
    uint64_t parent = rows_u64(r, QA_PARENT);
    jw_kv_str(w, "parent", parent ? cell_id(b, parent) : NULL);
    json_modules(w, q, id, roles);
    collect_protocols(q, id, protocols, sizeof protocols);
    json_list(w, "protocols", protocols);
    json_services(w, q, id, Q_ASSET_SERVES, "services");
    json_services(w, q, id, Q_ASSET_USES, "uses");
    json_or_null(w, "state", rows_text(r, QA_STATE));
    json_or_null(w, "criticality", rows_text(r, QA_CRITICALITY));
    json_or_null(w, "owner", rows_text(r, QA_OWNER));
    json_list(w, "tags", rows_text(r, QA_TAGS));
    json_seen(w, "first_seen", rows_u64(r, QA_FIRST));
    json_seen(w, "last_seen", rows_u64(r, QA_LAST));
    jw_kv_bool(w, "authorized", rows_int(r, QA_AUTHORIZED));
    jw_kv_str(w, "learned", cell_learned(rows_int(r, QA_LEARNED)));
    json_properties(w, q, id);
}

static int list_json(struct query *q, struct rows *r)
{
    struct json_lines j;
    if (json_lines_begin(&j))
        return 1;
    while (next(r)) {
        json_asset(json_lines_next(&j), q, r);
        json_lines_put(&j);
    }
    json_lines_end(&j);
    return 0;
}

/* ---- for people ---- */

static int list_people(struct query *q, struct rows *r)
{
    static const char *const head[] = {"ADDRESS", "NAME", "TYPE", "VENDOR", "MODEL", "PROTOCOLS", "LAST SEEN", NULL};
    struct columns t;
    char b[CELL], protocols[1000];
    unsigned n = 0, unlearned = 0;
    while (next(r)) {
        if (!n) {
            columns_init(&t, 0, head);
            t.drop = 7u << 4; /* model, protocols, last seen */
        }
        collect_protocols(q, rows_u64(r, QA_ID), protocols, sizeof protocols);
        columns_add(&t, "%s%s", cell(b, rows_text(r, QA_KEY), 26), rows_int(r, QA_LEARNED) == 1 ? "" : " *");
        columns_add(&t, "%s", cell(b, rows_text(r, QA_NAME), 16));
        columns_add(&t, "%s", cell(b, rows_text(r, QA_TYPE), 19));
        columns_add(&t, "%s", cell(b, rows_text(r, QA_VENDOR), 17));
        columns_add(&t, "%s", cell(b, rows_text(r, QA_MODEL), 14));
        columns_add(&t, "%s", cell(b, protocols, 14));
        columns_add(&t, "%s", cell_time(b, rows_u64(r, QA_LAST)));
        n++;
        unlearned += rows_int(r, QA_LEARNED) != 1;
    }
    if (!n) {
        printf("no devices\n");
        return 0;
    }
    int status = columns_print(&t, stdout) < 0;
    printf("\n%u device%s%s", n, n == 1 ? "" : "s", unlearned ? ", of which " : "\n");
    if (unlearned)
        printf("%u not learned (*)\n", unlearned);
    return status;
}

static void line(const char *what, const char *text)
{
    if (text && *text && strcmp(text, "-") != 0)
        printf("%-14s %s\n", what, text);
}

static void addr_line(struct query *q, uint64_t id, int kind, const char *what)
{
    char all[1024] = "";
    size_t at = 0;
    struct rows *r = ask_id(q, Q_ASSET_ADDRS, id);
    while (next(r))
        if (rows_int(r, QAD_KIND) == kind && at < sizeof all)
            at += (size_t)snprintf(all + at, sizeof all - at, "%s%s%s", at ? ", " : "", rows_text(r, QAD_VALUE),
                                   rows_int(r, QAD_LEARNED) ? "" : " (not learned)");
    rows_done(r);
    line(what, all);
}

static void service_lines(struct query *q, uint64_t id, int query, const char *what)
{
    struct rows *r = ask_id(q, query, id);
    char b[CELL];
    for (bool first = true; next(r); first = false) {
        const char *apps = rows_text(r, QS_APPS);
        printf("%-14s %s%s%s\n", first ? what : "", cell_port(b, rows_int(r, QS_L4), rows_int(r, QS_PORT)),
               *apps ? " " : "", apps);
    }
    rows_done(r);
}

static int properties(struct query *q, uint64_t id)
{
    static const char *const head[] = {"PROPERTY",   "SLOT",       "VALUE",     "SOURCE",
                                       "CONFIDENCE", "FIRST SEEN", "LAST SEEN", NULL};
    struct columns t;
    char b[CELL];
    unsigned n = 0;
    struct rows *r = ask_id(q, Q_ASSET_IDENTS, id);
    while (next(r)) {
        uint32_t sub = (uint32_t)rows_int(r, QI_SUB);
        if (!n++)
            columns_init(&t, 1u << 4, head);
        columns_add(&t, "%s", obs_name((unsigned)rows_int(r, QI_KIND)));
        if (sub == OBS_SELF)
            columns_add(&t, "%s", "-");
        else
            columns_add(&t, "%u", sub);
        columns_add(&t, "%s%s", cell(b, rows_text(r, QI_VALUE), 36), rows_int(r, QI_CURRENT) ? "" : " (formerly)");
        columns_add(&t, "%s", cell(b, rows_text(r, QI_SOURCE), 12));
        columns_add(&t, "%lld", (long long)rows_int(r, QI_CONFIDENCE));
        columns_add(&t, "%s", cell_time(b, rows_u64(r, QI_FIRST)));
        columns_add(&t, "%s", cell_time(b, rows_u64(r, QI_LAST)));
    }
    rows_done(r);
    if (!n)
        return 0;
    printf("\n");
    return columns_print(&t, stdout) < 0;
}

static int one_people(struct query *q, struct rows *r)
{
    char b[CELL], text[256];
    uint64_t id = rows_u64(r, QA_ID);
    line("id", cell_id(b, id));
    line("name", rows_text(r, QA_NAME));
    snprintf(text, sizeof text, "%s (%s)", rows_text(r, QA_TYPE), rows_text(r, QA_TYPE_REASON));
    line("type", text);
    text_roles(text, sizeof text, (uint32_t)rows_int(r, QA_ROLES));
    line("roles", text);
    static const struct {
        const char *what;
        int col;
    } lines[] = {{"vendor", QA_VENDOR}, {"model", QA_MODEL}, {"firmware", QA_FIRMWARE},
                 {"serial", QA_SERIAL}, {"os", QA_OS},       {"state", QA_STATE},
                 {"network", QA_NET},   {"zone", QA_ZONE},   {"criticality", QA_CRITICALITY},
                 {"owner", QA_OWNER},   {"tags", QA_TAGS}};
    for (unsigned i = 0; i < ARRAY_LEN(lines); i++)
        line(lines[i].what, rows_text(r, lines[i].col));
    line("purdue level", cell_purdue(b, rows_int(r, QA_PURDUE)));
    addr_line(q, id, 0, "addresses");
    addr_line(q, id, 1, "macs");
    addr_line(q, id, 2, "vlans");
    service_lines(q, id, Q_ASSET_SERVES, "offers");
    service_lines(q, id, Q_ASSET_USES, "uses");
    line("first seen", cell_time(b, rows_u64(r, QA_FIRST)));
    line("last seen", cell_time(b, rows_u64(r, QA_LAST)));
    line("baseline", cell_learned(rows_int(r, QA_LEARNED)));
    return properties(q, id);
}

static int show(struct query *q, const char *const args[4], bool json)
{
    struct rows *r = ask(q, Q_ASSETS, args, 4);
    int status = 0;
    bool found = false;
    if (!r)
        return 1;
    if (args[3] && filter_asset(q, "assets", args[3])) {
        status = 1;
        if (json)
            puts("[]");
    } else if (json) {
        status = list_json(q, r);
    } else if (!args[3]) {
        status = list_people(q, r);
    } else {
        while (next(r)) {
            if (found)
                printf("\n");
            found = true;
            status |= one_people(q, r);
        }
        if (!found)
            printf("no devices\n");
    }
    rows_done(r);
    return status;
}

int cmd_assets(int argc, char **argv)
{
    enum { OPT_TYPE = 256, OPT_ZONE, OPT_VENDOR, OPT_JSON };
    static const struct option longs[] = {{"help", 0, 0, 'h'}, {"db", 1, 0, 'd'}, {"json", 0, 0, OPT_JSON},
                                          {"type", 1, 0, OPT_TYPE}, {"zone", 1, 0, OPT_ZONE},
                                          {"vendor", 1, 0, OPT_VENDOR}, {0}};
    const char *db = "tyto.db", *args[4] = {NULL};
    bool json = false;
    int c;
    while ((c = getopt_long(argc, argv, "hd:", longs, NULL)) != -1) {
        if (c == 'd')
            db = optarg;
        else if (c == OPT_JSON)
            json = true;
        else if (c >= OPT_TYPE && c <= OPT_VENDOR)
            args[c - OPT_TYPE] = optarg;
        else {
            if (c != 'h')
                return cmd_help("assets");
            usage(stdout);
            return 0;
        }
    }
    if (argc - optind > 1)
        return cmd_wrong("assets", "found '%s' and '%s', expected one device", argv[optind], argv[optind + 1]);
    args[3] = argv[optind];
    struct query *q = open_db(db);
    if (!q)
        return 1;
    int status = filter_type(q, args[0]);
    status = status ? status : filter_zone(q, args[1]);
    status = status ? status : show(q, args, json);
    query_close(q);
    return status;
}
