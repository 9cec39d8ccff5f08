/* cmd_links.c: tyto links: who talks to whom and what they do. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dissectors/dissector.h"
#include "engine/base/row.h"
#include "engine/cmd.h"
#include "engine/columns.h"
#include "engine/filters.h"
#include "engine/listing.h"
#include "store/query.h"

static void usage(FILE *f)
{
    fputs("usage: tyto links [OPTION]...\n\n"
          "Lists the links between devices, with --ops the operations on each.\n\n"
          "  -d, --db DB           database (default tyto.db)\n"
          "      --json            as JSON, one link a line, operations included\n"
          "      --asset WHO       only links of the device with that id, address or name\n"
          "      --protocol NAME   only links that speak it\n"
          "      --ops             show what is done on each link\n\n"
          "Times are UTC; * marks what is not learned. Exit status: 0 done, 1 no such database or device, 2 "
          "wrong usage.\n",
          f);
}

static void first_word(char out[CELL], const char *apps)
{
    snprintf(out, CELL, "%.*s", (int)strcspn(apps, ","), apps);
}

static void json_unit(struct jw *w, struct rows *r)
{
    const struct proto_schema *s = rows_text(r, QO_PROTO) ? schema_by_name(rows_text(r, QO_PROTO)) : NULL;
    char text[FN_TEXT];
    if (s && s->unit_text && rows_text(r, QO_UNIT)) {
        s->unit_text((uint32_t)rows_int(r, QO_UNIT), (uint32_t)rows_int(r, QO_SUB), text);
        jw_kv_str(w, "unit", text);
        return;
    }
    json_or_null(w, "unit", rows_text(r, QO_UNIT));
    if (rows_int(r, QO_SUB))
        jw_kv_i64(w, "slot", rows_int(r, QO_SUB));
}

static void json_op(struct jw *w, struct rows *r)
{
    jw_open(w, '{');
    jw_kv_str(w, "protocol", rows_text(r, QO_PROTO));
    json_or_null(w, "function", rows_text(r, QO_FUNCTION));
    json_or_null(w, "function_name", rows_text(r, QO_NAME));
    jw_kv_str(w, "action", rows_text(r, QO_ACTION));
    json_unit(w, r);
    json_or_null(w, "object", rows_text(r, QO_OBJECT));
    jw_kv_i64(w, "count", rows_int(r, QO_COUNT));
    jw_kv_i64(w, "errors", rows_int(r, QO_ERRORS));
    jw_key(w, "period_us");
    if (rows_int(r, QO_PERIOD_US))
        jw_i64(w, rows_int(r, QO_PERIOD_US));
    else
        jw_null(w);
    jw_key_open(w, "error_codes", '[');
    for (const char *p = rows_text(r, QO_STATUS); p && *p;) {
        char *end;
        jw_u64(w, strtoul(p, &end, 10));
        p = end + strspn(end, "?,");
    }
    jw_close(w, ']');
    jw_kv_str(w, "learned", cell_learned(rows_int(r, QO_LEARNED)));
    json_seen(w, "first_seen", rows_u64(r, QO_FIRST));
    json_seen(w, "last_seen", rows_u64(r, QO_LAST));
    jw_close(w, '}');
}

static void json_link(struct jw *w, struct query *q, struct rows *r)
{
    char b[CELL];
    uint64_t id = rows_u64(r, QL_ID);
    first_word(b, rows_text(r, QL_APPS));
    jw_kv_str(w, "client", rows_text(r, QL_CLIENT));
    jw_kv_str(w, "server", rows_text(r, QL_SERVER));
    char l4[CELL];
    jw_kv_str(w, "proto", cell_proto(l4, rows_int(r, QL_L4)));
    jw_kv_i64(w, "port", rows_int(r, QL_PORT));
    json_or_null(w, "app_proto", b);
    json_list(w, "protocols", rows_text(r, QL_APPS));
    jw_kv_u64(w, "packets", rows_u64(r, QL_PACKETS_C) + rows_u64(r, QL_PACKETS_S));
    jw_kv_u64(w, "bytes", rows_u64(r, QL_BYTES_C) + rows_u64(r, QL_BYTES_S));
    jw_kv_u64(w, "packets_to_server", rows_u64(r, QL_PACKETS_C));
    jw_kv_u64(w, "packets_to_client", rows_u64(r, QL_PACKETS_S));
    jw_kv_u64(w, "errors", rows_u64(r, QL_ERRORS));
    jw_kv_u64(w, "resets", rows_u64(r, QL_RESETS));
    jw_kv_u64(w, "retransmissions", rows_u64(r, QL_RETRANSMISSIONS));
    jw_kv_u64(w, "gaps", rows_u64(r, QL_GAPS));
    jw_kv_bool(w, "one_way", !rows_int(r, QL_PACKETS_C) != !rows_int(r, QL_PACKETS_S));
    jw_kv_bool(w, "tls", rows_int(r, QL_FLAGS) & ROW_LINK_TLS);
    jw_kv_str(w, "network", rows_text(r, QL_NET));
    jw_kv_str(w, "id", cell_id(b, id));
    jw_kv_str(w, "learned", cell_learned(rows_int(r, QL_LEARNED)));
    jw_key_open(w, "operations", '[');
    struct rows *ops = ask_id(q, Q_LINK_OPS, id);
    bool more = next(ops); /* asked once too often, a finished statement would start again */
    for (; more && jw_ok(w) && w->n < JSON_BYTES - 4096; more = next(ops))
        json_op(w, ops);
    rows_done(ops);
    jw_close(w, ']');
    if (more)
        jw_kv_bool(w, "operations_cut", true);
    json_seen(w, "first_seen", rows_u64(r, QL_FIRST));
    json_seen(w, "last_seen", rows_u64(r, QL_LAST));
}

static int list_json(struct query *q, struct rows *r)
{
    struct json_lines j;
    if (json_lines_begin(&j))
        return 1;
    while (next(r)) {
        json_link(json_lines_next(&j), q, r);
        json_lines_put(&j);
    }
    json_lines_end(&j);
    return 0;
}

/* "10.0.0.5 hmi-1": the name as far as it fits. */
static void side(struct columns *t, struct rows *r, int addr, int name)
{
    char a[CELL], n[CELL];
    const char *text = rows_text(r, name);
    cell(a, rows_text(r, addr), 26);
    if (text && *text && strlen(a) < 18)
        columns_add(t, "%s %s", a, cell(n, text, 12));
    else
        columns_add(t, "%s", a);
}

static void link_cells(struct columns *t, struct rows *r)
{
    char a[CELL], b[CELL];
    side(t, r, QL_CLIENT, QL_CLIENT_NAME);
    side(t, r, QL_SERVER, QL_SERVER_NAME);
    columns_add(t, "%s%s", cell_port(a, rows_int(r, QL_L4), rows_int(r, QL_PORT)),
                rows_int(r, QL_LEARNED) == 1 ? "" : " *");
    columns_add(t, "%s", cell(b, rows_text(r, QL_APPS), 14));
    columns_add(t, "%s", cell_count(b, rows_u64(r, QL_PACKETS_C) + rows_u64(r, QL_PACKETS_S)));
    columns_add(t, "%s", cell_count(b, rows_u64(r, QL_ERRORS)));
    columns_add(t, "%s", cell_count(b, rows_u64(r, QL_OPS)));
    columns_add(t, "%s", cell_time(b, rows_u64(r, QL_LAST)));
}

static const char *const link_head[] = {"CLIENT", "SERVER", "PORT",      "PROTOCOLS", "PACKETS",
                                        "ERRORS", "OPS",    "LAST SEEN", NULL};

static int ops_of(struct query *q, uint64_t id)
{
    static const char *const head[] = {"   FUNCTION", "UNIT",   "ACTION",    "OBJECT", "COUNT",
                                       "ERRORS",      "PERIOD", "LAST SEEN", NULL};
    struct columns t;
    char b[CELL];
    unsigned n = 0;
    struct rows *r = ask_id(q, Q_LINK_OPS, id);
    for (; next(r); n++) {
        if (!n)
            columns_init(&t, 7u << 4, head);
        const char *name = rows_text(r, QO_NAME), *code = rows_text(r, QO_FUNCTION);
        columns_add(&t, "   %s%s", cell(b, name ? name : code, 27), rows_int(r, QO_LEARNED) == 1 ? "" : " *");
        columns_add(&t, "%s", cell(b, rows_text(r, QO_UNIT), 6));
        columns_add(&t, "%s", cell(b, rows_text(r, QO_ACTION), 12));
        columns_add(&t, "%s", cell(b, rows_text(r, QO_OBJECT), 26));
        columns_add(&t, "%s", cell_count(b, rows_u64(r, QO_COUNT)));
        columns_add(&t, "%s", cell_count(b, rows_u64(r, QO_ERRORS)));
        if (rows_int(r, QO_PERIOD_US))
            columns_add(&t, "%.3g s", (double)rows_int(r, QO_PERIOD_US) / 1e6);
        else
            columns_add(&t, "%s", "-");
        columns_add(&t, "%s", cell_time(b, rows_u64(r, QO_LAST)));
    }
    rows_done(r);
    if (!n)
        return 0;
    int status = columns_print(&t, stdout) < 0;
    printf("\n");
    return status;
}

/* The links of the table, for what is printed below each. */
struct below {
    struct query *q;
    uint64_t *ids;
    size_t n;
    int status;
};

static void ops_below(void *arg, size_t row)
{
    struct below *x = arg;
    if (row < x->n)
        x->status |= ops_of(x->q, x->ids[row]);
}

static int keep_id(struct below *x, uint64_t id)
{
    if ((x->n & (x->n - 1)) == 0) { /* full: as many as a power of two */
        uint64_t *p = realloc(x->ids, (x->n ? 2 * x->n : 1) * sizeof *p);
        if (!p)
            return 1;
        x->ids = p;
    }
    x->ids[x->n++] = id;
    return 0;
}

static int list_people(struct query *q, struct rows *r, bool ops)
{
    struct columns t;
    struct below x = {.q = q};
    unsigned n = 0;
    for (; next(r); n++) {
        if (!n) {
            columns_init(&t, 7u << 4, link_head);
            t.drop = 15u << 4; /* counts, last seen */
            t.below = ops ? ops_below : NULL;
            t.below_arg = &x;
        }
        link_cells(&t, r);
        if (ops)
            x.status |= keep_id(&x, rows_u64(r, QL_ID));
    }
    if (n) {
        x.status |= columns_print(&t, stdout) < 0;
        printf("\n%u link%s\n", n, n == 1 ? "" : "s");
    } else {
        printf("no links\n");
    }
    free(x.ids);
    return x.status;
}

int cmd_links(int argc, char **argv)
{
    enum { OPT_ASSET = 256, OPT_PROTO, OPT_JSON, OPT_OPS };
    static const struct option longs[] = {{"help", 0, 0, 'h'},
                                          {"db", 1, 0, 'd'},
                                          {"json", 0, 0, OPT_JSON},
                                          {"asset", 1, 0, OPT_ASSET},
                                          {"protocol", 1, 0, OPT_PROTO},
                                          {"ops", 0, 0, OPT_OPS},
                                          {0}};
    const char *db = "tyto.db", *args[2] = {NULL};
    bool json = false, ops = false;
    int c;
    while ((c = getopt_long(argc, argv, "hd:", longs, NULL)) != -1) {
        if (c == 'd')
            db = optarg;
        else if (c == OPT_JSON)
            json = true;
        else if (c == OPT_OPS)
            ops = true;
        else if (c == OPT_ASSET || c == OPT_PROTO)
            args[c - OPT_ASSET] = optarg;
        else {
            if (c != 'h')
                return cmd_help("links");
            usage(stdout);
            return 0;
        }
    }
    if (argc != optind)
        return cmd_wrong("links", "found '%s', expected an option", argv[optind]);
    struct query *q = open_db(db);
    if (!q)
        return 1;
    int status = filter_protocol(q, args[1]);
    status = status ? status : filter_asset(q, "links: --asset", args[0]);
    struct rows *r = status ? NULL : ask(q, Q_LINKS, args, 2);
    if (!status)
        status = !r ? 1 : json ? list_json(q, r) : list_people(q, r, ops);
    rows_done(r);
    query_close(q);
    return status;
}
