/* dpdk_none.c: built without DPDK. */
#include "capture/source_impl.h"

static int none_open(const char *const *what, unsigned n, const struct source_conf *conf, struct err *e,
                     struct source **ret)
{
    (void)n;
    (void)conf;
    (void)ret;
    return err_set(e, -ENOTSUP, "dpdk:%s: this tyto was built without DPDK (libdpdk-dev, meson -Ddpdk=enabled)",
                   what[0]);
}

const struct source_ops source_dpdk_ops = {.scheme = "dpdk", .open = none_open};
