/* pn_dcp_schema.c: PROFINET DCP as tables. */
#include <stdio.h>

#include "dissectors/pn_dcp_priv.h"

#define C "IEC 61158-6-10 4.3"

/* clang-format off */
static const struct op_row ops[] = {
    {DCP_FN(DCP_GET, DCP_REQUEST), OP_ANY_SELECTOR, "get", ACT_READ, 0, 0, 0, 0, 0},
    {DCP_FN(DCP_GET, DCP_SUCCESS), OP_ANY_SELECTOR, "get_response", ACT_READ, OP_ANSWER, 0, 0, 0, 0},
    {DCP_FN(DCP_GET, DCP_NOT_SUPPORTED), OP_ANY_SELECTOR, "get_not_supported", ACT_READ, OP_ANSWER, 0, 0, 0, 0},
    /* what is set decides the act: the option and suboption */
    {DCP_FN(DCP_SET, DCP_REQUEST), DCP_CODE(1, 2), "set_ip_address", ACT_CONFIGURE, 0, 0, 0, 0, 0},
    {DCP_FN(DCP_SET, DCP_REQUEST), DCP_CODE(1, 3), "set_ip_suite", ACT_CONFIGURE, 0, 0, 0, 0, 0},
    {DCP_FN(DCP_SET, DCP_REQUEST), DCP_CODE(2, 2), "set_name_of_station", ACT_CONFIGURE, 0, 0, 0, 0, 0},
    {DCP_FN(DCP_SET, DCP_REQUEST), DCP_CODE(5, 3), "signal", ACT_DIAGNOSE, 0, 0, 0, 0, 0},
    {DCP_FN(DCP_SET, DCP_REQUEST), DCP_CODE(5, 5), "factory_reset", ACT_RESET, 0, 0, 0, 0, 0},
    {DCP_FN(DCP_SET, DCP_REQUEST), DCP_CODE(5, 6), "reset_to_factory", ACT_RESET, 0, 0, 0, 0, 0},
    {DCP_FN(DCP_SET, DCP_REQUEST), OP_ANY_SELECTOR, "set", ACT_CONFIGURE, 0, 0, 0, 0, 0},
    {DCP_FN(DCP_SET, DCP_SUCCESS), OP_ANY_SELECTOR, "set_response", ACT_CONFIGURE, OP_ANSWER, 0, 0, 0, 0},
    {DCP_FN(DCP_SET, DCP_NOT_SUPPORTED), OP_ANY_SELECTOR, "set_not_supported", ACT_CONFIGURE, OP_ANSWER, 0, 0, 0, 0},
    {DCP_FN(DCP_IDENTIFY, DCP_REQUEST), OP_ANY_SELECTOR, "identify", ACT_BROWSE, 0, 0, 0, 0, 0},
    {DCP_FN(DCP_IDENTIFY, DCP_SUCCESS), OP_ANY_SELECTOR, "identify_response", ACT_BROWSE, OP_ANSWER, 0, 0, 0, 0},
    {DCP_FN(DCP_HELLO, DCP_REQUEST), OP_ANY_SELECTOR, "hello", ACT_REPORT, OP_NO_ANSWER, 0, 0, 0, 0},
};

const struct code_name dcp_options[] = {
    {DCP_CODE(1, 1), "mac_address"}, {DCP_CODE(1, 2), "ip_address"}, {DCP_CODE(1, 3), "ip_suite"},
    {DCP_CODE(2, 1), "type_of_station"}, {DCP_CODE(2, 2), "name_of_station"}, {DCP_CODE(2, 3), "device_id"},
    {DCP_CODE(2, 4), "device_role"}, {DCP_CODE(2, 5), "device_options"}, {DCP_CODE(2, 6), "alias_name"},
    {DCP_CODE(2, 7), "device_instance"}, {DCP_CODE(2, 8), "oem_device_id"}, {DCP_CODE(2, 9), "standard_gateway"},
    {DCP_CODE(2, 10), "rsi_properties"},
    {DCP_CODE(3, 12), "dhcp_host_name"}, {DCP_CODE(3, 43), "dhcp_vendor"}, {DCP_CODE(3, 54), "dhcp_server"},
    {DCP_CODE(3, 55), "dhcp_parameters"}, {DCP_CODE(3, 60), "dhcp_class"}, {DCP_CODE(3, 61), "dhcp_client_id"},
    {DCP_CODE(3, 81), "dhcp_fqdn"}, {DCP_CODE(3, 97), "dhcp_uuid"}, {DCP_CODE(3, 255), "dhcp_control"},
    {DCP_CODE(5, 1), "start_transaction"}, {DCP_CODE(5, 2), "end_transaction"}, {DCP_CODE(5, 3), "signal"},
    {DCP_CODE(5, 4), "response"}, {DCP_CODE(5, 5), "factory_reset"}, {DCP_CODE(5, 6), "reset_to_factory"},
    {DCP_CODE(6, 1), "device_initiative"},
    {DCP_CODE(7, 1), "nme_domain"}, {DCP_CODE(7, 2), "nme_manager"}, {DCP_CODE(7, 3), "nme_parameter"},
    {DCP_CODE(7, 4), "nme_agent"}, {DCP_CODE(7, 5), "cim_interface"},
    {DCP_CODE(255, 255), "all"}, {0, NULL},
};
static const struct code_name roles[] = {
    {0, "io_device"}, {1, "io_controller"}, {2, "io_multidevice"}, {3, "io_supervisor"}, {0, NULL},
};
static const struct code_name ip_states[] = {
    {0, "not_set"}, {1, "set"}, {2, "set_by_dhcp"}, {128, "not_set_conflict"}, {129, "set_conflict"},
    {130, "set_by_dhcp_conflict"}, {0, NULL},
};
static const struct code_name dhcp_uses[] = {
    {0, "no_dhcp"}, {1, "no_dhcp_reset"}, {2, "dhcp"}, {0, NULL},
};
static const struct code_name resets[] = {
    {1, "application_data"}, {2, "communication_parameters"}, {3, "engineering_parameters"}, {4, "all_stored_data"},
    {5, "engineering_parameters_only"}, {8, "factory_values"}, {9, "restore_data"}, {0, NULL},
};
static const struct code_name errors[] = {
    {0, "ok"}, {1, "option_not_supported"}, {2, "suboption_not_supported"}, {3, "suboption_not_set"},
    {4, "resource_error"}, {5, "not_possible_locally"}, {6, "not_possible_in_operation"},
    {0x100, "service_not_supported"}, {0, NULL},
};

static const struct field_def fields[] = {
    [PF_FRAME_ID] = {"frame_id", FT_HEX, false, NULL, NULL, "FrameID, where it is another service's"},
    [PF_XID] = {"xid", FT_HEX, false, NULL, NULL, "pairs request and response"},
    [PF_DELAY] = {"response_delay", FT_UINT, false, NULL, NULL, "up to so many 10 ms for the answers"},
    [PF_NAME] = {"name_of_station", FT_TEXT, false, NULL, NULL, "name of the device"},
    [PF_TYPE] = {"type_of_station", FT_TEXT, false, NULL, NULL, "the manufacturer's name of the type"},
    [PF_VENDOR] = {"vendor_id", FT_HEX, false, NULL, NULL, "number of the manufacturer"},
    [PF_DEVICE] = {"device_id", FT_HEX, false, NULL, NULL, "the manufacturer's number of the type"},
    [PF_ROLE] = {"role", FT_NAME, true, NULL, roles, "what it is"},
    [PF_ALIAS] = {"alias_name", FT_TEXT, false, NULL, NULL, "port and name of the neighbour"},
    [PF_INSTANCE] = {"device_instance", FT_HEX, false, NULL, NULL, "number of the instance"},
    [PF_OEM_VENDOR] = {"oem_vendor_id", FT_HEX, false, NULL, NULL, "of the brand"},
    [PF_OEM_DEVICE] = {"oem_device_id", FT_HEX, false, NULL, NULL, "of the brand"},
    [PF_OPTION] = {"device_option", FT_NAME, true, NULL, dcp_options, "what can be read and set"},
    [PF_MAC] = {"mac_address", FT_TEXT, false, NULL, NULL, "of the device"},
    [PF_IP] = {"ip_address", FT_IPV4, false, NULL, NULL, "of the device"},
    [PF_MASK] = {"subnet_mask", FT_IPV4, false, NULL, NULL, "of its network"},
    [PF_GATEWAY] = {"gateway", FT_IPV4, false, NULL, NULL, "its router"},
    [PF_DNS] = {"dns_server", FT_IPV4, true, NULL, NULL, "of the full IP suite"},
    [PF_IP_STATE] = {"ip_state", FT_NAME, false, NULL, ip_states, "where the address is from; conflicts"},
    [PF_DHCP] = {"dhcp", FT_BYTES, true, NULL, NULL, "contents of a DHCP option"},
    [PF_DHCP_USE] = {"dhcp_use", FT_NAME, false, NULL, dhcp_uses, "whether it asks for its address by DHCP"},
    [PF_SIGNAL] = {"signal", FT_HEX, false, NULL, NULL, "how the device is to show itself (0x100: flash)"},
    [PF_RESET] = {"reset", FT_NAME, false, NULL, resets, "what is reset"},
    [PF_PERMANENT] = {"permanent", FT_BOOL, false, NULL, NULL, "kept when the power goes"},
    [PF_INITIATIVE] = {"device_initiative", FT_UINT, false, NULL, NULL, "1: says Hello when it starts"},
    [PF_BLOCK_ERROR] = {"block_error", FT_NAME, true, NULL, errors, "result of each option of a Set"},
};

static const struct kind_def kinds[] = {
    [PK_PARAMETER] = {"parameter", KIND_NAME},
    [PK_STATION] = {"station", KIND_NAME},
};

static const struct anomaly_def anomalies[] = {
    [PA_HEADER] = {"short_header", 2, "no room for the header; " C ".1.2"},
    [PA_LENGTH] = {"length_mismatch", 2, "DCPDataLength is beyond the end of the frame; " C ".1.3.6"},
    [PA_BLOCK] = {"block_overrun", 2, "a block runs over the end of the data; " C ".1.4"},
    [PA_VALUE] = {"bad_block", 2, "a block is too short for its contents; " C ".1.4"},
    [PA_SERVICE] = {"unknown_service", 2, "a service id or type that does not exist; " C ".1.3.1"},
    [PA_FRAME_ID] = {"frame_id_mismatch", 2, "the FrameID belongs to another service; IEC 61158-6-10 4.2.2.5"},
    [PA_NAME] = {"bad_name", 1, "a name of station that is not permitted; " C ".1.4.15"},
    [PA_IP_CONFLICT] = {"ip_conflict", 3, "the device says that another has its IP address; " C ".1.4.6"},
    [PA_IP_ZERO] = {"ip_removed", 2, "the IP address is set to 0.0.0.0: the device goes offline; " C ".1.4.8"},
    [PA_NAME_EMPTY] = {"name_removed", 2, "the name of station is set to nothing: nobody finds it; " C ".1.4.15"},
    [PA_UNKNOWN_BLOCK] = {"unknown_option", 0, "an option that the standard does not know; " C ".1.4.1"},
};
/* clang-format on */

static void fn_text(uint32_t fn, char *out)
{
    snprintf(out, FN_TEXT, "%u:%u", fn >> 8, fn & 0xff);
}

const char *dcp_parameter_name(uint32_t code)
{
    return code_name(dcp_options, code);
}

const struct proto_schema pn_dcp_schema = {
    .name = "pn_dcp",
    .title = "PROFINET DCP",
    .spec = "IEC 61158-6-10:2019, 4.3",
    .ops = ops,
    .n_ops = ARRAY_LEN(ops),
    .fields = fields,
    .n_fields = PF_COUNT,
    .kinds = kinds,
    .n_kinds = PK_COUNT,
    .anomalies = anomalies,
    .n_anomalies = PA_COUNT,
    .statuses = errors,
    .fn_text = fn_text,
};
_Static_assert(ARRAY_LEN(fields) == PF_COUNT && ARRAY_LEN(anomalies) == PA_COUNT, "tables are complete");
