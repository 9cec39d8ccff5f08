#include "engine/stats.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/jw.h"
#include "engine/newfile.h"

static const char *const unseen_keys[UNSEEN_KINDS] = {"bytes", "messages", "frames"};

static void totals(const struct stats_report *r, struct engine_totals *t)
{
    memset(t, 0, sizeof *t);
    if (r->before)
        *t = *r->before;
    engine_totals_add(r->engine, t);
}

static void dropped(struct jw *w, const struct engine_totals *t, const struct stats_report *r)
{
    const struct eng_stats *s = &t->sum;
    struct store_stats db;
    uint64_t kernel = 0, nic = 0;
    for (unsigned i = 0; i < r->n_ports; i++) {
        kernel += r->ports[i].dropped_kernel;
        nic += r->ports[i].dropped_nic;
    }
    jw_key_open(w, "dropped", '{');
    jw_kv_u64(w, "kernel", kernel);
    jw_kv_u64(w, "nic", nic);
    jw_kv_u64(w, "ring", s->ring_dropped);
    jw_kv_u64(w, "undecoded", s->undecoded);
    jw_kv_u64(w, "unsynchronised_bytes", s->unsynced_bytes);
    jw_kv_u64(w, "gap_bytes", s->gap_bytes);
    jw_kv_u64(w, "buffers", s->buffers_short);
    jw_kv_u64(w, "records_cut", s->records_cut);
    store_stats(r->pipe->store, &db);
    jw_kv_u64(w, "output", outputs_lost(&r->pipe->outputs));
    jw_kv_u64(w, "store", db.refused);
    jw_close(w, '}');
}

static void evictions(struct jw *w, const struct engine_totals *t, const struct stats_report *r)
{
    struct baseline_stats b;
    struct alert_stats a;
    struct rule_stats ru;
    baseline_stats(r->pipe->baseline, &b);
    alerts_stats(r->pipe->alerts, &a);
    rule_state_stats(r->pipe->rule_state, &ru);
    const struct {
        const char *key;
        uint64_t n;
    } rows[] = {
        {"flows", t->sum.flow_evicted},
        {"flow_states", t->sum.state_evicted},
        {"segments", t->sum.segments_evicted},
        {"fragments", t->decode.frag_evicted},
        {"requests", t->rt.txn_evicted},
        {"messages", t->rt.asm_evicted},
        {"shared", t->rt.shared_evicted},
        {"observations", t->rt.obs_evicted},
        {"expectations", t->rt.expect_short},
        {"ndpi", t->sum.ndpi_evicted},
        {"facts", t->evict_facts},
        {"known_links", t->evict_links},
        {"known_assets", t->evict_assets},
        {"assets", b.evicted_assets},
        {"links", b.evicted_links},
        {"functions", b.evicted_funcs},
        {"operations", b.evicted_ops},
        {"identities", b.evicted_idents},
        {"digests", b.evicted_digests},
        {"names", b.evicted_names},
        {"incidents", b.evicted_incidents},
        {"scanners", b.evicted_scanners},
        {"repeats", t->evict_repeats},
        {"alerts", a.evicted},
        {"thresholds", ru.evicted + r->pipe->collector.ops.thresholds},
    };
    jw_key_open(w, "evictions", '{');
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        jw_kv_u64(w, rows[i].key, rows[i].n);
    jw_close(w, '}');
}

static void messages(struct jw *w, const struct engine_totals *t)
{
    const struct proto_schema *s;
    jw_key_open(w, "messages", '{');
    for (unsigned i = 0; (s = schema_at(i)) && i < 63; i++)
        jw_kv_u64(w, s->name, t->sum.messages[i]);
    jw_close(w, '}');
}

static void streams(struct jw *w, const struct engine_totals *t)
{
    jw_key_open(w, "streams", '{');
    jw_kv_u64(w, "retransmitted", t->sum.retransmitted);
    jw_kv_u64(w, "out_of_order", t->sum.out_of_order);
    jw_kv_u64(w, "gaps", t->sum.gaps);
    jw_kv_u64(w, "keepalives", t->sum.keepalives);
    jw_kv_u64(w, "malformed", t->sum.malformed);
    jw_kv_u64(w, "time_rebased", t->rebased);
    jw_kv_u64(w, "time_jumped", t->jumped);
    jw_kv_u64(w, "flows_set_back", t->sum.flows_set_back);
    jw_kv_u64(w, "request_timeouts", t->rt.txn_timeout);
    jw_close(w, '}');
    jw_key_open(w, "decode", '{');
    jw_kv_u64(w, "fragments", t->decode.fragments);
    jw_kv_u64(w, "reassembled", t->decode.reassembled);
    jw_kv_u64(w, "fragment_timeouts", t->decode.frag_timeout);
    jw_kv_u64(w, "bad_headers", t->decode.bad_headers);
    jw_kv_u64(w, "unknown_link", t->decode.unknown_link);
    jw_kv_u64(w, "with_fcs", t->decode.fcs);
    jw_kv_u64(w, "with_trailer", t->decode.stamped);
    jw_close(w, '}');
}

static void workers(struct jw *w, const struct engine_totals *t, unsigned n, double wall_s)
{
    jw_key_open(w, "workers", '[');
    for (unsigned i = 0; i < n; i++) {
        jw_open(w, '{');
        jw_kv_u64(w, "packets", t->worker_packets[i]);
        jw_key(w, "load");
        jw_f64(w, wall_s > 0 ? (double)t->worker_busy_ns[i] / 1e9 / wall_s : 0);
        jw_kv_u64(w, "handed_over", t->worker_handed[i]);
        jw_close(w, '}');
    }
    jw_close(w, ']');
}

static const char *const link_names[] = {"unknown", "up", "down", "gone"};

static void interfaces(struct jw *w, const struct stats_report *r)
{
    jw_key_open(w, "interfaces", '[');
    for (unsigned i = 0; i < r->n_ports; i++) {
        const struct source_port *p = &r->ports[i];
        jw_open(w, '{');
        jw_kv_str(w, "name", p->name);
        jw_kv_str(w, "link", link_names[p->link]);
        jw_kv_u64(w, "packets", p->packets);
        jw_kv_u64(w, "bytes", p->bytes);
        jw_key_open(w, "dropped", '{');
        jw_kv_u64(w, "kernel", p->dropped_kernel);
        jw_kv_u64(w, "nic", p->dropped_nic);
        jw_close(w, '}');
        jw_kv_u64(w, "opened", p->opened);
        if (p->swapped) {
            jw_kv_u64(w, "swapped", p->swapped);
            jw_kv_u64(w, "skew_us", p->skew_ns / 1000);
        }
        jw_close(w, '}');
    }
    jw_close(w, ']');
}

static void unseen_counts(struct jw *w, uint64_t holes, const uint64_t n[UNSEEN_KINDS])
{
    jw_kv_u64(w, "holes", holes);
    for (unsigned k = 0; k < UNSEEN_KINDS; k++)
        jw_kv_u64(w, unseen_keys[k], n[k]);
}

static void unseen(struct jw *w, const struct unseen_table *t)
{
    struct unseen_row all = {0};
    for (unsigned i = 0; i < t->n; i++) {
        all.times += t->row[i].times;
        for (unsigned k = 0; k < UNSEEN_KINDS; k++)
            all.n[k] += t->row[i].n[k];
    }
    jw_key_open(w, "unseen", '{');
    unseen_counts(w, all.times, all.n);
    jw_key_open(w, "ports", '[');
    for (unsigned i = 0; i < t->n; i++) {
        jw_open(w, '{');
        jw_kv_str(w, "interface", t->row[i].iface);
        jw_kv_u64(w, "vlan", t->row[i].vlan);
        unseen_counts(w, t->row[i].times, t->row[i].n);
        jw_close(w, '}');
    }
    jw_close(w, ']');
    jw_close(w, '}');
}

void stats_json(struct jw *w, const struct stats_report *r, struct engine_totals *t)
{
    struct alert_stats a;
    totals(r, t);
    alerts_stats(r->pipe->alerts, &a);
    jw_open(w, '{');
    jw_kv_str(w, "version", TYTO_VERSION);
    jw_kv_u64(w, "packets", t->packets);
    jw_kv_u64(w, "bytes", t->bytes);
    jw_kv_u64(w, "duplicates", t->sum.duplicates + t->sum.redundant);
    jw_kv_u64(w, "redundant", t->sum.redundant);
    dropped(w, t, r);
    unseen(w, &r->pipe->collector.ops.unseen);
    jw_kv_u64(w, "truncated", t->sum.truncated);
    messages(w, t);
    jw_kv_u64(w, "events", t->sum.events);
    jw_kv_u64(w, "flows", t->sum.flows);
    streams(w, t);
    evictions(w, t, r);
    workers(w, t, r->n_workers, r->wall_s);
    if (r->n_ports) {
        interfaces(w, r);
        jw_key_open(w, "reloads", '{');
        jw_kv_u64(w, "done", r->reloaded);
        jw_kv_u64(w, "refused", r->refused);
        jw_close(w, '}');
    }
    jw_kv_u64(w, "memory_bytes", pipe_memory(r->pipe, r->n_workers));
    jw_kv_u64(w, "alerts", a.opened + t->alerts);
    jw_kv_u64(w, "alert_updates", a.updates + t->alert_updates);
    jw_key(w, "wall_s");
    jw_f64(w, r->wall_s);
    jw_close(w, '}');
}

int stats_write(const struct stats_report *r, const char *path, struct err *e)
{
    enum { CAP = 32768 };
    struct engine_totals *t = malloc(sizeof *t);
    char *buf = malloc(CAP);
    struct jw w;
    struct newfile out;
    int ret = -ENOMEM;
    if (!t || !buf) {
        err_set(e, ret, "no memory");
        goto out;
    }
    jw_init(&w, buf, CAP);
    stats_json(&w, r, t);
    ret = newfile_open(&out, path, 0640, e);
    if (ret)
        goto out;
    fprintf(out.f, "%.*s\n", (int)w.n, buf);
    ret = newfile_close(&out, true, e);
out:
    free(t);
    free(buf);
    return ret;
}

/* ---- Prometheus's text format 0.0.4 ---- */

struct page {
    char *p;
    size_t n, cap;
};

static void line(struct page *g, const char *fmt, ...) PRINTF(2, 3);
static void line(struct page *g, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(g->p + g->n, g->cap - g->n, fmt, ap);
    va_end(ap);
    if (n > 0 && (size_t)n < g->cap - g->n)
        g->n += (size_t)n; /* what does not fit is left out as a whole */
}

static void metric(struct page *g, const char *name, const char *type, const char *help)
{
    line(g, "# HELP tyto_%s %s\n# TYPE tyto_%s %s\n", name, help, name, type);
}

static void port_metrics(struct page *g, const struct stats_report *r)
{
    metric(g, "interface_packets_total", "counter", "Packets captured.");
    for (unsigned i = 0; i < r->n_ports; i++)
        line(g, "tyto_interface_packets_total{interface=\"%s\"} %llu\n", r->ports[i].name,
             (unsigned long long)r->ports[i].packets);
    metric(g, "interface_bytes_total", "counter", "Bytes captured.");
    for (unsigned i = 0; i < r->n_ports; i++)
        line(g, "tyto_interface_bytes_total{interface=\"%s\"} %llu\n", r->ports[i].name,
             (unsigned long long)r->ports[i].bytes);
    metric(g, "interface_dropped_total", "counter", "Packets lost before the sensor read them.");
    for (unsigned i = 0; i < r->n_ports; i++)
        line(g,
             "tyto_interface_dropped_total{interface=\"%s\",by=\"kernel\"} %llu\n"
             "tyto_interface_dropped_total{interface=\"%s\",by=\"nic\"} %llu\n",
             r->ports[i].name, (unsigned long long)r->ports[i].dropped_kernel, r->ports[i].name,
             (unsigned long long)r->ports[i].dropped_nic);
    metric(g, "unseen_total", "counter", "Lost on the way to the sensor, as others tell: TCP bytes, messages, frames.");
    for (unsigned i = 0; i < r->pipe->collector.ops.unseen.n; i++)
        for (unsigned k = 0; k < UNSEEN_KINDS; k++)
            line(g, "tyto_unseen_total{interface=\"%s\",vlan=\"%u\",of=\"%s\"} %llu\n",
                 r->pipe->collector.ops.unseen.row[i].iface, r->pipe->collector.ops.unseen.row[i].vlan, unseen_keys[k],
                 (unsigned long long)r->pipe->collector.ops.unseen.row[i].n[k]);
    metric(g, "interface_up", "gauge", "1: the link is up.");
    for (unsigned i = 0; i < r->n_ports; i++)
        line(g, "tyto_interface_up{interface=\"%s\"} %d\n", r->ports[i].name, r->ports[i].link == SOURCE_LINK_UP);
}

size_t stats_prometheus(const struct stats_report *r, struct engine_totals *t, char *to, size_t cap)
{
    struct page g = {.p = to, .cap = cap};
    struct alert_stats a;
    const struct proto_schema *s;
    totals(r, t);
    alerts_stats(r->pipe->alerts, &a);
    port_metrics(&g, r);
    const struct {
        const char *name, *type, *help;
        uint64_t v;
    } rows[] = {
        {"packets_total", "counter", "Packets processed.", t->packets},
        {"bytes_total", "counter", "Bytes processed, as on the wire.", t->bytes},
        {"duplicates_total", "counter", "Copies that were recognised.", t->sum.duplicates + t->sum.redundant},
        {"redundant_total", "counter", "Of these, what PRP or HSR delivered twice.", t->sum.redundant},
        {"truncated_total", "counter", "Packets that the capture cut.", t->sum.truncated},
        {"events_dropped_total", "counter", "Logged events dropped: the ring was full.", t->sum.ring_dropped},
        {"flows_total", "counter", "Connections met.", t->sum.flows},
        {"events_total", "counter", "Events decoded.", t->sum.events},
        {"alerts_total", "counter", "Alerts raised.", a.opened + t->alerts},
        {"evictions_flows_total", "counter", "Connections forgotten for want of room.", t->sum.flow_evicted},
        {"time_moved_total", "counter", "Time stamps replaced by the clock's.", t->times_bent},
        {"memory_bytes", "gauge", "Bytes of all tables.", pipe_memory(r->pipe, r->n_workers)},
        {"reloads_refused_total", "counter", "Configurations that were wrong and not taken.", r->refused},
        {"uptime_seconds", "gauge", "Seconds since the start.", (uint64_t)r->wall_s},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        metric(&g, rows[i].name, rows[i].type, rows[i].help);
        line(&g, "tyto_%s %llu\n", rows[i].name, (unsigned long long)rows[i].v);
    }
    metric(&g, "messages_total", "counter", "Messages by protocol.");
    for (unsigned i = 0; (s = schema_at(i)) && i < 63; i++)
        line(&g, "tyto_messages_total{protocol=\"%s\"} %llu\n", s->name, (unsigned long long)t->sum.messages[i]);
    metric(&g, "worker_packets_total", "counter", "Packets by worker.");
    for (unsigned i = 0; i < r->n_workers; i++)
        line(&g, "tyto_worker_packets_total{worker=\"%u\"} %llu\n", i, (unsigned long long)t->worker_packets[i]);
    metric(&g, "worker_busy_seconds_total", "counter", "Time that a worker was at work.");
    for (unsigned i = 0; i < r->n_workers; i++)
        line(&g, "tyto_worker_busy_seconds_total{worker=\"%u\"} %.3f\n", i, (double)t->worker_busy_ns[i] / 1e9);
    metric(&g, "worker_handed_over_total", "counter", "Packets that a worker read for another one.");
    for (unsigned i = 0; i < r->n_workers; i++)
        line(&g, "tyto_worker_handed_over_total{worker=\"%u\"} %llu\n", i, (unsigned long long)t->worker_handed[i]);
    metric(&g, "worker_ring_bytes", "gauge", "Records that wait for the collector.");
    for (unsigned i = 0; i < r->n_workers; i++)
        line(&g, "tyto_worker_ring_bytes{worker=\"%u\"} %llu\n", i, (unsigned long long)t->worker_ring[i]);
    return g.n;
}

void stats_summary(const struct stats_report *r, FILE *f)
{
    struct engine_totals *t = malloc(sizeof *t);
    struct alert_stats a;
    if (!t)
        return;
    totals(r, t);
    alerts_stats(r->pipe->alerts, &a);
    uint64_t n = a.opened + t->alerts;
    fprintf(f, "%llu packets, %llu flows, %llu events, %llu alert%s in %.2f s\n", (unsigned long long)t->packets,
            (unsigned long long)t->sum.flows, (unsigned long long)t->sum.events, (unsigned long long)n,
            n == 1 ? "" : "s", r->wall_s);
    free(t);
}
