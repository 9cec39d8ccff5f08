/* bacnet_schema.c: BACnet as tables: services, fields, kinds of objects, anomalies. */
#include <stdio.h>

#include "dissectors/bacnet_priv.h"

#define ANY OP_ANY_SELECTOR
#define ROW(fn, sel, name, action, flags) {fn, sel, name, action, flags, 0, 0, 0, 0}

/* clang-format off */
/* Confirmed services, but those whose act a selector decides (clause 21, BACnetConfirmedServiceChoice). */
#define TO_14(R, t, f) \
    R(t, 0, "acknowledge_alarm", ACT_ALARM, f) R(t, 1, "confirmed_cov_notification", ACT_REPORT, f) \
    R(t, 2, "confirmed_event_notification", ACT_REPORT, f) R(t, 3, "get_alarm_summary", ACT_READ, f) \
    R(t, 4, "get_enrollment_summary", ACT_READ, f) R(t, 5, "subscribe_cov", ACT_REPORT, f) \
    R(t, 6, "atomic_read_file", ACT_FILE, f) R(t, 7, "atomic_write_file", ACT_FILE, f) \
    R(t, 8, "add_list_element", ACT_CONFIGURE, f) R(t, 9, "remove_list_element", ACT_CONFIGURE, f) \
    R(t, 10, "create_object", ACT_CONFIGURE, f) R(t, 11, "delete_object", ACT_CONFIGURE, f) \
    R(t, 12, "read_property", ACT_READ, f) R(t, 13, "read_property_conditional", ACT_READ, (f) | OP_OBSOLETE) \
    R(t, 14, "read_property_multiple", ACT_READ, f)
#define TO_34(R, t, f) \
    R(t, 21, "vt_open", ACT_SESSION, f) R(t, 22, "vt_close", ACT_SESSION, f) R(t, 23, "vt_data", ACT_OTHER, f) \
    R(t, 24, "authenticate", ACT_AUTHENTICATE, (f) | OP_OBSOLETE) \
    R(t, 25, "request_key", ACT_AUTHENTICATE, (f) | OP_OBSOLETE) R(t, 26, "read_range", ACT_READ, f) \
    R(t, 27, "life_safety_operation", ACT_CONTROL, f) R(t, 28, "subscribe_cov_property", ACT_REPORT, f) \
    R(t, 29, "get_event_information", ACT_READ, f) R(t, 30, "subscribe_cov_property_multiple", ACT_REPORT, f) \
    R(t, 31, "confirmed_cov_notification_multiple", ACT_REPORT, f) \
    R(t, 32, "confirmed_audit_notification", ACT_REPORT, f) R(t, 33, "audit_log_query", ACT_READ, f) \
    R(t, 34, "auth_request", ACT_AUTHENTICATE, f)
#define CONFIRMED(t, service, name, action, flags) ROW(BN_FN(t, service), ANY, name, action, flags),
/* An answer whose request was not seen does not say what was written. */
#define ANSWERS(t) \
    TO_14(CONFIRMED, t, OP_ANSWER) \
    CONFIRMED(t, 15, "write_property", ACT_WRITE, OP_ANSWER) \
    CONFIRMED(t, 16, "write_property_multiple", ACT_WRITE, OP_ANSWER) \
    CONFIRMED(t, 17, "device_communication_control", ACT_MODE, OP_ANSWER) \
    CONFIRMED(t, 18, "confirmed_private_transfer", ACT_OTHER, OP_ANSWER) \
    CONFIRMED(t, 19, "confirmed_text_message", ACT_OTHER, OP_ANSWER) \
    CONFIRMED(t, 20, "reinitialize_device", ACT_RESET, OP_ANSWER) \
    TO_34(CONFIRMED, t, OP_ANSWER)
#define WRITES(service, name) \
    ROW(BN_FN(0, service), ACT_WRITE, name, ACT_WRITE, 0), ROW(BN_FN(0, service), ACT_CONTROL, name, ACT_CONTROL, 0), \
    ROW(BN_FN(0, service), ACT_FORCE, name, ACT_FORCE, 0), \
    ROW(BN_FN(0, service), ACT_CONFIGURE, name, ACT_CONFIGURE, 0), \
    ROW(BN_FN(0, service), ACT_DOWNLOAD, name, ACT_DOWNLOAD, 0), \
    ROW(BN_FN(0, service), ACT_START, name, ACT_START, 0), ROW(BN_FN(0, service), ACT_STOP, name, ACT_STOP, 0), \
    ROW(BN_FN(0, service), ACT_TIME, name, ACT_TIME, 0), ROW(BN_FN(0, service), ACT_FILE, name, ACT_FILE, 0), \
    ROW(BN_FN(0, service), ANY, name, ACT_WRITE, 0),
#define TOLD(service, name, action) ROW(BN_FN(1, service), ANY, name, action, OP_NO_ANSWER)

static const struct op_row ops[] = {
    TO_14(CONFIRMED, 0, 0)
    WRITES(15, "write_property")
    WRITES(16, "write_property_multiple")
    ROW(BN_FN(0, 17), 0, "device_communication_control_enable", ACT_MODE, 0),
    ROW(BN_FN(0, 17), 1, "device_communication_control_disable", ACT_MODE, 0),
    ROW(BN_FN(0, 17), 2, "device_communication_control_disable_initiation", ACT_MODE, 0),
    ROW(BN_FN(0, 17), ANY, "device_communication_control", ACT_MODE, 0),
    ROW(BN_FN(0, 18), ANY, "confirmed_private_transfer", ACT_OTHER, 0),
    ROW(BN_FN(0, 19), ANY, "confirmed_text_message", ACT_OTHER, 0),
    ROW(BN_FN(0, 20), 0, "reinitialize_device_coldstart", ACT_RESET, 0),
    ROW(BN_FN(0, 20), 1, "reinitialize_device_warmstart", ACT_RESET, 0),
    ROW(BN_FN(0, 20), 2, "reinitialize_device_start_backup", ACT_UPLOAD, 0),
    ROW(BN_FN(0, 20), 3, "reinitialize_device_end_backup", ACT_UPLOAD, 0),
    ROW(BN_FN(0, 20), 4, "reinitialize_device_start_restore", ACT_DOWNLOAD, 0),
    ROW(BN_FN(0, 20), 5, "reinitialize_device_end_restore", ACT_DOWNLOAD, 0),
    ROW(BN_FN(0, 20), 6, "reinitialize_device_abort_restore", ACT_DOWNLOAD, 0),
    ROW(BN_FN(0, 20), 7, "reinitialize_device_activate_changes", ACT_CONFIGURE, 0),
    ROW(BN_FN(0, 20), ANY, "reinitialize_device", ACT_RESET, 0),
    TO_34(CONFIRMED, 0, 0)
    TOLD(0, "i_am", ACT_BROWSE), TOLD(1, "i_have", ACT_BROWSE), TOLD(2, "unconfirmed_cov_notification", ACT_REPORT),
    TOLD(3, "unconfirmed_event_notification", ACT_REPORT), TOLD(4, "unconfirmed_private_transfer", ACT_OTHER),
    TOLD(5, "unconfirmed_text_message", ACT_OTHER), TOLD(6, "time_synchronization", ACT_TIME),
    TOLD(7, "who_has", ACT_BROWSE), TOLD(8, "who_is", ACT_BROWSE), TOLD(9, "utc_time_synchronization", ACT_TIME),
    TOLD(10, "write_group", ACT_CONTROL), TOLD(11, "unconfirmed_cov_notification_multiple", ACT_REPORT),
    TOLD(12, "unconfirmed_audit_notification", ACT_REPORT), TOLD(13, "who_am_i", ACT_BROWSE),
    TOLD(14, "you_are", ACT_CONFIGURE),
    ANSWERS(2)
    ANSWERS(3)
    ROW(BN_FN(4, 0), ANY, "segment_ack", ACT_SESSION, OP_ANSWER),
    ANSWERS(5)
    ROW(BN_FN(6, 0), ANY, "reject", ACT_OTHER, OP_ANSWER),
    ROW(BN_FN(7, 0), ANY, "abort", ACT_OTHER, OP_ANSWER),
    ROW(BN_FN_BVLC + 0, ANY, "bvlc_result", ACT_SESSION, OP_ANSWER),
    ROW(BN_FN_BVLC + 1, ANY, "write_broadcast_distribution_table", ACT_CONFIGURE, 0),
    ROW(BN_FN_BVLC + 2, ANY, "read_broadcast_distribution_table", ACT_READ, 0),
    ROW(BN_FN_BVLC + 3, ANY, "read_broadcast_distribution_table_ack", ACT_READ, OP_ANSWER),
    ROW(BN_FN_BVLC + 5, ANY, "register_foreign_device", ACT_SESSION, 0),
    ROW(BN_FN_BVLC + 6, ANY, "read_foreign_device_table", ACT_READ, 0),
    ROW(BN_FN_BVLC + 7, ANY, "read_foreign_device_table_ack", ACT_READ, OP_ANSWER),
    ROW(BN_FN_BVLC + 8, ANY, "delete_foreign_device_table_entry", ACT_CONFIGURE, 0),
    ROW(BN_FN_BVLC + 12, ANY, "secure_bvll", ACT_OTHER, OP_NO_ANSWER),
    ROW(BN_FN_BVLC6 + 0, ANY, "bvlc_result", ACT_SESSION, OP_ANSWER),
    ROW(BN_FN_BVLC6 + 3, ANY, "address_resolution", ACT_SESSION, OP_NO_ANSWER),
    ROW(BN_FN_BVLC6 + 4, ANY, "forwarded_address_resolution", ACT_SESSION, OP_NO_ANSWER),
    ROW(BN_FN_BVLC6 + 5, ANY, "address_resolution_ack", ACT_SESSION, OP_ANSWER),
    ROW(BN_FN_BVLC6 + 6, ANY, "virtual_address_resolution", ACT_SESSION, OP_NO_ANSWER),
    ROW(BN_FN_BVLC6 + 7, ANY, "virtual_address_resolution_ack", ACT_SESSION, OP_ANSWER),
    ROW(BN_FN_BVLC6 + 9, ANY, "register_foreign_device", ACT_SESSION, 0),
    ROW(BN_FN_BVLC6 + 10, ANY, "delete_foreign_device_table_entry", ACT_CONFIGURE, 0),
    ROW(BN_FN_BVLC6 + 11, ANY, "secure_bvll", ACT_OTHER, OP_NO_ANSWER),
    ROW(BN_FN_NETWORK + 0, ANY, "who_is_router_to_network", ACT_BROWSE, OP_NO_ANSWER),
    ROW(BN_FN_NETWORK + 1, ANY, "i_am_router_to_network", ACT_BROWSE, OP_NO_ANSWER),
    ROW(BN_FN_NETWORK + 2, ANY, "i_could_be_router_to_network", ACT_BROWSE, OP_NO_ANSWER),
    ROW(BN_FN_NETWORK + 3, ANY, "reject_message_to_network", ACT_REPORT, OP_NO_ANSWER),
    ROW(BN_FN_NETWORK + 4, ANY, "router_busy_to_network", ACT_REPORT, OP_NO_ANSWER),
    ROW(BN_FN_NETWORK + 5, ANY, "router_available_to_network", ACT_REPORT, OP_NO_ANSWER),
    ROW(BN_FN_NETWORK + 6, ANY, "initialize_routing_table", ACT_CONFIGURE, 0),
    ROW(BN_FN_NETWORK + 7, ANY, "initialize_routing_table_ack", ACT_CONFIGURE, OP_ANSWER),
    ROW(BN_FN_NETWORK + 8, ANY, "establish_connection_to_network", ACT_SESSION, OP_NO_ANSWER),
    ROW(BN_FN_NETWORK + 9, ANY, "disconnect_connection_to_network", ACT_SESSION, OP_NO_ANSWER),
    ROW(BN_FN_NETWORK + 10, ANY, "challenge_request", ACT_AUTHENTICATE, OP_NO_ANSWER),
    ROW(BN_FN_NETWORK + 11, ANY, "security_payload", ACT_OTHER, OP_NO_ANSWER),
    ROW(BN_FN_NETWORK + 12, ANY, "security_response", ACT_AUTHENTICATE, OP_NO_ANSWER),
    ROW(BN_FN_NETWORK + 13, ANY, "request_key_update", ACT_AUTHENTICATE, OP_NO_ANSWER),
    ROW(BN_FN_NETWORK + 14, ANY, "update_key_set", ACT_AUTHENTICATE, OP_NO_ANSWER),
    ROW(BN_FN_NETWORK + 15, ANY, "update_distribution_key", ACT_AUTHENTICATE, OP_NO_ANSWER),
    ROW(BN_FN_NETWORK + 16, ANY, "request_master_key", ACT_AUTHENTICATE, OP_NO_ANSWER),
    ROW(BN_FN_NETWORK + 17, ANY, "set_master_key", ACT_AUTHENTICATE, OP_NO_ANSWER),
    ROW(BN_FN_NETWORK + 18, ANY, "what_is_network_number", ACT_BROWSE, OP_NO_ANSWER),
    ROW(BN_FN_NETWORK + 19, ANY, "network_number_is", ACT_BROWSE, OP_NO_ANSWER),
};

static const struct code_name priorities[] = {{0, "normal"}, {1, "urgent"}, {2, "critical_equipment"},
    {3, "life_safety"}, {0, NULL}};
static const struct code_name bvlcs[] = {
    {0x0, "bvlc_result"}, {0x1, "write_broadcast_distribution_table"}, {0x2, "read_broadcast_distribution_table"},
    {0x3, "read_broadcast_distribution_table_ack"}, {0x4, "forwarded_npdu"}, {0x5, "register_foreign_device"},
    {0x6, "read_foreign_device_table"}, {0x7, "read_foreign_device_table_ack"},
    {0x8, "delete_foreign_device_table_entry"}, {0x9, "distribute_broadcast_to_network"},
    {0xa, "original_unicast_npdu"}, {0xb, "original_broadcast_npdu"}, {0xc, "secure_bvll"},
    {0x100, "bvlc_result"}, {0x101, "original_unicast_npdu"}, {0x102, "original_broadcast_npdu"},
    {0x103, "address_resolution"}, {0x104, "forwarded_address_resolution"}, {0x105, "address_resolution_ack"},
    {0x106, "virtual_address_resolution"}, {0x107, "virtual_address_resolution_ack"}, {0x108, "forwarded_npdu"},
    {0x109, "register_foreign_device"}, {0x10a, "delete_foreign_device_table_entry"}, {0x10b, "secure_bvll"},
    {0x10c, "distribute_broadcast_to_network"}, {0, NULL},
};
static const struct code_name network_reasons[] = {
    {0, "other"}, {1, "not_directly_connected"}, {2, "busy"}, {3, "unknown_message_type"}, {4, "message_too_long"},
    {5, "security_error"}, {6, "addressing_error"}, {0, NULL},
};
static const struct code_name segmentations[] = {{0, "both"}, {1, "transmit"}, {2, "receive"}, {3, "none"}, {0, NULL}};
static const struct code_name notify_types[] = {{0, "alarm"}, {1, "event"}, {2, "ack_notification"}, {0, NULL}};
static const struct code_name states[] = {{0, "normal"}, {1, "fault"}, {2, "offnormal"}, {3, "high_limit"},
    {4, "low_limit"}, {5, "life_safety_alarm"}, {0, NULL}};
static const struct code_name communications[] = {{0, "enable"}, {1, "disable"}, {2, "disable_initiation"}, {0, NULL}};
static const struct code_name reinits[] = {{0, "coldstart"}, {1, "warmstart"}, {2, "start_backup"}, {3, "end_backup"},
    {4, "start_restore"}, {5, "end_restore"}, {6, "abort_restore"}, {7, "activate_changes"}, {0, NULL}};
static const struct code_name ranges[] = {{3, "position"}, {4, "time"}, {5, "time"}, {6, "sequence_number"},
    {7, "time"}, {0, NULL}};
static const struct code_name operations[] = {{0, "none"}, {1, "silence"}, {2, "silence_audible"},
    {3, "silence_visual"}, {4, "reset"}, {5, "reset_alarm"}, {6, "reset_fault"}, {7, "unsilence"},
    {8, "unsilence_audible"}, {9, "unsilence_visual"}, {0, NULL}};

#define F(type, key, doc) {key, type, false, NULL, NULL, doc}
#define FA(type, key, doc) {key, type, true, NULL, NULL, doc}
#define FN(names, key, doc) {key, FT_NAME, false, NULL, names, doc}
static const struct field_def fields[] = {
    [BF_INVOKE_ID] = F(FT_UINT, "invoke_id", "invoke id of a confirmed request"),
    [BF_SOURCE] = F(FT_TEXT, "source", "sender behind a router: its network and MAC there (SNET, SADR)"),
    [BF_DESTINATION] = F(FT_TEXT, "destination", "network and MAC behind a router (DNET, DADR); * is a broadcast"),
    [BF_HOP_COUNT] = F(FT_UINT, "hop_count", "routers that the message may still pass"),
    [BF_PRIORITY] = FN(priorities, "network_priority", "priority of the network layer, where it is not normal"),
    [BF_FORWARDED_FROM] = F(FT_TEXT, "forwarded_from", "address of the device whose broadcast a BBMD forwarded"),
    [BF_BVLC] = FN(bvlcs, "bvlc", "function of the virtual link layer"),
    [BF_BROADCAST] = F(FT_BOOL, "broadcast", "to all devices of a network, or of all networks"),
    [BF_NET_MESSAGE] = F(FT_UINT, "network_message", "type of a network layer message"),
    [BF_VENDOR_ID] = F(FT_UINT, "vendor_id", "vendor identifier assigned by ASHRAE"),
    [BF_VENDOR] = F(FT_TEXT, "vendor", "vendor by that identifier"),
    [BF_TTL] = F(FT_UINT, "ttl_s", "time to live of a foreign device registration"),
    [BF_BDT] = FA(FT_TEXT, "distribution_table", "entries of the broadcast distribution table"),
    [BF_FDT] = FA(FT_TEXT, "foreign_devices", "entries of the foreign device table"),
    [BF_FOREIGN] = F(FT_TEXT, "foreign_device", "entry to be deleted"),
    [BF_NETWORK_REASON] = FN(network_reasons, "network_reject_reason", "why a message was not routed"),
    [BF_NETWORK_FLAGGED] = F(FT_BOOL, "configured", "the network number was configured, not learned"),
    [BF_PERFORMANCE] = F(FT_UINT, "performance", "performance index or termination time of a connection"),
    [BF_PORT_ID] = FA(FT_UINT, "ports", "port ids of a routing table; 0 removes the entry"),
    [BF_VMAC] = F(FT_BYTES, "vmac", "virtual MAC of the sender (IPv6)"),
    [BF_MAX_APDU] = F(FT_UINT, "max_apdu", "longest application PDU that the sender takes"),
    [BF_MAX_SEGMENTS] = F(FT_UINT, "max_segments", "segments that the sender takes; 65: more than 64"),
    [BF_SEGMENTED] = F(FT_BOOL, "segmented", "request or answer came in segments"),
    [BF_SEGMENTATION] = FN(segmentations, "segmentation", "directions in which the device can segment"),
    [BF_WINDOW] = F(FT_UINT, "window", "proposed window of segments"),
    [BF_SEQUENCE] = F(FT_UINT, "sequence", "sequence number that a segment ack confirms"),
    [BF_NEGATIVE_ACK] = F(FT_BOOL, "negative_ack", "a segment was out of order"),
    [BF_ERROR_CLASS] = FN(bn_error_classes, "error_class", "class of the error"),
    [BF_ERROR_CODE] = FN(bn_error_codes, "error_code", "code of the error"),
    [BF_FIRST_FAILED] = F(FT_TEXT, "first_failed", "element or property at which a multiple service failed"),
    [BF_INSTANCE] = F(FT_UINT, "device_instance", "instance of the Device object"),
    [BF_WRITE_PRIORITY] = FA(FT_UINT, "write_priority", "priorities of writes: 1 life safety to 16 lowest"),
    [BF_PROCESS_ID] = F(FT_UINT, "process_id", "process of the subscriber or acknowledger"),
    [BF_CONFIRMED] = F(FT_BOOL, "confirmed", "notifications are to be confirmed; missing: subscription is cancelled"),
    [BF_LIFETIME] = F(FT_UINT, "lifetime_s", "lifetime of a subscription; 0 for ever"),
    [BF_COV_INCREMENT] = F(FT_DOUBLE, "cov_increment", "change that is told"),
    [BF_TIME_REMAINING] = F(FT_UINT, "time_remaining_s", "lifetime that a subscription still has"),
    [BF_INITIATING] = F(FT_TEXT, "initiating_device", "device that a notification or text message is from"),
    [BF_TIMESTAMP] = F(FT_TEXT, "timestamp", "time or number of the event; * is any"),
    [BF_NOTIFICATION_CLASS] = F(FT_UINT, "notification_class", "class of the event"),
    [BF_EVENT_PRIORITY] = F(FT_UINT, "event_priority", "priority of an event or text message"),
    [BF_EVENT_TYPE] = FN(bn_event_types, "event_type", "algorithm that found the event"),
    [BF_NOTIFY_TYPE] = FN(notify_types, "notify_type", "alarm, event or acknowledgement"),
    [BF_ACK_REQUIRED] = F(FT_BOOL, "ack_required", "the event is to be acknowledged by a person"),
    [BF_FROM_STATE] = FN(states, "from_state", "event state before"),
    [BF_TO_STATE] = FN(states, "to_state", "event state now"),
    [BF_MESSAGE] = F(FT_TEXT, "message", "text of an event or text message"),
    [BF_ACK_SOURCE] = F(FT_TEXT, "operator", "who acknowledges or operates, as told"),
    [BF_STATE_ACKED] = FN(states, "state_acknowledged", "event state that is acknowledged"),
    [BF_DURATION] = F(FT_UINT, "duration_min", "minutes for which communication is controlled; missing: for ever"),
    [BF_COMM_STATE] = FN(communications, "communication", "what a device may still say"),
    [BF_REINIT] = FN(reinits, "reinitialize", "state that a device is brought to"),
    [BF_PASSWORD] = F(FT_BOOL, "password", "a password was sent, in the clear; it is not kept"),
    [BF_TIME] = F(FT_TEXT, "time", "time that is set, or from which a range is read"),
    [BF_START] = F(FT_INT, "start", "first position, record or sequence number"),
    [BF_COUNT] = F(FT_INT, "count", "bytes, records or items"),
    [BF_LENGTH] = F(FT_UINT, "length", "bytes of file data"),
    [BF_EOF] = F(FT_BOOL, "end_of_file", "the end of the file was reached"),
    [BF_RANGE_BY] = FN(ranges, "range_by", "what the range is counted by"),
    [BF_RESULT_FLAGS] = F(FT_HEX, "result_flags", "bit 2 first item, 1 last item, 0 more items"),
    [BF_SERVICE_NUMBER] = F(FT_UINT, "service_number", "number of a vendor's own service"),
    [BF_MESSAGE_CLASS] = F(FT_UINT, "message_class", "class of a text message"),
    [BF_VT_SESSION] = F(FT_UINT, "vt_session", "session of a virtual terminal"),
    [BF_OPERATION] = FN(operations, "operation", "life safety operation"),
    [BF_OBJECT_NAME] = F(FT_TEXT, "object_name", "name of an object that is looked for or offered"),
    [BF_MODEL] = F(FT_TEXT, "model", "model name of a device without an identifier"),
    [BF_SERIAL] = F(FT_TEXT, "serial_number", "serial number of a device without an identifier"),
    [BF_GROUP] = F(FT_UINT, "group", "group number of a write to channels"),
    [BF_DATA] = F(FT_BYTES, "data", "contents that are not taken apart"),
    [BF_MAC] = F(FT_BYTES, "mac", "MAC that a device is given"),
};

static const struct kind_def kinds[BK_COUNT] = {
    [BK_PROPERTY] = {"property", KIND_NAME}, [BK_OBJECT] = {"object", KIND_NAME}, [BK_DEVICE] = {"device", KIND_RANGE},
    [BK_NETWORK] = {"network", KIND_RANGE}, [BK_VT] = {"vt_session", KIND_RANGE},
};

static const struct anomaly_def anomalies[] = {
    [BA_BVLC_LENGTH] = {"bvlc_length", 2, "the BVLC length is not that of the datagram, or of the function; J.2"},
    [BA_BVLC_FUNCTION] = {"bvlc_function_unknown", 2, "BVLC function that is not assigned; J.2"},
    [BA_NPDU_VERSION] = {"npdu_version", 2, "protocol version other than 1; 6.2.1"},
    [BA_NPDU_RESERVED] = {"npdu_reserved_bits", 1, "bits 4 or 6 of the control octet are set; 6.2.2"},
    [BA_NPDU_ADDRESS] = {"npdu_destination_invalid", 2, "destination network 0; 6.2.2"},
    [BA_HOP_COUNT_ZERO] = {"hop_count_zero", 1, "hop count 0: it should have been thrown away; 6.2.3"},
    [BA_NET_MESSAGE] = {"network_message_reserved", 2, "network layer message type that is reserved; 6.2.4"},
    [BA_SHORT] = {"message_too_short", 2, "ends before its header does; 6.2, 20.1"},
    [BA_PDU_TYPE] = {"pdu_type_reserved", 2, "PDU type above 7; 20.1"},
    [BA_RESERVED_BITS] = {"apdu_reserved_bits", 1, "bits of the APDU header that must be 0; 20.1.2 to 20.1.9"},
    [BA_SERVICE] = {"service_unknown", 2, "service choice that is not assigned; 21"},
    [BA_TAGS] = {"parameters_invalid", 2,
        "the parameters are not those of the service, or the tags are broken; 20.2, 21"},
    [BA_TRAILING] = {"bytes_behind_message", 1, "bytes behind the last parameter; 20.1"},
    [BA_SEGMENT_LOST] = {"segment_lost", 1, "a segment is missing: the message was not read; 5.4"},
    [BA_SERVICE_MISMATCH] = {"answer_to_other_service", 2, "the answer is to another service than was asked; 5.4"},
    [BA_BROADCAST_CONFIRMED] = {"confirmed_request_broadcast", 2, "a confirmed request to more than one; 5.1"},
    [BA_PRIORITY] = {"write_priority_invalid", 2, "write priority outside 1 to 16; 19.2.1"},
    [BA_PASSWORD] = {"password_in_clear", 0, "a password for a device was sent in the clear; 16.1, 16.4"},
    [BA_OBSOLETE] = {"obsolete_service", 1, "a service that was removed from the standard; 21"},
    [BA_VALUE] = {"parameter_out_of_range", 2, "device range or identifier that is not permitted; 16.10"},
    [BA_ROUTE_SOURCE] = {"npdu_source_invalid", 2, "a source that is no single device; 6.2.2"},
    [BA_ABORT_UNASKED] = {"abort_without_request", 0, "an abort of nothing that was seen; 5.4", true},
};
/* clang-format on */

/* The notation of the application layer is "type:service"; segment ack, reject and abort have no service. */
static void fn_text(uint32_t fn, char *out)
{
    static const char *const layers[] = {"", "bvlc", "bvlc6", "npdu"};
    unsigned layer = fn >> 16, type = fn >> 8 & 0xff;
    if (layer > 0 && layer < ARRAY_LEN(layers))
        snprintf(out, FN_TEXT, "%s:%u", layers[layer], fn & 0xff);
    else if (type == BN_SEGMENT_ACK || type == BN_REJECT_PDU || type == BN_ABORT_PDU)
        snprintf(out, FN_TEXT, "%u", type);
    else
        snprintf(out, FN_TEXT, "%u:%u", type, fn & 0xff);
}

/* sub: network, bit 16 a MAC of several bytes, bit 17 an IP address. */
static void unit_text(uint32_t unit, uint32_t sub, char *out)
{
    unsigned net = sub & 0xffff;
    if (sub >> 17 & 1)
        snprintf(out, FN_TEXT, "%u:%u.%u.%u.%u", net, unit >> 24, unit >> 16 & 255, unit >> 8 & 255, unit & 255);
    else
        snprintf(out, FN_TEXT, sub >> 16 & 1 ? "%u:0x%x" : "%u:%u", net, unit);
}

const struct proto_schema bacnet_schema = {
    .name = "bacnet",
    .title = "BACnet/IP",
    .spec = "ANSI/ASHRAE 135-2020",
    .ops = ops,
    .n_ops = ARRAY_LEN(ops),
    .fields = fields,
    .n_fields = BF_N,
    .kinds = kinds,
    .n_kinds = BK_COUNT,
    .anomalies = anomalies,
    .n_anomalies = BA_N,
    .statuses = bn_statuses,
    .qualities = (const char *const[]){"in_alarm", "fault", "overridden", "out_of_service", NULL},
    .fn_text = fn_text,
    .unit_is = "station",
    .addr_is = {"device_instance", "device_instance"},
    .unit_text = unit_text,
};
_Static_assert(ARRAY_LEN(fields) == BF_N && ARRAY_LEN(anomalies) == BA_N, "tables are complete");
