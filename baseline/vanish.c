/* vanish.c: links that were in use all the time and are not any more, all at once. */
#include "baseline/model.h"

enum {
    NOW = 1,
    STEADY = 2 | 4 | 8, /* in use in each of the three windows before */
    MANY = 6,
    ALL_PART = 3,       /* of all links at least a third, ... */
    VLAN_PART = 2,      /* ... or of a VLAN's at least half */
    VLANS = 4096,
};

static bool steady(const struct link *l)
{
    return l->node.used && (l->heard & STEADY) == STEADY;
}

static bool gone(const struct link *l)
{
    return steady(l) && !(l->heard & NOW);
}

/* Has one device a part in all of them? Then it is that device's matter. */
static bool one_device(struct baseline *b, uint16_t vlan, const struct addr *a)
{
    for (uint32_t i = 1; i <= b->links.high; i++) {
        const struct link *l = blink_at(b, i);
        if (gone(l) && (!vlan || l->vlan == vlan) && !addr_eq(&l->client, a) && !addr_eq(&l->server, a))
            return false;
    }
    return true;
}

static bool tell(struct baseline *b, struct baseline_vanished *ret)
{
    const struct link *first = NULL;
    for (uint32_t i = 1; i <= b->links.high; i++) {
        const struct link *l = blink_at(b, i);
        if (!gone(l) || (ret->vlan && l->vlan != ret->vlan))
            continue;
        first = first ? first : l;
        if (ret->n_named < VANISHED_NAMED) {
            ret->client[ret->n_named] = l->client;
            ret->server[ret->n_named++] = l->server;
        }
    }
    return first && !one_device(b, ret->vlan, &first->client) && !one_device(b, ret->vlan, &first->server);
}

struct tally {
    uint16_t steady[VLANS], gone[VLANS]; /* by VLAN */
    uint32_t all_steady, all_gone, heard;
};

static void count(const struct baseline *b, struct tally *t)
{
    for (uint32_t i = 1; i <= b->links.high; i++) {
        const struct link *l = blink_at(b, i);
        unsigned v = l->vlan % VLANS;
        t->heard += l->node.used && l->heard & NOW;
        t->all_steady += steady(l);
        t->all_gone += gone(l);
        t->steady[v] = (uint16_t)(t->steady[v] + (steady(l) && t->steady[v] < UINT16_MAX));
        t->gone[v] = (uint16_t)(t->gone[v] + (gone(l) && t->gone[v] < UINT16_MAX));
    }
}

static bool judge(struct baseline *b, struct baseline_vanished *ret)
{
    struct tally t = {0};
    count(b, &t);
    *ret = (struct baseline_vanished){.steady = t.all_steady, .gone = t.all_gone};
    if (!t.heard || t.all_gone < MANY) /* nothing at all: the interface is silent */
        return false;
    if (t.all_gone * ALL_PART >= t.all_steady)
        return tell(b, ret);
    for (unsigned v = 1; v < VLANS; v++)
        if (t.gone[v] >= MANY && t.gone[v] * VLAN_PART >= t.steady[v]) {
            *ret = (struct baseline_vanished){.steady = t.steady[v], .gone = t.gone[v], .vlan = (uint16_t)v};
            return tell(b, ret);
        }
    return false;
}

bool baseline_vanished(struct baseline *b, struct baseline_vanished *ret)
{
    bool found = judge(b, ret);
    for (uint32_t i = 1; i <= b->links.high; i++)
        blink_at(b, i)->heard = (uint8_t)(blink_at(b, i)->heard << 1);
    return found;
}

void baseline_heard_anew(struct baseline *b)
{
    for (uint32_t i = 1; i <= b->links.high; i++)
        blink_at(b, i)->heard = 0;
}
