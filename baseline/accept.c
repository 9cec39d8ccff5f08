/* accept.c: learning on request: the fact of an alert, with what was counted in it. */
#include <stdio.h>
#include <stdlib.h>

#include "baseline/model.h"
#include "engine/base/obs.h"

/* A deviation of its own keeps its own alert and its own accept command; what was only counted comes along. */
static bool comes_along(const struct row_life *l)
{
    return l->learned == FACT_FOLDED || l->learned == FACT_NEW;
}

static void learn(struct baseline *b, struct row_life *l, uint8_t *dirty, uint64_t now_ns)
{
    life_learned(b, l, now_ns);
    due(b, dirty);
}

static void accept_op(struct baseline *b, uint32_t i, uint64_t now_ns)
{
    struct op *o = op_at(b, i);
    learn(b, &o->life, &o->dirty, now_ns);
    o->status_learned = (uint8_t)((1u << o->n_status) - 1);
    op_merge(b, i);
}

void accept_func(struct baseline *b, uint32_t i, uint64_t now_ns)
{
    struct func *f = func_at(b, i);
    learn(b, &f->life, &f->dirty, now_ns);
    for (bool again = true; again;) { /* merging changes the list */
        again = false;
        for (uint32_t k = f->ops; k && !again; k = op_at(b, k)->next)
            if (comes_along(&op_at(b, k)->life)) {
                accept_op(b, k, now_ns);
                again = true;
            }
    }
}

void accept_link(struct baseline *b, uint32_t i, uint64_t now_ns)
{
    struct link *l = blink_at(b, i);
    learn(b, &l->life, &l->dirty, now_ns);
    l->app_learned = (uint8_t)((1u << l->n_apps) - 1);
    for (uint32_t k = l->funcs; k; k = func_at(b, k)->next)
        if (comes_along(&func_at(b, k)->life))
            accept_func(b, k, now_ns);
    blink_rank(b, i);
}

void accept_asset(struct baseline *b, uint32_t i, uint64_t now_ns)
{
    struct asset *a = asset_at(b, i);
    learn(b, &a->life, &a->dirty, now_ns);
    a->authorized = 1;
    a->macs_learned = (uint8_t)((1u << a->n_macs) - 1);
    for (uint32_t k = a->idents; k; k = ident_at(b, k)->next)
        if (ident_at(b, k)->learned == FACT_FOLDED) {
            ident_at(b, k)->learned = FACT_LEARNED;
            due(b, &ident_at(b, k)->dirty);
        }
    for (uint32_t k = 1; k <= b->links.high; k++) {
        struct link *l = blink_at(b, k);
        if (!l->node.used || !comes_along(&l->life))
            continue;
        if (asset_find(b, l->net, &l->client) == i || asset_find(b, l->net, &l->server) == i)
            accept_link(b, k, now_ns);
    }
    asset_rank(b, i);
}

/* ---- one key ---- */

struct key {
    uint64_t id;
    const char *more; /* behind the second colon; "" none */
};

static uint32_t find_func(const struct baseline *b, uint64_t id)
{
    for (uint32_t i = 1; i <= b->funcs.high; i++)
        if (func_at(b, i)->node.used && func_at(b, i)->id == id)
            return i;
    return 0;
}

static uint32_t find_op(const struct baseline *b, uint64_t id)
{
    for (uint32_t i = 1; i <= b->ops.high; i++)
        if (op_at(b, i)->node.used && op_at(b, i)->id == id)
            return i;
    return 0;
}

static int key_asset(struct baseline *b, const struct key *k, uint64_t now_ns)
{
    uint32_t i = asset_by_id(b, k->id);
    if (i)
        accept_asset(b, i, now_ns);
    return i ? 0 : -ENOENT;
}

static int key_mac(struct baseline *b, const struct key *k, uint64_t now_ns)
{
    uint32_t i = asset_by_id(b, k->id);
    uint8_t mac[6];
    (void)now_ns;
    if (!i)
        return -ENOENT;
    if (sscanf(k->more, "%2hhx%2hhx%2hhx%2hhx%2hhx%2hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) != 6)
        return -EINVAL;
    asset_add_mac(b, i, mac, true);
    return 0;
}

static int key_ident(struct baseline *b, const struct key *k, uint64_t now_ns)
{
    uint32_t i = asset_by_id(b, k->id), n = 0;
    (void)now_ns;
    for (uint32_t x = i ? asset_at(b, i)->idents : 0; x; x = ident_at(b, x)->next)
        if (strcmp(obs_name(ident_at(b, x)->kind), k->more) == 0) {
            ident_at(b, x)->learned = FACT_LEARNED;
            due(b, &ident_at(b, x)->dirty);
            n++;
        }
    return n ? 0 : -ENOENT;
}

static int key_link(struct baseline *b, const struct key *k, uint64_t now_ns)
{
    uint32_t i = blink_by_id(b, k->id);
    if (i)
        accept_link(b, i, now_ns);
    return i ? 0 : -ENOENT;
}

static int key_app(struct baseline *b, const struct key *k, uint64_t now_ns)
{
    uint32_t i = blink_by_id(b, k->id);
    struct link *l = i ? blink_at(b, i) : NULL;
    bool found = false;
    for (unsigned n = 0; l && n < l->n_apps; n++)
        if (strncmp(b->apps[l->apps[n]].name, k->more, 26) == 0) {
            l->app_learned |= (uint8_t)(1u << n);
            found = true;
            for (uint32_t f = l->funcs; f; f = func_at(b, f)->next)
                if (func_at(b, f)->proto == l->apps[n] && comes_along(&func_at(b, f)->life))
                    accept_func(b, f, now_ns);
        }
    if (found)
        due(b, &l->dirty);
    return found ? 0 : -ENOENT;
}

static int key_func(struct baseline *b, const struct key *k, uint64_t now_ns)
{
    uint32_t i = find_func(b, k->id);
    if (i)
        accept_func(b, i, now_ns);
    return i ? 0 : -ENOENT;
}

static int key_object(struct baseline *b, const struct key *k, uint64_t now_ns)
{
    uint32_t i = find_op(b, k->id);
    if (!i)
        return -ENOENT;
    struct func *f = func_at(b, op_at(b, i)->func);
    if (f->life.learned != FACT_LEARNED)
        learn(b, &f->life, &f->dirty, now_ns); /* an object without its function would never match */
    uint64_t first_ns = op_at(b, i)->life.first_ns;
    uint32_t func = op_at(b, i)->func;
    accept_op(b, i, now_ns);
    for (bool again = true; again;) { /* the other new objects of the same message; merging changes the list */
        again = false;
        for (uint32_t o = func_at(b, func)->ops; o && !again; o = op_at(b, o)->next)
            if (comes_along(&op_at(b, o)->life) && op_at(b, o)->life.first_ns == first_ns) {
                accept_op(b, o, now_ns);
                again = true;
            }
    }
    return 0;
}

static int key_error(struct baseline *b, const struct key *k, uint64_t now_ns)
{
    uint32_t i = find_op(b, k->id);
    uint32_t status = (uint32_t)strtoul(k->more, NULL, 10);
    (void)now_ns;
    for (unsigned n = 0; i && n < op_at(b, i)->n_status; n++)
        if (op_at(b, i)->status[n] == status) {
            op_at(b, i)->status_learned |= (uint8_t)(1u << n);
            due(b, &op_at(b, i)->dirty);
            return 0;
        }
    return -ENOENT;
}

static int key_command(struct baseline *b, const struct key *k, uint64_t now_ns)
{
    uint32_t i = asset_by_id(b, k->id);
    int action = action_by_name(k->more);
    if (action < 0)
        return -EINVAL;
    if (!i)
        return -ENOENT;
    asset_at(b, i)->evidence |= UINT64_C(1) << (EVI_CMD_SHIFT + action);
    due(b, &asset_at(b, i)->dirty);
    for (uint32_t n = 1; n <= b->links.high; n++) { /* and the functions by which it sent it */
        const struct link *l = blink_at(b, n);
        if (!l->node.used || asset_find(b, l->net, &l->client) != i)
            continue;
        for (uint32_t f = l->funcs; f; f = func_at(b, f)->next)
            if (func_at(b, f)->action == action && comes_along(&func_at(b, f)->life))
                accept_func(b, f, now_ns);
    }
    return 0;
}

static const struct {
    const char *name;
    int (*accept)(struct baseline *b, const struct key *k, uint64_t now_ns);
    bool more;
} kinds[] = {{"asset", key_asset, false}, {"mac", key_mac, true},         {"ident", key_ident, true},
             {"link", key_link, false},   {"app", key_app, true},         {"function", key_func, false},
             {"object", key_object, false}, {"error", key_error, true},   {"command", key_command, true}};

int baseline_accept(struct baseline *b, const char *text, uint64_t now_ns, struct err *e)
{
    const char *colon = strchr(text, ':');
    char *end = NULL;
    struct key k = {.more = ""};
    for (unsigned i = 0; colon && i < ARRAY_LEN(kinds); i++) {
        if (strlen(kinds[i].name) != (size_t)(colon - text) ||
            strncmp(kinds[i].name, text, (size_t)(colon - text)) != 0)
            continue;
        k.id = strtoull(colon + 1, &end, 16);
        if (end != colon + 17 || (*end && *end != ':') || (kinds[i].more && !*end))
            break;
        k.more = *end ? end + 1 : "";
        int r = kinds[i].accept(b, &k, now_ns);
        if (r == -ENOENT)
            return err_set(e, r, "%s: the database knows no such fact (any more)", text);
        if (r == 0)
            return 0;
        break;
    }
    return err_set(e, -EINVAL, "%s: found no key of a fact; expected what an alert shows under \"accept\", as in "
                               "link:0123456789abcdef", text);
}
