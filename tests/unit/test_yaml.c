/* test_yaml.c: the YAML door: the tree, the typed getters, and above all the refusals with their places. */
#include "rules/yaml.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct yaml_doc *parse(const char *text)
{
    struct yaml_doc *d = NULL;
    struct err e = {""};
    int r = yaml_parse("t.yaml", text, strlen(text), &d, &e);
    ck_assert_msg(r == 0, "%s", e.text);
    return d;
}

START_TEST(test_tree)
{
    struct yaml_doc *d = parse("sensor:\n  name: line-7 # comment\n  site: 'A \"B\"'\nlist: [1, two]\nempty:\n");
    const struct yaml_node *root = yaml_root(d), *s = yaml_get(root, "sensor");
    ck_assert_uint_eq(root->type, YAML_MAP);
    ck_assert_uint_eq(root->n, 3);
    ck_assert_str_eq(yaml_get(s, "name")->text, "line-7");
    ck_assert_uint_eq(yaml_get(s, "name")->line, 2);
    ck_assert_uint_eq(yaml_get(s, "name")->column, 9);
    ck_assert_uint_eq(yaml_get(s, "name")->key->column, 3);
    ck_assert_str_eq(yaml_get(s, "site")->text, "A \"B\"");
    ck_assert(yaml_get(s, "nothing") == NULL);
    ck_assert(yaml_is_null(yaml_get(root, "empty")));
    char seen[16] = "";
    const struct yaml_node *list = yaml_get(root, "list");
    YAML_EACH (it, list) {
        strcat(seen, it->text);
        strcat(seen, ",");
    }
    ck_assert_str_eq(seen, "1,two,");
    unsigned n = 0;
    YAML_EACH (it, yaml_get(s, "name")) /* a scalar is a list of itself */
        n += (unsigned)it->len;
    ck_assert_uint_eq(n, 6);
    YAML_EACH (it, yaml_get(root, "empty"))
        ck_abort_msg("null has no items: %s", it->text);
    yaml_doc_free(d);

    d = parse("");
    ck_assert(yaml_is_null(yaml_root(d)));
    yaml_doc_free(d);
    d = parse("\xef\xbb\xbf""a: 1\r\n"); /* a byte order mark and DOS line ends */
    ck_assert_str_eq(yaml_get(yaml_root(d), "a")->text, "1");
    yaml_doc_free(d);
    yaml_doc_free(NULL);
}
END_TEST

static const struct {
    const char *text, *message;
} refused[] = {
    {"a: 1\nb: 2\na: 3\n", "t.yaml:3:1: found the key 'a' again (first at line 1), expected it once"},
    {"a: &x 1\nb: *x\n", "t.yaml:1:4: found an anchor"},
    {"b: *x\n", "t.yaml:1:4: found an alias"},
    {"- !!int 3\n", "t.yaml:1:3: found a tag"},
    {"a:\n  <<: {b: 1}\n", "t.yaml:2:3: found the merge key"},
    {"[a, b]: 1\n", "t.yaml:1:1: found a list or mapping, expected a key"},
    {"a: 1\n---\nb: 2\n", "t.yaml:2:1: found a second document"},
    {"a: \"x\\0y\"\n", "t.yaml:1:4: found a NUL character"},
    {"a: [1, 2\nb: 3\n", "t.yaml:2:"},
    {"a: 1\n b: 2\n", "t.yaml:2:"},
    {"a: \xff\xfe\n", "found bytes that are not UTF-8"},
    {"\t- a\n", "t.yaml:1:1: found a fault of syntax"},
    {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "t.yaml:1:33: found nesting deeper"},
};

START_TEST(test_refused)
{
    struct yaml_doc *d = NULL;
    struct err e = {""};
    const char *text = refused[_i].text;
    ck_assert_int_eq(yaml_parse("t.yaml", text, strlen(text), &d, &e), -EINVAL);
    ck_assert(d == NULL);
    ck_assert_msg(strstr(e.text, refused[_i].message) != NULL, "%s", e.text);
}
END_TEST

START_TEST(test_bounds)
{
    struct yaml_doc *d = NULL;
    struct err e;
    size_t n = YAML_MAX_SCALAR + 8;
    char *big = malloc(n + 1);
    memset(big, 'x', n);
    big[n] = 0;
    ck_assert_int_eq(yaml_parse("big", big, n, &d, &e), -EINVAL);
    ck_assert_msg(strstr(e.text, "65536") != NULL, "%s", e.text);
    ck_assert_int_eq(yaml_parse("big", big, (size_t)YAML_MAX_BYTES + 1, &d, &e), -EINVAL);
    free(big);
    ck_assert_int_eq(yaml_read("/no/such/file.yaml", &d, &e), -ENOENT);
    ck_assert_ptr_nonnull(strstr(e.text, "/no/such/file.yaml: "));
}
END_TEST

static const struct {
    const char *key;
    uint64_t v;
} durations[] = {{"10s", 10000000000}, {"5m", 300000000000}, {"2h", 7200000000000}, {"14d", 1209600000000000},
                 {"250us", 250000}, {"1h30m", 5400000000000}, {"0", 0}, {"1w", 604800000000000}};

START_TEST(test_duration)
{
    struct err e;
    uint64_t v = 1;
    struct yaml_doc *d = parse(durations[_i].key);
    ck_assert_int_eq(yaml_duration(yaml_root(d), 0, UINT64_MAX, &v, &e), 0);
    ck_assert_uint_eq(v, durations[_i].v);
    yaml_doc_free(d);
}
END_TEST

START_TEST(test_values)
{
    struct err e;
    uint64_t u = 7;
    int64_t i = 7;
    bool b = false;
    double f = 0;
    unsigned k = 9;
    const char *s = NULL;
    static const char *const names[] = {"warning", "minor", "major", NULL};
    struct yaml_doc *d = parse("n: 10k\nh: 0x1F\ng: 1_000\nneg: -3\nsize: 64M\nyes: on\nf: -2.5e3\nbad: 12x\nsev: major\n"
                               "typo: mjaor\nq: ''\nbig: 99999999999999999999\n");
    const struct yaml_node *r = yaml_root(d);
    ck_assert(yaml_opt_u64(r, "n", 0, 20000, &u, &e) == 0 && u == 10000);
    ck_assert(yaml_opt_u64(r, "h", 0, 100, &u, &e) == 0 && u == 31);
    ck_assert(yaml_opt_u64(r, "g", 0, 1000, &u, &e) == 0 && u == 1000);
    ck_assert(yaml_opt_u64(r, "absent", 0, 1000, &u, &e) == 0 && u == 1000);
    ck_assert(yaml_i64(yaml_get(r, "neg"), -5, 5, &i, &e) == 0 && i == -3);
    ck_assert(yaml_opt_bytes(r, "size", 0, UINT64_MAX, &u, &e) == 0 && u == 64 << 20);
    ck_assert(yaml_opt_bool(r, "yes", &b, &e) == 0 && b);
    ck_assert(yaml_double(yaml_get(r, "f"), &f, &e) == 0 && f > -2500.5 && f < -2499.5);
    ck_assert(yaml_opt_enum(r, "sev", names, &k, &e) == 0 && k == 2);
    ck_assert(yaml_opt_str(r, "sev", &s, &e) == 0 && strcmp(s, "major") == 0);

    ck_assert_int_eq(yaml_opt_u64(r, "bad", 0, 5, &u, &e), -EINVAL);
    ck_assert_str_eq(e.text, "t.yaml:8:6: found '12x', expected a whole number from 0 to 5");
    ck_assert_int_eq(yaml_opt_u64(r, "n", 0, 5, &u, &e), -EINVAL);
    ck_assert_int_eq(yaml_opt_u64(r, "big", 0, UINT64_MAX, &u, &e), -EINVAL);
    ck_assert_int_eq(yaml_opt_u64(r, "neg", 0, UINT64_MAX, &u, &e), -EINVAL);
    ck_assert_int_eq(yaml_opt_bool(r, "bad", &b, &e), -EINVAL);
    ck_assert_int_eq(yaml_opt_str(r, "q", &s, &e), -EINVAL);
    ck_assert_int_eq(yaml_double(yaml_get(r, "bad"), &f, &e), -EINVAL);
    ck_assert_int_eq(yaml_duration(yaml_get(r, "bad"), 0, UINT64_MAX, &u, &e), -EINVAL);
    ck_assert_int_eq(yaml_opt_enum(r, "typo", names, &k, &e), -EINVAL);
    ck_assert_str_eq(e.text, "t.yaml:10:7: found 'mjaor', expected 'major'? (one of warning, minor, major)");
    ck_assert_uint_eq(u, 64 << 20); /* untouched by failures */
    yaml_doc_free(d);
}
END_TEST

START_TEST(test_keys)
{
    struct err e;
    const struct yaml_node *n = NULL;
    static const char *const ok[] = {"severity", "title", NULL};
    struct yaml_doc *d = parse("title: x\nseverty: major\n");
    ck_assert_int_eq(yaml_only_keys(yaml_root(d), ok, &e), -EINVAL);
    ck_assert_str_eq(e.text, "t.yaml:2:1: found the unknown key 'severty', expected 'severity'?");
    ck_assert_int_eq(yaml_need(yaml_root(d), "title", &n, &e), 0);
    ck_assert_int_eq(yaml_need(yaml_root(d), "rev", &n, &e), -EINVAL);
    ck_assert_str_eq(e.text, "t.yaml:1:1: found no key 'rev', expected one");
    yaml_doc_free(d);
    d = parse("zzzzzzzzz: 1\n");
    ck_assert_int_eq(yaml_only_keys(yaml_root(d), ok, &e), -EINVAL);
    ck_assert_str_eq(e.text, "t.yaml:1:1: found the unknown key 'zzzzzzzzz', expected one of severity, title");
    yaml_doc_free(d);
    d = parse("- 1\n");
    ck_assert_int_eq(yaml_only_keys(yaml_root(d), ok, &e), -EINVAL);
    ck_assert_str_eq(e.text, "t.yaml:1:1: found a list, expected a mapping");
    yaml_doc_free(d);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("yaml");
    TCase *t = tcase_create("yaml");
    tcase_add_test(t, test_tree);
    tcase_add_loop_test(t, test_refused, 0, (int)(sizeof refused / sizeof refused[0]));
    tcase_add_test(t, test_bounds);
    tcase_add_loop_test(t, test_duration, 0, (int)(sizeof durations / sizeof durations[0]));
    tcase_add_test(t, test_values);
    tcase_add_test(t, test_keys);
    suite_add_tcase(s, t);
    return suite_end(s);
}
