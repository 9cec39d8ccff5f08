/* judge_asset.c: is a device, its MAC address, what it says of itself, normal? */
#include "baseline/model.h"
#include "engine/base/obs.h"

void judge_asset(struct baseline *b, uint32_t i, const struct rec_asset *r, uint64_t ts_ns)
{
    struct asset *a = asset_at(b, i);
    struct net_rec *n = net_rec(b, a->net);
    struct subject s = {.ts_ns = ts_ns, .client = i};
    struct incident *into = NULL;
    if (a->life.learned == FACT_LEARNED)
        return;
    bool learns = life_learns(b, &n->life), partner = partner_named(b, a);
    bool may = learns || a->told || partner;
    due(b, &n->dirty);
    due(b, &a->dirty);
    switch (judge_fate(b, &a->life, &a->inc, may, &s, &a->scan, 1, &into)) {
    case FATE_LEARN:
        life_learned(b, &a->life, ts_ns);
        if (partner && !learns)
            a->life.learn_ns = partner_learned_ns(b, a);
        n->life.novelty_ns = clock_of(b);
        n->life.first_ns = n->life.first_ns == ROW_NEVER_NS ? ts_ns : n->life.first_ns;
        break;
    case FATE_FOLD:
        into->d.follow.assets++;
        inc_follow(b, into, ts_ns, 0);
        break;
    case FATE_RAISE: {
        struct deviation d;
        if (judge_flooded(b, DEV_NEW_ASSET, false, ts_ns, &a->life, &a->inc))
            break;
        dev_begin(b, &d, DEV_NEW_ASSET, &s);
        text_asset(b, &d, i, r);
        d.fold = fold_id(DEV_NEW_ASSET, a->id, 0, 0);
        judge_raise(b, &d, &a->life, &a->inc, false);
        break;
    }
    case FATE_KNOWN:
        break;
    }
    asset_rank(b, i);
}

void judge_mac(struct baseline *b, uint32_t i, const uint8_t old[6], const struct rec_asset *r, bool sure)
{
    struct asset *a = asset_at(b, i);
    struct subject s = {.ts_ns = r->ts_ns, .client = i};
    for (unsigned k = 0; k < a->n_macs; k++)
        if (memcmp(a->macs[k], r->mac, 6) == 0 && (a->macs_learned >> k & 1))
            return;
    if (partner_mac(b, a, r->mac)) { /* an address that goes with the role */
        asset_add_mac(b, i, r->mac, false);
        return;
    }
    if (life_learns(b, &a->life) || !a->n_macs) {
        asset_add_mac(b, i, r->mac, true);
        a->life.novelty_ns = clock_of(b);
        return;
    }
    asset_add_mac(b, i, r->mac, false);
    struct deviation d;
    dev_begin(b, &d, DEV_ADDRESS_CONFLICT, &s);
    text_mac(b, &d, i, old, r, sure);
    d.severity = sure ? DEV_MAJOR : DEV_MINOR;
    uint64_t m = 0;
    memcpy(&m, r->mac, 6);
    d.fold = fold_id(DEV_ADDRESS_CONFLICT, a->id, m, 0);
    inc_raise(b, &d, false);
}

enum { HEARSAY = 50 }; /* below: what others call a device, or what anybody could say; no change is judged by it */

static const struct {
    uint8_t kind, type, severity;
} ident_rows[] = {
    {OBS_VENDOR, DEV_IDENTITY_CHANGED, DEV_MAJOR},      {OBS_MODEL, DEV_IDENTITY_CHANGED, DEV_MAJOR},
    {OBS_PRODUCT_CODE, DEV_IDENTITY_CHANGED, DEV_MAJOR},{OBS_SERIAL, DEV_IDENTITY_CHANGED, DEV_MAJOR},
    {OBS_MODULE, DEV_IDENTITY_CHANGED, DEV_MAJOR},      {OBS_DEVICE_TYPE, DEV_IDENTITY_CHANGED, DEV_MAJOR},
    {OBS_PROGRAM, DEV_IDENTITY_CHANGED, DEV_MAJOR},     {OBS_NAME, DEV_IDENTITY_CHANGED, DEV_MINOR},
    {OBS_LOCATION, DEV_IDENTITY_CHANGED, DEV_MINOR},    {OBS_FIRMWARE, DEV_FIRMWARE_CHANGED, DEV_MAJOR},
    {OBS_HARDWARE, DEV_FIRMWARE_CHANGED, DEV_MAJOR},    {OBS_OS, DEV_FIRMWARE_CHANGED, DEV_MINOR},
    {OBS_STATE, DEV_STATE_CHANGED, DEV_WARNING},        {OBS_PROTECTION, DEV_STATE_CHANGED, DEV_WARNING},
};

/* Two protocols tell one change: what became of the word of the first holds for the second. */
static uint8_t told_elsewhere(const struct baseline *b, const struct asset *a, const struct ident *x)
{
    for (uint32_t i = a->idents; i; i = ident_at(b, i)->next) {
        const struct ident *y = ident_at(b, i);
        if (y != x && y->current && y->kind == x->kind && y->sub == x->sub && strcmp(y->value, x->value) == 0 &&
            strcmp(y->source, x->source) != 0)
            return y->learned == FACT_LEARNED ? FACT_LEARNED : FACT_FOLDED;
    }
    return FACT_NEW;
}

/* A device that was stopped says that it stands: what was ordered within the folding window is no finding of its own.
 */
static bool was_ordered(const struct baseline *b, const struct asset *a, uint8_t kind, uint64_t ts_ns)
{
    static const struct {
        uint8_t kind;
        uint32_t acts;
    } rows[] = {
        {OBS_STATE, UINT32_MAX},
        {OBS_PROTECTION, 1u << ACT_MODE | 1u << ACT_DOWNLOAD},
        {OBS_PROGRAM, 1u << ACT_DOWNLOAD},
        {OBS_FIRMWARE, 1u << ACT_FIRMWARE},
    };
    for (unsigned k = 0; k < ARRAY_LEN(rows); k++)
        if (rows[k].kind == kind)
            return a->cmd_ns && ts_ns <= a->cmd_ns + b->conf.fold_ns && a->cmd_acts & rows[k].acts;
    return false;
}

void judge_ident(struct baseline *b, uint32_t ai, uint32_t ii, uint32_t before, const struct rec_ident *r)
{
    struct asset *a = asset_at(b, ai);
    struct ident *x = ident_at(b, ii);
    struct subject s = {.ts_ns = r->ts_ns, .server = ai};
    if (x->learned == FACT_LEARNED)
        return;
    if (!before || r->confidence < HEARSAY || life_learns(b, &a->life)) {
        x->learned = FACT_LEARNED; /* the first word is no change, whatever the mode */
        return;
    }
    uint8_t elsewhere = told_elsewhere(b, a, x);
    if (elsewhere != FACT_NEW) {
        x->learned = elsewhere;
        return;
    }
    for (unsigned k = 0; k < ARRAY_LEN(ident_rows); k++) {
        if (ident_rows[k].kind != r->kind)
            continue;
        struct incident *into = inc_open(b, a->inc, r->ts_ns);
        bool ordered = !into && was_ordered(b, a, r->kind, r->ts_ns);
        if (ordered && (into = inc_open(b, a->cmd, r->ts_ns)))
            into->d.follow.states++;
        x->learned = into || ordered ? FACT_FOLDED : FACT_ALERTED;
        if (into) { /* a device that is new itself has no old identity to lose */
            inc_follow(b, into, r->ts_ns, 0);
            return;
        }
        if (ordered)
            return;
        struct deviation d;
        dev_begin(b, &d, ident_rows[k].type, &s);
        d.severity = ident_rows[k].severity;
        text_ident(b, &d, ai, ii, before, r);
        d.fold = fold_id(d.type, a->id, (uint64_t)r->kind << 32 ^ r->sub,
                         hash_bytes(hash_bytes(HASH_ID_KEY, x->source, strlen(x->source)), x->value, strlen(x->value)));
        d.first_ns = x->first_ns;
        inc_raise(b, &d, false);
        return;
    }
    x->learned = FACT_LEARNED;
}
