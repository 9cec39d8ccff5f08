/* lldp.c: Link Layer Discovery Protocol: what is connected to which port.
 *
 * Spec: IEEE 802.1AB-2016 (8: TLVs, 9: rules of reception); TLVs of organizations: lldp_org.c.
 *
 *   EtherType 0x88cc, destination 01:80:c2:00:00:0e (or :03, :00)
 *   +--------------------+-----------------+------------------+-----+----------+
 *   | chassis id, type 1 | port id, type 2 | time to live, 3  | ... | end, 0   |
 *   +--------------------+-----------------+------------------+-----+----------+
 *   each: | type 7 bits | length 9 bits | value |
 *
 * The sender is the client. Not decoded: DCBX, link aggregation, power, delays and PTCP of PROFINET, policies and
 * locations of LLDP-MED; they are named by OUI and subtype.
 * Identity: system name, description, capabilities, management addresses, chassis MAC, inventory of LLDP-MED; of
 * devices that put all that into the description, its parts. */
#include "dissectors/lldp_priv.h"

enum { TYPE_PORT = 2, TYPE_MANAGEMENT = 8, MAX_TLVS = 256 };
enum { MANDATORY = 1 << 1 | 1 << 2 | 1 << 3 };
static const uint16_t ethertypes[] = {0x88cc, 0};

static void say(struct lldp *l, enum obs_kind kind, struct span text)
{
    lldp_say(l, kind, text, 80);
}

static struct span next_part(struct span *s)
{
    uint32_t n = 0;
    while (n < s->n && s->p[n] != ',')
        n++;
    struct span part = {s->p, n};
    n += n < s->n;
    s->p += n;
    s->n -= n;
    while (part.n && part.p[0] == ' ')
        part = (struct span){part.p + 1, part.n - 1};
    return part;
}

/* "Siemens, SIMATIC NET, SCALANCE X208, 6GK5 208-0BA10-2AA3, HW: 5, FW: V4.2.0, ...": PROFINET devices name vendor,
 * family, model and order number in this order, and their versions by a prefix. Only where a version is there. */
static void read_parts(struct lldp *l, struct span s)
{
    static const enum obs_kind kinds[] = {OBS_VENDOR, OBS_OTHER, OBS_MODEL, OBS_PRODUCT_CODE};
    struct span part[8], hw = {0}, fw = {0};
    unsigned n = 0, plain = 0;
    while (s.n && n < ARRAY_LEN(part)) {
        struct span p = next_part(&s);
        bool version = p.n > 3 && (p.p[0] == 'H' || p.p[0] == 'F') && p.p[1] == 'W' && p.p[2] == ':';
        if (version)
            *(p.p[0] == 'H' ? &hw : &fw) = (struct span){p.p + 3, p.n - 3};
        else if (!hw.n && !fw.n)
            plain++;
        part[n++] = p;
    }
    if (!fw.n || plain < ARRAY_LEN(kinds))
        return;
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i] != OBS_OTHER)
            say(l, kinds[i], part[i]);
    say(l, OBS_FIRMWARE, fw);
    say(l, OBS_HARDWARE, hw);
}

/* PROFINET devices have their name of station as chassis id, and no system name. */
static void read_station(struct lldp *l)
{
    enum { LOCAL = 7 };
    if (!l->name.n && l->chassis_type == LOCAL)
        say(l, OBS_NAME, l->chassis);
}

/* The TLVs up to the end. False where one runs over the end of the frame. */
static bool read_tlvs(struct lldp *l, struct cur c)
{
    unsigned n = 0;
    while (cur_left(&c) && n < MAX_TLVS) {
        uint16_t head = cur_u16be(&c);
        unsigned type = head >> 9;
        if (cur_ok(&c) && type == 0)
            return true;
        struct cur body = cur_sub(&c, head & 511);
        if (!cur_ok(&c))
            return false;
        if (n < 3 ? type != n + 1 : type >= 1 && type <= 3)
            l->e->anomalies |= 1u << LA_ORDER;
        if (type < TYPE_MANAGEMENT && l->seen >> type & 1) {
            l->e->anomalies |= 1u << LA_DUPLICATE;
        } else {
            l->seen |= type < 32 ? 1u << type : 0;
            lldp_tlv(l, type, body);
        }
        n++;
    }
    l->e->anomalies |= 1u << LA_NO_END;
    return true;
}

static enum verdict verdict_of(uint64_t anomalies)
{
    return anomalies & (1u << LA_OVERRUN | 1u << LA_MISSING | 1u << LA_LENGTH) ? DIS_MALFORMED : DIS_OK;
}

/* ---- announcements that were read before: most of them, each half a minute ---- */

/* What of them is still to be told: the port that the event is about, and anomalies. */
struct note {
    uint16_t anomalies, port_at, port_n;
    bool has_port;
};
_Static_assert(sizeof(struct note) <= sizeof(uint64_t) && LA_COUNT <= 16, "fits a note");

static void keep(const struct lldp *l)
{
    struct note n = {.anomalies = (uint16_t)l->e->anomalies, .has_port = l->seen >> TYPE_PORT & 1};
    struct dis_note d = {0};
    if (l->e->truncated || l->e->text_used > EV_TEXT / 2) /* the port's name once more may find no room */
        return;
    if (l->port_tlv.n) {
        n.port_at = (uint16_t)(l->port_tlv.p - l->x->pdu.p);
        n.port_n = (uint16_t)l->port_tlv.n;
    }
    memcpy(&d.v, &n, sizeof n);
    dis_keep(l->x, &d);
}

static void add_fields(struct event *e, void *arg)
{
    struct lldp *l = arg;
    l->e = e;
    l->again = true;
    read_tlvs(l, cur_span(l->x->pdu));
}

static enum verdict tell_again(struct dis_ctx *x, const struct dis_note *known)
{
    if (ev_message_again(x, &lldp_schema, &known->seen))
        return DIS_OK; /* of what has an anomaly nothing is seen */
    struct dis_note d = *known;
    struct lldp l = {.x = x, .e = ev_begin(x, &lldp_schema, 0, OP_ANY_SELECTOR)}, fields = {.x = x};
    struct cur pdu = cur_span(x->pdu);
    struct note n;
    memcpy(&n, &d.v, sizeof n);
    cur_skip(&pdu, n.port_at);
    if (n.has_port)
        lldp_port(&l, cur_sub(&pdu, n.port_n));
    l.e->anomalies = n.anomalies;
    ev_commit_brief(x, l.e, add_fields, &fields);
    d.seen = ev_seen(x);
    dis_keep(x, &d);
    return verdict_of(n.anomalies);
}

static enum verdict lldp_parse(struct cur pdu, struct dis_ctx *x)
{
    struct lldp l = {.x = x};
    x->dir = DIR_C2S;
    x->dir_sure = 1;
    const struct dis_note *known = dis_known(x);
    if (known)
        return tell_again(x, known);
    l.e = ev_begin(x, &lldp_schema, 0, OP_ANY_SELECTOR);
    bool whole = read_tlvs(&l, pdu);
    if (!whole && !x->cut)
        l.e->anomalies |= 1u << LA_OVERRUN;
    if ((l.seen & MANDATORY) != MANDATORY && !x->cut)
        l.e->anomalies |= 1u << LA_MISSING;
    read_station(&l);
    read_parts(&l, l.description);
    keep(&l);
    enum verdict v = verdict_of(l.e->anomalies);
    ev_commit(x, l.e);
    return v;
}

static enum match lldp_probe(struct cur c, struct dis_ctx *x)
{
    (void)x;
    return cur_left(&c) ? MATCH_YES : MATCH_NO;
}

static const struct proto_schema *const schemas[] = {&lldp_schema, NULL};

const struct dissector dissector_lldp = {
    .name = "lldp",
    .schemas = schemas,
    .transports = DIS_ETH,
    .ethertypes = ethertypes,
    .min_probe = 2,
    .max_pdu = LIM_PDU,
    .probe = lldp_probe,
    .parse = lldp_parse,
};
