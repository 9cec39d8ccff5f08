/* floor.c: the least that reading a capture can cost: walk the records of a classic pcap file and touch the first 64
 * bytes of each packet. usage: floor FILE [read]: the file mapped into memory, or read into a 1 MiB buffer. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct walk {
    uint64_t packets, bytes, sum;
};

enum { FILE_HEAD = 24, REC_HEAD = 16, TOUCH = 64, BUFFER = 1 << 20 };

/* One record at p of n bytes; the bytes it takes, 0 when it is not whole. */
static size_t record(struct walk *w, const uint8_t *p, size_t n)
{
    uint32_t len, touch;
    uint64_t v;
    if (n < REC_HEAD)
        return 0;
    memcpy(&len, p + 8, sizeof len);
    if (len > n - REC_HEAD)
        return 0;
    touch = len < TOUCH ? len : TOUCH;
    for (uint32_t i = 0; i + sizeof v <= touch; i += sizeof v) {
        memcpy(&v, p + REC_HEAD + i, sizeof v);
        w->sum += v;
    }
    w->packets++;
    w->bytes += len;
    return REC_HEAD + (size_t)len;
}

static int walk_map(struct walk *w, int fd)
{
    struct stat st;
    if (fstat(fd, &st) || st.st_size < FILE_HEAD)
        return 1;
    size_t n = (size_t)st.st_size, at = FILE_HEAD, step;
    uint8_t *m = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
    if (m == MAP_FAILED)
        return 1;
    madvise(m, n, MADV_SEQUENTIAL);
    while ((step = record(w, m + at, n - at)))
        at += step;
    munmap(m, n);
    return 0;
}

static int walk_read(struct walk *w, int fd)
{
    uint8_t *buf = malloc(BUFFER);
    size_t have = 0, at, step, skip = FILE_HEAD;
    ssize_t r;
    if (!buf)
        return 1;
    while ((r = read(fd, buf + have, BUFFER - have)) > 0) {
        have += (size_t)r;
        at = skip;
        skip = 0;
        while ((step = record(w, buf + at, have - at)))
            at += step;
        memmove(buf, buf + at, have - at);
        have -= at;
    }
    free(buf);
    return r < 0;
}

int main(int argc, char **argv)
{
    struct walk w = {0};
    if (argc < 2) {
        fputs("usage: floor FILE [read]\n", stderr);
        return 2;
    }
    int fd = open(argv[1], O_RDONLY);
    if (fd < 0 || (argc > 2 ? walk_read(&w, fd) : walk_map(&w, fd))) {
        perror(argv[1]);
        return 1;
    }
    close(fd);
    printf("pkts %llu bytes %llu sum %llx\n", (unsigned long long)w.packets, (unsigned long long)w.bytes,
           (unsigned long long)w.sum);
    return 0;
}
