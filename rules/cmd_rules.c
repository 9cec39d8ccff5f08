/* cmd_rules.c: `tyto rules list|show|check`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/jw.h"
#include "rules/rules.h"

static const char usage_text[] =
    "usage: tyto rules list  [--json] [-r FILE]... [--no-default-rules]\n"
    "       tyto rules show  [--json] [-r FILE]... ID...\n"
    "       tyto rules check [--json] FILE...\n"
    "\n"
    "list   every rule: shipped ones, and those of the files given with -r\n"
    "show   all that is known of a rule, with its conditions as they are written\n"
    "check  reads files of rules and says what is wrong, with line and column; exit 1 if anything is\n"
    "\n"
    "A rule's conditions (docs/RULES.md explains each):\n"
    "  protocol action function selector unit slot object value quality objects_total status error outcome kind phase\n"
    "  anomaly sender latency truncated transport src dst host src_port dst_port vlan network time weekday new_fact\n"
    "  learning\n"
    "  src_zone dst_zone same_zone src_role dst_role src_engineering_station dst_engineering_station src_known\n"
    "  dst_known src_name dst_name src_type dst_type src_vendor dst_vendor src_criticality dst_criticality\n"
    "  src_purdue dst_purdue\n"
    "  not any all, and fields such as modbus.sub_function\n";

enum { MAX_FILES = 256 };

struct args {
    struct ruleset_opts o;
    const char *files[MAX_FILES + 1]; /* -r */
    const char *names[MAX_FILES + 1]; /* the rest */
    unsigned n_files, n_names;
    bool json;
};

static int wrong(const char *what, const char *arg)
{
    fprintf(stderr, "tyto rules: %s%s%s%s\n%s", what, arg ? " '" : "", arg ? arg : "", arg ? "'" : "", usage_text);
    return 2;
}

/* 0, or the exit status + 1 */
static int parse_args(int argc, char **argv, struct args *a)
{
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            a->json = true;
        } else if (strcmp(argv[i], "--no-default-rules") == 0) {
            a->o.no_defaults = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(usage_text, stdout);
            return 1;
        } else if (strcmp(argv[i], "-r") == 0) {
            if (++i == argc || a->n_files == MAX_FILES)
                return 1 + wrong("-r wants the name of a file", NULL);
            a->files[a->n_files++] = argv[i];
        } else if (argv[i][0] == '-' && argv[i][1]) {
            return 1 + wrong("unknown option", argv[i]);
        } else if (a->n_names == MAX_FILES) {
            return 1 + wrong("too many arguments", NULL);
        } else {
            a->names[a->n_names++] = argv[i];
        }
    }
    a->o.files = a->files;
    return 0;
}

/* ---- listing ---- */

static void put_words(struct jw *w, const char *key, const char *words)
{
    char one[64];
    jw_key_open(w, key, '[');
    while (*words) {
        size_t n = strcspn(words, " ");
        snprintf(one, sizeof one, "%.*s", (int)n, words);
        jw_str(w, one);
        words += n + (words[n] == ' ');
    }
    jw_close(w, ']');
}

static void put_threshold(struct jw *w, const struct rule_threshold *t)
{
    static const char *const distinct[] = {NULL, "dst", "src", "object", "unit", "function"};
    static const char *const by[] = {"src", "dst", "unit", "function", "object"};
    jw_key(w, "threshold");
    if (!t->count) {
        jw_null(w);
        return;
    }
    jw_open(w, '{');
    jw_kv_u64(w, "count", t->count);
    jw_kv_u64(w, "window_s", t->window_ns / 1000000000);
    jw_key_open(w, "by", '[');
    for (unsigned i = 0; i < ARRAY_LEN(by); i++)
        if (t->by >> i & 1)
            jw_str(w, by[i]);
    jw_close(w, ']');
    jw_kv_str(w, "distinct", distinct[t->distinct]);
    jw_close(w, '}');
}

static void put_json(const struct rule_info *i, const char *source)
{
    static char buf[1 << 17];
    struct jw w;
    jw_init(&w, buf, sizeof buf);
    jw_open(&w, '{');
    jw_kv_str(&w, "id", i->id);
    jw_kv_u64(&w, "signature_id", i->sid);
    jw_kv_u64(&w, "rev", i->rev);
    jw_kv_str(&w, "title", i->title);
    jw_kv_str(&w, "severity", rule_severity_name(i->severity));
    jw_kv_str(&w, "engine", rule_engine_name(i->engine));
    jw_kv_str(&w, "category", i->category);
    jw_kv_bool(&w, "enabled", i->enabled);
    jw_kv_bool(&w, "learnable", i->learn != RL_NO); /* as its alerts have it: they can be accepted */
    jw_kv_str(&w, "learn", i->learn == RL_NO ? "no" : i->learn == RL_YES ? "learn" : "mute");
    jw_kv_bool(&w, "shipped", i->shipped);
    put_words(&w, "protocols", i->protocols);
    put_words(&w, "attack_ics", i->attack);
    put_words(&w, "refs", i->refs);
    put_threshold(&w, &i->threshold);
    jw_kv_str(&w, "description", i->description);
    jw_kv_str(&w, "remedy", i->remedy);
    jw_kv_str(&w, "file", i->file);
    jw_kv_u64(&w, "line", i->line);
    if (source)
        jw_kv_str(&w, "source", source);
    jw_close(&w, '}');
    if (jw_ok(&w))
        printf("%.*s\n", (int)w.n, buf);
}

static int list(const struct args *a, const struct ruleset *rs)
{
    if (!a->json)
        printf("%-18s %-8s %-11s %-4s %-22s %s\n", "ID", "SEVERITY", "ENGINE", "ON", "PROTOCOLS", "TITLE");
    for (unsigned i = 0; i < ruleset_n(rs); i++) {
        const struct rule_info *k = ruleset_rule(rs, i);
        if (a->json)
            put_json(k, NULL);
        else
            printf("%-18s %-8s %-11s %-4s %-22s %s\n", k->id, rule_severity_name(k->severity),
                   rule_engine_name(k->engine), k->enabled ? "yes" : "no", *k->protocols ? k->protocols : "any",
                   k->title);
    }
    return 0;
}

/* ---- one rule ---- */

/* The text of a rule, from its first line to the next line that stands as far left. */
static char *cut_source(const char *text, uint32_t line)
{
    while (line > 1 && (text = strchr(text, '\n'))) {
        text++;
        line--;
    }
    if (!text)
        return NULL;
    size_t indent = strspn(text, " ");
    const char *end = text;
    do {
        const char *next = strchr(end, '\n');
        end = next ? next + 1 : end + strlen(end);
    } while (*end && (strspn(end, " ") > indent || end[strspn(end, " ")] == '\n'));
    while (end - text > 1 && end[-1] == '\n' && end[-2] == '\n')
        end--;
    return strndup(text, (size_t)(end - text));
}

static char *source_of(const struct rule_info *k)
{
    if (k->shipped) {
        for (unsigned i = 0; i < n_rules_builtin; i++)
            if (strcmp(rules_builtin[i].name, k->file) == 0)
                return cut_source(rules_builtin[i].text, k->line);
        return NULL;
    }
    char *text = NULL, *cut = NULL;
    size_t cap = 0;
    FILE *f = fopen(k->file, "re");
    if (f && getdelim(&text, &cap, 0, f) > 0)
        cut = cut_source(text, k->line);
    free(text);
    if (f)
        fclose(f);
    return cut;
}

static void print_rule(const struct rule_info *k, const char *source)
{
    printf("%s  %s\n", k->id, k->title);
    printf("  severity %s, engine %s, category %s, %s%s\n", rule_severity_name(k->severity),
           rule_engine_name(k->engine), k->category, k->enabled ? "enabled" : "disabled",
           k->learn == RL_YES ? ", learnable" : k->learn == RL_NO ? ", cannot be accepted" : "");
    printf("  protocols %s, signature_id %u, rev %u, %s:%u\n", *k->protocols ? k->protocols : "any", k->sid, k->rev,
           k->file, k->line);
    for (const char *s = k->attack; *s; s += s[5] ? 6 : 5) {
        char id[6];
        snprintf(id, sizeof id, "%s", s);
        printf("  ATT&CK for ICS %s %s\n", id, rule_attack_name(id));
    }
    if (*k->description)
        printf("  %s\n", k->description);
    if (*k->remedy)
        printf("  Remedy: %s\n", k->remedy);
    if (source)
        printf("\n%s\n", source);
}

static int show(const struct args *a, const struct ruleset *rs)
{
    int status = 0;
    for (unsigned i = 0; i < a->n_names; i++) {
        const struct rule_info *k = ruleset_by_id(rs, a->names[i]);
        if (!k) {
            fprintf(stderr, "tyto rules: there is no rule '%s'\n", a->names[i]);
            status = 1;
            continue;
        }
        char *source = source_of(k);
        if (a->json)
            put_json(k, source);
        else
            print_rule(k, source);
        free(source);
    }
    return status;
}

/* ---- checking ---- */

static void print_check(const struct args *a, const char *file, const struct ruleset *rs, unsigned n, const char *error)
{
    char buf[2048];
    struct jw w;
    if (!a->json) {
        if (error)
            fprintf(stderr, "%s\n", error);
        else
            printf("%s: ok, %u rule%s\n", file, n, n == 1 ? "" : "s");
        return;
    }
    jw_init(&w, buf, sizeof buf);
    jw_open(&w, '{');
    jw_kv_str(&w, "file", file);
    jw_kv_bool(&w, "ok", rs != NULL);
    jw_kv_u64(&w, "rules", n);
    jw_kv_str(&w, "error", error);
    jw_close(&w, '}');
    if (jw_ok(&w))
        printf("%.*s\n", (int)w.n, buf);
}

static int check_files(struct args *a, const char *const *files, bool say)
{
    struct ruleset *rs = NULL;
    struct err e = {""};
    struct ruleset_opts o = a->o;
    unsigned n = 0;
    o.files = files;
    int r = ruleset_load(&o, &rs, &e);
    for (unsigned i = 0; r == 0 && i < ruleset_n(rs); i++)
        n += !ruleset_rule(rs, i)->shipped;
    if (r == 0 && n == 0) { /* a copy of shipped rules, or an empty file */
        ruleset_free(rs);
        rs = NULL;
        o.no_defaults = true;
        r = ruleset_load(&o, &rs, &e);
        n = r == 0 ? ruleset_n(rs) : 0;
    }
    if (say || r < 0)
        print_check(a, files[0], rs, n, r < 0 ? e.text : NULL);
    ruleset_free(rs);
    return r < 0;
}

/* Each file by itself, so that each tells its first fault; then all together, for ids that meet. */
static int check(struct args *a)
{
    int status = 0;
    if (a->n_names == 0)
        return wrong("check wants the names of files", NULL);
    for (unsigned i = 0; i < a->n_names; i++) {
        const char *one[] = {a->names[i], NULL};
        status |= check_files(a, one, true);
    }
    if (status == 0 && a->n_names > 1)
        status = check_files(a, a->names, false);
    return status;
}

int rules_main(int argc, char **argv, const struct ruleset_opts *o)
{
    struct args a = {.o = *o};
    struct ruleset *rs = NULL;
    struct err e;
    const char *what = argc > 1 ? argv[1] : NULL;
    if (what && (strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0)) {
        fputs(usage_text, stdout);
        return 0;
    }
    if (!what)
        return wrong("say what to do", NULL);
    if (strcmp(what, "list") != 0 && strcmp(what, "show") != 0 && strcmp(what, "check") != 0)
        return wrong("unknown command", what);
    int r = parse_args(argc, argv, &a);
    if (r > 0)
        return r - 1;
    if (strcmp(what, "check") == 0)
        return check(&a);
    if (strcmp(what, "show") == 0 && a.n_names == 0)
        return wrong("show wants the id of a rule", NULL);
    if (strcmp(what, "list") == 0 && a.n_names > 0)
        return wrong("unknown argument", a.names[0]);
    if (ruleset_load(&a.o, &rs, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    r = strcmp(what, "list") == 0 ? list(&a, rs) : show(&a, rs);
    ruleset_free(rs);
    return r;
}
