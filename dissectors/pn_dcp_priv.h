/* pn_dcp_priv.h: between the files of PROFINET DCP. */
#pragma once

#include "dissectors/dissector.h"

enum dcp_service { DCP_GET = 3, DCP_SET = 4, DCP_IDENTIFY = 5, DCP_HELLO = 6 };
enum dcp_type { DCP_REQUEST = 0, DCP_SUCCESS = 1, DCP_NOT_SUPPORTED = 5 };
#define DCP_FN(service, type) ((uint32_t)(service) << 8 | (type))
#define DCP_CODE(option, suboption) ((uint32_t)(option) << 8 | (suboption))

enum dcp_field {
    PF_FRAME_ID, PF_XID, PF_DELAY, PF_NAME, PF_TYPE, PF_VENDOR, PF_DEVICE, PF_ROLE, PF_ALIAS, PF_INSTANCE,
    PF_OEM_VENDOR, PF_OEM_DEVICE, PF_OPTION, PF_MAC, PF_IP, PF_MASK, PF_GATEWAY, PF_DNS, PF_IP_STATE, PF_DHCP,
    PF_DHCP_USE, PF_SIGNAL, PF_RESET, PF_PERMANENT, PF_INITIATIVE, PF_BLOCK_ERROR, PF_COUNT
};

enum dcp_kind { PK_PARAMETER, PK_STATION, PK_COUNT };

enum dcp_anomaly {
    PA_HEADER, PA_LENGTH, PA_BLOCK, PA_VALUE, PA_SERVICE, PA_FRAME_ID, PA_NAME, PA_IP_CONFLICT, PA_IP_ZERO,
    PA_NAME_EMPTY, PA_UNKNOWN_BLOCK, PA_COUNT
};

/* One PDU while it is read. */
struct dcp {
    struct dis_ctx *x;
    struct event *e;
    uint8_t service, type;
    bool has_value;      /* blocks carry a value: responses, Hello, Set and Identify requests */
    bool has_info;       /* behind the block's length stands BlockInfo or BlockQualifier */
    bool about_sender;   /* values are the sender's own */
    uint16_t vendor, device;
};

/* One block: option, suboption, and its contents behind the length. */
void dcp_block(struct dcp *d, uint32_t code, struct cur body);
/* The block that a Set response consists of: which option, with what result. */
void dcp_result(struct dcp *d, struct cur body);
const char *dcp_parameter_name(uint32_t code); /* NULL for unknown ones */

extern const struct proto_schema pn_dcp_schema;
extern const struct code_name dcp_options[];
