/* ruleset.c: a set of rules from texts and files: memory, loading order, what listings ask. */
#include "rules/cond.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/site.h"

enum { CHUNK = 1 << 16 };

struct arena {
    struct arena *next;
    size_t used, cap;
    _Alignas(16) unsigned char data[];
};

/* Zeroed. */
void *set_take(struct ruleset *rs, size_t n)
{
    struct arena *a = rs->mem;
    n = (n + 15) & ~(size_t)15;
    if (!a || a->cap - a->used < n) {
        size_t cap = n > CHUNK ? n : CHUNK;
        a = calloc(1, sizeof *a + cap);
        if (!a)
            return NULL;
        a->next = rs->mem;
        a->cap = cap;
        rs->mem = a;
        rs->mem_bytes += sizeof *a + cap;
    }
    void *p = a->data + a->used;
    a->used += n;
    return p;
}

char *set_text(struct ruleset *rs, const char *s, size_t n)
{
    char *t = set_take(rs, n + 1);
    if (t)
        memcpy(t, s, n);
    return t;
}

void ruleset_free(struct ruleset *rs)
{
    if (!rs)
        return;
    for (struct arena *a = rs->mem, *next; a; a = next) {
        next = a->next;
        free(a);
    }
    free(rs->rules);
    free(rs);
}

/* ---- loading ---- */

static int load_text(struct ruleset *rs, const struct rules_text *t, struct err *e)
{
    struct yaml_doc *d = NULL;
    int r = yaml_parse(t->name, t->text, t->n, &d, e);
    if (r == 0)
        r = rules_parse(rs, d, t->shipped, e);
    yaml_doc_free(d);
    return r;
}

/* A copy of a file that is compiled in, NULL: none. */
static const struct rules_text *same_text(const char *path)
{
    const struct rules_text *same = NULL;
    FILE *f = fopen(path, "re");
    for (unsigned i = 0; f && !same && i < n_rules_builtin; i++) {
        const struct rules_text *t = &rules_builtin[i];
        size_t n = 0;
        int c = getc(f);
        for (; n < t->n && c == (unsigned char)t->text[n]; n++)
            c = getc(f);
        same = n == t->n && c == EOF ? t : NULL;
        rewind(f);
    }
    if (f)
        fclose(f);
    return same;
}

static bool is_loaded(const struct ruleset *rs, const char *file)
{
    for (uint32_t i = 0; i < rs->n_rules; i++)
        if (strcmp(rs->rules[i].info.file, file) == 0)
            return true;
    return false;
}

/* rules/default/ may be named like any folder: its files are the shipped rules, and count once. */
static int load_one(struct ruleset *rs, const char *path, struct err *e)
{
    const struct rules_text *t = same_text(path);
    struct yaml_doc *d = NULL;
    if (t)
        return is_loaded(rs, t->name) ? 0 : load_text(rs, t, e);
    int r = yaml_read(path, &d, e);
    if (r == 0)
        r = rules_parse(rs, d, false, e);
    yaml_doc_free(d);
    return r;
}

static int is_yaml(const struct dirent *d)
{
    const char *dot = strrchr(d->d_name, '.');
    return d->d_name[0] != '.' && dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name); /* alphasort() asks the locale */
}

/* A file, or the .yaml and .yml files of a folder in the order of their names. */
static int load_file(struct ruleset *rs, const char *path, struct err *e)
{
    struct dirent **list;
    char file[4096];
    int n = scandir(path, &list, is_yaml, by_name), r = 0;
    if (n < 0)
        return errno == ENOTDIR || errno == ENOENT ? load_one(rs, path, e)
                                                   : err_set(e, -errno, "%s: %s", path, strerror(errno));
    if (n == 0)
        r = err_set(e, -ENOENT, "%s: found no .yaml file in the folder, expected files of rules", path);
    for (int i = 0; i < n; i++) {
        snprintf(file, sizeof file, "%s/%s", path, list[i]->d_name);
        if (r == 0)
            r = load_one(rs, file, e);
        free(list[i]);
    }
    free(list);
    return r;
}

static struct rule *rule_of(struct ruleset *rs, const char *id)
{
    for (uint32_t i = 0; i < rs->n_rules; i++)
        if (strcmp(rs->rules[i].info.id, id) == 0)
            return &rs->rules[i];
    return NULL;
}

static int switch_rules(struct ruleset *rs, const char *const *ids, bool on, struct err *e)
{
    for (; ids && *ids; ids++) {
        struct rule *k = rule_of(rs, *ids);
        if (!k)
            return err_set(e, -EINVAL, "found the unknown rule '%.60s' to be %s, expected the id of a rule", *ids,
                           on ? "enabled" : "disabled");
        k->info.enabled = on;
    }
    return 0;
}

static int load_all(struct ruleset *rs, const struct ruleset_opts *o, struct err *e)
{
    int r = 0;
    for (unsigned i = 0; r == 0 && !o->no_defaults && i < n_rules_builtin; i++)
        r = load_text(rs, &rules_builtin[i], e);
    for (unsigned i = 0; r == 0 && i < o->n_texts; i++)
        r = load_text(rs, &o->texts[i], e);
    for (const char *const *f = o->files; r == 0 && f && *f; f++)
        r = load_file(rs, *f, e);
    if (r == 0)
        r = switch_rules(rs, o->enable, true, e);
    if (r == 0)
        r = switch_rules(rs, o->disable, false, e);
    return r < 0 ? r : ruleset_index(rs, e);
}

int ruleset_load(const struct ruleset_opts *o, struct ruleset **ret, struct err *e)
{
    if (o->n_schemas > RULES_SCHEMAS)
        return err_set(e, -EINVAL, "rules: found %u protocols, expected at most %d", o->n_schemas, RULES_SCHEMAS);
    struct ruleset *rs = calloc(1, sizeof *rs);
    if (!rs)
        return err_set(e, -ENOMEM, "rules: out of memory");
    const struct proto_schema **schemas = set_take(rs, (o->n_schemas + 1) * sizeof *schemas);
    rs->o = *o;
    rs->o.schemas = schemas;
    if (!rs->o.tz && o->site)
        rs->o.tz = &o->site->tz;
    for (unsigned i = 0; schemas && i < o->n_schemas; i++)
        schemas[i] = o->schemas[i];
    int r = schemas ? load_all(rs, o, e) : err_set(e, -ENOMEM, "rules: out of memory");
    rs->o.files = rs->o.enable = rs->o.disable = rs->o.networks = NULL;
    rs->o.texts = NULL;
    if (r < 0) {
        ruleset_free(rs);
        return r;
    }
    *ret = rs;
    return 0;
}

/* ---- asking ---- */

unsigned ruleset_n(const struct ruleset *rs)
{
    return rs->n_rules;
}

const struct rule_info *ruleset_rule(const struct ruleset *rs, unsigned i)
{
    return i < rs->n_rules ? &rs->rules[i].info : NULL;
}

const struct rule_info *ruleset_by_id(const struct ruleset *rs, const char *id)
{
    for (uint32_t i = 0; i < rs->n_rules; i++)
        if (strcmp(rs->rules[i].info.id, id) == 0)
            return &rs->rules[i].info;
    return NULL;
}

unsigned ruleset_n_entries(const struct ruleset *rs)
{
    return rs->n_entries;
}

const struct rule_info *ruleset_hit(const struct ruleset *rs, unsigned hit)
{
    return hit < rs->n_entries ? &rs->rules[rs->entries[hit].rule].info : NULL;
}

bool ruleset_hit_counts(const struct ruleset *rs, unsigned hit)
{
    const struct rule_info *i = ruleset_hit(rs, hit);
    return i && i->threshold.count > 0;
}

static uint64_t named_anomalies(const struct cond *k, const struct proto_schema *s)
{
    uint64_t mask = 0;
    if (!k || k->neg)
        return 0;
    for (uint32_t i = 0; cond_is_group(k) && i < k->n; i++)
        mask |= named_anomalies(k->kids[i], s);
    for (uint32_t i = 0; k->op == C_ANOMALY && i < k->n; i++)
        mask |= k->codes[i].schema == s ? k->codes[i].mask : 0;
    return mask;
}

uint64_t ruleset_hit_anomalies(const struct ruleset *rs, unsigned hit, const struct proto_schema *s)
{
    return hit < rs->n_entries ? named_anomalies(rs->entries[hit].local, s) : 0;
}

bool ruleset_hit_silence(const struct ruleset *rs, unsigned hit, unsigned kind, bool error)
{
    return kind == EV_REQUEST && !error && hit < rs->n_entries && rs->entries[hit].silence;
}

uint64_t ruleset_hit_keeps(const struct ruleset *rs, unsigned hit)
{
    return hit < rs->n_entries ? rs->entries[hit].keep_ns : 0;
}

bool ruleset_hit_plain(const struct ruleset *rs, unsigned hit)
{
    return hit < rs->n_entries && rs->rules[rs->entries[hit].rule].plain;
}

bool ruleset_hit_asks(const struct ruleset *rs, unsigned hit)
{
    return hit < rs->n_entries && rs->entries[hit].rest;
}

size_t ruleset_memory(const struct ruleset *rs)
{
    return sizeof *rs + rs->mem_bytes + rs->cap_rules * sizeof *rs->rules;
}

static const char *const severities[] = {"none", "critical", "major", "minor", "warning", NULL};
static const char *const engines[] = {"policy", "protocol", "malware", "anomaly", "operational", NULL};

const char *rule_severity_name(unsigned severity)
{
    return severities[severity <= RS_WARNING ? severity : 0];
}

const char *rule_engine_name(unsigned engine)
{
    return engines[engine <= RE_OPERATIONAL ? engine : 0];
}

const char *rule_attack_name(const char *id)
{
    static const struct { const char *id, *name; } table[] = {
#define ATTACK(id, name) {id, name},
#include "rules/attack.def"
#undef ATTACK
    };
    for (unsigned i = 0; i < ARRAY_LEN(table); i++)
        if (strcmp(table[i].id, id) == 0)
            return table[i].name;
    return NULL;
}
