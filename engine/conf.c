/* conf.c: reads the configuration: top level, simple sections, memory. */
#include "engine/conf.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/alert.h"
#include "engine/conf_int.h"
#include "rules/rules.h"

const char *const conf_modes[] = {"auto", "learn", "live", "detect", NULL};

#define SECONDS(n) ((n)*UINT64_C(1000000000))

/* ---- memory ----------------------------------------------------------------------------------------------------- */

void *conf_alloc(struct load *l, size_t n, size_t size)
{
    struct conf_chunk *k = NULL;
    if (!size || n <= (SIZE_MAX - sizeof *k) / size - 1)
        k = calloc(1, sizeof *k + n * size + 1);
    if (!k) {
        err_set(l->e, -ENOMEM, "out of memory");
        return NULL;
    }
    k->next = l->c->mem_;
    l->c->mem_ = k;
    return k->data;
}

const char *conf_strdup(struct load *l, const char *s)
{
    size_t n = strlen(s);
    char *p = conf_alloc(l, n + 1, 1);
    if (p)
        memcpy(p, s, n);
    return p;
}

void conf_free(struct conf *c)
{
    if (!c)
        return;
    site_done(&c->site);
    for (struct conf_chunk *k = c->mem_, *next; k; k = next) {
        next = k->next;
        free(k);
    }
    free(c);
}

/* ---- tools ------------------------------------------------------------------------------------------------------ */

int conf_only_keys(struct load *l, const struct yaml_node *map, const char *prefix)
{
    const char *allowed[48];
    char names[48][32];
    unsigned n = 0;
    size_t len = strlen(prefix);
    for (const struct conf_key *k = conf_keys; k->path && n < 47; k++) {
        const char *p = k->path;
        if (len && (strncmp(p, prefix, len) != 0 || p[len] != '.'))
            continue;
        p += len ? len + 1 : 0;
        size_t m = strcspn(p, ".[");
        if (*p == '<' || m >= sizeof names[0])
            continue;
        memcpy(names[n], p, m);
        names[n][m] = '\0';
        if (n && strcmp(names[n], names[n - 1]) == 0)
            continue;
        allowed[n] = names[n];
        n++;
    }
    allowed[n] = NULL;
    return yaml_only_keys(map, allowed, l->e);
}

int conf_texts(struct load *l, const struct yaml_node *list, const char *const **ret, uint32_t *count)
{
    uint32_t n = 0;
    YAML_EACH(it, list)
    n++;
    const char **out = conf_alloc(l, n + 1u, sizeof *out);
    if (!out)
        return -ENOMEM;
    n = 0;
    YAML_EACH(it, list)
    {
        const char *s;
        int r = yaml_str(it, &s, l->e);
        if (r < 0)
            return r;
        if (!(out[n++] = conf_strdup(l, s)))
            return -ENOMEM;
    }
    *ret = out;
    if (count)
        *count = n;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int c = strcmp(x->name, y->name);
    return c ? c : x->idx < y->idx ? -1 : 1;
}

int conf_unique(struct load *l, struct named *v, uint32_t n, const char *what)
{
    if (n)
        qsort(v, n, sizeof *v, by_name);
    for (uint32_t i = 1; i < n; i++)
        if (strcmp(v[i].name, v[i - 1].name) == 0)
            return yaml_err(v[i].node, l->e, "%s '%s' is there twice, first in line %u", what, v[i].name,
                            v[i - 1].node->line);
    return 0;
}

const struct named *conf_find(const struct named *v, uint32_t n, const char *name)
{
    uint32_t lo = 0, hi = n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int c = strcmp(name, v[mid].name);
        if (c == 0)
            return &v[mid];
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

/* ---- simple sections -------------------------------------------------------------------------------------------- */

static int read_str(struct load *l, const struct yaml_node *map, const char *key, const char **ret)
{
    const char *s = NULL;
    int r = yaml_opt_str(map, key, &s, l->e);
    if (r == 0 && s && !(*ret = conf_strdup(l, s)))
        r = -ENOMEM;
    return r;
}

static int read_sensor(struct load *l, const struct yaml_node *n)
{
    int r = conf_only_keys(l, n, "sensor");
    if (r == 0)
        r = read_str(l, n, "name", &l->c->site.sensor);
    return r < 0 ? r : read_str(l, n, "site", &l->c->site.place);
}

static int read_mode(struct load *l, const struct yaml_node *n)
{
    unsigned m = 0;
    int r = yaml_enum(n, conf_modes, &m, l->e);
    l->c->mode = (enum conf_mode)m;
    return r;
}

static int read_timezone(struct load *l, const struct yaml_node *n)
{
    const char *name;
    struct err why;
    int r = yaml_str(n, &name, l->e);
    if (r < 0)
        return r;
    return tz_load(&l->c->site.tz, name, &why) < 0 ? yaml_err(n, l->e, "%s", why.text) : 0;
}

static int read_learning(struct load *l, const struct yaml_node *n)
{
    static const uint64_t year = SECONDS(366 * 86400);
    struct conf_learning *k = &l->c->learning;
    int r = conf_only_keys(l, n, "learning");
    if (r == 0)
        r = yaml_opt_duration(n, "period", 0, year, &k->period_ns, l->e);
    if (r == 0)
        r = yaml_opt_duration(n, "quiet", 0, year, &k->quiet_ns, l->e);
    if (r == 0)
        r = yaml_opt_duration(n, "fold", 0, SECONDS(86400), &k->fold_ns, l->e);
    if (r == 0)
        r = yaml_opt_u64(n, "read_gap", 0, 65536, &k->read_gap, l->e);
    if (r == 0)
        r = yaml_opt_u64(n, "router_addresses", 1, 65536, &k->router_addresses, l->e);
    if (r == 0)
        r = yaml_opt_duration(n, "scan_window", SECONDS(1), SECONDS(86400), &k->scan_ns, l->e);
    if (r == 0)
        r = yaml_opt_u64(n, "scan_addresses", 2, 250, &k->scan_addresses, l->e);
    if (r == 0)
        r = yaml_opt_u64(n, "scan_ports", 2, 250, &k->scan_ports, l->e);
    return r < 0 ? r : yaml_opt_u64(n, "scan_controllers", 2, 250, &k->scan_controllers, l->e);
}

static int read_limits(struct load *l, const struct yaml_node *n)
{
    const char *allowed[48];
    unsigned k = 0;
    for (const struct limit_row *row = limit_rows; row->key && k < 45; row++)
        allowed[k++] = row->key;
    allowed[k++] = "duplicate_window";
    allowed[k++] = "time_jump";
    allowed[k] = NULL;
    int r = yaml_only_keys(n, allowed, l->e);
    for (const struct limit_row *row = limit_rows; row->key && r == 0; row++) {
        const struct yaml_node *v = yaml_get(n, row->key);
        uint64_t got = 0;
        if (!v)
            continue;
        r = row->bytes == 1 ? yaml_bytes(v, row->least, row->most, &got, l->e)
                            : yaml_u64(v, row->least, row->most, &got, l->e);
        if (r == 0)
            limits_set(&l->c->limits, row, got);
    }
    if (r == 0)
        r = yaml_opt_duration(n, "duplicate_window", 0, SECONDS(1), &l->c->duplicate_ns, l->e);
    return r < 0 ? r : yaml_opt_duration(n, "time_jump", SECONDS(1), SECONDS(366 * 86400), &l->c->time_jump_ns, l->e);
}

/* Paths of rule files are relative to the configuration file, wherever the program was started. */
static int resolve(struct load *l, const char *const *files)
{
    const char **v = (const char **)(uintptr_t)files; /* ours: conf_texts() made it */
    const char *slash = l->c->path ? strrchr(l->c->path, '/') : NULL;
    size_t dir = slash ? (size_t)(slash - l->c->path) + 1 : 0;
    for (; dir && *v; v++) {
        if (**v == '/')
            continue;
        char *p = conf_alloc(l, dir + strlen(*v) + 1, 1);
        if (!p)
            return -ENOMEM;
        memcpy(p, l->c->path, dir);
        memcpy(p + dir, *v, strlen(*v));
        *v = p;
    }
    return 0;
}

/* Names an alert type or a shipped rule; a rule of the user's is known when the rules are loaded. */
static int known_id(struct load *l, const struct yaml_node *n, bool rules_only)
{
    const char *ids[AT_COUNT + 1];
    char line[64];
    unsigned k = 0;
    if (strncmp(n->text, "USR-", 4) == 0 || (!rules_only && alert_type_by_id(n->text)))
        return 0;
    snprintf(line, sizeof line, "id: %s\n", n->text);
    for (unsigned i = 0; i < n_rules_builtin; i++)
        if (strstr(rules_builtin[i].text, line))
            return 0;
    for (unsigned i = 0; i < AT_COUNT && !rules_only; i++)
        ids[k++] = alert_types[i].id;
    ids[k] = NULL;
    const char *near = yaml_nearest(n->text, ids);
    return yaml_err(n, l->e, "found '%s', expected %s%s%s", n->text, near ? "'" : "the id of ",
                    near ? near : rules_only ? "a rule (tyto rules list)"
                                             : "an alert type (tyto alerts --types) or a rule (tyto rules list)",
                    near ? "'?" : "");
}

static int known_rules(struct load *l, const struct yaml_node *list)
{
    YAML_EACH (it, list) {
        int r = it->type == YAML_TEXT ? known_id(l, it, true) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_rules(struct load *l, const struct yaml_node *n)
{
    struct conf_rules *k = &l->c->rules;
    int r = conf_only_keys(l, n, "rules");
    if (r == 0)
        r = yaml_opt_bool(n, "defaults", &k->defaults, l->e);
    if (r == 0)
        r = conf_texts(l, yaml_get(n, "files"), &k->files, NULL);
    if (r == 0)
        r = resolve(l, k->files);
    if (r == 0)
        r = conf_texts(l, yaml_get(n, "enable"), &k->enable, NULL);
    if (r == 0)
        r = known_rules(l, yaml_get(n, "enable"));
    if (r == 0)
        r = known_rules(l, yaml_get(n, "disable"));
    return r < 0 ? r : conf_texts(l, yaml_get(n, "disable"), &k->disable, NULL);
}

static int read_types(struct load *l, const struct yaml_node *n)
{
    static const char *const words[] = {"off", "critical", "major", "minor", "warning", NULL};
    int r = n && !yaml_is_null(n) && n->type != YAML_MAP ? yaml_expected(n, l->e, "types and what becomes of them") : 0;
    struct alert_change *out = r < 0 ? NULL : conf_alloc(l, n ? n->n : 0, sizeof *out);
    if (!out)
        return r < 0 ? r : -ENOMEM;
    l->c->alerts.types = out;
    for (const struct yaml_node *it = n && n->type == YAML_MAP ? n->first : NULL; it; it = it->next) {
        unsigned word = 0;
        const char *id = NULL;
        if ((r = known_id(l, it->key, false)) < 0 || (r = yaml_enum(it, words, &word, l->e)) < 0)
            return r;
        if (!(id = conf_strdup(l, it->key->text)))
            return -ENOMEM;
        out[l->c->alerts.n_types++] = (struct alert_change){.id = id, .severity = (uint8_t)word};
    }
    return 0;
}

static int read_alerts(struct load *l, const struct yaml_node *n)
{
    struct conf_alerts *k = &l->c->alerts;
    int r = conf_only_keys(l, n, "alerts");
    if (r == 0)
        r = yaml_opt_duration(n, "window", SECONDS(1), SECONDS(7 * 86400), &k->window_ns, l->e);
    if (r == 0)
        r = yaml_opt_u64(n, "rate", 1, 1000000, &k->rate, l->e);
    if (r == 0)
        r = yaml_opt_u64(n, "evidence_bytes", 1, 1500, &k->evidence_bytes, l->e);
    return r < 0 ? r : read_types(l, yaml_get(n, "types"));
}

static int read_output(struct load *l, const struct yaml_node *n, struct conf_output *o)
{
    static const char *const types[] = {"file", NULL}, *const whats[] = {"alerts", "events", NULL};
    static const char *const severities[] = {"critical", "major", "minor", "warning", NULL};
    unsigned type = 0, what = 0, severity = 3;
    const struct yaml_node *path;
    int r = conf_only_keys(l, n, "outputs[]");
    if (r == 0)
        r = yaml_need(n, "path", &path, l->e);
    if (r == 0)
        r = read_str(l, n, "path", &o->path);
    if (r == 0)
        r = yaml_opt_enum(n, "type", types, &type, l->e);
    if (r == 0)
        r = yaml_opt_enum(n, "what", whats, &what, l->e);
    if (r == 0)
        r = yaml_opt_enum(n, "severity", severities, &severity, l->e);
    o->type = (enum conf_output_type)type;
    o->what = (enum conf_output_what)what;
    o->severity = (uint8_t)(severity + 1);
    return r;
}

static int read_outputs(struct load *l, const struct yaml_node *n)
{
    enum { MOST = ALERT_MAX_SINKS - 2 }; /* the store and -o are sinks too */
    if (n->type != YAML_LIST)
        return yaml_expected(n, l->e, "a list of outputs");
    if (n->n > MOST)
        return yaml_err(n, l->e, "found %u outputs, expected at most %d", n->n, MOST);
    struct conf_output *out = conf_alloc(l, n->n, sizeof *out);
    if (!out)
        return -ENOMEM;
    l->c->outputs = out;
    unsigned events = 0;
    YAML_EACH(it, n)
    {
        int r = read_output(l, it, &out[l->c->n_outputs]);
        if (r < 0)
            return r;
        events += out[l->c->n_outputs].what == OUTPUT_EVENTS;
        if (events > 1)
            return yaml_err(it, l->e, "found a second output of events, expected one");
        l->c->n_outputs++;
    }
    return 0;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static void defaults(struct conf *c)
{
    limits_default(&c->limits);
    tz_utc(&c->site.tz);
    c->learning = (struct conf_learning){
        .period_ns = SECONDS(14 * 86400),
        .quiet_ns = SECONDS(86400),
        .fold_ns = SECONDS(600),
        .scan_ns = SECONDS(120),
        .scan_addresses = 50,
        .scan_ports = 25,
        .scan_controllers = 10,
        .read_gap = 16,
        .router_addresses = 8,
    };
    c->rules.defaults = true;
    c->alerts.window_ns = SECONDS(600);
    c->alerts.rate = 1000;
    c->alerts.evidence_bytes = 64;
    c->run.promiscuous = true;
    c->run.stats_ns = SECONDS(60);
    c->run.silence_ns = SECONDS(60);
    c->run.capture_before_ns = SECONDS(10);
    c->run.capture_after_ns = SECONDS(5);
    c->run.capture_ring = UINT64_C(32) << 20;
    c->run.capture_file = UINT64_C(4) << 20;
    c->run.capture_total = UINT64_C(256) << 20;
    c->duplicate_ns = 2000000;
    c->time_jump_ns = SECONDS(3600);
}

static int read_all(struct load *l, const struct yaml_node *root)
{
    static const struct {
        const char *key;
        int (*read)(struct load *l, const struct yaml_node *n);
    } sections[] = {
        {"sensor", read_sensor},     {"mode", read_mode},     {"timezone", read_timezone},
        {"learning", read_learning}, {"limits", read_limits}, {"protocols", conf_protocols},
        {"rules", read_rules},       {"alerts", read_alerts}, {"outputs", read_outputs},
        {"run", conf_run},
    };
    int r = yaml_is_null(root) ? 0 : conf_only_keys(l, root, "");
    for (unsigned i = 0; i < ARRAY_LEN(sections) && r == 0; i++) {
        const struct yaml_node *n = yaml_get(root, sections[i].key);
        if (n && !yaml_is_null(n))
            r = sections[i].read(l, n);
    }
    /* After the time zone, in which its windows are told */
    return r < 0 ? r : conf_site(l, root);
}

static int load_doc(struct conf **ret, const char *path, struct yaml_doc *d, struct err *e)
{
    struct load l = {.c = calloc(1, sizeof *l.c), .e = e};
    if (!l.c)
        return err_set(e, -ENOMEM, "out of memory");
    defaults(l.c);
    int r = 0;
    if (path && !(l.c->path = conf_strdup(&l, path)))
        r = -ENOMEM;
    if (r == 0 && d)
        r = read_all(&l, yaml_root(d));
    if (r == 0)
        r = site_prepare(&l.c->site, e);
    if (r < 0)
        conf_free(l.c);
    else
        *ret = l.c;
    return r;
}

int conf_load(struct conf **ret, const char *path, struct err *e)
{
    struct yaml_doc *d = NULL;
    int r = path ? yaml_read(path, &d, e) : 0;
    if (r == 0)
        r = load_doc(ret, path, d, e);
    yaml_doc_free(d);
    return r;
}

int conf_parse(struct conf **ret, const char *name, const char *text, size_t n, struct err *e)
{
    struct yaml_doc *d = NULL;
    int r = yaml_parse(name, text, n, &d, e);
    if (r == 0)
        r = load_doc(ret, name, d, e);
    yaml_doc_free(d);
    return r;
}
