/* catalogue.c: the table of catalogue.def and its names. */
#include "alerts/catalogue.h"

#include <stddef.h>
#include <string.h>

#define PROTO_REMEDY                                                                                                   \
    "A faulty device, a wrong implementation, or somebody probing for weak spots. Look at the message in the "         \
    "evidence and at its sender."

const struct alert_type alert_types[AT_COUNT] = {
#define ALERT(row, id, sid, engine, severity, learn, category, title, attack, refs, remedy)                            \
    [row] = {id, sid, 1, engine, severity, learn, category, title, attack, refs, remedy, NULL},
#define ALERT_PROTO(row, id, sid, schema, title)                                                                       \
    [row] = {id,    sid,           1,  AE_PROTOCOL,  AS_MAJOR, AL_MUTE, "Protocol violation",                          \
             title, "T0866 T0814", "", PROTO_REMEDY, schema},
#include "alerts/catalogue.def"
#undef ALERT
#undef ALERT_PROTO
};

const struct alert_type *alert_type_by_id(const char *id)
{
    for (unsigned i = 0; i < AT_COUNT; i++)
        if (strcmp(alert_types[i].id, id) == 0)
            return &alert_types[i];
    return NULL;
}

const struct alert_type *alert_type_for_protocol(const char *schema)
{
    for (unsigned i = 0; i < AT_COUNT; i++)
        if (alert_types[i].proto && strcmp(alert_types[i].proto, schema) == 0)
            return &alert_types[i];
    return &alert_types[AT_PROTO_ANY];
}

static const char *const engines[] = {"policy", "protocol", "malware", "anomaly", "operational"};
static const char *const severities[] = {"none", "critical", "major", "minor", "warning"};
static const char *const learns[] = {"no", "mute", "learn"};

const char *alert_engine_name(unsigned engine)
{
    return engine < sizeof engines / sizeof *engines ? engines[engine] : "unknown";
}

const char *alert_severity_name(unsigned severity)
{
    return severity < sizeof severities / sizeof *severities ? severities[severity] : "unknown";
}

const char *alert_learn_name(unsigned learn)
{
    return learn < sizeof learns / sizeof *learns ? learns[learn] : "unknown";
}

int alert_severity_by_name(const char *name)
{
    for (int i = AS_CRITICAL; i <= AS_WARNING; i++)
        if (strcmp(severities[i], name) == 0)
            return i;
    return -1;
}
