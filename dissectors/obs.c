/* obs.c: what is learned of devices, told once. A slot remembers the hash of the last value told under (device, sub,
 * kind); an evicted slot only means that a fact is told twice. */
#include <stdarg.h>

#include "dissectors/runtime.h"
#include "engine/base/hash.h"
#include "engine/base/text.h"

/* Kinds of which a device has several values at a time: the value is part of the key. */
static bool many(unsigned kind)
{
    return kind == OBS_PROTO_ADDR || kind == OBS_CERT || kind == OBS_USER || kind == OBS_MAC || kind == OBS_IP ||
           kind == OBS_OTHER || kind == OBS_SOFTWARE;
}

void dis_sender(struct dis_ctx *x, const struct addr *who, const struct addr *through)
{
    x->rt->acts++;
    x->sender = *who;
    x->through = through ? *through : x->lay ? x->lay->src : x->key->lo;
    x->has_sender = 1;
    if (x->rt->sink->sender)
        x->rt->sink->sender(x->rt->sink_arg, x);
}

static struct span trim(struct span v)
{
    while (v.n && (v.p[v.n - 1] == 0 || v.p[v.n - 1] == ' '))
        v.n--;
    while (v.n && v.p[0] == ' ')
        v = (struct span){v.p + 1, v.n - 1};
    return v;
}

void obs_text(struct dis_ctx *x, const struct proto_schema *s, enum obs_side side, uint32_t sub, enum obs_kind kind,
              struct span value, uint8_t confidence)
{
    struct dis_rt *rt = x->rt;
    value = trim(value);
    if (!value.n)
        return;
    rt->obs_asked++; /* of whom it is told depends on the flow */
    if (__builtin_expect(x->cut, 0) && x->pdu.n && value.p + value.n == x->pdu.p + x->pdu.n)
        return; /* perhaps no more than the beginning of it */
    /* Which end the client is: lo when the sender's side says so. The key needs only to tell the two apart. */
    bool client_sends = x->dir != DIR_S2C;
    bool about_sender = (side == OBS_CLIENT) == client_sends;
    const struct addr *a = x->has_sender && about_sender ? &x->sender
                           : x->lay                      ? (about_sender ? &x->lay->src : &x->lay->dst)
                                                         : &x->key->lo;
    uint64_t v = hash_bytes(rt->hash_key, value.p, value.n) | 1;
    uint64_t key = hash_bytes(rt->hash_key ^ kind, a, sizeof *a) ^ hash_mix(sub, x->key->net);
    if (many(kind))
        key = hash_mix(key, v);
    key |= 1;
    struct obs_slot *set = &rt->obs[(key >> 8) & (rt->conf.n_obs - 1) & ~7u];
    struct obs_slot *slot = NULL;
    for (int i = 0; i < 8; i++) {
        if (set[i].key == key && set[i].value == v)
            return;
        if (set[i].key == key) {
            slot = &set[i];
            break;
        }
        if (!slot && !set[i].key)
            slot = &set[i];
    }
    bool changed = slot && slot->key == key;
    if (!slot) {
        slot = &set[rt->obs_hand++ & 7];
        rt->stats.obs_evicted++;
    }
    *slot = (struct obs_slot){.key = key, .value = v};
    rt->obs_told++;
    rt->acts++;
    struct rt_ident id = {.schema = s, .value = value, .sub = sub, .side = (uint8_t)side, .kind = (uint8_t)kind,
                          .confidence = confidence, .changed = changed};
    rt->sink->ident(rt->sink_arg, x, &id);
}

void obs_fmt(struct dis_ctx *x, const struct proto_schema *s, enum obs_side side, uint32_t sub, enum obs_kind kind,
             uint8_t confidence, const char *fmt, ...)
{
    char t[160];
    va_list ap;
    va_start(ap, fmt);
    if (fmt[0] == '%' && fmt[1] == 's' && !fmt[2]) { /* a text that is there: most often */
        const char *text = va_arg(ap, const char *);
        va_end(ap);
        obs_text(x, s, side, sub, kind, (struct span){(const uint8_t *)text, (uint32_t)strlen(text)}, confidence);
        return;
    }
    unsigned n = text_vfmt(t, sizeof t, fmt, ap);
    va_end(ap);
    obs_text(x, s, side, sub, kind, (struct span){(const uint8_t *)t, n}, confidence);
}

/* ---- messages that were read before ---- */

static struct known_msg *known_at(struct dis_rt *rt, uint64_t digest)
{
    return &rt->known[(digest >> 8) % RT_KNOWN];
}

static uint64_t since_told(const struct dis_rt *rt)
{
    return hash_mix(rt->known_digest, rt->obs_told) | 1;
}

uint64_t dis_digest(const struct dis_ctx *x, struct span s)
{
    return hash_same(x->rt->secret, s.p, s.n);
}

/* The flow stands for all that is known of the message but its bytes: who sends, to whom, in which network. */
const struct dis_note *dis_known(struct dis_ctx *x)
{
    struct dis_rt *rt = x->rt;
    uint64_t d = hash_mix(dis_digest(x, x->pdu), x->flow_id);
    rt->acts++;
    rt->known_digest = hash_mix(d, (uint64_t)x->side << 1 | x->cut);
    const struct known_msg *k = known_at(rt, rt->known_digest);
    return k->digest == since_told(rt) ? &k->note : NULL;
}

void dis_keep(struct dis_ctx *x, const struct dis_note *n)
{
    struct dis_rt *rt = x->rt;
    *known_at(rt, rt->known_digest) = (struct known_msg){since_told(rt), *n};
}
