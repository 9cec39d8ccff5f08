/* foreign.c: connections to a port that is a dissector's, whose bytes are not its protocol.
 *
 * It is told of connections that are known from their beginning: all that was said so far was seen, whole, and none of
 * those that have the server's port found anything like its own in it, or one that has another port took it. Of what
 * the capture joined in the middle, has a hole in or cut nobody knows whether the port's protocol was spoken before. On
 * port 102 there are more than we know (S7comm-plus), all behind the same connection request. */
#include "engine/shard.h"

#include "engine/worker.h"

enum { ENOUGH_BYTES = 16 }; /* of a connection that is over: as many as most headers have */

/* As a bit each: dissectors that have the server's port. */
static uint64_t owners(const struct shard_env *env, const struct flow *f)
{
    bool udp = f->key.proto == PROTO_UDP;
    uint16_t port = f->client ? f->key.lo_port : f->key.hi_port;
    if (f->client > 1 || !f->sure || (!udp && f->key.proto != PROTO_TCP))
        return 0;
    uint64_t owner = UINT64_C(1) << (udp ? env->udp_owner : env->tcp_owner)[port];
    return owner >> 1 | env_dissectors(udp ? &env->udp_ports : &env->tcp_ports, port);
}

static bool is_whole(const struct flow *f)
{
    for (unsigned side = 0; side < 2; side++)
        if ((f->half[side].flags & (HALF_NEXT | HALF_SYN)) == HALF_NEXT)
            return false;
    return !(f->asks & (FLOW_HOLED | FLOW_LIKE));
}

bool foreign_here(const struct shard *s, const struct flow *f)
{
    uint64_t all = owners(s->env, f);
    return all && !(all & (s->env->off | f->excluded)) && (f->key.proto == PROTO_UDP || is_whole(f));
}

void foreign_bytes(struct shard *s, const struct flow *f, uint32_t n)
{
    if (f->key.proto == PROTO_TCP && owners(s->env, f))
        s->stats->unsynced_bytes += n;
}

bool foreign_app(struct shard *s, struct flow *f, const char *app)
{
    if (f->key.proto != PROTO_TCP || f->tls || !foreign_here(s, f))
        return false;
    report_link(s, f);
    struct link *l = link_find(&s->links, f->link);
    if (!l)
        return false;
    f->asks |= FLOW_APP;
    l->app = app;
    return true;
}

void foreign_tell(struct shard *s, struct flow *f, bool had_port)
{
    bool named = f->asks & FLOW_APP, tcp = f->key.proto == PROTO_TCP;
    if (!f->link)
        report_link(s, f);
    struct link *l = link_find(&s->links, f->link);
    const char *app = l ? l->app : NULL;
    f->asks &= (uint8_t)~FLOW_APP;
    if (tcp && !f->tls && foreign_here(s, f)) {
        report_app(s, f, app && !schema_by_name(app) ? app : REC_APP_UNKNOWN, true, false, true);
    } else if (named && app) { /* bytes are missing since it was named */
        l->app = NULL;
        report_app(s, f, app, true, false, false);
    } else if (had_port && l && (!tcp || f->tls)) {
        app = app ? app : f->tls ? "tls" : NULL;
        if (app && !schema_by_name(app))
            report_app(s, f, app, true, f->tls, true);
    }
}

void foreign_end(struct shard *s, struct flow *f, bool waits)
{
    if (f->key.proto != PROTO_TCP || !f->tried_bytes)
        return;
    foreign_bytes(s, f, f->lost_owner ? 0 : f->tried_bytes);
    if (f->asks & FLOW_APP || (f->tried_bytes >= ENOUGH_BYTES && !waits && foreign_here(s, f)))
        foreign_tell(s, f, false);
}
