/* enip_int.h: what the files of the EtherNet/IP dissector share. Nothing outside enip*.c includes it. */
#pragma once

#include "dissectors/dissector.h"
#include "engine/base/hash.h"

extern const struct proto_schema enip_schema, cip_schema, cip_io_schema;
const struct op_row *enip_command(uint32_t command); /* schema_op() of enip_schema */

enum { SENDS_ALONE = 1, SENDS_CARRIED = 2 /* in a Multiple Service Packet */ };
struct enip_flow {
    uint32_t session;
    uint32_t last_context; /* hash of the last request's */
    uint8_t registered;    /* a session is known */
    uint8_t same_context;  /* the client does not number its requests */
    uint8_t sends;         /* SENDS_: where an Unconnected Send was seen: answers there may be to what one carried */
    struct rt_seen plain[2]; /* connected data from the client, and from the server: all of a side say the same */
};

/* ---- names (enip_names.c) ---- */

extern const struct code_name enip_vendors[], enip_device_types[], cip_classes[], cip_statuses[], cip_ext_statuses[],
    pccc_ext_statuses[], cip_data_types[], pccc_functions[], pccc_statuses[], pccc_file_types[];
extern const uint32_t n_cip_classes;

struct cip_type {
    uint8_t code, size /* 0: variable */, enc;
    const char *name;
};
struct span cip_class_text(uint32_t id); /* empty: it has no name */
const char *cip_class_name(uint32_t id);
const struct cip_type *cip_type(uint32_t code); /* NULL: not an elementary type */

enum { /* object classes that the code itself knows */
    CLS_IDENTITY = 0x01, CLS_ROUTER = 0x02, CLS_ASSEMBLY = 0x04, CLS_CM = 0x06, CLS_FILE = 0x37, CLS_CONTROLLER = 0x64,
    CLS_PCCC = 0x67, CLS_SYMBOL = 0x6b, CLS_TEMPLATE = 0x6c, CLS_ROUTINE = 0x6d, CLS_TAG_DATA = 0x6a, CLS_LOCK = 0x74,
    CLS_CLOCK = 0x8b, CLS_MODE = 0x8e, CLS_TCPIP = 0xf5, CLS_LINK = 0xf6,
};

enum { /* enip_schema.fields */
    EF_SESSION, EF_CONTEXT, EF_OPTIONS, EF_PROTO_VERSION, EF_OPTION_FLAGS, EF_INTERFACE, EF_TIMEOUT,
    EF_ITEMS, EF_CONN_ID, EF_SEQ, EF_CAPS, EF_SERVICE_NAME, EF_VENDOR, EF_DEVICE_TYPE, EF_PRODUCT_CODE, EF_REVISION,
    EF_STATUS_WORD, EF_SERIAL, EF_PRODUCT_NAME, EF_STATE, EF_SOCK_IP, EF_SOCK_PORT, EF_SOCK_O2T, EF_SOCK_T2O,
    EF_CIP, EF_N
};
enum { /* enip_schema.anomalies */
    EA_SHORT, EA_LENGTH, EA_UNKNOWN_COMMAND, EA_REQUEST_STATUS, EA_OPTIONS, EA_NO_SESSION, EA_SESSION_MISMATCH,
    EA_CPF_COUNT, EA_CPF_ITEM, EA_CPF_TRAILING, EA_BAD_STATUS, EA_VERSION, EA_INTERFACE, EA_REGISTERED_TWICE, EA_N
};

enum { /* cip_schema.fields */
    CF_CLASS, CF_INSTANCE, CF_ATTRIBUTE, CF_ATTRIBUTE_NAME, CF_ROUTE, CF_CONN_ID, CF_SEQ, CF_EXT_STATUS, CF_TIMEOUT_MS,
    CF_COUNT, CF_EMBEDDED, CF_O2T_ID, CF_T2O_ID, CF_CONN_SERIAL, CF_ORIG_VENDOR, CF_ORIG_SERIAL, CF_TIMEOUT_MULT,
    CF_O2T_RPI, CF_T2O_RPI, CF_O2T_API, CF_T2O_API, CF_O2T_SIZE, CF_T2O_SIZE, CF_O2T_TYPE, CF_T2O_TYPE, CF_O2T_PRIO,
    CF_T2O_PRIO, CF_O2T_VARIABLE, CF_T2O_VARIABLE, CF_OWNER, CF_CLASS_NO, CF_TRIGGER, CF_SERVER, CF_KEY_VENDOR,
    CF_KEY_TYPE, CF_KEY_PRODUCT, CF_KEY_REVISION, CF_KEY_COMPAT, CF_KEY_SERIAL, CF_SAFETY, CF_CONFIG_LEN, CF_PIT,
    CF_REMAINING_PATH, CF_DATA_TYPE, CF_ELEMENTS, CF_OFFSET, CF_HANDLE, CF_MASK_OR, CF_MASK_AND, CF_RESET_TYPE,
    CF_IP, CF_NETMASK, CF_GATEWAY, CF_NAME_SERVER, CF_HOST_NAME, CF_CONFIG_CONTROL, CF_TIME, CF_VENDOR, CF_DEVICE_TYPE,
    CF_PRODUCT_CODE, CF_REVISION, CF_STATUS_WORD, CF_SERIAL, CF_PRODUCT_NAME, CF_STATE, CF_PROGRAM, CF_FILE_NAME,
    CF_FILE_SIZE, CF_TRANSFER, CF_DATA_LEN, CF_REQUEST_DATA, CF_RESPONSE_DATA, CF_P_FUNCTION, CF_P_TRANSACTION,
    CF_P_STATUS, CF_P_EXT_STATUS, CF_P_VENDOR, CF_P_SERIAL, CF_P_SIZE, CF_P_FILE, CF_P_MODE, CF_N
};
enum { /* cip_schema.kinds */
    CK_CIP, CK_TAG, CK_PCCC, CK_CONNECTION, CK_N
};
enum { /* cip_schema.anomalies */
    CA_SHORT, CA_PATH, CA_PATH_SIZE, CA_RESERVED_SEGMENT, CA_RESERVED_SERVICE, CA_MSP, CA_NESTED, CA_US_SIZE,
    CA_TRAILING, CA_RESERVED_BYTE, CA_REPLY_FROM_CLIENT, CA_UNKNOWN_STATUS, CA_TYPE, CA_DATA_SIZE, CA_FO_CLASS,
    CA_FO_TYPE, CA_RPI, CA_FACTORY_RESET, CA_PCCC, CA_NO_REPLY_BIT, CA_N
};

enum { /* cip_io_schema.fields */
    IF_EVENT, IF_CONN_ID, IF_SEQ, IF_CIP_SEQ, IF_RUN, IF_LENGTH, IF_DIRECTION, IF_CONN_SERIAL, IF_SAFETY, IF_PACKETS,
    IF_N
};
enum { IK_CONNECTION };
enum { /* cip_io_schema.anomalies */
    IA_CPF, IA_SIZE, IA_SEQ_BACK, IA_CLOSED, IA_TRAILING, IA_N
};

/* ---- text on a small buffer, without printf ---- */

struct txt {
    uint8_t *p;
    uint32_t n, cap;
};
void txt_mem(struct txt *t, const void *p, uint32_t n);
void txt_dec_long(struct txt *t, uint32_t v);
static inline void txt_chr(struct txt *t, char c)
{
    if (t->n < t->cap)
        t->p[t->n++] = (uint8_t)c;
}
static inline void txt_dec(struct txt *t, uint32_t v)
{
    if (v < 10)
        txt_chr(t, (char)('0' + v));
    else
        txt_dec_long(t, v);
}
/* Names are short: a loop beats two calls. */
static inline void txt_str(struct txt *t, const char *s)
{
    while (*s && t->n < t->cap)
        t->p[t->n++] = (uint8_t)*s++;
}
void txt_hex(struct txt *t, uint32_t v);
static inline struct span txt_span(const struct txt *t)
{
    return (struct span){.p = t->n ? t->p : NULL, .n = t->n};
}

/* ---- paths (enip_path.c) ---- */

enum { EPATH_TEXT = 640, EPATH_ROUTE = 64, EPATH_CPS = 4 };

/* A decoded EPATH (CIP Vol 1, C-1). */
struct epath {
    struct txt app, route; /* "identity/1/7" or "Program:Main.Tag[3]"; "1/0,2/10.0.0.3" */
    uint32_t class_id, instance, attribute, cps[EPATH_CPS], key_serial, pit_us;
    uint32_t slot;         /* port 1: the backplane's slot; another port: 256 * port + link; several hops: a hash */
    uint16_t key_vendor, key_type, key_product;
    uint8_t key_major, key_minor;
    uint8_t has_class, has_instance, has_attribute, has_symbol, has_key, has_key_serial, has_pit, n_cps, n_hops, safety;
    uint8_t first_is_symbol;
    uint64_t anomalies;    /* 1 << CA_ */
    struct span data;      /* simple data segment: configuration */
    uint8_t app_buf[EPATH_TEXT], route_buf[EPATH_ROUTE]; /* last: not cleared */
};
/* Reads everything in c as a padded path. False when a segment is broken; what came before it is in p. */
bool epath_parse(struct cur c, struct epath *p);
/* What decides the act of a service on this path: the class, the symbol class for a tag. */
static inline uint32_t epath_selector(const struct epath *p)
{
    return p->has_symbol && !p->has_class ? CLS_SYMBOL : p->has_class ? p->class_id : OP_ANY_SELECTOR;
}

/* ---- CIP messages (enip_cip.c) ---- */

/* How a message came here. */
struct cip_via {
    uint64_t key;     /* pairs a request with its answer; the service code and the place are mixed in */
    uint32_t slot, conn_id;
    uint16_t seq;
    uint8_t has_slot, connected, depth;
    uint16_t index;   /* place inside a Multiple Service Packet, from 1; 0 outside */
    const struct epath *route; /* of the Unconnected Send around it */
    uint32_t *place;  /* of the request where it is known; UINT32_MAX; may be NULL */
};
enum { CIP_DEPTH = 4 };

/* A message router request or reply that fills all of c. */
void cip_message(struct dis_ctx *x, struct cur c, const struct cip_via *v);
/* The carrier refused the request of this service: there will be no answer. `why` has static storage. */
void cip_refused(struct dis_ctx *x, const struct cip_via *v, uint32_t service, const char *why);

/* A service being decoded. */
struct cip_svc {
    struct dis_ctx *x;
    struct event *e;
    const struct epath *path;  /* requests; NULL in replies */
    const struct cip_via *via;
    uint32_t service, cls;     /* cls: OP_ANY_SELECTOR where unknown */
    uint32_t instance, attribute; /* requests; UINT32_MAX none. In replies: cip_asked() */
    uint8_t status;            /* replies */
};
typedef void (*cip_body_fn)(struct cip_svc *s, struct cur c);
struct cip_body {
    uint16_t service;
    uint32_t cls; /* OP_ANY_SELECTOR: every class without a row of its own */
    cip_body_fn request, reply;
};
const struct cip_body *cip_body_find(uint32_t service, uint32_t cls);

/* Values of a type on an item; n elements at most (0: as many as there are). */
void cip_values(struct item *it, uint32_t type, struct span s, uint32_t n);
/* One value of a type off the cursor onto the item; false when the type's length cannot be told. */
bool cip_value_take(struct item *it, uint32_t type, struct cur *c);
struct item *cip_first_item(struct event *e);
/* The nth (from 0) value of a field already in the event, or dflt. */
uint64_t cip_field(const struct event *e, uint8_t id, unsigned nth, uint64_t dflt);
/* Of the request that is answered: the first CF_INSTANCE or CF_ATTRIBUTE; UINT32_MAX none. */
static inline uint32_t cip_asked(const struct cip_svc *s, uint8_t id)
{
    return (uint32_t)cip_field(s->e, id, 0, UINT32_MAX);
}
/* What could not be decoded further, shown in hex. */
void cip_raw(struct event *e, uint8_t id, struct cur c);
uint32_t cip_sub(const struct event *e); /* slot as obs_* want it */

/* ---- bodies (enip_attr.c, enip_tag.c, enip_conn.c, enip_pccc.c) ---- */

void body_raw_req(struct cip_svc *s, struct cur c);
void body_raw_rsp(struct cip_svc *s, struct cur c);
void attr_all_rsp(struct cip_svc *s, struct cur c);
void attr_single_rsp(struct cip_svc *s, struct cur c);
void attr_single_req(struct cip_svc *s, struct cur c);
void attr_list_get_req(struct cip_svc *s, struct cur c);
void attr_list_get_rsp(struct cip_svc *s, struct cur c);
void attr_list_set_req(struct cip_svc *s, struct cur c);
void attr_list_set_rsp(struct cip_svc *s, struct cur c);
void reset_req(struct cip_svc *s, struct cur c);
void mode_rsp(struct cip_svc *s, struct cur c);
void tag_read_req(struct cip_svc *s, struct cur c);
void tag_read_rsp(struct cip_svc *s, struct cur c);
void tag_read_frag_req(struct cip_svc *s, struct cur c);
void tag_write_req(struct cip_svc *s, struct cur c);
void tag_write_frag_req(struct cip_svc *s, struct cur c);
void tag_modify_req(struct cip_svc *s, struct cur c);
void tag_list_req(struct cip_svc *s, struct cur c);
void tag_list_rsp(struct cip_svc *s, struct cur c);
void template_read_req(struct cip_svc *s, struct cur c);
void offset_read_req(struct cip_svc *s, struct cur c);
void file_start_req(struct cip_svc *s, struct cur c);
void file_start_rsp(struct cip_svc *s, struct cur c);
void file_transfer_req(struct cip_svc *s, struct cur c);
void file_transfer_rsp(struct cip_svc *s, struct cur c);
void fwd_open_req(struct cip_svc *s, struct cur c);
void fwd_open_rsp(struct cip_svc *s, struct cur c);
void fwd_close_req(struct cip_svc *s, struct cur c);
void fwd_close_rsp(struct cip_svc *s, struct cur c);
void pccc_req(struct cip_svc *s, struct cur c);
void pccc_rsp(struct cip_svc *s, struct cur c);

/* ---- identity (enip_ident.c) ---- */

struct cip_identity {
    uint16_t vendor, device_type, product_code, status;
    uint8_t major, minor, state, has; /* has: bit n is attribute n; bit 0 the state */
    uint32_t serial;
    struct span name;
};
void identity_observe(struct dis_ctx *x, const struct proto_schema *s, uint32_t sub, const struct cip_identity *id);
const char *identity_state(const struct cip_identity *id); /* "run", "program", "fault", ...; NULL unknown */

/* ---- connections (enip_conn.c) ---- */

enum { CONN_PATH = 30 };
/* Kept in dis_shared() of the CIP schema, under the id of either direction. */
struct conn {
    uint32_t o2t, t2o, orig_serial, slot;
    struct addr originator;
    uint16_t serial, vendor, o2t_size, t2o_size;
    uint8_t used, transport /* class 0-3 */, safety, has_slot, closed, path_len, o2t_null, t2o_null;
    uint8_t path[CONN_PATH];
};
_Static_assert(sizeof(struct conn) <= DIS_SHARED, "a connection fits the shared state");
enum { CONN_O2T = 1, CONN_T2O = 2, CONN_TRIAD = 3 };
/* The connection on which the sender of this packet uses this id as originator (CONN_O2T) or target (CONN_T2O); NULL
 * unknown. */
struct conn *conn_find(struct dis_ctx *x, unsigned way, uint32_t id);

/* ---- class 0/1 I/O (enip_io.c) ---- */

bool io_plausible(struct cur c);
enum verdict io_parse(struct cur c, struct dis_ctx *x);

/* ---- common packet format (enip_cpf.c) ---- */

enum { CPF_MAX = 16 };
struct cpf_item {
    uint16_t type;
    struct span data;
};
struct cpf {
    struct cpf_item items[CPF_MAX];
    uint16_t n, announced;
    uint8_t bad_count, bad_item, trailing;
};
void cpf_parse(struct cur *c, struct cpf *ret);
const struct cpf_item *cpf_find(const struct cpf *p, uint16_t type);
