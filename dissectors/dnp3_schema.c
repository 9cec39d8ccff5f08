/* dnp3_schema.c: the names of DNP3 as tables: functions, fields, kinds of objects, anomalies, codes.
 *
 * Spec: IEEE 1815-2012, 4.2.2 (function codes, internal indications), 4.4, 7 (authentication), 8 (transport),
 9 (link), Annex A (objects). */
#include "dissectors/dnp3_proto.h"

/* clang-format off */
static const struct op_row ops[] = {
    {0, OP_ANY_SELECTOR, "confirm", ACT_SESSION, OP_NO_ANSWER},
    {1, 0, "read", ACT_BROWSE, 0},   /* device attributes: what are you */
    {1, 70, "read", ACT_FILE, 0},
    {1, OP_ANY_SELECTOR, "read", ACT_READ, 0},
    {2, 0, "write", ACT_CONFIGURE, 0},
    {2, 10, "write", ACT_CONTROL, 0}, /* binary outputs written without select */
    {2, 12, "write", ACT_CONTROL, 0}, /* pattern mask */
    {2, 34, "write", ACT_CONFIGURE, 0}, /* dead-bands: what is reported at all */
    {2, 41, "write", ACT_CONTROL, 0},
    {2, 50, "write", ACT_TIME, 0},
    {2, 70, "write", ACT_FILE, 0},
    {2, 80, "write", ACT_ALARM, 0},   /* clears IIN1.7: the restart is taken note of, 4.3 */
    {2, 85, "write", ACT_CONFIGURE, 0},
    {2, 86, "write", ACT_CONFIGURE, 0},
    {2, 87, "write", ACT_WRITE, 0},
    {2, 120, "write", ACT_AUTHENTICATE, 0},
    {2, OP_ANY_SELECTOR, "write", ACT_WRITE, 0},
    {3, OP_ANY_SELECTOR, "select", ACT_SELECT, 0},
    {4, OP_ANY_SELECTOR, "operate", ACT_CONTROL, 0},
    {5, OP_ANY_SELECTOR, "direct_operate", ACT_CONTROL, 0},
    {6, OP_ANY_SELECTOR, "direct_operate_no_response", ACT_CONTROL, OP_NO_ANSWER},
    {7, OP_ANY_SELECTOR, "immediate_freeze", ACT_WRITE, 0},
    {8, OP_ANY_SELECTOR, "immediate_freeze_no_response", ACT_WRITE, OP_NO_ANSWER},
    {9, OP_ANY_SELECTOR, "freeze_clear", ACT_WRITE, 0},
    {10, OP_ANY_SELECTOR, "freeze_clear_no_response", ACT_WRITE, OP_NO_ANSWER},
    {11, OP_ANY_SELECTOR, "freeze_at_time", ACT_WRITE, 0},
    {12, OP_ANY_SELECTOR, "freeze_at_time_no_response", ACT_WRITE, OP_NO_ANSWER},
    {13, OP_ANY_SELECTOR, "cold_restart", ACT_RESET, 0},
    {14, OP_ANY_SELECTOR, "warm_restart", ACT_RESET, 0},
    {15, OP_ANY_SELECTOR, "initialize_data", ACT_RESET, OP_OBSOLETE},
    {16, OP_ANY_SELECTOR, "initialize_application", ACT_RESET, 0},
    {17, OP_ANY_SELECTOR, "start_application", ACT_START, 0},
    {18, OP_ANY_SELECTOR, "stop_application", ACT_STOP, 0},
    {19, OP_ANY_SELECTOR, "save_configuration", ACT_CONFIGURE, OP_OBSOLETE},
    {20, OP_ANY_SELECTOR, "enable_unsolicited", ACT_CONFIGURE, 0},
    {21, OP_ANY_SELECTOR, "disable_unsolicited", ACT_CONFIGURE, 0},
    {22, OP_ANY_SELECTOR, "assign_class", ACT_CONFIGURE, 0},
    {23, OP_ANY_SELECTOR, "delay_measurement", ACT_DIAGNOSE, 0},
    {24, OP_ANY_SELECTOR, "record_current_time", ACT_TIME, 0},
    {25, OP_ANY_SELECTOR, "open_file", ACT_FILE, 0},
    {26, OP_ANY_SELECTOR, "close_file", ACT_FILE, 0},
    {27, OP_ANY_SELECTOR, "delete_file", ACT_FILE, 0},
    {28, OP_ANY_SELECTOR, "get_file_info", ACT_FILE, 0},
    {29, OP_ANY_SELECTOR, "authenticate_file", ACT_AUTHENTICATE, 0},
    {30, OP_ANY_SELECTOR, "abort_file", ACT_FILE, 0},
    {31, OP_ANY_SELECTOR, "activate_configuration", ACT_CONFIGURE, 0},
    {32, OP_ANY_SELECTOR, "authentication_request", ACT_AUTHENTICATE, 0},
    {33, OP_ANY_SELECTOR, "authentication_request_no_ack", ACT_AUTHENTICATE, OP_NO_ANSWER},
    {128, OP_ANY_SELECTOR, "reserved_128", ACT_OTHER, OP_OBSOLETE | OP_ANSWER},
    {129, OP_ANY_SELECTOR, "response", ACT_REPORT, OP_ANSWER},
    {130, OP_ANY_SELECTOR, "unsolicited_response", ACT_REPORT, OP_ANSWER},
    {131, OP_ANY_SELECTOR, "authentication_response", ACT_AUTHENTICATE, OP_ANSWER},
};

#define CODE(g, v, name) {(g) << 8 | (v), name},
#define ANY(g, v, name, kind) CODE(g, v, name)
#define FIX(g, v, name, kind, enc, size, val, flag, time) CODE(g, v, name)
#define STA(g, v, name, kind, size, mask, time, tlen) CODE(g, v, name)
#define BIT(g, v, name, kind, form) CODE(g, v, name)
#define OWN(g, v, name, kind, form, dec, size) CODE(g, v, name)
#define AOC(g, v, name, kind, enc, size) CODE(g, v, name)
#define CEV(g, v, name, kind, enc, size, time) CODE(g, v, name)
static const struct code_name object_names[] = {
#include "dissectors/dnp3_objects.def"
    {196, "g0v196_configuration_id"}, {197, "g0v197_configuration_version"}, {198, "g0v198_configuration_build_date"},
    {199, "g0v199_configuration_last_change"}, {200, "g0v200_configuration_digest"},
    {201, "g0v201_configuration_digest_algorithm"}, {202, "g0v202_master_resource_id"}, {203, "g0v203_altitude"},
    {204, "g0v204_longitude"}, {205, "g0v205_latitude"}, {206, "g0v206_secondary_operator_name"},
    {207, "g0v207_primary_operator_name"}, {208, "g0v208_system_name"}, {209, "g0v209_secure_authentication_version"},
    {210, "g0v210_security_statistics"}, {211, "g0v211_user_attribute_sets"}, {212, "g0v212_master_prototypes"},
    {213, "g0v213_outstation_prototypes"}, {214, "g0v214_master_datasets"}, {215, "g0v215_outstation_datasets"},
    {216, "g0v216_max_outputs_per_request"}, {217, "g0v217_local_timing_accuracy"},
    {218, "g0v218_duration_of_timing_accuracy"}, {219, "g0v219_analog_output_events"},
    {220, "g0v220_max_analog_output_index"}, {221, "g0v221_analog_outputs"}, {222, "g0v222_binary_output_events"},
    {223, "g0v223_max_binary_output_index"}, {224, "g0v224_binary_outputs"}, {225, "g0v225_frozen_counter_events"},
    {226, "g0v226_frozen_counters"}, {227, "g0v227_counter_events"}, {228, "g0v228_max_counter_index"},
    {229, "g0v229_counters"}, {230, "g0v230_frozen_analogs"}, {231, "g0v231_analog_input_events"},
    {232, "g0v232_max_analog_input_index"}, {233, "g0v233_analog_inputs"}, {234, "g0v234_double_bit_events"},
    {235, "g0v235_max_double_bit_index"}, {236, "g0v236_double_bit_inputs"}, {237, "g0v237_binary_input_events"},
    {238, "g0v238_max_binary_input_index"}, {239, "g0v239_binary_inputs"}, {240, "g0v240_max_transmit_fragment"},
    {241, "g0v241_max_receive_fragment"}, {242, "g0v242_software_version"}, {243, "g0v243_hardware_version"},
    {244, "g0v244_owner_name"}, {245, "g0v245_location"}, {246, "g0v246_id_code"}, {247, "g0v247_device_name"},
    {248, "g0v248_serial_number"}, {249, "g0v249_subset_and_conformance"}, {250, "g0v250_product_name_and_model"},
    {252, "g0v252_manufacturer_name"}, {254, "g0v254_all_attributes"}, {255, "g0v255_list_of_attributes"},
    {0, NULL},
};

static const struct code_name broadcasts[] = { /* 9.2 */
    {0xfffd, "confirm_not_required"}, {0xfffe, "confirm_mandatory"}, {0xffff, "confirm_optional"}, {0, NULL}};
static const struct code_name indications[] = { /* number: octet * 10 + bit */
    {10, "broadcast"}, {11, "class_1_events"}, {12, "class_2_events"}, {13, "class_3_events"}, {14, "need_time"},
    {15, "local_control"}, {16, "device_trouble"}, {17, "device_restart"}, {20, "no_func_code_support"},
    {21, "object_unknown"}, {22, "parameter_error"}, {23, "event_buffer_overflow"}, {24, "already_executing"},
    {25, "config_corrupt"}, {26, "reserved_2"}, {27, "reserved_1"}, {0, NULL}};
static const struct code_name operations[] = {
    {0, "nul"}, {1, "pulse_on"}, {2, "pulse_off"}, {3, "latch_on"}, {4, "latch_off"}, {0, NULL}};
static const struct code_name trip_close[] = {{0, "nul"}, {1, "close"}, {2, "trip"}, {3, "reserved"}, {0, NULL}};
static const struct code_name interval_units[] = {
    {0, "none"}, {1, "milliseconds"}, {2, "seconds"}, {3, "minutes"}, {4, "hours"}, {5, "days"}, {6, "weeks"},
    {7, "months"}, {8, "months_same_weekday"}, {9, "months_same_weekday_from_end"}, {10, "seasons"}, {0, NULL}};
static const struct code_name file_modes[] = {{0, "none"}, {1, "read"}, {2, "write"}, {3, "append"}, {0, NULL}};
static const struct code_name file_types[] = {{0, "directory"}, {1, "file"}, {0, NULL}};
static const struct code_name file_statuses[] = {
    {0, "success"}, {1, "permission_denied"}, {2, "invalid_mode"}, {3, "file_not_found"}, {4, "file_locked"},
    {5, "too_many_open"}, {6, "invalid_handle"}, {7, "write_block_size"}, {8, "communication_lost"},
    {9, "cannot_abort"}, {16, "not_opened"}, {17, "handle_expired"}, {18, "buffer_overrun"}, {19, "fatal"},
    {20, "block_sequence"}, {255, "undefined"}, {0, NULL}};
static const struct code_name macs[] = {
    {0, "none"}, {1, "hmac_sha1_4"}, {2, "hmac_sha1_10"}, {3, "hmac_sha256_8"}, {4, "hmac_sha256_16"},
    {5, "hmac_sha1_8"}, {6, "aes_gmac"}, {0, NULL}};
static const struct code_name key_wraps[] = {{1, "aes_128"}, {2, "aes_256"}, {0, NULL}};
static const struct code_name key_statuses[] = {
    {0, "undefined"}, {1, "ok"}, {2, "not_initialized"}, {3, "communication_failure"}, {4, "authentication_failure"},
    {0, NULL}};
static const struct code_name key_methods[] = {
    {3, "aes_128_sha1"}, {4, "aes_256_sha256"}, {5, "aes_256_gmac"}, {67, "rsa_1024_dsa_sha1"},
    {68, "rsa_2048_dsa_sha256"}, {69, "rsa_3072_dsa_sha256"}, {70, "rsa_2048_dsa_gmac"},
    {71, "rsa_3072_dsa_gmac"}, {0, NULL}};
static const struct code_name user_operations[] = {{1, "add"}, {2, "delete"}, {3, "change"}, {0, NULL}};
static const struct code_name roles[] = {
    {0, "viewer"}, {1, "operator"}, {2, "engineer"}, {3, "installer"}, {4, "security_administrator"},
    {5, "security_auditor"}, {6, "rbac_manager"}, {32768, "single_user"}, {0, NULL}};
#define AUTH_ERRORS(base) \
    {(base) + 1, "authentication_failed"}, {(base) + 2, "unexpected_response"}, {(base) + 3, "no_response"}, \
    {(base) + 4, "aggressive_mode_not_supported"}, {(base) + 5, "mac_algorithm_not_supported"}, \
    {(base) + 6, "key_wrap_not_supported"}, {(base) + 7, "authorization_failed"}, \
    {(base) + 8, "update_key_method_not_permitted"}, {(base) + 9, "invalid_signature"}, \
    {(base) + 10, "invalid_certification_data"}, {(base) + 11, "unknown_user"}, \
    {(base) + 12, "session_key_status_requests_exceeded"}
static const struct code_name auth_errors[] = {AUTH_ERRORS(0), {0, NULL}};

/* Control statuses (g12, g41), then the families that DST_ sets apart. */
static const struct code_name statuses[] = {
    {0, "success"}, {1, "timeout"}, {2, "no_select"}, {3, "format_error"}, {4, "not_supported"},
    {5, "already_active"}, {6, "hardware_error"}, {7, "local"}, {8, "too_many_operations"}, {9, "not_authorized"},
    {10, "automation_inhibit"}, {11, "processing_limited"}, {12, "out_of_range"}, {13, "downstream_local"},
    {14, "already_complete"}, {15, "blocked"}, {16, "canceled"}, {17, "blocked_other_master"},
    {18, "downstream_fail"}, {126, "non_participating"}, {127, "undefined"},
    {DST_IIN2 + 1, "no_func_code_support"}, {DST_IIN2 + 2, "object_unknown"}, {DST_IIN2 + 4, "parameter_error"},
    {DST_IIN2 + 16, "already_executing"},
    {DST_FILE + 1, "permission_denied"}, {DST_FILE + 2, "invalid_mode"}, {DST_FILE + 3, "file_not_found"},
    {DST_FILE + 4, "file_locked"}, {DST_FILE + 5, "too_many_open"}, {DST_FILE + 6, "invalid_handle"},
    {DST_FILE + 7, "write_block_size"}, {DST_FILE + 8, "communication_lost"}, {DST_FILE + 9, "cannot_abort"},
    {DST_FILE + 16, "not_opened"}, {DST_FILE + 17, "handle_expired"}, {DST_FILE + 18, "buffer_overrun"},
    {DST_FILE + 19, "fatal"}, {DST_FILE + 20, "block_sequence"}, {DST_FILE + 255, "undefined"},
    AUTH_ERRORS(DST_AUTH), {0, NULL}};

static const struct field_def fields[] = {
    [DF_MASTER] = {"master", FT_UINT, false, NULL, NULL, "link address of the master"},
    [DF_SEQUENCE] = {"sequence", FT_UINT, false, NULL, NULL, "application sequence number of the (first) message"},
    [DF_BROADCAST] = {"broadcast", FT_NAME, false, NULL, broadcasts, "the request went to all outstations"},
    [DF_OBJECTS] = {"object_types", FT_NAME, true, NULL, object_names, "group and variation of each object header"},
    [DF_QUALIFIERS] = {"qualifiers", FT_HEX, true, NULL, NULL, "qualifier octet of each object header"},
    [DF_CONFIRM_REQUESTED] = {"confirm_requested", FT_BOOL, false, NULL, NULL,
        "CON bit of the last fragment that set it"},
    [DF_FRAGMENTS] = {"fragments", FT_UINT, false, NULL, NULL, "application fragments of the response, if several"},
    [DF_IIN] = {"iin", FT_HEX, false, NULL, NULL, "internal indications of the last fragment, IIN1 in the high octet"},
    [DF_INDICATIONS] = {"indications", FT_NAME, true, NULL, indications, "internal indications that are set, by name"},
    [DF_OPERATION] = {"operation", FT_NAME, true, NULL, operations, "CROB: operation type of each"},
    [DF_TRIP_CLOSE] = {"trip_close", FT_NAME, true, NULL, trip_close, "CROB: trip-close code of each"},
    [DF_QUEUE] = {"queue", FT_BOOL, true, NULL, NULL, "CROB: obsolete queue bit, where set"},
    [DF_CLEAR] = {"clear", FT_BOOL, true, NULL, NULL, "CROB: clear bit, where set"},
    [DF_COUNT] = {"count", FT_UINT, true, NULL, NULL, "CROB: repetitions of each"},
    [DF_ON_TIME] = {"on_time_ms", FT_UINT, true, NULL, NULL, "CROB: on time of each"},
    [DF_OFF_TIME] = {"off_time_ms", FT_UINT, true, NULL, NULL, "CROB: off time of each"},
    [DF_TIME] = {"time", FT_TIME, true, NULL, NULL, "time written, read or scheduled (g50)"},
    [DF_INTERVAL] = {"interval", FT_UINT, true, NULL, NULL, "interval of g50v2 (ms) and g50v4"},
    [DF_INTERVAL_UNIT] = {"interval_unit", FT_NAME, true, NULL, interval_units, "unit of the interval of g50v4"},
    [DF_DELAY] = {"delay_ms", FT_UINT, false, NULL, NULL, "g52: delay measured, or time a restart takes"},
    [DF_OLDEST_EVENT] = {"oldest_event", FT_TIME, false, NULL, NULL, "smallest time tag of the objects"},
    [DF_NEWEST_EVENT] = {"newest_event", FT_TIME, false, NULL, NULL, "largest time tag of the objects"},
    [DF_TIME_UNSYNC] = {"time_unsynchronized", FT_BOOL, false, NULL, NULL, "g51v2: the outstation's clock is not set"},
    [DF_APPLICATION] = {"application", FT_TEXT, true, NULL, NULL,
        "g90v1: application that is started, stopped, initialised"},
    [DF_FILE_NAME] = {"file_name", FT_TEXT, true, NULL, NULL, "file or directory"},
    [DF_FILE_MODE] = {"file_mode", FT_NAME, false, NULL, file_modes, "how the file is opened"},
    [DF_FILE_SIZE] = {"file_size", FT_UINT, false, NULL, NULL, "octets; of a directory: entries"},
    [DF_FILE_HANDLE] = {"file_handle", FT_HEX, false, NULL, NULL, "handle given by the outstation"},
    [DF_FILE_BLOCK] = {"file_block", FT_UINT, false, NULL, NULL, "block number"},
    [DF_FILE_LAST] = {"file_last", FT_BOOL, false, NULL, NULL, "this is the last block"},
    [DF_FILE_BYTES] = {"file_bytes", FT_UINT, false, NULL, NULL, "octets of file data in this block"},
    [DF_FILE_BLOCK_SIZE] = {"file_block_size", FT_UINT, false, NULL, NULL, "largest block"},
    [DF_FILE_REQUEST] = {"file_request", FT_UINT, false, NULL, NULL, "request identifier"},
    [DF_FILE_STATUS] = {"file_status", FT_NAME, false, NULL, file_statuses, "status of the file operation"},
    [DF_FILE_TYPE] = {"file_type", FT_NAME, true, NULL, file_types, "g70v7: file or directory"},
    [DF_FILE_TIME] = {"file_time", FT_TIME, true, NULL, NULL, "time of creation"},
    [DF_FILE_PERMISSIONS] = {"file_permissions", FT_HEX, false, NULL, NULL, "rwx bits of owner, group, world"},
    [DF_FILE_USER] = {"file_user", FT_TEXT, false, NULL, NULL, "g70v2: user name (the password is not recorded)"},
    [DF_FILE_TEXT] = {"file_text", FT_TEXT, false, NULL, NULL, "optional text of a file status"},
    [DF_AUTH_USER] = {"user", FT_UINT, true, "dnp3_auth", NULL, "user number"},
    [DF_AUTH_SEQUENCE] = {"sequence", FT_UINT, true, "dnp3_auth", NULL, "challenge or key change sequence number"},
    [DF_AUTH_MAC] = {"mac_algorithm", FT_NAME, true, "dnp3_auth", macs, "MAC algorithm"},
    [DF_AUTH_KEY_WRAP] = {"key_wrap", FT_NAME, true, "dnp3_auth", key_wraps, "key wrap algorithm"},
    [DF_AUTH_KEY_STATUS] = {"key_status", FT_NAME, true, "dnp3_auth", key_statuses, "status of the session keys"},
    [DF_AUTH_METHOD] = {"key_change_method", FT_NAME, true, "dnp3_auth", key_methods, "key change method"},
    [DF_AUTH_OPERATION] = {"operation", FT_NAME, true, "dnp3_auth", user_operations, "what is done to the user"},
    [DF_AUTH_ROLE] = {"role", FT_NAME, true, "dnp3_auth", roles, "role given to the user"},
    [DF_AUTH_USER_NAME] = {"user_name", FT_TEXT, true, "dnp3_auth", NULL, "user name"},
    [DF_AUTH_ERROR] = {"error", FT_NAME, true, "dnp3_auth", auth_errors, "error code of g120v7"},
    [DF_AUTH_TEXT] = {"error_text", FT_TEXT, true, "dnp3_auth", NULL, "text of g120v7"},
    [DF_AUTH_ASSOCIATION] = {"association", FT_UINT, true, "dnp3_auth", NULL, "association that the error is about"},
    [DF_CLASSES] = {"class_assigned", FT_UINT, true, NULL, NULL,
        "assign class: the class of each run of points that follows"},
};
_Static_assert(ARRAY_LEN(fields) == DF_NUM, "every field has its row");

static const struct kind_def kinds[] = {
    [DK_BINARY_INPUT] = {"binary_input", KIND_RANGE},
    [DK_DOUBLE_BIT_INPUT] = {"double_bit_input", KIND_RANGE},
    [DK_BINARY_OUTPUT] = {"binary_output", KIND_RANGE},
    [DK_COUNTER] = {"counter", KIND_RANGE},
    [DK_FROZEN_COUNTER] = {"frozen_counter", KIND_RANGE},
    [DK_ANALOG_INPUT] = {"analog_input", KIND_RANGE},
    [DK_FROZEN_ANALOG] = {"frozen_analog", KIND_RANGE},
    [DK_ANALOG_DEADBAND] = {"analog_deadband", KIND_RANGE},
    [DK_ANALOG_OUTPUT] = {"analog_output", KIND_RANGE},
    [DK_TIME] = {"time", 0},
    [DK_CLASS] = {"class", KIND_RANGE},
    [DK_FILE] = {"file", KIND_NAME},
    [DK_FILE_HANDLE] = {"file_handle", KIND_HEX},
    [DK_IIN] = {"iin", KIND_RANGE},
    [DK_STORAGE] = {"storage", KIND_RANGE},
    [DK_DEVICE_PROFILE] = {"device_profile", 0},
    [DK_PRIVATE_OBJECT] = {"private_object", KIND_RANGE | KIND_SPACE},
    [DK_DATASET] = {"dataset", KIND_RANGE},
    [DK_APPLICATION] = {"application", KIND_NAME},
    [DK_BCD] = {"bcd", KIND_RANGE},
    [DK_UNSIGNED_INTEGER] = {"unsigned_integer", KIND_RANGE},
    [DK_OCTET_STRING] = {"octet_string", KIND_RANGE},
    [DK_VIRTUAL_TERMINAL] = {"virtual_terminal", KIND_RANGE},
    [DK_AUTH] = {"auth", KIND_RANGE},
    [DK_SECURITY_STATISTIC] = {"security_statistic", KIND_RANGE},
    [DK_DEVICE_ATTRIBUTE] = {"device_attribute", KIND_RANGE},
    [DK_PRIVATE_ATTRIBUTE] = {"private_attribute", KIND_RANGE | KIND_SPACE},
    [DK_OBJECT] = {"object", KIND_SPACE},
};
_Static_assert(ARRAY_LEN(kinds) == DK_COUNT, "every kind has its row");

static const struct anomaly_def anomalies[] = {
    [DA_BAD_HEADER_CRC] = {"bad_header_crc", 2, "CRC of the link header is wrong (9.2); the frame is not read"},
    [DA_BAD_DATA_CRC] = {"bad_data_crc", 2, "CRC of a data block is wrong (9.2); the frame's data are not trusted"},
    [DA_BAD_LENGTH] = {"bad_length", 2, "LENGTH below 5, or the datagram ends inside the frame (9.2)"},
    [DA_LINK_FUNCTION] = {"reserved_link_function", 2, "link function code is reserved (9.2)"},
    [DA_LINK_CONTROL] = {"link_control_bits", 1, "FCV, or a reserved bit, is not as the link function requires (9.2)"},
    [DA_LINK_DATA] = {"link_data_unexpected", 2, "user data behind a link function that carries none (9.2)"},
    [DA_LINK_EMPTY] = {"link_data_missing", 1, "user data function without user data (9.2)"},
    [DA_ADDRESS_RESERVED] = {"reserved_address", 1, "address in FFF0-FFFB, or the self-address FFFC as a source (9.2)"},
    [DA_BROADCAST_SOURCE] = {"broadcast_source", 2, "source address is a broadcast address (9.2)"},
    [DA_LINK_NACK] = {"link_nack", 1, "secondary station answers NACK (9.2)"},
    [DA_LINK_BUSY] = {"link_busy", 1, "DFC set: the receiver has no room (9.2)"},
    [DA_LINK_UNSUPPORTED] = {"link_function_refused", 1, "secondary station answers NOT_SUPPORTED (9.2)"},
    [DA_LINK_TRAILING] = {"datagram_trailing_bytes", 2, "bytes behind the last link frame of a datagram (13)"},
    [DA_TP_LOST_FIRST] = {"transport_lost_first", 2, "segment without FIR and nothing begun (8.2)"},
    [DA_TP_GAP] = {"transport_sequence_gap", 2,
        "transport sequence number is not the next one; the message is dropped (8.2)"},
    [DA_TP_ABANDONED] = {"transport_message_abandoned", 1, "FIR while a message was not finished (8.2)"},
    [DA_TP_DUPLICATE] = {"transport_duplicate", 0, "segment with the sequence number of the one before (8.2)"},
    [DA_TP_EMPTY] = {"transport_empty", 1, "transport segment without application data (8.2)"},
    [DA_TP_TOO_LONG] = {"transport_too_long", 2, "application fragment beyond what can be kept"},
    [DA_APP_SHORT] = {"fragment_short", 2, "application fragment shorter than its header (4.2.2)"},
    [DA_FN_RESERVED] = {"reserved_function", 3, "application function code is reserved (4.2.2)"},
    [DA_FN_OBSOLETE] = {"obsolete_function", 2, "application function code is obsolete (4.2.2)"},
    [DA_RESPONSE_FROM_MASTER] = {"response_from_master", 3, "response function with DIR = master (4.2.2, 9.2)"},
    [DA_REQUEST_FROM_OUTSTATION] = {"request_from_outstation", 3,
        "request function with DIR = outstation (4.2.2, 9.2)"},
    [DA_REQUEST_FRAGMENTED] = {"request_fragmented", 2, "request or unsolicited response without FIR and FIN (4.2.2)"},
    [DA_MASTER_WANTS_CONFIRM] = {"master_requests_confirm", 2, "CON set in a request (4.2.2)"},
    [DA_UNS_BIT] = {"uns_bit_wrong", 2, "UNS set without an unsolicited response, or clear in one (4.2.2)"},
    [DA_UNSOLICITED_UNCONFIRMED] = {"unsolicited_without_confirm", 1,
        "unsolicited response that asks for no confirmation (4.5)"},
    [DA_FRAGMENT_SEQUENCE] = {"fragment_sequence", 2, "response fragment without the one before it (4.2.2)"},
    [DA_CONFIRM_UNEXPECTED] = {"unexpected_confirm", 1, "confirmation of nothing that asked for one (4.4)", true},
    [DA_OPERATE_WITHOUT_SELECT] = {"operate_without_select", 3, "OPERATE and no SELECT before it (4.4)"},
    [DA_OPERATE_DIFFERS] = {"operate_differs_from_select", 3, "OPERATE with other objects than the SELECT (4.4)"},
    [DA_OPERATE_SEQUENCE] = {"operate_sequence", 2, "OPERATE whose sequence number does not follow the SELECT's (4.4)"},
    [DA_CONTROL_ECHO] = {"control_echo_differs", 3,
        "response does not echo the points and values of the request (4.4)"},
    [DA_BROADCAST_FUNCTION] = {"broadcast_needs_answer", 2, "broadcast of a function whose sense is its answer (4.3)"},
    [DA_OBJ_UNKNOWN] = {"object_group_unknown", 2, "object group is not in the library (Annex A)"},
    [DA_OBJ_VARIATION] = {"object_variation_unknown", 2, "variation is not in the library, or has no data (Annex A)"},
    [DA_OBJ_HEADER] = {"object_header_broken", 2, "object header ends early (4.2.2)"},
    [DA_OBJ_SHORT] = {"object_data_short", 2, "fewer octets than the range or count says (4.2.2)"},
    [DA_QUALIFIER] = {"qualifier_reserved", 2, "reserved qualifier, or one that does not fit the object (4.2.2)"},
    [DA_RANGE] = {"range_reversed", 2, "stop index below the start index (4.2.2)"},
    [DA_TRAILING] = {"trailing_bytes", 1, "octets behind a message that has none (4.2.2)"},
    [DA_CROB_CODE] = {"control_code_reserved", 2, "reserved or obsolete control code (Annex A, g12)"},
    [DA_PASSWORD] = {"password_in_clear", 2, "file authentication sends a password in clear (Annex A, g70v2)"},
    [DA_AUTH_ERROR] = {"authentication_error", 3, "secure authentication tells an error (7, g120)"},
    [DA_KEY_STATUS] = {"session_keys_invalid", 1, "session keys are not initialised or failed (7, g120)"},
    [DA_IIN_RESTART] = {"iin_device_restart", 3, "IIN1.7 came: the outstation has restarted (4.2.2)"},
    [DA_IIN_TROUBLE] = {"iin_device_trouble", 3, "IIN1.6 came: the outstation is in trouble (4.2.2)"},
    [DA_IIN_NEED_TIME] = {"iin_need_time", 1, "IIN1.4 came: the outstation wants its clock set (4.2.2)"},
    [DA_IIN_LOCAL] = {"iin_local_control", 1, "IIN1.5 came: outputs are in local mode (4.2.2)"},
    [DA_IIN_NO_FUNCTION] = {"iin_no_func_code_support", 1, "IIN2.0 came: function not supported (4.2.2)"},
    [DA_IIN_OBJECT_UNKNOWN] = {"iin_object_unknown", 1, "IIN2.1 came: object unknown (4.2.2)"},
    [DA_IIN_PARAMETER] = {"iin_parameter_error", 1, "IIN2.2 came: parameter error (4.2.2)"},
    [DA_IIN_OVERFLOW] = {"iin_event_buffer_overflow", 2, "IIN2.3 came: events were lost (4.2.2)"},
    [DA_IIN_EXECUTING] = {"iin_already_executing", 1, "IIN2.4 came: already executing (4.2.2)"},
    [DA_IIN_CONFIG_CORRUPT] = {"iin_config_corrupt", 4, "IIN2.5 came: the configuration is corrupt (4.2.2)"},
    [DA_IIN_RESERVED] = {"iin_reserved", 2, "IIN2.6 or IIN2.7 set: reserved (4.2.2)"},
};
_Static_assert(ARRAY_LEN(anomalies) == DA_NUM, "every anomaly has its row");

/* Bits as DQ_ of dnp3_proto.h: online alone is good. */
static const char *const qualities[] = {
    "offline", "restart", "comm_lost", "remote_forced", "local_forced", "chatter_filter", "rollover", "discontinuity",
    "over_range", "reference_error", NULL};
/* clang-format on */

const struct proto_schema dnp3_schema = {
    .name = "dnp3", .title = "DNP3", .spec = "IEEE 1815-2012",
    .fn_max = 255, .ops = ops, .n_ops = ARRAY_LEN(ops),
    .fields = fields, .n_fields = ARRAY_LEN(fields),
    .kinds = kinds, .n_kinds = ARRAY_LEN(kinds),
    .anomalies = anomalies, .n_anomalies = ARRAY_LEN(anomalies),
    .statuses = statuses, .qualities = qualities, .quality_of = dnp3_quality, .unit_is = "outstation address",
    .addr_is = {"outstation", "master"},
};
