/* enip_tag.c: tags of Logix controllers and their kin, symbol and template lists, uploads by offset, the File object.
 *
 * Spec: Rockwell 1756-PM020 "Logix 5000 Controllers Data Access"; CIP Vol 1, 5A-42 (File object).
 *
 *   Read Tag            count u16
 *   Read Tag Fragmented count u16, offset u32
 *   Write Tag           type u16 (a structure: 0x02A0, handle u16), count u16, data
 *   Write Tag Fragm.    the same, offset u32 before the data
 *   Read Modify Write   mask size u16, OR mask, AND mask
 *   reply to a read     type u16 (handle u16), data */
#include "dissectors/enip_int.h"

enum { TYPE_STRUCT = 0xa0, HANDLE_STRING = 0x0fce };

static void short_body(struct cip_svc *s, const struct cur *c)
{
    if (!cur_ok(c) && !s->x->cut)
        ev_anomaly(s->e, CA_DATA_SIZE);
}

/* Type, and the handle where it is a structure. */
static uint16_t read_type(struct cip_svc *s, struct cur *c)
{
    uint16_t type = cur_u16le(c);
    if (!cur_ok(c))
        return 0;
    ev_u64(s->e, CF_DATA_TYPE, type & 0xff);
    if ((type & 0xff) == TYPE_STRUCT)
        ev_u64(s->e, CF_HANDLE, cur_u16le(c));
    else if (!cip_type(type & 0xff) && !s->x->cut)
        ev_anomaly(s->e, CA_TYPE);
    return type & 0xff;
}

/* Values of a tag. A Logix STRING is a structure of a fixed handle: length u32, 82 characters. */
static void tag_values(struct cip_svc *s, uint16_t type, struct cur c, uint32_t n)
{
    struct item *it = cip_first_item(s->e);
    if (!it) {
        cip_raw(s->e, CF_RESPONSE_DATA, c);
        return;
    }
    struct cur text = c;
    uint32_t len = cur_u32le(&text);
    if (type == TYPE_STRUCT && cip_field(s->e, CF_HANDLE, 0, 0) == HANDLE_STRING && cur_ok(&text) && n <= 1 &&
        len <= cur_left(&text)) {
        it->v.raw = cur_bytes(&text, len);
        it->v.n = 1;
        it->v.enc = VE_NOW_TEXT;
        return;
    }
    cip_values(it, type, cur_bytes(&c, cur_left(&c)), type == TYPE_STRUCT ? 1 : n);
}

void tag_read_req(struct cip_svc *s, struct cur c)
{
    ev_u64(s->e, CF_ELEMENTS, cur_u16le(&c));
    short_body(s, &c);
}

void tag_read_frag_req(struct cip_svc *s, struct cur c)
{
    ev_u64(s->e, CF_ELEMENTS, cur_u16le(&c));
    ev_u64(s->e, CF_OFFSET, cur_u32le(&c));
    short_body(s, &c);
}

void tag_read_rsp(struct cip_svc *s, struct cur c)
{
    if (s->status != 0 && s->status != 6)
        return;
    uint16_t type = read_type(s, &c);
    short_body(s, &c);
    tag_values(s, type, c, 0);
}

static void tag_write(struct cip_svc *s, struct cur c, bool fragment)
{
    uint16_t type = read_type(s, &c), n = cur_u16le(&c);
    ev_u64(s->e, CF_ELEMENTS, n);
    if (fragment)
        ev_u64(s->e, CF_OFFSET, cur_u32le(&c));
    short_body(s, &c);
    const struct cip_type *t = cip_type(type);
    if (!fragment && t && t->size && cur_ok(&c) && (uint32_t)n * t->size > cur_left(&c) && !s->x->cut)
        ev_anomaly(s->e, CA_DATA_SIZE);
    tag_values(s, type, c, n);
}

void tag_write_req(struct cip_svc *s, struct cur c)
{
    tag_write(s, c, false);
}

void tag_write_frag_req(struct cip_svc *s, struct cur c)
{
    tag_write(s, c, true);
}

void tag_modify_req(struct cip_svc *s, struct cur c)
{
    uint16_t n = cur_u16le(&c);
    struct span or_mask = cur_bytes(&c, n), and_mask = cur_bytes(&c, n);
    short_body(s, &c);
    ev_span(s->e, CF_MASK_OR, or_mask);
    ev_span(s->e, CF_MASK_AND, and_mask);
}

/* ---- Get_Instance_Attribute_List ---- */

void tag_list_req(struct cip_svc *s, struct cur c)
{
    uint16_t n = cur_u16le(&c);
    ev_u64(s->e, CF_COUNT, n);
    if (!s->x->cut && (!cur_ok(&c) || n * 2u > cur_left(&c)))
        ev_anomaly(s->e, CA_DATA_SIZE);
    while (n-- && cur_left(&c) >= 2)
        ev_u64(s->e, CF_ATTRIBUTE, cur_u16le(&c));
}

/* Bytes of an attribute of the symbol object in a list; 0: unknown. PM020, "Symbol object". */
static uint32_t symbol_attr_len(uint32_t attr)
{
    static const uint8_t len[] = {[2] = 2, [3] = 4, [5] = 4, [6] = 4, [7] = 2, [8] = 12, [9] = 1, [10] = 1, [11] = 1};
    return attr < ARRAY_LEN(len) ? len[attr] : 0;
}

/* The list of one program is asked for by "Program:Main/symbol/0": its name is the scope of the tags. */
static struct span list_scope(const struct event *e)
{
    static const char end[] = "/symbol";
    struct span s = e->n_items && e->items[0].kind == CK_TAG ? e->items[0].name : (struct span){0};
    for (uint32_t i = 0; i + sizeof end - 1 <= s.n; i++)
        if (memcmp(s.p + i, end, sizeof end - 1) == 0)
            return (struct span){s.p, i};
    return s;
}

static void list_name(struct event *e, struct span scope, struct span name)
{
    uint8_t buf[EPATH_TEXT];
    struct txt t = {.p = buf, .cap = sizeof buf};
    if (scope.n) {
        txt_mem(&t, scope.p, scope.n);
        txt_chr(&t, '.');
    }
    txt_mem(&t, name.p, name.n);
    ev_named(e, CK_TAG, ev_text_copy(e, t.p, t.n));
}

/* Entries of instance u32 and the attributes asked for, until the bytes end. The names become items: what exists. */
void tag_list_rsp(struct cip_svc *s, struct cur c)
{
    if ((s->status != 0 && s->status != 6) || s->cls != CLS_SYMBOL) {
        body_raw_rsp(s, c);
        return;
    }
    struct span scope = list_scope(s->e);
    uint32_t n = 0;
    while (cur_left(&c) >= 4 && cur_ok(&c)) {
        cur_skip(&c, 4);
        for (unsigned i = 0; i < EV_MAX_FIELDS; i++) {
            uint32_t attr = (uint32_t)cip_field(s->e, CF_ATTRIBUTE, i, UINT32_MAX);
            if (attr == UINT32_MAX)
                break;
            if (attr == 1) {
                struct span name = cur_bytes(&c, cur_u16le(&c));
                if (!cur_ok(&c) || !name.n)
                    break;
                list_name(s->e, scope, name);
                n++;
                continue;
            }
            uint32_t len = symbol_attr_len(attr);
            cur_skip(&c, len ? len : cur_left(&c) + 1); /* unknown: no entry after it can be found */
        }
    }
    ev_u64(s->e, CF_ELEMENTS, n);
}

/* ---- reads by offset ---- */

/* Template read: offset u32, bytes u16 (PM020). Uploads of routines and data use the same layout. */
void template_read_req(struct cip_svc *s, struct cur c)
{
    ev_u64(s->e, CF_OFFSET, cur_u32le(&c));
    ev_u64(s->e, CF_DATA_LEN, cur_u16le(&c));
    short_body(s, &c);
}

void offset_read_req(struct cip_svc *s, struct cur c)
{
    if (cur_left(&c) < 6) {
        cip_raw(s->e, CF_REQUEST_DATA, c);
        return;
    }
    ev_u64(s->e, CF_OFFSET, cur_u32le(&c));
    ev_u64(s->e, CF_DATA_LEN, cur_u16le(&c));
    cip_raw(s->e, CF_REQUEST_DATA, c);
}

/* ---- File object, 5A-42 ---- */

/* Initiate_Upload: maximum transfer size u8. Initiate_Download: file size u32, instance format u16, revision 2 bytes,
 * name STRINGI-less SHORT_STRING. */
void file_start_req(struct cip_svc *s, struct cur c)
{
    if (s->service == 0x4b || s->service == 0x4d) {
        if (cur_left(&c) == 1)
            ev_u64(s->e, CF_TRANSFER, cur_u8(&c));
        else
            cip_raw(s->e, CF_REQUEST_DATA, c);
        if (s->instance == 0xc8) /* the device's own EDS: a description, not a program */
            s->e->action = ACT_READ;
        return;
    }
    ev_u64(s->e, CF_FILE_SIZE, cur_u32le(&c));
    cur_skip(&c, 4);
    struct span name = cur_bytes(&c, cur_u8(&c));
    if (cur_ok(&c) && name.n)
        ev_span(s->e, CF_FILE_NAME, name);
    short_body(s, &c);
}

/* Upload: file size u32, transfer size u8. Download: incremental burn u32, burn time u16, transfer size u8. */
void file_start_rsp(struct cip_svc *s, struct cur c)
{
    if (s->status)
        return;
    if (s->service == 0x4b) {
        ev_u64(s->e, CF_FILE_SIZE, cur_u32le(&c));
        ev_u64(s->e, CF_TRANSFER, cur_u8(&c));
    }
    cip_raw(s->e, CF_RESPONSE_DATA, c);
}

enum { PACKET_TYPES = 5 }; /* first, middle, last, abort, first and last */

static void file_packet(struct cip_svc *s, struct cur c, uint8_t raw)
{
    uint8_t type = cur_u8(&c);
    if (type >= PACKET_TYPES && !s->x->cut)
        ev_anomaly(s->e, CA_DATA_SIZE);
    ev_u64(s->e, CF_DATA_LEN, cur_left(&c));
    cip_raw(s->e, raw, cur_left(&c) > 32 ? cur_sub(&c, 32) : c);
}

/* Upload_Transfer: number u8. Download_Transfer: number u8, type u8, data. */
void file_transfer_req(struct cip_svc *s, struct cur c)
{
    ev_u64(s->e, CF_TRANSFER, cur_u8(&c));
    short_body(s, &c);
    if (s->service == 0x50)
        file_packet(s, c, CF_REQUEST_DATA);
    if (s->service == 0x4f && s->instance == 0xc8)
        s->e->action = ACT_READ;
}

void file_transfer_rsp(struct cip_svc *s, struct cur c)
{
    if (s->status || s->service != 0x4f)
        return;
    cur_skip(&c, 1);
    file_packet(s, c, CF_RESPONSE_DATA);
}
