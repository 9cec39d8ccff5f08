/* obs.h: the kinds of facts that are learned of devices: dissectors tell them, the inventory keeps them. */
#pragma once

#include <stdint.h>

/* Stored in databases: new ones go before OBS_KINDS. */
enum obs_kind {
    OBS_VENDOR,
    OBS_MODEL,
    OBS_PRODUCT_CODE /* order number */,
    OBS_FIRMWARE,
    OBS_HARDWARE,
    OBS_SERIAL,
    OBS_NAME /* station, host */,
    OBS_LOCATION /* plant id */,
    OBS_OS,
    OBS_SOFTWARE,
    OBS_ROLE /* "engineering_station", "plc", ... only when told */,
    OBS_STATE /* "run", "stop", "program", "fault", ... */,
    OBS_PROTECTION /* key switch, protection level */,
    OBS_PROGRAM /* program name, version or checksum */,
    OBS_PROTO_ADDR /* unit, outstation, common address: multi-valued */,
    OBS_MODULE /* what a slot holds; multi-valued by sub */,
    OBS_DEVICE_TYPE,
    OBS_CERT,
    OBS_USER,
    OBS_MAC,
    OBS_IP,
    OBS_OTHER,
    OBS_KINDS
};
enum { OBS_SELF = UINT32_MAX };
const char *obs_name(unsigned kind);
