/* fuzz_pcapfile.c: the input is a capture file. It is read alone, and merged with itself: twice the packets. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t read_all(const char *const *paths, unsigned n)
{
    struct source *s;
    struct err e;
    struct pkt k[16];
    uint64_t packets = 0, sum = 0;
    int got;
    if (source_open_files(paths, n, &e, &s) < 0)
        return 0;
    while ((got = source_poll(s, k, 16)) >= 0) {
        for (int i = 0; i < got; i++) {
            for (uint32_t b = 0; b < k[i].caplen; b++)
                sum += k[i].data[b];
            if (k[i].caplen > k[i].wirelen || k[i].iface >= source_n_ifaces(s) || k[i].file >= n || k[i].ts_ns >> 63)
                abort();
        }
        packets += (unsigned)got;
    }
    struct source_progress p;
    source_progress(s, &p);
    if (got != -ENODATA || sum == UINT64_MAX || (p.total >= 0 && p.done > (uint64_t)p.total))
        abort();
    source_close(s);
    return packets;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static char path[32];
    if (fd < 0) {
        fd = memfd_create("capture", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    if (fd < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        return 0;
    const char *const paths[] = {path, path};
    uint64_t one = read_all(paths, 1), two = read_all(paths, 2);
    if (two != 2 * one)
        abort();
    return 0;
}
