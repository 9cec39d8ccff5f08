/* cmd_baseline.c: tyto baseline: review what is held for normal: show, accept, export, import, diff. */
#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "baseline/baseline.h"
#include "engine/accept.h"
#include "engine/basediff.h"
#include "engine/basemodel.h"
#include "engine/cmd.h"
#include "engine/columns.h"
#include "engine/itapp.h"
#include "engine/json.h"
#include "engine/listing.h"
#include "engine/newfile.h"
#include "engine/places.h"
#include "engine/service.h"
#include "store/query.h"
#include "store/store.h"
#include "store/wish.h"

enum { MOST_KEYS = 1024 }; /* of one `accept` */

static void usage(FILE *f)
{
    fputs("usage: tyto baseline show   [-d DB] [--all] [--json]\n"
          "       tyto baseline accept [-d DB] [-c CONF] KEY|ALERT_UID...\n"
          "       tyto baseline export [-d DB] [--all] [-o FILE]\n"
          "       tyto baseline import [-d DB] [-c CONF] FILE\n"
          "       tyto baseline diff   [--json] OLD NEW\n\n"
          "show    how far learning is, and what was seen but is not learned, with the key that accepts it:\n"
          "        what changes something first, mere tries last\n"
          "accept  take it for normal: the key that an alert shows under \"accept\", or the alert's uid (its first "
          "digits)\n"
          "export  what is learned as text (YAML, one fact a line): for review and version control\n"
          "import  learn what such a text says, and tell how much; a wrong line is named and nothing is changed\n"
          "diff    facts that only one of two databases or exports has; exit status 1 when there are any\n\n"
          "  -d, --db DB        database (default tyto.db)\n"
          "  -c, --config CONF  configuration, for networks and zones\n"
          "  -o, --output FILE  instead of standard output\n"
          "      --all          show: all of them; export: also what is not learned, marked\n"
          "      --json         show, diff: as JSON\n\n"
          "accept beside a running sensor is done by the sensor; import is for when none runs.\n"
          "Exit status: 0 done, 1 it failed, 2 wrong usage.\n",
          f);
}

struct options {
    const char *db, *conf, *output;
    bool all, json;
    char **args;
    int n_args;
};

static int fail(const struct err *e)
{
    fprintf(stderr, "tyto baseline: %s\n", e->text);
    return 1;
}

/* ---- show ---- */

static int networks(struct query *q)
{
    static const char *const head[] = {"NETWORK", "DEVICES", "NOT LEARNED", "SINCE", "LEARNING OF NEW DEVICES", NULL};
    struct rows *r = ask(q, Q_NETS, NULL, 0);
    struct columns t;
    char b[CELL];
    columns_init(&t, 3u << 1, head);
    while (next(r)) {
        columns_add(&t, "%s", cell(b, rows_text(r, QN_NAME), 30));
        columns_add(&t, "%lld", (long long)rows_int(r, QN_ASSETS));
        columns_add(&t, "%lld", (long long)rows_int(r, QN_UNLEARNED));
        columns_add(&t, "%s", cell_time(b, rows_u64(r, QN_FIRST)));
        if (rows_int(r, QN_LEARN))
            columns_add(&t, "goes on, last one new %s", cell_time(b, rows_u64(r, QN_NOVELTY)));
        else
            columns_add(&t, "%s", "ended");
    }
    rows_done(r);
    return columns_print(&t, stdout) < 0;
}

/* "link, TCP/21 ftp"; what the query says of all else */
static const char *what_of(struct rows *r, char out[CELL])
{
    char b[CELL];
    const char *what = rows_text(r, QU_WHAT), *apps = rows_text(r, QU_APPS);
    if (strncmp(rows_text(r, QU_KEY), "link:", 5) != 0)
        return what;
    snprintf(out, CELL, "%s, %s%s%s", what, cell_port(b, rows_int(r, QU_L4), rows_int(r, QU_PORT)),
             apps && *apps ? " " : "", apps ? apps : "");
    return out;
}

static int unlearned(struct query *q, bool all)
{
    enum { SHOWN = 40 };
    static const char *const head[] = {"NOT LEARNED", "WHAT", "CLIENT", "SERVER", "COUNT", "FIRST SEEN", "STATE", NULL};
    struct rows *r = ask(q, Q_UNLEARNED, NULL, 0);
    struct columns t;
    char b[CELL], what[CELL];
    unsigned n = 0;
    while (next(r)) {
        if (!n)
            columns_init(&t, 1u << 4, head);
        if (n++ >= SHOWN && !all)
            continue;
        columns_add(&t, "%s", cell(b, rows_text(r, QU_KEY), 26));
        columns_add(&t, "%s", cell(b, what_of(r, what), 28));
        columns_add(&t, "%s", cell(b, rows_text(r, QU_CLIENT), 17));
        columns_add(&t, "%s", cell(b, rows_text(r, QU_SERVER), 17));
        columns_add(&t, "%s", rows_null(r, QU_COUNT) ? "-" : cell_count(b, rows_u64(r, QU_COUNT)));
        columns_add(&t, "%s", cell_time(b, rows_u64(r, QU_FIRST)));
        columns_add(&t, "%s", cell_learned(rows_int(r, QU_LEARNED)));
    }
    rows_done(r);
    if (!n) {
        printf("\nall that was seen is learned\n");
        return 0;
    }
    printf("\n");
    int status = columns_print(&t, stdout) < 0;
    if (n > SHOWN && !all)
        printf("... and %u more (--all)\n", n - SHOWN);
    printf("\n`tyto baseline accept KEY` takes one of them for normal, with what was folded into it\n");
    return status;
}

static void json_int(struct jw *w, const char *key, struct rows *r, int col)
{
    jw_key(w, key);
    if (rows_null(r, col))
        jw_null(w);
    else
        jw_i64(w, rows_int(r, col));
}

static int show_json(struct query *q)
{
    char b[CELL], what[CELL];
    struct rows *r = ask(q, Q_UNLEARNED, NULL, 0);
    struct json_lines j;
    if (json_lines_begin(&j))
        return 1;
    while (next(r)) {
        struct jw *w = json_lines_next(&j);
        jw_kv_str(w, "key", rows_text(r, QU_KEY));
        jw_kv_str(w, "state", cell_learned(rows_int(r, QU_LEARNED)));
        jw_kv_str(w, "what", what_of(r, what));
        jw_kv_str(w, "network", rows_text(r, QU_NET));
        jw_kv_str(w, "client", rows_text(r, QU_CLIENT));
        jw_kv_str(w, "server", rows_text(r, QU_SERVER));
        jw_kv_str(w, "proto", rows_null(r, QU_L4) ? NULL : cell_proto(b, rows_int(r, QU_L4)));
        json_int(w, "port", r, QU_PORT);
        json_list(w, "protocols", rows_text(r, QU_APPS));
        json_int(w, "count", r, QU_COUNT);
        json_seen(w, "first_seen", rows_u64(r, QU_FIRST));
        json_seen(w, "last_seen", rows_u64(r, QU_LAST));
        json_lines_put(&j);
    }
    rows_done(r);
    json_lines_end(&j);
    return 0;
}

static int show(const struct options *o)
{
    char b[CELL];
    struct query *q = open_db(o->db);
    if (!q)
        return 1;
    int status = 0;
    if (o->json) {
        status = show_json(q);
    } else {
        struct rows *r = ask(q, Q_COUNTS, NULL, 0);
        while (next(r))
            printf("%-16s %s\n", rows_text(r, 0), cell_count(b, rows_u64(r, 1)));
        rows_done(r);
        printf("\n");
        status = networks(q);
        status |= unlearned(q, o->all);
    }
    query_close(q);
    return status;
}

/* ---- accept, import: they write ---- */

static bool is_uid(const char *s) /* keys of facts have a colon */
{
    size_t n = strlen(s);
    return n > 0 && n <= 16 && strspn(s, "0123456789abcdefABCDEF") == n;
}

static uint64_t last_time(struct query *q)
{
    uint64_t ns = 0;
    struct rows *r = ask(q, Q_META, NULL, 0);
    while (next(r))
        if (strcmp(rows_text(r, QM_KEY), "last_ns") == 0)
            ns = strtoull(rows_text(r, QM_VALUE), NULL, 10);
    rows_done(r);
    return ns ? ns : 1;
}

struct writing {
    struct basemodel m;
    struct store *s;
    const char *db;
    int lock;
};

static int writing_open(struct writing *w, const struct options *o, struct err *e)
{
    struct store_conf c = {.path = o->db, .wait = true};
    *w = (struct writing){.db = o->db};
    int r = service_lock(o->db, "baseline", &w->lock, e);
    if (!r)
        r = basemodel_new(&w->m, o->conf, e);
    if (!r)
        r = store_open(&c, &w->s, NULL, e);
    if (!r) {
        struct row_sink into = baseline_loader(w->m.b);
        r = store_load(w->s, &into, e);
    }
    return r;
}

static int writing_close(struct writing *w, int r, struct err *e)
{
    struct err e2;
    if (!r)
        baseline_save(w->m.b, store_sink(w->s), false);
    int c = store_close(w->s, r ? &e2 : e);
    basemodel_done(&w->m);
    service_unlock(w->db, w->lock);
    return r ? r : c;
}

typedef char keys_text[ACCEPT_KEYS];

static int accept_here(const struct options *o, struct query *q, const keys_text *keys)
{
    struct writing w;
    struct err e;
    int r = writing_open(&w, o, &e);
    for (int i = 0; i < o->n_args && !r; i++)
        r = accept_keys(q, w.m.b, keys[i], last_time(q), &e);
    r = writing_close(&w, r, &e);
    if (r)
        return fail(&e);
    printf("%d accepted\n", o->n_args);
    return 0;
}

/* Until the sensor has done it (1) or said no, or took too long (0). */
static int wait_for(struct wishes *w, int64_t id, struct err *e)
{
    enum { STEP_MS = 50, LONGEST_MS = 5000 };
    static const struct timespec step = {.tv_nsec = STEP_MS * 1000000};
    int r = 0;
    for (unsigned ms = 0; !r && ms < LONGEST_MS; ms += STEP_MS)
        if (!(r = wishes_look(w, id, e)))
            nanosleep(&step, NULL);
    return r;
}

/* Only the sensor that writes the database may change what it knows. */
static int accept_there(const struct options *o, const keys_text *keys)
{
    static int64_t id[MOST_KEYS];
    struct wishes *w;
    struct err e;
    int n = 0, done = 0, r = wishes_open(o->db, &w, &e);
    if (r)
        return fail(&e);
    for (; n < o->n_args && !r; n++)
        r = wishes_put(w, keys[n], &id[n], &e);
    if (!r)
        while (done < n && (r = wait_for(w, id[done], &e)) > 0)
            done++;
    wishes_close(w);
    if (done || !r)
        printf("%d accepted\n", done);
    if (r < 0)
        return fail(&e);
    if (done < n)
        printf("%d handed to the sensor that runs on %s; it has not answered yet\n", n - done, o->db);
    return 0;
}

static int accept_args(const struct options *o)
{
    static keys_text keys[MOST_KEYS];
    struct err e;
    struct query *q = open_db(o->db); /* refuses a database that is not there: accepting makes none */
    int r = 0;
    if (!q)
        return 1;
    for (int i = 0; i < o->n_args && !r; i++) {
        if (is_uid(o->args[i]))
            r = accept_of_alert(q, o->args[i], keys[i], &e);
        else if (snprintf(keys[i], sizeof keys[i], "%s", o->args[i]) >= (int)sizeof keys[i])
            r = err_set(&e, -EINVAL, "%.40s...: found no key, expected one as an alert shows it", o->args[i]);
    }
    r = r ? fail(&e) : service_runs(o->db) ? accept_there(o, keys) : accept_here(o, q, keys);
    query_close(q);
    return r;
}

/* Built without the library that names them, tyto cannot tell: any name will do. */
static bool knows_app(void *ctx, const char *name)
{
    return itapp_knows(ctx, name);
}

static int import(const struct options *o)
{
    struct writing w;
    struct err e;
    FILE *f = fopen(o->args[0], "re");
    if (!f) {
        err_set(&e, -errno, "%s: %s", o->args[0], strerror(errno));
        return fail(&e);
    }
    struct itapp *apps = itapp_new();
    struct baseline_text t = {.knows_app = apps ? knows_app : NULL, .ctx = apps};
    int r = writing_open(&w, o, &e);
    if (!r)
        r = baseline_import(w.m.b, f, o->args[0], 1, &t, &e);
    itapp_free(apps);
    fclose(f);
    r = writing_close(&w, r, &e);
    if (r)
        return fail(&e);
    printf("%u devices, %u links, %u facts and %u accepted alerts imported", t.assets, t.links, t.facts, t.accepted);
    if (t.skipped)
        printf("; %u marked as not learned left out", t.skipped);
    printf("\n");
    return 0;
}

static int export(const struct options *o)
{
    const char *path = o->output ? o->output : "-";
    struct basemodel m = {0};
    struct newfile out = {0};
    struct places places = {0};
    struct err e, ignored;
    int r = places_db(&places, o->db, &e);
    if (!r)
        r = places_output(&places, "the export", path, &e);
    if (!r)
        r = basemodel_of_db(&m, o->db, &e);
    if (!r)
        r = newfile_open(&out, path, 0666, &e);
    if (!r)
        r = baseline_export(m.b, out.f, o->all, &e);
    int w = newfile_close(&out, !r, r && r != -EIO ? &ignored : &e); /* it knows why nothing can be written */
    basemodel_done(&m);
    r = r ? r : w;
    if (r)
        fail(&e);
    return r == PLACES_REFUSED ? 2 : r != 0;
}

static int diff(const struct options *o)
{
    struct err e;
    int r = basediff(o->args[0], o->args[1], o->json, &e);
    return r < 0 ? fail(&e) : r;
}

static const struct {
    const char *name;
    int (*run)(const struct options *o);
    int min_args, max_args;
    const char *args;
    bool json, all, output; /* options that it takes */
} subs[] = {{"show", show, 0, 0, "none", .json = true, .all = true},
            {"accept", accept_args, 1, MOST_KEYS, "KEY or ALERT_UID"},
            {"export", export, 0, 0, "none", .all = true, .output = true},
            {"import", import, 1, 1, "FILE"},
            {"diff", diff, 2, 2, "OLD NEW", .json = true}};

/* An option of another subcommand that was given; NULL: none. */
static const char *foreign(const struct options *o, unsigned sub)
{
    return o->json && !subs[sub].json       ? "--json"
           : o->all && !subs[sub].all       ? "--all"
           : o->output && !subs[sub].output ? "-o"
                                            : NULL;
}

int cmd_baseline(int argc, char **argv)
{
    static const struct option longs[] = {{"help", 0, 0, 'h'}, {"db", 1, 0, 'd'}, {"config", 1, 0, 'c'},
                                          {"output", 1, 0, 'o'}, {"all", 0, 0, 'a'}, {"json", 0, 0, 'j'}, {0}};
    struct options o = {.db = "tyto.db"};
    int c;
    while ((c = getopt_long(argc, argv, "hd:c:o:", longs, NULL)) != -1)
        switch (c) {
        case 'd': o.db = optarg; break;
        case 'c': o.conf = optarg; break;
        case 'o': o.output = optarg; break;
        case 'a': o.all = true; break;
        case 'j': o.json = true; break;
        default:
            if (c != 'h')
                return cmd_help("baseline");
            usage(stdout);
            return 0;
        }
    o.args = argv + optind + 1;
    o.n_args = argc - optind - 1;
    for (unsigned i = 0; i < ARRAY_LEN(subs) && optind < argc; i++) {
        if (strcmp(argv[optind], subs[i].name) != 0)
            continue;
        if (foreign(&o, i))
            return cmd_wrong("baseline", "%s: found %s, which is not for it", subs[i].name, foreign(&o, i));
        if (o.n_args >= subs[i].min_args && o.n_args <= subs[i].max_args)
            return subs[i].run(&o);
        return cmd_wrong("baseline", "%s: found %d argument%s, expected %s", subs[i].name, o.n_args,
                         o.n_args == 1 ? "" : "s", subs[i].args);
    }
    return cmd_wrong_word("baseline", argv[optind], "show, accept, export, import or diff");
}
