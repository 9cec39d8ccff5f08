/* emit.c: YAML in block style with JSON's strings, or JSON with two blanks a level. */
#include "engine/emit.h"

#include <string.h>

#include "engine/base/jw.h"

static void gap(struct emit *e)
{
    if (e->gap)
        fputc(' ', e->f);
    e->gap = false;
}

static void string(struct emit *e, const char *s)
{
    char buf[8192];
    struct jw w;
    size_t n = strlen(s);
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/";
    if (!e->json && n && strspn(s, plain) == n && strcasecmp(s, "null") != 0 && strcasecmp(s, "yes") != 0 &&
        strcasecmp(s, "no") != 0 && strcasecmp(s, "true") != 0 && strcasecmp(s, "false") != 0 &&
        strcasecmp(s, "on") != 0) {
        fputs(s, e->f);
        return;
    }
    jw_init(&w, buf, sizeof buf);
    jw_text(&w, (struct span){.p = (const uint8_t *)s, .n = (uint32_t)(n < 1300 ? n : 1300)});
    fwrite(buf, 1, w.n, e->f);
}

static void start(struct emit *e, const char *key)
{
    e->gap = false;
    if (e->json && e->any[e->depth])
        fputc(',', e->f);
    if (e->dash) {
        e->dash = false;
    } else if (e->json || e->any[e->depth] || e->depth > 1) {
        fputc('\n', e->f);
        for (int i = e->json ? 0 : 1; i < e->depth; i++)
            fputs("  ", e->f);
    }
    e->any[e->depth] = true;
    if (e->list[e->depth]) {
        if (!e->json)
            fputs("- ", e->f);
    } else if (key) {
        fprintf(e->f, e->json ? "\"%s\": " : "%s:", key);
        e->gap = !e->json;
    }
}

static void push(struct emit *e, bool list)
{
    if (e->depth < EMIT_DEPTH - 1)
        e->depth++;
    e->list[e->depth] = list;
    e->any[e->depth] = false;
}

void emit_begin(struct emit *e, FILE *f, bool json)
{
    *e = (struct emit){.f = f, .json = json};
    if (json)
        fputc('{', f);
    push(e, false);
}

void emit_begin_list(struct emit *e, FILE *f, bool json)
{
    *e = (struct emit){.f = f, .json = json};
    if (json)
        fputc('[', f);
    push(e, true);
}

void emit_end(struct emit *e)
{
    fputs(!e->json ? "\n" : e->list[1] ? "\n]\n" : "\n}\n", e->f);
}

bool emit_map(struct emit *e, const char *key)
{
    bool in_list = e->list[e->depth];
    start(e, key);
    if (e->json)
        fputc('{', e->f);
    push(e, false);
    e->dash = !e->json && in_list;
    return true;
}

bool emit_list(struct emit *e, const char *key, uint32_t n)
{
    start(e, key);
    if (!n) {
        gap(e);
        fputs("[]", e->f);
        return false;
    }
    if (e->json)
        fputc('[', e->f);
    push(e, true);
    return true;
}

void emit_close(struct emit *e)
{
    bool list = e->list[e->depth], any = e->any[e->depth];
    e->depth--;
    if (e->json) {
        if (any) {
            fputc('\n', e->f);
            for (int i = 0; i < e->depth; i++)
                fputs("  ", e->f);
        }
        fputc(list ? ']' : '}', e->f);
    } else if (!any) {
        gap(e);
        fputs(list ? "[]" : "{}", e->f);
        e->dash = false;
    }
}

void emit_str(struct emit *e, const char *key, const char *s)
{
    if (!s)
        return;
    start(e, key);
    gap(e);
    string(e, s);
}

void emit_raw(struct emit *e, const char *key, const char *s)
{
    start(e, key);
    gap(e);
    fputs(s, e->f);
}

void emit_u64(struct emit *e, const char *key, uint64_t v)
{
    start(e, key);
    gap(e);
    fprintf(e->f, "%llu", (unsigned long long)v);
}

void emit_bool(struct emit *e, const char *key, bool v)
{
    emit_raw(e, key, v ? "true" : "false");
}

void emit_duration(struct emit *e, const char *key, uint64_t ns)
{
    static const struct {
        const char *unit;
        uint64_t ns;
    } units[] = {{"d", 86400000000000}, {"h", 3600000000000}, {"m", 60000000000},
                 {"s", 1000000000},     {"ms", 1000000},      {"us", 1000}};
    char text[40];
    unsigned i = 0;
    while (i < sizeof units / sizeof *units - 1 && (ns % units[i].ns || !ns))
        i++;
    snprintf(text, sizeof text, "%llu%s", (unsigned long long)(ns / units[i].ns), ns ? units[i].unit : "s");
    start(e, key);
    gap(e);
    if (e->json)
        fprintf(e->f, "\"%s\"", text);
    else
        fputs(text, e->f);
}

void emit_row(struct emit *e, const char *key)
{
    start(e, key);
    gap(e);
    fputc('[', e->f);
}

void emit_row_str(struct emit *e, const char *s, bool first)
{
    if (!first)
        fputs(", ", e->f);
    string(e, s);
}

void emit_row_end(struct emit *e)
{
    fputc(']', e->f);
}
