#include "engine/env.h"

#include <string.h>

#include "capture/source.h"
#include "engine/base/hash.h"

static void number_schemas(struct shard_env *env)
{
    const struct proto_schema *s;
    for (uint32_t n = 0; (s = schema_at(n)); n++) {
        uint32_t i = (uint32_t)((uintptr_t)s >> 4) & 255;
        while (env->slots[i].schema)
            i = (i + 1) & 255;
        env->slots[i] = (struct schema_slot){.schema = s, .hash = hash_bytes(HASH_ID_KEY, s->name, strlen(s->name)),
                                             .index = n};
    }
}

/* Beyond what there is room for, a protocol is found on its port as on any other; no more than a quarter is used. */
static void register_numbers(struct env_numbers *to, const uint16_t *p, uint64_t bit)
{
    for (; p && *p && to->n < ENV_NUMBERS - 1; p++) {
        uint32_t i = env_number_row(to, *p);
        to->n += !to->row[i].dissectors;
        to->row[i].number = *p;
        to->row[i].dissectors |= bit;
    }
}

/* What a message may begin with, so that most others need not be asked. */
static void register_starts(struct shard_env *env, const struct dissector *is, uint64_t bit)
{
    for (unsigned many = 0; many < 2; many++) {
        bool any = !is->tcp_starts || is->starts_from > (many ? ENV_STARTS : 1);
        for (unsigned o = 0; o < 256 && any; o++)
            env->tcp_starts[many][o] |= bit;
        for (unsigned i = 0; !any && is->tcp_starts[i] < DIS_STARTS_END; i++)
            env->tcp_starts[many][is->tcp_starts[i]] |= bit;
    }
}

void env_ports(struct shard_env *env)
{
    number_schemas(env);
    for (unsigned d = 0; dissectors[d]; d++) {
        const struct dissector *is = dissectors[d];
        uint64_t bit = UINT64_C(1) << d;
        register_numbers(&env->tcp_ports, is->tcp_ports, bit);
        register_numbers(&env->udp_ports, is->udp_ports, bit);
        register_numbers(&env->ethertypes, is->transports & DIS_ETH ? is->ethertypes : NULL, bit);
        register_starts(env, is, bit);
        env->of_tcp |= is->transports & DIS_TCP ? bit : 0;
        env->of_udp |= is->transports & DIS_UDP ? bit : 0;
        for (const uint16_t *p = dissectors[d]->tcp_ports; p && *p; p++)
            if (!env->tcp_owner[*p])
                env->tcp_owner[*p] = (uint16_t)(d + 1);
        for (const uint16_t *p = dissectors[d]->udp_ports; p && *p; p++)
            if (!env->udp_owner[*p])
                env->udp_owner[*p] = (uint16_t)(d + 1);
    }
}

static const char *file_name(const void *arg, unsigned file)
{
    const char *name = source_file(arg, file);
    return *name ? name : NULL; /* a live port is no file */
}

static const char *iface_name(const void *arg, unsigned iface)
{
    return source_iface(arg, iface);
}

void env_names(struct shard_env *env, const struct source *src)
{
    env->file_name = file_name;
    env->iface_name = iface_name;
    env->name_arg = src;
}
