/* roles.c: what a device is, concluded from what it does. Evidence is collected as bits; roles and the type with its
 * reason are read from it when asked for. */
#include <ctype.h>
#include <stdio.h>

#include "baseline/model.h"
#include "engine/base/obs.h"

#define BIT(a) (UINT64_C(1) << (a))
static const uint64_t ENGINEERING =
    BIT(ACT_UPLOAD) | BIT(ACT_DOWNLOAD) | BIT(ACT_FIRMWARE) | BIT(ACT_START) | BIT(ACT_STOP) | BIT(ACT_MODE);
static const uint64_t WRITING = BIT(ACT_WRITE) | BIT(ACT_CONTROL) | BIT(ACT_FORCE) | BIT(ACT_SELECT);
static const uint64_t PROCESS = BIT(ACT_READ) | BIT(ACT_WRITE) | BIT(ACT_CONTROL) | BIT(ACT_FORCE) | BIT(ACT_SELECT) |
                                BIT(ACT_UPLOAD) | BIT(ACT_DOWNLOAD) | BIT(ACT_START) | BIT(ACT_STOP) | BIT(ACT_MODE) |
                                BIT(ACT_REPORT);

/* Protocols whose server is something else than a controller; every other one is judged by what its server answers. */
static const struct {
    const char *name;
    uint32_t server, publisher; /* evidence; publisher: for the sender of messages without a dialogue */
} protos[] = {
    {"cip_io", EVI_FIELD_SERVER, 0},
    {"dnp3", EVI_RTU_SERVER, 0},
    {"goose", 0, EVI_FIELD_SERVER},
    {"iec101", EVI_RTU_SERVER, 0},
    {"iec104", EVI_RTU_SERVER, 0},
    {"lldp", 0, 0},
    {"opcua", EVI_IT_SERVER, 0},
    {"pn_dcp", 0, 0},
    {"pn_io", EVI_FIELD_SERVER, 0},
    {"sv", 0, EVI_FIELD_SERVER},
};

int roles_row(const char *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(protos); i++)
        if (strcmp(protos[i].name, name) == 0)
            return (int)i;
    return -1;
}

bool app_is_ot(const char *app)
{
    int i = roles_row(app);
    return i < 0 || protos[i].server != EVI_IT_SERVER;
}

static void add(struct baseline *b, uint32_t i, uint64_t bits)
{
    if (!i)
        return;
    struct asset *a = asset_at(b, i);
    if ((a->evidence & bits) == bits)
        return;
    a->evidence |= bits;
    due(b, &a->dirty);
}

/* Distinct units that answered; 0 and 255 mean the device itself (Modbus messaging guide 4.1.2). */
static void unit_answered(struct baseline *b, uint32_t server, uint32_t unit)
{
    struct asset *a = asset_at(b, server);
    if (unit == 0 || unit == 255)
        return;
    for (unsigned k = 0; k < a->n_units; k++)
        if (a->units[k] == unit)
            return;
    if (a->n_units < ARRAY_LEN(a->units))
        a->units[a->n_units++] = unit;
    if (a->n_units >= 3)
        add(b, server, EVI_GATEWAY);
}

void roles_event(struct baseline *b, uint32_t client, uint32_t server, const struct rec_event *e)
{
    const struct app *app = &b->apps[app_intern(b, e->schema->name, e->schema)];
    int row = app->schema == e->schema ? app->role_row : roles_row(e->schema->name);
    uint64_t act = BIT(e->action);
    if (row >= 0 && protos[row].publisher) {
        add(b, client, protos[row].publisher);
        return;
    }
    if (row >= 0 && !protos[row].server)
        return;
    if (client && (act & ENGINEERING))
        add(b, client, EVI_ENGINEER);
    if (client && (act & (WRITING | BIT(ACT_TIME))))
        add(b, client, EVI_OT_WRITE);
    if (client && (act & (BIT(ACT_READ) | BIT(ACT_REPORT))))
        add(b, client, EVI_OT_READ);
    if (!server || !ev_served(e->kind, e->outcome, e->from_client))
        return;
    if (act & ENGINEERING)
        add(b, server, EVI_PROGRAMMED | EVI_OT_SERVER);
    if (act & PROCESS)
        add(b, server, row < 0 ? EVI_OT_SERVER : protos[row].server);
    if (e->has_unit && !e->error)
        unit_answered(b, server, e->unit);
}

void roles_app(struct baseline *b, const struct link *l, const char *app, bool ndpi)
{
    uint32_t client = asset_find(b, l->net, &l->client), server = asset_find(b, l->net, &l->server);
    if (ndpi) {
        add(b, client, EVI_IT_CLIENT);
        if (l->packets[1] || !(l->flags & ROW_LINK_ATTEMPT))
            add(b, server, EVI_IT_SERVER);
    } else if (client && !(l->flags & ROW_LINK_GROUP) && app_is_ot(app) &&
               (roles_row(app) < 0 || protos[roles_row(app)].server)) {
        asset_at(b, client)->n_targets++;
        due(b, &asset_at(b, client)->dirty);
    }
}

static const struct {
    const char *word;
    uint32_t evidence;
} told[] = {
    {"engineering", EVI_TOLD_ENG},      {"programming", EVI_TOLD_ENG},  {"hmi", EVI_TOLD_HMI},
    {"operator", EVI_TOLD_HMI},         {"scada", EVI_TOLD_HMI},        {"gateway", EVI_TOLD_GATEWAY},
    {"plc", EVI_TOLD_CONTROLLER},       {"programmable logic", EVI_TOLD_CONTROLLER},
    {"controller", EVI_TOLD_CONTROLLER},{"cpu", EVI_TOLD_CONTROLLER},   {"rtu", EVI_TOLD_RTU},
    {"outstation", EVI_TOLD_RTU},       {"communications adapter", EVI_TOLD_FIELD},
    {"drive", EVI_TOLD_FIELD},          {"i/o", EVI_TOLD_FIELD},        {"io_device", EVI_TOLD_FIELD},
    {"io device", EVI_TOLD_FIELD},      {"sensor", EVI_TOLD_FIELD},     {"field", EVI_TOLD_FIELD},
    {"router", EVI_TOLD_ROUTER},        {"switch", EVI_TOLD_SWITCH},    {"bridge", EVI_TOLD_SWITCH},
    {"workstation", EVI_TOLD_WORKSTATION}, {"server", EVI_TOLD_SERVER},
};

/* IEEE 802.1D 7.12.3: only bridges send to the bridge group address. */
void roles_link(struct baseline *b, const struct link *l)
{
    static const uint8_t bridges[6] = {0x01, 0x80, 0xc2, 0, 0, 0};
    if (addr_is_mac(&l->server) && memcmp(l->server.b + 10, bridges, 6) == 0)
        add(b, asset_find(b, l->net, &l->client), EVI_SWITCH);
}

void roles_told(struct baseline *b, uint32_t asset, struct span value)
{
    char low[REC_VALUE + 1];
    uint32_t n = value.n < REC_VALUE ? value.n : REC_VALUE;
    for (uint32_t i = 0; i < n; i++)
        low[i] = (char)tolower(value.p[i]);
    low[n] = 0;
    for (unsigned i = 0; i < ARRAY_LEN(told); i++)
        if (strstr(low, told[i].word)) {
            add(b, asset, told[i].evidence);
            return;
        }
}

/* ---- conclusions ---- */

static const struct {
    uint32_t evidence, role;
} role_of[] = {
    {EVI_OT_SERVER | EVI_TOLD_CONTROLLER, ROLE_CONTROLLER}, {EVI_RTU_SERVER | EVI_TOLD_RTU, ROLE_RTU},
    {EVI_OT_READ | EVI_OT_WRITE | EVI_TOLD_HMI, ROLE_HMI},
    {EVI_ENGINEER | EVI_CONFIG_ENG | EVI_TOLD_ENG, ROLE_ENGINEERING},
    {EVI_FIELD_SERVER | EVI_TOLD_FIELD, ROLE_FIELD_DEVICE}, {EVI_GATEWAY | EVI_TOLD_GATEWAY, ROLE_GATEWAY},
    {EVI_ROUTER | EVI_TOLD_ROUTER, ROLE_ROUTER},            {EVI_IT_SERVER | EVI_TOLD_SERVER, ROLE_SERVER},
    {EVI_TOLD_WORKSTATION, ROLE_WORKSTATION},               {EVI_SWITCH | EVI_TOLD_SWITCH, ROLE_SWITCH},
};

uint32_t roles_of(const struct baseline *b, const struct asset *a)
{
    uint32_t roles = 0;
    uint64_t e = a->evidence;
    (void)b;
    if ((e & EVI_TOLD_FIELD) && !(e & EVI_PROGRAMMED))
        e &= ~(uint64_t)EVI_OT_SERVER; /* it answers, but says itself that it is I/O */
    for (unsigned i = 0; i < ARRAY_LEN(role_of); i++)
        if (e & role_of[i].evidence)
            roles |= role_of[i].role;
    if ((roles & ROLE_HMI) && (roles & (ROLE_CONTROLLER | ROLE_RTU)) && a->n_targets < 3)
        roles &= ~(uint32_t)ROLE_HMI; /* a controller that asks its neighbours is none */
    if ((roles & ROLE_HMI) && !(e & EVI_OT_WRITE) && !(e & EVI_TOLD_HMI) && a->n_targets >= 3)
        roles |= ROLE_HISTORIAN;
    if (!roles && (e & EVI_IT_CLIENT) && addr_is_private(&a->key))
        roles |= ROLE_WORKSTATION;
    return roles;
}

/* In order: the first that holds is the type. */
static const struct {
    uint32_t evidence;
    const char *type, *reason;
} types[] = {
    {EVI_ROUTER, "router", "its MAC is the next hop of many addresses"},
    {EVI_CONFIG_ENG, "engineering_station", "named as engineering station in the configuration"},
    {EVI_TOLD_ENG, "engineering_station", "says so itself"},
    {EVI_TOLD_GATEWAY, "gateway", "says so itself"},
    {EVI_TOLD_CONTROLLER, "controller", "says so itself"},
    {EVI_TOLD_RTU, "rtu", "says so itself"},
    {EVI_TOLD_FIELD, "field_device", "says so itself"},
    {EVI_TOLD_HMI, "hmi", "says so itself"},
    {EVI_TOLD_SWITCH, "switch", "says so itself"},
    {EVI_TOLD_ROUTER, "router", "says so itself"},
    {EVI_PROGRAMMED, "controller", "is programmed, started or stopped through a control protocol"},
    {EVI_GATEWAY, "gateway", "several units answer behind its address"},
    {EVI_OT_SERVER, "controller", "answers a control protocol as server"},
    {EVI_RTU_SERVER, "rtu", "answers a telecontrol protocol as outstation"},
    {EVI_ENGINEER, "engineering_station", "programs, starts, stops or reads programs of controllers"},
    {EVI_OT_WRITE, "hmi", "reads and writes as client of %u control server(s)"},
    {EVI_OT_READ, "hmi", "reads as client of %u control server(s), never writes"},
    {EVI_FIELD_SERVER, "field_device", "exchanges I/O data only"},
    {EVI_SWITCH, "switch", "speaks as a bridge"},
    {EVI_TOLD_SERVER, "server", "says so itself"},
    {EVI_TOLD_WORKSTATION, "workstation", "says so itself"},
    {EVI_EXTERNAL, "external", "a public address"},
    {EVI_IT_SERVER, "server", "answers IT protocols"},
    {EVI_IT_CLIENT, "workstation", "client of IT protocols only"},
};

const char *asset_type_name(unsigned n)
{
    for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
        unsigned k = 0;
        while (strcmp(types[k].type, types[i].type) != 0)
            k++;
        if (k == i && n-- == 0)
            return types[i].type;
    }
    return n == 0 ? "unknown" : NULL;
}

const char *roles_type(const struct baseline *b, const struct asset *a, char reason[DEV_TEXT])
{
    (void)b;
    if (a->told && a->told->type) {
        if (reason)
            snprintf(reason, DEV_TEXT, "configured");
        return a->told->type;
    }
    /* A server of controllers that others read in turn: what it does as client says what it is. */
    bool scada = a->n_targets >= 3 && (a->evidence & EVI_OT_READ) && !(a->evidence & EVI_PROGRAMMED);
    for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
        if (!(a->evidence & types[i].evidence))
            continue;
        if (scada && (types[i].evidence & (EVI_GATEWAY | EVI_OT_SERVER | EVI_RTU_SERVER)))
            continue;
        if (reason) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(reason, DEV_TEXT, types[i].reason, a->n_targets);
#pragma GCC diagnostic pop
        }
        return types[i].type;
    }
    if (reason)
        snprintf(reason, DEV_TEXT, "nothing seen that tells");
    return "unknown";
}

/* The look-up is remembered in the asset: alerts and rules ask for it again and again. */
static const char *mac_vendor(const struct baseline *b, struct asset *a)
{
    if (!a->n_macs)
        return NULL;
    if (a->oui_macs == a->n_macs && memcmp(a->oui_mac, a->macs[0], 6) == 0)
        return a->oui;
    a->oui = NULL;
    for (unsigned k = 0; k < a->n_macs && !a->oui; k++)
        a->oui = oui_vendor(a->macs[k], b->conf.oui_excerpt);
    a->oui_macs = a->n_macs;
    memcpy(a->oui_mac, a->macs[0], 6);
    return a->oui;
}

const char *asset_vendor(const struct baseline *b, const struct asset *a)
{
    const struct ident *x = ident_best(b, a, OBS_VENDOR);
    if (x)
        return x->value;
    return mac_vendor(b, (struct asset *)(uintptr_t)a);
}

const char *asset_name(const struct baseline *b, const struct asset *a)
{
    if (a->told && a->told->name)
        return a->told->name;
    const struct ident *x = ident_best(b, a, OBS_NAME);
    return x ? x->value : NULL;
}
