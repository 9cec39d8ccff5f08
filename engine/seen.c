#include "engine/seen.h"

#include <string.h>

#include "engine/base/hash.h"

size_t seen_bytes(uint32_t n)
{
    return arena_size(n * sizeof(struct seen_msg));
}

int seen_init(struct seen_table *t, uint32_t n, struct arena *mem)
{
    *t = (struct seen_table){.msgs = arena_take(mem, n * sizeof *t->msgs), .mask = n - 1};
    return t->msgs ? 0 : -ENOMEM;
}

/* Of an item: kind, action, bit, space (its first eight bytes), range, name, and whether it has a status, which is
 * good. */
static uint64_t add_item(uint64_t key, uint64_t h, const struct item *it)
{
    uint64_t what, range = (uint64_t)it->first << 32 | it->last;
    memcpy(&what, it, sizeof what);
    h = hash_mix(h ^ what ^ (uint64_t)(it->status != 0) << 31, key ^ range);
    return it->name.n ? hash_mix(h, hash_same(key, it->name.p, it->name.n)) : h;
}
_Static_assert(offsetof(struct item, first) == 8, "add_item() reads what lies before");

uint64_t seen_digest(uint64_t key, uint64_t base, const struct event *e)
{
    if (rules_unusual(e))
        return 0;
    uint64_t how = (uint64_t)e->kind << 56 | (uint64_t)e->outcome << 48 | (uint64_t)e->phase << 40 |
                   (uint64_t)e->from_client << 36 | (uint64_t)e->truncated << 35 | (uint64_t)e->has_status << 34 |
                   (uint64_t)e->has_unit << 33 | e->items_total;
    uint64_t h = hash_mix(key ^ base ^ e->status, key ^ how);
    if (e->anomalies)
        h = hash_mix(h ^ e->anomalies, key);
    for (unsigned i = 0; i < e->n_items; i++) {
        const struct item *it = &e->items[i];
        if (it->status != 0 && it->status != ITEM_STATUS_NONE)
            return 0;
        h = add_item(key, h, it);
    }
    return h | 1;
}

static uint64_t part_digest(uint64_t digest, unsigned part)
{
    return part ? hash_mix(digest, part) | 1 : digest;
}

static void count(struct fact_set *facts, const struct seen_msg *m, unsigned n, uint64_t ts_ns)
{
    for (unsigned i = 0; i < n; i++)
        fact_again(facts, m->facts[i], ts_ns);
}

bool seen_count_all(const struct seen_table *t, const struct seen_msg *m, struct fact_set *facts, uint64_t ts_ns)
{
    const struct seen_msg *parts[SEEN_PARTS];
    unsigned n = 0, left = m->n_facts - SEEN_FACTS;
    if (!seen_stands(m, SEEN_FACTS, facts))
        return false;
    for (; n * SEEN_FACTS < left; n++) {
        unsigned here = left - n * SEEN_FACTS < SEEN_FACTS ? left - n * SEEN_FACTS : SEEN_FACTS;
        if (!(parts[n] = seen_find(t, part_digest(m->digest, n + 1))) || !seen_stands(parts[n], here, facts))
            return false;
    }
    count(facts, m, SEEN_FACTS, ts_ns);
    for (unsigned i = 0; i < n; i++, left -= SEEN_FACTS)
        count(facts, parts[i], left < SEEN_FACTS ? left : SEEN_FACTS, ts_ns);
    return true;
}

/* Where an entry of this digest goes: what was in its first place goes to the second. */
static struct seen_msg *place_of(struct seen_table *t, uint64_t digest)
{
    struct seen_msg *first = &t->msgs[digest >> 8 & t->mask], *second = &t->msgs[(digest >> 8 & t->mask) ^ 1];
    if (!first->digest || first->digest == digest)
        return first;
    if (!second->digest || second->digest == digest)
        return second;
    *second = *first;
    return first;
}

/* An entry, or as many as it takes. n_rules: SEEN_NOT_KEPT, and they are not. */
static void put(struct seen_table *t, const struct seen_msg *first, const struct fact_set *facts,
                const uint32_t slots[])
{
    unsigned n_facts = first->n_facts;
    for (unsigned part = 0; part * SEEN_FACTS < (first->n_rules != SEEN_NOT_KEPT ? n_facts : 1); part++) {
        uint64_t d = part_digest(first->digest, part);
        struct seen_msg *at = place_of(t, d);
        struct seen_msg m = {.digest = d, .n_facts = (uint8_t)n_facts, .follow = at->follow};
        for (unsigned i = 0; i < SEEN_FACTS && part * SEEN_FACTS + i < n_facts; i++) {
            m.facts[i] = (uint16_t)slots[part * SEEN_FACTS + i];
            m.moved += facts->slots[m.facts[i]].moved;
        }
        if (!part) {
            m.n_rules = first->n_rules;
            memcpy(m.rules, first->rules, sizeof m.rules);
        }
        *at = m;
    }
}

void seen_keep(struct seen_table *t, uint64_t digest, const struct fact_set *facts, const uint32_t slots[],
               const struct ruleset *rs, const struct rule_input *in)
{
    uint16_t rules[SEEN_RULES + 1];
    struct seen_msg m = {.digest = digest, .n_facts = (uint8_t)(in->ev->n_items ? in->ev->n_items : 1)};
    unsigned n = rs ? rules_narrow(rs, in, rules, SEEN_RULES + 1) : 0;
    bool fits = n <= SEEN_RULES;
    for (unsigned i = 0; i < m.n_facts; i++)
        fits &= slots[i] <= UINT16_MAX;
    m.n_rules = (uint8_t)(fits ? n : SEEN_NOT_KEPT);
    memcpy(m.rules, rules, (fits ? n : 0) * sizeof *rules);
    put(t, &m, facts, slots);
}

uint64_t seen_join(struct seen_table *t, const uint64_t digests[], unsigned n, const struct fact_set *facts)
{
    uint32_t slots[SEEN_PARTS * SEEN_FACTS];
    struct seen_msg all = {.digest = hash_mix(t->key, n)};
    for (unsigned i = 0; i < n; i++) {
        const struct seen_msg *m = seen_find(t, digests[i]);
        if (!m || m->n_rules || m->n_facts > SEEN_FACTS || all.n_facts + m->n_facts > SEEN_PARTS * SEEN_FACTS ||
            !seen_stands(m, m->n_facts, facts))
            return 0;
        for (unsigned k = 0; k < m->n_facts; k++)
            slots[all.n_facts++] = m->facts[k];
        all.digest = hash_mix(all.digest ^ m->digest, t->key);
    }
    all.digest |= 1;
    put(t, &all, facts, slots);
    return all.digest;
}
