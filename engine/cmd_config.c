/* cmd_config.c: `tyto config check|show|limits`. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "capture/source.h"
#include "engine/cmd.h"
#include "engine/columns.h"
#include "engine/conf.h"
#include "engine/emit.h"
#include "engine/itapp.h"
#include "engine/pipeline.h"

static void usage(FILE *f)
{
    fputs("usage: tyto config check FILE...            refuse what is wrong, also in its rules, with file, line and "
          "column\n"
          "       tyto config show [-c FILE] [--json]  the effective configuration\n"
          "       tyto config limits [-c FILE] [--json] the sizes of all tables, why, and what happens when they are "
          "full\n"
          "       tyto config --help                   this, and every key\n",
          f);
}

static void print_keys(FILE *f)
{
    fputs("\nKeys of the configuration file (YAML):\n", f);
    for (const struct conf_key *k = conf_keys; k->path; k++) {
        fprintf(f, "\n  %s: %s", k->path, k->type);
        if (k->def)
            fprintf(f, " (default %s)", k->def);
        fputc('\n', f);
        print_wrapped(f, k->doc, 6, 100);
    }
}

/* All that a run refuses, in the order in which it would. */
static int check_file(const char *path)
{
    struct pipe_opts o = {.conf = path, .db = ":memory:", .mode = -1};
    struct conf *c = NULL;
    struct err e, filter;
    int r = conf_load(&c, path, &e);
    if (r == 0)
        r = pipe_check(&o, &e);
    if (r == 0 && c->run.filter && (r = source_filter_check(c->run.filter, &filter)))
        err_set(&e, r, "%.100s: %s", path, filter.text);
    if (r == 0) {
        conf_warn_machine(c, path, stderr);
        printf("%s: good (%u networks, %u zones, %u assets, %u maintenance windows)\n", path, c->site.n_networks,
               c->site.n_zones, c->site.n_assets, c->site.n_windows);
    } else {
        fprintf(stderr, "%s\n", e.text);
    }
    conf_free(c);
    return r != 0;
}

static int check(int argc, char **argv)
{
    int status = 0;
    if (argc < 2) {
        fputs("tyto config check: which file?\n", stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        puts("usage: tyto config check FILE...   refuse what is wrong, also in its rules, with file, line and column");
        return 0;
    }
    for (int i = 1; i < argc; i++)
        status |= check_file(argv[i]);
    return status;
}

static void limits_json(const struct conf *c)
{
    struct emit e;
    emit_begin(&e, stdout, true);
    emit_list(&e, "limits", 1);
    for (const struct limit_row *r = limit_rows; r->key; r++) {
        emit_map(&e, NULL);
        emit_str(&e, "key", r->key);
        emit_u64(&e, "value", limits_get(&c->limits, r));
        emit_u64(&e, "default", r->def);
        emit_u64(&e, "min", r->least);
        emit_u64(&e, "max", r->most);
        emit_u64(&e, "bytes_each", r->bytes);
        emit_u64(&e, "bytes", limits_get(&c->limits, r) * r->bytes);
        emit_str(&e, "why", r->why);
        emit_str(&e, "when_full", r->at_bound);
        emit_close(&e);
    }
    emit_close(&e);
    emit_u64(&e, "ndpi_bytes", NDPI_BYTES);
    emit_u64(&e, "bytes", limits_sum(&c->limits) + NDPI_BYTES);
    emit_end(&e);
}

static int limits(const struct conf *c, bool json)
{
    static const char *const head[] = {"TABLE", "ENTRIES", "BYTES EACH", "MIB", "WHY", NULL};
    struct columns t;
    if (json) {
        limits_json(c);
        return 0;
    }
    columns_init(&t, 0xe, head);
    for (const struct limit_row *r = limit_rows; r->key; r++) {
        uint64_t v = limits_get(&c->limits, r);
        columns_add(&t, "%s", r->key);
        columns_add(&t, "%llu", (unsigned long long)v);
        columns_add(&t, "%u", r->bytes);
        columns_add(&t, "%.1f", (double)(v * r->bytes) / 1048576.0);
        columns_add(&t, "%s", r->why);
    }
    int r = columns_print(&t, stdout);
    printf("\nAll tables together, with nDPI's own of %.1f MiB: %.1f MiB.\n\nWhen a table is full:\n",
           (double)NDPI_BYTES / 1048576.0, (double)(limits_sum(&c->limits) + NDPI_BYTES) / 1048576.0);
    for (const struct limit_row *k = limit_rows; k->key; k++) {
        printf("  %s\n", k->key);
        print_wrapped(stdout, k->at_bound, 6, 100);
    }
    return r < 0;
}

static int show_or_limits(int argc, char **argv, bool is_show)
{
    static const struct option opts[] = {{"config", required_argument, NULL, 'c'},
                                         {"json", no_argument, NULL, 'j'},
                                         {"help", no_argument, NULL, 'h'},
                                         {0}};
    static char program[] = "tyto config";
    const char *path = NULL;
    bool json = false;
    struct conf *c = NULL;
    struct err e;
    optind = 1;
    argv[0] = program;
    for (int o; (o = getopt_long(argc, argv, "c:h", opts, NULL)) != -1;) {
        if (o == 'c') {
            path = optarg;
        } else if (o == 'j') {
            json = true;
        } else {
            if (o != 'h')
                return cmd_help("config");
            usage(stdout);
            return 0;
        }
    }
    if (optind < argc)
        return cmd_wrong("config", "found '%s', expected an option of %s", argv[optind], is_show ? "show" : "limits");
    if (conf_load(&c, path, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    int status = 0;
    if (is_show)
        conf_show(c, json, stdout);
    else
        status = limits(c, json);
    conf_free(c);
    return status;
}

int cmd_config(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0) {
        usage(stdout);
        print_keys(stdout);
        return 0;
    }
    if (strcmp(what, "check") == 0)
        return check(argc - 1, argv + 1);
    if (strcmp(what, "show") == 0 || strcmp(what, "limits") == 0)
        return show_or_limits(argc - 1, argv + 1, *what == 's');
    return cmd_wrong_word("config", argv[1], "check, show or limits");
}
