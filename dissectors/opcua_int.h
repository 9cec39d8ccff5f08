/* opcua_int.h: what the files of the OPC UA dissector share. */
#pragma once

#include "dissectors/dissector.h"

extern const struct proto_schema opcua_schema;
extern const struct code_name ua_statuses[];

/* Functions: the NodeId of the service's binary encoding; the messages of the transport have numbers of our own. */
enum { UA_HEL = 0x80000001, UA_ACK = 0x80000002, UA_ERR = 0x80000003, UA_RHE = 0x80000004 };
enum { /* encodings that are asked for by name */
    UA_ACTIVATE_REQ = 467, UA_PUBLISH_REQ = 826
};

/* ---- tables of names (opcua_names.c) ---- */

enum { UA_N_ATTRIBUTES = 28, UA_N_POLICIES = 27, UA_ATTR_VALUE = 13 };
enum { UA_POLICY_UNKNOWN, UA_POLICY_NONE };
extern const char *const ua_attributes[UA_N_ATTRIBUTES];
extern const struct ua_policy {
    const char *name;
    uint8_t signature;
    bool deprecated; /* OPC 10000-7: SHA-1 */
} ua_policies[UA_N_POLICIES];
#define UA_POLICY_PREFIX "http://opcfoundation.org/UA/SecurityPolicy#"

enum ua_mode { UA_MODE_UNKNOWN, UA_MODE_NONE, UA_MODE_SIGN, UA_MODE_ENCRYPT };

/* ---- schema (opcua_schema.c) ---- */

enum ua_kind {
    UK_VARIABLE, UK_ATTRIBUTE, UK_NODE, UK_METHOD, UK_PATH, UK_REFERENCE, UK_EVENT, UK_MONITORED, UK_HANDLE,
    UK_ENDPOINT, UK_SERVER, UK_N
};

enum ua_field {
    OF_CHANNEL, OF_REQUEST, OF_HANDLE, OF_MESSAGE, OF_CHUNKS, OF_ABORTED, OF_REASON, OF_POLICY, OF_MODE, OF_TOKEN,
    OF_TOKEN_REQUEST, OF_LIFETIME, OF_VERSION, OF_RECEIVE, OF_SEND, OF_MAX_MESSAGE, OF_MAX_CHUNKS, OF_URL,
    OF_SERVER_URI,
    /* pairs: the client's, the server's */
    OF_APP_URI, OF_S_APP_URI, OF_PRODUCT_URI, OF_S_PRODUCT_URI, OF_APP_NAME, OF_S_APP_NAME, OF_APP_TYPE, OF_S_APP_TYPE,
    OF_CERTIFICATE, OF_S_CERTIFICATE, OF_CERT_UNTIL, OF_S_CERT_UNTIL,
    OF_SESSION_NAME, OF_SESSION,
    OF_SESSION_TIMEOUT, OF_LOCALE, OF_USER_TOKEN, OF_USER, OF_PASSWORD_ALG, OF_CLEAR, OF_AUDIT, OF_MAX_AGE,
    OF_TIMESTAMPS, OF_SOURCE_TIME, OF_DIRECTION, OF_REFERENCES, OF_CONTINUATION, OF_RELEASE,
    OF_NODE_CLASS, OF_OUTPUT, OF_ARGUMENT_STATUS, OF_SUBSCRIPTION, OF_INTERVAL, OF_LIFETIME_COUNT, OF_KEEP_ALIVE,
    OF_MAX_NOTIFICATIONS, OF_ENABLED, OF_PRIORITY, OF_MONITORED, OF_MONITORING, OF_SAMPLING, OF_TRIGGERING,
    OF_LINKS_ADD, OF_LINKS_REMOVE, OF_ACKNOWLEDGED, OF_SEQUENCE, OF_NOTIFICATIONS, OF_MORE, OF_STATUS_CHANGE,
    OF_SEND_INITIAL, OF_DETAILS, OF_UPDATE, OF_START, OF_END, OF_INFO, OF_STATE, OF_MANUFACTURER, OF_PRODUCT,
    OF_SOFTWARE, OF_BUILD, OF_CANCELLED, OF_CANCEL_HANDLE, OF_TYPE_ID, OF_IS_ONLINE, OF_DELETE_SUBSCRIPTIONS, OF_N
};

enum ua_anomaly {
    UA_A_MALFORMED, UA_A_HEADER, UA_A_TRAILING, UA_A_UNKNOWN_SERVICE, UA_A_DIRECTION, UA_A_SEQUENCE, UA_A_CHANNEL,
    UA_A_TOKEN, UA_A_TOKEN_EXPIRED, UA_A_CHUNK_SIZE, UA_A_CHUNK_COUNT, UA_A_MESSAGE_SIZE, UA_A_CHUNK_TYPE, UA_A_ABORTED,
    UA_A_HELLO, UA_A_HELLO_TWICE, UA_A_NESTING, UA_A_HANDLE, UA_A_OPEN_PLAIN, UA_A_POLICY, UA_A_DEPRECATED,
    UA_A_NO_SECURITY,
    UA_A_NONE_OFFERED, UA_A_ANONYMOUS, UA_A_CLEAR_PASSWORD, UA_A_CERT_EXPIRED, UA_A_CERT_BROKEN, UA_A_N
};

/* ---- a connection ---- */

struct ua_flow {
    uint64_t token_ns;      /* when the token was given */
    uint64_t found[2];      /* anomalies of the chunks of the message that is being put together, by sender */
    uint32_t channel, token, old_token, lifetime_ms;
    uint32_t next_seq[2];
    uint32_t buffer[2], max_message[2], max_chunks[2]; /* what may be sent to this side: 0 client, 1 server */
    uint32_t session;       /* hash of the authentication token whose user is known */
    uint16_t n_chunks[2];
    uint16_t n_handles;     /* monitored items remembered */
    uint8_t has_seq[2], in_step[2]; /* in_step: ends of messages seen of this side, at most 2 */
    /* has_token: 1 the first one, 2 renewed: the one before holds as well */
    uint8_t policy, mode, signature, has_token;
    uint8_t hello, read_once; /* read_once: a service could be read */
    uint8_t user_n;
    char user[64];
};
_Static_assert(sizeof(struct ua_flow) <= DIS_FLOW_STATE, "per-flow state is bounded");

/* ---- built-in types (opcua_types.c; OPC 10000-6 5.1.2, 5.2.2) ---- */

enum ua_type {
    UA_NULL, UA_BOOL, UA_SBYTE, UA_BYTE, UA_INT16, UA_UINT16, UA_INT32, UA_UINT32, UA_INT64, UA_UINT64, UA_FLOAT,
    UA_DOUBLE, UA_STRING, UA_DATETIME, UA_GUID, UA_BYTESTRING, UA_XML, UA_NODEID, UA_EXPNODEID, UA_STATUS, UA_QNAME,
    UA_LTEXT, UA_EXTOBJ, UA_DATAVALUE, UA_VARIANT, UA_DIAGINFO, UA_STRUCT
};

struct ua_node {
    uint8_t kind;       /* the encoding byte without its flags: 0-2 numeric, 3 string, 4 guid, 5 opaque */
    uint16_t ns;
    uint32_t num, server;
    struct span id, uri;
};
struct ua_variant {
    uint8_t type;       /* UA_NULL: no value */
    bool array;
    uint32_t n;
    struct span raw;    /* of the elements */
};
enum { UA_DV_VALUE = 1, UA_DV_STATUS = 2, UA_DV_SOURCE = 4, UA_DV_SERVER = 8, UA_DV_SOURCE_PS = 16,
    UA_DV_SERVER_PS = 32 };
/* One value of a built-in type. Which members are set follows from the type. */
struct ua_val {
    uint8_t type;
    uint8_t dv;         /* UA_DATAVALUE: what is there */
    bool null;          /* no string, no body, a NodeId that is none */
    uint64_t u;         /* numbers and status codes; UA_DATETIME in ns since 1970; the end of an array: its length */
    double d;
    struct span s;      /* text or bytes; name of a QName; text of a LocalizedText; body of an ExtensionObject; bytes of
                         * a whole array */
    uint16_t ns;        /* of a QName */
    uint32_t status;
    uint64_t source_ns;
    struct ua_node node;
    struct ua_variant var;
};

/* Reads one value; the cursor is bad afterwards when there is none. deep is set when it nests too deep. */
void ua_get(struct cur *c, unsigned type, struct ua_val *v, bool *deep);
/* Over one value of a simple type. False, and nothing done, where it has to be read to be skipped. */
bool ua_skip(struct cur *c, unsigned type);
/* Is an encoded NodeId numeric, of namespace 0? */
static inline bool ua_node_is(const struct ua_node *n, uint32_t num)
{
    return n->kind <= 2 && n->ns == 0 && n->num == num;
}
static inline bool ua_node_null(const struct ua_node *n)
{
    return n->kind <= 2 ? n->num == 0 && n->ns == 0 : n->id.n == 0;
}

/* Text under construction, cut at its end. */
struct ua_txt {
    uint32_t n;
    char p[512];
};
void ua_put(struct ua_txt *t, const char *s);
void ua_put_span(struct ua_txt *t, struct span s);
void ua_put_num(struct ua_txt *t, uint64_t v);
void ua_put_node(struct ua_txt *t, const struct ua_node *n);
void ua_put_val(struct ua_txt *t, const struct ua_val *v);
static inline struct span ua_txt_span(const struct ua_txt *t)
{
    return (struct span){(const uint8_t *)t->p, t->n};
}

/* The values of a variant as an item carries them. */
void ua_variant_vals(struct event *e, const struct ua_variant *var, struct vals *ret);
/* n encoded values of one type behind each other (variants, data values) as values. */
void ua_list_vals(struct event *e, unsigned type, struct span raw, uint32_t n, struct vals *ret);
uint32_t ua_quality(uint32_t status);

/* ---- structures as tables (opcua_tables.c), read by opcua_walk.c ---- */

struct ua_walk;
struct ua_row;
typedef void ua_hook(struct ua_walk *w, const struct ua_row *r, const struct ua_val *v);

enum { UF_ARRAY = 1, UF_ITEMS = 2 /* its elements are objects of the message, one for one */ };
/* One member of a structure; type UA_NULL ends the table. */
struct ua_row {
    uint8_t type, flags;
    uint8_t arg;               /* for the hooks: a field, a kind of object, a side */
    ua_hook *on;               /* with each value; with UA_STRUCT after each structure */
    const struct ua_row *sub;  /* UA_STRUCT */
    ua_hook *end;              /* after an array */
};
/* The body of an ExtensionObject by the NodeId of its encoding. */
struct ua_ext {
    uint32_t id;
    const char *name;
    const struct ua_row *rows;
};
const struct ua_ext *ua_ext_find(const struct ua_node *type);
extern const struct ua_row ua_request_header[], ua_response_header[];
/* The body of a service, by the index of its row in opcua_schema.ops. */
const struct ua_row *ua_body(const struct op_row *op);

enum { UA_PATH = 200 };
struct ua_walk {
    struct dis_ctx *x;
    struct ua_flow *f;
    struct event *e;
    struct cur c;
    uint32_t nth;              /* of the object whose element is being read */
    uint32_t request_handle, timeout_ms, session, n_references, n_certs, n_times;
    uint8_t answer, depth, deep, n_bad, n_good;
    uint8_t partial;         /* the end of the message is missing */
    uint32_t first_bad;
    /* of the object being read: cleared at each */
    struct ua_reg {
        struct ua_node node[2];
        uint32_t attr, handle, status, app_type, mode;
        struct span range, url, policy, name, uri;
        struct vals v;
        uint32_t quality;
        uint8_t has_status, has_handle;
    } r;
    uint32_t subscription;
    uint8_t has_password, user_token;
    struct span encryption, user;
    struct ua_txt path;
};
void ua_rows(struct ua_walk *w, const struct ua_row *rows);
/* One whole message: its TypeId and body. partial: its end is missing, by our own bound or a cut packet. */
enum verdict ua_message(struct dis_ctx *x, struct cur c, uint32_t request_id, bool partial);
/* Fields that every event of a message has. */
void ua_common(struct dis_ctx *x, struct event *e, uint32_t request_id);
/* Does a message begin here: the TypeId of a service? Its row, or NULL. */
const struct op_row *ua_peek_service(struct cur c);

/* ---- hooks ---- */

/* values to fields and objects (opcua_item.c) */
ua_hook on_field, on_flag, on_node, on_node2, on_attr, on_range, on_value, on_status, on_handle, on_subscription,
    on_path_name, on_arguments, on_list, on_continuation, on_target, on_count_references, on_output, on_diagnostic,
    on_target_item, on_node_item, on_leaf_node, on_path_item, on_method_item, on_monitor_item, on_monitored_item,
    on_add_item, on_reference_item, on_change, on_event, on_result, on_result_status, on_result_value,
    on_target_text, on_history_item, on_details, on_name;
/* identity and security (opcua_ident.c) */
ua_hook on_app_uri, on_app_type, on_app, on_certificate, on_policy, on_mode, on_token_type, on_endpoint, on_user,
    on_password, on_encryption, on_user_token, on_url, on_server_item, on_state, on_build, on_secure_mode,
    on_channel_token, on_lifetime, on_session_open, on_app_name, on_server_name;
/* headers (opcua_walk.c) */
ua_hook on_auth_token, on_request_handle, on_timeout, on_service_result;
void ua_ident_value(struct ua_walk *w, const struct item *it, const struct ua_val *v);
/* What became of a log-on. */
void ua_session_result(struct ua_walk *w);
/* Certificate of the sender (or of the server, in endpoints). */
void ua_certificate(struct dis_ctx *x, struct event *e, struct span der, enum obs_side side);

/* ---- the policy of a URI ---- */
uint8_t ua_policy_of(struct span uri);
struct span ua_policy_name(struct span uri);
