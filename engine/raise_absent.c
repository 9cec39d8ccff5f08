/* raise_absent.c: a publisher that did not speak in time, as an alert. */
#include "engine/raise_int.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/evtext.h"

static void flow_of(const struct rec_absent *a, struct alert_flow *f)
{
    *f = (struct alert_flow){
        .flow_id = a->flow_id,
        .src = a->src,
        .dst = a->dst,
        .sport = a->sport,
        .dport = a->dport,
        .vlan = {a->vlan},
        .n_vlan = a->vlan != 0,
        .iface = a->iface,
        .file = a->file,
        .frame = a->frame,
        .l4 = a->l4,
        .has_mac = a->has_mac,
        .has_src = 1,
        .has_dst = 1,
        .has_ports = a->l4 == PROTO_TCP || a->l4 == PROTO_UDP,
        .app = a->schema->name,
    };
    memcpy(f->smac, a->smac, 6);
    memcpy(f->dmac, a->dmac, 6);
}

void raise_absent(struct raise *r, const struct rec_absent *a, uint64_t ts_ns)
{
    struct draft d;
    char src[ADDR_TEXT], unit[FN_TEXT], since[40];
    double promised = (double)(a->due_ns - a->last_ns) / 1e9, silent = (double)(ts_ns - a->last_ns) / 1e9;
    draft_begin(r, &d, &alert_types[AT_ABSENT], ts_ns, a->link);
    flow_of(a, &d.in.flow);
    draft_community(&d);
    draft_sides(r, &d, a->net, &a->src, &a->dst);
    addr_text(&a->src, src);
    raise_date(a->last_ns, since, sizeof since);
    schema_unit_text(a->schema, a->unit, 0, unit);
    struct words object = words_in(d.object, sizeof d.object), why = words_in(d.why, sizeof d.why);
    words_add(&object, "%s%s%s", a->name, a->name[0] ? " " : "", unit);
    words_add(&why, "%s%s%s%s published %s %s and promised another message within %.3g s; since %s none came",
              d.in.src && d.in.src->name ? d.in.src->name : "", d.in.src && d.in.src->name ? " (" : "", src,
              d.in.src && d.in.src->name ? ")" : "", a->schema->name, d.object, promised, since);
    snprintf(d.expected, sizeof d.expected, "a message at least every %.3g s", promised);
    snprintf(d.seen, sizeof d.seen, "none for %.0f s", silent);
    d.in.object = d.object;
    d.in.why = d.why;
    d.in.expected = d.expected;
    d.in.seen = d.seen;
    d.in.first_ns = a->due_ns;
    if (draft_accepted(r, &d))
        return;
    draft_accept(&d, true, "");
    alert_raise(r->c.alerts, &d.in);
}
