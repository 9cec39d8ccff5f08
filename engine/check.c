#include "engine/check.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"

enum { ENOUGH = 4 }; /* packets of a conversation from which on it says something */
#define COPY_NS UINT64_C(2000000)

int check_open(struct check *c, const struct site *site, struct err *e)
{
    struct decode_limits lim = {.frag_datagrams = 256, .frag_bytes = 1 << 20, .batch = 1, .hash_key = HASH_ID_KEY};
    memset(c, 0, sizeof *c);
    c->site = site;
    c->decoder = decoder_new(&lim);
    c->talk = calloc(CHECK_TALKS, sizeof *c->talk);
    c->asset_seen = calloc(site->n_assets + 1, sizeof *c->asset_seen);
    if (c->decoder && c->talk && c->asset_seen)
        return 0;
    check_close(c);
    return err_set(e, -ENOMEM, "no memory");
}

void check_close(struct check *c)
{
    decoder_free(c->decoder);
    free(c->talk);
    free(c->asset_seen);
    memset(c, 0, sizeof *c);
}

static struct check_talk *talk_of(struct check *c, const struct layers *l, unsigned *side)
{
    uint64_t a = hash_bytes(l->sport, &l->src, sizeof l->src), b = hash_bytes(l->dport, &l->dst, sizeof l->dst);
    uint64_t key = hash_mix(a < b ? a : b, a < b ? b : a) ^ l->ip_proto;
    key += !key;
    *side = a > b;
    for (uint64_t i = key, n = 0; n < 32; i++, n++) {
        struct check_talk *t = &c->talk[i % CHECK_TALKS];
        if (t->key == key)
            return t;
        if (!t->key) {
            t->key = key;
            c->n_talks++;
            return t;
        }
    }
    return NULL;
}

/* The same packet once more, a moment later: addresses of the link, tags, TTL and header checksum may differ. */
static bool is_copy(struct check_talk *t, unsigned side, const struct layers *l, uint64_t ts_ns)
{
    struct {
        uint32_t seq, ack, len;
        uint16_t id, flags;
    } same = {l->seq, l->ack, l->payload_len, l->ip_id, l->tcp_flags};
    uint64_t h = hash_bytes(hash_bytes(1, &same, sizeof same), l->payload, l->payload ? l->payload_len : 0);
    uint32_t sum = (uint32_t)(h ^ h >> 32);
    bool copy = sum == t->last_sum[side] && ts_ns - t->last_ns <= COPY_NS;
    t->last_sum[side] = sum;
    return copy;
}

/* What one side acknowledges and the other was never seen to send was lost on the way to us. */
static void sequence(struct check *c, struct check_talk *t, unsigned side, const struct layers *l)
{
    uint32_t end = l->seq + l->payload_wire + ((l->tcp_flags & (TCP_SYN | TCP_FIN)) != 0), far = t->next[1 - side];
    t->begun |= (l->tcp_flags & TCP_SYN) != 0;
    t->data |= l->payload_wire > 0;
    if (!(t->has_next & 1u << side) || (int32_t)(end - t->next[side]) > 0 || l->tcp_flags & TCP_SYN)
        t->next[side] = end;
    t->has_next |= (uint8_t)(1u << side);
    c->data_bytes += l->payload_wire;
    if (!(l->tcp_flags & TCP_ACK) || !(t->has_next & 1u << (1 - side)) || l->tcp_flags & (TCP_SYN | TCP_RST))
        return;
    int32_t unseen = (int32_t)(l->ack - far);
    if (unseen > 0 && unseen < 1 << 24) {
        c->acked_unseen += (uint32_t)unseen;
        t->next[1 - side] = l->ack;
    }
}

static void network(struct check *c, const struct layers *l)
{
    const uint8_t *b = l->src.b + 12;
    uint32_t net = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8;
    unsigned i = 0;
    while (i < c->n_nets && c->net[i].net != net)
        i++;
    if (i == CHECK_NETS)
        return;
    c->n_nets += i == c->n_nets;
    c->net[i].net = net;
    c->net[i].packets++;
    c->net[i].hosts[b[3] / 64] |= UINT64_C(1) << b[3] % 64;
}

static void addresses(struct check *c, const struct layers *l)
{
    struct addr as[] = {l->src, addr_mac(l->smac)};
    const struct site_who w = {.a = as, .n = l->has_mac ? 2 : 1};
    const struct site_asset *a = site_asset_of(c->site, &w);
    if (a)
        c->asset_seen[a - c->site->assets] = true;
    if (l->ip_ver == 4 && !addr_is_nobody(&l->src))
        network(c, l);
}

void check_packet(struct check *c, const struct pkt *p)
{
    struct layers l;
    unsigned side;
    decode(c->decoder, p, &l);
    c->first_ns = c->packets++ ? c->first_ns : p->ts_ns;
    c->last_ns = p->ts_ns > c->last_ns ? p->ts_ns : c->last_ns;
    c->bytes += p->wirelen;
    c->largest = p->wirelen > c->largest ? p->wirelen : c->largest;
    c->cut += (p->flags & PKT_CUT) != 0;
    c->tunnels += (l.what & LAY_TUNNEL) != 0;
    if (l.reached < REACHED_L2) {
        c->undecoded++;
        return;
    }
    c->vlan[l.n_vlan ? l.vlan[l.n_vlan - 1u] & 4095u : 0]++;
    bool group = layers_to_group(&l);
    c->groups += group;
    c->unicast += !group;
    addresses(c, &l);
    bool ports = l.reached == REACHED_L4;
    if (ports && (l.ip_proto == PROTO_TCP || l.ip_proto == PROTO_UDP))
        c->by_port[l.ip_proto == PROTO_UDP][l.sport < l.dport ? l.sport : l.dport]++;
    struct check_talk *t = group ? NULL : talk_of(c, &l, &side);
    if (!t)
        return;
    bool copy = is_copy(t, side, &l, p->ts_ns);
    t->last_ns = p->ts_ns;
    c->copies += copy;
    if (copy)
        return;
    t->packets[side]++;
    t->vlan[side] = l.n_vlan ? l.vlan[l.n_vlan - 1u] : 0;
    t->tcp = ports && l.ip_proto == PROTO_TCP;
    c->tcp += t->tcp;
    if (t->tcp)
        sequence(c, t, side, &l);
}

void check_sum(const struct check *c, struct check_sum *ret)
{
    *ret = (struct check_sum){0};
    for (unsigned i = 0; i < CHECK_TALKS; i++) {
        const struct check_talk *t = &c->talk[i];
        if (!t->key || t->packets[0] + t->packets[1] < ENOUGH)
            continue;
        bool both = t->packets[0] && t->packets[1];
        ret->talks++;
        ret->both += both;
        ret->one += !both && (!t->tcp || t->data);
        ret->split_vlan += both && t->vlan[0] != t->vlan[1];
        ret->tcp_talks += t->tcp;
        ret->midstream += t->tcp && !t->begun;
    }
    for (uint32_t i = 0; i < c->site->n_assets; i++)
        ret->assets_missing += !c->asset_seen[i];
}
