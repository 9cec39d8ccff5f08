/* enip_ident.c: what the Identity object tells of a device, from ListIdentity, its attributes, or all of them at once.
 *
 * Spec: CIP Vol 1, 5A-2 (Identity object; status word: table 5A-2.4). The key switch and the run mode of Logix
 * controllers lie in the vendor's part of the status word. */
#include "dissectors/enip_int.h"

enum { TYPE_PLC = 0x0e, VENDOR_ROCKWELL = 1 };
enum { ATTR_VENDOR = 2, ATTR_TYPE = 4, ATTR_CODE = 8, ATTR_REVISION = 16, ATTR_STATUS = 32, ATTR_SERIAL = 64,
       ATTR_NAME = 128, ATTR_STATE = 1 };

const char *identity_state(const struct cip_identity *id)
{
    unsigned mode = id->status >> 4 & 15;
    bool typed = id->has & ATTR_TYPE;
    if ((id->has & ATTR_STATUS) && (id->status & 0x0c00)) /* bits 10, 11: major fault */
        return "fault";
    if ((id->has & ATTR_STATUS) && typed && id->device_type == TYPE_PLC) {
        if (mode == 6)
            return "run";
        if (mode == 7)
            return "program";
        if (mode == 5)
            return "fault";
    }
    static const char *const states[] = {NULL, "self_test", "standby", "operational", "fault", "fault"};
    return (id->has & ATTR_STATE) && id->state < ARRAY_LEN(states) ? states[id->state] : NULL;
}

static void observe_state(struct dis_ctx *x, const struct proto_schema *s, uint32_t sub, const struct cip_identity *id)
{
    const char *state = identity_state(id);
    if (state)
        obs_fmt(x, s, OBS_SERVER, sub, OBS_STATE, 90, "%s", state);
    bool logix = (id->has & ATTR_VENDOR) && (id->has & ATTR_TYPE) && id->vendor == VENDOR_ROCKWELL &&
                 id->device_type == TYPE_PLC;
    static const char *const key[] = {NULL, "key_run", "key_program", "key_remote"};
    if (logix && (id->has & ATTR_STATUS) && key[id->status >> 12 & 3])
        obs_fmt(x, s, OBS_SERVER, sub, OBS_PROTECTION, 90, "%s", key[id->status >> 12 & 3]);
}

void identity_observe(struct dis_ctx *x, const struct proto_schema *s, uint32_t sub, const struct cip_identity *id)
{
    if (id->has & ATTR_VENDOR) {
        const char *name = code_name(enip_vendors, id->vendor);
        if (name)
            obs_fmt(x, s, OBS_SERVER, sub, OBS_VENDOR, 100, "%s", name);
        else
            obs_fmt(x, s, OBS_SERVER, sub, OBS_VENDOR, 100, "ODVA vendor %u", id->vendor);
    }
    if (id->has & ATTR_TYPE) {
        const char *name = code_name(enip_device_types, id->device_type);
        if (name)
            obs_fmt(x, s, OBS_SERVER, sub, OBS_DEVICE_TYPE, 100, "%s", name);
        else
            obs_fmt(x, s, OBS_SERVER, sub, OBS_DEVICE_TYPE, 100, "CIP device type 0x%x", id->device_type);
    }
    if (id->has & ATTR_CODE)
        obs_fmt(x, s, OBS_SERVER, sub, OBS_PRODUCT_CODE, 100, "%u", id->product_code);
    if (id->has & ATTR_REVISION)
        obs_fmt(x, s, OBS_SERVER, sub, OBS_FIRMWARE, 100, "%u.%03u", id->major & 0x7f, id->minor);
    if (id->has & ATTR_SERIAL)
        obs_fmt(x, s, OBS_SERVER, sub, OBS_SERIAL, 100, "0x%08x", id->serial);
    if (id->has & ATTR_NAME) {
        obs_text(x, s, OBS_SERVER, sub, OBS_MODEL, id->name, 100);
        if (sub != OBS_SELF)
            obs_text(x, s, OBS_SERVER, sub, OBS_MODULE, id->name, 100);
    }
    observe_state(x, s, sub, id);
}
