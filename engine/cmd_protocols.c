/* cmd_protocols.c: `tyto protocols`: what can be read of each protocol, from the dissectors' own tables. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "dissectors/dissector.h"
#include "engine/cmd.h"
#include "engine/columns.h"
#include "engine/emit.h"

static void usage(FILE *f)
{
    fputs("usage: tyto protocols [--json]        all protocols\n"
          "       tyto protocols NAME [--json]   its functions, objects, fields and anomalies\n"
          "       tyto protocols --actions [--json]\n"
          "                                      the classes of acts that rules, baseline and reports share\n",
          f);
}

static const struct dissector *dissector_of(const struct proto_schema *s)
{
    for (const struct dissector *const *d = dissectors; *d; d++)
        for (const struct proto_schema *const *k = (*d)->schemas; *k; k++)
            if (*k == s)
                return *d;
    return NULL;
}

static void add_ports(char *out, size_t cap, const char *name, const uint16_t *ports, const char *fmt)
{
    size_t n = strlen(out);
    for (; ports && *ports && n < cap; ports++) {
        n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? " " : "", name);
        if (n < cap)
            n += (size_t)snprintf(out + n, cap - n, fmt, *ports);
    }
}

/* "tcp/502 udp/20000 eth/0x88b8"; what has no ports of its own rides on another protocol */
static const char *transports(const struct proto_schema *s, char out[160])
{
    const struct dissector *d = dissector_of(s);
    out[0] = '\0';
    if (d) {
        if (d->transports & DIS_TCP)
            add_ports(out, 160, "tcp/", d->tcp_ports, "%u");
        if (d->tls_port)
            add_ports(out, 160, "tls/", (const uint16_t[]){d->tls_port, 0}, "%u");
        if (d->transports & DIS_UDP)
            add_ports(out, 160, "udp/", d->udp_ports, "%u");
        if (d->transports & DIS_ETH)
            add_ports(out, 160, "eth/", d->ethertypes, "0x%04x");
    }
    return out;
}

static const char *const field_types[] = {"number", "signed number", "hex number", "yes or no", "real number",
                                          "text",   "bytes",         "address",    "time",      "name"};

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static void json_head(struct emit *e, const struct proto_schema *s)
{
    char text[160];
    emit_str(e, "name", s->name);
    emit_str(e, "title", s->title);
    emit_str(e, "spec", s->spec);
    emit_str(e, "transports", transports(s, text));
    emit_str(e, "unit", s->unit_is);
}

static void json_functions(struct emit *e, const struct proto_schema *s)
{
    char fn[FN_TEXT];
    if (!emit_list(e, "functions", s->n_ops))
        return;
    for (uint32_t i = 0; i < s->n_ops; i++) {
        const struct op_row *o = &s->ops[i];
        schema_fn_text(s, o->fn, fn);
        emit_map(e, NULL);
        emit_str(e, "function", fn);
        if (o->sel != OP_ANY_SELECTOR)
            emit_u64(e, "selector", o->sel);
        emit_str(e, "name", o->name);
        emit_str(e, "action", action_name(o->action));
        emit_bool(e, "obsolete", o->flags & OP_OBSOLETE);
        emit_close(e);
    }
    emit_close(e);
}

static void json_rest(struct emit *e, const struct proto_schema *s)
{
    if (emit_list(e, "kinds", s->n_kinds)) {
        for (uint32_t i = 0; i < s->n_kinds; i++)
            emit_str(e, NULL, s->kinds[i].name);
        emit_close(e);
    }
    if (emit_list(e, "fields", s->n_fields)) {
        for (uint32_t i = 0; i < s->n_fields; i++) {
            const struct field_def *f = &s->fields[i];
            emit_map(e, NULL);
            emit_str(e, "group", f->group ? f->group : s->name);
            emit_str(e, "key", f->key);
            emit_str(e, "type", f->type < ARRAY_LEN(field_types) ? field_types[f->type] : "?");
            emit_bool(e, "array", f->array);
            emit_str(e, "doc", f->doc);
            emit_close(e);
        }
        emit_close(e);
    }
    if (emit_list(e, "anomalies", s->n_anomalies)) {
        for (uint32_t i = 0; i < s->n_anomalies; i++) {
            emit_map(e, NULL);
            emit_str(e, "name", s->anomalies[i].name);
            emit_u64(e, "severity", s->anomalies[i].severity);
            emit_str(e, "doc", s->anomalies[i].doc);
            emit_close(e);
        }
        emit_close(e);
    }
}

static void json_one(struct emit *e, const struct proto_schema *s)
{
    json_head(e, s);
    json_functions(e, s);
    json_rest(e, s);
}

static int list_json(void)
{
    struct emit e;
    emit_begin_list(&e, stdout, true);
    const struct proto_schema *s;
    for (unsigned i = 0; (s = schema_at(i)); i++) {
        emit_map(&e, NULL);
        json_head(&e, s);
        emit_u64(&e, "functions", s->n_ops);
        emit_u64(&e, "fields", s->n_fields);
        emit_u64(&e, "kinds", s->n_kinds);
        emit_u64(&e, "anomalies", s->n_anomalies);
        emit_close(&e);
    }
    emit_end(&e);
    return 0;
}

/* ---- for people ------------------------------------------------------------------------------------------------- */

static int list_people(void)
{
    static const char *const head[] = {"NAME",  "TITLE",     "PORTS",    "FUNCTIONS", "FIELDS",
                                       "KINDS", "ANOMALIES", "STANDARD", NULL};
    struct columns t;
    char text[160];
    const struct proto_schema *s;
    columns_init(&t, 0x78, head);
    for (unsigned i = 0; (s = schema_at(i)); i++) {
        columns_add(&t, "%s", s->name);
        columns_add(&t, "%s", s->title);
        columns_add(&t, "%s", transports(s, text));
        columns_add(&t, "%u", s->n_ops);
        columns_add(&t, "%u", s->n_fields);
        columns_add(&t, "%u", s->n_kinds);
        columns_add(&t, "%u", s->n_anomalies);
        columns_add(&t, "%s", s->spec ? s->spec : "");
    }
    return columns_print(&t, stdout) < 0;
}

static int functions_table(const struct proto_schema *s)
{
    static const char *const head[] = {"CODE", "SELECTOR", "NAME", "ACTION", "", NULL};
    struct columns t;
    char fn[FN_TEXT];
    columns_init(&t, 0, head);
    for (uint32_t i = 0; i < s->n_ops; i++) {
        const struct op_row *o = &s->ops[i];
        schema_fn_text(s, o->fn, fn);
        columns_add(&t, "%s", fn);
        if (o->sel == OP_ANY_SELECTOR)
            columns_add(&t, "%s", "");
        else
            columns_add(&t, "%u", o->sel);
        columns_add(&t, "%s", o->name);
        columns_add(&t, "%s", action_name(o->action));
        columns_add(&t, "%s%s", o->flags & OP_OBSOLETE ? "obsolete " : "", o->flags & OP_NO_ANSWER ? "no answer" : "");
    }
    return columns_print(&t, stdout);
}

static int fields_table(const struct proto_schema *s)
{
    static const char *const head[] = {"FIELD", "TYPE", "MEANING", NULL};
    struct columns t;
    columns_init(&t, 0, head);
    for (uint32_t i = 0; i < s->n_fields; i++) {
        const struct field_def *f = &s->fields[i];
        columns_add(&t, "%s.%s%s", f->group ? f->group : s->name, f->key, f->array ? "[]" : "");
        columns_add(&t, "%s", f->type < ARRAY_LEN(field_types) ? field_types[f->type] : "?");
        columns_add(&t, "%s", f->doc ? f->doc : "");
    }
    return columns_print(&t, stdout);
}

static int anomalies_table(const struct proto_schema *s)
{
    static const char *const head[] = {"ANOMALY", "ALERT", "WHAT IS BROKEN", NULL};
    static const char *const severities[] = {"no", "warning", "minor", "major", "critical"};
    struct columns t;
    columns_init(&t, 0, head);
    for (uint32_t i = 0; i < s->n_anomalies; i++) {
        columns_add(&t, "%s", s->anomalies[i].name);
        columns_add(&t, "%s", severities[s->anomalies[i].severity < 4 ? s->anomalies[i].severity : 4]);
        columns_add(&t, "%s", s->anomalies[i].doc ? s->anomalies[i].doc : "");
    }
    return columns_print(&t, stdout);
}

static int one_people(const struct proto_schema *s)
{
    char text[160];
    printf("%s: %s\n", s->name, s->title);
    if (s->spec)
        printf("Standard: %s\n", s->spec);
    if (*transports(s, text))
        printf("Ports: %s\n", text);
    if (s->unit_is)
        printf("Unit: %s\n", s->unit_is);
    printf("\nFunctions\n");
    int r = functions_table(s);
    printf("\nKinds of objects:");
    for (uint32_t i = 0; i < s->n_kinds; i++)
        printf("%s %s", i ? "," : "", s->kinds[i].name);
    printf("%s\n\nFields\n", s->n_kinds ? "" : " none");
    r |= fields_table(s);
    printf("\nAnomalies\n");
    r |= anomalies_table(s);
    return r < 0;
}

static int actions(void)
{
    static const char *const head[] = {"ACTION", "CHANGES SOMETHING", NULL};
    struct columns t;
    columns_init(&t, 0, head);
    for (unsigned i = 0; i < ACT_COUNT; i++) {
        columns_add(&t, "%s", action_name(i));
        columns_add(&t, "%s", action_changes(i) ? "yes" : "no");
    }
    return columns_print(&t, stdout) < 0;
}

static int actions_json(void)
{
    struct emit e;
    emit_begin_list(&e, stdout, true);
    for (unsigned i = 0; i < ACT_COUNT; i++) {
        emit_map(&e, NULL);
        emit_str(&e, "action", action_name(i));
        emit_bool(&e, "changes", action_changes(i));
        emit_close(&e);
    }
    emit_end(&e);
    return 0;
}

static int one(const char *name, bool json)
{
    const struct proto_schema *s = schema_by_name(name);
    struct emit e;
    if (!s) {
        fprintf(stderr, "tyto protocols: '%s' is no protocol; `tyto protocols` lists them\n", name);
        return 1;
    }
    if (!json)
        return one_people(s);
    emit_begin(&e, stdout, true);
    json_one(&e, s);
    emit_end(&e);
    return 0;
}

int cmd_protocols(int argc, char **argv)
{
    static const struct option opts[] = {
        {"json", no_argument, NULL, 'j'}, {"actions", no_argument, NULL, 'a'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool json = false, acts = false;
    optind = 1;
    for (int o; (o = getopt_long(argc, argv, "h", opts, NULL)) != -1;) {
        if (o != 'j' && o != 'a') {
            if (o != 'h')
                return cmd_help("protocols");
            usage(stdout);
            return 0;
        }
        json |= o == 'j';
        acts |= o == 'a';
    }
    if (acts && optind < argc)
        return cmd_wrong("protocols", "found '%s', expected no protocol with --actions", argv[optind]);
    if (acts)
        return json ? actions_json() : actions();
    if (argc - optind > 1)
        return cmd_wrong("protocols", "found '%s' and '%s', expected one protocol", argv[optind], argv[optind + 1]);
    if (optind < argc)
        return one(argv[optind], json);
    return json ? list_json() : list_people();
}
