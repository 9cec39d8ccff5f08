/* lldp_tlv.c: the contents of TLVs: what a device says of itself and of its port. */
#include "dissectors/lldp_priv.h"

enum { FAMILY_IPV4 = 1, FAMILY_IPV6 = 2, FAMILY_802 = 6 }; /* IANA address family numbers */
enum { ID_OTHER, ID_MAC, ID_ADDRESS };

void lldp_say(struct lldp *l, enum obs_kind kind, struct span text, uint8_t confidence)
{
    if (!l->again)
        obs_text(l->x, &lldp_schema, OBS_CLIENT, OBS_SELF, kind, text, confidence);
}

void lldp_tell(struct lldp *l, uint8_t field, unsigned obs, struct span text)
{
    if (!text.n)
        return;
    ev_span(l->e, field, text);
    if (obs < OBS_KINDS)
        lldp_say(l, (enum obs_kind)obs, text, 100);
}

struct span lldp_mac_text(struct event *e, struct span mac)
{
    char t[MAC_TEXT];
    if (mac.n != 6)
        return (struct span){0};
    return ev_text_copy(e, t, mac_text(mac.p, t));
}

/* | family 1 | address |: as people write it; {NULL, 0} for other families or lengths. */
static struct span address_text(struct event *e, struct cur c, struct addr *ret)
{
    char t[ADDR_TEXT];
    uint8_t family = cur_u8(&c);
    struct span a = cur_rest(&c);
    *ret = (struct addr){{0}};
    if (family == FAMILY_802)
        return lldp_mac_text(e, a);
    if ((family != FAMILY_IPV4 || a.n != 4) && (family != FAMILY_IPV6 || a.n != 16))
        return (struct span){0};
    if (a.n == 4)
        *ret = addr_v4(a.p);
    else
        memcpy(ret->b, a.p, 16);
    return ev_text_copy(e, t, addr_text(ret, t));
}

/* | kind 1 | id 1 to 255 |. kinds: how each is written. */
static struct span id_text(struct lldp *l, struct cur c, const uint8_t kinds[8], uint8_t *kind)
{
    struct addr a;
    *kind = cur_u8(&c);
    if (!cur_ok(&c) || !cur_left(&c) || cur_left(&c) > 255)
        l->e->anomalies |= 1u << LA_LENGTH;
    else if (*kind == 0 || *kind > 7)
        l->e->anomalies |= 1u << LA_SUBTYPE;
    struct cur rest = c;
    struct span raw = cur_rest(&c), text = {0};
    if (*kind < 8 && kinds[*kind] == ID_MAC)
        text = lldp_mac_text(l->e, raw);
    else if (*kind < 8 && kinds[*kind] == ID_ADDRESS)
        text = address_text(l->e, rest, &a);
    if (*kind < 8 && kinds[*kind] && !text.n)
        l->e->anomalies |= 1u << LA_LENGTH;
    return text.n ? text : raw;
}

static void read_chassis(struct lldp *l, struct cur c)
{
    static const uint8_t kinds[8] = {[4] = ID_MAC, [5] = ID_ADDRESS};
    l->chassis = id_text(l, c, kinds, &l->chassis_type);
    ev_u64(l->e, LF_CHASSIS_TYPE, l->chassis_type);
    lldp_tell(l, LF_CHASSIS, l->chassis_type == 4 ? OBS_MAC : OBS_KINDS, l->chassis);
}

void lldp_port(struct lldp *l, struct cur c)
{
    static const uint8_t kinds[8] = {[3] = ID_MAC, [4] = ID_ADDRESS};
    struct cur all = c;
    l->port_tlv = cur_rest(&all);
    l->port = id_text(l, c, kinds, &l->port_type);
    if (!l->again)
        ev_named(l->e, 0, l->port);
}

static void read_port(struct lldp *l, struct cur c)
{
    lldp_port(l, c);
    ev_u64(l->e, LF_PORT_TYPE, l->port_type);
    lldp_tell(l, LF_PORT, OBS_KINDS, l->port);
}

static void read_ttl(struct lldp *l, struct cur c)
{
    uint16_t ttl = cur_u16be(&c);
    ev_u64(l->e, LF_TTL, ttl);
    if (!ttl)
        l->e->anomalies |= 1u << LA_SHUTDOWN;
}

static void read_port_description(struct lldp *l, struct cur c)
{
    lldp_tell(l, LF_PORT_DESCRIPTION, OBS_KINDS, cur_rest(&c));
}

static void read_name(struct lldp *l, struct cur c)
{
    l->name = cur_rest(&c);
    lldp_tell(l, LF_NAME, OBS_NAME, l->name);
}

static void read_description(struct lldp *l, struct cur c)
{
    l->description = cur_rest(&c);
    lldp_tell(l, LF_DESCRIPTION, OBS_SOFTWARE, l->description);
}

/* What it is used as: the first of these that is switched on. The others say nothing that an inventory sorts by. */
static void read_capabilities(struct lldp *l, struct cur c)
{
    static const struct {
        uint8_t bit;
        const char *type;
    } types[] = {{4, "router"}, {2, "bridge"}, {3, "wlan access point"}, {5, "telephone"}};
    uint16_t can = cur_u16be(&c);
    l->enabled = cur_u16be(&c);
    for (unsigned b = 0; b < 16; b++)
        if (can >> b & 1)
            ev_u64(l->e, LF_CAPABLE, b);
    for (unsigned b = 0; b < 16; b++)
        if (l->enabled >> b & 1)
            ev_u64(l->e, LF_ENABLED, b);
    for (unsigned i = 0; i < ARRAY_LEN(types); i++)
        if (l->enabled >> types[i].bit & 1) {
            lldp_say(l, OBS_DEVICE_TYPE, (struct span){(const uint8_t *)types[i].type, (uint32_t)strlen(types[i].type)},
                     90);
            break;
        }
}

/* | length 1 | family 1, address | interface numbering 1 | interface 4 | OID length 1 | OID | */
static void read_address(struct lldp *l, struct cur c)
{
    struct addr a;
    struct cur at = cur_sub(&c, cur_u8(&c));
    uint8_t numbering = cur_u8(&c);
    uint32_t interface = cur_u32be(&c);
    cur_skip(&c, cur_u8(&c));
    if (!cur_ok(&c) || cur_left(&at) < 2) {
        l->e->anomalies |= 1u << LA_LENGTH;
        return;
    }
    struct span text = address_text(l->e, at, &a);
    bool mac = cur_peek(&at, 0) == FAMILY_802, device = !mac && text.n && !addr_is_nobody(&a);
    lldp_tell(l, LF_ADDRESS, mac ? OBS_MAC : device ? OBS_IP : OBS_KINDS, text);
    if (numbering > 1)
        ev_u64(l->e, LF_INTERFACE, interface);
}

void lldp_tlv(struct lldp *l, unsigned type, struct cur body)
{
    static const struct row {
        uint16_t min, max;
        void (*read)(struct lldp *l, struct cur body);
    } rows[] = {
        [1] = {2, 256, read_chassis},     [2] = {2, 256, read_port},         [3] = {2, 511, read_ttl},
        [4] = {0, 255, read_port_description}, [5] = {0, 255, read_name},    [6] = {0, 255, read_description},
        [7] = {4, 4, read_capabilities},  [8] = {9, 167, read_address},
    };
    if (type == 127) {
        lldp_organization(l, body);
        return;
    }
    if (type >= ARRAY_LEN(rows) || !rows[type].read) {
        l->e->anomalies |= 1u << LA_RESERVED;
        return;
    }
    if (cur_left(&body) < rows[type].min || cur_left(&body) > rows[type].max)
        l->e->anomalies |= 1u << LA_LENGTH;
    rows[type].read(l, body);
}
