/* accepted.c: alerts that the operator took for normal for good: of rules, anomalies and scans, which have no fact of
 * the model to learn. Few, sorted by key; when the table is full the next one is refused and says so. */
#include <stdlib.h>

#include "baseline/model.h"

static uint32_t place(const struct baseline *b, uint64_t key)
{
    uint32_t lo = 0, hi = b->n_accepted;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (b->accepted[mid].key < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

bool baseline_accepted(const struct baseline *b, uint64_t key)
{
    uint32_t i = b->n_accepted ? place(b, key) : 0;
    return i < b->n_accepted && b->accepted[i].key == key;
}

static void keep(char *to, size_t n, const char *s)
{
    snprintf(to, n, "%s", s ? s : "");
}

int accepted_add(struct baseline *b, const struct row_accepted *r)
{
    uint32_t i = place(b, r->key);
    bool there = i < b->n_accepted && b->accepted[i].key == r->key;
    if (!there && b->n_accepted == LIM_ACCEPTED)
        return -ENOSPC;
    if (!there) {
        memmove(b->accepted + i + 1, b->accepted + i, (b->n_accepted - i) * sizeof *b->accepted);
        b->n_accepted++;
        b->accepted[i] = (struct accepted){.key = r->key, .since_ns = r->since_ns};
    }
    struct accepted *a = &b->accepted[i];
    keep(a->type, sizeof a->type, r->type);
    keep(a->src, sizeof a->src, r->src);
    keep(a->dst, sizeof a->dst, r->dst);
    keep(a->what, sizeof a->what, r->what);
    due(b, &a->dirty);
    return 0;
}

int baseline_accept_alert(struct baseline *b, const struct row_accepted *r, struct err *e)
{
    if (accepted_add(b, r) == 0)
        return 0;
    return err_set(e, -ENOSPC, "%d alerts are accepted already, which is the bound; what is met so often is better "
                               "switched off (rules.disable, alerts.types)", (int)LIM_ACCEPTED);
}
