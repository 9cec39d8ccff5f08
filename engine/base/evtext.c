#include "engine/base/evtext.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/jw.h"

enum { ITEMS_SHOWN = 3, VALUES_SHOWN = 4, BYTES_SHOWN = 16, TEXT_SHOWN = 40 };

/* Where a text of n bytes can be cut so that no character is. */
static size_t whole(const char *s, size_t n)
{
    size_t k = n;
    while (k && ((unsigned char)s[k - 1] & 0xc0) == 0x80)
        k--;
    if (!k || (unsigned char)s[k - 1] < 0xc0)
        return n;
    unsigned char c = (unsigned char)s[k - 1];
    size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    return k - 1 + len <= n ? n : k - 1;
}

void words_add(struct words *w, const char *fmt, ...)
{
    va_list ap;
    if (w->n + 1 >= w->cap)
        return;
    va_start(ap, fmt);
    int n = vsnprintf(w->p + w->n, w->cap - w->n, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    if ((size_t)n < w->cap - w->n) {
        w->n += (size_t)n;
        return;
    }
    w->n = whole(w->p, w->cap - 1);
    w->p[w->n] = '\0';
    w->cap = w->n + 1; /* nothing is added behind a cut */
}

static void add_time(struct words *w, uint64_t ns)
{
    char t[48];
    struct jw j;
    jw_init(&j, t, sizeof t - 1);
    jw_time(&j, ns);
    t[j.n] = '\0';
    words_add(w, "%.*s", (int)(j.n > 2 ? j.n - 2 : 0), t + 1); /* without its quotes */
}

/* Texts from the wire: what is no printable ASCII is a question mark, so that cuts are safe. */
static void add_text(struct words *w, struct span s)
{
    char t[TEXT_SHOWN + 1];
    uint32_t n = 0;
    while (s.n && s.p[s.n - 1] == 0)
        s.n--;
    for (; n < s.n && n < TEXT_SHOWN; n++)
        t[n] = s.p[n] >= 0x20 && s.p[n] < 0x7f && s.p[n] != '"' ? (char)s.p[n] : '?';
    t[n] = '\0';
    words_add(w, "\"%s%s\"", t, s.n > TEXT_SHOWN ? "..." : "");
}

static void add_bytes(struct words *w, struct span s)
{
    char t[2 * BYTES_SHOWN + 1] = "";
    for (uint32_t i = 0; i < s.n && i < BYTES_SHOWN; i++)
        snprintf(t + 2 * i, 3, "%02x", s.p[i]);
    words_add(w, "%s%s", t, s.n > BYTES_SHOWN ? "..." : "");
}

bool words_value(struct words *w, const struct vals *v, uint32_t k)
{
    struct val x;
    if (!vals_get(v, k, &x) || x.type == VAL_NONE)
        return false;
    switch (x.type) {
    case VAL_INT:
        words_add(w, "%lld", (long long)x.i);
        break;
    case VAL_DOUBLE:
        words_add(w, "%.7g", x.d);
        break;
    case VAL_BOOL:
        words_add(w, "%s", x.u ? "true" : "false");
        break;
    case VAL_TEXT:
        add_text(w, x.s);
        break;
    case VAL_BYTES:
        add_bytes(w, x.s);
        break;
    case VAL_TIME:
        add_time(w, x.u);
        break;
    default:
        words_add(w, "%llu", (unsigned long long)x.u);
        break;
    }
    return true;
}

void words_item(struct words *w, const struct proto_schema *s, const struct item *it)
{
    char object[EV_OBJECT], value[TEXT_SHOWN + 64];
    uint32_t k = 0;
    item_text(s, it, object);
    words_add(w, "%.120s", object);
    for (; k < it->v.n && k < VALUES_SHOWN; k++) {
        struct words one = words_in(value, sizeof value);
        if (!words_value(&one, &it->v, k))
            break;
        words_add(w, "%s%s", k ? ", " : " = ", value);
    }
    if (k && k < it->v.n)
        words_add(w, ", ... (%u values)", it->v.n);
}

void words_function(struct words *w, const struct proto_schema *s, const struct op_row *op, uint32_t function)
{
    char code[FN_TEXT];
    if (op) {
        words_add(w, "%s", op->name);
    } else if (function == FN_NONE) {
        words_add(w, "an unreadable function");
    } else {
        schema_fn_text(s, function, code);
        words_add(w, "function %s", code);
    }
}

static void add_outcome(struct words *w, const struct event *e)
{
    const char *name = e->error_name ? e->error_name : code_name(e->schema->statuses, e->status);
    if (e->kind == EV_REQUEST)
        words_add(w, ", no answer seen");
    else if (e->error && name)
        words_add(w, ", %s: %s", e->outcome == OUT_REFUSED ? "refused" : "error", name);
    else if (e->error && e->has_status)
        words_add(w, ", %s with status %u", e->outcome == OUT_REFUSED ? "refused" : "error", e->status);
    else if (e->outcome != OUT_UNKNOWN)
        words_add(w, ", %s", ev_outcome_name(e->outcome));
}

void words_event(struct words *w, const struct event *e)
{
    const struct proto_schema *s = e->schema;
    words_function(w, s, e->op, e->function);
    words_add(w, " (%s)", action_name(e->action));
    char unit[FN_TEXT];
    schema_unit_text(s, e->unit, e->sub, unit);
    if (e->has_unit)
        words_add(w, " of %s %s", s->unit_is ? s->unit_is : "unit", unit);
    else if (e->sub)
        words_add(w, " of slot %u", e->sub - 1);
    for (unsigned i = 0; i < e->n_items && i < ITEMS_SHOWN; i++) {
        words_add(w, "%s", i ? "; " : ": ");
        words_item(w, s, &e->items[i]);
    }
    if (e->items_total > ITEMS_SHOWN)
        words_add(w, "; and %u more objects", e->items_total - ITEMS_SHOWN);
    add_outcome(w, e);
}
