/* send.c: sends the packets of a pcap file into an interface, for the tests of live capture.
 *
 *   send IFACE FILE [PACKETS [RATE]]
 *
 * PACKETS 0 or none: the file once; else over and over until so many are sent. RATE: packets a second, 0 as fast as it
 * goes. Prints what was sent. Only to be used in a network namespace of its own. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, MOST = 1 << 22 };

struct trace {
    uint8_t *bytes;
    struct iovec *v;
    size_t n;
};

static uint32_t u32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static int load(const char *path, struct trace *t)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return -1;
    fseek(f, 0, SEEK_END);
    size_t size = (size_t)ftell(f), at = 24;
    rewind(f);
    t->bytes = malloc(size + 1);
    t->v = calloc(MOST, sizeof *t->v);
    if (!t->bytes || !t->v || fread(t->bytes, 1, size, f) != size)
        return -1;
    fclose(f);
    if (size < 24 || (u32(t->bytes) != 0xa1b2c3d4 && u32(t->bytes) != 0xa1b23c4d))
        return -1; /* of this machine's byte order only */
    while (at + 16 <= size && t->n < MOST) {
        uint32_t len = u32(t->bytes + at + 8);
        if (at + 16 + len > size)
            break;
        t->v[t->n++] = (struct iovec){t->bytes + at + 16, len};
        at += 16 + len;
    }
    return t->n ? 0 : -1;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int open_iface(const char *name)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name)};
    int one = 1, fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof to))
        return -1;
    (void)setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
    return fd;
}

static size_t run(int fd, const struct trace *t, size_t total, double rate)
{
    struct mmsghdr m[BATCH];
    size_t sent = 0, at = 0;
    double t0 = now();
    while (sent < total) {
        unsigned n = 0, want = rate > 0 ? 16 : BATCH;
        for (; n < want && sent + n < total; n++)
            m[n] = (struct mmsghdr){.msg_hdr = {.msg_iov = &t->v[(at + sent + n) % t->n], .msg_iovlen = 1}};
        int done = sendmmsg(fd, m, n, 0);
        if (done > 0)
            sent += (size_t)done;
        else if (errno == EMSGSIZE) /* larger than the interface takes: the next one instead */
            at++;
        while (rate > 0 && (double)sent / rate > now() - t0)
            if ((double)sent / rate - (now() - t0) > 2e-4)
                usleep(100);
    }
    return sent;
}

int main(int argc, char **argv)
{
    struct trace t = {0};
    if (argc < 3 || load(argv[2], &t)) {
        fprintf(stderr, "usage: send IFACE FILE [PACKETS [RATE]]; FILE: pcap of this machine's byte order\n");
        return 2;
    }
    size_t total = argc > 3 && atol(argv[3]) > 0 ? (size_t)atol(argv[3]) : t.n;
    int fd = open_iface(argv[1]);
    if (fd < 0) {
        perror(argv[1]);
        return 1;
    }
    double t0 = now();
    size_t sent = run(fd, &t, total, argc > 4 ? atof(argv[4]) : 0);
    printf("%zu packets in %.3f s\n", sent, now() - t0);
    return 0;
}
