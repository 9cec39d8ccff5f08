/* lldp_priv.h: between the files of LLDP. */
#pragma once

#include "dissectors/dissector.h"

enum lldp_field {
    LF_CHASSIS_TYPE, LF_CHASSIS, LF_PORT_TYPE, LF_PORT, LF_TTL, LF_PORT_DESCRIPTION, LF_NAME, LF_DESCRIPTION,
    LF_CAPABLE, LF_ENABLED, LF_ADDRESS, LF_INTERFACE, LF_PVID, LF_VLAN, LF_AUTONEGOTIATION, LF_MAU, LF_MAX_FRAME,
    LF_PN_RT2, LF_PN_RT3, LF_PN_ALIAS, LF_PN_CHASSIS_MAC, LF_PN_MRP_DOMAIN, LF_MED_CLASS, LF_HARDWARE, LF_FIRMWARE,
    LF_SOFTWARE, LF_SERIAL, LF_MANUFACTURER, LF_MODEL, LF_ASSET, LF_OTHER, LF_COUNT
};

enum lldp_anomaly {
    LA_OVERRUN, LA_LENGTH, LA_MISSING, LA_ORDER, LA_DUPLICATE, LA_RESERVED, LA_NO_END, LA_SUBTYPE, LA_SHUTDOWN, LA_COUNT
};

/* One LLDPDU while it is read. */
struct lldp {
    struct dis_ctx *x;
    struct event *e;
    struct span chassis, port, name, description; /* as text */
    uint8_t chassis_type, port_type;
    uint16_t enabled;
    uint32_t seen; /* bit n: TLV type n */
    struct span port_tlv;  /* value of the port id's */
    bool again;            /* only the fields are wanted: all else is known */
};

/* Contents of one TLV. What they tell is put into the event and into l, and told of the device. */
void lldp_tlv(struct lldp *l, unsigned type, struct cur body);
void lldp_organization(struct lldp *l, struct cur body); /* type 127 */
/* The value of a port id TLV: the port's name becomes the event's item. */
void lldp_port(struct lldp *l, struct cur body);
/* obs_text() of the sender. */
void lldp_say(struct lldp *l, enum obs_kind kind, struct span text, uint8_t confidence);
/* The same, and a field. */
void lldp_tell(struct lldp *l, uint8_t field, unsigned obs, struct span text);
/* "00:1b:1b:34:34:ce" */
struct span lldp_mac_text(struct event *e, struct span mac);

extern const struct proto_schema lldp_schema;
