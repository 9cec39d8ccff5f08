/* attack.h: MITRE ATT&CK for ICS techniques by id (version 18.1), for records and for people. */
#pragma once

struct attack_technique {
    const char *id, *name, *tactics; /* tactics: separated by a comma */
};
/* NULL unknown. Only the first five characters of id are looked at ("T0836"). */
const struct attack_technique *attack_by_id(const char *id);
