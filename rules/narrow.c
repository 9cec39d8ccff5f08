/* narrow.c: what the parts of a message that others share with it decide of a condition, and what they leave open.
 * Asked once for all messages that are alike (rules_narrow()), so it need not be fast, only sure: what is left out
 * here is never asked again. */
#include "rules/cond.h"

enum may { MAY_NOT, MAY_BE, MUST };

/* A MAC pattern also looks at the frame's addresses. */
static bool has_macs(const struct cond *k)
{
    for (uint32_t i = 0; i < k->n; i++)
        if (k->nets[i].mac)
            return true;
    return false;
}

static bool has_fields_of(const struct cond *k, const struct proto_schema *s)
{
    for (uint32_t i = 0; i < k->n; i++)
        if (k->fields[i].schema == s)
            return true;
    return false;
}

/* Does the leaf look at something that may differ, and can that make it true? Negation aside. */
static bool is_open(const struct cond *k, const struct rule_input *in, bool *ret_can)
{
    *ret_can = true;
    switch (k->op) {
    case C_NUMBER:
        return k->what == NUM_PORT || k->what == NUM_VLAN || k->what == NUM_LATENCY;
    case C_ENUM:
        return k->what == ENUM_TRANSPORT;
    case C_ITEM:
        *ret_can = item_may_hold(k->item, in->ev);
        return k->item->has_value || k->item->n_quality;
    case C_FIELD:
        *ret_can = has_fields_of(k, in->ev->schema);
        return true;
    case C_ADDR:
        return has_macs(k);
    case C_TIME:
    case C_WEEKDAY:
        return true;
    default:
        return false;
    }
}

static enum may leaf(const struct cond *k, const struct rule_input *in, const struct ruleset *rs)
{
    bool can, open = is_open(k, in, &can);
    if (open && can)
        return MAY_BE;
    bool holds = open ? k->neg : match_holds(rs, in, k);
    return holds ? MUST : MAY_NOT;
}

static enum may decide(const struct cond *k, const struct rule_input *in, const struct ruleset *rs)
{
    if (!cond_is_group(k))
        return leaf(k, in, rs);
    enum may r = k->op == C_AND ? MUST : MAY_NOT;
    for (uint32_t i = 0; i < k->n; i++) {
        enum may one = decide(k->kids[i], in, rs);
        if (k->op == C_AND ? one < r : one > r)
            r = one;
    }
    return k->neg ? (enum may)(MUST - r) : r;
}

bool may_hold(const struct cond *k, const struct rule_input *in, const struct ruleset *rs)
{
    return decide(k, in, rs) != MAY_NOT;
}
