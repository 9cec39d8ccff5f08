#include "engine/pipeline.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "engine/base/hash.h"
#include "engine/env.h"
#include "engine/itapp.h"
#include "engine/newfile.h"
#include "engine/places.h"
#include "store/admin.h"
#include "store/query.h"

static bool asset_info(void *ctx, uint16_t net, const struct addr *a, struct asset_info *ret)
{
    struct pipeline *p = ctx;
    return baseline_asset_info(p->baseline, net, a, ret);
}

static struct site_who who(void *ctx, uint16_t net, const struct addr *a, struct addr to[SITE_WHO])
{
    return baseline_who(((struct pipeline *)ctx)->baseline, net, a, to);
}

static bool is_learning(void *ctx, uint64_t link)
{
    const struct pipeline *p = ctx;
    return p->untimed || baseline_learning(p->baseline, link);
}

static bool is_one_way(void *ctx, uint64_t link)
{
    return baseline_link_one_way(((struct pipeline *)ctx)->baseline, link);
}

static void event_json(void *ctx, struct rec_event *ev)
{
    collector_event_json(&((struct pipeline *)ctx)->collector, ev);
}

static const struct event *event_of(void *ctx, const struct rec_event *ev)
{
    return collector_event(&((struct pipeline *)ctx)->collector, ev);
}

static void learned(void *ctx, const struct rec_event *ev, struct raise_learned *ret)
{
    baseline_learned(((struct pipeline *)ctx)->baseline, ev, ret->why, sizeof ret->why, ret->expected,
                     sizeof ret->expected);
}

static bool settled(void *ctx, const struct rec_event *ev)
{
    return baseline_settled(((struct pipeline *)ctx)->baseline, ev);
}

static bool accepted(void *ctx, uint64_t key)
{
    return baseline_accepted(((struct pipeline *)ctx)->baseline, key);
}

static void on_deviation(void *ctx, const struct deviation *d)
{
    raise_deviation(&((struct pipeline *)ctx)->raise, d);
}

static uint32_t clamp32(uint64_t n)
{
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static uint32_t pow2_below(uint64_t n)
{
    uint32_t p = 8;
    while ((uint64_t)p * 2 <= n)
        p *= 2;
    return p;
}

/* Buffers of each size keep their proportions, and at least one of each remains; the smallest take what is over. */
static void scale_pool(struct bufpool_conf c[BUFPOOL_CLASSES], uint64_t bytes)
{
    uint64_t base = bufpool_bytes(c), small = c[0].size + sizeof(uint32_t);
    for (unsigned i = 0; i < BUFPOOL_CLASSES && c[i].n; i++) {
        c[i].n = i ? (uint32_t)(c[i].n * bytes / base) : 1;
        c[i].n += !c[i].n;
    }
    uint64_t used = bufpool_bytes(c);
    if (used + small < bytes)
        c[0].n += (uint32_t)((bytes - used) / small);
}

/* A shard has a 64th of every total. Buffers keep the proportions of shard_conf_default. */
struct shard_conf pipe_shard_conf(const struct limits *l)
{
    struct shard_conf c = shard_conf_default;
    c.n_flows = (uint32_t)(l->flows / N_SHARDS);
    c.n_facts = pow2_below(l->known_facts / N_SHARDS);
    c.n_links = (uint32_t)(l->known_links / N_SHARDS);
    c.n_assets = pow2_below(l->known_assets / N_SHARDS);
    c.n_told = pow2_below(l->thresholds / N_SHARDS);
    c.n_repeats = pow2_below(l->repeats / N_SHARDS);
    c.rt.n_txn = (uint32_t)(l->requests / N_SHARDS);
    c.rt.n_again = pow2_below(l->requests / N_SHARDS / 2);
    c.rt.n_shared = pow2_below(l->shared_states / N_SHARDS);
    c.rt.n_obs = pow2_below(l->known_identities / N_SHARDS);
    c.n_state = c.n_flows / 2;
    c.n_ndpi = (uint32_t)(l->ndpi_flows / N_SHARDS);
    scale_pool(c.stream, l->stream_bytes / N_SHARDS);
    scale_pool(c.rt.txn, l->request_bytes / N_SHARDS);
    scale_pool(c.rt.again, l->requests / N_SHARDS * AGAIN_BYTES);
    scale_pool(c.rt.assembly, l->message_bytes / N_SHARDS);
    return c;
}

static struct engine_conf engine_conf_of(const struct pipeline *p, unsigned n_workers)
{
    const struct limits *l = &p->conf->limits;
    struct shard_conf shard = pipe_shard_conf(l);
    shard.duplicate_ns = p->conf->duplicate_ns;
    shard.alerts_ns = p->conf->alerts.window_ns;
    return (struct engine_conf){.shard = shard, .n_workers = n_workers, .ring_bytes = l->ring_bytes,
                                .fragment_bytes = l->fragment_bytes, .time_jump_ns = p->conf->time_jump_ns,
                                .env = p->env, .cpus = p->conf->run.cpus,
                                .recent = p->captures ? captures_rings(p->captures) : NULL,
                                .n_cpus = p->conf->run.n_cpus};
}

struct engine_conf pipe_engine_conf(struct pipeline *p, unsigned n_workers)
{
    struct engine_conf c = engine_conf_of(p, n_workers);
    c.collector = &p->collector;
    p->env->counts = n_workers == 1 ? p->rule_state : NULL;
    return c;
}

uint64_t pipe_memory(const struct pipeline *p, unsigned n_workers)
{
    struct engine_conf c = engine_conf_of(p, n_workers);
    struct baseline_stats b;
    struct rule_stats r;
    baseline_stats(p->baseline, &b);
    rule_state_stats(p->rule_state, &r);
    uint64_t sum = engine_bytes(&c) + sizeof *p->env + sizeof(struct sight) + sizeof(struct visibility) + b.memory +
                   r.memory_bytes + alerts_memory(p->alerts) + store_memory(p->store) + outputs_memory(&p->outputs) +
                   (p->captures ? p->conf->run.capture_ring : 0);
    return p->env->itapp ? sum + p->conf->limits.ndpi_flows * NDPI_FLOW_BYTES + NDPI_BYTES : sum;
}

static void env_protocols(struct shard_env *env, const struct conf *conf)
{
    unsigned n = 0;
    for (unsigned d = 0; dissectors[d]; d++) {
        const struct conf_proto *c = conf_proto(conf, dissectors[d]->schemas[0]->name);
        if (!c)
            continue;
        if (c->off)
            env->off |= UINT64_C(1) << d;
        if (dissectors[d]->settings && n < ARRAY_LEN(env->settings) - 1) {
            env->settings[n].schema = dissectors[d]->schemas[0];
            memcpy(env->settings[n++].value, c->setting, sizeof c->setting);
        }
        for (uint32_t i = 0; i < c->n_tcp; i++)
            env->tcp_owner[c->tcp[i]] = (uint16_t)(d + 1);
        for (uint32_t i = 0; i < c->n_udp; i++)
            env->udp_owner[c->udp[i]] = (uint16_t)(d + 1);
    }
}

static int open_rules(struct pipeline *p, const struct pipe_opts *o, struct err *e)
{
    const char *files[PIPE_MAX_RULES * 2 + 1], *nets[256];
    const struct proto_schema *schemas[RULES_SCHEMAS];
    static char net_names[256][SITE_NET_NAME];
    unsigned n = 0, n_schemas = 0, n_nets = 0;
    const struct conf_rules *c = &p->conf->rules;
    for (; c->files && c->files[n] && n < PIPE_MAX_RULES; n++)
        files[n] = c->files[n];
    for (unsigned i = 0; i < o->n_rules; i++)
        files[n++] = o->rules[i];
    files[n] = NULL;
    while (n_schemas < RULES_SCHEMAS && (schemas[n_schemas] = schema_at(n_schemas)))
        n_schemas++;
    for (; n_nets <= p->conf->site.n_networks && n_nets < 256; n_nets++)
        nets[n_nets] = site_network_name(&p->conf->site, (uint16_t)n_nets, net_names[n_nets]);
    struct ruleset_opts ro = {.schemas = schemas, .n_schemas = n_schemas, .networks = nets, .n_networks = n_nets,
                              .tz = &p->conf->site.tz, .site = &p->conf->site, .files = files, .enable = c->enable,
                              .disable = c->disable, .no_defaults = o->no_default_rules || !c->defaults};
    int r = ruleset_load(&ro, &p->rules, e);
    return r ? r : rule_state_new(p->rules, p->conf->limits.thresholds * 96, p->env->hash_key, &p->rule_state, e);
}

/* auto: all learns until its learning ends, which is what live does on a new database. */
static const enum baseline_mode modes[] = {
    [CONF_MODE_AUTO] = BASE_LIVE, [CONF_MODE_LEARN] = BASE_LEARN, [CONF_MODE_LIVE] = BASE_LIVE,
    [CONF_MODE_DETECT] = BASE_DETECT,
};

static int open_model(struct pipeline *p, const struct pipe_opts *o, struct err *e)
{
    const struct conf *c = p->conf;
    const struct limits *l = &c->limits;
    struct store_conf sc = {.path = o->db, .version = TYTO_VERSION, .sensor = c->site.sensor,
                            .queue_bytes = clamp32(l->store_bytes),
                            .cache_bytes = clamp32(l->store_cache_bytes), .wait = !o->live};
    struct baseline_conf bc;
    baseline_conf_default(&bc);
    bc.site = &c->site;
    bc.oui_excerpt = o->oui_excerpt;
    bc.mode = o->mode >= 0 ? (enum baseline_mode)o->mode : modes[c->mode];
    bc.learn_ns = c->learning.period_ns;
    bc.quiet_ns = c->learning.quiet_ns;
    bc.fold_ns = c->learning.fold_ns;
    bc.scan_ns = c->learning.scan_ns;
    bc.scan_addresses = (uint32_t)c->learning.scan_addresses;
    bc.scan_ports = (uint32_t)c->learning.scan_ports;
    bc.scan_controllers = (uint32_t)c->learning.scan_controllers;
    bc.read_gap = (uint32_t)c->learning.read_gap;
    bc.router_addresses = (uint32_t)c->learning.router_addresses;
    bc.hash_key = p->env->hash_key;
    bc.schema = schema_by_name;
    bc.emit = on_deviation;
    bc.emit_ctx = p;
    bc.limits = (struct baseline_limits){
        .assets = (uint32_t)l->assets, .links = (uint32_t)l->links, .funcs = (uint32_t)l->functions,
        .ops = (uint32_t)l->operations, .digests = (uint32_t)l->digests, .idents = (uint32_t)l->identities,
        .names = (uint32_t)l->names, .incidents = (uint32_t)l->incidents, .scanners = (uint32_t)l->scanners};
    bool missing = strcmp(o->db, ":memory:") != 0 && access(o->db, F_OK) != 0 && errno == ENOENT;
    int r = store_open(&sc, &p->store, &p->fresh, e);
    if (r)
        return r;
    p->made = missing ? o->db : NULL;
    p->baseline = baseline_new(&bc, e);
    if (!p->baseline)
        return -ENOMEM;
    struct row_sink into = baseline_loader(p->baseline);
    return store_load(p->store, &into, e);
}

static int open_captures(struct pipeline *p, const struct pipe_opts *o, struct err *e)
{
    const struct conf_run *k = &p->conf->run;
    struct captures_conf cc = {.dir = k->capture_dir,
                               .n_rings = source_n_queues(p->source),
                               .before_ns = k->capture_before_ns,
                               .after_ns = k->capture_after_ns,
                               .ring_bytes = k->capture_ring,
                               .file_bytes = k->capture_file,
                               .total_bytes = k->capture_total,
                               .iface_name = p->env->iface_name,
                               .name_arg = p->env->name_arg};
    return o->live && k->capture_dir ? captures_open(&p->captures, &cc, e) : 0;
}

static int open_alerts(struct pipeline *p, const struct pipe_opts *o, struct err *e)
{
    const struct conf *c = p->conf;
    if (!p->fresh) { /* alerts go on where an earlier run left them */
        int q = query_open(o->db, &p->past, e);
        if (q)
            return q;
    }
    struct alert_conf ac = {.host = c->site.sensor,
                            .hash_key = p->env->hash_key,
                            .window_ns = c->alerts.window_ns,
                            .rate = (uint32_t)c->alerts.rate,
                            .max_open = (uint32_t)c->limits.alerts_open,
                            .bytes = (uint32_t)c->limits.alert_bytes,
                            .evidence_bytes = (uint32_t)c->alerts.evidence_bytes,
                            .changes = c->alerts.types,
                            .n_changes = c->alerts.n_types,
                            .ctx = p->past,
                            .past = p->past ? raise_past : NULL};
    if (p->captures)
        ac.capture = captures_take, ac.capture_ctx = p->captures;
    ac.file_name = p->env->file_name, ac.iface_name = p->env->iface_name, ac.name_arg = p->env->name_arg;
    ac.sinks[ac.n_sinks++] = raise_store_sink(p->store); /* stored before any output sees it */
    int r = outputs_open(&p->outputs, c, o->alerts, &ac, e);
    if (r)
        return r;
    r = alerts_new(&p->alerts, &ac, e);
    if (r)
        return r;
    struct raise_conf rc = {.alerts = p->alerts,
                            .site = &c->site,
                            .ctx = p,
                            .asset = asset_info,
                            .who = who,
                            .learning = is_learning,
                            .one_way = is_one_way,
                            .event_json = event_json,
                            .event = event_of,
                            .learned = learned,
                            .settled = settled,
                            .accepted = accepted,
                            .rules = p->rules,
                            .untimed = o->untimed,
                            .outputs = &p->outputs,
                            .store = p->store};
    raise_init(&p->raise, &rc);
    return 0;
}

enum { SAVE_S = 10 }; /* of what the model learned, so much real time is lost where a replay is killed */

static int open_all(struct pipeline *p, const struct pipe_opts *o, struct err *e)
{
    int r = conf_load(&p->conf, o->conf, e);
    if (r || (r = places_of_run(o, p->conf, p->source, e)))
        return r;
    if (o->stats && (r = newfile_check(o->stats, e))) /* written at the end, and told now */
        return r;
    const char *events = o->events ? o->events : outputs_events(p->conf); /* a configured file is appended to */
    p->env = calloc(1, sizeof *p->env);
    if (!p->env)
        return err_set(e, -ENOMEM, "no memory");
    uint64_t random[2];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return err_set(e, -EIO, "no random numbers from the system");
    p->env->hash_key = o->live ? random[0] : HASH_ID_KEY;
    p->env->secret = random[1];
    p->env->site = &p->conf->site;
    p->env->host = p->conf->site.sensor;
    p->env->log_events = events != NULL;
    p->env->itapp = o->no_ndpi ? NULL : itapp_new();
    env_ports(p->env);
    env_protocols(p->env, p->conf);
    env_names(p->env, p->source);
    if ((r = open_rules(p, o, e)) || (r = open_model(p, o, e)) ||
        (r = open_captures(p, o, e)) || (r = open_alerts(p, o, e)))
        return r;
    p->env->rules = p->rules;
    if (events && (r = textout_open(&p->events, events, !o->events || o->again, e)))
        return r;
    p->collector = (struct collector){.events = events ? &p->events : NULL,
                                      .baseline = p->baseline,
                                      .raise = &p->raise,
                                      .alerts = p->alerts,
                                      .rule_state = p->rule_state,
                                      .rules = p->rules,
                                      .store = p->store,
                                      .untimed = o->untimed,
                                      .save_s = o->live ? 0 : SAVE_S,
                                      .outputs = o->live ? NULL : &p->outputs,
                                      .behind = o->live ? &p->outputs : NULL,
                                      .source = p->source,
                                      .env = p->env,
                                      .scratch = malloc(sizeof(struct event)),
                                      .json = malloc(REC_MAX_BYTES),
                                      .held = malloc(HELD_IDENTS * sizeof(struct held_ident))};
    p->collector.ops.sight = calloc(1, sizeof(struct sight));
    p->collector.ops.visibility = calloc(1, sizeof(struct visibility));
    sem_init(&p->collector.bell, 0, 0);
    if (o->live)
        outputs_behind(&p->outputs, p->store);
    else
        outputs_hold(&p->outputs, p->store);
    if (!p->collector.scratch || !p->collector.json || !p->collector.held || !p->collector.ops.sight ||
        !p->collector.ops.visibility)
        return err_set(e, -ENOMEM, "no memory");
    return 0;
}

int pipe_check(const struct pipe_opts *o, struct err *e)
{
    struct pipeline *p = calloc(1, sizeof *p);
    int r = p ? conf_load(&p->conf, o->conf, e) : err_set(e, -ENOMEM, "no memory");
    if (r == 0)
        r = places_of_run(o, p->conf, NULL, e);
    if (r == 0 && !(p->env = calloc(1, sizeof *p->env)))
        r = err_set(e, -ENOMEM, "no memory");
    if (r == 0)
        r = open_rules(p, o, e);
    if (p) {
        rule_state_free(p->rule_state);
        ruleset_free(p->rules);
        free(p->env);
        conf_free(p->conf);
    }
    free(p);
    return r;
}

int pipe_open(struct pipeline *p, const struct pipe_opts *o, struct source *src, struct err *e)
{
    struct err ignored;
    *p = (struct pipeline){.source = src, .untimed = o->untimed};
    int r = dissectors_check(e);
    if (!r)
        r = open_all(p, o, e);
    if (r) {
        p->forget = true;
        pipe_close(p, &ignored);
    }
    return r;
}

void pipe_ended(struct pipeline *p)
{
    struct source_stats s;
    struct alert_stats a;
    source_stats(p->source, &s);
    alerts_stats(p->alerts, &a);
    p->forget = !s.packets && s.errors && !a.opened;
}

void pipe_flush(struct pipeline *p)
{
    struct err e;
    textout_flush(&p->events);
    if (p->collector.outputs)
        store_sync(p->store, &e); /* its failure is told when it is closed */
    else
        store_sync_alerts(p->store, 2000);
    outputs_flush(&p->outputs);
}

static void keep_first(int *r, struct err *first, int now, const struct err *e)
{
    if (*r || !now)
        return;
    *r = now;
    *first = *e;
}

int pipe_close(struct pipeline *p, struct err *first)
{
    struct err e;
    int r = 0;
    const char *name = p->events.path; /* the name survives the close */
    int w = textout_close(&p->events);
    if (w)
        err_set(&e, w, "%s: cannot be written: %s", strcmp(name, "-") == 0 ? "standard output" : name, strerror(-w));
    keep_first(&r, first, w, &e);
    alerts_free(p->alerts);
    captures_close(p->captures);
    w = outputs_close(&p->outputs, &e);
    keep_first(&r, first, w, &e);
    query_close(p->past);
    w = store_close(p->store, &e);
    keep_first(&r, first, w, &e);
    if (p->made && p->forget)
        db_remove(p->made);
    baseline_free(p->baseline);
    rule_state_free(p->rule_state);
    ruleset_free(p->rules);
    free(p->collector.scratch);
    free(p->collector.json);
    free(p->collector.held);
    free(p->collector.ops.sight);
    free(p->collector.ops.visibility);
    if (p->env)
        itapp_free(p->env->itapp);
    free(p->env);
    conf_free(p->conf);
    *p = (struct pipeline){0};
    return r;
}
