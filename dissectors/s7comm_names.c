/* s7comm_names.c: status codes and other numbers of S7comm by name.
 *
 * Spec: Siemens, System Software for S7-300/400, System and Standard Functions (event ids, SZL, modes), and the error
 * numbers that the error information of the engineering tools lists. Item return codes are one byte, header errors
 * class and code, user data errors two bytes; they do not overlap, so one table holds them all. */
#include "dissectors/s7comm_names.h"

// clang-format off
const struct code_name s7_statuses[] = {
    /* return codes of one item */
    {0x01, "hardware_fault"}, {0x03, "access_not_allowed"}, {0x05, "invalid_address"},
    {0x06, "data_type_not_supported"},
    {0x07, "data_type_inconsistent"}, {0x0a, "object_does_not_exist"},
    /* blocks */
    {0x0110, "invalid_block_number"}, {0x0111, "invalid_request_length"}, {0x0112, "invalid_parameter"},
    {0x0113, "invalid_block_type"}, {0x0114, "block_not_found"}, {0x0115, "block_already_exists"},
    {0x0116, "block_write_protected"}, {0x0117, "block_too_large"}, {0x0118, "invalid_block_number"},
    {0x0119, "wrong_password"}, {0x011a, "pg_resource_error"}, {0x011b, "plc_resource_error"},
    {0x011c, "protocol_error"},
    {0x011d, "too_many_blocks"}, {0x011e, "no_connection_to_database"}, {0x011f, "result_buffer_too_small"},
    {0x0120, "end_of_block_list"}, {0x0140, "insufficient_memory"}, {0x0141, "lack_of_resources"},
    {0x8001, "not_in_this_block_state"}, {0x8003, "block_transfer_error"},
    /* class 81 to 87 of the header */
    {0x8100, "service_unknown"}, {0x8104, "service_not_implemented"}, {0x8204, "object_type_inconsistent"},
    {0x8205, "copied_block_exists"}, {0x8301, "insufficient_memory"}, {0x8302, "too_few_resources"},
    {0x8304, "no_more_parallel_uploads"}, {0x8305, "function_not_available"}, {0x8306, "insufficient_work_memory"},
    {0x8307, "insufficient_retentive_memory"}, {0x8401, "invalid_service_sequence"}, {0x8402, "object_state_forbids"},
    {0x8404, "function_cannot_be_performed"}, {0x8405, "remote_block_disabled"}, {0x8500, "wrong_frames"},
    {0x8503, "canceled_by_module"}, {0x8701, "invalid_object_address"}, {0x8702, "service_not_supported"},
    {0x8703, "access_refused"}, {0x8704, "object_damaged"},
    /* programmer commands */
    {0xd001, "illegal_job_number"}, {0xd002, "illegal_job_variant"}, {0xd003, "debug_function_not_supported"},
    {0xd004, "illegal_job_status"}, {0xd005, "illegal_job_termination"}, {0xd006, "illegal_disconnection_id"},
    {0xd007, "illegal_number_of_buffer_elements"}, {0xd008, "illegal_scan_rate"},
    {0xd009, "illegal_number_of_executions"},
    {0xd00a, "illegal_trigger_event"}, {0xd00b, "illegal_trigger_condition"}, {0xd011, "call_path_block_missing"},
    {0xd012, "wrong_address_in_block"}, {0xd014, "block_being_changed"}, {0xd015, "illegal_tag_address"},
    {0xd016, "test_impossible_program_errors"}, {0xd017, "illegal_trigger_number"}, {0xd025, "invalid_path"},
    {0xd026, "illegal_access_type"}, {0xd027, "too_many_data_blocks"}, {0xd031, "internal_protocol_error"},
    {0xd032, "wrong_result_buffer_length"}, {0xd033, "wrong_job_length"}, {0xd03f, "parameter_coding_error"},
    {0xd041, "illegal_szl_id"}, {0xd042, "illegal_data_tag_address"}, {0xd043, "referenced_job_not_found"},
    {0xd044, "illegal_tag_value"}, {0xd045, "exit_not_allowed_in_hold"}, {0xd046, "illegal_measuring_stage"},
    {0xd047, "illegal_job_list_hierarchy"}, {0xd048, "illegal_deletion_id"}, {0xd049, "illegal_substitute_id"},
    {0xd04a, "program_status_error"}, {0xd05f, "data_coding_error"}, {0xd061, "no_memory_for_job"},
    {0xd062, "job_list_full"},
    {0xd063, "trigger_event_occupied"}, {0xd064, "no_memory_for_result_element"},
    {0xd065, "no_memory_for_result_elements"},
    {0xd066, "measurement_timer_occupied"}, {0xd067, "too_many_modify_jobs"}, {0xd081, "not_permitted_in_mode"},
    {0xd082, "cannot_exit_hold"}, {0xd0a1, "not_permitted_at_protection_level"}, {0xd0a2, "memory_function_running"},
    {0xd0a3, "too_many_io_modify_jobs"}, {0xd0a4, "force_already_established"}, {0xd0a5, "referenced_job_not_found"},
    {0xd0a6, "job_cannot_be_switched"}, {0xd0a7, "job_cannot_be_deleted"}, {0xd0a8, "job_cannot_be_replaced"},
    {0xd0a9, "job_cannot_be_read"}, {0xd0aa, "time_limit_exceeded"}, {0xd0ab, "invalid_job_parameters"},
    {0xd0ac, "invalid_job_data"}, {0xd0ad, "operating_mode_already_set"}, {0xd0ae, "job_of_another_connection"},
    {0xd0c1, "tag_access_error"}, {0xd0c2, "change_to_stop_or_hold"}, {0xd0c3, "tag_access_error_and_stop"},
    {0xd0c4, "measurement_timeout"}, {0xd0c5, "block_stack_inconsistent"}, {0xd0c6, "job_deleted_with_its_reference"},
    {0xd0c7, "job_deleted_on_leaving_stop"}, {0xd0c8, "block_status_aborted"}, {0xd0c9, "status_area_left"},
    {0xd0ca, "status_area_left_with_access_error"}, {0xd0cb, "output_disable_active_again"},
    {0xd0cc, "data_limited_by_time"},
    /* block functions */
    {0xd201, "block_name_syntax_error"}, {0xd202, "function_parameter_syntax_error"}, {0xd205, "linked_block_in_ram"},
    {0xd206, "linked_block_in_eprom"}, {0xd208, "too_many_copied_blocks"}, {0xd209, "block_not_found_on_module"},
    {0xd20a, "too_many_blocks_to_link"}, {0xd20b, "too_many_blocks_to_delete"}, {0xd20c, "priority_class_missing"},
    {0xd20d, "sdb_not_interpretable"}, {0xd20e, "no_further_block"}, {0xd20f, "block_size_exceeded"},
    {0xd210, "invalid_block_number"}, {0xd212, "incorrect_header_attribute"}, {0xd213, "too_many_sdbs"},
    {0xd216, "invalid_user_program"}, {0xd217, "protection_level_not_permitted"}, {0xd218, "incorrect_attribute"},
    {0xd219, "incorrect_block_lengths"}, {0xd21a, "incorrect_local_data_length"}, {0xd21b, "compression_interrupted"},
    {0xd21d, "illegal_project_data_volume"}, {0xd21e, "module_parameters_not_assigned"},
    {0xd220, "invalid_programming_language"}, {0xd221, "connection_system_data_invalid"},
    {0xd222, "global_data_invalid"},
    {0xd223, "instance_db_error"}, {0xd224, "scan_sdb_invalid"}, {0xd225, "dp_sdb_invalid"},
    {0xd226, "block_structure_error"},
    {0xd230, "block_structure_error"}, {0xd231, "priority_class_missing"}, {0xd232, "illegal_loaded_block_number"},
    {0xd234, "block_exists_twice"}, {0xd235, "block_checksum_wrong"}, {0xd236, "block_checksum_missing"},
    {0xd237, "block_loaded_twice"}, {0xd238, "not_a_db"}, {0xd239, "db_not_in_load_memory"},
    {0xd23a, "db_differs_from_linked"},
    {0xd240, "coordination_rules_violated"}, {0xd241, "not_permitted_at_protection_level"},
    {0xd242, "f_block_protection"},
    {0xd250, "update_does_not_match_module"}, {0xd251, "update_component_sequence"}, {0xd252, "checksum_error"},
    {0xd253, "update_needs_memory_card"}, {0xd254, "operating_system_storage_error"}, {0xd280, "block_compile_error"},
    {0xd2a1, "block_function_active"}, {0xd2a2, "trigger_active_on_block"}, {0xd2a3, "block_not_active"},
    {0xd2a4, "block_in_use"}, {0xd2a6, "save_and_change_conflict"}, {0xd2a7, "block_unlinked"},
    {0xd2a8, "debug_prevents_assignment"}, {0xd2a9, "cpu_being_parameterised"}, {0xd2aa, "modules_being_parameterised"},
    {0xd2ab, "limits_being_changed"}, {0xd2ac, "assignment_running"}, {0xd2b0, "configuration_in_run_error"},
    {0xd2c0, "too_many_technology_objects"}, {0xd2c1, "technology_block_exists"}, {0xd2c2, "download_not_possible"},
    /* CPU functions, security, cyclic services, clock, H systems */
    {0xd401, "information_unavailable"}, {0xd402, "information_unavailable"}, {0xd403, "already_logged_on"},
    {0xd404, "too_many_logons"}, {0xd405, "function_parameter_syntax_error"},
    {0xd406, "information_currently_unavailable"},
    {0xd407, "diagnostics_error"}, {0xd408, "update_aborted"}, {0xd409, "dp_bus_error"},
    {0xd601, "function_parameter_syntax_error"}, {0xd602, "wrong_password"}, {0xd603, "already_legitimised"},
    {0xd604, "already_enabled"}, {0xd605, "no_password_set"},
    {0xd801, "tag_address_invalid"}, {0xd802, "job_does_not_exist"}, {0xd803, "illegal_job_status"},
    {0xd804, "illegal_cycle_time"}, {0xd805, "too_many_cyclic_jobs"}, {0xd806, "job_state_forbids"},
    {0xd807, "aborted_by_overload"}, {0xdc01, "invalid_date_or_time"},
    {0xe201, "already_master"}, {0xe202, "different_user_program"}, {0xe203, "different_firmware"},
    {0xe204, "different_memory_configuration"}, {0xe205, "synchronisation_error"}, {0xe206, "coordination_violation"},
    {0xef01, "id2_not_zero"}, {0xef02, "id2_unknown_resources"},
    {0, NULL},
};

const struct code_name s7_conn_types[] = {
    {1, "pg"}, {2, "op"}, {3, "s7_basic"}, {0, NULL}, /* 4 to 0x1f: s7 connections with a number of their own */
};

const struct code_name s7_ud_types[] = {{0, "push"}, {1, "request"}, {2, "response"}, {0, NULL}};

const struct code_name s7_filesystems[] = {{'A', "active"}, {'B', "active_and_passive"}, {'P', "passive"}, {0, NULL}};

const struct code_name s7_languages[] = {
    {0, "undefined"}, {1, "stl"}, {2, "lad"}, {3, "fbd"}, {4, "scl"}, {5, "db"}, {6, "graph"}, {7, "sdb"},
    {8, "cpu_db"},
    {0x11, "sdb_after_reset"}, {0x12, "sdb_routing"}, {0x29, "encrypted"}, {0, NULL},
};

/* SZL 0x424 and event ids of class 4: operating modes */
const struct code_name s7_modes[] = {
    {0x0, "unknown"}, {0x1, "stop_update"}, {0x2, "stop_memory_reset"}, {0x3, "stop_self_initialisation"},
    {0x4, "stop"},
    {0x5, "startup_warm_restart"}, {0x6, "startup_cold_restart"}, {0x7, "startup_hot_restart"}, {0x8, "run"},
    {0x9, "run_redundant"}, {0xa, "hold"}, {0xb, "link_up"}, {0xc, "update"}, {0xd, "defective"}, {0xe, "self_test"},
    {0xf, "no_power"}, {0, NULL},
};

const struct code_name s7_mode_switches[] = {
    {0, "unknown"}, {1, "run"}, {2, "run_p"}, {3, "stop"}, {4, "mres"}, {0, NULL},
};

const struct code_name s7_diag_events[] = {
    {0x113a, "start_of_cyclic_interrupt_ob"}, {0x1155, "status_interrupt"}, {0x1156, "update_interrupt"},
    {0x1381, "manual_warm_restart_request"}, {0x1382, "automatic_warm_restart_request"},
    {0x1383, "manual_hot_restart_request"},
    {0x1384, "automatic_hot_restart_request"}, {0x1385, "manual_cold_restart_request"},
    {0x1386, "automatic_cold_restart_request"},
    {0x2521, "bcd_conversion_error"}, {0x2522, "area_length_error_reading"}, {0x2523, "area_length_error_writing"},
    {0x2524, "area_error_reading"}, {0x2525, "area_error_writing"}, {0x2526, "timer_number_error"},
    {0x2527, "counter_number_error"}, {0x253a, "db_not_loaded"}, {0x253c, "fc_not_loaded"}, {0x253d, "sfc_not_loaded"},
    {0x253e, "fb_not_loaded"}, {0x253f, "sfb_not_loaded"}, {0x2942, "io_access_error_reading"},
    {0x2943, "io_access_error_writing"},
    {0x3501, "cycle_time_exceeded"}, {0x3571, "nesting_too_deep"}, {0x35a1, "ob_or_fb_missing"},
    {0x35a2, "os_cannot_start_ob"},
    {0x3861, "module_inserted"}, {0x3961, "module_removed"}, {0x3921, "battery_failure"}, {0x3821, "battery_ok"},
    {0x38c4, "dp_station_returned"}, {0x39c4, "dp_station_failed"}, {0x38cb, "pn_station_returned"},
    {0x39cb, "pn_station_failed"},
    {0x3942, "module_fault"}, {0x3842, "module_ok"},
    {0x4300, "power_on_backed"}, {0x4301, "stop_to_startup"}, {0x4302, "startup_to_run"}, {0x4303, "stop_by_switch"},
    {0x4304, "stop_by_command_or_sfc46"}, {0x4305, "hold_breakpoint_reached"}, {0x4306, "hold_breakpoint_left"},
    {0x4307, "memory_reset_started_by_command"}, {0x4308, "memory_reset_started_by_switch"},
    {0x4309, "memory_reset_automatic"}, {0x430a, "hold_to_stop"}, {0x430d, "stop_by_other_cpu"},
    {0x430e, "memory_reset_executed"},
    {0x430f, "module_stop_by_cpu_stop"}, {0x4318, "cir_started"}, {0x4319, "cir_completed"},
    {0x4357, "module_watchdog_started"},
    {0x4358, "all_modules_ready"}, {0x43b0, "firmware_update_successful"}, {0x43b4, "firmware_update_error"},
    {0x43b6, "firmware_update_by_redundant_canceled"}, {0x4520, "defective_stop_not_possible"},
    {0x4521, "defective_instruction"},
    {0x4523, "defective_clock_interrupt_lost"}, {0x4532, "defective_protocol_error"},
    {0x4541, "stop_by_priority_system"},
    {0x4542, "stop_by_object_manager"}, {0x4543, "stop_by_test_function"}, {0x4544, "stop_by_diagnostics"},
    {0x4545, "stop_by_communication"}, {0x4546, "stop_by_cpu_memory_management"}, {0x4547, "stop_by_process_image"},
    {0x4548, "stop_by_io_management"}, {0x454a, "stop_by_configuration"}, {0x4550, "defective_internal_error"},
    {0x4555, "no_restart_watchdog"}, {0x4556, "stop_watchdog"}, {0x4562, "stop_programming_error"},
    {0x4563, "stop_io_access_error"},
    {0x4567, "stop_h_event"}, {0x4568, "stop_time_error"}, {0x456b, "stop_by_sfc46"}, {0x456d, "stop_rack_failure"},
    {0x4570, "stop_nesting_depth"}, {0x4573, "stop_error_while_error_ob"}, {0x4578, "stop_work_memory_ecc"},
    {0x4580, "stop_backup_buffer_not_consistent"}, {0x4590, "stop_overload"}, {0x494d, "stop_io_error"},
    {0x4950, "stop_io_parameters"},
    {0x4959, "no_startup_conditions"}, {0x4960, "stop_monitoring_time"}, {0x4961, "module_monitoring_time"},
    {0x5395, "communication_distribution_overloaded"}, {0x5961, "parameter_assignment_error"},
    {0x6316, "interface_error_no_start"},
    {0x6500, "connection_id_twice"}, {0x6521, "no_memory_submodule"}, {0x6526, "memory_submodule_replaced"},
    {0x6543, "block_error_at_load"}, {0x6548, "illegal_plugged_submodule"}, {0, NULL},
};

const struct code_name s7_triggers[] = {
    {0x0000, "immediately"}, {0x0100, "system_trigger"}, {0x0200, "cycle_start"}, {0x0300, "cycle_end"},
    {0x0400, "run_to_stop"},
    {0x0500, "after_code_address"}, {0x0600, "code_area"}, {0x0601, "code_area_with_call_path"},
    {0x0700, "data_address"},
    {0x0800, "data_area"}, {0x0900, "local_data_address"}, {0x0a00, "local_data_area"}, {0x0b00, "range_trigger"},
    {0x0c00, "before_code_address"}, {0, NULL},
};

const struct code_name s7_alarm_types[] = {
    {0, "scan_abort"}, {1, "scan_initiate"}, {4, "alarm_abort"}, {5, "alarm_initiate"}, {8, "alarm_s_abort"},
    {9, "alarm_s_initiate"}, {0, NULL},
};
// clang-format on
