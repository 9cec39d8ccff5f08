/* lldp_org.c: TLVs of organizations: IEEE 802.1 and 802.3, PROFINET, LLDP-MED.
 *
 * Spec: IEEE 802.1Q-2018 annex D, IEEE 802.3-2018 79.3, IEC 61158-6-10 (PROFINET), ANSI/TIA-1057 10. */
#include "dissectors/lldp_priv.h"

enum oui { OUI_8021 = 0x0080c2, OUI_8023 = 0x00120f, OUI_PROFINET = 0x000ecf, OUI_MED = 0x0012bb };

static void read_pvid(struct lldp *l, struct cur c)
{
    ev_u64(l->e, LF_PVID, cur_u16be(&c));
}

static void read_vlan(struct lldp *l, struct cur c)
{
    unsigned id = cur_u16be(&c);
    struct span name = cur_bytes(&c, cur_u8(&c));
    if (cur_ok(&c))
        ev_span(l->e, LF_VLAN, ev_text_fmt(l->e, "%u %.*s", id, (int)name.n, name.n ? (const char *)name.p : ""));
}

/* | auto-negotiation 1 | advertised 2 | MAU type 2 | */
static void read_mac_phy(struct lldp *l, struct cur c)
{
    ev_u64(l->e, LF_AUTONEGOTIATION, cur_u8(&c));
    cur_skip(&c, 2);
    ev_u64(l->e, LF_MAU, cur_u16be(&c));
}

static void read_max_frame(struct lldp *l, struct cur c)
{
    ev_u64(l->e, LF_MAX_FRAME, cur_u16be(&c));
}

static void read_port_status(struct lldp *l, struct cur c)
{
    ev_u64(l->e, LF_PN_RT2, cur_u16be(&c) & 3);
    ev_u64(l->e, LF_PN_RT3, cur_u16be(&c) & 7);
}

static void read_alias(struct lldp *l, struct cur c)
{
    lldp_tell(l, LF_PN_ALIAS, OBS_KINDS, cur_rest(&c));
}

static void read_mrp(struct lldp *l, struct cur c)
{
    ev_span(l->e, LF_PN_MRP_DOMAIN, cur_bytes(&c, 16));
}

static void read_chassis_mac(struct lldp *l, struct cur c)
{
    lldp_tell(l, LF_PN_CHASSIS_MAC, OBS_MAC, lldp_mac_text(l->e, cur_bytes(&c, 6)));
}

static void read_med(struct lldp *l, struct cur c)
{
    cur_skip(&c, 2);
    ev_u64(l->e, LF_MED_CLASS, cur_u8(&c));
}

static const struct org_row {
    uint32_t oui;
    uint8_t subtype;
    uint8_t min;             /* octets behind the subtype */
    uint8_t field, obs;      /* of a text, where there is no reader */
    void (*read)(struct lldp *l, struct cur body);
} rows[] = {
    {OUI_8021, 1, 2, 0, 0, read_pvid},
    {OUI_8021, 3, 3, 0, 0, read_vlan},
    {OUI_8023, 1, 5, 0, 0, read_mac_phy},
    {OUI_8023, 4, 2, 0, 0, read_max_frame},
    {OUI_PROFINET, 2, 4, 0, 0, read_port_status},
    {OUI_PROFINET, 3, 1, 0, 0, read_alias},
    {OUI_PROFINET, 4, 16, 0, 0, read_mrp},
    {OUI_PROFINET, 5, 6, 0, 0, read_chassis_mac},
    {OUI_MED, 1, 3, 0, 0, read_med},
    {OUI_MED, 5, 0, LF_HARDWARE, OBS_HARDWARE, NULL},
    {OUI_MED, 6, 0, LF_FIRMWARE, OBS_FIRMWARE, NULL},
    {OUI_MED, 7, 0, LF_SOFTWARE, OBS_SOFTWARE, NULL},
    {OUI_MED, 8, 0, LF_SERIAL, OBS_SERIAL, NULL},
    {OUI_MED, 9, 0, LF_MANUFACTURER, OBS_VENDOR, NULL},
    {OUI_MED, 10, 0, LF_MODEL, OBS_MODEL, NULL},
    {OUI_MED, 11, 0, LF_ASSET, OBS_KINDS, NULL},
};

/* "00-12-0f:3" */
static void tell_other(struct lldp *l, uint32_t oui, uint8_t subtype)
{
    static const char hex[] = "0123456789abcdef";
    char t[16], *p = t;
    for (int shift = 20; shift >= 0; shift -= 4) {
        *p++ = hex[oui >> shift & 15];
        if (shift % 8 == 0)
            *p++ = shift ? '-' : ':';
    }
    if (subtype >= 100)
        *p++ = (char)('0' + subtype / 100);
    if (subtype >= 10)
        *p++ = (char)('0' + subtype / 10 % 10);
    *p++ = (char)('0' + subtype % 10);
    ev_span(l->e, LF_OTHER, ev_text_copy(l->e, t, (uint32_t)(p - t)));
}

void lldp_organization(struct lldp *l, struct cur body)
{
    uint32_t oui = cur_u24be(&body);
    uint8_t subtype = cur_u8(&body);
    if (!cur_ok(&body)) {
        l->e->anomalies |= 1u << LA_LENGTH;
        return;
    }
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        const struct org_row *r = &rows[i];
        if (r->oui != oui || r->subtype != subtype)
            continue;
        if (cur_left(&body) < r->min)
            l->e->anomalies |= 1u << LA_LENGTH;
        else if (r->read)
            r->read(l, body);
        else
            lldp_tell(l, r->field, r->obs, cur_rest(&body));
        return;
    }
    tell_other(l, oui, subtype);
}
