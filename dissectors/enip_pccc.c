/* enip_pccc.c: PCCC, the language of PLC-5, SLC 500 and MicroLogix, carried by CIP's Execute_PCCC.
 *
 * Spec: Rockwell 1770-6.5.16 "DF1 Protocol and Command Set", chapters 7 (commands), 8 (status), 13 (addresses);
 * 1747-RM001 (processor status file).
 *
 *   request   requestor id: length u8, vendor u16, serial u32 | CMD u8 | STS u8 | TNS u16 | FNC u8 | data
 *   reply     requestor id | CMD + 0x40 | STS | TNS | EXT STS, when STS is 0xf0 | data
 *
 * Addresses: "N7:0" in typed logical commands (file type, number, element, sub-element); PLC-5 system addresses
 * carry no type ("#7:0", "#" for the file) or are text ("$N7:0"). */
#include "dissectors/enip_int.h"

enum { CMD_REPLY = 0x40, STS_EXT = 0xf0 };

/* By command (high byte) and function (low byte); 0xff: the command has no function code. */
const struct code_name pccc_functions[] = {
    {0x00ff, "protected_write"}, {0x01ff, "unprotected_read"}, {0x02ff, "protected_bit_write"},
    {0x05ff, "unprotected_bit_write"}, {0x0600, "echo"}, {0x0601, "read_diagnostic_counters"},
    {0x0602, "set_variables"}, {0x0603, "diagnostic_status"}, {0x0604, "set_timeout"}, {0x0605, "set_naks"},
    {0x0606, "set_enqs"}, {0x0607, "reset_diagnostic_counters"}, {0x0608, "set_data_table_size"},
    {0x0609, "read_link_parameters"}, {0x060a, "set_link_parameters"}, {0x0700, "disable_outputs"},
    {0x0701, "enable_outputs"}, {0x0703, "enable_plc_scanning"}, {0x0704, "enter_download_mode"},
    {0x0705, "exit_download_upload_mode"}, {0x0706, "enter_upload_mode"}, {0x08ff, "unprotected_write"},
    {0x0f00, "word_range_write"}, {0x0f01, "word_range_read"}, {0x0f02, "bit_write"}, {0x0f03, "file_write"},
    {0x0f04, "file_read"}, {0x0f05, "download_request"}, {0x0f06, "upload"}, {0x0f07, "shutdown"},
    {0x0f08, "physical_write"}, {0x0f09, "physical_read"}, {0x0f0a, "restart_request"},
    {0x0f11, "get_edit_resource"}, {0x0f12, "return_edit_resource"}, {0x0f17, "read_bytes_physical"},
    {0x0f18, "write_bytes_physical"}, {0x0f26, "read_modify_write"}, {0x0f29, "read_section_size"},
    {0x0f3a, "set_cpu_mode"}, {0x0f41, "disable_forces"}, {0x0f50, "download_all_request"},
    {0x0f52, "download_completed"}, {0x0f53, "upload_all_request"}, {0x0f55, "upload_completed"},
    {0x0f57, "initialize_memory"}, {0x0f5e, "modify_plc2_compatibility_file"}, {0x0f67, "typed_write"},
    {0x0f68, "typed_read"}, {0x0f79, "read_modify_write_n"}, {0x0f80, "change_cpu_mode"}, {0x0f81, "open_file"},
    {0x0f82, "close_file"}, {0x0f88, "execute_multiple_commands"}, {0x0f8f, "apply_port_configuration"},
    {0x0fa1, "typed_logical_read_2"}, {0x0fa2, "typed_logical_read_3"}, {0x0fa7, "typed_file_read"},
    {0x0fa9, "typed_logical_write_2"}, {0x0faa, "typed_logical_write_3"}, {0x0fab, "typed_logical_masked_write_3"},
    {0x0faf, "typed_file_write"}, {0, NULL},
};

/* Chapter 8: local (low nibble) and remote (high nibble) errors. */
const struct code_name pccc_statuses[] = {
    {0x00, "success"}, {0x01, "destination_out_of_buffer_space"}, {0x02, "no_acknowledge_from_link_layer"},
    {0x03, "duplicate_token_holder"}, {0x04, "local_port_disconnected"}, {0x05, "application_layer_timed_out"},
    {0x06, "duplicate_node"}, {0x07, "station_offline"}, {0x08, "hardware_fault"}, {0x10, "illegal_command_or_format"},
    {0x20, "host_will_not_communicate"}, {0x30, "remote_node_missing"}, {0x40, "hardware_fault_of_host"},
    {0x50, "addressing_problem_or_memory_protected"}, {0x60, "command_protection"}, {0x70, "processor_in_program_mode"},
    {0x80, "compatibility_mode_file_missing"}, {0x90, "remote_node_cannot_buffer_command"}, {0xa0, "wait_ack"},
    {0xb0, "problem_due_to_download"}, {0xf0, "extended_status"}, {0, NULL},
};

const struct code_name pccc_file_types[] = {
    {0x22, "ladder"}, {0x49, "channel_configuration"}, {0x80, "program"}, {0x82, "output"}, {0x83, "input"},
    {0x84, "status"}, {0x85, "binary"}, {0x86, "timer"}, {0x87, "counter"}, {0x88, "control"}, {0x89, "integer"},
    {0x8a, "float"}, {0x8b, "output_logical"}, {0x8c, "input_logical"}, {0x8d, "string"}, {0x8e, "ascii"},
    {0x8f, "bcd"}, {0x91, "long"}, {0x92, "message"}, {0x93, "pid"}, {0xa1, "output_force"}, {0xa2, "input_force"},
    {0, NULL},
};

/* ---- what a function does ---- */

struct act {
    uint16_t fn;
    uint8_t action;
};
static const struct act acts[] = {
    /* clang-format off */
    {0x00ff, ACT_WRITE},     {0x01ff, ACT_READ},      {0x02ff, ACT_WRITE},     {0x05ff, ACT_WRITE},
    {0x0600, ACT_DIAGNOSE},  {0x0601, ACT_DIAGNOSE},  {0x0602, ACT_CONFIGURE}, {0x0603, ACT_DIAGNOSE},
    {0x0604, ACT_CONFIGURE}, {0x0605, ACT_CONFIGURE}, {0x0606, ACT_CONFIGURE}, {0x0607, ACT_DIAGNOSE},
    {0x0608, ACT_CONFIGURE}, {0x0609, ACT_DIAGNOSE},  {0x060a, ACT_CONFIGURE}, {0x0700, ACT_STOP},
    {0x0701, ACT_START},     {0x0703, ACT_START},     {0x0704, ACT_DOWNLOAD},  {0x0705, ACT_MODE},
    {0x0706, ACT_UPLOAD},    {0x08ff, ACT_WRITE},     {0x0f00, ACT_WRITE},     {0x0f01, ACT_READ},
    {0x0f02, ACT_WRITE},     {0x0f03, ACT_WRITE},     {0x0f04, ACT_READ},      {0x0f05, ACT_DOWNLOAD},
    {0x0f06, ACT_UPLOAD},    {0x0f07, ACT_STOP},      {0x0f08, ACT_DOWNLOAD},  {0x0f09, ACT_UPLOAD},
    {0x0f0a, ACT_RESET},     {0x0f11, ACT_LOCK},      {0x0f12, ACT_LOCK},      {0x0f17, ACT_UPLOAD},
    {0x0f18, ACT_DOWNLOAD},  {0x0f26, ACT_WRITE},     {0x0f29, ACT_READ},      {0x0f3a, ACT_MODE},
    {0x0f41, ACT_FORCE},     {0x0f50, ACT_DOWNLOAD},  {0x0f52, ACT_DOWNLOAD},  {0x0f53, ACT_UPLOAD},
    {0x0f55, ACT_UPLOAD},    {0x0f57, ACT_RESET},     {0x0f5e, ACT_CONFIGURE}, {0x0f67, ACT_WRITE},
    {0x0f68, ACT_READ},      {0x0f79, ACT_WRITE},     {0x0f80, ACT_MODE},      {0x0f81, ACT_FILE},
    {0x0f82, ACT_FILE},      {0x0f88, ACT_OTHER},     {0x0f8f, ACT_CONFIGURE}, {0x0fa1, ACT_READ},
    {0x0fa2, ACT_READ},      {0x0fa7, ACT_UPLOAD},    {0x0fa9, ACT_WRITE},     {0x0faa, ACT_WRITE},
    {0x0fab, ACT_WRITE},     {0x0faf, ACT_DOWNLOAD},
    /* clang-format on */
};

static void set_action(struct event *e, uint8_t action)
{
    e->action = action;
    for (unsigned i = 0; i < e->n_items; i++)
        e->items[i].action = action;
}

/* ---- addresses ---- */

struct file_type {
    uint8_t code, elem /* bytes of an element */, enc;
    const char *letter;
};
static const struct file_type file_types[] = {
    {0x82, 2, VE_U16LE, "O"}, {0x83, 2, VE_U16LE, "I"}, {0x84, 2, VE_U16LE, "S"}, {0x85, 2, VE_U16LE, "B"},
    {0x86, 6, VE_U16LE, "T"}, {0x87, 6, VE_U16LE, "C"}, {0x88, 6, VE_U16LE, "R"}, {0x89, 2, VE_I16LE, "N"},
    {0x8a, 4, VE_F32LE, "F"}, {0x8b, 2, VE_U16LE, "O"}, {0x8c, 2, VE_U16LE, "I"}, {0x8d, 84, VE_BYTES, "ST"},
    {0x8e, 2, VE_U16LE, "A"}, {0x8f, 2, VE_U16LE, "D"}, {0x91, 4, VE_I32LE, "L"}, {0x92, 50, VE_BYTES, "MG"},
    {0x93, 46, VE_BYTES, "PD"},
};

static const struct file_type *file_type(uint32_t code)
{
    for (unsigned i = 0; i < ARRAY_LEN(file_types); i++)
        if (file_types[i].code == code)
            return &file_types[i];
    return NULL;
}

/* 13-11: a byte, or 0xff and a word. */
static uint32_t compact(struct cur *c)
{
    uint32_t v = cur_u8(c);
    return v == 0xff ? cur_u16le(c) : v;
}

static void name_item(struct event *e, const struct txt *t)
{
    e->n_items = 0;
    e->items_total = 0;
    ev_named(e, CK_PCCC, ev_text_copy(e, t->p, t->n));
}

static void logical_item(struct event *e, uint32_t file, uint32_t type, uint32_t element, uint32_t sub)
{
    uint8_t buf[48];
    struct txt t = {.p = buf, .cap = sizeof buf};
    const struct file_type *f = file_type(type);
    if (f)
        txt_str(&t, f->letter);
    else
        txt_hex(&t, type), txt_chr(&t, '-');
    txt_dec(&t, file);
    txt_chr(&t, ':');
    txt_dec(&t, element);
    static const char *const timer_words[] = {"", ".PRE", ".ACC"};
    if ((type == 0x86 || type == 0x87) && sub < 3)
        txt_str(&t, timer_words[sub]);
    else if (sub) {
        txt_chr(&t, '.');
        txt_dec(&t, sub);
    }
    name_item(e, &t);
    ev_u64(e, CF_P_FILE, type);
}

/* 13-9: system addresses: a mask of the levels that follow (bit 0: area, 1: file, 2: element, 3: sub-element), or
 * 0x00 '$' text 0x00. */
static void system_item(struct event *e, struct cur *c)
{
    uint8_t buf[64];
    struct txt t = {.p = buf, .cap = sizeof buf};
    uint8_t mask = cur_u8(c);
    if (mask == 0) {
        cur_skip(c, cur_peek(c, 0) == '$');
        for (uint8_t ch; cur_left(c) && (ch = cur_u8(c)) != 0;)
            txt_chr(&t, (char)ch);
        name_item(e, &t);
        return;
    }
    txt_chr(&t, '#');
    for (unsigned level = 0; level < 7; level++) {
        if (!(mask >> level & 1))
            continue;
        uint32_t v = compact(c);
        if (level == 0)
            continue; /* the data table's area */
        if (level > 1)
            txt_chr(&t, level == 2 ? ':' : '.');
        txt_dec(&t, v);
    }
    if (cur_ok(c))
        name_item(e, &t);
}

static void item_values(struct event *e, uint32_t type, struct cur c)
{
    struct item *it = cip_first_item(e);
    const struct file_type *f = file_type(type);
    uint32_t n = cur_left(&c);
    if (!it || it->kind != CK_PCCC || !n) {
        cip_raw(e, CF_RESPONSE_DATA, c);
        return;
    }
    uint32_t size = !f || f->enc == VE_BYTES ? n : f->elem == 6 ? 2 : f->elem;
    if (size > n)
        size = n; /* one sub-element: a word of a larger element */
    it->v.raw = cur_bytes(&c, n);
    it->v.n = (uint16_t)(n / size);
    it->v.stride = (uint16_t)size;
    it->v.enc = f && f->enc != VE_BYTES && (size == f->elem || f->elem == 6) ? f->enc : size == 2 ? VE_U16LE : VE_BYTES;
}

/* Typed data: flag byte: high nibble type, low nibble size; bit 7, bit 3: given in as many bytes as the bits below
 * say. */
static uint32_t descriptor(struct cur *c, uint32_t *size)
{
    uint8_t flag = cur_u8(c);
    uint32_t type = flag >> 4 & 7, n = flag & 7;
    if (flag & 0x80)
        for (uint32_t k = type & 3, i = type = 0; i < k; i++)
            type |= (uint32_t)cur_u8(c) << 8 * i;
    if (flag & 8)
        for (uint32_t k = n & 3, i = n = 0; i < k; i++)
            n |= (uint32_t)cur_u8(c) << 8 * i;
    *size = n;
    return type;
}

static void typed_values(struct event *e, struct cur c)
{
    uint32_t size, type = descriptor(&c, &size);
    if (type == 9) /* array: the elements' descriptor follows */
        type = descriptor(&c, &size);
    if (cur_ok(&c))
        item_values(e, type == 8 ? 0x8a : 0x89, c);
}

/* ---- requests ---- */

/* A1, A2 reads; A9, AA writes; AB masked write. */
static void typed_logical(struct event *e, uint32_t fn, struct cur c)
{
    bool three = fn == 0x0fa2 || fn == 0x0faa || fn == 0x0fab;
    uint32_t size = cur_u8(&c), file = compact(&c), type = cur_u8(&c), element = compact(&c);
    uint32_t sub = three ? compact(&c) : 0;
    if (!cur_ok(&c)) {
        ev_anomaly(e, CA_PCCC);
        return;
    }
    ev_u64(e, CF_P_SIZE, size);
    logical_item(e, file, type, element, sub);
    if (fn == 0x0fab) {
        struct span mask = cur_bytes(&c, 2);
        ev_span(e, CF_MASK_OR, mask);
    }
    if (fn == 0x0fa9 || fn == 0x0faa || fn == 0x0fab)
        item_values(e, type, c);
}

/* PLC-5: offset u16, total u16, address, size or data. */
static void word_range(struct event *e, uint32_t fn, struct cur c)
{
    ev_u64(e, CF_OFFSET, cur_u16le(&c));
    ev_u64(e, CF_ELEMENTS, cur_u16le(&c));
    system_item(e, &c);
    if (fn == 0x0f01 && cur_left(&c))
        ev_u64(e, CF_P_SIZE, cur_u8(&c));
    else if (fn == 0x0f68 && cur_left(&c) >= 2)
        ev_u64(e, CF_P_SIZE, cur_u16le(&c));
    else if (fn == 0x0f00)
        item_values(e, 0x89, c);
    else if (fn == 0x0f67)
        typed_values(e, c);
    if (!cur_ok(&c))
        ev_anomaly(e, CA_PCCC);
}

static void modify(struct event *e, struct cur c)
{
    system_item(e, &c);
    ev_span(e, CF_MASK_AND, cur_bytes(&c, 2));
    ev_span(e, CF_MASK_OR, cur_bytes(&c, 2));
    if (!cur_ok(&c))
        ev_anomaly(e, CA_PCCC);
}

/* PLC-2 compatible commands: byte address u16, then data, or the size to read. */
static void basic(struct event *e, uint32_t fn, struct cur c)
{
    uint8_t buf[16];
    struct txt t = {.p = buf, .cap = sizeof buf};
    txt_str(&t, "word:");
    txt_dec(&t, cur_u16le(&c) / 2u);
    name_item(e, &t);
    if (fn == 0x01ff)
        ev_u64(e, CF_P_SIZE, cur_u8(&c));
    else
        item_values(e, 0x89, c);
    if (!cur_ok(&c))
        ev_anomaly(e, CA_PCCC);
}

/* 80 (SLC 500): 1 program, 6 run, 7-9 test. 3A (MicroLogix 1000): 1 program, 2 run; (PLC-5): bits 0-1: 0 program, 1
 * test, 2 run. */
static void change_mode(struct event *e, uint32_t fn, struct cur c)
{
    uint8_t mode = cur_u8(&c);
    if (!cur_ok(&c)) {
        ev_anomaly(e, CA_PCCC);
        return;
    }
    ev_u64(e, CF_P_MODE, mode);
    bool run = fn == 0x0f80 ? mode == 6 : (mode & 3) == 2;
    bool stop = fn == 0x0f80 ? mode == 1 : (mode & 3) == 0 || mode == 1;
    set_action(e, run ? ACT_START : stop ? ACT_STOP : ACT_MODE);
}

/* 88: count u8, then a length u8 and a command each; what matters are those that write. */
static void many(struct event *e, struct cur c)
{
    uint8_t n = cur_u8(&c);
    ev_u64(e, CF_COUNT, n);
    while (n-- && cur_left(&c) >= 2) {
        struct cur one = cur_sub(&c, cur_u8(&c));
        uint32_t fn = 0x0f00u | cur_u8(&one);
        for (unsigned i = 0; i < ARRAY_LEN(acts); i++)
            if (acts[i].fn == fn && acts[i].action != ACT_READ)
                set_action(e, acts[i].action);
    }
    if (!cur_ok(&c))
        ev_anomaly(e, CA_PCCC);
}

static void function_body(struct event *e, uint32_t fn, struct cur c)
{
    if ((fn >= 0x0fa1 && fn <= 0x0fa2) || (fn >= 0x0fa9 && fn <= 0x0fab))
        typed_logical(e, fn, c);
    else if (fn == 0x0f00 || fn == 0x0f01 || fn == 0x0f67 || fn == 0x0f68)
        word_range(e, fn, c);
    else if (fn == 0x0f26)
        modify(e, c);
    else if (fn == 0x00ff || fn == 0x01ff || fn == 0x08ff)
        basic(e, fn, c);
    else if (fn == 0x0f80 || fn == 0x0f3a)
        change_mode(e, fn, c);
    else if (fn == 0x0f88)
        many(e, c);
    else
        cip_raw(e, CF_REQUEST_DATA, c);
}

/* Length, vendor, serial number, and perhaps more. */
static void requestor(struct event *e, struct cur *c, bool fields)
{
    uint8_t len = cur_u8(c);
    struct cur id = cur_sub(c, len ? len - 1u : 0);
    uint16_t vendor = cur_u16le(&id);
    uint32_t serial = cur_u32le(&id);
    if (!cur_ok(c) || len < 7)
        ev_anomaly(e, CA_PCCC);
    else if (fields) {
        ev_u64(e, CF_P_VENDOR, vendor);
        ev_u64(e, CF_P_SERIAL, serial);
    }
}

void pccc_req(struct cip_svc *s, struct cur c)
{
    struct event *e = s->e;
    requestor(e, &c, true);
    uint8_t cmd = cur_u8(&c), sts = cur_u8(&c);
    uint16_t tns = cur_u16le(&c);
    if (!cur_ok(&c)) {
        if (!s->x->cut)
            ev_anomaly(e, CA_PCCC);
        return;
    }
    cmd &= 0x3f;
    bool no_fn = cmd <= 5 || cmd == 8;
    uint32_t fn = (uint32_t)cmd << 8 | (no_fn ? 0xff : cur_u8(&c));
    ev_u64(e, CF_P_FUNCTION, fn);
    ev_u64(e, CF_P_TRANSACTION, tns);
    if (sts || !cur_ok(&c))
        ev_anomaly(e, CA_PCCC);
    set_action(e, ACT_OTHER);
    for (unsigned i = 0; i < ARRAY_LEN(acts); i++)
        if (acts[i].fn == fn)
            set_action(e, acts[i].action);
    function_body(e, fn, c);
}

/* ---- replies ---- */

/* 06/03 of SLC 500 and MicroLogix: status u8, 0xee, interface, processor, series and revision, name[11], ..., mode at
 * byte 18 (low five bits as in S:1). */
static void diagnostic_status(struct cip_svc *s, struct cur c)
{
    static const struct code_name modes[] = {
        {0x00, "download"}, {0x01, "program"}, {0x03, "suspend"}, {0x06, "run"}, {0x07, "test"}, {0x08, "test"},
        {0x09, "test"}, {0x10, "download"}, {0x11, "program"}, {0x1b, "suspend"}, {0x1e, "run"}, {0, NULL},
    };
    cur_skip(&c, 1);
    if (cur_u8(&c) != 0xee || cur_left(&c) < 14)
        return;
    cur_skip(&c, 2);
    uint8_t series = cur_u8(&c);
    struct span name = cur_bytes(&c, 11);
    obs_text(s->x, &cip_schema, OBS_SERVER, cip_sub(s->e), OBS_MODEL, name, 90);
    obs_fmt(s->x, &cip_schema, OBS_SERVER, cip_sub(s->e), OBS_FIRMWARE, 60, "series %c revision %c",
            'A' + (series >> 5), 'A' + (series & 31));
    cur_skip(&c, 2);
    uint8_t mode = cur_u8(&c) & 0x1f;
    if (!cur_ok(&c))
        return;
    ev_u64(s->e, CF_P_MODE, mode);
    const char *state = code_name(modes, mode);
    if (state)
        obs_fmt(s->x, &cip_schema, OBS_SERVER, cip_sub(s->e), OBS_STATE, 80, "%s", state);
}

static void fn_reply(struct cip_svc *s, uint32_t fn, struct cur c)
{
    uint32_t type = (uint32_t)cip_field(s->e, CF_P_FILE, 0, 0);
    if (fn == 0x0603)
        diagnostic_status(s, c);
    if (fn == 0x0fa1 || fn == 0x0fa2)
        item_values(s->e, type, c);
    else if (fn == 0x0f01 || fn == 0x01ff)
        item_values(s->e, 0x89, c);
    else if (fn == 0x0f68)
        typed_values(s->e, c);
    else
        cip_raw(s->e, CF_RESPONSE_DATA, c);
    if ((fn == 0x0f80 || fn == 0x0f3a) && (s->e->action == ACT_START || s->e->action == ACT_STOP))
        obs_fmt(s->x, &cip_schema, OBS_SERVER, cip_sub(s->e), OBS_STATE, 80, "%s",
                s->e->action == ACT_START ? "run" : "program");
}

void pccc_rsp(struct cip_svc *s, struct cur c)
{
    struct event *e = s->e;
    if (s->status)
        return;
    requestor(e, &c, e->kind != EV_TRANSACTION);
    uint8_t cmd = cur_u8(&c), sts = cur_u8(&c);
    uint16_t tns = cur_u16le(&c);
    if (!cur_ok(&c) || !(cmd & CMD_REPLY)) {
        if (!s->x->cut)
            ev_anomaly(e, CA_PCCC);
        return;
    }
    if (e->kind != EV_TRANSACTION)
        ev_u64(e, CF_P_TRANSACTION, tns);
    else if (cip_field(e, CF_P_TRANSACTION, 0, tns) != tns)
        ev_anomaly(e, CA_PCCC);
    ev_u64(e, CF_P_STATUS, sts);
    if (sts) { /* CIP carried it well; the controller refused it */
        e->error = 1;
        e->outcome = OUT_REFUSED;
        e->error_name = code_name(pccc_statuses, sts);
        if (sts == STS_EXT && cur_left(&c)) {
            uint8_t ext = cur_u8(&c);
            ev_u64(e, CF_P_EXT_STATUS, ext);
            e->error_name = code_name(pccc_ext_statuses, ext);
        }
        return;
    }
    fn_reply(s, (uint32_t)cip_field(e, CF_P_FUNCTION, 0, 0), c);
}
