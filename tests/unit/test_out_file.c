/* test_out_file.c: lines are whole or not there: on full disks, full pipes, after crashes. */
#include "alerts/out_file.h"
#include "suite.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/tyto-out-XXXXXX";
static char path[64];

static void setup(void)
{
    memcpy(dir + sizeof dir - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/f", dir);
}

static void teardown(void)
{
    unlink(path);
    rmdir(dir);
}

static void write_file(const char *text)
{
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
}

static void expect_file(const char *text)
{
    char buf[4096] = "";
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    buf[fread(buf, 1, sizeof buf - 1, f)] = '\0';
    fclose(f);
    ck_assert_str_eq(buf, text);
}

static struct out_file *open_it(const char *p)
{
    struct out_file *f = NULL;
    struct err e = {""};
    ck_assert_msg(out_file_open(&f, p, 0, &e) == 0, "%s", e.text);
    return f;
}

START_TEST(test_append)
{
    struct out_file *f = open_it(path);
    struct stat st;
    ck_assert_int_eq(out_file_line(f, "{\"a\":1}", 7), 0);
    ck_assert_int_eq(out_file_line(f, "{}", 2), 0);
    ck_assert_int_eq(out_file_close(f), 0);
    f = open_it(path);
    ck_assert_int_eq(out_file_line(f, "[]", 2), 0);
    ck_assert_int_eq(out_file_flush(f), 0);
    expect_file("{\"a\":1}\n{}\n[]\n");
    ck_assert_int_eq(out_file_close(f), 0);
    ck_assert_int_eq(out_file_close(NULL), 0);
    stat(path, &st);
    ck_assert_uint_eq(st.st_mode & 07, 0); /* not for everybody's eyes */
}
END_TEST

/* Half a line of ours is taken off; another's last line gets its newline. */
/* What was there when it was marked is written, and no more. */
START_TEST(test_mark)
{
    struct out_file *f = open_it(path);
    out_file_hold(f);
    ck_assert_int_eq(out_file_flush_marked(f), 0);
    ck_assert_int_eq(out_file_line(f, "[1]", 3), 0);
    out_file_mark(f);
    ck_assert_int_eq(out_file_line(f, "[22]", 4), 0);
    expect_file("");
    ck_assert_int_eq(out_file_flush_marked(f), 0);
    expect_file("[1]\n");
    ck_assert_int_eq(out_file_flush_marked(f), 0); /* once */
    expect_file("[1]\n");
    out_file_mark(f);
    ck_assert_int_eq(out_file_line(f, "[]", 2), 0);
    ck_assert_int_eq(out_file_flush_marked(f), 0);
    expect_file("[1]\n[22]\n");
    ck_assert_int_eq(out_file_close(f), 0);
    expect_file("[1]\n[22]\n[]\n");
}
END_TEST

START_TEST(test_repair)
{
    write_file("{\"timestamp\":\"x\"}\n{\"timestamp\":\"y\",\"ho");
    struct out_file *f = open_it(path);
    ck_assert_int_eq(out_file_line(f, "{}", 2), 0);
    ck_assert_int_eq(out_file_close(f), 0);
    expect_file("{\"timestamp\":\"x\"}\n{}\n");
    write_file("{\"tim");
    ck_assert_int_eq(out_file_close(open_it(path)), 0);
    expect_file("");
    write_file("notes");
    ck_assert_int_eq(out_file_close(open_it(path)), 0);
    expect_file("notes\n");
}
END_TEST

/* A disk that fills up in the middle of a line (here: a limit on the file's size): the line is taken back, kept, and
 * written once there is room. */
START_TEST(test_full)
{
    struct rlimit was, small;
    struct out_file_stats st;
    struct out_file *f = open_it(path);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
    small = was;
    small.rlim_cur = 15;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    out_file_line(f, "first line", 10);
    out_file_line(f, "second line", 11);
    ck_assert_int_eq(out_file_flush(f), -EFBIG);
    expect_file("first line\n");
    out_file_stats(f, &st);
    ck_assert(st.last_error == EFBIG && st.waiting == 12 && st.lines == 1 && st.lost == 0);
    ck_assert_int_eq(out_file_flush(f), -EFBIG);
    expect_file("first line\n");
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
    ck_assert_int_eq(out_file_flush(f), 0);
    expect_file("first line\nsecond line\n");
    out_file_stats(f, &st);
    ck_assert(st.last_error == 0 && st.waiting == 0 && st.lines == 2);
    ck_assert_int_eq(out_file_close(f), 0);
}
END_TEST

/* A disk that stays full: what waits is bounded, what is lost is counted and told. */
START_TEST(test_no_space)
{
    struct out_file_stats st;
    struct out_file *f = NULL;
    struct err e;
    static char line[5000];
    unsigned refused = 0;
    memset(line, 'x', sizeof line);
    if (out_file_open(&f, "/dev/full", 0, &e) < 0)
        return;
    for (unsigned i = 0; i < 1000; i++)
        refused += out_file_line(f, line, sizeof line) == -ENOSPC;
    out_file_stats(f, &st);
    ck_assert(st.last_error == ENOSPC && st.lines == 0 && st.lost > 0 && st.waiting > 0);
    ck_assert_uint_eq(st.lost + st.waiting / 5001, 1000);
    ck_assert_uint_ge(refused, st.lost);
    ck_assert_int_eq(out_file_close(f), -ENOSPC);
}
END_TEST

/* A pipe that takes only part of a line gets the rest of that line before anything else. */
START_TEST(test_pipe)
{
    int fd[2], out;
    static char line[40000], got[400000];
    size_t n = 0;
    ck_assert_int_eq(pipe(fd), 0);
    out = dup(STDOUT_FILENO);
    ck_assert_int_ge(dup2(fd[1], STDOUT_FILENO), 0);
    fcntl(fd[1], F_SETFL, O_NONBLOCK);
    fcntl(fd[0], F_SETFL, O_NONBLOCK);
    struct out_file *f = open_it("-");
    for (int i = 0; i < 5; i++) {
        memset(line, 'a' + i, sizeof line);
        out_file_line(f, line, sizeof line);
        out_file_flush(f);
    }
    for (int i = 0; i < 20; i++) {
        ssize_t k;
        while ((k = read(fd[0], got + n, sizeof got - n)) > 0)
            n += (size_t)k;
        out_file_flush(f);
    }
    int r = out_file_close(f);
    dup2(out, STDOUT_FILENO);
    ck_assert_int_eq(r, 0);
    ck_assert_uint_eq(n, 5 * 40001);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(got[i * 40001], 'a' + i);
        ck_assert_int_eq(got[i * 40001 + 39999], 'a' + i);
        ck_assert_int_eq(got[i * 40001 + 40000], '\n');
    }
}
END_TEST

START_TEST(test_errors)
{
    struct out_file *f = NULL;
    struct err e = {""};
    ck_assert_int_eq(out_file_open(&f, "/nowhere/at/all", 0, &e), -ENOENT);
    ck_assert_ptr_nonnull(strstr(e.text, "/nowhere/at/all"));
    ck_assert_int_lt(out_file_open(&f, dir, 0, &e), 0);
}
END_TEST

START_TEST(test_sink)
{
    struct out_file_sink s = {.file = open_it(path), .least = AS_MAJOR};
    struct alert_sink sink = out_file_sink(&s);
    struct alert_out a = {.severity = AS_MINOR, .line = "{1}", .line_len = 3};
    ck_assert_int_eq(sink.put(sink.ctx, &a), 0);
    a.severity = AS_CRITICAL;
    a.line = "{2}";
    ck_assert_int_eq(sink.put(sink.ctx, &a), 0);
    expect_file("{2}\n"); /* at once */
    ck_assert_int_eq(out_file_close(s.file), 0);
}
END_TEST

struct keeper { /* asked before a line has no room: has anything left by then? */
    struct out_file *file;
    unsigned asked;
    uint64_t had;
};

static void asked(void *arg)
{
    struct keeper *k = arg;
    struct out_file_stats s;
    out_file_stats(k->file, &s);
    ck_assert_uint_eq(s.bytes, k->had); /* only what it let go before */
    k->asked++;
    k->had += s.waiting;
    ck_assert_int_eq(out_file_flush(k->file), 0);
}

/* More lines than there is room for: none is written before the one who holds them back said so. */
START_TEST(test_sink_full)
{
    enum { LINE = 1000, LINES = 2000 };
    static char line[LINE];
    memset(line, 'x', sizeof line);
    struct keeper k = {.file = open_it(path)};
    struct out_file_sink s = {.file = k.file, .hold = true, .full = asked, .full_arg = &k};
    struct alert_sink sink = out_file_sink(&s);
    struct alert_out a = {.severity = AS_MAJOR, .line = line, .line_len = LINE};
    struct out_file_stats st;
    out_file_hold(k.file);
    for (unsigned i = 0; i < LINES; i++)
        ck_assert_int_eq(sink.put(sink.ctx, &a), 0);
    out_file_stats(k.file, &st);
    ck_assert_uint_ge(k.asked, 2);
    ck_assert_uint_eq(st.bytes, k.had);
    ck_assert_uint_eq(st.bytes + st.waiting, LINES * (LINE + 1));
    ck_assert_uint_eq(st.lost, 0);
    ck_assert_int_eq(out_file_close(k.file), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("out_file");
    TCase *t = tcase_create("out_file");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_append);
    tcase_add_test(t, test_mark);
    tcase_add_test(t, test_repair);
    tcase_add_test(t, test_full);
    tcase_add_test(t, test_no_space);
    tcase_add_test(t, test_pipe);
    tcase_add_test(t, test_errors);
    tcase_add_test(t, test_sink);
    tcase_add_test(t, test_sink_full);
    suite_add_tcase(s, t);
    return suite_end(s);
}
