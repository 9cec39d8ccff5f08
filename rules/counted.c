/* counted.c: what a rule with a threshold counts of a message. */
#include "rules/cond.h"

#include "engine/base/hash.h"

static bool thing_of(const struct rule_threshold *t, const struct rule_counted *m, uint64_t *ret)
{
    switch (t->distinct) {
    case DISTINCT_NONE:
        *ret = 0;
        return true;
    case DISTINCT_DST:
        *ret = hash_16(1, m->server);
        return true;
    case DISTINCT_SRC:
        *ret = hash_16(1, m->client);
        return true;
    case DISTINCT_OBJECT:
        *ret = m->object;
        return m->object != 0;
    case DISTINCT_UNIT:
        *ret = m->unit;
        return m->has_unit;
    default:
        *ret = (uint64_t)m->function << 32 | m->selector;
        return true;
    }
}

bool rules_count_of(const struct rule_threshold *t, uint64_t hash_key, const struct rule_counted *m,
                    struct rule_count *ret)
{
    if (!thing_of(t, m, &ret->thing))
        return false;
    uint64_t h = hash_u64(hash_key, m->net);
    h = t->by & BY_SRC ? hash_16(h, m->client) : h;
    h = t->by & BY_DST ? hash_16(h, m->server) : h;
    h = t->by & BY_UNIT ? hash_u64(h, m->has_unit ? m->unit : UINT64_MAX) : h;
    h = t->by & BY_FUNCTION ? hash_u64(h, (uint64_t)m->function << 32 | m->selector) : h;
    h = t->by & BY_OBJECT ? hash_u64(h, m->object) : h;
    ret->group = h ? h : 1;
    return true;
}
