/* iec104_schema.c: IEC 60870-5-104 as tables: functions, fields, kinds of objects, anomalies, qualities. */
#include <stdio.h>

#include "dissectors/iec104_priv.h"

#define ANY OP_ANY_SELECTOR

/* clang-format off */
static const struct op_row ops[] = {
    {1, ANY, "single_point", ACT_REPORT, 0, 0, 0, 0, 0},
    {2, ANY, "single_point_cp24", ACT_REPORT, 0, 0, 0, 0, 0},
    {3, ANY, "double_point", ACT_REPORT, 0, 0, 0, 0, 0},
    {4, ANY, "double_point_cp24", ACT_REPORT, 0, 0, 0, 0, 0},
    {5, ANY, "step_position", ACT_REPORT, 0, 0, 0, 0, 0},
    {6, ANY, "step_position_cp24", ACT_REPORT, 0, 0, 0, 0, 0},
    {7, ANY, "bitstring", ACT_REPORT, 0, 0, 0, 0, 0},
    {8, ANY, "bitstring_cp24", ACT_REPORT, 0, 0, 0, 0, 0},
    {9, ANY, "measured_normalized", ACT_REPORT, 0, 0, 0, 0, 0},
    {10, ANY, "measured_normalized_cp24", ACT_REPORT, 0, 0, 0, 0, 0},
    {11, ANY, "measured_scaled", ACT_REPORT, 0, 0, 0, 0, 0},
    {12, ANY, "measured_scaled_cp24", ACT_REPORT, 0, 0, 0, 0, 0},
    {13, ANY, "measured_float", ACT_REPORT, 0, 0, 0, 0, 0},
    {14, ANY, "measured_float_cp24", ACT_REPORT, 0, 0, 0, 0, 0},
    {15, ANY, "integrated_totals", ACT_REPORT, 0, 0, 0, 0, 0},
    {16, ANY, "integrated_totals_cp24", ACT_REPORT, 0, 0, 0, 0, 0},
    {17, ANY, "protection_event_cp24", ACT_REPORT, 0, 0, 0, 0, 0},
    {18, ANY, "protection_start_events_cp24", ACT_REPORT, 0, 0, 0, 0, 0},
    {19, ANY, "protection_output_circuit_cp24", ACT_REPORT, 0, 0, 0, 0, 0},
    {20, ANY, "packed_single_point", ACT_REPORT, 0, 0, 0, 0, 0},
    {21, ANY, "measured_normalized_no_quality", ACT_REPORT, 0, 0, 0, 0, 0},
    {30, ANY, "single_point_cp56", ACT_REPORT, 0, 0, 0, 0, 0},
    {31, ANY, "double_point_cp56", ACT_REPORT, 0, 0, 0, 0, 0},
    {32, ANY, "step_position_cp56", ACT_REPORT, 0, 0, 0, 0, 0},
    {33, ANY, "bitstring_cp56", ACT_REPORT, 0, 0, 0, 0, 0},
    {34, ANY, "measured_normalized_cp56", ACT_REPORT, 0, 0, 0, 0, 0},
    {35, ANY, "measured_scaled_cp56", ACT_REPORT, 0, 0, 0, 0, 0},
    {36, ANY, "measured_float_cp56", ACT_REPORT, 0, 0, 0, 0, 0},
    {37, ANY, "integrated_totals_cp56", ACT_REPORT, 0, 0, 0, 0, 0},
    {38, ANY, "protection_event_cp56", ACT_REPORT, 0, 0, 0, 0, 0},
    {39, ANY, "protection_start_events_cp56", ACT_REPORT, 0, 0, 0, 0, 0},
    {40, ANY, "protection_output_circuit_cp56", ACT_REPORT, 0, 0, 0, 0, 0},
    {41, ANY, "security_statistics_cp56", ACT_REPORT, 0, 0, 0, 0, 0},
    {45, ANY, "single_command", ACT_CONTROL, 0, 0, 0, 0, 0},
    {46, ANY, "double_command", ACT_CONTROL, 0, 0, 0, 0, 0},
    {47, ANY, "regulating_step_command", ACT_CONTROL, 0, 0, 0, 0, 0},
    {48, ANY, "set_point_normalized", ACT_WRITE, 0, 0, 0, 0, 0},
    {49, ANY, "set_point_scaled", ACT_WRITE, 0, 0, 0, 0, 0},
    {50, ANY, "set_point_float", ACT_WRITE, 0, 0, 0, 0, 0},
    {51, ANY, "bitstring_command", ACT_WRITE, 0, 0, 0, 0, 0},
    {58, ANY, "single_command_cp56", ACT_CONTROL, 0, 0, 0, 0, 0},
    {59, ANY, "double_command_cp56", ACT_CONTROL, 0, 0, 0, 0, 0},
    {60, ANY, "regulating_step_command_cp56", ACT_CONTROL, 0, 0, 0, 0, 0},
    {61, ANY, "set_point_normalized_cp56", ACT_WRITE, 0, 0, 0, 0, 0},
    {62, ANY, "set_point_scaled_cp56", ACT_WRITE, 0, 0, 0, 0, 0},
    {63, ANY, "set_point_float_cp56", ACT_WRITE, 0, 0, 0, 0, 0},
    {64, ANY, "bitstring_command_cp56", ACT_WRITE, 0, 0, 0, 0, 0},
    {70, ANY, "end_of_initialisation", ACT_REPORT, 0, 0, 0, 0, 0},
    {81, ANY, "authentication_challenge", ACT_AUTHENTICATE, 0, 0, 0, 0, 0},
    {82, ANY, "authentication_reply", ACT_AUTHENTICATE, 0, 0, 0, 0, 0},
    {83, ANY, "aggressive_mode_authentication_request", ACT_AUTHENTICATE, 0, 0, 0, 0, 0},
    {84, ANY, "session_key_status_request", ACT_AUTHENTICATE, 0, 0, 0, 0, 0},
    {85, ANY, "session_key_status", ACT_AUTHENTICATE, 0, 0, 0, 0, 0},
    {86, ANY, "session_key_change", ACT_AUTHENTICATE, 0, 0, 0, 0, 0},
    {87, ANY, "authentication_error", ACT_AUTHENTICATE, 0, 0, 0, 0, 0},
    {90, ANY, "user_status_change", ACT_AUTHENTICATE, 0, 0, 0, 0, 0},
    {91, ANY, "update_key_change_request", ACT_AUTHENTICATE, 0, 0, 0, 0, 0},
    {92, ANY, "update_key_change_reply", ACT_AUTHENTICATE, 0, 0, 0, 0, 0},
    {93, ANY, "update_key_change_symmetric", ACT_AUTHENTICATE, 0, 0, 0, 0, 0},
    {94, ANY, "update_key_change_asymmetric", ACT_AUTHENTICATE, 0, 0, 0, 0, 0},
    {95, ANY, "update_key_change_confirmation", ACT_AUTHENTICATE, 0, 0, 0, 0, 0},
    {100, ANY, "interrogation_command", ACT_READ, 0, 0, 0, 0, 0},
    {101, 0, "counter_interrogation_command", ACT_READ, 0, 0, 0, 0, 0},
    {101, 1, "counter_freeze_command", ACT_CONTROL, 0, 0, 0, 0, 0},
    {101, 2, "counter_freeze_and_reset_command", ACT_CONTROL, 0, 0, 0, 0, 0},
    {101, 3, "counter_reset_command", ACT_CONTROL, 0, 0, 0, 0, 0},
    {101, ANY, "counter_interrogation_command", ACT_READ, 0, 0, 0, 0, 0},
    {102, ANY, "read_command", ACT_READ, 0, 0, 0, 0, 0},
    {103, ANY, "clock_synchronisation_command", ACT_TIME, 0, 0, 0, 0, 0},
    {104, ANY, "test_command", ACT_DIAGNOSE, 0, 0, 0, 0, 0},
    {105, ANY, "reset_process_command", ACT_RESET, 0, 0, 0, 0, 0},
    {106, ANY, "delay_acquisition_command", ACT_TIME, 0, 0, 0, 0, 0},
    {107, ANY, "test_command_cp56", ACT_DIAGNOSE, 0, 0, 0, 0, 0},
    {110, ANY, "parameter_normalized", ACT_CONFIGURE, 0, 0, 0, 0, 0},
    {111, ANY, "parameter_scaled", ACT_CONFIGURE, 0, 0, 0, 0, 0},
    {112, ANY, "parameter_float", ACT_CONFIGURE, 0, 0, 0, 0, 0},
    {113, ANY, "parameter_activation", ACT_CONFIGURE, 0, 0, 0, 0, 0},
    {120, ANY, "file_ready", ACT_FILE, 0, 0, 0, 0, 0},
    {121, ANY, "section_ready", ACT_FILE, 0, 0, 0, 0, 0},
    {122, 4, "delete_file", ACT_FILE, 0, 0, 0, 0, 0},
    {122, ANY, "call_select_file", ACT_FILE, 0, 0, 0, 0, 0},
    {123, ANY, "last_section_segment", ACT_FILE, 0, 0, 0, 0, 0},
    {124, ANY, "ack_file_section", ACT_FILE, 0, 0, 0, 0, 0},
    {125, ANY, "file_segment", ACT_FILE, 0, 0, 0, 0, 0},
    {126, ANY, "file_directory", ACT_FILE, 0, 0, 0, 0, 0},
    {127, ANY, "query_log", ACT_FILE, 0, 0, 0, 0, 0},
    {IEC_FN_U + 1, ANY, "startdt_act", ACT_SESSION, 0, 0, 0, 0, 0},
    {IEC_FN_U + 2, ANY, "startdt_con", ACT_SESSION, OP_ANSWER, 0, 0, 0, 0},
    {IEC_FN_U + 4, ANY, "stopdt_act", ACT_SESSION, 0, 0, 0, 0, 0},
    {IEC_FN_U + 8, ANY, "stopdt_con", ACT_SESSION, OP_ANSWER, 0, 0, 0, 0},
    {IEC_FN_U + 16, ANY, "testfr_act", ACT_SESSION, 0, 0, 0, 0, 0},
    {IEC_FN_U + 32, ANY, "testfr_con", ACT_SESSION, OP_ANSWER, 0, 0, 0, 0},
};

static const struct code_name types[] = {
    {1, "M_SP_NA_1"}, {2, "M_SP_TA_1"}, {3, "M_DP_NA_1"}, {4, "M_DP_TA_1"}, {5, "M_ST_NA_1"}, {6, "M_ST_TA_1"}, {7,
    "M_BO_NA_1"}, {8, "M_BO_TA_1"}, {9, "M_ME_NA_1"}, {10, "M_ME_TA_1"}, {11, "M_ME_NB_1"}, {12, "M_ME_TB_1"}, {13,
    "M_ME_NC_1"}, {14, "M_ME_TC_1"}, {15, "M_IT_NA_1"}, {16, "M_IT_TA_1"}, {17, "M_EP_TA_1"}, {18, "M_EP_TB_1"}, {19,
    "M_EP_TC_1"}, {20, "M_PS_NA_1"}, {21, "M_ME_ND_1"}, {30, "M_SP_TB_1"}, {31, "M_DP_TB_1"}, {32, "M_ST_TB_1"}, {33,
    "M_BO_TB_1"}, {34, "M_ME_TD_1"}, {35, "M_ME_TE_1"}, {36, "M_ME_TF_1"}, {37, "M_IT_TB_1"}, {38, "M_EP_TD_1"}, {39,
    "M_EP_TE_1"}, {40, "M_EP_TF_1"}, {41, "S_IT_TC_1"}, {45, "C_SC_NA_1"}, {46, "C_DC_NA_1"}, {47, "C_RC_NA_1"}, {48,
    "C_SE_NA_1"}, {49, "C_SE_NB_1"}, {50, "C_SE_NC_1"}, {51, "C_BO_NA_1"}, {58, "C_SC_TA_1"}, {59, "C_DC_TA_1"}, {60,
    "C_RC_TA_1"}, {61, "C_SE_TA_1"}, {62, "C_SE_TB_1"}, {63, "C_SE_TC_1"}, {64, "C_BO_TA_1"}, {70, "M_EI_NA_1"}, {81,
    "S_CH_NA_1"}, {82, "S_RP_NA_1"}, {83, "S_AR_NA_1"}, {84, "S_KR_NA_1"}, {85, "S_KS_NA_1"}, {86, "S_KC_NA_1"}, {87,
    "S_ER_NA_1"}, {90, "S_US_NA_1"}, {91, "S_UQ_NA_1"}, {92, "S_UR_NA_1"}, {93, "S_UK_NA_1"}, {94, "S_UA_NA_1"}, {95,
    "S_UC_NA_1"}, {100, "C_IC_NA_1"}, {101, "C_CI_NA_1"}, {102, "C_RD_NA_1"}, {103, "C_CS_NA_1"}, {104, "C_TS_NA_1"},
    {105, "C_RP_NA_1"}, {106, "C_CD_NA_1"}, {107, "C_TS_TA_1"}, {110, "P_ME_NA_1"}, {111, "P_ME_NB_1"}, {112,
    "P_ME_NC_1"}, {113, "P_AC_NA_1"}, {120, "F_FR_NA_1"}, {121, "F_SR_NA_1"}, {122, "F_SC_NA_1"}, {123, "F_LS_NA_1"},
    {124, "F_AF_NA_1"}, {125, "F_SG_NA_1"}, {126, "F_DR_TA_1"}, {127, "F_SC_NB_1"},
    {0, NULL},
};
static const struct code_name causes[] = {
    {1, "periodic"}, {2, "background"}, {3, "spontaneous"}, {4, "initialised"}, {5, "request"}, {6,
        "activation"}, {7, "activation_con"},
    {8, "deactivation"}, {9, "deactivation_con"}, {10, "activation_termination"}, {11, "return_info_remote"}, {12,
        "return_info_local"},
    {13, "file_transfer"}, {14, "authentication"}, {15, "session_key_maintenance"}, {16,
        "user_role_update_key_maintenance"},
    {20, "interrogated_by_station"}, {21, "interrogated_by_group_1"}, {22, "interrogated_by_group_2"}, {23,
        "interrogated_by_group_3"},
    {24, "interrogated_by_group_4"}, {25, "interrogated_by_group_5"}, {26, "interrogated_by_group_6"}, {27,
        "interrogated_by_group_7"},
    {28, "interrogated_by_group_8"}, {29, "interrogated_by_group_9"}, {30, "interrogated_by_group_10"}, {31,
        "interrogated_by_group_11"},
    {32, "interrogated_by_group_12"}, {33, "interrogated_by_group_13"}, {34, "interrogated_by_group_14"}, {35,
        "interrogated_by_group_15"},
    {36, "interrogated_by_group_16"}, {37, "counter_general"}, {38, "counter_group_1"}, {39, "counter_group_2"}, {40,
        "counter_group_3"},
    {41, "counter_group_4"}, {44, "unknown_type"}, {45, "unknown_cause"}, {46, "unknown_common_address"},
    {47, "unknown_object_address"}, {0, NULL},
};
static const struct code_name interrogations[] = {
    {20, "station"}, {21, "group_1"}, {22, "group_2"}, {23, "group_3"}, {24, "group_4"}, {25, "group_5"}, {26,
        "group_6"}, {27, "group_7"},
    {28, "group_8"}, {29, "group_9"}, {30, "group_10"}, {31, "group_11"}, {32, "group_12"}, {33, "group_13"}, {34,
        "group_14"},
    {35, "group_15"}, {36, "group_16"}, {0, NULL},
};
static const struct code_name counters[] = {{1, "group_1"}, {2, "group_2"}, {3, "group_3"}, {4, "group_4"}, {5,
    "general"}, {0, NULL}};
static const struct code_name freezes[] = {{0, "read"}, {1, "freeze"}, {2, "freeze_and_reset"}, {3,
    "reset"}, {0, NULL}};
static const struct code_name resets[] = {{1, "process"}, {2, "pending_events"}, {0, NULL}};
static const struct code_name inits[] = {{0, "local_power_on"}, {1, "local_manual_reset"}, {2,
    "remote_reset"}, {0, NULL}};
static const struct code_name params[] = {{1, "threshold"}, {2, "smoothing_factor"}, {3, "low_limit"}, {4,
    "high_limit"}, {0, NULL}};
static const struct code_name activations[] = {{1, "loaded_parameters"}, {2, "parameter_of_object"}, {3,
    "cyclic_transmission"}, {0, NULL}};
static const struct code_name calls[] = {
    {0, "default"}, {1, "select_file"}, {2, "request_file"}, {3, "deactivate_file"}, {4, "delete_file"}, {5,
        "select_section"},
    {6, "request_section"}, {7, "deactivate_section"}, {0, NULL},
};
static const struct code_name lasts[] = {
    {1, "file_transfer"}, {2, "file_transfer_deactivated"}, {3, "section_transfer"}, {4,
        "section_transfer_deactivated"}, {0, NULL},
};
static const struct code_name acks[] = {{1, "file_positive"}, {2, "file_negative"}, {3, "section_positive"}, {4,
    "section_negative"}, {0, NULL}};

static const struct field_def fields[] = {
    [IF_TYPE] = {"type", FT_NAME, false, NULL, types, "type identification of the ASDU"},
    [IF_COT] = {"cause", FT_NAME, true, NULL, causes, "cause of transmission of each message"},
    [IF_ORIGINATOR] = {"originator", FT_UINT, false, NULL, NULL, "originator address, where it is not 0"},
    [IF_NEGATIVE] = {"negative", FT_BOOL, false, NULL, NULL, "P/N bit: negative confirmation"},
    [IF_TEST] = {"test", FT_BOOL, false, NULL, NULL, "T bit: sent in test"},
    [IF_SEND_SEQ] = {"send_sequence", FT_UINT, false, NULL, NULL, "N(S) of the first I frame"},
    [IF_RECV_SEQ] = {"receive_sequence", FT_UINT, false, NULL, NULL, "N(R) of the first I frame"},
    [IF_OBJECTS] = {"number_of_objects", FT_UINT, false, NULL, NULL,
        "number of objects or elements, where it is not 1"},
    [IF_SEQUENCE] = {"sequence", FT_BOOL, false, NULL, NULL, "SQ bit: elements at consecutive addresses"},
    [IF_TIME] = {"time", FT_TIME, true, NULL, NULL, "CP56Time2a tags, as the station tells them, item by item"},
    [IF_TIME24] = {"time_in_hour_ms", FT_UINT, true, NULL, NULL,
        "CP24Time2a tags: milliseconds into the hour, item by item"},
    [IF_TIME_INVALID] = {"time_invalid", FT_BOOL, false, NULL, NULL, "a time tag is marked invalid"},
    [IF_SUMMER_TIME] = {"summer_time", FT_BOOL, false, NULL, NULL, "the time is marked as summer time"},
    [IF_CLOCK_DRIFT] = {"clock_drift_ms", FT_INT, false, NULL, NULL, "first time tag minus the packet's time"},
    [IF_QUALIFIER] = {"qualifier", FT_UINT, false, NULL, NULL, "QU or QL of a command"},
    [IF_SELECT] = {"select", FT_BOOL, false, NULL, NULL, "S/E bit of the first message of a command"},
    [IF_QOI] = {"interrogation", FT_NAME, false, NULL, interrogations, "qualifier of interrogation"},
    [IF_QCC] = {"counters", FT_NAME, false, NULL, counters, "counters asked for"},
    [IF_FREEZE] = {"freeze", FT_NAME, false, NULL, freezes, "what is done to the counters"},
    [IF_QRP] = {"reset", FT_NAME, false, NULL, resets, "qualifier of reset process"},
    [IF_COI] = {"initialisation", FT_NAME, false, NULL, inits, "cause of initialisation"},
    [IF_LOCAL_CHANGE] = {"local_parameters_changed", FT_BOOL, false, NULL, NULL,
        "initialised after a change of local parameters"},
    [IF_QPM] = {"parameter", FT_NAME, false, NULL, params, "kind of parameter of a measured value"},
    [IF_QPA] = {"parameter_activation", FT_NAME, false, NULL, activations, "qualifier of parameter activation"},
    [IF_ELAPSED] = {"elapsed_ms", FT_UINT, true, NULL, NULL,
        "elapsed, relay duration or operating time of protection events"},
    [IF_DELAY] = {"delay_ms", FT_UINT, false, NULL, NULL, "transmission delay"},
    [IF_FBP] = {"test_pattern", FT_HEX, false, NULL, NULL, "fixed test bit pattern; 0x55aa is right"},
    [IF_TSC] = {"test_counter", FT_UINT, false, NULL, NULL, "test sequence counter"},
    [IF_COUNTER_SEQ] = {"counter_sequence", FT_UINT, true, NULL, NULL, "sequence numbers of integrated totals"},
    [IF_PROTECTION] = {"protection", FT_HEX, true, NULL, NULL,
        "start events or output circuit information of protection equipment"},
    [IF_CHANGED] = {"changed", FT_HEX, true, NULL, NULL, "change detection bits of packed single points"},
    [IF_SECTION] = {"section", FT_UINT, false, NULL, NULL, "name of the section of a file"},
    [IF_FILE_LENGTH] = {"length", FT_UINT, true, NULL, NULL, "length of the file or section"},
    [IF_NOT_READY] = {"not_ready", FT_BOOL, false, NULL, NULL, "negative file or section ready"},
    [IF_SCQ] = {"call", FT_NAME, false, NULL, calls, "select and call qualifier"},
    [IF_LSQ] = {"last", FT_NAME, false, NULL, lasts, "last section or segment qualifier"},
    [IF_AFQ] = {"acknowledge", FT_NAME, false, NULL, acks, "acknowledge file or section qualifier"},
    [IF_FILE_STATUS] = {"file_status", FT_HEX, true, NULL, NULL, "status of a directory entry"},
    [IF_CHECKSUM] = {"checksum", FT_HEX, false, NULL, NULL, "check sum of a section or file"},
    [IF_SEGMENT] = {"segment_length", FT_UINT, false, NULL, NULL, "bytes of a segment"},
    [IF_LOG_STOP] = {"log_stop", FT_TIME, false, NULL, NULL, "end of the period that query_log asks for"},
    [IF_DATA] = {"data", FT_BYTES, false, NULL, NULL, "objects of a type that is private, secured or unknown"},
};

static const struct kind_def kinds[IK_COUNT] = {
    [IK_IOA] = {"ioa", KIND_RANGE},
    [IK_FILE] = {"file", KIND_RANGE},
    [IK_CLOCK] = {"clock", 0},
    [IK_GROUP] = {"interrogation", KIND_RANGE},
    [IK_COUNTER_GROUP] = {"counters", KIND_RANGE},
};

#define C104 "IEC 60870-5-104 "
#define C101 "IEC 60870-5-101 "
static const struct anomaly_def anomalies[] = {
    [IA_BAD_LENGTH] = {"bad_length", 2, "the length does not fit type, number of objects and SQ; " C101 "7.2.2, 7.3"},
    [IA_BAD_CONTROL] = {"bad_control_field", 2,
        "control field that is no I, S or U format, or with reserved bits set; " C104 "5.1"},
    [IA_ZERO_OBJECTS] = {"zero_objects", 1, "an ASDU without objects; " C101 "7.2.2"},
    [IA_UNKNOWN_TYPE] = {"unknown_type", 1, "type identification that is reserved; " C101 "7.2.1"},
    [IA_UNKNOWN_COT] = {"unknown_cause", 1, "cause of transmission 0 or reserved; " C101 "7.2.3"},
    [IA_COT_MISMATCH] = {"cause_mismatch", 2, "the cause does not go with the type; " C101 "7.2.3, 7.3"},
    [IA_DIRECTION] = {"wrong_direction", 2,
        "a command from the controlled or process data from the controlling station; " C104 "9"},
    [IA_SEQ_GAP] = {"sequence_gap", 2, "N(S) skips numbers; " C104 "5.1"},
    [IA_SEQ_DUPLICATE] = {"sequence_duplicate", 2, "N(S) repeats numbers; " C104 "5.1"},
    [IA_ACK_INVALID] = {"acknowledge_invalid", 2,
        "N(R) goes back, or acknowledges far more than was sent; " C104 "5.1"},
    [IA_WINDOW_K] = {"window_k_exceeded", 0,
        "more than 12 I frames without acknowledgement (default of k); " C104 "5.5", true},
    [IA_WINDOW_W] = {"window_w_exceeded", 0,
        "acknowledged only after more than 8 I frames (default of w); " C104 "5.5"},
    [IA_NOT_STARTED] = {"data_before_start", 2,
        "I frames after STARTDT act and before its confirmation; " C104 "5.3", true},
    [IA_WHILE_STOPPED] = {"data_while_stopped", 2, "I frames after STOPDT was confirmed; " C104 "5.3"},
    [IA_CON_ALONE] = {"unasked_confirmation", 1, "STARTDT, STOPDT or TESTFR con without act; " C104 "5.2, 5.3", true},
    [IA_CA_ZERO] = {"common_address_zero", 1, "common address 0 is not used; " C101 "7.2.4"},
    [IA_IOA_NOT_ZERO] = {"object_address_not_zero", 1, "a system command to another object than 0; " C101 "7.3.4"},
    [IA_IOA_RANGE] = {"object_address_range", 2, "a sequence passes the last address; " C101 "7.2.5"},
    [IA_BAD_TIME] = {"bad_time", 1, "a time that does not exist; IEC 60870-5-4 6.8"},
    [IA_BAD_VALUE] = {"value_not_permitted", 2, "a command state or qualifier that is not permitted; " C101 "7.2.6"},
    [IA_SQ] = {"sequence_not_permitted", 1,
        "SQ or several objects where the type has one object; " C101 "7.2.2.1, 7.3"},
    [IA_EXECUTE_DIFFERS] = {"execute_differs", 3, "the execute command is not what was selected; IEC 60870-5-5 6.8"},
    [IA_CON_DIFFERS] = {"confirmation_differs", 2, "the confirmation is no mirror of the command; IEC 60870-5-5 6.8"},
    [IA_PRIVATE_TYPE] = {"private_type", 0, "type identification of the private range; " C101 "7.2.1"},
    [IA_TRUNCATED] = {"asdu_too_short", 2, "no room for the header of an ASDU; " C101 "7.2"},
    [IA_SIZES] = {"other_field_sizes", 0,
        "cause, common or object addresses of other sizes than 2, 2, 3 or those that are configured; " C104 "9.4, 9.5"},
    [IA_GARBAGE] = {"bytes_between_frames", 2, "bytes that belong to no frame; " C104 "5"},
    [IA_TEST] = {"test_bit", 0, "sent with the test bit; " C101 "7.2.3"},
};

static const struct code_name statuses[] = {
    {0, "ok"}, {44, "unknown_type"}, {45, "unknown_cause"}, {46, "unknown_common_address"}, {47,
        "unknown_object_address"},
    {64, "negative_confirmation"}, {0, NULL},
};
/* Bits of SIQ, DIQ, QDS, QDP as they stand in the octet; 8-10 are those of BCR and VTI, moved there. */
static const char *const qualities[] = {
    "overflow", "reserved_1", "reserved_2", "elapsed_time_invalid", "blocked", "substituted", "not_topical", "invalid",
    "carry", "adjusted", "transient", NULL,
};
/* clang-format on */

/* Values that have an octet each are those with a QDS: 7.2.6.3 leaves its bits 1 to 3 open. */
static uint32_t quality_of(const struct item *it, uint8_t octet)
{
    (void)it;
    return octet & 0xf1;
}

static void fn_text(uint32_t fn, char *out)
{
    if (fn & IEC_FN_U)
        snprintf(out, FN_TEXT, "U:%u", fn & 0xffff);
    else
        snprintf(out, FN_TEXT, "%u", fn);
}

const struct proto_schema iec104_schema = {
    .name = "iec104",
    .title = "IEC 60870-5-104",
    .spec = "IEC 60870-5-104:2006+A1:2016; IEC 60870-5-101:2003+A1:2015; IEC 60870-5-4, -5-5",
    .fn_max = 255,
    .ops = ops,
    .n_ops = ARRAY_LEN(ops),
    .fields = fields,
    .n_fields = IF_COUNT,
    .kinds = kinds,
    .n_kinds = IK_COUNT,
    .anomalies = anomalies,
    .n_anomalies = IA_COUNT,
    .statuses = statuses,
    .qualities = qualities,
    .quality_of = quality_of,
    .fn_text = fn_text,
    .unit_is = "common address",
    .addr_is = {"common_address", "originator_address"},
};
_Static_assert(ARRAY_LEN(fields) == IF_COUNT && ARRAY_LEN(anomalies) == IA_COUNT, "tables are complete");
