/* itapp_ndpi.c: the door to nDPI (4.2 and newer). It allocates inside, which is why only the first packets of flows that no
 * dissector claimed reach it. Its caches span flows and would make results depend on the number of workers: they are
 * switched off where the library allows. */
#include "engine/itapp.h"

#include <ctype.h>
#include <ndpi/ndpi_api.h>
#include <stdlib.h>
#include <string.h>

#define NDPI_AT_LEAST(major, minor) (NDPI_MAJOR > (major) || (NDPI_MAJOR == (major) && NDPI_MINOR >= (minor)))

enum {
    MAX_PACKETS = 4,  /* with payload, of one flow */
    MAX_APPS = 2048,  /* protocol numbers of the library whose names are kept */
    APP_NAME = 32,
};

struct itapp {
    struct ndpi_detection_module_struct *mod;
    char names[MAX_APPS][APP_NAME];
    char version[96];
};

struct itapp_flow {
    unsigned n;
    struct ndpi_flow_struct *flow;
};

static void no_caches(struct ndpi_detection_module_struct *mod)
{
#if NDPI_AT_LEAST(4, 10)
    static const char *const keys[] = {"lru.ookla.size", "lru.bittorrent.size", "lru.stun.size", "lru.tls_cert.size",
                                       "lru.mining.size", "lru.msteams.size", "lru.fpc_dns.size"};
    for (unsigned i = 0; i < sizeof keys / sizeof keys[0]; i++)
        ndpi_set_config(mod, NULL, keys[i], "0");
#else
    (void)mod;
#endif
}

struct itapp *itapp_open(void)
{
    struct itapp *n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
#if NDPI_AT_LEAST(4, 10)
    n->mod = ndpi_init_detection_module(NULL);
#else
    n->mod = ndpi_init_detection_module(ndpi_no_prefs);
#endif
    if (!n->mod) {
        free(n);
        return NULL;
    }
#if !NDPI_AT_LEAST(4, 14)
    NDPI_PROTOCOL_BITMASK all;
    NDPI_BITMASK_SET_ALL(all);
    ndpi_set_protocol_detection_bitmask2(n->mod, &all);
#endif
    no_caches(n->mod);
    ndpi_finalize_initialization(n->mod);
    return n;
}

void itapp_close(struct itapp *n)
{
    if (!n)
        return;
    ndpi_exit_detection_module(n->mod);
    free(n);
}

/* The library's name in lower case, kept as long as the process: records borrow it. */
static const char *app_name(struct itapp *n, uint16_t id)
{
    if (id == NDPI_PROTOCOL_UNKNOWN || id >= MAX_APPS)
        return NULL;
    char *t = n->names[id];
    const char *s = t[0] ? NULL : ndpi_get_proto_name(n->mod, id);
    for (unsigned i = 0; s && s[i] && i < APP_NAME - 1; i++)
        t[i] = (char)tolower((unsigned char)s[i]);
    return t[0] ? t : NULL;
}

void itapp_feed(struct itapp *n, void **state, const uint8_t *ip, uint32_t len, uint64_t ts_ns, struct itapp_found *ret)
{
    struct itapp_flow *f = *state;
    *ret = (struct itapp_found){0};
    if (len > UINT16_MAX) {
        ret->done = true;
        return;
    }
    if (!f) {
        f = calloc(1, sizeof *f);
        if (f)
            f->flow = calloc(1, SIZEOF_FLOW_STRUCT);
        if (!f || !f->flow) {
            free(f);
            ret->done = true;
            return;
        }
        *state = f;
    }
#if NDPI_AT_LEAST(4, 4)
    ndpi_protocol p = ndpi_detection_process_packet(n->mod, f->flow, ip, (unsigned short)len, ts_ns / 1000000, NULL);
#else
    ndpi_protocol p = ndpi_detection_process_packet(n->mod, f->flow, ip, (unsigned short)len, ts_ns / 1000000);
#endif
#if NDPI_AT_LEAST(4, 12)
    uint16_t app = p.proto.app_protocol ? p.proto.app_protocol : p.proto.master_protocol;
#else
    uint16_t app = p.app_protocol ? p.app_protocol : p.master_protocol;
#endif
    ret->app = app_name(n, app);
    ret->done = ++f->n >= MAX_PACKETS || (ret->app && !ndpi_extra_dissection_possible(n->mod, f->flow));
    if (f->flow->host_server_name[0])
        ret->host = (const char *)f->flow->host_server_name;
    if (app == NDPI_PROTOCOL_SSH && f->flow->protos.ssh.server_signature[0])
        ret->version = f->flow->protos.ssh.server_signature;
    else if (f->flow->http.user_agent && f->flow->http.user_agent[0])
        ret->version = f->flow->http.user_agent;
}

void itapp_flow_free(void *state)
{
    struct itapp_flow *f = state;
    if (!f)
        return;
    ndpi_free_flow(f->flow);
    free(f);
}
