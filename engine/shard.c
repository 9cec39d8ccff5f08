/* shard.c: a packet finds its flow; its life. As time passes: shard_tick.c. */
#include "engine/shard.h"

#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/spread.h"
#include "engine/decode.h"
#include "engine/itapp.h"

/* ---- the life of a flow ---- */

void flow_end(struct shard *s, struct flow *f)
{
    stream_drain(s, f);
    if (f->key.proto == PROTO_TCP)
        unseen_end(s, f);
    classify_end(s, f);
    struct dis_ctx x;
    struct chunk none = {.ts_ns = f->last_ns, .side = f->client == 1};
    if (!f->link)
        report_link(s, f);
    make_ctx(s, f, &none, &x);
    flow_rt_end(&x);
    report_counts(s, f);
    stream_free(s, f);
    classify_free(s, f);
    buf_put(&s->states, &f->state);
    itapp_flow_free(f->ndpi);
    f->ndpi = NULL;
    flow_remove(&s->flows, f);
}

static void set_client(struct flow *f, unsigned side, bool sure)
{
    f->client = (uint8_t)side;
    f->sure = sure;
}

/* Who is the client, from the first packet: SYN, who speaks to a group, else the side whose peer uses a known server
 * port. */
static void guess_client(struct shard *s, struct flow *f, unsigned side, const struct layers *l)
{
    const uint16_t *owner = f->key.proto == PROTO_UDP ? s->env->udp_owner : s->env->tcp_owner;
    f->client = 2;
    if (f->key.proto == PROTO_ETH || f->key.proto == PROTO_ICMP || f->key.proto == PROTO_ICMP6) {
        set_client(f, side, layers_to_group(l));
        return;
    }
    if (f->key.proto == PROTO_UDP && layers_to_group(l)) {
        set_client(f, side, true);
        return;
    }
    if (f->key.proto == PROTO_TCP && (l->tcp_flags & TCP_SYN)) {
        set_client(f, l->tcp_flags & TCP_ACK ? 1 - side : side, true);
        return;
    }
    if (f->key.proto != PROTO_TCP && f->key.proto != PROTO_UDP) {
        set_client(f, side, false);
        return;
    }
    bool to_known = owner[l->dport], from_known = owner[l->sport];
    if (to_known != from_known)
        set_client(f, to_known ? side : 1 - side, true);
}

static struct flow *new_flow(struct shard *s, const struct flow_key *k, uint64_t hash, unsigned side,
                             const struct pkt *p, const struct layers *l)
{
    struct flow *f;
    while (!(f = flow_add(&s->flows, k, hash))) {
        s->stats->flow_evicted++;
        flow_end(s, flow_oldest(&s->flows));
    }
    f->first_ns = f->last_ns = p->ts_ns;
    f->id = flow_id_of(k, p->ts_ns);
    f->vlan = inner_vlan(l, p);
    f->outer_vlan = l->n_vlan > 1 ? l->vlan[0] : l->n_vlan ? p->vlan_tci & 0xfffu : 0;
    f->iface = p->iface;
    f->file = p->file;
    f->seen_frame = p->frame;
    f->epoch = s->epoch;
    f->half[0].ooo = f->half[1].ooo = FLOW_NONE;
    flow_rt_init(&f->rt);
    guess_client(s, f, side, l);
    s->stats->flows++;
    return f;
}

static inline void flow_packet(struct shard *s, struct flow *f, unsigned side, const struct pkt *p)
{
    if (f->epoch != s->epoch) { /* the order of use is kept to the second: cheaper, and the same in every run */
        f->epoch = s->epoch;
        flow_touch(&s->flows, f);
    }
    if (p->ts_ns > f->last_ns)
        f->last_ns = p->ts_ns;
    f->packets[side]++;
    f->bytes[side] += p->wirelen;
}

static inline bool other_mac(const struct flow *f, unsigned side, const struct layers *l)
{
    return memcmp(f->mac[0][side], l->smac, 6) != 0;
}

static inline bool macs_before(const struct flow *f, unsigned side, const struct layers *l)
{
    return memcmp(f->mac[1][side], l->smac, 6) == 0 && memcmp(f->mac[1][1 - side], l->dmac, 6) == 0;
}

/* The pair of MAC addresses before becomes the one last seen, and the other way round. */
static void swap_macs(struct flow *f)
{
    uint8_t before[2][6];
    memcpy(before, f->mac[1], sizeof before);
    memcpy(f->mac[1], f->mac[0], sizeof before);
    memcpy(f->mac[0], before, sizeof before);
    f->asset_seen = (uint8_t)((f->asset_seen << 2 | f->asset_seen >> 2) & 15);
}

/* Who sends by this packet. */
static void flow_ends(struct shard *s, struct flow *f, unsigned side, const struct layers *l)
{
    if (l->has_mac && other_mac(f, side, l)) {
        bool known = macs_before(f, side, l);
        swap_macs(f);
        if (!known) {
            memcpy(f->mac[0][side], l->smac, 6);
            memcpy(f->mac[0][1 - side], l->dmac, 6);
            f->has_mac = 1;
            f->asset_seen &= 12;
        }
    }
    if (!(f->asset_seen & 1u << side)) {
        f->asset_seen |= (uint8_t)(1u << side);
        report_asset(s, &l->src, l->has_mac ? l->smac : NULL, addr_is_mac(&l->src) ? ASSET_VIA_L2 : ASSET_VIA_IP,
                     f->key.net);
    }
}

/* The same frame over the other LAN of a redundant network (IEC 62439-3:2016 4.1.10.3), whatever the two differ in
 * delay. Its number does not suffice: who forged one would hide what the other brings. */
static bool is_twin(struct shard *s, const struct pkt *p, const struct job *j)
{
    const struct layers *l = &j->lay;
    struct {
        uint64_t flow;
        uint32_t seq, ack, wire;
        uint8_t smac[6], side, flags;
        uint16_t lan_seq, ip_id;
    } same = {.flow = j->hash, .seq = l->seq, .ack = l->ack, .wire = l->payload_wire, .side = j->side,
              .flags = l->tcp_flags, .lan_seq = l->lan_seq, .ip_id = l->ip_id};
    _Static_assert(sizeof same == 32, "no padding");
    memcpy(same.smac, l->smac, sizeof same.smac);
    uint64_t head = hash_same(s->env->hash_key, &same, sizeof same);
    return s->conf.duplicate_ns &&
           copies_twin(&s->copies, hash_same(head, l->payload, l->payload_len), l->lan_id, p->ts_ns);
}

/* Did this side send the same a moment ago? Where nothing else came in between, it was the datagram before. */
static bool is_sent_before(struct shard *s, const struct flow *f, struct half *h, uint64_t sum, uint64_t ts_ns)
{
    uint64_t before = (uint64_t)h->next << 32 | h->copy_sum, before_ns = h->copy_ns, window_ns = s->conf.duplicate_ns;
    h->next = (uint32_t)(sum >> 32);
    h->copy_sum = (uint32_t)sum;
    h->copy_ns = ts_ns;
    if (__builtin_expect(!copies_near(before_ns, ts_ns, window_ns), 1) || !window_ns)
        return false;
    if (before == sum)
        return true;
    uint64_t sender = f->id * 2 + (h == &f->half[1]);
    copies_add(&s->copies, hash_mix(before, sender), before_ns);
    return copies_has(&s->copies, hash_mix(sum, sender), ts_ns, window_ns);
}

static __attribute__((noinline)) void datagram(struct shard *s, struct flow *f, unsigned side, const struct pkt *p,
                                               const struct layers *l, bool twin)
{
    if (f->key.proto == PROTO_ETH && __builtin_expect(topology_type(l->ethertype), 0))
        topology_frame(s, f, p, l);
    if (f->key.proto == PROTO_ETH && !twin && cyclic_type(l->ethertype))
        cyclic_frame(s, f, side, p, l);
    if (f->class_state == CLASS_GIVEN_UP || !l->payload_len)
        return;
    /* A device that sends the same datagram twice gives it another identification; without one (IPv6, layer 2, IPv4
     * with 0) the bytes alone must tell. */
    uint64_t id = hash_u64(s->env->hash_key, (uint64_t)l->lan_seq << 16 | l->ip_id);
    uint64_t sum = hash_same(id, l->payload, l->payload_len);
    bool copy = is_sent_before(s, f, &f->half[side], sum, p->ts_ns) || twin;
    *(twin ? &s->stats->redundant : &s->stats->duplicates) += copy;
    if (copy && !(f->dis && f->dis->copies))
        return;
    struct chunk c = {.p = l->payload, .len = l->payload_len, .frame = p->frame, .ts_ns = p->ts_ns, .file = p->file,
                      .side = (uint8_t)side, .cut = (l->what & LAY_CUT) != 0, .copy = copy, .lay = l};
    f->half[side].flags |= HALF_DATA;
    if (f->key.proto == PROTO_ETH)
        frame_deliver(s, f, &c);
    else if (f->class_state == CLASS_CLAIMED)
        datagram_deliver(s, f, &c);
    else
        classify(s, f, &c);
}

static inline void flow_payload(struct shard *s, struct flow *f, unsigned side, const struct pkt *p,
                                const struct layers *l, bool twin)
{
    if (f->key.proto != PROTO_TCP)
        datagram(s, f, side, p, l, twin);
    else if (twin)
        s->stats->redundant++;
    else
        stream_segment(s, f, side, p, l);
}

/* A packet's bytes are one record on a worker's ring: never more than the largest datagram and its header, and the IP
 * header only where the payload lies behind it. The same for one worker, which has no ring. */
static void bound_bytes(struct layers *l)
{
    enum { MOST = 65536 + 64 };
    uint32_t room = MOST;
    if (l->l3 && l->l3_len > MOST)
        l->l3_len = MOST;
    if (l->l3 && l->payload && l->payload >= l->l3 && l->payload <= l->l3 + l->l3_len) {
        room = (uint32_t)(l->l3 + l->l3_len - l->payload);
    } else if (l->payload) {
        l->l3 = NULL;
        l->l3_len = 0;
    }
    if (l->payload_len > room) {
        l->payload_len = room;
        l->what |= LAY_CUT;
    }
}

/* The key's two ends in their order; hi: the packet comes from the higher one. */
static bool set_ends(struct flow_key *k, const struct layers *l, uint16_t sport, uint16_t dport)
{
    int order = addr_order(&l->src, &l->dst);
    bool hi = order > 0 || (order == 0 && sport > dport);
    *(hi ? &k->hi : &k->lo) = l->src;
    *(hi ? &k->lo : &k->hi) = l->dst;
    k->lo_port = hi ? dport : sport;
    k->hi_port = hi ? sport : dport;
    return hi;
}

/* Ends that begin with zeros, IPv4 or MAC addresses: in words, and without a branch on which end is the higher one,
 * which is as good as random. Returns the flow's side. */
static inline unsigned set_mapped(struct job *j, uint64_t src, uint64_t dst, uint32_t ports, uint8_t proto,
                                  uint64_t hash_key)
{
    uint64_t a = __builtin_bswap64(src), b = __builtin_bswap64(dst);
    bool hi = a > b;
    if (__builtin_expect(a == b, 0))
        hi = (uint16_t)ports > ports >> 16;
    uint64_t swap = (src ^ dst) & -(uint64_t)hi, lo_end = src ^ swap, hi_end = dst ^ swap;
    uint32_t turn = hi ? 16 : 0;
    uint64_t rest = flow_key_rest(ports << turn | ports >> (-turn & 31), 0, proto);
    j->key.lo = addr_of_end(lo_end);
    j->key.hi = addr_of_end(hi_end);
    memcpy((uint8_t *)&j->key + offsetof(struct flow_key, lo_port), &rest, sizeof rest);
    j->hash = flow_hash_mapped(lo_end, hi_end, rest, hash_key);
    return hi;
}

/* One packet of TCP or UDP, and its payload in it, of no more bytes than a length field counts: nothing to bound. */
static inline void prepare_ip4(const struct shard_env *env, struct job *j)
{
    const struct layers *l = &j->lay;
    uint64_t src, dst;
    memcpy(&src, l->src.b + 8, sizeof src);
    memcpy(&dst, l->dst.b + 8, sizeof dst);
    j->side = (uint8_t)set_mapped(j, src, dst, l->sport | (uint32_t)l->dport << 16, l->ip_proto, env->hash_key);
    j->shard = (uint8_t)spread_ip4_pair(spread_word(l->src.b + 12), spread_word(l->dst.b + 12));
}

static void prepare_frame(const struct shard_env *env, struct job *j)
{
    const struct layers *l = &j->lay;
    uint64_t src, dst;
    memcpy(&src, l->src.b + 8, sizeof src);
    memcpy(&dst, l->dst.b + 8, sizeof dst);
    j->side = (uint8_t)set_mapped(j, src, dst, l->ethertype * UINT32_C(0x10001), PROTO_ETH, env->hash_key);
    j->shard = (uint8_t)spread_shard(&l->src, &l->dst);
}

static void prepare_any(const struct shard_env *env, const struct pkt *p, struct job *j)
{
    const struct layers *l = &j->lay;
    struct flow_key *k = &j->key;
    bound_bytes(&j->lay);
    if (l->reached >= REACHED_L3) {
        j->side = set_ends(k, l, l->sport, l->dport);
        k->proto = l->ip_proto;
    } else {
        j->side = set_ends(k, l, l->ethertype, l->ethertype);
        k->proto = PROTO_ETH;
    }
    k->net = 0;
    k->zero = 0;
    if (env->site->n_networks)
        k->net = site_network(env->site, env->iface_name(env->name_arg, p->iface), l->vlan, l->n_vlan, &l->src,
                              &l->dst);
    j->hash = flow_hash(k, env->hash_key);
    j->shard = (uint8_t)spread_shard(&l->src, &l->dst);
}

void shard_prepare(const struct shard_env *env, const struct pkt *p, struct job *j)
{
    bool one = !env->site->n_networks;
    j->looked = 0;
    if (__builtin_expect(one && j->decoded == DECODED_IP4, 1))
        prepare_ip4(env, j);
    else if (one && j->decoded == DECODED_FRAME && j->lay.payload_len <= UINT16_MAX)
        prepare_frame(env, j);
    else
        prepare_any(env, p, j);
}

void shard_look_bucket(const struct shard_door *d, struct job *j)
{
    j->bucket = &d->buckets[j->hash & d->mask];
    __builtin_prefetch(j->bucket);
    __builtin_prefetch(d->shard);
    __builtin_prefetch(&d->shard->flows.changes);
}

void shard_look_flow(const struct shard *s, struct job *j)
{
    uint32_t i = *j->bucket;
    j->flow = flow_at(&s->flows, i);
    if (!j->flow)
        return;
    __builtin_prefetch(&s->flows.order[i]);
    for (unsigned line = 0; line < FLOW_HOT; line += 64)
        __builtin_prefetch((const char *)j->flow + line);
}

bool shard_look_find(const struct shard *s, struct job *j)
{
    static const struct flow none;
    const struct flow *f = j->flow = flow_find_from(&s->flows, &j->key, j->flow);
    j->looked = s->flows.changes;
    f = f ? f : &none;
    return (f->class_state == CLASS_CLAIMED) & (j->lay.payload_len != 0);
}

/* By now the flow itself is near: what hangs on it comes next. */
void shard_look_state(const struct shard *s, const struct job *j)
{
    const struct flow *f = j->flow;
    __builtin_prefetch(&s->facts);
    rt_fetch(&s->rt);
    const uint8_t *state = f->state.p ? f->state.p : (const uint8_t *)f;
    __builtin_prefetch(state);
    __builtin_prefetch(state + 64);
    rt_fetch_next(&s->rt, &f->rt, f->client == j->side);
    seen_fetch(&s->seen, f->seen.next);
}

/* Where its sender was told of, and the flow that it becomes. */
void shard_look_new(const struct shard *s, const struct job *j)
{
    const struct layers *l = &j->lay;
    const char *f = (const char *)flow_next_free(&s->flows);
    __builtin_prefetch(asset_set(s, asset_digest(s, &l->src, l->has_mac ? l->smac : NULL, j->key.net,
                                               l->n_vlan ? l->vlan[l->n_vlan - 1u] : 0)));
    for (unsigned line = 0; f && line < sizeof(struct flow); line += 64)
        __builtin_prefetch(f + line, 1);
}

/* And what hangs on that. */
void shard_look_on(const struct shard *s, const struct job *j)
{
    rt_fetch_on(&s->rt, &j->flow->rt);
    seen_fetch_on(&s->seen, j->flow->seen.next, &s->facts);
}

void shard_look(const struct shard *s, struct job *j)
{
    j->flow = flow_find(&s->flows, &j->key, j->hash);
    j->looked = s->flows.changes;
}

/* f: NULL where the packet is a fragment. */
static void packet_faults(struct shard *s, struct flow *f, const struct job *j)
{
    static const struct {
        uint32_t what;
        enum packet_fault fault;
    } faults[] = {{LAY_BAD_HEADER, FAULT_HEADER}, {LAY_FRAG_OVERLAP, FAULT_FRAGMENTS}, {LAY_DEEP, FAULT_NESTED}};
    for (unsigned i = 0; i < ARRAY_LEN(faults); i++) {
        if (!(j->lay.what & faults[i].what))
            continue;
        if (f)
            report_fault(s, f, j->side, faults[i].fault);
        else
            report_fragment_fault(s, j, faults[i].fault);
    }
}

/* A piece of a datagram says who sent it, and nothing of a connection: it has no ports. What it brings comes with the
 * last piece. */
static void fragment(struct shard *s, const struct job *j)
{
    const struct layers *l = &j->lay;
    s->stats->fragments_open++;
    report_asset(s, &l->src, l->has_mac ? l->smac : NULL, ASSET_VIA_IP, j->key.net);
    packet_faults(s, NULL, j);
}

/* The one that the connection began with, seen once more on another way through the network, when its data are on
 * their way already (a second mirror port, PRP). */
static bool is_first_syn(const struct shard *s, const struct flow *f, const struct half *h, const struct layers *l)
{
    enum { SOON_BYTES = 65536 };
    static const uint64_t soon_ns = UINT64_C(100000000);
    return h->flags & HALF_SYN && h->next - (l->seq + 1) < SOON_BYTES && s->pkt->ts_ns < f->first_ns + soon_ns;
}

/* A new connection on the same ports: the old one is over. A repeated SYN is not a new one; nor is one in the middle of
 * a connection that both ends still have, which its receiver contradicts (RFC 9293 3.10.7.4, RFC 5961 4): only the
 * SYN+ACK to it makes it one, where answers are seen at all. */
static bool begins_anew(const struct shard *s, struct flow *f, unsigned side, const struct layers *l)
{
    const struct half *h = &f->half[side], *o = &f->half[1 - side];
    if (f->key.proto != PROTO_TCP || !(l->tcp_flags & TCP_SYN))
        return false;
    if (l->tcp_flags & TCP_ACK)
        return f->asks & FLOW_SYN << (1 - side) && l->ack == f->syn + 1;
    if (!(h->flags & HALF_NEXT) || h->next == l->seq + 1)
        return false;
    if (h->flags & o->flags & HALF_FIN)
        return true;
    if (is_first_syn(s, f, h, l))
        return false;
    if (!(o->flags & HALF_SEEN))
        return true;
    f->asks = (uint8_t)((f->asks & ~(FLOW_SYN | FLOW_SYN << 1)) | FLOW_SYN << side);
    f->syn = l->seq;
    return false;
}

/* The connection that a SYN+ACK proved: its SYN came before. */
static void begun_by(struct flow *f, unsigned side, uint32_t syn)
{
    f->half[side].next = syn + 1;
    f->half[side].flags |= HALF_SEEN | HALF_NEXT | HALF_SYN | HALF_SYNC;
}

static bool needs_link(const struct flow *f)
{
    return !f->link && f->client < 2 && f->sure;
}

enum {
    LAY_UNUSUAL = LAY_FRAGMENT | LAY_HSR_PRP | LAY_SPAN_GAP | LAY_ARP | LAY_BAD_HEADER | LAY_FRAG_OVERLAP | LAY_DEEP,
};

/* Packets after which the flow, its ends or its link are not what they were. */
static __attribute__((noinline)) void packet_unusual(struct shard *s, const struct pkt *p, const struct job *j)
{
    const struct layers *l = &j->lay;
    const struct flow_key *k = &j->key;
    unsigned side = j->side;
    if (__builtin_expect(l->what & LAY_SPAN_GAP, 0))
        unseen_add(s, p->iface, l->n_vlan ? l->vlan[l->n_vlan - 1u] : 0, UNSEEN_FRAMES, l->span_lost);
    if (l->what & LAY_ARP) {
        if (!addr_is_nobody(&l->src))
            report_asset(s, &l->src, l->arp_sha, ASSET_VIA_ARP, k->net);
        return;
    }
    if (l->what & LAY_FRAGMENT) {
        fragment(s, j);
        return;
    }
    bool twin = l->what & LAY_HSR_PRP && is_twin(s, p, j);
    struct flow *f = flow_find(&s->flows, k, j->hash);
    if (f && !twin && begins_anew(s, f, side, l)) {
        uint32_t syn = f->syn;
        flow_end(s, f);
        f = new_flow(s, k, j->hash, side, p, l);
        if (l->tcp_flags & TCP_ACK)
            begun_by(f, 1 - side, syn);
    }
    if (!f)
        f = new_flow(s, k, j->hash, side, p, l);
    flow_packet(s, f, side, p);
    flow_ends(s, f, side, l);
    if (needs_link(f))
        report_link(s, f);
    if (__builtin_expect(l->what & (LAY_BAD_HEADER | LAY_FRAG_OVERLAP | LAY_DEEP), 0))
        packet_faults(s, f, j);
    flow_payload(s, f, side, p, l, twin);
}

void shard_packet(struct shard *s, const struct pkt *p, const struct job *j, uint64_t now_ns)
{
    const struct layers *l = &j->lay;
    struct flow *f = j->flow;
    unsigned side = j->side;
    s->pkt = p;
    s->lay = l;
    s->now_ns = now_ns;
    if (__builtin_expect(j->looked != s->flows.changes || !f, 0)) {
        packet_unusual(s, p, j);
        return;
    }
    if (__builtin_expect(other_mac(f, side, l), 0) && l->has_mac && macs_before(f, side, l))
        swap_macs(f);
    if (__builtin_expect(l->what & LAY_UNUSUAL || l->tcp_flags & TCP_SYN ||
                             other_mac(f, side, l) || !(f->asset_seen & 1u << side) || needs_link(f),
                         0)) {
        packet_unusual(s, p, j);
        return;
    }
    flow_packet(s, f, side, p);
    flow_payload(s, f, side, p, l, false);
}
