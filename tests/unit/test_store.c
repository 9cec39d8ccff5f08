/* The database: what goes in comes out, what is refused, what happens when the disk says no. */
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/admin.h"
#include "store/query.h"
#include "store/wish.h"
#include "store/queue.h"
#include "store/store.h"
#include "tests/unit/baseline_fixture.h"

static struct fix f;
static char dir[] = "/tmp/tyto-store-XXXXXX";
static char path[64];

static void setup(void)
{
    snprintf(dir, sizeof dir, "/tmp/tyto-store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/t.db", dir);
}

static void teardown(void)
{
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    ck_assert_int_eq(system(cmd), 0);
}

static struct store *open_store(bool *fresh)
{
    struct store_conf c = {.path = path, .version = "test", .sensor = "s1", .wait = true};
    struct store *s;
    struct err e;
    ck_assert_msg(store_open(&c, &s, fresh, &e) == 0, "%s", e.text);
    return s;
}

static void close_store(struct store *s)
{
    struct err e;
    ck_assert_msg(store_close(s, &e) == 0, "%s", e.text);
}

static void sql(const char *text)
{
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

static int64_t one(const char *text)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000); /* as readers do */
    ck_assert_msg(sqlite3_prepare_v2(db, text, -1, &s, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    int64_t n = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}

static void load_into(struct store *s)
{
    struct row_sink into = baseline_loader(f.b);
    struct err e;
    ck_assert_msg(store_load(s, &into, &e) == 0, "%s", e.text);
}

START_TEST(model_survives)
{
    bool fresh;
    struct store *s = open_store(&fresh);
    ck_assert(fresh);
    plant(&f, BASE_LEARN);
    ident(&f, PLC, OBS_FIRMWARE, OBS_SELF, "V1", 90);
    ident(&f, PLC, OBS_MODULE, 2, "DI 16", 90);
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_READ, .tag = "Motor", .unit = 1});
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_READ, .tag = "Motor", .unit = 1, .status = 4, .known = true});
    ck_assert_uint_gt(baseline_due(f.b), 0);
    ck_assert_uint_gt(baseline_save(f.b, store_sink(s), false), 0);
    ck_assert_uint_eq(baseline_due(f.b), 0);
    ck_assert_uint_eq(baseline_save(f.b, store_sink(s), false), 0);
    uint64_t id = info(&f, PLC).id;
    char *before = exported(&f, true);
    close_store(s);

    s = open_store(&fresh);
    ck_assert(!fresh);
    baseline_free(f.b);
    f.conf.mode = BASE_DETECT;
    fix_open(&f);
    load_into(s);
    char *after = exported(&f, true);
    ck_assert_str_eq(before, after);
    ck_assert_uint_eq(baseline_due(f.b), 0);
    ck_assert_uint_eq(info(&f, PLC).id, id);
    asset(&f, HMI, M_HMI);
    asset(&f, PLC, M_PLC);
    link_made(&f, HMI, PLC, 502, false);
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_READ, .last = 99, .unit = 1});
    message(&f, HMI, PLC, (struct msg_spec){.fn = F_READ, .tag = "Motor", .unit = 1, .status = 4});
    ident(&f, PLC, OBS_FIRMWARE, OBS_SELF, "V1", 90);
    ck_assert_uint_eq(f.n, 0);
    ident(&f, PLC, OBS_FIRMWARE, OBS_SELF, "V2", 90);
    the(&f, DEV_FIRMWARE_CHANGED);
    fact_counts(&f, HMI, PLC, (struct msg_spec){.fn = F_READ, .last = 99, .unit = 1}, 500);
    baseline_save(f.b, store_sink(s), false);
    close_store(s);
    ck_assert_int_eq(one("SELECT count FROM op WHERE object='reg:0-99'"), 1500); /* a second run adds */
    ck_assert_int_eq(one("SELECT count(*) FROM asset"), 2);
    free(before);
    free(after);
    fix_done(&f);
}
END_TEST

START_TEST(folded_stays_folded_and_alerts_keep_their_time)
{
    struct store *s = open_store(NULL);
    plant(&f, BASE_DETECT);
    asset(&f, LAPTOP, NULL);
    message(&f, LAPTOP, PLC, (struct msg_spec){.fn = F_READ, .last = 9, .unit = 1});
    struct deviation first = *the(&f, DEV_NEW_ASSET);
    baseline_save(f.b, store_sink(s), false);
    close_store(s);
    s = open_store(NULL);
    baseline_free(f.b);
    f.conf.mode = BASE_DETECT;
    f.n = 0;
    fix_open(&f);
    load_into(s);
    f.now += DAY;
    asset(&f, LAPTOP, NULL);
    message(&f, LAPTOP, PLC, (struct msg_spec){.fn = F_READ, .last = 9, .unit = 1});
    const struct deviation *d = the(&f, DEV_NEW_ASSET);
    ck_assert_uint_eq(f.n, 1);
    ck_assert_uint_eq(d->fold, first.fold);
    ck_assert_uint_eq(d->first_ns, first.first_ns); /* so it is the same alert */
    close_store(s);
    fix_done(&f);
}
END_TEST

START_TEST(evicted_rows_leave)
{
    struct store *s = open_store(NULL);
    fix_init(&f, BASE_LEARN);
    f.conf.limits.assets = 16;
    f.conf.limits.links = 16;
    fix_open(&f);
    for (uint32_t i = 0; i < 200; i++) {
        char a[32];
        snprintf(a, sizeof a, "10.1.0.%u", i);
        f.now += SEC;
        asset(&f, a, M_PLC);
        link_made(&f, a, PLC, 502, false);
        link_counts(&f, a, PLC, 502, 5, 5);
        message(&f, a, PLC, (struct msg_spec){.fn = F_READ, .last = 9, .unit = 1});
        if (i % 10 == 0)
            baseline_save(f.b, store_sink(s), false);
    }
    baseline_save(f.b, store_sink(s), false);
    struct baseline_stats st;
    baseline_stats(f.b, &st);
    close_store(s);
    ck_assert_int_eq(one("SELECT count(*) FROM asset"), st.assets);
    ck_assert_int_eq(one("SELECT count(*) FROM link"), st.links);
    ck_assert_int_eq(one("SELECT count(*) FROM func"), st.funcs);
    ck_assert_int_eq(one("SELECT count(*) FROM op"), st.ops);
    struct err e;
    ck_assert_int_eq(db_check(path, NULL, NULL, &e), 0);
    fix_done(&f);
}
END_TEST

static bool put_alert(struct store *s, uint64_t uid, uint32_t update, uint64_t count, const char *json)
{
    struct store_alert a = {.uid = uid,
                            .update = update,
                            .first_ns = T0,
                            .last_ns = T0 + count,
                            .count = count,
                            .sid = 7,
                            .severity = 3,
                            .id = "OT-POL-001",
                            .engine = "policy",
                            .title = "t",
                            .src = HMI,
                            .dst = PLC,
                            .accept = "link:0123456789abcdef",
                            .json = json,
                            .json_len = (uint32_t)strlen(json)};
    return store_alert(s, &a);
}

START_TEST(alerts_are_upserted)
{
    struct err e;
    struct store *s = open_store(NULL);
    ck_assert_uint_eq(store_alert_update(s, 5), 0);
    ck_assert(put_alert(s, 5, 1, 1, "{\"a\":1}"));
    ck_assert(put_alert(s, 0xffffffffffffffff, 1, 1, "{\"b\":1}"));
    ck_assert(put_alert(s, 5, 2, 9, "{\"a\":2}"));
    ck_assert(put_alert(s, 5, 1, 1, "{\"old\":1}")); /* older: ignored */
    ck_assert_int_eq(store_sync(s, &e), 0);
    ck_assert_uint_eq(store_alert_update(s, 5), 2);
    store_cursor(s, "file", 3);
    close_store(s);
    ck_assert_int_eq(one("SELECT count(*) FROM alert"), 2);
    ck_assert_int_eq(one("SELECT count FROM alert WHERE uid=5"), 9);
    ck_assert_int_eq(one("SELECT seq FROM alert WHERE uid=5"), 3); /* moved on: outputs see it again */
    ck_assert_int_eq(one("SELECT seq FROM outbox WHERE output='file'"), 3);
    sql("UPDATE alert SET state='closed' WHERE uid=5");
    s = open_store(NULL);
    put_alert(s, 5, 3, 10, "{\"a\":3}");
    close_store(s);
    ck_assert_int_eq(one("SELECT count(*) FROM alert WHERE uid=5 AND state='closed' AND upd=3 AND seq>3"), 1);

    struct query *q;
    ck_assert_int_eq(query_open(path, &q, &e), 0);
    const char *const args[] = {"0000000000000005"};
    struct rows *r = query_run(q, Q_ALERT, args, 1, &e);
    ck_assert_int_eq(rows_next(r, &e), 1);
    ck_assert_str_eq(rows_text(r, QX_JSON), "{\"a\":3}");
    ck_assert_str_eq(rows_text(r, QX_UID), "0000000000000005");
    ck_assert_int_eq(rows_next(r, &e), 0);
    rows_done(r);
    const char *const after[] = {"2"};
    r = query_run(q, Q_ALERTS_AFTER, after, 1, &e);
    ck_assert_int_eq(rows_next(r, &e), 1);
    ck_assert_int_eq(rows_next(r, &e), 0);
    rows_done(r);
    query_close(q);
}
END_TEST

START_TEST(refusals)
{
    struct store_conf c = {.path = path, .wait = true};
    struct store *s;
    struct query *q;
    struct err e;
    FILE *w = fopen(path, "w");
    fputs(
        "this is no database, just some text that is long enough to be looked at as one, page by page, and more of it",
        w);
    fclose(w);
    ck_assert_int_lt(store_open(&c, &s, NULL, &e), 0);
    ck_assert_msg(strstr(e.text, "is not a database"), "%s", e.text);
    unlink(path);
    sql("CREATE TABLE other(x)");
    ck_assert_int_eq(store_open(&c, &s, NULL, &e), -EINVAL);
    ck_assert_msg(strstr(e.text, "another program"), "%s", e.text);
    ck_assert_int_eq(query_open(path, &q, &e), -EINVAL);
    unlink(path);
    s = open_store(NULL);
    close_store(s);
    sql("PRAGMA user_version=99");
    ck_assert_int_eq(store_open(&c, &s, NULL, &e), -EINVAL);
    ck_assert_msg(strstr(e.text, "newer tyto (database version 99"), "%s", e.text);
    c.path = "/nonexistent/folder/t.db";
    ck_assert_int_eq(store_open(&c, &s, NULL, &e), -ENOENT);
    ck_assert_int_eq(query_open(c.path, &q, &e), -ENOENT);
}
END_TEST

START_TEST(locked)
{
    struct store_conf c = {.path = path, .wait = true};
    struct store *s = open_store(NULL);
    struct err e;
    sqlite3 *db;
    close_store(s);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(store_open(&c, &s, NULL, &e), 0);
    ck_assert(store_meta(s, "k", "v"));
    ck_assert_int_eq(store_close(s, &e), -EBUSY); /* after five seconds of patience */
    ck_assert_msg(strstr(e.text, "locked"), "%s", e.text);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(db);
    ck_assert_int_eq(one("SELECT count(*) FROM meta WHERE key='k'"), 0);
}
END_TEST

START_TEST(full_disk)
{
    struct store_conf c = {.path = path, .wait = true};
    struct store *s = open_store(NULL);
    struct err e;
    char big[8192];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = 0;
    close_store(s);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit small = {512 << 10, 512 << 10};
    setrlimit(RLIMIT_FSIZE, &small);
    ck_assert_int_eq(store_open(&c, &s, NULL, &e), 0);
    for (unsigned i = 0; i < 1000; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%u", i);
        ck_assert(store_meta(s, key, big)); /* the run goes on */
    }
    int r = store_close(s, &e);
    ck_assert_msg(r == -ENOSPC || r == -EIO, "%d", r);
    ck_assert_msg(strstr(e.text, "full") || strstr(e.text, "disk"), "%s", e.text);
}
END_TEST

/* What people ask of the writer: done, it is gone; refused, it says why and is gone with that. */
START_TEST(wishes)
{
    struct store *s = open_store(NULL);
    struct wishes *w;
    struct query *q;
    struct err e;
    int64_t id[3];
    ck_assert_int_eq(wishes_open(path, &w, &e), 0);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(wishes_put(w, i ? "object:2 alert:3" : "link:1", &id[i], &e), 0);
    ck_assert_int_eq(query_open(path, &q, &e), 0);
    struct rows *r = query_run(q, Q_WISHES, NULL, 0, &e);
    ck_assert_int_eq(rows_next(r, &e), 1);
    ck_assert_int_eq(rows_int(r, QW_ID), id[0]);
    ck_assert_str_eq(rows_text(r, QW_ACCEPT), "link:1");
    rows_done(r);
    ck_assert_int_eq(wishes_look(w, id[0], &e), 0);
    ck_assert(store_wish_done(s, (uint64_t)id[0], NULL));
    ck_assert(store_wish_done(s, (uint64_t)id[1], "object:2: there is no such fact"));
    ck_assert_int_eq(store_sync(s, &e), 0);
    ck_assert_int_eq(wishes_look(w, id[0], &e), 1);
    ck_assert_int_eq(wishes_look(w, id[1], &e), -EINVAL);
    ck_assert_str_eq(e.text, "object:2: there is no such fact");
    ck_assert_int_eq(wishes_look(w, id[1], &e), 1);
    ck_assert_int_eq(wishes_look(w, id[2], &e), 0);
    int64_t last = id[2];
    ck_assert(store_wish_done(s, (uint64_t)last, NULL));
    ck_assert_int_eq(store_sync(s, &e), 0);
    ck_assert_int_eq(wishes_put(w, "link:4", &id[0], &e), 0);
    ck_assert_int_gt(id[0], last); /* a number is never used again: the writer goes on behind the last one */
    query_close(q);
    wishes_close(w);
    close_store(s);
}
END_TEST

/* A replay's transaction ends by itself: whoever looks meanwhile sees what is older than a second or so. */
START_TEST(seen_while_it_runs)
{
    struct store_conf c = {.path = path, .wait = true, .queue_bytes = 1};
    struct store *s;
    struct err e;
    char big[8192];
    int n = 0;
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = 0;
    ck_assert_int_eq(store_open(&c, &s, NULL, &e), 0);
    for (unsigned i = 0; i < 28; i++) { /* most of the smallest buffer: it is taken, and nobody asks for more */
        char key[16];
        snprintf(key, sizeof key, "k%u", i);
        ck_assert(store_meta(s, key, big));
    }
    for (unsigned tries = 0; tries < 300 && n == 0; tries++) {
        usleep(50000);
        n = (int)one("SELECT count(*) FROM meta WHERE key LIKE 'k%'");
    }
    ck_assert_int_gt(n, 20);
    close_store(s);
    ck_assert_int_eq(one("SELECT count(*) FROM meta WHERE key LIKE 'k%'"), 28);
}
END_TEST

/* Alerts are durable with the transaction that they are in, whatever else ends it. */
START_TEST(durable_with_their_transaction)
{
    struct store_conf c = {.path = path, .wait = true, .queue_bytes = 1};
    struct store_alert a = {.update = 1, .title = "t"};
    struct store_stats st;
    struct store *s;
    struct err e;
    char big[8192];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = 0;
    a.json = big;
    a.json_len = sizeof big - 1;
    ck_assert_int_eq(store_open(&c, &s, NULL, &e), 0);
    for (a.uid = 1; a.uid <= 28; a.uid++)
        ck_assert(store_alert(s, &a));
    for (unsigned turn = 0; turn < 2; turn++) { /* what comes when a second is over commits them */
        usleep(700000);
        for (unsigned i = 0; i < 28; i++) {
            char key[16];
            snprintf(key, sizeof key, "k%u.%u", turn, i);
            ck_assert(store_meta(s, key, big));
        }
    }
    ck_assert_int_eq(store_sync(s, &e), 0);
    store_stats(s, &st);
    ck_assert_uint_eq(st.durable, 28);
    close_store(s);
}
END_TEST

START_TEST(queue_packs_rows)
{
    uint8_t mem[4096];
    struct msg_buf b = {.p = mem, .cap = sizeof mem};
    static const uint8_t macs[2][6] = {{1, 2, 3, 4, 5, 6}, {7, 8, 9, 10, 11, 12}};
    static const uint16_t vlans[3] = {5, 6, 7};
    struct addr ips[1] = {ip(PLC)};
    struct row_asset a = {.id = 9,
                          .net = "default",
                          .name = "n",
                          .vendor = NULL,
                          .macs = macs,
                          .n_macs = 2,
                          .vlans = vlans,
                          .n_vlans = 3,
                          .ips = ips,
                          .n_ips = 1};
    unsigned n = 0;
    while (msg_put(&b, MSG_ASSET, &a))
        n++;
    ck_assert_uint_gt(n, 4);
    uint32_t at = 0;
    enum msg_kind kind;
    union msg_row r;
    for (unsigned again = 0; again < 2; again++, at = 0)
        for (unsigned i = 0; i < n; i++) {
            ck_assert(msg_next(&b, &at, &kind, &r));
            ck_assert_int_eq(kind, MSG_ASSET);
            ck_assert_str_eq(r.asset.name, "n");
            ck_assert_ptr_null(r.asset.vendor);
            ck_assert_int_eq(memcmp(r.asset.macs, macs, sizeof macs), 0);
            ck_assert_int_eq(memcmp(r.asset.vlans, vlans, sizeof vlans), 0);
            ck_assert(addr_eq(&r.asset.ips[0], &ips[0]));
        }
}
END_TEST

/* Rows are written by key, many at a time: of one key the later one counts, and each asset has its own addresses. */
START_TEST(rows_in_any_order)
{
    enum { ROWS = 1000 };
    const struct addr ips[] = {{{1}}, {{2}}, {{3}}};
    const uint8_t macs[1][6] = {{0, 1, 2, 3, 4, 5}};
    const uint16_t vlans[] = {7, 8};
    struct store *s = open_store(NULL);
    const struct row_sink *to = store_sink(s);
    for (uint64_t round = 1; round <= 2; round++)
        for (uint64_t i = 1; i <= ROWS; i++) {
            /* 0x9e37..: ids of both signs, none twice; the second round comes in reverse */
            uint64_t n = round == 1 ? i : ROWS + 1 - i, id = n * UINT64_C(0x9e3779b97f4a7c15);
            struct row_asset a = {.id = id, .ips = ips, .macs = macs, .vlans = vlans, .purdue = -1,
                                  .n_ips = (uint8_t)(round == 1 ? 3 : n % 3), .n_macs = round == 1, .n_vlans = (uint8_t)(n % 2),
                                  .macs_learned = 1};
            struct row_func fn = {.id = id, .link = n, .proto = "modbus", .unit = 5, .has_unit = (uint8_t)(n % 2)};
            struct row_op o = {.id = id, .func = round, .count = n, .n_status = (uint8_t)(n % 3), .status = {4, 5},
                               .status_learned = 2};
            ck_assert(to->asset(to->ctx, &a) && to->func(to->ctx, &fn) && to->op(to->ctx, &o));
        }
    for (uint64_t i = 1; i <= ROWS; i++) { /* of one table, and of one key, at a time */
        struct row_net n = {.net = i % 2 ? "a" : NULL, .life = {.first_ns = i}};
        ck_assert(to->net(to->ctx, &n));
    }
    close_store(s);
    ck_assert_int_eq(one("SELECT count(*) FROM asset"), ROWS);
    ck_assert_int_eq(one("SELECT count(*) FROM func WHERE unit=5 AND link%2=1 OR unit IS NULL AND link%2=0"), ROWS);
    ck_assert_int_eq(one("SELECT count(*) FROM op WHERE func=2 AND action='other'"), ROWS);
    ck_assert_int_eq(one("SELECT sum(count) FROM op"), ROWS * (ROWS + 1) / 2);
    ck_assert_int_eq(one("SELECT count(*) FROM op WHERE status='4?,5'"), ROWS / 3);
    ck_assert_int_eq(one("SELECT count(*) FROM asset_addr WHERE kind=0"), ROWS);
    ck_assert_int_eq(one("SELECT count(*) FROM asset_addr WHERE kind=1"), 0);
    ck_assert_int_eq(one("SELECT count(*) FROM asset_addr WHERE kind=2 AND value='7'"), ROWS / 2);
    ck_assert_int_eq(one("SELECT count(*) FROM asset_addr WHERE asset NOT IN (SELECT id FROM asset)"), 0);
    ck_assert_int_eq(one("SELECT sum(first_ns) FROM net"), ROWS + ROWS - 1);
    ck_assert_int_eq(one("SELECT count(*) FROM net WHERE name IN ('a','default')"), 2);
    s = open_store(NULL); /* with indexes: one that goes, one that is written again */
    to = store_sink(s);
    struct row_link l = {.id = 9, .net = "a", .client = ips[0], .server = ips[1]};
    ck_assert(to->link(to->ctx, &l) && to->link(to->ctx, &l));
    ck_assert(to->gone(to->ctx, ROW_ASSET, UINT64_C(0x9e3779b97f4a7c15)));
    for (unsigned k = 0; k < 80; k++) { /* each twice in one statement: the addresses of the first time go */
        struct row_asset a = {.id = 1 + k % 40, .ips = ips, .macs = macs, .purdue = -1, .n_ips = k < 40 ? 3 : 1,
                              .n_macs = k < 40};
        ck_assert(to->asset(to->ctx, &a));
    }
    close_store(s);
    ck_assert_int_eq(one("SELECT count(*) FROM asset_addr WHERE asset BETWEEN 1 AND 40"), 40);
    ck_assert_int_eq(one("SELECT count(*) FROM link WHERE apps='' AND client<>server"), 1);
    ck_assert_int_eq(one("SELECT count(*) FROM asset"), ROWS - 1 + 40);
    ck_assert_int_eq(one("SELECT count(*) FROM asset_addr WHERE asset NOT IN (SELECT id FROM asset)"), 0);
}
END_TEST

START_TEST(listings_sort_by_address)
{
    struct store *s = open_store(NULL);
    struct query *q;
    struct err e;
    const char *last = NULL;
    fix_init(&f, BASE_LEARN);
    fix_open(&f);
    asset(&f, "10.0.0.10", NULL);
    asset(&f, "10.0.0.9", NULL);
    asset_via(&f, "00:1b:1b:00:00:01", NULL, ASSET_VIA_L2);
    asset(&f, "9.0.0.1", NULL);
    baseline_save(f.b, store_sink(s), false);
    close_store(s);
    ck_assert_int_eq(query_open(path, &q, &e), 0);
    const char *const args[4] = {NULL};
    struct rows *r = query_run(q, Q_ASSETS, args, 4, &e);
    static const char *const order[] = {"9.0.0.1", "10.0.0.9", "10.0.0.10", "00:1b:1b:00:00:01"};
    for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
        ck_assert_int_eq(rows_next(r, &e), 1);
        ck_assert_str_eq(rows_text(r, QA_KEY), order[i]);
    }
    (void)last;
    rows_done(r);
    query_close(q);
    fix_done(&f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("store");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, model_survives);
    tcase_add_test(t, folded_stays_folded_and_alerts_keep_their_time);
    tcase_add_test(t, evicted_rows_leave);
    tcase_add_test(t, alerts_are_upserted);
    tcase_add_test(t, refusals);
    tcase_add_test(t, locked);
    tcase_add_test(t, wishes);
    tcase_add_test(t, full_disk);
    tcase_add_test(t, seen_while_it_runs);
    tcase_add_test(t, durable_with_their_transaction);
    tcase_add_test(t, queue_packs_rows);
    tcase_add_test(t, rows_in_any_order);
    tcase_add_test(t, listings_sort_by_address);
    suite_add_tcase(s, t);
    return run_suite(s);
}
