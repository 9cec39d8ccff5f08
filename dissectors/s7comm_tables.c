/* s7comm_tables.c: operations, fields, kinds of objects and anomalies of S7comm: its schema. */
#include "dissectors/s7comm.h"
#include "dissectors/s7comm_names.h"

#include <stdio.h>

// clang-format off
/* PI services of function 0x28: selector, name on the wire, row, action. P_PROGRAM stands twice: its argument "C" makes
 * a cold restart. Names with _N_ are those of SINUMERIK NC. */
#define PI_SERVICES(X) \
    X(0, "P_PROGRAM", "plc_start_warm_restart", ACT_START) \
    X(1, "P_PROGRAM", "plc_start_cold_restart", ACT_START) \
    X(2, "_INSE", "activate_blocks", ACT_DOWNLOAD) \
    X(3, "_INS2", "activate_blocks_2", ACT_DOWNLOAD) \
    X(4, "_DELE", "delete_blocks", ACT_DOWNLOAD) \
    X(5, "_MODU", "copy_ram_to_rom", ACT_CONFIGURE) \
    X(6, "_GARB", "compress_memory", ACT_CONFIGURE) \
    X(7, "_N_LOGIN_", "nc_login", ACT_AUTHENTICATE) \
    X(8, "_N_LOGOUT", "nc_logout", ACT_AUTHENTICATE) \
    X(9, "_N_NEWPWD", "nc_new_password", ACT_AUTHENTICATE) \
    X(10, "_N_CANCEL", "nc_cancel_alarm", ACT_ALARM) \
    X(11, "_N_DASAVE", "nc_save_data", ACT_CONFIGURE) \
    X(12, "_N_DIGIOF", "nc_digitise_off", ACT_CONTROL) \
    X(13, "_N_DIGION", "nc_digitise_on", ACT_CONTROL) \
    X(14, "_N_DZERO_", "nc_clear_d_numbers", ACT_CONFIGURE) \
    X(15, "_N_ENDEXT", "nc_end_external", ACT_STOP) \
    X(16, "_N_OST_OF", "nc_overstore_off", ACT_CONTROL) \
    X(17, "_N_OST_ON", "nc_overstore_on", ACT_CONTROL) \
    X(18, "_N_SCALE_", "nc_set_unit_system", ACT_CONFIGURE) \
    X(19, "_N_SETUFR", "nc_activate_user_frames", ACT_CONFIGURE) \
    X(20, "_N_STRTLK", "nc_start_lock", ACT_LOCK) \
    X(21, "_N_STRTUL", "nc_start_unlock", ACT_LOCK) \
    X(22, "_N_TMRASS", "nc_reset_active_status", ACT_CONFIGURE) \
    X(23, "_N_F_DELE", "nc_file_delete", ACT_FILE) \
    X(24, "_N_F_DELR", "nc_file_delete_r", ACT_FILE) \
    X(25, "_N_F_XFER", "nc_file_transfer", ACT_FILE) \
    X(26, "_N_F_CLOS", "nc_file_close", ACT_FILE) \
    X(27, "_N_F_OPEN", "nc_file_open", ACT_FILE) \
    X(28, "_N_F_OPER", "nc_file_open_edit", ACT_FILE) \
    X(29, "_N_F_SEEK", "nc_file_seek", ACT_FILE) \
    X(30, "_N_F_COPY", "nc_file_copy", ACT_FILE) \
    X(31, "_N_F_DMDA", "nc_file_delete_mda", ACT_FILE) \
    X(32, "_N_F_PROR", "nc_file_protect_r", ACT_FILE) \
    X(33, "_N_F_PROT", "nc_file_protect", ACT_FILE) \
    X(34, "_N_F_RENA", "nc_file_rename", ACT_FILE) \
    X(35, "_N_EXTERN", "nc_select_external_program", ACT_SELECT) \
    X(36, "_N_EXTMOD", "nc_external_mode", ACT_SELECT) \
    X(37, "_N_LOCKE_", "nc_lock_file", ACT_LOCK) \
    X(38, "_N_SELECT", "nc_select_program", ACT_SELECT) \
    X(39, "_N_SRTEXT", "nc_sort_text", ACT_FILE) \
    X(40, "_N_ASUP__", "nc_assign_interrupt", ACT_CONFIGURE) \
    X(41, "_N_CHEKDM", "nc_check_d_unique", ACT_READ) \
    X(42, "_N_CHKDNO", "nc_check_d_number", ACT_READ) \
    X(43, "_N_CONFIG", "nc_activate_machine_data", ACT_CONFIGURE) \
    X(44, "_N_CRCEDN", "nc_create_tool_edge", ACT_CONFIGURE) \
    X(45, "_N_DELECE", "nc_delete_tool_edge", ACT_CONFIGURE) \
    X(46, "_N_CREACE", "nc_create_cutting_edge", ACT_CONFIGURE) \
    X(47, "_N_CREATO", "nc_create_tool", ACT_CONFIGURE) \
    X(48, "_N_DELETO", "nc_delete_tool", ACT_CONFIGURE) \
    X(49, "_N_CRTOCE", "nc_create_tool_with_edge", ACT_CONFIGURE) \
    X(50, "_N_DELVAR", "nc_delete_variables", ACT_CONFIGURE) \
    X(51, "_N_FINDBL", "nc_find_block", ACT_CONTROL) \
    X(52, "_N_IBN_SS", "nc_set_startup_switch", ACT_MODE) \
    X(53, "_N_MMCSEM", "nc_semaphore", ACT_CONTROL) \
    X(54, "_N_NCKMOD", "nc_operating_mode", ACT_MODE) \
    X(55, "_N_SEL_BL", "nc_select_block", ACT_SELECT) \
    X(56, "_N_SETTST", "nc_tool_status", ACT_CONFIGURE) \
    X(57, "_N_TMAWCO", "nc_wear_group", ACT_CONFIGURE) \
    X(58, "_N_TMCRTC", "nc_create_tool_edges", ACT_CONFIGURE) \
    X(59, "_N_TMCRTO", "nc_create_tool_in_management", ACT_CONFIGURE) \
    X(60, "_N_TMFDPL", "nc_find_place", ACT_READ) \
    X(61, "_N_TMFPBP", "nc_find_place_by_type", ACT_READ) \
    X(62, "_N_TMGETT", "nc_get_tool", ACT_READ) \
    X(63, "_N_TMMVTL", "nc_move_tool", ACT_CONTROL) \
    X(64, "_N_TMPCIT", "nc_tool_counter", ACT_CONFIGURE) \
    X(65, "_N_TMPOSM", "nc_position_magazine", ACT_CONTROL) \
    X(66, "_N_TRESMO", "nc_reset_monitoring", ACT_CONFIGURE) \
    X(67, "_N_TSEARC", "nc_tool_search", ACT_READ)

#define PI_NAME(n, wire, row, act) [n] = wire,
const char *const s7_pi_names[] = {PI_SERVICES(PI_NAME) NULL};

#define ROW(f, name, act, flags) {f, OP_ANY_SELECTOR, name, act, flags, 0, 0, 0, 0}
#define PI_ROW(n, wire, row, act) {S7_PI, n, row, act, 0, 0, 0, 0, 0},
#define UD(g, sub, name, act, flags) {S7_UD(g, sub), OP_ANY_SELECTOR, name, act, flags, 0, 0, 0, 0}

static const struct op_row ops[] = {
    ROW(0x00, "cpu_services", ACT_OTHER, 0),
    ROW(0x01, "mode_transition", ACT_OTHER, 0),
    ROW(S7_READ, "read_var", ACT_READ, 0),
    ROW(S7_WRITE, "write_var", ACT_WRITE, 0),
    ROW(S7_REQUEST_DOWNLOAD, "request_download", ACT_DOWNLOAD, 0),
    ROW(S7_DOWNLOAD_BLOCK, "download_block", ACT_DOWNLOAD, 0),
    ROW(S7_DOWNLOAD_ENDED, "download_ended", ACT_DOWNLOAD, 0),
    ROW(S7_START_UPLOAD, "start_upload", ACT_UPLOAD, 0),
    ROW(S7_UPLOAD, "upload", ACT_UPLOAD, 0),
    ROW(S7_END_UPLOAD, "end_upload", ACT_UPLOAD, 0),
    PI_SERVICES(PI_ROW)
    ROW(S7_PI, "pi_service", ACT_CONTROL, 0),
    ROW(S7_PLC_STOP, "plc_stop", ACT_STOP, 0),
    ROW(S7_SETUP, "setup_communication", ACT_SESSION, 0),
    /* mode transition: an indication; selector 0x20: data record routing, which shares the low bits of its group */
    {S7_UD(0, 0), OP_ANY_SELECTOR, "mode_stop", ACT_REPORT, OP_ANSWER, 0, 0, 0, 0},
    {S7_UD(0, 1), S7_SEL_ROUTING, "record_routing_init", ACT_CONFIGURE, 0, 0, 0, 0, 0},
    UD(0, 1, "mode_warm_restart", ACT_REPORT, OP_ANSWER),
    {S7_UD(0, 2), S7_SEL_ROUTING, "record_routing_finish", ACT_CONFIGURE, 0, 0, 0, 0, 0},
    UD(0, 2, "mode_run", ACT_REPORT, OP_ANSWER),
    {S7_UD(0, 3), S7_SEL_ROUTING, "record_routing_data", ACT_CONFIGURE, 0, 0, 0, 0, 0},
    UD(0, 3, "mode_hot_restart", ACT_REPORT, OP_ANSWER),
    UD(0, 4, "mode_hold", ACT_REPORT, OP_ANSWER),
    UD(0, 6, "mode_cold_restart", ACT_REPORT, OP_ANSWER),
    UD(0, 9, "mode_run_redundant", ACT_REPORT, OP_ANSWER),
    UD(0, 11, "mode_link_up", ACT_REPORT, OP_ANSWER),
    UD(0, 12, "mode_update", ACT_REPORT, OP_ANSWER),
    /* programmer commands */
    UD(1, 0x01, "block_status", ACT_DIAGNOSE, 0),
    UD(1, 0x02, "variable_status", ACT_READ, 0),
    UD(1, 0x03, "read_istack", ACT_DIAGNOSE, 0),
    UD(1, 0x04, "read_bstack", ACT_DIAGNOSE, 0),
    UD(1, 0x05, "read_lstack", ACT_DIAGNOSE, 0),
    UD(1, 0x06, "time_measurement", ACT_DIAGNOSE, 0),
    UD(1, 0x07, "force_selection", ACT_FORCE, 0),
    UD(1, 0x08, "modify_variable", ACT_WRITE, 0),
    UD(1, 0x09, "force", ACT_FORCE, 0),
    UD(1, 0x0a, "breakpoint", ACT_MODE, 0),
    UD(1, 0x0b, "exit_hold", ACT_MODE, 0),
    UD(1, 0x0c, "memory_reset", ACT_RESET, 0),
    UD(1, 0x0d, "disable_job", ACT_DIAGNOSE, 0),
    UD(1, 0x0e, "enable_job", ACT_DIAGNOSE, 0),
    UD(1, 0x0f, "delete_job", ACT_DIAGNOSE, 0),
    UD(1, 0x10, "read_job_list", ACT_DIAGNOSE, 0),
    UD(1, 0x11, "read_job", ACT_DIAGNOSE, 0),
    UD(1, 0x12, "replace_job", ACT_DIAGNOSE, 0),
    UD(1, 0x13, "block_status_2", ACT_DIAGNOSE, 0),
    UD(1, 0x16, "flash_led", ACT_DIAGNOSE, 0),
    /* cyclic services */
    UD(2, 0x01, "cyclic_transfer", ACT_READ, 0),
    UD(2, 0x04, "cyclic_unsubscribe", ACT_SESSION, 0),
    UD(2, 0x05, "change_driven_transfer", ACT_READ, 0),
    UD(2, 0x07, "change_driven_transfer_modify", ACT_READ, 0),
    UD(2, 0x08, "read_record", ACT_READ, 0),
    /* block functions */
    UD(3, 0x01, "list_blocks", ACT_BROWSE, 0),
    UD(3, 0x02, "list_blocks_of_type", ACT_BROWSE, 0),
    UD(3, 0x03, "block_info", ACT_BROWSE, 0),
    /* CPU functions */
    UD(4, 0x01, "read_szl", ACT_DIAGNOSE, 0),
    UD(4, 0x02, "message_service", ACT_ALARM, 0),
    UD(4, 0x03, "diagnostic_message", ACT_REPORT, OP_ANSWER),
    UD(4, 0x05, "alarm_8_indication", ACT_REPORT, OP_ANSWER),
    UD(4, 0x06, "notify_indication", ACT_REPORT, OP_ANSWER),
    UD(4, 0x07, "alarm_8_lock", ACT_ALARM, 0),
    UD(4, 0x08, "alarm_8_unlock", ACT_ALARM, 0),
    UD(4, 0x09, "scan_indication", ACT_REPORT, OP_ANSWER),
    UD(4, 0x0b, "alarm_acknowledge", ACT_ALARM, 0),
    UD(4, 0x0c, "alarm_acknowledge_indication", ACT_REPORT, OP_ANSWER),
    UD(4, 0x0d, "alarm_lock_indication", ACT_REPORT, OP_ANSWER),
    UD(4, 0x0e, "alarm_unlock_indication", ACT_REPORT, OP_ANSWER),
    UD(4, 0x10, "ar_send_indication", ACT_REPORT, OP_ANSWER),
    UD(4, 0x11, "alarm_sq_indication", ACT_REPORT, OP_ANSWER),
    UD(4, 0x12, "alarm_s_indication", ACT_REPORT, OP_ANSWER),
    UD(4, 0x13, "alarm_query", ACT_ALARM, 0),
    UD(4, 0x16, "notify_8_indication", ACT_REPORT, OP_ANSWER),
    /* security */
    UD(5, 0x01, "password", ACT_AUTHENTICATE, 0),
    UD(5, 0x02, "end_session", ACT_AUTHENTICATE, 0),
    /* programmable block communication */
    UD(6, 0x00, "usend", ACT_WRITE, OP_NO_ANSWER),
    UD(6, 0x01, "bsend", ACT_WRITE, 0),
    UD(6, 0x02, "bsend_abort", ACT_WRITE, 0),
    /* time functions */
    UD(7, 0x01, "read_clock", ACT_READ, 0),
    UD(7, 0x02, "set_clock", ACT_TIME, 0),
    UD(7, 0x03, "read_clock_following", ACT_READ, 0),
    UD(7, 0x04, "set_clock_following", ACT_TIME, 0),
    /* NC programming */
    UD(15, 0x01, "nc_request_download", ACT_DOWNLOAD, 0),
    UD(15, 0x02, "nc_download_block", ACT_DOWNLOAD, 0),
    UD(15, 0x03, "nc_continue_download", ACT_DOWNLOAD, 0),
    UD(15, 0x04, "nc_download_ended", ACT_DOWNLOAD, 0),
    UD(15, 0x06, "nc_start_upload", ACT_UPLOAD, 0),
    UD(15, 0x07, "nc_upload", ACT_UPLOAD, 0),
    UD(15, 0x08, "nc_continue_upload", ACT_UPLOAD, 0),
};

static const struct field_def fields[F_COUNT] = {
    [F_PDU_REF] = {"pdu_ref", FT_UINT, false, NULL, NULL, "PDU reference"},
    [F_TSAP_CALLING] = {"tsap_calling", FT_TEXT, false, NULL, NULL, "TSAP of the side that opened the COTP connection"},
    [F_TSAP_CALLED] = {"tsap_called", FT_TEXT, false, NULL, NULL, "TSAP of the side that was called"},
    [F_CONN_TYPE] = {"connection_type", FT_NAME, false, NULL, s7_conn_types, "first octet of the called TSAP"},
    [F_RACK] = {"rack", FT_UINT, false, NULL, NULL, "rack of the CPU that the called TSAP names"},
    [F_SLOT] = {"slot", FT_UINT, false, NULL, NULL, "slot of the CPU that the called TSAP names"},
    [F_PDU_SIZE] = {"pdu_size", FT_UINT, false, NULL, NULL, "agreed length of a PDU"},
    [F_AMQ_CALLING] = {"jobs_calling", FT_UINT, false, NULL, NULL, "jobs that the caller may have open in parallel"},
    [F_AMQ_CALLED] = {"jobs_called", FT_UINT, false, NULL, NULL, "jobs that the called side may have open in parallel"},
    [F_UD_TYPE] = {"userdata_type", FT_NAME, false, NULL, s7_ud_types, "push, request or response"},
    [F_SEQ] = {"sequence", FT_UINT, false, NULL, NULL, "sequence number of user data: job or subscription"},
    [F_UNIT_REF] = {"data_unit_ref", FT_UINT, false, NULL, NULL, "data unit reference of user data in several parts"},
    [F_PARTS_LEN] = {"payload_len", FT_UINT, false, NULL, NULL, "bytes of payload of user data, all parts together"},
    [F_UNKNOWN_PARAM] = {"parameter", FT_BYTES, false, NULL, NULL, "parameter of a function that is not known"},
    [F_BLOCK] = {"block", FT_TEXT, false, NULL, NULL, "block as type and number"},
    [F_BLOCK_NUMBER] = {"block_number", FT_UINT, false, NULL, NULL, "number of the block"},
    [F_FILESYSTEM] = {"filesystem", FT_NAME, false, NULL, s7_filesystems, "passive: load memory, active: work memory"},
    [F_LOAD_LEN] = {"load_len", FT_UINT, false, NULL, NULL, "announced length of the block in load memory"},
    [F_MC7_LEN] = {"mc7_len", FT_UINT, false, NULL, NULL, "announced length of its MC7 code"},
    [F_TRANSFER_ID] = {"transfer_id", FT_HEX, false, NULL, NULL, "upload id"},
    [F_MORE] = {"more_follows", FT_BOOL, false, NULL, NULL, "further pieces follow"},
    [F_PIECE_LEN] = {"piece_len", FT_UINT, false, NULL, NULL, "bytes of content in this piece"},
    [F_CONTENT_LEN] = {"content_len", FT_UINT, false, NULL, NULL, "bytes of content in all pieces"},
    [F_CONTENT_HASH] = {"content_hash", FT_HEX, false, NULL, NULL, "FNV-1a (64 bits) of the content"},
    [F_CONTENT_COMPLETE] = {"content_complete", FT_BOOL, false, NULL, NULL, "all the announced content was seen"},
    [F_TRANSFER_ERROR] = {"transfer_error", FT_HEX, false, NULL, NULL, "error code with which the transfer was ended"},
    [F_BLK_LANG] = {"language", FT_NAME, false, NULL, s7_languages, "language of the block"},
    [F_BLK_PROTECTED] = {"protected", FT_BOOL, false, NULL, NULL, "know-how protection"},
    [F_BLK_LINKED] = {"linked", FT_BOOL, false, NULL, NULL, "the block is linked into the program"},
    [F_BLK_CODE_TIME] = {"code_time", FT_TIME, false, NULL, NULL, "time stamp of the code"},
    [F_BLK_INTF_TIME] = {"interface_time", FT_TIME, false, NULL, NULL, "time stamp of the interface"},
    [F_BLK_SSB_LEN] = {"interface_len", FT_UINT, false, NULL, NULL, "length of the interface"},
    [F_BLK_ADD_LEN] = {"segment_table_len", FT_UINT, false, NULL, NULL, "length of the segment table"},
    [F_BLK_LOCAL_LEN] = {"local_data_len", FT_UINT, false, NULL, NULL, "length of the local data"},
    [F_BLK_MC7_LEN] = {"code_len", FT_UINT, false, NULL, NULL, "length of the MC7 code"},
    [F_BLK_AUTHOR] = {"author", FT_TEXT, false, NULL, NULL, "author of the block"},
    [F_BLK_FAMILY] = {"family", FT_TEXT, false, NULL, NULL, "family of the block"},
    [F_BLK_NAME] = {"header_name", FT_TEXT, false, NULL, NULL, "name in the block's header"},
    [F_BLK_VERSION] = {"version", FT_TEXT, false, NULL, NULL, "version of the block"},
    [F_BLK_CHECKSUM] = {"checksum", FT_HEX, false, NULL, NULL, "checksum of the block"},
    [F_BLOCK_COUNT] = {"blocks", FT_UINT, false, NULL, NULL, "blocks in the list"},
    [F_BLOCK_NUMBERS] = {"block_numbers", FT_TEXT, false, NULL, NULL, "numbers of the blocks in the list"},
    [F_BLOCKS] = {"block_counts", FT_TEXT, true, NULL, NULL, "number of blocks of each type"},
    [F_PI] = {"pi_service", FT_TEXT, false, NULL, NULL, "name of the PI service"},
    [F_PI_ARG] = {"pi_arguments", FT_TEXT, true, NULL, NULL, "its arguments (passwords left out)"},
    [F_FILE] = {"file", FT_TEXT, false, NULL, NULL, "name of an NC file"},
    [F_SZL_COUNT] = {"szl_records", FT_UINT, false, NULL, NULL, "records of the partial list"},
    [F_SZL_RECORD_LEN] = {"szl_record_len", FT_UINT, false, NULL, NULL, "length of each record"},
    [F_ORDER_NUMBER] = {"order_number", FT_TEXT, false, NULL, NULL, "order number of the module (SZL 0x11)"},
    [F_FIRMWARE] = {"firmware", FT_TEXT, false, NULL, NULL, "firmware version (SZL 0x11, index 7)"},
    [F_HARDWARE] = {"hardware", FT_TEXT, false, NULL, NULL, "hardware version (SZL 0x11)"},
    [F_BOOTLOADER] = {"boot_loader", FT_TEXT, false, NULL, NULL, "version of the boot loader (SZL 0x11, index 0x81)"},
    [F_PLC_NAME] = {"plc_name", FT_TEXT, false, NULL, NULL, "name of the automation system (SZL 0x1c, index 1)"},
    [F_MODULE_NAME] = {"module_name", FT_TEXT, false, NULL, NULL, "name of the module (index 2)"},
    [F_PLANT_ID] = {"plant_id", FT_TEXT, false, NULL, NULL, "plant designation (index 3)"},
    [F_COPYRIGHT] = {"copyright", FT_TEXT, false, NULL, NULL, "copyright entry (index 4)"},
    [F_SERIAL] = {"serial", FT_TEXT, false, NULL, NULL, "serial number of the module (index 5)"},
    [F_MODULE_TYPE] = {"module_type", FT_TEXT, false, NULL, NULL, "type name of the module (index 7)"},
    [F_MEMORY_CARD] = {"memory_card", FT_TEXT, false, NULL, NULL, "serial number of the memory card (index 8)"},
    [F_OEM] = {"oem", FT_TEXT, false, NULL, NULL, "OEM copyright and ids (index 10)"},
    [F_LOCATION] = {"location", FT_TEXT, false, NULL, NULL, "location designation (index 11)"},
    [F_MANUFACTURER] = {"manufacturer_id", FT_UINT, false, NULL, NULL, "manufacturer id (index 9); 42 is Siemens"},
    [F_LED] = {"leds", FT_TEXT, true, NULL, NULL, "LEDs that are on or blink (SZL 0x19, 0x74)"},
    [F_MODULE] = {"modules", FT_TEXT, true, NULL, NULL, "modules of the racks (SZL 0x91)"},
    [F_MODE] = {"mode", FT_NAME, false, NULL, s7_modes, "operating mode (SZL 0x424)"},
    [F_MODE_BEFORE] = {"mode_before", FT_NAME, false, NULL, s7_modes, "operating mode before the last transition"},
    [F_PROTECTION] = {"protection_level", FT_UINT, false, NULL, NULL, "valid protection level: 1 none, 2 write, 3 all"},
    [F_PROT_SWITCH] = {"protection_by_switch", FT_UINT, false, NULL, NULL, "protection level by the key switch"},
    [F_PROT_SET] = {"protection_by_parameter", FT_UINT, false, NULL, NULL, "protection level by parameter"},
    [F_MODE_SWITCH] = {"mode_switch", FT_NAME, false, NULL, s7_mode_switches, "position of the mode selector"},
    [F_HW_CHECKSUM] = {"configuration_checksum", FT_HEX, false, NULL, NULL, "checksum of the hardware configuration"},
    [F_USER_CHECKSUM] = {"program_checksum", FT_HEX, false, NULL, NULL, "checksum of the user program"},
    [F_MAX_PDU] = {"max_pdu_size", FT_UINT, false, NULL, NULL, "longest PDU of the CPU (SZL 0x131, index 1)"},
    [F_MAX_CONN] = {"max_connections", FT_UINT, false, NULL, NULL, "connections of the CPU (SZL 0x131, index 1)"},
    [F_IP] = {"ip", FT_IPV4, false, NULL, NULL, "IP address of an interface (SZL 0x37)"},
    [F_MAC] = {"mac", FT_BYTES, false, NULL, NULL, "MAC address of an interface (SZL 0x37)"},
    [F_DIAG_EVENT] = {"diagnostic_events", FT_NAME, true, NULL, s7_diag_events, "event ids, newest first"},
    [F_DIAG_TIME] = {"diagnostic_time", FT_TIME, false, NULL, NULL, "time of the newest entry"},
    [F_CLOCK] = {"clock", FT_TIME, false, NULL, NULL, "time that was read or set"},
    [F_PASSWORD] = {"password_sent", FT_BOOL, false, NULL, NULL, "a password was sent (not recorded)"},
    [F_R_ID] = {"r_id", FT_HEX, false, NULL, NULL, "R_ID of the block communication"},
    [F_TRIGGER] = {"trigger", FT_NAME, false, NULL, s7_triggers, "when the job acts"},
    [F_JOB] = {"job", FT_TEXT, false, NULL, NULL, "function and number of the job that the command is about"},
    [F_JOB_STATE] = {"jobs", FT_TEXT, true, NULL, NULL, "function, number and state of each job in the list"},
    [F_CYCLE_MS] = {"cycle_ms", FT_UINT, false, NULL, NULL, "interval of the cyclic job"},
    [F_EVENTS] = {"subscribed_events", FT_HEX, false, NULL, NULL, "messages that the station asks for"},
    [F_USER] = {"user", FT_TEXT, false, NULL, NULL, "name under which a station subscribes"},
    [F_ALARM_TYPE] = {"alarm_type", FT_NAME, false, NULL, s7_alarm_types, "kind of messages that are asked for"},
    [F_ALARM_STATE] = {"alarm_state", FT_HEX, false, NULL, NULL, "signals that are on"},
    [F_ALARM_ACK_GOING] = {"ack_going", FT_HEX, false, NULL, NULL, "acknowledged: going"},
    [F_ALARM_ACK_COMING] = {"ack_coming", FT_HEX, false, NULL, NULL, "acknowledged: coming"},
    [F_ALARM_TIME] = {"alarm_time", FT_TIME, false, NULL, NULL, "time of the alarm"},
    [F_ALARM_COUNT] = {"alarms", FT_UINT, false, NULL, NULL, "alarms in the answer to a query"},
};

static const struct kind_def kinds[] = {
    [K_DB] = {"db", KIND_RANGE | KIND_SPACE | KIND_BIT},
    [K_M] = {"m", KIND_RANGE | KIND_BIT},
    [K_I] = {"i", KIND_RANGE | KIND_BIT},
    [K_Q] = {"q", KIND_RANGE | KIND_BIT},
    [K_P] = {"p", KIND_RANGE | KIND_BIT},
    [K_DI] = {"di", KIND_RANGE | KIND_SPACE | KIND_BIT},
    [K_LOCAL] = {"local", KIND_RANGE | KIND_BIT},
    [K_V] = {"v", KIND_RANGE | KIND_BIT},
    [K_COUNTER] = {"counter", KIND_RANGE},
    [K_TIMER] = {"timer", KIND_RANGE},
    [K_RECORD] = {"record", KIND_RANGE | KIND_SPACE},
    [K_SI200] = {"system_info", KIND_RANGE | KIND_BIT},
    [K_SM200] = {"sm", KIND_RANGE | KIND_BIT},
    [K_AI200] = {"ai", KIND_RANGE},
    [K_AQ200] = {"aq", KIND_RANGE},
    [K_HC200] = {"iec_counter", KIND_RANGE},
    [K_TIMER200] = {"iec_timer", KIND_RANGE},
    [K_AREA] = {"area", KIND_RANGE | KIND_SPACE | KIND_BIT},
    [K_BLOCK] = {"block", KIND_NAME},
    [K_FILE] = {"file", KIND_NAME},
    [K_SZL] = {"szl", KIND_SPACE | KIND_HEX},
    [K_NCK] = {"nck", KIND_NAME},
    [K_DRIVE] = {"drive_parameter", KIND_SPACE},
    [K_SYMBOL] = {"symbol", KIND_NAME},
    [K_SYNTAX] = {"item_syntax", KIND_HEX},
    [K_ALARM] = {"alarm", KIND_HEX},
    [K_R_ID] = {"r_id", KIND_HEX},
    [K_AR_ID] = {"ar_id", KIND_HEX},
    [K_JOB] = {"job", KIND_SPACE},
    [K_JOB_ITEM] = {"job_item", KIND_SPACE},
    [K_CYCLIC_ITEM] = {"cyclic_item", KIND_SPACE},
    [K_CLOCK] = {"clock", 0},
};

static const struct anomaly_def anomalies[A_COUNT] = {
    [A_TPKT_RESERVED] = {"tpkt_reserved_not_zero", 1, "RFC 1006 6: the reserved octet of the TPKT header is not 0"},
    [A_COTP_HEADER] = {"cotp_malformed", 2, "ISO 8073 13: length indicator or parameters of a TPDU do not fit"},
    [A_COTP_CODE] = {"cotp_unexpected_tpdu", 1, "ISO 8073 13: a TPDU that is unknown or not of class 0"},
    [A_COTP_SEGMENTS] = {"cotp_segments_lost", 1, "segments of a COTP message could not be put together"},
    [A_TLS] = {"tls_inside_tpkt", 0, "TLS records as user data of COTP: an encrypted successor of the protocol"},
    [A_FOREIGN] = {"foreign_protocol_id", 2, "a message of another protocol on a connection that carries S7"},
    [A_ROSCTR] = {"reserved_rosctr", 2, "a message type other than job, ack, ack-data and user data"},
    [A_LENGTH] = {"length_mismatch", 2, "parameter and data length exceed the message"},
    [A_TRAILING] = {"trailing_bytes", 1, "bytes after the end of the message"},
    [A_FUNCTION] = {"unknown_function", 2, "a function, group or subfunction that is not known"},
    [A_PDU_SIZE] = {"pdu_larger_than_agreed", 2, "the message is longer than the PDU length of the set-up"},
    [A_ITEM_COUNT] = {"item_count_mismatch", 2, "not as many items or values as announced or asked for"},
    [A_ITEM_SHORT] = {"item_truncated", 2, "an item or a value runs over the end of its part"},
    [A_SYNTAX] = {"unknown_item_syntax", 1, "an address in a syntax that is not known"},
    [A_VALUE_LENGTH] = {"value_length_mismatch", 2, "a value is shorter or longer than its address says"},
    [A_AREA] = {"unknown_address_type", 1, "an address of a memory area or transport size that is not known"},
    [A_PARAM] = {"parameter_malformed", 2, "the arguments of the function do not fit its parameter"},
    [A_BLOCK_NAME] = {"block_name_malformed", 2, "the name of a block is not type, number and file system"},
    [A_TRANSFER] = {"transfer_out_of_sequence", 1, "a piece of a block that no request announced", true},
    [A_BLOCK_LENGTH] = {"block_length_mismatch", 3, "the content of a block is not as long as announced", true},
    [A_BLOCK_MISMATCH] = {"block_header_mismatch", 3,
        "the header of the block names another one than was asked for", true},
    [A_USERDATA] = {"userdata_malformed", 2, "head or lengths of user data contradict each other"},
    [A_PARTS] = {"userdata_parts_lost", 1, "parts of user data could not be put together"},
    [A_SZL] = {"szl_malformed", 1, "record length and count of a partial list exceed its data"},
    [A_REDUNDANCY] = {"redundancy_id_set", 1, "the reserved redundancy identification is not 0"},
    [A_SERVER_JOB] = {"job_from_called_side", 0, "the side that was called sends a job of its own"},
};
// clang-format on

static void fn_text(uint32_t fn, char *out)
{
    if (fn >= S7_UD(0, 0))
        snprintf(out, FN_TEXT, "7:%u:%u", fn >> 8 & 0xff, fn & 0xff);
    else
        snprintf(out, FN_TEXT, "%u", fn & 0xff);
}

const char *s7_block_type(unsigned type)
{
    static const char *const names[] = {"OB", "CMOD", "DB", "SDB", "FC", "SFC", "FB", "SFB"};
    return type >= 8 && type < 8 + ARRAY_LEN(names) ? names[type - 8] : NULL;
}

const struct proto_schema s7comm_schema = {
    .name = "s7comm",
    .title = "S7comm",
    .spec = "SIMATIC S7-300/400 communication (not published), on RFC 1006 and ISO 8073 class 0",
    .fn_max = 255,
    .ops = ops,
    .n_ops = ARRAY_LEN(ops),
    .fields = fields,
    .n_fields = F_COUNT,
    .kinds = kinds,
    .n_kinds = ARRAY_LEN(kinds),
    .anomalies = anomalies,
    .n_anomalies = A_COUNT,
    .statuses = s7_statuses,
    .fn_text = fn_text,
};
