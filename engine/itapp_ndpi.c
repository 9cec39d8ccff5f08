/* itapp_ndpi.c: the door to nDPI (4.2 and newer). It allocates inside, which is why only the first packets of flows
 * that no dissector claimed reach it. Its caches span flows and would make results depend on the order of packets, and
 * so on the number of workers: they are switched off, or emptied behind every packet. Neither its initialisation nor
 * its detection may run twice at a time, and each copy of its tables takes 6 MB: all workers share one, behind a lock
 * that is taken for the first few packets of a flow that nobody knows. */
#include "engine/itapp.h"

#include <ctype.h>
#include <ndpi/ndpi_define.h>
#if NDPI_MAJOR == 4 && NDPI_MINOR == 2
#define NDPI_LIB_COMPILATION 1 /* its structure: 4.2 has no other way to its caches */
#endif
#include <ndpi/ndpi_api.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/obs.h"

#define NDPI_AT_LEAST(major, minor) (NDPI_MAJOR > (major) || (NDPI_MAJOR == (major) && NDPI_MINOR >= (minor)))

enum {
    MAX_PACKETS = 4,  /* with payload, of one flow */
    MAX_APPS = 2048,  /* protocol numbers of the library whose names are kept */
    APP_NAME = 32,
};

struct itapp {
    pthread_mutex_t lock;
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

/* Without a setting for it: what one packet left there is gone before the next. */
static void empty_caches(struct ndpi_detection_module_struct *mod)
{
#ifdef NDPI_LIB_COMPILATION
    if (ndpi_get_ndpi_detection_module_size() != sizeof *mod)
        return; /* built otherwise than its headers say */
    struct ndpi_lru_cache **const all[] = {&mod->ookla_cache, &mod->bittorrent_cache, &mod->zoom_cache,
                                           &mod->stun_cache,  &mod->tls_cert_cache,   &mod->mining_cache,
                                           &mod->msteams_cache};
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (*all[i])
            ndpi_lru_free_cache(*all[i]);
        *all[i] = NULL;
    }
#else
    (void)mod;
#endif
}

static struct ndpi_detection_module_struct *open_module(void)
{
#if NDPI_AT_LEAST(4, 10)
    struct ndpi_detection_module_struct *mod = ndpi_init_detection_module(NULL);
#else
    /* Tor's relays as they were when the package was made: today most of these addresses are somebody else's. The list
     * is half of the start. */
    struct ndpi_detection_module_struct *mod = ndpi_init_detection_module(ndpi_dont_load_tor_hosts);
#endif
    if (!mod)
        return NULL;
#if !NDPI_AT_LEAST(4, 14)
    NDPI_PROTOCOL_BITMASK all;
    NDPI_BITMASK_SET_ALL(all);
    /* has a cache of its own, without a way to empty it */
    all.fds_bits[NDPI_PROTOCOL_TINC / NDPI_BITS] &= ~((ndpi_ndpi_mask)1 << NDPI_PROTOCOL_TINC % NDPI_BITS);
    ndpi_set_protocol_detection_bitmask2(mod, &all);
#endif
    no_caches(mod);
    ndpi_finalize_initialization(mod);
    return mod;
}

struct itapp *itapp_new(void)
{
    struct itapp *n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    if (pthread_mutex_init(&n->lock, NULL)) {
        free(n);
        return NULL;
    }
    n->mod = open_module();
    if (n->mod)
        return n;
    itapp_free(n);
    return NULL;
}

void itapp_free(struct itapp *n)
{
    if (!n)
        return;
    if (n->mod)
        ndpi_exit_detection_module(n->mod);
    pthread_mutex_destroy(&n->lock);
    free(n);
}

/* Protocols that have a dissector go by the dissector's name. */
static const char *own_name(const char *s)
{
    static const char *const same[][2] = {{"ethernetip", "enip"}, {"ethernet/ip", "enip"}, {"iec60870", "iec104"},
                                          {"s7commplus", "s7comm"}};
    for (unsigned i = 0; i < sizeof same / sizeof same[0]; i++)
        if (strcmp(s, same[i][0]) == 0)
            return same[i][1];
    return s;
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
    return t[0] ? own_name(t) : NULL;
}

/* Lists of names are joined by commas, and exports quote nothing else: the baseline writes "_" for these. */
static char plain(char c)
{
    return strchr(", \":", c) ? '_' : (char)tolower((unsigned char)c);
}

bool itapp_knows(const struct itapp *n, const char *name)
{
    uint16_t end = ndpi_get_num_supported_protocols(n->mod) < MAX_APPS
                       ? (uint16_t)ndpi_get_num_supported_protocols(n->mod)
                       : MAX_APPS;
    for (uint16_t id = NDPI_PROTOCOL_UNKNOWN + 1; id < end; id++) {
        const char *s = ndpi_get_proto_name(n->mod, id);
        unsigned i = 0;
        while (s && s[i] && i < APP_NAME - 1 && name[i] == plain(s[i]))
            i++;
        if (s && i && !name[i] && (!s[i] || i == APP_NAME - 1))
            return true;
    }
    return false;
}

static void word(struct itapp_found *ret, const char *text, bool of_client, enum obs_kind kind)
{
    if (text && text[0] && ret->n_words < ITAPP_WORDS)
        ret->words[ret->n_words++] = (struct itapp_word){.text = text, .of_client = of_client, .kind = (uint8_t)kind};
}

/* A name as people give them: not an address, and not one of the numbers that stand for one. */
static bool is_name(const char *s)
{
    bool letter = false;
    for (; *s; s++) {
        if (*s == ':' || *s <= ' ' || *s == 0x7f)
            return false;
        letter |= isalpha((unsigned char)*s) != 0;
    }
    return letter;
}

/* Whose name the library found: the client's own (DHCP option 12), or what the client calls the server (HTTP Host, TLS
 * server name). Names that are asked for (DNS, NetBIOS name service) are of neither side. */
static void words(const struct ndpi_flow_struct *f, uint16_t app, uint16_t master, struct itapp_found *ret)
{
    const char *host = (const char *)f->host_server_name;
    bool http = app == NDPI_PROTOCOL_HTTP || master == NDPI_PROTOCOL_HTTP;
    if (app == NDPI_PROTOCOL_DHCP && is_name(host))
        word(ret, host, true, OBS_NAME);
    else if ((http || ret->tls) && is_name(host))
        word(ret, host, false, OBS_NAME);
    if (ret->tls)
        word(ret, f->protos.tls_quic.subjectDN, false, OBS_CERT); /* TLS 1.3 sends it encrypted */
    if (app == NDPI_PROTOCOL_SSH) {
        word(ret, f->protos.ssh.client_signature, true, OBS_SOFTWARE);
        word(ret, f->protos.ssh.server_signature, false, OBS_SOFTWARE);
    }
    if (http)
        word(ret, f->http.user_agent, true, OBS_SOFTWARE);
#if NDPI_AT_LEAST(4, 10)
    if (http)
        word(ret, f->http.server, false, OBS_SOFTWARE);
#endif
}

static struct itapp_flow *new_flow(void)
{
    struct itapp_flow *f = calloc(1, sizeof *f);
    if (f && !(f->flow = calloc(1, SIZEOF_FLOW_STRUCT))) {
        free(f);
        f = NULL;
    }
    return f;
}

static void detect(struct itapp *n, struct itapp_flow *f, const uint8_t *ip, uint32_t len, uint64_t ts_ns,
                   struct itapp_found *ret)
{
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
#if NDPI_AT_LEAST(4, 12)
    uint16_t master = p.proto.master_protocol;
#else
    uint16_t master = p.master_protocol;
#endif
    ret->app = app_name(n, app);
    ret->tls = app == NDPI_PROTOCOL_TLS || master == NDPI_PROTOCOL_TLS;
    ret->done = ++f->n >= MAX_PACKETS || (ret->app && !ndpi_extra_dissection_possible(n->mod, f->flow));
    words(f->flow, app, master, ret);
    empty_caches(n->mod);
}

void itapp_feed(struct itapp *n, void **state, const uint8_t *ip, uint32_t len, uint64_t ts_ns, struct itapp_found *ret)
{
    *ret = (struct itapp_found){.done = true};
    if (len > UINT16_MAX || (!*state && !(*state = new_flow())))
        return;
    pthread_mutex_lock(&n->lock);
    detect(n, *state, ip, len, ts_ns, ret);
    pthread_mutex_unlock(&n->lock);
}

void itapp_flow_free(void *state)
{
    struct itapp_flow *f = state;
    if (!f)
        return;
    ndpi_free_flow(f->flow);
    free(f);
}
