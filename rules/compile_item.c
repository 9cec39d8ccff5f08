/* compile_item.c: `object`, `value`, `quality` (and `action` beside them): conditions that one item of a message has to
 * meet together. Objects are written as everywhere: name["["space"]"][":"first["-"last]["."bit]] or name":"text. */
#include "rules/cond.h"

#include <stdlib.h>
#include <string.h>

struct parts { /* of an object's notation */
    char kind[64];
    const char *space, *rest; /* NULL: not written */
    char space_text[48];
};

static bool cut(const char *s, struct parts *p)
{
    size_t n = strcspn(s, "[:");
    if (n == 0 || n >= sizeof p->kind)
        return false;
    *p = (struct parts){.kind = ""};
    memcpy(p->kind, s, n);
    s += n;
    if (*s == '[') {
        n = strcspn(++s, "]");
        if (s[n] != ']' || n == 0 || n >= sizeof p->space_text)
            return false;
        memcpy(p->space_text, s, n);
        p->space = p->space_text;
        s += n + 1;
    }
    if (*s == ':')
        p->rest = s + 1;
    else if (*s)
        return false;
    return !p->rest || *p->rest;
}

static bool u32_span(const char *s, uint32_t *lo, uint32_t *hi)
{
    static const struct number_rule u32 = {0, UINT32_MAX, true, NULL, ""};
    struct range r;
    if (strchr("<>=!", *s) || !parse_range(s, &u32, &r) || r.not || r.lo_open || r.hi_open ||
        !(r.lo >= 0 && r.hi <= UINT32_MAX)) /* " < 9" has no lower end */
        return false;
    *lo = (uint32_t)r.lo;
    *hi = (uint32_t)r.hi;
    return true;
}

/* "5", "5-9", "5.3", "*" */
static bool address(const char *s, const struct kind_def *k, struct obj_pat *o)
{
    char buf[32];
    const char *dot = strchr(s, '.');
    if (strcmp(s, "*") == 0)
        return true;
    if (dot && dot[1] != '.' && (k->flags & KIND_BIT)) {
        size_t n = (size_t)(dot - s);
        uint32_t bit, same;
        if (n >= sizeof buf)
            return false;
        memcpy(buf, s, n);
        buf[n] = 0;
        if (!u32_span(buf, &o->lo, &o->hi) || o->lo != o->hi || !u32_span(dot + 1, &bit, &same) || bit != same ||
            bit > 254)
            return false;
        o->bit = (uint16_t)bit;
        o->has_range = 1;
        return true;
    }
    o->has_range = 1;
    return u32_span(s, &o->lo, &o->hi);
}

/* Does this kind take what is written? Fills the pattern. */
static int fits(struct compile *c, const struct parts *p, const struct kind_def *k, struct obj_pat *o)
{
    if (p->space) {
        if (!(k->flags & KIND_SPACE))
            return 0;
        o->has_space = strcmp(p->space, "*") != 0;
        if (o->has_space && !u32_span(p->space, &o->space_lo, &o->space_hi))
            return 0;
    }
    if (!p->rest)
        return 1;
    if (!(k->flags & KIND_NAME) || (k->flags & KIND_RANGE)) {
        if (address(p->rest, k, o))
            return 1;
        o->has_range = 0;
        o->bit = 256;
    }
    if (!(k->flags & KIND_NAME))
        return 0;
    o->has_name = 1;
    o->name = glob_make(c, p->rest, strlen(p->rest));
    return o->name.s ? 1 : -ENOMEM;
}

enum { MAX_OBJS = 512 };

struct obj_list {
    struct obj_pat v[MAX_OBJS];
    uint32_t n;
    const char *names[256];
    uint32_t n_names;
};

static int one_object(struct compile *c, const struct scope *s, const struct yaml_node *it, struct obj_list *l)
{
    struct parts p;
    uint32_t before = l->n;
    bool known = false;
    l->n_names = 0;
    if (!cut(it->text, &p))
        return yaml_expected(it, c->err, "an object such as 'holding_register:400-499', 'db[1]:*' or 'tag:Motor*'");
    struct glob g = glob_make(c, p.kind, strlen(p.kind));
    if (!g.s)
        return no_mem(c);
    for (unsigned i = 0; i < c->rs->o.n_schemas; i++) {
        const struct proto_schema *sc = c->rs->o.schemas[i];
        for (uint32_t k = 0; scope_has(s, i) && k < sc->n_kinds && k < 255; k++) {
            const char *name = sc->kinds[k].name;
            if (l->n_names < ARRAY_LEN(l->names) - 1)
                l->names[l->n_names++] = name;
            if (!glob_match(&g, name, (uint32_t)strlen(name)))
                continue;
            known = true;
            if (l->n == MAX_OBJS)
                return yaml_err(it, c->err, "found more objects than the bound, expected at most %d", MAX_OBJS);
            l->v[l->n] = (struct obj_pat){.schema = sc, .kind = (uint8_t)k, .bit = 256};
            int r = fits(c, &p, &sc->kinds[k], &l->v[l->n]);
            if (r < 0)
                return no_mem(c);
            l->n += (uint32_t)r;
        }
    }
    l->names[l->n_names] = NULL;
    if (l->n > before)
        return 0;
    if (known)
        return yaml_expected(it, c->err, "the notation of this kind of object (docs/RULES.md)");
    const char *near = yaml_nearest(p.kind, l->names);
    return near ? yaml_expected(it, c->err, "a kind of object of the protocol: '%s'?", near)
                : yaml_expected(it, c->err, "a kind of object of the protocol");
}

static int objects(struct compile *c, const struct scope *s, const struct yaml_node *n, struct item_cond *ret)
{
    uint32_t len;
    int r = list_len(n, c->err, &len);
    struct obj_list *l = r == 0 ? calloc(1, sizeof *l) : NULL;
    if (r == 0 && !l)
        r = no_mem(c);
    bool every = r == 0 && yaml_is(n, "*");
    YAML_EACH (it, n) {
        if (r < 0 || every)
            break;
        r = one_object(c, s, it, l);
    }
    if (r == 0 && !every) {
        struct obj_pat *v = set_take(c->rs, l->n * sizeof *v);
        if (v)
            memcpy(v, l->v, l->n * sizeof *v);
        else
            r = no_mem(c);
        ret->objs = v;
        ret->n_objs = l->n;
    }
    free(l);
    return r;
}

static int quality(struct compile *c, const struct scope *s, const struct yaml_node *n, struct item_cond *ret)
{
    const char *names[256];
    struct code_pat v[64];
    uint32_t len, at = 0;
    int r = list_len(n, c->err, &len);
    if (r < 0)
        return r;
    YAML_EACH (it, n) {
        unsigned n_names = 0;
        uint32_t before = at;
        for (unsigned i = 0; i < c->rs->o.n_schemas; i++) {
            const struct proto_schema *sc = c->rs->o.schemas[i];
            for (unsigned k = 0; scope_has(s, i) && sc->qualities && sc->qualities[k] && k < 32; k++) {
                if (n_names < ARRAY_LEN(names) - 1)
                    names[n_names++] = sc->qualities[k];
                if (strcmp(sc->qualities[k], it->text) == 0 && at < ARRAY_LEN(v))
                    v[at++] = (struct code_pat){.schema = sc, .mask = UINT64_C(1) << k};
            }
        }
        names[n_names] = NULL;
        const char *near = yaml_nearest(it->text, names);
        if (at == before && near)
            return yaml_expected(it, c->err, "a quality of the protocol: '%s'?", near);
        if (at == before)
            return yaml_expected(it, c->err, "a quality of the protocol");
    }
    ret->quality = set_take(c->rs, at * sizeof *v);
    if (!ret->quality)
        return no_mem(c);
    memcpy(ret->quality, v, at * sizeof *v);
    ret->n_quality = at;
    return 0;
}

/* `value: "> 5"`: one value of the item; `value: {all: "> 5"}`: every one. */
static int values(struct compile *c, const struct yaml_node *n, struct item_cond *ret)
{
    static const char *const allowed[] = {"any", "all", NULL};
    const struct yaml_node *v = n;
    ret->has_value = true;
    if (n->type == YAML_MAP) {
        int r = yaml_only_keys(n, allowed, c->err);
        if (r < 0)
            return r;
        if (n->n != 1)
            return yaml_expected(n, c->err, "either 'any' or 'all'");
        v = n->first;
        ret->all = strcmp(v->key->text, "all") == 0;
    }
    return parse_tests(c, v, &ret->value);
}

int leaf_item(struct compile *c, const struct scope *s, const struct yaml_node *map, struct cond *ret)
{
    const struct yaml_node *object = yaml_get(map, "object"), *value = yaml_get(map, "value");
    const struct yaml_node *q = yaml_get(map, "quality"), *action = yaml_get(map, "action");
    struct item_cond *ic = set_take(c->rs, sizeof *ic);
    int r = ic ? 0 : no_mem(c);
    if (r == 0 && object)
        r = objects(c, s, object, ic);
    if (r == 0 && value)
        r = values(c, value, ic);
    if (r == 0 && q)
        r = quality(c, s, q, ic);
    if (r < 0)
        return r;
    YAML_EACH (it, action) { /* checked already, as the message's own condition */
        int a = action_by_name(it->text);
        for (unsigned i = 0; i < ACT_COUNT; i++)
            if ((int)i == a || (a < 0 && action_changes(i)))
                ic->actions |= 1u << i;
    }
    ret->item = ic;
    return 0;
}
