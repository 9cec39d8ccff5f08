/* cmd_db.c: tyto db: the database file: what is in it, is it sound, make it small. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cmd.h"
#include "engine/listing.h"
#include "engine/service.h"
#include "store/admin.h"
#include "store/query.h"

static void usage(FILE *f)
{
    fputs("usage: tyto db info|check|vacuum|migrate [-d DB] [--json]\n\n"
          "info     version, size and what is in it\n"
          "check    look for damage; exit status 1 when there is any\n"
          "vacuum   give unused space back\n"
          "migrate  bring a database of an older tyto to this version (a replay or run does so by itself)\n\n"
          "  -d, --db DB  database (default tyto.db)\n"
          "      --json   info as JSON\n",
          f);
}

static int fail(const struct err *e)
{
    fprintf(stderr, "tyto db: %s\n", e->text);
    return 1;
}

static int info_json(struct query *q, const struct db_info *i)
{
    struct json_lines j;
    struct rows *r;
    if (json_lines_begin(&j))
        return 1;
    struct jw *w = json_lines_next(&j);
    jw_kv_i64(w, "version", i->version);
    jw_kv_u64(w, "bytes", i->bytes);
    jw_kv_u64(w, "free_bytes", i->free_bytes);
    jw_key_open(w, "rows", '{');
    for (r = ask(q, Q_COUNTS, NULL, 0); next(r);)
        jw_kv_u64(w, rows_text(r, 0), rows_u64(r, 1));
    rows_done(r);
    jw_close(w, '}');
    jw_key_open(w, "meta", '{');
    for (r = ask(q, Q_META, NULL, 0); next(r);)
        jw_kv_str(w, rows_text(r, QM_KEY), rows_text(r, QM_VALUE));
    rows_done(r);
    jw_close(w, '}');
    json_lines_put(&j);
    json_lines_end(&j);
    return 0;
}

static void meta_line(const char *key, const char *value)
{
    char b[CELL];
    if (strcmp(key, "last_ns") == 0)
        printf("%-16s %s UTC\n", "latest packet", cell_time(b, strtoull(value, NULL, 10)));
    else if (strcmp(key, "version") == 0)
        printf("%-16s tyto %s\n", "written by", value);
    else
        printf("%-16s %s\n", key, value);
}

static int info(const char *path, bool json)
{
    struct db_info i;
    struct err e;
    char b[CELL];
    if (db_info(path, &i, &e))
        return fail(&e);
    struct query *q = open_db(path);
    if (!q)
        return 1;
    if (json) {
        int r = info_json(q, &i);
        query_close(q);
        return r;
    }
    struct rows *r;
    printf("%-16s %s\n%-16s %d (this program: %d)\n", "file", path, "database version", i.version, i.newest);
    printf("%-16s %s\n", "bytes", cell_count(b, i.bytes));
    printf("%-16s %s\n", "unused bytes", cell_count(b, i.free_bytes));
    for (r = ask(q, Q_COUNTS, NULL, 0); next(r);)
        printf("%-16s %s\n", rows_text(r, 0), cell_count(b, rows_u64(r, 1)));
    rows_done(r);
    for (r = ask(q, Q_META, NULL, 0); next(r);)
        meta_line(rows_text(r, QM_KEY), rows_text(r, QM_VALUE));
    rows_done(r);
    query_close(q);
    return 0;
}

static void tell(void *ctx, const char *problem)
{
    (void)ctx;
    printf("%s\n", problem);
}

static int check(const char *path, bool json)
{
    struct err e;
    int n = db_check(path, tell, NULL, &e);
    (void)json;
    if (n < 0)
        return fail(&e);
    printf(n ? "%d problem%s\n" : "sound\n", n, n == 1 ? "" : "s");
    return n != 0;
}

static int alone(const char *path, int (*work)(const char *path, struct err *e))
{
    struct err e;
    int lock;
    if (service_lock(path, "db", &lock, &e))
        return fail(&e);
    int r = work(path, &e) ? fail(&e) : 0;
    service_unlock(path, lock);
    return r;
}

static int vacuum(const char *path, bool json)
{
    (void)json;
    return alone(path, db_vacuum);
}

static int migrate(const char *path, bool json)
{
    (void)json;
    return alone(path, db_migrate);
}

static const struct {
    const char *name;
    int (*run)(const char *path, bool json);
} subs[] = {{"info", info}, {"check", check}, {"vacuum", vacuum}, {"migrate", migrate}};

int cmd_db(int argc, char **argv)
{
    static const struct option longs[] = {{"help", 0, 0, 'h'}, {"db", 1, 0, 'd'}, {"json", 0, 0, 'j'}, {0}};
    const char *db = "tyto.db";
    bool json = false;
    int c;
    while ((c = getopt_long(argc, argv, "hd:", longs, NULL)) != -1) {
        if (c == 'd')
            db = optarg;
        else if (c == 'j')
            json = true;
        else {
            if (c != 'h')
                return cmd_help("db");
            usage(stdout);
            return 0;
        }
    }
    for (unsigned i = 0; i < ARRAY_LEN(subs) && argc - optind == 1; i++)
        if (strcmp(argv[optind], subs[i].name) == 0)
            return subs[i].run(db, json);
    if (argc - optind > 1)
        return cmd_wrong("db", "found '%s' and '%s', expected one of them", argv[optind], argv[optind + 1]);
    return cmd_wrong_word("db", argv[optind], "info, check, vacuum or migrate");
}
