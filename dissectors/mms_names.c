/* mms_names.c: how MMS names things, and what an IEC 61850 name says of an access.
 *
 *   ObjectName    80 vmd-specific | a1 { 1a domain  1a item } | 82 association-specific            (ISO 9506-2 7.5.2)
 *   variable      a0 { ObjectName } | a1 { address } | ..., behind it a5 { alternate access }      (14.5.3)
 *   IEC 61850-8-1 domain = logical device; item = LN$FC$DO[$SDO]$DA, FC the functional constraint of two letters */
#include "dissectors/mms.h"

#include <stdio.h>

enum { MAX_STEPS = 8 }; /* of one alternate access */

bool mms_object_name(struct mms *m, struct event *e, struct cur *c, struct span *ret)
{
    struct ber t, domain, item;
    (void)m;
    *ret = (struct span){0};
    if (!ber_next(c, &t) || t.id >> 30 != BER_CONTEXT || ber_number(&t) > 2)
        return false;
    if (t.id != BER_CTX(1)) {
        *ret = cur_rest(&t.body);
        return cur_ok(&t.body);
    }
    if (!ber_next(&t.body, &domain) || !ber_next(&t.body, &item))
        return false;
    struct span d = cur_rest(&domain.body), i = cur_rest(&item.body);
    struct span at = ev_text_copy(e, d.p, d.n), slash = ev_text_copy(e, "/", 1);
    struct span end = ev_text_copy(e, i.p, i.n);
    *ret = (struct span){at.n ? at.p : slash.p, at.n + slash.n + end.n}; /* they lie behind each other */
    return true;
}

/* ---- alternate access (14.5.4): elements of arrays, components of structures ---- */

static struct span join(struct event *e, struct span name, const char *text, struct span more)
{
    struct span all = ev_text_copy(e, name.p, name.n);
    struct span a = ev_text_copy(e, text, (uint32_t)strlen(text)), b = ev_text_copy(e, more.p, more.n);
    return (struct span){all.n ? all.p : a.p, all.n + a.n + b.n};
}

/* One access selection; true when another one is inside it, which *inner is then. */
static bool selection(struct event *e, struct span *name, struct ber sel, struct cur *inner)
{
    bool more = sel.id == BER_CTX(0); /* selectAlternateAccess: accessSelection, alternateAccess */
    struct ber t = sel, low;
    char text[32];
    uint32_t a = 0, b = 0;
    *inner = (struct cur){0};
    if (more) {
        if (!ber_next(&sel.body, &t))
            return false;
        *inner = sel.body;
    }
    uint32_t number = ber_number(&t) - !more; /* the same choices, counted from 0 here and from 1 there */
    if (number == 0) {
        *name = join(e, *name, "$", cur_rest(&t.body));
        return more;
    }
    if (number == 1 && ber_u32(t.body, &a))
        snprintf(text, sizeof text, "(%u)", a);
    else if (number == 2 && ber_next(&t.body, &low) && ber_u32(low.body, &a) && ber_next(&t.body, &low) &&
             ber_u32(low.body, &b))
        snprintf(text, sizeof text, "(%u..%u)", a, a + b - (b > 0));
    else
        snprintf(text, sizeof text, "(*)");
    *name = join(e, *name, text, (struct span){0});
    return more;
}

static void alternate_access(struct event *e, struct span *name, struct cur c)
{
    struct ber t;
    for (unsigned i = 0; i < MAX_STEPS && ber_next(&c, &t); i++) {
        struct cur inner;
        if (t.id == BER_UNI(BER_SEQUENCE)) { /* the list's element, or alternateAccess as a SEQUENCE OF */
            c = t.body;
            continue;
        }
        if (t.id == BER_CTX(5) && !ber_next(&t.body, &t)) /* named: component name, access */
            return;
        if (!selection(e, name, t, &inner))
            return; /* several elements of one variable: the first is told */
        c = inner;
    }
}

/* ---- variables ---- */

static struct span address(struct event *e, struct cur c)
{
    struct ber t;
    uint32_t n;
    if (!ber_next(&c, &t))
        return (struct span){0};
    if (t.id == BER_CTX(0) && ber_u32(t.body, &n))
        return ev_text_fmt(e, "%u", n);
    return cur_rest(&t.body);
}

bool mms_variable(struct mms *m, struct event *e, struct cur *c)
{
    struct ber t, access;
    struct span name = {0};
    uint8_t kind = K_VARIABLE;
    if (!ber_next(c, &t))
        return false;
    if (t.id == BER_CTX(0)) {
        if (!mms_object_name(m, e, &t.body, &name))
            return false;
    } else if (t.id == BER_CTX(1)) {
        kind = K_ADDRESS;
        name = address(e, t.body);
    } else if (t.id == BER_CTX(2)) { /* variableDescription: an address and a type */
        struct ber a;
        kind = K_ADDRESS;
        name = ber_next(&t.body, &a) ? address(e, a.body) : name;
    } else if (t.id >> 30 != BER_CONTEXT || ber_number(&t) > 4) {
        return false;
    }
    if (ber_take(c, BER_CTX(5), &access))
        alternate_access(e, &name, access.body);
    struct item *it = ev_named(e, kind, name);
    it->v.enc = VE_NONE;
    return true;
}

bool mms_file_name(struct mms *m, struct event *e, struct cur c, struct span *ret)
{
    struct ber t;
    (void)m;
    *ret = (struct span){0};
    for (unsigned i = 0; i < MAX_STEPS && ber_next(&c, &t); i++)
        *ret = i ? join(e, *ret, "/", cur_rest(&t.body)) : cur_rest(&t.body);
    return cur_ok(&c) && ret->n;
}

/* ---- what a name of IEC 61850 says ---- */

static struct span until(struct span *s, uint8_t sep)
{
    uint32_t n = 0;
    while (n < s->n && s->p[n] != sep)
        n++;
    struct span head = {n ? s->p : NULL, n};
    uint32_t skip = n < s->n ? n + 1 : n;
    *s = (struct span){s->n > skip ? s->p + skip : NULL, s->n - skip};
    return head;
}

struct mms_path mms_path(struct span name)
{
    struct mms_path p = {0};
    struct span s = name, domain = until(&s, '/');
    if (domain.n == name.n) /* no domain: association- or VMD-specific */
        s = name;
    else
        p.domain = domain;
    p.ln = until(&s, '$');
    p.fc = until(&s, '$');
    if (p.fc.n != 2 || p.fc.p[0] < 'A' || p.fc.p[0] > 'Z' || p.fc.p[1] < 'A' || p.fc.p[1] > 'Z')
        p.fc = (struct span){0};
    p.data = until(&s, '$');
    p.last = p.data;
    while (s.n)
        p.last = until(&s, '$');
    return p;
}

static const struct {
    const char *fc, *attribute; /* attribute NULL: every one that has no row above */
    uint8_t read, write;        /* selector, 0: none of its own */
} acts[] = {
    {"CO", "Oper", 0, SEL_OPERATE},
    {"CO", "SBO", SEL_SELECT, SEL_SELECT},
    {"CO", "SBOw", 0, SEL_SELECT_VALUE},
    {"CO", "Cancel", 0, SEL_CANCEL},
    {"CO", NULL, 0, SEL_CONTROL},
    {"SP", "ActSG", 0, SEL_ACTIVE_GROUP},
    {"SP", "EditSG", 0, SEL_EDIT_GROUP},
    {"SP", "CnfEdit", 0, SEL_CONFIRM_GROUP},
    {"SP", NULL, 0, SEL_SETPOINT},
    {"SV", NULL, 0, SEL_SUBSTITUTE},
    {"BL", NULL, 0, SEL_BLOCK},
    {"SG", NULL, 0, SEL_SETTING},
    {"SE", NULL, 0, SEL_SETTING},
    {"CF", NULL, 0, SEL_CONFIGURATION},
    {"DC", NULL, 0, SEL_DESCRIPTION},
    {"RP", "GI", 0, SEL_INTERROGATION},
    {"BR", "GI", 0, SEL_INTERROGATION},
    {"RP", NULL, 0, SEL_REPORT_CONTROL},
    {"BR", NULL, 0, SEL_REPORT_CONTROL},
    {"GO", NULL, 0, SEL_GOOSE_CONTROL},
    {"GS", NULL, 0, SEL_GOOSE_CONTROL},
    {"MS", NULL, 0, SEL_SV_CONTROL},
    {"US", NULL, 0, SEL_SV_CONTROL},
    {"LG", NULL, 0, SEL_LOG_CONTROL},
};

uint32_t mms_selector(const struct mms_path *p, bool write)
{
    for (unsigned i = 0; i < ARRAY_LEN(acts) && p->fc.n; i++) {
        if (!span_is(p->fc, acts[i].fc) || (acts[i].attribute && !span_is(p->last, acts[i].attribute)))
            continue;
        uint32_t sel = write ? acts[i].write : acts[i].read;
        if (sel == SEL_OPERATE && span_is(p->data, "Mod"))
            sel = SEL_OPERATE_MODE;
        return sel ? sel : OP_ANY_SELECTOR;
    }
    return OP_ANY_SELECTOR;
}
