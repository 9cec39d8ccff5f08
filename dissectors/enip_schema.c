/* enip_schema.c: the tables of EtherNet/IP encapsulation and of class 0/1 I/O: commands, fields, anomalies by name. */
#include "dissectors/enip_int.h"

#define ANY OP_ANY_SELECTOR

/* CIP Vol 2, table 2-3.2. */
static const struct op_row enip_ops[] = {
    /* clang-format off */
    {0x00, ANY, "nop",                ACT_OTHER,   OP_NO_ANSWER, 0, 0, 0, 0},
    {0x04, ANY, "list_services",      ACT_BROWSE,  0,            0, 0, 2, 0},
    {0x63, ANY, "list_identity",      ACT_BROWSE,  0,            0, 0, 2, 0},
    {0x64, ANY, "list_interfaces",    ACT_BROWSE,  0,            0, 0, 2, 0},
    {0x65, ANY, "register_session",   ACT_SESSION, 0,            4, 4, 4, 4},
    {0x66, ANY, "unregister_session", ACT_SESSION, OP_NO_ANSWER, 0, 0, 0, 0},
    {0x6f, ANY, "send_rr_data",       ACT_OTHER,   0,            6, 0, 6, 0},
    {0x70, ANY, "send_unit_data",     ACT_OTHER,   OP_NO_ANSWER, 6, 0, 6, 0},
    {0x72, ANY, "indicate_status",    ACT_OTHER,   OP_OBSOLETE,  0, 0, 0, 0},
    {0x73, ANY, "cancel",             ACT_OTHER,   OP_OBSOLETE,  0, 0, 0, 0},
    {0xc8, ANY, "start_dtls",         ACT_SESSION, 0,            0, 0, 0, 0},
    /* clang-format on */
};

const struct op_row *enip_command(uint32_t command)
{
    static const uint8_t row[] = {[0x00] = 1, [0x04] = 2, [0x63] = 3, [0x64] = 4,  [0x65] = 5, [0x66] = 6,
                                  [0x6f] = 7, [0x70] = 8, [0x72] = 9, [0x73] = 10, [0xc8] = 11};
    return command < ARRAY_LEN(row) && row[command] ? &enip_ops[row[command] - 1] : NULL;
}

/* Vol 2, table 2-3.3. */
static const struct code_name enip_statuses[] = {
    {0x00, "success"}, {0x01, "invalid_command"}, {0x02, "no_memory"}, {0x03, "incorrect_data"},
    {0x64, "invalid_session_handle"}, {0x65, "invalid_length"}, {0x69, "unsupported_protocol_revision"},
    {0x6a, "service_not_allowed_on_this_port"}, {0, NULL},
};

/* Vol 2, table 2-6.3. */
static const struct code_name item_types[] = {
    {0x0000, "null_address"}, {0x000c, "list_identity"}, {0x0086, "cip_security"}, {0x0087, "capability"},
    {0x0088, "usage"}, {0x00a1, "connected_address"}, {0x00b1, "connected_data"}, {0x00b2, "unconnected_data"},
    {0x0100, "list_services"}, {0x8000, "sockaddr_o2t"}, {0x8001, "sockaddr_t2o"}, {0x8002, "sequenced_address"},
    {0x8003, "unconnected_message_dtls"}, {0, NULL},
};

static const struct code_name device_states[] = {
    {0, "nonexistent"}, {1, "self_testing"}, {2, "standby"}, {3, "operational"}, {4, "major_recoverable_fault"},
    {5, "major_unrecoverable_fault"}, {0xff, "default"}, {0, NULL},
};

static const struct field_def enip_fields[EF_N] = {
    /* clang-format off */
    [EF_SESSION]       = {"session",          FT_HEX,   false, NULL, NULL, "session handle"},
    [EF_CONTEXT]       = {"sender_context",   FT_BYTES, false, NULL, NULL,
        "sender context: the client's own number of a request"},
    [EF_OPTIONS]       = {"options",          FT_HEX,   false, NULL, NULL, "options, where not 0 as the standard asks"},
    [EF_PROTO_VERSION] = {"protocol_version", FT_UINT,  false, NULL, NULL, "encapsulation protocol version"},
    [EF_OPTION_FLAGS]  = {"option_flags",     FT_HEX,   false, NULL, NULL, "option flags of register_session"},
    [EF_INTERFACE]     = {"interface",        FT_HEX,   false, NULL, NULL, "interface handle, where not CIP (0)"},
    [EF_TIMEOUT]       = {"timeout_s",        FT_UINT,  false, NULL, NULL,
        "time-out of the encapsulation layer in seconds"},
    [EF_ITEMS]         = {"items",            FT_NAME,  true,  NULL, item_types, "common packet format items"},
    [EF_CONN_ID]       = {"connection_id",    FT_HEX,   false, NULL, NULL, "connection of connected data"},
    [EF_SEQ]           = {"sequence",         FT_UINT,  false, NULL, NULL, "sequence count of connected data"},
    [EF_CAPS]          = {"capabilities",     FT_HEX,   false, NULL, NULL,
        "list_services: 0x20 CIP over TCP, 0x100 class 0/1 over UDP"},
    [EF_SERVICE_NAME]  = {"service_name",     FT_TEXT,  true,  NULL, NULL, "list_services: name of the service"},
    [EF_VENDOR]        = {"vendor",           FT_NAME,  false, NULL, enip_vendors, "list_identity: vendor"},
    [EF_DEVICE_TYPE]   = {"device_type",      FT_NAME,  false, NULL, enip_device_types,
        "list_identity: device profile"},
    [EF_PRODUCT_CODE]  = {"product_code",     FT_UINT,  false, NULL, NULL, "list_identity: product code"},
    [EF_REVISION]      = {"revision",         FT_TEXT,  false, NULL, NULL, "list_identity: revision"},
    [EF_STATUS_WORD]   = {"status_word",      FT_HEX,   false, NULL, NULL, "list_identity: device status"},
    [EF_SERIAL]        = {"serial",           FT_HEX,   false, NULL, NULL, "list_identity: serial number"},
    [EF_PRODUCT_NAME]  = {"product_name",     FT_TEXT,  false, NULL, NULL, "list_identity: product name"},
    [EF_STATE]         = {"state",            FT_NAME,  false, NULL, device_states, "list_identity: device state"},
    [EF_SOCK_IP]       = {"socket_ip",        FT_IPV4,  false, NULL, NULL,
        "list_identity: the device's address as it says itself"},
    [EF_SOCK_PORT]     = {"socket_port",      FT_UINT,  false, NULL, NULL,
        "list_identity: the device's port as it says itself"},
    [EF_SOCK_O2T]      = {"o2t_socket",       FT_TEXT,  false, NULL, NULL,
        "address and port for originator to target data"},
    [EF_SOCK_T2O]      = {"t2o_socket",       FT_TEXT,  false, NULL, NULL,
        "address and port for target to originator data"},
    [EF_CIP]           = {"cip_service",      FT_UINT,  false, NULL, NULL,
        "service of the CIP request that is carried"},
    /* clang-format on */
};

static const struct anomaly_def enip_anomalies[EA_N] = {
    /* clang-format off */
    [EA_SHORT]            = {"short_header", 2, "fewer bytes than the 24 of the encapsulation header (Vol 2, 2-3.1)"},
    [EA_LENGTH]           = {"bad_length", 2,
        "the length field does not fit the datagram or the command (Vol 2, 2-3.4)"},
    [EA_UNKNOWN_COMMAND]  = {"unknown_command", 2,
        "a command that the standard does not define or reserves (Vol 2, table 2-3.2)"},
    [EA_REQUEST_STATUS]   = {"status_in_request", 1, "the status of a request is not 0 (Vol 2, 2-3.5)"},
    [EA_OPTIONS]          = {"options_not_zero", 1,
        "options are not 0: a receiver shall discard the packet (Vol 2, 2-3.7)"},
    [EA_NO_SESSION]       = {"no_session", 2, "data is sent with session handle 0 (Vol 2, 2-3.6)"},
    [EA_SESSION_MISMATCH] = {"session_mismatch", 2,
        "the session handle is not the one registered on this connection (Vol 2, 2-3.6)"},
    [EA_CPF_COUNT]        = {"cpf_item_count", 2,
        "fewer items than announced, or more than there may be (Vol 2, 2-6.1)"},
    [EA_CPF_ITEM]         = {"cpf_item_length", 2,
        "an item is longer than the packet, or shorter than its type asks (Vol 2, 2-6.2)"},
    [EA_CPF_TRAILING]     = {"cpf_trailing_bytes", 1, "bytes follow the last item (Vol 2, 2-6.1)"},
    [EA_BAD_STATUS]       = {"unknown_status", 1, "a status that the standard does not define (Vol 2, table 2-3.3)"},
    [EA_VERSION]          = {"protocol_version", 1, "an encapsulation version other than 1 (Vol 2, 2-4.4)"},
    [EA_INTERFACE]        = {"interface_not_cip", 1, "an interface handle other than CIP's 0 (Vol 2, 2-4.7)"},
    [EA_REGISTERED_TWICE] = {"registered_twice", 1,
        "a second session is asked for on a connection that has one (Vol 2, 2-4.4)"},
    /* clang-format on */
};

const struct proto_schema enip_schema = {
    .name = "enip", .title = "EtherNet/IP", .spec = "ODVA, The CIP Networks Library, Volume 2",
    .fn_max = 65535, .ops = enip_ops, .n_ops = ARRAY_LEN(enip_ops), .fields = enip_fields, .n_fields = EF_N,
    .anomalies = enip_anomalies, .n_anomalies = EA_N, .statuses = enip_statuses,
};

/* ---- class 0/1 I/O ---- */

static const struct op_row io_ops[] = {
    {0, ANY, "class_0_data", ACT_REPORT, OP_NO_ANSWER, 0, 0, 0, 0},
    {1, ANY, "class_1_data", ACT_REPORT, OP_NO_ANSWER, 0, 0, 0, 0},
};

static const struct code_name io_events[] = {
    {0, "first_packet"}, {1, "run"}, {2, "idle"}, {3, "size_changed"}, {4, "sequence_restarted"}, {5, "after_close"},
    {0, NULL},
};
static const struct code_name io_ways[] = {{0, "unknown"}, {CONN_O2T, "o2t"}, {CONN_T2O, "t2o"}, {0, NULL}};

static const struct field_def io_fields[IF_N] = {
    /* clang-format off */
    [IF_EVENT]       = {"event",         FT_NAME, false, NULL, io_events,
        "why there is a record: packets that change nothing are only counted"},
    [IF_CONN_ID]     = {"connection_id", FT_HEX,  false, NULL, NULL, "connection id of this direction"},
    [IF_SEQ]         = {"sequence",      FT_UINT, false, NULL, NULL, "encapsulation sequence number"},
    [IF_CIP_SEQ]     = {"cip_sequence",  FT_UINT, false, NULL, NULL, "class 1 sequence count"},
    [IF_RUN]         = {"run",           FT_BOOL, false, NULL, NULL, "run/idle header: the producer is in run mode"},
    [IF_LENGTH]      = {"length",        FT_UINT, false, NULL, NULL,
        "bytes of data, sequence count and header included"},
    [IF_DIRECTION]   = {"direction",     FT_NAME, false, NULL, io_ways, "by the Forward Open, where it was seen"},
    [IF_CONN_SERIAL] = {"connection_serial", FT_HEX, false, NULL, NULL, "of the Forward Open, where it was seen"},
    [IF_SAFETY]      = {"safety",        FT_BOOL, false, NULL, NULL, "a CIP Safety connection"},
    [IF_PACKETS]     = {"packets",       FT_UINT, false, NULL, NULL, "packets of this connection so far"},
    /* clang-format on */
};

static const struct kind_def io_kinds[] = {[IK_CONNECTION] = {"connection", KIND_NAME}};

static const struct anomaly_def io_anomalies[IA_N] = {
    /* clang-format off */
    [IA_CPF]      = {"cpf_fault", 2, "items of class 0/1 data are cut or of the wrong size (Vol 2, 3-2.2)"},
    [IA_SIZE]     = {"size_not_as_opened", 2, "more data than the Forward Open allowed (Vol 1, 3-5.5.1)"},
    [IA_SEQ_BACK] = {"sequence_backwards", 1,
        "the encapsulation sequence went back: restarted or injected (Vol 2, 3-4.1)"},
    [IA_CLOSED]   = {"data_after_close", 2, "data on a connection that a Forward Close ended (Vol 1, 3-5.5.3)"},
    [IA_TRAILING] = {"trailing_bytes", 1, "bytes follow the last item (Vol 2, 2-6.1)"},
    /* clang-format on */
};

const struct proto_schema cip_io_schema = {
    .name = "cip_io", .title = "CIP class 0/1 I/O", .spec = "ODVA, The CIP Networks Library, Volumes 1 and 2",
    .fn_max = 15, .ops = io_ops, .n_ops = ARRAY_LEN(io_ops), .fields = io_fields, .n_fields = IF_N, .kinds = io_kinds,
    .n_kinds = ARRAY_LEN(io_kinds), .anomalies = io_anomalies, .n_anomalies = IA_N,
};
