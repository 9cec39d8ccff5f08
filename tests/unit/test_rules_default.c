/* test_rules_default.c: every shipped rule compiles against the real protocols; for each one, messages that raise it and
 * messages, as near to them as can be, that do not. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "dissectors/dissector.h"
#include "engine/base/site.h"
#include "rules_fixture.h"
#include "suite.h"

/* A message, sent `times` times (0: once), `step_s` apart; what `vary` says changes each time. */
struct shot {
    const char *proto, *op;        /* op: the name of a row; the first of that name, unless sel is set */
    uint32_t sel;                  /* + 1 */
    uint8_t action;                /* + 1: instead of the row's */
    uint8_t kind;                  /* + 1; else transaction */
    uint8_t outcome;               /* + 1; else executed */
    const char *status;            /* name; set with error */
    bool no_error;                 /* the status is not an error */
    const char *anomaly;
    const char *group, *field;     /* one field, */
    const char *text;              /* its text, or the name of its code */
    int64_t num;                   /* else its number */
    const char *object;            /* kind of one item */
    uint32_t first;
    bool value;                    /* the item is true */
    const char *name;              /* and called so */
    uint64_t latency_s;
    bool to_group, engineer, new_fact, learning, from_zone, no_unit;
    uint32_t src_roles;
    enum { STILL, DST, SRC, OBJECT, UNIT, FUNCTION } vary;
    unsigned times, step_s;
    unsigned hour, weekend;        /* hour of the day (0: noon) of a Monday, or of a Saturday */
};
struct row {
    const char *id;
    struct shot fires, misses;
};

#define P(name) .proto = #name
#define OP(name) .op = #name
#define REFUSED .outcome = OUT_REFUSED + 1
#define ACT(a) .action = (a) + 1
#define GEN P(modbus), OP(write_single_register)
#define MOD(name) P(modbus), OP(name)
#define DNP(name) P(dnp3), OP(name)
#define S7(name) P(s7comm), OP(name)
#define CIP(name) P(cip), OP(name)
#define ENIP(name) P(enip), OP(name)
#define IEC(name) P(iec104), OP(name)

/* clang-format off */
static const struct row rows[] = {
    {"OT-GEN-001", {S7(plc_stop), .engineer = true}, {S7(plc_stop)}},
    {"OT-GEN-002", {MOD(umas_stop_plc)}, {MOD(umas_stop_plc), .engineer = true}},
    {"OT-GEN-003", {S7(plc_start_warm_restart)}, {S7(plc_start_cold_restart)}},
    {"OT-GEN-004", {MOD(umas_init_plc)}, {MOD(restart_communications_option)}},
    {"OT-GEN-005", {MOD(umas_set_breakpoint)}, {MOD(force_listen_only_mode)}},
    {"OT-GEN-006", {MOD(firmware_replacement), .engineer = true}, {MOD(firmware_replacement)}},
    {"OT-GEN-007", {MOD(firmware_replacement)}, {MOD(firmware_replacement), .engineer = true}},
    {"OT-GEN-008", {S7(request_download), .engineer = true}, {S7(delete_blocks), .engineer = true}},
    {"OT-GEN-009", {S7(download_block)}, {S7(download_block), .engineer = true}},
    {"OT-GEN-010", {S7(start_upload), .engineer = true}, {S7(start_upload)}},
    {"OT-GEN-011", {S7(upload)}, {S7(upload), .engineer = true}},
    {"OT-GEN-012", {S7(set_clock), .new_fact = true}, {S7(set_clock)}},
    {"OT-GEN-013", {S7(force)}, {S7(force), REFUSED}},
    {"OT-GEN-014", {S7(password), .status = "wrong_password", .times = 5, .step_s = 20},
                   {S7(password), .status = "wrong_password", .times = 5, .step_s = 80}},
    {"OT-GEN-015", {DNP(direct_operate), .times = 60}, {DNP(direct_operate), .times = 59}},
    {"OT-GEN-016", {MOD(read_coils), .status = "illegal_data_address", .times = 100},
                   {MOD(read_coils), .times = 300}},
    {"OT-GEN-017", {MOD(read_coils), .status = "illegal_data_address", .object = "coil", .vary = OBJECT, .times = 20},
                   {MOD(read_coils), .status = "illegal_data_address", .object = "coil", .times = 50}},
    {"OT-GEN-018", {P(modbus), .status = "illegal_function", .vary = FUNCTION, .times = 6},
                   {P(modbus), .status = "illegal_function", .vary = FUNCTION, .times = 5}},
    {"OT-GEN-019", {MOD(read_coils), .kind = EV_REQUEST + 1, .vary = UNIT, .times = 10, .step_s = 5},
                   {MOD(read_coils), .vary = UNIT, .times = 40, .step_s = 1}},
    {"OT-GEN-020", {MOD(read_device_identification), .vary = DST, .times = 10, .step_s = 10},
                   {MOD(read_coils), .vary = DST, .times = 10}},
    {"OT-GEN-021", {GEN, .from_zone = true, .new_fact = true}, {GEN, .from_zone = true}},
    {"OT-GEN-022", {S7(request_download), .hour = 22}, {S7(request_download)}},
    {"OT-GEN-023", {DNP(cold_restart), .times = 5, .step_s = 600}, {DNP(cold_restart), .times = 5, .step_s = 1200}},
    {"OT-GEN-024", {S7(plc_stop), .times = 5, .step_s = 600}, {S7(plc_stop), .vary = DST, .times = 5, .step_s = 600}},
    {"OT-GEN-025", {DNP(activate_configuration)}, {DNP(activate_configuration), REFUSED}},
    {"OT-GEN-026", {DNP(activate_configuration)}, {DNP(disable_unsolicited)}},
    {"OT-GEN-027", {DNP(direct_operate), .to_group = true}, {DNP(direct_operate)}},
    {"OT-GEN-028", {GEN, REFUSED, .times = 10, .step_s = 5}, {GEN, .times = 10, .step_s = 5}},
    {"OT-GEN-029", {S7(plc_stop), .src_roles = ROLE_CONTROLLER}, {S7(plc_stop), .src_roles = ROLE_CONTROLLER | ROLE_ENGINEERING}},
    {"OT-GEN-030", {MOD(read_coils), .latency_s = 4, .times = 20, .step_s = 5},
                   {MOD(read_coils), .latency_s = 2, .times = 20, .step_s = 5}},
    {"OT-GEN-031", {DNP(operate), .vary = SRC, .times = 3, .step_s = 60}, {DNP(operate), .vary = SRC, .times = 2, .step_s = 60}},

    {"OT-MOD-001", {MOD(force_listen_only_mode)}, {MOD(return_query_data)}},
    {"OT-MOD-002", {MOD(restart_communications_option)}, {MOD(restart_communications_option), REFUSED}},
    {"OT-MOD-003", {MOD(clear_counters_and_diagnostic_register)}, {MOD(return_bus_message_count)}},
    {"OT-MOD-004", {MOD(program_concept)}, {MOD(poll_controller)}},
    {"OT-MOD-005", {MOD(reserved_41), .anomaly = "reserved_function"}, {MOD(program_484), .anomaly = "reserved_function"}},
    {"OT-MOD-006", {MOD(function_0), .anomaly = "function_zero"}, {MOD(reserved_41), .anomaly = "reserved_function"}},
    {"OT-MOD-007", {MOD(read_coils), .anomaly = "exception_from_client"}, {MOD(read_coils), .anomaly = "bad_length"}},
    {"OT-MOD-008", {GEN, .field = "broadcast", .num = 1}, {MOD(read_coils), .field = "broadcast", .num = 1}},
    {"OT-MOD-009", {MOD(read_fifo_queue), .status = "illegal_function", .times = 5, .step_s = 60},
                   {MOD(read_fifo_queue), .status = "illegal_function", .times = 4, .step_s = 60}},
    {"OT-MOD-010", {MOD(read_coils), .status = "illegal_data_address", .times = 10, .step_s = 30},
                   {MOD(read_coils), .status = "illegal_data_address", .times = 10, .step_s = 90}},
    {"OT-MOD-011", {GEN, .status = "illegal_data_value", .times = 5}, {GEN, .status = "illegal_data_address", .times = 5}},
    {"OT-MOD-012", {GEN, .status = "server_device_failure", .times = 3}, {GEN, .status = "server_device_failure", .vary = UNIT, .times = 3}},
    {"OT-MOD-013", {MOD(read_coils), .status = "gateway_target_failed_to_respond", .times = 8},
                   {MOD(read_coils), .status = "gateway_target_failed_to_respond", .vary = UNIT, .times = 8}},
    {"OT-MOD-014", {MOD(write_file_record)}, {MOD(read_file_record)}},
    {"OT-MOD-015", {MOD(read_device_identification), .new_fact = true}, {MOD(read_device_identification), .new_fact = true, .learning = true}},
    {"OT-MOD-016", {MOD(umas_take_reservation)}, {MOD(umas_release_reservation)}},
    {"OT-MOD-017", {MOD(umas_write_physical_address)}, {MOD(umas_write_variables)}},

    {"OT-DNP-001", {DNP(cold_restart)}, {DNP(warm_restart)}},
    {"OT-DNP-002", {DNP(warm_restart)}, {DNP(cold_restart)}},
    {"OT-DNP-003", {DNP(initialize_data)}, {DNP(initialize_application)}},
    {"OT-DNP-004", {DNP(save_configuration)}, {DNP(activate_configuration)}},
    {"OT-DNP-005", {DNP(disable_unsolicited)}, {DNP(enable_unsolicited)}},
    {"OT-DNP-006", {DNP(delete_file)}, {DNP(get_file_info)}},
    {"OT-DNP-007", {DNP(open_file), .field = "file_mode", .text = "write"}, {DNP(open_file), .field = "file_mode", .text = "read"}},
    {"OT-DNP-008", {DNP(activate_configuration)}, {DNP(activate_configuration), REFUSED}},
    {"OT-DNP-009", {DNP(direct_operate_no_response), .field = "broadcast", .text = "confirm_optional"},
                   {DNP(write), .sel = 51, .field = "broadcast", .text = "confirm_optional"}},
    {"OT-DNP-010", {DNP(authentication_response), .anomaly = "authentication_error"},
                   {DNP(authentication_response), .anomaly = "session_keys_invalid"}},
    {"OT-DNP-011", {DNP(read), .anomaly = "iin_device_restart"}, {DNP(read), .anomaly = "iin_need_time"}},
    {"OT-DNP-012", {DNP(read), .anomaly = "iin_device_restart", .times = 2, .step_s = 300},
                   {DNP(read), .anomaly = "iin_device_restart", .times = 2, .step_s = 700}},
    {"OT-DNP-013", {DNP(read), .anomaly = "iin_device_trouble"}, {DNP(read), .anomaly = "iin_local_control"}},
    {"OT-DNP-014", {DNP(read), .anomaly = "iin_config_corrupt"}, {DNP(read), .anomaly = "iin_reserved"}},
    {"OT-DNP-015", {DNP(read), .anomaly = "iin_event_buffer_overflow"}, {DNP(read), .anomaly = "iin_already_executing"}},
    {"OT-DNP-016", {DNP(read), .anomaly = "iin_event_buffer_overflow", .times = 3, .step_s = 120},
                   {DNP(read), .anomaly = "iin_event_buffer_overflow", .times = 2, .step_s = 120}},
    {"OT-DNP-017", {DNP(freeze_clear), .anomaly = "iin_no_func_code_support"}, {DNP(freeze_clear), .anomaly = "iin_object_unknown"}},
    {"OT-DNP-018", {DNP(read), .anomaly = "iin_object_unknown"}, {DNP(read), .anomaly = "iin_parameter_error"}},
    {"OT-DNP-019", {DNP(read), .anomaly = "iin_parameter_error"}, {DNP(read), .anomaly = "iin_object_unknown"}},
    {"OT-DNP-020", {DNP(assign_class)}, {DNP(enable_unsolicited)}},
    {"OT-DNP-021", {DNP(write), .sel = 35}, {DNP(write), .sel = 51}},
    {"OT-DNP-022", {DNP(read), .sel = 61, .object = "class", .new_fact = true}, {DNP(read), .sel = 61, .object = "class", .first = 1, .new_fact = true}},
    {"OT-DNP-023", {DNP(unsolicited_response), .kind = EV_UNSOLICITED + 1, .times = 200},
                   {DNP(unsolicited_response), .kind = EV_UNSOLICITED + 1, .times = 199}},

    {"OT-S7C-001", {S7(memory_reset)}, {S7(delete_job)}},
    {"OT-S7C-002", {S7(delete_blocks)}, {S7(activate_blocks)}},
    {"OT-S7C-003", {S7(plc_start_cold_restart)}, {S7(plc_start_warm_restart)}},
    {"OT-S7C-004", {S7(password), .status = "wrong_password"}, {S7(password)}},
    {"OT-S7C-005", {S7(write_var), .status = "not_permitted_at_protection_level"}, {S7(write_var), .status = "invalid_address"}},
    {"OT-S7C-006", {S7(nc_new_password)}, {S7(nc_login)}},
    {"OT-S7C-007", {S7(copy_ram_to_rom)}, {S7(compress_memory)}},
    {"OT-S7C-008", {S7(modify_variable)}, {S7(variable_status)}},
    {"OT-S7C-009", {S7(alarm_8_lock)}, {S7(alarm_8_unlock)}},
    {"OT-S7C-010", {S7(read_szl), .object = "szl", .vary = OBJECT, .times = 12}, {S7(read_szl), .object = "szl", .times = 40}},
    {"OT-S7C-011", {S7(list_blocks), .new_fact = true}, {S7(list_blocks)}},
    {"OT-S7C-012", {S7(request_download), .field = "block", .text = "SDB0"}, {S7(request_download), .field = "block", .text = "DB1"}},
    {"OT-S7C-013", {S7(write_var), .object = "q"}, {S7(write_var), .object = "m"}},
    {"OT-S7C-014", {S7(setup_communication), .field = "connection_type", .text = "pg"},
                   {S7(setup_communication), .field = "connection_type", .text = "op"}},

    {"OT-CIP-001", {CIP(reset)}, {CIP(reset), .field = "reset_type", .text = "factory_default"}},
    {"OT-CIP-002", {CIP(reset), .field = "reset_type", .text = "factory_default"}, {CIP(reset), .field = "reset_type", .text = "power_cycle"}},
    {"OT-CIP-003", {CIP(set_attribute_list), .sel = 0xf6, ACT(ACT_CONFIGURE), .field = "class", .text = "tcp_ip_interface"},
                   {CIP(get_attribute_list), .field = "class", .text = "tcp_ip_interface"}},
    {"OT-CIP-004", {CIP(forward_open), .status = "connection_failure", .times = 5}, {CIP(forward_open), .times = 5}},
    {"OT-CIP-005", {CIP(forward_open), .field = "transport_class", .num = 1, .from_zone = true},
                   {CIP(forward_open), .field = "transport_class", .num = 3, .from_zone = true}},
    {"OT-CIP-006", {ENIP(list_identity), .to_group = true}, {ENIP(list_identity)}},
    {"OT-CIP-007", {CIP(read_tag), .status = "path_segment_error", .times = 20}, {CIP(read_tag), .status = "path_segment_error", .times = 20, .step_s = 4}},
    {"OT-CIP-008", {ENIP(send_rr_data), .status = "invalid_session_handle", .times = 5}, {ENIP(send_rr_data), .times = 5}},
    {"OT-CIP-009", {CIP(write_tag), .status = "privilege_violation"}, {CIP(write_tag), .status = "path_segment_error"}},
    {"OT-CIP-010", {CIP(set_password)}, {CIP(set_password), REFUSED}},
    {"OT-CIP-011", {CIP(configure_request)}, {CIP(perform_diagnostics)}},
    {"OT-CIP-012", {CIP(clear_file)}, {CIP(download_transfer)}},
    {"OT-CIP-013", {CIP(get_instance_attribute_list), .new_fact = true}, {CIP(get_instance_attribute_list)}},
    {"OT-CIP-014", {P(cip_io), OP(class_1_data), .field = "event", .text = "idle"}, {P(cip_io), OP(class_1_data), .field = "event", .text = "run"}},
    {"OT-CIP-015", {CIP(forward_close), .times = 20}, {CIP(forward_close), .times = 19}},

    {"OT-IEC-001", {IEC(reset_process_command)}, {IEC(reset_process_command), REFUSED}},
    {"OT-IEC-002", {IEC(single_command), .hour = 23}, {IEC(single_command)}},
    {"OT-IEC-003", {IEC(single_command), .status = "unknown_type"}, {IEC(single_command), .status = "unknown_cause"}},
    {"OT-IEC-004", {IEC(single_command), .status = "unknown_cause"}, {IEC(single_command), .status = "unknown_type"}},
    {"OT-IEC-005", {IEC(read_command), .status = "unknown_common_address"}, {IEC(read_command), .status = "unknown_object_address"}},
    {"OT-IEC-006", {IEC(read_command), .status = "unknown_object_address"}, {IEC(read_command), .status = "unknown_common_address"}},
    {"OT-IEC-007", {IEC(stopdt_act)}, {IEC(startdt_act)}},
    {"OT-IEC-008", {IEC(parameter_float)}, {IEC(set_point_float)}},
    {"OT-IEC-009", {IEC(delete_file)}, {IEC(call_select_file)}},
    {"OT-IEC-010", {IEC(counter_reset_command)}, {IEC(counter_freeze_command)}},
    {"OT-IEC-011", {IEC(single_command), .field = "test", .num = 1}, {IEC(interrogation_command), .field = "test", .num = 1}},
    {"OT-IEC-012", {IEC(single_point_cp56), .field = "clock_drift_ms", .num = -90000, .times = 10, .step_s = 60},
                   {IEC(single_point_cp56), .field = "clock_drift_ms", .num = 900, .times = 10, .step_s = 60}},
    {"OT-IEC-013", {IEC(end_of_initialisation)}, {IEC(single_point)}},
    {"OT-IEC-014", {IEC(interrogation_command), .new_fact = true}, {IEC(interrogation_command)}},
    {"OT-IEC-015", {IEC(double_command), .field = "negative", .num = 1, .times = 3, .step_s = 20},
                   {IEC(double_command), .field = "negative", .num = 0, .times = 3, .step_s = 20}},
#include "rules_rows.h" /* rules_NAME.def: the rows of further protocols */
};
/* clang-format on */

static const struct proto_schema *schemas[RULES_SCHEMAS];
static unsigned n_schemas;
static struct ruleset *rs;
static struct site site;
static struct site_ref station;
static struct subnet nets[2];
static const struct site_zone zones[2] = {{.name = "control", .subnets = &nets[0], .n_subnets = 1, .purdue = 2},
                                          {.name = "field", .subnets = &nets[1], .n_subnets = 1, .purdue = 1}};

static void setup(void)
{
    struct err e = {""};
    const char *off[64] = {NULL};
    unsigned n = 0;
    while (n_schemas < RULES_SCHEMAS && schema_at(n_schemas)) {
        schemas[n_schemas] = schema_at(n_schemas);
        n_schemas++;
    }
    addr_parse("10.0.0.99", &station.subnet.base);
    station.subnet.bits = 128;
    station.asset = SITE_NO_ASSET;
    site.stations = &station;
    site.n_stations = 1;
    subnet_parse("10.0.0.0/16", &nets[0]);
    subnet_parse("10.1.0.0/16", &nets[1]);
    site.zones = zones;
    site.n_zones = 2;
    ck_assert_int_eq(site_prepare(&site, &e), 0);
    struct ruleset_opts o = {.schemas = schemas, .n_schemas = n_schemas, .site = &site};
    ck_assert_msg(ruleset_load(&o, &rs, &e) == 0, "%s", e.text);
    for (unsigned i = 0; i < ruleset_n(rs); i++)
        if (!ruleset_rule(rs, i)->enabled && n < ARRAY_LEN(off) - 1)
            off[n++] = ruleset_rule(rs, i)->id;
    /* all of them on; for protocols that are not there a rule stays off */
    struct ruleset *all = NULL;
    o.enable = off;
    ck_assert_msg(ruleset_load(&o, &all, &e) == 0, "%s", e.text);
    ruleset_free(rs);
    rs = all;
}

static void teardown(void)
{
    ruleset_free(rs);
    site_done(&site);
}

/* ---- one message ---- */

static const struct op_row *row_of(const struct proto_schema *s, const struct shot *k)
{
    for (uint32_t i = 0; i < s->n_ops; i++)
        if (strcmp(s->ops[i].name, k->op) == 0 && (!k->sel || s->ops[i].sel == k->sel - 1 || s->ops[i].sel == OP_ANY_SELECTOR))
            return &s->ops[i];
    ck_abort_msg("%s has no function %s", s->name, k->op);
    return NULL;
}

static uint32_t code_of(const struct code_name *t, const char *name)
{
    for (; t && t->name; t++)
        if (strcmp(t->name, name) == 0)
            return t->code;
    ck_abort_msg("no code of the name %s", name);
    return 0;
}

static void add_field(struct event *e, const struct proto_schema *s, const struct shot *k)
{
    int id = schema_field(s, k->group, k->field);
    ck_assert_msg(id >= 0, "%s has no field %s", s->name, k->field);
    struct field *f = fx_field(e, (uint8_t)id);
    if (s->fields[id].type == FT_TEXT)
        f->v.s = fx_span(k->text);
    else if (k->text)
        f->v.u = code_of(s->fields[id].names, k->text);
    else if (s->fields[id].type == FT_INT)
        f->v.i = k->num;
    else
        f->v.u = (uint64_t)k->num;
}

static void make(struct event *e, const struct proto_schema *s, const struct shot *k, unsigned turn)
{
    const struct op_row *op = k->op ? row_of(s, k) : &s->ops[turn];
    fx_begin(e, s, op->fn, k->sel ? k->sel - 1 : op->sel == OP_ANY_SELECTOR ? 0 : op->sel);
    if (k->vary == FUNCTION)
        e->function = 100 + turn;
    if (k->action)
        e->action = k->action - 1;
    e->kind = k->kind ? k->kind - 1 : EV_TRANSACTION;
    e->outcome = k->outcome ? k->outcome - 1 : OUT_EXECUTED;
    e->latency_ns = k->latency_s * 1000000000;
    e->has_unit = !k->no_unit;
    e->unit = k->vary == UNIT ? turn + 1 : 1;
    if (k->status) {
        e->status = code_of(s->statuses, k->status);
        e->has_status = 1;
        e->error = !k->no_error;
        e->outcome = OUT_REFUSED;
    }
    for (uint32_t i = 0; k->anomaly && i <= s->n_anomalies; i++) {
        ck_assert_msg(i < s->n_anomalies, "%s has no anomaly %s", s->name, k->anomaly);
        if (strcmp(s->anomalies[i].name, k->anomaly) == 0) {
            e->anomalies = UINT64_C(1) << i;
            break;
        }
    }
    if (k->field)
        add_field(e, s, k);
    if (k->object) {
        int kind = schema_kind(s, k->object);
        ck_assert_msg(kind >= 0, "%s has no object %s", s->name, k->object);
        uint32_t at = k->first + (k->vary == OBJECT ? turn : 0);
        struct item *it = fx_item(e, (uint8_t)kind, at, at, at);
        if (k->value)
            it->v = (struct vals){.n = 1, .qual_off = -1, .enc = VE_NOW_BOOL, .now.u = 1};
        if (k->name)
            it->name = (struct span){.p = (const uint8_t *)k->name, .n = (uint32_t)strlen(k->name)};
    }
}

/* ---- does the shot raise the rule? ---- */

static bool raises(const struct shot *k, const struct proto_schema *s, const char *id)
{
    static struct event e;
    struct rule_state *st = NULL;
    struct err err;
    bool raised = false;
    struct asset_info src = {.roles = k->src_roles, .purdue = -1};
    struct asset_info dst = {.purdue = -1};
    const struct rec_fact fact = {.is_new = 1};
    ck_assert_int_eq(rule_state_new(rs, 0, 1, &st, &err), 0);
    for (unsigned i = 0; i < (k->times ? k->times : 1); i++) {
        char text[24];
        uint16_t hits[64];
        struct rec_event r = {.schema = s};
        make(&e, s, k, i);
        snprintf(text, sizeof text, "10.0.%u.5", k->vary == SRC ? i : 0);
        addr_parse(k->engineer ? "10.0.0.99" : text, &r.src);
        snprintf(text, sizeof text, "10.%u.%u.9", k->from_zone, k->vary == DST ? i : 0);
        addr_parse(k->to_group ? "10.255.255.255" : text, &r.dst);
        if (k->to_group)
            addr_parse("255.255.255.255", &r.dst);
        /* Monday 2026-01-05 or Saturday 2026-01-03 */
        uint64_t day = k->weekend ? 1767398400 : 1767571200;
        r.ts_ns = (day + (k->hour ? k->hour : 12) * 3600 + i * k->step_s) * 1000000000 + i * 10000000;
        struct rule_input in = {.ev = &e, .src = &r.src, .dst = &r.dst, .ts_ns = r.ts_ns, .l4 = PROTO_TCP};
        r.n_hits = (uint16_t)rules_match(rs, &in, hits, 64);
        r.hits = hits;
        r.object = rules_object(&e);
        r.function = e.function;
        r.selector = e.selector;
        r.unit = e.unit;
        r.has_unit = e.has_unit;
        r.facts = &fact;
        r.n_facts = k->new_fact;
        r.learning = k->learning;
        for (unsigned h = 0; h < r.n_hits; h++) {
            struct rule_verdict v;
            if (rule_finish(st, hits[h], &r, &src, &dst, &v))
                raised |= strcmp(v.rule->id, id) == 0;
        }
    }
    rule_state_free(st);
    return raised;
}

START_TEST(test_rule)
{
    const struct row *row = &rows[_i];
    const struct proto_schema *s = schema_by_name(row->fires.proto);
    ck_assert_msg(ruleset_by_id(rs, row->id) != NULL, "no rule %s", row->id);
    if (!s) {
        printf("skipped: %s, no protocol %s\n", row->id, row->fires.proto);
        return;
    }
    ck_assert_msg(raises(&row->fires, s, row->id), "%s does not fire", row->id);
    ck_assert_msg(!raises(&row->misses, s, row->id), "%s fires at the near miss", row->id);
}
END_TEST

START_TEST(test_all)
{
    ck_assert_uint_ge(ruleset_n(rs), 60);
    for (unsigned i = 0; i < ruleset_n(rs); i++) {
        const struct rule_info *k = ruleset_rule(rs, i);
        unsigned n = 0;
        for (unsigned j = 0; j < ARRAY_LEN(rows); j++)
            n += strcmp(rows[j].id, k->id) == 0;
        ck_assert_msg(n == 1, "%s has %u rows in this test", k->id, n);
        ck_assert_msg(strlen(k->remedy) > 20 && strlen(k->attack) >= 5, "%s lacks a remedy or a technique", k->id);
        ck_assert_msg(strncmp(k->id, "OT-", 3) == 0 && k->sid >= 9600000 && k->sid <= 9699999, "%s", k->id);
    }
}
END_TEST

/* None of them may have lost its protocol by a misspelling. */
START_TEST(test_protocols)
{
    for (unsigned i = 0; i < ruleset_n(rs); i++)
        ck_assert_msg(ruleset_rule(rs, i)->enabled, "%s can never be met", ruleset_rule(rs, i)->id);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rules_default");
    TCase *t = tcase_create("rules_default");
    tcase_add_unchecked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_rule, 0, (int)ARRAY_LEN(rows));
    tcase_add_test(t, test_all);
    tcase_add_test(t, test_protocols);
    suite_add_tcase(s, t);
    return suite_end(s);
}
