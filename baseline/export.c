/* export.c: the model as text that people read, review and keep under version control: YAML, one fact a line, sorted by
 * what the facts are, without counts and times, so that the same plant always gives the same text. */
#include <stdio.h>
#include <stdlib.h>

#include "baseline/model.h"

struct out {
    struct baseline *b;
    FILE *f;
    bool all;
};

/* A value: bare when it cannot be taken for anything else, else quoted (YAML 1.2 double quotes). */
static void put_value(FILE *f, const char *s)
{
    bool bare = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || *s == '_';
    for (const char *p = s; *p && bare; p++)
        bare = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("_-./", *p);
    static const char *const words[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
    for (unsigned i = 0; i < ARRAY_LEN(words); i++)
        bare = bare && strcasecmp(words[i], s) != 0;
    if (bare) {
        fputs(s, f);
        return;
    }
    fputc('"', f);
    for (const char *p = s; *p; p++)
        if (*p == '"' || *p == '\\')
            fprintf(f, "\\%c", *p);
        else if ((unsigned char)*p < 0x20 || *p == 0x7f)
            fprintf(f, "\\x%02x", (unsigned char)*p);
        else
            fputc(*p, f);
    fputc('"', f);
}

static void put_pair(FILE *f, const char *key, const char *value, bool first)
{
    fprintf(f, "%s%s: ", first ? "" : ", ", key);
    put_value(f, value);
}

static void put_addr(FILE *f, const char *key, const struct addr *a)
{
    char t[ADDR_TEXT];
    addr_text(a, t);
    put_pair(f, key, t, false);
}

static void put_state(const struct out *o, uint8_t learned)
{
    static const char *const words[] = {"seen", "learned", "folded", "alerted", "condemned"};
    if (learned != FACT_LEARNED)
        fprintf(o->f, ", state: %s", words[learned < ARRAY_LEN(words) ? learned : 0]);
}

static bool wanted(const struct out *o, uint8_t learned)
{
    return o->all || learned == FACT_LEARNED;
}

/* ---- assets ---- */

static int by_asset(const void *x, const void *y, void *ctx)
{
    struct baseline *b = ctx;
    const struct asset *p = asset_at(b, *(const uint32_t *)x), *q = asset_at(b, *(const uint32_t *)y);
    int c = strcmp(net_rec(b, p->net)->name, net_rec(b, q->net)->name);
    if (!c)
        c = (int)addr_is_mac(&p->key) - (int)addr_is_mac(&q->key);
    return c ? c : memcmp(&p->key, &q->key, sizeof p->key);
}

static void put_asset(const struct out *o, const struct asset *a)
{
    char mac[MAC_TEXT];
    bool any = false;
    fputs("- {", o->f);
    put_pair(o->f, "network", net_rec(o->b, a->net)->name, true);
    put_addr(o->f, "address", &a->key);
    for (unsigned k = 0; k < a->n_macs; k++) {
        if (!(a->macs_learned >> k & 1) || addr_is_mac(&a->key))
            continue;
        mac_text(a->macs[k], mac);
        fprintf(o->f, "%s\"%s\"", any ? ", " : ", macs: [", mac);
        any = true;
    }
    fputs(any ? "]" : "", o->f);
    any = false;
    for (unsigned k = 0; k < ACT_COUNT; k++)
        if (a->evidence >> (EVI_CMD_SHIFT + k) & 1) {
            fprintf(o->f, "%s%s", any ? ", " : ", commands: [", action_name(k));
            any = true;
        }
    fputs(any ? "]" : "", o->f);
    put_state(o, a->life.learned);
    fputs("}\n", o->f);
}

/* ---- links ---- */

static int by_link(const void *x, const void *y, void *ctx)
{
    struct baseline *b = ctx;
    const struct link *p = blink_at(b, *(const uint32_t *)x), *q = blink_at(b, *(const uint32_t *)y);
    int c = strcmp(net_rec(b, p->net)->name, net_rec(b, q->net)->name);
    if (!c)
        c = memcmp(&p->client, &q->client, sizeof p->client);
    if (!c)
        c = memcmp(&p->server, &q->server, sizeof p->server);
    if (!c)
        c = (int)p->l4 - (int)q->l4;
    return c ? c : (int)p->port - (int)q->port;
}

static int by_number(uint32_t x, uint32_t y)
{
    return (x > y) - (x < y);
}

static int by_func(const struct baseline *b, const struct func *p, const struct func *q)
{
    int c = strcmp(b->apps[p->proto].name, b->apps[q->proto].name);
    if (!c)
        c = (int)p->has_unit - (int)q->has_unit;
    if (!c)
        c = by_number(p->unit, q->unit);
    if (!c)
        c = by_number(p->sub, q->sub);
    if (!c)
        c = by_number(p->fn, q->fn);
    return c ? c : by_number(p->sel, q->sel);
}

static int by_op(const void *x, const void *y, void *ctx)
{
    const struct baseline *b = ctx;
    const struct op *p = op_at(b, *(const uint32_t *)x), *q = op_at(b, *(const uint32_t *)y);
    const char *pn = op_name(b, p), *qn = op_name(b, q);
    int c = p->func == q->func ? 0 : by_func(b, func_at(b, p->func), func_at(b, q->func));
    if (!c)
        c = (int)p->action - (int)q->action;
    if (!c)
        c = (int)p->kind - (int)q->kind;
    if (!c)
        c = by_number(p->space, q->space);
    if (!c)
        c = strcmp(pn ? pn : "", qn ? qn : "");
    if (!c)
        c = by_number(p->first, q->first);
    if (!c)
        c = by_number(p->last, q->last);
    return c ? c : (int)p->bit - (int)q->bit;
}

static void put_op(const struct out *o, const struct op *p)
{
    const struct func *f = func_at(o->b, p->func);
    char object[EV_OBJECT];
    op_text(o->b, f, p, object);
    fputs("  - {", o->f);
    put_pair(o->f, "protocol", o->b->apps[f->proto].name, true);
    if (f->has_unit)
        fprintf(o->f, ", unit: %u", f->unit);
    if (f->sub)
        fprintf(o->f, ", slot: %u", f->sub);
    if (*f->name)
        put_pair(o->f, "function", f->name, false);
    if (f->fn == FN_NONE)
        fputs(", code: none", o->f);
    else
        fprintf(o->f, ", code: %u", f->fn);
    if (f->sel != OP_ANY_SELECTOR)
        fprintf(o->f, ", selector: %u", f->sel);
    put_pair(o->f, "action", action_name(p->action), false);
    if (*object)
        put_pair(o->f, "object", object, false);
    bool any = false;
    for (unsigned k = 0; k < p->n_status; k++)
        if (p->status_learned >> k & 1) {
            fprintf(o->f, "%s%u", any ? ", " : ", errors: [", p->status[k]);
            any = true;
        }
    fputs(any ? "]" : "", o->f);
    put_state(o, p->life.learned);
    fputs("}\n", o->f);
}

static int put_ops(const struct out *o, const struct link *l)
{
    uint32_t n = 0, cap = 0, *at;
    for (uint32_t k = l->funcs; k; k = func_at(o->b, k)->next)
        cap += func_at(o->b, k)->n_ops;
    at = malloc((cap + 1) * sizeof *at);
    if (!at)
        return -ENOMEM;
    for (uint32_t k = l->funcs; k; k = func_at(o->b, k)->next)
        for (uint32_t i = func_at(o->b, k)->ops; i; i = op_at(o->b, i)->next)
            if (wanted(o, op_at(o->b, i)->life.learned))
                at[n++] = i;
    qsort_r(at, n, sizeof *at, by_op, o->b);
    if (n)
        fputs("  facts:\n", o->f);
    for (uint32_t i = 0; i < n; i++)
        put_op(o, op_at(o->b, at[i]));
    free(at);
    return 0;
}

static int put_link(const struct out *o, const struct link *l)
{
    const char *l4 = l4_name(l->l4);
    bool any = false;
    fputs("- link: {", o->f);
    put_pair(o->f, "network", net_rec(o->b, l->net)->name, true);
    put_addr(o->f, "client", &l->client);
    put_addr(o->f, "server", &l->server);
    if (l4)
        put_pair(o->f, "proto", l4, false);
    else
        fprintf(o->f, ", proto: %u", l->l4);
    fprintf(o->f, ", port: %u", l->port);
    for (unsigned k = 0; k < l->n_apps; k++) {
        if (!(l->app_learned >> k & 1))
            continue;
        fputs(any ? ", " : ", protocols: [", o->f);
        put_value(o->f, o->b->apps[l->apps[k]].name);
        any = true;
    }
    fputs(any ? "]" : "", o->f);
    put_state(o, l->life.learned);
    fputs("}\n", o->f);
    return put_ops(o, l);
}

/* ---- accepted alerts, by what they are ---- */

static int by_accepted(const void *x, const void *y)
{
    const struct accepted *p = *(const struct accepted *const *)x, *q = *(const struct accepted *const *)y;
    int c = strcmp(p->type, q->type);
    if (!c)
        c = strcmp(p->src, q->src);
    if (!c)
        c = strcmp(p->dst, q->dst);
    return c ? c : (p->key > q->key) - (p->key < q->key);
}

static void put_accepted(const struct out *o)
{
    const struct baseline *b = o->b;
    const struct accepted **at = b->n_accepted ? malloc(b->n_accepted * sizeof *at) : NULL;
    for (uint32_t i = 0; at && i < b->n_accepted; i++)
        at[i] = &b->accepted[i];
    if (!at)
        return;
    qsort(at, b->n_accepted, sizeof *at, by_accepted);
    fputs("accepted:\n", o->f);
    for (uint32_t i = 0; i < b->n_accepted; i++) {
        fputs("- {", o->f);
        put_pair(o->f, "alert", at[i]->type, true);
        if (*at[i]->src)
            put_pair(o->f, "src", at[i]->src, false);
        if (*at[i]->dst)
            put_pair(o->f, "dst", at[i]->dst, false);
        if (*at[i]->what)
            put_pair(o->f, "what", at[i]->what, false);
        fprintf(o->f, ", key: \"%016llx\"}\n", (unsigned long long)at[i]->key);
    }
    free(at);
}

/* ---- all ---- */

static uint32_t *collect(const struct out *o, const struct table *t, uint32_t *n)
{
    uint32_t *at = malloc((t->used + 1) * sizeof *at);
    *n = 0;
    for (uint32_t i = 1; at && i <= t->high; i++) {
        if (!((struct node *)tab_at(t, i))->used)
            continue;
        uint8_t learned = t == &o->b->assets ? asset_at(o->b, i)->life.learned : blink_at(o->b, i)->life.learned;
        if (wanted(o, learned))
            at[(*n)++] = i;
    }
    return at;
}

int baseline_export(struct baseline *b, FILE *f, bool all, struct err *e)
{
    struct out o = {.b = b, .f = f, .all = all};
    uint32_t n_assets, n_links, *assets = collect(&o, &b->assets, &n_assets), *links = collect(&o, &b->links, &n_links);
    int r = assets && links ? 0 : -ENOMEM;
    if (r == 0) {
        qsort_r(assets, n_assets, sizeof *assets, by_asset, b);
        qsort_r(links, n_links, sizeof *links, by_link, b);
        fputs("# What is normal here, as tyto learned it: one fact a line. `tyto baseline import` reads it.\n"
              "tyto_baseline: 1\nassets:\n", f);
        for (uint32_t i = 0; i < n_assets; i++)
            put_asset(&o, asset_at(b, assets[i]));
        fputs("links:\n", f);
        for (uint32_t i = 0; i < n_links && r == 0; i++)
            r = put_link(&o, blink_at(b, links[i]));
        put_accepted(&o);
    }
    free(assets);
    free(links);
    if (r)
        return err_set(e, r, "no memory for the export");
    return ferror(f) ? err_set(e, -EIO, "the export could not be written") : 0;
}
