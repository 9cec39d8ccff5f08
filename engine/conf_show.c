/* conf_show.c: the effective configuration, in the form in which it is read. */
#include <string.h>

#include "alerts/alert.h"
#include "dissectors/dissector.h"
#include "engine/base/jw.h"
#include "engine/base/schema.h"
#include "engine/conf_int.h"
#include "engine/emit.h"

static void show_subnets(struct emit *e, const struct subnet *v, uint32_t n)
{
    char text[SUBNET_TEXT];
    if (!n)
        return;
    emit_row(e, "subnets");
    for (uint32_t i = 0; i < n; i++) {
        subnet_text(&v[i], text);
        emit_row_str(e, text, i == 0);
    }
    emit_row_end(e);
}

static void show_addrs(struct emit *e, const char *key, const struct addr *v, uint32_t n)
{
    char text[ADDR_TEXT];
    emit_row(e, key);
    for (uint32_t i = 0; i < n; i++) {
        addr_text(&v[i], text);
        emit_row_str(e, text, i == 0);
    }
    emit_row_end(e);
}

static void show_texts(struct emit *e, const char *key, const char *const *v)
{
    emit_row(e, key);
    for (uint32_t i = 0; v && v[i]; i++)
        emit_row_str(e, v[i], i == 0);
    emit_row_end(e);
}

static const char *ref_text(const struct site *s, const struct site_ref *r, char out[SUBNET_TEXT])
{
    if (r->asset != SITE_NO_ASSET)
        return s->assets[r->asset].name;
    subnet_text(&r->subnet, out);
    return out;
}

static void show_networks(struct emit *e, const struct site *s)
{
    char text[32];
    if (!emit_list(e, "networks", s->n_networks))
        return;
    for (uint32_t i = 0; i < s->n_networks; i++) {
        const struct site_network *w = &s->networks[i];
        emit_map(e, NULL);
        emit_str(e, "name", w->name);
        emit_str(e, "interface", w->interface);
        if (w->vlan_hi) {
            snprintf(text, sizeof text, w->vlan_lo == w->vlan_hi ? "%u" : "%u-%u", w->vlan_lo, w->vlan_hi);
            emit_str(e, "vlan", text);
        }
        show_subnets(e, w->subnets, w->n_subnets);
        emit_bool(e, "vlan_separates", w->vlan_separates);
        emit_close(e);
    }
    emit_close(e);
}

static void show_zones(struct emit *e, const struct site *s)
{
    char name[SITE_NET_NAME], addr[ADDR_TEXT];
    if (!emit_list(e, "zones", s->n_zones))
        return;
    for (uint32_t i = 0; i < s->n_zones; i++) {
        const struct site_zone *z = &s->zones[i];
        emit_map(e, NULL);
        emit_str(e, "name", z->name);
        if (z->n_networks) {
            emit_row(e, "networks");
            for (uint32_t k = 0; k < z->n_networks; k++)
                emit_row_str(e, site_network_name(s, z->networks[k], name), k == 0);
            emit_row_end(e);
        }
        show_subnets(e, z->subnets, z->n_subnets);
        if (z->n_assets || z->n_addrs) {
            emit_row(e, "assets");
            for (uint32_t k = 0; k < z->n_assets; k++)
                emit_row_str(e, s->assets[z->assets[k]].name, k == 0);
            for (uint32_t k = 0; k < z->n_addrs; k++) {
                addr_text(&z->addrs[k], addr);
                emit_row_str(e, addr, k + z->n_assets == 0);
            }
            emit_row_end(e);
        }
        if (z->purdue == 35)
            emit_raw(e, "purdue", "3.5");
        else if (z->purdue >= 0)
            emit_u64(e, "purdue", (uint64_t)z->purdue);
        emit_close(e);
    }
    emit_close(e);
}

static void show_assets(struct emit *e, const struct site *s)
{
    char name[SITE_NET_NAME];
    if (!emit_list(e, "assets", s->n_assets))
        return;
    for (uint32_t i = 0; i < s->n_assets; i++) {
        const struct site_asset *a = &s->assets[i];
        emit_map(e, NULL);
        emit_str(e, "name", a->name);
        show_addrs(e, "address", a->addrs, a->n_addrs);
        if (a->net != SITE_ANY_NET)
            emit_str(e, "network", site_network_name(s, a->net, name));
        emit_str(e, "type", a->type);
        emit_str(e, "owner", a->owner);
        emit_str(e, "criticality", a->criticality);
        if (a->n_tags)
            show_texts(e, "tags", a->tags);
        emit_close(e);
    }
    emit_close(e);
}

static void show_span(struct emit *e, const struct site_window *w)
{
    static const char *const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
    char text[TIME_TEXT];
    bool first = true;
    emit_map(e, "window");
    for (unsigned i = 0; i < 2; i++) {
        unsigned min = i ? w->to_min : w->from_min;
        if (w->weekly) {
            snprintf(text, sizeof text, "%02u:%02u", min / 60, min % 60);
        } else {
            time_text(i ? w->to_ns : w->from_ns, text);
            memcpy(text + 19, "Z", 2);
        }
        emit_str(e, i ? "to" : "from", text);
    }
    if (w->weekly) {
        emit_row(e, "days");
        for (unsigned d = 0; d < 7; d++)
            if (w->days >> d & 1) {
                emit_row_str(e, days[d], first);
                first = false;
            }
        emit_row_end(e);
    }
    emit_close(e);
}

static void show_maintenance(struct emit *e, const struct site *s)
{
    char text[SUBNET_TEXT];
    if (!emit_list(e, "maintenance", s->n_windows))
        return;
    for (uint32_t i = 0; i < s->n_windows; i++) {
        const struct site_window *w = &s->windows[i];
        bool first = true;
        emit_map(e, NULL);
        emit_str(e, "name", w->name);
        show_span(e, w);
        if (w->zone >= 0)
            emit_str(e, "zone", s->zones[w->zone].name);
        if (w->has_asset)
            emit_str(e, "asset", ref_text(s, &w->asset, text));
        if (w->has_actor)
            emit_str(e, "actor", ref_text(s, &w->actor, text));
        if (w->actions) {
            emit_row(e, "action");
            for (unsigned a = 0; a < ACT_COUNT; a++)
                if (w->actions >> a & 1) {
                    emit_row_str(e, action_name(a), first);
                    first = false;
                }
            emit_row_end(e);
        }
        emit_close(e);
    }
    emit_close(e);
}

static void show_site(struct emit *e, const struct site *s)
{
    char text[SUBNET_TEXT];
    show_networks(e, s);
    show_zones(e, s);
    show_assets(e, s);
    emit_row(e, "engineering_stations");
    for (uint32_t i = 0; i < s->n_stations; i++)
        emit_row_str(e, ref_text(s, &s->stations[i], text), i == 0);
    emit_row_end(e);
    show_maintenance(e, s);
    if (emit_list(e, "redundancy", s->n_roles)) {
        for (uint32_t i = 0; i < s->n_roles; i++)
            show_addrs(e, NULL, s->roles[i].addrs, s->roles[i].n_addrs);
        emit_close(e);
    }
}

static void show_learning(struct emit *e, const struct conf_learning *k)
{
    emit_map(e, "learning");
    emit_duration(e, "period", k->period_ns);
    emit_duration(e, "quiet", k->quiet_ns);
    emit_duration(e, "fold", k->fold_ns);
    emit_u64(e, "read_gap", k->read_gap);
    emit_u64(e, "router_addresses", k->router_addresses);
    emit_duration(e, "scan_window", k->scan_ns);
    emit_u64(e, "scan_addresses", k->scan_addresses);
    emit_u64(e, "scan_ports", k->scan_ports);
    emit_u64(e, "scan_controllers", k->scan_controllers);
    emit_close(e);
}

static void show_limits(struct emit *e, const struct conf *c)
{
    emit_map(e, "limits");
    for (const struct limit_row *r = limit_rows; r->key; r++)
        emit_u64(e, r->key, limits_get(&c->limits, r));
    emit_duration(e, "duplicate_window", c->duplicate_ns);
    emit_duration(e, "time_jump", c->time_jump_ns);
    emit_close(e);
}

static void show_protocols(struct emit *e, const struct conf *c)
{
    char text[16];
    emit_map(e, "protocols");
    for (uint32_t i = 0; i < c->n_protocols; i++) {
        const struct conf_proto *p = &c->protocols[i];
        emit_map(e, p->name);
        emit_row(e, "ports");
        for (uint32_t k = 0; k < p->n_tcp + p->n_udp; k++) {
            bool tcp = k < p->n_tcp;
            snprintf(text, sizeof text, tcp ? "tcp/%u" : "udp/%u", tcp ? p->tcp[k] : p->udp[k - p->n_tcp]);
            emit_row_str(e, text, k == 0);
        }
        emit_row_end(e);
        emit_bool(e, "off", p->off);
        for (unsigned k = 0; k < CONF_SETTINGS; k++)
            if (p->setting[k])
                emit_u64(e, conf_setting(p->name, k)->key, p->setting[k]);
        emit_close(e);
    }
    emit_close(e);
}

static void show_alerts(struct emit *e, const struct conf_alerts *k)
{
    emit_map(e, "alerts");
    emit_duration(e, "window", k->window_ns);
    emit_u64(e, "rate", k->rate);
    emit_u64(e, "evidence_bytes", k->evidence_bytes);
    emit_map(e, "types");
    for (uint32_t i = 0; i < k->n_types; i++)
        emit_str(e, k->types[i].id, k->types[i].severity ? alert_severity_name(k->types[i].severity) : "off");
    emit_close(e);
    emit_close(e);
}

static void show_outputs(struct emit *e, const struct conf *c)
{
    if (!emit_list(e, "outputs", c->n_outputs))
        return;
    for (uint32_t i = 0; i < c->n_outputs; i++) {
        const struct conf_output *o = &c->outputs[i];
        emit_map(e, NULL);
        emit_str(e, "type", "file");
        emit_str(e, "path", o->path);
        emit_str(e, "what", o->what == OUTPUT_EVENTS ? "events" : "alerts");
        emit_str(e, "severity", alert_severity_name(o->severity));
        emit_close(e);
    }
    emit_close(e);
}

static void show_run(struct emit *e, const struct conf_run *k)
{
    char text[8];
    emit_map(e, "run");
    emit_str(e, "user", k->user);
    emit_row(e, "cpus");
    for (uint32_t i = 0; i < k->n_cpus; i++) {
        snprintf(text, sizeof text, "%u", k->cpus[i]);
        emit_row_str(e, text, i == 0);
    }
    emit_row_end(e);
    emit_u64(e, "workers", k->workers);
    emit_str(e, "filter", k->filter);
    emit_u64(e, "snaplen", k->snaplen ? k->snaplen : 262144);
    emit_u64(e, "buffer", k->buffer_bytes ? k->buffer_bytes : UINT64_C(64) << 20);
    emit_bool(e, "promiscuous", k->promiscuous);
    emit_bool(e, "immediate", k->immediate);
    emit_bool(e, "adapter_time", k->adapter_time);
    emit_bool(e, "wait", k->wait);
    emit_row(e, "dpdk_args");
    for (uint32_t i = 0; k->dpdk_args && k->dpdk_args[i]; i++)
        emit_row_str(e, k->dpdk_args[i], i == 0);
    emit_row_end(e);
    emit_u64(e, "dpdk_mbufs", k->dpdk_mbufs ? k->dpdk_mbufs : 16384);
    emit_duration(e, "stats_interval", k->stats_ns);
    emit_str(e, "metrics", k->metrics);
    emit_duration(e, "silence", k->silence_ns);
    emit_str(e, "capture_dir", k->capture_dir);
    emit_duration(e, "capture_before", k->capture_before_ns);
    emit_duration(e, "capture_after", k->capture_after_ns);
    emit_u64(e, "capture_ring", k->capture_ring);
    emit_u64(e, "capture_file", k->capture_file);
    emit_u64(e, "capture_total", k->capture_total);
    emit_close(e);
}

void conf_show(const struct conf *c, bool json, FILE *f)
{
    struct emit e;
    emit_begin(&e, f, json);
    emit_map(&e, "sensor");
    emit_str(&e, "name", c->site.sensor);
    emit_str(&e, "site", c->site.place);
    emit_close(&e);
    emit_str(&e, "mode", conf_modes[c->mode]);
    emit_str(&e, "timezone", c->site.tz.name);
    show_site(&e, &c->site);
    show_learning(&e, &c->learning);
    show_limits(&e, c);
    show_protocols(&e, c);
    emit_map(&e, "rules");
    emit_bool(&e, "defaults", c->rules.defaults);
    show_texts(&e, "files", c->rules.files);
    show_texts(&e, "enable", c->rules.enable);
    show_texts(&e, "disable", c->rules.disable);
    emit_close(&e);
    show_alerts(&e, &c->alerts);
    show_outputs(&e, c);
    show_run(&e, &c->run);
    emit_end(&e);
}
