/* enip_cip_schema.c: the tables of CIP: services by code and object class, their bodies, fields, kinds, anomalies.
 *
 * Spec: CIP Vol 1, table and A-4 (common services), 5A (services of the objects); Vol 2, 5; Vol 5 (CIP Safety);
 * Vol 7 (Modbus); Vol 9 (CIP Motion); Rockwell 1756-PM020. Services of Rockwell's own classes beyond that manual
 * (0x64-0x74, 0x8e, 0xa1, 0xac, 0xb2) are named after what engineering stations are seen to do with them. */
#include "dissectors/enip_int.h"

#define ANY OP_ANY_SELECTOR
#define R(fn, sel, name, act) {fn, sel, name, act, 0, 0, 0, 0, 0},
#define UNKNOWN(fn) {0x##fn, ANY, "service_0x" #fn, ACT_OTHER, 0, 0, 0, 0, 0},

static const struct op_row cip_ops[] = {
    /* clang-format off */
    R(0x01, ANY,  "get_attributes_all", ACT_READ)
    R(0x02, 0x8b, "set_attributes_all", ACT_TIME)
    R(0x02, ANY,  "set_attributes_all", ACT_CONFIGURE)
    R(0x03, ANY,  "get_attribute_list", ACT_READ)
    R(0x04, 0x04, "set_attribute_list", ACT_WRITE)
    R(0x04, 0x43, "set_attribute_list", ACT_TIME)
    R(0x04, 0x68, "set_attribute_list", ACT_DOWNLOAD)
    R(0x04, 0x6b, "set_attribute_list", ACT_DOWNLOAD)
    R(0x04, 0x6c, "set_attribute_list", ACT_DOWNLOAD)
    R(0x04, 0x6d, "set_attribute_list", ACT_DOWNLOAD)
    R(0x04, 0x70, "set_attribute_list", ACT_DOWNLOAD)
    R(0x04, 0x8b, "set_attribute_list", ACT_TIME)
    R(0x04, ANY,  "set_attribute_list", ACT_CONFIGURE)
    R(0x05, ANY,  "reset", ACT_RESET)
    R(0x06, 0x01, "start", ACT_START)
    R(0x06, 0x64, "start", ACT_START)
    R(0x06, 0x68, "start", ACT_START)
    R(0x06, 0x70, "start", ACT_START)
    R(0x06, 0x8e, "set_run_mode", ACT_START)
    R(0x06, ANY,  "start", ACT_CONTROL)
    R(0x07, 0x01, "stop", ACT_STOP)
    R(0x07, 0x64, "stop", ACT_STOP)
    R(0x07, 0x68, "stop", ACT_STOP)
    R(0x07, 0x70, "stop", ACT_STOP)
    R(0x07, 0x8e, "set_program_mode", ACT_STOP)
    R(0x07, ANY,  "stop", ACT_CONTROL)
    R(0x08, 0x67, "create", ACT_SESSION)
    R(0x08, 0x68, "create", ACT_DOWNLOAD)
    R(0x08, 0x69, "create", ACT_DOWNLOAD)
    R(0x08, 0x6a, "create", ACT_DOWNLOAD)
    R(0x08, 0x6b, "create", ACT_DOWNLOAD)
    R(0x08, 0x6c, "create", ACT_DOWNLOAD)
    R(0x08, 0x6d, "create", ACT_DOWNLOAD)
    R(0x08, 0x70, "create", ACT_DOWNLOAD)
    R(0x08, 0x72, "create", ACT_SESSION)
    R(0x08, 0x7e, "create", ACT_DOWNLOAD)
    R(0x08, 0xb2, "create", ACT_SESSION)
    R(0x08, ANY,  "create", ACT_CONFIGURE)
    R(0x09, 0x68, "delete", ACT_DOWNLOAD)
    R(0x09, 0x69, "delete", ACT_DOWNLOAD)
    R(0x09, 0x6a, "delete", ACT_DOWNLOAD)
    R(0x09, 0x6b, "delete", ACT_DOWNLOAD)
    R(0x09, 0x6c, "delete", ACT_DOWNLOAD)
    R(0x09, 0x6d, "delete", ACT_DOWNLOAD)
    R(0x09, 0x70, "delete", ACT_DOWNLOAD)
    R(0x09, 0x72, "delete", ACT_SESSION)
    R(0x09, 0x7e, "delete", ACT_DOWNLOAD)
    R(0x09, 0xb2, "delete", ACT_SESSION)
    R(0x09, ANY,  "delete", ACT_CONFIGURE)
    R(0x0a, ANY,  "multiple_service_packet", ACT_OTHER)
    R(0x0d, ANY,  "apply_attributes", ACT_CONFIGURE)
    R(0x0e, ANY,  "get_attribute_single", ACT_READ)
    R(0x10, 0x04, "set_attribute_single", ACT_WRITE)
    R(0x10, 0x08, "set_attribute_single", ACT_WRITE)
    R(0x10, 0x09, "set_attribute_single", ACT_WRITE)
    R(0x10, 0x0a, "set_attribute_single", ACT_WRITE)
    R(0x10, 0x0b, "set_attribute_single", ACT_WRITE)
    R(0x10, 0x43, "set_attribute_single", ACT_TIME)
    R(0x10, 0x8b, "set_attribute_single", ACT_TIME)
    R(0x10, ANY,  "set_attribute_single", ACT_CONFIGURE)
    R(0x11, ANY,  "find_next_object_instance", ACT_BROWSE)
    R(0x15, ANY,  "restore", ACT_CONFIGURE)
    R(0x16, ANY,  "save", ACT_CONFIGURE)
    R(0x17, ANY,  "nop", ACT_OTHER)
    R(0x18, ANY,  "get_member", ACT_READ)
    R(0x19, ANY,  "set_member", ACT_WRITE)
    R(0x1a, ANY,  "insert_member", ACT_CONFIGURE)
    R(0x1b, ANY,  "remove_member", ACT_CONFIGURE)
    R(0x1c, ANY,  "group_sync", ACT_OTHER)
    R(0x1d, ANY,  "get_connection_point_member_list", ACT_READ)
    R(0x4b, 0x37, "initiate_upload", ACT_UPLOAD)
    R(0x4b, 0x3a, "reset_error", ACT_RESET)
    R(0x4b, 0x42, "get_axis_attribute_list", ACT_READ)
    R(0x4b, 0x44, "read_discrete_inputs", ACT_READ)
    R(0x4b, 0x64, "service_0x4b", ACT_READ)
    R(0x4b, 0x67, "execute_pccc", ACT_OTHER)
    R(0x4b, 0x68, "list_instances", ACT_BROWSE)
    R(0x4b, 0x69, "list_instances", ACT_BROWSE)
    R(0x4b, 0x6a, "list_instances", ACT_BROWSE)
    R(0x4b, 0x6b, "list_instances", ACT_BROWSE)
    R(0x4b, 0x6c, "list_instances", ACT_BROWSE)
    R(0x4b, 0x6d, "list_instances", ACT_BROWSE)
    R(0x4b, 0x70, "list_instances", ACT_BROWSE)
    R(0x4b, 0x74, "acquire_lock", ACT_LOCK)
    R(0x4b, 0x8c, "list_instances", ACT_BROWSE)
    R(0x4b, 0xa1, "update_memory", ACT_FIRMWARE)
    R(0x4b, 0xf3, "kick_timer", ACT_OTHER)
    R(0x4b, 0xf6, "get_and_clear", ACT_DIAGNOSE)
    UNKNOWN(4b)
    R(0x4c, 0x37, "initiate_download", ACT_FILE)
    R(0x4c, 0x39, "recover", ACT_RESET)
    R(0x4c, 0x42, "set_axis_attribute_list", ACT_CONFIGURE)
    R(0x4c, 0x44, "read_coils", ACT_READ)
    R(0x4c, 0x67, "execute_local_pccc", ACT_OTHER)
    R(0x4c, 0x6b, "read_tag", ACT_READ)
    R(0x4c, 0x6c, "read_template", ACT_BROWSE)
    R(0x4c, 0x6d, "read_routine", ACT_UPLOAD)
    R(0x4c, 0x72, "read_watch_list", ACT_READ)
    R(0x4c, 0x74, "release_lock", ACT_LOCK)
    R(0x4c, 0xa1, "read_memory", ACT_UPLOAD)
    R(0x4c, 0xb2, "read_tag_list", ACT_READ)
    R(0x4c, 0xf3, "open_connection", ACT_SESSION)
    R(0x4c, 0xf5, "get_and_clear", ACT_DIAGNOSE)
    R(0x4c, 0xf6, "get_and_clear", ACT_DIAGNOSE)
    UNKNOWN(4c)
    R(0x4d, 0x37, "initiate_partial_read", ACT_UPLOAD)
    R(0x4d, 0x42, "set_cyclic_write_list", ACT_CONFIGURE)
    R(0x4d, 0x44, "read_input_registers", ACT_READ)
    R(0x4d, 0x6b, "write_tag", ACT_WRITE)
    R(0x4d, 0x6d, "write_routine", ACT_DOWNLOAD)
    R(0x4d, 0xa1, "transfer_memory", ACT_FIRMWARE)
    R(0x4d, 0xf3, "close_connection", ACT_SESSION)
    UNKNOWN(4d)
    R(0x4e, 0x06, "forward_close", ACT_SESSION)
    R(0x4e, 0x37, "initiate_partial_write", ACT_FILE)
    R(0x4e, 0x39, "perform_diagnostics", ACT_DIAGNOSE)
    R(0x4e, 0x42, "set_cyclic_read_list", ACT_CONFIGURE)
    R(0x4e, 0x44, "read_holding_registers", ACT_READ)
    R(0x4e, 0x6b, "read_modify_write_tag", ACT_WRITE)
    R(0x4e, 0x72, "add_to_watch_list", ACT_SESSION)
    R(0x4e, 0xb2, "add_to_tag_list", ACT_SESSION)
    R(0x4e, 0xf3, "stop_connection", ACT_SESSION)
    UNKNOWN(4e)
    R(0x4f, 0x37, "upload_transfer", ACT_UPLOAD)
    R(0x4f, 0x39, "configure_request", ACT_CONFIGURE)
    R(0x4f, 0x42, "run_motor_test", ACT_CONTROL)
    R(0x4f, 0x44, "write_coils", ACT_WRITE)
    R(0x4f, 0x6a, "read_tag_data", ACT_UPLOAD)
    R(0x4f, 0xf3, "change_start", ACT_CONFIGURE)
    UNKNOWN(4f)
    R(0x50, 0x37, "download_transfer", ACT_FILE)
    R(0x50, 0x39, "validate_configuration", ACT_CONFIGURE)
    R(0x50, 0x42, "get_motor_test_data", ACT_READ)
    R(0x50, 0x44, "write_holding_registers", ACT_WRITE)
    R(0x50, 0x6a, "write_tag_data", ACT_DOWNLOAD)
    R(0x50, 0xf3, "get_status", ACT_READ)
    UNKNOWN(50)
    R(0x51, 0x37, "clear_file", ACT_FILE)
    R(0x51, 0x39, "set_password", ACT_AUTHENTICATE)
    R(0x51, 0x42, "run_inertia_test", ACT_CONTROL)
    R(0x51, 0x44, "modbus_passthrough", ACT_OTHER)
    R(0x51, 0xf3, "change_complete", ACT_CONFIGURE)
    UNKNOWN(51)
    R(0x52, 0x06, "unconnected_send", ACT_OTHER)
    R(0x52, 0x39, "configuration_lock_or_unlock", ACT_LOCK)
    R(0x52, 0x42, "get_inertia_test_data", ACT_READ)
    R(0x52, 0x6b, "read_tag_fragmented", ACT_READ)
    R(0x52, 0xf3, "audit_changes", ACT_DIAGNOSE)
    UNKNOWN(52)
    R(0x53, 0x39, "mode_change", ACT_MODE)
    R(0x53, 0x42, "run_hookup_test", ACT_CONTROL)
    R(0x53, 0x6b, "write_tag_fragmented", ACT_WRITE)
    UNKNOWN(53)
    R(0x54, 0x06, "forward_open", ACT_SESSION)
    R(0x54, 0x39, "safety_reset", ACT_RESET)
    R(0x54, 0x42, "get_hookup_test_data", ACT_READ)
    UNKNOWN(54)
    R(0x55, 0x39, "reset_password", ACT_AUTHENTICATE)
    R(0x55, 0x6b, "get_instance_attribute_list", ACT_BROWSE)
    R(0x55, 0x6c, "get_instance_attribute_list", ACT_BROWSE)
    UNKNOWN(55)
    R(0x56, 0x06, "get_connection_data", ACT_DIAGNOSE)
    R(0x56, 0x39, "propose_tunid", ACT_CONFIGURE)
    UNKNOWN(56)
    R(0x57, 0x06, "search_connection_data", ACT_DIAGNOSE)
    R(0x57, 0x39, "apply_tunid", ACT_CONFIGURE)
    UNKNOWN(57)
    R(0x58, 0x39, "propose_tunid_list", ACT_CONFIGURE)
    UNKNOWN(58)
    R(0x59, 0x39, "apply_tunid_list", ACT_CONFIGURE)
    UNKNOWN(59)
    R(0x5a, 0x06, "get_connection_owner", ACT_DIAGNOSE)
    UNKNOWN(5a)
    R(0x5b, 0x06, "large_forward_open", ACT_SESSION)
    UNKNOWN(5b)
    UNKNOWN(5c) UNKNOWN(5d) UNKNOWN(5e) UNKNOWN(5f) UNKNOWN(60) UNKNOWN(61) UNKNOWN(62) UNKNOWN(63)
    /* clang-format on */
};

/* How the data of a service is read. Common services (Vol 1, A-3): the same for every class, by their code. */
static const struct cip_body common[] = {
    /* clang-format off */
    [0x01] = {0x01, ANY, NULL,              attr_all_rsp},
    [0x03] = {0x03, ANY, attr_list_get_req, attr_list_get_rsp},
    [0x04] = {0x04, ANY, attr_list_set_req, attr_list_set_rsp},
    [0x05] = {0x05, ANY, reset_req,         body_raw_rsp},
    [0x06] = {0x06, ANY, body_raw_req,      mode_rsp},
    [0x07] = {0x07, ANY, body_raw_req,      mode_rsp},
    [0x0a] = {0x0a, ANY, NULL,              NULL},
    [0x0e] = {0x0e, ANY, attr_single_req,   attr_single_rsp},
    [0x10] = {0x10, ANY, attr_single_req,   attr_single_rsp},
    /* clang-format on */
};

/* Services of an object, by code. */
enum { FIRST_BODY = 0x4b, MAX_BODIES = 6 /* classes of one code, and the end */ };
static const struct cip_body bodies[][MAX_BODIES] = {
    /* clang-format off */
#define B(code) [code - FIRST_BODY]
    B(0x4b) = {{0x4b, CLS_FILE,     file_start_req,     file_start_rsp},
               {0x4b, CLS_PCCC,     pccc_req,           pccc_rsp}},
    B(0x4c) = {{0x4c, CLS_FILE,     file_start_req,     file_start_rsp},
               {0x4c, CLS_PCCC,     pccc_req,           pccc_rsp},
               {0x4c, CLS_SYMBOL,   tag_read_req,       tag_read_rsp},
               {0x4c, CLS_TEMPLATE, template_read_req,  body_raw_rsp},
               {0x4c, CLS_ROUTINE,  offset_read_req,    body_raw_rsp}},
    B(0x4d) = {{0x4d, CLS_FILE,     file_start_req,     file_start_rsp},
               {0x4d, CLS_SYMBOL,   tag_write_req,      body_raw_rsp},
               {0x4d, CLS_ROUTINE,  offset_read_req,    body_raw_rsp}},
    B(0x4e) = {{0x4e, CLS_CM,       fwd_close_req,      fwd_close_rsp},
               {0x4e, CLS_FILE,     file_start_req,     file_start_rsp},
               {0x4e, CLS_SYMBOL,   tag_modify_req,     body_raw_rsp}},
    B(0x4f) = {{0x4f, CLS_FILE,     file_transfer_req,  file_transfer_rsp},
               {0x4f, CLS_TAG_DATA, offset_read_req,    body_raw_rsp}},
    B(0x50) = {{0x50, CLS_FILE,     file_transfer_req,  file_transfer_rsp},
               {0x50, CLS_TAG_DATA, offset_read_req,    body_raw_rsp}},
    B(0x52) = {{0x52, CLS_SYMBOL,   tag_read_frag_req,  tag_read_rsp}},
    B(0x53) = {{0x53, CLS_SYMBOL,   tag_write_frag_req, body_raw_rsp}},
    B(0x54) = {{0x54, CLS_CM,       fwd_open_req,       fwd_open_rsp}},
    B(0x55) = {{0x55, CLS_SYMBOL,   tag_list_req,       tag_list_rsp},
               {0x55, CLS_TEMPLATE, tag_list_req,       body_raw_rsp}},
    B(0x5b) = {{0x5b, CLS_CM,       fwd_open_req,       fwd_open_rsp}},
#undef B
    /* clang-format on */
};

const struct cip_body *cip_body_find(uint32_t service, uint32_t cls)
{
    static const struct cip_body raw = {0, ANY, body_raw_req, body_raw_rsp};
    if (service < ARRAY_LEN(common))
        return service && common[service].service == service ? &common[service] : &raw;
    uint32_t row = service - FIRST_BODY;
    if (row >= ARRAY_LEN(bodies))
        return &raw;
    for (const struct cip_body *b = bodies[row]; b->service; b++)
        if (b->cls == cls)
            return b;
    return &raw;
}

/* ---- names of small fields ---- */

static const struct code_name conn_types[] = {
    {0, "null"}, {1, "multicast"}, {2, "point_to_point"}, {3, "reserved"}, {0, NULL},
};
static const struct code_name prios[] = {{0, "low"}, {1, "high"}, {2, "scheduled"}, {3, "urgent"}, {0, NULL}};
static const struct code_name triggers[] = {
    {0, "cyclic"}, {1, "change_of_state"}, {2, "application_object"}, {0, NULL},
};
static const struct code_name resets[] = {
    {0, "power_cycle"}, {1, "factory_default"}, {2, "factory_default_except_communication"}, {0, NULL},
};
static const struct code_name config_controls[] = {{0, "stored_values"}, {1, "bootp"}, {2, "dhcp"}, {0, NULL}};
static const struct code_name states[] = {
    {0, "nonexistent"}, {1, "self_testing"}, {2, "standby"}, {3, "operational"}, {4, "major_recoverable_fault"},
    {5, "major_unrecoverable_fault"}, {0xff, "default"}, {0, NULL},
};

static const struct field_def cip_fields[CF_N] = {
    /* clang-format off */
    [CF_CLASS]          = {"class",           FT_NAME, false, NULL, cip_classes,
        "object class of the request path (the last, where paths nest)"},
    [CF_INSTANCE]       = {"instance",        FT_UINT, false, NULL, NULL, "object instance"},
    [CF_ATTRIBUTE]      = {"attribute",       FT_UINT, true,  NULL, NULL, "attributes asked for or set"},
    [CF_ATTRIBUTE_NAME] = {"attribute_name",  FT_TEXT, false, NULL, NULL, "name of a known attribute"},
    [CF_ROUTE]          = {"route",           FT_TEXT, false, NULL, NULL,
        "ports and link addresses to the device behind: 1/0 is slot 0 of the backplane"},
    [CF_CONN_ID]        = {"connection_id",   FT_HEX,  false, NULL, NULL, "connection that carries the message"},
    [CF_SEQ]            = {"sequence",        FT_UINT, false, NULL, NULL, "sequence count on the connection"},
    [CF_EXT_STATUS]     = {"ext_status",      FT_NAME, false, NULL, cip_ext_statuses,
        "first word of the extended status"},
    [CF_TIMEOUT_MS]     = {"timeout_ms",      FT_UINT, false, NULL, NULL, "time-out of an unconnected request"},
    [CF_COUNT]          = {"count",           FT_UINT, false, NULL, NULL, "services of a packet, attributes of a list"},
    [CF_EMBEDDED]       = {"embedded_service", FT_UINT, false, NULL, NULL, "service that an Unconnected Send carries"},
    [CF_O2T_ID]         = {"o2t_id",          FT_HEX,  false, NULL, NULL, "connection id, originator to target"},
    [CF_T2O_ID]         = {"t2o_id",          FT_HEX,  false, NULL, NULL, "connection id, target to originator"},
    [CF_CONN_SERIAL]    = {"connection_serial", FT_HEX, false, NULL, NULL, "connection serial number"},
    [CF_ORIG_VENDOR]    = {"originator_vendor", FT_NAME, false, NULL, enip_vendors, "vendor of the originator"},
    [CF_ORIG_SERIAL]    = {"originator_serial", FT_HEX, false, NULL, NULL, "serial number of the originator"},
    [CF_TIMEOUT_MULT]   = {"timeout_multiplier", FT_UINT, false, NULL, NULL,
        "packet intervals until a connection times out"},
    [CF_O2T_RPI]        = {"o2t_rpi_us",      FT_UINT, false, NULL, NULL, "requested packet interval"},
    [CF_T2O_RPI]        = {"t2o_rpi_us",      FT_UINT, false, NULL, NULL, "requested packet interval"},
    [CF_O2T_API]        = {"o2t_api_us",      FT_UINT, false, NULL, NULL, "actual packet interval"},
    [CF_T2O_API]        = {"t2o_api_us",      FT_UINT, false, NULL, NULL, "actual packet interval"},
    [CF_O2T_SIZE]       = {"o2t_size",        FT_UINT, false, NULL, NULL, "connection size in bytes"},
    [CF_T2O_SIZE]       = {"t2o_size",        FT_UINT, false, NULL, NULL, "connection size in bytes"},
    [CF_O2T_TYPE]       = {"o2t_type",        FT_NAME, false, NULL, conn_types, "connection type"},
    [CF_T2O_TYPE]       = {"t2o_type",        FT_NAME, false, NULL, conn_types, "connection type"},
    [CF_O2T_PRIO]       = {"o2t_priority",    FT_NAME, false, NULL, prios, "connection priority"},
    [CF_T2O_PRIO]       = {"t2o_priority",    FT_NAME, false, NULL, prios, "connection priority"},
    [CF_O2T_VARIABLE]   = {"o2t_variable",    FT_BOOL, false, NULL, NULL, "variable size"},
    [CF_T2O_VARIABLE]   = {"t2o_variable",    FT_BOOL, false, NULL, NULL, "variable size"},
    [CF_OWNER]          = {"redundant_owner", FT_BOOL, false, NULL, NULL,
        "more than one owner may open this connection"},
    [CF_CLASS_NO]       = {"transport_class", FT_UINT, false, NULL, NULL, "transport class: 0, 1 I/O; 2, 3 explicit"},
    [CF_TRIGGER]        = {"trigger",         FT_NAME, false, NULL, triggers, "production trigger"},
    [CF_SERVER]         = {"server",          FT_BOOL, false, NULL, NULL, "the target is the transport's server"},
    [CF_KEY_VENDOR]     = {"key_vendor",      FT_NAME, false, NULL, enip_vendors,
        "electronic key: vendor the target must have"},
    [CF_KEY_TYPE]       = {"key_device_type", FT_NAME, false, NULL, enip_device_types, "electronic key: device type"},
    [CF_KEY_PRODUCT]    = {"key_product_code", FT_UINT, false, NULL, NULL, "electronic key: product code"},
    [CF_KEY_REVISION]   = {"key_revision",    FT_TEXT, false, NULL, NULL, "electronic key: revision"},
    [CF_KEY_COMPAT]     = {"key_compatible",  FT_BOOL, false, NULL, NULL,
        "electronic key: a compatible device will do"},
    [CF_KEY_SERIAL]     = {"key_serial",      FT_HEX,  false, NULL, NULL, "electronic key: serial number"},
    [CF_SAFETY]         = {"safety",          FT_BOOL, false, NULL, NULL,
        "the connection has a safety segment (CIP Safety)"},
    [CF_CONFIG_LEN]     = {"configuration_bytes", FT_UINT, false, NULL, NULL,
        "bytes of configuration in the connection path"},
    [CF_PIT]            = {"production_inhibit_us", FT_UINT, false, NULL, NULL, "production inhibit time"},
    [CF_REMAINING_PATH] = {"remaining_path",  FT_UINT, false, NULL, NULL, "words of the route left where it failed"},
    [CF_DATA_TYPE]      = {"data_type",       FT_NAME, false, NULL, cip_data_types, "type of a tag's values"},
    [CF_ELEMENTS]       = {"elements",        FT_UINT, false, NULL, NULL, "elements read, written or listed"},
    [CF_OFFSET]         = {"offset",          FT_UINT, false, NULL, NULL, "byte offset of a fragment"},
    [CF_HANDLE]         = {"structure_handle", FT_HEX, false, NULL, NULL, "checksum of a structure's definition"},
    [CF_MASK_OR]        = {"or_mask",         FT_BYTES, false, NULL, NULL, "bits set by a read-modify-write"},
    [CF_MASK_AND]       = {"and_mask",        FT_BYTES, false, NULL, NULL, "bits kept by a read-modify-write"},
    [CF_RESET_TYPE]     = {"reset_type",      FT_NAME, false, NULL, resets, "type of an Identity reset"},
    [CF_IP]             = {"ip",              FT_IPV4, false, NULL, NULL, "interface configuration: address"},
    [CF_NETMASK]        = {"netmask",         FT_IPV4, false, NULL, NULL, "interface configuration: network mask"},
    [CF_GATEWAY]        = {"gateway",         FT_IPV4, false, NULL, NULL, "interface configuration: gateway"},
    [CF_NAME_SERVER]    = {"name_server",     FT_IPV4, false, NULL, NULL, "interface configuration: name server"},
    [CF_HOST_NAME]      = {"host_name",       FT_TEXT, false, NULL, NULL, "host name"},
    [CF_CONFIG_CONTROL] = {"configuration_control", FT_NAME, false, NULL, config_controls,
        "where the address comes from"},
    [CF_TIME]           = {"time",            FT_TIME, false, NULL, NULL, "clock read or set"},
    [CF_VENDOR]         = {"vendor",          FT_NAME, false, NULL, enip_vendors, "identity: vendor"},
    [CF_DEVICE_TYPE]    = {"device_type",     FT_NAME, false, NULL, enip_device_types, "identity: device profile"},
    [CF_PRODUCT_CODE]   = {"product_code",    FT_UINT, false, NULL, NULL, "identity: product code"},
    [CF_REVISION]       = {"revision",        FT_TEXT, false, NULL, NULL, "identity: revision"},
    [CF_STATUS_WORD]    = {"status_word",     FT_HEX,  false, NULL, NULL, "identity: device status"},
    [CF_SERIAL]         = {"serial",          FT_HEX,  false, NULL, NULL, "identity: serial number"},
    [CF_PRODUCT_NAME]   = {"product_name",    FT_TEXT, false, NULL, NULL, "identity: product name"},
    [CF_STATE]          = {"state",           FT_NAME, false, NULL, states, "identity: device state"},
    [CF_PROGRAM]        = {"program",         FT_TEXT, false, NULL, NULL, "name of the controller's program"},
    [CF_FILE_NAME]      = {"file_name",       FT_TEXT, false, NULL, NULL, "File object: name"},
    [CF_FILE_SIZE]      = {"file_size",       FT_UINT, false, NULL, NULL, "File object: size"},
    [CF_TRANSFER]       = {"transfer",        FT_UINT, false, NULL, NULL,
        "File object: transfer size, or number of the packet"},
    [CF_DATA_LEN]       = {"data_length",     FT_UINT, false, NULL, NULL,
        "bytes asked for, or of data that is shown cut"},
    [CF_REQUEST_DATA]   = {"request_data",    FT_BYTES, false, NULL, NULL,
        "data of a request without a known layout, at most 64 bytes"},
    [CF_RESPONSE_DATA]  = {"response_data",   FT_BYTES, false, NULL, NULL,
        "data of a reply without a known layout, at most 64 bytes"},
    [CF_P_FUNCTION]     = {"function",        FT_NAME, false, "pccc", pccc_functions,
        "command (high byte) and function; 255: none"},
    [CF_P_TRANSACTION]  = {"transaction",     FT_UINT, false, "pccc", NULL, "transaction number"},
    [CF_P_STATUS]       = {"status",          FT_NAME, false, "pccc", pccc_statuses, "status of the reply"},
    [CF_P_EXT_STATUS]   = {"ext_status",      FT_NAME, false, "pccc", pccc_ext_statuses,
        "extended status of the reply"},
    [CF_P_VENDOR]       = {"requestor_vendor", FT_NAME, false, "pccc", enip_vendors, "vendor of the requestor"},
    [CF_P_SERIAL]       = {"requestor_serial", FT_HEX, false, "pccc", NULL, "serial number of the requestor"},
    [CF_P_SIZE]         = {"size",            FT_UINT, false, "pccc", NULL,
        "bytes (PLC-5 typed read: elements) asked for"},
    [CF_P_FILE]         = {"file_type",       FT_NAME, false, "pccc", pccc_file_types, "type of the data file"},
    [CF_P_MODE]         = {"mode",            FT_HEX,  false, "pccc", NULL, "mode asked for, or reported"},
    /* clang-format on */
};

static const struct kind_def cip_kinds[CK_N] = {
    [CK_CIP] = {"cip", KIND_NAME}, [CK_TAG] = {"tag", KIND_NAME}, [CK_PCCC] = {"pccc_file", KIND_NAME},
    [CK_CONNECTION] = {"connection", KIND_NAME},
};

static const struct anomaly_def cip_anomalies[CA_N] = {
    /* clang-format off */
    [CA_SHORT]             = {"short_reply", 2, "a reply shorter than its header and extended status (Vol 1, 2-4.2)"},
    [CA_PATH]              = {"path_broken", 2, "a segment of a path is cut (Vol 1, C-1)"},
    [CA_PATH_SIZE]         = {"path_size", 2, "the path is longer than the request (Vol 1, 2-4.1)"},
    [CA_RESERVED_SEGMENT]  = {"reserved_segment", 2,
        "a path has a segment of a reserved type or format (Vol 1, C-1.4)"},
    [CA_RESERVED_SERVICE]  = {"reserved_service", 2, "a service code that no object may use (Vol 1, table A-3.1)"},
    [CA_MSP]               = {"multiple_service_offsets", 2,
        "offsets of a Multiple Service Packet contradict its length (Vol 1, A-4.10)"},
    [CA_NESTED]            = {"nested_too_deep", 3,
        "packets inside packets, deeper than any device uses: not followed"},
    [CA_US_SIZE]           = {"unconnected_send_size", 2,
        "the embedded message or the route is longer than the Unconnected Send (Vol 1, 3-5.5.2)"},
    [CA_TRAILING]          = {"trailing_bytes", 1, "bytes follow the end of the service's data"},
    [CA_RESERVED_BYTE]     = {"reserved_byte", 1, "the reserved byte of a reply is not 0 (Vol 1, 2-4.2)"},
    [CA_REPLY_FROM_CLIENT] = {"reply_from_client", 2,
        "the side that opened the connection sends a reply (Vol 1, 2-4.2)"},
    [CA_UNKNOWN_STATUS]    = {"unknown_status", 1, "a general status that the standard reserves (Vol 1, B-1)"},
    [CA_TYPE]              = {"unknown_data_type", 1, "a data type that the standard does not define (Vol 1, C-6.1)"},
    [CA_DATA_SIZE]         = {"data_size", 2, "the service's data is shorter than its layout asks"},
    [CA_FO_CLASS]          = {"reserved_transport_class", 2,
        "a Forward Open asks for a reserved transport class (Vol 1, 3-4.5.3)"},
    [CA_FO_TYPE]           = {"reserved_connection_type", 2,
        "a Forward Open asks for a reserved connection type (Vol 1, 3-5.5.1.1)"},
    [CA_RPI]               = {"connection_interval", 2,
        "a packet interval of 0 or a reserved time-out multiplier (Vol 1, 3-5.5.1)"},
    [CA_FACTORY_RESET]     = {"factory_reset", 4,
        "Identity reset to factory defaults: configuration is lost (Vol 1, 5A-2.5.1)"},
    [CA_NO_REPLY_BIT]      = {"reply_bit_missing", 1,
        "an answer without the reply bit in its service code (Vol 1, 2-4.2)"},
    [CA_PCCC]              = {"pccc_fault", 2,
        "a PCCC message that is cut, has a status in a request or answers another transaction (1770-6.5.16)"},
    /* clang-format on */
};

const struct proto_schema cip_schema = {
    .name = "cip", .title = "CIP", .spec = "ODVA, The CIP Networks Library, Volume 1",
    .fn_max = 127,
    .ops = cip_ops, .n_ops = ARRAY_LEN(cip_ops), .fields = cip_fields, .n_fields = CF_N, .kinds = cip_kinds,
    .n_kinds = CK_N, .anomalies = cip_anomalies, .n_anomalies = CA_N, .statuses = cip_statuses, .unit_is = "slot",
};
