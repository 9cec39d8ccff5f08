/* test_memory.c: the default limits, their sum, what --stats tells and what is really allocated are the same thing, and
 * under 256 MiB. */
#include <check.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/pipeline.h"
#include "suite.h"

enum { MOST = 256 << 20 };

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_MALLOC 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define OWN_MALLOC 1
#endif

static char dir[] = "/tmp/tyto-memory-XXXXXX";

static void make_dir(void)
{
    static const unsigned char head[24] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, [16] = 0xff, 0xff, [20] = 1};
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(chdir(dir), 0);
    FILE *f = fopen("none.pcap", "wb");
    ck_assert_uint_eq(fwrite(head, 1, sizeof head, f), sizeof head);
    fclose(f);
}

static void remove_dir(void)
{
    static const char *const names[] = {"none.pcap", "t.db", "t.db-wal", "t.db-shm", "alerts"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(names[i]);
    ck_assert_int_eq(chdir("/"), 0);
    rmdir(dir);
}

static uint64_t allocated(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

/* |a - b| as a percentage of a */
static double apart(uint64_t a, uint64_t b)
{
    return 100.0 * (double)(a > b ? a - b : b - a) / (double)a;
}

static void check_run(unsigned workers)
{
    static const char *const captures[] = {"none.pcap"};
    static struct pipeline p;
    struct pipe_opts o = {.db = "t.db", .alerts = "alerts", .workers = workers, .mode = -1, .no_ndpi = true};
    struct source *src;
    struct engine *g;
    struct err e;
    uint64_t before = allocated();
    ck_assert_int_eq(source_open_files(captures, 1, &e, &src), 0);
    ck_assert_msg(pipe_open(&p, &o, src, &e) == 0, "%s", e.text);
    struct engine_conf c = pipe_engine_conf(&p, workers);
    ck_assert_msg(engine_new(&g, &c, &e) == 0, "%s", e.text);
    /* SQLite's pages and nDPI's flows are taken as they are needed; rules, vendors, statements are what else there is. */
    uint64_t real = allocated() - before + p.conf->limits.store_cache_bytes, told = pipe_memory(&p, workers);
    uint64_t sum = limits_sum(&p.conf->limits) - p.conf->limits.ndpi_flows * NDPI_FLOW_BYTES;
    printf("%u workers: limits %.1f MiB, told %.1f, allocated %.1f\n", workers, (double)sum / 1048576,
           (double)told / 1048576, (double)real / 1048576);
    ck_assert_double_lt(apart(sum, told), 3);
#ifdef OWN_MALLOC /* the sanitizer's malloc does not count for mallinfo */
    real = told;
#endif
    ck_assert_double_lt(apart(told, real), 3);
    ck_assert_uint_lt(real + p.conf->limits.ndpi_flows * NDPI_FLOW_BYTES + NDPI_BYTES, MOST);
    engine_free(g);
    ck_assert_int_eq(pipe_close(&p, &e), 0);
    source_close(src);
}

/* What has members aligned to cache lines is written with wide instructions where the compiler may (-march=native). */
START_TEST(aligned)
{
    for (size_t n = 1; n < 4; n++) {
        unsigned char *p = calloc_aligned(n, 100);
        ck_assert_uint_eq((uintptr_t)p % ARENA_ALIGN, 0);
        for (size_t i = 0; i < n * 100; i++)
            ck_assert_uint_eq(p[i], 0);
        free(p);
    }
    ck_assert_ptr_null(calloc_aligned(SIZE_MAX / 8, 16));
}
END_TEST

START_TEST(one_worker)
{
    check_run(1);
}
END_TEST

START_TEST(eight_workers)
{
    check_run(8);
}
END_TEST

/* Each row apart: what it says of a table is what this table takes more of when it grows. */
START_TEST(rows)
{
    static const char *const keys[] = {"flows", "requests", "shared_states", "known_facts", "known_links", "known_assets",
                                       "known_identities", "stream_bytes", "request_bytes", "message_bytes"};
    struct limits l;
    limits_default(&l);
    struct shard_conf c = pipe_shard_conf(&l);
    uint64_t base = (shard_hot_bytes(&c) + shard_cold_bytes(&c)) * N_SHARDS;
    unsigned found = 0;
    for (const struct limit_row *r = limit_rows; r->key; r++)
        for (unsigned i = 0; i < sizeof keys / sizeof keys[0]; i++) {
            if (strcmp(keys[i], r->key) != 0)
                continue;
            limits_default(&l);
            limits_set(&l, r, 2 * r->def);
            c = pipe_shard_conf(&l);
            uint64_t more = (shard_hot_bytes(&c) + shard_cold_bytes(&c)) * N_SHARDS - base;
            ck_assert_msg(apart(r->def * r->bytes, more) < 5, "%s: %llu said, %llu taken", r->key,
                          (unsigned long long)(r->def * r->bytes), (unsigned long long)more);
            found++;
        }
    ck_assert_uint_eq(found, sizeof keys / sizeof keys[0]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("memory");
    TCase *t = tcase_create("memory");
    tcase_add_unchecked_fixture(t, make_dir, remove_dir);
    tcase_add_test(t, rows);
    tcase_add_test(t, aligned);
    tcase_add_test(t, one_worker);
    tcase_add_test(t, eight_workers);
    suite_add_tcase(s, t);
    return suite_end(s);
}
