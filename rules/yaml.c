/* yaml.c: builds the tree of yaml.h from libyaml's events. The only file that includes <yaml.h>. */
#include "rules/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "engine/base/hash.h"

enum { CHUNK = 1 << 16 };

struct chunk {
    struct chunk *next;
    size_t used, cap;
    _Alignas(16) unsigned char data[];
};

struct yaml_doc {
    char *name;
    struct chunk *chunks;
    const struct yaml_node *root;
    uint32_t n_nodes;
};

/* Keys seen so far in all mappings, so that a mapping of any size is checked for duplicates in linear time. */
struct seen {
    const struct yaml_node **slots; /* values; their key and parent identify them */
    const struct yaml_node **parents;
    uint32_t n, cap;
};

struct level {
    struct yaml_node *node, *last;
    const struct yaml_node *key; /* of a mapping: the key that waits for its value */
};

struct builder {
    struct yaml_doc *doc;
    struct err *err;
    struct seen seen;
    struct level stack[YAML_MAX_DEPTH];
    unsigned depth;
};

static void *take(struct yaml_doc *d, size_t n)
{
    n = (n + 15) & ~(size_t)15;
    struct chunk *c = d->chunks;
    if (!c || c->cap - c->used < n) {
        size_t cap = n > CHUNK ? n : CHUNK;
        c = malloc(sizeof *c + cap);
        if (!c)
            return NULL;
        *c = (struct chunk){.next = d->chunks, .cap = cap};
        d->chunks = c;
    }
    void *p = c->data + c->used;
    c->used += n;
    return p;
}

static int at(struct builder *b, const yaml_mark_t *m, const char *text)
{
    return err_set(b->err, -EINVAL, "%s:%zu:%zu: %s", b->doc->name, m->line + 1, m->column + 1, text);
}

static int no_memory(struct builder *b)
{
    return err_set(b->err, -ENOMEM, "%s: out of memory", b->doc->name);
}

static uint64_t seen_hash(const struct yaml_node *parent, const struct yaml_node *key)
{
    return hash_bytes(hash_u64((uint64_t)(uintptr_t)parent, key->len), key->text, key->len);
}

static int seen_grow(struct seen *s)
{
    uint32_t cap = s->cap ? s->cap * 2 : 256;
    const struct yaml_node **keys = calloc(cap, sizeof *keys), **parents = calloc(cap, sizeof *parents);
    if (!keys || !parents) {
        free(keys);
        free(parents);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < s->cap; i++) {
        if (!s->slots[i])
            continue;
        uint32_t at = (uint32_t)seen_hash(s->parents[i], s->slots[i]) & (cap - 1);
        while (keys[at])
            at = (at + 1) & (cap - 1);
        keys[at] = s->slots[i];
        parents[at] = s->parents[i];
    }
    free(s->slots);
    free(s->parents);
    s->slots = keys;
    s->parents = parents;
    s->cap = cap;
    return 0;
}

/* -EEXIST, with the earlier key in *ret, when the mapping has this key already. */
static int seen_add(struct seen *s, const struct yaml_node *parent, const struct yaml_node *key,
                    const struct yaml_node **ret)
{
    if (s->n * 2 >= s->cap && seen_grow(s) < 0)
        return -ENOMEM;
    uint32_t i = (uint32_t)seen_hash(parent, key) & (s->cap - 1);
    for (; s->slots[i]; i = (i + 1) & (s->cap - 1)) {
        if (s->parents[i] == parent && s->slots[i]->len == key->len &&
            memcmp(s->slots[i]->text, key->text, key->len) == 0) {
            *ret = s->slots[i];
            return -EEXIST;
        }
    }
    s->slots[i] = key;
    s->parents[i] = parent;
    s->n++;
    return 0;
}

static int new_node(struct builder *b, const yaml_mark_t *m, unsigned type, struct yaml_node **ret)
{
    if (++b->doc->n_nodes > YAML_MAX_NODES)
        return at(b, m, "found more values than the bound of a document, expected at most 1048576");
    struct yaml_node *n = take(b->doc, sizeof *n);
    if (!n)
        return no_memory(b);
    *n = (struct yaml_node){.type = (uint8_t)type, .line = (uint32_t)m->line + 1, .column = (uint32_t)m->column + 1,
                            .text = "", .doc = b->doc};
    *ret = n;
    return 0;
}

static int take_key(struct builder *b, struct level *l, struct yaml_node *n, const yaml_mark_t *m)
{
    const struct yaml_node *old = NULL;
    if (n->type != YAML_TEXT)
        return at(b, m, "found a list or mapping, expected a key");
    if (n->len == 2 && memcmp(n->text, "<<", 2) == 0 && !n->quoted)
        return at(b, m, "found the merge key '<<', expected a key (merging is not supported)");
    int r = seen_add(&b->seen, l->node, n, &old);
    if (r == -ENOMEM)
        return no_memory(b);
    if (r == -EEXIST)
        return err_set(b->err, -EINVAL, "%s:%u:%u: found the key '%.60s' again (first at line %u), expected it once",
                       b->doc->name, n->line, n->column, n->text, old->line);
    l->key = n;
    return 0;
}

/* Hang a finished or just opened node into its parent (or make it the key, or the root). */
static int place(struct builder *b, struct yaml_node *n, const yaml_mark_t *m)
{
    if (b->depth == 0) {
        b->doc->root = n;
        return 0;
    }
    struct level *l = &b->stack[b->depth - 1];
    if (l->node->type == YAML_MAP && !l->key)
        return take_key(b, l, n, m);
    n->key = l->key;
    l->key = NULL;
    if (l->last)
        l->last->next = n;
    else
        l->node->first = n;
    l->last = n;
    l->node->n++;
    return 0;
}

static int on_scalar(struct builder *b, const yaml_event_t *v)
{
    const yaml_mark_t *m = &v->start_mark;
    size_t len = v->data.scalar.length;
    struct yaml_node *n = NULL;
    if (len > YAML_MAX_SCALAR)
        return at(b, m, "found a text longer than the bound, expected at most 65536 bytes");
    if (memchr(v->data.scalar.value, 0, len))
        return at(b, m, "found a NUL character inside a text, expected text");
    int r = new_node(b, m, YAML_TEXT, &n);
    if (r < 0)
        return r;
    char *t = take(b->doc, len + 1);
    if (!t)
        return no_memory(b);
    memcpy(t, v->data.scalar.value, len);
    t[len] = 0;
    n->text = t;
    n->len = (uint32_t)len;
    n->quoted = v->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return place(b, n, m);
}

static int on_open(struct builder *b, const yaml_event_t *v, unsigned type)
{
    struct yaml_node *n = NULL;
    if (b->depth == YAML_MAX_DEPTH)
        return at(b, &v->start_mark, "found nesting deeper than the bound, expected at most 32 levels");
    int r = new_node(b, &v->start_mark, type, &n);
    if (r == 0)
        r = place(b, n, &v->start_mark);
    if (r == 0)
        b->stack[b->depth++] = (struct level){.node = n};
    return r;
}

static const char *refused(const yaml_event_t *v)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (v->type) {
    case YAML_ALIAS_EVENT:
        return "found an alias (*name), expected a value (aliases are not supported)";
    case YAML_SCALAR_EVENT:
        anchor = v->data.scalar.anchor;
        tag = v->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = v->data.sequence_start.anchor;
        tag = v->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = v->data.mapping_start.anchor;
        tag = v->data.mapping_start.tag;
        break;
    default:
        break;
    }
    if (anchor)
        return "found an anchor (&name), expected a value (anchors are not supported)";
    return tag ? "found a tag (!name), expected a value (tags are not supported)" : NULL;
}

static int on_event(struct builder *b, const yaml_event_t *v)
{
    const char *why = refused(v);
    if (why)
        return at(b, &v->start_mark, why);
    switch (v->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(b, v);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(b, v, YAML_LIST);
    case YAML_MAPPING_START_EVENT:
        return on_open(b, v, YAML_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        b->depth--;
        return 0;
    case YAML_DOCUMENT_START_EVENT:
        return b->doc->root ? at(b, &v->start_mark, "found a second document, expected the end of the file") : 0;
    default:
        return 0;
    }
}

static int syntax(struct builder *b, const yaml_parser_t *p)
{
    const char *what = p->problem ? p->problem : "not YAML";
    if (p->error == YAML_MEMORY_ERROR)
        return no_memory(b);
    if (p->error == YAML_READER_ERROR)
        return err_set(b->err, -EINVAL,
                       "%s:%zu:%zu: found bytes that are not UTF-8 text (%s at byte %zu), expected YAML", b->doc->name,
                       p->mark.line + 1, p->mark.column + 1, what, p->problem_offset);
    return err_set(b->err, -EINVAL, "%s:%zu:%zu: found a fault of syntax%s%s (%s), expected YAML", b->doc->name,
                   p->problem_mark.line + 1, p->problem_mark.column + 1, p->context ? " " : "",
                   p->context ? p->context : "", what);
}

static int build(struct builder *b, yaml_parser_t *p)
{
    for (;;) {
        yaml_event_t v;
        if (!yaml_parser_parse(p, &v))
            return syntax(b, p);
        yaml_event_type_t type = v.type;
        int r = on_event(b, &v);
        yaml_event_delete(&v);
        if (r < 0 || type == YAML_STREAM_END_EVENT || type == YAML_NO_EVENT)
            return r;
    }
}

static int finish(struct builder *b)
{
    static const yaml_mark_t start;
    struct yaml_node *n = NULL;
    if (b->doc->root)
        return 0;
    int r = new_node(b, &start, YAML_TEXT, &n);
    b->doc->root = n;
    return r;
}

int yaml_parse(const char *name, const char *text, size_t n, struct yaml_doc **ret, struct err *e)
{
    struct builder b = {.err = e};
    yaml_parser_t p;
    if (n > YAML_MAX_BYTES)
        return err_set(e, -EINVAL, "%s:1:1: found %zu bytes, expected at most %d", name, n, (int)YAML_MAX_BYTES);
    b.doc = calloc(1, sizeof *b.doc);
    if (!b.doc || !(b.doc->name = strdup(name))) {
        free(b.doc);
        return err_set(e, -ENOMEM, "%s: out of memory", name);
    }
    int r = -ENOMEM;
    if (yaml_parser_initialize(&p)) {
        yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&p, (const unsigned char *)(n ? text : ""), n);
        r = build(&b, &p);
        yaml_parser_delete(&p);
        if (r == 0)
            r = finish(&b);
    } else {
        r = no_memory(&b);
    }
    free(b.seen.slots);
    free(b.seen.parents);
    if (r < 0) {
        yaml_doc_free(b.doc);
        return r;
    }
    *ret = b.doc;
    return 0;
}

static int read_all(FILE *f, const char *path, char **ret, size_t *ret_n, struct err *e)
{
    size_t n = 0, cap = 1 << 14;
    char *p = malloc(cap);
    while (p) {
        n += fread(p + n, 1, cap - n, f);
        if (n < cap || cap > YAML_MAX_BYTES)
            break;
        cap *= 2;
        char *q = realloc(p, cap);
        if (!q)
            free(p);
        p = q;
    }
    if (!p)
        return err_set(e, -ENOMEM, "%s: out of memory", path);
    if (ferror(f)) {
        int code = errno ? errno : EIO;
        free(p);
        return err_set(e, -code, "%s: %s", path, strerror(code));
    }
    *ret = p;
    *ret_n = n;
    return 0;
}

int yaml_read(const char *path, struct yaml_doc **ret, struct err *e)
{
    bool std_in = strcmp(path, "-") == 0;
    char *text = NULL;
    size_t n = 0;
    errno = 0;
    FILE *f = std_in ? stdin : fopen(path, "re");
    if (!f) {
        int code = errno ? errno : EIO;
        return err_set(e, -code, "%s: %s", path, strerror(code));
    }
    int r = read_all(f, std_in ? "standard input" : path, &text, &n, e);
    if (!std_in)
        fclose(f);
    if (r == 0)
        r = yaml_parse(std_in ? "standard input" : path, text, n, ret, e);
    free(text);
    return r;
}

void yaml_doc_free(struct yaml_doc *d)
{
    if (!d)
        return;
    for (struct chunk *c = d->chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(d->name);
    free(d);
}

const struct yaml_node *yaml_root(const struct yaml_doc *d)
{
    return d->root;
}

const char *yaml_name(const struct yaml_doc *d)
{
    return d->name;
}
