#include "engine/base/schema.h"

#include <stdio.h>
#include <string.h>

static const char *const action_names[ACT_COUNT] = {
    [ACT_OTHER] = "other", [ACT_READ] = "read", [ACT_WRITE] = "write", [ACT_CONTROL] = "control",
    [ACT_FORCE] = "force", [ACT_SELECT] = "select", [ACT_CONFIGURE] = "configure", [ACT_UPLOAD] = "program_upload",
    [ACT_DOWNLOAD] = "program_download", [ACT_FIRMWARE] = "firmware", [ACT_START] = "start", [ACT_STOP] = "stop",
    [ACT_RESET] = "reset", [ACT_MODE] = "mode", [ACT_TIME] = "time", [ACT_FILE] = "file", [ACT_LOCK] = "lock",
    [ACT_ALARM] = "alarm_handling", [ACT_DIAGNOSE] = "diagnose", [ACT_AUTHENTICATE] = "authenticate",
    [ACT_BROWSE] = "browse", [ACT_SESSION] = "session", [ACT_REPORT] = "report",
};

const char *action_name(unsigned action)
{
    return action < ACT_COUNT ? action_names[action] : "other";
}

int action_by_name(const char *name)
{
    for (int i = 0; i < ACT_COUNT; i++)
        if (strcmp(action_names[i], name) == 0)
            return i;
    return -1;
}

bool action_changes(unsigned action)
{
    static const uint32_t changes = 1u << ACT_WRITE | 1u << ACT_CONTROL | 1u << ACT_FORCE | 1u << ACT_SELECT |
                                    1u << ACT_CONFIGURE | 1u << ACT_DOWNLOAD | 1u << ACT_FIRMWARE | 1u << ACT_START |
                                    1u << ACT_STOP | 1u << ACT_RESET | 1u << ACT_MODE | 1u << ACT_TIME |
                                    1u << ACT_FILE | 1u << ACT_LOCK;
    return action < ACT_COUNT && changes >> action & 1;
}

bool action_commands(unsigned action)
{
    static const uint32_t commands = 1u << ACT_START | 1u << ACT_STOP | 1u << ACT_RESET | 1u << ACT_MODE |
                                     1u << ACT_DOWNLOAD | 1u << ACT_FIRMWARE;
    return action < ACT_COUNT && commands >> action & 1;
}

static uint64_t op_key(uint32_t fn, uint32_t sel)
{
    return (uint64_t)fn << 32 | sel;
}

/* One search for (fn, sel), without branches that depend on the table: it runs for every message. Where the selector
 * has no row of its own, what is found is the next row, and the one for every selector, which sorts last, comes after
 * it. */
const struct op_row *schema_op(const struct proto_schema *s, uint32_t fn, uint32_t sel)
{
    if (!s->n_ops)
        return NULL;
    const struct op_row *at = s->ops, *end = s->ops + s->n_ops;
    uint64_t key = op_key(fn, sel);
    for (uint32_t n = s->n_ops; n; n -= (n + 1) / 2)
        at += op_key(at[n / 2].fn, at[n / 2].sel) < key ? (n + 1) / 2 : 0;
    for (; at < end && at->fn == fn; at++)
        if (at->sel == sel || at->sel == OP_ANY_SELECTOR)
            return at;
    return NULL;
}

void schema_unit_text(const struct proto_schema *s, uint32_t unit, uint32_t sub, char out[FN_TEXT])
{
    if (s && s->unit_text)
        s->unit_text(unit, sub, out);
    else
        snprintf(out, FN_TEXT, "%u", unit);
}

void schema_fn_text(const struct proto_schema *s, uint32_t fn, char out[FN_TEXT])
{
    if (s->fn_text) {
        s->fn_text(fn, out);
        return;
    }
    char t[10];
    unsigned k = 0;
    do
        t[k++] = (char)('0' + fn % 10);
    while (fn /= 10);
    while (k)
        *out++ = t[--k];
    *out = 0;
}

const char *code_name(const struct code_name *table, uint32_t code)
{
    for (; table && table->name; table++)
        if (table->code == code)
            return table->name;
    return NULL;
}

int schema_field(const struct proto_schema *s, const char *group, const char *key)
{
    if (group && strcmp(group, s->name) == 0)
        group = NULL;
    for (uint32_t i = 0; i < s->n_fields; i++) {
        const char *g = s->fields[i].group;
        if (strcmp(s->fields[i].key, key) == 0 && ((!g && !group) || (g && group && strcmp(g, group) == 0)))
            return (int)i;
    }
    return -1;
}

int schema_kind(const struct proto_schema *s, const char *name)
{
    for (uint32_t i = 0; i < s->n_kinds; i++)
        if (strcmp(s->kinds[i].name, name) == 0)
            return (int)i;
    return -1;
}

int schema_worst(const struct proto_schema *s, uint64_t anomalies)
{
    int worst = -1;
    for (; anomalies; anomalies &= anomalies - 1) {
        int bit = __builtin_ctzll(anomalies), least = worst < 0 ? 0 : s->anomalies[worst].severity;
        if ((uint32_t)bit < s->n_anomalies && s->anomalies[bit].severity > least)
            worst = bit;
    }
    return worst;
}
