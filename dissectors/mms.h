/* mms.h: what the files of the MMS dissector share. */
#pragma once

#include "dissectors/carrier_mmsdata.h"
#include "dissectors/carrier_tpkt.h"

enum { /* MMSpdu, ISO 9506-2 7.2: the context-specific tag */
    MMS_REQUEST = 0, MMS_RESPONSE = 1, MMS_ERROR = 2, MMS_UNCONFIRMED = 3, MMS_REJECT = 4, MMS_CANCEL = 5,
    MMS_CANCEL_RESPONSE = 6, MMS_CANCEL_ERROR = 7, MMS_INITIATE = 8, MMS_INITIATE_RESPONSE = 9, MMS_INITIATE_ERROR = 10,
    MMS_CONCLUDE = 11, MMS_CONCLUDE_RESPONSE = 12, MMS_CONCLUDE_ERROR = 13, MMS_PDUS
};
enum { /* confirmed services that the code names; all are in mms_schema.c */
    SV_STATUS = 0, SV_GET_NAME_LIST = 1, SV_IDENTIFY = 2, SV_READ = 4, SV_WRITE = 5, SV_INITIATE_DOWNLOAD = 26,
    SV_DOWNLOAD_SEGMENT = 27, SV_TERMINATE_DOWNLOAD = 28, SV_ADDITIONAL = 78, SV_COUNT = 96,
    SV_INFORMATION_REPORT = 0, SV_UNSOLICITED_STATUS = 1, SV_EVENT_NOTIFICATION = 2, /* unconfirmed */
};
/* A function: PDU and, where it has one, service ("0:4"). */
#define MMS_FN(pdu, service) ((uint32_t)(pdu) << 16 | (uint32_t)(service))
enum { MMS_NO_SERVICE = 0xffff };

/* Selectors of read, write and information report, from IEC 61850-8-1: the functional constraint and the attribute tell
 * what an access does. Of several in one message the first of this list holds. */
enum mms_sel {
    SEL_OPERATE = 1, SEL_OPERATE_MODE, SEL_SELECT, SEL_SELECT_VALUE, SEL_CANCEL, SEL_CONTROL, SEL_SUBSTITUTE, SEL_BLOCK,
    SEL_SETTING, SEL_ACTIVE_GROUP, SEL_EDIT_GROUP, SEL_CONFIRM_GROUP, SEL_CONFIGURATION, SEL_DESCRIPTION,
    SEL_GOOSE_CONTROL, SEL_SV_CONTROL, SEL_LOG_CONTROL, SEL_REPORT_CONTROL, SEL_SETPOINT, SEL_INTERROGATION,
    SEL_REPORT, SEL_TERMINATION, SEL_APPL_ERROR,
};

enum mms_kind {
    K_VARIABLE, K_MEMBER, K_LIST, K_TYPE, K_DOMAIN, K_PROGRAM, K_FILE, K_JOURNAL, K_SEMAPHORE, K_EVENT_CONDITION,
    K_EVENT_ACTION, K_EVENT_ENROLLMENT, K_STATION, K_REPORT, K_ADDRESS, K_VMD, K_FRSM, K_ULSM, K_NONE
};

enum mms_field {
    F_INVOKE_ID, F_TSAP_CALLING, F_TSAP_CALLED, F_AP_CALLING, F_AE_CALLING, F_AP_CALLED, F_AE_CALLED, F_AP_RESPONDING,
    F_AE_RESPONDING, F_CONTEXT, F_AUTH, F_ASSOC_RESULT, F_MAX_PDU, F_MAX_CALLING, F_MAX_CALLED, F_NESTING, F_VERSION,
    F_PARAMETERS, F_SERVICES, F_FC, F_RESULTS, F_OBJECT_CLASS, F_CONTINUE_AFTER, F_NAMES, F_NAME_COUNT, F_MORE,
    F_NEW_NAME, F_VENDOR, F_MODEL, F_REVISION, F_LOGICAL_STATUS, F_PHYSICAL_STATUS, F_TYPE, F_COMPONENTS,
    F_COMPONENT_COUNT, F_DELETABLE, F_FILE, F_FILE_SIZE, F_FILE_TIME, F_FRSM, F_POSITION, F_DATA_LEN, F_DESTINATION,
    F_DOMAINS, F_ULSM, F_ARGUMENT, F_ORIGIN_CATEGORY, F_ORIGIN, F_CTL_NUM, F_CTL_TIME, F_OPER_TIME, F_TEST, F_CHECK,
    F_SELECTED, F_CONTROL_ERROR, F_ADD_CAUSE, F_REPORT_ID, F_DATA_SET, F_SEQ, F_SUB_SEQ, F_MORE_SEGMENTS, F_ENTRY_TIME,
    F_OVERFLOW, F_ENTRY_ID, F_CONF_REV, F_INCLUDED, F_REASONS, F_ERROR_CODE, F_ERROR_TEXT, F_ORIGINAL_ID, F_ENTRIES,
    F_COUNT
};

enum mms_anomaly {
    A_TPKT_RESERVED, A_COTP_HEADER, A_COTP_CODE, A_COTP_SEGMENTS, A_TRAILING, A_SESSION, A_PRESENTATION, A_ACSE,
    A_FOREIGN, A_ENCODING, A_PDU_TYPE, A_SERVICE, A_PDU_SIZE, A_OUTSTANDING, A_INVOKE_REUSED, A_SERVICE_DIFFERS,
    A_RESULT_COUNT, A_DATA_COUNT, A_DATA_TYPE, A_NESTING, A_PASSWORD, A_REPORT, A_OVERFLOW, A_EXECUTE_DIFFERS,
    A_NO_ACSE, A_COUNT
};

/* Statuses: what kind of code, and the code. */
enum { ST_SERVICE = 0x1000 /* | class << 8 | code */, ST_DATA = 0x3000 /* DataAccessError */,
       ST_REJECT = 0x4000 /* | PDU << 8 | reason */, ST_CAUSE = 0x6000 /* AddCause */,
       ST_ASSOCIATE = 0x7000 /* | source << 8 | diagnostic */, ST_NOT_SELECTED = 0x7400, ST_REFUSED = 0x7401 };

enum { MMS_FILE_NAME = 48, MMS_CONTROLS = 4, MMS_NORMAL = 12 };

struct mms_flow {
    struct tpkt_flow tpkt;
    uint32_t max_pdu;              /* agreed; 0 unknown */
    uint32_t frsm;                 /* the file opened last, and its name (cut) */
    uint16_t max_open[2];          /* agreed requests outstanding, of client and server; 0 unknown */
    uint8_t lossy[2];              /* bytes of that sender were lost */
    uint8_t is_mms, bare;          /* bare: MMS stands in COTP without the layers between */
    uint8_t file_n, control_next;
    uint8_t n_open[2];             /* requests outstanding */
    char file[MMS_FILE_NAME];
    struct mms_control {           /* controls whose answer is awaited: what a LastApplError belongs to */
        uint32_t object, invoke;   /* hash of the object's name; 0 none */
    } control[MMS_CONTROLS];
    uint32_t normal[MMS_NORMAL];   /* objects whose ctlModel was read: nothing terminates their controls */
    uint8_t normal_next;
};
_Static_assert(sizeof(struct mms_flow) <= DIS_FLOW_STATE, "the MMS flow state is too large");

/* ---- mms_osi.c: session, presentation, ACSE ---- */

enum { /* SPDU identifiers, ISO 8327-1 8.3 */
    SPDU_DT = 1 /* also give tokens */, SPDU_NF = 8, SPDU_FN = 9, SPDU_DN = 10, SPDU_RF = 12, SPDU_CN = 13,
    SPDU_AC = 14, SPDU_AB = 25, SPDU_AA = 26, SPDU_BARE = 0xff /* none: an MMS PDU at once */
};
enum { OSI_SESSION = 1, OSI_PRESENTATION = 2, OSI_ACSE = 4, OSI_FOREIGN = 8 /* not these layers at all */ };
enum { ACSE_AARQ, ACSE_AARE, ACSE_RLRQ, ACSE_RLRE, ACSE_ABRT, ACSE_NONE = 0xff };
enum { AUTH_NONE, AUTH_PASSWORD, AUTH_BITS, AUTH_EXTERNAL, AUTH_OTHER };
enum { OSI_PDVS = 8 };

struct osi_entity { /* who an end of the association says it is */
    struct cur title;    /* OID, or empty */
    int64_t qualifier;
    bool has_title, has_qualifier;
};
struct osi {
    uint8_t spdu, faults, apdu, auth;
    uint8_t source;      /* AARE: 1 service user, 2 provider */
    bool has_result, joined;
    uint32_t result, diagnostic;
    struct osi_entity calling, called, responding;
    struct cur context;  /* application context name, OID */
    unsigned n;          /* presentation data values that are not ACSE's, and what ACSE carries */
    struct cur pdv[OSI_PDVS];
};
/* The layers of one TSDU. */
void osi_parse(struct cur c, struct osi *o);
/* Do these bytes, the beginning of a TSDU of `whole` bytes, look like MMS below these layers? */
enum match osi_probe(struct cur c, uint32_t whole, bool eot, bool on_port, uint8_t *dir);
/* Is this one MMS PDU, and nothing else? (bare: asked of bytes that nothing else vouches for) */
enum match mms_pdu_shape(struct cur c, bool whole);
/* Who sends this kind of PDU, as a rule. */
uint8_t mms_pdu_dir(uint32_t pdu);

/* ---- one message while it is read ---- */

struct mms {
    struct dis_ctx *x;
    struct mms_flow *st;
    const struct osi *osi;
    struct cur pdu;       /* the contents of the PDU */
    uint64_t anomalies;   /* added to the event before it is handed over */
    uint32_t invoke;
    uint32_t len;         /* of the PDU */
};

static inline void mms_anomaly(struct mms *m, enum mms_anomaly a)
{
    m->anomalies |= UINT64_C(1) << a;
}

extern const struct proto_schema mms_schema; /* mms_schema.c */

/* mms.c */
void mms_commit(struct mms *m, struct event *e);
void mms_wait(struct mms *m, struct event *e, uint64_t key);
/* Keys of waiting transactions: what is awaited, and of which requester. */
enum mms_key { KEY_CONFIRMED, KEY_INITIATE, KEY_CONCLUDE, KEY_CANCEL, KEY_EXECUTE, KEY_TERMINATION };
uint64_t mms_key(enum mms_key what, bool client_asked, uint32_t id);

/* mms_pdu.c: one MMS PDU. `whole` is its TLV. */
enum verdict mms_pdu(struct mms *m, struct cur whole);

/* mms_service.c: bodies of confirmed services */
void mms_service_request(struct mms *m, struct event *e, uint32_t service, struct cur body);
void mms_service_response(struct mms *m, struct event *e, uint32_t service, struct cur body);
/* Selector of an additional service (its tag), OP_ANY_SELECTOR of others. */
uint32_t mms_service_selector(uint32_t service, struct cur body);
void mms_status_body(struct mms *m, struct event *e, struct cur c);
void mms_text_field(struct event *e, uint8_t id, struct cur text);
void mms_u32_field(struct event *e, uint8_t id, struct cur number);

/* mms_names.c: names of objects */
struct mms_path { /* an item of IEC 61850-8-1: LN$FC$DO$...$attribute */
    struct span domain, ln, fc, data, last;
};
/* The next ObjectName (7.5.2) of c as "domain/item"; path may be NULL. False: none, or broken. */
bool mms_object_name(struct mms *m, struct event *e, struct cur *c, struct span *ret);
/* One VariableSpecification with its alternate access as an item of e. */
bool mms_variable(struct mms *m, struct event *e, struct cur *c);
struct mms_path mms_path(struct span name);
static inline bool span_is(struct span s, const char *text)
{
    return s.n && s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}
/* What a write (or a read) of this object does. */
uint32_t mms_selector(const struct mms_path *p, bool write);
/* FileName (D.4.2.1), the strings of a path joined by "/". False: none. */
bool mms_file_name(struct mms *m, struct event *e, struct cur c, struct span *ret);

/* mms_var.c: read, write, variable lists, types */
void mms_read_request(struct mms *m, struct event *e, struct cur c);
void mms_read_response(struct mms *m, struct event *e, struct cur c);
void mms_write_request(struct mms *m, struct event *e, struct cur c);
void mms_write_response(struct mms *m, struct event *e, struct cur c);
void mms_list_define(struct mms *m, struct event *e, struct cur c);
void mms_list_attributes(struct mms *m, struct event *e, struct cur c);
void mms_type_attributes(struct mms *m, struct event *e, struct cur c);
/* The variables of an access specification as items. True: a list by name, of which the members are not told. */
bool mms_access(struct mms *m, struct event *e, struct cur *c);
/* Who a read of its name plate tells the device is. */
void mms_learn(struct mms *m, const struct event *e);

/* mms_data.c: values of items */
enum { DATA_FAILURE = 0 }; /* AccessResult: no Data but a DataAccessError */
/* Set the value of an item: the leaves of these Data in order; quality, and quality of time, as quality. */
void mms_set_value(struct mms *m, struct item *it, struct span data);
/* The next Data (or AccessResult) of c, and its bytes; false at the end, or broken. */
bool mms_next_data(struct cur *c, struct span *raw, struct ber *t);

/* mms_control.c: IEC 61850 control: select, operate, cancel, termination */
/* A ctlModel was read: does a termination follow? */
void mms_control_model(struct mms *m, struct span name, uint64_t model);
bool mms_is_control(uint32_t selector);
/* The request of a control, which e is so far: goes on with the select that it belongs to, or is e itself. */
struct event *mms_control_request(struct mms *m, struct event *e, uint32_t service, struct cur body);
/* The answer; true when e was handed over. */
bool mms_control_response(struct mms *m, struct event *e);
/* A report of controls (command termination, LastApplError). False: it is another report. */
bool mms_control_report(struct mms *m, struct cur spec, struct cur results);
/* The structure that is written to Oper, SBOw, Cancel: its parameters as fields, ctlVal as the item's value. */
void mms_control_value(struct mms *m, struct event *e, struct item *it, struct span data);

/* mms_report.c: IEC 61850 reports */
void mms_information_report(struct mms *m, struct cur c);
