/* conf_run.c: the section `run`: how the sensor runs live. */
#include <limits.h>
#include <stdlib.h>

#include "engine/base/limits.h"
#include "engine/conf_int.h"
#include "engine/metrics.h"

#define SECONDS(n) ((n)*UINT64_C(1000000000))

/* "3" or "4-7" */
static int read_cpus(struct load *l, const struct yaml_node *n)
{
    struct conf_run *k = &l->c->run;
    const uint32_t most = (uint32_t)ARRAY_LEN(k->cpus);
    char *end;
    const char *s;
    int r;
    if ((r = yaml_str(n, &s, l->e)) < 0)
        return r;
    unsigned long lo = *s >= '0' && *s <= '9' ? strtoul(s, &end, 10) : ULONG_MAX, hi = lo;
    if (lo != ULONG_MAX && *end == '-' && end[1] >= '0' && end[1] <= '9')
        hi = strtoul(end + 1, &end, 10);
    if (lo == ULONG_MAX || *end || hi < lo || hi > 4095)
        return yaml_expected(n, l->e, "a processor or a range such as 4-7");
    for (unsigned long v = lo; v <= hi; v++) {
        for (uint32_t i = 0; i < k->n_cpus; i++)
            if (k->cpus[i] == v)
                return yaml_err(n, l->e, "processor %lu is there twice", v);
        if (k->n_cpus == most)
            return yaml_err(n, l->e, "found more than %u processors", most);
        k->cpus[k->n_cpus++] = (uint16_t)v;
    }
    return 0;
}

static int read_text(struct load *l, const struct yaml_node *map, const char *key, const char **ret)
{
    const struct yaml_node *n = yaml_get(map, key);
    const char *s;
    int r = n && !yaml_is_null(n) ? yaml_str(n, &s, l->e) : 1;
    if (r)
        return r < 0 ? r : 0;
    return (*ret = conf_strdup(l, s)) ? 0 : -ENOMEM;
}

/* How packets are captured. */
static int read_capture(struct load *l, const struct yaml_node *n)
{
    struct conf_run *k = &l->c->run;
    const struct yaml_node *buffer = yaml_get(n, "buffer");
    int r = read_text(l, n, "filter", &k->filter);
    if (r == 0)
        r = yaml_opt_u64(n, "snaplen", 64, 262144, &k->snaplen, l->e);
    if (r == 0 && buffer)
        r = yaml_bytes(buffer, 1 << 20, UINT64_C(2047) << 20, &k->buffer_bytes, l->e);
    if (r == 0)
        r = yaml_opt_bool(n, "promiscuous", &k->promiscuous, l->e);
    if (r == 0)
        r = yaml_opt_bool(n, "immediate", &k->immediate, l->e);
    if (r == 0)
        r = yaml_opt_bool(n, "adapter_time", &k->adapter_time, l->e);
    if (r == 0)
        r = yaml_opt_bool(n, "wait", &k->wait, l->e);
    if (r == 0)
        r = yaml_opt_u64(n, "dpdk_mbufs", 1024, 1 << 26, &k->dpdk_mbufs, l->e);
    return r < 0 ? r : conf_texts(l, yaml_get(n, "dpdk_args"), &k->dpdk_args, NULL);
}

static int read_bytes(struct load *l, const struct yaml_node *map, const char *key, uint64_t least, uint64_t *ret)
{
    const struct yaml_node *n = yaml_get(map, key);
    return n && !yaml_is_null(n) ? yaml_bytes(n, least, UINT64_C(1) << 40, ret, l->e) : 0;
}

/* Packets around alerts. */
static int read_captures(struct load *l, const struct yaml_node *n)
{
    struct conf_run *k = &l->c->run;
    int r = read_text(l, n, "capture_dir", &k->capture_dir);
    if (r == 0)
        r = yaml_opt_duration(n, "capture_before", 0, SECONDS(3600), &k->capture_before_ns, l->e);
    if (r == 0)
        r = yaml_opt_duration(n, "capture_after", 0, SECONDS(3600), &k->capture_after_ns, l->e);
    if (r == 0)
        r = read_bytes(l, n, "capture_ring", 1 << 20, &k->capture_ring);
    if (r == 0)
        r = read_bytes(l, n, "capture_file", 1 << 16, &k->capture_file);
    return r < 0 ? r : read_bytes(l, n, "capture_total", 1 << 20, &k->capture_total);
}

static int read_metrics(struct load *l, const struct yaml_node *n)
{
    struct conf_run *k = &l->c->run;
    int r = read_text(l, n, "metrics", &k->metrics);
    if (r == 0 && k->metrics && !metrics_where(k->metrics))
        r = yaml_expected(yaml_get(n, "metrics"), l->e, METRICS_WHERE);
    return r;
}

int conf_run(struct load *l, const struct yaml_node *n)
{
    struct conf_run *k = &l->c->run;
    int r = conf_only_keys(l, n, "run");
    if (r == 0)
        r = read_text(l, n, "user", &k->user);
    if (r == 0)
        r = yaml_opt_u64(n, "workers", 0, N_SHARDS, &k->workers, l->e);
    if (r == 0)
        r = read_capture(l, n);
    if (r == 0)
        r = yaml_opt_duration(n, "stats_interval", 0, SECONDS(86400), &k->stats_ns, l->e);
    if (r == 0)
        r = read_captures(l, n);
    if (r == 0)
        r = read_metrics(l, n);
    if (r == 0)
        r = yaml_opt_duration(n, "silence", 0, SECONDS(86400), &k->silence_ns, l->e);
    YAML_EACH(it, r == 0 ? yaml_get(n, "cpus") : NULL)
    if ((r = read_cpus(l, it)) < 0)
        return r;
    return r;
}
