/* mms_schema.c: MMS as tables: services, fields, kinds of objects, anomalies, statuses. */
#include <stdio.h>

#include "dissectors/mms.h"

#define ANY OP_ANY_SELECTOR

/* clang-format off */
/* ISO 9506-2 7.2 ConfirmedServiceRequest: tag, selector, name, action. Stands twice: as asked and as answered. */
#define CONFIRMED(X) \
    X(0, ANY, "status", ACT_DIAGNOSE) \
    X(1, ANY, "get_name_list", ACT_BROWSE) \
    X(2, ANY, "identify", ACT_BROWSE) \
    X(3, ANY, "rename", ACT_CONFIGURE) \
    X(4, SEL_SELECT, "select", ACT_SELECT) \
    X(4, ANY, "read", ACT_READ) \
    X(5, SEL_OPERATE, "operate", ACT_CONTROL) \
    X(5, SEL_OPERATE_MODE, "operate_mode", ACT_MODE) \
    X(5, SEL_SELECT, "write_select", ACT_SELECT) \
    X(5, SEL_SELECT_VALUE, "select_with_value", ACT_SELECT) \
    X(5, SEL_CANCEL, "cancel_control", ACT_SELECT) \
    X(5, SEL_CONTROL, "write_control", ACT_CONTROL) \
    X(5, SEL_SUBSTITUTE, "substitute", ACT_FORCE) \
    X(5, SEL_BLOCK, "block", ACT_FORCE) \
    X(5, SEL_SETTING, "write_setting", ACT_CONFIGURE) \
    X(5, SEL_ACTIVE_GROUP, "select_active_setting_group", ACT_CONFIGURE) \
    X(5, SEL_EDIT_GROUP, "select_edit_setting_group", ACT_CONFIGURE) \
    X(5, SEL_CONFIRM_GROUP, "confirm_edit_setting_group", ACT_CONFIGURE) \
    X(5, SEL_CONFIGURATION, "write_configuration", ACT_CONFIGURE) \
    X(5, SEL_DESCRIPTION, "write_description", ACT_CONFIGURE) \
    X(5, SEL_GOOSE_CONTROL, "write_goose_control", ACT_CONFIGURE) \
    X(5, SEL_SV_CONTROL, "write_sampled_value_control", ACT_CONFIGURE) \
    X(5, SEL_LOG_CONTROL, "write_log_control", ACT_CONFIGURE) \
    X(5, SEL_REPORT_CONTROL, "write_report_control", ACT_CONFIGURE) \
    X(5, SEL_SETPOINT, "write_setpoint", ACT_WRITE) \
    X(5, SEL_INTERROGATION, "general_interrogation", ACT_READ) \
    X(5, ANY, "write", ACT_WRITE) \
    X(6, ANY, "get_variable_access_attributes", ACT_BROWSE) \
    X(7, ANY, "define_named_variable", ACT_CONFIGURE) \
    X(8, ANY, "define_scattered_access", ACT_CONFIGURE) \
    X(9, ANY, "get_scattered_access_attributes", ACT_BROWSE) \
    X(10, ANY, "delete_variable_access", ACT_CONFIGURE) \
    X(11, ANY, "define_named_variable_list", ACT_CONFIGURE) \
    X(12, ANY, "get_named_variable_list_attributes", ACT_BROWSE) \
    X(13, ANY, "delete_named_variable_list", ACT_CONFIGURE) \
    X(14, ANY, "define_named_type", ACT_CONFIGURE) \
    X(15, ANY, "get_named_type_attributes", ACT_BROWSE) \
    X(16, ANY, "delete_named_type", ACT_CONFIGURE) \
    X(17, ANY, "input", ACT_READ) \
    X(18, ANY, "output", ACT_WRITE) \
    X(19, ANY, "take_control", ACT_LOCK) \
    X(20, ANY, "relinquish_control", ACT_LOCK) \
    X(21, ANY, "define_semaphore", ACT_CONFIGURE) \
    X(22, ANY, "delete_semaphore", ACT_CONFIGURE) \
    X(23, ANY, "report_semaphore_status", ACT_READ) \
    X(24, ANY, "report_pool_semaphore_status", ACT_READ) \
    X(25, ANY, "report_semaphore_entry_status", ACT_READ) \
    X(26, ANY, "initiate_download_sequence", ACT_DOWNLOAD) \
    X(27, ANY, "download_segment", ACT_DOWNLOAD) \
    X(28, ANY, "terminate_download_sequence", ACT_DOWNLOAD) \
    X(29, ANY, "initiate_upload_sequence", ACT_UPLOAD) \
    X(30, ANY, "upload_segment", ACT_UPLOAD) \
    X(31, ANY, "terminate_upload_sequence", ACT_UPLOAD) \
    X(32, ANY, "request_domain_download", ACT_DOWNLOAD) \
    X(33, ANY, "request_domain_upload", ACT_UPLOAD) \
    X(34, ANY, "load_domain_content", ACT_DOWNLOAD) \
    X(35, ANY, "store_domain_content", ACT_UPLOAD) \
    X(36, ANY, "delete_domain", ACT_DOWNLOAD) \
    X(37, ANY, "get_domain_attributes", ACT_BROWSE) \
    X(38, ANY, "create_program_invocation", ACT_CONFIGURE) \
    X(39, ANY, "delete_program_invocation", ACT_CONFIGURE) \
    X(40, ANY, "start", ACT_START) \
    X(41, ANY, "stop", ACT_STOP) \
    X(42, ANY, "resume", ACT_START) \
    X(43, ANY, "reset", ACT_RESET) \
    X(44, ANY, "kill", ACT_STOP) \
    X(45, ANY, "get_program_invocation_attributes", ACT_BROWSE) \
    X(46, ANY, "obtain_file", ACT_FILE) \
    X(47, ANY, "define_event_condition", ACT_CONFIGURE) \
    X(48, ANY, "delete_event_condition", ACT_CONFIGURE) \
    X(49, ANY, "get_event_condition_attributes", ACT_BROWSE) \
    X(50, ANY, "report_event_condition_status", ACT_READ) \
    X(51, ANY, "alter_event_condition_monitoring", ACT_ALARM) \
    X(52, ANY, "trigger_event", ACT_CONTROL) \
    X(53, ANY, "define_event_action", ACT_CONFIGURE) \
    X(54, ANY, "delete_event_action", ACT_CONFIGURE) \
    X(55, ANY, "get_event_action_attributes", ACT_BROWSE) \
    X(56, ANY, "report_event_action_status", ACT_READ) \
    X(57, ANY, "define_event_enrollment", ACT_CONFIGURE) \
    X(58, ANY, "delete_event_enrollment", ACT_CONFIGURE) \
    X(59, ANY, "alter_event_enrollment", ACT_ALARM) \
    X(60, ANY, "report_event_enrollment_status", ACT_READ) \
    X(61, ANY, "get_event_enrollment_attributes", ACT_BROWSE) \
    X(62, ANY, "acknowledge_event_notification", ACT_ALARM) \
    X(63, ANY, "get_alarm_summary", ACT_READ) \
    X(64, ANY, "get_alarm_enrollment_summary", ACT_READ) \
    X(65, ANY, "read_journal", ACT_READ) \
    X(66, ANY, "write_journal", ACT_WRITE) \
    X(67, ANY, "initialize_journal", ACT_CONFIGURE) \
    X(68, ANY, "report_journal_status", ACT_READ) \
    X(69, ANY, "create_journal", ACT_CONFIGURE) \
    X(70, ANY, "delete_journal", ACT_CONFIGURE) \
    X(71, ANY, "get_capability_list", ACT_BROWSE) \
    X(72, ANY, "file_open", ACT_FILE) \
    X(73, ANY, "file_read", ACT_FILE) \
    X(74, ANY, "file_close", ACT_FILE) \
    X(75, ANY, "file_rename", ACT_FILE) \
    X(76, ANY, "file_delete", ACT_FILE) \
    X(77, ANY, "file_directory", ACT_BROWSE) \
    X(78, 0, "vmd_stop", ACT_STOP) \
    X(78, 1, "vmd_reset", ACT_RESET) \
    X(78, 2, "select_program_invocation", ACT_SELECT) \
    X(78, 3, "alter_program_invocation_attributes", ACT_CONFIGURE) \
    X(78, 4, "initiate_unit_control_load", ACT_DOWNLOAD) \
    X(78, 5, "unit_control_load_segment", ACT_DOWNLOAD) \
    X(78, 6, "unit_control_upload", ACT_UPLOAD) \
    X(78, 7, "start_unit_control", ACT_START) \
    X(78, 8, "stop_unit_control", ACT_STOP) \
    X(78, 9, "create_unit_control", ACT_CONFIGURE) \
    X(78, 10, "add_to_unit_control", ACT_CONFIGURE) \
    X(78, 11, "remove_from_unit_control", ACT_CONFIGURE) \
    X(78, 12, "get_unit_control_attributes", ACT_BROWSE) \
    X(78, 13, "load_unit_control_from_file", ACT_DOWNLOAD) \
    X(78, 14, "store_unit_control_to_file", ACT_UPLOAD) \
    X(78, 15, "delete_unit_control", ACT_CONFIGURE) \
    X(78, 16, "define_event_condition_list", ACT_CONFIGURE) \
    X(78, 17, "delete_event_condition_list", ACT_CONFIGURE) \
    X(78, 18, "add_event_condition_list_reference", ACT_CONFIGURE) \
    X(78, 19, "remove_event_condition_list_reference", ACT_CONFIGURE) \
    X(78, 20, "get_event_condition_list_attributes", ACT_BROWSE) \
    X(78, 21, "report_event_condition_list_status", ACT_READ) \
    X(78, 22, "alter_event_condition_list_monitoring", ACT_ALARM) \
    X(78, ANY, "additional_service", ACT_OTHER) \
    X(80, ANY, "get_data_exchange_attributes", ACT_BROWSE) \
    X(81, ANY, "exchange_data", ACT_WRITE) \
    X(82, ANY, "define_access_control_list", ACT_CONFIGURE) \
    X(83, ANY, "get_access_control_list_attributes", ACT_BROWSE) \
    X(84, ANY, "report_access_controlled_objects", ACT_BROWSE) \
    X(85, ANY, "delete_access_control_list", ACT_CONFIGURE) \
    X(86, ANY, "change_access_control", ACT_CONFIGURE) \
    X(87, ANY, "reconfigure_program_invocation", ACT_CONFIGURE)

#define ASKED(service, sel, name, action) {MMS_FN(MMS_REQUEST, service), sel, name, action, 0, 0, 0, 0, 0},
#define ANSWERED(service, sel, name, action) {MMS_FN(MMS_RESPONSE, service), sel, name, action, OP_ANSWER, 0, 0, 0, 0},
#define REPORTED(service, sel, name, action) \
    {MMS_FN(MMS_UNCONFIRMED, service), sel, name, action, OP_NO_ANSWER, 0, 0, 0, 0},
#define PLAIN(pdu, name, flags) {MMS_FN(pdu, MMS_NO_SERVICE), ANY, name, ACT_SESSION, flags, 0, 0, 0, 0},

static const struct op_row ops[] = {
    CONFIRMED(ASKED)
    CONFIRMED(ANSWERED)
    PLAIN(MMS_ERROR, "confirmed_error", OP_ANSWER)
    REPORTED(0, SEL_REPORT, "report", ACT_REPORT)
    REPORTED(0, SEL_TERMINATION, "command_termination", ACT_REPORT)
    REPORTED(0, SEL_APPL_ERROR, "last_application_error", ACT_REPORT)
    REPORTED(0, ANY, "information_report", ACT_REPORT)
    REPORTED(1, ANY, "unsolicited_status", ACT_REPORT)
    REPORTED(2, ANY, "event_notification", ACT_ALARM)
    PLAIN(MMS_REJECT, "reject", OP_ANSWER)
    PLAIN(MMS_CANCEL, "cancel", 0)
    PLAIN(MMS_CANCEL_RESPONSE, "cancel_response", OP_ANSWER)
    PLAIN(MMS_CANCEL_ERROR, "cancel_error", OP_ANSWER)
    PLAIN(MMS_INITIATE, "initiate", 0)
    PLAIN(MMS_INITIATE_RESPONSE, "initiate_response", OP_ANSWER)
    PLAIN(MMS_INITIATE_ERROR, "initiate_error", OP_ANSWER)
    PLAIN(MMS_CONCLUDE, "conclude", 0)
    PLAIN(MMS_CONCLUDE_RESPONSE, "conclude_response", OP_ANSWER)
    PLAIN(MMS_CONCLUDE_ERROR, "conclude_error", OP_ANSWER)
};

/* ---- names of codes ---- */

static const struct code_name object_classes[] = { /* 7.5.1 */
    {0, "named_variable"}, {1, "scattered_access"}, {2, "named_variable_list"}, {3, "named_type"}, {4, "semaphore"},
    {5, "event_condition"}, {6, "event_action"}, {7, "event_enrollment"}, {8, "journal"}, {9, "domain"},
    {10, "program_invocation"}, {11, "operator_station"}, {12, "data_exchange"}, {13, "access_control_list"}, {0, NULL},
};
static const struct code_name logical_states[] = { /* 10.3 */
    {0, "state_changes_allowed"}, {1, "no_state_changes_allowed"}, {2, "limited_services_permitted"},
    {3, "support_services_allowed"}, {0, NULL},
};
static const struct code_name physical_states[] = {
    {0, "operational"}, {1, "partially_operational"}, {2, "inoperable"}, {3, "needs_commissioning"}, {0, NULL},
};
static const struct code_name auth_kinds[] = {
    {AUTH_PASSWORD, "password"}, {AUTH_BITS, "bit_string"}, {AUTH_EXTERNAL, "external"}, {AUTH_OTHER, "other"},
    {0, NULL},
};
static const struct code_name assoc_results[] = {
    {0, "accepted"}, {1, "rejected_permanent"}, {2, "rejected_transient"}, {0, NULL},
};
static const struct code_name origins[] = { /* IEC 61850-7-3 6.6 orCat */
    {0, "not_supported"}, {1, "bay_control"}, {2, "station_control"}, {3, "remote_control"}, {4, "automatic_bay"},
    {5, "automatic_station"}, {6, "automatic_remote"}, {7, "maintenance"}, {8, "process"}, {0, NULL},
};
static const struct code_name checks[] = { /* IEC 61850-8-1 20.6.1: synchrocheck is the first bit */
    {0, "none"}, {1, "interlock"}, {2, "synchrocheck"}, {3, "both"}, {0, NULL},
};
static const struct code_name control_errors[] = { /* IEC 61850-8-1 table 98 */
    {0, "no_error"}, {1, "unknown"}, {2, "time_out_test_not_ok"}, {3, "operator_test_not_ok"}, {0, NULL},
};
static const struct code_name reasons[] = { /* IEC 61850-7-2 17.2.3.2.3.6: bits of ReasonCode */
    {1, "data_change"}, {2, "quality_change"}, {3, "data_update"}, {4, "integrity"}, {5, "general_interrogation"},
    {6, "application_trigger"}, {0, NULL},
};
#define CAUSES(X) /* IEC 61850-7-2 table 39 AddCause */ \
    X(0, "cause_unknown") X(1, "not_supported") X(2, "blocked_by_switching_hierarchy") X(3, "select_failed") \
    X(4, "invalid_position") X(5, "position_reached") X(6, "parameter_change_in_execution") X(7, "step_limit") \
    X(8, "blocked_by_mode") X(9, "blocked_by_process") X(10, "blocked_by_interlocking") \
    X(11, "blocked_by_synchrocheck") X(12, "command_already_in_execution") X(13, "blocked_by_health") \
    X(14, "1_of_n_control") X(15, "abortion_by_cancel") X(16, "time_limit_over") X(17, "abortion_by_trip") \
    X(18, "object_not_selected") X(19, "object_already_selected") X(20, "no_access_authority") \
    X(21, "ended_with_overshoot") X(22, "abortion_due_to_deviation") X(23, "abortion_by_communication_loss") \
    X(24, "blocked_by_command") X(25, "no_cause") X(26, "inconsistent_parameters") X(27, "locked_by_other_client")
#define CAUSE_CODE(n, name) {n, name},
#define CAUSE_STATUS(n, name) {ST_CAUSE | (n), name},
static const struct code_name causes[] = {CAUSES(CAUSE_CODE) {0, NULL}};

#define CLASS(class, n) (ST_SERVICE | (class) << 8 | (n))
static const struct code_name statuses[] = {
    /* ServiceError, ISO 9506-2 7.4 */
    {CLASS(0, 0), "vmd_state_other"}, {CLASS(0, 1), "vmd_state_conflict"}, {CLASS(0, 2), "vmd_operational_problem"},
    {CLASS(0, 3), "domain_transfer_problem"}, {CLASS(0, 4), "state_machine_id_invalid"},
    {CLASS(1, 0), "application_reference_other"}, {CLASS(1, 1), "application_unreachable"},
    {CLASS(1, 2), "connection_lost"}, {CLASS(1, 3), "application_reference_invalid"},
    {CLASS(1, 4), "context_unsupported"},
    {CLASS(2, 0), "definition_other"}, {CLASS(2, 1), "object_undefined"}, {CLASS(2, 2), "invalid_address"},
    {CLASS(2, 3), "type_unsupported"}, {CLASS(2, 4), "type_inconsistent"}, {CLASS(2, 5), "object_exists"},
    {CLASS(2, 6), "object_attribute_inconsistent"},
    {CLASS(3, 0), "resource_other"}, {CLASS(3, 1), "memory_unavailable"},
    {CLASS(3, 2), "processor_resource_unavailable"},
    {CLASS(3, 3), "mass_storage_unavailable"}, {CLASS(3, 4), "capability_unavailable"},
    {CLASS(3, 5), "capability_unknown"},
    {CLASS(4, 0), "service_other"}, {CLASS(4, 1), "primitives_out_of_sequence"}, {CLASS(4, 2), "object_state_conflict"},
    {CLASS(4, 3), "pdu_size"}, {CLASS(4, 4), "continuation_invalid"}, {CLASS(4, 5), "object_constraint_conflict"},
    {CLASS(5, 0), "service_preempt_other"}, {CLASS(5, 1), "timeout"}, {CLASS(5, 2), "deadlock"},
    {CLASS(5, 3), "cancel"},
    {CLASS(6, 0), "time_resolution_other"}, {CLASS(6, 1), "unsupportable_time_resolution"},
    {CLASS(7, 0), "access_other"}, {CLASS(7, 1), "object_access_unsupported"}, {CLASS(7, 2), "object_non_existent"},
    {CLASS(7, 3), "object_access_denied"}, {CLASS(7, 4), "object_invalidated"},
    {CLASS(8, 0), "initiate_other"}, {CLASS(8, 3), "max_services_outstanding_calling_insufficient"},
    {CLASS(8, 4), "max_services_outstanding_called_insufficient"}, {CLASS(8, 5), "service_cbb_insufficient"},
    {CLASS(8, 6), "parameter_cbb_insufficient"}, {CLASS(8, 7), "nesting_level_insufficient"},
    {CLASS(9, 0), "conclude_other"}, {CLASS(9, 1), "further_communication_required"},
    {CLASS(10, 0), "cancel_other"}, {CLASS(10, 1), "invoke_id_unknown"}, {CLASS(10, 2), "cancel_not_possible"},
    {CLASS(11, 0), "file_other"}, {CLASS(11, 1), "filename_ambiguous"}, {CLASS(11, 2), "file_busy"},
    {CLASS(11, 3), "filename_syntax_error"}, {CLASS(11, 4), "content_type_invalid"}, {CLASS(11, 5), "position_invalid"},
    {CLASS(11, 6), "file_access_denied"}, {CLASS(11, 7), "file_non_existent"}, {CLASS(11, 8), "duplicate_filename"},
    {CLASS(11, 9), "insufficient_space_in_filestore"}, {CLASS(12, 0), "others"},
    /* DataAccessError, 14.3.1 */
    {ST_DATA | 0, "object_invalidated"}, {ST_DATA | 1, "hardware_fault"}, {ST_DATA | 2, "temporarily_unavailable"},
    {ST_DATA | 3, "object_access_denied"}, {ST_DATA | 4, "object_undefined"}, {ST_DATA | 5, "invalid_address"},
    {ST_DATA | 6, "type_unsupported"}, {ST_DATA | 7, "type_inconsistent"},
    {ST_DATA | 8, "object_attribute_inconsistent"},
    {ST_DATA | 9, "object_access_unsupported"}, {ST_DATA | 10, "object_non_existent"},
    {ST_DATA | 11, "object_value_invalid"},
    /* RejectPDU, 7.3: PDU type, reason */
    {ST_REJECT | 0x100, "request_other"}, {ST_REJECT | 0x101, "unrecognized_service"},
    {ST_REJECT | 0x102, "unrecognized_modifier"}, {ST_REJECT | 0x103, "invalid_invoke_id"},
    {ST_REJECT | 0x104, "invalid_argument"}, {ST_REJECT | 0x105, "invalid_modifier"},
    {ST_REJECT | 0x106, "max_services_outstanding_exceeded"}, {ST_REJECT | 0x108, "max_recursion_exceeded"},
    {ST_REJECT | 0x109, "value_out_of_range"},
    {ST_REJECT | 0x200, "response_other"}, {ST_REJECT | 0x201, "response_unrecognized_service"},
    {ST_REJECT | 0x202, "response_invalid_invoke_id"}, {ST_REJECT | 0x203, "response_invalid_result"},
    {ST_REJECT | 0x300, "error_other"}, {ST_REJECT | 0x301, "error_unrecognized_service"},
    {ST_REJECT | 0x302, "error_invalid_invoke_id"}, {ST_REJECT | 0x303, "error_invalid_service_error"},
    {ST_REJECT | 0x400, "unconfirmed_other"}, {ST_REJECT | 0x401, "unconfirmed_unrecognized_service"},
    {ST_REJECT | 0x402, "unconfirmed_invalid_argument"},
    {ST_REJECT | 0x500, "unknown_pdu_type"}, {ST_REJECT | 0x501, "invalid_pdu"},
    {ST_REJECT | 0x502, "illegal_acse_mapping"},
    {ST_REJECT | 0x600, "cancel_request_other"}, {ST_REJECT | 0x601, "cancel_request_invalid_invoke_id"},
    {ST_REJECT | 0x700, "cancel_response_other"}, {ST_REJECT | 0x701, "cancel_response_invalid_invoke_id"},
    {ST_REJECT | 0x800, "cancel_error_other"}, {ST_REJECT | 0xb00, "conclude_request_other"},
    CAUSES(CAUSE_STATUS)
    /* AARE, ISO 8650-1 7.1: source, diagnostic */
    {ST_ASSOCIATE | 0x100, "association_refused"}, {ST_ASSOCIATE | 0x101, "association_refused_no_reason"},
    {ST_ASSOCIATE | 0x102, "application_context_not_supported"},
    {ST_ASSOCIATE | 0x103, "calling_ap_title_not_recognized"},
    {ST_ASSOCIATE | 0x104, "calling_ap_invocation_not_recognized"},
    {ST_ASSOCIATE | 0x105, "calling_ae_qualifier_not_recognized"},
    {ST_ASSOCIATE | 0x106, "calling_ae_invocation_not_recognized"},
    {ST_ASSOCIATE | 0x107, "called_ap_title_not_recognized"},
    {ST_ASSOCIATE | 0x108, "called_ap_invocation_not_recognized"},
    {ST_ASSOCIATE | 0x109, "called_ae_qualifier_not_recognized"},
    {ST_ASSOCIATE | 0x10a, "called_ae_invocation_not_recognized"},
    {ST_ASSOCIATE | 0x10b, "authentication_mechanism_not_recognized"},
    {ST_ASSOCIATE | 0x10c, "authentication_mechanism_required"},
    {ST_ASSOCIATE | 0x10d, "authentication_failure"}, {ST_ASSOCIATE | 0x10e, "authentication_required"},
    {ST_ASSOCIATE | 0x200, "association_provider_refused"}, {ST_ASSOCIATE | 0x201, "association_provider_no_reason"},
    {ST_ASSOCIATE | 0x202, "no_common_acse_version"},
    {ST_NOT_SELECTED, "not_selected"}, {ST_REFUSED, "session_refused"},
    {0, NULL},
};

/* ---- fields ---- */

static const struct field_def fields[F_COUNT] = {
    [F_INVOKE_ID] = {"invoke_id", FT_UINT, false, NULL, NULL, "number that pairs a request with its answer"},
    [F_TSAP_CALLING] = {"tsap_calling", FT_TEXT, false, NULL, NULL, "transport selector of the side that connects"},
    [F_TSAP_CALLED] = {"tsap_called", FT_TEXT, false, NULL, NULL, "transport selector that it connects to"},
    [F_AP_CALLING] = {"ap_title_calling", FT_TEXT, false, NULL, NULL, "ACSE application process title of the client"},
    [F_AE_CALLING] = {"ae_qualifier_calling", FT_INT, false, NULL, NULL,
        "ACSE application entity qualifier of the client"},
    [F_AP_CALLED] = {"ap_title_called", FT_TEXT, false, NULL, NULL, "application process title that is called"},
    [F_AE_CALLED] = {"ae_qualifier_called", FT_INT, false, NULL, NULL, "application entity qualifier that is called"},
    [F_AP_RESPONDING] = {"ap_title_responding", FT_TEXT, false, NULL, NULL, "application process title of the server"},
    [F_AE_RESPONDING] = {"ae_qualifier_responding", FT_INT, false, NULL, NULL,
        "application entity qualifier of the server"},
    [F_CONTEXT] = {"application_context", FT_TEXT, false, NULL, NULL, "application context name, an object identifier"},
    [F_AUTH] = {"authentication", FT_NAME, false, NULL, auth_kinds,
        "kind of ACSE authentication value; the value is not recorded"},
    [F_ASSOC_RESULT] = {"association_result", FT_NAME, false, NULL, assoc_results, "result of the association"},
    [F_MAX_PDU] = {"max_pdu", FT_UINT, false, NULL, NULL, "largest MMS PDU, offered or agreed"},
    [F_MAX_CALLING] = {"max_outstanding_calling", FT_UINT, false, NULL, NULL,
        "requests of the client that may be open at a time"},
    [F_MAX_CALLED] = {"max_outstanding_called", FT_UINT, false, NULL, NULL,
        "requests of the server that may be open at a time"},
    [F_NESTING] = {"nesting_level", FT_UINT, false, NULL, NULL, "depth of data structures, offered or agreed"},
    [F_VERSION] = {"version", FT_UINT, false, NULL, NULL, "version of MMS"},
    [F_PARAMETERS] = {"parameter_cbb", FT_BYTES, false, NULL, NULL, "supported parameters, a bit string"},
    [F_SERVICES] = {"services_supported", FT_BYTES, false, NULL, NULL, "supported services, a bit string"},
    [F_FC] = {"functional_constraint", FT_TEXT, true, NULL, NULL, "functional constraints of the variables, each once"},
    [F_RESULTS] = {"results", FT_UINT, false, NULL, NULL, "access results in a message, refused ones included"},
    [F_OBJECT_CLASS] = {"object_class", FT_NAME, false, NULL, object_classes, "class of the names asked for"},
    [F_CONTINUE_AFTER] = {"continue_after", FT_TEXT, false, NULL, NULL, "name after which a list goes on"},
    [F_NAMES] = {"names", FT_TEXT, true, NULL, NULL, "the first names of a list"},
    [F_NAME_COUNT] = {"name_count", FT_UINT, false, NULL, NULL, "names in a list"},
    [F_MORE] = {"more_follows", FT_BOOL, false, NULL, NULL, "the list or content goes on"},
    [F_NEW_NAME] = {"new_name", FT_TEXT, false, NULL, NULL, "name given by rename"},
    [F_VENDOR] = {"vendor", FT_TEXT, false, NULL, NULL, "vendor name told by identify"},
    [F_MODEL] = {"model", FT_TEXT, false, NULL, NULL, "model name told by identify"},
    [F_REVISION] = {"revision", FT_TEXT, false, NULL, NULL, "revision told by identify"},
    [F_LOGICAL_STATUS] = {"logical_status", FT_NAME, false, NULL, logical_states, "logical state of the device"},
    [F_PHYSICAL_STATUS] = {"physical_status", FT_NAME, false, NULL, physical_states, "physical state of the device"},
    [F_TYPE] = {"type", FT_TEXT, false, NULL, NULL, "type of a variable"},
    [F_COMPONENTS] = {"components", FT_TEXT, true, NULL, NULL, "the first components of a structure"},
    [F_COMPONENT_COUNT] = {"component_count", FT_UINT, false, NULL, NULL, "components of a structure"},
    [F_DELETABLE] = {"deletable", FT_BOOL, false, NULL, NULL, "an object may be deleted by MMS"},
    [F_FILE] = {"file", FT_TEXT, true, NULL, NULL, "the first files of a directory, or the file of the id"},
    [F_FILE_SIZE] = {"file_size", FT_UINT, false, NULL, NULL, "size of a file"},
    [F_FILE_TIME] = {"file_time", FT_TEXT, false, NULL, NULL, "when a file was changed, as the device writes it"},
    [F_FRSM] = {"frsm_id", FT_INT, false, NULL, NULL, "number of an open file"},
    [F_POSITION] = {"position", FT_UINT, false, NULL, NULL, "where reading of a file begins"},
    [F_DATA_LEN] = {"data_length", FT_UINT, false, NULL, NULL,
        "bytes of a file, domain or journal entry in this message"},
    [F_DESTINATION] = {"destination", FT_TEXT, false, NULL, NULL, "file that is written, or new name of a file"},
    [F_DOMAINS] = {"domains", FT_TEXT, true, NULL, NULL, "domains of a program invocation"},
    [F_ULSM] = {"ulsm_id", FT_INT, false, NULL, NULL, "number of an upload"},
    [F_ARGUMENT] = {"argument", FT_TEXT, false, NULL, NULL, "execution argument"},
    [F_ORIGIN_CATEGORY] = {"origin_category", FT_NAME, false, NULL, origins, "who commands (orCat)"},
    [F_ORIGIN] = {"origin", FT_TEXT, false, NULL, NULL,
        "identification of who commands (orIdent), hex where it is no text"},
    [F_CTL_NUM] = {"control_number", FT_UINT, false, NULL, NULL, "number of the control (ctlNum)"},
    [F_CTL_TIME] = {"control_time", FT_TIME, false, NULL, NULL, "when the client sent the control (T)"},
    [F_OPER_TIME] = {"operate_time", FT_TIME, false, NULL, NULL,
        "when a time-activated control is carried out (operTm)"},
    [F_TEST] = {"test", FT_BOOL, false, NULL, NULL, "the control is a test"},
    [F_CHECK] = {"check", FT_NAME, false, NULL, checks, "checks that the control asks for"},
    [F_SELECTED] = {"selected", FT_TEXT, false, NULL, NULL, "answer of a select"},
    [F_CONTROL_ERROR] = {"control_error", FT_NAME, false, NULL, control_errors, "error of a LastApplError"},
    [F_ADD_CAUSE] = {"additional_cause", FT_NAME, false, NULL, causes, "why a control was refused (AddCause)"},
    [F_REPORT_ID] = {"report_id", FT_TEXT, false, NULL, NULL, "report identifier (RptID)"},
    [F_DATA_SET] = {"data_set", FT_TEXT, false, NULL, NULL, "data set of a report"},
    [F_SEQ] = {"sequence_number", FT_UINT, false, NULL, NULL, "number of a report (SqNum)"},
    [F_SUB_SEQ] = {"sub_sequence_number", FT_UINT, false, NULL, NULL, "number of a segment of a report"},
    [F_MORE_SEGMENTS] = {"more_segments", FT_BOOL, false, NULL, NULL, "more segments of the report follow"},
    [F_ENTRY_TIME] = {"time_of_entry", FT_TIME, false, NULL, NULL, "when the report was made"},
    [F_OVERFLOW] = {"buffer_overflow", FT_BOOL, false, NULL, NULL, "reports were lost before this one"},
    [F_ENTRY_ID] = {"entry_id", FT_BYTES, false, NULL, NULL, "identification of a buffered report"},
    [F_CONF_REV] = {"conf_rev", FT_UINT, false, NULL, NULL, "configuration revision of the report control block"},
    [F_INCLUDED] = {"included", FT_UINT, false, NULL, NULL, "members of the data set in this report"},
    [F_REASONS] = {"reasons", FT_NAME, true, NULL, reasons, "why members are in the report, each reason once"},
    [F_ERROR_CODE] = {"additional_code", FT_INT, false, NULL, NULL, "additional code of an error, the vendor's own"},
    [F_ERROR_TEXT] = {"additional_description", FT_TEXT, false, NULL, NULL, "text of an error"},
    [F_ORIGINAL_ID] = {"original_invoke_id", FT_UINT, false, NULL, NULL, "request that is cancelled or rejected"},
    [F_ENTRIES] = {"entries", FT_UINT, false, NULL, NULL, "journal entries in this message"},
};

static const struct kind_def kinds[K_NONE] = {
    [K_VARIABLE] = {"variable", KIND_NAME}, [K_MEMBER] = {"member", KIND_RANGE},
    [K_LIST] = {"variable_list", KIND_NAME},
    [K_TYPE] = {"type", KIND_NAME}, [K_DOMAIN] = {"domain", KIND_NAME}, [K_PROGRAM] = {"program", KIND_NAME},
    [K_FILE] = {"file", KIND_NAME}, [K_JOURNAL] = {"journal", KIND_NAME}, [K_SEMAPHORE] = {"semaphore", KIND_NAME},
    [K_EVENT_CONDITION] = {"event_condition", KIND_NAME}, [K_EVENT_ACTION] = {"event_action", KIND_NAME},
    [K_EVENT_ENROLLMENT] = {"event_enrollment", KIND_NAME}, [K_STATION] = {"operator_station", KIND_NAME},
    [K_REPORT] = {"report", KIND_NAME},
    [K_ADDRESS] = {"address", KIND_NAME},
    [K_VMD] = {"vmd", 0}, [K_FRSM] = {"open_file", 0}, [K_ULSM] = {"upload", 0},
};

static const struct anomaly_def anomalies[A_COUNT] = {
    [A_TPKT_RESERVED] = {"tpkt_reserved", 1, "the reserved octet of a TPKT is not 0 (RFC 1006 6)"},
    [A_COTP_HEADER] = {"cotp_header", 2, "a COTP header is too short for its code, or runs over its end (ISO 8073 13)"},
    [A_COTP_CODE] = {"cotp_code", 2, "a COTP code that does not exist, or not in class 0 (ISO 8073 13)"},
    [A_COTP_SEGMENTS] = {"cotp_segments", 1, "COTP segments that are no message: too long, or the first is missing"},
    [A_TRAILING] = {"trailing_bytes", 1, "bytes behind the end of a message"},
    [A_SESSION] = {"session_header", 2, "a session PDU whose parameters run over its end (ISO 8327-1 8.2)"},
    [A_PRESENTATION] = {"presentation_encoding", 2, "presentation data that are none (ISO 8823-1 8.4)"},
    [A_ACSE] = {"acse_encoding", 2, "an ACSE PDU that is none (ISO 8650-1 7.1)"},
    [A_FOREIGN] = {"foreign_message", 2, "another protocol inside an MMS connection"},
    [A_ENCODING] = {"encoding", 2, "an MMS PDU whose BER is broken or that lacks what it must have (ISO 9506-2 7)"},
    [A_PDU_TYPE] = {"unknown_pdu", 2, "a PDU type that does not exist (ISO 9506-2 7.2)"},
    [A_SERVICE] = {"unknown_service", 2, "a service that does not exist (ISO 9506-2 7.2)"},
    [A_PDU_SIZE] = {"pdu_too_large", 1, "a PDU larger than was agreed (ISO 9506-2 8.2, localDetail)"},
    [A_OUTSTANDING] = {"too_many_outstanding", 1,
        "more requests open at a time than were agreed (ISO 9506-2 8.2)", true},
    [A_INVOKE_REUSED] = {"invoke_id_reused", 1,
        "a request with the invoke id of one that is still open (ISO 9506-1 6.5)", true},
    [A_SERVICE_DIFFERS] = {"service_differs", 2, "the answer is of another service than the request (ISO 9506-2 7.2)"},
    [A_RESULT_COUNT] = {"result_count", 2, "not one access result for each variable (ISO 9506-2 14.6)"},
    [A_DATA_COUNT] = {"data_count", 2, "not one value for each variable that is written (ISO 9506-2 14.7)"},
    [A_DATA_TYPE] = {"data_type", 2,
        "data that do not fit their type, or whose type does not exist (ISO 9506-2 14.4.2)"},
    [A_NESTING] = {"nesting", 1, "data nested deeper than MMS stacks agree on"},
    [A_PASSWORD] = {"password_in_clear", 2,
        "an association is opened with a password that anybody can read (IEC 62351-4)"},
    [A_REPORT] = {"report_inconsistent", 2,
        "a report whose fields, inclusion and values do not fit (IEC 61850-8-1 17.1)"},
    [A_OVERFLOW] = {"report_buffer_overflow", 1, "the device lost reports: its buffer was full (IEC 61850-7-2 17.2)"},
    [A_EXECUTE_DIFFERS] = {"execute_differs", 3,
        "a control is carried out with another value or number than was selected "
                           "(IEC 61850-7-2 20.2)"},
    [A_NO_ACSE] = {"no_association", 0, "MMS stands in COTP without session, presentation and ACSE"},
};

static void fn_text(uint32_t fn, char *out)
{
    if ((fn & 0xffff) == MMS_NO_SERVICE)
        snprintf(out, FN_TEXT, "%u", fn >> 16);
    else
        snprintf(out, FN_TEXT, "%u:%u", fn >> 16, fn & 0xffff);
}

const struct proto_schema mms_schema = {
    .name = "mms",
    .title = "IEC 61850 MMS",
    .spec = "ISO 9506-1 and -2:2003, IEC 61850-8-1:2011+A1:2020",
    .ops = ops, .n_ops = ARRAY_LEN(ops),
    .fields = fields, .n_fields = ARRAY_LEN(fields),
    .kinds = kinds, .n_kinds = ARRAY_LEN(kinds),
    .anomalies = anomalies, .n_anomalies = ARRAY_LEN(anomalies),
    .statuses = statuses,
    .qualities = iec61850_qualities,
    .fn_text = fn_text,
};
/* clang-format on */
