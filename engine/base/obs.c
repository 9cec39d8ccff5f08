#include "engine/base/obs.h"

#include <stddef.h>

static const char *const names[OBS_KINDS] = {
    [OBS_VENDOR] = "vendor", [OBS_MODEL] = "model", [OBS_PRODUCT_CODE] = "product_code", [OBS_FIRMWARE] = "firmware",
    [OBS_HARDWARE] = "hardware", [OBS_SERIAL] = "serial", [OBS_NAME] = "name", [OBS_LOCATION] = "location",
    [OBS_OS] = "os", [OBS_SOFTWARE] = "software", [OBS_ROLE] = "role", [OBS_STATE] = "state",
    [OBS_PROTECTION] = "protection", [OBS_PROGRAM] = "program", [OBS_PROTO_ADDR] = "protocol_address",
    [OBS_MODULE] = "module", [OBS_DEVICE_TYPE] = "device_type", [OBS_CERT] = "certificate", [OBS_USER] = "user",
    [OBS_MAC] = "mac", [OBS_IP] = "ip", [OBS_OTHER] = "other",
};

const char *obs_name(unsigned kind)
{
    return kind < OBS_KINDS ? names[kind] : "other";
}
