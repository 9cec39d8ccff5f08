/* catalogue.h: the types of alerts, as data. An id and its signature_id are stable for ever: a row may be retired,
 * never renumbered; a test holds them. */
#pragma once

#include <stdint.h>

enum alert_engine { AE_POLICY, AE_PROTOCOL, AE_MALWARE, AE_ANOMALY, AE_OPERATIONAL };
enum alert_learn {
    AL_NO,   /* cannot be accepted: it tells a fact of its own each time */
    AL_MUTE, /* accepting it silences it for these two and this act; the act itself is not learned */
    AL_YES,  /* accepting it makes the act normal */
};
enum alert_severity { AS_NONE, AS_CRITICAL, AS_MAJOR, AS_MINOR, AS_WARNING }; /* Suricata's numbers: 1 is the highest */

struct alert_type {
    const char *id;    /* "OT-POL-016" */
    uint32_t sid, rev; /* signature_id of EVE */
    uint8_t engine, severity, learn;
    const char *category, *title;
    const char *attack; /* ATT&CK for ICS techniques, separated by a space; "" none */
    const char *refs;   /* rows of the type list that it covers, separated by a space */
    const char *remedy;
    const char *proto; /* of the per-protocol rows: the schema's name; else NULL */
};

enum alert_row {
#define ALERT(row, ...) row,
#define ALERT_PROTO(row, ...) row,
#include "alerts/catalogue.def"
#undef ALERT
#undef ALERT_PROTO
    AT_COUNT
};
extern const struct alert_type alert_types[AT_COUNT];

const struct alert_type *alert_type_by_id(const char *id); /* NULL unknown */
/* "message breaks the standard" of that protocol; the general row where the protocol has none of its own. */
const struct alert_type *alert_type_for_protocol(const char *schema);
const char *alert_engine_name(unsigned engine);     /* "policy" ... */
const char *alert_severity_name(unsigned severity); /* "critical" ... */
const char *alert_learn_name(unsigned learn);       /* "no", "mute", "learn" */
int alert_severity_by_name(const char *name);       /* 1..4 or -1 */
