/* judge_command.c: commands that change what a controller does, how bad an act is, and what follows from a command. */
#include "baseline/model.h"

#define BIT(a) (UINT64_C(1) << (a))

uint8_t judge_severity_of(uint8_t action)
{
    static const uint64_t critical = BIT(ACT_DOWNLOAD) | BIT(ACT_FIRMWARE) | BIT(ACT_STOP) | BIT(ACT_RESET);
    if (BIT(action) & critical)
        return DEV_CRITICAL;
    return action_changes(action) || action == ACT_UPLOAD ? DEV_MAJOR : DEV_MINOR;
}

uint8_t judge_severity(const struct rec_event *e)
{
    uint8_t worst = judge_severity_of(e->action);
    for (unsigned k = 0; k < e->n_facts; k++)
        if (judge_severity_of(e->facts[k].action) > worst)
            worst = judge_severity_of(e->facts[k].action);
    return e->outcome == OUT_REFUSED && worst > DEV_MAJOR ? DEV_MAJOR : worst; /* it was tried, and did not happen */
}

struct inc_ref judge_command(struct baseline *b, const struct subject *s)
{
    const struct rec_event *e = s->event;
    struct inc_ref none = {0};
    if (!action_commands(e->action) || !s->client)
        return none;
    struct asset *a = asset_at(b, s->client);
    struct link *l = blink_at(b, s->link);
    uint64_t bit = BIT(EVI_CMD_SHIFT + e->action);
    if (a->evidence & bit || partner_evidence(b, a) & bit)
        return none;
    if (life_learns(b, &l->life) && (b->conf.mode == BASE_LEARN || life_learns(b, &a->life))) {
        if (!s->condemned) {
            a->evidence |= bit;
            due(b, &a->dirty);
        }
        return none;
    }
    struct deviation d;
    dev_begin(b, &d, DEV_STATE_COMMAND, s);
    d.severity = judge_severity(e);
    text_command(b, &d, s);
    uint64_t server = s->server ? asset_at(b, s->server)->id : l->id;
    d.fold = fold_id(DEV_STATE_COMMAND, a->id, server, e->action);
    d.first_ns = e->ts_ns;
    return inc_raise(b, &d, true);
}

void judge_commanded(struct baseline *b, const struct subject *s, struct inc_ref inc)
{
    const struct rec_event *e = s->event;
    if (!s->server || !action_commands(e->action) || e->outcome == OUT_REFUSED || e->error)
        return;
    struct asset *a = asset_at(b, s->server);
    if (!a->cmd_ns || e->ts_ns > a->cmd_ns + b->conf.fold_ns)
        a->cmd_acts = 0;
    a->cmd_ns = e->ts_ns;
    a->cmd_acts |= 1u << e->action;
    if (inc.i)
        a->cmd = inc;
}
