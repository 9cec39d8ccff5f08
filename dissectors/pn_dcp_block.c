/* pn_dcp_block.c: blocks of DCP: what is asked, told and set.
 *
 * Spec: IEC 61158-6-10 4.3.1.4.
 *   | option 1 | suboption 1 | length 2 | [BlockInfo or BlockQualifier 2] | value | pad to even | */
#include "dissectors/pn_dcp_priv.h"

static void bad(struct dcp *d, enum dcp_anomaly a)
{
    d->e->anomalies |= 1u << a;
}

static void say(struct dcp *d, enum obs_kind kind, struct span text)
{
    if (d->about_sender)
        obs_text(d->x, &pn_dcp_schema, d->x->dir == DIR_S2C ? OBS_SERVER : OBS_CLIENT, OBS_SELF, kind, text, 100);
}

static void value_text(struct item *it, struct span s)
{
    it->v.enc = VE_NOW_TEXT;
    it->v.n = 1;
    it->v.raw = s;
}

static void value_uint(struct item *it, uint64_t v)
{
    it->v.enc = VE_NOW_UINT;
    it->v.n = 1;
    it->v.now.u = v;
}

/* 4.3.1.4.15: labels of a to z, 0 to 9 and '-', up to 63 long, points between them. */
static bool name_permitted(struct span s)
{
    uint32_t label = 0;
    for (uint32_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        bool inner = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && label);
        if (c == '.' ? !label || s.p[i - 1] == '-' : !inner)
            return false;
        label = c == '.' ? 0 : label + 1;
        if (label > 63)
            return false;
    }
    return !s.n || (label && s.p[s.n - 1] != '-' && s.n <= 240);
}

static void read_name(struct dcp *d, struct cur c, struct item *it)
{
    struct span name = cur_rest(&c);
    ev_span(d->e, PF_NAME, name);
    value_text(it, name);
    if (!name_permitted(name))
        bad(d, PA_NAME);
    if (d->service == DCP_SET && !name.n)
        bad(d, PA_NAME_EMPTY);
    say(d, OBS_NAME, name);
}

static void read_type(struct dcp *d, struct cur c, struct item *it)
{
    struct span type = cur_rest(&c);
    ev_span(d->e, PF_TYPE, type);
    value_text(it, type);
    say(d, OBS_MODEL, type);
}

static void read_alias(struct dcp *d, struct cur c, struct item *it)
{
    struct span alias = cur_rest(&c);
    ev_span(d->e, PF_ALIAS, alias);
    value_text(it, alias);
}

static void read_device_id(struct dcp *d, struct cur c, struct item *it)
{
    uint16_t vendor = cur_u16be(&c), device = cur_u16be(&c);
    struct span text = ev_text_fmt(d->e, "0x%04x:0x%04x", vendor, device);
    ev_u64(d->e, PF_VENDOR, vendor);
    ev_u64(d->e, PF_DEVICE, device);
    value_text(it, text);
    say(d, OBS_PRODUCT_CODE, text);
}

static void read_oem_id(struct dcp *d, struct cur c, struct item *it)
{
    uint16_t vendor = cur_u16be(&c), device = cur_u16be(&c);
    ev_u64(d->e, PF_OEM_VENDOR, vendor);
    ev_u64(d->e, PF_OEM_DEVICE, device);
    value_text(it, ev_text_fmt(d->e, "0x%04x:0x%04x", vendor, device));
}

/* The role that says most comes first. */
static void read_role(struct dcp *d, struct cur c, struct item *it)
{
    static const char *const types[] = {"io_device", "plc", "io_device", "engineering"};
    static const uint8_t order[] = {3, 1, 2, 0};
    uint8_t roles = cur_u8(&c);
    const char *type = NULL;
    value_uint(it, roles);
    for (unsigned b = 0; b < 4; b++)
        if (roles >> b & 1)
            ev_u64(d->e, PF_ROLE, b);
    for (unsigned i = 0; i < ARRAY_LEN(order) && !type; i++)
        if (roles >> order[i] & 1)
            type = types[order[i]];
    if (type)
        say(d, OBS_ROLE, (struct span){(const uint8_t *)type, (uint32_t)strlen(type)});
}

static void read_options(struct dcp *d, struct cur c, struct item *it)
{
    (void)it;
    while (cur_left(&c) >= 2) {
        uint8_t option = cur_u8(&c), suboption = cur_u8(&c);
        ev_u64(d->e, PF_OPTION, DCP_CODE(option, suboption));
    }
}

static void read_instance(struct dcp *d, struct cur c, struct item *it)
{
    uint16_t v = cur_u16be(&c);
    ev_u64(d->e, PF_INSTANCE, v);
    value_uint(it, v);
}

static void read_mac(struct dcp *d, struct cur c, struct item *it)
{
    char t[MAC_TEXT];
    struct span mac = cur_bytes(&c, 6);
    if (!mac.n)
        return;
    struct span text = ev_text_copy(d->e, t, mac_text(mac.p, t));
    ev_span(d->e, PF_MAC, text);
    value_text(it, text);
    say(d, OBS_MAC, text);
}

/* | address 4 | mask 4 | gateway 4 | of the suite: DNS servers 4 x 4 | */
static void read_ip(struct dcp *d, struct cur c, struct item *it)
{
    uint32_t ip = cur_u32be(&c), mask = cur_u32be(&c), gateway = cur_u32be(&c);
    const uint8_t octets[4] = {(uint8_t)(ip >> 24), (uint8_t)(ip >> 16), (uint8_t)(ip >> 8), (uint8_t)ip};
    struct addr a = addr_v4(octets);
    char t[ADDR_TEXT];
    struct span text = ev_text_copy(d->e, t, addr_text(&a, t));
    ev_u64(d->e, PF_IP, ip);
    ev_u64(d->e, PF_MASK, mask);
    ev_u64(d->e, PF_GATEWAY, gateway);
    value_text(it, text);
    while (cur_left(&c) >= 4)
        ev_u64(d->e, PF_DNS, cur_u32be(&c));
    if (d->service == DCP_SET && !ip)
        bad(d, PA_IP_ZERO);
    if (!addr_is_nobody(&a))
        say(d, OBS_IP, text);
}

static void read_dhcp(struct dcp *d, struct cur c, struct item *it)
{
    struct span s = cur_rest(&c);
    (void)it;
    ev_span(d->e, PF_DHCP, s);
}

static void read_dhcp_use(struct dcp *d, struct cur c, struct item *it)
{
    uint8_t v = cur_u8(&c);
    ev_u64(d->e, PF_DHCP_USE, v);
    value_uint(it, v);
}

static void read_signal(struct dcp *d, struct cur c, struct item *it)
{
    uint16_t v = cur_u16be(&c);
    ev_u64(d->e, PF_SIGNAL, v);
    value_uint(it, v);
}

static void read_initiative(struct dcp *d, struct cur c, struct item *it)
{
    uint16_t v = cur_u16be(&c);
    ev_u64(d->e, PF_INITIATIVE, v);
    value_uint(it, v);
}

static const struct block {
    uint16_t code, min; /* min: octets of the value */
    void (*read)(struct dcp *d, struct cur value, struct item *it);
} blocks[] = {
    {DCP_CODE(1, 1), 6, read_mac},        {DCP_CODE(1, 2), 12, read_ip},       {DCP_CODE(1, 3), 28, read_ip},
    {DCP_CODE(2, 1), 0, read_type},       {DCP_CODE(2, 2), 0, read_name},      {DCP_CODE(2, 3), 4, read_device_id},
    {DCP_CODE(2, 4), 1, read_role},       {DCP_CODE(2, 5), 0, read_options},   {DCP_CODE(2, 6), 0, read_alias},
    {DCP_CODE(2, 7), 2, read_instance},   {DCP_CODE(2, 8), 4, read_oem_id},    {DCP_CODE(3, 255), 1, read_dhcp_use},
    {DCP_CODE(5, 3), 2, read_signal},     {DCP_CODE(6, 1), 2, read_initiative},
};

static const struct block *find_block(uint32_t code)
{
    static const struct block dhcp = {DCP_CODE(3, 0), 0, read_dhcp};
    for (unsigned i = 0; i < ARRAY_LEN(blocks); i++)
        if (blocks[i].code == code)
            return &blocks[i];
    return code >> 8 == 3 ? &dhcp : NULL;
}

/* BlockInfo of an address, BlockQualifier of a Set: bit 0 permanent, above it what a reset to factory resets. */
static void read_info(struct dcp *d, uint32_t code, uint16_t info)
{
    if (d->service == DCP_SET) {
        ev_u64(d->e, PF_PERMANENT, info & 1);
        if (code == DCP_CODE(5, 6))
            ev_u64(d->e, PF_RESET, info >> 1);
    } else if (code == DCP_CODE(1, 2) || code == DCP_CODE(1, 3)) {
        ev_u64(d->e, PF_IP_STATE, info);
        if (info & 0x80)
            bad(d, PA_IP_CONFLICT);
    }
}

/* The item of that option: the answer fills what the request named. */
static struct item *item_of(struct dcp *d, uint32_t code)
{
    for (unsigned i = 0; i < d->e->n_items && d->type != DCP_REQUEST; i++)
        if (d->e->items[i].first == code)
            return &d->e->items[i];
    return NULL;
}

static struct item *block_item(struct dcp *d, uint32_t code, struct cur value)
{
    const char *name = dcp_parameter_name(code);
    struct item *there = item_of(d, code);
    if (there)
        return there;
    bool search = d->service == DCP_IDENTIFY && d->type == DCP_REQUEST && code == DCP_CODE(2, 2);
    if (search) /* who is called so? */
        return ev_named(d->e, PK_STATION, cur_rest(&value));
    if (!name)
        d->e->anomalies |= 1u << PA_UNKNOWN_BLOCK;
    struct item *it = ev_named(d->e, PK_PARAMETER, name ? (struct span){(const uint8_t *)name, (uint32_t)strlen(name)}
                                                        : ev_text_fmt(d->e, "%u.%u", code >> 8, code & 255));
    it->first = code;
    return it;
}

void dcp_block(struct dcp *d, uint32_t code, struct cur body)
{
    uint16_t info = d->has_info ? cur_u16be(&body) : 0;
    if (!cur_ok(&body)) {
        bad(d, PA_VALUE);
        return;
    }
    struct item *it = block_item(d, code, body);
    const struct block *b = find_block(code);
    if (d->has_info)
        read_info(d, code, info);
    if (!b || !d->has_value)
        return;
    if (cur_left(&body) < b->min)
        bad(d, PA_VALUE);
    else
        b->read(d, body, it);
}

/* | option 1 | suboption 1 | BlockError 1 |: the result of one block of the request. */
void dcp_result(struct dcp *d, struct cur body)
{
    uint8_t option = cur_u8(&body), suboption = cur_u8(&body), error = cur_u8(&body);
    if (!cur_ok(&body)) {
        bad(d, PA_VALUE);
        return;
    }
    ev_u64(d->e, PF_BLOCK_ERROR, error);
    struct item *it = block_item(d, DCP_CODE(option, suboption), (struct cur){0});
    it->status = error;
    if (error && !d->e->error)
        ev_status(d->e, error, true);
}
