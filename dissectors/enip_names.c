/* enip_names.c: CIP's numbers by name: vendors, device types, object classes, general and extended status, PCCC status.
 *
 * Spec: CIP Vol 1 (ODVA), appendix B (status codes), chapter 5 (object classes), 6-1 (device types); ODVA vendor id
 * list;
 * Rockwell 1770-6.5.16 (PCCC status). Classes 0x64-0x8e, 0xa1, 0xac and 0xb2 are Rockwell's own: 1756-PM020 (symbol,
 * template, program name, wall clock) or named after what controllers are seen to do with them. Vendors: those met in
 * plants; others stay numbers. */
#include "dissectors/enip_int.h"

const struct code_name enip_vendors[] = {
    {1, "Rockwell Automation"}, {2, "Namco Controls"}, {3, "Honeywell"}, {4, "Parker Hannifin"},
    {5, "Rockwell Automation (Reliance)"}, {7, "SMC"}, {8, "Molex"}, {9, "Western Reserve Controls"}, {0xa, "AMCI"},
    {0xc, "Banner Engineering"}, {0xd, "Belden"}, {0x10, "Woodhead"}, {0x1a, "Festo"}, {0x24, "MKS Instruments"},
    {0x28, "WAGO"}, {0x2b, "Balluff"}, {0x2c, "Yaskawa"}, {0x2d, "Eurotherm"}, {0x2e, "ABB"}, {0x2f, "Omron"},
    {0x30, "Turck"}, {0x32, "Real Time Automation"}, {0x34, "Numatics"}, {0x38, "Softing"}, {0x39, "Pepperl+Fuchs"},
    {0x3a, "Spectrum Controls"}, {0x44, "Eaton"}, {0x47, "Toshiba International"}, {0x4a, "Hitachi"},
    {0x4d, "Rockwell Software"}, {0x52, "Mitsubishi Electric Automation"}, {0x53, "Opto 22"}, {0x56, "Horner"},
    {0x57, "Buerkert"}, {0x5a, "HMS Industrial Networks"}, {0x5e, "Advantech"}, {0x61, "Danfoss"},
    {0x64, "Bosch Rexroth (Pneumatics)"}, {0x6c, "Beckhoff"}, {0x79, "KUKA"}, {0x91, "Siemens"}, {0x9f, "IDEC"},
    {0xa1, "Mitsubishi Electric"}, {0xaa, "Pyramid Solutions"}, {0xab, "Denso Wave"}, {0xb0, "Red Lion Controls"},
    {0xb5, "Pilz"}, {0xe2, "MKS Instruments (ENI)"}, {0xf3, "Schneider Electric"}, {0xf6, "Brooks Instrument"},
    {0xfa, "Yokogawa"}, {0xff, "Bosch Rexroth"}, {0x101, "Control Techniques"}, {0x102, "Hardy Instruments"},
    {0x103, "LS Industrial Systems"}, {0x10b, "Patlite"}, {0x11b, "Hilscher"}, {0x11f, "Bosch Rexroth (Indramat)"},
    {0x135, "ProSoft Technology"}, {0x13b, "SEW-Eurodrive"}, {0x13f, "Fuji Electric"}, {0x142, "ifm"},
    {0x146, "GE Fanuc"}, {0x159, "Endress+Hauser"}, {0x164, "Fanuc Robotics"}, {0x16f, "Keyence"}, {0x1b9, "Nachi"},
    {0x1bd, "Lenze"}, {0x1d4, "Baumer"}, {0x1ff, "SICK Stegmann"}, {0x232, "Phoenix Contact"},
    {0x24e, "Delta Computer Systems"}, {0x24f, "Fanuc"}, {0x271, "Rockwell Automation (Sprecher+Schuh)"},
    {0x27a, "Hirschmann"}, {0x280, "Murrelektronik"}, {0x285, "Bihl+Wiedemann"}, {0x294, "AutomationDirect"},
    {0x29a, "Mettler-Toledo"}, {0x29c, "Rockwell Automation (Entek)"}, {0x2a6, "Cognex"}, {0x2a8, "Weidmueller"},
    {0x2c2, "Bronkhorst"}, {0x2d2, "ABB"}, {0x2e4, "Camozzi"}, {0x2fb, "Baumer"}, {0x303, "SICK Stegmann"},
    {0x31c, "Siemens"}, {0x328, "SICK"}, {0x33d, "Rockwell Samsung Automation"}, {0x352, "Datalogic"},
    {0x35e, "Siemens"}, {0x36f, "PULS"}, {0x37e, "Acromag"}, {0x387, "Emerson"}, {0x392, "Micro Motion"},
    {0x3a0, "GE Multilin"}, {0x3ab, "Cisco"}, {0x3ba, "Copley Controls"}, {0x3cb, "Siemens"}, {0x3df, "Moxa"},
    {0x3ee, "N-Tron"}, {0x3f7, "Weidmueller"}, {0x423, "Delta Electronics"},
    {0x458, "Hitachi Industrial Equipment Systems"}, {0x475, "Emerson"}, {0x490, "Kunbus"},
    {0x496, "Alicat Scientific"}, {0x49e, "Endress+Hauser"}, {0x4bb, "wenglor"}, {0, NULL},
};

const struct code_name enip_device_types[] = {
    {0, "Generic Device (deprecated)"}, {2, "AC Drive"}, {3, "Motor Overload"}, {4, "Limit Switch"},
    {5, "Inductive Proximity Switch"}, {6, "Photoelectric Sensor"}, {7, "General Purpose Discrete I/O"},
    {9, "Resolver"}, {0xc, "Communications Adapter"}, {0xe, "Programmable Logic Controller"},
    {0x10, "Position Controller"}, {0x13, "DC Drive"}, {0x15, "Contactor"}, {0x16, "Motor Starter"},
    {0x17, "Soft Start"}, {0x18, "Human-Machine Interface"}, {0x1a, "Mass Flow Controller"},
    {0x1b, "Pneumatic Valve"}, {0x1c, "Vacuum Pressure Gauge"}, {0x1d, "Process Control Value"},
    {0x1e, "Residual Gas Analyzer"}, {0x1f, "DC Power Generator"}, {0x20, "RF Power Generator"},
    {0x21, "Turbomolecular Vacuum Pump"}, {0x22, "Encoder"}, {0x23, "Safety Discrete I/O Device"},
    {0x24, "Fluid Flow Controller"}, {0x25, "CIP Motion Drive"}, {0x26, "CompoNet Repeater"},
    {0x27, "Mass Flow Controller, Enhanced"}, {0x28, "CIP Modbus Device"}, {0x29, "CIP Modbus Translator"},
    {0x2a, "Safety Analog I/O Device"}, {0x2b, "Generic Device (keyable)"}, {0x2c, "Managed Ethernet Switch"},
    {0x2d, "CIP Motion Safety Drive Device"}, {0x2e, "Safety Drive Device"}, {0x2f, "CIP Motion Encoder"},
    {0x30, "CIP Motion Converter"}, {0x31, "CIP Motion I/O"}, {0x32, "ControlNet Physical Layer Component"},
    {0x33, "Circuit Breaker"}, {0x34, "HART Device"}, {0x35, "CIP-HART Translator"}, {0xc8, "Embedded Component"},
    {0, NULL},
};

/* C(code, name): in the order of the codes. */
#define CLASSES(C) \
    C(1, "identity") C(2, "message_router") C(3, "devicenet") C(4, "assembly") C(5, "connection") \
    C(6, "connection_manager") C(7, "register") C(8, "discrete_input_point") C(9, "discrete_output_point") \
    C(0xa, "analog_input_point") C(0xb, "analog_output_point") C(0xe, "presence_sensing") C(0xf, "parameter") \
    C(0x10, "parameter_group") C(0x12, "group") C(0x1d, "discrete_input_group") C(0x1e, "discrete_output_group") \
    C(0x1f, "discrete_group") C(0x20, "analog_input_group") C(0x21, "analog_output_group") C(0x22, "analog_group") \
    C(0x23, "position_sensor") C(0x24, "position_controller_supervisor") C(0x25, "position_controller") \
    C(0x26, "block_sequencer") C(0x27, "command_block") C(0x28, "motor_data") C(0x29, "control_supervisor") \
    C(0x2a, "ac_dc_drive") C(0x2b, "acknowledge_handler") C(0x2c, "overload") C(0x2d, "softstart") \
    C(0x2e, "selection") C(0x30, "s_device_supervisor") C(0x31, "s_analog_sensor") C(0x32, "s_analog_actuator") \
    C(0x33, "s_single_stage_controller") C(0x34, "s_gas_calibration") C(0x35, "trip_point") C(0x37, "file") \
    C(0x38, "s_partial_pressure") C(0x39, "safety_supervisor") C(0x3a, "safety_validator") \
    C(0x3b, "safety_discrete_output_point") C(0x3c, "safety_discrete_output_group") \
    C(0x3d, "safety_discrete_input_point") C(0x3e, "safety_discrete_input_group") \
    C(0x3f, "safety_dual_channel_output") C(0x40, "s_sensor_calibration") C(0x41, "event_log") \
    C(0x42, "motion_device_axis") C(0x43, "time_sync") C(0x44, "modbus") C(0x45, "originator_connection_list") \
    C(0x46, "modbus_serial_link") C(0x47, "device_level_ring") C(0x48, "qos") C(0x49, "safety_analog_input_point") \
    C(0x4a, "safety_analog_input_group") C(0x4b, "safety_dual_channel_analog_input") C(0x4c, "sercos_iii_link") \
    C(0x4d, "target_connection_list") C(0x4e, "base_energy") C(0x4f, "electrical_energy") \
    C(0x50, "non_electrical_energy") C(0x51, "base_switch") C(0x52, "snmp") C(0x53, "power_management") \
    C(0x54, "rstp_bridge") C(0x55, "rstp_port") C(0x56, "prp_hsr_protocol") C(0x57, "prp_hsr_nodes_table") \
    C(0x58, "safety_feedback") C(0x59, "safety_dual_channel_feedback") C(0x5a, "safety_stop_functions") \
    C(0x5b, "safety_limit_functions") C(0x5c, "power_curtailment") C(0x5d, "cip_security") \
    C(0x5e, "ethernet_ip_security") C(0x5f, "certificate_management") C(0x60, "authority") \
    C(0x61, "password_authenticator") C(0x62, "certificate_authenticator") C(0x64, "controller") C(0x67, "pccc") \
    C(0x68, "program") C(0x69, "module") C(0x6a, "tag_data") C(0x6b, "symbol") C(0x6c, "template") \
    C(0x6d, "routine") C(0x70, "task") C(0x72, "watch_list") C(0x74, "edit_lock") C(0x8b, "wall_clock") \
    C(0x8e, "controller_mode") C(0xa1, "nonvolatile_storage") C(0xac, "program_changes") C(0xb2, "tag_list") \
    C(0xf0, "controlnet") C(0xf1, "controlnet_keeper") C(0xf2, "controlnet_scheduling") \
    C(0xf3, "connection_configuration") C(0xf4, "port") C(0xf5, "tcp_ip_interface") C(0xf6, "ethernet_link") \
    C(0xf7, "componet") C(0xf8, "componet_repeater") C(0xf9, "hart_master_port") C(0xfa, "io_aggregation") \
    C(0x100, "protection_trip") C(0x101, "protection_alarm") C(0x102, "circuit_breaker_supervisor") \
    C(0x103, "circuit_breaker_statistics") C(0x104, "electrical_demand") C(0x105, "electrical_statistics") \
    C(0x106, "machine_base_data") C(0x107, "hart_process_device") C(0x108, "process_device_diagnostics") \
    C(0x109, "lldp_management") C(0x10a, "lldp_data_table") C(0x10b, "io_link_service_parameter") \
    C(0x10c, "io_link_master_phy") C(0x10d, "io_link_device_phy") C(0x10e, "pilot_light_supervisor") \
    C(0x10f, "select_line_link") C(0x110, "in_cabinet_actual_topology") C(0x111, "in_cabinet_commissioning")

const struct code_name cip_classes[] = {
#define C(code, name) {code, name},
    CLASSES(C)
#undef C
    {0, NULL},
};

/* The same by code: this is asked for every message. */
static const struct span class_names[] = {
#define C(code, name) [code] = {(const uint8_t *)(name), sizeof(name) - 1},
    CLASSES(C)
#undef C
};

const uint32_t n_cip_classes = ARRAY_LEN(cip_classes) - 1;

const struct code_name cip_statuses[] = {
    {0, "success"}, {1, "connection_failure"}, {2, "resource_unavailable"}, {3, "invalid_parameter_value"},
    {4, "path_segment_error"}, {5, "path_destination_unknown"}, {6, "partial_transfer"}, {7, "connection_lost"},
    {8, "service_not_supported"}, {9, "invalid_attribute_value"}, {0xa, "attribute_list_error"},
    {0xb, "already_in_requested_mode"}, {0xc, "object_state_conflict"}, {0xd, "object_already_exists"},
    {0xe, "attribute_not_settable"}, {0xf, "privilege_violation"}, {0x10, "device_state_conflict"},
    {0x11, "reply_data_too_large"}, {0x12, "fragmentation_of_a_primitive_value"}, {0x13, "not_enough_data"},
    {0x14, "attribute_not_supported"}, {0x15, "too_much_data"}, {0x16, "object_does_not_exist"},
    {0x17, "service_fragmentation_sequence_not_in_progress"}, {0x18, "no_stored_attribute_data"},
    {0x19, "store_operation_failure"}, {0x1a, "routing_failure_request_packet_too_large"},
    {0x1b, "routing_failure_response_packet_too_large"}, {0x1c, "missing_attribute_list_entry_data"},
    {0x1d, "invalid_attribute_value_list"}, {0x1e, "embedded_service_error"}, {0x1f, "vendor_specific_error"},
    {0x20, "invalid_parameter"}, {0x21, "write_once_value_or_medium_already_written"},
    {0x22, "invalid_reply_received"}, {0x23, "buffer_overflow"}, {0x24, "invalid_message_format"},
    {0x25, "key_failure_in_path"}, {0x26, "path_size_invalid"}, {0x27, "unexpected_attribute_in_list"},
    {0x28, "invalid_member_id"}, {0x29, "member_not_settable"}, {0x2a, "group_2_only_server_general_failure"},
    {0x2b, "unknown_modbus_error"}, {0x2c, "attribute_not_gettable"}, {0x2d, "instance_not_deletable"},
    {0x2e, "service_not_supported_for_path"}, {0xff, "vendor_or_object_error"}, {0, NULL},
};

const struct code_name cip_ext_statuses[] = {
    {0x100, "connection_in_use_or_duplicate_forward_open"},
    {0x103, "transport_class_and_trigger_combination_not_supported"}, {0x106, "ownership_conflict"},
    {0x107, "target_connection_not_found"}, {0x108, "invalid_network_connection_parameter"},
    {0x109, "invalid_connection_size"}, {0x110, "target_for_connection_not_configured"}, {0x111, "rpi_not_supported"},
    {0x112, "rpi_value_not_acceptable"}, {0x113, "out_of_connections"}, {0x114, "vendor_id_or_product_code_mismatch"},
    {0x115, "device_type_mismatch"}, {0x116, "revision_mismatch"},
    {0x117, "invalid_produced_or_consumed_application_path"},
    {0x118, "invalid_or_inconsistent_configuration_application_path"},
    {0x119, "non_listen_only_connection_not_opened"}, {0x11a, "target_object_out_of_connections"},
    {0x11b, "rpi_is_smaller_than_the_production_inhibit_time"}, {0x11c, "transport_class_not_supported"},
    {0x11d, "production_trigger_not_supported"}, {0x11e, "direction_not_supported"},
    {0x11f, "invalid_o2t_fixed_variable"}, {0x120, "invalid_t2o_fixed_variable"}, {0x121, "invalid_o2t_priority"},
    {0x122, "invalid_t2o_priority"}, {0x123, "invalid_o2t_connection_type"}, {0x124, "invalid_t2o_connection_type"},
    {0x125, "invalid_o2t_redundant_owner"}, {0x126, "invalid_configuration_size"}, {0x127, "invalid_o2t_size"},
    {0x128, "invalid_t2o_size"}, {0x129, "invalid_configuration_application_path"},
    {0x12a, "invalid_consuming_application_path"}, {0x12b, "invalid_producing_application_path"},
    {0x12c, "configuration_symbol_does_not_exist"}, {0x12d, "consuming_symbol_does_not_exist"},
    {0x12e, "producing_symbol_does_not_exist"}, {0x12f, "inconsistent_application_path_combination"},
    {0x130, "inconsistent_consume_data_format"}, {0x131, "inconsistent_produce_data_format"},
    {0x132, "null_forwardopen_not_supported"}, {0x203, "connection_timed_out"},
    {0x204, "unconnected_request_timed_out"}, {0x205, "parameter_error_in_unconnected_request"},
    {0x206, "message_too_large_for_unconnectedsend"}, {0x207, "unconnected_acknowledged_without_reply"},
    {0x301, "no_buffer_memory_available"}, {0x302, "network_bandwidth_not_available_for_data"},
    {0x303, "no_consumed_connection_id_filter_available"}, {0x304, "not_configured_to_send_scheduled_priority_data"},
    {0x305, "schedule_signature_mismatch"}, {0x306, "schedule_signature_validation_not_possible"},
    {0x311, "port_not_available"}, {0x312, "link_address_not_valid"}, {0x315, "invalid_segment_in_connection_path"},
    {0x316, "forwardclose_connection_path_mismatch"}, {0x317, "scheduling_not_specified"},
    {0x318, "link_address_to_self_invalid"}, {0x319, "secondary_resources_unavailable"},
    {0x31a, "rack_connection_already_established"}, {0x31b, "module_connection_already_established"},
    {0x31c, "miscellaneous"}, {0x31d, "redundant_connection_mismatch"}, {0x31e, "no_more_consumer_resources"},
    {0x31f, "no_consumer_resources_configured"}, {0x800, "network_link_offline"},
    {0x801, "incompatible_multicast_rpi"}, {0x802, "invalid_safety_connection_size"},
    {0x803, "invalid_safety_connection_format"}, {0x804, "invalid_time_correction_connection_parameters"},
    {0x805, "invalid_ping_interval_epi_multiplier"}, {0x806, "time_coordination_msg_min_multiplier"},
    {0x807, "network_time_expectation_multiplier"}, {0x808, "timeout_multiplier"},
    {0x809, "invalid_max_consumer_number"}, {0x80a, "invalid_cpcrc"},
    {0x80b, "time_correction_connection_id_invalid"}, {0x80c, "scid_mismatch"}, {0x80d, "tunid_not_set"},
    {0x80e, "tunid_mismatch"}, {0x80f, "configuration_operation_not_allowed"},
    {0x810, "no_target_application_data_available"}, {0x811, "no_originator_application_data_available"},
    {0x812, "node_address_has_changed_since_the_network_was_scheduled"},
    {0x813, "not_configured_for_off_subnet_multicast"}, {0x814, "invalid_produce_consume_data_format"},
    /* 1756-PM020, with general status 0xff */
    {0x2104, "offset_beyond_end"}, {0x2105, "elements_beyond_end_of_tag"}, {0x2107, "data_type_mismatch"}, {0, NULL},
};

const struct code_name pccc_ext_statuses[] = {
    {1, "a_field_has_an_illegal_value"}, {2, "less_levels_specified_in_address_than_minimum_for_any_address"},
    {3, "more_levels_specified_in_address_than_system_supports"}, {4, "symbol_not_found"},
    {5, "symbol_is_of_improper_format"}, {6, "address_doesnt_point_to_something_usable"}, {7, "file_is_wrong_size"},
    {8, "situation_changed_since_start"}, {9, "data_or_file_is_too_large"},
    {0xa, "transaction_size_plus_word_address_is_too_large"}, {0xb, "access_denied_improper_privilege"},
    {0xc, "condition_cannot_be_generated_resource_is_not_available"},
    {0xd, "condition_already_exists_resource_is_already_available"}, {0xe, "command_cannot_be_executed"},
    {0xf, "histogram_overflow"}, {0x10, "no_access"}, {0x11, "illegal_data_type"},
    {0x12, "invalid_parameter_or_invalid_data"}, {0x13, "address_reference_exists_to_deleted_area"},
    {0x14, "command_execution_failure"}, {0x15, "data_conversion_error"},
    {0x16, "scanner_not_able_to_communicate_with_1771_rack_adapter"}, {0x17, "type_mismatch"},
    {0x18, "1771_module_response_was_not_valid"}, {0x19, "duplicated_label"},
    {0x1a, "file_is_open_another_node_owns_it"}, {0x1b, "another_node_is_the_program_owner"},
    {0x1e, "data_table_element_protection_violation"}, {0x1f, "temporary_internal_problem"},
    {0x22, "remote_rack_fault"}, {0x23, "timeout"}, {0x24, "unknown_error"}, {0, NULL},
};

struct span cip_class_text(uint32_t id)
{
    return id < ARRAY_LEN(class_names) ? class_names[id] : (struct span){0};
}

const char *cip_class_name(uint32_t id)
{
    return (const char *)cip_class_text(id).p;
}

/* CIP Vol 1 C-6.1: elementary data types, their size (0: variable) and how values of them are read. */
static const struct cip_type types[] = {
    /* clang-format off */
    {0xa0, 0, VE_BYTES,  "structure"}, {0xc1, 1, VE_BOOL8, "BOOL"},   {0xc2, 1, VE_I8,    "SINT"},
    {0xc3, 2, VE_I16LE,  "INT"},       {0xc4, 4, VE_I32LE, "DINT"},   {0xc5, 8, VE_I64LE, "LINT"},
    {0xc6, 1, VE_U8,     "USINT"},     {0xc7, 2, VE_U16LE, "UINT"},   {0xc8, 4, VE_U32LE, "UDINT"},
    {0xc9, 8, VE_U64LE,  "ULINT"},     {0xca, 4, VE_F32LE, "REAL"},   {0xcb, 8, VE_F64LE, "LREAL"},
    {0xcc, 4, VE_U32LE,  "STIME"},     {0xcd, 2, VE_U16LE, "DATE"},   {0xce, 4, VE_U32LE, "TIME_OF_DAY"},
    {0xcf, 6, VE_BYTES,  "DATE_AND_TIME"}, {0xd0, 0, VE_TEXT, "STRING"}, {0xd1, 1, VE_U8, "BYTE"},
    {0xd2, 2, VE_U16LE,  "WORD"},      {0xd3, 4, VE_U32LE, "DWORD"},  {0xd4, 8, VE_U64LE, "LWORD"},
    {0xd5, 0, VE_BYTES,  "STRING2"},   {0xd6, 4, VE_I32LE, "FTIME"},  {0xd7, 8, VE_I64LE, "LTIME"},
    {0xd8, 2, VE_I16LE,  "ITIME"},     {0xd9, 0, VE_BYTES, "STRINGN"}, {0xda, 0, VE_TEXT, "SHORT_STRING"},
    {0xdb, 4, VE_I32LE,  "TIME"},      {0xdc, 0, VE_BYTES, "EPATH"},  {0xdd, 2, VE_U16LE, "ENGUNIT"},
    {0xde, 0, VE_BYTES,  "STRINGI"},
    /* clang-format on */
};

/* The codes from 0xc1 on have no holes. */
const struct cip_type *cip_type(uint32_t code)
{
    uint32_t i = code == types[0].code ? 0 : code - types[1].code + 1;
    return i < ARRAY_LEN(types) && types[i].code == code ? &types[i] : NULL;
}

const struct code_name cip_data_types[] = {
    {0xa0, "structure"}, {0xc1, "BOOL"}, {0xc2, "SINT"}, {0xc3, "INT"}, {0xc4, "DINT"}, {0xc5, "LINT"},
    {0xc6, "USINT"}, {0xc7, "UINT"}, {0xc8, "UDINT"}, {0xc9, "ULINT"}, {0xca, "REAL"}, {0xcb, "LREAL"},
    {0xcc, "STIME"}, {0xcd, "DATE"}, {0xce, "TIME_OF_DAY"}, {0xcf, "DATE_AND_TIME"}, {0xd0, "STRING"},
    {0xd1, "BYTE"}, {0xd2, "WORD"}, {0xd3, "DWORD"}, {0xd4, "LWORD"}, {0xd5, "STRING2"}, {0xd6, "FTIME"},
    {0xd7, "LTIME"}, {0xd8, "ITIME"}, {0xd9, "STRINGN"}, {0xda, "SHORT_STRING"}, {0xdb, "TIME"}, {0xdc, "EPATH"},
    {0xdd, "ENGUNIT"}, {0xde, "STRINGI"}, {0, NULL},
};
