/* evjson.h: an event as one JSON line (docs/RECORDS.md), written in the worker without allocation. */
#pragma once

#include "engine/base/jw.h"
#include "engine/base/record.h"

struct evjson_env {
    const char *host, *in_iface;      /* NULL: left out */
    const char *app_proto;
    const char *community;            /* NULL: left out */
    const char *(*file_name)(const void *arg, unsigned file);
    const void *name_arg;
};

/* Writes the record of r (addresses, flow) and e; returns its length, 0 when it does not fit cap. Sets
 * r->json_type_off and _len. with_values false: the values of items are left out (they did not fit). */
uint32_t evjson_write(const struct evjson_env *env, const struct event *e, struct rec_event *r, char *buf, uint32_t cap,
                      bool with_values);
/* "1:..." of a flow (community-id-spec 1, seed 0); out holds 32. Empty for flows that have none (layer 2). */
void community_id(const struct flow_key *k, char out[32]);
