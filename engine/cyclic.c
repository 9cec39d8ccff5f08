#include "engine/cyclic.h"

#include "dissectors/carrier_ber.h"
#include "engine/base/hash.h"
#include "engine/shard.h"
#include "engine/unseen.h"

enum {
    STEADY = 16,    /* steps alike before one that is larger says something */
    MOST = 64,      /* frames left out at once; more is a sender that began anew */
    QUIET_S = 10,   /* a stream that was quiet for so long gives its place to another */
    RT_FIRST = 0x0100, RT_LAST = 0xfbff, /* FrameIDs of cyclic data (IEC 61158-6-10 table 42) */
    APDU_STATUS = 4,
};

/* The next element is `id`, or the one behind an element `optional` is. */
static inline bool element(struct cur *c, uint32_t optional, uint32_t id, struct ber *ret)
{
    return ber_next(c, ret) && (ret->id != optional || ber_next(c, ret)) && ret->id == id;
}

/* APPID, length, two reserved words; savPdu { noASDU [0], security [1] opt., seqASDU [2] { ASDU { svID [0], datSet [1]
 * opt., smpCnt [2], ... } } }: the first ASDU's. */
static bool sampled_values(struct cur c, uint64_t *stream, uint16_t *count)
{
    struct ber t, id;
    uint16_t appid = cur_u16be(&c);
    cur_skip(&c, 6);
    if (!cur_ok(&c) || !ber_next(&c, &t) || t.id != BER_APP(0))
        return false;
    c = t.body;
    if (!ber_next(&c, &t) || t.id != BER_CTX(0) || !element(&c, BER_CTX(1), BER_CTX(2), &t))
        return false;
    c = t.body;
    if (!ber_next(&c, &t) || t.id != BER_SEQUENCE)
        return false;
    c = t.body;
    if (!ber_next(&c, &id) || id.id != BER_CTX(0) || !element(&c, BER_CTX(1), BER_CTX(2), &t) || t.n != 2)
        return false;
    struct span name = cur_rest(&id.body);
    *stream = hash_bytes(appid, name.p, name.n);
    *count = cur_u16be(&t.body);
    return true;
}

/* FrameID; data; cycle counter, data status, transfer status at the end. */
static bool profinet(struct cur c, uint64_t *stream, uint16_t *count)
{
    uint16_t id = cur_u16be(&c);
    if (id < RT_FIRST || id > RT_LAST || cur_left(&c) < APDU_STATUS)
        return false;
    cur_skip(&c, cur_left(&c) - APDU_STATUS);
    *stream = id;
    *count = cur_u16be(&c);
    return true;
}

void cyclic_frame(struct shard *s, const struct flow *f, unsigned side, const struct pkt *p,
                  const struct layers *l)
{
    struct cur c = cur_make(l->payload, l->payload_len);
    uint64_t stream;
    uint16_t count;
    bool sv = l->ethertype == ETHERTYPE_SV;
    if (!l->payload || l->what & LAY_CUT || !(sv ? sampled_values(c, &stream, &count) : profinet(c, &stream, &count)))
        return;
    uint64_t key = hash_mix(f->id * 2 + side, stream) | 1;
    struct cyclic_stream *t = &s->cyclic.stream[key >> 8 & (CYCLIC_STREAMS - 1)];
    if (t->key != key) {
        if (!t->key || s->now_ns > t->last_ns + QUIET_S * UINT64_C(1000000000))
            *t = (struct cyclic_stream){.key = key, .last_ns = s->now_ns, .last = count};
        return;
    }
    uint16_t up = (uint16_t)(count - t->last);
    bool again = sv && count < t->last; /* smpCnt begins anew with each second */
    t->last = count;
    t->last_ns = s->now_ns;
    if (!up || again)
        return;
    if (up == t->step) {
        t->steady = (uint8_t)(t->steady + (t->steady < STEADY));
    } else if (t->steady >= STEADY && up % t->step == 0 && up / t->step <= MOST) {
        unseen_add(s, p->iface, f->vlan, UNSEEN_MESSAGES, up / t->step - 1u);
    } else {
        t->step = up;
        t->steady = 0;
    }
}
