/* s7comm_names.h: the tables of names of the S7comm dissector. Each ends with {0, NULL}. */
#pragma once

#include "engine/base/schema.h"

extern const struct code_name s7_statuses[], s7_conn_types[], s7_ud_types[], s7_filesystems[], s7_languages[],
    s7_modes[], s7_mode_switches[], s7_diag_events[], s7_triggers[], s7_alarm_types[];
