/* Capture files larger than a block, through pipes, and several merged by time. */
#include "tests/unit/pcap_fixture.h"

/* ---- blocks of the reader ------------------------------------------------------------------------------------- */

enum { MANY = 3000 };

static uint32_t many_len(uint32_t i)
{
    if (i % 500 == 499)
        return 262144 - i;
    return i % 1700;
}

static struct out many(unsigned v)
{
    struct out o = {.be = v & 1};
    if (v >= 6) {
        ng_section(&o, 1);
        ng_interface(&o, 1, 0, NULL, -1, 0);
    } else {
        pcap_head(&o, pcap_magics[v / 2], 1, 4);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        struct packet k = {UINT64_C(1000000000) * i, many_len(i), many_len(i)};
        if (v < 6)
            pcap_record(&o, pcap_magics[v / 2], &k, i);
        else
            ng_packet(&o, 0, k.ns / 1000, k.caplen, k.wirelen, i);
        if (v >= 6 && i % 700 == 0)
            ng_other(&o, 4, 400000);
    }
    return o;
}

static void check_many(struct source *s)
{
    struct source_progress p;
    source_progress(s, &p);
    ck_assert_uint_eq(got.n, MANY);
    for (uint32_t i = 0; i < MANY; i++)
        if (got.k[i].ts_ns != UINT64_C(1000000000) * i || got.k[i].caplen != many_len(i))
            ck_abort_msg("packet %u", i);
    ck_assert_msg(got.worst == SOURCE_FINE, "%s", got.fault);
    if (p.total >= 0)
        ck_assert_int_eq((int64_t)p.done, p.total);
}

START_TEST(larger_than_a_block)
{
    static const unsigned which[] = {0, 3, 6, 7};
    struct out o = many(which[_i]), z = pack(&o);
    const struct out *form[] = {&o, &z};
    for (unsigned k = 0; k < 2; k++) {
        save(0, form[k]->p, form[k]->n);
        for (unsigned batch = 1; batch <= 256; batch = batch * 6 + 1) {
            struct source *s = open_n(1);
            read_source(s, batch);
            check_many(s);
            source_close(s);
        }
    }
    done(&o);
    done(&z);
}
END_TEST

/* Through a pipe, in pieces of any size: not seekable, no size. */
START_TEST(pipes)
{
    struct out o = many(_i ? 6 : 0), z = pack(&o);
    const struct out *form = _i & 2 ? &z : &o;
    int fd[2];
    ck_assert_int_eq(pipe(fd), 0);
    pid_t child = fork();
    if (child == 0) {
        close(fd[0]);
        for (size_t at = 0, n = 1; at < form->n; at += n, n = n * 5 % 40009 + 1) {
            n = n < form->n - at ? n : form->n - at;
            if (write(fd[1], form->p + at, n) != (ssize_t)n)
                _exit(1);
        }
        _exit(0);
    }
    close(fd[1]);
    int saved = dup(0);
    dup2(fd[0], 0);
    struct err e;
    struct source *s = NULL;
    ck_assert_int_eq(source_open("-", NULL, &e, &s), 0);
    ck_assert_str_eq(source_file(s, 0), "-");
    struct source_progress p;
    source_progress(s, &p);
    ck_assert_int_eq(p.total, -1);
    read_source(s, 64);
    check_many(s);
    source_close(s);
    dup2(saved, 0);
    close(saved);
    close(fd[0]);
    done(&o);
    done(&z);
}
END_TEST

/* ---- merging -------------------------------------------------------------------------------------------------- */

/* n packets of one byte each at these times. */
static void save_times(unsigned file, const uint64_t *ns, unsigned n, unsigned v)
{
    struct out o = {.be = v & 1};
    uint32_t magic = 0xa1b23c4d;
    if (v >= 6) {
        ng_section(&o, 1);
        ng_interface(&o, 1, 0, "eth0", 9, 0);
    } else {
        pcap_head(&o, magic, 1, 4);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct packet k = {ns[i], 1, 1};
        if (v < 6)
            pcap_record(&o, magic, &k, i);
        else
            ng_packet(&o, 0, ns[i], 1, 1, i);
    }
    save(file, o.p, o.n);
    done(&o);
}

START_TEST(merge)
{
    static const uint64_t a[] = {10, 20, 30, 30, 90}, b[] = {15, 20, 5, 40}, c[] = {20, 21};
    save_times(0, a, 5, 0);
    save_times(1, b, 4, 6);
    save_times(2, c, 2, 7);
    /* file 1 goes back to 5 after 20: it comes right then, not before; ties by file */
    static const struct {
        uint16_t file;
        uint32_t frame;
    } want[] = {{0, 1}, {1, 1}, {0, 2}, {1, 2}, {1, 3}, {2, 1}, {2, 2}, {0, 3}, {0, 4}, {1, 4}, {0, 5}};
    for (unsigned batch = 1; batch <= 64; batch *= 2) {
        struct source *s = open_n(3);
        read_source(s, batch);
        ck_assert_uint_eq(got.n, 11);
        for (unsigned i = 0; i < 11; i++) {
            ck_assert_msg(got.k[i].file == want[i].file && got.k[i].frame == want[i].frame, "%u: file %u frame %u", i,
                          got.k[i].file, got.k[i].frame);
        }
        ck_assert_uint_eq(source_n_ifaces(s), 2); /* one name in two files is one interface */
        source_close(s);
    }
}
END_TEST

/* More files than are kept open; the times overlap, or follow each other; some cannot be read. */
START_TEST(merge_many)
{
    enum { N = 50, EACH = 40 };
    for (unsigned f = 0; f < N; f++) {
        uint64_t t[EACH];
        for (unsigned i = 0; i < EACH; i++)
            t[i] = _i ? 1000000 * f + i : (i * N + f) / 3;
        save_times(f, t, EACH, f % 2 ? 6 : 0);
    }
    save(7, "nonsense", 8);
    unlink(paths[8]);
    struct stat st;
    ck_assert_int_eq(stat(paths[9], &st), 0);
    ck_assert_int_eq(truncate(paths[9], st.st_size - 1), 0);
    struct source *s = open_n(N);
    read_source(s, 64);
    ck_assert_uint_eq(got.n, (N - 2) * EACH - 1);
    for (unsigned i = 1; i < got.n; i++) {
        const struct pkt *p = &got.k[i - 1], *k = &got.k[i];
        ck_assert_uint_le(p->ts_ns, k->ts_ns);
        if (p->ts_ns == k->ts_ns)
            ck_assert_uint_le(p->file, k->file);
        if (p->file == k->file)
            ck_assert_uint_eq(p->frame + 1, k->frame);
    }
    struct source_stats stats;
    source_stats(s, &stats);
    ck_assert_uint_eq(stats.errors, 2);
    ck_assert_uint_eq(stats.warnings, 1);
    struct source_progress p;
    source_progress(s, &p);
    ck_assert_int_eq((int64_t)p.done, p.total);
    source_close(s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pcapmerge");
    TCase *t = tcase_create("pcapmerge");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, larger_than_a_block, 0, 4);
    tcase_add_loop_test(t, pipes, 0, 4);
    tcase_add_test(t, merge);
    tcase_add_loop_test(t, merge_many, 0, 2);
    suite_add_tcase(s, t);
    return run_suite(s);
}
