/* rules_fixture.h: two small protocols and messages of them, for the tests of rules. Not a test itself. */
#pragma once

#include <string.h>

#include "engine/base/event.h"
#include "rules/rules.h"

/* clang-format off */
static const struct op_row fx_ops_a[] = {
    {3, OP_ANY_SELECTOR, "read_regs", ACT_READ, 0, 0, 0, 0, 0},
    {6, OP_ANY_SELECTOR, "write_reg", ACT_WRITE, 0, 0, 0, 0, 0},
    {8, 1, "restart_comms", ACT_RESET, 0, 0, 0, 0, 0},
    {8, OP_ANY_SELECTOR, "diagnostics", ACT_DIAGNOSE, 0, 0, 0, 0, 0},
    {23, OP_ANY_SELECTOR, "read_write_regs", ACT_WRITE, 0, 0, 0, 0, 0},
};
static const struct code_name fx_modes[] = {{1, "run"}, {2, "stop"}, {3, "program"}, {0, NULL}};
static const struct field_def fx_fields_a[] = {
    {"sub_function", FT_UINT, false, NULL, NULL, ""}, {"mode", FT_NAME, true, NULL, fx_modes, ""},
    {"broadcast", FT_BOOL, false, NULL, NULL, ""}, {"level", FT_DOUBLE, false, NULL, NULL, ""},
    {"offset", FT_INT, false, NULL, NULL, ""}, {"host", FT_IPV4, false, NULL, NULL, ""},
    {"station", FT_TEXT, false, "ext", NULL, ""}, {"data", FT_BYTES, false, NULL, NULL, ""},
    {"big", FT_HEX, false, NULL, NULL, ""},
};
enum { FA_SUB, FA_MODE, FA_BROADCAST, FA_LEVEL, FA_OFFSET, FA_HOST, FA_STATION, FA_DATA, FA_BIG };
static const struct kind_def fx_kinds_a[] = {
    {"coil", KIND_RANGE}, {"holding_register", KIND_RANGE}, {"db", KIND_RANGE | KIND_SPACE | KIND_BIT},
};
enum { KA_COIL, KA_REG, KA_DB };
static const struct anomaly_def fx_anomalies_a[] = {{"bad_length", 2, ""}, {"reserved_function", 3, ""}};
static const struct code_name fx_statuses_a[] = {{1, "illegal_function"}, {2, "illegal_data_address"}, {0, NULL}};
static const char *const fx_qualities[] = {"online", "invalid", NULL};
static const struct proto_schema fx_alpha = {
    .name = "alpha", .title = "Alpha", .spec = "", .ops = fx_ops_a, .n_ops = ARRAY_LEN(fx_ops_a),
    .fields = fx_fields_a, .n_fields = ARRAY_LEN(fx_fields_a), .kinds = fx_kinds_a, .n_kinds = ARRAY_LEN(fx_kinds_a),
    .anomalies = fx_anomalies_a, .n_anomalies = ARRAY_LEN(fx_anomalies_a), .statuses = fx_statuses_a,
    .qualities = fx_qualities, .unit_is = "unit id",
};

static const struct op_row fx_ops_b[] = {
    {0x100, OP_ANY_SELECTOR, "write_tag", ACT_WRITE, 0, 0, 0, 0, 0},
    {0x701, OP_ANY_SELECTOR, "plc_stop", ACT_STOP, 0, 0, 0, 0, 0},
};
static const struct kind_def fx_kinds_b[] = {{"tag", KIND_NAME}, {"class", KIND_RANGE | KIND_SPACE | KIND_HEX}};
static void fx_fn_text(uint32_t fn, char *out)
{
    out[0] = (char)('0' + (fn >> 8 & 7));
    out[1] = ':';
    out[2] = (char)('0' + (fn & 7));
    out[3] = 0;
}
static const struct proto_schema fx_beta = {
    .name = "beta", .title = "Beta", .spec = "", .ops = fx_ops_b, .n_ops = ARRAY_LEN(fx_ops_b),
    .kinds = fx_kinds_b, .n_kinds = ARRAY_LEN(fx_kinds_b), .fn_text = fx_fn_text,
};
static const struct proto_schema *const fx_schemas[] = {&fx_alpha, &fx_beta};
/* clang-format on */

static inline void fx_begin(struct event *e, const struct proto_schema *s, uint32_t fn, uint32_t sel)
{
    memset(e, 0, offsetof(struct event, msgs));
    e->schema = s;
    e->op = schema_op(s, fn, sel);
    e->function = fn;
    e->selector = sel;
    e->action = e->op ? e->op->action : ACT_OTHER;
    e->kind = EV_TRANSACTION;
    e->outcome = OUT_EXECUTED;
}

static inline struct item *fx_item(struct event *e, uint8_t kind, uint32_t space, uint32_t first, uint32_t last)
{
    struct item *it = &e->items[e->n_items++];
    *it = (struct item){.kind = kind, .action = e->action, .bit = ITEM_BIT_NONE, .has_range = 1, .space = space,
                        .first = first, .last = last, .status = ITEM_STATUS_NONE};
    it->v.qual_off = -1;
    e->items_total++;
    return it;
}

static inline struct field *fx_field(struct event *e, uint8_t id)
{
    struct field *f = &e->fields[e->n_fields++];
    *f = (struct field){.id = id};
    return f;
}

static inline struct span fx_span(const char *s)
{
    return (struct span){(const uint8_t *)s, (uint32_t)strlen(s)};
}
