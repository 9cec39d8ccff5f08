#include "engine/stats.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/jw.h"

static void dropped(struct jw *w, const struct engine_totals *t, const struct stats_report *r)
{
    const struct eng_stats *s = &t->sum;
    struct source_port p[SOURCE_PORTS];
    unsigned n = source_ports(r->pipe->source, p, SOURCE_PORTS);
    uint64_t kernel = 0, nic = 0;
    for (unsigned i = 0; i < n; i++) {
        kernel += p[i].dropped_kernel;
        nic += p[i].dropped_nic;
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
        {"ndpi", t->sum.ndpi_evicted},
        {"facts", t->evict_facts},
        {"known_links", t->evict_links},
        {"assets", b.evicted_assets},
        {"links", b.evicted_links},
        {"functions", b.evicted_funcs},
        {"operations", b.evicted_ops},
        {"identities", b.evicted_idents},
        {"digests", b.evicted_digests},
        {"alerts", a.evicted},
        {"thresholds", ru.evicted},
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
    jw_close(w, '}');
}

static void workers(struct jw *w, const struct engine_totals *t, unsigned n)
{
    jw_key_open(w, "workers", '[');
    for (unsigned i = 0; i < n; i++) {
        jw_open(w, '{');
        jw_kv_u64(w, "packets", t->worker_packets[i]);
        jw_key(w, "load");
        jw_f64(w, t->worker_load[i]);
        jw_close(w, '}');
    }
    jw_close(w, ']');
}

int stats_write(const struct stats_report *r, const char *path, struct err *e)
{
    enum { CAP = 32768 };
    struct engine_totals *t = malloc(sizeof *t);
    char *buf = malloc(CAP);
    struct alert_stats a;
    struct jw w;
    struct textout out;
    int ret = -ENOMEM;
    if (!t || !buf) {
        err_set(e, ret, "no memory");
        goto out;
    }
    engine_totals(r->engine, t);
    alerts_stats(r->pipe->alerts, &a);
    jw_init(&w, buf, CAP);
    jw_open(&w, '{');
    jw_kv_str(&w, "version", TYTO_VERSION);
    jw_kv_u64(&w, "packets", t->packets);
    jw_kv_u64(&w, "bytes", t->bytes);
    jw_kv_u64(&w, "duplicates", t->sum.duplicates);
    dropped(&w, t, r);
    jw_kv_u64(&w, "truncated", t->sum.truncated);
    messages(&w, t);
    jw_kv_u64(&w, "events", t->sum.events);
    jw_kv_u64(&w, "flows", t->sum.flows);
    streams(&w, t);
    evictions(&w, t, r);
    workers(&w, t, r->n_workers);
    jw_kv_u64(&w, "memory_bytes", pipe_memory(r->pipe, r->n_workers));
    jw_kv_u64(&w, "alerts", a.opened);
    jw_kv_u64(&w, "alert_updates", a.updates);
    jw_key(&w, "wall_s");
    jw_f64(&w, r->wall_s);
    jw_close(&w, '}');
    ret = textout_open(&out, path, false, e);
    if (ret)
        goto out;
    textout_line(&out, buf, w.n);
    ret = textout_close(&out);
    if (ret)
        err_set(e, ret, "%s: cannot be written: %s", path, strerror(-ret));
out:
    free(t);
    free(buf);
    return ret;
}

void stats_summary(const struct stats_report *r, FILE *f)
{
    struct engine_totals *t = malloc(sizeof *t);
    struct alert_stats a;
    if (!t)
        return;
    engine_totals(r->engine, t);
    alerts_stats(r->pipe->alerts, &a);
    fprintf(f, "%llu packets, %llu flows, %llu events, %llu alerts in %.2f s\n", (unsigned long long)t->packets,
            (unsigned long long)t->sum.flows, (unsigned long long)t->sum.events, (unsigned long long)a.opened,
            r->wall_s);
    free(t);
}
