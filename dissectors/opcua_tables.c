/* opcua_tables.c: the structures of OPC UA services as tables, member by member.
 *
 * Spec: OPC 10000-4 5 and 7, OPC 10000-6 A.3 (Opc.Ua.Types.bsd). A row is a member; where a hook stands, it is used. */
#include "dissectors/opcua_int.h"

/* clang-format off */
#define SKIP(t)        {UA_##t, 0, 0, NULL, NULL, NULL}
#define SKIPS(t)       {UA_##t, UF_ARRAY, 0, NULL, NULL, NULL}
#define USE(t, hook)   {UA_##t, 0, 0, hook, NULL, NULL}
#define FIELD(t, f)    {UA_##t, 0, f, on_field, NULL, NULL}
#define FIELDS(t, f)   {UA_##t, UF_ARRAY, f, on_field, NULL, NULL}
#define FLAG(t, f)     {UA_##t, 0, f, on_flag, NULL, NULL}
#define SUB(rows)      {UA_STRUCT, 0, 0, NULL, rows, NULL}
#define SUBS(rows)     {UA_STRUCT, UF_ARRAY, 0, NULL, rows, NULL}
#define OBJECTS(rows, hook, arg) {UA_STRUCT, UF_ARRAY | UF_ITEMS, arg, hook, rows, NULL}
#define END            {UA_NULL, 0, 0, NULL, NULL, NULL}
#define TABLE(name)    static const struct ua_row name[]
#define DIAGNOSTICS    {UA_DIAGINFO, UF_ARRAY, OF_INFO, on_diagnostic, NULL, NULL}

/* ---- headers (4, 7.33 and 7.34) ---- */

const struct ua_row ua_request_header[] = {
    USE(NODEID, on_auth_token), SKIP(DATETIME), USE(UINT32, on_request_handle), SKIP(UINT32), FIELD(STRING, OF_AUDIT),
    USE(UINT32, on_timeout), SKIP(EXTOBJ), END};
const struct ua_row ua_response_header[] = {
    SKIP(DATETIME), USE(UINT32, on_request_handle), USE(STATUS, on_service_result),
    {UA_DIAGINFO, 0, OF_INFO, on_diagnostic, NULL, NULL}, SKIPS(STRING), SKIP(EXTOBJ), END};

TABLE(no_body) = {END};
TABLE(status_results) = {{UA_STATUS, UF_ARRAY | UF_ITEMS, 0, on_result_status, NULL, NULL}, DIAGNOSTICS, END};
TABLE(plain_results) = {FIELDS(STATUS, OF_ARGUMENT_STATUS), DIAGNOSTICS, END};

/* ---- discovery (4, 5.4) ---- */

#define APPLICATION \
    {UA_STRING, 0, OF_APP_URI, on_app_uri, NULL, NULL}, {UA_STRING, 0, OF_PRODUCT_URI, on_app_uri, NULL, NULL}, \
    USE(LTEXT, on_app_name), {UA_INT32, 0, OF_APP_TYPE, on_app_type, NULL, NULL}, SKIP(STRING), SKIP(STRING), \
    SKIPS(STRING), END
TABLE(application) = {APPLICATION};
TABLE(token_policy) = {SKIP(STRING), USE(INT32, on_token_type), SKIP(STRING), SKIP(STRING), SKIP(STRING), END};
TABLE(endpoint) = {
    USE(STRING, on_url), {UA_STRUCT, 0, OBS_SERVER, on_app, application, NULL},
    {UA_BYTESTRING, 0, OBS_SERVER, on_certificate, NULL, NULL}, USE(INT32, on_mode), USE(STRING, on_policy),
    SUBS(token_policy), SKIP(STRING), SKIP(BYTE), END};

TABLE(find_servers_req) = {FIELD(STRING, OF_URL), FIELDS(STRING, OF_LOCALE), FIELDS(STRING, OF_SERVER_URI), END};
TABLE(find_servers_rsp) = {OBJECTS(application, on_server_item, UK_SERVER), END};
TABLE(get_endpoints_req) = {FIELD(STRING, OF_URL), FIELDS(STRING, OF_LOCALE), SKIPS(STRING), END};
TABLE(get_endpoints_rsp) = {OBJECTS(endpoint, on_endpoint, UK_ENDPOINT), END};
TABLE(server_on_network) = {SKIP(UINT32), USE(STRING, on_app_name), {UA_STRING, 0, OF_APP_URI, on_app_uri, NULL, NULL},
    SKIPS(STRING), END};
TABLE(find_on_network_req) = {SKIP(UINT32), SKIP(UINT32), SKIPS(STRING), END};
TABLE(find_on_network_rsp) = {SKIP(DATETIME), OBJECTS(server_on_network, on_server_item, UK_SERVER), END};
TABLE(registered) = {
    {UA_STRING, 0, OF_APP_URI, on_app_uri, NULL, NULL}, {UA_STRING, 0, OF_PRODUCT_URI, on_app_uri, NULL, NULL},
    {UA_LTEXT, UF_ARRAY, 0, on_server_name, NULL, NULL}, {UA_INT32, 0, OF_APP_TYPE, on_app_type, NULL, NULL},
    SKIP(STRING), FIELDS(STRING, OF_URL), SKIP(STRING), FIELD(BOOL, OF_IS_ONLINE), END};
TABLE(register_server_req) = {{UA_STRUCT, 0, UK_SERVER, on_server_item, registered, NULL}, END};
TABLE(register_server2_req) = {{UA_STRUCT, 0, UK_SERVER, on_server_item, registered, NULL}, SKIPS(EXTOBJ), END};

/* ---- secure channels and sessions (4, 5.5 and 5.6) ---- */

TABLE(open_req) = {FIELD(UINT32, OF_VERSION), FIELD(INT32, OF_TOKEN_REQUEST), USE(INT32, on_secure_mode),
    SKIP(BYTESTRING), FIELD(UINT32, OF_LIFETIME), END};
TABLE(channel_token) = {FIELD(UINT32, OF_CHANNEL), {UA_UINT32, 0, OF_TOKEN, on_channel_token, NULL, NULL},
    SKIP(DATETIME), {UA_UINT32, 0, OF_LIFETIME, on_lifetime, NULL, NULL}, END};
TABLE(open_rsp) = {FIELD(UINT32, OF_VERSION), SUB(channel_token), SKIP(BYTESTRING), END};

TABLE(signature) = {SKIP(STRING), SKIP(BYTESTRING), END};
TABLE(software_certificate) = {SKIP(BYTESTRING), SKIP(BYTESTRING), END};
TABLE(create_session_req) = {
    {UA_STRUCT, 0, OBS_CLIENT, on_app, application, NULL}, FIELD(STRING, OF_SERVER_URI), FIELD(STRING, OF_URL),
    FIELD(STRING, OF_SESSION_NAME), SKIP(BYTESTRING), {UA_BYTESTRING, 0, OBS_CLIENT, on_certificate, NULL, NULL},
    FIELD(DOUBLE, OF_SESSION_TIMEOUT), SKIP(UINT32), END};
TABLE(create_session_rsp) = {
    {UA_NODEID, 0, OF_SESSION, on_session_open, NULL, NULL}, SKIP(NODEID), FIELD(DOUBLE, OF_SESSION_TIMEOUT),
    SKIP(BYTESTRING), {UA_BYTESTRING, 0, OBS_SERVER, on_certificate, NULL, NULL}, OBJECTS(endpoint, on_endpoint, 0),
    SUBS(software_certificate), SUB(signature), SKIP(UINT32), END};
TABLE(activate_session_req) = {
    SUB(signature), SUBS(software_certificate), FIELDS(STRING, OF_LOCALE),
    {UA_EXTOBJ, 0, OF_USER_TOKEN, on_user_token, NULL, NULL}, SUB(signature), END};
TABLE(activate_session_rsp) = {SKIP(BYTESTRING), FIELDS(STATUS, OF_ARGUMENT_STATUS), DIAGNOSTICS, END};
TABLE(close_session_req) = {FIELD(BOOL, OF_DELETE_SUBSCRIPTIONS), END};
TABLE(cancel_req) = {FIELD(UINT32, OF_CANCEL_HANDLE), END};
TABLE(cancel_rsp) = {FIELD(UINT32, OF_CANCELLED), END};

TABLE(anonymous_token) = {SKIP(STRING), END};
TABLE(user_name_token) = {SKIP(STRING), USE(STRING, on_user), USE(BYTESTRING, on_password),
    {UA_STRING, 0, OF_PASSWORD_ALG, on_encryption, NULL, NULL}, END};
TABLE(x509_token) = {SKIP(STRING), {UA_BYTESTRING, 0, OBS_CLIENT, on_certificate, NULL, NULL}, END};
TABLE(issued_token) = {SKIP(STRING), SKIP(BYTESTRING), FIELD(STRING, OF_PASSWORD_ALG), END};

/* ---- nodes (4, 5.7) ---- */

TABLE(add_nodes_item) = {USE(EXPNODEID, on_node), SKIP(NODEID), USE(EXPNODEID, on_node2), USE(QNAME, on_name),
    FIELD(INT32, OF_NODE_CLASS), SKIP(EXTOBJ), SKIP(EXPNODEID), END};
TABLE(add_nodes_req) = {OBJECTS(add_nodes_item, on_add_item, UK_NODE), END};
TABLE(add_nodes_result) = {USE(STATUS, on_status), USE(NODEID, on_target), END};
TABLE(add_nodes_rsp) = {OBJECTS(add_nodes_result, on_result, 0), DIAGNOSTICS, END};
TABLE(add_references_item) = {USE(NODEID, on_node), SKIP(NODEID), SKIP(BOOL), SKIP(STRING), USE(EXPNODEID, on_node2),
    SKIP(INT32), END};
TABLE(add_references_req) = {OBJECTS(add_references_item, on_reference_item, UK_REFERENCE), END};
TABLE(delete_nodes_item) = {USE(NODEID, on_node), SKIP(BOOL), END};
TABLE(delete_nodes_req) = {OBJECTS(delete_nodes_item, on_node_item, UK_NODE), END};
TABLE(delete_references_item) = {USE(NODEID, on_node), SKIP(NODEID), SKIP(BOOL), USE(EXPNODEID, on_node2), SKIP(BOOL),
    END};
TABLE(delete_references_req) = {OBJECTS(delete_references_item, on_reference_item, UK_REFERENCE), END};

/* ---- views and queries (4, 5.8 and 5.9) ---- */

TABLE(view) = {SKIP(NODEID), SKIP(DATETIME), SKIP(UINT32), END};
TABLE(browse_description) = {USE(NODEID, on_node), FIELD(INT32, OF_DIRECTION), SKIP(NODEID), SKIP(BOOL), SKIP(UINT32),
    SKIP(UINT32), END};
TABLE(browse_req) = {SUB(view), SKIP(UINT32), OBJECTS(browse_description, on_node_item, UK_NODE), END};
TABLE(reference) = {SKIP(NODEID), SKIP(BOOL), SKIP(EXPNODEID), SKIP(QNAME), SKIP(LTEXT), SKIP(INT32), SKIP(EXPNODEID),
    END};
TABLE(browse_result) = {USE(STATUS, on_status), {UA_BYTESTRING, 0, OF_CONTINUATION, on_continuation, NULL, NULL},
    {UA_STRUCT, UF_ARRAY, OF_REFERENCES, NULL, reference, on_count_references}, END};
TABLE(browse_rsp) = {OBJECTS(browse_result, on_result, 0), DIAGNOSTICS, END};
TABLE(browse_next_req) = {FLAG(BOOL, OF_RELEASE), SKIPS(BYTESTRING), END};
TABLE(path_element) = {SKIP(NODEID), SKIP(BOOL), SKIP(BOOL), USE(QNAME, on_path_name), END};
TABLE(browse_path) = {USE(NODEID, on_node), SUBS(path_element), END};
TABLE(translate_req) = {OBJECTS(browse_path, on_path_item, UK_PATH), END};
TABLE(path_target) = {USE(EXPNODEID, on_target), SKIP(UINT32), END};
TABLE(path_result) = {USE(STATUS, on_status), SUBS(path_target), END};
TABLE(translate_rsp) = {OBJECTS(path_result, on_result, 0), DIAGNOSTICS, END};
TABLE(register_nodes_req) = {{UA_NODEID, UF_ARRAY | UF_ITEMS, UK_NODE, on_leaf_node, NULL, NULL}, END};
TABLE(register_nodes_rsp) = {{UA_NODEID, UF_ARRAY | UF_ITEMS, 0, on_target_text, NULL, NULL}, END};

TABLE(filter_element) = {SKIP(INT32), SKIPS(EXTOBJ), END};
TABLE(content_filter) = {SUBS(filter_element), END};
TABLE(relative_path) = {SUBS(path_element), END};
TABLE(query_data_description) = {SUB(relative_path), SKIP(UINT32), SKIP(STRING), END};
TABLE(node_type) = {USE(EXPNODEID, on_node), SKIP(BOOL), SUBS(query_data_description), END};
TABLE(query_first_req) = {SUB(view), OBJECTS(node_type, on_node_item, UK_NODE), SUB(content_filter), SKIP(UINT32),
    SKIP(UINT32), END};
TABLE(query_data_set) = {SKIP(EXPNODEID), SKIP(EXPNODEID), SKIPS(VARIANT), END};
TABLE(parsing_result) = {SKIP(STATUS), SKIPS(STATUS), SKIPS(DIAGINFO), END};
TABLE(element_result) = {SKIP(STATUS), SKIPS(STATUS), SKIPS(DIAGINFO), END};
TABLE(filter_result) = {SUBS(element_result), SKIPS(DIAGINFO), END};
TABLE(query_first_rsp) = {
    {UA_STRUCT, UF_ARRAY, OF_REFERENCES, NULL, query_data_set, on_count_references},
    {UA_BYTESTRING, 0, OF_CONTINUATION, on_continuation, NULL, NULL}, SUBS(parsing_result), DIAGNOSTICS,
    SUB(filter_result), END};
TABLE(query_next_req) = {FLAG(BOOL, OF_RELEASE), SKIP(BYTESTRING), END};
TABLE(query_next_rsp) = {
    {UA_STRUCT, UF_ARRAY, OF_REFERENCES, NULL, query_data_set, on_count_references},
    {UA_BYTESTRING, 0, OF_CONTINUATION, on_continuation, NULL, NULL}, END};

/* ---- attributes (4, 5.10) ---- */

TABLE(read_value_id) = {USE(NODEID, on_node), USE(UINT32, on_attr), USE(STRING, on_range), SKIP(QNAME), END};
TABLE(read_req) = {FIELD(DOUBLE, OF_MAX_AGE), FIELD(INT32, OF_TIMESTAMPS), OBJECTS(read_value_id, on_target_item, 0),
    END};
TABLE(read_rsp) = {{UA_DATAVALUE, UF_ARRAY | UF_ITEMS, 0, on_result_value, NULL, NULL}, DIAGNOSTICS, END};
TABLE(write_value) = {USE(NODEID, on_node), USE(UINT32, on_attr), USE(STRING, on_range), USE(DATAVALUE, on_value), END};
TABLE(write_req) = {OBJECTS(write_value, on_target_item, 1), END};
TABLE(history_value_id) = {USE(NODEID, on_node), USE(STRING, on_range), SKIP(QNAME),
    {UA_BYTESTRING, 0, OF_CONTINUATION, on_continuation, NULL, NULL}, END};
TABLE(history_read_req) = {{UA_EXTOBJ, 0, OF_DETAILS, on_details, NULL, NULL}, FIELD(INT32, OF_TIMESTAMPS),
    FLAG(BOOL, OF_RELEASE), OBJECTS(history_value_id, on_target_item, 0), END};
TABLE(history_read_result) = {USE(STATUS, on_status), {UA_BYTESTRING, 0, OF_CONTINUATION, on_continuation, NULL, NULL},
    SKIP(EXTOBJ), END};
TABLE(history_read_rsp) = {OBJECTS(history_read_result, on_result, 0), DIAGNOSTICS, END};
TABLE(history_update_req) = {{UA_EXTOBJ, UF_ARRAY | UF_ITEMS, OF_DETAILS, on_history_item, NULL, NULL}, END};
TABLE(history_update_result) = {USE(STATUS, on_status), FIELDS(STATUS, OF_ARGUMENT_STATUS), SKIPS(DIAGINFO), END};
TABLE(history_update_rsp) = {OBJECTS(history_update_result, on_result, 0), DIAGNOSTICS, END};

TABLE(aggregate_configuration) = {SKIP(BOOL), SKIP(BOOL), SKIP(BYTE), SKIP(BYTE), SKIP(BOOL), END};
TABLE(select_clause) = {SKIP(NODEID), SKIPS(QNAME), SKIP(UINT32), SKIP(STRING), END};
TABLE(event_filter) = {SUBS(select_clause), SUB(content_filter), END};
TABLE(read_event_details) = {SKIP(UINT32), FIELD(DATETIME, OF_START), FIELD(DATETIME, OF_END), SUB(event_filter), END};
TABLE(read_raw_details) = {SKIP(BOOL), FIELD(DATETIME, OF_START), FIELD(DATETIME, OF_END), SKIP(UINT32), SKIP(BOOL),
    END};
TABLE(read_processed_details) = {FIELD(DATETIME, OF_START), FIELD(DATETIME, OF_END), SKIP(DOUBLE), SKIPS(NODEID),
    SUB(aggregate_configuration), END};
TABLE(read_at_time_details) = {FIELDS(DATETIME, OF_SOURCE_TIME), SKIP(BOOL), END};
TABLE(modification) = {SKIP(DATETIME), SKIP(INT32), SKIP(STRING), END};
TABLE(event_fields) = {SKIPS(VARIANT), END};
TABLE(history_data) = {{UA_DATAVALUE, UF_ARRAY, 0, NULL, NULL, on_list}, END};
TABLE(history_modified) = {{UA_DATAVALUE, UF_ARRAY, 0, NULL, NULL, on_list}, SUBS(modification), END};
TABLE(history_event) = {{UA_STRUCT, UF_ARRAY, OF_NOTIFICATIONS, NULL, event_fields, on_count_references}, END};
TABLE(update_data) = {USE(NODEID, on_node), FIELD(INT32, OF_UPDATE), {UA_DATAVALUE, UF_ARRAY, 0, NULL, NULL, on_list},
    END};
TABLE(update_event) = {USE(NODEID, on_node), FIELD(INT32, OF_UPDATE), SUB(event_filter),
    {UA_STRUCT, UF_ARRAY, OF_NOTIFICATIONS, NULL, event_fields, on_count_references}, END};
TABLE(delete_raw) = {USE(NODEID, on_node), SKIP(BOOL), FIELD(DATETIME, OF_START), FIELD(DATETIME, OF_END), END};
TABLE(delete_at_time) = {USE(NODEID, on_node), FIELDS(DATETIME, OF_SOURCE_TIME), END};
TABLE(delete_event) = {USE(NODEID, on_node), SKIPS(BYTESTRING), END};

/* ---- methods (4, 5.11) ---- */

TABLE(call_method) = {USE(NODEID, on_node), USE(NODEID, on_node2), {UA_VARIANT, UF_ARRAY, 0, NULL, NULL, on_arguments},
    END};
TABLE(call_req) = {OBJECTS(call_method, on_method_item, UK_METHOD), END};
TABLE(call_result) = {USE(STATUS, on_status), FIELDS(STATUS, OF_ARGUMENT_STATUS), DIAGNOSTICS,
    {UA_VARIANT, UF_ARRAY, OF_OUTPUT, on_output, NULL, NULL}, END};
TABLE(call_rsp) = {OBJECTS(call_result, on_result, 0), DIAGNOSTICS, END};

/* ---- monitored items (4, 5.12) ---- */

TABLE(parameters) = {USE(UINT32, on_handle), FIELD(DOUBLE, OF_SAMPLING), SKIP(EXTOBJ), SKIP(UINT32), SKIP(BOOL), END};
TABLE(monitored_create) = {SUB(read_value_id), FIELD(INT32, OF_MONITORING), SUB(parameters), END};
TABLE(create_monitored_req) = {{UA_UINT32, 0, OF_SUBSCRIPTION, on_subscription, NULL, NULL}, FIELD(INT32,
    OF_TIMESTAMPS),
    OBJECTS(monitored_create, on_monitor_item, 0), END};
TABLE(monitored_result) = {USE(STATUS, on_status), FIELD(UINT32, OF_MONITORED), SKIP(DOUBLE), SKIP(UINT32),
    SKIP(EXTOBJ), END};
TABLE(create_monitored_rsp) = {OBJECTS(monitored_result, on_result, 0), DIAGNOSTICS, END};
TABLE(modify_parameters) = {SKIP(UINT32), FIELD(DOUBLE, OF_SAMPLING), SKIP(EXTOBJ), SKIP(UINT32), SKIP(BOOL), END};
TABLE(monitored_modify) = {USE(UINT32, on_handle), SUB(modify_parameters), END};
TABLE(modify_monitored_req) = {FIELD(UINT32, OF_SUBSCRIPTION), FIELD(INT32, OF_TIMESTAMPS),
    OBJECTS(monitored_modify, on_monitored_item, UK_MONITORED), END};
TABLE(modify_result) = {USE(STATUS, on_status), SKIP(DOUBLE), SKIP(UINT32), SKIP(EXTOBJ), END};
TABLE(modify_monitored_rsp) = {OBJECTS(modify_result, on_result, 0), DIAGNOSTICS, END};
#define MONITORED_IDS {UA_UINT32, UF_ARRAY | UF_ITEMS, UK_MONITORED, on_monitored_item, NULL, NULL}
TABLE(set_monitoring_req) = {FIELD(UINT32, OF_SUBSCRIPTION), FIELD(INT32, OF_MONITORING), MONITORED_IDS, END};
TABLE(set_triggering_req) = {FIELD(UINT32, OF_SUBSCRIPTION), FIELD(UINT32, OF_TRIGGERING),
    FIELDS(UINT32, OF_LINKS_ADD), FIELDS(UINT32, OF_LINKS_REMOVE), END};
TABLE(set_triggering_rsp) = {FIELDS(STATUS, OF_ARGUMENT_STATUS), DIAGNOSTICS, FIELDS(STATUS, OF_ARGUMENT_STATUS),
    DIAGNOSTICS, END};
TABLE(delete_monitored_req) = {FIELD(UINT32, OF_SUBSCRIPTION), MONITORED_IDS, END};

TABLE(data_change_filter) = {SKIP(INT32), SKIP(UINT32), SKIP(DOUBLE), END};
TABLE(aggregate_filter) = {SKIP(DATETIME), SKIP(NODEID), SKIP(DOUBLE), SUB(aggregate_configuration), END};

/* ---- subscriptions (4, 5.13) ---- */

#define LIFETIME FIELD(DOUBLE, OF_INTERVAL), FIELD(UINT32, OF_LIFETIME_COUNT), FIELD(UINT32, OF_KEEP_ALIVE)
TABLE(create_subscription_req) = {LIFETIME, FIELD(UINT32, OF_MAX_NOTIFICATIONS), FIELD(BOOL, OF_ENABLED),
    FIELD(BYTE, OF_PRIORITY), END};
TABLE(create_subscription_rsp) = {FIELD(UINT32, OF_SUBSCRIPTION), LIFETIME, END};
TABLE(modify_subscription_req) = {FIELD(UINT32, OF_SUBSCRIPTION), LIFETIME, FIELD(UINT32, OF_MAX_NOTIFICATIONS),
    FIELD(BYTE, OF_PRIORITY), END};
TABLE(modify_subscription_rsp) = {LIFETIME, END};
TABLE(set_publishing_req) = {FIELD(BOOL, OF_ENABLED), FIELDS(UINT32, OF_SUBSCRIPTION), END};
TABLE(acknowledgement) = {SKIP(UINT32), FIELD(UINT32, OF_ACKNOWLEDGED), END};
TABLE(publish_req) = {SUBS(acknowledgement), END};
TABLE(notification) = {FIELD(UINT32, OF_SEQUENCE), SKIP(DATETIME), SKIPS(EXTOBJ), END};
TABLE(publish_rsp) = {{UA_UINT32, 0, OF_SUBSCRIPTION, on_subscription, NULL, NULL}, SKIPS(UINT32), FLAG(BOOL, OF_MORE),
    SUB(notification), FIELDS(STATUS, OF_ARGUMENT_STATUS), DIAGNOSTICS, END};
TABLE(republish_req) = {FIELD(UINT32, OF_SUBSCRIPTION), FIELD(UINT32, OF_SEQUENCE), END};
TABLE(republish_rsp) = {SUB(notification), END};
TABLE(transfer_req) = {FIELDS(UINT32, OF_SUBSCRIPTION), FLAG(BOOL, OF_SEND_INITIAL), END};
TABLE(transfer_result) = {FIELD(STATUS, OF_ARGUMENT_STATUS), SKIPS(UINT32), END};
TABLE(transfer_rsp) = {SUBS(transfer_result), DIAGNOSTICS, END};
TABLE(delete_subscriptions_req) = {FIELDS(UINT32, OF_SUBSCRIPTION), END};

TABLE(item_change) = {USE(UINT32, on_handle), USE(DATAVALUE, on_value), END};
TABLE(data_change) = {OBJECTS(item_change, on_change, 0), DIAGNOSTICS, END};
TABLE(event_field_list) = {USE(UINT32, on_handle), {UA_VARIANT, UF_ARRAY, 0, NULL, NULL, on_list}, END};
TABLE(event_list) = {OBJECTS(event_field_list, on_event, 0), END};
TABLE(status_change) = {FIELD(STATUS, OF_STATUS_CHANGE), SKIP(DIAGINFO), END};

/* ---- the Server object (5, 12.4 and 12.10) ---- */

#define BUILD(f) {UA_STRING, 0, f, on_build, NULL, NULL}
TABLE(build_info) = {BUILD(OF_S_PRODUCT_URI), BUILD(OF_MANUFACTURER), BUILD(OF_PRODUCT), BUILD(OF_SOFTWARE),
    BUILD(OF_BUILD), SKIP(DATETIME), END};
TABLE(server_status) = {SKIP(DATETIME), SKIP(DATETIME), {UA_INT32, 0, OF_STATE, on_state, NULL, NULL}, SUB(build_info),
    SKIP(UINT32), SKIP(LTEXT), END};

/* ---- by NodeId ---- */

static const struct ua_ext exts[] = { /* by id */
    {321, "AnonymousIdentityToken", anonymous_token}, {324, "UserNameIdentityToken", user_name_token},
    {327, "X509IdentityToken", x509_token}, {340, "BuildInfo", build_info},
    {646, "ReadEventDetails", read_event_details}, {649, "ReadRawModifiedDetails", read_raw_details},
    {652, "ReadProcessedDetails", read_processed_details}, {655, "ReadAtTimeDetails", read_at_time_details},
    {658, "HistoryData", history_data}, {661, "HistoryEvent", history_event},
    {682, "UpdateDataDetails", update_data}, {685, "UpdateEventDetails", update_event},
    {688, "DeleteRawModifiedDetails", delete_raw}, {691, "DeleteAtTimeDetails", delete_at_time},
    {694, "DeleteEventDetails", delete_event}, {724, "DataChangeFilter", data_change_filter},
    {727, "EventFilter", event_filter}, {730, "AggregateFilter", aggregate_filter},
    {811, "DataChangeNotification", data_change}, {820, "StatusChangeNotification", status_change},
    {864, "ServerStatusDataType", server_status}, {916, "EventNotificationList", event_list},
    {940, "IssuedIdentityToken", issued_token}, {11227, "HistoryModifiedData", history_modified},
    {11300, "UpdateStructureDataDetails", update_data},
};

const struct ua_ext *ua_ext_find(const struct ua_node *type)
{
    for (unsigned i = 0; i < ARRAY_LEN(exts); i++)
        if (ua_node_is(type, exts[i].id))
            return &exts[i];
    return NULL;
}

static const struct ua_row *const bodies[] = {
#define UA_SERVICE(fn, name, action, flags, body) body,
#define UA_METHOD(node, name, action) call_req,
#include "dissectors/opcua_services.def"
#undef UA_SERVICE
#undef UA_METHOD
};

const struct ua_row *ua_body(const struct op_row *op)
{
    size_t i = (size_t)(op - opcua_schema.ops);
    return i < ARRAY_LEN(bodies) ? bodies[i] : no_body;
}
