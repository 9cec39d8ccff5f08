/* source.c: the table of back ends, and what they have in common. */
#include "capture/source.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/source_impl.h"

/* One line a back end. */
static const struct source_ops *const backends[] = {
    &source_file_ops,
    &source_pcap_ops,
    &source_dpdk_ops,
    &source_tap_ops,
};

static const struct source_ops *find_backend(const char *uri, const char **ret_rest)
{
    for (unsigned i = 0; i < ARRAY_LEN(backends); i++) {
        size_t n = strlen(backends[i]->scheme);
        if (strncmp(uri, backends[i]->scheme, n) == 0 && uri[n] == ':') {
            *ret_rest = uri + n + 1;
            return backends[i];
        }
    }
    *ret_rest = uri; /* a path: a colon is legal in one */
    return &source_file_ops;
}

bool source_is_uri(const char *uri)
{
    const char *rest;
    (void)find_backend(uri, &rest);
    return rest != uri && *rest;
}

int source_open(const char *uri, const struct source_conf *conf, struct err *e, struct source **ret)
{
    const char *rest;
    const struct source_ops *ops = find_backend(uri, &rest);
    return ops->open(&rest, 1, conf, e, ret);
}

int source_open_queues(const char *uri, const struct source_conf *conf, unsigned want, struct err *e,
                       struct source **ret, unsigned *ret_n)
{
    struct source_conf c = *conf;
    c.n_queues = want;
    int r = source_open(uri, &c, e, &ret[0]);
    if (r)
        return r;
    unsigned n = want > 1 && ret[0]->ops->queues ? ret[0]->ops->queues(ret[0]) : 1;
    c.first = ret[0];
    for (c.queue = 1; n > 1 && c.queue < want; c.queue++) {
        r = c.queue < n ? source_open(uri, &c, e, &ret[c.queue]) : source_idle(ret[0], e, &ret[c.queue]);
        if (r) {
            while (c.queue--)
                source_close(ret[c.queue]);
            return r;
        }
    }
    *ret_n = n > 1 ? want : 1;
    return 0;
}

bool source_is_live(const char *uri)
{
    const char *rest;
    return find_backend(uri, &rest) != &source_file_ops;
}

int source_open_files(const char *const *paths, unsigned n, struct err *e, struct source **ret)
{
    static const struct source_conf none;
    return source_file_ops.open(paths, n, &none, e, ret);
}

void source_close(struct source *s)
{
    if (s)
        s->ops->close(s);
}

int source_poll(struct source *s, struct pkt *ret, unsigned max)
{
    int n = s->ops->poll(s, ret, max);
    uint64_t bytes = 0, cut = 0;
    for (int i = 0; i < n; i++) {
        bytes += ret[i].caplen;
        cut += ret[i].flags & PKT_CUT;
    }
    if (n > 0) {
        s->stats.packets += (unsigned)n;
        s->stats.bytes += bytes;
        s->stats.cut += cut;
    }
    return n;
}

unsigned source_n_files(const struct source *s)
{
    return s->n_files;
}

const char *source_file(const struct source *s, unsigned i)
{
    return i < s->n_files ? s->files[i] : "";
}

unsigned source_n_ifaces(const struct source *s)
{
    return s->n_ifaces;
}

const char *source_iface(const struct source *s, unsigned i)
{
    return i < s->n_ifaces ? s->ifaces[i] : "";
}

const struct source_fault *source_fault(const struct source *s, unsigned i)
{
    return i < s->n_faults ? &s->faults[i] : NULL;
}

void source_stats(struct source *s, struct source_stats *ret)
{
    *ret = s->stats;
    if (s->ops->stats)
        s->ops->stats(s, ret);
}

void source_progress(const struct source *s, struct source_progress *ret)
{
    *ret = (struct source_progress){.done = 0, .total = -1};
    if (s->ops->progress)
        s->ops->progress(s, ret);
}

unsigned source_ports(struct source *s, struct source_port *ret, unsigned max)
{
    return s->ops->ports ? s->ops->ports(s, ret, max) : 0;
}

void source_wait(struct source *s, unsigned ms)
{
    enum { NAP_US = 20 };
    int fds[SOURCE_PORTS];
    struct pollfd p[SOURCE_PORTS];
    int n = s->ops->fds ? s->ops->fds(s, fds, SOURCE_PORTS) : 0;
    if (n < 0) {
        usleep(NAP_US);
        return;
    }
    for (int i = 0; i < n; i++)
        p[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    (void)poll(p, (nfds_t)n, (int)ms); /* a signal ends it as well */
}

int source_init(struct source *s, const struct source_ops *ops, const char *const *files, unsigned n)
{
    s->ops = ops;
    s->files = calloc(n ? n : 1, sizeof *s->files);
    s->ifaces = calloc(SOURCE_IFACES, sizeof *s->ifaces);
    s->faults = calloc(SOURCE_FAULTS, sizeof *s->faults);
    if (!s->files || !s->ifaces || !s->faults)
        return -ENOMEM;
    for (; s->n_files < n; s->n_files++) {
        s->files[s->n_files] = strdup(files[s->n_files]);
        if (!s->files[s->n_files])
            return -ENOMEM;
    }
    s->n_ifaces = 1; /* "" */
    return 0;
}

void source_done(struct source *s)
{
    for (unsigned i = 0; i < s->n_files; i++)
        free(s->files[i]);
    free(s->files);
    free(s->ifaces);
    free(s->faults);
}

uint16_t source_add_iface(struct source *s, const void *name, unsigned len)
{
    if (len >= IFACE_NAME)
        len = IFACE_NAME - 1;
    char text[IFACE_NAME] = {0};
    if (len)
        memcpy(text, name, len);
    for (unsigned i = 0; i < s->n_ifaces; i++)
        if (strcmp(s->ifaces[i], text) == 0)
            return (uint16_t)i;
    if (s->n_ifaces == SOURCE_IFACES)
        return 0;
    memcpy(s->ifaces[s->n_ifaces], text, sizeof text);
    return (uint16_t)s->n_ifaces++;
}

void source_add_fault(struct source *s, enum source_class cls, unsigned file, const char *fmt, ...)
{
    if (cls == SOURCE_WARNING)
        s->stats.warnings++;
    else
        s->stats.errors++;
    if (s->n_faults == SOURCE_FAULTS)
        return;
    struct source_fault *f = &s->faults[s->n_faults++];
    f->cls = cls;
    f->file = (uint16_t)file;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(f->text, sizeof f->text, fmt, ap);
    va_end(ap);
}

void source_take_faults(struct source *s, const struct source *part, unsigned *told, unsigned file0)
{
    const struct source_fault *f;
    for (; (f = source_fault(part, *told)); ++*told)
        source_add_fault(s, f->cls, file0 + f->file, "%s", f->text);
}
