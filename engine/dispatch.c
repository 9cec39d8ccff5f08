/* dispatch.c: one PDU to its dissector, with all that the dissector may know of its surroundings. */
#include "engine/shard.h"

enum {
    LOST_SYNC_MAX = 32, /* segments in a row without a PDU: this is not the protocol, ... */
    PROVEN = 4,         /* ... unless so many PDUs of one direction were: then something is missing */
};

void make_ctx(struct shard *s, struct flow *f, const struct chunk *c, struct dis_ctx *x)
{
    flow_ctx(s, f, c->side, f->key.proto == PROTO_TCP ? DIS_TCP : f->key.proto == PROTO_UDP ? DIS_UDP : DIS_ETH, x);
    x->ts_ns = c->ts_ns;
    x->frame = c->frame;
    x->file = c->file;
    x->cut = c->cut;
    x->copy = c->copy;
    x->lay = c->lay;
}

void flow_layers(const struct flow *f, unsigned side, struct layers *ret)
{
    const struct flow_key *k = &f->key;
    static const uint8_t none[6];
    *ret = (struct layers){
        .reached = k->proto == PROTO_ETH ? REACHED_L2 : REACHED_L4, .ip_proto = k->proto == PROTO_ETH ? 0 : k->proto,
        .src = side ? k->hi : k->lo, .dst = side ? k->lo : k->hi, .sport = side ? k->hi_port : k->lo_port,
        .dport = side ? k->lo_port : k->hi_port,
    };
    memcpy(ret->smac, f->mac[0][side], 6);
    memcpy(ret->dmac, f->mac[0][1 - side], 6);
    ret->has_mac = memcmp(ret->smac, none, 6) != 0;
    if (k->proto == PROTO_ETH) {
        ret->ethertype = k->lo_port;
        ret->sport = ret->dport = 0;
    }
}

/* What a dissector found out about the roles. A certain client (SYN, port) stays, unless the protocol knows better. */
void learn_dir(struct shard *s, struct flow *f, unsigned side, const struct dis_ctx *x)
{
    if (x->dir == DIR_UNKNOWN || (f->sure && !x->dir_sure))
        return;
    uint8_t client = (uint8_t)(x->dir == DIR_C2S ? side : 1 - side);
    if (f->sure && f->client == client)
        return;
    f->client = client;
    f->sure = 1;
    report_link(s, f);
}

/* Where the PDU begins in the packet at hand; 0 when it was put together from several. */
static uint32_t place_in_packet(const struct shard *s, struct span pdu)
{
    uintptr_t at = (uintptr_t)pdu.p - (s->pkt ? (uintptr_t)s->pkt->data : 0); /* huge where it is not in there */
    return s->pkt && at < s->pkt->caplen ? (uint32_t)at : 0;
}

enum verdict dispatch(struct shard *s, struct flow *f, struct dis_ctx *x, struct cur pdu)
{
    struct cur all = pdu;
    x->pdu = cur_rest(&all);
    x->offset = place_in_packet(s, x->pdu);
    x->dir = (uint8_t)flow_dir(f, x->side);
    x->dir_sure = 0;
    if (!f->link && f->client < 2)
        report_link(s, f);
    enum verdict v = f->dis->parse(pdu, x);
    learn_dir(s, f, x->side, x);
    if (__builtin_expect(x->cut, 0) && v == DIS_MALFORMED)
        v = DIS_OK;
    if (v == DIS_MALFORMED)
        s->stats->malformed++;
    return v;
}

static inline void one_datagram(struct shard *s, struct flow *f, struct dis_ctx *x, struct cur pdu)
{
    switch (dispatch(s, f, x, pdu)) {
    case DIS_NOT_MINE:
        s->stats->not_mine++;
        flow_unclaim(s, f);
        break;
    case DIS_LOST:
        s->stats->unsynced_bytes += cur_left(&pdu);
        flow_lost(s, f, x->side);
        break;
    case DIS_MALFORMED:
        f->errors++;
        break;
    case DIS_OK:
        half_good(&f->half[x->side]);
        break;
    }
}

void datagram_deliver(struct shard *s, struct flow *f, const struct chunk *c)
{
    struct dis_ctx x;
    make_ctx(s, f, c, &x);
    one_datagram(s, f, &x, cur_make(c->p, c->len));
    if (__builtin_expect(c->cut, 0) && f->class_state == CLASS_CLAIMED)
        stream_forget(s, f, c->side, c->lay ? c->lay->payload_wire : 0);
}

void frame_dispatch(struct shard *s, struct flow *f, struct dis_ctx *x, struct cur pdu)
{
    x->on_port = f->on_port;
    x->state = f->state.p;
    x->dis = f->dis;
    one_datagram(s, f, x, pdu);
}

bool flow_claim(struct shard *s, struct flow *f, const struct dissector *d, bool on_port)
{
    if (d->flow_size) {
        f->state = buf_get(&s->states, DIS_FLOW_STATE);
        for (uint32_t i = s->flows.used.oldest; !f->state.p && i != FLOW_NONE; i = s->flows.order[i].newer) {
            struct flow *old = &s->flows.flows[i];
            if (old == f || !old->state.p)
                continue;
            s->stats->state_evicted++;
            flow_end(s, old);
            f->state = buf_get(&s->states, DIS_FLOW_STATE);
            break;
        }
        if (!f->state.p)
            return false;
        memset(f->state.p, 0, DIS_FLOW_STATE);
    }
    f->dis = d;
    f->on_port = on_port;
    f->asks &= (uint8_t)~FLOW_APP;
    f->class_state = CLASS_CLAIMED;
    f->half[0].flags |= HALF_SYNC;
    f->half[1].flags |= HALF_SYNC;
    f->half[0].lost_syncs = f->half[1].lost_syncs = PROVEN << 8;
    report_app(s, f, d->schemas[0]->name, false, false, !on_port && foreign_here(s, f));
    return true;
}

/* The flow is not this dissector's after all: the others get a chance with the next payload. */
void flow_unclaim(struct shard *s, struct flow *f)
{
    struct dis_ctx x;
    struct chunk none = {.ts_ns = f->last_ns, .side = f->client == 1};
    for (unsigned i = 0; dissectors[i]; i++)
        if (dissectors[i] == f->dis)
            f->excluded |= UINT64_C(1) << i;
    make_ctx(s, f, &none, &x);
    flow_rt_end(&x);
    buf_put(&s->states, &f->state);
    for (unsigned side = 0; side < 2; side++) {
        buf_put(&s->buffers, &f->rest[side].part);
        f->half[side].part_len = f->rest[side].part_need = 0;
    }
    f->dis = NULL;
    f->candidate = NULL;
    f->undecided = 0;
    f->class_state = CLASS_OPEN;
    f->n_tries = 0;
}

/* On its own port one good PDU proves it; somewhere else it takes a few of one direction. */
static bool is_proven(const struct flow *f)
{
    unsigned a = f->half[0].lost_syncs >> 8, b = f->half[1].lost_syncs >> 8, least = a < b ? a : b;
    return f->on_port ? least < PROVEN : !least;
}

void flow_lost(struct shard *s, struct flow *f, unsigned side)
{
    half_lost(&f->half[side]);
    if ((f->half[side].lost_syncs & 255) <= LOST_SYNC_MAX || is_proven(f))
        return;
    f->lost_owner |= f->on_port != 0;
    flow_unclaim(s, f);
}
