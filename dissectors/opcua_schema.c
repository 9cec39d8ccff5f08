/* opcua_schema.c: OPC UA as tables: services, fields, kinds of objects, anomalies, qualities. */
#include <stdio.h>

#include "dissectors/opcua_int.h"

#define ANY OP_ANY_SELECTOR

/* The messages of the transport come last: their numbers are our own. */
static const struct op_row ops[] = {
#define UA_SERVICE(fn, name, action, flags, body) {fn, ANY, name, action, flags, 0, 0, 0, 0},
#define UA_METHOD(node, name, action) {712, node, name, action, 0, 0, 0, 0, 0},
#include "dissectors/opcua_services.def"
#undef UA_SERVICE
#undef UA_METHOD
    {UA_HEL, ANY, "hello", ACT_SESSION, 0, 32, 4128, 0, 0},
    {UA_ACK, ANY, "acknowledge", ACT_SESSION, OP_ANSWER, 0, 0, 28, 28},
    {UA_ERR, ANY, "error", ACT_SESSION, OP_ANSWER, 0, 0, 16, 4112},
    {UA_RHE, ANY, "reverse_hello", ACT_SESSION, OP_NO_ANSWER, 16, 8208, 0, 0},
};

/* clang-format off */
static const struct code_name messages[] = {{0, "MSG"}, {1, "OPN"}, {2, "CLO"}, {0, NULL}};
static const struct code_name policies[] = {
    {1, "None"}, {2, "Basic128"}, {3, "Basic128Rsa15"}, {4, "Basic192"}, {5, "Basic192Rsa15"}, {6, "Basic256"},
    {7, "Basic256Rsa15"}, {8, "Basic256Sha256"}, {9, "Aes128_Sha256_RsaOaep"}, {10, "Aes256_Sha256_RsaPss"},
    {11, "ECC_nistP256"}, {12, "ECC_nistP384"}, {13, "ECC_brainpoolP256r1"}, {14, "ECC_brainpoolP384r1"},
    {15, "ECC_curve25519"}, {16, "ECC_curve448"}, {17, "ECC_nistP256_AesGcm"}, {18, "ECC_nistP256_ChaChaPoly"},
    {19, "ECC_nistP384_AesGcm"}, {20, "ECC_nistP384_ChaChaPoly"}, {21, "ECC_curve25519_AesGcm"},
    {22, "ECC_curve25519_ChaChaPoly"}, {23, "ECC_curve448_AesGcm"}, {24, "ECC_curve448_ChaChaPoly"},
    {25, "RSA_DH_AesGcm"}, {26, "RSA_DH_ChaChaPoly"}, {0, "other"}, {0, NULL},
};
static const struct code_name modes[] = {
    {UA_MODE_NONE, "none"}, {UA_MODE_SIGN, "sign"}, {UA_MODE_ENCRYPT, "sign_and_encrypt"}, {0, "invalid"}, {0, NULL}};
static const struct code_name token_requests[] = {{0, "issue"}, {1, "renew"}, {0, NULL}};
static const struct code_name app_types[] = {
    {0, "server"}, {1, "client"}, {2, "client_and_server"}, {3, "discovery_server"}, {0, NULL}};
static const struct code_name user_tokens[] = {
    {0, "anonymous"}, {1, "user_name"}, {2, "certificate"}, {3, "issued_token"}, {255, "other"}, {0, NULL}};
static const struct code_name timestamps[] = {
    {0, "source"}, {1, "server"}, {2, "both"}, {3, "neither"}, {4, "invalid"}, {0, NULL}};
static const struct code_name directions[] = {{0, "forward"}, {1, "inverse"}, {2, "both"}, {3, "invalid"}, {0, NULL}};
static const struct code_name node_classes[] = {
    {0, "unspecified"}, {1, "object"}, {2, "variable"}, {4, "method"}, {8, "object_type"}, {16, "variable_type"},
    {32, "reference_type"}, {64, "data_type"}, {128, "view"}, {0, NULL}};
static const struct code_name monitoring[] = {{0, "disabled"}, {1, "sampling"}, {2, "reporting"}, {0, NULL}};
static const struct code_name updates[] = {{1, "insert"}, {2, "replace"}, {3, "update"}, {4, "remove"}, {0, NULL}};
static const struct code_name states[] = {
    {0, "running"}, {1, "failed"}, {2, "no_configuration"}, {3, "suspended"}, {4, "shutdown"}, {5, "test"},
    {6, "communication_fault"}, {7, "unknown"}, {0, NULL}};

#define F(id, key, type, array, names, doc) [OF_##id] = {key, FT_##type, array, NULL, names, doc}
static const struct field_def fields[OF_N] = {
    F(CHANNEL, "secure_channel", UINT, false, NULL, "number of the secure channel"),
    F(REQUEST, "request_id", UINT, false, NULL, "request id: pairs the answer"),
    F(HANDLE, "request_handle", UINT, false, NULL, "the client's own number of the request"),
    F(MESSAGE, "message_type", NAME, false, messages, "of a message that cannot be read, or was aborted"),
    F(CHUNKS,
        "chunks", UINT, false, NULL, "chunks that its sender sent since its last whole message, where more than one"),
    F(ABORTED, "aborted", BOOL, false, NULL, "the sender gave the message up after some of its chunks"),
    F(REASON, "reason", TEXT, false, NULL, "why, by the sender of an error or of an aborted message"),
    F(POLICY, "security_policy", NAME, false, policies, "security policy of the channel"),
    F(MODE, "security_mode", NAME, false, modes, "security mode of the channel, as opened or as seen"),
    F(TOKEN, "security_token", UINT, false, NULL, "security token that was given"),
    F(TOKEN_REQUEST, "token_request", NAME, false, token_requests, "a first token, or a renewed one"),
    F(LIFETIME, "lifetime_ms", UINT, false, NULL, "lifetime of the token: asked for, then given"),
    F(VERSION, "protocol_version", UINT, false, NULL, "version of the protocol, 0"),
    F(RECEIVE, "receive_buffer", UINT, true, NULL, "largest chunk that the sender takes: hello's, then acknowledge's"),
    F(SEND, "send_buffer", UINT, true, NULL, "largest chunk that the sender sends: hello's, then acknowledge's"),
    F(MAX_MESSAGE, "max_message_size", UINT, true, NULL, "largest message that the sender takes; 0: any"),
    F(MAX_CHUNKS, "max_chunks", UINT, true, NULL, "most chunks of a message that the sender takes; 0: any"),
    F(URL, "endpoint_url", TEXT, true, NULL, "URL by which the client calls the server, or of a server that registers"),
    F(SERVER_URI, "server_uri", TEXT, true, NULL, "URI of the server that is meant"),
    F(APP_URI,
        "client_application_uri", TEXT, true, NULL, "client: ApplicationUri: this installation of the application"),
    F(S_APP_URI,
        "server_application_uri", TEXT, true, NULL, "server: ApplicationUri: this installation of the application"),
    F(PRODUCT_URI, "client_product_uri", TEXT, true, NULL, "client: ProductUri"),
    F(S_PRODUCT_URI, "server_product_uri", TEXT, true, NULL, "server: ProductUri"),
    F(APP_NAME, "client_application_name", TEXT, true, NULL, "client: ApplicationName"),
    F(S_APP_NAME, "server_application_name", TEXT, true, NULL, "server: ApplicationName"),
    F(APP_TYPE, "client_application_type", NAME, false, app_types, "client: kind of application"),
    F(S_APP_TYPE, "server_application_type", NAME, false, app_types, "server: kind of application"),
    F(CERTIFICATE, "client_certificate", TEXT, false, NULL, "client: subject of the certificate"),
    F(S_CERTIFICATE, "server_certificate", TEXT, false, NULL, "server: subject of the certificate"),
    F(CERT_UNTIL, "client_certificate_valid_until", TIME, false, NULL, "client: end of its validity"),
    F(S_CERT_UNTIL, "server_certificate_valid_until", TIME, false, NULL, "server: end of its validity"),
    F(SESSION_NAME, "session_name", TEXT, false, NULL, "name that the client gives the session"),
    F(SESSION, "session_id", TEXT, false, NULL, "NodeId of the session"),
    F(SESSION_TIMEOUT, "session_timeout_ms", DOUBLE, false, NULL, "asked for, then given"),
    F(LOCALE, "locales", TEXT, true, NULL, "languages that the client asks for"),
    F(USER_TOKEN, "user_token", NAME, false, user_tokens, "by what the user is known"),
    F(USER, "user", TEXT, false, NULL, "user name of the session, also of later requests in it"),
    F(PASSWORD_ALG, "password_encryption", TEXT, false, NULL, "algorithm by which the password is encrypted"),
    F(CLEAR, "clear_text_password", BOOL, false, NULL, "a password could be read; it is not kept"),
    F(AUDIT, "audit_entry", TEXT, false, NULL, "audit entry id of the client"),
    F(MAX_AGE, "max_age_ms", DOUBLE, false, NULL, "read: how old a value may be"),
    F(TIMESTAMPS, "timestamps", NAME, false, timestamps, "time stamps that are asked for"),
    F(SOURCE_TIME, "source_time", TIME, true, NULL, "source time stamps of the first values, in their order"),
    F(DIRECTION, "browse_direction", NAME, false, directions, "direction of the references"),
    F(REFERENCES, "references", UINT, true, NULL, "references found, node by node"),
    F(CONTINUATION, "continued", BOOL, false, NULL, "there is more than fits one answer, or it is fetched"),
    F(RELEASE, "released", BOOL, false, NULL, "what was left is given up"),
    F(NODE_CLASS, "node_class", NAME, true, node_classes, "class of the nodes that are added"),
    F(OUTPUT, "outputs", TEXT, true, NULL, "output arguments of methods"),
    F(ARGUMENT_STATUS, "result", NAME, true, ua_statuses, "results of arguments, acknowledgements and the like"),
    F(SUBSCRIPTION, "subscription", UINT, true, NULL, "number of the subscription"),
    F(INTERVAL, "publishing_interval_ms", DOUBLE, false, NULL, "publishing interval: asked for, then given"),
    F(LIFETIME_COUNT, "lifetime_count", UINT, false, NULL, "intervals without a publish request until it ends"),
    F(KEEP_ALIVE, "keep_alive_count", UINT, false, NULL, "intervals without news until an empty answer"),
    F(MAX_NOTIFICATIONS, "max_notifications", UINT, false, NULL, "most notifications in one answer; 0: any"),
    F(ENABLED, "publishing_enabled", BOOL, false, NULL, "publishing is switched on or off"),
    F(PRIORITY, "priority", UINT, false, NULL, "priority of the subscription"),
    F(MONITORED, "monitored_item", UINT, true, NULL, "numbers of the monitored items made"),
    F(MONITORING, "monitoring_mode", NAME, false, monitoring, "monitoring mode that is set"),
    F(SAMPLING,
        "sampling_interval_ms", DOUBLE, true, NULL, "sampling interval, item by item; -1: the publishing interval"),
    F(TRIGGERING, "triggering_item", UINT, false, NULL, "monitored item that triggers others"),
    F(LINKS_ADD, "links_added", UINT, true, NULL, "items that it triggers from now on"),
    F(LINKS_REMOVE, "links_removed", UINT, true, NULL, "items that it triggers no more"),
    F(ACKNOWLEDGED, "acknowledged", UINT, true, NULL, "sequence numbers of notifications that arrived"),
    F(SEQUENCE, "sequence_number", UINT, false, NULL, "sequence number of the notification"),
    F(NOTIFICATIONS, "events", UINT, true, NULL, "events of the history, node by node"),
    F(MORE, "more_notifications", BOOL, false, NULL, "more notifications wait"),
    F(STATUS_CHANGE, "subscription_status", NAME, false, ua_statuses, "why a subscription ended or moved"),
    F(SEND_INITIAL, "send_initial_values", BOOL, false, NULL, "transferred with a fresh start"),
    F(DETAILS, "details", TEXT, true, NULL, "which history is read, how it is changed: name of the structure"),
    F(UPDATE, "update_type", NAME, true, updates, "what becomes of values of the history"),
    F(START, "start_time", TIME, true, NULL, "from when on"),
    F(END, "end_time", TIME, true, NULL, "until when"),
    F(INFO, "diagnostics", TEXT, true, NULL, "additional information of diagnostics"),
    F(STATE, "server_state", NAME, false, states, "state of the server as it says itself"),
    F(MANUFACTURER, "manufacturer_name", TEXT, false, NULL, "BuildInfo: manufacturer"),
    F(PRODUCT, "product_name", TEXT, false, NULL, "BuildInfo: product"),
    F(SOFTWARE, "software_version", TEXT, false, NULL, "BuildInfo: version"),
    F(BUILD, "build_number", TEXT, false, NULL, "BuildInfo: build"),
    F(CANCELLED, "cancelled", UINT, false, NULL, "requests that were cancelled"),
    F(CANCEL_HANDLE, "cancel_handle", UINT, false, NULL, "request handle of what is to be cancelled"),
    F(TYPE_ID, "type_id", TEXT, false, NULL, "NodeId of a message that is no known service"),
    F(IS_ONLINE, "is_online", BOOL, false, NULL, "a server registers; false: it leaves"),
    F(DELETE_SUBSCRIPTIONS, "delete_subscriptions", BOOL, false, NULL, "the session's subscriptions end with it"),
};
#undef F

static const struct kind_def kinds[UK_N] = {
    [UK_VARIABLE] = {"variable", KIND_NAME}, [UK_ATTRIBUTE] = {"attribute", KIND_NAME}, [UK_NODE] = {"node", KIND_NAME},
    [UK_METHOD] = {"method", KIND_NAME}, [UK_PATH] = {"path", KIND_NAME}, [UK_REFERENCE] = {"reference", KIND_NAME},
    [UK_EVENT] = {"event", KIND_NAME}, [UK_MONITORED] = {"monitored_item", KIND_RANGE},
    [UK_HANDLE] = {"client_handle", KIND_RANGE}, [UK_ENDPOINT] = {"endpoint", KIND_NAME},
    [UK_SERVER] = {"server", KIND_NAME},
};

static const struct anomaly_def anomalies[UA_A_N] = {
    [UA_A_MALFORMED]       = {"malformed", 2,
        "a length or an encoding runs over the end of the message; OPC 10000-6 5.2"},
    [UA_A_HEADER]          = {"bad_header", 2,
        "the header of a chunk is cut, or its lengths do not fit; OPC 10000-6 6.7.2"},
    [UA_A_TRAILING]        = {"trailing_bytes", 1, "bytes follow the last member of the message; OPC 10000-6 6.7.2"},
    [UA_A_UNKNOWN_SERVICE] = {"unknown_service", 2,
        "the TypeId is not that of a service; OPC 10000-4 5, OPC 10000-6 A.3"},
    [UA_A_DIRECTION]       = {"wrong_direction", 2,
        "a request from the server, or an answer from the client; OPC 10000-4 5.3"},
    [UA_A_SEQUENCE]        = {"sequence_number", 2,
        "the sequence number does not follow the last one: missing, repeated or injected chunks; OPC 10000-6 6.7.2.4"},
    [UA_A_CHANNEL]         = {"unknown_channel", 2,
        "a secure channel that was not opened on this connection; OPC 10000-6 6.7.2.2", true},
    [UA_A_TOKEN]           = {"unknown_token", 2,
        "neither the current security token nor the one before; OPC 10000-6 6.7.2.3", true},
    [UA_A_TOKEN_EXPIRED]   = {"token_expired", 1,
        "the token is used after 125 % of its lifetime; OPC 10000-4 5.5.2.1", true},
    [UA_A_CHUNK_SIZE]      = {"chunk_too_large", 2, "a chunk larger than the other side takes; OPC 10000-6 7.1.2.3"},
    [UA_A_CHUNK_COUNT]     = {"too_many_chunks", 2, "more chunks than the other side takes; OPC 10000-6 7.1.2.3"},
    [UA_A_MESSAGE_SIZE]    = {"message_too_large", 2,
        "a message larger than the other side takes; OPC 10000-6 7.1.2.3"},
    [UA_A_CHUNK_TYPE]      = {"chunked_handshake", 2,
        "messages that open or close a channel or connection have one chunk; OPC 10000-6 6.7.2.2, 7.1.2.2"},
    [UA_A_ABORTED]         = {"message_aborted", 1,
        "a message was given up after some of its chunks; OPC 10000-6 6.7.3"},
    [UA_A_HELLO]           = {"bad_hello", 2, "buffers below 1024 bytes or a URL above 4096; OPC 10000-6 7.1.2.3"},
    [UA_A_HELLO_TWICE]     = {"hello_repeated", 2,
        "a second hello on a connection: the server closes it; OPC 10000-6 7.1.2.3"},
    [UA_A_NESTING]         = {"nested_too_deep", 2,
        "variants or diagnostics inside each other beyond what is read; OPC 10000-6 5.1.8"},
    [UA_A_HANDLE]          = {"handle_mismatch", 1,
        "the answer has another request handle than its request; OPC 10000-4 7.34"},
    [UA_A_OPEN_PLAIN]      = {"open_not_encrypted", 2,
        "a channel is opened in plain text though its policy encrypts; OPC 10000-6 6.7.2.3"},
    [UA_A_POLICY]          = {"unknown_policy", 1, "a security policy that OPC 10000-7 does not have"},
    [UA_A_DEPRECATED]      = {"deprecated_policy", 1,
        "a security policy that rests on SHA-1; OPC 10000-7, profile category security"},
    [UA_A_NO_SECURITY]     = {"session_without_security", 1,
        "a session on a channel that neither signs nor encrypts; OPC 10000-2 6.3"},
    [UA_A_NONE_OFFERED]    = {"none_offered", 1, "the server offers an endpoint without security; OPC 10000-2 6.3"},
    [UA_A_ANONYMOUS]       = {"anonymous_session", 1, "a session without a user; OPC 10000-2 6.8"},
    [UA_A_CLEAR_PASSWORD]  = {"clear_text_password", 3,
        "the user's password can be read on the wire; OPC 10000-4 7.40.2"},
    [UA_A_CERT_EXPIRED]    = {"certificate_not_valid_now", 2,
        "a certificate before or after its validity, by the time of the packet; OPC 10000-4 6.1.3"},
    [UA_A_CERT_BROKEN]     = {"certificate_unreadable", 2, "a certificate that is not X.509; OPC 10000-6 6.2.2"},
};
/* clang-format on */

static const char *const qualities[] = {"bad", "uncertain", "limit_low", "limit_high", "constant", "overflow",
                                        "semantics_changed", "structure_changed", NULL};

static void fn_text(uint32_t fn, char *out)
{
    static const char *const transport[] = {"HEL", "ACK", "ERR", "RHE"};
    if (fn >= UA_HEL && fn <= UA_RHE)
        snprintf(out, FN_TEXT, "%s", transport[fn - UA_HEL]);
    else
        snprintf(out, FN_TEXT, "%u", fn);
}

const struct proto_schema opcua_schema = {
    .name = "opcua", .title = "OPC UA", .spec = "OPC 10000-6:2022 (UA Binary, UA-TCP), OPC 10000-4:2022 (services)",
    .ops = ops, .n_ops = ARRAY_LEN(ops), .fields = fields, .n_fields = OF_N, .kinds = kinds, .n_kinds = UK_N,
    .anomalies = anomalies, .n_anomalies = UA_A_N, .statuses = ua_statuses, .qualities = qualities,
    .fn_text = fn_text,
};
