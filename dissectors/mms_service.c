/* mms_service.c: the bodies of confirmed services: what they are about, and what the answers tell. */
#include "dissectors/mms.h"

enum { MAX_NAMES = 24 /* of a list that a record shows */, MAX_OBJECTS = 64 };

void mms_text_field(struct event *e, uint8_t id, struct cur text)
{
    ev_span(e, id, cur_rest(&text));
}

void mms_u32_field(struct event *e, uint8_t id, struct cur number)
{
    uint32_t n;
    if (ber_u32(number, &n))
        ev_u64(e, id, n);
}

static void i64_field(struct event *e, uint8_t id, struct cur number)
{
    int64_t n;
    if (ber_i64(number, &n))
        ev_i64(e, id, n);
}

static void bool_field(struct event *e, uint8_t id, struct cur v)
{
    bool b;
    if (ber_bool(v, &b))
        ev_u64(e, id, b);
}

static void text_item(struct event *e, uint8_t kind, struct cur text)
{
    ev_named(e, kind, cur_rest(&text));
}

/* ---- get name list (13.4) ---- */

static void name_list_request(struct mms *m, struct event *e, struct cur c)
{
    struct ber t, v;
    (void)m;
    while (ber_next(&c, &t)) {
        if (t.id == BER_CTX(0) && ber_next(&t.body, &v) && v.id == BER_CTX(0))
            mms_u32_field(e, F_OBJECT_CLASS, v.body);
        else if (t.id == BER_CTX(1) && ber_next(&t.body, &v) && v.id == BER_CTX(1))
            text_item(e, K_DOMAIN, v.body);
        else if (t.id == BER_CTX(1))
            ev_item(e, K_VMD);
        else if (t.id == BER_CTX(2))
            mms_text_field(e, F_CONTINUE_AFTER, t.body);
    }
}

/* Were domains asked for, of the whole device? Their names are the logical devices. */
static bool asked_domains(const struct event *e)
{
    bool domains = false;
    for (unsigned i = 0; i < e->n_fields; i++)
        domains |= e->fields[i].id == F_OBJECT_CLASS && e->fields[i].v.u == 9;
    return domains && e->n_items == 1 && e->items[0].kind == K_VMD;
}

static void name_list_response(struct mms *m, struct event *e, struct cur c)
{
    struct ber t, v;
    uint32_t n = 0;
    bool domains = asked_domains(e);
    while (ber_next(&c, &t)) {
        if (t.id == BER_CTX(1))
            bool_field(e, F_MORE, t.body);
        while (t.id == BER_CTX(0) && ber_next(&t.body, &v)) {
            struct span name = cur_rest(&v.body);
            if (n++ >= MAX_NAMES)
                continue;
            ev_span(e, F_NAMES, name);
            if (domains)
                obs_text(m->x, &mms_schema, OBS_SERVER, OBS_SELF, OBS_PROTO_ADDR, name, 90);
        }
    }
    ev_u64(e, F_NAME_COUNT, n);
}

/* ---- identify, status ---- */

static void identify_response(struct mms *m, struct event *e, struct cur c)
{
    static const uint8_t ids[] = {F_VENDOR, F_MODEL, F_REVISION}, kinds[] = {OBS_VENDOR, OBS_MODEL, OBS_FIRMWARE};
    struct ber t;
    while (ber_next(&c, &t)) {
        uint32_t n = ber_number(&t);
        if (t.id >> 30 != BER_CONTEXT || n >= ARRAY_LEN(ids))
            continue;
        struct span text = cur_rest(&t.body);
        ev_span(e, ids[n], text);
        obs_text(m->x, &mms_schema, OBS_SERVER, OBS_SELF, kinds[n], text, 90);
    }
}

void mms_status_body(struct mms *m, struct event *e, struct cur c)
{
    struct ber t;
    uint32_t n;
    while (ber_next(&c, &t)) {
        if (ber_number(&t) > 1 || !ber_u32(t.body, &n))
            continue;
        ev_u64(e, ber_number(&t) ? F_PHYSICAL_STATUS : F_LOGICAL_STATUS, n);
        const char *name = ber_number(&t) ? code_name(mms_schema.fields[F_PHYSICAL_STATUS].names, n) : NULL;
        if (name)
            obs_fmt(m->x, &mms_schema, OBS_SERVER, OBS_SELF, OBS_STATE, 80, "%s", name);
    }
}

static void status_response(struct mms *m, struct event *e, struct cur c)
{
    mms_status_body(m, e, c);
}

/* ---- files (annex D) ---- */

static void file_attributes(struct event *e, struct cur c)
{
    struct ber t;
    while (ber_next(&c, &t)) {
        if (t.id == BER_CTX(0))
            mms_u32_field(e, F_FILE_SIZE, t.body);
        else if (t.id == BER_CTX(1))
            mms_text_field(e, F_FILE_TIME, t.body);
    }
}

static void file_item(struct mms *m, struct event *e, struct cur name)
{
    struct span text;
    if (mms_file_name(m, e, name, &text))
        ev_named(e, K_FILE, text);
}

static void file_open_request(struct mms *m, struct event *e, struct cur c)
{
    struct ber t;
    while (ber_next(&c, &t)) {
        if (t.id == BER_CTX(0))
            file_item(m, e, t.body);
        else if (t.id == BER_CTX(1))
            mms_u32_field(e, F_POSITION, t.body);
    }
}

static void file_open_response(struct mms *m, struct event *e, struct cur c)
{
    struct ber t;
    uint32_t id = 0;
    bool has = false;
    while (ber_next(&c, &t)) {
        if (t.id == BER_CTX(0)) {
            has = ber_u32(t.body, &id);
            i64_field(e, F_FRSM, t.body);
        } else if (t.id == BER_CTX(1)) {
            file_attributes(e, t.body);
        }
    }
    m->st->file_n = 0;
    if (!has || !e->n_items)
        return;
    struct span name = e->items[0].name;
    m->st->frsm = id;
    m->st->file_n = (uint8_t)(name.n < MMS_FILE_NAME ? name.n : MMS_FILE_NAME);
    if (m->st->file_n)
        memcpy(m->st->file, name.p, m->st->file_n);
}

/* The file of an id, where its opening was seen, else the id. */
static void open_file(struct mms *m, struct event *e, struct cur number)
{
    uint32_t id;
    if (!ber_u32(number, &id))
        return;
    ev_i64(e, F_FRSM, id);
    if (m->st->file_n && m->st->frsm == id)
        ev_named(e, K_FILE, ev_text_copy(e, m->st->file, m->st->file_n));
    else
        ev_range(e, K_FRSM, 0, id, id);
}

static void file_read_request(struct mms *m, struct event *e, struct cur c)
{
    open_file(m, e, c);
}

static void file_close_request(struct mms *m, struct event *e, struct cur c)
{
    open_file(m, e, c);
    m->st->file_n = 0;
}

static void file_read_response(struct mms *m, struct event *e, struct cur c)
{
    struct ber t;
    (void)m;
    while (ber_next(&c, &t)) {
        if (t.id == BER_CTX(0))
            ev_u64(e, F_DATA_LEN, t.n);
        else if (t.id == BER_CTX(1))
            bool_field(e, F_MORE, t.body);
    }
}

/* Of a request about two files, or about one and a name: that one becomes the object, the other name a field. */
static void file_and_name(struct mms *m, struct event *e, struct cur c, unsigned file, unsigned other, uint8_t field)
{
    struct ber t;
    struct span name;
    while (ber_next(&c, &t)) {
        if (t.id == BER_CTX(file))
            file_item(m, e, t.body);
        else if (t.id == BER_CTX(other) && mms_file_name(m, e, t.body, &name))
            ev_span(e, field, name);
    }
}

static void file_rename_request(struct mms *m, struct event *e, struct cur c)
{
    file_and_name(m, e, c, 0, 1, F_DESTINATION);
}

static void file_delete_request(struct mms *m, struct event *e, struct cur c)
{
    file_item(m, e, c);
}

static void file_directory_request(struct mms *m, struct event *e, struct cur c)
{
    file_and_name(m, e, c, 0, 1, F_CONTINUE_AFTER);
}

/* List of { name [0], attributes [1] }, tagged [0], in some stacks with a SEQUENCE OF inside; more follows [1]. */
static void file_directory_response(struct mms *m, struct event *e, struct cur c)
{
    struct ber t, entry, v;
    struct span name;
    uint32_t n = 0;
    while (ber_next(&c, &t)) {
        if (t.id == BER_CTX(1))
            bool_field(e, F_MORE, t.body);
        if (t.id != BER_CTX(0))
            continue;
        struct cur list = t.body;
        if (ber_peek(list, &entry) && ber_peek(entry.body, &v) && v.id == BER_UNI(BER_SEQUENCE))
            list = entry.body;
        while (ber_next(&list, &entry))
            if (n++ < MAX_NAMES && ber_find(entry.body, BER_CTX(0), &v) && mms_file_name(m, e, v.body, &name))
                ev_span(e, F_FILE, name);
    }
    ev_u64(e, F_NAME_COUNT, n);
}

static void obtain_file_request(struct mms *m, struct event *e, struct cur c)
{
    file_and_name(m, e, c, 1, 2, F_DESTINATION);
}

/* ---- domains and program invocations ---- */

static void domain_file_request(struct mms *m, struct event *e, struct cur c)
{
    struct ber t;
    struct span name;
    while (ber_next(&c, &t)) {
        if (t.id == BER_CTX(0))
            text_item(e, K_DOMAIN, t.body);
        else if ((t.id == BER_CTX(1) || t.id == BER_CTX(4)) && t.constructed && mms_file_name(m, e, t.body, &name))
            ev_span(e, F_DESTINATION, name);
    }
}

static void upload_id(struct event *e, struct cur number)
{
    uint32_t id;
    i64_field(e, F_ULSM, number);
    if (ber_u32(number, &id))
        ev_range(e, K_ULSM, 0, id, id);
}

static void upload_request(struct mms *m, struct event *e, struct cur c)
{
    (void)m;
    upload_id(e, c);
}

static void upload_response(struct mms *m, struct event *e, struct cur c)
{
    struct ber t;
    (void)m;
    if (ber_find(c, BER_CTX(0), &t))
        i64_field(e, F_ULSM, t.body);
}

/* loadData: non-coded [0], an octet string, or coded, an EXTERNAL; more follows [1]. */
static void segment_response(struct mms *m, struct event *e, struct cur c)
{
    struct ber t;
    (void)m;
    while (ber_next(&c, &t)) {
        if (t.id == BER_CTX(1) && !t.constructed && t.n == 1)
            bool_field(e, F_MORE, t.body);
        else
            ev_u64(e, F_DATA_LEN, t.n);
    }
}

static void program_request(struct mms *m, struct event *e, struct cur c)
{
    struct ber t, v;
    (void)m;
    while (ber_next(&c, &t)) {
        if (t.id == BER_CTX(0))
            text_item(e, K_PROGRAM, t.body);
        else if (t.id == BER_CTX(1) && !t.constructed)
            mms_text_field(e, F_ARGUMENT, t.body);
        while (t.id == BER_CTX(1) && t.constructed && e->n_fields < MAX_NAMES && ber_next(&t.body, &v))
            mms_text_field(e, F_DOMAINS, v.body);
    }
}

/* ---- the rest ---- */

static void rename_request(struct mms *m, struct event *e, struct cur c)
{
    struct ber t, v;
    struct span name;
    while (ber_next(&c, &t)) {
        if (t.id == BER_CTX(0) && ber_next(&t.body, &v))
            mms_u32_field(e, F_OBJECT_CLASS, v.body);
        else if (t.id == BER_CTX(1) && mms_object_name(m, e, &t.body, &name))
            ev_named(e, K_VARIABLE, name);
        else if (t.id == BER_CTX(2))
            mms_text_field(e, F_NEW_NAME, t.body);
    }
}

static void access_attributes_request(struct mms *m, struct event *e, struct cur c)
{
    mms_variable(m, e, &c);
}

static void journal_response(struct mms *m, struct event *e, struct cur c)
{
    struct ber t, entry;
    uint32_t n = 0;
    (void)m;
    while (ber_next(&c, &t)) {
        if (t.id == BER_CTX(1))
            bool_field(e, F_MORE, t.body);
        while (t.id == BER_CTX(0) && ber_next(&t.body, &entry))
            n++;
    }
    ev_u64(e, F_ENTRIES, n);
}

typedef void body_fn(struct mms *m, struct event *e, struct cur c);

/* How a request names its object, for services that say little else. */
enum form {
    NOTHING,
    IDENT,   /* the body is an identifier */
    IDENT0,  /* [0] is one */
    NAME,    /* the body is an object name */
    NAME0,   /* [0] has one */
    NAME_IN, /* an object name is its first element */
    NAMES1,  /* [1] is a list of them, [2] a domain */
    NAMES0,
};

static const struct service {
    uint8_t form, kind;
    body_fn *request, *response;
} services[SV_COUNT] = {
    [0] = {.kind = K_VMD, .response = status_response},
    [1] = {.request = name_list_request, .response = name_list_response},
    [2] = {.kind = K_VMD, .response = identify_response},
    [3] = {.request = rename_request},
    [4] = {.request = mms_read_request, .response = mms_read_response},
    [5] = {.request = mms_write_request, .response = mms_write_response},
    [6] = {.request = access_attributes_request, .response = mms_type_attributes},
    [7] = {NAME0, K_VARIABLE, NULL, NULL},
    [8] = {NAME0, K_VARIABLE, NULL, NULL},
    [9] = {NAME, K_VARIABLE, NULL, NULL},
    [10] = {NAMES1, K_VARIABLE, NULL, NULL},
    [11] = {NAME_IN, K_LIST, mms_list_define, NULL},
    [12] = {NAME, K_LIST, NULL, mms_list_attributes},
    [13] = {NAMES1, K_LIST, NULL, NULL},
    [14] = {NAME_IN, K_TYPE, NULL, NULL},
    [15] = {NAME, K_TYPE, NULL, mms_type_attributes},
    [16] = {NAMES1, K_TYPE, NULL, NULL},
    [17] = {IDENT0, K_STATION, NULL, NULL},
    [18] = {IDENT0, K_STATION, NULL, NULL},
    [19] = {NAME0, K_SEMAPHORE, NULL, NULL},
    [20] = {NAME0, K_SEMAPHORE, NULL, NULL},
    [21] = {NAME0, K_SEMAPHORE, NULL, NULL},
    [22] = {NAME, K_SEMAPHORE, NULL, NULL},
    [23] = {NAME, K_SEMAPHORE, NULL, NULL},
    [24] = {NAME0, K_SEMAPHORE, NULL, NULL},
    [25] = {NAME0, K_SEMAPHORE, NULL, NULL},
    [26] = {IDENT0, K_DOMAIN, NULL, NULL},
    [27] = {IDENT, K_DOMAIN, NULL, segment_response},
    [28] = {IDENT0, K_DOMAIN, NULL, NULL},
    [29] = {IDENT, K_DOMAIN, NULL, upload_response},
    [30] = {NOTHING, K_NONE, upload_request, segment_response},
    [31] = {NOTHING, K_NONE, upload_request, NULL},
    [32] = {NOTHING, K_NONE, domain_file_request, NULL},
    [33] = {NOTHING, K_NONE, domain_file_request, NULL},
    [34] = {NOTHING, K_NONE, domain_file_request, NULL},
    [35] = {NOTHING, K_NONE, domain_file_request, NULL},
    [36] = {IDENT, K_DOMAIN, NULL, NULL},
    [37] = {IDENT, K_DOMAIN, NULL, NULL},
    [38] = {NOTHING, K_NONE, program_request, NULL},
    [39] = {IDENT, K_PROGRAM, NULL, NULL},
    [40] = {NOTHING, K_NONE, program_request, NULL},
    [41] = {NOTHING, K_NONE, program_request, NULL},
    [42] = {NOTHING, K_NONE, program_request, NULL},
    [43] = {NOTHING, K_NONE, program_request, NULL},
    [44] = {NOTHING, K_NONE, program_request, NULL},
    [45] = {IDENT, K_PROGRAM, NULL, NULL},
    [46] = {NOTHING, K_NONE, obtain_file_request, NULL},
    [47] = {NAME0, K_EVENT_CONDITION, NULL, NULL},
    [48] = {NAMES0, K_EVENT_CONDITION, NULL, NULL},
    [49] = {NAME, K_EVENT_CONDITION, NULL, NULL},
    [50] = {NAME, K_EVENT_CONDITION, NULL, NULL},
    [51] = {NAME0, K_EVENT_CONDITION, NULL, NULL},
    [52] = {NAME0, K_EVENT_CONDITION, NULL, NULL},
    [53] = {NAME0, K_EVENT_ACTION, NULL, NULL},
    [54] = {NAMES0, K_EVENT_ACTION, NULL, NULL},
    [55] = {NAME, K_EVENT_ACTION, NULL, NULL},
    [56] = {NAME, K_EVENT_ACTION, NULL, NULL},
    [57] = {NAME0, K_EVENT_ENROLLMENT, NULL, NULL},
    [58] = {NAMES0, K_EVENT_ENROLLMENT, NULL, NULL},
    [59] = {NAME0, K_EVENT_ENROLLMENT, NULL, NULL},
    [60] = {NAME, K_EVENT_ENROLLMENT, NULL, NULL},
    [61] = {NAME, K_EVENT_ENROLLMENT, NULL, NULL},
    [62] = {NAME0, K_EVENT_ENROLLMENT, NULL, NULL},
    [65] = {NAME0, K_JOURNAL, NULL, journal_response},
    [66] = {NAME0, K_JOURNAL, NULL, NULL},
    [67] = {NAME0, K_JOURNAL, NULL, NULL},
    [68] = {NAME, K_JOURNAL, NULL, NULL},
    [69] = {NAME0, K_JOURNAL, NULL, NULL},
    [70] = {NAME0, K_JOURNAL, NULL, NULL},
    [72] = {NOTHING, K_NONE, file_open_request, file_open_response},
    [73] = {NOTHING, K_NONE, file_read_request, file_read_response},
    [74] = {NOTHING, K_NONE, file_close_request, NULL},
    [75] = {NOTHING, K_NONE, file_rename_request, NULL},
    [76] = {NOTHING, K_NONE, file_delete_request, NULL},
    [77] = {NOTHING, K_NONE, file_directory_request, file_directory_response},
};

static void one_name(struct mms *m, struct event *e, uint8_t kind, struct cur *c)
{
    struct span name;
    if (mms_object_name(m, e, c, &name))
        ev_named(e, kind, name);
    else if (!m->x->cut)
        mms_anomaly(m, A_ENCODING);
}

static void named_objects(struct mms *m, struct event *e, const struct service *s, struct cur c)
{
    struct ber t;
    bool list = s->form == NAMES1 || s->form == NAMES0, found;
    uint32_t want = BER_CTX(s->form == NAMES1 ? 1 : 0);
    if (s->form == IDENT)
        text_item(e, s->kind, c);
    else if (s->form == NAME || s->form == NAME_IN)
        one_name(m, e, s->kind, &c);
    if (s->form == IDENT || s->form == NAME || s->form == NAME_IN || s->form == NOTHING)
        return;
    found = ber_find(c, want, &t);
    if (found && s->form == IDENT0)
        text_item(e, s->kind, t.body);
    else if (found && s->form == NAME0)
        one_name(m, e, s->kind, &t.body);
    for (unsigned i = 0; found && list && i < MAX_OBJECTS && cur_left(&t.body); i++)
        one_name(m, e, s->kind, &t.body);
    if (!found && list && ber_find(c, BER_CTX(2), &t))
        text_item(e, K_DOMAIN, t.body);
}

uint32_t mms_service_selector(uint32_t service, struct cur body)
{
    struct ber t;
    return service == SV_ADDITIONAL && ber_peek(body, &t) ? ber_number(&t) : OP_ANY_SELECTOR;
}

void mms_service_request(struct mms *m, struct event *e, uint32_t service, struct cur body)
{
    if (service >= SV_COUNT)
        return;
    const struct service *s = &services[service];
    if (s->form)
        named_objects(m, e, s, body);
    else if (s->kind == K_VMD)
        ev_item(e, K_VMD);
    if (s->request)
        s->request(m, e, body);
}

void mms_service_response(struct mms *m, struct event *e, uint32_t service, struct cur body)
{
    if (e->kind == EV_TRANSACTION)
        ev_status(e, 0, false);
    if (service < SV_COUNT && services[service].response)
        services[service].response(m, e, body);
}
