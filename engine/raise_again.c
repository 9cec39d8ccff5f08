/* raise_again.c: messages that a worker only counted, as one of their kind was told. */
#include "engine/raise.h"

/* As far as alerts are told apart by it; its bytes and its event are with the first one. */
static struct rec_event event_of(const struct rec_anomaly *n)
{
    const struct rec_like *k = &n->of;
    return (struct rec_event){
        .schema = n->schema, .op = schema_op(n->schema, k->function, k->selector), .ts_ns = n->ts_ns,
        .ts_first_ns = n->ts_ns, .flow_id = n->flow_id, .link = n->link, .anomalies = k->anomalies,
        .object = k->object, .src = n->src, .dst = n->dst, .sport = n->sport, .dport = n->dport, .net = n->net,
        .file = n->file, .frame = n->frame, .function = k->function, .selector = k->selector, .unit = k->unit,
        .sub = k->sub, .status = k->status, .kind = k->kind, .action = k->action, .outcome = k->outcome, .l4 = n->l4,
        .has_unit = k->has_unit, .error = k->error, .from_client = k->from_client, .app = n->schema->name};
}

void raise_again(struct raise *r, const struct rec_anomaly *n)
{
    struct rec_event ev = event_of(n);
    uint64_t told = 0;
    raise_act_begin(r, &ev);
    r->act.count = n->count;
    if (n->of.hit != REC_NO_HIT) {
        const struct rule_verdict v = {.rule = ruleset_hit(r->c.rules, n->of.hit), .first_ns = n->ts_ns,
                                       .last_ns = n->ts_ns, .count = n->count};
        raise_act_rule(r, n->of.hit, &v);
        told = ruleset_hit_anomalies(r->c.rules, n->of.hit, n->schema);
    }
    raise_act_anomalies(r, ev.anomalies & ~told);
    raise_act_end(r);
}
