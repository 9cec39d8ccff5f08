/* lldp_schema.c: LLDP as tables. */
#include <stdio.h>

#include "dissectors/lldp_priv.h"

#define C "IEEE 802.1AB-2016 "

/* clang-format off */
static const struct op_row ops[] = {
    {0, OP_ANY_SELECTOR, "announcement", ACT_REPORT, OP_NO_ANSWER, 0, 0, 0, 0},
};

static const struct code_name chassis_types[] = {
    {1, "chassis_component"}, {2, "interface_alias"}, {3, "port_component"}, {4, "mac_address"}, {5, "network_address"},
    {6, "interface_name"}, {7, "local"}, {0, NULL},
};
static const struct code_name port_types[] = {
    {1, "interface_alias"}, {2, "port_component"}, {3, "mac_address"}, {4, "network_address"}, {5, "interface_name"},
    {6, "agent_circuit_id"}, {7, "local"}, {0, NULL},
};
/* Bit numbers; table 8-4. */
static const struct code_name capabilities[] = {
    {0, "other"}, {1, "repeater"}, {2, "bridge"}, {3, "wlan_access_point"}, {4, "router"}, {5, "telephone"},
    {6, "docsis_cable_device"}, {7, "station_only"}, {8, "c_vlan"}, {9, "s_vlan"}, {10, "two_port_mac_relay"},
    {0, NULL},
};
static const struct code_name med_classes[] = {
    {1, "endpoint_class_1"}, {2, "endpoint_class_2"}, {3, "endpoint_class_3"}, {4, "network_connectivity"}, {0, NULL},
};
static const struct code_name rt_states[] = {
    {0, "off"}, {1, "synchronizing"}, {2, "up"}, {3, "down"}, {4, "run"}, {0, NULL},
};

static const struct field_def fields[] = {
    [LF_CHASSIS_TYPE] = {"chassis_type", FT_NAME, false, NULL, chassis_types, "what the chassis id is"},
    [LF_CHASSIS] = {"chassis_id", FT_TEXT, false, NULL, NULL, "the device"},
    [LF_PORT_TYPE] = {"port_type", FT_NAME, false, NULL, port_types, "what the port id is"},
    [LF_PORT] = {"port_id", FT_TEXT, false, NULL, NULL, "its port"},
    [LF_TTL] = {"ttl_s", FT_UINT, false, NULL, NULL, "how long this holds; 0: no longer"},
    [LF_PORT_DESCRIPTION] = {"port_description", FT_TEXT, false, NULL, NULL, "of the port"},
    [LF_NAME] = {"system_name", FT_TEXT, false, NULL, NULL, "name of the device"},
    [LF_DESCRIPTION] = {"system_description", FT_TEXT, false, NULL, NULL, "hardware, operating system, software"},
    [LF_CAPABLE] = {"capabilities", FT_NAME, true, NULL, capabilities, "what it can be"},
    [LF_ENABLED] = {"enabled_capabilities", FT_NAME, true, NULL, capabilities, "what it is"},
    [LF_ADDRESS] = {"management_address", FT_TEXT, true, NULL, NULL, "where it is managed"},
    [LF_INTERFACE] = {"management_interface", FT_UINT, true, NULL, NULL, "number of the interface of that address"},
    [LF_PVID] = {"port_vlan_id", FT_UINT, false, NULL, NULL, "802.1: VLAN of untagged frames"},
    [LF_VLAN] = {"vlan_name", FT_TEXT, true, NULL, NULL, "802.1: VLAN and its name"},
    [LF_AUTONEGOTIATION] = {"autonegotiation", FT_HEX, false, NULL, NULL, "802.3: bit 0 supported, bit 1 enabled"},
    [LF_MAU] = {"mau_type", FT_UINT, false, NULL, NULL, "802.3: operational MAU type (RFC 4836)"},
    [LF_MAX_FRAME] = {"max_frame_size", FT_UINT, false, NULL, NULL, "802.3: longest frame"},
    [LF_PN_RT2] = {"rt_class_2", FT_NAME, false, "profinet", rt_states, "state of the port"},
    [LF_PN_RT3] = {"rt_class_3", FT_NAME, false, "profinet", rt_states, "state of the port"},
    [LF_PN_ALIAS] = {"alias", FT_TEXT, false, "profinet", NULL, "alias of the port"},
    [LF_PN_CHASSIS_MAC] = {"chassis_mac", FT_TEXT, false, "profinet", NULL, "MAC address of the device"},
    [LF_PN_MRP_DOMAIN] = {"mrp_domain", FT_BYTES, true, "profinet", NULL, "UUID of the ring that the port belongs to"},
    [LF_MED_CLASS] = {"device_class", FT_NAME, false, "lldp_med", med_classes, "kind of endpoint"},
    [LF_HARDWARE] = {"hardware_revision", FT_TEXT, false, "lldp_med", NULL, "inventory"},
    [LF_FIRMWARE] = {"firmware_revision", FT_TEXT, false, "lldp_med", NULL, "inventory"},
    [LF_SOFTWARE] = {"software_revision", FT_TEXT, false, "lldp_med", NULL, "inventory"},
    [LF_SERIAL] = {"serial_number", FT_TEXT, false, "lldp_med", NULL, "inventory"},
    [LF_MANUFACTURER] = {"manufacturer", FT_TEXT, false, "lldp_med", NULL, "inventory"},
    [LF_MODEL] = {"model", FT_TEXT, false, "lldp_med", NULL, "inventory"},
    [LF_ASSET] = {"asset_id", FT_TEXT, false, "lldp_med", NULL, "inventory"},
    [LF_OTHER] = {"other_tlv", FT_TEXT, true, NULL, NULL, "OUI and subtype of what is not decoded"},
};

static const struct kind_def kinds[] = {{"port", KIND_NAME}};

static const struct anomaly_def anomalies[] = {
    [LA_OVERRUN] = {"tlv_overrun", 2, "a TLV runs over the end of the frame; " C "9.2.7.7.1"},
    [LA_LENGTH] = {"bad_tlv_length", 2, "a TLV is too short or too long for its type; " C "8.5"},
    [LA_MISSING] = {"mandatory_tlv_missing", 2, "chassis id, port id and time to live have to be there; " C "8.2"},
    [LA_ORDER] = {"tlv_order", 2, "chassis id, port id and time to live have to be first, in this order; " C "8.2"},
    [LA_DUPLICATE] = {"duplicate_tlv", 1, "a TLV that may be there once is there again; " C "8.2, 9.2.7.7.1"},
    [LA_RESERVED] = {"reserved_tlv", 0, "a TLV of a reserved type; " C "8.4.1"},
    [LA_NO_END] = {"end_missing", 0, "the frame ends without an end TLV; " C "8.2"},
    [LA_SUBTYPE] = {"reserved_subtype", 1, "a chassis or port id of a reserved kind; " C "8.5.2.2, 8.5.3.2"},
    [LA_SHUTDOWN] = {"shutdown", 0, "not an error: time to live 0, the port goes away; " C "9.1.2.2"},
};
/* clang-format on */

static void fn_text(uint32_t fn, char *out)
{
    (void)fn;
    snprintf(out, FN_TEXT, "lldp");
}

const struct proto_schema lldp_schema = {
    .name = "lldp",
    .title = "Link Layer Discovery Protocol",
    .spec = "IEEE 802.1AB-2016; 802.1Q annex D, 802.3 79; ANSI/TIA-1057; IEC 61158-6-10",
    .ops = ops,
    .n_ops = ARRAY_LEN(ops),
    .fields = fields,
    .n_fields = LF_COUNT,
    .kinds = kinds,
    .n_kinds = ARRAY_LEN(kinds),
    .anomalies = anomalies,
    .n_anomalies = LA_COUNT,
    .fn_text = fn_text,
};
_Static_assert(ARRAY_LEN(fields) == LF_COUNT && ARRAY_LEN(anomalies) == LA_COUNT, "tables are complete");
