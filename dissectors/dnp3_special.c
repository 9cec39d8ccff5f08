/* dnp3_special.c: DNP3 objects that are more than a value: controls, times, files, attributes, authentication.
 *
 * Spec: IEEE 1815-2012 Annex A: g0 device attributes, g12 and g41 commands, g50-g52 times, g70 files, g90 applications,
 * g120 secure authentication (Clause 7). Passwords, keys, MACs and file contents are not recorded. */
#include "dissectors/dnp3_proto.h"

static struct span literal(const char *s)
{
    return (struct span){.p = (const uint8_t *)s, .n = (uint32_t)strlen(s)};
}

/* ---- controls ---- */

/* The request's item that this point of the response echoes, in order; NULL when the response names another one. */
static struct item *echoed(struct dnp3_walk *w, uint8_t kind)
{
    struct event *e = w->e;
    while (w->echo < e->n_items && (e->items[w->echo].kind == DK_AUTH || e->items[w->echo].kind == DK_TIME))
        w->echo++;
    if (w->echo >= EV_MAX_ITEMS && e->truncated) /* beyond what was kept of the request */
        return ev_range(e, kind, 0, w->index, w->index);
    struct item *it = w->echo < e->n_items ? &e->items[w->echo++] : NULL;
    if (!it || it->kind != kind || it->first != w->index) {
        dnp3_say(w, DA_CONTROL_ECHO);
        return NULL;
    }
    return it;
}

static void control_status(struct dnp3_walk *w, struct item *it, uint8_t status)
{
    status &= 0x7f;
    if (!w->m->response)
        return;
    it->status = status;
    if (status == 0) {
        w->n_done++;
        return;
    }
    w->n_bad++;
    w->status = w->status ? w->status : status;
}

/* g12v1, g12v2: control code, count, on time, off time, status. */
static void crob(struct dnp3_walk *w, struct cur c)
{
    static const char *const names[4][5] = {
        {"nul", "pulse_on", "pulse_off", "latch_on", "latch_off"},
        {"close", "close_pulse_on", "close_pulse_off", "close_latch_on", "close_latch_off"},
        {"trip", "trip_pulse_on", "trip_pulse_off", "trip_latch_on", "trip_latch_off"},
        {"reserved", "reserved_pulse_on", "reserved_pulse_off", "reserved_latch_on", "reserved_latch_off"}};
    uint8_t code = cur_u8(&c), count = cur_u8(&c);
    uint32_t on = cur_u32le(&c), off = cur_u32le(&c);
    uint8_t status = cur_u8(&c), op = code & 15, tcc = code >> 6;
    struct span name = literal(op < 5 ? names[tcc][op] : "reserved_operation");
    struct item *it = w->echoing ? echoed(w, DK_BINARY_OUTPUT) : NULL;
    if (it && (it->v.raw.n != name.n || memcmp(it->v.raw.p, name.p, name.n) != 0) && it->v.raw.n)
        dnp3_say(w, DA_CONTROL_ECHO);
    if (op > 4 || tcc == 3 || (code & 0x10))
        dnp3_say(w, DA_CROB_CODE);
    if (!it) {
        it = ev_range(w->e, DK_BINARY_OUTPUT, 0, w->index, w->index);
        it->action = w->action;
        it->v = (struct vals){.raw = name, .n = 1, .qual_off = -1, .enc = VE_NOW_TEXT};
        ev_u64(w->e, DF_OPERATION, op);
        ev_u64(w->e, DF_TRIP_CLOSE, tcc);
        ev_u64(w->e, DF_COUNT, count);
        ev_u64(w->e, DF_ON_TIME, on);
        ev_u64(w->e, DF_OFF_TIME, off);
        if (code & 0x10)
            ev_u64(w->e, DF_QUEUE, 1);
        if (code & 0x20)
            ev_u64(w->e, DF_CLEAR, 1);
    }
    control_status(w, it, status);
}

/* g41: value, status. */
static void analog_command(struct dnp3_walk *w, struct cur c)
{
    uint32_t n = w->o->size - 1u;
    struct span raw = cur_bytes(&c, n);
    uint8_t status = cur_u8(&c);
    struct item *it = w->echoing ? echoed(w, DK_ANALOG_OUTPUT) : NULL;
    if (it && it->v.raw.n && (it->v.raw.n != raw.n || memcmp(it->v.raw.p, raw.p, raw.n) != 0))
        dnp3_say(w, DA_CONTROL_ECHO);
    if (!it) {
        it = ev_range(w->e, DK_ANALOG_OUTPUT, 0, w->index, w->index);
        it->action = w->action;
        it->v = (struct vals){.raw = raw, .n = 1, .stride = (uint16_t)n, .qual_off = -1, .enc = w->o->enc};
    }
    control_status(w, it, status);
}

/* ---- times ---- */

static void time_object(struct dnp3_walk *w, struct cur c)
{
    struct cur at = c;
    struct span raw = cur_bytes(&c, 6);
    struct item *it = ev_item(w->e, DK_TIME);
    it->action = w->action;
    it->v = (struct vals){.raw = raw, .n = 1, .stride = 6, .qual_off = -1, .enc = VE_TIME48LE};
    ev_u64(w->e, DF_TIME, ms_to_ns(cur_u48le(&at)));
    if (w->var == 2 || w->var == 4)
        ev_u64(w->e, DF_INTERVAL, cur_u32le(&c));
    if (w->var == 4)
        ev_u64(w->e, DF_INTERVAL_UNIT, cur_u8(&c));
}

static void common_time(struct dnp3_walk *w, struct cur c)
{
    w->cto = cur_u48le(&c);
    if (w->var == 2)
        dnp3_u64_last(w->e, DF_TIME_UNSYNC, 1);
}

static void time_delay(struct dnp3_walk *w, struct cur c)
{
    uint32_t v = cur_u16le(&c);
    dnp3_u64_last(w->e, DF_DELAY, w->var == 1 ? v * UINT64_C(1000) : v);
}

/* ---- files ---- */

/* A string that an offset and a size inside the object point at; the object's fixed part ends at `fixed`. */
static struct span string_at(struct dnp3_walk *w, struct cur obj, uint32_t off, uint32_t size, uint32_t fixed)
{
    if (size == 0)
        return (struct span){0};
    if (off != fixed)
        dnp3_say(w, DA_OBJ_SHORT); /* "shall be": nothing else lies in between */
    cur_skip(&obj, off < fixed ? fixed : off);
    struct span s = cur_bytes(&obj, size);
    if (!cur_ok(&obj))
        dnp3_say(w, DA_OBJ_SHORT);
    return s;
}

static void file_item(struct dnp3_walk *w, struct span name)
{
    struct item *it = ev_named(w->e, DK_FILE, name);
    it->action = w->action;
    if (name.n)
        ev_span(w->e, DF_FILE_NAME, name);
}

static void handle_item(struct dnp3_walk *w, uint32_t handle)
{
    for (unsigned i = 0; i < w->e->n_items; i++) /* the request has named it */
        if (w->e->items[i].kind == DK_FILE_HANDLE && w->e->items[i].first == handle)
            return;
    if (handle)
        ev_range(w->e, DK_FILE_HANDLE, 0, handle, handle)->action = w->action;
    if (handle)
        dnp3_u64_last(w->e, DF_FILE_HANDLE, handle);
}

static void file_status(struct dnp3_walk *w, uint8_t status, struct span text)
{
    dnp3_u64_last(w->e, DF_FILE_STATUS, status);
    if (text.n)
        ev_span(w->e, DF_FILE_TEXT, text);
    if (status)
        w->status = w->status ? w->status : DST_FILE + (uint32_t)status;
}

static void file_authentication(struct dnp3_walk *w, struct cur c)
{
    struct cur obj = c;
    uint32_t user_off = cur_u16le(&c), user_size = cur_u16le(&c), pw_off = cur_u16le(&c), pw_size = cur_u16le(&c);
    cur_skip(&c, 4); /* the key that an answer gives */
    struct span user = string_at(w, obj, user_off, user_size, 12);
    if (user.n)
        ev_span(w->e, DF_FILE_USER, user);
    if (pw_size) {
        (void)string_at(w, obj, pw_off, pw_size, 12 + user_size);
        dnp3_say(w, DA_PASSWORD);
    }
    if (user.n && !w->m->response)
        obs_text(w->x, &dnp3_schema, OBS_CLIENT, OBS_SELF, OBS_USER, user, 80);
}

static void file_command(struct dnp3_walk *w, struct cur c)
{
    struct cur obj = c;
    uint32_t off = cur_u16le(&c), size = cur_u16le(&c);
    uint64_t created = cur_u48le(&c);
    uint32_t permissions = cur_u16le(&c);
    cur_skip(&c, 4); /* authentication key */
    uint32_t file_size = cur_u32le(&c), mode = cur_u16le(&c), block = cur_u16le(&c), request = cur_u16le(&c);
    if (!cur_ok(&c)) {
        dnp3_say(w, DA_OBJ_SHORT);
        return;
    }
    file_item(w, string_at(w, obj, off, size, 26));
    dnp3_u64_last(w->e, DF_FILE_MODE, mode);
    if (mode == 2 || mode == 3) {
        dnp3_u64_last(w->e, DF_FILE_SIZE, file_size);
        dnp3_u64_last(w->e, DF_FILE_PERMISSIONS, permissions);
        if (created)
            ev_u64(w->e, DF_FILE_TIME, ms_to_ns(created));
    }
    dnp3_u64_last(w->e, DF_FILE_BLOCK_SIZE, block);
    dnp3_u64_last(w->e, DF_FILE_REQUEST, request);
}

static void file_command_status(struct dnp3_walk *w, struct cur c)
{
    uint32_t handle = cur_u32le(&c), size = cur_u32le(&c), block = cur_u16le(&c), request = cur_u16le(&c);
    uint8_t status = cur_u8(&c);
    if (!cur_ok(&c)) {
        dnp3_say(w, DA_OBJ_SHORT);
        return;
    }
    handle_item(w, handle);
    if (size)
        dnp3_u64_last(w->e, DF_FILE_SIZE, size);
    dnp3_u64_last(w->e, DF_FILE_BLOCK_SIZE, block);
    dnp3_u64_last(w->e, DF_FILE_REQUEST, request);
    if (w->m->response)
        file_status(w, status, cur_rest(&c));
}

static void file_transport(struct dnp3_walk *w, struct cur c)
{
    uint32_t handle = cur_u32le(&c), block = cur_u32le(&c);
    if (!cur_ok(&c)) {
        dnp3_say(w, DA_OBJ_SHORT);
        return;
    }
    handle_item(w, handle);
    dnp3_u64_last(w->e, DF_FILE_BLOCK, block & 0x7fffffff);
    if (w->var == 6) {
        uint8_t status = cur_u8(&c);
        file_status(w, status, cur_rest(&c));
        return;
    }
    if (block & 0x80000000)
        dnp3_u64_last(w->e, DF_FILE_LAST, 1);
    if (cur_left(&c))
        dnp3_u64_last(w->e, DF_FILE_BYTES, cur_left(&c));
}

static void file_descriptor(struct dnp3_walk *w, struct cur c)
{
    struct cur obj = c;
    uint32_t off = cur_u16le(&c), size = cur_u16le(&c), type = cur_u16le(&c), file_size = cur_u32le(&c);
    uint64_t created = cur_u48le(&c);
    uint32_t permissions = cur_u16le(&c), request = cur_u16le(&c);
    if (!cur_ok(&c)) {
        dnp3_say(w, DA_OBJ_SHORT);
        return;
    }
    struct span name = string_at(w, obj, off, size, 20);
    bool named = false; /* a response may only repeat what the request has named */
    for (unsigned i = 0; i < w->e->n_items; i++)
        named = named || (w->e->items[i].kind == DK_FILE && w->e->items[i].name.n == name.n && name.n &&
                          memcmp(w->e->items[i].name.p, name.p, name.n) == 0);
    if (!named)
        file_item(w, name);
    if (!w->m->response)
        return;
    ev_u64(w->e, DF_FILE_TYPE, type);
    dnp3_u64_last(w->e, DF_FILE_SIZE, file_size);
    dnp3_u64_last(w->e, DF_FILE_PERMISSIONS, permissions);
    dnp3_u64_last(w->e, DF_FILE_REQUEST, request);
    if (created)
        ev_u64(w->e, DF_FILE_TIME, ms_to_ns(created));
}

static void file_object(struct dnp3_walk *w, struct cur c)
{
    static void (*const by_variation[])(struct dnp3_walk *, struct cur) = {
        [2] = file_authentication, [3] = file_command,   [4] = file_command_status,
        [5] = file_transport,      [6] = file_transport, [7] = file_descriptor};
    if (w->var < ARRAY_LEN(by_variation) && by_variation[w->var])
        by_variation[w->var](w, c);
    else if (w->var == 8)
        file_item(w, cur_rest(&c));
}

/* ---- device attributes ---- */

static const struct {
    uint8_t variation, obs, confidence;
} identities[] = {{197, OBS_PROGRAM, 90}, {208, OBS_OTHER, 80},   {242, OBS_FIRMWARE, 100}, {243, OBS_HARDWARE, 100},
                  {245, OBS_LOCATION, 100}, {246, OBS_OTHER, 80}, {247, OBS_NAME, 100},     {248, OBS_SERIAL, 100},
                  {250, OBS_MODEL, 100},  {252, OBS_VENDOR, 100}};

static void learn_attribute(struct dnp3_walk *w, struct span text)
{
    for (unsigned i = 0; i < ARRAY_LEN(identities); i++)
        if (identities[i].variation == w->var && w->m->response)
            obs_text(w->x, &dnp3_schema, OBS_SERVER, w->m->outstation, identities[i].obs, text,
                     identities[i].confidence);
}

/* Data type, length, value. */
static void attribute(struct dnp3_walk *w, struct cur c)
{
    enum { VSTR = 1, UINT, INT, FLT, OSTR, BSTR, TIME };
    static const uint8_t by_len[3][9] = {
        {0, VE_U8, VE_U16LE, 0, VE_U32LE, 0, 0, 0, VE_U64LE}, {0, VE_I8, VE_I16LE, 0, VE_I32LE, 0, 0, 0, VE_I64LE},
        {0, 0, 0, 0, VE_F32LE, 0, 0, 0, VE_F64LE}};
    uint8_t type = cur_u8(&c), len = cur_u8(&c);
    struct span raw = cur_bytes(&c, type == 255 ? len + 256u : len); /* U8BS8EXLIST: longer than an octet says */
    if (!cur_ok(&c)) {
        w->own_len = 0;
        return;
    }
    w->own_len = 2 + (uint32_t)(type == 255 ? len + 256u : len);
    uint8_t enc = type == VSTR ? VE_TEXT : type == TIME && len == 6 ? VE_TIME48LE : VE_BYTES;
    if (type >= UINT && type <= FLT && len <= 8 && by_len[type - UINT][len])
        enc = by_len[type - UINT][len];
    struct item *it = dnp3_item(w, w->index ? DK_PRIVATE_ATTRIBUTE : DK_DEVICE_ATTRIBUTE, w->index, w->var, w->var);
    it->v = (struct vals){.raw = raw, .n = 1, .stride = (uint16_t)raw.n, .qual_off = -1, .enc = enc};
    if (type == VSTR && !w->index)
        learn_attribute(w, raw);
}

/* g83, g82: vendor (4 characters), object identifier, length, data. */
static void private_object(struct dnp3_walk *w, struct cur c)
{
    cur_skip(&c, 4);
    uint32_t id = cur_u16le(&c), len = cur_u16le(&c);
    struct span raw = cur_bytes(&c, len);
    w->own_len = cur_ok(&c) ? 8 + len : 0;
    if (!w->own_len)
        return;
    struct item *it = ev_range(w->e, w->o->kind, id, w->index, w->index);
    it->action = w->action;
    it->v = (struct vals){.raw = raw, .n = 1, .stride = (uint16_t)raw.n, .qual_off = -1, .enc = VE_BYTES};
}

static void application(struct dnp3_walk *w, struct cur c)
{
    struct span name = cur_rest(&c);
    ev_named(w->e, DK_APPLICATION, name)->action = w->action;
    if (name.n)
        ev_span(w->e, DF_APPLICATION, name);
}

/* ---- secure authentication ---- */

static void auth_numbers(struct dnp3_walk *w, struct cur *c)
{
    dnp3_u64_once(w->e, DF_AUTH_SEQUENCE, cur_u32le(c));
    dnp3_u64_once(w->e, DF_AUTH_USER, cur_u16le(c));
}

static void auth_error(struct dnp3_walk *w, struct cur c)
{
    auth_numbers(w, &c);
    ev_u64(w->e, DF_AUTH_ASSOCIATION, cur_u16le(&c));
    uint8_t code = cur_u8(&c);
    cur_skip(&c, 6); /* when it happened */
    ev_u64(w->e, DF_AUTH_ERROR, code);
    struct span text = cur_rest(&c);
    if (text.n)
        ev_span(w->e, DF_AUTH_TEXT, text);
    w->status = w->status ? w->status : DST_AUTH + (uint32_t)code;
    dnp3_say(w, DA_AUTH_ERROR);
}

static void user_name(struct dnp3_walk *w, struct span name)
{
    if (!name.n)
        return;
    ev_span(w->e, DF_AUTH_USER_NAME, name);
    obs_text(w->x, &dnp3_schema, OBS_SERVER, OBS_SELF, OBS_USER, name, 80);
}

static void user_status_change(struct dnp3_walk *w, struct cur c)
{
    ev_u64(w->e, DF_AUTH_METHOD, cur_u8(&c));
    ev_u64(w->e, DF_AUTH_OPERATION, cur_u8(&c));
    dnp3_u64_once(w->e, DF_AUTH_SEQUENCE, cur_u32le(&c));
    ev_u64(w->e, DF_AUTH_ROLE, cur_u16le(&c));
    cur_skip(&c, 2); /* days until it expires */
    uint32_t name = cur_u16le(&c);
    cur_skip(&c, 4); /* lengths of key and certificate */
    user_name(w, cur_bytes(&c, name));
}

static void session_key_status(struct dnp3_walk *w, struct cur c)
{
    auth_numbers(w, &c);
    ev_u64(w->e, DF_AUTH_KEY_WRAP, cur_u8(&c));
    uint8_t status = cur_u8(&c);
    ev_u64(w->e, DF_AUTH_KEY_STATUS, status);
    ev_u64(w->e, DF_AUTH_MAC, cur_u8(&c));
    if (status != 1)
        dnp3_say(w, DA_KEY_STATUS);
}

static void auth_object(struct dnp3_walk *w, struct cur c)
{
    static const uint8_t at_least[16] = {0, 8, 6, 6, 2, 11, 6, 15, 2, 0, 16, 5, 8, 8, 0, 0};
    ev_range(w->e, DK_AUTH, 0, w->var, w->var)->action = ACT_AUTHENTICATE;
    if (cur_left(&c) < at_least[w->var & 15]) {
        dnp3_say(w, DA_OBJ_SHORT);
        return;
    }
    switch (w->var) {
    case 1:
        auth_numbers(w, &c);
        ev_u64(w->e, DF_AUTH_MAC, cur_u8(&c));
        break;
    case 2: case 3: case 6: case 12: case 13:
        auth_numbers(w, &c);
        break;
    case 4:
        dnp3_u64_once(w->e, DF_AUTH_USER, cur_u16le(&c));
        break;
    case 5:
        session_key_status(w, c);
        break;
    case 7:
        auth_error(w, c);
        break;
    case 8:
        ev_u64(w->e, DF_AUTH_METHOD, cur_u8(&c));
        break;
    case 10:
        user_status_change(w, c);
        break;
    case 11: {
        ev_u64(w->e, DF_AUTH_METHOD, cur_u8(&c));
        uint32_t name = cur_u16le(&c);
        cur_skip(&c, 2); /* length of the challenge */
        user_name(w, cur_bytes(&c, name));
        break;
    }
    default: /* 9, 14, 15: MAC or signature alone */
        break;
    }
}

static void blob(struct dnp3_walk *w, struct cur c)
{
    struct span raw = cur_rest(&c);
    struct item *it = ev_range(w->e, w->o->kind, w->o->kind == DK_OBJECT ? w->group : 0, w->index, w->index);
    it->action = w->action;
    it->v = (struct vals){.raw = raw, .n = 1, .stride = (uint16_t)raw.n, .qual_off = -1, .enc = VE_BYTES};
}

void dnp3_special(struct dnp3_walk *w, struct cur c)
{
    static void (*const by_type[])(struct dnp3_walk *, struct cur) = {
        [DD_POINT] = blob, [DD_CROB] = crob, [DD_AO_COMMAND] = analog_command, [DD_TIME] = time_object,
        [DD_CTO] = common_time, [DD_DELAY] = time_delay, [DD_FILE] = file_object, [DD_AUTH] = auth_object,
        [DD_APPLICATION] = application, [DD_ATTRIBUTE] = attribute, [DD_PRIVATE] = private_object, [DD_BLOB] = blob};
    w->own_len = w->o->form == DO_OWN ? cur_left(&c) : 0; /* takes all, unless the object says less */
    by_type[w->o->dec](w, c);
}
